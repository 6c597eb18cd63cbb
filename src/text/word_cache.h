/* A bounded cache of short words and their tokens: what makes repeated words cheap.
 *
 *     line (64 bytes) = two slots, the newer first
 *     slot  = 15 bytes of the word | tag and size | four ids of 24 bits, each below one byte of
 *             what is known about its token
 *
 *     that byte of the first id:  number of tokens
 *     that of the k-th:           start of token k << 4 | end of token k - 1
 *
 * A word has one line, so that nothing can make it slow, and a slot is found by one look at memory.
 * Four ids are always read and written at once: cheaper than asking how many.  Ids are below 2^24
 * (IX_MAX_VOCAB).
 */
#ifndef IX_TEXT_WORD_CACHE_H
#define IX_TEXT_WORD_CACHE_H

#include "base/status.h"
#include "text/load.h"

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
    uint32_t ids[IX_CACHED_TOKENS];
} ix_cache_slot;

typedef uint32_t ix_four __attribute__((vector_size(16)));

typedef struct ix_word_cache {
    ix_cache_slot *slots;
    uint64_t factor, factor_high;
    int shift;
} ix_word_cache;

/* 2^lines_log2 lines. */
inox_status ix_word_cache_new(ix_word_cache *c, int lines_log2, inox_error *err) IX_MUST_USE;
/* Makes it larger; words stay. */
inox_status ix_word_cache_grow(ix_word_cache *c, int lines_log2, inox_error *err) IX_MUST_USE;
void ix_word_cache_release(ix_word_cache *c);

/* Ones where the first n bytes are. */
extern const ix_cache_key ix_cache_masks[IX_CACHED_BYTES + 1];

/* What stands in the highest byte of a key. */
static inline uint64_t ix_cache_size(size_t n, unsigned tag)
{
    return (uint64_t)(n | tag << 4) << 56;
}

/* n is 1 to IX_CACHED_BYTES, or 0 with a tag.  tag: 0 to 15, for kinds of words.  readable: 16
 * bytes may be read at p. */
static inline ix_cache_key ix_cache_key_of(const char *p, size_t n, unsigned tag, bool readable)
{
    if (!readable)
        return (ix_cache_key){ ix_load_some(p, n < 8 ? n : 8),
                               (n > 8 ? ix_load_some(p + 8, n - 8) : 0) | ix_cache_size(n, tag) };
    const ix_cache_key *mask = &ix_cache_masks[n];
    return (ix_cache_key){ ix_load8(p) & mask->low,
                           (ix_load8(p + 8) & mask->high) | ix_cache_size(n, tag) };
}

static inline uint64_t ix_cache_hash(const ix_word_cache *c, ix_cache_key key)
{
    uint64_t h = key.low * c->factor ^ key.high * c->factor_high;
    return (h ^ h >> 32) * c->factor;
}

/* The line of a key. */
static inline ix_cache_slot *ix_cache_line(const ix_word_cache *c, ix_cache_key key)
{
    return &c->slots[(ix_cache_hash(c, key) >> c->shift) * 2];
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

static inline size_t ix_cache_count(const ix_cache_slot *s)
{
    return s->ids[0] >> 24;
}

/* Token k of a slot, and its bytes of the word, which has `size`. */
static inline int32_t ix_cache_token(const ix_cache_slot *s, size_t k, size_t size, size_t *from,
                                     size_t *to)
{
    *from = k == 0 ? 0 : s->ids[k] >> 28;
    *to = k + 1 == ix_cache_count(s) ? size : s->ids[k + 1] >> 24 & 15;
    return (int32_t)(s->ids[k] & 0xFFFFFF);
}

/* The tokens of a word of `size` bytes that begins at `at`: writes four of each, of which the first
 * ix_cache_count(s) count. */
static inline void ix_cache_ids(const ix_cache_slot *s, int32_t *ids)
{
    ix_four four;
    memcpy(&four, s->ids, sizeof four);
    four &= 0xFFFFFF;
    memcpy(ids, &four, sizeof four);
}

static inline void ix_cache_ranges(const ix_cache_slot *s, uint32_t at, uint32_t size,
                                   uint32_t *starts, uint32_t *ends)
{
    ix_four four;
    memcpy(&four, s->ids, sizeof four);
    ix_four start = (four >> 28) + at, end = (four >> 24 & 15) + at;
    memcpy(starts, &start, sizeof start);
    memcpy(ends, (const uint32_t *)&end + 1, sizeof end - sizeof *ends);
    ends[IX_CACHED_TOKENS - 1] = at + size;
}

/* Puts a slot of another cache into its line. */
static inline void ix_cache_copy(ix_cache_slot *line, const ix_cache_slot *slot)
{
    line[1] = line[0];
    line[0] = *slot;
}

/* A token of a word that is put into the cache. */
typedef struct ix_cached {
    int32_t id;
    uint8_t start, end; /* bytes of the word */
} ix_cached;

/* Puts a word of n tokens, n <= IX_CACHED_TOKENS, into its line.  The first begins where the word
 * begins, the last ends where it ends. */
static inline void ix_cache_put(ix_cache_slot *line, ix_cache_key key, const ix_cached *tokens,
                                size_t n)
{
    ix_cache_slot s = { .key = key };
    uint32_t size = n > 0 ? tokens[n - 1].end & 15u : 0;
    for (size_t k = 0; k < IX_CACHED_TOKENS; k++) {
        uint32_t start = k < n ? tokens[k].start & 15u : size;
        uint32_t end = k > 0 && k <= n ? tokens[k - 1].end & 15u : size;
        s.ids[k] = (k < n ? (uint32_t)tokens[k].id & 0xFFFFFF : 0) |
                   (k == 0 ? (uint32_t)n : start << 4 | end) << 24;
    }
    ix_cache_copy(line, &s);
}

#endif
