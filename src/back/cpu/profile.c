/* Counts what steps do: time by the clock, bytes and operations by their shapes. */
#include "back/cpu/profile.h"

#include "base/os.h"

#include <string.h>

typedef struct cell {
    double seconds[2]; /* by ix_profile_part */
} cell;

typedef struct worker_clock {
    _Alignas(64) double last; /* workers do not share cache lines */
    cell *cells;              /* [step_count] */
} worker_clock;

typedef struct work {
    uint64_t bytes, operations;
} work;

struct ix_profiler {
    ix_arena arena;
    int32_t workers;
    worker_clock *clocks; /* [workers] */
    work *done;           /* [step_count], of all runs */
    int64_t runs;
    double started, wall_s;
};

void ix_profiler_free(ix_profiler *t)
{
    if (t == NULL)
        return;
    ix_arena arena = t->arena;
    ix_free_aligned(t->clocks);
    ix_arena_release(&arena);
    ix_free(t);
}

static inox_status fill(ix_profiler *t, const ix_plan *p, inox_error *err)
{
    size_t steps = (size_t)p->step_count, workers = (size_t)t->workers;
    IX_TRY(ix_alloc_aligned(workers * sizeof *t->clocks, 64, (void **)&t->clocks, err));
    for (size_t i = 0; i < workers; i++)
        IX_TRY(IX_ARENA(&t->arena, &t->clocks[i].cells, steps, err));
    return IX_ARENA(&t->arena, &t->done, steps, err);
}

inox_status ix_profiler_new(ix_plan *p, inox_error *err)
{
    ix_profiler *t;
    IX_TRY(IX_ALLOC(&t, 1, err));
    t->workers = ix_pool_threads(p->options.pool);
    inox_status status = fill(t, p, err);
    if (status != INOX_OK) {
        ix_profiler_free(t);
        return status;
    }
    p->profiler = t;
    return INOX_OK;
}

/* ---- what a step has to read, write and compute in this run */

static uint64_t tensor_bytes(const ix_plan *p, const ix_tensor *x)
{
    const ix_type_info *t = ix_type_of(x->type);
    return (uint64_t)(ix_tensor_elements(x, p->symbols) / t->block_elements) * t->block_bytes;
}

static work linear_work(const ix_plan *p, const ix_step *s)
{
    const ix_panels *w = &p->panels[s->panels];
    int64_t cols = w->w->dims[0].value, depth = w->w->dims[1].value;
    int64_t rows = ix_tensor_elements(s->x, p->symbols) / cols;
    if (rows == 0)
        return (work){ 0, 0 };
    return (work){ w->w->data_bytes + w->kernel->acts_bytes(rows, depth) + tensor_bytes(p, s->x),
                   2 * (uint64_t)rows * (uint64_t)cols * (uint64_t)depth };
}

/* Every key of a sequence is read once at least, whatever the number of rows that see it; rows of
 * a sequence stand together. */
static work attention_work(const ix_plan *p, const ix_step *s)
{
    ix_attention_job job = ix_attention_job_of(p, s->x);
    int64_t read = 0, seen = 0, first = 0, last = -1;
    for (int64_t i = 0; i < job.tokens; i++) {
        int64_t end = job.position[i];
        int64_t begin = job.window > 0 && end + 1 > job.window ? end + 1 - job.window : 0;
        seen += end + 1 - begin;
        if (i > 0 && job.sequence[i] != job.sequence[i - 1]) {
            read += last + 1 - first;
            last = -1;
        }
        if (last < 0 || begin < first)
            first = begin;
        last = end > last ? end : last;
    }
    read += last + 1 - first;
    const ix_cache_view *c = &job.cache;
    uint64_t each = (uint64_t)(c->head_dim + c->value_dim);
    uint64_t key = (uint64_t)c->kv_heads * each * ix_type_of(c->type)->block_bytes;
    return (work){ (uint64_t)read * key + tensor_bytes(p, s->x->args[0]) + tensor_bytes(p, s->x),
                   2 * (uint64_t)seen * (uint64_t)job.heads * each };
}

/* An argument that an earlier operator of the step left in the cache. */
static bool made_here(const ix_plan *p, const ix_step *s, int32_t before, const ix_tensor *x)
{
    for (int32_t i = s->first_op; i < before; i++) {
        const ix_row_op *op = &p->row_ops[i];
        if (op->kind == IX_ROW_TENSOR && p->values[op->x->id].alias == p->values[x->id].alias)
            return true;
    }
    return false;
}

