/* Choosing tokens (rule C10): errors, edges, and that the numbers come out as their distribution
 * says. */
#include "test.h"

#include "base/alloc.h"
#include "base/os.h"
#include "num/sample/sample.h"
#include "num/scalar/scalar.h"

#define COLUMNS 50

static const inox_sampling PLAIN = { .size = sizeof(inox_sampling),
                                     .temperature = 1.0f,
                                     .top_p = 1.0f,
                                     .typical_p = 1.0f,
                                     .repetition_penalty = 1.0f,
                                     .penalty_window = 64 };

static float LOGITS[COLUMNS];

static ix_sampler *sampler(ix_test *t, size_t columns)
{
    ix_sampler *s = NULL;
    inox_error err = { 0 };
    CHECK_OK(ix_sampler_new(columns, &s, &err), &err);
    return s;
}

static void fill_logits(uint64_t seed)
{
    for (int i = 0; i < COLUMNS; i++)
        LOGITS[i] = 2.0f * ix_test_random_float(&seed);
}

static void refuses(ix_test *t, ix_sampler *s, const inox_sampling *p, const char *word)
{
    inox_error err = { 0 };
    int32_t id = -5;
    CHECK(ix_sampler_choose(s, LOGITS, p, NULL, 0, 0, &id, &err) == INOX_E_ARGUMENT);
    CHECK_MSG(strstr(err.message, word) != NULL, "'%s' is not in '%s'", word, err.message);
    CHECK(id == -5);
}

TEST(num_sample_refuses_impossible_parameters)
{
    ix_sampler *s = sampler(t, COLUMNS);
    fill_logits(1);
    float nan = ix_float(0x7fc00000u), infinite = ix_float(0x7f800000u);
    const float bad_fractions[] = { -0.1f, 1.5f, nan, infinite };
    inox_sampling p;
    for (int i = 0; i < 4; i++) {
        refuses(t, s, (p = PLAIN, p.top_p = bad_fractions[i], &p), "top_p");
        refuses(t, s, (p = PLAIN, p.min_p = bad_fractions[i], &p), "min_p");
        refuses(t, s, (p = PLAIN, p.typical_p = bad_fractions[i], &p), "typical_p");
    }
    refuses(t, s, (p = PLAIN, p.top_p = 0.0f, &p), "top_p");
    refuses(t, s, (p = PLAIN, p.temperature = -1.0f, &p), "temperature");
    refuses(t, s, (p = PLAIN, p.temperature = nan, &p), "temperature");
    refuses(t, s, (p = PLAIN, p.temperature = infinite, &p), "temperature");
    refuses(t, s, (p = PLAIN, p.top_k = -1, &p), "top_k");
    refuses(t, s, (p = PLAIN, p.repetition_penalty = 0.0f, &p), "repetition_penalty");
    refuses(t, s, (p = PLAIN, p.frequency_penalty = nan, &p), "frequency_penalty");
    refuses(t, s, (p = PLAIN, p.penalty_window = -2, &p), "penalty_window");
    int32_t ids[2] = { 3, COLUMNS };
    float values[2] = { 1.0f, 1.0f };
    p = PLAIN;
    p.bias_count = 2;
    refuses(t, s, &p, "bias");
    p.bias_ids = ids;
    p.bias_values = values;
    refuses(t, s, &p, "50");
    ids[1] = -1;
    refuses(t, s, &p, "-1");
    ids[1] = 4;
    values[1] = nan;
    refuses(t, s, &p, "bias");
    inox_error err = { 0 };
    int32_t id, previous[1] = { COLUMNS };
    p = PLAIN;
    p.presence_penalty = 1.0f;
    CHECK(ix_sampler_choose(s, LOGITS, &p, previous, 1, 0, &id, &err) == INOX_E_ARGUMENT);
    CHECK(ix_sampler_new(0, &(ix_sampler *){ NULL }, &err) == INOX_E_ARGUMENT);
    ix_sampler_free(s);
}

TEST(num_sample_reports_nan_and_banned_rows)
{
    ix_sampler *s = sampler(t, COLUMNS);
    inox_error err = { 0 };
    int32_t id = -5;
    inox_sampling p = PLAIN;
    for (int greedy = 0; greedy < 2; greedy++) {
        p.temperature = greedy ? 0.0f : 1.0f;
        fill_logits(2);
        LOGITS[COLUMNS - 1] = ix_float(0xffc00001u);
        CHECK(ix_sampler_choose(s, LOGITS, &p, NULL, 0, 0, &id, &err) == INOX_E_NAN);
        for (int i = 0; i < COLUMNS; i++)
            LOGITS[i] = ix_float(0xff800000u);
        CHECK(ix_sampler_choose(s, LOGITS, &p, NULL, 0, 0, &id, &err) == INOX_E_ARGUMENT);
        LOGITS[7] = -1e30f;
        CHECK_OK(ix_sampler_choose(s, LOGITS, &p, NULL, 0, 0, &id, &err), &err);
        CHECK(id == 7);
        id = -5;
    }
    ix_sampler_free(s);
}

TEST(num_sample_argmax_takes_the_first_of_equals)
{
    float x[5] = { -0.0f, 0.0f, 3.0f, 3.0f, -1.0f };
    inox_error err = { 0 };
    int32_t index = -1;
    CHECK_OK(ix_argmax(x, 5, &index, &err), &err);
    CHECK(index == 2);
    CHECK_OK(ix_argmax(x, 2, &index, &err), &err);
    CHECK(index == 0);
    x[4] = ix_float(0x7fc00000u);
    CHECK(ix_argmax(x, 5, &index, &err) == INOX_E_NAN && index == 0);
    CHECK(ix_argmax(x, 0, &index, &err) == INOX_E_ARGUMENT);
}

