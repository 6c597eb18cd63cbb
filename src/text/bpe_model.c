/* BPE as a model: options, symbols of a word, and where a long word may be cut.
 *
 *     word -> symbols (characters, bytes, byte tokens, unknown ones) -> stretches -> merged pieces
 *
 * Between two symbols that no merge can ever bring into one piece the word is cut: `borders` has
 * the pairs that stand side by side inside the parts of some merge.  So text without
 * pre-tokenizer, all one word, is worked on in stretches about as long as words.
 *
 * Offsets are those of tokenizers: lengths added up.  A character that is dropped (no unknown
 * token) has no length, an unknown one comes behind byte tokens that follow it.
 */
#include "text/model_parts.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/tokenizer.h"

#include <string.h>

enum { BORDER_BITS = 20, CUT_BEYOND = 24 /* bytes: shorter words are not looked at for cuts */ };

/* ---- merges ---------------------------------------------------------------------------------- */

typedef struct merge_pair {
    ix_text_view left, right;
} merge_pair;

/* "left right" in older files, ["left", "right"] in newer ones; all of one sort. */
static inox_status read_merge(const json_t *j, bool pairs, size_t n, merge_pair *out,
                              inox_error *err)
{
    if (pairs) {
        const json_t *left = json_array_get(j, 0), *right = json_array_get(j, 1);
        if (!json_is_string(left) || !json_is_string(right) || json_array_size(j) != 2)
            return ix_fail(err, INOX_E_FORMAT, "merge %zu is not a pair of tokens", n);
        out->left = (ix_text_view){ json_string_value(left), json_string_length(left) };
        out->right = (ix_text_view){ json_string_value(right), json_string_length(right) };
        return INOX_OK;
    }
    const char *text = json_string_value(j);
    size_t size = json_string_length(j);
    const char *space = text ? memchr(text, ' ', size) : NULL;
    if (!space || memchr(space + 1, ' ', size - (size_t)(space - text) - 1))
        return ix_fail(err, INOX_E_FORMAT, "merge %zu is not two tokens with a space between", n);
    out->left = (ix_text_view){ text, (size_t)(space - text) };
    out->right = (ix_text_view){ space + 1, size - out->left.size - 1 };
    return INOX_OK;
}

static inox_status out_of_vocabulary(ix_text_view piece, size_t n, inox_error *err)
{
    return ix_fail(err, INOX_E_FORMAT, "merge %zu has '%.*s', which is not in the vocabulary", n,
                   (int)(piece.size < 64 ? piece.size : 64), piece.data);
}

/* buffer: room for the longest piece */
static inox_status add_merge(ix_model *m, const merge_pair *pair, uint32_t rank, char *buffer,
                             inox_error *err)
{
    const ix_vocabulary *v = &m->vocabulary;
    ix_bpe_model *b = &m->bpe;
    size_t prefix = b->prefix.size, left = pair->left.size;
    int32_t l = ix_vocabulary_find(v, pair->left.data, left);
    int32_t r = ix_vocabulary_find(v, pair->right.data, pair->right.size);
    if (l < 0 || r < 0)
        return out_of_vocabulary(l < 0 ? pair->left : pair->right, rank, err);
    if (pair->right.size < prefix)
        return ix_fail(err, INOX_E_FORMAT,
                       "merge %u has a right part shorter than continuing_subword_prefix", rank);
    size_t right = pair->right.size - prefix;
    int32_t id = -1;
    if (left + right <= v->table.longest) {
        memcpy(buffer, pair->left.data, left);
        memcpy(buffer + left, pair->right.data + prefix, right);
        id = ix_vocabulary_find(v, buffer, left + right);
    }
    if (id < 0)
        return ix_fail(err, INOX_E_FORMAT,
                       "merge %u makes a token that is not in the vocabulary ('%.*s' and '%.*s')",
                       rank, (int)(left < 64 ? left : 64), pair->left.data,
                       (int)(right < 64 ? right : 64), pair->right.data + prefix);
    if (right == 0)
        ix_bpe_collapses(&b->bpe);
    ix_bpe_add(&b->bpe, l, r, rank, id, true);
    return INOX_OK;
}

static inox_status read_merges(ix_model *m, const json_t *merges, inox_error *err)
{
    size_t count = json_array_size(merges);
    uint32_t rank = 0;
    char *buffer = NULL;
    bool pairs = count == 0 || json_is_array(json_array_get(merges, 0));
    if (count > IX_MAX_GGUF_ARRAY)
        return ix_fail(err, INOX_E_LIMIT, "the model has %zu merges", count);
    IX_TRY(ix_bpe_new(&m->bpe.bpe, count, count, err));
    IX_TRY(IX_ALLOC(&buffer, m->vocabulary.table.longest + 1, err));
    inox_status status = INOX_OK;
    for (size_t i = 0; i < count && status == INOX_OK; i++) {
        const json_t *j = json_array_get(merges, i);
        merge_pair pair = { { NULL, 0 }, { NULL, 0 } };
        if (!pairs && json_is_string(j) && strncmp(json_string_value(j), "#version", 8) == 0)
            continue;
        status = read_merge(j, pairs, i, &pair, err);
        if (status == INOX_OK)
            status = add_merge(m, &pair, rank++, buffer, err);
    }
    ix_free(buffer);
    return status;
}

