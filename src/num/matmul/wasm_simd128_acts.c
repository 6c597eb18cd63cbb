/* Packing of activations for all WebAssembly kernels: four floats at a time. */
#include <stdint.h>
#include <wasm_simd128.h>

static uint32_t largest(const float *x, int count)
{
    const v128_t magnitude = wasm_i32x4_const_splat(0x7fffffff);
    v128_t top = wasm_i32x4_const_splat(0);
    for (int i = 0; i < count; i += 4)
        top = wasm_u32x4_max(top, wasm_v128_and(wasm_v128_load(x + i), magnitude));
    top = wasm_u32x4_max(top, wasm_i32x4_shuffle(top, top, 2, 3, 2, 3));
    top = wasm_u32x4_max(top, wasm_i32x4_shuffle(top, top, 1, 1, 1, 1));
    return (uint32_t)wasm_i32x4_extract_lane(top, 0);
}

static void quantize_32(const float *x, float r, int32_t words[8], int32_t sums[2])
{
    v128_t q[8];
    for (int i = 0; i < 8; i++) {
        v128_t v = wasm_f32x4_mul(wasm_v128_load(x + 4 * i), wasm_f32x4_splat(r));
        q[i] = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(v));
    }
    for (int i = 0; i < 2; i++) {
        v128_t low = wasm_i16x8_narrow_i32x4(q[4 * i], q[4 * i + 1]);
        v128_t high = wasm_i16x8_narrow_i32x4(q[4 * i + 2], q[4 * i + 3]);
        v128_t s = wasm_i32x4_extadd_pairwise_i16x8(wasm_i16x8_add(low, high));
        s = wasm_i32x4_add(s, wasm_i32x4_shuffle(s, s, 2, 3, 2, 3));
        sums[i] = wasm_i32x4_extract_lane(s, 0) + wasm_i32x4_extract_lane(s, 1);
        wasm_v128_store(words + 4 * i, wasm_i8x16_narrow_i16x8(low, high));
    }
}

#include "num/matmul/vector_acts.h"
