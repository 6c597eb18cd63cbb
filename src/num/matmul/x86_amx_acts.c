/* Packing of activations for AMX (acts.h): a row's bytes together, rule C3a 16 floats at a time.
 *
 * Two passes over a row, which stays in the cache: the scales of all its blocks, with the divisions
 * of 16 blocks at once; then the bytes and their sums.
 */
#include "num/matmul/acts.h"
#include "num/matmul/matmul.h"
#include "num/scalar/x86_avx512_math.h"

const char ix_acts_q32_amx[] = "AMX tiles of 32";
const char ix_acts_q256_amx[] = "AMX tiles of 256";

#define SCALES 64 /* blocks of a row that are looked at together */

static size_t bytes_of(int64_t rows, size_t row_bytes)
{
    int64_t whole = rows / IX_ACTS_TILE_AMX * IX_ACTS_TILE_AMX;
    int64_t last = rows > whole ? ix_acts_height_amx(rows, whole) : 0;
    return (size_t)(whole + last) * row_bytes;
}

size_t ix_acts_bytes_q32_amx(int64_t rows, int64_t depth)
{
    return bytes_of(rows, IX_ACTS_32_BYTES * (size_t)(depth / 32));
}

size_t ix_acts_bytes_q256_amx(int64_t rows, int64_t depth)
{
    return bytes_of(rows, IX_ACTS_256_BYTES * (size_t)(depth / 256));
}

/* ---- C3a ------------------------------------------------------------------------------------- */

/* e and r of 16 blocks from u, the largest magnitudes as bits; r is 0 where all q are. */
static void divide(const uint32_t *u, float *e, float *r)
{
    __m512i bits = _mm512_loadu_si512(u);
    __mmask16 nan = _mm512_cmpge_epu32_mask(bits, _mm512_set1_epi32(0x7f800000));
    __mmask16 tiny = _mm512_cmplt_epu32_mask(bits, _mm512_set1_epi32(0x0d800000)); /* 2^-100 */
    __m512 amax = _mm512_castsi512_ps(bits), limit = _mm512_set1_ps(127.0f);
    __mmask16 plain = (__mmask16)~(nan | tiny);
    __m512i all_nan = _mm512_maskz_mov_epi32(nan, _mm512_set1_epi32((int32_t)IX_F32_NAN_BITS));
    _mm512_storeu_ps(e, _mm512_mask_div_ps(_mm512_castsi512_ps(all_nan), plain, amax, limit));
    _mm512_storeu_ps(r, _mm512_maskz_div_ps(plain, limit, amax));
}

static void scales_of(const float *x, int64_t elements, int64_t blocks, float *e, float *r)
{
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    uint32_t u[SCALES];
    for (int64_t b = 0; b < SCALES; b++) {
        __m512i top = _mm512_setzero_si512();
        for (int64_t i = 0; b < blocks && i < elements; i += 16) {
            __m512i v = _mm512_loadu_si512(x + b * elements + i);
            top = _mm512_max_epu32(top, _mm512_and_si512(v, magnitude));
        }
        u[b] = _mm512_reduce_max_epu32(top);
    }
    for (int b = 0; b < SCALES; b += 16)
        divide(u + b, e + b, r + b);
}

/* 64 activations as bytes.  Where r is 0 NaN and infinities must not reach the conversion. */
static __m512i quantize_64(const float *x, const __mmask16 some, float r)
{
    __m128i q[4];
    for (int i = 0; i < 4; i++) { /* the conversion rounds halves to even (C1) */
        __m512 v = _mm512_maskz_loadu_ps(some, x + 16 * i);
        q[i] = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(v, _mm512_set1_ps(r))));
    }
    __m512i out = _mm512_castsi128_si512(q[0]);
    out = _mm512_inserti32x4(out, q[1], 1);
    out = _mm512_inserti32x4(out, q[2], 2);
    return _mm512_inserti32x4(out, q[3], 3);
}

/* Sums of four bytes in each lane. */
static __m512i sums_of_4(__m512i q)
{
    return _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1), q);
}

static void put(uint8_t *block, int64_t offset, int64_t m, const void *word)
{
    memcpy(block + offset * IX_ACTS_TILE_AMX + 4 * m, word, 4);
}

/* Blocks [b, b + count) of row m, count <= SCALES, to the tile at `to`. */
static void put_blocks_32(const float *x, int64_t count, int64_t m, uint8_t *to)
{
    float e[SCALES], r[SCALES];
    scales_of(x, 32, count, e, r);
    for (int64_t b = 0; b < count; b++, x += 32, to += IX_ACTS_32_BYTES * IX_ACTS_TILE_AMX) {
        __mmask16 some = r[b] == 0.0f ? 0 : 0xffff;
        __m128i q[2];
        for (int i = 0; i < 2; i++) {
            __m512 v = _mm512_maskz_loadu_ps(some, x + 16 * i);
            v = _mm512_mul_ps(v, _mm512_set1_ps(r[b]));
            q[i] = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v));
        }
        __m256i all = _mm256_inserti128_si256(_mm256_castsi128_si256(q[0]), q[1], 1);
        _mm256_storeu_si256((void *)(to + 32 * m), all);
        /* bytes + 128 are unsigned: their sums of eight, less 8 * 128 each */
        __m256i eights = _mm256_sad_epu8(_mm256_xor_si256(all, _mm256_set1_epi8(-128)),
                                         _mm256_setzero_si256());
        __m128i four = _mm_add_epi64(_mm256_castsi256_si128(eights),
                                     _mm256_extracti128_si256(eights, 1));
        int32_t sum = _mm_cvtsi128_si32(_mm_add_epi64(four, _mm_unpackhi_epi64(four, four)));
        float total = (float)(sum - 32 * 128);
        put(to, IX_ACTS_32_E, m, &e[b]);
        put(to, IX_ACTS_32_SUM, m, &total);
    }
}

