/* Bounded reading of untrusted bytes.  Every read goes through take(), the one place that compares
 * with the end. */
#include "base/span.h"

#include <inttypes.h>

static inox_status take(ix_span *s, uint64_t n, const uint8_t **out, const char *what,
                        inox_error *err)
{
    if (n > ix_span_left(s))
        return ix_fail_at(err, INOX_E_FORMAT, s->pos,
                          "%s at byte %" PRIu64 " needs %" PRIu64 " bytes, but only %" PRIu64
                          " are left",
                          what, s->pos, n, ix_span_left(s));
    *out = s->data + s->pos;
    s->pos += n;
    return INOX_OK;
}

/* The next n <= 8 bytes as a little-endian number. */
static inox_status take_number(ix_span *s, unsigned n, uint64_t *out, const char *what,
                               inox_error *err)
{
    const uint8_t *bytes = NULL;
    uint64_t value = 0;

    IX_TRY(take(s, n, &bytes, what, err));
    for (unsigned i = n; i-- > 0;)
        value = value << 8 | bytes[i];
    *out = value;
    return INOX_OK;
}

inox_status ix_read_u8(ix_span *s, uint8_t *out, const char *what, inox_error *err)
{
    uint64_t value = 0;

    IX_TRY(take_number(s, 1, &value, what, err));
    *out = (uint8_t)value;
    return INOX_OK;
}

inox_status ix_read_u16(ix_span *s, uint16_t *out, const char *what, inox_error *err)
{
    uint64_t value = 0;

    IX_TRY(take_number(s, 2, &value, what, err));
    *out = (uint16_t)value;
    return INOX_OK;
}

inox_status ix_read_u32(ix_span *s, uint32_t *out, const char *what, inox_error *err)
{
    uint64_t value = 0;

    IX_TRY(take_number(s, 4, &value, what, err));
    *out = (uint32_t)value;
    return INOX_OK;
}

inox_status ix_read_u64(ix_span *s, uint64_t *out, const char *what, inox_error *err)
{
    return take_number(s, 8, out, what, err);
}

inox_status ix_read_bytes(ix_span *s, uint64_t n, const uint8_t **out, const char *what,
                          inox_error *err)
{
    return take(s, n, out, what, err);
}
