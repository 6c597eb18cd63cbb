/* Statements, and the parser's tokens, names and nodes.
 *
 * Every tag has one function.  Bodies are lists of statements up to one of the words that end them.
 */
#include "text/jinja/parse.h"

#include "base/limits.h"
#include "text/jinja/render.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX 4

/* The words that end a body; the list ends with NULL. */
typedef struct ends {
    const char *words[WORDS_MAX];
} ends;

static inox_status parse_body(ix_jparser *p, const char *tag, ends words, ix_jnode **out,
                              inox_error *err);

/* ---- tokens ---------------------------------------------------------------------------------- */

bool ix_jp_token_is_word(const ix_jparser *p, const ix_jtoken *t, const char *word)
{
    size_t n = strlen(word);

    return t->kind == IX_JT_NAME && t->end - t->start == n &&
           memcmp(p->program->source + t->start, word, n) == 0;
}

bool ix_jp_is_word(const ix_jparser *p, const char *word)
{
    return ix_jp_token_is_word(p, ix_jp_current(p), word);
}

bool ix_jp_skip(ix_jparser *p, ix_jtoken_kind kind)
{
    if (!ix_jp_is(p, kind))
        return false;
    ix_jp_next(p);
    return true;
}

bool ix_jp_skip_word(ix_jparser *p, const char *word)
{
    if (!ix_jp_is_word(p, word))
        return false;
    ix_jp_next(p);
    return true;
}

/* What a message calls the current token. */
static int describe(const ix_jparser *p, const char **text)
{
    const ix_jtoken *t = ix_jp_current(p);

    *text = ix_j_token_name(t->kind);
    if (t->kind != IX_JT_NAME)
        return (int)strlen(*text);
    *text = p->program->source + t->start;
    return t->end - t->start > 100 ? 100 : (int)(t->end - t->start);
}

inox_status ix_jp_got(ix_jparser *p, const char *format, inox_error *err)
{
    const char *text;
    char message[300];
    int size = describe(p, &text);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(message, sizeof message, format, size, text); /* "unexpected '%.*s'" and its like */
#pragma GCC diagnostic pop
    return ix_j_syntax(err, ix_jp_current(p)->start, "%s", message);
}

static inox_status expected(ix_jparser *p, const char *what, inox_error *err)
{
    const char *text;
    int size = describe(p, &text);

    if (ix_jp_is(p, IX_JT_EOF))
        return ix_j_syntax(err, ix_jp_current(p)->start,
                           "unexpected end of template, expected '%s'.", what);
    return ix_j_syntax(err, ix_jp_current(p)->start, "expected token '%s', got '%.*s'", what, size,
                       text);
}

inox_status ix_jp_expect(ix_jparser *p, ix_jtoken_kind kind, inox_error *err)
{
    return ix_jp_skip(p, kind) ? INOX_OK : expected(p, ix_j_token_name(kind), err);
}

inox_status ix_jp_expect_word(ix_jparser *p, const char *word, inox_error *err)
{
    return ix_jp_skip_word(p, word) ? INOX_OK : expected(p, word, err);
}

inox_status ix_jp_enter(ix_jparser *p, inox_error *err)
{
    if (++p->depth > IX_MAX_TEMPLATE_NESTING)
        return ix_fail_at(err, INOX_E_LIMIT, ix_jp_current(p)->start,
                          "a template that nests deeper than %d levels", IX_MAX_TEMPLATE_NESTING);
    return INOX_OK;
}

/* ---- memory, names --------------------------------------------------------------------------- */

inox_status ix_jp_alloc(ix_jparser *p, size_t count, size_t size, void **out, inox_error *err)
{
    *out = NULL;
    return ix_arena_alloc(&p->program->arena, count, size, out, err);
}

