/* Classes and escapes of expressions.  See parse.h. */
#include "text/regex/parse.h"

#include "text/regex/property.h"
#include "text/unicode.h"

#include <string.h>

/* ---- named sets ---------------------------------------------------------------------------- */

/* *set |= the row of the table with this name. */
static inox_status add_row(ix_regex_parser *p, const char *name, ix_char_set *set)
{
    size_t count = 0;
    const uint32_t *bounds = ix_regex_property_row(name, p->syntax, &count);
    if (!bounds)
        return ix_regex_fail(p, INOX_E_INTERNAL, p->at, "the table has no row %s", name);
    return ix_set_combine(p->arena, set, bounds, count, IX_SET_OR, p->err);
}

static inox_status only_ascii(ix_regex_parser *p, ix_char_set *set)
{
    static const uint32_t ascii[2] = { 0, 0x80 };
    return ix_set_combine(p->arena, set, ascii, 2, IX_SET_AND, p->err);
}

inox_status ix_regex_perl_set(ix_regex_parser *p, char name, ix_char_set *set)
{
    unsigned ascii = name == 'W'   ? IX_REGEX_ASCII_WORD
                     : name == 'D' ? IX_REGEX_ASCII_DIGIT
                                   : IX_REGEX_ASCII_SPACE;
    char row[] = "PERLX";
    row[4] = name;
    /* Inside of a class Oniguruma's \w lacks the numbers of Latin-1 (U+00B2, BC, ...). */
    bool plain = name == 'W' && p->class_depth > 0 && p->syntax == IX_REGEX_ONIGURUMA;
    *set = (ix_char_set){ 0 };
    IX_TRY(add_row(p, plain ? "POSIXWORD" : row, set));
    return p->flags & (ascii | IX_REGEX_ASCII_POSIX) ? only_ascii(p, set) : INOX_OK;
}

/* \p{name}, \P{name}, \p{^name}, and Rust's \pL; p->at is behind the p. */
static inox_status property(ix_regex_parser *p, bool negated, ix_char_set *set)
{
    size_t at = p->at, end, count = 0;
    if (ix_regex_take(p, '{')) {
        const char *close = memchr(p->data + p->at, '}', p->size - p->at);
        if (!close)
            return ix_regex_fail(p, INOX_E_FORMAT, at, "\\p{ has no }");
        if (p->data[p->at] == '^') {
            negated = !negated;
            p->at++;
        }
        end = (size_t)(close - p->data);
    } else if (p->syntax == IX_REGEX_RUST && !ix_regex_ended(p)) {
        end = p->at + 1;
    } else {
        return ix_regex_fail(p, INOX_E_FORMAT, at, "\\p needs a name in braces");
    }
    int size = end - p->at > 60 ? 60 : (int)(end - p->at);
    const uint32_t *bounds =
        ix_regex_property_find(p->data + p->at, end - p->at, p->syntax, &count);
    if (!bounds)
        return ix_regex_fail(p, INOX_E_UNSUPPORTED, at, "\\p{%.*s} is not a property that is known",
                             size, p->data + p->at);
    p->at = end + (p->data[at] == '{');
    *set = (ix_char_set){ 0 };
    IX_TRY(ix_set_combine(p->arena, set, bounds, count, IX_SET_OR, p->err));
    if (p->syntax == IX_REGEX_RUST && (p->flags & IX_REGEX_FOLD))
        IX_TRY(ix_set_fold(p->arena, set, p->err));
    return negated ? ix_set_negate(p->arena, set, p->err) : INOX_OK;
}

/* [:name:] or [:^name:] at p->at, behind the first bracket; *found false: it is something else. */
static inox_status posix(ix_regex_parser *p, ix_char_set *set, bool *found)
{
    static const char *const names[] = { "alnum", "alpha", "ascii", "blank", "cntrl",
                                         "digit", "graph", "lower", "print", "punct",
                                         "space", "upper", "word",  "xdigit" };
    char row[16] = "POSIX";
    *found = false;
    if (!ix_regex_peek(p, ":"))
        return INOX_OK;
    size_t name = p->at + 1;
    bool negated = name < p->size && p->data[name] == '^';
    name += negated;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (p->size - name < n + 2 || memcmp(p->data + name, names[i], n) != 0 ||
            memcmp(p->data + name + n, ":]", 2) != 0)
            continue;
        for (size_t k = 0; k <= n; k++)
            row[5 + k] = names[i][k] ? (char)(names[i][k] - 32) : 0;
        *set = (ix_char_set){ 0 };
        IX_TRY(add_row(p, row, set));
        if (p->flags & IX_REGEX_ASCII_POSIX)
            IX_TRY(only_ascii(p, set));
        if (negated)
            IX_TRY(ix_set_negate(p->arena, set, p->err));
        p->at = name + n + 2;
        *found = true;
        return INOX_OK;
    }
    size_t end = name;
    while (end < p->size && p->data[end] >= 'a' && p->data[end] <= 'z')
        end++;
    if (p->syntax == IX_REGEX_ONIGURUMA && p->size - end >= 2 &&
        memcmp(p->data + end, ":]", 2) == 0)
        return ix_regex_fail(p, INOX_E_FORMAT, p->at, "no class [:name:] is called so");
    return INOX_OK;
}

