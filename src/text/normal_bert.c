/* BertNormalizer and Lowercase: the normalizers of uncased models.
 *
 * What happens to ASCII keeps its place, so a first pass does that over all bytes in place, many at
 * a time, and the map stays what it was.  A second one stops only where something is taken away,
 * put in or changes its length: control characters and beyond ASCII.
 */
#include "text/normal.h"

#include <string.h>

static bool is_upper(unsigned char c)
{
    return (unsigned char)(c - 'A') < 26;
}

static bool is_line_space(unsigned char c)
{
    return c == '\t' || c == '\n' || c == '\r';
}

/* Letters in lower case and line ends and tabs as spaces, in place. */
static inox_status change_ascii(ix_mapped_text *t, bool lower, bool clean, inox_error *err)
{
    size_t at = 0, size = t->size;
    while (at < size && !(lower && is_upper((unsigned char)t->data[at])) &&
           !(clean && is_line_space((unsigned char)t->data[at])))
        at++;
    if (at == size)
        return INOX_OK;
    IX_TRY(ix_mapped_own(t, err));
    char *p = t->owned;
    unsigned char upper = lower ? 26 : 0;
    if (!clean) {
        for (; at < size; at++) {
            unsigned char c = (unsigned char)p[at];
            p[at] = (char)(c | ((unsigned char)(c - 'A') < upper ? 0x20 : 0));
        }
        return INOX_OK;
    }
    for (; at < size; at++) {
        unsigned char c = (unsigned char)p[at];
        unsigned char space = c == '\t' || c == '\n' || c == '\r';
        c = (unsigned char)(c | ((unsigned char)(c - 'A') < upper ? 0x20 : 0));
        p[at] = (char)(space ? ' ' : c);
    }
    return INOX_OK;
}

/* The first byte from `at` on that is not among the `count` ones from `low` on. */
static size_t skip_range(const char *text, size_t at, size_t size, unsigned char low,
                         unsigned char count)
{
    enum { BLOCK = 32 };
    while (size - at >= BLOCK) {
        unsigned char any = 0;
        for (size_t i = 0; i < BLOCK; i++)
            any |= (unsigned char)(text[at + i] - low) >= count;
        if (any)
            break;
        at += BLOCK;
    }
    while (at < size && (unsigned char)(text[at] - low) < count)
        at++;
    return at;
}

/* ---- BertNormalizer ------------------------------------------------------------------------ */

/* Characters old[from..to) onto the list, cleaned, with spaces around Chinese ones. */
static inox_status collect(const ix_bert_options *o, const char *text, size_t from, size_t to,
                           ix_chars *list, inox_error *err)
{
    list->count = 0;
    for (size_t n; from < to; from += n) {
        uint32_t c;
        n = ix_utf8_read(text + from, to - from, &c);
        unsigned kind = ix_normal_kind(c);
        ix_char item = { .c = c, .from = (uint32_t)from, .to = (uint32_t)(from + n) }, space = item;
        space.c = ' ';
        if (o->clean_text && (kind & IX_NORMAL_CLEAN))
            continue;
        if (o->clean_text && (kind & IX_NORMAL_SPACE))
            item.c = ' ';
        bool chinese = o->handle_chinese_chars && (kind & IX_NORMAL_CHINESE);
        if (chinese)
            IX_TRY(ix_chars_add(list, space, err));
        IX_TRY(ix_chars_add(list, item, err));
        if (chinese)
            IX_TRY(ix_chars_add(list, space, err));
    }
    return INOX_OK;
}

static inox_status lower_list(ix_chars *list, inox_error *err)
{
    list->other_count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const uint32_t *to;
        ix_char item = list->items[i];
        size_t n = ix_normal_lower(item.c, &to);
        if (item.c < 0x80) { /* the first pass saw only those of the text itself */
            item.c += is_upper((unsigned char)item.c) ? 32 : 0;
            n = 0;
        }
        for (size_t k = 0; k < n || k == 0; k++) {
            item.c = n > 0 ? to[k] : item.c;
            IX_TRY(ix_chars_add_other(list, item, err));
        }
    }
    ix_chars_swap(list);
    return INOX_OK;
}

static inox_status change_segment(const ix_bert_options *o, ix_edit *e, ix_chars *list, size_t from,
                                  size_t to, inox_error *err)
{
    IX_TRY(collect(o, e->text->data, from, to, list, err));
    if (o->strip_accents) {
        IX_TRY(ix_chars_normalize(list, IX_NFD, err));
        size_t kept = 0;
        for (size_t i = 0; i < list->count; i++)
            if (!(ix_normal_kind(list->items[i].c) & IX_NORMAL_NONSPACING))
                list->items[kept++] = list->items[i];
        list->count = kept;
    }
    if (o->lowercase)
        IX_TRY(lower_list(list, err));
    return ix_chars_write(list, e, from, to, err);
}

static inox_status change_others(const ix_bert_options *o, ix_edit *e, ix_chars *list,
                                 inox_error *err)
{
    const char *text = e->text->data;
    size_t size = e->text->size, at = 0, n;
    unsigned clean = o->clean_text ? IX_NORMAL_CLEAN | IX_NORMAL_SPACE : 0;
    unsigned strip =
        o->strip_accents ? IX_NORMAL_NFD | IX_NORMAL_NONSPACING | IX_NORMAL_HAS_ORDER : 0;
    unsigned mask = clean | strip | (o->lowercase ? IX_NORMAL_LOWER : 0) |
                    (o->handle_chinese_chars ? IX_NORMAL_CHINESE : 0);
    /* The segment goes on over what is taken away before marks are sorted, and over marks. */
    unsigned goes_on = o->strip_accents ? (clean & IX_NORMAL_CLEAN) | IX_NORMAL_JOINS : 0;
    unsigned char low = o->clean_text ? 0x20 : 0, count = o->clean_text ? 0x5F : 0x80;
    while ((at = skip_range(text, at, size, low, count)) < size) {
        uint32_t c;
        size_t from = at;
        at += ix_utf8_read(text + at, size - at, &c);
        if (!(ix_normal_kind(c) & mask))
            continue;
        for (; goes_on && at < size; at += n) {
            n = ix_utf8_read(text + at, size - at, &c);
            if (!(ix_normal_kind(c) & goes_on))
                break;
        }
        IX_TRY(change_segment(o, e, list, from, at, err));
    }
    return INOX_OK;
}

inox_status ix_normalize_bert(const ix_bert_options *o, ix_mapped_text *text, inox_error *err)
{
    ix_edit edit;
    ix_chars list = { 0 };
    IX_TRY(change_ascii(text, o->lowercase, o->clean_text, err));
    ix_edit_begin(&edit, text);
    inox_status status = change_others(o, &edit, &list, err);
    ix_chars_release(&list);
    return ix_edit_end(&edit, status, err);
}

/* ---- Lowercase ----------------------------------------------------------------------------- */

inox_status ix_normalize_lower(ix_mapped_text *text, inox_error *err)
{
    static const ix_bert_options lower = { .lowercase = true };
    return ix_normalize_bert(&lower, text, err);
}
