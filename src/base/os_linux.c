/* The operating system: Linux with glibc.
 *
 * Every message names the path and says what the system said.  Files are opened with O_CLOEXEC and
 * O_NONBLOCK, so that nothing leaks into a child and nothing hangs on a pipe without a writer.
 * A mapped file that somebody shortens while it is mapped cannot be defended against here: reading
 * beyond its new end is a SIGBUS (docs/SOUNDNESS.md).
 */
#define _GNU_SOURCE /* getrandom, sched_getaffinity, madvise, syscall */

#include "base/os.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/wait.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* "PATH: cannot be opened: No such file or directory" with the code that fits errno. */
static inox_status system_failed(inox_error *err, const char *path, const char *what)
{
    int number = errno;
    char text[128];
    inox_status code = INOX_E_IO;

    if (number == ENOENT || number == ENOTDIR)
        code = INOX_E_NOT_FOUND;
    else if (number == ENOMEM)
        code = INOX_E_MEMORY;
    return ix_fail(err, code, "%s: %s: %s", path, what, strerror_r(number, text, sizeof text));
}

/* ---- mappings -------------------------------------------------------------------------------- */

/* Opens for reading without waiting for the other end of a pipe. */
static inox_status open_to_read(const char *path, int *out, struct stat *st, inox_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return system_failed(err, path, "cannot be opened");
    if (fstat(fd, st) != 0) {
        inox_status status = system_failed(err, path, "cannot be looked at");

        close(fd);
        return status;
    }
    if (S_ISDIR(st->st_mode)) {
        close(fd);
        return ix_fail(err, INOX_E_IO, "%s: is a directory, and a file is needed", path);
    }
    *out = fd;
    return INOX_OK;
}

/* The size of a regular file within the bounds, else an error. */
static inox_status mappable_size(const char *path, const struct stat *st, uint64_t *size,
                                 inox_error *err)
{
    if (!S_ISREG(st->st_mode))
        return ix_fail(err, INOX_E_IO,
                       "%s: is a pipe, device or socket, and a regular file is needed", path);
    if ((uint64_t)st->st_size > IX_MAX_FILE_BYTES)
        return ix_fail(err, INOX_E_LIMIT, "%s: has %" PRId64 " bytes, and at most %llu are allowed",
                       path, (int64_t)st->st_size, IX_MAX_FILE_BYTES);
    *size = (uint64_t)st->st_size;
    return INOX_OK;
}

inox_status ix_map_open(const char *path, ix_map *out, inox_error *err)
{
    static const uint8_t nothing[1];
    inox_status status;
    struct stat st;
    uint64_t size = 0;
    const void *data = nothing;
    int fd = -1;

    IX_TRY(open_to_read(path, &fd, &st, err));
    IX_TRY_GOTO(status, mappable_size(path, &st, &size, err), failed);
    if (size > 0) {
        data = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            status = system_failed(err, path, "cannot be mapped");
            goto failed;
        }
    }
    *out = (ix_map){ data, size, fd };
    return INOX_OK;
failed:
    close(fd);
    return status;
}

void ix_map_close(ix_map *m)
{
    if (m->handle >= 0) {
        if (m->size > 0)
            munmap((void *)(uintptr_t)m->data, (size_t)m->size);
        close((int)m->handle);
    }
    *m = (ix_map){ NULL, 0, -1 };
}

/* madvise on the whole pages inside (inner) or around (outer) a range. */
static void advise(const ix_map *m, uint64_t offset, uint64_t size, bool inner, int advice)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    if (m->handle < 0 || offset >= m->size)
        return;
    uint64_t end = size > m->size - offset ? m->size : offset + size;
    if (inner) {
        offset = (offset + page - 1) / page * page;
        if (end != m->size) /* the page at the end of the file belongs to nobody else */
            end = end / page * page;
    } else {
        offset = offset / page * page;
    }
    if (offset < end)
        madvise((void *)(uintptr_t)(m->data + offset), (size_t)(end - offset), advice);
}

