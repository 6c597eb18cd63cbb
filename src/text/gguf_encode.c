/* Text to token ids: special tokens are taken out, what lies between is cleaned, cut and merged.
 *
 *     text -> [special] fragment [special] ... -> form C, spaces escaped -> words -> symbols ->
 * tokens
 *
 * Offsets go through all of it: a mapped text knows where in the source each byte comes from.
 */
#include "text/gguf.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/unicode.h"

#include <string.h>

typedef struct encoder {
    const ix_gguf_tokenizer *t;
    ix_gguf_scratch *scratch;
    const ix_encode_text *in;
    const char *text; /* the source */
    size_t bytes;
    size_t plain_next; /* ranges of in->plain before this one lie behind */
    ix_word word;
    ix_encoding *tokens;
    int32_t word_number;
    bool fusing; /* the last token is an unknown one that the next unknown one joins */
    inox_error *err;
} encoder;

static inox_status emit(encoder *e, int32_t id, size_t start, size_t end)
{
    int32_t number = e->in->word >= 0 ? e->in->word : e->word_number;
    e->fusing = false;
    return ix_encoding_add(e->tokens, id, start, end, number, e->err);
}

/* A token for text->data[at..at + size). */
static inox_status emit_mapped(encoder *e, int32_t id, const ix_mapped_text *text, size_t at,
                               size_t size)
{
    return emit(e, id, ix_mapped_start(text, at), ix_mapped_end(text, at + size - 1));
}

/* ---- words of byte-level BPE ----------------------------------------------------------------- */

static inox_status encode_bytes(encoder *e, const ix_mapped_text *text, size_t start, size_t end)
{
    const ix_gguf_tokenizer *t = e->t;
    if (t->ignore_merges) {
        int32_t id = ix_piece_find(&t->table, text->data + start, end - start);
        if (id >= 0 && t->types[id] != IX_PIECE_CONTROL)
            return emit_mapped(e, id, text, start, end - start);
    }
    e->word.count = 0;
    for (size_t i = start; i < end; i++) {
        int32_t id = t->byte_ids[(unsigned char)text->data[i]];
        if (id >=
            0) /* a byte that the vocabulary lacks is dropped, as the original tokenizers do */
            IX_TRY(ix_word_add(&e->word, (uint32_t)i, 1, id, e->err));
    }
    IX_TRY(ix_word_merge(&t->bpe, &e->word, e->err));
    for (size_t i = 0; i < e->word.count; i++) {
        const ix_symbol *s = &e->word.symbols[i];
        IX_TRY(emit_mapped(e, s->id, text, s->at, s->size));
    }
    return INOX_OK;
}

/* ---- words of characters --------------------------------------------------------------------- */

/* A symbol that is no piece: its bytes, or the unknown token, one for neighbours together. */
static inox_status fall_back(encoder *e, const ix_mapped_text *text, size_t at, size_t size)
{
    const ix_gguf_tokenizer *t = e->t;
    bool all = t->byte_fallback;
    for (size_t i = at; i < at + size && all; i++)
        all = t->byte_ids[(unsigned char)text->data[i]] >= 0;
    for (size_t i = at; i < at + size && all; i++)
        IX_TRY(emit_mapped(e, t->byte_ids[(unsigned char)text->data[i]], text, i, 1));
    if (all || t->base.unknown < 0)
        return INOX_OK;
    if (e->fusing) {
        if (e->tokens->ends)
            e->tokens->ends[e->tokens->count - 1] = ix_mapped_end(text, at + size - 1);
        return INOX_OK;
    }
    IX_TRY(emit_mapped(e, t->base.unknown, text, at, size));
    e->fusing = true;
    return INOX_OK;
}

/* A merged piece that is unused comes apart as it was last put together.  The stack holds the
 * ends of the parts that wait; parts only get shorter, and there are never more of them than
 * bytes. */
