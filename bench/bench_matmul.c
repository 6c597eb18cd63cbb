/* How fast the matrix products are: bench-matmul [--threads N] [--mib N] [--rounds N] [--all]
 * [FILTER]
 *
 * One line per row of matmul/kernels.def (the best of each weight type; --all: every one that this
 * machine runs whose name contains FILTER).  Prompts are products of 256 rows with weights that
 * stay in the cache: Gop/s (a multiply and an add are two), and the share of what the units give.
 * Decoding is one row times --mib MiB of weights: GB/s of the file's bytes, and the share of a
 * plain read of the same memory.  Batches of 8 rows read the same weights.
 *
 * The limits are measured between the kernels in every round, so that a share compares the same
 * seconds; shown is the median of the rounds.
 */
#include "back/limits.h"
#include "base/alloc.h"
#include "base/os.h"
#include "base/thread.h"
#include "num/dequant/dequant.h"
#include "num/matmul/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 101, PROMPT_ROWS = 256, BATCH_ROWS = 8, DECODE_DEPTH = 1024 };

static ix_pool *pool;
static int rounds = 7;
static size_t weights_bytes = (size_t)256 << 20;

static void *room(size_t bytes)
{
    void *p = NULL;
    if (ix_alloc_aligned(bytes ? bytes : 1, 64, &p, NULL) != INOX_OK) {
        fprintf(stderr, "bench-matmul: out of memory\n");
        exit(1);
    }
    return p;
}

/* ---- one product
 * ------------------------------------------------------------------------------- */

typedef struct work {
    const ix_matmul_kernel *kernel;
    ix_matmul_job job;
    int64_t piece; /* columns */
    void **scratch;
    float *x;
    ix_counter next;
} work;

static void run_work(void *ctx, int worker)
{
    work *w = ctx;
    for (;;) {
        int64_t col = ix_counter_take(&w->next) * w->piece;
        if (col >= w->job.cols)
            return;
        int64_t end = w->job.cols - col < w->piece ? w->job.cols : col + w->piece;
        w->kernel->run(&w->job, 0, w->job.rows, col, end, w->scratch[worker]);
    }
}

static double measure_work(work *w)
{
    ix_counter_reset(&w->next);
    double start = ix_clock_seconds();
    ix_pool_run(pool, run_work, w);
    return ix_clock_seconds() - start;
}

/* Weights of ordinary size: random bits, but for the exponents of floats. */
static void fill_rows(ix_type type, uint8_t *w, size_t bytes)
{
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < bytes; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        w[i] = (uint8_t)(state >> 32);
    }
    size_t step = type == IX_TYPE_F32 ? 4 : type == IX_TYPE_F16 || type == IX_TYPE_BF16 ? 2 : 0;
    for (size_t i = 0; step && i < bytes; i += step) /* magnitudes about 2^-12 .. 2^3 */
        w[i + step - 1] = (uint8_t)((w[i + step - 1] & 0x83) | (type == IX_TYPE_F16 ? 0x0c : 0x3c));
    for (size_t i = 0; type == IX_TYPE_MXFP4 && i < bytes; i += 17)
        w[i] = (uint8_t)(120 + i % 8); /* E */
}

