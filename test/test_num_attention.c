/* Attention of every instruction set: what rule C6 promises about masks, pages and splits. */
#include "test.h"

#include "base/alloc.h"
#include "num/attention/attention.h"
#include "num/rows/rows.h"
#include "num/scalar/scalar.h"

#define DIM 24
#define WIDTH 20
#define HEADS 6
#define KV_HEADS 2
#define LENGTH 300
#define PAGES 3

typedef struct {
    ix_attention_job job;
    float q[LENGTH][HEADS][DIM], k[LENGTH][KV_HEADS][DIM], v[LENGTH][KV_HEADS][WIDTH];
    float out[LENGTH][HEADS][WIDTH];
    int32_t table[2 * PAGES], sequence[LENGTH], position[LENGTH];
    float sinks[HEADS];
    void *scratch;
} fixture;

static bool runs(int isa) { return ix_isa_built((ix_isa)isa) && ix_isa_present((ix_isa)isa); }

static fixture *new_fixture(ix_type type)
{
    fixture *f = NULL;
    uint64_t state = 99;
    if (IX_ALLOC(&f, 1, NULL) != INOX_OK)
        return NULL;
    size_t element = type == IX_TYPE_F16 ? 2 : 4;
    ix_cache_view *c = &f->job.cache;
    *c = (ix_cache_view){ .type = type,
                          .kv_heads = KV_HEADS,
                          .head_dim = DIM,
                          .value_dim = WIDTH,
                          .k_page_bytes = KV_HEADS * DIM * IX_PAGE * element,
                          .v_page_bytes = KV_HEADS * WIDTH * IX_PAGE * element,
                          .page_table = f->table,
                          .page_table_stride = PAGES };
    if (ix_alloc(2 * PAGES, c->k_page_bytes, (void **)&c->k, NULL) != INOX_OK ||
        ix_alloc(2 * PAGES, c->v_page_bytes, (void **)&c->v, NULL) != INOX_OK)
        abort();
    memset(c->k, 0xff, 2 * PAGES * c->k_page_bytes); /* what was never stored is NaN */
    memset(c->v, 0xff, 2 * PAGES * c->v_page_bytes);
    for (int p = 0; p < LENGTH; p++) {
        f->position[p] = p;
        for (int h = 0; h < HEADS; h++)
            for (int i = 0; i < DIM; i++)
                f->q[p][h][i] = ix_test_random_float(&state);
        for (int h = 0; h < KV_HEADS; h++)
            for (int i = 0; i < DIM; i++)
                f->k[p][h][i] = ix_test_random_float(&state);
        for (int h = 0; h < KV_HEADS; h++)
            for (int i = 0; i < WIDTH; i++)
                f->v[p][h][i] = ix_test_random_float(&state);
    }
    static const int32_t TABLE[2 * PAGES] = { 4, 1, 5, 0, 3, 2 };
    memcpy(f->table, TABLE, sizeof TABLE);
    f->job.tokens = LENGTH;
    f->job.heads = HEADS;
    f->job.q = &f->q[0][0][0];
    f->job.out = &f->out[0][0][0];
    f->job.sequence = f->sequence;
    f->job.position = f->position;
    f->job.scale = 0.2;
    return f;
}

static void free_fixture(fixture *f)
{
    ix_free(f->job.cache.k);
    ix_free(f->job.cache.v);
    ix_free(f);
}

static void store(const ix_attention_kernels *a, fixture *f, int from, int to, int32_t sequence)
{
    for (int p = from; p < to; p++)
        a->store(&f->job.cache, &f->k[p][0][0], &f->v[p][0][0], sequence, p, 1);
}

static void run(const ix_attention_kernels *a, fixture *f, int64_t token0, int64_t token1,
                int64_t kv0, int64_t kv1)
{
    void *scratch = NULL;
    if (ix_alloc_aligned(a->scratch_bytes(&f->job, token1 - token0) + 64, 64, &scratch, NULL) !=
        INOX_OK)
        abort();
    a->run(&f->job, token0, token1, kv0, kv1, scratch);
    ix_free_aligned(scratch);
}

/* Softmax in double: near, not equal. */
static void near_softmax(ix_test *t, const fixture *f, int p, int h)
{
    double sum = 0, out[WIDTH] = { 0 };
    int kv = h / (HEADS / KV_HEADS),
        first = f->job.window > 0 && p >= f->job.window ? p + 1 - (int)f->job.window : 0;
    for (int j = first; j <= p; j++) {
        double dot = 0;
        for (int i = 0; i < DIM; i++)
            dot += (double)f->q[p][h][i] * (double)f->k[j][kv][i];
        double w = ix_exp2_f64(dot * f->job.scale * 1.4426950408889634);
        sum += w;
        for (int i = 0; i < WIDTH; i++)
            out[i] += w * (double)f->v[j][kv][i];
    }
    if (f->job.sinks)
        sum += ix_exp2_f64((double)f->sinks[h] * 1.4426950408889634);
    for (int i = 0; i < WIDTH; i++) {
        double off = out[i] / sum - (double)f->out[p][h][i];
        CHECK_MSG(off < 2e-6 && off > -2e-6, "position %d head %d [%d]: off by %g", p, h, i, off);
    }
}

