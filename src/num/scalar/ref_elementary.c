/* Elementary functions (rule C5) and the power of two of attention (P of rule C6).
 *
 * Each is a written sequence of correctly rounded binary32 operations: +, -, *, /, fma, and integer
 * arithmetic on the bits.  Every line is one operation, so that a vector version is the same lines
 * with a select where this file has a branch.  Coefficients come from tools/minimax.py and are part
 * of the contract, as is the order of operations; docs/NUMERICS.md has both, and the measured
 * errors.
 */
#include "num/scalar/scalar.h"

#define SIGN_BIT 0x80000000u

static const float LOG2_E = 0x1.715476p+0f;
/* ln 2 in two parts: n * LN2_HIGH is subtracted exactly by one fma for every n that occurs. */
static const float LN2_HIGH = 0x1.62e43p-1f;
static const float LN2_LOW = -0x1.05c61p-29f;

static float absolute(float x)
{
    return ix_float(ix_bits(x) & ~SIGN_BIT);
}
static float with_sign_of(float magnitude, float x)
{
    return ix_float(ix_bits(magnitude) | (ix_bits(x) & SIGN_BIT));
}

float ix_exp(float x)
{
    if (ix_is_nan(x))
        return ix_float(IX_F32_NAN_BITS);
    if (x < -87.0f)
        return 0.0f;
    if (x > 0x1.62e426p+6f) /* binary32 of 88.7228 */
        return ix_float(0x7f800000u);
    float n = ix_rhe(x * LOG2_E); /* -126 .. 128 */
    float r = ix_fma(n, -LN2_HIGH, x);
    r = ix_fma(n, -LN2_LOW, r);
    float p = 0x1.6a524ep-10f;
    p = ix_fma(p, r, 0x1.12396ep-7f);
    p = ix_fma(p, r, 0x1.5558aap-5f);
    p = ix_fma(p, r, 0x1.555492p-3f);
    p = ix_fma(p, r, 0x1.fffffcp-2f);
    p = ix_fma(p, r, 1.0f);
    p = ix_fma(p, r, 1.0f);
    /* Into the exponent field: exact, and the only way to n = 128, where p is below 1. */
    return ix_float(ix_bits(p) + ((uint32_t)(int32_t)n << 23));
}

float ix_log(float x)
{
    uint32_t bits = ix_bits(x);
    if ((bits & ~SIGN_BIT) == 0)
        return ix_float(0xff800000u);
    if (ix_is_nan(x) || (bits & SIGN_BIT))
        return ix_float(IX_F32_NAN_BITS);
    if (bits == 0x7f800000u)
        return x;
    int32_t k = 0;
    if (bits < 0x00800000u) { /* subnormal */
        bits = ix_bits(x * 0x1p23f);
        k = -23;
    }
    /* x = 2^k * m, sqrt(1/2) <= m < sqrt(2) */
    int32_t up = ((int32_t)bits - 0x3f3504f3) >> 23;
    float f = ix_float(bits - ((uint32_t)up << 23)) - 1.0f; /* exact */
    float n = (float)(k + up);
    float q = -0x1.385102p-4f;
    q = ix_fma(q, f, 0x1.087d9p-3f);
    q = ix_fma(q, f, -0x1.0f4cb2p-3f);
    q = ix_fma(q, f, 0x1.226b34p-3f);
    q = ix_fma(q, f, -0x1.542422p-3f);
    q = ix_fma(q, f, 0x1.99a428p-3f);
    q = ix_fma(q, f, -0x1.000438p-2f);
    q = ix_fma(q, f, 0x1.55555p-2f);
    q = ix_fma(q, f, -0x1.fffff8p-2f);
    float p = ix_fma(f * f, q, f);
    p = ix_fma(n, LN2_LOW, p);
    return ix_fma(n, LN2_HIGH, p);
}

