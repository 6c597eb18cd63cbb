/* exact-vectors: one program, the same vectors, the same hash from every machine.
 *
 *     exact-vectors [--isa NAME] [GROUP...]
 *
 * Every kernel row of every instruction set that this machine runs computes generated cases, and
 * has to give the reference's bits by memcmp; results of the reference are hashed (SHA-256, values
 * in little-endian order).  One line per group, one hash over all:
 *
 *     matmul Q8_0          4 kernels      2380 values  f03bb2c0a63f2b2b
 *     all                186 kernels    812345 values  <64 digits>
 *
 * Equal last lines from two machines, compilers or settings mean equal bits.  A kernel that differs
 * is named, and the exit status is 1.  `--isa` compares the kernels of one instruction set only.
 * Groups whose name contains an argument run; all, where none is given.
 *
 * Plain C over src/base and src/num, without threads, files or libraries, so that a cross
 * compiler and an emulator suffice (tools/build_exact.py).  Inputs come from the counter generator;
 * they are made with integers only where a float operation could round.
 */
#include "base/alloc.h"
#include "base/fpenv.h"
#include "base/random.h"
#include "num/attention/kernels.h"
#include "num/dequant/dequant.h"
#include "num/matmul/matmul.h"
#include "num/rows/kernels.h"
#include "num/sample/sample.h"
#include "num/scalar/scalar.h"
#include "special_values.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- SHA-256 (FIPS 180-4) -------------------------------------------------------------------- */

typedef struct sha256 {
    uint32_t h[8];
    uint64_t bytes;
    uint8_t block[64];
} sha256;

