/* The published vectors of the numeric contract (test/vectors, docs/NUMERICS.md): every line, bit
 * by bit.
 *
 * The outputs were computed by tools/contract_oracle.py from the rule text; here the reference must
 * give the same.  One function per `op`.  The reader knows only the few shapes of JSON that the
 * files use: a key of text or numbers.
 */
#include "test.h"

#include "base/os.h"
#include "base/alloc.h"
#include "num/attention/attention.h"
#include "num/dequant/dequant.h"
#include "num/matmul/matmul.h"
#include "num/rows/rows.h"
#include "num/sample/sample.h"
#include "num/scalar/scalar.h"

#include <stdlib.h>

/* ---- reading a line -------------------------------------------------------------------------- */

#define VALUES_MAX 16384

typedef struct {
    size_t n;
    uint64_t v[VALUES_MAX];
} numbers;

typedef struct {
    size_t n;
    float x[VALUES_MAX];
} floats;

/* What stands behind "key": in the line, or NULL. */
static const char *find(const char *line, const char *key)
{
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(line, quoted);
    return at ? at + strlen(quoted) : NULL;
}

static int64_t integer(const char *line, const char *key)
{
    const char *at = find(line, key);
    return at ? strtoll(at, NULL, 10) : 0;
}

/* Hexadecimal text cut into numbers of `digits` digits. */
static void hex_numbers(const char *line, const char *key, int digits, numbers *out)
{
    out->n = 0;
    const char *at = find(line, key);
    if (!at || *at != '"')
        return;
    for (at++; *at != '"' && out->n < VALUES_MAX;) {
        char part[17] = "";
        for (int i = 0; i < digits && *at != '"'; i++)
            part[i] = *at++;
        out->v[out->n++] = strtoull(part, NULL, 16);
    }
}

static void read_floats(const char *line, const char *key, floats *out)
{
    static numbers raw;
    const char *at = find(line, key);
    out->n = 0;
    if (at && strncmp(at, "{\"gen\":[", 8) == 0) {
        char *end;
        uint32_t v = (uint32_t)strtoul(at + 8, &end, 10);
        out->n = strtoul(end + 1, NULL, 10);
        for (size_t i = 0; i < out->n; i++) {
            v = 1664525u * v + 1013904223u;
            out->x[i] = ix_float((v & 0x807fffffu) | (120u + (v >> 23 & 7u)) << 23);
        }
        return;
    }
    hex_numbers(line, key, 8, &raw);
    out->n = raw.n;
    for (size_t i = 0; i < raw.n; i++)
        out->x[i] = ix_float((uint32_t)raw.v[i]);
}

static float read_float(const char *line, const char *key)
{
    const char *at = find(line, key);
    return at ? ix_float((uint32_t)strtoul(at + 1, NULL, 16)) : 0.0f;
}

static double read_double(const char *line, const char *key)
{
    uint64_t u = strtoull(find(line, key) + 1, NULL, 16);
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static int has_op(const char *line, const char *op)
{
    const char *at = find(line, "op");
    size_t n = strlen(op);
    return at && strncmp(at + 1, op, n) == 0 && at[1 + n] == '"';
}

static floats A, B, C, D, OUT; /* arrays of the line at hand */
static numbers N, WANT;
static float Y[VALUES_MAX];

static void compare(ix_test *t, const char *line, const float *got, const floats *want)
{
    for (size_t i = 0; i < want->n; i++)
        CHECK_MSG(ix_bits(got[i]) == ix_bits(want->x[i]), "%.60s: [%zu] is %08x, not %08x", line, i,
                  (unsigned)ix_bits(got[i]), (unsigned)ix_bits(want->x[i]));
}

/* ---- C1, C5, C12 ----------------------------------------------------------------------------- */

typedef struct {
    const char *op;
    float (*f)(float);
} unary;

static const unary UNARY[] = {
    { "sqrt", ix_sqrt },         { "rhe", ix_rhe },           { "exp", ix_exp },
    { "log", ix_log },           { "tanh", ix_tanh },         { "erf", ix_erf },
    { "sigmoid", ix_sigmoid },   { "silu", ix_silu },         { "gelu_tanh", ix_gelu_tanh },
    { "gelu_erf", ix_gelu_erf }, { "softplus", ix_softplus }, { "exp2_fraction", ix_exp2_fraction },
};

/* The same vectors through every table of row kernels. */
static void check_unary_rows(ix_test *t, const char *line)
{
    for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
        if (!ix_isa_built((ix_isa)isa) || !ix_isa_present((ix_isa)isa))
            continue;
        const ix_row_kernels *k = ix_row_kernels_for((ix_isa)isa);
        const struct {
            const char *op;
            void (*f)(const float *, int64_t, float *);
        } rows[] = {
            { "exp", k->exp },   { "tanh", k->tanh },           { "sigmoid", k->sigmoid },
            { "silu", k->silu }, { "gelu_tanh", k->gelu_tanh }, { "gelu_erf", k->gelu_erf },
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            if (!has_op(line, rows[i].op))
                continue;
            rows[i].f(A.x, (int64_t)A.n, Y);
            compare(t, line, Y, &OUT);
        }
    }
}

