/* Byte-level BPE by ranks: encoding and decoding as tiktoken does. */
#include "text/ranks.h"

#include "base/limits.h"
#include "text/family.h"
#include "text/fast.h"
#include "text/model.h"
#include "text/pattern.h"
#include "text/unicode.h"
#include "text/vocab.h"

#include <string.h>

typedef struct ranks {
    ix_tokenizer base;
    char *store;          /* of the pieces */
    ix_text_view *pieces; /* by id: bytes, or the spelling of a special token */
    uint8_t *types;       /* by id: IX_PIECE_..., 0 for a hole */
    ix_special_trie specials;
    bool specials_part;
    bool cuts; /* words end between a letter and a space, whatever follows */
    ix_model *model;
    ix_fast *fast; /* or NULL */
    ix_pattern *pattern;
} ranks;

typedef struct ranks_scratch {
    ix_model_scratch *model;
    ix_pattern_cursor cursor;
    ix_token_list tokens;
} ranks_scratch;

static const ranks *ranks_of(const ix_tokenizer *t)
{
    return (const ranks *)t;
}

static void ranks_release(ix_tokenizer *base)
{
    ranks *t = (ranks *)base;
    ix_fast_free(t->fast);
    ix_model_free(t->model);
    ix_pattern_free(t->pattern);
    ix_special_trie_release(&t->specials);
    ix_free(t->store);
    ix_free(t->pieces);
    ix_free(t->types);
}

static void scratch_free(void *scratch)
{
    ranks_scratch *s = scratch;
    if (!s)
        return;
    ix_model_scratch_free(s->model);
    ix_pattern_release(&s->cursor);
    ix_token_list_release(&s->tokens);
    ix_free(s);
}

static inox_status scratch_new(const ix_tokenizer *base, void **out, inox_error *err)
{
    ranks_scratch *s;
    *out = NULL;
    IX_TRY(IX_ALLOC(&s, 1, err));
    inox_status status = ix_model_scratch_new(ranks_of(base)->model, &s->model, err);
    if (status != INOX_OK) {
        scratch_free(s);
        return status;
    }
    *out = s;
    return INOX_OK;
}

/* ---- encoding ------------------------------------------------------------------------------ */

typedef struct encoder {
    const ranks *t;
    ranks_scratch *s;
    const ix_encode_text *in;
    ix_encoding *out;
    int32_t word; /* of the next word */
    inox_error *err;
} encoder;

/* Hands over the tokens of one word, or of many that nobody counts. */
static inox_status hand_over(encoder *e)
{
    const ix_token_list *tokens = &e->s->tokens;
    for (size_t i = 0; i < tokens->count; i++)
        IX_TRY(ix_encoding_add(e->out, tokens->items[i].id, tokens->items[i].start,
                               tokens->items[i].end, e->word, e->err));
    if (e->in->word < 0)
        e->word++;
    e->s->tokens.count = 0;
    return INOX_OK;
}

/* Well-formed text[start..end).  What the expression does not match has no tokens.  The tokens of
 * the last word stay in s->tokens, handed over. */
static inox_status encode_words(encoder *e, size_t start, size_t end, size_t *last_word)
{
    ranks_scratch *s = e->s;
    ix_pattern_start(&s->cursor, e->t->pattern, e->in->text + start, end - start);
    *last_word = e->out->count;
    for (;;) {
        size_t from, to;
        bool found;
        IX_TRY(ix_pattern_next(&s->cursor, &from, &to, &found, e->err));
        if (!found)
            return INOX_OK;
        if (from == to)
            continue;
        *last_word = e->out->count;
        IX_TRY(ix_model_tokenize(e->t->model, s->model, e->in->text, start + from, start + to,
                                 &s->tokens, e->err));
        IX_TRY(hand_over(e));
    }
}

static bool is_blank(const ranks *t, int32_t id)
{
    const ix_text_view *p = &t->pieces[id];
    for (size_t i = 0; i < p->size; i++)
        if (p->data[i] != ' ' && p->data[i] != '\n' && p->data[i] != '\t')
            return false;
    return true;
}

