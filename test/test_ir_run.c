/* The reference interpreter: known answers of every operator, errors of callers, and whole decoders
 * against a plain computation in binary64 that shares no code with it. */
#include "test.h"

#include <math.h>

#include "decoder.h"
#include "ir/rope_table.h"
#include "num/attention/attention.h"
#include "num/matmul/matmul.h"
#include "num/scalar/scalar.h"
#include "pass/pass.h"

/* ---- known answers --------------------------------------------------------------------------- */

typedef struct bench {
    ix_graph *g;
    ix_symbols symbols;
    ix_binding bindings[16];
    int32_t bound;
    float out[256];
    inox_error err;
} bench;

static bench bench_new(int64_t tokens)
{
    bench b = { .symbols = { { tokens, 2, 1, 1, 1 } } };

    if (ix_graph_new(&b.g, &b.err) != INOX_OK)
        b.g = NULL;
    return b;
}

static ix_tensor *bind(bench *b, ix_tensor *t, const void *data)
{
    b->bindings[b->bound++] = (ix_binding){ t, (void *)(uintptr_t)data };
    return t;
}

/* A float input [tokens, n]. */
static ix_tensor *rows(bench *b, int64_t n, const float *data)
{
    ix_dim dims[2] = { ix_sym(IX_TOKENS), ix_size(n) };
    char name[16];

    snprintf(name, sizeof name, "input%d", b->bound);
    return bind(b, ix_input(b->g, name, IX_TYPE_F32, 2, dims), data);
}

static ix_tensor *ids(bench *b, ix_symbol symbol, const int32_t *data)
{
    ix_dim dim = ix_sym(symbol);
    char name[16];

    snprintf(name, sizeof name, "ids%d", b->bound);
    return bind(b, ix_input(b->g, name, IX_TYPE_I32, 1, &dim), data);
}

static ix_tensor *constant(bench *b, int32_t rank, int64_t m, int64_t n, const float *data)
{
    ix_dim dims[2] = { ix_size(m), ix_size(n) };

    return ix_weight(b->g, "constant", IX_TYPE_F32, rank, dims, data,
                     (uint64_t)(rank == 1 ? m : m * n) * 4, NULL);
}

static inox_status run(bench *b, ix_tensor *output)
{
    inox_status status = ix_graph_finish(b->g, output, &b->err);

    if (status == INOX_OK)
        status = ix_graph_interpret(b->g, &b->symbols, b->bindings, b->bound, b->out, &b->err);
    return status;
}

/* Runs, compares all bits with `expected`, frees. */
static void check_run(ix_test *t, bench *b, ix_tensor *output, const float *expected, int n)
{
    CHECK_OK(run(b, output), &b->err);
    for (int i = 0; i < n; i++)
        CHECK_MSG(ix_bits(b->out[i]) == ix_bits(expected[i]), "%s: element %d is %a, not %a",
                  output != NULL ? ix_op_of(output->op)->name : "?", i, (double)b->out[i],
                  (double)expected[i]);
    ix_graph_free(b->g);
}

static void check_binary(ix_test *t, ix_op op, const float *expected)
{
    static const float x[6] = { 1, 2, 3, -4, 5, -6 }, y[6] = { 2, -2, 0.5f, 8, 4, 3 };
    bench b = bench_new(2);
    ix_tensor *a = rows(&b, 3, x);

    check_run(t, &b, ix_binary(b.g, op, a, rows(&b, 3, y)), expected, 6);
}

