/* inox tokenize: text to tokens and back, for people and, line by line, for programs. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct tokenize_options {
    common common;
    const char *file, *decode;
    bool jsonl, special, parse_special, offsets, count;
} tokenize_options;

static json_t *error_object(const char *message)
{
    return json_pack("{s:o}", "error", json_text(message, strlen(message)));
}

static json_t *tokens_object(const inox_tokens *t)
{
    json_t *ids = json_array(), *offsets = json_array();
    for (size_t i = 0; i < t->count; i++) {
        json_array_append_new(ids, json_integer(t->ids[i]));
        json_array_append_new(offsets, json_pack("[i, i]", (int)t->starts[i], (int)t->ends[i]));
    }
    return json_pack("{s:o, s:o}", "ids", ids, "offsets", offsets);
}

static json_t *encode(const inox_model *m, const char *text, size_t bytes, bool special,
                      bool parse_special)
{
    inox_error err;
    inox_tokens t;
    unsigned flags =
        (special ? INOX_TOKENIZE_SPECIAL : 0u) | (parse_special ? INOX_TOKENIZE_PARSE_SPECIAL : 0u);
    if (inox_tokenize(m, text, bytes, flags, &t, &err) != INOX_OK)
        return error_object(err.message);
    json_t *o = tokens_object(&t);
    inox_tokens_release(&t);
    return o;
}

static json_t *decode(const inox_model *m, const json_t *ids, bool special)
{
    inox_error err;
    char *text;
    size_t bytes, n = json_array_size(ids);
    int32_t *list = malloc((n + 1) * sizeof *list);
    if (list == NULL)
        return error_object("no memory");
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(ids, i);
        json_int_t id = json_is_integer(v) ? json_integer_value(v) : -1;
        list[i] = id >= 0 && id <= INT32_MAX ? (int32_t)id : -1;
    }
    inox_status status = inox_detokenize(m, list, n, special, &text, &bytes, &err);
    free(list);
    if (status != INOX_OK)
        return error_object(err.message);
    json_t *o = json_pack("{s:o}", "text", json_text(text, bytes));
    inox_string_free(text);
    return o;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static json_t *encode_hex(const inox_model *m, const char *hex, size_t n, bool special,
                          bool parse_special)
{
    char *bytes = malloc(n / 2 + 1);
    if (bytes == NULL)
        return error_object("no memory");
    bool good = n % 2 == 0;
    for (size_t i = 0; good && i < n / 2; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        good = high >= 0 && low >= 0;
        bytes[i] = (char)(high * 16 + low);
    }
    json_t *o = good ? encode(m, bytes, n / 2, special, parse_special)
                     : error_object("bytes_hex is not pairs of hexadecimal digits");
    free(bytes);
    return o;
}

/* A member that must be true, false or missing; *bad is set where it is something else. */
static bool flag_of(const json_t *request, const char *key, bool fallback, bool *bad)
{
    const json_t *v = json_object_get(request, key);
    if (v != NULL && !json_is_boolean(v))
        *bad = true;
    return v == NULL ? fallback : json_is_true(v);
}

static json_t *answer(const inox_model *m, const tokenize_options *o, const char *line, size_t n)
{
    json_error_t e;
    char message[sizeof e.text + 64];
    json_t *request = json_loadb(line, n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &e), *result;
    if (request == NULL) {
        snprintf(message, sizeof message, "not JSON: %s at byte %d", e.text, e.position);
        return error_object(message);
    }
    const json_t *text = json_object_get(request, "text"),
                 *hex = json_object_get(request, "bytes_hex");
    const json_t *ids = json_object_get(request, "ids");
    bool bad = false, special = flag_of(request, "special", o->special, &bad);
    bool parse_special = flag_of(request, "parse_special", o->parse_special, &bad);
    if (bad)
        result = error_object("special and parse_special must be true or false");
    else if ((text != NULL) + (hex != NULL) + (ids != NULL) != 1)
        result = error_object("the line must be an object with one of text, bytes_hex and ids");
    else if (json_is_string(text))
        result =
            encode(m, json_string_value(text), json_string_length(text), special, parse_special);
    else if (json_is_string(hex))
        result =
            encode_hex(m, json_string_value(hex), json_string_length(hex), special, parse_special);
    else if (json_is_array(ids))
        result = decode(m, ids, special);
    else
        result = error_object("text and bytes_hex must be strings, ids an array");
    json_decref(request);
    return result;
}

