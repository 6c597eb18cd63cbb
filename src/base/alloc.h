/* Heap allocation, counted, checked, and made to fail on demand by the fault tests.
 *
 * All memory of the library comes through here, so that the test ring "the n-th allocation fails"
 * sees every call.  Sizes are count * size with overflow check.  Memory from ix_alloc is zeroed.
 */
#ifndef IX_BASE_ALLOC_H
#define IX_BASE_ALLOC_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* *out = zeroed array of `count` items of `size` bytes, aligned for any type; NULL if that is 0. */
inox_status ix_alloc(size_t count, size_t size, void **out, inox_error *err) IX_MUST_USE;

/* Grows or shrinks; new bytes are not zeroed, and those of a large block come in large pages where
 * the system has them.  On failure *p is unchanged. */
inox_status ix_realloc(void **p, size_t count, size_t size, inox_error *err) IX_MUST_USE;

/* Zeroed memory, aligned to `align` (a power of two, at least 8).  Free with ix_free_aligned. */
inox_status ix_alloc_aligned(size_t bytes, size_t align, void **out, inox_error *err) IX_MUST_USE;

/* The same for a table that is looked up here and there: in large pages where it has room for some,
 * so that a lookup waits for memory only, not for the page's place too.  Free with
 * ix_free_aligned. */
inox_status ix_alloc_table(size_t bytes, void **out, inox_error *err) IX_MUST_USE;

/* The same for memory of which most will never be touched (a cache): in small pages, so that only
 * what is touched becomes resident.  Free with ix_free_aligned. */
inox_status ix_alloc_sparse(size_t bytes, size_t align, void **out, inox_error *err) IX_MUST_USE;

/* After much was freed (the tree of a large JSON file): gives it back to the system at once.  Else
 * the C library would sort it all into its lists at some later allocation, tens of milliseconds. */
void ix_give_back_memory(void);

void ix_free(void *p);
void ix_free_aligned(void *p);

/* *out = NUL-terminated copy of n bytes. */
inox_status ix_strndup(const char *s, size_t n, char **out, inox_error *err) IX_MUST_USE;

/* Fault tests: the n-th allocation from now (1 = the next) fails, and all after it if `sticky`;
 * n = 0 switches that off. */
void ix_alloc_fail_at(uint64_t n, int sticky);
uint64_t ix_alloc_count(void); /* allocations so far */

/* Metering: from here to the end, what the calling thread takes less what it gives back is counted,
 * and a request that would bring it over bytes_max (not 0) is INOX_E_LIMIT.  Not nested. */
void ix_meter_begin(uint64_t bytes_max);
void ix_meter_end(void);

/* Typed helper: IX_ALLOC(&p, count, err) with the type of *p. */
#define IX_ALLOC(pp, count, err) ix_alloc((count), sizeof **(pp), (void **)(pp), (err))
#define IX_REALLOC(pp, count, err) ix_realloc((void **)(pp), (count), sizeof **(pp), (err))

/* A region that only grows and is released at once.  Chunks are heap blocks; items are zeroed. */
typedef struct ix_arena_chunk ix_arena_chunk;
typedef struct ix_arena {
    ix_arena_chunk *chunks;
    size_t bytes; /* given out so far */
    size_t limit; /* 0: none; else INOX_E_LIMIT beyond it */
} ix_arena;

inox_status ix_arena_alloc(ix_arena *a, size_t count, size_t size, void **out,
                           inox_error *err) IX_MUST_USE;
inox_status ix_arena_strndup(ix_arena *a, const char *s, size_t n, char **out,
                             inox_error *err) IX_MUST_USE;
void ix_arena_release(ix_arena *a); /* frees everything; the arena is empty and usable again */
#define IX_ARENA(a, pp, count, err)                                                                \
    ix_arena_alloc((a), (count), sizeof **(pp), (void **)(pp), (err))

/* A growing byte buffer, always NUL-terminated behind its length (the NUL is not counted). */
typedef struct ix_buffer {
    char *data;
    size_t size, capacity;
} ix_buffer;
inox_status ix_buffer_append(ix_buffer *b, const void *bytes, size_t n,
                             inox_error *err) IX_MUST_USE;
inox_status ix_buffer_printf(ix_buffer *b, inox_error *err, const char *format, ...)
    IX_PRINTF(3, 4) IX_MUST_USE;
void ix_buffer_release(ix_buffer *b);

#endif
