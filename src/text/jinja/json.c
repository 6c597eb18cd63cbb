/* The variables of a template: JSON as Python's json module reads it (ints of any size, NaN,
 * Infinity, lone surrogates), into values of the rendering.
 *
 * Strings without escapes are views of the text.  All are a user's but those of the top-level keys
 * *_token, and the roles of messages that are plain words: published templates build special tokens
 * around them ('<|' + message['role'] + '|>'), and a word by itself spells none.
 */
#include "text/jinja/decimal.h"
#include "text/jinja/render.h"
#include "text/unicode.h"

#include <string.h>

typedef struct reader {
    ix_jrender *r;
    const char *text, *at, *end;
    unsigned depth;
    ix_jorigin origin; /* of the strings that are read */
} reader;

static inox_status read_value(reader *in, ix_jvalue *out, inox_error *err);

static inox_status bad(const reader *in, const char *what, inox_error *err)
{
    return ix_fail(err, INOX_E_FORMAT, "the variables are no JSON: %s at byte %zu", what,
                   (size_t)(in->at - in->text));
}

static void skip_space(reader *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\t' || *in->at == '\r'))
        in->at++;
}

static bool skip_word(reader *in, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(in->end - in->at) < n || memcmp(in->at, word, n) != 0)
        return false;
    in->at += n;
    return true;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* Moves over eight characters at a time while none of them ends the string, is an escape, a control
 * character or beyond ASCII. */
static void skip_eights(reader *in)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    uint64_t x;

    while (in->end - in->at >= 8) {
        memcpy(&x, in->at, 8);
        uint64_t quote = x ^ (ones * '"'), escape = x ^ (ones * '\\');

        if ((x | (x - ones * 0x20) | ((quote - ones) & ~quote) | ((escape - ones) & ~escape)) &
            tops)
            return;
        in->at += 8;
    }
}

/* Moves over plain characters of a string, to its quote or the next escape. */
static inox_status skip_plain(reader *in, bool *ascii, inox_error *err)
{
    skip_eights(in);
    while (in->at < in->end && *in->at != '"' && *in->at != '\\') {
        unsigned char c = (unsigned char)*in->at;
        bool whole, wrong;

        if (c < 0x20)
            return bad(in, "a control character in a string", err);
        if (c < 0x80) {
            in->at++;
            continue;
        }
        size_t n = ix_utf8_prefix(in->at, (size_t)(in->end - in->at), &whole, &wrong);
        if (wrong || !whole)
            return bad(in, "a byte that is no UTF-8", err);
        *ascii = false;
        in->at += n;
    }
    return in->at < in->end ? INOX_OK : bad(in, "a string that does not end", err);
}

static inox_status read_hex(reader *in, uint32_t *out, inox_error *err)
{
    *out = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        int c = in->at < in->end ? (unsigned char)*in->at : 0, low = c | 32;
        int digit = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;

        if (digit < 0)
            return bad(in, "an escape \\u without four hexadecimal digits", err);
        *out = *out << 4 | (uint32_t)digit;
    }
    return INOX_OK;
}

static inox_status read_escape(reader *in, ix_jbuilder *b, inox_error *err)
{
    static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    bool user = in->origin == IX_J_USER;
    uint32_t c, low;

    in->at++;
    if (in->at == in->end)
        return bad(in, "a string that does not end", err);
    const char *simple = *in->at != '\0' ? strchr(letters, *in->at) : NULL;
    if (simple) {
        in->at++;
        return ix_jb_bytes(b, &means[simple - letters], 1, user, err);
    }
    if (*in->at != 'u')
        return bad(in, "an unknown escape", err);
    in->at++;
    IX_TRY(read_hex(in, &c, err));
    if (c >= 0xD800 && c < 0xDC00 && in->end - in->at >= 6 && in->at[0] == '\\' &&
        in->at[1] == 'u') {
        const char *before = in->at;

        in->at += 2;
        IX_TRY(read_hex(in, &low, err));
        if (low >= 0xDC00 && low < 0xE000)
            c = 0x10000 + ((c - 0xD800) << 10 | (low - 0xDC00));
        else
            in->at = before;
    }
    return ix_jb_character(b, c, user, err);
}

