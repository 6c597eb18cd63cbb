/* Lists, tuples, dicts, ranges, views, and walking over them.
 *
 * A dict keeps its pairs in order:
 *
 *     pairs:  [k0 v0] [k1 v1] [k2 v2] ...     up to IX_J_INDEX_FROM are searched one by one
 *     index:  0 2 0 0 1 3 0 0                 beyond: pair number + 1, open addressing
 *
 * Invariant: no key is more than PROBES_MAX places from where its hash points (keys made to collide
 * are refused), so that a lookup is bounded.
 */
#include "text/jinja/render.h"

#include <string.h>

#define PROBES_MAX 256

/* ---- lists ----------------------------------------------------------------------------------- */

static inox_status make_list(ix_jrender *r, ix_jkind kind, size_t capacity, ix_jvalue *out,
                             inox_error *err)
{
    ix_jlist *list;

    IX_TRY(IX_J_ALLOC(r, &list, 1, err));
    IX_TRY(IX_J_ALLOC(r, &list->items, capacity, err));
    list->capacity = capacity;
    *out = (ix_jvalue){ .kind = kind, .list = list };
    return INOX_OK;
}

inox_status ix_j_list(ix_jrender *r, size_t capacity, ix_jvalue *out, inox_error *err)
{
    return make_list(r, IX_J_LIST, capacity, out, err);
}

inox_status ix_j_tuple(ix_jrender *r, size_t capacity, ix_jvalue *out, inox_error *err)
{
    return make_list(r, IX_J_TUPLE, capacity, out, err);
}

