/* The three-state lock of Drepper, "Futexes Are Tricky" (2011), section 5. */
#include "base/lock.h"

#include "base/wait.h"

#include <stdatomic.h>

void ix_lock_take(ix_lock *l)
{
    uint32_t seen = 0;
    if (atomic_compare_exchange_strong_explicit(&l->state, &seen, 1, memory_order_acquire,
                                                memory_order_relaxed))
        return;
    while (atomic_exchange_explicit(&l->state, 2, memory_order_acquire) != 0)
        ix_wait_while(&l->state, 2);
}

void ix_lock_give(ix_lock *l)
{
    if (atomic_exchange_explicit(&l->state, 0, memory_order_release) == 2)
        ix_wake_all(&l->state);
}
