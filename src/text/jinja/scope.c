/* Names: which slot or global each of them means, by the rules of jinja2's idtracking.
 *
 * A scope is opened by the top level, a loop's body, its test and its else, a with, set block,
 * filter block, autoescape, a macro, a call block, a block.  It is worked on in two passes:
 *
 *     1. gather   all names of its own statements and expressions (not those of scopes inside):
 *                 stored: a slot here, which starts as the outer one's value if there is one, else
 *                 empty; stored only under an if: likewise, but else what the variables say;
 *                 loaded and nowhere around: what the variables say
 *     2. settle   every such name gets its slot or global; scopes inside are opened
 *
 * so a name means one thing in all of a scope, wherever in it it is set.  What is set inside a
 * scope is not seen outside.  The algorithm follows jinja2/idtracking.py and compiler.py of 3.1.6;
 * scopes under an if are not copied as there: the names stored under it are known from a list.
 */
#include "text/jinja/render.h"

#include "text/jinja/ast.h"

#include <string.h>

typedef struct symbol {
    uint32_t name;
    bool slotted; /* it has a slot; else it is the global */
    bool stored;
    ix_jload load;
    uint32_t slot;
} symbol;

typedef struct scope {
    struct scope *parent;
    ix_jfunction_node *function;
    struct scope *function_scope; /* of the function around, NULL: none */
    symbol *symbols;
    uint32_t count, capacity;
    uint32_t *index; /* by name % size: symbol number + 1; NULL while there are few */
    uint32_t mask;
    uint32_t *journal; /* symbols in the order in which they were first stored */
    uint32_t journal_count, journal_capacity;
    bool toplevel; /* what is set here is seen by blocks */
    bool soft;     /* under an if: an unknown filter is an error only when it runs */
} scope;

typedef struct resolver {
    ix_jprogram *program;
    ix_arena scratch;
    uint32_t *global_of; /* by name: number of the global + 1 */
    uint32_t global_capacity;
    uint32_t known[4]; /* numbers of loop, caller, kwargs, varargs + 1; 0: nobody says them */
    uint32_t self, super;
} resolver;

static inox_status settle_body(resolver *v, scope *s, ix_jnode *body, inox_error *err);
static inox_status settle(resolver *v, scope *s, ix_jnode *n, inox_error *err);

/* ---- symbols --------------------------------------------------------------------------------- */

static symbol *find_here(const scope *s, uint32_t name)
{
    if (!s->index) {
        for (uint32_t i = 0; i < s->count; i++)
            if (s->symbols[i].name == name)
                return &s->symbols[i];
        return NULL;
    }
    for (uint32_t at = name & s->mask; s->index[at] != 0; at = (at + 1) & s->mask)
        if (s->symbols[s->index[at] - 1].name == name)
            return &s->symbols[s->index[at] - 1];
    return NULL;
}

/* Where `name` is defined, from s outwards; *in is that scope. */
static symbol *find(scope *s, uint32_t name, scope **in)
{
    for (; s; s = s->parent) {
        symbol *found = find_here(s, name);

        if (found) {
            *in = s;
            return found;
        }
    }
    return NULL;
}

static void index_symbol(scope *s, uint32_t i)
{
    uint32_t at = s->symbols[i].name & s->mask;

    while (s->index[at] != 0)
        at = (at + 1) & s->mask;
    s->index[at] = i + 1;
}

static inox_status grow_scope(resolver *v, scope *s, inox_error *err)
{
    uint32_t capacity = s->capacity == 0 ? 8 : s->capacity * 2;
    symbol *symbols;

    IX_TRY(IX_ARENA(&v->scratch, &symbols, capacity, err));
    if (s->count > 0)
        memcpy(symbols, s->symbols, s->count * sizeof *symbols);
    s->symbols = symbols;
    s->capacity = capacity;
    if (capacity <= 16)
        return INOX_OK;
    IX_TRY(IX_ARENA(&v->scratch, &s->index, capacity * 2, err));
    s->mask = capacity * 2 - 1;
    for (uint32_t i = 0; i < s->count; i++)
        index_symbol(s, i);
    return INOX_OK;
}

static inox_status define(resolver *v, scope *s, uint32_t name, symbol **out, inox_error *err)
{
    if (s->count == s->capacity)
        IX_TRY(grow_scope(v, s, err));
    s->symbols[s->count] = (symbol){ .name = name };
    if (s->index)
        index_symbol(s, s->count);
    *out = &s->symbols[s->count++];
    return INOX_OK;
}

