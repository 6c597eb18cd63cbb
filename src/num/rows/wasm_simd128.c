/* Row kernels for WebAssembly's set `simd128`: vector_rows.h over its vectors. */
#include "num/scalar/wasm_simd128_math.h"

#define ROW(function) ix_rows_##function##_simd128
#include "num/rows/vector_rows.h"
