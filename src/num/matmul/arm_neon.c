/* Matrix products in the Advanced SIMD of AArch64: 4 columns to a vector, all types. */
#include "num/matmul/arm_neon_dot.h"

#include "num/matmul/vector_float.h"
#include "num/matmul/vector_super.h"
#include "num/matmul/vector_kernels.h"

#define THIS_ISA IX_ISA_NEON
#define SYMBOL(t) ix_matmul_##t##_neon
#define SYMBOL_ROWS(t) ix_matmul_##t##_rows_neon

INTEGER_PLANS
FLOAT_PLANS
