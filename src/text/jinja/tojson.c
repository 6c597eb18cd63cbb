/* tojson as transformers has it: Python's json.dumps, without the escaping of HTML. */
#include "text/jinja/filters.h"
#include "text/jinja/number.h"

#include <string.h>

typedef struct json {
    ix_jbuilder *b;
    bool ascii, sort;
    const ix_jstring *indent; /* NULL: all on one line */
    const ix_jstring *item_separator, *key_separator;
    size_t depth;
} json;

/* Appends a separator, of which most are two bytes of the template's. */
static inline inox_status put_separator(json *j, const ix_jstring *s, inox_error *err)
{
    ix_jbuilder *b = j->b;
    if (s->size != 2 || s->origin != IX_J_TEMPLATE || b->capacity - b->size < 2)
        return ix_jb_string(b, s, err);
    memcpy(b->data + b->size, s->data, 2);
    b->size += 2;
    return INOX_OK;
}

static inox_status put_escape(json *j, uint32_t c, bool user, inox_error *err)
{
    static const char digits[] = "0123456789abcdef";
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char text[6] = { '\\', 'u' };
    for (size_t i = 0; i + 1 < sizeof shorts && c < 128; i += 2)
        if (shorts[i] == (char)c) {
            text[1] = shorts[i + 1];
            return ix_jb_bytes(j->b, text, 2, user, err);
        }
    for (int i = 0; i < 4; i++)
        text[2 + i] = digits[c >> 4 * (3 - i) & 15];
    return ix_jb_bytes(j->b, text, 6, user, err);
}

/* True if one of the eight bytes at p is a character that JSON always writes as an escape. */
static inline bool any_escape(const char *p)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    uint64_t x;
    memcpy(&x, p, 8);
    uint64_t quote = x ^ (ones * '"'), escape = x ^ (ones * '\\');
    return ((((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) | ((escape - ones) & ~escape)) &
            tops) != 0;
}

/* Where the first character of [at, s->size) is that JSON writes as an escape. */
static inline size_t next_escape(const json *j, const ix_jstring *s, size_t at)
{
    if (!j->ascii && s->size - at >= 8) {
        while (s->size - at >= 8 && !any_escape(s->data + at))
            at += 8;
        if (s->size - at < 8 && !any_escape(s->data + s->size - 8))
            return s->size;
    }
    for (; at < s->size; at++) {
        unsigned char c = (unsigned char)s->data[at];
        if (c < 32 || c == '"' || c == '\\' || (c >= 127 && j->ascii))
            break;
    }
    return at;
}

static inox_status put_string(json *j, const ix_jstring *s, inox_error *err)
{
    size_t from = 0, at = s->plain ? s->size : next_escape(j, s, 0), n;
    if (at == s->size)
        return ix_jb_quoted(j->b, s, '"', err);
    IX_TRY(ix_jb_text(j->b, "\"", err));
    for (; at < s->size; at = next_escape(j, s, from)) {
        uint32_t c = ix_js_read(s, at, &n);
        bool user = ix_j_is_user(s, at);
        IX_TRY(ix_jb_part(j->b, s, from, at, err));
        from = at + n;
        IX_TRY(ix_j_steps(j->b->r, 1, err));
        if (c > 0xFFFF) {
            IX_TRY(put_escape(j, 0xD800 + ((c - 0x10000) >> 10), user, err));
            c = 0xDC00 + (c & 0x3FF);
        }
        IX_TRY(put_escape(j, c, user, err));
    }
    IX_TRY(ix_jb_part(j->b, s, from, s->size, err));
    return ix_jb_text(j->b, "\"", err);
}

static inox_status put_float(json *j, double x, inox_error *err)
{
    char text[IX_J_FLOAT_TEXT];
    if (x - x != 0.0)
        return ix_jb_text(j->b, x != x ? "NaN" : x > 0 ? "Infinity" : "-Infinity", err);
    return ix_jb_bytes(j->b, text, ix_j_float_text(x, text), false, err);
}

static inox_status put_line(json *j, inox_error *err)
{
    if (!j->indent)
        return INOX_OK;
    IX_TRY(ix_jb_text(j->b, "\n", err));
    return ix_js_repeat(j->b, j->indent, (int64_t)j->depth, err);
}

static inox_status put_value(json *j, ix_jvalue v, inox_error *err);

static inox_status put_list(json *j, const ix_jlist *l, inox_error *err)
{
    if (l->count == 0)
        return ix_jb_text(j->b, "[]", err);
    IX_TRY(ix_jb_text(j->b, "[", err));
    j->depth++;
    for (size_t i = 0; i < l->count; i++) {
        if (i > 0)
            IX_TRY(put_separator(j, j->item_separator, err));
        IX_TRY(put_line(j, err));
        IX_TRY(put_value(j, l->items[i], err));
    }
    j->depth--;
    IX_TRY(put_line(j, err));
    return ix_jb_text(j->b, "]", err);
}

static inox_status put_key(json *j, ix_jvalue key, inox_error *err)
{
    switch (key.kind) {
    case IX_J_STRING: return put_string(j, key.string, err);
    case IX_J_NONE:
    case IX_J_BOOL:
    case IX_J_INT:
    case IX_J_BIG:
    case IX_J_FLOAT:
        IX_TRY(ix_jb_text(j->b, "\"", err));
        IX_TRY(put_value(j, key, err));
        return ix_jb_text(j->b, "\"", err);
    default:
        return ix_j_fail(err, "TypeError", "keys must be str, int, float, bool or None, not %s",
                         ix_j_type_name(key));
    }
}

