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
    ix_token_list *out;
    inox_error *err;
} run;

/* The word text[at..end) in lower case by the model; offsets stay those of the text. */
static inox_status by_model(run *r, size_t at, size_t end)
{
    ix_model_scratch *s = r->s;
    size_t n = end - at, before = r->out->count;
    if (n > s->composed_capacity) {
        IX_TRY(IX_REALLOC(&s->composed, n + 64, r->err));
        s->composed_capacity = n + 64;
    }
    for (size_t i = 0; i < n; i++) {
        char c = r->text[at + i];
        s->composed[i] = r->f->lower && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    IX_TRY(ix_wordpiece_tokenize(r->f->model, s->composed, 0, n, r->out, r->err));
    for (size_t i = before; i < r->out->count; i++) {
        r->out->items[i].start += (uint32_t)at;
        r->out->items[i].end += (uint32_t)at;
    }
    return INOX_OK;
}

static inox_status new_word(run *r, size_t at, size_t end, ix_cache_key key, ix_cache_slot *line)
{
    size_t before = r->out->count;
    int32_t ids[IX_CACHED_TOKENS];
    uint8_t ends[IX_CACHED_TOKENS];
    IX_TRY(by_model(r, at, end));
    size_t count = r->out->count - before;
    if (count > IX_CACHED_TOKENS)
        return INOX_OK;
    for (size_t k = 0; k < count; k++) {
        ids[k] = r->out->items[before + k].id;
        ends[k] = (uint8_t)(r->out->items[before + k].end - at);
    }
    ix_cache_put(line, key, ids, ends, count);
    return INOX_OK;
}

static inline inox_status word(run *r, size_t at, size_t end)
{
    if (end - at > IX_CACHED_BYTES)
        return by_model(r, at, end);
    ix_cache_key key = ix_cache_key_of(r->text + at, end - at, 1, r->end - at >= 16);
    ix_cache_slot *line = ix_cache_line(&r->s->cache, key);
    const ix_cache_slot *known = ix_cache_find(line, key);
    if (!known)
        return new_word(r, at, end, key, line);
    if (r->out->capacity - r->out->count < IX_CACHED_TOKENS)
        IX_TRY(ix_token_list_reserve(r->out, IX_CACHED_TOKENS, r->err));
    size_t n = known->info & 15, from = 0, to;
    for (size_t k = 0; k < n; k++, from = to) {
        int32_t id = ix_cache_token(known, k, n, end - at, &to);
        r->out->items[r->out->count++] =
            (ix_token){ id, (uint32_t)(at + from), (uint32_t)(at + to) };
    }
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
                                ix_token_list *out, inox_error *err)
{
    run r = { .f = f, .s = s, .text = text, .end = end, .out = out, .err = err };
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
