/* Row kernels of every instruction set: what the rules promise beyond equality with the vectors. */
#include "test.h"

#include "num/rows/rows.h"
#include "num/scalar/scalar.h"

#define N 2300

static float X[N], W[N], B[N], Y[N], Z[N];

static void fill(uint64_t seed)
{
    uint64_t state = seed;
    for (int i = 0; i < N; i++) {
        X[i] = ix_test_random_float(&state);
        W[i] = ix_test_random_float(&state);
        B[i] = ix_test_random_float(&state);
    }
}

/* The next table that this machine runs, from *isa on. */
static const ix_row_kernels *next_table(int *isa)
{
    for (; *isa < IX_ISA_COUNT; (*isa)++)
        if (ix_isa_built((ix_isa)*isa) && ix_isa_present((ix_isa)*isa))
            return ix_row_kernels_for((ix_isa)(*isa)++);
    return NULL;
}

/* C4 written the long way: every lane collected on its own, blocks joined by ix_tree_sum. */
static float sum_by_lanes(const float *x, int64_t n, bool squares)
{
    float block[N / 1024 + 1];
    int64_t blocks = 0;
    for (int64_t first = 0; first < n; first += 1024) {
        float lane[32];
        for (int64_t l = 0; l < 32; l++) {
            lane[l] = 0.0f;
            for (int64_t i = first + l; i < n && i < first + 1024; i += 32)
                lane[l] = squares ? ix_fma(x[i], x[i], lane[l]) : lane[l] + x[i];
        }
        for (int half = 16; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                lane[i] += lane[i + half];
        block[blocks++] = lane[0];
    }
    return n > 0 ? ix_tree_sum(block, blocks) : 0.0f;
}

TEST(num_rows_sums_follow_the_lanes)
{
    const ix_row_kernels *k;
    fill(1);
    for (int isa = 0; (k = next_table(&isa)) != NULL;) {
        for (int64_t n = 0; n <= N; n += n < 70 ? 1 : 97) {
            CHECK(ix_bits(k->sum(X, n)) == ix_bits(sum_by_lanes(X, n, false)));
            CHECK(ix_bits(k->sum_squares(X, n)) == ix_bits(sum_by_lanes(X, n, true)));
        }
    }
}

TEST(num_rows_norms_are_near_the_mathematics)
{
    const ix_row_kernels *k;
    fill(2);
    for (int isa = 0; (k = next_table(&isa)) != NULL;) {
        double mean = 0, squares = 0, variance = 0;
        for (int i = 0; i < N; i++) {
            mean += (double)X[i] / N;
            squares += (double)X[i] * (double)X[i] / N;
        }
        for (int i = 0; i < N; i++)
            variance += ((double)X[i] - mean) * ((double)X[i] - mean) / N;
        k->rms_norm(X, W, 1e-5f, N, Y);
        k->layer_norm(X, W, B, 1e-5f, N, Z);
        for (int i = 0; i < N; i++) {
            /* y^2 (ss + eps) = x^2 w^2, which needs no root */
            double rms = (double)Y[i] * (double)Y[i] * (squares + 1e-5);
            double want = (double)X[i] * (double)X[i] * (double)W[i] * (double)W[i];
            CHECK(rms - want < 1e-5 * want + 1e-12 && want - rms < 1e-5 * want + 1e-12);
            double layer =
                ((double)Z[i] - (double)B[i]) * ((double)Z[i] - (double)B[i]) * (variance + 1e-5);
            double c = ((double)X[i] - mean) * (double)W[i];
            CHECK(layer - c * c < 1e-4 && c * c - layer < 1e-4);
        }
    }
}

TEST(num_rows_outputs_may_be_an_input)
{
    const ix_row_kernels *k;
    for (int isa = 0; (k = next_table(&isa)) != NULL;) {
        void (*const unary[])(const float *, int64_t, float *) = { k->exp,       k->tanh,
                                                                   k->sigmoid,   k->silu,
                                                                   k->gelu_tanh, k->gelu_erf };
        void (*const binary[])(const float *, const float *, int64_t,
                               float *) = { k->add, k->sub, k->mul, k->swiglu };
        for (size_t f = 0; f < sizeof unary / sizeof *unary; f++) {
            fill(3);
            unary[f](X, N, Y);
            unary[f](X, N, X);
            CHECK(memcmp(X, Y, sizeof X) == 0);
        }
        for (size_t f = 0; f < sizeof binary / sizeof *binary; f++) {
            fill(4);
            binary[f](X, W, N, Y);
            memcpy(Z, X, sizeof X);
            binary[f](Z, W, N, Z);
            CHECK(memcmp(Z, Y, sizeof X) == 0);
            binary[f](X, W, N, W);
            CHECK(memcmp(W, Y, sizeof X) == 0);
        }
        fill(5);
        k->rms_norm(X, W, 1e-6f, N, Y);
        k->rms_norm(X, W, 1e-6f, N, X);
        CHECK(memcmp(X, Y, sizeof X) == 0);
        fill(5);
        k->layer_norm(X, W, B, 1e-6f, N, Y);
        k->layer_norm(X, W, B, 1e-6f, N, X);
        CHECK(memcmp(X, Y, sizeof X) == 0);
        for (int interleaved = 0; interleaved < 2; interleaved++) {
            fill(6);
            k->rope(X, W, B, 20, interleaved, 4, 50, Y);
            k->rope(X, W, B, 20, interleaved, 4, 50, X);
            CHECK(memcmp(X, Y, 200 * sizeof *X) == 0);
        }
    }
}

TEST(num_rows_store_the_one_nan)
{
    const ix_row_kernels *k;
    static const uint32_t NANS[] = { 0x7f800001u, 0xffc12345u, 0xff800001u, 0x7fffffffu,
                                     0x7fc00000u };
    for (int isa = 0; (k = next_table(&isa)) != NULL;) {
        fill(7);
        for (int i = 0; i < 37; i++)
            X[i] = ix_float(NANS[i % 5]);
        void (*const unary[])(const float *, int64_t, float *) = { k->exp,       k->tanh,
                                                                   k->sigmoid,   k->silu,
                                                                   k->gelu_tanh, k->gelu_erf };
        for (size_t f = 0; f < sizeof unary / sizeof *unary; f++) {
            unary[f](X, 37, Y);
            for (int i = 0; i < 37; i++)
                CHECK(ix_bits(Y[i]) == IX_F32_NAN_BITS);
        }
        k->add(X, W, 37, Y);
        k->mul(W, X, 37, Z);
        for (int i = 0; i < 37; i++)
            CHECK(ix_bits(Y[i]) == IX_F32_NAN_BITS && ix_bits(Z[i]) == IX_F32_NAN_BITS);
        k->rope(X, W, B, 3, 0, 1, 37, Y); /* the copied part too */
        for (int i = 0; i < 37; i++)
            CHECK(ix_bits(Y[i]) == IX_F32_NAN_BITS);
        CHECK(ix_bits(k->sum(X, 37)) == IX_F32_NAN_BITS &&
              ix_bits(k->sum_squares(X, 37)) == IX_F32_NAN_BITS);
        k->rms_norm(X + 36, NULL, 0.0f, 40, Y);
        for (int i = 0; i < 40; i++)
            CHECK(ix_bits(Y[i]) == IX_F32_NAN_BITS);
        uint16_t h[37];
        k->to_f16(X, 37, h);
        CHECK(h[0] == IX_F16_NAN_BITS && h[36] == IX_F16_NAN_BITS);
        k->to_bf16(X, 37, h);
        CHECK(h[1] == IX_BF16_NAN_BITS && h[35] == IX_BF16_NAN_BITS);
    }
}

TEST(num_rows_keep_negative_zeros_except_in_sums)
{
    const ix_row_kernels *k;
    for (int isa = 0; (k = next_table(&isa)) != NULL;) {
        for (int i = 0; i < 40; i++)
            X[i] = W[i] = -0.0f;
        k->add(X, W, 40, Y);
        CHECK(ix_bits(Y[0]) == 0x80000000u && ix_bits(Y[39]) == 0x80000000u);
        k->scale(X, 2.0f, 40, Y);
        CHECK(ix_bits(Y[0]) == 0x80000000u && ix_bits(Y[39]) == 0x80000000u);
        CHECK(ix_bits(k->sum(X, 40)) == 0);
    }
}

TEST(num_rows_rope_at_position_0_changes_nothing)
{
    const ix_row_kernels *k;
    float cosines[16], sines[16];
    for (int i = 0; i < 16; i++)
        ix_sincos(0.0f, &sines[i], &cosines[i]);
    fill(8);
    for (int isa = 0; (k = next_table(&isa)) != NULL;) {
        for (int interleaved = 0; interleaved < 2; interleaved++) {
            k->rope(X, cosines, sines, 16, interleaved, 5, 40, Y);
            for (int i = 0; i < 200; i++)
                CHECK(Y[i] == X[i]);
        }
    }
}
