/* The elementary functions over vectors (rules C5, C6, C11): ref_elementary.c line by line, with a
 * select where that has a branch.
 *
 * Included by x86_<isa>_math.h, which defines the vectors; not to be included alone.  A NaN gives a
 * NaN with any payload: kernels store through vf_canonical.
 */
#ifndef IX_NUM_SCALAR_VECTOR_MATH_H
#define IX_NUM_SCALAR_VECTOR_MATH_H

/* Before a loop of at most 8 turns whose number is known where it is
 * inlined: registers have no index. */
#ifdef __clang__
#define VF_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VF_UNROLL _Pragma("GCC unroll 16")
#endif

/* Up to a whole vector, of which `n` >= 1 lanes are left. */
VF_INLINE vf vf_load_part(const float *x, int64_t n)
{
    return n >= VF_LANES ? vf_load(x) : vf_load_n(x, n);
}
VF_INLINE void vf_store_part(float *y, vf v, int64_t n)
{
    if (n >= VF_LANES)
        vf_store(y, v);
    else
        vf_store_n(y, v, n);
}
VF_INLINE void vf_store_f16_part(uint16_t *y, vf v, int64_t n)
{
    if (n >= VF_LANES)
        vf_store_f16(y, v);
    else
        vf_store_f16_n(y, v, n);
}

/* C11: the one NaN. */
VF_INLINE vf vf_canonical(vf x)
{
    return vf_select(vf_is_nan(x), vf_of_bits(vi_set((int32_t)IX_F32_NAN_BITS)), x);
}

VF_INLINE vf vf_absolute(vf x)
{
    return vf_of_bits(vi_and(vi_of_bits(x), vi_set(0x7fffffff)));
}

VF_INLINE vf vf_negative(vf x)
{
    return vf_of_bits(vi_xor(vi_of_bits(x), vi_set(INT32_MIN)));
}

VF_INLINE vf vf_with_sign_of(vf magnitude, vf x)
{
    return vf_of_bits(vi_or(vi_of_bits(magnitude), vi_and(vi_of_bits(x), vi_set(INT32_MIN))));
}

/* One step of a polynomial: p * x + c. */
VF_INLINE vf vf_step(vf p, vf x, float c)
{
    return vf_fma(p, x, vf_set(c));
}

VF_INLINE vf vf_exp(vf x)
{
    vf n = vf_rhe(vf_mul(x, vf_set(0x1.715476p+0f)));
    vf r = vf_fma(n, vf_set(-0x1.62e43p-1f), x);
    r = vf_fma(n, vf_set(0x1.05c61p-29f), r);
    vf p = vf_set(0x1.6a524ep-10f);
    p = vf_step(p, r, 0x1.12396ep-7f);
    p = vf_step(p, r, 0x1.5558aap-5f);
    p = vf_step(p, r, 0x1.555492p-3f);
    p = vf_step(p, r, 0x1.fffffcp-2f);
    p = vf_step(p, r, 1.0f);
    p = vf_step(p, r, 1.0f);
    /* A NaN passes: its n converts to 2^31, of which the shift leaves nothing. */
    vf y = vf_of_bits(vi_add(vi_of_bits(p), vi_shift_left(vi_of_float(n), 23)));
    y = vf_select(vf_less(x, vf_set(-87.0f)), vf_set(0.0f), y);
    return vf_select(vf_less(vf_set(0x1.62e426p+6f), x), vf_of_bits(vi_set(0x7f800000)), y);
}

VF_INLINE vf vf_tanh(vf x)
{
    vf one = vf_set(1.0f);
    vf a = vf_absolute(x);
    vf z = vf_mul(a, a);
    vf q = vf_set(-0x1.750ce4p-8f);
    q = vf_step(q, z, 0x1.51f8cep-6f);
    q = vf_step(q, z, -0x1.b835a4p-5f);
    q = vf_step(q, z, 0x1.1106f6p-3f);
    q = vf_step(q, z, -0x1.555532p-2f);
    vf near_zero = vf_fma(vf_mul(a, z), q, a);
    vf beyond = vf_sub(one, vf_div(vf_set(2.0f), vf_add(vf_exp(vf_add(a, a)), one)));
    return vf_with_sign_of(vf_select(vf_less(a, vf_set(0.625f)), near_zero, beyond), x);
}

VF_INLINE vf vf_sigmoid(vf x)
{
    vf one = vf_set(1.0f);
    return vf_div(one, vf_add(one, vf_exp(vf_negative(x))));
}

VF_INLINE vf vf_silu(vf x)
{
    return vf_div(x, vf_add(vf_set(1.0f), vf_exp(vf_negative(x))));
}

VF_INLINE vf vf_erf(vf x)
{
    vf a = vf_absolute(x);
    vf z = vf_mul(a, a);
    vf q = vf_set(0x1.4f3dfep-14f);
    q = vf_step(q, z, -0x1.a6023p-11f);
    q = vf_step(q, z, 0x1.5449a2p-8f);
    q = vf_step(q, z, -0x1.b80116p-6f);
    q = vf_step(q, z, 0x1.ce2d64p-4f);
    q = vf_step(q, z, -0x1.81274p-2f);
    q = vf_step(q, z, 0x1.06eba8p-3f);
    vf near_zero = vf_fma(a, q, a);
    vf b = vf_select(vf_less(vf_set(4.0f), a), vf_set(4.0f), a);
    q = vf_set(0x1.9a769p-13f);
    q = vf_step(q, b, -0x1.8e9adp-9f);
    q = vf_step(q, b, 0x1.6c071cp-6f);
    q = vf_step(q, b, -0x1.a9a1cap-4f);
    q = vf_step(q, b, -0x1.463f6p-1f);
    q = vf_step(q, b, -0x1.20ae92p+0f);
    q = vf_step(q, b, -0x1.a0663cp-13f);
    vf beyond = vf_sub(vf_set(1.0f), vf_exp(q));
    return vf_with_sign_of(vf_select(vf_less(a, vf_set(0.921875f)), near_zero, beyond), x);
}

VF_INLINE vf vf_gelu_tanh(vf x)
{
    vf cubic = vf_fma(vf_mul(vf_set(0x1.6e4e26p-5f), vf_mul(x, x)), x, x);
    vf inner = vf_mul(vf_set(0x1.988454p-1f), cubic);
    return vf_mul(vf_mul(vf_set(0.5f), x), vf_add(vf_set(1.0f), vf_tanh(inner)));
}

VF_INLINE vf vf_gelu_erf(vf x)
{
    vf inner = vf_mul(vf_set(0x1.6a09e6p-1f), x);
    return vf_mul(vf_mul(vf_set(0.5f), x), vf_add(vf_set(1.0f), vf_erf(inner)));
}

/* P of C6: 2^f for f in [-1/2, 1/2]. */
VF_INLINE vf vf_exp2_fraction(vf f)
{
    vf p = vf_set(0x1.416b52p-13f);
    p = vf_step(p, f, 0x1.5f082ep-10f);
    p = vf_step(p, f, 0x1.3b2dep-7f);
    p = vf_step(p, f, 0x1.c6af7cp-5f);
    p = vf_step(p, f, 0x1.ebfbdcp-3f);
    p = vf_step(p, f, 0x1.62e43p-1f);
    return vf_step(p, f, 1.0f);
}

/* 2^n for integers n in [-126, 127]. */
VF_INLINE vf vf_power_of_two(vf n)
{
    return vf_of_bits(vi_shift_left(vi_add(vi_of_float(n), vi_set(127)), 23));
}

#endif
