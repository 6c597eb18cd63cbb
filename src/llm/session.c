/* Sessions: feeding tokens through the plan in steps of at most max_batch rows. */
#include "llm/session.h"

#include "base/thread.h"
#include "num/attention/attention.h"

#include <string.h>

#define DEFAULT_CONTEXT 4096

void inox_session_free(inox_session *s)
{
    if (s == NULL)
        return;
    for (int64_t i = 0; s->cache != NULL && i < s->model->shape.layers; i++)
        ix_free_aligned(s->cache[i]);
    ix_free(s->cache);
    ix_free(s->page_table);
    ix_free(s->tokens);
    ix_free(s->positions);
    ix_free(s->sequence);
    ix_free(s->rows);
    ix_free(s->bindings);
    ix_free_aligned(s->logits);
    ix_free(s);
}

static inox_status make_cache(inox_session *s, inox_error *err)
{
    const ix_llm_shape *m = &s->model->shape;
    uint64_t element = s->cache_type == INOX_CACHE_F32 ? 4 : 2;
    uint64_t page =
        (uint64_t)m->kv_heads * (uint64_t)(m->head_dim + m->value_dim) * IX_PAGE * element;
    IX_TRY(IX_ALLOC(&s->cache, (size_t)m->layers, err));
    for (int64_t i = 0; i < m->layers; i++)
        IX_TRY(ix_alloc_sparse(page * (uint64_t)s->pages, 64, &s->cache[i], err));
    IX_TRY(IX_ALLOC(&s->page_table, (size_t)s->pages, err));
    for (int32_t i = 0; i < s->pages; i++)
        s->page_table[i] = i;
    return INOX_OK;
}

static void *input_data(inox_session *s, const char *name)
{
    if (strcmp(name, "positions") == 0)
        return s->positions;
    if (strcmp(name, "sequence") == 0)
        return s->sequence;
    if (strcmp(name, "pages") == 0)
        return s->page_table;
    return strcmp(name, "rows") == 0 ? s->rows : NULL;
}

/* Inputs by name, caches in the order of layers (the graph keeps the order in which they were
 * made). */
static inox_status make_bindings(inox_session *s, inox_error *err)
{
    const ix_graph *g = s->variant->graph;
    int64_t layer = 0;
    IX_TRY(IX_ALLOC(&s->bindings, (size_t)g->count, err));
    s->input_tokens = -1;
    for (int32_t i = 0; i < g->count; i++) {
        const ix_tensor *x = g->tensors[i];
        ix_binding *b = &s->bindings[s->binding_count];
        if (x->op == IX_OP_STATE)
            *b = (ix_binding){ x, s->cache[layer++] };
        else if (x->op == IX_OP_INPUT)
            *b = (ix_binding){ x, input_data(s, x->name) };
        else
            continue;
        if (x->op == IX_OP_INPUT && strcmp(x->name, "tokens") == 0)
            s->input_tokens = s->binding_count;
        s->binding_count++;
    }
    if (s->input_tokens < 0 || layer != s->model->shape.layers)
        return ix_fail(err, INOX_E_INTERNAL, "the graph has lost an input");
    return INOX_OK;
}

static inox_status new_parts(inox_session *s, inox_error *err)
{
    size_t batch = (size_t)s->model->options.max_batch;
    ix_fpenv environment = ix_fpenv_enter(); /* a plan holds computed frequencies (C8) */
    ix_lock_take(&s->model->lock);
    inox_status status = ix_model_variant(s->model, s->cache_type, &s->variant, err);
    ix_lock_give(&s->model->lock);
    ix_fpenv_leave(environment);
    IX_TRY(status);
    IX_TRY(IX_ALLOC(&s->tokens, (size_t)s->context, err));
    IX_TRY(IX_ALLOC(&s->positions, batch, err));
    IX_TRY(IX_ALLOC(&s->sequence, batch, err));
    IX_TRY(IX_ALLOC(&s->rows, batch, err));
    IX_TRY(make_cache(s, err));
    return make_bindings(s, err);
}

inox_status inox_session_new(inox_model *model, const inox_session_options *options,
                             inox_session **out, inox_error *err)
{
    inox_session_options o = INOX_SESSION_OPTIONS_INIT;
    inox_session *s;
    if (model == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_session_new: a pointer is NULL");
    *out = NULL;
    if (options != NULL && options->size != sizeof o)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_session_options.size is %zu: use INOX_SESSION_OPTIONS_INIT",
                       options->size);
    if (options != NULL)
        o = *options;
    if (o.context < 0 || o.context > IX_MAX_CONTEXT || o.cache < INOX_CACHE_AUTO ||
        o.cache > INOX_CACHE_F32)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "a context of %d positions or cache type %d is not possible", o.context,
                       (int)o.cache);
    IX_TRY(IX_ALLOC(&s, 1, err));
    s->model = model;
    s->cache_type = o.cache != INOX_CACHE_AUTO ? o.cache
                    : ix_model_is_float(model) ? INOX_CACHE_F32
                                               : INOX_CACHE_F16;
    if (o.context == 0 && model->shape.context > 0)
        o.context = model->shape.context < DEFAULT_CONTEXT ? (int32_t)model->shape.context
                                                           : DEFAULT_CONTEXT;
    s->context = o.context > 0 ? o.context : DEFAULT_CONTEXT;
    s->pages = (s->context + IX_PAGE - 1) / IX_PAGE;
    inox_status status = new_parts(s, err);
    if (status != INOX_OK) {
        inox_session_free(s);
        return status;
    }
    *out = s;
    return INOX_OK;
}