void ix_map_forget(const ix_map *m, uint64_t offset, uint64_t size)
{
    /* Where the page cache has the file in large pages, a later look at a few bytes (a row of an
     * embedding) would make 2 MB around them resident again. */
    advise(m, offset, size, true, MADV_NOHUGEPAGE);
    advise(m, offset, size, true, MADV_DONTNEED);
}

void ix_map_prefetch(const ix_map *m, uint64_t offset, uint64_t size)
{
    advise(m, offset, size, false, MADV_WILLNEED);
}

static int64_t nanoseconds(struct timespec t)
{
    int64_t whole;

    if (__builtin_mul_overflow((int64_t)t.tv_sec, INT64_C(1000000000), &whole))
        return INT64_MAX;
    return whole + t.tv_nsec;
}

inox_status ix_map_identity(const ix_map *m, ix_file_id *out, inox_error *err)
{
    struct stat st;

    if (m->handle < 0)
        return ix_fail(err, INOX_E_ARGUMENT, "memory that is no file has no file identity");
    if (fstat((int)m->handle, &st) != 0)
        return system_failed(err, "the mapped file", "cannot be looked at");
    *out = (ix_file_id){
        .device = st.st_dev,
        .inode = st.st_ino,
        .size = (uint64_t)st.st_size,
        .mtime_ns = nanoseconds(st.st_mtim),
        .ctime_ns = nanoseconds(st.st_ctim),
    };
    return INOX_OK;
}

/* ---- files ----------------------------------------------------------------------------------- */

bool ix_path_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

inox_status ix_path_absolute(const char *path, char **out, inox_error *err)
{
    char *directory = NULL;
    ix_buffer whole = { 0 };
    inox_status status = INOX_OK;

    if (path[0] == '/')
        return ix_strndup(path, strlen(path), out, err);
    for (size_t room = 256; directory == NULL; room *= 2) {
        IX_TRY(IX_ALLOC(&directory, room, err));
        if (getcwd(directory, room) != NULL)
            break;
        ix_free(directory);
        directory = NULL;
        if (errno != ERANGE)
            return ix_fail(err, INOX_E_IO, "the working directory: %s", strerror(errno));
    }
    status = ix_buffer_printf(&whole, err, "%s/%s", directory, path);
    ix_free(directory);
    if (status != INOX_OK)
        ix_buffer_release(&whole);
    else
        *out = whole.data;
    return status;
}

bool ix_path_is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Like read, but waits for the writer of a pipe, where there is one. */
static ssize_t read_some(int fd, void *bytes, size_t n)
{
    for (;;) {
        ssize_t got = read(fd, bytes, n);

        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
        if (errno == EAGAIN) {
            struct pollfd p = { .fd = fd, .events = POLLIN };

            (void)poll(&p, 1, -1);
        }
    }
}

/* Everything to the end of the file, whatever size it claims to have. */
static inox_status read_all(const char *path, int fd, uint64_t limit, ix_buffer *b, inox_error *err)
{
    char part[16384];

    for (;;) {
        ssize_t got = read_some(fd, part, sizeof part);

        if (got < 0)
            return system_failed(err, path, "cannot be read");
        if (got == 0)
            return ix_buffer_append(b, "", 0, err);
        if ((uint64_t)got > limit || b->size > limit - (uint64_t)got)
            return ix_fail(err, INOX_E_LIMIT,
                           "%s: is longer than the %" PRIu64 " bytes that are allowed here", path,
                           limit);
        IX_TRY(ix_buffer_append(b, part, (size_t)got, err));
    }
}

inox_status ix_file_read(const char *path, uint64_t limit, char **out, size_t *size,
                         inox_error *err)
{
    ix_buffer b = { NULL, 0, 0 };
    struct stat st;
    int fd = -1;

    IX_TRY(open_to_read(path, &fd, &st, err));
    inox_status status = read_all(path, fd, limit, &b, err);
    close(fd);
    if (status != INOX_OK) {
        ix_buffer_release(&b);
        return status;
    }
    *out = b.data;
    *size = b.size;
    return INOX_OK;
}

static inox_status write_all(const char *path, int fd, const char *bytes, size_t n, inox_error *err)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);

        if (done < 0 && errno != EINTR)
            return system_failed(err, path, "cannot be written");
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
        }
    }
    return INOX_OK;
}

