/* SentencePiece's own tokenizer: checking a model, encoding and decoding as the library does.
 *
 * The segmentation itself is a model of model.h, but for the kind "word", which is a look-up.
 */
#include "text/spm.h"

#include "base/limits.h"
#include "text/family.h"
#include "text/model.h"
#include "text/unicode.h"
#include "text/vocab.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PIECE_BYTES_MAX = 7999 }; /* SentencePiece's own limit */

static const char SPACE[] = "\xE2\x96\x81"; /* U+2581, what a space is in pieces */

typedef struct spm {
    ix_tokenizer base;
    ix_spm_kind kind;
    char *store; /* of the strings */
    ix_text_view *pieces, unknown_text;
    ix_text_view
        *keys[2]; /* pieces of text, and the others; {NULL, 0} for those of the other kind */
    ix_piece_table tables[2]; /* over them */
    uint8_t *types;
    int32_t byte_ids[256];
    int32_t unknown; /* the piece of that type, or -1 */
    bool byte_fallback, strips_space, squeezes;
    bool cuts; /* tokens end between a letter and a space, whatever follows */
    ix_special_trie controls;
    ix_spm_normalizer *normalizer, *back; /* back: of decoding, or NULL */
    ix_model *model;                      /* NULL: the kind is "word" */
    bool has_words;                       /* Unigram that goes word by word (spm_words.c) */
} spm;

typedef struct spm_scratch {
    ix_model_scratch *model;
    ix_spm_text text;
    ix_token_list tokens;
} spm_scratch;

/* The byte of "<0x4F>", or -1. */
static int byte_of(const ix_text_view *piece)
{
    static const char digits[] = "0123456789ABCDEF";
    int value = 0;
    if (piece->size != 6 || memcmp(piece->data, "<0x", 3) != 0 || piece->data[5] != '>')
        return -1;
    for (int i = 3; i < 5; i++) {
        const char *digit = piece->data[i] ? strchr(digits, piece->data[i]) : NULL;
        if (!digit)
            return -1;
        value = value * 16 + (int)(digit - digits);
    }
    return value;
}

static const spm *spm_of(const ix_tokenizer *t)
{
    return (const spm *)t;
}

static void spm_release(ix_tokenizer *base)
{
    spm *t = (spm *)base;
    for (int i = 0; i < 2; i++) {
        ix_piece_table_release(&t->tables[i]);
        ix_free(t->keys[i]);
    }
    ix_special_trie_release(&t->controls);
    ix_spm_normalizer_free(t->normalizer);
    ix_spm_normalizer_free(t->back);
    ix_model_free(t->model);
    ix_free(t->store);
    ix_free(t->pieces);
    ix_free(t->types);
}

static void scratch_free(void *scratch)
{
    spm_scratch *s = scratch;
    if (!s)
        return;
    ix_model_scratch_free(s->model);
    ix_spm_text_release(&s->text);
    ix_token_list_release(&s->tokens);
    ix_free(s);
}

static inox_status scratch_new(const ix_tokenizer *base, void **out, inox_error *err)
{
    const spm *t = spm_of(base);
    spm_scratch *s;
    *out = NULL;
    IX_TRY(IX_ALLOC(&s, 1, err));
    inox_status status = t->model ? ix_model_scratch_new(t->model, &s->model, err) : INOX_OK;
    if (status != INOX_OK) {
        scratch_free(s);
        return status;
    }
    *out = s;
    return INOX_OK;
}

/* ---- encoding ------------------------------------------------------------------------------ */

/* The kind "word": normalized text cut before each U+2581. */
static inox_status split_words(const spm *t, const ix_spm_text *text, ix_token_list *out,
                               inox_error *err)
{
    bool was_unknown = false;
    for (size_t at = 0, end; at < text->size; at = end) {
        const char *p = text->data + at, *next = NULL;
        for (const char *q = p + 1; !next && (size_t)(q - text->data) + 3 <= text->size; q++)
            if (memcmp(q, SPACE, 3) == 0)
                next = q;
        end = next ? (size_t)(next - text->data) : text->size;
        int32_t id = ix_piece_find(&t->tables[0], p, end - at);
        bool unknown = id < 0 || t->types[id] == IX_PIECE_UNUSED;
        if (unknown && t->byte_fallback) {
            for (size_t i = at; i < end; i++)
                IX_TRY(ix_token_list_add(out, t->byte_ids[(unsigned char)text->data[i]], at,
                                         i + 1 < end ? at : end, err));
        } else if (unknown && was_unknown) {
            out->items[out->count - 1].end = (uint32_t)end;
        } else {
            IX_TRY(ix_token_list_add(out, unknown ? t->unknown : id, at, end, err));
        }
        was_unknown = unknown;
    }
    return INOX_OK;
}

