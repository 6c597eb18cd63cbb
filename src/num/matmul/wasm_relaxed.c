/* Matrix products in WebAssembly relaxed SIMD, where its madd is fused. */
#include "num/scalar/wasm_relaxed_math.h"

#include "num/matmul/wasm_dot.h"

#include "num/matmul/vector_float.h"
#include "num/matmul/vector_super.h"
#include "num/matmul/vector_kernels.h"

#define THIS_ISA IX_ISA_RELAXED
#define SYMBOL(t) ix_matmul_##t##_relaxed
#define SYMBOL_ROWS(t) ix_matmul_##t##_rows_relaxed

INTEGER_PLANS
FLOAT_PLANS
