/* Global functions: range, dict, namespace, cycler, joiner, and those that transformers adds. */
#include "text/jinja/strftime.h"
#include "text/jinja/strings.h"

#include <string.h>

enum { RANGE_MAX = 100000 }; /* the sandbox's */

static inox_status range(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    int64_t n[3] = { 0, 0, 1 };
    if (c->rest_count == 0)
        return ix_j_fail(err, "TypeError", "range expected at least 1 argument, got 0");
    if (c->rest_count > 3)
        return ix_j_fail(err, "TypeError", "range expected at most 3 arguments, got %zu",
                         c->rest_count);
    for (size_t i = 0; i < c->rest_count; i++) {
        ix_jcall one = { .r = c->r, .args = { c->rest[i] } };
        IX_TRY(ix_j_index_argument(&one, 0, 0, &n[i], err));
    }
    if (c->rest_count == 1) {
        n[1] = n[0];
        n[0] = 0;
    }
    if (n[2] == 0)
        return ix_j_fail(err, "ValueError", "range() arg 3 must not be zero");
    uint64_t low = (uint64_t)(n[2] > 0 ? n[0] : n[1]), high = (uint64_t)(n[2] > 0 ? n[1] : n[0]);
    uint64_t step = n[2] > 0 ? (uint64_t)n[2] : -(uint64_t)n[2];
    uint64_t count = (int64_t)low < (int64_t)high ? (high - low - 1) / step + 1 : 0;
    if (count > RANGE_MAX)
        return ix_j_fail(err, "OverflowError",
                         "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).",
                         RANGE_MAX);
    return ix_j_range(c->r, n[0], n[1], n[2], out, err);
}

/* ---- dict, namespace ------------------------------------------------------------------------- */

static inox_status add_pair(ix_jcall *c, ix_jvalue dict, ix_jvalue pair, size_t number,
                            inox_error *err)
{
    ix_jvalue list;
    if (!ix_j_is_iterable(pair))
        return ix_j_fail(err, "TypeError",
                         "cannot convert dictionary update sequence element #%zu to a sequence",
                         number);
    IX_TRY(ix_j_to_list(c->r, pair, &list, err));
    if (list.list->count != 2)
        return ix_j_fail(err, "ValueError",
                         "dictionary update sequence element #%zu has length %zu; 2 is required",
                         number, list.list->count);
    return ix_j_dict_set(c->r, dict, list.list->items[0], list.list->items[1], err);
}

