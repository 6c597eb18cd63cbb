/* Matrix products in WebAssembly SIMD128: vf_fma by way of binary64. */
#include "num/scalar/wasm_simd128_math.h"

#include "num/matmul/wasm_dot.h"

#include "num/matmul/vector_float.h"
#include "num/matmul/vector_super.h"
#include "num/matmul/vector_kernels.h"

#define THIS_ISA IX_ISA_SIMD128
#define SYMBOL(t) ix_matmul_##t##_simd128
#define SYMBOL_ROWS(t) ix_matmul_##t##_rows_simd128

INTEGER_PLANS
FLOAT_PLANS
