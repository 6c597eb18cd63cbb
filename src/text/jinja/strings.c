/* Operations of Python's str that filters and methods share.  Case follows CPython's
 * unicodeobject.c: full mappings, and a final sigma where the letters around a capital one say so.
 */
#include "text/jinja/strings.h"

#include "text/jinja/number.h"

#include <string.h>

enum { CAPITAL_SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2, SMALL_SIGMA = 0x3C3 };

bool ix_js_any_user(const ix_jstring *s, size_t start, size_t end)
{
    if (s->origin != IX_J_MIXED)
        return s->origin == IX_J_USER && start < end;
    for (uint32_t i = 0; i < s->span_count && s->spans[i].start < end; i++)
        if (s->spans[i].end > start)
            return true;
    return false;
}

/* ---- arguments ------------------------------------------------------------------------------- */

inox_status ix_js_not_str(const ix_jcall *c, int i, inox_error *err)
{
    return ix_j_fail(err, "TypeError", "%s() argument %d must be str, not %s", c->entry->name,
                     i + 1, ix_j_type_name(c->args[i]));
}

inox_status ix_js_argument(const ix_jcall *c, int i, ix_jstring **out, inox_error *err)
{
    if (c->args[i].kind != IX_J_STRING)
        return ix_js_not_str(c, i, err);
    *out = c->args[i].string;
    return INOX_OK;
}

/* An end of a slice as a number, `otherwise` for none. */
static inox_status bound(const ix_jcall *c, int i, int64_t otherwise, int64_t *out, inox_error *err)
{
    *out = otherwise;
    if (c->args[i].kind == IX_J_NONE || c->args[i].kind == IX_J_MISSING)
        return INOX_OK;
    if (!ix_j_is_int(c->args[i]))
        return ix_j_fail(err, "TypeError",
                         "slice indices must be integers or None or have an __index__ method");
    return ix_j_index_argument(c, i, otherwise, out, err);
}

inox_status ix_js_bounds(const ix_jcall *c, int i, ix_jstring *s, size_t *start, size_t *end,
                         bool *valid, inox_error *err)
{
    int64_t length = (int64_t)ix_j_length(s), from, to;
    IX_TRY(bound(c, i, 0, &from, err));
    IX_TRY(bound(c, i + 1, length, &to, err));
    if (to > length)
        to = length;
    else if (to < 0)
        to = to < -length ? 0 : to + length;
    if (from < 0)
        from = from < -length ? 0 : from + length;
    if (length != s->size) /* positions are counted out */
        IX_TRY(ix_j_steps(c->r, s->size / 32, err));
    *valid = from <= to;
    *start = *valid ? ix_j_byte_of(s, (size_t)from) : 0;
    *end = *valid ? ix_j_byte_of(s, (size_t)to) : 0;
    return INOX_OK;
}

/* ---- case ------------------------------------------------------------------------------------ */

/* True if the capital sigma at byte `at` of s[start, end) ends a word: a cased letter stands
 * before it and none behind it, ignorable characters left aside. */
static bool is_final_sigma(const ix_jstring *s, size_t start, size_t end, size_t at)
{
    size_t n, i = at;
    unsigned flags = 0;
    while (i > start) {
        i = ix_js_before(s, i);
        flags = ix_char_of(ix_js_read(s, i, &n))->flags;
        if (!(flags & IX_CHAR_IGNORABLE))
            break;
        flags = 0;
    }
    if (!(flags & IX_CHAR_CASED))
        return false;
    for (i = at + 2; i < end; i += n) {
        flags = ix_char_of(ix_js_read(s, i, &n))->flags;
        if (!(flags & IX_CHAR_IGNORABLE))
            return !(flags & IX_CHAR_CASED);
    }
    return true;
}

/* Which mapping the character gets. */
static int mapping(ix_jcase to, uint32_t c, bool first, bool after_cased)
{
    switch (to) {
    case IX_J_UPPER_CASE: return IX_CASE_UPPER;
    case IX_J_LOWER_CASE: return IX_CASE_LOWER;
    case IX_J_FOLD_CASE: return IX_CASE_FOLD;
    case IX_J_TITLE_CASE: return after_cased ? IX_CASE_LOWER : IX_CASE_TITLE;
    case IX_J_CAPITALIZE: return first ? IX_CASE_TITLE : IX_CASE_LOWER;
    case IX_J_SWAP_CASE: break;
    }
    return ix_char_is(c, IX_CHAR_UPPER)   ? IX_CASE_LOWER
           : ix_char_is(c, IX_CHAR_LOWER) ? IX_CASE_UPPER
                                          : -1;
}