/* Frequencies of many draws against the softmax that rule C10 describes. */
TEST(num_sample_draws_follow_the_distribution)
{
    enum { DRAWS = 40000 };
    static uint32_t seen[COLUMNS];
    double p_of[COLUMNS], sum = 0;
    ix_sampler *s = sampler(t, COLUMNS);
    inox_error err = { 0 };
    inox_sampling p = PLAIN;
    p.temperature = 0.7f;
    p.seed = 42;
    memset(seen, 0, sizeof seen);
    fill_logits(3);
    for (int i = 0; i < COLUMNS; i++)
        sum += p_of[i] = ix_exp2_f64((double)LOGITS[i] / 0.7 * 1.4426950408889634);
    for (uint64_t n = 0; n < DRAWS; n++) {
        int32_t id = -1;
        CHECK_OK(ix_sampler_choose(s, LOGITS, &p, NULL, 0, n, &id, &err), &err);
        seen[id]++;
    }
    double chi = 0;
    for (int i = 0; i < COLUMNS; i++) {
        double expected = p_of[i] / sum * DRAWS, off = seen[i] - expected;
        chi += off * off / expected;
    }
    CHECK_MSG(chi < 100.0, "chi-square %g of %d columns", chi,
              COLUMNS); /* 49 expected, deviation 10 */
    ix_sampler_free(s);
}

/* The heap and the sort are two ways to the same first k. */
TEST(num_sample_top_k_is_the_same_by_heap_and_by_sort)
{
    enum { MANY = 3000 };
    static float x[MANY], cut[MANY];
    uint64_t state = 8;
    ix_sampler *s = sampler(t, MANY);
    inox_error err = { 0 };
    for (int i = 0; i < MANY; i++)
        x[i] = (float)(ix_test_random(&state) % 64) * 0.125f; /* many equals */
    for (int k = 1; k <= 1500; k = k * 2 + 1) {
        /* By hand: ban all but the first k of (value descending, index ascending). */
        int left = k;
        for (int i = 0; i < MANY; i++)
            cut[i] = ix_float(0xff800000u);
        for (int v = 63; v >= 0 && left > 0; v--)
            for (int i = 0; i < MANY && left > 0; i++)
                if (x[i] == (float)v * 0.125f) {
                    cut[i] = x[i];
                    left--;
                }
        inox_sampling with_k = PLAIN, without = PLAIN;
        with_k.top_k = k;
        for (uint64_t n = 0; n < 50; n++) {
            int32_t a = -1, b = -2;
            CHECK_OK(ix_sampler_choose(s, x, &with_k, NULL, 0, n, &a, &err), &err);
            CHECK_OK(ix_sampler_choose(s, cut, &without, NULL, 0, n, &b, &err), &err);
            CHECK(a == b);
        }
    }
    ix_sampler_free(s);
}

TEST(num_sample_choosing_allocates_nothing_and_leaves_nothing)
{
    ix_sampler *s = sampler(t, COLUMNS);
    inox_error err = { 0 };
    inox_sampling p = PLAIN;
    int32_t previous[6] = { 1, 2, 2, 3, 3, 3 }, first = -1, again = -1;
    p.repetition_penalty = 1.5f;
    p.frequency_penalty = 0.5f;
    p.typical_p = 0.6f;
    p.top_p = 0.9f;
    fill_logits(5);
    uint64_t before = ix_alloc_count();
    for (uint64_t n = 0; n < 200; n++) {
        CHECK_OK(ix_sampler_choose(s, LOGITS, &p, previous, 6, n, &first, &err), &err);
        CHECK_OK(ix_sampler_choose(s, LOGITS, &p, previous, 6, n, &again, &err), &err);
        CHECK(first == again);
    }
    CHECK(ix_alloc_count() == before);
    ix_sampler_free(s);
}

TEST(num_sample_new_survives_failing_allocations)
{
    for (uint64_t n = 1; n < 12; n++) {
        ix_sampler *s = NULL;
        inox_error err = { 0 };
        ix_alloc_fail_at(n, 0);
        inox_status status = ix_sampler_new(100, &s, &err);
        ix_alloc_fail_at(0, 0);
        CHECK(status == INOX_OK || (status == INOX_E_MEMORY && s == NULL));
        ix_sampler_free(s);
    }
}

TEST(num_sample_a_large_vocabulary_is_quick)
{
    enum { MANY = 151936, ROUNDS = 20 };
    float *x = NULL;
    inox_error err = { 0 };
    uint64_t state = 9;
    ix_sampler *s = sampler(t, MANY);
    CHECK_OK(IX_ALLOC(&x, MANY, &err), &err);
    for (int i = 0; i < MANY; i++)
        x[i] = 3.0f * ix_test_random_float(&state);
    inox_sampling p = INOX_SAMPLING_INIT;
    double best = 1.0;
    for (uint64_t n = 0; n < ROUNDS; n++) {
        int32_t id;
        double start = ix_clock_seconds();
        CHECK_OK(ix_sampler_choose(s, x, &p, NULL, 0, n, &id, &err), &err);
        double took = ix_clock_seconds() - start;
        best = took < best ? took : best;
    }
    CHECK_MSG(best < 0.05, "top-k 40 of %d took %g s", MANY,
              best); /* about 0.0005; sanitizers are slow */
    if (getenv("INOX_TEST_TIMES"))
        printf("  top-k 40 of %d: %.0f us\n", MANY, best * 1e6);
    ix_free(x);
    ix_sampler_free(s);
}
