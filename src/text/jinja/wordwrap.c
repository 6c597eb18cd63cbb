/* wordwrap: Python's textwrap.wrap on every line of the text.
 *
 * textwrap cuts a line into chunks with a regular expression (white space; words, which end at a
 * hyphen between letters or before a dash; dashes between words) and fills lines with chunks. */
#include "text/jinja/filters.h"

#include <string.h>

/* A line of text as characters, and the chunks that it falls into. */
typedef struct chunk {
    size_t start, end; /* characters of the line */
} chunk;

typedef struct wrap {
    ix_jrender *r;
    const ix_jstring *s;
    uint32_t *c;   /* characters of the line */
    size_t *bytes; /* where each begins in s; one more for the end */
    size_t length;
    chunk *chunks;
    size_t count;
    double width;
    bool whole_width; /* an int: a long word may be cut */
    bool break_words, break_hyphens;
} wrap;

static bool is_space(uint32_t c) /* textwrap's own idea of it: ASCII only */
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(uint32_t c)
{
    return c == '_' || ix_char_is(c, IX_CHAR_ALNUM);
}

/* [^\d\W] */
static bool is_letter(uint32_t c)
{
    return is_word(c) && !ix_char_is(c, IX_CHAR_DECIMAL);
}

/* What may stand before a dash: [\w!"'&.,?] */
static bool is_word_or_mark(uint32_t c)
{
    return is_word(c) || (c < 128 && c && strchr("!\"'&.,?", (int)c));
}

/* A run of at least two hyphens at i, behind a word and before one: its end, or 0. */
static size_t dash_end(const wrap *w, size_t i)
{
    size_t end = i;
    if (i == 0 || !is_word_or_mark(w->c[i - 1]))
        return 0;
    while (end < w->length && w->c[end] == '-')
        end++;
    return end >= i + 2 && end < w->length && is_word(w->c[end]) ? end : 0;
}

/* True if the hyphen at i ends the first part of a hyphenated word. */
static bool is_hyphenation(const wrap *w, size_t i)
{
    const uint32_t *c = w->c;
    bool before = (i >= 2 && is_letter(c[i - 1]) && is_letter(c[i - 2])) ||
                  (i >= 3 && is_word_or_mark(c[i - 1]) && c[i - 2] == '-' && is_letter(c[i - 3]));
    size_t k = i + 1;
    if (!before || k >= w->length || !is_letter(c[k]))
        return false;
    k += k + 1 < w->length && c[k + 1] == '-';
    return k + 1 < w->length && is_letter(c[k + 1]);
}

static size_t chunk_end(const wrap *w, size_t i)
{
    size_t end = i;
    while (end < w->length && is_space(w->c[end]))
        end++;
    if (end > i)
        return end;
    if (!w->break_hyphens) {
        while (end < w->length && !is_space(w->c[end]))
            end++;
        return end;
    }
    end = dash_end(w, i);
    if (end > 0)
        return end;
    for (end = i + 1; end < w->length; end++) {
        if (w->c[end] == '-' && is_hyphenation(w, end))
            return end + 1;
        if (is_space(w->c[end]) || dash_end(w, end) > 0)
            break;
    }
    return end;
}

/* Takes bytes [start, end) of the text for the line, and cuts it. */
static inox_status take_line(wrap *w, size_t start, size_t end, inox_error *err)
{
    size_t n;
    w->length = w->count = 0;
    IX_TRY(ix_j_steps(w->r, (end - start) / 4 + 1, err));
    for (size_t at = start; at < end; at += n) {
        w->bytes[w->length] = at;
        w->c[w->length++] = ix_js_read(w->s, at, &n);
    }
    w->bytes[w->length] = end;
    for (size_t at = 0; at < w->length; at = w->chunks[w->count - 1].end) {
        w->chunks[w->count].start = at;
        w->chunks[w->count].end = chunk_end(w, at);
        w->count++;
    }
    return INOX_OK;
}

/* chunk.strip() == '' of Python: all kinds of white space. */
static bool is_blank(const wrap *w, chunk k)
{
    for (size_t i = k.start; i < k.end; i++)
        if (!ix_char_is(w->c[i], IX_CHAR_SPACE))
            return false;
    return true;
}

/* How much of a chunk that fits no line goes on this one, which has `left` columns to go. */
static size_t long_word_part(const wrap *w, chunk k, double left)
{
    size_t length = k.end - k.start, end, hyphen;
    if (w->width < 1)
        left = 1;
    end = left < 0 ? 0 : left < (double)length ? (size_t)left : length;
    if (w->break_hyphens && (double)length > left) {
        bool other = false;
        for (hyphen = end; hyphen > 0 && w->c[k.start + hyphen - 1] != '-'; hyphen--)
            ;
        for (size_t i = 0; hyphen > 1 && i < hyphen - 1; i++)
            other = other || w->c[k.start + i] != '-';
        if (hyphen > 1 && other)
            end = hyphen;
    }
    return end;
}

/* The next line: characters [*start, *end), which are chunks side by side.  *next is the first
 * chunk behind it, whose front may be cut off. */
