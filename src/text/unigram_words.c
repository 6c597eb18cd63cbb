/* Unigram, word by word.  See unigram_words.h.
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
#include "text/unigram_search.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/unicode.h"

#include <math.h>

enum { UNITS = IX_UNIGRAM_UNITS, SHORT = IX_CACHED_BYTES + 3 };

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
 * bytes.  Unit 0 comes from `first` of the source, unit i from origins[i], or from at + i; what is
 * behind the unit `last` ends at `next`. */
typedef struct word {
    const char *p;
    size_t size, first, at, last, next;
    const uint32_t *origins;
    bool space;
} word;

/* bytes: room for a word with a suffix. */
static inline word word_of(const ix_unigram_queue *q, const ix_unigram_word *waiting,
                           char bytes[UNITS])
{
    if (waiting->suffix) {
        size_t n = waiting->size;
        memcpy(bytes, q->text + waiting->at, n);
        memcpy(bytes + n, "\xE2\x96\x81", 3);
        return (word){ .p = bytes,
                       .size = n + 3,
                       .first = waiting->at,
                       .at = waiting->at,
                       .last = n,
                       .next = waiting->first };
    }
    return (word){ .last = SIZE_MAX,
                   .p = q->text + waiting->at,
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
    if (unit > w->last)
        return w->next;
    return w->origins ? w->origins[unit] : w->at + unit;
}

/* Steps of a word's path, steps[first..UNITS). */
typedef struct path {
    uint32_t steps[UNITS];
    size_t first;
} path;

/* The units of the character at `at`, and the node of the trie behind the first of them. */
static inline size_t first_step(const ix_unigram_model *u, const word *w, size_t at, uint32_t *node)
{
    bool space = at == 0 && w->space;
    *node = space ? u->words.space : ix_unigram_step(u->nodes, 0, w->p[at]);
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
    uint32_t steps[STEPS];
    uint8_t starts[STEPS];
    size_t characters;
} lattice;

/* A way to `end` by step number `count`, which begins at `start`, behind the way `before`. */
static inline void add_way(lattice *l, size_t count, int64_t before, int32_t score, uint32_t step,
                           size_t start, size_t end)
{
    int64_t way = before + score * (int64_t)STEPS + (int64_t)count, was = l->best[end];
    int64_t less = way < was ? way : was;
    l->best[end] = way < was ? was : way;
    l->next[end] = less < l->next[end] ? l->next[end] : less;
    l->steps[count] = step;
    l->starts[count] = (uint8_t)start;
}

/* All ways; false where a character is no piece and words with such are not remembered. */
static bool find_ways(const ix_unigram_model *u, const word *w, lattice *l)
{
    const ix_unigram_node *nodes = u->nodes;
    const int32_t *scores = u->words.units;
    size_t count = 0;
    for (size_t i = 0; i <= SHORT; i++)
        l->best[i] = l->next[i] = NO_WAY;
    l->best[0] = 0;
    l->characters = 0;
    for (size_t at = 0, n; at < w->size; at += n, l->characters++) {
        uint32_t node;
        bool single = false;
        n = first_step(u, w, at, &node);
        int64_t before = l->best[at] & -STEPS;
        for (size_t end = at + 1; node != 0; end++) {
            uint32_t step = nodes[node].step;
            add_way(l, count++, before, scores[step & IX_STEP_UNKNOWN], step, at, end);
            single |= (step != 0) & (end == at + n);
            if (end == w->size)
                break;
            node = ix_unigram_step(nodes, node, w->p[end]);
        }
        if (!single && u->words.unknown == IX_UNKNOWN_NEVER)
            return false;
        if (!single)
            add_way(l, count++, before, u->words.unknown_units, ix_step_unknown(n), at, at + n);
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

/* The best path of a short word and its class; class 0: there is none that is always right, or its
 * tokens do not tell the scores. */
static unsigned search(const ix_unigram_model *u, const word *w, path *p)
{
    lattice l;
    int64_t lead = INT64_MAX;
    bool joins = false, was_unknown = false;
    p->first = UNITS;
    if (!find_ways(u, w, &l))
        return 0;
    for (size_t end = w->size, start; end > 0; end = start) {
        size_t last = (size_t)(l.best[end] & (STEPS - 1));
        int64_t ahead = (l.best[end] >> STEP_BITS) - (l.next[end] >> STEP_BITS);
        bool unknown = ix_step_is_unknown(l.steps[last]);
        lead = ahead < lead ? ahead : lead;
        start = l.starts[last];
        p->steps[--p->first] = l.steps[last];
        joins |= unknown & was_unknown;
        if (!u->sentencepiece && ix_step_id(l.steps[last]) == u->unknown)
            return 0;
        was_unknown = unknown;
    }
    unsigned class = TOP;
    while (class > 0 && lead <= (int64_t)l.characters * leads[class])
        class --;
    if (joins && u->words.unknown != IX_UNKNOWN_BYTES)
        return 0;
    return within(u, w, &l, spans[class]) ? class : 0;
}

/* ---- searching as the library ---------------------------------------------------------------- */

enum { NO_PATH = 0xFF };

/* Of the best way to a place: its sum, where its last step starts, and that. */
typedef struct rounded_lattice {
    float best[UNITS + 1];
    uint8_t from[UNITS + 1];
    uint32_t steps[UNITS + 1];
} rounded_lattice;

static inline void relax(rounded_lattice *l, size_t from, size_t to, float score, uint32_t step)
{
    float sum = l->best[from] + score;
    if (l->from[to] != NO_PATH && !(sum > l->best[to]))
        return;
    l->best[to] = sum;
    l->from[to] = (uint8_t)from;
    l->steps[to] = step;
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
        for (size_t end = at + 1; node != 0; end++) {
            uint32_t step = u->nodes[node].step;
            if (step != 0) {
                relax(&l, at, end, u->nodes[node].score, step);
                single = single || end == at + n;
            }
            if (end == w->size)
                break;
            node = ix_unigram_step(u->nodes, node, w->p[end]);
        }
        if (!single)
            relax(&l, at, at + n, (float)u->unknown_score, ix_step_unknown(n));
    }
    p->first = UNITS;
    for (size_t end = w->size; end > 0; end = l.from[end])
        p->steps[--p->first] = l.steps[end];
    return l.best[w->size];
}

/* ---- words ----------------------------------------------------------------------------------- */

/* Appends a token of units [start, end); there is room. */
static inline void put(ix_unigram_run *r, const word *w, int32_t id, size_t start, size_t end)
{
    ix_encoding *out = r->out;
    size_t i = out->count++;
    out->ids[i] = id;
    if (r->only_ids)
        return;
    if (out->starts) {
        bool none = w->space && w->first < r->no_space; /* U+2581 has the range of what follows */
        out->starts[i] = (uint32_t)(r->base + place(w, start + (none && start == 0)));
        out->ends[i] = (uint32_t)(r->base + place(w, end) + (none && end == 1));
    }
    if (out->words)
        out->words[i] = r->word;
    if (out->lead)
        out->lead[i] = out->trail[i] = 0;
}

/* An unknown character: its bytes, of which all but the last have an empty range, where there are
 * such tokens; else one token with that of the unknown ones before. */
static inox_status put_unknown(ix_unigram_run *r, const word *w, size_t start, size_t end)
{
    const ix_unigram_model *u = &r->m->unigram;
    ix_encoding *out = r->out;
    bool bytes = ix_unigram_has_bytes(u, w->p + start, end - start);
    IX_TRY(ix_encoding_room(out, end - start, r->err));
    for (size_t i = start; i < end && bytes; i++)
        put(r, w, u->byte_ids[(unsigned char)w->p[i]], start, i + 1 < end ? start : end);
    if (!bytes && !r->was_unknown)
        put(r, w, u->unknown, start, end);
    else if (!bytes && out->ends)
        out->ends[out->count - 1] = (uint32_t)(r->base + place(w, end));
    r->was_unknown = true;
    return INOX_OK;
}

/* Appends the tokens of the next steps of a word, from unit `at` on. */
static inox_status put_steps(ix_unigram_run *r, const word *w, const uint32_t *steps, size_t count,
                             size_t at)
{
    const ix_vocabulary *v = &r->m->vocabulary;
    IX_TRY(ix_encoding_room(r->out, count, r->err));
    for (size_t k = 0, end; k < count; k++, at = end) {
        end = at + ix_step_size(v, steps[k]);
        end -= at == 0 && w->space ? 2 : 0; /* the first unit */
        if (ix_step_is_unknown(steps[k])) {
            IX_TRY(put_unknown(r, w, at, end));
            IX_TRY(ix_encoding_room(r->out, count - k, r->err));
            continue;
        }
        put(r, w, ix_step_id(steps[k]), at, end);
        r->was_unknown = false;
    }
    return INOX_OK;
}

static inox_status put_path(ix_unigram_run *r, const word *w, const path *p)
{
    r->was_unknown = false;
    return put_steps(r, w, p->steps + p->first, UNITS - p->first, 0);
}

/* A word whose choice may depend on the sum. */
static inox_status add_rounded(ix_unigram_run *r, const word *w)
{
    path p;
    r->sum = search_rounded(&r->m->unigram, w, r->sum, &p);
    return put_path(r, w, &p);
}

/* The ids of a path that can be remembered, and behind them ones that are none; returns how many,
 * 0 where they are too many. */
static size_t path_ids(const ix_unigram_model *u, const word *w, const path *p,
                       int32_t ids[MANY + 1])
{
    size_t count = 0, room = many_tokens(u->words.wide);
    for (size_t k = p->first, at = 0; k < UNITS; k++) {
        bool unknown = ix_step_is_unknown(p->steps[k]);
        bool bytes = unknown && u->words.unknown == IX_UNKNOWN_BYTES;
        size_t n = p->steps[k] >> IX_STEP_SIZE_AT; /* a short word's */
        if (count + (bytes ? n : 1) > room)
            return 0;
        if (!bytes)
            ids[count++] = unknown ? u->unknown : ix_step_id(p->steps[k]);
        for (size_t i = at; i < at + n && bytes; i++)
            ids[count++] = u->byte_ids[(unsigned char)w->p[i]];
        at += at == 0 && w->space ? n - 2 : n;
    }
    for (size_t k = count; k <= MANY; k++)
        ids[k] = u->words.none;
    return count;
}

static inox_status add_new(ix_unigram_run *r, const word *w, ix_cache_key key, ix_cache_slot *line)
{
    const ix_unigram_model *u = &r->m->unigram;
    path p;
    int32_t ids[MANY + 1] = { 0 };
    unsigned class = search(u, w, &p);
    size_t count = class > 0 ? path_ids(u, w, &p, ids) : 0;
    class = count > 0 ? class : 0;
    line_put(line, key, u->words.wide, ids, count, class);
    if (!(fabsf(r->sum) < limits[class]))
        return add_rounded(r, w);
    for (size_t k = 0; k < count; k++)
        r->sum += u->words.scores[ids[k]];
    if (!r->only_ids)
        return put_path(r, w, &p);
    IX_TRY(ix_encoding_room(r->out, count, r->err));
    memcpy(r->out->ids + r->out->count, ids, count * sizeof *ids);
    r->out->count += count;
    return INOX_OK;
}

/* The ids of a known word, of which there are at most MANY; returns how many. */
static inline size_t known_ids(const ix_cache_slot *known, bool wide, int32_t ids[MANY + 1])
{
    size_t count = slot_meta(known, wide) & 15;
    slot_ids(known, wide, ids);
    if (count > few_tokens(wide))
        slot_ids(known + 1, wide, ids + few_tokens(wide));
    return count;
}

static inox_status add_known(ix_unigram_run *r, const word *w, const ix_cache_slot *known)
{
    const ix_unigram_words *u = &r->m->unigram.words;
    int32_t ids[MANY + 1];
    size_t count = known_ids(known, u->wide, ids), left = 0;
    IX_TRY(ix_encoding_room(r->out, count, r->err));
    for (size_t k = 0, start = 0, end; k < count; k++) {
        end = start + u->sizes[ids[k]];
        end -= k == 0 && w->space ? 2 : 0; /* the first unit */
        if (u->sizes[ids[k]] == 0) {       /* of a character: unknown, or one of its bytes */
            size_t n = ix_chunk(w->p + start, w->size - start);
            bool byte = ids[k] != r->m->unigram.unknown;
            left = (left == 0 && byte ? n : left) - byte;
            end = left > 0 ? start : start + n;
        }
        put(r, w, ids[k], start, end);
        r->sum += u->scores[ids[k]];
        start = end;
    }
    return INOX_OK;
}

static inox_status add_word(ix_unigram_run *r, const word *w, ix_cache_key key, ix_cache_slot *line)
{
    const ix_cache_slot *known = line_find(line, key);
    if (!known)
        return add_new(r, w, key, line);
    unsigned class = slot_meta(known, r->m->unigram.words.wide) >> 4;
    return fabsf(r->sum) < limits[class] ? add_known(r, w, known) : add_rounded(r, w);
}

/* ---- tokenizers' words ----------------------------------------------------------------------- */

/* The word, with U+2581 in front, by the search. */
static inox_status search_double(ix_unigram_run *r, const word *w)
{
    char bytes[UNITS + 2] = "\xE2\x96\x81";
    ix_token_list *list = &r->s->tokens;
    memcpy(bytes + 3, w->p + 1, w->size - 1);
    list->count = 0;
    IX_TRY(ix_unigram_tokenize(r->m, r->s, bytes, 0, w->size + 2, list, r->err));
    IX_TRY(ix_encoding_room(r->out, list->count, r->err));
    for (size_t k = 0; k < list->count; k++) {
        const ix_token *t = &list->items[k];
        put(r, w, t->id, t->start < 3 ? 0 : t->start - 2, t->end - 2);
    }
    return INOX_OK;
}

/* The ids from `first` on are those of a word that was new. */
static inox_status remember_ids(ix_unigram_run *r, const word *w, const ix_unigram_word *asked,
                                size_t first)
{
    bool wide = r->m->unigram.words.wide;
    const int32_t *found = r->out->ids + first;
    size_t count = r->out->count - first;
    if (asked->line) {
        int32_t ids[MANY + 1];
        bool fits = count <= many_tokens(wide);
        for (size_t k = 0; k <= MANY; k++)
            ids[k] = fits && k < count ? found[k] : r->m->unigram.words.none;
        line_put(asked->line, asked->key, wide, ids, fits ? count : 0, fits ? TOP : 0);
        return INOX_OK;
    }
    uint32_t tokens[IX_LONG_TOKENS];
    if (count > IX_LONG_TOKENS)
        return INOX_OK;
    for (size_t k = 0; k < count; k++)
        tokens[k] = (uint32_t)found[k];
    return ix_long_put(&r->s->longs, w->p + 1, w->size - 1, 0, tokens, count, r->err);
}

/* A known word whose ranges are wanted; *told: none of its tokens is unknown, or a byte's. */
static inox_status add_ranges(ix_unigram_run *r, const word *w, const ix_cache_slot *known,
                              bool *told)
{
    const ix_unigram_words *u = &r->m->unigram.words;
    int32_t ids[MANY + 1];
    size_t count = known_ids(known, u->wide, ids);
    *told = count > 0;
    for (size_t k = 0; k < count; k++)
        *told = *told && u->sizes[ids[k]] > 0;
    if (!*told)
        return INOX_OK;
    IX_TRY(ix_encoding_room(r->out, count, r->err));
    for (size_t k = 0, start = 0, end; k < count; k++, start = end) {
        end = start + u->sizes[ids[k]] - (k == 0 ? 2 : 0); /* the first unit */
        put(r, w, ids[k], start, end);
    }
    return INOX_OK;
}

/* A word of which not only known ids are wanted.  Where integers tell the best path, the roundings
 * of binary64, which are much smaller, choose it too. */
static inox_status add_other(ix_unigram_run *r, const word *w, const ix_unigram_word *asked)
{
    size_t first = r->out->count;
    const ix_cache_slot *slot = asked->line ? line_find(asked->line, asked->key) : NULL;
    path p;
    bool told = false;
    if (slot && !r->only_ids)
        IX_TRY(add_ranges(r, w, slot, &told));
    if (told)
        return INOX_OK;
    if (!asked->line && r->only_ids) {
        const char *bytes = w->p + 1;
        const ix_long_slot *known = ix_long_find(&r->s->longs, bytes, w->size - 1, 0,
                                                 ix_long_hash(&r->s->longs, bytes, w->size - 1));
        if (known) {
            IX_TRY(ix_encoding_room(r->out, IX_LONG_TOKENS, r->err));
            ix_long_ids(known, r->out->ids + first);
            r->out->count += known->count;
            return INOX_OK;
        }
    }
    if (asked->line && search(&r->m->unigram, w, &p) > 0)
        IX_TRY(put_path(r, w, &p));
    else
        IX_TRY(search_double(r, w));
    return slot ? INOX_OK : remember_ids(r, w, asked, first);
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
__attribute__((always_inline)) static inline void known_words(ix_unigram_run *r,
                                                              const ix_unigram_queue *q, size_t *at,
                                                              bool wide, bool sums)
{
    const ix_unigram_word *w = q->words + *at;
    const ix_unigram_word *end = w + (sums ? words_below_limit(r, q->count - *at) : q->count - *at);
    const float *scores = r->m->unigram.words.scores;
    int32_t *ids = r->out->ids + r->out->count;
    float sum = r->sum;
    for (; w < end && w->line; w++) {
        const ix_cache_slot *known = line_find(w->line, w->key);
        if (!known || slot_meta(known, wide) >> 4 != TOP)
            break;
        size_t count = slot_meta(known, wide) & 15;
        slot_ids(known, wide, ids);
        if (sums) { /* those that are none add 0 */
            sum += scores[ids[0]];
            sum += scores[ids[1]];
            sum += scores[ids[2]];
            sum += scores[ids[3]];
        }
        if (count > few_tokens(wide))
            slot_ids(known + 1, wide, ids + few_tokens(wide));
        for (size_t k = 4; k < count && sums; k++)
            sum += scores[ids[k]];
        ids += count;
    }
    r->sum = sum;
    r->out->count = (size_t)(ids - r->out->ids);
    *at = (size_t)(w - q->words);
}

static void known_ids_of_words(ix_unigram_run *r, const ix_unigram_queue *q, size_t *at)
{
    bool wide = r->m->unigram.words.wide, sums = r->m->unigram.sentencepiece;
    if (wide && sums)
        known_words(r, q, at, true, true);
    else if (wide)
        known_words(r, q, at, true, false);
    else if (sums)
        known_words(r, q, at, false, true);
    else
        known_words(r, q, at, false, false);
}

inox_status ix_unigram_answer(ix_unigram_run *r, ix_unigram_queue *q)
{
    for (size_t i = 0; i < q->count; i++) {
        if (r->only_ids) {
            IX_TRY(ix_encoding_room(r->out, (q->count - i) * MANY + 1, r->err));
            known_ids_of_words(r, q, &i);
            if (i == q->count)
                break;
        }
        const ix_unigram_word *waiting = &q->words[i];
        char bytes[UNITS];
        word w = word_of(q, waiting, bytes);
        if (!r->m->unigram.sentencepiece) {
            IX_TRY(add_other(r, &w, waiting));
            r->word++;
        } else if (waiting->line) {
            IX_TRY(add_word(r, &w, waiting->key, waiting->line));
        } else {
            IX_TRY(add_rounded(r, &w));
        }
    }
    q->count = 0;
    return INOX_OK;
}

enum { BLOCK = 64, AHEAD = IX_UNIGRAM_QUEUE - BLOCK };

/* All bits below the lowest of x (all where x is 0). */
static inline uint64_t below(uint64_t x)
{
    return (x & (0 - x)) - 1;
}

/* Kinds of keys: bytes behind a space, all bytes of a word, bytes that a space follows. */
enum { KEY_BEHIND_SPACE = 1, KEY_WHOLE, KEY_BEFORE_SPACE };

/* Asks for the line of a word whose key is of p[0..n), if it is not too long for the cache.
 * readable: 16 bytes may be read at p. */
static inline void ask_line(const ix_word_cache *cache, ix_unigram_word *w, const char *p, size_t n,
                            unsigned kind, bool readable)
{
    w->line = NULL;
    if (n > IX_CACHED_BYTES)
        return;
    w->key = ix_cache_key_of(p, n, kind, readable);
    w->line = ix_cache_line(cache, w->key);
    __builtin_prefetch(w->line, 1);
}

/* Asks for a word, text[at..end); `space`: its first byte stands for U+2581.  first: where that
 * begins in the source.  readable: 16 bytes behind it may be read.  There is room. */
static inline void ask(const ix_word_cache *cache, ix_unigram_queue *q, size_t first, size_t at,
                       size_t end, bool space, bool readable)
{
    ix_unigram_word *w = &q->words[q->count++];
    w->first = (uint32_t)first;
    w->at = (uint32_t)at;
    w->size = (uint32_t)(end - at);
    w->space = space;
    w->suffix = false;
    ask_line(cache, w, q->text + at + space, end - at - space, space ? KEY_BEHIND_SPACE : KEY_WHOLE,
             readable);
}

/* The same for a word with the spaces behind it, up to `next`; at most 62 bytes. */
static inline void ask_suffix(const ix_word_cache *cache, ix_unigram_queue *q, size_t at,
                              size_t end, size_t next)
{
    ix_unigram_word *w = &q->words[q->count++];
    w->first = (uint32_t)next;
    w->at = (uint32_t)at;
    w->size = (uint32_t)(end - at);
    w->space = false;
    w->suffix = true;
    ask_line(cache, w, q->text + at, end - at, KEY_BEFORE_SPACE, true);
}

/* text[at] is the first space behind a word.  Asks for the words of the 64 bytes there that end in
 * them, and returns where the last of these ends: a space again. */
static inline size_t ask_block(const ix_unigram_run *r, ix_unigram_queue *q,
                               const ix_unigram_blocks *blocks, const char *text, size_t at)
{
    const ix_word_cache cache = *r->cache; /* its numbers at hand */
    uint64_t plain, spaces;
    blocks->block(blocks->marks, text + at, &plain, &spaces);
    uint64_t known = below(~(plain | spaces));
    uint64_t ends = spaces & known >> 1; /* of what is behind, ASCII is known */
    uint64_t starts = spaces & plain >> 1, several = spaces & spaces << 1;
    if (blocks->each) {
        ends &= ~(uint64_t)1;
        starts = spaces;
    } else {
        ends &= plain << 1 & (blocks->squeezes ? ~(uint64_t)0 : below(several));
    }
    size_t first = at;
    for (; ends != 0; ends &= ends - 1, starts &= starts - 1) {
        size_t end = at + (size_t)__builtin_ctzll(ends);
        ask(&cache, q, first, at + (size_t)__builtin_ctzll(starts), end, true, true);
        first = end;
    }
    return first;
}

/* The same where text[at] begins a word: of the words behind whose spaces another one begins. */
static inline size_t ask_block_suffix(const ix_unigram_run *r, ix_unigram_queue *q,
                                      const ix_unigram_blocks *blocks, const char *text, size_t at)
{
    const ix_word_cache cache = *r->cache; /* its numbers at hand */
    uint64_t plain, spaces;
    blocks->block(blocks->marks, text + at, &plain, &spaces);
    uint64_t known = below(~(plain | spaces)), several = spaces & spaces << 1;
    uint64_t ends = spaces & plain << 1;
    uint64_t starts = plain & spaces << 1 & known >> 1;
    if (!blocks->squeezes)
        starts &= below(several);
    size_t first = at;
    for (; starts != 0; starts &= starts - 1, ends &= ends - 1) {
        size_t next = at + (size_t)__builtin_ctzll(starts);
        ask_suffix(&cache, q, first, at + (size_t)__builtin_ctzll(ends), next);
        first = next;
    }
    return first;
}

inox_status ix_unigram_add_source(ix_unigram_run *r, ix_unigram_queue *q,
                                  const ix_unigram_blocks *blocks, const char *text, size_t *at,
                                  size_t size)
{
    q->text = text;
    q->origins = NULL;
    q->count = 0;
    for (size_t before = size; size - *at >= IX_UNIGRAM_LOOKAHEAD && *at != before;) {
        before = *at;
        *at = blocks->suffix ? ask_block_suffix(r, q, blocks, text, *at)
                             : ask_block(r, q, blocks, text, *at);
        if (q->count > AHEAD)
            IX_TRY(ix_unigram_answer(r, q));
    }
    return ix_unigram_answer(r, q);
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

typedef struct long_word {
    ix_unigram_run *run;
    word word;
    size_t start; /* in the text */
} long_word;

static inox_status take(void *context, const uint32_t *steps, size_t count, size_t start,
                        inox_error *err)
{
    const long_word *l = context;
    (void)err;
    return put_steps(l->run, &l->word, steps, count, start - l->start);
}

/* A word of too many units. */
static inox_status add_long(ix_unigram_run *r, const ix_unigram_queue *q, size_t start, size_t end)
{
    word w = {
        .p = q->text + start, .size = end - start, .last = SIZE_MAX, .origins = q->origins + start
    };
    long_word l = { .run = r, .word = w, .start = start };
    l.word.first = q->origins[start];
    r->was_unknown = false;
    return ix_unigram_search(r->m, r->s, q->text, start, end, &r->sum, take, &l, r->err);
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
            ask(r->cache, q, q->origins[at], at + skip, end, space,
                size - at >= skip + 1 + IX_CACHED_BYTES + 1);
    }
    return ix_unigram_answer(r, q);
}

inox_status ix_unigram_begin(ix_unigram_run *r, size_t bytes)
{
    ix_model_scratch *s = r->s;
    r->only_ids = !(r->out->want & (IX_WANT_OFFSETS | IX_WANT_WORDS | IX_WANT_SPACES));
    if (r->m->unigram.sentencepiece) {
        r->cache = &s->cache;
        return ix_model_scratch_expect(s, bytes, r->err);
    }
    r->cache = &s->words;
    if (!s->longs.slots)
        IX_TRY(ix_long_words_new(&s->longs, r->err));
    s->words_seen = ix_model_cache_lines(s->words_seen) < ix_model_cache_lines(SIZE_MAX)
                        ? s->words_seen + bytes
                        : s->words_seen;
    int lines = ix_model_cache_lines(s->words_seen);
    if (lines > s->words_log2) {
        ix_word_cache_release(&s->words); /* words are learnt anew */
        s->words_log2 = 0;
        IX_TRY(ix_word_cache_new(&s->words, lines, r->err));
        s->words_log2 = lines;
    }
    return INOX_OK;
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

/* Whether and how words with unknown characters are remembered: the scores of tokens then are those
 * of steps, of which the bytes of a character have one. */
static void make_unknown(ix_unigram_model *m, const uint8_t *types)
{
    ix_unigram_words *u = &m->words;
    float score = (float)m->unknown_score;
    bool bytes = m->byte_fallback;
    if (!types || !(fabsf(score) <= SCORE_MAX))
        return;
    for (int b = 0; b < 256; b++)
        bytes = bytes && m->byte_ids[b] >= 0;
    if (m->byte_fallback && !bytes)
        return;
    if (!bytes && ix_unigram_has_piece(types, (size_t)m->unknown))
        return;
    u->unknown = bytes ? IX_UNKNOWN_BYTES : IX_UNKNOWN_TOKEN;
    u->unknown_units = (int32_t)lrintf(score * 0x1p16F);
    u->greatest = fmaxf(u->greatest, fabsf(score));
    if (!bytes)
        u->scores[m->unknown] = score;
    for (int b = 0; b < 256 && bytes; b++)
        u->scores[m->byte_ids[b]] = b < 0x80 || b >= 0xC0 ? score : 0;
}

/* What both libraries' words need. */
static inox_status make_units(ix_unigram_model *m, const ix_vocabulary *v, const uint8_t *types,
                              inox_error *err)
{
    ix_unigram_words *u = &m->words;
    IX_TRY(IX_ALLOC(&u->units, v->id_end + 1, err));
    u->units[0] = NOT_A_PIECE;
    u->none = (int32_t)v->id_end;
    u->wide = v->id_end > UINT16_MAX;
    for (size_t i = 0; i < v->id_end; i++) {
        double score = m->scores[i];
        if (!v->pieces[i].data || (m->sentencepiece && !ix_unigram_has_piece(types, i)))
            continue;
        u->greatest = fmaxf(u->greatest, fabsf((float)score));
        u->units[i + 1] = fabs(score) <= SCORE_MAX ? (int32_t)lrint(score * 0x1p16) : 0;
    }
    for (const char *p = "\xE2\x96\x81"; *p && (p[0] == '\xE2' || u->space); p++)
        u->space = ix_unigram_step(m->nodes, u->space, *p);
    return INOX_OK;
}

inox_status ix_unigram_words_make(ix_unigram_model *m, const ix_vocabulary *v, const uint8_t *types,
                                  inox_error *err)
{
    ix_unigram_words *u = &m->words;
    bool before = true, behind = true;
    IX_TRY(make_units(m, v, types, err));
    IX_TRY(IX_ALLOC(&u->sizes, v->id_end, err));
    if (!m->sentencepiece) {
        for (size_t i = 0; i < v->id_end; i++)
            u->sizes[i] = (uint16_t)v->pieces[i].size;
        if (m->unknown >= 0)
            u->sizes[m->unknown] = 0;
        for (int b = 0; b < 256; b++)
            if (m->byte_ids[b] >= 0)
                u->sizes[m->byte_ids[b]] = 0;
        u->remembers = u->greatest <= SCORE_MAX && m->longest <= UINT16_MAX;
        return INOX_OK;
    }
    IX_TRY(IX_ALLOC(&u->scores, v->id_end + 1, err));
    for (size_t i = 0; i < v->id_end; i++) {
        ix_text_view piece = v->pieces[i];
        u->scores[i] = (float)m->scores[i];
        if (!piece.data || !ix_unigram_has_piece(types, i))
            continue;
        u->sizes[i] = (uint16_t)piece.size;
        look_at(piece, &before, &behind, &u->runs);
        if (ix_utf8_good(piece.data, piece.size) != piece.size)
            before = behind = false;
    }
    if (u->greatest > SCORE_MAX || v->id_end >= IX_MAX_VOCAB || m->longest > UINT16_MAX)
        before = behind = false;
    make_unknown(m, types);
    if (u->space && m->nodes[u->space].step != 0 && (before || behind))
        u->cut = before ? IX_CUT_BEFORE_SPACE : IX_CUT_BEHIND_SPACE;
    return INOX_OK;
}
