/* Bytes and words of 16 columns in AVX-512: shared by the kernels with and without VNNI. */
#ifndef IX_NUM_MATMUL_X86_AVX512_BYTES_H
#define IX_NUM_MATMUL_X86_AVX512_BYTES_H

#include "num/scalar/x86_avx512_math.h"

#define MAX_TILE 12   /* rows whose integer and float sums fit in the registers */
#define FLOAT_TILE 12 /* rows of float sums over one panel, over two, over four */
#define FLOAT_TILE_OF_TWO 12
#define FLOAT_TILE_OF_FOUR 6

typedef uint16_t vi_u16 __attribute__((vector_size(64)));

VF_INLINE vi vi_load(const void *p)
{
    return _mm512_loadu_si512(p);
}
VF_INLINE void vi_store(void *p, vi v)
{
    _mm512_storeu_si512(p, v);
}
/* The four bytes at p in every lane. */
VF_INLINE vi vi_word(const void *p)
{
    int32_t word;
    memcpy(&word, p, sizeof word);
    return _mm512_set1_epi32(word);
}
VF_INLINE vf vf_word(const void *p)
{
    float x;
    memcpy(&x, p, sizeof x);
    return _mm512_set1_ps(x);
}
VF_INLINE vi vi_bytes(int byte)
{
    return _mm512_set1_epi8((char)byte);
}
VF_INLINE vi vi_add_bytes(vi a, vi b)
{
    return _mm512_add_epi8(a, b);
}
VF_INLINE vi vi_mul(vi a, vi b)
{
    return _mm512_mullo_epi32(a, b);
}
/* Each byte shifted right (left for a negative count), then masked: `mask` has no bit that a
 * neighbour could reach. */
VF_INLINE vi vi_field(vi a, int shift, int mask)
{
    vi_u16 v = (vi_u16)a;
    v = shift < 0 ? v << (uint16_t)-shift : v >> (uint16_t)shift;
    return vi_and((vi)v, vi_bytes(mask));
}
/* Byte products modulo 256. */
VF_INLINE vi vi_mul_bytes(vi a, vi b)
{
    vi even = _mm512_and_si512(_mm512_mullo_epi16(a, b), _mm512_set1_epi16(0xff));
    vi_u16 odd = (vi_u16)_mm512_mullo_epi16((vi)((vi_u16)a >> 8), (vi)((vi_u16)b >> 8));
    return vi_or(even, (vi)(odd << 8));
}
/* table[index] for indices 0..15 in each byte. */
VF_INLINE vi vi_look_up(const int8_t table[16], int offset, vi index)
{
    vi t = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)table));
    return _mm512_shuffle_epi8(vi_add_bytes(t, vi_bytes(offset)), index);
}
/* 16 bytes to 32-bit lanes; 32 bytes to pairs of 16 bits in 32-bit lanes. */
VF_INLINE vi vi_widen_s8(const void *p)
{
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(p));
}
VF_INLINE vi vi_widen_u8(const void *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(p));
}
VF_INLINE vi vi_widen_pairs(const void *p)
{
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256(p));
}
/* One of each pair of 16 bits, unsigned. */
VF_INLINE vi vi_of_pairs(vi pairs, int second)
{
    __m512i low = _mm512_and_si512(pairs, _mm512_set1_epi32(0xffff));
    return second ? _mm512_srli_epi32(pairs, 16) : low;
}

#endif
