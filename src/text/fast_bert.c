/* BERT in one go: text is cut into words, put in lower case and looked up, many words at a time.
 *
 *     text     It's  NEW,\nyes      a chunk of some thousand bytes
 *     bytes    it's  new, yes       ASCII in lower case, line ends as spaces
 *     starts   | ||  |  | |         bits of 64 bytes at once, then a list
 *     words    it ' s  new , yes    each looked up in the cache of words
 *
 * Between ASCII's spaces and ASCII's punctuation, which is a word by itself, nothing in BERT's
 * normalizer and pre-tokenizer looks further: what stands there is looked up as it is, whatever
 * characters it has, and only where it is new, one with other than ASCII's letters and digits goes
 * the general way.
 */
#include "text/fast_parts.h"

#include "base/alloc.h"
#include "text/normal.h"

#include <string.h>

enum { CHUNK = 2048, BLOCK = 64, PAD = BLOCK + 16, AHEAD = 64, PART = 512 };

static bool flag(const json_t *normalizer, const char *name)
{
    return json_is_true(json_object_get(normalizer, name));
}

void ix_fast_bert_init(ix_fast *f, const ix_model *m, const json_t *normalizer)
{
    bool accents = json_is_boolean(json_object_get(normalizer, "strip_accents"));
    f->kind = IX_FAST_BERT;
    f->model = m;
    f->block = ix_block_sets(0)->words;
    f->bert = (ix_bert_options){
        .clean_text = flag(normalizer, "clean_text"),
        .handle_chinese_chars = flag(normalizer, "handle_chinese_chars"),
        .strip_accents = flag(normalizer, accents ? "strip_accents" : "lowercase"),
        .lowercase = flag(normalizer, "lowercase"),
    };
    unsigned strip = IX_NORMAL_NFD | IX_NORMAL_NONSPACING | IX_NORMAL_HAS_ORDER;
    f->changes = (f->bert.clean_text ? IX_NORMAL_CLEAN : 0u) |
                 (f->bert.strip_accents ? strip : 0u) | (f->bert.lowercase ? IX_NORMAL_LOWER : 0u);
}

typedef struct run {
    const ix_fast *f;
    ix_model_scratch *s;
    ix_word_cache cache; /* of s: its numbers at hand */
    ix_long_words *longs;
    const char *text;
    size_t end; /* of the fragment */
    ix_fast_general general;
    void *context;
    ix_encoding *out;
    unsigned char upper; /* letters in upper case that are put in lower case: 26 or 0 */
    unsigned tag;        /* of keys: where words are told, a key is of one word at most */
    int32_t word;        /* number of the next one */
    ix_encoding found;   /* tokens of what stands between spaces, with ranges and words */
    inox_error *err;
} run;

/* ---- a chunk --------------------------------------------------------------------------------- */

typedef struct chunk {
    char bytes[CHUNK + PAD];                              /* spaces behind the last */
    uint16_t starts[CHUNK + BLOCK], lasts[CHUNK + BLOCK]; /* of each word */
    size_t count;
} chunk;

static inline unsigned char change(unsigned char c, unsigned char upper)
{
    unsigned char lower = (unsigned char)(c - 'A') < upper ? 0x20 : 0;
    bool space = c == '\t' || c == '\n' || c == '\r';
    return space ? ' ' : (unsigned char)(c | lower);
}

typedef unsigned char bytes16 __attribute__((vector_size(16)));

/* The same of sixteen. */
static inline bytes16 change16(bytes16 c, unsigned char upper)
{
    bytes16 spaces = (bytes16)(c == '\t') | (bytes16)(c == '\n') | (bytes16)(c == '\r');
    bytes16 uppers = (bytes16)((bytes16)(c - 'A') < upper);
    return ((c | (uppers & 0x20)) & ~spaces) | (spaces & ' ');
}

