/* Every attention kernel of this machine against the reference by memcmp (rules C6, C6a).
 *
 * The caches are filled with NaNs first, so a kernel that lets a position which a token may not see
 * take part shows it.  Cases are generated: head sizes around the borders of vectors, groups of
 * query heads, windows, soft caps, sinks, several sequences at scattered pages, and values that are
 * infinite or NaN.
 */
#include "base/alloc.h"
#include "num/attention/kernels.h"
#include "num/scalar/scalar.h"
#include "test.h"

#include <inttypes.h>

enum { MARGIN = 32, SEQUENCES = 3, ROWS = 40 };

typedef struct attention_case {
    ix_type type;
    int64_t kv_heads, group, head_dim, value_dim, tokens, length, window;
    float softcap, q_size;
    bool sinks, many_sequences, specials;
    bool sparse; /* most values are 0, so that the smallest weight shows */
} attention_case;

/* Everything that a job points to. */
typedef struct bench {
    ix_attention_job job;
    size_t k_bytes, v_bytes;
    int64_t pages;
    float *q, *out, *k_rows, *v_rows, *sinks;
    int32_t *table, *sequence, *position;
} bench;

static void *room(size_t bytes)
{
    void *p = NULL;
    if (ix_alloc_aligned(bytes, 64, &p, NULL) != INOX_OK) {
        printf("out of memory\n");
        exit(1);
    }
    return p;
}

static float some_float(const attention_case *c, uint64_t *state)
{
    static const uint32_t specials[] = {
        0x7f800000, 0xff800000, 0x7fc00000, 0x80000000, 0x00000001,
        0x7f7fffff, 0xff7fffff, 0x33800000, 0x477ff000, 0xffffffff
    };
    uint64_t r = ix_test_random(state);
    if (c->specials && r % 2048 == 0)
        return ix_float(specials[(r >> 16) % (sizeof specials / sizeof *specials)]);
    return ix_test_random_float(state);
}

static void fill(const attention_case *c, float *x, int64_t n, float size, uint64_t *state)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = some_float(c, state) * size;
}

static void set_up(bench *b, const attention_case *c, uint64_t *state)
{
    ix_attention_job *job = &b->job;
    ix_cache_view *cache = &job->cache;
    int64_t item = c->type == IX_TYPE_F16 ? 2 : 4, pages = (c->length + IX_PAGE - 1) / IX_PAGE + 1;
    int64_t heads = c->kv_heads * c->group;
    *b = (bench){ .pages = pages * SEQUENCES };
    *cache = (ix_cache_view){
        .type = c->type,
        .kv_heads = c->kv_heads,
        .head_dim = c->head_dim,
        .value_dim = c->value_dim,
        .page_table_stride = pages,
        /* pages of several layers may lie between two of this one */
        .k_page_bytes = (size_t)(c->kv_heads * c->head_dim * IX_PAGE * item + 64),
        .v_page_bytes = (size_t)(c->kv_heads * c->value_dim * IX_PAGE * item + 192),
    };
    b->k_bytes = (size_t)b->pages * cache->k_page_bytes;
    b->v_bytes = (size_t)b->pages * cache->v_page_bytes;
    cache->k = room(b->k_bytes);
    cache->v = room(b->v_bytes);
    b->table = room((size_t)b->pages * sizeof *b->table);
    for (int32_t i = 0; i < b->pages; i++) { /* a permutation */
        int32_t j = (int32_t)(ix_test_random(state) % (uint64_t)(i + 1));
        b->table[i] = b->table[j];
        b->table[j] = i;
    }
    cache->page_table = b->table;

    b->q = room((size_t)(c->tokens * heads * c->head_dim) * sizeof(float));
    b->out = room((size_t)(c->tokens * heads * c->value_dim + 2 * MARGIN) * sizeof(float));
    b->k_rows = room((size_t)(ROWS * c->kv_heads * c->head_dim) * sizeof(float));
    b->v_rows = room((size_t)(ROWS * c->kv_heads * c->value_dim) * sizeof(float));
    b->sinks = room((size_t)heads * sizeof(float));
    b->sequence = room((size_t)c->tokens * sizeof *b->sequence);
    b->position = room((size_t)c->tokens * sizeof *b->position);
    fill(c, b->q, c->tokens * heads * c->head_dim, c->q_size, state);
    fill(c, b->sinks, heads, 3, state);
    if (c->specials && heads > 2)
        b->sinks[ix_test_random(state) % (uint64_t)heads] = ix_float(0xff800000);
    for (int64_t i = 0; i < c->tokens; i++) {
        /* either a run of the last positions, or anything */
        bool run = !c->many_sequences;
        b->sequence[i] = run ? 1 : (int32_t)(ix_test_random(state) % SEQUENCES);
        b->position[i] =
            (int32_t)(run ? c->length - c->tokens + i
                          : (int64_t)(ix_test_random(state) % (uint64_t)(c->length + 1)) - 1);
    }
    job->tokens = c->tokens;
    job->heads = heads;
    job->q = b->q;
    job->out = b->out + MARGIN;
    job->sequence = b->sequence;
    job->position = b->position;
    job->window = c->window;
    job->scale = 1.0 / (double)(c->head_dim < 4 ? 2 : c->head_dim / 2);
    job->softcap = c->softcap;
    job->sinks = c->sinks ? b->sinks : NULL;
}

