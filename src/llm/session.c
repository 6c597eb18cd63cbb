/* Sessions: made, forked, truncated and freed.  What feeds them is in feed.c. */
#include "llm/session.h"

#include <string.h>

#define DEFAULT_CONTEXT 4096

void inox_session_free(inox_session *s)
{
    if (s == NULL)
        return;
    if (s->own_cache)
        inox_cache_free(s->cache);
    else if (s->cache != NULL)
        ix_pages_truncate(&s->cache->pages, &s->pages, 0);
    ix_free(s->pages.ids);
    ix_free(s->tokens);
    ix_free_aligned(s->logits);
    ix_free(s);
}

static inox_status new_parts(inox_session *s, inox_cache_type type, inox_error *err)
{
    if (s->cache == NULL) {
        IX_TRY(
            ix_cache_new(s->model, type, ix_pages_for((size_t)s->context), false, &s->cache, err));
        s->own_cache = true;
    }
    IX_TRY(IX_ALLOC(&s->pages.ids, (size_t)ix_pages_for((size_t)s->context), err));
    return IX_ALLOC(&s->tokens, (size_t)s->context, err);
}

static inox_status check_options(const inox_model *model, const inox_session_options *o,
                                 inox_error *err)
{
    if (o->context < 0 || o->context > IX_MAX_CONTEXT || o->cache < INOX_CACHE_AUTO ||
        o->cache > INOX_CACHE_F32)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "a context of %d positions or cache type %d is not possible", o->context,
                       (int)o->cache);
    if (o->pool != NULL && o->pool->model != model)
        return ix_fail(err, INOX_E_ARGUMENT, "the cache was made for another model");
    if (o->pool != NULL && o->cache != INOX_CACHE_AUTO && o->cache != o->pool->type)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "the cache to share is of another type: leave "
                       "inox_session_options.cache at INOX_CACHE_AUTO");
    return INOX_OK;
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
    IX_TRY(check_options(model, &o, err));
    IX_TRY(IX_ALLOC(&s, 1, err));
    s->model = model;
    s->cache = o.pool;
    if (o.context == 0 && model->shape.context > 0)
        o.context = model->shape.context < DEFAULT_CONTEXT ? (int32_t)model->shape.context
                                                           : DEFAULT_CONTEXT;
    s->context = o.context > 0 ? o.context : DEFAULT_CONTEXT;
    inox_status status = new_parts(s, ix_cache_type_of(model, o.cache), err);
    if (status != INOX_OK) {
        inox_session_free(s);
        return status;
    }
    *out = s;
    return INOX_OK;
}

inox_status inox_session_fork(const inox_session *from, inox_session **out, inox_error *err)
{
    inox_session_options o = INOX_SESSION_OPTIONS_INIT;
    inox_session *s;
    if (from == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_session_fork: a pointer is NULL");
    *out = NULL;
    if (from->own_cache)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_session_fork: the session has its cache to itself. Open it with "
                       "inox_session_options.pool");
    o.context = from->context;
    o.pool = from->cache;
    IX_TRY(inox_session_new(from->model, &o, &s, err));
    inox_status status = ix_session_room(s, from->logits_rows, err);
    if (status != INOX_OK) {
        inox_session_free(s);
        return status;
    }
    ix_pages_share(&s->cache->pages, &from->pages, &s->pages);
    if (from->length > 0)
        memcpy(s->tokens, from->tokens, from->length * sizeof *s->tokens);
    if (from->logits_rows > 0)
        memcpy(s->logits, from->logits,
               from->logits_rows * (size_t)s->model->shape.vocabulary * sizeof *s->logits);
    s->length = from->length;
    s->logits_rows = from->logits_rows;
    *out = s;
    return INOX_OK;
}

/* What is valid stays, wherever the caller's call may still fail. */
inox_status ix_session_room(inox_session *s, size_t rows, inox_error *err)
{
    size_t row = (size_t)s->model->shape.vocabulary * sizeof *s->logits;
    uint64_t bytes;
    float *logits;
    if (rows <= s->logits_capacity)
        return INOX_OK;
    if (!ix_mul_u64(rows, row, &bytes))
        return ix_fail(err, INOX_E_LIMIT, "logits of %zu rows are too large", rows);
    IX_TRY(ix_alloc_aligned(bytes, 64, (void **)&logits, err));
    if (s->logits_rows > 0)
        memcpy(logits, s->logits, s->logits_rows * row);
    ix_free_aligned(s->logits);
    s->logits = logits;
    s->logits_capacity = rows;
    return INOX_OK;
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

size_t inox_session_reused(const inox_session *s)
{
    return s == NULL ? 0 : s->reused;
}

inox_status inox_session_truncate(inox_session *s, size_t length, inox_error *err)
{
    if (s == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_session_truncate: the session is NULL");
    if (length > s->length)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "cannot truncate to %zu: the session has %zu positions", length, s->length);
    ix_pages_truncate(&s->cache->pages, &s->pages, length);
    s->length = length;
    s->logits_rows = 0;
    s->reused = 0;
    return INOX_OK;
}

void ix_session_settle(inox_session *s)
{
    ix_pages_settle(&s->cache->pages, &s->pages, s->tokens, s->length);
}

void ix_session_keep_row(inox_session *s, size_t row, size_t length)
{
    size_t columns = (size_t)s->model->shape.vocabulary;
    if (row > 0)
        memcpy(s->logits, s->logits + row * columns, columns * sizeof *s->logits);
    s->logits_rows = 1;
    ix_pages_truncate(&s->cache->pages, &s->pages, length);
    s->length = length;
    ix_session_settle(s);
}