static int check_scalar(ix_test *t, const char *line)
{
    read_floats(line, "x", &A);
    read_floats(line, "out", &OUT);
    if (has_op(line, "fma")) {
        read_floats(line, "y", &B);
        read_floats(line, "z", &C);
        for (size_t i = 0; i < A.n; i++)
            Y[i] = ix_fma(A.x[i], B.x[i], C.x[i]);
        compare(t, line, Y, &OUT);
        return 1;
    }
    for (size_t k = 0; k < sizeof UNARY / sizeof *UNARY; k++) {
        if (!has_op(line, UNARY[k].op))
            continue;
        for (size_t i = 0; i < A.n; i++)
            Y[i] = UNARY[k].f(A.x[i]);
        compare(t, line, Y, &OUT);
        check_unary_rows(t, line);
        return 1;
    }
    return 0;
}

static int check_conversion(ix_test *t, const char *line)
{
    int to_f16 = has_op(line, "to_f16"), to_bf16 = has_op(line, "to_bf16");
    if (to_f16 || to_bf16) {
        read_floats(line, "x", &A);
        hex_numbers(line, "out", 4, &WANT);
        for (size_t i = 0; i < A.n; i++)
            CHECK_MSG((to_f16 ? ix_f32_to_f16(A.x[i]) : ix_f32_to_bf16(A.x[i])) == WANT.v[i],
                      "%.20s: %08x", line, (unsigned)ix_bits(A.x[i]));
        return 1;
    }
    int from_f16 = has_op(line, "from_f16");
    if (!from_f16 && !has_op(line, "from_bf16"))
        return 0;
    hex_numbers(line, "x", 4, &N);
    read_floats(line, "out", &OUT);
    for (size_t i = 0; i < N.n; i++)
        Y[i] = from_f16 ? ix_f16_to_f32((uint16_t)N.v[i]) : ix_bf16_to_f32((uint16_t)N.v[i]);
    compare(t, line, Y, &OUT);
    return 1;
}

/* ---- C2, C3, C12 ----------------------------------------------------------------------------- */

static ix_type type_named(const char *line)
{
    const char *at = find(line, "type") + 1;
    for (int i = 0; i < IX_TYPE_COUNT; i++) {
        const char *name = ix_type_of((ix_type)i)->name;
        if (strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == '"')
            return (ix_type)i;
    }
    return IX_TYPE_COUNT;
}

/* One element of a matrix product through the reference kernel of the type. */
static float product(ix_type type, const uint8_t *w, const float *x, int64_t depth)
{
    static _Alignas(64) uint8_t acts[1 << 20], scratch[1 << 20];
    const ix_matmul_kernel *k = ix_matmul_find(type, IX_ISA_REF, 1);
    uint64_t bytes = 0;
    float y = 0.0f;
    if (ix_tensor_bytes(type, (uint64_t)depth, 1, &bytes, NULL) != INOX_OK)
        return ix_float(0xffffffffu);
    k->pack_acts(x, depth, 1, 0, 1, depth, acts);
    ix_matmul_job job = { .rows = 1,
                          .cols = 1,
                          .depth = depth,
                          .acts = acts,
                          .weights = w,
                          .weight_row_bytes = bytes,
                          .y = &y,
                          .ldy = 1 };
    k->run(&job, 0, 1, 0, 1, scratch);
    return y;
}

