/* Strings with marks, and the builder that makes them.
 *
 * Invariant: the spans of a string are in order, apart (no two touch), not empty, and end within
 * it; a string all of whose bytes are a user's is IX_J_USER and has none.  The data of a string is
 * never written after the string exists.
 */
#include "text/jinja/render.h"
#include "text/unicode.h"

#include <string.h>

/* ---- strings --------------------------------------------------------------------------------- */

static size_t count_characters(const char *data, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)data[i] & 0xC0) != 0x80;
    return count;
}

size_t ix_j_length(ix_jstring *s)
{
    if (s->length == IX_J_UNCOUNTED)
        s->length = (uint32_t)count_characters(s->data, s->size);
    return s->length;
}

static size_t character_bytes(unsigned char first)
{
    return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t ix_j_byte_of(ix_jstring *s, size_t at)
{
    size_t byte = 0;

    if (ix_j_is_ascii(s))
        return at;
    if (at >= ix_j_length(s))
        return s->size;
    while (at-- > 0)
        byte += character_bytes((unsigned char)s->data[byte]);
    return byte;
}

size_t ix_j_character_at(const ix_jstring *s, size_t at)
{
    if (s->length == s->size)
        return at;
    return count_characters(s->data, at);
}

uint32_t ix_j_hash_bytes(const char *data, size_t size)
{
    uint64_t h = ix_j_hash_begin(size), x = 0;

    for (; size >= 8; size -= 8, data += 8) {
        memcpy(&x, data, 8);
        h = ix_j_hash_word(h, x);
    }
    for (x = 0; size > 0; size--)
        x = x << 8 | (unsigned char)data[size - 1];
    return ix_j_hash_end(h, x);
}

inox_status ix_j_string_view(ix_jrender *r, const char *data, size_t size, ix_jvalue *out,
                             inox_error *err)
{
    return ix_j_make_string(r, data, size, IX_J_TEMPLATE, out, err);
}

inox_status ix_j_string_copy(ix_jrender *r, const char *data, size_t size, ix_jvalue *out,
                             inox_error *err)
{
    void *copy = NULL;

    if (size > 0) {
        IX_TRY(ix_j_take(r, size, &copy, err));
        memcpy(copy, data, size);
    }
    return ix_j_make_string(r, copy, size, IX_J_TEMPLATE, out, err);
}

/* The number of the first span that ends behind byte `at`. */
static uint32_t first_span(const ix_jspan *spans, uint32_t count, size_t at)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (spans[middle].end > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The marks of bytes [start, end) of s, for a string that is them. */
static inox_status cut_spans(ix_jrender *r, const ix_jstring *s, size_t start, size_t end,
                             ix_jstring *out, inox_error *err)
{
    uint32_t from = first_span(s->spans, s->span_count, start), to = from;
    ix_jspan *spans;

    while (to < s->span_count && s->spans[to].start < end)
        to++;
    out->origin = IX_J_TEMPLATE;
    if (to == from || start == end)
        return INOX_OK;
    if (to == from + 1 && s->spans[from].start <= start && s->spans[from].end >= end) {
        out->origin = IX_J_USER;
        return INOX_OK;
    }
    IX_TRY(ix_j_steps(r, (to - from) / 8, err));
    IX_TRY(IX_J_ALLOC(r, &spans, to - from, err));
    for (uint32_t i = from; i < to; i++) {
        size_t a = s->spans[i].start, b = s->spans[i].end;

        spans[i - from].start = (uint32_t)(a < start ? 0 : a - start);
        spans[i - from].end = (uint32_t)((b > end ? end : b) - start);
    }
    out->origin = IX_J_MIXED;
    out->spans = spans;
    out->span_count = to - from;
    return INOX_OK;
}

inox_status ix_j_slice(ix_jrender *r, ix_jstring *s, size_t start, size_t end, ix_jvalue *out,
                       inox_error *err)
{
    if (start == 0 && end == s->size && !s->safe) {
        *out = ix_j_of_string(s);
        return INOX_OK;
    }
    IX_TRY(ix_j_make_string(r, s->data + start, end - start, IX_J_TEMPLATE, out, err));
    ix_jstring *part = out->string;
    if (s->length == s->size) /* one byte per character there, so here */
        part->length = part->size;
    if (s->origin == IX_J_MIXED)
        return cut_spans(r, s, start, end, part, err);
    part->origin = s->origin;
    return INOX_OK;
}

inox_status ix_j_with_safe(ix_jrender *r, ix_jstring *s, bool safe, ix_jvalue *out, inox_error *err)
{
    ix_jstring *copy;

    if (s->safe == safe) {
        *out = ix_j_of_string(s);
        return INOX_OK;
    }
    IX_TRY(IX_J_ALLOC(r, &copy, 1, err));
    *copy = *s;
    copy->safe = safe;
    *out = ix_j_of_string(copy);
    return INOX_OK;
}

bool ix_j_is(const ix_jstring *s, const char *text)
{
    size_t n = strlen(text);

    return s->size == n && memcmp(s->data, text, n) == 0;
}

bool ix_j_same_bytes(const ix_jstring *a, const ix_jstring *b)
{
    return ix_j_same_text(a, b);
}

bool ix_j_is_user(const ix_jstring *s, size_t at)
{
    if (s->origin != IX_J_MIXED)
        return s->origin == IX_J_USER;
    uint32_t i = first_span(s->spans, s->span_count, at);
    return i < s->span_count && s->spans[i].start <= at;
}

bool ix_j_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* ---- search ---------------------------------------------------------------------------------- */

/* The two-way algorithm would bound the worst case; here the budget does: each comparison of the
 * needle with a place that begins alike is paid for by the bytes that it looked at. */
static inox_status find_first(ix_jrender *r, const char *s, size_t from, size_t to,
                              const ix_jstring *needle, size_t *at, inox_error *err)
{
    const char *p = s + from, *last = s + to - needle->size;
    uint64_t looked = 0;

    while (p <= last) {
        const char *hit = memchr(p, needle->data[0], (size_t)(last - p) + 1);

        if (!hit) {
            looked += (uint64_t)(last - p) / 16;
            break;
        }
        looked += (uint64_t)(hit - p) / 16 + 1;
        size_t same = 1;
        while (same < needle->size && hit[same] == needle->data[same])
            same++;
        if (same == needle->size) {
            *at = (size_t)(hit - s);
            return ix_j_steps(r, (looked + same / 4) / 4, err);
        }
        looked += same;
        if (looked >= 4096) {
            IX_TRY(ix_j_steps(r, looked / 4, err));
            looked = 0;
        }
        p = hit + 1;
    }
    *at = SIZE_MAX;
    return ix_j_steps(r, looked / 4, err);
}

static inox_status find_last(ix_jrender *r, const char *s, size_t from, size_t to,
                             const ix_jstring *needle, size_t *at, inox_error *err)
{
    uint64_t looked = 0;

    for (size_t p = to - needle->size + 1; p-- > from;) {
        size_t same = 0;

        while (same < needle->size && s[p + same] == needle->data[same])
            same++;
        if (same == needle->size) {
            *at = p;
            return ix_j_steps(r, (looked + same) / 16, err);
        }
        looked += same + 1;
        if (looked >= 4096) {
            IX_TRY(ix_j_steps(r, looked / 16, err));
            looked = 0;
        }
    }
    *at = SIZE_MAX;
    return ix_j_steps(r, looked / 16, err);
}

inox_status ix_j_find(ix_jrender *r, const ix_jstring *s, size_t from, size_t to,
                      const ix_jstring *needle, bool last, size_t *at, inox_error *err)
{
    *at = SIZE_MAX;
    if (to > s->size)
        to = s->size;
    if (from > to)
        return INOX_OK;
    if (needle->size == 0) {
        *at = last ? to : from;
        return INOX_OK;
    }
    if (needle->size > to - from)
        return INOX_OK;
    return last ? find_last(r, s->data, from, to, needle, at, err)
                : find_first(r, s->data, from, to, needle, at, err);
}

/* ---- the builder ----------------------------------------------------------------------------- */

static inox_status grow(ix_jbuilder *b, size_t n, inox_error *err)
{
    size_t capacity = b->capacity < 16 ? 32 : b->capacity * 2;
    void *data;

    if (n > b->r->text_max || b->size > b->r->text_max - n)
        return ix_fail(err, INOX_E_LIMIT, "a text of more than %zu bytes, the limit output_max",
                       b->r->text_max);
    if (capacity < b->size + n)
        capacity = b->size + n;
    IX_TRY(ix_j_take(b->r, capacity, &data, err));
    if (b->size > 0)
        memcpy(data, b->data, b->size);
    b->data = data;
    b->capacity = capacity;
    return INOX_OK;
}

/* Moves the spans to memory of their own, with room for as many again, and `more`. */
static inox_status copy_spans(ix_jbuilder *b, size_t more, inox_error *err)
{
    size_t capacity = (b->span_count < 2 ? 4 : b->span_count * 2) + more;
    void *spans;

    IX_TRY(ix_j_steps(b->r, b->span_count / 8, err));
    IX_TRY(ix_j_take(b->r, capacity * sizeof *b->spans, &spans, err));
    if (b->span_count > 0)
        memcpy(spans, b->spans, b->span_count * sizeof *b->spans);
    b->spans = spans;
    b->span_capacity = capacity;
    return INOX_OK;
}

/* Marks the bytes [start, end), which are the last ones. */
static inline inox_status mark(ix_jbuilder *b, size_t start, size_t end, inox_error *err)
{
    if (b->span_count > 0 && b->spans[b->span_count - 1].end == start) {
        b->spans[b->span_count - 1].end = (uint32_t)end;
        return INOX_OK;
    }
    if (b->span_count == b->span_capacity)
        IX_TRY(copy_spans(b, 0, err));
    b->spans[b->span_count++] = (ix_jspan){ (uint32_t)start, (uint32_t)end };
    return INOX_OK;
}

/* Copies n < 64 bytes, as most copies of texts are. */
static inline void copy_short(char *to, const char *from, size_t n)
{
    if (n >= 16) {
        for (size_t i = 0; i + 16 < n; i += 16)
            memcpy(to + i, from + i, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else if (n > 0) {
        to[0] = from[0];
        to[n / 2] = from[n / 2];
        to[n - 1] = from[n - 1];
    }
}

inox_status ix_jb_bytes(ix_jbuilder *b, const char *data, size_t n, bool user, inox_error *err)
{
    if (n == 0)
        return INOX_OK;
    if (n > b->capacity - b->size)
        IX_TRY(grow(b, n, err));
    if (n < 64) {
        copy_short(b->data + b->size, data, n);
    } else {
        IX_TRY(ix_j_steps(b->r, n / 64, err));
        memcpy(b->data + b->size, data, n);
    }
    b->size += n;
    return user ? mark(b, b->size - n, b->size, err) : INOX_OK;
}

inox_status ix_jb_reserve(ix_jbuilder *b, size_t n, inox_error *err)
{
    return n > b->capacity - b->size ? grow(b, n, err) : INOX_OK;
}

inox_status ix_jb_quoted(ix_jbuilder *b, const ix_jstring *s, char quote, inox_error *err)
{
    if (s->size >= 64 || s->origin == IX_J_MIXED || b->capacity - b->size < s->size + 2) {
        IX_TRY(ix_jb_bytes(b, &quote, 1, false, err));
        IX_TRY(ix_jb_string(b, s, err));
        return ix_jb_bytes(b, &quote, 1, false, err);
    }
    char *to = b->data + b->size;
    size_t start = b->size + 1, end = start + s->size;
    to[0] = quote;
    copy_short(to + 1, s->data, s->size);
    to[1 + s->size] = quote;
    b->size = end + 1;
    return s->origin == IX_J_USER && s->size > 0 ? mark(b, start, end, err) : INOX_OK;
}

inox_status ix_jb_character(ix_jbuilder *b, uint32_t c, bool user, inox_error *err)
{
    char bytes[4];

    return ix_jb_bytes(b, bytes, ix_utf8_write(c, bytes), user, err);
}

inox_status ix_jb_part(ix_jbuilder *b, const ix_jstring *s, size_t start, size_t end,
                       inox_error *err)
{
    size_t shift = b->size;

    if (start == end)
        return INOX_OK;
    IX_TRY(ix_jb_bytes(b, s->data + start, end - start, s->origin == IX_J_USER, err));
    if (s->origin != IX_J_MIXED)
        return INOX_OK;
    for (uint32_t i = first_span(s->spans, s->span_count, start);
         i < s->span_count && s->spans[i].start < end; i++) {
        size_t a = s->spans[i].start, z = s->spans[i].end;

        a = a < start ? start : a;
        z = z > end ? end : z;
        IX_TRY(mark(b, shift + (a - start), shift + (z - start), err));
    }
    return INOX_OK;
}

/* Appends all of a string that has spans: the first may go on where the last one ends. */
static inox_status append_mixed(ix_jbuilder *b, const ix_jstring *s, inox_error *err)
{
    uint32_t shift = (uint32_t)b->size;

    IX_TRY(ix_jb_bytes(b, s->data, s->size, false, err));
    IX_TRY(mark(b, shift + s->spans[0].start, shift + s->spans[0].end, err));
    if (s->span_count - 1 > b->span_capacity - b->span_count)
        IX_TRY(copy_spans(b, s->span_count, err));
    ix_jspan *to = b->spans + b->span_count;
    for (uint32_t i = 1; i < s->span_count; i++)
        *to++ = (ix_jspan){ shift + s->spans[i].start, shift + s->spans[i].end };
    b->span_count += s->span_count - 1;
    return INOX_OK;
}

inox_status ix_jb_string(ix_jbuilder *b, const ix_jstring *s, inox_error *err)
{
    size_t start = b->size;

    if (s->origin == IX_J_MIXED)
        return append_mixed(b, s, err);
    if (s->size == 0 || s->size >= 64 || s->size > b->capacity - b->size)
        return ix_jb_bytes(b, s->data, s->size, s->origin == IX_J_USER, err);
    copy_short(b->data + start, s->data, s->size);
    b->size += s->size;
    return s->origin == IX_J_USER ? mark(b, start, b->size, err) : INOX_OK;
}

/* What stands for the five characters that HTML escapes. */
#define ESCAPE_ROOM 6
static const char escapes[][ESCAPE_ROOM] = { "", "&amp;", "&lt;", "&gt;", "&#39;", "&#34;" };
static const uint8_t escape_size[] = { 1, 5, 4, 4, 5, 5 };

static inline unsigned escape_of(char c)
{
    static const uint8_t numbers[] = { ['"'] = 5, ['&'] = 1, ['\''] = 4, ['<'] = 2, ['>'] = 3 };

    return (unsigned char)c < sizeof numbers ? numbers[(unsigned char)c] : 0;
}

typedef char bytes16 __attribute__((vector_size(16)));

/* How many characters HTML escapes. */
static size_t count_escapes(const char *p, size_t size)
{
    const uint64_t ones = 0x0101010101010101u;
    size_t count = 0;

    for (; size >= 16; size -= 16, p += 16) {
        uint64_t half[2];
        bytes16 x;

        memcpy(&x, p, 16);
        x = (bytes16)(x == '"') | (bytes16)(x == '&') | (bytes16)(x == '\'') | (bytes16)(x == '<') |
            (bytes16)(x == '>');
        memcpy(half, &x, 16);
        count += ((half[0] & ones) + (half[1] & ones)) * ones >> 56;
    }
    for (; size > 0; size--, p++)
        count += escape_of(*p) != 0;
    return count;
}

/* Bytes [from, to) of s to where the text ends; there is room for them and ESCAPE_ROOM more. */
static void escape_run(ix_jbuilder *b, const ix_jstring *s, size_t from, size_t to)
{
    char *at = b->data + b->size;

    for (size_t i = from; i < to; i++) {
        unsigned e = escape_of(s->data[i]);

        if (e == 0) {
            *at++ = s->data[i];
        } else {
            memcpy(at, escapes[e], sizeof escapes[e]);
            at += escape_size[e];
        }
    }
    b->size = (size_t)(at - b->data);
}

inox_status ix_jb_escaped(ix_jbuilder *b, const ix_jstring *s, inox_error *err)
{
    size_t count = count_escapes(s->data, s->size), at = 0, start;

    if (count == 0)
        return ix_jb_string(b, s, err);
    IX_TRY(ix_j_steps(b->r, s->size / 16 + s->span_count / 8, err));
    IX_TRY(ix_jb_reserve(b, s->size + count * 4 + ESCAPE_ROOM, err));
    for (uint32_t i = 0; i < s->span_count; i++) {
        escape_run(b, s, at, s->spans[i].start);
        start = b->size;
        at = s->spans[i].end;
        escape_run(b, s, s->spans[i].start, at);
        IX_TRY(mark(b, start, b->size, err));
    }
    start = b->size;
    escape_run(b, s, at, s->size);
    return s->origin == IX_J_USER ? mark(b, start, b->size, err) : INOX_OK;
}

inox_status ix_jb_escape(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    ix_jvalue text;

    if (v.kind == IX_J_STRING && v.string->safe)
        return ix_jb_string(b, v.string, err);
    IX_TRY(ix_j_str(b->r, v, &text, err));
    return ix_jb_escaped(b, text.string, err);
}

ix_jplace ix_jb_place(const ix_jbuilder *b)
{
    return (ix_jplace){ b->size, b->span_count,
                        b->span_count > 0 ? b->spans[b->span_count - 1].end : 0 };
}

inox_status ix_jb_take_back(ix_jbuilder *b, const ix_jplace *from, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder part = ix_jb(b->r);

    IX_TRY(ix_jb_bytes(&part, b->data + from->size, b->size - from->size, false, err));
    for (size_t i = from->span_count > 0 ? from->span_count - 1 : 0; i < b->span_count; i++) {
        size_t start = b->spans[i].start < from->size ? from->size : b->spans[i].start;

        if (b->spans[i].end > start)
            IX_TRY(mark(&part, start - from->size, b->spans[i].end - from->size, err));
    }
    b->size = from->size;
    b->span_count = from->span_count;
    if (from->span_count > 0)
        b->spans[from->span_count - 1].end = from->last_end;
    return ix_jb_finish(&part, false, out, err);
}

inox_status ix_jb_finish(ix_jbuilder *b, bool safe, ix_jvalue *out, inox_error *err)
{
    IX_TRY(ix_j_make_string(b->r, b->data, b->size, IX_J_TEMPLATE, out, err));
    ix_jstring *s = out->string;
    s->safe = safe;
    if (b->span_count == 1 && b->spans[0].start == 0 && b->spans[0].end == s->size) {
        s->origin = IX_J_USER;
    } else if (b->span_count > 0) {
        s->origin = IX_J_MIXED;
        s->spans = b->spans;
        s->span_count = (uint32_t)b->span_count;
    }
    *b = ix_jb(b->r);
    return INOX_OK;
}

#define TAIL_FROM 256 /* bytes: shorter strings are copied */

/* Makes a tail of a, with room to grow. */
static inox_status begin_tail(ix_jrender *r, const ix_jstring *a, size_t more, inox_error *err)
{
    ix_jbuilder b = ix_jb(r);
    void *data;

    r->tail.data = NULL;
    IX_TRY(ix_j_take(r, (a->size + more) * 2, &data, err));
    b.data = data;
    b.capacity = (a->size + more) * 2;
    IX_TRY(ix_jb_string(&b, a, err));
    r->tail.data = b.data;
    r->tail.size = b.size;
    r->tail.capacity = b.capacity;
    r->tail.spans = b.spans;
    r->tail.span_count = b.span_count;
    r->tail.span_capacity = b.span_capacity;
    return INOX_OK;
}

inox_status ix_j_join(ix_jrender *r, ix_jstring *a, const ix_jstring *b, bool safe, ix_jvalue *out,
                      inox_error *err)
{
    ix_jbuilder joined = ix_jb(r);

    if (a->size < TAIL_FROM || a->size > r->text_max / 4 || b->size > a->size) {
        IX_TRY(ix_jb_string(&joined, a, err));
        IX_TRY(ix_jb_string(&joined, b, err));
        return ix_jb_finish(&joined, safe, out, err);
    }
    bool user = ix_j_is_user(a, a->size - 1);
    if (a->data != r->tail.data || a->size != r->tail.size ||
        b->size > r->tail.capacity - r->tail.size)
        IX_TRY(begin_tail(r, a, b->size, err));
    joined.data = r->tail.data;
    joined.size = r->tail.size;
    joined.capacity = r->tail.capacity;
    joined.spans = r->tail.spans;
    joined.span_count = r->tail.span_count;
    joined.span_capacity = r->tail.span_capacity;
    if (user && b->size > 0 && ix_j_is_user(b, 0)) /* a's last span would grow under it */
        joined.span_capacity = joined.span_count;
    if (joined.span_capacity == joined.span_count && joined.span_count > 0)
        IX_TRY(copy_spans(&joined, 0, err));
    IX_TRY(ix_jb_string(&joined, b, err));
    r->tail.size = joined.size;
    r->tail.spans = joined.spans;
    r->tail.span_count = joined.span_count;
    r->tail.span_capacity = joined.span_capacity;
    return ix_jb_finish(&joined, safe, out, err);
}
