/* Row kernels, written over the vectors of num/scalar/<isa>_math.h   (C4, C5, C7, C8, C11, C12)
 *
 * The file of an instruction set includes its vectors, defines ROW(function), the name of its
 * version of a row of kernels.def, and includes this body.  A row is whole vectors and one shorter
 * one at the end, whose other lanes are neither read nor written.
 */
#ifndef IX_NUM_ROWS_VECTOR_ROWS_H
#define IX_NUM_ROWS_VECTOR_ROWS_H

#include "num/rows/kernels.h"

/* Elementwise functions.  Inlined with a constant `f`, so the call disappears. */

typedef vf unary(vf);
typedef vf binary(vf, vf);

VF_INLINE void map_1(const float *x, int64_t n, float *y, unary *f)
{
    int64_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(y + i, vf_canonical(f(vf_load(x + i))));
    if (i < n)
        vf_store_n(y + i, vf_canonical(f(vf_load_n(x + i, n - i))), n - i);
}

VF_INLINE void map_2(const float *a, const float *b, int64_t n, float *y, binary *f)
{
    int64_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(y + i, vf_canonical(f(vf_load(a + i), vf_load(b + i))));
    if (i < n)
        vf_store_n(y + i, vf_canonical(f(vf_load_n(a + i, n - i), vf_load_n(b + i, n - i))), n - i);
}

void ROW(add)(const float *a, const float *b, int64_t n, float *y)
{
    map_2(a, b, n, y, vf_add);
}

void ROW(sub)(const float *a, const float *b, int64_t n, float *y)
{
    map_2(a, b, n, y, vf_sub);
}

void ROW(mul)(const float *a, const float *b, int64_t n, float *y)
{
    map_2(a, b, n, y, vf_mul);
}

void ROW(scale)(const float *a, float s, int64_t n, float *y)
{
    vf factor = vf_set(s);
    int64_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(y + i, vf_canonical(vf_mul(vf_load(a + i), factor)));
    if (i < n)
        vf_store_n(y + i, vf_canonical(vf_mul(vf_load_n(a + i, n - i), factor)), n - i);
}

void ROW(exp)(const float *x, int64_t n, float *y)
{
    map_1(x, n, y, vf_exp);
}

void ROW(tanh)(const float *x, int64_t n, float *y)
{
    map_1(x, n, y, vf_tanh);
}

void ROW(sigmoid)(const float *x, int64_t n, float *y)
{
    map_1(x, n, y, vf_sigmoid);
}

void ROW(silu)(const float *x, int64_t n, float *y)
{
    map_1(x, n, y, vf_silu);
}

void ROW(gelu_tanh)(const float *x, int64_t n, float *y)
{
    map_1(x, n, y, vf_gelu_tanh);
}

void ROW(gelu_erf)(const float *x, int64_t n, float *y)
{
    map_1(x, n, y, vf_gelu_erf);
}

VF_INLINE vf vf_swiglu(vf gate, vf up)
{
    return vf_mul(vf_silu(gate), up);
}

void ROW(swiglu)(const float *gate, const float *up, int64_t n, float *y)
{
    map_2(gate, up, n, y, vf_swiglu);
}

/* Sums along a row (C4).  `term` adds one vector of x to one vector of lanes.  At the end of a row
 * the missing lanes add a term of +0, which changes nothing: lanes start at +0 and a sum is -0 only
 * when both sides are, so no lane ever is. */

typedef vf term(vf x, vf lane, vf offset);

VF_INLINE vf term_plain(vf x, vf lane, vf offset)
{
    (void)offset;
    return vf_add(lane, x);
}

VF_INLINE vf term_square(vf x, vf lane, vf offset)
{
    (void)offset;
    return vf_fma(x, x, lane);
}

VF_INLINE vf term_square_centred(vf x, vf lane, vf offset)
{
    vf c = vf_sub(x, offset);
    return vf_fma(c, c, lane);
}

#define C4_BLOCK 1024
#define C4_VECTORS (32 / VF_LANES)

