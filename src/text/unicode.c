/* Reading and writing UTF-8, and normalization form C with a map back to the source.
 *
 * Normalization works on segments: a segment starts at a character that nothing before it can
 * change or absorb, and ends before the next such character.  Only segments that hold something
 * else are decomposed, sorted and composed; a segment that comes out as it went in keeps its
 * offsets. All steps are linear in the text (a run of combining marks is sorted by counting).
 */
#include "text/unicode.h"

#include "base/alloc.h"

#include <string.h>
#include <utf8proc.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

size_t ix_utf8_read_long(const char *p, size_t left, uint32_t *c)
{
    unsigned lead = (unsigned char)*p;
    size_t n = lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
    *c = IX_BAD_CHARACTER;
    if (n == 0 || n > left)
        return 1;
    uint32_t value = lead & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (!is_continuation(p[i]))
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

/* ---- normalization ------------------------------------------------------------------------- */

typedef struct code_points {
    utf8proc_int32_t *items, *spare;
    size_t count, capacity, spare_capacity;
} code_points;

/* The original tokenizers' normalization is of an older Unicode: what it does not know is a
 * starter. */
static unsigned combining_class(utf8proc_int32_t c)
{
    if (ix_unicode_properties((uint32_t)c) & IX_LATE_MARK)
        return 0;
    return (unsigned)utf8proc_get_property(c)->combining_class;
}

/* A character that starts a segment: composition never takes it apart or joins it to what is
 * before. (What may join backwards is a mark, or a vowel or final consonant of conjoining
 * Hangul.) */
static bool starts_segment(uint32_t c)
{
    if (c < 0x300 || c == IX_BAD_CHARACTER)
        return true;
    if ((c >= 0x3400 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3))
        return true;
    if ((c >= 0x1160 && c <= 0x11FF) || (ix_unicode_properties(c) & IX_MARK))
        return false;
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
    if (p->combining_class != 0)
        return false;
    return p->decomp_seqindex == UINT16_MAX || p->decomp_type != 0;
}

static inox_status decompose(code_points *b, uint32_t c, inox_error *err)
{
    enum { LONGEST = 32 };
    if (b->count + LONGEST > b->capacity) {
        size_t capacity = b->capacity * 2 + 256;
        IX_TRY(IX_REALLOC(&b->items, capacity, err));
        b->capacity = capacity;
    }
    int bounds = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, b->items + b->count, LONGEST,
                                                 UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, &bounds);
    if (n < 1 || n > LONGEST) { /* libutf8proc knows no such character: it stays */
        b->items[b->count] = (utf8proc_int32_t)c;
        n = 1;
    }
    b->count += (size_t)n;
    return INOX_OK;
}

/* Sorts marks [from, to) by their class, stably. */
static inox_status sort_marks(code_points *b, size_t from, size_t to, inox_error *err)
{
    utf8proc_int32_t *a = b->items;
    if (to - from < 24) {
        for (size_t i = from + 1; i < to; i++)
            for (size_t j = i; j > from && combining_class(a[j - 1]) > combining_class(a[j]); j--) {
                utf8proc_int32_t swap = a[j];
                a[j] = a[j - 1];
                a[j - 1] = swap;
            }
        return INOX_OK;
    }
    if (b->spare_capacity < to - from) {
        IX_TRY(IX_REALLOC(&b->spare, to - from, err));
        b->spare_capacity = to - from;
    }
    size_t next[257] = { 0 };
    for (size_t i = from; i < to; i++)
        next[(combining_class(a[i]) & 255) + 1]++;
    for (size_t k = 1; k < 257; k++)
        next[k] += next[k - 1];
    for (size_t i = from; i < to; i++)
        b->spare[next[combining_class(a[i]) & 255]++] = a[i];
    memcpy(a + from, b->spare, (to - from) * sizeof *a);
    return INOX_OK;
}

/* Starters that compose with nothing before them, but libutf8proc thinks so: it takes the first
 * for a mark, and loses U+11A7 behind a syllable (release 2.8 counts it among the final
 * consonants). */
static bool stays_apart(uint32_t c)
{
    return (ix_unicode_properties(c) & IX_LATE_MARK) || c == 0x11A7;
}