inox_status ix_jp_node(ix_jparser *p, ix_jnode_kind kind, uint32_t at, ix_jnode **out,
                       inox_error *err)
{
    IX_TRY(IX_JP_ALLOC(p, out, 1, err));
    (*out)->kind = (uint8_t)kind;
    (*out)->at = at;
    return INOX_OK;
}

static uint32_t hash_bytes(const char *text, size_t size)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)text[i]) * 16777619u;
    return h;
}

/* Makes the table of names twice as large. */
static inox_status grow_names(ix_jparser *p, inox_error *err)
{
    ix_jprogram *program = p->program;
    uint32_t capacity = p->name_capacity == 0 ? 64 : p->name_capacity * 2, mask = capacity * 2 - 1;
    ix_jstring **names;
    uint32_t *slots;

    IX_TRY(IX_JP_ALLOC(p, &names, capacity, err));
    IX_TRY(IX_JP_ALLOC(p, &slots, mask + 1, err));
    for (uint32_t i = 0; i < program->name_count; i++) {
        uint32_t at = hash_bytes(program->names[i]->data, program->names[i]->size) & mask;

        names[i] = program->names[i];
        while (slots[at] != 0)
            at = (at + 1) & mask;
        slots[at] = i + 1;
    }
    program->names = names;
    p->name_slots = slots;
    p->name_mask = mask;
    p->name_capacity = capacity;
    return INOX_OK;
}

inox_status ix_jp_name(ix_jparser *p, const ix_jtoken *t, uint32_t *out, inox_error *err)
{
    ix_jprogram *program = p->program;
    const char *text = program->source + t->start;
    size_t size = t->end - t->start;
    ix_jvalue value;

    if (program->name_count == p->name_capacity)
        IX_TRY(grow_names(p, err));
    uint32_t at = hash_bytes(text, size) & p->name_mask;
    for (; p->name_slots[at] != 0; at = (at + 1) & p->name_mask) {
        const ix_jstring *name = program->names[p->name_slots[at] - 1];

        if (name->size == size && memcmp(name->data, text, size) == 0) {
            *out = p->name_slots[at] - 1;
            return INOX_OK;
        }
    }
    IX_TRY(ix_j_string_view(p->r, text, size, &value, err));
    (void)ix_j_length(value.string);
    (void)ix_j_string_hash(value.string);
    *out = program->name_count++;
    program->names[*out] = value.string;
    p->name_slots[at] = *out + 1;
    return INOX_OK;
}

static inox_status expect_name(ix_jparser *p, uint32_t *out, inox_error *err)
{
    const ix_jtoken *t = ix_jp_current(p);

    IX_TRY(ix_jp_expect(p, IX_JT_NAME, err));
    return ix_jp_name(p, t, out, err);
}

/* The name of a target: no literal. */
static inox_status expect_target_name(ix_jparser *p, uint32_t *out, inox_error *err)
{
    static const char *const literals[] = { "true", "false", "none", "True", "False", "None" };

    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++)
        if (ix_jp_is_word(p, literals[i]))
            return ix_j_syntax(err, ix_jp_current(p)->start, "can't assign to 'name'");
    return expect_name(p, out, err);
}

static inox_status new_function(ix_jparser *p, ix_jfunction_node **out, inox_error *err)
{
    ix_jprogram *program = p->program;

    if (program->function_count == p->function_capacity) {
        uint32_t capacity = p->function_capacity == 0 ? 16 : p->function_capacity * 2;
        ix_jfunction_node **functions;

        IX_TRY(IX_JP_ALLOC(p, &functions, capacity, err));
        if (program->function_count > 0)
            memcpy(functions, program->functions, program->function_count * sizeof *functions);
        program->functions = functions;
        p->function_capacity = capacity;
    }
    IX_TRY(IX_JP_ALLOC(p, out, 1, err));
    (*out)->number = program->function_count;
    program->functions[program->function_count++] = *out;
    return INOX_OK;
}

/* ---- simple tags ----------------------------------------------------------------------------- */

