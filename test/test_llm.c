/* Models, sessions, generation and receipts through the public calls, on a model of 40 thousand
 * random weights: same bits whatever the threads, chunks and the caller's control word, receipts
 * that replay and that notice every change, hostile hyperparameters and receipts, and allocations
 * that fail one after another. */
#include "tiny_model.h"

#include <locale.h>
#include <pthread.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "num/isa.h"
#include "num/types.h"
#include "trust/receipt.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- same bits ------------------------------------------------------------------------------- */

#define POSITIONS 150 /* more than a page */

static void all_logits(ix_test *t, inox_model *m, inox_cache_type cache, size_t chunk, float *out)
{
    inox_error err = { 0 };
    int32_t ids[POSITIONS];
    uint64_t random = 3;
    inox_session *s = session_of(t, m, POSITIONS, cache);

    for (int i = 0; i < POSITIONS; i++)
        ids[i] = (int32_t)(ix_test_random(&random) % WORDS);
    for (size_t at = 0; s != NULL && at < POSITIONS; at += chunk) {
        size_t n = POSITIONS - at < chunk ? POSITIONS - at : chunk, rows, columns;
        CHECK_OK(inox_session_feed(s, ids + at, n, INOX_LOGITS_ALL, &err), &err);
        const float *logits = inox_session_logits(s, &rows, &columns);
        CHECK(rows == n && columns == WORDS);
        if (rows == n)
            memcpy(out + at * WORDS, logits, n * WORDS * sizeof *out);
    }
    inox_session_free(s);
}

TEST(llm_same_bits_in_every_way)
{
    static float expected[POSITIONS * WORDS], got[POSITIONS * WORDS];
    static const struct {
        const char *isa;
        int threads, batch;
        size_t chunk;
    } WAYS[] = { { "ref", 1, 0, POSITIONS }, { "ref", 2, 7, POSITIONS }, { "avx2", 1, 0, 1 },
                 { "avx2", 3, 64, 64 }, { "avx512", 2, 1, 7 }, { "avx512vnni", 7, 33, 64 },
                 { "avx512vnni", 1, 0, 1 }, { "amx", 2, 0, POSITIONS },
                 { "amx", 3, 33, 64 }, { "neon", 1, 0, 1 }, { "neon", 3, 64, 64 },
                 { "dotprod", 2, 1, 7 }, { "i8mm", 7, 33, 64 }, { "i8mm", 1, 0, POSITIONS } };

    for (int cache = INOX_CACHE_F16; cache <= INOX_CACHE_F32; cache++) {
        for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++) {
            ix_isa isa;
            if (ix_isa_choose(WAYS[i].isa, &isa, NULL) != INOX_OK)
                continue;
            inox_model *m = open_tiny(t, &TINY, WAYS[i].threads, WAYS[i].isa, WAYS[i].batch);
            all_logits(t, m, (inox_cache_type)cache, WAYS[i].chunk, i == 0 ? expected : got);
            CHECK_MSG(i == 0 || memcmp(expected, got, sizeof got) == 0, "%s differs", WAYS[i].isa);
            inox_model_close(m);
        }
    }
}

#if defined(__x86_64__)
TEST(llm_callers_control_word)
{
    static float expected[POSITIONS * WORDS], got[POSITIONS * WORDS];
    static const unsigned WORD[] = { 0x3F80, 0x5F80, 0x7F80, 0x9FC0 }; /* rounding; flush to zero */
    tiny shape = TINY;
    shape.vectors = IX_TYPE_F16;
    unsigned old = _mm_getcsr();

    inox_model *m = open_tiny(t, &shape, 1, "ref", 0);
    all_logits(t, m, INOX_CACHE_F32, POSITIONS, expected);
    inox_model_close(m);
    for (size_t i = 0; i < sizeof WORD / sizeof *WORD; i++) {
        _mm_setcsr(WORD[i]);
        m = open_tiny(t, &shape, 2, NULL, 0);
        all_logits(t, m, INOX_CACHE_F32, POSITIONS, got);
        inox_model_close(m);
        unsigned left = _mm_getcsr();
        _mm_setcsr(old);
        CHECK((left & ~0x3fu) == (WORD[i] & ~0x3fu));
        CHECK_MSG(memcmp(expected, got, sizeof got) == 0, "control word %x", WORD[i]);
    }
}
#endif

