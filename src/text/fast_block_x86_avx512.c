/* AVX-512 as the first processors had it. */
#define NAME(what) what##_avx512

#include "text/fast_block_x86_avx512.h"

/* Sixteen at a time: the places of those that are set come together. */
static inline void block_places(uint64_t bits, uint32_t at, uint32_t *out)
{
    __m512i place =
        _mm512_add_epi32(_mm512_set1_epi32((int)at),
                         _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    for (int i = 0; i < 4; i++, bits >>= 16) {
        __mmask16 set = (__mmask16)bits;
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(set, place));
        out += __builtin_popcount(set);
        place = _mm512_add_epi32(place, _mm512_set1_epi32(16));
    }
}

#include "text/fast_words.h"
