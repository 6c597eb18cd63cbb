/* Attributes, items and slices, as the sandboxed environment of jinja2 looks them up.
 *
 *     object.name     the attribute, or else object["name"], or else undefined
 *     object[key]     the item, or else, for a string, the attribute, or else undefined
 *
 * Nothing of Python shows: attributes are the rows of the library's tables, and a name with two
 * underscores in front, or a method that would change a list or dict, is undefined and refused.
 */
#include "text/jinja/render.h"

#include <stdio.h>
#include <string.h>

/* ---- undefined ------------------------------------------------------------------------------- */

inox_status ix_j_undefined(ix_jrender *r, ix_jvalue object, ix_jvalue name, ix_jvalue *out,
                           inox_error *err)
{
    void *u;

    IX_TRY(ix_j_take(r, sizeof(ix_jundefined), &u, err));
    *(ix_jundefined *)u = (ix_jundefined){ .object = object, .name = name };
    *out = (ix_jvalue){ .kind = IX_J_UNDEFINED, .undefined = u };
    return INOX_OK;
}

inox_status ix_j_undefined_hint(ix_jrender *r, const char *hint, ix_jvalue *out, inox_error *err)
{
    ix_jundefined *u;

    IX_TRY(IX_J_ALLOC(r, &u, 1, err));
    u->hint = hint;
    *out = (ix_jvalue){ .kind = IX_J_UNDEFINED, .undefined = u };
    return INOX_OK;
}

static inox_status refused(ix_jrender *r, ix_jvalue object, ix_jstring *name, ix_jvalue *out,
                           inox_error *err)
{
    ix_jundefined *u;

    IX_TRY(ix_j_undefined(r, object, ix_j_of_string(name), out, err));
    IX_TRY(IX_J_ALLOC(r, &u, 1, err));
    *u = *out->undefined;
    u->refused = true;
    out->undefined = u;
    return INOX_OK;
}

/* What jinja2 calls an object in messages. */
static const char *object_name(ix_jvalue v, char *room, size_t size)
{
    if (v.kind == IX_J_NONE)
        return "None";
    snprintf(room, size, "%s%s object",
             v.kind == IX_J_NAMESPACE || v.kind == IX_J_OBJECT ? "jinja2." : "", ix_j_type_name(v));
    return room;
}

inox_status ix_j_undefined_error(ix_jrender *r, ix_jvalue v, inox_error *err)
{
    const ix_jundefined *u = v.undefined;
    char room[100];
    ix_jvalue name;
    inox_error ignored;

    if (u->hint)
        return ix_j_fail(err, "UndefinedError", "%s", u->hint);
    if (ix_j_repr(r, u->name, &name, &ignored) != INOX_OK)
        return ix_j_fail(err, "UndefinedError", "a value is undefined");
    int size = name.string->size > 200 ? 200 : (int)name.string->size;
    if (u->refused)
        return ix_j_fail(err, "SecurityError", "access to attribute %.*s of '%s' object is unsafe.",
                         size, name.string->data, ix_j_type_name(u->object));
    if (u->object.kind == IX_J_MISSING)
        return ix_j_fail(err, "UndefinedError", "%.*s is undefined", size, name.string->data);
    if (u->name.kind == IX_J_STRING)
        return ix_j_fail(err, "UndefinedError", "'%s' has no attribute %.*s",
                         object_name(u->object, room, sizeof room), size, name.string->data);
    return ix_j_fail(err, "UndefinedError", "%s has no element %.*s",
                     object_name(u->object, room, sizeof room), size, name.string->data);
}

/* ---- attributes ------------------------------------------------------------------------------ */

static const ix_jentry *method_table(ix_jvalue v)
{
    switch (v.kind) {
    case IX_J_STRING: return ix_j_string_methods;
    case IX_J_LIST: return ix_j_list_methods;
    case IX_J_TUPLE: return ix_j_tuple_methods;
    case IX_J_DICT: return ix_j_dict_methods;
    case IX_J_BOOL:
    case IX_J_INT:
    case IX_J_BIG: return ix_j_int_methods;
    case IX_J_FLOAT: return ix_j_float_methods;
    case IX_J_RANGE: return ix_j_range_methods;
    case IX_J_VIEW: return v.view->what == IX_J_VALUES ? ix_j_values_methods : ix_j_view_methods;
    case IX_J_FUNCTION: return v.method->entry->methods;
    default: return NULL;
    }
}

