/* The graph: tensors that know how they are computed.
 *
 * A graph is a list of tensors in an order in which every argument stands before its user.  A
 * tensor is a leaf (input, weight, state) or the result of one operator of ops.def.  Shapes are
 * row-major: the last dimension is contiguous.  A dimension is a number or a symbol (tokens, rows,
 * ...) bound at run time.
 *
 * Builder functions never fail loudly: the first error is kept in the graph and every later call
 * returns NULL at once; ix_graph_finish reports it.  So an architecture reads like its figure.
 *
 * A graph owns its memory (one arena) but not the bytes of its weights.
 */
#ifndef IX_IR_GRAPH_H
#define IX_IR_GRAPH_H

#include "base/alloc.h"
#include "base/limits.h"
#include "num/types.h"

#include <stdbool.h>

typedef enum ix_op {
#define IX_OP(name, text, least, most, attributes, shape, type, gradient, meaning) IX_OP_##name,
#include "ir/ops.def"
#undef IX_OP
    IX_OP_COUNT
} ix_op;

#define IX_MAX_ARGS 6

/* A dimension: value >= 0 is a number; value < 0 is symbol number -1 - value. */
typedef struct ix_dim {
    int64_t value;
} ix_dim;
static inline ix_dim ix_size(int64_t n)
{
    return (ix_dim){ n };
}

/* The symbols that graphs of this project use.  Their order is the order of ix_symbols.value. */
typedef enum ix_symbol {
    IX_TOKENS,         /* rows computed in this step */
    IX_ROWS,           /* rows whose logits are wanted */
    IX_SEQUENCES,      /* rows of the page table */
    IX_SEQUENCE_PAGES, /* columns of the page table */
    IX_CACHE_PAGES,    /* pages that the cache has */
    IX_SYMBOL_COUNT
} ix_symbol;
static inline ix_dim ix_sym(ix_symbol s)
{
    return (ix_dim){ -1 - (int64_t)s };
}
static inline bool ix_dim_is_symbol(ix_dim d)
{
    return d.value < 0;
}
const char *ix_symbol_name(ix_symbol s);

typedef struct ix_symbols {
    int64_t value[IX_SYMBOL_COUNT];
} ix_symbols;
/* The number that a dimension has under these bindings. */
static inline int64_t ix_dim_value(ix_dim d, const ix_symbols *s)
{
    return d.value >= 0 ? d.value : s->value[-1 - d.value];
}

typedef union ix_attrs {
    struct {
        float value;
    } scalar;
    struct {
        float eps;
    } norm;
    /* frequencies base^(-2i/dims) / factor / factors[i] (third argument, a weight); the first
     * `dims` of each head are rotated.  interleaved: pairs (2i, 2i+1), else (i, i + dims/2). */
    struct {
        double base, factor;
        int32_t dims;
        bool interleaved;
    } rope;
    /* scale: usually 1 / sqrt(head_dim).  softcap 0: none.  window 0: all earlier keys, else only
     * the last `window`. */
    struct {
        double scale;
        float softcap;
        int64_t window;
        int64_t kv_heads, head_dim, value_dim;
    } attention;
    /* what a cache holds per position: of a state and of every store into it */
    struct {
        int64_t kv_heads, head_dim, value_dim;
    } cache;
    /* which of the optional arguments are there, in this order */
    struct {
        bool bias, residual;
    } linear;
} ix_attrs;

typedef struct ix_tensor {
    int32_t id; /* index in the graph */
    ix_op op;
    ix_type type;
    int32_t rank;
    ix_dim dims[IX_MAX_RANK];
    struct ix_tensor *args[IX_MAX_ARGS];
    int32_t arg_count;
    ix_attrs attrs;
    const char *name; /* leaves: their name; results: "" or a name for the reader */
    /* weights */
    const void *data;
    uint64_t data_bytes;
    const struct ix_map *map; /* what data lies in, for advice to the system; NULL: none */
} ix_tensor;

typedef struct ix_graph {
    ix_arena arena;
    ix_tensor **tensors;
    int32_t count, capacity;
    ix_tensor *output; /* what a run computes */
    inox_error error;  /* first error of a builder call; code 0: none */
} ix_graph;

inox_status ix_graph_new(ix_graph **out, inox_error *err) IX_MUST_USE;
void ix_graph_free(ix_graph *g);
/* Sets the output (float32), reports the first error of the building, verifies everything. */
inox_status ix_graph_finish(ix_graph *g, ix_tensor *output, inox_error *err) IX_MUST_USE;
/* Every rule of ops.def holds: arity, order, shapes, types, attributes. */
inox_status ix_graph_verify(const ix_graph *g, inox_error *err) IX_MUST_USE;

