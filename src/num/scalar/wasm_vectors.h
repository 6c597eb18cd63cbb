/* Vectors of 4 binary32 lanes in WebAssembly SIMD128: everything but the fused multiply-add.
 *
 * The same names as x86_avx512_math.h, which says what they promise; wasm_simd128_math.h and
 * wasm_relaxed_math.h add vf_fma, which SIMD128 has not.  Arithmetic there is IEEE 754 to nearest
 * even with subnormals, always; only a NaN's bits are the engine's choice, and those are never
 * stored (C11).  float16 is widened and narrowed by integers.
 */
#ifndef IX_NUM_SCALAR_WASM_VECTORS_H
#define IX_NUM_SCALAR_WASM_VECTORS_H

#include "num/scalar/scalar.h"

#include <wasm_simd128.h>

#define VF_LANES 4
#define VF_INLINE static inline __attribute__((always_inline, unused))

typedef v128_t vf; /* 4 floats */
typedef v128_t vi; /* 4 int32 */
typedef v128_t vm; /* 4 truths: a lane is all ones or all zeros */

/* Memory.  `n` in 0..3 lanes: the others are not touched, and read as zero. */
VF_INLINE vf vf_load(const float *p)
{
    return wasm_v128_load(p);
}
VF_INLINE vf vf_load_n(const float *p, int64_t n)
{
    switch (n) {
    case 1: return wasm_v128_load32_zero(p);
    case 2: return wasm_v128_load64_zero(p);
    case 3: return wasm_v128_load32_lane(p + 2, wasm_v128_load64_zero(p), 2);
    default: return wasm_i32x4_const_splat(0);
    }
}
VF_INLINE void vf_store(float *p, vf v)
{
    wasm_v128_store(p, v);
}
VF_INLINE void vf_store_n(float *p, vf v, int64_t n)
{
    if (n >= 2)
        wasm_v128_store64_lane(p, v, 0);
    if (n == 1)
        wasm_v128_store32_lane(p, v, 0);
    else if (n == 3)
        wasm_v128_store32_lane(p + 2, v, 2);
}
/* 16-bit items, widened to 32 bits; stores take the low halves. */
VF_INLINE vi vi_load_u16(const uint16_t *p)
{
    return wasm_u32x4_load16x4(p);
}
VF_INLINE vi vi_load_u16_n(const uint16_t *p, int64_t n)
{
    uint16_t part[4] = { 0 };
    for (int64_t i = 0; i < n; i++)
        part[i] = p[i];
    return wasm_u32x4_load16x4(part);
}
VF_INLINE vi vi_low_halves(vi v)
{
    v = wasm_v128_and(v, wasm_i32x4_const_splat(0xffff));
    return wasm_u16x8_narrow_i32x4(v, v);
}
VF_INLINE void vi_store_u16(uint16_t *p, vi v)
{
    wasm_v128_store64_lane(p, vi_low_halves(v), 0);
}
VF_INLINE void vi_store_u16_n(uint16_t *p, vi v, int64_t n)
{
    uint16_t part[4];
    vi_store_u16(part, v);
    for (int64_t i = 0; i < n; i++)
        p[i] = part[i];
}

/* float16 in the low halves of 32-bit lanes.  Widening is exact: the exponent is moved by 112, an
 * infinity's or NaN's once more, and a subnormal number is what is left of 2^-14 + x. */
VF_INLINE vf vf_of_f16(vi h)
{
    vi sign = wasm_i32x4_shl(wasm_v128_and(h, wasm_i32x4_const_splat(0x8000)), 16);
    vi m = wasm_i32x4_shl(wasm_v128_and(h, wasm_i32x4_const_splat(0x7fff)), 13);
    vi normal = wasm_i32x4_add(m, wasm_i32x4_const_splat(112 << 23));
    vi high = wasm_i32x4_gt(m, wasm_i32x4_const_splat(0x0f7fffff));
    normal = wasm_i32x4_add(normal, wasm_v128_and(high, wasm_i32x4_const_splat(112 << 23)));
    vf small = wasm_f32x4_sub(wasm_i32x4_add(m, wasm_i32x4_const_splat(113 << 23)),
                              wasm_f32x4_const_splat(0x1p-14f));
    vm is_small = wasm_i32x4_lt(m, wasm_i32x4_const_splat(0x00800000));
    return wasm_v128_or(wasm_v128_bitselect(small, normal, is_small), sign);
}
/* To nearest even (C12).  Where float16 is subnormal, adding 1/2 brings its last place to the last
 * place of binary32, and the addition rounds. */
