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

#define KEYS 256 /* a power of two */
#define FEW 96

/* A key of objects.  Objects of one kind have the same keys, in one order, so a key is made once
 * and guessed from the two before it. */
typedef struct key {
    ix_jstring string; /* its hash is known */
    uint64_t bytes;    /* its bytes and the quote behind them, if that is no more than eight */
    uint64_t mask;     /* which of the eight are; 0: none */
} key;

/* Functions that read take the place where they are to begin, and move it; those that are seldom
 * needed (escapes, numbers, other characters than ASCII's) do so with in->at. */
typedef struct reader {
    ix_jrender *r;
    const char *text, *at, *end;
    unsigned depth;
    ix_jorigin origin; /* of the strings that are read */
    key *keys[KEYS];   /* by hash, the last of each */
    key *after[KEYS];  /* by `before`, the key that came then the last time */
    uint32_t before;   /* the last key's hash, mixed with those before it */
    ix_jvalue *open;   /* the items of the arrays, keys and values of the objects, not closed */
    size_t count, capacity;
    ix_jvalue few[FEW]; /* where they are at first */
} reader;

static inox_status bad(const reader *in, const char *what, inox_error *err)
{
    return ix_fail(err, INOX_E_FORMAT, "the variables are no JSON: %s at byte %zu", what,
                   (size_t)(in->at - in->text));
}

static inox_status bad_at(reader *in, const char *p, const char *what, inox_error *err)
{
    in->at = p;
    return bad(in, what, err);
}

