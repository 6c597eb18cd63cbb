/* Whether bytes are well-formed UTF-8, 32 at a time: the lookup algorithm of Keiser and Lemire,
 * "Validating UTF-8 in less than one instruction per byte" (2021), section 6.
 *
 * What can be wrong about two bytes in a row is told by three halves of them: those of the first,
 * and the higher of the second.  Each half has a table of the errors that it allows, a bit each; an
 * error that all three allow is one.  Only that a byte belongs to a character of three or four
 * bytes, and so may follow a byte that goes on, is told by the bytes two and three places before.
 */
#include "text/fast_parts.h"

#include <immintrin.h>

enum {
    TOO_SHORT = 1,                              /* a lead, and no byte that goes on */
    TOO_LONG = 2,                               /* ASCII, and a byte that goes on */
    OVERLONG_3 = 4,                             /* E0 80..9F */
    TOO_LARGE = 8,                              /* F4 90..BF, F5.. 90..BF */
    SURROGATE = 16,                             /* ED A0..BF */
    OVERLONG_2 = 32,                            /* C0, C1 */
    TOO_LARGE_80 = 64,                          /* F5.. 80..8F */
    OVERLONG_4 = 64,                            /* F0 80..8F */
    TWO_GO_ON = 128,                            /* two bytes that go on */
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_GO_ON, /* whatever the lower half of the first is */
    LARGE_LOW = ANY_LOW | TOO_LARGE | TOO_LARGE_80,
    GOES_ON = TOO_LONG | OVERLONG_2 | TWO_GO_ON,
};

static const uint8_t first_high[16] = {
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TWO_GO_ON,
    TWO_GO_ON,
    TWO_GO_ON,
    TWO_GO_ON,
    TOO_SHORT | OVERLONG_2,
    TOO_SHORT,
    TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_80 | OVERLONG_4,
};
static const uint8_t first_low[16] = {
    ANY_LOW | OVERLONG_3 | OVERLONG_2 | OVERLONG_4,
    ANY_LOW | OVERLONG_2,
    ANY_LOW,
    ANY_LOW,
    ANY_LOW | TOO_LARGE,
    LARGE_LOW,
    LARGE_LOW,
    LARGE_LOW,
    LARGE_LOW,
    LARGE_LOW,
    LARGE_LOW,
    LARGE_LOW,
    LARGE_LOW,
    LARGE_LOW | SURROGATE,
    LARGE_LOW,
    LARGE_LOW,
};
static const uint8_t second_high[16] = {
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    GOES_ON | OVERLONG_3 | TOO_LARGE_80 | OVERLONG_4,
    GOES_ON | OVERLONG_3 | TOO_LARGE,
    GOES_ON | SURROGATE | TOO_LARGE,
    GOES_ON | SURROGATE | TOO_LARGE,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
};

static inline __m256i table(const uint8_t *halves)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)halves));
}

static inline __m256i errors(__m256i x, __m256i before)
{
    const __m256i half = _mm256_set1_epi8(15), high = _mm256_set1_epi8((char)0x80);
    __m256i across = _mm256_permute2x128_si256(before, x, 0x21);
    __m256i one = _mm256_alignr_epi8(x, across, 15), two = _mm256_alignr_epi8(x, across, 14);
    __m256i three = _mm256_alignr_epi8(x, across, 13);
    __m256i a =
        _mm256_shuffle_epi8(table(first_high), _mm256_and_si256(_mm256_srli_epi16(one, 4), half));
    __m256i b = _mm256_shuffle_epi8(table(first_low), _mm256_and_si256(one, half));
    __m256i c =
        _mm256_shuffle_epi8(table(second_high), _mm256_and_si256(_mm256_srli_epi16(x, 4), half));
    __m256i third = _mm256_subs_epu8(two, _mm256_set1_epi8(0xE0 - 0x80));
    __m256i fourth = _mm256_subs_epu8(three, _mm256_set1_epi8(0xF0 - 0x80));
    __m256i goes_on = _mm256_and_si256(_mm256_or_si256(third, fourth), high);
    return _mm256_xor_si256(goes_on, _mm256_and_si256(_mm256_and_si256(a, b), c));
}

size_t ix_utf8_blocks_avx2(const char *p, size_t size)
{
    enum { BLOCK = 32 };
    __m256i before = _mm256_setzero_si256();
    size_t at = 0;
    for (; size - at >= BLOCK; at += BLOCK) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + at));
        if (_mm256_movemask_epi8(_mm256_or_si256(x, before)) != 0) {
            __m256i wrong = errors(x, before);
            if (!_mm256_testz_si256(wrong, wrong))
                break;
        }
        before = x;
    }
    /* The last character may not be whole: its lead tells how many bytes it has. */
    static const uint8_t unfinished_from[] = { 0, 0xC0, 0xE0, 0xF0 };
    for (size_t back = 1; back < 4 && back <= at; back++) {
        unsigned lead = (unsigned char)p[at - back];
        if (lead >= 0xC0)
            return lead >= unfinished_from[back] ? at - back : at;
    }
    return at;
}