TEST(num_attention_is_near_softmax)
{
    for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
        if (!runs(isa))
            continue;
        const ix_attention_kernels *a = ix_attention_kernels_for((ix_isa)isa);
        fixture *f = new_fixture(IX_TYPE_F32);
        store(a, f, 0, LENGTH, 0);
        for (int variant = 0; variant < 3; variant++) {
            f->job.window = variant == 1 ? 140 : 0;
            f->job.sinks = variant == 2 ? f->sinks : NULL;
            for (int h = 0; h < HEADS; h++)
                f->sinks[h] = (float)h - 2.0f;
            run(a, f, 0, LENGTH, 0, KV_HEADS);
            for (int p = 0; p < LENGTH; p += 13)
                for (int h = 0; h < HEADS; h++)
                    near_softmax(t, f, p, h);
        }
        free_fixture(f);
    }
}

TEST(num_attention_splits_and_pages_change_nothing)
{
    for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
        if (!runs(isa))
            continue;
        const ix_attention_kernels *a = ix_attention_kernels_for((ix_isa)isa);
        fixture *f = new_fixture(IX_TYPE_F16);
        static float whole[LENGTH][HEADS][WIDTH];
        store(a, f, 0, LENGTH, 0);
        run(a, f, 0, LENGTH, 0, KV_HEADS);
        memcpy(whole, f->out, sizeof whole);
        /* Another sequence, other pages, and token by token: a key is stored just before it is
         * first read. */
        memset(f->out, 0, sizeof f->out);
        for (int p = 0; p < LENGTH; p++) {
            f->sequence[p] = 1;
            store(a, f, p, p + 1, 1);
            for (int kv = 0; kv < KV_HEADS; kv++)
                run(a, f, p, p + 1, kv, kv + 1);
        }
        CHECK(memcmp(whole, f->out, sizeof whole) == 0);
        memset(f->out, 0, sizeof f->out);
        for (int p = 0; p < LENGTH; p += 7)
            run(a, f, p, p + 7 < LENGTH ? p + 7 : LENGTH, 0, KV_HEADS);
        CHECK(memcmp(whole, f->out, sizeof whole) == 0);
        free_fixture(f);
    }
}

TEST(num_attention_never_reads_what_is_masked)
{
    for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
        if (!runs(isa))
            continue;
        const ix_attention_kernels *a = ix_attention_kernels_for((ix_isa)isa);
        fixture *f = new_fixture(IX_TYPE_F32);
        static float clean[LENGTH][HEADS][WIDTH];
        f->job.window = 40;
        store(a, f, 0, LENGTH, 0);
        run(a, f, 0, LENGTH, 0, KV_HEADS);
        memcpy(clean, f->out, sizeof clean);
        for (int i = 0; i < WIDTH; i++)
            f->v[150][0][i] = ix_float(0x7f800000u);
        f->k[150][0][0] = ix_float(0xffc00001u);
        store(a, f, 150, 151, 0);
        run(a, f, 0, LENGTH, 0, KV_HEADS);
        for (int p = 0; p < LENGTH; p++) {
            bool sees = p >= 150 && p < 190;
            for (int h = 0; h < HEADS; h++) {
                if (sees && h < HEADS / KV_HEADS)
                    for (int i = 0; i < WIDTH; i++)
                        CHECK(ix_bits(f->out[p][h][i]) == IX_F32_NAN_BITS);
                else
                    CHECK(memcmp(f->out[p][h], clean[p][h], sizeof clean[p][h]) == 0);
            }
        }
        free_fixture(f);
    }
}

TEST(num_attention_of_equal_keys_is_their_mean)
{
    for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
        if (!runs(isa))
            continue;
        const ix_attention_kernels *a = ix_attention_kernels_for((ix_isa)isa);
        fixture *f = new_fixture(IX_TYPE_F32);
        for (int p = 0; p < LENGTH; p++)
            for (int kv = 0; kv < KV_HEADS; kv++)
                for (int i = 0; i < WIDTH; i++)
                    f->v[p][kv][i] = -3.0f;
        memset(f->k, 0, sizeof f->k);
        store(a, f, 0, LENGTH, 0);
        run(a, f, 0, LENGTH, 0, KV_HEADS);
        for (int p = 0; p < LENGTH; p++) {
            /* P(0) = 1 exactly: every weight is 1, l = p + 1 and o = -3 (p + 1), all exact. */
            float r = 1.0f / (float)(p + 1), want = (-3.0f * (float)(p + 1)) * r;
            for (int h = 0; h < HEADS; h++)
                for (int i = 0; i < WIDTH; i++)
                    CHECK(ix_bits(f->out[p][h][i]) == ix_bits(want));
        }
        free_fixture(f);
    }
}