/* Composes in place. */
static inox_status compose(code_points *b, inox_error *err)
{
    size_t kept = 0;
    for (size_t from = 0, to; from < b->count; from = to) {
        for (to = from + 1; to < b->count; to++)
            if (stays_apart((uint32_t)b->items[to]))
                break;
        utf8proc_ssize_t n = utf8proc_normalize_utf32(
            b->items + from, (utf8proc_ssize_t)(to - from), UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        if (n < 0)
            return ix_fail(err, INOX_E_INTERNAL, "libutf8proc: %s", utf8proc_errmsg(n));
        memmove(b->items + kept, b->items + from, (size_t)n * sizeof *b->items);
        kept += (size_t)n;
    }
    b->count = kept;
    return INOX_OK;
}

/* The segment text[0..size) in normalization form C, as code points. */
static inox_status compose_segment(const char *text, size_t size, code_points *b, inox_error *err)
{
    b->count = 0;
    for (size_t at = 0; at < size;) {
        uint32_t c;
        at += ix_utf8_read(text + at, size - at, &c);
        IX_TRY(decompose(b, c == IX_BAD_CHARACTER ? 0xFFFD : c, err));
    }
    for (size_t from = 0; from < b->count;) {
        size_t to = from;
        while (to < b->count && combining_class(b->items[to]) != 0)
            to++;
        if (to > from + 1)
            IX_TRY(sort_marks(b, from, to, err));
        from = to + 1;
    }
    return compose(b, err);
}

/* Bytes of the segment at the beginning of text, and whether it needs a closer look. */
static size_t next_segment(const char *text, size_t size, bool nfc, bool *plain)
{
    uint32_t c;
    char as[4];
    size_t n = ix_utf8_read(text, size, &c);
    *plain = c != IX_BAD_CHARACTER && ix_utf8_write(c, as) == n;
    if (!nfc)
        return n;
    if (!starts_segment(c))
        *plain = false; /* the text begins with it */
    while (n < size) {
        if ((unsigned char)text[n] < 0x80)
            return n;
        size_t step = ix_utf8_read(text + n, size - n, &c);
        if (starts_segment(c))
            return n;
        *plain = false;
        n += step;
    }
    return n;
}

/* One segment onto the end of `out`, or, with out NULL, just *changed. */
static inox_status clean_segment(const char *text, size_t size, uint32_t at, bool nfc,
                                 code_points *b, ix_mapped_text *out, bool *changed,
                                 inox_error *err)
{
    char bytes[4];
    if (nfc) {
        IX_TRY(compose_segment(text, size, b, err));
    } else {
        uint32_t c;
        (void)ix_utf8_read(text, size, &c);
        b->count = 0;
        IX_TRY(decompose(b, 0, err)); /* makes room */
        b->items[0] = (utf8proc_int32_t)(c == IX_BAD_CHARACTER ? 0xFFFD : c);
    }
    size_t matched = 0;
    *changed = false;
    for (size_t i = 0; i < b->count && !*changed; i++) {
        size_t n = ix_utf8_write((uint32_t)b->items[i], bytes);
        *changed = n > size - matched || memcmp(text + matched, bytes, n) != 0;
        matched += n;
    }
    *changed = *changed || matched != size;
    if (!out)
        return INOX_OK;
    if (!*changed)
        return ix_mapped_append_same(out, text, size, at, err);
    for (size_t i = 0; i < b->count; i++) {
        size_t n = ix_utf8_write((uint32_t)b->items[i], bytes);
        IX_TRY(ix_mapped_append(out, bytes, n, at, at + (uint32_t)size, err));
    }
    return INOX_OK;
}

static inox_status clean(const char *text, size_t size, uint32_t base, bool nfc, code_points *b,
                         ix_mapped_text *out, inox_error *err)
{
    size_t same = 0; /* text[0..same) needs no change */
    bool plain, changed = false;
    while (same < size && !changed) {
        if ((unsigned char)text[same] < 0x80 &&
            (same + 1 == size || (unsigned char)text[same + 1] < 0x80)) {
            same++;
            continue;
        }
        size_t n = next_segment(text + same, size - same, nfc, &plain);
        if (!plain)
            IX_TRY(clean_segment(text + same, n, 0, nfc, b, NULL, &changed, err));
        same += changed ? 0 : n;
    }
    if (same == size)
        return INOX_OK;
    IX_TRY(ix_mapped_append_same(out, text, same, base, err));
    while (same < size) {
        size_t n = next_segment(text + same, size - same, nfc, &plain);
        if (plain)
            IX_TRY(ix_mapped_append_same(out, text + same, n, base + (uint32_t)same, err));
        else
            IX_TRY(
                clean_segment(text + same, n, base + (uint32_t)same, nfc, b, out, &changed, err));
        same += n;
    }
    return INOX_OK;
}

inox_status ix_clean_text(const char *text, size_t size, uint32_t base, bool nfc,
                          ix_mapped_text *out, inox_error *err)
{
    code_points b = { 0 };
    *out = (ix_mapped_text){ .data = text, .size = 0, .base = base };
    inox_status status = clean(text, size, base, nfc, &b, out, err);
    ix_free(b.items);
    ix_free(b.spare);
    if (status != INOX_OK)
        ix_mapped_release(out);
    else if (!out->owned)
        *out = (ix_mapped_text){ .data = text, .size = size, .base = base };
    return status;
}
