/* The rules of ops.def: attributes, shapes and types, with symbolic dimensions.
 *
 * shape_<RULE> and type_<RULE> read an operator whose arguments are valid tensors.  Two dimensions
 * are equal if they are the same number or the same symbol: nothing is assumed about what a symbol
 * is bound to.  A new rule is one function here; the table below finds it by its name.
 */
#include "ir/rules.h"
#include "num/attention/attention.h"
#include "num/scalar/scalar.h"

#include <stdio.h>
#include <string.h>

/* ---- errors ---------------------------------------------------------------------------------- */

/* "add: what: 'a' F32 [3] and 'b' F32 [4]", with the arguments i and j (j < 0: only i). */
static inox_status misfit(const ix_tensor *t, const char *what, int32_t i, int32_t j,
                          inox_error *err)
{
    char a[IX_TENSOR_TEXT], b[IX_TENSOR_TEXT];
    const char *op = ix_op_of(t->op)->name;

    ix_tensor_text(t->args[i], a);
    if (j < 0)
        return ix_fail(err, INOX_E_FORMAT, "%s: %s, but it is %s", op, what, a);
    ix_tensor_text(t->args[j], b);
    return ix_fail(err, INOX_E_FORMAT, "%s: %s, but they are %s and %s", op, what, a, b);
}

static inox_status misfit_own(const ix_tensor *t, const char *what, inox_error *err)
{
    char a[IX_TENSOR_TEXT];

    ix_tensor_text(t, a);
    return ix_fail(err, INOX_E_FORMAT, "%s: %s: %s", ix_op_of(t->op)->name, what, a);
}

/* ---- attributes ------------------------------------------------------------------------------ */

static bool finite32(float x)
{
    return (ix_bits(x) & 0x7fffffffu) < 0x7f800000u;
}

static bool finite64(double x)
{
    return x - x == 0.0;
}

/* A bool that was overwritten with another byte must not be read as one. */
static bool is_bool(const bool *p)
{
    unsigned char byte;

    memcpy(&byte, p, 1);
    return byte <= 1;
}

static bool cache_size_is_sane(int64_t kv_heads, int64_t head_dim, int64_t value_dim)
{
    return kv_heads >= 1 && kv_heads <= IX_MAX_HEADS && head_dim >= 1 &&
           head_dim <= IX_MAX_HEAD_DIM && value_dim >= 1 && value_dim <= IX_MAX_HEAD_DIM;
}

static inox_status check_rope(const ix_tensor *t, inox_error *err)
{
    double base = t->attrs.rope.base, factor = t->attrs.rope.factor;
    int32_t dims = t->attrs.rope.dims;

    if (!finite64(base) || base <= 0 || !finite64(factor) || factor <= 0)
        return ix_fail(err, INOX_E_FORMAT,
                       "rope: base %g and factor %g must be positive and finite", base, factor);
    if (dims < 2 || dims % 2 != 0 || dims > IX_MAX_HEAD_DIM)
        return ix_fail(err, INOX_E_FORMAT,
                       "rope: %d rotated dimensions: it must be an even number from 2 to %d", dims,
                       IX_MAX_HEAD_DIM);
    if (!is_bool(&t->attrs.rope.interleaved))
        return ix_fail(err, INOX_E_INTERNAL,
                       "rope: the attribute 'interleaved' is neither true nor false");
    return INOX_OK;
}

static inox_status check_attention(const ix_tensor *t, inox_error *err)
{
    double scale = t->attrs.attention.scale;
    float softcap = t->attrs.attention.softcap;

    if (!finite64(scale) || !finite32((float)scale))
        return ix_fail(err, INOX_E_FORMAT, "attention: the scale %g is not a finite float32",
                       scale);
    if (!finite32(softcap) || softcap < 0)
        return ix_fail(err, INOX_E_FORMAT, "attention: softcap %g must be finite and not negative",
                       (double)softcap);
    if (t->attrs.attention.window < 0 || t->attrs.attention.window > IX_MAX_CONTEXT)
        return ix_fail(err, INOX_E_FORMAT, "attention: window %lld must be from 0 (none) to %d",
                       (long long)t->attrs.attention.window, IX_MAX_CONTEXT);
    if (!cache_size_is_sane(t->attrs.attention.kv_heads, t->attrs.attention.head_dim,
                            t->attrs.attention.value_dim))
        return ix_fail(err, INOX_E_FORMAT,
                       "attention: the number or size of heads is out of bounds");
    return INOX_OK;
}

