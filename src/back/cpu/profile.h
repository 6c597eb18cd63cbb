/* The clock beside a plan's steps: where the time of its runs goes.
 *
 * Every worker notes the time when it ends a step and when a stage's border lets it go, and adds
 * what has passed to its own cells.  So all time of all workers is in some cell:
 *
 *     worker 0   | wake | step 0 ........ | wait | step 1 .. | step 2 .. | wait | ...
 *     worker 1   | wake | step 0 .. | wait ..... | step 1 ..... | step 2 | wait | ...
 *
 * Waiting counts for the step that the worker has behind it, waking up for the first.
 */
#ifndef IX_BACK_CPU_PROFILE_H
#define IX_BACK_CPU_PROFILE_H

#include "back/cpu/plan.h"

typedef enum ix_profile_part { IX_PROFILE_BUSY, IX_PROFILE_IDLE } ix_profile_part;

inox_status ix_profiler_new(ix_plan *p, inox_error *err) IX_MUST_USE;
void ix_profiler_free(ix_profiler *t); /* NULL is fine */
/* The calling thread, around a run. */
void ix_profiler_run_begins(ix_plan *p);
void ix_profiler_run_ends(ix_plan *p);
/* A worker: what has passed since its last note belongs to this part of this step. */
void ix_profiler_note(ix_profiler *t, int worker, int32_t step, ix_profile_part part);
inox_status ix_profiler_report(const ix_plan *p, ix_profile *out, inox_error *err) IX_MUST_USE;

#endif
