/* The same as x86_avx512_dot.h with VNNI: unsigned weights, q + 128, times signed activations,
 * without saturation. Sums start at -128 * (sum of the activations), which pack_acts has ready. */
#ifndef IX_NUM_MATMUL_X86_AVX512VNNI_DOT_H
#define IX_NUM_MATMUL_X86_AVX512VNNI_DOT_H

#include "num/matmul/x86_avx512_bytes.h"

#define WEIGHT_OFFSET 128

typedef vi vw;
typedef int32_t any_word __attribute__((may_alias, aligned(1)));

VF_INLINE vw vw_of(vi q)
{
    return q;
}
/* In assembly because gcc 12 loads the word with an instruction of its own, up to 8 % slower. */
VF_INLINE vi vi_dot4(vi acc, vw w, const void *a)
{
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(w), "m"(*(const any_word *)a));
    return acc;
}
VF_INLINE vi vi_dot2(vi acc, vi pairs, const void *a)
{
    return _mm512_dpwssd_epi32(acc, pairs, vi_word(a));
}

#endif
