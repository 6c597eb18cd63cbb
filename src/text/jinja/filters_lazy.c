/* Filters that give their items one after the other: jinja2's are generators, so that nothing
 * happens, errors included, before somebody asks for an item, and each item is given once. */
#include "text/jinja/filters.h"

#include <string.h>

/* What a generator remembers of its call; each of the functions below uses what it needs. */
typedef struct lazy {
    ix_jiter base;
    ix_jcall call; /* with args, rest and keywords of its own */
    ix_jcursor at;
    bool started;
    bool negate, by_attribute; /* reject; selectattr, rejectattr */
    ix_jgetter get;
    ix_jvalue name, *args; /* of the filter or test; args[0] is the item */
    size_t arg_count;
    ix_jvalue seen, list; /* unique; reverse, slice */
    int64_t next, count;  /* slice, reverse */
} lazy;

typedef inox_status (*step)(ix_jrender *r, ix_jiter *it, ix_jvalue *item, bool *more,
                            inox_error *err);

static inox_status new_lazy(const ix_jcall *c, step next, lazy **out, ix_jvalue *value,
                            inox_error *err)
{
    lazy *z;
    ix_jvalue *rest;
    ix_jkeyword *keywords;
    IX_TRY(IX_J_ALLOC(c->r, &z, 1, err));
    z->base.next = next;
    z->base.type = "generator";
    z->call = *c;
    if (c->rest_count > 0) {
        IX_TRY(IX_J_ALLOC(c->r, &rest, c->rest_count, err));
        memcpy(rest, c->rest, c->rest_count * sizeof *rest);
        z->call.rest = rest;
    }
    if (c->keyword_count > 0) {
        IX_TRY(IX_J_ALLOC(c->r, &keywords, c->keyword_count, err));
        memcpy(keywords, c->keywords, c->keyword_count * sizeof *keywords);
        z->call.keywords = keywords;
    }
    *out = z;
    *value = ix_j_of_iter(&z->base);
    return INOX_OK;
}

static lazy *of(ix_jiter *it)
{
    return (lazy *)(void *)it;
}

/* ---- items, batch, slice, reverse ------------------------------------------------------------ */

static inox_status items_next(ix_jrender *r, ix_jiter *it, ix_jvalue *item, bool *more,
                              inox_error *err)
{
    lazy *z = of(it);
    ix_jvalue v = z->call.args[0], view;
    *more = false;
    if (v.kind == IX_J_UNDEFINED)
        return INOX_OK;
    if (v.kind != IX_J_DICT)
        return ix_j_fail(err, "TypeError", "Can only get item pairs from a mapping.");
    if (!z->started) {
        z->started = true;
        IX_TRY(ix_j_view(r, v.dict, IX_J_ITEMS, &view, err));
        IX_TRY(ix_j_cursor_start(r, view, &z->at, err));
    }
    return ix_j_cursor_next(r, &z->at, item, more, err);
}

inox_status ix_jf_items(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    lazy *z;
    return new_lazy(c, items_next, &z, out, err);
}

/* Fills a batch that is too short. */
static inox_status fill_batch(ix_jrender *r, lazy *z, ix_jvalue batch, inox_error *err)
{
    ix_jvalue fill = z->call.args[2];
    int64_t size;
    if (fill.kind == IX_J_MISSING || fill.kind == IX_J_NONE)
        return INOX_OK;
    IX_TRY(ix_j_index_argument(&z->call, 1, 0, &size, err));
    while ((int64_t)batch.list->count < size) {
        IX_TRY(ix_j_steps(r, 1, err));
        IX_TRY(ix_j_append(r, batch, fill, err));
    }
    return INOX_OK;
}

static inox_status batch_next(ix_jrender *r, ix_jiter *it, ix_jvalue *item, bool *more,
                              inox_error *err)
{
    lazy *z = of(it);
    ix_jvalue next;
    bool full;
    if (!z->started) {
        z->started = true;
        IX_TRY(ix_j_cursor_start(r, z->call.args[0], &z->at, err));
        IX_TRY(ix_j_list(r, 0, &z->list, err));
    }
    for (;;) {
        IX_TRY(ix_j_cursor_next(r, &z->at, &next, more, err));
        if (!*more)
            break;
        IX_TRY(ix_j_equal(r, ix_j_int((int64_t)z->list.list->count), z->call.args[1], &full, err));
        *item = z->list;
        if (full)
            IX_TRY(ix_j_list(r, 0, &z->list, err));
        IX_TRY(ix_j_append(r, z->list, next, err));
        if (full)
            return INOX_OK;
    }
    if (z->list.list->count == 0)
        return INOX_OK;
    IX_TRY(fill_batch(r, z, z->list, err));
    *item = z->list;
    *more = true;
    return ix_j_list(r, 0, &z->list, err);
}

inox_status ix_jf_batch(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    lazy *z;
    return new_lazy(c, batch_next, &z, out, err);
}

