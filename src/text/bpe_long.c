/* Merging long words window by window.  See bpe_merge.h.
 *
 * A list of pieces is what merging a word gives exactly if each is what merging its own symbols
 * gives, and each two neighbours are what merging the symbols of the two gives.  (Look at the first
 * merge over a border between two of them: until then what happened inside the two happened as it
 * would without the rest of the word, in the same order; so that the two alone would merge over it
 * as well.)  So a word is merged in windows of a few symbols:
 *
 *     symbols   s s s s s s s s s s s s s s s s s s s ...
 *     window 1  [--)[-----)[---)[....                     the last piece may go on: not kept
 *     window 2                  [------)[--)[.....        begins where it began
 *     seam                 [---)[------)                  two pieces, looked at by themselves
 *
 * Where a seam does not hold, the piece before it goes back into a larger window.  Windows and
 * seams come again in long words: a small cache keeps what they gave.
 */
#include "text/bpe_merge.h"

#include "base/alloc.h"

#include <string.h>

enum {
    WINDOW = IX_BPE_SHORT,
    CACHE_BITS = 7,
    LARGE = 4,         /* how many large windows are kept */
    LARGE_MAX = 4096,  /* symbols of one that is kept */
    PIECES_WANTED = 4, /* in a window: of fewer, too many symbols are looked at twice */
    EFFORT_MAX = 16 /* symbols that are looked at for one of the word, before the whole is merged */
};

typedef struct window {
    int32_t symbols[WINDOW], ids[WINDOW];
    uint8_t first[WINDOW]; /* symbol that begins each piece */
    uint8_t size, count;   /* symbols (0: none), pieces */
} window;

typedef struct piece {
    uint32_t first; /* its first symbol */
    int32_t id;
} piece;

/* One with more symbols than WINDOW. */
typedef struct large_window {
    int32_t *symbols;
    piece *pieces; /* `first` counts from the beginning of the window */
    size_t size, count, symbol_capacity, piece_capacity;
} large_window;

struct ix_bpe_windows {
    window cache[1 << CACHE_BITS];
    large_window large[LARGE];
    size_t next; /* of these, to be used anew */
    ix_word word;
    piece *now; /* pieces of the last window */
    size_t now_count, now_capacity;
    piece *out;
    size_t out_count, out_capacity;
    uint64_t effort;
};

void ix_bpe_windows_free(ix_bpe_windows *s)
{
    if (!s)
        return;
    ix_word_release(&s->word);
    for (size_t i = 0; i < LARGE; i++) {
        ix_free(s->large[i].symbols);
        ix_free(s->large[i].pieces);
    }
    ix_free(s->now);
    ix_free(s->out);
    ix_free(s);
}

static inox_status reserve(piece **items, size_t *capacity, size_t count, inox_error *err)
{
    if (count <= *capacity)
        return INOX_OK;
    size_t more = count * 2 + WINDOW;
    IX_TRY(IX_REALLOC(items, more, err));
    *capacity = more;
    return INOX_OK;
}

