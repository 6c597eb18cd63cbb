/* Encoding a text that comes in chunks.
 *
 *     buffer   | context | bytes whose tokens are not out yet ... | settled? |
 *              0         begin                                    place      size
 *
 * The family tells the last place in the buffer before which nothing changes any more.  What lies
 * before it is encoded together with the context, whose tokens were out before, and then goes, but
 * for the next context.  A search for a place may cost as much as the buffer is long, so that one
 * is only made when the buffer has doubled since one that found nothing: together they are linear.
 */
#include "text/family.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/unicode.h"

#include <string.h>

struct ix_encode_stream {
    const ix_tokenizer *t;
    bool special, parse_special;
    unsigned want;
    uint64_t memory_max;
    void *scratch;
    ix_buffer buffer;
    size_t begin;
    size_t wait;      /* bytes in the buffer before the next search */
    uint64_t base;    /* where in the text the buffer begins */
    uint64_t counted; /* where the offsets that were given out last count from */
    bool started;
};

enum { FIRST_WAIT = 256 };

inox_status ix_encode_stream_new(const ix_tokenizer *t, const ix_encode_options *options,
                                 ix_encode_stream **out, inox_error *err)
{
    ix_encode_stream *s = NULL;
    *out = NULL;
    if (options->truncation || options->padding)
        return ix_fail(err, INOX_E_ARGUMENT, "a stream is neither truncated nor padded");
    if (options->special && !ix_post_has_edges(t->post))
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "this tokenizer's template does not have the text once, between special "
                       "tokens: its texts cannot be streamed with them");
    if (!ix_post_has_text_once(t->post))
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "this tokenizer's template does not have the text once: its texts cannot be "
                       "streamed");
    IX_TRY(IX_ALLOC(&s, 1, err));
    s->t = t;
    s->special = options->special;
    s->parse_special = options->parse_special;
    s->want = IX_WANT_OFFSETS;
    if (ix_post_trims(t->post))
        s->want |= IX_WANT_SPACES | IX_WANT_SEQUENCES;
    s->memory_max = options->memory_max;
    s->wait = FIRST_WAIT;
    *out = s;
    return INOX_OK;
}

void ix_encode_stream_free(ix_encode_stream *s)
{
    if (!s)
        return;
    ix_tokenizer_give_scratch(s->t, s->scratch);
    ix_buffer_release(&s->buffer);
    ix_free(s);
}

uint64_t ix_encode_stream_base(const ix_encode_stream *s)
{
    return s->counted;
}

bool ix_encode_stream_bounded(const ix_encode_stream *s)
{
    const ix_family *f = s->t->family;
    return f->settled && (!f->settles || f->settles(s->t));
}

/* Appends the tokens of buffer[begin..end), where the text may be cut or ends. */
static inox_status encode_until(ix_encode_stream *s, size_t end, ix_encoding *out, inox_error *err)
{
    ix_encode_text text = {
        .text = s->buffer.data, .size = end, .parse_special = s->parse_special, .word = -1
    };
    size_t first = out->count, old = 0;
    if (end == s->begin)
        return INOX_OK;
    if (!s->scratch)
        IX_TRY(ix_tokenizer_take_scratch(s->t, &s->scratch, err));
    IX_TRY(s->t->family->encode(s->t, s->scratch, &text, out, err));
    while (s->begin > 0 && first + old < out->count && out->ends[first + old] <= s->begin)
        old++;
    ix_encoding_remove(out, first, old);
    ix_post_trim_text(s->t->post, (ix_text_view){ text.text, text.size }, s->base == 0, out, first);
    return INOX_OK;
}

/* Empties *out, and puts the tokens in front into it, once. */
static inox_status start(ix_encode_stream *s, ix_encoding *out, inox_error *err)
{
    out->count = 0;
    out->want |= s->want;
    s->counted = s->base;
    if (s->started || !s->special)
        return INOX_OK;
    s->started = true;
    return ix_post_edge(s->t->post, true, 0, out, err);
}

/* Bytes of the letters before `place` that are kept. */
static size_t context_before(const ix_encode_stream *s, size_t place)
{
    size_t at = place;
    while (at > 0) {
        size_t from = at - 1;
        uint32_t c;
        while (from > 0 && ((unsigned char)s->buffer.data[from] & 0xC0) == 0x80)
            from--;
        (void)ix_utf8_read(s->buffer.data + from, at - from, &c);
        if (place - from > IX_STREAM_CONTEXT || !(ix_unicode_properties(c) & IX_LETTER))
            break;
        at = from;
    }
    return place - at;
}

static inox_status push(ix_encode_stream *s, const char *bytes, size_t n, ix_encoding *out,
                        inox_error *err)
{
    const ix_family *f = s->t->family;
    uint64_t most =
        s->memory_max && s->memory_max < IX_MAX_TEXT_BYTES ? s->memory_max : IX_MAX_TEXT_BYTES;
    IX_TRY(start(s, out, err));
    if (n >= most || s->buffer.size >= most - n)
        return ix_fail(err, INOX_E_LIMIT,
                       "%zu bytes of the stream would be held back, more than %llu", s->buffer.size,
                       (unsigned long long)most);
    IX_TRY(ix_buffer_append(&s->buffer, bytes, n, err));
    if (!f->settled || s->buffer.size < s->wait)
        return INOX_OK;
    size_t place = f->settled(s->t, s->buffer.data, s->buffer.size);
    if (place <= s->begin) {
        s->wait = s->buffer.size * 2;
        return INOX_OK;
    }
    IX_TRY(encode_until(s, place, out, err));
    s->begin = context_before(s, place);
    size_t gone = place - s->begin;
    memmove(s->buffer.data, s->buffer.data + gone, s->buffer.size - gone);
    s->buffer.size -= gone;
    s->base += gone;
    s->wait = s->buffer.size + FIRST_WAIT;
    return INOX_OK;
}

static void meter(const ix_encode_stream *s)
{
    if (s->memory_max)
        ix_meter_begin(s->memory_max);
}

inox_status ix_encode_stream_push(ix_encode_stream *s, const char *bytes, size_t n,
                                  ix_encoding *out, inox_error *err)
{
    meter(s);
    inox_status status = push(s, bytes, n, out, err);
    ix_meter_end();
    if (status != INOX_OK)
        ix_encoding_release(out);
    return status;
}

inox_status ix_encode_stream_end(ix_encode_stream *s, ix_encoding *out, inox_error *err)
{
    meter(s);
    inox_status status = start(s, out, err);
    if (status == INOX_OK)
        status = encode_until(s, s->buffer.size, out, err);
    if (status == INOX_OK && s->special)
        status = ix_post_edge(s->t->post, false, s->buffer.size, out, err);
    ix_meter_end();
    s->buffer.size = s->begin = 0;
    s->base = 0;
    s->wait = FIRST_WAIT;
    s->started = false;
    if (status != INOX_OK)
        ix_encoding_release(out);
    return status;
}
