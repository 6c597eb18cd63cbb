/* Base64 (RFC 4648, section 4), as vocabularies use it. */
#ifndef IX_TEXT_FILE_BASE64_H
#define IX_TEXT_FILE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Writes what text[0..size) stands for, at most size / 4 * 3 bytes, and their number; false where
 * it is not padded base64 or a bit is set that belongs to no byte. */
bool ix_base64_decode(const char *text, size_t size, char *out, size_t *written);

#endif
