/* Bookkeeping of a cache's pages.  Functions below the line "calls" lock; those above are called
 * with the lock held. */
#include "llm/pages.h"

#include <string.h>

inox_status ix_page_pool_init(ix_page_pool *p, int32_t pages, bool index, inox_error *err)
{
    *p = (ix_page_pool){ .count = pages };
    inox_status status = IX_ALLOC(&p->pages, (size_t)pages, err);
    if (status == INOX_OK && index) {
        uint32_t buckets = 1;
        while (buckets < (uint32_t)pages)
            buckets *= 2;
        p->bucket_mask = buckets - 1;
        status = IX_ALLOC(&p->buckets, buckets, err);
        if (status == INOX_OK)
            status = ix_alloc((size_t)pages, IX_PAGE * sizeof *p->tokens, (void **)&p->tokens, err);
    }
    if (status != INOX_OK)
        ix_page_pool_release(p);
    return status;
}

void ix_page_pool_release(ix_page_pool *p)
{
    ix_free(p->pages);
    ix_free(p->buckets);
    ix_free(p->tokens);
    *p = (ix_page_pool){ .count = 0 };
}

/* ---- the list of kept pages, least recently given back first */

static void keep(ix_page_pool *p, int32_t id)
{
    ix_page *page = &p->pages[id];
    page->before = p->kept_last;
    page->after = 0;
    if (p->kept_last != 0)
        p->pages[p->kept_last - 1].after = id + 1;
    else
        p->kept_first = id + 1;
    p->kept_last = id + 1;
    p->kept_count++;
}

static void unkeep(ix_page_pool *p, int32_t id)
{
    const ix_page *page = &p->pages[id];
    if (page->before != 0)
        p->pages[page->before - 1].after = page->after;
    else
        p->kept_first = page->after;
    if (page->after != 0)
        p->pages[page->after - 1].before = page->before;
    else
        p->kept_last = page->before;
    p->kept_count--;
}

/* ---- the index */

typedef struct page_key {
    uint64_t parent, hash; /* serial of the page before; over its hash and the tokens */
    const int32_t *tokens; /* [IX_PAGE] */
} page_key;

/* `before`: the page before, or -1. */
static page_key key_of(const ix_page_pool *p, int32_t before, const int32_t *tokens)
{
    page_key key = { 0, 0, tokens };
    if (before >= 0) {
        key.parent = p->pages[before].serial;
        key.hash = p->pages[before].hash;
    }
    for (int i = 0; i < IX_PAGE; i++) {
        key.hash = (key.hash ^ (uint32_t)tokens[i]) * UINT64_C(0x9E3779B97F4A7C15);
        key.hash ^= key.hash >> 29;
    }
    return key;
}

static int32_t find(const ix_page_pool *p, const page_key *key)
{
    int32_t link = p->buckets[key->hash & p->bucket_mask];
    while (link != 0) {
        const ix_page *page = &p->pages[link - 1];
        if (page->hash == key->hash && page->parent == key->parent &&
            memcmp(p->tokens + (size_t)(link - 1) * IX_PAGE, key->tokens,
                   IX_PAGE * sizeof *key->tokens) == 0)
            return link - 1;
        link = page->chain;
    }
    return -1;
}

static void enter(ix_page_pool *p, int32_t id, const page_key *key)
{
    ix_page *page = &p->pages[id];
    int32_t *bucket = &p->buckets[key->hash & p->bucket_mask];
    page->hash = key->hash;
    page->parent = key->parent;
    page->serial = ++p->serials;
    page->chain = *bucket;
    *bucket = id + 1;
    memcpy(p->tokens + (size_t)id * IX_PAGE, key->tokens, IX_PAGE * sizeof *key->tokens);
}

static void leave(ix_page_pool *p, int32_t id)
{
    ix_page *page = &p->pages[id];
    int32_t *link = &p->buckets[page->hash & p->bucket_mask];
    while (*link != id + 1)
        link = &p->pages[*link - 1].chain;
    *link = page->chain;
    page->serial = 0;
}

