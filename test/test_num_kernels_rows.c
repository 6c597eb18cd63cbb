/* Every row of rows/kernels.def, in every instruction set of this machine, against the reference by
 * memcmp.
 *
 * A row of the table without a comparison here does not compile.  Inputs are generated: lengths
 * around the borders of vectors, of 32 lanes and of blocks of 1024, unaligned places, outputs over
 * inputs, and values that are plain, special, or any bits at all.  INOX_TEST_LONG=1 takes the
 * elementary functions over all 2^32 floats.
 */
#include "base/alloc.h"
#include "num/rows/kernels.h"
#include "num/scalar/scalar.h"
#include "special_values.h"
#include "test.h"

#include <inttypes.h>

enum { MOST = 40 * 1024, MARGIN = 64 };

/* Room for the longest case; results lie between two margins that nobody may touch. */
static float inputs[3][MOST + 8];
static float want[MOST + 2 * MARGIN], got[MOST + 2 * MARGIN];

enum { SPECIAL_COUNT = sizeof SPECIALS / sizeof *SPECIALS };

enum { PLAIN, WIDE, TINY, SPECIAL, ANY_BITS, KINDS };

static float value(int kind, uint64_t *state)
{
    uint64_t r = ix_test_random(state);
    switch (kind) {
    case WIDE: /* all exponents that leave room for a square */
        return ix_float((uint32_t)(r & 0x807fffff) | (uint32_t)(64 + (r >> 32) % 126) << 23);
    case TINY: return ix_float((uint32_t)(r & 0x80ffffff));
    case SPECIAL:
        return r % 8 ? ix_test_random_float(state) : ix_float(SPECIALS[(r >> 8) % SPECIAL_COUNT]);
    case ANY_BITS: return ix_float((uint32_t)r);
    default: return ix_test_random_float(state) * 4;
    }
}

static void fill(float *x, int64_t n, int kind, uint64_t *state)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = value(kind, state);
}

/* ---- one call, whatever the arguments -------------------------------------------------------- */

/* The arguments of a call; a function takes those that it has. */
typedef struct row_case {
    const float *in[3];
    float s;
    int64_t n, heads, half; /* rope: n is heads * head_dim */
    bool interleaved, no_w, no_b;
} row_case;

