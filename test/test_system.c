/* base/: files, directories, the machine, threads. */
#include "test.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/os.h"
#include "base/thread.h"

#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- files ----------------------------------------------------------------------------------- */

/* A fresh directory; the result is overwritten by the next call. */
static const char *scratch_in(const char *base)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/inox-test-XXXXXX", base);
    return mkdtemp(path);
}

static const char *scratch(void)
{
    const char *base = getenv("TMPDIR");

    return scratch_in(base != NULL ? base : "/tmp");
}

static const char *in(const char *folder, const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void remove_all(ix_test *t, const char *folder)
{
    inox_error err;
    char **names;
    size_t n;

    CHECK_OK(ix_list_directory(folder, &names, &n, &err), &err);
    for (size_t i = 0; i < n; i++) {
        const char *path = in(folder, names[i]);
        struct stat st;

        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            remove_all(t, path);
        else
            CHECK(unlink(path) == 0);
        ix_free(names[i]);
    }
    ix_free(names);
    CHECK(rmdir(folder) == 0);
}

TEST(system_map)
{
    inox_error err;
    ix_map m;
    ix_file_id a, b;
    const char *folder = scratch(), *file = in(folder, "f"), *empty = in(folder, "empty");
    static char data[100000];

    memset(data, 'x', sizeof data);
    CHECK_OK(ix_file_write(file, data, sizeof data, 0600, &err), &err);
    CHECK_OK(ix_map_open(file, &m, &err), &err);
    CHECK(m.size == sizeof data && memcmp(m.data, data, sizeof data) == 0 && m.handle >= 0);
    CHECK_OK(ix_map_identity(&m, &a, &err), &err);
    CHECK(a.size == sizeof data && a.mtime_ns > 0 && a.inode != 0);
    ix_map_prefetch(&m, 0, m.size);
    ix_map_forget(&m, 10, 50000);
    ix_map_forget(&m, 0, UINT64_MAX);
    ix_map_forget(&m, UINT64_MAX, 5);
    ix_map_prefetch(&m, 99999, UINT64_MAX);
    CHECK(m.data[0] == 'x' && m.data[99999] == 'x');
    ix_map_close(&m);
    CHECK(m.handle == -1);
    ix_map_close(&m); /* closed already: nothing happens */
    CHECK_OK(ix_file_write(file, data, sizeof data, 0600, &err), &err);
    CHECK_OK(ix_map_open(file, &m, &err), &err);
    CHECK_OK(ix_map_identity(&m, &b, &err), &err);
    CHECK(memcmp(&a, &b, sizeof a) != 0); /* written again is another file */
    ix_map_close(&m);

    CHECK_OK(ix_file_write(empty, "", 0, 0600, &err), &err);
    CHECK_OK(ix_map_open(empty, &m, &err), &err);
    CHECK(m.size == 0 && m.data != NULL);
    ix_map_forget(&m, 0, 10);
    ix_map_close(&m);
    m.handle = -1;
    CHECK(ix_map_identity(&m, &a, &err) == INOX_E_ARGUMENT);
    remove_all(t, folder);
}

/* None of these may hang, and each says which path it was. */
TEST(system_map_refuses)
{
    inox_error err;
    ix_map m = { NULL, 77, -1 };
    const char *folder = scratch(), *pipe = in(folder, "pipe");

    CHECK(mkfifo(pipe, 0600) == 0);
    CHECK(ix_map_open(in(folder, "none"), &m, &err) == INOX_E_NOT_FOUND);
    CHECK(strstr(err.message, "none: ") != NULL && strstr(err.message, "No such file") != NULL);
    CHECK(ix_map_open(folder, &m, &err) == INOX_E_IO && strstr(err.message, "directory") != NULL);
    CHECK(ix_map_open(pipe, &m, &err) == INOX_E_IO && strstr(err.message, "pipe") != NULL);
    CHECK(ix_map_open("/dev/null", &m, &err) == INOX_E_IO);
    CHECK(ix_map_open("", &m, &err) == INOX_E_NOT_FOUND);
    CHECK(m.size == 77);
    remove_all(t, folder);
}

TEST(system_map_limit)
{
    inox_error err;
    ix_map m;
    const char *folder = scratch_in("/dev/shm"); /* its files may be that long */

    if (folder == NULL)
        SKIP("no /dev/shm");
    const char *file = in(folder, "huge");
    FILE *f = fopen(file, "w");
    CHECK(f != NULL);
    bool made = f != NULL && ftruncate(fileno(f), (off_t)IX_MAX_FILE_BYTES + 1) == 0;
    if (f != NULL)
        fclose(f);
    if (made)
        CHECK(ix_map_open(file, &m, &err) == INOX_E_LIMIT);
    remove_all(t, folder);
    if (!made)
        SKIP("this file system has no sparse files of 16 TiB");
}

TEST(system_file_read)
{
    inox_error err;
    char *text = NULL;
    size_t n;
    const char *folder = scratch(), *file = in(folder, "f"), *pipe = in(folder, "pipe");

    CHECK(mkfifo(pipe, 0600) == 0);
    CHECK_OK(ix_file_write(file, "hello\0x", 7, 0644, &err), &err);
    CHECK_OK(ix_file_read(file, 7, &text, &n, &err), &err);
    CHECK(n == 7 && memcmp(text, "hello\0x", 8) == 0);
    ix_free(text);
    CHECK(ix_file_read(file, 6, &text, &n, &err) == INOX_E_LIMIT);
    CHECK(ix_file_read("/dev/zero", 100000, &text, &n, &err) == INOX_E_LIMIT);
    CHECK(ix_file_read(folder, 100, &text, &n, &err) == INOX_E_IO);
    CHECK(ix_file_read(in(folder, "none"), 100, &text, &n, &err) == INOX_E_NOT_FOUND);
    CHECK_OK(ix_file_read(pipe, 100, &text, &n, &err), &err); /* no writer: empty, at once */
    CHECK(n == 0 && text[0] == '\0');
    ix_free(text);
    CHECK_OK(ix_file_read("/proc/self/status", 100000, &text, &n, &err), &err);
    CHECK(n > 0 && strlen(text) == n);
    ix_free(text);
    remove_all(t, folder);
}

TEST(system_file_write)
{
    inox_error err;
    struct stat st;
    char **names, *text;
    size_t n;
    const char *folder = scratch(), *file = in(folder, "f"), *link = in(folder, "link");
    mode_t mask = umask(077);

    CHECK_OK(ix_file_write(file, "one", 3, 0644, &err), &err);
    CHECK(stat(file, &st) == 0 && (st.st_mode & 07777) == 0644);
    umask(0);
    CHECK_OK(ix_file_write(file, "three", 5, 0600, &err), &err);
    CHECK(stat(file, &st) == 0 && (st.st_mode & 07777) == 0600 && st.st_size == 5);
    umask(mask);
    CHECK(symlink("f", link) == 0);
    CHECK_OK(ix_file_write(link, "through", 7, 0600, &err), &err);
    CHECK(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    CHECK_OK(ix_file_read(file, 100, &text, &n, &err), &err);
    CHECK(strcmp(text, "through") == 0);
    ix_free(text);
    CHECK(ix_file_write(folder, "x", 1, 0600, &err) == INOX_E_IO);
    CHECK(ix_file_write(in(folder, "none/f"), "x", 1, 0600, &err) == INOX_E_NOT_FOUND);
    CHECK(ix_file_write("/dev/full", "x", 1, 0600, &err) == INOX_E_IO);
    CHECK(strstr(err.message, "No space") != NULL);
    CHECK_OK(ix_file_write("/dev/null", "x", 1, 0600, &err), &err);
    CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
    CHECK_OK(ix_list_directory(folder, &names, &n, &err), &err);
    CHECK(n == 2 && strcmp(names[0], "f") == 0 && strcmp(names[1], "link") == 0);
    for (size_t i = 0; i < n; i++)
        ix_free(names[i]);
    ix_free(names);
    remove_all(t, folder);
}

/* The target keeps its old content when memory runs out on the way. */
TEST(system_file_write_faults)
{
    inox_error err;
    char **names, *text;
    size_t n;
    const char *folder = scratch(), *file = in(folder, "f");

    CHECK_OK(ix_file_write(file, "old", 3, 0600, &err), &err);
    ix_alloc_fail_at(1, 1);
    CHECK(ix_file_write(file, "new", 3, 0600, &err) == INOX_E_MEMORY);
    CHECK(ix_file_read(file, 100, &text, &n, &err) == INOX_E_MEMORY);
    CHECK(ix_list_directory(folder, &names, &n, &err) == INOX_E_MEMORY);
    ix_alloc_fail_at(0, 0);
    CHECK_OK(ix_file_read(file, 100, &text, &n, &err), &err);
    CHECK(strcmp(text, "old") == 0);
    ix_free(text);
    remove_all(t, folder);
}

TEST(system_directories)
{
    inox_error err;
    struct stat st;
    char *path = NULL;
    const char *folder = scratch();

    CHECK_OK(ix_make_directories(in(folder, "a/b//c/"), &err), &err);
    CHECK_OK(ix_make_directories(in(folder, "a/b/c"), &err), &err);
    CHECK(stat(in(folder, "a/b"), &st) == 0 && (st.st_mode & 0777) == 0700);
    CHECK(ix_path_is_directory(in(folder, "a/b/c")) && ix_path_exists(folder));
    CHECK_OK(ix_file_write(in(folder, "file"), "", 0, 0600, &err), &err);
    CHECK(!ix_path_is_directory(in(folder, "file")) && !ix_path_exists(in(folder, "none")));
    CHECK(ix_make_directories(in(folder, "file/x"), &err) != INOX_OK);
    CHECK(strstr(err.message, "/file: ") != NULL);
    CHECK(ix_make_directories("", &err) == INOX_E_ARGUMENT);
    remove_all(t, folder);

    CHECK(setenv("INOX_TEST_HOME", "/somewhere", 1) == 0);
    CHECK_OK(ix_user_directory("INOX_TEST_HOME", ".local/share", "inox/models", &path, &err), &err);
    CHECK(strcmp(path, "/somewhere/inox/models") == 0);
    ix_free(path);
    CHECK(setenv("INOX_TEST_HOME", "relative", 1) == 0);
    const char *home = getenv("HOME");
    if (home != NULL && home[0] != '\0') {
        CHECK_OK(ix_user_directory("INOX_TEST_HOME", ".x", NULL, &path, &err), &err);
        CHECK(strncmp(path, home, strlen(home)) == 0 && strcmp(path + strlen(home), "/.x") == 0);
        ix_free(path);
    }
}

TEST(system_machine)
{
    inox_error err;
    uint8_t a[100], b[100];
    double before = ix_clock_seconds();

    CHECK_OK(ix_os_random(a, sizeof a, &err), &err);
    CHECK_OK(ix_os_random(b, sizeof b, &err), &err);
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK(ix_clock_seconds() >= before);
    CHECK(ix_wall_clock_seconds() > 1700000000);
    CHECK(ix_cpu_count() >= 1);
    CHECK(ix_peak_resident_bytes() > 100000 && ix_available_memory_bytes() > 100000);
    CHECK(ix_environment("PATH") != NULL && ix_environment("INOX_NO_SUCH_VARIABLE") == NULL);
}

/* ---- floating-point environment -------------------------------------------------------------- */

#if defined(__x86_64__)
#define CONTRACT 0x1F80u
#define CARELESS 0xFFC0u /* flush to zero, denormals are zero, toward zero */

static unsigned control_word(void)
{
    return _mm_getcsr();
}

static void set_control_word(unsigned word)
{
    _mm_setcsr(word);
}
#elif defined(__aarch64__)
#define CONTRACT 0u
#define CARELESS (3u << 22 | 1u << 24) /* toward zero, flush to zero */

static unsigned control_word(void)
{
    uint64_t word;

    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return (unsigned)word;
}

static void set_control_word(unsigned word)
{
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)word));
}
#endif

