/* Choosing a token (rule C10): the definition, and what runs.
 *
 * Floats end with one exponential per candidate: W = rhe(exp(d) * 2^28) with d = s - max.  From
 * there on everything is an integer, so that no sum depends on its order.  Candidates stand in one
 * order, (s descending, index ascending), and every sampler keeps some of them in that order:
 *
 *     logits -> bias -> penalties -> s = logit / T -> top-k -> typical -> top-p -> min-p -> draw
 *
 * Candidates with W = 0 can never be drawn and weigh nothing in any sum, so they are dropped as
 * soon as they are known.  Working memory is allocated once; choosing allocates nothing.
 */
#include "num/sample/sample.h"

#include "base/alloc.h"
#include "base/random.h"
#include "num/rows/rows.h"
#include "num/scalar/scalar.h"

#include <stdbool.h>

__extension__ typedef unsigned __int128 u128;

#define WEIGHT_ONE 0x1p28f
#define FRACTION_ONE 0x1p16f   /* unit of top-p, min-p and typical-p */
#define SURPRISAL_ONE 0x1p12f  /* unit of D in typical */
#define DISTANCE_MIN (-20.25f) /* exp(d) * 2^28 < 1/2 below it: W = 0 without an exponential */
#define HEAP_MAX 1024          /* above it a top-k sorts everything */

/* Ascending keys are the order of candidates; equal keys keep theirs (all sorts are stable). */
typedef struct {
    uint32_t key;
    int32_t index;
} item;

struct ix_sampler {
    size_t columns;
    const ix_row_kernels *rows;  /* for many exponentials at once; the same bits as ix_exp */
    float *s;                    /* [columns] logits, then s */
    uint32_t *count;             /* [columns] all zero between calls */
    item *items, *other, *spare; /* [columns] candidates, and room to sort */
    float *d;                    /* [columns] s - max of the candidates, then exp of it */
    uint32_t *w, *distance;      /* [columns] W and D of the candidates */
    size_t n;                    /* candidates */
};

inox_status ix_sampler_new(size_t columns, ix_sampler **out, inox_error *err)
{
    *out = NULL;
    if (columns == 0 || columns > INT32_MAX)
        return ix_fail(err, INOX_E_ARGUMENT, "a row of logits has 1 to 2147483647 values, not %zu",
                       columns);
    ix_sampler *s;
    IX_TRY(IX_ALLOC(&s, 1, err));
    s->columns = columns;
    ix_isa isa;
    s->rows = ix_row_kernels_for(ix_isa_choose(NULL, &isa, NULL) == INOX_OK ? isa : IX_ISA_REF);
    inox_status status;
    IX_TRY_GOTO(status, IX_ALLOC(&s->s, columns, err), fail);
    IX_TRY_GOTO(status, IX_ALLOC(&s->count, columns, err), fail);
    IX_TRY_GOTO(status, IX_ALLOC(&s->items, columns, err), fail);
    IX_TRY_GOTO(status, IX_ALLOC(&s->other, columns, err), fail);
    IX_TRY_GOTO(status, IX_ALLOC(&s->spare, columns, err), fail);
    IX_TRY_GOTO(status, IX_ALLOC(&s->d, columns, err), fail);
    IX_TRY_GOTO(status, IX_ALLOC(&s->w, columns, err), fail);
    IX_TRY_GOTO(status, IX_ALLOC(&s->distance, columns, err), fail);
    *out = s;
    return INOX_OK;
fail:
    ix_sampler_free(s);
    return status;
}

void ix_sampler_free(ix_sampler *s)
{
    if (!s)
        return;
    ix_free(s->s);
    ix_free(s->count);
    ix_free(s->items);
    ix_free(s->other);
    ix_free(s->spare);
    ix_free(s->d);
    ix_free(s->w);
    ix_free(s->distance);
    ix_free(s);
}

inox_status ix_argmax(const float *x, size_t n, int32_t *index, inox_error *err)
{
    if (n == 0 || n > INT32_MAX)
        return ix_fail(err, INOX_E_ARGUMENT, "a row of logits has 1 to 2147483647 values, not %zu",
                       n);
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        if (ix_is_nan(x[i]))
            return ix_fail(err, INOX_E_NAN, "the model computed NaN (logit %zu of %zu)", i, n);
        if (x[i] > x[best])
            best = i;
    }
    *index = (int32_t)best;
    return INOX_OK;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static bool finite_number(float x)
{
    return (ix_bits(x) & 0x7fffffffu) < 0x7f800000u;
}

