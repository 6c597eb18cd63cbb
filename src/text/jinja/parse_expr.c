/* Expressions, with jinja2's precedence:
 *
 *     tuple: x, y    condition: x if y else z    or    and    not    compare, in    + -    ~
 *     * / // %    **    unary + -    primary    .name [item] (call)    | filter, is test
 *
 * The height of a tree is bounded as the nesting of the source is, so that walking it is.
 */
#include "base/limits.h"
#include "text/jinja/parse.h"
#include "text/jinja/render.h"
#include "text/unicode.h"

#include <string.h>

#define HEIGHT_MAX (2 * IX_MAX_TEMPLATE_NESTING)

static inox_status parse_unary(ix_jparser *p, bool with_filter, ix_jnode **out, inox_error *err);
static inox_status parse_or(ix_jparser *p, ix_jnode **out, inox_error *err);

/* Takes a list of parts into account. */
static void join(ix_jnode *n, const ix_jnode *part)
{
    for (; part; part = part->next) {
        if (part->height > n->height)
            n->height = part->height;
        n->constant &= part->constant || part->kind == IX_JN_CONST;
    }
}

/* False for what jinja2 does not evaluate while it compiles: names, calls, some filters. */
static bool may_be_constant(const ix_jnode *n)
{
    static const char *const late[] = { "map",        "select",     "reject",
                                        "selectattr", "rejectattr", "random" };

    if (n->kind == IX_JN_CALL || (n->kind == IX_JN_COND && !n->c) ||
        (n->kind == IX_JN_FILTER && !n->a))
        return false;
    if (n->kind != IX_JN_FILTER && n->kind != IX_JN_TEST)
        return true;
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        if (ix_j_is(n->call->name, late[i]))
            return false;
    return n->call->entry != NULL;
}

inox_status ix_jp_height(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    (void)p;
    n->height = 0;
    n->constant = may_be_constant(n);
    join(n, n->a);
    join(n, n->b);
    join(n, n->c);
    join(n, n->d);
    if (n->kind == IX_JN_CALL || n->kind == IX_JN_FILTER || n->kind == IX_JN_TEST) {
        join(n, n->call->positional);
        join(n, n->call->rest);
        join(n, n->call->rest_keywords);
        for (uint32_t i = 0; i < n->call->keyword_count; i++)
            join(n, n->call->keywords[i].value);
    }
    n->height++;
    if (n->height > HEIGHT_MAX)
        return ix_fail_at(err, INOX_E_LIMIT, n->at, "an expression of more than %d levels",
                          HEIGHT_MAX);
    return INOX_OK;
}

static inox_status make(ix_jparser *p, ix_jnode_kind kind, uint32_t at, ix_jnode *a, ix_jnode *b,
                        ix_jnode **out, inox_error *err)
{
    ix_jnode *n;

    IX_TRY(ix_jp_node(p, kind, at, &n, err));
    n->a = a;
    n->b = b;
    IX_TRY(ix_jp_height(p, n, err));
    *out = n;
    return INOX_OK;
}

/* ---- literals -------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* The character of n hexadecimal digits at s, which are taken. */
static inox_status hex_escape(const char **s, const char *end, int n, uint32_t at, uint32_t *out,
                              inox_error *err)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (*s == end || hex_value(**s) < 0)
            return ix_j_syntax(err, at, "truncated \\%s escape",
                               n == 2   ? "xXX"
                               : n == 4 ? "uXXXX"
                                        : "UXXXXXXXX");
        *out = *out << 4 | (uint32_t)hex_value(*(*s)++);
    }
    if (*out > 0x10FFFF)
        return ix_j_syntax(err, at, "illegal Unicode character");
    return INOX_OK;
}

