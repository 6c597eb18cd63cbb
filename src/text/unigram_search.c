/* Unigram: the cut into pieces whose scores have the greatest sum.
 *
 * One pass from left to right keeps, for each place, the best way to get there (Viterbi); of equal
 * ones the first that was found stays.  A trie gives all pieces that begin at a place.  Sums are
 * kept as far as pieces reach, and of each place the step that ends there.  From time to time the
 * ways to all places that are still of interest are followed back to where they meet: what lies
 * before goes out, so that memory follows the longest stretch on which they differ, not the text.
 *
 * Two libraries, two arithmetics: tokenizers adds in binary64, SentencePiece in binary32 and moves
 * sums back to 0 when they are beyond 1e5.
 */
#include "text/unigram_search.h"

#include "text/unigram_words.h"

#include "base/alloc.h"
#include "text/bpe_merge.h"

#include <math.h>
#include <string.h>

enum { CHARACTER_MAX = 4, WINDOW = 2048 };

/* ---- making ---------------------------------------------------------------------------------- */

/* Sums of scores up to these stay finite, whatever the text. */
#define SAFE_F32 1e30
#define SAFE_F64 1e290

static inox_status fill_nodes(ix_unigram_model *u, const ix_trie *t, const ix_vocabulary *v,
                              inox_error *err)
{
    double safe = u->sentencepiece ? SAFE_F32 : SAFE_F64;
    IX_TRY(ix_alloc_table(t->count * sizeof *u->nodes, (void **)&u->nodes, err));
    u->careful = !(fabs(u->unknown_score) <= safe);
    for (size_t i = 0; i < t->count; i++) {
        const ix_trie_node *from = &t->nodes[i];
        ix_unigram_node *to = &u->nodes[i];
        *to = (ix_unigram_node){ from->base, from->parent, 0, -INFINITY };
        if (from->value < 0)
            continue;
        size_t n = v->pieces[from->value].size;
        u->longest = n > u->longest ? n : u->longest;
        to->step = (uint32_t)(n < IX_STEP_LONG ? n : IX_STEP_LONG) << IX_STEP_SIZE_AT |
                   ((uint32_t)from->value + 1);
        to->score = (float)u->scores[from->value];
        u->careful = u->careful || !(fabs(u->scores[from->value]) <= safe);
    }
    u->nodes[0].parent = UINT32_MAX; /* nobody's child */
    return INOX_OK;
}

inox_status ix_unigram_make_nodes(ix_unigram_model *u, const ix_vocabulary *v, const int32_t *ids,
                                  inox_error *err)
{
    ix_trie trie;
    u->nodes = NULL;
    if (v->id_end >= IX_STEP_UNKNOWN)
        return ix_fail(err, INOX_E_LIMIT, "the Unigram vocabulary has %zu tokens, more than %d",
                       v->id_end, IX_STEP_UNKNOWN - 1);
    IX_TRY(ix_trie_new(&trie, v->pieces, ids, v->entries, err));
    inox_status status = fill_nodes(u, &trie, v, err);
    ix_trie_release(&trie);
    return status;
}

/* ---- ways ------------------------------------------------------------------------------------ */

typedef struct search {
    const ix_model *m;
    const ix_unigram_model *u;
    ix_model_scratch *s;
    const char *text;
    ix_unigram_way *ring; /* of place p: ring[p & mask]; clear where no way leads to so far */
    size_t mask;
    uint32_t *back;                 /* back[p - base]: the step that ends at place p > base */
    uint32_t *steps;                /* those that are settled and wait to go out ... */
    size_t step_count, steps_start; /* ... of which the first begins here; the last ends at base */
    size_t base, at, end;           /* at: the next place that steps start from */
    size_t frontier;                /* no step so far ends behind it */
    ix_unigram_take take;
    void *context;
    inox_error *err;
} search;

/* How sums are made. */
typedef enum arithmetic {
    SINGLE, /* binary32 */
    DOUBLE,
    CAREFUL, /* any of the two, where sums may become infinite */
} arithmetic;

static inline void clear(ix_unigram_way *w, arithmetic as)
{
    if (as == SINGLE)
        w->sum.f32 = -INFINITY;
    else
        w->sum.f64 = -INFINITY;
    w->step = 0;
}

/* The sum of a way.  It has just been written: as narrow as it is read here. */
static inline double sum_of(const ix_unigram_way *w, arithmetic as)
{
    return as == SINGLE ? (double)w->sum.f32 : w->sum.f64;
}

/* A step to w behind the sum `before`: true where it is the best way there so far.  Finite sums are
 * greater than that of a clear way. */
