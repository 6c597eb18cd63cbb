/* Functions of the template and their frames (macro.c). */
#ifndef IX_TEXT_JINJA_MACRO_H
#define IX_TEXT_JINJA_MACRO_H

#include "text/jinja/loop.h"

/* A frame for one run of f, its slots empty; done: it may be used again, unless functions inside
 * have kept it. */
inox_status ix_j_frame_new(ix_jrender *r, const ix_jfunction_node *f, ix_jframe *up,
                           ix_jframe **out, inox_error *err) IX_MUST_USE;
void ix_j_frame_done(ix_jrender *r, const ix_jfunction_node *f, ix_jframe *frame);

/* Counts one call more; whoever succeeds takes it from r->calls again. */
inox_status ix_j_enter_call(ix_jrender *r, inox_error *err) IX_MUST_USE;

/* Runs a block, or the top level. */
inox_status ix_j_run_block(ix_jrender *r, const ix_jfunction_node *f, ix_jbuilder *out,
                           inox_error *err) IX_MUST_USE;

#endif
