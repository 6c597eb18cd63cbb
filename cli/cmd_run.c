/* inox run: text behind a prompt. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

typedef struct run_options {
    common common;
    const char *prompt, *file, *receipt_file, *draft;
    inox_cache_type cache;
    int64_t tokens, context, chunk, lookup, draft_tokens;
    sampling_options sampling;
    bool parse_special, no_special, ignore_end, no_receipt, no_echo;
    option_texts stops;
    const char *echo; /* the prompt, until it is printed: an error before the answer stands alone */
    size_t echo_bytes;
} run_options;

static const char NOTES[] = "With --prompt or --file the argument is the MODEL. Alone, an argument "
                            "is the MODEL if it is an existing\n"
                            "file or ends in .gguf, else the prompt for the embedded model. A "
                            "prompt of '-' is read from standard input.\n"
                            "The receipt is kept in $XDG_STATE_HOME/inox/receipts (mode 0600).";

static bool is_model(const char *s)
{
    size_t n = strlen(s);
    return path_exists(s) || (n > 5 && strcmp(s + n - 5, ".gguf") == 0);
}

/* Which argument is what; 0, or an exit code. */
static int take_arguments(const command *c, run_options *o, int n, char **argv, const char **model)
{
    bool has_prompt = o->prompt != NULL || o->file != NULL;
    *model = NULL;
    if (n > 2 || (n == 2 && has_prompt)) {
        usage_error(c, "too many arguments, from '%s' on", argv[has_prompt ? 1 : 2]);
        return EXIT_USAGE;
    }
    if (n == 2) {
        *model = argv[0];
        o->prompt = argv[1];
    } else if (n == 1 && (has_prompt || is_model(argv[0]))) {
        *model = argv[0];
    } else if (n == 1) {
        o->prompt = argv[0];
    }
    if (o->prompt == NULL && o->file == NULL) {
        if (input_is_terminal()) {
            usage_error(
                c,
                "no prompt: give it as an argument, with --prompt or --file, or on standard input");
            return EXIT_USAGE;
        }
        o->file = "-";
    }
    if (o->prompt != NULL && strcmp(o->prompt, "-") == 0) {
        o->prompt = NULL;
        o->file = "-";
    }
    return 0;
}

static void print_echo(run_options *o)
{
    if (o->echo == NULL || o->common.json || o->no_echo)
        return;
    fwrite(o->echo, 1, o->echo_bytes, stdout);
    fflush(stdout);
    o->echo = NULL;
}

static int on_text(void *context, const char *text, size_t bytes)
{
    run_options *o = context;
    print_echo(o);
    if (!o->common.json) {
        fwrite(text, 1, bytes, stdout);
        fflush(stdout);
    }
    return interrupted() || ferror(stdout) != 0;
}

static int on_prompt(void *context, size_t done, size_t all)
{
    run_options *o = context;
    if (!o->common.quiet && is_terminal(stderr) && all > 512)
        draw_progress("reading the prompt", (double)done / (double)all);
    return interrupted();
}

static json_t *timings_of(const inox_result_info *r)
{
    return json_pack("{s:f, s:f, s:i, s:i, s:f, s:f}", "prompt_s", r->prompt_s, "decode_s",
                     r->decode_s, "prompt_tokens", (int)r->prompt_count, "tokens", (int)r->id_count,
                     "prompt_tokens_per_s",
                     r->prompt_s > 0 ? (double)r->prompt_count / r->prompt_s : 0.0,
                     "decode_tokens_per_s", decode_speed(r));
}

static double acceptance(const inox_result_info *r)
{
    return r->guessed > 0 ? (double)r->guessed_right / (double)r->guessed : 0.0;
}

static bool guesses(const run_options *o)
{
    return o->draft != NULL || o->lookup > 0;
}

