/* Generation: prompt, choose, decode, watch for stops, and keep account for the receipt.
 *
 *     ids ──► decoder ──► text ── held back while it may become a stop ──► on_text
 *
 * Every row of logits that a choice was made from is hashed; the receipt has the hash over those
 * hashes, and the first digits of each, so that a replay can say where it went another way.
 */
#include "llm/generate.h"

#include "base/os.h"
#include "base/thread.h"
#include "build_info.h"
#include "num/contract.h"

#include <string.h>

/* ---- hashing rows */

inox_status ix_row_log_add(ix_row_log *log, const float *row, size_t columns, inox_error *err)
{
    uint8_t digest[IX_SHA256_BYTES];
    char hex[IX_SHA256_HEX];
    IX_TRY(ix_sha256_of(row, columns * sizeof *row, digest, err));
    IX_TRY(ix_buffer_append(&log->digests, digest, sizeof digest, err));
    ix_hex(digest, sizeof digest, hex);
    return ix_buffer_append(&log->digits, hex, IX_ROW_DIGITS, err);
}

inox_status ix_row_log_digest(const ix_row_log *log, char out[65], inox_error *err)
{
    uint8_t digest[IX_SHA256_BYTES];
    IX_TRY(ix_sha256_of(log->digests.data, log->digests.size, digest, err));
    ix_hex(digest, sizeof digest, out);
    return INOX_OK;
}

void ix_row_log_release(ix_row_log *log)
{
    ix_buffer_release(&log->digests);
    ix_buffer_release(&log->digits);
}

/* ---- stops */

/* Where the earliest stop begins in text from `from` on, or SIZE_MAX. */
static size_t find_stop(const ix_buffer *text, size_t from, const inox_generate_options *o)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < o->stop_count; i++) {
        size_t n = strlen(o->stops[i]);
        for (size_t at = from; n > 0 && at + n <= text->size && at < best; at++) {
            if (memcmp(text->data + at, o->stops[i], n) == 0)
                best = at;
        }
    }
    return best;
}

/* The longest end of the text that is the beginning of a stop. */
static size_t held_back(const ix_buffer *text, const inox_generate_options *o)
{
    size_t held = 0;
    for (size_t i = 0; i < o->stop_count; i++) {
        size_t n = strlen(o->stops[i]);
        for (size_t k = n < text->size ? n : text->size; k > held; k--) {
            if (k < n && memcmp(text->data + text->size - k, o->stops[i], k) == 0)
                held = k;
        }
    }
    return held;
}

/* ---- one answer */

typedef struct generation {
    inox_session *session;
    const inox_generate_options *options;
    inox_result *result;
    ix_decoder decoder;
    ix_sampler *sampler;
    size_t emitted; /* bytes of text given to on_text */
    size_t longest_stop;
    size_t capacity; /* of result->ids */
    bool done;
    bool hashing; /* the model, meanwhile */
    /* The next choice is made from this row of the session's logits, behind `length` tokens.  The
     * session may be further: ids `next` to `fed` of the draft are guesses not yet confirmed. */
    size_t row, length;
    ix_draft draft;
    size_t next, fed;
    bool guessing; /* the last feed had guesses */
} generation;

static void emit(generation *g, size_t until)
{
    inox_result *r = g->result;
    size_t from = g->emitted;
    if (until <= from || g->options->on_text == NULL)
        return;
    g->emitted = until;
    int stop = g->options->on_text(g->options->context, r->text.data + from, until - from);
    ix_fpenv_enter(); /* whatever the caller's code has switched on */
    if (stop != 0) {
        r->finish = "cancelled";
        g->done = true;
    }
}

/* New text has come: a stop in it ends the answer, else what cannot become a stop is given out. */
static void watch(generation *g, size_t old_size, bool last)
{
    inox_result *r = g->result;
    size_t from = old_size > g->longest_stop ? old_size - g->longest_stop : 0;
    size_t stop = find_stop(&r->text, from, g->options);
    if (stop != SIZE_MAX) {
        r->text.size = stop;
        r->text.data[stop] = '\0';
        r->finish = "stop";
        g->done = true;
        emit(g, stop);
        return;
    }
    emit(g, r->text.size - (last ? 0 : held_back(&r->text, g->options)));
}

