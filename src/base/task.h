/* One piece of work beside the caller's own: starts a thread, which is joined before its result is
 * used. */
#ifndef IX_BASE_TASK_H
#define IX_BASE_TASK_H

#include "base/status.h"

typedef struct ix_task ix_task;

/* Runs fn(context) in a thread of its own.  Where no thread can be had, it is run at once, before
 * this returns. */
inox_status ix_task_start(void (*fn)(void *context), void *context, ix_task **out,
                          inox_error *err) IX_MUST_USE;
/* Waits until it is done and releases it.  NULL is fine. */
void ix_task_join(ix_task *t);

#endif