inox_status ix_js_case_part(ix_jbuilder *b, const ix_jstring *s, size_t start, size_t end,
                            ix_jcase to, inox_error *err)
{
    uint32_t c, mapped[3];
    bool user = false, cased = false;
    char run[256]; /* ASCII of one origin on its way */
    size_t filled = 0;
    bool run_user = false;
    ix_jwalk w = { .s = s, .at = start };
    IX_TRY(ix_j_steps(b->r, (end - start) / 16 + 1, err));
    while (w.at < end) {
        size_t at = w.at, n = 1;
        (void)ix_jwalk_next(&w, &c, &user);
        int which = mapping(to, c, at == start, cased);
        cased = to == IX_J_TITLE_CASE && ix_char_is(c, IX_CHAR_CASED);
        mapped[0] = c;
        if (which == IX_CASE_LOWER && c == CAPITAL_SIGMA)
            mapped[0] = is_final_sigma(s, start, end, at) ? FINAL_SIGMA : SMALL_SIGMA;
        else if (which >= 0)
            n = ix_char_map(c, which, mapped);
        bool plain = n == 1 && mapped[0] < 0x80;
        if (filled > 0 && (!plain || user != run_user || filled == sizeof run)) {
            IX_TRY(ix_jb_bytes(b, run, filled, run_user, err));
            filled = 0;
        }
        run_user = user;
        if (plain)
            run[filled++] = (char)mapped[0];
        for (size_t i = 0; i < n && !plain; i++)
            IX_TRY(ix_jb_character(b, mapped[i], user, err));
    }
    return filled > 0 ? ix_jb_bytes(b, run, filled, run_user, err) : INOX_OK;
}

inox_status ix_js_case(ix_jrender *r, const ix_jstring *s, ix_jcase to, bool safe, ix_jvalue *out,
                       inox_error *err)
{
    ix_jbuilder b = ix_jb(r);
    IX_TRY(ix_js_case_part(&b, s, 0, s->size, to, err));
    return ix_jb_finish(&b, safe, out, err);
}

/* ---- parts, strip, replace ------------------------------------------------------------------- */

inox_status ix_js_part(ix_jrender *r, ix_jstring *s, size_t start, size_t end, bool safe,
                       ix_jvalue *out, inox_error *err)
{
    IX_TRY(ix_j_slice(r, s, start, end, out, err));
    return safe ? ix_j_with_safe(r, out->string, true, out, err) : INOX_OK;
}

static inox_status is_in_set(ix_jrender *r, const ix_jstring *set, uint32_t c, bool *in,
                             inox_error *err)
{
    ix_jwalk w = { .s = set };
    uint32_t other;
    bool user;
    *in = !set && ix_char_is(c, IX_CHAR_SPACE);
    if (set && set->size > 16)
        IX_TRY(ix_j_steps(r, set->size / 16, err));
    while (set && !*in && ix_jwalk_next(&w, &other, &user))
        *in = other == c;
    return INOX_OK;
}

static inline bool is_plain_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F);
}

inox_status ix_js_strip(ix_jrender *r, const ix_jstring *s, const ix_jstring *set, int sides,
                        size_t *start, size_t *end, inox_error *err)
{
    bool in = true;
    size_t n, i = 0, j = s->size;
    IX_TRY(ix_j_steps(r, s->size / 32 + 1, err));
    while (!set && sides & IX_J_LEFT && i < j && is_plain_space(s->data[i])) /* ASCII first */
        i++;
    while (!set && sides & IX_J_RIGHT && j > i && is_plain_space(s->data[j - 1]))
        j--;
    if (!set && i < j && (signed char)s->data[i] >= 0)
        sides &= ~IX_J_LEFT;
    if (!set && i < j && (signed char)s->data[j - 1] >= 0)
        sides &= ~IX_J_RIGHT;
    while (sides & IX_J_LEFT && i < j) {
        IX_TRY(is_in_set(r, set, ix_js_read(s, i, &n), &in, err));
        if (!in)
            break;
        i += n;
    }
    while (sides & IX_J_RIGHT && j > i) {
        size_t k = ix_js_before(s, j);
        IX_TRY(is_in_set(r, set, ix_js_read(s, k, &n), &in, err));
        if (!in)
            break;
        j = k;
    }
    *start = i;
    *end = j;
    return INOX_OK;
}

