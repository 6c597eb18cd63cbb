/* What exact-vectors needs of an operating system, for machines that have none of base/os_*.c
 * (tools/build_exact.py). */
#define _DEFAULT_SOURCE /* syscall */
#include "base/os.h"

#include <stdlib.h>

const char *ix_environment(const char *name)
{
    return getenv(name);
}

void *ix_take_pages(size_t bytes)
{
    return calloc(1, bytes);
}

void ix_give_pages(void *pages, size_t bytes)
{
    (void)bytes;
    free(pages);
}

void ix_advise_large_pages(void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
}

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

bool ix_allow_tile_registers(void)
{
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0; /* as base/os_linux.c */
}
#else
bool ix_allow_tile_registers(void)
{
    return false;
}
#endif
