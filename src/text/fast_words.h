/* Cutting text into words and looking them up, many at once: the same for every instruction set.
 * Private to the files fast_block_*.c, which have fast_block.h before this, and
 *
 *     block_places(bits, at, out)      writes the places of the bits, counted from `at`; may write
 *                                      64 in all
 *     FINDS_WORDS                      if it has an ix_find_words of its own
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

/* The key of a word and its slot, which is on its way from memory. */
typedef struct asked_word {
    uint64_t low;
    uint32_t rest, slot;
} asked_word;

static inline asked_word ask_word(const ix_word_table *t, const char *bytes, const ix_word_queue *q,
                                  size_t j)
{
    const char *p = bytes + (q->at[j] - q->at[0]);
    size_t size = q->at[j + 1] - q->at[j];
    const ix_cache_key *mask = &ix_cache_masks[size < 15 ? size : 15];
    asked_word w = { .low = ix_load8(p) & mask->low,
                     .rest = ix_table_rest(ix_load8(p + 8) & mask->high, size) };
    w.slot = ix_table_slot(t, ix_table_hash(w.low, w.rest));
    __builtin_prefetch(&t->slots[w.slot]);
    return w;
}

#ifndef FINDS_WORDS
void NAME(ix_find_words)(const ix_word_table *t, const char *bytes, size_t readable,
                         ix_word_queue *q)
{
    const size_t n = q->count;
    size_t others = 0;
    asked_word words[IX_QUEUE];
    (void)readable;
    for (size_t j = 0; j < n; j++)
        words[j] = ask_word(t, bytes, q, j);
    for (size_t j = 0; j < n; j++) {
        const ix_word_slot *slot = &t->slots[words[j].slot];
        q->ids[j] = slot->id;
        q->others[others] = (uint16_t)j;
        others += (size_t)((slot->low != words[j].low) | (slot->rest != words[j].rest));
    }
    q->other_count = others;
}
#endif

#endif
