/* Decides in which stage each operator runs, which activations are packed, and what makes a step.
 *
 * stage(row operator)  = max over arguments: same rows and made row by row: their stage; else their
 * stage + 1 stage(heavy)         = max over arguments of their stage + 1
 * so a row operator joins the stage that made its input unless rows would cross.
 *
 * Order inside a row step is the order of the graph, so a producer stands before its users.
 */
#include "back/cpu/plan.h"

#include "ir/rope_table.h"
#include "num/scalar/scalar.h"

/* What making the stages needs besides the plan. */
typedef struct stager {
    ix_plan *p;
    int32_t *stage;      /* by tensor id; -1: ready before the run */
    bool *by_rows;       /* by tensor id: made row by row */
    int32_t *last_touch; /* by id of a state: the last stage that stores into it or reads it */
} stager;

static bool same_rows(const ix_tensor *a, const ix_tensor *b)
{
    return a->rank > 0 && b->rank > 0 && a->dims[0].value == b->dims[0].value;
}

/* Every row has the same number of elements, whatever the symbols are. */
static bool rows_are_fixed(const ix_tensor *x)
{
    for (int32_t i = 1; i < x->rank; i++) {
        if (ix_dim_is_symbol(x->dims[i]))
            return false;
    }
    return x->rank > 0;
}

static int32_t after(const stager *g, const ix_tensor *x)
{
    int32_t s = g->stage[x->id];
    return s < 0 ? 0 : s + 1;
}

/* Row r of x needs no other row of argument i than row r. */
static bool reads_own_row(const ix_tensor *x, int i)
{
    switch (x->op) {
    case IX_OP_GATHER: return i == 1;
    case IX_OP_RMS_NORM:
    case IX_OP_ROPE: return i == 0;
    default: return x->args[i]->rank == x->rank; /* a shorter operand repeats for every row */
    }
}

/* Stage of an operator that works row by row. */
static int32_t row_stage(const stager *g, const ix_tensor *x)
{
    int32_t stage = 0;
    for (int i = 0; i < x->arg_count; i++) {
        const ix_tensor *a = x->args[i];
        bool in_step = g->by_rows[a->id] && same_rows(a, x) && reads_own_row(x, i);
        int32_t s = in_step ? g->stage[a->id] : after(g, a);
        if (s > stage)
            stage = s;
    }
    return stage;
}

static void add_row_op(stager *g, ix_row_kind kind, int32_t stage, int32_t index,
                       const ix_tensor *x)
{
    ix_row_op *op = &g->p->row_ops[g->p->row_op_count++];
    *op = (ix_row_op){ kind, stage, index, x->dims[0], x };
}

static int32_t find_pack(const ix_plan *p, const ix_tensor *x, const ix_matmul_kernel *k)
{
    for (int32_t i = 0; i < p->pack_count; i++) {
        if (p->packs[i].x == x && p->packs[i].kernel->acts_format == k->acts_format)
            return i;
    }
    return -1;
}

/* The packed form of x for kernel k: an existing one or a new one. */
static int32_t pack_of(stager *g, const ix_tensor *x, const ix_matmul_kernel *k)
{
    ix_plan *p = g->p;
    int32_t i = find_pack(p, x, k);
    if (i >= 0)
        return i;
    i = p->pack_count++;
    ix_pack *pack = &p->packs[i];
    pack->x = x;
    pack->kernel = k;
    pack->depth = x->dims[x->rank - 1].value;
    int32_t made = g->stage[x->id];
    pack->stage = made < 0 ? 0 : g->by_rows[x->id] ? made : made + 1;
    add_row_op(g, IX_ROW_PACK, pack->stage, i, x);
    return i;
}

static int32_t panels_of(ix_plan *p, const ix_tensor *w, const ix_matmul_kernel *k)
{
    for (int32_t i = 0; i < p->panels_count; i++) {
        if (p->panels[i].w == w && p->panels[i].kernel == k)
            return i;
    }
    p->panels[p->panels_count] = (ix_panels){ .w = w, .kernel = k };
    return p->panels_count++;
}

static inox_status add_linear(stager *g, const ix_tensor *x, inox_error *err)
{
    ix_plan *p = g->p;
    const ix_tensor *w = x->args[1];
    const ix_matmul_kernel *k = ix_matmul_find(w->type, p->options.isa, p->options.file_layout);
    if (w->op != IX_OP_WEIGHT || k == NULL)
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "%s: the CPU back end multiplies by weights only, and not of type %s",
                       w->name, ix_type_of(w->type)->name);
    if (x->rank < 2 || !rows_are_fixed(x->args[0]))
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "%s: the CPU back end multiplies rows of fixed size", w->name);
    int32_t pack = pack_of(g, x->args[0], k);
    int32_t stage = p->packs[pack].stage + 1;
    for (int i = 2; i < x->arg_count; i++) {
        int32_t s = after(g, x->args[i]);
        if (s > stage)
            stage = s;
    }
    g->stage[x->id] = stage;
    p->steps[p->step_count++] = (ix_step){ .kind = IX_STEP_LINEAR,
                                           .stage = stage,
                                           .rows = x->dims[0],
                                           .x = x,
                                           .pack = pack,
                                           .panels = panels_of(p, w, k) };
    return INOX_OK;
}

