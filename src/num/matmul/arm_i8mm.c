/* Matrix products in Advanced SIMD with SMMLA: tiles of 8 and 12 rows of the types of rule C3.
 * Fewer rows would leave half of the products unused and go to SDOT; so do float types to neon.
 *
 * SMMLA multiplies two rows of 8 bytes with two columns of 8.  Words g and g + 1 of what both flat
 * forms and packed activations hold are zipped for it, and the sums of two rows and four columns
 * stand in two registers until a block ends:
 *
 *     sum[2 i]      r0 c0 | r0 c1 | r1 c0 | r1 c1         rows 2 i and 2 i + 1
 *     sum[2 i + 1]  r0 c2 | r0 c3 | r1 c2 | r1 c3
 */
#include "num/matmul/arm_dotprod_dot.h"

#include "num/matmul/vector_super.h"
#include "num/matmul/vector_kernels.h"

/* Words g and g + 1 of four columns (q0, q1) times those of mr rows at a. */
VF_INLINE void multiply_words(const int mr, vi q0, vi q1, const uint8_t *a, int64_t h, vi *sum)
{
    int8x16_t c01 = vreinterpretq_s8_s32(vzip1q_s32(q0, q1));
    int8x16_t c23 = vreinterpretq_s8_s32(vzip2q_s32(q0, q1));
    UNROLL for (int m = 0; m < mr; m += 4)
    {
        vi x0 = vi_load(a + 4 * m), x1 = vi_load(a + 4 * (h + m));
        int8x16_t r01 = vreinterpretq_s8_s32(vzip1q_s32(x0, x1));
        int8x16_t r23 = vreinterpretq_s8_s32(vzip2q_s32(x0, x1));
        sum[m] = vmmlaq_s32(sum[m], r01, c01);
        sum[m + 1] = vmmlaq_s32(sum[m + 1], r01, c23);
        sum[m + 2] = vmmlaq_s32(sum[m + 2], r23, c01);
        sum[m + 3] = vmmlaq_s32(sum[m + 3], r23, c23);
    }
}

