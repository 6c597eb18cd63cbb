/* Declarations of the functions that rows/kernels.def names, with the types of the members they
 * fill.  The files of this folder include it, so that a definition with another type does not
 * compile. */
#ifndef IX_NUM_ROWS_KERNELS_H
#define IX_NUM_ROWS_KERNELS_H

#include "num/rows/rows.h"

#define IX_ROW_DECLARE(function, suffix)                                                           \
    __typeof__(*((ix_row_kernels *)0)->function) ix_rows_##function##_##suffix;

/* Those that another processor has are declared and nowhere defined. */
#define IX_ROW(function)                                                                           \
    IX_ROW_DECLARE(function, ref)                                                                  \
    IX_ROW_DECLARE(function, avx2)                                                                 \
    IX_ROW_DECLARE(function, avx512)                                                               \
    IX_ROW_DECLARE(function, neon)                                                                 \
    IX_ROW_DECLARE(function, simd128)                                                              \
    IX_ROW_DECLARE(function, relaxed)
#include "num/rows/kernels.def"
#undef IX_ROW

/* The table of exactly this set, unchecked; NULL where it has none. */
const ix_row_kernels *ix_row_table(ix_isa isa);

/* Runs every function of both on generated rows and compares all bits.  INOX_E_MEMORY: not
 * known. */
inox_status ix_row_compare(const ix_row_kernels *k, const ix_row_kernels *reference, _Bool *same,
                           inox_error *err) IX_MUST_USE;

/* What ix_row_kernels_for does, on any tables [IX_ISA_COUNT]: one that differs from that of REF
 * is passed over. */
const ix_row_kernels *ix_row_select(const ix_row_kernels *const *tables, ix_kernel_state *states,
                                    ix_isa isa);

/* Names of the tables that failed the comparison in this process: the index-th, or NULL when there
 * are no more. */
const char *ix_row_rejected(int index);

#endif
