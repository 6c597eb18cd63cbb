/* Unigram behind Metaspace in one go: words of ASCII are looked up as they stand in the source.
 *
 *     source   ...na\u00EFve ideas of a line.  The next one ...
 *                           [  ][ ][     ]     [    ][   ]
 *              ( general   )              (gen.)
 *
 * A word is what stands between a space and the next one, where the normalizer leaves both words
 * and spaces alone: the pre-tokenizer makes U+2581 of the space before it.  All else goes the
 * general way, from a space before ASCII and behind ASCII to the next such one, across which no
 * normalizer looks that is allowed here.  But the ranges of some depend on all that is before.
 */
#include "text/fast_parts.h"

#include "text/normalizer.h"
#include "text/unigram_search.h"
#include "text/unigram_words.h"

#include <string.h>

/* ---- which pipelines ------------------------------------------------------------------------- */

static bool is_metaspace(const json_t *j)
{
    const char *character = json_string_value(json_object_get(j, "replacement"));
    const json_t *split = json_object_get(j, "split");
    return ix_fast_is_type(j, "Metaspace") && character && strcmp(character, "\xE2\x96\x81") == 0 &&
           !json_is_false(split);
}

static bool is_scheme(const json_t *metaspace, const char *scheme)
{
    const char *have = json_string_value(json_object_get(metaspace, "prepend_scheme"));
    return have && strcmp(have, scheme) == 0;
}

/* Metaspace, or WhitespaceSplit and then Metaspace in front of each word: *white. */
static bool takes_words(const json_t *pre, bool *white)
{
    const json_t *list = json_object_get(pre, "pretokenizers"), *last = json_array_get(list, 1);
    *white = false;
    if (is_metaspace(pre))
        return true;
    if (!ix_fast_is_type(pre, "Sequence") || json_array_size(list) != 2 ||
        !ix_fast_is_type(json_array_get(list, 0), "WhitespaceSplit") || !is_metaspace(last))
        return false;
    *white = true;
    return !is_scheme(last, "never") && !is_scheme(last, "first");
}

/* What is known of a normalizer for this path: one that looks across no single space between ASCII,
 * and changes each byte of ASCII by itself, but for this. */
typedef struct effect {
    bool first[128]; /* more than that byte may be replaced */
    bool several;    /* several spaces are replaced; */
    bool joined;     /* by one, or by U+2581, which is the last that happens */
    bool strips;     /* white space at the end goes */
    bool lags;       /* ranges depend on what is before */
} effect;

static bool takes_replace(const json_t *j, bool white, effect *e)
{
    const json_t *pattern = json_object_get(j, "pattern");
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    const char *string = json_string_value(json_object_get(pattern, "String"));
    const char *content = json_string_value(json_object_get(j, "content"));
    if (regex && content && strcmp(regex, " {2,}") == 0) {
        e->several = true;
        e->joined = strcmp(content, " ") == 0 || (!white && strcmp(content, "\xE2\x96\x81") == 0);
        return true;
    }
    if (!string || !*string || strpbrk(string, " \t\n\v\f\r"))
        return false;
    if ((unsigned char)*string < 128)
        e->first[(int)*string] = true;
    return true;
}

static bool takes_normalizer(const json_t *j, bool white, effect *e)
{
    static const char *const local[] = { "NFC", "NFD",       "NFKC",         "NFKD",
                                         "Nmt", "Lowercase", "StripAccents", "Precompiled" };
    e->joined = false;
    if (!j || json_is_null(j))
        return true;
    for (size_t i = 0; i < 4; i++)
        if (ix_fast_is_type(j, local[i]))
            return true;
    e->lags = true;
    for (size_t i = 4; i < sizeof local / sizeof *local; i++)
        if (ix_fast_is_type(j, local[i]))
            return true;
    if (ix_fast_is_type(j, "Strip")) {
        e->strips = true;
        return json_is_false(json_object_get(j, "strip_left"));
    }
    return ix_fast_is_type(j, "Replace") && takes_replace(j, white, e);
}

