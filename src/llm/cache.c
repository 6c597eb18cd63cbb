/* Caches: memory of pages, and the inputs that steps bind to the graph. */
#include "llm/cache.h"

#include "base/thread.h"

#include <string.h>

#define MAX_PAGES (1 << 24) /* 2^31 positions */

/* ---- making one */

static inox_status make_blocks(inox_cache *c, inox_error *err)
{
    const ix_llm_shape *m = &c->model->shape;
    IX_TRY(IX_ALLOC(&c->blocks, (size_t)m->layers, err));
    for (int64_t i = 0; i < m->layers; i++) {
        uint64_t bytes;
        if (!ix_mul_u64(c->page_bytes, (uint64_t)c->pages.count, &bytes))
            return ix_fail(err, INOX_E_LIMIT, "a cache of %d pages is too large", c->pages.count);
        IX_TRY(ix_alloc_sparse(bytes, 64, &c->blocks[i], err));
    }
    return INOX_OK;
}

static void *input_data(inox_cache *c, const char *name)
{
    if (strcmp(name, "tokens") == 0)
        return c->tokens;
    if (strcmp(name, "positions") == 0)
        return c->positions;
    if (strcmp(name, "sequence") == 0)
        return c->sequence;
    return strcmp(name, "rows") == 0 ? c->rows : NULL;
}

/* Inputs by name, blocks in the order of layers (the graph keeps the order in which its caches were
 * made). */
static inox_status make_bindings(inox_cache *c, inox_error *err)
{
    const ix_graph *g = c->variant->graph;
    int64_t layer = 0;
    IX_TRY(IX_ALLOC(&c->bindings, (size_t)g->count, err));
    c->page_table_binding = -1;
    for (int32_t i = 0; i < g->count; i++) {
        const ix_tensor *x = g->tensors[i];
        ix_binding *b = &c->bindings[c->binding_count];
        if (x->op == IX_OP_STATE)
            *b = (ix_binding){ x, c->blocks[layer++] };
        else if (x->op == IX_OP_INPUT)
            *b = (ix_binding){ x, input_data(c, x->name) };
        else
            continue;
        if (x->op == IX_OP_INPUT && strcmp(x->name, "pages") == 0)
            c->page_table_binding = c->binding_count;
        c->binding_count++;
    }
    if (c->page_table_binding < 0 || layer != c->model->shape.layers)
        return ix_fail(err, INOX_E_INTERNAL, "the graph has lost an input");
    return INOX_OK;
}

static uint64_t page_bytes_of(const inox_model *m, inox_cache_type type)
{
    const ix_llm_shape *s = &m->shape;
    return (uint64_t)s->kv_heads * (uint64_t)(s->head_dim + s->value_dim) * IX_PAGE *
           (type == INOX_CACHE_F32 ? 4 : 2);
}

inox_cache_type ix_cache_type_of(const inox_model *m, inox_cache_type type)
{
    if (type != INOX_CACHE_AUTO)
        return type;
    return ix_model_is_float(m) ? INOX_CACHE_F32 : INOX_CACHE_F16;
}

static inox_status make_parts(inox_cache *c, int32_t pages, bool reuse, inox_error *err)
{
    size_t batch = (size_t)c->model->options.max_batch;
    ix_fpenv environment = ix_fpenv_enter(); /* a plan holds computed frequencies (C8) */
    ix_lock_take(&c->model->lock);
    inox_status status = ix_model_variant(c->model, c->type, &c->variant, err);
    ix_lock_give(&c->model->lock);
    ix_fpenv_leave(environment);
    IX_TRY(status);
    c->page_bytes = page_bytes_of(c->model, c->type);
    IX_TRY(ix_page_pool_init(&c->pages, pages, reuse, err));
    IX_TRY(IX_ALLOC(&c->tokens, batch, err));
    IX_TRY(IX_ALLOC(&c->positions, batch, err));
    IX_TRY(IX_ALLOC(&c->sequence, batch, err));
    IX_TRY(IX_ALLOC(&c->rows, batch, err));
    IX_TRY(make_blocks(c, err));
    return make_bindings(c, err);
}