/* A new file beside the target: TARGET.<random>.tmp. */
static inox_status open_temporary(const char *target, char **name, int *out, inox_error *err)
{
    for (int attempt = 0; attempt < 16; attempt++) {
        ix_buffer b = { NULL, 0, 0 };
        uint64_t random;

        IX_TRY(ix_os_random(&random, sizeof random, err));
        inox_status status = ix_buffer_printf(&b, err, "%s.%016" PRIx64 ".tmp", target, random);
        if (status != INOX_OK) {
            ix_buffer_release(&b);
            return status;
        }
        int fd = open(b.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0) {
            *name = b.data;
            *out = fd;
            return INOX_OK;
        }
        ix_buffer_release(&b);
        if (errno != EEXIST)
            break;
    }
    return system_failed(err, target, "cannot be created");
}

/* The rename is on disk only when the directory is.  Some file systems cannot: not an error. */
static void sync_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX] = ".";
    int fd;

    if (slash != NULL) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);

        if (n >= sizeof directory)
            return;
        memcpy(directory, path, n);
        directory[n] = '\0';
    }
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static inox_status replace_file(const char *target, const void *data, size_t size, unsigned mode,
                                inox_error *err)
{
    inox_status status;
    char *name = NULL;
    int fd = -1;

    IX_TRY(open_temporary(target, &name, &fd, err));
    status = write_all(target, fd, data, size, err);
    if (status == INOX_OK && (fchmod(fd, (mode_t)mode) != 0 || fsync(fd) != 0))
        status = system_failed(err, target, "cannot be written");
    if (close(fd) != 0 && status == INOX_OK)
        status = system_failed(err, target, "cannot be written");
    if (status == INOX_OK && rename(name, target) != 0)
        status = system_failed(err, target, "cannot be replaced");
    if (status == INOX_OK)
        sync_directory_of(target);
    else
        (void)unlink(name);
    ix_free(name);
    return status;
}

/* /dev/stdout, a pipe of the shell, /dev/full: there is nothing to rename onto. */
static inox_status write_device(const char *path, const void *data, size_t size, inox_error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return system_failed(err, path, "cannot be opened for writing");
    inox_status status = write_all(path, fd, data, size, err);
    if (close(fd) != 0 && status == INOX_OK)
        status = system_failed(err, path, "cannot be written");
    return status;
}

inox_status ix_file_write(const char *path, const void *data, size_t size, unsigned mode,
                          inox_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return replace_file(path, data, size, mode, err);
    if (S_ISDIR(st.st_mode))
        return ix_fail(err, INOX_E_IO, "%s: is a directory, and a file is to be written", path);
    if (!S_ISREG(st.st_mode))
        return write_device(path, data, size, err);
    /* A link to a file stays a link: what it points to is replaced. */
    char *resolved = realpath(path, NULL);
    if (resolved == NULL)
        return system_failed(err, path, "cannot be resolved");
    inox_status status = replace_file(resolved, data, size, mode, err);
    free(resolved);
    return status;
}

/* ---- directories ----------------------------------------------------------------------------- */

inox_status ix_make_directories(const char *path, inox_error *err)
{
    char *copy;
    size_t length = strlen(path);
    inox_status status = INOX_OK;

    if (length == 0)
        return ix_fail(err, INOX_E_ARGUMENT, "an empty path names no directory");
    IX_TRY(ix_strndup(path, length, &copy, err));
    for (size_t i = 1; i <= length && status == INOX_OK; i++) {
        if (copy[i] != '/' && copy[i] != '\0')
            continue;
        copy[i] = '\0';
        if (mkdir(copy, 0700) != 0 && !ix_path_is_directory(copy))
            status = system_failed(err, copy, "the directory cannot be made");
        copy[i] = path[i];
    }
    ix_free(copy);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ix_free(names[i]);
    ix_free(names);
}

