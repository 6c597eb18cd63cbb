/* strftime_now: Python's datetime.strftime in the C locale, of a given time without a zone. */
#ifndef IX_TEXT_JINJA_STRFTIME_H
#define IX_TEXT_JINJA_STRFTIME_H

#include "text/jinja/library.h"

/* Appends the time in the format's shape.  What a directive gives is a user's where the directive
 * is. */
inox_status ix_js_strftime(ix_jbuilder *b, const ix_jtime *now, ix_jstring *format,
                           inox_error *err) IX_MUST_USE;

#endif
