/* Expressions.
 *
 * Every node costs a step and, unless it is a leaf, a level of depth; a failing node leaves its
 * place in the source.  The order in which parts are evaluated is Python's.
 */
#include "text/jinja/eval.h"

#include <string.h>

const ix_jvalue *ix_j_find_field(const ix_jexec *x, const ix_jnode *n, const ix_jvalue *object)
{
    if (object->kind != IX_J_DICT && (object->kind != IX_J_NAMESPACE || !n->attribute->plain))
        return NULL;
    ix_jpair *pair = ix_j_dict_find_pair(object->dict, n->attribute->name);
    if (!pair)
        return NULL;
    x->r->hints[n->count] = (ix_jhint){ pair->key.string, (size_t)(pair - object->dict->pairs) };
    return &pair->value;
}

const ix_jvalue *ix_j_there_far(const ix_jexec *x, const ix_jnode *n)
{
    if (n->where == IX_JW_NAME) {
        const ix_jvalue *slot = ix_j_slot(x, n->ref);

        return slot->kind == IX_J_MISSING ? NULL : slot;
    }
    const ix_jvalue *object = ix_j_there(x, n->a);
    return object ? ix_j_field(x, n, object) : NULL;
}

static inox_status eval_name(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    const ix_jvalue *slot = ix_j_slot(x, n->ref);

    if (slot->kind == IX_J_MISSING)
        return ix_j_undefined(x->r, ix_j_missing(), ix_j_of_string(x->r->program->names[n->count]),
                              out, err);
    ix_j_put(out, slot);
    return INOX_OK;
}

static inox_status eval_items(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    ix_jvalue item;

    IX_TRY(n->kind == IX_JN_LIST ? ix_j_list(x->r, n->count, out, err)
                                 : ix_j_tuple(x->r, n->count, out, err));
    for (const ix_jnode *part = n->a; part; part = part->next) {
        IX_TRY(ix_j_eval(x, part, &item, err));
        IX_TRY(ix_j_append(x->r, *out, item, err));
    }
    return INOX_OK;
}

static inox_status eval_dict(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    ix_jvalue key, value;

    IX_TRY(ix_j_dict(x->r, n->count, out, err));
    for (const ix_jnode *part = n->a; part; part = part->next->next) {
        IX_TRY(ix_j_eval(x, part, &key, err));
        IX_TRY(ix_j_eval(x, part->next, &value, err));
        IX_TRY(ix_j_dict_set(x->r, *out, key, value, err));
    }
    return INOX_OK;
}

static inox_status eval_condition(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    bool test;

    IX_TRY(ix_j_eval_truth(x, n->a, &test, err));
    if (test)
        return ix_j_eval(x, n->b, out, err);
    if (n->c)
        return ix_j_eval(x, n->c, out, err);
    return ix_j_undefined_hint(x->r,
                               "the inline if-expression evaluated to false and no else section "
                               "was defined.",
                               out, err);
}

static inox_status eval_attribute(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    ix_jstring *name = n->attribute->name;
    ix_jvalue object;

    IX_TRY(ix_j_eval(x, n->a, &object, err));
    if (object.kind != IX_J_DICT || !n->attribute->plain)
        return ix_j_getattr(x->r, object, name, out, err);
    const ix_jvalue *found = ix_j_dict_find(object.dict, name);
    if (!found)
        return ix_j_undefined(x->r, object, ix_j_of_string(name), out, err);
    ix_j_put(out, found);
    return INOX_OK;
}

static inox_status eval_item(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    ix_jvalue object, key;

    IX_TRY(ix_j_eval(x, n->a, &object, err));
    IX_TRY(ix_j_eval(x, n->b, &key, err));
    if (object.kind == IX_J_DICT && key.kind == IX_J_STRING) {
        const ix_jvalue *found = ix_j_dict_find(object.dict, key.string);

        if (found) {
            ix_j_put(out, found);
            return INOX_OK;
        }
        if (n->where != IX_JW_MADE && n->attribute->plain)
            return ix_j_undefined(x->r, object, key, out, err);
    }
    return ix_j_getitem(x->r, object, key, out, err);
}

