/* Builder: tensors are appended one by one, each checked by the rules of ops.def as it comes.
 *
 * Invariant: an argument stands before its user, and every tensor in the list has passed ix_infer.
 * The first error stays in the graph; every call after it returns NULL and does nothing.
 */
#include "ir/rules.h"
#include "num/attention/attention.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAPACITY 256

/* ---- the graph ------------------------------------------------------------------------------- */

inox_status ix_graph_new(ix_graph **out, inox_error *err)
{
    return IX_ALLOC(out, 1, err);
}

void ix_graph_free(ix_graph *g)
{
    if (g == NULL)
        return;
    ix_arena_release(&g->arena);
    ix_free(g->tensors);
    ix_free(g);
}

inox_status ix_graph_finish(ix_graph *g, ix_tensor *output, inox_error *err)
{
    if (g->error.code == INOX_OK && output == NULL)
        return ix_fail(err, INOX_E_INTERNAL, "the graph has no output");
    if (g->error.code != INOX_OK) {
        if (err != NULL)
            *err = g->error;
        return g->error.code;
    }
    g->output = output;
    return ix_graph_verify(g, err);
}

/* ---- appending ------------------------------------------------------------------------------- */

IX_PRINTF(3, 4) static ix_tensor *fail(ix_graph *g, inox_status code, const char *format, ...)
{
    char message[sizeof g->error.message];
    va_list list;

    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    (void)ix_fail(&g->error, code, "%s", message);
    return NULL;
}

static inox_status make_room(ix_graph *g)
{
    if (g->count >= IX_MAX_GRAPH_NODES)
        return ix_fail(&g->error, INOX_E_LIMIT, "the graph has more than %d tensors",
                       IX_MAX_GRAPH_NODES);
    if (g->count < g->capacity)
        return INOX_OK;
    int32_t capacity = g->capacity == 0 ? FIRST_CAPACITY : 2 * g->capacity;
    IX_TRY(IX_REALLOC(&g->tensors, (size_t)capacity, &g->error));
    g->capacity = capacity;
    return INOX_OK;
}

static bool args_are_ours(ix_graph *g, const ix_tensor *t)
{
    for (int32_t i = 0; i < t->arg_count; i++) {
        const ix_tensor *a = t->args[i];
        if (a == NULL || a->id < 0 || a->id >= g->count || g->tensors[a->id] != a) {
            fail(g, INOX_E_INTERNAL, "%s: argument %d is %s", ix_op_of(t->op)->name, i + 1,
                 a == NULL ? "missing" : "of another graph");
            return false;
        }
    }
    return true;
}

/* Checks the tensor that `t` describes and puts a copy at the end of the graph. */
static ix_tensor *append(ix_graph *g, const ix_tensor *t)
{
    ix_tensor *made;
    ix_type type;
    ix_shape shape;

    if (!args_are_ours(g, t) || ix_infer(t, &type, &shape, &g->error) != INOX_OK ||
        make_room(g) != INOX_OK || IX_ARENA(&g->arena, &made, 1, &g->error) != INOX_OK)
        return NULL;
    *made = *t;
    made->id = g->count;
    made->type = type;
    made->rank = shape.rank;
    memcpy(made->dims, shape.dims, sizeof made->dims);
    if (made->name == NULL)
        made->name = "";
    g->tensors[g->count++] = made;
    return made;
}

static ix_tensor *emit(ix_graph *g, ix_op op, int32_t count, ix_tensor *const *args,
                       const ix_attrs *attrs)
{
    ix_tensor t = { .op = op, .arg_count = count };

    if (g->error.code != INOX_OK)
        return NULL;
    if ((unsigned)op >= IX_OP_COUNT || count < 0 || count > IX_MAX_ARGS)
        return fail(g, INOX_E_INTERNAL, "operator number %d with %d arguments", (int)op, count);
    for (int32_t i = 0; i < count; i++)
        t.args[i] = args[i];
    if (attrs != NULL)
        t.attrs = *attrs;
    return append(g, &t);
}

