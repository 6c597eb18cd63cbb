/* Macros and call blocks as values, and self with its blocks. */
#include "text/jinja/macro.h"

#include <string.h>

/* ---- frames ---------------------------------------------------------------------------------- */

inox_status ix_j_frame_new(ix_jrender *r, const ix_jfunction_node *f, ix_jframe *up,
                           ix_jframe **out, inox_error *err)
{
    ix_jframe *frame = r->spare[f->number];
    void *memory;

    if (frame) {
        r->spare[f->number] = frame->spare;
        memset(frame->slots, 0, f->slots * sizeof *frame->slots);
    } else {
        IX_TRY(ix_j_alloc(r, 1, sizeof(ix_jframe) + f->slots * sizeof(ix_jvalue), &memory, err));
        frame = memory;
    }
    frame->up = up;
    *out = frame;
    return INOX_OK;
}

void ix_j_frame_done(ix_jrender *r, const ix_jfunction_node *f, ix_jframe *frame)
{
    if (f->captured)
        return;
    frame->spare = r->spare[f->number];
    r->spare[f->number] = frame;
}

inox_status ix_j_enter_call(ix_jrender *r, inox_error *err)
{
    if (r->calls >= IX_MAX_TEMPLATE_CALLS)
        return ix_fail(err, INOX_E_LIMIT, "macros, blocks or loops call each other deeper than %d",
                       IX_MAX_TEMPLATE_CALLS);
    r->calls++;
    return INOX_OK;
}

/* ---- macros ---------------------------------------------------------------------------------- */

typedef struct macro {
    ix_jobject object;
    const ix_jfunction_node *f;
    ix_jframe *around;
    bool autoescape; /* where it was made */
} macro;

/* Takes the keyword argument of that name out of `given`; IX_J_MISSING where there is none. */
static ix_jvalue take_keyword(ix_jkeyword *given, size_t *count, const char *name, size_t size)
{
    for (size_t i = 0; i < *count; i++) {
        if (given[i].name->size != size || memcmp(given[i].name->data, name, size) != 0)
            continue;
        ix_jvalue value = given[i].value;
        memmove(given + i, given + i + 1, (*count - i - 1) * sizeof *given);
        --*count;
        return value;
    }
    return ix_j_missing();
}

static inox_status too_many_keywords(const macro *m, const ix_jkeyword *left, size_t count,
                                     inox_error *err)
{
    const ix_jstring *name = m->f->name;
    int size = name ? (int)(name->size > 100 ? 100 : name->size) : 4;
    const char *text = name ? name->data : "None";

    for (size_t i = 0; i < count; i++)
        if (ix_j_is(left[i].name, "caller"))
            return ix_j_fail(err, "TypeError",
                             "macro '%.*s' was invoked with two values for the special caller "
                             "argument. This is most likely a bug.",
                             size, text);
    return ix_j_fail(err, "TypeError", "macro '%.*s' takes no keyword argument '%.*s'", size, text,
                     (int)(left[0].name->size > 100 ? 100 : left[0].name->size),
                     left[0].name->data);
}

/* The special parameters: caller, kwargs, varargs, in jinja2's order. */
static inox_status set_special(const ix_jcall *c, const macro *m, ix_jkeyword *left, size_t count,
                               bool found_caller, ix_jframe *frame, inox_error *err)
{
    const ix_jfunction_node *f = m->f;
    ix_jvalue value;

    if (f->uses_caller && !found_caller) {
        value = take_keyword(left, &count, "caller", 6);
        if (value.kind == IX_J_MISSING || value.kind == IX_J_NONE)
            IX_TRY(ix_j_undefined_hint(c->r, "No caller defined", &value, err));
        if (!f->explicit_caller)
            frame->slots[f->caller_slot] = value;
    }
    if (f->uses_kwargs) {
        IX_TRY(ix_j_dict(c->r, count, &value, err));
        for (size_t i = 0; i < count; i++)
            IX_TRY(ix_j_dict_set(c->r, value, ix_j_of_string(left[i].name), left[i].value, err));
        frame->slots[f->kwargs_slot] = value;
    } else if (count > 0) {
        return too_many_keywords(m, left, count, err);
    }
    size_t behind = c->rest_count > f->parameter_count ? c->rest_count - f->parameter_count : 0;
    if (f->uses_varargs) {
        IX_TRY(ix_j_tuple(c->r, behind, &value, err));
        for (size_t i = 0; i < behind; i++)
            IX_TRY(ix_j_append(c->r, value, c->rest[f->parameter_count + i], err));
        frame->slots[f->varargs_slot] = value;
    } else if (behind > 0) {
        return ix_j_fail(err, "TypeError", "macro '%.*s' takes not more than %u argument(s)",
                         f->name ? (int)(f->name->size > 100 ? 100 : f->name->size) : 4,
                         f->name ? f->name->data : "None", f->parameter_count);
    }
    return INOX_OK;
}

