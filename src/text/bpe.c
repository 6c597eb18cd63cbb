/* Merging the symbols of one word: always the pair of lowest rank, of equal ones the leftmost.
 *
 * Short words are scanned for their minimum.  Long ones keep a bucket of positions for each rank,
 * and a heap of the ranks.  Positions mostly arrive in ascending order, so that a bucket is a
 * queue; at the first that does not, it becomes a heap.  So a long run of one letter costs little
 * more than words do. Entries whose pair has changed since are skipped when they come up.
 */
#include "text/bpe.h"

#include "base/alloc.h"

#include <string.h>

enum { SHORT_WORD = 32 };
#define NO_RANK UINT32_MAX
#define NO_LINK UINT32_MAX

inox_status ix_word_add(ix_word *w, uint32_t at, uint32_t size, int32_t id, inox_error *err)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 64;
        IX_TRY(IX_REALLOC(&w->symbols, capacity, err));
        w->capacity = capacity;
    }
    w->symbols[w->count++] = (ix_symbol){ .at = at, .size = size, .id = id, .rank = NO_RANK };
    return INOX_OK;
}

void ix_word_release(ix_word *w)
{
    ix_free(w->symbols);
    for (size_t i = 0; i < w->bucket_capacity; i++)
        ix_free(w->buckets[i].items);
    ix_free(w->buckets);
    ix_free(w->bucket_of);
    ix_free(w->ranks.items);
    ix_free(w->splits);
}

/* Fills left->rank and left->merged for the pair (left, right). */
static inline void look_at_pair(const ix_tokenizer *t, const char *text, ix_word *w,
                                ix_symbol *left, const ix_symbol *right)
{
    left->rank = NO_RANK;
    if (t->by_text) {
        int32_t id = ix_piece_find(&t->table, text + left->at, right->at + right->size - left->at);
        if (id < 0)
            return;
        left->rank = t->order[id];
        left->merged = id;
        if (w->splits && t->types[id] == IX_PIECE_UNUSED)
            w->splits[id] = left->size;
    } else if (left->id >= 0 && right->id >= 0) {
        const ix_pair_slot *s = ix_pair_find(&t->merges, (uint32_t)left->id, (uint32_t)right->id);
        if (!s)
            return;
        left->rank = s->rank;
        left->merged = s->id;
    }
}

static void join(ix_symbol *left, const ix_symbol *right)
{
    left->size = right->at + right->size - left->at;
    left->id = left->merged;
}

static void merge_short(const ix_tokenizer *t, const char *text, ix_word *w)
{
    ix_symbol *s = w->symbols;
    for (size_t i = 0; i + 1 < w->count; i++)
        look_at_pair(t, text, w, &s[i], &s[i + 1]);
    for (;;) {
        size_t best = 0;
        uint32_t rank = NO_RANK;
        for (size_t i = 0; i + 1 < w->count; i++) {
            if (s[i].rank < rank) {
                rank = s[i].rank;
                best = i;
            }
        }
        if (rank == NO_RANK)
            return;
        join(&s[best], &s[best + 1]);
        w->count--;
        memmove(&s[best + 1], &s[best + 2], (w->count - best - 1) * sizeof *s);
        if (best > 0)
            look_at_pair(t, text, w, &s[best - 1], &s[best]);
        s[best].rank = NO_RANK;
        if (best + 1 < w->count)
            look_at_pair(t, text, w, &s[best], &s[best + 1]);
    }
}

/* ---- buckets ------------------------------------------------------------------------------- */

static void sift_up(uint32_t *items, size_t i)
{
    uint32_t item = items[i];
    for (; i > 0 && items[(i - 1) / 2] > item; i = (i - 1) / 2)
        items[i] = items[(i - 1) / 2];
    items[i] = item;
}

static inox_status bucket_push(ix_bucket *b, uint32_t item, inox_error *err)
{
    if (b->head == b->end)
        b->head = b->end = 0;
    if (!b->heap && b->end > b->head && item < b->items[b->end - 1]) {
        /* An ascending sequence is a heap. */
        memmove(b->items, b->items + b->head, (b->end - b->head) * sizeof *b->items);
        b->end -= b->head;
        b->head = 0;
        b->heap = true;
    }
    if (b->end == b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : 8;
        IX_TRY(IX_REALLOC(&b->items, capacity, err));
        b->capacity = capacity;
    }
    b->items[b->end++] = item;
    if (b->heap)
        sift_up(b->items, b->end - 1);
    return INOX_OK;
}

