/* The caller's floating-point modes reach no result, and are in force again when a call returns.
 *
 * Whatever a process may have loaded: flush to zero, denormals are zero, any rounding mode, x87
 * precision; set before a call, or by the caller's own code inside one (the callbacks).  And
 * buffers of the caller at places that are aligned for their type and for nothing more.
 */
#include "test.h"

#include <inox.h>

#include "base/fpenv.h"
#include "base/os.h"
#include "num/scalar/scalar.h"

#include <fenv.h>
#include <time.h>

/* ---- modes ----------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#include <immintrin.h>

typedef struct modes {
    unsigned mxcsr; /* without the flags, which sticky operations raise */
    uint16_t x87;
} modes;

#define FLAGS 0x3fu

static modes modes_now(void)
{
    modes m = { _mm_getcsr() & ~FLAGS, 0 };
    __asm__ volatile("fnstcw %0" : "=m"(m.x87));
    return m;
}

static void set_modes(modes m)
{
    _mm_setcsr(m.mxcsr);
    __asm__ volatile("fldcw %0" : : "m"(m.x87));
}

/* Rounding down, up, toward zero; flush to zero and denormals are zero; x87 with 24 bits. */
static const modes MODES[] = { { 0x3f80, 0x077f }, { 0x5f80, 0x0b7f }, { 0x7f80, 0x0f7f },
                               { 0x9fc0, 0x037f }, { 0xffc0, 0x0c7f }, { 0x1f80, 0x007f } };
#elif defined(__aarch64__)
typedef struct modes {
    uint64_t fpcr;
} modes;

static modes modes_now(void)
{
    modes m;
    __asm__ volatile("mrs %0, fpcr" : "=r"(m.fpcr));
    return m;
}

static void set_modes(modes m)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(m.fpcr));
}

/* Rounding up, down, toward zero; flush to zero; default NaN. */
static const modes MODES[] = {
    { 1u << 22 }, { 2u << 22 }, { 3u << 22 }, { 1u << 24 }, { 1u << 25 }
};
#endif
#define MODE_COUNT (sizeof MODES / sizeof *MODES)

static bool same_modes(modes a, modes b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* ---- one journey through the interface ------------------------------------------------------- */

#define TOKENS 10
#define ROWS 7

/* Every figure that a caller can see. */
typedef struct journey {
    float logits[ROWS * 2048];
    int32_t ids[TOKENS], chosen;
    char sampling[600]; /* of the receipt, and its rows */
    char shown[4000];
    double nats;
    bool replays, loads;
} journey;

static modes callback_modes; /* what the caller's own code leaves behind */
static int callbacks_leaked; /* callbacks that found it there when they were called again */

static void be_careless(void)
{
    callbacks_leaked += same_modes(modes_now(), callback_modes);
    set_modes(callback_modes);
}

static int careless_text(void *context, const char *text, size_t bytes)
{
    (void)context, (void)text, (void)bytes;
    be_careless();
    return 0;
}

static int careless_prompt(void *context, size_t done, size_t all)
{
    (void)context, (void)done, (void)all;
    be_careless();
    return 0;
}

static int careless_progress(void *context, double fraction)
{
    (void)context, (void)fraction;
    set_modes(callback_modes);
    return 0;
}

static const char *part_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at == NULL ? "" : at;
}

static void use_receipt(ix_test *t, inox_model *m, const char *receipt, journey *j)
{
    inox_replay_report report = INOX_REPLAY_REPORT_INIT;
    char *path = NULL;
    const char *sampling = part_of(receipt, "\"sampling\"");
    snprintf(j->sampling, sizeof j->sampling, "%.120s %.*s", part_of(receipt, "\"rows\""),
             (int)strcspn(sampling, "}"), sampling);
    j->replays = inox_replay(m, receipt, &report, NULL) == INOX_OK && report.identical;
    j->loads = inox_receipt_model(receipt, &path, NULL) == INOX_OK;
    inox_string_free(path);
    CHECK(strstr(j->sampling, "temperature") != NULL);
}

static void answer(ix_test *t, inox_session *s, inox_model *m, journey *j, bool callbacks)
{
    static const int32_t PROMPT[] = { 1, 300, 20, 7 };
    inox_generate_options o = INOX_GENERATE_OPTIONS_INIT;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    inox_result *r = NULL;
    inox_error err;
    o.max_tokens = TOKENS;
    o.ignore_end = true;
    o.sampling.seed = 77;
    o.sampling.temperature = 0.8f; /* not the same decimal number in every direction */
    o.sampling.top_p = 0.7f;
    o.sampling.repetition_penalty = 1.1f;
    if (callbacks) {
        o.on_text = careless_text;
        o.on_prompt = careless_prompt;
    }
    CHECK_OK(inox_session_truncate(s, 0, &err), &err);
    CHECK_OK(inox_generate(s, PROMPT, 4, &o, &r, &err), &err);
    if (r == NULL)
        return;
    CHECK_OK(inox_result_describe(r, &info, &err), &err);
    CHECK(info.id_count == TOKENS);
    memcpy(j->ids, info.ids, sizeof j->ids);
    use_receipt(t, m, info.receipt, j);
    inox_result_free(r);
}