/* A factor without a type is linear scaling, as is its old name. */
TEST(llm_rope_factor_is_not_ignored)
{
    static float plain[POSITIONS * WORDS], scaled[POSITIONS * WORDS], old[POSITIONS * WORDS];
    static const char *const KEYS[] = { NULL, "rope.scaling.factor", "rope.scale_linear" };
    float *const out[] = { plain, scaled, old };

    for (int i = 0; i < 3; i++) {
        tiny shape = TINY;
        shape.key = KEYS[i];
        shape.value = 4;
        inox_model *m = open_tiny(t, &shape, 1, NULL, 0);
        all_logits(t, m, INOX_CACHE_F32, POSITIONS, out[i]);
        inox_model_close(m);
    }
    CHECK(memcmp(plain, scaled, sizeof plain) != 0);
    CHECK(memcmp(scaled, old, sizeof old) == 0);
}

/* ---- profiles -------------------------------------------------------------------------------- */

static inox_status profile(inox_session *s, const int32_t *ids, size_t n, char **json,
                           inox_error *err)
{
    IX_TRY(inox_session_truncate(s, 0, err));
    IX_TRY(inox_profile_begin(s, err));
    IX_TRY(inox_session_feed(s, ids, n, INOX_LOGITS_LAST, err));
    return inox_profile_end(s, json, err);
}

TEST(llm_profile)
{
    enum { COUNT = 9 };
    static float plain[WORDS];
    int32_t ids[COUNT] = { 5, 9, 100, 7, 200, 31, 8, 60, 77 };
    inox_error err = { 0 };
    inox_model *m = open_tiny(t, &TINY, 2, NULL, 4);
    inox_session *s = session_of(t, m, 16, INOX_CACHE_AUTO);
    char *json = NULL;
    if (s == NULL)
        return;
    CHECK_OK(inox_session_feed(s, ids, COUNT, INOX_LOGITS_LAST, &err), &err);
    memcpy(plain, inox_session_logits(s, NULL, NULL), sizeof plain);
    CHECK_OK(profile(s, ids, COUNT, &json, &err), &err); /* changes no bit */
    CHECK(memcmp(plain, inox_session_logits(s, NULL, NULL), sizeof plain) == 0);
    CHECK(json != NULL && strstr(json, "\"threads\": 2, \"runs\": 3,") != NULL);
    CHECK(json != NULL && strstr(json, "\"name\": \"blk.1.ffn_down.weight\"") != NULL);
    inox_string_free(json);
    CHECK_OK(inox_profile_end(s, &json, &err), &err); /* nothing was begun */
    CHECK(json != NULL && strstr(json, "\"runs\": 0, \"wall_ns\": 0, \"steps\": []") != NULL);
    inox_string_free(json);
    CHECK(inox_profile_begin(NULL, &err) == INOX_E_ARGUMENT);
    CHECK(inox_profile_end(NULL, &json, &err) == INOX_E_ARGUMENT);
    CHECK(inox_profile_end(s, NULL, &err) == INOX_E_ARGUMENT);
    inox_status status = INOX_E_MEMORY;
    for (uint64_t n = 1; status != INOX_OK; n++) { /* every allocation fails once */
        json = NULL;
        ix_alloc_fail_at(n, 0);
        status = profile(s, ids, COUNT, &json, &err);
        ix_alloc_fail_at(0, 0);
        CHECK_MSG(status == INOX_OK || status == INOX_E_MEMORY, "allocation %llu: %d %s",
                  (unsigned long long)n, status, err.message);
        CHECK((json != NULL) == (status == INOX_OK));
        if (n > 1000 || (status != INOX_OK && status != INOX_E_MEMORY))
            break;
    }
    inox_string_free(json);
    inox_session_free(s);
    inox_model_close(m);
}

