/* The loop variable of a for, and where its items come from (loop.c). */
#ifndef IX_TEXT_JINJA_LOOP_H
#define IX_TEXT_JINJA_LOOP_H

#include "text/jinja/eval.h"

/* The items of a for: those of the iterable that pass its test. */
typedef struct ix_jsource {
    ix_jrender *r;
    ix_jframe *frame;     /* the test's slots are in it */
    const ix_jnode *node; /* the for, where its test is to be run; else NULL */
    ix_jcursor cursor;
    bool entered; /* the slots of the test are set */
} ix_jsource;

inox_status ix_j_source_start(ix_jexec *x, const ix_jnode *node, ix_jvalue iterable, ix_jsource *s,
                              inox_error *err) IX_MUST_USE;
inox_status ix_j_source_search(ix_jsource *s, ix_jvalue *item, bool *more,
                               inox_error *err) IX_MUST_USE;
static inline IX_MUST_USE inox_status ix_j_source_next(ix_jsource *s, ix_jvalue *item, bool *more,
                                                       inox_error *err)
{
    const ix_jlist *list = s->cursor.over.list;

    if (s->node || s->cursor.over.kind != IX_J_LIST || s->cursor.at >= list->count)
        return ix_j_source_search(s, item, more, err);
    ix_j_put(item, &list->items[s->cursor.at++]);
    *more = true;
    return ix_j_step(s->r, err);
}

/* jinja2's LoopContext. */
typedef struct ix_jloop {
    ix_jobject object;
    ix_jsource source;
    ix_jvalue iterable;
    int64_t index0, length, depth0;   /* length: -1 while not known */
    ix_jvalue before, current, after; /* after: IX_J_MISSING unless it was looked at */
    ix_jvalue changed;                /* what loop.changed last saw */
    const ix_jnode *node;             /* of a recursive loop, else NULL */
    ix_jframe *around;                /* the frame that a recursive loop was found in */
} ix_jloop;

inox_status ix_j_loop_new(ix_jexec *x, const ix_jnode *node, ix_jvalue iterable, int64_t depth0,
                          ix_jloop **out, inox_error *err) IX_MUST_USE;
inox_status ix_j_loop_next(ix_jloop *l, ix_jvalue *item, bool *more, inox_error *err) IX_MUST_USE;

/* The text of a recursive loop over `iterable` (exec.c). */
inox_status ix_j_loop_text(ix_jrender *r, const ix_jnode *node, ix_jframe *around,
                           ix_jvalue iterable, int64_t depth0, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;

#endif
