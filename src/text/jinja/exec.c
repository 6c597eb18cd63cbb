/* Statements: each kind has one function.
 *
 * Output goes to x->out.  A scope's slots are filled when it is entered (ix_j_enter_scope), in the
 * frame of the function that runs.
 */
#include "text/jinja/macro.h"

/* Kept out of ix_j_run, which is entered for each body and should be small. */
#define APART static __attribute__((noinline))

/* ---- scopes, assignment ---------------------------------------------------------------------- */

void ix_j_fill_scope(ix_jexec *x, const ix_jenter *enter)
{
    for (uint32_t i = 0; i < enter->filled; i++) {
        const ix_jslot *s = &enter->slots[i];

        if (s->load == IX_JL_UNDEFINED)
            x->frame->slots[s->slot] = ix_j_missing();
        else
            x->frame->slots[s->slot] = *ix_j_slot(x, s->from);
    }
}

void ix_j_leave_scope(ix_jexec *x, const ix_jenter *enter)
{
    for (uint32_t i = 0; i < enter->count; i++)
        x->frame->slots[enter->slots[i].slot] = ix_j_missing();
}

static inox_status unpack(ix_jexec *x, const ix_jnode *target, ix_jvalue v, inox_error *err)
{
    ix_jcursor c;
    ix_jvalue items, item;
    bool more = true;

    if (!ix_j_is_iterable(v))
        return ix_j_fail(err, "TypeError", "cannot unpack non-iterable %s object",
                         ix_j_type_name(v));
    IX_TRY(ix_j_cursor_start(x->r, v, &c, err));
    IX_TRY(ix_j_list(x->r, target->count, &items, err));
    for (;;) {
        IX_TRY(ix_j_cursor_next(x->r, &c, &item, &more, err));
        if (!more)
            break;
        if (items.list->count == target->count)
            return ix_j_fail(err, "ValueError", "too many values to unpack (expected %u)",
                             target->count);
        IX_TRY(ix_j_append(x->r, items, item, err));
    }
    if (items.list->count < target->count)
        return ix_j_fail(err, "ValueError", "not enough values to unpack (expected %u, got %zu)",
                         target->count, items.list->count);
    size_t i = 0;
    for (const ix_jnode *part = target->a; part; part = part->next)
        IX_TRY(ix_j_assign(x, part, items.list->items[i++], err));
    return INOX_OK;
}

inox_status ix_j_assign(ix_jexec *x, const ix_jnode *target, ix_jvalue v, inox_error *err)
{
    ix_jvalue *slot;

    if (target->kind == IX_JN_TUPLE) {
        inox_status status = unpack(x, target, v, err);

        return status == INOX_OK ? INOX_OK : ix_j_failed_at(x->r, target, status);
    }
    slot = ix_j_slot(x, target->ref);
    if (target->kind == IX_JN_NAME) {
        *slot = v;
        return INOX_OK;
    }
    inox_status status;
    if (slot->kind != IX_J_NAMESPACE)
        status = ix_j_fail(err, "TemplateRuntimeError",
                           "cannot assign attribute on non-namespace object");
    else
        status = ix_j_check_attribute(x->r, target->attribute_name.string, err);
    if (status == INOX_OK)
        status = ix_j_dict_set(x->r, *slot, target->attribute_name, v, err);
    return status == INOX_OK ? INOX_OK : ix_j_failed_at(x->r, target, status);
}

/* Shows blocks what a target of the top level has got. */
static void export_target(ix_jexec *x, const ix_jnode *target)
{
    const ix_jprogram *p = x->r->program;

    for (const ix_jnode *part = target->kind == IX_JN_TUPLE ? target->a : NULL; part;
         part = part->next)
        export_target(x, part);
    if (target->kind != IX_JN_NAME)
        return;
    for (uint32_t i = 0; i < p->global_count; i++)
        if (p->globals[i] == target->count)
            x->r->globals[i] = *ix_j_slot(x, target->ref);
}

static void export(ix_jexec *x, const ix_jnode *n)
{
    if (!n->exported || x->r->program->block_count == 0)
        return;
    ix_jnode name = { .kind = IX_JN_NAME, .count = n->count, .ref = n->target };
    export_target(x, n->kind == IX_JN_MACRO ? &name : n->a);
}

/* ---- output ---------------------------------------------------------------------------------- */

