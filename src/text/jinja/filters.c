/* The table of filters, and those that are too small for a file of their own. */
#include "text/jinja/filters.h"

#include "text/jinja/number.h"

/* ---- any value ------------------------------------------------------------------------------- */

static inox_status absolute(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    if (!ix_j_is_number(c->args[0]))
        return ix_j_fail(err, "TypeError", "bad operand type for abs(): '%s'",
                         ix_j_type_name(c->args[0]));
    return ix_j_abs(c->r, c->args[0], out, err);
}

static inox_status attr(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    if (c->args[1].kind != IX_J_STRING)
        return ix_j_fail(err, "TypeError", "attribute name must be string, not '%s'",
                         ix_j_type_name(c->args[1]));
    IX_TRY(ix_j_attribute(c->r, c->args[0], c->args[1].string, out, err));
    if (out->kind == IX_J_MISSING)
        return ix_j_undefined(c->r, c->args[0], c->args[1], out, err);
    return INOX_OK;
}

static inox_status default_(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    bool boolean, truth = true;
    *out = c->args[0];
    if (c->args[0].kind != IX_J_UNDEFINED) {
        IX_TRY(ix_j_truth_argument(c, 2, false, &boolean, err));
        if (boolean)
            IX_TRY(ix_j_truth(c->r, c->args[0], &truth, err));
        if (truth)
            return INOX_OK;
    }
    *out = c->args[1];
    return ix_j_given(c, 1) ? INOX_OK : ix_j_string_view(c->r, "", 0, out, err);
}

static inox_status length(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    size_t n;
    IX_TRY(ix_j_len(c->r, c->args[0], &n, err));
    *out = ix_j_int((int64_t)n);
    return INOX_OK;
}

static inox_status first(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jcursor at;
    bool more;
    IX_TRY(ix_j_cursor_start(c->r, c->args[0], &at, err));
    IX_TRY(ix_j_cursor_next(c->r, &at, out, &more, err));
    return more ? INOX_OK
                : ix_j_undefined_hint(c->r, "No first item, sequence was empty.", out, err);
}

static inox_status last(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0];
    size_t n, start;
    switch (v.kind) {
    case IX_J_STRING:
        if (v.string->size == 0)
            break;
        start = ix_js_before(v.string, v.string->size);
        return ix_js_part(c->r, v.string, start, v.string->size, v.string->safe, out, err);
    case IX_J_UNDEFINED: break;
    case IX_J_LIST:
    case IX_J_TUPLE:
    case IX_J_RANGE:
    case IX_J_DICT:
    case IX_J_VIEW: {
        ix_jvalue list;
        IX_TRY(ix_j_len(c->r, v, &n, err));
        if (n == 0)
            break;
        if (v.kind == IX_J_RANGE) {
            *out = ix_j_int(v.range->start + (int64_t)(n - 1) * v.range->step);
            return INOX_OK;
        }
        list = v;
        if (v.kind == IX_J_DICT || v.kind == IX_J_VIEW)
            IX_TRY(ix_j_to_list(c->r, v, &list, err));
        *out = list.list->items[n - 1];
        return INOX_OK;
    }
    default: return ix_j_fail(err, "TypeError", "'%s' object is not reversible", ix_j_type_name(v));
    }
    return ix_j_undefined_hint(c->r, "No last item, sequence was empty.", out, err);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static ix_jvalue otherwise(const ix_jcall *c, ix_jvalue usual)
{
    return ix_j_given(c, 1) ? c->args[1] : usual;
}

static inox_status to_float(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0];
    double x;
    bool ok;
    *out = otherwise(c, ix_j_float(0));
    if (v.kind == IX_J_STRING) {
        IX_TRY(ix_js_parse_float(c->r, v.string, &x, &ok, err));
        if (ok)
            *out = ix_j_float(x);
        return INOX_OK;
    }
    if (!ix_j_is_number(v) && v.kind != IX_J_UNDEFINED)
        return INOX_OK;
    IX_TRY(ix_js_float_of(c->r, v, &x, err));
    *out = ix_j_float(x);
    return INOX_OK;
}

/* int(text, base), and where that is no number int(float(text)). */
static inox_status string_to_int(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue base = ix_j_given(c, 2) ? c->args[2] : ix_j_int(10);
    ix_jvalue number;
    double x;
    bool ok = false;
    if (base.kind == IX_J_BOOL)
        base = ix_j_int(base.boolean);
    if (base.kind == IX_J_INT && base.integer != 1 && base.integer >= 0 && base.integer <= 36)
        IX_TRY(ix_js_parse_int(c->r, c->args[0].string, (int)base.integer, &number, &ok, err));
    if (ok) {
        *out = number;
        return INOX_OK;
    }
    IX_TRY(ix_js_parse_float(c->r, c->args[0].string, &x, &ok, err));
    return ok && x - x == 0.0 ? ix_j_int_of_float(c->r, x, out, err) : INOX_OK;
}

