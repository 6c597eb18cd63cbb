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

/* What follows is arithmetic: the compiler would do a part of it in mask registers, which are slow
 * at that. */
static inline uint64_t number(__mmask64 mask)
{
    uint64_t x = mask;
    __asm__("" : "+r"(x));
    return x;
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

static inline unsigned line_match(const ix_word_line *line, uint64_t low, uint32_t rest)
{
    __mmask8 lows =
        _mm256_cmpeq_epi64_mask(_mm256_load_si256((const __m256i *)(const void *)line->low),
                                _mm256_set1_epi64x((int64_t)low));
    return _mm_mask_cmpeq_epi32_mask(
        lows, _mm_load_si128((const __m128i *)(const void *)line->rest), _mm_set1_epi32((int)rest));
}

/* The keys of eight words, by gathering: a word's bytes stay where 1 << 8 * size, less one, has
 * ones.  (A shift by 64 or more gives 0, and 0 less one has ones everywhere.) */
#define WORDS_AT_ONCE 8
static inline void ask_words(const ix_word_table *t, const char *bytes, ix_word_queue *q, size_t j,
                             size_t n)
{
    const __m256i one = _mm256_set1_epi32(1), eight = _mm256_set1_epi32(8);
    __mmask8 there = n - j >= 8 ? 0xFF : (__mmask8)((1u << (n - j)) - 1);
    __m256i at = _mm256_loadu_si256((const __m256i *)(const void *)(q->at + j));
    __m256i end = _mm256_loadu_si256((const __m256i *)(const void *)(q->at + j + 1));
    __m256i size = _mm256_sub_epi32(end, at);
    __m256i from = _mm256_sub_epi32(at, _mm256_set1_epi32((int)q->at[0]));
    __m512i low = _mm512_mask_i32gather_epi64(_mm512_setzero_si512(), there, from, bytes, 1);
    __m256i rest = _mm256_mmask_i32gather_epi32(_mm256_setzero_si256(), there, from, bytes + 8, 1);
    __m512i bits = _mm512_slli_epi64(_mm512_cvtepu32_epi64(size), 3);
    low = _mm512_and_si512(
        low, _mm512_sub_epi64(_mm512_sllv_epi64(_mm512_set1_epi64(1), bits), _mm512_set1_epi64(1)));
    __m256i more = _mm256_sub_epi32(_mm256_max_epu32(size, eight), eight);
    more = _mm256_slli_epi32(_mm256_min_epu32(more, _mm256_set1_epi32(3)), 3);
    rest = _mm256_and_si256(rest, _mm256_sub_epi32(_mm256_sllv_epi32(one, more), one));
    size = _mm256_min_epu32(size, _mm256_set1_epi32(15));
    rest = _mm256_or_si256(rest, _mm256_slli_epi32(size, 24));
    __m512i hash =
        _mm512_add_epi64(_mm512_mullo_epi64(low, _mm512_set1_epi64((int64_t)IX_TABLE_FACTOR_LOW)),
                         _mm512_mullo_epi64(_mm512_cvtepu32_epi64(rest),
                                            _mm512_set1_epi64((int64_t)IX_TABLE_FACTOR_REST)));
    __m256i line = _mm512_cvtepi64_epi32(_mm512_srl_epi64(hash, _mm_cvtsi32_si128(t->shift)));
    _mm512_storeu_si512(q->low + j, low);
    _mm256_storeu_si256((__m256i *)(void *)(q->rest + j), rest);
    _mm256_storeu_si256((__m256i *)(void *)(q->lines + j), line);
    for (size_t i = j; i < j + 8; i++)
        __builtin_prefetch(&t->lines[q->lines[i]]);
}

#include "text/fast_words.h"
