/* Making a tokenizer from the arrays of a GGUF file, and asking it about its pieces. */
#include "text/gguf.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/spm.h"
#include "text/unicode.h"
#include "text/wordpiece_json.h"

#include <string.h>

/* ---- GPT-2's alphabet of bytes --------------------------------------------------------------- */

/* Printable Latin-1 characters stand for themselves, the other bytes, ascending, for U+0100 on. */
static bool stands_for_itself(uint32_t b)
{
    return (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
}

/* byte of each character below U+0144, or -1 */
typedef struct alphabet {
    int16_t byte[0x144];
} alphabet;

static void alphabet_init(alphabet *a)
{
    uint32_t next = 0x100;
    memset(a->byte, -1, sizeof a->byte);
    for (int b = 0; b < 256; b++) {
        if (stands_for_itself((uint32_t)b))
            a->byte[b] = (int16_t)b;
        else
            a->byte[next++] = (int16_t)b;
    }
}

/* Writes the bytes that `piece` spells and their number (never more than piece->size); false
 * where a character is not of the alphabet. */
static bool spell(const alphabet *a, const char *piece, size_t size, char *out, size_t *n)
{
    *n = 0;
    for (size_t at = 0; at < size;) {
        uint32_t c;
        at += ix_utf8_read(piece + at, size - at, &c);
        if (c >= 0x144 || a->byte[c] < 0)
            return false;
        out[(*n)++] = (char)a->byte[c];
    }
    return true;
}

/* ---- making -------------------------------------------------------------------------------- */

static inox_status copy_pieces(ix_gguf_tokenizer *t, const ix_vocab_source *s, inox_error *err)
{
    if (s->count == 0 || !s->pieces)
        return ix_fail(err, INOX_E_FORMAT, "the vocabulary has no tokens");
    if (s->count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has %zu tokens, more than %d", s->count,
                       IX_MAX_VOCAB);
    t->base.count = s->count;
    IX_TRY(IX_ALLOC(&t->pieces, s->count, err));
    IX_TRY(IX_ALLOC(&t->bytes, s->count, err));
    IX_TRY(IX_ALLOC(&t->types, s->count, err));
    for (size_t i = 0; i < s->count; i++) {
        if (s->pieces[i].size > IX_MAX_GGUF_STRING)
            return ix_fail(err, INOX_E_LIMIT, "token %zu has %zu bytes, more than %llu", i,
                           s->pieces[i].size, (unsigned long long)IX_MAX_GGUF_STRING);
        t->pieces[i] = s->pieces[i];
        int32_t type = s->types ? s->types[i] : IX_PIECE_NORMAL;
        t->types[i] =
            (uint8_t)(type >= IX_PIECE_NORMAL && type <= IX_PIECE_BYTE ? type : IX_PIECE_NORMAL);
    }
    return INOX_OK;
}

/* t->bytes for pieces in GPT-2's alphabet. */
static inox_status spell_pieces(ix_gguf_tokenizer *t, const alphabet *a, inox_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < t->base.count; i++)
        total += t->pieces[i].size;
    IX_TRY(IX_ALLOC(&t->store, total + 1, err));
    char *out = t->store;
    for (size_t i = 0; i < t->base.count; i++) {
        size_t n;
        if (t->pieces[i].size == 0 || !spell(a, t->pieces[i].data, t->pieces[i].size, out, &n))
            continue;
        t->bytes[i] = (ix_text_view){ out, n };
        out += n;
    }
    return INOX_OK;
}

