/* A small writer of GGUF bytes for the tests: puts down what it is told, right or wrong. */
#ifndef IX_TEST_GGUF_WRITER_H
#define IX_TEST_GGUF_WRITER_H

#include "base/alloc.h"
#include "front/gguf/gguf.h"
#include "test.h"

static inline void put(ix_buffer *b, const void *bytes, size_t n)
{
    if (ix_buffer_append(b, bytes, n, NULL) != INOX_OK)
        printf("  the test itself is out of memory\n");
}

/* The low n bytes of a number, little-endian. */
static inline void put_number(ix_buffer *b, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));

        put(b, &byte, 1);
    }
}

static inline void put_u32(ix_buffer *b, uint64_t value)
{
    put_number(b, value, 4);
}

static inline void put_u64(ix_buffer *b, uint64_t value)
{
    put_number(b, value, 8);
}

static inline void put_bytes(ix_buffer *b, const char *bytes, size_t n)
{
    put_u64(b, n);
    put(b, bytes, n);
}

static inline void put_string(ix_buffer *b, const char *text)
{
    put_bytes(b, text, strlen(text));
}

static inline void put_header(ix_buffer *b, uint32_t version, uint64_t tensors, uint64_t keys)
{
    put(b, "GGUF", 4);
    put_u32(b, version);
    put_u64(b, tensors);
    put_u64(b, keys);
}

/* A key and its type; the value follows. */
static inline void put_key(ix_buffer *b, const char *key, uint32_t type)
{
    put_string(b, key);
    put_u32(b, type);
}

static inline void put_array(ix_buffer *b, const char *key, uint32_t item_type, uint64_t count)
{
    put_key(b, key, IX_GGUF_ARRAY);
    put_u32(b, item_type);
    put_u64(b, count);
}

static inline void put_key_u32(ix_buffer *b, const char *key, uint32_t value)
{
    put_key(b, key, IX_GGUF_U32);
    put_u32(b, value);
}

static inline void put_key_string(ix_buffer *b, const char *key, const char *text)
{
    put_key(b, key, IX_GGUF_STRING);
    put_string(b, text);
}

static inline void put_tensor(ix_buffer *b, const char *name, uint32_t rank, const uint64_t *dims,
                              uint32_t type, uint64_t offset)
{
    put_string(b, name);
    put_u32(b, rank);
    for (uint32_t i = 0; i < rank; i++)
        put_u64(b, dims[i]);
    put_u32(b, type);
    put_u64(b, offset);
}

/* n bytes of data: 1, 2, 3, ... */
static inline void put_data(ix_buffer *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_number(b, i + 1, 1);
}

static inline void pad(ix_buffer *b, size_t alignment)
{
    while (b->size % alignment != 0)
        put_number(b, 0, 1);
}

/* Opens exactly these bytes: in a block of their own, so that a read beyond them is seen. */
static inline inox_status open_bytes(const void *bytes, size_t n, ix_gguf **g, void **block,
                                     inox_error *err)
{
    *g = NULL;
    *block = NULL;
    if (ix_alloc(n, 1, block, NULL) != INOX_OK)
        return INOX_E_INTERNAL;
    if (n > 0)
        memcpy(*block, bytes, n);
    return ix_gguf_open_memory(*block, n, g, err);
}

/* Touches everything that a file offers.  The sum keeps the reads alive. */
static inline uint64_t walk(const ix_gguf *g)
{
    ix_buffer text = { 0 };
    uint64_t sum = ix_gguf_file_count(g);

    for (size_t i = 0; i < ix_gguf_value_count(g); i++) {
        const ix_gguf_value *v = ix_gguf_value_at(g, i);
        uint64_t steps[] = { 0, v->count / 2, v->count - 1, v->count };

        sum += ix_gguf_find(g, v->key) == v;
        for (size_t k = 0; k < 4; k++) {
            ix_gguf_string s;
            uint64_t u;
            int64_t n;
            double d;

            sum += ix_gguf_item_u64(v, steps[k], &u, NULL) == INOX_OK ? u : 1;
            sum += ix_gguf_item_i64(v, steps[k], &n, NULL) == INOX_OK ? (uint64_t)n : 1;
            sum += ix_gguf_item_f64(v, steps[k], &d, NULL) == INOX_OK && d > 0;
            if (ix_gguf_item_string(v, steps[k], &s, NULL) == INOX_OK)
                for (size_t j = 0; j < s.size; j++)
                    sum += (uint8_t)s.data[j];
        }
        text.size = 0;
        if (ix_gguf_value_format(g, i, &text, 100, NULL) == INOX_OK)
            sum += text.size;
    }
    for (size_t i = 0; i < ix_gguf_tensor_count(g); i++) {
        const ix_gguf_tensor *tensor = ix_gguf_tensor_at(g, i);

        sum += ix_gguf_find_tensor(g, tensor->name) == tensor;
        sum += tensor->data[0] + tensor->data[tensor->bytes - 1];
    }
    ix_buffer_release(&text);
    return sum;
}

#endif
