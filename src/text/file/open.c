/* Opening a tokenizer from a file or a directory. */
#include "text/file/open.h"

#include "base/limits.h"
#include "base/os.h"
#include "text/file/formats.h"

#include <stdio.h>
#include <string.h>

/* A file and the neighbours that were asked for; bytes are NULL where a file is not there. */
typedef struct opened {
    char *path, *folder; /* folder: with the slash, or empty */
    const char *name;    /* in path */
    char *bytes[4];      /* of the file, then of neighbours */
    ix_text_view views[4];
} opened;

static void release(opened *o)
{
    ix_free(o->path);
    ix_free(o->folder);
    for (int i = 0; i < 4; i++)
        ix_free(o->bytes[i]);
}

static inox_status set_path(opened *o, const char *path, inox_error *err)
{
    IX_TRY(ix_strndup(path, strlen(path), &o->path, err));
    const char *slash = strrchr(o->path, '/');
    o->name = slash ? slash + 1 : o->path;
    return ix_strndup(o->path, (size_t)(o->name - o->path), &o->folder, err);
}

static inox_status join(const char *folder, const char *name, char **out, inox_error *err)
{
    size_t n = strlen(folder), m = strlen(name);
    bool slash = n > 0 && folder[n - 1] != '/';
    IX_TRY(IX_ALLOC(out, n + m + 2, err));
    memcpy(*out, folder, n);
    memcpy(*out + n, "/", 1);
    memcpy(*out + n + (slash ? 1 : 0), name, m + 1);
    return INOX_OK;
}

static inox_status read_into(opened *o, int slot, const char *path, inox_error *err)
{
    size_t size;
    IX_TRY(ix_file_read(path, IX_MAX_JSON_BYTES, &o->bytes[slot], &size, err));
    o->views[slot] = (ix_text_view){ o->bytes[slot], size };
    return INOX_OK;
}

/* A neighbour, if it is there. */
static inox_status read_beside(opened *o, int slot, const char *name, inox_error *err)
{
    char *path = NULL;
    IX_TRY(join(o->folder, name, &path, err));
    inox_status status = ix_path_exists(path) && !ix_path_is_directory(path)
                             ? read_into(o, slot, path, err)
                             : INOX_OK;
    ix_free(path);
    return status;
}