/* ---- what callers do wrong ------------------------------------------------------------------- */

TEST(llm_null_pointers)
{
    inox_error err = { 0 };
    inox_model *m = open_tiny(t, &TINY, 1, NULL, 0);
    inox_session *s = session_of(t, m, 16, INOX_CACHE_AUTO), *none = NULL;
    inox_result *r = NULL;
    inox_generate_options o = INOX_GENERATE_OPTIONS_INIT;
    const int32_t id = 5;
    char digest[65], *text = NULL;
    size_t rows = 9, columns = 9;

    CHECK(inox_session_logits(NULL, &rows, &columns) == NULL && rows == 0 && columns == 0);
    CHECK(inox_session_length(NULL) == 0);
    CHECK(inox_session_truncate(NULL, 0, &err) == INOX_E_ARGUMENT);
    CHECK(inox_session_feed(NULL, &id, 1, INOX_LOGITS_LAST, &err) == INOX_E_ARGUMENT);
    CHECK(inox_session_feed(s, NULL, 1, INOX_LOGITS_LAST, NULL) == INOX_E_ARGUMENT);
    CHECK(inox_session_new(NULL, NULL, &none, &err) == INOX_E_ARGUMENT);
    CHECK(inox_model_open(NULL, NULL, NULL, &err) == INOX_E_ARGUMENT);
    CHECK(inox_model_identity(NULL, digest, &err) == INOX_E_ARGUMENT);
    CHECK(inox_model_inspect(m, NULL, &text, &err) == INOX_E_ARGUMENT);
    CHECK(inox_generate(NULL, &id, 1, NULL, &r, &err) == INOX_E_ARGUMENT);
    CHECK(inox_receipt_model(NULL, &text, &err) == INOX_E_ARGUMENT);
    CHECK(inox_receipt_store(NULL, &err) == INOX_E_ARGUMENT);
    CHECK(inox_replay(m, NULL, NULL, &err) == INOX_E_ARGUMENT);
    inox_session_free(NULL);
    inox_result_free(NULL);
    inox_model_close(NULL);
    inox_string_free(NULL);
    inox_tokens_release(NULL);
    o.max_tokens = 0;
    o.sampling.bias_count = 3;
    CHECK(inox_generate(s, &id, 1, &o, &r, &err) == INOX_E_ARGUMENT && r == NULL);
    o.sampling.bias_count = 0;
    o.stop_count = 1;
    CHECK(inox_generate(s, &id, 1, &o, &r, &err) == INOX_E_ARGUMENT && r == NULL);
    CHECK(inox_session_length(s) == 0);
    inox_session_free(s);
    inox_model_close(m);
}

TEST(llm_feed_refuses)
{
    inox_error err = { 0 };
    inox_model *m = open_tiny(t, &TINY, 1, NULL, 4);
    inox_session *s = session_of(t, m, 16, INOX_CACHE_AUTO);
    int32_t ids[17] = { 3, 4, 5 };

    CHECK_OK(inox_session_feed(s, ids, 10, INOX_LOGITS_NONE, &err), &err);
    CHECK(inox_session_logits(s, NULL, NULL) == NULL);
    CHECK(inox_session_feed(s, ids, 7, INOX_LOGITS_ALL, &err) == INOX_E_CONTEXT);
    ids[6] = WORDS;
    CHECK(inox_session_feed(s, ids, 7, INOX_LOGITS_ALL, &err) == INOX_E_ARGUMENT);
    ids[6] = -1;
    CHECK(inox_session_feed(s, ids, 7, INOX_LOGITS_ALL, &err) == INOX_E_ARGUMENT);
    CHECK(inox_session_length(s) == 10);
    CHECK_OK(inox_session_feed(s, ids, 6, INOX_LOGITS_LAST, &err), &err);
    CHECK_OK(inox_session_feed(s, NULL, 0, INOX_LOGITS_ALL, &err), &err);
    CHECK(inox_session_logits(s, NULL, NULL) == NULL && inox_session_length(s) == 16);
    CHECK(inox_session_truncate(s, 17, &err) == INOX_E_ARGUMENT);
    inox_session_free(s);
    inox_model_close(m);
}

