/* A cache: the bytes of pages that sessions share, and the inputs of the steps over them.
 *
 *     block of layer 0    [page 0][page 1][page 2] ...     keys, then values, of 128 positions
 *     block of layer 1    [page 0][page 1][page 2] ...     a sequence's page has one number in all
 *     ...
 *
 * Memory that was never written to is not resident.  A cache belongs to one model and one type of
 * elements: with the tokens, these are all that a page's bytes depend on.  Who holds which page is
 * in llm/pages.h.
 *
 * Threads: pages are locked by themselves; what a step needs is used with the model's lock held.
 */
#ifndef IX_LLM_CACHE_H
#define IX_LLM_CACHE_H

#include "llm/model.h"
#include "llm/pages.h"

struct inox_cache {
    inox_model *model;
    const ix_variant *variant;
    inox_cache_type type; /* not auto */
    ix_page_pool pages;
    uint64_t page_bytes; /* in one layer */
    void **blocks;       /* [layers] */
    /* inputs of a step, [max_batch] each */
    int32_t *tokens, *positions, *sequence, *rows;
    int32_t *page_table; /* [sequences of the step][pages of the longest] */
    size_t page_table_capacity;
    ix_binding *bindings;
    int32_t binding_count;
    int32_t page_table_binding; /* its data moves when it grows */
    float *logits;              /* of a step in which several sessions have some */
    size_t logits_capacity;     /* rows */
};

/* type: auto becomes what the weights ask for.  reuse: full pages are found again by their
 * tokens. */
inox_status ix_cache_new(inox_model *model, inox_cache_type type, int64_t pages, bool reuse,
                         inox_cache **out, inox_error *err) IX_MUST_USE;
inox_cache_type ix_cache_type_of(const inox_model *m, inox_cache_type type);

/* One page's bytes in all layers. */
void ix_cache_copy_page(const inox_cache *c, int32_t from, int32_t to);

/* Room for a step: page table entries and rows of logits.  The caller holds the model's lock. */
inox_status ix_cache_reserve(inox_cache *c, size_t page_table, size_t logits,
                             inox_error *err) IX_MUST_USE;

#endif
