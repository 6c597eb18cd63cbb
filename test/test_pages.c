/* Bookkeeping of pages against a model of it that cannot be wrong: every position of every page is
 * written with a hash of the tokens up to it, as if that were its keys and values.  After each
 * random operation all sequences must read their own tokens back, everybody's pages must add up,
 * and no page may have been missed that was there. */
#include "test.h"

#include "base/alloc.h"
#include "llm/pages.h"

enum { PAGES = 11, SEQUENCES = 5, LONGEST = 6 * IX_PAGE, BOOKS = 4 };

typedef struct sequence {
    ix_page_list list;
    int32_t ids[LONGEST / IX_PAGE];
    int32_t tokens[LONGEST];
    size_t length;
} sequence;

typedef struct world {
    ix_page_pool pool;
    sequence s[SEQUENCES];
    uint64_t bytes[PAGES][IX_PAGE]; /* "keys and values" */
    uint64_t random;
    uint64_t errors, hits, evictions, copies, forks, twins; /* how often each has happened */
} world;

/* Books begin alike and part at their own page: book b differs from page b - 1 on. */
static int32_t token_of(int book, size_t position)
{
    return position < (size_t)book * IX_PAGE ? 7 : 7 + book;
}

static uint64_t hash_of(const sequence *s, size_t position)
{
    uint64_t h = 1;
    for (size_t i = 0; i <= position; i++)
        h = h * UINT64_C(6364136223846793005) + (uint64_t)s->tokens[i];
    return h;
}

/* Pages of the index that would do for what is behind `length`; tokens are set up to `until`. */
static size_t found_by_hand(const world *w, const sequence *s, size_t length, size_t until)
{
    size_t reused = 0;
    for (size_t at = length / IX_PAGE; (at + 1) * IX_PAGE <= until; at++) {
        uint64_t want = hash_of(s, (at + 1) * IX_PAGE - 1);
        bool found = false;
        for (int i = 0; i < PAGES; i++)
            found = found || (w->pool.pages[i].serial != 0 && w->bytes[i][IX_PAGE - 1] == want);
        if (!found)
            break;
        reused = (at + 1) * IX_PAGE - length;
    }
    return reused;
}

static void write_positions(ix_test *t, world *w, sequence *s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        int32_t id = s->ids[i / IX_PAGE];
        CHECK(w->pool.pages[id].users == 1 && w->pool.pages[id].serial == 0);
        w->bytes[id][i % IX_PAGE] = hash_of(s, i);
    }
}

static void check_world(ix_test *t, world *w)
{
    int users[PAGES] = { 0 };
    int32_t kept = 0, used = 0;
    for (int i = 0; i < SEQUENCES; i++) {
        const sequence *s = &w->s[i];
        uint64_t h = 1;
        CHECK(s->list.count == ix_pages_for(s->length));
        CHECK((size_t)s->list.settled <= s->length / IX_PAGE);
        for (size_t k = 0; k < s->length; k++) {
            h = h * UINT64_C(6364136223846793005) + (uint64_t)s->tokens[k];
            if (w->bytes[s->ids[k / IX_PAGE]][k % IX_PAGE] != h) {
                CHECK_MSG(false, "sequence %d has other keys at position %zu", i, k);
                break;
            }
        }
        for (int32_t k = 0; k < s->list.count; k++)
            users[s->ids[k]]++;
    }
    for (int i = 0; i < PAGES; i++) {
        const ix_page *page = &w->pool.pages[i];
        CHECK(page->users == users[i]);
        used += users[i] > 0;
        kept += users[i] == 0 && page->serial != 0;
        for (int k = 0; k < i; k++)
            CHECK(page->serial == 0 || page->parent != w->pool.pages[k].parent ||
                  w->pool.pages[k].serial == 0 ||
                  w->bytes[i][IX_PAGE - 1] != w->bytes[k][IX_PAGE - 1]);
    }
    ix_page_counts n = ix_pages_count(&w->pool);
    CHECK(n.used == used && n.kept == kept);
    CHECK(w->pool.free_count + (w->pool.count - w->pool.touched) == PAGES - used - kept);
}

/* One sequence and what it asks for. */
typedef struct asking {
    sequence *s, before;
    ix_page_claim claim;
    size_t expected; /* positions that must be found */
} asking;

