/* Token ids to text, whole or one at a time. */
#include "text/bpe.h"
#include "text/unicode.h"

#include <string.h>

int ix_byte_of_piece(const ix_text_view *piece)
{
    static const char digits[] = "0123456789ABCDEFabcdef";
    if (piece->size != 6 || memcmp(piece->data, "<0x", 3) != 0 || piece->data[5] != '>')
        return -1;
    int value = 0;
    for (int i = 3; i < 5; i++) {
        const char *d = piece->data[i] ? strchr(digits, piece->data[i]) : NULL;
        if (!d)
            return -1;
        value = value * 16 + (int)(d - digits) - (d - digits > 15 ? 6 : 0);
    }
    return value;
}

/* Appends bytes so that what is not UTF-8 becomes U+FFFD, one for each maximal part of a character.
 * The beginning of a character at the end is held back for the next call. */
static inox_status append_text(ix_decoder *d, const char *bytes, size_t n, ix_buffer *out,
                               inox_error *err)
{
    if (d->flags & IX_DECODE_RAW)
        return ix_buffer_append(out, bytes, n, err);
    while (n > 0) {
        char joined[8];
        const char *p = bytes;
        size_t left = n, held = d->held;
        if (held > 0) { /* look at the held bytes and what follows them */
            size_t take = n < 4 ? n : 4;
            memcpy(joined, d->pending, held);
            memcpy(joined + held, bytes, take);
            p = joined;
            left = held + take;
        }
        bool whole, bad;
        size_t size = ix_utf8_prefix(p, left, &whole, &bad);
        if (!whole) { /* all of `left`, fewer than four bytes */
            memcpy(d->pending, p, size);
            d->held = (uint8_t)size;
            return INOX_OK;
        }
        if (!bad && held == 0) { /* the longest stretch of whole characters at once */
            for (size_t more; size < n; size += more) {
                more = ix_utf8_prefix(bytes + size, n - size, &whole, &bad);
                if (bad || !whole)
                    break;
            }
            bad = false;
        }
        IX_TRY(ix_buffer_append(out, bad ? "\xEF\xBF\xBD" : p, bad ? 3 : size, err));
        d->held = 0;
        bytes += size - held; /* held bytes are the valid beginning: size is never less */
        n -= size - held;
    }
    return INOX_OK;
}

/* A piece with U+2581 as spaces; at the beginning of a text one is left out where one was added. */
static inox_status append_escaped(ix_decoder *d, const ix_text_view *piece, ix_buffer *out,
                                  inox_error *err)
{
    static const char space[] = "\xE2\x96\x81";
    const char *p = piece->data, *end = p + piece->size;
    bool strip = !d->started && !(d->flags & IX_DECODE_CONTINUE) && d->tokenizer->add_space_prefix;
    d->started = d->started || piece->size > 0;
    for (const char *from = p; p < end; from = p) {
        while (p < end && !(end - p >= 3 && memcmp(p, space, 3) == 0))
            p++;
        if (p > from)
            IX_TRY(append_text(d, from, (size_t)(p - from), out, err));
        if (p == end)
            break;
        if (!(strip && from == p && from == piece->data))
            IX_TRY(append_text(d, " ", 1, out, err));
        p += 3;
    }
    return INOX_OK;
}

void ix_decoder_init(ix_decoder *d, const ix_tokenizer *t, unsigned flags)
{
    *d = (ix_decoder){ .tokenizer = t, .flags = flags };
}

inox_status ix_decoder_push(ix_decoder *d, int32_t id, ix_buffer *out, inox_error *err)
{
    const ix_tokenizer *t = d->tokenizer;
    if (id < 0 || (size_t)id >= t->count)
        return ix_fail(err, INOX_E_ARGUMENT, "token id %ld is not in the vocabulary of %zu tokens",
                       (long)id, t->count);
    const ix_text_view *piece = &t->pieces[id];
    int type = t->types[id], byte;
    if (type == IX_PIECE_CONTROL || type == IX_PIECE_UNKNOWN) {
        if (!(d->flags & IX_DECODE_SPECIAL))
            return INOX_OK;
    } else if (type == IX_PIECE_BYTE && (byte = ix_byte_of_piece(piece)) >= 0) {
        char b = (char)byte;
        d->started = true;
        return append_text(d, &b, 1, out, err);
    } else if (t->kind == IX_SENTENCEPIECE || t->escape) {
        return append_escaped(d, piece, out, err);
    } else if (type != IX_PIECE_USER && t->bytes[id].data) {
        piece = &t->bytes[id];
    }
    d->started = d->started || piece->size > 0;
    return append_text(d, piece->data, piece->size, out, err);
}

inox_status ix_decoder_flush(ix_decoder *d, ix_buffer *out, inox_error *err)
{
    if (d->held > 0)
        IX_TRY(ix_buffer_append(out, "\xEF\xBF\xBD", 3, err));
    d->held = 0;
    return INOX_OK;
}

inox_status ix_tokenizer_decode(const ix_tokenizer *t, const int32_t *ids, size_t count,
                                unsigned flags, ix_buffer *out, inox_error *err)
{
    size_t before = out->size;
    ix_decoder d;
    ix_decoder_init(&d, t, flags);
    inox_status status = INOX_OK;
    for (size_t i = 0; i < count && status == INOX_OK; i++)
        status = ix_decoder_push(&d, ids[i], out, err);
    if (status == INOX_OK)
        status = ix_decoder_flush(&d, out, err);
    if (status != INOX_OK && out->data) {
        out->size = before;
        out->data[before] = 0;
    }
    return status;
}
