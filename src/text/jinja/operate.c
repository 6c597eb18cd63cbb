/* + - * / // % ** on any values, and the signs. */
#include "text/jinja/render.h"

#include <string.h>

static const char *op_sign(ix_jop op)
{
    static const char *const signs[] = { "+", "-", "*", "/", "//", "%", "** or pow()" };
    return signs[op];
}

static inox_status unsupported(ix_jrender *r, ix_jop op, ix_jvalue a, ix_jvalue b, inox_error *err)
{
    if (a.kind == IX_J_UNDEFINED || b.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(r, a.kind == IX_J_UNDEFINED ? a : b, err);
    return ix_j_fail(err, "TypeError", "unsupported operand type(s) for %s: '%s' and '%s'",
                     op_sign(op), ix_j_type_name(a), ix_j_type_name(b));
}

static inox_status add_strings(ix_jrender *r, ix_jstring *a, const ix_jstring *b, ix_jvalue *out,
                               inox_error *err)
{
    ix_jbuilder joined = ix_jb(r);
    bool safe = a->safe || b->safe; /* Markup escapes what it is joined with */

    if (a->safe == b->safe)
        return ix_j_join(r, a, b, safe, out, err);
    IX_TRY(a->safe == safe ? ix_jb_string(&joined, a, err) : ix_jb_escaped(&joined, a, err));
    IX_TRY(b->safe == safe ? ix_jb_string(&joined, b, err) : ix_jb_escaped(&joined, b, err));
    return ix_jb_finish(&joined, safe, out, err);
}

static inox_status add_lists(ix_jrender *r, ix_jvalue a, ix_jvalue b, ix_jvalue *out,
                             inox_error *err)
{
    size_t count = a.list->count + b.list->count;

    IX_TRY(ix_j_steps(r, count / 8, err));
    IX_TRY(a.kind == IX_J_LIST ? ix_j_list(r, count, out, err) : ix_j_tuple(r, count, out, err));
    if (a.list->count > 0)
        memcpy(out->list->items, a.list->items, a.list->count * sizeof(ix_jvalue));
    if (b.list->count > 0)
        memcpy(out->list->items + a.list->count, b.list->items, b.list->count * sizeof(ix_jvalue));
    out->list->count = count;
    return INOX_OK;
}

static inox_status add(ix_jrender *r, ix_jvalue a, ix_jvalue b, ix_jvalue *out, inox_error *err)
{
    if (a.kind == IX_J_STRING && b.kind == IX_J_STRING)
        return add_strings(r, a.string, b.string, out, err);
    if ((a.kind == IX_J_LIST || a.kind == IX_J_TUPLE) && b.kind == a.kind)
        return add_lists(r, a, b, out, err);
    if (b.kind != IX_J_UNDEFINED &&
        (a.kind == IX_J_STRING || a.kind == IX_J_LIST || a.kind == IX_J_TUPLE))
        return ix_j_fail(err, "TypeError", "can only concatenate %s (not \"%s\") to %s",
                         ix_j_type_name(a), ix_j_type_name(b), ix_j_type_name(a));
    return unsupported(r, IX_J_ADD, a, b, err);
}

static bool is_sequence(ix_jvalue v)
{
    return v.kind == IX_J_STRING || v.kind == IX_J_LIST || v.kind == IX_J_TUPLE;
}

static inox_status repeat(ix_jrender *r, ix_jvalue what, ix_jvalue times, ix_jvalue *out,
                          inox_error *err)
{
    int64_t n = times.kind == IX_J_BOOL ? times.boolean : times.integer;
    size_t size = what.kind == IX_J_STRING ? what.string->size : what.list->count;
    ix_jbuilder b = ix_jb(r);

    if (times.kind == IX_J_BIG) {
        if (ix_j_sign(times) > 0)
            return ix_j_fail(err, "OverflowError", "cannot fit 'int' into an index-sized integer");
        n = 0;
    }
    if (n < 0 || size == 0)
        n = 0;
    if (size > 0 && (uint64_t)n > (uint64_t)r->text_max / size)
        return ix_fail(err, INOX_E_LIMIT,
                       "%zu bytes or items %lld times, more than the limit output_max, %zu", size,
                       (long long)n, r->text_max);
    if (what.kind == IX_J_STRING) {
        IX_TRY(ix_j_steps(r, (uint64_t)n / 4, err));
        for (int64_t i = 0; i < n; i++)
            IX_TRY(ix_jb_string(&b, what.string, err));
        return ix_jb_finish(&b, what.string->safe, out, err);
    }
    size_t count = size * (size_t)n;
    IX_TRY(ix_j_steps(r, count / 8, err));
    IX_TRY(what.kind == IX_J_LIST ? ix_j_list(r, count, out, err) : ix_j_tuple(r, count, out, err));
    for (size_t i = 0; i < count; i += size)
        memcpy(out->list->items + i, what.list->items, size * sizeof(ix_jvalue));
    out->list->count = count;
    return INOX_OK;
}

static inox_status multiply(ix_jrender *r, ix_jvalue a, ix_jvalue b, ix_jvalue *out,
                            inox_error *err)
{
    if (is_sequence(a) && ix_j_is_int(b))
        return repeat(r, a, b, out, err);
    if (ix_j_is_int(a) && is_sequence(b))
        return repeat(r, b, a, out, err);
    if (is_sequence(a) && b.kind != IX_J_UNDEFINED)
        return ix_j_fail(err, "TypeError", "can't multiply sequence by non-int of type '%s'",
                         ix_j_type_name(b));
    if (is_sequence(b) && a.kind != IX_J_UNDEFINED)
        return ix_j_fail(err, "TypeError", "can't multiply sequence by non-int of type '%s'",
                         ix_j_type_name(a));
    return unsupported(r, IX_J_MUL, a, b, err);
}

inox_status ix_j_arithmetic(ix_jrender *r, ix_jop op, ix_jvalue a, ix_jvalue b, ix_jvalue *out,
                            inox_error *err)
{
    if (ix_j_is_number(a) && ix_j_is_number(b))
        return ix_j_number_arithmetic(r, op, a, b, out, err);
    if (op == IX_J_ADD)
        return add(r, a, b, out, err);
    if (op == IX_J_MUL)
        return multiply(r, a, b, out, err);
    if (op == IX_J_MOD && a.kind == IX_J_STRING)
        return ix_j_percent(r, a.string, b, out, err);
    return unsupported(r, op, a, b, err);
}

inox_status ix_j_negate(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    if (ix_j_is_number(v))
        return ix_j_number_negate(r, v, out, err);
    if (v.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(r, v, err);
    return ix_j_fail(err, "TypeError", "bad operand type for unary -: '%s'", ix_j_type_name(v));
}