/* What stands behind a backslash, as the codec unicode-escape reads it. */
static inox_status read_escape(ix_jbuilder *b, const char **s, const char *end, uint32_t at,
                               inox_error *err)
{
    static const char letters[] = "\\'\"abfnrtv", means[] = "\\'\"\a\b\f\n\r\t\v";
    char c = *(*s)++;
    const char *simple = c != '\0' ? strchr(letters, c) : NULL;
    uint32_t character;

    if (c == '\n')
        return INOX_OK;
    if (simple)
        return ix_jb_bytes(b, &means[simple - letters], 1, false, err);
    if (c == 'x' || c == 'u' || c == 'U') {
        IX_TRY(hex_escape(s, end, c == 'x' ? 2 : c == 'u' ? 4 : 8, at, &character, err));
        return ix_jb_character(b, character, false, err);
    }
    if (c >= '0' && c <= '7') {
        character = (uint32_t)(c - '0');
        for (int i = 0; i < 2 && *s < end && **s >= '0' && **s <= '7'; i++)
            character = character * 8 + (uint32_t)(*(*s)++ - '0');
        return ix_jb_character(b, character, false, err);
    }
    if (c == 'N')
        return ix_fail_at(err, INOX_E_UNSUPPORTED, at,
                          "\\N{name}: Inox has no names of characters: write \\uXXXX");
    IX_TRY(ix_jb_bytes(b, "\\", 1, false, err));
    if ((unsigned char)c < 0x80)
        return ix_jb_bytes(b, &c, 1, false, err);
    /* jinja2 writes the character as an escape first, whose own backslash this one then escapes. */
    size_t n = ix_utf8_read(*s - 1, (size_t)(end - *s) + 1, &character);
    char text[16];
    int size = 0, digits = character < 0x100 ? 2 : character < 0x10000 ? 4 : 8;
    text[size++] = digits == 2 ? 'x' : digits == 4 ? 'u' : 'U';
    while (digits-- > 0)
        text[size++] = "0123456789abcdef"[character >> (4 * digits) & 15];
    *s += n - 1;
    return ix_jb_bytes(b, text, (size_t)size, false, err);
}

static inox_status read_string(ix_jparser *p, ix_jbuilder *b, const ix_jtoken *t, inox_error *err)
{
    const char *s = p->program->source + t->start + 1, *end = p->program->source + t->end - 1;

    while (s < end) {
        const char *escape = memchr(s, '\\', (size_t)(end - s));
        size_t plain = (size_t)((escape ? escape : end) - s);

        IX_TRY(ix_jb_bytes(b, s, plain, false, err));
        s += plain;
        if (!escape)
            break;
        s++;
        IX_TRY(read_escape(b, &s, end, (uint32_t)(s - 1 - p->program->source), err));
    }
    return INOX_OK;
}

/* Constants are shared by renderings, so nothing may be left to fill in. */
static void settle(ix_jvalue v)
{
    (void)ix_j_length(v.string);
    (void)ix_j_string_hash(v.string);
}

static inox_status parse_string(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    ix_jbuilder b = ix_jb(p->r);

    while (ix_jp_is(p, IX_JT_STRING)) {
        IX_TRY(read_string(p, &b, ix_jp_current(p), err));
        ix_jp_next(p);
    }
    IX_TRY(ix_jb_finish(&b, false, &n->value, err));
    settle(n->value);
    return INOX_OK;
}

static inox_status parse_number(ix_jparser *p, ix_jnode *n, inox_error *err)
{
    const ix_jtoken *t = ix_jp_current(p);
    const char *text = p->program->source + t->start;
    size_t size = t->end - t->start;
    bool ok = false;

    if (t->kind == IX_JT_FLOAT) {
        ok = ix_j_parse_float(text, size, &n->value.real);
        n->value.kind = IX_J_FLOAT;
    } else {
        inox_status status = ix_j_parse_int(p->r, text, size, 0, &n->value, &ok, err);

        if (status != INOX_OK)
            return ix_prefix(err, status, "a number of %zu digits", size);
    }
    ix_jp_next(p);
    return ok ? INOX_OK : ix_j_syntax(err, t->start, "'%.*s' is no number", (int)size, text);
}

static inox_status parse_word(ix_jparser *p, bool namespaces, ix_jnode *n, inox_error *err)
{
    const ix_jtoken *t = ix_jp_current(p);

    ix_jp_next(p);
    if (ix_jp_token_is_word(p, t, "true") || ix_jp_token_is_word(p, t, "True")) {
        n->value = ix_j_bool(true);
    } else if (ix_jp_token_is_word(p, t, "false") || ix_jp_token_is_word(p, t, "False")) {
        n->value = ix_j_bool(false);
    } else if (ix_jp_token_is_word(p, t, "none") || ix_jp_token_is_word(p, t, "None")) {
        n->value = ix_j_none();
    } else if (namespaces && ix_jp_is(p, IX_JT_DOT)) {
        uint32_t attribute;

        n->kind = IX_JN_NSREF;
        IX_TRY(ix_jp_name(p, t, &n->count, err));
        ix_jp_next(p);
        t = ix_jp_current(p);
        IX_TRY(ix_jp_expect(p, IX_JT_NAME, err));
        IX_TRY(ix_jp_name(p, t, &attribute, err));
        n->attribute_name = ix_j_of_string(p->program->names[attribute]);
    } else {
        n->kind = IX_JN_NAME;
        IX_TRY(ix_jp_name(p, t, &n->count, err));
    }
    return INOX_OK;
}