static inox_status eval_slice(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    const ix_jnode *parts[3] = { n->b, n->c, n->d };
    ix_jvalue object, bounds[3];

    IX_TRY(ix_j_eval(x, n->a, &object, err));
    for (int i = 0; i < 3; i++) {
        bounds[i] = ix_j_missing();
        if (parts[i])
            IX_TRY(ix_j_eval(x, parts[i], &bounds[i], err));
    }
    if (!x->folding)
        return ix_j_getslice(x->r, object, bounds, out, err);
    inox_error own; /* jinja2 folds constants through the lookup that forgives wrong types */
    inox_status status = ix_j_getslice(x->r, object, bounds, out, &own);
    if (status == INOX_OK || strncmp(own.message, "TypeError", 9) != 0)
        return status;
    return ix_j_undefined(x->r, object, ix_j_none(), out, err);
}

/* jinja2's markup_join: from the first Markup on, what is none is escaped, and all before too. */
static inox_status join_markup(ix_jexec *x, const ix_jvalue parts, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(x->r);
    bool safe = false;

    for (size_t i = 0; i < parts.list->count; i++)
        safe |= ix_j_is_string(parts.list->items[i]) && parts.list->items[i].string->safe;
    for (size_t i = 0; i < parts.list->count; i++)
        IX_TRY(safe ? ix_jb_escape(&b, parts.list->items[i], err)
                    : ix_jb_str(&b, parts.list->items[i], err));
    return ix_jb_finish(&b, safe, out, err);
}

#define LONG 256

/* A long string, and what is joined to it. */
static inox_status concat_to(ix_jexec *x, ix_jvalue first, const ix_jnode *rest, ix_jvalue *out,
                             inox_error *err)
{
    ix_jvalue part;

    IX_TRY(ix_j_with_safe(x->r, first.string, false, out, err));
    for (; rest; rest = rest->next) {
        IX_TRY(ix_j_eval(x, rest, &part, err));
        IX_TRY(ix_j_str(x->r, part, &part, err));
        IX_TRY(ix_j_join(x->r, out->string, part.string, false, out, err));
    }
    return INOX_OK;
}

static inox_status eval_concat(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(x->r);
    ix_jvalue part;

    if (n->escape == IX_JE_YES && !n->constant) { /* jinja2 folds constants without escaping */
        IX_TRY(eval_items(x, n, &part, err));
        return join_markup(x, part, out, err);
    }
    for (const ix_jnode *p = n->a; p; p = p->next) {
        IX_TRY(ix_j_eval(x, p, &part, err));
        if (p == n->a && ix_j_is_string(part) && part.string->size >= LONG)
            return concat_to(x, part, p->next, out, err);
        IX_TRY(ix_jb_str(&b, part, err));
    }
    return ix_jb_finish(&b, false, out, err);
}

static inox_status compare_one(ix_jrender *r, ix_jcomparison op, ix_jvalue a, ix_jvalue b,
                               bool *out, inox_error *err)
{
    switch (op) {
    case IX_JC_EQ:
    case IX_JC_NE: {
        inox_status status = ix_j_equal(r, a, b, out, err);

        *out = *out != (op == IX_JC_NE);
        return status;
    }
    case IX_JC_IN:
    case IX_JC_NOT_IN: {
        inox_status status = ix_j_contains(r, b, a, out, err);

        *out = *out != (op == IX_JC_NOT_IN);
        return status;
    }
    default: return ix_j_compare(r, (ix_jorder)(op - IX_JC_LT), a, b, out, err);
    }
}

static inox_status compare(ix_jexec *x, const ix_jnode *n, bool *holds, inox_error *err)
{
    ix_jvalue left, right;

    *holds = true;
    IX_TRY(ix_j_eval(x, n->a, &left, err));
    for (const ix_jnode *operand = n->b; *holds && operand; operand = operand->next) {
        IX_TRY(ix_j_eval(x, operand->a, &right, err));
        if (operand->op <= IX_JC_NE && left.kind == IX_J_STRING && right.kind == IX_J_STRING &&
            left.string->size < 64)
            *holds = ix_j_same_text(left.string, right.string) == (operand->op == IX_JC_EQ);
        else
            IX_TRY(compare_one(x->r, (ix_jcomparison)operand->op, left, right, holds, err));
        ix_j_put(&left, &right);
    }
    return INOX_OK;
}