/* Appends the names of an open directory to a growing array. */
static inox_status collect_names(const char *path, DIR *d, char ***names, size_t *count,
                                 inox_error *err)
{
    size_t capacity = 0;

    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        if (entry == NULL)
            return errno == 0 ? INOX_OK : system_failed(err, path, "the directory cannot be read");
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (*count == capacity) {
            void *grown = *names;

            capacity = capacity == 0 ? 16 : 2 * capacity;
            IX_TRY(ix_realloc(&grown, capacity, sizeof **names, err));
            *names = grown;
        }
        IX_TRY(ix_strndup(entry->d_name, strlen(entry->d_name), &(*names)[*count], err));
        (*count)++;
    }
}

inox_status ix_list_directory(const char *path, char ***names, size_t *count, inox_error *err)
{
    char **found = NULL;
    size_t found_count = 0;
    DIR *d = opendir(path);

    if (d == NULL)
        return system_failed(err, path, "the directory cannot be opened");
    inox_status status = collect_names(path, d, &found, &found_count, err);
    closedir(d);
    if (status != INOX_OK) {
        free_names(found, found_count);
        return status;
    }
    if (found_count > 0)
        qsort(found, found_count, sizeof *found, compare_names);
    *names = found;
    *count = found_count;
    return INOX_OK;
}

inox_status ix_user_directory(const char *variable, const char *fallback, const char *leaf,
                              char **out, inox_error *err)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    ix_buffer b = { NULL, 0, 0 };
    inox_status status;

    if (base != NULL && base[0] == '/') /* the XDG specification: relative paths are ignored */
        status = ix_buffer_printf(&b, err, "%s", base);
    else if (home != NULL && home[0] != '\0')
        status = ix_buffer_printf(&b, err, "%s/%s", home, fallback);
    else
        return ix_fail(err, INOX_E_NOT_FOUND, "neither $%s nor $HOME names a directory: set one",
                       variable);
    if (status == INOX_OK && leaf != NULL && leaf[0] != '\0')
        status = ix_buffer_printf(&b, err, "/%s", leaf);
    if (status != INOX_OK) {
        ix_buffer_release(&b);
        return status;
    }
    *out = b.data;
    return INOX_OK;
}

const char *ix_environment(const char *name)
{
    return getenv(name);
}

/* ---- clocks, randomness ---------------------------------------------------------------------- */

double ix_clock_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int64_t ix_wall_clock_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

inox_status ix_os_random(void *bytes, size_t n, inox_error *err)
{
    char *p = bytes;

    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0 && errno != EINTR)
            return system_failed(err, "the random generator of the system", "cannot be read");
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
    return INOX_OK;
}

/* ---- memory and processors ------------------------------------------------------------------- */

/* Reads a small system file into text; false if there is none. */
static bool read_text(const char *path, char *text, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;

    if (fd < 0)
        return false;
    while (used < capacity - 1) {
        ssize_t got = read(fd, text + used, capacity - 1 - used);

        if (got <= 0)
            break;
        used += (size_t)got;
    }
    close(fd);
    text[used] = '\0';
    return true;
}

/* The number of kilobytes behind "KEY:" in a file of /proc, in bytes; 0 if it is not there. */
static uint64_t proc_bytes(const char *path, const char *key)
{
    char text[8192];
    const char *line;
    uint64_t kilobytes;

    if (!read_text(path, text, sizeof text))
        return 0;
    line = strstr(text, key);
    if (line == NULL || sscanf(line + strlen(key), " %" SCNu64, &kilobytes) != 1)
        return 0;
    return kilobytes <= UINT64_MAX / 1024 ? kilobytes * 1024 : UINT64_MAX;
}

void *ix_take_pages(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages != MAP_FAILED ? pages : NULL;
}

void ix_give_pages(void *pages, size_t bytes)
{
    (void)munmap(pages, bytes);
}

void ix_advise_large_pages(void *memory, size_t bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)memory + bytes) / page * page;

    if (start < end)
        madvise((char *)memory + (start - (uintptr_t)memory), end - start, MADV_HUGEPAGE);
}

#define NODE_WORDS 16 /* of 64 nodes each: as many as kernels are built for */

