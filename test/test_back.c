/* The CPU back end against the reference interpreter, bit by bit: whole decoders over instruction
 * sets, thread counts, layouts of weights and sizes of steps, and single operators at their
 * edges. */
#include "test.h"

#include "back/back.h"
#include "decoder.h"
#include "num/attention/attention.h"
#include "pass/pass.h"

/* ---- whole decoders -------------------------------------------------------------------------- */

#define TOKENS_MAX 140
#define ROWS_MAX 5
#define PAGES_PER_SEQUENCE 3
#define CACHE_PAGES 7
#define STEPS 6

/* How many tokens of each of two sequences a step has, and how many rows of logits it wants. */
static const struct {
    int first, second, rows;
} SCRIPT[STEPS] = { { 1, 0, 1 },   { 6, 2, 0 },    { 0, 3, 2 },
                    { 97, 35, 5 }, { 40, 100, 3 }, { 1, 1, 2 } };

typedef struct step {
    int32_t tokens[TOKENS_MAX], positions[TOKENS_MAX], sequence[TOKENS_MAX], rows[ROWS_MAX];
    ix_symbols symbols;
} step;

static const int32_t PAGES[2][PAGES_PER_SEQUENCE] = { { 5, 0, 3 }, { 2, 6, 1 } };

/* The tokens of both sequences take turns, so that neighbours in a tile are of different ones. */
static step step_of(int number, int32_t length[2], int64_t vocabulary, uint64_t *random)
{
    step s = { .symbols = { { 0, SCRIPT[number].rows, 2, PAGES_PER_SEQUENCE, CACHE_PAGES } } };
    int left[2] = { SCRIPT[number].first, SCRIPT[number].second }, n = 0;

    while (left[0] + left[1] > 0) {
        int which = left[0] == 0 || (left[1] > 0 && ix_test_random(random) % 2 == 0);
        left[which]--;
        s.tokens[n] = (int32_t)(ix_test_random(random) % (uint64_t)vocabulary);
        s.sequence[n] = which;
        s.positions[n++] = length[which]++;
    }
    for (int i = 0; i < SCRIPT[number].rows; i++)
        s.rows[i] = (int32_t)(ix_test_random(random) % (uint64_t)n);
    s.symbols.value[IX_TOKENS] = n;
    return s;
}

/* Logits of all steps and what the caches hold behind them. */
typedef struct answer {
    float *logits;
    uint8_t *caches;
    size_t logits_bytes, cache_bytes;
} answer;

static const void *input_of(const step *s, const ix_tensor *t)
{
    return strcmp(t->name, "tokens") == 0      ? s->tokens
           : strcmp(t->name, "positions") == 0 ? s->positions
           : strcmp(t->name, "sequence") == 0  ? s->sequence
           : strcmp(t->name, "rows") == 0      ? (const void *)s->rows
                                               : PAGES;
}

/* plan NULL: the interpreter. */
static inox_status run_script(const ix_decoder_shape *shape, const ix_graph *g, ix_plan *plan,
                              ix_arena *arena, answer *out, inox_error *err)
{
    ix_binding bindings[5 + 8];
    int32_t bound = 0, length[2] = { 0, 0 };
    uint64_t random = 7;
    size_t each = (size_t)(CACHE_PAGES * shape->kv_heads * 2 * shape->head_dim * IX_PAGE) *
                  ix_type_of(shape->cache)->block_bytes;
    size_t rows = 0;

    *out = (answer){ .cache_bytes = each * (size_t)shape->layers };
    for (int i = 0; i < STEPS; i++)
        rows += (size_t)SCRIPT[i].rows;
    out->logits_bytes = rows * (size_t)shape->vocabulary * sizeof(float);
    IX_TRY(IX_ARENA(arena, &out->caches, out->cache_bytes, err));
    IX_TRY(IX_ARENA(arena, &out->logits, out->logits_bytes / sizeof(float), err));
    rows = 0;
    for (int i = 0; i < STEPS; i++) {
        step s = step_of(i, length, shape->vocabulary, &random);
        uint8_t *cache = out->caches;
        bound = 0;
        for (int32_t k = 0; k < g->count; k++) {
            const ix_tensor *t = g->tensors[k];
            if (t->op == IX_OP_INPUT)
                bindings[bound++] = (ix_binding){ t, (void *)(uintptr_t)input_of(&s, t) };
            if (t->op == IX_OP_STATE) {
                bindings[bound++] = (ix_binding){ t, cache };
                cache += each;
            }
        }
        float *logits = out->logits + rows * (size_t)shape->vocabulary;
        rows += (size_t)SCRIPT[i].rows;
        if (plan == NULL)
            IX_TRY(ix_graph_interpret(g, &s.symbols, bindings, bound, logits, err));
        else
            IX_TRY(ix_backend_cpu.run(plan, &s.symbols, bindings, bound, logits, err));
    }
    return INOX_OK;
}