static void give_slot(scope *s, symbol *sym, ix_jload load)
{
    if (!sym->slotted)
        sym->slot = s->function->slots++;
    sym->slotted = true;
    sym->load = load;
}

static inox_status note_stored(resolver *v, scope *s, symbol *sym, inox_error *err)
{
    if (sym->stored)
        return INOX_OK;
    sym->stored = true;
    if (s->journal_count == s->journal_capacity) {
        uint32_t capacity = s->journal_capacity == 0 ? 8 : s->journal_capacity * 2, *journal;

        IX_TRY(IX_ARENA(&v->scratch, &journal, capacity, err));
        if (s->journal_count > 0)
            memcpy(journal, s->journal, s->journal_count * sizeof *journal);
        s->journal = journal;
        s->journal_capacity = capacity;
    }
    s->journal[s->journal_count++] = (uint32_t)(sym - s->symbols);
    return INOX_OK;
}

static inox_status store(resolver *v, scope *s, uint32_t name, inox_error *err)
{
    symbol *sym = find_here(s, name);
    scope *in;

    if (!sym) {
        bool outer = find(s->parent, name, &in) != NULL;

        IX_TRY(define(v, s, name, &sym, err));
        give_slot(s, sym, outer ? IX_JL_ALIAS : IX_JL_UNDEFINED);
    } else if (!sym->slotted) { /* loaded before: it starts as what the variables say */
        give_slot(s, sym, IX_JL_RESOLVE);
    }
    return note_stored(v, s, sym, err);
}

static inox_status load(resolver *v, scope *s, uint32_t name, inox_error *err)
{
    symbol *sym;
    scope *in;

    if (find(s, name, &in))
        return INOX_OK;
    IX_TRY(define(v, s, name, &sym, err));
    sym->load = IX_JL_RESOLVE;
    return INOX_OK;
}

static inox_status parameter(resolver *v, scope *s, uint32_t name, uint32_t *slot, inox_error *err)
{
    symbol *sym = find_here(s, name);

    if (!sym)
        IX_TRY(define(v, s, name, &sym, err));
    give_slot(s, sym, IX_JL_NONE);
    if (slot)
        *slot = sym->slot;
    return note_stored(v, s, sym, err);
}

static inox_status global_number(resolver *v, uint32_t name, uint32_t *out, inox_error *err)
{
    ix_jprogram *p = v->program;

    if (v->global_of[name] == 0) {
        if (p->global_count == v->global_capacity) {
            uint32_t capacity = v->global_capacity == 0 ? 32 : v->global_capacity * 2, *globals;

            IX_TRY(IX_ARENA(&p->arena, &globals, capacity, err));
            if (p->global_count > 0)
                memcpy(globals, p->globals, p->global_count * sizeof *globals);
            p->globals = globals;
            v->global_capacity = capacity;
        }
        p->globals[p->global_count++] = name;
        v->global_of[name] = p->global_count;
    }
    *out = v->global_of[name] - 1;
    return INOX_OK;
}

/* What `sym`, which `in` defines, is for code of the function around s. */
static inox_status refer(resolver *v, const scope *s, const scope *in, const symbol *sym,
                         ix_jref *out, inox_error *err)
{
    *out = (ix_jref){ .slot = sym->slot, .global = !sym->slotted };
    if (!sym->slotted)
        return global_number(v, sym->name, &out->slot, err);
    for (const scope *f = s; f->function != in->function; f = f->function_scope)
        out->up++;
    return INOX_OK;
}

static inox_status use(resolver *v, scope *s, uint32_t name, uint32_t at, ix_jref *out,
                       inox_error *err)
{
    scope *in;
    const symbol *sym = find(s, name, &in);

    if (!sym) /* jinja2 fails likewise: it does not look at a set block's filter beforehand */
        return ix_fail_at(err, INOX_E_FORMAT, at,
                          "AssertionError: Tried to resolve a name to a reference that was unknown "
                          "to the frame ('%.*s')",
                          (int)v->program->names[name]->size, v->program->names[name]->data);
    return refer(v, s, in, sym, out, err);
}

/* ---- pass 1: gathering ----------------------------------------------------------------------- */

