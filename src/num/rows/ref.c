/* Row kernels, the definition (rules C4, C5, C7, C8, C11, C12).
 *
 * Plain and slow: one operation per line of a rule.  Every value that is stored is made canonical
 * (C11); the sums of C4 cannot be a negative zero, because every lane starts from +0.
 */
#include "num/rows/kernels.h"
#include "num/scalar/scalar.h"

#include <stdbool.h>

#define BLOCK 1024
#define LANES 32

/* One block of C4: at most 1024 elements.  term(x) is x, or x * x inside a fused multiply-add. */
static float sum_block(const float *x, int64_t n, bool squares, float centre)
{
    float lane[LANES] = { 0.0f };
    for (int64_t i = 0; i < n; i++) {
        float c = x[i] - centre;
        float *acc = &lane[i % LANES];
        *acc = squares ? ix_fma(c, c, *acc) : *acc + x[i];
    }
    for (int half = LANES / 2; half >= 1; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] = lane[i] + lane[i + half];
    return lane[0];
}

/* T over the blocks that start at x: the tree of ix_tree_sum, without its array. */
static float sum_blocks(const float *x, int64_t n, bool squares, float centre)
{
    if (n <= BLOCK)
        return sum_block(x, n, squares, centre);
    int64_t left = BLOCK;
    while (left * 2 < n)
        left *= 2; /* the largest power of two of blocks below ceil(n / 1024) */
    return sum_blocks(x, left, squares, centre) + sum_blocks(x + left, n - left, squares, centre);
}

float ix_rows_sum_ref(const float *x, int64_t n)
{
    return ix_stored(sum_blocks(x, n, false, 0.0f));
}

float ix_rows_sum_squares_ref(const float *x, int64_t n)
{
    return ix_stored(sum_blocks(x, n, true, 0.0f));
}

/* 1 / sqrt(sum / n + eps), every step rounded. */
static float inverse_root(float sum, int64_t n, float eps)
{
    float mean = sum / (float)n;
    float variance = mean + eps;
    float root = ix_sqrt(variance);
    return 1.0f / root;
}

void ix_rows_rms_norm_ref(const float *x, const float *w, float eps, int64_t n, float *y)
{
    float r = inverse_root(sum_blocks(x, n, true, 0.0f), n, eps);
    for (int64_t i = 0; i < n; i++) {
        float scaled = x[i] * r;
        y[i] = ix_canonical(w ? scaled * w[i] : scaled);
    }
}

void ix_rows_layer_norm_ref(const float *x, const float *w, const float *b, float eps, int64_t n,
                            float *y)
{
    float mean = sum_blocks(x, n, false, 0.0f) / (float)n;
    float r = inverse_root(sum_blocks(x, n, true, mean), n, eps);
    for (int64_t i = 0; i < n; i++) {
        float centred = x[i] - mean;
        float value = centred * r;
        if (w && b)
            value = ix_fma(value, w[i], b[i]);
        else if (w)
            value = value * w[i];
        else if (b)
            value = value + b[i];
        y[i] = ix_canonical(value);
    }
}

void ix_rows_add_ref(const float *a, const float *b, int64_t n, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = ix_canonical(a[i] + b[i]);
}

void ix_rows_sub_ref(const float *a, const float *b, int64_t n, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = ix_canonical(a[i] - b[i]);
}

void ix_rows_mul_ref(const float *a, const float *b, int64_t n, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = ix_canonical(a[i] * b[i]);
}

void ix_rows_scale_ref(const float *a, float s, int64_t n, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = ix_canonical(a[i] * s);
}

#define ELEMENTWISE(function)                                          \
    void ix_rows_##function##_ref(const float *x, int64_t n, float *y) \
    {                                                                  \
        for (int64_t i = 0; i < n; i++)                                \
            y[i] = ix_canonical(ix_##function(x[i]));                  \
    }
ELEMENTWISE(exp)
ELEMENTWISE(tanh)
ELEMENTWISE(sigmoid)
ELEMENTWISE(silu)
ELEMENTWISE(gelu_tanh)
ELEMENTWISE(gelu_erf)

void ix_rows_swiglu_ref(const float *gate, const float *up, int64_t n, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = ix_canonical(ix_silu(gate[i]) * up[i]);
}

void ix_rows_rope_ref(const float *x, const float *cos_table, const float *sin_table, int64_t half,
                      int interleaved, int64_t heads, int64_t head_dim, float *y)
{
    for (int64_t h = 0; h < heads; h++, x += head_dim, y += head_dim) {
        for (int64_t i = 0; i < half; i++) {
            int64_t i0 = interleaved ? 2 * i : i, i1 = interleaved ? 2 * i + 1 : i + half;
            float x0 = x[i0], x1 = x[i1], c = cos_table[i], s = sin_table[i];
            float minus = -(x1 * s), plus = x1 * c;
            y[i0] = ix_canonical(ix_fma(x0, c, minus));
            y[i1] = ix_canonical(ix_fma(x0, s, plus));
        }
        for (int64_t i = 2 * half; i < head_dim; i++)
            y[i] = ix_canonical(x[i]);
    }
}

void ix_rows_to_f16_ref(const float *x, int64_t n, uint16_t *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = ix_f32_to_f16(x[i]);
}

void ix_rows_from_f16_ref(const uint16_t *x, int64_t n, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = ix_f16_to_f32(x[i]);
}

void ix_rows_to_bf16_ref(const float *x, int64_t n, uint16_t *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = ix_f32_to_bf16(x[i]);
}

void ix_rows_from_bf16_ref(const uint16_t *x, int64_t n, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = ix_bf16_to_f32(x[i]);
}
