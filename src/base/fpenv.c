/* The floating-point control word of each processor.
 *
 * Exception flags that a caller had raised or unmasked are put aside with its word and stand there
 * again afterwards.
 */
#include "base/fpenv.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define MXCSR_CONTRACT 0x1F80u /* nearest even, subnormals kept, exceptions masked */
#define X87_CONTRACT 0x037Fu   /* nearest even, 64 bits, exceptions masked */

/* Nothing of ours computes on the x87 unit, but the C library reads its rounding mode where it
 * turns decimal numbers into binary ones and back: the numbers of a receipt. */
static void set_x87(uint16_t word)
{
    uint16_t now;

    __asm__ volatile("fnstcw %0" : "=m"(now));
    if (now != word)
        __asm__ volatile("fldcw %0" : : "m"(word));
}

ix_fpenv ix_fpenv_enter(void)
{
    uint16_t x87;

    __asm__ volatile("fnstcw %0" : "=m"(x87));
    ix_fpenv e = { (uint64_t)x87 << 32 | _mm_getcsr() };
    _mm_setcsr(MXCSR_CONTRACT);
    set_x87(X87_CONTRACT);
    return e;
}

void ix_fpenv_leave(ix_fpenv e)
{
    _mm_setcsr((uint32_t)e.saved);
    set_x87((uint16_t)(e.saved >> 32));
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
