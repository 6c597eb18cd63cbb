/* Matrix products in Advanced SIMD with SDOT: the types of rule C3.  Float types use the kernels of
 * neon. */
#include "num/matmul/arm_dotprod_dot.h"

#include "num/matmul/vector_super.h"
#include "num/matmul/vector_kernels.h"

#define THIS_ISA IX_ISA_DOTPROD
#define SYMBOL(t) ix_matmul_##t##_dotprod
#define SYMBOL_ROWS(t) ix_matmul_##t##_rows_dotprod

INTEGER_PLANS
