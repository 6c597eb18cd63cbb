/* Operators that work row by row: one worker takes a tile of rows through all of a row step.
 *
 * A row is everything behind the first dimension.  Functions come from num/rows where there is one;
 * what has no vector version yet runs through the scalar definitions.
 */
#include "back/cpu/plan.h"

#include "num/dequant/dequant.h"
#include "num/scalar/scalar.h"

#include <string.h>

int64_t ix_rows_of(const ix_plan *p, const ix_tensor *x)
{
    return ix_dim_value(x->dims[0], p->symbols);
}

int64_t ix_row_elements(const ix_tensor *x)
{
    int64_t n = 1;
    for (int i = 1; i < x->rank; i++)
        n *= x->dims[i].value;
    return n;
}

/* The float rows of x from row0 on. */
static float *rows_at(const ix_plan *p, const ix_tensor *x, int64_t row0)
{
    return (float *)ix_tensor_at(p, x) + row0 * ix_row_elements(x);
}

static int64_t last_dim(const ix_tensor *x)
{
    return x->dims[x->rank - 1].value;
}

static void gather(ix_plan *p, const ix_tensor *x, int64_t row0, int64_t row1)
{
    const ix_tensor *table = x->args[0];
    const ix_type_info *t = ix_type_of(table->type);
    const int32_t *ids = ix_tensor_at(p, x->args[1]);
    int64_t n = ix_row_elements(x);
    size_t row_bytes = (size_t)(n / t->block_elements) * t->block_bytes;
    const uint8_t *rows = ix_tensor_at(p, table);
    float *y = rows_at(p, x, row0);
    for (int64_t r = row0; r < row1; r++, y += n)
        ix_dequantize_row(table->type, rows + (size_t)ids[r] * row_bytes, n, y);
    ix_table_was_read(p, table, row1 - row0);
}

static float binary_one(ix_op op, float a, float b)
{
    switch (op) {
    case IX_OP_ADD: return ix_canonical(a + b);
    case IX_OP_SUB: return ix_canonical(a - b);
    case IX_OP_MUL: return ix_canonical(a * b);
    default: return ix_canonical(a / b);
    }
}

static void binary_vector(const ix_plan *p, ix_op op, const float *a, const float *b, int64_t n,
                          float *y)
{
    if (op == IX_OP_ADD)
        p->row->add(a, b, n, y);
    else if (op == IX_OP_SUB)
        p->row->sub(a, b, n, y);
    else if (op == IX_OP_MUL)
        p->row->mul(a, b, n, y);
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = binary_one(op, a[i], b[i]);
}

/* Where the vector (row, inner) of the result finds its operand b, whose missing dimensions and
 * dimensions of 1 repeat. */
static int64_t broadcast_offset(const ix_plan *p, const ix_tensor *x, const ix_tensor *b,
                                int64_t row, int64_t inner)
{
    int64_t offset = 0, stride = last_dim(b);
    for (int i = x->rank - 2; i >= 0; i--) {
        int64_t size = i == 0 ? ix_dim_value(x->dims[0], p->symbols) : x->dims[i].value;
        int64_t at = i == 0 ? row : inner % size;
        if (i > 0)
            inner /= size;
        int j = i - (x->rank - b->rank);
        if (j < 0)
            continue;
        int64_t b_size = ix_dim_value(b->dims[j], p->symbols);
        if (b_size != 1)
            offset += at * stride;
        stride *= b_size;
    }
    return offset;
}

