/* One table of row kernels per instruction set, made from kernels.def. */
#include "num/rows/kernels.h"

static const ix_row_kernels REF = {
    .isa = IX_ISA_REF,
#define IX_ROW(function, avx2, avx512) .function = ix_rows_##function##_ref,
#include "num/rows/kernels.def"
#undef IX_ROW
};

#if defined(__x86_64__)
#define IX_CHOICE(function, suffix) .function = ix_rows_##function##_##suffix,

static const ix_row_kernels AVX2 = {
    .isa = IX_ISA_AVX2,
#define IX_ROW(function, avx2, avx512) IX_CHOICE(function, avx2)
#include "num/rows/kernels.def"
#undef IX_ROW
};

static const ix_row_kernels AVX512 = {
    .isa = IX_ISA_AVX512,
#define IX_ROW(function, avx2, avx512) IX_CHOICE(function, avx512)
#include "num/rows/kernels.def"
#undef IX_ROW
};

#endif

static const ix_row_kernels *const TABLES[IX_ISA_COUNT] = {
    [IX_ISA_REF] = &REF,
#if defined(__x86_64__)
    [IX_ISA_AVX2] = &AVX2,
    [IX_ISA_AVX512] = &AVX512,
#endif
};

const ix_row_kernels *ix_row_kernels_for(ix_isa isa)
{
    while (!TABLES[isa])
        isa = ix_isa_extends(isa);
    return TABLES[isa];
}
