/* The classes of 64 bytes, sixteen at a time.  See fast_parts.h. */
#include "text/fast_parts.h"

#include <emmintrin.h>

static inline __m128i inside(__m128i x, char low, char high)
{
    __m128i up = _mm_max_epu8(x, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(up, _mm_set1_epi8(high)), x);
}

static inline uint64_t gather(__m128i bytes, unsigned at)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(bytes) << at;
}

void ix_ascii_block_read(const char *p, ix_ascii_block *b)
{
    uint64_t plain = 0;
    *b = (ix_ascii_block){ 0 };
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        b->letters |= gather(inside(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 'z'), i);
        b->uppers |= gather(inside(x, 'A', 'Z'), i);
        b->digits |= gather(inside(x, '0', '9'), i);
        b->spaces |= gather(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')), i);
        b->apostrophes |= gather(_mm_cmpeq_epi8(x, _mm_set1_epi8('\'')), i);
        plain |= gather(inside(x, ' ', '~'), i);
    }
    b->strange = ~plain;
}
