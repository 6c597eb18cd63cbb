/* The matrix of equalities (make exact): whatever the instruction set, the threads, the rows of a
 * step, the sequences of a batch and the state of the cache, every logit has the reference's bits.
 *
 *     {instruction set} x {threads 1 2 3 5 8 16} x {chunk 1 7 64 512}
 *                       x {cache: none, prefix hit, evicted and rebuilt}      every cell
 *     {instruction set} x {sequences decoded together: 1..257}                threads take turns
 *
 * for each model and cache type: the built-in model, one generated model per weight type, and those
 * of ../shared/data/llm where they lie beside the source.  The reference is `ref` with one thread,
 * one sequence, one pass and no cache to share; being slow, `ref` itself runs few cells, in which
 * each chunk and each state of the cache stands at least once.  INOX_EXACT=1 runs all of it; else a
 * few cells run.
 *
 * Sequences of a batch stand at different places of different texts, and some are fed more than
 * one token; what one gets may not depend on the others.
 */
#include "tiny_model.h"

#include "base/alloc.h"
#include "base/os.h"
#include "num/isa.h"
#include "num/matmul/matmul.h"

#include <inttypes.h>

enum {
    TEXTS = 2,
    LENGTH_MAX = 270, /* two pages and some */
    LENGTH_MIN = 140, /* a page and some: cells of the reference, and the short run */
    BATCH_MAX = 257
};

typedef enum cache_state { CACHE_NONE, CACHE_HIT, CACHE_EVICTED, CACHE_STATES } cache_state;

typedef struct matrix {
    ix_test *t;
    const char *label;
    int32_t words; /* ids are below it */
    size_t columns;
    inox_cache_type cache;
    int32_t ids[TEXTS + 1][LENGTH_MAX]; /* the last is only there to evict others */
    float *expected[TEXTS];             /* [length][columns] */
    ix_isa isa;
    int32_t threads;
    size_t length; /* of the texts in this cell */
    inox_model *model;
    uint64_t values, different;
    int cells, batches;
} matrix;

static uint64_t all_values, all_different; /* of the process */

