/* Unigram: the cut into pieces whose scores have the greatest sum.
 *
 * One pass from left to right keeps, for each place, the best way to get there (Viterbi); of equal
 * ones the first that was found stays.  A trie gives all pieces that begin at a place.  Where no
 * piece reaches across a place, what lies before is settled and goes out, so that memory follows
 * the longest stretch that pieces span and not the text.
 *
 *     place   0 . . . 4 . 6 . . 9          node = score of the best path, where its last token
 *     pieces  [------)[--)                        starts, and the id of that
 *               [--------)[---)  -> at 6 the first two tokens are settled
 *
 * Two libraries, two arithmetics: tokenizers adds in binary64, SentencePiece in binary32 and moves
 * sums back to 0 when they are beyond 1e5.  User-defined pieces get a score there that always wins.
 */
#include "text/unigram_words.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/tokenizer.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define NO_PATH UINT32_MAX
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
    inox_status status = ix_trie_new(&m->unigram.trie, v->pieces, ids, v->entries, err);
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
    return make_trie(m, NULL, err);
}

/* The id of a piece of type byte for each byte. */
static void find_bytes(ix_model *m, const ix_piece_source *s, int32_t ids[256])
{
    (void)ix_model_find_bytes(&m->vocabulary, ids);
    for (int b = 0; b < 256; b++)
        if (ids[b] >= 0 && s->types && s->types[ids[b]] != IX_PIECE_BYTE)
            ids[b] = -1;
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
    find_bytes(m, s, u->byte_ids);
    bool bytes = s->byte_fallback;
    for (int b = 0; b < 256; b++)
        bytes = bytes && u->byte_ids[b] >= 0;
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
    ix_trie_release(&u->trie);
    ix_free(u->scores);
    ix_free(u->words.scores);
    ix_free(u->words.units);
}

/* ---- what goes out --------------------------------------------------------------------------- */

typedef struct run {
    const ix_model *m;
    const ix_unigram_model *u;
    ix_model_scratch *s;
    const char *text;
    size_t base, frontier; /* path[0] is place `base`; no piece so far ends behind `frontier` */
    bool unknown_before;   /* the last token is unknown ... */
    size_t unknown_start, unknown_end; /* tokenizers: ... and has not gone out yet */
    ix_token_list *out;
    inox_error *err;
} run;

/* Byte tokens, where all are there.  tokenizers gives each the range of all, SentencePiece an empty
 * one to all but the last. */
static inox_status add_bytes(run *r, size_t start, size_t end, bool *done)
{
    *done = r->u->byte_fallback;
    for (size_t i = start; i < end && *done; i++)
        *done = r->u->byte_ids[(unsigned char)r->text[i]] >= 0;
    for (size_t i = start; i < end && *done; i++) {
        bool whole = !r->u->sentencepiece || i + 1 == end;
        IX_TRY(ix_token_list_add(r->out, r->u->byte_ids[(unsigned char)r->text[i]], start,
                                 whole ? end : start, r->err));
    }
    return INOX_OK;
}

/* tokenizers looks the text of neighbouring unknown characters up once more. */
static inox_status add_unknown_run(run *r)
{
    size_t start = r->unknown_start, end = r->unknown_end;
    bool done;
    r->unknown_before = false;
    int32_t id = ix_vocabulary_find(&r->m->vocabulary, r->text + start, end - start);
    if (id < 0) {
        IX_TRY(add_bytes(r, start, end, &done));
        if (done)
            return INOX_OK;
        id = r->u->unknown;
    }
    return ix_token_list_add(r->out, id, start, end, r->err);
}

static inox_status add_token(run *r, int32_t id, size_t start, size_t end)
{
    bool unknown = id == r->u->unknown, done = false;
    if (!r->u->sentencepiece) {
        if (unknown) {
            r->unknown_start = r->unknown_before ? r->unknown_start : start;
            r->unknown_end = end;
            r->unknown_before = true;
            return INOX_OK;
        }
        if (r->unknown_before)
            IX_TRY(add_unknown_run(r));
        return ix_token_list_add(r->out, id, start, end, r->err);
    }
    if (unknown)
        IX_TRY(add_bytes(r, start, end, &done));
    bool joins = unknown && !done && r->unknown_before;
    r->unknown_before = unknown;
    if (joins)
        r->out->items[r->out->count - 1].end = (uint32_t)end;
    else if (!done)
        IX_TRY(ix_token_list_add(r->out, id, start, end, r->err));
    return INOX_OK;
}

/* The best path to `at` goes out; the place becomes the base. */
static inox_status settle(run *r, size_t at)
{
    ix_model_scratch *s = r->s;
    size_t n = 0;
    for (size_t end = at; end > r->base;) {
        const ix_path_node *node = &s->path[end - r->base];
        if (n == s->found_capacity) {
            size_t capacity = n * 2 + 64;
            IX_TRY(IX_REALLOC(&s->found, capacity, r->err));
            s->found_capacity = capacity;
        }
        s->found[n++] = (ix_token){ node->id, node->start, (uint32_t)end };
        end = node->start;
    }
    while (n-- > 0)
        IX_TRY(add_token(r, s->found[n].id, s->found[n].start, s->found[n].end));
    s->path[0].score = s->path[at - r->base].score;
    r->base = at;
    return INOX_OK;
}