static bool escapes(const ix_jexec *x, unsigned escape)
{
    return escape == IX_JE_YES || (escape == IX_JE_VOLATILE && x->r->autoescape);
}

/* Writes the value of an expression, escaped. */
APART inox_status print_escaped(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    ix_jvalue v;

    IX_TRY(ix_j_eval(x, n, &v, err));
    inox_status status = ix_jb_escape(x->out, v, err);
    return status == INOX_OK ? INOX_OK : ix_j_failed_at(x->r, n, status);
}

/* jinja2 evaluates constants when it compiles, by slightly other rules; those that fail then are
 * evaluated again when they are printed. */
APART inox_status print_constant(ix_jexec *x, const ix_jnode *n, bool escape, inox_error *err)
{
    inox_error own;
    ix_jvalue v;

    x->folding = true;
    inox_status status = ix_j_eval(x, n, &v, &own);
    x->folding = false;
    if (status == INOX_OK)
        return escape ? ix_jb_escape(x->out, v, err) : ix_jb_str(x->out, v, err);
    x->r->error_at = IX_J_NOWHERE;
    return escape ? print_escaped(x, n, err) : ix_j_write(x, n, err);
}

static inox_status run_output(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    bool escape = escapes(x, n->escape);

    for (const ix_jnode *part = n->a; part; part = part->next) {
        if (part->kind == IX_JN_DATA ||
            (part->kind == IX_JN_CONST && part->value.kind == IX_J_STRING && !escape)) {
            IX_TRY(ix_jb_string(x->out, part->value.string, err));
            continue;
        }
        inox_status status = part->constant ? print_constant(x, part, escape, err)
                             : escape       ? print_escaped(x, part, err)
                                            : ix_j_write(x, part, err);
        if (status != INOX_OK)
            return ix_j_failed_at(x->r, part, status);
    }
    return INOX_OK;
}

/* What a body writes, as a string. */
static inox_status capture(ix_jexec *x, const ix_jnode *body, bool safe, ix_jvalue *out,
                           inox_error *err)
{
    ix_jbuilder text = ix_jb(x->r), *before = x->out;

    x->out = &text;
    inox_status status = ix_j_run(x, body, err);
    x->out = before;
    return status == INOX_OK ? ix_jb_finish(&text, safe, out, err) : status;
}

/* Writes what a filter or call gave, which jinja2 joins as it is: only strings can be. */
static inox_status write_string(ix_jexec *x, ix_jvalue v, inox_error *err)
{
    if (v.kind != IX_J_STRING)
        return ix_j_fail(err, "TypeError", "expected str instance, %s found", ix_j_type_name(v));
    return ix_jb_string(x->out, v.string, err);
}

APART inox_status run_filter_block(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    ix_jvalue v;

    ix_j_enter_scope(x, n->enter);
    IX_TRY(capture(x, n->b, escapes(x, n->escape), &x->captured, err));
    if (x->flow != IX_J_GO_ON)
        return INOX_OK;
    IX_TRY(ix_j_eval(x, n->a, &v, err));
    return write_string(x, v, err);
}

/* ---- set, with ------------------------------------------------------------------------------- */

APART inox_status run_set(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    ix_jvalue v;

    IX_TRY(ix_j_eval(x, n->b, &v, err));
    IX_TRY(ix_j_assign(x, n->a, v, err));
    export(x, n);
    return INOX_OK;
}

APART inox_status run_set_block(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    ix_jvalue v;

    ix_j_enter_scope(x, n->enter);
    IX_TRY(capture(x, n->c, n->b && escapes(x, n->escape), &v, err));
    if (x->flow != IX_J_GO_ON)
        return INOX_OK;
    if (n->b) {
        x->captured = v;
        IX_TRY(ix_j_eval(x, n->b, &v, err));
    }
    if (x->r->autoescape) {
        IX_TRY(ix_j_soft_str(x->r, v, &v, err));
        IX_TRY(ix_j_with_safe(x->r, v.string, true, &v, err));
    }
    IX_TRY(ix_j_assign(x, n->a, v, err));
    export(x, n);
    return INOX_OK;
}

APART inox_status run_with(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    const ix_jnode *value = n->b;
    ix_jvalue v;

    ix_j_enter_scope(x, n->enter);
    for (const ix_jnode *target = n->a; target; target = target->next, value = value->next) {
        IX_TRY(ix_j_eval(x, value, &v, err));
        IX_TRY(ix_j_assign(x, target, v, err));
    }
    return ix_j_run(x, n->c, err);
}

