/* inox bench: prompt and decode speed on random ids, nothing cached. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct bench_options {
    common common;
    inox_cache_type cache;
    int64_t depth, prompt, tokens, repetitions, chunk;
    bool profile;
} bench_options;

/* --profile: of a round behind the measured ones; NULL where there was nothing to do. */
typedef struct profiles {
    json_t *prompt, *decode;
} profiles;

typedef struct figures {
    double median, least, most;
} figures;

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Speed does not depend on the ids; a fixed sequence makes runs comparable. */
static int32_t next_id(uint64_t *state, int32_t vocabulary)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int32_t)((*state >> 33) % (uint64_t)vocabulary);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static figures figures_of(double *values, int64_t n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    double median = n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
    return (figures){ median, values[0], values[n - 1] };
}

/* The positions that every round stands behind. */
static inox_status fill(const bench_options *o, inox_session *s, const int32_t *ids,
                        inox_error *err)
{
    inox_status status = INOX_OK;
    for (int64_t done = 0; done < o->depth && status == INOX_OK;) {
        int64_t n = o->depth - done < 512 ? o->depth - done : 512;
        if (interrupted()) {
            *err = (inox_error){ INOX_E_CANCELLED, -1, "interrupted" };
            return INOX_E_CANCELLED;
        }
        status = inox_session_feed(s, ids + done, (size_t)n, INOX_LOGITS_NONE, err);
        done += n;
        if (!o->common.quiet && is_terminal(stderr))
            draw_progress("filling the cache", (double)done / (double)o->depth);
    }
    return status;
}

/* One round: prompt, then token by token.  Times in seconds. */
static inox_status round_of(const bench_options *o, inox_session *s, const int32_t *ids,
                            double *prompt_s, double *decode_s, inox_error *err)
{
    inox_status status = inox_session_truncate(s, (size_t)o->depth, err);
    double start = now();
    if (status == INOX_OK && o->prompt > 0)
        status = inox_session_feed(s, ids, (size_t)o->prompt, INOX_LOGITS_LAST, err);
    *prompt_s = now() - start;
    start = now();
    for (int64_t i = 0; i < o->tokens && status == INOX_OK; i++) {
        if (interrupted()) {
            *err = (inox_error){ INOX_E_CANCELLED, -1, "interrupted" };
            return INOX_E_CANCELLED;
        }
        status = inox_session_feed(s, ids + o->prompt + i, 1, INOX_LOGITS_LAST, err);
    }
    *decode_s = now() - start;
    return status;
}

/* Feeds ids[from..to), `step` at once, under the profiler. */
static inox_status profile_part(inox_session *s, const int32_t *ids, int64_t from, int64_t to,
                                int64_t step, json_t **out, inox_error *err)
{
    char *text;
    if (from == to)
        return INOX_OK;
    inox_status status = inox_profile_begin(s, err);
    for (int64_t i = from; i < to && status == INOX_OK; i += step)
        status = inox_session_feed(s, ids + i, (size_t)step, INOX_LOGITS_LAST, err);
    if (status == INOX_OK)
        status = inox_profile_end(s, &text, err);
    if (status != INOX_OK)
        return status;
    *out = profile_by_layers(text);
    inox_string_free(text);
    return INOX_OK;
}

static inox_status profile_round(const bench_options *o, inox_session *s, const int32_t *ids,
                                 profiles *out, inox_error *err)
{
    inox_status status = inox_session_truncate(s, (size_t)o->depth, err);
    if (status == INOX_OK)
        status = profile_part(s, ids, 0, o->prompt, o->prompt, &out->prompt, err);
    if (status == INOX_OK)
        status = profile_part(s, ids, o->prompt, o->prompt + o->tokens, 1, &out->decode, err);
    return status;
}

static int print_figures(const bench_options *o, const inox_model *model, figures prompt,
                         figures decode, double load_s, const profiles *profile)
{
    inox_model_info m = INOX_MODEL_INFO_INIT;
    inox_error err;
    if (inox_model_describe(model, &m, &err) != INOX_OK)
        return fail(&o->common, &err);
    if (o->common.json) {
        json_t *out = json_pack(
            "{s:o, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I}",
            "model", json_text(m.name, strlen(m.name)), "description", m.description, "isa", m.isa,
            "threads", m.threads, "prompt_tokens", (json_int_t)o->prompt, "decode_tokens",
            (json_int_t)o->tokens, "repetitions", (json_int_t)o->repetitions, "depth",
            (json_int_t)o->depth, "load_s", load_s, "prompt_tokens_per_s", prompt.median,
            "prompt_tokens_per_s_min", prompt.least, "prompt_tokens_per_s_max", prompt.most,
            "decode_tokens_per_s", decode.median, "decode_tokens_per_s_min", decode.least,
            "decode_tokens_per_s_max", decode.most, "weight_bytes", (json_int_t)m.weight_bytes);
        if (o->profile)
            json_object_set_new(
                out, "profile",
                json_pack("{s:O?, s:O?}", "prompt", profile->prompt, "decode", profile->decode));
        return print_json(&o->common, out);
    }
    printf("%s, %s, %d threads, loaded in %.2f s\n", m.description, m.isa, m.threads, load_s);
    printf("prompt %5lld tokens  %9.1f tokens/s  (%.1f to %.1f)\n", (long long)o->prompt,
           prompt.median, prompt.least, prompt.most);
    printf("decode %5lld tokens  %9.1f tokens/s  (%.1f to %.1f)\n", (long long)o->tokens,
           decode.median, decode.least, decode.most);
    if (profile->prompt != NULL)
        print_profile("prompt", profile->prompt);
    if (profile->decode != NULL)
        print_profile("decode", profile->decode);
    return 0;
}