static void look_at_control_word(void *ctx, int worker)
{
    ((unsigned *)ctx)[worker] = control_word();
    set_control_word(CARELESS); /* what a task leaves behind does not stay */
}

TEST(system_fpenv)
{
    inox_error err;
    unsigned seen[3] = { 1, 1, 1 }, old = control_word();
    ix_pool *p = NULL;

    CHECK_OK(ix_pool_new(3, &p, &err), &err);
    for (int round = 0; round < 3; round++) {
        set_control_word(CARELESS);
        ix_pool_run(p, look_at_control_word, seen);
        CHECK(control_word() == CARELESS);
        for (int i = 0; i < 3; i++)
            CHECK(seen[i] == CONTRACT);
    }
    ix_fpenv e = ix_fpenv_enter();
    CHECK(control_word() == CONTRACT);
    ix_fpenv_leave(e);
    CHECK(control_word() == CARELESS);
    set_control_word(old);
    ix_pool_free(p);
}

/* ---- threads --------------------------------------------------------------------------------- */

#define STEPS 200

typedef struct meeting {
    ix_pool *pool;
    int threads;
    int plain[IX_MAX_THREADS]; /* not atomic: the barrier must order them */
    _Atomic int wrong;
} meeting;

/* Everybody writes, all meet, everybody reads the others, all meet. */
static void meet(void *context, int worker)
{
    meeting *m = context;

    for (int step = 1; step <= STEPS; step++) {
        m->plain[worker] = step;
        ix_pool_barrier(m->pool);
        for (int i = 0; i < m->threads; i++)
            if (m->plain[i] != step)
                atomic_fetch_add(&m->wrong, 1);
        ix_pool_barrier(m->pool);
    }
}

