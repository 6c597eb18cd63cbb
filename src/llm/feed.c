/* Feeding sessions: one run of the plan takes tokens of many sequences.
 *
 * The tokens of all sessions stand behind one another, and are cut into passes of at most max_batch
 * rows; how they are cut changes no bit.  A pass reads the weights once:
 *
 *     session   0 0 0 0 1 2 2 2 | 2 2 3 4 ...          | the cut between two passes
 *     position  7 8 9 . 4 0 1 2 | 3 4 9 2 ...
 *
 * Everything that can fail for a reason outside this file (pages, memory, the caller's arguments)
 * is done before anything changes.
 */
#include "llm/session.h"

#include <string.h>

/* ---- checks */

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

static inox_status check(const inox_feed *feeds, size_t count, inox_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const inox_feed *f = &feeds[i];
        if (f->session == NULL || (f->ids == NULL && f->count > 0) || f->mode < INOX_LOGITS_NONE ||
            f->mode > INOX_LOGITS_ALL)
            return ix_fail(err, INOX_E_ARGUMENT, "a pointer is NULL or the mode is unknown");
        if (f->session->cache != feeds[0].session->cache)
            return ix_fail(err, INOX_E_ARGUMENT,
                           "sessions that are fed together must share one cache: open them with "
                           "the same inox_session_options.pool");
        f->session->place = i;
    }
    for (size_t i = 0; i < count; i++) {
        if (feeds[i].session->place != i)
            return ix_fail(err, INOX_E_ARGUMENT, "feeds %zu and %zu are for the same session", i,
                           feeds[i].session->place);
        IX_TRY(check_ids(feeds[i].session, feeds[i].ids, feeds[i].count, err));
    }
    return INOX_OK;
}

/* ---- one step: all feeds */

static size_t rows_wanted(const inox_feed *f)
{
    return f->mode == INOX_LOGITS_ALL                    ? f->count
           : f->mode == INOX_LOGITS_LAST && f->count > 0 ? 1
                                                         : 0;
}

/* Where the passes stand: the next token is ids[token] of feed `feed`. */
typedef struct cursor {
    size_t feed, token;
} cursor;

/* A stretch of one session in a pass: its rows of logits are contiguous in pass and session. */
typedef struct stretch {
    size_t tokens, rows;
    float *out; /* in the session's memory */
} stretch;

/* The next stretch of at most `room` tokens; the cursor stays. */
static stretch stretch_at(const inox_feed *f, size_t token, size_t room)
{
    stretch x = { .tokens = f->count - token < room ? f->count - token : room };
    size_t columns = (size_t)f->session->model->shape.vocabulary;
    if (f->mode == INOX_LOGITS_ALL) {
        x.rows = x.tokens;
        x.out = f->session->logits + token * columns;
    } else if (f->mode == INOX_LOGITS_LAST && x.tokens > 0 && token + x.tokens == f->count) {
        x.rows = 1;
        x.out = f->session->logits;
    }
    return x;
}

/* Fills the inputs of the next pass.  *out: where its logits go, the session's own memory if only
 * one session has any. */
static ix_symbols fill(inox_cache *c, const inox_feed *feeds, size_t count, cursor at,
                       size_t stride, float **out)
{
    ix_symbols n = { { 0 } };
    size_t batch = (size_t)c->model->options.max_batch, tokens = 0, rows = 0, sequences = 0;
    *out = NULL;
    for (; at.feed < count && tokens < batch; at = (cursor){ at.feed + 1, 0 }) {
        const inox_feed *f = &feeds[at.feed];
        const inox_session *s = f->session;
        size_t from = at.token > s->claim.reused ? at.token : s->claim.reused;
        stretch x = stretch_at(f, from, batch - tokens);
        if (x.tokens == 0)
            continue;
        memcpy(c->tokens + tokens, f->ids + from, x.tokens * sizeof *c->tokens);
        memcpy(c->page_table + sequences * stride, s->pages.ids,
               (size_t)s->pages.count * sizeof *c->page_table);
        for (size_t i = 0; i < x.tokens; i++) {
            c->positions[tokens + i] = (int32_t)(s->length + from + i);
            c->sequence[tokens + i] = (int32_t)sequences;
        }
        tokens += x.tokens;
        sequences++;
        if (x.rows > 0)
            *out = rows == 0 ? x.out : c->logits;
        for (size_t i = 0; i < x.rows; i++)
            c->rows[rows++] = (int32_t)(tokens - x.rows + i);
    }
    n.value[IX_TOKENS] = (int64_t)tokens;
    n.value[IX_ROWS] = (int64_t)rows;
    n.value[IX_SEQUENCES] = (int64_t)sequences;
    n.value[IX_SEQUENCE_PAGES] = (int64_t)stride;
    n.value[IX_CACHE_PAGES] = c->pages.count;
    return n;
}

