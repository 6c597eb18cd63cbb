/* Integer parts of the thirteen block types that have integer products (rule C3).
 *
 * Layouts (bytes; every number little-endian; a nibble pair `lo|hi` is one byte, lo in bits 0..3):
 *
 *   Q4_0, IQ4_NL   d f16 | 16 x (element l | element l + 16)
 *   Q4_1           d f16 | m f16 | 16 x (l | l + 16)
 *   Q5_0           d f16 | fifth bits u32 | 16 x (l | l + 16)
 *   Q5_1           d f16 | m f16 | fifth bits u32 | 16 x (l | l + 16)
 *   Q8_0           d f16 | 32 x int8
 *   MXFP4          E u8 | 16 x (l | l + 16)
 *   Q2_K           16 x (scale | min) | 64 bytes of 2-bit planes | d f16 | dmin f16
 *   Q3_K           32 bytes of third bits | 64 bytes of 2-bit planes | 12 bytes of scales | d f16
 *   Q4_K           d f16 | dmin f16 | 12 bytes of scales and minimums | 4 x 32 x (l | l + 32)
 *   Q5_K           d f16 | dmin f16 | 12 bytes | 32 bytes of fifth bits | 4 x 32 x (l | l + 32)
 *   Q6_K           2 x 64 x (l | l + 64) | 2 x 32 bytes of upper 2 bits | 16 x int8 scale | d f16
 *   IQ4_XS         d f16 | upper scale bits u16 | 4 x (scale | scale) | 8 x 16 x (l | l + 16)
 *
 * Nothing here rounds: f16 widens exactly and all else is integer.  Any bytes are a valid block.
 */
#include "num/dequant/dequant.h"
#include "num/dequant/layout.h"

const int8_t ix_values_iq4[16] = { -127, -104, -83, -65, -49, -35, -22, -10,
                                   1,    13,   25,  38,  53,  69,  89,  113 };
const int8_t ix_values_e2m1[16] = { 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12 };

/* count bytes: low nibbles first, then the high ones. */
static void nibbles(const uint8_t *b, int count, int8_t *q)
{
    for (int l = 0; l < count; l++) {
        q[l] = (int8_t)(b[l] & 15);
        q[count + l] = (int8_t)(b[l] >> 4);
    }
}

static void subtract(int8_t *q, int count, int offset)
{
    for (int l = 0; l < count; l++)
        q[l] = (int8_t)(q[l] - offset);
}

static void look_up(int8_t *q, int count, const int8_t values[16])
{
    for (int l = 0; l < count; l++)
        q[l] = values[q[l]];
}

/* Bit l of the little-endian word at b becomes bit 4 of q[l]. */
static void fifth_bits(const uint8_t *b, int8_t q[32])
{
    uint32_t bits = ix_le32(b);
    for (int l = 0; l < 32; l++)
        q[l] = (int8_t)(q[l] | (int8_t)((bits >> l & 1) << 4));
}

