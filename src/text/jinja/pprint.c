/* pprint: Python's pprint.pformat in 80 columns, dicts sorted.  Follows its PrettyPrinter: what
 * does not fit on the line is broken up, item by item; long strings at words. */
#include "text/jinja/filters.h"

#include <string.h>

enum { WIDTH = 80 };

/* Keys that do not compare are ordered by their types, as pprint does; Python goes on by address
 * within a type, here they stay in their order. */
static inox_status key_less(ix_jrender *r, ix_jvalue a, ix_jvalue b, bool *out, inox_error *err)
{
    inox_error why;
    inox_status status = ix_j_compare(r, IX_J_LT, a, b, out, &why);
    if (status == INOX_E_LIMIT)
        return ix_j_compare(r, IX_J_LT, a, b, out, err); /* once more, for the message */
    if (status != INOX_OK)
        *out = strcmp(ix_j_type_name(a), ix_j_type_name(b)) < 0;
    return INOX_OK;
}

static inox_status sorted_pairs(ix_jrender *r, const ix_jdict *d, ix_jvalue **keys,
                                ix_jvalue **values, inox_error *err)
{
    IX_TRY(IX_J_ALLOC(r, keys, d->count, err));
    IX_TRY(IX_J_ALLOC(r, values, d->count, err));
    for (size_t i = 0; i < d->count; i++) {
        (*keys)[i] = d->pairs[i].key;
        (*values)[i] = d->pairs[i].value;
    }
    return ix_j_sort(r, *keys, *values, d->count, false, key_less, err);
}

static bool is_plain_list(ix_jvalue v)
{
    return (v.kind == IX_J_LIST || v.kind == IX_J_TUPLE) && !v.list->names;
}

/* ---- on one line ----------------------------------------------------------------------------- */

static inox_status put_line(ix_jbuilder *b, ix_jvalue v, inox_error *err);

static inox_status put_items_in_line(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    bool tuple = v.kind == IX_J_TUPLE;
    IX_TRY(ix_jb_text(b, tuple ? "(" : "[", err));
    for (size_t i = 0; i < v.list->count; i++) {
        if (i > 0)
            IX_TRY(ix_jb_text(b, ", ", err));
        IX_TRY(put_line(b, v.list->items[i], err));
    }
    return ix_jb_text(b, !tuple ? "]" : v.list->count == 1 ? ",)" : ")", err);
}

static inox_status put_dict_in_line(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    ix_jvalue *keys, *values;
    IX_TRY(sorted_pairs(b->r, v.dict, &keys, &values, err));
    IX_TRY(ix_jb_text(b, "{", err));
    for (size_t i = 0; i < v.dict->count; i++) {
        if (i > 0)
            IX_TRY(ix_jb_text(b, ", ", err));
        IX_TRY(put_line(b, keys[i], err));
        IX_TRY(ix_jb_text(b, ": ", err));
        IX_TRY(put_line(b, values[i], err));
    }
    return ix_jb_text(b, "}", err);
}

/* repr(v) with sorted dicts. */
static inox_status put_line(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    inox_status status;
    IX_TRY(ix_j_steps(b->r, 1, err));
    if (v.kind != IX_J_DICT && !is_plain_list(v))
        return ix_jb_repr(b, v, err);
    IX_TRY(ix_j_enter(b->r, err));
    status = v.kind == IX_J_DICT ? put_dict_in_line(b, v, err) : put_items_in_line(b, v, err);
    ix_j_leave(b->r);
    return status;
}

static inox_status one_line(ix_jrender *r, ix_jvalue v, ix_jstring **out, inox_error *err)
{
    ix_jbuilder b = ix_jb(r);
    ix_jvalue text;
    IX_TRY(put_line(&b, v, err));
    IX_TRY(ix_jb_finish(&b, false, &text, err));
    *out = text.string;
    return INOX_OK;
}

/* ---- on several ------------------------------------------------------------------------------ */

static inox_status put(ix_jbuilder *b, ix_jvalue v, int64_t indent, int64_t allowance, int level,
                       inox_error *err);

static inox_status new_line(ix_jbuilder *b, const char *before, int64_t indent, inox_error *err)
{
    IX_TRY(ix_jb_text(b, before, err));
    return ix_js_fill(b, ' ', false, indent, err);
}

static inox_status put_items(ix_jbuilder *b, ix_jvalue v, int64_t indent, int64_t allowance,
                             int level, inox_error *err)
{
    const char *end = v.kind == IX_J_LIST ? "]" : v.list->count == 1 ? ",)" : ")";
    allowance += (int64_t)strlen(end);
    indent++;
    IX_TRY(ix_jb_text(b, v.kind == IX_J_LIST ? "[" : "(", err));
    for (size_t i = 0; i < v.list->count; i++) {
        bool last = i + 1 == v.list->count;
        if (i > 0)
            IX_TRY(new_line(b, ",\n", indent, err));
        IX_TRY(put(b, v.list->items[i], indent, last ? allowance : 1, level, err));
    }
    return ix_jb_text(b, end, err);
}

