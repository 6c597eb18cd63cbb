/* Tiles of the types with blocks of 32 (rule C3): one exact integer sum and one or two fma per
 * block. */
#ifndef IX_NUM_MATMUL_VECTOR_BLOCKS_H
#define IX_NUM_MATMUL_VECTOR_BLOCKS_H

#include "num/matmul/vector_types.h"

VF_INLINE vi vi_start(const uint8_t *p)
{
    return WEIGHT_OFFSET ? vi_word(p) : vi_set(0);
}

/* Rows row .. row + mr - 1 of a tile of height h, one vector of columns. */
VF_INLINE void tile_32(const int mr, const type_32 t, int v, int row, int64_t h,
                       const tile_job *job)
{
    const uint8_t *w = job->w, *a = job->a + 4 * row, *ahead = job->ahead;
    vf acc[MAX_TILE];
    UNROLL for (int m = 0; m < mr; m++)
        acc[m] = vf_set(0.0f);
    for (int64_t b = 0; b < job->n; b++, w += t.bytes, a += IX_ACTS_32_BYTES * h) {
        vi sum[MAX_TILE];
        prefetch(ahead, job->ahead_bytes);
        ahead += job->ahead_bytes;
        UNROLL for (int m = 0; m < mr; m++)
            sum[m] = vi_start(a + IX_ACTS_32_START * h + 4 * m);
        UNROLL for (int g = 0; g < 8; g++) {
            vw q = vw_of(t.word(w, g, v));
            UNROLL for (int m = 0; m < mr; m++)
                sum[m] = vi_dot4(sum[m], q, a + 4 * (g * h + m));
        }
        vf d = t.d(w, v);
        UNROLL for (int m = 0; m < mr; m++) {
            vf scale = vf_mul(d, vf_word(a + IX_ACTS_32_E * h + 4 * m));
            acc[m] = vf_fma(scale, vf_of_int(sum[m]), acc[m]);
        }
        if (t.m) {
            vf low = t.m(w, v);
            UNROLL for (int m = 0; m < mr; m++) {
                vf scale = vf_mul(low, vf_word(a + IX_ACTS_32_E * h + 4 * m));
                acc[m] = vf_fma(scale, vf_word(a + IX_ACTS_32_SUM * h + 4 * m), acc[m]);
            }
        }
    }
    UNROLL for (int m = 0; m < mr; m++)
        vf_store(job->out + (row + m) * IX_PANEL_COLS + v * VF_LANES, acc[m]);
}

VF_INLINE void direct_32(const type_32 t, int h, const tile_job *job)
{
    for (int v = 0; v < HALVES; v++) {
        switch (h) {
        case 1: tile_32(1, t, v, 0, 1, job); break;
        case 2: tile_32(2, t, v, 0, 2, job); break;
        default: tile_32(4, t, v, 0, 4, job); break;
        }
    }
}

/* ---- the flat form
 * ------------------------------------------------------------------------------- */

VF_INLINE vi flat_32_word(const void *block, int g, int v)
{
    return vi_load(((const flat_32 *)block)->q[g] + 4 * v * VF_LANES);
}
VF_INLINE vf flat_32_d(const void *block, int v)
{
    return vf_load(((const flat_32 *)block)->d + v * VF_LANES);
}
VF_INLINE vf flat_32_m(const void *block, int v)
{
    return vf_load(((const flat_32 *)block)->m + v * VF_LANES);
}

VF_INLINE void flat_tiles_32(const type_32 t, int h, const tile_job *job)
{
    if (h <= DIRECT_ROWS) {
        direct_32(t, h, job);
        return;
    }
    for (int v = 0; v < HALVES; v++) {
#if MAX_TILE == IX_ACTS_TILE
        if (h == 8)
            tile_32(8, t, v, 0, 8, job);
        else
            tile_32(IX_ACTS_TILE, t, v, 0, IX_ACTS_TILE, job);
#else
        for (int row = 0; row < h; row += MAX_TILE)
            tile_32(MAX_TILE, t, v, row, h, job);
#endif
    }
}

static void flat_32_tile(int h, const tile_job *job)
{
    flat_tiles_32((type_32){ sizeof(flat_32), flat_32_word, flat_32_d, NULL }, h, job);
}

static void flat_32_min_tile(int h, const tile_job *job)
{
    flat_tiles_32((type_32){ sizeof(flat_32), flat_32_word, flat_32_d, flat_32_m }, h, job);
}

/* ---- the types
 * ----------------------------------------------------------------------------------- */

/* direct_<t> and prepare_<t>: what a plan needs. */
#define BLOCKS(t, minimum)                                                                         \
    static void direct_##t(int h, const tile_job *job)                                             \
    {                                                                                              \
        direct_32((type_32){ sizeof(ix_panel_##t), t##_word, t##_d, minimum }, h, job);            \
    }                                                                                              \
    static void prepare_##t(const void *w, int64_t blocks, void *to)                               \
    {                                                                                              \
        prepare_32((type_32){ sizeof(ix_panel_##t), t##_word, t##_d, minimum }, w, blocks, to);    \
    }
BLOCKS(q8_0, NULL)
BLOCKS(q4_0, NULL)
BLOCKS(q4_1, q4_1_m)
BLOCKS(q5_0, NULL)
BLOCKS(q5_1, q5_1_m)
BLOCKS(iq4_nl, NULL)
BLOCKS(mxfp4, NULL)

#endif