/* ---- builder (build.c): leaves */
ix_tensor *ix_input(ix_graph *g, const char *name, ix_type type, int32_t rank, const ix_dim *dims);
ix_tensor *ix_weight(ix_graph *g, const char *name, ix_type type, int32_t rank, const ix_dim *dims,
                     const void *data, uint64_t data_bytes, const struct ix_map *map);
/* Cache of one layer: pages of [kv_heads][head_dim][128] for K and then [kv_heads][128][value_dim]
 * for V (num/attention). dims: [IX_CACHE_PAGES, kv_heads, head_dim + value_dim, 128]. */
ix_tensor *ix_cache(ix_graph *g, const char *name, ix_type type, int64_t kv_heads, int64_t head_dim,
                    int64_t value_dim);

/* primitives */
ix_tensor *ix_binary(ix_graph *g, ix_op op, ix_tensor *a, ix_tensor *b);
ix_tensor *ix_unary(ix_graph *g, ix_op op, ix_tensor *x);
ix_tensor *ix_scalar(ix_graph *g, ix_op op, ix_tensor *x, float s);
ix_tensor *ix_add(ix_graph *g, ix_tensor *a, ix_tensor *b);
ix_tensor *ix_mul(ix_graph *g, ix_tensor *a, ix_tensor *b);
ix_tensor *ix_reshape(ix_graph *g, ix_tensor *x, int32_t rank, const ix_dim *dims);
ix_tensor *ix_gather(ix_graph *g, ix_tensor *table, ix_tensor *ids);
ix_tensor *ix_matmul(ix_graph *g, ix_tensor *x, ix_tensor *w);
ix_tensor *ix_rope(ix_graph *g, ix_tensor *x, ix_tensor *positions, ix_tensor *factors, double base,
                   double factor, int32_t dims, bool interleaved);
/* Where the rows of a step stand: input tensors shared by all layers. */
typedef struct ix_step_inputs {
    ix_tensor *tokens;    /* int32 [IX_TOKENS] */
    ix_tensor *positions; /* int32 [IX_TOKENS] */
    ix_tensor *sequence;  /* int32 [IX_TOKENS]: row of the page table */
    ix_tensor *pages;     /* int32 [IX_SEQUENCES, IX_SEQUENCE_PAGES] */
    ix_tensor *rows;      /* int32 [IX_ROWS]: rows whose logits are wanted */
} ix_step_inputs;
ix_step_inputs ix_step_inputs_of(ix_graph *g); /* makes the five inputs */
ix_tensor *ix_cache_store(ix_graph *g, ix_tensor *cache, ix_tensor *k, ix_tensor *v,
                          const ix_step_inputs *step);
ix_tensor *ix_attention(ix_graph *g, ix_tensor *q, ix_tensor *cache, const ix_step_inputs *step,
                        ix_tensor *sinks, double scale, float softcap, int64_t window);

/* compositions of primitives (compose.c) */
ix_tensor *ix_rms_norm(ix_graph *g, ix_tensor *x, ix_tensor *w, float eps);
ix_tensor *ix_build_silu(ix_graph *g, ix_tensor *x); /* x / (exp(-x) + 1) */
ix_tensor *ix_swiglu(ix_graph *g, ix_tensor *gate, ix_tensor *up); /* silu(gate) * up */

/* For passes: adds a tensor with this operator; shape and type by the rules.  Leaves and reshapes
 * have functions of their own.  attrs NULL: all zero. */
ix_tensor *ix_emit(ix_graph *g, ix_op op, int32_t arg_count, ix_tensor *const *args,
                   const ix_attrs *attrs);

/* ---- what the table says */
typedef struct ix_op_info {
    const char *name, *meaning;
    int32_t least_args, most_args;
    bool fused;
} ix_op_info;
const ix_op_info *ix_op_of(ix_op op);

/* Elements of a tensor under bindings; -1 on overflow. */
int64_t ix_tensor_elements(const ix_tensor *x, const ix_symbols *s);

/* ---- printing (print.c): appended to a buffer */
inox_status ix_graph_print(const ix_graph *g, ix_buffer *out, inox_error *err) IX_MUST_USE;
inox_status ix_graph_print_svg(const ix_graph *g, ix_buffer *out, inox_error *err) IX_MUST_USE;

/* ---- running (interpret.c): slow, plain, the definition.  Every tensor is kept until the end. */
typedef struct ix_binding {
    const ix_tensor *tensor; /* an input or a state */
    void *data;
} ix_binding;
/* out: the output's elements, float32. */
inox_status ix_graph_interpret(const ix_graph *g, const ix_symbols *symbols,
                               const ix_binding *bindings, int32_t count, float *out,
                               inox_error *err) IX_MUST_USE;

#endif