static inox_status keep_id(generation *g, int32_t id, inox_error *err)
{
    inox_result *r = g->result;
    if (r->id_count == g->capacity) {
        g->capacity = g->capacity == 0 ? 64 : g->capacity * 2;
        IX_TRY(IX_REALLOC(&r->ids, g->capacity, err));
    }
    r->ids[r->id_count++] = id;
    return INOX_OK;
}

static inox_status choose(generation *g, int32_t *id, inox_error *err)
{
    inox_session *s = g->session;
    size_t columns;
    const float *row = inox_session_logits(s, NULL, &columns) + g->row * columns;
    if (g->options->receipt)
        IX_TRY(ix_row_log_add(&g->result->rows, row, columns, err));
    return ix_sampler_choose(g->sampler, row, &g->options->sampling, s->tokens, g->length,
                             g->result->id_count, id, err);
}

/* The session as it were if nothing had been guessed. */
static void take_back_guesses(generation *g)
{
    if (!g->guessing)
        return;
    ix_draft_learn(&g->draft, g->fed - 1, g->next - 1);
    ix_session_keep_row(g->session, g->row, g->length);
    g->guessing = false;
}

/* Feeds a token and what may follow it.  Where a shared cache has no room for guesses, it is fed
 * alone. */
static inox_status feed_guesses(generation *g, int32_t id, inox_error *err)
{
    inox_session *s = g->session;
    const inox_generate_options *o = g->options;
    size_t chosen = g->result->id_count, count, room = (size_t)s->context - s->length - 1;
    if (room > (size_t)o->max_tokens - chosen - 1)
        room = (size_t)o->max_tokens - chosen - 1;
    s->tokens[s->length] = id; /* behind its end, where feeding will put it too */
    IX_TRY(ix_draft_guess(&g->draft, s->tokens, s->length + 1, room, &o->sampling, chosen, &count,
                          err));
    if (count == 0)
        return inox_session_feed(s, &id, 1, INOX_LOGITS_LAST, err);
    g->draft.ids[0] = id;
    const inox_feed feed = { s, g->draft.ids, count + 1, INOX_LOGITS_ALL };
    inox_error why;
    inox_status status = ix_sessions_feed(&feed, 1, &why);
    if (status == INOX_E_LIMIT)
        return inox_session_feed(s, &id, 1, INOX_LOGITS_LAST, err);
    if (status != INOX_OK)
        return ix_fail(err, status, "%s", why.message);
    g->guessing = true;
    g->next = 1;
    g->fed = count + 1;
    return INOX_OK;
}

/* Behind a chosen token: it was guessed and is in the session, or it is fed. */
static inox_status go_on(generation *g, int32_t id, inox_error *err)
{
    if (g->guessing && g->next < g->fed && g->draft.ids[g->next] == id) {
        g->next++;
        g->row++;
        g->length++;
        return INOX_OK;
    }
    take_back_guesses(g);
    inox_status status = g->draft.most > 0
                             ? feed_guesses(g, id, err)
                             : inox_session_feed(g->session, &id, 1, INOX_LOGITS_LAST, err);
    g->row = 0;
    g->length++;
    return status;
}

