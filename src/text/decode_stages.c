/* What decoders do to tokens.  See decode_stages.h.  Calls go from stage to stage, so they nest as
 * deep as there are stages (IX_MAX_DECODE_STAGES at most). */
#include "text/decode_stages.h"

#include "text/split.h"
#include "text/unicode.h"

#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

static inox_status hold(ix_decode_stream *s, size_t i, const char *text, size_t n)
{
    return ix_buffer_append(&s->states[i].hold, text, n, s->err);
}

/* A whole token for the stage behind i. */
static inox_status give(ix_decode_stream *s, size_t i, const char *text, size_t n)
{
    IX_TRY(ix_decode_begin(s, i + 1));
    IX_TRY(ix_decode_text(s, i + 1, text, n));
    return ix_decode_end(s, i + 1);
}

/* The one token of a stage that fuses. */
static inox_status open(ix_decode_stream *s, size_t i)
{
    if (s->states[i].open)
        return INOX_OK;
    s->states[i].open = true;
    return ix_decode_begin(s, i + 1);
}

/* ---- replacing ----------------------------------------------------------------------------- */

/* Appends text with every `from` replaced by `to`; an empty `from` is found before, between and
 * behind all characters. */
static inox_status replace(const char *text, size_t size, ix_text_view from, ix_text_view to,
                           ix_buffer *out, inox_error *err)
{
    size_t at = 0;
    if (from.size == 0 && to.size == 0)
        return ix_buffer_append(out, text, size, err);
    while (from.size == 0) {
        uint32_t c;
        IX_TRY(ix_buffer_append(out, to.data, to.size, err));
        if (at == size)
            return INOX_OK;
        size_t n = ix_utf8_read(text + at, size - at, &c);
        IX_TRY(ix_buffer_append(out, text + at, n, err));
        at += n;
    }
    for (size_t begin = 0; begin + from.size <= size;) {
        const char *found = memchr(text + begin, from.data[0], size - from.size + 1 - begin);
        if (!found)
            break;
        begin = (size_t)(found - text);
        if (memcmp(found, from.data, from.size) != 0) {
            begin++;
            continue;
        }
        IX_TRY(ix_buffer_append(out, text + at, begin - at, err));
        IX_TRY(ix_buffer_append(out, to.data, to.size, err));
        at = begin += from.size;
    }
    return ix_buffer_append(out, text + at, size - at, err);
}

static ix_text_view view(const ix_buffer *b)
{
    return (ix_text_view){ b->data ? b->data : "", b->size };
}

/* The same of a buffer, in place; room is for work. */
static inox_status replace_in(ix_buffer *b, ix_text_view from, ix_text_view to, ix_buffer *room,
                              inox_error *err)
{
    room->size = 0;
    IX_TRY(replace(view(b).data, b->size, from, to, room, err));
    ix_buffer swap = *b;
    *b = *room;
    *room = swap;
    return INOX_OK;
}

#define VIEW(s)                                                                                    \
    {                                                                                              \
        (s), sizeof(s) - 1                                                                         \
    }

/* The library's cleanup of English. */
static inox_status clean_up(ix_buffer *b, ix_buffer *room, inox_error *err)
{
    static const struct {
        ix_text_view from, to;
    } rules[] = {
        { VIEW(" ."), VIEW(".") },     { VIEW(" ?"), VIEW("?") },
        { VIEW(" !"), VIEW("!") },     { VIEW(" ,"), VIEW(",") },
        { VIEW(" ' "), VIEW("'") },    { VIEW(" n't"), VIEW("n't") },
        { VIEW(" 'm"), VIEW("'m") },   { VIEW(" do not"), VIEW(" don't") },
        { VIEW(" 's"), VIEW("'s") },   { VIEW(" 've"), VIEW("'ve") },
        { VIEW(" 're"), VIEW("'re") },
    };
    if (b->size == 0 || !memchr(b->data, ' ', b->size)) /* each begins with a space */
        return INOX_OK;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        IX_TRY(replace_in(b, rules[i].from, rules[i].to, room, err));
    return INOX_OK;
}

/* ---- ByteLevel ----------------------------------------------------------------------------- */

