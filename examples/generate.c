/* Opens the built-in model and writes text behind a prompt, character by character as it comes.
 *
 *     cc -std=c17 generate.c -o generate $(pkg-config --cflags --libs inox)
 */
#include <inox.h>

#include <stdio.h>
#include <string.h>

static int on_text(void *context, const char *text, size_t bytes)
{
    fwrite(text, 1, bytes, context);
    return fflush(context); /* anything but 0 would stop the answer */
}

int main(void)
{
    const char *prompt = "Once upon a time";
    inox_error err;
    inox_model *model = NULL;
    inox_session *session = NULL;
    inox_tokens tokens = { 0 };
    inox_result *result = NULL;
    inox_generate_options options = INOX_GENERATE_OPTIONS_INIT;

    options.max_tokens = 48;
    options.sampling.seed = 1;
    options.on_text = on_text;
    options.context = stdout;
    printf("%s", prompt);
    inox_status status = inox_model_open(NULL, NULL, &model, &err);
    if (status == INOX_OK)
        status = inox_tokenize(model, prompt, strlen(prompt), INOX_TOKENIZE_SPECIAL, &tokens, &err);
    if (status == INOX_OK)
        status = inox_session_new(model, NULL, &session, &err);
    if (status == INOX_OK)
        status = inox_generate(session, tokens.ids, tokens.count, &options, &result, &err);
    printf("\n");
    if (status != INOX_OK)
        fprintf(stderr, "%s: %s\n", inox_status_name(err.code), err.message);
    inox_result_free(result);
    inox_session_free(session);
    inox_tokens_release(&tokens);
    inox_model_close(model);
    return status == INOX_OK ? 0 : 1;
}
