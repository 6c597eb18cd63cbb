/* A decoder of some 40 thousand random weights, written as a GGUF file of a test's own.  Of one
 * vocabulary: three special tokens, all bytes, a few words. */
#ifndef IX_TEST_TINY_MODEL_H
#define IX_TEST_TINY_MODEL_H

#include "gguf_writer.h"
#include "num/types.h"
#include "test.h"

#include <unistd.h>

#define WORDS 264 /* in the vocabulary; the embedding may have more rows */

typedef struct tiny {
    const char *arch;
    ix_type type, vectors; /* of matrices; of norms */
    uint32_t layers, width, heads, kv_heads, feed_forward, rows, context;
    const char *key;  /* one more hyperparameter, or NULL */
    uint64_t value;   /* a number, */
    const char *text; /* a text where this is not NULL */
    uint64_t seed;    /* of the weights */
    int odd_word;     /* 1: the last word has another text; -1: is a control token */
} tiny;

static const tiny TINY = { "llama", IX_TYPE_Q8_0, IX_TYPE_F32, 2, 32,   4, 2, 64,
                           WORDS,   64,           NULL,        0, NULL, 0, 0 };

typedef struct maker {
    ix_buffer head, data;
    uint64_t random;
    uint32_t count;
} maker;

static void hyperparameter(ix_buffer *b, const tiny *m, const char *name, uint64_t value,
                           uint64_t *keys)
{
    char key[64];

    if (m->key != NULL && strcmp(m->key, name) == 0)
        return; /* the odd one comes in its place */
    snprintf(key, sizeof key, "%s.%s", m->arch, name);
    put_key_u32(b, key, (uint32_t)value);
    ++*keys;
}

static void tensor(maker *k, const char *name, ix_type type, uint64_t cols, uint64_t rows)
{
    const ix_type_info *info = ix_type_of(type);
    uint64_t dims[2] = { cols, rows };

    pad(&k->data, 32);
    put_tensor(&k->head, name, rows == 0 ? 1 : 2, dims, info->ggml_id, k->data.size);
    k->count++;
    for (uint64_t i = 0; i < cols * (rows == 0 ? 1 : rows); i += info->block_elements) {
        if (type == IX_TYPE_Q8_0) {
            put_number(&k->data, 0x2000 + ix_test_random(&k->random) % 256, 2); /* about 2^-7 */
            for (int j = 0; j < 32; j++)
                put_number(&k->data, ix_test_random(&k->random), 1);
        } else if (type == IX_TYPE_F16) {
            put_number(&k->data, 0x3800 + ix_test_random(&k->random) % 1024, 2);
        } else if (type == IX_TYPE_F32) {
            float x = 0.3f * ix_test_random_float(&k->random);
            put(&k->data, &x, sizeof x);
        } else { /* bytes below 0x38: no float of two or four of them is large */
            for (uint32_t j = 0; j < info->block_bytes; j++)
                put_number(&k->data, ix_test_random(&k->random) % 0x38, 1);
        }
    }
}

static void tensors(maker *k, const tiny *m)
{
    static const struct {
        const char *name;
        bool of_kv, down;
    } MATRICES[] = { { "attn_q", false, false },  { "attn_k", true, false },
                     { "attn_v", true, false },   { "attn_output", false, false },
                     { "ffn_gate", false, true }, { "ffn_up", false, true },
                     { "ffn_down", false, true } };
    char name[64];

    tensor(k, "token_embd.weight", m->type, m->width, m->rows);
    tensor(k, "output_norm.weight", m->vectors, m->width, 0);
    for (uint32_t l = 0; l < m->layers; l++) {
        snprintf(name, sizeof name, "blk.%u.attn_norm.weight", l);
        tensor(k, name, m->vectors, m->width, 0);
        snprintf(name, sizeof name, "blk.%u.ffn_norm.weight", l);
        tensor(k, name, m->vectors, m->width, 0);
        for (size_t i = 0; i < sizeof MATRICES / sizeof *MATRICES; i++) {
            bool last = strcmp(MATRICES[i].name, "ffn_down") == 0;
            uint64_t rows = MATRICES[i].of_kv           ? m->width / m->heads * m->kv_heads
                            : MATRICES[i].down && !last ? m->feed_forward
                                                        : m->width;
            snprintf(name, sizeof name, "blk.%u.%s.weight", l, MATRICES[i].name);
            tensor(k, name, m->type, last ? m->feed_forward : m->width, rows);
        }
    }
}

