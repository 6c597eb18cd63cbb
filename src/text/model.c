/* Models: what the four kinds share.  See model.h. */
#include "text/model_parts.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <string.h>

/* ---- lists of tokens ------------------------------------------------------------------------- */

inox_status ix_token_list_reserve(ix_token_list *list, size_t more, inox_error *err)
{
    if (more <= list->capacity - list->count)
        return INOX_OK;
    size_t capacity = list->capacity + list->capacity / 2;
    if (capacity < list->count + more)
        capacity = list->count + more + 16;
    IX_TRY(IX_REALLOC(&list->items, capacity, err));
    list->capacity = capacity;
    return INOX_OK;
}

inox_status ix_token_list_add(ix_token_list *list, int32_t id, size_t start, size_t end,
                              inox_error *err)
{
    if (list->count == list->capacity)
        IX_TRY(ix_token_list_reserve(list, 1, err));
    list->items[list->count++] = (ix_token){ id, (uint32_t)start, (uint32_t)end };
    return INOX_OK;
}

void ix_token_list_release(ix_token_list *list)
{
    ix_free(list->items);
    *list = (ix_token_list){ 0 };
}

/* ---- the vocabulary -------------------------------------------------------------------------- */

static inox_status place_entries(ix_vocabulary *v, const ix_entry *entries, size_t count,
                                 size_t bytes, inox_error *err)
{
    IX_TRY(IX_ALLOC(&v->store, bytes + 1, err));
    IX_TRY(IX_ALLOC(&v->pieces, v->id_end + count, err));
    IX_TRY(IX_ALLOC(&v->other_ids, count, err));
    size_t others = 0;
    char *at = v->store;
    for (size_t i = 0; i < count; i++) {
        const ix_entry *e = &entries[i];
        ix_text_view *piece = &v->pieces[e->id];
        if (piece->data) {
            v->pieces[v->id_end + others] = *piece;
            v->other_ids[others++] = e->id;
        }
        if (e->piece.size > 0)
            memcpy(at, e->piece.data, e->piece.size);
        *piece = (ix_text_view){ at, e->piece.size };
        at += e->piece.size;
        if (e->piece.size == 0)
            v->empty_id = e->id;
    }
    v->entries = v->id_end + others;
    return INOX_OK;
}

inox_status ix_vocabulary_new(ix_vocabulary *v, const ix_entry *entries, size_t count,
                              inox_error *err)
{
    size_t bytes = 0;
    *v = (ix_vocabulary){ .empty_id = -1, .count = count };
    for (size_t i = 0; i < count; i++) {
        bytes += entries[i].piece.size;
        if (entries[i].id < 0 || entries[i].id >= IX_MAX_VOCAB)
            return ix_fail(err, INOX_E_LIMIT, "the id of a token is beyond %d", IX_MAX_VOCAB - 1);
        if ((size_t)entries[i].id >= v->id_end)
            v->id_end = (size_t)entries[i].id + 1;
    }
    inox_status status = place_entries(v, entries, count, bytes, err);
    if (status == INOX_OK)
        status = ix_piece_table_new(&v->table, v->pieces, v->entries, err);
    if (status != INOX_OK)
        ix_vocabulary_release(v);
    return status;
}

void ix_vocabulary_release(ix_vocabulary *v)
{
    ix_piece_table_release(&v->table);
    ix_free(v->pieces);
    ix_free(v->other_ids);
    ix_free(v->store);
    *v = (ix_vocabulary){ .empty_id = -1 };
}