/* ---- directories --------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Which file of a directory is the tokenizer: the first of these names, else one that ends so. */
static int preference(const char *name)
{
    static const char *const names[] = {
        "tokenizer.json",          "tekken.json", "tokenizer.model", "spiece.model",
        "sentencepiece.bpe.model", "vocab.json",  "vocab.txt"
    };
    static const char *const ends[] = { ".tiktoken", ".model" };
    int count = (int)(sizeof names / sizeof *names);
    for (int i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    for (int i = 0; i < (int)(sizeof ends / sizeof *ends); i++)
        if (ends_with(name, ends[i]))
            return count + i;
    return 100;
}

static inox_status choose(const char *folder, char **out, inox_error *err)
{
    char **names;
    size_t count;
    const char *best = NULL;
    *out = NULL;
    IX_TRY(ix_list_directory(folder, &names, &count, err));
    for (size_t i = 0; i < count; i++)
        if (preference(names[i]) < (best ? preference(best) : 100))
            best = names[i];
    inox_status status =
        best ? join(folder, best, out, err)
             : ix_fail(err, INOX_E_NOT_FOUND,
                       "%s: the directory holds no tokenizer (tokenizer.json, tekken.json, "
                       "tokenizer.model, vocab.json, vocab.txt, *.tiktoken)",
                       folder);
    for (size_t i = 0; i < count; i++)
        ix_free(names[i]);
    ix_free(names);
    return status;
}

/* ---- opening ------------------------------------------------------------------------------- */

static inox_status refuse_options(ix_tokenizer_format format, const ix_open_options *o,
                                  inox_error *err)
{
    if (format != IX_FORMAT_TIKTOKEN && o && (o->pattern.data || o->special_tokens.data))
        return ix_fail(err, INOX_E_ARGUMENT,
                       "an expression and special tokens are for tiktoken files; a file of the "
                       "format %s has its own",
                       ix_tokenizer_format_name(format));
    return INOX_OK;
}

static inox_status make(const opened *o, ix_tokenizer_format format, const ix_open_options *options,
                        ix_tokenizer **out, inox_error *err)
{
    const ix_text_view *v = o->views;
    ix_json_files json = { .tokenizer = v[0], .config = v[1], .special_map = v[2] };
    IX_TRY(refuse_options(format, options, err));
    switch (format) {
    case IX_FORMAT_TOKENIZER_JSON: return ix_tokenizer_from_json(&json, out, err);
    case IX_FORMAT_TEKKEN: return ix_tokenizer_from_tekken(v[0], out, err);
    case IX_FORMAT_SENTENCEPIECE: return ix_tokenizer_from_sentencepiece(v[0], out, err);
    case IX_FORMAT_TIKTOKEN:
        return ix_tokenizer_from_tiktoken(v[0], v[3], o->name, options, out, err);
    case IX_FORMAT_VOCAB_TXT: return ix_tokenizer_from_vocab_txt(v[0], v[1], v[2], out, err);
    case IX_FORMAT_VOCAB_JSON:
        return ix_tokenizer_from_vocab_json(v[0], v[3], v[1], v[2], out, err);
    case IX_FORMAT_GGUF:
        return ix_fail(err, INOX_E_UNSUPPORTED, "this is a GGUF file: open it as a model");
    case IX_FORMAT_UNKNOWN: break;
    }
    return ix_fail(err, INOX_E_FORMAT,
                   "this is no tokenizer that is known here (tokenizer.json, SentencePiece, "
                   "tiktoken, tekken.json, vocab.txt, vocab.json with merges.txt, GGUF)");
}

/* What a format wants from the files beside it. */
static inox_status read_neighbours(opened *o, ix_tokenizer_format format, inox_error *err)
{
    if (format == IX_FORMAT_TOKENIZER_JSON || format == IX_FORMAT_VOCAB_TXT ||
        format == IX_FORMAT_VOCAB_JSON) {
        IX_TRY(read_beside(o, 1, "tokenizer_config.json", err));
        IX_TRY(read_beside(o, 2, "special_tokens_map.json", err));
    }
    if (format == IX_FORMAT_VOCAB_JSON)
        return read_beside(o, 3, "merges.txt", err);
    if (format == IX_FORMAT_TIKTOKEN)
        return read_beside(o, 3, "tiktoken.json", err);
    return INOX_OK;
}

/* Fills o->path; a GGUF file is not read as a whole, which it may be too large for. */
static inox_status find(opened *o, const char *path, ix_tokenizer_format *format, inox_error *err)
{
    ix_map map;
    if (ix_path_is_directory(path)) {
        char *file;
        IX_TRY(choose(path, &file, err));
        inox_status status = set_path(o, file, err);
        ix_free(file);
        IX_TRY(status);
    } else {
        IX_TRY(set_path(o, path, err));
    }
    IX_TRY(ix_map_open(o->path, &map, err));
    *format = ix_tokenizer_detect((const char *)map.data, (size_t)map.size);
    ix_map_close(&map);
    return INOX_OK;
}

inox_status ix_tokenizer_detect_path(const char *path, ix_tokenizer_format *out, char **file,
                                     inox_error *err)
{
    opened o = { 0 };
    *out = IX_FORMAT_UNKNOWN;
    if (file)
        *file = NULL;
    inox_status status = find(&o, path, out, err);
    if (status == INOX_OK && file) {
        *file = o.path;
        o.path = NULL;
    }
    release(&o);
    return status;
}

inox_status ix_tokenizer_open(const char *path, const ix_open_options *options, ix_tokenizer **out,
                              inox_error *err)
{
    opened o = { 0 };
    ix_tokenizer_format format;
    *out = NULL;
    inox_status status = find(&o, path, &format, err);
    if (status == INOX_OK && format != IX_FORMAT_GGUF && format != IX_FORMAT_UNKNOWN) {
        status = read_into(&o, 0, o.path, err);
        if (status == INOX_OK)
            status = read_neighbours(&o, format, err);
    }
    if (status == INOX_OK) {
        status = make(&o, format, options, out, err);
        if (status != INOX_OK)
            status = ix_prefix(err, status, "%s", o.path);
    }
    release(&o);
    return status;
}

inox_status ix_tokenizer_read(const char *data, size_t size, const ix_open_options *options,
                              ix_tokenizer **out, inox_error *err)
{
    opened o = { .views = { { data, size } } };
    *out = NULL;
    return make(&o, ix_tokenizer_detect(data, size), options, out, err);
}
