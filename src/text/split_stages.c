/* What pre-tokenizers do to pieces.  See split_stages.h.
 *
 * Stages that cut go over each piece and say of every stretch whether it is a match; the cutter
 * makes pieces of these.  Stages that rewrite make a new text of the pieces, one behind another;
 * what was between pieces is gone from it.
 */
#include "text/split_stages.h"

#include "base/alloc.h"
#include "text/normal.h"
#include "text/unicode.h"

#include <string.h>

/* ---- the cutter ---------------------------------------------------------------------------- */

/* Pieces go to s->spare. */
typedef struct cutter {
    ix_split *split;
    ix_split_behavior behavior;
    size_t count;           /* pieces so far */
    ix_piece_range waiting; /* the last stretch, which may still grow */
    bool waits, was_match;
    inox_error *err;
} cutter;

static inox_status grow(cutter *c)
{
    ix_split *s = c->split;
    size_t capacity = s->spare_capacity * 2 + 64;
    IX_TRY(IX_REALLOC(&s->spare, capacity, c->err));
    s->spare_capacity = capacity;
    return INOX_OK;
}

static inline inox_status piece(cutter *c, size_t start, size_t end)
{
    if (start == end)
        return INOX_OK;
    if (c->count == c->split->spare_capacity)
        IX_TRY(grow(c));
    c->split->spare[c->count++] = (ix_piece_range){ (uint32_t)start, (uint32_t)end };
    return INOX_OK;
}

/* The next stretch of a piece of the old stage, a match or what lies between matches. */
static inox_status stretch(cutter *c, size_t start, size_t end, bool match)
{
    bool joins = false;
    switch (c->behavior) {
    case IX_ISOLATED: return piece(c, start, end);
    case IX_REMOVED: return match ? INOX_OK : piece(c, start, end);
    case IX_CONTIGUOUS: joins = match == c->was_match; break;
    case IX_MERGED_WITH_PREVIOUS: joins = match && !c->was_match; break;
    case IX_MERGED_WITH_NEXT: joins = !match && c->was_match; break;
    }
    joins = joins && c->waits;
    if (c->waits && !joins)
        IX_TRY(piece(c, c->waiting.start, c->waiting.end));
    if (!joins)
        c->waiting.start = (uint32_t)start;
    c->waiting.end = (uint32_t)end;
    c->waits = true;
    c->was_match = match;
    return INOX_OK;
}

/* The end of a piece of the old stage. */
static inox_status finish(cutter *c)
{
    if (c->waits)
        IX_TRY(piece(c, c->waiting.start, c->waiting.end));
    c->waits = c->was_match = false;
    return INOX_OK;
}

static void take_pieces(cutter *c)
{
    ix_split *s = c->split;
    ix_piece_range *pieces = s->pieces;
    size_t capacity = s->capacity;
    s->pieces = s->spare;
    s->capacity = s->spare_capacity;
    s->count = c->count;
    s->spare = pieces;
    s->spare_capacity = capacity;
    s->cut = true;
}

/* ---- classes of characters ----------------------------------------------------------------- */

enum { ASCII_SPACE = 1, ASCII_PUNCTUATION = 2, ASCII_DIGIT = 4, ASCII_WORD = 8 };

/* clang-format off */
#define P ASCII_PUNCTUATION
#define S ASCII_SPACE
#define D (ASCII_DIGIT | ASCII_WORD)
#define W ASCII_WORD
static const uint8_t ascii_classes[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, S, S, S, S, S, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    S, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P,
    D, D, D, D, D, D, D, D, D, D, P, P, P, P, P, P,
    P, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
    W, W, W, W, W, W, W, W, W, W, W, P, P, P, P, P | W,
    P, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
    W, W, W, W, W, W, W, W, W, W, W, P, P, P, P, 0,
};
#undef P
#undef S
#undef D
#undef W
/* clang-format on */

/* Bytes of the character at p, and its classes. */
static inline size_t classify(const char *p, size_t left, unsigned *class)
{
    if ((unsigned char)*p < 0x80) {
        *class = ascii_classes[(unsigned char)*p];
        return 1;
    }
    uint32_t c;
    size_t n = ix_utf8_read(p, left, &c);
    unsigned kind = ix_normal_kind(c), properties = ix_unicode_properties(c);
    *class = (kind & IX_NORMAL_SPACE ? ASCII_SPACE : 0) | (kind & IX_NORMAL_WORD ? ASCII_WORD : 0) |
             (properties & IX_OLD_PUNCTUATION ? ASCII_PUNCTUATION : 0) |
             (properties & IX_NUMERIC ? ASCII_DIGIT : 0);
    return n;
}