static uint64_t row_op_bytes(const ix_plan *p, const ix_step *s, int32_t index)
{
    const ix_row_op *op = &p->row_ops[index];
    const ix_tensor *x = op->x;
    if (op->kind == IX_ROW_ANGLES)
        return (uint64_t)ix_rows_of(p, x) * (uint64_t)p->angles[op->index].half * 2 * sizeof(float);
    if (op->kind == IX_ROW_PACK) {
        const ix_pack *k = &p->packs[op->index];
        int64_t rows = ix_tensor_elements(k->x, p->symbols) / k->depth;
        return k->kernel->acts_bytes(rows, k->depth) +
               (made_here(p, s, index, k->x) ? 0 : tensor_bytes(p, k->x));
    }
    if (x->op == IX_OP_GATHER) { /* of the table, as many rows as there are indices */
        const ix_type_info *t = ix_type_of(x->args[0]->type);
        return tensor_bytes(p, x) +
               (uint64_t)(ix_tensor_elements(x, p->symbols) / t->block_elements) * t->block_bytes;
    }
    if (x->op == IX_OP_CACHE_STORE) { /* keys and values, in float32 and in the cache's type */
        uint64_t elements = (uint64_t)(ix_tensor_elements(x->args[1], p->symbols) +
                                       ix_tensor_elements(x->args[2], p->symbols));
        return elements * (sizeof(float) + ix_type_of(x->args[0]->type)->block_bytes);
    }
    uint64_t bytes = tensor_bytes(p, x);
    for (int32_t i = 0; i < x->arg_count; i++) {
        if (!made_here(p, s, index, x->args[i]))
            bytes += tensor_bytes(p, x->args[i]);
    }
    return bytes;
}

static work step_work(const ix_plan *p, const ix_step *s)
{
    if (s->kind == IX_STEP_LINEAR)
        return linear_work(p, s);
    if (s->kind == IX_STEP_ATTENTION)
        return attention_work(p, s);
    work w = { 0, 0 };
    if (ix_dim_value(s->rows, p->symbols) > 0) {
        for (int32_t i = s->first_op; i < s->first_op + s->op_count; i++)
            w.bytes += row_op_bytes(p, s, i);
    }
    return w;
}

/* ---- the clock */

void ix_profiler_run_begins(ix_plan *p)
{
    ix_profiler *t = p->profiler;
    if (t == NULL)
        return;
    t->started = ix_clock_seconds();
    for (int32_t i = 0; i < t->workers; i++)
        t->clocks[i].last = t->started;
}

void ix_profiler_note(ix_profiler *t, int worker, int32_t step, ix_profile_part part)
{
    worker_clock *c = &t->clocks[worker];
    double now = ix_clock_seconds();
    c->cells[step].seconds[part] += now - c->last;
    c->last = now;
}

void ix_profiler_run_ends(ix_plan *p)
{
    ix_profiler *t = p->profiler;
    if (t == NULL)
        return;
    double now = ix_clock_seconds();
    t->runs++;
    t->wall_s += now - t->started;
    for (int32_t i = 0; i < t->workers && p->step_count > 0; i++)
        t->clocks[i].cells[p->step_count - 1].seconds[IX_PROFILE_IDLE] += now - t->clocks[i].last;
    for (int32_t i = 0; i < p->step_count; i++) {
        work w = step_work(p, &p->steps[i]);
        t->done[i].bytes += w.bytes;
        t->done[i].operations += w.operations;
    }
}

/* ---- the report */

static inox_status name_step(const ix_plan *p, const ix_step *s, ix_profile *out,
                             ix_step_profile *r, inox_error *err)
{
    r->kernel = "";
    if (s->kind == IX_STEP_LINEAR) {
        const ix_panels *w = &p->panels[s->panels];
        r->kind = "linear";
        r->kernel = w->kernel->name;
        r->integer = ix_type_of(w->w->type)->activation_block != 0;
        return ix_arena_strndup(&out->arena, w->w->name, strlen(w->w->name), (char **)&r->name,
                                err);
    }
    if (s->kind == IX_STEP_ATTENTION) {
        r->kind = "attention";
        r->name = "attention";
        r->kernel = p->attention->name;
        return INOX_OK;
    }
    ix_buffer text = { 0 };
    r->kind = "rows";
    inox_status status = ix_step_operators(p, s, &text, err);
    if (status == INOX_OK)
        status = ix_arena_strndup(&out->arena, text.data, text.size, (char **)&r->name, err);
    ix_buffer_release(&text);
    return status;
}

static inox_status report(const ix_plan *p, const ix_profiler *t, ix_profile *out, inox_error *err)
{
    IX_TRY(IX_ARENA(&out->arena, &out->steps, (size_t)p->step_count, err));
    out->runs = t->runs;
    out->wall_s = t->wall_s;
    out->step_count = p->step_count;
    for (int32_t i = 0; i < p->step_count; i++) {
        ix_step_profile *r = &out->steps[i];
        IX_TRY(name_step(p, &p->steps[i], out, r, err));
        r->stage = p->steps[i].stage;
        r->bytes = t->done[i].bytes;
        r->operations = t->done[i].operations;
        for (int32_t j = 0; j < t->workers; j++) {
            r->busy_s += t->clocks[j].cells[i].seconds[IX_PROFILE_BUSY];
            r->idle_s += t->clocks[j].cells[i].seconds[IX_PROFILE_IDLE];
        }
    }
    return INOX_OK;
}

inox_status ix_profiler_report(const ix_plan *p, ix_profile *out, inox_error *err)
{
    *out = (ix_profile){ .threads = ix_pool_threads(p->options.pool) };
    if (p->profiler == NULL)
        return INOX_OK;
    inox_status status = report(p, p->profiler, out, err);
    if (status != INOX_OK) {
        ix_arena_release(&out->arena);
        *out = (ix_profile){ 0 };
    }
    return status;
}
