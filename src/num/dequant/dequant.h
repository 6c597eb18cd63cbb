/* Dequantisation: rows of every type as float32, bit for bit as gguf-py gives them (rule C12). */
#ifndef IX_NUM_DEQUANT_H
#define IX_NUM_DEQUANT_H

#include "num/types.h"

/* row: `n` elements of type t (n whole blocks), as they lie in the file -> out[n].  Integer types
 * and F64 convert (F64 rounds to nearest even).  NaNs become the one NaN. */
void ix_dequantize_row(ix_type t, const void *row, int64_t n, float *out);

/* Integer parts for the types of rule C3 (block layouts in docs/NUMERICS.md), for reference kernels
 * and for packing: one block of `ix_type_of(t)->block_elements` elements.
 *   q[block_elements]  signed integers as the rule names them
 *   d, m               widened scales (m: Q4_1, Q5_1 the minimum; K types dmin; else 0)
 *   sc[16], mn[16]     sub-block scales and minimums of super-blocks (Q2_K Q3_K Q6_K: 16 of
 *                      16 elements; Q4_K Q5_K IQ4_XS: 8 of 32); untouched for blocks of 32
 */
typedef struct ix_block_parts {
    int8_t q[256];
    float d, m;
    int16_t sc[16], mn[16];
} ix_block_parts;
void ix_block_unpack(ix_type t, const void *block, ix_block_parts *out);

#endif
