/* Heap allocation, the arena and the growing buffer.
 *
 * Invariant: every block of the library is taken by take_block() or resized behind may_allocate(),
 * so that the fault tests see and can fail each of them.  An aligned block lies inside another:
 *
 *     base                         aligned
 *     | ... padding ... | base ptr | bytes ...
 *
 * which keeps calloc's untouched zero pages (a plan of a gigabyte costs nothing before it is used).
 * A large table has pages of its own: their size before the pointer to them, which is odd.
 */
#include "base/alloc.h"

#include "base/os.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- counting and faults --------------------------------------------------------------------- */

static _Atomic uint64_t allocations;  /* so far */
static _Atomic uint64_t failing_from; /* number of the allocation that fails; 0: none */
static _Atomic bool failing_sticky;

void ix_alloc_fail_at(uint64_t n, int sticky)
{
    atomic_store(&failing_from, 0);
    atomic_store(&failing_sticky, sticky != 0);
    if (n != 0)
        atomic_store(&failing_from, atomic_load(&allocations) + n);
}

uint64_t ix_alloc_count(void)
{
    return atomic_load(&allocations);
}

static bool may_allocate(void)
{
    uint64_t number = atomic_fetch_add(&allocations, 1) + 1;
    uint64_t from = atomic_load(&failing_from);

    return from == 0 || number < from || (number > from && !atomic_load(&failing_sticky));
}

static bool over_meter(size_t bytes);

static inox_status out_of_memory(size_t bytes, inox_error *err)
{
    if (bytes <= PTRDIFF_MAX && over_meter(bytes))
        return ix_fail(err, INOX_E_LIMIT, "%zu bytes more would exceed the limit of memory", bytes);
    return ix_fail(err, INOX_E_MEMORY, "out of memory: %zu bytes were asked for", bytes);
}

static inox_status too_large(size_t count, size_t size, inox_error *err)
{
    return ix_fail(err, INOX_E_MEMORY, "out of memory: %zu items of %zu bytes exceed all addresses",
                   count, size);
}

/* ---- metering -------------------------------------------------------------------------------- */

/* A block counts with all the bytes that the C library gave it, which it knows when the block goes;
 * so blocks may be older than the meter, and `taken` below zero. */
static _Thread_local struct {
    int64_t taken, limit; /* limit 0: off */
} meter;

void ix_meter_begin(uint64_t bytes_max)
{
    meter.taken = 0;
    meter.limit = bytes_max < INT64_MAX ? (int64_t)bytes_max : INT64_MAX;
}

void ix_meter_end(void)
{
    meter.limit = 0;
}

static bool over_meter(size_t bytes)
{
    return meter.limit != 0 && meter.taken + (int64_t)bytes > meter.limit;
}

static void metered(void *block, int sign)
{
    if (meter.limit != 0 && block)
        meter.taken += sign * (int64_t)malloc_usable_size(block);
}

/* Zeroed memory, or NULL.  Blocks beyond PTRDIFF_MAX are refused: pointer differences need it. */
static void *take_block(size_t bytes)
{
    void *block =
        bytes <= PTRDIFF_MAX && !over_meter(bytes) && may_allocate() ? calloc(1, bytes) : NULL;
    metered(block, 1);
    return block;
}

/* Pages are large from an address on that is a multiple of their size. */
#define LARGE_PAGE ((size_t)2 << 20)

/* ---- blocks ---------------------------------------------------------------------------------- */

inox_status ix_alloc(size_t count, size_t size, void **out, inox_error *err)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return too_large(count, size, err);
    if (bytes == 0) {
        *out = NULL;
        return INOX_OK;
    }
    void *block = take_block(bytes);
    if (block == NULL)
        return out_of_memory(bytes, err);
    *out = block;
    return INOX_OK;
}

inox_status ix_realloc(void **p, size_t count, size_t size, inox_error *err)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return too_large(count, size, err);
    if (bytes == 0) {
        ix_free(*p);
        *p = NULL;
        return INOX_OK;
    }
    metered(*p, -1);
    void *block =
        bytes <= PTRDIFF_MAX && !over_meter(bytes) && may_allocate() ? realloc(*p, bytes) : NULL;
    if (block == NULL) {
        inox_status status = out_of_memory(bytes, err);
        metered(*p, 1);
        return status;
    }
    metered(block, 1);
    if (bytes >= LARGE_PAGE) /* filling it asks the system less often */
        ix_advise_large_pages(block, bytes);
    *p = block;
    return INOX_OK;
}