static inline bool relax(const ix_unigram_model *u, ix_unigram_way *w, double before, double score,
                         uint32_t step, arithmetic as)
{
    bool better;
    if (as == SINGLE) {
        float sum = (float)before + (float)score;
        better = sum > w->sum.f32;
        w->sum.f32 = better ? sum : w->sum.f32;
    } else {
        double sum = before + score;
        if (as == CAREFUL && u->sentencepiece)
            sum = (double)((float)before + (float)score);
        better = sum > w->sum.f64 || (as == CAREFUL && w->step == 0);
        w->sum.f64 = better ? sum : w->sum.f64;
    }
    w->step = better ? step : w->step;
    return better;
}

/* The step of a node, where a piece ends. */
static inline void relax_node(const ix_unigram_model *u, ix_unigram_way *w, double before,
                              const ix_unigram_node *node, arithmetic as)
{
    if (as == SINGLE)
        (void)relax(u, w, before, (double)node->score, node->step, as);
    else if (node->step != 0)
        (void)relax(u, w, before, u->scores[ix_step_id(node->step)], node->step, as);
}

/* SentencePiece: takes the sum at `at` from all that are at hand. */
static void move_to_zero(const search *r, size_t at, arithmetic as)
{
    ix_unigram_way *ring = r->ring;
    float offset = as == SINGLE ? ring[at & r->mask].sum.f32 : (float)ring[at & r->mask].sum.f64;
    for (size_t p = at; p <= r->frontier; p++) {
        ix_unigram_way *w = &ring[p & r->mask];
        if (p > at && w->step == 0)
            continue;
        if (as == SINGLE)
            w->sum.f32 -= offset;
        else
            w->sum.f64 = (double)((float)w->sum.f64 - offset);
    }
}

static inline bool is_far(const search *r, const ix_unigram_way *w, arithmetic as)
{
    if (as == SINGLE)
        return fabsf(w->sum.f32) > IX_UNIGRAM_RESET;
    return as == CAREFUL && r->u->sentencepiece && fabs(w->sum.f64) > (double)IX_UNIGRAM_RESET;
}

/* ---- the way back ---------------------------------------------------------------------------- */

/* The last place that the ways to r->at and to all places behind it go through; r->base where it
 * is not found. */
static size_t meeting(const search *r)
{
    const ix_vocabulary *v = &r->m->vocabulary;
    uint64_t ways = 1; /* bit i: a way goes through place `top` - i */
    size_t top = r->at;
    for (size_t p = r->at + 1; p <= r->frontier; p++) {
        uint32_t step = r->ring[p & r->mask].step;
        size_t ago = step == 0 ? 0 : r->at - (p - ix_step_size(v, step));
        if (ago >= 64)
            return r->base;
        ways |= (uint64_t)1 << ago;
    }
    while (ways != 1) {
        size_t n = ix_step_size(v, r->back[top - r->base]);
        if (n >= 64)
            return r->base;
        ways = (ways | (uint64_t)1 << n) & ~(uint64_t)1;
        n = (size_t)__builtin_ctzll(ways);
        ways >>= n;
        top -= n;
    }
    return top;
}

/* All settled steps go out. */
static inox_status hand_out(search *r)
{
    inox_status status = r->take(r->context, r->steps, r->step_count, r->steps_start, r->err);
    r->step_count = 0;
    r->steps_start = r->base;
    return status;
}

/* The best path to `to` is settled, which becomes the base. */
static inox_status settle(search *r, size_t to)
{
    const ix_vocabulary *v = &r->m->vocabulary;
    uint32_t *last = r->steps + r->step_count + (to - r->base), *first = last;
    for (size_t end = to; end > r->base; end -= ix_step_size(v, *first))
        *--first = r->back[end - r->base];
    memmove(r->steps + r->step_count, first, (size_t)(last - first) * sizeof *first);
    memmove(r->back, r->back + (to - r->base), (r->at - to + 1) * sizeof *r->back);
    r->step_count += (size_t)(last - first);
    r->base = to;
    return r->step_count < WINDOW ? INOX_OK : hand_out(r);
}

/* The same up to r->at, which all ways go through. */
static inline inox_status settle_here(search *r)
{
    uint32_t step = r->back[r->at - r->base];
    if (r->at - r->base != ix_step_size(&r->m->vocabulary, step))
        return settle(r, r->at);
    r->steps[r->step_count++] = step;
    r->base = r->at;
    return r->step_count < WINDOW ? INOX_OK : hand_out(r);
}

/* ---- the way there --------------------------------------------------------------------------- */

