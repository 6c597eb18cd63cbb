/* Weights in panels, packed when they are used for the second time.
 *
 *   weight   group 0 | group 1 | group 2 | ...   columns of one tile of a product
 *   state    ready   | packing | none    | ...
 *
 * The first run over a weight takes the kernel that reads the file's own layout, which gives the
 * same bits: so the first token waits for no packing, and a model that is asked once is never
 * packed.  From the second run on, the worker that takes a tile whose group is not packed packs it,
 * a few columns at a time, and computes with each while it lies in the cache.  A worker that meets
 * a group in another one's hands reads the file's layout once more.
 *
 * Behind the packing the file's pages are dropped from this process (they stay in the system's page
 * cache), so that peak memory is the panels and a few tiles.  The memory of panels is taken with
 * the plan, and becomes resident as it is packed.
 */
#include "back/cpu/plan.h"

#include "base/os.h"
#include "base/wait.h"

#include <stdatomic.h>

#define TILES_PER_WORKER 8 /* of a product: the last one to finish is at most an eighth late */
#define GROUP_COLS_MAX 512
#define PACK_BYTES (1 << 18)   /* of the file, packed before they are computed with */
#define FORGET_BYTES (1 << 18) /* a smaller group waits for the others: the call costs more */
#define FORGET_ROWS 64         /* of a table of embeddings */

static size_t row_bytes_of(const ix_tensor *w)
{
    const ix_type_info *t = ix_type_of(w->type);
    return (size_t)(w->dims[1].value / t->block_elements) * t->block_bytes;
}

static int64_t group_cols_of(const ix_plan *p, const ix_tensor *w)
{
    int64_t cols = w->dims[0].value;
    int64_t wanted = (int64_t)ix_pool_threads(p->options.pool) * TILES_PER_WORKER;
    int64_t each = (int64_t)ix_round_up((uint64_t)((cols + wanted - 1) / wanted), IX_PANEL_COLS);
    return each > GROUP_COLS_MAX ? GROUP_COLS_MAX : each > 0 ? each : IX_PANEL_COLS;
}

/* ---- room ------------------------------------------------------------------------------------ */

/* Panels of the same bytes for the same kernel in another plan. */
static const ix_panels *find_shared(const ix_plan *other, const ix_panels *s)
{
    for (int32_t i = 0; other != NULL && i < other->panels_count; i++) {
        const ix_panels *o = &other->panels[i];
        if (o->w->data == s->w->data && o->kernel == s->kernel && o->store != NULL)
            return o;
    }
    return NULL;
}

static inox_status new_store(ix_plan *p, ix_panels *s, inox_error *err)
{
    int64_t cols = s->w->dims[0].value, groups = (cols + s->group_cols - 1) / s->group_cols;
    uint64_t panels = (uint64_t)(cols + IX_PANEL_COLS - 1) / IX_PANEL_COLS;
    void *store;
    IX_TRY(ix_arena_alloc(
        &p->arena, 1, sizeof *s->store + (size_t)groups * sizeof s->store->state[0], &store, err));
    s->store = store;
    atomic_init(&s->store->left, groups);
    s->panel_bytes = s->kernel->panel_bytes(s->w->dims[1].value);
    IX_TRY(ix_alloc_aligned(panels * s->panel_bytes, 64, (void **)&s->store->data, err));
    if (p->options.interleave)
        ix_interleave_nodes(s->store->data, panels * s->panel_bytes);
    p->panel_bytes += panels * s->panel_bytes;
    return INOX_OK;
}

static inox_status plan_one(ix_plan *p, ix_panels *s, inox_error *err)
{
    s->group_cols = group_cols_of(p, s->w);
    if (s->kernel->panel_bytes == NULL)
        return INOX_OK;
    s->rows_kernel = ix_matmul_find(s->w->type, p->options.isa, true);
    if (s->rows_kernel != NULL && s->rows_kernel->acts_format != s->kernel->acts_format)
        s->rows_kernel = NULL;
    const ix_panels *shared = find_shared(p->options.share, s);
    if (shared == NULL)
        return new_store(p, s, err);
    s->store = shared->store;
    s->group_cols = shared->group_cols;
    s->panel_bytes = shared->panel_bytes;
    s->borrowed = true;
    return INOX_OK;
}

inox_status ix_plan_panels(ix_plan *p, inox_error *err)
{
    for (int32_t i = 0; i < p->panels_count; i++)
        IX_TRY(plan_one(p, &p->panels[i], err));
    return INOX_OK;
}

void ix_plan_free_panels(ix_plan *p)
{
    for (int32_t i = 0; i < p->panels_count; i++) {
        if (p->panels[i].store != NULL && !p->panels[i].borrowed)
            ix_free_aligned(p->panels[i].store->data);
    }
}

/* ---- packing --------------------------------------------------------------------------------- */

/* These bytes of the weight are in panels now. */
static void forget(const ix_tensor *w, size_t first_byte, size_t bytes)
{
    if (w->map == NULL || w->map->handle < 0)
        return;
    uint64_t start = (uint64_t)((const uint8_t *)w->data - w->map->data);
    ix_map_forget(w->map, start + first_byte, bytes);
}