/* [a, b] and {a: b}: items up to the closing bracket. */
static inox_status parse_items(ix_jparser *p, ix_jnode *n, ix_jtoken_kind close, inox_error *err)
{
    ix_jnode **last = &n->a;

    ix_jp_next(p);
    while (!ix_jp_is(p, close)) {
        if (n->count > 0)
            IX_TRY(ix_jp_expect(p, IX_JT_COMMA, err));
        if (ix_jp_is(p, close))
            break;
        IX_TRY(ix_jp_expression(p, last, err));
        last = &(*last)->next;
        if (close == IX_JT_RBRACE) {
            IX_TRY(ix_jp_expect(p, IX_JT_COLON, err));
            IX_TRY(ix_jp_expression(p, last, err));
            last = &(*last)->next;
        }
        n->count++;
    }
    IX_TRY(ix_jp_expect(p, close, err));
    return ix_jp_height(p, n, err);
}

static inox_status parse_primary(ix_jparser *p, bool namespaces, ix_jnode **out, inox_error *err)
{
    const ix_jtoken *t = ix_jp_current(p);
    ix_jnode *n;

    if (t->kind == IX_JT_LPAREN) {
        ix_jp_next(p);
        IX_TRY(ix_jp_tuple(p, (ix_jtuple_rules){ .parentheses = true }, out, err));
        return ix_jp_expect(p, IX_JT_RPAREN, err);
    }
    IX_TRY(ix_jp_node(p, IX_JN_CONST, t->start, &n, err));
    n->height = 1;
    *out = n;
    switch (t->kind) {
    case IX_JT_NAME: return parse_word(p, namespaces, n, err);
    case IX_JT_STRING: return parse_string(p, n, err);
    case IX_JT_INTEGER:
    case IX_JT_FLOAT: return parse_number(p, n, err);
    case IX_JT_LBRACKET: n->kind = IX_JN_LIST; return parse_items(p, n, IX_JT_RBRACKET, err);
    case IX_JT_LBRACE: n->kind = IX_JN_DICT; return parse_items(p, n, IX_JT_RBRACE, err);
    default: return ix_jp_got(p, "unexpected '%.*s'", err);
    }
}

/* ---- calls, items, filters, tests ------------------------------------------------------------ */

static inox_status add_keyword(ix_jparser *p, ix_jarguments *call, uint32_t *capacity,
                               inox_error *err)
{
    const ix_jtoken *t = ix_jp_current(p);
    uint32_t number;

    IX_TRY(ix_jp_name(p, t, &number, err));
    ix_jstring *name = p->program->names[number];
    for (uint32_t i = 0; i < call->keyword_count; i++)
        if (call->keywords[i].name == name)
            return ix_fail_at(err, INOX_E_FORMAT, t->start,
                              "SyntaxError: keyword argument repeated: %.*s", (int)name->size,
                              name->data);
    if (call->keyword_count == *capacity) {
        struct ix_jkeyword_node *more;

        if (*capacity >= 256)
            return ix_fail_at(err, INOX_E_LIMIT, t->start, "more than %u keyword arguments",
                              *capacity);
        *capacity = *capacity == 0 ? 4 : *capacity * 2;
        IX_TRY(IX_JP_ALLOC(p, &more, *capacity, err));
        if (call->keyword_count > 0)
            memcpy(more, call->keywords, call->keyword_count * sizeof *more);
        call->keywords = more;
    }
    ix_jp_next(p);
    ix_jp_next(p);
    call->keywords[call->keyword_count].name = name;
    IX_TRY(ix_jp_expression(p, &call->keywords[call->keyword_count].value, err));
    call->keyword_count++;
    return INOX_OK;
}

