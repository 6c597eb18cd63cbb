/* Lines of the cache of words as Unigram uses them: tokens without ranges, and a class.
 *
 *     line (64 bytes) = two words of few tokens, the newer first
 *                     | one word of many: its slot, and the rest of its ids where the other's are
 *     slot            = key of word_cache.h | 7 ids of 16 bits, then class and count
 *     wide slot       = key                 | 4 ids of 24 bits; class and count above the last
 *
 * Ids are wide where the vocabulary needs it.  Behind a word's last id stands one that is none.
 * Private to unigram_words.c.
 */
#ifndef IX_TEXT_UNIGRAM_CACHE_H
#define IX_TEXT_UNIGRAM_CACHE_H

#include "text/word_cache.h"

/* Of a slot, and of a line. */
enum { FEW = 7, MANY = 15, FEW_WIDE = 4, MANY_WIDE = 8 };

static inline size_t few_tokens(bool wide)
{
    return wide ? FEW_WIDE : FEW;
}

static inline size_t many_tokens(bool wide)
{
    return wide ? MANY_WIDE : MANY;
}

typedef uint16_t narrow_ids __attribute__((vector_size(16)));
typedef int32_t eight_ids __attribute__((vector_size(32)));

/* Writes the ids of a slot, 4 wide ones or 8, of which the last may be anything. */
static inline void slot_ids(const ix_cache_slot *s, bool wide, int32_t *ids)
{
    if (wide) {
        ix_cache_ids(s, ids);
    } else {
        narrow_ids narrow;
        memcpy(&narrow, s->ids, sizeof narrow);
        eight_ids all = __builtin_convertvector(narrow, eight_ids);
        memcpy(ids, &all, sizeof all);
    }
}

/* Reads as many. */
static inline void slot_set_ids(ix_cache_slot *s, bool wide, const int32_t *ids)
{
    if (wide) {
        memcpy(s->ids, ids, sizeof s->ids);
    } else {
        eight_ids all;
        memcpy(&all, ids, sizeof all);
        narrow_ids narrow = __builtin_convertvector(all, narrow_ids);
        memcpy(s->ids, &narrow, sizeof narrow);
    }
}

/* Of a slot with a key: class << 4 | number of tokens. */
static inline unsigned slot_meta(const ix_cache_slot *s, bool wide)
{
    uint16_t last;
    memcpy(&last, (const char *)s->ids + 14, sizeof last);
    return wide ? s->ids[3] >> 24 : last;
}

static inline void slot_set_meta(ix_cache_slot *s, bool wide, unsigned meta)
{
    uint16_t last = (uint16_t)meta;
    if (wide)
        s->ids[3] = (s->ids[3] & 0xFFFFFF) | meta << 24;
    else
        memcpy((char *)s->ids + 14, &last, sizeof last);
}

/* The slot of a line that has the key, without a branch for which of the two. */
static inline const ix_cache_slot *line_find(const ix_cache_slot *line, ix_cache_key key)
{
    bool second = ix_cache_same(&line[1], key);
    bool known = second | ix_cache_same(&line[0], key);
    return known ? line + second : NULL;
}

/* ids: many_tokens(wide) of them, of which `count` are the word's. */
static inline void line_put(ix_cache_slot *line, ix_cache_key key, bool wide, const int32_t *ids,
                            size_t count, unsigned class)
{
    bool was_many = (slot_meta(line, wide) & 15) > few_tokens(wide);
    line[1] = was_many ? (ix_cache_slot){ 0 } : line[0];
    if (count > few_tokens(wide)) {
        line[1].key = (ix_cache_key){ 0, 0 };
        slot_set_ids(&line[1], wide, ids + few_tokens(wide));
    }
    line[0].key = key;
    slot_set_ids(&line[0], wide, ids);
    slot_set_meta(&line[0], wide, class << 4 | (unsigned)count);
}

#endif