/* Takes the least item of a bucket that is not empty. */
static uint32_t bucket_pop(ix_bucket *b)
{
    if (!b->heap)
        return b->items[b->head++];
    uint32_t least = b->items[0], item = b->items[--b->end];
    size_t i = 0;
    for (;;) {
        size_t child = i * 2 + 1;
        if (child >= b->end)
            break;
        if (child + 1 < b->end && b->items[child + 1] < b->items[child])
            child++;
        if (b->items[child] >= item)
            break;
        b->items[i] = b->items[child];
        i = child;
    }
    b->items[i] = item;
    return least;
}

static inox_status new_bucket(ix_word *w, uint32_t rank, inox_error *err)
{
    if (w->bucket_count == w->bucket_capacity) {
        size_t capacity = w->bucket_capacity ? w->bucket_capacity * 2 : 64;
        IX_TRY(IX_REALLOC(&w->buckets, capacity, err));
        memset(w->buckets + w->bucket_capacity, 0,
               (capacity - w->bucket_capacity) * sizeof *w->buckets);
        w->bucket_capacity = capacity;
    }
    ix_bucket *b = &w->buckets[w->bucket_count++];
    b->head = b->end = 0;
    b->heap = false;
    b->rank = rank;
    w->bucket_of[rank] = (uint32_t)w->bucket_count;
    return INOX_OK;
}

/* Remembers the pair that starts at symbol i. */
static inox_status push_pair(ix_word *w, uint32_t i, inox_error *err)
{
    uint32_t rank = w->symbols[i].rank;
    if (rank == NO_RANK)
        return INOX_OK;
    if (w->bucket_of[rank] == 0)
        IX_TRY(new_bucket(w, rank, err));
    ix_bucket *b = &w->buckets[w->bucket_of[rank] - 1];
    if (b->head == b->end)
        IX_TRY(bucket_push(&w->ranks, rank, err));
    return bucket_push(b, i, err);
}

/* Joins symbol i with the next one and looks at its new neighbours, from left to right. */
static inox_status join_links(const ix_tokenizer *t, const char *text, ix_word *w, uint32_t i,
                              inox_error *err)
{
    ix_symbol *s = w->symbols, *right = &s[s[i].next];
    join(&s[i], right);
    s[i].next = right->next;
    right->size = 0;
    right->rank = s[i].rank = NO_RANK;
    if (s[i].prev != NO_LINK) {
        look_at_pair(t, text, w, &s[s[i].prev], &s[i]);
        IX_TRY(push_pair(w, s[i].prev, err));
    }
    if (s[i].next != NO_LINK) {
        s[s[i].next].prev = i;
        look_at_pair(t, text, w, &s[i], &s[s[i].next]);
        IX_TRY(push_pair(w, i, err));
    }
    return INOX_OK;
}

static inox_status merge_long(const ix_tokenizer *t, const char *text, ix_word *w, inox_error *err)
{
    ix_symbol *s = w->symbols;
    if (!w->bucket_of)
        IX_TRY(IX_ALLOC(&w->bucket_of, t->rank_count + 1, err));
    w->ranks.heap = true;
    for (size_t i = 0; i < w->count; i++) {
        s[i].prev = i > 0 ? (uint32_t)i - 1 : NO_LINK;
        s[i].next = i + 1 < w->count ? (uint32_t)i + 1 : NO_LINK;
        if (i + 1 < w->count)
            look_at_pair(t, text, w, &s[i], &s[i + 1]);
        IX_TRY(push_pair(w, (uint32_t)i, err));
    }
    while (w->ranks.end > 0) {
        uint32_t rank = w->ranks.items[0];
        ix_bucket *b = &w->buckets[w->bucket_of[rank] - 1];
        uint32_t i = bucket_pop(b);
        if (b->head == b->end)
            (void)bucket_pop(&w->ranks);
        if (s[i].rank == rank) /* else the pair is another one by now, or gone */
            IX_TRY(join_links(t, text, w, i, err));
    }
    for (size_t i = 0; i < w->bucket_count; i++)
        w->bucket_of[w->buckets[i].rank] = 0;
    w->bucket_count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++)
        if (s[i].size > 0)
            s[kept++] = s[i];
    w->count = kept;
    return INOX_OK;
}

inox_status ix_word_merge(const ix_tokenizer *t, const char *text, ix_word *w, inox_error *err)
{
    if (w->count > SHORT_WORD)
        return merge_long(t, text, w, err);
    merge_short(t, text, w);
    return INOX_OK;
}
