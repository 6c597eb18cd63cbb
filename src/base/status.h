/* Status codes and the caller-owned error.
 *
 * Every internal call that can fail returns inox_status and takes, last, an optional inox_error.
 * The first failure fills the error; callers only pass it up with IX_TRY.
 * This file does not print and does not allocate.
 */
#ifndef IX_BASE_STATUS_H
#define IX_BASE_STATUS_H

#include "inox.h"

#include <stdarg.h>
#include <stdint.h>

/* Passes an error up.  `expr` must be an inox_status; the error was filled by the callee. */
#define IX_TRY(expr)                                                                               \
    do {                                                                                           \
        inox_status ix_try_status_ = (expr);                                                       \
        if (ix_try_status_ != INOX_OK)                                                             \
            return ix_try_status_;                                                                 \
    } while (0)

/* The same, for functions that must release something first. */
#define IX_TRY_GOTO(status, expr, label)                                                           \
    do {                                                                                           \
        (status) = (expr);                                                                         \
        if ((status) != INOX_OK)                                                                   \
            goto label;                                                                            \
    } while (0)

#define IX_PRINTF(format_index, first_argument)                                                    \
    __attribute__((format(printf, format_index, first_argument)))
#define IX_MUST_USE __attribute__((warn_unused_result))

/* Fills `err` (which may be NULL) and returns `code`.  No byte position. */
inox_status ix_fail(inox_error *err, inox_status code, const char *format, ...) IX_PRINTF(3, 4);

/* The same with the byte position in the input that was wrong. */
inox_status ix_fail_at(inox_error *err, inox_status code, uint64_t position, const char *format,
                       ...) IX_PRINTF(4, 5);

/* Puts "prefix: " before the message of an error that is on its way up (a file name, usually). */
inox_status ix_prefix(inox_error *err, inox_status code, const char *format, ...) IX_PRINTF(3, 4);

#endif
