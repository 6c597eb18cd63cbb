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

/* Memory that renderings of a template use one after the other: new pages cost more than most
 * renderings do.  A rendering takes it, and gives it back when it is done. */
typedef struct ix_jwarm {
    size_t size;
    char data[];
} ix_jwarm;

struct ix_jrender {
    ix_arena arena; /* what does not fit the warm memory */
    char *warm;     /* next free byte of the warm memory */
    size_t warm_left;
    size_t memory_left, memory_max; /* the budget, wherever memory comes from */
    uint64_t steps_left, steps_max;
    size_t text_max; /* bytes of one string, and of the output */
    unsigned depth;  /* units of the C stack in use, at most IX_MAX_TEMPLATE_DEPTH */
    unsigned calls; /* macros, blocks and recursive loops that run, at most IX_MAX_TEMPLATE_CALLS */
    bool autoescape;   /* jinja2's eval_ctx.autoescape */
    uint32_t error_at; /* byte of the source where the first error came up, or IX_J_NOWHERE */
    const struct ix_jprogram *program;
    ix_jvalue *globals;       /* by number: what the name means among variables and globals */
    struct ix_jframe **spare; /* by function: a frame that may be used again */
    struct { /* the last long string that was joined, which may grow in its place */
        char *data;
        size_t size, capacity;
        ix_jspan *spans;
        size_t span_count, span_capacity;
    } tail;
    const ix_template_options *options;
    uint64_t random;
};

/* The step of a node of the template; one level deeper (r->depth-- comes up again). */
static inline inox_status ix_j_step(ix_jrender *r, inox_error *err)
{
    if (r->steps_left == 0)
        return ix_j_steps(r, 1, err);
    r->steps_left--;
    return INOX_OK;
}

static inline inox_status ix_j_down(ix_jrender *r, inox_error *err)
{
    if (r->depth >= IX_MAX_TEMPLATE_DEPTH)
        return ix_j_enter(r, err);
    r->depth++;
    return INOX_OK;
}

/* Makes a string of these bytes, which stay where they are. */
inox_status ix_j_make_string(ix_jrender *r, const char *data, size_t size, ix_jorigin origin,
                             ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* *out = a then b, neither of them escaped.  Joining to the same string again and again, as
 * templates do that collect their text in a variable, takes time for what is added only. */
inox_status ix_j_join(ix_jrender *r, ix_jstring *a, const ix_jstring *b, bool safe, ix_jvalue *out,
                      inox_error *err) IX_MUST_USE;

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
