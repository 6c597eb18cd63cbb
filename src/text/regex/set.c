/* Sets of characters.  See set.h. */
#include "text/regex/set.h"

#include "text/regex/property.h"

#include <string.h>

/* How many bounds are below c. */
static size_t bounds_below(const ix_char_set *s, uint32_t c)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->bounds[middle] < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool ix_set_has(const ix_char_set *s, uint32_t c)
{
    return bounds_below(s, c + 1) & 1;
}

static inox_status reserve(ix_arena *a, ix_char_set *s, size_t capacity, inox_error *err)
{
    uint32_t *bounds;
    if (capacity <= s->capacity)
        return INOX_OK;
    capacity = capacity * 2 + 6;
    IX_TRY(IX_ARENA(a, &bounds, capacity, err));
    if (s->count > 0)
        memcpy(bounds, s->bounds, s->count * sizeof *bounds);
    s->bounds = bounds;
    s->capacity = capacity;
    return INOX_OK;
}

inox_status ix_set_add(ix_arena *a, ix_char_set *s, uint32_t first, uint32_t last, inox_error *err)
{
    uint32_t end = last + 1;
    size_t i = bounds_below(s, first), j = bounds_below(s, end + 1);
    uint32_t insert[2];
    size_t n = 0;
    if (i % 2 == 0)
        insert[n++] = first;
    if (j % 2 == 0)
        insert[n++] = end;
    IX_TRY(reserve(a, s, s->count + 2, err));
    memmove(s->bounds + i + n, s->bounds + j, (s->count - j) * sizeof *s->bounds);
    memcpy(s->bounds + i, insert, n * sizeof *insert);
    s->count = s->count - (j - i) + n;
    return INOX_OK;
}

static bool joined(bool x, bool y, ix_set_operation op)
{
    switch (op) {
    case IX_SET_AND: return x && y;
    case IX_SET_OR: return x || y;
    case IX_SET_MINUS: return x && !y;
    case IX_SET_XOR: break;
    }
    return x != y;
}

inox_status ix_set_combine(ix_arena *a, ix_char_set *s, const uint32_t *other, size_t count,
                           ix_set_operation op, inox_error *err)
{
    ix_char_set out = { 0 };
    bool in = false;
    IX_TRY(reserve(a, &out, s->count + count, err));
    for (size_t i = 0, j = 0; i < s->count || j < count;) {
        uint32_t at = i < s->count ? s->bounds[i] : other[j];
        if (j < count && other[j] < at)
            at = other[j];
        i += i < s->count && s->bounds[i] == at;
        j += j < count && other[j] == at;
        bool now = joined(i & 1, j & 1, op);
        if (now != in)
            out.bounds[out.count++] = at;
        in = now;
    }
    *s = out;
    return INOX_OK;
}

inox_status ix_set_negate(ix_arena *a, ix_char_set *s, inox_error *err)
{
    static const uint32_t all[2] = { 0, IX_SET_END };
    return ix_set_combine(a, s, all, 2, IX_SET_XOR, err);
}

inox_status ix_set_fold(ix_arena *a, ix_char_set *s, inox_error *err)
{
    ix_char_set others = { 0 };
    size_t at = 0; /* bounds that are not above the row's character: rows ascend */
    for (size_t i = 0; i < ix_regex_fold_count; i++) {
        uint32_t from = ix_regex_folds[i][0], to = ix_regex_folds[i][1];
        while (at < s->count && s->bounds[at] <= from)
            at++;
        if ((at & 1) && !ix_set_has(s, to))
            IX_TRY(ix_set_add(a, &others, to, to, err));
    }
    return ix_set_combine(a, s, others.bounds, others.count, IX_SET_OR, err);
}

bool ix_set_is_single(const ix_char_set *s, uint32_t *c)
{
    if (s->count != 2 || s->bounds[1] != s->bounds[0] + 1 || s->bounds[0] == IX_SET_BAD)
        return false;
    *c = s->bounds[0];
    return true;
}
