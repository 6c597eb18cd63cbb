/* What all decoders share: weights by name, embedding, blocks, last norm, logits.
 *
 *     tokens ─ embedding ─ block 0 ─ ... ─ block n-1 ─ rows wanted ─ norm ─ output ─ logits
 *
 * Rows are chosen before the last norm, so that a prompt pays for one row of logits only.  Weights
 * are looked up by one function, which says what is missing or has the wrong shape.
 */
#include "llm/arch/arch.h"

#include "num/dequant/dequant.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void tensor_name(char out[IX_MAX_TENSOR_NAME + 1], int layer, const char *name,
                        const char *ending)
{
    if (layer < 0)
        snprintf(out, IX_MAX_TENSOR_NAME + 1, "%s.%s", name, ending);
    else
        snprintf(out, IX_MAX_TENSOR_NAME + 1, "blk.%d.%s.%s", layer, name, ending);
}

static bool failed(const ix_llm_build *b)
{
    return b->g->error.code != INOX_OK;
}

static const ix_gguf_tensor *find(ix_llm_build *b, const char *name)
{
    const ix_gguf_tensor *t = ix_gguf_find_tensor(b->file, name);
    if (t != NULL)
        b->used[t - ix_gguf_tensor_at(b->file, 0)] = true;
    return t;
}

/* The tensor with rows x cols elements (rows 0: a vector of cols); NULL and the graph's error
 * otherwise. */
static const ix_gguf_tensor *weight_of_shape(ix_llm_build *b, const char *name, int64_t rows,
                                             int64_t cols)
{
    if (failed(b))
        return NULL;
    const ix_gguf_tensor *t = find(b, name);
    if (t == NULL) {
        ix_fail(&b->g->error, INOX_E_FORMAT,
                "tensor '%s' is missing: the file is incomplete, or of another architecture than "
                "it says",
                name);
        return NULL;
    }
    uint64_t want_rows = rows == 0 ? 1 : (uint64_t)rows;
    if (t->dims[0] != (uint64_t)cols || t->dims[1] != want_rows || t->dims[2] != 1 ||
        t->dims[3] != 1) {
        ix_fail_at(&b->g->error, INOX_E_FORMAT, t->position,
                   "tensor '%s' has shape [%llu, %llu, %llu, %llu], but the "
                   "hyperparameters ask for [%lld, %lld]",
                   name, (unsigned long long)t->dims[0], (unsigned long long)t->dims[1],
                   (unsigned long long)t->dims[2], (unsigned long long)t->dims[3], (long long)cols,
                   (long long)want_rows);
        return NULL;
    }
    return t;
}

static ix_tensor *matrix(ix_llm_build *b, const char *name, int64_t rows, int64_t cols)
{
    const ix_gguf_tensor *t = weight_of_shape(b, name, rows, cols);
    if (t == NULL)
        return NULL;
    ix_dim dims[2] = { ix_size(rows), ix_size(cols) };
    return ix_weight(b->g, t->name, t->type, 2, dims, t->data, t->bytes,
                     &ix_gguf_file_at(b->file, t->file)->map);
}

/* Vectors are wanted as float32; another type is widened once, into the graph's memory. */
static ix_tensor *vector(ix_llm_build *b, const char *name, int64_t n)
{
    const ix_gguf_tensor *t = weight_of_shape(b, name, 0, n);
    if (t == NULL)
        return NULL;
    ix_dim dims[1] = { ix_size(n) };
    if (t->type == IX_TYPE_F32)
        return ix_weight(b->g, t->name, t->type, 1, dims, t->data, t->bytes,
                         &ix_gguf_file_at(b->file, t->file)->map);
    float *wide;
    if (IX_ARENA(&b->g->arena, &wide, (size_t)n, &b->g->error) != INOX_OK)
        return NULL;
    ix_dequantize_row(t->type, t->data, n, wide);
    return ix_weight(b->g, t->name, IX_TYPE_F32, 1, dims, wide, (uint64_t)n * sizeof(float), NULL);
}

ix_tensor *ix_llm_norm(ix_llm_build *b, int layer, const char *name, ix_tensor *x)
{
    char full[IX_MAX_TENSOR_NAME + 1];
    if (failed(b) || x == NULL)
        return NULL;
    tensor_name(full, layer, name, "weight");
    ix_tensor *w = vector(b, full, x->dims[x->rank - 1].value);
    return ix_rms_norm(b->g, x, w, b->m->norm_eps);
}

ix_tensor *ix_optional_vector(ix_llm_build *b, int layer, const char *name, const char *ending,
                              int64_t n)
{
    char full[IX_MAX_TENSOR_NAME + 1];
    tensor_name(full, layer, name, ending);
    return find(b, full) == NULL ? NULL : vector(b, full, n);
}

void ix_require_bias(ix_llm_build *b, int layer, const char *name)
{
    char full[IX_MAX_TENSOR_NAME + 1];
    tensor_name(full, layer, name, "bias");
    if (!failed(b) && find(b, full) == NULL)
        ix_fail(&b->g->error, INOX_E_FORMAT, "tensor '%s' is missing: the file is incomplete",
                full);
}