static inox_status to_int(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0];
    *out = otherwise(c, ix_j_int(0));
    if (v.kind == IX_J_STRING)
        return string_to_int(c, out, err);
    if (v.kind == IX_J_FLOAT && v.real != v.real)
        return INOX_OK; /* a NaN is a ValueError, infinity an OverflowError, which passes */
    return ix_j_is_number(v) || v.kind == IX_J_UNDEFINED ? ix_js_int_of(c->r, v, out, err)
                                                         : INOX_OK;
}

/* round(v, -places) of an int: half to even. */
static inox_status round_int(ix_jcall *c, ix_jvalue v, int64_t places, ix_jvalue *out,
                             inox_error *err)
{
    ix_jrender *r = c->r;
    ix_jvalue unit, whole, rest, twice, odd;
    bool up, tie;
    if (places <= 0) {
        *out = v;
        return INOX_OK;
    }
    IX_TRY(ix_j_arithmetic(r, IX_J_POW, ix_j_int(10), ix_j_int(places), &unit, err));
    IX_TRY(ix_j_arithmetic(r, IX_J_FLOORDIV, v, unit, &whole, err));
    IX_TRY(ix_j_arithmetic(r, IX_J_MOD, v, unit, &rest, err));
    IX_TRY(ix_j_arithmetic(r, IX_J_ADD, rest, rest, &twice, err));
    IX_TRY(ix_j_arithmetic(r, IX_J_MOD, whole, ix_j_int(2), &odd, err));
    IX_TRY(ix_j_compare(r, IX_J_GT, twice, unit, &up, err));
    IX_TRY(ix_j_equal(r, twice, unit, &tie, err));
    if (up || (tie && odd.kind == IX_J_INT && odd.integer == 1))
        IX_TRY(ix_j_arithmetic(r, IX_J_ADD, whole, ix_j_int(1), &whole, err));
    return ix_j_arithmetic(r, IX_J_MUL, whole, unit, out, err);
}

static inox_status round_common(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0];
    int64_t places = 0;
    double x;
    if (v.kind == IX_J_UNDEFINED || !ix_j_is_number(v))
        return ix_j_fail(err, "TypeError", "type %s doesn't define __round__ method",
                         ix_j_type_name(v));
    if (ix_j_given(c, 1) && c->args[1].kind == IX_J_NONE) {
        if (v.kind != IX_J_FLOAT)
            return ix_js_int_of(c->r, v, out, err);
        if (v.real - v.real == 0.0)
            IX_TRY(ix_j_round(c->r, v.real, 0, &v.real, err));
        return ix_j_int_of_float(c->r, v.real, out, err);
    }
    IX_TRY(ix_j_index_argument(c, 1, 0, &places, err));
    if (v.kind != IX_J_FLOAT) {
        v = v.kind == IX_J_BOOL ? ix_j_int(v.boolean) : v;
        return round_int(c, v, places < -INT32_MAX ? INT32_MAX : -places, out, err);
    }
    IX_TRY(ix_j_round(c->r, v.real, places, &x, err));
    *out = ix_j_float(x);
    return INOX_OK;
}

static inox_status round_(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    bool up = false, down = false, common = !ix_j_given(c, 2);
    ix_jvalue unit, scaled, power = ix_j_given(c, 1) ? c->args[1] : ix_j_int(0);
    if (!common && c->args[2].kind == IX_J_STRING) {
        up = ix_j_is(c->args[2].string, "ceil");
        down = ix_j_is(c->args[2].string, "floor");
        common = ix_j_is(c->args[2].string, "common");
    }
    if (!common && !up && !down)
        return ix_j_fail(err, "FilterArgumentError", "method must be common, ceil or floor");
    if (common)
        return round_common(c, out, err);
    IX_TRY(ix_j_arithmetic(c->r, IX_J_POW, ix_j_int(10), power, &unit, err));
    IX_TRY(ix_j_arithmetic(c->r, IX_J_MUL, c->args[0], unit, &scaled, err));
    if (!ix_j_is_number(scaled))
        return ix_j_fail(err, "TypeError", "must be real number, not %s", ix_j_type_name(scaled));
    if (scaled.kind == IX_J_FLOAT)
        IX_TRY(ix_j_int_of_float(c->r, up ? ix_j_ceil(scaled.real) : ix_j_floor(scaled.real),
                                 &scaled, err));
    return ix_j_arithmetic(c->r, IX_J_DIV, scaled, unit, out, err);
}

/* ---- the table ------------------------------------------------------------------------------- */