const ix_jentry *ix_j_find_entry(const ix_jentry *table, const char *name, size_t size)
{
    for (; table->name; table++)
        if (size > 0 && table->name[0] == name[0] && strlen(table->name) == size &&
            memcmp(table->name, name, size) == 0)
            return table;
    return NULL;
}

/* What every object of Python has; the sandbox refuses all of it. */
static bool is_of_every_object(const ix_jstring *name)
{
    static const char *const names[] = {
        "__class__",  "__delattr__", "__dir__",           "__doc__",  "__eq__",
        "__format__", "__ge__",      "__getattribute__",  "__gt__",   "__hash__",
        "__init__",   "__le__",      "__init_subclass__", "__lt__",   "__ne__",
        "__new__",    "__reduce__",  "__reduce_ex__",     "__repr__", "__setattr__",
        "__sizeof__", "__str__",     "__subclasshook__",
    };

    if (name->size < 5 || name->data[0] != '_' || name->data[1] != '_')
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ix_j_is(name, names[i]))
            return true;
    return false;
}

/* __such__ names, which undefined values do not have either, where all others are an error. */
static bool is_special(const ix_jstring *name)
{
    return name->size >= 4 && memcmp(name->data, "__", 2) == 0 &&
           memcmp(name->data + name->size - 2, "__", 2) == 0;
}

inox_status ix_j_bind_method(ix_jrender *r, const ix_jentry *entry, ix_jvalue self, ix_jvalue *out,
                             inox_error *err)
{
    ix_jmethod *method;

    if (entry->property)
        return ix_j_call_entry(r, entry, self, NULL, 0, NULL, 0, out, err);
    IX_TRY(IX_J_ALLOC(r, &method, 1, err));
    *method = (ix_jmethod){ entry, self };
    *out = (ix_jvalue){ .kind = IX_J_FUNCTION, .method = method };
    return INOX_OK;
}

static inox_status named_item(ix_jvalue tuple, const ix_jstring *name, ix_jvalue *out)
{
    for (size_t i = 0; i < tuple.list->count; i++)
        if (ix_j_is(name, tuple.list->names[i]))
            *out = tuple.list->items[i];
    return INOX_OK;
}

