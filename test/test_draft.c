/* Guessed tokens change nothing: text, tokens, callbacks, receipts and the session behind them are
 * those of decoding token by token, whoever guesses and however well. */
#include "tiny_model.h"

#include "base/alloc.h"
#include "llm/generate.h"

enum { CONTEXT = 190, TURNS = 2 };

/* Everything that a caller can see of an answer. */
typedef struct seen {
    char finish[16], rows[65], calls[65];
    uint8_t text[2048];
    size_t text_bytes, id_count, length, logits_rows;
    int32_t ids[CONTEXT];
    float logits[WORDS];
} seen;

typedef struct guesser {
    const char *name;
    inox_model *draft; /* or NULL */
    int32_t lookup, most;
} guesser;

typedef struct listener {
    ix_buffer heard; /* texts, each with a mark behind it */
    int calls_left;  /* then it stops */
} listener;

static int listen_to(void *context, const char *text, size_t bytes)
{
    listener *l = context;
    if (ix_buffer_append(&l->heard, text, bytes, NULL) != INOX_OK ||
        ix_buffer_append(&l->heard, "|", 1, NULL) != INOX_OK)
        return 1;
    return --l->calls_left == 0;
}

static void look(ix_test *t, const inox_session *s, const inox_result *r, listener *l, seen *out)
{
    inox_result_info info = INOX_RESULT_INFO_INIT;
    inox_error err = { 0 };
    ix_receipt receipt;
    size_t columns;
    memset(out, 0, sizeof *out);
    CHECK_OK(inox_result_describe(r, &info, &err), &err);
    CHECK(info.text_bytes <= sizeof out->text && info.id_count <= CONTEXT);
    snprintf(out->finish, sizeof out->finish, "%s", info.finish);
    memcpy(out->text, info.text, info.text_bytes);
    out->text_bytes = info.text_bytes;
    if (info.id_count > 0)
        memcpy(out->ids, info.ids, info.id_count * sizeof *out->ids);
    out->id_count = info.id_count;
    out->length = inox_session_length(s);
    const float *logits = inox_session_logits(s, &out->logits_rows, &columns);
    if (logits != NULL)
        memcpy(out->logits, logits, sizeof out->logits);
    CHECK_OK(ix_receipt_read(info.receipt, strlen(info.receipt), &receipt, &err), &err);
    memcpy(out->rows, receipt.logits_sha256, sizeof out->rows);
    ix_receipt_release(&receipt);
    CHECK_OK(inox_sha256(l->heard.data, l->heard.size, out->calls, &err), &err);
}

typedef struct question {
    const char *name;
    inox_generate_options o;
    int calls;       /* of on_text, then it stops; 0: none */
    int turns_apart; /* tokens of the second prompt */
} question;

/* Two answers, one behind the other, in one session. */
static size_t converse(ix_test *t, inox_model *m, inox_cache *cache, const question *q,
                       const guesser *g, seen out[TURNS])
{
    static const int32_t PROMPT[] = { 1, 80, 90, 100, 80, 90, 100, 80, 90, 103 };
    inox_session_options so = INOX_SESSION_OPTIONS_INIT;
    inox_generate_options o = q->o;
    inox_replay_report report = INOX_REPLAY_REPORT_INIT;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    inox_session *s = NULL, *draft = NULL;
    inox_error err = { 0 };
    size_t guessed = 0;
    so.context = CONTEXT;
    so.pool = cache;
    CHECK_OK(inox_session_new(m, &so, &s, &err), &err);
    so.pool = NULL;
    if (g->draft != NULL)
        CHECK_OK(inox_session_new(g->draft, &so, &draft, &err), &err);
    o.draft = draft;
    o.lookup = g->lookup;
    o.draft_tokens = g->most;
    for (int turn = 0; turn < TURNS; turn++) {
        listener l = { .calls_left = q->calls };
        inox_result *r = NULL;
        o.on_text = listen_to;
        o.context = &l;
        size_t count = turn == 0 ? sizeof PROMPT / sizeof *PROMPT : (size_t)q->turns_apart;
        if (turn > 0 && count > CONTEXT - inox_session_length(s))
            break;
        CHECK_OK(inox_generate(s, PROMPT, count, &o, &r, &err), &err);
        if (r == NULL)
            break;
        look(t, s, r, &l, &out[turn]);
        CHECK_OK(inox_result_describe(r, &info, &err), &err);
        CHECK(info.guessed_right <= info.guessed && info.guessed_right <= info.id_count);
        guessed += info.guessed_right;
        if (turn == 0 && g->most > 0) /* needs no draft */
            CHECK_OK(inox_replay(m, info.receipt, &report, &err), &err);
        inox_result_free(r);
        ix_buffer_release(&l.heard);
    }
    inox_session_free(draft);
    inox_session_free(s);
    return guessed;
}

