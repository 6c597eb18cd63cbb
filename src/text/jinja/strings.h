/* What several files of the library do with strings: walking over characters with their marks, the
 * operations of Python's str that filters and methods share, text of numbers.
 *
 * Where a function takes `safe`, its result is Markup if that is set: the method of a Markup gives
 * Markup, the same method of a str gives str. */
#ifndef IX_TEXT_JINJA_STRINGS_H
#define IX_TEXT_JINJA_STRINGS_H

#include "text/jinja/chars.h"
#include "text/jinja/library.h"
#include "text/unicode.h"

/* ---- walking --------------------------------------------------------------------------------- */

typedef struct ix_jwalk {
    const ix_jstring *s;
    size_t at; /* of the next character */
    uint32_t span;
} ix_jwalk;

/* True if there is a further character: *c, and *user where a user wrote it. */
static inline bool ix_jwalk_next(ix_jwalk *w, uint32_t *c, bool *user)
{
    const ix_jstring *s = w->s;
    if (w->at >= s->size)
        return false;
    *user = s->origin == IX_J_USER;
    if (s->origin == IX_J_MIXED) {
        while (w->span < s->span_count && s->spans[w->span].end <= w->at)
            w->span++;
        *user = w->span < s->span_count && s->spans[w->span].start <= w->at;
    }
    w->at += ix_utf8_read(s->data + w->at, s->size - w->at, c);
    return true;
}

/* The character at byte `at`, which is inside the string; *size of its bytes. */
static inline uint32_t ix_js_read(const ix_jstring *s, size_t at, size_t *size)
{
    uint32_t c;
    *size = ix_utf8_read(s->data + at, s->size - at, &c);
    return c;
}

/* Where the character before byte `at` (> 0) begins. */
static inline size_t ix_js_before(const ix_jstring *s, size_t at)
{
    do
        at--;
    while (at > 0 && ((unsigned char)s->data[at] & 0xC0) == 0x80);
    return at;
}

/* True if any of the bytes [start, end) comes from a user. */
bool ix_js_any_user(const ix_jstring *s, size_t start, size_t end);

/* ---- arguments ------------------------------------------------------------------------------- */

/* Argument i of a method, which has to be a str. */
inox_status ix_js_argument(const ix_jcall *c, int i, ix_jstring **out, inox_error *err) IX_MUST_USE;
/* Fails with "NAME() argument N must be str, not TYPE". */
inox_status ix_js_not_str(const ix_jcall *c, int i, inox_error *err) IX_MUST_USE;
/* Arguments i and i + 1 as the bounds of a slice (none, index, or missing), as byte positions of
 * s; *valid is false where start lies behind the end. */
inox_status ix_js_bounds(const ix_jcall *c, int i, ix_jstring *s, size_t *start, size_t *end,
                         bool *valid, inox_error *err) IX_MUST_USE;

/* ---- operations ------------------------------------------------------------------------------ */

typedef enum ix_jcase {
    IX_J_UPPER_CASE,
    IX_J_LOWER_CASE,
    IX_J_FOLD_CASE,
    IX_J_SWAP_CASE,
    IX_J_TITLE_CASE, /* str.title */
    IX_J_CAPITALIZE,
} ix_jcase;

/* Appends bytes [start, end) of s, taken for a string of their own, in another case. */
inox_status ix_js_case_part(ix_jbuilder *b, const ix_jstring *s, size_t start, size_t end,
                            ix_jcase to, inox_error *err) IX_MUST_USE;
inox_status ix_js_case(ix_jrender *r, const ix_jstring *s, ix_jcase to, bool safe, ix_jvalue *out,
                       inox_error *err) IX_MUST_USE;

/* *out = bytes [start, end) of s. */
inox_status ix_js_part(ix_jrender *r, ix_jstring *s, size_t start, size_t end, bool safe,
                       ix_jvalue *out, inox_error *err) IX_MUST_USE;