TEST(ir_run_elementwise)
{
    static const float x[4] = { 4, -1, 0.25f, -0.0f };
    static const struct {
        ix_op op;
        float out[4];
    } one[] = {
        { IX_OP_NEG, { -4, 1, -0.25f, 0 } },
        { IX_OP_RECIP, { 0.25f, -1, 4, -INFINITY } },
        { IX_OP_SQRT, { 2, NAN, 0.5f, -0.0f } },
        { IX_OP_ADD_SCALAR, { 6, 1, 2.25f, 2 } },
        { IX_OP_MUL_SCALAR, { 8, -2, 0.5f, -0.0f } },
        { IX_OP_DIV_SCALAR, { 2, -0.5f, 0.125f, -0.0f } },
    };
    ix_attrs two = { .scalar = { 2.0f } };

    check_binary(t, IX_OP_ADD, (const float[]){ 3, 0, 3.5f, 4, 9, -3 });
    check_binary(t, IX_OP_SUB, (const float[]){ -1, 4, 2.5f, -12, 1, -9 });
    check_binary(t, IX_OP_MUL, (const float[]){ 2, -4, 1.5f, -32, 20, -18 });
    check_binary(t, IX_OP_DIV, (const float[]){ 0.5f, -1, 6, -0.5f, 1.25f, -2 });
    for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
        bench b = bench_new(2);
        ix_tensor *a = rows(&b, 2, x);
        float expected[4];
        for (int k = 0; k < 4; k++)
            expected[k] = ix_canonical(one[i].out[k]);
        check_run(t, &b, ix_emit(b.g, one[i].op, 1, &a, &two), expected, 4);
    }
    for (int i = 0; i < 4; i++) {
        static const ix_op ops[4] = { IX_OP_EXP, IX_OP_TANH, IX_OP_ERF, IX_OP_SILU };
        float (*const functions[4])(float) = { ix_exp, ix_tanh, ix_erf, ix_silu };
        float expected[4];
        bench b = bench_new(2);
        for (int k = 0; k < 4; k++)
            expected[k] = functions[i](x[k]);
        check_run(t, &b, ix_unary(b.g, ops[i], rows(&b, 2, x)), expected, 4);
    }
    float nan = ix_float(0xffc00001u), inputs[4] = { nan, 1, 2, 3 }; /* C11: one NaN */
    bench b = bench_new(2);
    check_run(t, &b, rows(&b, 2, inputs), (const float[]){ ix_float(IX_F32_NAN_BITS), 1, 2, 3 }, 4);
}

