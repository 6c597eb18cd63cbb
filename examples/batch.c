/* Writes four continuations of one prompt together: the prompt is computed once, its pages are
 * shared, and every step reads the weights once for all four.
 *
 *     cc -std=c17 batch.c -o batch $(pkg-config --cflags --libs inox)
 */
#include <inox.h>

#include <stdio.h>
#include <string.h>

enum { SEQUENCES = 4, TOKENS = 24 };

typedef struct writer {
    inox_model *model;
    inox_session *sessions[SEQUENCES];
    int32_t ids[SEQUENCES][TOKENS];
} writer;

/* The prompt in the first session; the others go on from there. */
static inox_status read_prompt(writer *w, inox_cache *cache, const char *prompt, inox_error *err)
{
    inox_session_options options = INOX_SESSION_OPTIONS_INIT;
    inox_tokens tokens = { 0 };
    options.pool = cache;
    inox_status status =
        inox_tokenize(w->model, prompt, strlen(prompt), INOX_TOKENIZE_SPECIAL, &tokens, err);
    if (status == INOX_OK)
        status = inox_session_new(w->model, &options, &w->sessions[0], err);
    if (status == INOX_OK)
        status = inox_session_feed(w->sessions[0], tokens.ids, tokens.count, INOX_LOGITS_LAST, err);
    for (int i = 1; i < SEQUENCES && status == INOX_OK; i++)
        status = inox_session_fork(w->sessions[0], &w->sessions[i], err);
    inox_tokens_release(&tokens);
    return status;
}

static inox_status write_texts(writer *w, inox_error *err)
{
    inox_sampling sampling = INOX_SAMPLING_INIT;
    inox_feed feeds[SEQUENCES];
    inox_status status = INOX_OK;
    for (int n = 0; n < TOKENS && status == INOX_OK; n++) {
        for (int i = 0; i < SEQUENCES && status == INOX_OK; i++) {
            size_t columns;
            const float *row = inox_session_logits(w->sessions[i], NULL, &columns);
            sampling.seed = (uint64_t)i;
            status = inox_sample(row, columns, &sampling, w->ids[i], (size_t)n, (uint64_t)n,
                                 &w->ids[i][n], err);
            feeds[i] = (inox_feed){ w->sessions[i], &w->ids[i][n], 1, INOX_LOGITS_LAST };
        }
        if (status == INOX_OK)
            status = inox_sessions_feed(feeds, SEQUENCES, err);
    }
    return status;
}

int main(void)
{
    const char *prompt = "The little dog";
    inox_error err;
    writer w = { 0 };
    inox_cache *cache = NULL;
    inox_cache_options options = INOX_CACHE_OPTIONS_INIT;
    options.positions = 4096;
    inox_status status = inox_model_open(NULL, NULL, &w.model, &err);
    if (status == INOX_OK)
        status = inox_cache_new(w.model, &options, &cache, &err);
    if (status == INOX_OK)
        status = read_prompt(&w, cache, prompt, &err);
    if (status == INOX_OK)
        status = write_texts(&w, &err);
    for (int i = 0; i < SEQUENCES && status == INOX_OK; i++) {
        char *text = NULL;
        status = inox_detokenize(w.model, w.ids[i], TOKENS, false, &text, NULL, &err);
        if (status == INOX_OK)
            printf("%s%s\n", prompt, text);
        inox_string_free(text);
    }
    if (status != INOX_OK)
        fprintf(stderr, "%s: %s\n", inox_status_name(err.code), err.message);
    for (int i = 0; i < SEQUENCES; i++)
        inox_session_free(w.sessions[i]);
    inox_cache_free(cache);
    inox_model_close(w.model);
    return status == INOX_OK ? 0 : 1;
}
