/* The variables of a template: JSON as Python's json module reads it (ints of any size, NaN,
 * Infinity, lone surrogates), into values of the rendering.
 *
 * The text is copied first, with NULs behind it: no function has to ask where it ends, since a NUL
 * is part of nothing.  Strings are views of the copy, in which escapes are undone in place.  All
 * are a user's but those of the top-level keys *_token, and the roles of messages that are plain
 * words: published templates build special tokens around them ('<|' + message['role'] + '|>'), and
 * a word by itself spells none.  Variables that the template does not name are checked, not kept.
 */
#include "text/jinja/ast.h"
#include "text/jinja/decimal.h"
#include "text/jinja/render.h"
#include "text/unicode.h"

#include <string.h>

#define PAD 64   /* bytes behind the text that may be read */
#define KEYS 512 /* a power of two */
#define FEW 96

/* At which depth the string of a key is not a user's. */
enum { OWN_TOKEN = 1, OWN_ROLE = 3, OWN_NEVER = IX_MAX_JSON_NESTING + 1 };

/* A key of objects.  Objects of one kind have the same keys, in one order, so a key is made once
 * and guessed from those before it.  A guess is right where the text goes on with
 *
 *     role": "user"        the key, its quote, the colon, and a space if there was one at first
 *     ^^^^^^^              size bytes, of which the first sixteen are compared as two numbers
 */
typedef struct key {
    ix_jstring string; /* its hash is known */
    uint64_t bytes[2], mask[2];
    size_t size;  /* 0: it is not guessed */
    unsigned own; /* OWN_... */
} key;

/* An array or object that is not closed. */
typedef struct level {
    size_t first; /* its items, or its keys and values, are in->open[first...] */
    char closing; /* ] or } */
} level;

/* Functions that read take the place where they are to begin, and move it; those that are seldom
 * needed (escapes, numbers, other characters than ASCII's) do so with in->at. */
typedef struct reader {
    ix_jrender *r;
    char *text, *at, *end;
    key *keys[KEYS];  /* by hash, the last of each */
    key *after[KEYS]; /* by the hash of the last key, mixed with those before it: the next one */
    level levels[IX_MAX_JSON_NESTING + 1]; /* the first is none, and closed by nothing */
    ix_jvalue *open;      /* the items of the arrays, keys and values of the objects, not closed */
    ix_jvalue *last_room; /* the last place that has room for two of them */
    ix_jvalue few[FEW];   /* where they are at first */
} reader;

static inox_status bad_at(const reader *in, const char *p, const char *what, inox_error *err)
{
    return ix_fail(err, INOX_E_FORMAT, "the variables are no JSON: %s at byte %zu", what,
                   (size_t)(p - in->text));
}

static inox_status bad(const reader *in, const char *what, inox_error *err)
{
    return bad_at(in, in->at, what, err);
}

