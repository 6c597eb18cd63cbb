/* Row kernels for WebAssembly's set `relaxed`: vector_rows.h over its vectors. */
#include "num/scalar/wasm_relaxed_math.h"

#define ROW(function) ix_rows_##function##_relaxed
#include "num/rows/vector_rows.h"
