/* What exactness costs: bench-order [--threads N] [--mib N] [--rounds N]
 *
 * The two hottest kernels of the contract beside variants of the same product without it: the
 * order is free, so sums may run in several chains, and all of k without segments.  Both read the
 * same panels, take turns in every round, and share the work alike.
 *
 *   prompt   256 rows of Q8_0, weights in the cache; tiles of rows x columns
 *   decode   one row of Q8_0, weights in memory; chains of floats, bytes always in two
 *
 * Printed is time(contract) / time(variant), each the least of all rounds, which other programs
 * disturbed least: 1.00 means that exactness is free, 1.05 that it costs 5 %; and how far the
 * results lie apart (0: the variant keeps the contract's order after all).  Needs AVX-512 VNNI.
 */
#include "base/alloc.h"
#include "base/os.h"
#include "base/thread.h"
#include "num/matmul/kernels.h"
#include "num/matmul/panel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

enum { ROWS = 256, DEPTH = 2048, BLOCKS = DEPTH / 32 };
#define FAST __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c")))
#define INLINE static inline FAST __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/* Activations of up to 14 rows and one block: words of all rows, then e and -128 * sum of each. */
typedef struct acts {
    int8_t *q;    /* [tile][block][8][height][4] */
    float *e;     /* [tile][block][height] */
    int32_t *low; /* likewise */
} acts;

typedef struct product {
    const ix_panel_q8_0 *w; /* [cols / 16][BLOCKS] */
    const acts *a;
    float *y; /* [rows][cols] */
    int64_t rows, cols;
} product;

/* ---- variants: rows of tile t, panel `col` / 16 */

INLINE __m512 scale_of(const ix_panel_q8_0 *w)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)w->d));
}

INLINE __m512i word_of(const int8_t *a)
{
    int32_t x;
    memcpy(&x, a, sizeof x);
    return _mm512_set1_epi32(x);
}

/* One block of `panels` panels and `height` rows into acc. */
INLINE void block(const int height, const int panels, const ix_panel_q8_0 *w, const acts *a,
                  int64_t at, __m512 acc[])
{
    const int8_t *q = a->q + at * 32 * height;
    const float *e = a->e + at * height;
    const int32_t *low = a->low + at * height;
    __m512i sum[16];
    UNROLL for (int m = 0; m < height; m++) UNROLL for (int p = 0; p < panels; p++)
        sum[m * panels + p] = _mm512_set1_epi32(low[m]);
    UNROLL for (int g = 0; g < 8; g++)
    {
        __m512i v[2];
        UNROLL for (int p = 0; p < panels; p++) v[p] = _mm512_loadu_si512(w[p * BLOCKS].q[g]);
        UNROLL for (int m = 0; m < height; m++)
        {
            __m512i x = word_of(q + 4 * (g * height + m));
            UNROLL for (int p = 0; p < panels; p++) sum[m * panels + p] =
                _mm512_dpbusd_epi32(sum[m * panels + p], v[p], x);
        }
    }
    UNROLL for (int p = 0; p < panels; p++)
    {
        __m512 d = scale_of(&w[p * BLOCKS]);
        UNROLL for (int m = 0; m < height; m++)
        {
            __m512 x = _mm512_cvtepi32_ps(sum[m * panels + p]);
            acc[m * panels + p] =
                _mm512_fmadd_ps(_mm512_mul_ps(d, _mm512_set1_ps(e[m])), x, acc[m * panels + p]);
        }
    }
}

/* `segment` blocks are summed in `chains`; segments are added to what stands in y, as rule C2 joins
 * two. */
