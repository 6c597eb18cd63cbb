/* Declarations of the tables that attention/kernels.def names. */
#ifndef IX_NUM_ATTENTION_KERNELS_H
#define IX_NUM_ATTENTION_KERNELS_H

#include "num/attention/attention.h"

#define IX_ATTENTION(isa, symbol) extern const ix_attention_kernels symbol;
#include "num/attention/kernels.def"
#undef IX_ATTENTION

/* The row of exactly this set, unchecked; NULL where it has none. */
const ix_attention_kernels *ix_attention_row(ix_isa isa);

/* Stores and attends with both in a small cache of each type and compares all bits.  INOX_E_MEMORY:
 * not known. */
inox_status ix_attention_compare(const ix_attention_kernels *k,
                                 const ix_attention_kernels *reference, _Bool *same,
                                 inox_error *err) IX_MUST_USE;

/* What ix_attention_kernels_for does, on any rows [IX_ISA_COUNT]: one that differs from that of REF
 * is passed over. */
const ix_attention_kernels *ix_attention_select(const ix_attention_kernels *const *rows,
                                                ix_kernel_state *states, ix_isa isa);

/* Names of the rows that failed the comparison in this process: the index-th, or NULL when there
 * are no more. */
const char *ix_attention_rejected(int index);

#endif