/* A byte's token: a piece of type byte; or what is spelled so, where the types are missing. */
static void find_bytes(ix_gguf_tokenizer *t)
{
    for (int b = 0; b < 256; b++) {
        char byte = (char)b;
        t->byte_ids[b] = t->kind == IX_BYTE_BPE ? ix_piece_find(&t->table, &byte, 1) : -1;
    }
    if (t->kind == IX_BYTE_BPE)
        return;
    bool typed = false;
    for (size_t i = 0; i < t->base.count && !typed; i++)
        typed = t->types[i] == IX_PIECE_BYTE;
    for (size_t i = 0; i < t->base.count; i++) {
        int b = !typed || t->types[i] == IX_PIECE_BYTE ? ix_byte_of_piece(&t->pieces[i]) : -1;
        if (b < 0)
            continue;
        t->byte_ids[b] = (int32_t)i;
        t->byte_fallback = true;
    }
}

static inox_status add_merges(ix_gguf_tokenizer *t, const ix_vocab_source *s, const alphabet *a,
                              inox_error *err)
{
    size_t longest = 0;
    char *joined = NULL;
    if (s->merge_count > IX_MAX_GGUF_ARRAY)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has %zu merges", s->merge_count);
    for (size_t i = 0; i < s->merge_count; i++) {
        if (s->merges[i].size > IX_MAX_GGUF_STRING)
            return ix_fail(err, INOX_E_LIMIT, "merge %zu has %zu bytes", i, s->merges[i].size);
        longest = s->merges[i].size > longest ? s->merges[i].size : longest;
    }
    IX_TRY(ix_bpe_new(&t->bpe, s->merge_count, s->merge_count, err));
    IX_TRY(IX_ALLOC(&joined, longest + 1, err));
    for (size_t i = 0; i < s->merge_count; i++) {
        const ix_text_view *m = &s->merges[i];
        const char *space = m->size > 1 ? memchr(m->data + 1, ' ', m->size - 1) : NULL;
        if (!space)
            continue;
        size_t left = (size_t)(space - m->data), right = m->size - left - 1, more;
        if (t->kind == IX_BYTE_BPE) {
            if (!spell(a, m->data, left, joined, &left) ||
                !spell(a, space + 1, right, joined + left, &more))
                continue;
            right = more;
        } else {
            memcpy(joined, m->data, left);
            memcpy(joined + left, space + 1, right);
        }
        int32_t l = ix_piece_find(&t->table, joined, left),
                r = ix_piece_find(&t->table, joined + left, right);
        int32_t both = ix_piece_find(&t->table, joined, left + right);
        if (l >= 0 && r >= 0 && both >= 0)
            ix_bpe_add(&t->bpe, l, r, (uint32_t)i, both, false);
    }
    ix_free(joined);
    return INOX_OK;
}

static inox_status order_pieces(ix_gguf_tokenizer *t, const float *scores, uint32_t *order,
                                inox_error *err)
{
    size_t ranks;
    t->by_text = true;
    for (size_t i = 0; i < t->base.count; i++) {
        bool merges = t->types[i] == IX_PIECE_NORMAL || t->types[i] == IX_PIECE_USER ||
                      t->types[i] == IX_PIECE_UNUSED;
        order[i] = UINT32_MAX;
        if (!merges)
            continue;
        order[i] = t->kind == IX_SENTENCEPIECE ? ix_bpe_order_of_score(scores ? scores[i] : 0)
                                               : (uint32_t)i;
        t->has_unused =
            t->has_unused || (t->types[i] == IX_PIECE_UNUSED && t->kind == IX_SENTENCEPIECE);
    }
    IX_TRY(ix_bpe_make_dense(order, t->base.count, &ranks, err));
    return ix_bpe_from_pieces(&t->bpe, &t->table, t->base.count, order, ranks,
                              t->kind == IX_BYTE_BPE, err);
}

static inox_status add_pieces(ix_gguf_tokenizer *t, const float *scores, inox_error *err)
{
    uint32_t *order = NULL;
    IX_TRY(IX_ALLOC(&order, t->base.count, err));
    inox_status status = order_pieces(t, scores, order, err);
    ix_free(order);
    return status;
}