INLINE void tile(const int height, const int panels, const int chains, const int segment,
                 const product *j, int64_t t, int64_t col)
{
    const ix_panel_q8_0 *w = j->w + col / 16 * BLOCKS;
    for (int first = 0; first < BLOCKS; first += segment) {
        __m512 acc[32];
        UNROLL for (int i = 0; i < height * panels * chains; i++) acc[i] = _mm512_setzero_ps();
        for (int b = first; b < first + segment; b += chains)
            UNROLL for (int c = 0; c < chains; c++) block(
                height, panels, w + b + c, j->a, t * BLOCKS + b + c, acc + c * height * panels);
        UNROLL for (int i = 0; i < height * panels; i++)
        {
            int64_t at = t * height + i / panels;
            float *y = j->y + at * j->cols + col + 16 * (i % panels);
            __m512 sum = acc[i];
            if (at >= j->rows)
                continue;
            if (chains == 2)
                sum = _mm512_add_ps(sum, acc[height * panels + i]);
            if (first > 0)
                sum = _mm512_add_ps(_mm512_loadu_ps(y), sum);
            _mm512_storeu_ps(y, sum);
        }
    }
}

/* One row: the weights' bytes ahead are fetched, sums run in `chains`. */
INLINE void row(const int chains, const product *j, int64_t col)
{
    const ix_panel_q8_0 *w = j->w + col / 16 * BLOCKS;
    const acts *a = j->a;
    __m512 acc[4];
    UNROLL for (int c = 0; c < chains; c++) acc[c] = _mm512_setzero_ps();
    for (int b = 0; b < BLOCKS; b += chains) {
        UNROLL for (int c = 0; c < chains; c++)
        {
            const ix_panel_q8_0 *x = w + b + c;
            const int8_t *q = a->q + (b + c) * 32;
            __m512i s0 = _mm512_set1_epi32(a->low[b + c]), s1 = _mm512_setzero_si512();
            UNROLL for (int g = 0; g < 8; g += 2)
            {
                _mm_prefetch((const char *)x->q[g] + 4096, _MM_HINT_T0);
                _mm_prefetch((const char *)x->q[g + 1] + 4096, _MM_HINT_T0);
                s0 = _mm512_dpbusd_epi32(s0, _mm512_loadu_si512(x->q[g]), word_of(q + 4 * g));
                s1 = _mm512_dpbusd_epi32(s1, _mm512_loadu_si512(x->q[g + 1]),
                                         word_of(q + 4 * g + 4));
            }
            __m512 e = _mm512_mul_ps(scale_of(x), _mm512_set1_ps(a->e[b + c]));
            acc[c] = _mm512_fmadd_ps(e, _mm512_cvtepi32_ps(_mm512_add_epi32(s0, s1)), acc[c]);
        }
    }
    UNROLL for (int c = 1; c < chains; c++) acc[0] = _mm512_add_ps(acc[0], acc[c]);
    _mm512_storeu_ps(j->y + col, acc[0]);
}

typedef struct variant {
    const char *name;
    int height, panels;
    void (*run)(const product *j, int64_t tile, int64_t col);
} variant;

#define TILE(name, height, panels, chains, segment)                                                \
    FAST static void name(const product *j, int64_t t, int64_t col)                                \
    {                                                                                              \
        tile(height, panels, chains, segment, j, t, col);                                          \
    }
#define ROW(name, chains)                                                                          \
    FAST static void name(const product *j, int64_t t, int64_t col)                                \
    {                                                                                              \
        (void)t;                                                                                   \
        row(chains, j, col);                                                                       \
    }
TILE(tile_12, 12, 1, 1, BLOCKS)
TILE(tile_8_two_chains, 8, 1, 2, BLOCKS)
TILE(tile_6_2, 6, 2, 1, BLOCKS)
TILE(tile_6_2_segments, 6, 2, 1, IX_SEGMENT / 32)
ROW(row_1, 1)
ROW(row_2, 2)
ROW(row_4, 4)

static const variant prompts[] = {
    { "12 x 16, no segments", 12, 1, tile_12 },
    { "8 x 16, two chains", 8, 1, tile_8_two_chains },
    { "6 x 32, no segments", 6, 2, tile_6_2 },
    { "6 x 32, segments", 6, 2, tile_6_2_segments },
};
static const variant decodes[] = { { "one chain", 1, 1, row_1 },
                                   { "two chains", 1, 1, row_2 },
                                   { "four chains", 1, 1, row_4 } };

/* ---- both on the same work */

static ix_pool *pool;
static int rounds = 25;

