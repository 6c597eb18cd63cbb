/* The rows of kernels.def, and the comparison that each has to pass before it is used. */
#ifndef IX_NUM_MATMUL_KERNELS_H
#define IX_NUM_MATMUL_KERNELS_H

#include "num/matmul/matmul.h"

#define IX_MATMUL(type, isa, symbol) extern const ix_matmul_kernel symbol;
#include "num/matmul/kernels.def"
#undef IX_MATMUL

/* Runs `k` and `reference` (same type) on a small generated product with tails and compares all
 * bits.  The processor must have the kernel's instruction set.  INOX_E_MEMORY: not known. */
inox_status ix_matmul_compare(const ix_matmul_kernel *k, const ix_matmul_kernel *reference,
                              _Bool *same, inox_error *err) IX_MUST_USE;

/* What ix_matmul_find does, on any table: a row is compared with the REF row of its type at first
 * use, and one that differs is passed over from then on.  Several threads may call it on one table.
 */
const ix_matmul_kernel *ix_matmul_select(const ix_matmul_kernel *const *rows,
                                         ix_kernel_state *states, int count, ix_type type,
                                         ix_isa isa, _Bool no_panels);

/* Names of the kernels that failed the comparison in this process: the index-th, or NULL when there
 * are no more. */
const char *ix_matmul_rejected(int index);

#endif