/* A store overwrites what the operators before it read: all that touch one cache do so in the order
 * of the graph, each in a stage of its own. */
static int32_t take_cache(stager *g, const ix_tensor *cache, int32_t stage)
{
    int32_t *last = &g->last_touch[g->p->values[cache->id].alias];
    if (stage <= *last)
        stage = *last + 1;
    *last = stage;
    return stage;
}

static void add_attention(stager *g, const ix_tensor *x)
{
    int32_t stage = 0;
    for (int i = 0; i < x->arg_count; i++) {
        int32_t s = after(g, x->args[i]);
        if (s > stage)
            stage = s;
    }
    stage = take_cache(g, x->args[1], stage);
    g->stage[x->id] = stage;
    g->p->steps[g->p->step_count++] =
        (ix_step){ .kind = IX_STEP_ATTENTION, .stage = stage, .rows = x->dims[0], .x = x };
}

/* Its rows are those of k. */
static void add_store(stager *g, const ix_tensor *x)
{
    ix_plan *p = g->p;
    int32_t k = g->by_rows[x->args[1]->id] ? g->stage[x->args[1]->id] : after(g, x->args[1]);
    int32_t v = g->by_rows[x->args[2]->id] ? g->stage[x->args[2]->id] : after(g, x->args[2]);
    p->values[x->id].alias = p->values[x->args[0]->id].alias;
    g->stage[x->id] = take_cache(g, x, k > v ? k : v);
    add_row_op(g, IX_ROW_TENSOR, g->stage[x->id], -1, x);
    p->row_ops[p->row_op_count - 1].rows = x->args[1]->dims[0];
}

static bool same_frequencies(const ix_tensor *a, const ix_tensor *b)
{
    return a->attrs.rope.base == b->attrs.rope.base &&
           a->attrs.rope.factor == b->attrs.rope.factor &&
           a->attrs.rope.dims == b->attrs.rope.dims && a->args[1] == b->args[1] &&
           (a->arg_count > 2 ? a->args[2] : NULL) == (b->arg_count > 2 ? b->args[2] : NULL);
}

static inox_status angles_of(stager *g, const ix_tensor *x, int32_t *index, inox_error *err)
{
    ix_plan *p = g->p;
    for (int32_t i = 0; i < p->angles_count; i++) {
        if (same_frequencies(p->angles[i].rope, x)) {
            *index = i;
            return INOX_OK;
        }
    }
    ix_angles *a = &p->angles[p->angles_count];
    a->rope = x;
    a->half = x->attrs.rope.dims / 2;
    IX_TRY(IX_ARENA(&p->arena, &a->frequencies, (size_t)a->half, err));
    IX_TRY(ix_rope_table(x, a->frequencies, err));
    *index = p->angles_count++;
    add_row_op(g, IX_ROW_ANGLES, 0, *index, x);
    return INOX_OK;
}

/* rows.c has the operator, for such tensors. */
static bool works_by_rows(const ix_tensor *x)
{
    if (!rows_are_fixed(x) || !rows_are_fixed(x->args[0]))
        return false;
    switch (x->op) {
    case IX_OP_SUM:
    case IX_OP_SUM_SQUARES:
    case IX_OP_RMS_NORM: return x->rank > 1; /* else they go across the rows */
    case IX_OP_ADD:
    case IX_OP_SUB:
    case IX_OP_MUL:
    case IX_OP_DIV:
    case IX_OP_ADD_SCALAR:
    case IX_OP_MUL_SCALAR:
    case IX_OP_DIV_SCALAR:
    case IX_OP_NEG:
    case IX_OP_RECIP:
    case IX_OP_SQRT:
    case IX_OP_EXP:
    case IX_OP_TANH:
    case IX_OP_ERF:
    case IX_OP_SILU:
    case IX_OP_SWIGLU:
    case IX_OP_GATHER:
    case IX_OP_ROPE: return true;
    default: return false;
    }
}