inox_status ix_unigram_add_path(const ix_model *m, const char *text, const ix_token *path,
                                size_t count, ix_token_list *out, inox_error *err)
{
    run r = { .m = m, .u = &m->unigram, .text = text, .out = out, .err = err };
    for (size_t k = 0; k < count; k++)
        IX_TRY(add_token(&r, path[k].id, path[k].start, path[k].end));
    return INOX_OK;
}

/* ---- the best path --------------------------------------------------------------------------- */

/* Makes place `end` one that tokens may end at. */
static inox_status reach(run *r, size_t end)
{
    ix_model_scratch *s = r->s;
    if (end - r->base >= s->path_capacity) {
        size_t capacity = (end - r->base) * 2 + 64;
        IX_TRY(IX_REALLOC(&s->path, capacity, r->err));
        s->path_capacity = capacity;
    }
    while (r->frontier < end)
        s->path[++r->frontier - r->base] = (ix_path_node){ 0, NO_PATH, 0 };
    return INOX_OK;
}

/* A token from `start` to `end`: true where it is the best way there so far. */
static inline bool relax(run *r, size_t start, size_t end, double before, double score, int32_t id)
{
    ix_path_node *node = &r->s->path[end - r->base];
    double sum = r->u->sentencepiece ? (double)((float)before + (float)score) : before + score;
    if (node->start != NO_PATH && !(sum > node->score))
        return false;
    *node = (ix_path_node){ sum, (uint32_t)start, id };
    return true;
}

static void move_to_zero(run *r, size_t at)
{
    float offset = (float)r->s->path[at - r->base].score;
    for (size_t i = at; i <= r->frontier; i++) {
        ix_path_node *node = &r->s->path[i - r->base];
        if (i == at || node->start != NO_PATH)
            node->score = (double)((float)node->score - offset);
    }
}

/* All tokens that start at `at`, the first of `n` bytes of a character. */
static inox_status step(run *r, size_t at, size_t n, size_t end)
{
    const ix_unigram_model *u = r->u;
    double before = r->s->path[at - r->base].score;
    if (u->sentencepiece && (before < -IX_UNIGRAM_RESET || before > IX_UNIGRAM_RESET)) {
        move_to_zero(r, at);
        before = 0;
    }
    bool single = false;
    uint32_t node = 0;
    for (size_t i = at; i < end; i++) {
        node = ix_trie_step(&u->trie, node, r->text[i]);
        if (node == IX_TRIE_NONE)
            break;
        int32_t id = u->trie.nodes[node].value;
        if (id < 0)
            continue;
        if (i + 1 > r->frontier)
            IX_TRY(reach(r, i + 1));
        (void)relax(r, at, i + 1, before, u->scores[id], id);
        single = single || i + 1 == at + n;
    }
    if (single)
        return INOX_OK;
    if (at + n > r->frontier)
        IX_TRY(reach(r, at + n));
    bool better = relax(r, at, at + n, before, u->unknown_score, u->unknown);
    if (better && u->unknown < 0 && !u->sentencepiece)
        return ix_fail(r->err, INOX_E_FORMAT,
                       "the text has a character that is no token, and the vocabulary has no "
                       "unknown token (unk_id)");
    return INOX_OK;
}

static inox_status tokenize(run *r, size_t start, size_t end, double *sum)
{
    r->base = r->frontier = start;
    IX_TRY(reach(r, start));
    r->s->path[0] = (ix_path_node){ *sum, (uint32_t)start, 0 };
    for (size_t at = start, n; at < end; at += n) {
        if (at == r->frontier && at > r->base)
            IX_TRY(settle(r, at));
        n = ix_chunk(r->text + at, end - at);
        IX_TRY(step(r, at, n, end));
    }
    IX_TRY(settle(r, end));
    *sum = r->s->path[0].score;
    return INOX_OK;
}

inox_status ix_unigram_tokenize(const ix_model *m, ix_model_scratch *s, const char *text,
                                size_t start, size_t end, ix_token_list *out, inox_error *err)
{
    run r = { .m = m, .u = &m->unigram, .s = s, .text = text, .out = out, .err = err };
    double sum = 0;
    if (start == end)
        return INOX_OK;
    IX_TRY(tokenize(&r, start, end, &sum));
    return r.unknown_before && !m->unigram.sentencepiece ? add_unknown_run(&r) : INOX_OK;
}

inox_status ix_unigram_tokenize_from(const ix_model *m, ix_model_scratch *s, const char *text,
                                     size_t start, size_t end, float *sum, ix_token_list *out,
                                     inox_error *err)
{
    run r = { .m = m, .u = &m->unigram, .s = s, .text = text, .out = out, .err = err };
    double at = (double)*sum;
    IX_TRY(tokenize(&r, start, end, &at));
    *sum = (float)at;
    return INOX_OK;
}