/* ---- hostile files --------------------------------------------------------------------------- */

TEST(llm_hyperparameters_at_their_ends)
{
    static const char *const KEYS[] = { "block_count",
                                        "embedding_length",
                                        "feed_forward_length",
                                        "attention.head_count",
                                        "attention.head_count_kv",
                                        "attention.key_length",
                                        "attention.value_length",
                                        "context_length",
                                        "rope.dimension_count",
                                        "attention.sliding_window",
                                        "expert_count" };
    static const uint64_t VALUES[] = { 0, 1, 2, 3, 7, 4096, 1 << 16, 1 << 24, INT32_MAX, 1ull << 32,
                                       1ull << 40, INT64_MAX, UINT64_MAX };
    const int32_t ids[3] = { 5, 6, 7 };
    int ran = 0;

    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        for (size_t k = 0; k < sizeof VALUES / sizeof *VALUES; k++) {
            tiny m = TINY;
            char path[PATH_BYTES];
            inox_error err = { 0 };
            inox_model_options o = INOX_MODEL_OPTIONS_INIT;
            inox_session *s = NULL;
            inox_model *model = NULL;
            m.layers = 1;
            m.key = KEYS[i];
            m.value = VALUES[k];
            o.threads = 1;
            if (!write_tiny(t, &m, path))
                return;
            inox_status status = inox_model_open(path, &o, &model, &err);
            if (status == INOX_OK)
                status = inox_session_new(model, NULL, &s, &err);
            if (status == INOX_OK)
                status = inox_session_feed(s, ids, 3, INOX_LOGITS_ALL, &err);
            ran += status == INOX_OK;
            CHECK_MSG(status == INOX_OK || status == INOX_E_FORMAT || status == INOX_E_LIMIT ||
                          status == INOX_E_UNSUPPORTED || status == INOX_E_CONTEXT,
                      "%s %llu: %d %s", m.key, (unsigned long long)m.value, status, err.message);
            inox_session_free(s);
            inox_model_close(model);
            unlink(path);
        }
    }
    CHECK_MSG(ran > 20, "only %d ran", ran);
}

/* Every type as matrices, and as norms: it runs with the reference's bits, or is refused. */
TEST(llm_every_type)
{
    static float expected[3 * WORDS];
    const int32_t ids[3] = { 5, 6, 7 };
    const char *const isas[2] = { "ref", NULL }; /* NULL: the best */
    int ran = 0;

    for (int kind = 0; kind < 2 * IX_TYPE_COUNT; kind++) {
        ix_type type = (ix_type)(kind / 2);
        tiny shape = TINY;
        shape.layers = 1;
        shape.width = shape.feed_forward = 256;
        *(kind % 2 == 0 ? &shape.type : &shape.vectors) = type;
        for (int way = 0; way < 2; way++) {
            inox_error err = { 0 };
            inox_session *s = NULL;
            inox_model *m = open_tiny(t, &shape, 1 + way, isas[way], 0);
            if (m == NULL)
                return;
            inox_status status = inox_session_new(m, NULL, &s, &err);
            if (status == INOX_OK)
                status = inox_session_feed(s, ids, 3, INOX_LOGITS_ALL, &err);
            bool integers = type >= IX_TYPE_F64 && type <= IX_TYPE_I64;
            CHECK_MSG(status == INOX_OK || (integers && (status == INOX_E_UNSUPPORTED ||
                                                         status == INOX_E_FORMAT)),
                      "%s, %s: %d %s", ix_type_of(type)->name, kind % 2 == 0 ? "matrix" : "norm",
                      status, err.message);
            if (status == INOX_OK) {
                const float *logits = inox_session_logits(s, NULL, NULL);
                ran++;
                if (way == 0)
                    memcpy(expected, logits, sizeof expected);
                CHECK_MSG(memcmp(expected, logits, sizeof expected) == 0, "%s differs",
                          ix_type_of(type)->name);
            }
            inox_session_free(s);
            inox_model_close(m);
        }
    }
    CHECK_MSG(ran >= 4 * (IX_TYPE_COUNT - 5), "only %d ran", ran);
}

