/* Packs weights into the panels that kernels read, all workers together, and lets go of the file's
 * pages.
 *
 * Behind the packing the file's pages are dropped from this process (they stay in the system's page
 * cache), so that peak memory is the panels and a few tiles.
 */
#include "back/cpu/plan.h"

#include "base/os.h"

#define TILE_BYTES (1 << 20) /* of the file: enough work to take at once, little left resident */

typedef struct pack_task {
    const ix_panels *panels;
    ix_counter *counter;
    int64_t cols, depth, cols_per_tile;
    size_t row_bytes;
} pack_task;

static size_t row_bytes_of(const ix_tensor *w)
{
    const ix_type_info *t = ix_type_of(w->type);
    return (size_t)(w->dims[1].value / t->block_elements) * t->block_bytes;
}

/* Rows [col, col_end) of the file are in panels now. */
static void forget(const ix_tensor *w, size_t first_byte, size_t bytes)
{
    if (w->map == NULL || w->map->handle < 0)
        return;
    uint64_t start = (uint64_t)((const uint8_t *)w->data - w->map->data);
    ix_map_forget(w->map, start + first_byte, bytes);
}

static void pack_worker(void *context, int worker)
{
    (void)worker;
    const pack_task *t = context;
    const ix_panels *s = t->panels;
    for (;;) {
        int64_t first = ix_counter_take(t->counter) * t->cols_per_tile;
        if (first >= t->cols)
            return;
        int64_t last = first + t->cols_per_tile < t->cols ? first + t->cols_per_tile : t->cols;
        for (int64_t col = first; col < last; col += IX_PANEL_COLS) {
            int64_t cols = last - col < IX_PANEL_COLS ? last - col : IX_PANEL_COLS;
            s->kernel->pack_panel(
                (const uint8_t *)s->w->data + (size_t)col * t->row_bytes, t->row_bytes, cols,
                t->depth, (uint8_t *)s->data + (size_t)(col / IX_PANEL_COLS) * s->panel_bytes);
        }
        forget(s->w, (size_t)first * t->row_bytes, (size_t)(last - first) * t->row_bytes);
    }
}

/* Panels of the same bytes for the same kernel in another plan. */
static const ix_panels *find_shared(const ix_plan *other, const ix_panels *s)
{
    for (int32_t i = 0; other != NULL && i < other->panels_count; i++) {
        const ix_panels *o = &other->panels[i];
        if (o->w->data == s->w->data && o->kernel == s->kernel && o->data != NULL)
            return o;
    }
    return NULL;
}

static inox_status pack_one(ix_plan *p, ix_panels *s, inox_error *err)
{
    if (s->kernel->panel_bytes == NULL)
        return INOX_OK;
    const ix_panels *shared = find_shared(p->options.share, s);
    if (shared != NULL) {
        s->data = shared->data;
        s->panel_bytes = shared->panel_bytes;
        s->borrowed = true;
        return INOX_OK;
    }
    pack_task task = { .panels = s,
                       .counter = p->counters,
                       .cols = s->w->dims[0].value,
                       .depth = s->w->dims[1].value,
                       .row_bytes = row_bytes_of(s->w) };
    task.cols_per_tile = TILE_BYTES / (int64_t)task.row_bytes / IX_PANEL_COLS * IX_PANEL_COLS;
    if (task.cols_per_tile < IX_PANEL_COLS)
        task.cols_per_tile = IX_PANEL_COLS;
    s->panel_bytes = s->kernel->panel_bytes(task.depth);
    uint64_t panels = (uint64_t)(task.cols + IX_PANEL_COLS - 1) / IX_PANEL_COLS;
    IX_TRY(ix_alloc_aligned(panels * s->panel_bytes, 64, &s->data, err));
    p->panel_bytes += panels * s->panel_bytes;
    ix_counter_reset(task.counter);
    ix_pool_run(p->options.pool, pack_worker, &task);
    forget(s->w, 0, (size_t)s->w->data_bytes); /* pages that two tiles shared */
    return INOX_OK;
}

inox_status ix_plan_pack_weights(ix_plan *p, inox_error *err)
{
    uint64_t all = 0, done = 0;
    for (int32_t i = 0; i < p->panels_count; i++)
        all += p->panels[i].w->data_bytes;
    for (int32_t i = 0; i < p->panels_count; i++) {
        IX_TRY(pack_one(p, &p->panels[i], err));
        done += p->panels[i].w->data_bytes;
        if (p->options.progress != NULL && p->panels[i].data != NULL &&
            p->options.progress(p->options.progress_context, (double)done / (double)all) != 0)
            return ix_fail(err, INOX_E_CANCELLED, "loading was cancelled");
    }
    return INOX_OK;
}

void ix_plan_free_panels(ix_plan *p)
{
    for (int32_t i = 0; i < p->panels_count; i++) {
        if (!p->panels[i].borrowed)
            ix_free_aligned(p->panels[i].data);
    }
}
