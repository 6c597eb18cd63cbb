/* Sorting as Python's list.sort: stable, asking only whether one key is less than another, and for
 * short lists in the same order, so that even keys without an order (NaN) end where Python puts
 * them.  Looking at attributes of items, which decides what is sorted. */
#include "text/jinja/filters.h"

#include <string.h>

/* ---- attributes ------------------------------------------------------------------------------ */

static bool is_digits(const ix_jstring *s, size_t start, size_t end)
{
    size_t n;
    for (size_t i = start; i < end; i += n)
        if (!ix_char_is(ix_js_read(s, i, &n), IX_CHAR_DIGIT))
            return false;
    return start < end;
}

static inox_status string_parts(ix_jrender *r, ix_jstring *s, ix_jgetter *out, inox_error *err)
{
    size_t count = 1, start = 0;
    bool ok;
    for (size_t i = 0; i < s->size; i++)
        count += s->data[i] == '.';
    IX_TRY(ix_j_steps(r, s->size / 16 + count, err));
    IX_TRY(IX_J_ALLOC(r, &out->parts, count, err));
    for (size_t i = 0; i <= s->size; i++) {
        if (i < s->size && s->data[i] != '.')
            continue;
        ix_jvalue *part = &out->parts[out->count++];
        IX_TRY(ix_j_slice(r, s, start, i, part, err));
        if (is_digits(s, start, i)) {
            IX_TRY(ix_js_parse_int(r, part->string, 10, part, &ok, err));
            if (!ok)
                return ix_j_fail(err, "ValueError", "invalid literal for int() with base 10");
        }
        start = i + 1;
    }
    return INOX_OK;
}

inox_status ix_jg_new(ix_jrender *r, ix_jvalue attribute, ix_jvalue otherwise, bool fold,
                      ix_jgetter *out, inox_error *err)
{
    *out = (ix_jgetter){ .otherwise = otherwise, .fold = fold };
    if (otherwise.kind == IX_J_NONE)
        out->otherwise = ix_j_missing();
    if (attribute.kind == IX_J_MISSING || attribute.kind == IX_J_NONE)
        return INOX_OK;
    if (attribute.kind == IX_J_STRING)
        return string_parts(r, attribute.string, out, err);
    IX_TRY(IX_J_ALLOC(r, &out->parts, 1, err));
    out->parts[out->count++] = attribute;
    return INOX_OK;
}

inox_status ix_jg_get(ix_jrender *r, const ix_jgetter *g, ix_jvalue item, ix_jvalue *out,
                      inox_error *err)
{
    for (size_t i = 0; i < g->count; i++) {
        IX_TRY(ix_j_getitem(r, item, g->parts[i], &item, err));
        if (item.kind == IX_J_UNDEFINED && g->otherwise.kind != IX_J_MISSING)
            item = g->otherwise;
    }
    *out = item;
    if (g->fold && item.kind == IX_J_STRING)
        return ix_js_case(r, item.string, IX_J_LOWER_CASE, item.string->safe, out, err);
    return INOX_OK;
}

/* ---- sorting --------------------------------------------------------------------------------- */

typedef struct sorting {
    ix_jrender *r;
    ix_jless less;
    ix_jvalue *keys, *values;
} sorting;

static inox_status usual_less(ix_jrender *r, ix_jvalue a, ix_jvalue b, bool *out, inox_error *err)
{
    return ix_j_compare(r, IX_J_LT, a, b, out, err);
}

static inox_status less(sorting *s, ix_jvalue a, ix_jvalue b, bool *out, inox_error *err)
{
    IX_TRY(ix_j_steps(s->r, 1, err));
    return s->less(s->r, a, b, out, err);
}

static void reverse(ix_jvalue *v, size_t from, size_t to)
{
    while (from + 1 < to) {
        ix_jvalue swapped = v[from];
        v[from++] = v[--to];
        v[to] = swapped;
    }
}