static inline inox_status truth_of(ix_jrender *r, const ix_jvalue *v, bool *out, inox_error *err)
{
    if (v->kind != IX_J_BOOL)
        return ix_j_truth(r, *v, out, err);
    *out = v->boolean;
    return INOX_OK;
}

static inox_status eval_logic(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    bool left;

    IX_TRY(ix_j_eval(x, n->a, out, err));
    IX_TRY(truth_of(x->r, out, &left, err));
    return left == (n->kind == IX_JN_AND) ? ix_j_eval(x, n->b, out, err) : INOX_OK;
}

/* a == b or a != b, of strings that lie somewhere. */
static inline bool compare_there(ix_jexec *x, const ix_jnode *n, bool *out)
{
    if (n->op > IX_JC_NE || x->r->steps_left < 3)
        return false;
    const ix_jvalue *left = ix_j_there(x, n->a), *right = ix_j_there(x, n->b->a);
    if (!left || !right || left->kind != IX_J_STRING || right->kind != IX_J_STRING ||
        left->string->size >= 64)
        return false;
    x->r->steps_left -= 3;
    *out = ix_j_same_text(left->string, right->string) == (n->op == IX_JC_EQ);
    return true;
}

/* The truth of a value, where it needs no asking. */
static inline bool truth_of_simple(const ix_jvalue *v, bool *out)
{
    switch (v->kind) {
    case IX_J_NONE: *out = false; return true;
    case IX_J_BOOL: *out = v->boolean; return true;
    case IX_J_STRING: *out = v->string->size > 0; return true;
    case IX_J_LIST: *out = v->list->count > 0; return true;
    case IX_J_DICT: *out = v->dict->count > 0; return true;
    default: return false;
    }
}

/* *out = the truth of n, no comparison, where nothing need be evaluated for it. */
static inline bool truth_there(ix_jexec *x, const ix_jnode *n, bool *out)
{
    bool test = n->kind == IX_JN_TEST && n->call->plain && n->call->entry->holds;
    const ix_jvalue *there = ix_j_there(x, test ? n->a : n);

    if (!there || !test)
        return there && truth_of_simple(there, out);
    *out = n->call->entry->holds(*there);
    return true;
}

/* The truth of a comparison, and, or, not. */
static inox_status truth_of_logic(ix_jexec *x, const ix_jnode *n, bool *out, inox_error *err)
{
    inox_status status = ix_j_step(x->r, err);

    if (status == INOX_OK)
        status = ix_j_down(x->r, err);
    if (status != INOX_OK)
        return ix_j_failed_at(x->r, n, status);
    if (n->kind == IX_JN_COMPARE) {
        status = compare(x, n, out, err);
    } else {
        status = ix_j_eval_truth(x, n->a, out, err);
        if (status == INOX_OK && n->kind == IX_JN_NOT)
            *out = !*out;
        else if (status == INOX_OK && *out == (n->kind == IX_JN_AND))
            status = ix_j_eval_truth(x, n->b, out, err);
    }
    x->r->depth--;
    return status == INOX_OK ? INOX_OK : ix_j_failed_at(x->r, n, status);
}

static inox_status truth_of_value(ix_jexec *x, const ix_jnode *n, bool *out, inox_error *err)
{
    ix_jvalue v;

    IX_TRY(ix_j_eval(x, n, &v, err));
    return truth_of(x->r, &v, out, err);
}

inox_status ix_j_eval_any_truth(ix_jexec *x, const ix_jnode *n, bool *out, inox_error *err)
{
    bool is_not = n->kind == IX_JN_NOT;
    const ix_jnode *inner = is_not ? n->a : n;

    if (n->kind == IX_JN_AND || n->kind == IX_JN_OR)
        return truth_of_logic(x, n, out, err);
    if (inner->kind == IX_JN_COMPARE ? compare_there(x, inner, out) : truth_there(x, inner, out)) {
        *out = *out != is_not;
        return INOX_OK;
    }
    return n->kind == IX_JN_COMPARE || is_not ? truth_of_logic(x, n, out, err)
                                              : truth_of_value(x, n, out, err);
}