ix_tensor *ix_emit(ix_graph *g, ix_op op, int32_t arg_count, ix_tensor *const *args,
                   const ix_attrs *attrs)
{
    if (g->error.code == INOX_OK && (op <= IX_OP_STATE || op == IX_OP_RESHAPE))
        return fail(g, INOX_E_INTERNAL, "operator number %d has a builder function of its own",
                    (int)op);
    return emit(g, op, arg_count, args, attrs);
}

/* ---- leaves ---------------------------------------------------------------------------------- */

/* Finishes a leaf: its name and its dimensions. */
static ix_tensor *leaf(ix_graph *g, ix_tensor *t, const char *name, int32_t rank,
                       const ix_dim *dims)
{
    char *copy = NULL;

    if (g->error.code != INOX_OK)
        return NULL;
    const char *op = ix_op_of(t->op)->name;
    if (name == NULL || name[0] == '\0')
        return fail(g, INOX_E_INTERNAL, "%s: it has no name", op);
    size_t length = strlen(name);
    if (length > IX_MAX_TENSOR_NAME)
        return fail(g, INOX_E_LIMIT, "%s: a name of %zu bytes; at most %d", op, length,
                    IX_MAX_TENSOR_NAME);
    if (rank < 1 || rank > IX_MAX_RANK)
        return fail(g, INOX_E_LIMIT, "%s '%s': %d dimensions; there must be 1 to %d", op, name,
                    rank, IX_MAX_RANK);
    if ((unsigned)t->type >= IX_TYPE_COUNT)
        return fail(g, INOX_E_INTERNAL, "%s '%s': unknown type number %d", op, name, (int)t->type);
    if (ix_arena_strndup(&g->arena, name, length, &copy, &g->error) != INOX_OK)
        return NULL;
    t->name = copy;
    t->rank = rank;
    memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
    return append(g, t);
}

ix_tensor *ix_input(ix_graph *g, const char *name, ix_type type, int32_t rank, const ix_dim *dims)
{
    ix_tensor t = { .op = IX_OP_INPUT, .type = type };

    return leaf(g, &t, name, rank, dims);
}

ix_tensor *ix_weight(ix_graph *g, const char *name, ix_type type, int32_t rank, const ix_dim *dims,
                     const void *data, uint64_t data_bytes, const struct ix_map *map)
{
    ix_tensor t = {
        .op = IX_OP_WEIGHT, .type = type, .data = data, .data_bytes = data_bytes, .map = map
    };

    return leaf(g, &t, name, rank, dims);
}

ix_tensor *ix_cache(ix_graph *g, const char *name, ix_type type, int64_t kv_heads, int64_t head_dim,
                    int64_t value_dim)
{
    ix_tensor t = { .op = IX_OP_STATE, .type = type };
    /* A sum of hostile numbers could overflow; the rule for caches refuses both out of bounds. */
    bool sane = head_dim > 0 && head_dim <= IX_MAX_HEAD_DIM && value_dim > 0 &&
                value_dim <= IX_MAX_HEAD_DIM;
    ix_dim dims[4] = { ix_sym(IX_CACHE_PAGES), ix_size(kv_heads),
                       ix_size(sane ? head_dim + value_dim : 1), ix_size(IX_PAGE) };

    t.attrs.cache.kv_heads = kv_heads;
    t.attrs.cache.head_dim = head_dim;
    t.attrs.cache.value_dim = value_dim;
    return leaf(g, &t, name, 4, dims);
}

ix_step_inputs ix_step_inputs_of(ix_graph *g)
{
    const ix_dim tokens[1] = { ix_sym(IX_TOKENS) };
    const ix_dim rows[1] = { ix_sym(IX_ROWS) };
    const ix_dim pages[2] = { ix_sym(IX_SEQUENCES), ix_sym(IX_SEQUENCE_PAGES) };
    ix_step_inputs s;

    s.tokens = ix_input(g, "tokens", IX_TYPE_I32, 1, tokens);
    s.positions = ix_input(g, "positions", IX_TYPE_I32, 1, tokens);
    s.sequence = ix_input(g, "sequence", IX_TYPE_I32, 1, tokens);
    s.pages = ix_input(g, "pages", IX_TYPE_I32, 2, pages);
    s.rows = ix_input(g, "rows", IX_TYPE_I32, 1, rows);
    return s;
}