/* Text whose bytes from `good` on are not UTF-8.  As tiktoken's _encode_bytes: the tokens of the
 * last word before, and those of blanks in front of it where it begins with one, are taken back,
 * and everything from there to the end is one word. */
static inox_status encode_bad(encoder *e, size_t start, size_t good, size_t end)
{
    size_t first = e->out->count, last;
    IX_TRY(encode_words(e, start, good, &last));
    if (last < e->out->count && is_blank(e->t, e->out->ids[last]))
        while (last > first && is_blank(e->t, e->out->ids[last - 1]))
            last--;
    size_t from = good;
    for (size_t i = last; i < e->out->count; i++)
        from -= e->t->pieces[e->out->ids[i]].size;
    e->out->count = last;
    IX_TRY(
        ix_model_tokenize(e->t->model, e->s->model, e->in->text, from, end, &e->s->tokens, e->err));
    return hand_over(e);
}

/* text[start..end), where no special token is. */
static inox_status encode_fragment(encoder *e, size_t start, size_t end)
{
    const ranks *t = e->t;
    size_t good = start + ix_utf8_good(e->in->text + start, end - start), last;
    if (start == end)
        return INOX_OK;
    if (good < end)
        return encode_bad(e, start, good, end);
    if (!t->fast)
        return encode_words(e, start, end, &last);
    size_t first = e->out->count;
    ix_encoding *out = e->out;
    IX_TRY(ix_fast_encode(t->fast, e->s->model, e->in->text, start, end, NULL, NULL, out, e->err));
    for (size_t i = first; i < out->count && out->lead; i++)
        out->lead[i] = out->trail[i] = 0;
    for (size_t i = first; i < out->count && out->words; i++)
        out->words[i] = e->in->word >= 0 ? e->word : e->word + out->words[i];
    if (out->words && e->in->word < 0 && out->count > first)
        e->word = out->words[out->count - 1] + 1;
    return INOX_OK;
}

/* Whether a range that nothing special may touch has a byte of [start, end).  *next: the first
 * range that does not lie before `start`. */
static bool is_plain(const ix_encode_text *in, size_t start, size_t end, size_t *next)
{
    while (*next < in->plain_count && in->plain[*next].end <= start)
        ++*next;
    return *next < in->plain_count && in->plain[*next].start < end;
}

/* Special tokens: the leftmost, and of several that begin there the longest (tiktoken leaves the
 * choice between those to the order of a hash table). */
