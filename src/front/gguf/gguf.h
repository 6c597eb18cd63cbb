/* GGUF files: metadata and tensors, read where they lie in the mapping.
 *
 * Opening checks everything that the format can get wrong (counts, lengths, types, duplicates,
 * shapes, offsets, overlaps, the end of the file), so that what the functions below hand out is in
 * bounds.  It reads headers only: no byte of a tensor is touched, and time and memory are bounded
 * by the size of the headers.  Versions 2 and 3, little-endian.  A file without tensors (a
 * vocabulary) is fine.
 *
 * Alignment: general.alignment (32 if missing) must be a power of two, as ggml demands, and a
 * multiple of 8, as the specification demands.  The data section starts at the next multiple behind
 * the header, and every tensor's offset is a multiple.  Gaps between tensors, any order of tensors
 * and missing padding behind the last one are accepted; overlaps are not.  Where only the first
 * file of a split model has the key, the size of each other file tells if it was padded by it.
 *
 * Everything handed out belongs to the ix_gguf and lives until ix_gguf_close.  An ix_gguf does not
 * change once it is open: any number of threads may read it.
 *
 * Errors: a byte position counts from the start of the file that is wrong; messages of ix_gguf_open
 * start with the path of that file, messages of the other calls do not.
 */
#ifndef IX_FRONT_GGUF_GGUF_H
#define IX_FRONT_GGUF_GGUF_H

#include "base/alloc.h"
#include "base/os.h"
#include "base/status.h"
#include "num/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ix_gguf ix_gguf;

/* ---- opening --------------------------------------------------------------------------- */

/* Maps the file and, where split.count > 1, the other files of the model: BASE-00001-of-0000N.gguf
 * up to BASE-0000N-of-0000N.gguf beside it.  Their names come from `path` alone, never from the
 * file.  Opening another file than the first of a split model is an error that names the first. */
inox_status ix_gguf_open(const char *path, ix_gguf **out, inox_error *err) IX_MUST_USE;

/* The same for bytes that outlive the ix_gguf (the embedded model, fuzzing).  `data` is aligned to
 * 8 bytes at least; kernels may want more.  A split model cannot be opened this way. */
inox_status ix_gguf_open_memory(const void *data, uint64_t size, ix_gguf **out,
                                inox_error *err) IX_MUST_USE;

void ix_gguf_close(ix_gguf *g); /* NULL is fine */

/* ---- files ----------------------------------------------------------------------------- */

typedef struct ix_gguf_file {
    const char *path;     /* "" when opened from memory */
    ix_map map;           /* data, size; for ix_map_forget and ix_map_prefetch */
    uint32_t version;     /* 2 or 3 */
    uint32_t alignment;   /* of the data section and of every tensor in it */
    uint64_t data_offset; /* its start; without tensors: the header's end */
    uint32_t tensor_count;
} ix_gguf_file;

uint32_t ix_gguf_file_count(const ix_gguf *g); /* at least 1 */
const ix_gguf_file *ix_gguf_file_at(const ix_gguf *g, uint32_t i); /* i < count */

/* ---- metadata (of the first file) ------------------------------------------------------ */

typedef enum ix_gguf_type { /* the numbers of the format */
    IX_GGUF_U8 = 0,
    IX_GGUF_I8 = 1,
    IX_GGUF_U16 = 2,
    IX_GGUF_I16 = 3,
    IX_GGUF_U32 = 4,
    IX_GGUF_I32 = 5,
    IX_GGUF_F32 = 6,
    IX_GGUF_BOOL = 7,
    IX_GGUF_STRING = 8,
    IX_GGUF_ARRAY = 9,
    IX_GGUF_U64 = 10,
    IX_GGUF_I64 = 11,
    IX_GGUF_F64 = 12,
    IX_GGUF_TYPE_COUNT
} ix_gguf_type;

const char *ix_gguf_type_name(ix_gguf_type t); /* "uint32", "string", "array", ...; never NULL */

typedef struct ix_gguf_value {
    const char *key;        /* NUL-terminated, no NUL inside */
    size_t key_size;
    ix_gguf_type type;      /* IX_GGUF_ARRAY: see item_type */
    ix_gguf_type item_type; /* of an array's items, never IX_GGUF_ARRAY; else = type */
    uint64_t count;         /* items of an array (may be 0); of anything else: 1 */
    uint64_t position;      /* of the value in the file (of an array: of its item type) */
    const uint8_t *bytes;   /* the items as they stand in the file, unaligned */
    const uint64_t *starts; /* strings: `bytes` + starts[i] is item i's length field; else NULL */
} ix_gguf_value;

/* Bytes in the mapping: no NUL behind them, any byte inside. */
typedef struct ix_gguf_string {
    const char *data;
    size_t size;
} ix_gguf_string;

size_t ix_gguf_value_count(const ix_gguf *g);
const ix_gguf_value *ix_gguf_value_at(const ix_gguf *g, size_t i);    /* i < count; file's order */
const ix_gguf_value *ix_gguf_find(const ix_gguf *g, const char *key); /* NULL if there is none */
bool ix_gguf_has(const ix_gguf *g, const char *key);

