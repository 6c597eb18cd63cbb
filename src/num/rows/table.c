/* One table of row kernels per instruction set, made from kernels.def, and the choice of one. */
#include "num/rows/kernels.h"

#include <stdatomic.h>

static const ix_row_kernels REF = {
    .isa = IX_ISA_REF,
#define IX_ROW(function) .function = ix_rows_##function##_ref,
#include "num/rows/kernels.def"
#undef IX_ROW
};

#if defined(__x86_64__)
static const ix_row_kernels AVX2 = {
    .isa = IX_ISA_AVX2,
#define IX_ROW(function) .function = ix_rows_##function##_avx2,
#include "num/rows/kernels.def"
#undef IX_ROW
};

static const ix_row_kernels AVX512 = {
    .isa = IX_ISA_AVX512,
#define IX_ROW(function) .function = ix_rows_##function##_avx512,
#include "num/rows/kernels.def"
#undef IX_ROW
};
#elif defined(__aarch64__)
static const ix_row_kernels NEON = {
    .isa = IX_ISA_NEON,
#define IX_ROW(function) .function = ix_rows_##function##_neon,
#include "num/rows/kernels.def"
#undef IX_ROW
};
#endif

#if defined(IX_WASM_SIMD128)
static const ix_row_kernels SIMD128 = {
    .isa = IX_ISA_SIMD128,
#define IX_ROW(function) .function = ix_rows_##function##_simd128,
#include "num/rows/kernels.def"
#undef IX_ROW
};
#endif

#if defined(IX_WASM_RELAXED)
static const ix_row_kernels RELAXED = {
    .isa = IX_ISA_RELAXED,
#define IX_ROW(function) .function = ix_rows_##function##_relaxed,
#include "num/rows/kernels.def"
#undef IX_ROW
};
#endif

static const ix_row_kernels *const TABLES[IX_ISA_COUNT] = {
    [IX_ISA_REF] = &REF,
#if defined(__x86_64__)
    [IX_ISA_AVX2] = &AVX2,
    [IX_ISA_AVX512] = &AVX512,
#elif defined(__aarch64__)
    [IX_ISA_NEON] = &NEON,
#endif
#if defined(IX_WASM_SIMD128)
    [IX_ISA_SIMD128] = &SIMD128,
#endif
#if defined(IX_WASM_RELAXED)
    [IX_ISA_RELAXED] = &RELAXED,
#endif
};

static ix_kernel_state states[IX_ISA_COUNT];

static const char *const NAMES[IX_ISA_COUNT] = {
#define IX_ISA(constant, name, extends, built) [IX_ISA_##constant] = "ix_rows_" name,
#include "num/isa.def"
#undef IX_ISA
};

const ix_row_kernels *ix_row_table(ix_isa isa)
{
    return TABLES[isa];
}

/* Two threads may compare one table at the same time: both come to the same result. */
static _Bool usable(const ix_row_kernels *k, const ix_row_kernels *reference,
                    ix_kernel_state *state)
{
    int known = atomic_load_explicit(state, memory_order_relaxed);
    _Bool same;
    if (k == reference || known != IX_KERNEL_UNCHECKED)
        return known != IX_KERNEL_BAD;
    if (!ix_isa_present(k->isa) || ix_row_compare(k, reference, &same, NULL) != INOX_OK)
        return 0; /* no memory for it: not known, and asked again at the next use */
    atomic_store_explicit(state, same ? IX_KERNEL_GOOD : IX_KERNEL_BAD, memory_order_relaxed);
    return same;
}

const ix_row_kernels *ix_row_select(const ix_row_kernels *const *tables,
                                    ix_kernel_state *row_states, ix_isa isa)
{
    while (!tables[isa] || !usable(tables[isa], tables[IX_ISA_REF], &row_states[isa]))
        isa = ix_isa_extends(isa);
    return tables[isa];
}

const ix_row_kernels *ix_row_kernels_for(ix_isa isa)
{
    return ix_row_select(TABLES, states, isa);
}

const char *ix_row_rejected(int index)
{
    for (int i = 0; i < IX_ISA_COUNT; i++)
        if (atomic_load_explicit(&states[i], memory_order_relaxed) == IX_KERNEL_BAD && index-- == 0)
            return NAMES[i];
    return NULL;
}
