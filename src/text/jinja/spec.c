/* format(value, spec): Python's mini-language for one value.
 *
 *     [[fill]align][sign][z][#][0][width][, or _][.precision][type]
 *
 * Follows CPython's formatter_unicode.c, whose order of checks decides which error a wrong
 * specification gets.  No locale: type n is d or g. */
#include "text/jinja/number.h"
#include "text/jinja/strings.h"

#include <string.h>

typedef struct spec {
    uint32_t fill, align, sign, type;
    bool fill_user, no_negative_zero, alternate;
    uint32_t grouping;        /* ',' or '_', 0: none */
    int64_t width, precision; /* -1: not given */
} spec;

static bool is_align(uint32_t c)
{
    return c == '<' || c == '>' || c == '=' || c == '^';
}

/* The character behind `at`, 0 at the end; does not move. */
static uint32_t peek(const ix_jwalk *w)
{
    ix_jwalk ahead = *w;
    uint32_t c = 0;
    bool user;
    return ix_jwalk_next(&ahead, &c, &user) ? c : 0;
}

static uint32_t take(ix_jwalk *w)
{
    uint32_t c = 0;
    bool user;
    (void)ix_jwalk_next(w, &c, &user);
    return c;
}

static bool take_if(ix_jwalk *w, uint32_t c)
{
    if (w->at >= w->s->size || peek(w) != c)
        return false;
    (void)take(w);
    return true;
}

static inox_status take_number(ix_jwalk *w, int64_t *out, bool *any, inox_error *err)
{
    *any = false;
    int64_t n = 0;
    while (w->at < w->s->size && ix_char_is(peek(w), IX_CHAR_DECIMAL)) {
        int64_t digit = ix_char_of(take(w))->number;
        if (n > (INT64_MAX - digit) / 10)
            return ix_j_fail(err, "ValueError", "Too many decimal digits in format string");
        n = n * 10 + digit;
        *any = true;
    }
    *out = *any ? n : -1;
    return INOX_OK;
}

static inox_status check_grouping(const spec *p, inox_error *err)
{
    static const char with_numbers[] = "defgEG%F";
    if (p->type == 0 || (p->type < 128 && strchr(with_numbers, (int)p->type)))
        return INOX_OK;
    if (p->grouping == '_' && p->type < 128 && strchr("boxX", (int)p->type))
        return INOX_OK;
    return ix_j_fail(err, "ValueError", "Cannot specify '%c' with '%c'.", (int)p->grouping,
                     p->type < 128 ? (int)p->type : '?');
}

static inox_status parse(ix_jstring *text, const char *type_name, uint32_t type, uint32_t align,
                         spec *p, inox_error *err)
{
    ix_jwalk w = { .s = text }, second = { .s = text };
    bool any, user, filled = false, aligned = false;
    uint32_t c = 0;
    *p = (spec){ .fill = ' ', .align = align, .type = type, .width = -1, .precision = -1 };
    if (ix_jwalk_next(&second, &c, &user) && second.at < text->size && is_align(peek(&second))) {
        p->fill = c;
        p->fill_user = user;
        w = second;
        p->align = take(&w);
        filled = aligned = true;
    } else if (is_align(peek(&w))) {
        p->align = take(&w);
        aligned = true;
    }
    if (peek(&w) == '+' || peek(&w) == '-' || peek(&w) == ' ')
        p->sign = take(&w);
    p->no_negative_zero = take_if(&w, 'z');
    p->alternate = take_if(&w, '#');
    if (!filled && take_if(&w, '0')) {
        p->fill = '0';
        if (!aligned && align == '>')
            p->align = '=';
    }
    IX_TRY(take_number(&w, &p->width, &any, err));
    if (take_if(&w, ','))
        p->grouping = ',';
    if (peek(&w) == '_' || peek(&w) == ',') {
        if (p->grouping && (p->grouping != ',' || peek(&w) == '_'))
            return ix_j_fail(err, "ValueError", "Cannot specify both ',' and '_'.");
        if (take_if(&w, '_'))
            p->grouping = '_';
        if (p->grouping == '_' && peek(&w) == ',')
            return ix_j_fail(err, "ValueError", "Cannot specify both ',' and '_'.");
    }
    if (take_if(&w, '.')) {
        IX_TRY(take_number(&w, &p->precision, &any, err));
        if (!any)
            return ix_j_fail(err, "ValueError", "Format specifier missing precision");
    }
    if (w.at < text->size)
        p->type = take(&w);
    if (w.at < text->size)
        return ix_j_fail(err, "ValueError",
                         "Invalid format specifier '%.*s' for object of type "
                         "'%s'",
                         text->size < 60 ? (int)text->size : 60, text->data, type_name);
    return p->grouping ? check_grouping(p, err) : INOX_OK;
}

