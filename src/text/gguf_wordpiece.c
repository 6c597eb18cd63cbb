/* WordPiece vocabularies of GGUF files (the kind "bert").
 *
 * The pieces are turned back into BERT's own spelling and opened as the tokenizer.json that BERT
 * would have; this family stands before that one and differs in two things: pieces are spelled as
 * the file spells them, and bytes that are not UTF-8 are read as llama.cpp reads them.
 */
#include "text/wordpiece_json.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/family.h"
#include "text/file/tokenizer_json.h"
#include "text/mapped.h"
#include "text/unicode.h"

#include <string.h>

static inox_status no_memory(inox_error *err)
{
    return ix_fail(err, INOX_E_MEMORY, "out of memory for the vocabulary");
}

/* ---- the pieces ---------------------------------------------------------------------------- */

/* A piece of a GGUF file as BERT writes it: "\u2581word" begins a word there, "word" goes on with
 * one, and what is in brackets is special. */
static inox_status add_piece(json_t *vocab, const ix_text_view *p, int32_t type, size_t id,
                             ix_buffer *text, inox_error *err)
{
    bool begins = p->size >= 3 && memcmp(p->data, "\xE2\x96\x81", 3) == 0;
    bool special = type == IX_PIECE_CONTROL ||
                   (p->size > 2 && p->data[0] == '[' && p->data[p->size - 1] == ']');
    text->size = 0;
    if (begins)
        IX_TRY(ix_buffer_append(text, p->data + 3, p->size - 3, err));
    else
        IX_TRY(ix_buffer_append(text, "##", special ? 0 : 2, err));
    if (!begins)
        IX_TRY(ix_buffer_append(text, p->data, p->size, err));
    /* A piece that is not UTF-8, or holds a NUL, is never in a text, which is cleaned of both. */
    if (!memchr(text->data, 0, text->size))
        (void)json_object_setn_new(vocab, text->data, text->size, json_integer((json_int_t)id));
    return INOX_OK;
}

/* A vocabulary with capital letters is of a model that keeps them; the file does not say. */
static bool has_capitals(const ix_vocab_source *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const ix_text_view *p = &s->pieces[i];
        bool special = (s->types && s->types[i] != IX_PIECE_NORMAL) ||
                       (p->size > 0 && (*p->data == '[' || *p->data == '<'));
        for (size_t k = 0; k < p->size && !special; k++)
            if (p->data[k] >= 'A' && p->data[k] <= 'Z')
                return true;
    }
    return false;
}

/* The spelling of a special token that the file names by id, else the usual one. */
static const char *gguf_spelling(const ix_vocab_source *s, int64_t id, const char *usual, char *out,
                                 size_t room)
{
    if (id < 0 || (uint64_t)id >= s->count || s->pieces[id].size == 0 ||
        s->pieces[id].size >= room || memchr(s->pieces[id].data, 0, s->pieces[id].size))
        return usual;
    memcpy(out, s->pieces[id].data, s->pieces[id].size);
    out[s->pieces[id].size] = 0;
    return out;
}

/* llama.cpp: [CLS] in front and [SEP] behind, unless the file says otherwise. */
static void drop_template(json_t *root, const ix_vocab_source *s)
{
    json_t *around = json_object_get(root, "post_processor");
    bool cls = s->add_bos != 0, separator = s->add_sep != 0 || s->add_eos > 0;
    for (int k = 0; k < 2; k++) {
        json_t *list = json_object_get(around, k == 0 ? "single" : "pair");
        for (size_t i = json_array_size(list); i-- > 0;) {
            bool first = i == 0;
            bool token = json_object_get(json_array_get(list, i), "SpecialToken") != NULL;
            if (token && !(first ? cls : separator))
                json_array_remove(list, i);
        }
    }
}

