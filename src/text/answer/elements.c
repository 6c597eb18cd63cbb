/* Arguments as elements, <k>v</k>, whose values may be elements again: those of the name `item` are
 * a list, others an object.  MiniMax M3 writes a token of its own in front of every tag, so that
 * text is no element. */
#include "text/answer/format.h"

enum { ELEMENTS_DEPTH_MAX = 16 };

/* Bytes of start, key, key_end at the beginning of v; 0: something else stands there. */
static size_t tag_of(const ix_answer_format *f, ix_text_view v, ix_text_view start,
                     ix_text_view key)
{
    if (!begins(v, start) || !begins(behind(v, start.size), key) ||
        !begins(behind(v, start.size + key.size), f->key_end))
        return 0;
    return start.size + key.size + f->key_end.size;
}

size_t ix_answer_element_end(const ix_answer_format *f, ix_text_view v, size_t from,
                             ix_text_view key, size_t *mark)
{
    size_t depth = 1;
    while (from < v.size) {
        size_t at = ix_answer_find_from(v, from, f->key_start);
        if (at == SIZE_MAX)
            return SIZE_MAX;
        *mark = tag_of(f, behind(v, at), f->value_end, key);
        if (*mark > 0 && --depth == 0)
            return at;
        depth += tag_of(f, behind(v, at), f->key_start, key) > 0;
        from = at + f->key_start.size;
    }
    return SIZE_MAX;
}

/* The element that v begins with behind white space: its key, its value, and its bytes. */
static size_t element(const ix_answer_format *f, ix_text_view v, ix_text_view *key,
                      ix_text_view *value)
{
    size_t mark;
    ix_text_view rest = behind_space(v);
    if (!begins(rest, f->key_start) || begins(rest, f->value_end))
        return 0;
    const char *end = ix_answer_find(behind(rest, f->key_start.size), f->key_end);
    if (!end)
        return 0;
    size_t content = (size_t)(end - v.data) + f->key_end.size;
    *key = (ix_text_view){ rest.data + f->key_start.size,
                           (size_t)(end - rest.data) - f->key_start.size };
    size_t stop = ix_answer_element_end(f, v, content, *key, &mark);
    if (key->size == 0 || stop == SIZE_MAX)
        return 0;
    *value = (ix_text_view){ v.data + content, stop - content };
    return stop + mark;
}

static inox_status append(const ix_answer_format *f, argument_schema s, ix_text_view value,
                          int depth, ix_buffer *out, bool *is, inox_error *err)
{
    ix_text_view key, inner, rest = trimmed(value);
    bool list = element(f, rest, &key, &inner) > 0 && ix_text_is(key, "item");
    size_t before = out->size, n;
    *is = false;
    if (depth >= ELEMENTS_DEPTH_MAX || rest.size == 0 || ix_answer_is_text(s))
        return INOX_OK;
    IX_TRY(ix_buffer_append(out, list ? "[" : "{", 1, err));
    for (; rest.size > 0; rest = behind(rest, n)) {
        n = element(f, rest, &key, &inner);
        if (n == 0) {
            out->size = before;
            return INOX_OK;
        }
        argument_schema within = ix_answer_schema_within(s, key);
        bool elements;
        IX_TRY(ix_buffer_append(out, ", ", out->size > before + 1 ? 2 : 0, err));
        if (!list) {
            IX_TRY(ix_answer_append_string(out, key, err));
            IX_TRY(ix_buffer_append(out, ": ", 2, err));
        }
        IX_TRY(append(f, within, inner, depth + 1, out, &elements, err));
        if (!elements)
            IX_TRY(ix_answer_append_value(f, within, false, inner, out, err));
    }
    *is = true;
    return ix_buffer_append(out, list ? "]" : "}", 1, err);
}

inox_status ix_answer_append_elements(const ix_answer_format *f, argument_schema s,
                                      ix_text_view value, ix_buffer *out, bool *is, inox_error *err)
{
    return append(f, s, value, 0, out, is, err);
}
