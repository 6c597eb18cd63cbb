/* Scalar arithmetic of the contract: fused multiply-add, square root, rounding, conversions, the
 * tree (rules C1, C2, C12).
 *
 * These are definitions, not approximations: every result is the correctly rounded one, found with
 * integers, because the fma of some C libraries rounds twice.  A fast kernel uses the machine's own
 * instruction and is compared with these.
 */
#include "num/scalar/scalar.h"

#include <float.h>
#include <stdbool.h>

#ifdef __FAST_MATH__
#error "the numeric contract forbids -ffast-math"
#endif
_Static_assert(FLT_EVAL_METHOD == 0, "float arithmetic must round to float after every operation");
_Static_assert(FLT_RADIX == 2 && FLT_MANT_DIG == 24 && DBL_MANT_DIG == 53, "binary32 and binary64");

#define INFINITY_BITS 0x7f800000u
#define SIGN_BIT 0x80000000u

/* A finite nonzero magnitude as m * 2^e with 2^23 <= m < 2^24. */
typedef struct {
    uint64_t m;
    int32_t e;
} parts;

static parts split(uint32_t magnitude)
{
    int32_t exponent = (int32_t)(magnitude >> 23);
    uint32_t fraction = magnitude & 0x7fffffu;
    if (exponent != 0)
        return (parts){ fraction | 0x800000u, exponent - 150 };
    int32_t shift = __builtin_clz(fraction) - 8;
    return (parts){ (uint64_t)fraction << shift, -149 - shift };
}

/* m >> n where every bit that falls off is kept as a lowest bit of 1, so that a later rounding sees
 * it. */
static uint64_t shift_right_sticky(uint64_t m, int32_t n)
{
    if (n == 0)
        return m;
    if (n > 63)
        return m != 0;
    return (m >> n) | ((m << (64 - n)) != 0);
}

/* The binary32 magnitude nearest to m * 2^e, halves to even; 0 < m < 2^63. */
static uint32_t round_magnitude(uint64_t m, int32_t e)
{
    int32_t lead = 63 - __builtin_clzll(m);
    int32_t top = e + lead; /* 2^top <= m * 2^e < 2^(top + 1) */
    if (top > 127)
        return INFINITY_BITS;
    bool normal = top >= -126;
    int32_t drop = normal ? lead - 23 : -149 - e; /* bits of m below the last place of the result */
    uint64_t q;
    if (drop <= 0) {
        q = m << -drop;
    } else if (drop > 63) {
        return 0; /* below a quarter of the smallest subnormal */
    } else {
        uint64_t half = 1ULL << (drop - 1), rest = m & (2 * half - 1);
        q = m >> drop;
        q += rest > half || (rest == half && (q & 1));
    }
    /* A carry out of the fraction runs into the exponent field, which is what rounding up means. */
    return normal ? ((uint32_t)(top + 126) << 23) + (uint32_t)q : (uint32_t)q;
}

/* a * b + c where at least one of them is zero, infinite or NaN. */
static float fma_special(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t ma = a & ~SIGN_BIT, mb = b & ~SIGN_BIT, mc = c & ~SIGN_BIT;
    uint32_t sign = (a ^ b) & SIGN_BIT;
    if (ma > INFINITY_BITS || mb > INFINITY_BITS || mc > INFINITY_BITS)
        return ix_float(IX_F32_NAN_BITS);
    if (ma == INFINITY_BITS || mb == INFINITY_BITS) {
        bool opposite = mc == INFINITY_BITS && (c & SIGN_BIT) != sign;
        return ix_float(ma == 0 || mb == 0 || opposite ? IX_F32_NAN_BITS : sign | INFINITY_BITS);
    }
    if (mc == INFINITY_BITS)
        return ix_float(c);
    if (ma == 0 || mb == 0) /* the product is a zero with a sign */
        return ix_float(mc != 0 ? c : sign & c);
    parts x = split(ma),
          y = split(mb); /* c is the zero; the product may round to a zero of its sign */
    return ix_float(sign | round_magnitude(x.m * y.m, x.e + y.e));
}

static bool is_special(uint32_t bits)
{
    return (bits << 1) - 1 >= (INFINITY_BITS << 1) - 1; /* zero wraps to the top */
}

