/* What the two halves of the parser share: statements (parse.c) and expressions (parse_expr.c). */
#ifndef IX_TEXT_JINJA_PARSE_H
#define IX_TEXT_JINJA_PARSE_H

#include "text/jinja/ast.h"
#include "text/jinja/lex.h"

typedef struct ix_jparser {
    ix_jprogram *program;
    ix_jrender *r; /* program->constants */
    ix_jtokens tokens;
    size_t at; /* the current token */
    unsigned depth;
    unsigned loops;       /* around, in the same function of Python: break needs one */
    ix_jescape escape;    /* by the autoescape tags around */
    uint32_t *name_slots; /* hash table: number of a name + 1 */
    uint32_t name_mask, name_capacity;
    uint32_t function_capacity, block_capacity;
} ix_jparser;

static inline const ix_jtoken *ix_jp_current(const ix_jparser *p)
{
    return &p->tokens.items[p->at];
}
static inline const ix_jtoken *ix_jp_look(const ix_jparser *p)
{
    return &p->tokens.items[p->at + 1 < p->tokens.count ? p->at + 1 : p->at];
}
static inline void ix_jp_next(ix_jparser *p)
{
    if (p->at + 1 < p->tokens.count)
        p->at++;
}
static inline bool ix_jp_is(const ix_jparser *p, ix_jtoken_kind kind)
{
    return ix_jp_current(p)->kind == kind;
}
bool ix_jp_is_word(const ix_jparser *p, const char *word); /* a name of that spelling */
bool ix_jp_token_is_word(const ix_jparser *p, const ix_jtoken *t, const char *word);
bool ix_jp_skip(ix_jparser *p, ix_jtoken_kind kind);
bool ix_jp_skip_word(ix_jparser *p, const char *word);
inox_status ix_jp_expect(ix_jparser *p, ix_jtoken_kind kind, inox_error *err) IX_MUST_USE;
inox_status ix_jp_expect_word(ix_jparser *p, const char *word, inox_error *err) IX_MUST_USE;
/* "unexpected ..." with jinja2's word for the current token. */
inox_status ix_jp_got(ix_jparser *p, const char *format, inox_error *err) IX_MUST_USE;

inox_status ix_jp_enter(ix_jparser *p, inox_error *err) IX_MUST_USE; /* one level deeper */
inox_status ix_jp_node(ix_jparser *p, ix_jnode_kind kind, uint32_t at, ix_jnode **out,
                       inox_error *err) IX_MUST_USE;
inox_status ix_jp_alloc(ix_jparser *p, size_t count, size_t size, void **out,
                        inox_error *err) IX_MUST_USE;
#define IX_JP_ALLOC(p, pp, count, err)                                                             \
    ix_jp_alloc((p), (count), sizeof **(pp), (void **)(pp), (err))
/* The number of the name that token t spells; its string is program->names[number]. */
inox_status ix_jp_name(ix_jparser *p, const ix_jtoken *t, uint32_t *out,
                       inox_error *err) IX_MUST_USE;
/* Sets a node's height from its parts; an error where it is too high. */
inox_status ix_jp_height(ix_jparser *p, ix_jnode *n, inox_error *err) IX_MUST_USE;

/* How far a tuple without brackets goes. */
typedef struct ix_jtuple_rules {
    bool simplified;   /* names and literals only: a target */
    bool no_condition; /* no "x if y" in it */
    bool parentheses;  /* it stands in some: () is a tuple */
    bool namespaces;   /* ns.name is a target */
} ix_jtuple_rules;

inox_status ix_jp_expression(ix_jparser *p, ix_jnode **out, inox_error *err) IX_MUST_USE;
inox_status ix_jp_tuple(ix_jparser *p, ix_jtuple_rules rules, ix_jnode **out,
                        inox_error *err) IX_MUST_USE;
inox_status ix_jp_target(ix_jparser *p, ix_jtuple_rules rules, ix_jnode **out,
                         inox_error *err) IX_MUST_USE;
/* | filter | filter ... on `node` (NULL: a block's); inline_start: the first has no | before it. */
inox_status ix_jp_filter(ix_jparser *p, ix_jnode *node, bool inline_start, ix_jnode **out,
                         inox_error *err) IX_MUST_USE;

#endif
