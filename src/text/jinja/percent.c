/* The left % right of strings: CPython's unicode_format, and markupsafe's, which escapes what goes
 * in.
 *
 *     %[(key)][flags -+ #0][width or *][.precision or *][h l L]type
 */
#include "text/jinja/number.h"
#include "text/jinja/strings.h"

#include <string.h>

typedef struct percent {
    ix_jrender *r;
    ix_jvalue all;     /* the right side */
    ix_jvalue current; /* what a single argument is taken from */
    bool tuple;        /* current is a tuple of arguments */
    bool mapping;      /* the right side may be asked by (key) */
    size_t next;       /* argument */
    bool escape;
} percent;

typedef struct conversion {
    bool left, plus, blank, alternate, zero;
    int64_t width, precision; /* -1: not given */
    uint32_t type;
} conversion;

/* `end` arguments are there; a value that is no tuple is one argument. */
static bool has_argument(const percent *p)
{
    return p->tuple ? p->next < p->current.list->count : p->next < 1;
}

static inox_status next_argument(percent *p, ix_jvalue *out, inox_error *err)
{
    if (!has_argument(p))
        return ix_j_fail(err, "TypeError", "not enough arguments for format string");
    *out = p->tuple ? p->current.list->items[p->next] : p->current;
    p->next++;
    return INOX_OK;
}

static uint32_t take(ix_jwalk *w)
{
    uint32_t c = 0;
    bool user;
    return ix_jwalk_next(w, &c, &user) ? c : 0;
}