static inox_status next_line(wrap *w, size_t *next, bool first, size_t *start, size_t *end,
                             inox_error *err)
{
    double used = 0;
    size_t i = *next, begin;
    if (!first && is_blank(w, w->chunks[i]))
        i++;
    begin = i;
    *start = *end = i < w->count ? w->chunks[i].start : w->length;
    size_t last = *start; /* where the last chunk of the line begins */
    for (; i < w->count; i++) {
        double length = (double)(w->chunks[i].end - w->chunks[i].start);
        if (used + length > w->width)
            break;
        used += length;
        last = w->chunks[i].start;
        *end = w->chunks[i].end;
    }
    if (i < w->count && (double)(w->chunks[i].end - w->chunks[i].start) > w->width) {
        chunk *k = &w->chunks[i];
        if (w->break_words) {
            if (!w->whole_width)
                return ix_j_fail(err, "TypeError",
                                 "slice indices must be integers or None or "
                                 "have an __index__ method");
            size_t part = long_word_part(w, *k, w->width - used);
            last = k->start;
            k->start += part;
            *end = k->start;
        } else if (i == begin) {
            last = k->start;
            *end = k->end;
            i++;
        }
    }
    if (*end > *start && is_blank(w, (chunk){ last, *end }))
        *end = last;
    *next = i;
    return ix_j_steps(w->r, 1, err);
}

static inox_status put_lines(wrap *w, ix_jbuilder *b, ix_jstring *between, size_t *lines,
                             inox_error *err)
{
    bool first = true;
    size_t start, end;
    for (size_t next = 0; next < w->count;) {
        IX_TRY(next_line(w, &next, first, &start, &end, err));
        if (end == start)
            continue;
        if (!first || *lines > 0)
            IX_TRY(ix_jb_string(b, between, err));
        first = false;
        if (between->safe) { /* Markup's join escapes */
            ix_jvalue part;
            IX_TRY(ix_j_slice(w->r, (ix_jstring *)(uintptr_t)w->s, w->bytes[start], w->bytes[end],
                              &part, err));
            IX_TRY(ix_jb_escaped(b, part.string, err));
        } else {
            IX_TRY(ix_jb_part(b, w->s, w->bytes[start], w->bytes[end], err));
        }
    }
    if (first && *lines > 0) /* a paragraph without text is an empty line */
        IX_TRY(ix_jb_string(b, between, err));
    ++*lines;
    return INOX_OK;
}

static inox_status read_arguments(ix_jcall *c, wrap *w, ix_jvalue *between, inox_error *err)
{
    ix_jvalue width = ix_j_given(c, 1) ? c->args[1] : ix_j_int(79);
    IX_TRY(ix_j_truth_argument(c, 2, true, &w->break_words, err));
    IX_TRY(ix_j_truth_argument(c, 4, true, &w->break_hyphens, err));
    *between = c->args[3];
    if (!ix_j_given(c, 3) || c->args[3].kind == IX_J_NONE)
        IX_TRY(ix_j_string_view(c->r, "\n", 1, between, err));
    if (between->kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(c->r, *between, err);
    if (between->kind != IX_J_STRING)
        return ix_j_fail(err, "AttributeError", "'%s' object has no attribute 'join'",
                         ix_j_type_name(*between));
    if (c->args[0].kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(c->r, c->args[0], err);
    if (c->args[0].kind != IX_J_STRING)
        return ix_j_fail(err, "AttributeError", "'%s' object has no attribute 'splitlines'",
                         ix_j_type_name(c->args[0]));
    w->whole_width = ix_j_is_int(width);
    if (c->args[0].string->size == 0)
        return INOX_OK;
    if (width.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(c->r, width, err);
    if (!ix_j_is_number(width))
        return ix_j_fail(err, "TypeError", "'<=' not supported between instances of '%s' and 'int'",
                         ix_j_type_name(width));
    IX_TRY(ix_js_float_of(c->r, width, &w->width, err));
    if (w->width <= 0)
        return ix_j_fail(err, "ValueError", "invalid width (must be > 0)");
    return INOX_OK;
}

inox_status ix_jf_wordwrap(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    wrap w = { .r = c->r };
    ix_jbuilder b = ix_jb(c->r);
    ix_jvalue between;
    size_t end, next, lines = 0;
    IX_TRY(read_arguments(c, &w, &between, err));
    const ix_jstring *s = w.s = c->args[0].string;
    IX_TRY(IX_J_ALLOC(c->r, &w.c, s->size + 1, err));
    IX_TRY(IX_J_ALLOC(c->r, &w.bytes, s->size + 1, err));
    IX_TRY(IX_J_ALLOC(c->r, &w.chunks, s->size + 1, err));
    for (size_t at = 0; at < s->size; at = next) {
        ix_js_line(s, at, &end, &next);
        IX_TRY(take_line(&w, at, end, err));
        IX_TRY(put_lines(&w, &b, between.string, &lines, err));
    }
    return ix_jb_finish(&b, between.string->safe, out, err);
}