TEST(system_pool_barrier)
{
    static const int sizes[] = { 1, 2, 3, 7, 16 };
    inox_error err;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        meeting m = { .threads = sizes[i] };

        CHECK_OK(ix_pool_new(sizes[i], &m.pool, &err), &err);
        CHECK(ix_pool_threads(m.pool) == sizes[i]);
        ix_pool_run(m.pool, meet, &m);
        ix_pool_run(m.pool, meet, &m);
        CHECK(m.wrong == 0);
        ix_pool_free(m.pool);
    }
}

typedef struct count {
    ix_counter next;
    int called[IX_MAX_THREADS]; /* per worker */
    uint8_t taken[1000];
} count;

static void take_all(void *context, int worker)
{
    count *c = context;

    c->called[worker]++;
    for (;;) {
        int64_t i = ix_counter_take(&c->next);
        if (i >= (int64_t)sizeof c->taken)
            return;
        c->taken[i]++;
    }
}

TEST(system_pool_run)
{
    static const int sizes[] = { 1, 2, 5, 64 };
    inox_error err;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ix_pool *p = NULL;
        count c = { .called = { 0 } };
        bool good = true;

        CHECK_OK(ix_pool_new(sizes[i], &p, &err), &err);
        for (int round = 1; round <= 50; round++) {
            ix_counter_reset(&c.next);
            ix_pool_run(p, take_all, &c);
            for (int w = 0; w < sizes[i]; w++)
                good = good && c.called[w] == round;
            for (size_t k = 0; k < sizeof c.taken; k++)
                good = good && c.taken[k] == round;
        }
        CHECK(good);
        ix_pool_free(p);
    }
}