/* ---- where a word may be cut ---------------------------------------------------------------- */

static inline uint32_t border_hash(int32_t left, int32_t right)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    return (uint32_t)(key * 0x9E3779B97F4A7C15u >> (64 - BORDER_BITS));
}

/* first[id], last[id]: the symbols at the edges of what a merge makes.  A symbol that a word may
 * begin with has itself.  No borders are known where merges make such a symbol. */
static bool find_edges(const ix_bpe_model *b, int32_t *first, int32_t *last,
                       const ix_pair_slot **by_rank)
{
    for (size_t i = 0; i <= b->bpe.pairs.mask; i++) {
        const ix_pair_slot *s = &b->bpe.pairs.slots[i];
        if (s->key != UINT64_MAX)
            by_rank[s->rank] = s;
    }
    for (size_t rank = 0; rank < b->bpe.rank_count; rank++) {
        const ix_pair_slot *s = by_rank[rank];
        if (!s)
            continue;
        size_t left = s->key >> 32, right = (uint32_t)s->key, id = (size_t)s->id;
        first[left] = first[left] < 0 ? (int32_t)left : first[left];
        last[left] = last[left] < 0 ? (int32_t)left : last[left];
        first[right] = first[right] < 0 ? (int32_t)right : first[right];
        last[right] = last[right] < 0 ? (int32_t)right : last[right];
        if ((first[id] >= 0 && first[id] != first[left]) ||
            (last[id] >= 0 && last[id] != last[right]))
            return false;
        first[id] = first[left];
        last[id] = last[right];
    }
    return true;
}

/* After the symbols are known, of which `first` and `last` already tell. */
static inox_status find_borders(ix_model *m, int32_t *first, int32_t *last, inox_error *err)
{
    ix_bpe_model *b = &m->bpe;
    const ix_pair_slot **by_rank = NULL;
    IX_TRY(IX_ALLOC(&by_rank, b->bpe.rank_count, err));
    inox_status status = INOX_OK;
    if (!b->bpe.keeps_stale && find_edges(b, first, last, by_rank))
        status = IX_ALLOC(&b->borders, (size_t)1 << (BORDER_BITS - 6), err);
    for (size_t rank = 0; rank < b->bpe.rank_count && b->borders; rank++) {
        const ix_pair_slot *s = by_rank[rank];
        if (!s)
            continue;
        uint32_t h = border_hash(last[s->key >> 32], first[(uint32_t)s->key]);
        b->borders[h >> 6] |= (uint64_t)1 << (h & 63);
    }
    ix_free(by_rank);
    return status;
}

/* Whether a piece is one character, with the prefix of continuing pieces and the suffix of the last
 * or without them. */
static bool is_character(const ix_bpe_model *b, ix_text_view p)
{
    for (int with = 0; with < 4; with++) {
        ix_text_view prefix = with & 1 ? b->prefix : (ix_text_view){ "", 0 };
        ix_text_view suffix = with & 2 ? b->suffix : (ix_text_view){ "", 0 };
        size_t around = prefix.size + suffix.size, n = p.size - around;
        if (p.size > around && ix_chunk(p.data + prefix.size, n) == n &&
            memcmp(p.data, prefix.data, prefix.size) == 0 &&
            memcmp(p.data + p.size - suffix.size, suffix.data, suffix.size) == 0)
            return true;
    }
    return false;
}

