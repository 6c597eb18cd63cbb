/* What exact-vectors needs of an operating system, for machines that have none of base/os_*.c
 * (tools/build_exact.py). */
#include "base/os.h"

#include <stdlib.h>

const char *ix_environment(const char *name)
{
    return getenv(name);
}

void ix_advise_large_pages(void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
}