/* `cols` columns: sixteen different ones again and again, in the kernel's layout. */
static work *work_new(const ix_matmul_kernel *k, int64_t rows, int64_t cols, int64_t depth,
                      uint8_t *weights)
{
    const ix_type_info *info = ix_type_of(k->type);
    size_t row_bytes = (size_t)(depth / info->block_elements) * info->block_bytes;
    work *w = room(sizeof *w);
    w->kernel = k;
    w->piece = rows == 1 ? 512 : 256;
    w->x = room(sizeof(float) * (size_t)(rows * depth));
    for (int64_t i = 0; i < rows * depth; i++)
        w->x[i] = (float)(i * 7919 % 1021 - 510) * 0x1p-8f;
    void *acts = room(k->acts_bytes(rows, depth));
    k->pack_acts(w->x, depth, rows, 0, rows, depth, acts);
    size_t group = k->panel_bytes ? k->panel_bytes(depth) : IX_PANEL_COLS * row_bytes;
    uint8_t *file = room(IX_PANEL_COLS * row_bytes);
    fill_rows(k->type, file, IX_PANEL_COLS * row_bytes);
    for (int64_t c = 0; c < cols; c += IX_PANEL_COLS) {
        uint8_t *to = weights + (size_t)(c / IX_PANEL_COLS) * group;
        if (!k->panel_bytes)
            memcpy(to, file, group);
        else if (c == 0)
            k->pack_panel(file, row_bytes, IX_PANEL_COLS, depth, to);
        else
            memcpy(to, weights, group);
    }
    ix_free_aligned(file);
    w->job = (ix_matmul_job){ .rows = rows,
                              .cols = cols,
                              .depth = depth,
                              .acts = acts,
                              .weights = weights,
                              .weight_row_bytes = row_bytes,
                              .ldy = cols };
    w->job.y = room(sizeof(float) * (size_t)(rows * cols));
    int threads = ix_pool_threads(pool);
    w->scratch = room(sizeof(void *) * (size_t)threads);
    for (int i = 0; i < threads; i++)
        w->scratch[i] = room(k->scratch_bytes ? k->scratch_bytes(depth) : 1);
    return w;
}

static void work_free(work *w)
{
    for (int i = 0; i < ix_pool_threads(pool); i++)
        ix_free_aligned(w->scratch[i]);
    ix_free_aligned(w->scratch);
    ix_free_aligned(w->x);
    ix_free_aligned((void *)(uintptr_t)w->job.acts);
    ix_free_aligned(w->job.y);
    ix_free_aligned(w);
}

/* ---- rounds
 * ------------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values)
{
    qsort(values, (size_t)rounds, sizeof *values, ascending);
    return values[rounds / 2];
}

static double peak_of(ix_isa isa, bool integer)
{
    return 1e-9 * (integer ? ix_limit_integer(pool, isa) : ix_limit_floats(pool, isa));
}

static double read_limit(const uint8_t *memory)
{
    return 1e-9 * ix_limit_read(pool, memory, weights_bytes);
}

/* A prompt: Gop/s, and the share of the units' peak. */
static void bench_prompt(const ix_matmul_kernel *k, int64_t cols, int64_t depth, uint8_t *weights)
{
    double rate[ROUNDS_MAX], share[ROUNDS_MAX];
    bool integer = ix_type_of(k->type)->activation_block != 0;
    work *w = work_new(k, PROMPT_ROWS, cols, depth, weights);
    measure_work(w);
    for (int i = 0; i < rounds; i++) {
        double before = peak_of(k->isa, integer);
        rate[i] = 2.0 * PROMPT_ROWS * (double)cols * (double)depth / measure_work(w) * 1e-9;
        double limit = (before + peak_of(k->isa, integer)) / 2;
        share[i] = limit > 0 ? rate[i] / limit * 100 : 0;
    }
    printf(" %8.1f %4.0f%%", median(rate), median(share));
    work_free(w);
}

/* One row, or a few, and weights that no cache holds: GB/s of the file's bytes, and the share of
 * a read. */