static int print_result_json(const run_options *o, const inox_result_info *r, uint64_t seed)
{
    json_t *ids = json_array(), *seed_value;
    char digits[24];
    for (size_t i = 0; ids != NULL && i < r->id_count; i++)
        json_array_append_new(ids, json_integer(r->ids[i]));
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)seed);
    seed_value = seed <= INT64_MAX ? json_integer((json_int_t)seed)
                                   : json_string(digits); /* beyond JSON integers */
    json_t *receipt = r->receipt_id == NULL ? json_null() : json_string(r->receipt_id);
    json_t *out =
        json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "text", json_text(r->text, r->text_bytes),
                  "ids", ids, "finish_reason", r->finish, "timings", timings_of(r), "seed",
                  seed_value, "receipt", receipt);
    if (guesses(o))
        json_object_set_new(out, "draft",
                            json_pack("{s:I, s:I, s:f}", "guessed", (json_int_t)r->guessed, "right",
                                      (json_int_t)r->guessed_right, "acceptance", acceptance(r)));
    return print_json(&o->common, out);
}

static int keep_receipt(const run_options *o, const inox_result_info *r)
{
    inox_error err;
    if (r->receipt == NULL)
        return 0;
    if (!o->no_receipt && inox_receipt_store(r->receipt, &err) != INOX_OK)
        return fail(&o->common, &err);
    if (o->receipt_file == NULL)
        return 0;
    FILE *f = fopen(o->receipt_file, "wb");
    bool good = f != NULL && fputs(r->receipt, f) >= 0;
    return f == NULL || fclose(f) != 0 || !good ? fail_file(&o->common, o->receipt_file) : 0;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_summary(const run_options *o, const inox_result_info *r, uint64_t seed)
{
    fprintf(stderr, "%zu token%s, %.0f tokens/s (prompt: %zu token%s, %.0f ms).", r->id_count,
            plural(r->id_count), decode_speed(r), r->prompt_count, plural(r->prompt_count),
            r->prompt_s * 1e3);
    if (guesses(o))
        fprintf(stderr, " Guessed: %zu, right: %.0f %%.", r->guessed, 100 * acceptance(r));
    if (r->receipt_id != NULL)
        fprintf(stderr, " Receipt %.6s.", r->receipt_id);
    fprintf(stderr, o->common.verbose ? " Seed %llu.\n" : "\n", (unsigned long long)seed);
}

static int report(run_options *o, const inox_result_info *r, uint64_t seed)
{
    int code = keep_receipt(o, r);
    if (o->common.json) { /* the answer counts even where its receipt could not be kept */
        int written = print_result_json(o, r, seed);
        code = code != 0 ? code : written;
    } else if (!o->common.json) {
        print_echo(o); /* where no text came */
        printf("\n");
        fflush(stdout);
        if (!o->common.quiet)
            print_summary(o, r, seed);
    }
    if (code == 0 && strcmp(r->finish, "cancelled") == 0)
        return ferror(stdout) != 0 ? finish_output(&o->common, EXIT_FINE) : EXIT_INTERRUPTED;
    if (code == 0 && strcmp(r->finish, "context") == 0) {
        fprintf(stderr,
                "inox: the answer ends because the context is full; --ctx makes it larger\n");
        return EXIT_CONTEXT;
    }
    return code;
}

static inox_status answer(run_options *o, inox_model *model, const char *text, size_t bytes,
                          inox_generate_options *g, inox_result **result, inox_error *err)
{
    inox_tokens prompt = { 0 };
    inox_session *session = NULL;
    inox_model *draft = NULL;
    inox_session_options s = INOX_SESSION_OPTIONS_INIT;
    unsigned flags = (o->no_special ? 0u : INOX_TOKENIZE_SPECIAL) |
                     (o->parse_special ? INOX_TOKENIZE_PARSE_SPECIAL : 0u);
    s.context = (int32_t)o->context;
    s.cache = o->cache;
    inox_status status = inox_tokenize(model, text, bytes, flags, &prompt, err);
    if (status == INOX_OK)
        status = inox_session_new(model, &s, &session, err);
    if (status == INOX_OK && o->draft != NULL)
        status = open_draft(&o->common, o->draft, o->context, o->chunk, &draft, &g->draft, err);
    o->echo = text;
    o->echo_bytes = bytes;
    if (status == INOX_OK)
        status = inox_generate(session, prompt.ids, prompt.count, g, result, err);
    inox_session_free(g->draft);
    inox_model_close(draft);
    inox_session_free(session);
    inox_tokens_release(&prompt);
    return status;
}

static int run(const command *c, run_options *o, const char *model_path, const char *text,
               size_t bytes)
{
    inox_error err = { 0 };
    inox_model *model = NULL;
    inox_result *result = NULL;
    inox_generate_options g = INOX_GENERATE_OPTIONS_INIT;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    g.max_tokens = (int32_t)o->tokens;
    g.lookup = (int32_t)o->lookup;
    g.draft_tokens = (int32_t)o->draft_tokens;
    g.stops = o->stops.items;
    g.stop_count = o->stops.count;
    g.ignore_end = o->ignore_end;
    g.receipt = !o->no_receipt || o->receipt_file != NULL;
    g.on_text = on_text;
    g.on_prompt = on_prompt;
    g.context = o;
    int code = take_sampling(c, &o->common, &o->sampling, &g.sampling);
    if (code == 0 &&
        (open_model(&o->common, model_path, false, (int32_t)o->chunk, &model, &err) != INOX_OK ||
         answer(o, model, text, bytes, &g, &result, &err) != INOX_OK))
        code = fail(&o->common, &err);
    if (code == 0 && inox_result_describe(result, &info, &err) != INOX_OK)
        code = fail(&o->common, &err);
    if (code == 0)
        code = report(o, &info, o->sampling.seed);
    inox_result_free(result);
    inox_model_close(model);
    return code;
}

static int check_options(const command *c, const run_options *o)
{
    if (o->tokens < 0 || o->tokens > INT32_MAX)
        return usage_error(c, "-n must be 0 or more");
    if (o->context < 0 || o->context > INT32_MAX || o->chunk < 0 || o->chunk > 65536)
        return usage_error(c, "--ctx or --chunk is out of range");
    if (o->lookup < 0 || o->lookup > 1024 || o->draft_tokens < 1 || o->draft_tokens > 256)
        return usage_error(c, "--lookup must be 0 to 1024, --draft-tokens 1 to 256");
    return 0;
}

/* Behind parsing: `n` arguments, or what parse_options returned below 0. */
static int run_parsed(const command *c, run_options *o, int n, char **argv)
{
    const char *model;
    char *text = NULL;
    size_t bytes = 0;
    int code = n < 0                      ? parse_exit(n)
               : check_options(c, o) != 0 ? EXIT_USAGE
                                          : take_arguments(c, o, n, argv, &model);
    if (n >= 0 && code == 0 && o->file != NULL)
        code = read_file(&o->common, o->file, &text, &bytes);
    if (n >= 0 && code == 0)
        code = run(c, o, model, text != NULL ? text : o->prompt,
                   text != NULL ? bytes : strlen(o->prompt));
    free(text);
    free_texts(&o->stops);
    free_sampling(&o->sampling);
    return code;
}

int cmd_run(const command *c, int argc, char **argv)
{
    run_options o = { .tokens = 128, .draft_tokens = 8, .sampling = SAMPLING_INIT };
    const option options[] = {
        { "prompt", 'p', OPTION_TEXT, &o.prompt, "TEXT", "the prompt", NULL },
        { "file", 'f', OPTION_TEXT, &o.file, "FILE",
          "the prompt is in a file ('-': standard input)", NULL },
        { "tokens", 'n', OPTION_INT, &o.tokens, "N", "tokens to write at most (128)", NULL },
        SAMPLING_OPTIONS(o.sampling),
        { "stop", 0, OPTION_TEXTS, &o.stops, "TEXT", "end before this text (repeatable)", NULL },
        { "ignore-end", 0, OPTION_FLAG, &o.ignore_end, NULL, "go on behind end-of-text tokens",
          NULL },
        { "parse-special", 0, OPTION_FLAG, &o.parse_special, NULL,
          "special tokens may be spelt in the prompt", NULL },
        { "no-special", 0, OPTION_FLAG, &o.no_special, NULL,
          "no beginning-of-text token before the prompt", NULL },
        SESSION_OPTIONS(o),
        { "receipt", 0, OPTION_TEXT, &o.receipt_file, "FILE", "write the receipt there too", NULL },
        { "no-receipt", 0, OPTION_FLAG, &o.no_receipt, NULL, "keep no receipt", NULL },
        { "no-echo", 0, OPTION_FLAG, &o.no_echo, NULL, "do not print the prompt", NULL },
        COMMON_OPTIONS(o.common),
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    return run_parsed(c, &o, parse_options(c, options, NOTES, argc, argv), argv);
}
