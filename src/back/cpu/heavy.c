/* Matrix products and attention, cut into rectangles that workers take one after another.
 *
 * The cut is free (the contract makes it invisible), so it is made for speed: rectangles are small
 * enough that all workers end together and large enough that taking one costs nothing, and the
 * packed activations of a rectangle stay in the second-level cache.
 */
#include "back/cpu/plan.h"

#define ACTS_BYTES_IN_CACHE (7 << 19) /* packed activations of one rectangle: weights pass once */
#define TOKENS_PER_ATTENTION_TILE 16

typedef struct cut {
    int64_t rows, cols, rows_per_tile, cols_per_tile, row_tiles, col_tiles;
} cut;

static cut cut_linear(const ix_panels *w, int64_t rows, int64_t cols, int64_t depth)
{
    const ix_matmul_kernel *k = w->kernel;
    cut c = { .rows = rows, .cols = cols, .cols_per_tile = w->group_cols };
    int64_t row_bytes = (int64_t)(k->acts_bytes(k->row_tile, depth) / (size_t)k->row_tile);
    c.rows_per_tile = ACTS_BYTES_IN_CACHE / (row_bytes + 1) / k->row_tile * k->row_tile;
    if (c.rows_per_tile < k->row_tile)
        c.rows_per_tile = k->row_tile;
    c.row_tiles = (rows + c.rows_per_tile - 1) / c.rows_per_tile;
    if (c.row_tiles > 1) { /* even out */
        int64_t even = (rows + c.row_tiles - 1) / c.row_tiles;
        c.rows_per_tile = (even + k->row_tile - 1) / k->row_tile * k->row_tile;
        c.row_tiles = (rows + c.rows_per_tile - 1) / c.rows_per_tile;
    }
    c.col_tiles = (cols + c.cols_per_tile - 1) / c.cols_per_tile;
    return c;
}

static ix_matmul_job linear_job(const ix_plan *p, const ix_step *s)
{
    const ix_tensor *x = s->x;
    const ix_panels *w = &p->panels[s->panels];
    const ix_type_info *t = ix_type_of(w->w->type);
    ix_matmul_job job = { 0 };
    job.cols = w->w->dims[0].value;
    job.depth = w->w->dims[1].value;
    job.rows = ix_tensor_elements(x, p->symbols) / job.cols;
    job.acts = ix_value_at(p, &p->packs[s->pack].value);
    job.weight_row_bytes = (size_t)(job.depth / t->block_elements) * t->block_bytes;
    job.y = ix_tensor_at(p, x);
    job.ldy = job.cols;
    int arg = 2;
    if (x->op == IX_OP_LINEAR && x->attrs.linear.bias)
        job.bias = ix_tensor_at(p, x->args[arg++]);
    if (x->op == IX_OP_LINEAR && x->attrs.linear.residual)
        job.residual = ix_tensor_at(p, x->args[arg]);
    return job;
}

void ix_run_linear(ix_plan *p, const ix_step *s, ix_counter *counter, void *scratch)
{
    const ix_panels *w = &p->panels[s->panels];
    ix_matmul_job job = linear_job(p, s);
    if (job.rows == 0)
        return;
    cut c = cut_linear(w, job.rows, job.cols, job.depth);
    for (;;) {
        int64_t tile = ix_counter_take(counter);
        if (tile >= c.row_tiles * c.col_tiles)
            return;
        int64_t row = tile / c.col_tiles * c.rows_per_tile,
                col = tile % c.col_tiles * c.cols_per_tile;
        int64_t row_end = row + c.rows_per_tile < c.rows ? row + c.rows_per_tile : c.rows;
        int64_t col_end = col + c.cols_per_tile < c.cols ? col + c.cols_per_tile : c.cols;
        ix_run_panels(p, w, &job, row, row_end, col, col_end, scratch);
    }
}

ix_attention_job ix_attention_job_of(const ix_plan *p, const ix_tensor *x)
{
    const ix_tensor *cache = x->args[1], *pages = x->args[4];
    ix_attention_job job = { 0 };
    ix_cache_view *c = &job.cache;
    size_t element = ix_type_of(cache->type)->block_bytes;
    c->type = cache->type;
    c->kv_heads = x->attrs.attention.kv_heads;
    c->head_dim = x->attrs.attention.head_dim;
    c->value_dim = x->attrs.attention.value_dim;
    c->k = ix_tensor_at(p, cache);
    c->v = c->k == NULL ? NULL : c->k + (size_t)(c->kv_heads * c->head_dim * IX_PAGE) * element;
    c->k_page_bytes = (size_t)(c->kv_heads * (c->head_dim + c->value_dim) * IX_PAGE) * element;
    c->v_page_bytes = c->k_page_bytes;
    const ix_symbols *symbols = p->symbols != NULL ? p->symbols : &p->options.most;
    c->page_table = ix_tensor_at(p, pages);
    c->page_table_stride = ix_dim_value(pages->dims[1], symbols);
    job.tokens = ix_dim_value(x->dims[0], symbols);
    job.heads = x->args[0]->dims[1].value;
    job.q = ix_tensor_at(p, x->args[0]);
    job.out = ix_tensor_at(p, x);
    job.position = ix_tensor_at(p, x->args[2]);
    job.sequence = ix_tensor_at(p, x->args[3]);
    job.window = x->attrs.attention.window;
    job.scale = x->attrs.attention.scale;
    job.softcap = x->attrs.attention.softcap;
    job.sinks = x->arg_count > 5 ? ix_tensor_at(p, x->args[5]) : NULL;
    return job;
}

size_t ix_attention_scratch(const ix_plan *p, const ix_tensor *x)
{
    ix_attention_job job = ix_attention_job_of(p, x);
    return p->attention->scratch_bytes(&job, TOKENS_PER_ATTENTION_TILE);
}

void ix_run_attention(ix_plan *p, const ix_step *s, ix_counter *counter, void *scratch)
{
    ix_attention_job job = ix_attention_job_of(p, s->x);
    int64_t tiles = (job.tokens + TOKENS_PER_ATTENTION_TILE - 1) / TOKENS_PER_ATTENTION_TILE;
    for (;;) {
        int64_t tile = ix_counter_take(counter);
        if (tile >= tiles * job.cache.kv_heads)
            return;
        /* the last tokens see the most keys: begin with them */
        int64_t token = (tiles - 1 - tile / job.cache.kv_heads) * TOKENS_PER_ATTENTION_TILE;
        int64_t end = token + TOKENS_PER_ATTENTION_TILE < job.tokens
                          ? token + TOKENS_PER_ATTENTION_TILE
                          : job.tokens;
        int64_t kv = tile % job.cache.kv_heads;
        p->attention->run(&job, token, end, kv, kv + 1, scratch);
    }
}
