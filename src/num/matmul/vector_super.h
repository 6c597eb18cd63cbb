/* Tiles of the super-blocks of 256 (rule C3): integer sums over sub-blocks, one or two fma per
 * super-block.
 *
 * In panels, sums of 16 or 32 products are multiplied by their scales and added, in 32 bits.  For
 * many rows Q2_K and Q3_K take a shorter way: |scale * q| is at most 128, so that `prepare`
 * multiplies once and one sum runs over the whole super-block.  Q3_K's products go to +128, so they
 * are negated, and so is d: the bits are the same.
 */
#ifndef IX_NUM_MATMUL_VECTOR_SUPER_H
#define IX_NUM_MATMUL_VECTOR_SUPER_H

#include "num/matmul/vector_blocks.h"

typedef struct flat_256 {
    ix_panel_word q[64]; /* q + WEIGHT_OFFSET */
    float d[IX_PANEL_COLS], dmin[IX_PANEL_COLS];
    int32_t scales[16][IX_PANEL_COLS];
    int16_t mins[8][IX_PANEL_COLS][2];
} flat_256;
_Static_assert(sizeof(flat_256) * (IX_SEGMENT / 256) <= PREPARED_BYTES, "a segment fits");

typedef struct type_256 {
    size_t bytes;
    word_256 *word;
    int sub;          /* elements under one scale: 16, 32, or 256: no scales */
    part_256 *scale;  /* the i-th, 32 bits per column */
    part_256 *mins;   /* two neighbours, 16 bits each; NULL where there are none */
    int min_pairs;    /* 8 or 4 */
    scale_32 *d, *dmin;
    int fold;         /* 1: prepare multiplies by the scales, -1: by their negatives */
} type_256;

/* The products of sub-block j with its scales, added to total. */
VF_INLINE void add_sub_block(const int mr, const type_256 t, int v, const uint8_t *w,
                             const uint8_t *a, int64_t h, int j, vi *total)
{
    const int words = t.sub == 16 ? 4 : 8;
    vi sum[MAX_TILE];
    UNROLL for (int g = 0; g < 8; g++) {
        if (t.sub != 256 && g % words == 0) {
            int64_t start = t.sub == 16 ? IX_ACTS_256_START_16 + 4 * (2 * j + g / 4)
                                        : IX_ACTS_256_START_32 + 4 * j;
            UNROLL for (int m = 0; m < mr; m++)
                sum[m] = vi_start(a + start * h + 4 * m);
        }
        vw q = vw_of(t.word(w, j, g, v));
        UNROLL for (int m = 0; m < mr; m++) {
            const uint8_t *x = a + 4 * ((8 * j + g) * h + m);
            if (t.sub == 256)
                total[m] = vi_dot4(total[m], q, x);
            else
                sum[m] = vi_dot4(sum[m], q, x);
        }
        if (t.sub != 256 && g % words == words - 1) {
            vi scale = t.scale(w, t.sub == 16 ? 2 * j + g / 4 : j, v);
            UNROLL for (int m = 0; m < mr; m++)
                total[m] = vi_add(total[m], vi_mul(scale, sum[m]));
        }
    }
}

/* out = fma(-mul(dmin, e), (float)B, out), B = sum of min * sum of activations. */
VF_INLINE void add_mins(const int mr, const type_256 t, int v, const uint8_t *w, const uint8_t *a,
                        int64_t h, float *out)
{
    const int64_t sums = t.min_pairs == 8 ? IX_ACTS_256_SUM_16 : IX_ACTS_256_SUM_32;
    vi b[MAX_TILE];
    UNROLL for (int m = 0; m < mr; m++)
        b[m] = vi_set(0);
    UNROLL for (int i = 0; i < 8; i++) {
        if (i >= t.min_pairs)
            break;
        vi pair = t.mins(w, i, v);
        UNROLL for (int m = 0; m < mr; m++)
            b[m] = vi_dot2(b[m], pair, a + (sums + 4 * i) * h + 4 * m);
    }
    vf dmin = negated(t.dmin(w, v));
    UNROLL for (int m = 0; m < mr; m++) {
        vf scale = vf_mul(dmin, vf_word(a + IX_ACTS_256_E * h + 4 * m));
        float *to = out + m * IX_PANEL_COLS;
        vf_store(to, vf_fma(scale, vf_of_int(b[m]), vf_load(to)));
    }
}