ix_tensor *ix_llm_linear(ix_llm_build *b, int layer, const char *name, ix_tensor *x, int64_t out)
{
    char full[IX_MAX_TENSOR_NAME + 1];
    if (failed(b) || x == NULL)
        return NULL;
    tensor_name(full, layer, name, "weight");
    ix_tensor *w = matrix(b, full, out, x->dims[x->rank - 1].value);
    ix_tensor *y = ix_matmul(b->g, x, w);
    ix_tensor *bias = ix_optional_vector(b, layer, name, "bias", out);
    return bias == NULL ? y : ix_add(b->g, y, bias);
}

ix_tensor *ix_llm_heads(ix_llm_build *b, int layer, const char *name, ix_tensor *x, int64_t heads,
                        int64_t dim)
{
    ix_dim dims[3] = { ix_sym(IX_TOKENS), ix_size(heads), ix_size(dim) };
    return ix_reshape(b->g, ix_llm_linear(b, layer, name, x, heads * dim), 3, dims);
}

ix_tensor *ix_llm_rope(ix_llm_build *b, ix_tensor *x)
{
    const ix_llm_shape *m = b->m;
    return ix_rope(b->g, x, b->step.positions, b->rope_factors, m->rope.base, m->rope.factor,
                   m->rope.dims, m->rope.interleaved);
}

ix_tensor *ix_llm_attention(ix_llm_build *b, int layer, ix_tensor *q, ix_tensor *k, ix_tensor *v)
{
    const ix_llm_shape *m = b->m;
    ix_tensor *cache = ix_cache_store(b->g, b->caches[layer], k, v, &b->step);
    ix_tensor *y = ix_attention(b->g, q, cache, &b->step, NULL, 1.0 / sqrt((double)m->head_dim),
                                0.0f, m->window);
    ix_dim flat[2] = { ix_sym(IX_TOKENS), ix_size(m->heads * m->value_dim) };
    return ix_reshape(b->g, y, 2, flat);
}

ix_tensor *ix_llm_feed_forward(ix_llm_build *b, int layer, ix_tensor *x)
{
    ix_tensor *gate = ix_llm_linear(b, layer, "ffn_gate", x, b->m->feed_forward);
    ix_tensor *up = ix_llm_linear(b, layer, "ffn_up", x, b->m->feed_forward);
    return ix_llm_linear(b, layer, "ffn_down", ix_swiglu(b->g, gate, up), b->m->width);
}

/* What nothing in the graph used would have changed the result in the program that the file was
 * made for. */
static void reject_unused(ix_llm_build *b)
{
    size_t n = ix_gguf_tensor_count(b->file);
    for (size_t i = 0; i < n && !failed(b); i++) {
        const ix_gguf_tensor *t = ix_gguf_tensor_at(b->file, i);
        if (!b->used[i] && strstr(t->name, "rot_embd") == NULL &&
            strstr(t->name, "rope_freqs") == NULL)
            ix_fail_at(&b->g->error, INOX_E_UNSUPPORTED, t->position,
                       "tensor '%s' is not part of this architecture as Inox knows it; running "
                       "without it would give "
                       "other results than the model was made for",
                       t->name);
    }
}

static inox_status decoder(ix_llm_build *b, const ix_architecture *arch, ix_type cache_type,
                           inox_error *err)
{
    const ix_llm_shape *m = b->m;
    char name[32];
    b->step = ix_step_inputs_of(b->g);
    for (int layer = 0; layer < m->layers; layer++) {
        snprintf(name, sizeof name, "cache.%d", layer);
        b->caches[layer] = ix_cache(b->g, name, cache_type, m->kv_heads, m->head_dim, m->value_dim);
    }
    b->rope_factors = ix_optional_vector(b, -1, "rope_freqs", "weight", m->rope.dims / 2);
    ix_tensor *embedding = matrix(b, "token_embd.weight", m->vocabulary, m->width);
    ix_tensor *x = ix_gather(b->g, embedding, b->step.tokens);
    for (int layer = 0; layer < m->layers; layer++)
        x = arch->block(b, layer, x);
    x = ix_gather(b->g, x, b->step.rows);
    x = ix_llm_norm(b, -1, "output_norm", x);
    ix_tensor *output = find(b, "output.weight") == NULL
                            ? embedding
                            : matrix(b, "output.weight", m->vocabulary, m->width);
    x = ix_matmul(b->g, x, output);
    reject_unused(b);
    return ix_graph_finish(b->g, x, err);
}

inox_status ix_llm_graph(const ix_gguf *file, const ix_architecture *arch, const ix_llm_shape *m,
                         ix_type cache_type, ix_graph **out, inox_error *err)
{
    ix_llm_build b = { .file = file, .m = m };
    inox_status status;
    IX_TRY(ix_graph_new(&b.g, err));
    IX_TRY_GOTO(status, IX_ARENA(&b.g->arena, &b.caches, (size_t)m->layers, err), fail);
    IX_TRY_GOTO(status, IX_ARENA(&b.g->arena, &b.used, ix_gguf_tensor_count(file) + 1, err), fail);
    IX_TRY_GOTO(status, decoder(&b, arch, cache_type, err), fail);
    *out = b.g;
    return INOX_OK;
fail:
    ix_graph_free(b.g);
    return status;
}
