/* bench-tokenize TOKENIZER.json TEXT [ROUNDS]: megabytes of text per second on one thread, beside
 * the speed at which the machine reads memory.
 *
 *     fresh   the first time over the text by a new tokenizer: all caches are empty
 *     warm    the second time
 *
 * One line of JSON per round; bench/tokenize.py runs peers between the rounds. */
#include "back/limits.h"
#include "base/thread.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *data = NULL;
    *size = 0;
    if (!f)
        return NULL;
    for (size_t capacity = 1 << 20, n = 1; n > 0; *size += n) {
        if (!data || *size == capacity)
            data = realloc(data, capacity *= 2);
        if (!data)
            break;
        n = fread(data + *size, 1, capacity - *size, f);
    }
    (void)fclose(f);
    return data;
}

/* Processor time: what others do to the machine counts less. */
static double seconds_now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Seconds that encoding takes; the number of tokens and a hash of their ids. */
static inox_status encode(const ix_tokenizer *t, const char *text, size_t size, double *seconds,
                          size_t *count, uint64_t *hash, inox_error *err)
{
    ix_encoding tokens = { 0 };
    ix_encode_input in = { .first = { .text = { text, size } } };
    ix_encode_options options = IX_ENCODE_OPTIONS_INIT;
    options.want = 0;
    double start = seconds_now();
    IX_TRY(ix_encode(t, &in, &options, &tokens, err));
    *seconds = seconds_now() - start;
    *count = tokens.count;
    *hash = 0;
    for (size_t i = 0; i < tokens.count; i++)
        *hash = *hash * 31 + (uint64_t)tokens.ids[i];
    ix_encoding_release(&tokens);
    return INOX_OK;
}

static inox_status measure(const char *json, size_t json_size, const char *text, size_t size,
                           double read_bytes_per_s, inox_error *err)
{
    ix_tokenizer *t = NULL;
    ix_json_files files = { .tokenizer = { json, json_size } };
    double start = seconds_now(), fresh, warm;
    size_t count;
    uint64_t hash;
    IX_TRY(ix_tokenizer_from_json(&files, &t, err));
    double load = seconds_now() - start;
    inox_status status = encode(t, text, size, &fresh, &count, &hash, err);
    if (status == INOX_OK)
        status = encode(t, text, size, &warm, &count, &hash, err);
    ix_tokenizer_free(t);
    if (status == INOX_OK)
        printf("{\"fresh\": %.1f, \"warm\": %.1f, \"load_ms\": %.0f, \"tokens\": %zu, "
               "\"hash\": \"%016llx\", \"read_gb_per_s\": %.1f}\n",
               1e-6 * (double)size / fresh, 1e-6 * (double)size / warm, 1e3 * load, count,
               (unsigned long long)hash, 1e-9 * read_bytes_per_s);
    return status;
}

int main(int argc, char **argv)
{
    size_t json_size = 0, size = 0;
    inox_error err;
    ix_isa isa;
    ix_pool *pool = NULL;
    ix_limits limits = { 0 };
    if (argc < 3)
        return fprintf(stderr, "usage: bench-tokenize TOKENIZER.json TEXT [ROUNDS]\n"), 2;
    char *json = read_file(argv[1], &json_size), *text = read_file(argv[2], &size);
    if (!json || !text)
        return fprintf(stderr, "bench-tokenize: a file does not open\n"), 1;
    inox_status status = ix_isa_choose(NULL, &isa, &err);
    if (status == INOX_OK)
        status = ix_pool_new(1, &pool, &err);
    if (status == INOX_OK)
        status = ix_limits_measure(pool, isa, &limits, &err);
    ix_pool_free(pool);
    for (long i = argc > 3 ? strtol(argv[3], NULL, 10) : 3; i > 0 && status == INOX_OK; i--)
        status = measure(json, json_size, text, size, limits.read, &err);
    free(json);
    free(text);
    if (status != INOX_OK)
        return fprintf(stderr, "bench-tokenize: %s\n", err.message), 1;
    return 0;
}
