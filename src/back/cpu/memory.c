/* Gives every value of a plan its place in the workspace.
 *
 * A value's life is [first, last] in stages.  Values are placed in the order of their first stage,
 * each in the smallest gap between the values alive then that holds it; so two lives that meet
 * never share bytes.
 */
#include "back/cpu/plan.h"

#include <stdlib.h>

/* Values alive at the stage under work, by ascending offset. */
typedef struct alive {
    ix_value **value;
    size_t count;
} alive;

static void drop_dead(alive *a, int32_t stage)
{
    size_t n = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (a->value[i]->last >= stage)
            a->value[n++] = a->value[i];
    }
    a->count = n;
}

/* Smallest sufficient gap, else the end; returns where the value goes in the list. */
static size_t find_gap(const alive *a, uint64_t bytes, uint64_t *offset)
{
    uint64_t at = 0, best = UINT64_MAX;
    size_t index = a->count;
    for (size_t i = 0; i < a->count; i++) {
        uint64_t gap = a->value[i]->offset > at ? a->value[i]->offset - at : 0;
        if (gap >= bytes && gap < best) {
            best = gap;
            index = i;
            *offset = at;
        }
        uint64_t end = a->value[i]->offset + a->value[i]->bytes;
        if (end > at)
            at = end;
    }
    if (best == UINT64_MAX)
        *offset = at;
    return index;
}

static void place(ix_plan *p, alive *a, ix_value *v)
{
    drop_dead(a, v->first);
    size_t index = find_gap(a, v->bytes, &v->offset);
    for (size_t i = a->count; i > index; i--)
        a->value[i] = a->value[i - 1];
    a->value[index] = v;
    a->count++;
    if (v->offset + v->bytes > p->workspace_bytes)
        p->workspace_bytes = v->offset + v->bytes;
}

static void use(ix_plan *p, const ix_tensor *x, int32_t stage)
{
    ix_value *v = &p->values[p->values[x->id].alias];
    if (v->last < stage)
        v->last = stage;
}

static void use_args(ix_plan *p, const ix_tensor *x, int32_t stage)
{
    for (int i = 0; i < x->arg_count; i++)
        use(p, x->args[i], stage);
}

static inox_status make_tensor(ix_plan *p, const ix_tensor *x, int32_t stage, inox_error *err)
{
    ix_value *v = &p->values[x->id];
    use_args(p, x, stage);
    if (v->alias != x->id)
        return INOX_OK;
    int64_t n = ix_tensor_elements(x, &p->options.most);
    if (n < 0 || n > (INT64_MAX >> 8))
        return ix_fail(err, INOX_E_LIMIT, "the result of %s is too large", ix_op_of(x->op)->name);
    v->place =
        x->id == p->values[p->graph->output->id].alias ? IX_PLACE_OUTPUT : IX_PLACE_WORKSPACE;
    v->bytes = ix_round_up((uint64_t)n * sizeof(float), 64);
    v->first = stage;
    if (v->last < stage)
        v->last = stage;
    return INOX_OK;
}

static inox_status lives_of_rows(ix_plan *p, inox_error *err)
{
    for (int32_t i = 0; i < p->row_op_count; i++) {
        const ix_row_op *op = &p->row_ops[i];
        if (op->kind == IX_ROW_TENSOR) {
            IX_TRY(make_tensor(p, op->x, op->stage, err));
            if (op->index >= 0 && p->angles[op->index].value.last < op->stage)
                p->angles[op->index].value.last = op->stage;
        } else if (op->kind == IX_ROW_PACK) {
            ix_pack *k = &p->packs[op->index];
            use(p, k->x, op->stage);
            int64_t rows = ix_tensor_elements(k->x, &p->options.most) / k->depth;
            k->value.place = IX_PLACE_WORKSPACE;
            k->value.bytes = ix_round_up(k->kernel->acts_bytes(rows, k->depth), 64);
            k->value.first = op->stage;
            if (k->value.last < op->stage)
                k->value.last = op->stage;
        } else {
            ix_angles *a = &p->angles[op->index];
            int64_t rows = ix_dim_value(op->rows, &p->options.most);
            a->value.place = IX_PLACE_WORKSPACE;
            a->value.bytes =
                ix_round_up((uint64_t)rows * 2 * (uint64_t)a->half * sizeof(float), 64);
            a->value.first = op->stage;
        }
    }
    return INOX_OK;
}

static int by_first(const void *a, const void *b)
{
    const ix_value *x = *(ix_value *const *)a, *y = *(ix_value *const *)b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->bytes > y->bytes ? -1 : x->bytes < y->bytes; /* large ones first: fewer holes */
}

inox_status ix_plan_memory(ix_plan *p, inox_error *err)
{
    for (int32_t i = 0; i < p->graph->count; i++) {
        const ix_tensor *x = p->graph->tensors[i];
        if (x->op == IX_OP_WEIGHT) {
            p->values[i].place = IX_PLACE_WEIGHT;
            p->values[i].bound = (void *)(uintptr_t)x->data;
        } else if (x->op == IX_OP_INPUT || x->op == IX_OP_STATE) {
            p->values[i].place = IX_PLACE_BOUND;
        }
    }
    for (int32_t i = 0; i < p->step_count; i++) {
        const ix_step *s = &p->steps[i];
        if (s->kind == IX_STEP_ROWS)
            continue;
        IX_TRY(make_tensor(p, s->x, s->stage, err));
        if (s->kind == IX_STEP_LINEAR && p->packs[s->pack].value.last < s->stage)
            p->packs[s->pack].value.last = s->stage;
    }
    IX_TRY(lives_of_rows(p, err));
    if (p->values[p->values[p->graph->output->id].alias].place != IX_PLACE_OUTPUT)
        return ix_fail(err, INOX_E_UNSUPPORTED, "the output of a graph must be computed by it");

    size_t n = 0, room = (size_t)(p->graph->count + p->pack_count + p->angles_count);
    ix_value **all;
    alive now = { .count = 0 };
    IX_TRY(IX_ARENA(&p->arena, &all, room, err));
    IX_TRY(IX_ARENA(&p->arena, &now.value, room, err));
    for (int32_t i = 0; i < p->graph->count; i++) {
        if (p->values[i].place == IX_PLACE_WORKSPACE)
            all[n++] = &p->values[i];
    }
    for (int32_t i = 0; i < p->pack_count; i++)
        all[n++] = &p->packs[i].value;
    for (int32_t i = 0; i < p->angles_count; i++)
        all[n++] = &p->angles[i].value;
    qsort(all, n, sizeof *all, by_first);
    for (size_t i = 0; i < n; i++)
        place(p, &now, all[i]);
    return INOX_OK;
}
