/* When weights become panels: rows of the file at first use, packing at the second, panels behind;
 * the same bits in every state, and also where another worker has a group in its hands. */
#include "test.h"

#include "back/cpu/plan.h"
#include "base/os.h"
#include "base/task.h"
#include "base/wait.h"

#include <stdatomic.h>

enum { DEPTH = 64, MIDDLE = 256, COLS = 200, TOKENS = 29, BLOCK_BYTES = 34 };

/* y = (x W1) W2, both Q8_0: two stages of products. */
typedef struct chain {
    ix_graph *graph;
    ix_pool *pool;
    ix_plan *plan;
    ix_binding x;
    uint8_t w1[MIDDLE * DEPTH / 32 * BLOCK_BYTES], w2[COLS * MIDDLE / 32 * BLOCK_BYTES];
    float data[TOKENS * DEPTH], expected[TOKENS * COLS], y[TOKENS * COLS];
    int calls, cancel_at; /* of progress */
    double last;          /* that it told */
} chain;

static const ix_symbols SYMBOLS = { { TOKENS, 0, 0, 0, 0 } };

static int on_progress(void *context, double fraction)
{
    chain *c = context;
    c->last = fraction;
    return ++c->calls == c->cancel_at;
}

static void random_blocks(uint8_t *w, size_t bytes, uint64_t *random)
{
    for (size_t i = 0; i < bytes; i++)
        w[i] = (uint8_t)ix_test_random(random);
    for (size_t i = 1; i < bytes; i += BLOCK_BYTES)
        w[i] = 0x24; /* the scale: about 1/64 */
}

static ix_tensor *weight(chain *c, const char *name, int64_t cols, int64_t depth, const void *data,
                         size_t bytes)
{
    ix_dim dims[2] = { ix_size(cols), ix_size(depth) };
    return ix_weight(c->graph, name, IX_TYPE_Q8_0, 2, dims, data, bytes, NULL);
}

static inox_status make_plan(chain *c, const ix_plan *share, ix_plan **out, inox_error *err)
{
    ix_plan_options o = { .pool = c->pool,
                          .most = SYMBOLS,
                          .share = share,
                          .progress = on_progress,
                          .progress_context = c };
    IX_TRY(ix_isa_choose(NULL, &o.isa, err));
    return ix_backend_cpu.plan_new(c->graph, &o, out, err);
}

static inox_status chain_new(chain *c, int threads, inox_error *err)
{
    uint64_t random = 11;
    ix_dim dims[2] = { ix_sym(IX_TOKENS), ix_size(DEPTH) };
    for (int i = 0; i < TOKENS * DEPTH; i++)
        c->data[i] = ix_test_random_float(&random);
    random_blocks(c->w1, sizeof c->w1, &random);
    random_blocks(c->w2, sizeof c->w2, &random);
    IX_TRY(ix_graph_new(&c->graph, err));
    c->x = (ix_binding){ ix_input(c->graph, "x", IX_TYPE_F32, 2, dims), c->data };
    ix_tensor *h = ix_matmul(c->graph, (ix_tensor *)(uintptr_t)c->x.tensor,
                             weight(c, "w1", MIDDLE, DEPTH, c->w1, sizeof c->w1));
    ix_tensor *y = ix_matmul(c->graph, h, weight(c, "w2", COLS, MIDDLE, c->w2, sizeof c->w2));
    IX_TRY(ix_graph_finish(c->graph, y, err));
    IX_TRY(ix_graph_interpret(c->graph, &SYMBOLS, &c->x, 1, c->expected, err));
    IX_TRY(ix_pool_new(threads, &c->pool, err));
    return make_plan(c, NULL, &c->plan, err);
}

static void chain_release(chain *c)
{
    ix_backend_cpu.plan_free(c->plan);
    ix_pool_free(c->pool);
    ix_graph_free(c->graph);
}

static void check_run(ix_test *t, chain *c, ix_plan *plan, const char *when)
{
    inox_error err = { 0 };
    memset(c->y, 0xff, sizeof c->y);
    CHECK_OK(ix_backend_cpu.run(plan, &SYMBOLS, &c->x, 1, c->y, &err), &err);
    CHECK_MSG(memcmp(c->y, c->expected, sizeof c->y) == 0, "other bits %s", when);
}

