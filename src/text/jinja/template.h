/* Chat templates: Jinja2 source compiled once, rendered with variables, byte for byte as Python's
 * jinja2 does it in the way transformers sets it up.
 *
 *     source --lex, parse--> tree with slots --eval(variables)--> text, spans of users' bytes
 *
 * A template is untrusted and so are the variables: reading one is bounded in size and depth, a
 * rendering in steps, depth, memory and size of its text (INOX_E_LIMIT).  A template is immutable
 * and may be rendered by several threads at once.
 *
 * Marks: text that the variables bring is a user's, but for top-level variables whose name ends in
 * _token (bos_token, eos_token, ...) and for roles of messages that are plain words.  The rendering
 * tells which bytes of its text are a user's, so that no special token is looked for inside them.
 */
#ifndef IX_TEXT_JINJA_TEMPLATE_H
#define IX_TEXT_JINJA_TEMPLATE_H

#include "base/alloc.h"
#include "base/status.h"
#include "text/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ix_template ix_template;

/* Compiles a template.  Errors name line and column; err->position is the byte in the source. */
inox_status ix_template_new(const char *source, size_t size, ix_template **out,
                            inox_error *err) IX_MUST_USE;
void ix_template_free(ix_template *t); /* NULL is fine */
/* The source as it was given; the template's. */
ix_text_view ix_template_source(const ix_template *t);

/* 0 in any field: the default of base/limits.h. */
typedef struct ix_template_options {
    uint64_t steps_max;
    size_t memory_max; /* bytes */
    size_t output_max; /* bytes */
    bool has_now;      /* strftime_now sees `now` instead of the clock */
    struct {
        int year, month, day, hour, minute, second, microsecond;
    } now;
} ix_template_options;

/* Bytes [start, end) of the text that come from users. */
typedef struct ix_template_span {
    size_t start, end;
} ix_template_span;

typedef struct ix_template_result {
    char *text; /* NUL-terminated behind its size */
    size_t size;
    ix_template_span *spans; /* in order, apart, merged */
    size_t span_count;
} ix_template_result;

/* Renders with the variables of a JSON object (text, as Python's json reads it: ints of any size,
 * NaN and Infinity too).  Free the result with ix_template_result_release. */
inox_status ix_template_render(const ix_template *t, const char *variables, size_t variables_size,
                               const ix_template_options *options, ix_template_result *out,
                               inox_error *err) IX_MUST_USE;
void ix_template_result_release(ix_template_result *r);

#endif