static void tear_down(bench *b)
{
    void *all[] = { b->job.cache.k, b->job.cache.v, b->table,    b->q,        b->out,
                    b->k_rows,      b->v_rows,      b->sequence, b->position, b->sinks };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ix_free_aligned(all[i]);
}

/* Fills the cache with one kernel's store; other kernels must give the same bytes, whatever number
 * of rows they store together. */
static void fill_cache(const bench *b, const attention_case *c, const ix_attention_kernels *kernels,
                       uint64_t state)
{
    const ix_cache_view *cache = &b->job.cache;
    memset(cache->k, 0xff, b->k_bytes);
    memset(cache->v, 0xff, b->v_bytes);
    const int64_t keys = c->kv_heads * c->head_dim, values = c->kv_heads * c->value_dim;
    bool one_by_one = kernels->isa == IX_ISA_REF;
    for (int32_t sequence = 0; sequence < SEQUENCES; sequence++) {
        for (int64_t position = 0, rows; position < c->length; position += rows) {
            rows = one_by_one ? 1 : 1 + position * 7 % ROWS; /* across borders of pages, too */
            rows = rows < c->length - position ? rows : c->length - position;
            for (int64_t r = 0; r < rows; r++) {
                fill(c, b->k_rows + r * keys, keys, 1, &state);
                fill(c, b->v_rows + r * values, values, 1, &state);
                for (int64_t i = 0; c->sparse && i < values; i++)
                    if (ix_test_random(&state) % 64)
                        b->v_rows[r * values + i] = 0.0f;
            }
            kernels->store(cache, b->k_rows, b->v_rows, sequence, (int32_t)position, rows);
        }
    }
}

/* All of the job, cut into pieces of tokens and heads of the cache; `out` has margins. */
static void run_cut(bench *b, const ix_attention_kernels *kernels, int64_t token_step,
                    int64_t kv_step, float *out, size_t out_bytes)
{
    memset(out, 0xa5, out_bytes);
    b->job.out = out + MARGIN;
    size_t bytes = kernels->scratch_bytes(&b->job, token_step);
    uint8_t *scratch = room(bytes + 64);
    memset(scratch, 0xff, bytes + 64);
    for (int64_t token = 0; token < b->job.tokens; token += token_step) {
        int64_t end = token + token_step < b->job.tokens ? token + token_step : b->job.tokens;
        for (int64_t kv = 0; kv < b->job.cache.kv_heads; kv += kv_step) {
            int64_t kv_end = kv + kv_step;
            kv_end = kv_end < b->job.cache.kv_heads ? kv_end : b->job.cache.kv_heads;
            kernels->run(&b->job, token, end, kv, kv_end, scratch);
        }
    }
    for (size_t i = 0; i < 64; i++)
        if (scratch[bytes + i] != 0xff)
            out[0] = 0; /* wrote behind its scratch: shows as a difference */
    ix_free_aligned(scratch);
}