/* Rows row .. row + mr - 1 of a tile of height h, one vector of columns.  The float sums live in
 * `out`: they are touched once in 256 indices, and the registers are needed for integers. */
VF_INLINE void tile_256(const int mr, const type_256 t, const int unroll, int v, int row, int64_t h,
                        const tile_job *job)
{
    const uint8_t *w = job->w, *a = job->a + 4 * row, *ahead = job->ahead;
    const size_t ahead_part = job->ahead_bytes / 8;
    float *out = job->out + row * IX_PANEL_COLS + v * VF_LANES;
    UNROLL for (int m = 0; m < mr; m++)
        vf_store(out + m * IX_PANEL_COLS, vf_set(0.0f));
    for (int64_t b = 0; b < job->n; b++, w += t.bytes, a += IX_ACTS_256_BYTES * h) {
        vi total[MAX_TILE];
        UNROLL for (int m = 0; m < mr; m++)
            total[m] = t.sub == 256 ? vi_start(a + IX_ACTS_256_START_256 * h + 4 * m) : vi_set(0);
        if (unroll) {
            UNROLL for (int j = 0; j < 8; j++, ahead += ahead_part) {
                prefetch(ahead, ahead_part);
                add_sub_block(mr, t, v, w, a, h, j, total);
            }
        } else {
            for (int j = 0; j < 8; j++, ahead += ahead_part) {
                prefetch(ahead, ahead_part);
                add_sub_block(mr, t, v, w, a, h, j, total);
            }
        }
        vf d = t.d(w, v);
        UNROLL for (int m = 0; m < mr; m++) {
            vf scale = vf_mul(d, vf_word(a + IX_ACTS_256_E * h + 4 * m));
            float *to = out + m * IX_PANEL_COLS;
            vf_store(to, vf_fma(scale, vf_of_int(total[m]), vf_load(to)));
        }
        if (t.mins)
            add_mins(mr, t, v, w, a, h, out);
    }
}

VF_INLINE void direct_256(const type_256 t, const int unroll, int h, const tile_job *job)
{
    for (int v = 0; v < HALVES; v++) {
        switch (h) {
        case 1: tile_256(1, t, unroll, v, 0, 1, job); break;
        case 2: tile_256(2, t, unroll, v, 0, 2, job); break;
        default: tile_256(4, t, unroll, v, 0, 4, job); break;
        }
    }
}

/* fold * scale, modulo 256, in each byte of a word. */
VF_INLINE vi scale_bytes(const type_256 t, const void *w, int i, int v)
{
    vi scale = t.scale(w, i, v);
    if (t.fold < 0)
        scale = vi_sub(vi_set(0), scale);
    return vi_mul(vi_and(scale, vi_set(0xff)), vi_set(0x01010101));
}

VF_INLINE void prepare_words(const type_256 t, int v, const void *w, flat_256 *to)
{
    UNROLL for (int j = 0; j < 8; j++) {
        UNROLL for (int g = 0; g < 8; g++) {
            vi q = t.word(w, j, g, v);
            if (t.fold != 0) {
                q = vi_mul_bytes(offset_by(q, -WEIGHT_OFFSET), scale_bytes(t, w, 2 * j + g / 4, v));
                q = offset_by(q, WEIGHT_OFFSET);
            }
            vi_store(to->q[8 * j + g] + 4 * v * VF_LANES, q);
        }
    }
}

VF_INLINE void prepare_256(const type_256 t, const uint8_t *w, int64_t blocks, flat_256 *to)
{
    for (int64_t b = 0; b < blocks; b++, w += t.bytes, to++) {
        for (int v = 0; v < HALVES; v++) {
            const int at = v * VF_LANES;
            prepare_words(t, v, w, to);
            if (t.fold == 0) {
                UNROLL for (int i = 0; i < 16; i++) {
                    if (i * t.sub < 256)
                        vi_store(to->scales[i] + at, t.scale(w, i, v));
                }
            }
            vf d = t.d(w, v);
            vf_store(to->d + at, t.fold < 0 ? negated(d) : d);
            if (t.mins) {
                UNROLL for (int i = 0; i < 8; i++) {
                    if (i < t.min_pairs)
                        vi_store(to->mins[i] + at, t.mins(w, i, v));
                }
                vf_store(to->dmin + at, t.dmin(w, v));
            }
        }
    }
}

