/* bench-template TEMPLATE VARIABLES READING [ROUNDS]: the time of one rendering, the least of
 * ROUNDS (1000), and of one of READING, a template that names the same variables and does nothing
 * with them, which is the time to read them from their JSON; for bench/templates.py to hold against
 * jinja2. */
#include "base/os.h"
#include "text/jinja/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inox_status read_file(const char *path, ix_buffer *out, inox_error *err)
{
    static char block[1 << 16];
    FILE *f = fopen(path, "rb");
    inox_status status = INOX_OK;
    size_t n;

    if (!f)
        return ix_fail(err, INOX_E_IO, "%s does not open", path);
    while (status == INOX_OK && (n = fread(block, 1, sizeof block, f)) > 0)
        status = ix_buffer_append(out, block, n, err);
    (void)fclose(f);
    return status;
}

static inox_status measure(const char *source, size_t size, const ix_buffer *variables, long rounds,
                           double *seconds, size_t *bytes, inox_error *err)
{
    ix_template *t = NULL;
    inox_status status = ix_template_new(source, size, &t, err);

    *seconds = 1e9;
    for (long i = 0; status == INOX_OK && i < rounds; i++) {
        ix_template_result r;
        double start = ix_clock_seconds();

        status = ix_template_render(t, variables->data, variables->size, NULL, &r, err);
        double took = ix_clock_seconds() - start;
        *seconds = took < *seconds ? took : *seconds;
        *bytes = r.size;
        ix_template_result_release(&r);
    }
    ix_template_free(t);
    return status;
}

int main(int argc, char **argv)
{
    ix_buffer source = { 0 }, variables = { 0 }, same = { 0 };
    long rounds = argc > 4 ? strtol(argv[4], NULL, 10) : 1000;
    double all, reading;
    size_t bytes = 0, none;
    inox_error err;

    if (argc < 4 || rounds < 1)
        return fprintf(stderr, "usage: bench-template TEMPLATE VARIABLES READING [ROUNDS]\n"), 2;
    inox_status status = read_file(argv[1], &source, &err);
    if (status == INOX_OK)
        status = read_file(argv[2], &variables, &err);
    if (status == INOX_OK)
        status = read_file(argv[3], &same, &err);
    if (status == INOX_OK)
        status = measure(source.data ? source.data : "", source.size, &variables, rounds, &all,
                         &bytes, &err);
    if (status == INOX_OK)
        status = measure(same.data ? same.data : "", same.size, &variables, rounds, &reading, &none,
                         &err);
    if (status == INOX_OK)
        printf("{\"us\": %.1f, \"reading_us\": %.1f, \"bytes\": %zu}\n", 1e6 * all, 1e6 * reading,
               bytes);
    else
        fprintf(stderr, "bench-template: %s\n", err.message);
    ix_buffer_release(&source);
    ix_buffer_release(&variables);
    ix_buffer_release(&same);
    return status != INOX_OK;
}
