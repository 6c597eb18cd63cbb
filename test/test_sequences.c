/* Many sequences: fed together, from shared pages, from pages found again, forked, cut back and
 * rebuilt, each gets to the bit the logits that it would have got alone. */
#include "tiny_model.h"

#include "base/alloc.h"
#include "llm/session.h"
#include "num/isa.h"

#include <pthread.h>

#define LONGEST 420 /* tokens of a sequence: more than three pages */

typedef float logits_of[LONGEST][WORDS];

static tiny shape_of(void)
{
    tiny m = TINY;
    m.layers = 2;
    m.context = 512;
    return m;
}

/* Sequence `which` begins like all others for `common` tokens. */
static void make_ids(int which, size_t common, int32_t *ids)
{
    uint64_t random = 3, own = 100 + (uint64_t)which;
    for (size_t i = 0; i < LONGEST; i++)
        ids[i] = (int32_t)(ix_test_random(i < common ? &random : &own) % WORDS);
}

/* Logits of every position, by a session alone with its cache. */
static void alone(ix_test *t, inox_model *m, inox_cache_type type, const int32_t *ids, size_t count,
                  logits_of out)
{
    inox_error err = { 0 };
    inox_session *s = session_of(t, m, LONGEST, type);
    CHECK_OK(inox_session_feed(s, ids, count, INOX_LOGITS_ALL, &err), &err);
    const float *rows = inox_session_logits(s, NULL, NULL);
    if (rows != NULL)
        memcpy(out, rows, count * sizeof *out);
    inox_session_free(s);
}

static inox_cache *cache_of(ix_test *t, inox_model *m, int64_t positions, inox_cache_type type,
                            bool reuse)
{
    inox_cache_options o = INOX_CACHE_OPTIONS_INIT;
    inox_cache *c = NULL;
    inox_error err = { 0 };
    o.positions = positions;
    o.type = type;
    o.reuse = reuse;
    CHECK_OK(inox_cache_new(m, &o, &c, &err), &err);
    return c;
}

static inox_session *shared_session(ix_test *t, inox_model *m, inox_cache *c)
{
    inox_session_options o = INOX_SESSION_OPTIONS_INIT;
    inox_session *s = NULL;
    inox_error err = { 0 };
    o.context = LONGEST;
    o.pool = c;
    CHECK_OK(inox_session_new(m, &o, &s, &err), &err);
    return s;
}

static inox_cache_info info_of(ix_test *t, inox_cache *c)
{
    inox_cache_info info = INOX_CACHE_INFO_INIT;
    inox_error err = { 0 };
    CHECK_OK(inox_cache_describe(c, &info, &err), &err);
    return info;
}

/* The rows of the last feed are those of positions [length - rows, length). */
static bool as_alone(const inox_session *s, logits_of expected)
{
    size_t rows, columns, length = inox_session_length(s);
    const float *got = inox_session_logits(s, &rows, &columns);
    return got != NULL && rows <= length &&
           memcmp(got, expected[length - rows], rows * sizeof *expected) == 0;
}

/* Feeds ids[..until) in pieces; the last row must be as expected. */
static void feed_until(ix_test *t, inox_session *s, const int32_t *ids, size_t until,
                       logits_of expected)
{
    inox_error err = { 0 };
    size_t from = inox_session_length(s);
    CHECK_OK(inox_session_feed(s, ids + from, until - from, INOX_LOGITS_LAST, &err), &err);
    CHECK(as_alone(s, expected));
}

/* ---- together -------------------------------------------------------------------------------- */

enum { TOGETHER = 7 };

static void feed_together(ix_test *t, inox_model *m, inox_cache *c, int32_t ids[][LONGEST],
                          logits_of *expected, const size_t *lengths, const char *what)
{
    inox_session *s[TOGETHER];
    inox_feed feeds[TOGETHER];
    inox_error err = { 0 };
    uint64_t random = 17;
    for (int i = 0; i < TOGETHER; i++)
        s[i] = shared_session(t, m, c);
    for (bool more = true; more && t->failures == 0;) {
        size_t n = 0;
        more = false;
        for (int i = 0; i < TOGETHER; i++) {
            size_t have = inox_session_length(s[i]), left = lengths[i] - have;
            size_t take = ix_test_random(&random) % 4 == 0 ? ix_test_random(&random) % 150 : 1;
            more = more || left > 0;
            take = take < left ? take : left;
            feeds[n++] = (inox_feed){ s[i], ids[i] + have, take,
                                      (inox_logits_mode)(ix_test_random(&random) % 3) };
        }
        CHECK_OK(inox_sessions_feed(feeds, n, &err), &err);
        for (int i = 0; i < TOGETHER; i++) {
            size_t rows;
            inox_session_logits(s[i], &rows, NULL);
            CHECK(rows == (feeds[i].mode == INOX_LOGITS_ALL    ? feeds[i].count
                           : feeds[i].mode == INOX_LOGITS_LAST ? feeds[i].count > 0
                                                               : 0));
            CHECK_MSG(rows == 0 || as_alone(s[i], expected[i]), "%s: sequence %d at %zu", what, i,
                      inox_session_length(s[i]));
        }
    }
    for (int i = 0; i < TOGETHER; i++)
        inox_session_free(s[i]);
}

