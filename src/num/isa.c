/* Which instruction sets this library holds, which this machine runs, and which one is chosen.
 *
 * On x86-64 detection asks the processor and, through the XCR0 register, whether the operating
 * system saves the wide registers; AArch64 lets only the operating system ask, so it is asked.
 * Nothing here changes results.
 */
#include "num/isa.h"

#include "base/cpu.h"
#include "base/os.h"
#include "num/scalar/wasm_relaxed.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#define IX_X86 true
#else
#define IX_X86 false
#endif
#if defined(__aarch64__)
#define IX_ARM true
#else
#define IX_ARM false
#endif

/* An engine refuses a whole module for one instruction that it does not know, so the sets of
 * WebAssembly are chosen when a module is built: by these two macros. */
#if defined(IX_WASM_SIMD128)
#define SIMD128_BUILT true
#else
#define SIMD128_BUILT false
#endif
#if defined(IX_WASM_RELAXED)
#define RELAXED_BUILT true
#else
#define RELAXED_BUILT false
#endif

static const struct {
    const char *name;
    ix_isa extends;
    bool built;
} SETS[IX_ISA_COUNT] = {
#define IX_ISA(constant, name, extends, built) { name, IX_ISA_##extends, built },
#include "num/isa.def"
#undef IX_ISA
};

static bool known(ix_isa isa)
{
    return isa >= IX_ISA_REF && isa < IX_ISA_COUNT;
}

const char *ix_isa_name(ix_isa isa)
{
    return known(isa) ? SETS[isa].name : "unknown";
}

ix_isa ix_isa_extends(ix_isa isa)
{
    return known(isa) ? SETS[isa].extends : IX_ISA_REF;
}

bool ix_isa_includes(ix_isa isa, ix_isa row)
{
    while (isa > row)
        isa = ix_isa_extends(isa);
    return isa == row;
}

bool ix_isa_built(ix_isa isa)
{
    return known(isa) && SETS[isa].built;
}

/* ---- what the machine has: a bit per set ----------------------------------------------------- */

static uint32_t bit_of(ix_isa isa, bool present)
{
    return present ? 1u << isa : 0;
}

#if defined(__x86_64__)
#include <cpuid.h>

#define XCR0_AVX 0x06u    /* xmm and ymm state */
#define XCR0_AVX512 0xe6u /* and opmask, upper halves of zmm, zmm16 to 31 */
#define XCR0_AMX 0x60000u /* tile shapes and tile registers */

static bool bit(uint32_t word, int n)
{
    return word >> n & 1u;
}

static uint32_t detect(void)
{
    uint32_t a, b, c, d, b7, c7, xcr0, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !bit(c, 27)) /* OSXSAVE */
        return 0;
    bool fma_f16c_avx = bit(c, 12) && bit(c, 29) && bit(c, 28);
    __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
    if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d))
        return 0;
    bool avx2 = fma_f16c_avx && bit(b7, 5) && (xcr0 & XCR0_AVX) == XCR0_AVX;
    bool f_dq_bw_vl = bit(b7, 16) && bit(b7, 17) && bit(b7, 30) && bit(b7, 31);
    bool avx512 = avx2 && f_dq_bw_vl && (xcr0 & XCR0_AVX512) == XCR0_AVX512;
    bool avx512vnni = avx512 && bit(c7, 11);
    bool amx = avx512vnni && bit(d, 24) && bit(d, 25) && (xcr0 & XCR0_AMX) == XCR0_AMX &&
               ix_allow_tile_registers();
    bool avxvnni = avx2 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && bit(a, 4);
    return bit_of(IX_ISA_AVX2, avx2) | bit_of(IX_ISA_AVXVNNI, avxvnni) |
           bit_of(IX_ISA_AVX512, avx512) | bit_of(IX_ISA_AVX512VNNI, avx512vnni) |
           bit_of(IX_ISA_AMX, amx);
}
#elif defined(__aarch64__)
static uint32_t detect(void)
{
    bool dotprod = ix_cpu_has(IX_CPU_ARM_DOTPROD);
    return bit_of(IX_ISA_NEON, true) | bit_of(IX_ISA_DOTPROD, dotprod) |
           bit_of(IX_ISA_I8MM, dotprod && ix_cpu_has(IX_CPU_ARM_I8MM));
}
#elif defined(__wasm__)
/* The engine took the module, so it has what is built in; but relaxed SIMD keeps the contract only
 * where its multiply-add is fused. */
static uint32_t detect(void)
{
    uint32_t sets = bit_of(IX_ISA_SIMD128, SIMD128_BUILT);
#if defined(IX_WASM_RELAXED)
    sets |= bit_of(IX_ISA_RELAXED, ix_wasm_madd_is_fused());
#endif
    return sets;
}
#else
static uint32_t detect(void)
{
    return 0;
}
#endif

static uint32_t present_sets(void)
{
    static _Atomic(uint32_t) found; /* 0: not yet asked; several threads may ask */
    uint32_t sets = atomic_load_explicit(&found, memory_order_relaxed);
    if (sets == 0) {
        sets = detect() | bit_of(IX_ISA_REF, true);
        atomic_store_explicit(&found, sets, memory_order_relaxed);
    }
    return sets;
}

bool ix_isa_present(ix_isa isa)
{
    return known(isa) && (present_sets() >> isa & 1u);
}

static ix_isa best_present(void)
{
    ix_isa best = IX_ISA_REF;
    for (int i = 0; i < IX_ISA_COUNT; i++) {
        if (ix_isa_built((ix_isa)i) && ix_isa_present((ix_isa)i))
            best = (ix_isa)i;
    }
    return best;
}

/* "ref, avx2, ..." of the sets that this machine runs, for the error messages. */
static void list_present(char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < IX_ISA_COUNT && used < size; i++) {
        if (ix_isa_built((ix_isa)i) && ix_isa_present((ix_isa)i)) {
            int n = snprintf(out + used, size - used, "%s%s", i ? ", " : "", SETS[i].name);
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
    char present[128];
    list_present(present, sizeof present);
    for (int i = 0; i < IX_ISA_COUNT; i++) {
        if (strcmp(name, SETS[i].name) != 0)
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