/* `before`: set at the start, and expected at the end of every call. */
#define CALL_IN_MODES(call)                                                                        \
    do {                                                                                           \
        set_modes(before);                                                                         \
        inox_status status_ = (call);                                                              \
        CHECK_MSG(same_modes(modes_now(), before), "modes are others after %s", #call);            \
        CHECK_OK(status_, &err);                                                                   \
    } while (0)

static void travel(ix_test *t, modes before, bool callbacks, journey *j)
{
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    inox_sampling sampling = INOX_SAMPLING_INIT;
    inox_error err = { 0 };
    inox_model *m = NULL;
    inox_session *s = NULL;
    char *shown = NULL;
    int32_t ids[ROWS] = { 1, 12, 900, 44, 3, 3, 250 };
    size_t rows = 0, columns = 0;
    *j = (journey){ .chosen = -1 };
    o.threads = 3;
    o.progress = callbacks ? careless_progress : NULL;
    CALL_IN_MODES(inox_model_open(NULL, &o, &m, &err));
    CALL_IN_MODES(inox_session_new(m, NULL, &s, &err));
    CALL_IN_MODES(inox_session_feed(s, ids, ROWS, INOX_LOGITS_ALL, &err));
    const float *logits = inox_session_logits(s, &rows, &columns);
    CHECK(rows == ROWS && columns == 2048);
    memcpy(j->logits, logits, sizeof j->logits);
    sampling.temperature = 1.3f;
    CALL_IN_MODES(inox_sample(logits, columns, &sampling, ids, ROWS, 5, &j->chosen, &err));
    CALL_IN_MODES(inox_perplexity(s, ids, ROWS, 4, &j->nats, NULL, &err));
    CALL_IN_MODES(inox_model_inspect(m, "metadata", &shown, &err));
    snprintf(j->shown, sizeof j->shown, "%s", shown);
    inox_string_free(shown);
    CALL_IN_MODES(inox_model_inspect(m, "graph", &shown, &err));
    snprintf(j->shown + 2000, sizeof j->shown - 2000, "%s", shown);
    inox_string_free(shown);
    CALL_IN_MODES((answer(t, s, m, j, callbacks), INOX_OK));
    inox_session_free(s);
    inox_model_close(m);
}

static void compare_journeys(ix_test *t, const journey *a, const journey *b, const char *where,
                             size_t mode)
{
    CHECK_MSG(memcmp(a->logits, b->logits, sizeof a->logits) == 0, "logits, %s %zu", where, mode);
    CHECK_MSG(memcmp(a->ids, b->ids, sizeof a->ids) == 0, "answer, %s %zu", where, mode);
    CHECK_MSG(a->chosen == b->chosen, "inox_sample, %s %zu", where, mode);
    CHECK_MSG(a->nats == b->nats, "perplexity, %s %zu", where, mode);
    CHECK_MSG(strcmp(a->sampling, b->sampling) == 0, "receipt, %s %zu:\n%s\n%s", where, mode,
              a->sampling, b->sampling);
    CHECK_MSG(memcmp(a->shown, b->shown, sizeof a->shown) == 0, "inspect, %s %zu", where, mode);
    CHECK_MSG(b->replays && b->loads, "the receipt, %s %zu", where, mode);
}

TEST(guard_modes)
{
    static journey plain, got;
    modes usual = modes_now();
    travel(t, usual, false, &plain);
    for (size_t i = 0; i < MODE_COUNT; i++) {
        travel(t, MODES[i], false, &got);
        set_modes(usual);
        compare_journeys(t, &plain, &got, "modes of the caller", i);
        callback_modes = MODES[i];
        travel(t, usual, true, &got);
        set_modes(usual);
        compare_journeys(t, &plain, &got, "modes of a callback", i);
        CHECK_MSG(callbacks_leaked == 0, "modes of a callback stayed on, %zu", i);
    }
}

/* fesetround changes all words of the processor at once. */
TEST(guard_rounding)
{
    static const int ROUNDINGS[] = { FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };
    static journey plain, got;
    modes usual = modes_now();
    travel(t, usual, false, &plain);
    for (size_t i = 0; i < 3; i++) {
        CHECK(fesetround(ROUNDINGS[i]) == 0);
        modes rounding = modes_now();
        CHECK(!same_modes(rounding, usual));
        travel(t, rounding, false, &got);
        CHECK(fegetround() == ROUNDINGS[i]);
        set_modes(usual);
        compare_journeys(t, &plain, &got, "rounding", i);
    }
}

/* ---- threads and memory ---------------------------------------------------------------------- */

/* Pinned threads, spread weights, and weights from the file change no bit. */
TEST(guard_pins_and_memory)
{
    static float expected[ROWS * 2048], got[ROWS * 2048];
    int32_t ids[ROWS] = { 1, 12, 900, 44, 3, 3, 250 };
    inox_error err = { 0 };
    for (int way = 0; way < 8; way++) {
        inox_model_options o = INOX_MODEL_OPTIONS_INIT;
        inox_model_info info = INOX_MODEL_INFO_INIT;
        inox_model *m = NULL;
        inox_session *s = NULL;
        o.threads = ix_cpu_count() < 3 ? ix_cpu_count() : 3;
        o.pin = way & 1;
        o.memory_max = way & 2 ? 1000 : 0;
        o.interleave = way & 4;
        CHECK_OK(inox_model_open(NULL, &o, &m, &err), &err);
        CHECK_OK(inox_model_describe(m, &info, &err), &err);
        CHECK(info.from_file == ((way & 2) != 0));
        CHECK_OK(inox_session_new(m, NULL, &s, &err), &err);
        CHECK_OK(inox_session_feed(s, ids, ROWS, INOX_LOGITS_ALL, &err), &err);
        const float *logits = inox_session_logits(s, NULL, NULL);
        if (logits != NULL)
            memcpy(way == 0 ? expected : got, logits, sizeof got);
        CHECK_MSG(way == 0 || memcmp(expected, got, sizeof got) == 0, "way %d differs", way);
        inox_session_free(s);
        inox_model_close(m);
    }
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    inox_model *m = NULL;
    o.pin = true;
    o.threads = ix_cpu_count() + 1;
    CHECK(inox_model_open(NULL, &o, &m, &err) == INOX_E_ARGUMENT && m == NULL);
    CHECK(strstr(err.message, "pinned threads need a processor each") != NULL);
}

static double processor_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* A session between two calls uses no processor. */
TEST(guard_idle_session)
{
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    inox_error err = { 0 };
    inox_model *m = NULL;
    inox_session *s = NULL;
    const int32_t ids[2] = { 1, 9 };
    struct timespec moment = { 0, 20000000 }, second = { 1, 0 };
    o.threads = 4;
    CHECK_OK(inox_model_open(NULL, &o, &m, &err), &err);
    CHECK_OK(inox_session_new(m, NULL, &s, &err), &err);
    CHECK_OK(inox_session_feed(s, ids, 2, INOX_LOGITS_LAST, &err), &err);
    nanosleep(&moment, NULL);
    double before = processor_ms();
    nanosleep(&second, NULL);
    double used = processor_ms() - before;
    CHECK_MSG(used < 5, "an idle second cost %.1f ms", used);
    printf("  an idle second: %.3f ms of processor\n", used);
    CHECK_OK(inox_session_feed(s, ids, 1, INOX_LOGITS_LAST, &err), &err); /* and it wakes */
    inox_session_free(s);
    inox_model_close(m);
}

/* ---- places ---------------------------------------------------------------------------------- */

TEST(guard_places_of_buffers)
{
    static float expected[ROWS * 2048], row[2048 + 16];
    static int32_t ids[ROWS + 16], previous[ROWS + 16];
    inox_error err = { 0 };
    inox_model *m = NULL;
    inox_session *s = NULL;
    CHECK_OK(inox_model_open(NULL, NULL, &m, &err), &err);
    CHECK_OK(inox_session_new(m, NULL, &s, &err), &err);
    for (size_t place = 0; place < 16 && s != NULL; place++) {
        int32_t chosen = -1, first = -1;
        size_t rows = 0, columns = 0;
        for (int32_t i = 0; i < ROWS; i++)
            ids[place + (size_t)i] = previous[(place * 7 + 3) % 16 + (size_t)i] = 5 + 31 * i;
        CHECK_OK(inox_session_truncate(s, 0, &err), &err);
        CHECK_OK(inox_session_feed(s, ids + place, ROWS, INOX_LOGITS_ALL, &err), &err);
        const float *logits = inox_session_logits(s, &rows, &columns);
        CHECK(rows == ROWS && columns == 2048);
        if (place == 0)
            memcpy(expected, logits, sizeof expected);
        CHECK_MSG(memcmp(logits, expected, sizeof expected) == 0, "ids at place %zu", place);
        memcpy(row + place, expected, 2048 * sizeof *row);
        CHECK_OK(inox_sample(row + place, 2048, NULL, previous + (place * 7 + 3) % 16, ROWS, 3,
                             &chosen, &err),
                 &err);
        CHECK_OK(inox_sample(expected, 2048, NULL, ids + place, ROWS, 3, &first, &err), &err);
        CHECK_MSG(chosen == first && chosen >= 0, "a row at place %zu", place);
    }
    inox_session_free(s);
    inox_model_close(m);
}
