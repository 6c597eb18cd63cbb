/* Filters over sequences that give a value or a list at once; lazy ones are in filters_lazy.c. */
#include "text/jinja/filters.h"

inox_status ix_jf_list(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ix_j_to_list(c->r, c->args[0], out, err);
}

/* ---- join ------------------------------------------------------------------------------------ */

/* With autoescape: Markup among the items or as the separator makes Markup of all. */
static inox_status join_escaped(ix_jcall *c, ix_jvalue d, ix_jvalue list, ix_jvalue *out,
                                inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    bool safe = d.kind == IX_J_STRING && d.string->safe;
    for (size_t i = 0; i < list.list->count && !safe; i++) {
        ix_jvalue v = list.list->items[i];
        safe = v.kind == IX_J_STRING && v.string->safe;
    }
    for (size_t i = 0; i < list.list->count; i++) {
        if (i > 0 && safe)
            IX_TRY(ix_jb_escape(&b, d, err));
        else if (i > 0)
            IX_TRY(ix_jb_str(&b, d, err));
        if (safe)
            IX_TRY(ix_jb_escape(&b, list.list->items[i], err));
        else
            IX_TRY(ix_jb_str(&b, list.list->items[i], err));
    }
    return ix_jb_finish(&b, safe, out, err);
}

inox_status ix_jf_join(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    ix_jgetter g;
    ix_jcursor at;
    ix_jvalue item, d = c->args[1], list, separator;
    bool more;
    IX_TRY(ix_jg_new(c->r, c->args[2], ix_j_missing(), false, &g, err));
    if (!ix_j_given(c, 1))
        IX_TRY(ix_j_string_view(c->r, "", 0, &d, err));
    IX_TRY(ix_j_list(c->r, 0, &list, err));
    IX_TRY(ix_j_str(c->r, d, &separator, err));
    IX_TRY(ix_j_cursor_start(c->r, c->args[0], &at, err));
    for (size_t i = 0;; i++) {
        IX_TRY(ix_j_cursor_next(c->r, &at, &item, &more, err));
        if (!more)
            break;
        IX_TRY(ix_jg_get(c->r, &g, item, &item, err));
        if (c->autoescape) {
            IX_TRY(ix_j_append(c->r, list, item, err));
            continue;
        }
        if (i > 0)
            IX_TRY(ix_jb_string(&b, separator.string, err));
        IX_TRY(ix_jb_str(&b, item, err));
    }
    return c->autoescape ? join_escaped(c, d, list, out, err) : ix_jb_finish(&b, false, out, err);
}

/* ---- min, max, sum --------------------------------------------------------------------------- */

static inox_status extreme(ix_jcall *c, ix_jorder better, ix_jvalue *out, inox_error *err)
{
    ix_jgetter g;
    ix_jcursor at;
    ix_jvalue item, key, best_key = ix_j_none();
    bool more, sensitive, take;
    IX_TRY(ix_j_truth_argument(c, 1, false, &sensitive, err));
    IX_TRY(ix_j_cursor_start(c->r, c->args[0], &at, err));
    IX_TRY(ix_jg_new(c->r, c->args[2], ix_j_missing(), !sensitive, &g, err));
    for (size_t i = 0;; i++) {
        IX_TRY(ix_j_cursor_next(c->r, &at, &item, &more, err));
        if (!more)
            return i > 0 ? INOX_OK
                         : ix_j_undefined_hint(c->r, "No aggregated item, sequence was empty.", out,
                                               err);
        IX_TRY(ix_jg_get(c->r, &g, item, &key, err));
        take = i == 0;
        if (!take)
            IX_TRY(ix_j_compare(c->r, better, key, best_key, &take, err));
        if (take) {
            best_key = key;
            *out = item;
        }
    }
}

inox_status ix_jf_max(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return extreme(c, IX_J_GT, out, err);
}
inox_status ix_jf_min(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return extreme(c, IX_J_LT, out, err);
}

