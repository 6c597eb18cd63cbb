/* A session: one sequence of tokens, the pages of a cache that hold it, and the logits of the last
 * feed.  A session without a cache of the caller's has one to itself, just as large as its context,
 * in which nothing is looked up.
 */
#ifndef IX_LLM_SESSION_H
#define IX_LLM_SESSION_H

#include "llm/cache.h"

struct inox_session {
    inox_model *model;
    inox_cache *cache;
    bool own_cache;
    int32_t context; /* positions that fit */
    ix_page_list pages;
    int32_t *tokens; /* [context]: what was fed */
    size_t length;
    size_t reused; /* positions of the last feed that were found in the cache */
    float *logits;
    size_t logits_rows, logits_capacity; /* rows valid, rows that fit */
    /* of the feed under way */
    ix_page_claim claim;
    size_t place; /* in the array of feeds */
};

/* Room for so many rows of logits; the rows there are stay. */
inox_status ix_session_room(inox_session *s, size_t rows, inox_error *err) IX_MUST_USE;

/* feed.c: inox_sessions_feed, in which tokens may be a guess that is taken back: full pages enter
 * the cache's index only by ix_session_settle. */
inox_status ix_sessions_feed(const inox_feed *feeds, size_t count, inox_error *err) IX_MUST_USE;
void ix_session_settle(inox_session *s);

/* As if the last feed had ended at `length`, with row `row` of its logits, and settles. */
void ix_session_keep_row(inox_session *s, size_t row, size_t length);

#endif
