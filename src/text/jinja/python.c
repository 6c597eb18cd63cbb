/* What Python does with any value: its type, truth, order, equality, text.
 *
 * Everything that follows a value into its parts goes through ix_j_enter, and counts steps.
 */
#include "text/jinja/chars.h"
#include "text/jinja/render.h"
#include "text/unicode.h"

#include <stdio.h>
#include <string.h>

const char *ix_j_type_name(ix_jvalue v)
{
    static const char *const views[] = { "dict_keys", "dict_values", "dict_items" };

    switch (v.kind) {
    case IX_J_MISSING: return "MissingType";
    case IX_J_UNDEFINED: return "Undefined";
    case IX_J_NONE: return "NoneType";
    case IX_J_BOOL: return "bool";
    case IX_J_INT:
    case IX_J_BIG: return "int";
    case IX_J_FLOAT: return "float";
    case IX_J_STRING: return v.string->safe ? "Markup" : "str";
    case IX_J_LIST: return "list";
    case IX_J_TUPLE: return v.list->names ? "_GroupTuple" : "tuple";
    case IX_J_DICT: return "dict";
    case IX_J_RANGE: return "range";
    case IX_J_VIEW: return views[v.view->what];
    case IX_J_ITERATOR: return v.iter->type;
    case IX_J_NAMESPACE: return "Namespace";
    case IX_J_FUNCTION:
        return v.method->self.kind == IX_J_MISSING ? "function" : "builtin_function_or_method";
    case IX_J_OBJECT: return v.object->class->name;
    }
    return "object";
}

bool ix_j_is_callable(ix_jvalue v)
{
    return v.kind == IX_J_FUNCTION || v.kind == IX_J_UNDEFINED ||
           (v.kind == IX_J_OBJECT && v.object->class->call);
}

bool ix_j_is_same(ix_jvalue a, ix_jvalue b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case IX_J_NONE: return true;
    case IX_J_BOOL: return a.boolean == b.boolean;
    case IX_J_INT: return a.integer == b.integer;
    case IX_J_FLOAT: return memcmp(&a.real, &b.real, sizeof a.real) == 0;
    case IX_J_STRING: /* CPython keeps one object for each of the first 256 characters */
        return a.string == b.string ||
               (!a.string->safe && !b.string->safe && ix_j_length(a.string) <= 1 &&
                (a.string->size < 2 || (unsigned char)a.string->data[0] < 0xC4) &&
                ix_j_same_bytes(a.string, b.string));
    case IX_J_TUPLE: return a.list == b.list || (a.list->count == 0 && b.list->count == 0);
    default: return a.list == b.list;
    }
}

/* ---- truth, length --------------------------------------------------------------------------- */

inox_status ix_j_len(ix_jrender *r, ix_jvalue v, size_t *out, inox_error *err)
{
    *out = 0;
    switch (v.kind) {
    case IX_J_STRING:
        if (v.string->length == IX_J_UNCOUNTED)
            IX_TRY(ix_j_steps(r, v.string->size / 64, err));
        *out = ix_j_length(v.string);
        return INOX_OK;
    case IX_J_LIST:
    case IX_J_TUPLE: *out = v.list->count; return INOX_OK;
    case IX_J_DICT: *out = v.dict->count; return INOX_OK;
    case IX_J_RANGE: *out = (size_t)v.range->count; return INOX_OK;
    case IX_J_VIEW: *out = v.view->dict->count; return INOX_OK;
    case IX_J_UNDEFINED: return INOX_OK;
    case IX_J_OBJECT:
        if (v.object->class->length)
            return v.object->class->length(r, v.object, out, err);
        break;
    default: break;
    }
    return ix_j_fail(err, "TypeError", "object of type '%s' has no len()", ix_j_type_name(v));
}

