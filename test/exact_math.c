/* exact-math: the fused multiply-add and the float16 conversions of one instruction set's vectors,
 * against the reference, where they are hardest.
 *
 *     cc -include num/scalar/wasm_simd128_math.h ... test/exact_math.c src/num/scalar/ref.c
 *
 * An instruction set that builds its fma out of other operations may be right on all ordinary
 * numbers and wrong on one in 2^30, which no generated product would meet.  Here operands have few
 * bits far apart, so that sums lie on ties and beside them by as little as 2^-149; results are
 * subnormal, overflow and cancel.  A sum that rounds twice, to binary64 and then to binary32, must
 * differ from the reference often, or the cases are not hard: the program counts that, too.
 */
#include "base/random.h"
#include "num/scalar/scalar.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define SHOWN_MAX 8

static uint64_t drawn, wrong, wrong_twice_rounded, cases;

static uint32_t draw(void)
{
    return (uint32_t)(ix_random_u64(4, 0, drawn++) >> 32);
}

static bool same(float x, float y)
{
    return (ix_is_nan(x) && ix_is_nan(y)) || ix_bits(x) == ix_bits(y);
}

static void check_fma(const float *a, const float *b, const float *c)
{
    float got[VF_LANES];
    vf_store(got, vf_fma(vf_load(a), vf_load(b), vf_load(c)));
    for (int i = 0; i < VF_LANES; i++) {
        float want = ix_fma(a[i], b[i], c[i]), one = float_fma(a[i], b[i], c[i]);
        wrong_twice_rounded += !same((float)((double)a[i] * (double)b[i] + (double)c[i]), want);
        cases++;
        if (same(got[i], want) && same(one, want))
            continue;
        if (wrong++ < SHOWN_MAX)
            printf("fma(%a, %a, %a): %a and %a, not %a\n", (double)a[i], (double)b[i], (double)c[i],
                   (double)got[i], (double)one, (double)want);
    }
}

/* A fraction of 23 bits: any, or one with runs of zeros and ones. */
static uint32_t fraction(void)
{
    uint32_t r = draw();
    uint32_t low = 1u << (r >> 8) % 23, high = 1u << (r >> 16) % 23;
    switch (r % 8) {
    case 0: return r >> 9;
    case 1: return 0;
    case 2: return low;
    case 3: return (0u - low) & 0x7fffffu;
    case 4: return low - 1;
    case 5: return low | high;
    case 6: return ((0u - low) ^ high) & 0x7fffffu;
    default: return (r >> 9 & 7u) | (r >> 12 & 3u) << 21;
    }
}

static float number(uint32_t exponent)
{
    return ix_float((draw() & 0x80000000u) | (exponent > 254 ? 254 : exponent) << 23 | fraction());
}

static float with_fraction(float x, uint32_t bits)
{
    return ix_float((ix_bits(x) & 0xff800000u) | (bits & 0x7fffffu));
}

/* Of any sign, `places` exponents above that of x. */
static float beside(float x, int32_t places)
{
    int32_t exponent = (int32_t)(ix_bits(x) >> 23 & 255u) + places;
    return number(exponent < 0 ? 0 : (uint32_t)exponent);
}

/* Three numbers whose product is about 2^(sum - 254). */
static void hard_case(uint32_t sum, float *a, float *b, float *c)
{
    uint32_t low = sum > 254 ? sum - 254 : 0, high = sum < 254 ? sum : 254;
    uint32_t exponent = low + draw() % (high - low + 1), r = draw();
    *a = number(exponent);
    *b = number(sum - exponent);
    if (r % 4 == 1) { /* 1 - i^2 2^-46: half a place of c but for so little */
        uint32_t i = 1 + (r >> 8) % 512;
        *a = with_fraction(*a, i);
        *b = with_fraction(*b, 0u - 2 * i);
    } else if (r % 4 == 2) { /* 2^24 + 2^i + 2^(24 - i) + 1: a tie, which c decides from afar */
        uint32_t i = 1 + (r >> 8) % 22;
        *a = with_fraction(*a, 1u << (23 - i));
        *b = with_fraction(*b, 1u << (i - 1));
    }
    float p = (float)((double)*a * (double)*b);
    switch (r % 4) {
    case 1: *c = beside(p, 22 + (int32_t)(r >> 20 & 3u)); break;
    case 2: *c = beside(p, 0 - (int32_t)(r >> 20 & 127u)); break;
    case 3: *c = ix_float((ix_bits(p) ^ 0x80000000u) + (r >> 8) % 7 - 3); break; /* cancels */
    default: *c = beside(p, (int32_t)(r >> 20 & 127u) - 64); break;
    }
}

