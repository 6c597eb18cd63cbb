/* Packing of activations (acts.h): rule C3a and the tiles, around the two loops over numbers that
 * each machine's own file brings.
 *
 * That file defines, before it includes this:
 *
 *   static uint32_t largest(const float *x, int count)
 *       the largest of bits(x) & 0x7fffffff, of 32 or 256
 *   static void quantize_32(const float *x, float r, int32_t words[8], int32_t sums[2])
 *       rhe(mul(x, r)), |x * r| <= 127, as int8 in memory's order, and the sums of the first and
 *       the last 16
 */
#ifndef IX_NUM_MATMUL_VECTOR_ACTS_H
#define IX_NUM_MATMUL_VECTOR_ACTS_H

#include "num/matmul/acts.h"
#include "num/scalar/scalar.h"

#include <string.h>

const char ix_acts_f32[] = "tiles of float";
const char ix_acts_q32[] = "tiles of 32";
const char ix_acts_q256[] = "tiles of 256";

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

/* ---- floats: a transpose --------------------------------------------------------------------- */

typedef float four __attribute__((vector_size(16)));

static inline four load_four(const float *x)
{
    four v;
    memcpy(&v, x, sizeof v);
    return v;
}
static inline void store_four(float *to, four v)
{
    memcpy(to, &v, sizeof v);
}

/* Four rows, four k's: to[k * h + m] = x[m * ldx + k]. */
static inline void put_four(const float *x, int64_t ldx, int64_t h, float *to)
{
    four a = load_four(x), b = load_four(x + ldx);
    four c = load_four(x + 2 * ldx), d = load_four(x + 3 * ldx);
    four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
         cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    store_four(to, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
    store_four(to + h, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
    ab = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store_four(to + 2 * h, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
    store_four(to + 3 * h, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
}

/* Rows [0, used) of a tile of height h; the rest becomes zeros. */
static void pack_tile_f32(const float *x, int64_t ldx, int64_t used, int64_t h, int64_t depth,
                          float *to)
{
    int64_t fours = used & ~(int64_t)3, k4 = depth & ~(int64_t)3;
    for (int64_t k = 0; fours != 0 && k < k4; k += 4) {
        for (int64_t m = 0; m < fours; m += 4)
            put_four(x + m * ldx + k, ldx, h, to + k * h + m);
    }
    for (int64_t m = 0; m < h; m++) {
        for (int64_t k = m < fours ? k4 : 0; k < depth; k++)
            to[k * h + m] = m < used ? x[m * ldx + k] : 0.0f;
    }
}

void ix_acts_pack_f32(const float *x, int64_t ldx, int64_t rows, int64_t row0, int64_t row1,
                      int64_t depth, void *acts)
{
    for (int64_t row = row0; row < row1; row += IX_ACTS_TILE) {
        int64_t h = ix_acts_height(rows - row), used = row1 - row < h ? row1 - row : h;
        pack_tile_f32(x + row * ldx, ldx, used, h, depth, (float *)acts + row * depth);
    }
}

/* ---- C3a ------------------------------------------------------------------------------------- */

typedef struct scale {
    float e, r; /* r is 0 where all q are */
} scale;

static scale scale_of(const float *x, int count)
{
    uint32_t u = largest(x, count);
    if (u >= 0x7f800000u)
        return (scale){ ix_float(IX_F32_NAN_BITS), 0.0f };
    if (u < 0x0d800000u) /* 2^-100 */
        return (scale){ 0.0f, 0.0f };
    float amax = ix_float(u);
    return (scale){ amax / 127.0f, 127.0f / amax };
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

/* ---- tiles ---------------------------------------------------------------------------------- */

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

#endif
