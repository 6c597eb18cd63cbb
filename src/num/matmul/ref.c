/* Matrix products, the definition (rules C2, C3, C3a, C11).
 *
 * Plain loops over the file's own rows of weights and float rows of activations:
 *
 *   for a tile of 16 rows, for each column:
 *       for each segment of 1024 indices:  one chain of fma per row, from +0
 *       join the segment sums by T, store (C11), add bias, add residual
 *
 * The tile is there only so that a block of weights is unpacked once for 16 rows; every element of
 * y is computed as if it were alone.  Types of rule C3 quantise their rows first; all others
 * multiply dequantised floats.
 */
#include "num/dequant/dequant.h"
#include "num/matmul/kernels.h"
#include "num/scalar/scalar.h"

#define TILE_ROWS 16
#define TILE_ALIGN 64

/* T of rule C2 as the sums arrive: complete trees of falling size wait in `part`, one for each bit
 * of `count`. */
typedef struct tree {
    uint64_t count;
    float part[40]; /* 2^40 segments are beyond IX_MAX_DIM */
} tree;

static void tree_add(tree *t, float sum)
{
    int top = __builtin_popcountll(t->count);
    for (uint64_t bits = t->count; bits & 1; bits >>= 1)
        sum = t->part[--top] + sum;
    t->part[top] = sum;
    t->count++;
}

static float tree_total(const tree *t)
{
    int top = __builtin_popcountll(t->count);
    if (top == 0)
        return 0.0f;
    float sum = t->part[--top];
    while (top > 0)
        sum = t->part[--top] + sum;
    return sum;
}

float ix_dot_ref(const float *a, const float *b, int64_t n)
{
    tree t = { 0 };
    for (int64_t k = 0; k < n; k += IX_SEGMENT) {
        int64_t end = n - k < IX_SEGMENT ? n : k + IX_SEGMENT;
        float acc = 0.0f;
        for (int64_t i = k; i < end; i++)
            acc = ix_fma(a[i], b[i], acc);
        tree_add(&t, acc);
    }
    return ix_stored(tree_total(&t));
}

/* ---- C3a ------------------------------------------------------------------------------------- */

static void quantize_block(const float *x, int32_t block, float *e, int8_t *q)
{
    uint32_t u = 0;
    for (int32_t i = 0; i < block; i++) {
        uint32_t magnitude = ix_bits(x[i]) & 0x7fffffffu;
        u = magnitude > u ? magnitude : u;
    }
    if (u >= 0x7f800000u || u < 0x0d800000u) { /* infinite or NaN; below 2^-100 */
        *e = u >= 0x7f800000u ? ix_float(IX_F32_NAN_BITS) : 0.0f;
        memset(q, 0, (size_t)block);
        return;
    }
    float amax = ix_float(u);
    *e = amax / 127.0f;
    float r = 127.0f / amax;
    for (int32_t i = 0; i < block; i++)
        q[i] = (int8_t)ix_rhe(x[i] * r);
}

void ix_quantize_row_ref(const float *x, int64_t depth, int32_t block, float *e, int8_t *q)
{
    for (int64_t b = 0; b < depth / block; b++)
        quantize_block(x + b * block, block, e + b, q + b * block);
}

/* ---- C3: one block --------------------------------------------------------------------------- */

static int32_t dot(const int8_t *q, const int8_t *a, int count)
{
    int32_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += q[i] * a[i];
    return sum;
}

static int32_t sum_of(const int8_t *a, int count)
{
    int32_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += a[i];
    return sum;
}

static float step_32(const ix_block_parts *p, float e, const int8_t *a, float acc)
{
    return ix_fma(p->d * e, (float)dot(p->q, a, 32), acc);
}

static float step_32_min(const ix_block_parts *p, float e, const int8_t *a, float acc)
{
    acc = step_32(p, e, a, acc);
    return ix_fma(p->m * e, (float)sum_of(a, 32), acc);
}

static float step_256(const ix_block_parts *p, int sub, float e, const int8_t *a, float acc)
{
    int32_t all = 0;
    for (int s = 0; s < 256 / sub; s++)
        all += p->sc[s] * dot(p->q + s * sub, a + s * sub, sub);
    return ix_fma(p->d * e, (float)all, acc);
}