/* Pieces of one character are symbols; so are byte tokens and the unknown token. */
static inox_status find_symbols(ix_model *m, inox_error *err)
{
    ix_bpe_model *b = &m->bpe;
    const ix_vocabulary *v = &m->vocabulary;
    int32_t *first = NULL, *last = NULL;
    IX_TRY(ix_pair_table_new(&b->bpe.symbols, v->entries, err));
    IX_TRY(IX_ALLOC(&first, v->id_end, err));
    inox_status status = IX_ALLOC(&last, v->id_end, err);
    if (status == INOX_OK && v->id_end > 0) {
        memset(first, -1, v->id_end * sizeof *first);
        memset(last, -1, v->id_end * sizeof *last);
    }
    for (size_t i = 0; i < v->entries && status == INOX_OK; i++) {
        ix_text_view p = v->pieces[i];
        if (!p.data || p.size == 0 || !is_character(b, p))
            continue;
        int32_t id = ix_vocabulary_find(v, p.data, p.size);
        first[id] = last[id] = id;
        if (ix_chunk(p.data, p.size) != p.size)
            continue;
        uint32_t packed = 0;
        for (size_t k = 0; k < p.size; k++)
            packed = packed << 8 | (unsigned char)p.data[k];
        (void)ix_pair_add(&b->bpe.symbols, packed, (uint32_t)p.size, 0, id);
    }
    for (int i = 0; i < 257 && status == INOX_OK; i++) {
        int32_t id = i < 256 ? b->byte_ids[i] : b->unknown;
        if (id >= 0)
            first[id] = last[id] = id;
    }
    if (status == INOX_OK)
        status = find_borders(m, first, last, err);
    ix_free(first);
    ix_free(last);
    return status;
}

/* Where `composed` has an ASCII character that is the first, the last, both or neither. */
static inline size_t composed_index(bool first, bool last, unsigned char c)
{
    return (first ? 256u : 0u) + (last ? 128u : 0u) + c;
}

static inox_status compose_ascii(ix_model *m, inox_error *err)
{
    ix_bpe_model *b = &m->bpe;
    size_t prefix = b->prefix.size, suffix = b->suffix.size;
    char *buffer = NULL;
    if (prefix + suffix == 0)
        return INOX_OK;
    IX_TRY(IX_ALLOC(&b->composed, 512, err));
    IX_TRY(IX_ALLOC(&buffer, prefix + 1 + suffix, err));
    memcpy(buffer, b->prefix.data, prefix);
    memcpy(buffer + prefix + 1, b->suffix.data, suffix);
    for (size_t i = 0; i < 512; i++) {
        bool first = i >= 256, last = i / 128 % 2 != 0;
        buffer[prefix] = (char)(i % 128);
        const char *from = first ? buffer + prefix : buffer;
        size_t n = (first ? 0 : prefix) + 1 + (last ? suffix : 0);
        b->composed[i] = ix_vocabulary_find(&m->vocabulary, from, n);
    }
    ix_free(buffer);
    return INOX_OK;
}

/* ---- making ---------------------------------------------------------------------------------- */

static inox_status read_dropout(ix_bpe_model *b, const json_t *dropout, inox_error *err)
{
    if (!dropout || json_is_null(dropout))
        return INOX_OK;
    double p = json_is_number(dropout) ? json_number_value(dropout) : -1;
    if (!(p >= 0 && p <= 1))
        return ix_fail(err, INOX_E_FORMAT, "the model's dropout is not a number from 0 to 1");
    if (p > 0 && p < 1)
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "the model drops merges at random (dropout %g), so that no two runs agree: "
                       "set dropout to null or 0 for encoding",
                       p);
    b->no_merges = p >= 1;
    return INOX_OK;
}

static inox_status keep_strings(ix_model *m, ix_text_view prefix, ix_text_view suffix,
                                inox_error *err)
{
    IX_TRY(IX_ALLOC(&m->strings, prefix.size + suffix.size + 1, err));
    if (prefix.size > 0)
        memcpy(m->strings, prefix.data, prefix.size);
    if (suffix.size > 0)
        memcpy(m->strings + prefix.size, suffix.data, suffix.size);
    m->bpe.prefix = (ix_text_view){ m->strings, prefix.size };
    m->bpe.suffix = (ix_text_view){ m->strings + prefix.size, suffix.size };
    return INOX_OK;
}

inox_status ix_bpe_model_read(ix_model *m, const json_t *j, inox_error *err)
{
    ix_bpe_model *b = &m->bpe;
    ix_text_view unknown, prefix, suffix;
    const json_t *merges = json_object_get(j, "merges");
    if (!json_is_array(merges))
        return ix_fail(err, INOX_E_FORMAT, "the model's merges are not an array");
    IX_TRY(read_dropout(b, json_object_get(j, "dropout"), err));
    IX_TRY(ix_model_read_string(j, "unk_token", true, &unknown, err));
    IX_TRY(ix_model_read_string(j, "continuing_subword_prefix", true, &prefix, err));
    IX_TRY(ix_model_read_string(j, "end_of_word_suffix", true, &suffix, err));
    IX_TRY(ix_model_read_flag(j, "fuse_unk", &b->fuse_unknown, err));
    IX_TRY(ix_model_read_flag(j, "byte_fallback", &b->byte_fallback, err));
    IX_TRY(ix_model_read_flag(j, "ignore_merges", &b->ignore_merges, err));
    IX_TRY(keep_strings(m, prefix, suffix, err));
    IX_TRY(ix_model_read_vocabulary(m, j, err));
    IX_TRY(read_merges(m, merges, err));
    b->has_unknown = unknown.data != NULL;
    b->unknown =
        b->has_unknown ? ix_vocabulary_find(&m->vocabulary, unknown.data, unknown.size) : -1;
    memset(b->byte_ids, -1, sizeof b->byte_ids);
    if (b->byte_fallback)
        (void)ix_model_find_bytes(&m->vocabulary, b->byte_ids);
    IX_TRY(compose_ascii(m, err));
    return find_symbols(m, err);
}