/* What merging symbols[0..n) gives, n <= WINDOW. */
static const window *merge_window(const ix_bpe *b, ix_bpe_windows *s, const ix_symbol *symbols,
                                  size_t n)
{
    int32_t ids[WINDOW] = { 0 };
    uint64_t hash = n;
    for (size_t i = 0; i < n; i++)
        ids[i] = symbols[i].id;
    for (size_t i = 0; i < n; i += 2) {
        hash ^= (uint64_t)(uint32_t)ids[i] << 32 | (uint32_t)ids[i + 1];
        hash *= 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    window *w = &s->cache[hash * 0x9E3779B97F4A7C15u >> (64 - CACHE_BITS)];
    if (w->size == n && memcmp(w->symbols, ids, n * sizeof *ids) == 0)
        return w;
    memcpy(w->symbols, ids, n * sizeof *ids);
    memcpy(w->ids, ids, n * sizeof *ids);
    w->size = (uint8_t)n;
    w->count = (uint8_t)ix_bpe_merge_short(b, w->ids, w->first, n);
    return w;
}

static bool is_window(const large_window *l, const ix_symbol *symbols, size_t n)
{
    if (l->size != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (l->symbols[i] != symbols[i].id)
            return false;
    return true;
}

/* The same for any number of symbols. */
static inox_status merge_large(const ix_bpe *b, ix_bpe_windows *s, const ix_symbol *symbols,
                               size_t n, const large_window **out, inox_error *err)
{
    ix_word *w = &s->word;
    for (size_t i = 0; i < LARGE; i++) {
        *out = &s->large[i];
        if (is_window(*out, symbols, n))
            return INOX_OK;
    }
    large_window *l = &s->large[s->next++ % LARGE];
    *out = l;
    l->size = 0;
    w->count = 0;
    for (size_t i = 0; i < n; i++) /* `at` counts symbols here */
        IX_TRY(ix_word_add(w, (uint32_t)i, 1, symbols[i].id, err));
    IX_TRY(ix_word_merge_whole(b, w, err));
    l->count = w->count;
    IX_TRY(reserve(&l->pieces, &l->piece_capacity, l->count, err));
    for (size_t k = 0; k < l->count; k++)
        l->pieces[k] = (piece){ w->symbols[k].at, w->symbols[k].id };
    if (n > LARGE_MAX)
        return INOX_OK;
    if (n > l->symbol_capacity) {
        IX_TRY(IX_REALLOC(&l->symbols, n, err));
        l->symbol_capacity = n;
    }
    for (size_t i = 0; i < n; i++)
        l->symbols[i] = symbols[i].id;
    l->size = n;
    return INOX_OK;
}

/* Pieces of w->symbols[from..from + n) into s->now. */
static inox_status merge_range(const ix_bpe *b, ix_bpe_windows *s, const ix_word *w, size_t from,
                               size_t n, inox_error *err)
{
    const large_window *large;
    s->effort += n;
    if (n <= WINDOW) {
        const window *found = merge_window(b, s, w->symbols + from, n);
        IX_TRY(reserve(&s->now, &s->now_capacity, found->count, err));
        s->now_count = found->count;
        for (size_t k = 0; k < found->count; k++)
            s->now[k] = (piece){ (uint32_t)from + found->first[k], found->ids[k] };
        return INOX_OK;
    }
    IX_TRY(merge_large(b, s, w->symbols + from, n, &large, err));
    IX_TRY(reserve(&s->now, &s->now_capacity, large->count, err));
    s->now_count = large->count;
    for (size_t k = 0; k < large->count; k++)
        s->now[k] = (piece){ (uint32_t)from + large->pieces[k].first, large->pieces[k].id };
    return INOX_OK;
}

/* Whether the pieces [from, middle) and [middle, end) stay two if merged together. */
static inox_status holds(const ix_bpe *b, ix_bpe_windows *s, const ix_word *w, size_t from,
                         size_t middle, size_t end, bool *yes, inox_error *err)
{
    const large_window *large;
    size_t n = end - from;
    s->effort += n;
    if (n <= WINDOW) {
        const window *found = merge_window(b, s, w->symbols + from, n);
        *yes = found->count == 2 && found->first[1] == middle - from;
        return INOX_OK;
    }
    IX_TRY(merge_large(b, s, w->symbols + from, n, &large, err));
    *yes = large->count == 2 && large->pieces[1].first == middle - from;
    return INOX_OK;
}

/* The pieces s->out become the symbols of the word. */
static void finish(const ix_bpe_windows *s, ix_word *w)
{
    ix_symbol *symbols = w->symbols;
    for (size_t k = 0; k < s->out_count; k++) {
        size_t last = k + 1 < s->out_count ? s->out[k + 1].first : w->count;
        const ix_symbol *end = &symbols[last - 1];
        uint32_t at = symbols[s->out[k].first].at, size = end->at + end->size - at;
        symbols[k] = (ix_symbol){ .at = at, .size = size, .id = s->out[k].id, .rank = UINT32_MAX };
    }
    w->count = s->out_count;
}

/* *done false: too many seams did not hold. */
static inox_status merge_windows(const ix_bpe *b, ix_bpe_windows *s, ix_word *w, bool *done,
                                 inox_error *err)
{
    size_t at = 0, usual = WINDOW, n = usual, count = w->count;
    s->out_count = 0;
    s->effort = 0;
    *done = false;
    while (s->effort <= (uint64_t)EFFORT_MAX * count) {
        bool last = n >= count - at, seam = true;
        IX_TRY(merge_range(b, s, w, at, last ? count - at : n, err));
        size_t keep = s->now_count - !last;
        if (keep == 0) { /* one piece, which may go on */
            n *= 2;
            continue;
        }
        if (s->out_count > 0)
            IX_TRY(holds(b, s, w, s->out[s->out_count - 1].first, at,
                         s->now_count > 1 ? s->now[1].first : count, &seam, err));
        /* Long pieces want large windows. */
        if (!last && n == usual && s->now_count < PIECES_WANTED && usual < LARGE_MAX)
            usual *= 2;
        else if (s->now_count > 4 * PIECES_WANTED && usual > WINDOW)
            usual /= 2;
        if (!seam) {
            size_t before = s->out[--s->out_count].first;
            n += at - before;
            at = before;
            continue;
        }
        IX_TRY(reserve(&s->out, &s->out_capacity, s->out_count + keep, err));
        memcpy(s->out + s->out_count, s->now, keep * sizeof *s->now);
        s->out_count += keep;
        if (last) {
            finish(s, w);
            *done = true;
            return INOX_OK;
        }
        at = s->now[keep].first;
        n = usual;
    }
    return INOX_OK;
}

inox_status ix_word_merge_windows(const ix_bpe *b, ix_word *w, inox_error *err)
{
    bool done;
    if (!w->windows)
        IX_TRY(IX_ALLOC(&w->windows, 1, err));
    IX_TRY(merge_windows(b, w->windows, w, &done, err));
    return done ? INOX_OK : ix_word_merge_whole(b, w, err);
}
