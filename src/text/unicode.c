/* Reading and writing UTF-8, and normalization form C with a map back to the source.
 *
 * Normalization works on segments: a segment starts at a character that nothing before it can
 * change or absorb, and ends before the next such character.  Only segments that hold something
 * else are decomposed, sorted and composed; a segment that comes out as it went in keeps its
 * offsets. All steps are linear in the text (a run of combining marks is sorted by counting).
 */
#include "text/unicode.h"
#include "text/fast_parts.h"
#include "text/load.h"

#include "text/normal.h"

#include <string.h>

size_t ix_utf8_read_long(const char *p, size_t left, uint32_t *c)
{
    unsigned lead = (unsigned char)*p;
    size_t n = lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
    *c = IX_BAD_CHARACTER;
    if (n == 0 || n > left)
        return 1;
    uint32_t value = lead & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (!ix_utf8_goes_on(p[i]))
            return 1;
        value = value << 6 | ((unsigned char)p[i] & 0x3F);
    }
    if (value > 0x10FFFF)
        return 1;
    *c = value;
    return n;
}

size_t ix_utf8_write(uint32_t c, char out[4])
{
    if (c == IX_BAD_CHARACTER)
        c = 0xFFFD;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char)((0xF00u >> n & 0xF0) | c);
    return n;
}

size_t ix_utf8_prefix(const char *p, size_t left, bool *whole, bool *bad)
{
    unsigned lead = (unsigned char)*p;
    *whole = true;
    *bad = false;
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4) {
        *bad = true;
        return 1;
    }
    size_t n = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    for (size_t i = 1; i < n; i++) {
        if (i == left) {
            *whole = false;
            return i;
        }
        unsigned low = 0x80, high = 0xBF, byte = (unsigned char)p[i];
        if (i == 1) { /* no overlong forms, no surrogates, nothing above U+10FFFF */
            low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
            high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        }
        if (byte < low || byte > high) {
            *bad = true;
            return i;
        }
    }
    return n;
}

static bool is_ascii(const char *p, size_t n)
{
    uint64_t any = 0, eight;
    for (size_t i = 0; i < n; i += 8) {
        memcpy(&eight, p + i, 8);
        any |= eight;
    }
    return (any & 0x8080808080808080u) == 0;
}

/* Bytes of the character that p[0..left) begins with, one beyond ASCII; 0: it is none. */
static inline size_t good_character(const char *p, size_t left)
{
    bool whole, bad;
    unsigned lead = (unsigned char)*p;
    if (left >= 2 && lead - 0xC2 < 0x1E && ix_utf8_goes_on(p[1]))
        return 2;
    if (left >= 3 && lead - 0xE1 < 0x0C && ix_utf8_goes_on(p[1]) && ix_utf8_goes_on(p[2]))
        return 3;
    if (left >= 4 && lead == 0xF0 && (unsigned char)p[1] - 0x90u < 0x30 && ix_utf8_goes_on(p[2]) &&
        ix_utf8_goes_on(p[3]))
        return 4;
    size_t n = ix_utf8_prefix(p, left, &whole, &bad);
    return bad || !whole ? 0 : n;
}

/* Bytes of well-formed characters at the beginning of p[0..8): four of two bytes, or two of three
 * bytes, or 0 where there are not so many. */
static inline size_t good_eight(const char *p)
{
    uint64_t x = ix_load8(p);
    if ((x & 0xC0E0C0E0C0E0C0E0u) == 0x80C080C080C080C0u) { /* no lead is C0 or C1 */
        uint64_t leads = (x & 0x001E001E001E001Eu) + 0x00FF00FF00FF00FFu;
        return (leads & 0x0100010001000100u) == 0x0100010001000100u ? 8 : 0;
    }
    if ((x & 0x0000C0C0F0C0C0F0u) != 0x00008080E08080E0u)
        return 0;
    unsigned first = x & 15, second = x >> 24 & 15; /* of E0 and ED not all is well-formed */
    return first != 0 && first != 13 && second != 0 && second != 13 ? 6 : 0;
}

size_t ix_utf8_good(const char *text, size_t size)
{
    enum { BLOCK = 64 };
    bool blocks_left = true;
    size_t at = 0, n;
    while (at < size) {
        if ((unsigned char)text[at] >= 0x80 && blocks_left && size - at >= BLOCK) {
            ix_utf8_blocks blocks = ix_block_sets(0)->good;
            at += blocks ? blocks(text + at, size - at) : 0;
            blocks_left = false; /* what they leave is the end, or not far from what is bad */
        }
        for (; at < size && (unsigned char)text[at] >= 0x80; at += n) {
            n = size - at >= 8 ? good_eight(text + at) : 0;
            if (n > 0)
                continue;
            n = good_character(text + at, size - at);
            if (n == 0)
                return at;
        }
        while (size - at >= BLOCK && is_ascii(text + at, BLOCK))
            at += BLOCK;
        while (size - at >= 8 && is_ascii(text + at, 8))
            at += 8;
        while (at < size && (unsigned char)text[at] < 0x80)
            at++;
    }
    return at;
}