/* One way to run a graph. */
typedef struct way {
    ix_isa isa;
    int threads;
    bool fused, file_layout;
} way;

static void check_way(ix_test *t, const ix_decoder_shape *shape, const ix_graph *g, const way *how,
                      const answer *expected)
{
    inox_error err = { 0 };
    ix_pool *pool = NULL;
    ix_plan *plan = NULL;
    ix_arena arena = { 0 };
    answer got;

    CHECK_OK(ix_pool_new(how->threads, &pool, &err), &err);
    ix_plan_options options = { .pool = pool,
                                .isa = how->isa,
                                .most = { { TOKENS_MAX, ROWS_MAX, 2, PAGES_PER_SEQUENCE,
                                            CACHE_PAGES } },
                                .file_layout = how->file_layout };
    CHECK_OK(ix_backend_cpu.plan_new(g, &options, &plan, &err), &err);
    if (plan != NULL) {
        CHECK_OK(run_script(shape, g, plan, &arena, &got, &err), &err);
        CHECK_MSG(memcmp(got.logits, expected->logits, got.logits_bytes) == 0,
                  "other logits: %s, %d threads, %s, %s", ix_isa_name(how->isa), how->threads,
                  how->fused ? "fused" : "primitives", how->file_layout ? "file" : "panels");
        CHECK_MSG(memcmp(got.caches, expected->caches, got.cache_bytes) == 0,
                  "other caches: %s, %d threads", ix_isa_name(how->isa), how->threads);
    }
    ix_backend_cpu.plan_free(plan);
    ix_pool_free(pool);
    ix_arena_release(&arena);
}

static void check_decoder(ix_test *t, const ix_decoder_shape *shape, uint64_t seed)
{
    static const int THREADS[] = { 1, 2, 3, 7 };
    inox_error err = { 0 };
    ix_decoder d;
    ix_graph *fused = NULL;
    ix_arena arena = { 0 };
    answer expected;

    CHECK_OK(ix_decoder_make(shape, seed, &d, &err), &err);
    CHECK_OK(ix_pass_fuse(d.graph, &fused, &err), &err);
    if (fused != NULL && run_script(shape, d.graph, NULL, &arena, &expected, &err) == INOX_OK) {
        for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
            if (!ix_isa_present((ix_isa)isa))
                continue;
            for (size_t i = 0; i < sizeof THREADS / sizeof *THREADS; i++) {
                way how = { (ix_isa)isa, THREADS[i], true, false };
                if (isa == IX_ISA_REF && i != 1)
                    continue; /* slow */
                check_way(t, shape, fused, &how, &expected);
            }
            check_way(t, shape, fused, &(way){ (ix_isa)isa, 2, true, true }, &expected);
            check_way(t, shape, d.graph, &(way){ (ix_isa)isa, 3, false, false }, &expected);
        }
    }
    CHECK_OK(err.code, &err);
    ix_graph_free(fused);
    ix_decoder_release(&d);
    ix_arena_release(&arena);
}

TEST(back_cpu_llama_f32)
{
    check_decoder(t,
                  &(ix_decoder_shape){ 2, 64, 4, 2, 16, 96, 40, IX_TYPE_F32, IX_TYPE_F32,
                                       .interleaved = true },
                  1);
}

TEST(back_cpu_window_f16)
{
    check_decoder(t,
                  &(ix_decoder_shape){ 1, 48, 3, 3, 16, 40, 37, IX_TYPE_F16, IX_TYPE_F32,
                                       .bias = true, .window = 130 },
                  2);
}