static void bench_decode(const ix_matmul_kernel *k, int64_t rows, uint8_t *weights)
{
    const ix_type_info *info = ix_type_of(k->type);
    size_t row_bytes = DECODE_DEPTH / info->block_elements * info->block_bytes;
    size_t group = k->panel_bytes ? k->panel_bytes(DECODE_DEPTH) : IX_PANEL_COLS * row_bytes;
    int64_t cols = (int64_t)(weights_bytes / group) * IX_PANEL_COLS;
    if (info->activation_block == 0 && info->block_elements > 1)
        cols = cols / 1024 * IX_PANEL_COLS; /* dequantising takes long */
    double rate[ROUNDS_MAX], share[ROUNDS_MAX];
    work *w = work_new(k, rows, cols, DECODE_DEPTH, weights);
    for (int i = 0; i < rounds; i++) {
        double before = read_limit(weights);
        rate[i] = (double)row_bytes * (double)cols / measure_work(w) * 1e-9;
        share[i] = rate[i] / ((before + read_limit(weights)) / 2) * 100;
    }
    printf(" %7.2f %4.0f%%", median(rate), median(share));
    work_free(w);
}

static void bench_packing(const ix_matmul_kernel *k)
{
    if (!k->panel_bytes) {
        printf("       -");
        return;
    }
    const ix_type_info *info = ix_type_of(k->type);
    size_t row_bytes = DECODE_DEPTH / info->block_elements * info->block_bytes;
    uint8_t *file = room(IX_PANEL_COLS * row_bytes), *panel = room(k->panel_bytes(DECODE_DEPTH));
    double best = 1e9;
    for (int i = 0; i < 50; i++) {
        double start = ix_clock_seconds();
        k->pack_panel(file, row_bytes, IX_PANEL_COLS, DECODE_DEPTH, panel);
        double each = ix_clock_seconds() - start;
        best = each < best ? each : best;
    }
    printf(" %7.2f", (double)(IX_PANEL_COLS * row_bytes) / best * 1e-9);
    ix_free_aligned(file);
    ix_free_aligned(panel);
}

static void bench_kernel(const ix_matmul_kernel *k, uint8_t *weights)
{
    printf("%-32s", k->name);
    bench_prompt(k, 3072, 1024, weights);
    bench_prompt(k, 1024, 3072, weights);
    bench_decode(k, 1, weights);
    bench_decode(k, BATCH_ROWS, weights);
    bench_packing(k);
    printf("\n");
    fflush(stdout);
}

static bool wanted(const ix_matmul_kernel *k, bool all, const char *filter)
{
    if (filter && !strstr(k->name, filter))
        return false;
    if (all)
        return ix_isa_present(k->isa);
    return k == ix_matmul_find(k->type, IX_ISA_COUNT - 1, 0);
}

int main(int argc, char **argv)
{
    int threads = 1;
    bool all = false;
    const char *filter = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            threads = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--mib") == 0 && i + 1 < argc)
            weights_bytes = (size_t)strtoul(argv[++i], NULL, 10) << 20;
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--all") == 0)
            all = true;
        else
            filter = argv[i];
    }
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    size_t least = (size_t)32 << 20; /* a prompt's weights, in float32, and more */
    weights_bytes = weights_bytes < least ? least : weights_bytes;
    if (ix_pool_new(threads, &pool, NULL) != INOX_OK)
        return 1;
    uint8_t *weights = room(weights_bytes);
    memset(weights, 1, weights_bytes); /* no page is the shared zero page */
    ix_isa best = IX_ISA_REF;
    for (int i = 0; i < IX_ISA_COUNT; i++)
        best = ix_isa_present((ix_isa)i) ? (ix_isa)i : best;
    printf("%d threads; %s: integer peak %.0f, float peak %.0f Gop/s, read %.1f GB/s\n",
           ix_pool_threads(pool), ix_isa_name(best), peak_of(best, true), peak_of(best, false),
           read_limit(weights));
    printf("%-32s %14s %14s %13s %13s %7s\n", "", "256x1024x3072", "256x3072x1024", "1 row, GB/s",
           "8 rows, GB/s", "pack");
    int count;
    const ix_matmul_kernel *const *kernels = ix_matmul_kernels(&count);
    for (int i = 0; i < count; i++)
        if (wanted(kernels[i], all, filter))
            bench_kernel(kernels[i], weights);
    ix_free_aligned(weights);
    ix_pool_free(pool);
    return 0;
}