static inox_status make_inner(const ix_vocab_source *s, ix_tokenizer **out, inox_error *err)
{
    json_t *vocab = json_object(), *root = NULL;
    ix_buffer text = { 0 };
    char names[5][64];
    ix_bert_settings settings = {
        .unknown = gguf_spelling(s, s->unknown, "[UNK]", names[0], sizeof *names),
        .cls = gguf_spelling(s, s->bos, "[CLS]", names[1], sizeof *names),
        .separator = gguf_spelling(s, s->separator >= 0 ? s->separator : s->eos, "[SEP]", names[2],
                                   sizeof *names),
        .padding = gguf_spelling(s, s->padding, "[PAD]", names[3], sizeof *names),
        .mask = gguf_spelling(s, s->mask, "[MASK]", names[4], sizeof *names),
        .lowercase = !has_capitals(s),
        .han = true,
        .strip_accents = -1,
    };
    inox_status status = vocab ? INOX_OK : no_memory(err);
    for (size_t i = 0; i < s->count && status == INOX_OK; i++)
        status = add_piece(vocab, &s->pieces[i], s->types ? s->types[i] : IX_PIECE_NORMAL, i, &text,
                           err);
    if (status == INOX_OK)
        status = ix_bert_json(vocab, &settings, &root, err);
    if (status == INOX_OK)
        drop_template(root, s);
    if (status == INOX_OK)
        status = ix_tokenizer_from_json_object(root, NULL, NULL, out, err);
    json_decref(root);
    json_decref(vocab);
    ix_buffer_release(&text);
    return status;
}

/* ---- the family ---------------------------------------------------------------------------- */

typedef struct wordpiece {
    ix_tokenizer base;
    ix_family family;    /* base.family */
    ix_tokenizer *inner; /* of tokenizer.json */
    ix_text_view *pieces;
    uint8_t *types;
    size_t given; /* pieces of the file; ids from there on are special tokens that it lacks */
} wordpiece;

static const wordpiece *wordpiece_of(const ix_tokenizer *t)
{
    return (const wordpiece *)t;
}

static void wordpiece_release(ix_tokenizer *base)
{
    wordpiece *t = (wordpiece *)base;
    ix_tokenizer_free(t->inner);
    ix_free(t->pieces);
    ix_free(t->types);
}

static inox_status scratch_new(const ix_tokenizer *base, void **out, inox_error *err)
{
    const ix_tokenizer *inner = wordpiece_of(base)->inner;
    return inner->family->scratch_new(inner, out, err);
}

static size_t settled(const ix_tokenizer *base, const char *text, size_t size)
{
    const ix_tokenizer *inner = wordpiece_of(base)->inner;
    return inner->family->settled(inner, text, size);
}

static bool settles(const ix_tokenizer *base)
{
    const ix_tokenizer *inner = wordpiece_of(base)->inner;
    return inner->family->settles(inner);
}

/* Text that is not UTF-8: overlong forms are the characters that they spell. */
static inox_status encode_bad(const ix_tokenizer *inner, void *scratch, const ix_encode_text *in,
                              ix_encoding *out, inox_error *err)
{
    ix_mapped_text clean;
    ix_encode_text text = *in;
    ix_map_cursor cursor = { 0 };
    size_t first = out->count;
    IX_TRY(ix_clean_text(in->text, in->size, 0, false, &clean, err));
    text.text = clean.data;
    text.size = clean.size;
    inox_status status = inner->family->encode(inner, scratch, &text, out, err);
    for (size_t i = first; i < out->count && out->starts && status == INOX_OK; i++)
        if (out->ends[i] > out->starts[i])
            ix_mapped_range(&clean, &cursor, out->starts[i], out->ends[i], &out->starts[i],
                            &out->ends[i]);
    ix_mapped_release(&clean);
    return status;
}

/* Plain ranges are of the text as it is, so with them it is not rewritten. */
static inox_status encode(const ix_tokenizer *base, void *scratch, const ix_encode_text *in,
                          ix_encoding *out, inox_error *err)
{
    const ix_tokenizer *inner = wordpiece_of(base)->inner;
    if (in->plain_count > 0 || ix_utf8_good(in->text, in->size) == in->size)
        return inner->family->encode(inner, scratch, in, out, err);
    return encode_bad(inner, scratch, in, out, err);
}