static inox_status slice_start(ix_jrender *r, lazy *z, inox_error *err)
{
    ix_jvalue share;
    z->started = true;
    IX_TRY(ix_j_to_list(r, z->call.args[0], &z->list, err));
    /* Python divides first, and fails as a division does. */
    IX_TRY(ix_j_arithmetic(r, IX_J_FLOORDIV, ix_j_int((int64_t)z->list.list->count),
                           z->call.args[1], &share, err));
    return ix_j_index_argument(&z->call, 1, 0, &z->count, err);
}

static inox_status slice_next(ix_jrender *r, ix_jiter *it, ix_jvalue *item, bool *more,
                              inox_error *err)
{
    lazy *z = of(it);
    ix_jvalue fill = z->call.args[2];
    if (!z->started)
        IX_TRY(slice_start(r, z, err));
    *more = z->next < z->count;
    if (!*more)
        return INOX_OK;
    int64_t length = (int64_t)z->list.list->count, each = length / z->count;
    int64_t longer = length % z->count, number = z->next++;
    int64_t start = number * each + (number < longer ? number : longer);
    int64_t end = start + each + (number < longer);
    IX_TRY(ix_j_steps(r, (uint64_t)(end - start) / 4 + 1, err));
    IX_TRY(ix_j_list(r, (size_t)(end - start) + 1, item, err));
    for (int64_t i = start; i < end; i++)
        IX_TRY(ix_j_append(r, *item, z->list.list->items[i], err));
    if (fill.kind == IX_J_MISSING || fill.kind == IX_J_NONE || number < longer)
        return INOX_OK;
    return ix_j_append(r, *item, fill, err);
}

inox_status ix_jf_slice(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    lazy *z;
    return new_lazy(c, slice_next, &z, out, err);
}

static inox_status reverse_next(ix_jrender *r, ix_jiter *it, ix_jvalue *item, bool *more,
                                inox_error *err)
{
    lazy *z = of(it);
    *more = z->count > 0;
    if (*more)
        *item = z->list.list->items[--z->count];
    return ix_j_steps(r, 1, err);
}

static inox_status reverse_string(ix_jcall *c, ix_jstring *s, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    IX_TRY(ix_j_steps(c->r, s->size / 16 + 1, err));
    for (size_t end = s->size; end > 0;) {
        size_t start = ix_js_before(s, end);
        IX_TRY(ix_jb_part(&b, s, start, end, err));
        end = start;
    }
    return ix_jb_finish(&b, s->safe, out, err);
}

inox_status ix_jf_reverse(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0], list;
    lazy *z;
    if (v.kind == IX_J_STRING)
        return reverse_string(c, v.string, out, err);
    if (v.kind != IX_J_UNDEFINED && !ix_j_is_iterable(v))
        return ix_j_fail(err, "FilterArgumentError", "argument must be iterable");
    IX_TRY(ix_j_to_list(c->r, v, &list, err));
    switch (v.kind) {
    case IX_J_LIST:
    case IX_J_TUPLE:
    case IX_J_RANGE:
    case IX_J_DICT:
    case IX_J_VIEW:
    case IX_J_UNDEFINED: break;
    default: /* what Python cannot walk backwards comes as a list */
        for (size_t i = 0, n = list.list->count; i < n / 2; i++) {
            ix_jvalue swapped = list.list->items[i];
            list.list->items[i] = list.list->items[n - 1 - i];
            list.list->items[n - 1 - i] = swapped;
        }
        *out = list;
        return INOX_OK;
    }
    IX_TRY(new_lazy(c, reverse_next, &z, out, err));
    z->base.type = v.kind == IX_J_LIST    ? "list_reverseiterator"
                   : v.kind == IX_J_RANGE ? "range_iterator"
                   : v.kind == IX_J_DICT  ? "dict_reversekeyiterator"
                                          : "reversed";
    z->list = list;
    z->count = (int64_t)list.list->count;
    return INOX_OK;
}

/* ---- unique ---------------------------------------------------------------------------------- */

static inox_status unique_next(ix_jrender *r, ix_jiter *it, ix_jvalue *item, bool *more,
                               inox_error *err)
{
    lazy *z = of(it);
    bool sensitive;
    ix_jvalue key, *found;
    if (!z->started) {
        z->started = true;
        IX_TRY(ix_j_truth_argument(&z->call, 1, false, &sensitive, err));
        IX_TRY(ix_jg_new(r, z->call.args[2], ix_j_missing(), !sensitive, &z->get, err));
        IX_TRY(ix_j_dict(r, 0, &z->seen, err));
        IX_TRY(ix_j_cursor_start(r, z->call.args[0], &z->at, err));
    }
    for (;;) {
        IX_TRY(ix_j_cursor_next(r, &z->at, item, more, err));
        if (!*more)
            return INOX_OK;
        IX_TRY(ix_jg_get(r, &z->get, *item, &key, err));
        IX_TRY(ix_j_dict_get(r, z->seen.dict, key, &found, err));
        if (!found)
            return ix_j_dict_set(r, z->seen, key, ix_j_none(), err);
    }
}

inox_status ix_jf_unique(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    lazy *z;
    return new_lazy(c, unique_next, &z, out, err);
}

/* ---- map ------------------------------------------------------------------------------------- */