inox_status ix_j_truth(ix_jrender *r, ix_jvalue v, bool *out, inox_error *err)
{
    size_t length;

    switch (v.kind) {
    case IX_J_MISSING:
    case IX_J_UNDEFINED:
    case IX_J_NONE: *out = false; break;
    case IX_J_BOOL: *out = v.boolean; break;
    case IX_J_INT: *out = v.integer != 0; break;
    case IX_J_FLOAT: *out = v.real != 0; break;
    case IX_J_STRING: *out = v.string->size != 0; break;
    case IX_J_LIST:
    case IX_J_TUPLE: *out = v.list->count != 0; break;
    case IX_J_DICT: *out = v.dict->count != 0; break;
    case IX_J_RANGE: *out = v.range->count != 0; break;
    case IX_J_VIEW: *out = v.view->dict->count != 0; break;
    case IX_J_OBJECT:
        *out = true;
        if (v.object->class->length) {
            IX_TRY(v.object->class->length(r, v.object, &length, err));
            *out = length != 0;
        }
        break;
    default: *out = true;
    }
    return INOX_OK;
}

/* ---- equality, order ------------------------------------------------------------------------- */

static inox_status equal_lists(ix_jrender *r, const ix_jlist *a, const ix_jlist *b, bool *out,
                               inox_error *err)
{
    *out = a->count == b->count;
    if (!*out || a == b)
        return INOX_OK;
    IX_TRY(ix_j_enter(r, err));
    inox_status status = INOX_OK;
    for (size_t i = 0; status == INOX_OK && *out && i < a->count; i++) {
        status = ix_j_steps(r, 1, err);
        if (status == INOX_OK)
            status = ix_j_equal(r, a->items[i], b->items[i], out, err);
    }
    ix_j_leave(r);
    return status;
}

static inox_status equal_dicts(ix_jrender *r, const ix_jdict *a, const ix_jdict *b, bool *out,
                               inox_error *err)
{
    *out = a->count == b->count;
    if (!*out || a == b)
        return INOX_OK;
    IX_TRY(ix_j_enter(r, err));
    inox_status status = INOX_OK;
    for (size_t i = 0; status == INOX_OK && *out && i < a->count; i++) {
        ix_jvalue *other = NULL;

        status = ix_j_steps(r, 1, err);
        if (status == INOX_OK)
            status = ix_j_dict_get(r, b, a->pairs[i].key, &other, err);
        *out = other != NULL;
        if (status == INOX_OK && other)
            status = ix_j_equal(r, a->pairs[i].value, *other, out, err);
    }
    ix_j_leave(r);
    return status;
}

static bool equal_ranges(const ix_jrange *a, const ix_jrange *b)
{
    return a->count == b->count &&
           (a->count == 0 || (a->start == b->start && (a->count == 1 || a->step == b->step)));
}

/* Views of keys and items compare as sets. */
static inox_status equal_views(ix_jrender *r, ix_jvalue a, ix_jvalue b, bool *out, inox_error *err)
{
    *out = a.view == b.view;
    if (*out || a.view->what == IX_J_VALUES || a.view->what != b.view->what)
        return INOX_OK;
    if (a.view->what == IX_J_ITEMS)
        return equal_dicts(r, a.view->dict, b.view->dict, out, err);
    *out = a.view->dict->count == b.view->dict->count;
    for (size_t i = 0; *out && i < a.view->dict->count; i++) {
        ix_jvalue *other;

        IX_TRY(ix_j_steps(r, 1, err));
        IX_TRY(ix_j_dict_get(r, b.view->dict, a.view->dict->pairs[i].key, &other, err));
        *out = other != NULL;
    }
    return INOX_OK;
}