VF_INLINE vi f16_of_vf(vf x)
{
    vi sign = wasm_v128_and(wasm_u32x4_shr(x, 16), wasm_i32x4_const_splat(0x8000));
    vi m = wasm_v128_and(x, wasm_i32x4_const_splat(0x7fffffff));
    vi half = wasm_i32x4_const_splat(0x3f000000);
    vi small = wasm_i32x4_sub(wasm_f32x4_add(m, half), half);
    vi odd = wasm_v128_and(wasm_u32x4_shr(m, 13), wasm_i32x4_const_splat(1));
    vi normal = wasm_i32x4_add(wasm_i32x4_add(m, wasm_i32x4_const_splat(0xfff)), odd);
    normal = wasm_i32x4_sub(wasm_u32x4_shr(normal, 13), wasm_i32x4_const_splat(112 << 10));
    vi y = wasm_v128_bitselect(small, normal, wasm_i32x4_lt(m, wasm_i32x4_const_splat(0x38800000)));
    y = wasm_v128_bitselect(wasm_i32x4_const_splat(0x7c00), y,
                            wasm_i32x4_gt(m, wasm_i32x4_const_splat(0x477fefff)));
    y = wasm_v128_bitselect(wasm_i32x4_const_splat(IX_F16_NAN_BITS), y,
                            wasm_i32x4_gt(m, wasm_i32x4_const_splat(0x7f800000)));
    return wasm_v128_or(y, sign);
}
VF_INLINE vf vf_load_f16(const uint16_t *p)
{
    return vf_of_f16(vi_load_u16(p));
}
VF_INLINE vf vf_load_f16_n(const uint16_t *p, int64_t n)
{
    return vf_of_f16(vi_load_u16_n(p, n));
}
VF_INLINE void vf_store_f16(uint16_t *p, vf v)
{
    vi_store_u16(p, f16_of_vf(v));
}
VF_INLINE void vf_store_f16_n(uint16_t *p, vf v, int64_t n)
{
    vi_store_u16_n(p, f16_of_vf(v), n);
}

/* Arithmetic */
VF_INLINE vf vf_set(float x)
{
    return wasm_f32x4_splat(x);
}
VF_INLINE vf vf_add(vf a, vf b)
{
    return wasm_f32x4_add(a, b);
}
VF_INLINE vf vf_sub(vf a, vf b)
{
    return wasm_f32x4_sub(a, b);
}
VF_INLINE vf vf_mul(vf a, vf b)
{
    return wasm_f32x4_mul(a, b);
}
VF_INLINE vf vf_div(vf a, vf b)
{
    return wasm_f32x4_div(a, b);
}
VF_INLINE float float_sqrt(float x)
{
    return wasm_f32x4_extract_lane(wasm_f32x4_sqrt(vf_set(x)), 0);
}
/* To an integer, halves to even; infinities stay. */
VF_INLINE vf vf_rhe(vf a)
{
    return wasm_f32x4_nearest(a);
}
/* Of two numbers; the sign of a zero is not defined. */
VF_INLINE vf vf_max(vf a, vf b)
{
    return wasm_f32x4_pmax(a, b);
}