VF_INLINE vi low_pairs(vi a, vi b)
{
    return vreinterpretq_s32_s64(vzip1q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
}
VF_INLINE vi high_pairs(vi a, vi b)
{
    return vreinterpretq_s32_s64(vzip2q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
}

/* sum[m] becomes row m's four columns. */
VF_INLINE void to_rows(const int mr, vi *sum)
{
    UNROLL for (int m = 0; m < mr; m += 2)
    {
        vi left = sum[m], right = sum[m + 1];
        sum[m] = low_pairs(left, right);
        sum[m + 1] = high_pairs(left, right);
    }
}

/* ---- blocks of 32 ---------------------------------------------------------------------------- */

/* One vector of columns of a tile of height mr. */
VF_INLINE void multiply_32(const int mr, const bool minimum, int v, const tile_job *job)
{
    const uint8_t *w = job->w, *a = job->a, *ahead = job->ahead;
    vf acc[IX_ACTS_TILE];
    UNROLL for (int m = 0; m < mr; m++) acc[m] = vf_set(0.0f);
    for (int64_t b = 0; b < job->n; b++, w += sizeof(flat_32), a += IX_ACTS_32_BYTES * mr) {
        vi sum[IX_ACTS_TILE];
        prefetch(ahead, job->ahead_bytes);
        ahead += job->ahead_bytes;
        UNROLL for (int m = 0; m < mr; m++) sum[m] = vi_set(0);
        UNROLL for (int g = 0; g < 8; g += 2) multiply_words(
            mr, flat_32_word(w, g, v), flat_32_word(w, g + 1, v), a + 4 * g * mr, mr, sum);
        to_rows(mr, sum);
        vf d = flat_32_d(w, v);
        UNROLL for (int m = 0; m < mr; m++)
        {
            vf scale = vf_mul(d, vf_word(a + IX_ACTS_32_E * mr + 4 * m));
            acc[m] = vf_fma(scale, vf_of_int(sum[m]), acc[m]);
        }
        if (minimum) {
            vf low = flat_32_m(w, v);
            UNROLL for (int m = 0; m < mr; m++)
            {
                vf scale = vf_mul(low, vf_word(a + IX_ACTS_32_E * mr + 4 * m));
                acc[m] = vf_fma(scale, vf_word(a + IX_ACTS_32_SUM * mr + 4 * m), acc[m]);
            }
        }
    }
    UNROLL for (int m = 0; m < mr; m++)
        vf_store(job->out + m * IX_PANEL_COLS + v * VF_LANES, acc[m]);
}

VF_INLINE void tiles_32(const bool minimum, int h, const tile_job *job)
{
    for (int v = 0; v < HALVES; v++) {
        if (h == 8)
            multiply_32(8, minimum, v, job);
        else
            multiply_32(IX_ACTS_TILE, minimum, v, job);
    }
}

static void i8mm_32_tile(int h, const tile_job *job)
{
    if (h <= DIRECT_ROWS)
        flat_32_tile(h, job);
    else
        tiles_32(false, h, job);
}

static void i8mm_32_min_tile(int h, const tile_job *job)
{
    if (h <= DIRECT_ROWS)
        flat_32_min_tile(h, job);
    else
        tiles_32(true, h, job);
}

/* ---- super-blocks of 256 --------------------------------------------------------------------- */

/* The products of the words from `first` on, as many as lie under scale i, added to total. */
VF_INLINE void add_scaled(const int mr, const type_256 t, int v, const uint8_t *w, const uint8_t *a,
                          int i, vi *total)
{
    const int words = t.sub / 4;
    vi sum[IX_ACTS_TILE];
    UNROLL for (int m = 0; m < mr; m++) sum[m] = vi_set(0);
    UNROLL for (int g = 0; g < words; g += 2)
    {
        int at = words * i + g;
        multiply_words(mr, flat_256_word(w, at / 8, at % 8, v),
                       flat_256_word(w, at / 8, at % 8 + 1, v), a + 4 * at * mr, mr, sum);
    }
    vi scale = flat_256_scale(w, i, v);
    vi left = low_pairs(scale, scale), right = high_pairs(scale, scale);
    UNROLL for (int m = 0; m < mr; m += 2)
    {
        total[m] = vmlaq_s32(total[m], left, sum[m]);
        total[m + 1] = vmlaq_s32(total[m + 1], right, sum[m + 1]);
    }
}

/* One vector of columns of a tile of height mr; as in tile_256 the float sums live in `out`. */
VF_INLINE void multiply_256(const int mr, const type_256 t, int v, const tile_job *job)
{
    const uint8_t *w = job->w, *a = job->a, *ahead = job->ahead;
    float *out = job->out + v * VF_LANES;
    UNROLL for (int m = 0; m < mr; m++) vf_store(out + m * IX_PANEL_COLS, vf_set(0.0f));
    for (int64_t b = 0; b < job->n; b++, w += t.bytes, a += IX_ACTS_256_BYTES * mr) {
        vi total[IX_ACTS_TILE];
        prefetch(ahead, job->ahead_bytes);
        ahead += job->ahead_bytes;
        UNROLL for (int m = 0; m < mr; m++) total[m] = vi_set(0);
        if (t.sub == 256) {
            for (int g = 0; g < 64; g += 2)
                multiply_words(mr, flat_256_word(w, g / 8, g % 8, v),
                               flat_256_word(w, g / 8, g % 8 + 1, v), a + 4 * g * mr, mr, total);
        } else {
            for (int i = 0; i < 256 / t.sub; i++)
                add_scaled(mr, t, v, w, a, i, total);
        }
        to_rows(mr, total);
        vf d = flat_256_d(w, v);
        UNROLL for (int m = 0; m < mr; m++)
        {
            vf scale = vf_mul(d, vf_word(a + IX_ACTS_256_E * mr + 4 * m));
            float *to = out + m * IX_PANEL_COLS;
            vf_store(to, vf_fma(scale, vf_of_int(total[m]), vf_load(to)));
        }
        if (t.mins)
            add_mins(mr, t, v, w, a, mr, out);
    }
}

#define TILE_256(name, flat, sub, mins, min_pairs)                                                 \
    static void name(int h, const tile_job *job)                                                   \
    {                                                                                              \
        const type_256 t = {                                                                       \
            sizeof(flat_256), flat_256_word, sub, flat_256_scale, mins, min_pairs,                 \
            flat_256_d,       flat_256_dmin, 0                                                     \
        };                                                                                         \
        if (h <= DIRECT_ROWS) {                                                                    \
            flat(h, job);                                                                          \
            return;                                                                                \
        }                                                                                          \
        for (int v = 0; v < HALVES; v++) {                                                         \
            if (h == 8)                                                                            \
                multiply_256(8, t, v, job);                                                        \
            else                                                                                   \
                multiply_256(IX_ACTS_TILE, t, v, job);                                             \
        }                                                                                          \
    }
TILE_256(i8mm_256_tile, flat_256_tile, 256, NULL, 0)
TILE_256(i8mm_256_min_16_tile, flat_256_min_16_tile, 256, flat_256_mins, 8)
TILE_256(i8mm_32_of_256_tile, flat_32_of_256_tile, 32, NULL, 0)
TILE_256(i8mm_32_of_256_min_tile, flat_32_of_256_min_tile, 32, flat_256_mins, 4)
TILE_256(i8mm_16_of_256_tile, flat_16_of_256_tile, 16, NULL, 0)

/* ---- the rows of the table ------------------------------------------------------------------- */

#define THIS_ISA IX_ISA_I8MM
#define SYMBOL(t) ix_matmul_##t##_i8mm
#define SYMBOL_ROWS(t) ix_matmul_##t##_rows_i8mm

/* INTEGER_PLANS names the tiles of the flat forms: these take their places. */
#define flat_32_tile i8mm_32_tile
#define flat_32_min_tile i8mm_32_min_tile
#define flat_256_tile i8mm_256_tile
#define flat_256_min_16_tile i8mm_256_min_16_tile
#define flat_32_of_256_tile i8mm_32_of_256_tile
#define flat_32_of_256_min_tile i8mm_32_of_256_min_tile
#define flat_16_of_256_tile i8mm_16_of_256_tile

INTEGER_PLANS