APART inox_status run_autoescape(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    bool before = x->r->autoescape;

    ix_j_enter_scope(x, n->enter);
    IX_TRY(ix_j_eval_truth(x, n->a, &x->r->autoescape, err));
    IX_TRY(ix_j_run(x, n->b, err));
    if (x->flow == IX_J_GO_ON) /* a break jumps over the end, in jinja2 too */
        x->r->autoescape = before;
    return INOX_OK;
}

/* ---- for ------------------------------------------------------------------------------------- */

/* One round: the item to the target, the body.  *stop: a break came; *whole: neither that nor a
 * continue did.  A for with an else runs that unless a round was whole: so jinja2 has it. */
static inox_status run_round(ix_jexec *x, const ix_jnode *n, ix_jloop *loop, const ix_jvalue *item,
                             bool *stop, bool *whole, inox_error *err)
{
    if (n->a->where == IX_JW_SLOT)
        ix_j_put(&x->frame->slots[n->a->ref.slot], item);
    else
        IX_TRY(ix_j_assign(x, n->a, *item, err));
    if (loop)
        x->frame->slots[n->loop->loop_slot] = ix_j_of_object(&loop->object);
    ix_j_enter_scope(x, &n->loop->enter);
    IX_TRY(ix_j_run(x, n->c, err));
    *stop = x->flow == IX_J_BREAK;
    *whole |= x->flow == IX_J_GO_ON;
    x->flow = IX_J_GO_ON;
    return INOX_OK;
}

static inox_status run_rounds(ix_jexec *x, const ix_jnode *n, ix_jvalue iterable, ix_jframe *around,
                              int64_t depth0, inox_error *err)
{
    ix_jloop *loop = NULL;
    ix_jsource source;
    ix_jvalue item;
    bool more = true, stop = false, whole = false;

    if (n->loop->extended)
        IX_TRY(ix_j_loop_new(x, n, iterable, depth0, &loop, err));
    else
        IX_TRY(ix_j_source_start(x, n, iterable, &source, err));
    if (loop && n->loop->function) {
        loop->node = n;
        loop->around = around;
    }
    while (!stop) {
        IX_TRY(loop ? ix_j_loop_next(loop, &item, &more, err)
                    : ix_j_source_next(&source, &item, &more, err));
        if (!more)
            break;
        IX_TRY(run_round(x, n, loop, &item, &stop, &whole, err));
    }
    ix_j_leave_scope(x, &n->loop->enter);
    if (whole || !n->d)
        return INOX_OK;
    ix_j_enter_scope(x, &n->loop->else_enter);
    return ix_j_run(x, n->d, err);
}

inox_status ix_j_loop_text(ix_jrender *r, const ix_jnode *node, ix_jframe *around,
                           ix_jvalue iterable, int64_t depth0, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder text = ix_jb(r);
    ix_jexec x = { .r = r, .out = &text };

    IX_TRY(ix_j_enter_call(r, err));
    IX_TRY(ix_j_frame_new(r, node->loop->function, around, &x.frame, err));
    IX_TRY(run_rounds(&x, node, iterable, around, depth0, err));
    ix_j_frame_done(r, node->loop->function, x.frame);
    r->calls--;
    return ix_jb_finish(&text, r->autoescape, out, err);
}

APART inox_status run_for(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    ix_jvalue iterable, text;

    IX_TRY(ix_j_eval(x, n->b, &iterable, err));
    inox_status status;
    if (n->loop->function) {
        status = ix_j_loop_text(x->r, n, x->frame, iterable, 0, &text, err);
        if (status == INOX_OK)
            status = ix_jb_string(x->out, text.string, err);
    } else {
        status = run_rounds(x, n, iterable, NULL, 0, err);
    }
    return status == INOX_OK ? INOX_OK : ix_j_failed_at(x->r, n->b, status);
}

/* *body = what an if runs, NULL for nothing. */
static inline inox_status choose_branch(ix_jexec *x, const ix_jnode *n, const ix_jnode **body,
                                        inox_error *err)
{
    bool test;

    for (;; n = n->d) {
        IX_TRY(ix_j_eval_truth(x, n->a, &test, err));
        *body = test ? n->b : n->c;
        if (test || !n->d)
            return INOX_OK;
    }
}

