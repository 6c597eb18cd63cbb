/* The codebook types IQ1, IQ2 and IQ3: indices into fixed grids of 4 or 8 values (iq_tables.h),
 * with signs and scales.
 *
 * Layouts (bytes; little-endian), one block of 256:
 *
 *   IQ2_XXS  d f16 | 8 x { 4 x index u8 | u32: 4 x 7 sign bits, 4 scale bits }
 *   IQ2_XS   d f16 | 32 x u16: 9 index bits, 7 sign bits | 8 x (scale | scale)
 *   IQ2_S    d f16 | 32 x index u8 | 32 x signs u8 | 32 x 2 upper index bits | 8 x (scale | scale)
 *   IQ3_XXS  d f16 | 64 x index u8 | 8 x u32: 4 x 7 sign bits, 4 scale bits
 *   IQ3_S    d f16 | 64 x index u8 | 64 ninth index bits | 32 x signs u8 | 4 x (scale | scale)
 *   IQ1_S    d f16 | 32 x index u8 | 8 x u16: 4 x 3 upper index bits, 3 scale bits, sign of delta
 *   IQ1_M    32 x index u8 | 32 x 4 bits: 3 upper index bits, sign of delta
 *            | 4 x u16: 4 x 3 scale bits, 4 bits of d
 *
 * A grid entry is a uint16_t: eight 2-bit (IQ1, IQ2) or four 4-bit (IQ3) numbers, the lowest first,
 * each an index into the few values of the type.
 */
#include "num/dequant/iq_tables.h"
#include "num/dequant/layout.h"

static const uint8_t IQ2_VALUES[4] = { 0x08, 0x19, 0x2b, 0 };
static const uint8_t IQ3_XXS_VALUES[8] = { 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3e };
static const uint8_t IQ3_S_VALUES[8] = { 0x01, 0x03, 0x05, 0x07, 0x09, 0x0b, 0x0d, 0x0f };

/* 7 stored sign bits; the eighth makes their number even. */
static uint32_t even_signs(uint32_t seven)
{
    uint32_t p = seven ^ seven >> 4;
    p ^= p >> 2;
    p ^= p >> 1;
    return seven | (p & 1) << 7;
}

static float sign_of(uint32_t signs, int i)
{
    return (signs >> i & 1) ? -1.0f : 1.0f;
}

/* 8 elements of an IQ2 grid entry. */
static void iq2_group(float db, uint16_t entry, uint32_t signs, float *out)
{
    for (int i = 0; i < 8; i++)
        out[i] = db * (float)IQ2_VALUES[entry >> (2 * i) & 3] * sign_of(signs, i);
}

/* 8 elements: two IQ3 grid entries. */
static void iq3_group(float db, const uint8_t values[8], uint16_t first, uint16_t second,
                      uint32_t signs, float *out)
{
    uint32_t entry = first | (uint32_t)second << 16;
    for (int i = 0; i < 8; i++)
        out[i] = db * (float)values[entry >> (4 * i) & 7] * sign_of(signs, i);
}

/* 8 elements of -1, 0, 1, shifted by delta. */
static void iq1_group(float dl, uint32_t index, float delta, float *out)
{
    uint16_t entry = ix_grid_iq1[index];
    for (int i = 0; i < 8; i++) {
        float g = (float)((entry >> (2 * i) & 3) - 1) + delta;
        out[i] = dl * g;
    }
}

void ix_dequantize_iq2_xxs(const uint8_t *b, float *out)
{
    float d = ix_le_f16(b);
    for (int g = 0; g < 8; g++) {
        const uint8_t *index = b + 2 + 8 * g;
        uint32_t rest = ix_le32(index + 4);
        float db = d * (0.5f + (float)(rest >> 28)) * 0.25f;
        for (int k = 0; k < 4; k++)
            iq2_group(db, ix_grid_iq2_xxs[index[k]], even_signs(rest >> (7 * k) & 127),
                      out + 32 * g + 8 * k);
    }
}

