/* Calls: arguments, their binding to parameters, functions, macros. */
#include "text/jinja/eval.h"

#include <string.h>

/* ---- binding --------------------------------------------------------------------------------- */

static int parameter_count(const ix_jentry *entry)
{
    int n = 0;

    while (n < IX_J_MAX_PARAMETERS && entry->parameters[n])
        n++;
    return n;
}

static inox_status bind_keyword(ix_jcall *c, int count, const ix_jkeyword *k, ix_jkeyword *others,
                                inox_error *err)
{
    const ix_jentry *entry = c->entry;

    if (entry->positional)
        return ix_j_fail(err, "TypeError", "%s() takes no keyword arguments", entry->name);
    for (int i = 0; i < count; i++) {
        if (!ix_j_is(k->name, entry->parameters[i]))
            continue;
        if (c->args[i].kind != IX_J_MISSING)
            return ix_j_fail(err, "TypeError", "%s() got multiple values for argument '%s'",
                             entry->name, entry->parameters[i]);
        c->args[i] = k->value;
        return INOX_OK;
    }
    if (!entry->keywords)
        return ix_j_fail(err, "TypeError", "%s() got an unexpected keyword argument '%.*s'",
                         entry->name, (int)(k->name->size > 100 ? 100 : k->name->size),
                         k->name->data);
    others[c->keyword_count++] = *k;
    return INOX_OK;
}

static inox_status bind(ix_jcall *c, const ix_jvalue *args, size_t count,
                        const ix_jkeyword *keywords, size_t keyword_count, inox_error *err)
{
    int parameters = parameter_count(c->entry);
    ix_jkeyword *others = NULL;

    for (size_t i = 0; i < count && i < (size_t)parameters; i++)
        c->args[i] = args[i];
    if (count > (size_t)parameters) {
        if (!c->entry->rest)
            return ix_j_fail(err, "TypeError", "%s() takes at most %d arguments but %zu were given",
                             c->entry->name, parameters, count);
        c->rest = args + parameters;
        c->rest_count = count - (size_t)parameters;
    }
    if (keyword_count > 0 && c->entry->keywords)
        IX_TRY(IX_J_ALLOC(c->r, &others, keyword_count, err));
    c->keywords = others;
    for (size_t i = 0; i < keyword_count; i++)
        IX_TRY(bind_keyword(c, parameters, &keywords[i], others, err));
    for (int i = 0; i < c->entry->required; i++)
        if (c->args[i].kind == IX_J_MISSING)
            return ix_j_fail(err, "TypeError", "%s() missing required argument: '%s'",
                             c->entry->name, c->entry->parameters[i]);
    return INOX_OK;
}

/* A failure leaves the counters as they were, for callers that go on nevertheless. */
static inox_status run_bound(ix_jcall *c, ix_jfunction run, ix_jvalue *out, inox_error *err)
{
    unsigned depth = c->r->depth, calls = c->r->calls;

    IX_TRY(ix_j_enter(c->r, err));
    inox_status status = run(c, out, err);
    c->r->depth = depth;
    c->r->calls = calls;
    return status;
}

inox_status ix_j_call_entry(ix_jrender *r, const ix_jentry *entry, ix_jvalue self,
                            const ix_jvalue *args, size_t count, const ix_jkeyword *keywords,
                            size_t keyword_count, ix_jvalue *out, inox_error *err)
{
    ix_jcall c = { .r = r, .self = self, .entry = entry, .autoescape = r->autoescape };

    if (entry->excluded)
        return ix_fail(err, INOX_E_UNSUPPORTED, "%s is left out: %s", entry->name, entry->excluded);
    if (!entry->run)
        return ix_j_fail(err, "SecurityError", "access to attribute '%s' is unsafe.", entry->name);
    IX_TRY(bind(&c, args, count, keywords, keyword_count, err));
    return run_bound(&c, entry->run, out, err);
}

