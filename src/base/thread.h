/* Thread pool.
 *
 * One parallel region at a time: ix_pool_run calls fn(ctx, worker) once on every worker, worker 0
 * being the calling thread, and returns when all have returned.  Inside a region, ix_pool_barrier
 * lets all workers meet.  Workers spin for some microseconds for the next region and then sleep.
 * The floating-point control word is set to the contract's (rule C1) around every task.
 */
#ifndef IX_BASE_THREAD_H
#define IX_BASE_THREAD_H

#include "base/fpenv.h"
#include "base/status.h"

#include <stdint.h>

typedef struct ix_pool ix_pool;

/* threads >= 1; 0 = all processors.  A pool of one makes no thread. */
inox_status ix_pool_new(int threads, ix_pool **out, inox_error *err) IX_MUST_USE;
/* Each worker keeps to a processor of its own, beginning with the second: the first is left to the
 * calling thread, which may go where it likes.  More threads than processors: INOX_E_ARGUMENT;
 * refused by the system: INOX_E_IO. */
inox_status ix_pool_pin(ix_pool *p, inox_error *err) IX_MUST_USE;
void ix_pool_free(ix_pool *p); /* joins the workers; NULL is fine */
int ix_pool_threads(const ix_pool *p);
void ix_pool_run(ix_pool *p, void (*fn)(void *ctx, int worker), void *ctx);
/* All workers of the running region meet here.  Must be called by all or none. */
void ix_pool_barrier(ix_pool *p);

/* A counter for dynamic work: each call returns the next value from 0. */
typedef struct ix_counter {
    _Alignas(64) _Atomic int64_t next;
    char pad[64 - sizeof(int64_t)];
} ix_counter;
int64_t ix_counter_take(ix_counter *c);
void ix_counter_reset(ix_counter *c);

#endif