static inox_status measure(const bench_options *o, inox_session *s, int32_t vocabulary,
                           double *prompt, double *decode, profiles *profile, inox_error *err)
{
    size_t n = (size_t)(o->depth + o->prompt + o->tokens);
    uint64_t state = 1;
    double p = 0, d = 0;
    int32_t *ids = malloc((n + 1) * sizeof *ids);
    if (ids == NULL) {
        *err = (inox_error){ INOX_E_MEMORY, -1, "no memory" };
        return INOX_E_MEMORY;
    }
    for (size_t i = 0; i < n; i++)
        ids[i] = next_id(&state, vocabulary);
    inox_status status = inox_session_feed(s, ids, n > 16 ? 16 : n, INOX_LOGITS_LAST,
                                           err); /* touch everything once */
    if (status == INOX_OK)
        status = inox_session_truncate(s, 0, err);
    if (status == INOX_OK)
        status = fill(o, s, ids, err);
    for (int64_t i = 0; i < o->repetitions && status == INOX_OK; i++) {
        status = round_of(o, s, ids + o->depth, &p, &d, err);
        prompt[i] = o->prompt > 0 ? (double)o->prompt / p : 0;
        decode[i] = o->tokens > 0 ? (double)o->tokens / d : 0;
        if (!o->common.quiet && is_terminal(stderr))
            draw_progress("measuring", (double)(i + 1) / (double)o->repetitions);
    }
    if (o->profile && status == INOX_OK)
        status = profile_round(o, s, ids + o->depth, profile, err);
    free(ids);
    return status;
}

static int bench(const bench_options *o, const char *path)
{
    inox_error err = { 0 };
    inox_model *model = NULL;
    inox_session *session = NULL;
    inox_session_options s = INOX_SESSION_OPTIONS_INIT;
    inox_model_info m = INOX_MODEL_INFO_INIT;
    double *prompt = calloc((size_t)o->repetitions, sizeof *prompt),
           *decode = calloc((size_t)o->repetitions, sizeof *decode);
    double start = now(), load_s = 0;
    int64_t positions = o->depth + o->prompt + o->tokens;
    s.context = (int32_t)(positions > 16 ? positions : 16);
    s.cache = o->cache;
    profiles profile = { NULL, NULL };
    int code = 0;
    inox_status status = prompt == NULL || decode == NULL ? INOX_E_MEMORY : INOX_OK;
    if (status == INOX_OK)
        status = open_model(&o->common, path, false, (int32_t)o->chunk, &model, &err);
    if (status == INOX_OK)
        status = inox_session_new(model, &s, &session, &err);
    load_s = now() - start;
    if (status == INOX_OK)
        status = inox_model_describe(model, &m, &err);
    if (status == INOX_OK)
        status = measure(o, session, m.vocabulary, prompt, decode, &profile, &err);
    if (status != INOX_OK)
        code = fail(&o->common, &err);
    else
        code = print_figures(o, model, figures_of(prompt, o->repetitions),
                             figures_of(decode, o->repetitions), load_s, &profile);
    json_decref(profile.prompt);
    json_decref(profile.decode);
    inox_session_free(session);
    inox_model_close(model);
    free(prompt);
    free(decode);
    return code;
}

int cmd_bench(const command *c, int argc, char **argv)
{
    bench_options o = { .prompt = 256, .tokens = 64, .repetitions = 3 };
    const option options[] = {
        { "prompt", 'p', OPTION_INT, &o.prompt, "N", "tokens of the prompt (256)", NULL },
        { "tokens", 'n', OPTION_INT, &o.tokens, "N", "tokens to decode one by one (64)", NULL },
        { "depth", 'd', OPTION_INT, &o.depth, "N",
          "positions that the cache already holds (0); filling them is not timed", NULL },
        { "repeat", 'r', OPTION_INT, &o.repetitions, "N", "rounds; the median is told (3)", NULL },
        { "chunk", 0, OPTION_INT, &o.chunk, "N", "prompt tokens computed together (512)", NULL },
        { "profile", 0, OPTION_FLAG, &o.profile, NULL,
          "one round more, timed by operator: where time goes, shares of the machine's limits",
          NULL },
        CACHE_OPTION(o.cache),
        COMMON_OPTIONS(o.common),
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    int n = parse_options(
        c, options,
        "Ids are random and nothing is cached between rounds. Decoding stands behind the prompt.",
        argc, argv);
    if (n < 0)
        return parse_exit(n);
    if (n > 1)
        return usage_error(c, "one MODEL at a time"), EXIT_USAGE;
    if (o.prompt < 0 || o.tokens < 0 || o.prompt + o.tokens < 1 || o.prompt > (1 << 23) ||
        o.tokens > (1 << 23) || o.depth < 0 || o.depth > (1 << 23) || o.repetitions < 1 ||
        o.repetitions > 1000 || o.chunk < 0 || o.chunk > 65536)
        return usage_error(c, "-p, -n, --depth, --repeat or --chunk is out of range"), EXIT_USAGE;
    return bench(&o, n == 1 ? argv[0] : NULL);
}
