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

#define KEYS 64 /* a power of two */
#define FEW 96

typedef struct reader {
    ix_jrender *r;
    const char *text, *at, *end;
    unsigned depth;
    ix_jorigin origin;       /* of the strings that are read */
    ix_jstring *keys[KEYS];  /* of objects, by hash: the last one, as objects have the same ones */
    ix_jstring *after[KEYS]; /* the key that came after that one the last time */
    size_t last;             /* the number of the key before */
    ix_jvalue *open; /* the items of the arrays, keys and values of the objects, not closed */
    size_t count, capacity;
    ix_jvalue few[FEW]; /* where they are at first */
} reader;

static inox_status read_value(reader *in, inox_error *err);

static inox_status bad(const reader *in, const char *what, inox_error *err)
{
    return ix_fail(err, INOX_E_FORMAT, "the variables are no JSON: %s at byte %zu", what,
                   (size_t)(in->at - in->text));
}

static inline void skip_space(reader *in)
{
    while (in->at < in->end && (unsigned char)*in->at <= ' ' &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\t' || *in->at == '\r'))
        in->at++;
}

static inline bool skip_character(reader *in, char c)
{
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
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

/* Where the first character in [p, end) is that is a quote, an escape, a control character or
 * beyond ASCII.  Eight at a time: the lowest bit that is set in `hit` is right, those above it may
 * not be. */
static inline const char *plain_end(const char *p, const char *end)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;

    for (; end - p >= 8; p += 8) {
        uint64_t x;

        memcpy(&x, p, 8);
        uint64_t quote = x ^ (ones * '"'), escape = x ^ (ones * '\\');
        uint64_t hit =
            (x | (x - ones * 0x20) | ((quote - ones) & ~quote) | ((escape - ones) & ~escape)) &
            tops;
        if (hit == 0)
            continue;
        if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
            break;
        return p + __builtin_ctzll(hit) / 8;
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
           (unsigned char)*p < 0x80)
        p++;
    return p;
}

/* The same from a character on at which plain_end stopped. */
static inox_status skip_rest(reader *in, bool *ascii, inox_error *err)
{
    for (;;) {
        bool whole, wrong;

        if (in->at == in->end)
            return bad(in, "a string that does not end", err);
        if (*in->at == '"' || *in->at == '\\')
            return INOX_OK;
        if ((unsigned char)*in->at < 0x20)
            return bad(in, "a control character in a string", err);
        size_t n = ix_utf8_prefix(in->at, (size_t)(in->end - in->at), &whole, &wrong);
        if (wrong || !whole)
            return bad(in, "a byte that is no UTF-8", err);
        *ascii = false;
        in->at = plain_end(in->at + n, in->end);
    }
}

/* Moves over plain characters of a string, to its quote or the next escape. */
static inline inox_status skip_plain(reader *in, bool *ascii, inox_error *err)
{
    in->at = plain_end(in->at, in->end);
    return in->at < in->end && *in->at == '"' ? INOX_OK : skip_rest(in, ascii, err);
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

/* The character of an escape without u, or 0. */
static char simple_escape(char c)
{
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '"':
    case '\\':
    case '/': return c;
    default: return 0;
    }
}

/* Reads the escape that begins here; writes its character at *to, which moves behind it. */
static inox_status read_escape(reader *in, char **to, inox_error *err)
{
    uint32_t c, low;

    in->at++;
    if (in->at == in->end)
        return bad(in, "a string that does not end", err);
    **to = simple_escape(*in->at);
    if (**to != 0) {
        ++*to;
        in->at++;
        return INOX_OK;
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
    *to += ix_utf8_write(c, *to);
    return INOX_OK;
}

/* Where the string that in->at is in ends; the end of the text, if it does not. */
static const char *string_end(const reader *in)
{
    const char *p = in->at;

    while (p < in->end && *p != '"') {
        if (*p == '\\' && p + 1 < in->end)
            p++;
        p = plain_end(p + 1, in->end);
    }
    return p;
}

/* A string with escapes, which began at `start`; in->at is at the first of them.  No escape is
 * shorter than its character. */
static inox_status read_escaped(reader *in, const char *start, bool ascii, ix_jvalue *out,
                                inox_error *err)
{
    char *data, *to;
    void *memory;

    IX_TRY(ix_j_take(in->r, (size_t)(string_end(in) - start), &memory, err));
    data = to = memory;
    for (;;) {
        size_t n = (size_t)(in->at - start);

        memcpy(to, start, n);
        to += n;
        if (*in->at == '"')
            break;
        IX_TRY(read_escape(in, &to, err));
        start = in->at;
        IX_TRY(skip_plain(in, &ascii, err));
    }
    in->at++;
    return ix_j_make_string(in->r, data, (size_t)(to - data), in->origin, out, err);
}

static inline inox_status read_string(reader *in, ix_jvalue *out, inox_error *err)
{
    const char *start = ++in->at;
    bool ascii = true;

    IX_TRY(skip_plain(in, &ascii, err));
    if (*in->at != '"')
        return read_escaped(in, start, ascii, out, err);
    size_t size = (size_t)(in->at++ - start);
    IX_TRY(ix_j_make_string(in->r, start, size, in->origin, out, err));
    if (ascii)
        out->string->length = (uint32_t)size;
    return INOX_OK;
}

/* The hash of bytes of the text: what ix_j_hash_bytes gives, without reading byte by byte. */
static inline uint32_t hash_here(const reader *in, const char *p, size_t size)
{
    uint64_t h = ix_j_hash_begin(size), x = 0;

    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || (size_t)(in->end - p) < size + 8)
        return ix_j_hash_bytes(p, size);
    for (; size >= 8; size -= 8, p += 8) {
        memcpy(&x, p, 8);
        h = ix_j_hash_word(h, x);
    }
    memcpy(&x, p, 8);
    return ix_j_hash_end(h, x & (((uint64_t)1 << 8 * size) - 1));
}

/* Remembers that this key came after the last one. */
static inline inox_status found_key(reader *in, ix_jstring *key, ix_jvalue *out)
{
    in->after[in->last] = key;
    in->last = key->hash % KEYS;
    *out = ix_j_of_string(key);
    return INOX_OK;
}

static inox_status read_new_key(reader *in, ix_jvalue *out, inox_error *err)
{
    const char *start = in->at;
    bool ascii = true;

    IX_TRY(skip_plain(in, &ascii, err));
    if (*in->at != '"') {
        IX_TRY(read_escaped(in, start, ascii, out, err));
        (void)ix_j_string_hash(out->string);
        return INOX_OK;
    }
    size_t size = (size_t)(in->at++ - start);
    uint32_t hash = hash_here(in, start, size);
    ix_jstring **key = &in->keys[hash % KEYS];
    if (!*key || (*key)->hash != hash || (*key)->size != size ||
        !ix_j_equal_bytes((*key)->data, start, size)) {
        IX_TRY(ix_j_make_string(in->r, start, size, in->origin, out, err));
        if (ascii)
            out->string->length = (uint32_t)size;
        out->string->hash = hash;
        *key = out->string;
    }
    return found_key(in, *key, out);
}

/* A key: objects of one kind have the same ones, in one order, which are made once. */
static inline inox_status read_key(reader *in, ix_jvalue *out, inox_error *err)
{
    ix_jstring *guess = in->after[in->last];

    in->at++;
    if (!guess || (size_t)(in->end - in->at) <= guess->size || in->at[guess->size] != '"' ||
        !ix_j_equal_bytes(in->at, guess->data, guess->size))
        return read_new_key(in, out, err);
    in->at += guess->size + 1;
    return found_key(in, guess, out);
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

/* Room for one more value behind the open ones. */
static inline inox_status reserve(reader *in, inox_error *err)
{
    ix_jvalue *more;

    if (in->count < in->capacity)
        return INOX_OK;
    IX_TRY(IX_J_ALLOC(in->r, &more, in->capacity * 2, err));
    memcpy(more, in->open, in->count * sizeof *more);
    in->open = more;
    in->capacity *= 2;
    return INOX_OK;
}

/* The values from `first` on become one list in their place. */
static inox_status close_array(reader *in, size_t first, inox_error *err)
{
    size_t count = in->count - first;
    ix_jlist *list;
    void *memory;

    IX_TRY(ix_j_take(in->r, sizeof *list + count * sizeof *in->open, &memory, err));
    list = memory;
    *list = (ix_jlist){ .items = (ix_jvalue *)(list + 1), .count = count, .capacity = count };
    for (size_t i = 0; i < count; i++)
        ix_j_put(&list->items[i], &in->open[first + i]);
    in->count = first;
    IX_TRY(reserve(in, err));
    in->open[in->count++] = (ix_jvalue){ .kind = IX_J_LIST, .list = list };
    return INOX_OK;
}

static inox_status read_array(reader *in, inox_error *err)
{
    size_t first = in->count;

    in->at++;
    skip_space(in);
    if (skip_character(in, ']'))
        return close_array(in, first, err);
    for (;;) {
        IX_TRY(read_value(in, err));
        skip_space(in);
        if (skip_character(in, ']'))
            return close_array(in, first, err);
        if (!skip_character(in, ','))
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

/* The keys and values from `first` on become one dict in their place. */
static inox_status close_object(reader *in, size_t first, inox_error *err)
{
    ix_jvalue dict;

    IX_TRY(ix_j_dict_of(in->r, in->open + first, (in->count - first) / 2, &dict, err));
    in->count = first;
    IX_TRY(reserve(in, err));
    in->open[in->count++] = dict;
    return INOX_OK;
}

static inox_status read_object(reader *in, inox_error *err)
{
    size_t first = in->count;

    in->at++;
    skip_space(in);
    if (skip_character(in, '}'))
        return close_object(in, first, err);
    for (;;) {
        skip_space(in);
        if (in->at == in->end || *in->at != '"')
            return bad(in, "an object without a key in quotes", err);
        IX_TRY(reserve(in, err));
        IX_TRY(read_key(in, &in->open[in->count], err));
        const ix_jstring *key = in->open[in->count++].string;
        skip_space(in);
        if (!skip_character(in, ':'))
            return bad(in, "a key without :", err);
        skip_space(in);
        in->origin = is_own(in, key) ? IX_J_TEMPLATE : IX_J_USER;
        IX_TRY(read_value(in, err));
        in->origin = IX_J_USER;
        skip_space(in);
        if (skip_character(in, '}'))
            return close_object(in, first, err);
        if (!skip_character(in, ','))
            return bad(in, "an object without , or }", err);
    }
}

static inox_status read_constant(reader *in, const char *word, ix_jvalue value, inox_error *err)
{
    if (!skip_word(in, word))
        return bad(in, "a word", err);
    in->open[in->count++] = value;
    return INOX_OK;
}

static inox_status read_nan(reader *in, inox_error *err)
{
    double nan = 0;

    (void)ix_float_parse("nan", 3, &nan);
    return read_constant(in, "NaN", ix_j_float(nan), err);
}

/* Reads a value, and puts it behind the open ones. */
static inox_status read_value(reader *in, inox_error *err)
{
    skip_space(in);
    if (in->at == in->end)
        return bad(in, "an end before its time", err);
    IX_TRY(reserve(in, err));
    switch (*in->at) {
    case '"': IX_TRY(read_string(in, &in->open[in->count], err)); break;
    case 't': return read_constant(in, "true", ix_j_bool(true), err);
    case 'f': return read_constant(in, "false", ix_j_bool(false), err);
    case 'n': return read_constant(in, "null", ix_j_none(), err);
    case 'N': return read_nan(in, err);
    case '[':
    case '{':
        if (++in->depth > IX_MAX_JSON_NESTING)
            return ix_fail(err, INOX_E_LIMIT, "variables that nest deeper than %d levels",
                           IX_MAX_JSON_NESTING);
        IX_TRY(*in->at == '[' ? read_array(in, err) : read_object(in, err));
        in->depth--;
        return INOX_OK;
    default: IX_TRY(read_number(in, &in->open[in->count], err));
    }
    in->count++;
    return INOX_OK;
}

inox_status ix_j_read_json(ix_jrender *r, const char *text, size_t size, ix_jvalue *out,
                           inox_error *err)
{
    reader in;

    in.r = r;
    in.text = in.at = text;
    in.end = text + size;
    in.depth = 0;
    in.origin = IX_J_USER;
    memset(in.keys, 0, sizeof in.keys);
    memset(in.after, 0, sizeof in.after);
    in.last = 0;
    in.open = in.few;
    in.count = 0;
    in.capacity = FEW;
    skip_space(&in);
    if (in.at == in.end || *in.at != '{')
        return ix_fail(err, INOX_E_FORMAT, "the variables are no JSON object");
    IX_TRY(read_value(&in, err));
    *out = in.open[0];
    skip_space(&in);
    return in.at == in.end ? INOX_OK : bad(&in, "something behind the object", err);
}
