/* Declarations of every function that rows/kernels.def names, with the types of the members they
 * fill.  The files of this folder include it, so that a definition with another type does not
 * compile. */
#ifndef IX_NUM_ROWS_KERNELS_H
#define IX_NUM_ROWS_KERNELS_H

#include "num/rows/rows.h"

#define IX_ROW_DECLARE(function, suffix)                                                           \
    __typeof__(*((ix_row_kernels *)0)->function) ix_rows_##function##_##suffix;

/* The reference: the definition of every row kernel. */
#define IX_ROW(function, avx2, avx512) IX_ROW_DECLARE(function, ref)
#include "num/rows/kernels.def"
#undef IX_ROW

/* What kernels.def chooses for the instruction sets of x86-64; a name may come twice. */
#define IX_ROW(function, avx2, avx512)                                                             \
    IX_ROW_DECLARE(function, avx2) IX_ROW_DECLARE(function, avx512)
#include "num/rows/kernels.def"
#undef IX_ROW

#endif
