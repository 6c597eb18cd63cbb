/* Scalar arithmetic of the contract: the functions that define single results (C1, C5, C8, C12).
 *
 * Everything here is written with + - * / on binary32, binary64 and integers only, and gives the
 * same bits on every machine that has IEEE 754 arithmetic.  docs/NUMERICS.md has the rules and the
 * polynomials; ref.c is their definition.
 */
#ifndef IX_NUM_SCALAR_H
#define IX_NUM_SCALAR_H

#include <stdint.h>
#include <string.h>

#define IX_F32_NAN_BITS 0x7fc00000u
#define IX_F16_NAN_BITS 0x7e00u
#define IX_BF16_NAN_BITS 0x7fc0u

static inline uint32_t ix_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static inline float ix_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
static inline int ix_is_nan(float x) { return (ix_bits(x) & 0x7fffffffu) > 0x7f800000u; }
/* C11: what is stored.  A NaN becomes the one NaN; -0 stays (callers add +0 where ruled). */
static inline float ix_canonical(float x) { return ix_is_nan(x) ? ix_float(IX_F32_NAN_BITS) : x; }
/* C11 for sums: no negative zero and the one NaN. */
static inline float ix_stored(float x) { return ix_canonical(x + 0.0f); }

/* Fused multiply-add a * b + c with one rounding, on integers: `fma` in every rule. */
float ix_fma(float a, float b, float c);
/* Correctly rounded square root, by integers. */
float ix_sqrt(float x);
/* Nearest integer, halves to even, as a float; NaN and infinities stay. */
float ix_rhe(float x);

/* C12 */
float ix_f16_to_f32(uint16_t h);
uint16_t ix_f32_to_f16(float x);
float ix_bf16_to_f32(uint16_t h);
uint16_t ix_f32_to_bf16(float x);

/* C5 */
float ix_exp(float x);
float ix_log(float x); /* for log-probabilities and the typical sampler */
float ix_tanh(float x);
float ix_sigmoid(float x);   /* 1 / (1 + exp(-x)) */
float ix_silu(float x);      /* x / (1 + exp(-x)) */
float ix_gelu_tanh(float x);
float ix_gelu_erf(float x);
float ix_erf(float x);
float ix_softplus(float x);
/* 2^f for f in [-1/2, 1/2], P of C6; P(0) = 1. */
float ix_exp2_fraction(float f);
/* 2^n exactly for -126 <= n <= 127; +0 below. */
float ix_power_of_two(int32_t n);

/* C8: sin and cos of a binary32 angle, in binary64 by + - * /, rounded to binary32. */
void ix_sincos(float angle, float *sin_out, float *cos_out);
/* C8: inv_freq[i] = float32(base^(-2i/d) / factor[i]), i < d / 2; factor NULL: 1.  In binary64. */
void ix_rope_frequencies(double base, int32_t d, const float *factor, float *inv_freq);
/* 2^x and log2(x) in binary64 by + - * / only: what C8 (powers) stands on. */
double ix_exp2_f64(double x);
double ix_log2_f64(double x);

/* T of rule C2 over n >= 1 values; `s` is overwritten. */
float ix_tree_sum(float *s, int64_t n);

#endif