/* ---- receipts -------------------------------------------------------------------------------- */

static char *answer(ix_test *t, inox_model *m, inox_generate_options *o, const char *finish)
{
    inox_error err = { 0 };
    inox_result *r = NULL;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    inox_session *s = session_of(t, m, 64, INOX_CACHE_AUTO);
    const int32_t prompt[4] = { 1, 80, 90, 100 };
    char *copy = NULL;

    CHECK_OK(inox_generate(s, prompt, 4, o, &r, &err), &err);
    if (r != NULL) {
        CHECK_OK(inox_result_describe(r, &info, &err), &err);
        CHECK_MSG(strcmp(info.finish, finish) == 0, "finish is %s, not %s", info.finish, finish);
        CHECK_OK(ix_strndup(info.receipt, strlen(info.receipt), &copy, &err), &err);
    }
    inox_result_free(r);
    inox_session_free(s);
    return copy;
}

static inox_status replay(inox_model *m, const char *receipt, inox_replay_report *report,
                          inox_error *err)
{
    *report = (inox_replay_report)INOX_REPLAY_REPORT_INIT;
    return inox_replay(m, receipt, report, err);
}

static inox_generate_options asked(int tokens)
{
    inox_generate_options o = INOX_GENERATE_OPTIONS_INIT;
    o.max_tokens = tokens;
    o.ignore_end = true;
    o.sampling.seed = 42;
    o.sampling.repetition_penalty = 1.1f;
    return o;
}

TEST(llm_receipt_notices_every_byte)
{
    static const int32_t banned[2] = { 70, 71 };
    static const float biases[2] = { -__builtin_inff(), 0.1f };
    static const char *const stops[2] = { "\"sha256\":\"", "\xc3\xa9" };
    inox_error err = { 0 };
    inox_model *m = open_tiny(t, &TINY, 2, NULL, 0), *other = open_tiny(t, &TINY, 3, "ref", 2);
    inox_generate_options o = asked(12);
    inox_replay_report report;

    o.sampling.bias_ids = banned;
    o.sampling.bias_values = biases;
    o.sampling.bias_count = 2;
    o.stops = stops;
    o.stop_count = 2;
    char *receipt = answer(t, m, &o, "length");
    if (receipt != NULL) {
        CHECK_OK(replay(other, receipt, &report, &err), &err);
        CHECK(report.identical && report.tokens == 12 && report.rows == 12);
        for (size_t i = 0; receipt[i] != '\0'; i++) {
            receipt[i] ^= 1;
            CHECK_MSG(replay(m, receipt, &report, &err) != INOX_OK && !report.identical,
                      "byte %zu may change", i);
            receipt[i] ^= 1;
        }
    }
    ix_free(receipt);
    inox_model_close(other);
    inox_model_close(m);
}

