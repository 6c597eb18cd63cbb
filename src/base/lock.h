/* A lock that one thread holds at a time; others sleep.  Initialise with zeros; nothing to
 * release. */
#ifndef IX_BASE_LOCK_H
#define IX_BASE_LOCK_H

#include <stdint.h>

typedef struct ix_lock {
    _Atomic uint32_t state; /* 0 free, 1 held, 2 held and somebody may sleep */
} ix_lock;

void ix_lock_take(ix_lock *l);
void ix_lock_give(ix_lock *l);

#endif