static void compare(ix_test *t, const attention_case *c, uint64_t seed)
{
    bench b;
    uint64_t state = seed;
    set_up(&b, c, &state);
    const ix_attention_kernels *ref = ix_attention_row(IX_ISA_REF);
    size_t out_bytes =
        (size_t)(c->tokens * c->kv_heads * c->group * c->value_dim + 2 * MARGIN) * sizeof(float);
    float *want = room(out_bytes);
    uint8_t *k = room(b.k_bytes), *v = room(b.v_bytes);
    fill_cache(&b, c, ref, state);
    memcpy(k, b.job.cache.k, b.k_bytes);
    memcpy(v, b.job.cache.v, b.v_bytes);
    run_cut(&b, ref, c->tokens, c->kv_heads, want, out_bytes);

    for (ix_isa isa = IX_ISA_AVX2; isa < IX_ISA_COUNT; isa++) {
        const ix_attention_kernels *fast = ix_attention_row(isa);
        if (!ix_isa_built(isa) || !ix_isa_present(isa) || fast == NULL)
            continue;
        fill_cache(&b, c, fast, state);
        CHECK_MSG(memcmp(k, b.job.cache.k, b.k_bytes) == 0, "%s: store of keys, head_dim %" PRId64,
                  fast->name, c->head_dim);
        CHECK_MSG(memcmp(v, b.job.cache.v, b.v_bytes) == 0,
                  "%s: store of values, value_dim %" PRId64, fast->name, c->value_dim);
        const int64_t steps[][2] = { { c->tokens, c->kv_heads }, { 1, 1 }, { 3, 2 } };
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            run_cut(&b, fast, steps[i][0], steps[i][1], b.out, out_bytes);
            CHECK_MSG(memcmp(want, b.out, out_bytes) == 0,
                      "%s: type %d, head_dim %" PRId64 ", value_dim %" PRId64 ", group %" PRId64
                      ", kv_heads %" PRId64 ", tokens %" PRId64 ", length %" PRId64
                      ", window %" PRId64 ", softcap %g, specials %d, step %" PRId64,
                      fast->name, (int)c->type, c->head_dim, c->value_dim, c->group, c->kv_heads,
                      c->tokens, c->length, c->window, (double)c->softcap, c->specials,
                      steps[i][0]);
        }
    }
    ix_free_aligned(want);
    ix_free_aligned(k);
    ix_free_aligned(v);
    tear_down(&b);
}

static const ix_type TYPES[] = { IX_TYPE_F16, IX_TYPE_F32 };

/* Every head size up to 70, and the usual ones: decode and a few tokens. */
TEST(num_attention_head_sizes)
{
    static const int64_t large[] = { 72, 80, 96, 112, 128, 160, 192, 256, 320, 511, 512, 576 };
    for (int i = 0; i < 70 + (int)(sizeof large / sizeof *large); i++) {
        int64_t dim = i < 70 ? i + 1 : large[i - 70];
        for (int type = 0; type < 2; type++) {
            attention_case c = { .type = TYPES[type],
                                 .kv_heads = 1,
                                 .group = 1 + i % 3,
                                 .head_dim = dim,
                                 .value_dim = dim,
                                 .tokens = 1 + i % 4,
                                 .length = 20 + i * 2,
                                 .q_size = 1 };
            compare(t, &c, (uint64_t)i + 100);
        }
    }
}

/* A head longer than a segment of C2 is more than one chain. */
TEST(num_attention_long_head)
{
    attention_case c = { .type = IX_TYPE_F16,
                         .kv_heads = 1,
                         .group = 2,
                         .head_dim = 2100,
                         .value_dim = 33,
                         .tokens = 2,
                         .length = 140,
                         .q_size = 1 };
    compare(t, &c, 7);
}

/* Groups of query heads and numbers of tokens: every size of a tile, and blocks of more than 64
 * rows. */
TEST(num_attention_tiles)
{
    for (int type = 0; type < 2; type++) {
        for (int64_t group = 1; group <= 13; group++) {
            for (int64_t tokens = 1; tokens <= 9; tokens += 4) {
                attention_case c = { .type = TYPES[type],
                                     .kv_heads = 2,
                                     .group = group,
                                     .head_dim = 16,
                                     .value_dim = 24,
                                     .tokens = tokens,
                                     .length = 200,
                                     .q_size = 2 };
                compare(t, &c, (uint64_t)(group * 16 + tokens));
            }
        }
        attention_case wide = { .type = TYPES[type],
                                .kv_heads = 1,
                                .group = 71,
                                .head_dim = 8,
                                .value_dim = 16,
                                .tokens = 3,
                                .length = 150,
                                .q_size = 2 };
        compare(t, &wide, 1);
        attention_case prompt = { .type = TYPES[type],
                                  .kv_heads = 2,
                                  .group = 2,
                                  .head_dim = 32,
                                  .value_dim = 32,
                                  .tokens = 150,
                                  .length = 270,
                                  .q_size = 2 };
        compare(t, &prompt, 2);
    }
}

/* Random shapes with windows, soft caps, sinks, sequences and special values; q_size large makes
 * weights that vanish, and chunks whose scale underflows. */