static size_t ask(world *w, asking *all)
{
    size_t n = 0;
    for (int i = 0; i < SEQUENCES; i++) {
        sequence *s = &w->s[i];
        if (ix_test_random(&w->random) % 3 != 0)
            continue;
        size_t most = LONGEST - s->length, count = ix_test_random(&w->random) % 300;
        count = count < most ? count : most;
        int book = (int)(ix_test_random(&w->random) % BOOKS);
        for (size_t k = s->length; k < s->length + count; k++)
            s->tokens[k] = token_of(book, k);
        size_t computed = ix_test_random(&w->random) % 4 == 0 ? count : count > 0;
        bool looks = w->pool.tokens != NULL && (size_t)s->list.settled == s->length / IX_PAGE;
        all[n] = (asking){ .s = s, .before = *s };
        all[n].expected = looks ? found_by_hand(w, s, s->length, s->length + count - computed) : 0;
        all[n].claim = (ix_page_claim){ .list = &s->list,
                                        .tokens = s->tokens,
                                        .ids = s->tokens + s->length,
                                        .length = s->length,
                                        .count = count,
                                        .computed_min = computed };
        if (n > 0)
            all[n - 1].claim.next = &all[n].claim;
        n++;
    }
    return n;
}

static void compute(ix_test *t, world *w, const asking *a, bool fails)
{
    sequence *s = a->s;
    const ix_page_claim *c = &a->claim;
    CHECK_MSG(c->reused == a->expected, "%zu positions found, not %zu", c->reused, a->expected);
    w->hits += c->reused > 0;
    w->copies += c->copy;
    if (c->copy)
        memcpy(w->bytes[s->ids[s->length / IX_PAGE]], w->bytes[c->replaced], sizeof w->bytes[0]);
    if (!fails)
        write_positions(t, w, s, s->length + c->reused, s->length + c->count);
}

static void as_before(ix_test *t, const asking *a)
{
    const ix_page_list *now = &a->s->list, *was = &a->before.list;
    CHECK(now->count == was->count && now->settled == was->settled);
    CHECK(memcmp(a->s->ids, a->before.ids, (size_t)was->count * sizeof *was->ids) == 0);
}

/* Some sequences append together; sometimes the computing behind it fails. */
static void append(ix_test *t, world *w)
{
    static asking all[SEQUENCES];
    int32_t needed = 0, free_before = PAGES - ix_pages_count(&w->pool).used;
    size_t n = ask(w, all);
    if (n == 0)
        return;
    inox_status status = ix_pages_claim(&w->pool, &all[0].claim, NULL);
    bool fails = status != INOX_OK || ix_test_random(&w->random) % 8 == 0;
    for (size_t i = 0; i < n; i++) {
        const sequence *s = all[i].s;
        needed += ix_pages_for(s->length + all[i].claim.count) - ix_pages_for(s->length) + 1;
        if (status == INOX_OK)
            compute(t, w, &all[i], fails);
    }
    w->errors += status != INOX_OK;
    CHECK(status == INOX_OK || (status == INOX_E_LIMIT && needed > free_before));
    for (size_t i = 0; i < n; i++) {
        if (status == INOX_OK && fails)
            ix_pages_undo(&w->pool, &all[i].claim);
        if (fails) {
            as_before(t, &all[i]);
            continue;
        }
        ix_pages_keep(&w->pool, &all[i].claim);
        all[i].s->length += all[i].claim.count;
    }
    for (size_t i = 0; i < n && !fails; i++) {
        int32_t used = ix_pages_count(&w->pool).used;
        if (ix_test_random(&w->random) % 8 != 0) /* else as a guess that is not yet certain */
            ix_pages_settle(&w->pool, &all[i].s->list, all[i].s->tokens, all[i].s->length);
        w->twins += ix_pages_count(&w->pool).used < used;
    }
}

static void fork_one(world *w)
{
    sequence *from = &w->s[ix_test_random(&w->random) % SEQUENCES];
    sequence *to = &w->s[ix_test_random(&w->random) % SEQUENCES];
    if (from == to)
        return;
    ix_pages_truncate(&w->pool, &to->list, 0);
    memcpy(to->tokens, from->tokens, sizeof to->tokens);
    to->length = from->length;
    ix_pages_share(&w->pool, &from->list, &to->list);
    w->forks++;
}

static void truncate_one(world *w)
{
    sequence *s = &w->s[ix_test_random(&w->random) % SEQUENCES];
    size_t length = ix_test_random(&w->random) % (s->length + 1);
    length = ix_test_random(&w->random) % 3 == 0 ? 0 : length;
    ix_pages_truncate(&w->pool, &s->list, length);
    s->length = length;
}

