/* inox tokenize: text to tokens and back, for people; programs: tokenize_lines.c.
 *
 *     FILE --chunks--> encoder --tokens that became certain--> printer
 *
 * Files and pipes of any size go through in chunks, so that memory does not grow with them; only
 * --json and --as-shipped hold the whole.
 */
#include "tokenize.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_BYTES = 1 << 20,
    PROGRESS_BYTES = 8 << 20, /* less is over before anybody waits */
};

inox_encode_options encode_options(const tokenize_options *o)
{
    inox_encode_options e = INOX_ENCODE_OPTIONS_INIT;
    e.special = o->special;
    e.parse_special = o->parse_special      ? INOX_PARSE_SPECIAL_YES
                      : o->no_parse_special ? INOX_PARSE_SPECIAL_NO
                                            : INOX_PARSE_SPECIAL_FORMAT;
    e.as_shipped = o->as_shipped;
    e.threads = (int32_t)o->common.threads;
    return e;
}

/* ---- one text */

/* Hands a chunk to the encoder (NULL: the end of the text) and prints what became certain. */
static int encode_chunk(const tokenize_options *o, inox_encoder *encoder, printer *p,
                        const char *text, size_t bytes)
{
    inox_error err;
    inox_stream_tokens t;
    inox_status status = text == NULL ? inox_encoder_finish(encoder, &t, &err)
                                      : inox_encoder_push(encoder, text, bytes, &t, &err);
    if (status != INOX_OK)
        return fail(&o->common, &err);
    bool good = true;
    if (text != NULL && (p->mode == PRINT_OFFSETS || p->mode == PRINT_PIECES))
        good = hold(p, text, bytes);
    if (!good || !print_tokens(p, &t))
        return fail_text(&o->common, EXIT_MEMORY, "no memory for the tokens of this text");
    p->bytes += bytes;
    return ferror(stdout) ? EXIT_IO : 0; /* main tells what the matter is */
}

/* All windows of a text with the file's own truncation and padding. */
static int encode_as_shipped(const tokenize_options *o, const vocabulary *v, printer *p,
                             const char *text, size_t bytes)
{
    inox_error err;
    inox_input input = { .first.text = { text, bytes } };
    inox_encode_options options = encode_options(o);
    inox_encodings *e;
    int code = 0;
    if (inox_tokenizer_encode_all(v->tokenizer, &input, 1, &options, &e, &err) != INOX_OK)
        return fail(&o->common, &err);
    for (size_t w = 0; code == 0 && w < inox_encodings_windows(e, 0); w++) {
        inox_encoding one = INOX_ENCODING_INIT;
        uint64_t *ranges;
        if (inox_encodings_get(e, 0, w, &one, &err) != INOX_OK) {
            code = fail(&o->common, &err);
            break;
        }
        ranges = malloc((2 * one.count + 1) * sizeof *ranges);
        for (size_t i = 0; ranges != NULL && i < one.count; i++) {
            ranges[i] = one.starts[i];
            ranges[one.count + i] = one.ends[i];
        }
        inox_stream_tokens t = { one.count, one.ids, ranges, ranges + one.count };
        if (w > 0 && p->mode == PRINT_IDS)
            printf("\n");
        if (w > 0 && p->mode == PRINT_IDS)
            p->tokens = 0;
        p->held_base = p->shown = 0;
        p->held_size = 0;
        if (ranges == NULL || !hold(p, text, bytes) || !print_tokens(p, &t))
            code = fail_text(&o->common, EXIT_MEMORY, "no memory for the tokens of this text");
        free(ranges);
    }
    p->bytes = bytes;
    inox_encodings_free(e);
    return code;
}

static int encode_text(const tokenize_options *o, const vocabulary *v, const char *text,
                       size_t bytes, const char *name)
{
    printer p = new_printer(o, v);
    int code = 0;
    if (o->as_shipped) {
        code = encode_as_shipped(o, v, &p, text, bytes);
    } else {
        inox_error err;
        inox_encoder *encoder;
        inox_encode_options options = encode_options(o);
        if (inox_encoder_new(v->tokenizer, &options, &encoder, &err) != INOX_OK)
            return fail(&o->common, &err);
        code = encode_chunk(o, encoder, &p, text, bytes);
        if (code == 0)
            code = encode_chunk(o, encoder, &p, NULL, 0);
        inox_encoder_free(encoder);
    }
    if (code == 0)
        print_end(o, &p, name);
    release_printer(&p);
    return code;
}

/* ---- files */

