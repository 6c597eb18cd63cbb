/* Values of the metadata: search by key, and conversion with the rules of gguf.h. */
#include "front/gguf/internal.h"

#include <inttypes.h>
#include <string.h>

/* ---- types ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned size; /* bytes; 0: not fixed */
} TYPES[IX_GGUF_TYPE_COUNT] = {
    [IX_GGUF_U8] = { "uint8", 1 },     [IX_GGUF_I8] = { "int8", 1 },
    [IX_GGUF_U16] = { "uint16", 2 },   [IX_GGUF_I16] = { "int16", 2 },
    [IX_GGUF_U32] = { "uint32", 4 },   [IX_GGUF_I32] = { "int32", 4 },
    [IX_GGUF_U64] = { "uint64", 8 },   [IX_GGUF_I64] = { "int64", 8 },
    [IX_GGUF_F32] = { "float32", 4 },  [IX_GGUF_F64] = { "float64", 8 },
    [IX_GGUF_BOOL] = { "bool", 1 },    [IX_GGUF_STRING] = { "string", 0 },
    [IX_GGUF_ARRAY] = { "array", 0 },
};

const char *ix_gguf_type_name(ix_gguf_type t)
{
    return (unsigned)t < IX_GGUF_TYPE_COUNT ? TYPES[t].name : "unknown";
}

unsigned ix_gguf_type_size(ix_gguf_type t)
{
    return TYPES[t].size;
}

/* ---- search ---------------------------------------------------------------------------- */

const ix_gguf_value *ix_gguf_meta_find(const ix_gguf_meta *meta, const char *key)
{
    uint32_t i;

    return ix_gguf_table_find(&meta->keys, key, strlen(key), &i) ? &meta->values[i] : NULL;
}

size_t ix_gguf_value_count(const ix_gguf *g)
{
    return g->meta.count;
}

const ix_gguf_value *ix_gguf_value_at(const ix_gguf *g, size_t i)
{
    return &g->meta.values[i];
}

const ix_gguf_value *ix_gguf_find(const ix_gguf *g, const char *key)
{
    return ix_gguf_meta_find(&g->meta, key);
}

bool ix_gguf_has(const ix_gguf *g, const char *key)
{
    return ix_gguf_find(g, key) != NULL;
}

/* ---- items ----------------------------------------------------------------------------- */

/* Position in the file of item i (of a string: of its length). */
static uint64_t item_position(const ix_gguf_value *v, uint64_t i)
{
    uint64_t first = v->type == IX_GGUF_ARRAY ? v->position + 4 + 8 : v->position;

    return first + (v->starts != NULL ? v->starts[i] : i * ix_gguf_type_size(v->item_type));
}

static inox_status check_index(const ix_gguf_value *v, uint64_t i, inox_error *err)
{
    if (i < v->count)
        return INOX_OK;
    return ix_fail(err, INOX_E_ARGUMENT,
                   "item %" PRIu64 " of key '%.*s' was asked for, which has %" PRIu64, i,
                   IX_SHOWN(v->key, v->key_size), v->count);
}

static inox_status wrong_item(const ix_gguf_value *v, uint64_t i, const char *wanted,
                              inox_error *err)
{
    uint64_t position = item_position(v, i);

    if (v->type != IX_GGUF_ARRAY)
        return ix_fail_at(err, INOX_E_FORMAT, position,
                          "key '%.*s' at byte %" PRIu64 " has the type %s; %s is needed",
                          IX_SHOWN(v->key, v->key_size), position, ix_gguf_type_name(v->type),
                          wanted);
    return ix_fail_at(err, INOX_E_FORMAT, position,
                      "item %" PRIu64 " of key '%.*s' at byte %" PRIu64 " has the type %s; %s is "
                      "needed",
                      i, IX_SHOWN(v->key, v->key_size), position, ix_gguf_type_name(v->item_type),
                      wanted);
}

/* An integer of the file: the bits of the number modulo 2^64, and whether it is below zero. */
typedef struct integer {
    uint64_t bits;
    bool negative;
} integer;

/* False where the items are no integers or bools. */
static bool load_integer(const ix_gguf_value *v, uint64_t i, integer *out)
{
    unsigned size = ix_gguf_type_size(v->item_type);

    switch (v->item_type) {
    case IX_GGUF_U8: case IX_GGUF_U16: case IX_GGUF_U32: case IX_GGUF_U64: case IX_GGUF_BOOL:
        *out = (integer){ ix_gguf_load(v->bytes + i * size, size), false };
        return true;
    case IX_GGUF_I8: case IX_GGUF_I16: case IX_GGUF_I32: case IX_GGUF_I64: {
        uint64_t bits = ix_gguf_load(v->bytes + i * size, size);
        uint64_t sign = (uint64_t)1 << (8 * size - 1);

        out->negative = (bits & sign) != 0;
        out->bits = (bits ^ sign) - sign; /* extends the sign */
        return true;
    }
    default:
        return false;
    }
}

