/* SentencePiece's Unigram, word by word.  See unigram_words.h.
 *
 * SentencePiece adds scores in binary32 from the beginning of a text on, so that a sum S, and with
 * it what rounding does to a choice, depends on all that is before.  Let a word begin at S and have
 * c characters, and let all sums in it stay below 2^q.  Each addition is wrong by 2^(q-25) at most,
 * and a path has c at most.  So each sum, also the greatest of several, is within c * 2^(q-25) of
 * the exact one.  Where the best way to a place beats all others by more than c * 2^(q-24) in exact
 * arithmetic, rounded sums choose it too, in whatever order they are compared.  If that holds at
 * all places of the best path, this is the path, and its sum is got by adding its scores to S one
 * by one, as the library does.
 *
 *     a new word -> all its ways, in integers -> the best path, the least lead at its places
 *                -> class: the greatest q that this lead allows
 *
 * A word is remembered with its class.  Where |S| is beyond the limit of the class, sums are
 * rounded as the library does it, and so they are in words that are long or have characters that
 * are no pieces.
 */
#include "text/unigram_words.h"

#include "text/unigram_cache.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/unicode.h"

#include <math.h>

enum { UNITS = IX_UNIGRAM_UNITS, SHORT = IX_CACHED_BYTES + 1 };

/* A class is q - 7; class 0: the choice may always depend on the sum. */
enum { CLASSES = 11, TOP = CLASSES - 1 };

/* What the best way must lead by for each character, in units of 2^-16: 2^(q - 24) is 2^(q - 8) of
 * them, and one more since scores are rounded to whole units. */
static const int64_t leads[CLASSES] = { 0, 2, 3, 5, 9, 17, 33, 65, 129, 257, 513 };

/* |S| must be below its limit, and no sum of the word may be farther from S than what is left up to
 * 2^q, or up to where SentencePiece moves sums back to 0, less 1 for what rounding adds. */
static const float limits[CLASSES] = { 0,    128,   256,   512,   1536, 3584,
                                       7680, 15872, 32256, 65024, 99488 };
static const float spans[CLASSES] = { -1, 127, 255, 511, 511, 511, 511, 511, 511, 511, 511 };

/* What a word is: unit 0 is U+2581 where `space`, whatever byte stands there; the others are
 * bytes.  Unit 0 comes from `first` of the source, unit i from origins[i], or from at + i. */
typedef struct word {
    const char *p;
    size_t size, first, at;
    const uint32_t *origins;
    bool space;
} word;

static inline word word_of(const ix_unigram_queue *q, const ix_unigram_word *waiting)
{
    return (word){ .p = q->text + waiting->at,
                   .size = waiting->size,
                   .first = waiting->first,
                   .at = waiting->at,
                   .origins = q->origins ? q->origins + waiting->at : NULL,
                   .space = waiting->space };
}

static inline size_t place(const word *w, size_t unit)
{
    if (unit == 0)
        return w->first;
    return w->origins ? w->origins[unit] : w->at + unit;
}

/* Tokens of a word, tokens[first..UNITS); their ranges are units. */
typedef struct path {
    ix_token tokens[UNITS];
    size_t first;
} path;

/* The units of the character at `at`, and the node of the trie behind the first of them. */
static inline size_t first_step(const ix_unigram_model *u, const word *w, size_t at, uint32_t *node)
{
    bool space = at == 0 && w->space;
    *node = space ? u->words.space : ix_trie_step(&u->trie, 0, w->p[at]);
    return space ? 1 : ix_chunk(w->p + at, w->size - at);
}

/* ---- searching exactly ----------------------------------------------------------------------- */

/* A way to a place is one number, so that the better of two is found without a branch: its sum in
 * units of 2^-16, above the number of its last step into the trie.  A step to where no piece ends
 * has the score NOT_A_PIECE, which no sum of scores comes near. */
enum { STEP_BITS = 8, STEPS = 1 << STEP_BITS };
#define NOT_A_PIECE INT32_MIN
#define NO_WAY INT64_MIN / 4
#define SCORE_MAX 1000 /* |score|; NOT_A_PIECE is more than 32 times that */