static inox_status parse_set(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    IX_TRY(ix_jp_target(p, (ix_jtuple_rules){ .namespaces = true }, &n->a, err));
    if (ix_jp_skip(p, IX_JT_ASSIGN)) {
        n->kind = IX_JN_SET;
        return ix_jp_tuple(p, (ix_jtuple_rules){ 0 }, &n->b, err);
    }
    n->kind = IX_JN_SET_BLOCK;
    n->escape = (uint8_t)p->escape;
    IX_TRY(IX_JP_ALLOC(p, &n->enter, 1, err));
    IX_TRY(ix_jp_filter(p, NULL, false, &n->b, err));
    return parse_body(p, "set", (ends){ { "endset" } }, &n->c, err);
}

static inox_status parse_with(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    ix_jnode **target = &n->a, **value = &n->b;

    n->kind = IX_JN_WITH;
    IX_TRY(IX_JP_ALLOC(p, &n->enter, 1, err));
    for (; !ix_jp_is(p, IX_JT_BLOCK_END); n->count++) {
        if (n->count > 0)
            IX_TRY(ix_jp_expect(p, IX_JT_COMMA, err));
        IX_TRY(ix_jp_target(p, (ix_jtuple_rules){ 0 }, target, err));
        IX_TRY(ix_jp_expect(p, IX_JT_ASSIGN, err));
        IX_TRY(ix_jp_expression(p, value, err));
        /* A target (a, b) without brackets would swallow the commas: so jinja2 does. */
        target = &(*target)->next;
        value = &(*value)->next;
    }
    return parse_body(p, "with", (ends){ { "endwith" } }, &n->c, err);
}

static inox_status parse_autoescape(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    ix_jescape before = p->escape;

    n->kind = IX_JN_AUTOESCAPE;
    IX_TRY(IX_JP_ALLOC(p, &n->enter, 1, err));
    IX_TRY(ix_jp_expression(p, &n->a, err));
    if (n->a->kind != IX_JN_CONST)
        p->escape = IX_JE_VOLATILE;
    else if (p->escape != IX_JE_VOLATILE) {
        bool on = false;

        IX_TRY(ix_j_truth(p->r, n->a->value, &on, err));
        p->escape = on ? IX_JE_YES : IX_JE_NO;
    }
    IX_TRY(parse_body(p, "autoescape", (ends){ { "endautoescape" } }, &n->b, err));
    p->escape = before;
    return INOX_OK;
}

static inox_status parse_filter_block(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    n->kind = IX_JN_FILTER_BLOCK;
    n->escape = (uint8_t)p->escape;
    IX_TRY(IX_JP_ALLOC(p, &n->enter, 1, err));
    IX_TRY(ix_jp_filter(p, NULL, true, &n->a, err));
    return parse_body(p, "filter", (ends){ { "endfilter" } }, &n->b, err);
}

static inox_status parse_print(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    ix_jnode **last = &n->a;

    n->kind = IX_JN_OUTPUT;
    n->escape = (uint8_t)p->escape;
    while (!ix_jp_is(p, IX_JT_BLOCK_END)) {
        if (n->a)
            IX_TRY(ix_jp_expect(p, IX_JT_COMMA, err));
        IX_TRY(ix_jp_expression(p, last, err));
        last = &(*last)->next;
    }
    return INOX_OK;
}

static inox_status parse_loop_control(ix_jparser *p, ix_jnode *n, ix_jnode_kind kind,
                                      inox_error *err)
{
    n->kind = (uint8_t)kind;
    if (p->loops == 0)
        return ix_fail_at(err, INOX_E_FORMAT, n->at, "SyntaxError: '%s' outside loop",
                          kind == IX_JN_BREAK ? "break" : "continue");
    return INOX_OK;
}

/* ---- if, for --------------------------------------------------------------------------------- */

