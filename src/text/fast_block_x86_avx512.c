/* 64 bytes at once: comparisons give numbers with a bit for each byte.  See fast_block.h. */
#include <immintrin.h>
#include <stdint.h>

#define NAME(what) what##_avx512

typedef __m512i block;

static inline block block_read(const char *p)
{
    return _mm512_loadu_si512(p);
}

static inline block block_fold(block x)
{
    return _mm512_or_si512(x, _mm512_set1_epi8(0x20));
}

static inline uint64_t block_is(block x, char c)
{
    return _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(c));
}

static inline uint64_t block_in(block x, char low, char high)
{
    block from_low = _mm512_sub_epi8(x, _mm512_set1_epi8(low));
    return _mm512_cmple_epu8_mask(from_low, _mm512_set1_epi8((char)(high - low)));
}

#include "text/fast_block.h"