inox_status ix_model_read_vocabulary(ix_model *m, const json_t *j, inox_error *err)
{
    json_t *vocab = json_object_get(j, "vocab"), *value;
    if (!json_is_object(vocab))
        return ix_fail(err, INOX_E_FORMAT, "the model's vocab is not an object of ids");
    size_t count = json_object_size(vocab), n = 0;
    if (count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has %zu tokens, more than %d", count,
                       IX_MAX_VOCAB);
    ix_entry *entries = NULL;
    IX_TRY(IX_ALLOC(&entries, count, err));
    inox_status status = INOX_OK;
    for (void *it = json_object_iter(vocab); it && status == INOX_OK;
         it = json_object_iter_next(vocab, it)) {
        const char *piece = json_object_iter_key(it);
        size_t size = json_object_iter_key_len(it);
        value = json_object_iter_value(it);
        json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
        if (id < 0 || id >= IX_MAX_VOCAB)
            status = ix_fail(err, INOX_E_FORMAT, "the id of token '%.64s' is not 0 to %d", piece,
                             IX_MAX_VOCAB - 1);
        else
            entries[n++] = (ix_entry){ { piece, size }, (int32_t)id };
    }
    if (status == INOX_OK)
        status = ix_vocabulary_new(&m->vocabulary, entries, n, err);
    ix_free(entries);
    return status;
}

/* ---- options --------------------------------------------------------------------------------- */

inox_status ix_model_read_string(const json_t *j, const char *name, bool optional,
                                 ix_text_view *out, inox_error *err)
{
    const json_t *value = json_object_get(j, name);
    *out = (ix_text_view){ NULL, 0 };
    if (optional && (!value || json_is_null(value)))
        return INOX_OK;
    if (!json_is_string(value))
        return ix_fail(err, INOX_E_FORMAT, "the model's %s is %s", name,
                       value ? "not a string" : "missing");
    *out = (ix_text_view){ json_string_value(value), json_string_length(value) };
    return INOX_OK;
}

inox_status ix_model_read_flag(const json_t *j, const char *name, bool *out, inox_error *err)
{
    const json_t *value = json_object_get(j, name);
    *out = json_is_true(value);
    if (value && !json_is_null(value) && !json_is_boolean(value))
        return ix_fail(err, INOX_E_FORMAT, "the model's %s is not true or false", name);
    return INOX_OK;
}

bool ix_model_find_bytes(const ix_vocabulary *v, int32_t ids[256])
{
    static const char digits[] = "0123456789ABCDEF";
    bool all = true;
    for (int b = 0; b < 256; b++) {
        char piece[] = "<0x00>";
        piece[3] = digits[b >> 4];
        piece[4] = digits[b & 15];
        ids[b] = ix_vocabulary_find(v, piece, 6);
        all = all && ids[b] >= 0;
    }
    return all;
}

/* ---- making ---------------------------------------------------------------------------------- */

inox_status ix_model_alloc(ix_model_kind kind, ix_model **out, inox_error *err)
{
    ix_model *m = NULL;
    *out = NULL;
    IX_TRY(IX_ALLOC(&m, 1, err));
    m->kind = kind;
    m->vocabulary.empty_id = -1;
    *out = m;
    return INOX_OK;
}

static const struct kind {
    const char *name;
    inox_status (*read)(ix_model *m, const json_t *j, inox_error *err);
} kinds[] = {
    [IX_MODEL_BPE] = { "BPE", ix_bpe_model_read },
    [IX_MODEL_WORDPIECE] = { "WordPiece", ix_wordpiece_read },
    [IX_MODEL_UNIGRAM] = { "Unigram", ix_unigram_read },
    [IX_MODEL_WORDLEVEL] = { "WordLevel", ix_wordlevel_read },
};

/* Without a type: the first kind whose keys are all there, in the library's order. */
static int infer_kind(const json_t *j)
{
    const json_t *vocab = json_object_get(j, "vocab");
    bool unknown = json_is_string(json_object_get(j, "unk_token"));
    if (json_is_object(vocab) && json_is_array(json_object_get(j, "merges")))
        return IX_MODEL_BPE;
    if (json_is_object(vocab) && unknown && json_object_get(j, "continuing_subword_prefix") &&
        json_object_get(j, "max_input_chars_per_word"))
        return IX_MODEL_WORDPIECE;
    if (json_is_object(vocab) && unknown)
        return IX_MODEL_WORDLEVEL;
    return json_is_array(vocab) ? IX_MODEL_UNIGRAM : -1;
}

