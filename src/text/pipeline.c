/* tokenizer.json's way from text to tokens and back, as Hugging Face's tokenizers 0.23 go it
 * (tokenizer/mod.rs, pre_tokenizer.rs).
 *
 * Positions: the source is the text as it came.  Bytes that are not UTF-8 become U+FFFD at first
 * (`clean`, which is the source itself for good text), and all stages count in bytes of that.  Only
 * where a token is put down do its positions become those of the source.
 */
#include "text/pipeline.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/cuts.h"
#include "text/unicode.h"

#include <string.h>

/* ---- one text -------------------------------------------------------------------------------- */

typedef struct scratch {
    ix_model_scratch *model;
    ix_token_list list;
    ix_split split;
} scratch;

typedef struct encoder {
    const ix_pipeline *p;
    scratch *s;
    const ix_encode_text *in;
    ix_mapped_text clean;
    ix_encoding *out;
    size_t begin;              /* tokens in `out` that are not of this text */
    int32_t word;              /* number of the next word */
    const ix_mapped_text *now; /* the normalized text in which added tokens are looked for */
    inox_error *err;
} encoder;

/* Bytes [*from, *to) of `clean` become those of the source, whole characters. */
static void to_source(const encoder *e, uint32_t *from, uint32_t *to)
{
    ix_whole_characters(e->clean.data, e->clean.size, from, to);
    if (e->clean.run_count > 0 && *from < *to) {
        ix_map_cursor cursor = { 0 };
        uint32_t a = *from, b = *to;
        ix_mapped_range(&e->clean, &cursor, a, b, from, to);
    } else if (e->clean.run_count > 0) {
        *from = *to =
            *from < e->clean.size ? ix_mapped_start(&e->clean, *from) : (uint32_t)e->in->size;
    }
}

static int32_t word_of(const encoder *e)
{
    return e->in->word >= 0 ? e->in->word : e->word;
}

/* Appends a token for bytes [from, to) of `clean`. */
static inox_status put(encoder *e, int32_t id, uint32_t from, uint32_t to)
{
    if (e->out->want & IX_WANT_OFFSETS)
        to_source(e, &from, &to);
    return ix_encoding_add(e->out, id, from, to, word_of(e), e->err);
}

static bool is_white(uint32_t c)
{
    return c == 0x120 || (ix_unicode_properties(c) & IX_SPACE) != 0; /* U+0120: GPT-2's space */
}

/* White characters at the beginning and the end of a token's text. */
static void count_white(const char *text, size_t size, uint32_t *lead, uint32_t *trail)
{
    size_t at = 0;
    uint32_t c, run = 0;
    bool leading = true;
    *lead = 0;
    while (at < size) {
        at += ix_utf8_read(text + at, size - at, &c);
        run = is_white(c) ? run + 1 : 0;
        leading = leading && run > 0;
        *lead += leading;
    }
    *trail = run;
}

/* A token that was added; its spelling, with the white space that it took, is text[start..end). */
static inox_status put_added(encoder *e, int32_t id, const ix_mapped_text *text, size_t start,
                             size_t end)
{
    ix_map_cursor cursor = { 0 };
    uint32_t from, to;
    size_t first = e->out->count;
    if (start == end) /* its white space went to the token before */
        return INOX_OK;
    ix_mapped_range(text, &cursor, start, end, &from, &to);
    IX_TRY(put(e, id, from, to));
    if (e->out->lead)
        count_white(text->data + start, end - start, &e->out->lead[first], &e->out->trail[first]);
    e->word++;
    return INOX_OK;
}

/* The start of the character of `clean` that byte `at` lies in. */
static uint32_t character_at(const encoder *e, size_t at)
{
    while (at > 0 && at < e->clean.size && ((unsigned char)e->clean.data[at] & 0xC0) == 0x80)
        at--;
    return (uint32_t)(at < e->clean.size ? at : e->clean.size);
}

/* A BPE model that spells a prefix or suffix with bytes makes tokens that reach beyond their word.
 * The library cannot map those and takes their place in the word, [start, end), for one in the
 * whole text (pre_tokenizer.rs, into_encoding). */
static void place_beyond(const encoder *e, size_t start, size_t end, uint32_t *from, uint32_t *to)
{
    *from = character_at(e, start);
    *to = end < e->clean.size ? character_at(e, end) : (uint32_t)e->clean.size;
}

