/* Rows of every element type as float32 (rule C12).
 *
 * The bits are gguf-py's: each formula below is its formula, in its order, rounded at each step.
 * (Nearly all products are exact, since an f16 scale has 11 significant bits; what rounds is the
 * subtraction of a minimum.)  Q1_0 and Q2_0, which gguf-py lacks, are ggml's to_float.  A NaN
 * leaves as the one NaN (C11); zeros keep their sign, as gguf-py's do.
 */
#include "num/dequant/dequant.h"

#include "num/dequant/layout.h"

/* d q, for blocks of 32 without a minimum. */
static void from_d(const ix_block_parts *p, float *out)
{
    for (int i = 0; i < 32; i++)
        out[i] = p->d * (float)p->q[i];
}

/* d q + m */
static void from_d_m(const ix_block_parts *p, float *out)
{
    for (int i = 0; i < 32; i++) {
        float dq = p->d * (float)p->q[i];
        out[i] = dq + p->m;
    }
}

/* (d sc) q, `sub` elements for each sc. */
static void from_d_sc(const ix_block_parts *p, int sub, float *out)
{
    for (int i = 0; i < 256; i++) {
        float dl = p->d * (float)p->sc[i / sub];
        out[i] = dl * (float)p->q[i];
    }
}

/* (d sc) q - (dmin mn) */
static void from_d_sc_mn(const ix_block_parts *p, int sub, float *out)
{
    for (int i = 0; i < 256; i++) {
        float dl = p->d * (float)p->sc[i / sub];
        float ml = p->m * (float)p->mn[i / sub];
        float dq = dl * (float)p->q[i];
        out[i] = dq - ml;
    }
}

static void dequantize_parts(ix_type t, const uint8_t *b, float *out)
{
    ix_block_parts p;
    ix_block_unpack(t, b, &p);
    switch (t) {
    case IX_TYPE_Q4_1:
    case IX_TYPE_Q5_1: from_d_m(&p, out); break;
    case IX_TYPE_Q3_K:
    case IX_TYPE_Q6_K: from_d_sc(&p, 16, out); break;
    case IX_TYPE_IQ4_XS: from_d_sc(&p, 32, out); break;
    case IX_TYPE_Q2_K: from_d_sc_mn(&p, 16, out); break;
    case IX_TYPE_Q4_K:
    case IX_TYPE_Q5_K: from_d_sc_mn(&p, 32, out); break;
    default: from_d(&p, out); break;
    }
}

/* 5 ternary digits per byte (4 in the last four bytes), most significant first: a byte is
 * ceil(digits * 256 / 243), so that digit n is the integer part of 3 * frac(byte * 3^n / 256).
 * Digits of one byte lie 32, 16 or 4 elements apart. */
static void dequantize_tq1_0(const uint8_t *b, float *out)
{
    static const struct {
        uint8_t first, bytes, digits;
    } GROUP[3] = { { 0, 32, 5 }, { 32, 16, 5 }, { 48, 4, 4 } };
    float d = ix_le_f16(b + 52);
    for (int g = 0; g < 3; g++) {
        uint32_t power = 1;
        for (int n = 0; n < GROUP[g].digits; n++, power *= 3) {
            for (int l = 0; l < GROUP[g].bytes; l++) {
                uint8_t fraction = (uint8_t)(b[GROUP[g].first + l] * power);
                *out++ = d * (float)((fraction * 3 >> 8) - 1);
            }
        }
    }
}

static void dequantize_tq2_0(const uint8_t *b, float *out)
{
    float d = ix_le_f16(b + 64);
    for (int i = 0; i < 256; i++)
        out[i] = d * (float)((b[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3) - 1);
}

/* Unsigned E4M3 with bias 7, halved because the table is doubled.  Bit 7 is no sign: it is ignored,
 * except that 0x7f (NaN in the specification) is zero and 0xff is 240, as in gguf-py. */
static float nvfp4_scale(uint8_t x)
{
    int32_t exponent = x >> 3 & 15, mantissa = x & 7;
    if (x == 0x7f)
        return 0.0f;
    if (exponent == 0)
        return (float)mantissa * ix_power_of_two(-10);
    return (float)(8 + mantissa) * ix_power_of_two(exponent - 11);
}

static void dequantize_nvfp4(const uint8_t *b, float *out)
{
    for (int s = 0; s < 4; s++) {
        float d = nvfp4_scale(b[s]);
        for (int l = 0; l < 8; l++) {
            uint8_t pair = b[4 + 8 * s + l];
            out[16 * s + l] = d * (float)ix_values_e2m1[pair & 15];
            out[16 * s + 8 + l] = d * (float)ix_values_e2m1[pair >> 4];
        }
    }
}

static void dequantize_q1_0(const uint8_t *b, float *out)
{
    float d = ix_le_f16(b);
    for (int i = 0; i < 128; i++)
        out[i] = (b[2 + i / 8] >> (i % 8) & 1) ? d : -d;
}

static void dequantize_q2_0(const uint8_t *b, float *out)
{
    float d = ix_le_f16(b);
    for (int i = 0; i < 64; i++)
        out[i] = (float)((b[2 + i / 4] >> (i % 4 * 2) & 3) - 1) * d;
}

static double f64_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void dequantize_block(ix_type t, const uint8_t *b, float *out)
{
    switch (t) {
    case IX_TYPE_F32: *out = ix_float(ix_le32(b)); break;
    case IX_TYPE_F16: *out = ix_le_f16(b); break;
    case IX_TYPE_BF16: *out = ix_bf16_to_f32(ix_le16(b)); break;
    case IX_TYPE_F64: *out = (float)f64_of(ix_le64(b)); break;
    case IX_TYPE_I8: *out = (float)(int8_t)b[0]; break;
    case IX_TYPE_I16: *out = (float)(int16_t)ix_le16(b); break;
    case IX_TYPE_I32: *out = (float)(int32_t)ix_le32(b); break;
    case IX_TYPE_I64: *out = (float)(int64_t)ix_le64(b); break;
    case IX_TYPE_IQ2_XXS: ix_dequantize_iq2_xxs(b, out); break;
    case IX_TYPE_IQ2_XS: ix_dequantize_iq2_xs(b, out); break;
    case IX_TYPE_IQ2_S: ix_dequantize_iq2_s(b, out); break;
    case IX_TYPE_IQ3_XXS: ix_dequantize_iq3_xxs(b, out); break;
    case IX_TYPE_IQ3_S: ix_dequantize_iq3_s(b, out); break;
    case IX_TYPE_IQ1_S: ix_dequantize_iq1_s(b, out); break;
    case IX_TYPE_IQ1_M: ix_dequantize_iq1_m(b, out); break;
    case IX_TYPE_TQ1_0: dequantize_tq1_0(b, out); break;
    case IX_TYPE_TQ2_0: dequantize_tq2_0(b, out); break;
    case IX_TYPE_NVFP4: dequantize_nvfp4(b, out); break;
    case IX_TYPE_Q1_0: dequantize_q1_0(b, out); break;
    case IX_TYPE_Q2_0: dequantize_q2_0(b, out); break;
    default: dequantize_parts(t, b, out); break;
    }
}

void ix_dequantize_row(ix_type t, const void *row, int64_t n, float *out)
{
    const ix_type_info *info = ix_type_of(t);
    const uint8_t *b = row;
    for (int64_t i = 0; i < n; i += info->block_elements, b += info->block_bytes)
        dequantize_block(t, b, out + i);
    for (int64_t i = 0; i < n; i++)
        out[i] = ix_canonical(out[i]);
}
