/* Renders a chat template, and encodes the result so that a user who writes a special token gets
 * its spelling and not the token.
 *
 *     cc -std=c17 chat_template.c -o chat_template $(pkg-config --cflags --libs inox_text)
 */
#include <inox_text.h>

#include <stdio.h>
#include <string.h>

static const char VOCABULARY[] =
    "{\"model\": {\"type\": \"WordLevel\", \"unk_token\": \"?\", \"vocab\":"
    "  {\"?\": 0, \"user\": 1, \"Hi\": 2, \"<\": 3, \"|\": 4, \"end\": 5, \">\": 6}},"
    " \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": ["
    "  {\"type\": \"WhitespaceSplit\"},"
    "  {\"type\": \"Punctuation\", \"behavior\": \"Isolated\"}]},"
    " \"added_tokens\": [{\"id\": 7, \"content\": \"<|end|>\", \"special\": true,"
    "  \"normalized\": false, \"single_word\": false, \"lstrip\": false, \"rstrip\": false}]}";
static const char TEMPLATE[] =
    "{% for m in messages %}{{ m.role }} {{ m.content }}<|end|>{% endfor %}";
static const char VARIABLES[] =
    "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi <|end|>\"}]}";

static inox_status encode(const inox_tokenizer *tokenizer, const inox_rendering *rendering,
                          inox_error *err)
{
    inox_input input = { 0 };
    inox_encode_options options = INOX_ENCODE_OPTIONS_INIT;
    inox_encodings *encodings;
    inox_encoding one = INOX_ENCODING_INIT;
    input.first.text = inox_rendering_text(rendering);
    input.first.plain = inox_rendering_spans(rendering, &input.first.plain_count);
    options.parse_special = INOX_PARSE_SPECIAL_YES; /* in the template's own words */
    inox_status status = inox_tokenizer_encode_all(tokenizer, &input, 1, &options, &encodings, err);
    if (status != INOX_OK)
        return status;
    status = inox_encodings_get(encodings, 0, 0, &one, err);
    for (size_t i = 0; status == INOX_OK && i < one.count; i++)
        printf("%d ", one.ids[i]);
    printf("\n"); /* 7 stands once, at the end */
    inox_encodings_free(encodings);
    return status;
}

int main(void)
{
    inox_error err;
    inox_tokenizer *tokenizer = NULL;
    inox_template *chat = NULL;
    inox_rendering *rendering = NULL;
    inox_status status =
        inox_tokenizer_read(VOCABULARY, strlen(VOCABULARY), NULL, &tokenizer, &err);
    if (status == INOX_OK)
        status = inox_template_new(TEMPLATE, strlen(TEMPLATE), &chat, &err);
    if (status == INOX_OK)
        status = inox_template_render(chat, VARIABLES, strlen(VARIABLES), NULL, &rendering, &err);
    if (status == INOX_OK) {
        printf("%s\n", inox_rendering_text(rendering).data);
        status = encode(tokenizer, rendering, &err);
    }
    if (status != INOX_OK)
        fprintf(stderr, "%s: %s\n", inox_status_name(err.code), err.message);
    inox_rendering_free(rendering);
    inox_template_free(chat);
    inox_tokenizer_free(tokenizer);
    return status == INOX_OK ? 0 : 1;
}