/* One line without its newline.  0: there is one; -1: the end of the input; else an exit code,
 * which was told. */
static int read_line(const common *c, char **line, size_t *size, size_t *room)
{
    int byte = getc(stdin);
    bool nothing = byte == EOF;
    *size = 0;
    for (; byte != EOF && byte != '\n'; byte = getc(stdin)) {
        if (*size + 1 >= *room) {
            size_t more = *room == 0 ? 4096 : *room * 2;
            char *bigger = realloc(*line, more);
            if (bigger == NULL)
                return fail_text(c, EXIT_MEMORY, "no memory for a line of %zu bytes", more);
            *line = bigger;
            *room = more;
        }
        (*line)[(*size)++] = (char)byte;
    }
    if (ferror(stdin)) /* also in the middle of a line, which is none then */
        return errno == EINTR ? EXIT_INTERRUPTED : fail_file(c, "standard input");
    return nothing ? -1 : 0;
}

static int answer_lines(const inox_model *m, const tokenize_options *o)
{
    char *line = NULL;
    size_t size, room = 0;
    int code = 0;
    while (code == 0 && !interrupted()) {
        code = read_line(&o->common, &line, &size, &room);
        if (code == 0)
            code = print_json(&o->common, answer(m, o, line == NULL ? "" : line, size));
        fflush(stdout); /* the other side may wait for it */
    }
    free(line);
    return interrupted() ? EXIT_INTERRUPTED : code == -1 ? EXIT_FINE : code;
}

/* "12 345" or "[12, 345]" */
static int decode_list(const inox_model *m, const tokenize_options *o)
{
    json_t *ids = json_array(), *object;
    for (const char *p = o->decode; *p != '\0';) {
        char *end;
        long id = strtol(p, &end, 10);
        if (end != p)
            json_array_append_new(ids, json_integer(id));
        p = end != p ? end : p + 1;
    }
    object = decode(m, ids, o->special);
    json_decref(ids);
    const json_t *text = json_object_get(object, "text");
    if (text == NULL) {
        int code = fail_text(&o->common, EXIT_USAGE, "%s",
                             json_string_value(json_object_get(object, "error")));
        json_decref(object);
        return code;
    }
    if (o->common.json)
        return print_json(&o->common, object);
    fwrite(json_string_value(text), 1, json_string_length(text), stdout);
    printf("\n");
    json_decref(object);
    return 0;
}

/* A piece as one word for people: spaces and control characters are spelt out. */
static void print_piece(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char b = (unsigned char)text[i];
        if (b == '\n')
            printf("\\n");
        else if (b == '\t')
            printf("\\t");
        else if (b < 0x20 || b == 0x7f)
            printf("\\x%02x", b);
        else
            putchar(b);
    }
}

static void print_pieces(const char *text, const inox_tokens *t, bool offsets)
{
    static const char *const COLOURS[] = { "\033[30;46m", "\033[30;43m", "\033[30;42m",
                                           "\033[30;45m" };
    bool colour = is_terminal(stdout);
    for (size_t i = 0; i < t->count; i++) {
        if (offsets) {
            printf("%7d  %u..%u  ", t->ids[i], t->starts[i], t->ends[i]);
            print_piece(text + t->starts[i], t->ends[i] - t->starts[i]);
            printf("\n");
        } else if (colour) {
            printf("%s", COLOURS[i % 4]);
            print_piece(text + t->starts[i], t->ends[i] - t->starts[i]);
            printf("\033[0m");
        }
    }
    if (!offsets && colour)
        printf("\n");
    for (size_t i = 0; !offsets && i < t->count; i++)
        printf("%s%d", i == 0 ? "" : " ", t->ids[i]);
    if (!offsets)
        printf("\n");
}

