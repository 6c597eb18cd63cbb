/* Instruction sets: which were built in, which this CPU has, which one is to be used.
 *
 * All give the same bits (docs/NUMERICS.md), so the choice is a matter of speed only.
 */
#ifndef IX_NUM_ISA_H
#define IX_NUM_ISA_H

#include "base/status.h"

#include <stdbool.h>

typedef enum ix_isa {
#define IX_ISA(constant, name, extends, built) IX_ISA_##constant,
#include "num/isa.def"
#undef IX_ISA
    IX_ISA_COUNT
} ix_isa;

const char *ix_isa_name(ix_isa isa); /* "avx2", as in isa.def */
/* The set that this one extends; IX_ISA_REF extends itself. */
ix_isa ix_isa_extends(ix_isa isa);
/* Rows of set `row` may be used by a plan for `isa`: it is the same or one that `isa` extends. */
bool ix_isa_includes(ix_isa isa, ix_isa row);
bool ix_isa_built(ix_isa isa);   /* kernels for it are in this library */
bool ix_isa_present(ix_isa isa); /* this CPU and operating system can run it */
/* name NULL: $INOX_ISA if set, else the best present.  Unknown or absent: INOX_E_ISA, never a
 * fallback. */
inox_status ix_isa_choose(const char *name, ix_isa *out, inox_error *err) IX_MUST_USE;

/* What is known of a row of a kernel table, which is compared with the reference at first use: one
 * that differs costs speed and not bits.  Starts as 0. */
typedef _Atomic(int) ix_kernel_state;
enum { IX_KERNEL_UNCHECKED = 0, IX_KERNEL_GOOD, IX_KERNEL_BAD };

#endif