#define PLAIN(n)                                                                                   \
    {                                                                                              \
        .name = #n, .run = ix_jf_##n, .parameters = { "value" }, .required = 1                     \
    }
#define WITH(n, f, least, ...)                                                                     \
    {                                                                                              \
        .name = n, .run = f, .parameters = { __VA_ARGS__ }, .required = least                      \
    }
#define MANY(n)                                                                                    \
    {                                                                                              \
        .name = #n, .run = ix_jf_##n, .parameters = { "value" }, .required = 1, .rest = true,      \
        .keywords = true                                                                           \
    }

const ix_jentry ix_j_filters[] = {
    { .name = "abs", .run = absolute, .parameters = { "x" }, .required = 1, .positional = true },
    WITH("attr", attr, 2, "obj", "name"),
    WITH("batch", ix_jf_batch, 2, "value", "linecount", "fill_with"),
    WITH("capitalize", ix_jf_capitalize, 1, "s"),
    WITH("center", ix_jf_center, 1, "value", "width"),
    { .name = "count", .run = length, .parameters = { "obj" }, .required = 1, .positional = true },
    WITH("d", default_, 1, "value", "default_value", "boolean"),
    WITH("default", default_, 1, "value", "default_value", "boolean"),
    WITH("dictsort", ix_jf_dictsort, 1, "value", "case_sensitive", "by", "reverse"),
    { .name = "e", .run = ix_jf_escape, .parameters = { "s" }, .required = 1, .positional = true },
    { .name = "escape",
      .run = ix_jf_escape,
      .parameters = { "s" },
      .required = 1,
      .positional = true },
    WITH("filesizeformat", ix_jf_filesizeformat, 1, "value", "binary"),
    WITH("first", first, 1, "seq"),
    WITH("float", to_float, 1, "value", "default"),
    PLAIN(forceescape),
    MANY(format),
    WITH("groupby", ix_jf_groupby, 2, "value", "attribute", "default", "case_sensitive"),
    WITH("indent", ix_jf_indent, 1, "s", "width", "first", "blank"),
    WITH("int", to_int, 1, "value", "default", "base"),
    PLAIN(items),
    WITH("join", ix_jf_join, 1, "value", "d", "attribute"),
    WITH("last", last, 1, "seq"),
    { .name = "length", .run = length, .parameters = { "obj" }, .required = 1, .positional = true },
    PLAIN(list),
    WITH("lower", ix_jf_lower, 1, "s"),
    MANY(map),
    WITH("max", ix_jf_max, 1, "value", "case_sensitive", "attribute"),
    WITH("min", ix_jf_min, 1, "value", "case_sensitive", "attribute"),
    PLAIN(pprint),
    { .name = "random", .excluded = "a rendering has to give the same text every time" },
    MANY(reject),
    MANY(rejectattr),
    WITH("replace", ix_jf_replace, 3, "s", "old", "new", "count"),
    PLAIN(reverse),
    WITH("round", round_, 1, "value", "precision", "method"),
    PLAIN(safe),
    MANY(select),
    MANY(selectattr),
    WITH("slice", ix_jf_slice, 2, "value", "slices", "fill_with"),
    WITH("sort", ix_jf_sort, 1, "value", "reverse", "case_sensitive", "attribute"),
    { .name = "string",
      .run = ix_jf_string,
      .parameters = { "s" },
      .required = 1,
      .positional = true },
    PLAIN(striptags),
    WITH("sum", ix_jf_sum, 1, "iterable", "attribute", "start"),
    WITH("title", ix_jf_title, 1, "s"),
    { .name = "tojson",
      .run = ix_jf_tojson,
      .write = ix_jf_tojson_write,
      .parameters = { "x", "ensure_ascii", "indent", "separators", "sort_keys" },
      .required = 1 },
    { .name = "trim",
      .run = ix_jf_trim,
      .write = ix_jf_trim_write,
      .parameters = { "value", "chars" },
      .required = 1 },
    WITH("truncate", ix_jf_truncate, 1, "s", "length", "killwords", "end", "leeway"),
    WITH("unique", ix_jf_unique, 1, "value", "case_sensitive", "attribute"),
    WITH("upper", ix_jf_upper, 1, "s"),
    PLAIN(urlencode),
    WITH("urlize", ix_jf_urlize, 1, "value", "trim_url_limit", "nofollow", "target", "rel",
         "extra_schemes"),
    WITH("wordcount", ix_jf_wordcount, 1, "s"),
    WITH("wordwrap", ix_jf_wordwrap, 1, "s", "width", "break_long_words", "wrapstring",
         "break_on_hyphens"),
    WITH("xmlattr", ix_jf_xmlattr, 1, "d", "autospace"),
    { .name = NULL },
};