static inox_status parse_arguments(ix_jparser *p, ix_jarguments *call, inox_error *err)
{
    uint32_t open = ix_jp_current(p)->start, capacity = 0;
    ix_jnode **last = &call->positional;
    bool comma = false;

    IX_TRY(ix_jp_expect(p, IX_JT_LPAREN, err));
    for (; !ix_jp_is(p, IX_JT_RPAREN); comma = true) {
        bool good = true;

        if (comma)
            IX_TRY(ix_jp_expect(p, IX_JT_COMMA, err));
        if (ix_jp_is(p, IX_JT_RPAREN))
            break;
        if (ix_jp_is(p, IX_JT_MUL)) {
            good = !call->rest && !call->rest_keywords;
            ix_jp_next(p);
            IX_TRY(ix_jp_expression(p, &call->rest, err));
        } else if (ix_jp_is(p, IX_JT_POW)) {
            good = !call->rest_keywords;
            ix_jp_next(p);
            IX_TRY(ix_jp_expression(p, &call->rest_keywords, err));
        } else if (ix_jp_is(p, IX_JT_NAME) && ix_jp_look(p)->kind == IX_JT_ASSIGN) {
            good = !call->rest_keywords;
            IX_TRY(add_keyword(p, call, &capacity, err));
        } else {
            good = !call->rest && !call->rest_keywords && call->keyword_count == 0;
            IX_TRY(ix_jp_expression(p, last, err));
            last = &(*last)->next;
            call->count++;
        }
        if (!good)
            return ix_j_syntax(err, open, "invalid syntax for function call expression");
    }
    return ix_jp_expect(p, IX_JT_RPAREN, err);
}

static inox_status parse_call(ix_jparser *p, ix_jnode *callee, ix_jnode **out, inox_error *err)
{
    ix_jnode *n;

    IX_TRY(ix_jp_node(p, IX_JN_CALL, ix_jp_current(p)->start, &n, err));
    IX_TRY(IX_JP_ALLOC(p, &n->call, 1, err));
    n->a = callee;
    IX_TRY(parse_arguments(p, n->call, err));
    *out = n;
    return ix_jp_height(p, n, err);
}

/* name.name of a filter or test, as one name. */
static inox_status parse_dotted(ix_jparser *p, const ix_jentry *table, ix_jarguments *call,
                                inox_error *err)
{
    const ix_jtoken *first = ix_jp_current(p);
    uint32_t number;

    IX_TRY(ix_jp_expect(p, IX_JT_NAME, err));
    IX_TRY(ix_jp_name(p, first, &number, err));
    call->name = p->program->names[number];
    while (ix_jp_is(p, IX_JT_DOT)) { /* no filter of the library has such a name */
        ix_jbuilder b = ix_jb(p->r);
        ix_jvalue joined;

        ix_jp_next(p);
        const ix_jtoken *t = ix_jp_current(p);
        IX_TRY(ix_jp_expect(p, IX_JT_NAME, err));
        IX_TRY(ix_jb_string(&b, call->name, err));
        IX_TRY(ix_jb_text(&b, ".", err));
        IX_TRY(ix_jb_bytes(&b, p->program->source + t->start, t->end - t->start, false, err));
        IX_TRY(ix_jb_finish(&b, false, &joined, err));
        settle(joined);
        call->name = joined.string;
    }
    call->entry = ix_j_find_entry(table, call->name->data, call->name->size);
    return INOX_OK;
}

/* Marks a call that the evaluator need not bind: see ix_jarguments. */
static void find_plain(ix_jarguments *call)
{
    uint32_t room = 0, count = call->count + 1;

    if (!call->entry || !call->entry->run || call->entry->excluded)
        return;
    while (room < IX_J_MAX_PARAMETERS && call->entry->parameters[room])
        room++;
    call->plain = call->keyword_count == 0 && !call->rest && !call->rest_keywords &&
                  count >= call->entry->required && count <= room;
}

inox_status ix_jp_filter(ix_jparser *p, ix_jnode *node, bool inline_start, ix_jnode **out,
                         inox_error *err)
{
    while (ix_jp_is(p, IX_JT_PIPE) || inline_start) {
        ix_jnode *n;

        if (!inline_start)
            ix_jp_next(p);
        inline_start = false;
        IX_TRY(ix_jp_node(p, IX_JN_FILTER, ix_jp_current(p)->start, &n, err));
        IX_TRY(IX_JP_ALLOC(p, &n->call, 1, err));
        n->a = node;
        IX_TRY(parse_dotted(p, ix_j_filters, n->call, err));
        if (ix_jp_is(p, IX_JT_LPAREN))
            IX_TRY(parse_arguments(p, n->call, err));
        find_plain(n->call);
        IX_TRY(ix_jp_height(p, n, err));
        node = n;
    }
    *out = node;
    return INOX_OK;
}