TEST(back_cpu_qwen3_q8_0)
{
    check_decoder(t,
                  &(ix_decoder_shape){ 3, 64, 4, 1, 32, 64, 50, IX_TYPE_Q8_0, IX_TYPE_F16,
                                       .head_norms = true },
                  3);
}

TEST(back_cpu_llama_q4_k)
{
    check_decoder(t,
                  &(ix_decoder_shape){ 1, 256, 4, 2, 64, 256, 40, IX_TYPE_Q4_K, IX_TYPE_F16,
                                       .factors = true, .interleaved = true },
                  4);
}

TEST(back_cpu_sinks_softcap)
{
    check_decoder(t,
                  &(ix_decoder_shape){ 2, 64, 4, 2, 16, 32, 40, IX_TYPE_F32, IX_TYPE_F16,
                                       .sinks = true, .softcap = 5.0f, .bias = true,
                                       .head_norms = true },
                  5);
}

/* ---- single operators ------------------------------------------------------------------------ */

#define FLOATS 1024

typedef struct small {
    ix_graph *g;
    ix_binding bindings[8];
    int32_t bound;
    float data[FLOATS];
    inox_error err;
} small;

static small small_new(void)
{
    small s = { .bound = 0 };
    uint64_t random = 99;

    for (int i = 0; i < FLOATS; i++)
        s.data[i] = ix_test_random_float(&random);
    if (ix_graph_new(&s.g, &s.err) != INOX_OK)
        s.g = NULL;
    return s;
}

static ix_tensor *bind(small *s, ix_tensor *t, const void *data)
{
    s->bindings[s->bound++] = (ix_binding){ t, (void *)(uintptr_t)data };
    return t;
}

/* A float input; dimension -1: tokens.  Every one starts elsewhere in the data. */
static ix_tensor *floats(small *s, int rank, int64_t a, int64_t b, int64_t c)
{
    ix_dim dims[3] = { a < 0 ? ix_sym(IX_TOKENS) : ix_size(a), ix_size(b), ix_size(c) };
    char name[16];

    snprintf(name, sizeof name, "x%d", s->bound);
    return bind(s, ix_input(s->g, name, IX_TYPE_F32, rank, dims), s->data + 100 * s->bound);
}

/* The plan gives the interpreter's bits, or says that it cannot run the operator. */
static void check_small(ix_test *t, small *s, ix_tensor *y, bool may_refuse)
{
    static const ix_symbols SYMBOLS = { { 11, 3, 2, 2, 4 } };
    static float expected[4 * FLOATS], got[4 * FLOATS];

    CHECK_OK(ix_graph_finish(s->g, y, &s->err), &s->err);
    if (s->err.code == INOX_OK) {
        size_t n = (size_t)ix_tensor_elements(y, &SYMBOLS);
        CHECK(n <= 4 * FLOATS);
        CHECK_OK(ix_graph_interpret(s->g, &SYMBOLS, s->bindings, s->bound, expected, &s->err),
                 &s->err);
        for (int threads = 1; threads <= 3; threads += 2) {
            ix_pool *pool = NULL;
            ix_plan *plan = NULL;
            CHECK_OK(ix_pool_new(threads, &pool, &s->err), &s->err);
            ix_plan_options o = { .pool = pool, .isa = IX_ISA_REF, .most = SYMBOLS };
            inox_status status = ix_backend_cpu.plan_new(s->g, &o, &plan, &s->err);
            CHECK_MSG(status == INOX_OK || (may_refuse && status == INOX_E_UNSUPPORTED),
                      "status %d: %s", status, s->err.message);
            for (int again = 0; status == INOX_OK && again < 20; again++) {
                memset(got, 0xff, sizeof got);
                CHECK_OK(ix_backend_cpu.run(plan, &SYMBOLS, s->bindings, s->bound, got, &s->err),
                         &s->err);
                CHECK(memcmp(got, expected, n * sizeof *got) == 0);
            }
            ix_backend_cpu.plan_free(plan);
            ix_pool_free(pool);
        }
    }
    ix_graph_free(s->g);
}

/* y + 1, so that the operand is made row by row in the same stage. */
static ix_tensor *made(small *s, ix_tensor *x)
{
    return ix_scalar(s->g, IX_OP_ADD_SCALAR, x, 1.0f);
}

