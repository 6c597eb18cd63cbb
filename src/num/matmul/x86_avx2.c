/* Matrix products in AVX2, FMA and F16C: 8 columns to a vector, all types. */
#include "num/matmul/x86_avx2_dot.h"

#include "num/matmul/vector_float.h"
#include "num/matmul/vector_super.h"
#include "num/matmul/vector_kernels.h"

#define THIS_ISA IX_ISA_AVX2
#define SYMBOL(t) ix_matmul_##t##_avx2
#define SYMBOL_ROWS(t) ix_matmul_##t##_rows_avx2

INTEGER_PLANS
FLOAT_PLANS
