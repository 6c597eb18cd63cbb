/* Asks the engine whether its relaxed multiply-add is fused. */
#include "num/scalar/wasm_relaxed.h"

#include "num/scalar/wasm_relaxed_math.h"

/* Operands, in all four lanes in turn, for which rounding the product first, rounding to binary64
 * on the way, and flushing subnormal numbers each give another result than rounding once. */
static const uint32_t CASES[][3] = {
    { 0x3f800001, 0x3f800001, 0xbf800002 }, /* what a rounded product would lose: 2^-46, */
    { 0x3f800001, 0x3f7ffffe, 0xbf800000 }, /* -2^-46, */
    { 0x7f7fffff, 0x40000000, 0xff7fffff }, /* or all */
    { 0x3f800005, 0x3f7ffff6, 0x4b800001 }, /* 25 * 2^-46 below a tie, which binary64 loses */
    { 0xbf800005, 0x3f7ffff6, 0xcb800001 },
    { 0x1a000001, 0x19fffffe, 0x00400001 }, /* the same where results are subnormal */
    { 0x3f808000, 0x3f800080, 0x1f800000 }, /* a tie of the product, which c decides from afar */
    { 0x3f808000, 0x3f800080, 0x9f800000 },
    { 0x34000000, 0x0a800001, 0x00000001 }, /* subnormal results and operands */
    { 0x1f800001, 0x1f7ffffe, 0x00000003 },
    { 0x00000001, 0x7e800000, 0x80000000 },
    { 0x80000000, 0x3f800000, 0x80000000 }, /* zeros and infinities */
    { 0x3f800000, 0x3f800000, 0xbf800000 },
    { 0x7f800000, 0x3f800000, 0x00000000 },
};
#define CASE_COUNT ((int)(sizeof CASES / sizeof *CASES))

bool ix_wasm_madd_is_fused(void)
{
    for (int n = 0; n < CASE_COUNT; n++) {
        volatile float x[3][VF_LANES]; /* so that the engine computes, and not the compiler */
        float a[VF_LANES], b[VF_LANES], c[VF_LANES], y[VF_LANES];
        for (int i = 0; i < VF_LANES; i++)
            for (int j = 0; j < 3; j++)
                x[j][i] = ix_float(CASES[(n + i) % CASE_COUNT][j]);
        for (int i = 0; i < VF_LANES; i++) {
            a[i] = x[0][i];
            b[i] = x[1][i];
            c[i] = x[2][i];
        }
        vf_store(y, vf_fma(vf_load(a), vf_load(b), vf_load(c)));
        for (int i = 0; i < VF_LANES; i++)
            if (ix_bits(y[i]) != ix_bits(ix_fma(a[i], b[i], c[i])))
                return false;
    }
    return true;
}