/* Text to the chunk's bytes, n <= CHUNK. */
static void fill(chunk *c, const char *text, size_t n, unsigned char upper)
{
    bytes16 bytes;
    size_t at = 0;
    for (; n - at >= sizeof bytes; at += sizeof bytes) {
        memcpy(&bytes, text + at, sizeof bytes);
        bytes = change16(bytes, upper);
        memcpy(c->bytes + at, &bytes, sizeof bytes);
    }
    for (; at < n; at++)
        c->bytes[at] = (char)change((unsigned char)text[at], upper);
    memset(c->bytes + n, ' ', PAD);
}

static inline unsigned bit_count(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (unsigned)(x * 0x0101010101010101u >> 56);
}

/* Writes the places of the bits of x, and up to three numbers more; returns the places' end. */
static inline uint16_t *put_places(uint16_t *to, uint64_t x, size_t base)
{
    uint16_t *end = to + bit_count(x);
    for (; to < end; to += 4)
        for (int k = 0; k < 4; k++) {
            to[k] = (uint16_t)(base + (size_t)__builtin_ctzll(x | (uint64_t)1 << 63));
            x &= x - 1;
        }
    return end;
}

/* The words of n bytes, behind which there is no word's byte. */
static void find_words(chunk *c, size_t n, ix_block_words read)
{
    uint16_t *starts = c->starts, *lasts = c->lasts;
    uint64_t words, single, next_words, next_single, before = 0;
    read(c->bytes, &next_words, &next_single);
    for (size_t at = 0; at < n; at += BLOCK) {
        words = next_words;
        single = next_single;
        read(c->bytes + at + BLOCK, &next_words, &next_single);
        starts = put_places(starts, (words & ~(words << 1 | before)) | single, at);
        lasts = put_places(lasts, (words & ~(words >> 1 | next_words << 63)) | single, at);
        before = words >> 63;
    }
    c->count = (size_t)(starts - c->starts);
}

/* ---- words ----------------------------------------------------------------------------------- */

/* Whether it is ASCII that is printed: all that a chunk has of it is in lower case by now. */
static bool is_plain(const char *p, size_t n)
{
    bool plain = true;
    for (size_t i = 0; i < n; i++)
        plain &= (unsigned char)(p[i] - ' ') < 0x7F - ' ';
    return plain;
}

/* The word p[0..n), which is text[at..at + n) normalized, by the model. */
static inox_status plain_word(run *r, const char *p, size_t n, size_t at, ix_encoding *to)
{
    ix_token_list *list = &r->s->tokens;
    list->count = 0;
    IX_TRY(ix_wordpiece_tokenize(r->f->model, p, 0, n, list, r->err));
    IX_TRY(ix_encoding_room(to, list->count, r->err));
    for (size_t i = 0; i < list->count; i++) {
        const ix_token *t = &list->items[i];
        IX_TRY(ix_encoding_add(to, t->id, at + t->start, at + t->end, r->word, r->err));
    }
    r->word++;
    return INOX_OK;
}

/* Puts the tokens found of text[at..at + n), from `first` on, into a line if they fit. */
static void remember(const run *r, size_t first, size_t at, size_t n, ix_cache_key key,
                     ix_cache_slot *line)
{
    const ix_encoding *e = &r->found;
    ix_cached cached[IX_CACHED_TOKENS];
    size_t count = e->count - first;
    if (n > IX_CACHED_BYTES || count > IX_CACHED_TOKENS)
        return;
    if (count > 0 && (e->starts[first] != at || e->ends[e->count - 1] != at + n))
        return;
    if (count > 0 && (r->out->want & IX_WANT_WORDS) && e->words[first] != e->words[e->count - 1])
        return;
    for (size_t k = 0; k < count; k++)
        cached[k] = (ix_cached){ e->ids[first + k], (uint8_t)(e->starts[first + k] - at),
                                 (uint8_t)(e->ends[first + k] - at) };
    ix_cache_put(line, key, cached, count);
}

