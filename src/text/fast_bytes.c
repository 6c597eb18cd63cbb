/* Byte-level BPE in one go: words are cut, looked up and, where they are new, merged.
 *
 *     word -> table of words that are one token -> caches of others -> pieces -> search, or merging
 *
 * Words come from the blocks of fast_block.h; what those leave open, from the matchers of
 * pretokenize.c.
 */
#include "text/fast_parts.h"

#include "base/alloc.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

#include <string.h>

#define HIGHS 0x8080808080808080u

/* ---- making ---------------------------------------------------------------------------------- */

/* The byte of each character of GPT-2's alphabet: printable Latin-1 characters stand for
 * themselves, the other bytes, ascending, for U+0100 on. */
static void alphabet(int16_t byte[0x144])
{
    uint32_t next = 0x100;
    memset(byte, -1, 0x144 * sizeof *byte);
    for (uint32_t b = 0; b < 256; b++) {
        bool itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
        byte[itself ? b : next++] = (int16_t)b;
    }
}

/* The bytes that a piece spells; false where a character is not of the alphabet. */
static bool spell(const int16_t byte[0x144], ix_text_view piece, char *out, size_t *n)
{
    *n = 0;
    for (size_t at = 0; at < piece.size;) {
        uint32_t c;
        at += ix_utf8_read(piece.data + at, piece.size - at, &c);
        if (c >= 0x144 || byte[c] < 0)
            return false;
        out[(*n)++] = (char)byte[c];
    }
    return *n > 0;
}

static inox_status spell_pieces(ix_fast_bytes *f, const ix_vocabulary *v, inox_error *err)
{
    int16_t byte[0x144];
    size_t total = 0, n;
    alphabet(byte);
    for (size_t i = 0; i < v->entries; i++)
        total += v->pieces[i].size;
    IX_TRY(IX_ALLOC(&f->store, total + 1, err));
    IX_TRY(IX_ALLOC(&f->bytes, v->entries, err));
    IX_TRY(IX_ALLOC(&f->ids, v->entries, err));
    char *out = f->store;
    for (size_t i = 0; i < v->entries; i++) {
        f->ids[i] = i < v->id_end ? (int32_t)i : v->other_ids[i - v->id_end];
        if (!v->pieces[i].data || !spell(byte, v->pieces[i], out, &n))
            continue;
        f->bytes[i] = (ix_text_view){ out, n };
        out += n;
    }
    return ix_piece_table_new(&f->table, f->bytes, v->entries, err);
}

inox_status ix_fast_bytes_from_model(ix_fast_bytes *f, const char *pretokenizer, const ix_model *m,
                                     bool *qualifies, inox_error *err)
{
    const ix_bpe_model *b = &m->bpe;
    const ix_vocabulary *v = &m->vocabulary;
    *qualifies = m->kind == IX_MODEL_BPE && !b->sentencepiece &&
                 ix_scanner_find(pretokenizer, &f->scanner, &f->pre) && !b->no_merges &&
                 b->prefix.size == 0 && b->suffix.size == 0 && !b->bpe.keeps_stale;
    if (!*qualifies)
        return INOX_OK;
    f->parts = (ix_fast_parts){ .pretokenizer = pretokenizer,
                                .bpe = &b->bpe,
                                .count = v->entries,
                                .ignore_merges = b->ignore_merges };
    if (b->ranks) {
        f->parts.table = &v->table;
        f->parts.bytes = v->pieces;
    } else {
        IX_TRY(spell_pieces(f, v, err));
        f->parts.table = &f->table;
        f->parts.bytes = f->bytes;
        f->parts.ids = f->ids;
        f->parts.whole_characters = true;
    }
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        int32_t entry = ix_piece_find(f->parts.table, &c, 1);
        f->byte_ids[byte] = entry >= 0 && f->parts.ids ? f->parts.ids[entry] : entry;
        *qualifies = *qualifies && entry >= 0;
    }
    f->parts.byte_ids = f->byte_ids;
    return INOX_OK;
}

