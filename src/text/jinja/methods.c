/* The methods and attributes of lists, tuples, dicts, their views, ranges, ints and floats.  Those
 * that would change a value are refused, as by jinja2's ImmutableSandboxedEnvironment. */
#include "text/jinja/decimal.h"
#include "text/jinja/number.h"
#include "text/jinja/strings.h"

#include <string.h>

/* ---- list, tuple ----------------------------------------------------------------------------- */

static inox_status list_count(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    const ix_jlist *l = c->self.list;
    int64_t n = 0;
    IX_TRY(ix_j_steps(c->r, l->count / 8, err));
    for (size_t i = 0; i < l->count; i++) {
        bool equal = ix_j_is_same(l->items[i], c->args[0]);
        if (!equal)
            IX_TRY(ix_j_equal(c->r, l->items[i], c->args[0], &equal, err));
        n += equal;
    }
    *out = ix_j_int(n);
    return INOX_OK;
}

static inox_status list_index(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    const ix_jlist *l = c->self.list;
    int64_t from, to, length = (int64_t)l->count;
    for (int i = 1; i <= 2; i++)
        if (ix_j_given(c, i) && !ix_j_is_int(c->args[i]))
            return ix_j_fail(err, "TypeError",
                             "slice indices must be integers or have an __index__ method");
    IX_TRY(ix_j_index_argument(c, 1, 0, &from, err));
    IX_TRY(ix_j_index_argument(c, 2, INT64_MAX, &to, err));
    from = from >= 0 ? from : from < -length ? 0 : from + length;
    to = to >= 0 ? to : to < -length ? 0 : to + length;
    IX_TRY(ix_j_steps(c->r, l->count / 8, err));
    for (int64_t i = from; i < to && i < length; i++) {
        bool equal = ix_j_is_same(l->items[i], c->args[0]);
        if (!equal)
            IX_TRY(ix_j_equal(c->r, l->items[i], c->args[0], &equal, err));
        if (equal) {
            *out = ix_j_int(i);
            return INOX_OK;
        }
    }
    if (c->self.kind == IX_J_TUPLE)
        return ix_j_fail(err, "ValueError", "tuple.index(x): x not in tuple");
    ix_jvalue shown;
    IX_TRY(ix_j_repr(c->r, c->args[0], &shown, err));
    return ix_j_fail(err, "ValueError", "%.*s is not in list",
                     shown.string->size < 100 ? (int)shown.string->size : 100, shown.string->data);
}

static inox_status list_copy(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ix_j_to_list(c->r, c->self, out, err);
}

#define REFUSED(n)                                                                                 \
    {                                                                                              \
        .name = n, .refused = true                                                                 \
    }

const ix_jentry ix_j_list_methods[] = {
    { .name = "count",
      .run = list_count,
      .parameters = { "value" },
      .required = 1,
      .positional = true },
    { .name = "index",
      .run = list_index,
      .parameters = { "value", "start", "stop" },
      .required = 1,
      .positional = true },
    { .name = "copy", .run = list_copy, .positional = true },
    REFUSED("append"),
    REFUSED("clear"),
    REFUSED("extend"),
    REFUSED("insert"),
    REFUSED("pop"),
    REFUSED("remove"),
    REFUSED("reverse"),
    REFUSED("sort"),
    { .name = NULL },
};

const ix_jentry ix_j_tuple_methods[] = {
    { .name = "count",
      .run = list_count,
      .parameters = { "value" },
      .required = 1,
      .positional = true },
    { .name = "index",
      .run = list_index,
      .parameters = { "value", "start", "stop" },
      .required = 1,
      .positional = true },
    { .name = NULL },
};

/* ---- dict, views ----------------------------------------------------------------------------- */

static inox_status dict_keys(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ix_j_view(c->r, c->self.dict, IX_J_KEYS, out, err);
}

static inox_status dict_values(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ix_j_view(c->r, c->self.dict, IX_J_VALUES, out, err);
}

static inox_status dict_items(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ix_j_view(c->r, c->self.dict, IX_J_ITEMS, out, err);
}

