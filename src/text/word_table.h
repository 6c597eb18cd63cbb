/* The words that are one token each, for all texts of a vocabulary: read-only and dense.
 *
 *     line (64 bytes) = the first 8 bytes of four words | 3 more bytes and the size of each | ids
 *
 * What a vocabulary has of words of up to 11 bytes stands here, the frequent ones (small ids) first
 * where a line has no room for all; others are for the cache (word_cache.h).  A word has one line,
 * and its four places are compared at once.
 */
#ifndef IX_TEXT_WORD_TABLE_H
#define IX_TEXT_WORD_TABLE_H

#include "text/word_cache.h"

enum { IX_TABLE_BYTES = 11, IX_TABLE_WAYS = 4 };

typedef struct ix_word_line {
    _Alignas(64) uint64_t low[IX_TABLE_WAYS]; /* vectors are read at once */
    uint32_t rest[IX_TABLE_WAYS];             /* 0: empty */
    int32_t ids[IX_TABLE_WAYS];
} ix_word_line;

typedef struct ix_word_table {
    const ix_word_line *lines;
    int shift;
    ix_word_line *own; /* NULL: the one empty line of all tables without words */
} ix_word_table;

/* Of no words. */
void ix_word_table_init(ix_word_table *t);
/* For `words` words, as far as they fit. */
inox_status ix_word_table_new(ix_word_table *t, size_t words, inox_error *err) IX_MUST_USE;
void ix_word_table_release(ix_word_table *t);
/* Adds a word if it has room; size is 1 to IX_TABLE_BYTES. */
void ix_word_table_add(ix_word_table *t, const char *word, size_t size, int32_t id);

/* The bytes 8 to 10 of a word and its size.  A longer one has a size that none here has. */
static inline uint32_t ix_table_rest(uint64_t high, size_t size)
{
    return ((uint32_t)high & 0xFFFFFF) | (uint32_t)(size < 15 ? size : 15) << 24;
}

/* Fixed: who chooses words for one line makes them miss there, and the cache has a secret. */
#define IX_TABLE_FACTOR_LOW 0x9E3779B97F4A7C15u
#define IX_TABLE_FACTOR_REST 0xC2B2AE3D27D4EB4Fu

static inline uint32_t ix_table_line(const ix_word_table *t, uint64_t low, uint32_t rest)
{
    return (uint32_t)((low * IX_TABLE_FACTOR_LOW + rest * IX_TABLE_FACTOR_REST) >> t->shift);
}

#endif