static inox_status check_attrs(const ix_tensor *t, inox_error *err)
{
    const char *op = ix_op_of(t->op)->name;

    switch (ix_op_attr_kind(t->op)) {
    case IX_ATTR_NONE:
    case IX_ATTR_SHAPE: return INOX_OK;
    case IX_ATTR_SCALAR:
        if (!finite32(t->attrs.scalar.value))
            return ix_fail(err, INOX_E_FORMAT, "%s: the scalar is not finite", op);
        return INOX_OK;
    case IX_ATTR_NORM:
        if (!finite32(t->attrs.norm.eps) || t->attrs.norm.eps < 0)
            return ix_fail(err, INOX_E_FORMAT, "%s: epsilon %g must be finite and not negative", op,
                           (double)t->attrs.norm.eps);
        return INOX_OK;
    case IX_ATTR_ROPE: return check_rope(t, err);
    case IX_ATTR_CACHE:
        if (!cache_size_is_sane(t->attrs.cache.kv_heads, t->attrs.cache.head_dim,
                                t->attrs.cache.value_dim))
            return ix_fail(err, INOX_E_FORMAT,
                           "%s: a cache of %lld heads of %lld and %lld elements is out of bounds "
                           "(at most %d heads of %d)",
                           op, (long long)t->attrs.cache.kv_heads,
                           (long long)t->attrs.cache.head_dim, (long long)t->attrs.cache.value_dim,
                           IX_MAX_HEADS, IX_MAX_HEAD_DIM);
        return INOX_OK;
    case IX_ATTR_ATTENTION: return check_attention(t, err);
    case IX_ATTR_LINEAR:
        if (!is_bool(&t->attrs.linear.bias) || !is_bool(&t->attrs.linear.residual))
            return ix_fail(err, INOX_E_INTERNAL, "linear: an attribute is neither true nor false");
        if (t->arg_count != 2 + t->attrs.linear.bias + t->attrs.linear.residual)
            return ix_fail(err, INOX_E_INTERNAL,
                           "linear: %d arguments do not agree with the attributes", t->arg_count);
        return INOX_OK;
    }
    return ix_fail(err, INOX_E_INTERNAL, "%s: unknown kind of attributes", op);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static ix_shape shape_of(const ix_tensor *x)
{
    ix_shape s = { .rank = x->rank };

    memcpy(s.dims, x->dims, sizeof s.dims);
    return s;
}

static bool same(ix_dim a, ix_dim b)
{
    return a.value == b.value;
}

static bool is_number(ix_dim d, int64_t n)
{
    return d.value == n;
}

static bool is_vector(const ix_tensor *x, ix_dim n)
{
    return x->rank == 1 && same(x->dims[0], n);
}

static bool same_tensor_shape(const ix_tensor *a, const ix_tensor *b)
{
    return ix_same_shape(a->rank, a->dims, b->rank, b->dims);
}

/* Product of the dimensions that are numbers; false on overflow. */
static bool fixed_elements(const ix_tensor *x, int64_t *out)
{
    int64_t n = 1;

    for (int32_t i = 0; i < x->rank; i++)
        if (!ix_dim_is_symbol(x->dims[i]) && __builtin_mul_overflow(n, x->dims[i].value, &n))
            return false;
    *out = n;
    return true;
}

/* Dimensions that the maker of a tensor chose. */
static inox_status check_own_dims(const ix_tensor *t, inox_error *err)
{
    int64_t n;

    if (t->rank < 1 || t->rank > IX_MAX_RANK)
        return ix_fail(err, INOX_E_LIMIT, "%s%s%s: %d dimensions; there must be 1 to %d",
                       ix_op_of(t->op)->name, t->name != NULL ? " " : "",
                       t->name != NULL ? t->name : "", t->rank, IX_MAX_RANK);
    for (int32_t i = 0; i < t->rank; i++)
        if (!ix_dim_is_valid(t->dims[i]))
            return misfit_own(
                t, "a dimension is neither a known symbol nor a number from 1 to 2^40", err);
    if (!fixed_elements(t, &n))
        return misfit_own(t, "more than 2^63 elements", err);
    return INOX_OK;
}

static inox_status shape_LEAF(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    IX_TRY(check_own_dims(t, err));
    if (t->op == IX_OP_STATE) {
        int64_t both = t->attrs.cache.head_dim + t->attrs.cache.value_dim;
        if (t->rank != 4 || !same(t->dims[0], ix_sym(IX_CACHE_PAGES)) ||
            !is_number(t->dims[1], t->attrs.cache.kv_heads) || !is_number(t->dims[2], both) ||
            !is_number(t->dims[3], IX_PAGE))
            return misfit_own(t, "a cache is [cache_pages, kv_heads, head_dim + value_dim, 128]",
                              err);
    }
    *out = shape_of(t);
    return INOX_OK;
}

static inox_status shape_SAME(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    for (int32_t i = 1; i < t->arg_count; i++)
        if (!same_tensor_shape(t->args[0], t->args[i]))
            return misfit(t, "the operands must have the same shape", 0, i, err);
    *out = shape_of(t->args[0]);
    return INOX_OK;
}

static inox_status shape_BROADCAST(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    const ix_tensor *a = t->args[0], *b = t->args[1];
    bool fits = b->rank <= a->rank;

    for (int32_t i = 1; fits && i <= b->rank; i++) {
        ix_dim d = b->dims[b->rank - i];
        fits = is_number(d, 1) || same(d, a->dims[a->rank - i]);
    }
    if (!fits)
        return misfit(
            t,
            "the second operand must have the dimensions of the first, counted from the last, "
            "or 1",
            0, 1, err);
    *out = shape_of(a);
    return INOX_OK;
}

static inox_status shape_REDUCE(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    (void)err;
    *out = shape_of(t->args[0]);
    out->dims[out->rank - 1] = ix_size(1);
    return INOX_OK;
}

/* How often each symbol stands in a shape. */
static void count_symbols(const ix_tensor *x, int count[IX_SYMBOL_COUNT])
{
    memset(count, 0, IX_SYMBOL_COUNT * sizeof *count);
    for (int32_t i = 0; i < x->rank; i++)
        if (ix_dim_is_symbol(x->dims[i]))
            count[-1 - x->dims[i].value]++;
}

static inox_status shape_RESHAPE(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    const ix_tensor *x = t->args[0];
    int before[IX_SYMBOL_COUNT], after[IX_SYMBOL_COUNT];
    int64_t n, m;
    char from[IX_TENSOR_TEXT], to[IX_SHAPE_TEXT];

    IX_TRY(check_own_dims(t, err));
    count_symbols(x, before);
    count_symbols(t, after);
    bool fits = fixed_elements(x, &n) && fixed_elements(t, &m) && n == m;
    for (int i = 0; i < IX_SYMBOL_COUNT; i++)
        fits = fits && before[i] == after[i] && after[i] <= 1;
    if (!fits) {
        ix_tensor_text(x, from);
        ix_shape_text(t->rank, t->dims, to);
        return ix_fail(
            err, INOX_E_FORMAT,
            "reshape: %s cannot become %s: the number of elements and the symbols must agree", from,
            to);
    }
    *out = shape_of(t);
    return INOX_OK;
}

static inox_status shape_GATHER(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    const ix_tensor *table = t->args[0], *ids = t->args[1];

    if (table->rank < 2)
        return misfit(t, "the table must be [rows, .., width]", 0, -1, err);
    if (ids->rank != 1)
        return misfit(t, "the ids must be a vector", 1, -1, err);
    *out = shape_of(table);
    out->dims[0] = ids->dims[0];
    return INOX_OK;
}

static inox_status shape_MATMUL(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    const ix_tensor *x = t->args[0], *w = t->args[1];
    int32_t next = 2;

    if (w->rank != 2 || ix_dim_is_symbol(w->dims[0]) || ix_dim_is_symbol(w->dims[1]))
        return misfit(t, "the second operand must be a matrix [n, k] of fixed size", 1, -1, err);
    if (!same(x->dims[x->rank - 1], w->dims[1]))
        return misfit(t, "the last dimensions of both operands must be the same", 0, 1, err);
    *out = shape_of(x);
    out->dims[out->rank - 1] = w->dims[0];
    if (t->op != IX_OP_LINEAR)
        return INOX_OK;
    if (t->attrs.linear.bias) {
        if (!is_vector(t->args[next], w->dims[0]))
            return misfit(t, "the bias must have one element per row of the weight", next, 1, err);
        next++;
    }
    if (t->attrs.linear.residual) {
        const ix_tensor *r = t->args[next];
        if (!ix_same_shape(r->rank, r->dims, out->rank, out->dims))
            return misfit(t, "the residual must have the shape of the product", next, 1, err);
    }
    return INOX_OK;
}

static inox_status shape_NORM(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    const ix_tensor *x = t->args[0];

    if (t->arg_count > 1 && !is_vector(t->args[1], x->dims[x->rank - 1]))
        return misfit(t, "the weight must have one element per element of a row", 0, 1, err);
    *out = shape_of(x);
    return INOX_OK;
}

static inox_status shape_ROPE(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    const ix_tensor *x = t->args[0];

    if (x->rank != 3 || ix_dim_is_symbol(x->dims[1]) || ix_dim_is_symbol(x->dims[2]))
        return misfit(t, "the first operand must be [tokens, heads, head_dim]", 0, -1, err);
    if (!is_vector(t->args[1], x->dims[0]))
        return misfit(t, "there must be one position per row", 0, 1, err);
    if (t->attrs.rope.dims > x->dims[2].value) {
        char text[IX_TENSOR_TEXT];
        ix_tensor_text(x, text);
        return ix_fail(err, INOX_E_FORMAT,
                       "rope: %d dimensions cannot be rotated in heads of %lld: %s",
                       t->attrs.rope.dims, (long long)x->dims[2].value, text);
    }
    if (t->arg_count > 2 && t->args[2]->op != IX_OP_WEIGHT)
        return misfit(t, "the frequency factors must be a weight", 2, -1, err);
    if (t->arg_count > 2 && !is_vector(t->args[2], ix_size(t->attrs.rope.dims / 2)))
        return misfit(t, "there must be one frequency factor per rotated pair", 0, 2, err);
    *out = shape_of(x);
    return INOX_OK;
}

/* position, sequence and pages, from argument `first` on, for rows of x. */
static inox_status check_places(const ix_tensor *t, const ix_tensor *x, int32_t first,
                                inox_error *err)
{
    for (int32_t i = first; i < first + 2; i++)
        if (!is_vector(t->args[i], x->dims[0]))
            return misfit(t, "there must be one position and one sequence per row", i, -1, err);
    if (t->args[first + 2]->rank != 2)
        return misfit(t, "the page table must be [sequences, pages]", first + 2, -1, err);
    return INOX_OK;
}

static inox_status check_cache_arg(const ix_tensor *t, int32_t i, inox_error *err)
{
    ix_op op = t->args[i]->op;

    if (op != IX_OP_STATE && op != IX_OP_CACHE_STORE)
        return misfit(t, "the cache must be a state or what a store into one gives", i, -1, err);
    return INOX_OK;
}

static inox_status shape_CACHE_STORE(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    const ix_tensor *cache = t->args[0], *k = t->args[1], *v = t->args[2];

    IX_TRY(check_cache_arg(t, 0, err));
    if (t->attrs.cache.kv_heads != cache->attrs.cache.kv_heads ||
        t->attrs.cache.head_dim != cache->attrs.cache.head_dim ||
        t->attrs.cache.value_dim != cache->attrs.cache.value_dim)
        return misfit(t, "the attributes must be those of the cache", 0, -1, err);
    if (k->rank != 3 || !is_number(k->dims[1], cache->attrs.cache.kv_heads) ||
        !is_number(k->dims[2], cache->attrs.cache.head_dim))
        return misfit(t, "k must be [tokens, kv_heads, head_dim] as the cache has it", 1, 0, err);
    if (v->rank != 3 || !same(v->dims[0], k->dims[0]) || !same(v->dims[1], k->dims[1]) ||
        !is_number(v->dims[2], cache->attrs.cache.value_dim))
        return misfit(t, "v must be [tokens, kv_heads, value_dim] beside k", 2, 1, err);
    IX_TRY(check_places(t, k, 3, err));
    *out = shape_of(cache);
    return INOX_OK;
}

static inox_status shape_ATTENTION(const ix_tensor *t, ix_shape *out, inox_error *err)
{
    const ix_tensor *q = t->args[0], *cache = t->args[1];

    IX_TRY(check_cache_arg(t, 1, err));
    if (t->attrs.attention.kv_heads != cache->attrs.cache.kv_heads ||
        t->attrs.attention.head_dim != cache->attrs.cache.head_dim ||
        t->attrs.attention.value_dim != cache->attrs.cache.value_dim)
        return misfit(t, "the attributes must be those of the cache", 1, -1, err);
    if (q->rank != 3 || ix_dim_is_symbol(q->dims[1]) || q->dims[1].value > IX_MAX_HEADS ||
        !is_number(q->dims[2], cache->attrs.cache.head_dim))
        return misfit(t, "q must be [tokens, heads, head_dim] with the head_dim of the cache", 0, 1,
                      err);
    if (q->dims[1].value % cache->attrs.cache.kv_heads != 0)
        return misfit(t, "the heads of q must be a multiple of those of the cache", 0, 1, err);
    IX_TRY(check_places(t, q, 2, err));
    if (t->arg_count > 5 && !is_vector(t->args[5], q->dims[1]))
        return misfit(t, "there must be one sink per head of q", 5, 0, err);
    *out = shape_of(q);
    out->dims[2] = ix_size(cache->attrs.cache.value_dim);
    return INOX_OK;
}

/* ---- types ----------------------------------------------------------------------------------- */

/* Argument i has type `want`. */
static inox_status want_type(const ix_tensor *t, int32_t i, ix_type want, inox_error *err)
{
    char what[96];

    if (t->args[i]->type == want)
        return INOX_OK;
    snprintf(what, sizeof what, "argument %d must be of type %s", i + 1, ix_type_of(want)->name);
    return misfit(t, what, i, -1, err);
}

static inox_status want_types(const ix_tensor *t, int32_t first, int32_t end, ix_type want,
                              inox_error *err)
{
    for (int32_t i = first; i < end && i < t->arg_count; i++)
        IX_TRY(want_type(t, i, want, err));
    return INOX_OK;
}

static bool is_cache_type(ix_type t)
{
    return t == IX_TYPE_F16 || t == IX_TYPE_F32;
}

/* What ix_matmul_find has a kernel for. */
static bool can_multiply(ix_type t)
{
    return t != IX_TYPE_F64 && t != IX_TYPE_I8 && t != IX_TYPE_I16 && t != IX_TYPE_I32 &&
           t != IX_TYPE_I64;
}

static inox_status type_LEAF(const ix_tensor *t, ix_type *out, inox_error *err)
{
    if ((unsigned)t->type >= IX_TYPE_COUNT)
        return ix_fail(err, INOX_E_INTERNAL, "%s: unknown type number %d", ix_op_of(t->op)->name,
                       (int)t->type);
    if (t->op == IX_OP_STATE && !is_cache_type(t->type))
        return misfit_own(t, "a cache is of type F16 or F32", err);
    *out = t->type;
    return INOX_OK;
}

static inox_status type_SAME(const ix_tensor *t, ix_type *out, inox_error *err)
{
    (void)err;
    *out = t->args[0]->type;
    return INOX_OK;
}

static inox_status type_FLOATS(const ix_tensor *t, ix_type *out, inox_error *err)
{
    *out = IX_TYPE_F32;
    return want_types(t, 0, t->arg_count, IX_TYPE_F32, err);
}

static inox_status type_GATHER(const ix_tensor *t, ix_type *out, inox_error *err)
{
    *out = IX_TYPE_F32;
    return want_type(t, 1, IX_TYPE_I32, err);
}

static inox_status type_MATMUL(const ix_tensor *t, ix_type *out, inox_error *err)
{
    *out = IX_TYPE_F32;
    if (!can_multiply(t->args[1]->type))
        return misfit(t, "the second operand must be of a type that can be multiplied", 1, -1, err);
    return want_type(t, 0, IX_TYPE_F32, err);
}

static inox_status type_LINEAR(const ix_tensor *t, ix_type *out, inox_error *err)
{
    IX_TRY(type_MATMUL(t, out, err));
    return want_types(t, 2, t->arg_count, IX_TYPE_F32, err);
}

static inox_status type_ROPE(const ix_tensor *t, ix_type *out, inox_error *err)
{
    *out = IX_TYPE_F32;
    IX_TRY(want_type(t, 0, IX_TYPE_F32, err));
    IX_TRY(want_type(t, 1, IX_TYPE_I32, err));
    return want_types(t, 2, 3, IX_TYPE_F32, err);
}

static inox_status type_CACHE_STORE(const ix_tensor *t, ix_type *out, inox_error *err)
{
    *out = t->args[0]->type;
    IX_TRY(want_types(t, 1, 3, IX_TYPE_F32, err));
    return want_types(t, 3, 6, IX_TYPE_I32, err);
}

static inox_status type_ATTENTION(const ix_tensor *t, ix_type *out, inox_error *err)
{
    *out = IX_TYPE_F32;
    IX_TRY(want_type(t, 0, IX_TYPE_F32, err));
    IX_TRY(want_types(t, 2, 5, IX_TYPE_I32, err));
    return want_types(t, 5, 6, IX_TYPE_F32, err);
}

/* ---- the table ------------------------------------------------------------------------------- */

typedef struct rules {
    inox_status (*shape)(const ix_tensor *t, ix_shape *out, inox_error *err);
    inox_status (*type)(const ix_tensor *t, ix_type *out, inox_error *err);
} rules;

static const rules RULES[IX_OP_COUNT] = {
#define IX_OP(name, text, least, most, attributes, shape, type, gradient, meaning)                 \
    [IX_OP_##name] = { shape_##shape, type_##type },
#include "ir/ops.def"
#undef IX_OP
};

/* Rows of blocks are whole blocks, and a weight has all its bytes. */
static inox_status check_storage(const ix_tensor *t, ix_type type, const ix_shape *s,
                                 inox_error *err)
{
    const ix_type_info *info = ix_type_of(type);
    ix_dim last = s->dims[s->rank - 1];
    int64_t n;
    uint64_t bytes;

    if (info->block_elements > 1 &&
        (ix_dim_is_symbol(last) || last.value % info->block_elements != 0))
        return misfit_own(t, "a row is not whole blocks of its type", err);
    if (t->op != IX_OP_WEIGHT)
        return INOX_OK;
    for (int32_t i = 0; i < s->rank; i++)
        if (ix_dim_is_symbol(s->dims[i]))
            return misfit_own(t, "a weight has a fixed size", err);
    if (!fixed_elements(t, &n))
        return misfit_own(t, "more than 2^63 elements", err);
    IX_TRY(ix_tensor_bytes(type, (uint64_t)last.value, (uint64_t)(n / last.value), &bytes, err));
    if (t->data != NULL && t->data_bytes < bytes) {
        char text[IX_TENSOR_TEXT];
        ix_tensor_text(t, text);
        return ix_fail(err, INOX_E_FORMAT, "weight: %s needs %llu bytes, but has %llu", text,
                       (unsigned long long)bytes, (unsigned long long)t->data_bytes);
    }
    return INOX_OK;
}

inox_status ix_infer(const ix_tensor *t, ix_type *type, ix_shape *shape, inox_error *err)
{
    if ((unsigned)t->op >= IX_OP_COUNT)
        return ix_fail(err, INOX_E_INTERNAL, "unknown operator number %d", (int)t->op);
    const ix_op_info *info = ix_op_of(t->op);
    if (t->arg_count < info->least_args || t->arg_count > info->most_args)
        return ix_fail(err, INOX_E_INTERNAL, "%s: %d arguments; it takes %d to %d", info->name,
                       t->arg_count, info->least_args, info->most_args);
    for (int32_t i = 0; i < t->arg_count; i++) {
        ix_op of = t->args[i]->op;
        bool is_cache = of == IX_OP_STATE || of == IX_OP_CACHE_STORE;
        bool may = (t->op == IX_OP_CACHE_STORE && i == 0) || (t->op == IX_OP_ATTENTION && i == 1);
        if (is_cache && !may)
            return misfit(t, "a cache can only be stored into or attended to", i, -1, err);
    }
    IX_TRY(check_attrs(t, err));
    IX_TRY(RULES[t->op].type(t, type, err));
    IX_TRY(RULES[t->op].shape(t, shape, err));
    return check_storage(t, *type, shape, err);
}