/* `reusable`: so many of the inputs may be the output too. */
#define CALL(function, reusable)                                                                   \
    enum { reusable_##function = (reusable) };                                                     \
    static void call_##function(const ix_row_kernels *k, const row_case *r, void *y)
#define CALL_1(function, reusable)                                                                 \
    CALL(function, reusable)                                                                       \
    {                                                                                              \
        k->function((const void *)r->in[0], r->n, y);                                              \
    }
#define CALL_2(function)                                                                           \
    CALL(function, 2)                                                                              \
    {                                                                                              \
        k->function(r->in[0], r->in[1], r->n, y);                                                  \
    }

CALL(rms_norm, 2)
{
    k->rms_norm(r->in[0], r->no_w ? NULL : r->in[1], r->s, r->n, y);
}
CALL(layer_norm, 3)
{
    k->layer_norm(r->in[0], r->no_w ? NULL : r->in[1], r->no_b ? NULL : r->in[2], r->s, r->n, y);
}
CALL(sum, 0)
{
    *(float *)y = k->sum(r->in[0], r->n);
}
CALL(sum_squares, 0)
{
    *(float *)y = k->sum_squares(r->in[0], r->n);
}
CALL(scale, 1)
{
    k->scale(r->in[0], r->s, r->n, y);
}
CALL(rope, 1)
{
    k->rope(r->in[0], r->in[1], r->in[2], r->half, r->interleaved, r->heads, r->n / r->heads, y);
}
CALL_2(add)
CALL_2(sub)
CALL_2(mul)
CALL_2(swiglu)
CALL_1(exp, 1)
CALL_1(tanh, 1)
CALL_1(sigmoid, 1)
CALL_1(silu, 1)
CALL_1(gelu_tanh, 1)
CALL_1(gelu_erf, 1)
CALL_1(to_f16, 0)
CALL_1(to_bf16, 0)
CALL_1(from_f16, 0)
CALL_1(from_bf16, 0)

static const struct row {
    const char *name;
    void (*call)(const ix_row_kernels *k, const row_case *r, void *y);
    int reusable;
} rows[] = {
#define IX_ROW(function) { #function, call_##function, reusable_##function },
#include "num/rows/kernels.def"
#undef IX_ROW
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

/* Bytes of a result and its margins: no result has more than n floats, or one. */
static size_t result_bytes(const row_case *r)
{
    return ((size_t)r->n + 2 * MARGIN) * sizeof(float);
}

/* Whether this machine runs the set, and it has a table of its own. */
static bool is_tested(ix_isa isa)
{
    if (!ix_isa_built(isa) || !ix_isa_present(isa))
        return false;
    return ix_row_table(isa) != NULL;
}

/* Runs one kernel into `result`; `reuse` >= 0: that input lies there first, and is replaced. */
static void run_case(const struct row *row, ix_isa isa, const row_case *r, int reuse, float *result)
{
    row_case with = *r;
    memset(result, 0xa5, result_bytes(r));
    if (reuse >= 0) {
        memcpy(result + MARGIN, r->in[reuse], (size_t)r->n * sizeof(float));
        with.in[reuse] = result + MARGIN;
    }
    row->call(ix_row_table(isa), &with, result + MARGIN);
}

static void compare(ix_test *t, const struct row *row, const row_case *r, const char *what)
{
    for (int reuse = -1; reuse < row->reusable; reuse++) {
        run_case(row, IX_ISA_REF, r, reuse, want);
        for (ix_isa isa = IX_ISA_AVX2; isa < IX_ISA_COUNT; isa++) {
            if (!is_tested(isa))
                continue;
            run_case(row, isa, r, reuse, got);
            CHECK_MSG(memcmp(want, got, result_bytes(r)) == 0,
                      "%s %s differs: %s, n %" PRId64 ", heads %" PRId64 ", half %" PRId64
                      ", output over input %d",
                      row->name, ix_isa_name(isa), what, r->n, r->heads, r->half, reuse);
        }
    }
}

/* ---- generated cases ------------------------------------------------------------------------- */

static const char *const KIND_NAMES[KINDS] = { "plain", "wide", "tiny", "special", "any bits" };

/* Fills the inputs at an unaligned place, and compares. */
static void compare_generated(ix_test *t, const struct row *row, row_case *r, int kind,
                              uint64_t *state)
{
    for (int i = 0; i < 3; i++) {
        float *place = inputs[i] + ix_test_random(state) % 8;
        fill(place, r->n, kind, state);
        r->in[i] = place;
    }
    static const float factors[] = { 1e-5f, 1e-6f, 0.0f, 3.0f, -2.5f };
    uint64_t pick = ix_test_random(state);
    r->s = kind < SPECIAL ? factors[pick % 5] : value(kind, state);
    r->no_w = pick >> 8 & 1;
    r->no_b = pick >> 9 & 1;
    compare(t, row, r, KIND_NAMES[kind]);
}

static bool is_rope(const struct row *row)
{
    return strcmp(row->name, "rope") == 0;
}

TEST(num_rows_short)
{
    uint64_t state = 1;
    for (int i = 0; i < ROW_COUNT; i++)
        for (int64_t n = 0; n <= 70 && !is_rope(&rows[i]); n++)
            for (int kind = 0; kind < KINDS; kind++)
                compare_generated(t, &rows[i], &(row_case){ .n = n }, kind, &state);
}

TEST(num_rows_long)
{
    static const int64_t lengths[] = { 127,  128,  255,  576,           1023,      1024,
                                       1025, 1039, 1057, 2047,          2048,      2049,
                                       3072, 3100, 5000, 7 * 1024 + 33, 11 * 1024, 13 * 1024 - 1 };
    uint64_t state = 2;
    for (int i = 0; i < ROW_COUNT; i++)
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths && !is_rope(&rows[i]); j++)
            for (int kind = 0; kind < KINDS; kind++)
                compare_generated(t, &rows[i], &(row_case){ .n = lengths[j] }, kind, &state);
}

/* The tree of C4 over every number of blocks up to 39. */
TEST(num_rows_blocks)
{
    uint64_t state = 3;
    for (int i = 0; i < ROW_COUNT; i++)
        if (strstr(rows[i].name, "sum") || strstr(rows[i].name, "norm"))
            for (int64_t blocks = 14; blocks < 40; blocks++)
                compare_generated(t, &rows[i], &(row_case){ .n = blocks * 1024 + 7 }, PLAIN,
                                  &state);
}

TEST(num_rows_rope)
{
    static const int64_t dims[] = { 1,  2,  3,  8,  10,  16,  20,  30, 32,
                                    48, 64, 80, 96, 112, 128, 160, 256 };
    const struct row *row = rows;
    uint64_t state = 4;
    while (!is_rope(row))
        row++;
    for (size_t j = 0; j < sizeof dims / sizeof *dims; j++) {
        for (int64_t half = 0; half <= dims[j] / 2; half = half < 17 ? half + 1 : half + 8) {
            for (int kind = 0; kind < KINDS; kind++) {
                for (int64_t heads = 1; heads <= 3; heads += 2) {
                    row_case r = { .n = heads * dims[j], .heads = heads, .half = half };
                    compare_generated(t, row, &r, kind, &state);
                    r.interleaved = true;
                    compare_generated(t, row, &r, kind, &state);
                }
            }
        }
    }
}

/* A sum is never -0, whatever its terms (C11). */
TEST(num_rows_negative_zero)
{
    for (int64_t n = 0; n < 70; n++) {
        for (int64_t i = 0; i < n; i++)
            inputs[0][i] = -0.0f;
        for (ix_isa isa = IX_ISA_REF; isa < IX_ISA_COUNT; isa++) {
            if (isa != IX_ISA_REF && !is_tested(isa))
                continue;
            CHECK(ix_bits(ix_row_table(isa)->sum(inputs[0], n)) == 0);
            CHECK(ix_bits(ix_row_table(isa)->sum_squares(inputs[0], n)) == 0);
        }
    }
}

/* ---- functions of one float, and conversions, over all their arguments ----------------------- */

static void fill_bits(uint64_t first, uint64_t step, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        inputs[0][i] = ix_float((uint32_t)(first + (uint64_t)i * step));
}

/* Every `step`-th float: quickly a number of about 80,000 that meets all exponents and many
 * fractions. */
TEST(num_rows_all_floats)
{
    static const char *const names[] = { "exp",       "tanh",     "sigmoid", "silu",
                                         "gelu_tanh", "gelu_erf", "to_f16",  "to_bf16" };
    bool all = getenv("INOX_TEST_LONG") != NULL;
    uint64_t step = all ? 1 : 52361;
    for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
        const struct row *row = rows;
        while (strcmp(row->name, names[j]) != 0)
            row++;
        for (uint64_t first = 0; first <= UINT32_MAX; first += MOST * step) {
            fill_bits(first, step, MOST);
            row_case r = { .in = { inputs[0], inputs[1], inputs[2] }, .n = MOST };
            run_case(row, IX_ISA_REF, &r, -1, want);
            for (ix_isa isa = IX_ISA_AVX2; isa < IX_ISA_COUNT; isa++) {
                if (!is_tested(isa))
                    continue;
                run_case(row, isa, &r, -1, got);
                CHECK_MSG(memcmp(want, got, result_bytes(&r)) == 0,
                          "%s %s differs from bits %08" PRIx64 " on", row->name, ix_isa_name(isa),
                          first);
            }
        }
    }
}