inox_status ix_j_attribute(ix_jrender *r, ix_jvalue object, ix_jstring *name, ix_jvalue *out,
                           inox_error *err)
{
    const ix_jentry *table = method_table(object);

    *out = ix_j_missing();
    if (object.kind == IX_J_UNDEFINED && !is_special(name))
        return ix_j_undefined_error(r, object, err);
    if (object.kind == IX_J_NAMESPACE) {
        const ix_jvalue *found = ix_j_dict_find(object.dict, name);

        if (found)
            *out = *found;
        return found && name->size > 0 && name->data[0] == '_' ? refused(r, object, name, out, err)
                                                               : INOX_OK;
    }
    if (is_of_every_object(name))
        return refused(r, object, name, out, err);
    if (object.kind == IX_J_OBJECT)
        return object.object->class->attribute
                   ? object.object->class->attribute(r, object.object, name, out, err)
                   : INOX_OK;
    if (object.kind == IX_J_TUPLE && object.list->names) {
        IX_TRY(named_item(object, name, out));
        if (out->kind != IX_J_MISSING)
            return INOX_OK;
    }
    const ix_jentry *entry = table ? ix_j_find_entry(table, name->data, name->size) : NULL;
    if (!entry)
        return INOX_OK;
    return entry->refused ? refused(r, object, name, out, err)
                          : ix_j_bind_method(r, entry, object, out, err);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* An index as Python takes one (bool is an int); false where v is none, or beyond int64. */
static bool as_index(ix_jvalue v, int64_t *out)
{
    *out = v.kind == IX_J_BOOL ? v.boolean : v.integer;
    return v.kind == IX_J_INT || v.kind == IX_J_BOOL;
}

static inox_status character(ix_jrender *r, ix_jstring *s, size_t at, ix_jvalue *out,
                             inox_error *err)
{
    if (!ix_j_is_ascii(s))
        IX_TRY(ix_j_steps(r, at / 32, err));
    size_t start = ix_j_byte_of(s, at), end = start + 1;
    while (end < s->size && ((unsigned char)s->data[end] & 0xC0) == 0x80)
        end++;
    IX_TRY(ix_j_slice(r, s, start, end, out, err));
    return s->safe ? ix_j_with_safe(r, out->string, true, out, err) : INOX_OK;
}

/* *out = object[key], IX_J_MISSING where Python raises TypeError or LookupError. */
static inox_status item_of(ix_jrender *r, ix_jvalue object, ix_jvalue key, ix_jvalue *out,
                           inox_error *err)
{
    int64_t at, count;
    size_t length;
    uint32_t hash;

    *out = ix_j_missing();
    switch (object.kind) {
    case IX_J_DICT: {
        ix_jvalue *found = NULL;
        inox_error ignored;

        if (key.kind == IX_J_STRING)
            found = ix_j_dict_find(object.dict, key.string);
        else if (ix_j_hash(r, key, &hash, &ignored) == INOX_OK)
            IX_TRY(ix_j_dict_get(r, object.dict, key, &found, err));
        if (found)
            *out = *found;
        return INOX_OK;
    }
    case IX_J_STRING:
    case IX_J_LIST:
    case IX_J_TUPLE:
    case IX_J_RANGE: break;
    case IX_J_OBJECT:
        return object.object->class->item
                   ? object.object->class->item(r, object.object, key, out, err)
                   : INOX_OK;
    case IX_J_UNDEFINED: return ix_j_undefined_error(r, object, err);
    default: return INOX_OK;
    }
    if (!as_index(key, &at))
        return INOX_OK;
    IX_TRY(ix_j_len(r, object, &length, err));
    count = (int64_t)length;
    at += at < 0 ? count : 0;
    if (at < 0 || at >= count)
        return INOX_OK;
    if (object.kind == IX_J_STRING)
        return character(r, object.string, (size_t)at, out, err);
    *out = object.kind == IX_J_RANGE ? ix_j_int(object.range->start + at * object.range->step)
                                     : object.list->items[at];
    return INOX_OK;
}

inox_status ix_j_getitem(ix_jrender *r, ix_jvalue object, ix_jvalue key, ix_jvalue *out,
                         inox_error *err)
{
    IX_TRY(item_of(r, object, key, out, err));
    if (out->kind == IX_J_MISSING && key.kind == IX_J_STRING)
        IX_TRY(ix_j_attribute(r, object, key.string, out, err));
    return out->kind == IX_J_MISSING ? ix_j_undefined(r, object, key, out, err) : INOX_OK;
}

inox_status ix_j_getattr(ix_jrender *r, ix_jvalue object, ix_jstring *name, ix_jvalue *out,
                         inox_error *err)
{
    IX_TRY(ix_j_attribute(r, object, name, out, err));
    if (out->kind == IX_J_MISSING)
        IX_TRY(item_of(r, object, ix_j_of_string(name), out, err));
    return out->kind == IX_J_MISSING ? ix_j_undefined(r, object, ix_j_of_string(name), out, err)
                                     : INOX_OK;
}

/* ---- slices ---------------------------------------------------------------------------------- */

/* One bound of a slice: none is `otherwise`, ints are clamped. */
static inox_status slice_index(ix_jvalue v, int64_t otherwise, int64_t *out, inox_error *err)
{
    *out = otherwise;
    if (v.kind == IX_J_MISSING || v.kind == IX_J_NONE)
        return INOX_OK;
    if (v.kind == IX_J_BIG) {
        *out = ix_j_sign(v) < 0 ? -INT64_MAX : INT64_MAX;
        return INOX_OK;
    }
    if (!as_index(v, out))
        return ix_j_fail(err, "TypeError",
                         "slice indices must be integers or None or have an __index__ method");
    if (*out == INT64_MIN)
        *out = -INT64_MAX;
    return INOX_OK;
}

/* CPython's PySlice_AdjustIndices: the bounds within `length`, and how many items lie in them. */
static int64_t adjust(int64_t length, int64_t *start, int64_t *stop, int64_t step)
{
    int64_t *bounds[] = { start, stop };

    for (int i = 0; i < 2; i++) {
        if (*bounds[i] < 0) {
            *bounds[i] += length;
            if (*bounds[i] < 0)
                *bounds[i] = step < 0 ? -1 : 0;
        } else if (*bounds[i] >= length) {
            *bounds[i] = step < 0 ? length - 1 : length;
        }
    }
    if (step < 0)
        return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
    return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

static inox_status slice_string(ix_jrender *r, ix_jstring *s, int64_t start, int64_t step,
                                int64_t count, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(r);

    IX_TRY(ix_j_steps(r, s->size / 64 + (step == 1 ? 0 : (uint64_t)count), err));
    if (step == 1 || count == 0) {
        size_t from = ix_j_byte_of(s, (size_t)start), to = ix_j_byte_of(s, (size_t)(start + count));

        IX_TRY(ix_j_slice(r, s, count == 0 ? 0 : from, count == 0 ? 0 : to, out, err));
        return ix_j_with_safe(r, out->string, s->safe, out, err);
    }
    size_t at = ix_j_byte_of(s, (size_t)start);
    for (int64_t i = 0; i < count; i++) {
        size_t end = at + 1;

        while (end < s->size && ((unsigned char)s->data[end] & 0xC0) == 0x80)
            end++;
        IX_TRY(ix_jb_part(&b, s, at, end, err));
        if (i + 1 == count)
            break;
        for (int64_t k = 0; k < step; k++) /* forwards, character by character */
            do
                at++;
            while (((unsigned char)s->data[at] & 0xC0) == 0x80);
        for (int64_t k = 0; k > step; k--)
            do
                at--;
            while (((unsigned char)s->data[at] & 0xC0) == 0x80);
    }
    return ix_jb_finish(&b, s->safe, out, err);
}

/* Python gives the slice the items at its bounds, where they are behind the last one too. */
static inox_status slice_range(ix_jrender *r, const ix_jrange *range, int64_t start, int64_t stop,
                               int64_t step, ix_jvalue *out, inox_error *err)
{
    int64_t bounds[2] = { start, stop };

    for (int i = 0; i < 2; i++)
        if (__builtin_mul_overflow(bounds[i], range->step, &bounds[i]) ||
            __builtin_add_overflow(bounds[i], range->start, &bounds[i]))
            return ix_fail(err, INOX_E_LIMIT, "a slice of a range that ends beyond 64 bits");
    if (__builtin_mul_overflow(step, range->step, &step))
        return ix_fail(err, INOX_E_LIMIT, "a slice of a range whose steps are beyond 64 bits");
    return ix_j_range(r, bounds[0], bounds[1], step, out, err);
}

inox_status ix_j_getslice(ix_jrender *r, ix_jvalue object, const ix_jvalue bounds[3],
                          ix_jvalue *out, inox_error *err)
{
    int64_t start, stop, step, count;
    size_t length;

    switch (object.kind) {
    case IX_J_UNDEFINED: return ix_j_undefined_error(r, object, err);
    case IX_J_DICT: return ix_j_fail(err, "TypeError", "unhashable type: 'slice'");
    case IX_J_STRING:
    case IX_J_LIST:
    case IX_J_TUPLE:
    case IX_J_RANGE: break;
    default:
        return ix_j_fail(err, "TypeError", "'%s' object is not subscriptable",
                         ix_j_type_name(object));
    }
    IX_TRY(slice_index(bounds[2], 1, &step, err));
    if (step == 0)
        return ix_j_fail(err, "ValueError", "slice step cannot be zero");
    IX_TRY(slice_index(bounds[0], step < 0 ? INT64_MAX : 0, &start, err));
    IX_TRY(slice_index(bounds[1], step < 0 ? -INT64_MAX : INT64_MAX, &stop, err));
    IX_TRY(ix_j_len(r, object, &length, err));
    count = adjust((int64_t)length, &start, &stop, step);
    if (object.kind == IX_J_STRING)
        return slice_string(r, object.string, start, step, count, out, err);
    if (object.kind == IX_J_RANGE)
        return slice_range(r, object.range, start, stop, step, out, err);
    IX_TRY(ix_j_steps(r, (uint64_t)count / 8, err));
    IX_TRY(object.kind == IX_J_LIST ? ix_j_list(r, (size_t)count, out, err)
                                    : ix_j_tuple(r, (size_t)count, out, err));
    for (int64_t i = 0; i < count; i++)
        out->list->items[i] = object.list->items[start + i * step];
    out->list->count = (size_t)count;
    return INOX_OK;
}