static inline double sum_of(int64_t way)
{
    return (double)way * (0x1p-16 / STEPS);
}

typedef struct lattice {
    int64_t best[SHORT + 1], next[SHORT + 1]; /* the best way to a place, and the next */
    int32_t ids[STEPS];
    uint8_t starts[STEPS];
    size_t characters;
} lattice;

/* All ways; false where a character is no piece. */
static bool find_ways(const ix_unigram_model *u, const word *w, lattice *l)
{
    const ix_trie_node *nodes = u->trie.nodes;
    const int32_t *scores = u->words.units + 1;
    int64_t count = 0;
    for (size_t i = 0; i <= SHORT; i++)
        l->best[i] = l->next[i] = NO_WAY;
    l->best[0] = 0;
    l->characters = 0;
    for (size_t at = 0, n; at < w->size; at += n, l->characters++) {
        uint32_t node;
        bool single = false;
        n = first_step(u, w, at, &node);
        int64_t before = l->best[at] & -STEPS;
        for (size_t end = at + 1; node != IX_TRIE_NONE; end++) {
            int32_t id = nodes[node].value;
            int64_t way = before + scores[id] * (int64_t)STEPS + count, was = l->best[end];
            int64_t less = way < was ? way : was;
            l->best[end] = way < was ? was : way;
            l->next[end] = less < l->next[end] ? l->next[end] : less;
            l->ids[count] = id;
            l->starts[count++] = (uint8_t)at;
            single |= (id >= 0) & (end == at + n);
            if (end == w->size)
                break;
            node = ix_trie_step(&u->trie, node, w->p[end]);
        }
        if (!single)
            return false;
    }
    return true;
}

/* Whether no sum is farther from 0 than `span`. */
static bool within(const ix_unigram_model *u, const word *w, const lattice *l, float span)
{
    double most = (double)(u->words.greatest * (float)l->characters);
    if (most < (double)span)
        return true;
    most = 0;
    for (size_t i = 1; i <= w->size; i++)
        if (sum_of(l->best[i]) > -(SCORE_MAX + 1.0) * SHORT)
            most = fmax(most, fabs(sum_of(l->best[i])));
    return most + (double)u->words.greatest < (double)span; /* others are one token behind these */
}

/* The best path of a short word and its class; class 0: there is none that is always right.  The
 * path ends where *p ends. */
static unsigned search(const ix_unigram_model *u, const word *w, path *p)
{
    lattice l;
    int64_t lead = INT64_MAX;
    p->first = UNITS;
    if (!find_ways(u, w, &l))
        return 0;
    for (size_t end = w->size, start; end > 0; end = start) {
        size_t last = (size_t)(l.best[end] & (STEPS - 1));
        int64_t ahead = (l.best[end] >> STEP_BITS) - (l.next[end] >> STEP_BITS);
        lead = ahead < lead ? ahead : lead;
        start = l.starts[last];
        p->tokens[--p->first] = (ix_token){ l.ids[last], (uint32_t)start, (uint32_t)end };
    }
    unsigned class = TOP;
    while (class > 0 && lead <= (int64_t)l.characters * leads[class])
        class --;
    return within(u, w, &l, spans[class]) ? class : 0;
}

/* ---- searching as the library ---------------------------------------------------------------- */

enum { NO_PATH = 0xFF };

/* Of the best way to a place: its sum, where its last token starts, and the id. */
typedef struct rounded_lattice {
    float best[UNITS + 1];
    uint8_t from[UNITS + 1];
    int32_t ids[UNITS + 1];
} rounded_lattice;

static inline void relax(rounded_lattice *l, size_t from, size_t to, float score, int32_t id)
{
    float sum = l->best[from] + score;
    if (l->from[to] != NO_PATH && !(sum > l->best[to]))
        return;
    l->best[to] = sum;
    l->from[to] = (uint8_t)from;
    l->ids[to] = id;
}

static void move_to_zero(rounded_lattice *l, size_t at, size_t size)
{
    float offset = l->best[at];
    for (size_t i = at; i <= size; i++)
        if (l->from[i] != NO_PATH)
            l->best[i] -= offset;
}