/* ---- the flat form
 * ------------------------------------------------------------------------------- */

VF_INLINE vi flat_256_word(const void *block, int j, int g, int v)
{
    return vi_load(((const flat_256 *)block)->q[8 * j + g] + 4 * v * VF_LANES);
}
VF_INLINE vi flat_256_scale(const void *block, int i, int v)
{
    return vi_load(((const flat_256 *)block)->scales[i] + v * VF_LANES);
}
VF_INLINE vi flat_256_mins(const void *block, int i, int v)
{
    return vi_load(((const flat_256 *)block)->mins[i] + v * VF_LANES);
}
VF_INLINE vf flat_256_d(const void *block, int v)
{
    return vf_load(((const flat_256 *)block)->d + v * VF_LANES);
}
VF_INLINE vf flat_256_dmin(const void *block, int v)
{
    return vf_load(((const flat_256 *)block)->dmin + v * VF_LANES);
}

VF_INLINE void flat_tiles_256(const type_256 t, int h, const tile_job *job)
{
    if (h <= DIRECT_ROWS) {
        direct_256(t, 0, h, job);
        return;
    }
    for (int v = 0; v < HALVES; v++) {
#if MAX_TILE == IX_ACTS_TILE
        if (h == 8)
            tile_256(8, t, 0, v, 0, 8, job);
        else
            tile_256(IX_ACTS_TILE, t, 0, v, 0, IX_ACTS_TILE, job);
#else
        for (int row = 0; row < h; row += MAX_TILE)
            tile_256(MAX_TILE, t, 0, v, row, h, job);
#endif
    }
}

#define FLAT(name, sub, mins, min_pairs)                                                           \
    static void name(int h, const tile_job *job)                                                   \
    {                                                                                              \
        flat_tiles_256((type_256){ sizeof(flat_256), flat_256_word, sub, flat_256_scale, mins,     \
                                   min_pairs, flat_256_d, flat_256_dmin, 0 },                      \
                       h, job);                                                                    \
    }
FLAT(flat_256_tile, 256, NULL, 0)               /* Q3_K */
FLAT(flat_256_min_16_tile, 256, flat_256_mins, 8) /* Q2_K */
FLAT(flat_32_of_256_tile, 32, NULL, 0)          /* IQ4_XS */
FLAT(flat_32_of_256_min_tile, 32, flat_256_mins, 4) /* Q4_K Q5_K */
FLAT(flat_16_of_256_tile, 16, NULL, 0)          /* Q6_K */

/* ---- the types
 * ----------------------------------------------------------------------------------- */

#define SUPER(t, sub, mins, min_pairs, dmin, fold)                                                 \
    static void direct_##t(int h, const tile_job *job)                                             \
    {                                                                                              \
        direct_256((type_256){ sizeof(ix_panel_##t), t##_word, sub, t##_scale, mins, min_pairs,    \
                               t##_d, dmin, fold },                                                \
                   1, h, job);                                                                     \
    }                                                                                              \
    static void prepare_##t(const void *w, int64_t blocks, void *to)                               \
    {                                                                                              \
        prepare_256((type_256){ sizeof(ix_panel_##t), t##_word, sub, t##_scale, mins, min_pairs,   \
                                t##_d, dmin, fold },                                               \
                    w, blocks, to);                                                                \
    }
SUPER(q2_k, 16, q2_k_mins, 8, q2_k_dmin, 1)
SUPER(q3_k, 16, NULL, 0, NULL, -1)
SUPER(q4_k, 32, q4_k_mins, 4, q4_k_dmin, 0)
SUPER(q5_k, 32, q5_k_mins, 4, q5_k_dmin, 0)
SUPER(q6_k, 16, NULL, 0, NULL, 0)
SUPER(iq4_xs, 32, NULL, 0, NULL, 0)

#endif