/* Bytes of text; what is not UTF-8 becomes U+FFFD, one for each maximal part of a character. */
static inox_status bytes(ix_decode_stream *s, size_t i, const char *text, size_t n, bool last)
{
    ix_decode_state *state = &s->states[i];
    size_t done = 0, from = 0;
    bool whole, bad;
    while (state->pending_count > 0 && (done < n || last)) {
        char *p = state->pending;
        size_t had = state->pending_count, size = had;
        while (size < 4 && done + (size - had) < n) {
            p[size] = text[done + (size - had)];
            size++;
        }
        size_t used = ix_utf8_prefix(p, size, &whole, &bad);
        if (!whole && !last) {
            state->pending_count = size;
            return INOX_OK;
        }
        IX_TRY(ix_decode_text(s, i + 1, whole && !bad ? p : replacement,
                              whole && !bad ? used : sizeof replacement - 1));
        state->pending_count = 0; /* a held beginning is never more than one bad part */
        done += used - had;
    }
    for (from = done; done < n;) {
        if ((unsigned char)text[done] < 0x80) {
            done++;
            continue;
        }
        size_t used = ix_utf8_prefix(text + done, n - done, &whole, &bad);
        if (whole && !bad) {
            done += used;
            continue;
        }
        if (done > from)
            IX_TRY(ix_decode_text(s, i + 1, text + from, done - from));
        if (!whole && !last) {
            memcpy(state->pending, text + done, n - done);
            state->pending_count = n - done;
            return INOX_OK;
        }
        IX_TRY(ix_decode_text(s, i + 1, replacement, sizeof replacement - 1));
        from = done += used;
    }
    return done > from ? ix_decode_text(s, i + 1, text + from, done - from) : INOX_OK;
}

/* A token whose characters are all of the alphabet is these bytes; any other is its own. */
static inox_status byte_level_end(ix_decode_stream *s, size_t i)
{
    ix_decode_state *state = &s->states[i];
    ix_buffer *token = &state->hold, *out = &state->other;
    out->size = 0;
    IX_TRY(open(s, i));
    for (size_t at = 0; at < token->size;) {
        uint32_t c;
        at += ix_utf8_read(token->data + at, token->size - at, &c);
        int byte = ix_byte_of_alphabet(c);
        char b = (char)byte;
        if (byte < 0)
            return bytes(s, i, token->data, token->size, false);
        IX_TRY(ix_buffer_append(out, &b, 1, s->err));
    }
    return out->size > 0 ? bytes(s, i, out->data, out->size, false) : INOX_OK;
}

/* ---- ByteFallback -------------------------------------------------------------------------- */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

enum { BYTE_TOKEN = 6 }; /* <0xE2> */

