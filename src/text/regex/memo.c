/* What a search remembers.  See memo.h. */
#include "text/regex/memo.h"

#include "base/limits.h"

#include <string.h>

static inox_status charge(ix_regex_work *w, size_t bytes, inox_error *err)
{
    if (bytes > IX_MAX_REGEX_MEMORY - w->memory)
        return ix_fail(err, INOX_E_LIMIT,
                       "matching the regular expression takes more than %llu MB of memory here",
                       (unsigned long long)(IX_MAX_REGEX_MEMORY >> 20));
    w->memory += bytes;
    return INOX_OK;
}

/* *items has room for one more behind `count`. */
static inox_status grow(ix_regex_work *w, void **items, size_t size, size_t count, size_t *capacity,
                        inox_error *err)
{
    if (count < *capacity)
        return INOX_OK;
    size_t more = *capacity + 64;
    IX_TRY(charge(w, more * size, err));
    IX_TRY(ix_realloc(items, *capacity + more, size, err));
    *capacity += more;
    return INOX_OK;
}

/* ---- pages --------------------------------------------------------------------------------- */

static void let_go(ix_regex_work *w, size_t page)
{
    uint64_t *p = w->pages[page];
    if (!p)
        return;
    memcpy(p, &w->spare, sizeof w->spare);
    w->spare = p;
    w->pages[page] = NULL;
}

static void free_spare(ix_regex_work *w)
{
    while (w->spare) {
        uint64_t *next;
        memcpy(&next, w->spare, sizeof next);
        ix_free(w->spare);
        w->spare = next;
    }
}

void ix_memo_release(ix_regex_work *w)
{
    for (size_t i = w->first_page; i < w->last_page; i++)
        let_go(w, i);
    free_spare(w);
    ix_free(w->pages);
    ix_free(w->stack);
    ix_free(w->trail);
    ix_free(w->ends);
    *w = (ix_regex_work){ 0 };
}

void ix_memo_reset(ix_regex_work *w, size_t planes)
{
    for (size_t i = w->first_page; i < w->last_page; i++)
        let_go(w, i);
    w->first_page = w->last_page = 0;
    if (w->planes != planes) {
        free_spare(w);
        w->memory = w->page_count * sizeof *w->pages + w->stack_capacity * sizeof *w->stack +
                    w->trail_capacity * sizeof *w->trail + w->end_capacity * sizeof *w->ends;
        w->planes = planes;
    }
    if (w->end_count > 0)
        memset(w->ends, 0, w->end_capacity * sizeof *w->ends);
    w->end_count = w->last_end = 0;
    w->top = w->trail_top = 0;
}

void ix_memo_pass(ix_regex_work *w, size_t pos)
{
    size_t page = pos / IX_PAGE_BITS;
    for (; w->first_page < w->last_page && w->first_page < page; w->first_page++)
        let_go(w, w->first_page);
    if (w->last_end < pos && w->end_count > w->end_capacity / 4) {
        memset(w->ends, 0, w->end_capacity * sizeof *w->ends);
        w->end_count = 0;
    }
}

void ix_memo_clear_column(ix_regex_work *w, size_t pos)
{
    size_t page = pos / IX_PAGE_BITS;
    if (page >= w->page_count || !w->pages[page])
        return;
    uint64_t *word = w->pages[page] + pos % IX_PAGE_BITS / 64, bit = 1ULL << (pos & 63);
    for (size_t i = 0; i < w->planes; i++, word += IX_PAGE_WORDS)
        *word &= ~bit;
}

static inox_status make_page(ix_regex_work *w, size_t page, inox_error *err)
{
    size_t words = w->planes * IX_PAGE_WORDS;
    if (page >= w->page_count) {
        size_t count = w->page_count, more = page - count + page / 2 + 8;
        IX_TRY(charge(w, more * sizeof *w->pages, err));
        IX_TRY(IX_REALLOC(&w->pages, count + more, err));
        memset(w->pages + count, 0, more * sizeof *w->pages);
        w->page_count += more;
    }
    if (w->spare) {
        uint64_t *p = w->spare;
        memcpy(&w->spare, p, sizeof w->spare);
        memset(p, 0, words * sizeof *p);
        w->pages[page] = p;
    } else {
        IX_TRY(charge(w, words * sizeof(uint64_t), err));
        IX_TRY(IX_ALLOC(&w->pages[page], words, err));
    }
    if (w->first_page == w->last_page) {
        w->first_page = page;
        w->last_page = page + 1;
    }
    w->first_page = page < w->first_page ? page : w->first_page;
    w->last_page = page + 1 > w->last_page ? page + 1 : w->last_page;
    return INOX_OK;
}

