/* The search, and finding out how merging makes each piece.  See bpe_search.h. */
#include "text/bpe_search.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <string.h>

/* ---- making ---------------------------------------------------------------------------------- */

/* How merging makes the piece `id` of these bytes, if it does. */
static inox_status find_made(ix_bpe_search *s, const ix_bpe *bpe, const int32_t byte_ids[256],
                             ix_text_view bytes, int32_t id, ix_word *w, inox_error *err)
{
    w->count = 0;
    for (size_t i = 0; i < bytes.size; i++)
        IX_TRY(ix_word_add(w, (uint32_t)i, 1, byte_ids[(unsigned char)bytes.data[i]], err));
    /* In windows the last merge is not told. */
    IX_TRY(bytes.size > IX_BPE_SHORT ? ix_word_merge_whole(bpe, w, err)
                                     : ix_word_merge(bpe, w, err));
    if (w->count != 1 || w->symbols[0].id != id)
        return INOX_OK;
    ix_bpe_made *made = &s->pieces[id];
    *made = (ix_bpe_made){ .left = id, .right = id, .shorter = -1 };
    s->sizes[id] = (uint16_t)bytes.size;
    if (bytes.size == 1)
        return INOX_OK;
    const ix_pair_slot *pair = ix_bpe_find(bpe, w->last_left, w->last_right);
    made->left = w->last_left;
    made->right = w->last_right;
    made->rank = (pair->rank + 1) & INT32_MAX;
    return INOX_OK;
}

static inox_status find_all(ix_bpe_search *s, const ix_bpe *bpe, const int32_t byte_ids[256],
                            const ix_text_view *entries, const int32_t *ids, size_t count,
                            bool *usable, inox_error *err)
{
    ix_word w = { 0 };
    inox_status status = INOX_OK;
    for (size_t i = 0; i < count && status == INOX_OK && *usable; i++) {
        int32_t id = ids ? ids[i] : (int32_t)i;
        if (!entries[i].data || entries[i].size == 0)
            continue;
        *usable = entries[i].size <= IX_MAX_MERGED_PIECE && s->sizes[id] == 0;
        if (*usable)
            status = find_made(s, bpe, byte_ids, entries[i], id, &w, err);
    }
    ix_word_release(&w);
    return status;
}

static inox_status add_pairs(ix_bpe_search *s, size_t end, inox_error *err)
{
    size_t n = 0;
    for (size_t id = 0; id < end; id++)
        n += s->pieces[id].rank > 0;
    IX_TRY(ix_bpe_new(&s->pairs, n, n, err));
    for (size_t id = 0; id < end; id++) {
        const ix_bpe_made *made = &s->pieces[id];
        if (made->rank == 0)
            continue;
        ix_bpe_add(&s->pairs, made->left, made->right, made->rank, (int32_t)id, true);
    }
    return INOX_OK;
}

enum { PIECE_BYTES_MAX = 256 /* where some are odd: two pieces are merged on the stack */ };

/* Whether a piece has a part of a greater rank, or one that is odd. */
static bool is_odd(const ix_bpe_search *s, size_t id)
{
    const ix_bpe_made *made = &s->pieces[id];
    if (made->rank == 0)
        return false;
    const ix_bpe_made *left = &s->pieces[made->left], *right = &s->pieces[made->right];
    return made->rank <= left->rank || made->rank <= right->rank || left->odd || right->odd;
}

static void find_odd(ix_bpe_search *s, size_t end, bool *usable)
{
    for (bool again = true; again;) { /* what odd ones make is odd */
        again = false;
        for (size_t id = 0; id < end; id++) {
            if (s->pieces[id].odd || !is_odd(s, id))
                continue;
            s->pieces[id].odd = 1;
            again = s->some_odd = true;
        }
    }
    for (size_t id = 0; id < end && s->some_odd; id++)
        *usable = *usable && s->sizes[id] <= PIECE_BYTES_MAX;
}

static inox_status make_trie(ix_bpe_search *s, const ix_text_view *entries, const int32_t *ids,
                             size_t count, inox_error *err)
{
    int32_t *values = NULL;
    IX_TRY(IX_ALLOC(&values, count, err));
    for (size_t i = 0; i < count; i++) {
        int32_t id = ids ? ids[i] : (int32_t)i;
        bool has = entries[i].data && entries[i].size > 0 && s->sizes[id] > 0;
        values[i] = has ? id : -1;
    }
    inox_status status = ix_trie_new(&s->trie, entries, values, count, err);
    for (size_t i = 0; i < count && status == INOX_OK; i++) {
        uint32_t node = 0;
        for (size_t k = 0; values[i] >= 0 && k + 1 < entries[i].size; k++) {
            node = ix_trie_step(&s->trie, node, entries[i].data[k]);
            int32_t prefix = s->trie.nodes[node].value;
            s->pieces[values[i]].shorter = prefix >= 0 ? prefix : s->pieces[values[i]].shorter;
        }
    }
    ix_free(values);
    return status;
}

