/* WordPiece: the longest piece that begins the word, then the longest that goes on, and so on.
 *
 * Pieces behind the first carry a prefix ("##ing"); they stand in a trie of their own without it,
 * so that finding the longest is one walk.  A word that some place of has no piece is one unknown
 * token, and so is a word of too many characters.  Work per token is bounded by the longest piece.
 */
#include "text/model_parts.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <string.h>

static inox_status make_tries(ix_model *m, ix_text_view prefix, inox_error *err)
{
    const ix_vocabulary *v = &m->vocabulary;
    int32_t *ids = NULL;
    ix_text_view *rest = NULL;
    inox_status status = IX_ALLOC(&ids, v->entries, err);
    if (status == INOX_OK)
        status = IX_ALLOC(&rest, v->entries, err);
    for (size_t i = 0; i < v->entries && status == INOX_OK; i++) {
        ix_text_view p = v->pieces[i];
        ids[i] = p.data ? (i < v->id_end ? (int32_t)i : v->other_ids[i - v->id_end]) : -1;
        bool goes_on = p.data && p.size > prefix.size &&
                       (prefix.size == 0 || memcmp(p.data, prefix.data, prefix.size) == 0);
        if (goes_on)
            rest[i] = (ix_text_view){ p.data + prefix.size, p.size - prefix.size };
    }
    if (status == INOX_OK)
        status = ix_trie_new(&m->wordpiece.whole, v->pieces, ids, v->entries, err);
    if (status == INOX_OK)
        status = ix_trie_new(&m->wordpiece.rest, rest, ids, v->entries, err);
    ix_free(ids);
    ix_free(rest);
    return status;
}

static inox_status finish(ix_model *m, ix_text_view unknown, ix_text_view prefix, size_t max,
                          inox_error *err)
{
    m->wordpiece.unknown = ix_vocabulary_find(&m->vocabulary, unknown.data, unknown.size);
    m->wordpiece.characters_max = max;
    return make_tries(m, prefix, err);
}

inox_status ix_wordpiece_read(ix_model *m, const json_t *j, inox_error *err)
{
    ix_text_view unknown, prefix;
    const json_t *max = json_object_get(j, "max_input_chars_per_word");
    IX_TRY(ix_model_read_string(j, "unk_token", false, &unknown, err));
    IX_TRY(ix_model_read_string(j, "continuing_subword_prefix", false, &prefix, err));
    if (!json_is_integer(max) || json_integer_value(max) < 0)
        return ix_fail(err, INOX_E_FORMAT, "the model's max_input_chars_per_word is %s",
                       max ? "not a count" : "missing");
    IX_TRY(ix_model_read_vocabulary(m, j, err));
    return finish(m, unknown, prefix, (size_t)json_integer_value(max), err);
}

inox_status ix_model_new_wordpiece(const ix_text_view *pieces, size_t count, ix_text_view unknown,
                                   ix_text_view prefix, size_t word_characters_max, ix_model **out,
                                   inox_error *err)
{
    *out = NULL;
    if (count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has %zu tokens, more than %d", count,
                       IX_MAX_VOCAB);
    ix_model *m = NULL;
    ix_entry *entries = NULL;
    inox_status status = ix_model_alloc(IX_MODEL_WORDPIECE, &m, err);
    if (status == INOX_OK)
        status = IX_ALLOC(&entries, count, err);
    for (size_t i = 0; i < count && status == INOX_OK; i++)
        entries[i] = (ix_entry){ pieces[i], (int32_t)i };
    if (status == INOX_OK)
        status = ix_vocabulary_new(&m->vocabulary, entries, count, err);
    if (status == INOX_OK)
        status = finish(m, unknown, prefix, word_characters_max, err);
    ix_free(entries);
    if (status != INOX_OK) {
        ix_model_free(m);
        return status;
    }
    *out = m;
    return INOX_OK;
}

void ix_wordpiece_release(ix_wordpiece_model *m)
{
    ix_trie_release(&m->whole);
    ix_trie_release(&m->rest);
}

static bool too_long(const ix_wordpiece_model *m, const char *p, size_t size)
{
    size_t characters = 0;
    if (size <= m->characters_max)
        return false;
    for (size_t i = 0; i < size && characters <= m->characters_max; i++)
        characters += ((unsigned char)p[i] & 0xC0) != 0x80;
    return characters > m->characters_max;
}

size_t ix_wordpiece_pieces(const ix_wordpiece_model *w, const char *p, size_t n, int32_t *ids,
                           uint32_t *ends)
{
    const ix_trie *t = &w->whole;
    size_t count = 0;
    for (size_t at = 0; at < n; t = &w->rest) {
        const ix_trie_node *nodes = t->nodes;
        uint32_t node = 0, base = nodes[0].base;
        int32_t id = -1;
        size_t end = at;
        for (size_t i = at; i < n;) {
            uint32_t to = base ^ (unsigned char)p[i++];
            if (nodes[to].parent != node || to == 0)
                break;
            node = to;
            base = nodes[to].base;
            bool ends_here = nodes[to].value >= 0;
            id = ends_here ? nodes[to].value : id;
            end = ends_here ? i : end;
        }
        if (id < 0)
            return 0;
        ids[count] = id;
        ends[count++] = (uint32_t)end;
        at = end;
    }
    return count;
}

inox_status ix_wordpiece_tokenize(const ix_model *m, const char *text, size_t start, size_t end,
                                  ix_token_list *out, inox_error *err)
{
    const ix_wordpiece_model *w = &m->wordpiece;
    size_t before = out->count, at = too_long(w, text + start, end - start) ? end + 1 : start;
    while (at < end) {
        const ix_trie *t = at == start ? &w->whole : &w->rest;
        uint32_t node = 0;
        int32_t id = -1;
        size_t id_end = at;
        for (size_t i = at; i < end; i++) {
            node = ix_trie_step(t, node, text[i]);
            if (node == IX_TRIE_NONE)
                break;
            if (t->nodes[node].value >= 0) {
                id = t->nodes[node].value;
                id_end = i + 1;
            }
        }
        if (id < 0) {
            at = end + 1;
            break;
        }
        IX_TRY(ix_token_list_add(out, id, at, id_end, err));
        at = id_end;
    }
    if (at <= end)
        return INOX_OK;
    out->count = before;
    if (w->unknown < 0)
        return ix_fail(err, INOX_E_FORMAT,
                       "a word has no pieces, and the unknown token is not in the vocabulary");
    return ix_token_list_add(out, w->unknown, start, end, err);
}
