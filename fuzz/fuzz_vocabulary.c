/* Fuzz target: a tokenizer's file of any format, then a text encoded and decoded with it.
 *
 *     flags, length of the text (2 bytes), text | file
 *
 * Whatever the file says: it is opened or refused, offsets stay in the text and in order, streaming
 * gives what decoding the whole gives, and what comes out is UTF-8. */
#include "text/file/formats.h"
#include "text/unicode.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text_of_all[] = "The quick\xC3\xA9 <s>x</s> [CLS]\t\xE5\x90\xBE\xF0\x9F\x99\x82  "
                                  "\xFF\xE2\x96\x81 12,3 e\xCC\x81.";

static void check_decoding(const ix_tokenizer *t, const int32_t *ids, size_t count, unsigned flags)
{
    ix_buffer whole = { 0 }, stream = { 0 };
    ix_decoder d;
    ix_decoder_init(&d, t, flags);
    inox_status status = ix_tokenizer_decode(t, ids, count, flags, &whole, NULL);
    inox_status streamed = INOX_OK;
    for (size_t i = 0; i < count && streamed == INOX_OK; i++)
        streamed = ix_decoder_push(&d, ids[i], &stream, NULL);
    if (streamed == INOX_OK)
        streamed = ix_decoder_flush(&d, &stream, NULL);
    ix_decoder_clear(&d);
    if (status != streamed)
        __builtin_trap();
    if (status == INOX_OK && (whole.size != stream.size ||
                              (whole.size > 0 && memcmp(whole.data, stream.data, whole.size) != 0)))
        __builtin_trap();
    for (size_t at = 0; at < whole.size && !(flags & IX_DECODE_RAW);) {
        bool is_whole, bad;
        at += ix_utf8_prefix(whole.data + at, whole.size - at, &is_whole, &bad);
        if (!is_whole || bad)
            __builtin_trap();
    }
    ix_buffer_release(&whole);
    ix_buffer_release(&stream);
}

static void use(const ix_tokenizer *t, const char *text, size_t size, unsigned flags)
{
    inox_tokens tokens;
    int32_t ids[40];
    size_t count = ix_tokenizer_count(t);
    if (ix_tokenizer_encode(t, text, size, flags & 3, &tokens, NULL) == INOX_OK) {
        for (size_t i = 0; i < tokens.count; i++)
            if (tokens.starts[i] > tokens.ends[i] || tokens.ends[i] > size || tokens.ids[i] < 0 ||
                (size_t)tokens.ids[i] >= count)
                __builtin_trap();
        check_decoding(t, tokens.ids, tokens.count, flags >> 2 & 7);
        ix_tokens_release(&tokens);
    }
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        ids[i] = (int32_t)(i * 7 % count);
    check_decoding(t, ids, sizeof ids / sizeof *ids, flags >> 2 & 7);
    (void)ix_tokenizer_piece(t, (int32_t)count - 1);
    (void)ix_tokenizer_find(t, text, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ix_tokenizer *t = NULL;
    ix_open_options options = { .pattern = { "\\w+|\\s+|\\d", 10 } };
    if (size < 3)
        return 0;
    unsigned flags = data[0];
    size_t text = data[1] | (size_t)data[2] << 8;
    if (text > size - 3)
        text = size - 3;
    const char *file = (const char *)data + 3 + text;
    size_t bytes = size - 3 - text;
    bool tiktoken = ix_tokenizer_detect(file, bytes) == IX_FORMAT_TIKTOKEN;
    if (ix_tokenizer_read(file, bytes, tiktoken ? &options : NULL, &t, NULL) != INOX_OK)
        return 0;
    use(t, (const char *)data + 3, text, flags);
    use(t, text_of_all, sizeof text_of_all - 1, flags);
    ix_tokenizer_free(t);
    return 0;
}
