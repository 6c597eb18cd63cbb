/* Products of bytes in AVX2: signed weights, whose signs go to the activations, so that no pair of
 * products saturates. */
#ifndef IX_NUM_MATMUL_X86_AVX2_DOT_H
#define IX_NUM_MATMUL_X86_AVX2_DOT_H

#include "num/matmul/x86_avx2_bytes.h"

#define WEIGHT_OFFSET 0

typedef struct vw {
    __m256i magnitude, sign;
} vw;

VF_INLINE vw vw_of(vi q)
{
    return (vw){ _mm256_abs_epi8(q), q };
}
VF_INLINE vi vi_dot4(vi acc, vw w, const void *a)
{
    __m256i x = _mm256_sign_epi8(vi_word(a), w.sign);
    x = _mm256_maddubs_epi16(w.magnitude, x);
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x, _mm256_set1_epi16(1)));
}
VF_INLINE vi vi_dot2(vi acc, vi pairs, const void *a)
{
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, vi_word(a)));
}

#endif