TEST(ir_run_broadcast)
{
    static const float x[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
    static const float v[3] = { 10, 20, 30 }, c[4] = { 100, 200, 300, 400 };
    ix_dim cube[3] = { ix_sym(IX_TOKENS), ix_size(2), ix_size(3) };
    ix_dim face[2] = { ix_size(2), ix_size(1) },
           sheet[3] = { ix_sym(IX_TOKENS), ix_size(2), ix_size(1) };
    bench b = bench_new(2);

    ix_tensor *y = ix_reshape(b.g, rows(&b, 6, x), 3, cube);
    y = ix_add(b.g, y, constant(&b, 1, 3, 1, v));
    y = ix_add(b.g, y, ix_reshape(b.g, rows(&b, 2, c), 3, sheet));
    y = ix_add(b.g, y, ix_reshape(b.g, constant(&b, 1, 2, 1, v), 2, face));
    check_run(t, &b, y,
              (const float[]){ 121, 132, 143, 234, 245, 256, 327, 338, 349, 440, 451, 462 }, 12);
}

TEST(ir_run_rows)
{
    static const float x[8] = { 1, 2, 3, 4, 0, 0, -2, 2 }, w[4] = { 1, 10, 100, 1000 };
    bench b = bench_new(2);

    check_run(t, &b, ix_unary(b.g, IX_OP_SUM, rows(&b, 4, x)), (const float[]){ 10, 0 }, 2);
    b = bench_new(2);
    check_run(t, &b, ix_unary(b.g, IX_OP_SUM_SQUARES, rows(&b, 4, x)), (const float[]){ 30, 8 }, 2);
    b = bench_new(2); /* mean square of the second row is 2; with eps 2 the root is 2 */
    ix_tensor *norm = ix_rms_norm(b.g, rows(&b, 4, x), constant(&b, 1, 4, 1, w), 2.0f);
    CHECK_OK(run(&b, norm), &b.err);
    CHECK(b.out[4] == 0 && b.out[5] == 0 && b.out[6] == -100 && b.out[7] == 1000);
    CHECK(fabsf(b.out[0] - 0.3244428f) < 1e-6f && fabsf(b.out[3] - 1297.7713f) < 1e-3f);
    ix_graph_free(b.g);
}

TEST(ir_run_gather)
{
    static const float table[6] = { 1, 2, 3, 4, 5, 6 }, x[4] = { 7, 8, 9, 10 };
    static const int32_t some[3] = { 2, 0, 2 }, last[2] = { 1, 1 };
    uint16_t halves[4] = { 0x3c00, 0x4000, 0xc000, 0x7e01 };
    ix_dim dims[2] = { ix_size(2), ix_size(2) };
    bench b = bench_new(3);

    check_run(t, &b, ix_gather(b.g, constant(&b, 2, 3, 2, table), ids(&b, IX_TOKENS, some)),
              (const float[]){ 5, 6, 1, 2, 5, 6 }, 6);
    b = bench_new(2);
    ix_tensor *a = rows(&b, 2, x);
    check_run(t, &b, ix_gather(b.g, a, ids(&b, IX_ROWS, last)), (const float[]){ 9, 10, 9, 10 }, 4);
    b = bench_new(2);
    a = ix_weight(b.g, "halves", IX_TYPE_F16, 2, dims, halves, sizeof halves, NULL);
    check_run(t, &b, ix_gather(b.g, a, ids(&b, IX_TOKENS, last)),
              (const float[]){ -2, ix_float(IX_F32_NAN_BITS), -2, ix_float(IX_F32_NAN_BITS) }, 4);
}

TEST(ir_run_products)
{
    static const float x[4] = { 1, 2, 3, 4 }, w[6] = { 1, 0, 0, 1, 1, 1 }, bias[3] = { 10, 20, 30 };
    static const float residual[6] = { 100, 100, 100, 200, 200, 200 };
    bench b = bench_new(2);

    check_run(t, &b, ix_matmul(b.g, rows(&b, 2, x), constant(&b, 2, 3, 2, w)),
              (const float[]){ 1, 2, 3, 3, 4, 7 }, 6);
    for (int variant = 0; variant < 4; variant++) {
        b = bench_new(2);
        ix_attrs attrs;
        memset(&attrs, 0, sizeof attrs);
        attrs.linear.bias = variant & 1;
        attrs.linear.residual = (variant & 2) != 0;
        ix_tensor *args[4] = { rows(&b, 2, x), constant(&b, 2, 3, 2, w) };
        int32_t n = 2;
        if (attrs.linear.bias)
            args[n++] = constant(&b, 1, 3, 1, bias);
        if (attrs.linear.residual)
            args[n++] = rows(&b, 3, residual);
        float expected[6] = { 1, 2, 3, 3, 4, 7 };
        for (int i = 0; i < 6; i++)
            expected[i] +=
                (attrs.linear.bias ? bias[i % 3] : 0) + (attrs.linear.residual ? residual[i] : 0);
        check_run(t, &b, ix_emit(b.g, IX_OP_LINEAR, n, args, &attrs), expected, 6);
    }
    static const float gate[4] = { 0, 0, 100, -100 }, up[4] = { 3, -3, 2, 5 };
    b = bench_new(2); /* silu(100) is 100 / (1 + exp(-100)) */
    ix_tensor *g = rows(&b, 2, gate), *args[2] = { g, rows(&b, 2, up) };
    check_run(t, &b, ix_emit(b.g, IX_OP_SWIGLU, 2, args, NULL),
              (const float[]){ 0, -0.0f, 200, -0.0f }, 4);
    b = bench_new(2);
    ix_tensor *a = rows(&b, 4, residual);
    ix_attrs eps = { .norm = { 0.0f } };
    b.symbols.value[IX_TOKENS] = 1;
    check_run(t, &b, ix_emit(b.g, IX_OP_RMS_NORM, 1, &a, &eps), NULL, 0);
}

/* The rule for products and the table of kernels know the same types. */
TEST(ir_run_multiplies_every_type)
{
    static const float x[256] = { 1, 2, 3 };
    static const uint8_t zeros[2 * 256 * 8];
    ix_dim dims[2] = { ix_size(2), ix_size(256) };

    for (int type = 0; type < IX_TYPE_COUNT; type++) {
        bench b = bench_new(1);
        ix_tensor *a = rows(&b, 256, x);
        ix_tensor *w = ix_weight(b.g, "w", (ix_type)type, 2, dims, zeros, sizeof zeros, NULL);
        inox_status status = run(&b, ix_matmul(b.g, a, w));
        bool known = ix_matmul_find((ix_type)type, IX_ISA_REF, true) != NULL;
        CHECK_MSG(status == (known ? INOX_OK : INOX_E_FORMAT), "%s: %s",
                  ix_type_of((ix_type)type)->name, b.err.message);
        ix_graph_free(b.g);
    }
}

TEST(ir_run_rope)
{
    static const float x[8] = { 1, 2, 3, 4, 1, 2, 3, 4 };
    static const int32_t position[2] = { 0, 3 };
    ix_dim heads[3] = { ix_sym(IX_TOKENS), ix_size(1), ix_size(4) };

    for (int interleaved = 0; interleaved < 2; interleaved++) {
        bench b = bench_new(2);
        ix_tensor *y = ix_reshape(b.g, rows(&b, 4, x), 3, heads);
        y = ix_rope(b.g, y, ids(&b, IX_TOKENS, position), NULL, 10000.0, 1.0, 2, interleaved == 1);
        CHECK_OK(run(&b, y), &b.err);
        CHECK(memcmp(b.out, x, 4 * sizeof *x) == 0); /* position 0 */
        CHECK(memcmp(b.out + 6, x + 6, 2 * sizeof *x) ==
              0); /* not rotated: pair (0, 1) both ways */
        CHECK(fabs((double)b.out[4] - (cos(3) - 2 * sin(3))) < 1e-6);
        CHECK(fabs((double)b.out[5] - (sin(3) + 2 * cos(3))) < 1e-6);
        ix_graph_free(b.g);
    }
}

TEST(ir_rope_table)
{
    static const int32_t sizes[] = { 2, 6, 64, 128 };
    float factors[64], table[64], expected[64];
    inox_error err = { 0 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ix_tensor w = { .op = IX_OP_WEIGHT, .name = "factors", .data = factors };
        ix_tensor rope = { .op = IX_OP_ROPE, .arg_count = 2, .args = { NULL, NULL, &w } };
        int32_t half = sizes[i] / 2;
        for (int32_t k = 0; k < half; k++)
            factors[k] = 1.0f + (float)k * 0.37f;
        rope.attrs.rope.base = 500000.0;
        rope.attrs.rope.factor = 1.0;
        rope.attrs.rope.dims = sizes[i];
        CHECK_OK(ix_rope_table(&rope, table, &err), &err);
        ix_rope_frequencies(500000.0, sizes[i], NULL, expected);
        CHECK(memcmp(table, expected, (size_t)half * sizeof *table) == 0);
        rope.arg_count = 3;
        CHECK_OK(ix_rope_table(&rope, table, &err), &err);
        ix_rope_frequencies(500000.0, sizes[i], factors, expected);
        CHECK(memcmp(table, expected, (size_t)half * sizeof *table) == 0);
        rope.attrs.rope.factor =
            4.0; /* exact, so the product with the factors commutes with rounding */
        CHECK_OK(ix_rope_table(&rope, table, &err), &err);
        for (int32_t k = 0; k < half; k++)
            CHECK(table[k] == expected[k] / 4.0f);
        w.data = NULL;
        CHECK(ix_rope_table(&rope, table, &err) == INOX_E_ARGUMENT);
    }
}

/* ---- what callers get wrong ------------------------------------------------------------------ */

TEST(ir_run_refuses)
{
    static const float x[4] = { 1, 2, 3, 4 };
    static const int32_t negative[2] = { 0, -1 }, large[2] = { 0, 3 };
    const int32_t *const bad[2] = { negative, large };
    bench b;

    for (int i = 0; i < 2; i++) {
        b = bench_new(2);
        CHECK(run(&b, ix_gather(b.g, constant(&b, 2, 2, 2, x), ids(&b, IX_TOKENS, bad[i]))) ==
              INOX_E_ARGUMENT);
        CHECK_MSG(strstr(b.err.message, "'ids0': index") != NULL, "%s", b.err.message);
        ix_graph_free(b.g);
    }
    b = bench_new(2);
    CHECK(run(&b, rows(&b, 2, NULL)) == INOX_E_ARGUMENT &&
          strstr(b.err.message, "not bound") != NULL);
    ix_graph_free(b.g);
    b = bench_new(2);
    CHECK(run(&b, ix_unary(b.g, IX_OP_NEG, constant(&b, 1, 4, 1, NULL))) == INOX_E_ARGUMENT);
    CHECK(strstr(b.err.message, "has no data") != NULL);
    ix_graph_free(b.g);
    b = bench_new(-1);
    CHECK(run(&b, rows(&b, 2, x)) == INOX_E_ARGUMENT &&
          strstr(b.err.message, "tokens is bound to -1") != NULL);
    ix_graph_free(b.g);
    b = bench_new(2);
    bind(&b, constant(&b, 1, 4, 1, x), x);
    CHECK(run(&b, rows(&b, 2, x)) == INOX_E_ARGUMENT && strstr(b.err.message, "binding 0") != NULL);
    ix_graph_free(b.g);
    b = bench_new(1LL << 40);
    CHECK(run(&b, ix_unary(b.g, IX_OP_NEG, rows(&b, IX_MAX_DIM, x))) == INOX_E_LIMIT);
    ix_graph_free(b.g);
    b = bench_new(0); /* no rows at all: nothing to do */
    CHECK_OK(
        run(&b, ix_matmul(b.g, ix_rms_norm(b.g, rows(&b, 2, NULL), constant(&b, 1, 2, 1, x), 1.0f),
                          constant(&b, 2, 2, 2, x))),
        &b.err);
    ix_graph_free(b.g);
}

/* Attention at a place that the page table or the cache does not have. */
TEST(ir_run_refuses_places)
{
    static const struct {
        int32_t position, sequence, page;
        const char *says;
    } cases[] = {
        { 5, 0, 0, NULL },      { -1, 0, 0, "index -1" }, { IX_PAGE, 0, 0, "index 128" },
        { 5, 1, 0, "index 1" }, { 5, -1, 0, "index -1" }, { 5, 0, 1, "page 0 of sequence 0 is 1" },
        { 5, 0, -7, "is -7" },
    };
    static const float x[4] = { 1, 2, 3, 4 };
    ix_dim heads[3] = { ix_sym(IX_TOKENS), ix_size(1), ix_size(4) };
    float *cache = calloc(8 * IX_PAGE, sizeof *cache);

    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        bench b = bench_new(1);
        bool store = i % 2 == 0;
        ix_tensor *k = ix_reshape(b.g, rows(&b, 4, x), 3, heads);
        ix_step_inputs step = ix_step_inputs_of(b.g);
        bind(&b, step.tokens, &cases[0].page);
        bind(&b, step.positions, &cases[i / 2].position);
        bind(&b, step.sequence, &cases[i / 2].sequence);
        bind(&b, step.pages, &cases[i / 2].page);
        bind(&b, step.rows, &cases[0].page);
        ix_tensor *state = bind(&b, ix_cache(b.g, "cache", IX_TYPE_F32, 1, 4, 4), cache);
        state = store ? ix_cache_store(b.g, state, k, k, &step) : state;
        inox_status status = run(&b, ix_attention(b.g, k, state, &step, NULL, 0.5, 0, 0));
        if (cases[i / 2].says == NULL)
            CHECK_OK(status, &b.err);
        else
            CHECK_MSG(status == INOX_E_ARGUMENT && strstr(b.err.message, cases[i / 2].says) != NULL,
                      "%s", b.err.message);
        if (i == 0) /* one key: attention gives its value, wherever the other slots point */
            CHECK(b.out[0] != 0);
        ix_graph_free(b.g);
    }
    free(cache);
}

