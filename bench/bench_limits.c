/* bench-limits [--threads N] [--json]: the machine's limits, for bench/run.py to hold figures
 * against. */
#include "base/alloc.h"

#include "limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3 };

int main(int argc, char **argv)
{
    int threads = 0, json = 0;
    size_t bytes = (size_t)512 << 20; /* more than caches hold */
    double integer = 0, floats = 0, read = 0;
    ix_pool *pool;
    void *memory;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            threads = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--json") == 0)
            json = 1;
    }
    if (ix_pool_new(threads, &pool, NULL) != INOX_OK ||
        ix_alloc_aligned(bytes, 64, &memory, NULL) != INOX_OK) {
        fprintf(stderr, "bench-limits: no memory\n");
        return 1;
    }
    memset(memory, 1, bytes); /* no page is the shared zero page */
    for (int i = 0; i < ROUNDS; i++) { /* the best: a limit is what nothing disturbed */
        double x = measure_peak(pool, integer_peak()), y = measure_peak(pool, float_peak());
        double z = measure_read(pool, memory, bytes);
        integer = x > integer ? x : integer;
        floats = y > floats ? y : floats;
        read = z > read ? z : read;
    }
    printf(json ? "{\"threads\": %d, \"integer_gops\": %.1f, \"float_gflops\": %.1f, "
                  "\"read_gb_per_s\": %.2f}\n"
                : "%d threads: integer peak %.0f Gop/s, float peak %.0f Gflop/s, read %.1f GB/s\n",
           ix_pool_threads(pool), integer, floats, read);
    ix_free_aligned(memory);
    ix_pool_free(pool);
    return 0;
}
