/* Scalar arithmetic against what defines it elsewhere: the machine's own instructions and exact
 * integers. */
#include "test.h"

#include "num/contract.h"
#include "num/isa.h"
#include "num/scalar/scalar.h"

/* A bit pattern that is often special: both ends of the exponent range, subnormals, few set bits,
 * zeros, NaN. */
static uint32_t edge_bits(uint64_t *state)
{
    uint64_t r = ix_test_random(state);
    uint32_t bits = (uint32_t)r, fraction = bits & 0x7fffffu, sign = bits & 0x80000000u;
    uint32_t pick = r >> 40 & 0xffu;
    switch (r >> 60) {
    case 0: return sign | (pick % 30u) << 23 | fraction;
    case 1: return sign | (225u + pick % 31u) << 23 | fraction;
    case 2: return sign | pick << 23;
    case 3: return sign | pick << 23 | (0x7fffffu ^ (fraction & 3u));
    case 4: return sign | (fraction & 0xffu);
    case 5: return bits;
    case 6: return sign | pick << 23 | (fraction & (1u << pick % 23u));
    default: return sign | (100u + pick % 55u) << 23 | fraction;
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("fma"))) static float machine_fma(float a, float b, float c)
{
    return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
__attribute__((target("avx,f16c"))) static uint16_t machine_f16(float x)
{
    return (uint16_t)_mm_extract_epi16(_mm_cvtps_ph(_mm_set_ss(x), _MM_FROUND_TO_NEAREST_INT), 0);
}
static float machine_sqrt(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

TEST(num_scalar_fma_equals_the_machine)
{
    if (!ix_isa_present(IX_ISA_AVX2))
        SKIP("this machine has no fma");
    uint64_t state = 1, wrong = 0;
    for (int i = 0; i < 3000000; i++) {
        float a = ix_float(edge_bits(&state)), b = ix_float(edge_bits(&state)),
              c = ix_float(edge_bits(&state));
        if (i % 4 == 0) /* c near -a * b: cancellation, and every kind of tie */
            c = ix_float((ix_bits(a * b) ^ 0x80000000u) + (uint32_t)(i / 4 % 7) - 3u);
        uint32_t want = ix_bits(ix_canonical(machine_fma(a, b, c))), got = ix_bits(ix_fma(a, b, c));
        if (want != got && wrong++ < 5)
            CHECK_MSG(want == got, "fma(%08x, %08x, %08x) is %08x, not %08x", (unsigned)ix_bits(a),
                      (unsigned)ix_bits(b), (unsigned)ix_bits(c), (unsigned)got, (unsigned)want);
    }
    CHECK(wrong == 0);
}

TEST(num_scalar_sqrt_equals_the_machine)
{
    uint64_t wrong = 0;
    for (uint64_t u = 0; u < 1ULL << 32; u += 1021)
        wrong += ix_bits(ix_canonical(machine_sqrt(ix_float((uint32_t)u)))) !=
                 ix_bits(ix_sqrt(ix_float((uint32_t)u)));
    for (uint32_t u = 0; u < 4096; u++) /* subnormals, and the neighbours of squares */
        wrong += ix_bits(machine_sqrt(ix_float(u))) != ix_bits(ix_sqrt(ix_float(u)));
    CHECK(wrong == 0);
}

TEST(num_scalar_f16_equals_the_machine)
{
    if (!ix_isa_present(IX_ISA_AVX2))
        SKIP("this machine has no F16C");
    uint64_t wrong = 0;
    for (uint64_t u = 0; u < 1ULL << 32; u += 509) {
        float x = ix_float((uint32_t)u);
        uint16_t want = ix_is_nan(x) ? IX_F16_NAN_BITS : machine_f16(x);
        wrong += ix_f32_to_f16(x) != want;
    }
    CHECK(wrong == 0);
}
#endif

TEST(num_scalar_half_formats_round_trip)
{
    for (uint32_t h = 0; h < 65536; h++) {
        int f16_nan = (h & 0x7fffu) > 0x7c00u, bf16_nan = (h & 0x7fffu) > 0x7f80u;
        CHECK(ix_f32_to_f16(ix_f16_to_f32((uint16_t)h)) == (f16_nan ? IX_F16_NAN_BITS : h));
        CHECK(ix_f32_to_bf16(ix_bf16_to_f32((uint16_t)h)) == (bf16_nan ? IX_BF16_NAN_BITS : h));
    }
}

TEST(num_scalar_halves_between_two_f16_go_to_even)
{
    for (uint32_t h = 0; h < 0x7bffu; h++) {
        float low = ix_f16_to_f32((uint16_t)h), high = ix_f16_to_f32((uint16_t)(h + 1));
        float middle = (low + high) * 0.5f; /* exact */
        CHECK(ix_f32_to_f16(middle) == (h & 1 ? h + 1 : h));
        CHECK(ix_f32_to_f16(ix_float(ix_bits(middle) + 1)) == h + 1);
        CHECK(ix_f32_to_f16(ix_float(ix_bits(middle) - 1)) == h);
    }
}

TEST(num_scalar_rhe_is_the_nearest_whole_number)
{
    uint64_t state = 7;
    for (int i = 0; i < 200000; i++) {
        float x = ix_float(edge_bits(&state));
        if (!(x > -0x1p40f && x < 0x1p40f))
            continue;
        double whole = ((double)x + 0x1.8p52) - 0x1.8p52;
        CHECK(ix_rhe(x) == (float)whole);
        CHECK(ix_bits(ix_rhe(x)) >> 31 == ix_bits(x) >> 31);
    }
    CHECK(ix_rhe(2.5f) == 2.0f);
    CHECK(ix_rhe(3.5f) == 4.0f);
}

TEST(num_scalar_exp_at_its_edges)
{
    CHECK(ix_exp(0.0f) == 1.0f);
    CHECK(ix_exp(-0.0f) == 1.0f);
    CHECK(ix_bits(ix_exp(-87.0f)) >= 0x00800000u); /* normal */
    CHECK(ix_bits(ix_exp(ix_float(ix_bits(-87.0f) + 1))) == 0);
    CHECK(ix_exp(0x1.62e426p+6f) < ix_float(0x7f800000u));
    CHECK(ix_exp(ix_float(ix_bits(0x1.62e426p+6f) + 1)) == ix_float(0x7f800000u));
    CHECK(ix_bits(ix_exp(ix_float(0xffc12345u))) == IX_F32_NAN_BITS);
    CHECK(ix_bits(ix_exp(ix_float(0xff800000u))) == 0);
    CHECK(ix_exp2_fraction(0.0f) == 1.0f && ix_exp2_fraction(-0.0f) == 1.0f);
}

TEST(num_scalar_odd_functions_are_odd)
{
    uint64_t state = 3;
    for (int i = 0; i < 20000; i++) {
        float x = ix_float(edge_bits(&state) & 0x7fffffffu);
        if (ix_is_nan(x))
            continue;
        CHECK(ix_bits(ix_tanh(-x)) == (ix_bits(ix_tanh(x)) ^ 0x80000000u));
        CHECK(ix_bits(ix_erf(-x)) == (ix_bits(ix_erf(x)) ^ 0x80000000u));
        CHECK(ix_tanh(x) <= 1.0f && ix_erf(x) <= 1.0f);
    }
}

TEST(num_scalar_log_inverts_exp)
{
    for (float x = -80.0f; x < 88.0f; x += 0.37f) {
        float error = ix_log(ix_exp(x)) - x, bound = 0x1p-22f * (x < 0 ? 1.0f - x : 1.0f + x);
        CHECK_MSG(error <= bound && error >= -bound, "x = %g: off by %g", (double)x, (double)error);
    }
    CHECK(ix_bits(ix_log(1.0f)) == 0);
    CHECK(ix_log(ix_float(1)) < -103.2f &&
          ix_log(ix_float(1)) > -103.3f); /* ln 2^-149 = -103.279 */
}

TEST(num_scalar_sine_and_cosine_lie_on_the_circle)
{
    uint64_t state = 5;
    for (int i = 0; i < 20000; i++) {
        float s, c, angle = (float)(ix_test_random(&state) >> 40) + ix_test_random_float(&state);
        ix_sincos(angle, &s, &c);
        double r = (double)s * (double)s + (double)c * (double)c - 1.0;
        CHECK(r < 0x1p-22 && r > -0x1p-22);
    }
    float s, c;
    ix_sincos(0.0f, &s, &c);
    CHECK(ix_bits(s) == 0 && c == 1.0f);
    ix_sincos(0x1p25f, &s, &c);
    CHECK(ix_bits(s) == IX_F32_NAN_BITS && ix_bits(c) == IX_F32_NAN_BITS);
}

TEST(num_scalar_powers_in_double_are_exact_where_they_can_be)
{
    for (int n = -1022; n < 1024; n++) {
        double p = ix_exp2_f64(n);
        CHECK(ix_log2_f64(p) == n);
    }
    float freq[32];
    ix_rope_frequencies(10000.0, 64, NULL, freq);
    CHECK(freq[0] == 1.0f);
    CHECK(freq[16] == 0.01f); /* 10000^(-1/2) */
    CHECK(freq[8] == 0.1f);
    float factor[32];
    for (int i = 0; i < 32; i++)
        factor[i] = 4.0f;
    float scaled[32];
    ix_rope_frequencies(10000.0, 64, factor, scaled);
    for (int i = 0; i < 32; i++)
        CHECK(scaled[i] == freq[i] * 0.25f);
}

/* T by its recursive definition. */
static float tree(const float *s, int64_t n)
{
    if (n == 1)
        return s[0];
    int64_t p = 1;
    while (2 * p < n)
        p *= 2;
    return tree(s, p) + tree(s + p, n - p);
}

TEST(num_scalar_tree_sum_is_the_tree)
{
    float s[70], copy[70];
    uint64_t state = 11;
    for (int64_t n = 1; n <= 70; n++) {
        for (int64_t i = 0; i < n; i++)
            s[i] = copy[i] = ix_test_random_float(&state) * 1e3f;
        float want = tree(copy, n);
        CHECK(ix_bits(ix_tree_sum(s, n)) == ix_bits(want));
    }
}

TEST(num_isa_names_and_choice)
{
    inox_error err = { 0 };
    ix_isa isa = IX_ISA_COUNT;
    CHECK_OK(ix_isa_choose("ref", &isa, &err), &err);
    CHECK(isa == IX_ISA_REF && ix_isa_built(isa) && ix_isa_present(isa));
    isa = IX_ISA_COUNT;
    CHECK(ix_isa_choose("sse9", &isa, &err) == INOX_E_ISA);
    CHECK(strstr(err.message, "sse9") != NULL && isa == IX_ISA_COUNT);
    CHECK(ix_isa_choose("AVX2", &isa, NULL) == INOX_E_ISA); /* names are exact */
    for (int i = 0; i < IX_ISA_COUNT; i++) {
        inox_status status = ix_isa_choose(ix_isa_name((ix_isa)i), &isa, &err);
        CHECK((status == INOX_OK) == (ix_isa_built((ix_isa)i) && ix_isa_present((ix_isa)i)));
        CHECK(status != INOX_OK || isa == (ix_isa)i);
    }
    CHECK(strcmp(ix_isa_name(IX_ISA_AVX512VNNI), "avx512vnni") == 0);
    CHECK(!ix_isa_present(IX_ISA_COUNT) && !ix_isa_built(IX_ISA_COUNT));
}

TEST(num_contract_identity_is_a_sha256)
{
    const char *identity = ix_contract_identity();
    CHECK(strlen(identity) == 64);
    CHECK(strspn(identity, "0123456789abcdef") == 64);
}
