/* Tasks on POSIX threads, in the contract's floating-point environment. */
#include "base/task.h"

#include "base/alloc.h"
#include "base/fpenv.h"

#include <pthread.h>

struct ix_task {
    void (*fn)(void *context);
    void *context;
    pthread_t thread;
    int started;
};

static void *task_main(void *argument)
{
    ix_task *t = argument;
    ix_fpenv_enter(); /* its own for as long as it lives */
    t->fn(t->context);
    return NULL;
}

inox_status ix_task_start(void (*fn)(void *context), void *context, ix_task **out, inox_error *err)
{
    ix_task *t;
    IX_TRY(IX_ALLOC(&t, 1, err));
    t->fn = fn;
    t->context = context;
    t->started = pthread_create(&t->thread, NULL, task_main, t) == 0;
    if (!t->started)
        fn(context);
    *out = t;
    return INOX_OK;
}

void ix_task_join(ix_task *t)
{
    if (t == NULL)
        return;
    if (t->started)
        pthread_join(t->thread, NULL);
    ix_free(t);
}
