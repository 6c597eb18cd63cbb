/* What a rendering spends (memory, steps, depth), and how it fails. */
#include "text/jinja/render.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- budget ---------------------------------------------------------------------------------- */

inox_status ix_j_text_too_long(const ix_jrender *r, size_t size, inox_error *err)
{
    return ix_fail(err, INOX_E_LIMIT, "a text of %zu bytes, more than the limit output_max, %zu",
                   size, r->text_max);
}

inox_status ix_j_alloc(ix_jrender *r, size_t count, size_t size, void **out, inox_error *err)
{
    size_t bytes;

    *out = NULL;
    size_t warm_left = (size_t)(r->warm_end - r->warm);
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > r->memory_left + warm_left)
        return ix_fail(err, INOX_E_LIMIT,
                       "the template takes more than %zu bytes of memory, the limit memory_max",
                       r->memory_max);
    if (bytes == 0)
        return INOX_OK;
    size_t taken = (bytes + 7) & ~(size_t)7; /* memory_left and warm_left are multiples of 8 */
    if (taken > warm_left) {
        if (taken > r->memory_left) { /* what the budget lacks, the warm memory gives */
            r->warm_end -= taken - r->memory_left;
            r->memory_left = taken;
        }
        r->memory_left -= taken;
        return ix_arena_alloc(&r->arena, 1, bytes, out, err);
    }
    *out = memset(r->warm, 0, bytes);
    r->warm += taken;
    return INOX_OK;
}

inox_status ix_j_steps(ix_jrender *r, uint64_t n, inox_error *err)
{
    if (n > r->steps_left) {
        r->steps_left = 0;
        return ix_fail(err, INOX_E_LIMIT,
                       "the template takes more than %llu steps, the limit steps_max",
                       (unsigned long long)r->steps_max);
    }
    r->steps_left -= n;
    return INOX_OK;
}

inox_status ix_j_enter(ix_jrender *r, inox_error *err)
{
    if (r->depth >= IX_MAX_TEMPLATE_DEPTH)
        return ix_fail(err, INOX_E_LIMIT, "values or calls nest deeper than %d levels",
                       IX_MAX_TEMPLATE_DEPTH);
    r->depth++;
    return INOX_OK;
}

void ix_j_leave(ix_jrender *r)
{
    r->depth--;
}

/* ---- errors ---------------------------------------------------------------------------------- */

inox_status ix_j_fail(inox_error *err, const char *class, const char *format, ...)
{
    char message[sizeof err->message];
    va_list arguments;

    if (err == NULL)
        return INOX_E_FORMAT;
    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    va_end(arguments);
    return ix_fail(err, INOX_E_FORMAT, "%s: %s", class, message);
}
