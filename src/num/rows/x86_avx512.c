/* Row kernels for AVX-512 F, BW, DQ and VL: vector_rows.h over the vectors of this instruction set.
 */
#include "num/scalar/x86_avx512_math.h"

#define ROW(function) ix_rows_##function##_avx512
#include "num/rows/vector_rows.h"