/* From a sum on; returns the sum at the end. */
static float search_rounded(const ix_unigram_model *u, const word *w, float sum, path *p)
{
    rounded_lattice l;
    uint32_t node;
    memset(l.from, NO_PATH, w->size + 1);
    l.from[0] = 0;
    l.best[0] = sum;
    for (size_t at = 0, n; at < w->size; at += n) {
        bool single = false;
        n = first_step(u, w, at, &node);
        if (fabsf(l.best[at]) > IX_UNIGRAM_RESET)
            move_to_zero(&l, at, w->size);
        for (size_t end = at + 1; node != IX_TRIE_NONE; end++) {
            int32_t id = u->trie.nodes[node].value;
            if (id >= 0) {
                relax(&l, at, end, u->words.scores[id], id);
                single = single || end == at + n;
            }
            if (end == w->size)
                break;
            node = ix_trie_step(&u->trie, node, w->p[end]);
        }
        if (!single)
            relax(&l, at, at + n, (float)u->unknown_score, u->unknown);
    }
    p->first = UNITS;
    for (size_t end = w->size; end > 0; end = l.from[end])
        p->tokens[--p->first] = (ix_token){ l.ids[end], l.from[end], (uint32_t)end };
    return l.best[w->size];
}

/* ---- words ----------------------------------------------------------------------------------- */

/* Appends tokens, whose ranges are units. */
static inox_status add(ix_unigram_run *r, const word *w, const ix_token *tokens, size_t count)
{
    ix_encoding *out = r->out;
    IX_TRY(ix_encoding_room(out, count, r->err));
    for (size_t k = 0; k < count; k++)
        out->ids[out->count + k] = tokens[k].id;
    if (!r->only_ids)
        for (size_t k = 0; k < count; k++) {
            size_t i = out->count + k;
            if (out->starts) {
                out->starts[i] = (uint32_t)(r->base + place(w, tokens[k].start));
                out->ends[i] = (uint32_t)(r->base + place(w, tokens[k].end));
            }
            if (out->words)
                out->words[i] = r->word;
            if (out->lead)
                out->lead[i] = out->trail[i] = 0;
        }
    out->count += count;
    return INOX_OK;
}

/* A word whose choice may depend on the sum. */
static inox_status add_rounded(ix_unigram_run *r, const word *w)
{
    ix_token_list *list = &r->s->tokens;
    path p;
    r->sum = search_rounded(&r->m->unigram, w, r->sum, &p);
    list->count = 0;
    IX_TRY(ix_unigram_add_path(r->m, w->p, p.tokens + p.first, UNITS - p.first, list, r->err));
    return add(r, w, list->items, list->count);
}

static inox_status add_new(ix_unigram_run *r, const word *w, ix_cache_key key, ix_cache_slot *line)
{
    const ix_unigram_words *u = &r->m->unigram.words;
    path p;
    unsigned class = search(&r->m->unigram, w, &p);
    const ix_token *tokens = p.tokens + p.first;
    size_t count = UNITS - p.first;
    int32_t ids[MANY + 1];
    class = count <= many_tokens(u->wide) ? class : 0;
    for (size_t k = 0; k <= MANY; k++)
        ids[k] = u->none;
    for (size_t k = 0; k<count &&class> 0; k++)
        ids[k] = tokens[k].id;
    line_put(line, key, u->wide, ids, class > 0 ? count : 0, class);
    if (!(fabsf(r->sum) < limits[class]))
        return add_rounded(r, w);
    for (size_t k = 0; k < count; k++)
        r->sum += u->scores[tokens[k].id];
    return add(r, w, tokens, count);
}

static inox_status add_known(ix_unigram_run *r, const word *w, const ix_cache_slot *known)
{
    const ix_unigram_words *u = &r->m->unigram.words;
    int32_t ids[MANY + 1];
    ix_token tokens[MANY];
    size_t count = slot_meta(known, u->wide) & 15;
    slot_ids(known, u->wide, ids);
    if (count > few_tokens(u->wide))
        slot_ids(known + 1, u->wide, ids + few_tokens(u->wide));
    for (size_t k = 0, start = 0, end; k < count; k++, start = end) {
        end = start + r->m->vocabulary.pieces[ids[k]].size;
        end -= k == 0 && w->space ? 2 : 0; /* the first unit */
        tokens[k] = (ix_token){ ids[k], (uint32_t)start, (uint32_t)end };
        r->sum += u->scores[ids[k]];
    }
    return add(r, w, tokens, count);
}

