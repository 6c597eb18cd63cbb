/* inox perplexity: how well a model predicts a text. */
#include "cli.h"

#include <math.h>
#include <stdlib.h>

typedef struct perplexity_options {
    common common;
    const char *ids_file;
    inox_cache_type cache;
    int64_t window;
} perplexity_options;

static int tokens_of(const perplexity_options *o, const inox_model *model, const char *path,
                     int32_t **ids, size_t *count)
{
    inox_error err = { 0 };
    inox_tokens tokens;
    char *text;
    size_t size;
    int code = read_file(&o->common, path, &text, &size);
    if (code != 0)
        return code;
    inox_status status = inox_tokenize(model, text, size, 0, &tokens, &err);
    free(text);
    if (status != INOX_OK)
        return fail(&o->common, &err);
    *ids = malloc((tokens.count + 1) * sizeof **ids);
    for (size_t i = 0; *ids != NULL && i < tokens.count; i++)
        (*ids)[i] = tokens.ids[i];
    *count = tokens.count;
    inox_tokens_release(&tokens);
    return *ids == NULL ? fail_text(&o->common, EXIT_MEMORY, "no memory for %zu tokens", *count)
                        : 0;
}

/* Window by window, so that there is progress and Ctrl-C. */
static int measure(const perplexity_options *o, inox_session *s, const int32_t *ids, size_t count,
                   double *nats, size_t *predicted)
{
    inox_error err = { 0 };
    size_t window = (size_t)o->window;
    double sum = 0;
    *predicted = 0;
    for (size_t at = 0; at + 1 < count; at += window) {
        size_t n = count - at < window ? count - at : window, got;
        double mean;
        if (interrupted())
            return fail_text(&o->common, EXIT_INTERRUPTED, "interrupted");
        if (inox_perplexity(s, ids + at, n, window, &mean, &got, &err) != INOX_OK)
            return fail(&o->common, &err);
        sum += mean * (double)got;
        *predicted += got;
        if (!o->common.quiet && is_terminal(stderr))
            draw_progress("measuring", (double)(at + n) / (double)count);
    }
    if (*predicted == 0)
        return fail_text(&o->common, EXIT_FORMAT, "%zu tokens: at least two are needed", count);
    *nats = sum / (double)*predicted;
    return 0;
}

static int perplexity(const perplexity_options *o, const char *path, const char *file)
{
    inox_error err = { 0 };
    inox_model *model = NULL;
    inox_session *session = NULL;
    inox_session_options s = INOX_SESSION_OPTIONS_INIT;
    int32_t *ids = NULL;
    size_t count = 0, predicted = 0;
    double nats = 0;
    if (open_model(&o->common, path, false, 0, &model, &err) != INOX_OK)
        return fail(&o->common, &err);
    int code = o->ids_file != NULL ? read_ids(&o->common, o->ids_file, &ids, &count)
                                   : tokens_of(o, model, file, &ids, &count);
    s.context = (int32_t)o->window;
    s.cache = o->cache;
    if (code == 0 && inox_session_new(model, &s, &session, &err) != INOX_OK)
        code = fail(&o->common, &err);
    if (code == 0)
        code = measure(o, session, ids, count, &nats, &predicted);
    if (code == 0 && o->common.json)
        code = print_json(&o->common,
                          json_pack("{s:f, s:f, s:I, s:I}", "nats_per_token", nats, "perplexity",
                                    exp(nats), "tokens", (json_int_t)predicted, "window",
                                    (json_int_t)o->window));
    else if (code == 0)
        printf("%.6f nats per token, perplexity %.4f (%zu tokens, windows of %lld)\n", nats,
               exp(nats), predicted, (long long)o->window);
    inox_session_free(session);
    inox_model_close(model);
    free(ids);
    return code;
}

int cmd_perplexity(const command *c, int argc, char **argv)
{
    perplexity_options o = { .window = 512 };
    const option options[] = {
        { "ids", 0, OPTION_TEXT, &o.ids_file, "FILE", "JSON array of token ids instead of a text",
          NULL },
        { "window", 'w', OPTION_INT, &o.window, "N", "tokens per window, without overlap (512)",
          NULL },
        CACHE_OPTION(o.cache),
        COMMON_OPTIONS(o.common),
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    int n = parse_options(
        c, options,
        "FILE is a text ('-': standard input). The first token of a window is not predicted.", argc,
        argv);
    if (n < 0)
        return parse_exit(n);
    if (n < 1 || n > 2 || (n == 2) == (o.ids_file != NULL))
        return usage_error(c, "a MODEL and either a FILE or --ids are needed"), EXIT_USAGE;
    if (o.window < 2 || o.window > (1 << 24))
        return usage_error(c, "--window must be 2 or more"), EXIT_USAGE;
    return perplexity(&o, argv[0], n == 2 ? argv[1] : NULL);
}
