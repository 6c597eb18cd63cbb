/* The words that are one token each, for all texts of a vocabulary: read-only, dense, and each word
 * in the only place where it can be.
 *
 *     hash (64 bits) = bucket ... | spot (17 bits at most) | 32 bits
 *     slot = spot ^ pilots[bucket] * 2     (16 bytes: the word's bytes, its size, its id)
 *
 * A bucket has about eight words.  Its pilot is chosen when the table is made, so that all of them
 * find slots of their own (hash and displace; Belazzougui, Botelho and Dietzfelbinger 2009, with
 * the pilots of Pibiri and Trani 2021).  A word is then found without a branch: many are looked up
 * at once.
 *
 * What a vocabulary has of words of up to 11 bytes stands here, as far as there is room, smaller
 * ids first: those are the frequent ones.  Others are for the cache (word_cache.h).
 */
#ifndef IX_TEXT_WORD_TABLE_H
#define IX_TEXT_WORD_TABLE_H

#include "text/word_cache.h"

enum { IX_TABLE_BYTES = 11 };

typedef struct ix_word_slot {
    uint64_t low;  /* bytes 0 to 7 */
    uint32_t rest; /* ix_table_rest(); 0: empty */
    int32_t id;
} ix_word_slot;

typedef struct ix_word_table {
    const ix_word_slot *slots;
    const uint16_t *pilots; /* 32 bits can be read at each */
    uint32_t spots;         /* the highest */
    int shift;              /* of a hash: leaves the bucket, 14 bits at most */
    ix_word_slot *own_slots;
    uint16_t *own_pilots;
} ix_word_table;

/* Of no words. */
void ix_word_table_init(ix_word_table *t);
/* Of `count` words, as far as they fit, the first ones first; of equal ones the first.  A word that
 * is left out is one that has to be looked for elsewhere. */
inox_status ix_word_table_new(ix_word_table *t, const ix_word_slot *words, size_t count,
                              inox_error *err) IX_MUST_USE;
void ix_word_table_release(ix_word_table *t);
/* The slot of a word, but for its place; size is 1 to IX_TABLE_BYTES. */
ix_word_slot ix_word_slot_of(const char *word, size_t size, int32_t id);

/* The bytes 8 to 10 of a word and its size.  A longer one has a size that none here has. */
static inline uint32_t ix_table_rest(uint64_t high, size_t size)
{
    return ((uint32_t)high & 0xFFFFFF) | (uint32_t)(size < 15 ? size : 15) << 24;
}

/* Fixed: who chooses words for one bucket makes them miss here, and the cache has a secret. */
#define IX_TABLE_FACTOR_LOW 0x9E3779B97F4A7C15u
#define IX_TABLE_FACTOR_REST 0xC2B2AE3Du /* 32 bits, as what it multiplies */

static inline uint64_t ix_table_hash(uint64_t low, uint32_t rest)
{
    return (low ^ (uint64_t)rest * IX_TABLE_FACTOR_REST) * IX_TABLE_FACTOR_LOW;
}

static inline uint32_t ix_table_slot(const ix_word_table *t, uint64_t hash)
{
    return ((uint32_t)(hash >> 32) & t->spots) ^ (uint32_t)t->pilots[hash >> t->shift] << 1;
}

#endif