static inox_status add_word(ix_unigram_run *r, const word *w, ix_cache_key key, ix_cache_slot *line)
{
    const ix_cache_slot *known = line_find(line, key);
    if (!known)
        return add_new(r, w, key, line);
    unsigned class = slot_meta(known, r->m->unigram.words.wide) >> 4;
    return fabsf(r->sum) < limits[class] ? add_known(r, w, known) : add_rounded(r, w);
}

/* ---- words of a source text ------------------------------------------------------------------ */

/* How many of `count` words of the top class may follow so that the sum stays below its limit. */
static size_t words_below_limit(const ix_unigram_run *r, size_t count)
{
    float room = limits[TOP] - fabsf(r->sum);
    float one = (r->m->unigram.words.greatest + 0.01F) * MANY;
    if (!(room > 0))
        return 0;
    return room > one * (float)count ? count : (size_t)(room / one);
}

/* The ids of words from *at on, as long as they are known in the top class; there is room for
 * all. */
static inline void known_words(ix_unigram_run *r, const ix_unigram_queue *q, size_t *at, bool wide)
{
    const ix_unigram_word *w = q->words + *at, *end = w + words_below_limit(r, q->count - *at);
    const float *scores = r->m->unigram.words.scores;
    int32_t *ids = r->out->ids + r->out->count;
    float sum = r->sum;
    for (; w < end && w->line; w++) {
        const ix_cache_slot *known = line_find(w->line, w->key);
        if (!known || slot_meta(known, wide) >> 4 != TOP)
            break;
        size_t count = slot_meta(known, wide) & 15;
        slot_ids(known, wide, ids);
        sum += scores[ids[0]]; /* those that are none add 0 */
        sum += scores[ids[1]];
        sum += scores[ids[2]];
        sum += scores[ids[3]];
        if (count > few_tokens(wide))
            slot_ids(known + 1, wide, ids + few_tokens(wide));
        for (size_t k = 4; k < count; k++)
            sum += scores[ids[k]];
        ids += count;
    }
    r->sum = sum;
    r->out->count = (size_t)(ids - r->out->ids);
    *at = (size_t)(w - q->words);
}

inox_status ix_unigram_answer(ix_unigram_run *r, ix_unigram_queue *q)
{
    for (size_t i = 0; i < q->count; i++) {
        if (r->only_ids) {
            IX_TRY(ix_encoding_room(r->out, (q->count - i) * MANY + 1, r->err));
            if (r->m->unigram.words.wide)
                known_words(r, q, &i, true);
            else
                known_words(r, q, &i, false);
            if (i == q->count)
                break;
        }
        const ix_unigram_word *waiting = &q->words[i];
        word w = word_of(q, waiting);
        IX_TRY(waiting->line ? add_word(r, &w, waiting->key, waiting->line) : add_rounded(r, &w));
    }
    q->count = 0;
    return INOX_OK;
}

/* ---- words of a normalized text -------------------------------------------------------------- */

static inline bool is_space(const char *p)
{
    return memcmp(p, "\xE2\x96\x81", 3) == 0;
}

/* The end of the word at text[at], at < size. */
static size_t word_end(const ix_unigram_words *u, const char *text, size_t at, size_t size)
{
    for (size_t i = at;;) {
        const char *p = size - i < 3 ? NULL : memchr(text + i, '\xE2', size - i - 2);
        if (!p)
            return size;
        i = (size_t)(p - text);
        if (!is_space(p)) {
            i++;
        } else if (u->cut == IX_CUT_BEFORE_SPACE) {
            if (i > at && !(u->runs && i - at >= 3 && is_space(p - 3)))
                return i;
            i += 3;
        } else {
            i += 3;
            if (!(u->runs && size - i >= 3 && is_space(p + 3)))
                return i;
        }
    }
}