/* ---- primitives ------------------------------------------------------------------------------ */

ix_tensor *ix_binary(ix_graph *g, ix_op op, ix_tensor *a, ix_tensor *b)
{
    return ix_emit(g, op, 2, (ix_tensor *[]){ a, b }, NULL);
}

ix_tensor *ix_unary(ix_graph *g, ix_op op, ix_tensor *x)
{
    return ix_emit(g, op, 1, &x, NULL);
}

ix_tensor *ix_scalar(ix_graph *g, ix_op op, ix_tensor *x, float s)
{
    ix_attrs attrs = { .scalar = { s } };

    return ix_emit(g, op, 1, &x, &attrs);
}

ix_tensor *ix_add(ix_graph *g, ix_tensor *a, ix_tensor *b)
{
    return ix_binary(g, IX_OP_ADD, a, b);
}

ix_tensor *ix_mul(ix_graph *g, ix_tensor *a, ix_tensor *b)
{
    return ix_binary(g, IX_OP_MUL, a, b);
}

ix_tensor *ix_reshape(ix_graph *g, ix_tensor *x, int32_t rank, const ix_dim *dims)
{
    ix_tensor t = { .op = IX_OP_RESHAPE, .arg_count = 1, .args = { x }, .rank = rank };

    if (g->error.code != INOX_OK)
        return NULL;
    if (rank < 1 || rank > IX_MAX_RANK)
        return fail(g, INOX_E_LIMIT, "reshape: %d dimensions; there must be 1 to %d", rank,
                    IX_MAX_RANK);
    memcpy(t.dims, dims, (size_t)rank * sizeof *dims);
    return append(g, &t);
}

ix_tensor *ix_gather(ix_graph *g, ix_tensor *table, ix_tensor *ids)
{
    return ix_binary(g, IX_OP_GATHER, table, ids);
}

ix_tensor *ix_matmul(ix_graph *g, ix_tensor *x, ix_tensor *w)
{
    return ix_binary(g, IX_OP_MATMUL, x, w);
}

ix_tensor *ix_rope(ix_graph *g, ix_tensor *x, ix_tensor *positions, ix_tensor *factors, double base,
                   double factor, int32_t dims, bool interleaved)
{
    ix_attrs attrs = { .rope = { base, factor, dims, interleaved } };
    ix_tensor *args[3] = { x, positions, factors };

    return ix_emit(g, IX_OP_ROPE, factors != NULL ? 3 : 2, args, &attrs);
}

ix_tensor *ix_cache_store(ix_graph *g, ix_tensor *cache, ix_tensor *k, ix_tensor *v,
                          const ix_step_inputs *step)
{
    ix_tensor *args[6] = { cache, k, v, step->positions, step->sequence, step->pages };

    return ix_emit(g, IX_OP_CACHE_STORE, 6, args, cache != NULL ? &cache->attrs : NULL);
}

ix_tensor *ix_attention(ix_graph *g, ix_tensor *q, ix_tensor *cache, const ix_step_inputs *step,
                        ix_tensor *sinks, double scale, float softcap, int64_t window)
{
    ix_attrs attrs = { .attention = { .scale = scale, .softcap = softcap, .window = window } };
    ix_tensor *args[6] = { q, cache, step->positions, step->sequence, step->pages, sinks };

    if (cache != NULL) {
        attrs.attention.kv_heads = cache->attrs.cache.kv_heads;
        attrs.attention.head_dim = cache->attrs.cache.head_dim;
        attrs.attention.value_dim = cache->attrs.cache.value_dim;
    }
    return ix_emit(g, IX_OP_ATTENTION, sinks != NULL ? 6 : 5, args, &attrs);
}