static inox_status gather(resolver *v, scope *s, ix_jnode *n, inox_error *err);

static inox_status gather_list(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    for (; n; n = n->next)
        IX_TRY(gather(v, s, n, err));
    return INOX_OK;
}

static inox_status gather_call(resolver *v, scope *s, ix_jarguments *call, inox_error *err)
{
    IX_TRY(gather_list(v, s, call->positional, err));
    for (uint32_t i = 0; i < call->keyword_count; i++)
        IX_TRY(gather(v, s, call->keywords[i].value, err));
    IX_TRY(gather_list(v, s, call->rest, err));
    return gather_list(v, s, call->rest_keywords, err);
}

/* The names of a target: parameters of the scope, or stored in it. */
static inox_status gather_target(resolver *v, scope *s, ix_jnode *n, bool as_parameter,
                                 inox_error *err)
{
    if (n->kind == IX_JN_TUPLE) {
        for (ix_jnode *item = n->a; item; item = item->next)
            IX_TRY(gather_target(v, s, item, as_parameter, err));
        return INOX_OK;
    }
    if (n->kind == IX_JN_NSREF)
        return load(v, s, n->count, err);
    return as_parameter ? parameter(v, s, n->count, NULL, err) : store(v, s, n->count, err);
}

static inox_status gather_if(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    scope *in;

    IX_TRY(gather(v, s, n->a, err));
    uint32_t before = s->journal_count;
    IX_TRY(gather_list(v, s, n->b, err));
    for (ix_jnode *elif = n->d; elif; elif = elif->d) {
        IX_TRY(gather(v, s, elif->a, err));
        IX_TRY(gather_list(v, s, elif->b, err));
        IX_TRY(gather_list(v, s, elif->c, err));
    }
    IX_TRY(gather_list(v, s, n->c, err));
    for (uint32_t i = before; i < s->journal_count; i++) {
        symbol *sym = &s->symbols[s->journal[i]];

        give_slot(s, sym, find(s->parent, sym->name, &in) ? IX_JL_ALIAS : IX_JL_RESOLVE);
    }
    return INOX_OK;
}

static inox_status gather(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    switch ((ix_jnode_kind)n->kind) {
    case IX_JN_NAME: return load(v, s, n->count, err);
    case IX_JN_NSREF: return load(v, s, n->count, err);
    case IX_JN_FILTER:
    case IX_JN_TEST:
    case IX_JN_CALL:
        if (n->a)
            IX_TRY(gather(v, s, n->a, err));
        return gather_call(v, s, n->call, err);
    case IX_JN_FOR: return gather_list(v, s, n->b, err);
    case IX_JN_IF: return gather_if(v, s, n, err);
    case IX_JN_MACRO: return store(v, s, n->count, err);
    case IX_JN_CALL_BLOCK: return gather(v, s, n->a, err);
    case IX_JN_FILTER_BLOCK: return gather(v, s, n->a, err);
    case IX_JN_WITH: return gather_list(v, s, n->b, err);
    case IX_JN_SET: IX_TRY(gather(v, s, n->b, err)); return gather_target(v, s, n->a, false, err);
    case IX_JN_SET_BLOCK: return gather_target(v, s, n->a, false, err);
    case IX_JN_GENERATION:
    case IX_JN_BLOCK:
    case IX_JN_AUTOESCAPE:
    case IX_JN_CONST:
    case IX_JN_DATA:
    case IX_JN_BREAK:
    case IX_JN_CONTINUE: return INOX_OK;
    default: break;
    }
    IX_TRY(gather_list(v, s, n->a, err));
    IX_TRY(gather_list(v, s, n->b, err));
    IX_TRY(gather_list(v, s, n->c, err));
    return gather_list(v, s, n->d, err);
}

/* ---- special names --------------------------------------------------------------------------- */

/* What find_undeclared of jinja2 finds: of `names`, those that are loaded before they are stored,
 * in all of a body, functions inside too, but not in blocks. */
typedef struct search {
    uint32_t names[3]; /* number + 1; 0: not (or no longer) looked for */
    bool found[3];
} search;

static void search_nodes(search *u, const ix_jnode *n);

static void search_name(search *u, uint32_t name, bool loaded)
{
    for (int i = 0; i < 3; i++) {
        if (u->names[i] != name + 1)
            continue;
        if (loaded)
            u->found[i] = true;
        else if (!u->found[i])
            u->names[i] = 0;
    }
}

