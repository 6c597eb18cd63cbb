/* The fused multiply-add that SIMD128 has not, exactly, and the elementary functions.
 *
 * In binary64 the product of two binary32 numbers is exact: it has at most 48 bits, and its
 * exponent is far inside the range.  Its sum with c rounds to 53 bits, and narrowing that to
 * binary32 rounds a second time.  Both roundings together are one, unless the sum lands on a tie of
 * the second: every tie is a binary64 number, so a sum that is not on one lies on the same side of
 * it as before it was rounded.  Ties are found by their bits and done again:
 *
 *     normal results      the last 29 bits of the sum are 1000...0
 *     subnormal results   any (their ties have fewer bits), up to 2^-126, which they may round to
 *     zero                none: where the sum is at most 2^-150 it is exact.  If c is not 0, it is
 *                         at least 2^-149, so the product is at least 2^-150 and, like the sum, a
 *                         multiple of 2^-197
 *
 * Again means rounded to odd: an inexact sum becomes, of its two neighbours, the one whose last bit
 * is 1, and so is no tie that it was not before (S. Boldo, G. Melquiond: Emulation of a FMA and
 * correctly rounded sums, 2008).
 */
#ifndef IX_NUM_SCALAR_WASM_SIMD128_MATH_H
#define IX_NUM_SCALAR_WASM_SIMD128_MATH_H

#include "num/scalar/wasm_vectors.h"

/* p + c rounded to odd; s is p + c rounded to nearest. */
VF_INLINE v128_t sum_to_odd(v128_t p, v128_t c, v128_t s)
{
    /* What s lacks (Knuth's TwoSum, exact where nothing overflows).  NaN where s is not finite, and
     * then neither of the comparisons holds. */
    v128_t c_part = wasm_f64x2_sub(s, p);
    v128_t p_part = wasm_f64x2_sub(s, c_part);
    v128_t rest = wasm_f64x2_add(wasm_f64x2_sub(p, p_part), wasm_f64x2_sub(c, c_part));
    /* A product that is neither 0 nor subnormal unless the rest is 0: the sum is below 2^257, and
     * a multiple of 2^-298. */
    v128_t side = wasm_f64x2_mul(rest, s), zero = wasm_f64x2_const_splat(0.0);
    v128_t too_far = wasm_f64x2_lt(side, zero), too_near = wasm_f64x2_gt(side, zero);
    /* Towards zero, then the last bit: a truth is -1 as an integer. */
    v128_t odd = wasm_u64x2_shr(wasm_v128_or(too_far, too_near), 63);
    return wasm_v128_or(wasm_i64x2_add(s, too_far), odd);
}

VF_INLINE v128_t widened_high(vf a)
{
    return wasm_f64x2_promote_low_f32x4(wasm_i32x4_shuffle(a, a, 2, 3, 2, 3));
}

VF_INLINE vf narrowed(v128_t low, v128_t high)
{
    return wasm_i32x4_shuffle(wasm_f32x4_demote_f64x2_zero(low), wasm_f32x4_demote_f64x2_zero(high),
                              0, 1, 4, 5);
}

VF_INLINE vf vf_fma(vf a, vf b, vf c)
{
    v128_t c0 = wasm_f64x2_promote_low_f32x4(c), c1 = widened_high(c);
    v128_t p0 = wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(a), wasm_f64x2_promote_low_f32x4(b));
    v128_t p1 = wasm_f64x2_mul(widened_high(a), widened_high(b));
    v128_t s0 = wasm_f64x2_add(p0, c0), s1 = wasm_f64x2_add(p1, c1);
    vf y = narrowed(s0, s1);

    v128_t last_29 = wasm_i32x4_shl(wasm_i32x4_shuffle(s0, s1, 0, 2, 4, 6), 3);
    v128_t tie = wasm_i32x4_eq(last_29, wasm_i32x4_const_splat(INT32_MIN));
    v128_t magnitude = wasm_v128_and(y, wasm_i32x4_const_splat(INT32_MAX));
    v128_t below = wasm_u32x4_shr(wasm_i32x4_sub(magnitude, wasm_i32x4_const_splat(1)), 23);
    v128_t small = wasm_i32x4_eq(below, wasm_i32x4_const_splat(0)); /* 1 to 0x800000 */
    if (__builtin_expect(wasm_v128_any_true(wasm_v128_or(tie, small)), 0))
        y = narrowed(sum_to_odd(p0, c0, s0), sum_to_odd(p1, c1, s1));
    return y;
}

VF_INLINE float float_fma(float a, float b, float c)
{
    return wasm_f32x4_extract_lane(vf_fma(vf_set(a), vf_set(b), vf_set(c)), 0);
}

#include "num/scalar/vector_math.h"

#endif