/* A single value by key.  get: the key must be there.  optional: `fallback` where it is not.
 * u32, u64, i64: any integer type whose value fits.  f32: float32, float64 (rounded to nearest) or
 * any integer type.  bool: bool only.  Anything else (an array too) is INOX_E_FORMAT at the value's
 * position; so is a missing key, without a position.  *out is unchanged on failure. */
inox_status ix_gguf_get_u32(const ix_gguf *g, const char *key, uint32_t *out,
                            inox_error *err) IX_MUST_USE;
inox_status ix_gguf_get_u64(const ix_gguf *g, const char *key, uint64_t *out,
                            inox_error *err) IX_MUST_USE;
inox_status ix_gguf_get_i64(const ix_gguf *g, const char *key, int64_t *out,
                            inox_error *err) IX_MUST_USE;
inox_status ix_gguf_get_f32(const ix_gguf *g, const char *key, float *out,
                            inox_error *err) IX_MUST_USE;
inox_status ix_gguf_get_bool(const ix_gguf *g, const char *key, bool *out,
                             inox_error *err) IX_MUST_USE;
inox_status ix_gguf_get_string(const ix_gguf *g, const char *key, ix_gguf_string *out,
                               inox_error *err) IX_MUST_USE;

inox_status ix_gguf_optional_u32(const ix_gguf *g, const char *key, uint32_t fallback,
                                 uint32_t *out, inox_error *err) IX_MUST_USE;
inox_status ix_gguf_optional_u64(const ix_gguf *g, const char *key, uint64_t fallback,
                                 uint64_t *out, inox_error *err) IX_MUST_USE;
inox_status ix_gguf_optional_i64(const ix_gguf *g, const char *key, int64_t fallback, int64_t *out,
                                 inox_error *err) IX_MUST_USE;
inox_status ix_gguf_optional_f32(const ix_gguf *g, const char *key, float fallback, float *out,
                                 inox_error *err) IX_MUST_USE;
inox_status ix_gguf_optional_bool(const ix_gguf *g, const char *key, bool fallback, bool *out,
                                  inox_error *err) IX_MUST_USE;
/* fallback: a C string, or NULL for { NULL, 0 }. */
inox_status ix_gguf_optional_string(const ix_gguf *g, const char *key, const char *fallback,
                                    ix_gguf_string *out, inox_error *err) IX_MUST_USE;

/* Arrays by key: *out = NULL where the key is missing; another type than an array of strings, or of
 * numbers (integers, floats, bools), is INOX_E_FORMAT at the value's position. */
inox_status ix_gguf_find_strings(const ix_gguf *g, const char *key, const ix_gguf_value **out,
                                 inox_error *err) IX_MUST_USE;
inox_status ix_gguf_find_numbers(const ix_gguf *g, const char *key, const ix_gguf_value **out,
                                 inox_error *err) IX_MUST_USE;

/* Item i of an array in constant time; i = 0 of a single value.  Conversions as above, and a bool
 * is 0 or 1; i >= count is INOX_E_ARGUMENT. */
inox_status ix_gguf_item_u64(const ix_gguf_value *v, uint64_t i, uint64_t *out,
                             inox_error *err) IX_MUST_USE;
inox_status ix_gguf_item_i64(const ix_gguf_value *v, uint64_t i, int64_t *out,
                             inox_error *err) IX_MUST_USE;
inox_status ix_gguf_item_f64(const ix_gguf_value *v, uint64_t i, double *out,
                             inox_error *err) IX_MUST_USE;
inox_status ix_gguf_item_string(const ix_gguf_value *v, uint64_t i, ix_gguf_string *out,
                                inox_error *err) IX_MUST_USE;

/* Appends the value as JSON text: numbers (NaN and infinities as strings), true, false, strings
 * with invalid UTF-8 replaced by U+FFFD, arrays.  An array of more than max_items becomes
 * {"type": "string", "count": 32000, "first": [...]} with max_items items. */
inox_status ix_gguf_value_format(const ix_gguf *g, size_t index, ix_buffer *out, uint64_t max_items,
                                 inox_error *err) IX_MUST_USE;

/* ---- tensors (of all files) ------------------------------------------------------------ */

typedef struct ix_gguf_tensor {
    const char *name;    /* NUL-terminated, no NUL inside, at most IX_MAX_TENSOR_NAME bytes */
    ix_type type;
    uint32_t rank;       /* 1 to 4 */
    uint64_t dims[4];    /* dims[0]: elements of a row, contiguous, whole blocks; 1 beyond rank */
    uint64_t bytes;      /* of the data, without padding */
    const uint8_t *data; /* in the mapping of its file */
    uint32_t file;       /* index for ix_gguf_file_at */
    uint64_t offset;     /* of `data` from the start of that file */
    uint64_t position;   /* of the tensor's description in that file, for errors */
} ix_gguf_tensor;

size_t ix_gguf_tensor_count(const ix_gguf *g);
const ix_gguf_tensor *ix_gguf_tensor_at(const ix_gguf *g, size_t i); /* i < count; files' order */
const ix_gguf_tensor *ix_gguf_find_tensor(const ix_gguf *g, const char *name); /* NULL: none */
uint64_t ix_gguf_tensor_elements(const ix_gguf_tensor *tensor);

#endif
