/* The evaluator: expressions (eval.c), calls (call.c), statements (exec.c), macros (macro.c). */
#ifndef IX_TEXT_JINJA_EVAL_H
#define IX_TEXT_JINJA_EVAL_H

#include "text/jinja/ast.h"
#include "text/jinja/render.h"

/* The values of one run of a function of the template. */
typedef struct ix_jframe {
    struct ix_jframe *up;    /* of the function around */
    struct ix_jframe *spare; /* in the list of frames to use again */
    ix_jvalue slots[];
} ix_jframe;

typedef enum ix_jflow { IX_J_GO_ON, IX_J_BREAK, IX_J_CONTINUE } ix_jflow;

/* Where evaluation stands. */
typedef struct ix_jexec {
    ix_jrender *r;
    ix_jframe *frame;
    ix_jbuilder *out;
    ix_jflow flow;      /* a break or continue on its way to its loop */
    bool folding;       /* a constant is printed: jinja2 evaluates it when it compiles */
    ix_jvalue captured; /* what a filter or set block holds, for its first filter */
} ix_jexec;

static inline ix_jvalue *ix_j_slot(const ix_jexec *x, ix_jref ref)
{
    ix_jframe *frame = x->frame;

    if (ref.global)
        return &x->r->globals[ref.slot];
    for (uint16_t up = ref.up; up > 0; up--)
        frame = frame->up;
    return &frame->slots[ref.slot];
}

/* Where the field of that number is in an object, if it is where it was the last time; or NULL. */
static inline const ix_jvalue *ix_j_field_again(const ix_jexec *x, uint32_t number,
                                                const ix_jvalue *object)
{
    const ix_jhint *hint = &x->r->hints[number];

    if (object->kind != IX_J_DICT || hint->at >= object->dict->count)
        return NULL;
    const ix_jpair *pair = &object->dict->pairs[hint->at];
    return pair->key.string == hint->key && pair->key.kind == IX_J_STRING ? &pair->value : NULL;
}

/* Where the field n of an object lies; NULL where there is none, or one that is to be made. */
const ix_jvalue *ix_j_find_field(const ix_jexec *x, const ix_jnode *n, const ix_jvalue *object);
static inline const ix_jvalue *ix_j_field(const ix_jexec *x, const ix_jnode *n,
                                          const ix_jvalue *object)
{
    const ix_jvalue *found = ix_j_field_again(x, n->count, object);

    return found ? found : ix_j_find_field(x, n, object);
}
/* ix_j_there for what is seldom: names of other functions, fields of fields. */
const ix_jvalue *ix_j_there_far(const ix_jexec *x, const ix_jnode *n);

/* Where the value of an expression lies: of a constant, a name, a field of those.  NULL where it is
 * to be made, or to be undefined.  Good until something else is evaluated. */
static inline const ix_jvalue *ix_j_there(const ix_jexec *x, const ix_jnode *n)
{
    if (n->where == IX_JW_FIELD_OF_SLOT)
        return ix_j_field(x, n, &x->frame->slots[n->slot]);
    if (n->where == IX_JW_HERE)
        return &n->value;
    if (n->where == IX_JW_SLOT)
        return x->frame->slots[n->ref.slot].kind == IX_J_MISSING ? NULL
                                                                 : &x->frame->slots[n->ref.slot];
    return n->where == IX_JW_NAME || n->where == IX_JW_FIELD ? ix_j_there_far(x, n) : NULL;
}

/* What ix_j_eval does where it is more than handing out a value that is there. */
inox_status ix_j_eval_inner(ix_jexec *x, const ix_jnode *n, ix_jvalue *out,
                            inox_error *err) IX_MUST_USE;

/* *out = the value of an expression. */
static inline IX_MUST_USE inox_status ix_j_eval(ix_jexec *x, const ix_jnode *n, ix_jvalue *out,
                                                inox_error *err)
{
    const ix_jvalue *there = ix_j_there(x, n);

    if (!there || x->r->steps_left == 0)
        return ix_j_eval_inner(x, n, out, err);
    x->r->steps_left--;
    ix_j_put(out, there);
    return INOX_OK;
}

/* Appends str(value) to x->out, without making a value of what can be written at once. */
inox_status ix_j_write(ix_jexec *x, const ix_jnode *n, inox_error *err) IX_MUST_USE;
/* *out = bool(value), without making a value either. */
inox_status ix_j_eval_any_truth(ix_jexec *x, const ix_jnode *n, bool *out,
                                inox_error *err) IX_MUST_USE;
static inline IX_MUST_USE inox_status ix_j_eval_truth(ix_jexec *x, const ix_jnode *n, bool *out,
                                                      inox_error *err)
{
    const ix_jvalue *field;

    if (n->where != IX_JW_FIELD_IS || x->r->steps_left < 3 ||
        !(field = ix_j_field_again(x, n->count, &x->frame->slots[n->slot])) ||
        field->kind != IX_J_STRING)
        return ix_j_eval_any_truth(x, n, out, err);
    x->r->steps_left -= 3;
    *out = ix_j_same_short_text(field->string, n->value.string) == (n->op == IX_JC_EQ);
    return INOX_OK;
}

/* A call, a filter, a test (call.c). */
inox_status ix_j_eval_call(ix_jexec *x, const ix_jnode *n, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;
inox_status ix_j_eval_filter(ix_jexec *x, const ix_jnode *n, ix_jvalue *out,
                             inox_error *err) IX_MUST_USE;
/* Writes what a filter gives, one of plain arguments that has a writer, and leaves *rest as it is;
 * or *rest = what it gives for Markup. */
inox_status ix_j_write_filter(ix_jexec *x, const ix_jnode *n, ix_jvalue *rest,
                              inox_error *err) IX_MUST_USE;
inox_status ix_j_eval_test(ix_jexec *x, const ix_jnode *n, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;
/* The call of a call block, with its body as the keyword argument caller. */
inox_status ix_j_eval_call_with(ix_jexec *x, const ix_jnode *n, ix_jvalue caller, ix_jvalue *out,
                                inox_error *err) IX_MUST_USE;

/* Statements (exec.c) up to the end of the list, or to a break or continue (x->flow). */
inox_status ix_j_run(ix_jexec *x, const ix_jnode *body, inox_error *err) IX_MUST_USE;

/* Gives a value to a target: a name, a namespace's attribute, or several. */
inox_status ix_j_assign(ix_jexec *x, const ix_jnode *target, ix_jvalue v,
                        inox_error *err) IX_MUST_USE;
/* Fills the slots of a scope that is entered; empties them when it is left. */
void ix_j_fill_scope(ix_jexec *x, const ix_jenter *enter);
static inline void ix_j_enter_scope(ix_jexec *x, const ix_jenter *enter)
{
    if (enter->filled > 0)
        ix_j_fill_scope(x, enter);
}
void ix_j_leave_scope(ix_jexec *x, const ix_jenter *enter);

/* Runs a whole template into `out` (macro.c). */
inox_status ix_j_run_root(ix_jrender *r, ix_jbuilder *out, inox_error *err) IX_MUST_USE;

/* A macro value for a function in the frame where x stands (macro.c). */
inox_status ix_j_macro(ix_jexec *x, const ix_jfunction_node *f, ix_jvalue *out,
                       inox_error *err) IX_MUST_USE;

/* Fails at a node: remembers where, if nobody further in did. */
static inline inox_status ix_j_failed_at(ix_jrender *r, const ix_jnode *n, inox_status status)
{
    if (r->error_at == IX_J_NOWHERE)
        r->error_at = n->at;
    return status;
}

#endif
