/* The weight types as vectors over the columns of a panel: words, scales, and the flat form of the
 * blocks of 32.
 *
 * A type is a `word` function, word g of a block as bytes q + WEIGHT_OFFSET, and one for each
 * scale.  `v` picks the vector of columns (there are HALVES across a panel).  Included behind the
 * header that names the vectors; the tiles of vector_blocks.h, vector_super.h and x86_amx.c are
 * written over this.
 */
#ifndef IX_NUM_MATMUL_VECTOR_TYPES_H
#define IX_NUM_MATMUL_VECTOR_TYPES_H

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

/* ---- blocks of 32 ---------------------------------------------------------------------------- */

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

VF_INLINE vf negated(vf x)
{
    return vf_of_bits(vi_xor(vi_of_bits(x), vi_set(INT32_MIN)));
}

/* ---- super-blocks of 256 --------------------------------------------------------------------- */

/* Word g of sub-block j of 32 as q + WEIGHT_OFFSET. */
typedef vi word_256(const void *block, int j, int g, int v);
typedef vi part_256(const void *block, int i, int v);

VF_INLINE vi load_word(const ix_panel_word *q, int v)
{
    return vi_load(*q + 4 * v * VF_LANES);
}

#define SUPER_WORD(t, expression)                                                                  \
    VF_INLINE vi t##_word(const void *block, int j, int g, int v)                                  \
    {                                                                                              \
        const ix_panel_##t *p = block;                                                             \
        return expression;                                                                         \
    }
#define PART(t, part, expression)                                                                  \
    VF_INLINE vi t##_##part(const void *block, int i, int v)                                       \
    {                                                                                              \
        const ix_panel_##t *p = block;                                                             \
        return expression;                                                                         \
    }

#define TWO_BITS(p) vi_field(load_word(&(p)->q[j / 4 * 8 + g], v), j % 4 * 2, 3)
#define FOUR_BITS(p) vi_field(load_word(&(p)->q[j / 2 * 8 + g], v), j % 2 * 4, 15)
SUPER_WORD(q2_k, offset_by(TWO_BITS(p), WEIGHT_OFFSET))
SUPER_WORD(q3_k, offset_by(vi_or(TWO_BITS(p), vi_field(load_word(&p->third[g], v), j - 2, 4)),
                           WEIGHT_OFFSET - 4))
SUPER_WORD(q4_k, offset_by(FOUR_BITS(p), WEIGHT_OFFSET))
SUPER_WORD(q5_k, offset_by(vi_or(FOUR_BITS(p), vi_field(load_word(&p->fifth[g], v), j - 4, 16)),
                           WEIGHT_OFFSET))
#define LOW_BITS(p)                                                                                \
    vi_field(load_word(&(p)->low[(j / 4 * 2 + j % 2) * 8 + g], v), j % 4 / 2 * 4, 15)
#define HIGH_BITS(p) vi_field(load_word(&(p)->high[j / 4 * 8 + g], v), j % 4 * 2 - 4, 0x30)
SUPER_WORD(q6_k, offset_by(vi_or(LOW_BITS(p), HIGH_BITS(p)), WEIGHT_OFFSET - 32))
SUPER_WORD(iq4_xs, vi_look_up(ix_values_iq4, WEIGHT_OFFSET, nibbles(p->q + 4 * j, g, v)))

PART(q2_k, scale,
     vi_and(vi_of_pairs(vi_widen_pairs(p->scales[i / 2][v * VF_LANES]), i % 2), vi_set(15)))
PART(q2_k, mins, vi_field(vi_widen_pairs(p->scales[i][v * VF_LANES]), 4, 15))
PART(q3_k, scale, vi_widen_s8(p->scales[i] + v * VF_LANES))
PART(q4_k, scale, vi_widen_u8(p->scales[i] + v * VF_LANES))
PART(q4_k, mins, vi_widen_pairs(p->mins[i][v * VF_LANES]))
PART(q5_k, scale, vi_widen_u8(p->scales[i] + v * VF_LANES))
PART(q5_k, mins, vi_widen_pairs(p->mins[i][v * VF_LANES]))
PART(q6_k, scale, vi_widen_s8(p->scales[i] + v * VF_LANES))
PART(iq4_xs, scale, vi_widen_s8(p->scales[i] + v * VF_LANES))

SCALE(q2_k, d)
SCALE(q2_k, dmin)
SCALE(q3_k, d)
SCALE(q4_k, d)
SCALE(q4_k, dmin)
SCALE(q5_k, d)
SCALE(q5_k, dmin)
SCALE(q6_k, d)
SCALE(iq4_xs, d)


#endif