static inox_status set_parameters(const ix_jcall *c, const macro *m, ix_jframe *frame,
                                  inox_error *err)
{
    const ix_jfunction_node *f = m->f;
    size_t count = c->keyword_count;
    ix_jkeyword *left = NULL;
    bool found_caller = f->explicit_caller && c->rest_count >= f->parameter_count;

    if (count > 0) {
        IX_TRY(IX_J_ALLOC(c->r, &left, count, err));
        memcpy(left, c->keywords, count * sizeof *left);
    }
    for (uint32_t i = 0; i < f->parameter_count; i++) {
        const ix_jparameter *p = &f->parameters[i];

        if (i < c->rest_count) {
            frame->slots[p->slot] = c->rest[i];
            continue;
        }
        frame->slots[p->slot] = take_keyword(left, &count, p->text->data, p->text->size);
        found_caller |= ix_j_is(p->text, "caller");
    }
    return set_special(c, m, left, count, found_caller, frame, err);
}

static inox_status set_defaults(ix_jexec *x, const ix_jfunction_node *f, inox_error *err)
{
    for (uint32_t i = 0; i < f->parameter_count; i++) {
        const ix_jparameter *p = &f->parameters[i];
        ix_jvalue value;

        if (x->frame->slots[p->slot].kind != IX_J_MISSING)
            continue;
        if (p->default_value) {
            IX_TRY(ix_j_eval(x, p->default_value, &value, err));
        } else {
            ix_jundefined *u;

            IX_TRY(IX_J_ALLOC(x->r, &u, 1, err));
            *u = (ix_jundefined){ .name = ix_j_of_string(p->text),
                                  .hint = "a parameter was not provided" };
            value = (ix_jvalue){ .kind = IX_J_UNDEFINED, .undefined = u };
        }
        x->frame->slots[p->slot] = value;
    }
    return INOX_OK;
}

static inox_status macro_call(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    const macro *m = (const macro *)c->self.object;
    ix_jbuilder text = ix_jb(c->r);
    ix_jexec x = { .r = c->r, .out = &text };

    IX_TRY(ix_j_enter_call(c->r, err));
    IX_TRY(ix_j_frame_new(c->r, m->f, m->around, &x.frame, err));
    ix_j_enter_scope(&x, &m->f->enter);
    IX_TRY(set_parameters(c, m, x.frame, err));
    IX_TRY(set_defaults(&x, m->f, err));
    IX_TRY(ix_j_run(&x, m->f->body, err));
    ix_j_frame_done(c->r, m->f, x.frame);
    c->r->calls--;
    return ix_jb_finish(&text, c->autoescape, out, err);
}

static inox_status macro_attribute(ix_jrender *r, ix_jobject *o, ix_jstring *name, ix_jvalue *out,
                                   inox_error *err)
{
    const macro *m = (const macro *)o;

    (void)r;
    (void)err;
    *out = ix_j_missing();
    if (ix_j_is(name, "name"))
        *out = m->f->name ? ix_j_of_string(m->f->name) : ix_j_none();
    else if (ix_j_is(name, "arguments"))
        *out = m->f->argument_names;
    else if (ix_j_is(name, "catch_kwargs"))
        *out = ix_j_bool(m->f->uses_kwargs);
    else if (ix_j_is(name, "catch_varargs"))
        *out = ix_j_bool(m->f->uses_varargs);
    else if (ix_j_is(name, "caller"))
        *out = ix_j_bool(m->f->uses_caller);
    else if (ix_j_is(name, "explicit_caller"))
        *out = ix_j_bool(m->f->explicit_caller);
    return INOX_OK;
}