static int check_product(ix_test *t, const char *line)
{
    static uint8_t w[VALUES_MAX];
    if (has_op(line, "dot")) {
        read_floats(line, "a", &A);
        read_floats(line, "b", &B);
        read_floats(line, "out", &OUT);
        Y[0] = ix_dot_ref(A.x, B.x, (int64_t)A.n);
        compare(t, line, Y, &OUT);
        return 1;
    }
    if (has_op(line, "quantize")) {
        int8_t q[256];
        float e[8];
        read_floats(line, "x", &A);
        ix_quantize_row_ref(A.x, (int64_t)A.n, (int32_t)integer(line, "block"), e, q);
        read_floats(line, "e", &OUT);
        compare(t, line, e, &OUT);
        hex_numbers(line, "out", 2, &WANT);
        for (size_t i = 0; i < WANT.n; i++)
            CHECK_MSG((uint8_t)q[i] == WANT.v[i], "%.40s: a[%zu] is %d", line, i, q[i]);
        return 1;
    }
    int is_product = has_op(line, "product");
    if (!is_product && !has_op(line, "dequantize"))
        return 0;
    hex_numbers(line, "w", 2, &N);
    for (size_t i = 0; i < N.n; i++)
        w[i] = (uint8_t)N.v[i];
    read_floats(line, "x", &A);
    read_floats(line, "out", &OUT);
    if (is_product)
        Y[0] = product(type_named(line), w, A.x, (int64_t)A.n);
    else
        ix_dequantize_row(type_named(line), w, (int64_t)OUT.n, Y);
    compare(t, line, Y, &OUT);
    return 1;
}

/* ---- C4, C7, elementwise: every table of row kernels ----------------------------------------- */

static int rows_op(const ix_row_kernels *k, const char *line)
{
    int64_t n = (int64_t)A.n;
    const float *w = find(line, "w") ? B.x : NULL, *b = find(line, "b") ? C.x : NULL;
    if (has_op(line, "sum"))
        Y[0] = k->sum(A.x, n);
    else if (has_op(line, "sum_squares"))
        Y[0] = k->sum_squares(A.x, n);
    else if (has_op(line, "rms_norm"))
        k->rms_norm(A.x, w, read_float(line, "eps"), n, Y);
    else if (has_op(line, "layer_norm"))
        k->layer_norm(A.x, w, b, read_float(line, "eps"), n, Y);
    else if (has_op(line, "add"))
        k->add(A.x, C.x, n, Y);
    else if (has_op(line, "sub"))
        k->sub(A.x, C.x, n, Y);
    else if (has_op(line, "mul"))
        k->mul(A.x, C.x, n, Y);
    else if (has_op(line, "swiglu"))
        k->swiglu(A.x, C.x, n, Y);
    else
        return 0;
    return 1;
}

static int check_rows(ix_test *t, const char *line)
{
    read_floats(line, find(line, "a") ? "a" : "x", &A);
    read_floats(line, "w", &B);
    read_floats(line, "b", &C);
    read_floats(line, "out", &OUT);
    for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
        if (!ix_isa_built((ix_isa)isa) || !ix_isa_present((ix_isa)isa))
            continue;
        if (!rows_op(ix_row_kernels_for((ix_isa)isa), line))
            return 0;
        compare(t, line, Y, &OUT);
    }
    return 1;
}

/* ---- C8 -------------------------------------------------------------------------------------- */

static uint64_t bits_of_double(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return x != x ? 0x7ff8000000000000u : u;
}

static int check_doubles(ix_test *t, const char *line)
{
    int is_exp2 = has_op(line, "exp2_f64");
    if (!is_exp2 && !has_op(line, "log2_f64"))
        return 0;
    hex_numbers(line, "x", 16, &N);
    hex_numbers(line, "out", 16, &WANT);
    for (size_t i = 0; i < N.n; i++) {
        double x;
        memcpy(&x, &N.v[i], sizeof x);
        double y = is_exp2 ? ix_exp2_f64(x) : ix_log2_f64(x);
        CHECK_MSG(bits_of_double(y) == WANT.v[i], "%.20s of %a is %a", line, x, y);
    }
    return 1;
}