/* Between two characters that stand side by side in no piece, nothing can ever merge. */
static inox_status mark_inside(ix_gguf_tokenizer *t, inox_error *err)
{
    IX_TRY(IX_ALLOC(&t->inside, (size_t)1 << (IX_INSIDE_BITS - 6), err));
    for (size_t i = 0; i < t->base.count; i++) {
        const ix_text_view *p = &t->bytes[i];
        if (!p->data || p->size == 0)
            continue;
        size_t at = 0, n = ix_chunk(p->data, p->size);
        while (at + n < p->size) {
            size_t next = ix_chunk(p->data + at + n, p->size - at - n);
            uint32_t h = ix_inside_hash(p->data + at, n, p->data + at + n, next);
            t->inside[h >> 6] |= (uint64_t)1 << (h & 63);
            at += n;
            n = next;
        }
    }
    return INOX_OK;
}

static bool contains_any_case(const char *text, const char *word)
{
    for (; text && *text; text++) {
        size_t i = 0;
        while (word[i] && (text[i] | (text[i] >= 'A' && text[i] <= 'Z' ? 32 : 0)) == word[i])
            i++;
        if (!word[i])
            return true;
    }
    return false;
}

/* GGUF does not say which special tokens strip spaces; the model's name does, as in llama.cpp. */
static unsigned strip_of(const ix_gguf_tokenizer *t, const ix_vocab_source *s, size_t id)
{
    const ix_text_view *p = &t->pieces[id];
    if ((t->pre.flags & IX_PRE_STRIP_MASK) && ix_text_is(*p, "<mask>"))
        return IX_STRIP_LEFT;
    if (contains_any_case(s->name, "phi-3") || contains_any_case(s->name, "phi3"))
        return ix_text_is(*p, "<unk>") || ix_text_is(*p, "<s>") || ix_text_is(*p, "<|endoftext|>")
                   ? 0
                   : IX_STRIP_RIGHT;
    return contains_any_case(s->name, "modern-bert") && ix_text_is(*p, "[MASK]") ? IX_STRIP_LEFT
                                                                                 : 0;
}

static bool is_special(const ix_gguf_tokenizer *t, size_t id)
{
    return t->types[id] == IX_PIECE_CONTROL || t->types[id] == IX_PIECE_UNKNOWN ||
           t->types[id] == IX_PIECE_USER;
}

/* The spelling with each space as U+2581, into `out` of three times the size. */
static size_t escape(const ix_text_view *p, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < p->size; i++) {
        if (p->data[i] == ' ') {
            memcpy(out + n, "\xE2\x96\x81", 3);
            n += 3;
        } else {
            out[n++] = p->data[i];
        }
    }
    return n;
}

static inox_status add_specials(ix_gguf_tokenizer *t, const ix_vocab_source *s, inox_error *err)
{
    size_t total = 0;
    char escaped[3 * IX_SPECIAL_BYTES_MAX];
    for (size_t i = 0; i < t->base.count; i++)
        if (is_special(t, i) && t->pieces[i].size <= IX_SPECIAL_BYTES_MAX)
            total += t->pieces[i].size;
    IX_TRY(ix_special_trie_new(&t->specials, total, err));
    if (t->kind == IX_SENTENCEPIECE)
        IX_TRY(ix_special_trie_new(&t->users, 3 * total, err));
    IX_TRY(IX_ALLOC(&t->strips, t->base.count, err));
    for (size_t i = 0; i < t->base.count; i++) {
        const ix_text_view *p = &t->pieces[i];
        if (!is_special(t, i) || p->size == 0 || p->size > IX_SPECIAL_BYTES_MAX)
            continue;
        ix_special_add(&t->specials, p->data, p->size, (int32_t)i);
        t->strips[i] = (uint8_t)strip_of(t, s, i);
        if (t->kind == IX_SENTENCEPIECE && t->types[i] == IX_PIECE_USER)
            ix_special_add(&t->users, escaped, escape(p, escaped), (int32_t)i);
    }
    return INOX_OK;
}

