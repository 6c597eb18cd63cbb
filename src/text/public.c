/* The functions of inox_text.h about tokenizers: checks what callers pass, and hands it on to
 * tokenizer.h.  Opening files: llm/text_files.c.
 */
#include "text/public.h"

#include "base/limits.h"
#include "text/encoding.h"
#include "text/family.h"

#include <string.h>

/* The public types go to the internal ones as they are where they are large (texts, words, ranges):
 * the two must look the same in memory. */
_Static_assert(sizeof(inox_text) == sizeof(ix_text_view) &&
                   offsetof(inox_text, bytes) == offsetof(ix_text_view, size) &&
                   sizeof(inox_range) == sizeof(ix_range) &&
                   offsetof(inox_range, end) == offsetof(ix_range, end) &&
                   INOX_WANT_ALL == IX_WANT_ALL && INOX_WANT_OVERFLOW == IX_WANT_OVERFLOW,
               "public and internal types differ");

/* ---- handles */

inox_status ix_public_tokenizer(const ix_tokenizer *t, ix_tokenizer *owned, const char *format,
                                void *keep, void (*drop)(void *keep), inox_tokenizer **out,
                                inox_error *err)
{
    inox_tokenizer *handle;
    inox_status status = IX_ALLOC(&handle, 1, err);
    if (status != INOX_OK) {
        ix_tokenizer_free(owned);
        if (drop != NULL)
            drop(keep);
        return status;
    }
    *handle = (inox_tokenizer){ t, owned, format, keep, drop };
    *out = handle;
    return INOX_OK;
}

void inox_tokenizer_free(inox_tokenizer *tokenizer)
{
    if (tokenizer == NULL)
        return;
    ix_tokenizer_free(tokenizer->owned);
    if (tokenizer->drop != NULL)
        tokenizer->drop(tokenizer->keep);
    ix_free(tokenizer);
}

