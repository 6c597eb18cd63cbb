/* The loop variable: positions, neighbours, cycle, changed, and calling it for more. */
#include "text/jinja/loop.h"

#include <stdio.h>
#include <string.h>

/* ---- items ----------------------------------------------------------------------------------- */

inox_status ix_j_source_start(ix_jexec *x, const ix_jnode *node, ix_jvalue iterable, ix_jsource *s,
                              inox_error *err)
{
    *s = (ix_jsource){ .r = x->r, .frame = x->frame, .node = node->loop->test ? node : NULL };
    return ix_j_cursor_start(x->r, iterable, &s->cursor, err);
}

/* The value of a target after it was assigned: what a loop with a test goes on with. */
static inox_status value_of_target(ix_jexec *x, const ix_jnode *target, ix_jvalue *out,
                                   inox_error *err)
{
    ix_jvalue item;

    if (target->kind != IX_JN_TUPLE) {
        *out = *ix_j_slot(x, target->ref);
        return INOX_OK;
    }
    IX_TRY(ix_j_tuple(x->r, target->count, out, err));
    for (const ix_jnode *part = target->a; part; part = part->next) {
        IX_TRY(value_of_target(x, part, &item, err));
        IX_TRY(ix_j_append(x->r, *out, item, err));
    }
    return INOX_OK;
}

inox_status ix_j_source_search(ix_jsource *s, ix_jvalue *item, bool *more, inox_error *err)
{
    ix_jexec x = { .r = s->r, .frame = s->frame }; /* a loop may be asked long after its for */
    bool passes = true;

    if (!s->node)
        return ix_j_cursor_next(s->r, &s->cursor, item, more, err);
    for (;;) {
        IX_TRY(ix_j_cursor_next(s->r, &s->cursor, item, more, err));
        if (!*more)
            return INOX_OK;
        const ix_jfor *loop = s->node->loop;
        if (!s->entered)
            ix_j_enter_scope(&x, &loop->test_enter);
        s->entered = true;
        IX_TRY(ix_j_assign(&x, loop->test_target, *item, err));
        IX_TRY(ix_j_eval_truth(&x, loop->test, &passes, err));
        if (passes)
            return value_of_target(&x, loop->test_target, item, err);
    }
}

/* ---- the object ------------------------------------------------------------------------------ */

static inox_status peek(ix_jloop *l, inox_error *err)
{
    bool more;

    if (l->after.kind != IX_J_MISSING)
        return INOX_OK;
    IX_TRY(ix_j_source_next(&l->source, &l->after, &more, err));
    if (!more)
        l->after = ix_j_missing();
    return INOX_OK;
}

/* Items that were not counted yet are collected first, as jinja2 does it. */
static inox_status find_length(ix_jrender *r, ix_jloop *l, inox_error *err)
{
    ix_jvalue rest, item;
    size_t length;
    bool more = true;

    if (l->length >= 0)
        return INOX_OK;
    if (!l->source.node && l->iterable.kind != IX_J_ITERATOR) {
        IX_TRY(ix_j_len(r, l->iterable, &length, err));
        l->length = (int64_t)length;
        return INOX_OK;
    }
    IX_TRY(ix_j_list(r, 0, &rest, err));
    for (;;) {
        IX_TRY(ix_j_source_next(&l->source, &item, &more, err));
        if (!more)
            break;
        IX_TRY(ix_j_append(r, rest, item, err));
    }
    l->source.node = NULL;
    IX_TRY(ix_j_cursor_start(r, rest, &l->source.cursor, err));
    l->length = (int64_t)rest.list->count + l->index0 + 1 + (l->after.kind != IX_J_MISSING ? 1 : 0);
    return INOX_OK;
}

static inox_status loop_length(ix_jrender *r, ix_jobject *o, size_t *length, inox_error *err)
{
    ix_jloop *l = (ix_jloop *)o;

    IX_TRY(find_length(r, l, err));
    *length = (size_t)l->length;
    return INOX_OK;
}

static inox_status cycle(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    const ix_jloop *l = (const ix_jloop *)c->self.object;

    if (c->rest_count == 0)
        return ix_j_fail(err, "TypeError", "no items for cycling given");
    int64_t at = l->index0 % (int64_t)c->rest_count;
    *out = c->rest[at < 0 ? at + (int64_t)c->rest_count : at];
    return INOX_OK;
}

static inox_status changed(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jloop *l = (ix_jloop *)c->self.object;
    ix_jvalue now;
    bool same = false;

    IX_TRY(ix_j_tuple(c->r, c->rest_count, &now, err));
    if (c->rest_count > 0)
        memcpy(now.list->items, c->rest, c->rest_count * sizeof *c->rest);
    now.list->count = c->rest_count;
    if (l->changed.kind != IX_J_MISSING)
        IX_TRY(ix_j_equal(c->r, l->changed, now, &same, err));
    l->changed = now;
    *out = ix_j_bool(!same);
    return INOX_OK;
}

static const ix_jentry loop_methods[] = {
    { .name = "cycle", .run = cycle, .rest = true },
    { .name = "changed", .run = changed, .rest = true },
    { .name = NULL },
};