TEST(num_rows_all_halves)
{
    static const char *const names[] = { "from_f16", "from_bf16" };
    for (size_t j = 0; j < 2; j++) {
        const struct row *row = rows;
        while (strcmp(row->name, names[j]) != 0)
            row++;
        for (uint32_t first = 0; first < 0x10000; first += 0x8000) {
            uint16_t *halves = (uint16_t *)(void *)inputs[0];
            for (uint32_t i = 0; i < 0x8000; i++)
                halves[i] = (uint16_t)(first + i);
            compare(t, row, &(row_case){ .in = { inputs[0] }, .n = 0x8000 }, "all halves");
        }
    }
}

/* ---- the comparison at first use ------------------------------------------------------------- */

static void scale_wrongly(const float *a, float s, int64_t n, float *y)
{
    ix_row_table(IX_ISA_REF)->scale(a, s, n, y);
    y[n - 2] = a[n - 2];
}

static void rms_norm_wrongly(const float *x, const float *w, float eps, int64_t n, float *y)
{
    ix_row_table(IX_ISA_REF)->rms_norm(x, w, eps, n, y);
    y[n - 1] = ix_float(ix_bits(y[n - 1]) ^ 1);
}

static void layer_norm_wrongly(const float *x, const float *w, const float *b, float eps, int64_t n,
                               float *y)
{
    (void)b;
    ix_row_table(IX_ISA_REF)->layer_norm(x, w, NULL, eps, n, y);
}