TEST(sequences_together_as_alone)
{
    static const struct {
        const char *isa;
        int threads, batch;
    } WAYS[] = { { "ref", 2, 0 },    { "avx2", 1, 5 },        { "avx2", 3, 64 },
                 { "avx512", 2, 1 }, { "avx512vnni", 7, 33 }, { "avx512vnni", 1, 0 } };
    static const size_t LENGTHS[TOGETHER] = { 0, 1, 5, 128, 140, 200, 300 };
    static logits_of expected[TOGETHER];
    static int32_t ids[TOGETHER][LONGEST];
    tiny shape = shape_of();

    for (int type = INOX_CACHE_F16; type <= INOX_CACHE_F32; type++) {
        inox_model *m = open_tiny(t, &shape, 2, NULL, 0);
        for (int i = 0; i < TOGETHER; i++) {
            make_ids(i, 130, ids[i]);
            alone(t, m, (inox_cache_type)type, ids[i], LONGEST, expected[i]);
        }
        inox_model_close(m);
        for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++) {
            ix_isa isa;
            bool reuse = i % 3 != 2;
            if (ix_isa_choose(WAYS[i].isa, &isa, NULL) != INOX_OK ||
                (isa == IX_ISA_REF && type == INOX_CACHE_F32))
                continue;
            m = open_tiny(t, &shape, WAYS[i].threads, WAYS[i].isa, WAYS[i].batch);
            inox_cache *c = cache_of(t, m, 2560, (inox_cache_type)type, reuse);
            feed_together(t, m, c, ids, expected, LENGTHS, WAYS[i].isa);
            feed_together(t, m, c, ids, expected, LENGTHS, WAYS[i].isa); /* with what was kept */
            CHECK((info_of(t, c).pages_reused > 0) == reuse);
            CHECK(info_of(t, c).pages_used == 0);
            inox_cache_free(c);
            inox_model_close(m);
        }
    }
}

/* ---- prefixes -------------------------------------------------------------------------------- */

TEST(sequences_find_their_prefix)
{
    static logits_of expected;
    int32_t ids[LONGEST];
    inox_error err = { 0 };
    tiny shape = shape_of();
    inox_model *m = open_tiny(t, &shape, 2, NULL, 0);
    inox_cache *c = cache_of(t, m, 3000, INOX_CACHE_AUTO, true);
    inox_session *first = shared_session(t, m, c), *s;

    make_ids(0, 0, ids);
    alone(t, m, INOX_CACHE_AUTO, ids, LONGEST, expected);
    feed_until(t, first, ids, 300, expected);
    CHECK(inox_session_reused(first) == 0);
    static const struct {
        size_t count, reused;
        inox_logits_mode mode;
    } CASES[] = { { 300, 256, INOX_LOGITS_LAST }, { 257, 256, INOX_LOGITS_LAST },
                  { 256, 128, INOX_LOGITS_LAST }, { 256, 256, INOX_LOGITS_NONE },
                  { 127, 0, INOX_LOGITS_NONE },   { 300, 0, INOX_LOGITS_ALL },
                  { 1, 0, INOX_LOGITS_LAST } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        s = shared_session(t, m, c);
        CHECK_OK(inox_session_feed(s, ids, CASES[i].count, CASES[i].mode, &err), &err);
        CHECK_MSG(inox_session_reused(s) == CASES[i].reused, "case %zu: %zu", i,
                  inox_session_reused(s));
        CHECK(CASES[i].mode == INOX_LOGITS_NONE || as_alone(s, expected));
        feed_until(t, s, ids, 310, expected);
        inox_session_free(s);
    }
    /* a page that was begun is given up for one that is there */
    s = shared_session(t, m, c);
    feed_until(t, s, ids, 77, expected);
    feed_until(t, s, ids, 290, expected);
    CHECK(inox_session_reused(s) == 256 - 77);
    CHECK_OK(inox_session_truncate(s, 200, &err), &err);
    CHECK(inox_session_reused(s) == 0);
    feed_until(t, s, ids, 280, expected);
    CHECK(inox_session_reused(s) == 56);
    inox_session_free(s);
    inox_session_free(first);
    CHECK(info_of(t, c).pages_used == 0 && info_of(t, c).pages_kept == 2);
    inox_cache_free(c);
    inox_model_close(m);
}

