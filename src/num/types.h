/* Element types of tensors and their sizes.  The table is types.def.
 *
 * Q8_1 and Q8_K are ggml's intermediate types: they never stand in a model file, so they are
 * unknown here.
 */
#ifndef IX_NUM_TYPES_H
#define IX_NUM_TYPES_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum ix_type {
#define IX_TYPE(name, ggml, elements, bytes, activations) IX_TYPE_##name,
#include "num/types.def"
#undef IX_TYPE
    IX_TYPE_COUNT
} ix_type;

typedef struct ix_type_info {
    const char *name;
    uint32_t ggml_id;
    uint32_t block_elements, block_bytes;
    uint32_t activation_block; /* 0, 32 or 256 */
} ix_type_info;

const ix_type_info *ix_type_of(ix_type t); /* never NULL for a valid t */
/* The type with this GGUF number; false if there is none. */
_Bool ix_type_from_ggml(uint32_t ggml_id, ix_type *out);

/* Bytes of `rows` rows of `row_elements`; the one function that computes tensor sizes.
 * INOX_E_FORMAT where a row is not whole blocks, INOX_E_LIMIT on overflow. */
inox_status ix_tensor_bytes(ix_type t, uint64_t row_elements, uint64_t rows, uint64_t *bytes,
                            inox_error *err) IX_MUST_USE;

#endif