static inox_status parse_if(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    for (;;) {
        n->kind = IX_JN_IF;
        IX_TRY(ix_jp_tuple(p, (ix_jtuple_rules){ .no_condition = true }, &n->a, err));
        IX_TRY(parse_body(p, "if", (ends){ { "elif", "else", "endif" } }, &n->b, err));
        if (ix_jp_is_word(p, "elif")) {
            ix_jnode *next;

            IX_TRY(ix_jp_node(p, IX_JN_IF, ix_jp_current(p)->start, &next, err));
            ix_jp_next(p);
            n->d = next;
            n = next;
            continue;
        }
        if (!ix_jp_skip_word(p, "else"))
            return ix_jp_expect_word(p, "endif", err);
        IX_TRY(parse_body(p, "if", (ends){ { "endif" } }, &n->c, err));
        ix_jp_next(p);
        return INOX_OK;
    }
}

/* A target again, for the slots of a loop's test. */
static inox_status copy_target(ix_jparser *p, const ix_jnode *from, ix_jnode **out, inox_error *err)
{
    IX_TRY(ix_jp_node(p, (ix_jnode_kind)from->kind, from->at, out, err));
    (*out)->count = from->count;
    (*out)->height = from->height;
    if (from->kind != IX_JN_TUPLE)
        return INOX_OK;
    ix_jnode **last = &(*out)->a;
    for (const ix_jnode *item = from->a; item; item = item->next) {
        IX_TRY(copy_target(p, item, last, err));
        last = &(*last)->next;
    }
    return INOX_OK;
}

static inox_status parse_for(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    unsigned outer = p->loops;

    n->kind = IX_JN_FOR;
    IX_TRY(IX_JP_ALLOC(p, &n->loop, 1, err));
    IX_TRY(ix_jp_target(p, (ix_jtuple_rules){ 0 }, &n->a, err));
    IX_TRY(ix_jp_expect_word(p, "in", err));
    IX_TRY(ix_jp_tuple(p, (ix_jtuple_rules){ .no_condition = true }, &n->b, err));
    if (ix_jp_skip_word(p, "if")) {
        IX_TRY(ix_jp_expression(p, &n->loop->test, err));
        IX_TRY(copy_target(p, n->a, &n->loop->test_target, err));
    }
    if (ix_jp_skip_word(p, "recursive"))
        IX_TRY(new_function(p, &n->loop->function, err));
    p->loops = n->loop->function ? 1 : outer + 1;
    IX_TRY(parse_body(p, "for", (ends){ { "endfor", "else" } }, &n->c, err));
    p->loops--;
    if (ix_jp_skip_word(p, "else"))
        IX_TRY(parse_body(p, "for", (ends){ { "endfor" } }, &n->d, err));
    p->loops = outer;
    return ix_jp_expect_word(p, "endfor", err);
}

/* ---- macros, blocks -------------------------------------------------------------------------- */

static inox_status add_parameter(ix_jparser *p, ix_jfunction_node *f, uint32_t *capacity,
                                 inox_error *err)
{
    uint32_t at = ix_jp_current(p)->start, name;

    IX_TRY(expect_target_name(p, &name, err));
    for (uint32_t i = 0; i < f->parameter_count; i++)
        if (f->parameters[i].name == name)
            return ix_fail_at(err, INOX_E_FORMAT, at,
                              "SyntaxError: duplicate argument '%.*s' in function definition",
                              (int)p->program->names[name]->size, p->program->names[name]->data);
    if (f->parameter_count == *capacity) {
        ix_jparameter *more;

        if (*capacity >= 256)
            return ix_fail_at(err, INOX_E_LIMIT, at, "more than %u parameters", *capacity);
        *capacity = *capacity == 0 ? 4 : *capacity * 2;
        IX_TRY(IX_JP_ALLOC(p, &more, *capacity, err));
        if (f->parameter_count > 0)
            memcpy(more, f->parameters, f->parameter_count * sizeof *more);
        f->parameters = more;
    }
    ix_jparameter *parameter = &f->parameters[f->parameter_count++];
    parameter->name = name;
    parameter->text = p->program->names[name];
    parameter->at = at;
    if (ix_jp_skip(p, IX_JT_ASSIGN))
        return ix_jp_expression(p, &parameter->default_value, err);
    if (f->parameter_count > 1 && f->parameters[f->parameter_count - 2].default_value)
        return ix_j_syntax(err, at, "non-default argument follows default argument");
    return INOX_OK;
}