float ix_fma(float a, float b, float c)
{
    uint32_t ab = ix_bits(a), bb = ix_bits(b), cb = ix_bits(c);
    if (is_special(ab) || is_special(bb) || is_special(cb))
        return fma_special(ab, bb, cb);
    parts x = split(ab & ~SIGN_BIT), y = split(bb & ~SIGN_BIT), z = split(cb & ~SIGN_BIT);
    /* Both terms with their leading bit at 60 or 61.  The product has 14 free bits below it and c
     * has 38, so bits are lost into the sticky bit only when the other term is so much larger that
     * nothing cancels: the sticky bit then lies far below the last place of the result. */
    uint64_t p = (x.m * y.m) << 14, q = z.m << 38;
    int32_t pe = x.e + y.e - 14, qe = z.e - 38, e = pe > qe ? pe : qe;
    p = shift_right_sticky(p, e - pe);
    q = shift_right_sticky(q, e - qe);
    uint32_t sign = (ab ^ bb) & SIGN_BIT;
    if (sign == (cb & SIGN_BIT))
        return ix_float(sign | round_magnitude(p + q, e));
    if (p == q)
        return 0.0f; /* an exact difference of zero is +0 */
    return p > q ? ix_float(sign | round_magnitude(p - q, e))
                 : ix_float((sign ^ SIGN_BIT) | round_magnitude(q - p, e));
}

float ix_sqrt(float x)
{
    uint32_t bits = ix_bits(x), magnitude = bits & ~SIGN_BIT;
    if (magnitude == 0)
        return x;
    if (magnitude > INFINITY_BITS || (bits & SIGN_BIT))
        return ix_float(IX_F32_NAN_BITS);
    if (magnitude == INFINITY_BITS)
        return x;
    parts v = split(magnitude);
    /* An even exponent, and 52 or 53 bits, so that the root has 26 and a remainder that decides. */
    int32_t odd = v.e & 1;
    uint64_t m = v.m << (28 + odd), root = 0;
    int32_t e = (v.e - 28 - odd) / 2;
    for (uint64_t bit = 1ULL << 26; bit != 0; bit >>= 1) {
        uint64_t next = root + bit;
        if (next * next <= m)
            root = next;
    }
    return ix_float(round_magnitude(2 * root + (root * root != m), e - 1));
}

float ix_rhe(float x)
{
    uint32_t sign = ix_bits(x) & SIGN_BIT;
    float a = ix_float(ix_bits(x) & ~SIGN_BIT);
    if (ix_is_nan(x))
        return ix_float(IX_F32_NAN_BITS);
    if (a >= 8388608.0f) /* 2^23: already whole */
        return x;
    float whole = (a + 8388608.0f) - 8388608.0f;
    return ix_float(ix_bits(whole) | sign);
}

float ix_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = (h >> 10) & 31u,
             fraction = h & 0x3ffu;
    if (exponent == 31)
        return ix_float(fraction ? IX_F32_NAN_BITS : sign | INFINITY_BITS);
    if (exponent != 0)
        return ix_float(sign | (exponent + 112) << 23 | fraction << 13);
    return ix_float(sign | ix_bits((float)fraction * 0x1p-24f));
}

uint16_t ix_f32_to_f16(float x)
{
    uint32_t bits = ix_bits(x), sign = bits >> 16 & 0x8000u, magnitude = bits & ~SIGN_BIT;
    if (magnitude > INFINITY_BITS)
        return IX_F16_NAN_BITS;
    if (magnitude >= 0x477ff000u) /* 65520, half a place above the largest, and all beyond */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {                   /* below 2^-14: a multiple of 2^-24 */
        float whole = ix_float(magnitude) * 0x1p24f; /* exact */
        return (uint16_t)(sign | (uint32_t)ix_rhe(whole));
    }
    uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
    return (uint16_t)(sign | ((rounded >> 13) - (112u << 10)));
}

float ix_bf16_to_f32(uint16_t h)
{
    return ix_canonical(ix_float((uint32_t)h << 16));
}

uint16_t ix_f32_to_bf16(float x)
{
    uint32_t bits = ix_bits(x);
    if (ix_is_nan(x))
        return IX_BF16_NAN_BITS;
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

float ix_tree_sum(float *s, int64_t n)
{
    /* Adding neighbours at distance 1, 2, 4, ... is T: a subtree of p = 2^j leaves is complete
     * before what lies right of it joins. */
    for (int64_t step = 1; step < n; step *= 2)
        for (int64_t i = 0; i + step < n; i += 2 * step)
            s[i] = s[i] + s[i + step];
    return s[0];
}