inox_status ix_j_equal(ix_jrender *r, ix_jvalue a, ix_jvalue b, bool *out, inox_error *err)
{
    *out = false;
    if (ix_j_is_number(a) && ix_j_is_number(b)) {
        *out = ix_j_number_equal(a, b);
        return INOX_OK;
    }
    if (a.kind != b.kind)
        return INOX_OK;
    switch (a.kind) {
    case IX_J_STRING:
        if (a.string->size == b.string->size && a.string->size >= 64)
            IX_TRY(ix_j_steps(r, a.string->size / 64, err));
        *out = ix_j_same_bytes(a.string, b.string);
        return INOX_OK;
    case IX_J_NONE:
    case IX_J_UNDEFINED: *out = true; return INOX_OK;
    case IX_J_LIST:
    case IX_J_TUPLE: return equal_lists(r, a.list, b.list, out, err);
    case IX_J_DICT: return equal_dicts(r, a.dict, b.dict, out, err);
    case IX_J_RANGE: *out = equal_ranges(a.range, b.range); return INOX_OK;
    case IX_J_VIEW: return equal_views(r, a, b, out, err);
    case IX_J_FUNCTION:
        *out = a.method == b.method ||
               (a.method->entry == b.method->entry && ix_j_is_same(a.method->self, b.method->self));
        return INOX_OK;
    default: *out = a.list == b.list; return INOX_OK;
    }
}

static const char *order_sign(ix_jorder op)
{
    static const char *const signs[] = { "<", "<=", ">", ">=" };
    return signs[op];
}

static bool holds(ix_jorder op, int order)
{
    switch (op) {
    case IX_J_LT: return order < 0;
    case IX_J_LE: return order <= 0;
    case IX_J_GT: return order > 0;
    case IX_J_GE: return order >= 0;
    }
    return false;
}

static inox_status compare_lists(ix_jrender *r, ix_jorder op, const ix_jlist *a, const ix_jlist *b,
                                 bool *out, inox_error *err)
{
    size_t least = a->count < b->count ? a->count : b->count;

    IX_TRY(ix_j_enter(r, err));
    inox_status status = INOX_OK;
    size_t i = 0;
    for (bool same = true; status == INOX_OK && i < least; i++) {
        status = ix_j_steps(r, 1, err);
        if (status == INOX_OK)
            status = ix_j_equal(r, a->items[i], b->items[i], &same, err);
        if (status != INOX_OK || !same)
            break;
    }
    if (status == INOX_OK && i < least)
        status = ix_j_compare(r, op, a->items[i], b->items[i], out, err);
    else
        *out = holds(op, a->count < b->count ? -1 : a->count > b->count);
    ix_j_leave(r);
    return status;
}

