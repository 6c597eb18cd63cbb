/* Packs weights into the panels that kernels read, all workers together, and lets go of the file's
 * pages.
 *
 * After packing a tensor its pages in the mapping are dropped from this process (they stay in the
 * system's page cache), so that peak memory is the panels plus one tensor.
 */
#include "back/cpu/plan.h"

#include "base/os.h"

#define PANELS_PER_TILE                                                                            \
    8 /* so that a tile is some hundreds of kilobytes: enough work, small waste */

typedef struct pack_task {
    const ix_panels *panels;
    ix_counter *counter;
    int64_t cols, depth;
    size_t row_bytes;
} pack_task;

static size_t row_bytes_of(const ix_tensor *w)
{
    const ix_type_info *t = ix_type_of(w->type);
    return (size_t)(w->dims[1].value / t->block_elements) * t->block_bytes;
}

static void pack_worker(void *context, int worker)
{
    (void)worker;
    const pack_task *t = context;
    const ix_panels *s = t->panels;
    int64_t panels = (t->cols + IX_PANEL_COLS - 1) / IX_PANEL_COLS;
    for (;;) {
        int64_t first = ix_counter_take(t->counter) * PANELS_PER_TILE;
        if (first >= panels)
            return;
        int64_t last = first + PANELS_PER_TILE < panels ? first + PANELS_PER_TILE : panels;
        for (int64_t i = first; i < last; i++) {
            int64_t col = i * IX_PANEL_COLS;
            int64_t cols = t->cols - col < IX_PANEL_COLS ? t->cols - col : IX_PANEL_COLS;
            s->kernel->pack_panel((const uint8_t *)s->w->data + (size_t)col * t->row_bytes,
                                  t->row_bytes, cols, t->depth,
                                  (uint8_t *)s->data + (size_t)i * s->panel_bytes);
        }
    }
}

static void forget(const ix_tensor *w)
{
    if (w->map == NULL || w->map->handle < 0)
        return;
    ix_map_forget(w->map, (uint64_t)((const uint8_t *)w->data - w->map->data), w->data_bytes);
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
    s->panel_bytes = s->kernel->panel_bytes(task.depth);
    uint64_t panels = (uint64_t)(task.cols + IX_PANEL_COLS - 1) / IX_PANEL_COLS;
    IX_TRY(ix_alloc_aligned(panels * s->panel_bytes, 64, &s->data, err));
    p->panel_bytes += panels * s->panel_bytes;
    ix_counter_reset(task.counter);
    ix_pool_run(p->options.pool, pack_worker, &task);
    forget(s->w);
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
