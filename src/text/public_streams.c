/* The functions of inox_text.h about streams: text that comes in chunks, tokens one at a time. */
#include "text/encoding.h"
#include "text/public.h"

/* ---- text to tokens */

struct inox_encoder {
    const ix_tokenizer *tokenizer;
    ix_encode_options options;
    ix_encode_stream *stream; /* NULL: none begun */
    ix_encoding tokens;       /* what the last call gave */
    uint64_t *starts, *ends;  /* of those, since the beginning of the stream */
    size_t room;
};

inox_status inox_encoder_new(const inox_tokenizer *tokenizer, const inox_encode_options *options,
                             inox_encoder **out, inox_error *err)
{
    static const inox_encode_options USUAL = INOX_ENCODE_OPTIONS_INIT;
    inox_encoder *e;
    if (tokenizer == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_encoder_new: a pointer is NULL");
    *out = NULL;
    options = options == NULL ? &USUAL : options;
    if (options->size != sizeof *options)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_encode_options.size is %zu: use INOX_ENCODE_OPTIONS_INIT",
                       options->size);
    if (options->truncation != NULL || options->padding != NULL || options->as_shipped)
        return ix_fail(err, INOX_E_ARGUMENT, "a stream is neither truncated nor padded");
    IX_TRY(IX_ALLOC(&e, 1, err));
    e->tokenizer = tokenizer->tokenizer;
    e->options = (ix_encode_options)IX_ENCODE_OPTIONS_INIT;
    e->options.special = options->special;
    e->options.parse_special = options->parse_special == INOX_PARSE_SPECIAL_FORMAT
                                   ? ix_tokenizer_parses_special(e->tokenizer)
                                   : options->parse_special == INOX_PARSE_SPECIAL_YES;
    e->options.want = IX_WANT_OFFSETS;
    e->options.memory_max = options->memory_max;
    *out = e;
    return INOX_OK;
}

void inox_encoder_free(inox_encoder *encoder)
{
    if (encoder == NULL)
        return;
    ix_encode_stream_free(encoder->stream);
    ix_encoding_release(&encoder->tokens);
    ix_free(encoder->starts);
    ix_free(encoder->ends);
    ix_free(encoder);
}

/* Offsets of a stream do not fit the 32 bits of an encoding. */
static inox_status hand_out(inox_encoder *e, uint64_t base, inox_stream_tokens *out,
                            inox_error *err)
{
    size_t n = e->tokens.count;
    if (n > e->room) {
        IX_TRY(IX_REALLOC(&e->starts, n, err));
        IX_TRY(IX_REALLOC(&e->ends, n, err));
        e->room = n;
    }
    for (size_t i = 0; i < n; i++) {
        e->starts[i] = base + e->tokens.starts[i];
        e->ends[i] = base + e->tokens.ends[i];
    }
    *out = (inox_stream_tokens){ n, e->tokens.ids, e->starts, e->ends };
    return INOX_OK;
}

static inox_status begin(inox_encoder *e, inox_error *err)
{
    if (e->stream != NULL)
        return INOX_OK;
    return ix_encode_stream_new(e->tokenizer, &e->options, &e->stream, err);
}

inox_status inox_encoder_push(inox_encoder *encoder, const char *text, size_t bytes,
                              inox_stream_tokens *out, inox_error *err)
{
    if (encoder == NULL || out == NULL || (text == NULL && bytes > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_encoder_push: a pointer is NULL");
    *out = (inox_stream_tokens){ 0 };
    IX_TRY(begin(encoder, err));
    IX_TRY(ix_encode_stream_push(encoder->stream, text == NULL ? "" : text, bytes, &encoder->tokens,
                                 err));
    return hand_out(encoder, ix_encode_stream_base(encoder->stream), out, err);
}

inox_status inox_encoder_finish(inox_encoder *encoder, inox_stream_tokens *out, inox_error *err)
{
    if (encoder == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_encoder_finish: a pointer is NULL");
    *out = (inox_stream_tokens){ 0 };
    IX_TRY(begin(encoder, err));
    IX_TRY(ix_encode_stream_end(encoder->stream, &encoder->tokens, err));
    uint64_t base = ix_encode_stream_base(encoder->stream);
    ix_encode_stream_free(encoder->stream);
    encoder->stream = NULL;
    return hand_out(encoder, base, out, err);
}

/* ---- tokens to text */

struct inox_decoder {
    ix_decoder decoder;
    ix_buffer text; /* what the last call gave */
};

inox_status inox_decoder_new(const inox_tokenizer *tokenizer, bool keep_special, inox_decoder **out,
                             inox_error *err)
{
    inox_decoder *d;
    if (tokenizer == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_decoder_new: a pointer is NULL");
    *out = NULL;
    IX_TRY(IX_ALLOC(&d, 1, err));
    ix_decoder_init(&d->decoder, tokenizer->tokenizer, keep_special ? IX_DECODE_SPECIAL : 0u);
    *out = d;
    return INOX_OK;
}

void inox_decoder_free(inox_decoder *decoder)
{
    if (decoder == NULL)
        return;
    ix_decoder_clear(&decoder->decoder);
    ix_buffer_release(&decoder->text);
    ix_free(decoder);
}

static void show(inox_decoder *d, inox_text *text)
{
    *text = (inox_text){ d->text.data == NULL ? "" : d->text.data, d->text.size };
}

inox_status inox_decoder_push(inox_decoder *decoder, int32_t id, inox_text *text, inox_error *err)
{
    if (decoder == NULL || text == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_decoder_push: a pointer is NULL");
    *text = (inox_text){ 0 };
    decoder->text.size = 0;
    IX_TRY(ix_decoder_push(&decoder->decoder, id, &decoder->text, err));
    show(decoder, text);
    return INOX_OK;
}

inox_status inox_decoder_finish(inox_decoder *decoder, inox_text *text, inox_error *err)
{
    if (decoder == NULL || text == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_decoder_finish: a pointer is NULL");
    *text = (inox_text){ 0 };
    decoder->text.size = 0;
    IX_TRY(ix_decoder_flush(&decoder->decoder, &decoder->text, err));
    show(decoder, text);
    return INOX_OK;
}
