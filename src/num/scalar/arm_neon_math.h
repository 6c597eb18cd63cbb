/* Vectors of 4 binary32 lanes in the Advanced SIMD of AArch64, and the elementary functions over
 * them.
 *
 * The same names as x86_avx512_math.h, which says what they promise.  With a control word of 0
 * (rule C1) every operation here rounds to nearest even and keeps subnormals, the conversions of
 * float16 too.  Of the fused operations only vfma, which is one correctly rounded fma, is used;
 * estimates, arithmetic in float16 or bfloat16, and vmla, which may or may not fuse, are not.
 */
#ifndef IX_NUM_SCALAR_ARM_NEON_MATH_H
#define IX_NUM_SCALAR_ARM_NEON_MATH_H

#include "num/scalar/scalar.h"

#include <arm_neon.h>
#include <string.h>

#ifndef __AARCH64EL__
#error "the kernels read memory as little-endian words: build for little-endian AArch64"
#endif

#define VF_LANES 4
#define VF_INLINE static inline __attribute__((always_inline, unused))

typedef float32x4_t vf; /* 4 floats */
typedef int32x4_t vi;   /* 4 int32 */
typedef uint32x4_t vm;  /* 4 truths: a lane is all ones or all zeros */

/* Lanes lo <= i < hi, for any lo and hi. */
VF_INLINE vm vm_of_range(int64_t lo, int64_t hi)
{
    const int32x4_t lane = { 0, 1, 2, 3 };
    int32_t first = (int32_t)(lo < 0 ? 0 : lo > 4 ? 4 : lo);
    int32_t end = (int32_t)(hi < 0 ? 0 : hi > 4 ? 4 : hi);
    return vandq_u32(vcgeq_s32(lane, vdupq_n_s32(first)), vcltq_s32(lane, vdupq_n_s32(end)));
}

/* Memory.  `n` in 0..3 lanes: the others are not touched, and read as zero.  There are no masked
 * moves: a part goes through the stack. */
VF_INLINE vf vf_load(const float *p)
{
    return vld1q_f32(p);
}
VF_INLINE vf vf_load_n(const float *p, int64_t n)
{
    float part[4] = { 0 };
    for (int64_t i = 0; i < n; i++)
        part[i] = p[i];
    return vld1q_f32(part);
}
VF_INLINE void vf_store(float *p, vf v)
{
    vst1q_f32(p, v);
}
VF_INLINE void vf_store_n(float *p, vf v, int64_t n)
{
    float part[4];
    vst1q_f32(part, v);
    for (int64_t i = 0; i < n; i++)
        p[i] = part[i];
}
VF_INLINE uint16x4_t load_part_u16(const uint16_t *p, int64_t n)
{
    uint16_t part[4] = { 0 };
    for (int64_t i = 0; i < n; i++)
        part[i] = p[i];
    return vld1_u16(part);
}
VF_INLINE void store_part_u16(uint16_t *p, uint16x4_t v, int64_t n)
{
    uint16_t part[4];
    vst1_u16(part, v);
    for (int64_t i = 0; i < n; i++)
        p[i] = part[i];
}
/* 16-bit items, widened to 32 bits; stores take the low halves. */
VF_INLINE vi vi_load_u16(const uint16_t *p)
{
    return vreinterpretq_s32_u32(vmovl_u16(vld1_u16(p)));
}
VF_INLINE vi vi_load_u16_n(const uint16_t *p, int64_t n)
{
    return vreinterpretq_s32_u32(vmovl_u16(load_part_u16(p, n)));
}
VF_INLINE void vi_store_u16(uint16_t *p, vi v)
{
    vst1_u16(p, vmovn_u32(vreinterpretq_u32_s32(v)));
}
VF_INLINE void vi_store_u16_n(uint16_t *p, vi v, int64_t n)
{
    store_part_u16(p, vmovn_u32(vreinterpretq_u32_s32(v)), n);
}
/* float16.  Widening is exact; narrowing rounds to nearest even (C12). */
VF_INLINE vf vf_load_f16(const uint16_t *p)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}
VF_INLINE vf vf_load_f16_n(const uint16_t *p, int64_t n)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(load_part_u16(p, n)));
}
VF_INLINE void vf_store_f16(uint16_t *p, vf v)
{
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v)));
}
VF_INLINE void vf_store_f16_n(uint16_t *p, vf v, int64_t n)
{
    store_part_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v)), n);
}

