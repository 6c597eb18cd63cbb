/* Which format a file is, from its bytes. */
#include "text/file/open.h"

#include "text/file/protobuf.h"
#include "text/unicode.h"

#include <string.h>

const char *ix_tokenizer_format_name(ix_tokenizer_format format)
{
    switch (format) {
    case IX_FORMAT_UNKNOWN: break;
    case IX_FORMAT_GGUF: return "gguf";
    case IX_FORMAT_TOKENIZER_JSON: return "tokenizer.json";
    case IX_FORMAT_TEKKEN: return "tekken";
    case IX_FORMAT_SENTENCEPIECE: return "sentencepiece";
    case IX_FORMAT_TIKTOKEN: return "tiktoken";
    case IX_FORMAT_VOCAB_TXT: return "vocab.txt";
    case IX_FORMAT_VOCAB_JSON: return "vocab.json";
    }
    return "unknown";
}

/* ---- JSON ---------------------------------------------------------------------------------- */

/* What the outermost object has; found by skipping over the rest, which is not checked. */
typedef struct json_keys {
    bool model, vocab_list, config, number; /* number: every value is one, and there is one */
} json_keys;

/* The end of the string that begins at text[at], behind its closing quote. */
static size_t skip_string(const char *text, size_t size, size_t at)
{
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at < size ? at + 1 : size;
}

static bool is_key(const char *text, size_t start, size_t end, const char *name)
{
    return end - start == strlen(name) + 2 && memcmp(text + start + 1, name, end - start - 2) == 0;
}

static size_t skip_blanks(const char *text, size_t size, size_t at)
{
    while (at < size &&
           (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t'))
        at++;
    return at;
}

/* Behind the value at text[at]: to the comma or the end of the object that holds it. */
static size_t skip_value(const char *text, size_t size, size_t at)
{
    size_t depth = 0;
    while (at < size) {
        char c = text[at];
        if (c == '"') {
            at = skip_string(text, size, at);
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return at;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at++;
    }
    return size;
}

static json_keys look_at_json(const char *text, size_t size, size_t at)
{
    json_keys keys = { .number = true };
    size_t values = 0;
    for (at++; at < size;) {
        size_t start = skip_blanks(text, size, at);
        if (start >= size || text[start] != '"')
            break;
        size_t end = skip_string(text, size, start);
        size_t value = skip_blanks(text, size, end);
        value = value < size && text[value] == ':' ? skip_blanks(text, size, value + 1) : size;
        if (value >= size)
            break;
        char first = text[value];
        keys.model = keys.model || (first == '{' && is_key(text, start, end, "model"));
        keys.vocab_list = keys.vocab_list || (first == '[' && is_key(text, start, end, "vocab"));
        keys.config = keys.config || (first == '{' && is_key(text, start, end, "config"));
        keys.number = keys.number && first >= '0' && first <= '9';
        values++;
        if (keys.model || (keys.number && values == 64))
            break;
        at = skip_value(text, size, value);
        if (at >= size || text[at] != ',')
            break;
        at++;
    }
    keys.number = keys.number && values > 0;
    return keys;
}

/* ---- lines and messages ---------------------------------------------------------------------- */

/* "base64 rank" in the first line. */
static bool is_tiktoken(const char *text, size_t size)
{
    size_t n = 0, digits;
    while (n < size && (text[n] == '+' || text[n] == '/' || (text[n] >= '0' && text[n] <= '9') ||
                        (text[n] >= 'A' && text[n] <= 'Z') || (text[n] >= 'a' && text[n] <= 'z')))
        n++;
    while (n < size && text[n] == '=')
        n++;
    if (n == 0 || n % 4 != 0 || n >= size || text[n] != ' ')
        return false;
    for (digits = ++n; n < size && text[n] >= '0' && text[n] <= '9';)
        n++;
    return n > digits && (n == size || text[n] == '\n' || text[n] == '\r');
}

/* A ModelProto begins with its pieces, or with settings: whole messages of known numbers. */
static bool is_sentencepiece(const char *data, size_t size)
{
    ix_span s = ix_span_of(data, size);
    ix_proto_field f;
    bool more = true;
    size_t fields = 0, pieces = 0;
    while (fields < 1024 && more) {
        if (ix_proto_next(&s, &f, &more, NULL) != INOX_OK)
            return false;
        if (more && (f.type != IX_PROTO_BYTES || f.number > 5))
            return f.number >= 200 && pieces > 0; /* an extension */
        fields += more;
        pieces += more && f.number == 1;
    }
    return pieces > 0;
}

/* Short lines of UTF-8, one of which is an unknown token as BERT's relatives spell it. */
static bool is_vocab_txt(const char *text, size_t size)
{
    bool unknown = false;
    for (size_t at = 0; at < size && !unknown;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t n = end ? (size_t)(end - text) - at : size - at;
        size_t trimmed = n > 0 && text[at + n - 1] == '\r' ? n - 1 : n;
        if (n > 1024 || memchr(text + at, 0, n))
            return false;
        unknown = (trimmed == 5 &&
                   (memcmp(text + at, "[UNK]", 5) == 0 || memcmp(text + at, "<unk>", 5) == 0 ||
                    memcmp(text + at, "[CLS]", 5) == 0));
        at += n + 1;
    }
    return unknown;
}

ix_tokenizer_format ix_tokenizer_detect(const char *data, size_t size)
{
    if (size >= 4 && memcmp(data, "GGUF", 4) == 0)
        return IX_FORMAT_GGUF;
    size_t at = size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    at = skip_blanks(data, size, at);
    if (at < size && data[at] == '{') {
        json_keys keys = look_at_json(data, size, at);
        if (keys.model)
            return IX_FORMAT_TOKENIZER_JSON;
        if (keys.vocab_list && keys.config)
            return IX_FORMAT_TEKKEN;
        if (keys.number)
            return IX_FORMAT_VOCAB_JSON;
    }
    if (is_tiktoken(data, size))
        return IX_FORMAT_TIKTOKEN;
    if (is_sentencepiece(data, size))
        return IX_FORMAT_SENTENCEPIECE;
    if (is_vocab_txt(data, size))
        return IX_FORMAT_VOCAB_TXT;
    return IX_FORMAT_UNKNOWN;
}