static inox_status find_kind(const json_t *j, int *kind, inox_error *err)
{
    const json_t *type = json_object_get(j, "type");
    *kind = -1;
    if (!type) {
        *kind = infer_kind(j);
        if (*kind < 0)
            return ix_fail(err, INOX_E_FORMAT,
                           "the model has no type, and its keys are those of no kind");
        return INOX_OK;
    }
    const char *name = json_is_string(type) ? json_string_value(type) : "";
    for (int k = 0; k < 4; k++)
        if (strcmp(kinds[k].name, name) == 0)
            *kind = k;
    if (*kind < 0)
        return ix_fail(err, INOX_E_FORMAT,
                       "model type '%.64s' is not BPE, WordPiece, Unigram or WordLevel", name);
    return INOX_OK;
}

inox_status ix_model_from_json(const json_t *model, ix_model **out, inox_error *err)
{
    int kind;
    *out = NULL;
    if (!json_is_object(model))
        return ix_fail(err, INOX_E_FORMAT, "the model is not an object");
    IX_TRY(find_kind(model, &kind, err));
    ix_model *m;
    IX_TRY(ix_model_alloc((ix_model_kind)kind, &m, err));
    inox_status status = kinds[kind].read(m, model, err);
    if (status != INOX_OK) {
        ix_model_free(m);
        return status;
    }
    *out = m;
    return INOX_OK;
}

void ix_model_free(ix_model *m)
{
    if (!m)
        return;
    ix_bpe_model_release(&m->bpe);
    ix_wordpiece_release(&m->wordpiece);
    ix_unigram_release(&m->unigram);
    ix_vocabulary_release(&m->vocabulary);
    ix_free(m->strings);
    ix_free(m);
}

/* ---- asking ---------------------------------------------------------------------------------- */

ix_model_kind ix_model_kind_of(const ix_model *m)
{
    return m->kind;
}

size_t ix_model_count(const ix_model *m)
{
    return m->vocabulary.count;
}

size_t ix_model_id_end(const ix_model *m)
{
    return m->vocabulary.id_end;
}

int32_t ix_model_find(const ix_model *m, const char *piece, size_t size)
{
    return ix_vocabulary_find(&m->vocabulary, piece, size);
}

ix_text_view ix_model_piece(const ix_model *m, int32_t id)
{
    bool in = id >= 0 && (size_t)id < m->vocabulary.id_end;
    return in ? m->vocabulary.pieces[id] : (ix_text_view){ NULL, 0 };
}

/* ---- using ----------------------------------------------------------------------------------- */

/* Lines of the cache of words: 256 KiB, and 4 MiB once more text than this has gone by it. */
enum { FEW_LINES_LOG2 = 12, MANY_LINES_LOG2 = 16, MUCH_TEXT = 1 << 17 };

int ix_model_cache_lines(size_t bytes)
{
    return bytes > MUCH_TEXT ? MANY_LINES_LOG2 : FEW_LINES_LOG2;
}

inox_status ix_model_scratch_expect(ix_model_scratch *s, size_t bytes, inox_error *err)
{
    if (s->seen > MUCH_TEXT || s->held)
        return INOX_OK;
    s->seen += bytes;
    if (s->seen <= MUCH_TEXT)
        return INOX_OK;
    if (!s->model || s->model->unigram.words.cut == IX_CUT_NOWHERE)
        return ix_word_cache_grow(&s->cache, MANY_LINES_LOG2, err);
    ix_word_cache larger; /* these lines are other ones (unigram_words.c): words are learnt anew */
    IX_TRY(ix_word_cache_new(&larger, MANY_LINES_LOG2, err));
    ix_word_cache_release(&s->cache);
    s->cache = larger;
    return INOX_OK;
}

inox_status ix_model_scratch_new(const ix_model *m, ix_model_scratch **out, inox_error *err)
{
    ix_model_scratch *s = NULL;
    *out = NULL;
    IX_TRY(IX_ALLOC(&s, 1, err));
    s->model = m;
    inox_status status = ix_word_cache_new(&s->cache, FEW_LINES_LOG2, err);
    if (status == INOX_OK && m && m->bpe.has_unused)
        status = IX_ALLOC(&s->word.splits, m->vocabulary.id_end, err);
    if (status != INOX_OK) {
        ix_model_scratch_free(s);
        return status;
    }
    *out = s;
    return INOX_OK;
}