/* Written so that NaN fails. */
static inox_status check_range(const char *name, float x, bool zero_allowed, inox_error *err)
{
    if ((x > 0.0f || (zero_allowed && x == 0.0f)) && x <= 1.0f)
        return INOX_OK;
    return ix_fail(err, INOX_E_ARGUMENT, "%s must be %s 0 and at most 1, not %g", name,
                   zero_allowed ? "at least" : "above", (double)x);
}

static inox_status check_parameters(const inox_sampling *p, size_t columns, inox_error *err)
{
    if (!(p->temperature >= 0.0f) || !finite_number(p->temperature))
        return ix_fail(err, INOX_E_ARGUMENT,
                       "temperature must be 0 or a positive finite number, not %g",
                       (double)p->temperature);
    if (p->top_k < 0)
        return ix_fail(err, INOX_E_ARGUMENT, "top_k must be 0 (off) or positive, not %d",
                       (int)p->top_k);
    IX_TRY(check_range("top_p", p->top_p, false, err));
    IX_TRY(check_range("typical_p", p->typical_p, false, err));
    IX_TRY(check_range("min_p", p->min_p, true, err));
    if (!(p->repetition_penalty > 0.0f) || !finite_number(p->repetition_penalty))
        return ix_fail(err, INOX_E_ARGUMENT,
                       "repetition_penalty must be a positive finite number, not %g",
                       (double)p->repetition_penalty);
    if (!finite_number(p->presence_penalty) || !finite_number(p->frequency_penalty))
        return ix_fail(err, INOX_E_ARGUMENT,
                       "presence_penalty and frequency_penalty must be finite numbers");
    if (p->penalty_window < -1)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "penalty_window must be -1 (all), 0 (none) or positive, not %d",
                       (int)p->penalty_window);
    if (p->bias_count > 0 && (!p->bias_ids || !p->bias_values))
        return ix_fail(err, INOX_E_ARGUMENT,
                       "bias_count is %zu, but bias_ids or bias_values is missing", p->bias_count);
    for (size_t i = 0; i < p->bias_count; i++) {
        if (p->bias_ids[i] < 0 || (size_t)p->bias_ids[i] >= columns)
            return ix_fail(err, INOX_E_ARGUMENT, "logit bias for token %d, but ids end at %zu",
                           (int)p->bias_ids[i], columns - 1);
        if (!finite_number(p->bias_values[i]) && ix_bits(p->bias_values[i]) != 0xff800000u)
            return ix_fail(err, INOX_E_ARGUMENT,
                           "logit bias of token %d must be a number or -infinity",
                           (int)p->bias_ids[i]);
    }
    return INOX_OK;
}

/* ---- bias and penalties ---------------------------------------------------------------------- */

static inox_status penalise(ix_sampler *s, const inox_sampling *p, const int32_t *previous,
                            size_t n, inox_error *err)
{
    if (p->penalty_window >= 0 && n > (size_t)p->penalty_window) {
        previous += n - (size_t)p->penalty_window;
        n = (size_t)p->penalty_window;
    }
    if (p->repetition_penalty == 1.0f && p->presence_penalty == 0.0f &&
        p->frequency_penalty == 0.0f)
        return INOX_OK;
    for (size_t i = 0; i < n; i++)
        if (previous[i] < 0 || (size_t)previous[i] >= s->columns)
            return ix_fail(err, INOX_E_ARGUMENT, "previous token %d, but ids end at %zu",
                           (int)previous[i], s->columns - 1);
    for (size_t i = 0; i < n; i++)
        s->count[previous[i]]++;
    for (size_t i = 0; i < n; i++) {
        uint32_t *count = &s->count[previous[i]];
        if (*count == 0)
            continue; /* done at its first appearance */
        float x = s->s[previous[i]];
        x = x > 0.0f ? x / p->repetition_penalty : x * p->repetition_penalty;
        float amount = p->frequency_penalty * (float)*count;
        amount = amount + p->presence_penalty;
        s->s[previous[i]] = x - amount;
        *count = 0;
    }
    return INOX_OK;
}

