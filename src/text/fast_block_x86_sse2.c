/* The classes of 64 bytes, sixteen at a time.  See fast_parts.h. */
#include "text/fast_parts.h"

typedef unsigned char bytes16 __attribute__((vector_size(16)));
typedef char signed16 __attribute__((vector_size(16)));

static inline bytes16 inside(bytes16 x, unsigned char low, unsigned char high)
{
    return (bytes16)(x >= low) & (bytes16)(x <= high);
}

/* The highest bit of each byte, from bit `at` on. */
static inline uint64_t gather(bytes16 x, unsigned at)
{
    return (uint64_t)(uint32_t)__builtin_ia32_pmovmskb128((signed16)x) << at;
}

void ix_ascii_block_read(const char *p, ix_ascii_block *b)
{
    uint64_t plain = 0;
    *b = (ix_ascii_block){ 0 };
    for (unsigned i = 0; i < 64; i += 16) {
        bytes16 x;
        memcpy(&x, p + i, sizeof x);
        b->letters |= gather(inside(x | 0x20, 'a', 'z'), i);
        b->uppers |= gather(inside(x, 'A', 'Z'), i);
        b->digits |= gather(inside(x, '0', '9'), i);
        b->spaces |= gather((bytes16)(x == ' '), i);
        b->apostrophes |= gather((bytes16)(x == '\''), i);
        plain |= gather(inside(x, ' ', '~'), i);
    }
    b->strange = ~plain;
}