static double load_float(const ix_gguf_value *v, uint64_t i)
{
    if (v->item_type == IX_GGUF_F64) {
        uint64_t bits = ix_gguf_load(v->bytes + i * 8, 8);
        double d;

        memcpy(&d, &bits, sizeof d);
        return d;
    }
    uint32_t bits = (uint32_t)ix_gguf_load(v->bytes + i * 4, 4);
    float f;

    memcpy(&f, &bits, sizeof f);
    return (double)f;
}

static inox_status does_not_fit(const ix_gguf_value *v, uint64_t i, integer n, const char *range,
                                inox_error *err)
{
    uint64_t position = item_position(v, i);

    return ix_fail_at(err, INOX_E_FORMAT, position,
                      "key '%.*s' has the value %s%" PRIu64 " at byte %" PRIu64
                      "; it must be in the range %s",
                      IX_SHOWN(v->key, v->key_size), n.negative ? "-" : "",
                      n.negative ? 0 - n.bits : n.bits, position, range);
}

inox_status ix_gguf_item_u64(const ix_gguf_value *v, uint64_t i, uint64_t *out, inox_error *err)
{
    integer n;

    IX_TRY(check_index(v, i, err));
    if (!load_integer(v, i, &n))
        return wrong_item(v, i, "an integer", err);
    if (n.negative)
        return does_not_fit(v, i, n, "0 to 18446744073709551615", err);
    *out = n.bits;
    return INOX_OK;
}

inox_status ix_gguf_item_i64(const ix_gguf_value *v, uint64_t i, int64_t *out, inox_error *err)
{
    integer n;

    IX_TRY(check_index(v, i, err));
    if (!load_integer(v, i, &n))
        return wrong_item(v, i, "an integer", err);
    if (!n.negative && n.bits > INT64_MAX)
        return does_not_fit(v, i, n, "-9223372036854775808 to 9223372036854775807", err);
    *out = (int64_t)n.bits;
    return INOX_OK;
}

inox_status ix_gguf_item_f64(const ix_gguf_value *v, uint64_t i, double *out, inox_error *err)
{
    integer n;

    IX_TRY(check_index(v, i, err));
    if (load_integer(v, i, &n))
        *out = n.negative ? (double)(int64_t)n.bits : (double)n.bits;
    else if (v->item_type == IX_GGUF_F32 || v->item_type == IX_GGUF_F64)
        *out = load_float(v, i);
    else
        return wrong_item(v, i, "a number", err);
    return INOX_OK;
}

inox_status ix_gguf_item_string(const ix_gguf_value *v, uint64_t i, ix_gguf_string *out,
                                inox_error *err)
{
    IX_TRY(check_index(v, i, err));
    if (v->item_type != IX_GGUF_STRING)
        return wrong_item(v, i, "a string", err);
    const uint8_t *item = v->bytes + v->starts[i];
    out->size = (size_t)ix_gguf_load(item, 8);
    out->data = (const char *)item + 8;
    return INOX_OK;
}

/* ---- single values by key -------------------------------------------------------------- */

/* *out = the value of a key that must be there and must not be an array. */
static inox_status single(const ix_gguf *g, const char *key, const char *wanted,
                          const ix_gguf_value **out, inox_error *err)
{
    const ix_gguf_value *v = ix_gguf_find(g, key);

    if (v == NULL)
        return ix_fail(err, INOX_E_FORMAT, "the metadata has no key '%s'; %s is needed", key,
                       wanted);
    if (v->type == IX_GGUF_ARRAY)
        return ix_fail_at(err, INOX_E_FORMAT, v->position,
                          "key '%s' at byte %" PRIu64 " is an array of %" PRIu64 " items (%s); %s "
                          "is needed",
                          key, v->position, v->count, ix_gguf_type_name(v->item_type), wanted);
    *out = v;
    return INOX_OK;
}

/* The same for an integer: a bool is none. */
static inox_status single_integer(const ix_gguf *g, const char *key, const ix_gguf_value **out,
                                  inox_error *err)
{
    const ix_gguf_value *v = NULL;

    IX_TRY(single(g, key, "an integer", &v, err));
    if (v->type == IX_GGUF_BOOL)
        return wrong_item(v, 0, "an integer", err);
    *out = v;
    return INOX_OK;
}

