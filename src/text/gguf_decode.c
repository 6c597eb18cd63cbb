/* Token ids of the arrays of GGUF to text. */
#include "text/gguf.h"
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

/* A piece with U+2581 as spaces; at the beginning of a text one is left out where one was added. */
static inox_status append_escaped(ix_decoder *d, const ix_text_view *piece, ix_buffer *out,
                                  inox_error *err)
{
    static const char space[] = "\xE2\x96\x81";
    const char *p = piece->data, *end = p + piece->size;
    const ix_gguf_tokenizer *t = (const ix_gguf_tokenizer *)d->tokenizer;
    bool strip = !d->started && !(d->flags & IX_DECODE_CONTINUE) && t->add_space_prefix;
    d->started = d->started || piece->size > 0;
    for (const char *from = p; p < end; from = p) {
        while (p < end && !(end - p >= 3 && memcmp(p, space, 3) == 0))
            p++;
        if (p > from)
            IX_TRY(ix_decoder_append(d, from, (size_t)(p - from), out, err));
        if (p == end)
            break;
        if (!(strip && from == p && from == piece->data))
            IX_TRY(ix_decoder_append(d, " ", 1, out, err));
        p += 3;
    }
    return INOX_OK;
}

inox_status ix_gguf_push(ix_decoder *d, int32_t id, ix_buffer *out, inox_error *err)
{
    const ix_gguf_tokenizer *t = (const ix_gguf_tokenizer *)d->tokenizer;
    const ix_text_view *piece = &t->pieces[id];
    int type = t->types[id], byte;
    if (type == IX_PIECE_CONTROL || type == IX_PIECE_UNKNOWN) {
        if (!(d->flags & IX_DECODE_SPECIAL))
            return INOX_OK;
    } else if (type == IX_PIECE_BYTE && (byte = ix_byte_of_piece(piece)) >= 0) {
        char b = (char)byte;
        d->started = true;
        return ix_decoder_append(d, &b, 1, out, err);
    } else if (t->kind == IX_SENTENCEPIECE || t->escape) {
        return append_escaped(d, piece, out, err);
    } else if (type != IX_PIECE_USER && t->bytes[id].data) {
        piece = &t->bytes[id];
    }
    d->started = d->started || piece->size > 0;
    return ix_decoder_append(d, piece->data, piece->size, out, err);
}
