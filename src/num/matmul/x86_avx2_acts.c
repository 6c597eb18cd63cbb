/* Packing of activations for all x86 kernels: eight floats at a time. */
#include <immintrin.h>
#include <stdint.h>

static uint32_t largest(const float *x, int count)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i top = _mm256_setzero_si256();
    for (int i = 0; i < count; i += 8) {
        __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(x + i));
        top = _mm256_max_epu32(top, _mm256_and_si256(bits, magnitude));
    }
    __m128i half = _mm_max_epu32(_mm256_castsi256_si128(top), _mm256_extracti128_si256(top, 1));
    half = _mm_max_epu32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_max_epu32(half, _mm_shuffle_epi32(half, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(half);
}

static void quantize_32(const float *x, float r, int32_t words[8], int32_t sums[2])
{
    __m256i q[4];
    for (int i = 0; i < 4; i++) /* the conversion rounds halves to even (C1) */
        q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), _mm256_set1_ps(r)));
    for (int i = 0; i < 2; i++) {
        __m256i s = _mm256_add_epi32(q[2 * i], q[2 * i + 1]);
        __m128i t = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
        t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0x4e));
        t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0xb1));
        sums[i] = _mm_cvtsi128_si32(t);
    }
    /* Packing works inside 128-bit halves; the permutation puts the words in order. */
    __m256i b = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    b = _mm256_permutevar8x32_epi32(b, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((void *)words, b);
}

#include "num/matmul/vector_acts.h"
