/* Normalization forms, with the ranges that Hugging Face's tokenizers give.  See normal.h.
 *
 * A form works on segments: a segment begins at a character that nothing before it can change or
 * absorb, and ends before the next such character.  Only segments that hold something else are
 * decomposed, sorted and composed, and only where that changes them anything is written.
 *
 * The library's normalization (the crate unicode-normalization-alignments) is a stream of
 * characters, each with a number: 0 replaces one character of the old text, 1 is added, -n replaces
 * one and takes away n behind it.  A character that replaces or takes away has the range of the
 * first old character that it replaces, one that is added that of the old character before.  So
 * ranges follow the order of the new text, whatever moved.
 */
#include "text/normal.h"

#include "base/alloc.h"
#include "text/load.h"

#include <string.h>

enum {
    L_BASE = 0x1100,
    V_BASE = 0x1161,
    T_BASE = 0x11A7,
    S_BASE = 0xAC00,
    L_COUNT = 19,
    V_COUNT = 21,
    T_COUNT = 28,
    S_COUNT = L_COUNT * V_COUNT * T_COUNT,
};

/* ---- mappings ------------------------------------------------------------------------------ */

static const uint32_t *mappings(uint32_t c)
{
    if (c > 0x10FFFF)
        return ix_normal_pool;
    return ix_normal_pool + ix_normal_place_blocks[ix_normal_place_index[c >> 7]][c & 127];
}

static size_t canonical_count(uint32_t counts)
{
    return counts & 31;
}

static size_t compatible_count(uint32_t counts) /* of its own */
{
    return (counts >> 5 & 31) == 31 ? 0 : counts >> 5 & 31;
}

size_t ix_normal_lower(uint32_t c, const uint32_t **to)
{
    const uint32_t *m = mappings(c);
    *to = m + 1 + canonical_count(*m) + compatible_count(*m);
    return *m >> 10 & 3;
}

size_t ix_normal_decompose(uint32_t c, uint32_t to[IX_NORMAL_DECOMPOSED])
{
    if (c - S_BASE < S_COUNT) {
        uint32_t s = c - S_BASE, t = s % T_COUNT;
        to[0] = L_BASE + s / (V_COUNT * T_COUNT);
        to[1] = V_BASE + s % (V_COUNT * T_COUNT) / T_COUNT;
        to[2] = T_BASE + t;
        return t ? 3 : 2;
    }
    const uint32_t *m = mappings(c);
    size_t n = canonical_count(*m);
    to[0] = c;
    for (size_t i = 0; i < n && i < IX_NORMAL_DECOMPOSED; i++)
        to[i] = m[1 + i];
    return n ? n : 1;
}

/* The composition of two characters, or 0. */
static uint32_t composition(uint32_t first, uint32_t second)
{
    if (first - L_BASE < L_COUNT && second - V_BASE < V_COUNT)
        return S_BASE + ((first - L_BASE) * V_COUNT + (second - V_BASE)) * T_COUNT;
    if (first - S_BASE < S_COUNT && (first - S_BASE) % T_COUNT == 0 &&
        second - T_BASE - 1 < T_COUNT - 1)
        return first + (second - T_BASE);
    const uint32_t *m = mappings(first);
    const uint32_t *pair = m + 1 + canonical_count(*m) + compatible_count(*m) + (*m >> 10 & 3);
    for (size_t n = *m >> 12 & 255; n > 0; n--, pair += 2)
        if (pair[0] == second)
            return pair[1];
    return 0;
}

/* ---- a text being edited ------------------------------------------------------------------- */

inox_status ix_edit_open(ix_edit *e, size_t from, inox_error *err)
{
    if (!e->begun) {
        IX_TRY(ix_rewrite_begin(&e->rewrite, e->text, e->text->size + e->text->size / 8, err));
        e->begun = true;
    }
    return ix_rewrite_copy(&e->rewrite, e->kept, from, err);
}

inox_status ix_edit_replace(ix_edit *e, size_t from, size_t to, const char *bytes, size_t n,
                            inox_error *err)
{
    IX_TRY(ix_edit_open(e, from, err));
    if (n == to - from)
        IX_TRY(ix_rewrite_put_same(&e->rewrite, bytes, n, from, err));
    else
        IX_TRY(ix_rewrite_put(&e->rewrite, bytes, n, from, to, err));
    e->kept = to;
    return INOX_OK;
}