static void search_target(search *u, const ix_jnode *n)
{
    for (; n; n = n->next) {
        if (n->kind == IX_JN_NAME)
            search_name(u, n->count, false);
        else if (n->kind == IX_JN_TUPLE)
            search_target(u, n->a);
    }
}

static void search_call(search *u, const ix_jarguments *call)
{
    search_nodes(u, call->positional);
    for (uint32_t i = 0; i < call->keyword_count; i++)
        search_nodes(u, call->keywords[i].value);
    search_nodes(u, call->rest);
    search_nodes(u, call->rest_keywords);
}

static void search_function(search *u, const ix_jfunction_node *f)
{
    for (uint32_t i = 0; i < f->parameter_count; i++)
        search_name(u, f->parameters[i].name, false);
    for (uint32_t i = 0; i < f->parameter_count; i++)
        search_nodes(u, f->parameters[i].default_value);
    search_nodes(u, f->body);
}

static void search_node(search *u, const ix_jnode *n)
{
    switch ((ix_jnode_kind)n->kind) {
    case IX_JN_NAME: search_name(u, n->count, true); return;
    case IX_JN_FILTER:
    case IX_JN_TEST:
    case IX_JN_CALL:
        search_nodes(u, n->a);
        search_call(u, n->call);
        return;
    case IX_JN_FOR:
        search_target(u, n->a);
        search_nodes(u, n->b);
        search_nodes(u, n->c);
        search_nodes(u, n->d);
        search_nodes(u, n->loop->test);
        return;
    case IX_JN_IF:
        search_nodes(u, n->a);
        search_nodes(u, n->b);
        search_nodes(u, n->d);
        search_nodes(u, n->c);
        return;
    case IX_JN_MACRO:
    case IX_JN_CALL_BLOCK:
    case IX_JN_GENERATION:
        search_nodes(u, n->a);
        search_function(u, n->function);
        return;
    case IX_JN_WITH:
        search_target(u, n->a);
        search_nodes(u, n->b);
        search_nodes(u, n->c);
        return;
    case IX_JN_SET:
    case IX_JN_SET_BLOCK:
        search_target(u, n->a);
        search_nodes(u, n->b);
        search_nodes(u, n->c);
        return;
    case IX_JN_BLOCK: return;
    default: break;
    }
    search_nodes(u, n->a);
    search_nodes(u, n->b);
    search_nodes(u, n->c);
    search_nodes(u, n->d);
}

static void search_nodes(search *u, const ix_jnode *n)
{
    for (; n; n = n->next)
        search_node(u, n);
}

/* True if a block that sees the names around it stands in these statements. */
static bool has_scoped_block(const ix_jnode *n)
{
    for (; n; n = n->next) {
        if (n->kind == IX_JN_BLOCK && n->function->scoped)
            return true;
        if (n->kind >= IX_JN_FOR && n->kind != IX_JN_SET &&
            (has_scoped_block(n->kind == IX_JN_AUTOESCAPE ? NULL : n->b) ||
             has_scoped_block(n->c) || has_scoped_block(n->d)))
            return true;
        if ((n->kind == IX_JN_MACRO || n->kind == IX_JN_CALL_BLOCK || n->kind == IX_JN_BLOCK ||
             n->kind == IX_JN_GENERATION) &&
            has_scoped_block(n->function->body))
            return true;
        if (n->kind == IX_JN_AUTOESCAPE && has_scoped_block(n->b))
            return true;
    }
    return false;
}

/* ---- pass 2: settling ------------------------------------------------------------------------ */

static scope inner(scope *s)
{
    return (scope){ .parent = s, .function = s->function, .function_scope = s->function_scope };
}

/* A scope that is a function of its own, with s around it. */
static scope function_inside(scope *s, ix_jfunction_node *f)
{
    for (scope *around = s; around; around = around->function_scope)
        around->function->captured = true;
    return (scope){ .parent = s, .function = f, .function_scope = s };
}

