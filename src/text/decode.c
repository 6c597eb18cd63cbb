/* Token ids to text, whole or one at a time: what is the same for all families. */
#include "base/alloc.h"
#include "text/family.h"
#include "text/unicode.h"

#include <string.h>

inox_status ix_decoder_append(ix_decoder *d, const char *bytes, size_t n, ix_buffer *out,
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
    return t->family->push(d, id, out, err);
}

inox_status ix_decoder_flush(ix_decoder *d, ix_buffer *out, inox_error *err)
{
    inox_status status = INOX_OK;
    if (d->tokenizer->family->flush)
        status = d->tokenizer->family->flush(d, out, err);
    if (status == INOX_OK && d->held > 0)
        status = ix_buffer_append(out, "\xEF\xBF\xBD", 3, err);
    ix_decoder_clear(d);
    return status;
}

void ix_decoder_clear(ix_decoder *d)
{
    if (d->state && d->tokenizer->family->state_free)
        d->tokenizer->family->state_free(d->state);
    ix_decoder_init(d, d->tokenizer, d->flags);
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
    ix_decoder_clear(&d);
    if (status != INOX_OK && out->data) {
        out->size = before;
        out->data[before] = 0;
    }
    return status;
}