static inox_status push(ix_decoder *d, int32_t id, ix_buffer *out, inox_error *err)
{
    const ix_tokenizer *outer = d->tokenizer;
    d->tokenizer = wordpiece_of(outer)->inner;
    inox_status status = d->tokenizer->family->push(d, id, out, err);
    d->tokenizer = outer;
    return status;
}

static inox_status flush(ix_decoder *d, ix_buffer *out, inox_error *err)
{
    const ix_tokenizer *outer = d->tokenizer;
    d->tokenizer = wordpiece_of(outer)->inner;
    const ix_family *f = d->tokenizer->family;
    inox_status status = f->flush ? f->flush(d, out, err) : INOX_OK;
    d->tokenizer = outer;
    return status;
}

static ix_text_view piece_of(const ix_tokenizer *base, int32_t id)
{
    const wordpiece *t = wordpiece_of(base);
    return (size_t)id < t->given ? t->pieces[id] : ix_tokenizer_piece(t->inner, id);
}

static int32_t type_of(const ix_tokenizer *base, int32_t id)
{
    const wordpiece *t = wordpiece_of(base);
    return (size_t)id < t->given ? t->types[id] : ix_tokenizer_type(t->inner, id);
}

static int32_t find(const ix_tokenizer *base, const char *piece, size_t bytes)
{
    const wordpiece *t = wordpiece_of(base);
    for (size_t i = t->given; i-- > 0;)
        if (t->pieces[i].size == bytes && memcmp(t->pieces[i].data, piece, bytes) == 0)
            return (int32_t)i;
    return -1;
}

/* Memory of a thread and of a decoder is the inner tokenizer's. */
static ix_family family_before(const ix_family *inner)
{
    return (ix_family){
        .release = wordpiece_release,
        .scratch_new = inner->scratch_new ? scratch_new : NULL,
        .scratch_free = inner->scratch_free,
        .encode = encode,
        .settled = inner->settled ? settled : NULL,
        .settles = inner->settles ? settles : NULL,
        .push = push,
        .flush = flush,
        .state_free = inner->state_free,
        .piece = piece_of,
        .type = type_of,
        .find = find,
    };
}

static inox_status build(wordpiece *t, const ix_vocab_source *s, inox_error *err)
{
    if (s->count == 0 || !s->pieces)
        return ix_fail(err, INOX_E_FORMAT, "the vocabulary has no tokens");
    if (s->count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has %zu tokens, more than %d", s->count,
                       IX_MAX_VOCAB);
    IX_TRY(make_inner(s, &t->inner, err));
    t->family = family_before(t->inner->family);
    t->given = s->count < t->inner->count ? s->count : t->inner->count;
    IX_TRY(IX_ALLOC(&t->pieces, s->count, err));
    IX_TRY(IX_ALLOC(&t->types, s->count, err));
    for (size_t i = 0; i < s->count; i++) {
        int32_t type = s->types ? s->types[i] : IX_PIECE_NORMAL;
        bool known = type >= IX_PIECE_NORMAL && type <= IX_PIECE_BYTE;
        t->pieces[i] = s->pieces[i];
        t->types[i] = (uint8_t)(known ? type : IX_PIECE_NORMAL);
    }
    t->base.format = "gguf";
    t->base.model = t->inner->model;
    t->base.count = t->inner->count;
    t->base.bos = t->inner->bos;
    t->base.eos = t->inner->eos;
    t->base.unknown = t->inner->unknown;
    t->base.padding_id = t->inner->padding_id;
    t->base.post = t->inner->post; /* one owner */
    t->inner->post = NULL;
    IX_TRY(ix_find_ends(&t->base, s, err));
    return ix_tokenizer_pool_scratches(&t->base, err);
}

inox_status ix_tokenizer_from_gguf_wordpiece(const ix_vocab_source *source, ix_tokenizer **out,
                                             inox_error *err)
{
    wordpiece *t;
    *out = NULL;
    IX_TRY(IX_ALLOC(&t, 1, err));
    t->base.family = &t->family;
    t->family.release = wordpiece_release;
    inox_status status = build(t, source, err);
    if (status != INOX_OK) {
        ix_tokenizer_free(&t->base);
        return status;
    }
    *out = &t->base;
    return INOX_OK;
}
