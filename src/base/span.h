/* Bounded reading of untrusted bytes, and checked arithmetic.
 *
 * A span is a view of bytes with a read position.  Every read is checked against the end; nothing
 * is copied unless it is asked for.  Numbers in files are little-endian, whatever this machine is.
 * On failure the position does not move and the error names the byte position.
 */
#ifndef IX_BASE_SPAN_H
#define IX_BASE_SPAN_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ix_span {
    const uint8_t *data;
    uint64_t size;
    uint64_t pos;
} ix_span;

static inline ix_span ix_span_of(const void *data, uint64_t size)
{
    return (ix_span){ (const uint8_t *)data, size, 0 };
}
static inline uint64_t ix_span_left(const ix_span *s)
{
    return s->size - s->pos;
}

inox_status ix_read_u8(ix_span *s, uint8_t *out, const char *what, inox_error *err) IX_MUST_USE;
inox_status ix_read_u16(ix_span *s, uint16_t *out, const char *what, inox_error *err) IX_MUST_USE;
inox_status ix_read_u32(ix_span *s, uint32_t *out, const char *what, inox_error *err) IX_MUST_USE;
inox_status ix_read_u64(ix_span *s, uint64_t *out, const char *what, inox_error *err) IX_MUST_USE;
/* A view of the next n bytes. */
inox_status ix_read_bytes(ix_span *s, uint64_t n, const uint8_t **out, const char *what,
                          inox_error *err) IX_MUST_USE;

/* True and *out set unless it overflows; false and *out untouched. */
static inline bool ix_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t r;
    if (__builtin_add_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}
static inline bool ix_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

#endif