/* Bits */
VF_INLINE vi vi_set(int32_t x)
{
    return wasm_i32x4_splat(x);
}
VF_INLINE vi vi_of_bits(vf a)
{
    return a;
}
VF_INLINE vf vf_of_bits(vi a)
{
    return a;
}
VF_INLINE vi vi_add(vi a, vi b)
{
    return wasm_i32x4_add(a, b);
}
VF_INLINE vi vi_sub(vi a, vi b)
{
    return wasm_i32x4_sub(a, b);
}
VF_INLINE vi vi_and(vi a, vi b)
{
    return wasm_v128_and(a, b);
}
VF_INLINE vi vi_or(vi a, vi b)
{
    return wasm_v128_or(a, b);
}
VF_INLINE vi vi_xor(vi a, vi b)
{
    return wasm_v128_xor(a, b);
}
#define vi_shift_left(a, bits) wasm_i32x4_shl((a), (bits))
#define vi_shift_right(a, bits) wasm_u32x4_shr((a), (bits)) /* zeros come in */
/* The integer that `a` is.  A NaN gives 0. */
VF_INLINE vi vi_of_float(vf a)
{
    return wasm_i32x4_trunc_sat_f32x4(a);
}
VF_INLINE vf vf_of_int(vi a)
{
    return wasm_f32x4_convert_i32x4(a);
}

/* Truths.  Comparisons with a NaN are false. */
VF_INLINE vm vf_less(vf a, vf b)
{
    return wasm_f32x4_lt(a, b);
}
VF_INLINE vm vf_less_equal(vf a, vf b)
{
    return wasm_f32x4_le(a, b);
}
VF_INLINE vm vf_is_nan(vf a)
{
    return wasm_f32x4_ne(a, a);
}
VF_INLINE vm vm_and(vm a, vm b)
{
    return wasm_v128_and(a, b);
}
VF_INLINE vm vm_or(vm a, vm b)
{
    return wasm_v128_or(a, b);
}
/* Bit i: lane i. */
VF_INLINE uint32_t vm_bits(vm a)
{
    return wasm_i32x4_bitmask(a);
}
VF_INLINE vm vm_of_range(int64_t lo, int64_t hi) /* lanes lo <= i < hi, for any lo and hi */
{
    const v128_t lane = wasm_i32x4_const(0, 1, 2, 3);
    int32_t first = (int32_t)(lo < 0 ? 0 : lo > 4 ? 4 : lo);
    int32_t end = (int32_t)(hi < 0 ? 0 : hi > 4 ? 4 : hi);
    return wasm_v128_and(wasm_i32x4_ge(lane, vi_set(first)), wasm_i32x4_lt(lane, vi_set(end)));
}
VF_INLINE vf vf_select(vm m, vf yes, vf no)
{
    return wasm_v128_bitselect(yes, no, m);
}
VF_INLINE vi vi_select(vm m, vi yes, vi no)
{
    return wasm_v128_bitselect(yes, no, m);
}

/* Order of lanes */

/* C4: 32 lanes fold by i += i + 16, 8, 4, 2, 1. */
VF_INLINE float vf_fold_32(const vf lanes[32 / VF_LANES])
{
    vf a0 = vf_add(lanes[0], lanes[4]), a1 = vf_add(lanes[1], lanes[5]);
    vf a2 = vf_add(lanes[2], lanes[6]), a3 = vf_add(lanes[3], lanes[7]);
    vf c = vf_add(vf_add(a0, a2), vf_add(a1, a3));
    c = vf_add(c, wasm_i32x4_shuffle(c, c, 2, 3, 2, 3));
    return wasm_f32x4_extract_lane(c, 0) + wasm_f32x4_extract_lane(c, 1);
}
/* Largest of numbers. */
VF_INLINE float vf_largest(vf a)
{
    a = vf_max(a, wasm_i32x4_shuffle(a, a, 2, 3, 2, 3));
    a = vf_max(a, wasm_i32x4_shuffle(a, a, 1, 1, 1, 1));
    return wasm_f32x4_extract_lane(a, 0);
}
/* x0 x1 x2 x3 to x1 x0 x3 x2 */
VF_INLINE vf vf_swap_pairs(vf a)
{
    return wasm_i32x4_shuffle(a, a, 1, 0, 3, 2);
}
/* Even lanes of the one, odd lanes of the other. */
VF_INLINE vf vf_even_odd(vf even, vf odd)
{
    return wasm_i32x4_shuffle(even, odd, 0, 5, 2, 7);
}
/* a0 a1 to a0 a0 a1 a1 */
VF_INLINE vf vf_double_low(vf a)
{
    return wasm_i32x4_shuffle(a, a, 0, 0, 1, 1);
}

#endif
