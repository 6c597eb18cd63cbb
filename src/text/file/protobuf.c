/* Reading protocol buffers. */
#include "text/file/protobuf.h"

#include <string.h>

static inox_status read_varint(ix_span *s, uint64_t *out, inox_error *err)
{
    uint64_t value = 0, start = s->pos;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte;
        IX_TRY(ix_read_u8(s, &byte, "a number", err));
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = value;
            return INOX_OK;
        }
    }
    return ix_fail_at(err, INOX_E_FORMAT, start, "a number has more than ten bytes");
}

static inox_status read_value(ix_span *s, ix_proto_field *f, inox_error *err)
{
    uint64_t start = s->pos;
    const uint8_t *bytes;
    uint32_t low;
    switch (f->type) {
    case IX_PROTO_VARINT: return read_varint(s, &f->value, err);
    case IX_PROTO_FIXED64: return ix_read_u64(s, &f->value, "eight bytes", err);
    case IX_PROTO_FIXED32:
        IX_TRY(ix_read_u32(s, &low, "four bytes", err));
        f->value = low;
        return INOX_OK;
    case IX_PROTO_BYTES:
        IX_TRY(read_varint(s, &f->value, err));
        IX_TRY(ix_read_bytes(s, f->value, &bytes, "the bytes of a field", err));
        f->bytes = (ix_text_view){ (const char *)bytes, (size_t)f->value };
        return INOX_OK;
    }
    return ix_fail_at(err, INOX_E_FORMAT, start, "field %u has the unknown wire type %d", f->number,
                      (int)f->type);
}

inox_status ix_proto_next(ix_span *message, ix_proto_field *out, bool *more, inox_error *err)
{
    uint64_t key, start = message->pos;
    *out = (ix_proto_field){ 0 };
    *more = ix_span_left(message) > 0;
    if (!*more)
        return INOX_OK;
    IX_TRY(read_varint(message, &key, err));
    if (key >> 3 == 0 || key >> 3 >= 1u << 29)
        return ix_fail_at(err, INOX_E_FORMAT, start, "a field has the number %llu",
                          (unsigned long long)(key >> 3));
    out->number = (uint32_t)(key >> 3);
    out->type = (ix_proto_type)(key & 7);
    return read_value(message, out, err);
}

static inox_status wrong_type(const ix_proto_field *f, const char *want, inox_error *err)
{
    return ix_fail(err, INOX_E_FORMAT, "field %u has wire type %d where %s belongs", f->number,
                   (int)f->type, want);
}

inox_status ix_proto_int(const ix_proto_field *f, int64_t *out, inox_error *err)
{
    if (f->type != IX_PROTO_VARINT)
        return wrong_type(f, "a number", err);
    *out = (int64_t)f->value;
    return INOX_OK;
}

inox_status ix_proto_bool(const ix_proto_field *f, bool *out, inox_error *err)
{
    if (f->type != IX_PROTO_VARINT)
        return wrong_type(f, "true or false", err);
    *out = f->value != 0;
    return INOX_OK;
}

inox_status ix_proto_float(const ix_proto_field *f, float *out, inox_error *err)
{
    if (f->type != IX_PROTO_FIXED32)
        return wrong_type(f, "a float", err);
    uint32_t bits = (uint32_t)f->value;
    memcpy(out, &bits, sizeof *out);
    return INOX_OK;
}

inox_status ix_proto_bytes(const ix_proto_field *f, ix_text_view *out, inox_error *err)
{
    if (f->type != IX_PROTO_BYTES)
        return wrong_type(f, "a string", err);
    *out = f->bytes;
    return INOX_OK;
}
