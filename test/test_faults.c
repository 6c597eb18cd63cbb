/* Faults through the whole library: the n-th allocation fails while a model is opened, answers, and
 * its receipt is kept and replayed; files that end early.  Every call gives a status with a message
 * or succeeds; under AddressSanitizer nothing leaks.
 *
 * jansson's allocations are counted with the library's own.  INOX_TEST_LONG=1: every n for the
 * embedded model, not a sample.
 */
#include "test.h"

#include <inox.h>
#include <jansson.h>

#include "base/alloc.h"
#include "base/os.h"

#include <inttypes.h>

typedef struct life {
    inox_model *model;
    inox_session *session;
    inox_result *result;
    inox_tokens tokens;
    char *receipt, *loaded, *text;
    bool written;
} life;

static const char TINY[] = "../fuzz/corpus/session/llama-q8_0.gguf";

static void *counted_malloc(size_t bytes)
{
    void *p = NULL;
    return ix_alloc(bytes, 1, &p, NULL) == INOX_OK ? p : NULL;
}

static int on_text(void *context, const char *text, size_t bytes)
{
    *(size_t *)context += bytes + (text[0] == '\0');
    return 0;
}

static inox_status generate(life *l, inox_error *err)
{
    static const char *const STOPS[] = { "zzz", "\n\n\n\n\n\n" };
    static const int32_t BIAS[] = { 1 };
    static const float VALUES[] = { -5.0f };
    size_t streamed = 0;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    inox_generate_options o = INOX_GENERATE_OPTIONS_INIT;
    o.max_tokens = 3;
    o.ignore_end = true;
    o.stops = STOPS;
    o.stop_count = 2;
    o.sampling.seed = 5;
    o.sampling.bias_ids = BIAS;
    o.sampling.bias_values = VALUES;
    o.sampling.bias_count = 1;
    o.on_text = on_text;
    o.context = &streamed;
    IX_TRY(inox_tokenize(l->model, "ab the", 6, INOX_TOKENIZE_SPECIAL, &l->tokens, err));
    IX_TRY(inox_session_new(l->model, NULL, &l->session, err));
    IX_TRY(inox_generate(l->session, l->tokens.ids, l->tokens.count, &o, &l->result, err));
    IX_TRY(inox_result_describe(l->result, &info, err));
    IX_TRY(ix_strndup(info.receipt, strlen(info.receipt), &l->receipt, err));
    l->written = true;
    IX_TRY(inox_receipt_store(l->receipt, err));
    return inox_receipt_load(info.receipt_id, &l->loaded, err);
}

static inox_status look(life *l, inox_error *err)
{
    static const char *const WHAT[] = { "json", "graph.svg" };
    size_t bytes, predicted;
    double nats;
    for (size_t i = 0; i < 2; i++) {
        inox_string_free(l->text);
        l->text = NULL;
        IX_TRY(inox_model_inspect(l->model, WHAT[i], &l->text, err));
    }
    inox_string_free(l->text);
    l->text = NULL;
    IX_TRY(inox_detokenize(l->model, l->tokens.ids, l->tokens.count, true, &l->text, &bytes, err));
    return inox_perplexity(l->session, l->tokens.ids, l->tokens.count, 4, &nats, &predicted, err);
}

static inox_status live(life *l, const char *path, inox_error *err)
{
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    inox_replay_report report = INOX_REPLAY_REPORT_INIT;
    o.threads = 2;
    o.max_batch = 2;
    IX_TRY(inox_model_open(path, &o, &l->model, err));
    IX_TRY(generate(l, err));
    IX_TRY(inox_replay(l->model, l->loaded, &report, err));
    IX_TRY(look(l, err));
    return report.identical ? INOX_OK : INOX_E_INTERNAL;
}

static void die(life *l)
{
    inox_string_free(l->text);
    inox_string_free(l->loaded);
    ix_free(l->receipt);
    inox_result_free(l->result);
    inox_session_free(l->session);
    inox_tokens_release(&l->tokens);
    inox_model_close(l->model);
}