/* A page that others hold is copied before it is written to. */
TEST(sequences_cut_back_and_go_elsewhere)
{
    static logits_of one, other;
    int32_t ids[LONGEST], others[LONGEST];
    inox_error err = { 0 };
    tiny shape = shape_of();
    inox_model *m = open_tiny(t, &shape, 2, NULL, 0);
    for (int reuse = 0; reuse < 2; reuse++) {
        inox_cache *c = cache_of(t, m, 3000, INOX_CACHE_F32, reuse == 1);
        inox_session *a = shared_session(t, m, c), *b = NULL, *d = NULL;
        make_ids(0, 150, ids);
        make_ids(1, 150, others);
        alone(t, m, INOX_CACHE_F32, ids, LONGEST, one);
        alone(t, m, INOX_CACHE_F32, others, LONGEST, other);
        feed_until(t, a, ids, 270, one);
        CHECK_OK(inox_session_fork(a, &b, &err), &err);
        CHECK(inox_session_length(b) == 270 && as_alone(b, one));
        CHECK_OK(inox_session_truncate(b, 140, &err), &err);
        CHECK_OK(inox_session_fork(b, &d, &err), &err);
        CHECK(inox_session_logits(d, NULL, NULL) == NULL);
        feed_until(t, b, others, 300, other);
        feed_until(t, a, ids, 390, one);
        feed_until(t, d, others, 150, other); /* still the same text */
        feed_until(t, d, ids, 400, one);
        feed_until(t, b, others, LONGEST, other);
        CHECK_OK(inox_session_truncate(a, 128, &err), &err);
        feed_until(t, a, others, 260, other);
        inox_session_free(a);
        inox_session_free(b);
        inox_session_free(d);
        CHECK(info_of(t, c).pages_used == 0);
        inox_cache_free(c);
    }
    inox_model_close(m);
}

TEST(sequences_evicted_and_rebuilt)
{
    static logits_of expected[3];
    int32_t ids[3][LONGEST];
    tiny shape = shape_of();
    inox_model *m = open_tiny(t, &shape, 2, NULL, 64);
    inox_cache *c = cache_of(t, m, 5 * IX_PAGE, INOX_CACHE_AUTO, true);
    for (int i = 0; i < 3; i++) {
        make_ids(i, 0, ids[i]);
        alone(t, m, INOX_CACHE_AUTO, ids[i], LONGEST, expected[i]);
    }
    for (int round = 0; round < 9; round++) { /* 4 pages each, 5 in all */
        inox_session *s = shared_session(t, m, c);
        feed_until(t, s, ids[round % 3], LONGEST, expected[round % 3]);
        CHECK(inox_session_reused(s) == 0); /* its first page was the last to go, but it went */
        inox_session_free(s);
        CHECK(info_of(t, c).pages_used == 0);
    }
    CHECK(info_of(t, c).pages_evicted >= 16);
    inox_session *again = shared_session(t, m, c);
    feed_until(t, again, ids[2], LONGEST, expected[2]);
    CHECK(inox_session_reused(again) == 3 * IX_PAGE);
    inox_session_free(again);
    inox_cache_free(c);
    inox_model_close(m);
}

/* ---- errors change nothing ------------------------------------------------------------------- */