/* Arithmetic */
VF_INLINE vf vf_set(float x)
{
    return vdupq_n_f32(x);
}
VF_INLINE vf vf_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}
VF_INLINE vf vf_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}
VF_INLINE vf vf_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}
VF_INLINE vf vf_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}
VF_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}
VF_INLINE float float_fma(float a, float b, float c)
{
    return vget_lane_f32(vfma_f32(vdup_n_f32(c), vdup_n_f32(a), vdup_n_f32(b)), 0);
}
VF_INLINE float float_sqrt(float x)
{
    return vget_lane_f32(vsqrt_f32(vdup_n_f32(x)), 0);
}
/* To an integer, halves to even; infinities stay. */
VF_INLINE vf vf_rhe(vf a)
{
    return vrndnq_f32(a);
}
/* Of two numbers; the sign of a zero is not defined. */
VF_INLINE vf vf_max(vf a, vf b)
{
    return vmaxq_f32(a, b);
}

/* Bits */
VF_INLINE vi vi_set(int32_t x)
{
    return vdupq_n_s32(x);
}
VF_INLINE vi vi_of_bits(vf a)
{
    return vreinterpretq_s32_f32(a);
}
VF_INLINE vf vf_of_bits(vi a)
{
    return vreinterpretq_f32_s32(a);
}
VF_INLINE vi vi_add(vi a, vi b)
{
    return vaddq_s32(a, b);
}
VF_INLINE vi vi_sub(vi a, vi b)
{
    return vsubq_s32(a, b);
}
VF_INLINE vi vi_and(vi a, vi b)
{
    return vandq_s32(a, b);
}
VF_INLINE vi vi_or(vi a, vi b)
{
    return vorrq_s32(a, b);
}
VF_INLINE vi vi_xor(vi a, vi b)
{
    return veorq_s32(a, b);
}
#define vi_shift_left(a, bits) vshlq_n_s32((a), (bits))
#define vi_shift_right(a, bits) /* zeros come in */                                                \
    vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), (bits)))
VF_INLINE vi vi_of_float(vf a) /* the integer that `a` is */
{
    return vcvtnq_s32_f32(a);
}
VF_INLINE vf vf_of_int(vi a)
{
    return vcvtq_f32_s32(a);
}

/* Truths.  Comparisons with a NaN are false. */
VF_INLINE vm vf_less(vf a, vf b)
{
    return vcltq_f32(a, b);
}
VF_INLINE vm vf_less_equal(vf a, vf b)
{
    return vcleq_f32(a, b);
}
VF_INLINE vm vf_is_nan(vf a)
{
    return vmvnq_u32(vceqq_f32(a, a));
}
VF_INLINE vm vm_and(vm a, vm b)
{
    return vandq_u32(a, b);
}
VF_INLINE vm vm_or(vm a, vm b)
{
    return vorrq_u32(a, b);
}
/* Bit i: lane i. */
VF_INLINE uint32_t vm_bits(vm a)
{
    const uint32x4_t place = { 1, 2, 4, 8 };
    return vaddvq_u32(vandq_u32(a, place));
}
VF_INLINE vf vf_select(vm m, vf yes, vf no)
{
    return vbslq_f32(m, yes, no);
}
VF_INLINE vi vi_select(vm m, vi yes, vi no)
{
    return vbslq_s32(m, yes, no);
}

/* Order of lanes */

/* C4: 32 lanes fold by i += i + 16, 8, 4, 2, 1. */
VF_INLINE float vf_fold_32(const vf lanes[32 / VF_LANES])
{
    float32x4_t a0 = vaddq_f32(lanes[0], lanes[4]), a1 = vaddq_f32(lanes[1], lanes[5]);
    float32x4_t a2 = vaddq_f32(lanes[2], lanes[6]), a3 = vaddq_f32(lanes[3], lanes[7]);
    float32x4_t b = vaddq_f32(vaddq_f32(a0, a2), vaddq_f32(a1, a3));
    float32x2_t c = vadd_f32(vget_low_f32(b), vget_high_f32(b));
    return vget_lane_f32(c, 0) + vget_lane_f32(c, 1);
}
/* Largest of numbers. */
VF_INLINE float vf_largest(vf a)
{
    return vmaxvq_f32(a);
}
/* x0 x1 x2 x3 to x1 x0 x3 x2 */
VF_INLINE vf vf_swap_pairs(vf a)
{
    return vrev64q_f32(a);
}
/* Even lanes of the one, odd lanes of the other. */
VF_INLINE vf vf_even_odd(vf even, vf odd)
{
    return vtrn1q_f32(even, vrev64q_f32(odd));
}
/* a0 a1 to a0 a0 a1 a1 */
VF_INLINE vf vf_double_low(vf a)
{
    return vzip1q_f32(a, a);
}

#include "num/scalar/vector_math.h"

#endif
