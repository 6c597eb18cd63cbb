/* What the files of the GGUF reader share. */
#ifndef IX_FRONT_GGUF_INTERNAL_H
#define IX_FRONT_GGUF_INTERNAL_H

#include "front/gguf/gguf.h"
#include "front/gguf/table.h"

/* The metadata of one file. */
typedef struct ix_gguf_meta {
    ix_gguf_value *values;
    size_t count;
    ix_gguf_table keys;
    ix_arena arena; /* keys, starts of strings */
} ix_gguf_meta;

struct ix_gguf {
    ix_gguf_file *files;
    uint32_t file_count;
    ix_gguf_meta meta; /* of the first file */
    ix_gguf_tensor *tensors;
    size_t tensor_count;
    ix_gguf_table names; /* of tensors */
    ix_arena arena;      /* names of tensors, paths */
};

/* A name of the file for an error message: "%.*s" with IX_SHOWN(name, size). */
#define IX_SHOWN_MAX 100
#define IX_SHOWN(name, size) ((size) > IX_SHOWN_MAX ? IX_SHOWN_MAX : (int)(size)), (name)

/* Reads the header of files[file] (its map is set): appends the tensors to g and fills the rest of
 * the file's entry.  *meta is zero before; the caller releases it, after a failure too. */
inox_status ix_gguf_parse(ix_gguf *g, uint32_t file, ix_gguf_meta *meta,
                          inox_error *err) IX_MUST_USE;

/* Finds the data section of files[file], whose tensors are those from `first` on and whose header
 * ends at `header_end`; its alignment is 0 where the metadata has none.  Turns the tensors' offsets
 * into offsets in the file, checks that the data lies in it without overlaps, and points to it. */
inox_status ix_gguf_lay_out(ix_gguf *g, uint32_t file, size_t first, uint64_t header_end,
                            inox_error *err) IX_MUST_USE;

/* NULL if there is none. */
const ix_gguf_value *ix_gguf_meta_find(const ix_gguf_meta *meta, const char *key);
void ix_gguf_meta_release(ix_gguf_meta *meta);

/* Bytes of one item; 0 for strings and arrays. */
unsigned ix_gguf_type_size(ix_gguf_type t);

/* A little-endian number of 1 to 8 bytes. */
static inline uint64_t ix_gguf_load(const uint8_t *bytes, unsigned n)
{
    uint64_t value = 0;

    for (unsigned i = n; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

#endif