/* Bytes [start, end) of the source, which hold no special token that counts. */
static inox_status encode_fragment(const spm *t, spm_scratch *s, const ix_encode_text *in,
                                   size_t start, size_t end, ix_encoding *out, inox_error *err)
{
    int32_t word = in->word < 0 ? 0 : in->word;
    if (start == end)
        return INOX_OK;
    if (t->has_words)
        return ix_spm_encode_words(t->normalizer, t->model, s->model, &s->text, in, start, end, out,
                                   err);
    s->tokens.count = 0;
    IX_TRY(ix_spm_normalize(t->normalizer, in->text + start, end - start, &s->text, err));
    if (t->model)
        IX_TRY(
            ix_model_tokenize(t->model, s->model, s->text.data, 0, s->text.size, &s->tokens, err));
    else
        IX_TRY(split_words(t, &s->text, &s->tokens, err));
    for (size_t i = 0; i < s->tokens.count; i++) {
        const ix_token *token = &s->tokens.items[i];
        IX_TRY(ix_encoding_add(out, token->id, start + s->text.origins[token->start],
                               start + s->text.origins[token->end], word, err));
    }
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

/* SentencePiece itself finds no control symbols in text.  Where the caller wants them found, the
 * text between them is encoded piece by piece, each like a text of its own (as llama.cpp does). */
static inox_status encode(const ix_tokenizer *base, void *scratch, const ix_encode_text *in,
                          ix_encoding *out, inox_error *err)
{
    const spm *t = spm_of(base);
    size_t from = 0, length, next = 0;
    ix_first_search first = { 0 };
    for (size_t at = from; in->parse_special && t->controls.any;) {
        at = ix_first_find(&t->controls.first, &first, in->text, at, in->size);
        if (at == in->size)
            break;
        int32_t id = ix_special_match(&t->controls, in->text + at, in->size - at, &length);
        if (id < 0 || is_plain(in, at, at + length, &next)) {
            at++;
            continue;
        }
        IX_TRY(encode_fragment(t, scratch, in, from, at, out, err));
        IX_TRY(ix_encoding_add(out, id, at, at + length, in->word < 0 ? 0 : in->word, err));
        from = at += length;
    }
    return encode_fragment(t, scratch, in, from, in->size, out, err);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The last place between an ASCII letter and a single space behind which another letter is. */
static size_t settled(const ix_tokenizer *base, const char *text, size_t size)
{
    if (!spm_of(base)->cuts)
        return 0;
    for (size_t at = size - (size > 0); at > 1; at--)
        if (text[at - 1] == ' ' && is_letter(text[at]) && is_letter(text[at - 2]))
            return at - 1;
    return 0;
}

static bool settles(const ix_tokenizer *base)
{
    return spm_of(base)->cuts;
}

/* ---- decoding ------------------------------------------------------------------------------ */

/* Where the model has a denormalizer, the text is held to its end. */
typedef struct spm_state {
    ix_buffer text;
} spm_state;

static void state_free(void *state)
{
    spm_state *s = state;
    if (s)
        ix_buffer_release(&s->text);
    ix_free(s);
}

/* Where decoded text goes. */
static inox_status target(ix_decoder *d, ix_buffer **out, inox_error *err)
{
    if (!spm_of(d->tokenizer)->back)
        return INOX_OK;
    if (!d->state) {
        spm_state *s;
        IX_TRY(IX_ALLOC(&s, 1, err));
        d->state = s;
    }
    *out = &((spm_state *)d->state)->text;
    return INOX_OK;
}

/* Writes the bytes that wait, as far as they are characters; each byte that cannot be part of one
 * is U+FFFD.  all: nothing follows them. */
static inox_status write_bytes(ix_decoder *d, bool all, ix_buffer *out, inox_error *err)
{
    while (d->held > 0) {
        bool whole, bad;
        size_t n = ix_utf8_prefix(d->pending, d->held, &whole, &bad);
        if (!whole && !all)
            return INOX_OK;
        bad = bad || !whole;
        n = bad ? 1 : n;
        IX_TRY(ix_buffer_append(out, bad ? "\xEF\xBF\xBD" : d->pending, bad ? 3 : n, err));
        d->held = (uint8_t)(d->held - n);
        memmove(d->pending, d->pending + n, d->held);
    }
    return INOX_OK;
}

static inox_status push_byte(ix_decoder *d, int byte, ix_buffer *out, inox_error *err)
{
    char b = (char)byte;
    d->started = true;
    if (d->flags & IX_DECODE_RAW)
        return ix_buffer_append(out, &b, 1, err);
    d->pending[d->held++] = b;
    return write_bytes(d, false, out, err);
}

/* Text of the vocabulary: U+2581 is a space.  A vocabulary may hold bytes that are no UTF-8. */
static inox_status write_piece(ix_decoder *d, const char *p, size_t left, ix_buffer *out,
                               inox_error *err)
{
    while (left > 0) {
        bool whole, bad;
        size_t n = ix_utf8_prefix(p, left, &whole, &bad);
        if (n == 3 && memcmp(p, SPACE, 3) == 0)
            IX_TRY(ix_buffer_append(out, " ", 1, err));
        else if ((bad || !whole) && !(d->flags & IX_DECODE_RAW))
            IX_TRY(ix_buffer_append(out, "\xEF\xBF\xBD", 3, err));
        else
            IX_TRY(ix_buffer_append(out, p, n, err));
        p += n;
        left -= n;
    }
    return INOX_OK;
}

static inox_status push(ix_decoder *d, int32_t id, ix_buffer *out, inox_error *err)
{
    const spm *t = spm_of(d->tokenizer);
    ix_text_view piece = t->pieces[id];
    IX_TRY(target(d, &out, err));
    if (t->types[id] == IX_PIECE_BYTE)
        return push_byte(d, byte_of(&piece), out, err);
    IX_TRY(write_bytes(d, true, out, err));
    if (t->types[id] == IX_PIECE_CONTROL) {
        if (!(d->flags & IX_DECODE_SPECIAL))
            return INOX_OK;
        d->started = true;
        return write_piece(d, piece.data, piece.size, out, err);
    }
    bool strip = !d->started && !(d->flags & IX_DECODE_CONTINUE) && t->strips_space &&
                 piece.size >= 3 && memcmp(piece.data, SPACE, 3) == 0;
    if (t->types[id] == IX_PIECE_UNKNOWN) {
        d->started = d->started || t->unknown_text.size > 0 || (strip && !t->squeezes);
        return ix_buffer_append(out, t->unknown_text.data, t->unknown_text.size, err);
    }
    if (strip) { /* the space that encoding put in front; of several where it squeezes them, all */
        piece.data += 3;
        piece.size -= 3;
    }
    d->started = d->started || piece.size > 0 || (strip && !t->squeezes);
    return write_piece(d, piece.data, piece.size, out, err);
}

static inox_status flush(ix_decoder *d, ix_buffer *out, inox_error *err)
{
    const spm *t = spm_of(d->tokenizer);
    ix_buffer *text = out;
    ix_spm_text back = { 0 };
    IX_TRY(target(d, &text, err));
    IX_TRY(write_bytes(d, true, text, err));
    if (!t->back || text->size == 0)
        return INOX_OK;
    if (text->size > IX_MAX_TEXT_BYTES - 1)
        return ix_fail(err, INOX_E_LIMIT, "the decoded text is too long");
    inox_status status = ix_spm_normalize(t->back, text->data, text->size, &back, err);
    if (status == INOX_OK)
        status = ix_buffer_append(out, back.data, back.size, err);
    ix_spm_text_release(&back);
    text->size = 0;
    return status;
}

/* ---- asking -------------------------------------------------------------------------------- */

static ix_text_view piece_of(const ix_tokenizer *t, int32_t id)
{
    return spm_of(t)->pieces[id];
}

static int32_t type_of(const ix_tokenizer *t, int32_t id)
{
    return spm_of(t)->types[id];
}

static int32_t find(const ix_tokenizer *base, const char *piece, size_t bytes)
{
    const spm *t = spm_of(base);
    int32_t id = ix_piece_find(&t->tables[1], piece, bytes);
    return id >= 0 ? id : ix_piece_find(&t->tables[0], piece, bytes);
}

static const ix_family family = {
    .release = spm_release,
    .scratch_new = scratch_new,
    .scratch_free = scratch_free,
    .encode = encode,
    .settled = settled,
    .settles = settles,
    .push = push,
    .flush = flush,
    .state_free = state_free,
    .piece = piece_of,
    .type = type_of,
    .find = find,
};

/* ---- making -------------------------------------------------------------------------------- */

static bool is_text(const spm *t, size_t i)
{
    return t->types[i] == IX_PIECE_NORMAL || t->types[i] == IX_PIECE_USER ||
           t->types[i] == IX_PIECE_UNUSED;
}

/* Copies the strings.  A piece of one NUL is left unused beside byte fallback, as the library does
 * since converters write such pieces. */
static inox_status copy(spm *t, const ix_spm_source *s, inox_error *err)
{
    size_t total = s->unknown_text.size;
    for (size_t i = 0; i < s->count; i++)
        total += s->pieces[i].size;
    IX_TRY(IX_ALLOC(&t->store, total + 1, err));
    IX_TRY(IX_ALLOC(&t->pieces, s->count, err));
    IX_TRY(IX_ALLOC(&t->types, s->count, err));
    char *out = t->store;
    for (size_t i = 0; i < s->count; i++) {
        size_t n = s->pieces[i].size;
        if (n > 0)
            memcpy(out, s->pieces[i].data, n);
        t->pieces[i] = (ix_text_view){ out, n };
        bool null = n == 1 && *out == 0 && s->byte_fallback;
        t->types[i] = null ? IX_PIECE_UNUSED : s->types[i];
        out += n;
    }
    t->unknown_text = (ix_text_view){ " \xE2\x81\x87 ", 5 };
    if (s->unknown_text.data) {
        memcpy(out, s->unknown_text.data, s->unknown_text.size);
        t->unknown_text = (ix_text_view){ out, s->unknown_text.size };
    }
    return INOX_OK;
}

static inox_status check_piece(spm *t, const ix_spm_source *s, size_t i, inox_error *err)
{
    const ix_text_view *p = &t->pieces[i];
    if (p->size == 0)
        return ix_fail(err, INOX_E_FORMAT, "piece %zu is empty", i);
    if (p->size > PIECE_BYTES_MAX)
        return ix_fail(err, INOX_E_LIMIT, "piece %zu has %zu bytes, more than %d", i, p->size,
                       PIECE_BYTES_MAX);
    if (p->size == 1 && *p->data == 0 && t->types[i] == IX_PIECE_UNUSED)
        return INOX_OK;
    if (memchr(p->data, 0, p->size))
        return ix_fail(err, INOX_E_FORMAT, "piece %zu holds a NUL", i);
    if (s->kind == IX_SPM_UNIGRAM && !isfinite(s->scores[i]))
        return ix_fail(err, INOX_E_FORMAT, "the score of piece %zu is not a number", i);
    if (t->types[i] == IX_PIECE_UNKNOWN) {
        if (t->unknown >= 0)
            return ix_fail(err, INOX_E_FORMAT, "pieces %ld and %zu are both of the type unknown",
                           (long)t->unknown, i);
        t->unknown = (int32_t)i;
    }
    if (t->types[i] == IX_PIECE_BYTE) {
        int byte = byte_of(p);
        if (byte < 0 || !s->byte_fallback)
            return ix_fail(err, INOX_E_FORMAT, "piece %zu, '%.*s', is of the type byte, but %s", i,
                           (int)(p->size < 32 ? p->size : 32), p->data,
                           byte < 0 ? "names none" : "the model has no byte fallback");
        t->byte_ids[byte] = (int32_t)i;
    }
    return INOX_OK;
}

/* Two equal pieces are an error; but a piece of text may be spelled like one that is not text,
 * where the kind keeps them apart. */
static inox_status index_pieces(spm *t, inox_error *err)
{
    for (int k = 0; k < 2; k++) {
        IX_TRY(IX_ALLOC(&t->keys[k], t->base.count, err));
        for (size_t i = 0; i < t->base.count; i++)
            if (is_text(t, i) == (k == 0) && *t->pieces[i].data != 0)
                t->keys[k][i] = t->pieces[i];
        IX_TRY(ix_piece_table_new(&t->tables[k], t->keys[k], t->base.count, err));
    }
    for (size_t i = 0; i < t->base.count; i++) {
        const ix_text_view *p = &t->pieces[i];
        int own = is_text(t, i) ? 0 : 1;
        int32_t same = ix_piece_find(&t->tables[own], p->data, p->size);
        if (same == (int32_t)i && t->kind == IX_SPM_BPE)
            same = ix_piece_find(&t->tables[1 - own], p->data, p->size);
        if (same >= 0 && same != (int32_t)i)
            return ix_fail(err, INOX_E_FORMAT, "pieces %zu and %ld are equal", i, (long)same);
    }
    return INOX_OK;
}

static inox_status check_pieces(spm *t, const ix_spm_source *s, inox_error *err)
{
    t->unknown = -1;
    memset(t->byte_ids, -1, sizeof t->byte_ids);
    for (size_t i = 0; i < s->count; i++)
        IX_TRY(check_piece(t, s, i, err));
    if (t->unknown < 0 && !s->byte_fallback)
        return ix_fail(err, INOX_E_FORMAT, "no piece is of the type unknown");
    for (int b = 0; b < 256 && s->byte_fallback; b++)
        if (t->byte_ids[b] < 0)
            return ix_fail(err, INOX_E_FORMAT,
                           "the model has byte fallback, but no piece for the byte %02X", b);
    return index_pieces(t, err);
}

static inox_status make_normalizers(spm *t, const ix_spm_source *s, inox_error *err)
{
    ix_text_view *users;
    size_t count = 0;
    IX_TRY(IX_ALLOC(&users, s->count, err));
    for (size_t i = 0; i < s->count; i++)
        if (t->types[i] == IX_PIECE_USER)
            users[count++] = t->pieces[i];
    inox_status status =
        ix_spm_normalizer_new(&s->rules, s->space_is_suffix, users, count, &t->normalizer, err);
    if (status == INOX_OK && s->has_back && s->back.charsmap.size > 0)
        status = ix_spm_normalizer_new(&s->back, false, NULL, 0, &t->back, err);
    ix_free(users);
    return status;
}

static bool is_control(const spm *t, size_t i)
{
    return (t->types[i] == IX_PIECE_CONTROL || t->types[i] == IX_PIECE_UNKNOWN) &&
           t->pieces[i].size <= IX_SPECIAL_BYTES_MAX;
}

static inox_status make_controls(spm *t, inox_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < t->base.count; i++)
        total += is_control(t, i) ? t->pieces[i].size : 0;
    IX_TRY(ix_special_trie_new(&t->controls, total, err));
    for (size_t i = 0; i < t->base.count; i++)
        if (is_control(t, i))
            ix_special_add(&t->controls, t->pieces[i].data, t->pieces[i].size, (int32_t)i);
    return INOX_OK;
}

/* The id of a piece that is spelled as the trainer's settings say, if it has the right type. */
static int32_t named(const spm *t, ix_text_view spelling, const char *usual, uint8_t type)
{
    if (spelling.size == 0)
        spelling = (ix_text_view){ usual, strlen(usual) };
    int32_t id = find(&t->base, spelling.data, spelling.size);
    return id >= 0 && t->types[id] == type ? id : -1;
}

static inox_status make_model(spm *t, const ix_spm_source *s, inox_error *err)
{
    ix_piece_source source = {
        .count = s->count,
        .pieces = t->pieces,
        .scores = s->scores,
        .types = t->types,
        .unknown = t->unknown,
        .byte_fallback = s->byte_fallback,
    };
    if (s->kind == IX_SPM_UNIGRAM)
        return ix_model_new_sentencepiece_unigram(&source, &t->model, err);
    if (s->kind != IX_SPM_WORD)
        return ix_model_new_sentencepiece_bpe(&source, s->kind == IX_SPM_BPE, &t->model, err);
    return INOX_OK;
}

/* Whether settled() may cut: only characters merge, no piece goes on behind a letter with a space,
 * no rule of a map can, and the space is known, so that it joins no unknown token before it.  (Sums
 * of scores, Unigram's, are rounded: they depend on the whole text.) */
static bool may_cut(const spm *t, const ix_spm_source *s)
{
    bool good = (s->kind == IX_SPM_BPE || s->kind == IX_SPM_CHAR) && s->rules.charsmap.size == 0 &&
                s->rules.escape_whitespaces && !s->space_is_suffix;
    int32_t space = ix_piece_find(&t->tables[0], SPACE, 3);
    good = good && (t->byte_fallback || (space >= 0 && t->types[space] == IX_PIECE_NORMAL));
    for (size_t i = 0; i < s->count && good; i++) {
        ix_text_view p = t->pieces[i];
        good = t->types[i] != IX_PIECE_UNUSED;
        for (size_t k = 1; k < p.size && good; k++)
            good = !(is_letter(p.data[k - 1]) &&
                     (p.data[k] == ' ' || (p.size - k >= 3 && memcmp(p.data + k, SPACE, 3) == 0)));
    }
    return good;
}

static inox_status build(spm *t, const ix_spm_source *s, inox_error *err)
{
    static const char *const models[] = { "", "Unigram", "BPE", "word", "char" };
    t->base.family = &family;
    t->base.format = "sentencepiece";
    t->base.model = models[s->kind];
    t->kind = s->kind;
    if (s->count == 0)
        return ix_fail(err, INOX_E_FORMAT, "the model has no pieces");
    if (s->count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the model has %zu pieces, more than %d", s->count,
                       IX_MAX_VOCAB);
    t->base.count = s->count;
    t->byte_fallback = s->byte_fallback;
    t->squeezes = s->rules.remove_extra_whitespaces;
    t->strips_space = t->squeezes || s->rules.add_dummy_prefix;
    IX_TRY(copy(t, s, err));
    IX_TRY(check_pieces(t, s, err));
    IX_TRY(make_normalizers(t, s, err));
    IX_TRY(make_controls(t, err));
    IX_TRY(make_model(t, s, err));
    t->has_words = t->model && ix_spm_has_words(t->normalizer, t->model);
    t->cuts = may_cut(t, s);
    t->base.unknown = named(t, s->unknown, "<unk>", IX_PIECE_UNKNOWN);
    t->base.bos = named(t, s->bos, "<s>", IX_PIECE_CONTROL);
    t->base.eos = named(t, s->eos, "</s>", IX_PIECE_CONTROL);
    t->base.padding_id = named(t, s->padding, "<pad>", IX_PIECE_CONTROL);
    return INOX_OK;
}

/* add_bos, add_eos: whether these go around a text when special tokens are asked for.  source: of a
 * GGUF file, or NULL. */
static inox_status finish(spm *t, bool add_bos, bool add_eos, const ix_vocab_source *source,
                          inox_error *err)
{
    IX_TRY(ix_find_ends(&t->base, source, err));
    IX_TRY(ix_tokenizer_pool_scratches(&t->base, err));
    int32_t bos = add_bos ? t->base.bos : -1, eos = add_eos ? t->base.eos : -1;
    return bos < 0 && eos < 0 ? INOX_OK : ix_post_new(bos, eos, &t->base.post, err);
}

inox_status ix_tokenizer_from_spm(const ix_spm_source *source, ix_tokenizer **out, inox_error *err)
{
    spm *t;
    *out = NULL;
    IX_TRY(IX_ALLOC(&t, 1, err));
    inox_status status = build(t, source, err);
    if (status == INOX_OK)
        status = finish(t, true, true, NULL, err);
    if (status != INOX_OK) {
        ix_tokenizer_free(&t->base);
        return status;
    }
    *out = &t->base;
    return INOX_OK;
}

/* ---- GGUF ---------------------------------------------------------------------------------- */

static bool has_id(const ix_vocab_source *s, int64_t id)
{
    return id >= 0 && (uint64_t)id < s->count;
}

/* The types as SentencePiece would take them: one unknown piece, bytes only if all are there. */
static inox_status gguf_types(const ix_vocab_source *s, uint8_t **out, bool *fallback,
                              inox_error *err)
{
    uint8_t *types;
    bool found[256] = { false };
    int bytes = 0;
    int64_t unknown = s->unknown;
    IX_TRY(IX_ALLOC(&types, s->count, err));
    for (size_t i = 0; i < s->count; i++) {
        int32_t type = s->types ? s->types[i] : IX_PIECE_NORMAL;
        bool known = type >= IX_PIECE_NORMAL && type <= IX_PIECE_BYTE;
        types[i] = (uint8_t)(known ? type : IX_PIECE_NORMAL);
        if (type == IX_PIECE_UNKNOWN && !has_id(s, unknown))
            unknown = (int64_t)i;
        int byte = type == IX_PIECE_BYTE ? byte_of(&s->pieces[i]) : -1;
        if (byte >= 0 && !found[byte])
            bytes++;
        if (byte >= 0)
            found[byte] = true;
    }
    *fallback = bytes == 256;
    for (size_t i = 0; i < s->count; i++) {
        bool odd_byte = types[i] == IX_PIECE_BYTE && !*fallback;
        if (types[i] == IX_PIECE_UNKNOWN || odd_byte)
            types[i] = IX_PIECE_UNUSED;
    }
    if (has_id(s, unknown))
        types[unknown] = IX_PIECE_UNKNOWN;
    *out = types;
    return INOX_OK;
}

/* GGUF names what is special by id; where it says nothing, as llama.cpp: </s> is 1 and is added. */
static inox_status gguf_finish(spm *t, const ix_vocab_source *s, inox_error *err)
{
    t->base.bos = has_id(s, s->bos) ? (int32_t)s->bos : -1;
    t->base.eos = (int32_t)(has_id(s, s->eos) ? s->eos : s->count > 1 ? 1 : -1);
    t->base.unknown = t->unknown;
    t->base.padding_id = has_id(s, s->padding) ? (int32_t)s->padding : -1;
    t->base.format = "gguf";
    return finish(t, s->add_bos > 0, s->add_eos != 0, s, err);
}

inox_status ix_tokenizer_from_gguf_unigram(const ix_vocab_source *s, ix_tokenizer **out,
                                           inox_error *err)
{
    spm *t = NULL;
    uint8_t *types = NULL;
    ix_text_view *pieces = NULL;
    float *zeros = NULL;
    char(*names)[24] = NULL; /* of empty pieces, which SentencePiece does not allow */
    ix_spm_source source = { .kind = IX_SPM_UNIGRAM, .count = s->count };
    inox_status status;
    *out = NULL;
    IX_TRY_GOTO(status, gguf_types(s, &types, &source.byte_fallback, err), done);
    IX_TRY_GOTO(status, IX_ALLOC(&pieces, s->count, err), done);
    IX_TRY_GOTO(status, IX_ALLOC(&names, s->count, err), done);
    IX_TRY_GOTO(status, IX_ALLOC(&zeros, s->count, err), done);
    for (size_t i = 0; i < s->count; i++) {
        pieces[i] = s->pieces[i];
        if (pieces[i].size > 0)
            continue;
        int n = snprintf(names[i], sizeof names[i], "<empty%zu>", i);
        pieces[i] = (ix_text_view){ names[i], (size_t)n };
    }
    source.pieces = pieces;
    source.types = types;
    source.scores = s->scores ? s->scores : zeros;
    source.rules = (ix_spm_rules){
        .charsmap = s->charsmap,
        .add_dummy_prefix = s->add_space_prefix != 0,
        .remove_extra_whitespaces = s->remove_extra_whitespaces > 0,
        .escape_whitespaces = true,
    };
    IX_TRY_GOTO(status, IX_ALLOC(&t, 1, err), done);
    status = build(t, &source, err);
    if (status == INOX_OK)
        status = gguf_finish(t, s, err);
    if (status == INOX_OK)
        *out = &t->base;
    else
        ix_tokenizer_free(&t->base);
done:
    ix_free(types);
    ix_free(pieces);
    ix_free(names);
    ix_free(zeros);
    return status;
}