/* One token: chosen, kept, decoded; fed unless the answer is over. */
static inox_status one_token(generation *g, inox_error *err)
{
    inox_result *r = g->result;
    int32_t id;
    IX_TRY(choose(g, &id, err));
    IX_TRY(keep_id(g, id, err));
    if (g->options->on_token != NULL && g->options->on_token(g->options->context, id) != 0) {
        ix_fpenv_enter(); /* as in emit() */
        r->finish = "cancelled";
        g->done = true;
        return INOX_OK;
    }
    ix_fpenv_enter();
    if (!g->options->ignore_end && ix_tokenizer_is_end(g->session->model->tokenizer, id)) {
        r->finish = "end";
        g->done = true;
        return INOX_OK;
    }
    size_t old_size = r->text.size;
    IX_TRY(ix_decoder_push(&g->decoder, id, &r->text, err));
    watch(g, old_size, false);
    if (g->done)
        return INOX_OK;
    if (r->id_count >= (size_t)g->options->max_tokens) {
        g->done = true; /* "length" */
        return INOX_OK;
    }
    if (g->length >= (size_t)g->session->context) {
        r->finish = "context";
        g->done = true;
        return INOX_OK;
    }
    return go_on(g, id, err);
}

static inox_status feed_prompt(generation *g, const int32_t *prompt, size_t count, inox_error *err)
{
    const inox_generate_options *o = g->options;
    size_t batch = (size_t)g->session->model->options.max_batch;
    if (count > (size_t)g->session->context - g->session->length)
        return ix_fail(
            err, INOX_E_CONTEXT,
            "the prompt has %zu tokens, but only %zu of the context's %d positions are free. "
            "Give a larger context",
            count, (size_t)g->session->context - g->session->length, g->session->context);
    for (size_t done = 0; done < count && !g->done;) {
        size_t n = count - done < batch ? count - done : batch;
        IX_TRY(inox_session_feed(g->session, prompt + done, n,
                                 done + n == count ? INOX_LOGITS_LAST : INOX_LOGITS_NONE, err));
        g->result->prompt_reused += g->session->reused;
        done += n;
        int stop = o->on_prompt == NULL ? 0 : o->on_prompt(o->context, done, count);
        ix_fpenv_enter(); /* as in emit() */
        if (stop != 0) {
            g->result->finish = "cancelled";
            g->done = true;
        }
    }
    return INOX_OK;
}

/* The model is hashed beside the decoding, and not beside the prompt: the first token comes first.
 */
static inox_status run(generation *g, const int32_t *prompt, size_t count,
                       ix_identity_task *identity, inox_error *err)
{
    inox_result *r = g->result;
    double start = ix_clock_seconds();
    r->finish = "length";
    IX_TRY(feed_prompt(g, prompt, count, err));
    r->prompt_s = ix_clock_seconds() - start;
    if (g->options->receipt) {
        IX_TRY(ix_identity_begin(identity, g->session->model, err));
        g->hashing = true;
    }
    start = ix_clock_seconds();
    g->row = g->session->logits_rows - 1;
    g->length = g->session->length;
    g->done = g->done || g->options->max_tokens == 0;
    while (!g->done)
        IX_TRY(one_token(g, err));
    r->decode_s = ix_clock_seconds() - start;
    if (strcmp(r->finish, "stop") != 0 && strcmp(r->finish, "cancelled") != 0) {
        size_t old_size = r->text.size;
        IX_TRY(ix_decoder_flush(&g->decoder, &r->text, err));
        watch(g, old_size, true);
    }
    return INOX_OK;
}

/* ---- the receipt */

static inox_status copy_text(const char *s, char **out, inox_error *err)
{
    return ix_strndup(s, strlen(s), out, err);
}

static inox_status copy_ids(const int32_t *ids, size_t n, int32_t **out, inox_error *err)
{
    IX_TRY(IX_ALLOC(out, n + 1, err));
    if (n > 0)
        memcpy(*out, ids, n * sizeof *ids);
    return INOX_OK;
}

static inox_status copy_sampling(const inox_sampling *from, inox_sampling *to, inox_error *err)
{
    int32_t *ids;
    float *values;
    *to = *from;
    to->bias_ids = NULL;
    to->bias_values = NULL;
    IX_TRY(copy_ids(from->bias_ids, from->bias_count, &ids, err));
    to->bias_ids = ids;
    IX_TRY(IX_ALLOC(&values, from->bias_count + 1, err));
    to->bias_values = values;
    if (from->bias_count > 0)
        memcpy(values, from->bias_values, from->bias_count * sizeof *values);
    return INOX_OK;
}