static inox_status emit_used(encoder *e, const ix_mapped_text *text, size_t at, size_t size)
{
    const ix_gguf_tokenizer *t = e->t;
    uint32_t *waiting = NULL;
    size_t count = 0, capacity = 0, end = at + size;
    inox_status status = INOX_OK;
    while (at < end && status == INOX_OK) {
        size_t part_end = count > 0 ? waiting[count - 1] : end;
        int32_t id = ix_piece_find(&t->table, text->data + at, part_end - at);
        uint32_t left = id >= 0 && t->types[id] == IX_PIECE_UNUSED ? e->word.splits[id] : 0;
        if (left == 0 || left >= part_end - at) {
            status = id >= 0 ? emit_mapped(e, id, text, at, part_end - at)
                             : fall_back(e, text, at, part_end - at);
            at = part_end;
            count -= count > 0;
            continue;
        }
        if (count == capacity) {
            capacity = capacity * 2 + 16;
            status = IX_REALLOC(&waiting, capacity, e->err);
            if (status != INOX_OK)
                break;
        }
        waiting[count++] = (uint32_t)(at + left);
    }
    ix_free(waiting);
    return status;
}

static inox_status encode_word(encoder *e, const ix_mapped_text *text)
{
    IX_TRY(ix_word_merge(&e->t->bpe, &e->word, e->err));
    for (size_t i = 0; i < e->word.count; i++) {
        const ix_symbol *s = &e->word.symbols[i];
        if (s->id < 0 || (size_t)s->id >= e->t->base.count)
            IX_TRY(fall_back(e, text, s->at, s->size));
        else if (e->t->types[s->id] == IX_PIECE_UNUSED && e->word.splits)
            IX_TRY(emit_used(e, text, s->at, s->size));
        else
            IX_TRY(emit_mapped(e, s->id, text, s->at, s->size));
    }
    e->word.count = 0;
    return INOX_OK;
}

/* Cuts text[start..end) where nothing can merge, and at user-defined pieces. */
static inox_status encode_characters(encoder *e, const ix_mapped_text *text, size_t start,
                                     size_t end)
{
    const ix_gguf_tokenizer *t = e->t;
    bool users = t->users.any && !e->in->parse_special;
    size_t before = 0; /* bytes of the character before `at`, 0 at the beginning of a word */
    e->word.count = 0;
    for (size_t at = start; at < end;) {
        const char *p = text->data + at;
        size_t n = ix_chunk(p, end - at), length;
        if (users && t->users.first.is[(unsigned char)*p]) {
            int32_t id = ix_special_match(&t->users, p, end - at, &length);
            if (id >= 0) {
                IX_TRY(encode_word(e, text));
                IX_TRY(emit_mapped(e, id, text, at, length));
                at += length;
                before = 0;
                continue;
            }
        }
        if (before > 0 && !t->has_unused) {
            uint32_t h = ix_inside_hash(p - before, before, p, n);
            if (!(t->inside[h >> 6] >> (h & 63) & 1))
                IX_TRY(encode_word(e, text));
        }
        int32_t symbol = t->by_text ? ix_bpe_symbol(&t->bpe, p, n) : ix_piece_find(&t->table, p, n);
        IX_TRY(ix_word_add(&e->word, (uint32_t)at, (uint32_t)n, symbol, e->err));
        before = n;
        at += n;
    }
    return encode_word(e, text);
}

/* ---- fragments ----------------------------------------------------------------------------- */

/* *out = `in` with U+2581 for each space; prefix puts one in front. */
static inox_status escape_spaces(encoder *e, const ix_mapped_text *in, bool prefix,
                                 ix_mapped_text *out)
{
    static const char space[] = "\xE2\x96\x81";
    bool squeeze = e->t->remove_extra_whitespaces, after_space = true;
    uint32_t start = in->size > 0 ? ix_mapped_start(in, 0) : 0;
    size_t size = in->size;
    *out = (ix_mapped_text){ .data = in->data };
    while (squeeze && size > 0 && in->data[size - 1] == ' ')
        size--;
    if (prefix && size > 0)
        IX_TRY(ix_mapped_append(out, space, 3, start, start, e->err));
    for (size_t i = 0; i < size; i++) {
        bool is_space = in->data[i] == ' ';
        if (!(squeeze && is_space && after_space))
            IX_TRY(ix_mapped_append(out, is_space ? space : in->data + i, is_space ? 3 : 1,
                                    ix_mapped_start(in, i), ix_mapped_end(in, i), e->err));
        after_space = is_space;
    }
    return INOX_OK;
}

