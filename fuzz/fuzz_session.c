/* Fuzz target: any bytes as a model that answers.  What opens is fed a few tokens by the reference
 * and by the fastest kernels, and both must give the same bits. */
#include "llm/session.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sizes that a header may claim before any weight has to be there. */
#define MOST_LAYERS 8
#define MOST_VALUES (1 << 16)

/* As inox_model_open does it, but from memory. */
static inox_model *open_bytes(const uint8_t *data, size_t size, ix_isa isa, inox_error *err)
{
    inox_model *m;
    ix_gguf_string name;
    if (IX_ALLOC(&m, 1, err) != INOX_OK)
        return NULL;
    m->options = (inox_model_options)INOX_MODEL_OPTIONS_INIT;
    m->options.max_batch = 3;
    m->isa = isa;
    if (ix_strndup("", 0, &m->path, err) != INOX_OK ||
        ix_gguf_open_memory(data, size, &m->file, err) != INOX_OK ||
        ix_gguf_get_string(m->file, "general.architecture", &name, err) != INOX_OK)
        goto fail;
    if (ix_tokenizer_from_gguf(m->file, false, &m->tokenizer, &m->tokenizer_error) != INOX_OK)
        m->tokenizer = NULL;
    m->arch = ix_architecture_find(name.data, name.size);
    if (m->arch == NULL || ix_llm_shape_read(m->file, m->arch, &m->shape, err) != INOX_OK ||
        m->shape.layers > MOST_LAYERS || m->shape.width > MOST_VALUES ||
        m->shape.vocabulary > MOST_VALUES || ix_pool_new(1, &m->pool, err) != INOX_OK)
        goto fail;
    return m;
fail:
    inox_model_close(m);
    return NULL;
}

/* The rows of three tokens and one more; the caller frees. */
static float *answer(inox_model *m, size_t *count, inox_error *err)
{
    static const int32_t IDS[] = { 0, 2, 1, 3 };
    inox_session_options o = INOX_SESSION_OPTIONS_INIT;
    inox_session *s;
    float *all = NULL;
    size_t rows, columns;
    o.context = 4;
    if (m == NULL || inox_session_new(m, &o, &s, err) != INOX_OK)
        return NULL;
    if (inox_session_feed(s, IDS, 3, INOX_LOGITS_ALL, err) == INOX_OK) {
        const float *first = inox_session_logits(s, &rows, &columns);
        if (IX_ALLOC(&all, (rows + 1) * columns, err) == INOX_OK) {
            memcpy(all, first, rows * columns * sizeof *all);
            if (inox_session_feed(s, IDS + 3, 1, INOX_LOGITS_LAST, err) == INOX_OK)
                memcpy(all + rows * columns, inox_session_logits(s, NULL, NULL),
                       columns * sizeof *all);
            *count = (rows + 1) * columns;
        }
    }
    inox_session_free(s);
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    inox_error err = { 0 };
    ix_isa best;
    size_t n = 0, k = 0;
    if (ix_isa_choose(NULL, &best, NULL) != INOX_OK)
        return 0;
    inox_model *slow = open_bytes(data, size, IX_ISA_REF, &err);
    float *want = answer(slow, &n, &err);
    if (want != NULL) {
        inox_model *fast = open_bytes(data, size, best, &err);
        float *got = answer(fast, &k, &err);
        if (got == NULL || n != k || memcmp(want, got, n * sizeof *want) != 0)
            __builtin_trap(); /* other bits */
        ix_free(got);
        inox_model_close(fast);
    }
    ix_free(want);
    inox_model_close(slow);
    return 0;
}