static inox_status encode(const ix_tokenizer *base, void *scratch, const ix_encode_text *in,
                          ix_encoding *out, inox_error *err)
{
    const ranks *t = ranks_of(base);
    encoder e = { .t = t, .s = scratch, .in = in, .out = out, .err = err };
    size_t from = 0, length, next = 0;
    e.word = in->word < 0 ? 0 : in->word;
    e.s->tokens.count = 0;
    ix_first_search first = { 0 };
    for (size_t at = from; in->parse_special && t->specials.any;) {
        at = ix_first_find(&t->specials.first, &first, in->text, at, in->size);
        if (at == in->size)
            break;
        int32_t id = ix_special_match(&t->specials, in->text + at, in->size - at, &length);
        if (id < 0 || is_plain(in, at, at + length, &next)) {
            at++;
            continue;
        }
        IX_TRY(encode_fragment(&e, from, at));
        IX_TRY(ix_encoding_add(out, id, at, at + length, e.word, err));
        e.word += in->word < 0;
        from = at += length;
    }
    return encode_fragment(&e, from, in->size);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The last place between an ASCII letter and a space: there a word ends, and the next begins
 * without a look back.  After bytes that are no UTF-8 nothing is certain before the end. */
static size_t settled(const ix_tokenizer *base, const char *text, size_t size)
{
    size_t at = size;
    if (!ranks_of(base)->cuts)
        return 0;
    while (at > 1 && !(at < size && text[at] == ' ' && is_letter(text[at - 1])))
        at--;
    return at > 1 && ix_utf8_good(text, at) == at ? at : 0;
}

static bool settles(const ix_tokenizer *base)
{
    return ranks_of(base)->cuts;
}

/* ---- decoding ------------------------------------------------------------------------------ */

static inox_status flush(ix_decoder *d, ix_buffer *out, inox_error *err)
{
    if (d->held > 0)
        IX_TRY(ix_buffer_append(out, "\xEF\xBF\xBD", 3, err));
    d->held = 0;
    return INOX_OK;
}

static inox_status push(ix_decoder *d, int32_t id, ix_buffer *out, inox_error *err)
{
    const ranks *t = ranks_of(d->tokenizer);
    if (t->types[id] == 0)
        return ix_fail(err, INOX_E_ARGUMENT, "token id %ld names no token", (long)id);
    if (t->types[id] == IX_PIECE_CONTROL) {
        if (t->specials_part)
            IX_TRY(flush(d, out, err));
        if (!(d->flags & IX_DECODE_SPECIAL))
            return INOX_OK;
    }
    d->started = d->started || t->pieces[id].size > 0;
    return ix_decoder_append(d, t->pieces[id].data, t->pieces[id].size, out, err);
}

/* ---- asking -------------------------------------------------------------------------------- */

static ix_text_view piece_of(const ix_tokenizer *t, int32_t id)
{
    return ranks_of(t)->pieces[id];
}

static int32_t type_of(const ix_tokenizer *t, int32_t id)
{
    return ranks_of(t)->types[id];
}

static int32_t find(const ix_tokenizer *base, const char *piece, size_t bytes)
{
    const ranks *t = ranks_of(base);
    size_t length;
    int32_t id = bytes > 0 ? ix_special_match(&t->specials, piece, bytes, &length) : -1;
    return id >= 0 && length == bytes ? id : ix_model_find(t->model, piece, bytes);
}

static const ix_family family = {
    .release = ranks_release,
    .scratch_new = scratch_new,
    .scratch_free = scratch_free,
    .encode = encode,
    .settled = settled,
    .settles = settles,
    .push = push,
    .flush = flush,
    .piece = piece_of,
    .type = type_of,
    .find = find,
};

/* ---- making -------------------------------------------------------------------------------- */

static inox_status count_ids(ranks *t, const ix_rank_source *s, inox_error *err)
{
    if (s->count == 0)
        return ix_fail(err, INOX_E_FORMAT, "the vocabulary has no tokens");
    size_t end = (size_t)s->first_id + s->count;
    for (size_t i = 0; i < s->special_count; i++) {
        const ix_rank_special *special = &s->specials[i];
        if (special->id < 0 || special->id >= IX_MAX_VOCAB)
            return ix_fail(err, INOX_E_LIMIT, "a special token has the id %ld, not below %d",
                           (long)special->id, IX_MAX_VOCAB);
        if (special->spelling.size == 0 || special->spelling.size > IX_SPECIAL_BYTES_MAX)
            return ix_fail(err, INOX_E_FORMAT, "special token %ld is spelled with %zu bytes",
                           (long)special->id, special->spelling.size);
        if ((size_t)special->id >= end)
            end = (size_t)special->id + 1;
    }
    if (end > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has %zu ids, more than %d", end,
                       IX_MAX_VOCAB);
    t->base.count = end;
    return INOX_OK;
}

static inox_status copy(ranks *t, const ix_rank_source *s, inox_error *err)
{
    size_t total = 0, special_bytes = 0;
    for (size_t i = 0; i < s->count; i++)
        total += s->pieces[i].size;
    for (size_t i = 0; i < s->special_count; i++)
        special_bytes += s->specials[i].spelling.size;
    IX_TRY(IX_ALLOC(&t->store, total + special_bytes + 1, err));
    IX_TRY(IX_ALLOC(&t->pieces, t->base.count, err));
    IX_TRY(IX_ALLOC(&t->types, t->base.count, err));
    IX_TRY(ix_special_trie_new(&t->specials, special_bytes, err));
    char *out = t->store;
    for (size_t i = 0; i < s->count; i++) {
        const ix_text_view *p = &s->pieces[i];
        size_t id = (size_t)s->first_id + i;
        if (p->size == 0)
            continue;
        memcpy(out, p->data, p->size);
        t->pieces[id] = (ix_text_view){ out, p->size };
        t->types[id] = IX_PIECE_NORMAL;
        out += p->size;
    }
    for (size_t i = 0; i < s->special_count; i++) {
        const ix_rank_special *special = &s->specials[i];
        ix_special_add(&t->specials, special->spelling.data, special->spelling.size, special->id);
        if (t->types[special->id] != 0)
            continue; /* tiktoken, too, decodes such an id to the piece */
        memcpy(out, special->spelling.data, special->spelling.size);
        t->pieces[special->id] = (ix_text_view){ out, special->spelling.size };
        t->types[special->id] = IX_PIECE_CONTROL;
        out += special->spelling.size;
    }
    return INOX_OK;
}

static int32_t valid_id(const ranks *t, int32_t id)
{
    return id >= 0 && (size_t)id < t->base.count ? id : -1;
}

/* Whether settled() may cut: the expression is one whose words of letters end before a space, and
 * no special token reaches across such a place. */
static bool may_cut(const ix_rank_source *s, const char *expression)
{
    static const char *const names[] = { "gpt-2",  "cl100k", "llama3",     "qwen2",   "qwen35",
                                         "tekken", "gpt-4o", "seed-coder", "ufakzeka" };
    bool good = false;
    for (size_t i = 0; expression && i < sizeof names / sizeof *names; i++)
        good = good || strcmp(expression, names[i]) == 0;
    for (size_t i = 0; i < s->special_count && good; i++) {
        ix_text_view p = s->specials[i].spelling;
        for (size_t k = 1; k < p.size && good; k++)
            good = !(p.data[k] == ' ' && is_letter(p.data[k - 1]));
    }
    return good;
}

static inox_status build(ranks *t, const ix_rank_source *s, inox_error *err)
{
    t->base.family = &family;
    t->base.format = s->format;
    t->base.model = "BPE";
    t->specials_part = s->specials_part;
    IX_TRY(count_ids(t, s, err));
    IX_TRY(copy(t, s, err));
    IX_TRY(ix_model_new_ranks(t->pieces + s->first_id, s->count, s->first_id, &t->model, err));
    inox_status status =
        ix_pattern_new(s->pattern.data, s->pattern.size, IX_REGEX_RUST, &t->pattern, err);
    if (status != INOX_OK)
        return ix_prefix(err, status, "the expression that cuts text into words");
    const char *known = ix_pattern_known(t->pattern);
    t->cuts = may_cut(s, known);
    if (known)
        IX_TRY(ix_fast_from_name(known, t->model, &t->fast, err));
    IX_TRY(ix_tokenizer_pool_scratches(&t->base, err));
    t->base.bos = valid_id(t, s->bos);
    t->base.eos = valid_id(t, s->eos);
    t->base.unknown = valid_id(t, s->unknown);
    t->base.padding_id = valid_id(t, s->padding);
    IX_TRY(ix_find_ends(&t->base, NULL, err));
    if (s->adds && (t->base.bos >= 0 || t->base.eos >= 0))
        return ix_post_new(t->base.bos, t->base.eos, &t->base.post, err);
    return INOX_OK;
}

inox_status ix_tokenizer_from_ranks(const ix_rank_source *source, ix_tokenizer **out,
                                    inox_error *err)
{
    ranks *t;
    *out = NULL;
    IX_TRY(IX_ALLOC(&t, 1, err));
    inox_status status = build(t, source, err);
    if (status != INOX_OK) {
        ix_tokenizer_free(&t->base);
        return status;
    }
    *out = &t->base;
    return INOX_OK;
}
