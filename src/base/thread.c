/* Thread pool.
 *
 * Everything waits at a gate: a counter that a thread watches until somebody advances it.
 *
 *     start    opened by ix_pool_run, one step per region; workers wait here between regions
 *     done     opened by the last worker to leave a region; the caller waits here
 *     meeting  opened by the last to arrive at ix_pool_barrier (the step is the barrier's sense)
 *
 * A waiter spins for about 50 microseconds and then sleeps, so that an idle pool uses no processor.
 * With more threads than processors spinning only takes time from the one that is waited for: then
 * waiters yield a few times and sleep.
 */
#define _GNU_SOURCE /* sched_yield and pthread_sigmask beside the C11 headers */

#include "base/thread.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/os.h"
#include "base/wait.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define SPIN_SECONDS 50e-6
#define SPINS_PER_LOOK 64 /* at the clock */
#define YIELDS_CROWDED 4

static inline void relax(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

/* ---- gates ----------------------------------------------------------------------------------- */

typedef struct gate {
    _Alignas(64) _Atomic uint32_t step;
    _Atomic uint32_t sleepers;
} gate;

/* What was written before is seen by those who pass.  Step and sleepers are sequentially
 * consistent: either the opener sees the sleeper, or the sleeper sees the new step. */
static void gate_open(gate *g)
{
    atomic_fetch_add(&g->step, 1);
    if (atomic_load(&g->sleepers) != 0)
        ix_wake_all(&g->step);
}

static bool gate_passed(gate *g, uint32_t step)
{
    return atomic_load_explicit(&g->step, memory_order_acquire) != step;
}

/* Waits until the step is no longer `step`. */
static void gate_wait(gate *g, uint32_t step, bool crowded)
{
    if (crowded) {
        for (int i = 0; i < SPINS_PER_LOOK; i++) {
            if (gate_passed(g, step))
                return;
            relax();
        }
        for (int i = 0; i < YIELDS_CROWDED; i++) {
            sched_yield();
            if (gate_passed(g, step))
                return;
        }
    } else {
        double end = 0;

        do {
            for (int i = 0; i < SPINS_PER_LOOK; i++) {
                if (gate_passed(g, step))
                    return;
                relax();
            }
            if (end == 0)
                end = ix_clock_seconds() + SPIN_SECONDS;
        } while (ix_clock_seconds() < end);
    }
    atomic_fetch_add(&g->sleepers, 1);
    while (atomic_load(&g->step) == step)
        ix_wait_while(&g->step, step);
    atomic_fetch_sub(&g->sleepers, 1);
}

/* ---- pool ------------------------------------------------------------------------------------ */

typedef struct worker {
    struct ix_pool *pool;
    pthread_t thread;
    int index;
} worker;

struct ix_pool {
    gate start, done, meeting;
    _Alignas(64) _Atomic uint32_t running; /* workers that have not left the region */
    _Alignas(64) _Atomic uint32_t arrived; /* at the barrier */
    _Alignas(64) void (*fn)(void *ctx, int worker);
    void *ctx;
    bool stop;    /* like fn and ctx, written before the start gate opens */
    bool crowded; /* more threads than processors */
    int threads;
    int made;        /* threads that exist, the caller not counted */
    worker *workers; /* [threads - 1], worker i + 1 */
};

static void call_in_contract(ix_pool *p, int index)
{
    ix_fpenv e = ix_fpenv_enter();

    p->fn(p->ctx, index);
    ix_fpenv_leave(e);
}

static void *work(void *argument)
{
    const worker *self = argument;
    ix_pool *p = self->pool;

    for (uint32_t step = 0;; step++) {
        gate_wait(&p->start, step, p->crowded);
        if (p->stop)
            return NULL;
        call_in_contract(p, self->index);
        if (atomic_fetch_sub_explicit(&p->running, 1, memory_order_acq_rel) == 1)
            gate_open(&p->done);
    }
}

/* Signals are the business of the program's own threads: workers block all of them. */
static inox_status start_workers(ix_pool *p, inox_error *err)
{
    sigset_t all, old;
    int failure = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (failure == 0 && p->made < p->threads - 1) {
        worker *w = &p->workers[p->made];

        w->pool = p;
        w->index = p->made + 1;
        failure = pthread_create(&w->thread, NULL, work, w);
        if (failure == 0)
            p->made++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failure != 0)
        return ix_fail(err, INOX_E_IO,
                       "thread %d of %d could not be started: %s; use fewer threads", p->made + 2,
                       p->threads, strerror(failure));
    return INOX_OK;
}

inox_status ix_pool_new(int threads, ix_pool **out, inox_error *err)
{
    inox_status status;
    void *memory, *workers;
    int processors = ix_cpu_count();

    if (threads == 0)
        threads = processors < IX_MAX_THREADS ? processors : IX_MAX_THREADS;
    if (threads < 0 || threads > IX_MAX_THREADS)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "%d threads: give a number from 1 to %d, or 0 for all processors", threads,
                       IX_MAX_THREADS);
    IX_TRY(ix_alloc_aligned(sizeof(ix_pool), 64, &memory, err));
    ix_pool *p = memory;
    p->threads = threads;
    p->crowded = threads > processors;
    IX_TRY_GOTO(status, ix_alloc((size_t)threads - 1, sizeof(worker), &workers, err), failed);
    p->workers = workers;
    IX_TRY_GOTO(status, start_workers(p, err), failed);
    *out = p;
    return INOX_OK;
failed:
    ix_pool_free(p);
    return status;
}