inox_status inox_tokenizer_describe(const inox_tokenizer *tokenizer, inox_tokenizer_info *out,
                                    inox_error *err)
{
    if (tokenizer == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_tokenizer_describe: a pointer is NULL");
    if (out->size != sizeof *out)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_tokenizer_info.size is %zu: use INOX_TOKENIZER_INFO_INIT", out->size);
    const ix_tokenizer *t = tokenizer->tokenizer;
    const ix_padding *padding = ix_tokenizer_padding(t);
    *out = (inox_tokenizer_info){
        .size = sizeof *out,
        .format = tokenizer->format,
        .count = ix_tokenizer_count(t),
        .bos = ix_tokenizer_bos(t),
        .eos = ix_tokenizer_eos(t),
        .unknown = t->unknown,
        .padding = padding == NULL ? -1 : padding->id,
        .parse_special = ix_tokenizer_parses_special(t),
        .ships_truncation = ix_tokenizer_truncation(t) != NULL,
        .ships_padding = padding != NULL,
    };
    return INOX_OK;
}

const char *inox_tokenizer_piece(const inox_tokenizer *tokenizer, int32_t id, size_t *bytes)
{
    ix_text_view piece = { 0 };
    if (tokenizer != NULL)
        piece = ix_tokenizer_piece(tokenizer->tokenizer, id);
    if (bytes != NULL)
        *bytes = piece.size;
    return piece.data;
}

int32_t inox_tokenizer_find(const inox_tokenizer *tokenizer, const char *piece, size_t bytes)
{
    if (tokenizer == NULL || piece == NULL)
        return -1;
    return ix_tokenizer_find(tokenizer->tokenizer, piece, bytes);
}

bool inox_tokenizer_is_special(const inox_tokenizer *tokenizer, int32_t id)
{
    return tokenizer != NULL && ix_tokenizer_type(tokenizer->tokenizer, id) == IX_PIECE_CONTROL;
}

bool inox_tokenizer_is_end(const inox_tokenizer *tokenizer, int32_t id)
{
    return tokenizer != NULL && ix_tokenizer_is_end(tokenizer->tokenizer, id);
}

/* ---- the short way */

void inox_tokens_release(inox_tokens *t)
{
    if (t != NULL)
        ix_tokens_release(t);
}

inox_status inox_tokenizer_encode(const inox_tokenizer *tokenizer, const char *text, size_t bytes,
                                  unsigned flags, inox_tokens *out, inox_error *err)
{
    if (tokenizer == NULL || out == NULL || (text == NULL && bytes > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_tokenizer_encode: a pointer is NULL");
    *out = (inox_tokens){ 0 };
    return ix_tokenizer_encode(tokenizer->tokenizer, text == NULL ? "" : text, bytes, flags, out,
                               err);
}

inox_status inox_tokenizer_decode(const inox_tokenizer *tokenizer, const int32_t *ids, size_t count,
                                  bool keep_special, char **text, size_t *bytes, inox_error *err)
{
    ix_buffer b = { 0 };
    if (tokenizer == NULL || text == NULL || (ids == NULL && count > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_tokenizer_decode: a pointer is NULL");
    *text = NULL;
    if (bytes != NULL)
        *bytes = 0;
    inox_status status = ix_tokenizer_decode(tokenizer->tokenizer, ids, count,
                                             keep_special ? IX_DECODE_SPECIAL : 0u, &b, err);
    if (status == INOX_OK && b.data == NULL)
        status = ix_buffer_append(&b, "", 0, err);
    if (status != INOX_OK) {
        ix_buffer_release(&b);
        return status;
    }
    *text = b.data;
    if (bytes != NULL)
        *bytes = b.size;
    return INOX_OK;
}

/* ---- with everything */

/* The caller's options as tokenizer.h has them, and what they point to. */
typedef struct encode_settings {
    ix_encode_options options;
    ix_truncation truncation;
    ix_padding padding;
} encode_settings;

static inox_status read_truncation(const inox_truncation *in, encode_settings *out, inox_error *err)
{
    if (in->size != sizeof *in)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_truncation.size is %zu: use INOX_TRUNCATION_INIT", in->size);
    if ((int)in->strategy < 0 || in->strategy > INOX_TRUNCATE_ONLY_SECOND)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_truncation.strategy is %d, which is none",
                       (int)in->strategy);
    out->truncation =
        (ix_truncation){ in->max_tokens, in->stride, (ix_truncate_strategy)in->strategy, in->left };
    out->options.truncation = &out->truncation;
    return INOX_OK;
}

static inox_status read_padding(const inox_padding *in, encode_settings *out, inox_error *err)
{
    if (in->size != sizeof *in)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_padding.size is %zu: use INOX_PADDING_INIT",
                       in->size);
    if (in->length > IX_MAX_TEXT_BYTES || in->multiple > IX_MAX_TEXT_BYTES)
        return ix_fail(err, INOX_E_LIMIT, "padding to more than %llu tokens",
                       (unsigned long long)IX_MAX_TEXT_BYTES);
    out->padding = (ix_padding){ .fixed = in->length,
                                 .is_fixed = in->is_fixed,
                                 .multiple_of = in->multiple,
                                 .left = in->left,
                                 .id = in->id,
                                 .type_id = in->type_id };
    out->options.padding = &out->padding;
    return INOX_OK;
}

static inox_status read_options(const ix_tokenizer *t, const inox_encode_options *in,
                                encode_settings *out, inox_error *err)
{
    static const inox_encode_options USUAL = INOX_ENCODE_OPTIONS_INIT;
    in = in == NULL ? &USUAL : in;
    if (in->size != sizeof *in)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_encode_options.size is %zu: use INOX_ENCODE_OPTIONS_INIT", in->size);
    if ((int)in->parse_special < 0 || in->parse_special > INOX_PARSE_SPECIAL_YES)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_encode_options.parse_special is %d, which is none",
                       (int)in->parse_special);
    if (in->threads < 0 || in->threads > IX_MAX_THREADS)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "threads must be 1 to %d, or 0 for all processors, not %d", IX_MAX_THREADS,
                       in->threads);
    *out = (encode_settings){ .options = IX_ENCODE_OPTIONS_INIT };
    out->options.special = in->special;
    out->options.parse_special = in->parse_special == INOX_PARSE_SPECIAL_FORMAT
                                     ? ix_tokenizer_parses_special(t)
                                     : in->parse_special == INOX_PARSE_SPECIAL_YES;
    out->options.want = in->want & IX_WANT_ALL;
    out->options.memory_max = in->memory_max;
    out->options.threads = in->threads;
    if (in->as_shipped) {
        out->options.truncation = ix_tokenizer_truncation(t);
        out->options.padding = ix_tokenizer_padding(t);
    }
    if (in->truncation != NULL)
        IX_TRY(read_truncation(in->truncation, out, err));
    if (in->padding != NULL)
        IX_TRY(read_padding(in->padding, out, err));
    return INOX_OK;
}

static inox_status read_sequence(const inox_sequence *in, size_t index, ix_sequence *out,
                                 inox_error *err)
{
    const inox_text *texts = in->is_split ? in->words : &in->text;
    size_t count = in->is_split ? in->word_count : 1, end = 0;
    if (count > 0 && texts == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "input %zu has %zu words, and words is NULL", index,
                       count);
    for (size_t i = 0; i < count; i++)
        if (texts[i].data == NULL && texts[i].bytes > 0)
            return ix_fail(err, INOX_E_ARGUMENT, "input %zu has a text that is NULL", index);
    if (in->plain_count > 0 && (in->plain == NULL || in->is_split))
        return ix_fail(err, INOX_E_ARGUMENT, "input %zu: plain ranges are those of a text", index);
    for (size_t i = 0; i < in->plain_count; end = in->plain[i++].end)
        if (in->plain[i].start < end || in->plain[i].end < in->plain[i].start ||
            in->plain[i].end > in->text.bytes)
            return ix_fail(err, INOX_E_ARGUMENT,
                           "input %zu: plain range %zu is not behind the one before, or not in the "
                           "text",
                           index, i);
    *out = (ix_sequence){ .text = { in->text.data == NULL ? "" : in->text.data, in->text.bytes },
                          .words = (const ix_text_view *)in->words,
                          .word_count = in->word_count,
                          .is_split = in->is_split,
                          .plain = (const ix_range *)in->plain,
                          .plain_count = in->plain_count };
    return INOX_OK;
}

struct inox_encodings {
    size_t count;
    ix_encoding *items;
};

void inox_encodings_free(inox_encodings *encodings)
{
    if (encodings == NULL)
        return;
    for (size_t i = 0; i < encodings->count; i++)
        ix_encoding_release(&encodings->items[i]);
    ix_free(encodings->items);
    ix_free(encodings);
}

static inox_status encode_all(const ix_tokenizer *t, const inox_input *in, size_t count,
                              const ix_encode_options *options, ix_encode_input *inputs,
                              ix_encoding *out, inox_error *err)
{
    for (size_t i = 0; i < count; i++) {
        inputs[i].is_pair = in[i].is_pair;
        IX_TRY(read_sequence(&in[i].first, i, &inputs[i].first, err));
        if (in[i].is_pair)
            IX_TRY(read_sequence(&in[i].second, i, &inputs[i].second, err));
    }
    return ix_encode_batch(t, inputs, count, options, out, err);
}

inox_status inox_tokenizer_encode_all(const inox_tokenizer *tokenizer, const inox_input *inputs,
                                      size_t count, const inox_encode_options *options,
                                      inox_encodings **out, inox_error *err)
{
    encode_settings settings;
    inox_encodings *e;
    ix_encode_input *in = NULL;
    if (tokenizer == NULL || out == NULL || (inputs == NULL && count > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_tokenizer_encode_all: a pointer is NULL");
    *out = NULL;
    IX_TRY(read_options(tokenizer->tokenizer, options, &settings, err));
    IX_TRY(IX_ALLOC(&e, 1, err));
    inox_status status = IX_ALLOC(&e->items, count, err);
    if (status == INOX_OK)
        status = IX_ALLOC(&in, count, err);
    if (status == INOX_OK) {
        e->count = count;
        status =
            encode_all(tokenizer->tokenizer, inputs, count, &settings.options, in, e->items, err);
    }
    ix_free(in);
    if (status != INOX_OK) {
        inox_encodings_free(e);
        return status;
    }
    *out = e;
    return INOX_OK;
}

size_t inox_encodings_count(const inox_encodings *encodings)
{
    return encodings == NULL ? 0 : encodings->count;
}

size_t inox_encodings_windows(const inox_encodings *encodings, size_t index)
{
    if (encodings == NULL || index >= encodings->count)
        return 0;
    return 1 + encodings->items[index].overflow_count;
}

inox_status inox_encodings_get(const inox_encodings *encodings, size_t index, size_t window,
                               inox_encoding *out, inox_error *err)
{
    if (encodings == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_encodings_get: a pointer is NULL");
    if (out->size != sizeof *out)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_encoding.size is %zu: use INOX_ENCODING_INIT",
                       out->size);
    if (window >= inox_encodings_windows(encodings, index))
        return ix_fail(err, INOX_E_ARGUMENT, "there is no window %zu of input %zu", window, index);
    const ix_encoding *e = &encodings->items[index];
    e = window == 0 ? e : &e->overflow[window - 1];
    *out = (inox_encoding){ .size = sizeof *out,
                            .count = e->count,
                            .ids = e->ids,
                            .starts = e->starts,
                            .ends = e->ends,
                            .type_ids = e->type_ids,
                            .special_mask = e->special_mask,
                            .attention_mask = e->attention_mask,
                            .word_ids = e->words,
                            .sequence_ids = e->sequences };
    return INOX_OK;
}