static inox_status add_pairs(ix_jcall *c, ix_jvalue dict, ix_jvalue from, inox_error *err)
{
    ix_jcursor at;
    ix_jvalue pair;
    bool more;
    if (from.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(c->r, from, err);
    if (from.kind == IX_J_DICT) {
        IX_TRY(ix_j_steps(c->r, from.dict->count / 4, err));
        for (size_t i = 0; i < from.dict->count; i++)
            IX_TRY(
                ix_j_dict_set(c->r, dict, from.dict->pairs[i].key, from.dict->pairs[i].value, err));
        return INOX_OK;
    }
    IX_TRY(ix_j_cursor_start(c->r, from, &at, err));
    for (size_t i = 0;; i++) {
        IX_TRY(ix_j_cursor_next(c->r, &at, &pair, &more, err));
        if (!more)
            return INOX_OK;
        IX_TRY(add_pair(c, dict, pair, i, err));
    }
}

static inox_status dict(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    if (c->rest_count > 1)
        return ix_j_fail(err, "TypeError", "dict expected at most 1 argument, got %zu",
                         c->rest_count);
    IX_TRY(ix_j_dict(c->r, c->keyword_count, out, err));
    if (c->rest_count > 0)
        IX_TRY(add_pairs(c, *out, c->rest[0], err));
    for (size_t i = 0; i < c->keyword_count; i++)
        IX_TRY(ix_j_dict_set(c->r, *out, ix_j_of_string(c->keywords[i].name), c->keywords[i].value,
                             err));
    return INOX_OK;
}

static const ix_jentry dict_methods[] = {
    { .name = "fromkeys",
      .run = ix_j_dict_fromkeys,
      .parameters = { "iterable", "value" },
      .required = 1,
      .positional = true },
    { .name = NULL },
};

inox_status ix_j_check_attribute(ix_jrender *r, ix_jstring *name, inox_error *err)
{
    ix_jvalue text;
    if (name->size == 0 || name->data[0] != '_')
        return INOX_OK;
    IX_TRY(ix_j_repr(r, ix_j_of_string(name), &text, err));
    return ix_j_fail(err, "SecurityError",
                     "Chat templates cannot store underscore-prefixed attributes on a namespace, "
                     "but got %.*s. Please rename the attribute.",
                     text.string->size > 200 ? 200 : (int)text.string->size, text.string->data);
}

/* Of transformers: names with an underscore in front are refused. */
static inox_status namespace(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    IX_TRY(dict(c, out, err));
    for (size_t i = 0; i < out->dict->count; i++)
        if (out->dict->pairs[i].key.kind == IX_J_STRING)
            IX_TRY(ix_j_check_attribute(c->r, out->dict->pairs[i].key.string, err));
    out->kind = IX_J_NAMESPACE; /* holds its attributes in the dict */
    return INOX_OK;
}

/* ---- cycler, joiner -------------------------------------------------------------------------- */

typedef struct cycler {
    ix_jobject base;
    ix_jvalue items; /* a tuple, not empty */
    size_t position;
} cycler;

static cycler *cycler_of(const ix_jcall *c)
{
    return (cycler *)(void *)c->self.object;
}

static inox_status cycler_next(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    cycler *o = cycler_of(c);
    (void)err;
    *out = o->items.list->items[o->position];
    o->position = (o->position + 1) % o->items.list->count;
    return INOX_OK;
}

static inox_status cycler_reset(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    cycler_of(c)->position = 0;
    *out = ix_j_none();
    return INOX_OK;
}

static const ix_jentry cycler_methods[] = {
    { .name = "next", .run = cycler_next },
    { .name = "reset", .run = cycler_reset },
    { .name = NULL },
};

static inox_status cycler_attribute(ix_jrender *r, ix_jobject *object, ix_jstring *name,
                                    ix_jvalue *out, inox_error *err)
{
    cycler *o = (cycler *)(void *)object;
    const ix_jentry *entry = ix_j_find_entry(cycler_methods, name->data, name->size);
    ix_jmethod *method;
    *out = ix_j_missing();
    if (ix_j_is(name, "current")) {
        *out = o->items.list->items[o->position];
    } else if (ix_j_is(name, "items")) {
        *out = o->items;
    } else if (ix_j_is(name, "pos")) {
        *out = ix_j_int((int64_t)o->position);
    } else if (entry) {
        IX_TRY(IX_J_ALLOC(r, &method, 1, err));
        *method = (ix_jmethod){ .entry = entry, .self = ix_j_of_object(object) };
        *out = (ix_jvalue){ .kind = IX_J_FUNCTION, .method = method };
    }
    return INOX_OK;
}

static inox_status cycler_str(ix_jbuilder *b, ix_jobject *o, inox_error *err)
{
    (void)o;
    return ix_jb_text(b, "<jinja2.utils.Cycler object>", err);
}

static const ix_jclass cycler_class = {
    .name = "Cycler",
    .attribute = cycler_attribute,
    .str = cycler_str,
};

static inox_status make_cycler(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    cycler *o;
    if (c->rest_count == 0)
        return ix_j_fail(err, "RuntimeError", "at least one item has to be provided");
    IX_TRY(IX_J_ALLOC(c->r, &o, 1, err));
    o->base.class = &cycler_class;
    IX_TRY(ix_j_tuple(c->r, c->rest_count, &o->items, err));
    for (size_t i = 0; i < c->rest_count; i++)
        IX_TRY(ix_j_append(c->r, o->items, c->rest[i], err));
    *out = ix_j_of_object(&o->base);
    return INOX_OK;
}

typedef struct joiner {
    ix_jobject base;
    ix_jvalue separator;
    bool used;
} joiner;

static inox_status joiner_call(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    joiner *o = (joiner *)(void *)c->self.object;
    if (c->rest_count > 0 || c->keyword_count > 0)
        return ix_j_fail(err, "TypeError",
                         "Joiner.__call__() takes 1 positional argument but %zu were given",
                         c->rest_count + c->keyword_count + 1);
    if (o->used) {
        *out = o->separator;
        return INOX_OK;
    }
    o->used = true;
    return ix_j_string_view(c->r, "", 0, out, err);
}

static inox_status joiner_attribute(ix_jrender *r, ix_jobject *object, ix_jstring *name,
                                    ix_jvalue *out, inox_error *err)
{
    joiner *o = (joiner *)(void *)object;
    (void)r;
    (void)err;
    *out = ix_j_is(name, "sep")    ? o->separator
           : ix_j_is(name, "used") ? ix_j_bool(o->used)
                                   : ix_j_missing();
    return INOX_OK;
}

static inox_status joiner_str(ix_jbuilder *b, ix_jobject *o, inox_error *err)
{
    (void)o;
    return ix_jb_text(b, "<jinja2.utils.Joiner object>", err);
}

static const ix_jclass joiner_class = {
    .name = "Joiner",
    .attribute = joiner_attribute,
    .call = joiner_call,
    .str = joiner_str,
};

static inox_status make_joiner(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    joiner *o;
    IX_TRY(IX_J_ALLOC(c->r, &o, 1, err));
    o->base.class = &joiner_class;
    o->separator = c->args[0];
    if (!ix_j_given(c, 0))
        IX_TRY(ix_j_string_view(c->r, ", ", 2, &o->separator, err));
    *out = ix_j_of_object(&o->base);
    return INOX_OK;
}

/* ---- transformers' own ----------------------------------------------------------------------- */

static inox_status raise_exception(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue text;
    *out = ix_j_none();
    IX_TRY(ix_j_str(c->r, c->args[0], &text, err));
    return ix_j_fail(err, "TemplateError", "%.*s",
                     text.string->size < 4096 ? (int)text.string->size : 4096, text.string->data);
}

static inox_status strftime_now(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jtime now;
    ix_jbuilder b = ix_jb(c->r);
    if (c->args[0].kind != IX_J_STRING)
        return ix_j_fail(err, "TypeError", "strftime() argument 1 must be str, not %s",
                         ix_j_type_name(c->args[0]));
    IX_TRY(ix_j_now(c->r, &now, err));
    IX_TRY(ix_js_strftime(&b, &now, c->args[0].string, err));
    return ix_jb_finish(&b, false, out, err);
}

const ix_jentry ix_j_globals[] = {
    { .name = "range", .run = range, .rest = true },
    { .name = "dict", .run = dict, .rest = true, .keywords = true, .methods = dict_methods },
    { .name = "namespace", .run = namespace, .rest = true, .keywords = true },
    { .name = "cycler", .run = make_cycler, .rest = true },
    { .name = "joiner", .run = make_joiner, .parameters = { "sep" } },
    { .name = "raise_exception",
      .run = raise_exception,
      .parameters = { "message" },
      .required = 1 },
    { .name = "strftime_now", .run = strftime_now, .parameters = { "format" }, .required = 1 },
    { .name = "lipsum",
      .excluded = "its text is random, and a rendering has to give the same text every time" },
    { .name = NULL },
};
