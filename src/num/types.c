/* The table of element types, and the one function that computes tensor sizes. */
#include "num/types.h"

#include "base/span.h"

static const ix_type_info TYPES[IX_TYPE_COUNT] = {
#define IX_TYPE(name, ggml, elements, bytes, activations)                                          \
    { #name, ggml, elements, bytes, activations },
#include "num/types.def"
#undef IX_TYPE
};

const ix_type_info *ix_type_of(ix_type t)
{
    return &TYPES[t];
}

_Bool ix_type_from_ggml(uint32_t ggml_id, ix_type *out)
{
    for (int i = 0; i < IX_TYPE_COUNT; i++) {
        if (TYPES[i].ggml_id == ggml_id) {
            *out = (ix_type)i;
            return 1;
        }
    }
    return 0;
}

inox_status ix_tensor_bytes(ix_type t, uint64_t row_elements, uint64_t rows, uint64_t *bytes,
                            inox_error *err)
{
    const ix_type_info *info = &TYPES[t];
    if (row_elements % info->block_elements != 0)
        return ix_fail(err, INOX_E_FORMAT, "a row of %llu elements is not whole blocks of %u (%s)",
                       (unsigned long long)row_elements, info->block_elements, info->name);
    uint64_t row_bytes, all;
    if (!ix_mul_u64(row_elements / info->block_elements, info->block_bytes, &row_bytes) ||
        !ix_mul_u64(row_bytes, rows, &all))
        return ix_fail(err, INOX_E_LIMIT,
                       "a tensor of %llu rows of %llu elements (%s) is larger than 2^64 bytes",
                       (unsigned long long)rows, (unsigned long long)row_elements, info->name);
    *bytes = all;
    return INOX_OK;
}