static inox_status add_tensor(stager *g, ix_tensor *x, inox_error *err)
{
    ix_plan *p = g->p;
    int32_t index = -1;
    switch (x->op) {
    case IX_OP_INPUT:
    case IX_OP_WEIGHT:
    case IX_OP_STATE: g->stage[x->id] = -1; return INOX_OK;
    case IX_OP_RESHAPE:
        /* no work: the same memory under another shape */
        g->stage[x->id] = g->stage[x->args[0]->id];
        g->by_rows[x->id] = g->by_rows[x->args[0]->id] && same_rows(x, x->args[0]);
        p->values[x->id].alias = p->values[x->args[0]->id].alias;
        if (!g->by_rows[x->id] && g->by_rows[x->args[0]->id])
            g->stage[x->id]++; /* rows cross: as if made by a heavy step of the stage */
        return INOX_OK;
    case IX_OP_MATMUL:
    case IX_OP_LINEAR: return add_linear(g, x, err);
    case IX_OP_ATTENTION: add_attention(g, x); return INOX_OK;
    case IX_OP_CACHE_STORE:
        add_store(g, x);
        return INOX_OK;
    default: break;
    }
    if (!works_by_rows(x))
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "%s: the CPU back end does not run this operator on tensors of this shape",
                       ix_op_of(x->op)->name);
    if (x->op == IX_OP_ROPE)
        IX_TRY(angles_of(g, x, &index, err));
    g->stage[x->id] = row_stage(g, x);
    g->by_rows[x->id] = true;
    add_row_op(g, IX_ROW_TENSOR, g->stage[x->id], index, x);
    return INOX_OK;
}

static int64_t greatest_common(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* Row operators of one stage and the same rows become one step: sorts them together, keeping their
 * order. */
static inox_status make_row_steps(ix_plan *p, int32_t stages, inox_error *err)
{
    ix_row_op *sorted;
    IX_TRY(IX_ARENA(&p->arena, &sorted, (size_t)p->row_op_count + 1, err));
    int32_t n = 0;
    for (int32_t stage = 0; stage < stages; stage++) {
        for (;;) {
            const ix_row_op *lead = NULL;
            int32_t first = n;
            int64_t tile = 1;
            for (int32_t i = 0; i < p->row_op_count; i++) {
                ix_row_op *op = &p->row_ops[i];
                if (op->stage != stage || (lead != NULL && op->rows.value != lead->rows.value))
                    continue;
                if (lead == NULL)
                    lead = &sorted[n];
                if (op->kind == IX_ROW_PACK) {
                    int64_t t = p->packs[op->index].kernel->row_tile;
                    tile = tile / greatest_common(tile, t) * t;
                }
                sorted[n++] = *op;
                op->stage = -1; /* taken */
            }
            if (lead == NULL)
                break;
            p->steps[p->step_count++] = (ix_step){ .kind = IX_STEP_ROWS,
                                                   .stage = stage,
                                                   .rows = lead->rows,
                                                   .first_op = first,
                                                   .op_count = n - first,
                                                   .row_tile = tile };
        }
    }
    p->row_ops = sorted;
    return INOX_OK;
}

/* Steps in the order of their stages; inside a stage heavy ones first, so that small ones fill the
 * gaps. */
static inox_status sort_steps(ix_plan *p, int32_t stages, inox_error *err)
{
    ix_step *sorted;
    IX_TRY(IX_ARENA(&p->arena, &sorted, (size_t)p->step_count + 1, err));
    int32_t n = 0;
    for (int32_t stage = 0; stage < stages; stage++) {
        for (int heavy = 1; heavy >= 0; heavy--) {
            for (int32_t i = 0; i < p->step_count; i++) {
                if (p->steps[i].stage == stage && (p->steps[i].kind != IX_STEP_ROWS) == heavy)
                    sorted[n++] = p->steps[i];
            }
        }
    }
    p->steps = sorted;
    return INOX_OK;
}

inox_status ix_plan_stages(ix_plan *p, inox_error *err)
{
    const ix_graph *graph = p->graph;
    size_t n = (size_t)graph->count;
    stager g = { .p = p };
    IX_TRY(IX_ARENA(&p->arena, &g.stage, n, err));
    IX_TRY(IX_ARENA(&p->arena, &g.by_rows, n, err));
    IX_TRY(IX_ARENA(&p->arena, &g.last_touch, n, err));
    IX_TRY(IX_ARENA(&p->arena, &p->values, n, err));
    IX_TRY(IX_ARENA(&p->arena, &p->packs, n, err));
    IX_TRY(IX_ARENA(&p->arena, &p->panels, n, err));
    IX_TRY(IX_ARENA(&p->arena, &p->angles, n, err));
    IX_TRY(IX_ARENA(&p->arena, &p->row_ops, 3 * n, err));
    IX_TRY(IX_ARENA(&p->arena, &p->steps, 4 * n, err));
    int32_t stages = 0;
    for (int32_t i = 0; i < graph->count; i++) {
        p->values[i].alias = i;
        g.last_touch[i] = -1;
    }
    for (int32_t i = 0; i < graph->count; i++)
        IX_TRY(add_tensor(&g, graph->tensors[i], err));
    for (int32_t i = 0; i < p->row_op_count; i++) {
        if (p->row_ops[i].stage >= stages)
            stages = p->row_ops[i].stage + 1;
    }
    for (int32_t i = 0; i < p->step_count; i++) {
        if (p->steps[i].stage >= stages)
            stages = p->steps[i].stage + 1;
    }
    p->stage_count = stages;
    IX_TRY(make_row_steps(p, stages, err));
    return sort_steps(p, stages, err);
}