/* What is to come of a file, or 0 where nobody knows. */
static uint64_t size_of(FILE *f)
{
    long here = ftell(f), end;
    if (here < 0 || fseek(f, 0, SEEK_END) != 0)
        return 0;
    end = ftell(f);
    return fseek(f, here, SEEK_SET) == 0 && end > here ? (uint64_t)(end - here) : 0;
}

static void show_progress(const tokenize_options *o, uint64_t done, uint64_t all)
{
    if (done < PROGRESS_BYTES || o->common.quiet || !is_terminal(stderr) || is_terminal(stdout))
        return;
    if (all > 0)
        draw_progress("encoding", done < all ? (double)done / (double)all : 0.999);
    else
        draw_amount("encoding", done);
}

static int encode_stream(const tokenize_options *o, const vocabulary *v, FILE *f, const char *path,
                         const char *name)
{
    inox_error err;
    inox_encoder *encoder;
    inox_encode_options options = encode_options(o);
    printer p = new_printer(o, v);
    uint64_t all = size_of(f);
    int code = 0;
    char *chunk = malloc(CHUNK_BYTES);
    if (chunk == NULL)
        return fail_text(&o->common, EXIT_MEMORY, "no memory for a chunk of the text");
    if (inox_encoder_new(v->tokenizer, &options, &encoder, &err) != INOX_OK) {
        free(chunk);
        return fail(&o->common, &err);
    }
    size_t n = 1;
    while (code == 0 && n > 0 && !interrupted()) {
        errno = 0;
        n = fread(chunk, 1, CHUNK_BYTES, f);
        if (ferror(f))
            code = interrupted() ? EXIT_INTERRUPTED : fail_file(&o->common, path);
        else
            code = encode_chunk(o, encoder, &p, n > 0 ? chunk : NULL, n);
        show_progress(o, p.bytes, all);
    }
    if (p.bytes >= PROGRESS_BYTES && !o->common.quiet && is_terminal(stderr))
        draw_progress("encoding", 1);
    if (interrupted())
        code = EXIT_INTERRUPTED;
    if (code == 0)
        print_end(o, &p, name);
    inox_encoder_free(encoder);
    release_printer(&p);
    free(chunk);
    return code;
}

/* path: "-" is standard input. */
static int encode_file(const tokenize_options *o, const vocabulary *v, const char *path,
                       const char *name)
{
    bool standard = strcmp(path, "-") == 0;
    if (o->as_shipped) {
        char *text;
        size_t bytes;
        int code = read_file(&o->common, path, &text, &bytes);
        if (code != 0)
            return code;
        code = encode_text(o, v, text, bytes, name);
        free(text);
        return code;
    }
    FILE *f = standard ? stdin : fopen(path, "rb");
    if (f == NULL && errno == ENOENT)
        return fail_text(&o->common, EXIT_NOT_FOUND,
                         "%s: no such file (a text itself is given by --text)", path);
    if (f == NULL)
        return fail_file(&o->common, path);
    int code = encode_stream(o, v, f, standard ? "standard input" : path, name);
    if (!standard)
        fclose(f);
    return code;
}

/* ---- decoding */

/* Reads whole numbers out of anything that has them: "12 345", "[12, 345]". */
typedef struct id_reader {
    const char *at, *end; /* of a text, or */
    FILE *file;
} id_reader;

static int next_byte(id_reader *r)
{
    if (r->file != NULL)
        return getc(r->file);
    return r->at < r->end ? (unsigned char)*r->at++ : EOF;
}

/* *found: there was one more.  False: it is no token id. */
static bool next_id(id_reader *r, int32_t *id, bool *found)
{
    int c = next_byte(r);
    int64_t value = 0;
    while (c != EOF && strchr(" \t\r\n,[]", c) != NULL && c != '\0')
        c = next_byte(r);
    *found = c != EOF;
    if (c == EOF)
        return true;
    bool good = c >= '0' && c <= '9';
    for (; c >= '0' && c <= '9'; c = next_byte(r)) {
        value = 10 * value + (c - '0');
        if (value > INT32_MAX)
            return false;
    }
    *id = (int32_t)value;
    return good && (c == EOF || (c != '\0' && strchr(" \t\r\n,[]", c) != NULL));
}

