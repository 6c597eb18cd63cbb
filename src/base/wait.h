/* Sleeping until a word in memory changes: what base/thread.c needs from the operating system. */
#ifndef IX_BASE_WAIT_H
#define IX_BASE_WAIT_H

#include <stdint.h>

/* Sleeps while *word == value, until ix_wake_all; may return early, so callers test again. */
void ix_wait_while(const _Atomic uint32_t *word, uint32_t value);
/* Wakes every thread that sleeps on the word. */
void ix_wake_all(const _Atomic uint32_t *word);

#endif