/* Walks over the same stretches as fill, behind the run: logits go to their sessions. */
static void hand_out(const inox_cache *c, const inox_feed *feeds, size_t count, cursor *at,
                     const float *out)
{
    size_t left = (size_t)c->model->options.max_batch;
    size_t columns = (size_t)c->model->shape.vocabulary;
    bool copy = out == c->logits;
    while (at->feed < count && left > 0) {
        const inox_feed *f = &feeds[at->feed];
        size_t from = at->token > f->session->claim.reused ? at->token : f->session->claim.reused;
        stretch x = stretch_at(f, from, left);
        if (x.rows > 0 && copy) {
            memcpy(x.out, out, x.rows * columns * sizeof *out);
            out += x.rows * columns;
        }
        left -= x.tokens;
        at->token = from + x.tokens;
        if (at->token == f->count)
            *at = (cursor){ at->feed + 1, 0 };
    }
}

/* The caller holds the model's lock. */
static inox_status run(inox_cache *c, const inox_feed *feeds, size_t count, inox_error *err)
{
    size_t batch = (size_t)c->model->options.max_batch, stride = 0, rows = 0;
    cursor at = { 0, 0 };
    for (size_t i = 0; i < count; i++) {
        const inox_session *s = feeds[i].session;
        stride = (size_t)s->pages.count > stride ? (size_t)s->pages.count : stride;
        rows += rows_wanted(&feeds[i]);
    }
    IX_TRY(ix_cache_reserve(c, stride * (count < batch ? count : batch),
                            count == 1     ? 0
                            : rows < batch ? rows
                                           : batch,
                            err));
    for (size_t i = 0; i < count; i++) {
        const ix_page_claim *claim = &feeds[i].session->claim;
        if (claim->copy)
            ix_cache_copy_page(c, claim->replaced, claim->list->ids[claim->length / IX_PAGE]);
        feeds[i].session->logits_rows = 0;
    }
    while (at.feed < count) {
        float *out;
        ix_symbols symbols = fill(c, feeds, count, at, stride, &out);
        if (symbols.value[IX_TOKENS] > 0)
            IX_TRY(ix_backend_cpu.run(c->variant->plan, &symbols, c->bindings, c->binding_count,
                                      out, err));
        hand_out(c, feeds, count, &at, out);
    }
    return INOX_OK;
}

static inox_status claim_pages(const inox_feed *feeds, size_t count, inox_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const inox_feed *f = &feeds[i];
        inox_session *s = f->session;
        s->claim = (ix_page_claim){ .list = &s->pages,
                                    .tokens = s->tokens,
                                    .ids = f->ids,
                                    .length = s->length,
                                    .count = f->count,
                                    .computed_min = rows_wanted(f),
                                    .next = i + 1 < count ? &feeds[i + 1].session->claim : NULL };
    }
    return ix_pages_claim(&feeds[0].session->cache->pages, &feeds[0].session->claim, err);
}

inox_status ix_sessions_feed(const inox_feed *feeds, size_t count, inox_error *err)
{
    if (feeds == NULL && count > 0)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_sessions_feed: a pointer is NULL");
    IX_TRY(check(feeds, count, err));
    if (count == 0)
        return INOX_OK;
    inox_cache *c = feeds[0].session->cache;
    for (size_t i = 0; i < count; i++)
        IX_TRY(ix_session_room(feeds[i].session, rows_wanted(&feeds[i]), err));
    IX_TRY(claim_pages(feeds, count, err));
    ix_lock_take(&c->model->lock);
    inox_status status = run(c, feeds, count, err);
    ix_lock_give(&c->model->lock);
    for (size_t i = 0; i < count; i++) {
        inox_session *s = feeds[i].session;
        if (status != INOX_OK) {
            ix_pages_undo(&c->pages, &s->claim);
            continue;
        }
        ix_pages_keep(&c->pages, &s->claim);
        if (feeds[i].count > 0)
            memcpy(s->tokens + s->length, feeds[i].ids, feeds[i].count * sizeof *s->tokens);
        s->length += feeds[i].count;
        s->reused = s->claim.reused;
        s->logits_rows = rows_wanted(&feeds[i]);
    }
    return status;
}

inox_status inox_sessions_feed(const inox_feed *feeds, size_t count, inox_error *err)
{
    IX_TRY(ix_sessions_feed(feeds, count, err));
    for (size_t i = 0; i < count; i++)
        ix_session_settle(feeds[i].session);
    return INOX_OK;
}

inox_status inox_session_feed(inox_session *s, const int32_t *ids, size_t count,
                              inox_logits_mode mode, inox_error *err)
{
    const inox_feed feed = { s, ids, count, mode };
    return inox_sessions_feed(&feed, 1, err);
}