TEST(system_pool_arguments)
{
    inox_error err;
    ix_pool *p = NULL;

    CHECK(ix_pool_new(-1, &p, &err) == INOX_E_ARGUMENT && p == NULL);
    CHECK(ix_pool_new(IX_MAX_THREADS + 1, &p, &err) == INOX_E_ARGUMENT && p == NULL);
    CHECK_OK(ix_pool_new(0, &p, &err), &err);
    CHECK(ix_pool_threads(p) >= 1 && ix_pool_threads(p) <= ix_cpu_count());
    ix_pool_free(p);
    for (int n = 0; n < 20; n++) { /* made and thrown away without a region */
        CHECK_OK(ix_pool_new(1 + n % 4, &p, &err), &err);
        ix_pool_free(p);
    }
    ix_pool_free(NULL);
    for (uint64_t n = 1; n <= 2; n++) {
        ix_alloc_fail_at(n, 0);
        CHECK(ix_pool_new(3, &p, &err) == INOX_E_MEMORY);
    }
    ix_alloc_fail_at(0, 0);
}

/* Threads that the system refuses: an error, the started ones are joined. */
TEST(system_pool_refused)
{
#ifdef SANITIZED
    SKIP("sanitizers need the address space that this test takes away");
#else
    pid_t child = fork();

    if (child == 0) {
        struct rlimit limit = { (rlim_t)300 << 20, (rlim_t)300 << 20 };
        inox_error err = { 0, 0, "" };
        ix_pool *p = NULL;
        void *volatile all = NULL;
        if (setrlimit(RLIMIT_AS, &limit) == 0)
            all = malloc((size_t)limit.rlim_max);
        if (all != NULL) /* all of it beside the program itself */
            _exit(2);
        bool good = ix_pool_new(IX_MAX_THREADS, &p, &err) == INOX_E_IO && p == NULL &&
                    strstr(err.message, "could not be started") != NULL;

        good = good && ix_pool_new(2, &p, &err) == INOX_OK;
        ix_pool_free(p);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
        SKIP("no limit on address space here (some emulators)");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#endif
}

static void nothing(void *ctx, int worker)
{
    (void)ctx;
    (void)worker;
}

static double processor_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

TEST(system_pool_idle)
{
    inox_error err;
    ix_pool *p = NULL;
    struct timespec pause = { 0, 20000000 };

    CHECK_OK(ix_pool_new(4, &p, &err), &err);
    ix_pool_run(p, nothing, NULL);
    nanosleep(&pause, NULL);
    double before = processor_seconds();
    for (int i = 0; i < 10; i++)
        nanosleep(&pause, NULL);
    double used = processor_seconds() - before;
    CHECK_MSG(used < 0.02, "an idle pool used %.3f s of 0.2 s", used);
    ix_pool_run(p, nothing, NULL); /* and it wakes */
    ix_pool_free(p);
}