/* ---- macros, blocks -------------------------------------------------------------------------- */

APART inox_status run_macro(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    ix_jvalue macro;

    IX_TRY(ix_j_macro(x, n->function, &macro, err));
    *ix_j_slot(x, n->target) = macro;
    export(x, n);
    return INOX_OK;
}

APART inox_status run_call_block(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    ix_jvalue macro, v;

    IX_TRY(ix_j_macro(x, n->function, &macro, err));
    IX_TRY(n->kind == IX_JN_CALL_BLOCK ? ix_j_eval_call_with(x, n->a, macro, &v, err)
                                       : ix_j_call(x->r, macro, NULL, 0, NULL, 0, &v, err));
    return write_string(x, v, err);
}

/* A scoped block sees the names around it as if they were variables. */
APART inox_status run_block(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    const ix_jfunction_node *f = n->function;
    ix_jvalue *before = NULL;

    if (n->count)
        return ix_j_fail(err, "TemplateRuntimeError", "Required block '%.*s' not found",
                         (int)(f->name->size > 100 ? 100 : f->name->size), f->name->data);
    IX_TRY(IX_J_ALLOC(x->r, &before, f->override_count, err));
    for (uint32_t i = 0; i < f->override_count; i++) {
        const ix_jvalue *value = ix_j_slot(x, f->overrides[i].from);

        before[i] = x->r->globals[f->overrides[i].slot];
        if (value->kind != IX_J_MISSING)
            x->r->globals[f->overrides[i].slot] = *value;
    }
    IX_TRY(ix_j_run_block(x->r, f, x->out, err));
    for (uint32_t i = 0; i < f->override_count; i++)
        x->r->globals[f->overrides[i].slot] = before[i];
    return INOX_OK;
}

APART inox_status run_excluded(const ix_jnode *n, inox_error *err)
{
    return ix_fail(err, INOX_E_UNSUPPORTED,
                   "%.*s is left out: a chat template stands alone, there is no other to load",
                   (int)n->value.string->size, n->value.string->data);
}

static inox_status run_statement(ix_jexec *x, const ix_jnode *n, inox_error *err)
{
    switch ((ix_jnode_kind)n->kind) {
    case IX_JN_OUTPUT: return run_output(x, n, err);
    case IX_JN_FOR: return run_for(x, n, err);
    case IX_JN_MACRO: return run_macro(x, n, err);
    case IX_JN_CALL_BLOCK:
    case IX_JN_GENERATION: return run_call_block(x, n, err);
    case IX_JN_FILTER_BLOCK: return run_filter_block(x, n, err);
    case IX_JN_WITH: return run_with(x, n, err);
    case IX_JN_SET: return run_set(x, n, err);
    case IX_JN_SET_BLOCK: return run_set_block(x, n, err);
    case IX_JN_BLOCK: return run_block(x, n, err);
    case IX_JN_AUTOESCAPE: return run_autoescape(x, n, err);
    case IX_JN_EXCLUDED: return run_excluded(n, err);
    case IX_JN_BREAK: x->flow = IX_J_BREAK; return INOX_OK;
    case IX_JN_CONTINUE: x->flow = IX_J_CONTINUE; return INOX_OK;
    default: return ix_fail(err, INOX_E_INTERNAL, "a node of kind %d is no statement", n->kind);
    }
}

inox_status ix_j_run(ix_jexec *x, const ix_jnode *body, inox_error *err)
{
    inox_status status = ix_j_down(x->r, err);

    if (status != INOX_OK)
        return status;
    for (const ix_jnode *n = body; n && x->flow == IX_J_GO_ON;) {
        const ix_jnode *next = n->next, *branch = NULL;

        status = ix_j_step(x->r, err);
        if (status == INOX_OK)
            status =
                n->kind == IX_JN_IF ? choose_branch(x, n, &branch, err) : run_statement(x, n, err);
        if (status == INOX_OK && branch && next)
            status = ix_j_run(x, branch, err);
        else if (branch) /* the last statement goes on as what it runs */
            next = branch;
        if (status != INOX_OK)
            return ix_j_failed_at(x->r, n, status);
        n = next;
    }
    x->r->depth--;
    return INOX_OK;
}