/* previtem, nextitem: there, or undefined with jinja2's words. */
static inox_status neighbour(ix_jrender *r, ix_jloop *l, bool next, ix_jvalue *out, inox_error *err)
{
    if (next)
        IX_TRY(peek(l, err));
    *out = next ? l->after : l->before;
    if (next ? out->kind != IX_J_MISSING : l->index0 != 0)
        return INOX_OK;
    return ix_j_undefined_hint(r, next ? "there is no next item" : "there is no previous item", out,
                               err);
}

typedef enum loop_name {
    INDEX,
    INDEX0,
    FIRST,
    LAST,
    LENGTH,
    REVINDEX,
    REVINDEX0,
    DEPTH,
    DEPTH0,
    PREVITEM,
    NEXTITEM,
    LOOP_NAMES,
} loop_name;

static loop_name name_of(const ix_jstring *name)
{
    static const char *const names[] = { "index",  "index0",   "first",     "last",
                                         "length", "revindex", "revindex0", "depth",
                                         "depth0", "previtem", "nextitem" };
    int i = 0;

    while (i < LOOP_NAMES && !(name->data[0] == names[i][0] && ix_j_is(name, names[i])))
        i++;
    return (loop_name)i;
}

static inox_status loop_attribute(ix_jrender *r, ix_jobject *o, ix_jstring *name, ix_jvalue *out,
                                  inox_error *err)
{
    ix_jloop *l = (ix_jloop *)o;
    loop_name which = name_of(name);

    *out = ix_j_missing();
    if (which == LENGTH || which == REVINDEX || which == REVINDEX0)
        IX_TRY(find_length(r, l, err));
    switch (which) {
    case INDEX: *out = ix_j_int(l->index0 + 1); break;
    case INDEX0: *out = ix_j_int(l->index0); break;
    case FIRST: *out = ix_j_bool(l->index0 == 0); break;
    case LAST:
        IX_TRY(peek(l, err));
        *out = ix_j_bool(l->after.kind == IX_J_MISSING);
        break;
    case LENGTH: *out = ix_j_int(l->length); break;
    case REVINDEX: *out = ix_j_int(l->length - l->index0); break;
    case REVINDEX0: *out = ix_j_int(l->length - l->index0 - 1); break;
    case DEPTH: *out = ix_j_int(l->depth0 + 1); break;
    case DEPTH0: *out = ix_j_int(l->depth0); break;
    case PREVITEM:
    case NEXTITEM: return neighbour(r, l, which == NEXTITEM, out, err);
    case LOOP_NAMES: {
        const ix_jentry *entry = ix_j_find_entry(loop_methods, name->data, name->size);

        return entry ? ix_j_bind_method(r, entry, ix_j_of_object(o), out, err) : INOX_OK;
    }
    }
    return INOX_OK;
}

static inox_status loop_call(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    const ix_jloop *l = (const ix_jloop *)c->self.object;
    ix_jvalue iterable;

    if (c->rest_count + c->keyword_count != 1 ||
        (c->keyword_count == 1 && !ix_j_is(c->keywords[0].name, "iterable")))
        return ix_j_fail(err, "TypeError", "loop() takes exactly one argument");
    if (!l->node)
        return ix_j_fail(err, "TypeError",
                         "The loop must have the 'recursive' marker to be called recursively.");
    iterable = c->rest_count == 1 ? c->rest[0] : c->keywords[0].value;
    return ix_j_loop_text(c->r, l->node, l->around, iterable, l->depth0 + 1, out, err);
}

static inox_status loop_str(ix_jbuilder *b, ix_jobject *o, inox_error *err)
{
    ix_jloop *l = (ix_jloop *)o;
    char text[80];

    IX_TRY(find_length(b->r, l, err));
    int n = snprintf(text, sizeof text, "<LoopContext %lld/%lld>", (long long)l->index0 + 1,
                     (long long)l->length);
    return ix_jb_bytes(b, text, (size_t)n, false, err);
}

static const ix_jclass loop_class = {
    .name = "LoopContext",
    .attribute = loop_attribute,
    .call = loop_call,
    .str = loop_str,
    .length = loop_length,
};

inox_status ix_j_loop_new(ix_jexec *x, const ix_jnode *node, ix_jvalue iterable, int64_t depth0,
                          ix_jloop **out, inox_error *err)
{
    ix_jloop *l;

    IX_TRY(IX_J_ALLOC(x->r, &l, 1, err));
    l->object.class = &loop_class;
    l->iterable = iterable;
    l->index0 = -1;
    l->length = -1;
    l->depth0 = depth0;
    *out = l;
    return ix_j_source_start(x, node, iterable, &l->source, err);
}

inox_status ix_j_loop_next(ix_jloop *l, ix_jvalue *item, bool *more, inox_error *err)
{
    *more = l->after.kind != IX_J_MISSING;
    *item = l->after;
    l->after = ix_j_missing();
    if (!*more)
        IX_TRY(ix_j_source_next(&l->source, item, more, err));
    if (!*more)
        return INOX_OK;
    l->index0++;
    l->before = l->current;
    l->current = *item;
    return INOX_OK;
}
