/* Attention for WebAssembly's set `simd128`: vector_attention.h over its vectors. */
#include "num/scalar/wasm_simd128_math.h"

/* As x86_avx2.c says.  Engines keep vectors in the 16 or 32 registers of their machine. */
#define CHAINS(X) X(1, 8, 4) X(2, 4, 2) X(3, 4, 2) X(4, 2, 1)
#include "num/attention/vector_attention.h"

const ix_attention_kernels ix_attention_simd128 = {
    .isa = IX_ISA_SIMD128,
    .name = "ix_attention_simd128",
    .store = store,
    .run = run,
    .scratch_bytes = scratch_bytes,
};
