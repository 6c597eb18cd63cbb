/* The verifier: a finished graph obeys every rule of ops.def, whoever made or changed it.
 *
 * It trusts nothing but the list and the tensors in it: an argument is followed only after its
 * address was found among those, so that a graph with broken pointers gives an error and not a
 * crash.
 *
 * Beyond ops.def: one version of a cache.  A store changes the memory of its cache, so nothing may
 * read the cache as it was before; and the output is a float32 result, since that is what a run
 * hands out.
 */
#include "ir/rules.h"

#include <stdlib.h>

typedef struct place {
    uintptr_t address;
    int32_t index;
} place;

static int compare_places(const void *a, const void *b)
{
    uintptr_t x = ((const place *)a)->address, y = ((const place *)b)->address;

    return x < y ? -1 : x > y;
}

/* Index of a tensor by its address, or -1. */
static int32_t find_place(const place *places, int32_t count, const ix_tensor *t)
{
    place key = { (uintptr_t)t, 0 };
    const place *found = bsearch(&key, places, (size_t)count, sizeof key, compare_places);

    return found != NULL ? found->index : -1;
}

static inox_status verify_args(const ix_tensor *t, const place *places, int32_t count,
                               inox_error *err)
{
    if ((unsigned)t->op >= IX_OP_COUNT)
        return ix_fail(err, INOX_E_INTERNAL, "unknown operator number %d", (int)t->op);
    const ix_op_info *info = ix_op_of(t->op);
    if (t->arg_count < info->least_args || t->arg_count > info->most_args)
        return ix_fail(err, INOX_E_INTERNAL, "%s: %d arguments; it takes %d to %d", info->name,
                       t->arg_count, info->least_args, info->most_args);
    for (int32_t i = 0; i < t->arg_count; i++) {
        int32_t at = find_place(places, count, t->args[i]);
        if (at < 0 || at >= t->id)
            return ix_fail(err, INOX_E_INTERNAL, "%s: argument %d %s", info->name, i + 1,
                           at < 0 ? "is not in the graph" : "does not stand before its user");
    }
    return INOX_OK;
}

/* One tensor, the ones before it being verified. */
static inox_status verify_tensor(const ix_tensor *t, inox_error *err)
{
    ix_type type;
    ix_shape shape;

    if ((unsigned)t->type >= IX_TYPE_COUNT)
        return ix_fail(err, INOX_E_INTERNAL, "%s: unknown type number %d", ix_op_of(t->op)->name,
                       (int)t->type);
    if (t->rank < 1 || t->rank > IX_MAX_RANK)
        return ix_fail(err, INOX_E_INTERNAL, "%s: %d dimensions", ix_op_of(t->op)->name, t->rank);
    if (t->name == NULL || (t->op <= IX_OP_STATE && t->name[0] == '\0'))
        return ix_fail(err, INOX_E_INTERNAL, "%s: it has no name", ix_op_of(t->op)->name);
    IX_TRY(ix_infer(t, &type, &shape, err));
    if (type != t->type || !ix_same_shape(shape.rank, shape.dims, t->rank, t->dims)) {
        char text[IX_TENSOR_TEXT], dims[IX_SHAPE_TEXT];
        ix_tensor_text(t, text);
        ix_shape_text(shape.rank, shape.dims, dims);
        return ix_fail(err, INOX_E_INTERNAL, "by its rule it is %s %s, but it says %s",
                       ix_type_of(type)->name, dims, text);
    }
    return INOX_OK;
}

/* `changed[i]`: a store has overwritten tensor i. */
static inox_status verify_cache_order(const ix_tensor *t, uint8_t *changed, inox_error *err)
{
    for (int32_t i = 0; i < t->arg_count; i++) {
        if (changed[t->args[i]->id]) {
            char text[IX_TENSOR_TEXT];
            ix_tensor_text(t->args[i], text);
            return ix_fail(err, INOX_E_INTERNAL,
                           "%s: the cache %s was stored into before; use what that store gave",
                           ix_op_of(t->op)->name, text);
        }
    }
    if (t->op == IX_OP_CACHE_STORE)
        changed[t->args[0]->id] = 1;
    return INOX_OK;
}

static inox_status verify_all(const ix_graph *g, place *places, uint8_t *changed, inox_error *err)
{
    for (int32_t i = 0; i < g->count; i++) {
        places[i] = (place){ (uintptr_t)g->tensors[i], i };
        if (g->tensors[i] == NULL || g->tensors[i]->id != i)
            return ix_fail(err, INOX_E_INTERNAL, "tensor %%%d of the graph has another number", i);
    }
    qsort(places, (size_t)g->count, sizeof *places, compare_places);
    for (int32_t i = 0; i < g->count; i++) {
        const ix_tensor *t = g->tensors[i];
        inox_status status = verify_args(t, places, g->count, err);
        if (status == INOX_OK)
            status = verify_tensor(t, err);
        if (status == INOX_OK)
            status = verify_cache_order(t, changed, err);
        if (status != INOX_OK)
            return ix_prefix(err, status, "graph, tensor %%%d", i);
    }
    if (find_place(places, g->count, g->output) < 0)
        return ix_fail(err, INOX_E_INTERNAL, "the graph has no output, or one of another graph");
    if (g->output->type != IX_TYPE_F32 || g->output->op == IX_OP_STATE ||
        g->output->op == IX_OP_CACHE_STORE)
        return ix_fail(err, INOX_E_INTERNAL,
                       "the output of a graph is a float32 tensor and no cache");
    return INOX_OK;
}

inox_status ix_graph_verify(const ix_graph *g, inox_error *err)
{
    place *places = NULL;
    uint8_t *changed = NULL;
    inox_status status;

    if (g->count < 1 || g->count > g->capacity || g->count > IX_MAX_GRAPH_NODES ||
        g->tensors == NULL)
        return ix_fail(err, INOX_E_INTERNAL, "a graph of %d tensors with room for %d", g->count,
                       g->capacity);
    status = IX_ALLOC(&places, (size_t)g->count, err);
    if (status == INOX_OK)
        status = IX_ALLOC(&changed, (size_t)g->count, err);
    if (status == INOX_OK)
        status = verify_all(g, places, changed, err);
    ix_free(places);
    ix_free(changed);
    return status;
}