TEST(sequences_cache_is_full)
{
    static logits_of expected[2];
    int32_t ids[2][LONGEST];
    inox_error err = { 0 };
    tiny shape = shape_of();
    inox_model *m = open_tiny(t, &shape, 2, NULL, 0);
    inox_cache *c = cache_of(t, m, 4 * IX_PAGE, INOX_CACHE_AUTO, true);
    inox_session *a = shared_session(t, m, c), *b = shared_session(t, m, c);
    for (int i = 0; i < 2; i++) {
        make_ids(i, 128, ids[i]);
        alone(t, m, INOX_CACHE_AUTO, ids[i], LONGEST, expected[i]);
    }
    feed_until(t, a, ids[0], 200, expected[0]);
    inox_cache_info before = info_of(t, c);
    inox_feed both[2] = { { a, ids[0] + 200, 100, INOX_LOGITS_ALL },
                          { b, ids[1], 300, INOX_LOGITS_LAST } };
    CHECK(inox_sessions_feed(both, 2, &err) == INOX_E_LIMIT &&
          strstr(err.message, "cache") != NULL);
    inox_cache_info after = info_of(t, c);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    CHECK(inox_session_length(a) == 200 && inox_session_length(b) == 0);
    CHECK(as_alone(a, expected[0]) && inox_session_logits(b, NULL, NULL) == NULL);
    both[1].count = 250;
    CHECK_OK(inox_sessions_feed(both, 2, &err), &err);
    CHECK(as_alone(a, expected[0]) && as_alone(b, expected[1]));
    CHECK(inox_session_reused(b) == 128);
    CHECK(inox_session_feed(b, ids[1] + 250, 10, INOX_LOGITS_LAST, &err) == INOX_E_LIMIT);
    inox_session_free(a);
    feed_until(t, b, ids[1], LONGEST, expected[1]);
    inox_session_free(b);
    inox_cache_free(c);
    inox_model_close(m);
}

static int cancel_once(void *context, double fraction)
{
    int *left = context;
    (void)fraction;
    return --*left == 0;
}

/* An error in the middle of computing: the same tokens again give the same bits. */
TEST(sequences_cancelled)
{
    static logits_of expected[2];
    int32_t ids[2][LONGEST];
    char path[PATH_BYTES];
    tiny shape = shape_of();
    inox_model *m = open_tiny(t, &shape, 2, NULL, 0);
    int cancelled = 0;
    for (int i = 0; i < 2; i++) {
        make_ids(i, 140, ids[i]);
        alone(t, m, INOX_CACHE_AUTO, ids[i], LONGEST, expected[i]);
    }
    inox_model_close(m);
    if (!write_tiny(t, &shape, path))
        return;
    for (int after = 1; after < 12; after++) {
        inox_model_options mo = INOX_MODEL_OPTIONS_INIT;
        inox_error err = { 0 };
        int left = after;
        mo.threads = 2;
        mo.max_batch = 100;
        mo.progress = cancel_once;
        mo.progress_context = &left;
        CHECK_OK(inox_model_open(path, &mo, &m, &err), &err);
        inox_cache *c = cache_of(t, m, 10 * IX_PAGE, INOX_CACHE_AUTO, true);
        inox_session *a = shared_session(t, m, c), *b = shared_session(t, m, c);
        inox_feed both[2] = { { a, ids[0], 130, INOX_LOGITS_LAST },
                              { b, ids[1], 290, INOX_LOGITS_ALL } };
        while (a != NULL && inox_session_length(a) == 0 && t->failures == 0) {
            inox_status status = inox_sessions_feed(both, 2, &err);
            CHECK(status == INOX_OK || status == INOX_E_CANCELLED);
            CHECK(inox_session_length(b) == (status == INOX_OK ? 290 : 0));
            CHECK(info_of(t, c).pages_used == (status == INOX_OK ? 4 : 0));
            CHECK(status == INOX_OK || info_of(t, c).pages_kept == 0);
            cancelled += status != INOX_OK;
        }
        CHECK(as_alone(a, expected[0]) && as_alone(b, expected[1]));
        left = 0; /* never again */
        feed_until(t, a, ids[0], 300, expected[0]);
        inox_session_free(a);
        inox_session_free(b);
        inox_cache_free(c);
        inox_model_close(m);
    }
    unlink(path);
    CHECK(cancelled > 0);
}