static int encode_text(const inox_model *m, const tokenize_options *o, const char *text,
                       size_t bytes)
{
    inox_error err;
    inox_tokens t;
    unsigned flags = (o->special ? INOX_TOKENIZE_SPECIAL : 0u) |
                     (o->parse_special ? INOX_TOKENIZE_PARSE_SPECIAL : 0u);
    if (inox_tokenize(m, text, bytes, flags, &t, &err) != INOX_OK)
        return fail(&o->common, &err);
    int code = 0;
    if (o->count && o->common.json)
        code = print_json(&o->common, json_pack("{s:I, s:I}", "tokens", (json_int_t)t.count,
                                                "bytes", (json_int_t)bytes));
    else if (o->count)
        printf("%zu\n", t.count);
    else if (o->common.json)
        code = print_json(&o->common, tokens_object(&t));
    else
        print_pieces(text, &t, o->offsets);
    inox_tokens_release(&t);
    return code;
}

int cmd_tokenize(const command *c, int argc, char **argv)
{
    tokenize_options o = { 0 };
    const option options[] = {
        { "file", 'f', OPTION_TEXT, &o.file, "FILE", "the text is in a file ('-': standard input)",
          NULL },
        { "decode", 'd', OPTION_TEXT, &o.decode, "IDS", "ids to text: \"12 345\"", NULL },
        { "jsonl", 0, OPTION_FLAG, &o.jsonl, NULL,
          "answer lines of JSON on standard input, one for one", NULL },
        { "special", 0, OPTION_FLAG, &o.special, NULL,
          "add the model's special tokens; keep their texts in decoding", NULL },
        { "parse-special", 0, OPTION_FLAG, &o.parse_special, NULL,
          "special tokens may be spelt in the text", NULL },
        { "offsets", 0, OPTION_FLAG, &o.offsets, NULL, "one token per line, with its bytes", NULL },
        { "count", 0, OPTION_FLAG, &o.count, NULL, "only how many tokens", NULL },
        COMMON_OPTIONS(o.common),
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    static const char NOTES[] = "With --jsonl a line is {\"text\": \"...\"} or {\"bytes_hex\": "
                                "\"...\"} with \"special\" and \"parse_special\" (false),\n"
                                "answered by {\"ids\": [...], \"offsets\": [[start, end], ...]}, "
                                "or {\"ids\": [...], \"special\": true|false},\n"
                                "answered by {\"text\": \"...\"}; what fails is answered by "
                                "{\"error\": \"...\"}. MODEL 'default' is the embedded one.";
    inox_error err = { 0 };
    inox_model *model;
    char *text = NULL;
    size_t bytes = 0;
    int n = parse_options(c, options, NOTES, argc, argv);
    if (n < 0)
        return parse_exit(n);
    if (n < 1 || n > 2 || (n == 2 && (o.jsonl || o.decode != NULL || o.file != NULL)))
        return usage_error(c, "a MODEL is needed, and one of TEXT, --file, --decode and --jsonl"),
               EXIT_USAGE;
    if (open_model(&o.common, argv[0], true, 0, &model, &err) != INOX_OK)
        return fail(&o.common, &err);
    int code = 0;
    if (o.jsonl) {
        code = answer_lines(model, &o);
    } else if (o.decode != NULL) {
        code = decode_list(model, &o);
    } else if (n == 2) {
        code = encode_text(model, &o, argv[1], strlen(argv[1]));
    } else {
        code = read_file(&o.common, o.file != NULL ? o.file : "-", &text, &bytes);
        if (code == 0)
            code = encode_text(model, &o, text, bytes);
    }
    free(text);
    inox_model_close(model);
    return code;
}
