/* What matrix products need beyond x86_avx512_math.h, in AVX-512 without VNNI: bytes, words and dot
 * products.
 *
 * Products of bytes take the magnitude of the weight and give the activation its sign, because
 * VPMADDUBSW saturates: 2 * 128 * 127 = 32512 fits in 16 bits, 2 * 255 * 127 would not.
 */
#ifndef IX_NUM_MATMUL_X86_AVX512_DOT_H
#define IX_NUM_MATMUL_X86_AVX512_DOT_H

#include "num/matmul/x86_avx512_bytes.h"

#define WEIGHT_OFFSET 0 /* weights are given to vw_of as q + WEIGHT_OFFSET */

typedef struct vw { /* 16 words of weights, made ready for products */
    __m512i magnitude;
    __mmask64 negative;
} vw;

VF_INLINE vw vw_of(vi q)
{
    return (vw){ _mm512_abs_epi8(q), _mm512_movepi8_mask(q) };
}
/* acc + the products of each column's word with the word at `a`, four int8. */
VF_INLINE vi vi_dot4(vi acc, vw w, const void *a)
{
    __m512i x = vi_word(a);
    x = _mm512_mask_sub_epi8(x, w.negative, _mm512_setzero_si512(), x);
    x = _mm512_maddubs_epi16(w.magnitude, x);
    return _mm512_add_epi32(acc, _mm512_madd_epi16(x, _mm512_set1_epi16(1)));
}
/* acc + the products of each column's two int16 with the two at `a`. */
VF_INLINE vi vi_dot2(vi acc, vi pairs, const void *a)
{
    return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, vi_word(a)));
}

#endif