/* Takes the name of the filter or test at `position` of the arguments, and what follows it. */
static inox_status take_callee(ix_jrender *r, lazy *z, size_t position, inox_error *err)
{
    const ix_jcall *c = &z->call;
    z->name = c->rest[position];
    z->arg_count = c->rest_count - position;
    IX_TRY(IX_J_ALLOC(r, &z->args, z->arg_count, err));
    memcpy(z->args + 1, c->rest + position + 1, (z->arg_count - 1) * sizeof *z->args);
    return INOX_OK;
}

static inox_status map_start(ix_jrender *r, lazy *z, inox_error *err)
{
    const ix_jcall *c = &z->call;
    ix_jvalue attribute = ix_j_missing(), otherwise = ix_j_missing();
    const ix_jkeyword *unknown = NULL;
    for (size_t i = 0; i < c->keyword_count; i++)
        if (ix_j_is(c->keywords[i].name, "attribute"))
            attribute = c->keywords[i].value;
        else if (ix_j_is(c->keywords[i].name, "default"))
            otherwise = c->keywords[i].value;
        else
            unknown = &c->keywords[i];
    if (c->rest_count == 0 && attribute.kind != IX_J_MISSING) {
        if (unknown)
            return ix_j_fail(err, "FilterArgumentError", "Unexpected keyword argument '%.*s'",
                             (int)unknown->name->size, unknown->name->data);
        z->by_attribute = true;
        return ix_jg_new(r, attribute, otherwise, false, &z->get, err);
    }
    if (c->rest_count == 0)
        return ix_j_fail(err, "FilterArgumentError", "map requires a filter argument");
    return take_callee(r, z, 0, err);
}

/* Begins to walk over the value, unless it is false: *more tells. */
static inox_status begin(ix_jrender *r, lazy *z,
                         inox_status (*start)(ix_jrender *, lazy *, inox_error *), bool *more,
                         inox_error *err)
{
    z->started = true;
    IX_TRY(ix_j_truth(r, z->call.args[0], more, err));
    if (!*more)
        return INOX_OK;
    IX_TRY(start(r, z, err));
    return ix_j_cursor_start(r, z->call.args[0], &z->at, err);
}

static inox_status map_next(ix_jrender *r, ix_jiter *it, ix_jvalue *item, bool *more,
                            inox_error *err)
{
    lazy *z = of(it);
    *more = true;
    if (!z->started)
        IX_TRY(begin(r, z, map_start, more, err));
    if (*more)
        IX_TRY(ix_j_cursor_next(r, &z->at, item, more, err));
    if (!*more)
        return INOX_OK;
    if (z->by_attribute)
        return ix_jg_get(r, &z->get, *item, item, err);
    z->args[0] = *item;
    return ix_j_call_filter(r, z->name, z->args, z->arg_count, z->call.keywords,
                            z->call.keyword_count, item, err);
}

inox_status ix_jf_map(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    lazy *z;
    return new_lazy(c, map_next, &z, out, err);
}

/* ---- select and its like --------------------------------------------------------------------- */

static inox_status select_start(ix_jrender *r, lazy *z, inox_error *err)
{
    size_t position = z->by_attribute;
    if (z->by_attribute) {
        if (z->call.rest_count == 0)
            return ix_j_fail(err, "FilterArgumentError", "Missing parameter for attribute name");
        IX_TRY(ix_jg_new(r, z->call.rest[0], ix_j_missing(), false, &z->get, err));
    }
    return z->call.rest_count > position ? take_callee(r, z, position, err) : INOX_OK;
}

static inox_status select_next(ix_jrender *r, ix_jiter *it, ix_jvalue *item, bool *more,
                               inox_error *err)
{
    lazy *z = of(it);
    ix_jvalue looked_at;
    bool yes;
    *more = true;
    if (!z->started)
        IX_TRY(begin(r, z, select_start, more, err));
    while (*more) {
        IX_TRY(ix_j_cursor_next(r, &z->at, item, more, err));
        if (!*more)
            break;
        IX_TRY(ix_jg_get(r, &z->get, *item, &looked_at, err));
        if (z->arg_count == 0) {
            IX_TRY(ix_j_truth(r, looked_at, &yes, err));
        } else {
            z->args[0] = looked_at;
            IX_TRY(ix_j_call_test(r, z->name, z->args, z->arg_count, z->call.keywords,
                                  z->call.keyword_count, &yes, err));
        }
        if (yes != z->negate)
            return INOX_OK;
    }
    return INOX_OK;
}

static inox_status new_select(ix_jcall *c, bool negate, bool by_attribute, ix_jvalue *out,
                              inox_error *err)
{
    lazy *z;
    IX_TRY(new_lazy(c, select_next, &z, out, err));
    z->negate = negate;
    z->by_attribute = by_attribute;
    return INOX_OK;
}

inox_status ix_jf_select(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return new_select(c, false, false, out, err);
}
inox_status ix_jf_reject(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return new_select(c, true, false, out, err);
}
inox_status ix_jf_selectattr(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return new_select(c, false, true, out, err);
}
inox_status ix_jf_rejectattr(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return new_select(c, true, true, out, err);
}