TEST(back_cpu_broadcast_of_other_rows)
{
    small s = small_new(); /* the 4 rows of b are not the 4 rows of a */
    ix_tensor *a = made(&s, floats(&s, 3, 4, 4, 8)), *b = made(&s, floats(&s, 2, 4, 8, 0));
    check_small(t, &s, ix_add(s.g, a, b), false);
}

TEST(back_cpu_broadcast_of_rows)
{
    small s = small_new();
    ix_tensor *a = made(&s, floats(&s, 3, -1, 3, 8)), *b = made(&s, floats(&s, 3, -1, 1, 8));
    ix_tensor *c = made(&s, floats(&s, 3, -1, 3, 1)), *d = made(&s, floats(&s, 2, 3, 8, 0));
    ix_tensor *y = ix_mul(s.g, ix_add(s.g, a, b), c);
    check_small(t, &s, ix_binary(s.g, IX_OP_DIV, y, d), false);
}

TEST(back_cpu_gather_of_matrices)
{
    static const int32_t ids[11] = { 3, 0, 3, 1, 2, 2, 1, 0, 0, 3, 1 };
    small s = small_new();
    ix_dim tokens = ix_sym(IX_TOKENS);
    ix_tensor *table = made(&s, floats(&s, 3, 4, 2, 8));
    ix_tensor *i = bind(&s, ix_input(s.g, "ids", IX_TYPE_I32, 1, &tokens), ids);
    check_small(t, &s, ix_gather(s.g, table, i), false);
}

TEST(back_cpu_vectors)
{
    for (int op = 0; op < 4; op++) { /* of one dimension: sums and norms cross the rows */
        small s = small_new();
        ix_tensor *x = floats(&s, 1, 24, 0, 0), *y = made(&s, x);
        if (op == 0)
            y = ix_unary(s.g, IX_OP_SUM, y);
        else if (op == 1)
            y = ix_unary(s.g, IX_OP_SUM_SQUARES, y);
        else if (op == 2)
            y = ix_emit(s.g, IX_OP_RMS_NORM, 1, &y, &(ix_attrs){ .norm = { 1e-5f } });
        else
            y = ix_add(s.g, y, ix_unary(s.g, IX_OP_EXP, x));
        check_small(t, &s, y, op < 3);
    }
}

TEST(back_cpu_vectors_of_tokens)
{
    for (int op = 0; op < 3; op++) {
        small s = small_new();
        ix_tensor *y = made(&s, floats(&s, 1, -1, 0, 0));
        if (op == 0)
            y = ix_unary(s.g, IX_OP_SUM, y);
        else if (op == 1)
            y = ix_emit(s.g, IX_OP_RMS_NORM, 1, &y, &(ix_attrs){ .norm = { 1e-5f } });
        else
            y = ix_unary(s.g, IX_OP_TANH, y);
        check_small(t, &s, y, op < 2);
    }
}

TEST(back_cpu_norm_by_a_computed_weight)
{
    small s = small_new(); /* 8 rows of 8: the weight's elements are not the rows */
    ix_tensor *args[2] = { made(&s, floats(&s, 2, 8, 8, 0)), made(&s, floats(&s, 1, 8, 0, 0)) };
    check_small(t, &s, ix_emit(s.g, IX_OP_RMS_NORM, 2, args, &(ix_attrs){ .norm = { 1e-5f } }),
                true);
}

TEST(back_cpu_reshape_across_rows)
{
    small s = small_new();
    ix_tensor *x = made(&s, floats(&s, 2, 4, 6, 0));
    x = made(&s, ix_reshape(s.g, x, 2, (ix_dim[]){ ix_size(3), ix_size(8) }));
    x = ix_emit(s.g, IX_OP_RMS_NORM, 1, &x, &(ix_attrs){ .norm = { 1e-5f } });
    check_small(t, &s, ix_reshape(s.g, x, 3, (ix_dim[]){ ix_size(4), ix_size(2), ix_size(3) }),
                false);
}

