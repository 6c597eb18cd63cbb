/* The merging engine of byte-pair encoding: symbols of a word to its pieces.
 *
 * Always the pair of lowest rank merges, of equal ones the leftmost.  One engine serves merges as
 * lists (GPT-2), pieces ordered by score (SentencePiece) and pieces ordered by rank (tiktoken): the
 * last two become lists of pairs when they are made.
 */
#ifndef IX_TEXT_BPE_MERGE_H
#define IX_TEXT_BPE_MERGE_H

#include "text/vocab.h"

/* The pairs that merge.  Symbols are ids of pieces; ids from `piece_count` on are characters that
 * are no pieces themselves but stand inside pieces (only where the pairs come from pieces). */
typedef struct ix_bpe {
    ix_pair_table pairs; /* (left, right) -> rank and what they make */
    uint64_t *filter;    /* a bit per hashed pair: most lookups end here */
    int filter_shift;
    size_t rank_count;     /* all ranks are smaller */
    bool keeps_stale;      /* a pair may make what its left part was: see ix_bpe_collapses */
    ix_pair_table symbols; /* (bytes of a character, their number) -> id */
} ix_bpe;

/* Room for `most` pairs of ranks below rank_count. */
inox_status ix_bpe_new(ix_bpe *b, size_t most, size_t rank_count, inox_error *err) IX_MUST_USE;
void ix_bpe_release(ix_bpe *b);

/* Adds a pair.  Where it is there already, the new one replaces it (Hugging Face) or not
 * (llama.cpp). */
void ix_bpe_add(ix_bpe *b, int32_t left, int32_t right, uint32_t rank, int32_t id, bool replace);

/* Tells that some merge makes its left part again (tokenizers strips the prefix of continuing
 * pieces by its length alone).  tokenizers then applies a pair that came back under a rank it no
 * longer has; so does the engine. */
static inline void ix_bpe_collapses(ix_bpe *b)
{
    b->keeps_stale = true;
}

/* All pairs of pieces that together are a piece: its rank is order[id], UINT32_MAX for one that
 * nothing makes.  bytes: symbols are bytes, else characters, told by their first byte. */
inox_status ix_bpe_from_pieces(ix_bpe *b, const ix_piece_table *table, size_t count,
                               const uint32_t *order, size_t rank_count, bool bytes,
                               inox_error *err) IX_MUST_USE;

/* Replaces numbers by their places among the distinct ones (UINT32_MAX stays): ranks need arrays.
 * *distinct: how many. */
inox_status ix_bpe_make_dense(uint32_t *order, size_t count, size_t *distinct,
                              inox_error *err) IX_MUST_USE;

/* A number that is smaller for a greater score; not-a-number comes last. */
uint32_t ix_bpe_order_of_score(float score);

/* The symbol of a character of n <= 4 bytes, or -1.  After ix_bpe_from_pieces. */
static inline int32_t ix_bpe_symbol(const ix_bpe *b, const char *p, size_t n)
{
    uint32_t packed = 0;
    for (size_t i = 0; i < n; i++)
        packed = packed << 8 | (unsigned char)p[i];
    const ix_pair_slot *s = ix_pair_find(&b->symbols, packed, (uint32_t)n);
    return s ? s->id : -1;
}

/* Asks for what ix_bpe_find looks at. */
static inline void ix_bpe_ask_pair(const ix_bpe *b, int32_t left, int32_t right)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    uint64_t h = (key ^ b->pairs.seed) * b->pairs.factor;
    __builtin_prefetch(&b->filter[h >> b->filter_shift >> 6]);
    __builtin_prefetch(&b->pairs.slots[h >> b->pairs.shift]);
}

static inline const ix_pair_slot *ix_bpe_find(const ix_bpe *b, int32_t left, int32_t right)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    uint64_t h = (key ^ b->pairs.seed) * b->pairs.factor, bit = h >> b->filter_shift;
    if (!(b->filter[bit >> 6] >> (bit & 63) & 1))
        return NULL;
    for (uint64_t i = h >> b->pairs.shift;; i = (i + 1) & b->pairs.mask) {
        const ix_pair_slot *s = &b->pairs.slots[i];
        if (s->key == key)
            return s;
        if (s->key == UINT64_MAX)
            return NULL;
    }
}

/* Bytes of the character that starts at p, told by its first byte alone, as SentencePiece does. */
static inline size_t ix_chunk(const char *p, size_t left)
{
    unsigned lead = (unsigned char)*p;
    size_t n = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return n < left ? n : left;
}

/* ---- words --------------------------------------------------------------------------------- */

typedef struct ix_symbol {
    uint32_t at, size;   /* in the text */
    int32_t id;          /* -1: never merges */
    uint32_t rank;       /* of merging with the next symbol; UINT32_MAX: never */
    int32_t merged;      /* the piece that this makes */
    uint32_t prev, next; /* links while merging; UINT32_MAX: none */
} ix_symbol;

/* Positions: ascending from items[head], or a heap whose least is items[head] (then head is 0). */
typedef struct ix_bucket {
    uint32_t *items;
    size_t head, end, capacity;
    uint32_t rank;
    int32_t merged;
    bool heap;
} ix_bucket;

typedef struct ix_bpe_windows ix_bpe_windows; /* of bpe_long.c */

/* Reused from word to word, for one ix_bpe. */
typedef struct ix_word {
    ix_symbol *symbols;
    size_t count, capacity;
    int32_t last_left, last_right; /* the last two that merged, but in windows */
    uint32_t *splits; /* NULL, or by id: bytes of its left part when a piece was last considered */
    /* Long words: the left symbols of pairs, a bucket for each rank. */
    ix_bucket *buckets;
    size_t bucket_count, bucket_capacity;
    size_t bucket_of_count;
    uint32_t *bucket_of; /* 1 + bucket of each rank; 0: none yet */
    ix_bucket ranks;     /* heap of the ranks whose buckets are not empty */
    ix_bpe_windows *windows;
} ix_word;

inox_status ix_word_add(ix_word *w, uint32_t at, uint32_t size, int32_t id,
                        inox_error *err) IX_MUST_USE;
/* Merges until nothing merges: symbols[0..count) are then the pieces, in order. */
inox_status ix_word_merge(const ix_bpe *b, ix_word *w, inox_error *err) IX_MUST_USE;
void ix_word_release(ix_word *w);

/* The two ways for long words: all at once, and in windows (bpe_long.c), where pairs merge by their
 * ranks alone (no splits, no keeps_stale). */
inox_status ix_word_merge_whole(const ix_bpe *b, ix_word *w, inox_error *err) IX_MUST_USE;
inox_status ix_word_merge_windows(const ix_bpe *b, ix_word *w, inox_error *err) IX_MUST_USE;
void ix_bpe_windows_free(ix_bpe_windows *s); /* NULL is fine */

enum { IX_BPE_SHORT = 32 };
/* The same for ids[0..n), n <= IX_BPE_SHORT, in place.  Returns how many are left; the k-th was
 * made of the symbols from first[k] on. */
size_t ix_bpe_merge_short(const ix_bpe *b, int32_t *ids, uint8_t *first, size_t n);

#endif
