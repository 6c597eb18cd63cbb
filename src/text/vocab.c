/* Hash tables and the trie of a vocabulary.  See vocab.h. */
#include "text/vocab.h"

#include "base/alloc.h"
#include "base/os.h"

#include <string.h>

static inox_status secrets(uint64_t *seed, uint64_t *factor, inox_error *err)
{
    uint64_t r[2];
    IX_TRY(ix_os_random(r, sizeof r, err));
    *seed = r[0];
    *factor = r[1] | 1;
    return INOX_OK;
}

/* A power of two, at least twice `n`. */
static uint64_t table_size(size_t n)
{
    uint64_t size = 16;
    while (size < (uint64_t)n * 2)
        size *= 2;
    return size;
}

/* ---- pieces -------------------------------------------------------------------------------- */

static uint64_t hash_bytes(const ix_piece_table *t, const char *p, size_t n)
{
    uint64_t h = t->seed ^ n, word = 0;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&word, p, 8);
        h = (h ^ word) * t->factor;
        h ^= h >> 31;
    }
    word = 0;
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)(unsigned char)p[i] << (8 * i);
    h = (h ^ word) * t->factor;
    h ^= h >> 31;
    h *= t->factor ^ 0x9E3779B97F4A7C14u; /* stays odd */
    return h ^ h >> 29;
}

inox_status ix_piece_table_new(ix_piece_table *t, const ix_text_view *bytes, size_t count,
                               inox_error *err)
{
    uint64_t size = table_size(count);
    *t = (ix_piece_table){ .bytes = bytes, .mask = size - 1 };
    IX_TRY(secrets(&t->seed, &t->factor, err));
    IX_TRY(IX_ALLOC(&t->slots, size, err));
    for (uint64_t i = 0; i < size; i++)
        t->slots[i].id = -1;
    for (size_t id = 0; id < count; id++) {
        const ix_text_view *b = &bytes[id];
        if (!b->data || b->size == 0)
            continue;
        uint64_t h = hash_bytes(t, b->data, b->size), i = h & t->mask;
        for (; t->slots[i].id >= 0; i = (i + 1) & t->mask) {
            const ix_text_view *other = &bytes[t->slots[i].id];
            if (t->slots[i].tag == (uint32_t)(h >> 32) && other->size == b->size &&
                memcmp(other->data, b->data, b->size) == 0)
                break;
        }
        t->slots[i] = (ix_piece_slot){ .tag = (uint32_t)(h >> 32), .id = (int32_t)id };
        if (b->size > t->longest)
            t->longest = b->size;
    }
    return INOX_OK;
}

void ix_piece_table_release(ix_piece_table *t)
{
    ix_free(t->slots);
    t->slots = NULL;
}

int32_t ix_piece_find(const ix_piece_table *t, const char *bytes, size_t size)
{
    if (size > t->longest || size == 0)
        return -1;
    uint64_t h = hash_bytes(t, bytes, size);
    for (uint64_t i = h & t->mask; t->slots[i].id >= 0; i = (i + 1) & t->mask) {
        const ix_text_view *b = &t->bytes[t->slots[i].id];
        if (t->slots[i].tag == (uint32_t)(h >> 32) && b->size == size &&
            memcmp(b->data, bytes, size) == 0)
            return t->slots[i].id;
    }
    return -1;
}

/* ---- pairs --------------------------------------------------------------------------------- */

inox_status ix_pair_table_new(ix_pair_table *t, size_t most, inox_error *err)
{
    uint64_t size = table_size(most);
    *t = (ix_pair_table){ .mask = size - 1, .shift = 64 };
    for (uint64_t s = size; s > 1; s /= 2)
        t->shift--;
    IX_TRY(secrets(&t->seed, &t->factor, err));
    IX_TRY(ix_alloc_table(size * sizeof *t->slots, (void **)&t->slots, err));
    for (uint64_t i = 0; i < size; i++)
        t->slots[i].key = UINT64_MAX;
    return INOX_OK;
}

void ix_pair_table_release(ix_pair_table *t)
{
    ix_free_aligned(t->slots);
    t->slots = NULL;
}

ix_pair_slot *ix_pair_add(ix_pair_table *t, uint32_t left, uint32_t right, uint32_t rank,
                          int32_t id)
{
    uint64_t key = (uint64_t)left << 32 | right;
    uint64_t i = (key ^ t->seed) * t->factor >> t->shift;
    while (t->slots[i].key != UINT64_MAX && t->slots[i].key != key)
        i = (i + 1) & t->mask;
    if (t->slots[i].key == UINT64_MAX) {
        t->slots[i] = (ix_pair_slot){ .key = key, .rank = rank, .id = id };
        t->count++;
    }
    return &t->slots[i];
}

/* ---- special tokens ------------------------------------------------------------------------ */

inox_status ix_special_trie_new(ix_special_trie *t, size_t bytes, inox_error *err)
{
    *t = (ix_special_trie){ .count = 1, .capacity = bytes + 1 };
    IX_TRY(ix_pair_table_new(&t->edges, bytes, err));
    IX_TRY(IX_ALLOC(&t->tokens, t->capacity, err));
    t->tokens[0] = -1;
    return INOX_OK;
}

void ix_special_trie_release(ix_special_trie *t)
{
    ix_pair_table_release(&t->edges);
    ix_free(t->tokens);
    t->tokens = NULL;
}

void ix_special_add(ix_special_trie *t, const char *spelling, size_t size, int32_t token)
{
    if (size == 0 || size > IX_SPECIAL_BYTES_MAX)
        return;
    uint32_t node = 0;
    for (size_t i = 0; i < size; i++) {
        size_t before = t->edges.count;
        ix_pair_slot *edge =
            ix_pair_add(&t->edges, node, (unsigned char)spelling[i], 0, (int32_t)t->count);
        if (t->edges.count > before)
            t->tokens[t->count++] = -1;
        node = (uint32_t)edge->id;
    }
    t->tokens[node] = token;
    ix_first_add(&t->first, spelling[0]);
    t->any = true;
}

int32_t ix_special_match(const ix_special_trie *t, const char *text, size_t size, size_t *length)
{
    int32_t token = -1;
    uint32_t node = 0;
    for (size_t i = 0; i < size; i++) {
        const ix_pair_slot *edge = ix_pair_find(&t->edges, node, (unsigned char)text[i]);
        if (!edge)
            break;
        node = (uint32_t)edge->id;
        if (t->tokens[node] >= 0) {
            token = t->tokens[node];
            *length = i + 1;
        }
    }
    return token;
}
