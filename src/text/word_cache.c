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

inox_status ix_word_cache_new(ix_word_cache *c, int lines_log2, bool filled, inox_error *err)
{
    uint64_t secret[2];
    *c = (ix_word_cache){ .shift = 64 - lines_log2 };
    IX_TRY(ix_os_random(secret, sizeof secret, err));
    c->factor = secret[0] | 1;
    c->factor_high = secret[1] | 1;
    size_t bytes = ((size_t)2 << lines_log2) * sizeof *c->slots;
    return filled
               ? ix_alloc_aligned(bytes, 64, (void **)&c->slots, err)
               : ix_alloc_sparse(bytes, 64, (void **)&c->slots, err); /* short texts use little */
}

void ix_word_cache_release(ix_word_cache *c)
{
    ix_free_aligned(c->slots);
    c->slots = NULL;
}
