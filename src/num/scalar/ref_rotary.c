/* Sines, cosines and powers for rotary positions (rule C8), in binary64 by + - * / only.
 *
 * Computed once on the host and uploaded wherever they are needed.  No fused multiply-add and no
 * libm: every operation below rounds to binary64 on its own, in the order that is written.
 */
#include "num/scalar/scalar.h"

#include <float.h>

_Static_assert(FLT_EVAL_METHOD == 0,
               "double arithmetic must round to double after every operation");

/* Adding and subtracting 1.5 * 2^52 rounds to the nearest whole number, halves to even. */
static double round_to_whole(double x)
{
    return (x + 0x1.8p52) - 0x1.8p52;
}

static double sin_polynomial(double r, double z)
{
    double p = 0x1.952c77030ad4ap-49; /* Taylor: +-1 / (2j + 1)! */
    p = p * z + -0x1.ae7f3e733b81fp-41;
    p = p * z + 0x1.6124613a86d09p-33;
    p = p * z + -0x1.ae64567f544e4p-26;
    p = p * z + 0x1.71de3a556c734p-19;
    p = p * z + -0x1.a01a01a01a01ap-13;
    p = p * z + 0x1.1111111111111p-7;
    p = p * z + -0x1.5555555555555p-3;
    return r + (r * z) * p;
}

static double cos_polynomial(double z)
{
    double p = 0x1.ae7f3e733b81fp-45; /* Taylor: +-1 / (2j)! */
    p = p * z + -0x1.93974a8c07c9dp-37;
    p = p * z + 0x1.1eed8eff8d898p-29;
    p = p * z + -0x1.27e4fb7789f5cp-22;
    p = p * z + 0x1.a01a01a01a01ap-16;
    p = p * z + -0x1.6c16c16c16c17p-10;
    p = p * z + 0x1.5555555555555p-5;
    p = p * z + -0x1p-1;
    return 1.0 + z * p;
}

void ix_sincos(float angle, float *sin_out, float *cos_out)
{
    uint32_t magnitude = ix_bits(angle) & 0x7fffffffu;
    if (magnitude >= 0x4c000000u) { /* 2^25, infinite or NaN: outside the domain */
        *sin_out = *cos_out = ix_float(IX_F32_NAN_BITS);
        return;
    }
    /* r = x - n * pi/2 with pi/2 in four parts; n has at most 25 bits and the first three parts
     * have 28 each, so their products are exact. */
    double x = (double)angle;
    double n = round_to_whole(x * 0x1.45f306dc9c883p-1);
    double r = x - n * 0x1.921fb54p+0;
    r = r - n * 0x1.10b461p-30;
    r = r - n * 0x1.a62632p-58;
    r = r - n * 0x1.145c06e0e6894p-82;
    double z = r * r;
    double s = sin_polynomial(r, z), c = cos_polynomial(z);
    switch ((int32_t)n & 3) {
    case 0: *sin_out = (float)s, *cos_out = (float)c; break;
    case 1: *sin_out = (float)c, *cos_out = (float)-s; break;
    case 2: *sin_out = (float)-s, *cos_out = (float)-c; break;
    default: *sin_out = (float)-c, *cos_out = (float)s; break;
    }
}

static uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static double double_of(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}
#define F64_NAN 0x7ff8000000000000u
#define F64_INFINITY 0x7ff0000000000000u

double ix_exp2_f64(double x)
{
    if (x != x)
        return double_of(F64_NAN);
    if (x < -1022.0)
        return 0.0;
    if (x >= 1023.5)
        return double_of(F64_INFINITY);
    double n = round_to_whole(x), f = x - n;
    double p = 0x1.314964d5878a9p-44; /* Taylor: (ln 2)^j / j! */
    p = p * f + 0x1.816193166d0f9p-40;
    p = p * f + 0x1.c3bd650fc2986p-36;
    p = p * f + 0x1.e8cac7351bb25p-32;
    p = p * f + 0x1.e4cf5158b8ecap-28;
    p = p * f + 0x1.b5253d395e7c4p-24;
    p = p * f + 0x1.62c0223a5c824p-20;
    p = p * f + 0x1.ffcbfc588b0c7p-17;
    p = p * f + 0x1.430912f86c787p-13;
    p = p * f + 0x1.5d87fe78a6731p-10;
    p = p * f + 0x1.3b2ab6fba4e77p-7;
    p = p * f + 0x1.c6b08d704a0c0p-5;
    p = p * f + 0x1.ebfbdff82c58fp-3;
    p = p * f + 0x1.62e42fefa39efp-1;
    p = p * f + 1.0;
    return double_of(bits_of(p) + ((uint64_t)(int64_t)n << 52));
}

double ix_log2_f64(double x)
{
    uint64_t bits = bits_of(x);
    if (bits << 1 == 0)
        return double_of(F64_INFINITY | 1ULL << 63);
    if (x != x || bits >> 63)
        return double_of(F64_NAN);
    if (bits == F64_INFINITY)
        return x;
    int64_t k = 0;
    if (bits < 0x0010000000000000u) { /* subnormal */
        bits = bits_of(x * 0x1p54);
        k = -54;
    }
    /* x = 2^k * m with sqrt(1/2) <= m < sqrt(2); log2(m) = 2 / ln 2 * atanh((m - 1) / (m + 1)) */
    int64_t up = ((int64_t)bits - 0x3fe6a09e667f3bcd) >> 52;
    double m = double_of(bits - ((uint64_t)up << 52));
    double s = (m - 1.0) / (m + 1.0), z = s * s;
    double p = 0x1.00ecd7e080215p-3; /* 2 / ((2j + 1) ln 2) */
    p = p * z + 0x1.1964ec6fc9491p-3;
    p = p * z + 0x1.3703c1f4d0ffep-3;
    p = p * z + 0x1.5b9ac9b743f0dp-3;
    p = p * z + 0x1.89f3b1694cffep-3;
    p = p * z + 0x1.c68f568d31760p-3;
    p = p * z + 0x1.0c9a84994022dp-2;
    p = p * z + 0x1.484b13d7c02a9p-2;
    p = p * z + 0x1.a61762a7aded9p-2;
    p = p * z + 0x1.2776c50ef9bfep-1;
    p = p * z + 0x1.ec709dc3a03fdp-1;
    p = p * z + 0x1.71547652b82fep+1;
    return (double)(k + up) + s * p;
}

void ix_rope_frequencies(double base, int32_t d, const float *factor, float *inv_freq)
{
    double log2_base = ix_log2_f64(base);
    for (int32_t i = 0; i < d / 2; i++) {
        double power = ix_exp2_f64(log2_base * ((double)(-2 * (int64_t)i) / (double)d));
        inv_freq[i] = (float)(power / (factor ? (double)factor[i] : 1.0));
    }
}
