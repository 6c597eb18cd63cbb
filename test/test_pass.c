/* Passes: fused and unfused graphs of small decoders give the same bits through the interpreter,
 * and compositions that are almost, but not quite, those of a fused operator stay as they are. */
#include "test.h"

#include "decoder.h"
#include "num/attention/attention.h"
#include "num/scalar/scalar.h"
#include "pass/pass.h"

/* ---- the small decoder ----------------------------------------------------------------------- */

static ix_tensor *weight(ix_decoder *d, ix_type type, int64_t rows, int64_t n, float scale,
                         const char *format, int layer)
{
    const ix_type_info *info = ix_type_of(type);
    ix_dim dims[2] = { ix_size(rows), ix_size(n) };
    int64_t blocks = (rows == 0 ? 1 : rows) * n / info->block_elements;
    char name[64];
    uint8_t *bytes = NULL;

    snprintf(name, sizeof name, format, layer);
    if (IX_ARENA(&d->bytes, &bytes, (size_t)blocks * info->block_bytes, NULL) != INOX_OK)
        return NULL;
    for (int64_t b = 0; b < blocks; b++) {
        uint8_t *block = bytes + (size_t)b * info->block_bytes;
        float x = scale * ix_test_random_float(&d->random);
        uint16_t half = ix_f32_to_f16(type == IX_TYPE_F16 ? x : x / 64);
        if (type == IX_TYPE_F32) {
            memcpy(block, &x, sizeof x);
            continue;
        }
        for (uint32_t i = 2; i < info->block_bytes; i++)
            block[i] = (uint8_t)ix_test_random(&d->random);
        memcpy(block, &half, sizeof half);
        if (type == IX_TYPE_Q4_K)
            memcpy(block + 2, &half, sizeof half);
    }
    return ix_weight(d->graph, name, type, rows == 0 ? 1 : 2, rows == 0 ? dims + 1 : dims, bytes,
                     (uint64_t)blocks * info->block_bytes, NULL);
}

static ix_tensor *vector(ix_decoder *d, int64_t n, const char *format, int layer)
{
    return weight(d, IX_TYPE_F32, 0, n, 1.0f, format, layer);
}

static ix_tensor *heads_of(ix_decoder *d, const ix_decoder_shape *s, ix_tensor *x, int64_t heads,
                           const char *what, int layer)
{
    ix_dim dims[3] = { ix_sym(IX_TOKENS), ix_size(heads), ix_size(s->head_dim) };
    char name[64];

    snprintf(name, sizeof name, "blk.%%d.attn_%s.weight", what);
    ix_tensor *y = ix_matmul(d->graph, x,
                             weight(d, s->type, heads * s->head_dim, s->width, 0.1f, name, layer));
    if (s->bias) {
        snprintf(name, sizeof name, "blk.%%d.attn_%s.bias", what);
        y = ix_add(d->graph, y, vector(d, heads * s->head_dim, name, layer));
    }
    y = ix_reshape(d->graph, y, 3, dims);
    if (s->head_norms && what[0] != 'v') {
        snprintf(name, sizeof name, "blk.%%d.attn_%s_norm.weight", what);
        y = ix_rms_norm(d->graph, y, vector(d, s->head_dim, name, layer), 1e-6f);
    }
    return y;
}

