/* Attention for AVX-512 F, BW, DQ and VL: vector_attention.h over the vectors of this instruction
 * set. */
#include "num/scalar/x86_avx512_math.h"

/* X(query rows, vectors of columns taken at once, and of what is left of them), for 1, 2, 3, ...
 * rows. There are 32 registers: at most 24 hold sums, the others the page and the coefficients. */
#define CHAINS(X)                                                                                  \
    X(1, 8, 4)                                                                                     \
    X(2, 8, 4) X(3, 8, 4) X(4, 4, 2) X(5, 4, 2) X(6, 4, 2) X(7, 2, 1) X(8, 2, 1) X(9, 2, 1)        \
        X(10, 2, 1) X(11, 2, 1) X(12, 2, 1)
#include "num/attention/vector_attention.h"

const ix_attention_kernels ix_attention_avx512 = {
    .isa = IX_ISA_AVX512,
    .name = "ix_attention_avx512",
    .store = store,
    .run = run,
    .scratch_bytes = scratch_bytes,
};
