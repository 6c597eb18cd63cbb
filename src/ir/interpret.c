/* The reference interpreter: it runs any graph, primitive or fused, by reference functions only.
 *
 * Slow and plain: it defines what a graph means, and back ends are compared with it bit by bit. One
 * function run_<NAME> per row of ops.def.  Every tensor is kept until the end; a reshape shares the
 * memory of its operand, and a store into a cache that of the cache, which the caller bound.
 *
 * Invariant: what is stored as float32 holds no NaN but the one (C11).  Indices come from the
 * caller and are checked before use.  It does not know threads, instruction sets or packed weights.
 */
#include "base/thread.h"
#include "ir/graph.h"
#include "ir/rope_table.h"
#include "num/attention/attention.h"
#include "num/dequant/dequant.h"
#include "num/matmul/matmul.h"
#include "num/rows/rows.h"
#include "num/scalar/scalar.h"

#include <string.h>

typedef struct run {
    const ix_graph *graph;
    const ix_symbols *symbols;
    const ix_row_kernels *rows;
    void **values; /* by tensor id: its elements */
    ix_arena arena;
} run;

/* ---- values ---------------------------------------------------------------------------------- */

static const float *floats(const run *r, const ix_tensor *t)
{
    return r->values[t->id];
}

static const int32_t *integers(const run *r, const ix_tensor *t)
{
    return r->values[t->id];
}

static int64_t size_of(const run *r, const ix_tensor *t, int32_t dim)
{
    return ix_dim_value(t->dims[dim], r->symbols);
}

static int64_t last_of(const run *r, const ix_tensor *t)
{
    return size_of(r, t, t->rank - 1);
}

static int64_t elements_of(const run *r, const ix_tensor *t)
{
    return ix_tensor_elements(t, r->symbols);
}

/* Rows along the last dimension. */
static int64_t rows_of(const run *r, const ix_tensor *t)
{
    int64_t n = last_of(r, t);

    return n == 0 ? 0 : elements_of(r, t) / n;
}

/* Memory for the elements of a float32 result. */
static inox_status result(run *r, const ix_tensor *t, float **out, inox_error *err)
{
    *out = NULL;
    IX_TRY(IX_ARENA(&r->arena, out, (size_t)elements_of(r, t), err));
    r->values[t->id] = *out;
    return INOX_OK;
}

/* ---- leaves ---------------------------------------------------------------------------------- */

static inox_status run_INPUT(run *r, const ix_tensor *t, inox_error *err)
{
    if (r->values[t->id] == NULL && elements_of(r, t) > 0)
        return ix_fail(err, INOX_E_ARGUMENT, "%s '%s' is not bound to memory",
                       ix_op_of(t->op)->name, t->name);
    return INOX_OK;
}

static inox_status run_STATE(run *r, const ix_tensor *t, inox_error *err)
{
    return run_INPUT(r, t, err);
}

static inox_status run_WEIGHT(run *r, const ix_tensor *t, inox_error *err)
{
    if (t->data == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "weight '%s' has no data", t->name);
    r->values[t->id] = (void *)(uintptr_t)t->data;
    return INOX_OK;
}

/* ---- elementwise ----------------------------------------------------------------------------- */

static inox_status unary(run *r, const ix_tensor *t, float (*one)(float), inox_error *err)
{
    float *y;
    const float *x = floats(r, t->args[0]);

    IX_TRY(result(r, t, &y, err));
    for (int64_t i = 0, n = elements_of(r, t); i < n; i++)
        y[i] = ix_canonical(one(x[i]));
    return INOX_OK;
}

static inox_status scalar(run *r, const ix_tensor *t, float (*one)(float, float), inox_error *err)
{
    float *y;
    const float *x = floats(r, t->args[0]);

    IX_TRY(result(r, t, &y, err));
    for (int64_t i = 0, n = elements_of(r, t); i < n; i++)
        y[i] = ix_canonical(one(x[i], t->attrs.scalar.value));
    return INOX_OK;
}

/* Where the element of the second operand stands for element i of the first: dimensions of 1 and
 * missing ones do not count. */