inox_status ix_cache_new(inox_model *model, inox_cache_type type, int64_t pages, bool reuse,
                         inox_cache **out, inox_error *err)
{
    inox_cache *c;
    if (pages < 1 || pages > MAX_PAGES)
        return ix_fail(err, INOX_E_LIMIT,
                       "a cache of %lld pages of %d positions: 1 to %d are possible",
                       (long long)pages, IX_PAGE, MAX_PAGES);
    IX_TRY(IX_ALLOC(&c, 1, err));
    c->model = model;
    c->type = type; /* ix_model_variant says why a model does not run; its shape is empty then */
    inox_status status = make_parts(c, (int32_t)pages, reuse, err);
    if (status != INOX_OK) {
        inox_cache_free(c);
        return status;
    }
    *out = c;
    return INOX_OK;
}

void inox_cache_free(inox_cache *c)
{
    if (c == NULL)
        return;
    for (int64_t i = 0; c->blocks != NULL && i < c->model->shape.layers; i++)
        ix_free_aligned(c->blocks[i]);
    ix_page_pool_release(&c->pages);
    ix_free(c->blocks);
    ix_free(c->tokens);
    ix_free(c->positions);
    ix_free(c->sequence);
    ix_free(c->rows);
    ix_free(c->page_table);
    ix_free(c->bindings);
    ix_free_aligned(c->logits);
    ix_free(c);
}

/* ---- for steps */

void ix_cache_copy_page(const inox_cache *c, int32_t from, int32_t to)
{
    for (int64_t i = 0; i < c->model->shape.layers; i++) {
        uint8_t *block = c->blocks[i];
        memcpy(block + (uint64_t)to * c->page_bytes, block + (uint64_t)from * c->page_bytes,
               c->page_bytes);
    }
}

inox_status ix_cache_reserve(inox_cache *c, size_t page_table, size_t logits, inox_error *err)
{
    if (page_table > c->page_table_capacity) {
        IX_TRY(IX_REALLOC(&c->page_table, page_table, err));
        c->page_table_capacity = page_table;
        c->bindings[c->page_table_binding].data = c->page_table;
    }
    if (logits > c->logits_capacity) {
        ix_free_aligned(c->logits);
        c->logits = NULL;
        c->logits_capacity = 0;
        IX_TRY(ix_alloc_aligned(logits * (size_t)c->model->shape.vocabulary * sizeof(float), 64,
                                (void **)&c->logits, err));
        c->logits_capacity = logits;
    }
    return INOX_OK;
}

/* ---- public */

inox_status inox_cache_new(inox_model *model, const inox_cache_options *options, inox_cache **out,
                           inox_error *err)
{
    if (model == NULL || options == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_cache_new: a pointer is NULL");
    *out = NULL;
    if (options->size != sizeof *options)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_cache_options.size is %zu: use INOX_CACHE_OPTIONS_INIT",
                       options->size);
    if (options->type < INOX_CACHE_AUTO || options->type > INOX_CACHE_F32)
        return ix_fail(err, INOX_E_ARGUMENT, "cache type %d is not possible", (int)options->type);
    if ((options->positions <= 0) == (options->bytes == 0))
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_cache_options: give either positions or bytes, more than 0");
    inox_cache_type type = ix_cache_type_of(model, options->type);
    int64_t pages = options->positions / IX_PAGE + (options->positions % IX_PAGE != 0);
    if (options->bytes > 0) {
        uint64_t page = page_bytes_of(model, type) * (uint64_t)model->shape.layers;
        if (page > options->bytes)
            return ix_fail(err, INOX_E_ARGUMENT,
                           "a cache of %llu bytes holds nothing: a page of %d positions has %llu",
                           (unsigned long long)options->bytes, IX_PAGE, (unsigned long long)page);
        pages = page == 0 ? 1 : (int64_t)(options->bytes / page);
        pages = pages > MAX_PAGES ? MAX_PAGES : pages;
    }
    return ix_cache_new(model, type, pages, options->reuse, out, err);
}

inox_status inox_cache_describe(inox_cache *c, inox_cache_info *out, inox_error *err)
{
    if (c == NULL || out == NULL || out->size != sizeof *out)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_cache_describe: initialise the info with INOX_CACHE_INFO_INIT");
    ix_page_counts n = ix_pages_count(&c->pages);
    *out = (inox_cache_info)INOX_CACHE_INFO_INIT;
    out->type = c->type;
    out->page_positions = IX_PAGE;
    out->page_bytes = c->page_bytes * (uint64_t)c->model->shape.layers;
    out->pages = c->pages.count;
    out->pages_used = n.used;
    out->pages_kept = n.kept;
    out->pages_reused = n.reused;
    out->pages_evicted = n.evicted;
    return INOX_OK;
}