TEST(ir_run_survives_allocation_failures)
{
    static const float x[4] = { 1, 2, 3, 4 };
    inox_status status = INOX_E_MEMORY;

    for (uint64_t n = 1; status != INOX_OK && n < 1000; n++) {
        bench b = bench_new(2);
        ix_tensor *y = ix_matmul(b.g, rows(&b, 2, x), constant(&b, 2, 2, 2, x));
        CHECK_OK(ix_graph_finish(b.g, ix_swiglu(b.g, y, y), &b.err), &b.err);
        ix_alloc_fail_at(n, 1);
        status = ix_graph_interpret(b.g, &b.symbols, b.bindings, b.bound, b.out, &b.err);
        ix_alloc_fail_at(0, 0);
        CHECK(status == INOX_OK || status == INOX_E_MEMORY);
        ix_graph_free(b.g);
    }
    CHECK(status == INOX_OK);
}

/* ---- a decoder in binary64 ------------------------------------------------------------------- */

#define LENGTH 9
#define WIDTH_MAX 128

typedef struct oracle {
    const ix_decoder *d;
    const ix_decoder_shape *s;
    double k[LENGTH][WIDTH_MAX], v[LENGTH][WIDTH_MAX]; /* of the layer at hand */
    double x[LENGTH][WIDTH_MAX];
} oracle;