static size_t make_questions(question *q)
{
    static const char *const STOPS[] = { "\xef\xbf\xbd\xef\xbf\xbd", "w2", "~" };
    static const int32_t END = 2, AGAIN[2] = { 95, 96 };
    static const float LIKELY = 3.0f, OFTEN[2] = { 4.0f, 4.0f };
    inox_generate_options o = INOX_GENERATE_OPTIONS_INIT;
    size_t n = 0;
    o.max_tokens = 40;
    o.ignore_end = true;
    o.sampling.seed = 7;
    o.sampling.temperature = 0;
    q[n++] = (question){ "greedy", o, 0, 3 };
    o.sampling.repetition_penalty = 1.3f;
    o.sampling.frequency_penalty = 0.2f;
    q[n++] = (question){ "greedy with penalties", o, 0, 3 };
    o.sampling.temperature = 0.7f;
    o.sampling.penalty_window = -1;
    q[n++] = (question){ "sampled with penalties", o, 0, 3 };
    o.sampling = (inox_sampling)INOX_SAMPLING_INIT;
    o.sampling.seed = 9;
    o.sampling.temperature = 0.2f;
    q[n++] = (question){ "cool", o, 0, 0 };
    o.sampling.typical_p = 0.9f;
    o.sampling.bias_ids = AGAIN;
    o.sampling.bias_values = OFTEN;
    o.sampling.bias_count = 2;
    q[n++] = (question){ "biased", o, 0, 3 };
    q[n++] = (question){ "interrupted", o, 5, 3 };
    o.max_tokens = 400;
    q[n++] = (question){ "until the context is full", o, 0, 3 };
    o.sampling.bias_count = 0;
    o.stops = STOPS;
    o.stop_count = 3;
    q[n++] = (question){ "stops", o, 0, 3 };
    o.stop_count = 0;
    o.ignore_end = false;
    o.sampling.bias_ids = &END;
    o.sampling.bias_values = &LIKELY;
    o.sampling.bias_count = 1;
    q[n++] = (question){ "end of text", o, 0, 3 };
    for (int few = 0; few < 3; few++) {
        o.max_tokens = few;
        q[n++] = (question){ "few", o, 0, 3 };
    }
    return n;
}

enum { QUESTIONS_MAX = 16 };