/* One life with the n-th allocation failing; 0: none.  The number of allocations. */
static uint64_t one_life(ix_test *t, const char *path, uint64_t n, int sticky)
{
    life l = { 0 };
    inox_error err = { 0 };
    uint64_t before = ix_alloc_count();
    ix_alloc_fail_at(n, sticky);
    inox_status status = live(&l, path, &err);
    ix_alloc_fail_at(0, 0);
    uint64_t used = ix_alloc_count() - before;
    if (n == 0)
        CHECK_OK(status, &err);
    /* what only saves time (the cache of identities) may fail without an error */
    CHECK_MSG(status == INOX_OK || (status == err.code && err.message[0] != '\0'),
              "allocation %" PRIu64 ": status %d, error %d '%s'", n, status, err.code, err.message);
    /* jansson does not say whether a text is wrong or its own memory ran out, and can lose values
     * then: a good receipt is refused as a bad one */
    bool json = (status == INOX_E_FORMAT || status == INOX_E_MISMATCH) &&
                (strncmp(err.message, "not a receipt: ", 15) == 0 ||
                 strncmp(err.message, "the receipt is damaged", 22) == 0);
    CHECK_MSG(status == INOX_OK || status == INOX_E_MEMORY || json,
              "allocation %" PRIu64 " gave %s: %s", n, inox_status_name(status), err.message);
    if (l.written) /* what was given out as a receipt is one */
        CHECK_MSG(inox_receipt_store(l.receipt, &err) == INOX_OK, "allocation %" PRIu64 ": %s", n,
                  err.message);
    die(&l);
    return used;
}

static bool use_scratch(ix_test *t, char folder[300])
{
    const char *root = ix_environment("TMPDIR");
    uint64_t number = 0;
    inox_error err;
    CHECK_OK(ix_os_random(&number, sizeof number, &err), &err);
    snprintf(folder, 300, "%.200s/inox-faults-%016" PRIx64, root == NULL ? "/tmp" : root, number);
    CHECK_OK(ix_make_directories(folder, &err), &err);
    return setenv("XDG_STATE_HOME", folder, 1) == 0 && setenv("XDG_CACHE_HOME", folder, 1) == 0;
}

/* Removes the files of the two directories that the library made, and those. */
static void remove_scratch(const char *folder)
{
    static const char *const INNER[] = { "/inox/receipts", "/inox/identities", "/inox", "" };
    for (size_t i = 0; i < sizeof INNER / sizeof *INNER; i++) {
        char path[400], file[700], **names;
        size_t count;
        snprintf(path, sizeof path, "%.300s%s", folder, INNER[i]);
        if (ix_list_directory(path, &names, &count, NULL) != INOX_OK)
            continue;
        for (size_t k = 0; k < count; k++) {
            snprintf(file, sizeof file, "%s/%.250s", path, names[k]);
            (void)remove(file);
            ix_free(names[k]);
        }
        ix_free(names);
        (void)remove(path);
    }
}

static void fail_each(ix_test *t, const char *path, uint64_t samples)
{
    char folder[300];
    if (!use_scratch(t, folder))
        SKIP("the environment cannot be set");
    one_life(t, path, 0, 0); /* what is made once for all is made here */
    uint64_t all = one_life(t, path, 0, 0);
    json_malloc_t old_malloc;
    json_free_t old_free;
    json_get_alloc_funcs(&old_malloc, &old_free);
    json_set_alloc_funcs(counted_malloc, ix_free);
    uint64_t with_json = one_life(t, path, 0, 0);
    json_set_alloc_funcs(old_malloc, old_free);
    CHECK(with_json > all && all > 50);
    uint64_t stride = samples == 0 || with_json < samples ? 1 : with_json / samples;
    uint64_t lives = 0;
    for (uint64_t n = 1; n <= with_json + 5; n += stride, lives++) {
        json_set_alloc_funcs(counted_malloc, ix_free);
        one_life(t, path, n, n / stride % 2 == 1);
        if (stride == 1)
            one_life(t, path, n, n / stride % 2 == 0);
        json_set_alloc_funcs(old_malloc, old_free);
    }
    printf("  %" PRIu64 " of %" PRIu64 " allocations failed in turn\n", lives, with_json);
    remove_scratch(folder);
}

TEST(faults_tiny_model)
{
    fail_each(t, ix_test_file(TINY), ix_environment("INOX_TEST_LONG") != NULL ? 0 : 300);
}

TEST(faults_embedded_model)
{
    inox_model *model;
    inox_error err;
    if (inox_model_open(NULL, NULL, &model, &err) != INOX_OK)
        SKIP("no model is embedded");
    inox_model_close(model);
    fail_each(t, NULL, ix_environment("INOX_TEST_LONG") != NULL ? 0 : 40);
}