static bool in_full(void)
{
    const char *s = getenv("INOX_EXACT");
    return s != NULL && strcmp(s, "1") == 0;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* Rows that a session has now against those of a text from `position` on. */
static void compare(matrix *m, const inox_session *s, size_t text, size_t position, size_t rows,
                    const char *what)
{
    size_t n, columns;
    const float *got = inox_session_logits(s, &n, &columns);
    ix_test *t = m->t;
    CHECK_MSG(n == rows && columns == m->columns, "%s: %zu rows, not %zu", what, n, rows);
    if (n != rows || columns != m->columns)
        return;
    const float *want = m->expected[text] + position * columns;
    m->values += rows * columns;
    if (memcmp(got, want, rows * columns * sizeof *got) == 0)
        return;
    uint64_t wrong = 0;
    for (size_t i = 0; i < rows * columns; i++)
        wrong += memcmp(&got[i], &want[i], sizeof *got) != 0;
    m->different += wrong;
    CHECK_MSG(wrong == 0,
              "%s, %s, %s, %d threads, cache %d: %" PRIu64 " of %zu values differ from %zu on",
              m->label, what, ix_isa_name(m->isa), m->threads, (int)m->cache, wrong, rows * columns,
              position);
}

static bool good(matrix *m, inox_status status, const inox_error *err, const char *what)
{
    ix_test *t = m->t;
    CHECK_MSG(status == INOX_OK, "%s, %s: %s", m->label, what, err->message);
    return status == INOX_OK;
}

/* Positions [from, until) of a text in pieces; ALL: each is compared. */
static size_t feed(matrix *m, inox_session *s, size_t text, size_t from, size_t until, size_t chunk,
                   inox_logits_mode mode, const char *what)
{
    inox_error err = { 0 };
    size_t reused = 0;
    for (size_t at = from; at < until;) {
        size_t n = until - at < chunk ? until - at : chunk;
        if (!good(m, inox_session_feed(s, m->ids[text] + at, n, mode, &err), &err, what))
            return 0;
        reused += inox_session_reused(s);
        if (mode == INOX_LOGITS_ALL)
            compare(m, s, text, at, n, what);
        at += n;
    }
    return reused;
}

static inox_session *session_in(matrix *m, inox_cache *pool)
{
    inox_session_options o = INOX_SESSION_OPTIONS_INIT;
    inox_session *s = NULL;
    inox_error err = { 0 };
    o.context = LENGTH_MAX;
    o.cache = m->cache;
    o.pool = pool;
    good(m, inox_session_new(m->model, &o, &s, &err), &err, "a session");
    return s;
}

static inox_cache *pool_of(matrix *m, int64_t positions)
{
    inox_cache_options o = INOX_CACHE_OPTIONS_INIT;
    inox_cache *c = NULL;
    inox_error err = { 0 };
    o.positions = positions;
    o.type = m->cache;
    good(m, inox_cache_new(m->model, &o, &c, &err), &err, "a cache");
    return c;
}

/* ---- one cell -------------------------------------------------------------------------------- */

/* Feeds a text without looking, and leaves its pages in the cache. */
static void pass_by(matrix *m, inox_cache *pool, size_t text)
{
    inox_session *s = session_in(m, pool);
    if (s != NULL)
        feed(m, s, text, 0, m->length, 512, INOX_LOGITS_NONE, "filling the cache");
    inox_session_free(s);
}

static void run_hit(matrix *m, size_t text, size_t chunk)
{
    ix_test *t = m->t;
    size_t hit = m->length / 128 * 128;
    inox_cache *pool = pool_of(m, 2 * LENGTH_MAX);
    if (pool == NULL)
        return;
    pass_by(m, pool, text);
    inox_session *s = session_in(m, pool);
    if (s != NULL) {
        size_t reused = feed(m, s, text, 0, hit, chunk, INOX_LOGITS_NONE, "a prefix");
        CHECK_MSG(reused > 0, "%s: nothing of the prefix was found, chunk %zu", m->label, chunk);
        feed(m, s, text, hit, m->length, chunk, INOX_LOGITS_ALL, "behind a prefix hit");
    }
    inox_session_free(s);
    inox_cache_free(pool);
}

static void run_evicted(matrix *m, size_t text, size_t chunk)
{
    ix_test *t = m->t;
    inox_cache_info info = INOX_CACHE_INFO_INIT;
    inox_error err = { 0 };
    inox_cache *pool = pool_of(m, (int64_t)m->length);
    if (pool == NULL)
        return;
    pass_by(m, pool, text);
    pass_by(m, pool, TEXTS);
    inox_session *s = session_in(m, pool);
    if (s != NULL)
        feed(m, s, text, 0, m->length, chunk, INOX_LOGITS_ALL, "rebuilt behind an eviction");
    good(m, inox_cache_describe(pool, &info, &err), &err, "the cache");
    CHECK_MSG(info.pages_evicted > 0, "%s: nothing was evicted", m->label);
    inox_session_free(s);
    inox_cache_free(pool);
}

static void run_cell(matrix *m, cache_state state, size_t chunk)
{
    size_t text = (size_t)m->cells % TEXTS;
    m->cells++;
    if (state == CACHE_HIT) {
        run_hit(m, text, chunk);
    } else if (state == CACHE_EVICTED) {
        run_evicted(m, text, chunk);
    } else {
        inox_session *s = session_in(m, NULL);
        if (s != NULL)
            feed(m, s, text, 0, m->length, chunk, INOX_LOGITS_ALL, "one sequence");
        inox_session_free(s);
    }
}

/* ---- what runs ------------------------------------------------------------------------------- */

static const int32_t THREADS[] = { 1, 2, 3, 5, 8, 16 };
static const size_t CHUNKS[] = { 1, 7, 64, 512 };
#define THREAD_COUNT ((int)(sizeof THREADS / sizeof *THREADS))
#define CHUNK_COUNT ((int)(sizeof CHUNKS / sizeof *CHUNKS))

/* Which cells run: each under the fast sets; under the reference each chunk once, with thread
 * counts and caches taking turns. */
static bool has_threads(ix_isa isa, int thread)
{
    if (in_full())
        return isa != IX_ISA_REF || thread < CHUNK_COUNT;
    return isa == IX_ISA_REF ? thread == 2 : thread % 2 == 0 && thread < 4;
}

static bool has_cell(ix_isa isa, int thread, int chunk, int state)
{
    if (isa == IX_ISA_REF)
        return in_full() ? thread == chunk && state == chunk % CACHE_STATES
                         : chunk == 1 && state == CACHE_NONE;
    return in_full() || chunk % 2 == 1;
}

/* Every size under every fast set, the thread counts taking turns; sizes about powers of two under
 * every thread count; under the reference, which takes each row by itself, those once. */
static bool has_batch(ix_isa isa, int thread, size_t size)
{
    bool border = (size & (size - 1)) == 0 || (size & (size + 1)) == 0 || size == BATCH_MAX;
    if (!in_full())
        return isa != IX_ISA_REF && (size == 1 || size == 2 || size == 9 || size == 33);
    return isa == IX_ISA_REF ? border && thread == 1
                             : border || (int)(size % (size_t)THREAD_COUNT) == thread;
}

/* ---- batches --------------------------------------------------------------------------------- */

/* Sequence i stands at place_of(i) of text i % TEXTS: places ascend within a text, so that one
 * session that reads it can be forked there. */
static size_t place_of(const matrix *m, size_t i)
{
    return 1 + (i / TEXTS) * (m->length - 4) / (BATCH_MAX / TEXTS + 1);
}

/* Most are fed one token, some a few. */
static size_t tokens_of(size_t i)
{
    return i % 11 == 3 ? 3 : 1;
}

static void run_batch(matrix *m, inox_session *const *sessions, size_t count)
{
    inox_feed feeds[BATCH_MAX];
    inox_error err = { 0 };
    for (size_t i = 0; i < count; i++)
        feeds[i] = (inox_feed){ sessions[i], m->ids[i % TEXTS] + place_of(m, i), tokens_of(i),
                                i % 2 ? INOX_LOGITS_LAST : INOX_LOGITS_ALL };
    if (!good(m, inox_sessions_feed(feeds, count, &err), &err, "a batch"))
        return;
    m->batches++;
    for (size_t i = 0; i < count; i++) {
        size_t rows = i % 2 ? 1 : tokens_of(i);
        compare(m, sessions[i], i % TEXTS, place_of(m, i) + tokens_of(i) - rows, rows,
                "in a batch");
        good(m, inox_session_truncate(sessions[i], place_of(m, i), &err), &err, "truncate");
    }
}

static void run_batches(matrix *m, int thread)
{
    static inox_session *sessions[BATCH_MAX];
    size_t largest = 0;
    for (size_t size = 1; size <= BATCH_MAX; size++)
        largest = has_batch(m->isa, thread, size) ? size : largest;
    if (largest == 0)
        return;
    inox_error err = { 0 };
    inox_cache *pool = pool_of(m, (int64_t)BATCH_MAX * 2 * 128 + TEXTS * LENGTH_MAX);
    bool made = pool != NULL;
    for (size_t text = 0; text < TEXTS && made; text++) {
        size_t at = 0;
        inox_session *reader = session_in(m, pool);
        made = reader != NULL;
        for (size_t i = text; i < largest && made; i += TEXTS) {
            feed(m, reader, text, at, place_of(m, i), 64, INOX_LOGITS_NONE, "reading");
            at = place_of(m, i);
            made = good(m, inox_session_fork(reader, &sessions[i], &err), &err, "fork");
        }
        inox_session_free(reader);
    }
    for (size_t size = 1; size <= largest && made; size++)
        if (has_batch(m->isa, thread, size))
            run_batch(m, sessions, size);
    for (size_t i = 0; i < BATCH_MAX; i++) {
        inox_session_free(sessions[i]);
        sessions[i] = NULL;
    }
    inox_cache_free(pool);
}

/* ---- all cells of a model -------------------------------------------------------------------- */

/* Where a model comes from: a file, or open_tiny of a shape. */
typedef struct origin {
    const char *path; /* NULL and no shape: the built-in model */
    const tiny *shape;
} origin;

static bool open_in(matrix *m, const origin *from, ix_isa isa, int32_t threads)
{
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    inox_error err = { 0 };
    m->isa = isa;
    m->threads = threads;
    m->length = in_full() && isa != IX_ISA_REF ? LENGTH_MAX : LENGTH_MIN;
    m->model = NULL;
    o.isa = ix_isa_name(isa);
    o.threads = threads;
    if (from->shape != NULL) {
        m->model = open_tiny(m->t, from->shape, threads, o.isa, 0);
        return m->model != NULL;
    }
    return good(m, inox_model_open(from->path, &o, &m->model, &err), &err, "open");
}

static bool expect(matrix *m, const origin *from)
{
    inox_model_info info = INOX_MODEL_INFO_INIT;
    inox_error err = { 0 };
    uint64_t random = 5;
    if (!open_in(m, from, IX_ISA_REF, 1) ||
        !good(m, inox_model_describe(m->model, &info, &err), &err, "describe"))
        return false;
    m->columns = (size_t)info.vocabulary;
    size_t length = in_full() ? LENGTH_MAX : LENGTH_MIN,
           bytes = length * m->columns * sizeof(float);
    bool fed = true;
    for (size_t text = 0; text < TEXTS + 1; text++)
        for (int i = 0; i < LENGTH_MAX; i++)
            m->ids[text][i] = (int32_t)(ix_test_random(&random) % m->columns);
    for (size_t text = 0; text < TEXTS && fed; text++) {
        m->expected[text] = malloc(bytes);
        inox_session *s = session_in(m, NULL);
        fed = m->expected[text] != NULL && s != NULL &&
              good(m, inox_session_feed(s, m->ids[text], length, INOX_LOGITS_ALL, &err), &err,
                   "the reference");
        if (fed)
            memcpy(m->expected[text], inox_session_logits(s, NULL, NULL), bytes);
        inox_session_free(s);
    }
    inox_model_close(m->model);
    return fed;
}

static void run_isa(matrix *m, const origin *from, ix_isa isa)
{
    for (int thread = 0; thread < THREAD_COUNT; thread++) {
        if (!has_threads(isa, thread) || !open_in(m, from, isa, THREADS[thread]))
            continue;
        for (int chunk = 0; chunk < CHUNK_COUNT; chunk++)
            for (int state = 0; state < CACHE_STATES; state++)
                if (has_cell(isa, thread, chunk, state))
                    run_cell(m, (cache_state)state, CHUNKS[chunk]);
        run_batches(m, thread);
        inox_model_close(m->model);
    }
}

static void run_model(ix_test *t, const char *label, const origin *from, inox_cache_type cache)
{
    matrix m = { .t = t, .label = label, .cache = cache };
    char sets[128] = "";
    double start = ix_clock_seconds();
    bool ready = expect(&m, from);
    for (int i = 0; i < IX_ISA_COUNT && ready; i++) {
        int before = m.cells;
        if (!ix_isa_built((ix_isa)i) || !ix_isa_present((ix_isa)i))
            continue;
        run_isa(&m, from, (ix_isa)i);
        size_t n = strlen(sets);
        snprintf(sets + n, sizeof sets - n, "%s %d, ", ix_isa_name((ix_isa)i), m.cells - before);
    }
    for (size_t text = 0; text < TEXTS; text++)
        free(m.expected[text]);
    all_values += m.values;
    all_different += m.different;
    printf("  %-20s cache %s: cells %s%d batches; %" PRIu64 " values, %" PRIu64
           " differ (%.1f s)\n",
           label, cache == INOX_CACHE_F32 ? "f32" : "f16", sets, m.batches, m.values, m.different,
           ix_clock_seconds() - start);
    fflush(stdout);
}

/* ---- the models ------------------------------------------------------------------------------ */

TEST(matrix_1_default_model)
{
    run_model(t, "built in", &(origin){ NULL, NULL }, INOX_CACHE_F16);
    if (in_full())
        run_model(t, "built in", &(origin){ NULL, NULL }, INOX_CACHE_F32);
}

/* One layer of random weights per type that can be multiplied. */
TEST(matrix_2_every_type)
{
    for (int type = 0; type < IX_TYPE_COUNT; type++) {
        tiny shape = TINY;
        if (ix_matmul_find((ix_type)type, IX_ISA_REF, false) == NULL)
            continue;
        if (!in_full() && (type % 4 != 0 || ix_type_of((ix_type)type)->activation_block == 0))
            continue; /* the families' own tests have them all */
        shape.layers = 1;
        shape.width = shape.feed_forward = 256;
        shape.type = (ix_type)type;
        shape.context = LENGTH_MAX;
        run_model(t, ix_type_of((ix_type)type)->name, &(origin){ NULL, &shape },
                  type % 2 ? INOX_CACHE_F32 : INOX_CACHE_F16);
    }
}

TEST(matrix_3_shared_models)
{
    static const char *const FILES[] = {
        "llama/model-f32",    "llama/model-f16",      "llama/model-bf16",   "llama_q/model-q8_0",
        "llama_q/model-q4_0", "llama_q/model-q4_k_m", "llama_q/model-q6_k", "qwen2/model-f32",
        "qwen2/model-f16",    "qwen3/model-f32",      "qwen3/model-f16",    "qwen3_q/model-q8_0",
        "qwen3_q/model-q4_0", "qwen3_q/model-q4_k_m", "qwen3_q/model-q6_k",
    };
    if (!in_full())
        SKIP("make exact runs it");
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char name[64];
        snprintf(name, sizeof name, "data/llm/%s.gguf", FILES[i]);
        const char *path = ix_test_shared(name);
        if (path == NULL)
            SKIP("../shared/data/llm is not beside this source");
        run_model(t, FILES[i], &(origin){ path, NULL }, INOX_CACHE_F16);
        run_model(t, FILES[i], &(origin){ path, NULL }, INOX_CACHE_F32);
    }
}

TEST(matrix_4_sum)
{
    CHECK(all_values > 0 && all_different == 0);
    printf("  matrix: %" PRIu64 " values compared, %" PRIu64 " differences\n", all_values,
           all_different);
}
