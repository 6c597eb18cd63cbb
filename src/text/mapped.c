/* Text with its map back to the source.  See mapped.h. */
#include "text/mapped.h"

#include "base/alloc.h"

#include <string.h>

/* Positions are 32 bits wide, and the end of a run may not look like IX_MAP_SAME. */
#define BYTES_MAX (UINT32_MAX - 1)

void ix_mapped_release(ix_mapped_text *t)
{
    ix_free(t->owned);
    ix_free(t->runs);
    *t = (ix_mapped_text){ 0 };
}

/* ---- asking -------------------------------------------------------------------------------- */

/* The run that holds byte i: usually the one of the hint or one soon behind it. */
static size_t find_run(const ix_mapped_text *t, size_t hint, size_t i)
{
    enum { NEAR = 8 };
    size_t low = 0, high = t->run_count;
    if (hint < t->run_count && t->runs[hint].at <= i) {
        low = hint;
        for (size_t step = 0; step < NEAR; step++, low++)
            if (low + 1 == t->run_count || t->runs[low + 1].at > i)
                return low;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (t->runs[middle].at <= i)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t start_in(const ix_map_run *r, size_t i)
{
    return r->end == IX_MAP_SAME ? r->start + (uint32_t)(i - r->at) : r->start;
}

static uint32_t end_in(const ix_map_run *r, size_t i)
{
    return r->end == IX_MAP_SAME ? r->start + (uint32_t)(i - r->at) + 1 : r->end;
}

void ix_mapped_range(const ix_mapped_text *t, ix_map_cursor *c, size_t start, size_t end,
                     uint32_t *from, uint32_t *to)
{
    if (t->run_count == 0) {
        *from = t->base + (uint32_t)start;
        *to = t->base + (uint32_t)end;
        return;
    }
    size_t first = find_run(t, c->run, start), last = find_run(t, first, end - 1);
    *from = start_in(&t->runs[first], start);
    *to = end_in(&t->runs[last], end - 1);
    c->run = last;
}

uint32_t ix_mapped_start(const ix_mapped_text *t, size_t i)
{
    if (t->run_count == 0)
        return t->base + (uint32_t)i;
    return start_in(&t->runs[find_run(t, t->run_count, i)], i);
}

uint32_t ix_mapped_end(const ix_mapped_text *t, size_t i)
{
    if (t->run_count == 0)
        return t->base + (uint32_t)i + 1;
    return end_in(&t->runs[find_run(t, t->run_count, i)], i);
}

/* ---- writing ------------------------------------------------------------------------------- */

static inox_status reserve(ix_mapped_text *t, size_t more, inox_error *err)
{
    if (more > BYTES_MAX - t->size)
        return ix_fail(err, INOX_E_LIMIT, "the text is too long once it is normalized");
    if (t->size + more <= t->capacity)
        return INOX_OK;
    size_t capacity = t->capacity * 2 > t->size + more ? t->capacity * 2 : t->size + more + 64;
    IX_TRY(IX_REALLOC(&t->owned, capacity, err));
    t->data = t->owned;
    t->capacity = capacity;
    return INOX_OK;
}

/* The bytes from t->size on are those of a run, which may go on with the last one. */
static inox_status push_run(ix_mapped_text *t, uint32_t start, uint32_t end, inox_error *err)
{
    if (t->run_count > 0) {
        const ix_map_run *last = &t->runs[t->run_count - 1];
        uint32_t expected = last->start;
        if (end == IX_MAP_SAME)
            expected += (uint32_t)t->size - last->at;
        if (last->end == end && expected == start)
            return INOX_OK;
    }
    if (t->run_count == t->run_capacity) {
        size_t capacity = t->run_capacity * 2 + 16;
        IX_TRY(IX_REALLOC(&t->runs, capacity, err));
        t->run_capacity = capacity;
    }
    t->runs[t->run_count++] = (ix_map_run){ (uint32_t)t->size, start, end };
    return INOX_OK;
}

inox_status ix_mapped_append(ix_mapped_text *t, const char *bytes, size_t n, uint32_t start,
                             uint32_t end, inox_error *err)
{
    if (n == 0)
        return INOX_OK;
    IX_TRY(reserve(t, n, err));
    IX_TRY(push_run(t, start, n == 1 && end == start + 1 ? IX_MAP_SAME : end, err));
    memcpy(t->owned + t->size, bytes, n);
    t->size += n;
    return INOX_OK;
}

inox_status ix_mapped_append_same(ix_mapped_text *t, const char *bytes, size_t n, uint32_t start,
                                  inox_error *err)
{
    if (n == 0)
        return INOX_OK;
    IX_TRY(reserve(t, n, err));
    IX_TRY(push_run(t, start, IX_MAP_SAME, err));
    memcpy(t->owned + t->size, bytes, n);
    t->size += n;
    return INOX_OK;
}

inox_status ix_mapped_own(ix_mapped_text *t, inox_error *err)
{
    if (t->owned || t->size == 0)
        return INOX_OK;
    IX_TRY(IX_REALLOC(&t->owned, t->size, err));
    t->capacity = t->size;
    memcpy(t->owned, t->data, t->size);
    t->data = t->owned;
    return INOX_OK;
}

/* ---- rewriting ----------------------------------------------------------------------------- */

inox_status ix_rewrite_begin(ix_rewrite *w, const ix_mapped_text *old, size_t room, inox_error *err)
{
    *w = (ix_rewrite){ .old = old, .out = { .data = "", .base = old->base } };
    return reserve(&w->out, room < BYTES_MAX ? room : 0, err);
}

inox_status ix_rewrite_copy(ix_rewrite *w, size_t from, size_t to, inox_error *err)
{
    const ix_mapped_text *old = w->old;
    if (old->run_count == 0)
        return ix_mapped_append_same(&w->out, old->data + from, to - from,
                                     old->base + (uint32_t)from, err);
    if (from == to)
        return INOX_OK;
    size_t run = find_run(old, w->cursor.run, from);
    while (from < to) {
        const ix_map_run *r = &old->runs[run];
        size_t end = run + 1 < old->run_count && old->runs[run + 1].at < to ? r[1].at : to;
        IX_TRY(reserve(&w->out, end - from, err));
        IX_TRY(push_run(&w->out, start_in(r, from), r->end, err));
        memcpy(w->out.owned + w->out.size, old->data + from, end - from);
        w->out.size += end - from;
        w->cursor.run = run++;
        from = end;
    }
    return INOX_OK;
}

inox_status ix_rewrite_put(ix_rewrite *w, const char *bytes, size_t n, size_t from, size_t to,
                           inox_error *err)
{
    uint32_t start, end;
    if (from < to) {
        ix_mapped_range(w->old, &w->cursor, from, to, &start, &end);
    } else if (from < w->old->size) {
        ix_mapped_range(w->old, &w->cursor, from, from + 1, &start, &end);
        end = start;
    } else if (w->old->size > 0) {
        ix_mapped_range(w->old, &w->cursor, from - 1, from, &start, &end);
        start = end;
    } else {
        start = end = w->old->base;
    }
    return ix_mapped_append(&w->out, bytes, n, start, end, err);
}

inox_status ix_rewrite_put_same(ix_rewrite *w, const char *bytes, size_t n, size_t from,
                                inox_error *err)
{
    size_t at = w->out.size;
    IX_TRY(ix_rewrite_copy(w, from, from + n, err));
    memcpy(w->out.owned + at, bytes, n);
    return INOX_OK;
}

void ix_rewrite_finish(ix_rewrite *w, ix_mapped_text *old)
{
    ix_mapped_release(old);
    *old = w->out;
    *w = (ix_rewrite){ 0 };
}

void ix_rewrite_cancel(ix_rewrite *w)
{
    ix_mapped_release(&w->out);
    *w = (ix_rewrite){ 0 };
}
