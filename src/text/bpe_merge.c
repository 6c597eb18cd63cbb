/* Merging the symbols of one word.  See bpe_merge.h.
 *
 * Short words are scanned for their minimum: rank and place of each pair share a number, so that
 * the least number is the pair.  Long ones keep a bucket of positions for each rank, and a heap of
 * the ranks.  Positions mostly arrive in ascending order, so that a bucket is a queue; at the
 * first that does not, it becomes a heap.  So a long run of one letter costs little more than words
 * do. Entries whose pair has changed since are skipped when they come up.
 */
#include "text/bpe_merge.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <string.h>

#define NO_RANK UINT32_MAX
#define NO_LINK UINT32_MAX

/* ---- pairs --------------------------------------------------------------------------------- */

enum { FILTER_BITS = 3 }; /* the filter has 2^3 bits for each slot of the table */

inox_status ix_bpe_new(ix_bpe *b, size_t most, size_t rank_count, inox_error *err)
{
    *b = (ix_bpe){ .rank_count = rank_count };
    IX_TRY(ix_pair_table_new(&b->pairs, most, err));
    b->filter_shift = b->pairs.shift - FILTER_BITS;
    return IX_ALLOC(&b->filter, (size_t)1 << (64 - b->filter_shift - 6), err);
}

void ix_bpe_release(ix_bpe *b)
{
    ix_pair_table_release(&b->pairs);
    ix_pair_table_release(&b->symbols);
    ix_free(b->filter);
    b->filter = NULL;
}

void ix_bpe_add(ix_bpe *b, int32_t left, int32_t right, uint32_t rank, int32_t id, bool replace)
{
    ix_pair_slot *s = ix_pair_add(&b->pairs, (uint32_t)left, (uint32_t)right, rank, id);
    if (replace) {
        s->rank = rank;
        s->id = id;
    }
    uint64_t bit = (s->key ^ b->pairs.seed) * b->pairs.factor >> b->filter_shift;
    b->filter[bit >> 6] |= (uint64_t)1 << (bit & 63);
}

uint32_t ix_bpe_order_of_score(float score)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    if ((bits & 0x7FFFFFFF) > 0x7F800000)
        return UINT32_MAX - 1;
    if (bits == 0x80000000) /* -0 */
        bits = 0;
    return bits & 0x80000000 ? bits : 0x7FFFFFFF - bits;
}

