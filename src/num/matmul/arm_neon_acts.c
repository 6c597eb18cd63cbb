/* Packing of activations for all kernels of AArch64: four floats at a time. */
#include <arm_neon.h>
#include <stdint.h>

static uint32_t largest(const float *x, int count)
{
    uint32x4_t top = vdupq_n_u32(0);
    for (int i = 0; i < count; i += 4) {
        uint32x4_t bits = vreinterpretq_u32_f32(vld1q_f32(x + i));
        top = vmaxq_u32(top, vandq_u32(bits, vdupq_n_u32(0x7fffffff)));
    }
    return vmaxvq_u32(top);
}

/* 16 of them. */
static int8x16_t quantize_16(const float *x, float r)
{
    int32x4_t q[4];
    for (int i = 0; i < 4; i++) /* the conversion rounds halves to even */
        q[i] = vcvtnq_s32_f32(vmulq_f32(vld1q_f32(x + 4 * i), vdupq_n_f32(r)));
    int16x8_t low = vcombine_s16(vmovn_s32(q[0]), vmovn_s32(q[1]));
    int16x8_t high = vcombine_s16(vmovn_s32(q[2]), vmovn_s32(q[3]));
    return vcombine_s8(vmovn_s16(low), vmovn_s16(high));
}

static void quantize_32(const float *x, float r, int32_t words[8], int32_t sums[2])
{
    for (int i = 0; i < 2; i++) {
        int8x16_t q = quantize_16(x + 16 * i, r);
        sums[i] = vaddlvq_s8(q);
        vst1q_s32(words + 4 * i, vreinterpretq_s32_s8(q));
    }
}

#include "num/matmul/vector_acts.h"
