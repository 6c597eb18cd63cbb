/* The classes of 64 bytes, eight at a time, for any machine.  See fast_parts.h. */
#include "text/fast_parts.h"

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* The highest bit of each byte that is in low..high; all bytes are below 0x80. */
static inline uint64_t inside(uint64_t x, unsigned low, unsigned high)
{
    uint64_t from = x + ONES * (0x80 - low), behind = x + ONES * (0x7F - high);
    return from & ~behind & HIGHS;
}

/* The highest bit of byte i becomes bit i. */
static inline uint64_t gather(uint64_t highs)
{
    return (highs >> 7) * 0x0102040810204080u >> 56;
}

void ix_ascii_block_read(const char *p, ix_ascii_block *b)
{
    *b = (ix_ascii_block){ 0 };
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t x = ix_load8(p + i), y = x & ~HIGHS, ascii = ~x & HIGHS;
        b->letters |= gather(inside(y | ONES * 0x20, 'a', 'z') & ascii) << i;
        b->uppers |= gather(inside(y, 'A', 'Z') & ascii) << i;
        b->digits |= gather(inside(y, '0', '9') & ascii) << i;
        b->spaces |= gather(inside(y, ' ', ' ') & ascii) << i;
        b->apostrophes |= gather(inside(y, '\'', '\'') & ascii) << i;
        b->strange |= gather(~(inside(y, ' ', '~') & ascii) & HIGHS) << i;
    }
}
