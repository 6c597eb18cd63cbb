/* What this folder's files share: little-endian reads of unaligned bytes, and codebook decoders. */
#ifndef IX_NUM_DEQUANT_LAYOUT_H
#define IX_NUM_DEQUANT_LAYOUT_H

#include "num/scalar/scalar.h"

#include <stdint.h>

static inline uint16_t ix_le16(const uint8_t *p) { return (uint16_t)(p[0] | (uint32_t)p[1] << 8); }
static inline uint32_t ix_le32(const uint8_t *p)
{
    return ix_le16(p) | (uint32_t)ix_le16(p + 2) << 16;
}
static inline uint64_t ix_le64(const uint8_t *p)
{
    return ix_le32(p) | (uint64_t)ix_le32(p + 4) << 32;
}
static inline float ix_le_f16(const uint8_t *p) { return ix_f16_to_f32(ix_le16(p)); }

/* The values of the 4-bit codebooks: IQ4_NL and IQ4_XS; E2M1 doubled, so that they are integers
 * (MXFP4, NVFP4). */
extern const int8_t ix_values_iq4[16];
extern const int8_t ix_values_e2m1[16];

/* One block of 256 elements each (codebooks.c). */
void ix_dequantize_iq2_xxs(const uint8_t *b, float *out);
void ix_dequantize_iq2_xs(const uint8_t *b, float *out);
void ix_dequantize_iq2_s(const uint8_t *b, float *out);
void ix_dequantize_iq3_xxs(const uint8_t *b, float *out);
void ix_dequantize_iq3_s(const uint8_t *b, float *out);
void ix_dequantize_iq1_s(const uint8_t *b, float *out);
void ix_dequantize_iq1_m(const uint8_t *b, float *out);

#endif