inox_status ix_memo_set(ix_regex_work *w, uint32_t plane, size_t from, size_t to, inox_error *err)
{
    while (from <= to) {
        size_t page = from / IX_PAGE_BITS, last = from | 63;
        if (page >= w->page_count || !w->pages[page])
            IX_TRY(make_page(w, page, err));
        uint64_t bits = ~0ULL << (from & 63);
        if (to < last)
            bits &= ~0ULL >> (63 - (to & 63));
        w->pages[page][plane * IX_PAGE_WORDS + from % IX_PAGE_BITS / 64] |= bits;
        from = last + 1;
    }
    return INOX_OK;
}

void ix_memo_unset(ix_regex_work *w, uint32_t plane, size_t pos)
{
    size_t page = pos / IX_PAGE_BITS;
    if (page < w->page_count && w->pages[page])
        w->pages[page][plane * IX_PAGE_WORDS + pos % IX_PAGE_BITS / 64] &= ~(1ULL << (pos & 63));
}

/* ---- stack, trail, ends -------------------------------------------------------------------- */

inox_status ix_memo_push(ix_regex_work *w, ix_frame frame, ix_frame_kind kind, inox_error *err)
{
    IX_TRY(grow(w, (void **)&w->stack, sizeof *w->stack, w->top, &w->stack_capacity, err));
    frame.trail = (uint32_t)w->trail_top << 3 | kind;
    w->stack[w->top++] = frame;
    return INOX_OK;
}

inox_status ix_memo_visit(ix_regex_work *w, uint32_t slot, size_t pos, inox_error *err)
{
    IX_TRY(grow(w, (void **)&w->trail, sizeof *w->trail, w->trail_top, &w->trail_capacity, err));
    w->trail[w->trail_top++] = (ix_visit){ slot, (uint32_t)pos };
    return INOX_OK;
}

static ix_end *end_of(ix_end *ends, size_t capacity, uint64_t key)
{
    size_t i = (size_t)(key * 0x9E3779B97F4A7C15ULL >> 20) & (capacity - 1);
    while (ends[i].key && ends[i].key != key)
        i = (i + 1) & (capacity - 1);
    return &ends[i];
}

static uint64_t key_of(uint32_t slot, size_t pos)
{
    return ((uint64_t)slot << 32 | (uint32_t)pos) + 1;
}

inox_status ix_memo_put_end(ix_regex_work *w, uint32_t slot, size_t pos, size_t end,
                            inox_error *err)
{
    if (2 * w->end_count >= w->end_capacity) {
        size_t capacity = w->end_capacity ? w->end_capacity * 2 : 256;
        ix_end *ends;
        IX_TRY(charge(w, (capacity - w->end_capacity) * sizeof *ends, err));
        IX_TRY(IX_ALLOC(&ends, capacity, err));
        for (size_t i = 0; i < w->end_capacity; i++)
            if (w->ends[i].key)
                *end_of(ends, capacity, w->ends[i].key) = w->ends[i];
        ix_free(w->ends);
        w->ends = ends;
        w->end_capacity = capacity;
    }
    ix_end *e = end_of(w->ends, w->end_capacity, key_of(slot, pos));
    w->end_count += e->key == 0;
    w->last_end = pos > w->last_end ? pos : w->last_end;
    *e = (ix_end){ key_of(slot, pos), (uint32_t)end };
    return INOX_OK;
}

size_t ix_memo_get_end(const ix_regex_work *w, uint32_t slot, size_t pos)
{
    return end_of(w->ends, w->end_capacity, key_of(slot, pos))->end;
}