static void rope_wrongly(const float *x, const float *cos_table, const float *sin_table,
                         int64_t half, int interleaved, int64_t heads, int64_t head_dim, float *y)
{
    (void)interleaved;
    ix_row_table(IX_ISA_REF)->rope(x, cos_table, sin_table, half, 0, heads, head_dim, y);
}

/* A table with one function that is another is found wrong, whichever it is. */
TEST(num_rows_finds_any_wrong_function)
{
    const ix_row_kernels *ref = ix_row_table(IX_ISA_REF);
    inox_error err;
    _Bool same = false;
    int tried = 0;
    CHECK_OK(ix_row_compare(ref, ref, &same, &err), &err);
    CHECK(same);
#define WRONG(function, wrong)                                                                     \
    do {                                                                                           \
        ix_row_kernels table = *ref;                                                               \
        table.function = (wrong);                                                                  \
        CHECK_OK(ix_row_compare(&table, ref, &same, &err), &err);                                  \
        CHECK_MSG(!same, "a wrong %s passes", #function);                                          \
        tried++;                                                                                   \
    } while (0)
    WRONG(rms_norm, rms_norm_wrongly);
    WRONG(layer_norm, layer_norm_wrongly);
    WRONG(sum, ref->sum_squares);
    WRONG(sum_squares, ref->sum);
    WRONG(add, ref->sub);
    WRONG(sub, ref->add);
    WRONG(mul, ref->add);
    WRONG(scale, scale_wrongly);
    WRONG(exp, ref->sigmoid);
    WRONG(tanh, ref->sigmoid);
    WRONG(sigmoid, ref->silu);
    WRONG(silu, ref->gelu_tanh);
    WRONG(gelu_tanh, ref->gelu_erf);
    WRONG(gelu_erf, ref->gelu_tanh);
    WRONG(swiglu, ref->mul);
    WRONG(rope, rope_wrongly);
    WRONG(to_f16, ref->to_bf16);
    WRONG(to_bf16, ref->to_f16);
    WRONG(from_f16, ref->from_bf16);
    WRONG(from_bf16, ref->from_f16);
#undef WRONG
    CHECK(tried == ROW_COUNT);
}

/* A table that differs is passed over, and asked only once; one that cannot be compared for want of
 * memory is passed over this time. */
TEST(num_rows_rejects)
{
    const ix_row_kernels *ref = ix_row_table(IX_ISA_REF);
    ix_isa best = IX_ISA_REF;
    for (ix_isa isa = IX_ISA_REF; isa < IX_ISA_COUNT; isa++)
        best = is_tested(isa) ? isa : best;
    if (best == IX_ISA_REF)
        SKIP("this machine runs the reference only");
    ix_row_kernels wrong = *ref;
    const ix_row_kernels *tables[IX_ISA_COUNT] = { [IX_ISA_REF] = ref };
    ix_kernel_state states[IX_ISA_COUNT] = { 0 };
    wrong.isa = best;
    wrong.sum = ref->sum_squares;
    tables[best] = &wrong;
    ix_alloc_fail_at(1, 1);
    CHECK(ix_row_select(tables, states, best) == ref && states[best] == IX_KERNEL_UNCHECKED);
    ix_alloc_fail_at(0, 0);
    for (int i = 0; i < 2; i++)
        CHECK(ix_row_select(tables, states, best) == ref && states[best] == IX_KERNEL_BAD);
    CHECK(ix_row_kernels_for(best) == ix_row_table(best));
    CHECK_MSG(!ix_row_rejected(0), "%s differs from the reference", ix_row_rejected(0));
}
