/* Runs single normalizers, pre-tokenizers and decoders of tokenizer.json over texts, for
 * test_components.py.  A line of standard input is a JSON object:
 *
 *     {"normalizer": {...}}, {"pre_tokenizer": {...}} or {"decoder": {...}}    what follows runs it
 *     {"text": "..."} or {"tokens": ["...", ...]}                             answered by a line
 *
 * Answers: {"chars": [["c", start, end], ...]} of a normalizer, {"pieces": [["p", start,
 * end], ...]} of a pre-tokenizer (bytes of the text, whole characters), {"out": "..."} of a
 * decoder, or {"error": "..."}.  An "answer" of a line that sets a component is {} or an error.
 */
#include "base/alloc.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/split.h"
#include "text/unicode.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct runner {
    ix_normalizer *normalizer;
    ix_splitter *splitter;
    ix_decode_stages *decoder;
    inox_error err;
} runner;

static void release(runner *r)
{
    ix_normalizer_free(r->normalizer);
    ix_splitter_free(r->splitter);
    ix_decode_stages_free(r->decoder);
    *r = (runner){ 0 };
}

static json_t *entry(const ix_mapped_text *t, ix_map_cursor *c, size_t start, size_t end,
                     const char *source, size_t size)
{
    uint32_t from, to;
    ix_mapped_range(t, c, start, end, &from, &to);
    ix_whole_characters(source, size, &from, &to);
    return json_pack("[s%,i,i]", t->data + start, end - start, (int)from, (int)to);
}

static inox_status run_normalizer(runner *r, const char *source, size_t size, json_t *answer)
{
    ix_mapped_text t = { .data = source, .size = size };
    ix_map_cursor c = { 0 };
    json_t *chars = json_array();
    inox_status status = ix_normalize(r->normalizer, &t, &r->err);
    for (size_t at = 0, n; status == INOX_OK && at < t.size; at += n) {
        uint32_t code;
        n = ix_utf8_read(t.data + at, t.size - at, &code);
        json_array_append_new(chars, entry(&t, &c, at, at + n, source, size));
    }
    ix_mapped_release(&t);
    json_object_set_new(answer, "chars", chars);
    return status;
}

static inox_status run_splitter(runner *r, const char *source, size_t size, json_t *answer)
{
    ix_mapped_text t = { .data = source, .size = size };
    ix_split s = { 0 };
    ix_map_cursor c = { 0 };
    json_t *pieces = json_array();
    inox_status status = ix_split_begin(&s, &t, &r->err);
    if (status == INOX_OK)
        status = ix_splitter_run(r->splitter, &s, false, &r->err);
    for (size_t i = 0; status == INOX_OK && i < s.count; i++)
        json_array_append_new(pieces,
                              entry(&s.text, &c, s.pieces[i].start, s.pieces[i].end, source, size));
    ix_split_release(&s);
    json_object_set_new(answer, "pieces", pieces);
    return status;
}

/* All at once has to be what comes out token by token. */
static inox_status run_decoder(runner *r, const json_t *tokens, json_t *answer)
{
    ix_buffer out = { 0 }, streamed = { 0 };
    ix_decode_stream *stream = NULL;
    ix_text_view *views = NULL;
    size_t count = json_array_size(tokens);
    inox_status status = IX_ALLOC(&views, count + 1, &r->err);
    if (status == INOX_OK)
        status = ix_decode_stream_new(r->decoder, &stream, &r->err);
    for (size_t i = 0; status == INOX_OK && i < count; i++) {
        const json_t *token = json_array_get(tokens, i);
        views[i] = (ix_text_view){ json_string_value(token), json_string_length(token) };
        status = ix_decode_stream_push(stream, views[i], &streamed, &r->err);
    }
    if (status == INOX_OK)
        status = ix_decode_stream_flush(stream, &streamed, &r->err);
    if (status == INOX_OK)
        status = ix_decode_tokens(r->decoder, views, count, &out, &r->err);
    if (status == INOX_OK && (out.size != streamed.size ||
                              (out.size > 0 && memcmp(out.data, streamed.data, out.size) != 0)))
        status = ix_fail(&r->err, INOX_E_INTERNAL, "streamed and whole text differ");
    if (status == INOX_OK)
        json_object_set_new(answer, "out", json_stringn(out.data ? out.data : "", out.size));
    ix_decode_stream_free(stream);
    ix_buffer_release(&out);
    ix_buffer_release(&streamed);
    ix_free(views);
    return status;
}

static inox_status set(runner *r, const json_t *line)
{
    release(r);
    if (json_object_get(line, "normalizer"))
        return ix_normalizer_from_json(json_object_get(line, "normalizer"), &r->normalizer,
                                       &r->err);
    if (json_object_get(line, "pre_tokenizer"))
        return ix_splitter_from_json(json_object_get(line, "pre_tokenizer"), &r->splitter, &r->err);
    return ix_decode_stages_from_json(json_object_get(line, "decoder"), &r->decoder, &r->err);
}

static inox_status answer_line(runner *r, const json_t *line, json_t *answer)
{
    const json_t *text = json_object_get(line, "text"), *tokens = json_object_get(line, "tokens");
    if (tokens)
        return run_decoder(r, tokens, answer);
    if (!text)
        return set(r, line);
    if (r->splitter)
        return run_splitter(r, json_string_value(text), json_string_length(text), answer);
    return run_normalizer(r, json_string_value(text), json_string_length(text), answer);
}

int main(void)
{
    runner r = { 0 };
    json_error_t json_error;
    json_t *line;
    while ((line = json_loadf(stdin, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &json_error))) {
        json_t *answer = json_object();
        if (answer_line(&r, line, answer) != INOX_OK) {
            json_object_clear(answer);
            json_object_set_new(answer, "error", json_string(r.err.message));
        }
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(answer);
        json_decref(line);
    }
    release(&r);
    return feof(stdin) ? 0 : 1;
}
