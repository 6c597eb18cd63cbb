/* inox tokenize --jsonl: one answer per line of standard input, in order, whatever it says.
 *
 *     {"text": "..."} --request--> inputs --library--> encodings --> {"ids": [...], "offsets": ...}
 *
 * The keys are those of the records in which the field's libraries are compared: cmd_tokenize.c
 * tells them to people.
 */
#include "tokenize.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_BYTES_MAX (1ULL << 30)

/* One line as it is read.  What it points to is the request's or in `owned`. */
typedef struct request {
    json_t *object;
    inox_input *inputs;
    size_t count;
    bool is_batch;
    inox_encode_options options;
    inox_truncation truncation;
    inox_padding padding;
    void **owned;
    size_t owned_count;
    char error[256];
} request;

/* False, and why. */
static bool refuse(request *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(request *r, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(r->error, sizeof r->error, format, list);
    va_end(list);
    return false;
}

/* Memory that lasts as long as the request; NULL: there is none, told. */
static void *take(request *r, size_t bytes)
{
    void *p = malloc(bytes + 1), **more = realloc(r->owned, (r->owned_count + 1) * sizeof *more);
    if (more != NULL)
        r->owned = more;
    if (p == NULL || more == NULL) {
        free(p);
        refuse(r, "no memory for %zu bytes", bytes);
        return NULL;
    }
    r->owned[r->owned_count++] = p;
    return p;
}

static void release(request *r)
{
    for (size_t i = 0; i < r->owned_count; i++)
        free(r->owned[i]);
    free(r->owned);
    json_decref(r->object);
}

/* ---- inputs */

static inox_text text_of(const json_t *v)
{
    return (inox_text){ json_string_value(v), json_string_length(v) };
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_hex(request *r, const json_t *v, inox_text *out)
{
    if (!json_is_string(v))
        return refuse(r, "bytes_hex must be a string");
    inox_text hex = text_of(v);
    char *bytes = take(r, hex.bytes / 2);
    if (bytes == NULL)
        return false;
    bool good = hex.bytes % 2 == 0;
    for (size_t i = 0; good && i < hex.bytes / 2; i++) {
        int high = hex_digit(hex.data[2 * i]), low = hex_digit(hex.data[2 * i + 1]);
        good = high >= 0 && low >= 0;
        bytes[i] = (char)(high * 16 + low);
    }
    *out = (inox_text){ bytes, hex.bytes / 2 };
    return good || refuse(r, "bytes_hex is not pairs of hexadecimal digits");
}

/* [[unit, count], ...]: the units, each so many times. */
static bool read_parts(request *r, const json_t *v, inox_text *out)
{
    uint64_t all = 0;
    size_t index;
    json_t *part;
    bool good = json_is_array(v);
    json_array_foreach(v, index, part)
    {
        const json_t *unit = json_array_get(part, 0), *times = json_array_get(part, 1);
        good = good && json_array_size(part) == 2 && json_is_string(unit) &&
               json_is_integer(times) && json_integer_value(times) >= 0;
        uint64_t n = good ? (uint64_t)json_integer_value(times) : 0;
        uint64_t bytes = good ? json_string_length(unit) : 0;
        if (bytes > 0 && n > (PARTS_BYTES_MAX - all) / bytes)
            return refuse(r, "parts are more than %llu bytes together", PARTS_BYTES_MAX);
        all += n * bytes;
    }
    if (!good)
        return refuse(r, "parts must be an array of [unit, count]");
    char *bytes = take(r, (size_t)all), *at = bytes;
    if (bytes == NULL)
        return false;
    json_array_foreach(v, index, part)
    {
        inox_text unit = text_of(json_array_get(part, 0));
        for (json_int_t n = json_integer_value(json_array_get(part, 1)); n > 0 && unit.bytes > 0;
             n--, at += unit.bytes)
            memcpy(at, unit.data, unit.bytes);
    }
    *out = (inox_text){ bytes, (size_t)all };
    return true;
}

static bool read_words(request *r, const json_t *v, inox_sequence *out, const char *key)
{
    size_t n = json_array_size(v);
    inox_text *words = take(r, n * sizeof *words);
    if (words == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *word = json_array_get(v, i);
        if (!json_is_string(word))
            return refuse(r, "%s must be an array of strings", key);
        words[i] = text_of(word);
    }
    *out = (inox_sequence){ .words = words, .word_count = n, .is_split = true };
    return json_is_array(v) || refuse(r, "%s must be an array of strings", key);
}

/* A text, or with as_words an array of words. */
static bool read_sequence(request *r, const json_t *v, bool as_words, inox_sequence *out,
                          const char *key)
{
    if (as_words)
        return read_words(r, v, out, key);
    if (!json_is_string(v))
        return refuse(r, "%s must be a string", key);
    out->text = text_of(v);
    return true;
}

static bool read_batch(request *r, const json_t *v)
{
    r->is_batch = true;
    r->count = json_array_size(v);
    r->inputs = take(r, r->count * sizeof *r->inputs);
    if (r->inputs == NULL)
        return false;
    for (size_t i = 0; i < r->count; i++) {
        const json_t *one = json_array_get(v, i);
        inox_input *input = &r->inputs[i];
        *input = (inox_input){ .is_pair = json_is_array(one) };
        if (!input->is_pair
                ? !json_is_string(one)
                : json_array_size(one) != 2 || !json_is_string(json_array_get(one, 0)) ||
                      !json_is_string(json_array_get(one, 1)))
            return refuse(r, "batch must be an array of texts, or of [text, pair]");
        input->first.text = text_of(input->is_pair ? json_array_get(one, 0) : one);
        if (input->is_pair)
            input->second.text = text_of(json_array_get(one, 1));
    }
    return json_is_array(v) || refuse(r, "batch must be an array of texts, or of [text, pair]");
}

static bool read_inputs(request *r)
{
    const json_t *o = r->object, *text = json_object_get(o, "text"), *v;
    const json_t *hex = json_object_get(o, "bytes_hex"), *parts = json_object_get(o, "parts");
    const json_t *words = json_object_get(o, "words"), *batch = json_object_get(o, "batch");
    const json_t *pair = json_object_get(o, "pair");
    if ((text != NULL) + (hex != NULL) + (parts != NULL) + (words != NULL) + (batch != NULL) != 1)
        return refuse(r, "the line must be an object with one of text, bytes_hex, parts, words, "
                         "batch and ids");
    if (batch != NULL)
        return pair == NULL ? read_batch(r, batch)
                            : refuse(r, "pairs of a batch are arrays inside it, not pair");
    r->count = 1;
    r->inputs = take(r, sizeof *r->inputs);
    if (r->inputs == NULL)
        return false;
    inox_input *input = r->inputs;
    *input = (inox_input){ .is_pair = pair != NULL };
    if (hex != NULL     ? !read_hex(r, hex, &input->first.text)
        : parts != NULL ? !read_parts(r, parts, &input->first.text)
                        : !read_sequence(r, v = text != NULL ? text : words, words != NULL,
                                         &input->first, text != NULL ? "text" : "words"))
        return false;
    return pair == NULL || read_sequence(r, pair, words != NULL, &input->second, "pair");
}

/* ---- options */

/* A member that must be true, false or missing. */
static bool read_flag(request *r, const char *key, bool *out)
{
    const json_t *v = json_object_get(r->object, key);
    if (v == NULL)
        return true;
    *out = json_is_true(v);
    return json_is_boolean(v) || refuse(r, "%s must be true or false", key);
}

/* Members of truncation and padding: null counts as missing. */
static bool read_size(request *r, const json_t *o, const char *key, size_t *out)
{
    const json_t *v = json_object_get(o, key);
    if (v == NULL || json_is_null(v))
        return true;
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > INT32_MAX)
        return refuse(r, "%s must be a whole number from 0 to %d", key, INT32_MAX);
    *out = (size_t)json_integer_value(v);
    return true;
}

/* *out = which of the names, which end with NULL. */
static bool read_name(request *r, const json_t *o, const char *key, const char *const *names,
                      int *out)
{
    const json_t *v = json_object_get(o, key);
    if (v == NULL)
        return true;
    for (int i = 0; names[i] != NULL; i++) {
        if (json_is_string(v) && strcmp(json_string_value(v), names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return refuse(r, "%s must be %s, %s%s%s", key, names[0], names[1],
                  names[2] == NULL ? "" : " or ", names[2] == NULL ? "" : names[2]);
}

/* A member that the object should not have: an option that is misspelt must not be ignored. */
static bool only_keys(request *r, const json_t *o, const char *what, const char *const *names)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)o, key, value)
    {
        bool known = false;
        for (size_t i = 0; names[i] != NULL; i++)
            known = known || strcmp(key, names[i]) == 0;
        if (!known)
            return refuse(r, "%s has no member '%s'", what, key);
    }
    return true;
}

static const char *const SIDES[] = { "right", "left", NULL };

static bool read_truncation(request *r)
{
    static const char *const STRATEGIES[] = { "longest_first", "only_first", "only_second", NULL };
    static const char *const KEYS[] = { "max_length", "stride", "strategy", "direction", NULL };
    const json_t *o = json_object_get(r->object, "truncation");
    int strategy = 0, side = 0;
    if (o == NULL || json_is_null(o))
        return true;
    r->truncation = (inox_truncation)INOX_TRUNCATION_INIT;
    if (!json_is_object(o) || json_object_get(o, "max_length") == NULL)
        return refuse(r, "truncation must be an object with max_length");
    if (!only_keys(r, o, "truncation", KEYS) ||
        !read_size(r, o, "max_length", &r->truncation.max_tokens) ||
        !read_size(r, o, "stride", &r->truncation.stride) ||
        !read_name(r, o, "strategy", STRATEGIES, &strategy) ||
        !read_name(r, o, "direction", SIDES, &side))
        return false;
    r->truncation.strategy = (inox_truncate)strategy;
    r->truncation.left = side == 1;
    r->options.truncation = &r->truncation;
    return true;
}

static bool read_padding(request *r)
{
    static const char *const KEYS[] = { "length",    "pad_to_multiple_of", "pad_id", "pad_type_id",
                                        "pad_token", "direction",          NULL };
    const json_t *o = json_object_get(r->object, "padding");
    size_t id = 0, type = 0;
    int side = 0;
    if (o == NULL || json_is_null(o))
        return true;
    r->padding = (inox_padding)INOX_PADDING_INIT;
    if (!json_is_object(o))
        return refuse(r, "padding must be an object");
    const json_t *length = json_object_get(o, "length");
    r->padding.is_fixed = length != NULL && !json_is_null(length);
    if (!only_keys(r, o, "padding", KEYS) || !read_size(r, o, "length", &r->padding.length) ||
        !read_size(r, o, "pad_to_multiple_of", &r->padding.multiple) ||
        !read_size(r, o, "pad_id", &id) || !read_size(r, o, "pad_type_id", &type) ||
        !read_name(r, o, "direction", SIDES, &side))
        return false;
    r->padding.id = (int32_t)id;
    r->padding.type_id = (uint32_t)type;
    r->padding.left = side == 1;
    r->options.padding = &r->padding;
    return true;
}

static bool read_options(request *r)
{
    bool parse = r->options.parse_special == INOX_PARSE_SPECIAL_YES;
    if (!read_flag(r, "special", &r->options.special) || !read_flag(r, "parse_special", &parse) ||
        !read_flag(r, "as_shipped", &r->options.as_shipped))
        return false;
    if (json_object_get(r->object, "parse_special") != NULL)
        r->options.parse_special = parse ? INOX_PARSE_SPECIAL_YES : INOX_PARSE_SPECIAL_NO;
    return read_truncation(r) && read_padding(r);
}

/* ---- answers */

static int put_error(const common *c, const char *message)
{
    return print_json(c, json_pack("{s:o}", "error", json_text(message, strlen(message))));
}

static void put_bytes(const char *key, const uint8_t *values, size_t count)
{
    printf(",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            putchar(',');
        put_number(values[i]);
    }
    putchar(']');
}

static void put_window(const inox_encoding *e)
{
    fputs("{\"ids\":[", stdout);
    put_numbers(e->ids, e->count);
    fputs("],\"offsets\":[", stdout);
    put_ranges(e->starts, e->ends, e->count);
    putchar(']');
}

/* An object without its closing brace's overflow: type_ids and masks where they say something. */
static void put_masks(const vocabulary *v, const inox_encoding *e)
{
    bool typed = false, padded = false;
    for (size_t i = 0; i < e->count; i++) {
        typed = typed || e->type_ids[i] != 0;
        padded = padded || e->attention_mask[i] != 1;
    }
    for (size_t i = 0; typed && i < e->count; i++) {
        fputs(i == 0 ? ",\"type_ids\":[" : ",", stdout);
        put_number(e->type_ids[i]);
    }
    if (typed)
        putchar(']');
    if (v->has_masks)
        put_bytes("special_mask", e->special_mask, e->count);
    if (padded)
        put_bytes("attention_mask", e->attention_mask, e->count);
}

static void put_encoding(const vocabulary *v, const inox_encodings *e, size_t index)
{
    inox_encoding one = INOX_ENCODING_INIT;
    size_t windows = inox_encodings_windows(e, index);
    if (inox_encodings_get(e, index, 0, &one, NULL) != INOX_OK)
        return; /* never: the index is in range */
    put_window(&one);
    put_masks(v, &one);
    for (size_t w = 1; w < windows; w++) {
        fputs(w == 1 ? ",\"overflow\":[" : ",", stdout);
        if (inox_encodings_get(e, index, w, &one, NULL) != INOX_OK)
            return;
        put_window(&one);
        putchar('}');
    }
    fputs(windows > 1 ? "]}" : "}", stdout);
}

static int encode_request(const vocabulary *v, const tokenize_options *o, request *r)
{
    inox_error err;
    inox_encodings *e;
    r->options = encode_options(o);
    r->options.want = INOX_WANT_OFFSETS | INOX_WANT_TYPES | INOX_WANT_MASKS | INOX_WANT_OVERFLOW;
    if (!read_inputs(r) || !read_options(r))
        return put_error(&o->common, r->error);
    if (inox_tokenizer_encode_all(v->tokenizer, r->inputs, r->count, &r->options, &e, &err) !=
        INOX_OK)
        return put_error(&o->common, err.message);
    fputs(r->is_batch ? "{\"encodings\":[" : "", stdout);
    for (size_t i = 0; i < r->count; i++) {
        if (i > 0)
            putchar(',');
        put_encoding(v, e, i);
    }
    fputs(r->is_batch ? "]}\n" : "\n", stdout);
    inox_encodings_free(e);
    return 0;
}

static int decode_request(const vocabulary *v, const tokenize_options *o, request *r)
{
    inox_error err;
    bool special = o->special;
    const json_t *ids = json_object_get(r->object, "ids");
    size_t n = json_array_size(ids), bytes;
    char *text;
    static const char *const INPUTS[] = { "text", "bytes_hex", "parts", "words", "batch" };
    for (size_t i = 0; i < sizeof INPUTS / sizeof *INPUTS; i++)
        if (json_object_get(r->object, INPUTS[i]) != NULL)
            return put_error(&o->common, "ids are decoded, and the others encoded: one of them");
    if (!json_is_array(ids))
        return put_error(&o->common, "ids must be an array of token ids");
    if (!read_flag(r, "special", &special))
        return put_error(&o->common, r->error);
    int32_t *list = take(r, n * sizeof *list);
    if (list == NULL)
        return put_error(&o->common, r->error);
    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_array_get(ids, i);
        json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
        list[i] = value >= 0 && value <= INT32_MAX ? (int32_t)value : -1;
    }
    if (inox_tokenizer_decode(v->tokenizer, list, n, special, &text, &bytes, &err) != INOX_OK)
        return put_error(&o->common, err.message);
    int code = print_json(&o->common, json_pack("{s:o}", "text", json_text(text, bytes)));
    inox_string_free(text);
    return code;
}

static int answer(const vocabulary *v, const tokenize_options *o, const char *line, size_t n)
{
    json_error_t e;
    request r = { 0 };
    int code;
    r.object = json_loadb(line, n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &e);
    if (r.object == NULL) {
        refuse(&r, "not JSON: %s at byte %d", e.text, e.position);
        code = put_error(&o->common, r.error);
    } else if (json_object_get(r.object, "ids") != NULL) {
        code = decode_request(v, o, &r);
    } else {
        code = encode_request(v, o, &r);
    }
    release(&r);
    return code;
}

int answer_lines(const vocabulary *v, const tokenize_options *o)
{
    char *line = NULL;
    size_t size, room = 0;
    int code = 0;
    while (code == 0 && !interrupted()) {
        code = read_line(&o->common, &line, &size, &room);
        if (code == 0)
            code = answer(v, o, line == NULL ? "" : line, size);
        fflush(stdout); /* the other side may wait for it */
    }
    free(line);
    return interrupted() ? EXIT_INTERRUPTED : code == -1 ? EXIT_FINE : code;
}
