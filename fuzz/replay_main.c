/* Runs a fuzz target over files: replay-<name> FILE-OR-DIRECTORY...
 *
 * Prints a line per input and the count at the end.  A crash is a crash of this program. */
#include "base/alloc.h"
#include "base/os.h"

#include <stdint.h>
#include <stdio.h>

#define INPUT_BYTES_MAX (64u << 20)

/* The target under test. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    inox_error err;
    char *data;
    void *exact = NULL;
    size_t size;

    printf("input   %s\n", path);
    fflush(stdout);
    if (ix_file_read(path, INPUT_BYTES_MAX, &data, &size, &err) != INOX_OK ||
        ix_alloc(size, 1, &exact, &err) != INOX_OK) {
        printf("FAILED  %s\n", err.message);
        return 1;
    }
    /* Without the NUL behind it, so that AddressSanitizer sees a read beyond the end. */
    for (size_t i = 0; i < size; i++)
        ((char *)exact)[i] = data[i];
    ix_free(data);
    (void)LLVMFuzzerTestOneInput(exact, size);
    ix_free(exact);
    return 0;
}

static int replay(const char *path, unsigned *count)
{
    inox_error err;
    char **names, name[4096];
    size_t n;
    int failed = 0;

    if (!ix_path_is_directory(path)) {
        (*count)++;
        return replay_file(path);
    }
    if (ix_list_directory(path, &names, &n, &err) != INOX_OK) {
        printf("FAILED  %s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s/%s", path, names[i]);
        ix_free(names[i]);
        failed |= replay(name, count);
    }
    ix_free(names);
    return failed;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    int failed = 0;

    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i], &count);
    printf("%u inputs\n", count);
    return failed;
}