/* Tokens of the model for `piece` of `text`; those of an empty range count from its beginning. */
static inox_status put_list(encoder *e, const ix_mapped_text *text, ix_map_cursor *cursor,
                            const ix_piece_range *piece)
{
    const ix_pipeline *p = e->p;
    const ix_token_list *list = &e->s->list;
    bool ranges = (e->out->want & IX_WANT_OFFSETS) != 0;
    IX_TRY(ix_encoding_reserve(e->out, list->count < 16 ? 0 : list->count, e->err));
    for (size_t i = 0; i < list->count; i++) {
        const ix_token *t = &list->items[i];
        uint32_t from = 0, to = 0;
        if (ranges && t->end > piece->end) {
            place_beyond(e, t->start - piece->start, t->end - piece->start, &from, &to);
        } else if (ranges && t->start < t->end) {
            ix_mapped_range(text, cursor, t->start, t->end, &from, &to);
        } else if (ranges) {
            uint32_t first = e->s->split.cut ? ix_mapped_start(text, piece->start) : text->base;
            from = first + (uint32_t)(t->start - piece->start);
            from = to = from < e->clean.size ? from : (uint32_t)e->clean.size;
        }
        IX_TRY(put(e, t->id, from, to));
        if (!e->out->lead)
            continue;
        size_t k = e->out->count - 1;
        bool as_text = t->id == p->base.unknown && ix_model_kind_of(p->model) == IX_MODEL_UNIGRAM;
        if (as_text)
            count_white(text->data + t->start, t->end - t->start, &e->out->lead[k],
                        &e->out->trail[k]);
        else if ((size_t)t->id < p->base.count) {
            e->out->lead[k] = p->lead[t->id];
            e->out->trail[k] = p->trail[t->id];
        }
    }
    return INOX_OK;
}

/* Tokens of the fast path, from `first` on: it gave ids and, where they are wanted, ranges of
 * `text`, whole characters. */
static void complete(encoder *e, const ix_mapped_text *text, size_t first)
{
    const ix_pipeline *p = e->p;
    ix_encoding *out = e->out;
    ix_map_cursor cursor = { 0 };
    bool mapped = text->run_count > 0 || e->clean.run_count > 0;
    for (size_t i = first; i < out->count && out->starts && (mapped || text->base > 0); i++) {
        uint32_t from = out->starts[i] + text->base, to = out->ends[i] + text->base;
        if (text->run_count > 0)
            ix_mapped_range(text, &cursor, out->starts[i], out->ends[i], &from, &to);
        if (mapped)
            to_source(e, &from, &to);
        out->starts[i] = from;
        out->ends[i] = to;
    }
    for (size_t i = first; i < out->count && out->words; i++)
        out->words[i] = e->in->word >= 0 ? e->in->word : out->words[i] + e->word;
    if (out->words && out->count > first)
        e->word = out->words[out->count - 1] + 1;
    for (size_t i = first; i < out->count && out->lead; i++) {
        bool known = (size_t)out->ids[i] < p->base.count;
        out->lead[i] = known ? p->lead[out->ids[i]] : 0;
        out->trail[i] = known ? p->trail[out->ids[i]] : 0;
    }
}

/* Pre-tokenizer and model, for a normalized text that goes with it. */
static inox_status encode_words(encoder *e, ix_mapped_text *text)
{
    scratch *s = e->s;
    ix_map_cursor cursor = { 0 };
    if (text->size > IX_MAX_TEXT_BYTES * 2 - 2)
        return ix_fail(e->err, INOX_E_LIMIT, "the text is too long once it is normalized");
    if (e->p->fast && !ix_fast_takes_source(e->p->fast)) {
        size_t first = e->out->count;
        IX_TRY(ix_fast_encode(e->p->fast, s->model, text->data, 0, text->size, NULL, NULL, e->out,
                              e->err));
        complete(e, text, first);
        return INOX_OK;
    }
    IX_TRY(ix_split_begin(&s->split, text, e->err));
    IX_TRY(ix_splitter_run(e->p->splitter, &s->split, false, e->err));
    const ix_mapped_text *t = &s->split.text;
    for (size_t i = 0; i < s->split.count; i++) {
        const ix_piece_range *piece = &s->split.pieces[i];
        s->list.count = 0;
        IX_TRY(ix_model_tokenize(e->p->model, s->model, t->data, piece->start, piece->end, &s->list,
                                 e->err));
        IX_TRY(put_list(e, t, &cursor, piece));
        e->word++;
    }
    return INOX_OK;
}