static inox_status room_for_logits(inox_session *s, size_t rows, inox_error *err)
{
    s->logits_rows = 0;
    if (rows <= s->logits_capacity)
        return INOX_OK;
    uint64_t bytes;
    ix_free_aligned(s->logits);
    s->logits = NULL;
    s->logits_capacity = 0;
    if (!ix_mul_u64(rows, (uint64_t)s->model->shape.vocabulary * sizeof(float), &bytes))
        return ix_fail(err, INOX_E_LIMIT, "logits of %zu rows are too large", rows);
    IX_TRY(ix_alloc_aligned(bytes, 64, (void **)&s->logits, err));
    s->logits_capacity = rows;
    return INOX_OK;
}

/* One run of the plan: ids[0..n) at the end of the sequence; logits of the last `rows` of them to
 * `out`. */
static inox_status step(inox_session *s, const int32_t *ids, size_t n, size_t rows, float *out,
                        inox_error *err)
{
    ix_symbols symbols = { { 0 } };
    symbols.value[IX_TOKENS] = (int64_t)n;
    symbols.value[IX_ROWS] = (int64_t)rows;
    symbols.value[IX_SEQUENCES] = 1;
    symbols.value[IX_SEQUENCE_PAGES] = s->pages;
    symbols.value[IX_CACHE_PAGES] = s->pages;
    for (size_t i = 0; i < n; i++)
        s->positions[i] = (int32_t)(s->length + i);
    for (size_t i = 0; i < rows; i++)
        s->rows[i] = (int32_t)(n - rows + i);
    s->bindings[s->input_tokens].data = (void *)(uintptr_t)ids;
    IX_TRY(ix_backend_cpu.run(s->variant->plan, &symbols, s->bindings, s->binding_count, out, err));
    memcpy(s->tokens + s->length, ids, n * sizeof *ids);
    s->length += n;
    return INOX_OK;
}

static inox_status check_ids(const inox_session *s, const int32_t *ids, size_t count,
                             inox_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < 0 || ids[i] >= s->model->shape.vocabulary)
            return ix_fail(err, INOX_E_ARGUMENT,
                           "token id %d at place %zu is not in the vocabulary of %lld", ids[i], i,
                           (long long)s->model->shape.vocabulary);
    }
    if (count > (size_t)s->context - s->length)
        return ix_fail(
            err, INOX_E_CONTEXT,
            "%zu tokens do not fit: %zu of %d positions are in use. Open the session with a "
            "larger context",
            count, s->length, s->context);
    return INOX_OK;
}

inox_status inox_session_feed(inox_session *s, const int32_t *ids, size_t count,
                              inox_logits_mode mode, inox_error *err)
{
    if (s == NULL || (ids == NULL && count > 0) || mode < INOX_LOGITS_NONE ||
        mode > INOX_LOGITS_ALL)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_session_feed: a pointer is NULL or the mode is unknown");
    IX_TRY(check_ids(s, ids, count, err));
    size_t wanted = mode == INOX_LOGITS_ALL ? count : mode == INOX_LOGITS_LAST && count > 0 ? 1 : 0;
    size_t batch = (size_t)s->model->options.max_batch, before = s->length;
    inox_status status = INOX_OK;
    IX_TRY(room_for_logits(s, wanted, err));
    ix_lock_take(&s->model->lock);
    for (size_t done = 0; done < count && status == INOX_OK;) {
        size_t n = count - done < batch ? count - done : batch;
        size_t rows = mode == INOX_LOGITS_ALL                         ? n
                      : mode == INOX_LOGITS_LAST && done + n == count ? 1
                                                                      : 0;
        size_t row = mode == INOX_LOGITS_ALL ? done : 0;
        status = step(
            s, ids + done, n, rows,
            s->logits == NULL ? NULL : s->logits + row * (size_t)s->model->shape.vocabulary, err);
        done += n;
    }
    ix_lock_give(&s->model->lock);
    if (status == INOX_OK)
        s->logits_rows = wanted;
    else
        s->length = before;
    return status;
}

const float *inox_session_logits(const inox_session *s, size_t *rows, size_t *columns)
{
    if (rows != NULL)
        *rows = s == NULL ? 0 : s->logits_rows;
    if (columns != NULL)
        *columns = s == NULL ? 0 : (size_t)s->model->shape.vocabulary;
    return s != NULL && s->logits_rows > 0 ? s->logits : NULL;
}

size_t inox_session_length(const inox_session *s)
{
    return s == NULL ? 0 : s->length;
}

inox_status inox_session_truncate(inox_session *s, size_t length, inox_error *err)
{
    if (s == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_session_truncate: the session is NULL");
    if (length > s->length)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "cannot truncate to %zu: the session has %zu positions", length, s->length);
    s->length = length;
    s->logits_rows = 0;
    return INOX_OK;
}
