/* Bytes and words of 4 columns in Advanced SIMD: the names of x86_avx512_bytes.h, shared by the
 * kernels of all sets of AArch64. */
#ifndef IX_NUM_MATMUL_ARM_NEON_BYTES_H
#define IX_NUM_MATMUL_ARM_NEON_BYTES_H

#include "num/scalar/arm_neon_math.h"

#define MAX_TILE 12
#define FLOAT_TILE 6
#define FLOAT_TILE_OF_TWO 2
#define WEIGHT_OFFSET 0 /* products are of signed bytes */

VF_INLINE vi vi_load(const void *p)
{
    return vreinterpretq_s32_s8(vld1q_s8(p));
}
VF_INLINE void vi_store(void *p, vi v)
{
    vst1q_s8(p, vreinterpretq_s8_s32(v));
}
VF_INLINE vi vi_word(const void *p)
{
    int32_t word;
    memcpy(&word, p, sizeof word);
    return vdupq_n_s32(word);
}
VF_INLINE vf vf_word(const void *p)
{
    float x;
    memcpy(&x, p, sizeof x);
    return vdupq_n_f32(x);
}
VF_INLINE vi vi_bytes(int byte)
{
    return vreinterpretq_s32_s8(vdupq_n_s8((int8_t)byte));
}
VF_INLINE vi vi_add_bytes(vi a, vi b)
{
    return vreinterpretq_s32_s8(vaddq_s8(vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)));
}
VF_INLINE vi vi_mul(vi a, vi b)
{
    return vmulq_s32(a, b);
}
VF_INLINE vi vi_field(vi a, int shift, int mask)
{
    uint8x16_t v = vreinterpretq_u8_s32(a);
    v = shift < 0 ? v << (uint8_t)-shift : v >> (uint8_t)shift;
    return vi_and(vreinterpretq_s32_u8(v), vi_bytes(mask));
}
VF_INLINE vi vi_mul_bytes(vi a, vi b)
{
    return vreinterpretq_s32_s8(vmulq_s8(vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)));
}
VF_INLINE vi vi_look_up(const int8_t table[16], int offset, vi index)
{
    int8x16_t t = vaddq_s8(vld1q_s8(table), vdupq_n_s8((int8_t)offset));
    return vreinterpretq_s32_s8(vqtbl1q_s8(t, vreinterpretq_u8_s32(index)));
}
VF_INLINE uint8x8_t load_4_bytes(const void *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return vreinterpret_u8_u32(vdup_n_u32(word));
}
VF_INLINE vi vi_widen_s8(const void *p)
{
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(load_4_bytes(p)))));
}
VF_INLINE vi vi_widen_u8(const void *p)
{
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(load_4_bytes(p)))));
}
VF_INLINE vi vi_widen_pairs(const void *p)
{
    return vreinterpretq_s32_u16(vmovl_u8(vld1_u8(p)));
}
VF_INLINE vi vi_of_pairs(vi pairs, int second)
{
    return second ? vi_shift_right(pairs, 16) : vi_and(pairs, vi_set(0xffff));
}

/* acc + the products of each column's two int16 with the two at `a`. */
VF_INLINE vi vi_dot2(vi acc, vi pairs, const void *a)
{
    int16x8_t w = vreinterpretq_s16_s32(pairs), x = vreinterpretq_s16_s32(vi_word(a));
    int32x4_t low = vmull_s16(vget_low_s16(w), vget_low_s16(x));
    return vaddq_s32(acc, vpaddq_s32(low, vmull_high_s16(w, x)));
}

#endif