/* The slots of a scope that are to be filled on entry, or (filled false) that are not. */
static inox_status list_slots(resolver *v, scope *s, bool filled, ix_jenter *enter, inox_error *err)
{
    scope *in;

    for (uint32_t i = 0; i < s->count; i++) {
        const symbol *sym = &s->symbols[i];
        ix_jslot *slot = &enter->slots[enter->count];

        if (!sym->slotted || (sym->load != IX_JL_NONE) != filled)
            continue;
        *slot = (ix_jslot){ .slot = sym->slot, .load = sym->load };
        if (sym->load == IX_JL_ALIAS) {
            const symbol *outer = find(s->parent, sym->name, &in);

            IX_TRY(refer(v, s, in, outer, &slot->from, err));
        } else if (sym->load == IX_JL_RESOLVE) {
            slot->from.global = true;
            IX_TRY(global_number(v, sym->name, &slot->from.slot, err));
        }
        enter->count++;
    }
    return INOX_OK;
}

/* The slots of a scope, for whoever enters it. */
static inox_status close_scope(resolver *v, scope *s, ix_jenter *enter, inox_error *err)
{
    IX_TRY(IX_ARENA(&v->program->arena, &enter->slots, s->count, err));
    IX_TRY(list_slots(v, s, true, enter, err));
    enter->filled = enter->count;
    return list_slots(v, s, false, enter, err);
}

static inox_status settle_list(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    for (; n; n = n->next)
        IX_TRY(settle(v, s, n, err));
    return INOX_OK;
}

static inox_status settle_call(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    ix_jarguments *call = n->call;

    if (n->kind != IX_JN_CALL && !call->entry && !s->soft)
        return ix_fail_at(err, INOX_E_FORMAT, n->at, "TemplateAssertionError: No %s named '%.*s'.",
                          n->kind == IX_JN_FILTER ? "filter" : "test", (int)call->name->size,
                          call->name->data);
    if (n->a)
        IX_TRY(settle(v, s, n->a, err));
    IX_TRY(settle_list(v, s, call->positional, err));
    for (uint32_t i = 0; i < call->keyword_count; i++)
        IX_TRY(settle(v, s, call->keywords[i].value, err));
    IX_TRY(settle_list(v, s, call->rest, err));
    return settle_list(v, s, call->rest_keywords, err);
}

static inox_status no_loop_target(resolver *v, const ix_jnode *n, inox_error *err)
{
    for (; n; n = n->next) {
        if (n->kind == IX_JN_NAME && n->count + 1 == v->known[0])
            return ix_fail_at(err, INOX_E_FORMAT, n->at,
                              "TemplateAssertionError: Can't assign to special loop variable in "
                              "for-loop target");
        if (n->kind == IX_JN_TUPLE)
            IX_TRY(no_loop_target(v, n->a, err));
    }
    return INOX_OK;
}

/* Nothing inside a loop may be called loop. */
static inox_status no_loop_stores(resolver *v, const ix_jnode *n, inox_error *err)
{
    for (; n; n = n->next) {
        if (n->kind == IX_JN_SET || n->kind == IX_JN_SET_BLOCK || n->kind == IX_JN_FOR)
            IX_TRY(no_loop_target(v, n->a, err));
        if (n->kind < IX_JN_FOR || n->kind == IX_JN_SET)
            continue;
        if (n->kind != IX_JN_FOR && n->kind != IX_JN_SET_BLOCK)
            IX_TRY(no_loop_stores(v, n->b, err));
        IX_TRY(no_loop_stores(v, n->c, err));
        IX_TRY(no_loop_stores(v, n->d, err));
        if (n->kind == IX_JN_MACRO || n->kind == IX_JN_CALL_BLOCK || n->kind == IX_JN_BLOCK ||
            n->kind == IX_JN_GENERATION)
            IX_TRY(no_loop_stores(v, n->function->body, err));
    }
    return INOX_OK;
}

static inox_status settle_for_test(resolver *v, scope *s, ix_jnode *n, ix_jfunction_node *f,
                                   inox_error *err)
{
    scope test = inner(s);

    if (f) { /* the test runs in the loop's function, whose frame holds its slots */
        test.function = f;
        test.function_scope = s;
    }
    IX_TRY(gather_target(v, &test, n->loop->test_target, true, err));
    IX_TRY(gather(v, &test, n->loop->test, err));
    IX_TRY(settle(v, &test, n->loop->test_target, err));
    IX_TRY(settle(v, &test, n->loop->test, err));
    return close_scope(v, &test, &n->loop->test_enter, err);
}

