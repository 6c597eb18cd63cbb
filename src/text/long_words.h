/* A bounded cache of words that word_cache.h does not hold: longer ones, and those of more tokens,
 * as words of other alphabets are in byte-level vocabularies.
 *
 *     line (256 bytes) = two slots, the newer first
 *     slot  = hash | size | count | tokens: id, and above it where it ends | the word's bytes
 *
 * A word has one line, so that nothing can make it slow.
 */
#ifndef IX_TEXT_LONG_WORDS_H
#define IX_TEXT_LONG_WORDS_H

#include "text/word_cache.h"

enum {
    IX_LONG_ROOM =
        120, /* for tokens, four bytes each, and bytes, of which a token has one at least */
    IX_LONG_TOKENS = IX_LONG_ROOM / 5,
};

typedef struct ix_long_slot {
    uint32_t hash;
    uint8_t size, count; /* size 0: empty */
    uint8_t tag;         /* for kinds of words, as in word_cache.h */
    uint8_t unused;
    union {
        uint32_t tokens[IX_LONG_ROOM / 4]; /* id | end << 24 */
        char bytes[IX_LONG_ROOM];          /* the word stands behind the tokens */
    } room;
} ix_long_slot;

typedef struct ix_long_words {
    ix_long_slot *slots;
    uint64_t factor;
    int shift;
    size_t puts; /* since it has this size */
} ix_long_words;

/* 256 KiB, which become up to 4 MiB as words are put into it. */
inox_status ix_long_words_new(ix_long_words *c, inox_error *err) IX_MUST_USE;
void ix_long_words_release(ix_long_words *c);

static inline uint64_t ix_long_hash(const ix_long_words *c, const char *p, size_t n)
{
    uint64_t h = n * c->factor, last = 0;
    const char *end = p + n;
    if (n < 8)
        memcpy(&last, p, n);
    else
        last = ix_load8(end - 8);
    for (; end - p > 8; p += 8)
        h = (h ^ h >> 29 ^ ix_load8(p)) * c->factor;
    h = (h ^ h >> 29 ^ last) * c->factor;
    return (h ^ h >> 32) * c->factor;
}

static inline ix_long_slot *ix_long_line(const ix_long_words *c, uint64_t hash)
{
    return &c->slots[(hash >> c->shift) * 2];
}

static inline const char *ix_long_bytes(const ix_long_slot *s)
{
    return s->room.bytes + s->count * sizeof *s->room.tokens;
}

/* The slot of the word p[0..n), or NULL. */
static inline const ix_long_slot *ix_long_find(const ix_long_words *c, const char *p, size_t n,
                                               unsigned tag, uint64_t hash)
{
    const ix_long_slot *line = ix_long_line(c, hash);
    for (int i = 0; i < 2; i++)
        if (line[i].hash == (uint32_t)hash && line[i].size == n && line[i].tag == tag &&
            memcmp(ix_long_bytes(&line[i]), p, n) == 0)
            return &line[i];
    return NULL;
}

static inline int32_t ix_long_id(const ix_long_slot *s, size_t k)
{
    return (int32_t)(s->room.tokens[k] & 0xFFFFFF);
}

/* The ids: writes up to IX_LONG_TOKENS, of which the first s->count count. */
static inline void ix_long_ids(const ix_long_slot *s, int32_t *ids)
{
    for (size_t k = 0; k < s->count; k += 4) {
        ix_four four;
        memcpy(&four, s->room.tokens + k, sizeof four);
        four &= 0xFFFFFF;
        memcpy(ids + k, &four, sizeof four);
    }
}

/* Where token k ends, from the word's first byte on. */
static inline size_t ix_long_end(const ix_long_slot *s, size_t k)
{
    return s->room.tokens[k] >> 24;
}

static inline void ix_long_prefetch(const ix_long_words *c, uint64_t hash)
{
    const ix_long_slot *line = ix_long_line(c, hash);
    __builtin_prefetch(line);
    __builtin_prefetch(line->room.bytes + IX_LONG_ROOM - 1);
}

/* Puts a word with its tokens, as slots have them, into its line if there is room for both. */
inox_status ix_long_put(ix_long_words *c, const char *p, size_t n, unsigned tag,
                        const uint32_t *tokens, size_t count, inox_error *err) IX_MUST_USE;

#endif
