/* The tables of a vocabulary: pieces by their bytes, merges by pairs, spellings of special tokens.
 *
 * Hash tables are open addressing with secret random multipliers, so that nobody can write a
 * vocabulary that makes them slow.  They never change after they are built.
 */
#ifndef IX_TEXT_VOCAB_H
#define IX_TEXT_VOCAB_H

#include "text/first_bytes.h"
#include "text/tokenizer.h"

/* ---- bytes to id --------------------------------------------------------------------------- */

typedef struct ix_piece_slot {
    uint32_t tag; /* high bits of the hash */
    int32_t id;   /* -1: empty */
} ix_piece_slot;

typedef struct ix_piece_table {
    ix_piece_slot *slots;
    uint64_t mask, seed, factor;
    const ix_text_view *bytes; /* by id */
    size_t longest;            /* bytes of the longest piece in the table */
} ix_piece_table;

/* bytes[id] for every id < count; entries with data NULL or size 0 are left out, and of equal ones
 * the last is found.  `bytes` stays the caller's and must outlive the table. */
inox_status ix_piece_table_new(ix_piece_table *t, const ix_text_view *bytes, size_t count,
                               inox_error *err) IX_MUST_USE;
void ix_piece_table_release(ix_piece_table *t);
int32_t ix_piece_find(const ix_piece_table *t, const char *bytes, size_t size); /* or -1 */

/* ---- pair to value ------------------------------------------------------------------------- */

typedef struct ix_pair_slot {
    uint64_t key; /* left << 32 | right */
    uint32_t rank;
    int32_t id;
} ix_pair_slot;

typedef struct ix_pair_table {
    ix_pair_slot *slots;
    uint64_t seed, factor, mask;
    int shift;
    size_t count;
} ix_pair_table;

/* Room for `most` pairs. */
inox_status ix_pair_table_new(ix_pair_table *t, size_t most, inox_error *err) IX_MUST_USE;
void ix_pair_table_release(ix_pair_table *t);
/* Adds a pair unless it is there, and returns its slot. */
ix_pair_slot *ix_pair_add(ix_pair_table *t, uint32_t left, uint32_t right, uint32_t rank,
                          int32_t id);

static inline const ix_pair_slot *ix_pair_find(const ix_pair_table *t, uint32_t left,
                                               uint32_t right)
{
    uint64_t key = (uint64_t)left << 32 | right;
    for (uint64_t i = (key ^ t->seed) * t->factor >> t->shift;; i = (i + 1) & t->mask) {
        const ix_pair_slot *s = &t->slots[i];
        if (s->key == key)
            return s;
        if (s->key == UINT64_MAX)
            return NULL;
    }
}

/* ---- special tokens inside text ------------------------------------------------------------ */

enum {
    IX_SPECIAL_BYTES_MAX = 1024
}; /* a longer spelling is not looked for: it keeps search linear */

typedef struct ix_special_trie {
    ix_pair_table edges;    /* (node, byte) -> node */
    int32_t *tokens;        /* of each node, or -1 */
    size_t count, capacity; /* of nodes; node 0 is the root */
    ix_first_bytes first;   /* of the spellings */
    bool any;
} ix_special_trie;

/* Room for spellings of `bytes` bytes together. */
inox_status ix_special_trie_new(ix_special_trie *t, size_t bytes, inox_error *err) IX_MUST_USE;
void ix_special_trie_release(ix_special_trie *t);
void ix_special_add(ix_special_trie *t, const char *spelling, size_t size, int32_t token);
/* Longest spelling that text[0..size) begins with: its token and *length, or -1. */
int32_t ix_special_match(const ix_special_trie *t, const char *text, size_t size, size_t *length);

#endif
