/* Unigram's search for the best path.  Private to the files unigram*.c.
 *
 *     step of a path = bytes of the piece (255: or more) << 24 | id + 1
 *                    | bytes of an unknown character << 24 | IX_STEP_UNKNOWN
 *
 *     places    0 . . a . . . b . . . . .
 *     steps     [-----)[------)             back[b]: the step that ends there on the best way to b
 *                     ring of sums at b and at all places that a piece from before b ends at
 */
#ifndef IX_TEXT_UNIGRAM_SEARCH_H
#define IX_TEXT_UNIGRAM_SEARCH_H

#include "text/model_parts.h"

enum { IX_STEP_SIZE_AT = 24, IX_STEP_LONG = 255, IX_STEP_UNKNOWN = 0xFFFFFF };

static inline uint32_t ix_step_unknown(size_t n)
{
    return (uint32_t)n << IX_STEP_SIZE_AT | IX_STEP_UNKNOWN;
}

static inline bool ix_step_is_unknown(uint32_t step)
{
    return (step & IX_STEP_UNKNOWN) == IX_STEP_UNKNOWN;
}

static inline int32_t ix_step_id(uint32_t step)
{
    return (int32_t)(step & IX_STEP_UNKNOWN) - 1;
}

/* Bytes of a step. */
static inline size_t ix_step_size(const ix_vocabulary *v, uint32_t step)
{
    size_t n = step >> IX_STEP_SIZE_AT;
    return n < IX_STEP_LONG ? n : v->pieces[ix_step_id(step)].size;
}

/* Whether an unknown character, or several, p[0..n), are tokens of their bytes: all are there. */
static inline bool ix_unigram_has_bytes(const ix_unigram_model *u, const char *p, size_t n)
{
    bool all = u->byte_fallback;
    for (size_t i = 0; i < n && all; i++)
        all = u->byte_ids[(unsigned char)p[i]] >= 0;
    return all;
}

/* The child, or 0. */
static inline uint32_t ix_unigram_step(const ix_unigram_node *nodes, uint32_t node, char c)
{
    uint32_t to = nodes[node].base ^ (unsigned char)c;
    return nodes[to].parent == node ? to : 0;
}

/* Makes u->nodes, u->longest and u->careful.  ids: of the pieces, -1 leaves one out. */
inox_status ix_unigram_make_nodes(ix_unigram_model *u, const ix_vocabulary *v, const int32_t *ids,
                                  inox_error *err) IX_MUST_USE;

/* Takes the next steps of the best path, of which the first begins at text[start]. */
typedef inox_status (*ix_unigram_take)(void *context, const uint32_t *steps, size_t count,
                                       size_t start, inox_error *err);

/* The best path through text[start..end), start < end, to `take`, part by part.  sum: of what was
 * before; tokenizers has 0. */
inox_status ix_unigram_search(const ix_model *m, ix_model_scratch *s, const char *text,
                              size_t start, size_t end, float *sum, ix_unigram_take take,
                              void *context, inox_error *err) IX_MUST_USE;

/* tokenizers: appends the ids of a word, size > 0. */
inox_status ix_unigram_add_ids(const ix_model *m, ix_model_scratch *s, const char *text,
                               size_t size, ix_encoding *out, inox_error *err) IX_MUST_USE;

#endif
