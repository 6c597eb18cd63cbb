/* Names to indices: a hash table with a keyed hash, so that no file can choose names that collide.
 *
 * The names are not copied: they must live as long as the table.
 */
#ifndef IX_FRONT_GGUF_TABLE_H
#define IX_FRONT_GGUF_TABLE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ix_gguf_slot {
    const char *name; /* NULL: free */
    uint32_t size;
    uint32_t index;
} ix_gguf_slot;

/* All zero is an empty table without room. */
typedef struct ix_gguf_table {
    ix_gguf_slot *slots;
    size_t capacity; /* a power of two, at least twice `used` */
    size_t used;
    uint64_t key[2];
} ix_gguf_table;

/* Room for `names` names in all; draws the key when the table is new. */
inox_status ix_gguf_table_reserve(ix_gguf_table *t, size_t names, inox_error *err) IX_MUST_USE;

/* Adds a name, for which there must be room.  If it is there already: false, and its index. */
bool ix_gguf_table_insert(ix_gguf_table *t, const char *name, size_t size, uint32_t index,
                          uint32_t *existing) IX_MUST_USE;

/* The index of a name; false if it is not there. */
bool ix_gguf_table_find(const ix_gguf_table *t, const char *name, size_t size, uint32_t *index);

void ix_gguf_table_release(ix_gguf_table *t);

#endif