TEST(num_attention_random)
{
    int count = getenv("INOX_TEST_LONG") ? 5000 : 250;
    static const int64_t lengths[] = { 1,   2,   15,  16,  17,  31,  33,  63,  64, 65,
                                       127, 128, 129, 140, 255, 256, 257, 300, 500 };
    static const float sizes[] = { 0, 1, 4, 30, 60, 100, 300, 1e10f, 1e30f };
    for (int i = 0; i < count; i++) {
        uint64_t state = (uint64_t)i * 1000003 + 5;
        attention_case c = { .type = TYPES[ix_test_random(&state) % 2] };
        c.kv_heads = 1 + (int64_t)(ix_test_random(&state) % 3);
        c.group = 1 + (int64_t)(ix_test_random(&state) % 8);
        c.head_dim = 1 + (int64_t)(ix_test_random(&state) % 40);
        c.value_dim =
            ix_test_random(&state) % 2 ? c.head_dim : 1 + (int64_t)(ix_test_random(&state) % 40);
        c.length = lengths[ix_test_random(&state) % (sizeof lengths / sizeof *lengths)];
        c.tokens = 1 + (int64_t)(ix_test_random(&state) % 8);
        if (c.tokens > c.length)
            c.tokens = c.length;
        c.window = ix_test_random(&state) % 3 ? 0 : 1 + (int64_t)(ix_test_random(&state) % 200);
        c.softcap = ix_test_random(&state) % 3 ? 0.0f : 1.0f + (float)(ix_test_random(&state) % 30);
        c.q_size = sizes[ix_test_random(&state) % (sizeof sizes / sizeof *sizes)];
        c.sinks = ix_test_random(&state) % 3 == 0;
        c.many_sequences = ix_test_random(&state) % 3 == 0;
        c.specials = ix_test_random(&state) % 2;
        c.sparse = ix_test_random(&state) % 2;
        compare(t, &c, state);
    }
}

/* Many chunks: joins that move the scale both ways. */
TEST(num_attention_long_context)
{
    for (int type = 0; type < 2; type++) {
        attention_case c = { .type = TYPES[type],
                             .kv_heads = 1,
                             .group = 4,
                             .head_dim = 24,
                             .value_dim = 24,
                             .tokens = 2,
                             .length = 9000,
                             .q_size = 8,
                             .sinks = true };
        compare(t, &c, 77);
        c.window = 4096;
        compare(t, &c, 78);
    }
}

/* Keys that are minus infinity are masked one by one: holes in a chunk, whole chunks, and all. */
TEST(num_attention_holes)
{
    const ix_attention_kernels *ref = ix_attention_row(IX_ISA_REF);
    for (int share = 0; share <= 4; share++) { /* of 4 keys so many are masked */
        attention_case c = { .type = share % 2 ? IX_TYPE_F32 : IX_TYPE_F16,
                             .kv_heads = 1,
                             .group = 5,
                             .head_dim = 4,
                             .value_dim = 20,
                             .tokens = 7,
                             .length = 400,
                             .q_size = 1 };
        bench b;
        uint64_t state = 11 + (uint64_t)share;
        set_up(&b, &c, &state);
        fill_cache(&b, &c, ref, state);
        for (int64_t i = 0; i < c.tokens * c.group * c.head_dim; i++)
            b.q[i] = b.q[i] < 0 ? -b.q[i] : b.q[i];
        for (int32_t p = 0; p < c.length; p++) {
            float k[4] = { 1, 2, 3, 4 }, v[20];
            uint64_t r = ix_test_random(&state);
            bool masked = (p >= 128 && p < 256) || r % 4 < (uint64_t)share;
            for (int i = 0; i < 20; i++)
                v[i] = masked ? ix_float(IX_F32_NAN_BITS) : ix_test_random_float(&state);
            if (masked)
                k[r >> 8 & 3] = ix_float(0xff800000);
            ref->store(&b.job.cache, k, v, 1, p, 1);
        }
        size_t bytes = (size_t)(c.tokens * c.group * c.value_dim + 2 * MARGIN) * sizeof(float);
        float *want = room(bytes);
        run_cut(&b, ref, c.tokens, 1, want, bytes);
        for (int64_t i = 0; i < c.tokens * c.group * c.value_dim; i++)
            CHECK(!ix_is_nan(want[MARGIN + i]) && (share < 4 || ix_bits(want[MARGIN + i]) == 0));
        for (ix_isa isa = IX_ISA_AVX2; isa < IX_ISA_COUNT; isa++) {
            const ix_attention_kernels *fast = ix_attention_row(isa);
            if (!ix_isa_built(isa) || !ix_isa_present(isa) || fast == NULL)
                continue;
            run_cut(&b, fast, c.tokens, 1, b.out, bytes);
            CHECK_MSG(memcmp(want, b.out, bytes) == 0, "%s: %d of 4 keys masked", fast->name,
                      share);
        }
        ix_free_aligned(want);
        tear_down(&b);
    }
}

