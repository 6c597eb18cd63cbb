/* Unigram: making a model, and the tokens of a text from its best path (unigram_search.c).
 *
 * Two libraries, two ways with characters that are no pieces: tokenizers looks the text of
 * neighbouring ones up once more, SentencePiece joins them.
 */
#include "text/unigram_search.h"
#include "text/unigram_words.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/tokenizer.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define UNKNOWN_PENALTY 10.0

/* ---- making ---------------------------------------------------------------------------------- */

bool ix_unigram_has_piece(const uint8_t *types, size_t i)
{
    return !types || types[i] == IX_PIECE_NORMAL || types[i] == IX_PIECE_USER;
}

static inox_status make_trie(ix_model *m, const uint8_t *types, inox_error *err)
{
    int32_t *ids = NULL;
    const ix_vocabulary *v = &m->vocabulary;
    IX_TRY(IX_ALLOC(&ids, v->entries, err));
    for (size_t i = 0; i < v->entries; i++)
        ids[i] = v->pieces[i].data && ix_unigram_has_piece(types, i) ? (int32_t)i : -1;
    inox_status status = ix_unigram_make_nodes(&m->unigram, v, ids, err);
    ix_free(ids);
    return status;
}

static inox_status read_pieces(ix_model *m, const json_t *vocab, inox_error *err)
{
    ix_unigram_model *u = &m->unigram;
    size_t count = json_array_size(vocab);
    ix_entry *entries = NULL;
    double least = INFINITY;
    inox_status status = IX_ALLOC(&entries, count, err);
    if (status == INOX_OK)
        status = IX_ALLOC(&u->scores, count, err);
    for (size_t i = 0; i < count && status == INOX_OK; i++) {
        const json_t *pair = json_array_get(vocab, i);
        const json_t *piece = json_array_get(pair, 0), *score = json_array_get(pair, 1);
        if (!json_is_string(piece) || !json_is_number(score) || json_array_size(pair) != 2) {
            status =
                ix_fail(err, INOX_E_FORMAT, "token %zu of the vocabulary is not [piece, score]", i);
            break;
        }
        entries[i].piece = (ix_text_view){ json_string_value(piece), json_string_length(piece) };
        entries[i].id = (int32_t)i;
        u->scores[i] = json_number_value(score);
        least = u->scores[i] < least ? u->scores[i] : least;
    }
    u->unknown_score = least - UNKNOWN_PENALTY;
    if (status == INOX_OK)
        status = ix_vocabulary_new(&m->vocabulary, entries, count, err);
    ix_free(entries);
    return status;
}

inox_status ix_unigram_read(ix_model *m, const json_t *j, inox_error *err)
{
    ix_unigram_model *u = &m->unigram;
    const json_t *vocab = json_object_get(j, "vocab"), *unknown = json_object_get(j, "unk_id");
    if (!json_is_array(vocab))
        return ix_fail(err, INOX_E_FORMAT, "the model's vocab is not an array of [piece, score]");
    size_t count = json_array_size(vocab);
    if (count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has %zu tokens, more than %d", count,
                       IX_MAX_VOCAB);
    u->unknown = -1;
    if (unknown && !json_is_null(unknown)) {
        json_int_t id = json_is_integer(unknown) ? json_integer_value(unknown) : -1;
        if (id < 0 || (size_t)id >= count)
            return ix_fail(err, INOX_E_FORMAT, "the model's unk_id is not an id of its vocabulary");
        u->unknown = (int32_t)id;
    }
    IX_TRY(ix_model_read_flag(j, "byte_fallback", &u->byte_fallback, err));
    IX_TRY(read_pieces(m, vocab, err));
    (void)ix_model_find_bytes(&m->vocabulary, u->byte_ids);
    IX_TRY(make_trie(m, NULL, err));
    return ix_unigram_words_make(u, &m->vocabulary, NULL, err);
}

/* The id of a piece of type byte for each byte, or -1; true: all are there. */
static bool find_bytes(ix_model *m, const ix_piece_source *s, int32_t ids[256])
{
    bool all = ix_model_find_bytes(&m->vocabulary, ids);
    for (int b = 0; b < 256; b++)
        if (ids[b] >= 0 && s->types && s->types[ids[b]] != IX_PIECE_BYTE)
            ids[b] = -1, all = false;
    return all;
}