TEST(sequences_wrong_arguments)
{
    inox_error err = { 0 };
    tiny shape = shape_of();
    inox_model *m = open_tiny(t, &shape, 1, NULL, 0), *other = open_tiny(t, &shape, 1, NULL, 0);
    inox_cache *c = cache_of(t, m, 1000, INOX_CACHE_F16, true), *none = NULL;
    inox_session *a = shared_session(t, m, c), *b = shared_session(t, m, c), *s = NULL;
    inox_session *own = session_of(t, m, 16, INOX_CACHE_AUTO);
    inox_session_options so = INOX_SESSION_OPTIONS_INIT;
    inox_cache_options co = INOX_CACHE_OPTIONS_INIT;
    inox_cache_info info = { .size = 3 };
    const int32_t ids[2] = { 5, WORDS };
    inox_feed feeds[2] = { { a, ids, 1, INOX_LOGITS_LAST }, { a, ids, 1, INOX_LOGITS_LAST } };

    CHECK(inox_sessions_feed(feeds, 2, &err) == INOX_E_ARGUMENT); /* twice */
    feeds[1].session = own;
    CHECK(inox_sessions_feed(feeds, 2, &err) == INOX_E_ARGUMENT);
    feeds[1] = (inox_feed){ b, ids, 2, INOX_LOGITS_LAST };
    CHECK(inox_sessions_feed(feeds, 2, &err) == INOX_E_ARGUMENT);
    feeds[1] = (inox_feed){ NULL, ids, 1, INOX_LOGITS_LAST };
    CHECK(inox_sessions_feed(feeds, 2, &err) == INOX_E_ARGUMENT);
    feeds[1] = (inox_feed){ b, NULL, 1, INOX_LOGITS_LAST };
    CHECK(inox_sessions_feed(feeds, 2, &err) == INOX_E_ARGUMENT);
    CHECK(inox_session_length(a) == 0 && inox_session_length(b) == 0);
    CHECK(inox_sessions_feed(NULL, 1, &err) == INOX_E_ARGUMENT);
    CHECK_OK(inox_sessions_feed(NULL, 0, &err), &err);
    so.pool = c;
    CHECK(inox_session_new(other, &so, &s, &err) == INOX_E_ARGUMENT && s == NULL);
    so.cache = INOX_CACHE_F32;
    CHECK(inox_session_new(m, &so, &s, &err) == INOX_E_ARGUMENT && s == NULL);
    CHECK(inox_session_fork(own, &s, &err) == INOX_E_ARGUMENT && s == NULL);
    CHECK(inox_session_fork(NULL, &s, &err) == INOX_E_ARGUMENT);
    CHECK(inox_cache_new(m, &co, &none, &err) == INOX_E_ARGUMENT && none == NULL);
    co.bytes = 1;
    CHECK(inox_cache_new(m, &co, &none, &err) == INOX_E_ARGUMENT && none == NULL);
    co.positions = 1;
    CHECK(inox_cache_new(m, &co, &none, &err) == INOX_E_ARGUMENT && none == NULL);
    co.bytes = 0;
    co.positions = INT64_MAX;
    CHECK(inox_cache_new(m, &co, &none, &err) == INOX_E_LIMIT && none == NULL);
    CHECK(inox_cache_describe(c, &info, &err) == INOX_E_ARGUMENT);
    co.positions = 0;
    co.bytes = 5 * info_of(t, c).page_bytes + 1;
    co.type = INOX_CACHE_F16;
    CHECK_OK(inox_cache_new(m, &co, &none, &err), &err);
    CHECK(info_of(t, none).pages == 5);
    inox_cache_free(none);
    inox_cache_free(NULL);
    inox_session_free(own);
    inox_session_free(a);
    inox_session_free(b);
    inox_cache_free(c);
    inox_model_close(other);
    inox_model_close(m);
}

/* Two sessions of one cache, one fork, everything in one go. */
static inox_status shared_life(inox_model *m, int32_t ids[2][LONGEST], logits_of *expected,
                               bool *same, inox_error *err)
{
    inox_cache_options co = INOX_CACHE_OPTIONS_INIT;
    inox_session_options so = INOX_SESSION_OPTIONS_INIT;
    inox_cache *c = NULL;
    inox_session *a = NULL, *b = NULL, *f = NULL;
    co.positions = 8 * IX_PAGE;
    so.context = LONGEST;
    inox_status status = inox_cache_new(m, &co, &c, err);
    so.pool = c;
    if (status == INOX_OK)
        status = inox_session_new(m, &so, &a, err);
    if (status == INOX_OK)
        status = inox_session_new(m, &so, &b, err);
    if (status == INOX_OK)
        status = inox_session_feed(a, ids[0], 135, INOX_LOGITS_LAST, err);
    if (status == INOX_OK)
        status = inox_session_fork(a, &f, err);
    inox_feed feeds[3] = { { a, ids[0] + 135, 10, INOX_LOGITS_ALL },
                           { b, ids[1], 150, INOX_LOGITS_LAST },
                           { f, ids[0] + 135, 2, INOX_LOGITS_LAST } };
    for (int i = 0; i < 2 && status == INOX_OK; i++) {
        status = inox_sessions_feed(feeds, 3, err);
        if (status == INOX_OK)
            break;
        *same = *same && inox_session_length(a) == 135 && inox_session_length(b) == 0 &&
                as_alone(a, expected[0]) && as_alone(f, expected[0]);
        status = INOX_OK; /* and once more: the failing allocation was the last one, or all fail */
        if (i == 1)
            status = INOX_E_MEMORY;
    }
    if (status == INOX_OK)
        *same = *same && as_alone(a, expected[0]) && as_alone(b, expected[1]) &&
                as_alone(f, expected[0]);
    inox_session_free(f);
    inox_session_free(b);
    inox_session_free(a);
    inox_cache_free(c);
    return status;
}

