/* Choice of a matrix-product kernel, and the comparison with the reference that it has to pass.
 *
 * A kernel that was miscompiled, or a processor or emulator that rounds otherwise, must cost speed
 * and not bits: such a row is passed over, and ix_matmul_rejected names it.
 */
#include "base/alloc.h"
#include "base/fpenv.h"
#include "num/dequant/dequant.h"
#include "num/matmul/kernels.h"
#include "num/scalar/scalar.h"

#include <stdatomic.h>

static const ix_matmul_kernel *const KERNELS[] = {
#define IX_MATMUL(type, isa, symbol) &symbol,
#include "num/matmul/kernels.def"
#undef IX_MATMUL
};
#define KERNEL_COUNT ((int)(sizeof KERNELS / sizeof KERNELS[0]))

static ix_kernel_state states[KERNEL_COUNT];

/* ---- the generated product ------------------------------------------------------------------- */

#define CHECK_ALIGN 64
#define CHECK_COLS 17        /* a panel and a tail */
#define CHECK_DEPTH 1280     /* two segments, the second short; whole super-blocks */
#define CHECK_DEPTH_F32 1027 /* and no multiple of a vector */
#define CHECK_DISTINCT 3     /* rows; the others repeat them, as the reference is slow */

/* SplitMix64. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Between 2^-7 and 2^8, either sign. */
static float random_float(uint64_t *state)
{
    uint32_t u = (uint32_t)next_random(state);
    return ix_float((u & 0x807fffffu) | (120 + (u >> 23) % 15) << 23);
}

/* The largest magnitude is an ordinary number: sums of such blocks neither overflow nor vanish. */
static _Bool ordinary(const float *values, uint32_t count)
{
    uint32_t u = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t magnitude = ix_bits(values[i]) & 0x7fffffffu;
        u = magnitude > u ? magnitude : u;
    }
    return u >= 0x35800000u && u <= 0x49800000u; /* 2^-20 .. 2^20 */
}

static void random_block(ix_type type, uint64_t *state, uint8_t *block)
{
    const ix_type_info *info = ix_type_of(type);
    float values[256];
    do {
        for (uint32_t i = 0; i < info->block_bytes; i++)
            block[i] = (uint8_t)(next_random(state) >> 56);
        if (type == IX_TYPE_F32 || type == IX_TYPE_BF16) { /* random bits would take many tries */
            uint32_t u = ix_bits(random_float(state));
            for (uint32_t i = 0; i < info->block_bytes; i++)
                block[i] = (uint8_t)(u >> (8 * (4 - info->block_bytes + i)));
        }
        ix_dequantize_row(type, block, info->block_elements, values);
    } while (!ordinary(values, info->block_elements));
}

/* A product and the memory of both kernels. */
enum { WEIGHTS, X, ACTS, PANELS, SCRATCH, Y, Y_REFERENCE, BIAS, PARTS };
typedef struct check {
    const ix_matmul_kernel *kernel;
    int64_t rows, depth;
    size_t row_bytes;
    void *part[PARTS];
} check;