static void binary(const ix_plan *p, const ix_tensor *x, int64_t row0, int64_t row1)
{
    const ix_tensor *a = x->args[0], *b = x->args[1];
    int64_t per_row = ix_row_elements(x);
    const float *b_all = ix_tensor_at(p, b);
    float *y = rows_at(p, x, row0);
    const float *av = rows_at(p, a, row0);
    if (b->rank == x->rank && b->dims[0].value == x->dims[0].value &&
        ix_row_elements(b) == per_row) {
        binary_vector(p, x->op, av, b_all + row0 * per_row, (row1 - row0) * per_row, y);
        return;
    }
    if (x->rank == 1) { /* a vector and one number */
        for (int64_t i = 0; i < row1 - row0; i++)
            y[i] = binary_one(x->op, av[i], b_all[0]);
        return;
    }
    int64_t n = last_dim(x), vectors = per_row / n;
    for (int64_t r = row0; r < row1; r++) {
        for (int64_t i = 0; i < vectors; i++, av += n, y += n) {
            const float *bv = b_all + broadcast_offset(p, x, b, r, i);
            if (last_dim(b) == n) {
                binary_vector(p, x->op, av, bv, n, y);
            } else {
                for (int64_t j = 0; j < n; j++)
                    y[j] = binary_one(x->op, av[j], bv[0]);
            }
        }
    }
}

static float unary_one(const ix_tensor *x, float v)
{
    switch (x->op) {
    case IX_OP_ADD_SCALAR: return v + x->attrs.scalar.value;
    case IX_OP_MUL_SCALAR: return v * x->attrs.scalar.value;
    case IX_OP_DIV_SCALAR: return v / x->attrs.scalar.value;
    case IX_OP_NEG: return -v;
    case IX_OP_RECIP: return 1.0f / v;
    case IX_OP_SQRT: return ix_sqrt(v);
    default: return ix_erf(v);
    }
}

static void unary(const ix_plan *p, const ix_tensor *x, int64_t row0, int64_t row1)
{
    int64_t n = (row1 - row0) * ix_row_elements(x);
    const float *in = rows_at(p, x->args[0], row0);
    float *y = rows_at(p, x, row0);
    switch (x->op) {
    case IX_OP_EXP: p->row->exp(in, n, y); return;
    case IX_OP_TANH: p->row->tanh(in, n, y); return;
    case IX_OP_SILU: p->row->silu(in, n, y); return;
    case IX_OP_SWIGLU: p->row->swiglu(in, rows_at(p, x->args[1], row0), n, y); return;
    default:
        for (int64_t i = 0; i < n; i++)
            y[i] = ix_canonical(unary_one(x, in[i]));
    }
}

/* Sums and norms: every vector of the last dimension by itself. */
static void by_vector(const ix_plan *p, const ix_tensor *x, int64_t row0, int64_t row1)
{
    const ix_tensor *a = x->args[0];
    int64_t n = last_dim(a), vectors = (row1 - row0) * ix_row_elements(a) / n;
    const float *in = rows_at(p, a, row0);
    const float *w =
        x->op == IX_OP_RMS_NORM && x->arg_count > 1 ? ix_tensor_at(p, x->args[1]) : NULL;
    float *y = rows_at(p, x, row0);
    for (int64_t i = 0; i < vectors; i++) {
        if (x->op == IX_OP_SUM)
            y[i] = p->row->sum(in + i * n, n);
        else if (x->op == IX_OP_SUM_SQUARES)
            y[i] = p->row->sum_squares(in + i * n, n);
        else
            p->row->rms_norm(in + i * n, w, x->attrs.norm.eps, n, y + i * n);
    }
}

static void rope(const ix_plan *p, const ix_row_op *op, int64_t row0, int64_t row1)
{
    const ix_tensor *x = op->x;
    const ix_angles *a = &p->angles[op->index];
    const float *angles = (const float *)ix_value_at(p, &a->value) + row0 * 2 * a->half;
    int64_t heads = x->dims[1].value, n = x->dims[2].value;
    const float *in = rows_at(p, x->args[0], row0);
    float *y = rows_at(p, x, row0);
    for (int64_t r = row0; r < row1; r++) {
        p->row->rope(in, angles, angles + a->half, a->half, x->attrs.rope.interleaved, heads, n, y);
        angles += 2 * a->half;
        in += heads * n;
        y += heads * n;
    }
}

