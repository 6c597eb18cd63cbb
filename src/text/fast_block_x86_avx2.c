/* 64 bytes, 32 at a time.  See fast_block.h. */
#include <immintrin.h>
#include <stdint.h>

#define NAME(what) what##_avx2

typedef struct block {
    __m256i x[2];
} block;

static inline block block_read(const char *p)
{
    block b;
    for (int i = 0; i < 2; i++)
        b.x[i] = _mm256_loadu_si256((const __m256i *)(const void *)p + i);
    return b;
}

static inline block block_fold(block b)
{
    for (int i = 0; i < 2; i++)
        b.x[i] = _mm256_or_si256(b.x[i], _mm256_set1_epi8(0x20));
    return b;
}

static inline uint64_t gather(__m256i bytes, int i)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(bytes) << (32 * i);
}

static inline uint64_t block_high(block b)
{
    uint64_t bits = 0;
    for (int i = 0; i < 2; i++)
        bits |= gather(b.x[i], i);
    return bits;
}

static inline uint64_t block_is(block b, char c)
{
    uint64_t bits = 0;
    for (int i = 0; i < 2; i++)
        bits |= gather(_mm256_cmpeq_epi8(b.x[i], _mm256_set1_epi8(c)), i);
    return bits;
}

/* Bytes beyond ASCII are negative numbers, below all of ASCII. */
static inline uint64_t block_in(block b, char low, char high)
{
    __m256i under = _mm256_set1_epi8((char)(low - 1)), over = _mm256_set1_epi8((char)(high + 1));
    uint64_t bits = 0;
    for (int i = 0; i < 2; i++)
        bits |= gather(
            _mm256_and_si256(_mm256_cmpgt_epi8(b.x[i], under), _mm256_cmpgt_epi8(over, b.x[i])), i);
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
