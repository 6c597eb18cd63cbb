/* Bytes as numbers whose lowest byte is the first, on every machine. */
#ifndef IX_TEXT_LOAD_H
#define IX_TEXT_LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t ix_load8(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static inline uint64_t ix_load4(const char *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap32(x);
#endif
    return x;
}

/* p[0..n), n <= 8: reads nothing else. */
static inline uint64_t ix_load_some(const char *p, size_t n)
{
    if (n == 8)
        return ix_load8(p);
    if (n >= 4)
        return ix_load4(p) | ix_load4(p + n - 4) << 8 * (n - 4);
    uint64_t x = 0;
    for (size_t i = n; i-- > 0;)
        x = x << 8 | (unsigned char)p[i];
    return x;
}

#endif