/* ---- escapes ------------------------------------------------------------------------------- */

static int digit_of(char c, unsigned base)
{
    int v = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : 99;
    return v < (int)base ? v : -1;
}

/* Up to `most` digits at p->at; how many there were. */
static size_t digits(ix_regex_parser *p, unsigned base, size_t most, uint32_t *value)
{
    size_t n = 0;
    *value = 0;
    while (n < most && !ix_regex_ended(p)) {
        int d = digit_of(p->data[p->at], base);
        if (d < 0)
            break;
        *value = *value > 0xFFFFFF ? 0xFFFFFFFF : *value * base + (uint32_t)d;
        p->at++;
        n++;
    }
    return n;
}

static inox_status code_point(ix_regex_parser *p, size_t at, uint32_t c)
{
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return ix_regex_fail(p, INOX_E_FORMAT, at, "the number of the escape is no character");
    return INOX_OK;
}

/* {digits} at p->at. */
static inox_status braced(ix_regex_parser *p, size_t at, unsigned base, uint32_t *c)
{
    p->at++;
    size_t n = digits(p, base, 11, c);
    if (n == 0 || !ix_regex_take(p, '}'))
        return ix_regex_fail(p, INOX_E_FORMAT, at, "an escape with { needs digits and }");
    return code_point(p, at, *c);
}

/* Oniguruma's \xHH is a byte: from 0x80 on, several of them spell one character in UTF-8. */
static inox_status bytes_as_character(ix_regex_parser *p, size_t at, uint32_t first, uint32_t *c)
{
    char bytes[4] = { (char)first };
    size_t n = 1;
    bool whole = false, bad = false;
    for (;;) {
        (void)ix_utf8_prefix(bytes, n, &whole, &bad);
        if (bad)
            return ix_regex_fail(p, INOX_E_FORMAT, at, "the bytes \\xHH are not UTF-8");
        if (whole)
            break;
        uint32_t next;
        if (!ix_regex_peek(p, "\\x"))
            return ix_regex_fail(p, INOX_E_FORMAT, at, "the bytes \\xHH are not UTF-8");
        p->at += 2;
        if (digits(p, 16, 2, &next) != 2)
            return ix_regex_fail(p, INOX_E_FORMAT, at, "the bytes \\xHH are not UTF-8");
        bytes[n++] = (char)next;
    }
    (void)ix_utf8_read(bytes, n, c);
    return INOX_OK;
}

/* \x, \u, \U, \o and octal numbers; `kind` is the letter, behind which p->at is. */
static inox_status number(ix_regex_parser *p, char kind, size_t at, uint32_t *c)
{
    bool rust = p->syntax == IX_REGEX_RUST;
    if (ix_regex_peek(p, "{") && (rust || kind == 'x' || kind == 'o'))
        return braced(p, at, kind == 'o' ? 8 : 16, c);
    if (kind == '0') {
        (void)digits(p, 8, 2, c);
        return INOX_OK;
    }
    size_t wanted = kind == 'x' ? 2 : kind == 'u' ? 4 : 8, n = digits(p, 16, wanted, c);
    bool fewer = kind == 'x' && !rust && n > 0; /* \xH */
    if (n != wanted && !fewer)
        return ix_regex_fail(p, INOX_E_FORMAT, at, "\\%c needs %d hexadecimal digits", kind,
                             (int)wanted);
    if (kind == 'x' && !rust && *c >= 0x80)
        return bytes_as_character(p, at, *c, c);
    return code_point(p, at, *c);
}

/* \cx and \C-x */
static inox_status control(ix_regex_parser *p, size_t at, bool dash, uint32_t *c)
{
    if (dash && !ix_regex_take(p, '-'))
        return ix_regex_fail(p, INOX_E_FORMAT, at, "\\C needs - and a character");
    if (ix_regex_ended(p) || (unsigned char)p->data[p->at] >= 0x80 || p->data[p->at] == '\\')
        return ix_regex_fail(p, INOX_E_FORMAT, at, "\\c needs a character of ASCII");
    *c = p->data[p->at] == '?' ? 0x7F : (uint32_t)p->data[p->at] & 0x9F;
    p->at++;
    return INOX_OK;
}

