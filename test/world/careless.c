/* A library that means well: loaded into a program (LD_PRELOAD), it switches on flush-to-zero and
 * another rounding mode in the loading thread and in every thread that is started later.
 *
 * The first half is what crtfastmath.o does in any library that was linked with -ffast-math; the
 * other half is what some plug-ins do for the threads that they meet. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <fenv.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

static void set_modes(void)
{
    fesetround(FE_UPWARD);
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040u); /* flush to zero, both ways */
#elif defined(__aarch64__)
    uint64_t word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    __asm__ volatile("msr fpcr, %0" : : "r"(word | 1u << 24));
#endif
}

__attribute__((constructor)) static void loaded(void)
{
    set_modes();
}

typedef struct start {
    void *(*fn)(void *);
    void *argument;
} start;

static void *started(void *argument)
{
    start s = *(start *)argument;
    free(argument);
    set_modes();
    return s.fn(s.argument);
}

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread,
                                                          const pthread_attr_t *attributes,
                                                          void *(*fn)(void *), void *argument)
{
    static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (next == NULL)
        *(void **)(void *)&next = dlsym(RTLD_NEXT, "pthread_create");
    start *s = malloc(sizeof *s);
    if (s == NULL)
        return 11; /* EAGAIN */
    *s = (start){ fn, argument };
    int failure = next(thread, attributes, started, s);
    if (failure != 0)
        free(s);
    return failure;
}