/* A model file that ends early, wherever: an error with a message. */
TEST(faults_truncated_model)
{
    char folder[300], path[400], *data;
    size_t size;
    inox_error err = { 0 };
    if (!use_scratch(t, folder))
        SKIP("the environment cannot be set");
    CHECK_OK(ix_file_read(ix_test_file(TINY), 1 << 20, &data, &size, &err), &err);
    snprintf(path, sizeof path, "%s/short.gguf", folder);
    size_t step = ix_environment("INOX_TEST_LONG") != NULL ? 1 : 37;
    for (size_t n = 0; n < size; n += step) {
        life l = { 0 };
        err = (inox_error){ 0 };
        CHECK_OK(ix_file_write(path, data, n, 0600, &err), &err);
        inox_status status = live(&l, path, &err);
        CHECK_MSG(status == INOX_E_FORMAT && err.code == status && err.message[0] != '\0' &&
                      err.position <= (int64_t)n,
                  "%zu of %zu bytes gave %s: %s", n, size, inox_status_name(status), err.message);
        die(&l);
    }
    ix_free(data);
    remove_scratch(folder);
}

/* The calls refuse what they cannot use, and leave their outputs empty. */
TEST(faults_wrong_arguments)
{
    inox_error err = { 0 };
    inox_model *model = (inox_model *)t;
    inox_session *session = (inox_session *)t;
    inox_result *result = NULL;
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    inox_session_options s = INOX_SESSION_OPTIONS_INIT;
    char *text = NULL;
    size_t bytes;
    const int32_t ids[] = { 2, 3, 99, -1 };

    CHECK(inox_model_open(NULL, NULL, NULL, NULL) == INOX_E_ARGUMENT);
    CHECK(inox_model_open("/nowhere/at/all", NULL, &model, &err) == INOX_E_NOT_FOUND);
    CHECK(model == NULL && err.message[0] != '\0');
    o.threads = 100000;
    CHECK(inox_model_open(ix_test_file(TINY), &o, &model, NULL) == INOX_E_ARGUMENT);
    o = (inox_model_options)INOX_MODEL_OPTIONS_INIT;
    o.size = 3;
    CHECK(inox_model_open(ix_test_file(TINY), &o, &model, NULL) == INOX_E_ARGUMENT);
    o = (inox_model_options)INOX_MODEL_OPTIONS_INIT;
    o.isa = "sse9";
    CHECK(inox_model_open(ix_test_file(TINY), &o, &model, NULL) == INOX_E_ISA);
    o.isa = "ref";
    o.threads = 1;
    CHECK_OK(inox_model_open(ix_test_file(TINY), &o, &model, &err), &err);
    s.context = -1;
    CHECK(inox_session_new(model, &s, &session, NULL) == INOX_E_ARGUMENT && session == NULL);
    s.context = 4;
    CHECK_OK(inox_session_new(model, &s, &session, &err), &err);
    CHECK(inox_session_feed(session, ids, 3, INOX_LOGITS_ALL, NULL) == INOX_E_ARGUMENT);
    CHECK(inox_session_feed(session, ids + 3, 1, INOX_LOGITS_ALL, NULL) == INOX_E_ARGUMENT);
    CHECK(inox_session_feed(session, NULL, 1, INOX_LOGITS_ALL, NULL) == INOX_E_ARGUMENT);
    CHECK(inox_session_feed(NULL, ids, 1, INOX_LOGITS_ALL, NULL) == INOX_E_ARGUMENT);
    CHECK(inox_session_length(session) == 0);
    CHECK_OK(inox_session_feed(session, ids, 2, INOX_LOGITS_LAST, &err), &err);
    CHECK_OK(inox_session_feed(session, ids, 2, INOX_LOGITS_NONE, &err), &err);
    CHECK(inox_session_feed(session, ids, 1, INOX_LOGITS_LAST, &err) == INOX_E_CONTEXT);
    CHECK(inox_session_length(session) == 4 && inox_session_logits(session, NULL, NULL) == NULL);
    CHECK(inox_session_truncate(session, 5, NULL) == INOX_E_ARGUMENT);
    CHECK(inox_session_truncate(NULL, 0, NULL) == INOX_E_ARGUMENT);
    CHECK_OK(inox_session_truncate(session, 1, &err), &err);
    CHECK(inox_generate(session, NULL, 0, NULL, &result, NULL) == INOX_E_ARGUMENT);
    CHECK(inox_generate(session, ids + 2, 1, NULL, &result, NULL) == INOX_E_ARGUMENT);
    CHECK(inox_generate(session, ids, 2, NULL, NULL, NULL) == INOX_E_ARGUMENT && result == NULL);
    CHECK(inox_detokenize(model, ids + 2, 1, true, &text, &bytes, NULL) != INOX_OK);
    CHECK(text == NULL);
    CHECK(inox_model_inspect(model, "everything", &text, NULL) == INOX_E_ARGUMENT && text == NULL);
    CHECK(inox_receipt_store("{}", NULL) != INOX_OK && inox_receipt_store(NULL, NULL) != INOX_OK);
    inox_session_free(session);
    inox_model_close(model);
    inox_model_close(NULL);
    inox_session_free(NULL);
    inox_result_free(NULL);
}
