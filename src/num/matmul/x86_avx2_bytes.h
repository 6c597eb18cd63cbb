/* The same names as x86_avx512_bytes.h over 8 columns, in AVX2: shared by the kernels with and
 * without VNNI. */
#ifndef IX_NUM_MATMUL_X86_AVX2_BYTES_H
#define IX_NUM_MATMUL_X86_AVX2_BYTES_H

#include "num/scalar/x86_avx2_math.h"

#define MAX_TILE 4
#define FLOAT_TILE 6
#define FLOAT_TILE_OF_TWO 2

typedef uint16_t vi_u16 __attribute__((vector_size(32)));

VF_INLINE vi vi_load(const void *p)
{
    return _mm256_loadu_si256(p);
}
VF_INLINE void vi_store(void *p, vi v)
{
    _mm256_storeu_si256(p, v);
}
VF_INLINE vi vi_word(const void *p)
{
    int32_t word;
    memcpy(&word, p, sizeof word);
    return _mm256_set1_epi32(word);
}
VF_INLINE vf vf_word(const void *p)
{
    float x;
    memcpy(&x, p, sizeof x);
    return _mm256_set1_ps(x);
}
VF_INLINE vi vi_bytes(int byte)
{
    return _mm256_set1_epi8((char)byte);
}
VF_INLINE vi vi_add_bytes(vi a, vi b)
{
    return _mm256_add_epi8(a, b);
}
VF_INLINE vi vi_mul(vi a, vi b)
{
    return _mm256_mullo_epi32(a, b);
}
VF_INLINE vi vi_field(vi a, int shift, int mask)
{
    vi_u16 v = (vi_u16)a;
    v = shift < 0 ? v << (uint16_t)-shift : v >> (uint16_t)shift;
    return vi_and((vi)v, vi_bytes(mask));
}
VF_INLINE vi vi_mul_bytes(vi a, vi b)
{
    vi even = _mm256_and_si256(_mm256_mullo_epi16(a, b), _mm256_set1_epi16(0xff));
    vi_u16 odd = (vi_u16)_mm256_mullo_epi16((vi)((vi_u16)a >> 8), (vi)((vi_u16)b >> 8));
    return vi_or(even, (vi)(odd << 8));
}
VF_INLINE vi vi_look_up(const int8_t table[16], int offset, vi index)
{
    vi t = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
    return _mm256_shuffle_epi8(vi_add_bytes(t, vi_bytes(offset)), index);
}
VF_INLINE vi vi_widen_s8(const void *p)
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(p));
}
VF_INLINE vi vi_widen_u8(const void *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(p));
}
VF_INLINE vi vi_widen_pairs(const void *p)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(p));
}
VF_INLINE vi vi_of_pairs(vi pairs, int second)
{
    __m256i low = _mm256_and_si256(pairs, _mm256_set1_epi32(0xffff));
    return second ? _mm256_srli_epi32(pairs, 16) : low;
}

#endif