static inox_status parse_postfix(ix_jparser *p, ix_jnode **node, inox_error *err);

static bool begins_argument(const ix_jparser *p)
{
    switch (ix_jp_current(p)->kind) {
    case IX_JT_NAME:
        return !ix_jp_is_word(p, "else") && !ix_jp_is_word(p, "or") && !ix_jp_is_word(p, "and");
    case IX_JT_STRING:
    case IX_JT_INTEGER:
    case IX_JT_FLOAT:
    case IX_JT_LBRACKET:
    case IX_JT_LBRACE: return true;
    default: return false;
    }
}

static inox_status parse_test(ix_jparser *p, ix_jnode *node, ix_jnode **out, inox_error *err)
{
    uint32_t at = ix_jp_current(p)->start;
    ix_jnode *n;

    ix_jp_next(p);
    bool negated = ix_jp_skip_word(p, "not");
    IX_TRY(ix_jp_node(p, IX_JN_TEST, at, &n, err));
    IX_TRY(IX_JP_ALLOC(p, &n->call, 1, err));
    n->a = node;
    IX_TRY(parse_dotted(p, ix_j_tests, n->call, err));
    if (ix_jp_is(p, IX_JT_LPAREN)) {
        IX_TRY(parse_arguments(p, n->call, err));
    } else if (begins_argument(p)) {
        if (ix_jp_is_word(p, "is"))
            return ix_j_syntax(err, ix_jp_current(p)->start,
                               "You cannot chain multiple tests with is");
        IX_TRY(parse_primary(p, false, &n->call->positional, err));
        IX_TRY(parse_postfix(p, &n->call->positional, err));
        n->call->count = 1;
    }
    find_plain(n->call);
    *out = n;
    IX_TRY(ix_jp_height(p, n, err));
    return negated ? make(p, IX_JN_NOT, at, n, NULL, out, err) : INOX_OK;
}

/* What is known of an attribute, or of an item whose key is a constant. */
static inox_status name_attribute(ix_jparser *p, ix_jnode *n, ix_jstring *name, inox_error *err)
{
    ix_jattribute *a;

    IX_TRY(IX_JP_ALLOC(p, &a, 1, err));
    a->name = name;
    a->of_dict = ix_j_find_entry(ix_j_dict_methods, name->data, name->size);
    a->of_string = ix_j_find_entry(ix_j_string_methods, name->data, name->size);
    a->plain = !a->of_dict && name->size > 0 && name->data[0] != '_';
    n->attribute = a;
    if (!a->plain && n->kind != IX_JN_GETITEM)
        return INOX_OK;
    n->where = IX_JW_FIELD;
    n->count = p->program->field_count++;
    return INOX_OK;
}

/* a[b], a[b:c:d], a[b, c]. */
static inox_status parse_item(ix_jparser *p, ix_jnode *object, ix_jnode **out, inox_error *err)
{
    uint32_t at = ix_jp_current(p)->start;
    ix_jnode *parts[3] = { NULL, NULL, NULL }, *n;
    int colons = 0;

    ix_jp_next(p);
    if (ix_jp_is(p, IX_JT_RBRACKET)) /* a[] is a[()] */
        IX_TRY(make(p, IX_JN_TUPLE, at, NULL, NULL, &parts[0], err));
    else if (!ix_jp_is(p, IX_JT_COLON))
        IX_TRY(ix_jp_expression(p, &parts[0], err));
    if (ix_jp_is(p, IX_JT_COMMA)) {
        ix_jnode **last = &parts[0]->next;
        uint32_t count = 1;

        while (!ix_jp_is(p, IX_JT_RBRACKET)) {
            IX_TRY(ix_jp_expect(p, IX_JT_COMMA, err));
            IX_TRY(ix_jp_expression(p, last, err));
            last = &(*last)->next;
            count++;
        }
        IX_TRY(make(p, IX_JN_TUPLE, at, parts[0], NULL, &n, err));
        n->count = count;
        parts[0] = n;
    }
    while (colons < 2 && ix_jp_skip(p, IX_JT_COLON)) {
        colons++;
        if (!ix_jp_is(p, IX_JT_COLON) && !ix_jp_is(p, IX_JT_RBRACKET))
            IX_TRY(ix_jp_expression(p, &parts[colons], err));
    }
    IX_TRY(ix_jp_expect(p, IX_JT_RBRACKET, err));
    IX_TRY(ix_jp_node(p, colons ? IX_JN_GETSLICE : IX_JN_GETITEM, at, &n, err));
    n->a = object;
    n->b = parts[0];
    n->c = parts[1];
    n->d = parts[2];
    *out = n;
    if (!colons && n->b->kind == IX_JN_CONST && n->b->value.kind == IX_J_STRING)
        IX_TRY(name_attribute(p, n, n->b->value.string, err));
    return ix_jp_height(p, n, err);
}