inox_status ix_j_call(ix_jrender *r, ix_jvalue callee, const ix_jvalue *args, size_t count,
                      const ix_jkeyword *keywords, size_t keyword_count, ix_jvalue *out,
                      inox_error *err)
{
    if (callee.kind == IX_J_FUNCTION)
        return ix_j_call_entry(r, callee.method->entry, callee.method->self, args, count, keywords,
                               keyword_count, out, err);
    if (callee.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(r, callee, err);
    if (callee.kind != IX_J_OBJECT || !callee.object->class->call)
        return ix_j_fail(err, "TypeError", "'%s' object is not callable", ix_j_type_name(callee));
    ix_jcall c = { .r = r, .self = callee, .autoescape = r->autoescape };
    c.rest = args;
    c.rest_count = count;
    c.keywords = keywords;
    c.keyword_count = keyword_count;
    return run_bound(&c, callee.object->class->call, out, err);
}

/* ---- filters and tests by name --------------------------------------------------------------- */

static inox_status find_named(const ix_jentry *table, const char *what, ix_jvalue name,
                              const ix_jentry **out, inox_error *err)
{
    *out = NULL;
    if (name.kind == IX_J_STRING)
        *out = ix_j_find_entry(table, name.string->data, name.string->size);
    if (*out)
        return INOX_OK;
    if (name.kind != IX_J_STRING)
        return ix_j_fail(err, "TemplateRuntimeError", "No %s of type '%s'", what,
                         ix_j_type_name(name));
    return ix_j_fail(err, "TemplateRuntimeError", "No %s named '%.*s'.", what,
                     (int)(name.string->size > 100 ? 100 : name.string->size), name.string->data);
}

inox_status ix_j_call_filter(ix_jrender *r, ix_jvalue name, const ix_jvalue *args, size_t count,
                             const ix_jkeyword *keywords, size_t keyword_count, ix_jvalue *out,
                             inox_error *err)
{
    const ix_jentry *entry;

    IX_TRY(find_named(ix_j_filters, "filter", name, &entry, err));
    return ix_j_call_entry(r, entry, ix_j_missing(), args, count, keywords, keyword_count, out,
                           err);
}

inox_status ix_j_call_test(ix_jrender *r, ix_jvalue name, const ix_jvalue *args, size_t count,
                           const ix_jkeyword *keywords, size_t keyword_count, bool *out,
                           inox_error *err)
{
    const ix_jentry *entry;
    ix_jvalue result;

    IX_TRY(find_named(ix_j_tests, "test", name, &entry, err));
    IX_TRY(ix_j_call_entry(r, entry, ix_j_missing(), args, count, keywords, keyword_count, &result,
                           err));
    return ix_j_truth(r, result, out, err);
}

/* ---- arguments in the template --------------------------------------------------------------- */

#define FEW 5

/* The arguments of a call, evaluated. */
typedef struct arguments {
    ix_jvalue few[FEW], *args; /* args: few, or the rendering's memory */
    size_t count;
    ix_jkeyword few_keywords[2], *keywords;
    size_t keyword_count;
} arguments;

static inox_status add_rest(ix_jexec *x, const ix_jnode *n, arguments *a, inox_error *err)
{
    ix_jvalue rest, *more;

    IX_TRY(ix_j_eval(x, n, &rest, err));
    if (!ix_j_is_iterable(rest))
        return ix_j_fail(err, "TypeError", "argument after * must be an iterable, not %s",
                         ix_j_type_name(rest));
    IX_TRY(ix_j_to_list(x->r, rest, &rest, err));
    IX_TRY(IX_J_ALLOC(x->r, &more, a->count + rest.list->count, err));
    if (a->count > 0)
        memcpy(more, a->args, a->count * sizeof *more);
    if (rest.list->count > 0)
        memcpy(more + a->count, rest.list->items, rest.list->count * sizeof *more);
    a->args = more;
    a->count += rest.list->count;
    return INOX_OK;
}

static inox_status add_rest_keywords(ix_jexec *x, const ix_jnode *n, arguments *a, inox_error *err)
{
    ix_jvalue rest;
    ix_jkeyword *more;

    IX_TRY(ix_j_eval(x, n, &rest, err));
    if (rest.kind != IX_J_DICT)
        return ix_j_fail(err, "TypeError", "argument after ** must be a mapping, not %s",
                         ix_j_type_name(rest));
    IX_TRY(ix_j_steps(x->r, rest.dict->count * (a->keyword_count + 1), err));
    IX_TRY(IX_J_ALLOC(x->r, &more, a->keyword_count + rest.dict->count + 1, err)); /* caller */
    if (a->keyword_count > 0)
        memcpy(more, a->keywords, a->keyword_count * sizeof *more);
    for (size_t i = 0; i < rest.dict->count; i++) {
        ix_jvalue key = rest.dict->pairs[i].key;

        if (key.kind != IX_J_STRING)
            return ix_j_fail(err, "TypeError", "keywords must be strings");
        for (size_t k = 0; k < a->keyword_count; k++)
            if (ix_j_same_bytes(a->keywords[k].name, key.string))
                return ix_j_fail(
                    err, "TypeError", "got multiple values for keyword argument '%.*s'",
                    (int)(key.string->size > 100 ? 100 : key.string->size), key.string->data);
        more[a->keyword_count + i] = (ix_jkeyword){ key.string, rest.dict->pairs[i].value };
    }
    a->keywords = more;
    a->keyword_count += rest.dict->count;
    return INOX_OK;
}

/* Evaluates the arguments behind args[0..a->count), which are there already.  `spare`: keyword
 * arguments that will be added. */
static inox_status evaluate(ix_jexec *x, const ix_jarguments *call, size_t spare, arguments *a,
                            inox_error *err)
{
    if (a->count + call->count > FEW) {
        IX_TRY(IX_J_ALLOC(x->r, &a->args, a->count + call->count, err));
        memcpy(a->args, a->few, a->count * sizeof *a->args);
    }
    if (call->keyword_count + spare > 2)
        IX_TRY(IX_J_ALLOC(x->r, &a->keywords, call->keyword_count + spare, err));
    for (const ix_jnode *n = call->positional; n; n = n->next)
        IX_TRY(ix_j_eval(x, n, &a->args[a->count++], err));
    for (uint32_t i = 0; i < call->keyword_count; i++) {
        a->keywords[i].name = call->keywords[i].name;
        IX_TRY(ix_j_eval(x, call->keywords[i].value, &a->keywords[i].value, err));
        a->keyword_count++;
    }
    if (call->rest)
        IX_TRY(add_rest(x, call->rest, a, err));
    return call->rest_keywords ? add_rest_keywords(x, call->rest_keywords, a, err) : INOX_OK;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static inox_status unknown(const ix_jnode *n, const char *what, inox_error *err)
{
    return ix_j_fail(err, "TemplateRuntimeError", "No %s named '%.*s' found.", what,
                     (int)(n->call->name->size > 100 ? 100 : n->call->name->size),
                     n->call->name->data);
}

/* A call whose arguments are its parameters, in their order. */
static inox_status bind_plain(ix_jexec *x, const ix_jarguments *call, ix_jcall *c, inox_error *err)
{
    int i = 1;

    c->r = x->r;
    c->self = ix_j_missing();
    c->rest = NULL;
    c->rest_count = 0;
    c->keywords = NULL;
    c->keyword_count = 0;
    c->entry = call->entry;
    for (const ix_jnode *n = call->positional; n; n = n->next)
        IX_TRY(ix_j_eval(x, n, &c->args[i++], err));
    while (i < IX_J_MAX_PARAMETERS)
        c->args[i++].kind = IX_J_MISSING;
    c->autoescape = x->r->autoescape;
    return INOX_OK;
}

/* Calls a filter or test of the node on `value`. */
static inox_status call_named(ix_jexec *x, const ix_jnode *n, const char *what,
                              const ix_jvalue *value, ix_jvalue *out, inox_error *err)
{
    arguments a;
    ix_jcall c;

    if (n->call->plain) {
        ix_j_put(&c.args[0], value);
        IX_TRY(bind_plain(x, n->call, &c, err));
        return run_bound(&c, n->call->entry->run, out, err);
    }
    if (!n->call->entry)
        return unknown(n, what, err);
    a.args = a.few;
    a.keywords = a.few_keywords;
    a.few[0] = *value;
    a.count = 1;
    a.keyword_count = 0;
    IX_TRY(evaluate(x, n->call, 0, &a, err));
    return ix_j_call_entry(x->r, n->call->entry, ix_j_missing(), a.args, a.count, a.keywords,
                           a.keyword_count, out, err);
}

static inox_status filtered(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    if (n->a)
        return ix_j_eval(x, n->a, out, err);
    *out = x->captured;
    return INOX_OK;
}

inox_status ix_j_eval_filter(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    ix_jvalue value;

    IX_TRY(filtered(x, n, &value, err));
    return call_named(x, n, "filter", &value, out, err);
}

inox_status ix_j_write_filter(ix_jexec *x, const ix_jnode *n, ix_jvalue *rest, inox_error *err)
{
    ix_jcall c;

    IX_TRY(filtered(x, n, &c.args[0], err));
    IX_TRY(bind_plain(x, n->call, &c, err));
    if (c.args[0].kind == IX_J_STRING && c.args[0].string->safe)
        return run_bound(&c, n->call->entry->run, rest, err);
    IX_TRY(ix_j_enter(x->r, err));
    IX_TRY(n->call->entry->write(&c, x->out, err));
    ix_j_leave(x->r);
    return INOX_OK;
}

inox_status ix_j_eval_test(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    ix_jvalue value;

    IX_TRY(ix_j_eval(x, n->a, &value, err));
    if (n->call->plain && n->call->entry->holds) {
        *out = ix_j_bool(n->call->entry->holds(value));
        return INOX_OK;
    }
    return call_named(x, n, "test", &value, out, err);
}

/* The method that a callee object.name is, without making a value of it; NULL: not so simple. */
static const ix_jentry *direct_method(const ix_jnode *callee, ix_jvalue object)
{
    const ix_jentry *entry = NULL;

    if (object.kind == IX_J_DICT)
        entry = callee->attribute->of_dict;
    else if (object.kind == IX_J_STRING)
        entry = callee->attribute->of_string;
    return entry && !entry->refused && !entry->property ? entry : NULL;
}

static inox_status call_node(ix_jexec *x, const ix_jnode *n, const ix_jvalue *caller,
                             ix_jvalue *out, inox_error *err)
{
    const ix_jentry *method = NULL;
    ix_jvalue callee, object;
    arguments a;

    if (n->a->kind == IX_JN_GETATTR) {
        IX_TRY(ix_j_eval(x, n->a->a, &object, err));
        method = direct_method(n->a, object);
        if (!method) {
            inox_status status = ix_j_getattr(x->r, object, n->a->attribute->name, &callee, err);

            if (status != INOX_OK)
                return ix_j_failed_at(x->r, n->a, status);
        }
    } else {
        IX_TRY(ix_j_eval(x, n->a, &callee, err));
    }
    a.args = a.few;
    a.keywords = a.few_keywords;
    a.count = a.keyword_count = 0;
    IX_TRY(evaluate(x, n->call, caller != NULL, &a, err));
    if (caller) {
        ix_jvalue name;

        IX_TRY(ix_j_string_view(x->r, "caller", 6, &name, err));
        a.keywords[a.keyword_count].name = name.string;
        a.keywords[a.keyword_count++].value = *caller;
    }
    if (method)
        return ix_j_call_entry(x->r, method, object, a.args, a.count, a.keywords, a.keyword_count,
                               out, err);
    return ix_j_call(x->r, callee, a.args, a.count, a.keywords, a.keyword_count, out, err);
}

inox_status ix_j_eval_call(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    return call_node(x, n, NULL, out, err);
}

inox_status ix_j_eval_call_with(ix_jexec *x, const ix_jnode *n, ix_jvalue caller, ix_jvalue *out,
                                inox_error *err)
{
    inox_status status = call_node(x, n, &caller, out, err);

    return status == INOX_OK ? INOX_OK : ix_j_failed_at(x->r, n, status);
}

/* ---- for the library ------------------------------------------------------------------------- */

inox_status ix_j_index_argument(const ix_jcall *c, int i, int64_t otherwise, int64_t *out,
                                inox_error *err)
{
    ix_jvalue v = c->args[i];

    *out = otherwise;
    switch (v.kind) {
    case IX_J_MISSING: return INOX_OK;
    case IX_J_BOOL: *out = v.boolean; return INOX_OK;
    case IX_J_INT: *out = v.integer; return INOX_OK;
    case IX_J_BIG: *out = ix_j_sign(v) < 0 ? INT64_MIN : INT64_MAX; return INOX_OK;
    case IX_J_UNDEFINED: return ix_j_undefined_error(c->r, v, err);
    default:
        return ix_j_fail(err, "TypeError", "'%s' object cannot be interpreted as an integer",
                         ix_j_type_name(v));
    }
}

inox_status ix_j_truth_argument(const ix_jcall *c, int i, bool otherwise, bool *out,
                                inox_error *err)
{
    *out = otherwise;
    if (c->args[i].kind == IX_J_MISSING)
        return INOX_OK;
    return ix_j_truth(c->r, c->args[i], out, err);
}

uint64_t ix_j_random(ix_jrender *r)
{
    uint64_t z = r->random += 0x9E3779B97F4A7C15u; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