static const uint32_t SHA_K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha_start(sha256 *s)
{
    static const uint32_t H[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(s->h, H, sizeof H);
    s->bytes = 0;
}

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void sha_block(sha256 *s)
{
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)s->block[4 * i] << 24 | (uint32_t)s->block[4 * i + 1] << 16 |
               (uint32_t)s->block[4 * i + 2] << 8 | s->block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    memcpy(v, s->h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t e = v[4], a = v[0];
        uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                      ((e & v[5]) ^ (~e & v[6])) + SHA_K[i] + w[i];
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        s->h[i] += v[i];
}

static void sha_byte(sha256 *s, uint8_t b)
{
    s->block[s->bytes++ % 64] = b;
    if (s->bytes % 64 == 0)
        sha_block(s);
}

static void sha_end(sha256 *s, uint8_t out[32])
{
    uint64_t bits = s->bytes * 8;
    sha_byte(s, 0x80);
    while (s->bytes % 64 != 56)
        sha_byte(s, 0);
    for (int i = 7; i >= 0; i--)
        sha_byte(s, (uint8_t)(bits >> (8 * i)));
    for (int i = 0; i < 32; i++)
        out[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

/* ---- a group under test ---------------------------------------------------------------------- */

#define NAMES_MAX 16

typedef struct group {
    const char *family, *name;
    sha256 hash;
    uint64_t values;              /* hashed */
    uint64_t seed, stream, drawn; /* of its generator */
    int kernels;                  /* compared with the reference */
    int differing;                /* kernels that gave other bits */
    const char *names[NAMES_MAX]; /* of those */
} group;

static ix_isa only = IX_ISA_COUNT; /* --isa */

static void out_of_memory(void)
{
    printf("exact-vectors: out of memory\n");
    exit(2);
}

static void *room(size_t bytes)
{
    void *p = NULL;
    if (ix_alloc_aligned(bytes ? bytes : 1, 64, &p, NULL) != INOX_OK)
        out_of_memory();
    return p;
}

static bool is_tested(ix_isa isa)
{
    return isa != IX_ISA_REF && ix_isa_built(isa) && ix_isa_present(isa) &&
           (only == IX_ISA_COUNT || only == isa);
}

/* A kernel of `isa` gave these bytes where the reference gave those. */
static void compare(group *g, const char *kernel, const void *want, const void *got, size_t bytes)
{
    if (memcmp(want, got, bytes) == 0)
        return;
    for (int i = 0; i < g->differing && i < NAMES_MAX; i++)
        if (strcmp(g->names[i], kernel) == 0)
            return;
    if (g->differing < NAMES_MAX)
        g->names[g->differing] = kernel;
    g->differing++;
}

static void hash_u32(group *g, uint32_t u)
{
    for (int i = 0; i < 4; i++)
        sha_byte(&g->hash, (uint8_t)(u >> (8 * i)));
    g->values++;
}

static void hash_u64(group *g, uint64_t u)
{
    hash_u32(g, (uint32_t)u);
    hash_u32(g, (uint32_t)(u >> 32));
    g->values--;
}

static void hash_floats(group *g, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        hash_u32(g, ix_bits(x[i]));
}

static void hash_halves(group *g, const uint16_t *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        hash_u32(g, x[i]);
}

/* Results whose NaN may have any payload: what is stored of them later is the one NaN (C11). */
static void hash_canonical(group *g, float x)
{
    hash_u32(g, ix_bits(ix_canonical(x)));
}

/* ---- inputs ---------------------------------------------------------------------------------- */

static uint64_t draw(group *g)
{
    return ix_random_u64(g->seed, g->stream, g->drawn++);
}

static int64_t below(group *g, int64_t n)
{
    return (int64_t)((draw(g) >> 32) * (uint64_t)n >> 32);
}

#define SPECIAL_COUNT ((int64_t)(sizeof SPECIALS / sizeof *SPECIALS))

/* Plain: 2^-9 .. 2^2 of either sign.  Wide: all exponents that leave room for a square.  Tiny:
 * subnormals and a little more. */
enum { PLAIN, WIDE, TINY, SPECIAL, ANY_BITS, KINDS };

static float some_float(group *g, int kind)
{
    uint64_t r = draw(g);
    uint32_t u = (uint32_t)r, high = (uint32_t)(r >> 32);
    switch (kind) {
    case WIDE: return ix_float((u & 0x807fffffu) | (64 + high % 126) << 23);
    case TINY: return ix_float(u & 0x80ffffffu);
    case SPECIAL:
        if (high % 8 == 0)
            return ix_float(SPECIALS[(high >> 3) % SPECIAL_COUNT]);
        break;
    case ANY_BITS: return ix_float(u);
    default: break;
    }
    return ix_float((u & 0x807fffffu) | (118 + high / 8 % 12) << 23);
}

static void fill(group *g, float *x, int64_t n, int kind)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = some_float(g, kind);
}

/* ---- scalar functions ------------------------------------------------------------------------ */

static void run_fma(group *g)
{
    for (int i = 0; i < 6000; i++) {
        int kind = i % KINDS;
        float a = some_float(g, kind), b = some_float(g, kind), c = some_float(g, kind);
        if (i % 7 == 0) /* nearly cancels: what is left is the product's rounding error */
            c = -(a * b);
        hash_canonical(g, ix_fma(a, b, c));
        hash_canonical(g, ix_sqrt(a));
        hash_canonical(g, ix_rhe(b));
    }
}

static void run_elementary(group *g)
{
    static float (*const FUNCTIONS[])(float) = { ix_exp,      ix_log,  ix_tanh,
                                                 ix_sigmoid,  ix_silu, ix_gelu_tanh,
                                                 ix_gelu_erf, ix_erf,  ix_softplus };
    int64_t count = SPECIAL_COUNT + 1000;
    for (size_t f = 0; f < sizeof FUNCTIONS / sizeof *FUNCTIONS; f++) {
        for (int64_t i = 0; i < count; i++) {
            float x = i < SPECIAL_COUNT ? ix_float(SPECIALS[i]) : some_float(g, (int)(i % KINDS));
            hash_canonical(g, FUNCTIONS[f](x));
        }
    }
    for (int i = -1024; i <= 1024; i++)
        hash_canonical(g, ix_exp2_fraction((float)i / 2048.0f));
    for (int32_t n = -130; n <= 127; n++)
        hash_canonical(g, ix_power_of_two(n));
}

static void hash_double(group *g, double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    hash_u64(g, u);
}

static void run_rotary(group *g)
{
    static float frequencies[128];
    static const double BASES[] = { 10000, 500000, 1000000, 1.5 };
    static const int32_t DIMS[] = { 2, 64, 80, 128, 256 };
    for (int i = 0; i < 20; i++) {
        int32_t d = DIMS[i % 5];
        float factor[128];
        for (int j = 0; j < d / 2; j++)
            factor[j] = 1.0f + (float)(draw(g) % 4096) / 64.0f;
        ix_rope_frequencies(BASES[i / 5], d, i % 2 ? factor : NULL, frequencies);
        hash_floats(g, frequencies, d / 2);
        for (int j = 0; j < d / 2; j++) {
            float s, c;
            ix_sincos((float)(draw(g) % 131072) * frequencies[j], &s, &c);
            hash_canonical(g, s);
            hash_canonical(g, c);
        }
    }
    for (int i = 0; i < 500; i++) {
        double x = (double)(int64_t)(draw(g) >> 1) * 0x1p-60;
        hash_double(g, ix_exp2_f64(x * 64 - 256));
        hash_double(g, ix_log2_f64(x + 0x1p-40));
    }
}

static void run_conversions(group *g)
{
    for (uint32_t h = 0; h < 0x10000; h += 7)
        hash_canonical(g, ix_f16_to_f32((uint16_t)h));
    for (int i = 0; i < 6000; i++) {
        float x = some_float(g, i % KINDS);
        hash_u32(g, ix_f32_to_f16(x));
        hash_u32(g, ix_f32_to_bf16(x));
    }
}

static void run_random(group *g)
{
    for (uint64_t i = 0; i < 256; i++)
        hash_u64(g, ix_random_u64(i * 0x123456789abcdefu, i << 60 | i, i * i << 31));
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define ROW_MAX 4200
#define ROW_MARGIN 16

typedef struct row_case {
    const float *in[3];
    float s;
    int64_t n, heads, half; /* rope: n is heads * head_dim */
    bool interleaved, no_w, no_b;
} row_case;

typedef void (*row_call)(const ix_row_kernels *k, const row_case *r, void *y);

#define CALL(function, ...)                                                                        \
    static void call_##function(const ix_row_kernels *k, const row_case *r, void *y)               \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }
#define CALL_1(function) CALL(function, k->function((const void *)r->in[0], r->n, y))
#define CALL_2(function) CALL(function, k->function(r->in[0], r->in[1], r->n, y))

CALL(rms_norm, k->rms_norm(r->in[0], r->no_w ? NULL : r->in[1], r->s, r->n, y))
CALL(layer_norm,
     k->layer_norm(r->in[0], r->no_w ? NULL : r->in[1], r->no_b ? NULL : r->in[2], r->s, r->n, y))
CALL(sum, *(float *)y = k->sum(r->in[0], r->n))
CALL(sum_squares, *(float *)y = k->sum_squares(r->in[0], r->n))
CALL(scale, k->scale(r->in[0], r->s, r->n, y))
CALL(rope,
     k->rope(r->in[0], r->in[1], r->in[2], r->half, r->interleaved, r->heads, r->n / r->heads, y))
CALL_2(add)
CALL_2(sub)
CALL_2(mul)
CALL_2(swiglu)
CALL_1(exp)
CALL_1(tanh)
CALL_1(sigmoid)
CALL_1(silu)
CALL_1(gelu_tanh)
CALL_1(gelu_erf)
CALL_1(to_f16)
CALL_1(to_bf16)
CALL_1(from_f16)
CALL_1(from_bf16)

static const struct row_function {
    const char *name;
    row_call call;
    size_t member; /* of ix_row_kernels */
} ROWS[] = {
#define IX_ROW(function, ...) { #function, call_##function, offsetof(ix_row_kernels, function) },
#include "num/rows/kernels.def"
#undef IX_ROW
};
#define ROW_COUNT ((int)(sizeof ROWS / sizeof *ROWS))

/* Whether `isa` has a table of its own, with a function that no set before it has. */
static bool is_new_function(ix_isa isa, size_t member)
{
    const char *table = (const char *)ix_row_table(isa);
    for (int i = 0; table != NULL && i < (int)isa; i++) {
        const char *before = (const char *)ix_row_table((ix_isa)i);
        if (before != NULL && memcmp(table + member, before + member, sizeof(row_call)) == 0)
            return false;
    }
    return table != NULL;
}

/* Halves of a register in place of floats: what to_ and from_ read and write. */
static bool writes_halves(const struct row_function *row)
{
    return strncmp(row->name, "to_", 3) == 0;
}

static void compare_row(group *g, const struct row_function *row, const row_case *r)
{
    static float want[ROW_MAX + 2 * ROW_MARGIN], got[ROW_MAX + 2 * ROW_MARGIN];
    memset(want, 0xa5, sizeof want);
    row->call(ix_row_table(IX_ISA_REF), r, want + ROW_MARGIN);
    if (writes_halves(row))
        hash_halves(g, (const uint16_t *)(const void *)(want + ROW_MARGIN), r->n);
    else
        hash_floats(g, want + ROW_MARGIN, strncmp(row->name, "sum", 3) == 0 ? 1 : r->n);
    for (ix_isa isa = IX_ISA_REF; isa < IX_ISA_COUNT; isa++) {
        if (!is_tested(isa) || !is_new_function(isa, row->member))
            continue;
        memset(got, 0xa5, sizeof got);
        row->call(ix_row_table(isa), r, got + ROW_MARGIN);
        compare(g, ix_isa_name(isa), want, got, sizeof want);
    }
}

/* Inputs at an unaligned place.  from_f16 and from_bf16 read the same bytes as halves: they are
 * filled as such, so that a big-endian machine reads the same numbers. */
static void fill_row_inputs(group *g, const struct row_function *row, row_case *r, int kind,
                            float (*in)[ROW_MAX + 8])
{
    for (int i = 0; i < 3; i++) {
        float *place = in[i] + below(g, 8);
        if (strncmp(row->name, "from_", 5) == 0)
            for (int64_t j = 0; j < r->n; j++)
                ((uint16_t *)(void *)place)[j] = (uint16_t)draw(g);
        else
            fill(g, place, r->n, kind);
        r->in[i] = place;
    }
    static const float FACTORS[] = { 1e-5f, 1e-6f, 0.0f, 3.0f, -2.5f };
    r->s = kind < SPECIAL ? FACTORS[below(g, 5)] : some_float(g, kind);
    r->no_w = below(g, 2);
    r->no_b = below(g, 2);
}

static void run_rows(group *g)
{
    static const int16_t LENGTHS[] = { 0,  1,  7,   15,   16,   17,   31,  32,
                                       33, 63, 100, 1023, 1057, 2049, 4133 };
    static float in[3][ROW_MAX + 8];
    const struct row_function *row = ROWS;
    while (strcmp(row->name, g->name) != 0)
        row++;
    for (ix_isa isa = IX_ISA_REF; isa < IX_ISA_COUNT; isa++)
        g->kernels += is_tested(isa) && is_new_function(isa, row->member);
    bool rope = strcmp(row->name, "rope") == 0;
    for (int i = 0; i < 60; i++) {
        int kind = i % KINDS;
        row_case r = { .n = LENGTHS[i / 4] };
        if (rope) {
            r.heads = 1 + below(g, 3);
            r.half = below(g, 70);
            r.n = r.heads * (2 * r.half + below(g, 2) * below(g, 20) + (r.half == 0));
            r.interleaved = below(g, 2);
        }
        fill_row_inputs(g, row, &r, kind, in);
        compare_row(g, row, &r);
    }
}

/* ---- products -------------------------------------------------------------------------------- */

enum { WEIGHTS, X, BIAS, RESIDUAL, WANT, GOT, PARTS };
typedef struct product {
    ix_type type;
    int64_t rows, cols, depth, ldx, ldy;
    size_t row_bytes, y_bytes;
    bool bias, residual;
    void *part[PARTS];
} product;

/* The largest magnitude is an ordinary number: sums of such blocks neither overflow nor vanish. */
static bool is_ordinary(const float *x, uint32_t count)
{
    uint32_t u = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t magnitude = ix_bits(x[i]) & 0x7fffffffu;
        u = magnitude > u ? magnitude : u;
    }
    return u >= 0x35800000u && u <= 0x49800000u; /* 2^-20 .. 2^20 */
}

/* Any bytes, or bytes whose values are ordinary. */
static void fill_block(group *g, ix_type type, bool any, uint8_t *block)
{
    const ix_type_info *info = ix_type_of(type);
    float values[256];
    do {
        uint64_t r = 0;
        for (uint32_t i = 0; i < info->block_bytes; i++) {
            if (i % 8 == 0)
                r = draw(g);
            block[i] = (uint8_t)(r >> (i % 8 * 8));
        }
        if (!any && (type == IX_TYPE_F32 || type == IX_TYPE_BF16)) {
            uint32_t u = ix_bits(some_float(g, PLAIN));
            for (uint32_t i = 0; i < info->block_bytes; i++)
                block[i] = (uint8_t)(u >> (8 * (4 - info->block_bytes + i)));
        }
        ix_dequantize_row(type, block, info->block_elements, values);
    } while (!any && !is_ordinary(values, info->block_elements));
}

/* A row of activations: plain, of one special kind, or plain with a special block of 256. */
static void fill_activations(group *g, float *x, int64_t depth, int kind)
{
    fill(g, x, depth, PLAIN);
    if (kind == 1)
        fill(g, x, depth, (int)below(g, KINDS));
    else if (kind == 2) {
        int64_t first = below(g, depth), end = first + 256 < depth ? first + 256 : depth;
        fill(g, x + first, end - first, TINY + (int)below(g, 3));
    } else if (kind == 3) {
        memset(x, 0, sizeof *x * (size_t)depth); /* +0, and one -0 */
        x[below(g, depth)] = -0.0f;
    } else if (kind == 4) {
        for (int64_t i = 0; i < depth; i++) /* ties of rule C3a beside an amax of 127 */
            x[i] = (float)(below(g, 509) - 254) * 0.5f;
        x[0] = 127.0f;
    }
}

static void product_new(group *g, product *p, int number)
{
    const ix_type_info *info = ix_type_of(p->type);
    p->ldx = p->depth + below(g, 5);
    p->ldy = p->cols + below(g, 7);
    p->row_bytes = (size_t)(p->depth / info->block_elements) * info->block_bytes;
    p->y_bytes = sizeof(float) * (size_t)(p->rows * p->ldy);
    p->bias = number % 2;
    p->residual = number % 3 == 1;
    p->part[WEIGHTS] = room((size_t)p->cols * p->row_bytes + 1);
    p->part[X] = room(sizeof(float) * (size_t)(p->rows * p->ldx));
    p->part[BIAS] = room(sizeof(float) * (size_t)p->cols);
    for (int i = RESIDUAL; i < PARTS; i++)
        p->part[i] = room(p->y_bytes);
    uint8_t *w = (uint8_t *)p->part[WEIGHTS] + 1; /* nothing aligns a file's rows */
    for (size_t at = 0; at < (size_t)p->cols * p->row_bytes; at += info->block_bytes)
        fill_block(g, p->type, number % 4 == 3, w + at);
    for (int64_t r = 0; r < p->rows; r++)
        fill_activations(g, (float *)p->part[X] + r * p->ldx, p->depth,
                         r % 3 == 0 ? (int)below(g, 5) : 0);
    fill(g, p->part[BIAS], p->cols, SPECIAL);
    fill(g, p->part[RESIDUAL], p->rows * p->ldy, SPECIAL);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Packs and runs in pieces of one or two tiles, since any split has to give the same bits. */
static void product_run(const product *p, const ix_matmul_kernel *k, float *y)
{
    const uint8_t *w = (const uint8_t *)p->part[WEIGHTS] + 1;
    ix_matmul_job job = { .rows = p->rows,
                          .cols = p->cols,
                          .depth = p->depth,
                          .weights = w,
                          .weight_row_bytes = p->row_bytes,
                          .y = y,
                          .ldy = p->ldy,
                          .bias = p->bias ? p->part[BIAS] : NULL,
                          .residual = p->residual ? p->part[RESIDUAL] : NULL };
    size_t panel = k->panel_bytes ? k->panel_bytes(p->depth) : 0;
    int64_t panels = (p->cols + IX_PANEL_COLS - 1) / IX_PANEL_COLS;
    uint8_t *packed = room((size_t)panels * panel);
    void *acts = room(k->acts_bytes(p->rows, p->depth));
    void *scratch = room(k->scratch_bytes ? k->scratch_bytes(p->depth) : 0);
    for (int64_t i = 0; panel && i < panels; i++)
        k->pack_panel(w + (size_t)(i * IX_PANEL_COLS) * p->row_bytes, p->row_bytes,
                      least(IX_PANEL_COLS, p->cols - i * IX_PANEL_COLS), p->depth,
                      packed + (size_t)i * panel);
    if (panel)
        job.weights = packed;
    job.acts = acts;
    memset(y, 0xa5, p->y_bytes);
    int64_t tile = k->row_tile, row_step = p->rows > tile ? tile * (1 + p->rows % 2) : p->rows;
    for (int64_t r = 0; r < p->rows; r += row_step)
        k->pack_acts(p->part[X], p->ldx, p->rows, r, least(r + row_step, p->rows), p->depth, acts);
    int64_t col_step = p->cols % 2 ? p->cols : 2 * IX_PANEL_COLS;
    for (int64_t r = 0; r < p->rows; r += row_step)
        for (int64_t c = 0; c < p->cols; c += col_step)
            k->run(&job, r, least(r + row_step, p->rows), c, least(c + col_step, p->cols), scratch);
    ix_free_aligned(packed);
    ix_free_aligned(acts);
    ix_free_aligned(scratch);
}

static void run_product(group *g, ix_type type, int number, const int16_t *shape)
{
    int count;
    const ix_matmul_kernel *const *kernels = ix_matmul_kernels(&count);
    product p = { .type = type, .rows = shape[0], .cols = shape[1], .depth = shape[2] };
    int64_t block = ix_type_of(type)->block_elements;
    p.depth = (p.depth + block - 1) / block * block;
    product_new(g, &p, number);
    product_run(&p, ix_matmul_find(type, IX_ISA_REF, false), p.part[WANT]);
    for (int64_t r = 0; r < p.rows; r++)
        hash_floats(g, (float *)p.part[WANT] + r * p.ldy, p.cols);
    for (int k = 0; k < count; k++) {
        if (kernels[k]->type != type || !is_tested(kernels[k]->isa))
            continue;
        product_run(&p, kernels[k], p.part[GOT]);
        compare(g, kernels[k]->name, p.part[WANT], p.part[GOT], p.y_bytes);
    }
    for (int i = 0; i < PARTS; i++)
        ix_free_aligned(p.part[i]);
}

static void run_matmul(group *g)
{
    /* Depths are rounded up to whole blocks.  1100 and 2300 have a short second or third segment;
     * rows around the tiles of prompts and of single tokens, columns around panels. */
    static const int16_t SHAPES[][3] = {
        { 1, 17, 33 },   { 1, 40, 1100 }, { 2, 16, 256 }, { 3, 5, 2300 },  { 4, 33, 300 },
        { 5, 1, 1 },     { 7, 18, 64 },   { 8, 47, 96 },  { 9, 16, 1025 }, { 13, 3, 512 },
        { 16, 20, 130 }, { 33, 19, 40 },  { 1, 97, 256 }, { 70, 2, 31 },
    };
    int count, type = 0;
    const ix_matmul_kernel *const *kernels = ix_matmul_kernels(&count);
    while (strcmp(ix_type_of((ix_type)type)->name, g->name) != 0)
        type++;
    for (int k = 0; k < count; k++)
        g->kernels += kernels[k]->type == (ix_type)type && is_tested(kernels[k]->isa);
    for (int i = 0; i < (int)(sizeof SHAPES / sizeof *SHAPES); i++)
        run_product(g, (ix_type)type, i, SHAPES[i]);
}

static void run_dequantize(group *g)
{
    uint8_t block[256];
    float values[256];
    int type = 0;
    while (strcmp(ix_type_of((ix_type)type)->name, g->name) != 0)
        type++;
    const ix_type_info *info = ix_type_of((ix_type)type);
    for (uint32_t i = 0; i < 4096; i += info->block_elements) {
        fill_block(g, (ix_type)type, i % 3 == 0, block);
        ix_dequantize_row((ix_type)type, block, info->block_elements, values);
        for (uint32_t j = 0; j < info->block_elements; j++)
            hash_canonical(g, values[j]);
    }
}

/* ---- attention ------------------------------------------------------------------------------- */

#define SEQUENCES 2

typedef struct attention_case {
    int64_t kv_heads, group, head_dim, value_dim, tokens, length, window;
    float softcap;
    int q_exponent; /* of the queries' size, so that weights vanish or chunks lose their scale */
    bool sinks, scattered, specials;
} attention_case;

enum { CACHE_K, CACHE_V, TABLE, Q, SINKS, SEQUENCE, POSITION, K_ROW, V_ROW, OUT, OUT_PARTS };
typedef struct attention_bench {
    ix_attention_job job;
    size_t k_bytes, v_bytes, out_bytes;
    void *part[OUT_PARTS];
} attention_bench;

static void fill_attention(group *g, float *x, int64_t n, bool specials, int exponent)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = some_float(g, PLAIN) * ix_power_of_two(exponent);
        if (specials && draw(g) % 512 == 0)
            x[i] = ix_float(SPECIALS[draw(g) % SPECIAL_COUNT]);
    }
}

static void attention_new(group *g, attention_bench *b, const attention_case *c, ix_type type)
{
    ix_attention_job *job = &b->job;
    int64_t item = type == IX_TYPE_F16 ? 2 : 4, pages = (c->length + IX_PAGE - 1) / IX_PAGE;
    int64_t heads = c->kv_heads * c->group;
    size_t k_page = (size_t)(c->kv_heads * c->head_dim * IX_PAGE * item + 64);
    size_t v_page = (size_t)(c->kv_heads * c->value_dim * IX_PAGE * item + 192);
    b->k_bytes = (size_t)(SEQUENCES * pages) * k_page;
    b->v_bytes = (size_t)(SEQUENCES * pages) * v_page;
    b->out_bytes = sizeof(float) * (size_t)(c->tokens * heads * c->value_dim);
    const size_t bytes[OUT_PARTS] = {
        [CACHE_K] = b->k_bytes,
        [CACHE_V] = b->v_bytes,
        [TABLE] = sizeof(int32_t) * (size_t)(SEQUENCES * pages),
        [Q] = sizeof(float) * (size_t)(c->tokens * heads * c->head_dim),
        [SINKS] = sizeof(float) * (size_t)heads,
        [SEQUENCE] = sizeof(int32_t) * (size_t)c->tokens,
        [POSITION] = sizeof(int32_t) * (size_t)c->tokens,
        [K_ROW] = sizeof(float) * (size_t)(c->kv_heads * c->head_dim),
        [V_ROW] = sizeof(float) * (size_t)(c->kv_heads * c->value_dim),
        [OUT] = b->out_bytes,
    };
    for (int i = 0; i < OUT_PARTS; i++)
        b->part[i] = room(bytes[i]);
    int32_t *table = b->part[TABLE], *sequence = b->part[SEQUENCE], *position = b->part[POSITION];
    for (int32_t i = 0; i < SEQUENCES * pages; i++) /* from the last page to the first */
        table[i] = (int32_t)(SEQUENCES * pages) - 1 - i;
    for (int64_t i = 0; i < c->tokens; i++) {
        sequence[i] = c->scattered ? (int32_t)below(g, SEQUENCES) : 0;
        position[i] = (int32_t)(c->scattered ? below(g, c->length) : c->length - c->tokens + i);
    }
    fill_attention(g, b->part[Q], c->tokens * heads * c->head_dim, c->specials, c->q_exponent);
    fill_attention(g, b->part[SINKS], heads, false, 0);
    *job = (ix_attention_job){ .cache = { type, b->part[CACHE_K], b->part[CACHE_V], k_page, v_page,
                                          c->kv_heads, c->head_dim, c->value_dim, table, pages },
                               .tokens = c->tokens,
                               .heads = heads,
                               .q = b->part[Q],
                               .sequence = sequence,
                               .position = position,
                               .window = c->window,
                               .scale = 1.0 / (double)(c->head_dim / 2 + 1),
                               .softcap = c->softcap,
                               .sinks = c->sinks ? b->part[SINKS] : NULL };
}

/* Stores all rows with the kernels' own store; what nobody stores stays NaN. */
static void attention_store(group *g, const attention_bench *b, const attention_case *c,
                            const ix_attention_kernels *k)
{
    memset(b->part[CACHE_K], 0xff, b->k_bytes);
    memset(b->part[CACHE_V], 0xff, b->v_bytes);
    for (int32_t s = 0; s < SEQUENCES; s++) {
        for (int32_t p = 0; p < c->length; p++) {
            fill_attention(g, b->part[K_ROW], c->kv_heads * c->head_dim, c->specials, 0);
            fill_attention(g, b->part[V_ROW], c->kv_heads * c->value_dim, c->specials, 0);
            k->store(&b->job.cache, b->part[K_ROW], b->part[V_ROW], s, p, 1);
        }
    }
}

static void attention_run(attention_bench *b, const ix_attention_kernels *k, int64_t token_step,
                          void *out)
{
    int64_t kv_heads = b->job.cache.kv_heads, tokens = b->job.tokens;
    void *scratch = room(k->scratch_bytes(&b->job, token_step));
    b->job.out = out;
    for (int64_t token = 0; token < tokens; token += token_step)
        for (int64_t kv = 0; kv < kv_heads; kv++)
            k->run(&b->job, token, least(token + token_step, tokens), kv, kv + 1, scratch);
    ix_free_aligned(scratch);
}

static void hash_cache(group *g, const void *cache, size_t bytes, ix_type type)
{
    if (type == IX_TYPE_F16)
        hash_halves(g, cache, (int64_t)(bytes / 2));
    else
        hash_floats(g, cache, (int64_t)(bytes / 4));
}

static void compare_attention(group *g, const attention_case *c, ix_type type)
{
    attention_bench b;
    attention_new(g, &b, c, type);
    uint64_t rows = g->drawn; /* every kernel stores the same rows */
    const ix_attention_kernels *ref = ix_attention_row(IX_ISA_REF);
    attention_store(g, &b, c, ref);
    void *want = room(b.out_bytes), *k = room(b.k_bytes), *v = room(b.v_bytes);
    attention_run(&b, ref, c->tokens, want);
    memcpy(k, b.part[CACHE_K], b.k_bytes);
    memcpy(v, b.part[CACHE_V], b.v_bytes);
    hash_cache(g, k, b.k_bytes, type);
    hash_cache(g, v, b.v_bytes, type);
    hash_floats(g, want, (int64_t)(b.out_bytes / sizeof(float)));
    for (ix_isa isa = IX_ISA_REF; isa < IX_ISA_COUNT; isa++) {
        const ix_attention_kernels *fast = ix_attention_row(isa);
        if (!is_tested(isa) || fast == NULL)
            continue;
        g->drawn = rows;
        attention_store(g, &b, c, fast);
        compare(g, fast->name, k, b.part[CACHE_K], b.k_bytes);
        compare(g, fast->name, v, b.part[CACHE_V], b.v_bytes);
        for (int64_t step = c->tokens; step > 0; step = step > 2 ? 2 : 0) {
            memset(b.part[OUT], 0xa5, b.out_bytes);
            attention_run(&b, fast, step, b.part[OUT]);
            compare(g, fast->name, want, b.part[OUT], b.out_bytes);
        }
    }
    ix_free_aligned(want);
    ix_free_aligned(k);
    ix_free_aligned(v);
    for (int i = 0; i < OUT_PARTS; i++)
        ix_free_aligned(b.part[i]);
}

static void run_attention(group *g)
{
    static const attention_case CASES[] = {
        /* heads of the cache, queries each, sizes of keys and values, tokens, length, window */
        { 1, 1, 1, 1, 1, 1, 0, 0, 0, false, false, false },
        { 2, 3, 16, 24, 3, 200, 0, 0, 1, false, false, false },
        { 1, 4, 33, 20, 5, 130, 0, 0, 4, true, true, false },
        { 1, 7, 17, 17, 9, 300, 100, 0, 0, false, false, true },
        { 2, 2, 64, 64, 2, 65, 0, 0, 2, false, false, false },
        { 1, 2, 8, 40, 40, 128, 0, 30, 3, true, false, false },
        { 3, 1, 20, 9, 6, 257, 31, 0, 8, true, true, true },
        { 1, 9, 12, 31, 11, 129, 0, 5, 5, false, true, true },
        { 1, 1, 128, 128, 1, 140, 0, 0, 20, false, false, false },
    };
    ix_type type = strcmp(g->name, "f16") == 0 ? IX_TYPE_F16 : IX_TYPE_F32;
    for (ix_isa isa = IX_ISA_REF; isa < IX_ISA_COUNT; isa++)
        g->kernels += is_tested(isa) && ix_attention_row(isa) != NULL;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        compare_attention(g, &CASES[i], type);
}

/* ---- sampling -------------------------------------------------------------------------------- */

#define SAMPLE_COLUMNS 700
#define SAMPLE_CASES 240

static inox_sampling some_sampling(group *g, const int32_t *ids, const float *values)
{
    inox_sampling s = INOX_SAMPLING_INIT;
    s.temperature = (float)below(g, 5) * 0.4f;
    s.top_k = (int32_t)(below(g, 3) * below(g, 100));
    s.top_p = below(g, 2) ? 1.0f : (float)(1 + below(g, 64)) / 64.0f;
    s.min_p = below(g, 2) ? 0.0f : (float)below(g, 32) / 64.0f;
    s.typical_p = below(g, 3) ? 1.0f : (float)(1 + below(g, 64)) / 64.0f;
    s.repetition_penalty = below(g, 2) ? 1.0f : 1.0f + (float)below(g, 32) / 32.0f;
    s.presence_penalty = below(g, 2) ? 0.0f : (float)below(g, 64) / 64.0f;
    s.frequency_penalty = below(g, 2) ? 0.0f : (float)below(g, 64) / 64.0f;
    s.penalty_window = (int32_t)below(g, 40) - 1;
    s.seed = draw(g);
    s.bias_ids = ids;
    s.bias_values = values;
    s.bias_count = (size_t)(below(g, 2) * 3);
    return s;
}

static void choose(group *g, ix_sampler *sampler, int32_t *ids)
{
    static float logits[SAMPLE_COLUMNS];
    int32_t previous[32], bias_ids[3];
    float bias_values[3];
    for (int i = 0; i < SAMPLE_CASES; i++) {
        fill(g, logits, SAMPLE_COLUMNS, PLAIN);
        for (int j = 0; j < SAMPLE_COLUMNS; j++)
            logits[j] = i % 2 ? (float)below(g, 64) * 0.25f /* ties */ : logits[j] * 4.0f;
        for (int j = 0; j < 32; j++)
            previous[j] = (int32_t)below(g, SAMPLE_COLUMNS);
        for (int j = 0; j < 3; j++) {
            bias_ids[j] = previous[j];
            bias_values[j] = j == 0 ? ix_float(0xff800000u) : (float)below(g, 16);
        }
        inox_sampling s = some_sampling(g, bias_ids, bias_values);
        ids[i] = -1;
        inox_status status =
            ix_sampler_choose(sampler, logits, &s, previous, 32, (uint64_t)i, &ids[i], NULL);
        if (status != INOX_OK)
            ids[i] = status;
    }
}

static void run_sampling(group *g)
{
    static int32_t want[SAMPLE_CASES], got[SAMPLE_CASES];
    for (ix_isa isa = IX_ISA_REF; isa < IX_ISA_COUNT; isa++) {
        ix_sampler *sampler;
        if (isa != IX_ISA_REF && (!is_tested(isa) || ix_row_table(isa) == NULL))
            continue;
        setenv("INOX_ISA", ix_isa_name(isa), 1); /* it takes the set from there */
        if (ix_sampler_new(SAMPLE_COLUMNS, &sampler, NULL) != INOX_OK)
            out_of_memory();
        g->drawn = 0;
        choose(g, sampler, isa == IX_ISA_REF ? want : got);
        ix_sampler_free(sampler);
        if (isa != IX_ISA_REF) {
            g->kernels++;
            compare(g, ix_isa_name(isa), want, got, sizeof want);
        }
    }
    for (int i = 0; i < SAMPLE_CASES; i++)
        hash_u32(g, (uint32_t)want[i]);
}

/* ---- all groups ------------------------------------------------------------------------------ */

typedef struct total {
    sha256 hash;
    uint64_t values, stream;
    int kernels, differing, count;
    char **filters;
} total;

static void print_hex(const uint8_t *bytes, int n)
{
    for (int i = 0; i < n; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

/* A group's hash goes into the one over all, behind its name. */
static void run_group(total *all, const char *family, const char *name, void (*run)(group *g))
{
    char title[64];
    uint8_t digest[32];
    group g = { .family = family, .name = name, .seed = 0x1e0c5, .stream = all->stream++ };
    snprintf(title, sizeof title, "%s %s", family, name);
    for (int i = 0; i < all->count; i++) {
        if (strstr(title, all->filters[i]) != NULL)
            break;
        if (i + 1 == all->count)
            return;
    }
    sha_start(&g.hash);
    run(&g);
    sha_end(&g.hash, digest);
    printf("%-22s%4d kernels %9" PRIu64 " values  ", title, g.kernels, g.values);
    print_hex(digest, 8);
    for (int i = 0; i < g.differing && i < NAMES_MAX; i++)
        printf("  DIFFERS from the reference: %s, %s\n", title, g.names[i]);
    fflush(stdout);
    for (const char *s = title; *s; s++)
        sha_byte(&all->hash, (uint8_t)*s);
    for (int i = 0; i < 32; i++)
        sha_byte(&all->hash, digest[i]);
    all->values += g.values;
    all->kernels += g.kernels;
    all->differing += g.differing;
}

static void run_all(total *all)
{
    run_group(all, "scalar", "fma", run_fma);
    run_group(all, "scalar", "elementary", run_elementary);
    run_group(all, "scalar", "rotary", run_rotary);
    run_group(all, "scalar", "conversions", run_conversions);
    run_group(all, "random", "philox", run_random);
    for (int i = 0; i < ROW_COUNT; i++)
        run_group(all, "rows", ROWS[i].name, run_rows);
    run_group(all, "attention", "f16", run_attention);
    run_group(all, "attention", "f32", run_attention);
    run_group(all, "sample", "choices", run_sampling);
    for (int i = 0; i < IX_TYPE_COUNT; i++)
        if (ix_matmul_find((ix_type)i, IX_ISA_REF, false) != NULL)
            run_group(all, "dequant", ix_type_of((ix_type)i)->name, run_dequantize);
    for (int i = 0; i < IX_TYPE_COUNT; i++)
        if (ix_matmul_find((ix_type)i, IX_ISA_REF, false) != NULL)
            run_group(all, "matmul", ix_type_of((ix_type)i)->name, run_matmul);
}

int main(int argc, char **argv)
{
    total all = { .values = 0 };
    uint8_t digest[32];
    inox_error err;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--isa") == 0) {
        if (ix_isa_choose(argv[2], &only, &err) != INOX_OK) {
            printf("exact-vectors: %s\n", err.message);
            return 2;
        }
        first = 3;
    }
    all.filters = argv + first;
    all.count = argc - first;
    sha_start(&all.hash);
    ix_fpenv environment = ix_fpenv_enter();
    run_all(&all);
    ix_fpenv_leave(environment);
    sha_end(&all.hash, digest);
    printf("%-22s%4d kernels %9" PRIu64 " values  ", "all", all.kernels, all.values);
    print_hex(digest, 32);
    return all.values == 0 ? 2 : all.differing > 0;
}