VF_INLINE float block_sum(const float *x, int64_t n, vf offset, term *f)
{
    vf lanes[C4_VECTORS];
    VF_UNROLL
    for (int j = 0; j < C4_VECTORS; j++)
        lanes[j] = vf_set(0.0f);
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        VF_UNROLL
        for (int j = 0; j < C4_VECTORS; j++)
            lanes[j] = f(vf_load(x + i + j * VF_LANES), lanes[j], offset);
    }
    VF_UNROLL
    for (int j = 0; j < C4_VECTORS; j++, i += VF_LANES) {
        if (i + VF_LANES <= n) {
            lanes[j] = f(vf_load(x + i), lanes[j], offset);
        } else if (i < n) { /* the offset of a missing lane is zero too */
            float part[VF_LANES] = { 0 };
            vf_store_n(part, offset, n - i);
            lanes[j] = f(vf_load_n(x + i, n - i), lanes[j], vf_load(part));
        }
    }
    return vf_fold_32(lanes);
}

/* T over the sums of the blocks, as they come: finished[j] is a subtree of 2^j blocks where bit j
 * of `count` is set, as in binary counting. */
VF_INLINE float row_sum(const float *x, int64_t n, float offset, term *f)
{
    float finished[64];
    uint64_t count = 0;
    vf offsets = vf_set(offset);
    for (int64_t i = 0; i < n; i += C4_BLOCK) {
        float s = block_sum(x + i, n - i < C4_BLOCK ? n - i : C4_BLOCK, offsets, f);
        int j = 0;
        for (; count >> j & 1; j++)
            s = finished[j] + s;
        finished[j] = s;
        count++;
    }
    if (count == 0)
        return 0.0f;
    int j = __builtin_ctzll(count);
    float total = finished[j];
    for (j++; j < 64 && count >> j != 0; j++)
        if (count >> j & 1)
            total = finished[j] + total;
    return ix_stored(total);
}

float ROW(sum)(const float *x, int64_t n)
{
    return row_sum(x, n, 0.0f, term_plain);
}

float ROW(sum_squares)(const float *x, int64_t n)
{
    return row_sum(x, n, 0.0f, term_square);
}

/* Norms (C7) */

void ROW(rms_norm)(const float *x, const float *w, float eps, int64_t n, float *y)
{
    if (n <= 0)
        return;
    float r = 1.0f / float_sqrt(row_sum(x, n, 0.0f, term_square) / (float)n + eps);
    vf factor = vf_set(r);
    for (int64_t i = 0; i < n; i += VF_LANES) {
        vf v = vf_mul(vf_load_part(x + i, n - i), factor);
        if (w)
            v = vf_mul(v, vf_load_part(w + i, n - i));
        vf_store_part(y + i, vf_canonical(v), n - i);
    }
}

void ROW(layer_norm)(const float *x, const float *w, const float *b, float eps, int64_t n, float *y)
{
    if (n <= 0)
        return;
    float mean = row_sum(x, n, 0.0f, term_plain) / (float)n;
    float r = 1.0f / float_sqrt(row_sum(x, n, mean, term_square_centred) / (float)n + eps);
    vf offset = vf_set(mean), factor = vf_set(r);
    for (int64_t i = 0; i < n; i += VF_LANES) {
        vf v = vf_mul(vf_sub(vf_load_part(x + i, n - i), offset), factor);
        if (w && b)
            v = vf_fma(v, vf_load_part(w + i, n - i), vf_load_part(b + i, n - i));
        else if (w)
            v = vf_mul(v, vf_load_part(w + i, n - i));
        else if (b)
            v = vf_add(v, vf_load_part(b + i, n - i));
        vf_store_part(y + i, vf_canonical(v), n - i);
    }
}

/* Rotary positions (C8) */

