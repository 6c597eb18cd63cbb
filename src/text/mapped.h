/* Text on its way to the model, and where in the source its bytes come from.
 *
 *     source    " H e l l o   É Z"         (a text of the caller's)
 *     data      "▁hello▁ez"                (what the stages made of it)
 *     runs      ▁ -> [0,1)   hello -> byte for byte from 1   ▁ -> [6,7)   e -> [7,9)   z -> 9
 *
 * A run is a stretch of data whose bytes either stand one for one for bytes of the source, or all
 * for the same range of it.  Text that is still the source has no runs at all, so stages that
 * change nothing cost nothing.  Runs are in order and their ranges never go back: starts and ends
 * both only grow along the data.
 *
 * A stage that rewrites goes through the old text from front to back with an ix_rewrite.
 */
#ifndef IX_TEXT_MAPPED_H
#define IX_TEXT_MAPPED_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IX_MAP_SAME                                                                                \
    0xFFFFFFFFu /* `end` of a run whose byte at + i is byte start + i of the source */

typedef struct ix_map_run {
    uint32_t at; /* first byte in data; the run ends where the next one begins */
    uint32_t start, end;
} ix_map_run;

/* `data` is a view of the caller's bytes until something is written. */
typedef struct ix_mapped_text {
    const char *data;
    size_t size;
    uint32_t base;    /* where in the source the text began, whatever became of it */
    char *owned;      /* data, where it had to be written anew */
    size_t capacity;  /* of owned */
    ix_map_run *runs; /* count 0: byte i is byte base + i of the source */
    size_t run_count, run_capacity;
} ix_mapped_text;

void ix_mapped_release(ix_mapped_text *t);

/* A hint where to look; start from zeros.  Going through a text with one costs a step per run. */
typedef struct ix_map_cursor {
    size_t run;
} ix_map_cursor;

/* The source bytes [*from, *to) that data[start..end) stands for; start < end.  They may begin or
 * end inside a character where a token does (ix_whole_characters). */
void ix_mapped_range(const ix_mapped_text *t, ix_map_cursor *c, size_t start, size_t end,
                     uint32_t *from, uint32_t *to);

/* The source position that byte i of data stands for, or the end of it. For single questions. */
uint32_t ix_mapped_start(const ix_mapped_text *t, size_t i);
uint32_t ix_mapped_end(const ix_mapped_text *t, size_t i); /* i: the last byte */

/* Widens [*from, *to) to whole characters of source, which is UTF-8; an empty range stays. */
static inline void ix_whole_characters(const char *source, size_t size, uint32_t *from,
                                       uint32_t *to)
{
    if (*from == *to)
        return;
    while (*from > 0 && ((unsigned char)source[*from] & 0xC0) == 0x80)
        (*from)--;
    while (*to < size && ((unsigned char)source[*to] & 0xC0) == 0x80)
        (*to)++;
}

/* Appends bytes that stand for source[start..end) to a text that was made here (owned or empty). */
inox_status ix_mapped_append(ix_mapped_text *t, const char *bytes, size_t n, uint32_t start,
                             uint32_t end, inox_error *err) IX_MUST_USE;
/* Appends bytes that stand one for one for source[start..start + n). */
inox_status ix_mapped_append_same(ix_mapped_text *t, const char *bytes, size_t n, uint32_t start,
                                  inox_error *err) IX_MUST_USE;

/* Makes `data` writable in place (t->owned), for stages that keep every position. */
inox_status ix_mapped_own(ix_mapped_text *t, inox_error *err) IX_MUST_USE;

/* A text being made from an old one; positions are bytes of the old one. */
typedef struct ix_rewrite {
    const ix_mapped_text *old;
    ix_mapped_text out;
    ix_map_cursor cursor;
} ix_rewrite;

/* room: a guess at the bytes of the new text. */
inox_status ix_rewrite_begin(ix_rewrite *w, const ix_mapped_text *old, size_t room,
                             inox_error *err) IX_MUST_USE;
/* old[from..to) goes on as it is; nothing happens for an empty one. */
inox_status ix_rewrite_copy(ix_rewrite *w, size_t from, size_t to, inox_error *err) IX_MUST_USE;
/* `bytes` stands for what old[from..to) stands for.  from == to: for the empty range in front of
 * old[from], or behind the last byte of old. */
inox_status ix_rewrite_put(ix_rewrite *w, const char *bytes, size_t n, size_t from, size_t to,
                           inox_error *err) IX_MUST_USE;
/* n bytes that stand one for one for old[from..from + n): characters that change and keep their
 * length. */
inox_status ix_rewrite_put_same(ix_rewrite *w, const char *bytes, size_t n, size_t from,
                                inox_error *err) IX_MUST_USE;
/* Releases the old text, which must not be const, and puts the new one in its place. */
void ix_rewrite_finish(ix_rewrite *w, ix_mapped_text *old);
/* Gives up: the old text is as it was. */
void ix_rewrite_cancel(ix_rewrite *w);

#endif
