/* The fused multiply-add of relaxed SIMD, and the elementary functions.
 *
 * f32x4.relaxed_madd may round once or twice, as the engine's machine has it, always the same on
 * one engine.  The set counts as present only where ix_wasm_madd_is_fused found that it rounds
 * once; elsewhere kernels of simd128 are taken.
 */
#ifndef IX_NUM_SCALAR_WASM_RELAXED_MATH_H
#define IX_NUM_SCALAR_WASM_RELAXED_MATH_H

#include "num/scalar/wasm_vectors.h"

VF_INLINE vf vf_fma(vf a, vf b, vf c)
{
    typedef float f32x4 __attribute__((vector_size(16)));
    return (vf)__builtin_wasm_relaxed_madd_f32x4((f32x4)a, (f32x4)b, (f32x4)c);
}

VF_INLINE float float_fma(float a, float b, float c)
{
    return wasm_f32x4_extract_lane(vf_fma(vf_set(a), vf_set(b), vf_set(c)), 0);
}

#include "num/scalar/vector_math.h"

#endif