static void fill_angles(const ix_plan *p, const ix_row_op *op, int64_t row0, int64_t row1)
{
    const ix_angles *a = &p->angles[op->index];
    const int32_t *position = ix_tensor_at(p, op->x->args[1]);
    float *y = (float *)ix_value_at(p, &a->value) + row0 * 2 * a->half;
    for (int64_t r = row0; r < row1; r++, y += 2 * a->half) {
        for (int64_t i = 0; i < a->half; i++)
            ix_sincos((float)position[r] * a->frequencies[i], &y[a->half + i], &y[i]);
    }
}

static void store(const ix_plan *p, const ix_tensor *x, int64_t row0, int64_t row1)
{
    const ix_tensor *cache = x->args[0], *k = x->args[1], *v = x->args[2], *pages = x->args[5];
    size_t element = ix_type_of(cache->type)->block_bytes;
    ix_cache_view c = { .type = cache->type,
                        .kv_heads = k->dims[1].value,
                        .head_dim = k->dims[2].value,
                        .value_dim = v->dims[2].value };
    c.k = ix_tensor_at(p, cache);
    c.v = c.k + (size_t)(c.kv_heads * c.head_dim * IX_PAGE) * element;
    c.k_page_bytes = c.v_page_bytes =
        (size_t)(c.kv_heads * (c.head_dim + c.value_dim) * IX_PAGE) * element;
    c.page_table = ix_tensor_at(p, pages);
    c.page_table_stride = ix_dim_value(pages->dims[1], p->symbols);
    const int32_t *position = ix_tensor_at(p, x->args[3]), *sequence = ix_tensor_at(p, x->args[4]);
    const float *kr = rows_at(p, k, row0), *vr = rows_at(p, v, row0);
    for (int64_t r = row0, n; r < row1; r += n) {
        for (n = 1; r + n < row1; n++) { /* as many as follow each other in the sequence */
            if (sequence[r + n] != sequence[r] || position[r + n] != position[r] + n)
                break;
        }
        p->attention->store(&c, kr, vr, sequence[r], position[r], n);
        kr += n * ix_row_elements(k);
        vr += n * ix_row_elements(v);
    }
}

static void run_tensor(ix_plan *p, const ix_row_op *op, int64_t row0, int64_t row1)
{
    switch (op->x->op) {
    case IX_OP_GATHER: gather(p, op->x, row0, row1); break;
    case IX_OP_ADD:
    case IX_OP_SUB:
    case IX_OP_MUL:
    case IX_OP_DIV: binary(p, op->x, row0, row1); break;
    case IX_OP_SUM:
    case IX_OP_SUM_SQUARES:
    case IX_OP_RMS_NORM: by_vector(p, op->x, row0, row1); break;
    case IX_OP_ROPE: rope(p, op, row0, row1); break;
    case IX_OP_CACHE_STORE: store(p, op->x, row0, row1); break;
    default: unary(p, op->x, row0, row1); break;
    }
}

static void pack(const ix_plan *p, const ix_row_op *op, int64_t row0, int64_t row1)
{
    const ix_pack *k = &p->packs[op->index];
    int64_t each = ix_row_elements(k->x) / k->depth; /* rows of the product in a row of x */
    k->kernel->pack_acts(ix_tensor_at(p, k->x), k->depth, ix_rows_of(p, k->x) * each, row0 * each,
                         row1 * each, k->depth, ix_value_at(p, &k->value));
}

void ix_run_rows(ix_plan *p, const ix_step *s, int64_t row0, int64_t row1)
{
    for (int32_t i = s->first_op; i < s->first_op + s->op_count; i++) {
        const ix_row_op *op = &p->row_ops[i];
        if (op->kind == IX_ROW_TENSOR)
            run_tensor(p, op, row0, row1);
        else if (op->kind == IX_ROW_PACK)
            pack(p, op, row0, row1);
        else
            fill_angles(p, op, row0, row1);
    }
}