static ix_tensor *block(ix_decoder *d, const ix_decoder_shape *s, const ix_step_inputs *step,
                        ix_tensor *factors, int layer, ix_tensor *x)
{
    ix_graph *g = d->graph;
    int32_t dims = (int32_t)s->head_dim;
    ix_dim flat[2] = { ix_sym(IX_TOKENS), ix_size(s->heads * s->head_dim) };
    char name[32];

    ix_tensor *h = ix_rms_norm(g, x, vector(d, s->width, "blk.%d.attn_norm.weight", layer), 1e-5f);
    ix_tensor *q = heads_of(d, s, h, s->heads, "q", layer);
    ix_tensor *k = heads_of(d, s, h, s->kv_heads, "k", layer);
    ix_tensor *v = heads_of(d, s, h, s->kv_heads, "v", layer);
    q = ix_rope(g, q, step->positions, factors, 10000.0, 1.0, dims, s->interleaved);
    k = ix_rope(g, k, step->positions, factors, 10000.0, 1.0, dims, s->interleaved);
    snprintf(name, sizeof name, "cache.%d", layer);
    d->caches[layer] = ix_cache(g, name, s->cache, s->kv_heads, s->head_dim, s->head_dim);
    ix_tensor *cache = ix_cache_store(g, d->caches[layer], k, v, step);
    ix_tensor *sinks = s->sinks ? vector(d, s->heads, "blk.%d.attn_sinks.weight", layer) : NULL;
    h = ix_attention(g, q, cache, step, sinks, 0.25, s->softcap, s->window);
    h = ix_reshape(g, h, 2, flat);
    x = ix_add(g, x,
               ix_matmul(g, h,
                         weight(d, s->type, s->width, s->heads * s->head_dim, 0.1f,
                                "blk.%d.attn_output.weight", layer)));
    h = ix_rms_norm(g, x, vector(d, s->width, "blk.%d.ffn_norm.weight", layer), 1e-5f);
    ix_tensor *gate = ix_matmul(
        g, h, weight(d, s->type, s->hidden, s->width, 0.1f, "blk.%d.ffn_gate.weight", layer));
    ix_tensor *up = ix_matmul(
        g, h, weight(d, s->type, s->hidden, s->width, 0.1f, "blk.%d.ffn_up.weight", layer));
    h = ix_swiglu(g, gate, up);
    h = ix_matmul(g, h,
                  weight(d, s->type, s->width, s->hidden, 0.1f, "blk.%d.ffn_down.weight", layer));
    return ix_add(g, h, x);
}

inox_status ix_decoder_make(const ix_decoder_shape *s, uint64_t seed, ix_decoder *d,
                            inox_error *err)
{
    memset(d, 0, sizeof *d);
    d->random = seed;
    IX_TRY(ix_graph_new(&d->graph, err));
    ix_graph *g = d->graph;
    ix_step_inputs step = ix_step_inputs_of(g);
    ix_tensor *embedding =
        weight(d, s->type, s->vocabulary, s->width, 1.0f, "token_embd.weight", 0);
    ix_tensor *factors = NULL;
    if (s->factors) {
        factors = vector(d, s->head_dim / 2, "rope_freqs.weight", 0);
        for (int64_t i = 0; factors != NULL && i < s->head_dim / 2; i++)
            ((float *)(uintptr_t)factors->data)[i] = 1.0f + (float)i / 3.0f;
    }
    ix_tensor *x = ix_gather(g, embedding, step.tokens);
    for (int i = 0; i < s->layers; i++)
        x = block(d, s, &step, factors, i, x);
    x = ix_gather(g, x, step.rows);
    x = ix_rms_norm(g, x, vector(d, s->width, "output_norm.weight", 0), 1e-5f);
    return ix_graph_finish(g, ix_matmul(g, x, embedding), err);
}

void ix_decoder_release(ix_decoder *d)
{
    ix_graph_free(d->graph);
    ix_arena_release(&d->bytes);
}

/* ---- running it ------------------------------------------------------------------------------ */

#define TOKENS 6
#define CACHE_PAGES 5

/* Two steps: a prompt of one sequence, then more of it beside another sequence.  *out: logits of
 * both, rows after rows, from the caller's arena. */