static const float *find_weight(const oracle *o, const char *format, int layer)
{
    char name[64];

    snprintf(name, sizeof name, format, layer);
    for (int32_t i = 0; i < o->d->graph->count; i++)
        if (strcmp(o->d->graph->tensors[i]->name, name) == 0)
            return o->d->graph->tensors[i]->data;
    return NULL;
}

static void multiply(const float *w, const float *bias, const double *x, int64_t rows_of_w,
                     int64_t n, double *y)
{
    for (int64_t i = 0; i < rows_of_w; i++) {
        y[i] = bias != NULL ? (double)bias[i] : 0.0;
        for (int64_t k = 0; k < n; k++)
            y[i] += x[k] * (double)w[i * n + k];
    }
}

static void normalize(const double *x, const float *w, double eps, int64_t n, double *y)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] / sqrt(sum / (double)n + eps) * (double)w[i];
}

static void rotate(const oracle *o, double *x, int64_t heads, int position)
{
    const ix_decoder_shape *s = o->s;
    const float *factors = s->factors ? find_weight(o, "rope_freqs.weight", 0) : NULL;
    int64_t half = s->head_dim / 2;

    for (int64_t h = 0; h < heads; h++) {
        for (int64_t i = 0; i < half; i++) {
            double angle = position * pow(10000.0, -2.0 * (double)i / (double)s->head_dim);
            angle /= factors != NULL ? (double)factors[i] : 1.0;
            double *a = x + h * s->head_dim + (s->interleaved ? 2 * i : i),
                   *b = a + (s->interleaved ? 1 : half);
            double c = *a * cos(angle) - *b * sin(angle), d = *a * sin(angle) + *b * cos(angle);
            *a = c;
            *b = d;
        }
    }
}