/* Groups of all weights in a state. */
static int64_t groups_in(const ix_plan *p, ix_group_state state)
{
    int64_t n = 0;
    for (int32_t i = 0; i < p->panels_count; i++) {
        const ix_panels *s = &p->panels[i];
        int64_t cols = s->w->dims[0].value;
        for (int64_t g = 0; g * s->group_cols < cols; g++)
            n += atomic_load(&s->store->state[g]) == state;
    }
    return n;
}

static bool has_panels(const chain *c)
{
    return c->plan != NULL && c->plan->panels[0].store != NULL;
}

TEST(back_panels_second_use)
{
    static const int THREADS[] = { 1, 2, 7 };
    for (size_t i = 0; i < sizeof THREADS / sizeof *THREADS; i++) {
        static chain c;
        inox_error err = { 0 };
        ix_plan *other = NULL;
        c = (chain){ .calls = 0 };
        CHECK_OK(chain_new(&c, THREADS[i], &err), &err);
        if (has_panels(&c)) {
            CHECK_OK(make_plan(&c, c.plan, &other, &err), &err);
            bool by_rows = c.plan->panels[0].rows_kernel != NULL;
            check_run(t, &c, c.plan, "at first use");
            CHECK(groups_in(c.plan, by_rows ? IX_GROUP_READY : IX_GROUP_NONE) == 0);
            CHECK(c.calls > 1 && c.last == 1.0);
            c.calls = 0;
            check_run(t, &c, c.plan, "at second use");
            CHECK(groups_in(c.plan, IX_GROUP_READY) > 0);
            CHECK(groups_in(c.plan, IX_GROUP_NONE) + groups_in(c.plan, IX_GROUP_PACKING) == 0);
            CHECK(c.calls == 0);
            check_run(t, &c, c.plan, "behind it");
            check_run(t, &c, other, "with borrowed panels");
            CHECK(c.calls == 0 && other->panels[0].store == c.plan->panels[0].store);
        }
        ix_backend_cpu.plan_free(other);
        chain_release(&c);
    }
}

TEST(back_panels_cancelled)
{
    static chain c;
    inox_error err = { 0 };
    c = (chain){ .cancel_at = 1 };
    CHECK_OK(chain_new(&c, 3, &err), &err);
    if (has_panels(&c)) {
        CHECK(ix_backend_cpu.run(c.plan, &SYMBOLS, &c.x, 1, c.y, &err) == INOX_E_CANCELLED);
        CHECK(c.calls == 1 && c.last < 1.0);
        c.cancel_at = 0;
        for (int i = 0; i < 3; i++)
            check_run(t, &c, c.plan, "behind a cancelled run");
    }
    chain_release(&c);
}

/* What a slow worker does at last. */
static void finish_group(void *context)
{
    _Atomic uint32_t *state = context;
    double end = ix_clock_seconds() + 0.02;
    while (ix_clock_seconds() < end)
        ;
    atomic_store_explicit(state, IX_GROUP_READY, memory_order_release);
    ix_wake_all(state);
}

TEST(back_panels_in_other_hands)
{
    static chain c;
    inox_error err = { 0 };
    ix_task *task = NULL;
    c = (chain){ .calls = 0 };
    CHECK_OK(chain_new(&c, 2, &err), &err);
    if (has_panels(&c)) {
        ix_panels *s = &c.plan->panels[0];
        for (int i = 0; i < 2; i++)
            check_run(t, &c, c.plan, "while packing");
        atomic_store(&s->store->state[0], IX_GROUP_PACKING);
        if (s->rows_kernel != NULL) {
            check_run(t, &c, c.plan, "by rows meanwhile");
            CHECK(atomic_load(&s->store->state[0]) == IX_GROUP_PACKING);
        }
        s->rows_kernel = NULL; /* nothing to do but wait */
        CHECK_OK(ix_task_start(finish_group, &s->store->state[0], &task, &err), &err);
        if (task != NULL)
            check_run(t, &c, c.plan, "after waiting");
        ix_task_join(task);
    }
    chain_release(&c);
}
