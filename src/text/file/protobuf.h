/* Reading protocol buffers, as far as model files need it: a message is a list of numbered fields.
 *
 *     key (varint: number << 3 | type) | value:  0 varint | 1 eight bytes | 5 four bytes
 *                                                2 length, then that many bytes
 *
 * Every length is checked against the message that holds it.  Groups (types 3 and 4), which were
 * given up before any model file was written, are an error.  The format: protobuf.dev/encoding.
 */
#ifndef IX_TEXT_FILE_PROTOBUF_H
#define IX_TEXT_FILE_PROTOBUF_H

#include "base/span.h"
#include "text/view.h"

typedef enum ix_proto_type {
    IX_PROTO_VARINT = 0,
    IX_PROTO_FIXED64 = 1,
    IX_PROTO_BYTES = 2,
    IX_PROTO_FIXED32 = 5,
} ix_proto_type;

typedef struct ix_proto_field {
    uint32_t number;
    ix_proto_type type;
    uint64_t value;     /* of a varint or a fixed number */
    ix_text_view bytes; /* of type 2: a view into the message */
} ix_proto_field;

/* The next field of a message; *more is false at its end. */
inox_status ix_proto_next(ix_span *message, ix_proto_field *out, bool *more,
                          inox_error *err) IX_MUST_USE;

/* The value as what the schema says; the error of another wire type names the field. */
inox_status ix_proto_bool(const ix_proto_field *f, bool *out, inox_error *err) IX_MUST_USE;
inox_status ix_proto_int(const ix_proto_field *f, int64_t *out, inox_error *err) IX_MUST_USE;
inox_status ix_proto_float(const ix_proto_field *f, float *out, inox_error *err) IX_MUST_USE;
inox_status ix_proto_bytes(const ix_proto_field *f, ix_text_view *out, inox_error *err) IX_MUST_USE;

#endif