static inox_status find_kind(ix_gguf_tokenizer *t, const ix_vocab_source *s, inox_error *err)
{
    const char *model = s->model ? s->model : "", *pre = s->pre;
    if (strcmp(model, "llama") == 0) {
        t->kind = IX_SENTENCEPIECE;
        t->escape = true;
        return INOX_OK;
    }
    if (strcmp(model, "gemma4") == 0)
        pre = "gemma4";
    else if (strcmp(model, "whitespace") == 0)
        t->drop_gaps = true;
    else if (strcmp(model, "gpt2") != 0)
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "tokenizers of the kind '%.64s' are not supported (gpt2, llama, gemma4, "
                       "bert and t5 are)",
                       model);
    if (pre && !*pre)
        pre = NULL;
    if (!ix_pretokenizer_find(pre, &t->pre))
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "unknown pre-tokenizer '%.64s' (tokenizer.ggml.pre)", pre);
    if (!pre && s->architecture && strcmp(s->architecture, "gptneox") == 0)
        t->pre.flags |= IX_PRE_NFC;
    t->kind = t->pre.flags & IX_PRE_RAW ? IX_RAW_BPE : IX_BYTE_BPE;
    t->escape = (t->pre.flags & IX_PRE_ESCAPE) != 0;
    bool ranks = (t->pre.flags & IX_PRE_RANKS) != 0;
    if (!s->merges && !ranks)
        return ix_fail(err, INOX_E_FORMAT, "the vocabulary has no merges (tokenizer.ggml.merges)");
    return INOX_OK;
}

/* The file's answer, or what is usual for the kind. */
static bool flag(int8_t given, bool usual)
{
    return given < 0 ? usual : given != 0;
}

static int32_t token_id(const ix_gguf_tokenizer *t, int64_t given, int64_t usual)
{
    int64_t id = given >= 0 && (uint64_t)given < t->base.count ? given : usual;
    return id >= 0 && (uint64_t)id < t->base.count ? (int32_t)id : -1;
}

static inox_status read_flags(ix_gguf_tokenizer *t, const ix_vocab_source *s, inox_error *err)
{
    bool sp = t->kind == IX_SENTENCEPIECE;
    t->ignore_merges = flag(s->ignore_merges, (t->pre.flags & IX_PRE_IGNORE_MERGES) != 0);
    bool add_bos = flag(s->add_bos, sp || (t->pre.flags & IX_PRE_ADD_BOS)) ||
                   (t->pre.flags & IX_PRE_FORCE_BOS);
    bool add_eos = flag(s->add_eos, false);
    t->add_space_prefix = sp && flag(s->add_space_prefix, true);
    t->remove_extra_whitespaces = sp && flag(s->remove_extra_whitespaces, false);
    t->base.bos = token_id(t, s->bos, sp ? 1 : -1);
    t->base.eos = token_id(t, s->eos, sp ? 2 : -1);
    t->base.unknown = token_id(t, s->unknown, sp ? 0 : -1);
    t->base.padding_id = token_id(t, s->padding, -1);
    t->base.format = "gguf";
    t->base.model = "BPE";
    return ix_post_new(add_bos ? t->base.bos : -1, add_eos ? t->base.eos : -1, &t->base.post, err);
}

static inox_status make_fast(ix_gguf_tokenizer *t, const char *pretokenizer, bool much_text,
                             inox_error *err)
{
    ix_fast_parts parts = { .pretokenizer = pretokenizer,
                            .bpe = &t->bpe,
                            .table = &t->table,
                            .bytes = t->bytes,
                            .count = t->base.count,
                            .byte_ids = t->byte_ids,
                            .types = t->types,
                            .ignore_merges = t->ignore_merges,
                            .only_merges = !much_text };
    return ix_fast_from_parts(&parts, &t->fast, err);
}