/* What somebody could write who makes the hash fit again. */
typedef void change(ix_receipt *r);
static void no_prompt(ix_receipt *r) { r->prompt_count = 0; }
static void wild_prompt(ix_receipt *r) { r->prompt[1] = INT32_MAX; }
static void wild_output(ix_receipt *r) { r->output[1] = INT32_MAX; }
static void other_output(ix_receipt *r) { r->output[3] ^= 1; }
static void small_context(ix_receipt *r) { r->context = 5; }
static void one_position(ix_receipt *r) { r->context = 1; }
static void huge_context(ix_receipt *r) { r->context = IX_MAX_CONTEXT; }
static void fewer_rows(ix_receipt *r) { r->rows[8] = '\0'; }
static void other_seed(ix_receipt *r) { r->sampling.seed ^= 1; }
static void other_heat(ix_receipt *r) { r->sampling.temperature = -1.0f; }
static void other_rows(ix_receipt *r) { r->logits_sha256[0] ^= 1; }
static void other_cache(ix_receipt *r) { r->cache[1] = '3', r->cache[2] = '2'; }
static void odd_cache(ix_receipt *r) { r->cache[0] = 'g'; }
static void other_model(ix_receipt *r) { r->model_identity[0] ^= 1; }
static void other_rules(ix_receipt *r) { r->contract_identity[5] ^= 1; }
static void shorter(ix_receipt *r) { r->max_tokens = 3; }
static void longer(ix_receipt *r) { r->max_tokens = 30; }
static void other_finish(ix_receipt *r) { memcpy(r->finish, "end", 4); }
static void no_finish(ix_receipt *r) { r->finish[0] = '\0'; }
static void full_context(ix_receipt *r)
{
    ix_free(r->finish);
    if (ix_strndup("context", 7, &r->finish, NULL) != INOX_OK)
        r->finish = NULL;
}

TEST(llm_hostile_receipts)
{
    static const struct {
        const char *what;
        change *apply;
    } CHANGES[] = {
        { "no prompt", no_prompt },       { "wild prompt", wild_prompt },
        { "wild output", wild_output },   { "other output", other_output },
        { "small context", small_context }, { "one position", one_position },
        { "fewer rows", fewer_rows },     { "other seed", other_seed },
        { "other heat", other_heat },     { "other rows", other_rows },
        { "other cache", other_cache },   { "odd cache", odd_cache },
        { "other model", other_model },   { "other rules", other_rules },
        { "shorter", shorter },           { "longer", longer },
        { "other finish", other_finish }, { "no finish", no_finish },
        { "full context", full_context },
    };
    inox_error err = { 0 };
    inox_model *m = open_tiny(t, &TINY, 1, NULL, 0);
    inox_generate_options o = asked(20);
    inox_replay_report report;
    char *receipt = answer(t, m, &o, "length");

    for (size_t i = 0; receipt != NULL && i <= sizeof CHANGES / sizeof *CHANGES; i++) {
        ix_receipt r;
        ix_buffer text = { 0 };
        char id[65];
        bool changed = i < sizeof CHANGES / sizeof *CHANGES;
        CHECK_OK(ix_receipt_read(receipt, strlen(receipt), &r, &err), &err);
        if (changed)
            CHANGES[i].apply(&r);
        else
            huge_context(&r); /* more room gives the same bits, if there is memory for it */
        CHECK_OK(ix_receipt_write(&r, &text, id, &err), &err);
        inox_status status = replay(m, text.data, &report, &err);
        CHECK_MSG(!changed || (status != INOX_OK && !report.identical), "%s: verified",
                  CHANGES[i].what);
        CHECK(changed || status == INOX_OK || status == INOX_E_MEMORY);
        ix_receipt_release(&r);
        ix_buffer_release(&text);
    }
    ix_free(receipt);
    inox_model_close(m);
}

static int stop_at_once(void *context, const char *text, size_t bytes)
{
    (void)context, (void)text, (void)bytes;
    return 1;
}

static int stop_reading(void *context, size_t done, size_t all)
{
    (void)context, (void)all;
    return done > 1;
}

