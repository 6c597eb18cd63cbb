/* Matrix products with AMX: the types of rule C3 over tiles of 16 rows, 16 columns and up to 64
 * indices.
 *
 * One TDPBxxD multiplies a tile of activations, int8 [16 rows][k], with a tile of weights,
 * int8 [k / 4][16 columns][4], which is how panels have them, into int32 [16 rows][16 columns]:
 *
 *   blocks of 32     the integer sum of a block is one product of depth 32; it goes through memory
 *                    to vectors, which scale and add it (one fma per block, rule C3)
 *   super-blocks     `prepare` multiplies weights by the scales of their sub-blocks and cuts the
 *                    products, below 2^13, into two bytes, p = low + 128 * high; two sums run over
 *                    all 256 indices in the tiles, so that one fma per 256 is all that vectors do
 *
 * Integer sums are exact, so the bits are those of every other kernel.  Up to twelve rows, and
 * up to four behind whole tiles, are multiplied by the VNNI kernels.
 *
 * The tiles' shapes are loaded in assembly, all 64 bytes of them: the intrinsic of some compilers
 * initialises only a part.
 */
#include "num/scalar/x86_avx512_math.h"

#include "num/matmul/acts.h"
#include "num/matmul/kernels.h"
#include "num/matmul/panel.h"

#define WEIGHT_OFFSET 0
#define TILE_ROWS IX_ACTS_TILE_AMX
#define TILE_HEIGHT(rows, row) ix_acts_height_amx(rows, row)
#define CHUNK_TILES 16
#define STEP_PANELS 2
#define PREPARED_BYTES ((size_t)36 * 1024)
#define PREPARED_PANELS STEP_PANELS
#define MANY_TILES 1

#include "num/matmul/x86_avx512_bytes.h"

#include "num/matmul/vector_types.h"

#define ROWS TILE_ROWS /* of one tile register */

/* ---- tile registers -------------------------------------------------------------------------- */

/* Intel SDM, "Intel AMX", Table "Memory area layout for LDTILECFG". */
typedef struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;
_Static_assert(sizeof(tile_shapes) == 64, "as the processor reads it");

#define ANY_TILE(k) { ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, k, k }
/* Registers 0 to 3 are sums, 4 and 5 activations, 6 and 7 weights. */
static const tile_shapes SHAPES_32 = { .palette = 1,
                                       .row_bytes = { 64, 64, 64, 64, 32, 32, 64, 64 },
                                       .rows = ANY_TILE(8) };
static const tile_shapes SHAPES_256 = { .palette = 1,
                                        .row_bytes = { 64, 64, 64, 64, 64, 64, 64, 64 },
                                        .rows = ANY_TILE(16) };

VF_INLINE void tiles_take(const tile_shapes *shapes)
{
    __asm__ volatile("ldtilecfg %0" : : "m"(*shapes));
}
VF_INLINE void tiles_give(void)
{
    __asm__ volatile("tilerelease");
}
#define TILE_ZERO(t) __asm__ volatile("tilezero %%tmm" #t : :)
#define TILE_LOAD(t, from, stride)                                                                 \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #t                                               \
                     :                                                                             \
                     : "r"(from), "r"((int64_t)(stride))                                           \
                     : "memory")