static inox_status parse_attribute(ix_jparser *p, ix_jnode *object, ix_jnode **out, inox_error *err)
{
    uint32_t at = ix_jp_current(p)->start, number;
    ix_jnode *n;

    ix_jp_next(p);
    const ix_jtoken *t = ix_jp_current(p);
    if (t->kind == IX_JT_INTEGER) {
        IX_TRY(ix_jp_node(p, IX_JN_CONST, t->start, &n, err));
        n->height = 1;
        IX_TRY(parse_number(p, n, err));
        return make(p, IX_JN_GETITEM, at, object, n, out, err);
    }
    if (t->kind != IX_JT_NAME)
        return ix_j_syntax(err, t->start, "expected name or number");
    ix_jp_next(p);
    IX_TRY(make(p, IX_JN_GETATTR, at, object, NULL, &n, err));
    IX_TRY(ix_jp_name(p, t, &number, err));
    *out = n;
    return name_attribute(p, n, p->program->names[number], err);
}

static inox_status parse_postfix(ix_jparser *p, ix_jnode **node, inox_error *err)
{
    for (;;) {
        switch (ix_jp_current(p)->kind) {
        case IX_JT_DOT: IX_TRY(parse_attribute(p, *node, node, err)); break;
        case IX_JT_LBRACKET: IX_TRY(parse_item(p, *node, node, err)); break;
        case IX_JT_LPAREN: IX_TRY(parse_call(p, *node, node, err)); break;
        default: return INOX_OK;
        }
    }
}

static inox_status parse_filters_and_tests(ix_jparser *p, ix_jnode **node, inox_error *err)
{
    for (;;) {
        if (ix_jp_is(p, IX_JT_PIPE))
            IX_TRY(ix_jp_filter(p, *node, false, node, err));
        else if (ix_jp_is_word(p, "is"))
            IX_TRY(parse_test(p, *node, node, err));
        else if (ix_jp_is(p, IX_JT_LPAREN))
            IX_TRY(parse_call(p, *node, node, err));
        else
            return INOX_OK;
    }
}

/* ---- operators ------------------------------------------------------------------------------- */

static inox_status parse_sign(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    const ix_jtoken *t = ix_jp_current(p);

    if (t->kind != IX_JT_SUB && t->kind != IX_JT_ADD)
        return parse_primary(p, false, out, err);
    ix_jp_next(p);
    IX_TRY(ix_jp_enter(p, err));
    IX_TRY(parse_unary(p, false, out, err));
    p->depth--;
    return make(p, t->kind == IX_JT_SUB ? IX_JN_NEG : IX_JN_POS, t->start, *out, NULL, out, err);
}

static inox_status parse_unary(ix_jparser *p, bool with_filter, ix_jnode **out, inox_error *err)
{
    IX_TRY(parse_sign(p, out, err));
    IX_TRY(parse_postfix(p, out, err));
    return with_filter ? parse_filters_and_tests(p, out, err) : INOX_OK;
}

/* left op right op right ...: binary operators of one level, or false where t is none of it. */
static bool binary_op(ix_jtoken_kind t, int level, ix_jop *op)
{
    switch (t) {
    case IX_JT_POW: *op = IX_J_POW; return level == 0;
    case IX_JT_MUL: *op = IX_J_MUL; return level == 1;
    case IX_JT_DIV: *op = IX_J_DIV; return level == 1;
    case IX_JT_FLOORDIV: *op = IX_J_FLOORDIV; return level == 1;
    case IX_JT_MOD: *op = IX_J_MOD; return level == 1;
    case IX_JT_ADD: *op = IX_J_ADD; return level == 2;
    case IX_JT_SUB: *op = IX_J_SUB; return level == 2;
    default: return false;
    }
}

static inox_status parse_concat(ix_jparser *p, ix_jnode **out, inox_error *err);