static inox_status set_escape(ix_regex_parser *p, char kind, ix_char_set *set)
{
    bool negated = kind >= 'A' && kind <= 'Z';
    char upper = negated ? kind : (char)(kind - 32);
    if (upper == 'P')
        return property(p, negated, set);
    if (upper == 'H') {
        *set = (ix_char_set){ 0 };
        IX_TRY(ix_set_add(p->arena, set, '0', '9', p->err));
        IX_TRY(ix_set_add(p->arena, set, 'A', 'F', p->err));
        IX_TRY(ix_set_add(p->arena, set, 'a', 'f', p->err));
    } else {
        IX_TRY(ix_regex_perl_set(p, upper, set));
    }
    return negated ? ix_set_negate(p->arena, set, p->err) : INOX_OK;
}

inox_status ix_regex_escape(ix_regex_parser *p, bool *is_set, ix_char_set *set, uint32_t *c)
{
    static const char named[] = "a\ae\x1B"
                                "f\fn\nr\rt\tv\v";
    size_t at = p->at - 1;
    bool rust = p->syntax == IX_REGEX_RUST;
    *is_set = false;
    IX_TRY(ix_regex_read(p, c));
    uint32_t kind = *c;
    if (kind >= 0x80 || kind == 0)
        return INOX_OK;
    for (size_t i = 0; named[i]; i += 2) {
        if (kind == (unsigned char)named[i]) {
            *c = (unsigned char)named[i + 1];
            return INOX_OK;
        }
    }
    bool name = rust || ix_regex_peek(p, "{"); /* Oniguruma's \pL is the letters p and L */
    if (strchr("dDsSwWhH", (int)kind) || (strchr("pP", (int)kind) && name)) {
        *is_set = true;
        return set_escape(p, (char)kind, set);
    }
    if (kind == 'x' || kind == 'u' || (kind == 'U' && rust) ||
        (!rust && (kind == '0' || (kind == 'o' && ix_regex_peek(p, "{")))))
        return number(p, (char)kind, at, c);
    if (!rust && (kind == 'c' || kind == 'C'))
        return control(p, at, kind == 'C', c);
    if (!rust && kind == 'M')
        return ix_regex_fail(p, INOX_E_UNSUPPORTED, at, "\\M- is not supported: write \\x{..}");
    if (kind >= '0' && kind <= '9') {
        size_t behind = p->at--;
        if (!rust && digits(p, 8, 3, c) > 1)
            return code_point(p, at, *c); /* more than nine groups are rarer than \101 */
        p->at = behind;
        return ix_regex_fail(p, INOX_E_UNSUPPORTED, at,
                             "back references are not supported: they make matching non-linear");
    }
    bool letter = (kind >= 'A' && kind <= 'Z') || (kind >= 'a' && kind <= 'z');
    if (letter && rust)
        return ix_regex_fail(p, INOX_E_FORMAT, at, "\\%c is no escape", (char)kind);
    return INOX_OK;
}

/* ---- classes ------------------------------------------------------------------------------- */

/* A class while it is read: `left op current`, or `current` alone. */
typedef struct class_state {
    ix_char_set left, current;
    ix_set_operation operation;
    bool has_left;
} class_state;

static inox_status finish_operand(ix_regex_parser *p, class_state *s)
{
    if (s->has_left)
        IX_TRY(ix_set_combine(p->arena, &s->left, s->current.bounds, s->current.count, s->operation,
                              p->err));
    else
        s->left = s->current;
    s->has_left = true;
    s->current = (ix_char_set){ 0 };
    return INOX_OK;
}

static bool take_operation(ix_regex_parser *p, ix_set_operation *operation)
{
    bool rust = p->syntax == IX_REGEX_RUST;
    if (ix_regex_peek(p, "&&"))
        *operation = IX_SET_AND;
    else if (rust && ix_regex_peek(p, "--"))
        *operation = IX_SET_MINUS;
    else if (rust && ix_regex_peek(p, "~~"))
        *operation = IX_SET_XOR;
    else
        return false;
    p->at += 2;
    return true;
}

