/* The cache of longer words.  See long_words.h. */
#include "text/long_words.h"

#include "base/alloc.h"
#include "base/os.h"

enum { LEAST_LINES_LOG2 = 10, MOST_LINES_LOG2 = 16, STEP_LOG2 = 2 };

static inox_status make_lines(ix_long_words *c, int lines_log2, inox_error *err)
{
    c->shift = 64 - lines_log2;
    c->puts = 0;
    return ix_alloc_table(((size_t)2 << lines_log2) * sizeof *c->slots, (void **)&c->slots, err);
}

inox_status ix_long_words_new(ix_long_words *c, inox_error *err)
{
    *c = (ix_long_words){ 0 };
    IX_TRY(ix_os_random(&c->factor, sizeof c->factor, err));
    c->factor |= 1;
    return make_lines(c, LEAST_LINES_LOG2, err);
}

void ix_long_words_release(ix_long_words *c)
{
    ix_free_aligned(c->slots);
    c->slots = NULL;
}

static void put_slot(ix_long_words *c, uint64_t hash, const ix_long_slot *slot)
{
    ix_long_slot *line = ix_long_line(c, hash);
    line[1] = line[0];
    line[0] = *slot;
    line[0].hash = (uint32_t)hash;
}

static inox_status grow(ix_long_words *c, inox_error *err)
{
    ix_long_words old = *c, new = *c;
    int lines_log2 = 64 - old.shift;
    IX_TRY(make_lines(&new, lines_log2 + STEP_LOG2, err));
    for (size_t line = 0; line < (size_t)1 << lines_log2; line++)
        for (int i = 1; i >= 0; i--) { /* the newer one last */
            const ix_long_slot *slot = &old.slots[line * 2 + (size_t)i];
            if (slot->size > 0)
                put_slot(&new, ix_long_hash(c, ix_long_bytes(slot), slot->size), slot);
        }
    ix_long_words_release(&old);
    *c = new;
    return INOX_OK;
}

inox_status ix_long_put(ix_long_words *c, const char *p, size_t n, unsigned tag,
                        const uint32_t *tokens, size_t count, inox_error *err)
{
    ix_long_slot slot = { .size = (uint8_t)n, .count = (uint8_t)count, .tag = (uint8_t)tag };
    if (n == 0 || n > IX_LONG_ROOM || count > (IX_LONG_ROOM - n) / sizeof *tokens)
        return INOX_OK;
    if (c->puts++ > (size_t)1 << (64 - c->shift) && c->shift > 64 - MOST_LINES_LOG2)
        IX_TRY(grow(c, err));
    memcpy(slot.room.tokens, tokens, count * sizeof *tokens);
    memcpy(slot.room.bytes + count * sizeof *tokens, p, n);
    put_slot(c, ix_long_hash(c, p, n), &slot);
    return INOX_OK;
}