void ix_pool_free(ix_pool *p)
{
    if (p == NULL)
        return;
    p->stop = true;
    gate_open(&p->start);
    for (int i = 0; i < p->made; i++)
        pthread_join(p->workers[i].thread, NULL);
    ix_free(p->workers);
    ix_free_aligned(p);
}

int ix_pool_threads(const ix_pool *p)
{
    return p->threads;
}

static void pin_worker(void *context, int index)
{
    _Atomic int *refused = context;

    if (index > 0 && !ix_pin_this_thread(index))
        atomic_fetch_add(refused, 1);
}

inox_status ix_pool_pin(ix_pool *p, inox_error *err)
{
    _Atomic int refused = 0;

    if (p->crowded)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "%d pinned threads need a processor each, but there are %d: use fewer "
                       "threads, or do not pin them",
                       p->threads, ix_cpu_count());
    ix_pool_run(p, pin_worker, &refused);
    if (atomic_load(&refused) > 0)
        return ix_fail(err, INOX_E_IO,
                       "the system does not let %d of %d threads be pinned: do without",
                       atomic_load(&refused), p->threads);
    return INOX_OK;
}

void ix_pool_run(ix_pool *p, void (*fn)(void *ctx, int worker), void *ctx)
{
    p->fn = fn;
    p->ctx = ctx;
    if (p->threads == 1) {
        call_in_contract(p, 0);
        return;
    }
    uint32_t step = atomic_load_explicit(&p->done.step, memory_order_relaxed);
    atomic_store_explicit(&p->running, (uint32_t)p->threads - 1, memory_order_relaxed);
    gate_open(&p->start);
    call_in_contract(p, 0);
    gate_wait(&p->done, step, p->crowded);
}

void ix_pool_barrier(ix_pool *p)
{
    uint32_t step = atomic_load_explicit(&p->meeting.step, memory_order_acquire);

    if (p->threads == 1)
        return;
    uint32_t before = atomic_fetch_add_explicit(&p->arrived, 1, memory_order_acq_rel);
    if (before + 1 == (uint32_t)p->threads) {
        atomic_store_explicit(&p->arrived, 0, memory_order_relaxed);
        gate_open(&p->meeting);
    } else {
        gate_wait(&p->meeting, step, p->crowded);
    }
}

/* ---- counter --------------------------------------------------------------------------------- */

int64_t ix_counter_take(ix_counter *c)
{
    return atomic_fetch_add_explicit(&c->next, 1, memory_order_relaxed);
}

void ix_counter_reset(ix_counter *c)
{
    atomic_store_explicit(&c->next, 0, memory_order_relaxed);
}
