/* A view of bytes: the strings of vocabularies and templates. */
#ifndef IX_TEXT_VIEW_H
#define IX_TEXT_VIEW_H

#include <stddef.h>

/* Not NUL-terminated; may hold NULs; the memory is somebody else's. */
typedef struct ix_text_view {
    const char *data;
    size_t size;
} ix_text_view;

#endif