/* Characters of a class are matches, one by one. */
static inox_status cut_class(cutter *c, const char *text, ix_piece_range r, unsigned wanted)
{
    size_t from = r.start, n;
    unsigned class;
    for (size_t at = r.start; at < r.end; at += n) {
        n = classify(text + at, r.end - at, &class);
        if (!(class & wanted))
            continue;
        if (from < at)
            IX_TRY(stretch(c, from, at, false));
        IX_TRY(stretch(c, at, at + n, true));
        from = at + n;
    }
    if (from < r.end)
        IX_TRY(stretch(c, from, r.end, false));
    return finish(c);
}

/* Removes spaces; punctuation is isolated. */
static inox_status cut_bert(cutter *c, const char *text, ix_piece_range r)
{
    size_t from = r.start, n;
    unsigned class;
    for (size_t at = r.start; at < r.end; at += n) {
        n = classify(text + at, r.end - at, &class);
        if (!(class & (ASCII_SPACE | ASCII_PUNCTUATION)))
            continue;
        IX_TRY(piece(c, from, at));
        if (!(class & ASCII_SPACE))
            IX_TRY(piece(c, at, at + n));
        from = at + n;
    }
    return piece(c, from, r.end);
}

/* \w+|[^\w\s]+ are the pieces. */
static inox_status cut_words(cutter *c, const char *text, ix_piece_range r)
{
    size_t from = r.start, n;
    unsigned class, before = ASCII_SPACE;
    for (size_t at = r.start; at < r.end; at += n) {
        n = classify(text + at, r.end - at, &class);
        class = class & ASCII_WORD ? ASCII_WORD : class & ASCII_SPACE;
        if (class == before)
            continue;
        if (before != ASCII_SPACE)
            IX_TRY(piece(c, from, at));
        from = at;
        before = class;
    }
    return before != ASCII_SPACE ? piece(c, from, r.end) : INOX_OK;
}

static inox_status cut_delimiter(cutter *c, const char *text, ix_piece_range r, uint32_t delimiter)
{
    char bytes[4];
    size_t n = ix_utf8_write(delimiter, bytes), from = r.start;
    for (size_t at = r.start; at + n <= r.end;) {
        const char *found = memchr(text + at, bytes[0], r.end - n + 1 - at);
        if (!found)
            break;
        at = (size_t)(found - text);
        if (memcmp(found, bytes, n) != 0) {
            at++;
            continue;
        }
        if (from < at)
            IX_TRY(stretch(c, from, at, false));
        IX_TRY(stretch(c, at, at + n, true));
        from = at += n;
    }
    if (from < r.end)
        IX_TRY(stretch(c, from, r.end, false));
    return finish(c);
}

/* Where the script changes.  Characters of no script belong to what is before them; at the
 * beginning there is nothing, and they are lost, as in the library. */
static inox_status cut_scripts(cutter *c, const char *text, ix_piece_range r)
{
    size_t from = r.start, n;
    unsigned before = 0;
    for (size_t at = r.start; at < r.end; at += n) {
        uint32_t character;
        n = ix_utf8_read(text + at, r.end - at, &character);
        unsigned script = ix_script(character);
        if (script == 0 || script == before)
            continue;
        if (before != 0)
            IX_TRY(piece(c, from, at));
        from = at;
        before = script;
    }
    return before != 0 ? piece(c, from, r.end) : INOX_OK;
}

static inox_status cut_length(cutter *c, const char *text, ix_piece_range r, size_t length)
{
    size_t from = r.start, count = 0;
    uint32_t character;
    for (size_t at = r.start; at < r.end;) {
        at += ix_utf8_read(text + at, r.end - at, &character);
        if (++count == length || at == r.end) {
            IX_TRY(piece(c, from, at));
            from = at;
            count = 0;
        }
    }
    return INOX_OK;
}