void ix_bpe_model_release(ix_bpe_model *b)
{
    ix_bpe_release(&b->bpe);
    ix_trie_release(&b->user_trie);
    ix_free(b->borders);
    ix_free(b->composed);
    ix_free(b->types);
}

/* ---- a word ---------------------------------------------------------------------------------- */

typedef struct run {
    const ix_model *m;
    const ix_bpe_model *b;
    ix_model_scratch *s;
    const char *text;
    size_t at, end;      /* where the next symbol stands, by lengths added up; end of the word */
    bool cut;            /* borders are looked at */
    size_t unknown_size; /* of an unknown symbol that waits; 0: none */
    ix_token_list *out;
    inox_error *err;
} run;

static inox_status flush(run *r)
{
    ix_word *w = &r->s->word;
    if (!r->b->no_merges)
        IX_TRY(ix_word_merge(&r->b->bpe, w, r->err));
    IX_TRY(ix_token_list_reserve(r->out, w->count, r->err));
    for (size_t i = 0; i < w->count; i++) {
        const ix_symbol *s = &w->symbols[i];
        r->out->items[r->out->count++] = (ix_token){ s->id, s->at, s->at + s->size };
    }
    w->count = 0;
    return INOX_OK;
}

static inox_status add(run *r, int32_t id, size_t size)
{
    ix_word *w = &r->s->word;
    if (r->cut && w->count > 0) {
        uint32_t h = border_hash(w->symbols[w->count - 1].id, id);
        if (!(r->b->borders[h >> 6] >> (h & 63) & 1))
            IX_TRY(flush(r));
    }
    IX_TRY(ix_word_add(w, (uint32_t)r->at, (uint32_t)size, id, r->err));
    r->at += size;
    return INOX_OK;
}

static inox_status add_unknown(run *r)
{
    size_t size = r->unknown_size;
    r->unknown_size = 0;
    return size > 0 ? add(r, r->b->unknown, size) : INOX_OK;
}

/* The character text[at..at + n) with the prefix of continuing pieces and the last one's suffix. */
static inox_status compose(run *r, size_t at, size_t n, bool first, bool last, ix_text_view *out)
{
    ix_model_scratch *s = r->s;
    size_t prefix = first ? 0 : r->b->prefix.size, suffix = last ? r->b->suffix.size : 0;
    *out = (ix_text_view){ r->text + at, n };
    if (prefix == 0 && suffix == 0)
        return INOX_OK;
    if (prefix + n + suffix > s->composed_capacity) {
        size_t capacity = prefix + n + suffix + 64;
        IX_TRY(IX_REALLOC(&s->composed, capacity, r->err));
        s->composed_capacity = capacity;
    }
    if (prefix > 0)
        memcpy(s->composed, r->b->prefix.data, prefix);
    memcpy(s->composed + prefix, r->text + at, n);
    if (suffix > 0)
        memcpy(s->composed + prefix + n, r->b->suffix.data, suffix);
    *out = (ix_text_view){ s->composed, prefix + n + suffix };
    return INOX_OK;
}

/* A character of n bytes that is no piece. */
static inox_status fall_back(run *r, ix_text_view symbol, size_t n)
{
    const ix_bpe_model *b = r->b;
    bool bytes = b->byte_fallback;
    for (size_t i = 0; i < symbol.size && bytes; i++)
        bytes = b->byte_ids[(unsigned char)symbol.data[i]] >= 0;
    for (size_t i = 0; i < symbol.size && bytes; i++)
        IX_TRY(add(r, b->byte_ids[(unsigned char)symbol.data[i]], 1));
    if (bytes || !b->has_unknown)
        return INOX_OK;
    if (r->unknown_size > 0 && !b->fuse_unknown)
        IX_TRY(add_unknown(r));
    else if (r->unknown_size > 0) {
        r->unknown_size += n;
        return INOX_OK;
    }
    if (b->unknown < 0)
        return ix_fail(r->err, INOX_E_FORMAT,
                       "the text has a character that is no token, and the unknown token "
                       "(unk_token) is not in the vocabulary");
    r->unknown_size = n;
    return INOX_OK;
}

