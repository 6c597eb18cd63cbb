/* Matrix products in AVX-512 F, BW, DQ, VL: 16 columns to a vector, all types. */
#define STEP_PANELS 4 /* of float types */

#include "num/matmul/x86_avx512_dot.h"

#include "num/matmul/vector_float.h"
#include "num/matmul/vector_super.h"
#include "num/matmul/vector_kernels.h"

#define THIS_ISA IX_ISA_AVX512
#define SYMBOL(t) ix_matmul_##t##_avx512
#define SYMBOL_ROWS(t) ix_matmul_##t##_rows_avx512

INTEGER_PLANS
FLOAT_PLANS
