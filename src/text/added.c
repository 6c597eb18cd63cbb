/* Added tokens: reading, two tries, finding.  See added.h; the rules are those of Hugging Face's
 * tokenizers 0.23 (tokenizer/added_vocabulary.rs). */
#include "text/added.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/normal.h"
#include "text/unicode.h"
#include "text/vocab.h"

#include <string.h>

/* Spellings by their bytes.  Node 0 is the root; edges are (node, byte) -> node. */
typedef struct trie {
    ix_pair_table edges;
    int32_t *tokens; /* of each node: a place in ix_added.tokens, or -1 */
    size_t count;    /* of nodes */
    ix_first_bytes first;
    bool any;
} trie;

struct ix_added {
    ix_arena arena; /* contents and normalized forms */
    ix_added_token
        *tokens; /* as the file lists them; a later one may have taken the id of an earlier */
    size_t count;
    size_t id_end, longest;
    int32_t *by_id;              /* place in tokens, or -1 */
    ix_text_view *contents;      /* of the tokens, for the tables */
    ix_text_view *special_texts; /* contents of special tokens */
    ix_piece_table by_content, specials;
    trie tries[2]; /* as it is; normalized */
};

/* ---- the trie -------------------------------------------------------------------------------- */

static inox_status trie_new(trie *t, size_t bytes, inox_error *err)
{
    *t = (trie){ .count = 1 };
    IX_TRY(ix_pair_table_new(&t->edges, bytes, err));
    IX_TRY(IX_ALLOC(&t->tokens, bytes + 1, err));
    t->tokens[0] = -1;
    return INOX_OK;
}

static void trie_release(trie *t)
{
    ix_pair_table_release(&t->edges);
    ix_free(t->tokens);
}

/* Of equal spellings the first counts. */
static void trie_add(trie *t, const ix_text_view *spelling, int32_t token)
{
    uint32_t node = 0;
    for (size_t i = 0; i < spelling->size; i++) {
        size_t before = t->edges.count;
        const ix_pair_slot *edge =
            ix_pair_add(&t->edges, node, (unsigned char)spelling->data[i], 0, (int32_t)t->count);
        if (t->edges.count > before)
            t->tokens[t->count++] = -1;
        node = (uint32_t)edge->id;
    }
    if (t->tokens[node] < 0)
        t->tokens[node] = token;
    ix_first_add(&t->first, spelling->data[0]);
    t->any = true;
}

/* ---- reading --------------------------------------------------------------------------------- */

static inox_status read_flag(const json_t *j, const char *name, bool usual, bool *out,
                             inox_error *err)
{
    const json_t *v = json_object_get(j, name);
    *out = usual;
    if (!v)
        return INOX_OK;
    if (!json_is_boolean(v))
        return ix_fail(err, INOX_E_FORMAT, "added_tokens: '%s' must be true or false", name);
    *out = json_is_true(v);
    return INOX_OK;
}

/* A token of the file, as yet without id and normalized form. */
static inox_status read_token(ix_arena *arena, const json_t *j, ix_added_token *t, inox_error *err)
{
    const json_t *content = json_object_get(j, "content");
    char *copy;
    if (!json_is_string(content))
        return ix_fail(err, INOX_E_FORMAT, "added_tokens: a token has no 'content'");
    *t = (ix_added_token){ .id = -1 };
    IX_TRY(ix_arena_strndup(arena, json_string_value(content), json_string_length(content), &copy,
                            err));
    t->content = t->normalized = (ix_text_view){ copy, json_string_length(content) };
    IX_TRY(read_flag(j, "special", false, &t->special, err));
    IX_TRY(read_flag(j, "single_word", false, &t->single_word, err));
    IX_TRY(read_flag(j, "lstrip", false, &t->lstrip, err));
    IX_TRY(read_flag(j, "rstrip", false, &t->rstrip, err));
    return read_flag(j, "normalized", !t->special, &t->is_normalized, err);
}

static inox_status normalize_token(ix_arena *arena, const ix_normalizer *n, ix_added_token *t,
                                   inox_error *err)
{
    ix_mapped_text text = { .data = t->content.data, .size = t->content.size };
    char *copy;
    inox_status status = ix_normalize(n, &text, err);
    if (status == INOX_OK &&
        (text.size != t->content.size || memcmp(text.data, t->content.data, text.size) != 0)) {
        status = ix_arena_strndup(arena, text.data, text.size, &copy, err);
        if (status == INOX_OK)
            t->normalized = (ix_text_view){ copy, text.size };
    }
    ix_mapped_release(&text);
    return status;
}

static bool same_flags(const ix_added_token *a, const ix_added_token *b)
{
    return a->single_word == b->single_word && a->lstrip == b->lstrip && a->rstrip == b->rstrip &&
           a->is_normalized == b->is_normalized && a->special == b->special;
}

static bool has_other_form(const ix_added_token *t)
{
    return t->normalized.size != t->content.size ||
           memcmp(t->normalized.data, t->content.data, t->content.size) != 0;
}

/* Gives ids, in the order of the file.  A spelling that comes again keeps its id, and what comes
 * later counts; `last`: the place of the last token of a spelling, which remembers for all. */