static inox_status encode_fast(encoder *e, const ix_mapped_text *text)
{
    ix_encoding *out = e->tokens;
    ix_map_cursor cursor = { 0 };
    size_t first = out->count;
    e->fusing = false;
    IX_TRY(ix_fast_encode(e->t->fast, e->scratch->model, text->data, 0, text->size, NULL, NULL, out,
                          e->err));
    for (size_t i = first; i < out->count && out->starts; i++)
        ix_mapped_range(text, &cursor, out->starts[i], out->ends[i], &out->starts[i],
                        &out->ends[i]);
    for (size_t i = first; i < out->count && out->lead; i++)
        out->lead[i] = out->trail[i] = 0;
    for (size_t i = first; i < out->count && out->words; i++)
        out->words[i] = e->in->word >= 0 ? e->in->word : e->word_number + out->words[i];
    if (out->words && e->in->word < 0 && out->count > first)
        e->word_number = out->words[out->count - 1] + 1;
    return INOX_OK;
}

static inox_status encode_clean(encoder *e, const ix_mapped_text *text)
{
    ix_pre_cursor cursor;
    size_t start, end;
    if (text->size > IX_MAX_TEXT_BYTES * 2)
        return ix_fail(e->err, INOX_E_LIMIT, "the text is too long");
    if (e->t->fast)
        return encode_fast(e, text);
    ix_pre_start(&cursor, &e->t->pre, text->data, text->size);
    while (ix_pre_next(&cursor, &start, &end)) {
        uint32_t c;
        (void)ix_utf8_read(text->data + start, end - start, &c);
        if (e->t->drop_gaps && (ix_unicode_properties(c) & IX_SPACE))
            continue;
        if (e->t->kind == IX_BYTE_BPE)
            IX_TRY(encode_bytes(e, text, start, end));
        else
            IX_TRY(encode_characters(e, text, start, end));
        e->word_number++;
    }
    return INOX_OK;
}

/* Source bytes [start, end), which hold no special token. */
static inox_status encode_fragment(encoder *e, size_t start, size_t end, bool first)
{
    const ix_gguf_tokenizer *t = e->t;
    if (start == end)
        return INOX_OK;
    ix_mapped_text clean = { .data = e->text + start,
                             .size = end - start,
                             .base = (uint32_t)start },
                   escaped;
    if (t->kind != IX_SENTENCEPIECE)
        IX_TRY(ix_clean_text(e->text + start, end - start, (uint32_t)start,
                             (t->pre.flags & IX_PRE_NFC) != 0, &clean, e->err));
    inox_status status;
    if (t->escape) {
        status = escape_spaces(e, &clean, first && t->add_space_prefix, &escaped);
        if (status == INOX_OK)
            status = encode_clean(e, &escaped);
        ix_mapped_release(&escaped);
    } else {
        status = encode_clean(e, &clean);
    }
    ix_mapped_release(&clean);
    return status;
}

static size_t space_before(const encoder *e, size_t start, size_t at)
{
    while (at > start) {
        size_t from = at - 1;
        while (from > start && ((unsigned char)e->text[from] & 0xC0) == 0x80)
            from--;
        uint32_t c;
        size_t n = ix_utf8_read(e->text + from, at - from, &c);
        if (n != at - from || !(ix_unicode_properties(c) & IX_SPACE))
            break;
        at = from;
    }
    return at;
}

