/* The options of sampling, which several commands have. */
#include "cli.h"

#include <stdlib.h>

/* "ID=VALUE" texts to arrays. */
static int take_biases(const command *c, const common *shared, sampling_options *s)
{
    s->bias_ids = calloc(s->biases.count + 1, sizeof *s->bias_ids);
    s->bias_values = calloc(s->biases.count + 1, sizeof *s->bias_values);
    if (s->bias_ids == NULL || s->bias_values == NULL)
        return fail_text(shared, EXIT_MEMORY, "no memory");
    for (size_t i = 0; i < s->biases.count; i++) {
        char *end;
        const char *text = s->biases.items[i];
        long id = strtol(text, &end, 10);
        if (end == text || *end != '=' || id < 0 || id > INT32_MAX) {
            usage_error(c, "--logit-bias needs ID=VALUE, not '%s'", text);
            return EXIT_USAGE;
        }
        s->bias_ids[i] = (int32_t)id;
        const char *number = end + 1;
        s->bias_values[i] = strtof(number, &end);
        if (end == number || *end != '\0') {
            usage_error(c, "--logit-bias needs ID=VALUE, not '%s'", text);
            return EXIT_USAGE;
        }
    }
    return 0;
}

int take_sampling(const command *c, const common *shared, sampling_options *s, inox_sampling *out)
{
    inox_error err;
    if (s->top_k < 0 || s->top_k > INT32_MAX || s->penalty_window < -1 ||
        s->penalty_window > INT32_MAX) {
        usage_error(c, "--top-k or --penalty-window is out of range");
        return EXIT_USAGE;
    }
    int code = take_biases(c, shared, s);
    if (code == 0 && !s->seed_given) {
        if (inox_random_seed(&s->seed, &err) != INOX_OK)
            return fail(shared, &err);
        s->seed &= (UINT64_C(1) << 53) - 1; /* a number that every reader of JSON keeps */
    }
    out->temperature = (float)s->temperature;
    out->top_k = (int32_t)s->top_k;
    out->top_p = (float)s->top_p;
    out->min_p = (float)s->min_p;
    out->typical_p = (float)s->typical;
    out->repetition_penalty = (float)s->repetition;
    out->presence_penalty = (float)s->presence;
    out->frequency_penalty = (float)s->frequency;
    out->penalty_window = (int32_t)s->penalty_window;
    out->seed = s->seed;
    out->bias_ids = s->bias_ids;
    out->bias_values = s->bias_values;
    out->bias_count = s->biases.count;
    return code;
}

void free_sampling(sampling_options *s)
{
    free_texts(&s->biases);
    free(s->bias_ids);
    free(s->bias_values);
}
