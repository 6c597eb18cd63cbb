/* Pieces of up to 15 bytes, found by one look at memory, and new words cut into them.
 *
 *     words    line of a piece -> its id, and how merging makes it      (some MiB: far away)
 *     filter   hash of a piece -> two bits                              (stays in the L2 cache)
 *
 * The search of bpe_search.h goes through a trie from byte to byte, and waits for memory at each.
 * Here the filter says which beginning of the word is the longest piece, and of what is left the
 * longest again, before any of it is looked up; then all lines are on their way at once.
 */
#ifndef IX_TEXT_FAST_PIECES_H
#define IX_TEXT_FAST_PIECES_H

#include "text/bpe_search.h"
#include "text/fast.h"
#include "text/word_table.h"

typedef struct ix_fast_pieces {
    ix_word_cache words; /* without slots: nothing was made */
    uint64_t *filter;    /* NULL: words are not cut */
    int filter_shift;
} ix_fast_pieces;

/* search NULL: only whole words are known, by parts->ignore_merges.  Makes the table of words
 * too. */
inox_status ix_fast_pieces_new(ix_fast_pieces *p, const ix_fast_parts *parts,
                               const ix_bpe_search *search, ix_word_table *words,
                               inox_error *err) IX_MUST_USE;
void ix_fast_pieces_release(ix_fast_pieces *p);

/* Bit n of number k: the filter knows bytes [k, k + n) of a word; 0: not asked yet. */
typedef struct ix_fast_guess {
    uint16_t sizes[IX_CACHED_BYTES + 1];
} ix_fast_guess;

/* The bytes of a word as its key has them, size 1 to 15: asks for the lines of the pieces that it
 * most likely has. */
void ix_fast_pieces_ask(const ix_fast_pieces *p, ix_cache_key word, size_t size, ix_fast_guess *g);
/* When they have come: asks for what is known of the first two of them. */
void ix_fast_pieces_ask_pair(const ix_fast_pieces *p, const ix_bpe_search *search,
                             ix_bpe_memo *memo, ix_cache_key word, size_t size,
                             const ix_fast_guess *g);
/* Its tokens: how many; 0: the search must do it.  Any list of pieces of which each two neighbours
 * stand side by side is the right one, so what is missing here leads to no wrong one. */
size_t ix_fast_pieces_cut(const ix_fast_pieces *p, const ix_bpe_search *search, ix_bpe_memo *memo,
                          ix_cache_key word, size_t size, ix_fast_guess *g,
                          ix_cached tokens[IX_CACHED_TOKENS]);

#endif
