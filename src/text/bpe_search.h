/* Byte-pair encoding without merging: the pieces of a word by search.
 *
 * A list of pieces is what merging gives exactly if each two neighbours are what merging gives for
 * the two of them alone.  So: take the longest piece, then the longest behind it that may stand
 * there, and so on; where none may, go back and take a shorter one.  A place from which there is
 * no way on is remembered, so that the time is linear in the word.
 *
 * (The method is that of the crate "bpe" by GitHub.)  Whether two pieces may stand side by side is
 * told from how they are made, where parts have smaller ranks than the piece.  Vocabularies that
 * were put together of several (Llama 3) have a few pieces where it is not so: for these odd ones,
 * and those made of them, the two are merged to see.
 */
#ifndef IX_TEXT_BPE_SEARCH_H
#define IX_TEXT_BPE_SEARCH_H

#include "text/bpe_merge.h"
#include "text/trie.h"

/* What merging makes, how it is made at last: every piece is made of the same two. */
typedef struct ix_bpe_made {
    int32_t left, right;
    uint32_t rank : 31; /* 1 + that of the pair; 0: a byte */
    uint32_t odd : 1;   /* a part of it has a greater rank, or is odd */
    int32_t shorter;    /* the longest piece that this begins with, or -1 */
} ix_bpe_made;

typedef struct ix_bpe_search {
    ix_bpe_made *pieces; /* by id */
    uint16_t *sizes;     /* bytes of each; 0: merging never makes it */
    bool some_odd;
    ix_bpe pairs; /* those that make something */
    ix_trie trie;
} ix_bpe_search;

/* entries: pieces as bytes, with their ids (NULL: the places).  *usable false: not a vocabulary for
 * this, merging must do. */
inox_status ix_bpe_search_new(ix_bpe_search *s, const ix_bpe *bpe, const int32_t byte_ids[256],
                              const ix_text_view *entries, const int32_t *ids, size_t count,
                              bool *usable, inox_error *err) IX_MUST_USE;
void ix_bpe_search_release(ix_bpe_search *s);

/* What was found out about pairs of pieces, by their hash: left << 32 | right, and the highest bit
 * where they may stand side by side.  Zeros to begin with; of one search. */
enum { IX_BPE_MEMO_BITS = 14 };
typedef struct ix_bpe_memo {
    uint64_t pairs[1 << IX_BPE_MEMO_BITS];
} ix_bpe_memo;

/* Whether two pieces may stand side by side; with how they are made, which may be at hand. */
bool ix_bpe_side_by_side(const ix_bpe_search *s, int32_t left, const ix_bpe_made *l, int32_t right,
                         const ix_bpe_made *r);

static inline uint64_t ix_bpe_memo_key(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right | (uint64_t)1 << 62;
}

static inline uint64_t *ix_bpe_memo_slot(ix_bpe_memo *memo, uint64_t key)
{
    return &memo->pairs[key * 0x9E3779B97F4A7C15u >> (64 - IX_BPE_MEMO_BITS)];
}

/* Asks for what ix_bpe_may_stand looks at first. */
static inline void ix_bpe_ask(const ix_bpe_search *s, ix_bpe_memo *memo, int32_t left,
                              const ix_bpe_made *l, int32_t right, const ix_bpe_made *r)
{
    __builtin_prefetch(ix_bpe_memo_slot(memo, ix_bpe_memo_key(left, right)));
    __builtin_prefetch(&s->pieces[l->rank > r->rank ? l->right : r->left]);
    ix_bpe_ask_pair(&s->pairs, left, right);
}

/* The same.  Pairs come again and again, in new words too. */
static inline bool ix_bpe_may_stand(const ix_bpe_search *s, ix_bpe_memo *memo, int32_t left,
                                    const ix_bpe_made *l, int32_t right, const ix_bpe_made *r)
{
    uint64_t key = ix_bpe_memo_key(left, right), *slot = ix_bpe_memo_slot(memo, key);
    if ((*slot & ~((uint64_t)1 << 63)) == key)
        return *slot >> 63;
    bool may = ix_bpe_side_by_side(s, left, l, right, r);
    *slot = key | (uint64_t)may << 63;
    return may;
}

/* Pieces of p[0..n) into ids, which has room for n; returns how many.  0: the word is one of those
 * where much is tried in vain (a long row of dashes), and merging is quicker.  blocked: n / 64 + 1
 * numbers of zero; zero again afterwards only where nothing was blocked. */
size_t ix_bpe_search_run(const ix_bpe_search *s, ix_bpe_memo *memo, const char *p, size_t n,
                         int32_t *ids, uint64_t *blocked);

#endif
