/* Packing of activations (acts.h) for all x86 kernels: rule C3a, eight floats at a time. */
#include "num/matmul/acts.h"
#include "num/matmul/matmul.h"
#include "num/scalar/scalar.h"

#include <immintrin.h>

const char ix_acts_f32[] = "x86 tiles of float";
const char ix_acts_q32[] = "x86 tiles of 32";
const char ix_acts_q256[] = "x86 tiles of 256";

static size_t bytes(int64_t rows, size_t row_bytes)
{
    int64_t whole = rows / IX_ACTS_TILE * IX_ACTS_TILE;
    int64_t last = rows > whole ? ix_acts_height(rows - whole) : 0;
    return (size_t)(whole + last) * row_bytes;
}

size_t ix_acts_bytes_f32(int64_t rows, int64_t depth)
{
    return bytes(rows, sizeof(float) * (size_t)depth);
}

size_t ix_acts_bytes_q32(int64_t rows, int64_t depth)
{
    return bytes(rows, IX_ACTS_32_BYTES * (size_t)(depth / 32));
}

size_t ix_acts_bytes_q256(int64_t rows, int64_t depth)
{
    return bytes(rows, IX_ACTS_256_BYTES * (size_t)(depth / 256));
}

void ix_acts_pack_f32(const float *x, int64_t ldx, int64_t rows, int64_t row0, int64_t row1,
                      int64_t depth, void *acts)
{
    for (int64_t row = row0; row < row1; row += IX_ACTS_TILE) {
        int64_t h = ix_acts_height(rows - row), used = row1 - row < h ? row1 - row : h;
        float *to = (float *)acts + row * depth;
        for (int64_t m = 0; m < used; m++) {
            for (int64_t k = 0; k < depth; k++)
                to[k * h + m] = x[(row + m) * ldx + k];
        }
        for (int64_t m = used; m < h; m++) {
            for (int64_t k = 0; k < depth; k++)
                to[k * h + m] = 0.0f;
        }
    }
}

/* ---- C3a
 * ---------------------------------------------------------------------------------------- */

typedef struct scale {
    float e, r; /* r is 0 where all q are */
} scale;

static scale scale_of(const float *x, int count)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i top = _mm256_setzero_si256();
    for (int i = 0; i < count; i += 8) {
        __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(x + i));
        top = _mm256_max_epu32(top, _mm256_and_si256(bits, magnitude));
    }
    __m128i half = _mm_max_epu32(_mm256_castsi256_si128(top), _mm256_extracti128_si256(top, 1));
    half = _mm_max_epu32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_max_epu32(half, _mm_shuffle_epi32(half, 0xb1));
    uint32_t u = (uint32_t)_mm_cvtsi128_si32(half);
    if (u >= 0x7f800000u)
        return (scale){ ix_float(IX_F32_NAN_BITS), 0.0f };
    if (u < 0x0d800000u) /* 2^-100 */
        return (scale){ 0.0f, 0.0f };
    float amax = ix_float(u);
    return (scale){ amax / 127.0f, 127.0f / amax };
}

/* 32 activations to eight words, and the sums of the first and the last 16. */
static void quantize_32(const float *x, float r, int32_t words[8], int32_t sums[2])
{
    __m256i q[4];
    for (int i = 0; i < 4; i++) /* the conversion rounds halves to even (C1) */
        q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), _mm256_set1_ps(r)));
    for (int i = 0; i < 2; i++) {
        __m256i s = _mm256_add_epi32(q[2 * i], q[2 * i + 1]);
        __m128i t = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
        t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0x4e));
        t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0xb1));
        sums[i] = _mm_cvtsi128_si32(t);
    }
    /* Packing works inside 128-bit halves; the permutation puts the words in order. */
    __m256i b = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    b = _mm256_permutevar8x32_epi32(b, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((void *)words, b);
}

/* NaN and infinities must not reach the conversion where r is 0: all q are 0 then. */
static void quantize_part(const float *x, float r, int32_t words[8], int32_t sums[2])
{
    if (r == 0.0f) {
        memset(words, 0, 32);
        memset(sums, 0, 2 * sizeof *sums);
        return;
    }
    quantize_32(x, r, words, sums);
}

static void put(uint8_t *block, int64_t offset, int64_t h, int64_t m, const void *word)
{
    memcpy(block + offset * h + 4 * m, word, 4);
}

