/* Row kernels for AArch64: vector_rows.h over the vectors of Advanced SIMD. */
#include "num/scalar/arm_neon_math.h"

#define ROW(function) ix_rows_##function##_neon
#include "num/rows/vector_rows.h"