static inox_status cut_pattern(cutter *c, const char *text, ix_piece_range r,
                               const ix_split_stage *stage, ix_pattern_cursor *cursor)
{
    size_t from = 0, start, end;
    bool found;
    ix_pattern_start(cursor, stage->pattern, text + r.start, r.end - r.start);
    for (;;) {
        IX_TRY(ix_pattern_next(cursor, &start, &end, &found, c->err));
        if (!found)
            break;
        if (from != start)
            IX_TRY(stretch(c, r.start + from, r.start + start, stage->invert));
        IX_TRY(stretch(c, r.start + start, r.start + end, !stage->invert));
        from = end;
    }
    if (r.start + from != r.end)
        IX_TRY(stretch(c, r.start + from, r.end, stage->invert));
    return finish(c);
}

static inox_status cut(const ix_split_stage *stage, ix_split *s, inox_error *err)
{
    cutter c = { .split = s, .behavior = stage->behavior, .err = err };
    ix_pattern_cursor cursor = { 0 };
    const char *text = s->text.data;
    inox_status status = INOX_OK;
    if (stage->kind == IX_SPLIT_BYTE_LEVEL)
        c.behavior = IX_ISOLATED;
    else if (stage->kind == IX_SPLIT_WHITESPACE_SPLIT || stage->kind == IX_SPLIT_DELIMITER)
        c.behavior = IX_REMOVED;
    else if (stage->kind == IX_SPLIT_METASPACE)
        c.behavior = IX_MERGED_WITH_NEXT;
    for (size_t i = 0; i < s->count && status == INOX_OK; i++) {
        ix_piece_range r = s->pieces[i];
        switch (stage->kind) {
        case IX_SPLIT_BERT: status = cut_bert(&c, text, r); break;
        case IX_SPLIT_WHITESPACE: status = cut_words(&c, text, r); break;
        case IX_SPLIT_WHITESPACE_SPLIT: status = cut_class(&c, text, r, ASCII_SPACE); break;
        case IX_SPLIT_PUNCTUATION: status = cut_class(&c, text, r, ASCII_PUNCTUATION); break;
        case IX_SPLIT_DIGITS: status = cut_class(&c, text, r, ASCII_DIGIT); break;
        case IX_SPLIT_METASPACE:
        case IX_SPLIT_DELIMITER: status = cut_delimiter(&c, text, r, stage->character); break;
        case IX_SPLIT_SCRIPTS: status = cut_scripts(&c, text, r); break;
        case IX_SPLIT_FIXED_LENGTH: status = cut_length(&c, text, r, stage->length); break;
        case IX_SPLIT_BYTE_LEVEL:
        case IX_SPLIT_PATTERN: status = cut_pattern(&c, text, r, stage, &cursor); break;
        case IX_SPLIT_SEQUENCE: break;
        }
    }
    ix_pattern_release(&cursor);
    if (status == INOX_OK)
        take_pieces(&c);
    return status;
}

/* ---- rewriting ----------------------------------------------------------------------------- */

/* What is written of one piece: old[r.start..r.end) of w->old. */
typedef inox_status (*write_piece)(const ix_split_stage *stage, const ix_split *s, ix_piece_range r,
                                   ix_rewrite *w, inox_error *err);

static inox_status rewrite(const ix_split_stage *stage, ix_split *s, write_piece write,
                           inox_error *err)
{
    ix_rewrite w;
    IX_TRY(ix_rewrite_begin(&w, &s->text, s->text.size + s->text.size / 4, err));
    inox_status status = INOX_OK;
    cutter c = { .split = s, .err = err };
    for (size_t i = 0; i < s->count && status == INOX_OK; i++) {
        size_t start = w.out.size;
        status = write(stage, s, s->pieces[i], &w, err);
        if (status == INOX_OK)
            status = piece(&c, start, w.out.size);
    }
    if (status != INOX_OK) {
        ix_rewrite_cancel(&w);
        return status;
    }
    ix_rewrite_finish(&w, &s->text);
    bool was_cut = s->cut;
    take_pieces(&c);
    s->cut = was_cut;
    return INOX_OK;
}

static size_t first_character(const ix_split *s, ix_piece_range r)
{
    uint32_t c;
    return ix_utf8_read(s->text.data + r.start, r.end - r.start, &c);
}

static inox_status write_prefix(const ix_split_stage *stage, const ix_split *s, ix_piece_range r,
                                ix_rewrite *w, inox_error *err)
{
    (void)stage;
    if (s->text.data[r.start] != ' ')
        IX_TRY(ix_rewrite_put(w, " ", 1, r.start, r.start + first_character(s, r), err));
    return ix_rewrite_copy(w, r.start, r.end, err);
}

