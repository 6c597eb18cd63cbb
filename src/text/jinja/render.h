/* What a rendering holds, for the files of this folder that make up the evaluator.
 *
 * The library (filters, tests, methods, globals) sees value.h, number.h and library.h only.
 */
#ifndef IX_TEXT_JINJA_RENDER_H
#define IX_TEXT_JINJA_RENDER_H

#include "base/limits.h"
#include "text/jinja/library.h"
#include "text/jinja/number.h"
#include "text/jinja/template.h"

#define IX_J_NOWHERE UINT32_MAX

struct ix_jprogram;

struct ix_jrender {
    ix_arena arena;
    uint64_t steps_left, steps_max;
    size_t text_max; /* bytes of one string, and of the output */
    unsigned depth;  /* units of the C stack in use, at most IX_MAX_TEMPLATE_DEPTH */
    unsigned calls; /* macros, blocks and recursive loops that run, at most IX_MAX_TEMPLATE_CALLS */
    bool autoescape;   /* jinja2's eval_ctx.autoescape */
    uint32_t error_at; /* byte of the source where the first error came up, or IX_J_NOWHERE */
    const struct ix_jprogram *program;
    ix_jvalue *globals;       /* by number: what the name means among variables and globals */
    struct ix_jframe **spare; /* by function: a frame that may be used again */
    const ix_template_options *options;
    uint64_t random;
};

/* The step of a node of the template. */
static inline inox_status ix_j_step(ix_jrender *r, inox_error *err)
{
    if (r->steps_left == 0)
        return ix_j_steps(r, 1, err);
    r->steps_left--;
    return INOX_OK;
}

/* Makes a string of these bytes, which stay where they are. */
inox_status ix_j_make_string(ix_jrender *r, const char *data, size_t size, ix_jorigin origin,
                             ix_jvalue *out, inox_error *err) IX_MUST_USE;

uint32_t ix_j_string_hash(ix_jstring *s);

/* *out = the method of self that the row is (or its value, where it is a property). */
inox_status ix_j_bind_method(ix_jrender *r, const ix_jentry *entry, ix_jvalue self, ix_jvalue *out,
                             inox_error *err) IX_MUST_USE;

/* *out = object[start:stop:step]; bounds that are not there are IX_J_MISSING. */
inox_status ix_j_getslice(ix_jrender *r, ix_jvalue object, const ix_jvalue bounds[3],
                          ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* Reads the variables: JSON as Python reads it.  Every string but those of the top-level keys
 * *_token is marked as a user's. */
inox_status ix_j_read_json(ix_jrender *r, const char *text, size_t size, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;

#endif
