/* An allocator (LD_PRELOAD) whose blocks are aligned as C demands and not one bit more: every
 * address is 16 mod 64.  New bytes are junk unless they were asked for as zeros, and freed ones
 * become junk.
 *
 *     __libc_malloc's block
 *     | ... | size, block | bytes ...
 *                         ^ 16 mod 64, or what memalign was asked for
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define JUNK 0xa5

extern void *__libc_malloc(size_t bytes);
extern void __libc_free(void *block);
EXPORT void *memalign(size_t align, size_t bytes);
EXPORT size_t malloc_usable_size(void *p);

typedef struct head {
    size_t bytes;
    void *block;
} head;

static head *head_of(void *p)
{
    return (head *)p - 1;
}

/* Address = place mod align. */
static void *take(size_t bytes, size_t align, size_t place)
{
    if (bytes > PTRDIFF_MAX - 2 * align - sizeof(head)) {
        errno = ENOMEM;
        return NULL;
    }
    char *block = __libc_malloc(bytes + 2 * align + sizeof(head));
    if (block == NULL)
        return NULL;
    uintptr_t first = (uintptr_t)block + sizeof(head);
    size_t skip = (place - (size_t)first) & (align - 1);
    char *p = block + sizeof(head) + skip;
    *head_of(p) = (head){ bytes, block };
    return p;
}

EXPORT void *malloc(size_t bytes)
{
    void *p = take(bytes, 64, 16);
    if (p != NULL)
        memset(p, JUNK, bytes);
    return p;
}

EXPORT void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = take(bytes, 64, 16);
    if (p != NULL)
        memset(p, 0, bytes);
    return p;
}

EXPORT void free(void *p)
{
    if (p == NULL)
        return;
    head h = *head_of(p);
    memset(p, JUNK, h.bytes);
    __libc_free(h.block);
}

EXPORT void *realloc(void *p, size_t bytes)
{
    if (p == NULL)
        return malloc(bytes);
    if (bytes == 0) {
        free(p);
        return NULL;
    }
    void *q = malloc(bytes);
    if (q != NULL) {
        memcpy(q, p, head_of(p)->bytes < bytes ? head_of(p)->bytes : bytes);
        free(p);
    }
    return q;
}

void *memalign(size_t align, size_t bytes)
{
    return take(bytes, align < 16 ? 16 : align, 0);
}

EXPORT void *aligned_alloc(size_t align, size_t bytes)
{
    return memalign(align, bytes);
}

EXPORT int posix_memalign(void **out, size_t align, size_t bytes)
{
    void *p = memalign(align, bytes);
    if (p == NULL)
        return ENOMEM;
    *out = p;
    return 0;
}

size_t malloc_usable_size(void *p)
{
    return p == NULL ? 0 : head_of(p)->bytes;
}