/* The same for the word p[0..n), into the cache of longer words, which know where tokens end. */
static inox_status remember_long(const run *r, const char *p, size_t at, size_t n)
{
    const ix_encoding *e = &r->found;
    uint32_t tokens[IX_LONG_TOKENS];
    size_t from = at;
    if (n > IX_LONG_ROOM || e->count == 0 || e->count > IX_LONG_TOKENS)
        return INOX_OK;
    if ((r->out->want & IX_WANT_WORDS) && e->words[0] != e->words[e->count - 1])
        return INOX_OK;
    for (size_t k = 0; k < e->count; from = e->ends[k++]) {
        if (e->starts[k] != from)
            return INOX_OK;
        tokens[k] = (uint32_t)e->ids[k] | (e->ends[k] - (uint32_t)at) << 24;
    }
    return from == at + n ? ix_long_put(r->longs, p, n, r->tag, tokens, e->count, r->err) : INOX_OK;
}

/* Appends the tokens of a longer word. */
static inox_status put_long(run *r, const ix_long_slot *known, size_t at)
{
    ix_encoding *out = r->out;
    size_t from = at, count = out->count;
    IX_TRY(ix_encoding_room(out, IX_LONG_TOKENS, r->err));
    ix_long_ids(known, out->ids + count);
    for (size_t k = 0; k < known->count && out->starts; k++) {
        out->starts[count + k] = (uint32_t)from;
        from = at + ix_long_end(known, k);
        out->ends[count + k] = (uint32_t)from;
    }
    for (size_t k = 0; k < known->count && out->words; k++)
        out->words[count + k] = r->word;
    r->word++;
    out->count += known->count;
    return INOX_OK;
}

/* The tokens of a known word become those from `count` on, where there is room for four; returns
 * how many there are then. */
static inline size_t put_known(run *r, const ix_cache_slot *known, size_t at, size_t n,
                               ix_encoding *to, size_t count)
{
    ix_cache_ids(known, to->ids + count);
    if (to->starts)
        ix_cache_ranges(known, (uint32_t)at, (uint32_t)n, to->starts + count, to->ends + count);
    if (to->words) {
        for (size_t k = 0; k < IX_CACHED_TOKENS; k++)
            to->words[count + k] = r->word;
        r->word += ix_cache_count(known) > 0;
    }
    return count + ix_cache_count(known);
}

/* Characters between which and their neighbours nothing happens: words by themselves, or none. */
static bool stands_alone(const ix_fast *f, uint32_t c)
{
    unsigned kind = ix_normal_kind(c), is = ix_unicode_properties(c);
    if (f->bert.handle_chinese_chars && (kind & IX_NORMAL_CHINESE))
        return true;
    if (kind & IX_NORMAL_SPACE)
        return !(f->bert.clean_text && (kind & IX_NORMAL_CLEAN));
    return (is & IX_OLD_PUNCTUATION) && !(kind & f->changes);
}

/* A part of a word, normalized, and the bytes of the text that each byte's character stands for. */
typedef struct normal_part {
    char bytes[PART];
    uint32_t starts[PART], ends[PART];
    size_t size, characters;
    uint32_t end; /* of the last character, which may not have found room */
    bool full;
} normal_part;

static inline void put_character(normal_part *p, uint32_t c, size_t from, size_t to)
{
    p->end = (uint32_t)to;
    if (PART - p->size < 4) {
        p->full = true;
        return;
    }
    for (size_t n = ix_utf8_write(c, p->bytes + p->size); n > 0; n--) {
        p->starts[p->size] = (uint32_t)from;
        p->ends[p->size++] = (uint32_t)to;
    }
    p->characters++;
}

static void put_lower(const run *r, normal_part *p, uint32_t c, size_t from, size_t to)
{
    const uint32_t *lower;
    size_t n = r->f->bert.lowercase && c >= 0x80 ? ix_normal_lower(c, &lower) : 0;
    if (c < 0x80)
        c = change((unsigned char)c, r->upper);
    if (n == 0)
        put_character(p, c, from, to);
    for (size_t i = 0; i < n; i++)
        put_character(p, lower[i], from, to);
}

/* The character c = text[from..to); false where it may not be normalized without its neighbours, or
 * ends the word. */
