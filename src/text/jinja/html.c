/* HTML: escaping as markupsafe does it, markupsafe's striptags, Python's html.unescape, attributes,
 * and the encoding of URLs. */
#include "text/jinja/entities.h"
#include "text/jinja/filters.h"

#include <string.h>

inox_status ix_jf_escape(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    IX_TRY(ix_jb_escape(&b, c->args[0], err));
    return ix_jb_finish(&b, true, out, err);
}

inox_status ix_jf_forceescape(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    ix_jvalue text;
    IX_TRY(ix_j_str(c->r, c->args[0], &text, err));
    IX_TRY(ix_jb_escaped(&b, text.string, err));
    return ix_jb_finish(&b, true, out, err);
}

inox_status ix_jf_safe(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue text;
    IX_TRY(ix_j_str(c->r, c->args[0], &text, err));
    return ix_j_with_safe(c->r, text.string, true, out, err);
}

/* ---- unescape -------------------------------------------------------------------------------- */

/* The entry with the longest name that text[0..size) begins with, or NULL. */
static const ix_html_entity *find_entity(const char *text, size_t size)
{
    size_t most = size < 32 ? size : 32;
    for (size_t n = most; n > 1; n--) {
        size_t low = 0, high = ix_html_entity_count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            const char *name = ix_html_entities[middle].name;
            size_t length = strlen(name), both = length < n ? length : n;
            int order = memcmp(text, name, both);
            if (order == 0)
                order = n < length ? -1 : n > length;
            if (order == 0)
                return &ix_html_entities[middle];
            if (order < 0)
                high = middle;
            else
                low = middle + 1;
        }
    }
    return NULL;
}

/* What a number in "&#...;" stands for: 0xFFFFFFFF for nothing. */
static uint32_t numbered(uint64_t n)
{
    /* The C1 controls are what Windows-1252 has in their places, where it has anything. */
    static const uint16_t windows[32] = {
        0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178,
    };
    if (n == 0)
        return 0xFFFD;
    if (n >= 0x80 && n < 0xA0)
        return windows[n - 0x80];
    if ((n >= 0xD800 && n < 0xE000) || n > 0x10FFFF)
        return 0xFFFD;
    bool control = n < 0x20 && n != '\t' && n != '\n' && n != '\f' && n != '\r';
    bool nothing = control || n == 0x7F || (n >= 0xFDD0 && n <= 0xFDEF) || (n & 0xFFFE) == 0xFFFE;
    return nothing ? 0xFFFFFFFFu : (uint32_t)n;
}

