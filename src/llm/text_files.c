/* The functions of inox_text.h that open files: what text/ reads by itself, and GGUF, which its
 * front end hands over as arrays.  Part of the small library too, so nothing here knows models.
 */
#include "base/limits.h"
#include "front/gguf/gguf.h"
#include "llm/vocab.h"
#include "text/file/open.h"
#include "text/public.h"

#include <stdio.h>
#include <string.h>

static void close_gguf(void *file)
{
    ix_gguf_close(file);
}

/* *out = the tokenizer of a file that is open; takes it, also on failure. */
static inox_status take_gguf(ix_gguf *file, inox_tokenizer **out, inox_error *err)
{
    ix_tokenizer *t = NULL;
    inox_status status = ix_tokenizer_from_gguf(file, true, &t, err);
    if (status != INOX_OK) {
        ix_gguf_close(file);
        return status;
    }
    return ix_public_tokenizer(t, t, "gguf", file, close_gguf, out, err);
}

static inox_status read_options(const inox_tokenizer_options *in, bool gguf, ix_open_options *out,
                                inox_error *err)
{
    static const inox_tokenizer_options USUAL = INOX_TOKENIZER_OPTIONS_INIT;
    *out = (ix_open_options){ 0 };
    in = in == NULL ? &USUAL : in;
    if (in->size != sizeof *in)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_tokenizer_options.size is %zu: use INOX_TOKENIZER_OPTIONS_INIT",
                       in->size);
    if (gguf && (in->pattern != NULL || in->special_tokens != NULL))
        return ix_fail(err, INOX_E_ARGUMENT,
                       "a GGUF file has its own pattern and special tokens: they are for tiktoken "
                       "files");
    if (in->pattern != NULL)
        out->pattern = (ix_text_view){ in->pattern, strlen(in->pattern) };
    if (in->special_tokens != NULL)
        out->special_tokens = (ix_text_view){ in->special_tokens, strlen(in->special_tokens) };
    return INOX_OK;
}

inox_status inox_tokenizer_open(const char *path, const inox_tokenizer_options *options,
                                inox_tokenizer **out, inox_error *err)
{
    ix_open_options o;
    ix_tokenizer_format format;
    ix_tokenizer *t = NULL;
    char *file = NULL;
    if (path == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_tokenizer_open: a pointer is NULL");
    *out = NULL;
    IX_TRY(ix_tokenizer_detect_path(path, &format, &file, err));
    inox_status status = read_options(options, format == IX_FORMAT_GGUF, &o, err);
    if (status == INOX_OK && format == IX_FORMAT_GGUF) {
        ix_gguf *g;
        status = ix_gguf_open(file == NULL ? path : file, &g, err);
        if (status == INOX_OK) {
            status = take_gguf(g, out, err);
            if (status != INOX_OK)
                status = ix_prefix(err, status, "%s", path);
        }
    } else if (status == INOX_OK) {
        status = ix_tokenizer_open(path, &o, &t, err);
        if (status == INOX_OK)
            status =
                ix_public_tokenizer(t, t, ix_tokenizer_format_name(format), NULL, NULL, out, err);
    }
    ix_free(file);
    return status;
}

/* A GGUF file from memory needs bytes that stay, and stay aligned. */
typedef struct gguf_copy {
    ix_gguf *file;
    void *bytes;
} gguf_copy;

static void drop_copy(void *keep)
{
    gguf_copy *copy = keep;
    ix_gguf_close(copy->file);
    ix_free(copy->bytes);
    ix_free(copy);
}

static inox_status read_gguf(const void *bytes, size_t count, inox_tokenizer **out, inox_error *err)
{
    gguf_copy *copy;
    ix_tokenizer *t = NULL;
    IX_TRY(IX_ALLOC(&copy, 1, err));
    inox_status status = ix_alloc(count, 1, &copy->bytes, err);
    if (status == INOX_OK) {
        memcpy(copy->bytes, bytes, count);
        status = ix_gguf_open_memory(copy->bytes, count, &copy->file, err);
    }
    if (status == INOX_OK)
        status = ix_tokenizer_from_gguf(copy->file, true, &t, err);
    if (status != INOX_OK) {
        drop_copy(copy);
        return status;
    }
    return ix_public_tokenizer(t, t, "gguf", copy, drop_copy, out, err);
}

inox_status inox_tokenizer_read(const void *bytes, size_t count,
                                const inox_tokenizer_options *options, inox_tokenizer **out,
                                inox_error *err)
{
    ix_open_options o;
    ix_tokenizer *t = NULL;
    if (bytes == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_tokenizer_read: a pointer is NULL");
    *out = NULL;
    ix_tokenizer_format format = ix_tokenizer_detect(bytes, count);
    IX_TRY(read_options(options, format == IX_FORMAT_GGUF, &o, err));
    if (format == IX_FORMAT_GGUF)
        return read_gguf(bytes, count, out, err);
    IX_TRY(ix_tokenizer_read(bytes, count, &o, &t, err));
    return ix_public_tokenizer(t, t, ix_tokenizer_format_name(format), NULL, NULL, out, err);
}

/* ---- chat templates */

inox_status ix_template_from_gguf(const ix_gguf *file, const char *name, inox_template **out,
                                  inox_error *err)
{
    char key[IX_MAX_TENSOR_NAME];
    ix_gguf_string source;
    bool usual = name == NULL || strcmp(name, "default") == 0;
    int n = snprintf(key, sizeof key, "tokenizer.chat_template%s%s", usual ? "" : ".",
                     usual ? "" : name);
    if (n < 0 || (size_t)n >= sizeof key || !ix_gguf_has(file, key))
        return ix_fail(err, INOX_E_NOT_FOUND, "the file has no chat template%s%s%s (key %s)",
                       usual ? "" : " named '", usual ? "" : name, usual ? "" : "'", key);
    IX_TRY(ix_gguf_get_string(file, key, &source, err));
    return inox_template_new(source.data, source.size, out, err);
}

static inox_status open_template_file(const char *path, const char *name, inox_template **out,
                                      inox_error *err)
{
    ix_map map;
    inox_status status;
    IX_TRY(ix_map_open(path, &map, err));
    if (map.size >= 4 && memcmp(map.data, "GGUF", 4) == 0) {
        ix_gguf *file;
        ix_map_close(&map);
        IX_TRY(ix_gguf_open(path, &file, err)); /* names the path in its errors */
        status = ix_template_from_gguf(file, name, out, err);
        ix_gguf_close(file);
    } else {
        status = map.size > IX_MAX_JSON_BYTES
                     ? ix_fail(err, INOX_E_LIMIT, "a template has at most %llu bytes",
                               (unsigned long long)IX_MAX_JSON_BYTES)
                     : ix_public_template((const char *)map.data, (size_t)map.size, name, out, err);
        ix_map_close(&map);
    }
    return status == INOX_OK ? INOX_OK : ix_prefix(err, status, "%s", path);
}

inox_status inox_template_open(const char *path, const char *name, inox_template **out,
                               inox_error *err)
{
    if (path == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_template_open: a pointer is NULL");
    *out = NULL;
    if (ix_path_is_directory(path))
        return ix_public_template_directory(path, name, out, err);
    return open_template_file(path, name, out, err);
}
