/* The contract's floating-point environment (rule C1): what + - * / round to.
 *
 * A library that was loaded into the process may have switched on flush-to-zero or another rounding
 * mode in a caller's thread.  Every public call that computes enters, and leaves on its way out;
 * the caller finds its own mode again.
 */
#ifndef IX_BASE_FPENV_H
#define IX_BASE_FPENV_H

#include <stdint.h>

typedef struct ix_fpenv {
    uint64_t saved;
} ix_fpenv;

/* Saves the control word and sets the contract's. */
ix_fpenv ix_fpenv_enter(void);
/* The caller's control word again. */
void ix_fpenv_leave(ix_fpenv e);

#endif
