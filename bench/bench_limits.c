/* bench-limits [--threads N] [--isa NAME] [--json]: the machine's limits, for bench/run.py to hold
 * figures against. */
#include "back/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    int threads = 0, json = 0;
    const char *name = NULL;
    ix_isa isa;
    ix_pool *pool;
    ix_limits l;
    inox_error err;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            threads = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc)
            name = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            json = 1;
        else
            return fprintf(stderr, "usage: bench-limits [--threads N] [--isa NAME] [--json]\n"), 2;
    }
    inox_status status = ix_isa_choose(name, &isa, &err);
    if (status == INOX_OK)
        status = ix_pool_new(threads, &pool, &err);
    if (status == INOX_OK)
        status = ix_limits_measure(pool, isa, &l, &err);
    if (status != INOX_OK)
        return fprintf(stderr, "bench-limits: %s\n", err.message), 1;
    printf(json ? "{\"threads\": %d, \"isa\": \"%s\", \"integer_gops\": %.1f, "
                  "\"float_gflops\": %.1f, \"read_gb_per_s\": %.2f}\n"
                : "%d threads, %s: integer peak %.0f Gop/s, float peak %.0f Gflop/s, read %.1f "
                  "GB/s\n",
           ix_pool_threads(pool), ix_isa_name(isa), 1e-9 * l.integer, 1e-9 * l.floats,
           1e-9 * l.read);
    ix_pool_free(pool);
    return 0;
}
