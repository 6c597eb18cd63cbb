/* Tiles of the types with blocks of 32 (rule C3): one exact integer sum and one or two fma per
 * block.
 *
 * A type is a `word` function, word g of a block as bytes q + WEIGHT_OFFSET, and one for each
 * scale.  `v` picks the vector of columns, of which HALVES lie across a panel.
 */
#ifndef IX_NUM_MATMUL_VECTOR_BLOCKS_H
#define IX_NUM_MATMUL_VECTOR_BLOCKS_H

#include "num/dequant/layout.h"
#include "num/matmul/vector_product.h"

/* A block of any of the types in the form that is fastest for many rows. */
typedef struct flat_32 {
    ix_panel_word q[8]; /* q + WEIGHT_OFFSET */
    float d[IX_PANEL_COLS], m[IX_PANEL_COLS];
} flat_32;
_Static_assert(sizeof(flat_32) * (IX_SEGMENT / 32) <= PREPARED_BYTES, "a segment fits");

typedef vi word_32(const void *block, int g, int v);
typedef vf scale_32(const void *block, int v);

typedef struct type_32 {
    size_t bytes; /* of a block */
    word_32 *word;
    scale_32 *d, *m; /* m: NULL where there is none */
} type_32;

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

VF_INLINE void prepare_32(const type_32 t, const uint8_t *w, int64_t blocks, flat_32 *to)
{
    for (int64_t b = 0; b < blocks; b++, w += t.bytes, to++) {
        for (int v = 0; v < HALVES; v++) {
            UNROLL for (int g = 0; g < 8; g++)
                vi_store(to->q[g] + 4 * v * VF_LANES, t.word(w, g, v));
            vf_store(to->d + v * VF_LANES, t.d(w, v));
            if (t.m)
                vf_store(to->m + v * VF_LANES, t.m(w, v));
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

/* Word g of nibbles: 0..3 low, 4..7 high. */
VF_INLINE vi nibbles(const ix_panel_word *q, int g, int v)
{
    return vi_field(vi_load(q[g % 4] + 4 * v * VF_LANES), g / 4 * 4, 15);
}
VF_INLINE vi fives(const ix_panel_word *q, const uint8_t *fifth, int g, int v)
{
    return vi_or(nibbles(q, g, v), vi_field(vi_load(fifth + 4 * v * VF_LANES), g - 4, 16));
}
VF_INLINE vi offset_by(vi q, int offset)
{
    return offset ? vi_add_bytes(q, vi_bytes(offset)) : q;
}

#define WORD(t, expression)                                                                        \
    VF_INLINE vi t##_word(const void *block, int g, int v)                                         \
    {                                                                                              \
        const ix_panel_##t *p = block;                                                             \
        return expression;                                                                         \
    }
#define SCALE(t, field)                                                                            \
    VF_INLINE vf t##_##field(const void *block, int v)                                             \
    {                                                                                              \
        const ix_panel_##t *p = block;                                                             \
        return vf_load_f16(p->field + v * VF_LANES);                                               \
    }
SCALE(q8_0, d)
SCALE(q4_0, d)
SCALE(q4_1, d)
SCALE(q4_1, m)
SCALE(q5_0, d)
SCALE(q5_1, d)
SCALE(q5_1, m)
WORD(q4_0, offset_by(nibbles(p->q, g, v), WEIGHT_OFFSET - 8))
WORD(q4_1, offset_by(nibbles(p->q, g, v), WEIGHT_OFFSET))
WORD(q5_0, offset_by(fives(p->q, p->fifth, g, v), WEIGHT_OFFSET - 16))
WORD(q5_1, offset_by(fives(p->q, p->fifth, g, v), WEIGHT_OFFSET))
WORD(q8_0, offset_by(vi_load(p->q[g] + 4 * v * VF_LANES), WEIGHT_OFFSET - 128))
WORD(mxfp4, vi_look_up(ix_values_e2m1, WEIGHT_OFFSET, nibbles(p->q, g, v)))

typedef ix_panel_q4_0 ix_panel_iq4_nl;
SCALE(iq4_nl, d)
WORD(iq4_nl, vi_look_up(ix_values_iq4, WEIGHT_OFFSET, nibbles(p->q, g, v)))

/* 2^(E - 128), half of the E8M0 scale because the table is doubled; E = 0 and 1 give subnormal
 * numbers. */
VF_INLINE vf mxfp4_d(const void *block, int v)
{
    vi e = vi_widen_u8(((const ix_panel_mxfp4 *)block)->e + v * VF_LANES);
    vf normal = vf_of_bits(vi_shift_left(vi_add(e, vi_set(-1)), 23));
    vf subnormal = vf_of_bits(vi_shift_left(vi_add(e, vi_set(1)), 21));
    return vf_select(vf_less(vf_of_int(e), vf_set(2.0f)), subnormal, normal);
}

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