/* A radix sort. */
inox_status ix_bpe_make_dense(uint32_t *order, size_t count, size_t *distinct, inox_error *err)
{
    uint64_t *from = NULL, *to = NULL;
    inox_status status = IX_ALLOC(&from, count, err);
    if (status == INOX_OK)
        status = IX_ALLOC(&to, count, err);
    size_t n = 0;
    for (size_t i = 0; i < count && status == INOX_OK; i++)
        if (order[i] != UINT32_MAX)
            from[n++] = (uint64_t)order[i] << 32 | i;
    for (int shift = 32; shift < 64 && status == INOX_OK; shift += 8) {
        size_t next[257] = { 0 };
        for (size_t i = 0; i < n; i++)
            next[(from[i] >> shift & 255) + 1]++;
        for (int k = 1; k < 257; k++)
            next[k] += next[k - 1];
        for (size_t i = 0; i < n; i++)
            to[next[from[i] >> shift & 255]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    *distinct = 0;
    for (size_t i = 0; i < n && status == INOX_OK; i++) {
        if (i > 0 && from[i] >> 32 != from[i - 1] >> 32)
            ++*distinct;
        order[(uint32_t)from[i]] = (uint32_t)*distinct;
    }
    ++*distinct;
    ix_free(from);
    ix_free(to);
    return status;
}

static size_t symbol_size(const char *p, size_t left, bool bytes)
{
    return bytes ? 1 : ix_chunk(p, left);
}

/* Gives every character of every piece a symbol: its piece, or a number behind the pieces. */
static inox_status add_symbols(ix_bpe *b, const ix_piece_table *table, size_t count, bool bytes,
                               inox_error *err)
{
    size_t room = 0, extra = 0;
    for (size_t id = 0; id < count; id++)
        room += table->bytes[id].data ? table->bytes[id].size : 0;
    IX_TRY(ix_pair_table_new(&b->symbols, bytes || room < 256 ? 256 : room, err));
    for (size_t id = 0; id < count; id++) {
        ix_text_view p = table->bytes[id];
        for (size_t at = 0, n; p.data && at < p.size; at += n) {
            n = symbol_size(p.data + at, p.size - at, bytes);
            if (ix_bpe_symbol(b, p.data + at, n) >= 0)
                continue;
            uint32_t packed = 0;
            for (size_t i = 0; i < n; i++)
                packed = packed << 8 | (unsigned char)p.data[at + i];
            int32_t symbol = ix_piece_find(table, p.data + at, n);
            if (symbol < 0)
                symbol = (int32_t)(count + extra++);
            (void)ix_pair_add(&b->symbols, packed, (uint32_t)n, 0, symbol);
        }
    }
    return INOX_OK;
}

/* The symbol that text[0..size) may be by the time it merges with a neighbour, or -1. */
static int32_t part(const ix_bpe *b, const ix_piece_table *table, const uint32_t *order,
                    const char *p, size_t size, bool bytes)
{
    if (size == symbol_size(p, size, bytes))
        return ix_bpe_symbol(b, p, size);
    int32_t id = ix_piece_find(table, p, size);
    return id >= 0 && order[id] != UINT32_MAX ? id : -1;
}

inox_status ix_bpe_from_pieces(ix_bpe *b, const ix_piece_table *table, size_t count,
                               const uint32_t *order, size_t rank_count, bool bytes,
                               inox_error *err)
{
    ix_pair_table symbols = { 0 };
    *b = (ix_bpe){ 0 };
    IX_TRY(add_symbols(b, table, count, bytes, err));
    symbols = b->symbols;
    for (int round = 0; round < 2; round++) { /* count, then add */
        size_t found = 0;
        for (size_t id = 0; id < count; id++) {
            ix_text_view p = table->bytes[id];
            if (!p.data || p.size < 2 || order[id] == UINT32_MAX ||
                ix_piece_find(table, p.data, p.size) != (int32_t)id)
                continue;
            if (p.size > IX_MAX_MERGED_PIECE)
                return ix_fail(err, INOX_E_LIMIT, "piece %zu has %zu bytes, more than %d", id,
                               p.size, IX_MAX_MERGED_PIECE);
            for (size_t at = symbol_size(p.data, p.size, bytes); at < p.size;
                 at += symbol_size(p.data + at, p.size - at, bytes)) {
                int32_t left = part(b, table, order, p.data, at, bytes);
                int32_t right =
                    left < 0 ? -1 : part(b, table, order, p.data + at, p.size - at, bytes);
                if (right < 0)
                    continue;
                found++;
                if (round == 1)
                    ix_bpe_add(b, left, right, order[id], (int32_t)id, false);
            }
        }
        if (round == 0) {
            inox_status status = ix_bpe_new(b, found, rank_count, err);
            b->symbols = symbols;
            IX_TRY(status);
        }
    }
    return INOX_OK;
}

/* ---- words --------------------------------------------------------------------------------- */

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
    ix_bpe_windows_free(w->windows);
}

/* ---- short words ----------------------------------------------------------------------------- */

enum { PLACE_BITS = 5 }; /* 2^5 is IX_BPE_SHORT */
#define RANKS_MAX (UINT32_MAX >> PLACE_BITS)

static inline uint32_t pair_key(const ix_bpe *b, int32_t left, int32_t right, size_t place,
                                int32_t *merged)
{
    const ix_pair_slot *s = (left | right) < 0 ? NULL : ix_bpe_find(b, left, right);
    if (!s)
        return NO_RANK;
    *merged = s->id;
    return s->rank << PLACE_BITS | (uint32_t)place;
}

static inline uint32_t least(const uint32_t *keys, size_t n)
{
    uint32_t best = NO_RANK;
    for (size_t i = 0; i < n; i++)
        best = keys[i] < best ? keys[i] : best;
    return best;
}

static size_t merge_ids(const ix_bpe *b, int32_t *ids, uint8_t *first, size_t n, int32_t last[2])
{
    uint32_t keys[IX_BPE_SHORT]; /* rank << 5 | place of the pair that starts there */
    int32_t merged[IX_BPE_SHORT];
    uint8_t prev[IX_BPE_SHORT + 1], next[IX_BPE_SHORT];
    if (n == 0)
        return 0;
    for (size_t i = 0; i + 1 < n; i++) {
        keys[i] = pair_key(b, ids[i], ids[i + 1], i, &merged[i]);
        next[i] = (uint8_t)(i + 1);
        prev[i + 1] = (uint8_t)i;
    }
    keys[n - 1] = NO_RANK;
    next[n - 1] = (uint8_t)n;
    for (uint32_t best; (best = least(keys, n)) != NO_RANK;) {
        size_t i = best & (IX_BPE_SHORT - 1), gone = next[i], right = next[gone];
        last[0] = ids[i];
        last[1] = ids[gone];
        ids[i] = merged[i];
        next[i] = (uint8_t)right;
        prev[right] = (uint8_t)i;
        keys[gone] = keys[i] = NO_RANK;
        if (right < n)
            keys[i] = pair_key(b, ids[i], ids[right], i, &merged[i]);
        if (i > 0) {
            size_t left = prev[i];
            keys[left] = pair_key(b, ids[left], ids[i], left, &merged[left]);
        }
    }
    size_t count = 0;
    for (size_t i = 0; i < n; i = next[i]) {
        ids[count] = ids[i];
        first[count++] = (uint8_t)i;
    }
    return count;
}

size_t ix_bpe_merge_short(const ix_bpe *b, int32_t *ids, uint8_t *first, size_t n)
{
    int32_t last[2];
    return merge_ids(b, ids, first, n, last);
}

static void merge_short(const ix_bpe *b, ix_word *w)
{
    int32_t last[2] = { -1, -1 };
    int32_t ids[IX_BPE_SHORT];
    uint8_t first[IX_BPE_SHORT + 1];
    ix_symbol *s = w->symbols;
    for (size_t i = 0; i < w->count; i++)
        ids[i] = s[i].id;
    size_t count = merge_ids(b, ids, first, w->count, last);
    w->last_left = last[0];
    w->last_right = last[1];
    first[count] = (uint8_t)w->count;
    for (size_t k = 0; k < count; k++) {
        const ix_symbol *end = &s[first[k + 1] - 1];
        uint32_t at = s[first[k]].at, size = end->at + end->size - at;
        s[k] = (ix_symbol){ .at = at, .size = size, .id = ids[k], .rank = NO_RANK };
    }
    w->count = count;
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
    uint32_t least_item = b->items[0], item = b->items[--b->end];
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
    return least_item;
}

static inox_status new_bucket(ix_word *w, uint32_t rank, int32_t merged, inox_error *err)
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
    b->merged = merged;
    w->bucket_of[rank] = (uint32_t)w->bucket_count;
    return INOX_OK;
}