/* ---- one page */

static void hold(ix_page_pool *p, int32_t id)
{
    if (p->pages[id].users++ == 0)
        unkeep(p, id); /* only pages of the index are found without a user */
}

static void give_back(ix_page_pool *p, int32_t id)
{
    ix_page *page = &p->pages[id];
    if (--page->users > 0)
        return;
    if (page->serial != 0) {
        keep(p, id);
        return;
    }
    page->after = p->free_first;
    p->free_first = id + 1;
    p->free_count++;
}

static int32_t available(const ix_page_pool *p)
{
    return p->free_count + (p->count - p->touched) + p->kept_count;
}

/* A page for writing; one is available.  Memory that was touched before comes first. */
static int32_t take(ix_page_pool *p)
{
    int32_t id;
    if (p->free_count > 0) {
        id = p->free_first - 1;
        p->free_first = p->pages[id].after;
        p->free_count--;
    } else if (p->touched < p->count) {
        id = p->touched++;
    } else {
        id = p->kept_first - 1;
        unkeep(p, id);
        leave(p, id);
        p->evicted++;
    }
    p->pages[id].users = 1;
    return id;
}

/* ---- claims */

/* The IX_PAGE tokens of page `at`, which may begin in c->tokens and end in c->ids. */
static void tokens_of_page(const ix_page_claim *c, size_t at, int32_t *out)
{
    size_t old = at * IX_PAGE < c->length ? c->length - at * IX_PAGE : 0;
    if (old > 0)
        memcpy(out, c->tokens + at * IX_PAGE, old * sizeof *out);
    memcpy(out + old, c->ids + (at * IX_PAGE + old - c->length), (IX_PAGE - old) * sizeof *out);
}

/* Holds the pages of the index that go on from where the sequence is. */
static void take_found(ix_page_pool *p, ix_page_claim *c)
{
    size_t first = c->length / IX_PAGE, until = c->length + c->count - c->computed_min;
    ix_page_list *list = c->list;
    int32_t tokens[IX_PAGE];
    c->held = list->count;
    c->reused = 0;
    c->replaced = -1;
    c->copy = false;
    if (p->tokens == NULL || (size_t)list->settled != first)
        return;
    for (size_t at = first; (at + 1) * IX_PAGE <= until; at++) {
        tokens_of_page(c, at, tokens);
        page_key key = key_of(p, at == 0 ? -1 : list->ids[at - 1], tokens);
        int32_t id = find(p, &key);
        if (id < 0)
            return;
        hold(p, id);
        if (at < (size_t)list->count)
            c->replaced = list->ids[at];
        else
            list->count++;
        list->ids[at] = id;
        list->settled++;
        c->reused = (at + 1) * IX_PAGE - c->length;
    }
}

/* The last page, partly filled, that the sequence would write to but does not own alone. */
static bool must_copy(const ix_page_pool *p, const ix_page_claim *c)
{
    if (c->reused > 0 || c->count == 0 || c->length % IX_PAGE == 0)
        return false;
    const ix_page *page = &p->pages[c->list->ids[c->length / IX_PAGE]];
    return page->users > 1 || page->serial != 0;
}

static int32_t pages_missing(const ix_page_pool *p, const ix_page_claim *c)
{
    return ix_pages_for(c->length + c->count) - c->list->count + must_copy(p, c);
}

static void take_missing(ix_page_pool *p, ix_page_claim *c)
{
    ix_page_list *list = c->list;
    if (must_copy(p, c)) {
        size_t at = c->length / IX_PAGE;
        c->replaced = list->ids[at];
        c->copy = true;
        list->ids[at] = take(p);
    }
    while (list->count < ix_pages_for(c->length + c->count))
        list->ids[list->count++] = take(p);
}

