/* The decoders of tokenizer.json: reading them, and driving a stream through them.  See decoder.h;
 * what a stage does is in decode_stages.c.
 */
#include "text/decoder.h"

#include "base/limits.h"
#include "text/component.h"
#include "text/decode_stages.h"

#include <string.h>

static const ix_component_type types[] = {
    [IX_DECODE_BPE] = { "BPEDecoder", "suffix" },
    [IX_DECODE_BYTE_LEVEL] = { "ByteLevel", NULL },
    [IX_DECODE_WORDPIECE] = { "WordPiece", "prefix cleanup" },
    [IX_DECODE_METASPACE] = { "Metaspace", NULL },
    [IX_DECODE_CTC] = { "CTC", "pad_token word_delimiter_token cleanup" },
    [IX_DECODE_SEQUENCE] = { "Sequence", "decoders" },
    [IX_DECODE_REPLACE] = { "Replace", "pattern content" },
    [IX_DECODE_FUSE] = { "Fuse", NULL },
    [IX_DECODE_STRIP] = { "Strip", "content start stop" },
    [IX_DECODE_BYTE_FALLBACK] = { "ByteFallback", NULL },
    { NULL, NULL },
};

/* ---- reading ------------------------------------------------------------------------------- */

static void stage_release(ix_decode_stage *s)
{
    ix_buffer_release(&s->first);
    ix_buffer_release(&s->second);
    ix_pattern_free(s->pattern);
}

static inox_status read_string(const json_t *j, const char *type, const char *name, ix_buffer *out,
                               inox_error *err)
{
    ix_text_view text;
    IX_TRY(ix_field_string(j, type, name, &text, err));
    return ix_buffer_append(out, text.data, text.size, err);
}

static inox_status read_replace(const json_t *j, ix_decode_stage *s, inox_error *err)
{
    const json_t *literal = json_object_get(json_object_get(j, "pattern"), "String");
    IX_TRY(ix_field_pattern(j, "Replace", "pattern", &s->pattern, err));
    if (literal)
        IX_TRY(ix_buffer_append(&s->first, json_string_value(literal), json_string_length(literal),
                                err));
    return read_string(j, "Replace", "content", &s->second, err);
}

static inox_status read_metaspace(const json_t *j, ix_decode_stage *s, inox_error *err)
{
    static const char *const schemes[] = { "never", "first", "always", NULL };
    int scheme = 2;
    bool prefix = true;
    IX_TRY(ix_field_character(j, "Metaspace", "replacement", &s->character, err));
    if (json_object_get(j, "prepend_scheme"))
        IX_TRY(ix_field_choice(j, "Metaspace", "prepend_scheme", schemes, &scheme, err));
    if (ix_field_given(j, "add_prefix_space"))
        IX_TRY(ix_field_bool(j, "Metaspace", "add_prefix_space", &prefix, err));
    if (!prefix && scheme != 0)
        return ix_fail(err, INOX_E_FORMAT,
                       "Metaspace: add_prefix_space is false, but prepend_scheme is '%s'; it has "
                       "to be 'never'",
                       schemes[scheme]);
    s->prefix = scheme != 0;
    return INOX_OK;
}

static inox_status read_byte_level(const json_t *j, inox_error *err)
{
    bool ignored; /* these are of the pre-tokenizer and the post-processor */
    IX_TRY(ix_field_bool(j, "ByteLevel", "add_prefix_space", &ignored, err));
    return ix_field_bool(j, "ByteLevel", "trim_offsets", &ignored, err);
}

static inox_status read_stage(const json_t *j, ix_decode_stage *s, inox_error *err)
{
    switch (s->kind) {
    case IX_DECODE_BPE: return read_string(j, "BPEDecoder", "suffix", &s->first, err);
    case IX_DECODE_BYTE_LEVEL: return read_byte_level(j, err);
    case IX_DECODE_WORDPIECE:
        IX_TRY(read_string(j, "WordPiece", "prefix", &s->first, err));
        return ix_field_bool(j, "WordPiece", "cleanup", &s->cleanup, err);
    case IX_DECODE_METASPACE: return read_metaspace(j, s, err);
    case IX_DECODE_CTC:
        IX_TRY(read_string(j, "CTC", "pad_token", &s->first, err));
        IX_TRY(read_string(j, "CTC", "word_delimiter_token", &s->second, err));
        return ix_field_bool(j, "CTC", "cleanup", &s->cleanup, err);
    case IX_DECODE_REPLACE: return read_replace(j, s, err);
    case IX_DECODE_STRIP:
        IX_TRY(ix_field_character(j, "Strip", "content", &s->character, err));
        IX_TRY(ix_field_count(j, "Strip", "start", &s->start, err));
        return ix_field_count(j, "Strip", "stop", &s->stop, err);
    case IX_DECODE_SEQUENCE:
    case IX_DECODE_FUSE:
    case IX_DECODE_BYTE_FALLBACK:
    case IX_DECODE_JOIN: break;
    }
    return INOX_OK;
}