static inox_status tokenize_characters(run *r, size_t start)
{
    const ix_bpe_model *b = r->b;
    bool plain = b->prefix.size == 0 && b->suffix.size == 0;
    for (size_t at = start, n; at < r->end; at += n) {
        n = ix_chunk(r->text + at, r->end - at);
        ix_text_view symbol = { r->text + at, n };
        int32_t id;
        if (plain) {
            id = ix_bpe_symbol(&b->bpe, symbol.data, n);
        } else {
            unsigned char c = (unsigned char)*symbol.data;
            bool first = at == start, last = at + n == r->end;
            id = c < 128 ? b->composed[composed_index(first, last, c)] : -1;
            if (id < 0) {
                IX_TRY(compose(r, at, n, first, last, &symbol));
                id = ix_vocabulary_find(&r->m->vocabulary, symbol.data, symbol.size);
            }
        }
        if (id < 0) {
            IX_TRY(fall_back(r, symbol, n));
            continue;
        }
        if (r->unknown_size > 0)
            IX_TRY(add_unknown(r));
        IX_TRY(add(r, id, n));
    }
    IX_TRY(add_unknown(r));
    return flush(r);
}

/* ---- bytes with ranks ------------------------------------------------------------------------ */

static inox_status tokenize_bytes(run *r, size_t start)
{
    for (size_t at = start; at < r->end; at++) {
        int32_t id = r->b->byte_ids[(unsigned char)r->text[at]];
        if (id < 0)
            return ix_fail_at(r->err, INOX_E_FORMAT, at,
                              "byte 0x%02X is no token of the vocabulary",
                              (unsigned char)r->text[at]);
        IX_TRY(add(r, id, 1));
    }
    return flush(r);
}

/* Marks the symbols that stand side by side in a piece. */
static inox_status borders_of_pieces(ix_model *m, const uint32_t *order, bool bytes,
                                     inox_error *err)
{
    ix_bpe_model *b = &m->bpe;
    const ix_vocabulary *v = &m->vocabulary;
    IX_TRY(IX_ALLOC(&b->borders, (size_t)1 << (BORDER_BITS - 6), err));
    for (size_t i = 0; i < v->entries; i++) {
        ix_text_view p = v->pieces[i];
        if (!p.data || p.size == 0 || order[i] == UINT32_MAX)
            continue;
        size_t n = bytes ? 1 : ix_chunk(p.data, p.size);
        int32_t left = ix_bpe_symbol(&b->bpe, p.data, n);
        for (size_t at = n; at < p.size; at += n) {
            n = bytes ? 1 : ix_chunk(p.data + at, p.size - at);
            int32_t right = ix_bpe_symbol(&b->bpe, p.data + at, n);
            uint32_t h = border_hash(left, right);
            b->borders[h >> 6] |= (uint64_t)1 << (h & 63);
            left = right;
        }
    }
    return INOX_OK;
}

static inox_status make_ranks(ix_model *m, const ix_text_view *pieces, size_t count,
                              int32_t first_id, inox_error *err)
{
    ix_bpe_model *b = &m->bpe;
    ix_entry *entries = NULL;
    uint32_t *order = NULL;
    size_t n = 0;
    IX_TRY(IX_ALLOC(&entries, count, err));
    for (size_t i = 0; i < count; i++)
        if (pieces[i].data && pieces[i].size > 0)
            entries[n++] = (ix_entry){ pieces[i], first_id + (int32_t)i };
    inox_status status = ix_vocabulary_new(&m->vocabulary, entries, n, err);
    ix_free(entries);
    IX_TRY(status);
    size_t end = m->vocabulary.id_end;
    IX_TRY(IX_ALLOC(&order, end, err));
    for (size_t id = 0; id < end; id++)
        order[id] = m->vocabulary.pieces[id].data ? (uint32_t)id : UINT32_MAX;
    status = ix_bpe_from_pieces(&b->bpe, &m->vocabulary.table, end, order, end, true, err);
    if (status == INOX_OK)
        status = borders_of_pieces(m, order, true, err);
    ix_free(order);
    b->ranks = b->ignore_merges = true;
    b->unknown = -1;
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        b->byte_ids[byte] = ix_vocabulary_find(&m->vocabulary, &c, 1);
    }
    return status;
}

/* ---- SentencePiece --------------------------------------------------------------------------- */

enum { APART_DEPTH_MAX = 100 /* SentencePiece lets a piece be that is deeper inside others */ };

static inox_status add_unknown_piece(run *r, size_t start, size_t end)
{
    const ix_bpe_model *b = r->b;
    if (b->byte_fallback) {
        for (size_t i = start; i < end; i++)
            IX_TRY(ix_token_list_add(r->out, b->byte_ids[(unsigned char)r->text[i]], start,
                                     i + 1 == end ? end : start, r->err));
    } else if (r->unknown_size > 0) {
        r->out->items[r->out->count - 1].end = (uint32_t)end;
    } else {
        IX_TRY(ix_token_list_add(r->out, b->unknown, start, end, r->err));
    }
    r->unknown_size = 1;
    return INOX_OK;
}