inox_status ix_jf_sum(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jgetter g;
    ix_jcursor at;
    ix_jvalue item, total = ix_j_given(c, 2) ? c->args[2] : ix_j_int(0);
    bool more;
    IX_TRY(ix_jg_new(c->r, c->args[1], ix_j_missing(), false, &g, err));
    IX_TRY(ix_j_cursor_start(c->r, c->args[0], &at, err));
    if (total.kind == IX_J_STRING)
        return ix_j_fail(err, "TypeError", "sum() can't sum strings [use ''.join(seq) instead]");
    for (;;) {
        IX_TRY(ix_j_cursor_next(c->r, &at, &item, &more, err));
        if (!more)
            break;
        IX_TRY(ix_jg_get(c->r, &g, item, &item, err));
        IX_TRY(ix_j_arithmetic(c->r, IX_J_ADD, total, item, &total, err));
    }
    *out = total;
    return INOX_OK;
}

/* ---- sort, dictsort, groupby ----------------------------------------------------------------- */

/* The attributes "a,b.c" as getters. */
static inox_status getters(ix_jcall *c, ix_jvalue attribute, bool fold, ix_jgetter **out,
                           size_t *count, inox_error *err)
{
    ix_jvalue part;
    *count = 0;
    if (attribute.kind != IX_J_STRING) {
        IX_TRY(IX_J_ALLOC(c->r, out, 1, err));
        return ix_jg_new(c->r, attribute, ix_j_missing(), fold, &(*out)[(*count)++], err);
    }
    ix_jstring *s = attribute.string;
    size_t n = 1, start = 0;
    for (size_t i = 0; i < s->size; i++)
        n += s->data[i] == ',';
    IX_TRY(IX_J_ALLOC(c->r, out, n, err));
    for (size_t i = 0; i <= s->size; i++)
        if (i == s->size || s->data[i] == ',') {
            IX_TRY(ix_j_slice(c->r, s, start, i, &part, err));
            IX_TRY(ix_jg_new(c->r, part, ix_j_missing(), fold, &(*out)[(*count)++], err));
            start = i + 1;
        }
    return INOX_OK;
}

/* jinja2 sorts by lists of keys, and lists pass over items that are equal without asking which is
 * less (none, for one).  Keys of which some are no numbers and no strings become such lists. */
static inox_status wrap_keys(ix_jcall *c, ix_jvalue *keys, size_t count, inox_error *err)
{
    bool plain = true;
    for (size_t i = 0; i < count; i++)
        plain = plain && (ix_j_is_number(keys[i]) || keys[i].kind == IX_J_STRING);
    for (size_t i = 0; i < count && !plain; i++) {
        ix_jvalue key = keys[i];
        IX_TRY(ix_j_list(c->r, 1, &keys[i], err));
        IX_TRY(ix_j_append(c->r, keys[i], key, err));
    }
    return INOX_OK;
}

/* The argument `reverse` of sorted(), which is a C int. */
static inox_status reverse_argument(const ix_jcall *c, int i, bool *out, inox_error *err)
{
    int64_t n;

    IX_TRY(ix_j_index_argument(c, i, 0, &n, err));
    if (n < INT32_MIN || n > INT32_MAX)
        return ix_j_fail(err, "OverflowError", "Python int too large to convert to C int");
    *out = n != 0;
    return INOX_OK;
}

inox_status ix_jf_sort(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jgetter *get;
    ix_jvalue *keys;
    size_t parts;
    bool backwards = false;
    bool sensitive;
    IX_TRY(reverse_argument(c, 1, &backwards, err));
    IX_TRY(ix_j_truth_argument(c, 2, false, &sensitive, err));
    IX_TRY(getters(c, c->args[3], !sensitive, &get, &parts, err));
    IX_TRY(ix_j_to_list(c->r, c->args[0], out, err));
    size_t count = out->list->count;
    IX_TRY(ix_j_steps(c->r, count * parts, err));
    IX_TRY(IX_J_ALLOC(c->r, &keys, count, err));
    for (size_t i = 0; i < count; i++) {
        if (parts == 1) {
            IX_TRY(ix_jg_get(c->r, get, out->list->items[i], &keys[i], err));
            continue;
        }
        IX_TRY(ix_j_list(c->r, parts, &keys[i], err));
        for (size_t k = 0; k < parts; k++) {
            ix_jvalue key;
            IX_TRY(ix_jg_get(c->r, &get[k], out->list->items[i], &key, err));
            IX_TRY(ix_j_append(c->r, keys[i], key, err));
        }
    }
    if (parts == 1)
        IX_TRY(wrap_keys(c, keys, count, err));
    return ix_j_sort(c->r, keys, out->list->items, count, backwards, NULL, err);
}

