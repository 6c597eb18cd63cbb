/* Reads and checks the hyperparameters of a GGUF file: keys "<architecture>.<name>". */
#include "llm/arch/arch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct reader {
    const ix_gguf *file;
    const char *arch;
    inox_error *err;
} reader;

static void key_of(const reader *r, char out[256], const char *name)
{
    snprintf(out, 256, "%s.%s", r->arch, name);
}

/* An integer in 1..most.  fallback < 0: the key must be there. */
static inox_status size_key(const reader *r, const char *name, int64_t fallback, int64_t most,
                            int64_t *out)
{
    char key[256];
    uint64_t v;
    key_of(r, key, name);
    if (fallback < 0)
        IX_TRY(ix_gguf_get_u64(r->file, key, &v, r->err));
    else
        IX_TRY(ix_gguf_optional_u64(r->file, key, (uint64_t)fallback, &v, r->err));
    if (v < 1 || v > (uint64_t)most)
        return ix_fail(r->err, INOX_E_LIMIT, "%s is %llu, but must be 1 to %lld", key,
                       (unsigned long long)v, (long long)most);
    *out = (int64_t)v;
    return INOX_OK;
}

static inox_status float_key(const reader *r, const char *name, float fallback, float *out)
{
    char key[256];
    key_of(r, key, name);
    IX_TRY(ix_gguf_optional_f32(r->file, key, fallback, out, r->err));
    if (!isfinite(*out))
        return ix_fail(r->err, INOX_E_FORMAT, "%s is not finite", key);
    return INOX_OK;
}

/* rope.scaling.type: none and linear, which a factor alone means; what changes the rotation in
 * another way is refused, not ignored.  rope.scale_linear is the factor's old name. */
static inox_status rope_scaling(const reader *r, ix_llm_shape *m)
{
    char key[256];
    ix_gguf_string type;
    float factor;
    key_of(r, key, "rope.scaling.type");
    IX_TRY(ix_gguf_optional_string(r->file, key, "linear", &type, r->err));
    IX_TRY(float_key(r, "rope.scale_linear", 1.0f, &factor));
    IX_TRY(float_key(r, "rope.scaling.factor", factor, &factor));
    m->rope.factor = 1.0;
    if (type.size == 6 && memcmp(type.data, "linear", 6) == 0) {
        if (!(factor > 0.0f))
            return ix_fail(r->err, INOX_E_FORMAT, "%s.rope.scaling.factor must be positive",
                           r->arch);
        m->rope.factor = (double)factor;
        return INOX_OK;
    }
    if (type.size == 4 && memcmp(type.data, "none", 4) == 0)
        return INOX_OK;
    return ix_fail(r->err, INOX_E_UNSUPPORTED,
                   "rope scaling of type '%.*s' is not supported for %s",
                   (int)(type.size < 64 ? type.size : 64), type.data, r->arch);
}

static inox_status rope_keys(const reader *r, const ix_architecture *arch, ix_llm_shape *m)
{
    int64_t dims;
    float base;
    IX_TRY(size_key(r, "rope.dimension_count", m->head_dim, m->head_dim, &dims));
    if (dims % 2 != 0)
        return ix_fail(r->err, INOX_E_FORMAT,
                       "%s.rope.dimension_count is %lld, but pairs need an even number", r->arch,
                       (long long)dims);
    IX_TRY(float_key(r, "rope.freq_base", 10000.0f, &base));
    if (!(base > 1.0f))
        return ix_fail(r->err, INOX_E_FORMAT, "%s.rope.freq_base must be greater than 1", r->arch);
    m->rope.base = (double)base;
    m->rope.dims = (int32_t)dims;
    m->rope.interleaved = arch->rope_interleaved;
    return rope_scaling(r, m);
}

/* Keys that would change what the model computes and that these architectures do not have. */
static inox_status reject_keys(const reader *r)
{
    static const char *const KEYS[] = { "expert_count",           "attention.clamp_kqv",
                                        "attention.scale",        "logit_scale",
                                        "residual_scale",         "embedding_scale",
                                        "attn_logit_softcapping", "final_logit_softcapping" };
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        char key[256];
        float v;
        key_of(r, key, KEYS[i]);
        IX_TRY(ix_gguf_optional_f32(r->file, key, 0.0f, &v, r->err));
        if (v != 0.0f)
            return ix_fail(r->err, INOX_E_UNSUPPORTED,
                           "%s is %g: models of architecture '%s' with it are not supported yet",
                           key, (double)v, r->arch);
    }
    return INOX_OK;
}

inox_status ix_llm_shape_read(const ix_gguf *file, const ix_architecture *arch, ix_llm_shape *out,
                              inox_error *err)
{
    reader r = { file, arch->name, err };
    ix_llm_shape m = { 0 };
    int64_t even;
    char key[256];
    IX_TRY(size_key(&r, "block_count", -1, IX_MAX_LAYERS, &m.layers));
    IX_TRY(size_key(&r, "embedding_length", -1, IX_MAX_DIM >> 16, &m.width));
    IX_TRY(size_key(&r, "feed_forward_length", -1, IX_MAX_DIM >> 16, &m.feed_forward));
    IX_TRY(size_key(&r, "attention.head_count", -1, IX_MAX_HEADS, &m.heads));
    IX_TRY(size_key(&r, "attention.head_count_kv", m.heads, IX_MAX_HEADS, &m.kv_heads));
    if (m.heads % m.kv_heads != 0)
        return ix_fail(err, INOX_E_FORMAT, "%lld heads cannot share %lld key-value heads evenly",
                       (long long)m.heads, (long long)m.kv_heads);
    even = m.width / m.heads > 0 ? m.width / m.heads : 1;
    IX_TRY(size_key(&r, "attention.key_length", even, IX_MAX_HEAD_DIM, &m.head_dim));
    IX_TRY(size_key(&r, "attention.value_length", even, IX_MAX_HEAD_DIM, &m.value_dim));
    IX_TRY(size_key(&r, "context_length", 4096, IX_MAX_CONTEXT, &m.context));
    IX_TRY(float_key(&r, "attention.layer_norm_rms_epsilon", 1e-5f, &m.norm_eps));
    if (m.norm_eps < 0.0f)
        return ix_fail(err, INOX_E_FORMAT, "%s.attention.layer_norm_rms_epsilon is negative",
                       arch->name);
    IX_TRY(rope_keys(&r, arch, &m));
    key_of(&r, key, "attention.sliding_window");
    uint64_t window;
    IX_TRY(ix_gguf_optional_u64(file, key, 0, &window, err));
    m.window = window > IX_MAX_CONTEXT ? 0 : (int64_t)window;
    IX_TRY(reject_keys(&r));
    const ix_gguf_tensor *embedding = ix_gguf_find_tensor(file, "token_embd.weight");
    if (embedding == NULL)
        return ix_fail(err, INOX_E_FORMAT, "tensor 'token_embd.weight' is missing");
    if (embedding->dims[1] < 1 || embedding->dims[1] > IX_MAX_VOCAB)
        return ix_fail_at(err, INOX_E_LIMIT, embedding->position,
                          "a vocabulary of %llu is beyond %d",
                          (unsigned long long)embedding->dims[1], IX_MAX_VOCAB);
    m.vocabulary = (int64_t)embedding->dims[1];
    *out = m;
    return INOX_OK;
}
