/* What a rendering holds, for the files of this folder that make up the evaluator.
 *
 * The library (filters, tests, methods, globals) sees value.h, number.h and library.h only.
 */
#ifndef IX_TEXT_JINJA_RENDER_H
#define IX_TEXT_JINJA_RENDER_H

#include "base/limits.h"
#include "text/jinja/library.h"
#include "text/jinja/number.h"
#include "text/jinja/template.h"

#include <string.h>

#define IX_J_NOWHERE UINT32_MAX

struct ix_jprogram;

/* Memory that renderings of a template use one after the other: new pages cost more than most
 * renderings do.  A rendering takes it, and gives it back when it is done. */
typedef struct ix_jwarm {
    size_t size;
    char data[];
} ix_jwarm;

struct ix_jrender {
    ix_arena arena;        /* what does not fit the warm memory */
    char *warm, *warm_end; /* what is free of the warm memory: a multiple of eight bytes */
    size_t memory_left;    /* of the budget, less what is free of the warm memory */
    size_t memory_max;
    uint64_t steps_left, steps_max;
    size_t text_max; /* bytes of one string, and of the output */
    unsigned depth;  /* units of the C stack in use, at most IX_MAX_TEMPLATE_DEPTH */
    unsigned calls; /* macros, blocks and recursive loops that run, at most IX_MAX_TEMPLATE_CALLS */
    bool autoescape;   /* jinja2's eval_ctx.autoescape */
    uint32_t error_at; /* byte of the source where the first error came up, or IX_J_NOWHERE */
    const struct ix_jprogram *program;
    ix_jvalue *globals;       /* by number: what the name means among variables and globals */
    struct ix_jframe **spare; /* by function: a frame that may be used again */
    struct ix_jhint *hints;   /* by field */
    struct { /* the last long string that was joined, which may grow in its place */
        char *data;
        size_t size, capacity;
        ix_jspan *spans;
        size_t span_count, span_capacity;
    } tail;
    const ix_template_options *options;
    uint64_t random;
};

/* Where the item of a field was found the last time: objects of one kind have the same keys, in one
 * order, and keys that are read from JSON are held once. */
typedef struct ix_jhint {
    const ix_jstring *key;
    size_t at;
} ix_jhint;

/* The step of a node of the template; one level deeper (r->depth-- comes up again). */
static inline inox_status ix_j_step(ix_jrender *r, inox_error *err)
{
    if (r->steps_left == 0)
        return ix_j_steps(r, 1, err);
    r->steps_left--;
    return INOX_OK;
}

static inline inox_status ix_j_down(ix_jrender *r, inox_error *err)
{
    if (r->depth >= IX_MAX_TEMPLATE_DEPTH)
        return ix_j_enter(r, err);
    r->depth++;
    return INOX_OK;
}

/* Memory of the rendering that the caller fills at once: as ix_j_alloc, but not zeroed, and for
 * sizes that cannot overflow. */
static inline inox_status ix_j_take(ix_jrender *r, size_t bytes, void **out, inox_error *err)
{
    size_t taken = (bytes + 7) & ~(size_t)7;

    if (taken > (size_t)(r->warm_end - r->warm))
        return ix_j_alloc(r, 1, bytes, out, err);
    *out = r->warm;
    r->warm += taken;
    return INOX_OK;
}

inox_status ix_j_text_too_long(const ix_jrender *r, size_t size, inox_error *err);

/* Makes a string of these bytes, which stay where they are. */
static inline inox_status ix_j_make_string(ix_jrender *r, const char *data, size_t size,
                                           ix_jorigin origin, ix_jvalue *out, inox_error *err)
{
    void *s;

    if (size > r->text_max)
        return ix_j_text_too_long(r, size, err);
    IX_TRY(ix_j_take(r, sizeof(ix_jstring), &s, err));
    *(ix_jstring *)s = (ix_jstring){ .data = data ? data : "",
                                     .size = (uint32_t)size,
                                     .length = IX_J_UNCOUNTED,
                                     .origin = (uint8_t)origin };
    *out = ix_j_of_string(s);
    return INOX_OK;
}

/* Where a builder stands, to take back what is appended from there on as a string. */
typedef struct ix_jplace {
    size_t size, span_count;
    uint32_t last_end; /* of the last span: it may grow */
} ix_jplace;
ix_jplace ix_jb_place(const ix_jbuilder *b);
inox_status ix_jb_take_back(ix_jbuilder *b, const ix_jplace *from, ix_jvalue *out,
                            inox_error *err) IX_MUST_USE;

/* *out = a then b, neither of them escaped.  Joining to the same string again and again, as
 * templates do that collect their text in a variable, takes time for what is added only. */
inox_status ix_j_join(ix_jrender *r, ix_jstring *a, const ix_jstring *b, bool safe, ix_jvalue *out,
                      inox_error *err) IX_MUST_USE;

#define IX_J_SHORT 16 /* bytes, which two numbers hold */