static inox_status run_steps(const ix_decoder_shape *s, const ix_graph *g, ix_arena *arena,
                             float **out, int64_t *count, inox_error *err)
{
    static const int32_t ids[2][TOKENS] = { { 3, 1, 4, 1, 5, 9 }, { 2, 6, 5, 3, 5, 8 } };
    static const int32_t positions[2][TOKENS] = { { 125, 126, 127, 128, 129, 130 },
                                                  { 131, 132, 133, 0, 1, 2 } };
    static const int32_t sequence[2][TOKENS] = { { 0, 0, 0, 0, 0, 0 }, { 0, 0, 0, 1, 1, 1 } };
    static const int32_t pages[2][2] = { { 3, 1 }, { 4, 0 } };
    static const int32_t rows[2][2] = { { 5, 0 }, { 2, 5 } };
    ix_symbols symbols = { { TOKENS, 2, 2, 2, CACHE_PAGES } };
    ix_binding bindings[5 + 8];
    int32_t bound = 0;

    for (int32_t i = 0; i < g->count; i++) {
        const ix_tensor *t = g->tensors[i];
        if (t->op != IX_OP_INPUT && t->op != IX_OP_STATE)
            continue;
        bindings[bound] = (ix_binding){ .tensor = t };
        if (t->op == IX_OP_STATE)
            IX_TRY(ix_arena_alloc(arena, (size_t)ix_tensor_elements(t, &symbols),
                                  ix_type_of(t->type)->block_bytes, &bindings[bound].data, err));
        bound++;
    }
    *count = 2 * 2 * s->vocabulary;
    IX_TRY(IX_ARENA(arena, out, (size_t)*count, err));
    for (int step = 0; step < 2; step++) {
        const int32_t *inputs[5] = { ids[step], positions[step], sequence[step], pages[0],
                                     rows[step] };
        for (int i = 0; i < 5; i++) /* the inputs keep their order */
            bindings[i].data = (void *)(uintptr_t)inputs[i];
        IX_TRY(ix_graph_interpret(g, &symbols, bindings, bound, *out + step * *count / 2, err));
    }
    return INOX_OK;
}

static int count_ops(const ix_graph *g, ix_op op)
{
    int n = 0;

    for (int32_t i = 0; i < g->count; i++)
        n += g->tensors[i]->op == op;
    return n;
}

static void check_fused(ix_test *t, const ix_decoder_shape *s, uint64_t seed)
{
    inox_error err = { 0 };
    ix_decoder d;
    ix_graph *fused = NULL;
    ix_arena arena = { 0 };
    float *a = NULL, *b = NULL;
    int64_t n = 0;
    int norms = 2 * s->layers + 1 + (s->head_norms ? 2 * s->layers : 0);

    CHECK_OK(ix_decoder_make(s, seed, &d, &err), &err);
    CHECK_OK(ix_pass_fuse(d.graph, &fused, &err), &err);
    if (fused != NULL) {
        CHECK(count_ops(fused, IX_OP_RMS_NORM) == norms);
        CHECK(count_ops(fused, IX_OP_SWIGLU) == s->layers);
        CHECK(count_ops(fused, IX_OP_LINEAR) == 7 * s->layers + 1);
        CHECK(count_ops(fused, IX_OP_MATMUL) == 0 && count_ops(fused, IX_OP_MUL) == 0);
        CHECK(count_ops(fused, IX_OP_ADD) == 0 && count_ops(fused, IX_OP_DIV) == 0);
        CHECK(count_ops(fused, IX_OP_WEIGHT) == count_ops(d.graph, IX_OP_WEIGHT));
        CHECK_OK(run_steps(s, d.graph, &arena, &a, &n, &err), &err);
        CHECK_OK(run_steps(s, fused, &arena, &b, &n, &err), &err);
        int64_t usual = 0;
        for (int64_t i = 0; i < n; i++)
            usual += !ix_is_nan(a[i]) && a[i] != 0.0f;
        CHECK_MSG(usual > n / 2, "only %lld of %lld logits are numbers", (long long)usual,
                  (long long)n);
        CHECK(memcmp(a, b, (size_t)n * sizeof *a) == 0);
    }
    ix_graph_free(fused);
    ix_decoder_release(&d);
    ix_arena_release(&arena);
}

