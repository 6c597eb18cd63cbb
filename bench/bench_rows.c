/* How fast the row and attention kernels are: bench-rows [FUNCTION, or "attention"]
 *
 * One line per row of rows/kernels.def and instruction set: GB/s read and written on a row of 8192
 * floats that stays in the cache.  Then attention: decoding in GB/s of cache read, prompts in
 * GFLOP/s of the two products.  One thread; the best of several runs.
 */
#include "base/alloc.h"
#include "base/os.h"
#include "num/attention/attention.h"
#include "num/rows/kernels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW = 8192, HEAD = 128 };

static float a[ROW], b[ROW], c[ROW], y[ROW];
static uint16_t halves[ROW];
static volatile float sink;

typedef void call(const ix_row_kernels *k);

/* A call of each row of the table, and the bytes that it moves. */
#define CALL(function, bytes, ...)                                                                 \
    enum { bytes_##function = (bytes) };                                                           \
    static void call_##function(const ix_row_kernels *k)                                           \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }
CALL(rms_norm, 12 * ROW, k->rms_norm(a, b, 1e-5f, ROW, y))
CALL(layer_norm, 16 * ROW, k->layer_norm(a, b, c, 1e-5f, ROW, y))
CALL(sum, 4 * ROW, sink = k->sum(a, ROW))
CALL(sum_squares, 4 * ROW, sink = k->sum_squares(a, ROW))
CALL(add, 12 * ROW, k->add(a, b, ROW, y))
CALL(sub, 12 * ROW, k->sub(a, b, ROW, y))
CALL(mul, 12 * ROW, k->mul(a, b, ROW, y))
CALL(scale, 8 * ROW, k->scale(a, 0.5f, ROW, y))
CALL(exp, 8 * ROW, k->exp(a, ROW, y))
CALL(tanh, 8 * ROW, k->tanh(a, ROW, y))
CALL(sigmoid, 8 * ROW, k->sigmoid(a, ROW, y))
CALL(silu, 8 * ROW, k->silu(a, ROW, y))
CALL(gelu_tanh, 8 * ROW, k->gelu_tanh(a, ROW, y))
CALL(gelu_erf, 8 * ROW, k->gelu_erf(a, ROW, y))
CALL(swiglu, 12 * ROW, k->swiglu(a, b, ROW, y))
CALL(rope, 8 * ROW, k->rope(a, b, c, HEAD / 2, 0, ROW / HEAD, HEAD, y))
CALL(to_f16, 6 * ROW, k->to_f16(a, ROW, halves))
CALL(from_f16, 6 * ROW, k->from_f16(halves, ROW, y))
CALL(to_bf16, 6 * ROW, k->to_bf16(a, ROW, halves))
CALL(from_bf16, 6 * ROW, k->from_bf16(halves, ROW, y))

static const struct {
    const char *name;
    call *run;
    double bytes;
} rows[] = {
#define IX_ROW(function) { #function, call_##function, bytes_##function },
#include "num/rows/kernels.def"
#undef IX_ROW
};

static bool here(ix_isa isa)
{
    return ix_isa_built(isa) && ix_isa_present(isa);
}

static double seconds_of(call *run, const ix_row_kernels *k)
{
    double best = 1e9;
    for (int round = 0; round < 5; round++) {
        int calls = 0;
        double start = ix_clock_seconds(), now = start;
        for (; now - start < 0.01; now = ix_clock_seconds(), calls++)
            run(k);
        double each = (now - start) / calls;
        best = each < best ? each : best;
    }
    return best;
}

static void bench_rows(const char *filter)
{
    printf("%-20s", "GB/s");
    for (ix_isa isa = IX_ISA_REF; isa < IX_ISA_COUNT; isa++)
        if (here(isa))
            printf("%12s", ix_isa_name(isa));
    printf("\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (filter && !strstr(rows[i].name, filter))
            continue;
        printf("%-20s", rows[i].name);
        for (ix_isa isa = IX_ISA_REF; isa < IX_ISA_COUNT; isa++)
            if (here(isa))
                printf("%12.2f",
                       rows[i].bytes / seconds_of(rows[i].run, ix_row_kernels_for(isa)) * 1e-9);
        printf("\n");
    }
}

/* ---- attention ------------------------------------------------------------------------------- */

static void *room(size_t bytes)
{
    void *p = NULL;
    if (ix_alloc_aligned(bytes, 64, &p, NULL) != INOX_OK) {
        fprintf(stderr, "bench-rows: out of memory\n");
        exit(1);
    }
    return p;
}

/* `tokens` last tokens of a context of `length`, `group` query heads for each of 8 heads of the
 * cache. */
static void bench_attention(ix_isa isa, ix_type type, int64_t group, int64_t tokens, int64_t length)
{
    const ix_attention_kernels *kernels = ix_attention_kernels_for(isa);
    int64_t kv_heads = 8, heads = kv_heads * group, pages = (length + IX_PAGE - 1) / IX_PAGE;
    size_t page = (size_t)(kv_heads * HEAD * IX_PAGE) * (type == IX_TYPE_F16 ? 2 : 4);
    int32_t *table = room((size_t)pages * sizeof *table);
    int32_t *sequence = room((size_t)tokens * sizeof *sequence),
            *position = room((size_t)tokens * sizeof *position);
    float *q = room((size_t)(tokens * heads * HEAD) * sizeof *q),
          *out = room((size_t)(tokens * heads * HEAD) * sizeof *out);
    ix_attention_job job = {
        .cache = { .type = type,
                   .k = room((size_t)pages * page),
                   .v = room((size_t)pages * page),
                   .k_page_bytes = page,
                   .v_page_bytes = page,
                   .kv_heads = kv_heads,
                   .head_dim = HEAD,
                   .value_dim = HEAD,
                   .page_table = table,
                   .page_table_stride = pages },
        .tokens = tokens,
        .heads = heads,
        .q = q,
        .out = out,
        .sequence = sequence,
        .position = position,
        .scale = 0.088,
    };
    for (int32_t i = 0; i < pages; i++)
        table[i] = i;
    for (int32_t i = 0; i < tokens; i++)
        position[i] = (int32_t)(length - tokens) + i;
    for (int64_t i = 0; i < tokens * heads * HEAD; i++)
        q[i] = (float)(i * 7 % 31 - 15) * 0.1f;
    for (int32_t p = 0; p < length; p++)
        kernels->store(&job.cache, a + p * 8 % 4096, b + p * 24 % 4096, 0, p, 1);
    void *scratch = room(kernels->scratch_bytes(&job, tokens));
    double best = 1e9, begun = ix_clock_seconds();
    for (int round = 0; round < 5 || ix_clock_seconds() - begun < 0.3; round++) {
        double start = ix_clock_seconds();
        kernels->run(&job, 0, tokens, 0, kv_heads, scratch);
        double each = ix_clock_seconds() - start;
        best = each < best ? each : best;
    }
    double seen = (double)tokens * ((double)length - (double)(tokens - 1) / 2);
    printf("attention %-8s %s group %" PRId64 " tokens %4" PRId64 " of %6" PRId64
           ": %9.3f ms %7.1f GB/s %7.1f GFLOP/s\n",
           ix_isa_name(isa), type == IX_TYPE_F16 ? "f16" : "f32", group, tokens, length, best * 1e3,
           2 * (double)pages * (double)page / best * 1e-9,
           4 * seen * (double)(heads * HEAD) / best * 1e-9);
    void *all[] = { table, sequence, position, q, out, job.cache.k, job.cache.v, scratch };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ix_free_aligned(all[i]);
}

int main(int count, char **arguments)
{
    for (int i = 0; i < ROW; i++) {
        a[i] = (float)(i * 37 % 1001 - 500) * 0.01f;
        b[i] = (float)(i * 61 % 997 - 498) * 0.002f;
        c[i] = (float)(i * 17 % 983 - 491) * 0.002f;
        halves[i] = (uint16_t)(0x3000 + i % 0x1000);
    }
    bool attention = count > 1 && strcmp(arguments[1], "attention") == 0;
    if (!attention)
        bench_rows(count > 1 ? arguments[1] : NULL);
    static const ix_type types[] = { IX_TYPE_F16, IX_TYPE_F32 };
    for (ix_isa isa = IX_ISA_AVX2; isa <= IX_ISA_AVX512 && (attention || count == 1); isa++) {
        for (int type = 0; here(isa) && type < 2; type++) {
            for (int64_t group = 1; group <= 8; group *= 2)
                bench_attention(isa, types[type], group, 1, 16384);
            bench_attention(isa, types[type], 2, 256, 256);
            bench_attention(isa, types[type], 4, 64, 4096);
            bench_attention(isa, types[type], 2, 16, 16384); /* a tile of a plan */
        }
    }
    return 0;
}