void ix_interleave_nodes(void *memory, size_t bytes)
{
    unsigned long nodes[NODE_WORDS] = { 0 };
    const unsigned long most = sizeof nodes * 8;
    int count = 0;

    /* The C library has no wrappers for these two. */
    if (syscall(SYS_get_mempolicy, NULL, nodes, most, NULL, MPOL_F_MEMS_ALLOWED) != 0)
        return;
    for (int i = 0; i < NODE_WORDS; i++)
        count += __builtin_popcountl(nodes[i]);
    if (count < 2)
        return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)memory + bytes) / page * page;
    if (start < end)
        syscall(SYS_mbind, start, end - start, MPOL_INTERLEAVE, nodes, most, 0);
}

uint64_t ix_peak_resident_bytes(void)
{
    /* Not getrusage: its maximum includes the program that started this one. */
    return proc_bytes("/proc/self/status", "VmHWM:");
}

/* Calls fn on the control group of this process and on those above it (version 2, as containers and
 * services have it). */
static void each_control_group(void (*fn)(const char *directory, void *context), void *context)
{
    static const char root[] = "/sys/fs/cgroup";
    char text[4096], directory[sizeof root + sizeof text];
    char *path, *end;

    if (!read_text("/proc/self/cgroup", text, sizeof text))
        return;
    path = strstr(text, "0::/");
    if (path == NULL)
        return;
    path += 3;
    end = strchr(path, '\n');
    if (end != NULL)
        *end = '\0';
    for (;;) {
        snprintf(directory, sizeof directory, "%s%s", root, path);
        fn(directory, context);
        end = strrchr(path, '/');
        if (end == NULL)
            return;
        *end = '\0';
    }
}

static bool read_group_text(const char *directory, const char *file, char text[128])
{
    char path[8192];

    if (snprintf(path, sizeof path, "%s/%s", directory, file) >= (int)sizeof path)
        return false;
    return read_text(path, text, 128);
}

static void limit_memory(const char *directory, void *context)
{
    uint64_t *available = context, limit, used;
    char text[128];

    if (!read_group_text(directory, "memory.max", text) || sscanf(text, "%" SCNu64, &limit) != 1)
        return;
    if (!read_group_text(directory, "memory.current", text) || sscanf(text, "%" SCNu64, &used) != 1)
        return;
    uint64_t left = used < limit ? limit - used : 1;
    if (left < *available)
        *available = left;
}

uint64_t ix_available_memory_bytes(void)
{
    uint64_t available = proc_bytes("/proc/meminfo", "MemAvailable:");

    if (available > 0)
        each_control_group(limit_memory, &available);
    return available;
}

/* A quota of 150 ms per 100 ms is two processors. */
static void limit_processors(const char *directory, void *context)
{
    uint64_t quota, period;
    int *count = context;
    char text[128];

    if (!read_group_text(directory, "cpu.max", text) ||
        sscanf(text, "%" SCNu64 " %" SCNu64, &quota, &period) != 2 || quota == 0 || period == 0)
        return;
    uint64_t processors = quota / period + (quota % period != 0);
    if (processors < (uint64_t)*count)
        *count = (int)processors;
}

#if defined(__x86_64__)
#define ARCH_REQ_XCOMP_PERM 0x1023 /* arch/x86/include/uapi/asm/prctl.h, since Linux 5.16 */
#define XFEATURE_XTILE_DATA 18

bool ix_allow_tile_registers(void)
{
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA) == 0;
}
#else
bool ix_allow_tile_registers(void)
{
    return false;
}
#endif

int ix_cpu_count(void)
{
    cpu_set_t set;
    int count;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = CPU_COUNT(&set);
    else /* more processors than the set has room for */
        count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 1)
        count = 1;
    each_control_group(limit_processors, &count);
    return count;
}

bool ix_pin_this_thread(int index)
{
    cpu_set_t set, one;

    CPU_ZERO(&set);
    CPU_ZERO(&one);
    if (index < 0 || sched_getaffinity(0, sizeof set, &set) != 0)
        return false;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &set) && index-- == 0) {
            CPU_SET(cpu, &one);
            return sched_setaffinity(0, sizeof one, &one) == 0;
        }
    }
    return false;
}

/* ---- base/wait.h ----------------------------------------------------------------------------- */

void ix_wait_while(const _Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void ix_wake_all(const _Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
