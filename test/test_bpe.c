/* Byte-pair encoding: merging and search against merging written down plainly, over vocabularies
 * whose ranks are in any order. */
#include "test.h"

#include "base/alloc.h"
#include "text/bpe_search.h"

enum { PIECES_MAX = 400, WORD_MAX = 200, LETTERS = 3 };

typedef struct vocabulary {
    char store[PIECES_MAX][8];
    ix_text_view pieces[PIECES_MAX];
    uint32_t order[PIECES_MAX];
    int32_t byte_ids[256];
    size_t count;
    ix_piece_table table;
    ix_bpe bpe;
} vocabulary;

/* All bytes, then words over three letters; their ranks are shuffled where `shuffled`. */
static inox_status make(vocabulary *v, uint64_t *state, bool shuffled, inox_error *err)
{
    size_t most = 256 + 4 + ix_test_random(state) % (PIECES_MAX - 260);
    *v = (vocabulary){ .count = 256 };
    for (int b = 0; b < 256; b++) {
        v->store[b][0] = (char)b;
        v->pieces[b] = (ix_text_view){ v->store[b], 1 };
        v->byte_ids[b] = b;
    }
    for (int tries = 0; v->count < most && tries < 2000; tries++) {
        /* Two pieces side by side, so that many can be made. */
        const ix_text_view *part[2];
        char *word = v->store[v->count];
        size_t size = 0;
        for (int k = 0; k < 2; k++) {
            size_t of = ix_test_random(state) % (v->count - 256 + LETTERS);
            part[k] = of < LETTERS ? &v->pieces['a' + of] : &v->pieces[256 + of - LETTERS];
        }
        if (part[0]->size + part[1]->size > sizeof v->store[0])
            continue;
        for (int k = 0; k < 2; k++) {
            memcpy(word + size, part[k]->data, part[k]->size);
            size += part[k]->size;
        }
        bool known = false;
        for (size_t i = 256; i < v->count && !known; i++)
            known = v->pieces[i].size == size && memcmp(v->pieces[i].data, word, size) == 0;
        if (!known)
            v->pieces[v->count++] = (ix_text_view){ word, size };
    }
    for (size_t i = 0; i < v->count; i++)
        v->order[i] = (uint32_t)i;
    for (size_t i = v->count - 1; shuffled && i > 256; i--) {
        size_t k = 256 + ix_test_random(state) % (i - 255);
        uint32_t swap = v->order[i];
        v->order[i] = v->order[k];
        v->order[k] = swap;
    }
    IX_TRY(ix_piece_table_new(&v->table, v->pieces, v->count, err));
    return ix_bpe_from_pieces(&v->bpe, &v->table, v->count, v->order, v->count, true, err);
}

static void drop(vocabulary *v)
{
    ix_bpe_release(&v->bpe);
    ix_piece_table_release(&v->table);
}

/* The leftmost pair whose joined bytes have the least rank, again and again. */
static size_t merge_plainly(const vocabulary *v, const char *word, size_t n, int32_t *ids)
{
    size_t ends[WORD_MAX + 1], count = n;
    for (size_t i = 0; i <= n; i++)
        ends[i] = i;
    for (;;) {
        size_t best = n;
        uint32_t rank = UINT32_MAX;
        for (size_t i = 0; i + 2 <= count; i++) {
            int32_t id = ix_piece_find(&v->table, word + ends[i], ends[i + 2] - ends[i]);
            if (id < 0 || v->order[id] >= rank)
                continue;
            rank = v->order[id];
            best = i;
        }
        if (best == n)
            break;
        memmove(ends + best + 1, ends + best + 2, (count - best - 1) * sizeof *ends);
        count--;
    }
    for (size_t i = 0; i < count; i++)
        ids[i] = ix_piece_find(&v->table, word + ends[i], ends[i + 1] - ends[i]);
    return count;
}

typedef struct bpe_run {
    ix_test *t;
    const vocabulary *v;
    const ix_bpe_search *search; /* or NULL */
    ix_bpe_memo *memo;
    ix_word word;
} bpe_run;

static void check_word(bpe_run *r, const char *word, size_t n)
{
    int32_t want[WORD_MAX], got[WORD_MAX];
    uint64_t blocked[WORD_MAX / 64 + 1] = { 0 };
    inox_error err;
    ix_test *t = r->t;
    size_t count = merge_plainly(r->v, word, n, want);
    bool same = true;
    r->word.count = 0;
    for (size_t i = 0; i < n; i++)
        CHECK_OK(ix_word_add(&r->word, (uint32_t)i, 1, word[i], &err), &err);
    CHECK_OK(ix_word_merge(&r->v->bpe, &r->word, &err), &err);
    for (size_t i = 0; i < count && i < r->word.count; i++)
        same = same && r->word.symbols[i].id == want[i];
    CHECK_MSG(same && r->word.count == count, "'%.*s' merges otherwise", (int)n, word);
    if (!r->search)
        return;
    size_t found = ix_bpe_search_run(r->search, r->memo, word, n, got, blocked);
    same = found == count && memcmp(got, want, count * sizeof *want) == 0;
    CHECK_MSG(same, "'%.*s' is found otherwise", (int)n, word);
}

static void check_vocabulary(ix_test *t, uint64_t *state, bool shuffled, int *odd)
{
    static vocabulary v;
    ix_bpe_search search = { 0 };
    bool usable = false;
    inox_error err;
    bpe_run r = { .t = t, .v = &v };
    CHECK_OK(make(&v, state, shuffled, &err), &err);
    CHECK_OK(ix_bpe_search_new(&search, &v.bpe, v.byte_ids, v.pieces, NULL, v.count, &usable, &err),
             &err);
    CHECK_MSG(usable, "no search in a vocabulary of short pieces");
    CHECK_OK(IX_ALLOC(&r.memo, 1, &err), &err);
    r.search = usable ? &search : NULL;
    *odd += search.some_odd;
    for (int k = 0; k < 60 && r.memo; k++) {
        char word[WORD_MAX];
        size_t n = 1 + ix_test_random(state) % (k % 2 ? WORD_MAX : 12);
        size_t letters = 1 + ix_test_random(state) % LETTERS;
        size_t period = k % 3 ? n : 1 + ix_test_random(state) % 9;
        for (size_t i = 0; i < n; i++)
            word[i] = i < period ? (char)('a' + ix_test_random(state) % letters) : word[i - period];
        check_word(&r, word, n);
    }
    ix_bpe_search_release(&search);
    ix_word_release(&r.word);
    ix_free(r.memo);
    drop(&v);
}

TEST(bpe_search_gives_what_merging_gives)
{
    uint64_t state = 7;
    int odd = 0;
    for (int i = 0; i < 300; i++)
        check_vocabulary(t, &state, i % 2 == 1, &odd);
    CHECK_MSG(odd > 100, "only %d vocabularies have odd pieces", odd);
}