TEST(draft_changes_nothing)
{
    static seen expected[TURNS], got[TURNS];
    question questions[QUESTIONS_MAX];
    tiny shape = TINY, small = TINY, wide = TINY;
    size_t n = make_questions(questions), right[6] = { 0 };
    shape.context = small.context = 512;
    small.layers = 1;
    small.seed = 5;
    wide.rows = WORDS + 8; /* rows that nobody may choose */
    inox_model *m = open_tiny(t, &shape, 2, NULL, 3), *other = open_tiny(t, &small, 1, NULL, 0);
    inox_model *rows = open_tiny(t, &wide, 1, NULL, 0);
    const guesser plain = { "plain", NULL, 0, 8 };
    const guesser GUESSERS[6] = { { "itself", m, 0, 8 },     { "other", other, 0, 3 },
                                  { "text", NULL, 3, 16 },   { "one token", NULL, 1, 1 },
                                  { "both", other, 4, 256 }, { "more rows", rows, 0, 5 } };
    for (size_t i = 0; i < n; i++) {
        memset(expected, 0, sizeof expected);
        converse(t, m, NULL, &questions[i], &plain, expected);
        for (size_t k = 0; k < 6; k++) {
            memset(got, 0, sizeof got);
            right[k] += converse(t, m, NULL, &questions[i], &GUESSERS[k], got);
            CHECK_MSG(memcmp(expected, got, sizeof got) == 0, "%s, guessed by %s",
                      questions[i].name, GUESSERS[k].name);
        }
    }
    for (size_t k = 0; k < 6; k++)
        CHECK_MSG(right[k] > 0, "%s was never right", GUESSERS[k].name);
    inox_model_close(rows);
    inox_model_close(other);
    inox_model_close(m);
}

/* Guesses that do not fit into a shared cache are left out; those that were wrong leave no page in
 * it. */
TEST(draft_in_a_full_cache)
{
    static seen expected[TURNS], got[TURNS];
    question questions[QUESTIONS_MAX];
    tiny shape = TINY;
    shape.context = 512;
    inox_model *m = open_tiny(t, &shape, 1, NULL, 0);
    inox_cache_options co = INOX_CACHE_OPTIONS_INIT;
    inox_cache *c = NULL;
    inox_error err = { 0 };
    inox_session *filler = NULL;
    inox_session_options so = INOX_SESSION_OPTIONS_INIT;
    const guesser plain = { "plain", NULL, 0, 8 }, text = { "text", NULL, 2, 64 };
    const int32_t id = 4;
    co.positions = 3 * IX_PAGE;
    make_questions(questions);
    question *q = &questions[0];
    q->turns_apart = 0;
    CHECK_OK(inox_cache_new(m, &co, &c, &err), &err);
    so.pool = c;
    CHECK_OK(inox_session_new(m, &so, &filler, &err), &err);
    for (int i = 0; i < 2 * IX_PAGE; i++)
        CHECK_OK(inox_session_feed(filler, &id, 1, INOX_LOGITS_NONE, &err), &err);
    memset(expected, 0, sizeof expected);
    memset(got, 0, sizeof got);
    q->o.max_tokens = 60;
    converse(t, m, NULL, q, &plain, expected);
    CHECK(converse(t, m, c, q, &text, got) > 0);
    CHECK(memcmp(expected, got, sizeof got) == 0);
    inox_cache_info info = INOX_CACHE_INFO_INIT;
    CHECK_OK(inox_cache_describe(c, &info, &err), &err);
    CHECK(info.pages_used == 2);
    inox_session_free(filler);
    inox_cache_free(c);
    inox_model_close(m);
}

/* What was guessed and confirmed is found again like what was fed. */
TEST(draft_fills_the_index)
{
    static seen got[TURNS];
    question questions[QUESTIONS_MAX];
    tiny shape = TINY;
    shape.context = 512;
    inox_model *m = open_tiny(t, &shape, 1, NULL, 0);
    inox_cache_options co = INOX_CACHE_OPTIONS_INIT;
    inox_cache_info info = INOX_CACHE_INFO_INIT;
    inox_cache *c = NULL;
    inox_error err = { 0 };
    const guesser itself = { "itself", m, 0, 8 };
    co.positions = 3 * IX_PAGE;
    make_questions(questions);
    question *q = &questions[0];
    q->o.max_tokens = 1 + 5 + 15 * 9; /* 4, then 8 guesses at once: no token is fed alone */
    q->turns_apart = CONTEXT;         /* no second turn */
    CHECK_OK(inox_cache_new(m, &co, &c, &err), &err);
    CHECK(converse(t, m, c, q, &itself, got) == 4 + 15 * 8);
    CHECK_OK(inox_cache_describe(c, &info, &err), &err);
    CHECK(info.pages_used == 0 && info.pages_kept == 1);
    inox_cache_free(c);
    inox_model_close(m);
}

