/* bench-tokenize [--rounds N] [--passes N] [--words] [--lines] TOKENIZER TEXT...: megabytes of text
 * per second on one thread, beside the speed at which the machine reads memory (measured for one
 * text only).
 *
 * TOKENIZER is of any format.  --words asks for the numbers of words besides ids, --lines encodes
 * each line as a text of its own.
 *
 *     fresh   the first time over the text by a new tokenizer: all caches are empty
 *     warm    the second time
 *     steady  the median of the times after it, of which there are --passes less two (none unless
 *             asked for)
 *
 * One line of JSON per text and round.  bench/tokenize.py runs peers between the rounds,
 * bench/worst.py compares texts. */
#include "back/limits.h"
#include "base/thread.h"
#include "text/public.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

typedef struct job {
    const char *text;
    size_t size;
    unsigned want;
    bool lines; /* each is a text */
    long passes;
} job;

typedef struct result {
    double seconds;
    size_t count; /* of tokens */
    uint64_t hash;
} result;

/* Encodes all; ids, with room for one for each byte, takes what it gives. */
static inox_status encode(const ix_tokenizer *t, const job *j, int32_t *ids, result *out,
                          inox_error *err)
{
    ix_encode_options options = IX_ENCODE_OPTIONS_INIT;
    options.want = j->want;
    *out = (result){ .seconds = -seconds_now() };
    for (size_t at = 0, end; at < j->size; at = end) {
        const char *line = j->lines ? memchr(j->text + at, '\n', j->size - at) : NULL;
        end = line ? (size_t)(line - j->text) + 1 : j->size;
        ix_encoding tokens = { 0 };
        ix_encode_input in = { .first = { .text = { j->text + at, end - at } } };
        IX_TRY(ix_encode(t, &in, &options, &tokens, err));
        if (!j->lines)
            out->seconds += seconds_now();
        memcpy(ids + out->count, tokens.ids, tokens.count * sizeof *ids);
        out->count += tokens.count;
        ix_encoding_release(&tokens);
    }
    if (j->lines)
        out->seconds += seconds_now();
    for (size_t i = 0; i < out->count; i++)
        out->hash = out->hash * 31 + (uint64_t)ids[i];
    return INOX_OK;
}

enum { PASSES_MIN = 2, PASSES_MAX = 64 };

static int compare_seconds(const void *a, const void *b)
{
    double x = ((const result *)a)->seconds, y = ((const result *)b)->seconds;
    return (x > y) - (x < y);
}

static void print_passes(const job *j, double load, result *passes, double read_bytes_per_s)
{
    const double megabytes = 1e-6 * (double)j->size;
    printf("{\"fresh\": %.2f, \"warm\": %.2f, ", megabytes / passes[0].seconds,
           megabytes / passes[1].seconds);
    if (j->passes > PASSES_MIN) {
        size_t n = (size_t)j->passes - PASSES_MIN;
        qsort(passes + PASSES_MIN, n, sizeof *passes, compare_seconds);
        printf("\"steady\": %.2f, ", megabytes / passes[PASSES_MIN + n / 2].seconds);
    }
    printf("\"load_ms\": %.0f, \"tokens\": %zu, \"hash\": \"%016llx\", "
           "\"read_gb_per_s\": %.1f}\n",
           1e3 * load, passes[0].count, (unsigned long long)passes[0].hash,
           1e-9 * read_bytes_per_s);
}

static inox_status measure(const char *path, const job *j, double read_bytes_per_s, inox_error *err)
{
    inox_tokenizer *t = NULL;
    double start = seconds_now();
    result passes[PASSES_MAX];
    IX_TRY(inox_tokenizer_open(path, NULL, &t, err));
    double load = seconds_now() - start;
    int32_t *ids = malloc((j->size + 1) * sizeof *ids);
    if (!ids)
        return ix_fail(err, INOX_E_MEMORY, "no memory for %zu tokens", j->size);
    memset(ids, 0, (j->size + 1) * sizeof *ids);
    inox_status status = INOX_OK;
    for (long i = 0; i < j->passes && status == INOX_OK; i++) {
        status = encode(t->tokenizer, j, ids, &passes[i], err);
        if (status == INOX_OK && passes[i].hash != passes[0].hash)
            status = ix_fail(err, INOX_E_INTERNAL, "pass %ld gives other ids", i + 1);
    }
    free(ids);
    inox_tokenizer_free(t);
    if (status == INOX_OK)
        print_passes(j, load, passes, read_bytes_per_s);
    return status;
}

/* How fast the machine reads memory. */
static inox_status measure_memory(double *bytes_per_s, inox_error *err)
{
    ix_isa isa;
    ix_pool *pool = NULL;
    ix_limits limits = { 0 };
    inox_status status = ix_isa_choose(NULL, &isa, err);
    if (status == INOX_OK)
        status = ix_pool_new(1, &pool, err);
    if (status == INOX_OK)
        status = ix_limits_measure(pool, isa, &limits, err);
    ix_pool_free(pool);
    *bytes_per_s = limits.read;
    return status;
}

static inox_status measure_files(const char *tokenizer, int count, char **paths, long rounds, job j,
                                 inox_error *err)
{
    double read = 0;
    inox_status status = count == 1 ? measure_memory(&read, err) : INOX_OK;
    for (int k = 0; k < count && status == INOX_OK; k++) {
        char *text = read_file(paths[k], &j.size);
        j.text = text;
        if (!text)
            return ix_fail(err, INOX_E_IO, "%s does not open", paths[k]);
        for (long i = 0; i < rounds && status == INOX_OK; i++)
            status = measure(tokenizer, &j, read, err);
        free(text);
    }
    return status;
}

int main(int argc, char **argv)
{
    static const char usage[] =
        "usage: bench-tokenize [--rounds N] [--passes N] [--words] [--lines] TOKENIZER TEXT...\n";
    long rounds = 1;
    job j = { .passes = PASSES_MIN };
    int at = 1;
    inox_error err;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--words") == 0)
            j.want = IX_WANT_WORDS;
        else if (strcmp(argv[at], "--lines") == 0)
            j.lines = true;
        else if (strcmp(argv[at], "--rounds") == 0 && at + 1 < argc)
            rounds = strtol(argv[++at], NULL, 10);
        else if (strcmp(argv[at], "--passes") == 0 && at + 1 < argc)
            j.passes = strtol(argv[++at], NULL, 10);
        else
            return fputs(usage, stderr), 2;
    }
    if (argc - at < 2 || j.passes < PASSES_MIN || j.passes > PASSES_MAX)
        return fputs(usage, stderr), 2;
    if (measure_files(argv[at], argc - at - 1, argv + at + 1, rounds, j, &err) != INOX_OK)
        return fprintf(stderr, "bench-tokenize: %s\n", err.message), 1;
    return 0;
}