/* The same of a sequence, but of none in it. */
static bool takes_normalizers(const json_t *j, bool white, effect *e)
{
    const json_t *list = json_object_get(j, "normalizers");
    bool takes = true;
    if (!ix_fast_is_type(j, "Sequence"))
        return takes_normalizer(j, white, e);
    for (size_t i = 0; i < json_array_size(list) && takes; i++)
        takes = takes_normalizer(json_array_get(list, i), white, e);
    return takes;
}

/* What the normalizer makes of c between two letters: the byte, or -1 where it is not one. */
static inox_status normalized(const ix_normalizer *n, char c, int *to, inox_error *err)
{
    char bytes[3] = { 'x', c, 'x' };
    ix_mapped_text text = { .data = bytes, .size = sizeof bytes };
    inox_status status = ix_normalize(n, &text, err);
    *to = status == INOX_OK && text.size == 3 && text.data[0] == 'x' && text.data[2] == 'x'
              ? (unsigned char)text.data[1]
              : -1;
    ix_mapped_release(&text);
    return status;
}

static inox_status find_marks(ix_fast *f, const ix_normalizer *n, const effect *e, bool white,
                              inox_error *err)
{
    ix_byte_marks *m = &f->marks;
    for (int c = 1; c < 0x7F; c++) {
        int to;
        IX_TRY(normalized(n, (char)c, &to, err));
        bool is_space = c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == ' ';
        bool blank = to == ' ' || (white && to == c && is_space);
        if (e->first[c] ||
            (c == '\r' && !white)) /* with a line feed behind it, it may be one space */
            continue;
        if (blank && strchr(" \n\t\r", c)) {
            f->blank[c] = true;
            m->space[m->spaces++] = (char)c;
        } else if (!blank && to == c && !(is_space && e->strips)) {
            f->plain[c] = true;
        }
    }
    ix_make_ranges(m, f->plain);
    return INOX_OK;
}

inox_status ix_fast_unigram_init(ix_fast *f, const ix_model *m, const json_t *normalizer,
                                 const json_t *pre_tokenizer, bool *qualifies, inox_error *err)
{
    effect e = { 0 };
    bool white;
    ix_normalizer *n = NULL;
    *qualifies = m->kind == IX_MODEL_UNIGRAM && m->unigram.words.remembers &&
                 takes_words(pre_tokenizer, &white) && takes_normalizers(normalizer, white, &e);
    if (!*qualifies)
        return INOX_OK;
    IX_TRY(ix_normalizer_from_json(normalizer, &n, err));
    inox_status status = find_marks(f, n, &e, white, err);
    ix_normalizer_free(n);
    f->kind = IX_FAST_UNIGRAM;
    f->model = m;
    f->squeezes = e.several ? e.joined : white;
    f->ranges = !e.lags;
    f->white = white;
    f->each = !white && !e.several && !e.strips;
    f->prepends = !is_scheme(pre_tokenizer, "never");
    f->only_first = is_scheme(pre_tokenizer, "first");
    *qualifies = f->blank[' '] && f->plain['x'];
    return status;
}

/* ---- encoding -------------------------------------------------------------------------------- */

static bool is_one(const bool class[128], char c)
{
    return (unsigned char)c < 128 && class[(unsigned char)c];
}

/* The first place behind `at` where a space begins a word that can be looked up; `end`: none. */
static size_t find_cut(const ix_fast *f, const char *text, size_t at, size_t end)
{
    for (size_t p = at + 1; p < end; p++) {
        if (!is_one(f->blank, text[p]) || !is_one(f->plain, text[p - 1]))
            continue;
        size_t q = p + 1;
        while (q < end && is_one(f->plain, text[q]))
            q++;
        if (q > p + 1 && (q == end || is_one(f->blank, text[q])))
            return p;
    }
    return end;
}

typedef struct run {
    const ix_fast *f;
    ix_unigram_run words;
    ix_unigram_blocks blocks;
    ix_unigram_queue queue;
    const char *text;
    size_t end;
} run;

enum { EDGE = 128 };

/* Words at the edges of a text, in a copy: behind a space that is not there, or up to the end.
 * *at becomes where the last that was found ends. */
