/* Declarations of the tables that attention/kernels.def names. */
#ifndef IX_NUM_ATTENTION_KERNELS_H
#define IX_NUM_ATTENTION_KERNELS_H

#include "num/attention/attention.h"

#define IX_ATTENTION(isa, symbol) extern const ix_attention_kernels symbol;
#include "num/attention/kernels.def"
#undef IX_ATTENTION

#endif
