/* The cache of longer words.  See long_words.h. */
#include "text/long_words.h"

#include "base/alloc.h"
#include "base/os.h"

inox_status ix_long_words_expect(ix_long_words *c, const ix_word_cache *other, inox_error *err)
{
    int shift = other->shift + 2;
    if (c->slots && c->shift <= shift)
        return INOX_OK;
    ix_long_words_release(c);
    IX_TRY(ix_os_random(&c->factor, sizeof c->factor, err));
    c->factor |= 1;
    c->shift = shift;
    return ix_alloc_table(((size_t)2 << (64 - shift)) * sizeof *c->slots, (void **)&c->slots, err);
}

void ix_long_words_release(ix_long_words *c)
{
    ix_free_aligned(c->slots);
    c->slots = NULL;
}

void ix_long_put(const ix_long_words *c, const char *p, size_t n, uint64_t hash,
                 const uint32_t *tokens, size_t count)
{
    if (n == 0 || n > IX_LONG_ROOM || count > (IX_LONG_ROOM - n) / sizeof *tokens)
        return;
    ix_long_slot *line = ix_long_line(c, hash);
    line[1] = line[0];
    line[0].hash = (uint32_t)hash;
    line[0].size = (uint8_t)n;
    line[0].count = (uint8_t)count;
    memcpy(line[0].room.tokens, tokens, count * sizeof *tokens);
    memcpy(line[0].room.bytes + count * sizeof *tokens, p, n);
}