float ix_tanh(float x)
{
    if (ix_is_nan(x))
        return ix_float(IX_F32_NAN_BITS);
    float a = absolute(x);
    if (a < 0.625f) {
        float z = a * a;
        float q = -0x1.750ce4p-8f;
        q = ix_fma(q, z, 0x1.51f8cep-6f);
        q = ix_fma(q, z, -0x1.b835a4p-5f);
        q = ix_fma(q, z, 0x1.1106f6p-3f);
        q = ix_fma(q, z, -0x1.555532p-2f);
        return with_sign_of(ix_fma(a * z, q, a), x);
    }
    return with_sign_of(1.0f - 2.0f / (ix_exp(a + a) + 1.0f), x);
}

float ix_sigmoid(float x)
{
    return ix_canonical(1.0f / (1.0f + ix_exp(-x)));
}

float ix_silu(float x)
{
    return ix_canonical(x / (1.0f + ix_exp(-x)));
}

float ix_erf(float x)
{
    if (ix_is_nan(x))
        return ix_float(IX_F32_NAN_BITS);
    float a = absolute(x);
    if (a < 0.921875f) {
        float z = a * a;
        float q = 0x1.4f3dfep-14f;
        q = ix_fma(q, z, -0x1.a6023p-11f);
        q = ix_fma(q, z, 0x1.5449a2p-8f);
        q = ix_fma(q, z, -0x1.b80116p-6f);
        q = ix_fma(q, z, 0x1.ce2d64p-4f);
        q = ix_fma(q, z, -0x1.81274p-2f);
        q = ix_fma(q, z, 0x1.06eba8p-3f);
        return with_sign_of(ix_fma(a, q, a), x);
    }
    if (a > 4.0f)
        a = 4.0f;
    float q = 0x1.9a769p-13f; /* towards log(1 - erf(a)) */
    q = ix_fma(q, a, -0x1.8e9adp-9f);
    q = ix_fma(q, a, 0x1.6c071cp-6f);
    q = ix_fma(q, a, -0x1.a9a1cap-4f);
    q = ix_fma(q, a, -0x1.463f6p-1f);
    q = ix_fma(q, a, -0x1.20ae92p+0f);
    q = ix_fma(q, a, -0x1.a0663cp-13f);
    return with_sign_of(1.0f - ix_exp(q), x);
}

float ix_gelu_tanh(float x)
{
    /* x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) */
    float inner = 0x1.988454p-1f * ix_fma(0x1.6e4e26p-5f * (x * x), x, x);
    return ix_canonical((0.5f * x) * (1.0f + ix_tanh(inner)));
}

float ix_gelu_erf(float x)
{
    /* x / 2 * (1 + erf(x / sqrt(2))) */
    return ix_canonical((0.5f * x) * (1.0f + ix_erf(0x1.6a09e6p-1f * x)));
}

float ix_softplus(float x)
{
    /* max(x, 0) + log(1 + u), u = exp(-|x|).  The quotient makes up for what 1 + u rounded away. */
    if (ix_is_nan(x))
        return ix_float(IX_F32_NAN_BITS);
    float u = ix_exp(-absolute(x));
    float w = 1.0f + u;
    float tail = w == 1.0f ? u : ix_log(w) * (u / (w - 1.0f));
    return (x > 0.0f ? x : 0.0f) + tail;
}

float ix_exp2_fraction(float f)
{
    float p = 0x1.416b52p-13f;
    p = ix_fma(p, f, 0x1.5f082ep-10f);
    p = ix_fma(p, f, 0x1.3b2dep-7f);
    p = ix_fma(p, f, 0x1.c6af7cp-5f);
    p = ix_fma(p, f, 0x1.ebfbdcp-3f);
    p = ix_fma(p, f, 0x1.62e43p-1f);
    return ix_fma(p, f, 1.0f);
}

float ix_power_of_two(int32_t n)
{
    if (n < -126)
        return 0.0f;
    if (n > 127)
        return ix_float(0x7f800000u);
    return ix_float((uint32_t)(n + 127) << 23);
}