typedef struct task {
    product j;
    const variant *v; /* NULL: the contract's kernel */
    const ix_matmul_kernel *kernel;
    ix_matmul_job job;
    void **scratch;
    ix_counter next;
} task;

static void *room(size_t bytes)
{
    void *p = NULL;
    if (ix_alloc_aligned(bytes ? bytes : 1, 64, &p, NULL) != INOX_OK) {
        fprintf(stderr, "bench-order: out of memory\n");
        exit(1);
    }
    return p;
}

static void run_task(void *context, int worker)
{
    task *t = context;
    int64_t piece = t->j.rows == 1 ? 512 : 256;
    for (;;) {
        int64_t col = ix_counter_take(&t->next) * piece;
        if (col >= t->j.cols)
            return;
        int64_t end = t->j.cols - col < piece ? t->j.cols : col + piece;
        if (t->v == NULL) {
            t->kernel->run(&t->job, 0, t->j.rows, col, end, t->scratch[worker]);
            continue;
        }
        int64_t tiles = (t->j.rows + t->v->height - 1) / t->v->height;
        for (; col < end; col += 16 * t->v->panels)
            for (int64_t i = 0; i < tiles; i++)
                t->v->run(&t->j, i, col);
    }
}

static double seconds(task *t)
{
    ix_counter_reset(&t->next);
    double start = ix_clock_seconds();
    ix_pool_run(pool, run_task, t);
    return ix_clock_seconds() - start;
}

static acts pack(const float *x, int64_t rows, int64_t height)
{
    int64_t tiles = (rows + height - 1) / height, blocks = tiles * BLOCKS * height;
    acts a = { room((size_t)blocks * 32), room((size_t)blocks * sizeof(float)),
               room((size_t)blocks * sizeof(int32_t)) };
    int8_t q[DEPTH];
    float e[BLOCKS];
    for (int64_t r = 0; r < rows; r++) {
        ix_quantize_row_ref(x + r * DEPTH, DEPTH, 32, e, q);
        for (int64_t b = 0; b < BLOCKS; b++) {
            int64_t at = r / height * BLOCKS + b, m = r % height;
            int32_t sum = 0;
            for (int i = 0; i < 32; i++) {
                a.q[(at * 8 + i / 4) * height * 4 + m * 4 + i % 4] = q[b * 32 + i];
                sum += q[b * 32 + i];
            }
            a.e[at * height + m] = e[b];
            a.low[at * height + m] = -128 * sum;
        }
    }
    return a;
}

static double largest(const float *y, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = y[i] > most ? y[i] : -y[i] > most ? -y[i] : most;
    return most;
}

static void compare(task *t, const float *x, const variant *v)
{
    double exact = 1e9, free_s = 1e9, apart = 0;
    size_t count = (size_t)(t->j.rows * t->j.cols);
    float *contract = t->job.y, *free_order = room(count * sizeof(float));
    acts a = pack(x, t->j.rows, v->height);
    t->j.a = &a;
    t->j.y = free_order;
    for (int i = 0; i < rounds; i++) {
        t->v = NULL;
        double each = seconds(t);
        exact = each < exact ? each : exact;
        t->v = v;
        each = seconds(t);
        free_s = each < free_s ? each : free_s;
    }
    for (size_t i = 0; i < count; i++) {
        double d = (double)contract[i] - (double)free_order[i];
        apart = d > apart ? d : -d > apart ? -d : apart;
    }
    printf("  %-22s %5.2f   %.1e of the largest value\n", v->name, exact / free_s,
           apart / largest(contract, count));
    ix_free_aligned(a.q);
    ix_free_aligned(a.e);
    ix_free_aligned(a.low);
    ix_free_aligned(free_order);
}

