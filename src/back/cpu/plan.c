/* The CPU back end: makes a plan and runs it.
 *
 * Running is one parallel region: every worker walks through all steps, takes tiles until a step
 * has none left, and meets the others where a stage ends.  Invariant: nothing in a run allocates or
 * fails; what could be wrong in the inputs is checked before the region begins.
 */
#include "back/cpu/plan.h"

#include "back/cpu/profile.h"
#include "num/scalar/scalar.h"

#include <stdatomic.h>

#define ROWS_AT_ONCE 16 /* of a row step, at most, but for packing in larger tiles */

void *ix_value_at(const ix_plan *p, const ix_value *v)
{
    switch (v->place) {
    case IX_PLACE_WORKSPACE: return p->workspace + v->offset;
    case IX_PLACE_OUTPUT: return p->out;
    default: return v->bound;
    }
}

static void plan_free(ix_plan *p)
{
    if (p == NULL)
        return;
    ix_plan_free_panels(p);
    ix_free_aligned(p->workspace);
    ix_free_aligned(p->scratch);
    ix_free_aligned(p->counters);
    ix_profiler_free(p->profiler);
    ix_arena arena = p->arena; /* the plan lies on the heap, all else in its arena */
    ix_arena_release(&arena);
    ix_free(p);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t linear_scratch(const ix_matmul_kernel *k, int64_t depth)
{
    return k == NULL || k->scratch_bytes == NULL ? 0 : k->scratch_bytes(depth);
}

static inox_status allocate(ix_plan *p, inox_error *err)
{
    size_t scratch = 64;
    IX_TRY(ix_alloc_aligned(p->workspace_bytes + 64, 64, (void **)&p->workspace, err));
    for (int32_t i = 0; i < p->step_count; i++) {
        const ix_step *s = &p->steps[i];
        if (s->kind == IX_STEP_LINEAR) {
            const ix_panels *w = &p->panels[s->panels];
            int64_t depth = p->packs[s->pack].depth;
            scratch = larger(scratch, linear_scratch(w->kernel, depth));
            scratch = larger(scratch, linear_scratch(w->rows_kernel, depth));
        } else if (s->kind == IX_STEP_ATTENTION) {
            scratch = larger(scratch, ix_attention_scratch(p, s->x));
        }
    }
    p->scratch_bytes = (size_t)ix_round_up(scratch, 4096); /* workers do not share cache lines */
    size_t workers = (size_t)ix_pool_threads(p->options.pool);
    return ix_alloc_aligned(p->scratch_bytes * workers, 64, (void **)&p->scratch, err);
}

static inox_status plan_new(const ix_graph *g, const ix_plan_options *options, ix_plan **out,
                            inox_error *err)
{
    ix_plan *p;
    inox_status status;
    IX_TRY(IX_ALLOC(&p, 1, err));
    p->graph = g;
    p->options = *options;
    p->row = ix_row_kernels_for(options->isa);
    p->attention = ix_attention_kernels_for(options->isa);
    IX_TRY_GOTO(status, ix_plan_stages(p, err), fail);
    IX_TRY_GOTO(status, ix_plan_memory(p, err), fail);
    IX_TRY_GOTO(status,
                ix_alloc_aligned(((size_t)p->step_count + 1) * sizeof *p->counters, 64,
                                 (void **)&p->counters, err),
                fail);
    IX_TRY_GOTO(status, ix_plan_panels(p, err), fail);
    IX_TRY_GOTO(status, allocate(p, err), fail);
    *out = p;
    return INOX_OK;
fail:
    plan_free(p);
    return status;
}

static ix_plan_info plan_info(const ix_plan *p)
{
    return (ix_plan_info){ p->workspace_bytes +
                               p->scratch_bytes * (size_t)ix_pool_threads(p->options.pool),
                           p->panel_bytes, p->step_count, p->stage_count };
}

/* Rows that a worker takes at once: neighbours share cache lines of the keys that are stored, but
 * all workers shall end together. */
static int64_t rows_at_once(ix_plan *p, const ix_step *s, int64_t rows)
{
    int64_t share = rows / (4 * (int64_t)ix_pool_threads(p->options.pool));
    share = share < ROWS_AT_ONCE ? share : ROWS_AT_ONCE;
    return share > s->row_tile ? share / s->row_tile * s->row_tile : s->row_tile;
}

static void run_row_step(ix_plan *p, const ix_step *s, ix_counter *counter)
{
    int64_t rows = ix_dim_value(s->rows, p->symbols), tile = rows_at_once(p, s, rows);
    for (;;) {
        int64_t first = ix_counter_take(counter) * tile;
        if (first >= rows)
            return;
        ix_run_rows(p, s, first, first + tile < rows ? first + tile : rows);
    }
}

/* Asks the caller's function, and computes by the contract behind it, whatever it has set. */
static bool cancelled(const ix_plan_options *o, double done)
{
    bool answer = o->progress(o->progress_context, done) != 0;
    ix_fpenv_enter();
    return answer;
}

/* Step `next` is about to begin.  A run that reads weights for the first time may take long; where
 * its caller cancels it, it ends before the stage that is named here. */
static void tell_progress(ix_plan *p, int32_t next)
{
    const ix_plan_options *o = &p->options;
    if (o->progress == NULL || !atomic_load_explicit(&p->loading, memory_order_relaxed))
        return;
    if (cancelled(o, (double)next / (double)p->step_count))
        atomic_store_explicit(&p->end_stage, p->steps[next].stage, memory_order_relaxed);
}

static void worker_main(void *context, int worker)
{
    ix_plan *p = context;
    void *scratch = p->scratch + p->scratch_bytes * (size_t)worker;
    if (p->profiler != NULL)
        ix_profiler_note(p->profiler, worker, 0, IX_PROFILE_IDLE);
    for (int32_t i = 0; i < p->step_count; i++) {
        const ix_step *s = &p->steps[i];
        if (i > 0 && s->stage != p->steps[i - 1].stage) {
            if (worker == 0)
                tell_progress(p, i);
            ix_pool_barrier(p->options.pool);
            if (p->profiler != NULL)
                ix_profiler_note(p->profiler, worker, i - 1, IX_PROFILE_IDLE);
            if (s->stage >= atomic_load_explicit(&p->end_stage, memory_order_relaxed))
                return;
        }
        if (s->kind == IX_STEP_ROWS)
            run_row_step(p, s, &p->counters[i]);
        else if (s->kind == IX_STEP_LINEAR)
            ix_run_linear(p, s, &p->counters[i], scratch);
        else
            ix_run_attention(p, s, &p->counters[i], scratch);
        if (p->profiler != NULL)
            ix_profiler_note(p->profiler, worker, i, IX_PROFILE_BUSY);
    }
}

static inox_status check_symbols(const ix_plan *p, const ix_symbols *symbols, inox_error *err)
{
    for (int i = 0; i < IX_SYMBOL_COUNT; i++) {
        if (symbols->value[i] < 0 || symbols->value[i] > p->options.most.value[i])
            return ix_fail(err, INOX_E_ARGUMENT, "%lld %s, but the plan was made for at most %lld",
                           (long long)symbols->value[i], ix_symbol_name((ix_symbol)i),
                           (long long)p->options.most.value[i]);
    }
    return INOX_OK;
}

static inox_status check_range(const ix_plan *p, const ix_tensor *ids, int64_t limit,
                               const char *what, inox_error *err)
{
    const int32_t *v = ix_tensor_at(p, ids);
    int64_t n = ix_tensor_elements(ids, p->symbols);
    for (int64_t i = 0; i < n; i++) {
        if (v[i] < 0 || v[i] >= limit)
            return ix_fail(err, INOX_E_ARGUMENT, "%s: index %d at place %lld is not in 0..%lld",
                           what, v[i], (long long)i, (long long)limit - 1);
    }
    return INOX_OK;
}

/* Where the rows of a store or an attention stand. */
typedef struct rows_at {
    const ix_tensor *position, *sequence, *pages;
} rows_at;

/* Every page that attention may touch exists. */
static inox_status check_pages(const ix_plan *p, const rows_at *r, inox_error *err)
{
    int64_t stride = ix_dim_value(r->pages->dims[1], p->symbols);
    int64_t limit = p->symbols->value[IX_CACHE_PAGES];
    int64_t sequences = ix_dim_value(r->pages->dims[0], p->symbols);
    const int32_t *table = ix_tensor_at(p, r->pages), *at = ix_tensor_at(p, r->position);
    const int32_t *seq = ix_tensor_at(p, r->sequence);
    IX_TRY(check_range(p, r->sequence, sequences, "sequence", err));
    IX_TRY(check_range(p, r->position, stride * IX_PAGE, "position", err));
    int64_t n = ix_tensor_elements(r->position, p->symbols);
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 && seq[i] == seq[i - 1] && at[i] / IX_PAGE <= at[i - 1] / IX_PAGE)
            continue; /* seen with the row before */
        for (int64_t page = 0; page <= at[i] / IX_PAGE; page++) {
            int32_t id = table[seq[i] * stride + page];
            if (id < 0 || id >= limit)
                return ix_fail(err, INOX_E_ARGUMENT,
                               "page %lld of sequence %d is %d, but the cache has %lld pages",
                               (long long)page, seq[i], id, (long long)limit);
        }
    }
    return INOX_OK;
}

