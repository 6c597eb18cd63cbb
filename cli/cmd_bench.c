/* inox bench: prompt and decode speed on random ids, nothing cached, of one sequence or of many
 * that are computed together. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct bench_options {
    common common;
    inox_cache_type cache;
    int64_t depth, prompt, tokens, sequences, repetitions, chunk;
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

/* What is fed: each sequence has ids of its own, one behind another in `ids`. */
typedef struct sequences {
    inox_cache *cache;
    inox_session **sessions;
    inox_feed *feeds;
    int32_t *ids;
    size_t count, positions; /* of each: behind all that are timed */
} sequences;

static inox_status no_memory(inox_error *err)
{
    *err = (inox_error){ INOX_E_MEMORY, -1, "no memory" };
    return INOX_E_MEMORY;
}

static inox_status open_sequences(const bench_options *o, inox_model *model, sequences *q,
                                  inox_error *err)
{
    inox_cache_options c = INOX_CACHE_OPTIONS_INIT;
    inox_session_options s = INOX_SESSION_OPTIONS_INIT;
    inox_model_info m = INOX_MODEL_INFO_INIT;
    uint64_t state = 1;
    q->count = (size_t)o->sequences;
    q->positions = (size_t)(o->depth + o->prompt + o->tokens);
    q->sessions = calloc(q->count, sizeof *q->sessions);
    q->feeds = calloc(q->count, sizeof *q->feeds);
    q->ids = malloc(q->count * q->positions * sizeof *q->ids);
    if (q->sessions == NULL || q->feeds == NULL || q->ids == NULL)
        return no_memory(err);
    c.positions = (int64_t)(q->count * ((q->positions + 127) / 128 * 128));
    c.type = o->cache;
    c.reuse = false; /* what a round computes, the next one computes again */
    inox_status status = inox_cache_new(model, &c, &q->cache, err);
    s.context = (int32_t)q->positions;
    s.pool = q->cache;
    for (size_t i = 0; i < q->count && status == INOX_OK; i++)
        status = inox_session_new(model, &s, &q->sessions[i], err);
    if (status == INOX_OK)
        status = inox_model_describe(model, &m, err);
    for (size_t i = 0; i < q->count * q->positions && status == INOX_OK; i++)
        q->ids[i] = next_id(&state, m.vocabulary);
    return status;
}

static void close_sequences(sequences *q)
{
    for (size_t i = 0; i < q->count && q->sessions != NULL; i++)
        inox_session_free(q->sessions[i]);
    inox_cache_free(q->cache);
    free(q->sessions);
    free(q->feeds);
    free(q->ids);
}

/* The ids from `from` on of every sequence. */
static inox_status feed_all(sequences *q, int64_t from, int64_t n, inox_logits_mode mode,
                            inox_error *err)
{
    if (interrupted()) {
        *err = (inox_error){ INOX_E_CANCELLED, -1, "interrupted" };
        return INOX_E_CANCELLED;
    }
    for (size_t i = 0; i < q->count; i++)
        q->feeds[i] =
            (inox_feed){ q->sessions[i], q->ids + i * q->positions + from, (size_t)n, mode };
    return inox_sessions_feed(q->feeds, q->count, err);
}

static inox_status truncate_all(sequences *q, int64_t length, inox_error *err)
{
    inox_status status = INOX_OK;
    for (size_t i = 0; i < q->count && status == INOX_OK; i++)
        status = inox_session_truncate(q->sessions[i], (size_t)length, err);
    return status;
}

/* The positions that every round stands behind. */
static inox_status fill(const bench_options *o, sequences *q, inox_error *err)
{
    inox_status status = INOX_OK;
    for (int64_t done = 0; done < o->depth && status == INOX_OK;) {
        int64_t n = o->depth - done < 512 ? o->depth - done : 512;
        status = feed_all(q, done, n, INOX_LOGITS_NONE, err);
        done += n;
        if (!o->common.quiet && is_terminal(stderr))
            draw_progress("filling the cache", (double)done / (double)o->depth);
    }
    return status;
}

/* One round: prompt, then token by token.  Times in seconds. */
static inox_status round_of(const bench_options *o, sequences *q, double *prompt_s,
                            double *decode_s, inox_error *err)
{
    inox_status status = truncate_all(q, o->depth, err);
    int64_t at = o->depth;
    double start = now();
    if (status == INOX_OK && o->prompt > 0)
        status = feed_all(q, at, o->prompt, INOX_LOGITS_LAST, err);
    *prompt_s = now() - start;
    start = now();
    at += o->prompt;
    for (int64_t i = 0; i < o->tokens && status == INOX_OK; i++)
        status = feed_all(q, at + i, 1, INOX_LOGITS_LAST, err);
    *decode_s = now() - start;
    return status;
}

/* Feeds the ids from `from` to `to`, `step` at once, under the profiler. */
static inox_status profile_part(sequences *q, int64_t from, int64_t to, int64_t step, json_t **out,
                                inox_error *err)
{
    char *text;
    if (from == to)
        return INOX_OK;
    inox_status status = inox_profile_begin(q->sessions[0], err);
    for (int64_t i = from; i < to && status == INOX_OK; i += step)
        status = feed_all(q, i, step, INOX_LOGITS_LAST, err);
    if (status == INOX_OK)
        status = inox_profile_end(q->sessions[0], &text, err);
    if (status != INOX_OK)
        return status;
    *out = profile_by_layers(text);
    inox_string_free(text);
    return INOX_OK;
}