static float step_256_min(const ix_block_parts *p, int sub, float e, const int8_t *a, float acc)
{
    int32_t mins = 0;
    for (int s = 0; s < 256 / sub; s++)
        mins += p->mn[s] * sum_of(a + s * sub, sub);
    acc = step_256(p, sub, e, a, acc);
    return ix_fma(-(p->m * e), (float)mins, acc);
}

static float step(ix_type t, const ix_block_parts *p, float e, const int8_t *a, float acc)
{
    switch (t) {
    case IX_TYPE_Q4_1:
    case IX_TYPE_Q5_1: return step_32_min(p, e, a, acc);
    case IX_TYPE_Q3_K:
    case IX_TYPE_Q6_K: return step_256(p, 16, e, a, acc);
    case IX_TYPE_IQ4_XS: return step_256(p, 32, e, a, acc);
    case IX_TYPE_Q2_K: return step_256_min(p, 16, e, a, acc);
    case IX_TYPE_Q4_K:
    case IX_TYPE_Q5_K: return step_256_min(p, 32, e, a, acc);
    default: return step_32(p, e, a, acc); /* Q8_0 Q4_0 Q5_0 IQ4_NL MXFP4 */
    }
}

/* ---- one column for a tile of rows ----------------------------------------------------------- */

typedef struct tile {
    ix_type type;
    int rows;
    int64_t depth;
    const float *x;  /* [rows][depth] */
    const float *e;  /* [rows][depth / activation block], for types of rule C3 */
    const int8_t *q; /* [rows][depth] */
} tile;

/* Segment sums over [k, end) of a weight row of rule C3. */
static void segment_of_blocks(const tile *t, const uint8_t *w, int64_t k, int64_t end, float *acc)
{
    const ix_type_info *info = ix_type_of(t->type);
    int64_t block = info->block_elements, blocks = t->depth / block;
    for (int64_t b = k / block; b < end / block; b++) {
        ix_block_parts parts;
        ix_block_unpack(t->type, w + b * info->block_bytes, &parts);
        for (int r = 0; r < t->rows; r++)
            acc[r] = step(t->type, &parts, t->e[r * blocks + b], t->q + r * t->depth + b * block,
                          acc[r]);
    }
}

/* The same of a row that is multiplied as floats. */
static void segment_of_floats(const tile *t, const uint8_t *w, int64_t k, int64_t end, float *acc)
{
    const ix_type_info *info = ix_type_of(t->type);
    float values[IX_SEGMENT]; /* a segment is whole blocks of every type */
    ix_dequantize_row(t->type, w + k / info->block_elements * info->block_bytes, end - k, values);
    for (int r = 0; r < t->rows; r++) {
        const float *x = t->x + r * t->depth + k;
        for (int64_t i = 0; i < end - k; i++)
            acc[r] = ix_fma(x[i], values[i], acc[r]);
    }
}

static void column(const tile *t, const uint8_t *w, float *sums)
{
    tree trees[TILE_ROWS] = { 0 };
    for (int64_t k = 0; k < t->depth; k += IX_SEGMENT) {
        int64_t end = t->depth - k < IX_SEGMENT ? t->depth : k + IX_SEGMENT;
        float acc[TILE_ROWS] = { 0 };
        if (ix_type_of(t->type)->activation_block != 0)
            segment_of_blocks(t, w, k, end, acc);
        else
            segment_of_floats(t, w, k, end, acc);
        for (int r = 0; r < t->rows; r++)
            tree_add(&trees[r], acc[r]);
    }
    for (int r = 0; r < t->rows; r++)
        sums[r] = ix_stored(tree_total(&trees[r]));
}

/* ---- the rows of the table ------------------------------------------------------------------- */

static size_t scale_bytes(int64_t depth, uint32_t block)
{
    size_t bytes = TILE_ROWS * sizeof(float) * (size_t)(depth / block);
    return (bytes + TILE_ALIGN - 1) / TILE_ALIGN * TILE_ALIGN;
}

static size_t scratch_of(ix_type type, int64_t depth)
{
    uint32_t block = ix_type_of(type)->activation_block;
    return block == 0 ? 0 : scale_bytes(depth, block) + TILE_ROWS * (size_t)depth;
}

