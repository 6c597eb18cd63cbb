/* A bounded cache of short words and their tokens: what makes repeated words cheap.
 *
 *     line (64 bytes) = two slots, the newer first
 *     slot  = 15 bytes of the word | tag and size | up to four ids and where their tokens end
 *
 * A word has one line, so that nothing can make it slow, and a slot is found by one look at memory.
 * Ids are below 2^24 (IX_MAX_VOCAB).
 */
#ifndef IX_TEXT_WORD_CACHE_H
#define IX_TEXT_WORD_CACHE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { IX_CACHED_BYTES = 15, IX_CACHED_TOKENS = 4 };

typedef struct ix_cache_key {
    uint64_t low, high; /* the bytes, little-endian, then zeros; the highest byte: tag | size */
} ix_cache_key;

typedef struct ix_cache_slot {
    ix_cache_key key; /* high 0: empty */
    uint32_t ids[3];  /* 24 bits each; the highest bytes are those of the fourth */
    uint32_t info;    /* number of tokens | ends of the first three << 4, 8, 12 */
} ix_cache_slot;

typedef struct ix_word_cache {
    ix_cache_slot *slots;
    uint64_t factor, factor_high;
    int shift;
} ix_word_cache;

/* 2^lines_log2 lines. */
inox_status ix_word_cache_new(ix_word_cache *c, int lines_log2, inox_error *err) IX_MUST_USE;
void ix_word_cache_release(ix_word_cache *c);

/* Eight bytes as a number whose lowest byte is the first. */
static inline uint64_t ix_load8(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* n is 1 to IX_CACHED_BYTES.  tag: 0 or 1, for two kinds of words.  readable: 16 bytes may be read
 * at p. */
static inline ix_cache_key ix_cache_key_of(const char *p, size_t n, unsigned tag, bool readable)
{
    char copy[16] = { 0 };
    if (!readable) {
        memcpy(copy, p, n);
        p = copy;
    }
    uint64_t low = ix_load8(p), high = ix_load8(p + 8);
    unsigned bits = (unsigned)(n & 7) * 8;
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    bool one = n < 8;
    low &= one ? mask : UINT64_MAX;
    high &= one ? 0 : mask;
    return (ix_cache_key){ low, high | (uint64_t)(n | tag << 4) << 56 };
}

/* The line of a key. */
static inline ix_cache_slot *ix_cache_line(const ix_word_cache *c, ix_cache_key key)
{
    uint64_t h = key.low * c->factor ^ key.high * c->factor_high;
    h = (h ^ h >> 32) * c->factor;
    return &c->slots[(h >> c->shift) * 2];
}

static inline bool ix_cache_same(const ix_cache_slot *s, ix_cache_key key)
{
    return s->key.low == key.low && s->key.high == key.high;
}

static inline const ix_cache_slot *ix_cache_find(const ix_cache_slot *line, ix_cache_key key)
{
    if (ix_cache_same(&line[0], key))
        return &line[0];
    return ix_cache_same(&line[1], key) ? &line[1] : NULL;
}

/* Token k of n of a slot, and where it ends in a word of `size` bytes. */
static inline int32_t ix_cache_token(const ix_cache_slot *s, size_t k, size_t n, size_t size,
                                     size_t *end)
{
    *end = k + 1 == n ? size : s->info >> (4 * k + 4) & 15;
    if (k < 3)
        return (int32_t)(s->ids[k] & 0xFFFFFF);
    return (int32_t)(s->ids[0] >> 24 | s->ids[1] >> 24 << 8 | s->ids[2] >> 24 << 16);
}

/* Puts a word of n <= IX_CACHED_TOKENS tokens into its line. */
static inline void ix_cache_put(ix_cache_slot *line, ix_cache_key key, const int32_t *ids,
                                const uint8_t *ends, size_t n)
{
    ix_cache_slot s = { .key = key, .info = (uint32_t)n };
    for (size_t k = 0; k < n && k < 3; k++) {
        s.ids[k] = (uint32_t)ids[k] & 0xFFFFFF;
        s.info |= (uint32_t)(ends[k] & 15) << (4 * k + 4);
    }
    for (size_t k = 0; k < 3 && n == 4; k++)
        s.ids[k] |= (uint32_t)(ids[3] >> (8 * k) & 255) << 24;
    line[1] = line[0];
    line[0] = s;
}

#endif