inox_status ix_jf_dictsort(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0], *keys;
    bool sensitive;
    bool backwards = false;
    int by = 0;
    IX_TRY(ix_j_truth_argument(c, 1, false, &sensitive, err));
    if (ix_j_given(c, 2)) {
        by = -1;
        if (c->args[2].kind == IX_J_STRING)
            by = ix_j_is(c->args[2].string, "key")     ? 0
                 : ix_j_is(c->args[2].string, "value") ? 1
                                                       : -1;
    }
    if (by < 0)
        return ix_j_fail(err, "FilterArgumentError",
                         "You can only sort by either \"key\" or \"value\"");
    if (v.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(c->r, v, err);
    if (v.kind != IX_J_DICT)
        return ix_j_fail(err, "AttributeError", "'%s' object has no attribute 'items'",
                         ix_j_type_name(v));
    const ix_jdict *d = v.dict;
    IX_TRY(reverse_argument(c, 3, &backwards, err));
    IX_TRY(ix_j_steps(c->r, d->count, err));
    IX_TRY(ix_j_list(c->r, d->count, out, err));
    IX_TRY(IX_J_ALLOC(c->r, &keys, d->count, err));
    for (size_t i = 0; i < d->count; i++) {
        ix_jvalue pair, key = by == 0 ? d->pairs[i].key : d->pairs[i].value;
        IX_TRY(ix_j_tuple(c->r, 2, &pair, err));
        IX_TRY(ix_j_append(c->r, pair, d->pairs[i].key, err));
        IX_TRY(ix_j_append(c->r, pair, d->pairs[i].value, err));
        IX_TRY(ix_j_append(c->r, *out, pair, err));
        keys[i] = key;
        if (!sensitive && key.kind == IX_J_STRING)
            IX_TRY(ix_js_case(c->r, key.string, IX_J_LOWER_CASE, false, &keys[i], err));
    }
    return ix_j_sort(c->r, keys, out->list->items, d->count, backwards, NULL, err);
}

/* (grouper, list) of the items [from, to), which have the same key. */
static inox_status add_group(ix_jcall *c, const ix_jgetter *shown, ix_jvalue key,
                             const ix_jvalue *items, size_t from, size_t to, bool sensitive,
                             ix_jvalue out, inox_error *err)
{
    static const char *const names[] = { "grouper", "list", NULL };
    ix_jvalue group, list;
    if (!sensitive) /* as the first one spells it */
        IX_TRY(ix_jg_get(c->r, shown, items[from], &key, err));
    IX_TRY(ix_j_list(c->r, to - from, &list, err));
    for (size_t i = from; i < to; i++)
        IX_TRY(ix_j_append(c->r, list, items[i], err));
    IX_TRY(ix_j_tuple(c->r, 2, &group, err));
    group.list->names = names;
    IX_TRY(ix_j_append(c->r, group, key, err));
    IX_TRY(ix_j_append(c->r, group, list, err));
    return ix_j_append(c->r, out, group, err);
}

inox_status ix_jf_groupby(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jgetter get, shown;
    ix_jvalue list, *keys;
    bool sensitive, same = true;
    IX_TRY(ix_j_truth_argument(c, 3, false, &sensitive, err));
    IX_TRY(ix_jg_new(c->r, c->args[1], c->args[2], !sensitive, &get, err));
    shown = get;
    shown.fold = false;
    IX_TRY(ix_j_to_list(c->r, c->args[0], &list, err));
    size_t count = list.list->count, from = 0;
    IX_TRY(ix_j_steps(c->r, count * 2, err));
    IX_TRY(IX_J_ALLOC(c->r, &keys, count, err));
    for (size_t i = 0; i < count; i++)
        IX_TRY(ix_jg_get(c->r, &get, list.list->items[i], &keys[i], err));
    IX_TRY(ix_j_sort(c->r, keys, list.list->items, count, false, NULL, err));
    IX_TRY(ix_j_list(c->r, 0, out, err));
    for (size_t i = 1; i <= count; i++) {
        if (i < count) {
            same = ix_j_is_same(keys[from], keys[i]);
            if (!same)
                IX_TRY(ix_j_equal(c->r, keys[from], keys[i], &same, err));
        }
        if (i == count || !same) {
            IX_TRY(
                add_group(c, &shown, keys[from], list.list->items, from, i, sensitive, *out, err));
            from = i;
        }
    }
    return INOX_OK;
}
