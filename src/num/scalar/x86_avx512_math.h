/* Vectors of 16 binary32 lanes in AVX-512 F, BW, DQ and VL, and the elementary functions over them.
 *
 * Files compiled for this instruction set include this header, then the shared kernel bodies
 * (num/rows/vector_rows.h, num/attention/vector_attention.h), which know vectors only by the names
 * below; x86_avx2_math.h has the same names over 8 lanes.  Every operation here is one correctly
 * rounded IEEE 754 operation or moves bits (rule C1): no estimates, no float16 arithmetic.
 */
#ifndef IX_NUM_SCALAR_X86_AVX512_MATH_H
#define IX_NUM_SCALAR_X86_AVX512_MATH_H

#include "num/scalar/scalar.h"

#include <immintrin.h>

#define VF_LANES 16
#define VF_INLINE static inline __attribute__((always_inline, unused))

typedef __m512 vf;    /* 16 floats */
typedef __m512i vi;   /* 16 int32 */
typedef __mmask16 vm; /* 16 truths */

/* Memory.  `n` in 0..15 lanes: the others are not touched, and read as zero. */
VF_INLINE vm vm_first(int64_t n)
{
    return (vm)((1u << n) - 1u);
}
VF_INLINE vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
VF_INLINE vf vf_load_n(const float *p, int64_t n)
{
    return _mm512_maskz_loadu_ps(vm_first(n), p);
}
VF_INLINE void vf_store(float *p, vf v)
{
    _mm512_storeu_ps(p, v);
}
VF_INLINE void vf_store_n(float *p, vf v, int64_t n)
{
    _mm512_mask_storeu_ps(p, vm_first(n), v);
}
/* 16-bit items, widened to 32 bits; stores take the low halves. */
VF_INLINE vi vi_load_u16(const uint16_t *p)
{
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)p));
}
VF_INLINE vi vi_load_u16_n(const uint16_t *p, int64_t n)
{
    return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(vm_first(n), p));
}
VF_INLINE void vi_store_u16(uint16_t *p, vi v)
{
    _mm256_storeu_si256((void *)p, _mm512_cvtepi32_epi16(v));
}
VF_INLINE void vi_store_u16_n(uint16_t *p, vi v, int64_t n)
{
    _mm256_mask_storeu_epi16(p, vm_first(n), _mm512_cvtepi32_epi16(v));
}
/* float16.  Widening is exact; narrowing rounds to nearest even whatever the mode (C12). */
VF_INLINE vf vf_load_f16(const uint16_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)p));
}
VF_INLINE vf vf_load_f16_n(const uint16_t *p, int64_t n)
{
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(vm_first(n), p));
}
VF_INLINE void vf_store_f16(uint16_t *p, vf v)
{
    _mm256_storeu_si256((void *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
VF_INLINE void vf_store_f16_n(uint16_t *p, vf v, int64_t n)
{
    _mm256_mask_storeu_epi16(p, vm_first(n), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

/* Arithmetic */
VF_INLINE vf vf_set(float x)
{
    return _mm512_set1_ps(x);
}
VF_INLINE vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}
VF_INLINE vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}
VF_INLINE vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}
VF_INLINE vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}
VF_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
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
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* Of two numbers; the sign of a zero is not defined. */
VF_INLINE vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}

/* Bits */
VF_INLINE vi vi_set(int32_t x)
{
    return _mm512_set1_epi32(x);
}
VF_INLINE vi vi_of_bits(vf a)
{
    return _mm512_castps_si512(a);
}
VF_INLINE vf vf_of_bits(vi a)
{
    return _mm512_castsi512_ps(a);
}
VF_INLINE vi vi_add(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}
VF_INLINE vi vi_sub(vi a, vi b)
{
    return _mm512_sub_epi32(a, b);
}
VF_INLINE vi vi_and(vi a, vi b)
{
    return _mm512_and_si512(a, b);
}
VF_INLINE vi vi_or(vi a, vi b)
{
    return _mm512_or_si512(a, b);
}
VF_INLINE vi vi_xor(vi a, vi b)
{
    return _mm512_xor_si512(a, b);
}
#define vi_shift_left(a, bits) _mm512_slli_epi32((a), (bits))
#define vi_shift_right(a, bits) _mm512_srli_epi32((a), (bits)) /* zeros come in */
VF_INLINE vi vi_of_float(vf a)                                 /* the integer that `a` is */
{
    return _mm512_cvtps_epi32(a);
}
VF_INLINE vf vf_of_int(vi a)
{
    return _mm512_cvtepi32_ps(a);
}

/* Truths.  Comparisons with a NaN are false. */
VF_INLINE vm vf_less(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
VF_INLINE vm vf_less_equal(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
}
VF_INLINE vm vf_is_nan(vf a)
{
    return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
}
VF_INLINE vm vm_and(vm a, vm b)
{
    return (vm)(a & b);
}
VF_INLINE vm vm_or(vm a, vm b)
{
    return (vm)(a | b);
}
/* Bit i: lane i. */
VF_INLINE uint32_t vm_bits(vm a)
{
    return a;
}
VF_INLINE vm vm_of_range(int64_t lo, int64_t hi) /* lanes lo <= i < hi, for any lo and hi */
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    int32_t first = (int32_t)(lo < 0 ? 0 : lo > 16 ? 16 : lo);
    int32_t end = (int32_t)(hi < 0 ? 0 : hi > 16 ? 16 : hi);
    return (vm)(_mm512_cmpge_epi32_mask(lane, vi_set(first)) &
                _mm512_cmplt_epi32_mask(lane, vi_set(end)));
}
VF_INLINE vf vf_select(vm m, vf yes, vf no)
{
    return _mm512_mask_blend_ps(m, no, yes);
}
VF_INLINE vi vi_select(vm m, vi yes, vi no)
{
    return _mm512_mask_blend_epi32(m, no, yes);
}

/* Order of lanes */

/* C4: 32 lanes fold by i += i + 16, 8, 4, 2, 1. */
VF_INLINE float vf_fold_32(const vf lanes[32 / VF_LANES])
{
    __m512 a = _mm512_add_ps(lanes[0], lanes[1]);
    __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
/* Largest of numbers. */
VF_INLINE float vf_largest(vf a)
{
    return _mm512_reduce_max_ps(a);
}
/* x0 x1 x2 x3 .. to x1 x0 x3 x2 .. */
VF_INLINE vf vf_swap_pairs(vf a)
{
    return _mm512_permute_ps(a, 0xb1);
}
/* Even lanes of the one, odd lanes of the other. */
VF_INLINE vf vf_even_odd(vf even, vf odd)
{
    return _mm512_mask_blend_ps(0xaaaa, even, odd);
}
/* a0 a1 .. a7 to a0 a0 a1 a1 .. */
VF_INLINE vf vf_double_low(vf a)
{
    const __m512i index = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_permutexvar_ps(index, a);
}

#include "num/scalar/vector_math.h"

#endif