static inox_status add_stage(ix_decode_stages *d, const ix_decode_stage *s, inox_error *err)
{
    if (d->count >= IX_MAX_DECODE_STAGES)
        return ix_fail(err, INOX_E_LIMIT, "the decoder has more than %d stages",
                       IX_MAX_DECODE_STAGES);
    if (d->count == d->capacity) {
        size_t capacity = d->capacity * 2 + 4;
        IX_TRY(IX_REALLOC(&d->stages, capacity, err));
        d->capacity = capacity;
    }
    d->stages[d->count++] = *s;
    return INOX_OK;
}

static inox_status read_all(const json_t *j, ix_decode_stages *d, int depth, inox_error *err)
{
    size_t index;
    ix_decode_stage s = { .kind = IX_DECODE_SEQUENCE };
    IX_TRY(ix_component_find(j, types, "decoder", &index, err));
    s.kind = (ix_decode_kind)index;
    if (s.kind == IX_DECODE_SEQUENCE) {
        const json_t *list;
        if (depth >= IX_MAX_COMPONENT_DEPTH)
            return ix_fail(err, INOX_E_LIMIT, "decoders are sequences in sequences, %d deep",
                           depth);
        IX_TRY(ix_field_array(j, "Sequence", "decoders", &list, err));
        for (size_t i = 0; i < json_array_size(list); i++)
            IX_TRY(read_all(json_array_get(list, i), d, depth + 1, err));
        return INOX_OK;
    }
    inox_status status = read_stage(j, &s, err);
    if (status == INOX_OK)
        status = add_stage(d, &s, err);
    if (status != INOX_OK)
        stage_release(&s);
    return status;
}

inox_status ix_decode_stages_from_json(const json_t *j, ix_decode_stages **out, inox_error *err)
{
    *out = NULL;
    if (!j || json_is_null(j))
        return INOX_OK;
    ix_decode_stages *d;
    IX_TRY(IX_ALLOC(&d, 1, err));
    inox_status status = read_all(j, d, 0, err);
    if (status == INOX_OK)
        *out = d;
    else
        ix_decode_stages_free(d);
    return status;
}

void ix_decode_stages_free(ix_decode_stages *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++)
        stage_release(&d->stages[i]);
    ix_free(d->stages);
    ix_free(d);
}

/* ---- streams ------------------------------------------------------------------------------- */

/* Without a decoder there is a space between tokens. */
static ix_decode_stage join_stage[] = { { .kind = IX_DECODE_JOIN } };
static const ix_decode_stages join = { .stages = join_stage, .count = 1 };

inox_status ix_decode_stream_new(const ix_decode_stages *d, ix_decode_stream **out, inox_error *err)
{
    *out = NULL;
    ix_decode_stream *s;
    IX_TRY(IX_ALLOC(&s, 1, err));
    s->stages = d ? d : &join;
    inox_status status = IX_ALLOC(&s->states, s->stages->count + 1, err);
    if (status == INOX_OK)
        *out = s;
    else
        ix_free(s);
    return status;
}

static void states_reset(ix_decode_stream *s)
{
    for (size_t i = 0; i < s->stages->count; i++) {
        ix_decode_state *state = &s->states[i];
        ix_buffer hold = state->hold, other = state->other;
        ix_pattern_cursor cursor = state->cursor;
        *state = (ix_decode_state){ .hold = hold, .other = other, .cursor = cursor };
        state->hold.size = state->other.size = 0;
    }
}

void ix_decode_stream_free(ix_decode_stream *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->stages->count; i++) {
        ix_buffer_release(&s->states[i].hold);
        ix_buffer_release(&s->states[i].other);
        ix_pattern_release(&s->states[i].cursor);
    }
    ix_free(s->states);
    ix_free(s);
}

static inox_status push(ix_decode_stream *s, ix_text_view token)
{
    IX_TRY(ix_decode_begin(s, 0));
    IX_TRY(ix_decode_text(s, 0, token.data, token.size));
    return ix_decode_end(s, 0);
}

/* After a failure nothing of this call is left in `out`. */
static inox_status ended(ix_decode_stream *s, inox_status status, size_t before)
{
    if (status != INOX_OK && s->out->data) {
        s->out->size = before;
        s->out->data[before] = 0;
    }
    s->out = NULL;
    s->err = NULL;
    return status;
}

inox_status ix_decode_stream_push(ix_decode_stream *s, ix_text_view token, ix_buffer *out,
                                  inox_error *err)
{
    s->out = out;
    s->err = err;
    size_t before = out->size;
    return ended(s, push(s, token), before);
}

inox_status ix_decode_stream_flush(ix_decode_stream *s, ix_buffer *out, inox_error *err)
{
    s->out = out;
    s->err = err;
    size_t before = out->size;
    inox_status status = ix_decode_finish(s, 0);
    states_reset(s);
    return ended(s, status, before);
}

inox_status ix_decode_tokens(const ix_decode_stages *d, const ix_text_view *tokens, size_t count,
                             ix_buffer *out, inox_error *err)
{
    ix_decode_stream *s;
    size_t before = out->size;
    IX_TRY(ix_decode_stream_new(d, &s, err));
    inox_status status = INOX_OK;
    for (size_t i = 0; i < count && status == INOX_OK; i++)
        status = ix_decode_stream_push(s, tokens[i], out, err);
    if (status == INOX_OK)
        status = ix_decode_stream_flush(s, out, err);
    if (status != INOX_OK && out->data) {
        out->size = before;
        out->data[before] = 0;
    }
    ix_decode_stream_free(s);
    return status;
}