static int32_t used_piece(const run *r, int32_t id)
{
    uint8_t type = id >= 0 && (size_t)id < r->m->vocabulary.id_end ? r->b->types[id] : 0;
    return type == IX_PIECE_NORMAL || type == IX_PIECE_USER || type == IX_PIECE_UNUSED ? id : -1;
}

/* A merged piece; an unused one comes apart as it was last put together.  `waiting` holds the ends
 * of the parts that wait and how deep they are; there are never more of them than bytes. */
static inox_status add_piece(run *r, int32_t id, size_t at, size_t size)
{
    ix_model_scratch *s = r->s;
    size_t count = 0, end = at + size;
    uint32_t depth = 0;
    for (;;) {
        id = used_piece(r, id);
        bool unused = id >= 0 && r->b->types[id] == IX_PIECE_UNUSED && depth <= APART_DEPTH_MAX;
        uint32_t left = unused ? s->word.splits[id] : 0;
        if (left > 0 && left < end - at) {
            if (count + 2 > s->waiting_capacity) {
                IX_TRY(IX_REALLOC(&s->waiting, count * 2 + 64, r->err));
                s->waiting_capacity = count * 2 + 64;
            }
            s->waiting[count++] = (uint32_t)end;
            s->waiting[count++] = ++depth;
            end = at + left;
        } else {
            if (id < 0 || unused) {
                IX_TRY(add_unknown_piece(r, at, end));
            } else {
                IX_TRY(ix_token_list_add(r->out, id, at, end, r->err));
                r->unknown_size = 0;
            }
            if (count == 0)
                return INOX_OK;
            at = end;
            depth = s->waiting[--count];
            end = s->waiting[--count];
        }
        id = ix_vocabulary_find(&r->m->vocabulary, r->text + at, end - at);
    }
}

static inox_status flush_pieces(run *r)
{
    ix_word *w = &r->s->word;
    IX_TRY(ix_word_merge(&r->b->bpe, w, r->err));
    for (size_t i = 0; i < w->count; i++) {
        const ix_symbol *s = &w->symbols[i];
        if (w->splits || used_piece(r, s->id) < 0) {
            IX_TRY(add_piece(r, s->id, s->at, s->size));
        } else {
            IX_TRY(ix_token_list_add(r->out, s->id, s->at, s->at + s->size, r->err));
            r->unknown_size = 0;
        }
    }
    w->count = 0;
    return INOX_OK;
}

/* The longest user-defined piece that text[at..end) begins with: its bytes, or 0. */
static size_t match_user(const run *r, size_t at, int32_t *id)
{
    const ix_trie *t = &r->b->user_trie;
    uint32_t node = 0;
    size_t size = 0;
    for (size_t i = at; i < r->end; i++) {
        node = ix_trie_step(t, node, r->text[i]);
        if (node == IX_TRIE_NONE)
            break;
        if (t->nodes[node].value >= 0) {
            *id = t->nodes[node].value;
            size = i + 1 - at;
        }
    }
    return size;
}

/* Symbols from *at on, merged where a border comes, up to `stop` and then to a place where none
 * waits: *at.  A user-defined piece may reach across `stop`. */
static inox_status tokenize_symbols(run *r, size_t *at, size_t stop)
{
    const ix_bpe_model *b = r->b;
    ix_word *w = &r->s->word;
    while (*at < r->end && *at != stop && (*at < stop || w->count > 0)) {
        int32_t id = -1;
        size_t n = b->users > 0 ? match_user(r, *at, &id) : 0;
        if (n > 0) {
            IX_TRY(flush_pieces(r));
            IX_TRY(ix_token_list_add(r->out, id, *at, *at + n, r->err));
            r->unknown_size = 0;
            *at += n;
            continue;
        }
        n = ix_chunk(r->text + *at, r->end - *at);
        id = ix_bpe_symbol(&b->bpe, r->text + *at, n);
        if (b->borders && w->count > 0) {
            uint32_t h = border_hash(w->symbols[w->count - 1].id, id);
            if (!(b->borders[h >> 6] >> (h & 63) & 1))
                IX_TRY(flush_pieces(r));
        }
        IX_TRY(ix_word_add(w, (uint32_t)*at, (uint32_t)n, id, r->err));
        *at += n;
    }
    return flush_pieces(r);
}

/* Where the word that begins at `at` ends: spaces (U+2581) and then what is none.  *users: a
 * user-defined piece may begin in it. */