TEST(pages_random_operations)
{
    for (int index = 0; index < 2; index++) {
        static world w;
        inox_error err = { 0 };
        memset(&w, 0, sizeof w);
        w.random = 5;
        CHECK_OK(ix_page_pool_init(&w.pool, PAGES, index == 1, &err), &err);
        for (int i = 0; i < SEQUENCES; i++)
            w.s[i].list.ids = w.s[i].ids;
        for (int round = 0; round < 6000 && t->failures == 0; round++) {
            uint64_t what = ix_test_random(&w.random) % 8;
            if (what < 5)
                append(t, &w);
            else if (what < 7)
                truncate_one(&w);
            else
                fork_one(&w);
            check_world(t, &w);
        }
        w.evictions = w.pool.evicted;
        CHECK(w.errors > 50 && w.copies > 50 && w.forks > 50);
        CHECK((w.hits > 50 && w.evictions > 50 && w.twins > 5) == (index == 1));
        for (int i = 0; i < SEQUENCES; i++)
            ix_pages_truncate(&w.pool, &w.s[i].list, 0);
        ix_page_counts n = ix_pages_count(&w.pool);
        CHECK(n.used == 0);
        ix_page_pool_release(&w.pool);
    }
}

/* Equal hashes are not enough: the tokens are compared, and the page before. */
TEST(pages_hash_alone_is_not_trusted)
{
    ix_page_pool pool;
    inox_error err = { 0 };
    int32_t ids[2][2], tokens[2 * IX_PAGE] = { 0 };
    ix_page_list a = { .ids = ids[0] }, b = { .ids = ids[1] };
    ix_page_claim c = { .list = &a, .tokens = tokens, .ids = tokens, .count = 2 * IX_PAGE };

    CHECK_OK(ix_page_pool_init(&pool, 4, true, &err), &err);
    CHECK_OK(ix_pages_claim(&pool, &c, &err), &err);
    ix_pages_keep(&pool, &c);
    ix_pages_settle(&pool, &a, tokens, 2 * IX_PAGE);
    c.list = &b;
    pool.tokens[5] ^= 1; /* as if another text had this hash */
    CHECK_OK(ix_pages_claim(&pool, &c, &err), &err);
    CHECK(c.reused == 0);
    ix_pages_undo(&pool, &c);
    pool.tokens[5] ^= 1;
    pool.pages[a.ids[1]].parent++; /* as if it stood behind another page */
    CHECK_OK(ix_pages_claim(&pool, &c, &err), &err);
    CHECK(c.reused == IX_PAGE);
    ix_pages_undo(&pool, &c);
    pool.pages[a.ids[1]].parent--;
    CHECK_OK(ix_pages_claim(&pool, &c, &err), &err);
    CHECK(c.reused == 2 * IX_PAGE);
    ix_pages_undo(&pool, &c);
    ix_page_pool_release(&pool);
}

/* What was given back first goes first, and the end of a sequence before its beginning. */
TEST(pages_least_recently_used_goes_first)
{
    ix_page_pool pool;
    inox_error err = { 0 };
    int32_t ids[4], tokens[4 * IX_PAGE];
    ix_page_list list = { .ids = ids };

    CHECK_OK(ix_page_pool_init(&pool, 4, true, &err), &err);
    for (int book = 0; book < 4; book++) { /* two pages each; the third pushes out the first */
        for (int i = 0; i < 2 * IX_PAGE; i++)
            tokens[i] = book == 3 ? 0 : book;
        ix_page_claim c = { .list = &list, .tokens = tokens, .ids = tokens, .count = 2 * IX_PAGE };
        CHECK_OK(ix_pages_claim(&pool, &c, &err), &err);
        CHECK(c.reused == (book == 3 ? IX_PAGE : 0));
        ix_pages_keep(&pool, &c);
        ix_pages_settle(&pool, &list, tokens, 2 * IX_PAGE);
        ix_pages_truncate(&pool, &list, 0);
        if (book == 2) { /* one page more goes: the end of book 1; then book 0 is wanted again */
            CHECK(pool.evicted == 2);
            pool.evicted = 0;
        }
        if (book == 1) { /* book 0 is touched: book 1 is older now */
            int32_t zeros[IX_PAGE + 1] = { 0 };
            ix_page_claim again = { .list = &list, .ids = zeros, .count = IX_PAGE };
            CHECK_OK(ix_pages_claim(&pool, &again, &err), &err);
            CHECK(again.reused == IX_PAGE);
            ix_pages_truncate(&pool, &list, 0);
        }
    }
    ix_page_pool_release(&pool);
}