static inox_status settle_for(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    ix_jfunction_node *f = n->loop->function;
    scope body = f ? function_inside(s, f) : inner(s), other = body;
    search u = { .names = { v->known[0] } };

    search_nodes(&u, n->c);
    n->loop->extended = f || u.found[0] || has_scoped_block(n->c);
    IX_TRY(no_loop_target(v, n->a, err));
    IX_TRY(no_loop_stores(v, n->c, err));
    IX_TRY(no_loop_stores(v, n->d, err));
    IX_TRY(settle_list(v, s, n->b, err));
    if (n->loop->extended && v->known[0] != 0)
        IX_TRY(parameter(v, &body, v->known[0] - 1, &n->loop->loop_slot, err));
    else if (n->loop->extended)
        n->loop->loop_slot = body.function->slots++;
    IX_TRY(gather_target(v, &body, n->a, true, err));
    IX_TRY(gather_list(v, &body, n->c, err));
    IX_TRY(settle(v, &body, n->a, err));
    IX_TRY(settle_body(v, &body, n->c, err));
    IX_TRY(close_scope(v, &body, &n->loop->enter, err));
    if (n->loop->test)
        IX_TRY(settle_for_test(v, s, n, f, err));
    if (!n->d)
        return INOX_OK;
    IX_TRY(gather_list(v, &other, n->d, err));
    IX_TRY(settle_body(v, &other, n->d, err));
    return close_scope(v, &other, &n->loop->else_enter, err);
}

static inox_status settle_if(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    bool soft = s->soft;

    s->soft = true;
    for (; n; n = n->d) {
        IX_TRY(settle(v, s, n->a, err));
        IX_TRY(settle_body(v, s, n->b, err));
        IX_TRY(settle_body(v, s, n->c, err));
    }
    s->soft = soft;
    return INOX_OK;
}

/* The special parameters of a macro or call block: those that its body uses. */
static inox_status special_parameters(resolver *v, scope *s, ix_jfunction_node *f, uint32_t at,
                                      inox_error *err)
{
    search u = { .names = { v->known[1], v->known[2], v->known[3] } };
    bool own[3] = { false, false, false }, has_default = false;

    search_nodes(&u, f->body);
    for (uint32_t i = 0; i < f->parameter_count; i++)
        for (int k = 0; k < 3; k++)
            if (v->known[k + 1] == f->parameters[i].name + 1) {
                own[k] = true;
                has_default |= k == 0 && f->parameters[i].default_value;
            }
    f->explicit_caller = own[0];
    if (u.found[0] && own[0] && !has_default)
        return ix_fail_at(err, INOX_E_FORMAT, at,
                          "TemplateAssertionError: When defining macros or call blocks the special "
                          "\"caller\" argument must be omitted or be given a default.");
    f->uses_caller = u.found[0];
    f->uses_kwargs = u.found[1] && !own[1];
    f->uses_varargs = u.found[2] && !own[2];
    if (f->uses_caller && !own[0])
        IX_TRY(parameter(v, s, v->known[1] - 1, &f->caller_slot, err));
    if (f->uses_kwargs)
        IX_TRY(parameter(v, s, v->known[2] - 1, &f->kwargs_slot, err));
    if (f->uses_varargs)
        IX_TRY(parameter(v, s, v->known[3] - 1, &f->varargs_slot, err));
    return INOX_OK;
}

static inox_status settle_macro(resolver *v, scope *s, ix_jfunction_node *f, uint32_t at,
                                inox_error *err)
{
    scope body = function_inside(s, f);

    for (uint32_t i = 0; i < f->parameter_count; i++)
        IX_TRY(parameter(v, &body, f->parameters[i].name, &f->parameters[i].slot, err));
    IX_TRY(special_parameters(v, &body, f, at, err));
    for (uint32_t i = 0; i < f->parameter_count; i++)
        if (f->parameters[i].default_value)
            IX_TRY(gather(v, &body, f->parameters[i].default_value, err));
    IX_TRY(gather_list(v, &body, f->body, err));
    for (uint32_t i = 0; i < f->parameter_count; i++)
        if (f->parameters[i].default_value)
            IX_TRY(settle(v, &body, f->parameters[i].default_value, err));
    IX_TRY(settle_body(v, &body, f->body, err));
    return close_scope(v, &body, &f->enter, err);
}