static size_t word_end(const run *r, size_t at, bool *users)
{
    const char *p = r->text;
    const bool *first = r->b->user_first;
    bool spaces = true;
    *users = false;
    while (at < r->end) {
        bool space =
            p[at] == '\xE2' && r->end - at >= 3 && p[at + 1] == '\x96' && p[at + 2] == '\x81';
        if (space && !spaces)
            break;
        *users = *users || first[(unsigned char)p[at]];
        spaces = space;
        at += space ? 3 : 1;
    }
    return at;
}

/* The tokens of a word, from `first` in the list on, where they are ordinary ones side by side. */
static void remember_word(run *r, size_t first, size_t start, size_t end, ix_cache_key key,
                          ix_cache_slot *line)
{
    const ix_token *tokens = r->out->items + first;
    size_t count = r->out->count - first, at = start;
    ix_cached cached[IX_CACHED_TOKENS];
    if (count == 0 || count > IX_CACHED_TOKENS)
        return;
    for (size_t k = 0; k < count; k++) {
        if (tokens[k].start != at || used_piece(r, tokens[k].id) < 0)
            return;
        at = tokens[k].end;
        cached[k] =
            (ix_cached){ tokens[k].id, (uint8_t)(tokens[k].start - start), (uint8_t)(at - start) };
    }
    if (at == end)
        ix_cache_put(line, key, cached, count);
}

/* A word that nothing joins to its neighbours, by way of the cache. */
static inox_status tokenize_word(run *r, size_t *at, size_t end)
{
    size_t start = *at, size = end - start, first = r->out->count;
    if (size > IX_CACHED_BYTES)
        return tokenize_symbols(r, at, end);
    ix_cache_key key = ix_cache_key_of(r->text + start, size, 1, r->end - start >= 16);
    ix_cache_slot *line = ix_cache_line(&r->s->cache, key);
    const ix_cache_slot *known = ix_cache_find(line, key);
    if (!known) {
        IX_TRY(tokenize_symbols(r, at, end));
        if (*at == end)
            remember_word(r, first, start, end, key, line);
        return INOX_OK;
    }
    IX_TRY(ix_token_list_add_cached(r->out, known, start, end, r->err));
    r->unknown_size = 0;
    *at = end;
    return INOX_OK;
}

static inox_status tokenize_pieces(run *r, size_t start)
{
    size_t at = start;
    if (!r->b->words)
        return tokenize_symbols(r, &at, r->end);
    while (at < r->end) {
        bool users;
        size_t end = word_end(r, at, &users);
        if (users)
            IX_TRY(tokenize_symbols(r, &at, end));
        else
            IX_TRY(tokenize_word(r, &at, end));
    }
    return INOX_OK;
}

static inox_status find_users(ix_model *m, inox_error *err)
{
    const ix_vocabulary *v = &m->vocabulary;
    int32_t *ids = NULL;
    IX_TRY(IX_ALLOC(&ids, v->entries, err));
    for (size_t i = 0; i < v->entries; i++) {
        bool user = m->bpe.types[i] == IX_PIECE_USER;
        ids[i] = user ? (int32_t)i : -1;
        m->bpe.users += user;
    }
    inox_status status = ix_trie_new(&m->bpe.user_trie, v->pieces, ids, v->entries, err);
    ix_free(ids);
    for (int c = 0; c < 256 && status == INOX_OK; c++)
        m->bpe.user_first[c] = ix_trie_step(&m->bpe.user_trie, 0, (char)c) != IX_TRIE_NONE;
    return status;
}

/* A number that is smaller for a score that merges earlier.  SentencePiece compares the bits of its
 * floats (0.2.3, SymbolPairComparator), so that -0 comes behind 0 and not-a-number before all. */
static uint32_t order_of_bits(float score)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    uint32_t order = bits & 0x80000000 ? bits : 0x7FFFFFFF - bits;
    return order < UINT32_MAX ? order : UINT32_MAX - 1;
}

/* The rank of every piece, and what else is told by scores and types. */
static inox_status order_pieces(ix_model *m, const ix_piece_source *s, bool merge, uint32_t *order,
                                size_t *ranks, inox_error *err)
{
    ix_bpe_model *b = &m->bpe;
    IX_TRY(IX_ALLOC(&b->types, s->count, err));
    for (size_t i = 0; i < s->count; i++) {
        uint8_t type = s->types ? s->types[i] : IX_PIECE_NORMAL;
        bool merges =
            merge && (type == IX_PIECE_NORMAL || type == IX_PIECE_USER || type == IX_PIECE_UNUSED);
        b->types[i] = type;
        b->has_unused = b->has_unused || type == IX_PIECE_UNUSED;
        order[i] = merges ? order_of_bits(s->scores ? s->scores[i] : 0) : UINT32_MAX;
    }
    return ix_bpe_make_dense(order, s->count, ranks, err);
}

