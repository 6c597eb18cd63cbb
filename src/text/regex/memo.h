/* What a search remembers: which instructions failed where, and its stack of choices.
 *
 *     pages[position / 512] -> planes x 512 bits
 *
 * A plane is the "failed" or "succeeded" bits of one slot.  Pages are made when a bit of theirs is
 * set, and let go when the search has passed them.  All memory counts toward IX_MAX_REGEX_MEMORY.
 */
#ifndef IX_TEXT_REGEX_MEMO_H
#define IX_TEXT_REGEX_MEMO_H

#include "base/alloc.h"
#include "text/regex/program.h"

enum {
    IX_PAGE_BITS = 512,
    IX_PAGE_WORDS = IX_PAGE_BITS / 64, /* of one plane */
};

typedef enum ix_frame_kind {
    IX_FRAME_SPLIT,     /* go on at pc, pos */
    IX_FRAME_STAR,      /* pos failed: mark that and step back, down to low */
    IX_FRAME_STEP_BACK, /* the same without marks */
    IX_FRAME_ONLY,      /* a possessive star: from low to pos all fail */
    IX_FRAME_LAZY,      /* pos failed: take one more character; low: where it began */
    IX_FRAME_COUNTED,   /* the same for a lazy SPAN; low: how many more */
    IX_FRAME_BODY,      /* a look or an atomic group at pc began at pos; low: the body around it */
} ix_frame_kind;

typedef struct ix_frame {
    uint32_t pc, pos, low;
    uint32_t trail; /* entries of the trail before it << 3 | kind */
} ix_frame;

typedef struct ix_visit { /* inside bodies: a slot that is being tried */
    uint32_t slot, pos;
} ix_visit;

typedef struct ix_end { /* where an atomic body ends that goes through a slot at a position */
    uint64_t key;       /* slot << 32 | position, plus 1; 0: empty */
    uint32_t end;
} ix_end;

typedef struct ix_regex_work {
    size_t planes;
    uint64_t **pages;
    size_t page_count, first_page, last_page; /* used ones are in first_page..last_page - 1 */
    uint64_t *spare;                          /* pages to use again, linked by their first word */
    ix_frame *stack;
    size_t top, stack_capacity;
    ix_visit *trail;
    size_t trail_top, trail_capacity;
    ix_end *ends;
    size_t end_count, end_capacity, last_end; /* last_end: position of the farthest one */
    size_t memory;
} ix_regex_work;

void ix_memo_release(ix_regex_work *w);
/* Forgets everything, for a program with this many planes. */
void ix_memo_reset(ix_regex_work *w, size_t planes);
/* Lets go what is known of places before the position. */
void ix_memo_pass(ix_regex_work *w, size_t pos);
/* Clears the bits of all planes at the position. */
void ix_memo_clear_column(ix_regex_work *w, size_t pos);

/* 64 bits of a plane: those of positions pos & ~63 and on. */
static inline uint64_t ix_memo_word(const ix_regex_work *w, uint32_t plane, size_t pos)
{
    size_t page = pos / IX_PAGE_BITS;
    if (page >= w->page_count || !w->pages[page])
        return 0;
    return w->pages[page][plane * IX_PAGE_WORDS + (pos % IX_PAGE_BITS) / 64];
}
static inline bool ix_memo_get(const ix_regex_work *w, uint32_t plane, size_t pos)
{
    return ix_memo_word(w, plane, pos) >> (pos & 63) & 1;
}
/* Sets from..to. */
inox_status ix_memo_set(ix_regex_work *w, uint32_t plane, size_t from, size_t to,
                        inox_error *err) IX_MUST_USE;
void ix_memo_unset(ix_regex_work *w, uint32_t plane, size_t pos);

inox_status ix_memo_push(ix_regex_work *w, ix_frame frame, ix_frame_kind kind,
                         inox_error *err) IX_MUST_USE;
inox_status ix_memo_visit(ix_regex_work *w, uint32_t slot, size_t pos, inox_error *err) IX_MUST_USE;
inox_status ix_memo_put_end(ix_regex_work *w, uint32_t slot, size_t pos, size_t end,
                            inox_error *err) IX_MUST_USE;
size_t ix_memo_get_end(const ix_regex_work *w, uint32_t slot, size_t pos);

#endif