TEST(pass_fuse_keeps_bits)
{
    static const ix_decoder_shape shapes[] = {
        { 2, 64, 4, 2, 16, 96, 40, IX_TYPE_F32, IX_TYPE_F16, .interleaved = true },
        { 1, 64, 4, 4, 16, 96, 40, IX_TYPE_F16, IX_TYPE_F32, .bias = true, .window = 3 },
        { 2, 64, 4, 1, 32, 64, 40, IX_TYPE_Q8_0, IX_TYPE_F16, .head_norms = true },
        { 1, 256, 4, 2, 64, 256, 40, IX_TYPE_Q4_K, IX_TYPE_F16, .factors = true,
          .interleaved = true },
        { 1, 64, 4, 2, 16, 32, 40, IX_TYPE_F32, IX_TYPE_F32, .sinks = true, .softcap = 5.0f,
          .bias = true, .head_norms = true },
    };

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_fused(t, &shapes[i], 1000 + i);
}

/* ---- what must not be fused ------------------------------------------------------------------ */

typedef struct parts {
    ix_graph *g;
    ix_tensor *x, *y; /* inputs [tokens, 8] */
    ix_tensor *w, *b; /* [8, 8], [8] */
} parts;

static parts parts_new(void)
{
    static const float bytes[64] = { 1.0f, 2.0f, 3.0f };
    parts p = { 0 };
    ix_dim row[2] = { ix_sym(IX_TOKENS), ix_size(8) }, square[2] = { ix_size(8), ix_size(8) };

    if (ix_graph_new(&p.g, NULL) != INOX_OK)
        return p;
    p.x = ix_input(p.g, "x", IX_TYPE_F32, 2, row);
    p.y = ix_input(p.g, "y", IX_TYPE_F32, 2, row);
    p.w = ix_weight(p.g, "w", IX_TYPE_F32, 2, square, bytes, sizeof bytes, NULL);
    p.b = ix_weight(p.g, "b", IX_TYPE_F32, 1, square, bytes, 8 * sizeof *bytes, NULL);
    return p;
}

/* Finishes, fuses, counts one operator in the result, runs both and compares all bits. */
static int fuse_and_count(ix_test *t, parts *p, ix_tensor *output, ix_op op)
{
    inox_error err = { 0 };
    ix_graph *fused = NULL;
    float x[3 * 8], y[3 * 8], out[2][3 * 8] = { { 0 } };
    ix_symbols symbols = { { 3 } };
    uint64_t random = 7;
    int n = -1;

    for (int i = 0; i < 3 * 8; i++) {
        x[i] = ix_test_random_float(&random);
        y[i] = i % 5 == 0 ? -0.0f : ix_test_random_float(&random);
    }
    x[9] = ix_float(0xffc12345u); /* another NaN than the one */
    CHECK_OK(ix_graph_finish(p->g, output, &err), &err);
    CHECK_OK(ix_pass_fuse(p->g, &fused, &err), &err);
    if (fused != NULL) {
        const ix_graph *graphs[2] = { p->g, fused };
        for (int i = 0; i < 2; i++) {
            ix_binding bindings[2] = { { graphs[i]->tensors[0], x }, { graphs[i]->tensors[1], y } };
            CHECK_OK(ix_graph_interpret(graphs[i], &symbols, bindings, 2, out[i], &err), &err);
        }
        CHECK(memcmp(out[0], out[1], sizeof out[0]) == 0);
        n = count_ops(fused, op);
    }
    ix_graph_free(fused);
    ix_graph_free(p->g);
    return n;
}