static tile tile_at(ix_type type, const ix_matmul_job *job, int64_t row, int64_t row1,
                    void *scratch)
{
    uint32_t block = ix_type_of(type)->activation_block;
    tile t = { .type = type,
               .rows = row1 - row < TILE_ROWS ? (int)(row1 - row) : TILE_ROWS,
               .depth = job->depth };
    t.x = (const float *)job->acts + row * job->depth;
    if (block == 0)
        return t;
    float *e = scratch;
    int8_t *q = (int8_t *)scratch + scale_bytes(job->depth, block);
    for (int r = 0; r < t.rows; r++)
        ix_quantize_row_ref(t.x + r * t.depth, t.depth, (int32_t)block, e + r * (t.depth / block),
                            q + r * t.depth);
    t.e = e;
    t.q = q;
    return t;
}

static void run(ix_type type, const ix_matmul_job *job, int64_t row0, int64_t row1, int64_t col0,
                int64_t col1, void *scratch)
{
    for (int64_t row = row0; row < row1; row += TILE_ROWS) {
        tile t = tile_at(type, job, row, row1, scratch);
        for (int64_t col = col0; col < col1; col++) {
            float sums[TILE_ROWS];
            column(&t, (const uint8_t *)job->weights + (size_t)col * job->weight_row_bytes, sums);
            for (int r = 0; r < t.rows; r++) {
                int64_t at = (row + r) * job->ldy + col;
                float v = sums[r];
                if (job->bias)
                    v = v + job->bias[col];
                if (job->residual)
                    v = v + job->residual[at];
                job->y[at] = ix_canonical(v);
            }
        }
    }
}

static size_t acts_bytes(int64_t rows, int64_t depth)
{
    return sizeof(float) * (size_t)rows * (size_t)depth;
}

static void pack_acts(const float *x, int64_t ldx, int64_t rows, int64_t row0, int64_t row1,
                      int64_t depth, void *acts)
{
    (void)rows;
    for (int64_t r = row0; r < row1; r++)
        memcpy((float *)acts + r * depth, x + r * ldx, sizeof(float) * (size_t)depth);
}

static const char FORMAT[] = "float rows";

/* Each REF row of the table becomes a kernel here; other instruction sets have their own files. */
#define IX_MATMUL(t, isa, symbol) IX_MATMUL_##isa(t, symbol)
#define IX_MATMUL_AVX2(t, symbol)
#define IX_MATMUL_AVXVNNI(t, symbol)
#define IX_MATMUL_AVX512(t, symbol)
#define IX_MATMUL_AVX512VNNI(t, symbol)
#define IX_MATMUL_AMX(t, symbol)
#define IX_MATMUL_NEON(t, symbol)
#define IX_MATMUL_DOTPROD(t, symbol)
#define IX_MATMUL_I8MM(t, symbol)
#define IX_MATMUL_SIMD128(t, symbol)
#define IX_MATMUL_RELAXED(t, symbol)
#define IX_MATMUL_REF(t, symbol)                                                                   \
    static void run_##t(const ix_matmul_job *job, int64_t row0, int64_t row1, int64_t col0,        \
                        int64_t col1, void *scratch)                                               \
    {                                                                                              \
        run(IX_TYPE_##t, job, row0, row1, col0, col1, scratch);                                    \
    }                                                                                              \
    static size_t scratch_##t(int64_t depth)                                                       \
    {                                                                                              \
        return scratch_of(IX_TYPE_##t, depth);                                                     \
    }                                                                                              \
    const ix_matmul_kernel symbol = {                                                              \
        .type = IX_TYPE_##t,                                                                       \
        .isa = IX_ISA_REF,                                                                         \
        .name = #symbol,                                                                           \
        .row_tile = TILE_ROWS,                                                                     \
        .acts_bytes = acts_bytes,                                                                  \
        .pack_acts = pack_acts,                                                                    \
        .acts_format = FORMAT,                                                                     \
        .run = run_##t,                                                                            \
        .scratch_bytes = scratch_##t,                                                              \
    };
#include "num/matmul/kernels.def"