static inox_status parse_signature(ix_jparser *p, ix_jfunction_node *f, inox_error *err)
{
    uint32_t capacity = 0;

    IX_TRY(ix_jp_expect(p, IX_JT_LPAREN, err));
    while (!ix_jp_is(p, IX_JT_RPAREN)) {
        if (f->parameter_count > 0)
            IX_TRY(ix_jp_expect(p, IX_JT_COMMA, err));
        IX_TRY(add_parameter(p, f, &capacity, err));
    }
    return ix_jp_expect(p, IX_JT_RPAREN, err);
}

/* The body of a function of its own: break does not reach out of it. */
static inox_status parse_function_body(ix_jparser *p, const char *tag, const char *end,
                                       ix_jfunction_node *f, inox_error *err)
{
    unsigned loops = p->loops;

    p->loops = 0;
    IX_TRY(parse_body(p, tag, (ends){ { end } }, &f->body, err));
    p->loops = loops;
    return INOX_OK;
}

static inox_status name_arguments(ix_jparser *p, ix_jfunction_node *f, inox_error *err)
{
    IX_TRY(ix_j_tuple(p->r, f->parameter_count, &f->argument_names, err));
    for (uint32_t i = 0; i < f->parameter_count; i++)
        f->argument_names.list->items[i] = ix_j_of_string(f->parameters[i].text);
    f->argument_names.list->count = f->parameter_count;
    return INOX_OK;
}

static inox_status parse_macro(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    n->kind = IX_JN_MACRO;
    IX_TRY(new_function(p, &n->function, err));
    IX_TRY(expect_target_name(p, &n->count, err));
    n->function->name = p->program->names[n->count];
    IX_TRY(parse_signature(p, n->function, err));
    IX_TRY(name_arguments(p, n->function, err));
    return parse_function_body(p, "macro", "endmacro", n->function, err);
}

static inox_status parse_call_block(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    n->kind = IX_JN_CALL_BLOCK;
    IX_TRY(new_function(p, &n->function, err));
    if (ix_jp_is(p, IX_JT_LPAREN))
        IX_TRY(parse_signature(p, n->function, err));
    IX_TRY(name_arguments(p, n->function, err));
    IX_TRY(ix_jp_expression(p, &n->a, err));
    if (n->a->kind != IX_JN_CALL)
        return ix_j_syntax(err, n->at, "expected call");
    for (uint32_t i = 0; i < n->a->call->keyword_count; i++)
        if (ix_j_is(n->a->call->keywords[i].name, "caller"))
            return ix_fail_at(err, INOX_E_FORMAT, n->at,
                              "SyntaxError: keyword argument repeated: caller");
    return parse_function_body(p, "call", "endcall", n->function, err);
}

static inox_status parse_generation(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    n->kind = IX_JN_GENERATION;
    IX_TRY(new_function(p, &n->function, err));
    IX_TRY(name_arguments(p, n->function, err));
    return parse_function_body(p, "generation", "endgeneration", n->function, err);
}