/* True if n <= IX_J_SHORT bytes are the same: most texts of templates are short. */
static inline bool ix_j_equal_short(const char *a, const char *b, size_t n)
{
    uint64_t x, y;

    if (n >= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        if (x != y)
            return false;
        memcpy(&x, a + n - 8, 8);
        memcpy(&y, b + n - 8, 8);
        return x == y;
    }
    if (n >= 4) {
        uint32_t v, w;

        memcpy(&v, a, 4);
        memcpy(&w, b, 4);
        if (v != w)
            return false;
        memcpy(&v, a + n - 4, 4);
        memcpy(&w, b + n - 4, 4);
        return v == w;
    }
    while (n > 0 && a[n - 1] == b[n - 1])
        n--;
    return n == 0;
}

static inline bool ix_j_equal_bytes(const char *a, const char *b, size_t n)
{
    return n > IX_J_SHORT ? memcmp(a, b, n) == 0 : ix_j_equal_short(a, b, n);
}

/* b has no more than IX_J_SHORT bytes. */
static inline bool ix_j_same_short_text(const ix_jstring *a, const ix_jstring *b)
{
    return a->size == b->size && ix_j_equal_short(a->data, b->data, b->size);
}

static inline bool ix_j_same_text(const ix_jstring *a, const ix_jstring *b)
{
    return a->size == b->size && ix_j_equal_bytes(a->data, b->data, a->size);
}

/* The hash of a string's bytes, never 0: of its words of eight bytes, then of what is left, as a
 * number with its first byte lowest.  Which keys share a slot of a dict differs between orders of
 * bytes, and nothing else. */
static inline uint64_t ix_j_hash_begin(size_t size)
{
    return size * 0x9E3779B97F4A7C15u;
}
static inline uint64_t ix_j_hash_word(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 32;
}
static inline uint32_t ix_j_hash_end(uint64_t h, uint64_t rest)
{
    h = ix_j_hash_word(h, rest) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(h >> 32) == 0 ? 1 : (uint32_t)(h >> 32);
}
uint32_t ix_j_hash_bytes(const char *data, size_t size);

static inline uint32_t ix_j_string_hash(ix_jstring *s)
{
    if (s->hash == 0)
        s->hash = ix_j_hash_bytes(s->data, s->size);
    return s->hash;
}

/* *out = a dict of `count` keys, strings whose hash is known, each with its value behind it.  *out
 * may be the first of them. */
inox_status ix_j_dict_of_many(ix_jrender *r, const ix_jvalue *keys_values, size_t count,
                              ix_jvalue *out, inox_error *err) IX_MUST_USE;
/* Gives a key that came before, among the pairs up to `end`, its last value; false: none did. */
bool ix_j_put_again(ix_jpair *pairs, const ix_jpair *end, const ix_jvalue *key_value);

#define IX_J_INDEX_FROM 8 /* dicts of more pairs have an index */
static inline IX_MUST_USE inox_status ix_j_dict_of(ix_jrender *r, const ix_jvalue *keys_values,
                                                   size_t count, ix_jvalue *out, inox_error *err)
{
    const ix_jvalue *end = keys_values + 2 * count;
    uint64_t seen = 0; /* a bit of the hash of each key: one whose bit is not in it is new */
    size_t filled = 0;
    void *memory;

    if (count > IX_J_INDEX_FROM)
        return ix_j_dict_of_many(r, keys_values, count, out, err);
    IX_TRY(ix_j_take(r, sizeof(ix_jdict) + count * sizeof(ix_jpair), &memory, err));
    ix_jdict *d = memory;
    ix_jpair *pairs = (ix_jpair *)(d + 1), *pair = pairs;
    for (const ix_jvalue *key = keys_values; key < end; key += 2) {
        uint64_t bit = (uint64_t)1 << (key->string->hash & 63);

        if (seen & bit && ix_j_put_again(pairs, pair, key))
            continue;
        seen |= bit;
        pair->key.kind = IX_J_STRING;
        pair->key.string = key->string;
        ix_j_put(&pair->value, &key[1]);
        pair->hash = key->string->hash;
        pair++;
        filled++;
    }
    *d = (ix_jdict){ .pairs = pairs, .count = filled, .capacity = count };
    out->kind = IX_J_DICT;
    out->dict = d;
    return INOX_OK;
}

/* *out = the method of self that the row is (or its value, where it is a property). */
inox_status ix_j_bind_method(ix_jrender *r, const ix_jentry *entry, ix_jvalue self, ix_jvalue *out,
                             inox_error *err) IX_MUST_USE;

/* *out = object[start:stop:step]; bounds that are not there are IX_J_MISSING. */
inox_status ix_j_getslice(ix_jrender *r, ix_jvalue object, const ix_jvalue bounds[3],
                          ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* Reads the variables: JSON as Python reads it.  Every string but those of the top-level keys
 * *_token is marked as a user's. */
inox_status ix_j_read_json(ix_jrender *r, const char *text, size_t size, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;

#endif