static inox_status settle_with(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    scope body = inner(s);

    IX_TRY(settle_list(v, s, n->b, err));
    for (ix_jnode *target = n->a; target; target = target->next)
        IX_TRY(gather_target(v, &body, target, true, err));
    IX_TRY(gather_list(v, &body, n->c, err));
    IX_TRY(settle_list(v, &body, n->a, err));
    IX_TRY(settle_body(v, &body, n->c, err));
    return close_scope(v, &body, n->enter, err);
}

static inox_status settle_inner_body(resolver *v, scope *s, ix_jnode *body, ix_jnode *filter,
                                     bool gather_filter, ix_jenter *enter, inox_error *err)
{
    scope in = inner(s);

    IX_TRY(gather_list(v, &in, body, err));
    if (filter && gather_filter)
        IX_TRY(gather(v, &in, filter, err));
    IX_TRY(settle_body(v, &in, body, err));
    if (filter)
        IX_TRY(settle(v, &in, filter, err));
    return close_scope(v, &in, enter, err);
}

/* Blocks are settled after everything else; here a scoped one learns which names it finds. */
static inox_status settle_block(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    ix_jfunction_node *f = n->function;
    uint32_t count = 0, k;

    if (!f->scoped)
        return INOX_OK;
    for (const scope *around = s; around; around = around->parent)
        count += around->count;
    IX_TRY(IX_ARENA(&v->program->arena, &f->overrides, count, err));
    for (const scope *around = s; around; around = around->parent) {
        for (uint32_t i = 0; i < around->count; i++) {
            const symbol *sym = &around->symbols[i];
            ix_jslot *o = &f->overrides[f->override_count];

            if (!sym->stored || !sym->slotted)
                continue;
            IX_TRY(global_number(v, sym->name, &k, err));
            bool known = false;
            for (uint32_t j = 0; j < f->override_count; j++)
                known |= f->overrides[j].slot == k;
            if (known)
                continue;
            o->slot = k;
            IX_TRY(refer(v, s, around, sym, &o->from, err));
            f->override_count++;
        }
    }
    return INOX_OK;
}

static inox_status settle_statement(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    switch ((ix_jnode_kind)n->kind) {
    case IX_JN_FOR: return settle_for(v, s, n, err);
    case IX_JN_IF: return settle_if(v, s, n, err);
    case IX_JN_MACRO:
        n->exported = s->toplevel;
        IX_TRY(use(v, s, n->count, n->at, &n->target, err));
        return settle_macro(v, s, n->function, n->at, err);
    case IX_JN_CALL_BLOCK:
        IX_TRY(settle(v, s, n->a, err));
        return settle_macro(v, s, n->function, n->at, err);
    case IX_JN_GENERATION: return settle_macro(v, s, n->function, n->at, err);
    case IX_JN_FILTER_BLOCK: return settle_inner_body(v, s, n->b, n->a, true, n->enter, err);
    case IX_JN_WITH: return settle_with(v, s, n, err);
    case IX_JN_SET_BLOCK:
        n->exported = s->toplevel;
        IX_TRY(settle(v, s, n->a, err));
        return settle_inner_body(v, s, n->c, n->b, false, n->enter, err);
    case IX_JN_BLOCK: return settle_block(v, s, n, err);
    case IX_JN_AUTOESCAPE: {
        scope in = inner(s);

        IX_TRY(gather(v, &in, n->a, err));
        IX_TRY(gather_list(v, &in, n->b, err));
        IX_TRY(settle(v, &in, n->a, err));
        IX_TRY(settle_body(v, &in, n->b, err));
        return close_scope(v, &in, n->enter, err);
    }
    default: return INOX_OK;
    }
}

static inox_status settle_name(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    IX_TRY(use(v, s, n->count, n->at, &n->ref, err));
    n->where = n->ref.global || n->ref.up > 0 ? IX_JW_NAME : IX_JW_SLOT;
    return INOX_OK;
}

static inox_status settle_field(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    IX_TRY(settle(v, s, n->a, err));
    if (n->b)
        IX_TRY(settle(v, s, n->b, err));
    if (n->where == IX_JW_FIELD && n->a->where == IX_JW_SLOT) {
        n->where = IX_JW_FIELD_OF_SLOT;
        n->slot = n->a->ref.slot;
    }
    return INOX_OK;
}