static bool normalize_character(const run *r, normal_part *p, uint32_t c, size_t from, size_t to)
{
    const ix_bert_options *o = &r->f->bert;
    unsigned kind = ix_normal_kind(c);
    uint32_t parts[IX_NORMAL_DECOMPOSED];
    if (o->clean_text && (kind & IX_NORMAL_CLEAN))
        return true;
    if (kind & IX_NORMAL_SPACE)
        return false;
    if (!o->strip_accents ||
        !(kind & (IX_NORMAL_NFD | IX_NORMAL_NONSPACING | IX_NORMAL_HAS_ORDER))) {
        put_lower(r, p, c, from, to);
        return true;
    }
    size_t n = ix_normal_decompose(c, parts);
    for (size_t i = 0; i < n; i++) {
        unsigned is = ix_normal_kind(parts[i]);
        if (is & IX_NORMAL_NONSPACING)
            continue;
        if ((is & (IX_NORMAL_HAS_ORDER | IX_NORMAL_SPACE)) ||
            (ix_unicode_properties(parts[i]) & IX_OLD_PUNCTUATION))
            return false;
        put_lower(r, p, parts[i], from, to);
    }
    return true;
}

/* The same as the general way, where every character is normalized by itself; *found: whether it
 * is so. */
static inox_status find_easy(run *r, size_t at, size_t end, bool *found)
{
    const ix_wordpiece_model *model = &r->f->model->wordpiece;
    ix_token_list *list = &r->s->tokens;
    normal_part p;
    p.size = p.characters = 0;
    p.full = *found = false;
    for (size_t n; at < end; at += n) {
        uint32_t c;
        n = ix_utf8_read(r->text + at, end - at, &c);
        if (!normalize_character(r, &p, c, at, at + n))
            return INOX_OK;
    }
    if (p.full && p.characters <= model->characters_max)
        return INOX_OK;
    *found = true;
    list->count = 0;
    IX_TRY(ix_wordpiece_tokenize(r->f->model, p.bytes, 0, p.size, list, r->err));
    if (p.full) /* it is one unknown token, up to the end */
        p.ends[p.size - 1] = p.end;
    for (size_t i = 0; i < list->count; i++) {
        const ix_token *t = &list->items[i];
        IX_TRY(ix_encoding_add(&r->found, t->id, p.starts[t->start], p.ends[t->end - 1], r->word,
                               r->err));
    }
    r->word += list->count > 0;
    return INOX_OK;
}

/* A part of a word in which no character stands alone, or one that does: its tokens are found. */
static inox_status find_new_part(run *r, size_t at, size_t end)
{
    bool found;
    ix_encoding *e = &r->found;
    size_t first = e->count;
    IX_TRY(find_easy(r, at, end, &found));
    if (found)
        return INOX_OK;
    IX_TRY(r->general(r->context, at, end, e, r->err));
    for (size_t i = first; i < e->count; i++)
        e->words[i] += r->word;
    if (e->count > first)
        r->word = e->words[e->count - 1] + 1;
    return INOX_OK;
}

/* The same, of which short ones are remembered. */
static inox_status find_part(run *r, size_t at, size_t end)
{
    size_t n = end - at, first = r->found.count;
    if (n > IX_CACHED_BYTES)
        return find_new_part(r, at, end);
    ix_cache_key key = ix_cache_key_of(r->text + at, n, r->tag, r->end - at >= 16);
    ix_cache_slot *line = ix_cache_line(&r->cache, key);
    const ix_cache_slot *known = ix_cache_find(line, key);
    if (known) {
        IX_TRY(ix_encoding_room(&r->found, IX_CACHED_TOKENS, r->err));
        r->found.count = put_known(r, known, at, n, &r->found, first);
        return INOX_OK;
    }
    IX_TRY(find_new_part(r, at, end));
    remember(r, first, at, n, key, line);
    return INOX_OK;
}

/* Appends what was found. */
static inox_status add_found(run *r)
{
    const ix_encoding *found = &r->found;
    IX_TRY(ix_encoding_room(r->out, found->count, r->err));
    for (size_t i = 0; i < found->count; i++)
        IX_TRY(ix_encoding_add(r->out, found->ids[i], found->starts[i], found->ends[i],
                               found->words[i], r->err));
    r->found.count = 0;
    return INOX_OK;
}

/* A word that is not of ASCII alone: its tokens are found.  Those of a long one, which is not
 * remembered as a whole, go on from time to time. */
