/* Hash table of names with linear probing, at most half full, so that a probe always ends. */
#include "front/gguf/table.h"

#include "base/alloc.h"
#include "base/os.h"

#include <string.h>

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012, with the round counts that hash tables use). */
static uint64_t sip_hash(const uint64_t key[2], const char *name, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)name;
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                      key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u };

    for (size_t at = 0;; at += 8) {
        size_t n = size - at < 8 ? size - at : 8;
        uint64_t word = 0;

        for (size_t i = 0; i < n; i++)
            word |= (uint64_t)bytes[at + i] << (8 * i);
        if (n < 8)
            word |= (uint64_t)(size & 0xff) << 56;
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
        if (n < 8)
            break;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The slot of the name, or the free one where it belongs. */
static ix_gguf_slot *probe(const ix_gguf_table *t, const char *name, size_t size)
{
    size_t at = (size_t)sip_hash(t->key, name, size) & (t->capacity - 1);

    while (t->slots[at].name != NULL &&
           (t->slots[at].size != size || memcmp(t->slots[at].name, name, size) != 0))
        at = (at + 1) & (t->capacity - 1);
    return &t->slots[at];
}

inox_status ix_gguf_table_reserve(ix_gguf_table *t, size_t names, inox_error *err)
{
    ix_gguf_table grown = *t;

    if (t->slots != NULL && names <= t->capacity / 2)
        return INOX_OK;
    if (names > UINT32_MAX / 4)
        return ix_fail(err, INOX_E_LIMIT, "%zu names are more than a table holds", names);
    grown.capacity = 16;
    while (grown.capacity < names * 2)
        grown.capacity *= 2;
    if (t->slots == NULL)
        IX_TRY(ix_os_random(grown.key, sizeof grown.key, err));
    IX_TRY(IX_ALLOC(&grown.slots, grown.capacity, err));
    for (size_t i = 0; i < t->capacity; i++)
        if (t->slots[i].name != NULL)
            *probe(&grown, t->slots[i].name, t->slots[i].size) = t->slots[i];
    ix_free(t->slots);
    *t = grown;
    return INOX_OK;
}

bool ix_gguf_table_insert(ix_gguf_table *t, const char *name, size_t size, uint32_t index,
                          uint32_t *existing)
{
    ix_gguf_slot *slot = probe(t, name, size);

    if (slot->name != NULL) {
        *existing = slot->index;
        return false;
    }
    *slot = (ix_gguf_slot){ name, (uint32_t)size, index };
    t->used++;
    return true;
}

bool ix_gguf_table_find(const ix_gguf_table *t, const char *name, size_t size, uint32_t *index)
{
    if (t->slots == NULL)
        return false;
    const ix_gguf_slot *slot = probe(t, name, size);
    if (slot->name == NULL)
        return false;
    *index = slot->index;
    return true;
}

void ix_gguf_table_release(ix_gguf_table *t)
{
    ix_free(t->slots);
    *t = (ix_gguf_table){ 0 };
}
