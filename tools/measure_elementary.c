/* The largest errors of the elementary functions (rule C5) over every binary32 value of their
 * range.
 *
 *     cc -O2 -mfma -ffp-contract=off -Iinclude -Isrc tools/measure_elementary.c
 * src/num/scalar/ref.c \ -lm -o measure && ./measure [NAME...]
 *
 * The oracle is the C library in binary64, whose own error (about 2^-52) is nothing beside a unit
 * in the last place of binary32; tools/contract_vectors.py --worst checks the worst cases with
 * mpmath.  The results are in docs/NUMERICS.md.  The machine's fma stands in for ix_fma, which
 * tests prove equal.
 */
#include <stdint.h>

static float machine_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#define ix_fma machine_fma
#include "num/scalar/ref_elementary.c"
#undef ix_fma
#include "num/scalar/ref_rotary.c"

#include <math.h>
#include <stdio.h>

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double silu(double x) { return x / (1 + exp(-x)); }
static double gelu_tanh(double x)
{
    /* (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)), which does not cancel */
    double u = 0.79788456080286535588 * (x + 0.044715 * x * x * x);
    return x / (1 + exp(-2 * u));
}
static double gelu_erf(double x) { return 0.5 * x * erfc(-x * 0.70710678118654752440); }
static double softplus(double x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }

typedef struct {
    const char *name;
    float (*f)(float);
    double (*oracle)(double);
    float lo, hi;
    int of_argument; /* 1: the error is counted in units of |x| * 2^-24, where the result cancels */
} row;

static const row ROWS[] = {
    { "exp", ix_exp, exp, -87.0f, 0x1.62e426p+6f, 0 },
    { "exp2_fraction", ix_exp2_fraction, exp2, -0.5f, 0.5f, 0 },
    { "log", ix_log, log, 0x1p-149f, 0x1.fffffep127f, 0 },
    { "tanh", ix_tanh, tanh, 0.0f, 12.0f, 0 },
    { "erf", ix_erf, erf, 0.0f, 6.0f, 0 },
    { "sigmoid", ix_sigmoid, sigmoid, -87.0f, 100.0f, 0 },
    { "silu", ix_silu, silu, -87.0f, 100.0f, 0 },
    { "gelu_tanh", ix_gelu_tanh, gelu_tanh, -20.0f, 100.0f, 1 },
    { "gelu_erf", ix_gelu_erf, gelu_erf, -20.0f, 100.0f, 1 },
    { "softplus", ix_softplus, softplus, -87.0f, 100.0f, 0 },
};

/* A unit in the last place of binary32 at the binade of y. */
static double ulp(double y)
{
    int e;
    frexp(y, &e);
    return ldexp(1.0, e - 24 < -149 ? -149 : e - 24);
}

/* Over all x = sign * bits in [from, to]. */
static void sweep(const row *r, uint32_t sign, uint32_t from, uint32_t to, double *worst, float *at)
{
    for (uint64_t b = from; b <= to; b++) {
        float x = ix_float((uint32_t)b | sign);
        double y = r->oracle((double)x), got = (double)r->f(x);
        double error =
            fabs(got - y) / (r->of_argument ? fabs((double)x) * 0x1p-24 + 0x1p-149 : ulp(y));
        if (!(error <= *worst)) {
            *worst = error;
            *at = x;
        }
    }
}

static void measure(const row *r)
{
    double worst = 0;
    float at = 0;
    uint32_t lo = ix_bits(r->lo < 0 ? 0.0f : r->lo);
    sweep(r, 0, lo, ix_bits(r->hi), &worst, &at);
    if (r->lo < 0)
        sweep(r, 0x80000000u, 0, ix_bits(-r->lo), &worst, &at);
    printf("%-14s [%g, %g]  largest error %.4f %s at %a\n", r->name, (double)r->lo, (double)r->hi,
           worst, r->of_argument ? "|x| 2^-24" : "ulp", (double)at);
    fflush(stdout);
}

/* Rotary angles of a long context: how often sine and cosine are not the correctly rounded ones. */
static void measure_sincos(void)
{
    float freq[64];
    uint64_t all = 0, wrong = 0;
    double worst = 0;
    ix_rope_frequencies(500000.0, 128, NULL, freq);
    for (int32_t p = 0; p < 131072; p++) {
        for (int i = 0; i < 64; i++, all += 2) {
            float angle = (float)p * freq[i], s, c;
            ix_sincos(angle, &s, &c);
            long double exact_s = sinl((long double)angle), exact_c = cosl((long double)angle);
            wrong += (s != (float)exact_s) + (c != (float)exact_c);
            worst = fmax(worst, fabs((double)((long double)s - exact_s)) / ulp((double)exact_s));
            worst = fmax(worst, fabs((double)((long double)c - exact_c)) / ulp((double)exact_c));
        }
    }
    printf("sincos         %llu values, %llu not correctly rounded, largest error %.4f ulp\n",
           (unsigned long long)all, (unsigned long long)wrong, worst);
    fflush(stdout);
}

/* Frequencies against powl, correctly rounded, for common bases and widths. */
static void measure_frequencies(void)
{
    static const double BASES[] = { 10000, 100000, 500000, 1000000, 5000000, 10000000, 8192, 2 };
    uint64_t all = 0, wrong = 0;
    for (size_t b = 0; b < sizeof BASES / sizeof *BASES; b++) {
        for (int32_t d = 2; d <= 512; d += 2) {
            float freq[256];
            ix_rope_frequencies(BASES[b], d, NULL, freq);
            for (int i = 0; i < d / 2; i++, all++)
                wrong += freq[i] != (float)powl((long double)BASES[b], -2.0L * i / d);
        }
    }
    printf("frequencies    %llu values, %llu not correctly rounded\n", (unsigned long long)all,
           (unsigned long long)wrong);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "sincos") == 0) {
        measure_sincos();
        measure_frequencies();
    }
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        int wanted = argc < 2;
        for (int j = 1; j < argc; j++)
            wanted |= strcmp(argv[j], ROWS[i].name) == 0;
        if (wanted)
            measure(&ROWS[i]);
    }
    return 0;
}