static void project(const oracle *o, const double *h, int64_t heads, char what, int layer,
                    int position, double *y)
{
    const ix_decoder_shape *s = o->s;
    char name[64];

    snprintf(name, sizeof name, "blk.%%d.attn_%c.weight", what);
    const float *w = find_weight(o, name, layer);
    snprintf(name, sizeof name, "blk.%%d.attn_%c.bias", what);
    multiply(w, s->bias ? find_weight(o, name, layer) : NULL, h, heads * s->head_dim, s->width, y);
    snprintf(name, sizeof name, "blk.%%d.attn_%c_norm.weight", what);
    for (int64_t i = 0; i < heads && s->head_norms && what != 'v'; i++)
        normalize(y + i * s->head_dim, find_weight(o, name, layer), 1e-6, s->head_dim,
                  y + i * s->head_dim);
    if (what != 'v')
        rotate(o, y, heads, position);
}

static void attend(const oracle *o, const double *q, int layer, int position, double *y)
{
    const ix_decoder_shape *s = o->s;
    const float *sinks = s->sinks ? find_weight(o, "blk.%d.attn_sinks.weight", layer) : NULL;

    for (int64_t h = 0; h < s->heads; h++) {
        int64_t kv = h / (s->heads / s->kv_heads) * s->head_dim;
        double sum = sinks != NULL ? exp((double)sinks[h]) : 0.0, *out = y + h * s->head_dim;
        memset(out, 0, (size_t)s->head_dim * sizeof *out);
        for (int p = 0; p <= position; p++) {
            if (s->window > 0 && p <= position - s->window)
                continue;
            double score = 0;
            for (int64_t i = 0; i < s->head_dim; i++)
                score += q[h * s->head_dim + i] * o->k[p][kv + i];
            score *= 0.25;
            if (s->softcap > 0)
                score = (double)s->softcap * tanh(score / (double)s->softcap);
            sum += exp(score);
            for (int64_t i = 0; i < s->head_dim; i++)
                out[i] += exp(score) * o->v[p][kv + i];
        }
        for (int64_t i = 0; i < s->head_dim; i++)
            out[i] /= sum;
    }
}