static inox_status find_other(run *r, size_t at, size_t end)
{
    bool is_long = end - at > IX_CACHED_BYTES;
    size_t from = at, n;
    uint32_t c;
    for (; at < end; at += n) {
        n = ix_utf8_read(r->text + at, end - at, &c);
        if (c < 0x80 || !stands_alone(r->f, c))
            continue;
        if (from < at)
            IX_TRY(find_part(r, from, at));
        IX_TRY(find_part(r, at, at + n));
        from = at + n;
        if (is_long && r->found.count > AHEAD)
            IX_TRY(add_found(r));
    }
    return from < end ? find_part(r, from, end) : INOX_OK;
}

/* The word p[0..n) of the chunk, which is text[at..at + n), and not in the cache; line: where it
 * belongs if it is short enough. */
static inox_status new_word(run *r, const char *p, size_t n, size_t at, ix_cache_key key,
                            ix_cache_slot *line)
{
    const ix_wordpiece_model *model = &r->f->model->wordpiece;
    int32_t ids[IX_CACHED_BYTES];
    uint32_t ends[IX_CACHED_BYTES];
    r->found.count = 0;
    bool plain = is_plain(p, n);
    const ix_long_slot *known =
        plain || n > IX_LONG_ROOM
            ? NULL
            : ix_long_find(r->longs, p, n, r->tag, ix_long_hash(r->longs, p, n));
    if (known)
        return put_long(r, known, at);
    size_t count = plain && n <= IX_CACHED_BYTES && n <= model->characters_max
                       ? ix_wordpiece_pieces(model, p, n, ids, ends)
                       : 0;
    if (count == 0) {
        IX_TRY(plain ? plain_word(r, p, n, at, &r->found) : find_other(r, at, at + n));
        remember(r, 0, at, n, key, line);
        if (!plain && (n > IX_CACHED_BYTES || r->found.count > IX_CACHED_TOKENS))
            IX_TRY(remember_long(r, p, at, n));
        return add_found(r);
    }
    ix_cached cached[IX_CACHED_TOKENS];
    for (size_t i = 0, from = 0; i < count; from = ends[i++]) {
        IX_TRY(ix_encoding_add(r->out, ids[i], at + from, at + ends[i], r->word, r->err));
        cached[i % IX_CACHED_TOKENS] = (ix_cached){ ids[i], (uint8_t)from, (uint8_t)ends[i] };
    }
    if (count <= IX_CACHED_TOKENS)
        ix_cache_put(line, key, cached, count);
    r->word++;
    return INOX_OK;
}

/* The word that text[at] begins, longer than a chunk. */
static inox_status long_word(run *r, size_t at, size_t *end)
{
    const ix_wordpiece_model *model = &r->f->model->wordpiece;
    ix_model_scratch *s = r->s;
    size_t n;
    bool plain = true, ended = false;
    chunk c;
    for (*end = at; !ended && *end < r->end; *end += n) {
        n = r->end - *end < CHUNK ? r->end - *end : CHUNK;
        fill(&c, r->text + *end, n, 0);
        for (size_t i = 0; i < n && !ended; i += BLOCK) {
            uint64_t words, single;
            r->f->block(c.bytes + i, &words, &single);
            ended = ~words != 0;
            n = ended ? i + (size_t)__builtin_ctzll(~words) : n;
        }
        plain = plain && is_plain(c.bytes, n);
    }
    n = *end - at;
    r->found.count = 0;
    if (!plain) {
        IX_TRY(find_other(r, at, *end));
    } else if (n > model->characters_max) { /* what letters they are does not matter */
        IX_TRY(plain_word(r, r->text + at, n, at, &r->found));
    } else {
        if (n > s->composed_capacity) {
            IX_TRY(IX_REALLOC(&s->composed, n, r->err));
            s->composed_capacity = n;
        }
        for (size_t i = 0; i < n; i++)
            s->composed[i] = (char)change((unsigned char)r->text[at + i], r->upper);
        IX_TRY(plain_word(r, s->composed, n, at, &r->found));
    }
    return add_found(r);
}

