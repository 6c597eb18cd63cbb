/* Products of bytes with SDOT. */
#ifndef IX_NUM_MATMUL_ARM_DOTPROD_DOT_H
#define IX_NUM_MATMUL_ARM_DOTPROD_DOT_H

#include "num/matmul/arm_neon_bytes.h"

typedef int8x16_t vw; /* 4 words of weights */

VF_INLINE vw vw_of(vi q)
{
    return vreinterpretq_s8_s32(q);
}
VF_INLINE vi vi_dot4(vi acc, vw w, const void *a)
{
    return vdotq_s32(acc, w, vreinterpretq_s8_s32(vi_word(a)));
}

#endif