/* ---- added tokens in a normalized text ------------------------------------------------------- */

/* *out = data[from..to) of a text that stays. */
static inox_status slice(const ix_mapped_text *t, size_t from, size_t to, ix_mapped_text *out,
                         inox_error *err)
{
    *out = (ix_mapped_text){ .data = t->data + from, .size = to - from };
    out->base = ix_mapped_start(t, from);
    size_t first = 0, last = t->run_count;
    if (last == 0)
        return INOX_OK;
    while (last - first > 1) { /* the run that holds `from` */
        size_t middle = first + (last - first) / 2;
        if (t->runs[middle].at <= from)
            first = middle;
        else
            last = middle;
    }
    for (last = first + 1; last < t->run_count && t->runs[last].at < to; last++)
        ;
    IX_TRY(IX_ALLOC(&out->runs, last - first, err));
    out->run_count = out->run_capacity = last - first;
    for (size_t i = first; i < last; i++) {
        ix_map_run run = t->runs[i];
        if (run.at < from) {
            if (run.end == IX_MAP_SAME)
                run.start += (uint32_t)from - run.at;
            run.at = (uint32_t)from;
        }
        run.at -= (uint32_t)from;
        out->runs[i - first] = run;
    }
    return INOX_OK;
}

/* Whether a byte of the source lies in a plain range, and the next byte of which it is not so. */
static bool source_is_plain(const ix_encode_text *in, size_t at, size_t *border)
{
    size_t low = 0, high = in->plain_count;
    while (low < high) { /* the first range that ends behind `at` */
        size_t middle = low + (high - low) / 2;
        if (in->plain[middle].end <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == in->plain_count) {
        *border = in->size;
        return false;
    }
    bool inside = at >= in->plain[low].start;
    *border = inside ? in->plain[low].end : in->plain[low].start;
    return inside;
}

/* The same of byte `at` of a text whose positions are those of `clean`. */
static bool byte_is_plain(const encoder *e, const ix_mapped_text *text, size_t at)
{
    size_t border;
    uint32_t from = ix_mapped_start(text, at), to = ix_mapped_end(text, at);
    if (from == to)
        return false;
    if (e->clean.run_count > 0) {
        from = ix_mapped_start(&e->clean, from);
        to = ix_mapped_end(&e->clean, to - 1);
    }
    return source_is_plain(e->in, from, &border) || border < to;
}

/* For searches: text positions to plain or not.  The border is looked for byte by byte, no further
 * than the longest spelling could reach. */
static bool is_plain(void *context, size_t at, size_t *border)
{
    const encoder *e = context;
    bool plain = byte_is_plain(e, e->now, at);
    size_t end = at + 1;
    while (end < e->now->size && end - at <= ix_added_longest(e->p->added) &&
           byte_is_plain(e, e->now, end) == plain)
        end++;
    *border = end;
    return plain;
}

static ix_added_search search_of(encoder *e, const ix_mapped_text *text, bool normalized)
{
    e->now = text;
    return (ix_added_search){
        .added = e->p->added,
        .normalized = normalized,
        .parse_special = e->in->parse_special,
        .text = text->data,
        .size = text->size,
        .plain = e->in->plain_count > 0 ? is_plain : NULL,
        .context = e,
    };
}

/* The normalizer.  The library then takes a slice of all that there is, which begins where the
 * first character that is left came from. */
static inox_status normalize(const ix_pipeline *p, ix_mapped_text *text, inox_error *err)
{
    IX_TRY(ix_normalize(p->normalizer, text, err));
    if (text->run_count > 0 && text->size > 0)
        text->base = ix_mapped_start(text, 0);
    return INOX_OK;
}

/* Everything behind the first search: clean[start..end), which holds no token of the first set. */
static inox_status encode_fragment(encoder *e, size_t start, size_t end)
{
    const ix_pipeline *p = e->p;
    ix_mapped_text text = { .data = e->clean.data + start,
                            .size = end - start,
                            .base = (uint32_t)start };
    inox_status status = normalize(p, &text, e->err);
    if (status == INOX_OK && !ix_added_any(p->added, true)) {
        if (text.size > 0)
            status = encode_words(e, &text);
        ix_mapped_release(&text);
        return status;
    }
    const ix_mapped_text *before = e->now;
    ix_added_search search = search_of(e, &text, true);
    ix_added_match m;
    while (status == INOX_OK && ix_added_next(&search, &m)) {
        if (m.token) {
            status = put_added(e, m.token->id, &text, m.start, m.end);
            continue;
        }
        ix_mapped_text part;
        status = slice(&text, m.start, m.end, &part, e->err);
        if (status == INOX_OK && part.size > 0)
            status = encode_words(e, &part);
        ix_mapped_release(&part);
    }
    ix_mapped_release(&text);
    e->now = before;
    return status;
}

/* What the fast path leaves to us: the same, but with ranges of `clean`. */
static inox_status general(void *context, size_t start, size_t end, ix_encoding *out,
                           inox_error *err)
{
    encoder *e = context;
    ix_mapped_text text = { .data = e->clean.data + start,
                            .size = end - start,
                            .base = (uint32_t)start };
    ix_map_cursor cursor = { 0 };
    ix_split *split = &e->s->split;
    ix_token_list *list = &e->s->list;
    inox_status status = normalize(e->p, &text, err);
    if (status == INOX_OK)
        status = ix_split_begin(split, &text, err);
    if (status == INOX_OK)
        status = ix_splitter_run(e->p->splitter, split, false, err);
    for (size_t i = 0; i < split->count && status == INOX_OK; i++) {
        list->count = 0;
        status = ix_model_tokenize(e->p->model, e->s->model, split->text.data,
                                   split->pieces[i].start, split->pieces[i].end, list, err);
        if (status == INOX_OK)
            status = ix_encoding_room(out, list->count, err);
        bool only_ids = !out->starts && !out->words && !out->lead;
        for (size_t k = 0; k < list->count && status == INOX_OK && only_ids; k++)
            out->ids[out->count++] = list->items[k].id;
        for (size_t k = 0; k < list->count && status == INOX_OK && !only_ids; k++) {
            const ix_token *t = &list->items[k];
            uint32_t from = 0, to = 0;
            if (out->starts && t->start < t->end)
                ix_mapped_range(&split->text, &cursor, t->start, t->end, &from, &to);
            else if (out->starts)
                from = to = ix_mapped_start(&split->text, split->pieces[i].start);
            status = ix_encoding_add(out, t->id, from, to, (int32_t)i, err);
        }
    }
    ix_mapped_release(&text);
    return status;
}

static inox_status encode_stretch(encoder *e, size_t start, size_t end)
{
    size_t first = e->out->count;
    if (start == end)
        return INOX_OK;
    if (!e->p->fast || !ix_fast_takes_source(e->p->fast) ||
        !ix_fast_gives(e->p->fast, e->out->want) || ix_added_any(e->p->added, true))
        return encode_fragment(e, start, end);
    ix_mapped_text whole = { .data = e->clean.data, .size = e->clean.size };
    IX_TRY(ix_fast_encode(e->p->fast, e->s->model, e->clean.data, start, end, general, e, e->out,
                          e->err));
    complete(e, &whole, first);
    return INOX_OK;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* *out = the text with U+FFFD for each maximal part of a character. */
static inox_status clean_text(const char *text, size_t size, ix_mapped_text *out, inox_error *err)
{
    size_t at = 0, good = ix_utf8_good(text, size);
    *out = (ix_mapped_text){ .data = text, .size = size };
    if (good == size)
        return INOX_OK;
    *out = (ix_mapped_text){ 0 };
    inox_status status = INOX_OK;
    while (at < size && status == INOX_OK) {
        bool whole, bad;
        status = ix_mapped_append_same(out, text + at, good, (uint32_t)at, err);
        at += good;
        if (at == size || status != INOX_OK)
            break;
        size_t n = ix_utf8_prefix(text + at, size - at, &whole, &bad);
        status = ix_mapped_append(out, "\xEF\xBF\xBD", 3, (uint32_t)at, (uint32_t)(at + n), err);
        at += n;
        good = ix_utf8_good(text + at, size - at);
    }
    if (status != INOX_OK)
        ix_mapped_release(out);
    return status;
}

static inox_status encode(const ix_tokenizer *base, void *memory, const ix_encode_text *in,
                          ix_encoding *out, inox_error *err)
{
    encoder e = { .p = (const ix_pipeline *)base, .s = memory, .in = in, .out = out, .err = err };
    IX_TRY(clean_text(in->text, in->size, &e.clean, err));
    ix_added_search search = search_of(&e, &e.clean, false);
    /* The first search counts in bytes of `clean`, wherever they come from. */
    ix_mapped_text here = { .data = e.clean.data, .size = e.clean.size };
    e.now = &here;
    ix_added_match m;
    inox_status status = INOX_OK;
    while (status == INOX_OK && ix_added_next(&search, &m))
        status = m.token ? put_added(&e, m.token->id, &here, m.start, m.end)
                         : encode_stretch(&e, m.start, m.end);
    ix_mapped_release(&e.clean);
    return status;
}

/* ---- scratch --------------------------------------------------------------------------------- */

static void scratch_free(void *memory)
{
    scratch *s = memory;
    if (!s)
        return;
    ix_model_scratch_free(s->model);
    ix_token_list_release(&s->list);
    ix_split_release(&s->split);
    ix_free(s);
}

static inox_status scratch_new(const ix_tokenizer *base, void **out, inox_error *err)
{
    scratch *s = NULL;
    IX_TRY(IX_ALLOC(&s, 1, err));
    inox_status status = ix_model_scratch_new(((const ix_pipeline *)base)->model, &s->model, err);
    if (status != INOX_OK) {
        scratch_free(s);
        return status;
    }
    *out = s;
    return INOX_OK;
}

/* ---- streams --------------------------------------------------------------------------------- */

static size_t settled(const ix_tokenizer *base, const char *text, size_t size)
{
    const ix_pipeline *p = (const ix_pipeline *)base;
    return ix_cut_last(p->cuts, p->normalizer, p->added, text, size);
}

static bool settles(const ix_tokenizer *base)
{
    return ((const ix_pipeline *)base)->cuts != 0;
}

/* ---- decoding -------------------------------------------------------------------------------- */

typedef struct decoding {
    ix_decode_stream *stream;
    ix_buffer text;
    bool skip; /* the first byte belongs to the token that stands for the text before */
} decoding;

static void decoding_free(void *state)
{
    decoding *d = state;
    ix_decode_stream_free(d->stream);
    ix_buffer_release(&d->text);
    ix_free(d);
}

/* Behind other text no beginning is stripped: a token of one letter takes its part, and its letter
 * is left out of what comes. */
static inox_status decoding_begin(ix_decoder *d, decoding **out, inox_error *err)
{
    static const ix_text_view letter = { "a", 1 };
    decoding *s = d->state;
    *out = s;
    if (s)
        return INOX_OK;
    IX_TRY(IX_ALLOC(&s, 1, err));
    inox_status status =
        ix_decode_stream_new(((const ix_pipeline *)d->tokenizer)->decoder, &s->stream, err);
    if (status == INOX_OK && (d->flags & IX_DECODE_CONTINUE) != 0) {
        s->skip = true;
        status = ix_decode_stream_push(s->stream, letter, &s->text, err);
    }
    if (status != INOX_OK) {
        decoding_free(s);
        return status;
    }
    d->state = *out = s;
    return INOX_OK;
}

/* Hands over what came out of the stages. */
static inox_status hand_over(decoding *s, ix_buffer *out, inox_error *err)
{
    size_t skip = s->skip && s->text.size > 0;
    if (s->text.size == 0)
        return INOX_OK;
    IX_TRY(ix_buffer_append(out, s->text.data + skip, s->text.size - skip, err));
    s->text.size = 0;
    s->skip = false;
    return INOX_OK;
}

static ix_text_view text_of(const ix_pipeline *p, int32_t id)
{
    const ix_added_token *t = ix_added_of(p->added, id);
    return t ? t->normalized : ix_model_piece(p->model, id);
}

static inox_status push(ix_decoder *d, int32_t id, ix_buffer *out, inox_error *err)
{
    const ix_pipeline *p = (const ix_pipeline *)d->tokenizer;
    ix_text_view text = text_of(p, id);
    decoding *s;
    if (!text.data || (p->special[id] && !(d->flags & IX_DECODE_SPECIAL)))
        return INOX_OK;
    IX_TRY(decoding_begin(d, &s, err));
    IX_TRY(ix_decode_stream_push(s->stream, text, &s->text, err));
    return hand_over(s, out, err);
}

static inox_status flush(ix_decoder *d, ix_buffer *out, inox_error *err)
{
    decoding *s;
    IX_TRY(decoding_begin(d, &s, err));
    IX_TRY(ix_decode_stream_flush(s->stream, &s->text, err));
    return hand_over(s, out, err);
}

/* ---- the family ------------------------------------------------------------------------------ */

static void release(ix_tokenizer *base)
{
    ix_pipeline *p = (ix_pipeline *)base;
    ix_fast_free(p->fast);
    ix_model_free(p->model);
    ix_added_free(p->added);
    ix_normalizer_free(p->normalizer);
    ix_splitter_free(p->splitter);
    ix_decode_stages_free(p->decoder);
    ix_free(p->special);
    ix_free(p->lead);
    ix_free(p->trail);
}

static ix_text_view piece(const ix_tokenizer *base, int32_t id)
{
    const ix_pipeline *p = (const ix_pipeline *)base;
    const ix_added_token *t = ix_added_of(p->added, id);
    return t ? t->content : ix_model_piece(p->model, id);
}

static int32_t type(const ix_tokenizer *base, int32_t id)
{
    const ix_pipeline *p = (const ix_pipeline *)base;
    if (!piece(base, id).data)
        return IX_PIECE_UNUSED;
    if (p->special[id])
        return IX_PIECE_CONTROL;
    if (id == base->unknown)
        return IX_PIECE_UNKNOWN;
    return ix_added_of(p->added, id) ? IX_PIECE_USER : IX_PIECE_NORMAL;
}

static int32_t find(const ix_tokenizer *base, const char *spelling, size_t bytes)
{
    const ix_pipeline *p = (const ix_pipeline *)base;
    int32_t id = ix_added_find(p->added, spelling, bytes);
    return id >= 0 ? id : ix_model_find(p->model, spelling, bytes);
}

static const ix_family family = {
    .release = release,
    .scratch_new = scratch_new,
    .scratch_free = scratch_free,
    .encode = encode,
    .settled = settled,
    .settles = settles,
    .push = push,
    .flush = flush,
    .state_free = decoding_free,
    .piece = piece,
    .type = type,
    .find = find,
};

inox_status ix_pipeline_new(ix_pipeline **out, inox_error *err)
{
    *out = NULL;
    IX_TRY(IX_ALLOC(out, 1, err));
    ix_tokenizer *t = &(*out)->base;
    t->family = &family;
    t->format = "tokenizer.json";
    t->bos = t->eos = t->unknown = t->padding_id = -1;
    t->parse_special = true;
    return INOX_OK;
}

static inox_status count_all_white(ix_pipeline *p, inox_error *err)
{
    IX_TRY(IX_ALLOC(&p->lead, p->base.count, err));
    IX_TRY(IX_ALLOC(&p->trail, p->base.count, err));
    for (size_t id = 0; id < p->base.count; id++) {
        ix_text_view text = ix_model_piece(p->model, (int32_t)id);
        uint32_t lead, trail;
        if (!text.data)
            continue;
        count_white(text.data, text.size, &lead, &trail);
        p->lead[id] = (uint16_t)(lead < UINT16_MAX ? lead : UINT16_MAX);
        p->trail[id] = (uint16_t)(trail < UINT16_MAX ? trail : UINT16_MAX);
    }
    return INOX_OK;
}

inox_status ix_pipeline_finish(ix_pipeline *p, inox_error *err)
{
    static const char *const names[] = { "BPE", "WordPiece", "Unigram", "WordLevel" };
    size_t model = ix_model_id_end(p->model), added = ix_added_id_end(p->added);
    p->base.count = model > added ? model : added;
    p->base.model = names[ix_model_kind_of(p->model)];
    if (p->base.count > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the vocabulary has ids up to %zu, more than %d",
                       p->base.count, IX_MAX_VOCAB);
    IX_TRY(IX_ALLOC(&p->special, p->base.count, err));
    for (size_t id = 0; id < p->base.count; id++) {
        ix_text_view text = text_of(p, (int32_t)id);
        p->special[id] = text.data && ix_added_is_special(p->added, text.data, text.size);
    }
    if (ix_post_trims(p->base.post))
        IX_TRY(count_all_white(p, err));
    return ix_tokenizer_pool_scratches(&p->base, err);
}