/* ---- long words ------------------------------------------------------------------------------ */

/* Fills left->rank and left->merged for the pair (left, right). */
static inline void look_at_pair(const ix_bpe *b, ix_word *w, ix_symbol *left,
                                const ix_symbol *right)
{
    left->rank = NO_RANK;
    if (left->id < 0 || right->id < 0)
        return;
    const ix_pair_slot *s = ix_bpe_find(b, left->id, right->id);
    if (!s)
        return;
    left->rank = s->rank;
    left->merged = s->id;
    if (w->splits)
        w->splits[s->id] = left->size;
}

/* Remembers the pair that starts at symbol i. */
static inox_status push_pair(ix_word *w, uint32_t i, inox_error *err)
{
    uint32_t rank = w->symbols[i].rank;
    if (rank == NO_RANK)
        return INOX_OK;
    if (w->bucket_of[rank] == 0)
        IX_TRY(new_bucket(w, rank, w->symbols[i].merged, err));
    ix_bucket *b = &w->buckets[w->bucket_of[rank] - 1];
    if (b->head == b->end)
        IX_TRY(bucket_push(&w->ranks, rank, err));
    return bucket_push(b, i, err);
}

/* Joins symbol i with the next one and looks at its new neighbours, from left to right. */
static inox_status join_links(const ix_bpe *b, ix_word *w, uint32_t i, inox_error *err)
{
    ix_symbol *s = w->symbols, *right = &s[s[i].next];
    s[i].size = right->at + right->size - s[i].at;
    w->last_left = s[i].id;
    w->last_right = right->id;
    s[i].id = s[i].merged;
    s[i].next = right->next;
    right->size = 0;
    right->rank = s[i].rank = NO_RANK;
    if (s[i].prev != NO_LINK) {
        look_at_pair(b, w, &s[s[i].prev], &s[i]);
        IX_TRY(push_pair(w, s[i].prev, err));
    }
    if (s[i].next != NO_LINK) {
        s[s[i].next].prev = i;
        look_at_pair(b, w, &s[i], &s[s[i].next]);
        IX_TRY(push_pair(w, i, err));
    }
    return INOX_OK;
}