/* ---- candidates in order --------------------------------------------------------------------- */

/* An unsigned key that ascends while s descends; -0 and +0 are the same number. */
static uint32_t key_of(float s)
{
    uint32_t b = ix_bits(s + 0.0f);
    return b >> 31 ? b : ~b & 0x7fffffffu;
}

static float s_of(const ix_sampler *s, size_t i)
{
    return s->s[s->items[i].index];
}

/* Stable, ascending keys, eight bits at a time; a digit that all keys share is skipped. */
static void sort_items(item **items, item **other, size_t n)
{
    for (int shift = 0; shift < 32; shift += 8) {
        size_t start[256] = { 0 }, sum = 0;
        for (size_t i = 0; i < n; i++)
            start[(*items)[i].key >> shift & 255u]++;
        if (n > 0 && start[(*items)[0].key >> shift & 255u] == n)
            continue;
        for (int digit = 0; digit < 256; digit++) {
            size_t count = start[digit];
            start[digit] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            (*other)[start[(*items)[i].key >> shift & 255u]++] = (*items)[i];
        item *swap = *items;
        *items = *other;
        *other = swap;
    }
}

static bool after(item a, item b)
{
    return a.key > b.key || (a.key == b.key && a.index > b.index);
}

/* The heap has its last candidate of the order on top. */
static void sift_down(item *heap, size_t n, size_t i)
{
    item moved = heap[i];
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && after(heap[child + 1], heap[child]))
            child++;
        if (!after(heap[child], moved))
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

/* The first k of the order, sorted, without sorting the rest. */
static void select_first(ix_sampler *s, size_t k)
{
    for (size_t i = 0; i < k; i++)
        s->items[i] = (item){ key_of(s->s[i]), (int32_t)i };
    for (size_t i = k / 2; i-- > 0;)
        sift_down(s->items, k, i);
    for (size_t i = k; i < s->columns; i++) {
        uint32_t key = key_of(s->s[i]);
        if (key < s->items[0].key) { /* an equal key has the higher index: it comes after */
            s->items[0] = (item){ key, (int32_t)i };
            sift_down(s->items, k, 0);
        }
    }
    for (size_t n = k; n > 1; n--) {
        item last = s->items[0];
        s->items[0] = s->items[n - 1];
        s->items[n - 1] = last;
        sift_down(s->items, n - 1, 0);
    }
    s->n = k;
}

/* Everything that may have a weight, sorted, at most the first k. */
static void sort_all(ix_sampler *s, float max, size_t k)
{
    s->n = 0;
    for (size_t i = 0; i < s->columns; i++)
        if (s->s[i] == max || s->s[i] - max >= DISTANCE_MIN)
            s->items[s->n++] = (item){ key_of(s->s[i]), (int32_t)i };
    sort_items(&s->items, &s->other, s->n);
    if (s->n > k)
        s->n = k;
}

/* W and D of every candidate; those with W = 0 are dropped. */
static void weigh(ix_sampler *s, float max)
{
    for (size_t i = 0; i < s->n; i++) {
        float d = s_of(s, i) == max ? 0.0f : s_of(s, i) - max;
        s->d[i] = d;
        s->distance[i] = d >= DISTANCE_MIN ? (uint32_t)ix_rhe(-d * SURPRISAL_ONE) : 0;
    }
    s->rows->exp(s->d, (int64_t)s->n, s->d);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        uint32_t w = (uint32_t)ix_rhe(s->d[i] * WEIGHT_ONE);
        if (w == 0)
            continue;
        s->items[n] = s->items[i];
        s->distance[n] = s->distance[i];
        s->w[n++] = w;
    }
    s->n = n;
}

/* ---- samplers -------------------------------------------------------------------------------- */

static uint64_t total_of(const ix_sampler *s)
{
    uint64_t total = 0;
    for (size_t i = 0; i < s->n; i++)
        total += s->w[i];
    return total;
}

/* rhe(p * 2^16) */
static uint64_t fraction(float p)
{
    return (uint64_t)ix_rhe(p * FRACTION_ONE);
}

/* sum * 2^16 >= fraction * total, exactly. */
static bool reaches(uint64_t sum, uint64_t fraction_of_total, uint64_t total)
{
    return (u128)sum << 16 >= (u128)fraction_of_total * total;
}