/* A numbered character behind "&#" at `at`: returns its end, or 0 where there is none. */
static size_t read_number(const ix_jstring *s, size_t at, uint64_t *out)
{
    bool hex = at < s->size && (s->data[at] | 32) == 'x';
    size_t start = at += hex, n;
    *out = 0;
    for (; at < s->size; at += n) {
        uint32_t c = ix_js_read(s, at, &n), digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (hex && c < 128 && (c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (c | 32) - 'a' + 10;
        else
            break;
        if (*out < 1u << 30)
            *out = *out * (hex ? 16 : 10) + digit;
    }
    if (at == start)
        return 0;
    return at + (at < s->size && s->data[at] == ';');
}

/* Names take everything up to one of these, but at most 32 characters. */
static bool ends_name(uint32_t c)
{
    return c < 128 && (c == 0 ? false : strchr("\t\n\f <&#;", (int)c) != NULL);
}

/* A named character behind the '&' at `at`. */
static inox_status put_named(ix_jbuilder *b, const ix_jstring *s, size_t at, size_t *end,
                             inox_error *err)
{
    size_t stop = at + 1, n, count = 0;
    for (; stop < s->size && count < 32; stop += n, count++)
        if (ends_name(ix_js_read(s, stop, &n)))
            break;
    if (stop < s->size && s->data[stop] == ';' && count > 0)
        stop++;
    const ix_html_entity *found = find_entity(s->data + at + 1, stop - at - 1);
    if (!found) {
        *end = at + 1;
        return ix_jb_part(b, s, at, at + 1, err);
    }
    *end = at + 1 + strlen(found->name);
    return ix_jb_bytes(b, found->text, strlen(found->text), ix_js_any_user(s, at, *end), err);
}

inox_status ix_js_unescape(ix_jrender *r, ix_jstring *s, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(r);
    size_t from = 0;
    while (from < s->size) {
        const char *found = memchr(s->data + from, '&', s->size - from);
        size_t at = found ? (size_t)(found - s->data) : s->size, end = 0;
        uint64_t number;
        IX_TRY(ix_jb_part(&b, s, from, at, err));
        IX_TRY(ix_j_steps(r, 16, err)); /* names are looked up */
        if (!found)
            break;
        if (at + 1 < s->size && s->data[at + 1] == '#') {
            end = read_number(s, at + 2, &number);
            uint32_t c = end > 0 ? numbered(number) : 0;
            if (end > 0 && c != 0xFFFFFFFFu)
                IX_TRY(ix_jb_character(&b, c, ix_js_any_user(s, at, end), err));
            if (end == 0) {
                end = at + 1;
                IX_TRY(ix_jb_part(&b, s, at, end, err));
            }
        } else {
            IX_TRY(put_named(&b, s, at, &end, err));
        }
        from = end;
    }
    return ix_jb_finish(&b, false, out, err);
}

/* ---- striptags ------------------------------------------------------------------------------- */

static size_t find_text(const ix_jstring *s, size_t from, const char *what)
{
    size_t n = strlen(what);
    while (from < s->size) {
        const char *found = memchr(s->data + from, what[0], s->size - from);
        if (!found)
            break;
        from = (size_t)(found - s->data);
        if (s->size - from >= n && memcmp(found, what, n) == 0)
            return from;
        from++;
    }
    return SIZE_MAX;
}

inox_status ix_js_strip_tags(ix_jrender *r, ix_jstring *s, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(r), joined = ix_jb(r);
    size_t from = 0, start, end;
    ix_jvalue text;
    IX_TRY(ix_j_steps(r, s->size / 16 + 1, err));
    while ((start = find_text(s, from, "<")) != SIZE_MAX) {
        bool comment = s->size - start >= 4 && memcmp(s->data + start, "<!--", 4) == 0;
        end = comment ? find_text(s, start + 4, "-->") : find_text(s, start, ">");
        if (end == SIZE_MAX)
            break; /* not closed: stays */
        IX_TRY(ix_jb_part(&b, s, from, start, err));
        from = end + (comment ? 3 : 1);
    }
    IX_TRY(ix_jb_part(&b, s, from, s->size, err));
    IX_TRY(ix_jb_finish(&b, false, &text, err));
    s = text.string;
    for (size_t at = 0, n, words = 0; at < s->size;) {
        start = at;
        while (at < s->size && !ix_char_is(ix_js_read(s, at, &n), IX_CHAR_SPACE))
            at += n;
        if (at > start && words++ > 0)
            IX_TRY(ix_jb_bytes(&joined, " ", 1, ix_j_is_user(s, start - 1), err));
        IX_TRY(ix_jb_part(&joined, s, start, at, err));
        while (at < s->size && ix_char_is(ix_js_read(s, at, &n), IX_CHAR_SPACE))
            at += n;
    }
    IX_TRY(ix_jb_finish(&joined, false, &text, err));
    return ix_js_unescape(r, text.string, out, err);
}

inox_status ix_jf_striptags(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue text;
    IX_TRY(ix_j_str(c->r, c->args[0], &text, err));
    return ix_js_strip_tags(c->r, text.string, out, err);
}

/* ---- xmlattr --------------------------------------------------------------------------------- */

static inox_status check_name(ix_jcall *c, ix_jvalue key, inox_error *err)
{
    ix_jvalue shown;
    if (key.kind != IX_J_STRING)
        return ix_j_fail(err, "TypeError", "expected string or bytes-like object, got '%s'",
                         ix_j_type_name(key));
    for (size_t i = 0; i < key.string->size; i++)
        if (key.string->data[i] && strchr(" \t\n\r\f\v/>=", key.string->data[i])) {
            IX_TRY(ix_j_repr(c->r, key, &shown, err));
            return ix_j_fail(err, "ValueError", "Invalid character in attribute name: %.*s",
                             shown.string->size < 100 ? (int)shown.string->size : 100,
                             shown.string->data);
        }
    return INOX_OK;
}

inox_status ix_jf_xmlattr(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0];
    ix_jbuilder b = ix_jb(c->r);
    bool space, any = false;
    IX_TRY(ix_j_truth_argument(c, 1, true, &space, err));
    if (v.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(c->r, v, err);
    if (v.kind != IX_J_DICT)
        return ix_j_fail(err, "AttributeError", "'%s' object has no attribute 'items'",
                         ix_j_type_name(v));
    for (size_t i = 0; i < v.dict->count; i++) {
        const ix_jpair *p = &v.dict->pairs[i];
        if (p->value.kind == IX_J_NONE || p->value.kind == IX_J_UNDEFINED)
            continue;
        IX_TRY(ix_j_steps(c->r, 1, err));
        IX_TRY(check_name(c, p->key, err));
        if (any || space)
            IX_TRY(ix_jb_text(&b, " ", err));
        any = true;
        IX_TRY(ix_jb_escape(&b, p->key, err));
        IX_TRY(ix_jb_text(&b, "=\"", err));
        IX_TRY(ix_jb_escape(&b, p->value, err));
        IX_TRY(ix_jb_text(&b, "\"", err));
    }
    return ix_jb_finish(&b, c->autoescape, out, err);
}

/* ---- urlencode ------------------------------------------------------------------------------- */

static inox_status quote(ix_jbuilder *b, ix_jvalue v, bool query, inox_error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    ix_jvalue text;
    uint32_t k;
    bool user;
    IX_TRY(ix_j_str(b->r, v, &text, err));
    const ix_jstring *s = text.string;
    IX_TRY(ix_j_steps(b->r, s->size / 16 + 1, err));
    ix_jwalk w = { .s = s };
    for (size_t at = 0; ix_jwalk_next(&w, &k, &user); at = w.at) {
        bool plain = k < 128 && ix_char_is(k, IX_CHAR_ALNUM);
        plain = plain || (k < 128 && k && strchr("_.-~", (int)k)) || (k == '/' && !query);
        if (plain) {
            IX_TRY(ix_jb_part(b, s, at, w.at, err));
            continue;
        }
        if (k >= 0xD800 && k < 0xE000)
            return ix_j_fail(err, "UnicodeEncodeError",
                             "'utf-8' codec can't encode character '\\u%04x': surrogates not "
                             "allowed",
                             (unsigned)k);
        if (k == ' ' && query) {
            IX_TRY(ix_jb_bytes(b, "+", 1, user, err));
            continue;
        }
        for (size_t i = at; i < w.at; i++) {
            unsigned char byte = (unsigned char)s->data[i];
            char out[3] = { '%', digits[byte >> 4], digits[byte & 15] };
            IX_TRY(ix_jb_bytes(b, out, 3, user, err));
        }
    }
    return INOX_OK;
}

/* The two items of a pair; fails as Python's unpacking does. */
static inox_status unpack(ix_jcall *c, ix_jvalue pair, ix_jvalue *key, ix_jvalue *value,
                          inox_error *err)
{
    ix_jvalue list;
    if (!ix_j_is_iterable(pair))
        return ix_j_fail(err, "TypeError", "cannot unpack non-iterable %s object",
                         ix_j_type_name(pair));
    IX_TRY(ix_j_to_list(c->r, pair, &list, err));
    if (list.list->count < 2)
        return ix_j_fail(err, "ValueError", "not enough values to unpack (expected 2, got %zu)",
                         list.list->count);
    if (list.list->count > 2)
        return ix_j_fail(err, "ValueError", "too many values to unpack (expected 2)");
    *key = list.list->items[0];
    *value = list.list->items[1];
    return INOX_OK;
}

inox_status ix_jf_urlencode(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0], pair, key, value;
    ix_jbuilder b = ix_jb(c->r);
    ix_jcursor at;
    bool more, iterable = v.kind != IX_J_STRING && ix_j_is_iterable(v);
    if (!iterable) {
        IX_TRY(quote(&b, v, false, err));
        return ix_jb_finish(&b, false, out, err);
    }
    if (v.kind == IX_J_DICT)
        IX_TRY(ix_j_view(c->r, v.dict, IX_J_ITEMS, &v, err));
    IX_TRY(ix_j_cursor_start(c->r, v, &at, err));
    for (size_t i = 0;; i++) {
        IX_TRY(ix_j_cursor_next(c->r, &at, &pair, &more, err));
        if (!more)
            return ix_jb_finish(&b, false, out, err);
        IX_TRY(unpack(c, pair, &key, &value, err));
        if (i > 0)
            IX_TRY(ix_jb_text(&b, "&", err));
        IX_TRY(quote(&b, key, true, err));
        IX_TRY(ix_jb_text(&b, "=", err));
        IX_TRY(quote(&b, value, true, err));
    }
}