/* The ids as one JSON object: {"text": "..."}. */
static int decode_object(const tokenize_options *o, const vocabulary *v, id_reader *r,
                         const char *name)
{
    inox_error err;
    int32_t *ids = NULL;
    size_t count = 0, room = 0, bytes;
    int code = 0;
    char *text;
    for (bool found = true; code == 0 && found;) {
        if (count == room) {
            room = room == 0 ? 256 : 2 * room;
            int32_t *more = realloc(ids, room * sizeof *ids);
            if (more == NULL) {
                free(ids);
                return fail_text(&o->common, EXIT_MEMORY, "no memory for the ids");
            }
            ids = more;
        }
        if (!next_id(r, &ids[count], &found))
            code = fail_text(&o->common, EXIT_USAGE, "%s: item %zu is not a token id", name, count);
        count += found;
    }
    if (code == 0 &&
        inox_tokenizer_decode(v->tokenizer, ids, count, o->special, &text, &bytes, &err) != INOX_OK)
        code = fail(&o->common, &err);
    else if (code == 0) {
        code = print_json(&o->common, json_pack("{s:o}", "text", json_text(text, bytes)));
        inox_string_free(text);
    }
    free(ids);
    return code;
}

static int decode_stream(const tokenize_options *o, const vocabulary *v, id_reader *r,
                         const char *name)
{
    inox_error err;
    inox_decoder *decoder;
    inox_text text;
    bool found = true;
    int code = 0;
    if (inox_decoder_new(v->tokenizer, o->special, &decoder, &err) != INOX_OK)
        return fail(&o->common, &err);
    for (uint64_t n = 0; code == 0 && found && !interrupted(); n++) {
        int32_t id;
        if (!next_id(r, &id, &found)) {
            code = fail_text(&o->common, EXIT_USAGE, "%s: item %llu is not a token id", name,
                             (unsigned long long)n);
            break;
        }
        inox_status status = found ? inox_decoder_push(decoder, id, &text, &err)
                                   : inox_decoder_finish(decoder, &text, &err);
        if (status != INOX_OK)
            code = fail(&o->common, &err);
        else
            fwrite(text.data, 1, text.bytes, stdout);
    }
    if (code == 0)
        printf("\n");
    inox_decoder_free(decoder);
    return interrupted() ? EXIT_INTERRUPTED : code;
}

static int decode_from(const tokenize_options *o, const vocabulary *v, id_reader *r,
                       const char *name)
{
    int code = o->common.json ? decode_object(o, v, r, name) : decode_stream(o, v, r, name);
    if (r->file != NULL && ferror(r->file) && !interrupted())
        code = fail_file(&o->common, name);
    return code;
}

static int decode_file(const tokenize_options *o, const vocabulary *v, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    id_reader r = { .file = standard ? stdin : fopen(path, "rb") };
    if (r.file == NULL)
        return fail_file(&o->common, path);
    int code = decode_from(o, v, &r, standard ? "standard input" : path);
    if (!standard)
        fclose(r.file);
    return code;
}

/* ---- the command */

static int open_vocabulary(const tokenize_options *o, const char *name, vocabulary *v)
{
    inox_error err = { 0 };
    inox_tokenizer_info info = INOX_TOKENIZER_INFO_INIT;
    inox_tokenizer_options options = INOX_TOKENIZER_OPTIONS_INIT;
    options.pattern = o->pattern;
    inox_status status;
    if (path_exists(name)) {
        status = inox_tokenizer_open(name, &options, &v->tokenizer, &err);
    } else {
        status = open_model(&o->common, name, true, 0, &v->model, &err);
        if (status == INOX_OK)
            status = inox_tokenizer_from_model(v->model, &v->tokenizer, &err);
    }
    if (status == INOX_OK)
        status = inox_tokenizer_describe(v->tokenizer, &info, &err);
    if (status != INOX_OK)
        return fail(&o->common, &err);
    v->has_masks = strcmp(info.format, "tokenizer.json") == 0;
    if (o->common.verbose)
        fprintf(stderr, "%s: %s, %zu tokens\n", name, info.format, info.count);
    return 0;
}

static void close_vocabulary(vocabulary *v)
{
    inox_tokenizer_free(v->tokenizer);
    inox_model_close(v->model);
}

/* What is to be done with the files: none of them is standard input. */
static int work_on_files(const tokenize_options *o, const vocabulary *v, char **paths, size_t count)
{
    static char standard[] = "-";
    char *only = standard;
    int code = 0;
    if (count == 0) {
        paths = &only;
        count = 1;
    }
    for (size_t i = 0; i < count && code == 0; i++)
        code = o->decode != NULL ? decode_file(o, v, paths[i])
                                 : encode_file(o, v, paths[i], count > 1 ? paths[i] : NULL);
    return code;
}

