/* Making the table of words.  See word_table.h. */
#include "text/word_table.h"

#include "base/alloc.h"

/* 2 MiB at most: what is asked for again and again should stay in a core's own caches. */
enum { LINES_LOG2_MIN = 1, LINES_LOG2_MAX = 15 };

void ix_word_table_init(ix_word_table *t)
{
    static const ix_word_line empty[1 << LINES_LOG2_MIN];
    *t = (ix_word_table){ .lines = empty, .shift = 64 - LINES_LOG2_MIN };
}

inox_status ix_word_table_new(ix_word_table *t, size_t words, inox_error *err)
{
    int log2 = LINES_LOG2_MIN;
    ix_word_table_init(t);
    while (log2 < LINES_LOG2_MAX && (size_t)IX_TABLE_WAYS << log2 < words)
        log2++;
    IX_TRY(ix_alloc_table(sizeof *t->own << log2, (void **)&t->own, err));
    t->lines = t->own;
    t->shift = 64 - log2;
    return INOX_OK;
}

void ix_word_table_release(ix_word_table *t)
{
    ix_free_aligned(t->own);
    ix_word_table_init(t);
}

void ix_word_table_add(ix_word_table *t, const char *word, size_t size, int32_t id)
{
    ix_cache_key key = ix_cache_key_of(word, size, 0, false);
    uint32_t rest = ix_table_rest(key.high, size);
    ix_word_line *line = &t->own[ix_table_line(t, key.low, rest)];
    for (size_t i = 0; i < IX_TABLE_WAYS; i++) {
        if (line->rest[i] == rest && line->low[i] == key.low)
            return;
        if (line->rest[i] != 0)
            continue;
        line->low[i] = key.low;
        line->rest[i] = rest;
        line->ids[i] = id;
        return;
    }
}
