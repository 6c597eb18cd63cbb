/* Cutting text into words and looking them up, many at once: the same for every instruction set.
 * Private to the files fast_block_*.c, which have fast_block.h before this, and
 *
 *     block_places(bits, at, out)      writes the places of the bits, counted from `at`; may write
 *                                      64 in all
 *     line_match(line, low, rest)      which of the four words of a line this is, a bit each
 *     WORDS_AT_ONCE, ask_words(...)    the keys of so many words, if it has a better way
 */
#ifndef IX_TEXT_FAST_WORDS_H
#define IX_TEXT_FAST_WORDS_H

#include "text/fast_parts.h"

static inline size_t cut_words(const ix_scanner *s, ix_scan kind, const char *text, size_t at,
                               size_t end, ix_word_queue *q)
{
    const size_t from = at;
    size_t count = q->count; /* q->at[count] is `at`, where a word starts */
    while (count < IX_WORDS_AHEAD && end - at >= IX_TAIL) {
        uint64_t starts = scan_block(s, kind, text + at);
        size_t places = (size_t)__builtin_popcountll(starts);
        if (places < 2)
            break;
        block_places(starts, (uint32_t)at, q->at + count);
        count += places - 1; /* the last is where the next word starts */
        at += (size_t)(63 - __builtin_clzll(starts));
        size_t next = at + 1;
        for (; count < IX_WORDS_AHEAD && end - next >= IX_TAIL; next += WINDOW) {
            if (next - from < AROUND || !scan_window(s, kind, text + next, &starts))
                break;
            block_places(starts, (uint32_t)next, q->at + count + 1);
            count += (size_t)__builtin_popcountll(starts);
        }
        at = q->at[count];
    }
    q->count = count;
    return at;
}

size_t NAME(ix_cut_words)(const ix_scanner *s, const char *text, size_t at, size_t end,
                          ix_word_queue *q)
{
    q->at[q->count] = (uint32_t)at;
    switch (s->kind) { /* each has a loop of its own, without what is for the others */
    case IX_SCAN_GPT2: return cut_words(s, IX_SCAN_GPT2, text, at, end, q);
    case IX_SCAN_CL100K: return cut_words(s, IX_SCAN_CL100K, text, at, end, q);
    case IX_SCAN_O200K: return cut_words(s, IX_SCAN_O200K, text, at, end, q);
    default: return at;
    }
}

#ifndef WORDS_AT_ONCE
#define WORDS_AT_ONCE 1
/* Asks for the line of word j. */
static inline void ask_words(const ix_word_table *t, const char *bytes, ix_word_queue *q, size_t j,
                             size_t n)
{
    const char *p = bytes + (q->at[j] - q->at[0]);
    size_t size = q->at[j + 1] - q->at[j];
    const ix_cache_key *mask = &ix_cache_masks[size < 15 ? size : 15];
    (void)n;
    q->low[j] = ix_load8(p) & mask->low;
    q->rest[j] = ix_table_rest(ix_load8(p + 8) & mask->high, size);
    q->lines[j] = ix_table_line(t, q->low[j], q->rest[j]);
    __builtin_prefetch(&t->lines[q->lines[j]]);
}
#endif

void NAME(ix_find_words)(const ix_word_table *t, const char *bytes, ix_word_queue *q)
{
    const size_t n = q->count;
    size_t others = 0;
    for (size_t j = 0; j < n; j += WORDS_AT_ONCE)
        ask_words(t, bytes, q, j, n);
    for (size_t j = 0; j < n; j++) {
        const ix_word_line *line = &t->lines[q->lines[j]];
        unsigned match = line_match(line, q->low[j], q->rest[j]);
        q->ids[j] = line->ids[__builtin_ctz(match | 8)];
        q->others[others] = (uint16_t)j;
        others += match == 0;
    }
    q->other_count = others;
}

#endif