static inox_status put_dict(ix_jbuilder *b, ix_jvalue v, int64_t indent, int64_t allowance,
                            int level, inox_error *err)
{
    ix_jvalue *keys, *values;
    IX_TRY(sorted_pairs(b->r, v.dict, &keys, &values, err));
    allowance++;
    indent++;
    IX_TRY(ix_jb_text(b, "{", err));
    for (size_t i = 0; i < v.dict->count; i++) {
        bool last = i + 1 == v.dict->count;
        ix_jstring *key;
        if (i > 0)
            IX_TRY(new_line(b, ",\n", indent, err));
        IX_TRY(one_line(b->r, keys[i], &key, err));
        IX_TRY(ix_jb_string(b, key, err));
        IX_TRY(ix_jb_text(b, ": ", err));
        IX_TRY(put(b, values[i], indent + (int64_t)ix_j_length(key) + 2, last ? allowance : 1,
                   level, err));
    }
    return ix_jb_text(b, "}", err);
}

/* Adds repr of bytes [start, end) of s to the chunks. */
static inox_status add_chunk(ix_jrender *r, ix_jvalue chunks, ix_jstring *s, size_t start,
                             size_t end, inox_error *err)
{
    ix_jvalue part;
    IX_TRY(ix_j_slice(r, s, start, end, &part, err));
    IX_TRY(ix_j_repr(r, part, &part, err));
    return ix_j_append(r, chunks, part, err);
}

static inox_status repr_length(ix_jrender *r, ix_jstring *s, size_t start, size_t end, int64_t *out,
                               inox_error *err)
{
    ix_jvalue part;
    IX_TRY(ix_j_slice(r, s, start, end, &part, err));
    IX_TRY(ix_j_repr(r, part, &part, err));
    *out = (int64_t)ix_j_length(part.string);
    return INOX_OK;
}

/* The end of the word at `at` and of the white space behind it. */
static size_t word_end(const ix_jstring *s, size_t at, size_t end)
{
    size_t n;
    while (at < end && !ix_char_is(ix_js_read(s, at, &n), IX_CHAR_SPACE))
        at += n;
    while (at < end && ix_char_is(ix_js_read(s, at, &n), IX_CHAR_SPACE))
        at += n;
    return at;
}

/* A line of a string that is too long, in pieces of words; `allowance` is kept free behind the
 * last. */
static inox_status chunk_words(ix_jrender *r, ix_jvalue chunks, ix_jstring *s, size_t from,
                               size_t end, int64_t width, int64_t allowance, inox_error *err)
{
    size_t start = from, next;
    int64_t length;
    for (size_t at = from; at < end; at = next) {
        next = word_end(s, at, end);
        if (next == end)
            width -= allowance;
        IX_TRY(repr_length(r, s, start, next, &length, err));
        if (length > width) {
            if (at > start)
                IX_TRY(add_chunk(r, chunks, s, start, at, err));
            start = at;
        }
    }
    return start < end ? add_chunk(r, chunks, s, start, end, err) : INOX_OK;
}

static inox_status put_string(ix_jbuilder *b, ix_jstring *s, int64_t indent, int64_t allowance,
                              int level, inox_error *err)
{
    ix_jvalue chunks;
    size_t end, next;
    int64_t length;
    IX_TRY(ix_j_list(b->r, 4, &chunks, err));
    indent += level == 1;
    allowance += level == 1;
    for (size_t at = 0; at < s->size; at = next) {
        ix_js_line(s, at, &end, &next);
        int64_t keep = next == s->size ? allowance : 0;
        IX_TRY(repr_length(b->r, s, at, next, &length, err));
        if (length <= WIDTH - indent - keep)
            IX_TRY(add_chunk(b->r, chunks, s, at, next, err));
        else
            IX_TRY(chunk_words(b->r, chunks, s, at, next, WIDTH - indent, keep, err));
    }
    bool several = chunks.list->count > 1;
    if (several && level == 1)
        IX_TRY(ix_jb_text(b, "(", err));
    for (size_t i = 0; i < chunks.list->count; i++) {
        if (i > 0)
            IX_TRY(new_line(b, "\n", indent, err));
        IX_TRY(ix_jb_string(b, chunks.list->items[i].string, err));
    }
    return several && level == 1 ? ix_jb_text(b, ")", err) : INOX_OK;
}

/* v at column `indent`, with `allowance` columns kept free behind it. */
static inox_status put(ix_jbuilder *b, ix_jvalue v, int64_t indent, int64_t allowance, int level,
                       inox_error *err)
{
    ix_jstring *line;
    inox_status status;
    IX_TRY(one_line(b->r, v, &line, err));
    bool text = v.kind == IX_J_STRING && !v.string->safe && v.string->size > 0;
    if ((int64_t)ix_j_length(line) <= WIDTH - indent - allowance ||
        (v.kind != IX_J_DICT && !is_plain_list(v) && !text))
        return ix_jb_string(b, line, err);
    IX_TRY(ix_j_enter(b->r, err));
    level++;
    status = text                  ? put_string(b, v.string, indent, allowance, level, err)
             : v.kind == IX_J_DICT ? put_dict(b, v, indent, allowance, level, err)
                                   : put_items(b, v, indent, allowance, level, err);
    ix_j_leave(b->r);
    return status;
}

inox_status ix_jf_pprint(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    IX_TRY(put(&b, c->args[0], 0, 0, 0, err));
    return ix_jb_finish(&b, false, out, err);
}