static inox_status parse_operand(ix_jparser *p, int level, ix_jnode **out, inox_error *err);

static inox_status parse_binary(ix_jparser *p, int level, ix_jnode **out, inox_error *err)
{
    ix_jnode *right;
    ix_jop op;

    IX_TRY(parse_operand(p, level, out, err));
    while (binary_op(ix_jp_current(p)->kind, level, &op)) {
        uint32_t at = ix_jp_current(p)->start;

        ix_jp_next(p);
        IX_TRY(parse_operand(p, level, &right, err));
        ix_jnode *left = *out;
        IX_TRY(make(p, IX_JN_BINARY, at, left, right, out, err));
        (*out)->op = (uint8_t)op;
        (*out)->sum.first = *out;
        if (op == IX_J_ADD && left->kind == IX_JN_BINARY && left->op == IX_J_ADD) {
            (*out)->sum.first = left->sum.first;
            left->sum.outer = *out;
        }
    }
    return INOX_OK;
}

static inox_status parse_operand(ix_jparser *p, int level, ix_jnode **out, inox_error *err)
{
    if (level == 0)
        return parse_unary(p, true, out, err);
    return level == 1 ? parse_binary(p, 0, out, err) : parse_concat(p, out, err);
}

static inox_status parse_concat(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    ix_jnode *first, **last, *n;
    uint32_t count = 1, at = ix_jp_current(p)->start;

    IX_TRY(parse_binary(p, 1, &first, err));
    for (last = &first->next; ix_jp_skip(p, IX_JT_TILDE); count++) {
        IX_TRY(parse_binary(p, 1, last, err));
        last = &(*last)->next;
    }
    *out = first;
    if (count == 1)
        return INOX_OK;
    IX_TRY(make(p, IX_JN_CONCAT, at, first, NULL, &n, err));
    n->count = count;
    n->escape = (uint8_t)p->escape;
    *out = n;
    return INOX_OK;
}

static bool comparison(ix_jparser *p, ix_jcomparison *op)
{
    switch (ix_jp_current(p)->kind) {
    case IX_JT_EQ: *op = IX_JC_EQ; break;
    case IX_JT_NE: *op = IX_JC_NE; break;
    case IX_JT_LT: *op = IX_JC_LT; break;
    case IX_JT_LTEQ: *op = IX_JC_LE; break;
    case IX_JT_GT: *op = IX_JC_GT; break;
    case IX_JT_GTEQ: *op = IX_JC_GE; break;
    case IX_JT_NAME:
        if (ix_jp_is_word(p, "in")) {
            *op = IX_JC_IN;
            break;
        }
        if (!ix_jp_is_word(p, "not") || !ix_jp_token_is_word(p, ix_jp_look(p), "in"))
            return false;
        *op = IX_JC_NOT_IN;
        ix_jp_next(p);
        break;
    default: return false;
    }
    ix_jp_next(p);
    return true;
}

static inox_status parse_compare(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    ix_jnode *first, *operands = NULL, **last = &operands, *operand;
    uint32_t at = ix_jp_current(p)->start;
    ix_jcomparison op;

    IX_TRY(parse_binary(p, 2, &first, err));
    for (; comparison(p, &op); last = &(*last)->next) {
        IX_TRY(parse_binary(p, 2, &operand, err));
        IX_TRY(make(p, IX_JN_OPERAND, operand->at, operand, NULL, last, err));
        (*last)->op = (uint8_t)op;
    }
    *out = first;
    if (!operands)
        return INOX_OK;
    IX_TRY(make(p, IX_JN_COMPARE, at, first, operands, out, err));
    (*out)->op = operands->next ? IX_JC_SEVERAL : operands->op;
    return INOX_OK;
}

static inox_status parse_not(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    uint32_t at = ix_jp_current(p)->start;
    unsigned count = 0;

    while (ix_jp_skip_word(p, "not")) {
        IX_TRY(ix_jp_enter(p, err));
        count++;
    }
    p->depth -= count;
    IX_TRY(parse_compare(p, out, err));
    while (count-- > 0)
        IX_TRY(make(p, IX_JN_NOT, at, *out, NULL, out, err));
    return INOX_OK;
}

