/* What this machine can give at most: operations and reading.  A profile and the benchmarks hold
 * their figures against it.
 *
 * Measured, not looked up: other programs, clock frequencies and virtual machines change it by the
 * minute, so a share of a limit means something only where both are of the same seconds.
 */
#ifndef IX_BACK_LIMITS_H
#define IX_BACK_LIMITS_H

#include "base/thread.h"
#include "num/isa.h"

typedef struct ix_limits {
    double read; /* bytes per second out of memory that no cache holds */
    double
        integer;   /* products of bytes with sums of 32 bits: operations per second; 0: not known */
    double floats; /* fused multiply-adds of float32, likewise; each is two operations */
} ix_limits;

/* All workers of the pool together with the instructions of `isa`; the best of a few rounds, since
 * a limit is what nothing disturbed.  Takes some tenths of a second, and memory for a moment. */
inox_status ix_limits_measure(ix_pool *pool, ix_isa isa, ix_limits *out,
                              inox_error *err) IX_MUST_USE;

/* One round each, for what is measured between two kernels. */
double ix_limit_integer(ix_pool *pool, ix_isa isa);
double ix_limit_floats(ix_pool *pool, ix_isa isa);
double ix_limit_read(ix_pool *pool, const void *memory, size_t bytes);

#endif