static void hard_cases(int count, uint32_t sum, uint32_t spread)
{
    float a[VF_LANES], b[VF_LANES], c[VF_LANES];
    for (int n = 0; n < count; n++) {
        for (int i = 0; i < VF_LANES; i++)
            hard_case(sum + draw() % spread, a + i, b + i, c + i);
        check_fma(a, b, c);
    }
}

static void special_cases(void)
{
    static const uint32_t BITS[] = { 0x00000000, 0x00000001, 0x00000002, 0x00400000, 0x007fffff,
                                     0x00800000, 0x00800001, 0x33800000, 0x34000000, 0x3f7fffff,
                                     0x3f800000, 0x3f800001, 0x40000000, 0x4b800000, 0x5f800000,
                                     0x7e800000, 0x7effffff, 0x7f000000, 0x7f7fffff, 0x7f800000,
                                     0x7f800001, 0x7fc00000 };
    enum { COUNT = 2 * sizeof BITS / sizeof *BITS };
    float value[COUNT], a[VF_LANES], b[VF_LANES], c[VF_LANES];
    for (int i = 0; i < COUNT; i++)
        value[i] = ix_float(BITS[i / 2] | (i % 2 ? 0x80000000u : 0));
    int lane = 0;
    for (int i = 0; i < COUNT * COUNT * COUNT; i++) {
        a[lane] = value[i % COUNT];
        b[lane] = value[i / COUNT % COUNT];
        c[lane] = value[i / COUNT / COUNT];
        if (++lane == VF_LANES) {
            check_fma(a, b, c);
            lane = 0;
        }
    }
}

static void check_half(const uint16_t *half, const float *x)
{
    float widened[VF_LANES];
    uint16_t narrowed[VF_LANES];
    vf_store(widened, vf_load_f16(half));
    vf_store_f16(narrowed, vf_canonical(vf_load(x)));
    for (int i = 0; i < VF_LANES; i++) {
        cases += 2;
        if (!same(widened[i], ix_f16_to_f32(half[i])) && wrong++ < SHOWN_MAX)
            printf("float16 %04x: %a\n", half[i], (double)widened[i]);
        if (narrowed[i] != ix_f32_to_f16(x[i]) && wrong++ < SHOWN_MAX)
            printf("%a to float16: %04x\n", (double)x[i], narrowed[i]);
    }
}

/* All of them, and what lies at, between and beside them. */
static void half_cases(void)
{
    uint16_t half[VF_LANES];
    float x[VF_LANES];
    for (uint32_t beside = 0; beside < 8; beside++) {
        for (uint32_t h = 0; h < 0x10000; h += VF_LANES) {
            for (uint32_t i = 0; i < VF_LANES; i++) {
                half[i] = (uint16_t)(h + i);
                float y = ix_f16_to_f32(half[i]), next = ix_f16_to_f32((uint16_t)(half[i] + 1));
                float tie = 0.5f * y + 0.5f * next;
                x[i] = beside == 7 ? y : ix_float(ix_bits(tie) + beside - 3);
            }
            check_half(half, x);
        }
    }
}

int main(void)
{
    hard_cases(200000, 2, 505); /* anywhere */
    hard_cases(200000, 220, 60);
    hard_cases(200000, 95, 40); /* results about the smallest number */
    hard_cases(50000, 370, 20); /* and about the largest */
    special_cases();
    half_cases();
    printf("%d lanes, %" PRIu64 " values, %" PRIu64 " differ; rounding twice, %" PRIu64 " would\n",
           VF_LANES, cases, wrong, wrong_twice_rounded);
    return wrong != 0 || wrong_twice_rounded < 10000;
}