static inox_status unknown_type(const spec *p, const char *type_name, inox_error *err)
{
    if (p->type > 32 && p->type < 128)
        return ix_j_fail(err, "ValueError", "Unknown format code '%c' for object of type '%s'",
                         (int)p->type, type_name);
    return ix_j_fail(err, "ValueError", "Unknown format code '\\x%x' for object of type '%s'",
                     (unsigned)p->type, type_name);
}

/* ---- strings --------------------------------------------------------------------------------- */

static inox_status format_string(ix_jbuilder *b, ix_jstring *s, ix_jstring *text, inox_error *err)
{
    spec p;
    IX_TRY(parse(text, "str", 's', '<', &p, err));
    if (p.type != 's')
        return unknown_type(&p, "str", err);
    if (p.sign)
        return ix_j_fail(err, "ValueError",
                         p.sign == ' ' ? "Space not allowed in string format specifier"
                                       : "Sign not allowed in string format specifier");
    if (p.no_negative_zero)
        return ix_j_fail(err, "ValueError",
                         "Negative zero coercion (z) not allowed in string format specifier");
    if (p.alternate)
        return ix_j_fail(err, "ValueError",
                         "Alternate form (#) not allowed in string format specifier");
    if (p.align == '=')
        return ix_j_fail(err, "ValueError", "'=' alignment not allowed in string format specifier");
    int64_t length = (int64_t)ix_j_length(s);
    if (p.precision >= 0 && p.precision < length)
        length = p.precision;
    int64_t pad = p.width > length ? p.width - length : 0;
    int64_t left = p.align == '>' ? pad : p.align == '^' ? pad / 2 : 0;
    IX_TRY(ix_js_fill(b, p.fill, p.fill_user, left, err));
    IX_TRY(ix_jb_part(b, s, 0, ix_j_byte_of(s, (size_t)length), err));
    return ix_js_fill(b, p.fill, p.fill_user, pad - left, err);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* The parts of a number on its way: sign, prefix (0x), digits, and what follows the digits (.5e+3,
 * %). */
typedef struct number {
    bool negative;
    const char *prefix, *digits, *rest;
    size_t digit_count, rest_count;
    size_t group; /* digits between separators */
} number;

/* How many zeros go in front of the digits so that with separators they are at least `least`
 * characters, and how many characters that makes: laid out from the right, group by group. */
static inox_status plan_groups(ix_jrender *r, const spec *p, const number *n, int64_t least,
                               int64_t *added, int64_t *width, inox_error *err)
{
    int64_t group = (int64_t)n->group, left = (int64_t)n->digit_count, room = least;
    int64_t total = 0, zeros = 0;
    for (bool first = true;; first = false) {
        int64_t want = left > room ? left : room;
        IX_TRY(ix_j_steps(r, 1, err));
        int64_t now = want < 1 ? 1 : want < group ? want : group;
        if (!p->grouping) /* one group of any size */
            now = want < 1 ? 1 : want;
        total += now + !first;
        zeros += now > left ? now - (left > 0 ? left : 0) : 0;
        left -= now < left ? now : left;
        room -= now + 1;
        if (left <= 0 && room + 1 <= 0)
            break;
    }
    *width = total;
    *added = zeros;
    return INOX_OK;
}

static inox_status put_groups(ix_jbuilder *b, const spec *p, const number *n, int64_t zeros,
                              inox_error *err)
{
    int64_t group = (int64_t)n->group, places = zeros + (int64_t)n->digit_count;
    for (int64_t i = 0; i < places; i++) {
        if (i > 0 && p->grouping && (places - i) % group == 0)
            IX_TRY(ix_jb_bytes(b, p->grouping == ',' ? "," : "_", 1, false, err));
        if (i < zeros)
            IX_TRY(ix_jb_bytes(b, "0", 1, false, err));
        else
            IX_TRY(ix_jb_bytes(b, n->digits + (i - zeros), 1, false, err));
        if (i % 16 == 0)
            IX_TRY(ix_j_steps(b->r, 1, err));
    }
    return INOX_OK;
}

static inox_status put_number(ix_jbuilder *b, const spec *p, const number *n, inox_error *err)
{
    const char *sign = n->negative ? "-" : p->sign == '+' ? "+" : p->sign == ' ' ? " " : "";
    int64_t fixed = (int64_t)(strlen(sign) + strlen(n->prefix) + n->rest_count), digits = 0,
            zeros = 0;
    int64_t least = p->fill == '0' && p->align == '=' ? p->width - fixed : 0;
    if (n->digit_count > 0) /* none: the letters of inf and nan, in rest */
        IX_TRY(plan_groups(b->r, p, n, least, &zeros, &digits, err));
    int64_t pad = p->width > fixed + digits ? p->width - fixed - digits : 0;
    int64_t left = p->align == '>' ? pad : p->align == '^' ? pad / 2 : 0;
    int64_t inner = p->align == '=' ? pad : 0;
    IX_TRY(ix_js_fill(b, p->fill, p->fill_user, left, err));
    IX_TRY(ix_jb_text(b, sign, err));
    IX_TRY(ix_jb_text(b, n->prefix, err));
    IX_TRY(ix_js_fill(b, p->fill, p->fill_user, inner, err));
    if (n->digit_count > 0)
        IX_TRY(put_groups(b, p, n, zeros, err));
    IX_TRY(ix_jb_bytes(b, n->rest, n->rest_count, false, err));
    return ix_js_fill(b, p->fill, p->fill_user, pad - left - inner, err);
}

static inox_status format_float(ix_jbuilder *b, double x, const spec *p, const char *type_name,
                                inox_error *err)
{
    char style = 'r';
    int flags = p->alternate ? IX_J_FLOAT_ALTERNATE : 0;
    int64_t precision = p->precision;
    const char *text;
    size_t size, from = 0;
    if (p->type != 0 && (p->type >= 128 || !strchr("eEfFgGn%", (int)p->type)))
        return unknown_type(p, type_name, err);
    if (precision > INT32_MAX)
        return ix_j_fail(err, "ValueError", "precision too big");
    if (p->no_negative_zero)
        flags |= IX_J_FLOAT_NO_NEGATIVE_ZERO;
    if (p->type == 0) {
        flags |= IX_J_FLOAT_DOT_ZERO;
        style = precision < 0 ? 'r' : 'g';
    } else {
        style = p->type == 'n' ? 'g' : p->type == '%' ? 'f' : (char)p->type;
        precision = precision < 0 ? 6 : precision;
    }
    if (p->type == '%')
        x *= 100;
    IX_TRY(ix_js_float(b->r, x, style, precision, flags, &text, &size, err));
    number n = { .prefix = "", .group = 3 };
    if (size > 0 && text[0] == '-') {
        n.negative = true;
        from = 1;
    }
    n.digits = text + from;
    while (from + n.digit_count < size && n.digits[n.digit_count] >= '0' &&
           n.digits[n.digit_count] <= '9')
        n.digit_count++;
    n.rest = n.digits + n.digit_count;
    n.rest_count = size - from - n.digit_count;
    if (p->type == '%') {
        char *with;
        IX_TRY(ix_j_alloc(b->r, n.rest_count + 1, 1, (void **)&with, err));
        memcpy(with, n.rest, n.rest_count);
        with[n.rest_count++] = '%';
        n.rest = with;
    }
    return put_number(b, p, &n, err);
}

/* Type c: the character of that number; marked, as numbers have no marks and this may be a
 * user's. */
static inox_status format_character(ix_jbuilder *b, ix_jvalue v, const spec *p, inox_error *err)
{
    char bytes[4];
    if (p->sign)
        return ix_j_fail(err, "ValueError", "Sign not allowed with integer format specifier 'c'");
    if (p->alternate)
        return ix_j_fail(err, "ValueError",
                         "Alternate form (#) not allowed with integer format specifier 'c'");
    if (v.kind != IX_J_INT || v.integer < 0 || v.integer > 0x10FFFF)
        return ix_j_fail(err, "OverflowError", "%%c arg not in range(0x110000)");
    size_t size = ix_utf8_write((uint32_t)v.integer, bytes);
    int64_t pad = p->width > 1 ? p->width - 1 : 0;
    int64_t left = p->align == '>' || p->align == '=' ? pad : p->align == '^' ? pad / 2 : 0;
    IX_TRY(ix_js_fill(b, p->fill, p->fill_user, left, err));
    IX_TRY(ix_jb_bytes(b, bytes, size, true, err));
    return ix_js_fill(b, p->fill, p->fill_user, pad - left, err);
}

static inox_status format_int(ix_jbuilder *b, ix_jvalue v, const char *type_name, const spec *p,
                              inox_error *err)
{
    double x;
    const char *text;
    char *copy;
    size_t size;
    if (p->type < 128 && p->type && strchr("eEfFgG%", (int)p->type)) {
        IX_TRY(ix_j_float_of_int(b->r, v, &x, err));
        return format_float(b, x, p, type_name, err);
    }
    if (p->type != 0 && (p->type >= 128 || !strchr("bcdnoxX", (int)p->type)))
        return unknown_type(p, type_name, err);
    if (p->precision >= 0)
        return ix_j_fail(err, "ValueError", "Precision not allowed in integer format specifier");
    if (p->no_negative_zero)
        return ix_j_fail(err, "ValueError",
                         "Negative zero coercion (z) not allowed in format specifier with integer");
    if (p->type == 'c')
        return format_character(b, v, p, err);
    int base = p->type == 'b' ? 2 : p->type == 'o' ? 8 : p->type == 'x' || p->type == 'X' ? 16 : 10;
    IX_TRY(ix_j_int_text(b->r, v, base, &text, &size, err));
    number n = { .rest = "", .prefix = "", .group = base == 10 ? 3 : 4 };
    if (p->alternate && base != 10)
        n.prefix = p->type == 'b' ? "0b" : p->type == 'o' ? "0o" : p->type == 'x' ? "0x" : "0X";
    n.negative = text[0] == '-';
    n.digit_count = size - n.negative;
    n.digits = text + n.negative;
    if (p->type == 'X') {
        IX_TRY(ix_j_alloc(b->r, n.digit_count, 1, (void **)&copy, err));
        for (size_t i = 0; i < n.digit_count; i++)
            copy[i] = (char)(n.digits[i] >= 'a' ? n.digits[i] - 32 : n.digits[i]);
        n.digits = copy;
    }
    return put_number(b, p, &n, err);
}

inox_status ix_js_format_value(ix_jbuilder *b, ix_jvalue v, ix_jstring *text, inox_error *err)
{
    spec p;
    const char *name = ix_j_type_name(v);
    IX_TRY(ix_j_steps(b->r, 1, err));
    if (text->size == 0)
        return ix_jb_str(b, v, err);
    switch (v.kind) {
    case IX_J_STRING: return format_string(b, v.string, text, err);
    case IX_J_FLOAT:
        IX_TRY(parse(text, name, 0, '>', &p, err));
        return format_float(b, v.real, &p, name, err);
    case IX_J_BOOL:
    case IX_J_INT:
    case IX_J_BIG:
        IX_TRY(parse(text, name, 'd', '>', &p, err));
        if (v.kind == IX_J_BOOL)
            v = ix_j_int(v.boolean);
        return format_int(b, v, name, &p, err);
    default:
        return ix_j_fail(err, "TypeError", "unsupported format string passed to %s.__format__",
                         name);
    }
}
