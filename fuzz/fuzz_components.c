/* Fuzz target: a normalizer, a pre-tokenizer or a decoder of tokenizer.json, and a text for it.
 *
 *     kind ('n', 'p', 'd') | JSON of the component | NUL | text; tokens of a decoder end with NUL
 *
 * Whatever they are: ranges stay in the text and never go back, pieces are in order, and decoding
 * token by token gives what decoding all at once gives.
 */
#include "base/alloc.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/split.h"
#include "text/unicode.h"

#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
    if (!condition)
        __builtin_trap();
}

/* data[start..end) comes from somewhere in a source of `size` bytes, not before *last. */
static void check_range(const ix_mapped_text *t, ix_map_cursor *c, size_t start, size_t end,
                        const char *source, size_t size, uint32_t *last)
{
    uint32_t from, to;
    ix_mapped_range(t, c, start, end, &from, &to);
    check(from <= to && to <= size && to >= *last);
    *last = to;
    ix_whole_characters(source, size, &from, &to);
    check(to <= size);
}

static void use_normalizer(const json_t *j, const char *text, size_t size)
{
    ix_normalizer *n;
    ix_mapped_text t = { .data = text, .size = size };
    ix_map_cursor c = { 0 };
    uint32_t last = 0;
    if (ix_normalizer_from_json(j, &n, NULL) != INOX_OK)
        return;
    if (ix_normalize(n, &t, NULL) == INOX_OK) {
        for (size_t at = 0, step; at < t.size; at += step) {
            uint32_t character;
            step = ix_utf8_read(t.data + at, t.size - at, &character);
            check_range(&t, &c, at, at + step, text, size, &last);
        }
    }
    ix_mapped_release(&t);
    ix_normalizer_free(n);
}

static void use_splitter(const json_t *j, const char *text, size_t size)
{
    ix_splitter *p;
    ix_split s = { 0 };
    if (ix_splitter_from_json(j, &p, NULL) != INOX_OK)
        return;
    for (int raw = ix_splitter_writes_bytes(p); raw >= 0; raw--) {
        ix_mapped_text t = { .data = text, .size = size };
        ix_map_cursor c = { 0 };
        uint32_t last = 0;
        size_t end = 0;
        if (ix_split_begin(&s, &t, NULL) != INOX_OK || ix_splitter_run(p, &s, raw, NULL) != INOX_OK)
            continue;
        for (size_t i = 0; i < s.count; i++) {
            check(s.pieces[i].start >= end && s.pieces[i].end > s.pieces[i].start);
            end = s.pieces[i].end;
            check(end <= s.text.size);
            check_range(&s.text, &c, s.pieces[i].start, end, text, size, &last);
        }
    }
    ix_split_release(&s);
    ix_splitter_free(p);
}

static void use_decoder(const json_t *j, const char *text, size_t size)
{
    enum { TOKENS = 256 };
    ix_text_view tokens[TOKENS];
    ix_decode_stages *d;
    ix_decode_stream *stream;
    ix_buffer whole = { 0 }, streamed = { 0 };
    size_t count = 0;
    for (size_t at = 0; at < size && count < TOKENS; count++) {
        const char *end = memchr(text + at, 0, size - at);
        size_t n = end ? (size_t)(end - text) - at : size - at;
        tokens[count] = (ix_text_view){ text + at, n };
        at += n + 1;
    }
    if (ix_decode_stages_from_json(j, &d, NULL) != INOX_OK)
        return;
    if (ix_decode_stream_new(d, &stream, NULL) == INOX_OK) {
        inox_status status = INOX_OK;
        for (size_t i = 0; i < count && status == INOX_OK; i++)
            status = ix_decode_stream_push(stream, tokens[i], &streamed, NULL);
        if (status == INOX_OK)
            status = ix_decode_stream_flush(stream, &streamed, NULL);
        check((ix_decode_tokens(d, tokens, count, &whole, NULL) == INOX_OK) == (status == INOX_OK));
        if (status == INOX_OK)
            check(whole.size == streamed.size &&
                  (whole.size == 0 || memcmp(whole.data, streamed.data, whole.size) == 0));
        ix_decode_stream_free(stream);
    }
    ix_buffer_release(&whole);
    ix_buffer_release(&streamed);
    ix_decode_stages_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *json = (const char *)data + 1, *end = memchr(json, 0, size - 1);
    json_error_t error;
    json_t *j = end ? json_loadb(json, (size_t)(end - json), JSON_ALLOW_NUL, &error) : NULL;
    if (!j)
        return 0;
    const char *text = end + 1;
    size_t left = size - 1 - (size_t)(text - json);
    if (data[0] == 'n')
        use_normalizer(j, text, left);
    else if (data[0] == 'p')
        use_splitter(j, text, left);
    else
        use_decoder(j, text, left);
    json_decref(j);
    return 0;
}