static inox_status make_sentencepiece(ix_model *m, const ix_piece_source *s, inox_error *err)
{
    ix_unigram_model *u = &m->unigram;
    ix_entry *entries = NULL;
    IX_TRY(IX_ALLOC(&u->scores, s->count, err));
    IX_TRY(IX_ALLOC(&entries, s->count, err));
    float least = FLT_MAX;
    inox_status status = INOX_OK;
    for (size_t i = 0; i < s->count && status == INOX_OK; i++) {
        float score = s->scores ? s->scores[i] : 0;
        entries[i] = (ix_entry){ s->pieces[i], (int32_t)i };
        u->scores[i] = (double)score;
        if (!isfinite(score))
            status =
                ix_fail(err, INOX_E_FORMAT, "the score of piece %zu is not a finite number", i);
        if (!s->types || s->types[i] == IX_PIECE_NORMAL)
            least = score < least ? score : least;
        else if (s->types[i] == IX_PIECE_USER)
            u->scores[i] = (double)(float)(0.1 * ((double)s->pieces[i].size - 1));
    }
    if (status == INOX_OK)
        status = ix_vocabulary_new(&m->vocabulary, entries, s->count, err);
    ix_free(entries);
    IX_TRY(status);
    u->sentencepiece = true;
    u->byte_fallback = s->byte_fallback;
    u->unknown = s->unknown;
    u->unknown_score = (double)(least - (float)UNKNOWN_PENALTY);
    bool bytes = find_bytes(m, s, u->byte_ids) && s->byte_fallback;
    if ((s->unknown < 0 || (size_t)s->unknown >= s->count) && !bytes)
        return ix_fail(err, INOX_E_FORMAT, "the vocabulary has no unknown piece");
    IX_TRY(make_trie(m, s->types, err));
    return ix_unigram_words_make(u, &m->vocabulary, s->types, err);
}

inox_status ix_model_new_sentencepiece_unigram(const ix_piece_source *source, ix_model **out,
                                               inox_error *err)
{
    ix_model *m = NULL;
    *out = NULL;
    if (source->count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has %zu pieces, more than %d",
                       source->count, IX_MAX_VOCAB);
    IX_TRY(ix_model_alloc(IX_MODEL_UNIGRAM, &m, err));
    inox_status status = make_sentencepiece(m, source, err);
    if (status != INOX_OK) {
        ix_model_free(m);
        return status;
    }
    *out = m;
    return INOX_OK;
}

void ix_unigram_release(ix_unigram_model *u)
{
    ix_free_aligned(u->nodes);
    ix_free(u->scores);
    ix_free(u->words.scores);
    ix_free(u->words.units);
    ix_free(u->words.sizes);
}

/* ---- what goes out --------------------------------------------------------------------------- */

typedef struct run {
    const ix_model *m;
    const ix_unigram_model *u;
    const char *text;
    bool unknown_before;               /* the last token is unknown ... */
    size_t unknown_start, unknown_end; /* tokenizers: ... and has not gone out yet */
    ix_token_list *out;
} run;

/* Byte tokens, where all are there.  tokenizers gives each the range of all, SentencePiece an empty
 * one to all but the last. */
static inox_status add_bytes(run *r, size_t start, size_t end, bool *done, inox_error *err)
{
    const int32_t *ids = r->u->byte_ids;
    const unsigned char *p = (const unsigned char *)r->text;
    *done = ix_unigram_has_bytes(r->u, r->text + start, end - start);
    if (!*done)
        return INOX_OK;
    IX_TRY(ix_token_list_reserve(r->out, end - start, err));
    ix_token *to = r->out->items + r->out->count;
    for (size_t i = start; i < end; i++) {
        bool whole = !r->u->sentencepiece || i + 1 == end;
        *to++ = (ix_token){ ids[p[i]], (uint32_t)start, (uint32_t)(whole ? end : start) };
    }
    r->out->count += end - start;
    return INOX_OK;
}