/* All steps from r->at, and from the places behind it up to `stop`. */
static inline inox_status advance(search *r, size_t stop, arithmetic as)
{
    const ix_unigram_model *u = r->u;
    const ix_unigram_node *nodes = u->nodes;
    const char *text = r->text;
    ix_unigram_way *ring = r->ring;
    const size_t mask = r->mask, end = r->end;
    for (size_t at = r->at, n; at < stop; r->at = at += n) {
        if (is_far(r, &ring[at & mask], as))
            move_to_zero(r, at, as);
        const double before = sum_of(&ring[at & mask], as);
        r->back[at - r->base] = ring[at & mask].step;
        if (at == r->frontier && at > r->base)
            IX_TRY(settle_here(r));
        n = ix_chunk(text + at, end - at);
        uint32_t node = 0;
        size_t to = at;
        do { /* the character */
            node = ix_unigram_step(nodes, node, text[to]);
            clear(&ring[to & mask], as);
            if (node == 0)
                break;
            relax_node(u, &ring[++to & mask], before, &nodes[node], as);
        } while (to < at + n);
        if (node == 0 || nodes[node].step == 0) {
            for (; to < at + n; to++)
                clear(&ring[to & mask], as);
            bool better =
                relax(u, &ring[to & mask], before, u->unknown_score, ix_step_unknown(n), as);
            if (better && u->unknown < 0 && !u->sentencepiece)
                return ix_fail(r->err, INOX_E_FORMAT,
                               "the text has a character that is no token, and the vocabulary has "
                               "no unknown token (unk_id)");
        }
        while (node != 0 && to < end && (node = ix_unigram_step(nodes, node, text[to])) != 0)
            relax_node(u, &ring[++to & mask], before, &nodes[node], as);
        r->frontier = to > r->frontier ? to : r->frontier;
    }
    return INOX_OK;
}

static inox_status advance_as(search *r, size_t stop)
{
    if (r->u->careful)
        return advance(r, stop, CAREFUL);
    return r->u->sentencepiece ? advance(r, stop, SINGLE) : advance(r, stop, DOUBLE);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Room for the sums up to the end of the longest piece, in a text of n bytes. */
static inox_status make_ring(search *r, size_t n)
{
    ix_model_scratch *s = r->s;
    size_t reach = r->u->longest > CHARACTER_MAX ? r->u->longest : CHARACTER_MAX, count = 16;
    reach = n < reach ? n : reach;
    while (count <= reach)
        count *= 2;
    if (count > s->ring_count) {
        ix_free(s->ring);
        s->ring = NULL;
        s->ring_count = 0;
        IX_TRY(IX_ALLOC(&s->ring, count, r->err));
        for (size_t i = 0; i < count; i++)
            clear(&s->ring[i], r->u->sentencepiece && !r->u->careful ? SINGLE : DOUBLE);
        s->ring_count = count;
    }
    r->ring = s->ring;
    r->mask = s->ring_count - 1;
    return INOX_OK;
}

/* Room for the ways back from `window` bytes, and for their steps behind those that wait. */
static inox_status make_back(search *r, size_t window)
{
    ix_model_scratch *s = r->s;
    size_t room = (window > WINDOW ? window : WINDOW) + CHARACTER_MAX;
    if (room > s->back_capacity) {
        IX_TRY(IX_REALLOC(&s->back, room, r->err));
        IX_TRY(IX_REALLOC(&s->steps, WINDOW + room, r->err));
        s->back_capacity = room;
    }
    r->back = s->back;
    r->steps = s->steps;
    return INOX_OK;
}

static inox_status run(search *r)
{
    size_t window = WINDOW;
    while (r->at < r->end) {
        size_t left = r->end - r->base;
        IX_TRY(make_back(r, left < window ? left : window));
        IX_TRY(advance_as(r, left < window ? r->end : r->base + window));
        r->back[r->at - r->base] = r->ring[r->at & r->mask].step;
        if (r->at < r->end && r->at - r->base >= window) {
            IX_TRY(settle(r, meeting(r)));
            window = r->at - r->base < window / 2 ? WINDOW : window * 2;
        }
    }
    IX_TRY(settle(r, r->end));
    return r->step_count > 0 ? hand_out(r) : INOX_OK;
}

inox_status ix_unigram_search(const ix_model *m, ix_model_scratch *s, const char *text,
                              size_t start, size_t end, float *sum, ix_unigram_take take,
                              void *context, inox_error *err)
{
    search r = { .m = m, .u = &m->unigram, .s = s, .text = text, .take = take, .err = err };
    bool single = m->unigram.sentencepiece && !m->unigram.careful;
    r.base = r.at = r.frontier = r.steps_start = start;
    r.end = end;
    r.context = context;
    IX_TRY(make_ring(&r, end - start));
    ix_unigram_way *first = &r.ring[start & r.mask], *last = &r.ring[end & r.mask];
    if (single)
        first->sum.f32 = *sum;
    else
        first->sum.f64 = (double)*sum;
    inox_status status = run(&r);
    if (status != INOX_OK) {
        s->ring_count = 0; /* what is in it is of no use */
        return status;
    }
    *sum = single ? last->sum.f32 : (float)last->sum.f64;
    clear(last, single ? SINGLE : DOUBLE);
    return INOX_OK;
}
