/* inox logits: rows of logits as raw little-endian float32, for comparison bit by bit. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct logits_options {
    common common;
    const char *ids_file, *out_file;
    inox_cache_type cache;
    int64_t chunk;
    bool last;
} logits_options;

static int write_rows(const logits_options *o, FILE *f, const float *rows, size_t count)
{
    static const union {
        uint32_t word;
        unsigned char first;
    } ORDER = { 1 };
    if (ORDER.first == 1)
        return fwrite(rows, sizeof *rows, count, f) == count
                   ? 0
                   : fail_text(&o->common, EXIT_IO, "%s: %s", o->out_file, strerror(errno));
    for (size_t i = 0; i < count; i++) {
        uint32_t u;
        memcpy(&u, &rows[i], sizeof u);
        unsigned char b[4] = { (unsigned char)u, (unsigned char)(u >> 8), (unsigned char)(u >> 16),
                               (unsigned char)(u >> 24) };
        if (fwrite(b, 1, sizeof b, f) != sizeof b)
            return fail_text(&o->common, EXIT_IO, "%s: %s", o->out_file, strerror(errno));
    }
    return 0;
}

/* Feeds in chunks and writes what each gives. */
static int feed(const logits_options *o, inox_session *s, const int32_t *ids, size_t count, FILE *f,
                size_t *rows, size_t *columns)
{
    inox_error err = { 0 };
    size_t chunk = o->chunk > 0 ? (size_t)o->chunk : 512;
    *rows = 0;
    for (size_t done = 0; done < count;) {
        size_t n = count - done < chunk ? count - done : chunk, got;
        inox_logits_mode mode = !o->last            ? INOX_LOGITS_ALL
                                : done + n == count ? INOX_LOGITS_LAST
                                                    : INOX_LOGITS_NONE;
        if (interrupted())
            return fail_text(&o->common, EXIT_INTERRUPTED, "interrupted");
        if (inox_session_feed(s, ids + done, n, mode, &err) != INOX_OK)
            return fail(&o->common, &err);
        const float *logits = inox_session_logits(s, &got, columns);
        if (got > 0 && write_rows(o, f, logits, got * *columns) != 0)
            return EXIT_IO;
        *rows += got;
        done += n;
        if (!o->common.quiet && count > 2048 && is_terminal(stderr))
            draw_progress("computing", (double)done / (double)count);
    }
    return 0;
}

static int logits(const logits_options *o, const char *path, const int32_t *ids, size_t count)
{
    inox_error err = { 0 };
    inox_model *model = NULL;
    inox_session *session = NULL;
    inox_session_options s = INOX_SESSION_OPTIONS_INIT;
    char digest[65];
    size_t rows = 0, columns = 0;
    s.context = (int32_t)count;
    s.cache = o->cache;
    if (open_model(&o->common, path, false, (int32_t)o->chunk, &model, &err) != INOX_OK ||
        inox_session_new(model, &s, &session, &err) != INOX_OK) {
        inox_model_close(model);
        return fail(&o->common, &err);
    }
    FILE *f = fopen(o->out_file, "wb");
    int code = f == NULL ? fail_file(&o->common, o->out_file) : 0;
    if (code == 0)
        code = feed(o, session, ids, count, f, &rows, &columns);
    if (f != NULL && fclose(f) != 0 && code == 0)
        code = fail_text(&o->common, EXIT_IO, "%s: %s", o->out_file, strerror(errno));
    if (code == 0 && inox_sha256_file(o->out_file, digest, &err) != INOX_OK)
        code = fail(&o->common, &err);
    if (code == 0)
        code = print_json(&o->common, json_pack("{s:I, s:I, s:s}", "rows", (json_int_t)rows,
                                                "columns", (json_int_t)columns, "sha256", digest));
    inox_session_free(session);
    inox_model_close(model);
    return code;
}

int cmd_logits(const command *c, int argc, char **argv)
{
    logits_options o = { 0 };
    const option options[] = {
        { "ids", 0, OPTION_TEXT, &o.ids_file, "FILE",
          "JSON array of token ids ('-': standard input)", NULL },
        { "out", 'o', OPTION_TEXT, &o.out_file, "FILE", "where the rows go: little-endian float32",
          NULL },
        { "last", 0, OPTION_FLAG, &o.last, NULL, "only the last position", NULL },
        { "chunk", 0, OPTION_INT, &o.chunk, "N", "tokens computed together (512)", NULL },
        CACHE_OPTION(o.cache),
        COMMON_OPTIONS(o.common),
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    int32_t *ids = NULL;
    size_t count = 0;
    int n = parse_options(c, options,
                          "Prints one line of JSON: rows, columns, and the sha256 of the file.",
                          argc, argv);
    if (n < 0)
        return parse_exit(n);
    if (n != 1 || o.ids_file == NULL || o.out_file == NULL)
        return usage_error(c, "a MODEL, --ids and --out are needed"), EXIT_USAGE;
    if (o.chunk < 0 || o.chunk > 65536)
        return usage_error(c, "--chunk must be 1 to 65536"), EXIT_USAGE;
    if (strcmp(o.out_file, "-") == 0)
        return usage_error(c, "--out needs a file: standard output has the line of JSON"),
               EXIT_USAGE;
    int code = read_ids(&o.common, o.ids_file, &ids, &count);
    if (code == 0 && count == 0)
        code = fail_text(&o.common, EXIT_FORMAT, "%s: no ids", o.ids_file);
    if (code == 0 && count > (1u << 24))
        code = fail_text(&o.common, EXIT_LIMIT, "%s: %zu ids are beyond the greatest context",
                         o.ids_file, count);
    if (code == 0)
        code = logits(&o, argv[0], ids, count);
    free(ids);
    return code;
}