static inox_status register_block(ix_jparser *p, ix_jfunction_node *f, uint32_t at, inox_error *err)
{
    ix_jprogram *program = p->program;

    for (uint32_t i = 0; i < program->block_count; i++)
        if (program->blocks[i]->name == f->name)
            return ix_fail_at(err, INOX_E_FORMAT, at,
                              "TemplateAssertionError: block '%.*s' defined twice",
                              (int)f->name->size, f->name->data);
    if (program->block_count >= 1000)
        return ix_fail_at(err, INOX_E_LIMIT, at, "more than 1000 blocks");
    if (program->block_count == p->block_capacity) {
        uint32_t capacity = p->block_capacity == 0 ? 8 : p->block_capacity * 2;
        ix_jfunction_node **blocks;

        IX_TRY(IX_JP_ALLOC(p, &blocks, capacity, err));
        if (program->block_count > 0)
            memcpy(blocks, program->blocks, program->block_count * sizeof *blocks);
        program->blocks = blocks;
        p->block_capacity = capacity;
    }
    program->blocks[program->block_count++] = f;
    return INOX_OK;
}

static bool is_blank(const ix_jnode *body)
{
    for (; body; body = body->next) {
        if (body->kind != IX_JN_OUTPUT)
            return false;
        for (const ix_jnode *part = body->a; part; part = part->next) {
            const ix_jstring *s = part->value.string;

            if (part->kind != IX_JN_DATA)
                return false;
            for (uint32_t i = 0; i < s->size; i++)
                if (!ix_j_is_space((unsigned char)s->data[i]))
                    return false;
        }
    }
    return true;
}

static inox_status parse_block(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    ix_jescape escape = p->escape;
    uint32_t name;

    n->kind = IX_JN_BLOCK;
    IX_TRY(new_function(p, &n->function, err));
    IX_TRY(expect_name(p, &name, err));
    n->function->name = p->program->names[name];
    n->function->is_block = true;
    IX_TRY(register_block(p, n->function, n->at, err));
    n->function->scoped = ix_jp_skip_word(p, "scoped");
    bool required = ix_jp_skip_word(p, "required");
    if (ix_jp_is(p, IX_JT_SUB))
        return ix_j_syntax(err, ix_jp_current(p)->start,
                           "Block names in Jinja have to be valid Python identifiers and may not "
                           "contain hyphens, use an underscore instead.");
    p->escape = IX_JE_NO; /* a block's code does not know what is around it */
    IX_TRY(parse_function_body(p, "block", "endblock", n->function, err));
    p->escape = escape;
    if (required && !is_blank(n->function->body))
        return ix_j_syntax(err, n->at, "Required blocks can only contain comments or whitespace");
    n->count = required;
    if (ix_jp_is(p, IX_JT_NAME)) {
        const ix_jtoken *t = ix_jp_current(p);

        if (t->end - t->start == n->function->name->size &&
            memcmp(p->program->source + t->start, n->function->name->data,
                   n->function->name->size) == 0)
            ix_jp_next(p);
    }
    return INOX_OK;
}

/* ---- what needs other templates -------------------------------------------------------------- */

static void parse_context_words(ix_jparser *p)
{
    if ((ix_jp_is_word(p, "with") || ix_jp_is_word(p, "without")) &&
        ix_jp_token_is_word(p, ix_jp_look(p), "context")) {
        ix_jp_next(p);
        ix_jp_next(p);
    }
}

static inox_status parse_imported_names(ix_jparser *p, inox_error *err)
{
    uint32_t name;

    for (bool first = true;; first = false) {
        if (!first)
            IX_TRY(ix_jp_expect(p, IX_JT_COMMA, err));
        if ((ix_jp_is_word(p, "with") || ix_jp_is_word(p, "without")) &&
            ix_jp_token_is_word(p, ix_jp_look(p), "context"))
            return INOX_OK;
        if (p->program->source[ix_jp_current(p)->start] == '_')
            return ix_j_syntax(err, ix_jp_current(p)->start,
                               "names starting with an underline can not be imported");
        IX_TRY(expect_target_name(p, &name, err));
        if (ix_jp_skip_word(p, "as"))
            IX_TRY(expect_target_name(p, &name, err));
        if (!ix_jp_is(p, IX_JT_COMMA))
            return INOX_OK;
    }
}

