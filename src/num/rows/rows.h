/* Row kernels: norms, rotation, elementwise arithmetic, conversions   (rules C4, C5, C7, C8, C11,
 * C12)
 *
 * One struct of functions per instruction set (kernels.def); each equals ref.c by memcmp.  A call
 * handles one row; rows are spread over threads by the caller.  Outputs may be the same memory as
 * an input, but not overlap it partly.  NaNs are stored canonical (C11).
 */
#ifndef IX_NUM_ROWS_H
#define IX_NUM_ROWS_H

#include "num/isa.h"

#include <stdint.h>

typedef struct ix_row_kernels {
    ix_isa isa;
    /* C7.  w (and b) may be NULL: then the last product (and sum) is left out. */
    void (*rms_norm)(const float *x, const float *w, float eps, int64_t n, float *y);
    void (*layer_norm)(const float *x, const float *w, const float *b, float eps, int64_t n,
                       float *y);
    /* C4: sum of x; sum of squares by fma(x, x, .). */
    float (*sum)(const float *x, int64_t n);
    float (*sum_squares)(const float *x, int64_t n);
    void (*add)(const float *a, const float *b, int64_t n, float *y);
    void (*sub)(const float *a, const float *b, int64_t n, float *y);
    void (*mul)(const float *a, const float *b, int64_t n, float *y);
    void (*scale)(const float *a, float s, int64_t n, float *y); /* mul(a, s) */
    void (*exp)(const float *x, int64_t n, float *y);
    void (*tanh)(const float *x, int64_t n, float *y);
    void (*sigmoid)(const float *x, int64_t n, float *y);
    void (*silu)(const float *x, int64_t n, float *y);
    void (*gelu_tanh)(const float *x, int64_t n, float *y);
    void (*gelu_erf)(const float *x, int64_t n, float *y);
    /* mul(silu(gate), up) */
    void (*swiglu)(const float *gate, const float *up, int64_t n, float *y);
    /* C8: `heads` vectors of head_dim at x, the first 2 * half of each rotated, the rest copied.
     * cos, sin: [half]. interleaved: pairs (2i, 2i + 1) (llama); else (i, i + half) (neox). */
    void (*rope)(const float *x, const float *cos_table, const float *sin_table, int64_t half,
                 int interleaved, int64_t heads, int64_t head_dim, float *y);
    /* C12 */
    void (*to_f16)(const float *x, int64_t n, uint16_t *y);
    void (*from_f16)(const uint16_t *x, int64_t n, float *y);
    void (*to_bf16)(const float *x, int64_t n, uint16_t *y);
    void (*from_bf16)(const uint16_t *x, int64_t n, float *y);
} ix_row_kernels;

/* The table for `isa` or the nearest set that it extends; the first use compares it with the
 * reference, and one that differs is passed over. */
const ix_row_kernels *ix_row_kernels_for(ix_isa isa);

#endif