/* ---- normalization ------------------------------------------------------------------------- */

/* The segment text[0..size) as characters, in normalization form C or as it is. */
static inox_status read_segment(const char *text, size_t size, bool nfc, ix_chars *list,
                                inox_error *err)
{
    list->count = 0;
    for (size_t at = 0; at < size;) {
        ix_char item = { .from = 0 };
        at += ix_utf8_read(text + at, size - at, &item.c);
        if (item.c == IX_BAD_CHARACTER)
            item.c = 0xFFFD;
        IX_TRY(ix_chars_add(list, item, err));
    }
    return nfc ? ix_chars_normalize(list, IX_NFC, err) : INOX_OK;
}

/* Bytes of the segment at the beginning of text, and whether it needs a closer look. */
static size_t next_segment(const char *text, size_t size, bool nfc, bool *plain)
{
    uint32_t c;
    char as[4];
    size_t n = ix_utf8_read(text, size, &c);
    unsigned kind = ix_normal_kind(c);
    *plain = c != IX_BAD_CHARACTER && ix_utf8_write(c, as) == n;
    if (!nfc)
        return n;
    if (kind & (IX_NORMAL_NFC | IX_NORMAL_JOINS)) /* the text begins with one that joins */
        *plain = false;
    while (n < size) {
        if ((unsigned char)text[n] < 0x80)
            return n;
        size_t step = ix_utf8_read(text + n, size - n, &c);
        if (!(ix_normal_kind(c) & IX_NORMAL_JOINS))
            return n;
        *plain = false;
        n += step;
    }
    return n;
}

/* Whether the characters are text[0..size). */
static bool is_same(const ix_chars *list, const char *text, size_t size)
{
    char bytes[4];
    size_t matched = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t n = ix_utf8_write(list->items[i].c, bytes);
        if (n > size - matched || memcmp(text + matched, bytes, n) != 0)
            return false;
        matched += n;
    }
    return matched == size;
}

/* Where the first segment from `at` on begins that needs a closer look, and its bytes. */
static size_t plain_end(const char *text, size_t at, size_t size, bool nfc, size_t *n)
{
    enum { BLOCK = 64 };
    for (bool plain; at < size; at += *n) {
        if (!nfc)
            at += ix_utf8_good(text + at, size - at);
        while (size - at > BLOCK && is_ascii(text + at, BLOCK))
            at += BLOCK - 1; /* the last may go with what follows */
        while (size - at > 1 && (unsigned char)(text[at] | text[at + 1]) < 0x80)
            at++;
        *n = at < size ? next_segment(text + at, size - at, nfc, &plain) : 0;
        if (at < size && !plain)
            break;
    }
    return at;
}

static inox_status clean(const char *text, size_t size, uint32_t base, bool nfc, ix_chars *list,
                         ix_mapped_text *out, inox_error *err)
{
    static const char bad[] = "\xEF\xBF\xBD";
    size_t from = 0, n; /* text[from..at) stays */
    for (size_t at = 0; (at = plain_end(text, at, size, nfc, &n)) < size; at += n) {
        uint32_t start = base + (uint32_t)at, end = start + (uint32_t)n;
        bool is_bad = n == 1 && (unsigned char)text[at] >= 0x80;
        if (!is_bad) {
            IX_TRY(read_segment(text + at, n, nfc, list, err));
            if (is_same(list, text + at, n))
                continue;
        }
        IX_TRY(ix_mapped_append_same(out, text + from, at - from, base + (uint32_t)from, err));
        from = at + n;
        if (is_bad)
            IX_TRY(ix_mapped_append(out, bad, sizeof bad - 1, start, end, err));
        for (size_t i = 0; i < list->count && !is_bad; i++) {
            char bytes[4];
            size_t k = ix_utf8_write(list->items[i].c, bytes);
            IX_TRY(ix_mapped_append(out, bytes, k, start, end, err));
        }
    }
    if (from == 0)
        return INOX_OK;
    return ix_mapped_append_same(out, text + from, size - from, base + (uint32_t)from, err);
}

inox_status ix_clean_text(const char *text, size_t size, uint32_t base, bool nfc,
                          ix_mapped_text *out, inox_error *err)
{
    ix_chars list = { 0 };
    *out = (ix_mapped_text){ .data = text, .size = 0, .base = base };
    inox_status status = clean(text, size, base, nfc, &list, out, err);
    ix_chars_release(&list);
    if (status != INOX_OK)
        ix_mapped_release(out);
    else if (!out->owned) /* nothing changed */
        *out = (ix_mapped_text){ .data = text, .size = size, .base = base };
    return status;
}