/* 64 bytes hold 256 2-bit numbers: in each half, plane j (bits 2j and 2j + 1) is 32 elements. */
static void planes_of_2_bits(const uint8_t *b, int8_t q[256])
{
    for (int i = 0; i < 256; i++)
        q[i] = (int8_t)(b[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3);
}

static void unpack_q2_k(const uint8_t *b, ix_block_parts *p)
{
    p->d = ix_le_f16(b + 80);
    p->m = ix_le_f16(b + 82);
    for (int i = 0; i < 16; i++) {
        p->sc[i] = b[i] & 15;
        p->mn[i] = b[i] >> 4;
    }
    planes_of_2_bits(b + 16, p->q);
}

static void unpack_q3_k(const uint8_t *b, ix_block_parts *p)
{
    const uint8_t *scales = b + 96;
    p->d = ix_le_f16(b + 108);
    for (int i = 0; i < 16; i++) {
        int low = scales[i % 8] >> (i / 8 * 4) & 15;
        int high = scales[8 + i % 4] >> (i / 4 * 2) & 3;
        p->sc[i] = (int16_t)((low | high << 4) - 32);
    }
    planes_of_2_bits(b + 32, p->q);
    for (int i = 0; i < 256; i++) /* a third bit of 1 means "do not subtract 4" */
        p->q[i] = (int8_t)(p->q[i] - ((b[i % 32] >> (i / 32) & 1) ? 0 : 4));
}

/* The 12 bytes of Q4_K and Q5_K: 8 scales and 8 minimums of 6 bits. */
static void scales_of_6_bits(const uint8_t *s, ix_block_parts *p)
{
    for (int i = 0; i < 4; i++) {
        p->sc[i] = s[i] & 63;
        p->mn[i] = s[4 + i] & 63;
        p->sc[4 + i] = (int16_t)((s[8 + i] & 15) | s[i] >> 6 << 4);
        p->mn[4 + i] = (int16_t)(s[8 + i] >> 4 | s[4 + i] >> 6 << 4);
    }
}

static void unpack_q4_k(const uint8_t *b, ix_block_parts *p)
{
    p->d = ix_le_f16(b);
    p->m = ix_le_f16(b + 2);
    scales_of_6_bits(b + 4, p);
    for (int c = 0; c < 4; c++)
        nibbles(b + 16 + c * 32, 32, p->q + c * 64);
}

static void unpack_q5_k(const uint8_t *b, ix_block_parts *p)
{
    p->d = ix_le_f16(b);
    p->m = ix_le_f16(b + 2);
    scales_of_6_bits(b + 4, p);
    for (int c = 0; c < 4; c++)
        nibbles(b + 48 + c * 32, 32, p->q + c * 64);
    for (int i = 0; i < 256; i++)
        p->q[i] = (int8_t)(p->q[i] | (b[16 + i % 32] >> (i / 32) & 1) << 4);
}

static void unpack_q6_k(const uint8_t *b, ix_block_parts *p)
{
    p->d = ix_le_f16(b + 208);
    for (int i = 0; i < 16; i++)
        p->sc[i] = (int8_t)b[192 + i];
    nibbles(b, 64, p->q);
    nibbles(b + 64, 64, p->q + 128);
    for (int i = 0; i < 256; i++) {
        int high = b[128 + i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
        p->q[i] = (int8_t)((p->q[i] | high << 4) - 32);
    }
}

static void unpack_iq4_xs(const uint8_t *b, ix_block_parts *p)
{
    p->d = ix_le_f16(b);
    uint16_t high = ix_le16(b + 2);
    for (int i = 0; i < 8; i++) {
        int low = b[4 + i / 2] >> (i % 2 * 4) & 15;
        p->sc[i] = (int16_t)((low | (high >> (2 * i) & 3) << 4) - 32);
        nibbles(b + 8 + i * 16, 16, p->q + i * 32);
    }
    look_up(p->q, 256, ix_values_iq4);
}

/* 2^(E - 128): half of the E8M0 scale, since the table is doubled.  E = 0 and 1 give the subnormals
 * 2^-128 and 2^-127; E = 255, NaN in the OCP specification, is 2^127 as in gguf-py and ggml. */
static float mxfp4_scale(uint8_t e)
{
    return ix_float(e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23);
}

void ix_block_unpack(ix_type t, const void *block, ix_block_parts *p)
{
    const uint8_t *b = block;
    p->m = 0;
    switch (t) {
    case IX_TYPE_Q2_K: unpack_q2_k(b, p); return;
    case IX_TYPE_Q3_K: unpack_q3_k(b, p); return;
    case IX_TYPE_Q4_K: unpack_q4_k(b, p); return;
    case IX_TYPE_Q5_K: unpack_q5_k(b, p); return;
    case IX_TYPE_Q6_K: unpack_q6_k(b, p); return;
    case IX_TYPE_IQ4_XS: unpack_iq4_xs(b, p); return;
    case IX_TYPE_MXFP4:
        p->d = mxfp4_scale(b[0]);
        nibbles(b + 1, 16, p->q);
        look_up(p->q, 32, ix_values_e2m1);
        return;
    default: break;
    }
    p->d = ix_le_f16(b);
    switch (t) {
    case IX_TYPE_Q4_0:
        nibbles(b + 2, 16, p->q);
        subtract(p->q, 32, 8);
        break;
    case IX_TYPE_Q4_1:
        p->m = ix_le_f16(b + 2);
        nibbles(b + 4, 16, p->q);
        break;
    case IX_TYPE_Q5_0:
        nibbles(b + 6, 16, p->q);
        fifth_bits(b + 2, p->q);
        subtract(p->q, 32, 16);
        break;
    case IX_TYPE_Q5_1:
        p->m = ix_le_f16(b + 2);
        nibbles(b + 8, 16, p->q);
        fifth_bits(b + 4, p->q);
        break;
    case IX_TYPE_IQ4_NL:
        nibbles(b + 2, 16, p->q);
        look_up(p->q, 32, ix_values_iq4);
        break;
    default: /* Q8_0 */
        memcpy(p->q, b + 2, 32);
        break;
    }
}
