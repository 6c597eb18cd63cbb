/* Fused operators in place of their compositions: rms_norm, silu, swiglu, linear.
 *
 * The old graph is read from its output backwards: the largest composition that ends at a tensor is
 * chosen, its inner tensors (each with that one user) disappear, and its operands are needed
 * instead. The new graph is then built forwards, a fused operator standing where its composition
 * ended.
 *
 * Invariant: same bits.  A composition matches only in the written order of its rule, but for sums
 * and products of two, which do not depend on their order. What is dropped: results and weights
 * that no output needs.  What stays: all inputs and states, so that bindings keep their order, and
 * all stores into caches, which outlive the run.
 */
#include "pass/pass.h"

#include <string.h>

/* What the new graph has in place of one old tensor. */
typedef struct match {
    ix_op op; /* IX_OP_COUNT: a copy of the old operator */
    int32_t arg_count;
    const ix_tensor *args[IX_MAX_ARGS];
    ix_attrs attrs;
} match;

typedef struct fusion {
    const ix_graph *old;
    int32_t *users; /* of live tensors, the output having one more */
    bool *needed;
    match *matches;
    ix_tensor **made; /* by old id */
} fusion;

/* ---- matching -------------------------------------------------------------------------------- */

/* `x` is the result of `op` and has no user but the composition. */
static bool is_inner(const fusion *f, const ix_tensor *x, ix_op op)
{
    return x->op == op && f->users[x->id] == 1;
}

static bool is_inner_scalar(const fusion *f, const ix_tensor *x, ix_op op, float s)
{
    return is_inner(f, x, op) && x->attrs.scalar.value == s;
}

static bool same_shape(const ix_tensor *a, const ix_tensor *b)
{
    if (a->rank != b->rank)
        return false;
    for (int32_t i = 0; i < a->rank; i++)
        if (a->dims[i].value != b->dims[i].value)
            return false;
    return true;
}

/* mul(x, recip(sqrt(sum_squares(x) / n + eps))): the norm without its weight, C7. */
static bool match_unweighted_norm(const fusion *f, const ix_tensor *t, match *m)
{
    const ix_tensor *x = t->args[0], *r = t->args[1];
    ix_dim n = x->dims[x->rank - 1];

    if (t->op != IX_OP_MUL || ix_dim_is_symbol(n) || !is_inner(f, r, IX_OP_RECIP))
        return false;
    const ix_tensor *root = r->args[0];
    if (!is_inner(f, root, IX_OP_SQRT) || !is_inner(f, root->args[0], IX_OP_ADD_SCALAR))
        return false;
    const ix_tensor *sum = root->args[0], *mean = sum->args[0];
    if (sum->attrs.scalar.value < 0 || !is_inner_scalar(f, mean, IX_OP_DIV_SCALAR, (float)n.value))
        return false;
    if (!is_inner(f, mean->args[0], IX_OP_SUM_SQUARES) || mean->args[0]->args[0] != x)
        return false;
    *m = (match){ .op = IX_OP_RMS_NORM, .arg_count = 1, .args = { x } };
    m->attrs.norm.eps = sum->attrs.scalar.value;
    return true;
}

static bool match_norm(const fusion *f, const ix_tensor *t, match *m)
{
    if (t->op != IX_OP_MUL)
        return false;
    const ix_tensor *y = t->args[0], *w = t->args[1];
    if (is_inner(f, y, IX_OP_MUL) && w->rank == 1 &&
        w->dims[0].value == y->dims[y->rank - 1].value && match_unweighted_norm(f, y, m)) {
        m->args[m->arg_count++] = w;
        return true;
    }
    return match_unweighted_norm(f, t, m);
}

/* div(x, exp(-x) + 1): C5. */
static bool match_silu(const fusion *f, const ix_tensor *t, match *m)
{
    if (t->op != IX_OP_DIV || !is_inner_scalar(f, t->args[1], IX_OP_ADD_SCALAR, 1.0f))
        return false;
    const ix_tensor *e = t->args[1]->args[0];
    if (!is_inner(f, e, IX_OP_EXP) || !is_inner(f, e->args[0], IX_OP_NEG))
        return false;
    const ix_tensor *x = e->args[0]->args[0];
    if (x != t->args[0])
        return false;
    *m = (match){ .op = IX_OP_SILU, .arg_count = 1, .args = { x } };
    return true;
}

/* mul(silu(gate), up), in either order. */
static bool match_swiglu(const fusion *f, const ix_tensor *t, match *m)
{
    if (t->op != IX_OP_MUL || !same_shape(t->args[0], t->args[1]))
        return false;
    for (int i = 0; i < 2; i++) {
        if (is_inner(f, t->args[i], IX_OP_DIV) && match_silu(f, t->args[i], m)) {
            m->op = IX_OP_SWIGLU;
            m->args[m->arg_count++] = t->args[1 - i];
            return true;
        }
    }
    return false;
}

/* matmul, or matmul + bias. */
static bool match_product(const fusion *f, const ix_tensor *t, match *m)
{
    const ix_tensor *product = t, *bias = NULL;

    if (t->op == IX_OP_ADD && is_inner(f, t->args[0], IX_OP_MATMUL)) {
        product = t->args[0];
        bias = t->args[1];
        if (bias->rank != 1 || bias->dims[0].value != t->dims[t->rank - 1].value)
            return false;
    }
    if (product->op != IX_OP_MATMUL)
        return false;
    *m = (match){ .op = IX_OP_LINEAR,
                  .arg_count = 2,
                  .args = { product->args[0], product->args[1] } };
    if (bias != NULL) {
        m->attrs.linear.bias = true;
        m->args[m->arg_count++] = bias;
    }
    return true;
}

