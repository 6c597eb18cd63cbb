/* Attention for AVX2, FMA and F16C: vector_attention.h over the vectors of this instruction set. */
#include "num/scalar/x86_avx2_math.h"

/* X(query rows, vectors of columns taken at once, and of what is left of them), for 1, 2, 3, ...
 * rows. There are 16 registers: at most 12 hold sums, the others the page and the coefficients. */
#define CHAINS(X) X(1, 8, 4) X(2, 4, 2) X(3, 4, 2) X(4, 2, 1) X(5, 2, 1) X(6, 2, 1)
#include "num/attention/vector_attention.h"

const ix_attention_kernels ix_attention_avx2 = {
    .isa = IX_ISA_AVX2,
    .name = "ix_attention_avx2",
    .store = store,
    .run = run,
    .scratch_bytes = scratch_bytes,
};
