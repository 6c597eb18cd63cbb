/* Making the cache of words.  See word_cache.h. */
#include "text/word_cache.h"

#include "base/alloc.h"
#include "base/os.h"

#define LOW(n)                                                                                     \
    {                                                                                              \
        ((uint64_t)1 << 8 * (n)) - 1, 0                                                            \
    }
#define HIGH(n)                                                                                    \
    {                                                                                              \
        UINT64_MAX, ((uint64_t)1 << 8 * (n)) - 1                                                   \
    }
const ix_cache_key ix_cache_masks[IX_CACHED_BYTES + 1] = {
    LOW(0),  LOW(1),  LOW(2),  LOW(3),  LOW(4),  LOW(5),  LOW(6),  LOW(7),
    HIGH(0), HIGH(1), HIGH(2), HIGH(3), HIGH(4), HIGH(5), HIGH(6), HIGH(7),
};

static inox_status make_lines(ix_word_cache *c, int lines_log2, inox_error *err)
{
    c->shift = 64 - lines_log2;
    return ix_alloc_table(((size_t)2 << lines_log2) * sizeof *c->slots, (void **)&c->slots, err);
}

inox_status ix_word_cache_new(ix_word_cache *c, int lines_log2, inox_error *err)
{
    uint64_t secret[2];
    *c = (ix_word_cache){ 0 };
    IX_TRY(ix_os_random(secret, sizeof secret, err));
    c->factor = secret[0] | 1;
    c->factor_high = secret[1] | 1;
    return make_lines(c, lines_log2, err);
}

inox_status ix_word_cache_grow(ix_word_cache *c, int lines_log2, inox_error *err)
{
    ix_word_cache old = *c, new = *c;
    IX_TRY(make_lines(&new, lines_log2, err));
    for (size_t line = 0; line < (size_t)1 << (64 - old.shift); line++)
        for (int i = 1; i >= 0; i--) { /* the newer one last */
            const ix_cache_slot *slot = &old.slots[line * 2 + (size_t)i];
            if (slot->key.high != 0)
                ix_cache_copy(ix_cache_line(&new, slot->key), slot);
        }
    ix_word_cache_release(&old);
    *c = new;
    return INOX_OK;
}

void ix_word_cache_release(ix_word_cache *c)
{
    ix_free_aligned(c->slots);
    c->slots = NULL;
}
