/* Instructions of which only the operating system can tell: on AArch64 a program may not ask the
 * processor itself. */
#ifndef IX_BASE_CPU_H
#define IX_BASE_CPU_H

#include <stdbool.h>

typedef enum ix_cpu_feature {
    IX_CPU_ARM_DOTPROD, /* SDOT, UDOT */
    IX_CPU_ARM_I8MM,    /* SMMLA and its kin */
} ix_cpu_feature;

/* False, too, on any other processor, and where the system is not known here. */
bool ix_cpu_has(ix_cpu_feature feature);

#endif