static inox_status take(check *c, int part, size_t bytes, inox_error *err)
{
    return ix_alloc_aligned(bytes ? bytes : 1, CHECK_ALIGN, &c->part[part], err);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static inox_status check_new(check *c, const ix_matmul_kernel *k, const ix_matmul_kernel *reference,
                             inox_error *err)
{
    const ix_type_info *info = ix_type_of(k->type);
    *c = (check){ .kernel = k, .rows = k->row_tile + CHECK_DISTINCT };
    c->depth = info->block_elements == 1 ? CHECK_DEPTH_F32 : CHECK_DEPTH;
    c->row_bytes = (size_t)(c->depth / info->block_elements) * info->block_bytes;
    size_t scratch = larger(k->scratch_bytes ? k->scratch_bytes(c->depth) : 0,
                            reference->scratch_bytes ? reference->scratch_bytes(c->depth) : 0);
    size_t panels = k->panel_bytes ? k->panel_bytes(c->depth) : 0;
    size_t y = sizeof(float) * CHECK_COLS * (size_t)c->rows;
    IX_TRY(take(c, WEIGHTS, CHECK_COLS * c->row_bytes, err));
    IX_TRY(take(c, X, sizeof(float) * (size_t)(c->rows * c->depth), err));
    IX_TRY(take(c, ACTS,
                larger(k->acts_bytes(c->rows, c->depth), reference->acts_bytes(c->rows, c->depth)),
                err));
    IX_TRY(take(c, PANELS, 2 * panels, err));
    IX_TRY(take(c, SCRATCH, scratch, err));
    IX_TRY(take(c, Y, y, err));
    IX_TRY(take(c, Y_REFERENCE, y, err));
    return take(c, BIAS, sizeof(float) * CHECK_COLS, err);
}

static void check_fill(check *c)
{
    const ix_type_info *info = ix_type_of(c->kernel->type);
    uint64_t state = 1 + (uint64_t)c->kernel->type;
    uint8_t *w = c->part[WEIGHTS];
    for (size_t at = 0; at < CHECK_COLS * c->row_bytes; at += info->block_bytes)
        random_block(c->kernel->type, &state, w + at);
    float *x = c->part[X], *bias = c->part[BIAS];
    for (int64_t i = 0; i < CHECK_DISTINCT * c->depth; i++)
        x[i] = random_float(&state);
    memset(x, 0, 300 * sizeof *x);             /* a block of zeros, */
    x[c->depth + 700] = ix_float(0x7f800000u); /* and a row that is not finite */
    for (int64_t r = CHECK_DISTINCT; r < c->rows; r++)
        memcpy(x + r * c->depth, x + r % CHECK_DISTINCT * c->depth,
               sizeof(float) * (size_t)c->depth);
    for (int i = 0; i < CHECK_COLS; i++)
        bias[i] = random_float(&state);
}

static void check_run(check *c, const ix_matmul_kernel *k, int64_t rows, float *y)
{
    ix_matmul_job job = { .rows = rows,
                          .cols = CHECK_COLS,
                          .depth = c->depth,
                          .acts = c->part[ACTS],
                          .weights = c->part[WEIGHTS],
                          .weight_row_bytes = c->row_bytes,
                          .y = y,
                          .ldy = CHECK_COLS,
                          .bias = c->part[BIAS] };
    if (k->panel_bytes) {
        for (int64_t col = 0; col < CHECK_COLS; col += IX_PANEL_COLS) {
            int64_t cols = CHECK_COLS - col < IX_PANEL_COLS ? CHECK_COLS - col : IX_PANEL_COLS;
            uint8_t *panel = (uint8_t *)c->part[PANELS] +
                             (size_t)(col / IX_PANEL_COLS) * k->panel_bytes(c->depth);
            k->pack_panel((uint8_t *)c->part[WEIGHTS] + (size_t)col * c->row_bytes, c->row_bytes,
                          cols, c->depth, panel);
        }
        job.weights = c->part[PANELS];
    }
    k->pack_acts(c->part[X], c->depth, rows, 0, rows, c->depth, c->part[ACTS]);
    k->run(&job, 0, rows, 0, CHECK_COLS, c->part[SCRATCH]);
}

static _Bool check_same(const check *c, int64_t rows)
{
    const float *y = c->part[Y], *expected = c->part[Y_REFERENCE];
    for (int64_t r = 0; r < rows; r++)
        if (memcmp(y + r * CHECK_COLS, expected + r % CHECK_DISTINCT * CHECK_COLS,
                   sizeof(float) * CHECK_COLS) != 0)
            return 0;
    return 1;
}

inox_status ix_matmul_compare(const ix_matmul_kernel *k, const ix_matmul_kernel *reference,
                              _Bool *same, inox_error *err)
{
    check c;
    inox_status status = check_new(&c, k, reference, err);
    if (status == INOX_OK) {
        ix_fpenv env = ix_fpenv_enter();
        check_fill(&c);
        check_run(&c, reference, CHECK_DISTINCT, c.part[Y_REFERENCE]);
        *same = 1;
        /* prompts and single tokens take other ways through a kernel */
        for (int64_t rows = c.rows; rows > 0 && *same; rows = rows > 4 ? 4 : rows / 2) {
            check_run(&c, k, rows, c.part[Y]);
            *same = check_same(&c, rows);
        }
        ix_fpenv_leave(env);
    }
    for (int i = 0; i < PARTS; i++)
        ix_free_aligned(c.part[i]);
    return status;
}

/* ---- choice ---------------------------------------------------------------------------------- */

/* The best row after row `last` (-1: of all) in the order: the set that extends the others first,
 * then place in the table. */
static int next_row(const ix_matmul_kernel *const *rows, int count, ix_type type, ix_isa isa,
                    _Bool no_panels, int last)
{
    int best = -1;
    for (int i = 0; i < count; i++) {
        const ix_matmul_kernel *k = rows[i];
        if (k->type != type || !ix_isa_includes(isa, k->isa) || !ix_isa_present(k->isa) ||
            (no_panels && k->panel_bytes))
            continue;
        if (last >= 0 && (k->isa > rows[last]->isa || (k->isa == rows[last]->isa && i <= last)))
            continue;
        if (best < 0 || k->isa > rows[best]->isa)
            best = i;
    }
    return best;
}

static const ix_matmul_kernel *reference_of(ix_type type)
{
    for (int i = 0; i < KERNEL_COUNT; i++)
        if (KERNELS[i]->type == type && KERNELS[i]->isa == IX_ISA_REF)
            return KERNELS[i];
    return NULL;
}

/* Two threads may compare one row at the same time: both come to the same result. */
static _Bool usable(const ix_matmul_kernel *k, ix_kernel_state *state)
{
    int known = atomic_load_explicit(state, memory_order_relaxed);
    if (known != IX_KERNEL_UNCHECKED)
        return known == IX_KERNEL_GOOD;
    const ix_matmul_kernel *reference = reference_of(k->type);
    _Bool same = k == reference;
    if (!same && ix_matmul_compare(k, reference, &same, NULL) != INOX_OK)
        return 0; /* no memory for it: not known, and asked again at the next use */
    atomic_store_explicit(state, same ? IX_KERNEL_GOOD : IX_KERNEL_BAD, memory_order_relaxed);
    return same;
}

const ix_matmul_kernel *ix_matmul_select(const ix_matmul_kernel *const *rows,
                                         ix_kernel_state *row_states, int count, ix_type type,
                                         ix_isa isa, _Bool no_panels)
{
    int i = next_row(rows, count, type, isa, no_panels, -1);
    while (i >= 0 && !usable(rows[i], &row_states[i]))
        i = next_row(rows, count, type, isa, no_panels, i);
    return i < 0 ? NULL : rows[i];
}

const ix_matmul_kernel *ix_matmul_find(ix_type type, ix_isa isa, _Bool no_panels)
{
    return ix_matmul_select(KERNELS, states, KERNEL_COUNT, type, isa, no_panels);
}

const ix_matmul_kernel *const *ix_matmul_kernels(int *count)
{
    *count = KERNEL_COUNT;
    return KERNELS;
}

const char *ix_matmul_rejected(int index)
{
    for (int i = 0; i < KERNEL_COUNT; i++)
        if (atomic_load_explicit(&states[i], memory_order_relaxed) == IX_KERNEL_BAD && index-- == 0)
            return KERNELS[i]->name;
    return NULL;
}
