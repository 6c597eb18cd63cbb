/* The same names as x86_avx512_bytes.h and x86_avx512_dot.h over 4 columns, in SIMD128.
 *
 * A file of an instruction set includes its vectors (num/scalar/wasm_<set>_math.h) before this.
 * Relaxed SIMD's i32x4.relaxed_dot_i8x16_i7x16_add is not used: one operand has to be in 0..127,
 * and moving the signs there, with -128 apart, took longer (V8, x86-64) than the products below.
 */
#ifndef IX_NUM_MATMUL_WASM_DOT_H
#define IX_NUM_MATMUL_WASM_DOT_H

#define MAX_TILE 4
#define FLOAT_TILE 2
#define FLOAT_TILE_OF_TWO 1
#define WEIGHT_OFFSET 0

/* The bytes 0 and 2 of each word as 16 bits, and the bytes 1 and 3. */
typedef struct vw {
    v128_t even, odd;
} vw;

VF_INLINE vi vi_load(const void *p)
{
    return wasm_v128_load(p);
}
VF_INLINE void vi_store(void *p, vi v)
{
    wasm_v128_store(p, v);
}
VF_INLINE vi vi_word(const void *p)
{
    return wasm_v128_load32_splat(p);
}
VF_INLINE vf vf_word(const void *p)
{
    return wasm_v128_load32_splat(p);
}
VF_INLINE vi vi_bytes(int byte)
{
    return wasm_i8x16_splat((int8_t)byte);
}
VF_INLINE vi vi_add_bytes(vi a, vi b)
{
    return wasm_i8x16_add(a, b);
}
VF_INLINE vi vi_mul(vi a, vi b)
{
    return wasm_i32x4_mul(a, b);
}
VF_INLINE vi vi_field(vi a, int shift, int mask)
{
    vi v = shift < 0 ? wasm_i16x8_shl(a, (uint32_t)-shift) : wasm_u16x8_shr(a, (uint32_t)shift);
    return vi_and(v, vi_bytes(mask));
}
VF_INLINE vi vi_mul_bytes(vi a, vi b)
{
    vi even = vi_and(wasm_i16x8_mul(a, b), wasm_i16x8_const_splat(0xff));
    vi odd = wasm_i16x8_mul(wasm_u16x8_shr(a, 8), wasm_u16x8_shr(b, 8));
    return vi_or(even, wasm_i16x8_shl(odd, 8));
}
VF_INLINE vi vi_look_up(const int8_t table[16], int offset, vi index)
{
    return wasm_i8x16_swizzle(vi_add_bytes(vi_load(table), vi_bytes(offset)), index);
}
VF_INLINE vi vi_widen_s8(const void *p)
{
    return wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(p)));
}
VF_INLINE vi vi_widen_u8(const void *p)
{
    return wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p)));
}
VF_INLINE vi vi_widen_pairs(const void *p)
{
    return wasm_u16x8_load8x8(p);
}
VF_INLINE vi vi_of_pairs(vi pairs, int second)
{
    vi low = vi_and(pairs, wasm_i32x4_const_splat(0xffff));
    return second ? wasm_u32x4_shr(pairs, 16) : low;
}

VF_INLINE vw vw_of(vi q)
{
    return (vw){ wasm_i16x8_shr(wasm_i16x8_shl(q, 8), 8), wasm_i16x8_shr(q, 8) };
}
VF_INLINE vi vi_dot4(vi acc, vw w, const void *a)
{
    vw x = vw_of(vi_word(a));
    acc = wasm_i32x4_add(acc, wasm_i32x4_dot_i16x8(w.even, x.even));
    return wasm_i32x4_add(acc, wasm_i32x4_dot_i16x8(w.odd, x.odd));
}
VF_INLINE vi vi_dot2(vi acc, vi pairs, const void *a)
{
    return wasm_i32x4_add(acc, wasm_i32x4_dot_i16x8(pairs, vi_word(a)));
}

#endif
