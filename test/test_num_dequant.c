/* num/dequant: every type against the values of gguf-py (or ggml), and the integer parts against
 * the rows.
 *
 * The goldens are test/data/dequant, made by tools/make_dequant_goldens.py: random bytes, so scales
 * that are NaN, infinite, subnormal and zero of either sign are among them.
 */
#include "test.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/os.h"
#include "base/thread.h"
#include "num/dequant/dequant.h"
#include "num/dequant/layout.h"
#include "num/scalar/scalar.h"

static void compare_golden(ix_test *t, ix_type type)
{
    const ix_type_info *info = ix_type_of(type);
    char path[64] = "data/dequant/";
    size_t at = strlen(path), size;
    for (const char *s = info->name; *s; s++)
        path[at++] = (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s);
    memcpy(path + at, ".bin", 5);
    char *data;
    inox_error err;
    inox_status status = ix_file_read(ix_test_file(path), 1 << 20, &data, &size, &err);
    CHECK_OK(status, &err);
    if (status != INOX_OK)
        return;
    size_t blocks = ix_le32((uint8_t *)data), count = blocks * info->block_elements;
    CHECK(size == 4 + blocks * info->block_bytes + IX_SHA256_BYTES);
    float *values = calloc(count, sizeof *values);
    uint8_t *bytes = calloc(count, 4), hash[IX_SHA256_BYTES];
    ix_dequantize_row(type, data + 4, (int64_t)count, values);
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < 4; k++)
            bytes[4 * i + (size_t)k] = (uint8_t)(ix_bits(values[i]) >> (8 * k));
    CHECK_OK(ix_sha256_of(bytes, 4 * count, hash, &err), &err);
    CHECK_MSG(memcmp(hash, data + size - IX_SHA256_BYTES, sizeof hash) == 0,
              "%s differs from gguf-py", info->name);
    free(values);
    free(bytes);
    ix_free(data);
}

TEST(num_dequant_goldens)
{
    ix_fpenv env = ix_fpenv_enter();
    for (int i = 0; i < IX_TYPE_COUNT; i++)
        if (ix_type_of((ix_type)i)->block_elements > 1 || i == IX_TYPE_F16 || i == IX_TYPE_BF16)
            compare_golden(t, (ix_type)i);
    ix_fpenv_leave(env);
}

/* A row is its blocks one after the other, wherever it lies. */
TEST(num_dequant_rows)
{
    static uint8_t bytes[8 * 210 + 1];
    static float whole[8 * 256], one[256];
    uint64_t state = 5;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)ix_test_random(&state);
    for (int i = 0; i < IX_TYPE_COUNT; i++) {
        const ix_type_info *info = ix_type_of((ix_type)i);
        for (int shift = 0; shift < 2; shift++) {
            ix_dequantize_row((ix_type)i, bytes + shift, 8 * (int64_t)info->block_elements, whole);
            for (uint32_t b = 0; b < 8; b++) {
                ix_dequantize_row((ix_type)i, bytes + shift + b * info->block_bytes,
                                  info->block_elements, one);
                CHECK(memcmp(one, whole + b * info->block_elements,
                             sizeof(float) * info->block_elements) == 0);
            }
        }
    }
}

TEST(num_dequant_plain)
{
    static const struct {
        ix_type type;
        uint8_t bytes[8];
        uint32_t bits;
    } CASES[] = {
        { IX_TYPE_F32, { 0x01, 0x00, 0x80, 0xff }, IX_F32_NAN_BITS },
        { IX_TYPE_F32, { 0x00, 0x00, 0x00, 0x80 }, 0x80000000u },
        { IX_TYPE_F32, { 0x01, 0x00, 0x00, 0x80 }, 0x80000001u },
        { IX_TYPE_F16, { 0x01, 0x00 }, 0x33800000u },
        { IX_TYPE_F16, { 0x00, 0xfc }, 0xff800000u },
        { IX_TYPE_F16, { 0x01, 0xfc }, IX_F32_NAN_BITS },
        { IX_TYPE_BF16, { 0x81, 0xff }, IX_F32_NAN_BITS },
        { IX_TYPE_BF16, { 0x01, 0x80 }, 0x80010000u },
        { IX_TYPE_F64, { 0, 0, 0, 0x10, 0, 0, 0xf0, 0x3f }, 0x3f800000u }, /* 1 + 2^-24: to even */
        { IX_TYPE_F64, { 0, 0, 0, 0x30, 0, 0, 0xf0, 0x3f }, 0x3f800002u }, /* 1 + 3 * 2^-24 */
        { IX_TYPE_F64, { 0, 0, 0, 0, 0, 0, 0xf0, 0x7e }, 0x7f800000u },
        { IX_TYPE_F64, { 0, 0, 0, 0, 0, 0, 0xa0, 0xb6 }, 0x80000001u }, /* -2^-149 */
        { IX_TYPE_I8, { 0x80 }, 0xc3000000u },
        { IX_TYPE_I16, { 0x00, 0x80 }, 0xc7000000u },
        { IX_TYPE_I32, { 0x01, 0x00, 0x00, 0x01 }, 0x4b800000u }, /* 2^24 + 1 */
        { IX_TYPE_I64, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f }, 0x5f000000u },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        float x;
        ix_dequantize_row(CASES[i].type, CASES[i].bytes, 1, &x);
        CHECK_MSG(ix_bits(x) == CASES[i].bits, "case %zu: %08x, not %08x", i, ix_bits(x),
                  CASES[i].bits);
    }
}