inox_status ix_fast_bytes_finish(ix_fast_bytes *f, inox_error *err)
{
    ix_fast_parts *parts = &f->parts;
    ix_word_table_init(&f->words);
    f->set = ix_block_sets(0);
    memmove(f->byte_ids, parts->byte_ids, sizeof f->byte_ids);
    parts->byte_ids = f->byte_ids;
    (void)ix_scanner_find(parts->pretokenizer, &f->scanner, &f->pre);
    for (size_t i = 0; i < parts->count; i++) {
        ix_text_view p = parts->bytes[i];
        size_t *longest = p.data && p.size > 0 ? &f->longest[(unsigned char)*p.data] : NULL;
        if (longest && p.size > *longest)
            *longest = p.size;
    }
    if (parts->only_merges)
        return INOX_OK;
    IX_TRY(ix_bpe_search_new(&f->search, parts->bpe, f->byte_ids, parts->bytes, parts->ids,
                             parts->count, &f->searches, err));
    if (!f->searches && !parts->ignore_merges)
        return INOX_OK;
    return ix_fast_pieces_new(&f->pieces, parts, f->searches ? &f->search : NULL, &f->words, err);
}

void ix_fast_bytes_release(ix_fast_bytes *f)
{
    ix_piece_table_release(&f->table);
    ix_bpe_search_release(&f->search);
    ix_fast_pieces_release(&f->pieces);
    ix_word_table_release(&f->words);
    ix_free(f->bytes);
    ix_free(f->ids);
    ix_free(f->store);
}

/* ---- words ----------------------------------------------------------------------------------- */

typedef struct run {
    const ix_fast_bytes *f;
    ix_model_scratch *s;
    const char *text;
    size_t start, end;   /* of the fragment */
    ix_word_cache cache; /* of s: its numbers at hand */
    ix_long_words *longs;
    ix_encoding *out;
    size_t before; /* tokens that were there */
    bool ranges;   /* are wanted */
    int32_t word;  /* number of the word at hand */
    inox_error *err;
} run;

