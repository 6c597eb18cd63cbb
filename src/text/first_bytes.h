/* Finding where one of several spellings may begin, by its first byte: memchr for a few different
 * ones, as special tokens have them, byte by byte for more. */
#ifndef IX_TEXT_FIRST_BYTES_H
#define IX_TEXT_FIRST_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { IX_FIRST_FEW = 4 };

typedef struct ix_first_bytes {
    bool is[256];
    size_t count;              /* of different ones */
    uint8_t few[IX_FIRST_FEW]; /* the first of them */
} ix_first_bytes;

/* Of one search that goes from the front to the back of a text; zeros at first. */
typedef struct ix_first_search {
    size_t next[IX_FIRST_FEW]; /* 1 + the next place of each; 0: not looked for yet */
} ix_first_search;

static inline void ix_first_add(ix_first_bytes *f, char byte)
{
    unsigned char b = (unsigned char)byte;
    if (!f->is[b] && f->count < IX_FIRST_FEW)
        f->few[f->count] = b;
    f->count += !f->is[b];
    f->is[b] = true;
}

/* The first place from `at` on, at <= size; size: there is none. */
static inline size_t ix_first_find(const ix_first_bytes *f, ix_first_search *s, const char *text,
                                   size_t at, size_t size)
{
    size_t least = size;
    if (f->count > IX_FIRST_FEW) {
        while (at < size && !f->is[(unsigned char)text[at]])
            at++;
        return at;
    }
    for (size_t k = 0; k < f->count; k++) {
        if (s->next[k] < at + 1) {
            const char *p = at < size ? memchr(text + at, f->few[k], size - at) : NULL;
            s->next[k] = 1 + (p ? (size_t)(p - text) : size);
        }
        least = s->next[k] - 1 < least ? s->next[k] - 1 : least;
    }
    return least;
}

#endif