/* include, import, from, extends: read as jinja2 reads them; an error where they are reached, since
 * a chat template stands alone (jinja2 as transformers sets it up has no loader either). */
static inox_status parse_excluded(ix_jparser *p, ix_jnode *n, const char *tag, inox_error *err)
{
    uint32_t name;

    n->kind = IX_JN_EXCLUDED;
    IX_TRY(ix_j_string_view(p->r, tag, strlen(tag), &n->value, err));
    IX_TRY(ix_jp_expression(p, &n->a, err));
    if (strcmp(tag, "extends") == 0)
        return INOX_OK;
    if (strcmp(tag, "include") == 0 && ix_jp_is_word(p, "ignore") &&
        ix_jp_token_is_word(p, ix_jp_look(p), "missing")) {
        ix_jp_next(p);
        ix_jp_next(p);
    } else if (strcmp(tag, "import") == 0) {
        IX_TRY(ix_jp_expect_word(p, "as", err));
        IX_TRY(expect_target_name(p, &name, err));
    } else if (strcmp(tag, "from") == 0) {
        IX_TRY(ix_jp_expect_word(p, "import", err));
        IX_TRY(parse_imported_names(p, err));
    }
    parse_context_words(p);
    return INOX_OK;
}

/* ---- statements ------------------------------------------------------------------------------ */

static inox_status parse_statement(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    static const char *const excluded[] = { "include", "import", "from", "extends" };
    const ix_jtoken *t = ix_jp_current(p);
    ix_jnode *n;

    if (t->kind != IX_JT_NAME)
        return ix_j_syntax(err, t->start, "tag name expected");
    IX_TRY(ix_jp_node(p, IX_JN_OUTPUT, t->start, &n, err));
    *out = n;
    ix_jp_next(p);
    if (ix_jp_token_is_word(p, t, "if"))
        return parse_if(p, n, err);
    if (ix_jp_token_is_word(p, t, "for"))
        return parse_for(p, n, err);
    if (ix_jp_token_is_word(p, t, "set"))
        return parse_set(p, n, err);
    if (ix_jp_token_is_word(p, t, "macro"))
        return parse_macro(p, n, err);
    if (ix_jp_token_is_word(p, t, "call"))
        return parse_call_block(p, n, err);
    if (ix_jp_token_is_word(p, t, "filter"))
        return parse_filter_block(p, n, err);
    if (ix_jp_token_is_word(p, t, "with"))
        return parse_with(p, n, err);
    if (ix_jp_token_is_word(p, t, "block"))
        return parse_block(p, n, err);
    if (ix_jp_token_is_word(p, t, "print"))
        return parse_print(p, n, err);
    if (ix_jp_token_is_word(p, t, "autoescape"))
        return parse_autoescape(p, n, err);
    if (ix_jp_token_is_word(p, t, "generation"))
        return parse_generation(p, n, err);
    if (ix_jp_token_is_word(p, t, "break"))
        return parse_loop_control(p, n, IX_JN_BREAK, err);
    if (ix_jp_token_is_word(p, t, "continue"))
        return parse_loop_control(p, n, IX_JN_CONTINUE, err);
    for (size_t i = 0; i < sizeof excluded / sizeof *excluded; i++)
        if (ix_jp_token_is_word(p, t, excluded[i]))
            return parse_excluded(p, n, excluded[i], err);
    return ix_j_syntax(err, t->start, "Encountered unknown tag '%.*s'.",
                       t->end - t->start > 100 ? 100 : (int)(t->end - t->start),
                       p->program->source + t->start);
}