inox_status ix_edit_end(ix_edit *e, inox_status status, inox_error *err)
{
    if (!e->begun)
        return status;
    if (status == INOX_OK)
        status = ix_rewrite_copy(&e->rewrite, e->kept, e->text->size, err);
    if (status == INOX_OK)
        ix_rewrite_finish(&e->rewrite, e->text);
    else
        ix_rewrite_cancel(&e->rewrite);
    return status;
}

/* ---- lists of characters ------------------------------------------------------------------- */

static inline inox_status add(ix_char **items, size_t *count, size_t *capacity, ix_char item,
                              inox_error *err)
{
    if (*count == *capacity) {
        size_t more = *capacity * 2 + 32;
        IX_TRY(IX_REALLOC(items, more, err));
        *capacity = more;
    }
    (*items)[(*count)++] = item;
    return INOX_OK;
}

inox_status ix_chars_add(ix_chars *l, ix_char item, inox_error *err)
{
    return add(&l->items, &l->count, &l->capacity, item, err);
}

inox_status ix_chars_add_other(ix_chars *l, ix_char item, inox_error *err)
{
    return add(&l->other, &l->other_count, &l->other_capacity, item, err);
}

void ix_chars_swap(ix_chars *l)
{
    ix_chars old = *l;
    l->items = old.other;
    l->count = old.other_count;
    l->capacity = old.other_capacity;
    l->other = old.items;
    l->other_count = 0;
    l->other_capacity = old.capacity;
}

void ix_chars_release(ix_chars *l)
{
    ix_free(l->items);
    ix_free(l->other);
    *l = (ix_chars){ 0 };
}

/* Onto the other list. */
static inox_status emit(ix_chars *l, uint32_t c, bool first, inox_error *err)
{
    ix_char item = { .c = c,
                     .change = first ? 0 : 1,
                     .order = (uint8_t)ix_normal_order(ix_normal_kind(c)) };
    return ix_chars_add_other(l, item, err);
}

static inox_status decompose(ix_chars *l, uint32_t c, bool compatible, inox_error *err)
{
    uint32_t canonical[IX_NORMAL_DECOMPOSED];
    const uint32_t *m = mappings(c), *to = m + 1 + canonical_count(*m);
    size_t n = compatible ? compatible_count(*m) : 0;
    if (n == 0) {
        n = ix_normal_decompose(c, canonical);
        to = canonical;
    }
    for (size_t i = 0; i < n; i++)
        IX_TRY(emit(l, to[i], i == 0, err));
    return INOX_OK;
}

/* Sorts marks [from, to) of the other list by their class, stably: a long run by counting. */
static inox_status sort_marks(ix_chars *l, ix_char **room, size_t *room_capacity, size_t from,
                              size_t to, inox_error *err)
{
    ix_char *a = l->other;
    if (to - from < 24) {
        for (size_t i = from + 1; i < to; i++)
            for (size_t j = i; j > from && a[j - 1].order > a[j].order; j--) {
                ix_char swap = a[j];
                a[j] = a[j - 1];
                a[j - 1] = swap;
            }
        return INOX_OK;
    }
    if (*room_capacity < to - from) {
        IX_TRY(IX_REALLOC(room, to - from, err));
        *room_capacity = to - from;
    }
    size_t next[257] = { 0 };
    for (size_t i = from; i < to; i++)
        next[a[i].order + 1]++;
    for (size_t k = 1; k < 257; k++)
        next[k] += next[k - 1];
    for (size_t i = from; i < to; i++)
        (*room)[next[a[i].order]++] = a[i];
    memcpy(a + from, *room, (to - from) * sizeof *a);
    return INOX_OK;
}

static inox_status sort_all_marks(ix_chars *l, inox_error *err)
{
    ix_char *room = NULL;
    size_t room_capacity = 0;
    inox_status status = INOX_OK;
    for (size_t from = 0; from < l->other_count && status == INOX_OK;) {
        size_t to = from;
        while (to < l->other_count && l->other[to].order != 0)
            to++;
        if (to > from + 1)
            status = sort_marks(l, &room, &room_capacity, from, to, err);
        from = to + 1;
    }
    ix_free(room);
    return status;
}

