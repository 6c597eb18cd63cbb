/* Products of bytes in plain Advanced SIMD.
 *
 * Two products are added in 16 bits: a weight is at least -128 and an activation within 127, so
 * that their sum is at most 2 * 128 * 127 = 32512.
 */
#ifndef IX_NUM_MATMUL_ARM_NEON_DOT_H
#define IX_NUM_MATMUL_ARM_NEON_DOT_H

#include "num/matmul/arm_neon_bytes.h"

typedef int8x16_t vw; /* 4 words of weights */

VF_INLINE vw vw_of(vi q)
{
    return vreinterpretq_s8_s32(q);
}
VF_INLINE vi vi_dot4(vi acc, vw w, const void *a)
{
    int8x16_t x = vreinterpretq_s8_s32(vi_word(a));
    int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(x)), high = vmull_high_s8(w, x);
    return vpadalq_s16(acc, vpaddq_s16(low, high));
}

#endif