static inox_status dict_get(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue *found;
    IX_TRY(ix_j_dict_get(c->r, c->self.dict, c->args[0], &found, err));
    *out = found ? *found : ix_j_given(c, 1) ? c->args[1] : ix_j_none();
    return INOX_OK;
}

static inox_status dict_copy(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    const ix_jdict *d = c->self.dict;
    IX_TRY(ix_j_steps(c->r, d->count / 4, err));
    IX_TRY(ix_j_dict(c->r, d->count, out, err));
    for (size_t i = 0; i < d->count; i++)
        IX_TRY(ix_j_dict_set(c->r, *out, d->pairs[i].key, d->pairs[i].value, err));
    return INOX_OK;
}

inox_status ix_j_dict_fromkeys(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jcursor at;
    ix_jvalue key;
    bool more;
    IX_TRY(ix_j_dict(c->r, 0, out, err));
    IX_TRY(ix_j_cursor_start(c->r, c->args[0], &at, err));
    for (;;) {
        IX_TRY(ix_j_cursor_next(c->r, &at, &key, &more, err));
        if (!more)
            return INOX_OK;
        IX_TRY(ix_j_dict_set(c->r, *out, key, ix_j_given(c, 1) ? c->args[1] : ix_j_none(), err));
    }
}

const ix_jentry ix_j_dict_methods[] = {
    { .name = "keys", .run = dict_keys, .positional = true },
    { .name = "values", .run = dict_values, .positional = true },
    { .name = "items", .run = dict_items, .positional = true },
    { .name = "get",
      .run = dict_get,
      .parameters = { "key", "default" },
      .required = 1,
      .positional = true },
    { .name = "copy", .run = dict_copy, .positional = true },
    { .name = "fromkeys",
      .run = ix_j_dict_fromkeys,
      .parameters = { "iterable", "value" },
      .required = 1,
      .positional = true },
    REFUSED("clear"),
    REFUSED("pop"),
    REFUSED("popitem"),
    REFUSED("setdefault"),
    REFUSED("update"),
    { .name = NULL },
};

static inox_status view_isdisjoint(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jcursor at;
    ix_jvalue item;
    bool more, in = false;
    IX_TRY(ix_j_cursor_start(c->r, c->args[0], &at, err));
    for (;;) {
        IX_TRY(ix_j_cursor_next(c->r, &at, &item, &more, err));
        if (more)
            IX_TRY(ix_j_contains(c->r, c->self, item, &in, err));
        if (!more || in) {
            *out = ix_j_bool(!in);
            return INOX_OK;
        }
    }
}

static inox_status view_mapping(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    *out = (ix_jvalue){ .kind = IX_J_DICT, .dict = c->self.view->dict };
    return INOX_OK;
}

const ix_jentry ix_j_view_methods[] = {
    { .name = "isdisjoint",
      .run = view_isdisjoint,
      .parameters = { "other" },
      .required = 1,
      .positional = true },
    { .name = "mapping", .run = view_mapping, .property = true },
    { .name = NULL },
};

const ix_jentry ix_j_values_methods[] = {
    { .name = "mapping", .run = view_mapping, .property = true },
    { .name = NULL },
};

/* ---- range ----------------------------------------------------------------------------------- */

static inox_status range_start(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    *out = ix_j_int(c->self.range->start);
    return INOX_OK;
}
static inox_status range_stop(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    *out = ix_j_int(c->self.range->stop);
    return INOX_OK;
}
static inox_status range_step(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    *out = ix_j_int(c->self.range->step);
    return INOX_OK;
}

/* Where in the range args[0] stands, -1 where it is not in it. */
static inox_status range_find(ix_jcall *c, int64_t *at, inox_error *err)
{
    const ix_jrange *g = c->self.range;
    *at = -1;
    IX_TRY(ix_j_steps(c->r, (uint64_t)g->count / 8, err));
    for (int64_t i = 0; i < g->count && *at < 0; i++) { /* at most 100,000 */
        bool equal;
        IX_TRY(ix_j_equal(c->r, ix_j_int(g->start + i * g->step), c->args[0], &equal, err));
        *at = equal ? i : -1;
    }
    return INOX_OK;
}