static inline char *skip_space(char *p)
{
    while ((unsigned char)*p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/* Inlined, so that a word is compared as one or two numbers; none is longer than PAD. */
static inline __attribute__((always_inline)) bool skip_word(reader *in, const char *word)
{
    size_t n = strlen(word);

    if (memcmp(in->at, word, n) != 0)
        return false;
    in->at += n;
    return true;
}

/* ---- strings --------------------------------------------------------------------------------- */

typedef unsigned char bytes16 __attribute__((vector_size(16)));
typedef signed char signed16 __attribute__((vector_size(16)));

/* Which of sixteen bytes are a quote, an escape, or not printable ASCII (one more than those is, as
 * a signed number, at most ' '). */
static inline bytes16 odd_bytes(const char *p)
{
    bytes16 x;

    memcpy(&x, p, 16);
    return (bytes16)(x == '"') | (bytes16)(x == '\\') | (bytes16)((signed16)(x + 1) < ' ' + 1);
}

/* The first of them from p on; there is one, the NUL behind the text. */
#ifdef __SSE2__
static inline unsigned odd_bits(const char *p)
{
    typedef char bits16 __attribute__((vector_size(16)));

    return (unsigned)__builtin_ia32_pmovmskb128((bits16)odd_bytes(p));
}

/* Most texts are short; long ones are looked at in larger pieces. */
static inline char *plain_end(char *p)
{
    unsigned bits = odd_bits(p);

    if (bits != 0)
        return p + __builtin_ctz(bits);
    for (p += 16;; p += 32) {
        bits = odd_bits(p) | odd_bits(p + 16) << 16;
        if (bits != 0)
            return p + __builtin_ctz(bits);
    }
}
#else
static inline char *plain_end(char *p)
{
    uint64_t half[2];

    for (;; p += 16) {
        bytes16 odd = odd_bytes(p);

        memcpy(half, &odd, 16);
        if ((half[0] | half[1]) != 0)
            break;
    }
    while (*p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7F)
        p++;
    return p;
}
#endif

/* Moves over what no string holds as it is, and to the quote or the next escape.  *plain = false if
 * there was another character than printable ASCII. */
static inox_status skip_rest(reader *in, bool *plain, inox_error *err)
{
    for (;;) {
        bool whole, wrong;

        if (*in->at == '"' || *in->at == '\\')
            return INOX_OK;
        if (in->at == in->end)
            return bad(in, "a string that does not end", err);
        if ((unsigned char)*in->at < 0x20)
            return bad(in, "a control character in a string", err);
        size_t n = ix_utf8_prefix(in->at, (size_t)(in->end - in->at), &whole, &wrong);
        if (wrong || !whole)
            return bad(in, "a byte that is no UTF-8", err);
        *plain = false;
        in->at += n;
        if ((unsigned char)*in->at < 0x80)
            in->at = plain_end(in->at);
    }
}

static inox_status read_hex(reader *in, uint32_t *out, inox_error *err)
{
    *out = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        int c = (unsigned char)*in->at, low = c | 32;
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

/* Reads the escape that begins here; writes its character at *to, which moves behind it.  No escape
 * is shorter than its character. */
static inox_status read_escape(reader *in, char **to, inox_error *err)
{
    uint32_t c, low;

    if (++in->at == in->end)
        return bad(in, "a string that does not end", err);
    if (*in->at != 'u')
        return bad(in, "an unknown escape", err);
    in->at++;
    IX_TRY(read_hex(in, &c, err));
    if (c >= 0xD800 && c < 0xDC00 && in->at[0] == '\\' && in->at[1] == 'u') {
        char *before = in->at;

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

/* Moves n bytes from where they are to before that, as few as stand between escapes. */
static inline void move_back(char *to, const char *from, size_t n)
{
    for (; n >= 8; n -= 8, to += 8, from += 8)
        memmove(to, from, 8);
    while (n-- > 0)
        *to++ = *from++;
}

/* The bytes of a string that began at `start`, at whose first character that is not plain in->at
 * is.  *plain stays true if it is all plain nevertheless. */
static inox_status read_odd_text(reader *in, char *start, size_t *size, bool *plain,
                                 inox_error *err)
{
    char *to, *from;

    IX_TRY(skip_rest(in, plain, err));
    to = in->at;
    while (*in->at != '"') {
        char simple = simple_escape(in->at[1]);

        *plain = false;
        if (simple != 0) {
            *to++ = simple;
            in->at += 2;
        } else {
            IX_TRY(read_escape(in, &to, err));
        }
        from = in->at;
        in->at = plain_end(from);
        if (*in->at != '"' && *in->at != '\\')
            IX_TRY(skip_rest(in, plain, err));
        move_back(to, from, (size_t)(in->at - from));
        to += in->at - from;
    }
    in->at++;
    *size = (size_t)(to - start);
    return INOX_OK;
}

/* The string whose quote is here; *out is left alone unless it is to be kept. */
static inline __attribute__((always_inline)) inox_status read_string(reader *in, char **p,
                                                                     ix_jorigin origin, bool keep,
                                                                     ix_jvalue *out,
                                                                     inox_error *err)
{
    char *start = *p + 1, *end = plain_end(start);
    bool plain = true;
    size_t size;

    if (*end != '"') {
        in->at = end;
        IX_TRY(read_odd_text(in, start, &size, &plain, err));
        *p = in->at;
        return keep ? ix_j_make_string(in->r, start, size, origin, out, err) : INOX_OK;
    }
    *p = end + 1;
    if (!keep)
        return INOX_OK;
    IX_TRY(ix_j_make_string(in->r, start, (size_t)(end - start), origin, out, err));
    out->string->length = out->string->size;
    out->string->plain = true;
    return INOX_OK;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static unsigned own_of(const char *name, size_t size)
{
    if (size >= 6 && memcmp(name + size - 6, "_token", 6) == 0)
        return OWN_TOKEN;
    return size == 4 && memcmp(name, "role", 4) == 0 ? OWN_ROLE : OWN_NEVER;
}

/* What a guess compares: from `start` on, where the key has `size` bytes as they stand. */
static void learn_key(const char *start, size_t size, key *k)
{
    size_t all = size + 1;

    k->size = 0;
    if (start[all] != ':')
        return;
    all += start[all + 1] == ' ' ? 2 : 1;
    k->size = all;
    memset(k->mask, 0, sizeof k->mask);
    memset(k->mask, 0xFF, all < sizeof k->mask ? all : sizeof k->mask);
    memcpy(k->bytes, start, sizeof k->bytes);
    k->bytes[0] &= k->mask[0];
    k->bytes[1] &= k->mask[1];
}

static inox_status make_key(reader *in, const char *start, size_t size, bool plain, uint32_t hash,
                            key **out, inox_error *err)
{
    void *memory;

    if (size > in->r->text_max)
        return ix_j_text_too_long(in->r, size, err);
    IX_TRY(ix_j_take(in->r, sizeof **out, &memory, err));
    *out = memory;
    **out = (key){ .string = { .data = start,
                               .size = (uint32_t)size,
                               .length = IX_J_UNCOUNTED,
                               .hash = hash,
                               .origin = IX_J_USER,
                               .plain = plain },
                   .own = own_of(start, size) };
    return INOX_OK;
}

/* The key that begins at in->at, which is not the one that was guessed. */
static inox_status read_new_key(reader *in, uint32_t before, key **out, inox_error *err)
{
    char *start = in->at;
    bool plain = true;
    size_t size;

    in->at = plain_end(start);
    IX_TRY(skip_rest(in, &plain, err));
    if (*in->at != '"') {
        IX_TRY(read_odd_text(in, start, &size, &plain, err));
        return make_key(in, start, size, false, ix_j_hash_bytes(start, size), out, err);
    }
    size = (size_t)(in->at++ - start);
    uint32_t hash = ix_j_hash_bytes(start, size);
    key **k = &in->keys[hash % KEYS];
    if (!*k || (*k)->string.hash != hash || (*k)->string.size != size ||
        memcmp((*k)->string.data, start, size) != 0) {
        IX_TRY(make_key(in, start, size, plain, hash, k, err));
        learn_key(start, size, *k);
    }
    *out = *k;
    if ((*k)->size > 0)
        in->after[before % KEYS] = *k;
    return INOX_OK;
}

/* True if what the key was made from begins at p. */
static inline bool is_key(const reader *in, const char *p, const key *k)
{
    uint64_t x[2];

    memcpy(x, p, sizeof x);
    return (((x[0] & k->mask[0]) ^ k->bytes[0]) | ((x[1] & k->mask[1]) ^ k->bytes[1])) == 0 &&
           (k->size <= sizeof x ||
            (k->size <= (size_t)(in->end - p) && memcmp(p, k->string.data, k->size) == 0));
}

/* The key whose quote is here, and the colon behind it. */
static inline __attribute__((always_inline)) inox_status read_key(reader *in, char **p,
                                                                  uint32_t *before, key **out,
                                                                  inox_error *err)
{
    key *k = in->after[*before % KEYS];

    if (**p != '"')
        return bad_at(in, *p, "an object without a key in quotes", err);
    if (k && is_key(in, *p + 1, k)) {
        *p += k->size + 1;
    } else {
        in->at = *p + 1;
        IX_TRY(read_new_key(in, *before, &k, err));
        *p = skip_space(in->at);
        if (**p != ':')
            return bad_at(in, *p, "a key without :", err);
        ++*p;
    }
    *before = *before << 4 ^ k->string.hash;
    *out = k;
    *p = skip_space(*p);
    return INOX_OK;
}

/* The string that begins here is a word of letters, digits and _-. */
static bool is_word(const char *p)
{
    do
        p++;
    while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
           *p == '_' || *p == '-');
    return *p == '"';
}

/* ---- numbers --------------------------------------------------------------------------------- */

static bool skip_digits(reader *in)
{
    const char *start = in->at;

    while (*in->at >= '0' && *in->at <= '9')
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
    if (*in->at == '0')
        in->at++;
    else if (!skip_digits(in))
        return bad(in, "something that is no value", err);
    if (*in->at == '.' && in->at[1] >= '0' && in->at[1] <= '9') {
        whole = false;
        in->at++;
        (void)skip_digits(in);
    }
    if ((*in->at | 32) == 'e') {
        char *before = in->at++;

        if (*in->at == '+' || *in->at == '-')
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

static inline __attribute__((always_inline)) inox_status read_constant(reader *in, const char *word,
                                                                       ix_jvalue value,
                                                                       ix_jvalue *out,
                                                                       inox_error *err)
{
    *out = value;
    return skip_word(in, word) ? INOX_OK : bad(in, "a word", err);
}

/* A value that is no string, array or object. */
static inox_status read_other(reader *in, ix_jvalue *out, inox_error *err)
{
    double nan = 0;

    if (in->at == in->end)
        return bad(in, "an end before its time", err);
    switch (*in->at) {
    case 't': return read_constant(in, "true", ix_j_bool(true), out, err);
    case 'f': return read_constant(in, "false", ix_j_bool(false), out, err);
    case 'n': return read_constant(in, "null", ix_j_none(), out, err);
    case 'N':
        (void)ix_float_parse("nan", 3, &nan);
        return read_constant(in, "NaN", ix_j_float(nan), out, err);
    default: return read_number(in, out, err);
    }
}

/* Makes room for twice as many open values; *to is behind the last. */
static inox_status grow(reader *in, ix_jvalue **to, inox_error *err)
{
    size_t count = (size_t)(*to - in->open), capacity = (size_t)(in->last_room - in->open) + 2;
    ix_jvalue *more;

    IX_TRY(IX_J_ALLOC(in->r, &more, capacity * 2, err));
    memcpy(more, in->open, count * sizeof *more);
    in->open = more;
    in->last_room = more + capacity * 2 - 2;
    *to = more + count;
    return INOX_OK;
}

static inox_status make_list(reader *in, const ix_jvalue *items, size_t count, ix_jvalue *out,
                             inox_error *err)
{
    ix_jlist *list;
    void *memory;

    IX_TRY(ix_j_take(in->r, sizeof *list + count * sizeof *items, &memory, err));
    list = memory;
    *list = (ix_jlist){ .items = (ix_jvalue *)(list + 1), .count = count, .capacity = count };
    for (size_t i = 0; i < count; i++)
        ix_j_put(&list->items[i], &items[i]);
    out->kind = IX_J_LIST;
    out->list = list;
    return INOX_OK;
}

/* The open values from *first up to `to` become one. */
static inline inox_status close_level(reader *in, char closing, ix_jvalue *first, ix_jvalue *to,
                                      inox_error *err)
{
    size_t count = (size_t)(to - first);

    if (closing == '}')
        return ix_j_dict_of(in->r, first, count / 2, first, err);
    return make_list(in, first, count, first, err);
}

/* Behind a value, or at the end of what is empty: closes the levels that end here, and moves to
 * where the next value begins. */
static inline __attribute__((always_inline)) inox_status read_ends(reader *in, char **p,
                                                                   const level *base, bool keep,
                                                                   level **top, ix_jvalue **to,
                                                                   inox_error *err)
{
    for (;;) {
        const level *l = *top;

        if ((*p)[0] == ',' && (*p)[1] == ' ') {
            *p = skip_space(*p + 2);
            return INOX_OK;
        }
        *p = skip_space(*p);
        if (**p == ',') {
            *p = skip_space(*p + 1);
            return INOX_OK;
        }
        if (**p != l->closing)
            return bad_at(
                in, *p, l->closing == '}' ? "an object without , or }" : "an array without , or ]",
                err);
        if (keep) {
            ix_jvalue *first = in->open + l->first;

            IX_TRY(close_level(in, l->closing, first, *to, err));
            *to = first + 1;
        }
        ++*p;
        if (--*top == base)
            return INOX_OK;
    }
}

/* True if the template names the variable. */
static bool is_named(const reader *in, const key *k)
{
    const ix_jprogram *p = in->r->program;

    for (uint32_t i = 0; i < p->global_count; i++)
        if (ix_j_same_text(p->names[p->globals[i]], &k->string))
            return true;
    return false;
}

static inox_status skip_value(reader *in, char **p, inox_error *err);

/* Reads the value that begins at *p, within the level `base`; what is open lies in in->levels, not
 * on the stack of C.  Keeps it as in->open[0], or checks it only. */
static inline __attribute__((always_inline)) inox_status read_value(reader *in, char **at,
                                                                    level *base, bool keep,
                                                                    inox_error *err)
{
    level *top = base, *deepest = in->levels + IX_MAX_JSON_NESTING;
    ix_jvalue ignored, *to = keep ? in->open : &ignored;
    uint32_t before = 0;
    char *p = *at;

    do {
        ix_jorigin origin = IX_J_USER;

        if (keep && to > in->last_room)
            IX_TRY(grow(in, &to, err));
        if (top->closing == '}') {
            key *k = NULL;

            IX_TRY(read_key(in, &p, &before, &k, err));
            if (keep && top == in->levels + 1 && !is_named(in, k)) {
                IX_TRY(skip_value(in, &p, err));
                IX_TRY(read_ends(in, &p, base, keep, &top, &to, err));
                continue;
            }
            if (keep) {
                to->kind = IX_J_STRING;
                to->string = &k->string;
                to++;
            }
            if (k->own == (unsigned)(top - in->levels) && (k->own == OWN_TOKEN || is_word(p)))
                origin = IX_J_TEMPLATE;
        }
        if (*p == '"') {
            IX_TRY(read_string(in, &p, origin, keep, to, err));
            to += keep;
        } else if (*p == '{' || *p == '[') {
            if (top++ == deepest)
                return ix_fail(err, INOX_E_LIMIT, "variables that nest deeper than %d levels",
                               IX_MAX_JSON_NESTING);
            *top = (level){ keep ? (size_t)(to - in->open) : 0, (char)(*p + 2) }; /* in ASCII */
            p = skip_space(p + 1);
            if (*p != top->closing)
                continue;
        } else {
            in->at = p;
            IX_TRY(read_other(in, to, err));
            to += keep;
            p = in->at;
        }
        if (keep || top > base)
            IX_TRY(read_ends(in, &p, base, keep, &top, &to, err));
    } while (top > base);
    *at = p;
    return INOX_OK;
}

/* Moves over the value of a variable that the template does not name. */
static inox_status skip_value(reader *in, char **p, inox_error *err)
{
    level *base = in->levels + 1, outer = *base;

    *base = (level){ 0, 0 };
    IX_TRY(read_value(in, p, base, false, err));
    *base = outer;
    return INOX_OK;
}

static inox_status read_object(reader *in, char **p, inox_error *err)
{
    return read_value(in, p, in->levels, true, err);
}

/* The text with NULs behind it. */
static inox_status copy_text(reader *in, const char *text, size_t size, inox_error *err)
{
    void *copy;

    IX_TRY(ix_j_take(in->r, size + PAD, &copy, err));
    in->text = copy;
    in->end = in->text + size;
    if (size > 0)
        memcpy(copy, text, size);
    memset(in->end, 0, PAD);
    return INOX_OK;
}

inox_status ix_j_read_json(ix_jrender *r, const char *text, size_t size, ix_jvalue *out,
                           inox_error *err)
{
    reader in;

    in.r = r;
    memset(in.keys, 0, sizeof in.keys);
    memset(in.after, 0, sizeof in.after);
    in.levels[0] = (level){ 0, 0 };
    in.open = in.few;
    in.last_room = in.few + FEW - 2;
    IX_TRY(copy_text(&in, text, size, err));
    char *p = skip_space(in.text);
    if (*p != '{')
        return ix_fail(err, INOX_E_FORMAT, "the variables are no JSON object");
    IX_TRY(read_object(&in, &p, err));
    *out = in.open[0];
    in.at = skip_space(p);
    return in.at == in.end ? INOX_OK : bad(&in, "something behind the object", err);
}