/* A word of too many units. */
static inox_status add_long(ix_unigram_run *r, const ix_unigram_queue *q, size_t start, size_t end)
{
    ix_token_list *list = &r->s->tokens;
    list->count = 0;
    IX_TRY(ix_unigram_tokenize_from(r->m, r->s, q->text, start, end, &r->sum, list, r->err));
    for (size_t k = 0; k < list->count; k++) {
        const ix_token *token = &list->items[k];
        IX_TRY(ix_encoding_add(r->out, token->id, r->base + q->origins[token->start],
                               r->base + q->origins[token->end], r->word, r->err));
    }
    return INOX_OK;
}

inox_status ix_unigram_add_text(ix_unigram_run *r, ix_unigram_queue *q, size_t size)
{
    const ix_unigram_words *u = &r->m->unigram.words;
    const char *text = q->text;
    for (size_t at = 0, end; at < size; at = end) {
        end = word_end(u, text, at, size);
        bool space = u->cut == IX_CUT_BEFORE_SPACE && end - at >= 3 && is_space(text + at);
        size_t skip = space ? 2 : 0; /* of its three bytes, the last is the unit */
        if (q->count == IX_UNIGRAM_QUEUE || end - at - skip > UNITS)
            IX_TRY(ix_unigram_answer(r, q));
        if (end - at - skip > UNITS)
            IX_TRY(add_long(r, q, at, end));
        else
            ix_unigram_ask(r, q, q->origins[at], at + skip, end, space,
                           size - at >= skip + 1 + IX_CACHED_BYTES + 1);
    }
    return ix_unigram_answer(r, q);
}

inox_status ix_unigram_begin(ix_unigram_run *r, size_t bytes)
{
    r->only_ids = !(r->out->want & (IX_WANT_OFFSETS | IX_WANT_WORDS | IX_WANT_SPACES));
    return ix_model_scratch_expect(r->s, bytes, r->err);
}

/* ---- making ---------------------------------------------------------------------------------- */

/* What a piece allows: words before each U+2581, behind each, and whether it has several in a
 * row. */
static void look_at(ix_text_view piece, bool *before, bool *behind, bool *runs)
{
    bool was_space = false;
    for (size_t at = 0, n; at < piece.size; at += n) {
        n = ix_chunk(piece.data + at, piece.size - at);
        bool space = n == 3 && is_space(piece.data + at);
        *runs = *runs || (space && was_space);
        *before = *before && !(space && at > 0 && !was_space);
        *behind = *behind && !(!space && was_space);
        was_space = space;
    }
}

inox_status ix_unigram_words_make(ix_unigram_model *m, const ix_vocabulary *v, const uint8_t *types,
                                  inox_error *err)
{
    ix_unigram_words *u = &m->words;
    bool before = true, behind = true;
    IX_TRY(IX_ALLOC(&u->scores, v->id_end + 1, err));
    IX_TRY(IX_ALLOC(&u->units, v->id_end + 1, err));
    u->units[0] = NOT_A_PIECE;
    u->none = (int32_t)v->id_end;
    u->wide = v->id_end > UINT16_MAX;
    for (size_t i = 0; i < v->id_end; i++) {
        ix_text_view piece = v->pieces[i];
        float score = (float)m->scores[i];
        u->scores[i] = score;
        if (!piece.data || !ix_unigram_has_piece(types, i))
            continue;
        u->greatest = fmaxf(u->greatest, fabsf(score));
        u->units[i + 1] = fabsf(score) <= SCORE_MAX ? (int32_t)lrintf(score * 0x1p16F) : 0;
        look_at(piece, &before, &behind, &u->runs);
        if (ix_utf8_good(piece.data, piece.size) != piece.size)
            before = behind = false;
    }
    if (u->greatest > SCORE_MAX || v->id_end >= IX_MAX_VOCAB)
        before = behind = false;
    for (const char *p = "\xE2\x96\x81"; *p && (p[0] == '\xE2' || u->space); p++)
        u->space = ix_trie_step(&m->trie, u->space, *p);
    if (u->space && m->trie.nodes[u->space].value >= 0 && (before || behind))
        u->cut = before ? IX_CUT_BEFORE_SPACE : IX_CUT_BEHIND_SPACE;
    return INOX_OK;
}