/* Whether a space (U+2581) is only ever at the beginning of pieces that merge, or behind others. */
static bool merges_words(const ix_model *m, const uint32_t *order)
{
    const ix_vocabulary *v = &m->vocabulary;
    for (size_t i = 0; i < v->entries; i++) {
        ix_text_view p = v->pieces[i];
        bool spaces = true;
        for (size_t k = 0; p.data && order[i] != UINT32_MAX && k < p.size;) {
            bool space = p.size - k >= 3 && memcmp(p.data + k, "\xE2\x96\x81", 3) == 0;
            if (space && !spaces)
                return false;
            spaces = space;
            k += space ? 3 : 1;
        }
    }
    return true;
}

static inox_status make_pieces(ix_model *m, const ix_piece_source *s, bool merge, uint32_t *order,
                               ix_entry *entries, inox_error *err)
{
    ix_bpe_model *b = &m->bpe;
    size_t ranks;
    for (size_t i = 0; i < s->count; i++)
        entries[i] = (ix_entry){ s->pieces[i], (int32_t)i };
    IX_TRY(ix_vocabulary_new(&m->vocabulary, entries, s->count, err));
    IX_TRY(order_pieces(m, s, merge, order, &ranks, err));
    IX_TRY(find_users(m, err));
    IX_TRY(ix_bpe_from_pieces(&b->bpe, &m->vocabulary.table, s->count, order, ranks, false, err));
    if (!b->has_unused) {
        IX_TRY(borders_of_pieces(m, order, false, err));
        b->words = merges_words(m, order);
    }
    b->sentencepiece = true;
    b->unknown = s->unknown;
    b->byte_fallback = s->byte_fallback;
    bool bytes = ix_model_find_bytes(&m->vocabulary, b->byte_ids);
    if (s->byte_fallback && !bytes)
        return ix_fail(err, INOX_E_FORMAT, "the vocabulary lacks some of the 256 byte pieces");
    if (!s->byte_fallback && (s->unknown < 0 || (size_t)s->unknown >= s->count))
        return ix_fail(err, INOX_E_FORMAT, "the vocabulary has no unknown piece");
    return INOX_OK;
}

/* ---- making from arrays ------------------------------------------------------------------- */

inox_status ix_model_new_ranks(const ix_text_view *pieces, size_t count, int32_t first_id,
                               ix_model **out, inox_error *err)
{
    ix_model *m = NULL;
    *out = NULL;
    if (first_id < 0 || count > (size_t)(IX_MAX_VOCAB - first_id))
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has more than %d ids", IX_MAX_VOCAB);
    IX_TRY(ix_model_alloc(IX_MODEL_BPE, &m, err));
    inox_status status = make_ranks(m, pieces, count, first_id, err);
    if (status != INOX_OK) {
        ix_model_free(m);
        return status;
    }
    *out = m;
    return INOX_OK;
}

inox_status ix_model_new_sentencepiece_bpe(const ix_piece_source *source, bool merge,
                                           ix_model **out, inox_error *err)
{
    ix_model *m = NULL;
    ix_entry *entries = NULL;
    uint32_t *order = NULL;
    *out = NULL;
    if (source->count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has %zu pieces, more than %d",
                       source->count, IX_MAX_VOCAB);
    IX_TRY(ix_model_alloc(IX_MODEL_BPE, &m, err));
    inox_status status = IX_ALLOC(&entries, source->count, err);
    if (status == INOX_OK)
        status = IX_ALLOC(&order, source->count, err);
    if (status == INOX_OK)
        status = make_pieces(m, source, merge, order, entries, err);
    ix_free(entries);
    ix_free(order);
    if (status != INOX_OK) {
        ix_model_free(m);
        return status;
    }
    *out = m;
    return INOX_OK;
}

/* ---- tokenizing --------------------------------------------------------------------------- */

inox_status ix_bpe_model_tokenize(const ix_model *m, ix_model_scratch *s, const char *text,
                                  size_t start, size_t end, ix_token_list *out, inox_error *err)
{
    const ix_bpe_model *b = &m->bpe;
    run r = { .m = m, .b = b, .s = s, .text = text, .at = start, .end = end, .out = out };
    r.err = err;
    r.cut = b->borders && end - start > CUT_BEYOND;
    s->word.count = 0;
    if (start == end)
        return INOX_OK;
    if (b->sentencepiece)
        return tokenize_pieces(&r, start);
    if (b->ignore_merges && !b->no_merges) {
        int32_t id = ix_vocabulary_find(&m->vocabulary, text + start, end - start);
        if (id >= 0)
            return ix_token_list_add(out, id, start, end, err);
    }
    return b->ranks ? tokenize_bytes(&r, start) : tokenize_characters(&r, start);
}