/* The 16 sums of 16 bytes each of four vectors of 64 bytes, in order. */
static __m512i sums_of_16(const __m512i q[4])
{
    __m512i s[4];
    for (int i = 0; i < 4; i++)
        s[i] = sums_of_4(q[i]);
    /* lane 4 l + i of `all` is part l of vector i */
    __m512i a = _mm512_add_epi32(_mm512_unpacklo_epi32(s[0], s[1]),
                                 _mm512_unpackhi_epi32(s[0], s[1]));
    __m512i b = _mm512_add_epi32(_mm512_unpacklo_epi32(s[2], s[3]),
                                 _mm512_unpackhi_epi32(s[2], s[3]));
    __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, all);
}

static void put_blocks_256(const float *x, int64_t count, int64_t m, uint8_t *to)
{
    float e[SCALES], r[SCALES];
    scales_of(x, 256, count, e, r);
    for (int64_t b = 0; b < count; b++, x += 256, to += IX_ACTS_256_BYTES * IX_ACTS_TILE_AMX) {
        __mmask16 some = r[b] == 0.0f ? 0 : 0xffff;
        __m512i q[4];
        for (int i = 0; i < 4; i++) {
            q[i] = quantize_64(x + 64 * i, some, r[b]);
            _mm512_storeu_si512(to + 256 * m + 64 * i, q[i]);
        }
        __m512i sums = sums_of_16(q);
        int16_t by_16[16], by_32[8];
        _mm256_storeu_si256((void *)by_16, _mm512_cvtepi32_epi16(sums));
        sums = _mm512_add_epi32(sums, _mm512_srli_epi64(sums, 32)); /* in even lanes */
        _mm_storeu_si128((void *)by_32, _mm512_cvtepi64_epi16(sums));
        put(to, IX_ACTS_256_E, m, &e[b]);
        for (int i = 0; i < 8; i++)
            put(to, IX_ACTS_256_SUM_16 + 4 * i, m, &by_16[2 * i]);
        for (int i = 0; i < 4; i++)
            put(to, IX_ACTS_256_SUM_32 + 4 * i, m, &by_32[2 * i]);
    }
}

/* ---- tiles ----------------------------------------------------------------------------------- */

typedef struct block_format {
    int64_t elements, bytes; /* of one row's share of a block */
    void (*put)(const float *x, int64_t count, int64_t m, uint8_t *to);
    /* a tile of few rows, as VNNI reads it */
    void (*few)(const float *x, int64_t ldx, int64_t rows, int64_t row0, int64_t row1,
                int64_t depth, void *acts);
} block_format;

static void pack(const block_format *f, const float *x, int64_t ldx, int64_t rows, int64_t row0,
                 int64_t row1, int64_t depth, uint8_t *acts)
{
    const int64_t blocks = depth / f->elements, row_bytes = blocks * f->bytes;
    for (int64_t row = row0; row < row1; row += IX_ACTS_TILE_AMX) {
        int64_t h = ix_acts_height_amx(rows, row), used = row1 - row < h ? row1 - row : h;
        uint8_t *to = acts + row * row_bytes;
        if (h < IX_ACTS_TILE_AMX) {
            f->few(x + row * ldx, ldx, used, 0, used, depth, to);
            continue;
        }
        if (used < h)
            memset(to, 0, (size_t)(h * row_bytes));
        for (int64_t m = 0; m < used; m++) {
            for (int64_t b = 0; b < blocks; b += SCALES) {
                int64_t count = blocks - b < SCALES ? blocks - b : SCALES;
                f->put(x + (row + m) * ldx + b * f->elements, count, m, to + b * f->bytes * h);
            }
        }
    }
}

void ix_acts_pack_q32_amx(const float *x, int64_t ldx, int64_t rows, int64_t row0, int64_t row1,
                          int64_t depth, void *acts)
{
    static const block_format f = { 32, IX_ACTS_32_BYTES, put_blocks_32, ix_acts_pack_q32 };
    pack(&f, x, ldx, rows, row0, row1, depth, acts);
}

void ix_acts_pack_q256_amx(const float *x, int64_t ldx, int64_t rows, int64_t row0, int64_t row1,
                           int64_t depth, void *acts)
{
    static const block_format f = { 256, IX_ACTS_256_BYTES, put_blocks_256, ix_acts_pack_q256 };
    pack(&f, x, ldx, rows, row0, row1, depth, acts);
}