TEST(draft_refused)
{
    inox_error err = { 0 };
    tiny shape = TINY;
    inox_model *m = open_tiny(t, &TINY, 1, NULL, 0);
    inox_session *s = session_of(t, m, 32, INOX_CACHE_AUTO), *draft;
    inox_generate_options o = INOX_GENERATE_OPTIONS_INIT;
    inox_result *r = NULL;
    const int32_t id = 5;
    o.draft = s;
    CHECK(inox_generate(s, &id, 1, &o, &r, &err) == INOX_E_ARGUMENT && r == NULL);
    o.draft = NULL;
    o.lookup = -1;
    CHECK(inox_generate(s, &id, 1, &o, &r, &err) == INOX_E_ARGUMENT && r == NULL);
    o.lookup = 2;
    o.draft_tokens = 0;
    CHECK(inox_generate(s, &id, 1, &o, &r, &err) == INOX_E_ARGUMENT && r == NULL);
    o.draft_tokens = IX_MAX_DRAFT + 1;
    CHECK(inox_generate(s, &id, 1, &o, &r, &err) == INOX_E_ARGUMENT && r == NULL);
    o.draft_tokens = 4;
    shape.odd_word = 1;
    for (int kind = 0; kind < 2; kind++) {
        inox_model *other = open_tiny(t, &shape, 1, NULL, 0);
        draft = session_of(t, other, 32, INOX_CACHE_AUTO);
        o.draft = draft;
        CHECK(inox_generate(s, &id, 1, &o, &r, &err) == INOX_E_ARGUMENT && r == NULL);
        CHECK_MSG(strstr(err.message, "vocabulary") != NULL, "%s", err.message);
        inox_session_free(draft);
        inox_model_close(other);
        shape.odd_word = -1;
    }
    CHECK(inox_session_length(s) == 0);
    inox_session_free(s);
    inox_model_close(m);
}

/* A draft that runs out of context, of memory or of pages. */
TEST(draft_fails)
{
    static seen expected[TURNS];
    question questions[QUESTIONS_MAX];
    inox_error err = { 0 };
    inox_model *m = open_tiny(t, &TINY, 1, NULL, 0);
    const guesser plain = { "plain", NULL, 0, 8 };
    static const int32_t PROMPT[] = { 1, 80, 90, 100, 80, 90, 100, 80, 90, 103 };
    make_questions(questions);
    converse(t, m, NULL, &questions[0], &plain, expected);
    for (int kind = 0; kind < 200; kind++) {
        inox_session *s = session_of(t, m, CONTEXT, INOX_CACHE_AUTO);
        inox_session *draft = session_of(t, m, kind == 0 ? 20 : CONTEXT, INOX_CACHE_AUTO);
        inox_generate_options o = questions[0].o;
        inox_result *r = NULL;
        inox_result_info info = INOX_RESULT_INFO_INIT;
        o.draft = draft;
        if (kind > 0)
            ix_alloc_fail_at((uint64_t)kind, 0);
        inox_status status = inox_generate(s, PROMPT, 10, &o, &r, &err);
        ix_alloc_fail_at(0, 0);
        CHECK(status == INOX_OK || (status == INOX_E_MEMORY && kind > 0));
        if (status == INOX_OK) {
            CHECK_OK(inox_result_describe(r, &info, &err), &err);
            CHECK(info.id_count == expected[0].id_count &&
                  memcmp(info.ids, expected[0].ids, info.id_count * sizeof *info.ids) == 0);
            CHECK(kind > 0 || (info.guessed > 0 && info.guessed < 20));
        }
        inox_result_free(r);
        inox_session_free(draft);
        inox_session_free(s);
    }
    inox_model_close(m);
}
