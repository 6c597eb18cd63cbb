/* bench-tokenizers TOKENIZER TEXT [--bytes N] [--rounds N] [--threads N] [--json]: megabytes per
 * second of one vocabulary on one text.
 *
 * The text is cut behind line ends into documents of about N bytes (10,000), which are encoded one
 * by one, ids only.  fresh: the first time that a new tokenizer sees the text, so that word caches
 * are cold; repeated: the same again with the same tokenizer; batch: all documents in one call over
 * the threads, fresh; decoded: the ids back to text, megabytes of that.  Medians over the rounds.
 */
#include "base/os.h"
#include "inox_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 99 };

typedef struct bench {
    const char *tokenizer, *path;
    size_t document, rounds;
    int32_t threads;
    char *text;
    size_t size, count, tokens;
    inox_input *documents;
    double fresh[ROUNDS_MAX], repeated[ROUNDS_MAX], batch[ROUNDS_MAX], decoded[ROUNDS_MAX];
} bench;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static bool cut(bench *b)
{
    b->documents = calloc(b->size / b->document + 2, sizeof *b->documents);
    for (size_t at = 0; b->documents != NULL && at < b->size;) {
        size_t end = at + b->document < b->size ? at + b->document : b->size;
        while (end < b->size && b->text[end - 1] != '\n')
            end++;
        b->documents[b->count++].first.text = (inox_text){ b->text + at, end - at };
        at = end;
    }
    return b->documents != NULL;
}

/* One by one; with back, the seconds of decoding are added to it. */
static inox_status encode_each(bench *b, const inox_tokenizer *t, double *seconds, double *back,
                               inox_error *err)
{
    b->tokens = 0;
    *seconds = 0;
    for (size_t i = 0; i < b->count; i++) {
        inox_encode_options options = INOX_ENCODE_OPTIONS_INIT;
        inox_encodings *e;
        inox_encoding one = INOX_ENCODING_INIT;
        options.want = 0;
        double start = ix_clock_seconds();
        inox_status status = inox_tokenizer_encode_all(t, &b->documents[i], 1, &options, &e, err);
        *seconds += ix_clock_seconds() - start;
        if (status == INOX_OK)
            status = inox_encodings_get(e, 0, 0, &one, err);
        b->tokens += one.count;
        if (status == INOX_OK && back != NULL) {
            char *text;
            start = ix_clock_seconds();
            status = inox_tokenizer_decode(t, one.ids, one.count, false, &text, NULL, err);
            *back += ix_clock_seconds() - start;
            if (status == INOX_OK)
                inox_string_free(text);
        }
        if (status != INOX_OK)
            return status;
        inox_encodings_free(e);
    }
    return INOX_OK;
}

static inox_status encode_batch(bench *b, const inox_tokenizer *t, double *seconds, inox_error *err)
{
    inox_encode_options options = INOX_ENCODE_OPTIONS_INIT;
    inox_encodings *e;
    options.want = 0;
    options.threads = b->threads;
    double start = ix_clock_seconds();
    inox_status status = inox_tokenizer_encode_all(t, b->documents, b->count, &options, &e, err);
    *seconds = ix_clock_seconds() - start;
    if (status == INOX_OK)
        inox_encodings_free(e);
    return status;
}

static inox_status run_round(bench *b, size_t r, inox_error *err)
{
    inox_tokenizer *t;
    inox_status status = inox_tokenizer_open(b->tokenizer, NULL, &t, err);
    if (status != INOX_OK)
        return status;
    status = encode_each(b, t, &b->fresh[r], NULL, err);
    if (status == INOX_OK)
        status = encode_each(b, t, &b->repeated[r], &b->decoded[r], err);
    inox_tokenizer_free(t);
    if (status == INOX_OK)
        status = inox_tokenizer_open(b->tokenizer, NULL, &t, err);
    if (status != INOX_OK)
        return status;
    status = encode_batch(b, t, &b->batch[r], err);
    inox_tokenizer_free(t);
    return status;
}

static void print(bench *b, bool json)
{
    double mb = 1e-6 * (double)b->size, fresh = mb / median(b->fresh, b->rounds);
    double repeated = mb / median(b->repeated, b->rounds), batch = mb / median(b->batch, b->rounds);
    double decoded = mb / median(b->decoded, b->rounds);
    printf(json
               ? "{\"bytes\": %zu, \"tokens\": %zu, \"documents\": %zu, \"fresh\": %.2f, "
                 "\"repeated\": %.2f, \"batch\": %.2f, \"decoded\": %.2f}\n"
               : "%zu bytes, %zu tokens, %zu documents: fresh %.1f MB/s, repeated %.1f MB/s, batch "
                 "%.1f MB/s, decoded %.1f MB/s\n",
           b->size, b->tokens, b->count, fresh, repeated, batch, decoded);
}

int main(int argc, char **argv)
{
    bench b = { .document = 10000, .rounds = 5, .threads = 1 };
    bool json = false;
    inox_error err;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bytes") == 0 && i + 1 < argc)
            b.document = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            b.rounds = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            b.threads = (int32_t)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (b.tokenizer == NULL)
            b.tokenizer = argv[i];
        else
            b.path = argv[i];
    }
    if (b.path == NULL || b.rounds < 1 || b.rounds > ROUNDS_MAX || b.document < 1)
        return fprintf(stderr, "usage: bench-tokenizers TOKENIZER TEXT [--bytes N] [--rounds N] "
                               "[--threads N] [--json]\n"),
               2;
    inox_status status = ix_file_read(b.path, UINT64_C(1) << 31, &b.text, &b.size, &err);
    if (status == INOX_OK && (b.size == 0 || !cut(&b)))
        return fprintf(stderr, "bench-tokenizers: %s is empty\n", b.path), 1;
    for (size_t r = 0; status == INOX_OK && r < b.rounds; r++)
        status = run_round(&b, r, &err);
    if (status != INOX_OK)
        return fprintf(stderr, "bench-tokenizers: %s\n", err.message), 1;
    print(&b, json);
    inox_string_free(b.text);
    free(b.documents);
    return 0;
}
