/* Guesses of the tokens to come: by the text itself, or by a draft model.  A guess may be anything;
 * what costs the least and is right the most often is best. */
#include "llm/draft.h"

#include <string.h>

#define FIRST_GUESSES 4

/* ---- the same vocabulary */

static bool same_piece(const ix_tokenizer *a, const ix_tokenizer *b, int32_t id)
{
    ix_text_view x = ix_tokenizer_piece(a, id), y = ix_tokenizer_piece(b, id);
    return x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0) &&
           ix_tokenizer_type(a, id) == ix_tokenizer_type(b, id);
}

static inox_status check_vocabulary(const inox_model *m, const inox_model *draft, inox_error *err)
{
    IX_TRY(ix_model_needs_tokenizer(draft, err));
    const ix_tokenizer *a = m->tokenizer, *b = draft->tokenizer;
    size_t n = ix_tokenizer_count(a), k = ix_tokenizer_count(b);
    if (n != k)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "the draft model has %zu tokens, the model %zu: it must have the same "
                       "vocabulary",
                       k, n);
    for (size_t i = 0; i < n; i++) {
        if (!same_piece(a, b, (int32_t)i))
            return ix_fail(err, INOX_E_ARGUMENT,
                           "token %zu is another one in the draft model: it must have the same "
                           "vocabulary",
                           i);
    }
    return INOX_OK;
}

/* ---- */

inox_status ix_draft_init(ix_draft *d, const inox_session *s, const inox_generate_options *o,
                          inox_error *err)
{
    *d = (ix_draft){ .session = o->draft, .lookup = o->lookup, .ignore_end = o->ignore_end };
    if (o->lookup < 0 || o->draft_tokens < 1 || o->draft_tokens > IX_MAX_DRAFT)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "a lookup of %d tokens or %d guesses: give 0 or more, and 1 to %d",
                       o->lookup, o->draft_tokens, IX_MAX_DRAFT);
    if (o->draft == NULL && o->lookup == 0)
        return INOX_OK;
    if (o->draft == s)
        return ix_fail(err, INOX_E_ARGUMENT, "a session cannot be its own draft");
    d->vocabulary = s->model->shape.vocabulary;
    d->most = o->draft_tokens;
    d->now = d->most < FIRST_GUESSES ? d->most : FIRST_GUESSES;
    IX_TRY(IX_ALLOC(&d->ids, (size_t)d->most + 1, err));
    if (d->session == NULL)
        return INOX_OK;
    if (d->session->model != s->model)
        IX_TRY(check_vocabulary(s->model, d->session->model, err));
    return ix_sampler_new((size_t)d->session->model->shape.vocabulary, &d->sampler, err);
}

void ix_draft_release(ix_draft *d)
{
    ix_sampler_free(d->sampler);
    ix_free(d->ids);
}

/* What followed the last tokens where most of them stood before, the latest place of several.  A
 * guess that runs into the end of the text goes on with itself. */
static size_t guess_by_text(const ix_draft *d, const int32_t *tokens, size_t n, size_t room,
                            int32_t *out)
{
    size_t longest = (size_t)d->lookup, best = longest < 2 ? longest - 1 : 1, place = 0;
    for (size_t end = n - 1; end > 0 && best < longest; end--) {
        size_t same = 0;
        while (same < longest && same < end && tokens[end - 1 - same] == tokens[n - 1 - same])
            same++;
        if (same > best) {
            best = same;
            place = end;
        }
    }
    for (size_t i = 0; i < room && place > 0; i++)
        out[i] = place + i < n ? tokens[place + i] : out[place + i - n];
    return place > 0 ? room : 0;
}

/* Brings the draft's session to tokens[0..n), with logits behind the last one. */
static inox_status follow(inox_session *s, const int32_t *tokens, size_t n, inox_error *err)
{
    size_t same = 0;
    while (same < n - 1 && same < s->length && s->tokens[same] == tokens[same])
        same++;
    IX_TRY(inox_session_truncate(s, same, err));
    return inox_session_feed(s, tokens + same, n - same, INOX_LOGITS_LAST, err);
}

/* The draft draws the same random numbers: where it sees nearly the same likelihoods, it chooses
 * the same. */
static inox_status guess_by_model(ix_draft *d, const int32_t *tokens, size_t n, size_t room,
                                  const inox_sampling *sampling, uint64_t choice, size_t *count,
                                  inox_error *err)
{
    inox_session *s = d->session;
    size_t context = (size_t)s->context;
    room = n > context ? 0 : room < context - n + 1 ? room : context - n + 1;
    if (room == 0)
        return INOX_OK;
    IX_TRY(follow(s, tokens, n, err));
    for (;;) {
        int32_t *id = &d->ids[1 + *count];
        if (ix_sampler_choose(d->sampler, s->logits, sampling, s->tokens, s->length,
                              choice + *count, id, NULL) != INOX_OK ||
            *id >= d->vocabulary)
            return INOX_OK; /* NaN, a bias for a row that it lacks, one that the model lacks */
        ++*count;
        if (*count == room || (!d->ignore_end && ix_tokenizer_is_end(s->model->tokenizer, *id)))
            return INOX_OK;
        IX_TRY(inox_session_feed(s, id, 1, INOX_LOGITS_LAST, err));
    }
}

inox_status ix_draft_guess(ix_draft *d, const int32_t *tokens, size_t n, size_t room,
                           const inox_sampling *sampling, uint64_t choice, size_t *count,
                           inox_error *err)
{
    inox_status status = INOX_OK;
    inox_error why;
    *count = 0;
    room = room < (size_t)d->now ? room : (size_t)d->now;
    if (room == 0)
        return INOX_OK;
    if (d->lookup > 0)
        *count = guess_by_text(d, tokens, n, room, d->ids + 1);
    if (*count == 0 && d->session != NULL)
        status = guess_by_model(d, tokens, n, room, sampling, choice, count, &why);
    if (status == INOX_E_LIMIT || status == INOX_E_ARGUMENT)
        return INOX_OK; /* its shared cache is full, or a token is beyond its rows */
    return status == INOX_OK ? INOX_OK : ix_fail(err, status, "the draft model: %s", why.message);
}

void ix_draft_learn(ix_draft *d, size_t guessed, size_t right)
{
    if (guessed == 0)
        return;
    d->guessed += guessed;
    d->right += right;
    if (right < guessed)
        d->now = (int32_t)right + 1;
    else
        d->now = d->now > d->most / 2 ? d->most : d->now * 2;
}
