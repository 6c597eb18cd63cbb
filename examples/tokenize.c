/* Turns a text into tokens, shows the bytes that each stands for, and turns the tokens back.  Needs
 * only the small library of tokenizers and chat templates.
 *
 *     cc -std=c17 tokenize.c -o tokenize $(pkg-config --cflags --libs inox_text)
 *     ./tokenize [TOKENIZER [TEXT]]        TOKENIZER: tokenizer.json, .model, tiktoken, GGUF, ...
 */
#include <inox_text.h>

#include <stdio.h>
#include <string.h>

/* A vocabulary of a few words, as a file would hold it. */
static const char SMALL[] =
    "{\"model\": {\"type\": \"WordLevel\", \"unk_token\": \"?\","
    "  \"vocab\": {\"?\": 0, \"The\": 1, \"same\": 2, \"bits\": 3, \"everywhere\": 4, \".\": 5}},"
    " \"pre_tokenizer\": {\"type\": \"Whitespace\"}, \"added_tokens\": []}";

static void show(const char *text, const inox_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        uint32_t start = tokens->starts[i], end = tokens->ends[i];
        printf("%6d  bytes %2u to %2u  '%.*s'\n", tokens->ids[i], start, end, (int)(end - start),
               text + start);
    }
}

int main(int argc, char **argv)
{
    const char *text = argc > 2 ? argv[2] : "The same bits everywhere.";
    inox_error err;
    inox_tokenizer *tokenizer = NULL;
    inox_tokens tokens = { 0 };
    char *back = NULL;
    inox_status status = argc > 1
                             ? inox_tokenizer_open(argv[1], NULL, &tokenizer, &err)
                             : inox_tokenizer_read(SMALL, strlen(SMALL), NULL, &tokenizer, &err);
    if (status == INOX_OK)
        status = inox_tokenizer_encode(tokenizer, text, strlen(text), 0, &tokens, &err);
    if (status == INOX_OK)
        show(text, &tokens);
    if (status == INOX_OK)
        status =
            inox_tokenizer_decode(tokenizer, tokens.ids, tokens.count, false, &back, NULL, &err);
    if (status == INOX_OK)
        printf("back: '%s'\n", back);
    else
        fprintf(stderr, "%s: %s\n", inox_status_name(err.code), err.message);
    inox_string_free(back);
    inox_tokens_release(&tokens);
    inox_tokenizer_free(tokenizer);
    return status == INOX_OK ? 0 : 1;
}