static inox_status parse_and(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    ix_jnode *right;

    IX_TRY(parse_not(p, out, err));
    for (uint32_t at = ix_jp_current(p)->start; ix_jp_skip_word(p, "and");
         at = ix_jp_current(p)->start) {
        IX_TRY(parse_not(p, &right, err));
        IX_TRY(make(p, IX_JN_AND, at, *out, right, out, err));
    }
    return INOX_OK;
}

static inox_status parse_or(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    ix_jnode *right;

    IX_TRY(parse_and(p, out, err));
    for (uint32_t at = ix_jp_current(p)->start; ix_jp_skip_word(p, "or");
         at = ix_jp_current(p)->start) {
        IX_TRY(parse_and(p, &right, err));
        IX_TRY(make(p, IX_JN_OR, at, *out, right, out, err));
    }
    return INOX_OK;
}

static inox_status parse_condition(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    ix_jnode *n, *test;

    IX_TRY(parse_or(p, out, err));
    for (uint32_t at = ix_jp_current(p)->start; ix_jp_skip_word(p, "if");
         at = ix_jp_current(p)->start) {
        IX_TRY(parse_or(p, &test, err));
        IX_TRY(ix_jp_node(p, IX_JN_COND, at, &n, err));
        n->a = test;
        n->b = *out;
        if (ix_jp_skip_word(p, "else")) {
            IX_TRY(ix_jp_enter(p, err));
            IX_TRY(parse_condition(p, &n->c, err));
            p->depth--;
        }
        IX_TRY(ix_jp_height(p, n, err));
        *out = n;
    }
    return INOX_OK;
}

inox_status ix_jp_expression(ix_jparser *p, ix_jnode **out, inox_error *err)
{
    IX_TRY(ix_jp_enter(p, err));
    IX_TRY(parse_condition(p, out, err));
    p->depth--;
    return INOX_OK;
}

/* ---- tuples, targets ------------------------------------------------------------------------- */

static bool ends_tuple(const ix_jparser *p)
{
    return ix_jp_is(p, IX_JT_VARIABLE_END) || ix_jp_is(p, IX_JT_BLOCK_END) ||
           ix_jp_is(p, IX_JT_RPAREN);
}

static inox_status parse_member(ix_jparser *p, const ix_jtuple_rules *rules, ix_jnode **out,
                                inox_error *err)
{
    if (rules->simplified)
        return parse_primary(p, rules->namespaces, out, err);
    return rules->no_condition ? parse_or(p, out, err) : parse_condition(p, out, err);
}

inox_status ix_jp_tuple(ix_jparser *p, ix_jtuple_rules rules, ix_jnode **out, inox_error *err)
{
    uint32_t at = ix_jp_current(p)->start, count = 0;
    ix_jnode *first = NULL, **last = &first, *n;
    bool is_tuple = false;

    IX_TRY(ix_jp_enter(p, err));
    for (;;) {
        if (count > 0)
            IX_TRY(ix_jp_expect(p, IX_JT_COMMA, err));
        if (ends_tuple(p))
            break;
        IX_TRY(parse_member(p, &rules, last, err));
        last = &(*last)->next;
        count++;
        if (!ix_jp_is(p, IX_JT_COMMA))
            break;
        is_tuple = true;
    }
    p->depth--;
    if (!is_tuple && first) {
        *out = first;
        return INOX_OK;
    }
    if (!is_tuple && !rules.parentheses)
        return ix_jp_got(p, "Expected an expression, got '%.*s'", err);
    IX_TRY(make(p, IX_JN_TUPLE, at, first, NULL, &n, err));
    n->count = count;
    *out = n;
    return INOX_OK;
}

static inox_status check_target(const ix_jnode *n, inox_error *err)
{
    if (n->kind == IX_JN_TUPLE) {
        for (const ix_jnode *item = n->a; item; item = item->next)
            IX_TRY(check_target(item, err));
        return INOX_OK;
    }
    if (n->kind != IX_JN_NAME && n->kind != IX_JN_NSREF)
        return ix_j_syntax(err, n->at, "can't assign to '%s'",
                           n->kind == IX_JN_CONST  ? "const"
                           : n->kind == IX_JN_LIST ? "list"
                           : n->kind == IX_JN_DICT ? "dict"
                                                   : "expression");
    return INOX_OK;
}

inox_status ix_jp_target(ix_jparser *p, ix_jtuple_rules rules, ix_jnode **out, inox_error *err)
{
    rules.simplified = true;
    IX_TRY(ix_jp_tuple(p, rules, out, err));
    return check_target(*out, err);
}
