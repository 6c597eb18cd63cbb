/* What Python's str knows about a character, for its methods and for repr().
 *
 * The table is that of Python 3.11 (Unicode 14), which tools/make_python_chars.py asked about every
 * code point: transformers runs on it and on its successors, whose Unicode (15, 15.1) adds a few
 * hundred characters and changes no case mapping of an older one.
 */
#ifndef IX_TEXT_JINJA_CHARS_H
#define IX_TEXT_JINJA_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IX_CHAR_ALPHA = 1,          /* str.isalpha */
    IX_CHAR_DECIMAL = 2,        /* str.isdecimal, \d */
    IX_CHAR_DIGIT = 4,          /* str.isdigit */
    IX_CHAR_NUMERIC = 8,        /* str.isnumeric */
    IX_CHAR_LOWER = 16,         /* property Lowercase */
    IX_CHAR_UPPER = 32,         /* property Uppercase */
    IX_CHAR_TITLE = 64,         /* category Lt */
    IX_CHAR_IGNORABLE = 128,    /* property Case_Ignorable */
    IX_CHAR_SPACE = 256,        /* str.isspace, \s */
    IX_CHAR_LINE_END = 512,     /* str.splitlines */
    IX_CHAR_PRINTABLE = 1024,   /* str.isprintable */
    IX_CHAR_ID_START = 2048,    /* str.isidentifier, first */
    IX_CHAR_ID_CONTINUE = 4096, /* and further on */
    IX_CHAR_CASED = IX_CHAR_LOWER | IX_CHAR_UPPER | IX_CHAR_TITLE,
    IX_CHAR_ALNUM = IX_CHAR_ALPHA | IX_CHAR_DECIMAL | IX_CHAR_DIGIT | IX_CHAR_NUMERIC,
};

enum { IX_CASE_UPPER, IX_CASE_LOWER, IX_CASE_TITLE, IX_CASE_FOLD, IX_CASE_COUNT };

typedef struct ix_char {
    int32_t to[IX_CASE_COUNT]; /* c + to[] is the other case; or the row of ix_chars_special */
    uint16_t flags;
    uint8_t many;   /* bit k: to[k] is a row */
    uint8_t number; /* of a decimal digit */
} ix_char;

/* The generated table: kinds[blocks[index[c / 128]][c % 128]]. */
extern const ix_char ix_chars_kinds[];
extern const uint16_t ix_chars_index[];
extern const uint16_t ix_chars_blocks[][128];
extern const uint16_t ix_chars_special[][4]; /* count, code points */

static inline const ix_char *ix_char_of(uint32_t c)
{
    if (c > 0x10FFFF)
        c = 0xFFFF; /* is nothing */
    return &ix_chars_kinds[ix_chars_blocks[ix_chars_index[c >> 7]][c & 127]];
}

static inline bool ix_char_is(uint32_t c, unsigned flags)
{
    return ix_char_of(c)->flags & flags;
}

/* The full case mapping of one character without its context (final sigma is the caller's). */
static inline size_t ix_char_map(uint32_t c, int which, uint32_t out[3])
{
    const ix_char *k = ix_char_of(c);
    if (!(k->many >> which & 1)) {
        out[0] = (uint32_t)((int32_t)c + k->to[which]);
        return 1;
    }
    const uint16_t *row = ix_chars_special[k->to[which]];
    for (size_t i = 0; i < row[0]; i++)
        out[i] = row[i + 1];
    return row[0];
}

#endif
