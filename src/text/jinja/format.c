/* str.format and str.format_map as the sandbox has them: Python's string.Formatter (not the C code
 * of str.format, which differs in small things), with attributes and items looked up by the
 * sandbox's rules; and ascii().
 *
 *     text {{ }} text {field!conversion:spec} text    field: name or number, then .name and [key]
 */
#include "text/jinja/strings.h"

#include <string.h>

/* What every part of one formatting sees. */
typedef struct formatting {
    ix_jrender *r;
    const ix_jvalue *args;
    size_t count;
    const ix_jkeyword *keywords;
    size_t keyword_count;
    ix_jvalue mapping; /* of format_map, or IX_J_MISSING */
    bool escape;       /* of a Markup */
    bool manual;       /* fields are numbered by the template from here on */
    size_t next;       /* number of the next unnumbered field */
} formatting;

/* One {field} of a text: ranges of bytes. */
typedef struct field {
    size_t literal, literal_end; /* the text before it */
    size_t name, name_end, spec, spec_end;
    uint32_t conversion; /* 0: none */
    bool present;
} field;

static inox_status value_error(inox_error *err, const char *what)
{
    return ix_j_fail(err, "ValueError", "%s", what);
}

/* The specification behind ':' up to the brace that closes the field. */
static inox_status read_spec(const ix_jstring *s, size_t *at, field *f, inox_error *err)
{
    size_t depth = 1;
    f->spec = *at;
    while (*at < s->size) {
        char c = s->data[(*at)++];
        if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            f->spec_end = *at - 1;
            return INOX_OK;
        }
    }
    return value_error(err, "unmatched '{' in format spec");
}

/* A field, *at behind its opening brace. */
static inox_status read_field(const ix_jstring *s, size_t *at, field *f, inox_error *err)
{
    char c = 0;
    size_t n;
    f->name = *at;
    while (*at < s->size) {
        c = s->data[(*at)++];
        if (c == '{')
            return value_error(err, "unexpected '{' in field name");
        if (c == '}' || c == ':' || c == '!')
            break;
        if (c == '[')
            while (*at < s->size && s->data[*at] != ']')
                ++*at;
        c = 0;
    }
    f->name_end = *at - 1;
    if (c == 0)
        return value_error(err, "expected '}' before end of string");
    if (c == '!') {
        if (*at >= s->size)
            return value_error(err, "end of string while looking for conversion specifier");
        f->conversion = ix_js_read(s, *at, &n);
        *at += n;
        if (*at < s->size) {
            c = s->data[(*at)++];
            if (c == '}')
                return INOX_OK;
            if (c != ':')
                return value_error(err, "expected ':' after conversion specifier");
        }
    }
    return c == '}' ? INOX_OK : read_spec(s, at, f, err);
}

/* The literal text at *at and the field behind it.  A doubled brace ends the literal text, whose
 * last byte is then the first of the two. */