static inox_status profile_round(const bench_options *o, sequences *q, profiles *out,
                                 inox_error *err)
{
    int64_t decode = o->depth + o->prompt;
    inox_status status = truncate_all(q, o->depth, err);
    if (status == INOX_OK)
        status = profile_part(q, o->depth, decode, o->prompt, &out->prompt, err);
    if (status == INOX_OK)
        status = profile_part(q, decode, decode + o->tokens, 1, &out->decode, err);
    return status;
}

static void print_line(const char *what, int64_t tokens, int64_t batch, figures f)
{
    char times[32] = "";
    if (batch > 1)
        snprintf(times, sizeof times, "%lld x ", (long long)batch);
    printf("%s %s%5lld tokens  %9.1f tokens/s  (%.1f to %.1f)\n", what, times, (long long)tokens,
           f.median, f.least, f.most);
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
            "{s:o, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I}",
            "model", json_text(m.name, strlen(m.name)), "description", m.description, "isa", m.isa,
            "threads", m.threads, "prompt_tokens", (json_int_t)o->prompt, "decode_tokens",
            (json_int_t)o->tokens, "repetitions", (json_int_t)o->repetitions, "depth",
            (json_int_t)o->depth, "sequences", (json_int_t)o->sequences, "load_s", load_s,
            "prompt_tokens_per_s", prompt.median, "prompt_tokens_per_s_min", prompt.least,
            "prompt_tokens_per_s_max", prompt.most, "decode_tokens_per_s", decode.median,
            "decode_tokens_per_s_min", decode.least, "decode_tokens_per_s_max", decode.most,
            "weight_bytes", (json_int_t)m.weight_bytes);
        if (o->profile)
            json_object_set_new(
                out, "profile",
                json_pack("{s:O?, s:O?}", "prompt", profile->prompt, "decode", profile->decode));
        return print_json(&o->common, out);
    }
    printf("%s, %s, %d threads, loaded in %.2f s\n", m.description, m.isa, m.threads, load_s);
    print_line("prompt", o->prompt, o->sequences, prompt);
    print_line("decode", o->tokens, o->sequences, decode);
    if (profile->prompt != NULL)
        print_profile("prompt", profile->prompt);
    if (profile->decode != NULL)
        print_profile("decode", profile->decode);
    return 0;
}

static inox_status measure(const bench_options *o, sequences *q, double *prompt, double *decode,
                           profiles *profile, inox_error *err)
{
    double p = 0, d = 0;
    int64_t n = (int64_t)q->positions < 16 ? (int64_t)q->positions : 16;
    inox_status status = INOX_OK;
    for (int i = 0; i < 2 && status == INOX_OK; i++) { /* weights are packed at their second use */
        status = feed_all(q, 0, n, INOX_LOGITS_LAST, err);
        if (status == INOX_OK)
            status = truncate_all(q, 0, err);
    }
    if (status == INOX_OK)
        status = fill(o, q, err);
    for (int64_t i = 0; i < o->repetitions && status == INOX_OK; i++) {
        status = round_of(o, q, &p, &d, err);
        prompt[i] = o->prompt > 0 ? (double)(o->prompt * o->sequences) / p : 0;
        decode[i] = o->tokens > 0 ? (double)(o->tokens * o->sequences) / d : 0;
        if (!o->common.quiet && is_terminal(stderr))
            draw_progress("measuring", (double)(i + 1) / (double)o->repetitions);
    }
    if (o->profile && status == INOX_OK)
        status = profile_round(o, q, profile, err);
    return status;
}

static int bench(const bench_options *o, const char *path)
{
    inox_error err = { 0 };
    inox_model *model = NULL;
    sequences q = { 0 };
    double *prompt = calloc((size_t)o->repetitions, sizeof *prompt),
           *decode = calloc((size_t)o->repetitions, sizeof *decode);
    double start = now(), load_s = 0;
    profiles profile = { NULL, NULL };
    int code = 0;
    inox_status status = prompt == NULL || decode == NULL ? no_memory(&err) : INOX_OK;
    if (status == INOX_OK)
        status = open_model(&o->common, path, false, (int32_t)o->chunk, &model, &err);
    if (status == INOX_OK)
        status = open_sequences(o, model, &q, &err);
    load_s = now() - start;
    if (status == INOX_OK)
        status = measure(o, &q, prompt, decode, &profile, &err);
    if (status != INOX_OK)
        code = fail(&o->common, &err);
    else
        code = print_figures(o, model, figures_of(prompt, o->repetitions),
                             figures_of(decode, o->repetitions), load_s, &profile);
    json_decref(profile.prompt);
    json_decref(profile.decode);
    close_sequences(&q);
    inox_model_close(model);
    free(prompt);
    free(decode);
    return code;
}

int cmd_bench(const command *c, int argc, char **argv)
{
    bench_options o = { .prompt = 256, .tokens = 64, .sequences = 1, .repetitions = 3 };
    const option options[] = {
        { "prompt", 'p', OPTION_INT, &o.prompt, "N", "tokens of the prompt (256)", NULL },
        { "tokens", 'n', OPTION_INT, &o.tokens, "N", "tokens to decode one by one (64)", NULL },
        { "batch", 'b', OPTION_INT, &o.sequences, "N",
          "sequences computed together, each with its own prompt (1); tokens/s are of all", NULL },
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
        o.tokens > (1 << 23) || o.depth < 0 || o.depth > (1 << 23) || o.sequences < 1 ||
        o.sequences > 4096 || o.repetitions < 1 || o.repetitions > 1000 || o.chunk < 0 ||
        o.chunk > 65536)
        return usage_error(c, "-p, -n, --batch, --depth, --repeat or --chunk is out of range"),
               EXIT_USAGE;
    return bench(&o, n == 1 ? argv[0] : NULL);
}
