/* Fuzz target: any bytes as a GGUF file.  What opens is read completely. */
#include "front/gguf/gguf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static uint64_t read_value(const ix_gguf_value *v, uint64_t i)
{
    ix_gguf_string s;
    uint64_t u = 0;
    int64_t n = 0;
    double d = 0;

    if (ix_gguf_item_string(v, i, &s, NULL) == INOX_OK)
        for (size_t k = 0; k < s.size; k++)
            u += (uint8_t)s.data[k];
    if (ix_gguf_item_f64(v, i, &d, NULL) == INOX_OK)
        u += d > 0;
    if (ix_gguf_item_i64(v, i, &n, NULL) == INOX_OK)
        u += (uint64_t)n;
    return ix_gguf_item_u64(v, i, &u, NULL) == INOX_OK ? u + 1 : u;
}

static void read_all(const ix_gguf *g)
{
    ix_buffer text = { 0 };
    inox_error err;

    for (size_t i = 0; i < ix_gguf_value_count(g); i++) {
        const ix_gguf_value *v = ix_gguf_value_at(g, i);
        uint32_t number;
        float real;
        bool flag;

        if (ix_gguf_find(g, v->key) != v)
            __builtin_trap();
        sink += read_value(v, 0) + read_value(v, v->count - 1) + read_value(v, v->count);
        sink += (uint64_t)(ix_gguf_get_u32(g, v->key, &number, &err) == INOX_OK);
        sink += (uint64_t)(ix_gguf_get_f32(g, v->key, &real, &err) == INOX_OK);
        sink += (uint64_t)(ix_gguf_optional_bool(g, v->key, false, &flag, &err) == INOX_OK);
        if (ix_gguf_value_format(g, i, &text, 1000, &err) == INOX_OK &&
            memchr(text.data, 0, text.size) != NULL)
            __builtin_trap(); /* JSON text has no NUL */
        text.size = 0;
    }
    for (size_t i = 0; i < ix_gguf_tensor_count(g); i++) {
        const ix_gguf_tensor *t = ix_gguf_tensor_at(g, i);

        if (ix_gguf_find_tensor(g, t->name) != t || ix_gguf_tensor_elements(t) == 0)
            __builtin_trap();
        sink += (uint64_t)t->data[0] + t->data[t->bytes - 1];
    }
    ix_buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    inox_error err = { 0 };
    ix_gguf *g;

    if (ix_gguf_open_memory(data, size, &g, &err) == INOX_OK) {
        read_all(g);
        ix_gguf_close(g);
    } else if (err.message[0] == '\0' || err.code == INOX_OK || err.code == INOX_E_INTERNAL ||
               err.position > (int64_t)size) {
        __builtin_trap(); /* every refusal says what is wrong, and where */
    }
    return 0;
}