/* tokenizers looks the text of neighbouring unknown characters up once more. */
static inox_status add_unknown_run(run *r, inox_error *err)
{
    size_t start = r->unknown_start, end = r->unknown_end;
    bool done;
    r->unknown_before = false;
    int32_t id = ix_vocabulary_find(&r->m->vocabulary, r->text + start, end - start);
    if (id < 0) {
        IX_TRY(add_bytes(r, start, end, &done, err));
        if (done)
            return INOX_OK;
        id = r->u->unknown;
    }
    return ix_token_list_add(r->out, id, start, end, err);
}

/* SentencePiece: an unknown character. */
static inox_status add_unknown(run *r, size_t start, size_t end, inox_error *err)
{
    bool done;
    IX_TRY(add_bytes(r, start, end, &done, err));
    bool joins = !done && r->unknown_before;
    r->unknown_before = true;
    if (joins)
        r->out->items[r->out->count - 1].end = (uint32_t)end;
    else if (!done)
        IX_TRY(ix_token_list_add(r->out, r->u->unknown, start, end, err));
    return INOX_OK;
}

static inox_status take(void *context, const uint32_t *steps, size_t count, size_t start,
                        inox_error *err)
{
    run *r = context;
    IX_TRY(ix_token_list_reserve(r->out, count, err));
    for (size_t k = 0, end; k < count; k++, start = end) {
        int32_t id = ix_step_id(steps[k]);
        bool unknown = ix_step_is_unknown(steps[k]) || id == r->u->unknown;
        end = start + ix_step_size(&r->m->vocabulary, steps[k]);
        if (unknown && r->u->sentencepiece) {
            IX_TRY(add_unknown(r, start, end, err));
        } else if (unknown) {
            r->unknown_start = r->unknown_before ? r->unknown_start : start;
            r->unknown_end = end;
            r->unknown_before = true;
        } else {
            if (r->unknown_before && !r->u->sentencepiece)
                IX_TRY(add_unknown_run(r, err));
            if (r->out->count == r->out->capacity)
                IX_TRY(ix_token_list_reserve(r->out, count - k, err));
            r->unknown_before = false;
            r->out->items[r->out->count++] = (ix_token){ id, (uint32_t)start, (uint32_t)end };
        }
    }
    return INOX_OK;
}

/* Where ids go that are found part by part. */
typedef struct ids {
    run run;
    ix_encoding *out;
} ids;

static inox_status move_ids(ids *i, inox_error *err)
{
    ix_token_list *list = i->run.out;
    IX_TRY(ix_encoding_room(i->out, list->count, err));
    int32_t *to = i->out->ids + i->out->count;
    for (size_t k = 0; k < list->count; k++)
        to[k] = list->items[k].id;
    i->out->count += list->count;
    list->count = 0;
    return INOX_OK;
}

static inox_status take_ids(void *context, const uint32_t *steps, size_t count, size_t start,
                            inox_error *err)
{
    ids *i = context;
    IX_TRY(take(&i->run, steps, count, start, err));
    return move_ids(i, err);
}

inox_status ix_unigram_add_ids(const ix_model *m, ix_model_scratch *s, const char *text,
                               size_t size, ix_encoding *out, inox_error *err)
{
    ids i = { .run = { .m = m, .u = &m->unigram, .text = text, .out = &s->tokens }, .out = out };
    float sum = 0;
    s->tokens.count = 0;
    IX_TRY(ix_unigram_search(m, s, text, 0, size, &sum, take_ids, &i, err));
    if (i.run.unknown_before)
        IX_TRY(add_unknown_run(&i.run, err));
    return move_ids(&i, err);
}

inox_status ix_unigram_tokenize(const ix_model *m, ix_model_scratch *s, const char *text,
                                size_t start, size_t end, ix_token_list *out, inox_error *err)
{
    run r = { .m = m, .u = &m->unigram, .text = text, .out = out };
    float sum = 0;
    if (start == end)
        return INOX_OK;
    IX_TRY(ix_unigram_search(m, s, text, start, end, &sum, take, &r, err));
    return r.unknown_before && !m->unigram.sentencepiece ? add_unknown_run(&r, err) : INOX_OK;
}