/* Two chunks whose scales differ by every power of two around the borders of C6, where only the
 * lighter one has values: what is left of them is the answer. */
TEST(num_attention_scales)
{
    const ix_attention_kernels *ref = ix_attention_row(IX_ISA_REF);
    attention_case c = { .type = IX_TYPE_F32,
                         .kv_heads = 1,
                         .group = 3,
                         .head_dim = 1,
                         .value_dim = 19,
                         .tokens = 1,
                         .length = 2 * IX_PAGE };
    bench b;
    uint64_t state = 9;
    set_up(&b, &c, &state);
    b.job.scale = 1;
    size_t bytes = (size_t)(c.group * c.value_dim + 2 * MARGIN) * sizeof(float);
    float *want = room(bytes);
    for (int head = 0; head < c.group; head++)
        b.q[head] = 1;
    for (int d = -140; d <= 140; d++) {
        for (int32_t p = 0; p < c.length; p++) {
            bool second = p >= IX_PAGE;
            float k = second ? (float)d * 0.69314718f : 0, v[19];
            for (int i = 0; i < 19; i++)
                v[i] = second == (d < 0) ? ix_test_random_float(&state) : 0.0f;
            ref->store(&b.job.cache, &k, v, 1, p, 1);
        }
        run_cut(&b, ref, 1, 1, want, bytes);
        for (ix_isa isa = IX_ISA_AVX2; isa < IX_ISA_COUNT; isa++) {
            const ix_attention_kernels *fast = ix_attention_row(isa);
            if (!ix_isa_built(isa) || !ix_isa_present(isa) || fast == NULL)
                continue;
            run_cut(&b, fast, 1, 1, b.out, bytes);
            CHECK_MSG(memcmp(want, b.out, bytes) == 0, "%s: scales 2^%d apart", fast->name, d);
        }
    }
    ix_free_aligned(want);
    tear_down(&b);
}

/* ---- the comparison at first use ------------------------------------------------------------- */

static void store_wrongly(const ix_cache_view *c, const float *k, const float *v, int32_t sequence,
                          int32_t position, int64_t rows)
{
    float copy[64];
    memcpy(copy, v, (size_t)c->value_dim * sizeof *v);
    copy[c->value_dim - 1] += position == 2 ? 1.0f : 0.0f;
    ix_attention_row(IX_ISA_REF)->store(c, k, copy, sequence, position, rows);
}

static void run_wrongly(const ix_attention_job *job, int64_t token0, int64_t token1, int64_t kv0,
                        int64_t kv1, void *scratch)
{
    ix_attention_row(IX_ISA_REF)->run(job, token0, token1, kv0, kv1, scratch);
    float *last = &job->out[token1 * job->heads * job->cache.value_dim - 1];
    *last = ix_float(ix_bits(*last) ^ 1);
}

/* Rows that give other bits are passed over, and asked only once. */
TEST(num_attention_rejects)
{
    const ix_attention_kernels *ref = ix_attention_row(IX_ISA_REF);
    ix_attention_kernels wrong = *ref;
    inox_error err;
    _Bool same = false;
    CHECK_OK(ix_attention_compare(ref, ref, &same, &err), &err);
    CHECK(same);
    wrong.store = store_wrongly;
    CHECK_OK(ix_attention_compare(&wrong, ref, &same, &err), &err);
    CHECK(!same);
    wrong.store = ref->store;
    wrong.run = run_wrongly;
    CHECK_OK(ix_attention_compare(&wrong, ref, &same, &err), &err);
    CHECK(!same);
    for (uint64_t n = 1; n <= 2; n++) {
        ix_alloc_fail_at(n, 1);
        CHECK(ix_attention_compare(ref, ref, &same, &err) == INOX_E_MEMORY);
        ix_alloc_fail_at(0, 0);
    }
    for (ix_isa isa = IX_ISA_AVX2; isa < IX_ISA_COUNT; isa++) {
        const ix_attention_kernels *rows[IX_ISA_COUNT] = { [IX_ISA_REF] = ref };
        ix_kernel_state states[IX_ISA_COUNT] = { 0 };
        if (!ix_isa_built(isa) || !ix_isa_present(isa))
            continue;
        wrong.isa = isa;
        rows[isa] = &wrong;
        for (int i = 0; i < 2; i++)
            CHECK(ix_attention_select(rows, states, isa) == ref && states[isa] == IX_KERNEL_BAD);
        CHECK(ix_attention_row(isa) == NULL ||
              ix_attention_kernels_for(isa) == ix_attention_row(isa));
    }
    CHECK_MSG(!ix_attention_rejected(0), "%s differs from the reference", ix_attention_rejected(0));
}