static inox_status read_string(reader *in, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(in->r);
    const char *start = ++in->at;
    bool ascii = true;

    IX_TRY(skip_plain(in, &ascii, err));
    if (*in->at == '"') {
        size_t size = (size_t)(in->at++ - start);

        IX_TRY(ix_j_make_string(in->r, start, size, in->origin, out, err));
        if (ascii)
            out->string->length = (uint32_t)size;
        return INOX_OK;
    }
    for (;;) {
        IX_TRY(ix_jb_bytes(&b, start, (size_t)(in->at - start), in->origin == IX_J_USER, err));
        if (*in->at == '"')
            break;
        IX_TRY(read_escape(in, &b, err));
        start = in->at;
        IX_TRY(skip_plain(in, &ascii, err));
    }
    in->at++;
    return ix_jb_finish(&b, false, out, err);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static bool skip_digits(reader *in)
{
    const char *start = in->at;

    while (in->at < in->end && *in->at >= '0' && *in->at <= '9')
        in->at++;
    return in->at > start;
}

static inox_status read_int(reader *in, const char *start, ix_jvalue *out, inox_error *err)
{
    const char *digit = start + (*start == '-');
    int64_t value = 0;
    bool ok;

    if (in->at - digit > 18)
        return ix_j_parse_int(in->r, start, (size_t)(in->at - start), 10, out, &ok, err);
    for (; digit < in->at; digit++)
        value = value * 10 + (*digit - '0');
    *out = ix_j_int(*start == '-' ? -value : value);
    return INOX_OK;
}

static inox_status read_number(reader *in, ix_jvalue *out, inox_error *err)
{
    const char *start = in->at;
    bool whole = true;

    if (*in->at == '-')
        in->at++;
    if (skip_word(in, "Infinity")) {
        out->kind = IX_J_FLOAT;
        (void)ix_float_parse(*start == '-' ? "-inf" : "inf", *start == '-' ? 4 : 3, &out->real);
        return INOX_OK;
    }
    if (in->at < in->end && *in->at == '0')
        in->at++;
    else if (!skip_digits(in))
        return bad(in, "something that is no value", err);
    if (in->end - in->at >= 2 && *in->at == '.' && in->at[1] >= '0' && in->at[1] <= '9') {
        whole = false;
        in->at++;
        (void)skip_digits(in);
    }
    if (in->at < in->end && (*in->at | 32) == 'e') {
        const char *before = in->at++;

        if (in->at < in->end && (*in->at == '+' || *in->at == '-'))
            in->at++;
        if (skip_digits(in))
            whole = false;
        else
            in->at = before;
    }
    if (whole)
        return read_int(in, start, out, err);
    out->kind = IX_J_FLOAT;
    return ix_float_parse(start, (size_t)(in->at - start), &out->real)
               ? INOX_OK
               : bad(in, "a number that is none", err);
}

/* ---- arrays, objects ------------------------------------------------------------------------- */

static inox_status read_array(reader *in, ix_jvalue *out, inox_error *err)
{
    ix_jvalue item;

    in->at++;
    IX_TRY(ix_j_list(in->r, 0, out, err));
    skip_space(in);
    if (skip_word(in, "]"))
        return INOX_OK;
    for (;;) {
        IX_TRY(read_value(in, &item, err));
        IX_TRY(ix_j_append(in->r, *out, item, err));
        skip_space(in);
        if (skip_word(in, "]"))
            return INOX_OK;
        if (!skip_word(in, ","))
            return bad(in, "an array without , or ]", err);
    }
}

static bool names_token(const ix_jstring *key)
{
    return key->size >= 6 && memcmp(key->data + key->size - 6, "_token", 6) == 0;
}

/* The string that begins here is a word of letters, digits and _-. */
static bool is_word(const reader *in)
{
    const char *at = in->at + 1;
    while (at < in->end && ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                            (*at >= '0' && *at <= '9') || *at == '_' || *at == '-'))
        at++;
    return at < in->end && *at == '"';
}

/* The string that begins here, the value of `key`, is not a user's. */
static bool is_own(const reader *in, const ix_jstring *key)
{
    if (in->at == in->end || *in->at != '"')
        return false;
    if (in->depth == 1)
        return names_token(key);
    return in->depth == 3 && key->size == 4 && memcmp(key->data, "role", 4) == 0 && is_word(in);
}

static inox_status read_object(reader *in, ix_jvalue *out, inox_error *err)
{
    ix_jvalue key, value;

    in->at++;
    IX_TRY(ix_j_dict(in->r, 4, out, err));
    skip_space(in);
    if (skip_word(in, "}"))
        return INOX_OK;
    for (;;) {
        skip_space(in);
        if (in->at == in->end || *in->at != '"')
            return bad(in, "an object without a key in quotes", err);
        IX_TRY(read_string(in, &key, err));
        skip_space(in);
        if (!skip_word(in, ":"))
            return bad(in, "a key without :", err);
        skip_space(in);
        in->origin = is_own(in, key.string) ? IX_J_TEMPLATE : IX_J_USER;
        IX_TRY(read_value(in, &value, err));
        in->origin = IX_J_USER;
        IX_TRY(ix_j_dict_set(in->r, *out, key, value, err));
        skip_space(in);
        if (skip_word(in, "}"))
            return INOX_OK;
        if (!skip_word(in, ","))
            return bad(in, "an object without , or }", err);
    }
}

static inox_status read_value(reader *in, ix_jvalue *out, inox_error *err)
{
    skip_space(in);
    if (in->at == in->end)
        return bad(in, "an end before its time", err);
    switch (*in->at) {
    case '"': return read_string(in, out, err);
    case 't':
        *out = ix_j_bool(true);
        return skip_word(in, "true") ? INOX_OK : bad(in, "a word", err);
    case 'f':
        *out = ix_j_bool(false);
        return skip_word(in, "false") ? INOX_OK : bad(in, "a word", err);
    case 'n': *out = ix_j_none(); return skip_word(in, "null") ? INOX_OK : bad(in, "a word", err);
    case 'N':
        out->kind = IX_J_FLOAT;
        (void)ix_float_parse("nan", 3, &out->real);
        return skip_word(in, "NaN") ? INOX_OK : bad(in, "a word", err);
    case '[':
    case '{': break;
    default: return read_number(in, out, err);
    }
    if (++in->depth > IX_MAX_JSON_NESTING)
        return ix_fail(err, INOX_E_LIMIT, "variables that nest deeper than %d levels",
                       IX_MAX_JSON_NESTING);
    IX_TRY(*in->at == '[' ? read_array(in, out, err) : read_object(in, out, err));
    in->depth--;
    return INOX_OK;
}

inox_status ix_j_read_json(ix_jrender *r, const char *text, size_t size, ix_jvalue *out,
                           inox_error *err)
{
    reader in = { .r = r, .text = text, .at = text, .end = text + size, .origin = IX_J_USER };

    skip_space(&in);
    if (in.at == in.end || *in.at != '{')
        return ix_fail(err, INOX_E_FORMAT, "the variables are no JSON object");
    IX_TRY(read_value(&in, out, err));
    skip_space(&in);
    return in.at == in.end ? INOX_OK : bad(&in, "something behind the object", err);
}
