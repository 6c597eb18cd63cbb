/* Which instruction sets this library holds, which this machine runs, and which one is chosen.
 *
 * Detection asks the processor and, through the XCR0 register, whether the operating system saves
 * the wide registers.  Nothing here changes results.
 */
#include "num/isa.h"

#include "base/os.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char *const NAMES[IX_ISA_COUNT] = { "ref", "avx2", "avx512", "avx512vnni" };

const char *ix_isa_name(ix_isa isa)
{
    return isa >= IX_ISA_REF && isa < IX_ISA_COUNT ? NAMES[isa] : "unknown";
}

#if defined(__x86_64__)
#include <cpuid.h>

#define XCR0_AVX 0x06u    /* xmm and ymm state */
#define XCR0_AVX512 0xe6u /* and opmask, upper halves of zmm, zmm16 to 31 */

bool ix_isa_built(ix_isa isa)
{
    return isa >= IX_ISA_REF && isa < IX_ISA_COUNT;
}

static bool bit(uint32_t word, int n)
{
    return word >> n & 1u;
}

/* The best set that this machine runs; each implies those before it. */
static ix_isa best_present(void)
{
    uint32_t a, b, c, d, b7, c7;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !bit(c, 27)) /* OSXSAVE */
        return IX_ISA_REF;
    bool fma_f16c_avx = bit(c, 12) && bit(c, 29) && bit(c, 28);
    uint32_t xcr0, high;
    __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
    if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d))
        return IX_ISA_REF;
    if (!fma_f16c_avx || !bit(b7, 5) || (xcr0 & XCR0_AVX) != XCR0_AVX)
        return IX_ISA_REF;
    bool f_dq_bw_vl = bit(b7, 16) && bit(b7, 17) && bit(b7, 30) && bit(b7, 31);
    if (!f_dq_bw_vl || (xcr0 & XCR0_AVX512) != XCR0_AVX512)
        return IX_ISA_AVX2;
    return bit(c7, 11) ? IX_ISA_AVX512VNNI : IX_ISA_AVX512;
}
#else
bool ix_isa_built(ix_isa isa)
{
    return isa == IX_ISA_REF;
}

static ix_isa best_present(void)
{
    return IX_ISA_REF;
}
#endif

bool ix_isa_present(ix_isa isa)
{
    return isa >= IX_ISA_REF && isa < IX_ISA_COUNT && isa <= best_present();
}

/* "ref, avx2, ..." of the sets that this machine runs, for the error messages. */
static void list_present(char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < IX_ISA_COUNT && used < size; i++) {
        if (ix_isa_built((ix_isa)i) && ix_isa_present((ix_isa)i)) {
            int n = snprintf(out + used, size - used, "%s%s", i ? ", " : "", NAMES[i]);
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

inox_status ix_isa_choose(const char *name, ix_isa *out, inox_error *err)
{
    const char *source = "";
    if (!name) {
        name = ix_environment("INOX_ISA");
        source = " (from INOX_ISA)";
        if (!name || !*name) {
            *out = best_present();
            return INOX_OK;
        }
    }
    char present[64];
    list_present(present, sizeof present);
    for (int i = 0; i < IX_ISA_COUNT; i++) {
        if (strcmp(name, NAMES[i]) != 0)
            continue;
        ix_isa isa = (ix_isa)i;
        if (!ix_isa_built(isa))
            return ix_fail(err, INOX_E_ISA,
                           "instruction set '%s'%s is not built into this library; it has: %s",
                           name, source, present);
        if (!ix_isa_present(isa))
            return ix_fail(err, INOX_E_ISA,
                           "this machine cannot run instruction set '%s'%s; it can run: %s", name,
                           source, present);
        *out = isa;
        return INOX_OK;
    }
    return ix_fail(err, INOX_E_ISA, "unknown instruction set '%.64s'%s; this machine can run: %s",
                   name, source, present);
}