static inox_status fill_receipt(const generation *g, const char identity[65], ix_receipt *r,
                                size_t asked, inox_error *err)
{
    const inox_model *m = g->session->model;
    const inox_generate_options *o = g->options;
    IX_TRY(copy_text(m->name, &r->model_name, err));
    IX_TRY(copy_text(m->whole_path == NULL ? "" : m->whole_path, &r->model_path, err));
    memcpy(r->model_identity, identity, sizeof r->model_identity);
    IX_TRY(copy_text(IX_CONTRACT_NAME, &r->contract_name, err));
    memcpy(r->contract_identity, ix_contract_identity(), sizeof r->contract_identity);
    IX_TRY(copy_text(inox_version(), &r->engine_version, err));
    memcpy(r->engine_build, IX_BUILD_HASH, sizeof r->engine_build);
    IX_TRY(copy_text(ix_isa_name(m->isa), &r->isa, err));
    r->threads = ix_pool_threads(m->pool);
    r->time_s = ix_wall_clock_seconds();
    IX_TRY(copy_text(g->session->cache->type == INOX_CACHE_F32 ? "f32" : "f16", &r->cache, err));
    r->context = g->session->context;
    IX_TRY(copy_ids(g->session->tokens, asked, &r->prompt, err));
    r->prompt_count = asked;
    IX_TRY(copy_sampling(&o->sampling, &r->sampling, err));
    r->max_tokens = o->max_tokens;
    r->ignore_end = o->ignore_end;
    IX_TRY(IX_ALLOC(&r->stops, o->stop_count + 1, err));
    for (; r->stop_count < o->stop_count; r->stop_count++)
        IX_TRY(copy_text(o->stops[r->stop_count], &r->stops[r->stop_count], err));
    IX_TRY(copy_ids(g->result->ids, g->result->id_count, &r->output, err));
    r->output_count = g->result->id_count;
    IX_TRY(copy_text(g->result->finish, &r->finish, err));
    IX_TRY(ix_row_log_digest(&g->result->rows, r->logits_sha256, err));
    return ix_strndup(g->result->rows.digits.data == NULL ? "" : g->result->rows.digits.data,
                      g->result->rows.digits.size, &r->rows, err);
}

/* `asked`: positions of the session that were there before the first choice. */
static inox_status write_receipt(const generation *g, const char identity[65], size_t asked,
                                 inox_error *err)
{
    ix_receipt receipt = { 0 };
    inox_status status = fill_receipt(g, identity, &receipt, asked, err);
    if (status == INOX_OK)
        status = ix_receipt_write(&receipt, &g->result->receipt, g->result->receipt_id, err);
    ix_receipt_release(&receipt);
    return status;
}

static inox_status check_options(const inox_session *s, const inox_generate_options *o,
                                 size_t prompt_count, inox_error *err)
{
    if (o->size != sizeof *o || o->sampling.size != sizeof o->sampling)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_generate_options: use INOX_GENERATE_OPTIONS_INIT");
    if (o->max_tokens < 0)
        return ix_fail(err, INOX_E_ARGUMENT, "%d tokens: give 0 or more", o->max_tokens);
    if (o->stop_count > IX_MAX_STOPS)
        return ix_fail(err, INOX_E_LIMIT, "%zu stop texts: at most %d", o->stop_count,
                       IX_MAX_STOPS);
    for (size_t i = 0; i < o->stop_count; i++) {
        if (o->stops == NULL || o->stops[i] == NULL || o->stops[i][0] == '\0')
            return ix_fail(err, INOX_E_ARGUMENT, "a stop text is empty");
    }
    if (o->sampling.bias_count > 0 &&
        (o->sampling.bias_ids == NULL || o->sampling.bias_values == NULL))
        return ix_fail(err, INOX_E_ARGUMENT, "%zu logit biases, but no ids or values",
                       o->sampling.bias_count);
    if (prompt_count == 0 && s->length == 0)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "the prompt has no tokens: give a text, or a beginning-of-text token");
    if (prompt_count == 0 && s->logits_rows == 0)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "the prompt has no tokens, and the session has no logits to go on from");
    return ix_model_needs_tokenizer(s->model, err);
}

