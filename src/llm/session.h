/* A session: one sequence of tokens, its pages of cache, and the logits of the last feed.
 *
 * The cache is one block per layer, made of pages of 128 positions; memory that was never written
 * to is not resident.  The page table maps a page of the sequence to a page of the cache.
 */
#ifndef IX_LLM_SESSION_H
#define IX_LLM_SESSION_H

#include "llm/model.h"

struct inox_session {
    inox_model *model;
    const ix_variant *variant;
    inox_cache_type cache_type;
    int32_t context; /* positions that fit */
    int32_t pages;
    void **cache;        /* [layers] */
    int32_t *page_table; /* [pages] */
    int32_t *tokens;     /* [context]: what was fed */
    size_t length;
    int32_t *positions, *sequence, *rows; /* [max_batch]: inputs of a step */
    ix_binding *bindings;
    int32_t binding_count;
    int32_t input_tokens; /* index of the binding of the tokens, which change place every step */
    float *logits;
    size_t logits_rows, logits_capacity; /* rows valid, rows that fit */
};

#endif
