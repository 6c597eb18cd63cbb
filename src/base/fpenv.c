/* The floating-point control word of each processor.
 *
 * Exception flags that a caller had raised or unmasked are put aside with its word and stand there
 * again afterwards.
 */
#include "base/fpenv.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define MXCSR_CONTRACT 0x1F80u /* nearest even, subnormals kept, exceptions masked */

ix_fpenv ix_fpenv_enter(void)
{
    ix_fpenv e = { _mm_getcsr() };

    _mm_setcsr(MXCSR_CONTRACT);
    return e;
}

void ix_fpenv_leave(ix_fpenv e)
{
    _mm_setcsr((unsigned)e.saved);
}

#elif defined(__aarch64__)

ix_fpenv ix_fpenv_enter(void)
{
    ix_fpenv e;
    uint64_t contract = 0; /* nearest even, subnormals kept, NaN propagated */

    __asm__ volatile("mrs %0, fpcr" : "=r"(e.saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(contract));
    return e;
}

void ix_fpenv_leave(ix_fpenv e)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(e.saved));
}

#elif defined(__s390x__)

ix_fpenv ix_fpenv_enter(void)
{
    uint32_t word, contract = 0; /* nearest even; it has no flush to zero */

    __asm__ volatile("efpc %0" : "=d"(word));
    __asm__ volatile("sfpc %0" : : "d"(contract));
    return (ix_fpenv){ word };
}

void ix_fpenv_leave(ix_fpenv e)
{
    uint32_t word = (uint32_t)e.saved;

    __asm__ volatile("sfpc %0" : : "d"(word));
}

#elif defined(__wasm__)

/* WebAssembly has no control word: nearest even and subnormals always. */
ix_fpenv ix_fpenv_enter(void)
{
    return (ix_fpenv){ 0 };
}

void ix_fpenv_leave(ix_fpenv e)
{
    (void)e;
}

#else
#error "this processor's floating-point control word is not known here: add it (rule C1)"
#endif