/* "" is found before every character and at the end. */
static inox_status replace_empty(ix_jrender *r, const ix_jstring *s, const ix_jstring *new,
                                 int64_t count, bool safe, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(r);
    size_t at = 0, n;
    for (;;) {
        if (count >= 0 && count-- == 0)
            break;
        IX_TRY(ix_j_steps(r, 1, err));
        IX_TRY(ix_jb_string(&b, new, err));
        if (at == s->size)
            break;
        (void)ix_js_read(s, at, &n);
        IX_TRY(ix_jb_part(&b, s, at, at + n, err));
        at += n;
    }
    IX_TRY(ix_jb_part(&b, s, at, s->size, err));
    return ix_jb_finish(&b, safe, out, err);
}

inox_status ix_js_replace(ix_jrender *r, ix_jstring *s, const ix_jstring *old,
                          const ix_jstring *new, int64_t count, bool safe, ix_jvalue *out,
                          inox_error *err)
{
    ix_jbuilder b = ix_jb(r);
    size_t from = 0, at;
    if (count == 0)
        return ix_j_with_safe(r, s, safe, out, err);
    if (old->size == 0)
        return replace_empty(r, s, new, count, safe, out, err);
    IX_TRY(ix_j_find(r, s, 0, s->size, old, false, &at, err));
    if (at == SIZE_MAX)
        return ix_j_with_safe(r, s, safe, out, err);
    while (at != SIZE_MAX) {
        IX_TRY(ix_j_steps(r, 1, err));
        IX_TRY(ix_jb_part(&b, s, from, at, err));
        IX_TRY(ix_jb_string(&b, new, err));
        from = at + old->size;
        at = SIZE_MAX;
        if (count < 0 || --count > 0)
            IX_TRY(ix_j_find(r, s, from, s->size, old, false, &at, err));
    }
    IX_TRY(ix_jb_part(&b, s, from, s->size, err));
    return ix_jb_finish(&b, safe, out, err);
}

void ix_js_line(const ix_jstring *s, size_t from, size_t *end, size_t *next)
{
    size_t n = 1, i = from;
    for (; i < s->size; i += n) {
        unsigned char first = (unsigned char)s->data[i];
        n = 1;
        if (first > 0x1E && first < 0xC2)
            continue; /* no line ends with these */
        uint32_t c = ix_js_read(s, i, &n);
        if (ix_char_is(c, IX_CHAR_LINE_END)) {
            *end = i;
            *next = i + n;
            if (c == '\r' && *next < s->size && s->data[*next] == '\n')
                ++*next;
            return;
        }
    }
    *end = *next = s->size;
}

/* ---- filling --------------------------------------------------------------------------------- */

inox_status ix_js_repeat(ix_jbuilder *b, const ix_jstring *what, int64_t n, inox_error *err)
{
    for (; n > 0 && what->size > 0; n--) {
        IX_TRY(ix_j_steps(b->r, 1, err));
        IX_TRY(ix_jb_string(b, what, err));
    }
    return INOX_OK;
}

inox_status ix_js_fill(ix_jbuilder *b, uint32_t c, bool user, int64_t n, inox_error *err)
{
    char piece[256], one[4];
    size_t size = ix_utf8_write(c, one), whole = sizeof piece / size;
    for (size_t i = 0; i < whole && (int64_t)i < n; i++)
        memcpy(piece + i * size, one, size);
    while (n > 0) {
        size_t now = n < (int64_t)whole ? (size_t)n : whole;
        IX_TRY(ix_jb_bytes(b, piece, now * size, user, err));
        IX_TRY(ix_j_steps(b->r, 1, err));
        n -= (int64_t)now;
    }
    return INOX_OK;
}

