/* Row kernels for AVX2, FMA and F16C: vector_rows.h over the vectors of this instruction set. */
#include "num/scalar/x86_avx2_math.h"

#define ROW(function) ix_rows_##function##_avx2
#include "num/rows/vector_rows.h"