static inox_status build(ix_gguf_tokenizer *t, const ix_vocab_source *s, inox_error *err)
{
    alphabet a;
    alphabet_init(&a);
    IX_TRY(find_kind(t, s, err));
    IX_TRY(copy_pieces(t, s, err));
    IX_TRY(read_flags(t, s, err));
    if (t->kind == IX_BYTE_BPE)
        IX_TRY(spell_pieces(t, &a, err));
    for (size_t i = 0; i < t->base.count && t->kind != IX_BYTE_BPE; i++) {
        bool hidden = t->types[i] == IX_PIECE_CONTROL || t->types[i] == IX_PIECE_UNKNOWN ||
                      t->types[i] == IX_PIECE_BYTE;
        if (t->kind == IX_RAW_BPE || !hidden)
            t->bytes[i] = t->pieces[i];
    }
    IX_TRY(ix_piece_table_new(&t->table, t->bytes, t->base.count, err));
    find_bytes(t);
    if (t->kind == IX_SENTENCEPIECE || !s->merges)
        IX_TRY(add_pieces(t, s->scores, err));
    else
        IX_TRY(add_merges(t, s, &a, err));
    if (t->kind != IX_BYTE_BPE)
        IX_TRY(mark_inside(t, err));
    else
        IX_TRY(make_fast(t, s->pre && *s->pre ? s->pre : "gpt-2", s->much_text, err));
    IX_TRY(add_specials(t, s, err));
    IX_TRY(ix_find_ends(&t->base, s, err));
    return t->fast ? ix_tokenizer_pool_scratches(&t->base, err) : INOX_OK;
}

/* ---- the family ---------------------------------------------------------------------------- */

static void release(ix_tokenizer *base)
{
    ix_gguf_tokenizer *t = (ix_gguf_tokenizer *)base;
    ix_fast_free(t->fast);
    ix_piece_table_release(&t->table);
    ix_bpe_release(&t->bpe);
    ix_special_trie_release(&t->specials);
    ix_special_trie_release(&t->users);
    ix_free(t->pieces);
    ix_free(t->bytes);
    ix_free(t->store);
    ix_free(t->types);
    ix_free(t->strips);
    ix_free(t->inside);
}

static ix_text_view piece(const ix_tokenizer *base, int32_t id)
{
    return ((const ix_gguf_tokenizer *)base)->pieces[id];
}

static int32_t type(const ix_tokenizer *base, int32_t id)
{
    return ((const ix_gguf_tokenizer *)base)->types[id];
}

static int32_t find(const ix_tokenizer *base, const char *spelling, size_t bytes)
{
    const ix_gguf_tokenizer *t = (const ix_gguf_tokenizer *)base;
    for (size_t i = t->base.count; i-- > 0;)
        if (t->pieces[i].size == bytes &&
            (bytes == 0 || memcmp(t->pieces[i].data, spelling, bytes) == 0))
            return (int32_t)i;
    return -1;
}

const ix_family ix_gguf_family = {
    .release = release,
    .scratch_new = ix_gguf_scratch_new,
    .scratch_free = ix_gguf_scratch_free,
    .encode = ix_gguf_encode,
    .push = ix_gguf_push,
    .piece = piece,
    .type = type,
    .find = find,
};

inox_status ix_tokenizer_new(const ix_vocab_source *source, ix_tokenizer **out, inox_error *err)
{
    ix_gguf_tokenizer *t = NULL;
    const char *model = source->model ? source->model : "";
    *out = NULL;
    if (strcmp(model, "bert") == 0)
        return ix_tokenizer_from_gguf_wordpiece(source, out, err);
    if (strcmp(model, "t5") == 0)
        return ix_tokenizer_from_gguf_unigram(source, out, err);
    IX_TRY(IX_ALLOC(&t, 1, err));
    t->base.family = &ix_gguf_family;
    inox_status status = build(t, source, err);
    if (status != INOX_OK) {
        ix_tokenizer_free(&t->base);
        return status;
    }
    *out = &t->base;
    return INOX_OK;
}
