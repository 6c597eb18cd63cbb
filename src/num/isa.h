/* Instruction sets: which were built in, which this CPU has, which one is to be used.
 *
 * They are ordered: a plan for `avx512` may use rows of `avx2` and `ref` where no better row
 * exists.  All give the same bits (docs/NUMERICS.md), so the choice is a matter of speed only.
 */
#ifndef IX_NUM_ISA_H
#define IX_NUM_ISA_H

#include "base/status.h"

#include <stdbool.h>

typedef enum ix_isa {
    IX_ISA_REF = 0,
    IX_ISA_AVX2,       /* AVX2, FMA, F16C */
    IX_ISA_AVX512,     /* + AVX-512 F, BW, DQ, VL */
    IX_ISA_AVX512VNNI, /* + AVX-512 VNNI */
    IX_ISA_COUNT
} ix_isa;

const char *ix_isa_name(ix_isa isa);  /* "ref", "avx2", "avx512", "avx512vnni" */
bool ix_isa_built(ix_isa isa);        /* kernels for it are in this library */
bool ix_isa_present(ix_isa isa);      /* this CPU and operating system can run it */
/* name NULL: $INOX_ISA if set, else the best present.  Unknown or absent: INOX_E_ISA, never a
 * fallback. */
inox_status ix_isa_choose(const char *name, ix_isa *out, inox_error *err) IX_MUST_USE;

#endif