static int check_rotary(ix_test *t, const char *line)
{
    if (check_doubles(t, line))
        return 1;
    read_floats(line, "x", &A);
    read_floats(line, "out", &OUT);
    if (has_op(line, "rope_frequencies")) {
        read_floats(line, "factor", &B);
        ix_rope_frequencies(read_double(line, "base"), (int32_t)integer(line, "d"),
                            B.n ? B.x : NULL, Y);
        compare(t, line, Y, &OUT);
        return 1;
    }
    read_floats(line, "sin", &C);
    read_floats(line, "cos", &D);
    if (has_op(line, "sincos")) {
        float s, c;
        for (size_t i = 0; i < A.n; i++) {
            ix_sincos(A.x[i], &s, &c);
            CHECK_MSG(ix_bits(s) == ix_bits(C.x[i]) && ix_bits(c) == ix_bits(D.x[i]),
                      "sincos of %a", (double)A.x[i]);
        }
        return 1;
    }
    if (!has_op(line, "rope"))
        return 0;
    int64_t head_dim = integer(line, "head_dim");
    for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
        if (!ix_isa_built((ix_isa)isa) || !ix_isa_present((ix_isa)isa))
            continue;
        const ix_row_kernels *k = ix_row_kernels_for((ix_isa)isa);
        k->rope(A.x, D.x, C.x, integer(line, "half"), (int)integer(line, "interleaved"),
                (int64_t)A.n / head_dim, head_dim, Y);
        compare(t, line, Y, &OUT);
    }
    return 1;
}

/* ---- C6 -------------------------------------------------------------------------------------- */

static void apply_changes(const char *line, const char *key, floats *out)
{
    hex_numbers(line, key, 8, &N);
    for (size_t i = 0; i + 1 < N.n; i += 2)
        out->x[N.v[i]] = ix_float((uint32_t)N.v[i + 1]);
}

static int check_attention(ix_test *t, const char *line)
{
    if (!has_op(line, "attention"))
        return 0;
    int64_t n = integer(line, "n"), dim = integer(line, "dim"), width = integer(line, "width");
    int64_t pages = (n + IX_PAGE - 1) / IX_PAGE;
    int is_f16 = strstr(line, "\"cache\":\"f16\"") != NULL;
    read_floats(line, "q", &A);
    read_floats(line, "k", &B);
    read_floats(line, "v", &C);
    read_floats(line, "sink", &D);
    read_floats(line, "out", &OUT);
    apply_changes(line, "k_set", &B);
    apply_changes(line, "v_set", &C);
    int32_t table[64], sequence = 0, position = (int32_t)(n - 1);
    for (int64_t p = 0; p < pages; p++)
        table[p] = (int32_t)(pages - 1 - p); /* pages need not lie in order */
    size_t element = is_f16 ? 2 : 4;
    ix_cache_view cache = { .type = is_f16 ? IX_TYPE_F16 : IX_TYPE_F32,
                            .kv_heads = 1,
                            .head_dim = dim,
                            .value_dim = width,
                            .page_table = table,
                            .page_table_stride = 64,
                            .k_page_bytes = IX_PAGE * (size_t)dim * element,
                            .v_page_bytes = IX_PAGE * (size_t)width * element };
    inox_error err = { 0 };
    CHECK_OK(IX_ALLOC(&cache.k, cache.k_page_bytes * (size_t)pages, &err), &err);
    CHECK_OK(IX_ALLOC(&cache.v, cache.v_page_bytes * (size_t)pages, &err), &err);
    memset(cache.k, 0xff, cache.k_page_bytes * (size_t)pages); /* NaN wherever no key was stored */
    memset(cache.v, 0xff, cache.v_page_bytes * (size_t)pages);
    ix_attention_job job = { .cache = cache,
                             .tokens = 1,
                             .heads = 1,
                             .q = A.x,
                             .out = Y,
                             .sequence = &sequence,
                             .position = &position,
                             .window = integer(line, "window"),
                             .scale = read_double(line, "scale"),
                             .softcap = read_float(line, "softcap"),
                             .sinks = D.n ? D.x : NULL };
    for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
        if (!ix_isa_built((ix_isa)isa) || !ix_isa_present((ix_isa)isa))
            continue;
        const ix_attention_kernels *k = ix_attention_kernels_for((ix_isa)isa);
        void *scratch = NULL;
        CHECK_OK(ix_alloc_aligned(k->scratch_bytes(&job, 1) + 64, 64, &scratch, &err), &err);
        for (int64_t p = 0; p < n; p++)
            k->store(&cache, B.x + p * dim, C.x + p * width, 0, (int32_t)p, 1);
        k->run(&job, 0, 1, 0, 1, scratch);
        compare(t, line, Y, &OUT);
        ix_free_aligned(scratch);
    }
    ix_free(cache.k);
    ix_free(cache.v);
    return 1;
}