static inox_status eval_binary(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    ix_jvalue left, right;

    IX_TRY(ix_j_eval(x, n->a, &left, err));
    IX_TRY(ix_j_eval(x, n->b, &right, err));
    return ix_j_arithmetic(x->r, (ix_jop)n->op, left, right, out, err);
}

/* A comparison, a not. */
static inox_status eval_yes_or_no(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    bool truth = false;

    IX_TRY(ix_j_eval_truth(x, n, &truth, err));
    *out = ix_j_bool(truth);
    return INOX_OK;
}

static inox_status eval_unary(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v;

    IX_TRY(ix_j_eval(x, n->a, &v, err));
    if (n->kind == IX_JN_NEG)
        return ix_j_negate(x->r, v, out, err);
    if (v.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(x->r, v, err);
    if (!ix_j_is_number(v))
        return ix_j_fail(err, "TypeError", "bad operand type for unary +: '%s'", ix_j_type_name(v));
    *out = v.kind == IX_J_BOOL ? ix_j_int(v.boolean) : v;
    return INOX_OK;
}

static inox_status eval_other(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    switch ((ix_jnode_kind)n->kind) {
    case IX_JN_TUPLE:
    case IX_JN_LIST: return eval_items(x, n, out, err);
    case IX_JN_DICT: return eval_dict(x, n, out, err);
    case IX_JN_GETSLICE: return eval_slice(x, n, out, err);
    case IX_JN_CONCAT: return eval_concat(x, n, out, err);
    case IX_JN_NEG:
    case IX_JN_POS: return eval_unary(x, n, out, err);
    default: return ix_fail(err, INOX_E_INTERNAL, "a node of kind %d is no expression", n->kind);
    }
}

static inox_status eval_node(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    switch ((ix_jnode_kind)n->kind) {
    case IX_JN_GETATTR: return eval_attribute(x, n, out, err);
    case IX_JN_GETITEM: return eval_item(x, n, out, err);
    case IX_JN_COMPARE:
    case IX_JN_NOT: return eval_yes_or_no(x, n, out, err);
    case IX_JN_AND:
    case IX_JN_OR: return eval_logic(x, n, out, err);
    case IX_JN_COND: return eval_condition(x, n, out, err);
    case IX_JN_BINARY: return eval_binary(x, n, out, err);
    case IX_JN_FILTER: return ix_j_eval_filter(x, n, out, err);
    case IX_JN_TEST: return ix_j_eval_test(x, n, out, err);
    case IX_JN_CALL: return ix_j_eval_call(x, n, out, err);
    default: return eval_other(x, n, out, err);
    }
}

inox_status ix_j_eval_inner(ix_jexec *x, const ix_jnode *n, ix_jvalue *out, inox_error *err)
{
    inox_status status = ix_j_step(x->r, err);

    if (status == INOX_OK && n->kind == IX_JN_NAME) {
        status = eval_name(x, n, out, err);
    } else if (status == INOX_OK) {
        status = ix_j_down(x->r, err);
        if (status == INOX_OK) {
            status = eval_node(x, n, out, err);
            x->r->depth--;
        }
    }
    return status == INOX_OK ? INOX_OK : ix_j_failed_at(x->r, n, status);
}

/* ---- writing --------------------------------------------------------------------------------- */

static inox_status write_part(ix_jexec *x, const ix_jnode *n, ix_jvalue *rest, inox_error *err);

/* The value of n where that is a str (which Markup is not) that lies somewhere, or NULL. */
static inline const ix_jstring *text_there(const ix_jexec *x, const ix_jnode *n)
{
    const ix_jvalue *there = ix_j_there(x, n);

    return there && there->kind == IX_J_STRING && !there->string->safe ? there->string : NULL;
}

/* write_part, where most texts are found without evaluating anything. */
static inline inox_status write_text_or_part(ix_jexec *x, const ix_jnode *n, ix_jvalue *rest,
                                             inox_error *err)
{
    const ix_jstring *text = text_there(x, n);

    if (!text)
        return write_part(x, n, rest, err);
    rest->kind = IX_J_MISSING;
    return ix_jb_string(x->out, text, err);
}

/* left + right, where left, and then maybe right, is written already (it is IX_J_MISSING then, and
 * was written from `before` on).  *left = the sum, likewise. */
static inox_status write_addend(ix_jexec *x, const ix_jnode *right, const ix_jplace *before,
                                ix_jvalue *left, inox_error *err)
{
    ix_jvalue value, sum;

    if (left->kind == IX_J_MISSING) {
        IX_TRY(write_text_or_part(x, right, &value, err));
        if (value.kind == IX_J_MISSING)
            return INOX_OK;
        IX_TRY(ix_jb_take_back(x->out, before, left, err));
    } else {
        IX_TRY(ix_j_eval(x, right, &value, err));
    }
    IX_TRY(ix_j_arithmetic(x->r, IX_J_ADD, *left, value, &sum, err));
    *left = sum;
    return INOX_OK;
}

/* a + b + c ... */
static inox_status write_sum(ix_jexec *x, const ix_jnode *n, ix_jvalue *rest, inox_error *err)
{
    ix_jplace before = ix_jb_place(x->out);
    const ix_jnode *sum = n->sum.first;
    const ix_jstring *text;

    IX_TRY(write_text_or_part(x, sum->a, rest, err));
    while (rest->kind == IX_J_MISSING && (text = text_there(x, sum->b)) != NULL) {
        IX_TRY(ix_jb_string(x->out, text, err));
        if (sum == n)
            return INOX_OK;
        sum = sum->sum.outer;
    }
    for (;; sum = sum->sum.outer) {
        inox_status status = write_addend(x, sum->b, &before, rest, err);

        if (status != INOX_OK)
            return ix_j_failed_at(x->r, sum, status);
        if (sum == n)
            return INOX_OK;
    }
}

static inox_status write_concat(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    for (const ix_jnode *part = n->a; part; part = part->next)
        IX_TRY(ix_j_write(x, part, err));
    return INOX_OK;
}

static inox_status write_node(ix_jexec *x, const ix_jnode *n, ix_jvalue *rest, inox_error *err)
{
    bool test;

    *rest = ix_j_missing();
    if (n->kind == IX_JN_BINARY)
        return write_sum(x, n, rest, err);
    if (n->kind == IX_JN_CONCAT)
        return write_concat(x, n, err);
    if (n->kind == IX_JN_FILTER)
        return ix_j_write_filter(x, n, rest, err);
    IX_TRY(ix_j_eval_truth(x, n->a, &test, err));
    return write_part(x, test ? n->b : n->c, rest, err);
}

/* True if the node's value need not be made to be written. */
static inline bool has_parts(const ix_jnode *n)
{
    switch ((ix_jnode_kind)n->kind) {
    case IX_JN_BINARY: return n->op == IX_J_ADD;
    case IX_JN_CONCAT: return n->escape != IX_JE_YES;
    case IX_JN_COND: return n->c != NULL;
    case IX_JN_FILTER: return n->call->plain && n->call->entry->write;
    default: return false;
    }
}

/* Writes the value of n, if it is a str (which Markup is not), and sets *rest to IX_J_MISSING;
 * else *rest is the value.  What x->out held before stays as it is: expressions write nothing. */
static inox_status write_part(ix_jexec *x, const ix_jnode *n, ix_jvalue *rest, inox_error *err)
{
    if (has_parts(n)) {
        IX_TRY(ix_j_step(x->r, err));
        inox_status status = ix_j_down(x->r, err);
        if (status == INOX_OK) {
            status = write_node(x, n, rest, err);
            x->r->depth--;
        }
        return status == INOX_OK ? INOX_OK : ix_j_failed_at(x->r, n, status);
    }
    IX_TRY(ix_j_eval(x, n, rest, err));
    if (rest->kind != IX_J_STRING || rest->string->safe)
        return INOX_OK;
    IX_TRY(ix_jb_string(x->out, rest->string, err));
    rest->kind = IX_J_MISSING;
    return INOX_OK;
}

inox_status ix_j_write(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    ix_jvalue rest;

    IX_TRY(write_text_or_part(x, n, &rest, err));
    return rest.kind == IX_J_MISSING ? INOX_OK : ix_jb_str(x->out, rest, err);
}