/* Composes the other list in place. */
static void compose(ix_chars *l)
{
    ix_char *a = l->other;
    size_t count = 0, starter = SIZE_MAX;
    unsigned last = 0;    /* class of the last character kept behind the starter, */
    bool between = false; /* if there is one */
    for (size_t i = 0; i < l->other_count; i++) {
        ix_char item = a[i];
        bool blocked = starter == SIZE_MAX || (between && last >= item.order);
        uint32_t whole = blocked ? 0 : composition(a[starter].c, item.c);
        if (whole) {
            a[starter].c = whole;
            a[starter].change += item.change - 1;
            continue;
        }
        if (item.order == 0) {
            starter = count;
            between = false;
        } else if (starter != SIZE_MAX) {
            last = item.order;
            between = true;
        }
        a[count++] = item;
    }
    l->other_count = count;
}

/* Gives the other list its ranges, and makes it the first. */
static void take_ranges(ix_chars *l)
{
    size_t at = 0;
    for (size_t i = 0; i < l->other_count; i++) {
        ix_char *item = &l->other[i];
        size_t from = item->change > 0 ? at - (at > 0) : at;
        if (from >= l->count)
            from = l->count - 1;
        item->from = l->items[from].from;
        item->to = l->items[from].to;
        at += (size_t)(1 - item->change);
    }
    ix_chars_swap(l);
}

inox_status ix_chars_normalize(ix_chars *l, ix_normal_form form, inox_error *err)
{
    if (l->count == 0)
        return INOX_OK;
    l->other_count = 0;
    for (size_t i = 0; i < l->count; i++)
        IX_TRY(decompose(l, l->items[i].c, form == IX_NFKC || form == IX_NFKD, err));
    IX_TRY(sort_all_marks(l, err));
    if (form == IX_NFC || form == IX_NFKC)
        compose(l);
    take_ranges(l);
    return INOX_OK;
}

/* The list is old[from..to), character by character. */
static bool is_unchanged(const ix_chars *l, const char *old, size_t from, size_t to)
{
    char bytes[4];
    for (size_t i = 0; i < l->count; i++) {
        size_t n = ix_utf8_write(l->items[i].c, bytes);
        if (l->items[i].from != from || l->items[i].to - from != n ||
            memcmp(old + from, bytes, n) != 0)
            return false;
        from += n;
    }
    return from == to;
}

inox_status ix_chars_write(const ix_chars *l, ix_edit *e, size_t from, size_t to, inox_error *err)
{
    char bytes[4];
    if (is_unchanged(l, e->text->data, from, to))
        return INOX_OK;
    IX_TRY(ix_edit_open(e, from, err));
    for (size_t i = 0; i < l->count; i++) {
        const ix_char *item = &l->items[i];
        size_t n = ix_utf8_write(item->c, bytes);
        /* characters that share a range are one run */
        bool shares = (i > 0 && item[-1].from == item->from) ||
                      (i + 1 < l->count && item[1].from == item->from);
        if (n == item->to - item->from && !shares)
            IX_TRY(ix_rewrite_put_same(&e->rewrite, bytes, n, item->from, err));
        else
            IX_TRY(ix_rewrite_put(&e->rewrite, bytes, n, item->from, item->to, err));
    }
    ix_edit_close(e, to);
    return INOX_OK;
}

/* ---- forms --------------------------------------------------------------------------------- */

/* The first place from `at` on with a byte that is not below `low`, which is 0x80 or more.  Eight
 * bytes at once: such a byte has its highest bit, and its other bits plus 0x100 - low make one. */
static size_t skip_low(const char *text, size_t at, size_t size, unsigned low)
{
    enum { BLOCK = 64 };
    const uint64_t ones = 0x0101010101010101u, highs = ones * 0x80, more = ones * (0x100 - low);
    for (uint64_t any = 0; size - at >= BLOCK; at += BLOCK) {
        for (size_t i = 0; i < BLOCK; i += 8) {
            uint64_t x = ix_load8(text + at + i);
            any |= x & ((x & ~highs) + more);
        }
        if (any & highs)
            break;
    }
    while (at < size && (unsigned char)text[at] < low)
        at++;
    return at;
}