TEST(back_cpu_symbol_inside)
{
    small s = small_new(); /* [4, tokens]: a row has no fixed size */
    ix_dim dims[2] = { ix_size(4), ix_sym(IX_TOKENS) };
    ix_tensor *x = bind(&s, ix_input(s.g, "x", IX_TYPE_F32, 2, dims), s.data);
    check_small(t, &s, made(&s, made(&s, x)), true);
}

TEST(back_cpu_two_stores)
{
    static const int32_t place[11] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, zeros[11] = { 0 };
    static const int32_t pages[4] = { 2, 1, 0, 3 };
    static float cache[4 * 2 * 16 * 128];
    small s = small_new(); /* what attention reads between two stores is the first one's */
    ix_dim tokens = ix_sym(IX_TOKENS);
    ix_dim table[2] = { ix_sym(IX_SEQUENCES), ix_sym(IX_SEQUENCE_PAGES) };
    ix_step_inputs at = { 0 };
    at.positions = bind(&s, ix_input(s.g, "p", IX_TYPE_I32, 1, &tokens), place);
    at.sequence = bind(&s, ix_input(s.g, "s", IX_TYPE_I32, 1, &tokens), zeros);
    at.pages = bind(&s, ix_input(s.g, "t", IX_TYPE_I32, 2, table), pages);
    ix_tensor *q = floats(&s, 3, -1, 2, 8), *k = made(&s, floats(&s, 3, -1, 2, 8));
    ix_tensor *state = bind(&s, ix_cache(s.g, "c", IX_TYPE_F32, 2, 8, 8), cache);
    ix_tensor *one = ix_cache_store(s.g, state, k, q, &at);
    ix_tensor *y = ix_attention(s.g, q, one, &at, NULL, 0.3, 0.0f, 0);
    ix_tensor *two = ix_cache_store(s.g, one, made(&s, k), k, &at);
    ix_tensor *z = ix_attention(s.g, q, two, &at, NULL, 0.3, 0.0f, 0);
    check_small(t, &s, ix_add(s.g, y, z), true);
}

/* ---- what a run refuses ---------------------------------------------------------------------- */

TEST(back_cpu_refuses_indices)
{
    static const int32_t bad[][2] = { { -1, 0 }, { 0, 4 }, { INT32_MIN, 0 }, { 0, INT32_MAX } };
    small s = small_new();
    ix_dim rows = ix_sym(IX_ROWS);
    float y[3 * 8];
    ix_tensor *table = floats(&s, 2, 4, 8, 0);
    ix_tensor *ids = ix_input(s.g, "ids", IX_TYPE_I32, 1, &rows);
    ix_pool *pool = NULL;
    ix_plan *plan = NULL;

    CHECK_OK(ix_graph_finish(s.g, ix_gather(s.g, table, ids), &s.err), &s.err);
    CHECK_OK(ix_pool_new(1, &pool, &s.err), &s.err);
    ix_plan_options o = { .pool = pool, .isa = IX_ISA_REF, .most = { { 4, 3, 1, 1, 1 } } };
    CHECK_OK(ix_backend_cpu.plan_new(s.g, &o, &plan, &s.err), &s.err);
    for (size_t i = 0; plan != NULL && i < sizeof bad / sizeof *bad; i++) {
        ix_symbols symbols = { { 0, 2, 0, 0, 0 } };
        ix_binding b[2] = { s.bindings[0], { ids, (void *)(uintptr_t)bad[i] } };
        CHECK(ix_backend_cpu.run(plan, &symbols, b, 2, y, &s.err) == INOX_E_ARGUMENT);
        CHECK(ix_backend_cpu.run(plan, &symbols, b, 1, y, &s.err) == INOX_E_ARGUMENT);
        symbols.value[IX_ROWS] = 4;
        CHECK(ix_backend_cpu.run(plan, &symbols, b, 2, y, &s.err) == INOX_E_ARGUMENT);
        symbols.value[IX_ROWS] = -1;
        CHECK(ix_backend_cpu.run(plan, &symbols, b, 2, y, &s.err) == INOX_E_ARGUMENT);
        symbols.value[IX_ROWS] = 0;
        CHECK(ix_backend_cpu.run(plan, &symbols, b, 2, y, &s.err) == INOX_OK);
    }
    ix_backend_cpu.plan_free(plan);
    ix_pool_free(pool);
    ix_graph_free(s.g);
}