static inox_status add_copied(run *r, size_t *at, bool prefix)
{
    char copy[1 + EDGE + 1 + IX_UNIGRAM_LOOKAHEAD] = " ";
    size_t left = r->end - *at, n = left < EDGE ? left : EDGE, size = n + prefix, end = 0;
    memcpy(copy + prefix, r->text + *at, n);
    if (n == left) {
        memset(copy + size, 'x', 1 + IX_UNIGRAM_LOOKAHEAD);
        copy[size] = ' ';
        size += 1 + IX_UNIGRAM_LOOKAHEAD;
    }
    size_t no_space = r->words.no_space;
    r->words.base = *at - prefix;
    r->words.no_space = no_space == 0 ? prefix : no_space;
    IX_TRY(ix_unigram_add_source(&r->words, &r->queue, &r->blocks, copy, &end, size));
    r->words.base = 0;
    r->words.no_space = no_space;
    *at += end > 0 ? end - prefix : 0;
    return INOX_OK;
}

/* The word behind the space at text[at], or behind one that is not there, if it is too long for
 * blocks; its end, or `at`. */
static inox_status add_long(run *r, size_t *at, bool prefix)
{
    const ix_fast *f = r->f;
    ix_model_scratch *s = r->words.s;
    const char *text = r->text;
    size_t start = *at + !prefix, end = start;
    while (end < r->end && is_one(f->plain, text[end]))
        end++;
    bool ends = end == r->end || (end + 1 < r->end && is_one(f->blank, text[end]) &&
                                  is_one(f->plain, text[end + 1]));
    if (!ends || end - start < IX_UNIGRAM_UNITS || !r->words.only_ids)
        return INOX_OK;
    size_t size = end - start + 3;
    if (size > s->composed_capacity) {
        IX_TRY(IX_REALLOC(&s->composed, size, r->words.err));
        s->composed_capacity = size;
    }
    memcpy(s->composed, "\xE2\x96\x81", 3);
    memcpy(s->composed + 3, text + start, end - start);
    *at = end;
    return ix_unigram_add_ids(r->f->model, s, s->composed, size, r->words.out, r->words.err);
}

/* Words from *at on, where a space is, or one that is not there. */
static inox_status add_words(run *r, size_t *at, bool prefix)
{
    for (size_t before = r->end; *at < r->end && *at != before; prefix = false) {
        before = *at;
        if (prefix || r->end - *at < IX_UNIGRAM_LOOKAHEAD)
            IX_TRY(add_copied(r, at, prefix));
        else
            IX_TRY(ix_unigram_add_source(&r->words, &r->queue, &r->blocks, r->text, at, r->end));
        if (*at == before)
            IX_TRY(add_long(r, at, prefix));
    }
    return INOX_OK;
}

inox_status ix_fast_unigram_encode(const ix_fast *f, ix_model_scratch *s, const char *text,
                                   size_t start, size_t end, ix_fast_general general, void *context,
                                   ix_encoding *out, inox_error *err)
{
    run r = { .f = f, .text = text, .end = end };
    if (start == end)
        return INOX_OK;
    r.blocks = (ix_unigram_blocks){ .marks = &f->marks,
                                    .block = ix_block_sets(0)->marks,
                                    .squeezes = f->squeezes,
                                    .each = f->each };
    r.words = (ix_unigram_run){ .m = f->model, .s = s, .out = out, .err = err };
    r.words.no_space = f->white ? SIZE_MAX : 0;
    IX_TRY(ix_unigram_begin(&r.words, end - start));
    bool space = is_one(f->blank, text[start]);
    bool prefix = !space && f->prepends && (start == 0 || !f->only_first);
    size_t at = start;
    if (space || prefix)
        IX_TRY(add_words(&r, &at, prefix));
    while (at < end) {
        size_t cut = find_cut(f, text, at, end);
        size_t first = out->count;
        IX_TRY(general(context, at, cut, out, err));
        for (size_t i = first; i < out->count && out->words; i++)
            out->words[i] += r.words.word;
        if (out->words && out->count > first)
            r.words.word = out->words[out->count - 1] + 1;
        at = cut;
        IX_TRY(add_words(&r, &at, false));
    }
    return INOX_OK;
}
