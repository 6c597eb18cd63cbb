/* BERT in one go: words of printable ASCII are cut, put in lower case and looked up.
 *
 *     "It's naive, na\xC3\xAFve!"  ->  It  '  s  naive  ,   | general path: "na\xC3\xAFve!"
 *
 * Whatever stands between two spaces and holds a byte that is not printable ASCII goes the general
 * way, neighbours of the kind together.  That is exact: nothing in BERT's normalizer and
 * pre-tokenizer looks across a space.
 */
#include "text/fast_parts.h"

#include "base/alloc.h"

#include <string.h>

enum { WORD, PUNCTUATION, SPACE, GENERAL };

void ix_fast_bert_init(ix_fast *f, const ix_model *m, bool lower)
{
    uint8_t classes[256];
    ix_ascii_classes(classes);
    f->is_bert = true;
    f->model = m;
    f->lower = lower;
    for (int c = 0; c < 256; c++) {
        bool letter = classes[c] == IX_ASCII_LETTER || classes[c] == IX_ASCII_DIGIT;
        f->kinds[c] = letter                                            ? WORD
                      : c == ' ' || c == '\t' || c == '\n' || c == '\r' ? SPACE
                      : c > ' ' && c < 0x7F                             ? PUNCTUATION
                                                                        : GENERAL;
    }
}

typedef struct run {
    const ix_fast *f;
    ix_model_scratch *s;
    const char *text;
    size_t end;
    ix_encoding *out;
    bool ranges; /* are wanted */
    inox_error *err;
} run;

/* The word text[at..end) in lower case by the model; line: where it belongs in the cache, or NULL.
 */
static inox_status new_word(run *r, size_t at, size_t end, ix_cache_key key, ix_cache_slot *line)
{
    ix_model_scratch *s = r->s;
    ix_encoding *out = r->out;
    size_t n = end - at;
    ix_cached cached[IX_CACHED_TOKENS];
    if (n > s->composed_capacity) {
        IX_TRY(IX_REALLOC(&s->composed, n + 64, r->err));
        s->composed_capacity = n + 64;
    }
    for (size_t i = 0; i < n; i++) {
        char c = r->text[at + i];
        s->composed[i] = r->f->lower && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    s->tokens.count = 0;
    IX_TRY(ix_wordpiece_tokenize(r->f->model, s->composed, 0, n, &s->tokens, r->err));
    IX_TRY(ix_encoding_room(out, s->tokens.count, r->err));
    for (size_t i = 0; i < s->tokens.count; i++) {
        const ix_token *t = &s->tokens.items[i];
        out->ids[out->count] = t->id;
        if (r->ranges) {
            out->starts[out->count] = (uint32_t)at + t->start;
            out->ends[out->count] = (uint32_t)at + t->end;
        }
        out->count++;
        cached[i % IX_CACHED_TOKENS] = (ix_cached){ t->id, (uint8_t)t->start, (uint8_t)t->end };
    }
    if (line && s->tokens.count > 0 && s->tokens.count <= IX_CACHED_TOKENS)
        ix_cache_put(line, key, cached, s->tokens.count);
    return INOX_OK;
}

static inline inox_status word(run *r, size_t at, size_t end)
{
    ix_encoding *out = r->out;
    if (end - at > IX_CACHED_BYTES)
        return new_word(r, at, end, (ix_cache_key){ 0, 0 }, NULL);
    ix_cache_key key = ix_cache_key_of(r->text + at, end - at, 1, r->end - at >= 16);
    ix_cache_slot *line = ix_cache_line(&r->s->cache, key);
    const ix_cache_slot *known = ix_cache_find(line, key);
    if (!known)
        return new_word(r, at, end, key, line);
    IX_TRY(ix_encoding_room(out, IX_CACHED_TOKENS, r->err));
    ix_cache_ids(known, out->ids + out->count);
    if (r->ranges)
        ix_cache_ranges(known, (uint32_t)at, (uint32_t)(end - at), out->starts + out->count,
                        out->ends + out->count);
    out->count += ix_cache_count(known);
    return INOX_OK;
}

/* The end of the stretch without spaces that text[at] is in. */
static size_t stretch_end(const run *r, size_t at, bool *general)
{
    *general = false;
    for (; at < r->end && r->f->kinds[(unsigned char)r->text[at]] != SPACE; at++)
        *general = *general || r->f->kinds[(unsigned char)r->text[at]] == GENERAL;
    return at;
}

/* The end of the stretches from `at` on that go the general way. */
static size_t general_end(const run *r, size_t at)
{
    bool general;
    size_t end = stretch_end(r, at, &general);
    for (size_t next = end; next < r->end;) {
        while (next < r->end && r->f->kinds[(unsigned char)r->text[next]] == SPACE)
            next++;
        next = stretch_end(r, next, &general);
        if (!general)
            break;
        end = next;
    }
    return end;
}

inox_status ix_fast_bert_encode(const ix_fast *f, ix_model_scratch *s, const char *text,
                                size_t start, size_t end, ix_fast_general general, void *context,
                                ix_encoding *out, inox_error *err)
{
    run r = { .f = f, .s = s, .text = text, .end = end, .out = out, .err = err };
    r.ranges = (out->want & IX_WANT_OFFSETS) != 0;
    size_t stretch = start, tokens = out->count; /* of the stretch so far: may be taken back */
    for (size_t at = start; at < end;) {
        size_t from = at;
        switch (f->kinds[(unsigned char)text[at]]) {
        case WORD:
            while (at < end && f->kinds[(unsigned char)text[at]] == WORD)
                at++;
            IX_TRY(word(&r, from, at));
            break;
        case PUNCTUATION: IX_TRY(word(&r, from, ++at)); break;
        case SPACE:
            stretch = ++at;
            tokens = out->count;
            break;
        default:
            out->count = tokens;
            at = general_end(&r, stretch);
            IX_TRY(general(context, stretch, at, out, err));
            stretch = at;
            tokens = out->count;
            break;
        }
    }
    return INOX_OK;
}