/* Pairs (i, i + half). */
VF_INLINE void rotate_halves(const float *x, const float *c, const float *s, int64_t half, float *y)
{
    for (int64_t i = 0; i < half; i += VF_LANES) {
        int64_t n = half - i;
        vf x0 = vf_load_part(x + i, n), x1 = vf_load_part(x + half + i, n);
        vf cos_i = vf_load_part(c + i, n), sin_i = vf_load_part(s + i, n);
        vf y0 = vf_fma(x0, cos_i, vf_negative(vf_mul(x1, sin_i)));
        vf y1 = vf_fma(x0, sin_i, vf_mul(x1, cos_i));
        vf_store_part(y + i, vf_canonical(y0), n);
        vf_store_part(y + half + i, vf_canonical(y1), n);
    }
}

/* Pairs (2 i, 2 i + 1): half a vector of pairs at a time.  Even lanes hold x0 and become y0. */
VF_INLINE void rotate_pairs(const float *x, const float *c, const float *s, int64_t half, float *y)
{
    const int64_t pairs = VF_LANES / 2;
    vf sign = vf_of_bits(vi_set(INT32_MIN)), none = vf_set(0.0f);
    vf even_sign = vf_even_odd(sign, none);
    for (int64_t i = 0; i < half; i += pairs) {
        int64_t n = half - i;
        vf v = vf_load_part(x + 2 * i, 2 * n), swapped = vf_swap_pairs(v);
        vf cos_i = vf_double_low(vf_load_part(c + i, n < pairs ? n : pairs));
        vf sin_i = vf_double_low(vf_load_part(s + i, n < pairs ? n : pairs));
        vf x0 = vf_even_odd(v, swapped), x1 = vf_even_odd(swapped, v);
        vf product = vf_mul(x1, vf_even_odd(sin_i, cos_i));
        product = vf_of_bits(vi_xor(vi_of_bits(product), vi_of_bits(even_sign)));
        vf r = vf_fma(x0, vf_even_odd(cos_i, sin_i), product);
        vf_store_part(y + 2 * i, vf_canonical(r), 2 * n);
    }
}

void ROW(rope)(const float *x, const float *cos_table, const float *sin_table, int64_t half,
               int interleaved, int64_t heads, int64_t head_dim, float *y)
{
    for (int64_t h = 0; h < heads; h++, x += head_dim, y += head_dim) {
        if (interleaved)
            rotate_pairs(x, cos_table, sin_table, half, y);
        else
            rotate_halves(x, cos_table, sin_table, half, y);
        for (int64_t i = 2 * half; i < head_dim; i += VF_LANES)
            vf_store_part(y + i, vf_canonical(vf_load_part(x + i, head_dim - i)), head_dim - i);
    }
}

/* Conversions (C12) */

void ROW(to_f16)(const float *x, int64_t n, uint16_t *y)
{
    int64_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store_f16(y + i, vf_canonical(vf_load(x + i)));
    if (i < n)
        vf_store_f16_n(y + i, vf_canonical(vf_load_n(x + i, n - i)), n - i);
}

void ROW(from_f16)(const uint16_t *x, int64_t n, float *y)
{
    int64_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(y + i, vf_canonical(vf_load_f16(x + i)));
    if (i < n)
        vf_store_n(y + i, vf_canonical(vf_load_f16_n(x + i, n - i)), n - i);
}

VF_INLINE vi bf16_bits(vf x)
{
    vi bits = vi_of_bits(vf_canonical(x));
    vi odd = vi_and(vi_shift_right(bits, 16), vi_set(1));
    return vi_shift_right(vi_add(bits, vi_add(odd, vi_set(0x7fff))), 16);
}

void ROW(to_bf16)(const float *x, int64_t n, uint16_t *y)
{
    int64_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vi_store_u16(y + i, bf16_bits(vf_load(x + i)));
    if (i < n)
        vi_store_u16_n(y + i, bf16_bits(vf_load_n(x + i, n - i)), n - i);
}

void ROW(from_bf16)(const uint16_t *x, int64_t n, float *y)
{
    int64_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(y + i, vf_canonical(vf_of_bits(vi_shift_left(vi_load_u16(x + i), 16))));
    if (i < n)
        vf_store_n(y + i, vf_canonical(vf_of_bits(vi_shift_left(vi_load_u16_n(x + i, n - i), 16))),
                   n - i);
}

#endif