/* All layers usually share their rows: only what differs from the layer before is checked. */
static inox_status check_inputs(const ix_plan *p, inox_error *err)
{
    rows_at last = { NULL, NULL, NULL };
    for (int32_t i = 0; i < p->graph->count; i++) {
        const ix_tensor *x = p->graph->tensors[i];
        if (x->op == IX_OP_GATHER)
            IX_TRY(check_range(p, x->args[1], ix_dim_value(x->args[0]->dims[0], p->symbols),
                               x->args[1]->name, err));
        int first = x->op == IX_OP_CACHE_STORE ? 3 : x->op == IX_OP_ATTENTION ? 2 : 0;
        if (first == 0)
            continue;
        rows_at r = { x->args[first], x->args[first + 1], x->args[first + 2] };
        if (r.position != last.position || r.sequence != last.sequence || r.pages != last.pages)
            IX_TRY(check_pages(p, &r, err));
        last = r;
    }
    return INOX_OK;
}

static inox_status bind(ix_plan *p, const ix_binding *bindings, int32_t count, inox_error *err)
{
    for (int32_t i = 0; i < p->graph->count; i++) {
        if (p->values[i].place == IX_PLACE_BOUND)
            p->values[i].bound = NULL;
    }
    for (int32_t i = 0; i < count; i++) {
        int32_t id = bindings[i].tensor->id;
        if (id < 0 || id >= p->graph->count || p->graph->tensors[id] != bindings[i].tensor)
            return ix_fail(err, INOX_E_ARGUMENT, "a binding is for a tensor of another graph");
        p->values[id].bound = bindings[i].data;
    }
    for (int32_t i = 0; i < p->graph->count; i++) {
        const ix_tensor *x = p->graph->tensors[i];
        if (p->values[i].place == IX_PLACE_BOUND && p->values[i].bound == NULL &&
            ix_tensor_elements(x, p->symbols) != 0)
            return ix_fail(err, INOX_E_ARGUMENT, "input '%s' is not bound", x->name);
    }
    return INOX_OK;
}