static void put_block_32(uint8_t *block, int64_t h, int64_t m, const float *x)
{
    scale s = scale_of(x, 32);
    int32_t words[8], sums[2];
    quantize_part(x, s.r, words, sums);
    for (int g = 0; g < 8; g++)
        put(block, 4 * g, h, m, &words[g]);
    int32_t start = -IX_ACTS_OFFSET * (sums[0] + sums[1]);
    float sum = (float)(sums[0] + sums[1]);
    put(block, IX_ACTS_32_E, h, m, &s.e);
    put(block, IX_ACTS_32_START, h, m, &start);
    put(block, IX_ACTS_32_SUM, h, m, &sum);
}

static void put_start(uint8_t *block, int64_t offset, int64_t h, int64_t m, int32_t sum)
{
    int32_t start = -IX_ACTS_OFFSET * sum;
    put(block, offset, h, m, &start);
}

static void put_pair(uint8_t *block, int64_t offset, int64_t h, int64_t m, int32_t a, int32_t b)
{
    int16_t pair[2] = { (int16_t)a, (int16_t)b };
    put(block, offset, h, m, pair);
}

static void put_block_256(uint8_t *block, int64_t h, int64_t m, const float *x)
{
    scale s = scale_of(x, 256);
    int32_t sum16[16], sum32[8], all = 0;
    for (int j = 0; j < 8; j++) {
        int32_t words[8];
        quantize_part(x + 32 * j, s.r, words, sum16 + 2 * j);
        for (int g = 0; g < 8; g++)
            put(block, 4 * (8 * j + g), h, m, &words[g]);
        sum32[j] = sum16[2 * j] + sum16[2 * j + 1];
        all += sum32[j];
    }
    put(block, IX_ACTS_256_E, h, m, &s.e);
    put_start(block, IX_ACTS_256_START_256, h, m, all);
    for (int j = 0; j < 8; j++) {
        put_start(block, IX_ACTS_256_START_32 + 4 * j, h, m, sum32[j]);
        put_start(block, IX_ACTS_256_START_16 + 8 * j, h, m, sum16[2 * j]);
        put_start(block, IX_ACTS_256_START_16 + 8 * j + 4, h, m, sum16[2 * j + 1]);
        put_pair(block, IX_ACTS_256_SUM_16 + 4 * j, h, m, sum16[2 * j], sum16[2 * j + 1]);
    }
    for (int i = 0; i < 4; i++)
        put_pair(block, IX_ACTS_256_SUM_32 + 4 * i, h, m, sum32[2 * i], sum32[2 * i + 1]);
}

/* ---- tiles
 * -------------------------------------------------------------------------------------- */

typedef struct block_format {
    int64_t elements, bytes; /* of one row's share of a block */
    void (*put)(uint8_t *block, int64_t h, int64_t m, const float *x);
} block_format;

static inline void pack_blocks(const block_format f, const float *x, int64_t ldx, int64_t rows,
                               int64_t row0, int64_t row1, int64_t blocks, uint8_t *acts)
{
    for (int64_t row = row0; row < row1; row += IX_ACTS_TILE) {
        int64_t h = ix_acts_height(rows - row), used = row1 - row < h ? row1 - row : h;
        uint8_t *to = acts + row * blocks * f.bytes;
        if (used < h)
            memset(to, 0, (size_t)(h * blocks * f.bytes));
        for (int64_t m = 0; m < used; m++) {
            for (int64_t b = 0; b < blocks; b++)
                f.put(to + b * f.bytes * h, h, m, x + (row + m) * ldx + b * f.elements);
        }
    }
}

void ix_acts_pack_q32(const float *x, int64_t ldx, int64_t rows, int64_t row0, int64_t row1,
                      int64_t depth, void *acts)
{
    const block_format f = { 32, IX_ACTS_32_BYTES, put_block_32 };
    pack_blocks(f, x, ldx, rows, row0, row1, depth / 32, acts);
}

void ix_acts_pack_q256(const float *x, int64_t ldx, int64_t rows, int64_t row0, int64_t row1,
                       int64_t depth, void *acts)
{
    const block_format f = { 256, IX_ACTS_256_BYTES, put_block_256 };
    pack_blocks(f, x, ldx, rows, row0, row1, depth / 256, acts);
}
