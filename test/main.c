/* The C test runner: inox-test [--list] [FILTER...]
 *
 * Tests register themselves before main (test.h) and run sorted by name.  One line per test; the
 * last line is "N passed, N failed, N skipped".  Exit status 0 only when none failed.
 */
#include "test.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/os.h"

#define FAILURES_SHOWN 10

static ix_test *tests;
static const char *running = "before the first test";

void ix_test_register(ix_test *t)
{
    ix_test **place = &tests;

    while (*place != NULL && strcmp((*place)->name, t->name) < 0)
        place = &(*place)->next;
    t->next = *place;
    *place = t;
}

void ix_test_fail(ix_test *t, const char *file, int line, const char *format, ...)
{
    va_list arguments;
    const char *slash = strrchr(file, '/');

    t->failures++;
    if (t->failures > FAILURES_SHOWN)
        return;
    printf("  %s:%d: ", slash == NULL ? file : slash + 1, line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    if (t->failures == FAILURES_SHOWN)
        printf("  (further failures of this test are only counted)\n");
}

/* ---- files ----------------------------------------------------------------------------------- */

static const char *join_path(const char *root, const char *folder, const char *relative)
{
    static char paths[16][1024];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof paths[0], "%s/%s/%s", root, folder, relative);
    return path;
}

/* INOX_SOURCE_ROOT lets an installed or moved test program find its files. */
static const char *source_root(void)
{
    const char *root = getenv("INOX_SOURCE_ROOT");

    return root != NULL ? root : IX_TEST_SOURCE_ROOT;
}

const char *ix_test_file(const char *relative)
{
    return join_path(source_root(), "test", relative);
}

const char *ix_test_shared(const char *relative)
{
    const char *path = join_path(source_root(), "../shared", relative);

    return ix_path_exists(path) ? path : NULL;
}

/* ---- numbers --------------------------------------------------------------------------------- */

uint64_t ix_test_random(uint64_t *state)
{
    /* SplitMix64 */
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

float ix_test_random_float(uint64_t *state)
{
    double sum = 0; /* of twelve uniform numbers: mean 6, variance 1 */

    for (int i = 0; i < 12; i++)
        sum += (double)(ix_test_random(state) >> 11) * 0x1p-53;
    return (float)(sum - 6);
}

/* ---- running --------------------------------------------------------------------------------- */

/* Says which test it was; sanitizers bring their own handlers, which say more. */
static void crashed(int signal_number)
{
    static const char text[] = "FAILED (crashed): ";

    (void)!write(STDOUT_FILENO, text, sizeof text - 1);
    (void)!write(STDOUT_FILENO, running, strlen(running));
    (void)!write(STDOUT_FILENO, "\n", 1);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void catch_crashes(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction old;

        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            signal(signals[i], crashed);
    }
}

static bool chosen(const char *name, int count, char **filters)
{
    for (int i = 0; i < count; i++)
        if (strstr(name, filters[i]) != NULL)
            return true;
    return count == 0;
}

static void run(ix_test *t)
{
    double start = ix_clock_seconds();

    running = t->name;
    fflush(stdout);
    t->run(t);
    double ms = (ix_clock_seconds() - start) * 1e3;
    if (t->failures > 0)
        printf("FAILED  %s (%" PRIu64 " of %" PRIu64 " checks)\n", t->name, t->failures, t->checks);
    else if (t->skipped != NULL)
        printf("skipped %s: %s\n", t->name, t->skipped);
    else
        printf("ok      %s (%" PRIu64 " checks, %.0f ms)\n", t->name, t->checks, ms);
}

int main(int argc, char **argv)
{
    bool list = argc > 1 && strcmp(argv[1], "--list") == 0;
    int first = list ? 2 : 1;
    unsigned passed = 0, failed = 0, skipped = 0;

    catch_crashes();
    for (ix_test *t = tests; t != NULL; t = t->next) {
        if (!chosen(t->name, argc - first, argv + first))
            continue;
        if (list) {
            printf("%s\n", t->name);
            continue;
        }
        run(t);
        if (t->failures > 0)
            failed++;
        else if (t->skipped != NULL)
            skipped++;
        else
            passed++;
    }
    if (list)
        return 0;
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed > 0;
}