/* The byte that a token stands for, or -1.  ("<0x+A>" is one too: that is how Rust reads it.) */
static int byte_of(const char *token, size_t n)
{
    if (n != BYTE_TOKEN || memcmp(token, "<0x", 3) != 0 || token[5] != '>')
        return -1;
    int high = token[3] == '+' ? 0 : hex(token[3]), low = hex(token[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool is_utf8(const char *text, size_t size)
{
    bool whole = true, bad = false;
    for (size_t at = 0; at < size && whole && !bad;)
        at += ix_utf8_prefix(text + at, size - at, &whole, &bad);
    return whole && !bad;
}

/* The bytes so far are a token, or, where they are not UTF-8, each is U+FFFD. */
static inox_status give_bytes(ix_decode_stream *s, size_t i)
{
    ix_buffer *run = &s->states[i].other;
    size_t n = run->size;
    if (n == 0)
        return INOX_OK;
    run->size = 0;
    if (is_utf8(run->data, n))
        return give(s, i, run->data, n);
    for (size_t k = 0; k < n; k++)
        IX_TRY(give(s, i, replacement, sizeof replacement - 1));
    return INOX_OK;
}

/* More than a byte token has: it goes on as it comes. */
static inox_status byte_fallback_plain(ix_decode_stream *s, size_t i)
{
    ix_decode_state *state = &s->states[i];
    IX_TRY(give_bytes(s, i));
    state->plain = true;
    IX_TRY(ix_decode_begin(s, i + 1));
    return ix_decode_text(s, i + 1, view(&state->hold).data, state->hold.size);
}

static inox_status byte_fallback_text(ix_decode_stream *s, size_t i, const char *text, size_t n)
{
    ix_decode_state *state = &s->states[i];
    if (state->plain)
        return ix_decode_text(s, i + 1, text, n);
    IX_TRY(hold(s, i, text, n));
    return state->hold.size > BYTE_TOKEN ? byte_fallback_plain(s, i) : INOX_OK;
}

static inox_status byte_fallback_end(ix_decode_stream *s, size_t i)
{
    ix_decode_state *state = &s->states[i];
    int byte = state->plain ? -1 : byte_of(view(&state->hold).data, state->hold.size);
    char b = (char)byte;
    if (byte >= 0)
        return ix_buffer_append(&state->other, &b, 1, s->err);
    if (!state->plain)
        IX_TRY(byte_fallback_plain(s, i));
    return ix_decode_end(s, i + 1);
}

/* ---- Strip --------------------------------------------------------------------------------- */

static inox_status strip_text(ix_decode_stream *s, size_t i, const char *text, size_t n)
{
    const ix_decode_stage *stage = &s->stages->stages[i];
    ix_decode_state *state = &s->states[i];
    char content[4];
    size_t size = ix_utf8_write(stage->character, content), step;
    for (size_t at = 0; at < n; at += step) {
        uint32_t c;
        step = ix_utf8_read(text + at, n - at, &c);
        if (c == stage->character && !state->plain && state->held == 0 &&
            state->taken < stage->start) {
            state->taken++;
        } else if (c == stage->character) {
            /* it may be among the last ones; earlier held ones no longer are */
            if (state->held < stage->stop)
                state->held++;
            else
                IX_TRY(ix_decode_text(s, i + 1, content, size));
        } else {
            state->plain = true;
            for (; state->held > 0; state->held--)
                IX_TRY(ix_decode_text(s, i + 1, content, size));
            IX_TRY(ix_decode_text(s, i + 1, text + at, step));
        }
        if (c == stage->character && !state->plain)
            state->index++; /* of a token that is nothing else: how many there are */
    }
    return INOX_OK;
}

/* The library takes from the end without looking at what went at the beginning, and panics where
 * there is nothing left; so that is an error here. */
static inox_status strip_end(ix_decode_stream *s, size_t i)
{
    const ix_decode_stage *stage = &s->stages->stages[i];
    const ix_decode_state *state = &s->states[i];
    if (!state->plain && (stage->stop > state->index || state->taken > state->index - stage->stop))
        return ix_fail(s->err, INOX_E_ARGUMENT,
                       "Strip takes %zu and %zu characters from a token that has %zu", state->taken,
                       stage->stop, state->index);
    return ix_decode_end(s, i + 1);
}

/* ---- Replace ------------------------------------------------------------------------------- */

/* A string can be looked for while text comes in: all but its last bytes are certain. */
static inox_status replace_text(ix_decode_stream *s, size_t i, const char *text, size_t n)
{
    const ix_decode_stage *stage = &s->stages->stages[i];
    ix_decode_state *state = &s->states[i];
    IX_TRY(hold(s, i, text, n));
    size_t needle = stage->first.size, size = state->hold.size, done = 0;
    if (needle == 0 || size < needle)
        return INOX_OK;
    const char *p = state->hold.data;
    for (size_t at = 0; at + needle <= size;) {
        if (memcmp(p + at, stage->first.data, needle) != 0) {
            at++;
            continue;
        }
        if (at > done)
            IX_TRY(ix_decode_text(s, i + 1, p + done, at - done));
        IX_TRY(ix_decode_text(s, i + 1, view(&stage->second).data, stage->second.size));
        done = at += needle;
    }
    size_t certain = size - needle + 1 > done ? size - needle + 1 : done;
    while (certain > done && ((unsigned char)p[certain] & 0xC0) == 0x80)
        certain--;
    if (certain > done)
        IX_TRY(ix_decode_text(s, i + 1, p + done, certain - done));
    memmove(state->hold.data, p + certain, size - certain);
    state->hold.size = size - certain;
    return INOX_OK;
}

static inox_status replace_end(ix_decode_stream *s, size_t i)
{
    const ix_decode_stage *stage = &s->stages->stages[i];
    ix_decode_state *state = &s->states[i];
    const char *text = view(&state->hold).data;
    size_t size = state->hold.size, done = 0, start, end;
    bool found = size > 0 && stage->first.size == 0;
    if (found)
        ix_pattern_start(&state->cursor, stage->pattern, text, size);
    while (found) {
        IX_TRY(ix_pattern_next(&state->cursor, &start, &end, &found, s->err));
        if (!found)
            break;
        IX_TRY(ix_decode_text(s, i + 1, text + done, start - done));
        IX_TRY(ix_decode_text(s, i + 1, view(&stage->second).data, stage->second.size));
        done = end;
    }
    IX_TRY(ix_decode_text(s, i + 1, text + done, size - done));
    return ix_decode_end(s, i + 1);
}

/* ---- WordPiece, Metaspace, BPEDecoder, CTC --------------------------------------------------- */

static inox_status wordpiece_end(ix_decode_stream *s, size_t i)
{
    const ix_decode_stage *stage = &s->stages->stages[i];
    ix_decode_state *state = &s->states[i];
    ix_text_view token = view(&state->hold), prefix = view(&stage->first);
    if (state->index++ > 0) {
        bool goes_on =
            token.size >= prefix.size && memcmp(token.data, prefix.data, prefix.size) == 0;
        state->other.size = 0;
        if (!goes_on)
            IX_TRY(ix_buffer_append(&state->other, " ", 1, s->err));
        size_t from = goes_on ? prefix.size : 0;
        IX_TRY(ix_buffer_append(&state->other, token.data + from, token.size - from, s->err));
        ix_buffer swap = state->hold;
        state->hold = state->other;
        state->other = swap;
    }
    if (stage->cleanup)
        IX_TRY(clean_up(&state->hold, &state->other, s->err));
    return give(s, i, view(&state->hold).data, state->hold.size);
}

static inox_status metaspace_text(ix_decode_stream *s, size_t i, const char *text, size_t n)
{
    const ix_decode_stage *stage = &s->stages->stages[i];
    bool drop = s->states[i].index == 0 && stage->prefix;
    size_t from = 0, step;
    for (size_t at = 0; at < n; at += step) {
        uint32_t c;
        step = ix_utf8_read(text + at, n - at, &c);
        if (c != stage->character)
            continue;
        IX_TRY(ix_decode_text(s, i + 1, text + from, at - from));
        if (!drop)
            IX_TRY(ix_decode_text(s, i + 1, " ", 1));
        from = at + step;
    }
    return ix_decode_text(s, i + 1, text + from, n - from);
}

/* The token that waits in `other`; only now it is known whether it is the last. */
static inox_status bpe_give(ix_decode_stream *s, size_t i, bool last)
{
    static const ix_text_view space = { " ", 1 }, nothing = { "", 0 };
    const ix_decode_stage *stage = &s->stages->stages[i];
    ix_decode_state *state = &s->states[i];
    if (!state->waits)
        return INOX_OK;
    state->waits = false;
    ix_buffer out = { 0 };
    inox_status status = replace(view(&state->other).data, state->other.size, view(&stage->first),
                                 last ? nothing : space, &out, s->err);
    if (status == INOX_OK)
        status = give(s, i, view(&out).data, out.size);
    ix_buffer_release(&out);
    return status;
}

static inox_status bpe_end(ix_decode_stream *s, size_t i)
{
    ix_decode_state *state = &s->states[i];
    IX_TRY(bpe_give(s, i, false));
    ix_buffer swap = state->hold;
    state->hold = state->other;
    state->other = swap;
    state->waits = true;
    return INOX_OK;
}

static inox_status ctc_change(const ix_decode_stage *stage, ix_buffer *token, ix_buffer *room,
                              inox_error *err)
{
    static const ix_text_view space = { " ", 1 }, nothing = { "", 0 };
    IX_TRY(replace_in(token, view(&stage->first), nothing, room, err));
    if (!stage->cleanup)
        return INOX_OK;
    IX_TRY(clean_up(token, room, err));
    return replace_in(token, view(&stage->second), space, room, err);
}

/* A token like the one before is left out, and so is one of which nothing stays. */
static inox_status ctc_end(ix_decode_stream *s, size_t i)
{
    ix_decode_state *state = &s->states[i];
    ix_text_view token = view(&state->hold), before = view(&state->other);
    if (state->waits && token.size == before.size &&
        memcmp(token.data, before.data, token.size) == 0)
        return INOX_OK;
    state->waits = true;
    state->other.size = 0;
    IX_TRY(ix_buffer_append(&state->other, token.data, token.size, s->err));
    ix_buffer room = { 0 };
    inox_status status = ctc_change(&s->stages->stages[i], &state->hold, &room, s->err);
    if (status == INOX_OK && state->hold.size > 0)
        status = give(s, i, state->hold.data, state->hold.size);
    ix_buffer_release(&room);
    return status;
}

/* ---- events -------------------------------------------------------------------------------- */

inox_status ix_decode_begin(ix_decode_stream *s, size_t i)
{
    if (i == s->stages->count)
        return INOX_OK;
    ix_decode_state *state = &s->states[i];
    state->hold.size = 0;
    switch (s->stages->stages[i].kind) {
    case IX_DECODE_FUSE: return open(s, i);
    case IX_DECODE_STRIP:
        state->taken = state->held = state->index = 0;
        state->plain = false;
        break;
    case IX_DECODE_BYTE_FALLBACK: state->plain = false; return INOX_OK;
    case IX_DECODE_METASPACE:
    case IX_DECODE_REPLACE: break;
    case IX_DECODE_JOIN:
        IX_TRY(ix_decode_begin(s, i + 1));
        return state->index > 0 ? ix_decode_text(s, i + 1, " ", 1) : INOX_OK;
    case IX_DECODE_BPE:
    case IX_DECODE_BYTE_LEVEL:
    case IX_DECODE_WORDPIECE:
    case IX_DECODE_CTC:
    case IX_DECODE_SEQUENCE: return INOX_OK;
    }
    return ix_decode_begin(s, i + 1);
}

inox_status ix_decode_text(ix_decode_stream *s, size_t i, const char *text, size_t n)
{
    if (n == 0)
        return INOX_OK;
    if (i == s->stages->count)
        return ix_buffer_append(s->out, text, n, s->err);
    switch (s->stages->stages[i].kind) {
    case IX_DECODE_FUSE:
    case IX_DECODE_JOIN: return ix_decode_text(s, i + 1, text, n);
    case IX_DECODE_METASPACE: return metaspace_text(s, i, text, n);
    case IX_DECODE_STRIP: return strip_text(s, i, text, n);
    case IX_DECODE_REPLACE: return replace_text(s, i, text, n);
    case IX_DECODE_BYTE_FALLBACK: return byte_fallback_text(s, i, text, n);
    case IX_DECODE_BPE:
    case IX_DECODE_BYTE_LEVEL:
    case IX_DECODE_WORDPIECE:
    case IX_DECODE_CTC:
    case IX_DECODE_SEQUENCE: break;
    }
    return hold(s, i, text, n);
}

inox_status ix_decode_end(ix_decode_stream *s, size_t i)
{
    if (i == s->stages->count)
        return INOX_OK;
    switch (s->stages->stages[i].kind) {
    case IX_DECODE_FUSE: return INOX_OK;
    case IX_DECODE_JOIN:
    case IX_DECODE_METASPACE: s->states[i].index++; return ix_decode_end(s, i + 1);
    case IX_DECODE_STRIP: return strip_end(s, i);
    case IX_DECODE_REPLACE: return replace_end(s, i);
    case IX_DECODE_BYTE_FALLBACK: return byte_fallback_end(s, i);
    case IX_DECODE_BPE: return bpe_end(s, i);
    case IX_DECODE_BYTE_LEVEL: return byte_level_end(s, i);
    case IX_DECODE_WORDPIECE: return wordpiece_end(s, i);
    case IX_DECODE_CTC: return ctc_end(s, i);
    case IX_DECODE_SEQUENCE: break;
    }
    return INOX_OK;
}

inox_status ix_decode_finish(ix_decode_stream *s, size_t i)
{
    if (i == s->stages->count)
        return INOX_OK;
    ix_decode_kind kind = s->stages->stages[i].kind;
    if (kind == IX_DECODE_BPE)
        IX_TRY(bpe_give(s, i, true));
    if (kind == IX_DECODE_BYTE_FALLBACK)
        IX_TRY(give_bytes(s, i));
    if (kind == IX_DECODE_FUSE || kind == IX_DECODE_BYTE_LEVEL) {
        IX_TRY(open(s, i));
        IX_TRY(bytes(s, i, "", 0, true));
        IX_TRY(ix_decode_end(s, i + 1));
    }
    return ix_decode_finish(s, i + 1);
}
