/* The machine's limits: loops of the instruction that the kernels live on, and a loop that reads.
 *
 * A loop is steps that do not wait for one another, on registers only, all of them zero; in
 * assembly, so that no compiler makes it shorter.  A function is called only where its
 * instructions are present.
 */
#include "back/limits.h"

#include "base/alloc.h"
#include "base/os.h"

#include <string.h>

enum { ROUNDS = 9, PEAK_LOOPS = 200000 };
#define READ_BYTES ((size_t)256 << 20)      /* more than caches hold */
#define READ_BYTES_LEAST ((size_t)64 << 20) /* where memory is short */

/* Runs its loop and tells how many operations that was. */
typedef double peak_function(void);

#if defined(__x86_64__)
#define TWELVE(step, r)                                                                            \
    step(r, "0") step(r, "1") step(r, "2") step(r, "3") step(r, "4") step(r, "5") step(r, "6")     \
        step(r, "7") step(r, "8") step(r, "9") step(r, "10") step(r, "11")
#define FMA(r, n) "vfmadd231ps " r "15, " r "15, " r n "\n"
#define VNNI(r, n) "vpdpbusd " r "15, " r "15, " r n "\n"
#define VNNI_VEX(r, n) "%{vex%} vpdpbusd " r "15, " r "15, " r n "\n"
/* Without VNNI: bytes to sums of two, to sums of four, added. */
#define BYTES(r, n)                                                                                \
    "vpmaddubsw " r "15, " r "15, " r "14\n"                                                       \
    "vpmaddwd " r "15, " r "14, " r "14\n"                                                         \
    "vpaddd " r "14, " r n ", " r n "\n"