static inox_status macro_str(ix_jbuilder *b, ix_jobject *o, inox_error *err)
{
    const macro *m = (const macro *)o;

    if (!m->f->name)
        return ix_jb_text(b, "<Macro anonymous>", err);
    IX_TRY(ix_jb_text(b, "<Macro ", err));
    IX_TRY(ix_jb_repr(b, ix_j_of_string(m->f->name), err));
    return ix_jb_text(b, ">", err);
}

static const ix_jclass macro_class = {
    .name = "Macro",
    .attribute = macro_attribute,
    .call = macro_call,
    .str = macro_str,
};

inox_status ix_j_macro(ix_jexec *x, const ix_jfunction_node *f, ix_jvalue *out, inox_error *err)
{
    macro *m;

    IX_TRY(IX_J_ALLOC(x->r, &m, 1, err));
    *m = (macro){ { &macro_class }, f, x->frame, x->r->autoescape };
    *out = ix_j_of_object(&m->object);
    return INOX_OK;
}

/* ---- self, blocks ---------------------------------------------------------------------------- */

typedef struct block_reference {
    ix_jobject object;
    const ix_jfunction_node *f;
} block_reference;

static inox_status block_call(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    const block_reference *b = (const block_reference *)c->self.object;
    ix_jbuilder text = ix_jb(c->r);

    if (c->rest_count + c->keyword_count > 0)
        return ix_j_fail(err, "TypeError", "a block takes no arguments");
    IX_TRY(ix_j_run_block(c->r, b->f, &text, err));
    return ix_jb_finish(&text, c->autoescape, out, err);
}

static inox_status block_attribute(ix_jrender *r, ix_jobject *o, ix_jstring *name, ix_jvalue *out,
                                   inox_error *err)
{
    const block_reference *b = (const block_reference *)o;

    *out = ix_j_missing();
    if (ix_j_is(name, "name"))
        *out = ix_j_of_string(b->f->name);
    else if (ix_j_is(name, "super"))
        return ix_j_undefined_hint(r, "there is no parent block of that name.", out, err);
    return INOX_OK;
}

static const ix_jclass block_class = {
    .name = "BlockReference",
    .attribute = block_attribute,
    .call = block_call,
};

static inox_status self_item(ix_jrender *r, ix_jobject *o, ix_jvalue key, ix_jvalue *out,
                             inox_error *err)
{
    const ix_jprogram *p = r->program;
    block_reference *b;

    (void)o;
    *out = ix_j_missing();
    for (uint32_t i = 0; key.kind == IX_J_STRING && i < p->block_count; i++) {
        if (!ix_j_same_bytes(key.string, p->blocks[i]->name))
            continue;
        IX_TRY(IX_J_ALLOC(r, &b, 1, err));
        *b = (block_reference){ { &block_class }, p->blocks[i] };
        *out = ix_j_of_object(&b->object);
    }
    return INOX_OK;
}

static inox_status self_str(ix_jbuilder *b, ix_jobject *o, inox_error *err)
{
    (void)o;
    return ix_jb_text(b, "<TemplateReference None>", err);
}

static const ix_jclass self_class = {
    .name = "TemplateReference",
    .str = self_str,
    .item = self_item,
};

static ix_jobject self_object = { &self_class };

/* The specials of the top level and of blocks. */
static inox_status set_self(ix_jexec *x, const ix_jfunction_node *f, inox_error *err)
{
    if (f->uses_self)
        x->frame->slots[f->self_slot] = ix_j_of_object(&self_object);
    if (f->uses_super)
        IX_TRY(ix_j_undefined_hint(x->r, "there is no parent block of that name.",
                                   &x->frame->slots[f->super_slot], err));
    return INOX_OK;
}

inox_status ix_j_run_block(ix_jrender *r, const ix_jfunction_node *f, ix_jbuilder *out,
                           inox_error *err)
{
    ix_jexec x = { .r = r, .out = out };

    IX_TRY(ix_j_enter_call(r, err));
    IX_TRY(ix_j_frame_new(r, f, NULL, &x.frame, err));
    ix_j_enter_scope(&x, &f->enter);
    IX_TRY(set_self(&x, f, err));
    IX_TRY(ix_j_run(&x, f->body, err));
    ix_j_frame_done(r, f, x.frame);
    r->calls--;
    return INOX_OK;
}

inox_status ix_j_run_root(ix_jrender *r, ix_jbuilder *out, inox_error *err)
{
    return ix_j_run_block(r, r->program->root, out, err);
}