/* ---- C10 ------------------------------------------------------------------------------------- */

static int check_sampling(ix_test *t, const char *line)
{
    static int32_t bias_ids[VALUES_MAX], previous[VALUES_MAX];
    if (!has_op(line, "sample"))
        return 0;
    inox_sampling p = INOX_SAMPLING_INIT;
    p.temperature = read_float(line, "temperature");
    p.top_k = (int32_t)integer(line, "top_k");
    p.top_p = read_float(line, "top_p");
    p.min_p = read_float(line, "min_p");
    p.typical_p = read_float(line, "typical_p");
    p.repetition_penalty = read_float(line, "repetition");
    p.presence_penalty = read_float(line, "presence");
    p.frequency_penalty = read_float(line, "frequency");
    p.penalty_window = (int32_t)integer(line, "window");
    p.seed = strtoull(find(line, "seed") + 1, NULL, 16);
    hex_numbers(line, "bias_ids", 8, &N);
    for (size_t i = 0; i < N.n; i++)
        bias_ids[i] = (int32_t)N.v[i];
    read_floats(line, "bias_values", &B);
    p.bias_ids = bias_ids;
    p.bias_values = B.x;
    p.bias_count = N.n;
    hex_numbers(line, "previous", 8, &N);
    for (size_t i = 0; i < N.n; i++)
        previous[i] = (int32_t)N.v[i];
    read_floats(line, "logits", &A);
    hex_numbers(line, "out", 8, &WANT);
    ix_sampler *s = NULL;
    inox_error err = { 0 };
    CHECK_OK(ix_sampler_new(A.n, &s, &err), &err);
    for (size_t i = 0; s && i < WANT.n; i++) {
        int32_t id = -1;
        inox_status status = ix_sampler_choose(s, A.x, &p, previous, N.n,
                                               (uint64_t)integer(line, "first") + i, &id, &err);
        CHECK_MSG((status == INOX_OK) == (WANT.v[i] != 0xffffffffu), "%.100s: status %d", line,
                  (int)status);
        CHECK_MSG((uint32_t)id == WANT.v[i], "%.60s: choice %zu is %d, not %d", line, i, id,
                  (int)WANT.v[i]);
    }
    ix_sampler_free(s);
    return 1;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void check_file(ix_test *t, const char *name, int (*check)(ix_test *t, const char *line),
                       size_t lines_min)
{
    char *text = NULL, path[64];
    size_t bytes = 0, lines = 0;
    inox_error err = { 0 };
    snprintf(path, sizeof path, "vectors/%s", name);
    inox_status status = ix_file_read(ix_test_file(path), 1 << 20, &text, &bytes, &err);
    CHECK_OK(status, &err);
    if (status != INOX_OK)
        return;
    for (char *line = text; *line != '\0'; lines++) {
        char *end = strchr(line, '\n');
        if (!end)
            break;
        *end = '\0';
        CHECK_MSG(check(t, line), "%s: nobody checks %.60s", name, line);
        line = end + 1;
    }
    CHECK_MSG(lines >= lines_min, "%s has %zu lines", name, lines);
    ix_free(text);
}

static int check_scalar_or_conversion(ix_test *t, const char *line)
{
    return check_scalar(t, line) || check_conversion(t, line);
}

TEST(num_vectors_scalar) { check_file(t, "scalar.jsonl", check_scalar_or_conversion, 7); }
TEST(num_vectors_elementary) { check_file(t, "elementary.jsonl", check_scalar, 10); }
TEST(num_vectors_products) { check_file(t, "products.jsonl", check_product, 30); }
TEST(num_vectors_blocks) { check_file(t, "blocks.jsonl", check_product, 100); }
TEST(num_vectors_rows) { check_file(t, "rows.jsonl", check_rows, 50); }
TEST(num_vectors_rotary) { check_file(t, "rotary.jsonl", check_rotary, 9); }
TEST(num_vectors_attention) { check_file(t, "attention.jsonl", check_attention, 40); }
TEST(num_vectors_sampling) { check_file(t, "sampling.jsonl", check_sampling, 35); }
