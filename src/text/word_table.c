/* Making the table of words.  See word_table.h. */
#include "text/word_table.h"

#include "base/alloc.h"

enum {
    SLOTS_LOG2_MIN = 10, /* with few spots, words of a bucket would have the same */
    SLOTS_LOG2_MAX = 17, /* 2 MiB: what is asked for often should stay in a core's own caches */
    BUCKET_LOG2 = 3,     /* slots to a bucket */
    LOOKS = 128          /* at slots for each one there is, in all: vocabularies need 2 to 25 */
};

/* Words for so many slots: with more, pilots for the last buckets would be rare. */
static size_t words_max(size_t slots)
{
    return slots - slots / 16 * 3;
}

void ix_word_table_init(ix_word_table *t)
{
    static const ix_word_slot empty[2];
    static const uint16_t pilots[3]; /* of two buckets */
    *t = (ix_word_table){ .slots = empty, .pilots = pilots, .spots = 1, .shift = 63 };
}

void ix_word_table_release(ix_word_table *t)
{
    ix_free_aligned(t->own_slots);
    ix_free(t->own_pilots);
    ix_word_table_init(t);
}

ix_word_slot ix_word_slot_of(const char *word, size_t size, int32_t id)
{
    ix_cache_key key = ix_cache_key_of(word, size, 0, false);
    return (ix_word_slot){ key.low, ix_table_rest(key.high, size), id };
}

/* The words of the buckets, those of bucket b being order[ends[b - 1]..ends[b]). */
typedef struct buckets {
    const ix_word_slot *words;
    size_t count;
    uint32_t *ends, *order;
    uint64_t *taken; /* a bit for each slot */
    uint64_t looks;
} buckets;

static bool is_taken(const buckets *b, uint32_t slot)
{
    return (b->taken[slot / 64] >> slot % 64 & 1) != 0;
}

static size_t bucket_count(const ix_word_table *t)
{
    return (size_t)1 << (64 - t->shift);
}

static size_t bucket_of(const ix_word_table *t, const ix_word_slot *word)
{
    return (size_t)(ix_table_hash(word->low, word->rest) >> t->shift);
}

static void sort_into_buckets(const ix_word_table *t, buckets *b)
{
    for (size_t i = 0; i < b->count; i++)
        b->ends[bucket_of(t, &b->words[i])]++;
    uint32_t before = 0;
    for (size_t i = 0; i < bucket_count(t); i++) {
        uint32_t size = b->ends[i];
        b->ends[i] = before; /* until its words are there */
        before += size;
    }
    for (uint32_t i = 0; i < b->count; i++)
        b->order[b->ends[bucket_of(t, &b->words[i])]++] = i;
}

static uint32_t slot_of(const ix_word_table *t, const ix_word_slot *word)
{
    return ix_table_slot(t, ix_table_hash(word->low, word->rest));
}

/* Puts a word where its bucket's pilot has it, if that is free. */
static void place_word(ix_word_table *t, buckets *b, const ix_word_slot *word)
{
    uint32_t slot = slot_of(t, word);
    if (is_taken(b, slot))
        return;
    b->taken[slot / 64] |= (uint64_t)1 << slot % 64;
    t->own_slots[slot] = *word;
}

/* A pilot for bucket k that has all its words in free slots, if there is one.  Words with the same
 * spot never come apart: the first takes the slot. */
static void place_bucket(ix_word_table *t, buckets *b, size_t k)
{
    const uint32_t *first = b->order + (k > 0 ? b->ends[k - 1] : 0), *end = b->order + b->ends[k];
    const uint32_t pilots = (t->spots + 1) / 2; /* a slot changes by twice a pilot */
    for (uint32_t pilot = 0; pilot < pilots && b->looks > 0; pilot++) {
        const uint32_t *i = first;
        t->own_pilots[k] = (uint16_t)pilot;
        while (i < end && !is_taken(b, slot_of(t, &b->words[*i])))
            i++;
        if (i == end)
            break;
        uint64_t looks = (uint64_t)(i - first) + 1;
        b->looks -= looks < b->looks ? looks : b->looks;
    }
    for (const uint32_t *i = first; i < end; i++)
        place_word(t, b, &b->words[*i]);
}

/* The large buckets first, while there is much room. */
static void place_all(ix_word_table *t, buckets *b)
{
    enum { LARGE = 32 };
    const size_t n = bucket_count(t);
    for (uint32_t now = LARGE; now > 0; now--) {
        for (size_t k = 0; k < n; k++) {
            uint32_t size = b->ends[k] - (k > 0 ? b->ends[k - 1] : 0);
            if ((size < LARGE ? size : LARGE) == now)
                place_bucket(t, b, k);
        }
    }
}

inox_status ix_word_table_new(ix_word_table *t, const ix_word_slot *words, size_t count,
                              inox_error *err)
{
    int log2 = SLOTS_LOG2_MIN;
    ix_word_table_init(t);
    while (log2 < SLOTS_LOG2_MAX && words_max((size_t)1 << log2) < count)
        log2++;
    const size_t slots = (size_t)1 << log2, most = words_max(slots);
    buckets b = { words, count < most ? count : most, .looks = (uint64_t)LOOKS * slots };
    ix_arena arena = { 0 };
    inox_status status = ix_alloc_table(sizeof *t->own_slots * slots, (void **)&t->own_slots, err);
    if (status == INOX_OK) /* 32 bits are read at the last one too */
        status = IX_ALLOC(&t->own_pilots, (slots >> BUCKET_LOG2) + 1, err);
    if (status == INOX_OK)
        status = IX_ARENA(&arena, &b.ends, slots >> BUCKET_LOG2, err);
    if (status == INOX_OK)
        status = IX_ARENA(&arena, &b.order, b.count + 1, err);
    if (status == INOX_OK)
        status = IX_ARENA(&arena, &b.taken, slots / 64 + 1, err);
    if (status == INOX_OK) {
        t->slots = t->own_slots;
        t->pilots = t->own_pilots;
        t->spots = (uint32_t)slots - 1;
        t->shift = 64 - (log2 - BUCKET_LOG2);
        sort_into_buckets(t, &b);
        place_all(t, &b);
    } else {
        ix_word_table_release(t);
    }
    ix_arena_release(&arena);
    return status;
}