inox_status ix_gguf_get_u64(const ix_gguf *g, const char *key, uint64_t *out, inox_error *err)
{
    const ix_gguf_value *v = NULL;

    IX_TRY(single_integer(g, key, &v, err));
    return ix_gguf_item_u64(v, 0, out, err);
}

inox_status ix_gguf_get_i64(const ix_gguf *g, const char *key, int64_t *out, inox_error *err)
{
    const ix_gguf_value *v = NULL;

    IX_TRY(single_integer(g, key, &v, err));
    return ix_gguf_item_i64(v, 0, out, err);
}

inox_status ix_gguf_get_u32(const ix_gguf *g, const char *key, uint32_t *out, inox_error *err)
{
    const ix_gguf_value *v = NULL;
    integer n;

    IX_TRY(single_integer(g, key, &v, err));
    if (!load_integer(v, 0, &n))
        return wrong_item(v, 0, "an integer", err);
    if (n.negative || n.bits > UINT32_MAX)
        return does_not_fit(v, 0, n, "0 to 4294967295", err);
    *out = (uint32_t)n.bits;
    return INOX_OK;
}

inox_status ix_gguf_get_f32(const ix_gguf *g, const char *key, float *out, inox_error *err)
{
    const ix_gguf_value *v = NULL;
    integer n;

    IX_TRY(single(g, key, "a number", &v, err));
    if (v->type == IX_GGUF_BOOL || v->type == IX_GGUF_STRING)
        return wrong_item(v, 0, "a number", err);
    if (load_integer(v, 0, &n)) /* one rounding, not two */
        *out = n.negative ? (float)(int64_t)n.bits : (float)n.bits;
    else
        *out = (float)load_float(v, 0);
    return INOX_OK;
}

inox_status ix_gguf_get_bool(const ix_gguf *g, const char *key, bool *out, inox_error *err)
{
    const ix_gguf_value *v = NULL;

    IX_TRY(single(g, key, "a bool", &v, err));
    if (v->type != IX_GGUF_BOOL)
        return wrong_item(v, 0, "a bool", err);
    *out = v->bytes[0] != 0;
    return INOX_OK;
}

inox_status ix_gguf_get_string(const ix_gguf *g, const char *key, ix_gguf_string *out,
                               inox_error *err)
{
    const ix_gguf_value *v = NULL;

    IX_TRY(single(g, key, "a string", &v, err));
    return ix_gguf_item_string(v, 0, out, err);
}

#define OPTIONAL(name, type)                                                                       \
    inox_status ix_gguf_optional_##name(const ix_gguf *g, const char *key, type fallback,          \
                                        type *out, inox_error *err)                                \
    {                                                                                              \
        if (ix_gguf_has(g, key))                                                                   \
            return ix_gguf_get_##name(g, key, out, err);                                           \
        *out = fallback;                                                                           \
        return INOX_OK;                                                                            \
    }

OPTIONAL(u32, uint32_t)
OPTIONAL(u64, uint64_t)
OPTIONAL(i64, int64_t)
OPTIONAL(f32, float)
OPTIONAL(bool, bool)

inox_status ix_gguf_optional_string(const ix_gguf *g, const char *key, const char *fallback,
                                    ix_gguf_string *out, inox_error *err)
{
    if (ix_gguf_has(g, key))
        return ix_gguf_get_string(g, key, out, err);
    *out = (ix_gguf_string){ fallback, fallback == NULL ? 0 : strlen(fallback) };
    return INOX_OK;
}

/* ---- arrays by key --------------------------------------------------------------------- */

static inox_status find_array(const ix_gguf *g, const char *key, bool strings,
                              const ix_gguf_value **out, inox_error *err)
{
    const ix_gguf_value *v = ix_gguf_find(g, key);

    if (v != NULL &&
        (v->type != IX_GGUF_ARRAY || (v->item_type == IX_GGUF_STRING) != strings)) {
        const char *wanted = strings ? "strings" : "numbers";

        return ix_fail_at(err, INOX_E_FORMAT, v->position,
                          "key '%s' at byte %" PRIu64 " has %s %s; an array of %s is needed", key,
                          v->position, v->type == IX_GGUF_ARRAY ? "items of type" : "the type",
                          ix_gguf_type_name(v->item_type), wanted);
    }
    *out = v;
    return INOX_OK;
}

inox_status ix_gguf_find_strings(const ix_gguf *g, const char *key, const ix_gguf_value **out,
                                 inox_error *err)
{
    return find_array(g, key, true, out, err);
}

inox_status ix_gguf_find_numbers(const ix_gguf *g, const char *key, const ix_gguf_value **out,
                                 inox_error *err)
{
    return find_array(g, key, false, out, err);
}
