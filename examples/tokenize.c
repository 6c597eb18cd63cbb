/* Turns a text into tokens, shows the bytes that each stands for, and turns the tokens back.
 *
 *     cc -std=c17 tokenize.c -o tokenize $(pkg-config --cflags --libs inox)
 */
#include <inox.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    const char *text = "The same bits everywhere.";
    inox_error err;
    inox_model *model = NULL;
    inox_tokens tokens = { 0 };
    inox_model_options options = INOX_MODEL_OPTIONS_INIT;
    char *back = NULL;
    size_t bytes = 0;

    options.vocabulary_only = true; /* no weights are needed */
    inox_status status = inox_model_open(NULL, &options, &model, &err);
    if (status == INOX_OK)
        status = inox_tokenize(model, text, strlen(text), 0, &tokens, &err);
    if (status == INOX_OK)
        status = inox_detokenize(model, tokens.ids, tokens.count, false, &back, &bytes, &err);
    if (status != INOX_OK)
        fprintf(stderr, "%s: %s\n", inox_status_name(err.code), err.message);
    for (size_t i = 0; status == INOX_OK && i < tokens.count; i++) {
        uint32_t start = tokens.starts[i], end = tokens.ends[i];
        printf("%5d  bytes %2u to %2u  '%.*s'\n", tokens.ids[i], start, end, (int)(end - start),
               text + start);
    }
    if (status == INOX_OK)
        printf("back: '%s', %s\n", back, strcmp(text, back) == 0 ? "the same" : "another text");
    inox_string_free(back);
    inox_tokens_release(&tokens);
    inox_model_close(model);
    return status == INOX_OK ? 0 : 1;
}