static void undo(ix_page_pool *p, ix_page_claim *c)
{
    ix_page_list *list = c->list;
    int32_t first = (int32_t)(c->length / IX_PAGE);
    while (list->count > c->held)
        give_back(p, list->ids[--list->count]);
    if (c->replaced >= 0) {
        give_back(p, list->ids[first]);
        list->ids[first] = c->replaced;
        c->replaced = -1;
    }
    if (list->settled > first)
        list->settled = first;
    c->reused = 0;
}

/* ---- calls */

inox_status ix_pages_claim(ix_page_pool *p, ix_page_claim *first, inox_error *err)
{
    int64_t missing = 0;
    ix_lock_take(&p->lock);
    for (ix_page_claim *c = first; c != NULL; c = c->next) {
        take_found(p, c);
        missing += pages_missing(p, c);
    }
    int32_t have = available(p);
    bool enough = missing <= have;
    for (ix_page_claim *c = first; c != NULL; c = c->next) {
        if (!enough) {
            undo(p, c);
            continue;
        }
        take_missing(p, c);
        p->reused += (c->reused + IX_PAGE - 1) / IX_PAGE;
    }
    ix_lock_give(&p->lock);
    if (!enough)
        return ix_fail(err, INOX_E_LIMIT,
                       "the cache has %d pages of %d positions, of which %d are not in use, but "
                       "%lld are needed. Free or truncate a session, or make the cache larger",
                       p->count, IX_PAGE, have, (long long)missing);
    return INOX_OK;
}

void ix_pages_keep(ix_page_pool *p, ix_page_claim *c)
{
    if (c->replaced < 0)
        return;
    ix_lock_take(&p->lock);
    give_back(p, c->replaced);
    ix_lock_give(&p->lock);
    c->replaced = -1;
}

void ix_pages_undo(ix_page_pool *p, ix_page_claim *c)
{
    ix_lock_take(&p->lock);
    undo(p, c);
    ix_lock_give(&p->lock);
}

void ix_pages_settle(ix_page_pool *p, ix_page_list *list, const int32_t *tokens, size_t length)
{
    if (p->tokens == NULL || (size_t)list->settled == length / IX_PAGE)
        return;
    ix_lock_take(&p->lock);
    for (; (size_t)list->settled < length / IX_PAGE; list->settled++) {
        int32_t at = list->settled, id = list->ids[at];
        page_key key = key_of(p, at == 0 ? -1 : list->ids[at - 1], tokens + (size_t)at * IX_PAGE);
        int32_t equal = find(p, &key);
        if (equal < 0) {
            enter(p, id, &key);
            continue;
        }
        hold(p, equal);
        give_back(p, id);
        list->ids[at] = equal;
    }
    ix_lock_give(&p->lock);
}

/* From the end, so that a page is always kept longer than those behind it, which are of no use
 * without it. */
void ix_pages_truncate(ix_page_pool *p, ix_page_list *list, size_t length)
{
    ix_lock_take(&p->lock);
    while (list->count > ix_pages_for(length))
        give_back(p, list->ids[--list->count]);
    if ((size_t)list->settled > length / IX_PAGE)
        list->settled = (int32_t)(length / IX_PAGE);
    ix_lock_give(&p->lock);
}

void ix_pages_share(ix_page_pool *p, const ix_page_list *from, ix_page_list *to)
{
    ix_lock_take(&p->lock);
    for (int32_t i = 0; i < from->count; i++) {
        to->ids[i] = from->ids[i];
        p->pages[from->ids[i]].users++;
    }
    to->count = from->count;
    to->settled = from->settled;
    ix_lock_give(&p->lock);
}

ix_page_counts ix_pages_count(ix_page_pool *p)
{
    ix_lock_take(&p->lock);
    ix_page_counts n = { p->touched - p->free_count - p->kept_count, p->kept_count, p->reused,
                         p->evicted };
    ix_lock_give(&p->lock);
    return n;
}