TEST(pass_fuse_norms)
{
    parts p = parts_new();
    CHECK(fuse_and_count(t, &p, ix_rms_norm(p.g, p.x, p.b, 1e-5f), IX_OP_RMS_NORM) == 1);
    p = parts_new(); /* without a weight */
    ix_tensor *norm = ix_rms_norm(p.g, p.x, p.b, 1e-5f);
    CHECK(fuse_and_count(t, &p, norm->args[0], IX_OP_RMS_NORM) == 1);
    p = parts_new(); /* divided by another number than n */
    norm = ix_rms_norm(p.g, p.x, p.b, 1e-5f);
    norm->args[0]->args[1]->args[0]->args[0]->args[0]->attrs.scalar.value = 7.0f;
    CHECK(fuse_and_count(t, &p, norm, IX_OP_RMS_NORM) == 0);
    p = parts_new(); /* the root of another tensor's squares */
    norm = ix_rms_norm(p.g, p.x, p.b, 1e-5f);
    CHECK(fuse_and_count(t, &p, ix_mul(p.g, p.y, norm->args[0]->args[1]), IX_OP_RMS_NORM) == 0);
    p = parts_new(); /* an inner tensor with two users */
    norm = ix_rms_norm(p.g, p.x, p.b, 1e-5f);
    CHECK(fuse_and_count(t, &p, ix_add(p.g, norm, norm->args[0]->args[1]), IX_OP_RMS_NORM) == 0);
    p = parts_new(); /* the product before the weight has two users: a norm without weight, and a
                        product */
    norm = ix_rms_norm(p.g, p.x, p.b, 1e-5f);
    CHECK(fuse_and_count(t, &p, ix_add(p.g, norm, norm->args[0]), IX_OP_MUL) == 1);
    p = parts_new(); /* times a row-wise number in place of a weight */
    norm = ix_rms_norm(p.g, p.x, p.b, 1e-5f)->args[0];
    CHECK(fuse_and_count(t, &p, ix_mul(p.g, norm, ix_unary(p.g, IX_OP_SUM, p.y)), IX_OP_MUL) == 1);
}

TEST(pass_fuse_silu)
{
    parts p = parts_new();
    CHECK(fuse_and_count(t, &p, ix_build_silu(p.g, p.x), IX_OP_SILU) == 1);
    p = parts_new();
    CHECK(fuse_and_count(t, &p, ix_swiglu(p.g, p.x, p.y), IX_OP_SWIGLU) == 1);
    p = parts_new(); /* in the other order */
    CHECK(fuse_and_count(t, &p, ix_mul(p.g, p.y, ix_build_silu(p.g, p.x)), IX_OP_SWIGLU) == 1);
    p = parts_new(); /* both operands gated: one is the gate, the other a silu of its own */
    CHECK(fuse_and_count(t, &p, ix_mul(p.g, ix_build_silu(p.g, p.y), ix_build_silu(p.g, p.x)),
                         IX_OP_SILU) == 1);
    p = parts_new(); /* the square of one silu */
    ix_tensor *silu = ix_build_silu(p.g, p.x);
    CHECK(fuse_and_count(t, &p, ix_mul(p.g, silu, silu), IX_OP_SWIGLU) == 0);
    p = parts_new(); /* another numerator */
    silu = ix_build_silu(p.g, p.x);
    CHECK(fuse_and_count(t, &p, ix_binary(p.g, IX_OP_DIV, p.y, silu->args[1]), IX_OP_SILU) == 0);
    p = parts_new(); /* + 2 */
    silu = ix_build_silu(p.g, p.x);
    silu->args[1]->attrs.scalar.value = 2.0f;
    CHECK(fuse_and_count(t, &p, silu, IX_OP_SILU) == 0);
    p = parts_new(); /* a broadcast up */
    CHECK(fuse_and_count(t, &p, ix_mul(p.g, ix_build_silu(p.g, p.x), p.b), IX_OP_SWIGLU) == 0);
}

TEST(pass_fuse_linear)
{
    parts p = parts_new();
    ix_tensor *product = ix_matmul(p.g, p.x, p.w);
    CHECK(fuse_and_count(t, &p, ix_add(p.g, p.y, ix_add(p.g, product, p.b)), IX_OP_ADD) == 0);
    p = parts_new(); /* residual before bias: the order of the sums is kept */
    product = ix_matmul(p.g, p.x, p.w);
    CHECK(fuse_and_count(t, &p, ix_add(p.g, ix_add(p.g, product, p.y), p.b), IX_OP_ADD) == 1);
    p = parts_new(); /* two biases */
    product = ix_add(p.g, ix_matmul(p.g, p.x, p.w), p.b);
    CHECK(fuse_and_count(t, &p, ix_add(p.g, product, p.b), IX_OP_ADD) == 1);
    p = parts_new(); /* a product with two users stays a product */
    product = ix_matmul(p.g, p.x, p.w);
    CHECK(fuse_and_count(t, &p, ix_add(p.g, product, product), IX_OP_ADD) == 1);
    p = parts_new(); /* the sum of two products is one, with the other as its residual */
    product = ix_matmul(p.g, p.x, p.w);
    CHECK(fuse_and_count(t, &p, ix_add(p.g, product, ix_matmul(p.g, p.y, p.w)), IX_OP_ADD) == 0);
    p = parts_new();
    product = ix_matmul(p.g, p.x, p.w);
    CHECK(fuse_and_count(t, &p, ix_add(p.g, ix_matmul(p.g, product, p.w), product), IX_OP_LINEAR) ==
          2);
    p = parts_new(); /* a row-wise number is neither */
    product = ix_matmul(p.g, p.x, p.w);
    CHECK(fuse_and_count(t, &p, ix_add(p.g, product, ix_unary(p.g, IX_OP_SUM, p.y)), IX_OP_ADD) ==
          1);
}