/* ---- looking up ------------------------------------------------------------------------------ */

typedef struct waiting {
    ix_cache_key key;
    ix_cache_slot *line; /* the empty one where the word is too long for the cache */
} waiting;

/* No word has its key: the lines of the cache hold none of size 15 and tag 15. */
static ix_cache_slot empty_line[2];

static inline waiting ask(const run *r, const char *p, size_t n)
{
    if (n > IX_CACHED_BYTES)
        return (waiting){ { 0, UINT64_MAX }, empty_line };
    ix_cache_key key = ix_cache_key_of(p, n, r->tag, true);
    ix_cache_slot *line = ix_cache_line(&r->cache, key);
    __builtin_prefetch(line, 1);
    return (waiting){ key, line };
}

/* Words [from, to) of the chunk whose first byte is text[base]. */
static inox_status answer(run *r, const chunk *c, size_t base, size_t from, size_t to)
{
    enum { ROOM = AHEAD * IX_CACHED_TOKENS };
    waiting asked[AHEAD];
    ix_encoding *out = r->out;
    for (size_t i = from; i < to; i++)
        asked[i - from] = ask(r, c->bytes + c->starts[i], (size_t)(c->lasts[i] + 1 - c->starts[i]));
    IX_TRY(ix_encoding_room(out, ROOM, r->err));
    size_t count = out->count;
    for (size_t i = from; i < to; i++) {
        const waiting *w = &asked[i - from];
        size_t at = c->starts[i], n = (size_t)(c->lasts[i] + 1) - at;
        const ix_cache_slot *known = ix_cache_find(w->line, w->key);
        if (known) {
            count = put_known(r, known, base + at, n, out, count);
            continue;
        }
        out->count = count;
        IX_TRY(new_word(r, c->bytes + at, n, base + at, w->key, w->line));
        IX_TRY(ix_encoding_room(out, ROOM, r->err));
        count = out->count;
    }
    out->count = count;
    return INOX_OK;
}

/* Bytes of the chunk up to the last that is of no word; 0: there is none. */
static size_t whole_words(const char *p, size_t n)
{
    while (n > 0) {
        unsigned char c = (unsigned char)p[n - 1];
        bool in_word = c < ' ' || c >= 0x7F || (unsigned char)((c | 0x20) - 'a') < 26 ||
                       (unsigned char)(c - '0') < 10;
        if (!in_word)
            break;
        n--;
    }
    return n;
}

static inox_status encode(run *r, size_t start)
{
    chunk c;
    for (size_t at = start, n; at < r->end; at += n) {
        n = r->end - at < CHUNK ? r->end - at : CHUNK;
        fill(&c, r->text + at, n, r->upper);
        if (n < r->end - at) {
            n = whole_words(c.bytes, n);
            memset(c.bytes + n, ' ', PAD);
        }
        if (n == 0) {
            size_t end;
            IX_TRY(long_word(r, at, &end));
            n = end - at;
            continue;
        }
        find_words(&c, n, r->f->block);
        for (size_t i = 0; i < c.count; i += AHEAD)
            IX_TRY(answer(r, &c, at, i, i + AHEAD < c.count ? i + AHEAD : c.count));
    }
    return INOX_OK;
}

inox_status ix_fast_bert_encode(const ix_fast *f, ix_model_scratch *s, const char *text,
                                size_t start, size_t end, ix_fast_general general, void *context,
                                ix_encoding *out, inox_error *err)
{
    if (!s->longs.slots)
        IX_TRY(ix_long_words_new(&s->longs, err));
    run r = { .f = f, .s = s, .cache = s->cache, .text = text, .end = end, .general = general };
    r.longs = &s->longs;
    r.context = context;
    r.out = out;
    r.upper = f->bert.lowercase ? 26 : 0;
    r.tag = out->want & IX_WANT_WORDS ? 2 : 1;
    r.found.want = IX_WANT_OFFSETS | IX_WANT_WORDS;
    r.err = err;
    s->held = true; /* the general way goes by the same cache */
    inox_status status = encode(&r, start);
    s->held = false;
    ix_encoding_release(&r.found);
    return status;
}