static inox_status range_index(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    int64_t at;
    ix_jvalue shown;
    IX_TRY(range_find(c, &at, err));
    *out = ix_j_int(at);
    if (at >= 0)
        return INOX_OK;
    IX_TRY(ix_j_repr(c->r, c->args[0], &shown, err));
    return ix_j_fail(err, "ValueError", "%.*s is not in range",
                     shown.string->size < 100 ? (int)shown.string->size : 100, shown.string->data);
}

static inox_status range_count(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    int64_t at;
    IX_TRY(range_find(c, &at, err));
    *out = ix_j_int(at >= 0);
    return INOX_OK;
}

const ix_jentry ix_j_range_methods[] = {
    { .name = "start", .run = range_start, .property = true },
    { .name = "stop", .run = range_stop, .property = true },
    { .name = "step", .run = range_step, .property = true },
    { .name = "index",
      .run = range_index,
      .parameters = { "value" },
      .required = 1,
      .positional = true },
    { .name = "count",
      .run = range_count,
      .parameters = { "value" },
      .required = 1,
      .positional = true },
    { .name = NULL },
};

/* ---- int ------------------------------------------------------------------------------------- */

static ix_jvalue as_int(ix_jvalue v)
{
    return v.kind == IX_J_BOOL ? ix_j_int(v.boolean) : v;
}

static inox_status int_itself(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    *out = as_int(c->self);
    return INOX_OK;
}
static inox_status int_zero(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)c;
    (void)err;
    *out = ix_j_int(0);
    return INOX_OK;
}
static inox_status int_one(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)c;
    (void)err;
    *out = ix_j_int(1);
    return INOX_OK;
}

/* The digits of the magnitude, least significant first. */
static uint32_t magnitude(ix_jvalue v, uint32_t small[2], const uint32_t **digits)
{
    *digits = small;
    if (v.kind == IX_J_BIG) {
        *digits = v.big->digits;
        return v.big->count;
    }
    uint64_t m = v.integer < 0 ? -(uint64_t)v.integer : (uint64_t)v.integer;
    small[0] = (uint32_t)m;
    small[1] = (uint32_t)(m >> 32);
    return small[1] ? 2 : small[0] != 0;
}

static inox_status int_bit_length(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    uint32_t small[2];
    const uint32_t *digits;
    uint32_t n = magnitude(as_int(c->self), small, &digits);
    (void)err;
    *out = ix_j_int(n == 0 ? 0 : (int64_t)n * 32 - __builtin_clz(digits[n - 1]));
    return INOX_OK;
}

static inox_status int_bit_count(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    uint32_t small[2];
    const uint32_t *digits;
    uint32_t n = magnitude(as_int(c->self), small, &digits);
    int64_t bits = 0;
    (void)err;
    for (uint32_t i = 0; i < n; i++)
        bits += __builtin_popcount(digits[i]);
    *out = ix_j_int(bits);
    return INOX_OK;
}

static inox_status pair_of(ix_jcall *c, ix_jvalue a, ix_jvalue b, ix_jvalue *out, inox_error *err)
{
    IX_TRY(ix_j_tuple(c->r, 2, out, err));
    IX_TRY(ix_j_append(c->r, *out, a, err));
    return ix_j_append(c->r, *out, b, err);
}

static inox_status int_ratio(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return pair_of(c, as_int(c->self), ix_j_int(1), out, err);
}

#define BYTES_EXCLUDED "templates make text, and there is no type for bytes"

const ix_jentry ix_j_int_methods[] = {
    { .name = "real", .run = int_itself, .property = true },
    { .name = "numerator", .run = int_itself, .property = true },
    { .name = "imag", .run = int_zero, .property = true },
    { .name = "denominator", .run = int_one, .property = true },
    { .name = "conjugate", .run = int_itself, .positional = true },
    { .name = "bit_length", .run = int_bit_length, .positional = true },
    { .name = "bit_count", .run = int_bit_count, .positional = true },
    { .name = "as_integer_ratio", .run = int_ratio, .positional = true },
    { .name = "to_bytes", .excluded = BYTES_EXCLUDED },
    { .name = "from_bytes", .excluded = BYTES_EXCLUDED },
    { .name = NULL },
};