/* Sixteen columns of random bytes with scales about 2^-7, again and again. */
static ix_panel_q8_0 *weights(const ix_matmul_kernel *k, int64_t cols)
{
    ix_panel_q8_0 *w = room((size_t)(cols / 16 * BLOCKS) * sizeof *w);
    uint8_t *file = room(16 * BLOCKS * 34);
    uint64_t state = 88172645463325252u;
    for (int i = 0; i < 16 * BLOCKS * 34; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        file[i] = (uint8_t)(i % 34 == 1 ? 0x20 : state >> 32);
    }
    k->pack_panel(file, BLOCKS * 34, 16, DEPTH, w);
    for (int64_t p = 1; p < cols / 16; p++)
        memcpy(w + p * BLOCKS, w, sizeof *w * BLOCKS);
    ix_free_aligned(file);
    return w;
}

static void section(const char *title, int64_t rows, int64_t cols, const variant *v, size_t count)
{
    task t = { .kernel = ix_matmul_find(IX_TYPE_Q8_0, IX_ISA_AVX512VNNI, false) };
    if (t.kernel->panel_bytes == NULL ||
        t.kernel->panel_bytes(DEPTH) != BLOCKS * sizeof(ix_panel_q8_0)) {
        fprintf(stderr, "bench-order: %s has other panels\n", t.kernel->name);
        exit(1);
    }
    int threads = ix_pool_threads(pool);
    float *x = room(sizeof(float) * (size_t)(rows * DEPTH));
    for (int64_t i = 0; i < rows * DEPTH; i++)
        x[i] = (float)(i * 7919 % 1021 - 510) * 0x1p-8f;
    ix_panel_q8_0 *w = weights(t.kernel, cols);
    void *packed = room(t.kernel->acts_bytes(rows, DEPTH));
    t.kernel->pack_acts(x, DEPTH, rows, 0, rows, DEPTH, packed);
    t.j = (product){ .w = w, .rows = rows, .cols = cols };
    t.job = (ix_matmul_job){ .rows = rows, .cols = cols, .depth = DEPTH, .ldy = cols };
    t.job.acts = packed;
    t.job.weights = w;
    t.job.weight_row_bytes = BLOCKS * 34;
    t.job.y = room(sizeof(float) * (size_t)(rows * cols));
    t.scratch = room(sizeof(void *) * (size_t)threads);
    for (int i = 0; i < threads; i++)
        t.scratch[i] = room(t.kernel->scratch_bytes ? t.kernel->scratch_bytes(DEPTH) : 1);
    printf("%s, %s beside a free order:\n", title, t.kernel->name);
    for (size_t i = 0; i < count; i++)
        compare(&t, x, &v[i]);
    for (int i = 0; i < threads; i++)
        ix_free_aligned(t.scratch[i]);
    ix_free_aligned(t.scratch);
    ix_free_aligned(t.job.y);
    ix_free_aligned(packed);
    ix_free_aligned(w);
    ix_free_aligned(x);
}

int main(int argc, char **argv)
{
    int threads = 0;
    int64_t mib = 256;
    for (int i = 1; i + 1 < argc; i += 2) {
        int value = (int)strtol(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--threads") == 0)
            threads = value;
        else if (strcmp(argv[i], "--rounds") == 0)
            rounds = value < 1 ? 1 : value;
        else if (strcmp(argv[i], "--mib") == 0)
            mib = value < 1 ? 1 : value;
        else
            return fprintf(stderr, "bench-order: what is %s?\n", argv[i]), 2;
    }
    if (!ix_isa_present(IX_ISA_AVX512VNNI))
        return printf("bench-order: the variants are written for AVX-512 VNNI\n"), 0;
    if (ix_pool_new(threads, &pool, NULL) != INOX_OK)
        return 1;
    printf("%d threads, %d rounds; time of the contract's kernel over the variant's\n",
           ix_pool_threads(pool), rounds);
    section("prompt, 256 rows", ROWS, 512, prompts, sizeof prompts / sizeof *prompts);
    int64_t cols = (mib << 20) / (BLOCKS * (int64_t)sizeof(ix_panel_q8_0)) * 16 / 256 * 256;
    section("decode, 1 row", 1, cols, decodes, sizeof decodes / sizeof *decodes);
    ix_pool_free(pool);
    return 0;
}
#else
int main(void)
{
    return printf("bench-order: the variants are written for AVX-512 VNNI\n"), 0;
}
#endif
