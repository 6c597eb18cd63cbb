/* Vectors of 8 binary32 lanes in AVX2, FMA and F16C, and the elementary functions over them.
 *
 * The same names as x86_avx512_math.h, which says what they promise.
 */
#ifndef IX_NUM_SCALAR_X86_AVX2_MATH_H
#define IX_NUM_SCALAR_X86_AVX2_MATH_H

#include "num/scalar/scalar.h"

#include <immintrin.h>

#define VF_LANES 8
#define VF_INLINE static inline __attribute__((always_inline, unused))

typedef __m256 vf;  /* 8 floats */
typedef __m256i vi; /* 8 int32 */
typedef __m256 vm;  /* 8 truths: a lane is all ones or all zeros */

/* Lanes lo <= i < hi, for any lo and hi. */
VF_INLINE vm vm_of_range(int64_t lo, int64_t hi)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    int32_t first = (int32_t)(lo < 0 ? 0 : lo > 8 ? 8 : lo);
    int32_t end = (int32_t)(hi < 0 ? 0 : hi > 8 ? 8 : hi);
    __m256i below_end = _mm256_cmpgt_epi32(_mm256_set1_epi32(end), lane);
    __m256i before_first = _mm256_cmpgt_epi32(_mm256_set1_epi32(first), lane);
    return _mm256_castsi256_ps(_mm256_andnot_si256(before_first, below_end));
}