/* Most conditions of chat templates: message['role'] == 'user'. */
static inox_status settle_comparison(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    IX_TRY(settle(v, s, n->a, err));
    IX_TRY(settle_list(v, s, n->b, err));
    const ix_jnode *to = n->b->a;
    if (n->op > IX_JC_NE || n->a->where != IX_JW_FIELD_OF_SLOT || to->kind != IX_JN_CONST ||
        to->value.kind != IX_J_STRING || to->value.string->size > IX_J_SHORT)
        return INOX_OK;
    n->where = IX_JW_FIELD_IS;
    n->slot = n->a->slot;
    n->count = n->a->count;
    n->value = to->value;
    return INOX_OK;
}

static inox_status settle(resolver *v, scope *s, ix_jnode *n, inox_error *err)
{
    bool soft = s->soft;

    switch ((ix_jnode_kind)n->kind) {
    case IX_JN_CONST:
    case IX_JN_DATA: n->where = IX_JW_HERE; return INOX_OK;
    case IX_JN_NAME: return settle_name(v, s, n, err);
    case IX_JN_NSREF: return use(v, s, n->count, n->at, &n->ref, err);
    case IX_JN_GETATTR:
    case IX_JN_GETITEM: return settle_field(v, s, n, err);
    case IX_JN_COMPARE: return settle_comparison(v, s, n, err);
    case IX_JN_FILTER:
    case IX_JN_TEST:
    case IX_JN_CALL: return settle_call(v, s, n, err);
    case IX_JN_COND: s->soft = true; break;
    case IX_JN_SET: n->exported = s->toplevel; break;
    case IX_JN_FOR:
    case IX_JN_IF:
    case IX_JN_MACRO:
    case IX_JN_CALL_BLOCK:
    case IX_JN_GENERATION:
    case IX_JN_FILTER_BLOCK:
    case IX_JN_WITH:
    case IX_JN_SET_BLOCK:
    case IX_JN_BLOCK:
    case IX_JN_AUTOESCAPE: return settle_statement(v, s, n, err);
    default: break;
    }
    IX_TRY(settle_list(v, s, n->a, err));
    IX_TRY(settle_list(v, s, n->b, err));
    IX_TRY(settle_list(v, s, n->c, err));
    IX_TRY(settle_list(v, s, n->d, err));
    s->soft = soft;
    return INOX_OK;
}

static inox_status settle_body(resolver *v, scope *s, ix_jnode *body, inox_error *err)
{
    return settle_list(v, s, body, err);
}

/* ---- functions ------------------------------------------------------------------------------- */

static inox_status settle_root(resolver *v, ix_jfunction_node *f, inox_error *err)
{
    scope s = { .function = f, .toplevel = !f->is_block };
    search u = { .names = { v->self, f->is_block ? v->super : 0 } };

    search_nodes(&u, f->body);
    if (u.found[0])
        IX_TRY(parameter(v, &s, v->self - 1, &f->self_slot, err));
    if (u.found[1])
        IX_TRY(parameter(v, &s, v->super - 1, &f->super_slot, err));
    f->uses_self = u.found[0];
    f->uses_super = u.found[1];
    IX_TRY(gather_list(v, &s, f->body, err));
    IX_TRY(settle_body(v, &s, f->body, err));
    return close_scope(v, &s, &f->enter, err);
}

static uint32_t find_name(const ix_jprogram *p, const char *text)
{
    for (uint32_t i = 0; i < p->name_count; i++)
        if (ix_j_is(p->names[i], text))
            return i + 1;
    return 0;
}

inox_status ix_j_resolve_names(ix_jprogram *p, inox_error *err)
{
    static const char *const known[] = { "loop", "caller", "kwargs", "varargs" };
    resolver v = { .program = p, .scratch = { .limit = IX_MAX_TEMPLATE_MEMORY / 4 } };

    for (int i = 0; i < 4; i++)
        v.known[i] = find_name(p, known[i]);
    v.self = find_name(p, "self");
    v.super = find_name(p, "super");
    inox_status status = IX_ARENA(&v.scratch, &v.global_of, (size_t)p->name_count + 1, err);
    if (status == INOX_OK)
        status = settle_root(&v, p->root, err);
    for (uint32_t i = 0; status == INOX_OK && i < p->block_count; i++)
        status = settle_root(&v, p->blocks[i], err);
    ix_arena_release(&v.scratch);
    return status;
}
