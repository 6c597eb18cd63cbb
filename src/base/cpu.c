/* Features of AArch64 as Linux reports them to every process, in its auxiliary vector. */
#include "base/cpu.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

bool ix_cpu_has(ix_cpu_feature feature)
{
    switch (feature) {
    case IX_CPU_ARM_DOTPROD: return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
    case IX_CPU_ARM_I8MM: return (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
    }
    return false;
}
#else
bool ix_cpu_has(ix_cpu_feature feature)
{
    (void)feature;
    return false;
}
#endif
