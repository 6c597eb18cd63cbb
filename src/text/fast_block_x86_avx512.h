/* 64 bytes at once: comparisons give numbers with a bit for each byte.  Brings fast_block.h: see
 * there. */
#ifndef IX_TEXT_FAST_BLOCK_X86_AVX512_H
#define IX_TEXT_FAST_BLOCK_X86_AVX512_H

#include <immintrin.h>
#include <stdint.h>

typedef __m512i block;

static inline block block_read(const char *p)
{
    return _mm512_loadu_si512(p);
}

static inline block block_fold(block x)
{
    return _mm512_or_si512(x, _mm512_set1_epi8(0x20));
}

/* What follows is arithmetic: the compiler would do a part of it in mask registers, which are slow
 * at that. */
static inline uint64_t number(__mmask64 mask)
{
    uint64_t x = mask;
    __asm__("" : "+r"(x));
    return x;
}

static inline uint64_t block_high(block x)
{
    return number(_mm512_movepi8_mask(x));
}

static inline uint64_t block_is(block x, char c)
{
    return number(_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(c)));
}

static inline uint64_t block_in(block x, char low, char high)
{
    block from_low = _mm512_sub_epi8(x, _mm512_set1_epi8(low));
    return number(_mm512_cmple_epu8_mask(from_low, _mm512_set1_epi8((char)(high - low))));
}

#include "text/fast_block.h"

#endif
