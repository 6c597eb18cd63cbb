/* 64 bytes, sixteen at a time: SSE2 is part of every x86-64.  See fast_block.h. */
#include <immintrin.h>
#include <stdint.h>

#define NAME(what) what##_sse2

typedef struct block {
    __m128i x[4];
} block;

static inline block block_read(const char *p)
{
    block b;
    for (int i = 0; i < 4; i++)
        b.x[i] = _mm_loadu_si128((const __m128i *)(const void *)p + i);
    return b;
}

static inline block block_fold(block b)
{
    for (int i = 0; i < 4; i++)
        b.x[i] = _mm_or_si128(b.x[i], _mm_set1_epi8(0x20));
    return b;
}

static inline uint64_t gather(__m128i bytes, int i)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(bytes) << (16 * i);
}

static inline uint64_t block_high(block b)
{
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits |= gather(b.x[i], i);
    return bits;
}

static inline uint64_t block_is(block b, char c)
{
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits |= gather(_mm_cmpeq_epi8(b.x[i], _mm_set1_epi8(c)), i);
    return bits;
}

/* Bytes beyond ASCII are negative numbers, below all of ASCII. */
static inline uint64_t block_in(block b, char low, char high)
{
    __m128i under = _mm_set1_epi8((char)(low - 1)), over = _mm_set1_epi8((char)(high + 1));
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits |=
            gather(_mm_and_si128(_mm_cmpgt_epi8(b.x[i], under), _mm_cmplt_epi8(b.x[i], over)), i);
    return bits;
}

#include "text/fast_block.h"

/* From the lowest to the highest. */
static inline void block_places(uint64_t bits, uint32_t at, uint32_t *out)
{
    for (; bits != 0; bits &= bits - 1)
        *out++ = at + (uint32_t)__builtin_ctzll(bits);
}

#include "text/fast_words.h"
