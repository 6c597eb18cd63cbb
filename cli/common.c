/* Errors, files and JSON for all commands. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int exit_code_of(inox_status status)
{
    switch (status) {
    case INOX_OK: return EXIT_FINE;
    case INOX_E_ARGUMENT: return EXIT_USAGE;
    case INOX_E_MEMORY: return EXIT_MEMORY;
    case INOX_E_IO: return EXIT_IO;
    case INOX_E_NOT_FOUND: return EXIT_NOT_FOUND;
    case INOX_E_FORMAT: return EXIT_FORMAT;
    case INOX_E_UNSUPPORTED: return EXIT_UNSUPPORTED;
    case INOX_E_LIMIT: return EXIT_LIMIT;
    case INOX_E_CONTEXT: return EXIT_CONTEXT;
    case INOX_E_NAN: return EXIT_NAN;
    case INOX_E_MISMATCH: return EXIT_DIFFERENT;
    case INOX_E_CANCELLED: return EXIT_INTERRUPTED;
    case INOX_E_ISA: return EXIT_ISA;
    default: return EXIT_INTERNAL;
    }
}

static int tell(const common *c, int exit_code, const char *name, int64_t position,
                const char *message)
{
    fflush(stdout);
    fprintf(stderr, "inox: %s\n", message);
    if (c->json) {
        json_t *e =
            json_pack("{s:s, s:o, s:I}", "code", name, "message",
                      json_text(message, strlen(message)), "position", (json_int_t)position);
        print_json(c, json_pack("{s:o}", "error", e));
    }
    return exit_code;
}

int fail(const common *c, const inox_error *err)
{
    return tell(c, exit_code_of(err->code), inox_status_name(err->code), err->position,
                err->message);
}

int fail_text(const common *c, int exit_code, const char *format, ...)
{
    char message[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    inox_status status = INOX_E_ARGUMENT;
    while (status > INOX_E_INTERNAL && exit_code_of(status) != exit_code)
        status--;
    return tell(c, exit_code, inox_status_name(status), -1, message);
}

int fail_file(const common *c, const char *path)
{
    int number = errno;
    return fail_text(c, number == ENOENT || number == ENOTDIR ? EXIT_NOT_FOUND : EXIT_IO, "%s: %s",
                     path, strerror(number));
}

static int on_progress(void *context, double fraction)
{
    const common *c = context;
    if (!c->quiet && is_terminal(stderr))
        draw_progress("loading", fraction);
    return interrupted();
}

inox_status open_model(const common *c, const char *path, bool vocabulary_only, int32_t max_batch,
                       inox_model **out, inox_error *err)
{
    inox_model_options o = INOX_MODEL_OPTIONS_INIT;
    if (c->threads < 0 || c->threads > INT32_MAX) {
        *err = (inox_error){ INOX_E_ARGUMENT, -1,
                             "--threads must be 1 to 256, or 0 for all processors" };
        return INOX_E_ARGUMENT;
    }
    if (c->memory < 0 || c->memory > INT32_MAX) {
        *err = (inox_error){ INOX_E_ARGUMENT, -1,
                             "--memory must be 1 or more megabytes, or 0 for what is free" };
        return INOX_E_ARGUMENT;
    }
    o.threads = (int32_t)c->threads;
    o.isa = c->isa;
    o.vocabulary_only = vocabulary_only;
    o.max_batch = max_batch;
    o.pin = c->pin;
    o.interleave = c->interleave;
    o.memory_max = (uint64_t)c->memory * 1000000;
    o.progress = on_progress;
    o.progress_context = (void *)(uintptr_t)c;
    inox_model_info info = INOX_MODEL_INFO_INIT;
    inox_status status = inox_model_open(path, &o, out, err);
    if (status != INOX_OK || inox_model_describe(*out, &info, NULL) != INOX_OK)
        return status;
    if (c->verbose)
        fprintf(stderr, "%s: %s, %s, %d threads\n", info.name, info.description, info.isa,
                info.threads);
    if (info.from_file && !c->quiet)
        fprintf(stderr,
                "inox: memory has no room for the %.0f MB of weights: they are used from the file, "
                "which is slower and gives the same bits\n",
                (double)info.weight_bytes / 1e6);
    return status;
}

inox_status open_draft(const common *c, const char *path, int64_t context, int64_t chunk,
                       inox_model **model, inox_session **session, inox_error *err)
{
    inox_session_options s = INOX_SESSION_OPTIONS_INIT;
    s.context = (int32_t)context;
    inox_status status = open_model(c, path, false, (int32_t)chunk, model, err);
    return status == INOX_OK ? inox_session_new(*model, &s, session, err) : status;
}

double decode_speed(const inox_result_info *r)
{
    return r->decode_s > 0 && r->id_count > 1 ? (double)(r->id_count - 1) / r->decode_s : 0.0;
}

int read_file(const common *c, const char *path, char **data, size_t *size)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char *all = NULL;
    size_t n = 0, room = 0;
    if (f == NULL)
        return fail_file(c, path);
    for (;;) {
        if (room - n < 65536) {
            room = room == 0 ? 1 << 17 : room * 2;
            char *more = realloc(all, room);
            if (more == NULL) {
                free(all);
                if (f != stdin)
                    fclose(f);
                return fail_text(c, EXIT_MEMORY, "%s: no memory for %zu bytes", path, room);
            }
            all = more;
        }
        size_t got = fread(all + n, 1, room - n - 1, f);
        n += got;
        if (got == 0)
            break;
    }
    int bad = ferror(f);
    if (f != stdin)
        fclose(f);
    if (bad) {
        free(all);
        return fail_text(c, EXIT_IO, "%s: could not be read", path);
    }
    all[n] = '\0';
    *data = all;
    *size = n;
    return 0;
}

int read_line(const common *c, char **line, size_t *size, size_t *room)
{
    int byte = getc(stdin);
    bool nothing = byte == EOF;
    *size = 0;
    for (; byte != EOF && byte != '\n'; byte = getc(stdin)) {
        if (*size + 1 >= *room) {
            size_t more = *room == 0 ? 4096 : *room * 2;
            char *bigger = realloc(*line, more);
            if (bigger == NULL)
                return fail_text(c, EXIT_MEMORY, "no memory for a line of %zu bytes", more);
            *line = bigger;
            *room = more;
        }
        (*line)[(*size)++] = (char)byte;
    }
    if (ferror(stdin)) /* also in the middle of a line, which is none then */
        return errno == EINTR ? EXIT_INTERRUPTED : fail_file(c, "standard input");
    return nothing ? -1 : 0;
}