static inline const char *skip_space(const reader *in, const char *p)
{
    while (p < in->end && (unsigned char)*p <= ' ' &&
           (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

static inline bool is_next(const reader *in, const char *p, char c)
{
    return p < in->end && *p == c;
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

typedef signed char bytes16 __attribute__((vector_size(16)));

/* Where the first character in [p, end) is that is a quote, an escape, or not printable ASCII (as
 * signed, what is beyond ASCII is below ' '). */
static inline const char *plain_end(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        uint64_t half[2];
        bytes16 x;

        memcpy(&x, p, 16);
        x = (bytes16)(x == '"') | (bytes16)(x == '\\') | (bytes16)(x < ' ') | (bytes16)(x == 127);
        memcpy(half, &x, 16);
        if ((half[0] | half[1]) == 0)
            continue;
        if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
            break;
        return half[0] != 0 ? p + __builtin_ctzll(half[0]) / 8
                            : p + 8 + __builtin_ctzll(half[1]) / 8;
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
           (unsigned char)*p < 0x7F)
        p++;
    return p;
}

/* The same from a character on at which plain_end stopped. */
static inox_status skip_rest(reader *in, bool *plain, inox_error *err)
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
        *plain = false;
        in->at = plain_end(in->at + n, in->end);
    }
}

/* Moves over plain characters of a string, to its quote or the next escape. */
static inline inox_status skip_plain(reader *in, bool *plain, inox_error *err)
{
    in->at = plain_end(in->at, in->end);
    return is_next(in, in->at, '"') ? INOX_OK : skip_rest(in, plain, err);
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
static inox_status read_escaped(reader *in, const char *start, ix_jvalue *out, inox_error *err)
{
    bool plain;
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
        IX_TRY(skip_plain(in, &plain, err));
    }
    in->at++;
    return ix_j_make_string(in->r, data, (size_t)(to - data), in->origin, out, err);
}

/* A string that began at `start`, at whose first character that is not plain in->at is. */
static inox_status read_odd_string(reader *in, const char *start, ix_jvalue *out, inox_error *err)
{
    bool plain;

    IX_TRY(skip_rest(in, &plain, err));
    if (*in->at != '"')
        return read_escaped(in, start, out, err);
    return ix_j_make_string(in->r, start, (size_t)(in->at++ - start), in->origin, out, err);
}

/* The string whose quote is here. */
static inline inox_status read_string(reader *in, const char **p, ix_jvalue *out, inox_error *err)
{
    const char *start = *p + 1, *end = plain_end(start, in->end);

    if (!is_next(in, end, '"')) {
        in->at = end;
        IX_TRY(read_odd_string(in, start, out, err));
        *p = in->at;
        return INOX_OK;
    }
    *p = end + 1;
    IX_TRY(ix_j_make_string(in->r, start, (size_t)(end - start), in->origin, out, err));
    out->string->length = out->string->size;
    out->string->plain = true;
    return INOX_OK;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static inox_status make_key(reader *in, const char *start, size_t size, bool plain, uint32_t hash,
                            key **out, inox_error *err)
{
    char bytes[8] = { 0 }, mask[8] = { 0 };
    void *memory;

    if (size > in->r->text_max)
        return ix_j_text_too_long(in->r, size, err);
    IX_TRY(ix_j_take(in->r, sizeof **out, &memory, err));
    key *k = memory;
    *k = (key){ .string = { .data = start,
                            .size = (uint32_t)size,
                            .length = IX_J_UNCOUNTED,
                            .hash = hash,
                            .origin = IX_J_USER,
                            .plain = plain } };
    if (size < sizeof bytes) {
        memcpy(bytes, start, size + 1);
        memset(mask, 0xFF, size + 1);
        memcpy(&k->bytes, bytes, 8);
        memcpy(&k->mask, mask, 8);
    }
    *out = k;
    return INOX_OK;
}

static inline void found_key(reader *in, key *k, ix_jvalue *out)
{
    in->before = in->before << 4 ^ k->string.hash;
    *out = ix_j_of_string(&k->string);
}

/* The key that begins at in->at, which is not the one that was guessed. */
static inox_status read_new_key(reader *in, ix_jvalue *out, inox_error *err)
{
    const char *start = in->at;
    bool plain = true;

    IX_TRY(skip_plain(in, &plain, err));
    if (*in->at != '"') {
        IX_TRY(read_escaped(in, start, out, err));
        (void)ix_j_string_hash(out->string);
        return INOX_OK;
    }
    size_t size = (size_t)(in->at++ - start);
    uint32_t hash = ix_j_hash_bytes(start, size);
    key **k = &in->keys[hash % KEYS];
    if (!*k || (*k)->string.hash != hash || (*k)->string.size != size ||
        memcmp((*k)->string.data, start, size) != 0)
        IX_TRY(make_key(in, start, size, plain, hash, k, err));
    in->after[in->before % KEYS] = *k;
    found_key(in, *k, out);
    return INOX_OK;
}

/* True if the key is what begins at p, with a quote behind it. */
static inline bool is_key(const reader *in, const char *p, const key *k)
{
    size_t left = (size_t)(in->end - p), size = k->string.size;
    uint64_t x;

    if (k->mask != 0 && left >= 8) {
        memcpy(&x, p, 8);
        return (x & k->mask) == k->bytes;
    }
    return left > size && p[size] == '"' && ix_j_equal_bytes(p, k->string.data, size);
}

/* The key whose quote is here. */
static inline inox_status read_key(reader *in, const char **p, ix_jvalue *out, inox_error *err)
{
    key *guess = in->after[in->before % KEYS];

    ++*p;
    if (!guess || !is_key(in, *p, guess)) {
        in->at = *p;
        IX_TRY(read_new_key(in, out, err));
        *p = in->at;
        return INOX_OK;
    }
    *p += guess->string.size + 1;
    found_key(in, guess, out);
    return INOX_OK;
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

static inox_status read_constant(reader *in, const char *word, ix_jvalue value, inox_error *err)
{
    if (!skip_word(in, word))
        return bad(in, "a word", err);
    in->open[in->count] = value;
    return INOX_OK;
}

static inox_status read_nan(reader *in, inox_error *err)
{
    double nan = 0;

    (void)ix_float_parse("nan", 3, &nan);
    return read_constant(in, "NaN", ix_j_float(nan), err);
}

static inox_status read_array(reader *in, inox_error *err);
static inox_status read_object(reader *in, inox_error *err);

/* A value that is no string, from in->at on, to in->open[in->count]. */
static inox_status read_other(reader *in, inox_error *err)
{
    if (in->at == in->end)
        return bad(in, "an end before its time", err);
    switch (*in->at) {
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
    default: return read_number(in, &in->open[in->count], err);
    }
}

/* Room for two more values behind the open ones. */
static inline inox_status reserve(reader *in, inox_error *err)
{
    ix_jvalue *more;

    if (in->count + 2 <= in->capacity)
        return INOX_OK;
    IX_TRY(IX_J_ALLOC(in->r, &more, in->capacity * 2, err));
    memcpy(more, in->open, in->count * sizeof *more);
    in->open = more;
    in->capacity *= 2;
    return INOX_OK;
}

/* Reads the value that is here, and puts it behind the open ones, where there is room.  Inlined, so
 * that *p stays in a register of the loops below. */
static inline __attribute__((always_inline)) inox_status read_value(reader *in, const char **p,
                                                                    inox_error *err)
{
    if (is_next(in, *p, '"')) {
        IX_TRY(read_string(in, p, &in->open[in->count], err));
    } else {
        in->at = *p;
        IX_TRY(read_other(in, err));
        *p = in->at;
    }
    in->count++;
    return INOX_OK;
}

/* The values from `first` on become one list, where the first of them was. */
static inox_status close_array(reader *in, size_t first, const char *p, inox_error *err)
{
    size_t count = in->count - first;
    ix_jlist *list;
    void *memory;

    IX_TRY(ix_j_take(in->r, sizeof *list + count * sizeof *in->open, &memory, err));
    list = memory;
    *list = (ix_jlist){ .items = (ix_jvalue *)(list + 1), .count = count, .capacity = count };
    for (size_t i = 0; i < count; i++)
        ix_j_put(&list->items[i], &in->open[first + i]);
    in->at = p;
    in->count = first;
    in->open[first] = (ix_jvalue){ .kind = IX_J_LIST, .list = list };
    return INOX_OK;
}

static inox_status read_array(reader *in, inox_error *err)
{
    const char *p = skip_space(in, in->at + 1);
    size_t first = in->count;

    if (is_next(in, p, ']'))
        return close_array(in, first, p + 1, err);
    for (;;) {
        IX_TRY(reserve(in, err));
        IX_TRY(read_value(in, &p, err));
        p = skip_space(in, p);
        if (is_next(in, p, ']'))
            return close_array(in, first, p + 1, err);
        if (!is_next(in, p, ','))
            return bad_at(in, p, "an array without , or ]", err);
        p = skip_space(in, p + 1);
    }
}

static bool names_token(const ix_jstring *name)
{
    return name->size >= 6 && memcmp(name->data + name->size - 6, "_token", 6) == 0;
}

/* The string that begins here is a word of letters, digits and _-. */
static bool is_word(const reader *in, const char *p)
{
    while (++p < in->end && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                             (*p >= '0' && *p <= '9') || *p == '_' || *p == '-'))
        ;
    return is_next(in, p, '"');
}

/* The value that begins here, of that key, is a string that is not a user's. */
static inline bool is_own(const reader *in, const char *p, const ix_jstring *name)
{
    if ((in->depth != 1 && in->depth != 3) || !is_next(in, p, '"'))
        return false;
    return in->depth == 1 ? names_token(name)
                          : name->size == 4 && memcmp(name->data, "role", 4) == 0 && is_word(in, p);
}

/* The keys and values from `first` on become one dict, where the first of them was. */
static inox_status close_object(reader *in, size_t first, const char *p, inox_error *err)
{
    ix_jvalue dict;

    IX_TRY(ix_j_dict_of(in->r, in->open + first, (in->count - first) / 2, &dict, err));
    in->at = p;
    in->count = first;
    in->open[first] = dict;
    return INOX_OK;
}

static inox_status read_object(reader *in, inox_error *err)
{
    const char *p = skip_space(in, in->at + 1);
    size_t first = in->count;

    if (is_next(in, p, '}'))
        return close_object(in, first, p + 1, err);
    for (;;) {
        if (!is_next(in, p, '"'))
            return bad_at(in, p, "an object without a key in quotes", err);
        IX_TRY(reserve(in, err));
        IX_TRY(read_key(in, &p, &in->open[in->count], err));
        const ix_jstring *name = in->open[in->count++].string;
        p = skip_space(in, p);
        if (!is_next(in, p, ':'))
            return bad_at(in, p, "a key without :", err);
        p = skip_space(in, p + 1);
        in->origin = is_own(in, p, name) ? IX_J_TEMPLATE : IX_J_USER;
        IX_TRY(read_value(in, &p, err));
        in->origin = IX_J_USER;
        p = skip_space(in, p);
        if (is_next(in, p, '}'))
            return close_object(in, first, p + 1, err);
        if (!is_next(in, p, ','))
            return bad_at(in, p, "an object without , or }", err);
        p = skip_space(in, p + 1);
    }
}

inox_status ix_j_read_json(ix_jrender *r, const char *text, size_t size, ix_jvalue *out,
                           inox_error *err)
{
    reader in;

    in.r = r;
    in.text = text;
    in.end = text + size;
    in.at = skip_space(&in, text);
    in.depth = 0;
    in.origin = IX_J_USER;
    memset(in.keys, 0, sizeof in.keys);
    memset(in.after, 0, sizeof in.after);
    in.before = 0;
    in.open = in.few;
    in.count = 0;
    in.capacity = FEW;
    if (!is_next(&in, in.at, '{'))
        return ix_fail(err, INOX_E_FORMAT, "the variables are no JSON object");
    IX_TRY(read_other(&in, err));
    *out = in.open[0];
    in.at = skip_space(&in, in.at);
    return in.at == in.end ? INOX_OK : bad(&in, "something behind the object", err);
}