/* With each row of a table that is looked at the system maps what it has around it, 64 KB: an
 * hour's tokens would make the table resident.  Not while products read the same rows. */
void ix_table_was_read(ix_plan *p, const ix_tensor *table, int64_t rows)
{
    int64_t before = atomic_fetch_add_explicit(&p->rows_gathered, rows, memory_order_relaxed);
    if (before / FORGET_ROWS == (before + rows) / FORGET_ROWS)
        return;
    for (int32_t i = 0; i < p->panels_count; i++) {
        const ix_panels *s = &p->panels[i];
        bool packed =
            s->store != NULL && atomic_load_explicit(&s->store->left, memory_order_relaxed) == 0;
        if (s->w->data == table->data && !packed)
            return;
    }
    forget(table, 0, (size_t)table->data_bytes);
}

static void pack(const ix_panels *s, size_t row_bytes, int64_t first, int64_t last)
{
    const uint8_t *rows = s->w->data;
    for (int64_t col = first; col < last; col += IX_PANEL_COLS) {
        int64_t cols = last - col < IX_PANEL_COLS ? last - col : IX_PANEL_COLS;
        s->kernel->pack_panel(rows + (size_t)col * row_bytes, row_bytes, cols, s->w->dims[1].value,
                              s->store->data + (size_t)(col / IX_PANEL_COLS) * s->panel_bytes);
    }
}

static void group_is_ready(const ix_panels *s, int64_t group, size_t row_bytes)
{
    int64_t first = group * s->group_cols, cols = s->w->dims[0].value - first;
    size_t bytes = (size_t)(cols < s->group_cols ? cols : s->group_cols) * row_bytes;
    _Atomic uint32_t *state = &s->store->state[group];
    atomic_store_explicit(state, IX_GROUP_READY, memory_order_release);
    if (s->rows_kernel == NULL)
        ix_wake_all(state);
    if (atomic_fetch_sub_explicit(&s->store->left, 1, memory_order_relaxed) == 1)
        forget(s->w, 0, (size_t)s->w->data_bytes); /* pages that two groups shared, too */
    else if (bytes >= FORGET_BYTES)
        forget(s->w, (size_t)first * row_bytes, bytes);
}

/* A tile whose group this worker packs. */
static void pack_and_run(const ix_panels *s, const ix_matmul_job *job, int64_t row, int64_t row_end,
                         int64_t col, int64_t col_end, void *scratch)
{
    size_t row_bytes = row_bytes_of(s->w);
    int64_t group = col / s->group_cols;
    int64_t some = (int64_t)(PACK_BYTES / row_bytes) / IX_PANEL_COLS * IX_PANEL_COLS;
    if (some < IX_PANEL_COLS)
        some = IX_PANEL_COLS;
    for (int64_t end; col < col_end; col = end) {
        end = col + some < col_end ? col + some : col_end;
        pack(s, row_bytes, col, end);
        s->kernel->run(job, row, row_end, col, end, scratch);
    }
    group_is_ready(s, group, row_bytes);
}

/* No run before this one has used the weight. */
static bool first_use(ix_plan *p, ix_panel_store *store)
{
    uint64_t first = 0;
    if (!atomic_compare_exchange_strong_explicit(&store->first_run, &first, p->runs,
                                                 memory_order_relaxed, memory_order_relaxed) &&
        first != p->runs)
        return false;
    atomic_store_explicit(&p->loading, true, memory_order_relaxed);
    return true;
}

/* Where a tile's weights come from. */
typedef enum source { FROM_PANELS, FROM_ROWS, PACK_NOW } source;

static source choose(ix_plan *p, const ix_panels *s, _Atomic uint32_t *state)
{
    uint32_t seen = atomic_load_explicit(state, memory_order_acquire);
    if (seen == IX_GROUP_READY)
        return FROM_PANELS;
    if (first_use(p, s->store) && s->rows_kernel != NULL)
        return FROM_ROWS;
    if (seen == IX_GROUP_NONE &&
        atomic_compare_exchange_strong_explicit(state, &seen, IX_GROUP_PACKING,
                                                memory_order_acquire, memory_order_acquire))
        return PACK_NOW;
    if (s->rows_kernel != NULL)
        return FROM_ROWS;
    while (atomic_load_explicit(state, memory_order_acquire) == IX_GROUP_PACKING)
        ix_wait_while(state, IX_GROUP_PACKING);
    return FROM_PANELS;
}

void ix_run_panels(ix_plan *p, const ix_panels *s, ix_matmul_job *job, int64_t row, int64_t row_end,
                   int64_t col, int64_t col_end, void *scratch)
{
    source from = FROM_ROWS;
    const ix_matmul_kernel *k = s->kernel;
    if (s->store != NULL) {
        from = choose(p, s, &s->store->state[col / s->group_cols]);
        k = from == FROM_ROWS ? s->rows_kernel : s->kernel;
    }
    job->weights = from == FROM_ROWS ? s->w->data : s->store->data;
    if (from == PACK_NOW)
        pack_and_run(s, job, row, row_end, col, col_end, scratch);
    else
        k->run(job, row, row_end, col, col_end, scratch);
}