/* One character or escape.  In a class \b is a backspace. */
static inox_status class_atom(ix_regex_parser *p, bool *is_set, ix_char_set *set, uint32_t *c)
{
    *is_set = false;
    if (!ix_regex_peek(p, "\\"))
        return ix_regex_read(p, c);
    p->at++;
    if (ix_regex_ended(p))
        return ix_regex_fail(p, INOX_E_FORMAT, p->at - 1, "the expression ends in a backslash");
    if (ix_regex_take(p, 'b')) {
        *c = '\b';
        return INOX_OK;
    }
    uint32_t digit = (unsigned char)p->data[p->at];
    if (p->syntax == IX_REGEX_ONIGURUMA && digit >= '1' && digit <= '7') {
        (void)digits(p, 8, 3, c);
        return code_point(p, p->at, *c);
    }
    return ix_regex_escape(p, is_set, set, c);
}

/* One item: a set, a character or a range. */
static inox_status class_item(ix_regex_parser *p, ix_char_set *into)
{
    size_t at = p->at;
    bool is_set;
    ix_char_set set;
    uint32_t first, last;
    IX_TRY(class_atom(p, &is_set, &set, &first));
    bool range = ix_regex_peek(p, "-") && !ix_regex_peek(p, "-]") && !ix_regex_peek(p, "-&&") &&
                 !(p->syntax == IX_REGEX_RUST && ix_regex_peek(p, "--"));
    if (is_set) {
        if (range)
            return ix_regex_fail(p, INOX_E_FORMAT, p->at,
                                 "a range cannot begin with a set: write \\- for the character");
        return ix_set_combine(p->arena, into, set.bounds, set.count, IX_SET_OR, p->err);
    }
    last = first;
    if (range) {
        p->at++;
        if (ix_regex_ended(p))
            return ix_regex_fail(p, INOX_E_FORMAT, at, "the class has no ]");
        IX_TRY(class_atom(p, &is_set, &set, &last));
        if (is_set)
            return ix_regex_fail(p, INOX_E_FORMAT, at, "a range cannot end with a set");
        if (last < first)
            return ix_regex_fail(p, INOX_E_FORMAT, at, "the range is upside down");
    }
    return ix_set_add(p->arena, into, first, last, p->err);
}

/* What is a character only at the beginning: in Rust any number of -, or a ]; in Oniguruma a ]
 * if there is another. */
static inox_status class_opening(ix_regex_parser *p, class_state *s, bool *any)
{
    bool rust = p->syntax == IX_REGEX_RUST;
    *any = false;
    while (rust && ix_regex_take(p, '-'))
        *any = true;
    if (*any)
        return ix_set_add(p->arena, &s->current, '-', '-', p->err);
    if (!ix_regex_peek(p, "]"))
        return INOX_OK;
    if (!rust) {
        if (!memchr(p->data + p->at + 1, ']', p->size - p->at - 1))
            return ix_regex_fail(p, INOX_E_FORMAT, p->at, "the class is empty");
        *any = true;
        return class_item(p, &s->current);
    }
    p->at++;
    *any = true;
    return ix_set_add(p->arena, &s->current, ']', ']', p->err);
}

static inox_status class_body(ix_regex_parser *p, size_t start, class_state *s)
{
    bool found, any;
    ix_set_operation operation;
    IX_TRY(class_opening(p, s, &any));
    for (;; any = true) {
        if (ix_regex_ended(p))
            return ix_regex_fail(p, INOX_E_FORMAT, start, "the class has no ]");
        if (ix_regex_take(p, ']'))
            return INOX_OK;
        if (any && take_operation(p, &operation)) {
            IX_TRY(finish_operand(p, s));
            s->operation = operation;
            continue;
        }
        if (!ix_regex_take(p, '[')) {
            IX_TRY(class_item(p, &s->current));
            continue;
        }
        ix_char_set inner = { 0 };
        IX_TRY(posix(p, &inner, &found));
        if (!found)
            IX_TRY(ix_regex_class(p, &inner));
        IX_TRY(ix_set_combine(p->arena, &s->current, inner.bounds, inner.count, IX_SET_OR, p->err));
    }
}

inox_status ix_regex_class(ix_regex_parser *p, ix_char_set *set)
{
    size_t start = p->at - 1;
    class_state s = { 0 };
    IX_TRY(ix_regex_enter(p));
    p->class_depth++;
    bool negated = ix_regex_take(p, '^');
    IX_TRY(class_body(p, start, &s));
    IX_TRY(finish_operand(p, &s));
    p->class_depth--;
    p->depth--;
    /* Rust folds every class, Oniguruma the whole one. */
    bool outermost = p->class_depth == 0;
    if ((p->flags & IX_REGEX_FOLD) && (p->syntax == IX_REGEX_RUST || outermost))
        IX_TRY(ix_set_fold(p->arena, &s.left, p->err));
    *set = s.left;
    return negated ? ix_set_negate(p->arena, set, p->err) : INOX_OK;
}