int read_ids(const common *c, const char *path, int32_t **ids, size_t *count)
{
    char *text;
    size_t size;
    json_error_t e;
    int code = read_file(c, path, &text, &size);
    if (code != 0)
        return code;
    json_t *a = json_loadb(text, size, 0, &e);
    free(text);
    if (a == NULL)
        return fail_text(c, EXIT_FORMAT, "%s: not JSON: %s at byte %d", path, e.text, e.position);
    size_t n = json_array_size(a);
    *ids = json_is_array(a) ? malloc((n + 1) * sizeof **ids) : NULL;
    *count = n;
    for (size_t i = 0; *ids != NULL && i < n; i++) {
        const json_t *v = json_array_get(a, i);
        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > INT32_MAX) {
            free(*ids);
            *ids = NULL;
            code = fail_text(c, EXIT_FORMAT, "%s: item %zu is not a token id", path, i);
        } else {
            (*ids)[i] = (int32_t)json_integer_value(v);
        }
    }
    if (*ids == NULL && code == 0)
        code = fail_text(c, EXIT_FORMAT, "%s: not a JSON array of token ids", path);
    json_decref(a);
    return code;
}

int print_json(const common *c, json_t *object)
{
    if (object == NULL || json_dumpf(object, stdout, JSON_COMPACT) != 0) {
        json_decref(object);
        fprintf(stderr, "inox: could not write JSON\n");
        return EXIT_IO;
    }
    (void)c;
    fputc('\n', stdout);
    json_decref(object);
    return 0;
}

/* Length of the UTF-8 sequence at s, or of as much of one as there is; *valid: it is whole. */
static size_t utf8_length(const unsigned char *s, size_t n, bool *valid)
{
    size_t want = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2, i = 1;
    *valid = false;
    if (s[0] > 0xF4 || (s[0] >= 0x80 && s[0] < 0xC2))
        return 1;
    if (n > 1 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
                  (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F)))
        return 1;
    while (i < want && i < n && (s[i] & 0xC0) == 0x80)
        i++;
    *valid = i == want;
    return i;
}

json_t *json_text(const char *s, size_t n)
{
    json_t *v = json_stringn(s, n);
    if (v != NULL)
        return v;
    char *fixed = malloc(3 * n + 1);
    size_t out = 0;
    if (fixed == NULL)
        return NULL;
    for (size_t i = 0; i < n;) {
        bool valid;
        size_t k = utf8_length((const unsigned char *)s + i, n - i, &valid);
        memcpy(fixed + out, valid ? s + i : "\xEF\xBF\xBD", valid ? k : 3);
        out += valid ? k : 3;
        i += k;
    }
    v = json_stringn(fixed, out);
    free(fixed);
    return v;
}

int finish_output(const common *c, int exit_code)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return exit_code != 0 ? exit_code
                              : fail_text(c, EXIT_IO, "standard output: %s", strerror(errno));
    return exit_code;
}

void print_visible(FILE *f, const char *text, size_t bytes)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n;
    for (size_t i = 0; i < bytes; i += n) {
        bool whole;
        n = utf8_length(s + i, bytes - i, &whole);
        bool control = s[i] < 0x20 || s[i] == 0x7f || (n == 2 && s[i] == 0xC2 && s[i + 1] < 0xA0);
        if (whole && !control)
            fwrite(s + i, 1, n, f);
        else if (s[i] == '\n' || s[i] == '\t' || s[i] == '\r')
            fprintf(f, "\\%c", s[i] == '\n' ? 'n' : s[i] == '\t' ? 't' : 'r');
        else
            for (size_t k = i; k < i + n; k++)
                fprintf(f, "\\x%02x", s[k]);
    }
}