static inox_status number_tokens(ix_added *a, const ix_model *m, const ix_normalizer *n,
                                 inox_error *err)
{
    size_t next = ix_model_count(m), most = ix_model_id_end(m);
    most = (most > next ? most : next) + a->count;
    if (most > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has ids up to %zu, more than %d", most,
                       IX_MAX_VOCAB);
    IX_TRY(IX_ALLOC(&a->by_id, most, err));
    memset(a->by_id, -1, most * sizeof *a->by_id);
    for (size_t i = 0; i < a->count; i++) {
        ix_added_token *t = &a->tokens[i];
        int32_t last = ix_piece_find(&a->by_content, t->content.data, t->content.size);
        if (last < 0) /* an empty spelling */
            continue;
        int32_t id = a->tokens[last].id;
        if (id >= 0 && (size_t)last != i && a->by_id[id] >= 0 &&
            same_flags(&a->tokens[a->by_id[id]], t))
            continue;
        if (id < 0)
            id = ix_model_find(m, t->content.data, t->content.size);
        if (id < 0)
            id = (int32_t)next++;
        if (a->by_id[id] >= 0 && has_other_form(&a->tokens[a->by_id[id]]))
            t->normalized = a->tokens[a->by_id[id]].normalized; /* the library's cache has it */
        if (t->is_normalized && n)
            IX_TRY(normalize_token(&a->arena, n, t, err));
        t->id = a->tokens[last].id = id;
        if (t->special)
            a->special_texts[i] = t->content;
        a->by_id[id] = (int32_t)i;
        if ((size_t)id + 1 > a->id_end)
            a->id_end = (size_t)id + 1;
    }
    return INOX_OK;
}

/* Of several spellings that normalize to the same, the one with the least id is found. */
static inox_status fill_tries(ix_added *a, inox_error *err)
{
    size_t bytes[2] = { 0, 0 };
    for (size_t id = 0; id < a->id_end; id++) {
        const ix_added_token *t = ix_added_of(a, (int32_t)id);
        if (t)
            bytes[t->is_normalized] += t->is_normalized ? t->normalized.size : t->content.size;
    }
    for (int set = 0; set < 2; set++)
        IX_TRY(trie_new(&a->tries[set], bytes[set], err));
    for (size_t id = 0; id < a->id_end; id++) {
        const ix_added_token *t = ix_added_of(a, (int32_t)id);
        const ix_text_view *form = t && t->is_normalized ? &t->normalized : t ? &t->content : NULL;
        if (!form || form->size == 0)
            continue;
        trie_add(&a->tries[t->is_normalized], form, a->by_id[id]);
        a->longest = form->size > a->longest ? form->size : a->longest;
    }
    return INOX_OK;
}

static inox_status read_tokens(ix_added *a, const json_t *list, const ix_model *m,
                               const ix_normalizer *n, inox_error *err)
{
    size_t count = json_array_size(list);
    if (count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "%zu added tokens, more than %d", count, IX_MAX_VOCAB);
    IX_TRY(IX_ALLOC(&a->tokens, count, err));
    IX_TRY(IX_ALLOC(&a->contents, count, err));
    IX_TRY(IX_ALLOC(&a->special_texts, count, err));
    for (; a->count < count; a->count++) {
        IX_TRY(read_token(&a->arena, json_array_get(list, a->count), &a->tokens[a->count], err));
        a->contents[a->count] = a->tokens[a->count].content;
    }
    IX_TRY(ix_piece_table_new(&a->by_content, a->contents, count, err));
    IX_TRY(number_tokens(a, m, n, err));
    IX_TRY(ix_piece_table_new(&a->specials, a->special_texts, count, err));
    return fill_tries(a, err);
}

inox_status ix_added_from_json(const json_t *list, const ix_model *m, const ix_normalizer *n,
                               ix_added **out, inox_error *err)
{
    ix_added *a = NULL;
    *out = NULL;
    if (list && !json_is_null(list) && !json_is_array(list))
        return ix_fail(err, INOX_E_FORMAT, "'added_tokens' must be a list");
    IX_TRY(IX_ALLOC(&a, 1, err));
    inox_status status = read_tokens(a, list, m, n, err);
    if (status != INOX_OK) {
        ix_added_free(a);
        return status;
    }
    *out = a;
    return INOX_OK;
}

void ix_added_free(ix_added *a)
{
    if (!a)
        return;
    trie_release(&a->tries[0]);
    trie_release(&a->tries[1]);
    ix_piece_table_release(&a->by_content);
    ix_piece_table_release(&a->specials);
    ix_free(a->tokens);
    ix_free(a->contents);
    ix_free(a->special_texts);
    ix_free(a->by_id);
    ix_arena_release(&a->arena);
    ix_free(a);
}

/* ---- asking ---------------------------------------------------------------------------------- */

size_t ix_added_id_end(const ix_added *a)
{
    return a->id_end;
}

const ix_added_token *ix_added_of(const ix_added *a, int32_t id)
{
    if (id < 0 || (size_t)id >= a->id_end || a->by_id[id] < 0)
        return NULL;
    return &a->tokens[a->by_id[id]];
}

