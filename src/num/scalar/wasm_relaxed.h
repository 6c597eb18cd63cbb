/* What relaxed SIMD leaves to the engine. */
#ifndef IX_NUM_SCALAR_WASM_RELAXED_H
#define IX_NUM_SCALAR_WASM_RELAXED_H

#include <stdbool.h>

/* Whether f32x4.relaxed_madd gives the bits of ix_fma, on cases that tell.  Where it rounds twice,
 * or loses subnormal numbers, the set `relaxed` is not present. */
bool ix_wasm_madd_is_fused(void);

#endif
