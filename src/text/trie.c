/* Building the double array.  See trie.h.
 *
 * Nodes are placed in blocks of 256 slots: the children of a node share one, since base ^ byte
 * changes the low eight bits alone.  Only the last blocks still take nodes, and a node tries a
 * bounded number of places in them, which keeps building linear.
 */
#include "text/trie.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256, OPEN_BLOCKS = 16, TRIES = 128 };
#define TAKES_NODES UINT32_MAX /* the parent of a free slot */

/* A node that waits for its children: keys[first..end) go through it, `depth` bytes long. */
typedef struct pending {
    uint32_t first, end, depth, node;
} pending;

typedef struct key {
    ix_text_view text;
    int32_t value;
    uint32_t place; /* in the caller's order */
} key;

typedef struct builder {
    ix_trie *t;
    const key *keys;
    uint64_t *free;        /* a bit for each slot */
    size_t capacity, open; /* blocks below `open` are closed */
    pending *waiting;
    size_t head, end, waiting_capacity;
    inox_error *err;
} builder;

static int compare(const void *a, const void *b)
{
    const key *x = a, *y = b;
    size_t n = x->text.size < y->text.size ? x->text.size : y->text.size;
    int order = memcmp(x->text.data, y->text.data, n);
    if (order != 0)
        return order;
    if (x->text.size != y->text.size)
        return x->text.size < y->text.size ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static inox_status add_block(builder *b)
{
    ix_trie *t = b->t;
    if (t->count + BLOCK > b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : BLOCK * 4;
        IX_TRY(IX_REALLOC(&t->nodes, capacity, b->err));
        IX_TRY(IX_REALLOC(&b->free, capacity / 64, b->err));
        b->capacity = capacity;
    }
    for (size_t i = t->count; i < t->count + BLOCK; i++)
        t->nodes[i] = (ix_trie_node){ 0, TAKES_NODES, -1 };
    memset(b->free + t->count / 64, 0xFF, BLOCK / 8);
    t->count += BLOCK;
    if (t->count / BLOCK > b->open + OPEN_BLOCKS)
        b->open = t->count / BLOCK - OPEN_BLOCKS;
    return INOX_OK;
}

static void take(builder *b, uint32_t slot, uint32_t parent)
{
    b->t->nodes[slot].parent = parent;
    b->free[slot / 64] &= ~((uint64_t)1 << (slot % 64));
}

/* Whether all children find a free slot under this base. */
static bool fits(const builder *b, uint32_t base, const uint8_t *labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t slot = base ^ labels[i];
        if (!(b->free[slot / 64] >> (slot % 64) & 1))
            return false;
    }
    return true;
}

static inox_status find_base(builder *b, const uint8_t *labels, size_t n, uint32_t *base)
{
    const ix_trie *t = b->t;
    size_t tries = 0;
    for (size_t word = b->open * BLOCK / 64; word < t->count / 64; word++) {
        for (uint64_t left = b->free[word]; left != 0 && tries < TRIES; left &= left - 1, tries++) {
            *base = (uint32_t)(word * 64 + (size_t)__builtin_ctzll(left)) ^ labels[0];
            if (fits(b, *base, labels, n))
                return INOX_OK;
        }
    }
    *base = (uint32_t)t->count ^ labels[0];
    return add_block(b);
}

static inox_status push(builder *b, pending p)
{
    if (b->end == b->waiting_capacity) {
        /* What was taken makes room first. */
        if (b->head > b->end / 2) {
            memmove(b->waiting, b->waiting + b->head, (b->end - b->head) * sizeof *b->waiting);
            b->end -= b->head;
            b->head = 0;
        } else {
            size_t capacity = b->waiting_capacity ? b->waiting_capacity * 2 : 256;
            IX_TRY(IX_REALLOC(&b->waiting, capacity, b->err));
            b->waiting_capacity = capacity;
        }
    }
    b->waiting[b->end++] = p;
    return INOX_OK;
}

/* Places the children of one node. */
static inox_status place(builder *b, pending p)
{
    uint8_t labels[BLOCK];
    uint32_t starts[BLOCK + 1], base;
    size_t n = 0;
    while (p.first < p.end && b->keys[p.first].text.size == p.depth) /* the keys that end here */
        b->t->nodes[p.node].value = b->keys[p.first++].value;
    for (uint32_t i = p.first; i < p.end; i++) {
        uint8_t label = (uint8_t)b->keys[i].text.data[p.depth];
        if (n == 0 || labels[n - 1] != label) {
            labels[n] = label;
            starts[n++] = i;
        }
    }
    starts[n] = p.end;
    if (n == 0)
        return INOX_OK;
    IX_TRY(find_base(b, labels, n, &base));
    b->t->nodes[p.node].base = base;
    for (size_t i = 0; i < n; i++)
        take(b, base ^ labels[i], p.node);
    for (size_t i = 0; i < n; i++)
        IX_TRY(push(b, (pending){ starts[i], starts[i + 1], p.depth + 1, base ^ labels[i] }));
    return INOX_OK;
}

static inox_status build(builder *b, size_t count)
{
    IX_TRY(add_block(b));
    take(b, 0, 0);
    IX_TRY(push(b, (pending){ 0, (uint32_t)count, 0, 0 }));
    while (b->head < b->end)
        IX_TRY(place(b, b->waiting[b->head++]));
    return INOX_OK;
}

inox_status ix_trie_new(ix_trie *t, const ix_text_view *keys, const int32_t *values, size_t count,
                        inox_error *err)
{
    size_t n = 0, bytes = 0;
    key *sorted = NULL;
    *t = (ix_trie){ 0 };
    IX_TRY(IX_ALLOC(&sorted, count, err));
    for (size_t i = 0; i < count; i++) {
        if (values[i] < 0 || !keys[i].data || keys[i].size == 0)
            continue;
        sorted[n++] = (key){ keys[i], values[i], (uint32_t)i };
        if (keys[i].size > IX_MAX_TRIE_NODES || (bytes += keys[i].size) > IX_MAX_TRIE_NODES) {
            ix_free(sorted);
            return ix_fail(err, INOX_E_LIMIT,
                           "the pieces of the vocabulary have more than %d bytes",
                           IX_MAX_TRIE_NODES);
        }
    }
    if (n > 0)
        qsort(sorted, n, sizeof *sorted, compare);
    builder b = { .t = t, .keys = sorted, .err = err };
    inox_status status = build(&b, n);
    ix_free(sorted);
    ix_free(b.waiting);
    ix_free(b.free);
    if (status != INOX_OK)
        ix_trie_release(t);
    return status;
}

void ix_trie_release(ix_trie *t)
{
    ix_free(t->nodes);
    *t = (ix_trie){ 0 };
}