TEST(sequences_failing_allocations)
{
    static logits_of expected[2];
    int32_t ids[2][LONGEST];
    inox_error err = { 0 };
    tiny shape = shape_of();
    inox_model *m = open_tiny(t, &shape, 1, NULL, 0);
    bool same = true;
    for (int i = 0; i < 2; i++) {
        make_ids(i, 130, ids[i]);
        alone(t, m, INOX_CACHE_AUTO, ids[i], LONGEST, expected[i]);
    }
    uint64_t before = ix_alloc_count();
    CHECK_OK(shared_life(m, ids, expected, &same, &err), &err);
    uint64_t all = ix_alloc_count() - before;
    CHECK(all > 10);
    for (int sticky = 0; sticky < 2; sticky++) {
        for (uint64_t n = 1; n <= all; n++) {
            ix_alloc_fail_at(n, sticky);
            inox_status status = shared_life(m, ids, expected, &same, &err);
            ix_alloc_fail_at(0, 0);
            CHECK(status == INOX_OK || status == INOX_E_MEMORY);
        }
    }
    CHECK(same);
    inox_model_close(m);
}

/* ---- threads --------------------------------------------------------------------------------- */

typedef struct talker {
    inox_model *model;
    inox_cache *cache;
    const int32_t *ids;
    float (*expected)[WORDS];
    bool same;
} talker;

static void *talk(void *context)
{
    talker *k = context;
    inox_session_options o = INOX_SESSION_OPTIONS_INIT;
    o.context = LONGEST;
    o.pool = k->cache;
    k->same = true;
    for (int round = 0; round < 4; round++) {
        inox_session *s = NULL, *f = NULL;
        k->same = k->same && inox_session_new(k->model, &o, &s, NULL) == INOX_OK;
        for (size_t at = 0; k->same && at < LONGEST; at += 60) {
            k->same = inox_session_feed(s, k->ids + at, 60, INOX_LOGITS_LAST, NULL) == INOX_OK &&
                      as_alone(s, k->expected);
            if (at == 120)
                k->same = k->same && inox_session_fork(s, &f, NULL) == INOX_OK;
        }
        if (f != NULL)
            k->same = k->same &&
                      inox_session_feed(f, k->ids + 180, 90, INOX_LOGITS_LAST, NULL) == INOX_OK &&
                      as_alone(f, k->expected);
        inox_session_free(s);
        inox_session_free(f);
    }
    return NULL;
}

TEST(sequences_threads_share_a_cache)
{
    enum { TALKERS = 3 };
    static logits_of expected[TALKERS];
    static int32_t ids[TALKERS][LONGEST];
    talker talkers[TALKERS];
    pthread_t threads[TALKERS];
    tiny shape = shape_of();
    inox_model *m = open_tiny(t, &shape, 2, NULL, 0);
    inox_cache *c = cache_of(t, m, 20 * IX_PAGE, INOX_CACHE_AUTO, true);

    for (int i = 0; i < TALKERS; i++) {
        make_ids(i / 2, 130, ids[i]); /* the first two say the same */
        alone(t, m, INOX_CACHE_AUTO, ids[i], LONGEST, expected[i]);
        talkers[i] = (talker){ m, c, ids[i], expected[i], false };
    }
    for (int i = 0; i < TALKERS; i++)
        CHECK(pthread_create(&threads[i], NULL, talk, &talkers[i]) == 0);
    for (int i = 0; i < TALKERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(talkers[i].same);
    }
    CHECK(info_of(t, c).pages_used == 0 && info_of(t, c).pages_reused > 0);
    inox_cache_free(c);
    inox_model_close(m);
}