static void vocabulary(ix_buffer *b, const tiny *m, uint64_t *keys)
{
    char word[16];

    put_key_string(b, "tokenizer.ggml.model", "llama");
    put_array(b, "tokenizer.ggml.tokens", IX_GGUF_STRING, WORDS);
    for (int i = 0; i < WORDS; i++) {
        snprintf(word, sizeof word,
                 i < 3     ? "<s%d>"
                 : i < 259 ? "<0x%02X>"
                           : "w%d",
                 i < 3 ? i : i - 3);
        if (m->odd_word == 1 && i == WORDS - 1)
            word[0] = 'v';
        put_string(b, word);
    }
    put_array(b, "tokenizer.ggml.scores", IX_GGUF_F32, WORDS);
    for (int i = 0; i < WORDS; i++)
        put_u32(b, 0);
    put_array(b, "tokenizer.ggml.token_type", IX_GGUF_I32, WORDS);
    for (int i = 0; i < WORDS; i++)
        put_u32(b, i == 0 ? 2 : i < 3 || (m->odd_word < 0 && i == WORDS - 1) ? 3 : i < 259 ? 6 : 1);
    put_key_u32(b, "tokenizer.ggml.bos_token_id", 1);
    put_key_u32(b, "tokenizer.ggml.eos_token_id", 2);
    *keys += 6;
}

static void tiny_bytes(const tiny *m, ix_buffer *out)
{
    maker k = { .random = 11 + m->seed };
    ix_buffer meta = { 0 };
    uint64_t keys = 1;

    put_key_string(&meta, "general.architecture", m->arch);
    hyperparameter(&meta, m, "block_count", m->layers, &keys);
    hyperparameter(&meta, m, "embedding_length", m->width, &keys);
    hyperparameter(&meta, m, "feed_forward_length", m->feed_forward, &keys);
    hyperparameter(&meta, m, "attention.head_count", m->heads, &keys);
    hyperparameter(&meta, m, "attention.head_count_kv", m->kv_heads, &keys);
    hyperparameter(&meta, m, "context_length", m->context, &keys);
    if (m->key != NULL) {
        char key[64];
        snprintf(key, sizeof key, "%s.%s", m->arch, m->key);
        if (m->text != NULL)
            put_key_string(&meta, key, m->text);
        else
            put_key(&meta, key, IX_GGUF_U64), put_u64(&meta, m->value);
        keys++;
    }
    vocabulary(&meta, m, &keys);
    tensors(&k, m);
    put_header(out, 3, k.count, keys);
    put(out, meta.data, meta.size);
    put(out, k.head.data, k.head.size);
    pad(out, 32);
    put(out, k.data.data, k.data.size);
    pad(out, 32);
    ix_buffer_release(&meta);
    ix_buffer_release(&k.head);
    ix_buffer_release(&k.data);
}

/* A file of its own for a test; path has room for it. */
#define PATH_BYTES 64
static bool write_tiny(ix_test *t, const tiny *m, char path[PATH_BYTES])
{
    ix_buffer b = { 0 };
    strcpy(path, "/tmp/inox-test-XXXXXX");
    int file = mkstemp(path);
    tiny_bytes(m, &b);
    bool good = file >= 0 && write(file, b.data, b.size) == (ssize_t)b.size;
    if (file >= 0)
        close(file);
    CHECK(good);
    ix_buffer_release(&b);
    return good;
}

static inox_model *open_tiny(ix_test *t, const tiny *m, int threads, const char *isa, int batch)
{
    char path[PATH_BYTES];
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    inox_model *model = NULL;
    inox_error err = { 0 };

    o.threads = threads;
    o.isa = isa;
    o.max_batch = batch;
    if (!write_tiny(t, m, path))
        return NULL;
    CHECK_OK(inox_model_open(path, &o, &model, &err), &err);
    unlink(path); /* the mapping stays */
    return model;
}

static inline inox_session *session_of(ix_test *t, inox_model *m, int context,
                                       inox_cache_type cache)
{
    inox_session_options o = INOX_SESSION_OPTIONS_INIT;
    inox_session *s = NULL;
    inox_error err = { 0 };

    o.context = context;
    o.cache = cache;
    CHECK_OK(inox_session_new(m, &o, &s, &err), &err);
    return s;
}

#endif