/* The first place from `at` on with a character of one of the kinds, all of which begin with a byte
 * that is not below `low`. */
static size_t skip_plain(const char *text, size_t at, size_t size, unsigned low, unsigned kinds)
{
    while ((at = skip_low(text, at, size, low)) < size) {
        for (uint32_t c; at < size && (unsigned char)text[at] >= low;) {
            size_t n = ix_utf8_read(text + at, size - at, &c);
            if (ix_normal_kind(c) & kinds)
                return at;
            at += n;
        }
    }
    return at;
}

/* Where the character before `at` begins; `at` where there is none, or no well-formed one. */
static size_t character_before(const char *text, size_t start, size_t at)
{
    size_t from = at;
    uint32_t c;
    while (from > start && at - from < 4) {
        from--;
        if (((unsigned char)text[from] & 0xC0) != 0x80)
            return ix_utf8_read(text + from, at - from, &c) == at - from ? from : at;
    }
    return at;
}

/* End of the segment that begins at `at`.  *quick: it is in the form already: nothing in it changes
 * by itself or may compose, and marks are in order. */
static size_t segment_end(const char *text, size_t at, size_t size, unsigned changes, bool *quick)
{
    size_t start = at;
    unsigned last = 0;
    *quick = true;
    while (at < size) {
        uint32_t c;
        size_t n = ix_utf8_read(text + at, size - at, &c);
        unsigned kind = ix_normal_kind(c), order = ix_normal_order(kind);
        if (at > start && !(kind & IX_NORMAL_JOINS))
            break;
        if ((kind & changes) || (order != 0 && order < last))
            *quick = false;
        last = order;
        at += n;
    }
    return at;
}

static inox_status normalize(ix_normal_form form, ix_edit *e, ix_chars *list, inox_error *err)
{
    /* the bytes that begin the first characters that change: U+0300, U+00C0, U+00A0 */
    static const unsigned char lows[] = {
        [IX_NFC] = 0xCC, [IX_NFD] = 0xC3, [IX_NFKC] = 0xC2, [IX_NFKD] = 0xC2
    };
    static const unsigned flags[] = { [IX_NFC] = IX_NORMAL_NFC,
                                      [IX_NFD] = IX_NORMAL_NFD,
                                      [IX_NFKC] = IX_NORMAL_NFKC,
                                      [IX_NFKD] = IX_NORMAL_NFKD };
    bool composes = form == IX_NFC || form == IX_NFKC, quick;
    unsigned changes = flags[form] | (composes ? IX_NORMAL_SECOND : 0);
    const char *text = e->text->data;
    size_t size = e->text->size, segments = 0, at = 0;
    while ((at = skip_plain(text, at, size, lows[form], changes | IX_NORMAL_JOINS)) < size) {
        uint32_t c;
        size_t n = ix_utf8_read(text + at, size - at, &c);
        unsigned kind = ix_normal_kind(c);
        size_t end = segment_end(text, at, size, changes, &quick);
        if (quick) {
            at = end;
            continue;
        }
        if (composes && (kind & IX_NORMAL_JOINS))
            at = character_before(text, segments, at);
        size_t from = at;
        list->count = 0;
        for (; at < end; at += n) {
            n = ix_utf8_read(text + at, end - at, &c);
            IX_TRY(ix_chars_add(
                list, (ix_char){ .c = c, .from = (uint32_t)at, .to = (uint32_t)(at + n) }, err));
        }
        IX_TRY(ix_chars_normalize(list, form, err));
        IX_TRY(ix_chars_write(list, e, from, end, err));
        segments = end;
    }
    return INOX_OK;
}

inox_status ix_normalize_form(ix_normal_form form, ix_mapped_text *text, inox_error *err)
{
    ix_edit edit;
    ix_chars list = { 0 };
    ix_edit_begin(&edit, text);
    inox_status status = normalize(form, &edit, &list, err);
    ix_chars_release(&list);
    return ix_edit_end(&edit, status, err);
}
