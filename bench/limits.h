/* What this machine can give at most: integer and float operations, and reading memory.  Included
 * by each program that prints a share of these limits, so that both are measured in the same
 * seconds.
 */
#ifndef IX_BENCH_LIMITS_H
#define IX_BENCH_LIMITS_H

#include "base/os.h"
#include "base/thread.h"
#include "num/isa.h"

#include <stddef.h>

static double nothing(void)
{
    return 0;
}

typedef double peak_function(void);

#if defined(__x86_64__)
#include <immintrin.h>
#define PEAK_LOOPS 200000

/* Operations of one worker; the sums are kept apart so that the units are always busy. */
#define PEAK(name, set, operations, zero, type, instruction)                                       \
    __attribute__((target(set))) static double name(void)                                         \
    {                                                                                              \
        type x = zero, s[12] = { x, x, x, x, x, x, x, x, x, x, x, x };                             \
        for (int i = 0; i < PEAK_LOOPS; i++)                                                       \
            __asm__ volatile(TWELVE_OF(instruction)                                                \
                             : "+v"(s[0]), "+v"(s[1]), "+v"(s[2]), "+v"(s[3]), "+v"(s[4]),         \
                               "+v"(s[5]), "+v"(s[6]), "+v"(s[7]), "+v"(s[8]), "+v"(s[9]),         \
                               "+v"(s[10]), "+v"(s[11])                                            \
                             : "v"(x));                                                            \
        return PEAK_LOOPS * 12.0 * (operations);                                                   \
    }
#define TWELVE_OF(i)                                                                               \
    i " %12, %12, %0\n" i " %12, %12, %1\n" i " %12, %12, %2\n" i " %12, %12, %3\n"                \
    i " %12, %12, %4\n" i " %12, %12, %5\n" i " %12, %12, %6\n" i " %12, %12, %7\n"                \
    i " %12, %12, %8\n" i " %12, %12, %9\n" i " %12, %12, %10\n" i " %12, %12, %11\n"
PEAK(peak_vnni, "avx512f,avx512vnni", 128, _mm512_setzero_si512(), __m512i, "vpdpbusd")
PEAK(peak_fma512, "avx512f", 32, _mm512_setzero_ps(), __m512, "vfmadd231ps")
PEAK(peak_fma256, "avx2,fma", 16, _mm256_setzero_ps(), __m256, "vfmadd231ps")

static peak_function *integer_peak(void)
{
    return ix_isa_present(IX_ISA_AVX512VNNI) ? peak_vnni : nothing;
}

static peak_function *float_peak(void)
{
    if (ix_isa_present(IX_ISA_AVX512))
        return peak_fma512;
    return ix_isa_present(IX_ISA_AVX2) ? peak_fma256 : nothing;
}
#else /* not known here: 0 */
static peak_function *integer_peak(void)
{
    return nothing;
}

static peak_function *float_peak(void)
{
    return nothing;
}
#endif

static void run_peak(void *ctx, int worker)
{
    peak_function **f = ctx;
    double operations = (*f)();
    (void)worker, (void)operations;
}

/* Gop/s of all workers. */
static double measure_peak(ix_pool *pool, peak_function *f)
{
    double operations = f(), start = ix_clock_seconds();
    ix_pool_run(pool, run_peak, &f);
    return operations * ix_pool_threads(pool) / (ix_clock_seconds() - start) * 1e-9;
}

typedef struct reading {
    const uint64_t *words;
    size_t count;
    ix_counter next;
} reading;

static volatile uint64_t read_sink;
#define READ_PIECE ((size_t)1 << 17) /* words: 1 MiB */

static void run_read(void *ctx, int worker)
{
    reading *r = ctx;
    uint64_t sum[8] = { 0 };
    for (;;) {
        size_t at = (size_t)ix_counter_take(&r->next) * READ_PIECE;
        if (at >= r->count)
            break;
        typedef uint64_t line __attribute__((vector_size(64)));
        line s[4] = { { 0 } };
        for (size_t i = 0; i < READ_PIECE && at + i + 32 <= r->count; i += 32) {
            const line *p = (const line *)(const void *)(r->words + at + i);
            for (int j = 0; j < 4; j++)
                s[j] |= p[j];
        }
        for (int j = 0; j < 32; j++)
            sum[j % 8] |= s[j / 8][j % 8];
    }
    read_sink = sum[0] ^ sum[7];
    (void)worker;
}

static double measure_read(ix_pool *pool, const void *memory, size_t bytes)
{
    reading r = { .words = memory, .count = bytes / 8 };
    ix_counter_reset(&r.next);
    double start = ix_clock_seconds();
    ix_pool_run(pool, run_read, &r);
    return (double)bytes / (ix_clock_seconds() - start) * 1e-9;
}

#endif