inox_status ix_generate(inox_session *s, const int32_t *prompt, size_t count,
                        const inox_generate_options *o, inox_result **out, inox_error *err)
{
    inox_result *r;
    ix_identity_task identity;
    size_t asked = s->length + count;
    IX_TRY(check_options(s, o, count, err));
    IX_TRY(IX_ALLOC(&r, 1, err));
    generation g = { .session = s, .options = o, .result = r };
    ix_decoder_init(&g.decoder, s->model->tokenizer,
                    s->length > 0 || count > 0 ? IX_DECODE_CONTINUE : 0u);
    for (size_t i = 0; i < o->stop_count; i++)
        g.longest_stop =
            strlen(o->stops[i]) > g.longest_stop ? strlen(o->stops[i]) : g.longest_stop;
    r->prompt_count = count;
    inox_status status = ix_draft_init(&g.draft, s, o, err);
    if (status == INOX_OK)
        status = ix_sampler_new((size_t)s->model->shape.vocabulary, &g.sampler, err);
    if (status == INOX_OK)
        status = run(&g, prompt, count, &identity, err);
    take_back_guesses(&g);
    r->guessed = g.draft.guessed;
    r->guessed_right = g.draft.right;
    if (g.hashing) {
        inox_status end = ix_identity_end(&identity, status == INOX_OK ? err : NULL);
        status = status == INOX_OK ? end : status;
    }
    if (status == INOX_OK && o->receipt)
        status = write_receipt(&g, identity.identity, asked < s->length ? asked : s->length, err);
    ix_sampler_free(g.sampler);
    ix_draft_release(&g.draft);
    ix_decoder_clear(&g.decoder);
    if (status != INOX_OK) {
        inox_result_free(r);
        return status;
    }
    *out = r;
    return INOX_OK;
}

inox_status inox_generate(inox_session *s, const int32_t *prompt, size_t count,
                          const inox_generate_options *options, inox_result **out, inox_error *err)
{
    inox_generate_options o = INOX_GENERATE_OPTIONS_INIT;
    if (s == NULL || out == NULL || (prompt == NULL && count > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_generate: a pointer is NULL");
    *out = NULL;
    ix_fpenv environment = ix_fpenv_enter();
    inox_status status = ix_generate(s, prompt, count, options == NULL ? &o : options, out, err);
    ix_fpenv_leave(environment);
    return status;
}

void inox_result_free(inox_result *r)
{
    if (r == NULL)
        return;
    ix_buffer_release(&r->text);
    ix_buffer_release(&r->receipt);
    ix_row_log_release(&r->rows);
    ix_free(r->ids);
    ix_free(r);
}

inox_status inox_result_describe(const inox_result *r, inox_result_info *out, inox_error *err)
{
    if (r == NULL || out == NULL || out->size != sizeof *out)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_result_describe: initialise the info with INOX_RESULT_INFO_INIT");
    *out = (inox_result_info)INOX_RESULT_INFO_INIT;
    out->text = r->text.data == NULL ? "" : r->text.data;
    out->text_bytes = r->text.size;
    out->ids = r->ids;
    out->id_count = r->id_count;
    out->prompt_count = r->prompt_count;
    out->prompt_reused = r->prompt_reused;
    out->guessed = r->guessed;
    out->guessed_right = r->guessed_right;
    out->finish = r->finish;
    out->prompt_s = r->prompt_s;
    out->decode_s = r->decode_s;
    out->receipt = r->receipt.data;
    out->receipt_id = r->receipt.data == NULL ? NULL : r->receipt_id;
    return INOX_OK;
}