/* The pairs of a dict in the order of their keys. */
static inox_status sorted_pairs(json *j, const ix_jdict *d, ix_jvalue **keys, ix_jvalue **values,
                                inox_error *err)
{
    IX_TRY(IX_J_ALLOC(j->b->r, keys, d->count, err));
    IX_TRY(IX_J_ALLOC(j->b->r, values, d->count, err));
    for (size_t i = 0; i < d->count; i++) {
        (*keys)[i] = d->pairs[i].key;
        (*values)[i] = d->pairs[i].value;
    }
    return ix_j_sort(j->b->r, *keys, *values, d->count, false, NULL, err);
}

static inox_status put_dict(json *j, const ix_jdict *d, inox_error *err)
{
    ix_jvalue *keys = NULL, *values = NULL;
    if (d->count == 0)
        return ix_jb_text(j->b, "{}", err);
    if (j->sort)
        IX_TRY(sorted_pairs(j, d, &keys, &values, err));
    IX_TRY(ix_jb_text(j->b, "{", err));
    j->depth++;
    for (size_t i = 0; i < d->count; i++) {
        if (i > 0)
            IX_TRY(put_separator(j, j->item_separator, err));
        IX_TRY(put_line(j, err));
        IX_TRY(put_key(j, keys ? keys[i] : d->pairs[i].key, err));
        IX_TRY(put_separator(j, j->key_separator, err));
        IX_TRY(put_value(j, keys ? values[i] : d->pairs[i].value, err));
    }
    j->depth--;
    IX_TRY(put_line(j, err));
    return ix_jb_text(j->b, "}", err);
}

/* As deep as the value nests, which ix_j_enter bounds. */
static inox_status put_value(json *j, ix_jvalue v, inox_error *err)
{
    inox_status status;
    IX_TRY(ix_j_steps(j->b->r, 1, err));
    switch (v.kind) {
    case IX_J_NONE: return ix_jb_text(j->b, "null", err);
    case IX_J_BOOL: return ix_jb_text(j->b, v.boolean ? "true" : "false", err);
    case IX_J_INT:
    case IX_J_BIG: return ix_jb_str(j->b, v, err);
    case IX_J_FLOAT: return put_float(j, v.real, err);
    case IX_J_STRING: return put_string(j, v.string, err);
    case IX_J_LIST:
    case IX_J_TUPLE:
    case IX_J_DICT:
        IX_TRY(ix_j_enter(j->b->r, err));
        status = v.kind == IX_J_DICT ? put_dict(j, v.dict, err) : put_list(j, v.list, err);
        ix_j_leave(j->b->r);
        return status;
    default:
        return ix_j_fail(err, "TypeError", "Object of type %s is not JSON serializable",
                         ix_j_type_name(v));
    }
}

/* ---- arguments ------------------------------------------------------------------------------- */

static inox_status read_indent(ix_jcall *c, json *j, inox_error *err)
{
    ix_jvalue v = c->args[2];
    ix_jbuilder b = ix_jb(c->r);
    int64_t width;
    if (v.kind == IX_J_MISSING || v.kind == IX_J_NONE)
        return INOX_OK;
    if (v.kind != IX_J_STRING) {
        if (v.kind == IX_J_UNDEFINED)
            return ix_j_undefined_error(c->r, v, err);
        if (!ix_j_is_int(v))
            return ix_j_fail(err, "TypeError", "can't multiply sequence by non-int of type '%s'",
                             ix_j_type_name(v));
        IX_TRY(ix_j_index_argument(c, 2, 0, &width, err));
        IX_TRY(ix_js_fill(&b, ' ', false, width, err));
        IX_TRY(ix_jb_finish(&b, false, &v, err));
    }
    j->indent = v.string;
    return INOX_OK;
}

static inox_status read_separators(ix_jcall *c, json *j, inox_error *err)
{
    ix_jvalue v = c->args[3], list, item, key;
    IX_TRY(ix_j_string_view(c->r, j->indent ? "," : ", ", j->indent ? 1 : 2, &item, err));
    IX_TRY(ix_j_string_view(c->r, ": ", 2, &key, err));
    if (v.kind != IX_J_MISSING && v.kind != IX_J_NONE) {
        if (v.kind != IX_J_UNDEFINED && !ix_j_is_iterable(v))
            return ix_j_fail(err, "TypeError", "cannot unpack non-iterable %s object",
                             ix_j_type_name(v));
        IX_TRY(ix_j_to_list(c->r, v, &list, err));
        if (list.list->count != 2)
            return ix_j_fail(err, "ValueError", "%s values to unpack (expected 2, got %zu)",
                             list.list->count > 2 ? "too many" : "not enough", list.list->count);
        item = list.list->items[0];
        key = list.list->items[1];
        if (c->args[0].kind == IX_J_STRING)
            return INOX_OK; /* never looked at */
        if (item.kind != IX_J_STRING || key.kind != IX_J_STRING)
            return ix_j_fail(err, "TypeError", "separators must be str, not %s",
                             ix_j_type_name(item.kind != IX_J_STRING ? item : key));
    }
    j->item_separator = item.string;
    j->key_separator = key.string;
    return INOX_OK;
}

inox_status ix_jf_tojson_write(ix_jcall *c, ix_jbuilder *b, inox_error *err)
{
    json j = { .b = b };
    IX_TRY(ix_j_truth_argument(c, 1, false, &j.ascii, err));
    IX_TRY(ix_j_truth_argument(c, 4, false, &j.sort, err));
    if (c->args[0].kind != IX_J_STRING) /* Python does not come to it for a string */
        IX_TRY(read_indent(c, &j, err));
    IX_TRY(read_separators(c, &j, err));
    return put_value(&j, c->args[0], err);
}

inox_status ix_jf_tojson(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    IX_TRY(ix_jf_tojson_write(c, &b, err));
    return ix_jb_finish(&b, false, out, err);
}
