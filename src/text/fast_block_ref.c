/* 64 bytes, eight at a time, for any machine.  See fast_block.h. */
#include "text/word_cache.h"

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u
#define NAME(what) what##_ref

typedef struct block {
    uint64_t x[8];
} block;

static inline block block_read(const char *p)
{
    block b;
    for (int i = 0; i < 8; i++)
        b.x[i] = ix_load8(p + 8 * i);
    return b;
}

static inline block block_fold(block b)
{
    for (int i = 0; i < 8; i++)
        b.x[i] |= ONES * 0x20;
    return b;
}

/* A byte is in low..high if adding 0x80 - low makes its highest bit, and adding 0x7F - high does
 * not.  The highest bits of eight bytes become eight bits by a product. */
static inline uint64_t block_in(block b, char low_char, char high_char)
{
    uint64_t bits = 0, low = (unsigned char)low_char, high = (unsigned char)high_char;
    for (int i = 0; i < 8; i++) {
        uint64_t x = b.x[i], y = x & ~HIGHS;
        uint64_t from = y + ONES * (0x80 - low), behind = y + ONES * (0x7F - high);
        uint64_t in = from & ~behind & ~x & HIGHS;
        bits |= ((in >> 7) * 0x0102040810204080u >> 56) << (8 * i);
    }
    return bits;
}

static inline uint64_t block_is(block b, char c)
{
    return block_in(b, c, c);
}

static inline uint64_t block_high(block b)
{
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits |= (((b.x[i] & HIGHS) >> 7) * 0x0102040810204080u >> 56) << (8 * i);
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