static size_t space_behind(const encoder *e, size_t at)
{
    while (at < e->bytes) {
        uint32_t c;
        size_t n = ix_utf8_read(e->text + at, e->bytes - at, &c);
        if (!(ix_unicode_properties(c) & IX_SPACE))
            break;
        at += n;
    }
    return at;
}

/* Whether byte `at` lies in a plain range; *border: the next byte of which the answer differs.
 * Positions never go back. */
static bool in_plain(encoder *e, size_t at, size_t *border)
{
    const ix_encode_text *in = e->in;
    while (e->plain_next < in->plain_count && in->plain[e->plain_next].end <= at)
        e->plain_next++;
    if (e->plain_next == in->plain_count) {
        *border = e->bytes;
        return false;
    }
    const ix_range *range = &in->plain[e->plain_next];
    *border = at < range->start ? range->start : range->end;
    return at >= range->start;
}

/* Takes special tokens out, leftmost and longest first.  Where they are not to be parsed only
 * user-defined ones: the spelling of any other is text, and hides what is spelled inside it, as in
 * the originals.  A spelling across the border of a plain range is nothing at all. */
static inox_status encode_text(encoder *e)
{
    const ix_gguf_tokenizer *t = e->t;
    bool parse = e->in->parse_special, first = true;
    bool search = t->specials.any && (parse || t->kind != IX_SENTENCEPIECE);
    size_t from = 0, length = 0, border;
    ix_first_search next = { 0 };
    for (size_t at = 0; search;) {
        at = ix_first_find(&t->specials.first, &next, e->text, at, e->bytes);
        if (at == e->bytes)
            break;
        int32_t id = ix_special_match(&t->specials, e->text + at, e->bytes - at, &length);
        bool plain = id >= 0 && in_plain(e, at, &border);
        if (id >= 0 && t->types[id] != IX_PIECE_USER && length > border - at)
            id = ix_special_match(&t->specials, e->text + at, border - at, &length);
        if (id < 0) {
            at++;
            continue;
        }
        size_t start = at, end = at + length;
        at = end;
        if ((!parse || plain) && t->types[id] != IX_PIECE_USER)
            continue;
        if (t->strips[id] & IX_STRIP_LEFT)
            start = space_before(e, from, start);
        if (t->strips[id] & IX_STRIP_RIGHT)
            at = end = space_behind(e, end);
        IX_TRY(encode_fragment(e, from, start, first));
        IX_TRY(emit(e, id, start, end));
        e->word_number++;
        from = end;
        first = true; /* SentencePiece text behind a special token gets its space in front again */
    }
    return encode_fragment(e, from, e->bytes, first);
}

inox_status ix_gguf_scratch_new(const ix_tokenizer *base, void **out, inox_error *err)
{
    ix_gguf_scratch *s = NULL;
    *out = NULL;
    IX_TRY(IX_ALLOC(&s, 1, err));
    inox_status status = INOX_OK;
    if (((const ix_gguf_tokenizer *)base)->fast)
        status = ix_model_scratch_new(NULL, &s->model, err);
    if (status != INOX_OK) {
        ix_gguf_scratch_free(s);
        return status;
    }
    *out = s;
    return INOX_OK;
}

void ix_gguf_scratch_free(void *scratch)
{
    ix_gguf_scratch *s = scratch;
    if (!s)
        return;
    ix_model_scratch_free(s->model);
    ix_free(s);
}

inox_status ix_gguf_encode(const ix_tokenizer *base, void *scratch, const ix_encode_text *in,
                           ix_encoding *out, inox_error *err)
{
    const ix_gguf_tokenizer *t = (const ix_gguf_tokenizer *)base;
    encoder e = { .t = t, .scratch = scratch, .in = in, .text = in->text, .bytes = in->size };
    e.tokens = out;
    e.err = err;
    inox_status status = INOX_OK;
    if (t->has_unused)
        status = IX_ALLOC(&e.word.splits, t->base.count, err);
    if (status == INOX_OK)
        status = encode_text(&e);
    ix_word_release(&e.word);
    return status;
}