/* All scales of MXFP4 and NVFP4, where the specifications' NaN are numbers. */
TEST(num_dequant_e8m0_e4m3)
{
    uint8_t mx[17] = { 0 }, nv[36] = { 0 };
    float out[64];
    ix_block_parts parts;
    mx[1] = 0xf2; /* 1 and -6, doubled 2 and -12 */
    nv[4] = 0xf2;
    for (int e = 0; e < 256; e++) {
        mx[0] = (uint8_t)e;
        uint32_t d = e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23; /* 2^(e - 128) */
        ix_block_unpack(IX_TYPE_MXFP4, mx, &parts);
        CHECK(ix_bits(parts.d) == d && parts.q[0] == 2 && parts.q[16] == -12 && parts.m == 0);
        ix_dequantize_row(IX_TYPE_MXFP4, mx, 32, out);
        CHECK(out[0] == 2.0f * ix_float(d) && out[16] == -12.0f * ix_float(d) &&
              ix_bits(out[1]) == 0);
        nv[0] = (uint8_t)e;
        float scale = (float)(e & 7);
        int exponent = e >> 3 & 15;
        scale =
            exponent ? (8 + scale) * ix_power_of_two(exponent - 11) : scale * ix_power_of_two(-10);
        if (e == 0x7f)
            scale = 0;
        ix_dequantize_row(IX_TYPE_NVFP4, nv, 64, out);
        CHECK(out[0] == 2.0f * scale && out[8] == -12.0f * scale);
    }
}

/* The parts of a block are within what rule C3 counts on, and give the row. */
static void check_parts(ix_test *t, ix_type type, const uint8_t *block, float d, float m)
{
    const ix_type_info *info = ix_type_of(type);
    uint32_t n = info->block_elements;
    bool super = n == 256,
         by_16 = type == IX_TYPE_Q2_K || type == IX_TYPE_Q3_K || type == IX_TYPE_Q6_K;
    ix_block_parts p;
    float row[256];
    memset(&p, 0x55, sizeof p);
    ix_block_unpack(type, block, &p);
    ix_dequantize_row(type, block, n, row);
    CHECK(ix_bits(p.d) == ix_bits(d) && ix_bits(p.m) == ix_bits(m));
    bool minimum = type == IX_TYPE_Q2_K || type == IX_TYPE_Q4_K || type == IX_TYPE_Q5_K;
    int64_t largest = 0;
    for (uint32_t i = 0; i < n; i++) {
        int sc = super ? p.sc[i / (by_16 ? 16 : 32)] : 1;
        int mn = minimum ? p.mn[i / (by_16 ? 16 : 32)] : 0;
        float v = p.d * (float)(sc * p.q[i]); /* exact: d has 11 bits */
        if (minimum)
            v = v - p.m * (float)mn;
        else if (!super)
            v = v + p.m;
        CHECK_MSG(row[i] == v, "%s element %u: %g, not %g", info->name, i, (double)row[i],
                  (double)v);
        largest += llabs((long long)sc * p.q[i]) * 127;
        CHECK(mn >= 0 && mn <= 63);
    }
    CHECK(largest <= 133200000);
    CHECK(super || p.sc[0] == 0x5555);
}

TEST(num_dequant_parts)
{
    static const struct {
        ix_type type;
        int d, m;
    } CASES[] = {
        { IX_TYPE_Q4_0, 0, -1 },  { IX_TYPE_Q4_1, 0, 2 },    { IX_TYPE_Q5_0, 0, -1 },
        { IX_TYPE_Q5_1, 0, 2 },   { IX_TYPE_Q8_0, 0, -1 },   { IX_TYPE_IQ4_NL, 0, -1 },
        { IX_TYPE_Q2_K, 80, 82 }, { IX_TYPE_Q3_K, 108, -1 }, { IX_TYPE_Q4_K, 0, 2 },
        { IX_TYPE_Q5_K, 0, 2 },   { IX_TYPE_Q6_K, 208, -1 }, { IX_TYPE_IQ4_XS, 0, -1 },
    };
    uint64_t state = 11;
    uint8_t block[256];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        for (int round = 0; round < 64; round++) {
            for (size_t k = 0; k < sizeof block; k++)
                block[k] = round < 2 ? (uint8_t)(0x80 - round) : (uint8_t)ix_test_random(&state);
            block[CASES[i].d] = 0x01;
            block[CASES[i].d + 1] = 0x3c; /* 1 + 2^-10 */
            if (CASES[i].m >= 0) {
                block[CASES[i].m] = 0x00;
                block[CASES[i].m + 1] = 0xb8; /* -1/2 */
            }
            check_parts(t, CASES[i].type, block, 1 + 1.0f / 1024, CASES[i].m >= 0 ? -0.5f : 0.0f);
        }
    }
}