static int64_t broadcast_place(const run *r, const ix_tensor *a, const ix_tensor *b, int64_t i)
{
    int64_t place = 0, stride = 1;

    for (int32_t k = 1; k <= b->rank; k++) {
        int64_t n = size_of(r, a, a->rank - k), m = size_of(r, b, b->rank - k);
        if (m != 1)
            place += i % n * stride;
        stride *= m;
        i /= n;
    }
    return place;
}

static inox_status binary(run *r, const ix_tensor *t, float (*one)(float, float), inox_error *err)
{
    float *y;
    const float *a = floats(r, t->args[0]), *b = floats(r, t->args[1]);

    IX_TRY(result(r, t, &y, err));
    for (int64_t i = 0, n = elements_of(r, t); i < n; i++)
        y[i] = ix_canonical(one(a[i], b[broadcast_place(r, t->args[0], t->args[1], i)]));
    return INOX_OK;
}

#define BINARY(NAME, kind, expression)                                                             \
    static float one_##NAME(float a, float b)                                                      \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    static inox_status run_##NAME(run *r, const ix_tensor *t, inox_error *err)                     \
    {                                                                                              \
        return kind(r, t, one_##NAME, err);                                                        \
    }
BINARY(ADD, binary, a + b)
BINARY(SUB, binary, a - b)
BINARY(MUL, binary, a *b)
BINARY(DIV, binary, a / b)
BINARY(ADD_SCALAR, scalar, a + b)
BINARY(MUL_SCALAR, scalar, a *b)
BINARY(DIV_SCALAR, scalar, a / b)

static float negated(float x)
{
    return -x;
}

static float reciprocal(float x)
{
    return 1.0f / x;
}

#define UNARY(NAME, function)                                                                      \
    static inox_status run_##NAME(run *r, const ix_tensor *t, inox_error *err)                     \
    {                                                                                              \
        return unary(r, t, function, err);                                                         \
    }
UNARY(NEG, negated)
UNARY(RECIP, reciprocal)
UNARY(SQRT, ix_sqrt)
UNARY(EXP, ix_exp)
UNARY(TANH, ix_tanh)
UNARY(ERF, ix_erf)
UNARY(SILU, ix_silu)

static inox_status run_SWIGLU(run *r, const ix_tensor *t, inox_error *err)
{
    float *y;

    IX_TRY(result(r, t, &y, err));
    r->rows->swiglu(floats(r, t->args[0]), floats(r, t->args[1]), elements_of(r, t), y);
    return INOX_OK;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static inox_status reduce(run *r, const ix_tensor *t, float (*sum)(const float *, int64_t),
                          inox_error *err)
{
    float *y;
    const float *x = floats(r, t->args[0]);
    int64_t n = last_of(r, t->args[0]);

    IX_TRY(result(r, t, &y, err));
    for (int64_t i = 0, rows = elements_of(r, t); i < rows; i++)
        y[i] = n == 0 ? 0.0f : ix_canonical(sum(x + i * n, n));
    return INOX_OK;
}

static inox_status run_SUM(run *r, const ix_tensor *t, inox_error *err)
{
    return reduce(r, t, r->rows->sum, err);
}

static inox_status run_SUM_SQUARES(run *r, const ix_tensor *t, inox_error *err)
{
    return reduce(r, t, r->rows->sum_squares, err);
}

static inox_status run_RMS_NORM(run *r, const ix_tensor *t, inox_error *err)
{
    float *y;
    const float *x = floats(r, t->args[0]);
    const float *w = t->arg_count > 1 ? floats(r, t->args[1]) : NULL;
    int64_t n = last_of(r, t);

    IX_TRY(result(r, t, &y, err));
    for (int64_t i = 0, rows = rows_of(r, t); i < rows; i++)
        r->rows->rms_norm(x + i * n, w, t->attrs.norm.eps, n, y + i * n);
    return INOX_OK;
}

/* ---- movement -------------------------------------------------------------------------------- */

static inox_status run_RESHAPE(run *r, const ix_tensor *t, inox_error *err)
{
    (void)err;
    r->values[t->id] = r->values[t->args[0]->id];
    return INOX_OK;
}

/* Every index of `ids` is below `limit`. */
static inox_status check_ids(const run *r, const ix_tensor *ids, int64_t limit, inox_error *err)
{
    const int32_t *v = integers(r, ids);

    for (int64_t i = 0, n = elements_of(r, ids); i < n; i++) {
        if (v[i] < 0 || v[i] >= limit)
            return ix_fail(
                err, INOX_E_ARGUMENT, "%s '%s': index %d at place %lld is not below %lld",
                ix_op_of(ids->op)->name, ids->name, v[i], (long long)i, (long long)limit);
    }
    return INOX_OK;
}

static inox_status run_GATHER(run *r, const ix_tensor *t, inox_error *err)
{
    const ix_tensor *table = t->args[0];
    const int32_t *ids = integers(r, t->args[1]);
    int64_t width = 1;
    uint64_t row_bytes;
    float *y;

    for (int32_t i = 1; i < table->rank; i++)
        width *= size_of(r, table, i);
    IX_TRY(check_ids(r, t->args[1], size_of(r, table, 0), err));
    IX_TRY(ix_tensor_bytes(table->type, (uint64_t)width, 1, &row_bytes, err));
    IX_TRY(result(r, t, &y, err));
    const uint8_t *rows = r->values[table->id];
    for (int64_t i = 0, n = elements_of(r, t->args[1]); i < n && width > 0; i++)
        ix_dequantize_row(table->type, rows + (uint64_t)ids[i] * row_bytes, width, y + i * width);
    return INOX_OK;
}

/* ---- products -------------------------------------------------------------------------------- */

static inox_status product(run *r, const ix_tensor *t, const float *bias, const float *residual,
                           inox_error *err)
{
    const ix_tensor *x = t->args[0], *w = t->args[1];
    const ix_matmul_kernel *kernel = ix_matmul_find(w->type, IX_ISA_REF, true);
    int64_t rows = rows_of(r, x), cols = size_of(r, w, 0), depth = size_of(r, w, 1);
    uint64_t row_bytes;
    void *acts = NULL, *scratch = NULL;
    float *y;

    if (kernel == NULL)
        return ix_fail(err, INOX_E_UNSUPPORTED, "no reference product for weights of type %s",
                       ix_type_of(w->type)->name);
    IX_TRY(ix_tensor_bytes(w->type, (uint64_t)depth, 1, &row_bytes, err));
    IX_TRY(result(r, t, &y, err));
    if (rows == 0)
        return INOX_OK;
    inox_status status = ix_alloc_aligned(kernel->acts_bytes(rows, depth), 64, &acts, err);
    if (status == INOX_OK && kernel->scratch_bytes != NULL)
        status = ix_alloc_aligned(kernel->scratch_bytes(depth), 64, &scratch, err);
    if (status == INOX_OK) {
        ix_matmul_job job = { .rows = rows,
                              .cols = cols,
                              .depth = depth,
                              .acts = acts,
                              .weights = r->values[w->id],
                              .weight_row_bytes = row_bytes,
                              .y = y,
                              .ldy = cols,
                              .bias = bias,
                              .residual = residual };
        kernel->pack_acts(floats(r, x), depth, rows, 0, rows, depth, acts);
        kernel->run(&job, 0, rows, 0, cols, scratch);
    }
    ix_free_aligned(acts);
    ix_free_aligned(scratch);
    return status;
}

static inox_status run_MATMUL(run *r, const ix_tensor *t, inox_error *err)
{
    return product(r, t, NULL, NULL, err);
}

static inox_status run_LINEAR(run *r, const ix_tensor *t, inox_error *err)
{
    const float *bias = NULL, *residual = NULL;
    int32_t next = 2;

    if (t->attrs.linear.bias)
        bias = floats(r, t->args[next++]);
    if (t->attrs.linear.residual)
        residual = floats(r, t->args[next]);
    return product(r, t, bias, residual, err);
}

/* ---- sequence -------------------------------------------------------------------------------- */

static inox_status run_ROPE(run *r, const ix_tensor *t, inox_error *err)
{
    const float *x = floats(r, t->args[0]);
    const int32_t *position = integers(r, t->args[1]);
    int64_t half = t->attrs.rope.dims / 2, heads = size_of(r, t, 1), n = size_of(r, t, 2);
    float *y, *table;

    IX_TRY(result(r, t, &y, err));
    IX_TRY(IX_ARENA(&r->arena, &table, (size_t)(3 * half), err));
    float *frequency = table, *cosine = table + half, *sine = table + 2 * half;
    IX_TRY(ix_rope_table(t, frequency, err));
    for (int64_t row = 0, rows = size_of(r, t, 0); row < rows; row++) {
        for (int64_t i = 0; i < half; i++)
            ix_sincos((float)position[row] * frequency[i], &sine[i], &cosine[i]);
        r->rows->rope(x + row * heads * n, cosine, sine, half, t->attrs.rope.interleaved, heads, n,
                      y + row * heads * n);
    }
    return INOX_OK;
}

/* Every page that rows at these places reach is a page of the cache.  args[first]: position,
 * sequence, pages. */
static inox_status check_places(const run *r, const ix_tensor *t, int32_t first, inox_error *err)
{
    const ix_tensor *pages = t->args[first + 2];
    const int32_t *position = integers(r, t->args[first]),
                  *sequence = integers(r, t->args[first + 1]);
    const int32_t *table = integers(r, pages);
    int64_t columns = size_of(r, pages, 1), limit = r->symbols->value[IX_CACHE_PAGES];

    IX_TRY(check_ids(r, t->args[first], columns * IX_PAGE, err));
    IX_TRY(check_ids(r, t->args[first + 1], size_of(r, pages, 0), err));
    for (int64_t i = 0, n = elements_of(r, t->args[first]); i < n; i++) {
        for (int64_t p = 0; p <= position[i] / IX_PAGE; p++) {
            int32_t page = table[sequence[i] * columns + p];
            if (page < 0 || page >= limit)
                return ix_fail(err, INOX_E_ARGUMENT,
                               "%s: page %lld of sequence %d is %d, but the cache has %lld pages",
                               ix_op_of(t->op)->name, (long long)p, sequence[i], page,
                               (long long)limit);
        }
    }
    return INOX_OK;
}

/* A page holds K and then V of its 128 positions. */
static ix_cache_view view_of(const run *r, const ix_tensor *cache, const ix_tensor *pages)
{
    ix_cache_view c = { .type = cache->type, .k = r->values[cache->id] };
    size_t element = ix_type_of(cache->type)->block_bytes;

    c.kv_heads = cache->attrs.cache.kv_heads;
    c.head_dim = cache->attrs.cache.head_dim;
    c.value_dim = cache->attrs.cache.value_dim;
    if (c.k != NULL)
        c.v = c.k + (size_t)(c.kv_heads * c.head_dim * IX_PAGE) * element;
    c.k_page_bytes = (size_t)(c.kv_heads * (c.head_dim + c.value_dim) * IX_PAGE) * element;
    c.v_page_bytes = c.k_page_bytes;
    c.page_table = integers(r, pages);
    c.page_table_stride = size_of(r, pages, 1);
    return c;
}

static inox_status run_CACHE_STORE(run *r, const ix_tensor *t, inox_error *err)
{
    const ix_tensor *k = t->args[1], *v = t->args[2];
    const int32_t *position = integers(r, t->args[3]), *sequence = integers(r, t->args[4]);
    ix_cache_view c = view_of(r, t->args[0], t->args[5]);

    IX_TRY(check_places(r, t, 3, err));
    r->values[t->id] = r->values[t->args[0]->id];
    for (int64_t i = 0, rows = size_of(r, k, 0); i < rows; i++)
        ix_attention_kernels_for(IX_ISA_REF)
            ->store(&c, floats(r, k) + i * c.kv_heads * c.head_dim,
                    floats(r, v) + i * c.kv_heads * c.value_dim, sequence[i], position[i], 1);
    return INOX_OK;
}

static inox_status run_ATTENTION(run *r, const ix_tensor *t, inox_error *err)
{
    const ix_attention_kernels *kernels = ix_attention_kernels_for(IX_ISA_REF);
    void *scratch = NULL;
    float *out;

    IX_TRY(check_places(r, t, 2, err));
    IX_TRY(result(r, t, &out, err));
    ix_attention_job job = { .cache = view_of(r, t->args[1], t->args[4]), .out = out };
    job.tokens = size_of(r, t, 0);
    job.heads = size_of(r, t, 1);
    job.q = floats(r, t->args[0]);
    job.position = integers(r, t->args[2]);
    job.sequence = integers(r, t->args[3]);
    job.sinks = t->arg_count > 5 ? floats(r, t->args[5]) : NULL;
    job.window = t->attrs.attention.window;
    job.scale = t->attrs.attention.scale;
    job.softcap = t->attrs.attention.softcap;
    if (job.tokens == 0)
        return INOX_OK;
    IX_TRY(ix_alloc_aligned(kernels->scratch_bytes(&job, job.tokens), 64, &scratch, err));
    kernels->run(&job, 0, job.tokens, 0, job.cache.kv_heads, scratch);
    ix_free_aligned(scratch);
    return INOX_OK;
}

/* ---- the graph ------------------------------------------------------------------------------- */

static inox_status (*const RUN[IX_OP_COUNT])(run *r, const ix_tensor *t, inox_error *err) = {
#define IX_OP(name, text, least, most, attributes, shape, type, gradient, meaning)                 \
    [IX_OP_##name] = run_##name,
#include "ir/ops.def"
#undef IX_OP
};

static inox_status check_symbols(const ix_symbols *s, inox_error *err)
{
    for (int i = 0; i < IX_SYMBOL_COUNT; i++)
        if (s->value[i] < 0 || s->value[i] > IX_MAX_DIM)
            return ix_fail(err, INOX_E_ARGUMENT, "%s is bound to %lld",
                           ix_symbol_name((ix_symbol)i), (long long)s->value[i]);
    return INOX_OK;
}

static inox_status bind(run *r, const ix_binding *bindings, int32_t count, inox_error *err)
{
    const ix_graph *g = r->graph;

    for (int32_t i = 0; i < count; i++) {
        const ix_tensor *t = bindings[i].tensor;
        if (t == NULL || t->id < 0 || t->id >= g->count || g->tensors[t->id] != t ||
            (t->op != IX_OP_INPUT && t->op != IX_OP_STATE))
            return ix_fail(err, INOX_E_ARGUMENT,
                           "binding %d is not for an input or a state of this graph", i);
        r->values[t->id] = bindings[i].data;
    }
    return INOX_OK;
}

static inox_status run_all(run *r, float *out, inox_error *err)
{
    const ix_graph *g = r->graph;

    for (int32_t i = 0; i < g->count; i++) {
        const ix_tensor *t = g->tensors[i];
        if (elements_of(r, t) < 0)
            return ix_fail(err, INOX_E_LIMIT, "tensor %%%d (%s) has more than 2^63 elements", i,
                           ix_op_of(t->op)->name);
        IX_TRY(RUN[t->op](r, t, err));
    }
    const float *y = floats(r, g->output);
    for (int64_t i = 0, n = elements_of(r, g->output); i < n; i++)
        out[i] = ix_canonical(y[i]);
    return INOX_OK;
}

inox_status ix_graph_interpret(const ix_graph *g, const ix_symbols *symbols,
                               const ix_binding *bindings, int32_t count, float *out,
                               inox_error *err)
{
    run r = { .graph = g, .symbols = symbols, .rows = ix_row_kernels_for(IX_ISA_REF) };
    ix_fpenv environment = ix_fpenv_enter();
    inox_status status = ix_graph_verify(g, err);

    if (status == INOX_OK)
        status = check_symbols(symbols, err);
    if (status == INOX_OK)
        status = IX_ALLOC(&r.values, (size_t)g->count, err);
    if (status == INOX_OK)
        status = bind(&r, bindings, count, err);
    if (status == INOX_OK)
        status = run_all(&r, out, err);
    ix_arena_release(&r.arena);
    ix_free(r.values);
    ix_fpenv_leave(environment);
    return status;
}
