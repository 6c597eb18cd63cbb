/* The test harness: tests register themselves, checks count, nothing stops at the first failure.
 *
 *     TEST(base_span_short_read) { CHECK(ix_span_left(&s) == 3); CHECK_OK(call(&err), &err); }
 *
 * `inox-test [FILTER...]` runs the tests whose name contains a filter.  A test that needs data
 * which is not there calls SKIP("why") and is counted as skipped.  Each TEST is one "passed" or
 * "failed".
 */
#ifndef IX_TEST_H
#define IX_TEST_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ix_test {
    const char *name;
    void (*run)(struct ix_test *t);
    uint64_t checks, failures; /* of this test */
    const char *skipped;       /* reason, or NULL */
    struct ix_test *next;
} ix_test;

void ix_test_register(ix_test *t);
void ix_test_fail(ix_test *t, const char *file, int line, const char *format, ...) IX_PRINTF(4, 5);

#define TEST(test_name)                                                                            \
    static void test_name(ix_test *t);                                                             \
    static ix_test test_name##_entry = { .name = #test_name, .run = test_name };                   \
    __attribute__((constructor)) static void test_name##_register(void)                            \
    {                                                                                              \
        ix_test_register(&test_name##_entry);                                                      \
    }                                                                                              \
    static void test_name(ix_test *t)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        t->checks++;                                                                               \
        if (!(condition))                                                                          \
            ix_test_fail(t, __FILE__, __LINE__, "%s", #condition);                                 \
    } while (0)
#define CHECK_MSG(condition, ...)                                                                  \
    do {                                                                                           \
        t->checks++;                                                                               \
        if (!(condition))                                                                          \
            ix_test_fail(t, __FILE__, __LINE__, __VA_ARGS__);                                      \
    } while (0)
#define CHECK_OK(status, err) CHECK_MSG((status) == INOX_OK, "%s: %s", #status, (err)->message)
#define SKIP(why)                                                                                  \
    do {                                                                                           \
        t->skipped = (why);                                                                        \
        return;                                                                                    \
    } while (0)

/* Path of a file below test/ of the source tree, or of ../shared beside it (NULL where missing).
 * The result is overwritten by the sixteenth next call. */
const char *ix_test_file(const char *relative);
const char *ix_test_shared(const char *relative);
/* Deterministic numbers for generated cases. */
uint64_t ix_test_random(uint64_t *state);
float ix_test_random_float(uint64_t *state); /* about normal, mean 0, deviation 1 */

#endif