inox_status ix_alloc_sparse(size_t bytes, size_t align, void **out, inox_error *err)
{
    size_t total;

    if (align < sizeof(void *) || (align & (align - 1)) != 0)
        return ix_fail(err, INOX_E_ARGUMENT, "alignment %zu is not a power of two of at least %zu",
                       align, sizeof(void *));
    if (bytes == 0) {
        *out = NULL;
        return INOX_OK;
    }
    if (__builtin_add_overflow(bytes, align + sizeof(void *), &total))
        return too_large(bytes, 1, err);
    char *base = take_block(total);
    if (base == NULL)
        return out_of_memory(bytes, err);
    uintptr_t first = (uintptr_t)base + sizeof(void *);
    uintptr_t aligned = (first + align - 1) & ~(uintptr_t)(align - 1);
    char *p = base + (aligned - (uintptr_t)base);
    memcpy(p - sizeof(void *), &base, sizeof base);
    *out = p;
    return INOX_OK;
}

/* From here on a block is weights: fewer, larger pages make reading them much faster. */
#define LARGE_BYTES ((size_t)4 << 20)

inox_status ix_alloc_aligned(size_t bytes, size_t align, void **out, inox_error *err)
{
    IX_TRY(ix_alloc_sparse(bytes, align, out, err));
    if (bytes >= LARGE_BYTES)
        ix_advise_large_pages(*out, bytes);
    return INOX_OK;
}