TEST(llm_every_finish_replays)
{
    static const char *const FINISH[] = { "length", "cancelled", "cancelled", "context", "stop" };
    static const char *const STOPS[] = { "yy", "xxx" };
    static const int32_t X = 'x' + 3;
    static const float SURELY = 1e6f;
    inox_error err = { 0 };
    inox_model *m = open_tiny(t, &TINY, 1, NULL, 2);
    inox_replay_report report;
    for (int kind = 0; kind < 5; kind++) {
        inox_generate_options o = asked(kind == 0 ? 0 : 500);
        if (kind == 1)
            o.on_text = stop_at_once;
        if (kind == 2)
            o.on_prompt = stop_reading;
        if (kind == 4) {
            o.sampling.bias_ids = &X;
            o.sampling.bias_values = &SURELY;
            o.sampling.bias_count = 1;
            o.stops = STOPS;
            o.stop_count = 2;
        }
        char *receipt = answer(t, m, &o, FINISH[kind]);
        if (receipt != NULL)
            CHECK_OK(replay(m, receipt, &report, &err), &err);
        CHECK(report.identical);
        ix_free(receipt);
    }
    inox_model_close(m);
}

TEST(llm_end_of_text_replays)
{
    inox_error err = { 0 };
    inox_model *m = open_tiny(t, &TINY, 1, NULL, 0);
    inox_replay_report report;
    inox_generate_options o = asked(500);
    o.ignore_end = false;
    o.sampling.bias_ids = (const int32_t[]){ 2 };
    o.sampling.bias_values = (const float[]){ 1e6f };
    o.sampling.bias_count = 1;
    char *receipt = answer(t, m, &o, "end");
    if (receipt != NULL)
        CHECK_OK(replay(m, receipt, &report, &err), &err);
    ix_free(receipt);
    inox_model_close(m);
}

/* A row of logits beyond the tokenizer's vocabulary has no text. */
TEST(llm_more_rows_than_words)
{
    inox_error err = { 0 };
    tiny shape = TINY;
    shape.rows = WORDS + 40;
    inox_model *m = open_tiny(t, &shape, 1, NULL, 0);
    inox_session *s = session_of(t, m, 64, INOX_CACHE_AUTO);
    inox_result *r = NULL;
    const int32_t prompt = WORDS + 20;
    inox_generate_options o = asked(5);
    o.sampling.bias_ids = (const int32_t[]){ WORDS + 39 };
    o.sampling.bias_values = (const float[]){ 1e6f };
    o.sampling.bias_count = 1;
    CHECK(inox_generate(s, &prompt, 1, &o, &r, &err) == INOX_E_ARGUMENT && r == NULL);
    inox_session_free(s);
    inox_model_close(m);
}