static inline bool inside_character(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Bytes [*from, *to) of a token, which has a part of each of its characters. */
static inline void whole_characters(const run *r, size_t *from, size_t *to)
{
    if (!r->f->parts.whole_characters)
        return;
    while (*from > r->start && inside_character(r->text[*from]))
        --*from;
    while (*to < r->end && inside_character(r->text[*to]))
        ++*to;
}

/* A word as it becomes tokens: they go to the encoding, and to one of the caches. */
typedef struct new_tokens {
    size_t word, count;
    ix_cached cached[IX_CACHED_TOKENS];
    uint32_t tokens[IX_LONG_TOKENS];
} new_tokens;

/* A token with its range, in whole characters where that is asked for.  There is room. */
static inline void put(run *r, int32_t id, size_t from, size_t to)
{
    ix_encoding *out = r->out;
    out->ids[out->count] = id;
    if (r->ranges) {
        out->starts[out->count] = (uint32_t)from;
        out->ends[out->count] = (uint32_t)to;
    }
    if (out->words)
        out->words[out->count] = r->word;
    out->count++;
}

static inline void add(run *r, new_tokens *n, int32_t id, size_t from, size_t to)
{
    if (n->count < IX_LONG_TOKENS)
        n->tokens[n->count] = (uint32_t)id | (uint32_t)(to - n->word) << 24;
    whole_characters(r, &from, &to);
    put(r, id, from, to);
    n->cached[n->count++ % IX_CACHED_TOKENS] =
        (ix_cached){ id, (uint8_t)(from - n->word), (uint8_t)(to - n->word) };
}

/* A word that the table of words does not have: where the caches have it. */
typedef struct waiting {
    ix_cache_key key;    /* of a word that is too long: its hash, for the other cache */
    ix_cache_slot *line; /* the empty one where the word is too long for the cache */
    uint32_t at, size;
    size_t index; /* in the queue */
} waiting;

/* No word has its key: the lines of the cache hold none of size 15 and tag 15. */
static ix_cache_slot empty_line[2];

static inline uint64_t long_hash(const run *r, const waiting *w)
{
    bool is_long = w->line == empty_line;
    return is_long ? w->key.low : ix_long_hash(r->longs, r->text + w->at, w->size);
}

static inline inox_status remember(const run *r, const new_tokens *n, const waiting *w)
{
    if (n->count > IX_LONG_TOKENS || n->count == 0)
        return INOX_OK;
    if (w->line == empty_line || n->count > IX_CACHED_TOKENS)
        return ix_long_put(r->longs, r->text + w->at, w->size, 1, n->tokens, n->count, r->err);
    ix_cache_put(w->line, w->key, n->cached, n->count);
    return INOX_OK;
}

/* The tokens of a word that the cache of longer words has. */
static inox_status add_long(run *r, const ix_long_slot *known, const waiting *w)
{
    size_t from = w->at, to;
    IX_TRY(ix_encoding_room(r->out, IX_LONG_TOKENS, r->err));
    if (!r->ranges && !r->out->words) {
        ix_long_ids(known, r->out->ids + r->out->count);
        r->out->count += known->count;
        return INOX_OK;
    }
    for (size_t k = 0; k < known->count; k++, from = to) {
        to = w->at + ix_long_end(known, k);
        size_t first = from, last = to;
        whole_characters(r, &first, &last);
        put(r, ix_long_id(known, k), first, last);
    }
    return INOX_OK;
}

/* By merging: always right. */
static inox_status merge_word(run *r, const waiting *new)
{
    ix_word *w = &r->s->word;
    new_tokens n;
    n.word = new->at;
    n.count = w->count = 0;
    for (size_t i = 0; i < new->size; i++) {
        int32_t id = r->f->byte_ids[(unsigned char)r->text[new->at + i]];
        IX_TRY(ix_word_add(w, new->at + (uint32_t)i, 1, id, r->err));
    }
    IX_TRY(ix_word_merge(r->f->parts.bpe, w, r->err));
    IX_TRY(ix_encoding_room(r->out, w->count, r->err));
    for (size_t i = 0; i < w->count; i++)
        add(r, &n, w->symbols[i].id, w->symbols[i].at, w->symbols[i].at + w->symbols[i].size);
    return remember(r, &n, new);
}

/* By search.  blocked: as it takes them. */
static inox_status search_word(run *r, const waiting *new, uint64_t *blocked)
{
    const ix_bpe_search *search = &r->f->search;
    ix_encoding *out = r->out;
    IX_TRY(ix_encoding_room(out, new->size, r->err));
    int32_t *ids = out->ids + out->count;
    size_t count =
        ix_bpe_search_run(search, r->s->memo, r->text + new->at, new->size, ids, blocked);
    new_tokens n;
    n.word = new->at;
    n.count = 0;
    if (count == 0)
        return merge_word(r, new);
    if (!r->ranges && !out->words && count > IX_LONG_TOKENS) {
        out->count += count;
        return INOX_OK;
    }
    for (size_t k = 0, from = new->at, to; k < count; k++, from = to) {
        to = from + search->sizes[ids[k]];
        add(r, &n, ids[k], from, to);
    }
    return remember(r, &n, new);
}

static inox_status long_word(run *r, const waiting *new)
{
    ix_model_scratch *s = r->s;
    size_t n = new->size / 64 + 1;
    if (n > s->blocked_capacity) {
        IX_TRY(IX_REALLOC(&s->blocked, n, r->err));
        s->blocked_capacity = n;
    }
    memset(s->blocked, 0, n * sizeof *s->blocked);
    return search_word(r, new, s->blocked);
}

/* A piece that is a word whatever the merges say, or -1. */
static int32_t whole_word(const ix_fast_parts *parts, const char *p, size_t n)
{
    int32_t entry = ix_piece_find(parts->table, p, n);
    if (entry < 0 || (parts->types && parts->types[entry] == IX_PIECE_CONTROL))
        return -1;
    return parts->ids ? parts->ids[entry] : entry;
}

/* A word that is not in the first cache. */
static inox_status new_word(run *r, const waiting *new)
{
    enum { SHORT = 63 };
    const ix_fast_parts *parts = &r->f->parts;
    const char *p = r->text + new->at;
    uint64_t blocked = 0;
    const ix_long_slot *known = ix_long_find(r->longs, p, new->size, 1, long_hash(r, new));
    if (known)
        return add_long(r, known, new);
    bool may_be_whole = parts->ignore_merges && new->size <= r->f->longest[(unsigned char)*p];
    int32_t whole = may_be_whole ? whole_word(parts, p, new->size) : -1;
    if (whole >= 0) {
        new_tokens n;
        n.word = new->at;
        n.count = 0;
        IX_TRY(ix_encoding_room(r->out, 1, r->err));
        add(r, &n, whole, new->at, new->at + new->size);
        return remember(r, &n, new);
    }
    if (!r->f->searches)
        return merge_word(r, new);
    return new->size <= SHORT ? search_word(r, new, &blocked) : long_word(r, new);
}

/* Kept apart, so that the loop for short ones stays short. */
static __attribute__((noinline)) uint64_t ask_long(const ix_long_words *longs, const char *p,
                                                   size_t n)
{
    uint64_t hash = n <= IX_LONG_ROOM ? ix_long_hash(longs, p, n) : 0;
    ix_long_prefetch(longs, hash);
    return hash;
}

/* Word `index` of the queue: its line is then on its way from memory. */
static inline waiting ask(const run *r, const ix_word_queue *q, size_t index)
{
    uint32_t at = q->at[index], size = q->at[index + 1] - at;
    const char *p = r->text + at;
    waiting w = { .at = at, .size = size, .index = index };
    if (size > IX_CACHED_BYTES) {
        w.line = empty_line;
        w.key = (ix_cache_key){ ask_long(r->longs, p, size), UINT64_MAX };
        return w;
    }
    w.key = ix_cache_key_of(p, size, 1, r->end - at >= 16);
    w.line = ix_cache_line(&r->cache, w.key);
    __builtin_prefetch(w.line, 1);
    return w;
}

/* Whether the word at `at` has bytes beyond ASCII, as far as its first two bytes tell. */
static inline bool begins_high(const run *r, size_t at)
{
    return ((r->text[at] | r->text[at + 1 < r->end ? at + 1 : at]) & 0x80) != 0;
}

static size_t next_word(const run *r, size_t at)
{
    const ix_scanner *s = &r->f->scanner;
    size_t next = begins_high(r, at)          ? 0
                  : s->kind == IX_SCAN_GPT2   ? ix_scan_gpt2(s, r->text, at, r->end)
                  : s->kind == IX_SCAN_CL100K ? ix_scan_cl100k(s, r->text, at, r->end)
                                              : ix_scan_o200k(s, r->text, at, r->end);
    return next > 0 ? next : ix_pre_end(r->f->pre.stages, r->text, at, r->end);
}

/* What the table has of words [from, to) of the queue.  32 are written at once: there is room
 * for that behind them. */
static inline void add_found(run *r, const ix_word_queue *q, int32_t first, size_t from, size_t to)
{
    enum { ONCE = 32 };
    ix_encoding *out = r->out;
    size_t count = out->count;
    for (size_t i = from; i < to; i += ONCE, count += ONCE)
        memcpy(out->ids + count, q->ids + i, ONCE * sizeof *q->ids);
    count = out->count;
    for (size_t i = from; i < to && r->ranges; i += ONCE, count += ONCE) {
        memcpy(out->starts + count, q->at + i, ONCE * sizeof *q->at);
        memcpy(out->ends + count, q->at + i + 1, ONCE * sizeof *q->at);
    }
    count = out->count;
    for (size_t i = from; i < to && out->words; i++)
        out->words[count++] = first + (int32_t)i;
    out->count += to - from;
}

/* What the cache has of a word. */
static inline void add_known(run *r, const waiting *w, const ix_cache_slot *known)
{
    ix_encoding *out = r->out;
    size_t count = out->count;
    ix_cache_ids(known, out->ids + count);
    if (r->ranges)
        ix_cache_ranges(known, w->at, w->size, out->starts + count, out->ends + count);
    for (int k = 0; k < IX_CACHED_TOKENS && out->words; k++)
        out->words[count + (size_t)k] = r->word;
    out->count += ix_cache_count(known);
}

/* A new word that is no piece, into the cache. */
static void learn_word(const run *r, const waiting *w, ix_fast_guess *guess)
{
    ix_cached tokens[IX_CACHED_TOKENS];
    size_t n = ix_fast_pieces_cut(&r->f->pieces, &r->f->search, r->s->memo, w->key, w->size, guess,
                                  tokens);
    for (size_t k = 0; k < n; k++) {
        size_t from = w->at + tokens[k].start, to = w->at + tokens[k].end;
        whole_characters(r, &from, &to);
        tokens[k].start = (uint8_t)(from - w->at);
        tokens[k].end = (uint8_t)(to - w->at);
    }
    if (n > 0)
        ix_cache_put(w->line, w->key, tokens, n);
}

/* Words that are new to the cache: it learns those that are pieces, or come apart into a few.
 * Memory is waited for only once for many, here too. */
static void learn(const run *r, const waiting *words, size_t n)
{
    const ix_fast_pieces *pieces = &r->f->pieces;
    const waiting *new[IX_QUEUE];
    const ix_cache_slot *lines[IX_QUEUE];
    ix_fast_guess guesses[IX_QUEUE];
    size_t count = 0, others = 0;
    for (const waiting *w = words; w < words + n; w++) {
        if (w->line == empty_line || ix_cache_find(w->line, w->key))
            continue;
        if ((w->key.low & HIGHS) &&
            ix_long_find(r->longs, r->text + w->at, w->size, 1, long_hash(r, w)))
            continue; /* of many tokens: usual in alphabets that are not ASCII's */
        lines[count] = ix_cache_line(&pieces->words, w->key);
        __builtin_prefetch(lines[count]);
        new[count++] = w;
    }
    for (size_t i = 0; i < count; i++) {
        const ix_cache_slot *known = ix_cache_find(lines[i], new[i]->key);
        if (!known && pieces->filter) {
            ix_fast_pieces_ask(pieces, new[i]->key, new[i]->size, &guesses[others]);
            new[others++] = new[i];
        } else if (!known) {
            continue;
        } else if (!ix_cache_find(new[i]->line, new[i]->key)) {
            ix_cache_copy(new[i]->line, known);
        }
    }
    for (size_t i = 0; i < others; i++)
        ix_fast_pieces_ask_pair(pieces, &r->f->search, r->s->memo, new[i]->key, new[i]->size,
                                &guesses[i]);
    for (size_t i = 0; i < others; i++)
        if (!ix_cache_find(new[i]->line, new[i]->key))
            learn_word(r, new[i], &guesses[i]);
}

/* Room for the words of a queue if they are known, and what is written behind them: where the text
 * up to `at` shows how many tokens there will be, for all at once. */
static inline inox_status make_room(const run *r, const ix_word_queue *q, size_t at)
{
    enum { TELLING = 4096 };
    size_t need = q->count * IX_CACHED_TOKENS + IX_QUEUE_SLACK;
    size_t done = at - r->start, left = r->end - at, more;
    if (r->out->capacity - r->out->count >= need)
        return INOX_OK;
    if (done < TELLING)
        return ix_encoding_grow(r->out, need, r->err);
    more = (size_t)((double)(r->out->count - r->before) * (double)left / (double)done * 1.03);
    return ix_encoding_reserve(r->out, (more < left ? more : left) + 2 * need, r->err);
}

/* The words of a queue become tokens.  bytes[0..readable): of its first word, and of all that
 * follows to 16 behind the beginning of the last one, or more. */
static inox_status answer(run *r, ix_word_queue *q, const char *bytes, size_t readable)
{
    const int32_t first = r->word;
    waiting words[IX_QUEUE];
    bool learnt = !r->f->pieces.words.slots;
    size_t from = 0;
    r->f->set->find(&r->f->words, bytes, readable, q);
    for (size_t i = 0; i < q->other_count; i++)
        words[i] = ask(r, q, q->others[i]);
    IX_TRY(make_room(r, q, q->at[0]));
    for (size_t i = 0; i < q->other_count; i++) {
        const waiting *w = &words[i];
        const ix_cache_slot *known = ix_cache_find(w->line, w->key);
        add_found(r, q, first, from, w->index);
        from = w->index + 1;
        r->word = first + (int32_t)w->index;
        if (!known && !learnt && w->line != empty_line) { /* this one and those behind it */
            learn(r, w, q->other_count - i);
            learnt = true;
            known = ix_cache_find(w->line, w->key);
        }
        if (known) {
            add_known(r, w, known);
            continue;
        }
        IX_TRY(new_word(r, w));
        IX_TRY(make_room(r, q, w->at + w->size));
    }
    add_found(r, q, first, from, q->count);
    r->word = first + (int32_t)q->count;
    return INOX_OK;
}

/* Appends words that begin at p[at], one at least; returns where the last ends.  The text has them
 * `origin` bytes further on. */
static inline size_t cut_some(const run *r, ix_word_queue *q, const char *p, size_t at, size_t end,
                              size_t origin)
{
    size_t next = r->f->set->cut(&r->f->scanner, p, at, end, q);
    if (next == at) {
        next = next_word(r, origin + at) - origin;
        q->at[q->count++] = (uint32_t)at;
        q->at[q->count] = (uint32_t)next;
    }
    return next;
}

/* The last bytes of the text, in a copy with bytes behind it that blocks stop at. */
static inox_status encode_tail(run *r, ix_word_queue *q, size_t at)
{
    char tail[4 * IX_BLOCK];
    size_t size = r->end - at;
    memcpy(tail, r->text + at, size);
    memset(tail + size, 0xFF, sizeof tail - size);
    q->count = 0;
    for (size_t done = 0; done < size;)
        done = cut_some(r, q, tail, done, size + IX_TAIL, at);
    for (size_t i = 0; i <= q->count; i++)
        q->at[i] += (uint32_t)at;
    return answer(r, q, tail, sizeof tail);
}

inox_status ix_fast_bytes_encode(const ix_fast_bytes *f, ix_model_scratch *s, const char *text,
                                 size_t start, size_t end, ix_encoding *out, inox_error *err)
{
    run r = { .f = f, .s = s, .text = text, .start = start, .end = end, .out = out, .err = err };
    ix_word_queue q;
    if (!s->longs.slots)
        IX_TRY(ix_long_words_new(&s->longs, err));
    r.cache = s->cache;
    r.longs = &s->longs;
    r.ranges = (out->want & IX_WANT_OFFSETS) != 0;
    r.before = out->count;
    if (!s->memo)
        IX_TRY(IX_ALLOC(&s->memo, 1, err));
    for (size_t at = start; at < end;) {
        if (end - at < IX_TAIL)
            return encode_tail(&r, &q, at);
        q.count = 0;
        while (q.count < IX_WORDS_AHEAD && end - at >= IX_TAIL)
            at = cut_some(&r, &q, text, at, end, 0);
        IX_TRY(answer(&r, &q, text + q.at[0], end - q.at[0]));
    }
    return INOX_OK;
}