enum { IX_J_LEFT = 1, IX_J_RIGHT = 2 };
/* [*start, *end) of s without the characters of `set` (white space where that is NULL) at the
 * sides. */
inox_status ix_js_strip(ix_jrender *r, const ix_jstring *s, const ix_jstring *set, int sides,
                        size_t *start, size_t *end, inox_error *err) IX_MUST_USE;

/* s.replace(old, new, count); a negative count: all. */
inox_status ix_js_replace(ix_jrender *r, ix_jstring *s, const ix_jstring *old,
                          const ix_jstring *new, int64_t count, bool safe, ix_jvalue *out,
                          inox_error *err) IX_MUST_USE;

/* The line that begins at byte `from` (< s->size) ends at *end; the next one begins at *next. */
void ix_js_line(const ix_jstring *s, size_t from, size_t *end, size_t *next);

/* Appends n times the same text. */
inox_status ix_js_repeat(ix_jbuilder *b, const ix_jstring *what, int64_t n,
                         inox_error *err) IX_MUST_USE;
inox_status ix_js_fill(ix_jbuilder *b, uint32_t c, bool user, int64_t n,
                       inox_error *err) IX_MUST_USE;

/* s in the middle of `width` characters, as str.center and its like. */
typedef enum ix_jalign { IX_J_CENTER, IX_J_LJUST, IX_J_RJUST } ix_jalign;
inox_status ix_js_justify(ix_jrender *r, ix_jstring *s, ix_jalign align, int64_t width,
                          uint32_t fill, bool fill_user, bool safe, ix_jvalue *out,
                          inox_error *err) IX_MUST_USE;

/* The sandbox's str.format and format_map (format.c). */
inox_status ix_js_format(ix_jrender *r, ix_jstring *s, const ix_jvalue *args, size_t count,
                         const ix_jkeyword *keywords, size_t keyword_count, ix_jvalue mapping,
                         ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* format(v, spec): Python's mini-language (spec.c). */
inox_status ix_js_format_value(ix_jbuilder *b, ix_jvalue v, ix_jstring *spec,
                               inox_error *err) IX_MUST_USE;

/* Appends ascii(v): repr(v) with escapes for everything beyond ASCII. */
inox_status ix_js_ascii(ix_jbuilder *b, ix_jvalue v, inox_error *err) IX_MUST_USE;

/* html.unescape(s), with tags and extra white space removed first by markupsafe's striptags where
 * that is asked for (html.c). */
inox_status ix_js_unescape(ix_jrender *r, ix_jstring *s, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;
inox_status ix_js_strip_tags(ix_jrender *r, ix_jstring *s, ix_jvalue *out,
                             inox_error *err) IX_MUST_USE;

/* ---- numbers as text ------------------------------------------------------------------------- */

enum { IX_J_FLOAT_ALTERNATE = 1, IX_J_FLOAT_DOT_ZERO = 2, IX_J_FLOAT_NO_NEGATIVE_ZERO = 4 };
/* The text of a float as Python's formatter writes it: style e f g (E F G) with a precision, or 'r'
 * for the shortest; in the rendering's memory. */
inox_status ix_js_float(ix_jrender *r, double x, char style, int64_t precision, int flags,
                        const char **text, size_t *size, inox_error *err) IX_MUST_USE;

/* int(s, base) and float(s) of Python, with its decimal digits of any script; *ok is false where it
 * is none. */
inox_status ix_js_parse_int(ix_jrender *r, const ix_jstring *s, int base, ix_jvalue *out, bool *ok,
                            inox_error *err) IX_MUST_USE;
inox_status ix_js_parse_float(ix_jrender *r, const ix_jstring *s, double *out, bool *ok,
                              inox_error *err) IX_MUST_USE;

/* int(v) and float(v) of Python, failing as they do. */
inox_status ix_js_int_of(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err) IX_MUST_USE;
inox_status ix_js_float_of(ix_jrender *r, ix_jvalue v, double *out, inox_error *err) IX_MUST_USE;

#endif