/* matmul [+ bias] [+ residual], the residual in either order. */
static bool match_linear(const fusion *f, const ix_tensor *t, match *m)
{
    if (match_product(f, t, m))
        return true;
    if (t->op != IX_OP_ADD || !same_shape(t->args[0], t->args[1]))
        return false;
    /* Of two products the later one takes the other as its residual. */
    int later = t->args[1]->id > t->args[0]->id;
    for (int k = 0; k < 2; k++) {
        int i = k == 0 ? later : 1 - later;
        if (f->users[t->args[i]->id] == 1 && match_product(f, t->args[i], m)) {
            m->attrs.linear.residual = true;
            m->args[m->arg_count++] = t->args[1 - i];
            return true;
        }
    }
    return false;
}

/* The largest composition that ends at t, or a copy of t. */
static void choose(const fusion *f, const ix_tensor *t, match *m)
{
    if (match_swiglu(f, t, m) || match_norm(f, t, m) || match_silu(f, t, m) ||
        match_linear(f, t, m))
        return;
    *m = (match){ .op = IX_OP_COUNT, .arg_count = t->arg_count, .attrs = t->attrs };
    for (int32_t i = 0; i < t->arg_count; i++)
        m->args[i] = t->args[i];
}

/* ---- what is needed -------------------------------------------------------------------------- */

/* Users in the old graph, of tensors that are needed there. */
static void count_users(fusion *f)
{
    const ix_graph *g = f->old;

    f->users[g->output->id] = 1;
    for (int32_t i = g->count - 1; i >= 0; i--) {
        const ix_tensor *t = g->tensors[i];
        if (f->users[i] == 0 && t->op != IX_OP_CACHE_STORE)
            continue;
        for (int32_t k = 0; k < t->arg_count; k++)
            f->users[t->args[k]->id]++;
    }
}

static void choose_all(fusion *f)
{
    const ix_graph *g = f->old;

    f->needed[g->output->id] = true;
    for (int32_t i = g->count - 1; i >= 0; i--) {
        const ix_tensor *t = g->tensors[i];
        if (t->op == IX_OP_INPUT || t->op == IX_OP_STATE || t->op == IX_OP_CACHE_STORE)
            f->needed[i] = true;
        if (!f->needed[i])
            continue;
        choose(f, t, &f->matches[i]);
        for (int32_t k = 0; k < f->matches[i].arg_count; k++)
            f->needed[f->matches[i].args[k]->id] = true;
    }
}

/* ---- building -------------------------------------------------------------------------------- */

static ix_tensor *build_one(const fusion *f, ix_graph *g, const ix_tensor *t, const match *m)
{
    ix_tensor *args[IX_MAX_ARGS];

    for (int32_t k = 0; k < m->arg_count; k++)
        args[k] = f->made[m->args[k]->id];
    switch (t->op) {
    case IX_OP_INPUT: return ix_input(g, t->name, t->type, t->rank, t->dims);
    case IX_OP_WEIGHT:
        return ix_weight(g, t->name, t->type, t->rank, t->dims, t->data, t->data_bytes, t->map);
    case IX_OP_STATE:
        return ix_cache(g, t->name, t->type, t->attrs.cache.kv_heads, t->attrs.cache.head_dim,
                        t->attrs.cache.value_dim);
    case IX_OP_RESHAPE: return ix_reshape(g, args[0], t->rank, t->dims);
    default: return ix_emit(g, m->op != IX_OP_COUNT ? m->op : t->op, m->arg_count, args, &m->attrs);
    }
}

static inox_status build(const fusion *f, ix_graph *g, inox_error *err)
{
    for (int32_t i = 0; i < f->old->count; i++) {
        const ix_tensor *t = f->old->tensors[i];
        if (!f->needed[i])
            continue;
        ix_tensor *made = build_one(f, g, t, &f->matches[i]);
        f->made[i] = made;
        if (made != NULL && made->name[0] == '\0' && t->name[0] != '\0') {
            char *name;
            IX_TRY(ix_arena_strndup(&g->arena, t->name, strlen(t->name), &name, err));
            made->name = name;
        }
    }
    return ix_graph_finish(g, f->made[f->old->output->id], err);
}

inox_status ix_pass_fuse(const ix_graph *g, ix_graph **out, inox_error *err)
{
    fusion f = { .old = g };
    ix_graph *made = NULL;
    size_t n = (size_t)g->count;
    inox_status status;

    IX_TRY(ix_graph_verify(g, err));
    IX_TRY_GOTO(status, IX_ALLOC(&f.users, n, err), done);
    IX_TRY_GOTO(status, IX_ALLOC(&f.needed, n, err), done);
    IX_TRY_GOTO(status, IX_ALLOC(&f.matches, n, err), done);
    IX_TRY_GOTO(status, IX_ALLOC(&f.made, n, err), done);
    IX_TRY_GOTO(status, ix_graph_new(&made, err), done);
    count_users(&f);
    choose_all(&f);
    IX_TRY_GOTO(status, build(&f, made, err), done);
    *out = made;
    made = NULL;
done:
    ix_graph_free(made);
    ix_free(f.users);
    ix_free(f.needed);
    ix_free(f.matches);
    ix_free(f.made);
    return status;
}
