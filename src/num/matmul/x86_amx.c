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
 * Integer sums are exact, so the bits are those of every other kernel.  One to four rows, and what
 * is left of a prompt behind whole tiles when it is so few, are multiplied by the VNNI kernels.
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
#define TILE_HEIGHT(rows) ix_acts_height_amx(rows)
#define CHUNK_TILES 8
#define PREPARED_BYTES ((size_t)36 * 1024)

#include "num/matmul/x86_avx512_bytes.h"

#include "num/matmul/vector_types.h"

#define ROWS 16 /* of one tile register */

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
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #t : : "r"(from), "r"((int64_t)(stride)) : "memory")
#define TILE_STORE(t, to)                                                                          \
    __asm__ volatile("tilestored %%tmm" #t ", (%0,%1,1)" : : "r"(to), "r"((int64_t)64) : "memory")
/* sums += activations (signed) * weights (signed) */
#define TILE_DOT(sums, a, w)                                                                       \
    __asm__ volatile("tdpbssd %%tmm" #w ", %%tmm" #a ", %%tmm" #sums : :)

typedef struct sums_16 { /* what a tile register stores */
    int32_t row[ROWS][IX_PANEL_COLS];
} __attribute__((aligned(64))) sums_16;

/* ---- blocks of 32 ---------------------------------------------------------------------------- */

/* The sums of the next block are under way while the vectors scale those of the block before. */
VF_INLINE void dot_32(int even, const uint8_t *a, const flat_32 *w, sums_16 *to)
{
    if (even) {
        TILE_ZERO(0);
        TILE_LOAD(4, a, 32);
        TILE_LOAD(6, w->q, 64);
        TILE_DOT(0, 4, 6);
        TILE_STORE(0, to);
    } else {
        TILE_ZERO(1);
        TILE_LOAD(5, a, 32);
        TILE_LOAD(7, w->q, 64);
        TILE_DOT(1, 5, 7);
        TILE_STORE(1, to);
    }
}

VF_INLINE void scale_32_rows(const int minimum, const uint8_t *a, int64_t h, const flat_32 *w,
                             const sums_16 *sums, vf *acc)
{
    const uint8_t *e = a + IX_ACTS_32_E * h, *sum = a + IX_ACTS_32_SUM * h;
    vf d = vf_load(w->d);
    UNROLL for (int m = 0; m < ROWS; m++)
        acc[m] = vf_fma(vf_mul(d, vf_word(e + 4 * m)), vf_of_int(vi_load(sums->row[m])), acc[m]);
    if (minimum) {
        vf low = vf_load(w->m);
        UNROLL for (int m = 0; m < ROWS; m++)
            acc[m] = vf_fma(vf_mul(low, vf_word(e + 4 * m)), vf_word(sum + 4 * m), acc[m]);
    }
}

/* h is 16 or 32. */
VF_INLINE void tile_32(const int minimum, int64_t h, const tile_job *job)
{
    const size_t step = IX_ACTS_32_BYTES * (size_t)h;
    const flat_32 *w = (const flat_32 *)(const void *)job->w;
    sums_16 sums[2];
    for (int64_t row = 0; row < h; row += ROWS) {
        const uint8_t *a = job->a, *ahead = job->ahead;
        vf acc[ROWS];
        UNROLL for (int m = 0; m < ROWS; m++)
            acc[m] = vf_set(0.0f);
        dot_32(1, a + 32 * row, w, &sums[0]);
        for (int64_t b = 0; b < job->n; b += 2, a += 2 * step) {
            prefetch(ahead, 2 * job->ahead_bytes);
            ahead += 2 * job->ahead_bytes;
            if (b + 1 < job->n)
                dot_32(0, a + step + 32 * row, w + b + 1, &sums[1]);
            scale_32_rows(minimum, a + 4 * row, h, w + b, &sums[0], acc);
            if (b + 2 < job->n)
                dot_32(1, a + 2 * step + 32 * row, w + b + 2, &sums[0]);
            if (b + 1 < job->n)
                scale_32_rows(minimum, a + step + 4 * row, h, w + b + 1, &sums[1], acc);
        }
        UNROLL for (int m = 0; m < ROWS; m++)
            vf_store(job->out + (row + m) * IX_PANEL_COLS, acc[m]);
    }
}

static void tile_32_plain(int h, const tile_job *job)
{
    tile_32(0, h, job);
}

static void tile_32_min(int h, const tile_job *job)
{
    tile_32(1, h, job);
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

/* Sums of 16 or 32 rows over a super-block: [rows / 16][low, high]. */
VF_INLINE void dot_256(const int cut, const int two, const uint8_t *a, const flat_256 *w,
                       sums_16 sums[2][2])
{
    TILE_ZERO(0);
    if (cut)
        TILE_ZERO(1);
    if (two)
        TILE_ZERO(2);
    if (cut && two)
        TILE_ZERO(3);
    UNROLL for (int k = 0; k < 4; k++) {
        TILE_LOAD(6, w->low[16 * k], 64);
        TILE_LOAD(4, a + 64 * k, 256);
        TILE_DOT(0, 4, 6);
        if (cut) {
            TILE_LOAD(7, w->high[16 * k], 64);
            TILE_DOT(1, 4, 7);
        }
        if (two) {
            TILE_LOAD(5, a + 256 * ROWS + 64 * k, 256);
            TILE_DOT(2, 5, 6);
        }
        if (cut && two)
            TILE_DOT(3, 5, 7);
    }
    TILE_STORE(0, &sums[0][0]);
    if (cut)
        TILE_STORE(1, &sums[0][1]);
    if (two)
        TILE_STORE(2, &sums[1][0]);
    if (cut && two)
        TILE_STORE(3, &sums[1][1]);
}

/* One fma per super-block, two where there are minima; `out` is in the first-level cache. */
VF_INLINE void scale_256_rows(const type_256 t, const uint8_t *a, int64_t h, const flat_256 *w,
                              sums_16 sums[2][2], float *out)
{
    const uint8_t *e = a + IX_ACTS_256_E * h;
    const uint8_t *parts = a + (t.min_pairs == 8 ? IX_ACTS_256_SUM_16 : IX_ACTS_256_SUM_32) * h;
    vf d = vf_load(w->d), dmin = t.mins ? negated(vf_load(w->dmin)) : d;
    for (int64_t m = 0; m < h; m++, out += IX_PANEL_COLS) {
        const sums_16 *s = sums[m / ROWS];
        vi sum = vi_load(s[0].row[m % ROWS]);
        if (t.cut)
            sum = vi_add(sum, _mm512_slli_epi32(vi_load(s[1].row[m % ROWS]), 7));
        vf scale = vf_word(e + 4 * m);
        vf acc = vf_fma(vf_mul(d, scale), vf_of_int(sum), vf_load(out));
        if (t.mins) {
            vi below = vi_set(0);
            UNROLL for (int i = 0; i < 8; i++) {
                if (i < t.min_pairs)
                    below = _mm512_dpwssd_epi32(below, vi_load(w->mins[i]),
                                                vi_word(parts + 4 * (i * h + m)));
            }
            acc = vf_fma(vf_mul(dmin, scale), vf_of_int(below), acc);
        }
        vf_store(out, acc);
    }
}

VF_INLINE void tile_256(const type_256 t, int64_t h, const tile_job *job)
{
    const size_t step = IX_ACTS_256_BYTES * (size_t)h;
    const flat_256 *w = (const flat_256 *)(const void *)job->w;
    const uint8_t *a = job->a, *ahead = job->ahead;
    sums_16 sums[2][2][2];
    for (int64_t i = 0; i < h * IX_PANEL_COLS; i += VF_LANES)
        vf_store(job->out + i, vf_set(0.0f));
    for (int64_t b = 0; b <= job->n; b++, a += step) {
        if (b < job->n) {
            prefetch(ahead, job->ahead_bytes);
            ahead += job->ahead_bytes;
            if (h == ROWS)
                dot_256(t.cut, 0, a, w + b, sums[b % 2]);
            else
                dot_256(t.cut, 1, a, w + b, sums[b % 2]);
        }
        if (b > 0)
            scale_256_rows(t, a - step, h, w + b - 1, sums[(b - 1) % 2], job->out);
    }
}

/* ---- kernels --------------------------------------------------------------------------------- */

/* The rows behind the last whole tile that the VNNI kernel multiplies. */
static int64_t few_rows(const ix_matmul_job *job)
{
    int64_t left = job->rows % TILE_ROWS;
    return left <= 4 ? left : 0;
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
        tile_256((type_256){ sizeof(ix_panel_##t), t##_word, __VA_ARGS__ }, h, job);               \
    }                                                                                              \
    static const plan plan_##t = { .block = 256,                                                   \
                                   .panels = 1,                                                    \
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
