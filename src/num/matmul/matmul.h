/* Matrix products: y[row][col] = sum over k of x[row][k] * w[col][k]   (rules C2, C3, C3a, C11)
 *
 * x is float32 activations [rows][depth], w is a weight [cols][depth] in any type, y is float32. A
 * kernel is one row of kernels.def: for a weight type and an instruction set it says how weights
 * are packed, how activations are packed, and how a rectangle of y is computed.  Work is split over
 * rectangles of y only, never along k, so any split gives the same bits.
 *
 *   weights   panel 0 | panel 1 | ...      16 columns of w per panel, k runs forward inside it
 *   acts      tile 0  | tile 1  | ...      `row_tile` rows a tile, quantised by C3a where asked
 *   y         [rows][ldy]
 *
 * The reference kernel of a type (isa ref) reads the file's own layout and plain float rows, and
 * defines the bits.
 */
#ifndef IX_NUM_MATMUL_H
#define IX_NUM_MATMUL_H

#include "num/isa.h"
#include "num/types.h"

#define IX_PANEL_COLS 16
#define IX_SEGMENT 1024 /* C2 */

typedef struct ix_matmul_job {
    int64_t rows, cols, depth;
    const void *acts;        /* what pack_acts wrote */
    const void *weights;     /* panels, or the file's own rows where panel_bytes is NULL */
    size_t weight_row_bytes; /* of one row in the file's layout */
    float *y;                /* y[row * ldy + col] */
    int64_t ldy;
    /* Separate rounded additions after the sum is stored (C2): y = (sum + bias[col]) +
     * residual[row * ldy + col].  NULL: none. */
    const float *bias;
    const float *residual; /* may be y itself */
} ix_matmul_job;

typedef struct ix_matmul_kernel {
    ix_type type;
    ix_isa isa;
    const char *name; /* "ix_matmul_q8_0_avx512vnni" */

    /* Bytes of one panel of 16 columns; NULL: the kernel reads the file's own layout. Multiple
     * of 64. */
    size_t (*panel_bytes)(int64_t depth);
    /* Packs columns [0, cols) with cols <= 16 of w (file layout, row_bytes apart) into one
     * panel; missing columns become zeros. */
    void (*pack_panel)(const void *w, size_t row_bytes, int64_t cols, int64_t depth, void *panel);

    int32_t row_tile; /* rows are packed, and best given to run, in multiples of this */
    /* Bytes that pack_acts needs for `rows` rows. */
    size_t (*acts_bytes)(int64_t rows, int64_t depth);
    /* Packs rows [row0, row1) of x[row * ldx + k] to their place in `acts`, which holds `rows`
     * rows in all.  row0 is a multiple of row_tile; row1 too or equal to rows.  Several threads
     * pack distinct ranges at once. */
    void (*pack_acts)(const float *x, int64_t ldx, int64_t rows, int64_t row0, int64_t row1,
                      int64_t depth, void *acts);
    /* Equal keys: the packed activations of one kernel can be given to the other (q, k and v
     * share them). */
    const void *acts_format;

    /* y for rows [row0, row1) and columns [col0, col1): row0 a multiple of row_tile, col0 of 16;
     * row1 and col1 likewise or the end.  `scratch` is scratch_bytes(depth) bytes of this
     * worker's own, 64-byte aligned. */
    void (*run)(const ix_matmul_job *job, int64_t row0, int64_t row1, int64_t col0, int64_t col1,
                void *scratch);
    size_t (*scratch_bytes)(int64_t depth); /* NULL: none */
} ix_matmul_kernel;

/* The best row for a weight type at or below `isa`; never NULL for a type that can be multiplied
 * (all but integers and F64), NULL for those.  `no_panels`: only rows that read the file's own
 * layout. */
const ix_matmul_kernel *ix_matmul_find(ix_type type, ix_isa isa, _Bool no_panels);
/* All rows, for tests and benchmarks: *count of them. */
const ix_matmul_kernel *const *ix_matmul_kernels(int *count);

/* C3a, one row: depth is a multiple of block (32 or 256).  e[depth / block], q[depth].  The
 * definition. */
void ix_quantize_row_ref(const float *x, int64_t depth, int32_t block, float *e, int8_t *q);
/* C2 dot product of two float rows, stored by C11.  The definition of one element for float
 * types. */
float ix_dot_ref(const float *a, const float *b, int64_t n);

#endif