void ix_model_scratch_free(ix_model_scratch *s)
{
    if (!s)
        return;
    ix_word_release(&s->word);
    ix_word_cache_release(&s->cache);
    ix_word_cache_release(&s->words);
    ix_long_words_release(&s->longs);
    ix_token_list_release(&s->tokens);
    ix_free(s->composed);
    ix_free(s->ring);
    ix_free(s->back);
    ix_free(s->steps);
    ix_free(s->waiting);
    ix_free(s->memo);
    ix_free(s->blocked);
    ix_free(s);
}

static inox_status tokenize(const ix_model *m, ix_model_scratch *s, const char *text, size_t start,
                            size_t end, ix_token_list *out, inox_error *err)
{
    switch (m->kind) {
    case IX_MODEL_BPE: return ix_bpe_model_tokenize(m, s, text, start, end, out, err);
    case IX_MODEL_WORDPIECE: return ix_wordpiece_tokenize(m, text, start, end, out, err);
    case IX_MODEL_UNIGRAM: return ix_unigram_tokenize(m, s, text, start, end, out, err);
    case IX_MODEL_WORDLEVEL: break;
    }
    return ix_wordlevel_tokenize(m, text, start, end, out, err);
}

/* Whether the tokens stand side by side and cover the word, as the cache can say it. */
static bool covers(const ix_token_list *list, size_t first, size_t start, size_t end,
                   ix_cached cached[IX_CACHED_TOKENS])
{
    size_t at = start, count = list->count - first;
    if (count == 0 || count > IX_CACHED_TOKENS)
        return false;
    const ix_token *tokens = list->items + first;
    for (size_t k = 0; k < count; k++) {
        if (tokens[k].start != at || tokens[k].end < at || tokens[k].end > end)
            return false;
        at = tokens[k].end;
        cached[k] =
            (ix_cached){ tokens[k].id, (uint8_t)(tokens[k].start - start), (uint8_t)(at - start) };
    }
    return at == end;
}

inox_status ix_token_list_add_cached(ix_token_list *list, const ix_cache_slot *known, size_t start,
                                     size_t end, inox_error *err)
{
    size_t n = ix_cache_count(known), from, to;
    IX_TRY(ix_token_list_reserve(list, n, err));
    for (size_t k = 0; k < n; k++) {
        int32_t id = ix_cache_token(known, k, end - start, &from, &to);
        list->items[list->count++] =
            (ix_token){ id, (uint32_t)(start + from), (uint32_t)(start + to) };
    }
    return INOX_OK;
}

inox_status ix_model_tokenize(const ix_model *m, ix_model_scratch *s, const char *text,
                              size_t start, size_t end, ix_token_list *out, inox_error *err)
{
    size_t size = end - start;
    IX_TRY(ix_model_scratch_expect(s, size, err));
    bool other_lines = m->unigram.words.cut != IX_CUT_NOWHERE; /* of the cache: unigram_words.c */
    if (size == 0 || size > IX_CACHED_BYTES || m->kind == IX_MODEL_WORDLEVEL || other_lines)
        return tokenize(m, s, text, start, end, out, err);
    ix_cache_key key = ix_cache_key_of(text + start, size, 0, false);
    ix_cache_slot *line = ix_cache_line(&s->cache, key);
    const ix_cache_slot *known = ix_cache_find(line, key);
    if (known)
        return ix_token_list_add_cached(out, known, start, end, err);
    size_t before = out->count;
    ix_cached cached[IX_CACHED_TOKENS];
    IX_TRY(tokenize(m, s, text, start, end, out, err));
    if (covers(out, before, start, end, cached))
        ix_cache_put(line, key, cached, out->count - before);
    return INOX_OK;
}