/* ---- float ----------------------------------------------------------------------------------- */

static inox_status float_itself(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    *out = c->self;
    return INOX_OK;
}
static inox_status float_zero(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)c;
    (void)err;
    *out = ix_j_float(0);
    return INOX_OK;
}

static inox_status float_is_integer(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    double x = c->self.real;
    (void)err;
    *out = ix_j_bool(ix_float_is_finite(x) && ix_j_floor(x) == x);
    return INOX_OK;
}

/* |x| = *m * 2^*e, *m odd or 0. */
static void take_apart(double x, uint64_t *m, int *e)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int field = (int)(bits >> 52 & 0x7FF);
    *m = (bits & 0xFFFFFFFFFFFFFu) | (field > 0 ? 1ull << 52 : 0);
    *e = (field > 0 ? field : 1) - 1075;
    while (*m != 0 && (*m & 1) == 0) {
        *m >>= 1;
        ++*e;
    }
}

static inox_status float_ratio(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    double x = c->self.real;
    uint64_t m;
    int e;
    ix_jvalue power, top;
    if (x != x)
        return ix_j_fail(err, "ValueError", "cannot convert NaN to integer ratio");
    if (!ix_float_is_finite(x))
        return ix_j_fail(err, "OverflowError", "cannot convert Infinity to integer ratio");
    take_apart(x, &m, &e);
    if (m == 0)
        return pair_of(c, ix_j_int(0), ix_j_int(1), out, err);
    top = ix_j_int(x < 0 ? -(int64_t)m : (int64_t)m);
    IX_TRY(ix_j_arithmetic(c->r, IX_J_POW, ix_j_int(2), ix_j_int(e < 0 ? -e : e), &power, err));
    if (e < 0)
        return pair_of(c, top, power, out, err);
    IX_TRY(ix_j_arithmetic(c->r, IX_J_MUL, top, power, &top, err));
    return pair_of(c, top, ix_j_int(1), out, err);
}

static inox_status float_hex(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    static const char digits[] = "0123456789abcdef";
    double x = c->self.real;
    uint64_t bits;
    char text[40], *p = text;
    memcpy(&bits, &x, sizeof bits);
    if (!ix_float_is_finite(x)) {
        size_t n = ix_float_repr(x, text);
        return ix_j_string_copy(c->r, text, n, out, err);
    }
    int field = (int)(bits >> 52 & 0x7FF), e = field > 0 ? field - 1023 : -1022;
    uint64_t fraction = bits & 0xFFFFFFFFFFFFFu;
    if (bits >> 63)
        *p++ = '-';
    memcpy(p, field > 0 ? "0x1." : "0x0.", 4);
    p += 4;
    if (field == 0 && fraction == 0) {
        *p++ = '0';
        e = 0;
    } else {
        for (int i = 12; i >= 0; i--)
            *p++ = digits[fraction >> 4 * i & 15];
    }
    *p++ = 'p';
    *p++ = e < 0 ? '-' : '+';
    e = e < 0 ? -e : e;
    for (int unit = e >= 1000 ? 1000 : e >= 100 ? 100 : e >= 10 ? 10 : 1; unit > 0; unit /= 10)
        *p++ = (char)('0' + e / unit % 10);
    return ix_j_string_copy(c->r, text, (size_t)(p - text), out, err);
}

const ix_jentry ix_j_float_methods[] = {
    { .name = "real", .run = float_itself, .property = true },
    { .name = "imag", .run = float_zero, .property = true },
    { .name = "conjugate", .run = float_itself, .positional = true },
    { .name = "is_integer", .run = float_is_integer, .positional = true },
    { .name = "as_integer_ratio", .run = float_ratio, .positional = true },
    { .name = "hex", .run = float_hex, .positional = true },
    { .name = "fromhex", .excluded = "it makes a number of text in a form that no template holds" },
    { .name = NULL },
};
