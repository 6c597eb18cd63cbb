/* Base64. */
#include "text/file/base64.h"

#include <stdint.h>

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool ix_base64_decode(const char *text, size_t size, char *out, size_t *written)
{
    *written = 0;
    if (size % 4 != 0)
        return false;
    for (size_t i = 0; i < size; i += 4) {
        bool last = i + 4 == size;
        int padding = last && text[i + 3] == '=' ? text[i + 2] == '=' ? 2 : 1 : 0;
        uint32_t bits = 0;
        for (int k = 0; k < 4; k++) {
            int v = k < 4 - padding ? value_of(text[i + (size_t)k]) : 0;
            if (v < 0)
                return false;
            bits = bits << 6 | (uint32_t)v;
        }
        if ((bits & ((1u << 8 * padding) - 1)) != 0)
            return false;
        for (int k = 0; k < 3 - padding; k++)
            out[(*written)++] = (char)(bits >> (16 - 8 * k) & 255);
    }
    return true;
}