static int work(const tokenize_options *o, const vocabulary *v, char **paths, size_t count)
{
    if (o->jsonl)
        return answer_lines(v, o);
    if (o->decode != NULL && strcmp(o->decode, "-") != 0) {
        id_reader r = { .at = o->decode, .end = o->decode + strlen(o->decode) };
        return decode_from(o, v, &r, "--decode");
    }
    if (o->text != NULL)
        return encode_text(o, v, o->text, strlen(o->text), NULL);
    if (o->file != NULL) {
        char *path = (char *)(uintptr_t)o->file;
        return work_on_files(o, v, &path, 1);
    }
    return work_on_files(o, v, paths, count);
}

static const char NOTES[] =
    "TOKENIZER is a file or a directory (tokenizer.json, tiktoken, SentencePiece .model, "
    "tekken.json,\n"
    "vocab.txt, GGUF), whose kind is seen from its content, or the name of a model; 'default' is "
    "the\n"
    "embedded one. Without FILE, or where it is '-', the text is standard input.\n\n"
    "With --jsonl a line is an object with one of text, parts ([[unit, count], ...]), bytes_hex, "
    "words\n"
    "and batch (texts, or pairs as arrays), and perhaps pair, special (false), parse_special (true "
    "for\n"
    "tokenizer.json, else false), truncation, padding and as_shipped; it is answered by ids, "
    "offsets in\n"
    "bytes, type_ids (unless all 0), special_mask (tokenizer.json), attention_mask (unless all 1) "
    "and\n"
    "overflow, or by encodings, a list of such objects. {\"ids\": [...], \"special\": true|false} "
    "is\n"
    "answered by {\"text\": \"...\"}. What fails is answered by {\"error\": \"...\"}.";

int cmd_tokenize(const command *c, int argc, char **argv)
{
    tokenize_options o = { 0 };
    const option options[] = {
        { "text", 0, OPTION_TEXT, &o.text, "TEXT", "encode this text", NULL },
        { "file", 'f', OPTION_TEXT, &o.file, "FILE", "the same as FILE", NULL },
        { "decode", 'd', OPTION_TEXT, &o.decode, "IDS",
          "ids to text: \"12 345\" ('-': they are in the FILEs)", NULL },
        { "jsonl", 0, OPTION_FLAG, &o.jsonl, NULL,
          "answer lines of JSON on standard input, one for one", NULL },
        { "special", 0, OPTION_FLAG, &o.special, NULL,
          "add the model's special tokens; keep their texts in decoding", NULL },
        { "parse-special", 0, OPTION_FLAG, &o.parse_special, NULL,
          "special tokens may be spelt in the text (usual for tokenizer.json)", NULL },
        { "no-parse-special", 0, OPTION_FLAG, &o.no_parse_special, NULL,
          "their spellings are plain text (usual for the others)", NULL },
        { "offsets", 0, OPTION_FLAG, &o.offsets, NULL, "one token per line, with its bytes", NULL },
        { "count", 0, OPTION_FLAG, &o.count, NULL, "only how many tokens", NULL },
        { "as-shipped", 0, OPTION_FLAG, &o.as_shipped, NULL,
          "truncate and pad as the file itself says", NULL },
        { "pattern", 0, OPTION_TEXT, &o.pattern, "REGEX",
          "what cuts text into words, for a tiktoken file that nothing else tells it of", NULL },
        COMMON_OPTIONS(o.common),
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    vocabulary v = { 0 };
    int n = parse_options(c, options, NOTES, argc, argv);
    if (n < 0)
        return parse_exit(n);
    int inputs = (o.text != NULL) + (o.file != NULL) + o.jsonl + (n > 1);
    if (o.decode != NULL && strcmp(o.decode, "-") != 0)
        inputs++;
    if (n < 1 || inputs > 1)
        return usage_error(c, "a TOKENIZER is needed, and one of FILE..., --text, --file, --decode "
                              "IDS and --jsonl"),
               EXIT_USAGE;
    if (o.parse_special && o.no_parse_special)
        return usage_error(c, "--parse-special and --no-parse-special exclude each other"),
               EXIT_USAGE;
    if (o.decode != NULL && o.text != NULL)
        return usage_error(c, "--text is encoded, and --decode is for ids"), EXIT_USAGE;
    int code = open_vocabulary(&o, argv[0], &v);
    if (code == 0)
        code = work(&o, &v, argv + 1, (size_t)(n - 1));
    close_vocabulary(&v);
    return code;
}
