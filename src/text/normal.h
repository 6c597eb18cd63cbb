/* What normalizers and pre-tokenizers know about characters, and characters on their way through
 * several steps.  Private to normalizer.c and its neighbours; the tables are written by
 * tools/make_normal.py.
 */
#ifndef IX_TEXT_NORMAL_H
#define IX_TEXT_NORMAL_H

#include "text/mapped.h"
#include "text/normalizer.h"
#include "text/unicode.h"

/* ---- characters ---------------------------------------------------------------------------- */

enum {
    IX_NORMAL_NFD = 1, /* the form is not the character itself */
    IX_NORMAL_NFKD = 2,
    IX_NORMAL_NFC = 4,
    IX_NORMAL_NFKC = 8,
    IX_NORMAL_JOINS = 16,  /* what is before it may change with it, in some form */
    IX_NORMAL_SECOND = 32, /* composes with some character before it */
    IX_NORMAL_LOWER = 64,  /* its lower case is another */
    IX_NORMAL_CLEAN = 128, /* BertNormalizer's clean_text takes it away */
    IX_NORMAL_SPACE = 256, /* White_Space */
    IX_NORMAL_CHINESE = 512,
    IX_NORMAL_NONSPACING = 1024, /* BertNormalizer's strip_accents takes it away */
    IX_NORMAL_MARK = 2048,       /* StripAccents takes it away */
    IX_NORMAL_WORD = 4096,       /* \w of the pre-tokenizer Whitespace */
    IX_NORMAL_ORDER = 16,        /* from this bit on: the combining class */
};
#define IX_NORMAL_HAS_ORDER 0xFF0000u

extern const uint32_t ix_normal_kinds[];
extern const uint16_t ix_normal_kind_index[], ix_normal_place_index[], ix_script_index[],
    ix_cluster_index[];
extern const uint8_t ix_normal_kind_blocks[][128], ix_script_blocks[][128],
    ix_cluster_blocks[][128];
extern const uint16_t ix_normal_place_blocks[][128];
/* At the place of a character: counts (5 bits of canonical decomposition, 5 bits of compatible
 * decomposition, 31: the same, 2 bits of lower case, 8 bits of compositions), then the code points
 * of the first three, and (second, whole) of each composition, seconds ascending. */
extern const uint32_t ix_normal_pool[];

static inline unsigned ix_normal_kind(uint32_t c)
{
    return c > 0x10FFFF
               ? 0
               : ix_normal_kinds[ix_normal_kind_blocks[ix_normal_kind_index[c >> 7]][c & 127]];
}
static inline unsigned ix_normal_order(unsigned kind)
{
    return kind >> IX_NORMAL_ORDER;
}
/* Number of the script for UnicodeScripts (0: none, "Any"). */
static inline unsigned ix_script(uint32_t c)
{
    return c > 0x10FFFF ? 0 : ix_script_blocks[ix_script_index[c >> 7]][c & 127];
}

enum { IX_NORMAL_DECOMPOSED = 4 }; /* no canonical decomposition has more characters */

/* The canonical decomposition of a character, all the way, or itself: their number. */
size_t ix_normal_decompose(uint32_t c, uint32_t to[IX_NORMAL_DECOMPOSED]);

/* The lower case of a character: code points in *to, at most 3, and their number. */
size_t ix_normal_lower(uint32_t c, const uint32_t **to);

/* Bytes of the grapheme cluster at the beginning of text; size > 0. */
size_t ix_cluster_size(const char *text, size_t size);

/* ---- a text being edited ------------------------------------------------------------------- */

/* An ix_rewrite that only begins where something changes.  Positions go up. */
typedef struct ix_edit {
    ix_mapped_text *text;
    ix_rewrite rewrite;
    bool begun;
    size_t kept; /* before it, all is written (if begun); behind it, nothing yet */
} ix_edit;

static inline void ix_edit_begin(ix_edit *e, ix_mapped_text *text)
{
    *e = (ix_edit){ .text = text };
}
/* Text up to `from` stays; [from, to) goes, and `bytes` stands for it. */
inox_status ix_edit_replace(ix_edit *e, size_t from, size_t to, const char *bytes, size_t n,
                            inox_error *err) IX_MUST_USE;
/* The same in parts: what follows is written with ix_rewrite_put and the like to e->rewrite. */
inox_status ix_edit_open(ix_edit *e, size_t from, inox_error *err) IX_MUST_USE;
static inline void ix_edit_close(ix_edit *e, size_t to)
{
    e->kept = to;
}
/* The new text takes the place of the old one, unless `status` is a failure; returns that, or the
 * failure of its own. */
inox_status ix_edit_end(ix_edit *e, inox_status status, inox_error *err) IX_MUST_USE;

/* ---- characters on their way --------------------------------------------------------------- */

/* A character and the bytes of the old text that it stands for. */
typedef struct ix_char {
    uint32_t c, from, to;
    int32_t change; /* against the list before: 1: added, 0: replaces one, -n: and takes n behind */
    uint8_t order;
} ix_char;

/* Two lists, of which a step reads the first and writes the second, and then they change places. */
typedef struct ix_chars {
    ix_char *items, *other;
    size_t count, other_count, capacity, other_capacity;
} ix_chars;

inox_status ix_chars_add(ix_chars *l, ix_char item, inox_error *err) IX_MUST_USE;
/* A step: onto the other list, and at its end the lists change places. */
inox_status ix_chars_add_other(ix_chars *l, ix_char item, inox_error *err) IX_MUST_USE;
void ix_chars_swap(ix_chars *l);
void ix_chars_release(ix_chars *l);
/* The list in a normalization form, with the ranges that the library gives. */
inox_status ix_chars_normalize(ix_chars *l, ix_normal_form form, inox_error *err) IX_MUST_USE;
/* Writes the list in the place of the old bytes [from, to). */
inox_status ix_chars_write(const ix_chars *l, ix_edit *e, size_t from, size_t to,
                           inox_error *err) IX_MUST_USE;

/* BertNormalizer. */
typedef struct ix_bert_options {
    bool clean_text, handle_chinese_chars, strip_accents, lowercase;
} ix_bert_options;
inox_status ix_normalize_bert(const ix_bert_options *o, ix_mapped_text *text,
                              inox_error *err) IX_MUST_USE;
/* Precompiled. */
struct ix_charsmap;
inox_status ix_normalize_charsmap(const struct ix_charsmap *map, ix_mapped_text *text,
                                  inox_error *err) IX_MUST_USE;
/* Lowercase. */
inox_status ix_normalize_lower(ix_mapped_text *text, inox_error *err) IX_MUST_USE;

#endif
