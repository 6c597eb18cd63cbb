/* A view of bytes: the strings of vocabularies and templates. */
#ifndef IX_TEXT_VIEW_H
#define IX_TEXT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Not NUL-terminated; may hold NULs; the memory is somebody else's. */
typedef struct ix_text_view {
    const char *data;
    size_t size;
} ix_text_view;

/* True if v is the C string. */
static inline bool ix_text_is(ix_text_view v, const char *text)
{
    return v.size == strlen(text) && memcmp(v.data, text, v.size) == 0;
}

#endif