void ix_dequantize_iq2_xs(const uint8_t *b, float *out)
{
    float d = ix_le_f16(b);
    for (int j = 0; j < 32; j++) {
        uint32_t scale = b[66 + j / 4] >> (j / 2 % 2 * 4) & 15;
        float db = d * (0.5f + (float)scale) * 0.25f;
        uint16_t q = ix_le16(b + 2 + 2 * j);
        iq2_group(db, ix_grid_iq2_xs[q & 511], even_signs(q >> 9), out + 8 * j);
    }
}

void ix_dequantize_iq2_s(const uint8_t *b, float *out)
{
    float d = ix_le_f16(b);
    for (int j = 0; j < 32; j++) {
        uint32_t scale = b[74 + j / 4] >> (j / 2 % 2 * 4) & 15;
        float db = d * (0.5f + (float)scale) * 0.25f;
        uint32_t high = b[66 + j / 4] >> (j % 4 * 2) & 3;
        iq2_group(db, ix_grid_iq2_s[b[2 + j] | high << 8], b[34 + j], out + 8 * j);
    }
}

void ix_dequantize_iq3_xxs(const uint8_t *b, float *out)
{
    float d = ix_le_f16(b);
    for (int g = 0; g < 8; g++) {
        uint32_t rest = ix_le32(b + 66 + 4 * g);
        float db = d * (0.5f + (float)(rest >> 28)) * 0.5f;
        for (int k = 0; k < 4; k++) {
            const uint8_t *index = b + 2 + 8 * g + 2 * k;
            iq3_group(db, IQ3_XXS_VALUES, ix_grid_iq3_xxs[index[0]], ix_grid_iq3_xxs[index[1]],
                      even_signs(rest >> (7 * k) & 127), out + 32 * g + 8 * k);
        }
    }
}

void ix_dequantize_iq3_s(const uint8_t *b, float *out)
{
    float d = ix_le_f16(b);
    for (int j = 0; j < 32; j++) {
        uint32_t scale = b[106 + j / 8] >> (j / 4 % 2 * 4) & 15;
        float db = d * (float)(1 + 2 * scale);
        uint32_t ninth = (uint32_t)b[66 + j / 4] >> (j % 4 * 2); /* bits 0 and 1 */
        uint16_t first = ix_grid_iq3_s[b[2 + 2 * j] | (ninth & 1) << 8];
        uint16_t second = ix_grid_iq3_s[b[3 + 2 * j] | (ninth >> 1 & 1) << 8];
        iq3_group(db, IQ3_S_VALUES, first, second, b[74 + j], out + 8 * j);
    }
}

void ix_dequantize_iq1_s(const uint8_t *b, float *out)
{
    float d = ix_le_f16(b);
    for (int g = 0; g < 8; g++) {
        uint32_t rest = ix_le16(b + 34 + 2 * g);
        float dl = d * (float)(2 * (rest >> 12 & 7) + 1);
        float delta = rest & 0x8000 ? -0.125f : 0.125f;
        for (int k = 0; k < 4; k++)
            iq1_group(dl, b[2 + 4 * g + k] | (rest >> (3 * k) & 7) << 8, delta,
                      out + 32 * g + 8 * k);
    }
}

void ix_dequantize_iq1_m(const uint8_t *b, float *out)
{
    uint32_t word[4], bits = 0;
    for (int i = 0; i < 4; i++) {
        word[i] = ix_le16(b + 48 + 2 * i);
        bits |= word[i] >> 12 << (4 * i);
    }
    float d = ix_f16_to_f32((uint16_t)bits);
    for (int j = 0; j < 32; j++) {
        float dl = d * (float)(2 * (word[j / 8] >> (j / 2 % 4 * 3) & 7) + 1);
        uint32_t high = b[32 + j / 2] >> (j % 2 * 4) & 15;
        iq1_group(dl, b[j] | (high & 7) << 8, high & 8 ? -0.125f : 0.125f, out + 8 * j);
    }
}