static inox_status write_bytes(ix_rewrite *w, size_t at, size_t end, inox_error *err)
{
    const char *text = w->old->data;
    size_t from = at, n;
    for (; at < end; at += n) {
        unsigned char b = (unsigned char)text[at];
        n = 1;
        if (b > ' ' && b < 0x7F)
            continue;
        char out[8];
        uint32_t c;
        size_t size = 0;
        n = ix_utf8_read(text + at, end - at, &c);
        for (size_t i = 0; i < n; i++)
            size += ix_utf8_write(ix_byte_alphabet[(unsigned char)text[at + i]], out + size);
        IX_TRY(ix_rewrite_copy(w, from, at, err));
        IX_TRY(ix_rewrite_put(w, out, size, at, at + n, err));
        from = at + n;
    }
    return ix_rewrite_copy(w, from, end, err);
}

static inox_status write_alphabet(const ix_split_stage *stage, const ix_split *s, ix_piece_range r,
                                  ix_rewrite *w, inox_error *err)
{
    (void)stage;
    (void)s;
    return write_bytes(w, r.start, r.end, err);
}

inox_status ix_write_bytes(ix_mapped_text *text, inox_error *err)
{
    ix_rewrite w;
    if (text->size == 0)
        return INOX_OK;
    IX_TRY(ix_rewrite_begin(&w, text, text->size + text->size / 4, err));
    inox_status status = write_bytes(&w, 0, text->size, err);
    if (status == INOX_OK)
        ix_rewrite_finish(&w, text);
    else
        ix_rewrite_cancel(&w);
    return status;
}

/* Spaces become the replacement, and one is put in front. */
static inox_status write_metaspace(const ix_split_stage *stage, const ix_split *s, ix_piece_range r,
                                   ix_rewrite *w, inox_error *err)
{
    char bytes[4];
    const char *text = s->text.data;
    uint32_t c;
    size_t n = ix_utf8_write(stage->character, bytes), from = r.start;
    size_t first = ix_utf8_read(text + r.start, r.end - r.start, &c);
    bool prefix = c != ' ' && c != stage->character && stage->prepend != IX_PREPEND_NEVER;
    if (stage->prepend == IX_PREPEND_FIRST)
        prefix = prefix && (s->cut ? ix_mapped_start(&s->text, r.start) : s->text.base) == 0;
    if (prefix)
        IX_TRY(ix_rewrite_put(w, bytes, n, r.start, r.start + first, err));
    while (from < r.end) {
        const char *space = memchr(text + from, ' ', r.end - from);
        size_t at = space ? (size_t)(space - text) : r.end;
        IX_TRY(ix_rewrite_copy(w, from, at, err));
        if (space)
            IX_TRY(ix_rewrite_put(w, bytes, n, at, at + 1, err));
        from = at + (space != NULL);
    }
    return INOX_OK;
}

static bool lacks_prefix(const ix_split *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->text.data[s->pieces[i].start] != ' ')
            return true;
    return false;
}

inox_status ix_split_stage_run(const ix_split_stage *stage, ix_split *s, bool raw, inox_error *err)
{
    switch (stage->kind) {
    case IX_SPLIT_METASPACE:
        IX_TRY(rewrite(stage, s, write_metaspace, err));
        return stage->split ? cut(stage, s, err) : INOX_OK;
    case IX_SPLIT_BYTE_LEVEL:
        if (stage->prefix && lacks_prefix(s))
            IX_TRY(rewrite(stage, s, write_prefix, err));
        if (stage->pattern)
            IX_TRY(cut(stage, s, err));
        return raw ? INOX_OK : rewrite(stage, s, write_alphabet, err);
    case IX_SPLIT_BERT:
    case IX_SPLIT_DELIMITER:
    case IX_SPLIT_WHITESPACE:
    case IX_SPLIT_WHITESPACE_SPLIT:
    case IX_SPLIT_PUNCTUATION:
    case IX_SPLIT_DIGITS:
    case IX_SPLIT_PATTERN:
    case IX_SPLIT_SCRIPTS:
    case IX_SPLIT_FIXED_LENGTH:
    case IX_SPLIT_SEQUENCE: break;
    }
    return cut(stage, s, err);
}