inox_status ix_js_justify(ix_jrender *r, ix_jstring *s, ix_jalign align, int64_t width,
                          uint32_t fill, bool fill_user, bool safe, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(r);
    int64_t length = (int64_t)ix_j_length(s), pad = width - length, left;
    if (width <= length)
        return ix_j_with_safe(r, s, safe, out, err);
    left = align == IX_J_LJUST ? 0 : align == IX_J_RJUST ? pad : pad / 2 + (pad & width & 1);
    IX_TRY(ix_js_fill(&b, fill, fill_user, left, err));
    IX_TRY(ix_jb_string(&b, s, err));
    IX_TRY(ix_js_fill(&b, fill, fill_user, pad - left, err));
    return ix_jb_finish(&b, safe, out, err);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* The text with decimal digits of any script as ASCII and without white space around it, as CPython
 * prepares it; anything else beyond ASCII becomes '?', which no number holds. */
static inox_status ascii_number(ix_jrender *r, const ix_jstring *s, char **text, size_t *size,
                                inox_error *err)
{
    size_t start, end, n = 0;
    uint32_t c;
    bool user;
    IX_TRY(ix_js_strip(r, s, NULL, IX_J_LEFT | IX_J_RIGHT, &start, &end, err));
    IX_TRY(ix_j_alloc(r, end - start + 1, 1, (void **)text, err));
    IX_TRY(ix_j_steps(r, s->size / 64 + 1, err));
    ix_jwalk w = { .s = s, .at = start };
    while (w.at < end && ix_jwalk_next(&w, &c, &user)) {
        const ix_char *k = ix_char_of(c);
        (*text)[n++] = c < 0x80                     ? (char)c
                       : k->flags & IX_CHAR_DECIMAL ? (char)('0' + k->number)
                       : k->flags & IX_CHAR_SPACE   ? ' '
                                                    : '?';
    }
    *size = n;
    return INOX_OK;
}

inox_status ix_js_parse_int(ix_jrender *r, const ix_jstring *s, int base, ix_jvalue *out, bool *ok,
                            inox_error *err)
{
    char *text;
    size_t size;
    IX_TRY(ascii_number(r, s, &text, &size, err));
    return ix_j_parse_int(r, text, size, base, out, ok, err);
}

inox_status ix_js_parse_float(ix_jrender *r, const ix_jstring *s, double *out, bool *ok,
                              inox_error *err)
{
    char *text;
    size_t size;
    IX_TRY(ascii_number(r, s, &text, &size, err));
    *ok = ix_j_parse_float(text, size, out);
    return ix_j_steps(r, size / 8 + 8, err);
}

inox_status ix_js_int_of(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    bool ok;
    ix_jvalue shown;
    switch (v.kind) {
    case IX_J_INT:
    case IX_J_BIG: *out = v; return INOX_OK;
    case IX_J_BOOL: *out = ix_j_int(v.boolean); return INOX_OK;
    case IX_J_FLOAT: return ix_j_int_of_float(r, v.real, out, err);
    case IX_J_UNDEFINED: return ix_j_undefined_error(r, v, err);
    case IX_J_STRING:
        IX_TRY(ix_js_parse_int(r, v.string, 10, out, &ok, err));
        if (ok)
            return INOX_OK;
        IX_TRY(ix_j_repr(r, v, &shown, err));
        return ix_j_fail(err, "ValueError", "invalid literal for int() with base 10: %.*s",
                         shown.string->size < 100 ? (int)shown.string->size : 100,
                         shown.string->data);
    default:
        return ix_j_fail(err, "TypeError",
                         "int() argument must be a string, a bytes-like object or a real number, "
                         "not '%s'",
                         ix_j_type_name(v));
    }
}

inox_status ix_js_float_of(ix_jrender *r, ix_jvalue v, double *out, inox_error *err)
{
    bool ok;
    ix_jvalue shown;
    switch (v.kind) {
    case IX_J_FLOAT: *out = v.real; return INOX_OK;
    case IX_J_BOOL: *out = v.boolean; return INOX_OK;
    case IX_J_INT:
    case IX_J_BIG: return ix_j_float_of_int(r, v, out, err);
    case IX_J_UNDEFINED: return ix_j_undefined_error(r, v, err);
    case IX_J_STRING:
        IX_TRY(ix_js_parse_float(r, v.string, out, &ok, err));
        if (ok)
            return INOX_OK;
        IX_TRY(ix_j_repr(r, v, &shown, err));
        return ix_j_fail(err, "ValueError", "could not convert string to float: %.*s",
                         shown.string->size < 100 ? (int)shown.string->size : 100,
                         shown.string->data);
    default:
        return ix_j_fail(err, "TypeError",
                         "float() argument must be a string or a real number, not '%s'",
                         ix_j_type_name(v));
    }
}
