/* Matrix products in AVX2 with AVX-VNNI, for processors without AVX-512: the types of rule C3.
 * Float types use the kernels of avx2. */
#include "num/matmul/x86_avxvnni_dot.h"

#include "num/matmul/vector_super.h"
#include "num/matmul/vector_kernels.h"

#define THIS_ISA IX_ISA_AVXVNNI
#define SYMBOL(t) ix_matmul_##t##_avxvnni
#define SYMBOL_ROWS(t) ix_matmul_##t##_rows_avxvnni

INTEGER_PLANS