inox_status ix_j_append(ix_jrender *r, ix_jvalue value, ix_jvalue item, inox_error *err)
{
    ix_jlist *list = value.list;

    if (list->count == list->capacity) {
        size_t capacity = list->capacity < 4 ? 8 : list->capacity * 2;
        ix_jvalue *items;

        IX_TRY(IX_J_ALLOC(r, &items, capacity, err));
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    return INOX_OK;
}

/* ---- dicts ----------------------------------------------------------------------------------- */

static inox_status reserve_pairs(ix_jrender *r, ix_jdict *d, size_t capacity, inox_error *err)
{
    ix_jpair *pairs;

    if (capacity > UINT32_MAX / 4)
        return ix_fail(err, INOX_E_LIMIT, "a dict of more than %u keys", UINT32_MAX / 4);
    IX_TRY(IX_J_ALLOC(r, &pairs, capacity, err));
    if (d->count > 0)
        memcpy(pairs, d->pairs, d->count * sizeof *pairs);
    d->pairs = pairs;
    d->capacity = capacity;
    return INOX_OK;
}

inox_status ix_j_dict(ix_jrender *r, size_t capacity, ix_jvalue *out, inox_error *err)
{
    ix_jdict *d;

    IX_TRY(IX_J_ALLOC(r, &d, 1, err));
    *out = (ix_jvalue){ .kind = IX_J_DICT, .dict = d };
    return capacity == 0 ? INOX_OK : reserve_pairs(r, d, capacity, err);
}

static uint32_t slot_of(const ix_jdict *d, uint32_t hash)
{
    return (hash * 0x9E3779B1u >> 7) & d->mask;
}

static inox_status index_pair(ix_jdict *d, uint32_t number, inox_error *err)
{
    uint32_t at = slot_of(d, d->pairs[number].hash);

    for (int probes = 0; d->index[at] != 0; probes++) {
        if (probes == PROBES_MAX)
            return ix_fail(err, INOX_E_LIMIT, "a dict of %zu keys of which more than %d collide",
                           d->count, PROBES_MAX);
        at = (at + 1) & d->mask;
    }
    d->index[at] = number + 1;
    return INOX_OK;
}

static inox_status index_all(ix_jrender *r, ix_jdict *d, inox_error *err)
{
    uint32_t slots = 32;

    while (slots < d->capacity * 2)
        slots *= 2;
    IX_TRY(IX_J_ALLOC(r, &d->index, slots, err));
    d->mask = slots - 1;
    for (uint32_t i = 0; i < d->count; i++)
        IX_TRY(index_pair(d, i, err));
    return INOX_OK;
}

static inline bool same_string(const ix_jpair *pair, uint32_t hash, const ix_jstring *key)
{
    return pair->hash == hash && pair->key.kind == IX_J_STRING &&
           (pair->key.string == key || ix_j_same_text(pair->key.string, key));
}

ix_jpair *ix_j_dict_find_pair(const ix_jdict *d, ix_jstring *key)
{
    uint32_t hash = ix_j_string_hash(key);

    if (!d->index) {
        for (size_t i = 0; i < d->count; i++)
            if (same_string(&d->pairs[i], hash, key))
                return &d->pairs[i];
        return NULL;
    }
    for (uint32_t at = slot_of(d, hash); d->index[at] != 0; at = (at + 1) & d->mask)
        if (same_string(&d->pairs[d->index[at] - 1], hash, key))
            return &d->pairs[d->index[at] - 1];
    return NULL;
}

ix_jvalue *ix_j_dict_find(const ix_jdict *d, ix_jstring *key)
{
    ix_jpair *pair = ix_j_dict_find_pair(d, key);

    return pair ? &pair->value : NULL;
}

ix_jvalue *ix_j_dict_find_text(const ix_jdict *d, const char *key)
{
    ix_jstring s = { .data = key, .size = (uint32_t)strlen(key) };

    return ix_j_dict_find(d, &s);
}

static inox_status same_key(ix_jrender *r, const ix_jpair *pair, uint32_t hash, ix_jvalue key,
                            bool *same, inox_error *err)
{
    *same = false;
    if (pair->hash != hash)
        return INOX_OK;
    return ix_j_equal(r, pair->key, key, same, err);
}

static inox_status find_pair(ix_jrender *r, const ix_jdict *d, ix_jvalue key, uint32_t hash,
                             ix_jpair **found, inox_error *err)
{
    bool same = false;

    *found = NULL;
    if (!d->index) {
        for (size_t i = 0; i < d->count; i++) {
            IX_TRY(same_key(r, &d->pairs[i], hash, key, &same, err));
            if (same) {
                *found = &d->pairs[i];
                return INOX_OK;
            }
        }
        return INOX_OK;
    }
    for (uint32_t at = slot_of(d, hash); d->index[at] != 0; at = (at + 1) & d->mask) {
        ix_jpair *pair = &d->pairs[d->index[at] - 1];

        IX_TRY(same_key(r, pair, hash, key, &same, err));
        if (same) {
            *found = pair;
            return INOX_OK;
        }
    }
    return INOX_OK;
}

inox_status ix_j_dict_get(ix_jrender *r, const ix_jdict *d, ix_jvalue key, ix_jvalue **found,
                          inox_error *err)
{
    uint32_t hash;
    ix_jpair *pair;

    *found = NULL;
    if (key.kind == IX_J_STRING) {
        *found = ix_j_dict_find(d, key.string);
        return INOX_OK;
    }
    IX_TRY(ix_j_hash(r, key, &hash, err));
    IX_TRY(find_pair(r, d, key, hash, &pair, err));
    if (pair)
        *found = &pair->value;
    return INOX_OK;
}

inox_status ix_j_dict_set(ix_jrender *r, ix_jvalue dict, ix_jvalue key, ix_jvalue value,
                          inox_error *err)
{
    ix_jdict *d = dict.dict;
    uint32_t hash;
    ix_jpair *pair;

    IX_TRY(ix_j_hash(r, key, &hash, err));
    IX_TRY(find_pair(r, d, key, hash, &pair, err));
    if (pair) {
        pair->value = value;
        return INOX_OK;
    }
    if (d->count == d->capacity) {
        IX_TRY(reserve_pairs(r, d, d->capacity < 4 ? 4 : d->capacity * 2, err));
        d->index = NULL;
    }
    d->pairs[d->count] = (ix_jpair){ key, value, hash };
    d->count++;
    if (d->count <= IX_J_INDEX_FROM)
        return INOX_OK;
    return d->index ? index_pair(d, (uint32_t)d->count - 1, err) : index_all(r, d, err);
}

bool ix_j_put_again(ix_jpair *pairs, const ix_jpair *end, const ix_jvalue *key_value)
{
    ix_jstring *key = key_value->string;

    while (pairs < end && !same_string(pairs, key->hash, key))
        pairs++;
    if (pairs == end)
        return false;
    ix_j_put(&pairs->value, &key_value[1]);
    return true;
}

inox_status ix_j_dict_of_many(ix_jrender *r, const ix_jvalue *keys_values, size_t count,
                              ix_jvalue *out, inox_error *err)
{
    ix_jvalue dict;

    IX_TRY(ix_j_dict(r, count, &dict, err));
    for (size_t i = 0; i < 2 * count; i += 2)
        IX_TRY(ix_j_dict_set(r, dict, keys_values[i], keys_values[i + 1], err));
    *out = dict;
    return INOX_OK;
}

/* ---- ranges, views --------------------------------------------------------------------------- */

inox_status ix_j_range(ix_jrender *r, int64_t start, int64_t stop, int64_t step, ix_jvalue *out,
                       inox_error *err)
{
    ix_jrange *range;
    uint64_t distance = 0, stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;

    if (step == 0)
        return ix_j_fail(err, "ValueError", "range() arg 3 must not be zero");
    if (step > 0 && start < stop)
        distance = (uint64_t)stop - (uint64_t)start;
    else if (step < 0 && start > stop)
        distance = (uint64_t)start - (uint64_t)stop;
    uint64_t count = distance / stride + (distance % stride != 0);
    IX_TRY(IX_J_ALLOC(r, &range, 1, err));
    *range = (ix_jrange){ start, stop, step, count > INT64_MAX ? INT64_MAX : (int64_t)count };
    *out = (ix_jvalue){ .kind = IX_J_RANGE, .range = range };
    return INOX_OK;
}

inox_status ix_j_view(ix_jrender *r, ix_jdict *d, ix_jview_kind what, ix_jvalue *out,
                      inox_error *err)
{
    ix_jview *view;

    IX_TRY(IX_J_ALLOC(r, &view, 1, err));
    *view = (ix_jview){ d, what };
    *out = (ix_jvalue){ .kind = IX_J_VIEW, .view = view };
    return INOX_OK;
}

/* ---- walking --------------------------------------------------------------------------------- */

bool ix_j_is_iterable(ix_jvalue v)
{
    switch (v.kind) {
    case IX_J_STRING:
    case IX_J_LIST:
    case IX_J_TUPLE:
    case IX_J_DICT:
    case IX_J_RANGE:
    case IX_J_VIEW:
    case IX_J_ITERATOR:
    case IX_J_UNDEFINED: return true;
    default: return false;
    }
}

inox_status ix_j_cursor_start(ix_jrender *r, ix_jvalue v, ix_jcursor *c, inox_error *err)
{
    (void)r;
    *c = (ix_jcursor){ .over = v };
    if (!ix_j_is_iterable(v))
        return ix_j_fail(err, "TypeError", "'%s' object is not iterable", ix_j_type_name(v));
    return INOX_OK;
}

static inox_status next_character(ix_jrender *r, ix_jcursor *c, ix_jvalue *item, inox_error *err)
{
    ix_jstring *s = c->over.string;
    size_t end = c->byte + 1;

    while (end < s->size && ((unsigned char)s->data[end] & 0xC0) == 0x80)
        end++;
    IX_TRY(ix_j_make_string(r, s->data + c->byte, end - c->byte,
                            ix_j_is_user(s, c->byte) ? IX_J_USER : IX_J_TEMPLATE, item, err));
    item->string->length = 1;
    c->byte = end;
    return INOX_OK;
}

static inox_status pair_item(ix_jrender *r, const ix_jpair *pair, ix_jview_kind what,
                             ix_jvalue *item, inox_error *err)
{
    if (what != IX_J_ITEMS) {
        *item = what == IX_J_KEYS ? pair->key : pair->value;
        return INOX_OK;
    }
    IX_TRY(ix_j_tuple(r, 2, item, err));
    item->list->items[0] = pair->key;
    item->list->items[1] = pair->value;
    item->list->count = 2;
    return INOX_OK;
}

inox_status ix_j_cursor_next(ix_jrender *r, ix_jcursor *c, ix_jvalue *item, bool *more,
                             inox_error *err)
{
    size_t at = c->at++;

    IX_TRY(ix_j_step(r, err));
    *more = false;
    switch (c->over.kind) {
    case IX_J_STRING:
        *more = c->byte < c->over.string->size;
        return *more ? next_character(r, c, item, err) : INOX_OK;
    case IX_J_LIST:
    case IX_J_TUPLE:
        *more = at < c->over.list->count;
        if (*more)
            *item = c->over.list->items[at];
        return INOX_OK;
    case IX_J_DICT:
        *more = at < c->over.dict->count;
        if (*more)
            *item = c->over.dict->pairs[at].key;
        return INOX_OK;
    case IX_J_RANGE:
        *more = (int64_t)at < c->over.range->count;
        if (*more)
            *item = ix_j_int(c->over.range->start + (int64_t)at * c->over.range->step);
        return INOX_OK;
    case IX_J_VIEW:
        *more = at < c->over.view->dict->count;
        return *more ? pair_item(r, &c->over.view->dict->pairs[at], c->over.view->what, item, err)
                     : INOX_OK;
    case IX_J_ITERATOR:
        if (c->over.iter->done)
            return INOX_OK;
        IX_TRY(c->over.iter->next(r, c->over.iter, item, more, err));
        c->over.iter->done = !*more;
        return INOX_OK;
    default: return INOX_OK; /* undefined: nothing */
    }
}

static inox_status collect(ix_jrender *r, ix_jkind kind, ix_jvalue v, ix_jvalue *out,
                           inox_error *err)
{
    ix_jcursor c;
    ix_jvalue item;
    bool more = true;

    IX_TRY(ix_j_cursor_start(r, v, &c, err));
    if (v.kind == IX_J_LIST || v.kind == IX_J_TUPLE) {
        IX_TRY(ix_j_steps(r, v.list->count / 8, err));
        IX_TRY(make_list(r, kind, v.list->count, out, err));
        if (v.list->count > 0)
            memcpy(out->list->items, v.list->items, v.list->count * sizeof(ix_jvalue));
        out->list->count = v.list->count;
        return INOX_OK;
    }
    IX_TRY(make_list(r, kind, 0, out, err));
    for (;;) {
        IX_TRY(ix_j_cursor_next(r, &c, &item, &more, err));
        if (!more)
            return INOX_OK;
        IX_TRY(ix_j_append(r, *out, item, err));
    }
}

inox_status ix_j_to_list(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    return collect(r, IX_J_LIST, v, out, err);
}

inox_status ix_j_to_tuple(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    return collect(r, IX_J_TUPLE, v, out, err);
}
