/* Matrix products in AVX-512 with VNNI: the types of rule C3.  Float types use the kernels of
 * avx512. */
#include "num/matmul/x86_avx512vnni_dot.h"

#include "num/matmul/vector_super.h"
#include "num/matmul/vector_kernels.h"

#define THIS_ISA IX_ISA_AVX512VNNI
#define SYMBOL(t) ix_matmul_##t##_avx512vnni
#define SYMBOL_ROWS(t) ix_matmul_##t##_rows_avx512vnni

INTEGER_PLANS