inox_status ix_word_merge_whole(const ix_bpe *b, ix_word *w, inox_error *err)
{
    ix_symbol *s = w->symbols;
    if (w->bucket_of_count < b->rank_count) {
        ix_free(w->bucket_of);
        w->bucket_of = NULL;
        w->bucket_of_count = w->bucket_count = 0;
        IX_TRY(IX_ALLOC(&w->bucket_of, b->rank_count, err));
        w->bucket_of_count = b->rank_count;
    }
    for (size_t i = 0; i < w->bucket_count; i++) /* left by a word that failed */
        w->bucket_of[w->buckets[i].rank] = 0;
    w->bucket_count = 0;
    w->ranks.head = w->ranks.end = 0;
    w->ranks.heap = true;
    for (size_t i = 0; i < w->count; i++) {
        s[i].prev = i > 0 ? (uint32_t)i - 1 : NO_LINK;
        s[i].next = i + 1 < w->count ? (uint32_t)i + 1 : NO_LINK;
        if (i + 1 < w->count)
            look_at_pair(b, w, &s[i], &s[i + 1]);
        IX_TRY(push_pair(w, (uint32_t)i, err));
    }
    while (w->ranks.end > 0) {
        uint32_t rank = w->ranks.items[0];
        ix_bucket *bucket = &w->buckets[w->bucket_of[rank] - 1];
        uint32_t i = bucket_pop(bucket);
        if (bucket->head == bucket->end)
            (void)bucket_pop(&w->ranks);
        bool same = s[i].rank == rank; /* else the pair is another one by now, or gone */
        if (b->keeps_stale)
            same = s[i].rank != NO_RANK && s[i].merged == bucket->merged;
        if (same)
            IX_TRY(join_links(b, w, i, err));
    }
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++)
        if (s[i].size > 0)
            s[kept++] = s[i];
    w->count = kept;
    return INOX_OK;
}

inox_status ix_word_merge(const ix_bpe *b, ix_word *w, inox_error *err)
{
    if (w->splits || b->keeps_stale || b->rank_count >= RANKS_MAX)
        return ix_word_merge_whole(b, w, err);
    if (w->count > IX_BPE_SHORT)
        return ix_word_merge_windows(b, w, err);
    merge_short(b, w);
    return INOX_OK;
}
