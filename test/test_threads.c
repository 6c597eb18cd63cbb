/* Threads through the whole library: any number of workers gives the same answer, and sessions of
 * several threads share one model.  Meant for ThreadSanitizer too (make tsan). */
#include "test.h"

#include <inox.h>

#include "base/alloc.h"
#include "base/task.h"

#define TOKENS 12

typedef struct answer {
    inox_model *model;
    uint64_t seed;
    int32_t ids[TOKENS];
    size_t count;
    char receipt[4096];
    inox_status status;
    inox_error error;
} answer;

static inox_model *open_tiny(ix_test *t, const char *name, int threads)
{
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    inox_model *model = NULL;
    inox_error err = { 0 };
    char path[200];
    snprintf(path, sizeof path, "../fuzz/corpus/session/%.100s.gguf", name);
    o.threads = threads;
    o.max_batch = 3;
    CHECK_OK(inox_model_open(ix_test_file(path), &o, &model, &err), &err);
    return model;
}

static inox_status generate(answer *a, inox_error *err)
{
    static const int32_t PROMPT[] = { 0, 3, 10, 12, 4, 5, 16 };
    inox_session *s;
    inox_result *r;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    inox_generate_options o = INOX_GENERATE_OPTIONS_INIT;
    o.max_tokens = TOKENS;
    o.ignore_end = true;
    o.sampling.seed = a->seed;
    o.sampling.temperature = 1.0f;
    IX_TRY(inox_session_new(a->model, NULL, &s, err));
    inox_status status = inox_generate(s, PROMPT, 7, &o, &r, err);
    inox_session_free(s);
    IX_TRY(status);
    status = inox_result_describe(r, &info, err);
    if (status == INOX_OK) {
        a->count = info.id_count;
        memcpy(a->ids, info.ids, info.id_count * sizeof *info.ids);
        snprintf(a->receipt, sizeof a->receipt, "%s", info.receipt);
    }
    inox_result_free(r);
    return status;
}

static void generate_main(void *context)
{
    answer *a = context;
    a->status = generate(a, &a->error);
}

static bool same(const answer *a, const answer *b)
{
    return a->count == TOKENS && b->count == TOKENS && memcmp(a->ids, b->ids, sizeof a->ids) == 0;
}

TEST(threads_generate)
{
    static const int COUNTS[] = { 1, 2, 7 };
    static const char *const MODELS[] = { "llama-q8_0-window", "qwen2-f32", "qwen3-q8_0" };
    for (size_t m = 0; m < 3; m++) {
        answer first = { 0 };
        for (size_t i = 0; i < 3; i++) {
            answer a = { .seed = 4 };
            a.model = open_tiny(t, MODELS[m], COUNTS[i]);
            if (a.model == NULL)
                return;
            CHECK_OK(generate(&a, &a.error), &a.error);
            if (i == 0)
                first = a;
            CHECK_MSG(same(&first, &a), "%s with %d threads", MODELS[m], COUNTS[i]);
            inox_replay_report report = INOX_REPLAY_REPORT_INIT;
            CHECK_OK(inox_replay(a.model, first.receipt, &report, &a.error), &a.error);
            inox_model_close(a.model);
        }
    }
}

/* Two threads with a session each, while a third replays and inspects, on one model. */
TEST(threads_share_a_model)
{
    static const int COUNTS[] = { 1, 3 };
    for (size_t i = 0; i < 2; i++) {
        answer alone[2] = { { .seed = 1 }, { .seed = 2 } }, beside[2];
        inox_model *model = open_tiny(t, "llama-q8_0", COUNTS[i]);
        ix_task *tasks[2] = { NULL, NULL };
        inox_error err = { 0 };
        if (model == NULL)
            return;
        for (int k = 0; k < 2; k++) {
            alone[k].model = open_tiny(t, "llama-q8_0", 1);
            generate_main(&alone[k]);
            CHECK_OK(alone[k].status, &alone[k].error);
            inox_model_close(alone[k].model);
        }
        for (int round = 0; round < 4; round++) {
            for (int k = 0; k < 2; k++) {
                beside[k] = (answer){ .seed = alone[k].seed, .model = model };
                CHECK_OK(ix_task_start(generate_main, &beside[k], &tasks[k], &err), &err);
            }
            inox_replay_report report = INOX_REPLAY_REPORT_INIT;
            char *text = NULL;
            CHECK_OK(inox_replay(model, alone[0].receipt, &report, &err), &err);
            CHECK_OK(inox_model_inspect(model, "json", &text, &err), &err);
            inox_string_free(text);
            for (int k = 0; k < 2; k++) {
                ix_task_join(tasks[k]);
                CHECK_OK(beside[k].status, &beside[k].error);
                CHECK_MSG(same(&alone[k], &beside[k]), "session %d of %d threads", k, COUNTS[i]);
            }
        }
        inox_model_close(model);
    }
}

/* Models open and close in several threads at once; the table of kernels is made only once. */
static void open_and_close(void *context)
{
    answer *a = context;
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    o.threads = 2;
    a->status = inox_model_open(a->receipt, &o, &a->model, &a->error);
    if (a->status != INOX_OK)
        return;
    generate_main(a);
    inox_model_close(a->model);
}

TEST(threads_open_models)
{
    answer a[4];
    ix_task *tasks[4] = { NULL };
    inox_error err = { 0 };
    for (int k = 0; k < 4; k++) {
        a[k] = (answer){ .seed = 9 };
        snprintf(a[k].receipt, sizeof a[k].receipt, "%s",
                 ix_test_file("../fuzz/corpus/session/qwen2-q8_0.gguf"));
        CHECK_OK(ix_task_start(open_and_close, &a[k], &tasks[k], &err), &err);
    }
    for (int k = 0; k < 4; k++) {
        ix_task_join(tasks[k]);
        CHECK_OK(a[k].status, &a[k].error);
        CHECK(same(&a[0], &a[k]));
    }
}
