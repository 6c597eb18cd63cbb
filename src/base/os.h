/* Everything that asks the operating system: files, mappings, clocks, directories, randomness, CPU.
 *
 * No other folder includes a system header beyond the C standard library, so that macOS and Windows
 * need one more os_<system>.c and nothing else.
 */
#ifndef IX_BASE_OS_H
#define IX_BASE_OS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A read-only mapping of a whole regular file. */
typedef struct ix_map {
    const uint8_t *data;
    uint64_t size;
    int64_t handle; /* the open file, for identity and advice; -1 when `data` is not a mapping */
} ix_map;

inox_status ix_map_open(const char *path, ix_map *out, inox_error *err) IX_MUST_USE;
void ix_map_close(ix_map *m);
/* The pages of [offset, offset + size) are no longer needed (they stay in the page cache). */
void ix_map_forget(const ix_map *m, uint64_t offset, uint64_t size);
/* Start reading the range in the background. */
void ix_map_prefetch(const ix_map *m, uint64_t offset, uint64_t size);

/* What identifies an unchanged file, for the cache of model hashes. */
typedef struct ix_file_id {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
} ix_file_id;
inox_status ix_map_identity(const ix_map *m, ix_file_id *out, inox_error *err) IX_MUST_USE;

bool ix_path_exists(const char *path); /* anything at all */
/* *out: the path from the root on, links as they are; free with ix_free. */
inox_status ix_path_absolute(const char *path, char **out, inox_error *err) IX_MUST_USE;
bool ix_path_is_directory(const char *path);
/* Whole small file, at most `limit` bytes; *out has a NUL behind it, free with ix_free. */
inox_status ix_file_read(const char *path, uint64_t limit, char **out, size_t *size,
                         inox_error *err) IX_MUST_USE;
/* Writes beside the target and renames, so that nobody sees half a file.  mode: e.g. 0600. */
inox_status ix_file_write(const char *path, const void *data, size_t size, unsigned mode,
                          inox_error *err) IX_MUST_USE;
/* mkdir -p with mode 0700. */
inox_status ix_make_directories(const char *path, inox_error *err) IX_MUST_USE;
/* Names in a directory (not "." and ".."), sorted by byte; free each and the array with ix_free. */
inox_status ix_list_directory(const char *path, char ***names, size_t *count,
                              inox_error *err) IX_MUST_USE;
/* $NAME, or $HOME/fallback when unset or empty: XDG base directories.  *out freed with ix_free. */
inox_status ix_user_directory(const char *variable, const char *fallback, const char *leaf,
                              char **out, inox_error *err) IX_MUST_USE;
const char *ix_environment(const char *name); /* NULL when unset */

double ix_clock_seconds(void);       /* monotonic */
int64_t ix_wall_clock_seconds(void); /* Unix time, for receipts */
inox_status ix_os_random(void *bytes, size_t n, inox_error *err) IX_MUST_USE;
/* Whole pages of zeros that nobody has touched, straight from the system; NULL where it has none.
 * Give them back with the same size. */
void *ix_take_pages(size_t bytes);
void ix_give_pages(void *pages, size_t bytes);
/* Hint: the memory is large and read from end to end, so pages of the largest size suit it. */
void ix_advise_large_pages(void *memory, size_t bytes);
/* Pages of this memory that nobody has touched yet will come from the machine's memory nodes in
 * turn. Nothing where there is one node, or where the system refuses. */
void ix_interleave_nodes(void *memory, size_t bytes);
/* Asks the system to save the tile registers of x86's AMX for this process, which it does only for
 * those that asked.  False: it cannot, or will not; using them would be a fault. */
bool ix_allow_tile_registers(void);
uint64_t ix_peak_resident_bytes(void);    /* this process, 0 if unknown */
uint64_t ix_available_memory_bytes(void); /* 0 if unknown */
int ix_cpu_count(void);                   /* processors that this process may use */
/* Keeps the calling thread on the index-th processor of those that the process may use; false where
 * the system does not allow it, or has no such processor. */
bool ix_pin_this_thread(int index);

#endif
