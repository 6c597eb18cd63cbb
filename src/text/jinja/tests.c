/* The tests: what may stand behind `is`. */
#include "text/jinja/strings.h"

#include <string.h>

static inox_status yes(ix_jvalue *out, bool b)
{
    *out = ix_j_bool(b);
    return INOX_OK;
}

/* Tests of the value alone. */
#define PREDICATE(name, condition)                                                                 \
    static bool name(ix_jvalue v)                                                                  \
    {                                                                                              \
        return condition;                                                                          \
    }
PREDICATE(boolean, v.kind == IX_J_BOOL)
PREDICATE(callable, ix_j_is_callable(v))
PREDICATE(defined, v.kind != IX_J_UNDEFINED)
PREDICATE(undefined, v.kind == IX_J_UNDEFINED)
PREDICATE(escaped, v.kind == IX_J_STRING && v.string->safe)
PREDICATE(is_false, v.kind == IX_J_BOOL && !v.boolean)
PREDICATE(is_true, v.kind == IX_J_BOOL && v.boolean)
PREDICATE(is_float, v.kind == IX_J_FLOAT)
PREDICATE(integer, v.kind == IX_J_INT || v.kind == IX_J_BIG)
PREDICATE(iterable, ix_j_is_iterable(v))
PREDICATE(mapping, v.kind == IX_J_DICT)
PREDICATE(none, v.kind == IX_J_NONE)
PREDICATE(number, ix_j_is_number(v))
/* What has a length and items; an undefined value has both, until an item is asked for. */
PREDICATE(sequence, v.kind == IX_J_STRING || v.kind == IX_J_LIST || v.kind == IX_J_TUPLE ||
                        v.kind == IX_J_DICT || v.kind == IX_J_RANGE || v.kind == IX_J_UNDEFINED)
PREDICATE(string, v.kind == IX_J_STRING)

static inox_status ask(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    return yes(out, c->entry->holds(c->args[0]));
}

static inox_status sameas(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    return yes(out, ix_j_is_same(c->args[0], c->args[1]));
}

/* value % by == wanted */
static inox_status remainder_is(ix_jcall *c, ix_jvalue by, int64_t wanted, ix_jvalue *out,
                                inox_error *err)
{
    ix_jvalue rest;
    IX_TRY(ix_j_arithmetic(c->r, IX_J_MOD, c->args[0], by, &rest, err));
    *out = ix_j_bool(false);
    return ix_j_equal(c->r, rest, ix_j_int(wanted), &out->boolean, err);
}

static inox_status odd(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return remainder_is(c, ix_j_int(2), 1, out, err);
}
static inox_status even(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return remainder_is(c, ix_j_int(2), 0, out, err);
}
static inox_status divisibleby(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return remainder_is(c, c->args[1], 0, out, err);
}

/* str(value).NAME() */
static inox_status ask_string(ix_jcall *c, const char *name, ix_jvalue *out, inox_error *err)
{
    ix_jcall method = { .r = c->r };
    const ix_jentry *entry = ix_j_find_entry(ix_j_string_methods, name, strlen(name));
    IX_TRY(ix_j_str(c->r, c->args[0], &method.self, err));
    method.entry = entry;
    return entry->run(&method, out, err);
}

static inox_status lower(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ask_string(c, "islower", out, err);
}
static inox_status upper(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ask_string(c, "isupper", out, err);
}

static inox_status is_in(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    *out = ix_j_bool(false);
    return ix_j_contains(c->r, c->args[1], c->args[0], &out->boolean, err);
}

/* Whether a table has a row of that name. */
static inox_status named(ix_jcall *c, const ix_jentry *table, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0];
    uint32_t hash;
    *out = ix_j_bool(false);
    if (v.kind != IX_J_STRING)
        return ix_j_hash(c->r, v, &hash, err); /* a list is an error, everything else no name */
    out->boolean = ix_j_find_entry(table, v.string->data, v.string->size) != NULL;
    return INOX_OK;
}

static inox_status filter(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return named(c, ix_j_filters, out, err);
}
static inox_status test(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return named(c, ix_j_tests, out, err);
}

static inox_status eq(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    *out = ix_j_bool(false);
    return ix_j_equal(c->r, c->args[0], c->args[1], &out->boolean, err);
}

static inox_status ne(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    IX_TRY(eq(c, out, err));
    out->boolean = !out->boolean;
    return INOX_OK;
}

#define ORDER_TEST(name, order)                                                                    \
    static inox_status name(ix_jcall *c, ix_jvalue *out, inox_error *err)                          \
    {                                                                                              \
        *out = ix_j_bool(false);                                                                   \
        return ix_j_compare(c->r, order, c->args[0], c->args[1], &out->boolean, err);              \
    }
ORDER_TEST(lt, IX_J_LT)
ORDER_TEST(le, IX_J_LE)
ORDER_TEST(gt, IX_J_GT)
ORDER_TEST(ge, IX_J_GE)

#define ONE(n, f)                                                                                  \
    {                                                                                              \
        .name = n, .run = f, .parameters = { "value" }, .required = 1                              \
    }
#define ALONE(n, f)                                                                                \
    {                                                                                              \
        .name = n, .run = ask, .holds = f, .parameters = { "value" }, .required = 1                \
    }
#define TWO(n, f, second)                                                                          \
    {                                                                                              \
        .name = n, .run = f, .parameters = { "value", second }, .required = 2                      \
    }
/* The functions of Python's operator module take nothing by name. */
#define OPERATOR(n, f)                                                                             \
    {                                                                                              \
        .name = n, .run = f, .parameters = { "a", "b" }, .required = 2, .positional = true         \
    }

const ix_jentry ix_j_tests[] = {
    ALONE("boolean", boolean),
    { .name = "callable",
      .run = ask,
      .holds = callable,
      .parameters = { "obj" },
      .required = 1,
      .positional = true },
    ALONE("defined", defined),
    TWO("divisibleby", divisibleby, "num"),
    ALONE("escaped", escaped),
    ONE("even", even),
    ALONE("false", is_false),
    ONE("filter", filter),
    ALONE("float", is_float),
    TWO("in", is_in, "seq"),
    ALONE("integer", integer),
    ALONE("iterable", iterable),
    ONE("lower", lower),
    ALONE("mapping", mapping),
    ALONE("none", none),
    ALONE("number", number),
    ONE("odd", odd),
    TWO("sameas", sameas, "other"),
    ALONE("sequence", sequence),
    ALONE("string", string),
    ONE("test", test),
    ALONE("true", is_true),
    ALONE("undefined", undefined),
    ONE("upper", upper),
    OPERATOR("==", eq),
    OPERATOR("eq", eq),
    OPERATOR("equalto", eq),
    OPERATOR("!=", ne),
    OPERATOR("ne", ne),
    OPERATOR(">", gt),
    OPERATOR("gt", gt),
    OPERATOR("greaterthan", gt),
    OPERATOR(">=", ge),
    OPERATOR("ge", ge),
    OPERATOR("<", lt),
    OPERATOR("lt", lt),
    OPERATOR("lessthan", lt),
    OPERATOR("<=", le),
    OPERATOR("le", le),
    { .name = NULL },
};