#define TILE_STORE(t, to)                                                                          \
    __asm__ volatile("tilestored %%tmm" #t ", (%0,%1,1)" : : "r"(to), "r"((int64_t)64) : "memory")
/* sums += activations (signed) * weights (signed) */
#define TILE_DOT(sums, a, w)                                                                       \
    __asm__ volatile("tdpbssd %%tmm" #w ", %%tmm" #a ", %%tmm" #sums : :)

typedef struct sums_16 { /* what a tile register stores */
    int32_t row[ROWS][IX_PANEL_COLS];
} __attribute__((aligned(64))) sums_16;

/* Where a tile's rows go: lines that lie far from each other, and whose reading is not to be waited
 * for.  A few at a time; addresses behind the last row are harmless. */
VF_INLINE void expect_rows(const tile_job *job, int64_t tile)
{
    if (!job->y)
        return;
    for (int64_t m = 0; m < ROWS; m++) {
        const float *row = job->y + (tile * ROWS + m) * job->ldy;
        for (int panel = 0; panel < job->panels; panel++)
            __builtin_prefetch(row + panel * IX_PANEL_COLS, 0, 2);
    }
}

/* ---- blocks of 32 ---------------------------------------------------------------------------- */

/* Three steps of a block, which the loop below runs for three blocks at a time: nothing waits for
 * the tile registers, the memory or the vectors. */
#define DOT_32(sums, acts, weights, a, w)                                                          \
    do {                                                                                           \
        TILE_ZERO(sums);                                                                           \
        TILE_LOAD(acts, a, 32);                                                                    \
        TILE_LOAD(weights, (w)->q, 64);                                                            \
        TILE_DOT(sums, acts, weights);                                                             \
    } while (0)

VF_INLINE void scale_32_rows(const int minimum, const uint8_t *a, const flat_32 *w,
                             const sums_16 *sums, vf *acc)
{
    const uint8_t *e = a + IX_ACTS_32_E * ROWS, *sum = a + IX_ACTS_32_SUM * ROWS;
    vf d = vf_load(w->d);
    UNROLL for (int m = 0; m < ROWS; m++)
        acc[m] = vf_fma(vf_mul(d, vf_word(e + 4 * m)), vf_of_int(vi_load(sums->row[m])), acc[m]);
    if (minimum) {
        vf low = vf_load(w->m);
        UNROLL for (int m = 0; m < ROWS; m++)
            acc[m] = vf_fma(vf_mul(low, vf_word(e + 4 * m)), vf_word(sum + 4 * m), acc[m]);
    }
}

VF_INLINE void tile_32(const int minimum, const tile_job *job)
{
    const int64_t step = IX_ACTS_32_BYTES * ROWS, n = job->n;
    const flat_32 *w = (const flat_32 *)(const void *)job->w;
    const uint8_t *ahead = job->ahead;
    sums_16 sums[2];
    for (int64_t i = 0; i < job->tiles; i++) {
        const uint8_t *a = job->a + (size_t)i * job->a_step;
        float *out = job->out + (size_t)i * job->out_step;
        vf acc[ROWS];
        expect_rows(job, i);
        UNROLL for (int m = 0; m < ROWS; m++)
            acc[m] = vf_set(0.0f);
        for (int64_t b = 0; b < n + 2; b += 2) {
            if (b < n)
                DOT_32(0, 4, 6, a + b * step, w + b);
            if (b > 0) {
                if (b - 1 < n)
                    TILE_STORE(1, &sums[1]);
                scale_32_rows(minimum, a + (b - 2) * step, w + b - 2, &sums[0], acc);
            }
            if (b + 1 < n)
                DOT_32(1, 5, 7, a + (b + 1) * step, w + b + 1);
            if (b < n)
                TILE_STORE(0, &sums[0]);
            if (b > 0 && b - 1 < n)
                scale_32_rows(minimum, a + (b - 1) * step, w + b - 1, &sums[1], acc);
            if (i == 0) {
                prefetch(ahead, 2 * job->ahead_bytes);
                ahead += 2 * job->ahead_bytes;
            }
        }
        UNROLL for (int m = 0; m < ROWS; m++)
            vf_store(out + m * IX_PANEL_COLS, acc[m]);
    }
}

static void tile_32_plain(int h, const tile_job *job)
{
    (void)h;
    tile_32(0, job);
}

static void tile_32_min(int h, const tile_job *job)
{
    (void)h;
    tile_32(1, job);
}

/* ---- super-blocks of 256 --------------------------------------------------------------------- */

/* A super-block, multiplied by its scales: p = low + 128 * high. */
typedef struct flat_256 {
    ix_panel_word low[64], high[64]; /* high is not there for Q2_K and Q3_K */
    float d[IX_PANEL_COLS], dmin[IX_PANEL_COLS];
    int16_t mins[8][IX_PANEL_COLS][2];
} flat_256;
_Static_assert(sizeof(flat_256) * (IX_SEGMENT / 256) <= PREPARED_BYTES, "a segment fits");

/* What sets the types apart. */
typedef struct type_256 {
    size_t bytes;
    word_256 *word;
    int sub;         /* elements under one scale: 16 or 32 */
    part_256 *scale;
    part_256 *mins;  /* NULL where there are none */
    int min_pairs;   /* 8 or 4 */
    scale_32 *d, *dmin;
    int negate;      /* scales and d: products reach 128 otherwise */
    int cut;         /* products need two bytes */
} type_256;

/* Bytes 0 and 2 (odd: 1 and 3) of every word times its scale, 16 bits each. */
VF_INLINE vi half_products(vi q, vi scale, int odd)
{
    vi bytes = odd ? q : _mm512_slli_epi16(q, 8);
    return _mm512_mullo_epi16(_mm512_srai_epi16(bytes, 8), scale);
}

VF_INLINE vi bytes_of_halves(vi even, vi odd)
{
    return vi_or(vi_and(even, _mm512_set1_epi16(0xff)), _mm512_slli_epi16(odd, 8));
}

/* p = low + 128 * high, low in -64..63. */
VF_INLINE vi high_part(vi p)
{
    return _mm512_srai_epi16(_mm512_add_epi16(p, _mm512_set1_epi16(64)), 7);
}
VF_INLINE vi low_part(vi p)
{
    vi low = vi_and(_mm512_add_epi16(p, _mm512_set1_epi16(64)), _mm512_set1_epi16(127));
    return _mm512_sub_epi16(low, _mm512_set1_epi16(64));
}

VF_INLINE void prepare_256(const type_256 t, const uint8_t *w, int64_t blocks, flat_256 *to)
{
    for (int64_t b = 0; b < blocks; b++, w += t.bytes, to++) {
        UNROLL for (int j = 0; j < 8; j++) {
            vi scale = vi_set(0);
            UNROLL for (int g = 0; g < 8; g++) {
                if (g % (t.sub / 4) == 0) {
                    scale = t.scale(w, t.sub == 16 ? 2 * j + g / 4 : j, 0);
                    if (t.negate)
                        scale = vi_sub(vi_set(0), scale);
                    scale = vi_or(vi_and(scale, vi_set(0xffff)), _mm512_slli_epi32(scale, 16));
                }
                vi q = t.word(w, j, g, 0);
                vi even = half_products(q, scale, 0), odd = half_products(q, scale, 1);
                if (t.cut) {
                    vi_store(to->high[8 * j + g], bytes_of_halves(high_part(even), high_part(odd)));
                    vi_store(to->low[8 * j + g], bytes_of_halves(low_part(even), low_part(odd)));
                } else {
                    vi_store(to->low[8 * j + g], bytes_of_halves(even, odd));
                }
            }
        }
        vf d = t.d(w, 0);
        vf_store(to->d, t.negate ? negated(d) : d);
        if (t.mins) {
            UNROLL for (int i = 0; i < 8; i++) {
                if (i < t.min_pairs)
                    vi_store(to->mins[i], t.mins(w, i, 0));
            }
            vf_store(to->dmin, t.dmin(w, 0));
        }
    }
}

/* Quarter k of a super-block: 64 indices of both parts of the products. */
#define DOT_QUARTER(lo, hi, acts, k)                                                               \
    do {                                                                                           \
        TILE_LOAD(acts, a + 64 * (k), 256);                                                        \
        TILE_LOAD(6, w->low[16 * (k)], 64);                                                        \
        TILE_DOT(lo, acts, 6);                                                                    \
        if (cut) {                                                                                 \
            TILE_LOAD(7, w->high[16 * (k)], 64);                                                   \
            TILE_DOT(hi, acts, 7);                                                               \
        }                                                                                          \
    } while (0)

/* The sums of one super-block; those of the one before, which are complete, go to `before`, if not
 * NULL, while the multiplier is at work. */
#define DOT_256(lo, hi, lo_before, hi_before)                                                \
    do {                                                                                           \
        TILE_ZERO(lo);                                                                            \
        if (cut)                                                                                   \
            TILE_ZERO(hi);                                                                       \
        DOT_QUARTER(lo, hi, 4, 0);                                                              \
        if (before)                                                                                \
            TILE_STORE(lo_before, before);                                                        \
        DOT_QUARTER(lo, hi, 5, 1);                                                              \
        if (cut && before)                                                                         \
            TILE_STORE(hi_before, before + 1);                                                   \
        DOT_QUARTER(lo, hi, 4, 2);                                                              \
        DOT_QUARTER(lo, hi, 5, 3);                                                              \
    } while (0)

VF_INLINE void dot_256(const int cut, int odd, const uint8_t *a, const flat_256 *w, sums_16 *before)
{
    if (odd)
        DOT_256(2, 3, 0, 1);
    else
        DOT_256(0, 1, 2, 3);
}

/* The last sums go to memory. */
VF_INLINE void store_256(const int cut, int odd, sums_16 *to)
{
    if (odd)
        TILE_STORE(2, to);
    else
        TILE_STORE(0, to);
    if (cut && odd)
        TILE_STORE(3, to + 1);
    else if (cut)
        TILE_STORE(1, to + 1);
}

/* One fma per super-block, two where there are minima; `out` is in the first-level cache. */
VF_INLINE void scale_256_rows(const type_256 t, const uint8_t *a, const flat_256 *w,
                              const sums_16 sums[2], float *out)
{
    const uint8_t *e = a + IX_ACTS_256_E * ROWS;
    const uint8_t *parts = a + (t.min_pairs == 8 ? IX_ACTS_256_SUM_16 : IX_ACTS_256_SUM_32) * ROWS;
    vf d = vf_load(w->d), dmin = t.mins ? negated(vf_load(w->dmin)) : d;
    UNROLL for (int m = 0; m < ROWS; m++, out += IX_PANEL_COLS) {
        vi sum = vi_load(sums[0].row[m]);
        if (t.cut)
            sum = vi_add(sum, _mm512_slli_epi32(vi_load(sums[1].row[m]), 7));
        vf scale = vf_word(e + 4 * m);
        vf acc = vf_fma(vf_mul(d, scale), vf_of_int(sum), vf_load(out));
        if (t.mins) {
            vi below = vi_set(0);
            UNROLL for (int i = 0; i < 8; i++) {
                if (i < t.min_pairs)
                    below = _mm512_dpwssd_epi32(below, vi_load(w->mins[i]),
                                                vi_word(parts + 4 * (i * ROWS + m)));
            }
            acc = vf_fma(vf_mul(dmin, scale), vf_of_int(below), acc);
        }
        vf_store(out, acc);
    }
}

/* The sums of a tile of 16 rows and a panel over super-block b. */
typedef struct unit_256 {
    const uint8_t *a;
    const flat_256 *w;
    float *out;
} unit_256;

/* Super-block by super-block: its weights, of two panels, stay in the first-level cache while all
 * tiles pass, and a tile of activations serves both.  The sums of a unit are under way while those
 * of the one before are scaled. */
VF_INLINE void tile_256(const type_256 t, const tile_job *job)
{
    const int64_t step = IX_ACTS_256_BYTES * ROWS, floats = ROWS * IX_PANEL_COLS;
    unit_256 unit = { 0 }, before = { 0 };
    sums_16 sums[2];
    int odd = 0;
    for (int64_t i = 0; i < job->tiles * job->panels * floats; i += VF_LANES)
        vf_store(job->out + i, vf_set(0.0f)); /* out_step is panels * floats: no gaps */
    for (int64_t b = 0; b < job->n; b++) {
        for (int64_t i = 0; i < job->tiles; i++) {
            unit.a = job->a + (size_t)i * job->a_step + b * step;
            if (b == job->n - 1)
                expect_rows(job, i);
            for (int64_t panel = 0; panel < job->panels; panel++, odd = !odd) {
                unit.w = (const flat_256 *)(const void *)(job->w + (size_t)panel * job->stride) + b;
                unit.out = job->out + (size_t)i * job->out_step + panel * floats;
                dot_256(t.cut, odd, unit.a, unit.w, before.a ? sums : NULL);
                if (before.a)
                    scale_256_rows(t, before.a, before.w, sums, before.out);
                before = unit;
            }
        }
        prefetch(job->ahead + (size_t)b * job->ahead_bytes, job->ahead_bytes);
    }
    store_256(t.cut, !odd, sums);
    scale_256_rows(t, before.a, before.w, sums, before.out);
}

/* ---- kernels --------------------------------------------------------------------------------- */

/* The last rows that the VNNI kernel multiplies. */
static int64_t few_rows(const ix_matmul_job *job)
{
    int64_t left = job->rows % TILE_ROWS;
    return ix_acts_height_amx(job->rows, job->rows - left) < TILE_ROWS ? left : 0;
}

/* `vnni` is the kernel of the same type and layout of weights. */
static void run_amx(const plan *p, size_t panel_bytes, const ix_matmul_kernel *vnni,
                    const ix_matmul_job *job, int64_t row0, int64_t row1, int64_t col0,
                    int64_t col1, void *scratch)
{
    int64_t few = few_rows(job), first = job->rows - few;
    int64_t end = row1 < first ? row1 : first;
    if (row0 < end) {
        tiles_take(p->block == 32 ? &SHAPES_32 : &SHAPES_256);
        product(p, panel_bytes, job, row0, end, col0, col1, scratch);
        tiles_give();
    }
    if (few > 0 && row1 > first) {
        ix_matmul_job rest = *job;
        rest.rows = few;
        rest.acts = (const uint8_t *)job->acts +
                    (size_t)first * (size_t)(job->depth / p->block) * p->acts_block;
        rest.y = job->y + first * job->ldy;
        rest.residual = job->residual ? job->residual + first * job->ldy : NULL;
        vnni->run(&rest, 0, few, col0, col1, scratch);
    }
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* A worker may need either kernel's scratch memory; all VNNI kernels of a layout need the same. */
static size_t scratch_of_panels(int64_t depth)
{
    return larger(scratch_panels(depth), ix_matmul_q8_0_avx512vnni.scratch_bytes(depth));
}

static size_t scratch_of_rows(int64_t depth)
{
    return larger(scratch_rows(depth), ix_matmul_q8_0_rows_avx512vnni.scratch_bytes(depth));
}

#define STRING_OF(name) #name
#define STRING(name) STRING_OF(name)

#define KERNEL(TYPE, t, symbol, vnni, acts, bytes, scratch_, ...)                                  \
    static void run_##symbol(const ix_matmul_job *job, int64_t row0, int64_t row1, int64_t col0,   \
                             int64_t col1, void *scratch)                                          \
    {                                                                                              \
        run_amx(&plan_##t, bytes, &vnni, job, row0, row1, col0, col1, scratch);                    \
    }                                                                                              \
    const ix_matmul_kernel symbol = {                                                              \
        .type = IX_TYPE_##TYPE,                                                                    \
        .isa = IX_ISA_AMX,                                                                         \
        .name = STRING(symbol),                                                                    \
        __VA_ARGS__.row_tile = TILE_ROWS,                                                          \
        .acts_bytes = ix_acts_bytes_##acts,                                                        \
        .pack_acts = ix_acts_pack_##acts,                                                          \
        .acts_format = ix_acts_##acts,                                                             \
        .run = run_##symbol,                                                                       \
        .scratch_bytes = scratch_,                                                                 \
    };

/* One kernel that reads panels, one that reads the file's rows. */
#define KERNELS(TYPE, t, panel, acts)                                                              \
    KERNEL(TYPE, t, ix_matmul_##t##_amx, ix_matmul_##t##_avx512vnni, acts,                         \
           ix_panel_bytes_##panel(job->depth), scratch_of_panels,                                  \
           .panel_bytes = ix_panel_bytes_##panel, .pack_panel = ix_panel_pack_##panel, )           \
    KERNEL(TYPE, t, ix_matmul_##t##_rows_amx, ix_matmul_##t##_rows_avx512vnni, acts, 0,            \
           scratch_of_rows, )

#define BLOCKS(TYPE, t, panel, file_bytes, minimum, tile_)                                         \
    static void prepare_##t(const void *w, int64_t blocks, void *to)                               \
    {                                                                                              \
        prepare_32((type_32){ sizeof(ix_panel_##panel), t##_word, t##_d, minimum }, w, blocks,     \
                   to);                                                                            \
    }                                                                                              \
    static const plan plan_##t = { .block = 32,                                                    \
                                   .panels = 1,                                                    \
                                   .panel_block = sizeof(ix_panel_##panel),                        \
                                   .file_block = file_bytes,                                       \
                                   .file_elements = 32,                                            \
                                   .acts_block = IX_ACTS_32_BYTES,                                 \
                                   .prepare = prepare_##t,                                         \
                                   .tile = tile_,                                                  \
                                   .pack = ix_panel_pack_##panel };                                \
    KERNELS(TYPE, t, panel, q32_amx)
BLOCKS(Q8_0, q8_0, q8_0, 34, NULL, tile_32_plain)
BLOCKS(Q4_0, q4_0, q4_0, 18, NULL, tile_32_plain)
BLOCKS(Q4_1, q4_1, q4_1, 20, q4_1_m, tile_32_min)
BLOCKS(Q5_0, q5_0, q5_0, 22, NULL, tile_32_plain)
BLOCKS(Q5_1, q5_1, q5_1, 24, q5_1_m, tile_32_min)
BLOCKS(IQ4_NL, iq4_nl, q4_0, 18, NULL, tile_32_plain)
BLOCKS(MXFP4, mxfp4, mxfp4, 17, NULL, tile_32_plain)

#define SUPER(TYPE, t, file_bytes, ...)                                                            \
    static void prepare_##t(const void *w, int64_t blocks, void *to)                               \
    {                                                                                              \
        prepare_256((type_256){ sizeof(ix_panel_##t), t##_word, __VA_ARGS__ }, w, blocks, to);     \
    }                                                                                              \
    static void tile_##t(int h, const tile_job *job)                                               \
    {                                                                                              \
        (void)h;                                                                                   \
        tile_256((type_256){ sizeof(ix_panel_##t), t##_word, __VA_ARGS__ }, job);                  \
    }                                                                                              \
    static const plan plan_##t = { .block = 256,                                                   \
                                   .panels = 2,                                                    \
                                   .panel_block = sizeof(ix_panel_##t),                            \
                                   .file_block = file_bytes,                                       \
                                   .file_elements = 256,                                           \
                                   .acts_block = IX_ACTS_256_BYTES,                                \
                                   .prepare = prepare_##t,                                         \
                                   .tile = tile_##t,                                               \
                                   .pack = ix_panel_pack_##t };                                    \
    KERNELS(TYPE, t, t, q256_amx)
/*                         sub scale           mins        pairs d       dmin    negate cut */
SUPER(Q2_K, q2_k, 84,      16, q2_k_scale,     q2_k_mins,  8, q2_k_d,    q2_k_dmin, 0, 0)
SUPER(Q3_K, q3_k, 110,     16, q3_k_scale,     NULL,       0, q3_k_d,    NULL,      1, 0)
SUPER(Q4_K, q4_k, 144,     32, q4_k_scale,     q4_k_mins,  4, q4_k_d,    q4_k_dmin, 0, 1)
SUPER(Q5_K, q5_k, 176,     32, q5_k_scale,     q5_k_mins,  4, q5_k_d,    q5_k_dmin, 0, 1)
SUPER(Q6_K, q6_k, 210,     16, q6_k_scale,     NULL,       0, q6_k_d,    NULL,      0, 1)
SUPER(IQ4_XS, iq4_xs, 136, 32, iq4_xs_scale,   NULL,       0, iq4_xs_d,  NULL,      0, 1)