/* Text and {{ }}, up to the next tag, as one OUTPUT. */
static inox_status parse_output(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    ix_jnode *n, **last;

    IX_TRY(ix_jp_node(p, IX_JN_OUTPUT, ix_jp_current(p)->start, &n, err));
    n->escape = (uint8_t)p->escape;
    last = &n->a;
    for (;; last = &(*last)->next) {
        const ix_jtoken *t = ix_jp_current(p);

        if (t->kind == IX_JT_DATA) {
            IX_TRY(ix_jp_node(p, IX_JN_DATA, t->start, last, err));
            IX_TRY(ix_j_string_view(p->r, p->program->source + t->start, t->end - t->start,
                                    &(*last)->value, err));
            ix_jp_next(p);
        } else if (t->kind == IX_JT_VARIABLE_BEGIN) {
            ix_jp_next(p);
            IX_TRY(ix_jp_tuple(p, (ix_jtuple_rules){ 0 }, last, err));
            IX_TRY(ix_jp_expect(p, IX_JT_VARIABLE_END, err));
        } else {
            break;
        }
    }
    *out = n;
    return INOX_OK;
}

static bool at_end_word(const ix_jparser *p, const ends *words)
{
    for (int i = 0; i < WORDS_MAX && words->words[i]; i++)
        if (ix_jp_is_word(p, words->words[i]))
            return true;
    return false;
}

/* "Jinja was looking for the following tags: 'elif' or ..." */
static inox_status unfinished(ix_jparser *p, const char *tag, const ends *words, inox_error *err)
{
    char list[100] = "";

    for (int i = 0; i < WORDS_MAX && words->words[i]; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s'%s'", i > 0 ? " or " : "",
                 words->words[i]);
    return ix_j_syntax(err, ix_jp_current(p)->start,
                       "Unexpected end of template. Jinja was looking for the following tags: %s. "
                       "The innermost block that needs to be closed is '%s'.",
                       list, tag);
}

/* Statements up to a tag that is one of `words` (which is current then), or to the end. */
static inox_status parse_statements(ix_jparser *p, const ends *words, ix_jnode **out,
                                    inox_error *err)
{
    for (;;) {
        switch (ix_jp_current(p)->kind) {
        case IX_JT_DATA:
        case IX_JT_VARIABLE_BEGIN: IX_TRY(parse_output(p, out, err)); break;
        case IX_JT_BLOCK_BEGIN:
            ix_jp_next(p);
            if (at_end_word(p, words))
                return INOX_OK;
            IX_TRY(ix_jp_enter(p, err));
            IX_TRY(parse_statement(p, out, err));
            p->depth--;
            IX_TRY(ix_jp_expect(p, IX_JT_BLOCK_END, err));
            break;
        default: return INOX_OK;
        }
        out = &(*out)->next;
    }
}

/* The body of a tag, from behind its head to its end word.  A last word "end..." alone is skipped,
 * others are left for the caller. */
static inox_status parse_body(ix_jparser *p, const char *tag, ends words, ix_jnode **out,
                              inox_error *err)
{
    (void)ix_jp_skip(p, IX_JT_COLON);
    IX_TRY(ix_jp_expect(p, IX_JT_BLOCK_END, err));
    IX_TRY(parse_statements(p, &words, out, err));
    if (ix_jp_is(p, IX_JT_EOF))
        return unfinished(p, tag, &words, err);
    if (!words.words[1] && strcmp(tag, "if") != 0 && strcmp(tag, "for") != 0)
        ix_jp_next(p);
    return INOX_OK;
}

inox_status ix_j_parse(ix_jprogram *program, inox_error *err)
{
    ix_jparser p = { .program = program, .r = program->constants };
    ends none = { { NULL } };

    IX_TRY(ix_j_lex(program->source, program->source_size, &p.tokens, err));
    inox_status status = new_function(&p, &program->root, err);
    if (status == INOX_OK)
        status = parse_statements(&p, &none, &program->root->body, err);
    ix_j_tokens_release(&p.tokens);
    return status == INOX_OK ? ix_j_resolve_names(program, err) : status;
}