inox_status ix_bpe_search_new(ix_bpe_search *s, const ix_bpe *bpe, const int32_t byte_ids[256],
                              const ix_text_view *entries, const int32_t *ids, size_t count,
                              bool *usable, inox_error *err)
{
    size_t end = 0;
    *s = (ix_bpe_search){ 0 };
    for (size_t i = 0; i < count; i++)
        if (entries[i].data && (size_t)(ids ? ids[i] : (int32_t)i) >= end)
            end = (size_t)(ids ? ids[i] : (int32_t)i) + 1;
    for (int b = 0; b < 256; b++)
        end = (size_t)byte_ids[b] >= end ? (size_t)byte_ids[b] + 1 : end;
    *usable = !bpe->keeps_stale;
    IX_TRY(ix_alloc_table(end * sizeof *s->pieces, (void **)&s->pieces, err));
    IX_TRY(IX_ALLOC(&s->sizes, end, err));
    IX_TRY(find_all(s, bpe, byte_ids, entries, ids, count, usable, err));
    for (int b = 0; b < 256; b++)
        *usable = *usable && s->sizes[byte_ids[b]] == 1;
    if (*usable)
        IX_TRY(add_pairs(s, end, err));
    if (*usable)
        find_odd(s, end, usable);
    return *usable ? make_trie(s, entries, ids, count, err) : INOX_OK;
}

void ix_bpe_search_release(ix_bpe_search *s)
{
    ix_bpe_release(&s->pairs);
    ix_trie_release(&s->trie);
    ix_free_aligned(s->pieces);
    ix_free(s->sizes);
    *s = (ix_bpe_search){ 0 };
}

/* ---- searching ------------------------------------------------------------------------------- */

/* Appends the bytes of a piece, as pieces. */
static void take_apart(const ix_bpe_search *s, int32_t id, int32_t *ids, size_t *count)
{
    int32_t waiting[PIECE_BYTES_MAX]; /* right parts; each is a byte at least */
    size_t depth = 0;
    for (;;) {
        const ix_bpe_made *made = &s->pieces[id];
        if (made->rank > 0) {
            waiting[depth++] = made->right;
            id = made->left;
            continue;
        }
        ids[(*count)++] = id;
        if (depth == 0)
            return;
        id = waiting[--depth];
    }
}

/* side_by_side where it does not hold: merges until the border goes. */
static bool stand_by_merging(const ix_bpe_search *s, int32_t left, int32_t right)
{
    int32_t ids[2 * PIECE_BYTES_MAX];
    size_t count = 0;
    take_apart(s, left, ids, &count);
    size_t border = count; /* symbols of the left piece */
    take_apart(s, right, ids, &count);
    for (;;) {
        const ix_pair_slot *best = NULL;
        size_t at = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            const ix_pair_slot *pair = ix_bpe_find(&s->pairs, ids[i], ids[i + 1]);
            if (!pair || (best && pair->rank >= best->rank))
                continue;
            best = pair;
            at = i;
        }
        if (!best)
            return true;
        if (at + 1 == border)
            return false;
        border -= at < border;
        ids[at] = best->id;
        memmove(ids + at + 1, ids + at + 2, (count - at - 2) * sizeof *ids);
        count--;
    }
}

/* Whether merging the bytes of both gives both.  Time runs backwards: what was merged last comes
 * apart, until the pair at the border is two bytes.  If that pair would have merged before its
 * parts went on to become larger, the two cannot stand side by side.  Of equal ranks the leftmost
 * comes first: the border is right of what happens inside `left` and left of what happens inside
 * `right`. */
bool ix_bpe_side_by_side(const ix_bpe_search *s, int32_t left, const ix_bpe_made *l, int32_t right,
                         const ix_bpe_made *r)
{
    uint32_t limit = UINT32_MAX;
    if (l->odd || r->odd)
        return stand_by_merging(s, left, right);
    for (;;) {
        const ix_pair_slot *pair = ix_bpe_find(&s->pairs, left, right);
        if (pair && pair->rank < limit)
            return false;
        if (l->rank > r->rank) {
            limit = l->rank;
            left = l->right;
            l = &s->pieces[left];
        } else if (r->rank > 0) {
            limit = r->rank + 1;
            right = r->left;
            r = &s->pieces[right];
        } else {
            return true;
        }
    }
}

/* The longest piece that p[0..n) begins with, and its size, which is counted and not read: so the
 * machine can go on behind it before it knows which piece it is. */
static inline int32_t longest(const ix_trie *t, const char *p, size_t n, size_t *size)
{
    uint32_t node = 0;
    int32_t id = -1;
    *size = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t to = t->nodes[node].base ^ (unsigned char)p[i];
        const ix_trie_node *next = &t->nodes[to];
        if (next->parent != node || to == 0)
            break;
        if (next->value >= 0) {
            id = next->value;
            *size = i + 1;
        }
        node = to;
    }
    return id;
}

size_t ix_bpe_search_run(const ix_bpe_search *s, ix_bpe_memo *memo, const char *p, size_t n,
                         int32_t *ids, uint64_t *blocked)
{
    enum { EFFORT_PER_BYTE = 6, EFFORT_FREE = 4096 };
    size_t count = 0, at = 0, effort = 0, size;
    for (int32_t id = longest(&s->trie, p, n, &size); id >= 0; effort++) {
        if (effort > EFFORT_PER_BYTE * at + EFFORT_FREE)
            return 0;
        size_t end = at + size;
        bool open = !(blocked[end / 64] >> (end % 64) & 1);
        int32_t before = count > 0 ? ids[count - 1] : -1;
        if (open && (count == 0 ||
                     ix_bpe_may_stand(s, memo, before, &s->pieces[before], id, &s->pieces[id]))) {
            ids[count++] = id;
            at = end;
            if (at == n)
                break;
            id = longest(&s->trie, p + at, n - at, &size);
            effort += size;
        } else if (s->pieces[id].shorter >= 0) {
            id = s->pieces[id].shorter;
            size = s->sizes[id];
        } else { /* no way on from here */
            blocked[at / 64] |= (uint64_t)1 << (at % 64);
            if (count == 0)
                break;
            id = ids[--count];
            size = s->sizes[id];
            at -= size;
        }
    }
    return count;
}