void ix_give_back_memory(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

/* What stands before an aligned block; of one that is pages of its own, the base is odd. */
typedef struct aligned_header {
    size_t bytes; /* of all pages */
    uintptr_t base;
} aligned_header;

/* The C library would take a large table from what was freed before, where it has that: memory in
 * small pages, to be filled with zeros.  The system's pages are zeros already, and large. */
inox_status ix_alloc_table(size_t bytes, void **out, inox_error *err)
{
    size_t total;

    if (bytes < LARGE_PAGE)
        return ix_alloc_sparse(bytes, 64, out, err);
    if (__builtin_add_overflow(bytes, LARGE_PAGE + sizeof(aligned_header), &total))
        return too_large(bytes, 1, err);
    char *base =
        total <= PTRDIFF_MAX && !over_meter(total) && may_allocate() ? ix_take_pages(total) : NULL;
    if (!base)
        return out_of_memory(bytes, err);
    if (meter.limit != 0)
        meter.taken += (int64_t)total;
    uintptr_t first = (uintptr_t)base + sizeof(aligned_header);
    uintptr_t aligned = (first + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    char *p = base + (aligned - (uintptr_t)base);
    aligned_header header = { total, (uintptr_t)base | 1 };
    memcpy(p - sizeof header, &header, sizeof header);
    ix_advise_large_pages(p, bytes);
    *out = p;
    return INOX_OK;
}

void ix_free(void *p)
{
    if (!p)
        return;
    metered(p, -1);
    free(p);
}

void inox_string_free(char *s)
{
    ix_free(s);
}

void ix_free_aligned(void *p)
{
    uintptr_t base;

    if (p == NULL)
        return;
    memcpy(&base, (char *)p - sizeof base, sizeof base);
    char *block = (char *)p - ((uintptr_t)p - (base & ~(uintptr_t)1));
    if ((base & 1) == 0) {
        ix_free(block);
        return;
    }
    aligned_header header;
    memcpy(&header, (char *)p - sizeof header, sizeof header);
    if (meter.limit != 0)
        meter.taken -= (int64_t)header.bytes;
    ix_give_pages(block, header.bytes);
}

inox_status ix_strndup(const char *s, size_t n, char **out, inox_error *err)
{
    void *copy = NULL;

    if (n == SIZE_MAX)
        return too_large(n, 1, err);
    IX_TRY(ix_alloc(n + 1, 1, &copy, err));
    if (n > 0)
        memcpy(copy, s, n);
    *out = copy;
    return INOX_OK;
}

/* ---- arena ----------------------------------------------------------------------------------- */

struct ix_arena_chunk {
    ix_arena_chunk *next;
    size_t used, capacity;
    max_align_t data[]; /* items are aligned for any type */
};

#define ALIGNMENT _Alignof(max_align_t)

/* Under AddressSanitizer each item is a block of its own, so that a read beyond it is seen. */
#if defined(__SANITIZE_ADDRESS__)
#define OWN_CHUNKS true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_CHUNKS true
#endif
#endif
#ifndef OWN_CHUNKS
#define OWN_CHUNKS false
#endif

#define CHUNK_BYTES_MIN ((size_t)4096)
#define CHUNK_BYTES_MAX ((size_t)1 << 20)

/* A chunk with room for `bytes`.  An item that is large beside the chunks gets one to itself, which
 * goes behind the first, whose free room stays in use. */
static inox_status add_chunk(ix_arena *a, size_t bytes, ix_arena_chunk **out, inox_error *err)
{
    size_t capacity = a->bytes < CHUNK_BYTES_MIN ? CHUNK_BYTES_MIN : a->bytes;
    void *block = NULL;

    if (capacity > CHUNK_BYTES_MAX)
        capacity = CHUNK_BYTES_MAX;
    bool alone = OWN_CHUNKS || bytes > capacity / 4;
    if (alone)
        capacity = bytes;
    if (capacity > SIZE_MAX - sizeof(ix_arena_chunk))
        return too_large(bytes, 1, err);
    IX_TRY(ix_alloc(1, sizeof(ix_arena_chunk) + capacity, &block, err));
    ix_arena_chunk *chunk = block;
    chunk->capacity = capacity;
    if (alone && a->chunks != NULL) {
        chunk->next = a->chunks->next;
        a->chunks->next = chunk;
    } else {
        chunk->next = a->chunks;
        a->chunks = chunk;
    }
    *out = chunk;
    return INOX_OK;
}

inox_status ix_arena_alloc(ix_arena *a, size_t count, size_t size, void **out, inox_error *err)
{
    ix_arena_chunk *chunk = a->chunks;
    size_t bytes, start = 0;

    if (__builtin_mul_overflow(count, size, &bytes))
        return too_large(count, size, err);
    if (bytes == 0) {
        *out = NULL;
        return INOX_OK;
    }
    if (a->limit != 0 && (a->bytes > a->limit || bytes > a->limit - a->bytes))
        return ix_fail(err, INOX_E_LIMIT,
                       "%zu bytes more than the %zu in use exceed the limit of %zu bytes", bytes,
                       a->bytes, a->limit);
    if (chunk != NULL)
        start = (chunk->used + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (chunk == NULL || start > chunk->capacity || bytes > chunk->capacity - start) {
        IX_TRY(add_chunk(a, bytes, &chunk, err));
        start = 0;
    }
    chunk->used = start + bytes;
    a->bytes += bytes;
    *out = (char *)chunk->data + start;
    return INOX_OK;
}

inox_status ix_arena_strndup(ix_arena *a, const char *s, size_t n, char **out, inox_error *err)
{
    void *copy = NULL;

    if (n == SIZE_MAX)
        return too_large(n, 1, err);
    IX_TRY(ix_arena_alloc(a, n + 1, 1, &copy, err));
    if (n > 0)
        memcpy(copy, s, n);
    *out = copy;
    return INOX_OK;
}

void ix_arena_release(ix_arena *a)
{
    while (a->chunks != NULL) {
        ix_arena_chunk *next = a->chunks->next;

        ix_free(a->chunks);
        a->chunks = next;
    }
    a->bytes = 0;
}

/* ---- buffer ---------------------------------------------------------------------------------- */

/* Room for n more bytes and the NUL. */
static inox_status reserve(ix_buffer *b, size_t n, inox_error *err)
{
    size_t needed, capacity = b->capacity < 64 ? 64 : b->capacity;
    void *data = b->data;

    if (__builtin_add_overflow(b->size, n, &needed) || needed >= PTRDIFF_MAX)
        return too_large(n, 1, err);
    if (needed < b->capacity)
        return INOX_OK;
    while (capacity <= needed)
        capacity = capacity > PTRDIFF_MAX / 2 ? PTRDIFF_MAX : capacity * 2;
    IX_TRY(ix_realloc(&data, capacity, 1, err));
    b->data = data;
    b->capacity = capacity;
    return INOX_OK;
}

inox_status ix_buffer_append(ix_buffer *b, const void *bytes, size_t n, inox_error *err)
{
    IX_TRY(reserve(b, n, err));
    if (n > 0)
        memcpy(b->data + b->size, bytes, n);
    b->size += n;
    b->data[b->size] = '\0';
    return INOX_OK;
}

inox_status ix_buffer_printf(ix_buffer *b, inox_error *err, const char *format, ...)
{
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (n < 0)
        return ix_fail(err, INOX_E_INTERNAL, "format '%s' cannot be printed", format);
    IX_TRY(reserve(b, (size_t)n, err));
    va_start(arguments, format);
    vsnprintf(b->data + b->size, (size_t)n + 1, format, arguments);
    va_end(arguments);
    b->size += (size_t)n;
    return INOX_OK;
}

void ix_buffer_release(ix_buffer *b)
{
    ix_free(b->data);
    *b = (ix_buffer){ NULL, 0, 0 };
}