/* Memory.  `n` in 0..7 lanes: the others are not touched, and read as zero. */
VF_INLINE __m256i vm_first(int64_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)n), lane);
}
VF_INLINE vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
VF_INLINE vf vf_load_n(const float *p, int64_t n)
{
    return _mm256_maskload_ps(p, vm_first(n));
}
VF_INLINE void vf_store(float *p, vf v)
{
    _mm256_storeu_ps(p, v);
}
VF_INLINE void vf_store_n(float *p, vf v, int64_t n)
{
    _mm256_maskstore_ps(p, vm_first(n), v);
}
/* There are no masked moves of 16-bit items: a part goes through 16 bytes of stack. */
VF_INLINE __m128i load_part_u16(const uint16_t *p, int64_t n)
{
    uint16_t part[8] = { 0 };
    for (int64_t i = 0; i < n; i++)
        part[i] = p[i];
    return _mm_loadu_si128((const void *)part);
}
VF_INLINE void store_part_u16(uint16_t *p, __m128i v, int64_t n)
{
    uint16_t part[8];
    _mm_storeu_si128((void *)part, v);
    for (int64_t i = 0; i < n; i++)
        p[i] = part[i];
}
/* 16-bit items, widened to 32 bits; stores take the low halves. */
VF_INLINE __m128i vi_low_halves(vi v)
{
    __m256i low = _mm256_and_si256(v, _mm256_set1_epi32(0xffff));
    return _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
}
VF_INLINE vi vi_load_u16(const uint16_t *p)
{
    return _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)p));
}
VF_INLINE vi vi_load_u16_n(const uint16_t *p, int64_t n)
{
    return _mm256_cvtepu16_epi32(load_part_u16(p, n));
}
VF_INLINE void vi_store_u16(uint16_t *p, vi v)
{
    _mm_storeu_si128((void *)p, vi_low_halves(v));
}
VF_INLINE void vi_store_u16_n(uint16_t *p, vi v, int64_t n)
{
    store_part_u16(p, vi_low_halves(v), n);
}
/* float16.  Widening is exact; narrowing rounds to nearest even whatever the mode (C12). */
VF_INLINE vf vf_load_f16(const uint16_t *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const void *)p));
}
VF_INLINE vf vf_load_f16_n(const uint16_t *p, int64_t n)
{
    return _mm256_cvtph_ps(load_part_u16(p, n));
}
VF_INLINE void vf_store_f16(uint16_t *p, vf v)
{
    _mm_storeu_si128((void *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
VF_INLINE void vf_store_f16_n(uint16_t *p, vf v, int64_t n)
{
    store_part_u16(p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT), n);
}

/* Arithmetic */
VF_INLINE vf vf_set(float x)
{
    return _mm256_set1_ps(x);
}
VF_INLINE vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}
VF_INLINE vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}
VF_INLINE vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}
VF_INLINE vf vf_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}
VF_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}
VF_INLINE float float_fma(float a, float b, float c)
{
    return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
VF_INLINE float float_sqrt(float x)
{
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
}
/* To an integer, halves to even; infinities stay. */
VF_INLINE vf vf_rhe(vf a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* Of two numbers; the sign of a zero is not defined. */
VF_INLINE vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}

/* Bits */
VF_INLINE vi vi_set(int32_t x)
{
    return _mm256_set1_epi32(x);
}
VF_INLINE vi vi_of_bits(vf a)
{
    return _mm256_castps_si256(a);
}
VF_INLINE vf vf_of_bits(vi a)
{
    return _mm256_castsi256_ps(a);
}
VF_INLINE vi vi_add(vi a, vi b)
{
    return _mm256_add_epi32(a, b);
}
VF_INLINE vi vi_sub(vi a, vi b)
{
    return _mm256_sub_epi32(a, b);
}
VF_INLINE vi vi_and(vi a, vi b)
{
    return _mm256_and_si256(a, b);
}
VF_INLINE vi vi_or(vi a, vi b)
{
    return _mm256_or_si256(a, b);
}
VF_INLINE vi vi_xor(vi a, vi b)
{
    return _mm256_xor_si256(a, b);
}
#define vi_shift_left(a, bits) _mm256_slli_epi32((a), (bits))
#define vi_shift_right(a, bits) _mm256_srli_epi32((a), (bits)) /* zeros come in */
VF_INLINE vi vi_of_float(vf a)                                 /* the integer that `a` is */
{
    return _mm256_cvtps_epi32(a);
}
VF_INLINE vf vf_of_int(vi a)
{
    return _mm256_cvtepi32_ps(a);
}

/* Truths.  Comparisons with a NaN are false. */
VF_INLINE vm vf_less(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}
VF_INLINE vm vf_less_equal(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LE_OQ);
}
VF_INLINE vm vf_is_nan(vf a)
{
    return _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
}
VF_INLINE vm vm_and(vm a, vm b)
{
    return _mm256_and_ps(a, b);
}
VF_INLINE vm vm_or(vm a, vm b)
{
    return _mm256_or_ps(a, b);
}
/* Bit i: lane i. */
VF_INLINE uint32_t vm_bits(vm a)
{
    return (uint32_t)_mm256_movemask_ps(a);
}
VF_INLINE vf vf_select(vm m, vf yes, vf no)
{
    return _mm256_blendv_ps(no, yes, m);
}
VF_INLINE vi vi_select(vm m, vi yes, vi no)
{
    return _mm256_blendv_epi8(no, yes, _mm256_castps_si256(m));
}

/* Order of lanes */

/* C4: 32 lanes fold by i += i + 16, 8, 4, 2, 1. */
VF_INLINE float vf_fold_32(const vf lanes[32 / VF_LANES])
{
    __m256 a0 = _mm256_add_ps(lanes[0], lanes[2]), a1 = _mm256_add_ps(lanes[1], lanes[3]);
    __m256 b = _mm256_add_ps(a0, a1);
    __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
/* Largest of numbers. */
VF_INLINE float vf_largest(vf a)
{
    __m128 c = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    c = _mm_max_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}
/* x0 x1 x2 x3 .. to x1 x0 x3 x2 .. */
VF_INLINE vf vf_swap_pairs(vf a)
{
    return _mm256_permute_ps(a, 0xb1);
}
/* Even lanes of the one, odd lanes of the other. */
VF_INLINE vf vf_even_odd(vf even, vf odd)
{
    return _mm256_blend_ps(even, odd, 0xaa);
}
/* a0 a1 a2 a3 to a0 a0 a1 a1 .. */
VF_INLINE vf vf_double_low(vf a)
{
    return _mm256_permutevar8x32_ps(a, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

#include "num/scalar/vector_math.h"

#endif
