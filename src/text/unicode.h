/* Characters: reading UTF-8, properties, normalization form C.
 *
 * Properties come from a table in this folder (tools/make_unicode.py), so that they are the same
 * whatever libraries are installed.
 */
#ifndef IX_TEXT_UNICODE_H
#define IX_TEXT_UNICODE_H

#include "base/status.h"
#include "text/mapped.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Properties of a character; several may hold. */
enum {
    IX_UPPER = 1,        /* Lu, Lt */
    IX_LOWER = 2,        /* Ll */
    IX_OTHER_LETTER = 4, /* Lm, Lo */
    IX_MARK = 8,         /* M */
    IX_NUMBER = 16,      /* N */
    IX_DIGIT = 32,       /* Nd */
    IX_PUNCTUATION = 64, /* P */
    IX_SYMBOL = 128,     /* S */
    IX_SPACE = 256,      /* White_Space */
    IX_WORD = 512,       /* \w of the original tokenizers' expressions */
    IX_OLD_PUNCTUATION =
        1024,          /* punctuation in Hugging Face's own pre-tokenizers, all of ASCII's */
    IX_NUMERIC = 2048, /* N in Hugging Face's own pre-tokenizers (a newer Unicode) */
    IX_HAN = 4096,     /* script Han */
    IX_LETTER = IX_UPPER | IX_LOWER | IX_OTHER_LETTER,
};

/* The generated table: kinds[blocks[index[c / 128]][c % 128]]. */
enum { IX_UNICODE_KINDS = 22 };
extern const uint16_t ix_unicode_kinds[IX_UNICODE_KINDS];
extern const uint16_t ix_unicode_index[];
extern const uint8_t ix_unicode_blocks[][128];

/* c is 0x10FFFF at most. */
static inline unsigned ix_unicode_kind(uint32_t c)
{
    return ix_unicode_blocks[ix_unicode_index[c >> 7]][c & 127];
}

static inline unsigned ix_unicode_properties(uint32_t c)
{
    return c > 0x10FFFF ? 0 : ix_unicode_kinds[ix_unicode_kind(c)];
}

#define IX_BAD_CHARACTER 0xFFFFFFFFu /* what a byte that begins no character reads as */

/* Reads the character at p (left > 0 bytes are there) and returns its bytes: 1 with *c =
 * IX_BAD_CHARACTER where none begins.  As lenient as llama.cpp, whose answers are the standard for
 * such input: overlong forms are the character that they spell and surrogates are characters. */
size_t ix_utf8_read_long(const char *p, size_t left, uint32_t *c);
static inline bool ix_utf8_goes_on(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}
static inline size_t ix_utf8_read(const char *p, size_t left, uint32_t *c)
{
    unsigned lead = (unsigned char)*p;
    if (lead < 0x80) {
        *c = lead;
        return 1;
    }
    if (lead - 0xC0 < 0x20 && left >= 2 && ix_utf8_goes_on(p[1])) {
        *c = (lead & 0x1F) << 6 | ((unsigned char)p[1] & 0x3F);
        return 2;
    }
    if (lead - 0xE0 < 0x10 && left >= 3 && ix_utf8_goes_on(p[1]) && ix_utf8_goes_on(p[2])) {
        *c = (lead & 0x0F) << 12 | (uint32_t)((unsigned char)p[1] & 0x3F) << 6 |
             ((unsigned char)p[2] & 0x3F);
        return 3;
    }
    return ix_utf8_read_long(p, left, c);
}

/* Writes 1 to 4 bytes; IX_BAD_CHARACTER is written as U+FFFD. */
size_t ix_utf8_write(uint32_t c, char out[4]);

/* Strict: bytes of the longest prefix of p[0..left) that is a character, or might become one when
 * more bytes follow; *whole says which.  At least 1 (a byte that begins nothing: *whole, *bad). */
size_t ix_utf8_prefix(const char *p, size_t left, bool *whole, bool *bad);

/* Bytes of the longest well-formed beginning. */
size_t ix_utf8_good(const char *text, size_t size);

/* *out = text that is well-formed (but for surrogates) and, with nfc, in normalization form C; a
 * view of `text` where nothing changes.  base: the position of `text` in the source. */
inox_status ix_clean_text(const char *text, size_t size, uint32_t base, bool nfc,
                          ix_mapped_text *out, inox_error *err) IX_MUST_USE;

#endif