TEST(pass_fuse_drops_dead_code)
{
    parts p = parts_new();
    ix_tensor *unused = ix_matmul(p.g, p.x, p.w);
    (void)ix_rms_norm(p.g, unused, p.b, 1e-5f);
    ix_tensor *product = ix_matmul(p.g, p.x, p.w);
    ix_tensor *sum = ix_add(p.g, product, p.x);
    (void)ix_mul(p.g, product, p.y); /* a dead user does not keep the sum from being fused */
    CHECK(fuse_and_count(t, &p, sum, IX_OP_ADD) == 0);
    p = parts_new();
    (void)ix_matmul(p.g, p.x, p.w);
    CHECK(fuse_and_count(t, &p, ix_unary(p.g, IX_OP_NEG, p.x), IX_OP_WEIGHT) == 0);
    p = parts_new(); /* inputs stay */
    CHECK(fuse_and_count(t, &p, ix_unary(p.g, IX_OP_NEG, p.x), IX_OP_INPUT) == 2);
}

/* A store into a cache is an effect: it stays although nothing in this graph reads it. */
TEST(pass_fuse_keeps_stores)
{
    inox_error err = { 0 };
    ix_graph *g = NULL, *fused = NULL;
    ix_dim row[3] = { ix_sym(IX_TOKENS), ix_size(2), ix_size(4) };

    CHECK_OK(ix_graph_new(&g, &err), &err);
    ix_step_inputs step = ix_step_inputs_of(g);
    ix_tensor *k = ix_input(g, "k", IX_TYPE_F32, 3, row);
    ix_tensor *v = ix_unary(g, IX_OP_NEG, k);
    (void)ix_cache_store(g, ix_cache(g, "cache", IX_TYPE_F16, 2, 4, 4), k, v, &step);
    CHECK_OK(ix_graph_finish(g, ix_unary(g, IX_OP_EXP, k), &err), &err);
    CHECK_OK(ix_pass_fuse(g, &fused, &err), &err);
    if (fused != NULL) {
        CHECK(count_ops(fused, IX_OP_CACHE_STORE) == 1);
        CHECK(count_ops(fused, IX_OP_NEG) == 1);
        CHECK(fused->count == g->count);
    }
    ix_graph_free(fused);
    ix_graph_free(g);
}

TEST(pass_fuse_survives_allocation_failures)
{
    inox_error err = { 0 };
    parts p = parts_new();
    ix_tensor *y = ix_rms_norm(p.g, ix_swiglu(p.g, ix_matmul(p.g, p.x, p.w), p.y), p.b, 1e-5f);

    CHECK_OK(ix_graph_finish(p.g, y, &err), &err);
    inox_status status = INOX_E_MEMORY;
    for (uint64_t n = 1; status != INOX_OK && n < 1000; n++) {
        ix_graph *fused = NULL;
        ix_alloc_fail_at(n, 1);
        status = ix_pass_fuse(p.g, &fused, &err);
        ix_alloc_fail_at(0, 0);
        CHECK(status == INOX_OK ? fused != NULL : status == INOX_E_MEMORY && fused == NULL);
        ix_graph_free(fused);
    }
    CHECK(status == INOX_OK);
    ix_graph_free(p.g);
}