/* Numbers in a receipt do not depend on the program's locale. */
TEST(llm_receipt_in_a_locale_with_commas)
{
    static const char *const NAMES[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE" };
    const char *found = NULL;
    for (size_t i = 0; found == NULL && i < sizeof NAMES / sizeof *NAMES; i++)
        found = setlocale(LC_NUMERIC, NAMES[i]);
    if (found == NULL)
        SKIP("no locale with a decimal comma is installed");
    inox_error err = { 0 };
    inox_model *m = open_tiny(t, &TINY, 1, NULL, 0);
    inox_generate_options o = asked(3);
    inox_replay_report report;
    char *receipt = answer(t, m, &o, "length");
    if (receipt != NULL)
        CHECK_OK(replay(m, receipt, &report, &err), &err);
    setlocale(LC_NUMERIC, "C");
    if (receipt != NULL)
        CHECK_OK(replay(m, receipt, &report, &err), &err);
    ix_free(receipt);
    inox_model_close(m);
}

/* ---- threads --------------------------------------------------------------------------------- */

typedef struct talker {
    inox_model *model;
    inox_status status;
    char text[4096];
} talker;

static void *talk(void *context)
{
    talker *k = context;
    inox_session *s = NULL;
    inox_result *r = NULL;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    inox_generate_options o = asked(20);
    const int32_t prompt[2] = { 1, 99 };
    char identity[65];

    k->status = inox_session_new(k->model, NULL, &s, NULL);
    if (k->status == INOX_OK)
        k->status = inox_generate(s, prompt, 2, &o, &r, NULL);
    if (k->status == INOX_OK)
        k->status = inox_model_identity(k->model, identity, NULL);
    if (k->status == INOX_OK)
        k->status = inox_result_describe(r, &info, NULL);
    if (k->status == INOX_OK && info.text_bytes < sizeof k->text &&
        strstr(info.receipt, identity) != NULL && strstr(inox_version_json(), "contract") != NULL)
        memcpy(k->text, info.text, info.text_bytes);
    inox_result_free(r);
    inox_session_free(s);
    return NULL;
}

TEST(llm_threads_share_a_model)
{
    enum { TALKERS = 4 };
    static talker talkers[TALKERS];
    pthread_t threads[TALKERS];
    inox_model *m = open_tiny(t, &TINY, 2, NULL, 0);

    for (int i = 0; m != NULL && i < TALKERS; i++) {
        talkers[i] = (talker){ .model = m };
        CHECK(pthread_create(&threads[i], NULL, talk, &talkers[i]) == 0);
    }
    for (int i = 0; m != NULL && i < TALKERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(talkers[i].status == INOX_OK && talkers[i].text[0] != '\0');
        CHECK(strcmp(talkers[i].text, talkers[0].text) == 0);
    }
    inox_model_close(m);
}

/* ---- failing allocations --------------------------------------------------------------------- */

static inox_status everything(const char *path, inox_error *err)
{
    inox_model_options mo = INOX_MODEL_OPTIONS_INIT;
    inox_model *m = NULL;
    inox_session *s = NULL, *second = NULL;
    inox_session_options so = INOX_SESSION_OPTIONS_INIT;
    inox_result *r = NULL;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    inox_replay_report report = INOX_REPLAY_REPORT_INIT;
    inox_generate_options o = asked(3);
    inox_tokens tokens = { 0 };
    char *text = NULL;

    mo.threads = 2;
    so.cache = INOX_CACHE_F32;
    so.context = 32;
    inox_status status = inox_model_open(path, &mo, &m, err);
    if (status == INOX_OK)
        status = inox_tokenize(m, "ab w1", 5, INOX_TOKENIZE_SPECIAL, &tokens, err);
    if (status == INOX_OK)
        status = inox_session_new(m, NULL, &s, err);
    if (status == INOX_OK)
        status = inox_session_new(m, &so, &second, err);
    if (status == INOX_OK)
        status = inox_generate(s, tokens.ids, tokens.count, &o, &r, err);
    if (status == INOX_OK)
        status = inox_result_describe(r, &info, err);
    if (status == INOX_OK)
        status = inox_replay(m, info.receipt, &report, err);
    if (status == INOX_OK)
        status = inox_model_inspect(m, "json", &text, err);
    inox_string_free(text);
    inox_tokens_release(&tokens);
    inox_result_free(r);
    inox_session_free(second);
    inox_session_free(s);
    inox_model_close(m);
    return status;
}

TEST(llm_every_allocation_fails_once)
{
    inox_error err = { 0 };
    char path[PATH_BYTES];
    tiny shape = TINY;
    shape.layers = 1;
    if (!write_tiny(t, &shape, path))
        return;
    CHECK_OK(everything(path, &err), &err);
    uint64_t before = ix_alloc_count();
    CHECK_OK(everything(path, &err), &err);
    uint64_t all = ix_alloc_count() - before;
    for (int sticky = 0; sticky < 2; sticky++) {
        for (uint64_t n = 1; n <= all; n += 1 + (uint64_t)sticky) {
            err = (inox_error){ 0 };
            ix_alloc_fail_at(n, sticky);
            inox_status status = everything(path, &err);
            ix_alloc_fail_at(0, 0);
            CHECK_MSG(status == INOX_OK || status == INOX_E_MEMORY, "allocation %llu: %d %s",
                      (unsigned long long)n, status, err.message);
            CHECK(status == INOX_OK || err.code == status);
        }
    }
    unlink(path);
}