int32_t ix_added_find(const ix_added *a, const char *content, size_t size)
{
    int32_t last = ix_piece_find(&a->by_content, content, size);
    return last < 0 ? -1 : a->tokens[last].id;
}

bool ix_added_is_special(const ix_added *a, const char *text, size_t size)
{
    return ix_piece_find(&a->specials, text, size) >= 0;
}

size_t ix_added_longest(const ix_added *a)
{
    return a->longest;
}

bool ix_added_any(const ix_added *a, bool normalized)
{
    return a->tries[normalized].any;
}

/* ---- finding --------------------------------------------------------------------------------- */

/* The longest spelling that begins at text[at] and, if it is a special token's, ends by `border`;
 * -1: none. */
static int32_t match(const ix_added *a, const trie *t, const char *text, size_t size, size_t at,
                     size_t border, size_t *end)
{
    int32_t found = -1;
    uint32_t node = 0;
    for (size_t i = at; i < size; i++) {
        const ix_pair_slot *edge = ix_pair_find(&t->edges, node, (unsigned char)text[i]);
        if (!edge)
            break;
        node = (uint32_t)edge->id;
        int32_t token = t->tokens[node];
        if (token >= 0 && (i < border || !a->tokens[token].special)) {
            found = token;
            *end = i + 1;
        }
    }
    return found;
}

/* The character that ends at `at`, or begins there, is one of words (\w of Rust's regex). */
static bool is_word(uint32_t c)
{
    return (ix_normal_kind(c) & IX_NORMAL_WORD) != 0;
}

static size_t step_back(const char *text, size_t at, uint32_t *c)
{
    size_t from = at - 1;
    while (from > 0 && at - from < 4 && ((unsigned char)text[from] & 0xC0) == 0x80)
        from--;
    (void)ix_utf8_read(text + from, at - from, c);
    return from;
}

static bool is_single_word(const ix_added_search *s, size_t start, size_t end)
{
    uint32_t c;
    if (start > 0) {
        (void)step_back(s->text, start, &c);
        if (is_word(c))
            return false;
    }
    if (end < s->size) {
        (void)ix_utf8_read(s->text + end, s->size - end, &c);
        if (is_word(c))
            return false;
    }
    return true;
}

/* The start of the white space that ends at `at`, not before `from`. */
static size_t space_before(const ix_added_search *s, size_t at, size_t from)
{
    while (at > from) {
        uint32_t c;
        size_t before = step_back(s->text, at, &c);
        if (!(ix_unicode_properties(c) & IX_SPACE))
            break;
        at = before;
    }
    return at;
}

/* The end of the white space that begins at `at`; remembered, since the tokens found next may lie
 * inside it. */
static size_t space_behind(ix_added_search *s, size_t at)
{
    if (at >= s->space_start && at < s->space_end)
        return s->space_end;
    size_t end = at;
    while (end < s->size) {
        uint32_t c;
        size_t n = ix_utf8_read(s->text + end, s->size - end, &c);
        if (!(ix_unicode_properties(c) & IX_SPACE))
            break;
        end += n;
    }
    s->space_start = at;
    s->space_end = end;
    return end;
}

/* The next token from s->at on. */
static bool find(ix_added_search *s, ix_added_match *out)
{
    const ix_added *a = s->added;
    const trie *t = &a->tries[s->normalized];
    while (t->any) {
        size_t at = ix_first_find(&t->first, &s->first, s->text, s->at, s->size);
        size_t border = s->size, end = 0;
        s->at = at;
        if (at == s->size)
            return false;
        bool plain = s->plain && s->plain(s->context, at, &border);
        int32_t found = match(a, t, s->text, s->size, at, border, &end);
        if (found < 0) {
            s->at++;
            continue;
        }
        const ix_added_token *token = &a->tokens[found];
        s->at = end;
        if ((!s->parse_special || plain) &&
            ix_added_is_special(a, token->content.data, token->content.size))
            continue;
        if (token->single_word && !is_single_word(s, at, end))
            continue;
        *out = (ix_added_match){ token, at, end };
        return true;
    }
    return false;
}

bool ix_added_next(ix_added_search *s, ix_added_match *out)
{
    ix_added_match m;
    if (s->held.token) {
        *out = s->held;
        s->held.token = NULL;
        s->from = out->end;
        return true;
    }
    while (!s->ended && find(s, &m)) {
        if (m.token->lstrip) {
            size_t start = space_before(s, m.start, s->from);
            m.start = start > s->from ? start : s->from;
        }
        if (m.token->rstrip)
            m.end = space_behind(s, m.end);
        if (m.start > m.end) /* all of it is white space that is taken; the original panics here */
            continue;
        if (s->from < m.start) {
            s->held = m;
            *out = (ix_added_match){ NULL, s->from, m.start };
            return true;
        }
        *out = m;
        s->from = m.end;
        return true;
    }
    if (s->ended || s->from >= s->size)
        return false;
    s->ended = true;
    *out = (ix_added_match){ NULL, s->from, s->size };
    return true;
}