static inox_status next_part(const ix_jstring *s, size_t *at, field *f, inox_error *err)
{
    *f = (field){ .literal = *at };
    char c = 0;
    while (*at < s->size) {
        c = s->data[(*at)++];
        if (c == '{' || c == '}')
            break;
        c = 0;
    }
    f->literal_end = *at;
    if (c == 0)
        return INOX_OK;
    bool last = *at >= s->size;
    if (c == '}' && (last || s->data[*at] != '}'))
        return value_error(err, "Single '}' encountered in format string");
    if (last)
        return value_error(err, "Single '{' encountered in format string");
    if (s->data[*at] == c) {
        ++*at;
        return INOX_OK;
    }
    f->literal_end--;
    f->present = true;
    return read_field(s, at, f, err);
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* Bytes [start, end) as a number: *is false where they are none. */
static inox_status number_of(const ix_jstring *s, size_t start, size_t end, bool *is, int64_t *out,
                             inox_error *err)
{
    size_t n;
    int64_t value = 0;
    *is = start < end;
    for (size_t i = start; i < end; i += n) {
        const ix_char *k = ix_char_of(ix_js_read(s, i, &n));
        if (!(k->flags & IX_CHAR_DECIMAL)) {
            *is = false;
            return INOX_OK;
        }
        if (value > (INT64_MAX - k->number) / 10)
            return value_error(err, "Too many decimal digits in format string");
        value = value * 10 + k->number;
    }
    *out = value;
    return INOX_OK;
}

static bool all_digits(const ix_jstring *s, size_t start, size_t end)
{
    size_t n;
    for (size_t i = start; i < end; i += n)
        if (!ix_char_is(ix_js_read(s, i, &n), IX_CHAR_DIGIT))
            return false;
    return start < end;
}

static inox_status key_error(formatting *f, ix_jvalue key, inox_error *err)
{
    ix_jvalue shown;
    IX_TRY(ix_j_repr(f->r, key, &shown, err));
    return ix_j_fail(err, "KeyError", "%.*s",
                     shown.string->size < 100 ? (int)shown.string->size : 100, shown.string->data);
}

static inox_status positional(formatting *f, int64_t number, ix_jvalue *out, inox_error *err)
{
    if ((uint64_t)number >= f->count)
        return ix_j_fail(err, "IndexError",
                         "Replacement index %lld out of range for positional args tuple",
                         (long long)number);
    *out = f->args[number];
    return INOX_OK;
}

/* The argument that the first part of a field's name names. */
static inox_status argument(formatting *f, const ix_jstring *s, size_t start, size_t end,
                            ix_jvalue *out, inox_error *err)
{
    bool is_number;
    int64_t number;
    ix_jvalue key, *found;
    IX_TRY(number_of(s, start, end, &is_number, &number, err));
    if (is_number)
        return positional(f, number, out, err);
    IX_TRY(ix_j_slice(f->r, (ix_jstring *)(uintptr_t)s, start, end, &key, err));
    switch (f->mapping.kind) {
    case IX_J_MISSING:
        for (size_t i = 0; i < f->keyword_count; i++)
            if (ix_j_same_bytes(f->keywords[i].name, key.string)) {
                *out = f->keywords[i].value;
                return INOX_OK;
            }
        return key_error(f, key, err);
    case IX_J_DICT:
        IX_TRY(ix_j_dict_get(f->r, f->mapping.dict, key, &found, err));
        if (!found)
            return key_error(f, key, err);
        *out = *found;
        return INOX_OK;
    case IX_J_UNDEFINED: return ix_j_undefined_error(f->r, f->mapping, err);
    case IX_J_LIST:
    case IX_J_TUPLE:
    case IX_J_STRING:
    case IX_J_RANGE:
        return ix_j_fail(err, "TypeError", "%s indices must be integers or slices, not str",
                         ix_j_type_name(f->mapping));
    default:
        return ix_j_fail(err, "TypeError", "'%s' object is not subscriptable",
                         ix_j_type_name(f->mapping));
    }
}

/* One .name or [key] at *at of the field's name. */
static inox_status step_into(formatting *f, ix_jstring *s, size_t *at, size_t end, ix_jvalue *value,
                             inox_error *err)
{
    bool is_number = false;
    int64_t number;
    ix_jvalue key, from = *value;
    char c = s->data[(*at)++];
    size_t start = *at;
    if (c == '.') {
        while (*at < end && s->data[*at] != '.' && s->data[*at] != '[')
            ++*at;
    } else if (c == '[') {
        while (*at < end && s->data[*at] != ']')
            ++*at;
        if (*at == end)
            return value_error(err, "Missing ']' in format string");
    } else {
        return value_error(err, "Only '.' or '[' may follow ']' in format field specifier");
    }
    if (c == '[')
        IX_TRY(number_of(s, start, *at, &is_number, &number, err));
    if (start == *at)
        return value_error(err, "Empty attribute in format string");
    IX_TRY(ix_j_slice(f->r, s, start, *at, &key, err));
    if (c == '.')
        return ix_j_getattr(f->r, from, key.string, value, err);
    ++*at;
    return ix_j_getitem(f->r, from, is_number ? ix_j_int(number) : key, value, err);
}

static inox_status look_up(formatting *f, ix_jstring *s, const field *part, ix_jvalue *out,
                           inox_error *err)
{
    size_t at = part->name;
    if (part->name == part->name_end) {
        if (f->manual)
            return value_error(err, "cannot switch from manual field specification to automatic "
                                    "field numbering");
        return positional(f, (int64_t)f->next++, out, err);
    }
    if (all_digits(s, part->name, part->name_end)) {
        if (f->next > 0)
            return value_error(err, "cannot switch from manual field specification to automatic "
                                    "field numbering");
        f->manual = true;
    }
    while (at < part->name_end && s->data[at] != '.' && s->data[at] != '[')
        at++;
    IX_TRY(argument(f, s, part->name, at, out, err));
    while (at < part->name_end) {
        IX_TRY(ix_j_steps(f->r, 1, err));
        IX_TRY(step_into(f, s, &at, part->name_end, out, err));
    }
    return INOX_OK;
}

static inox_status convert(formatting *f, uint32_t conversion, ix_jvalue *value, inox_error *err)
{
    ix_jbuilder b = ix_jb(f->r);
    switch (conversion) {
    case 0: return INOX_OK;
    case 's': return ix_j_str(f->r, *value, value, err);
    case 'r': return ix_j_repr(f->r, *value, value, err);
    case 'a': IX_TRY(ix_js_ascii(&b, *value, err)); return ix_jb_finish(&b, false, value, err);
    default:
        if (conversion < 32 || conversion > 126)
            return value_error(err, "Unknown conversion specifier");
        return ix_j_fail(err, "ValueError", "Unknown conversion specifier %c", (int)conversion);
    }
}

static inox_status put_value(formatting *f, ix_jbuilder *b, ix_jvalue value, ix_jstring *spec,
                             inox_error *err)
{
    ix_jbuilder inner = ix_jb(f->r);
    ix_jvalue text;
    if (!f->escape)
        return ix_js_format_value(b, value, spec, err);
    if (value.kind == IX_J_STRING && value.string->safe) {
        if (spec->size > 0)
            return value_error(err, "Unsupported format specification for Markup.");
        return ix_jb_string(b, value.string, err);
    }
    IX_TRY(ix_js_format_value(&inner, value, spec, err));
    IX_TRY(ix_jb_finish(&inner, false, &text, err));
    return ix_jb_escaped(b, text.string, err);
}

/* Formats s into b.  A specification is formatted the same way, so depth is at most 3 (as in
 * Python, which counts it down from 2). */
static inox_status format_text(formatting *f, ix_jbuilder *b, ix_jstring *s, int depth,
                               inox_error *err)
{
    field part;
    if (depth < 0)
        return value_error(err, "Max string recursion exceeded");
    IX_TRY(ix_j_steps(f->r, s->size / 16 + 1, err));
    for (size_t at = 0; at < s->size;) {
        ix_jvalue value, text, spec;
        ix_jbuilder inner = ix_jb(f->r);
        IX_TRY(ix_j_steps(f->r, 1, err));
        IX_TRY(next_part(s, &at, &part, err));
        IX_TRY(ix_jb_part(b, s, part.literal, part.literal_end, err));
        if (!part.present)
            continue;
        IX_TRY(look_up(f, s, &part, &value, err));
        IX_TRY(convert(f, part.conversion, &value, err));
        IX_TRY(ix_j_slice(f->r, s, part.spec, part.spec_end, &text, err));
        IX_TRY(format_text(f, &inner, text.string, depth - 1, err));
        IX_TRY(ix_jb_finish(&inner, false, &spec, err));
        IX_TRY(put_value(f, b, value, spec.string, err));
    }
    return INOX_OK;
}

inox_status ix_js_format(ix_jrender *r, ix_jstring *s, const ix_jvalue *args, size_t count,
                         const ix_jkeyword *keywords, size_t keyword_count, ix_jvalue mapping,
                         ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(r);
    formatting f = { .r = r,
                     .args = args,
                     .count = count,
                     .keywords = keywords,
                     .keyword_count = keyword_count,
                     .mapping = mapping,
                     .escape = s->safe };
    IX_TRY(format_text(&f, &b, s, 2, err));
    return ix_jb_finish(&b, s->safe, out, err);
}

/* ---- ascii ----------------------------------------------------------------------------------- */

inox_status ix_js_ascii(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    static const char digits[] = "0123456789abcdef";
    ix_jvalue shown;
    uint32_t c;
    bool user;
    IX_TRY(ix_j_repr(b->r, v, &shown, err));
    IX_TRY(ix_j_steps(b->r, shown.string->size / 8, err));
    ix_jwalk w = { .s = shown.string };
    for (size_t at = 0; ix_jwalk_next(&w, &c, &user); at = w.at) {
        char text[10] = { '\\', c < 0x100 ? 'x' : c < 0x10000 ? 'u' : 'U' };
        int width = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
        if (c < 0x80) {
            IX_TRY(ix_jb_part(b, shown.string, at, w.at, err));
            continue;
        }
        for (int i = 0; i < width; i++)
            text[2 + i] = digits[c >> 4 * (width - 1 - i) & 15];
        IX_TRY(ix_jb_bytes(b, text, (size_t)width + 2, user, err));
    }
    return INOX_OK;
}
