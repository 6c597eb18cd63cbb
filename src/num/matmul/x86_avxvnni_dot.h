/* Products of bytes in AVX-VNNI: unsigned weights, q + 128, times signed activations, as
 * x86_avx512vnni_dot.h over 8 columns. */
#ifndef IX_NUM_MATMUL_X86_AVXVNNI_DOT_H
#define IX_NUM_MATMUL_X86_AVXVNNI_DOT_H

#include "num/matmul/x86_avx2_bytes.h"

#define WEIGHT_OFFSET 128

typedef vi vw;

VF_INLINE vw vw_of(vi q)
{
    return q;
}
VF_INLINE vi vi_dot4(vi acc, vw w, const void *a)
{
    return _mm256_dpbusd_avx_epi32(acc, w, vi_word(a));
}
VF_INLINE vi vi_dot2(vi acc, vi pairs, const void *a)
{
    return _mm256_dpwssd_avx_epi32(acc, pairs, vi_word(a));
}

#endif