inox_status ix_j_compare(ix_jrender *r, ix_jorder op, ix_jvalue a, ix_jvalue b, bool *out,
                         inox_error *err)
{
    if (ix_j_is_number(a) && ix_j_is_number(b)) {
        bool less = ix_j_number_less(a, b), more = ix_j_number_less(b, a);
        bool equal = !less && !more && ix_j_number_equal(a, b);

        *out = (less && op <= IX_J_LE) || (more && op >= IX_J_GT) ||
               (equal && (op == IX_J_LE || op == IX_J_GE));
        return INOX_OK;
    }
    if (a.kind == IX_J_STRING && b.kind == IX_J_STRING) {
        const ix_jstring *x = a.string, *y = b.string;
        size_t least = x->size < y->size ? x->size : y->size;

        /* The order of UTF-8 bytes is that of code points. */
        IX_TRY(ix_j_steps(r, least / 64, err));
        int order = least > 0 ? memcmp(x->data, y->data, least) : 0;
        *out = holds(op, order != 0 ? order : x->size < y->size ? -1 : x->size > y->size);
        return INOX_OK;
    }
    if (a.kind == b.kind && (a.kind == IX_J_LIST || a.kind == IX_J_TUPLE))
        return compare_lists(r, op, a.list, b.list, out, err);
    if (a.kind == IX_J_UNDEFINED || b.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(r, a.kind == IX_J_UNDEFINED ? a : b, err);
    return ix_j_fail(err, "TypeError", "'%s' not supported between instances of '%s' and '%s'",
                     order_sign(op), ix_j_type_name(a), ix_j_type_name(b));
}

inox_status ix_j_hash(ix_jrender *r, ix_jvalue v, uint32_t *out, inox_error *err)
{
    uint32_t part;

    switch (v.kind) {
    case IX_J_STRING: *out = ix_j_string_hash(v.string); return INOX_OK;
    case IX_J_BOOL:
    case IX_J_INT:
    case IX_J_BIG:
    case IX_J_FLOAT: *out = ix_j_number_hash(v); return INOX_OK;
    case IX_J_TUPLE:
        IX_TRY(ix_j_enter(r, err));
        *out = 0x345678;
        for (size_t i = 0; i < v.list->count; i++) {
            IX_TRY(ix_j_steps(r, 1, err));
            IX_TRY(ix_j_hash(r, v.list->items[i], &part, err));
            *out = (*out ^ part) * 1000003u + 97;
        }
        ix_j_leave(r);
        return INOX_OK;
    case IX_J_LIST:
    case IX_J_DICT: return ix_j_fail(err, "TypeError", "unhashable type: '%s'", ix_j_type_name(v));
    case IX_J_VIEW:
        if (v.view->what != IX_J_VALUES)
            return ix_j_fail(err, "TypeError", "unhashable type: '%s'", ix_j_type_name(v));
        *out = 7;
        return INOX_OK;
    default: *out = (uint32_t)v.kind; return INOX_OK;
    }
}

static inox_status contains_walking(ix_jrender *r, ix_jvalue container, ix_jvalue item, bool *out,
                                    inox_error *err)
{
    ix_jcursor c;
    ix_jvalue one;
    bool more = true;

    IX_TRY(ix_j_cursor_start(r, container, &c, err));
    for (*out = false; !*out;) {
        IX_TRY(ix_j_cursor_next(r, &c, &one, &more, err));
        if (!more)
            return INOX_OK;
        *out = ix_j_is_same(one, item);
        if (!*out)
            IX_TRY(ix_j_equal(r, one, item, out, err));
    }
    return INOX_OK;
}

inox_status ix_j_contains(ix_jrender *r, ix_jvalue container, ix_jvalue item, bool *out,
                          inox_error *err)
{
    ix_jvalue *found;
    size_t at;

    switch (container.kind) {
    case IX_J_STRING:
        if (item.kind != IX_J_STRING)
            return ix_j_fail(err, "TypeError",
                             "'in <string>' requires string as left operand, not %s",
                             ix_j_type_name(item));
        IX_TRY(ix_j_find(r, container.string, 0, container.string->size, item.string, false, &at,
                         err));
        *out = at != SIZE_MAX;
        return INOX_OK;
    case IX_J_DICT:
        IX_TRY(ix_j_dict_get(r, container.dict, item, &found, err));
        *out = found != NULL;
        return INOX_OK;
    case IX_J_VIEW:
        if (container.view->what == IX_J_KEYS)
            return ix_j_contains(r, (ix_jvalue){ .kind = IX_J_DICT, .dict = container.view->dict },
                                 item, out, err);
        return contains_walking(r, container, item, out, err);
    case IX_J_LIST:
    case IX_J_TUPLE:
    case IX_J_RANGE:
    case IX_J_ITERATOR:
    case IX_J_UNDEFINED: return contains_walking(r, container, item, out, err);
    default:
        return ix_j_fail(err, "TypeError", "argument of type '%s' is not iterable",
                         ix_j_type_name(container));
    }
}

/* ---- text ------------------------------------------------------------------------------------ */

/* The escape that repr writes for c, or nothing. */
static int repr_escape(uint32_t c, char quote, char out[16])
{
    switch (c) {
    case '\\': return snprintf(out, 16, "\\\\");
    case '\n': return snprintf(out, 16, "\\n");
    case '\r': return snprintf(out, 16, "\\r");
    case '\t': return snprintf(out, 16, "\\t");
    default: break;
    }
    if (c == (unsigned char)quote)
        return snprintf(out, 16, "\\%c", quote);
    if (c < 0x20 || c == 0x7F)
        return snprintf(out, 16, "\\x%02x", (unsigned)c);
    if (c < 0x7F || ix_char_is(c, IX_CHAR_PRINTABLE))
        return 0;
    return snprintf(out, 16,
                    c < 0x100     ? "\\x%02x"
                    : c < 0x10000 ? "\\u%04x"
                                  : "\\U%08x",
                    (unsigned)c);
}

static inox_status repr_string(ix_jbuilder *b, const ix_jstring *s, inox_error *err)
{
    bool single = s->size > 0 && memchr(s->data, '\'', s->size);
    if (s->plain && !s->safe)
        return ix_jb_quoted(b, s, single ? '"' : '\'', err);
    bool twofold = s->size > 0 && memchr(s->data, '"', s->size);
    char quote = single && !twofold ? '"' : '\'', escape[16];
    size_t from = 0, n;

    if (s->safe)
        IX_TRY(ix_jb_text(b, "Markup(", err));
    IX_TRY(ix_jb_bytes(b, &quote, 1, false, err));
    for (size_t i = 0; i < s->size; i += n) {
        uint32_t c;

        n = ix_utf8_read(s->data + i, s->size - i, &c);
        int size = repr_escape(c, quote, escape);
        if (size == 0)
            continue;
        IX_TRY(ix_jb_part(b, s, from, i, err));
        IX_TRY(ix_jb_bytes(b, escape, (size_t)size, ix_j_is_user(s, i), err));
        from = i + n;
    }
    IX_TRY(ix_jb_part(b, s, from, s->size, err));
    IX_TRY(ix_jb_bytes(b, &quote, 1, false, err));
    return s->safe ? ix_jb_text(b, ")", err) : INOX_OK;
}

static inox_status repr_items(ix_jbuilder *b, ix_jvalue v, const char *open, const char *close,
                              inox_error *err)
{
    IX_TRY(ix_jb_text(b, open, err));
    for (size_t i = 0; i < v.list->count; i++) {
        if (i > 0)
            IX_TRY(ix_jb_text(b, ", ", err));
        IX_TRY(ix_jb_repr(b, v.list->items[i], err));
    }
    if (v.kind == IX_J_TUPLE && v.list->count == 1)
        IX_TRY(ix_jb_text(b, ",", err));
    return ix_jb_text(b, close, err);
}

static inox_status repr_dict(ix_jbuilder *b, const ix_jdict *d, inox_error *err)
{
    IX_TRY(ix_jb_text(b, "{", err));
    for (size_t i = 0; i < d->count; i++) {
        if (i > 0)
            IX_TRY(ix_jb_text(b, ", ", err));
        IX_TRY(ix_jb_repr(b, d->pairs[i].key, err));
        IX_TRY(ix_jb_text(b, ": ", err));
        IX_TRY(ix_jb_repr(b, d->pairs[i].value, err));
    }
    return ix_jb_text(b, "}", err);
}

static inox_status repr_view(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    ix_jvalue items;

    IX_TRY(ix_j_to_list(b->r, v, &items, err));
    IX_TRY(ix_jb_text(b, ix_j_type_name(v), err));
    return repr_items(b, items, "([", "])", err);
}

static inox_status repr_range(ix_jbuilder *b, const ix_jrange *range, inox_error *err)
{
    char text[80];
    int n = snprintf(text, sizeof text, "range(%lld, %lld", (long long)range->start,
                     (long long)range->stop);

    IX_TRY(ix_jb_bytes(b, text, (size_t)n, false, err));
    if (range->step != 1) {
        n = snprintf(text, sizeof text, ", %lld", (long long)range->step);
        IX_TRY(ix_jb_bytes(b, text, (size_t)n, false, err));
    }
    return ix_jb_text(b, ")", err);
}

/* Python prints an address; ours is always the same, so that a text never depends on memory. */
static inox_status repr_other(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    char text[200];
    int n;

    if (v.kind == IX_J_FUNCTION && v.method->self.kind == IX_J_MISSING)
        n = snprintf(text, sizeof text, "<function %s at 0x0>", v.method->entry->name);
    else if (v.kind == IX_J_FUNCTION)
        n = snprintf(text, sizeof text, "<built-in method %s of %s object at 0x0>",
                     v.method->entry->name, ix_j_type_name(v.method->self));
    else
        n = snprintf(text, sizeof text, "<%s object at 0x0>", ix_j_type_name(v));
    return ix_jb_bytes(b, text, (size_t)n, false, err);
}

static inox_status put_int(ix_jbuilder *b, int64_t i, inox_error *err)
{
    char text[24];
    size_t at = sizeof text;
    uint64_t left = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;

    do
        text[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (i < 0)
        text[--at] = '-';
    return ix_jb_bytes(b, text + at, sizeof text - at, false, err);
}

static inox_status repr_scalar(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    char text[IX_J_FLOAT_TEXT];
    const char *digits;
    size_t size;

    switch (v.kind) {
    case IX_J_NONE: return ix_jb_text(b, "None", err);
    case IX_J_BOOL: return ix_jb_text(b, v.boolean ? "True" : "False", err);
    case IX_J_INT: return put_int(b, v.integer, err);
    case IX_J_BIG:
        IX_TRY(ix_j_int_text(b->r, v, 10, &digits, &size, err));
        return ix_jb_bytes(b, digits, size, false, err);
    case IX_J_FLOAT: return ix_jb_bytes(b, text, ix_j_float_text(v.real, text), false, err);
    case IX_J_MISSING:
    case IX_J_UNDEFINED: return ix_jb_text(b, "Undefined", err);
    default: return repr_other(b, v, err);
    }
}

static inox_status repr_nested(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    switch (v.kind) {
    case IX_J_LIST: return repr_items(b, v, "[", "]", err);
    case IX_J_TUPLE: return repr_items(b, v, "(", ")", err);
    case IX_J_DICT: return repr_dict(b, v.dict, err);
    case IX_J_VIEW: return repr_view(b, v, err);
    case IX_J_NAMESPACE:
        IX_TRY(ix_jb_text(b, "<Namespace ", err));
        IX_TRY(repr_dict(b, v.dict, err));
        return ix_jb_text(b, ">", err);
    default:
        return v.object->class->str ? v.object->class->str(b, v.object, err)
                                    : repr_other(b, v, err);
    }
}

inox_status ix_jb_repr(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    IX_TRY(ix_j_step(b->r, err));
    switch (v.kind) {
    case IX_J_STRING: return repr_string(b, v.string, err);
    case IX_J_RANGE: return repr_range(b, v.range, err);
    case IX_J_LIST:
    case IX_J_TUPLE:
    case IX_J_DICT:
    case IX_J_VIEW:
    case IX_J_NAMESPACE:
    case IX_J_OBJECT: break;
    default: return repr_scalar(b, v, err);
    }
    IX_TRY(ix_j_enter(b->r, err));
    inox_status status = repr_nested(b, v, err);
    ix_j_leave(b->r);
    return status;
}

inox_status ix_jb_str(ix_jbuilder *b, ix_jvalue v, inox_error *err)
{
    if (v.kind == IX_J_STRING)
        return ix_jb_string(b, v.string, err);
    if (v.kind == IX_J_UNDEFINED)
        return INOX_OK;
    return ix_jb_repr(b, v, err);
}

inox_status ix_j_str(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(r);

    if (v.kind == IX_J_STRING)
        return ix_j_with_safe(r, v.string, false, out, err);
    IX_TRY(ix_jb_str(&b, v, err));
    return ix_jb_finish(&b, false, out, err);
}

inox_status ix_j_soft_str(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    if (v.kind == IX_J_STRING) {
        *out = v;
        return INOX_OK;
    }
    return ix_j_str(r, v, out, err);
}

inox_status ix_j_repr(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(r);

    IX_TRY(ix_jb_repr(&b, v, err));
    return ix_jb_finish(&b, false, out, err);
}