/* The candidates whose surprisal is nearest to its mean, until they weigh typical_p.  Without
 * logarithms: surprisal is ln Z - d, so its distance from the mean is that of d, counted in D =
 * rhe(-d * 2^12). */
static void keep_typical(ix_sampler *s, float typical_p)
{
    uint64_t total = total_of(s), wanted = fraction(typical_p), moment = 0, sum = 0;
    for (size_t i = 0; i < s->n; i++)
        moment += (uint64_t)s->w[i] * s->distance[i];
    uint32_t mean = (uint32_t)((moment + total / 2) / total);
    for (size_t i = 0; i < s->n; i++) {
        uint32_t distance = s->distance[i];
        s->other[i] = (item){ distance > mean ? distance - mean : mean - distance, (int32_t)i };
    }
    sort_items(&s->other, &s->spare, s->n);
    size_t kept = 0;
    while (kept < s->n) {
        int32_t candidate = s->other[kept++].index;
        s->count[candidate] = 1; /* a mark: all zero again below */
        sum += s->w[candidate];
        if (reaches(sum, wanted, total))
            break;
    }
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->count[i] == 0)
            continue;
        s->count[i] = 0;
        s->items[n] = s->items[i];
        s->w[n++] = s->w[i];
    }
    s->n = n;
}

static void keep_top_p(ix_sampler *s, float top_p)
{
    uint64_t total = total_of(s), wanted = fraction(top_p), sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        sum += s->w[i];
        if (reaches(sum, wanted, total)) {
            s->n = i + 1;
            return;
        }
    }
}

/* The exponential is not monotonic to the last bit, so this is a filter and not a prefix. */
static void keep_min_p(ix_sampler *s, float min_p)
{
    uint64_t largest = 0, wanted = fraction(min_p);
    for (size_t i = 0; i < s->n; i++)
        largest = s->w[i] > largest ? s->w[i] : largest;
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!reaches(s->w[i], wanted, largest))
            continue;
        s->items[n] = s->items[i];
        s->w[n++] = s->w[i];
    }
    s->n = n;
}

static int32_t draw(const ix_sampler *s, uint64_t random)
{
    uint64_t at = (uint64_t)((u128)random * total_of(s) >> 64), sum = 0;
    size_t i = 0;
    for (; i + 1 < s->n; i++) {
        sum += s->w[i];
        if (sum > at)
            break;
    }
    return s->items[i].index;
}

inox_status ix_sampler_choose(ix_sampler *s, const float *logits, const inox_sampling *p,
                              const int32_t *previous, size_t previous_count, uint64_t position,
                              int32_t *id, inox_error *err)
{
    IX_TRY(check_parameters(p, s->columns, err));
    memcpy(s->s, logits, s->columns * sizeof *logits);
    for (size_t i = 0; i < p->bias_count; i++)
        s->s[p->bias_ids[i]] = s->s[p->bias_ids[i]] + p->bias_values[i];
    IX_TRY(penalise(s, p, previous, previous_count, err));
    int32_t best;
    IX_TRY(ix_argmax(s->s, s->columns, &best, err));
    if (ix_bits(s->s[best]) == 0xff800000u)
        return ix_fail(err, INOX_E_ARGUMENT, "every token is banned: all %zu logits are -infinity",
                       s->columns);
    if (p->temperature == 0.0f) {
        *id = best;
        return INOX_OK;
    }
    if (p->temperature != 1.0f)
        for (size_t i = 0; i < s->columns; i++)
            s->s[i] = s->s[i] / p->temperature;
    float max = s->s[best]; /* division keeps the order */
    size_t k = p->top_k > 0 && (size_t)p->top_k < s->columns ? (size_t)p->top_k : s->columns;
    if (k <= HEAP_MAX && k < s->columns)
        select_first(s, k);
    else
        sort_all(s, max, k);
    weigh(s, max);
    if (p->typical_p < 1.0f)
        keep_typical(s, p->typical_p);
    if (p->top_p < 1.0f)
        keep_top_p(s, p->top_p);
    if (p->min_p > 0.0f)
        keep_min_p(s, p->min_p);
    *id = draw(s, ix_random_u64(p->seed, 0, position));
    return INOX_OK;
}