/* The end of the run that begins at `from`; one that descends strictly is turned around. */
static inox_status natural_run(sorting *s, size_t from, size_t to, size_t *end, inox_error *err)
{
    bool down, descending;
    *end = from + 1;
    if (*end >= to)
        return INOX_OK;
    IX_TRY(less(s, s->keys[*end], s->keys[from], &descending, err));
    for (++*end; *end < to; ++*end) {
        IX_TRY(less(s, s->keys[*end], s->keys[*end - 1], &down, err));
        if (down != descending)
            break;
    }
    if (descending) {
        reverse(s->keys, from, *end);
        reverse(s->values, from, *end);
    }
    return INOX_OK;
}

/* Sorts [from, to), of which [from, sorted) is sorted, by binary insertion. */
static inox_status insert_rest(sorting *s, size_t from, size_t to, size_t sorted, inox_error *err)
{
    for (; sorted < to; sorted++) {
        ix_jvalue key = s->keys[sorted], value = s->values[sorted];
        size_t low = from, high = sorted;
        bool before;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            IX_TRY(less(s, key, s->keys[middle], &before, err));
            if (before)
                high = middle;
            else
                low = middle + 1;
        }
        size_t moved = (sorted - low) * sizeof key;
        memmove(s->keys + low + 1, s->keys + low, moved);
        memmove(s->values + low + 1, s->values + low, moved);
        s->keys[low] = key;
        s->values[low] = value;
    }
    return INOX_OK;
}

/* Merges [a, b) and [b, c), through copies of the first. */
static inox_status merge(sorting *s, ix_jvalue *keys, ix_jvalue *values, size_t a, size_t b,
                         size_t c, inox_error *err)
{
    size_t n = b - a, i = 0, out = a;
    bool second;
    memcpy(keys, s->keys + a, n * sizeof *keys);
    memcpy(values, s->values + a, n * sizeof *values);
    while (i < n && b < c) {
        IX_TRY(less(s, s->keys[b], keys[i], &second, err));
        s->keys[out] = second ? s->keys[b] : keys[i];
        s->values[out++] = second ? s->values[b] : values[i];
        b += second;
        i += !second;
    }
    memcpy(s->keys + out, keys + i, (n - i) * sizeof *keys);
    memcpy(s->values + out, values + i, (n - i) * sizeof *values);
    return INOX_OK;
}

enum { SHORT_RUN = 63 }; /* CPython sorts fewer than 64 by insertion alone */

inox_status ix_j_sort(ix_jrender *r, ix_jvalue *keys, ix_jvalue *values, size_t count,
                      bool backwards, ix_jless less_than, inox_error *err)
{
    sorting s = { r, less_than ? less_than : usual_less, keys, values };
    ix_jvalue *other_keys, *other_values;
    if (count < 2)
        return INOX_OK;
    if (backwards) { /* reversed before and after, so that equal ones keep their order */
        reverse(keys, 0, count);
        reverse(values, 0, count);
    }
    for (size_t at = 0, end, sorted; at < count; at = end) {
        end = count - at < SHORT_RUN ? count : at + SHORT_RUN;
        IX_TRY(natural_run(&s, at, end, &sorted, err));
        IX_TRY(insert_rest(&s, at, end, sorted, err));
    }
    if (count > SHORT_RUN) {
        IX_TRY(IX_J_ALLOC(r, &other_keys, count, err));
        IX_TRY(IX_J_ALLOC(r, &other_values, count, err));
        for (size_t width = SHORT_RUN; width < count; width *= 2)
            for (size_t a = 0; a + width < count; a += 2 * width) {
                size_t c = count - a < 2 * width ? count : a + 2 * width;
                IX_TRY(merge(&s, other_keys, other_values, a, a + width, c, err));
            }
    }
    if (backwards) {
        reverse(keys, 0, count);
        reverse(values, 0, count);
    }
    return INOX_OK;
}