/* (key): takes the value from the mapping for the next conversion. */
static inox_status read_key(percent *p, ix_jwalk *w, inox_error *err)
{
    size_t depth = 1, start = w->at;
    ix_jvalue key;
    if (!p->mapping)
        return ix_j_fail(err, "TypeError", "format requires a mapping");
    while (depth > 0 && w->at < w->s->size) {
        char c = w->s->data[w->at++];
        depth += c == '(';
        depth -= c == ')';
    }
    if (depth > 0)
        return ix_j_fail(err, "ValueError", "incomplete format key");
    IX_TRY(ix_j_slice(p->r, (ix_jstring *)(uintptr_t)w->s, start, w->at - 1, &key, err));
    p->tuple = false;
    p->next = 0;
    if (p->all.kind == IX_J_DICT) {
        ix_jvalue *found, shown;
        IX_TRY(ix_j_dict_get(p->r, p->all.dict, key, &found, err));
        if (found) {
            p->current = *found;
            return INOX_OK;
        }
        IX_TRY(ix_j_repr(p->r, key, &shown, err));
        return ix_j_fail(err, "KeyError", "%.*s",
                         shown.string->size < 100 ? (int)shown.string->size : 100,
                         shown.string->data);
    }
    if (p->all.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(p->r, p->all, err);
    return ix_j_fail(err, "TypeError", "%s indices must be integers or slices, not str",
                     ix_j_type_name(p->all));
}

/* A width or a precision: digits, or * for the next argument. */
static inox_status read_size(percent *p, ix_jwalk *w, uint32_t *c, int64_t *out, bool *negative,
                             const char *what, inox_error *err)
{
    ix_jvalue v;
    *negative = false;
    if (*c == '*') {
        IX_TRY(next_argument(p, &v, err));
        if (!ix_j_is_int(v) || p->escape)
            return ix_j_fail(err, "TypeError", "* wants int");
        if (v.kind == IX_J_BIG)
            return ix_j_fail(err, "OverflowError", "Python int too large to convert to C long");
        int64_t n = v.kind == IX_J_BOOL ? v.boolean : v.integer;
        *negative = n < 0;
        if (n > INT32_MAX || n < -INT32_MAX)
            return ix_j_fail(err, "OverflowError", "Python int too large to convert to C int");
        *out = n < 0 ? -n : n;
        *c = take(w);
        return INOX_OK;
    }
    while (*c >= '0' && *c <= '9') {
        int64_t digit = (int64_t)*c - '0', n = *out < 0 ? 0 : *out;
        if (n > (INT32_MAX - digit) / 10)
            return ix_j_fail(err, "ValueError", "%s too big", what);
        *out = n * 10 + digit;
        *c = take(w);
    }
    return INOX_OK;
}

static inox_status read_conversion(percent *p, ix_jwalk *w, conversion *f, inox_error *err)
{
    uint32_t c = 0;
    bool negative;
    *f = (conversion){ .width = -1, .precision = -1 };
    if (w->at < w->s->size && w->s->data[w->at] == '(') {
        w->at++;
        IX_TRY(read_key(p, w, err));
    }
    for (;;) {
        c = take(w);
        if (c == '-')
            f->left = true;
        else if (c == '+')
            f->plus = true;
        else if (c == ' ')
            f->blank = true;
        else if (c == '#')
            f->alternate = true;
        else if (c == '0')
            f->zero = true;
        else
            break;
    }
    IX_TRY(read_size(p, w, &c, &f->width, &negative, "width", err));
    f->left = f->left || negative;
    if (c == '.') {
        f->precision = 0;
        c = take(w);
        IX_TRY(read_size(p, w, &c, &f->precision, &negative, "precision", err));
        if (negative)
            f->precision = 0;
    }
    if (c == 'h' || c == 'l' || c == 'L')
        c = take(w);
    f->type = c;
    if (c == 0 && w->at >= w->s->size)
        return ix_j_fail(err, "ValueError", "incomplete format");
    return INOX_OK;
}

/* ---- one value ------------------------------------------------------------------------------- */

/* A number in the digits of type d, o, x or X, with the prefix that # asks for. */
static inox_status int_text(percent *p, const conversion *f, ix_jvalue v, ix_jvalue *out,
                            inox_error *err)
{
    int base = f->type == 'o' ? 8 : f->type == 'x' || f->type == 'X' ? 16 : 10;
    ix_jbuilder b = ix_jb(p->r);
    const char *text;
    size_t size;
    if (v.kind == IX_J_UNDEFINED && base == 10)
        return ix_j_undefined_error(p->r, v, err);
    if (base == 10 && (v.kind == IX_J_FLOAT || (p->escape && v.kind == IX_J_STRING)))
        IX_TRY(ix_js_int_of(p->r, v, &v, err));
    if (!ix_j_is_int(v) || (p->escape && base != 10))
        return ix_j_fail(err, "TypeError", "%%%c format: %s is required, not %s", (int)f->type,
                         base == 10 ? "a real number" : "an integer", ix_j_type_name(v));
    if (f->precision > INT32_MAX - 3)
        return ix_j_fail(err, "OverflowError", "precision too large");
    if (v.kind == IX_J_BOOL)
        v = ix_j_int(v.boolean);
    IX_TRY(ix_j_int_text(p->r, v, base, &text, &size, err));
    IX_TRY(ix_j_steps(p->r, size / 8, err));
    size_t sign = text[0] == '-';
    int64_t digits = (int64_t)(size - sign);
    IX_TRY(ix_jb_bytes(&b, text, sign, false, err));
    if (f->alternate && base != 10)
        IX_TRY(ix_jb_text(&b, f->type == 'o' ? "0o" : f->type == 'x' ? "0x" : "0X", err));
    if (f->precision > digits)
        IX_TRY(ix_js_fill(&b, '0', false, f->precision - digits, err));
    for (size_t i = sign; i < size; i++) {
        char c = text[i];
        if (f->type == 'X' && c >= 'a')
            c = (char)(c - 'a' + 'A');
        IX_TRY(ix_jb_bytes(&b, &c, 1, false, err));
    }
    return ix_jb_finish(&b, false, out, err);
}

static inox_status float_text(percent *p, const conversion *f, ix_jvalue v, ix_jvalue *out,
                              inox_error *err)
{
    double x;
    const char *text;
    size_t size;
    if (v.kind == IX_J_STRING && !p->escape)
        return ix_j_fail(err, "TypeError", "must be real number, not str");
    if (!ix_j_is_number(v) && v.kind != IX_J_UNDEFINED && v.kind != IX_J_STRING)
        return ix_j_fail(err, "TypeError", "must be real number, not %s", ix_j_type_name(v));
    IX_TRY(ix_js_float_of(p->r, v, &x, err));
    IX_TRY(ix_js_float(p->r, x, (char)f->type, f->precision < 0 ? 6 : f->precision,
                       f->alternate ? IX_J_FLOAT_ALTERNATE : 0, &text, &size, err));
    return ix_j_string_copy(p->r, text, size, out, err);
}

static inox_status character_text(percent *p, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(p->r);
    if (v.kind == IX_J_STRING && !p->escape && ix_j_length(v.string) == 1)
        return ix_j_with_safe(p->r, v.string, false, out, err);
    if (!ix_j_is_int(v) || p->escape)
        return ix_j_fail(err, "TypeError", "%%c requires int or char");
    if (v.kind == IX_J_BOOL)
        v = ix_j_int(v.boolean);
    if (v.kind == IX_J_BIG || v.integer < 0 || v.integer > 0x10FFFF)
        return ix_j_fail(err, "OverflowError", "%%c arg not in range(0x110000)");
    /* Numbers have no marks: who knows whose this is. */
    IX_TRY(ix_jb_character(&b, (uint32_t)v.integer, true, err));
    return ix_jb_finish(&b, false, out, err);
}

/* The value as text, before width and sign. */
static inox_status value_text(percent *p, const conversion *f, ix_jvalue v, ix_jvalue *out,
                              inox_error *err)
{
    ix_jbuilder b = ix_jb(p->r);
    ix_jvalue shown;
    switch (f->type) {
    case 's':
        if (p->escape)
            IX_TRY(ix_jb_escape(&b, v, err));
        else
            IX_TRY(ix_jb_str(&b, v, err));
        return ix_jb_finish(&b, false, out, err);
    case 'r':
    case 'a':
        if (f->type == 'r')
            IX_TRY(ix_jb_repr(&b, v, err));
        else
            IX_TRY(ix_js_ascii(&b, v, err));
        IX_TRY(ix_jb_finish(&b, false, &shown, err));
        if (!p->escape) {
            *out = shown;
            return INOX_OK;
        }
        IX_TRY(ix_jb_escaped(&b, shown.string, err));
        return ix_jb_finish(&b, false, out, err);
    case 'c': return character_text(p, v, out, err);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': return float_text(p, f, v, out, err);
    default: return int_text(p, f, v, out, err);
    }
}

/* The text with sign, zeros and spaces around it: what CPython's unicode_format_arg_output does. */
static inox_status put_text(ix_jbuilder *b, const conversion *f, ix_jstring *s, inox_error *err)
{
    bool number = f->type != 's' && f->type != 'r' && f->type != 'a' && f->type != 'c';
    bool zero = f->zero && number,
         prefix = f->alternate && (f->type == 'x' || f->type == 'X' || f->type == 'o');
    int64_t length = (int64_t)ix_j_length(s), width = f->width;
    size_t from = 0;
    char sign = 0;
    if (!number && f->type != 'c' && f->precision >= 0 && f->precision < length)
        length = f->precision;
    size_t end = ix_j_byte_of(s, (size_t)length);
    if (number && s->size > 0 && (s->data[0] == '-' || s->data[0] == '+')) {
        sign = s->data[0];
        from = 1;
        length--;
    } else if (number) {
        sign = f->plus ? '+' : f->blank ? ' ' : 0;
    }
    width = width < length + (sign != 0) ? length + (sign != 0) : width;
    int64_t pad = width - length - (sign != 0);
    if (!zero && !f->left)
        IX_TRY(ix_js_fill(b, ' ', false, pad, err));
    if (sign)
        IX_TRY(ix_jb_bytes(b, &sign, 1, false, err));
    if (prefix)
        IX_TRY(ix_jb_part(b, s, from, from + 2, err));
    if (zero && !f->left)
        IX_TRY(ix_js_fill(b, '0', false, pad, err));
    IX_TRY(ix_jb_part(b, s, from + (prefix ? 2 : 0), end, err));
    return f->left ? ix_js_fill(b, ' ', false, pad, err) : INOX_OK;
}

static inox_status put_conversion(percent *p, ix_jbuilder *b, ix_jwalk *w, inox_error *err)
{
    conversion f;
    ix_jvalue v, text;
    if (w->at < w->s->size && w->s->data[w->at] == '%') {
        w->at++;
        return ix_jb_part(b, w->s, w->at - 1, w->at, err);
    }
    IX_TRY(read_conversion(p, w, &f, err));
    IX_TRY(next_argument(p, &v, err));
    if (f.type >= 128 || f.type == 0 || !strchr("sracdiuoxXeEfFgG", (int)f.type))
        return ix_j_fail(err, "ValueError", "unsupported format character '%c' (0x%x) at index %zu",
                         f.type > 32 && f.type < 127 ? (int)f.type : '?', (unsigned)f.type,
                         ix_j_character_at(w->s, w->at) - 1);
    IX_TRY(value_text(p, &f, v, &text, err));
    return put_text(b, &f, text.string, err);
}

inox_status ix_j_percent(ix_jrender *r, ix_jstring *format, ix_jvalue values, ix_jvalue *out,
                         inox_error *err)
{
    ix_jbuilder b = ix_jb(r);
    percent p = { .r = r, .all = values, .current = values, .escape = format->safe };
    p.tuple = values.kind == IX_J_TUPLE;
    p.mapping = values.kind == IX_J_DICT || values.kind == IX_J_LIST || values.kind == IX_J_RANGE ||
                values.kind == IX_J_UNDEFINED;
    size_t from = 0;
    IX_TRY(ix_j_steps(r, format->size / 32 + 1, err));
    for (ix_jwalk w = { .s = format }; w.at < format->size;) {
        const char *found = memchr(format->data + w.at, '%', format->size - w.at);
        size_t at = found ? (size_t)(found - format->data) : format->size;
        IX_TRY(ix_j_steps(r, (at - from) / 64 + 1, err));
        IX_TRY(ix_jb_part(&b, format, from, at, err));
        w.at = at + (found != NULL);
        if (found)
            IX_TRY(put_conversion(&p, &b, &w, err));
        from = w.at;
    }
    if (has_argument(&p) && !p.mapping)
        return ix_j_fail(err, "TypeError", "not all arguments converted during string formatting");
    return ix_jb_finish(&b, format->safe, out, err);
}
