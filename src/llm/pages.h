/* Bookkeeping of a cache's pages: who holds which, what is in them, what may go.
 *
 * A page is IX_PAGE positions of one sequence, in all layers.  It is in one of three states:
 *
 *     free   nobody holds it, and nothing in it is of use
 *     used   `users` sequences hold it
 *     kept   nobody holds it, but it is in the index: a sequence that begins with its tokens takes
 *            it again; the one that was given back first is the first to be evicted
 *
 * By the numeric contract what a page holds depends on the tokens from position 0 to its last one
 * and on nothing else, so a full page is found again by its 128 tokens and the page before it.
 * Each page that enters the index gets a serial number that never comes again; the key is (serial
 * of the page before, 0 for none; the tokens), and it is compared whole: the hash chain only finds
 * the bucket.  A page in the index, or with several users, is never written: who wants to write
 * takes a copy.
 *
 * All calls lock.  This file knows nothing of the bytes of a page; those are in llm/cache.h.
 */
#ifndef IX_LLM_PAGES_H
#define IX_LLM_PAGES_H

#include "base/alloc.h"
#include "base/lock.h"
#include "num/attention/attention.h"

#include <stdbool.h>

/* Page numbers in links are one more than the page, so that zeroed memory is an empty list. */
typedef struct ix_page {
    int32_t users;
    int32_t before, after;   /* in the list of free (after only) or of kept pages */
    int32_t chain;           /* the next page of the bucket */
    uint64_t hash;           /* over the hash of the page before and the tokens */
    uint64_t serial, parent; /* its own number, 0: not in the index; that of the page before */
} ix_page;

typedef struct ix_page_pool {
    ix_lock lock;
    ix_page *pages; /* [count] */
    int32_t count;
    int32_t touched;                /* pages from here on were never taken */
    int32_t free_first, free_count; /* given back and not kept */
    int32_t kept_first, kept_last, kept_count;
    int32_t *tokens;  /* [count][IX_PAGE] of the pages in the index; NULL: there is no index */
    int32_t *buckets; /* [bucket_mask + 1] */
    uint32_t bucket_mask;
    uint64_t serials;         /* given so far */
    uint64_t reused, evicted; /* pages, so far */
} ix_page_pool;

/* index: full pages are found again by their tokens. */
inox_status ix_page_pool_init(ix_page_pool *p, int32_t pages, bool index,
                              inox_error *err) IX_MUST_USE;
void ix_page_pool_release(ix_page_pool *p);

/* The pages of one sequence, in order. */
typedef struct ix_page_list {
    int32_t *ids;    /* room for as many as the sequence may need */
    int32_t count;   /* held */
    int32_t settled; /* the first so many are full and in the index */
} ix_page_list;

/* What one sequence wants to append: ids[0..count) behind tokens[0..length).  Several claims,
 * linked by `next`, are met all or not at all. */
typedef struct ix_page_claim {
    ix_page_list *list;
    const int32_t *tokens, *ids;
    size_t length, count;
    size_t computed_min; /* of the last ids: their logits are wanted, so they are not reused */
    struct ix_page_claim *next;
    /* out */
    size_t reused;    /* positions from `length` on that lie in pages found */
    int32_t replaced; /* page that gave way to another at list->ids[length / IX_PAGE], or -1 */
    bool copy;        /* the new page there must begin as a copy of it */
    int32_t held;     /* list->count before */
} ix_page_claim;

/* Pages for all claims; too few: INOX_E_LIMIT, and nothing has changed.  Each claim that was met
 * ends with one of the next two. */
inox_status ix_pages_claim(ix_page_pool *p, ix_page_claim *first, inox_error *err) IX_MUST_USE;
void ix_pages_keep(ix_page_pool *p, ix_page_claim *c);
void ix_pages_undo(ix_page_pool *p, ix_page_claim *c);

/* tokens[0..length) are computed: full pages enter the index, or give way to equal ones there. */
void ix_pages_settle(ix_page_pool *p, ix_page_list *list, const int32_t *tokens, size_t length);
/* Gives back what lies behind position `length`. */
void ix_pages_truncate(ix_page_pool *p, ix_page_list *list, size_t length);
/* `to`, which is empty, holds the pages of `from` too. */
void ix_pages_share(ix_page_pool *p, const ix_page_list *from, ix_page_list *to);

typedef struct ix_page_counts {
    int32_t used, kept;
    uint64_t reused, evicted;
} ix_page_counts;
ix_page_counts ix_pages_count(ix_page_pool *p);

static inline int32_t ix_pages_for(size_t positions)
{
    return (int32_t)((positions + IX_PAGE - 1) / IX_PAGE);
}

#endif