#define PEAK(name, step, r, operations)                                                            \
    static double name(void)                                                                       \
    {                                                                                              \
        long n = PEAK_LOOPS;                                                                       \
        __asm__ volatile("vzeroall\n"                                                              \
                         "1:\n" TWELVE(step, r) "dec %0\n"                                         \
                                                "jnz 1b\n"                                         \
                                                "vzeroupper\n"                                     \
                         : "+r"(n)                                                                 \
                         :                                                                         \
                         : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",   \
                           "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");  \
        return PEAK_LOOPS * 12.0 * (operations);                                                   \
    }
PEAK(fma_avx2, FMA, "%%ymm", 16)
PEAK(fma_avx512, FMA, "%%zmm", 32)
PEAK(bytes_avx2, BYTES, "%%ymm", 64)
PEAK(bytes_avx512, BYTES, "%%zmm", 128)
PEAK(vnni_avx2, VNNI_VEX, "%%ymm", 64)
PEAK(vnni_avx512, VNNI, "%%zmm", 128)

/* Tiles of 16 x 64 bytes: six sums of products of two others.  All 64 bytes of the configuration
 * count: palette, row lengths, numbers of rows. */
static double bytes_amx(void)
{
    enum { LOOPS = PEAK_LOOPS / 16, TILES = 8 }; /* one is as long as sixteen of the others */
    struct {
        uint8_t palette, start, zero[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } tiles = { .palette = 1 };
    _Static_assert(sizeof tiles == 64, "what the processor reads");
    for (int i = 0; i < TILES; i++) {
        tiles.row_bytes[i] = 64;
        tiles.rows[i] = 16;
    }
    long n = LOOPS;
    __asm__ volatile("ldtilecfg %1\n"
                     "1:\n"
                     "tdpbssd %%tmm7, %%tmm6, %%tmm0\n"
                     "tdpbssd %%tmm7, %%tmm6, %%tmm1\n"
                     "tdpbssd %%tmm7, %%tmm6, %%tmm2\n"
                     "tdpbssd %%tmm7, %%tmm6, %%tmm3\n"
                     "tdpbssd %%tmm7, %%tmm6, %%tmm4\n"
                     "tdpbssd %%tmm7, %%tmm6, %%tmm5\n"
                     "dec %0\n"
                     "jnz 1b\n"
                     "tilerelease\n"
                     : "+r"(n)
                     : "m"(tiles)
                     : "cc");
    return LOOPS * 6.0 * (2 * 16 * 16 * 64);
}
#endif

/* The best first: a set without a row of its own has the peaks of one that it extends. */
static const struct {
    ix_isa isa;
    peak_function *integer, *floats;
} peaks[] = {
#if defined(__x86_64__)
    { IX_ISA_AMX, bytes_amx, fma_avx512 },
    { IX_ISA_AVX512VNNI, vnni_avx512, fma_avx512 },
    { IX_ISA_AVX512, bytes_avx512, fma_avx512 },
    { IX_ISA_AVXVNNI, vnni_avx2, fma_avx2 },
    { IX_ISA_AVX2, bytes_avx2, fma_avx2 },
#endif
    { IX_ISA_REF, NULL, NULL },
};

static size_t row_of(ix_isa isa)
{
    size_t i = 0;
    while (!ix_isa_includes(isa, peaks[i].isa)) /* all include the reference */
        i++;
    return i;
}

typedef struct peak_task {
    peak_function *run;
    double operations; /* of each worker: all do the same */
} peak_task;

static void run_peak(void *context, int worker)
{
    peak_task *t = context;
    double operations = t->run();
    if (worker == 0)
        t->operations = operations;
}

static double measure_peak(ix_pool *pool, peak_function *f)
{
    peak_task t = { .run = f };
    if (f == NULL)
        return 0;
    double start = ix_clock_seconds();
    ix_pool_run(pool, run_peak, &t);
    return t.operations * ix_pool_threads(pool) / (ix_clock_seconds() - start);
}

double ix_limit_integer(ix_pool *pool, ix_isa isa)
{
    return measure_peak(pool, peaks[row_of(isa)].integer);
}

double ix_limit_floats(ix_pool *pool, ix_isa isa)
{
    return measure_peak(pool, peaks[row_of(isa)].floats);
}

#define READ_PIECE ((size_t)1 << 20) /* bytes that a worker takes at once */
#define READ_LINES 4                 /* vectors that are read between two looks at the end */
typedef uint64_t read_line __attribute__((vector_size(64)));

typedef struct read_task {
    const read_line *lines;
    size_t count;
    ix_counter next;
    _Atomic uint64_t sink; /* what was read goes somewhere, so that it is read */
} read_task;

static void run_read(void *context, int worker)
{
    (void)worker;
    read_task *t = context;
    read_line s[READ_LINES] = { { 0 } };
    const size_t piece = READ_PIECE / sizeof(read_line);
    for (;;) {
        size_t at = (size_t)ix_counter_take(&t->next) * piece;
        if (at >= t->count)
            break;
        size_t end = at + piece < t->count ? at + piece : t->count;
        for (; at + READ_LINES <= end; at += READ_LINES) {
            for (int j = 0; j < READ_LINES; j++)
                s[j] |= t->lines[at + (size_t)j];
        }
    }
    uint64_t all = 0;
    for (int j = 0; j < READ_LINES; j++) {
        for (int k = 0; k < 8; k++)
            all |= s[j][k];
    }
    t->sink |= all;
}

double ix_limit_read(ix_pool *pool, const void *memory, size_t bytes)
{
    read_task t = { .lines = memory, .count = bytes / sizeof(read_line) };
    ix_counter_reset(&t.next);
    double start = ix_clock_seconds();
    ix_pool_run(pool, run_read, &t);
    return (double)bytes / (ix_clock_seconds() - start);
}

inox_status ix_limits_measure(ix_pool *pool, ix_isa isa, ix_limits *out, inox_error *err)
{
    ix_limits best = { 0 };
    void *memory;
    uint64_t available = ix_available_memory_bytes();
    size_t bytes = available > 0 && available < 4 * READ_BYTES ? READ_BYTES_LEAST : READ_BYTES;
    IX_TRY(ix_alloc_aligned(bytes, 64, &memory, err));
    memset(memory, 1, bytes); /* no page is the shared zero page */
    for (int i = 0; i < ROUNDS; i++) {
        ix_limits x = { ix_limit_read(pool, memory, bytes), ix_limit_integer(pool, isa),
                        ix_limit_floats(pool, isa) };
        best.read = x.read > best.read ? x.read : best.read;
        best.integer = x.integer > best.integer ? x.integer : best.integer;
        best.floats = x.floats > best.floats ? x.floats : best.floats;
    }
    ix_free_aligned(memory);
    *out = best;
    return INOX_OK;
}