static void decode_block(oracle *o, int layer)
{
    const ix_decoder_shape *s = o->s;
    double h[WIDTH_MAX], q[WIDTH_MAX], y[WIDTH_MAX], up[WIDTH_MAX];

    for (int p = 0; p < LENGTH; p++) {
        normalize(o->x[p], find_weight(o, "blk.%d.attn_norm.weight", layer), 1e-5, s->width, h);
        project(o, h, s->kv_heads, 'k', layer, p, o->k[p]);
        project(o, h, s->kv_heads, 'v', layer, p, o->v[p]);
        project(o, h, s->heads, 'q', layer, p, q);
        attend(o, q, layer, p, h);
        multiply(find_weight(o, "blk.%d.attn_output.weight", layer), NULL, h, s->width,
                 s->heads * s->head_dim, y);
        for (int64_t i = 0; i < s->width; i++)
            o->x[p][i] += y[i];
        normalize(o->x[p], find_weight(o, "blk.%d.ffn_norm.weight", layer), 1e-5, s->width, h);
        multiply(find_weight(o, "blk.%d.ffn_gate.weight", layer), NULL, h, s->hidden, s->width, y);
        multiply(find_weight(o, "blk.%d.ffn_up.weight", layer), NULL, h, s->hidden, s->width, up);
        for (int64_t i = 0; i < s->hidden; i++)
            up[i] *= y[i] / (1 + exp(-y[i]));
        multiply(find_weight(o, "blk.%d.ffn_down.weight", layer), NULL, up, s->width, s->hidden, y);
        for (int64_t i = 0; i < s->width; i++)
            o->x[p][i] += y[i];
    }
}

static void check_decoder(ix_test *t, const ix_decoder_shape *s, uint64_t seed)
{
    static const int32_t tokens[LENGTH] = { 3, 1, 4, 1, 5, 9, 2, 6, 5 }, sequence[LENGTH] = { 0 };
    static const int32_t at[LENGTH] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 }, pages[1] = { 0 };
    inox_error err = { 0 };
    ix_symbols symbols = { { LENGTH, LENGTH, 1, 1, 1 } };
    ix_binding bindings[16];
    int32_t bound = 0;
    ix_decoder d;
    ix_arena arena = { 0 };
    float *logits = NULL;
    const int32_t *inputs[5] = { tokens, at, sequence, pages, at };

    CHECK_OK(ix_decoder_make(s, seed, &d, &err), &err);
    for (int32_t i = 0; i < d.graph->count; i++) {
        const ix_tensor *x = d.graph->tensors[i];
        if (x->op != IX_OP_INPUT && x->op != IX_OP_STATE)
            continue;
        bindings[bound] = (ix_binding){ .tensor = x };
        if (x->op == IX_OP_INPUT)
            bindings[bound].data = (void *)(uintptr_t)inputs[bound];
        else
            CHECK_OK(ix_arena_alloc(&arena, (size_t)ix_tensor_elements(x, &symbols), 4,
                                    &bindings[bound].data, &err),
                     &err);
        bound++;
    }
    CHECK_OK(IX_ARENA(&arena, &logits, (size_t)(LENGTH * s->vocabulary), &err), &err);
    CHECK_OK(ix_graph_interpret(d.graph, &symbols, bindings, bound, logits, &err), &err);

    oracle o = { .d = &d, .s = s };
    const float *embedding = find_weight(&o, "token_embd.weight", 0);
    for (int p = 0; p < LENGTH; p++)
        for (int64_t i = 0; i < s->width; i++)
            o.x[p][i] = (double)embedding[tokens[p] * s->width + i];
    for (int layer = 0; layer < s->layers; layer++)
        decode_block(&o, layer);
    double largest = 0;
    for (int p = 0; p < LENGTH; p++) {
        double h[WIDTH_MAX], y[WIDTH_MAX];
        normalize(o.x[p], find_weight(&o, "output_norm.weight", 0), 1e-5, s->width, h);
        multiply(embedding, NULL, h, s->vocabulary, s->width, y);
        for (int64_t i = 0; i < s->vocabulary; i++)
            largest = fmax(largest, fabs(y[i] - (double)logits[p * s->vocabulary + i]));
    }
    CHECK_MSG(largest < 2e-4, "logits differ by %g from those in binary64", largest);
    ix_decoder_release(&d);
    ix_arena_release(&arena);
}

TEST(ir_run_decoder_against_binary64)
{
    static const ix_decoder_shape shapes[] = {
        { 2, 64, 4, 2, 16, 96, 40, IX_TYPE_F32, IX_TYPE_F32, .interleaved = true },
        { 2, 64, 4, 4, 16, 96, 40, IX_TYPE_F32, IX_TYPE_F32, .bias = true, .window = 3 },
        { 2, 64, 4, 1, 32, 64, 40, IX_TYPE_F32, IX_TYPE_F32, .head_norms = true, .factors = true },
        { 1, 64, 4, 2, 16, 96, 40, IX_TYPE_F32, IX_TYPE_F32, .sinks = true, .softcap = 5.0f,
          .interleaved = true },
    };

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_decoder(t, &shapes[i], 77 + i);
}