static inox_status run_steps(ix_plan *p, inox_error *err)
{
    const ix_plan_options *o = &p->options;
    for (int32_t i = 0; i < p->step_count; i++)
        ix_counter_reset(&p->counters[i]);
    p->runs++;
    atomic_store(&p->loading, false);
    atomic_store(&p->end_stage, INT32_MAX);
    ix_profiler_run_begins(p);
    ix_pool_run(o->pool, worker_main, p);
    ix_profiler_run_ends(p);
    if (atomic_load(&p->end_stage) != INT32_MAX)
        return ix_fail(err, INOX_E_CANCELLED, "loading was cancelled");
    if (atomic_load(&p->loading) && o->progress != NULL) {
        ix_fpenv environment = ix_fpenv_enter();
        (void)cancelled(o, 1.0); /* too late */
        ix_fpenv_leave(environment);
    }
    return INOX_OK;
}

static inox_status run(ix_plan *p, const ix_symbols *symbols, const ix_binding *bindings,
                       int32_t count, float *out, inox_error *err)
{
    IX_TRY(check_symbols(p, symbols, err));
    p->symbols = symbols;
    p->out = out;
    inox_status status = bind(p, bindings, count, err);
    if (status == INOX_OK)
        status = check_inputs(p, err);
    if (status == INOX_OK)
        status = run_steps(p, err);
    p->symbols = NULL;
    p->out = NULL;
    return status;
}

inox_status ix_step_operators(const ix_plan *p, const ix_step *s, ix_buffer *out, inox_error *err)
{
    for (int32_t i = s->first_op; i < s->first_op + s->op_count; i++) {
        const ix_row_op *op = &p->row_ops[i];
        const char *what = op->kind == IX_ROW_PACK     ? "pack"
                           : op->kind == IX_ROW_ANGLES ? "angles"
                                                       : ix_op_of(op->x->op)->name;
        IX_TRY(ix_buffer_printf(out, err, "%s%s", i == s->first_op ? "" : ", ", what));
    }
    return INOX_OK;
}

static inox_status print(const ix_plan *p, ix_buffer *out, inox_error *err)
{
    for (int32_t i = 0; i < p->step_count; i++) {
        const ix_step *s = &p->steps[i];
        IX_TRY(ix_buffer_printf(out, err, "stage %d: ", s->stage));
        if (s->kind == IX_STEP_ROWS) {
            IX_TRY(ix_step_operators(p, s, out, err));
            IX_TRY(ix_buffer_printf(out, err, "\n"));
        } else if (s->kind == IX_STEP_LINEAR) {
            const ix_panels *w = &p->panels[s->panels];
            IX_TRY(ix_buffer_printf(out, err, "linear %s [%lld, %lld] by %s\n", w->w->name,
                                    (long long)w->w->dims[0].value, (long long)w->w->dims[1].value,
                                    w->kernel->name));
        } else {
            IX_TRY(ix_buffer_printf(out, err, "attention by %s\n", p->attention->name));
        }
    }
    return INOX_OK;
}

static inox_status profile_begin(ix_plan *p, inox_error *err)
{
    ix_profiler_free(p->profiler);
    p->profiler = NULL;
    return ix_profiler_new(p, err);
}

static inox_status profile_end(ix_plan *p, ix_profile *out, inox_error *err)
{
    inox_status status = ix_profiler_report(p, out, err);
    ix_profiler_free(p->profiler);
    p->profiler = NULL;
    return status;
}

const ix_backend ix_backend_cpu = { "cpu", plan_new, plan_free,     plan_info,
                                    run,   print,    profile_begin, profile_end };
