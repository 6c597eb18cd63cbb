/* Fuzz target: a tokenizer.json and a text from the bytes, encoded and decoded.
 *
 *     options | tokenizer.json ... | 0 | text ...
 *
 * Whatever the file says: offsets stay in the text, tokens have the same ids whether few or all
 * arrays are asked for and whether the text comes at once or in chunks, and decoding token by token
 * gives what decoding the whole gives. */
#include "text/tokenizer.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_decoding(const ix_tokenizer *t, const ix_encoding *e, unsigned flags)
{
    ix_buffer whole = { 0 }, stream = { 0 };
    ix_decoder d;
    ix_decoder_init(&d, t, flags);
    bool fails = ix_tokenizer_decode(t, e->ids, e->count, flags, &whole, NULL) != INOX_OK;
    bool stream_fails = false;
    for (size_t i = 0; i < e->count && !stream_fails; i++)
        stream_fails = ix_decoder_push(&d, e->ids[i], &stream, NULL) != INOX_OK;
    stream_fails = stream_fails || ix_decoder_flush(&d, &stream, NULL) != INOX_OK;
    if (fails != stream_fails)
        __builtin_trap();
    if (!fails && (whole.size != stream.size ||
                   (whole.size > 0 && memcmp(whole.data, stream.data, whole.size) != 0)))
        __builtin_trap();
    ix_decoder_clear(&d);
    ix_buffer_release(&whole);
    ix_buffer_release(&stream);
}

static void check_offsets(const ix_encoding *e, size_t bytes)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->starts[i] > e->ends[i] || e->ends[i] > bytes || e->ids[i] < 0)
            __builtin_trap();
    for (size_t i = 0; i < e->overflow_count; i++)
        check_offsets(&e->overflow[i], bytes);
}

/* Chunks of a few bytes give the ids of the whole. */
static void check_stream(const ix_tokenizer *t, const ix_encode_options *o, const char *text,
                         size_t bytes, const ix_encoding *whole)
{
    ix_encode_stream *s = NULL;
    ix_encoding part = { 0 };
    size_t seen = 0, step = 1 + bytes / 7;
    bool good = true;
    if (ix_encode_stream_new(t, o, &s, NULL) != INOX_OK)
        return;
    for (size_t at = 0; good && at <= bytes; at += step) {
        size_t n = bytes - at < step ? bytes - at : step;
        good = ix_encode_stream_push(s, text + at, n, &part, NULL) == INOX_OK;
        for (size_t i = 0; i < part.count; i++, seen++)
            if (seen >= whole->count || whole->ids[seen] != part.ids[i])
                __builtin_trap();
    }
    good = good && ix_encode_stream_end(s, &part, NULL) == INOX_OK;
    for (size_t i = 0; i < part.count; i++, seen++)
        if (seen >= whole->count || whole->ids[seen] != part.ids[i])
            __builtin_trap();
    if (good && seen != whole->count)
        __builtin_trap();
    ix_encoding_release(&part);
    ix_encode_stream_free(s);
}

static void check_text(const ix_tokenizer *t, uint8_t flags, const char *text, size_t bytes)
{
    ix_range plain = { bytes / 4, bytes / 2 };
    ix_encode_input in = { .first = { .text = { text, bytes } },
                           .second = { .text = { text, bytes } } };
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    ix_encoding all, few;
    o.special = flags & 1;
    o.parse_special = !(flags & 2);
    o.memory_max = 64 << 20;
    if (ix_encode(t, &in, &o, &all, NULL) == INOX_OK) {
        check_offsets(&all, bytes);
        o.want = 0;
        if (ix_encode(t, &in, &o, &few, NULL) != INOX_OK || few.count != all.count ||
            (few.count > 0 && memcmp(few.ids, all.ids, few.count * sizeof *few.ids) != 0))
            __builtin_trap();
        ix_encoding_release(&few);
        check_decoding(t, &all, flags >> 2 & 1 ? IX_DECODE_SPECIAL : 0);
        check_stream(t, &o, text, bytes, &all);
    }
    ix_encoding_release(&all);
    o.want = IX_WANT_ALL;
    o.truncation = ix_tokenizer_truncation(t);
    o.padding = ix_tokenizer_padding(t);
    in.is_pair = (flags & 8) != 0;
    in.first.plain = &plain;
    in.first.plain_count = 1;
    if (ix_encode(t, &in, &o, &all, NULL) == INOX_OK)
        check_offsets(&all, bytes);
    ix_encoding_release(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ix_tokenizer *t = NULL;
    if (size < 2)
        return 0;
    const char *file = (const char *)data + 1, *end = memchr(file, 0, size - 1);
    size_t bytes = end ? (size_t)(end - file) : size - 1;
    const char *text = end ? end + 1 : "";
    ix_json_files files = { .tokenizer = { file, bytes } };
    if (ix_tokenizer_from_json(&files, &t, NULL) != INOX_OK)
        return 0;
    check_text(t, data[0], text, end ? size - bytes - 2 : 0);
    ix_tokenizer_free(t);
    return 0;
}
