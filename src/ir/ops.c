/* What the table ops.def says, and the names and sizes that go with it. */
#include "ir/rules.h"

#include <stdio.h>

typedef struct op_row {
    ix_op_info info;
    ix_attr_kind attributes;
} op_row;

static const op_row OPS[IX_OP_COUNT] = {
#define IX_OP(name, text, least, most, attributes, shape, type, gradient, meaning)                 \
    [IX_OP_##name] = { { text, meaning, least, most, false }, IX_ATTR_##attributes },
#define IX_FUSED(name, text, least, most, attributes, shape, type, gradient, meaning)              \
    [IX_OP_##name] = { { text, meaning, least, most, true }, IX_ATTR_##attributes },
#include "ir/ops.def"
#undef IX_OP
#undef IX_FUSED
};

static const char *const SYMBOLS[IX_SYMBOL_COUNT] = {
    [IX_TOKENS] = "tokens",           [IX_ROWS] = "rows",
    [IX_SEQUENCES] = "sequences",     [IX_SEQUENCE_PAGES] = "sequence_pages",
    [IX_CACHE_PAGES] = "cache_pages",
};

const ix_op_info *ix_op_of(ix_op op)
{
    return &OPS[op].info;
}

ix_attr_kind ix_op_attr_kind(ix_op op)
{
    return OPS[op].attributes;
}

const char *ix_symbol_name(ix_symbol s)
{
    return SYMBOLS[s];
}

bool ix_dim_is_valid(ix_dim d)
{
    return d.value >= -(int64_t)IX_SYMBOL_COUNT && d.value != 0 && d.value <= IX_MAX_DIM;
}

bool ix_same_shape(int32_t rank_a, const ix_dim *a, int32_t rank_b, const ix_dim *b)
{
    if (rank_a != rank_b)
        return false;
    for (int32_t i = 0; i < rank_a; i++)
        if (a[i].value != b[i].value)
            return false;
    return true;
}

int64_t ix_tensor_elements(const ix_tensor *x, const ix_symbols *s)
{
    int64_t n = 1;

    for (int32_t i = 0; i < x->rank; i++) {
        int64_t d = ix_dim_value(x->dims[i], s);
        if (d < 0 || __builtin_mul_overflow(n, d, &n))
            return -1;
    }
    return n;
}

void ix_shape_text(int32_t rank, const ix_dim *dims, char out[IX_SHAPE_TEXT])
{
    size_t at = 0;

    out[at++] = '[';
    for (int32_t i = 0; i < rank && i < IX_MAX_RANK; i++) {
        const char *comma = i > 0 ? ", " : "";
        int n;
        if (!ix_dim_is_symbol(dims[i]))
            n = snprintf(out + at, IX_SHAPE_TEXT - at, "%s%lld", comma, (long long)dims[i].value);
        else if (ix_dim_is_valid(dims[i]))
            n = snprintf(out + at, IX_SHAPE_TEXT - at, "%s%s", comma, SYMBOLS[-1 - dims[i].value]);
        else
            n = snprintf(out + at, IX_SHAPE_TEXT - at, "%s?", comma);
        at += (size_t)n;
    }
    snprintf(out + at, IX_SHAPE_TEXT - at, "]");
}

void ix_tensor_text(const ix_tensor *t, char out[IX_TENSOR_TEXT])
{
    char shape[IX_SHAPE_TEXT];

    ix_shape_text(t->rank, t->dims, shape);
    if (t->name != NULL && t->name[0] != '\0')
        snprintf(out, IX_TENSOR_TEXT, "'%.255s' %s %s", t->name, ix_type_of(t->type)->name, shape);
    else
        snprintf(out, IX_TENSOR_TEXT, "%%%d = %s %s %s", t->id, OPS[t->op].info.name,
                 ix_type_of(t->type)->name, shape);
}
