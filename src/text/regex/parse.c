/* Expressions to trees: groups, choices, quantifiers, assertions.  See parse.h.
 *
 *     choice     = sequence ("|" sequence)*
 *     sequence   = (atom quantifier*)*
 *     atom       = character | "." | class | escape | assertion | group
 */
#include "text/regex/parse.h"

#include "base/limits.h"
#include "text/unicode.h"

#include <stdio.h>
#include <string.h>

static inox_status parse_choice(ix_regex_parser *p, ix_node **out) IX_MUST_USE;

/* ---- helpers ------------------------------------------------------------------------------- */

inox_status ix_regex_fail(ix_regex_parser *p, inox_status status, size_t at, const char *format,
                          ...)
{
    char message[160];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return ix_fail_at(p->err, status, at, "regular expression, byte %zu: %s", at, message);
}

inox_status ix_regex_enter(ix_regex_parser *p)
{
    if (++p->depth > IX_MAX_REGEX_DEPTH)
        return ix_regex_fail(p, INOX_E_LIMIT, p->at, "groups are nested deeper than %d",
                             IX_MAX_REGEX_DEPTH);
    return INOX_OK;
}

inox_status ix_regex_node(ix_regex_parser *p, ix_node_kind kind, size_t at, ix_node **out)
{
    IX_TRY(IX_ARENA(p->arena, out, 1, p->err));
    (*out)->kind = kind;
    (*out)->at = (uint32_t)at;
    return INOX_OK;
}

inox_status ix_regex_read(ix_regex_parser *p, uint32_t *c)
{
    p->at += ix_utf8_read(p->data + p->at, p->size - p->at, c);
    if (*c == IX_BAD_CHARACTER)
        return ix_regex_fail(p, INOX_E_FORMAT, p->at - 1, "this is not UTF-8");
    return INOX_OK;
}

static inox_status set_node(ix_regex_parser *p, size_t at, const ix_char_set *set, ix_node **out)
{
    IX_TRY(ix_regex_node(p, IX_NODE_SET, at, out));
    (*out)->set = *set;
    return INOX_OK;
}

static inox_status char_node(ix_regex_parser *p, size_t at, uint32_t c, ix_node **out)
{
    IX_TRY(ix_regex_node(p, IX_NODE_CHAR, at, out));
    (*out)->c = c;
    (*out)->fold = (p->flags & IX_REGEX_FOLD) != 0;
    (*out)->letter = (*out)->fold && p->syntax == IX_REGEX_ONIGURUMA;
    return INOX_OK;
}

static inox_status assertion(ix_regex_parser *p, size_t at, ix_assertion what, ix_node **out)
{
    IX_TRY(ix_regex_node(p, IX_NODE_ASSERT, at, out));
    (*out)->assertion = what;
    if (what >= IX_AT_WORD)
        return ix_regex_perl_set(p, 'W', &(*out)->set);
    return INOX_OK;
}

/* Rust's \b{start}, \b{end}, \b{start-half}, \b{end-half}, or \b alone; p->at is behind the b. */
static inox_status word_edge(ix_regex_parser *p, size_t at, ix_node **out)
{
    static const struct {
        const char *name;
        ix_assertion what;
    } edges[] = { { "{start}", IX_AT_WORD_START },
                  { "{end}", IX_AT_WORD_END },
                  { "{start-half}", IX_AT_NOT_BEHIND_WORD },
                  { "{end-half}", IX_AT_NOT_BEFORE_WORD } };
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        if (ix_regex_peek(p, edges[i].name)) {
            p->at += strlen(edges[i].name);
            return assertion(p, at, edges[i].what, out);
        }
    }
    char next = p->size - p->at > 1 && p->data[p->at] == '{' ? p->data[p->at + 1] : 0;
    if (next >= 'a' && next <= 'z')
        return ix_regex_fail(p, INOX_E_FORMAT, p->at, "no edge of words is called so");
    return assertion(p, at, IX_AT_WORD, out);
}

/* Any character, or any but a line feed. */
static inox_status any_node(ix_regex_parser *p, size_t at, bool all, ix_node **out)
{
    ix_char_set set = { 0 };
    if (!all)
        IX_TRY(ix_set_add(p->arena, &set, '\n', '\n', p->err));
    IX_TRY(ix_set_negate(p->arena, &set, p->err));
    return set_node(p, at, &set, out);
}

/* Comments, and in extended expressions white space.  An escape hides a ) in Rust's comments. */
static inox_status skip_ignored(ix_regex_parser *p)
{
    for (;;) {
        size_t at = p->at;
        if (ix_regex_peek(p, "(?#")) {
            while (!ix_regex_ended(p) && p->data[p->at] != ')')
                p->at += p->data[p->at] == '\\' ? 2 : 1;
            if (ix_regex_ended(p))
                return ix_regex_fail(p, INOX_E_FORMAT, at, "the comment has no )");
            p->at++;
            continue;
        }
        if (!(p->flags & IX_REGEX_SPACED) || ix_regex_ended(p))
            return INOX_OK;
        if (p->data[p->at] == '#') {
            while (!ix_regex_ended(p) && p->data[p->at] != '\n')
                p->at++;
            continue;
        }
        char c = p->data[p->at];
        bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!space && !(c == '\f' && p->syntax == IX_REGEX_ONIGURUMA))
            return INOX_OK;
        p->at++;
    }
}

/* ---- groups -------------------------------------------------------------------------------- */

static inox_status close_group(ix_regex_parser *p, size_t start)
{
    if (!ix_regex_take(p, ')'))
        return ix_regex_fail(p, INOX_E_FORMAT, start, "the group has no )");
    return INOX_OK;
}

/* What is inside the group that began at `start`, and its end. */
static inox_status group_body(ix_regex_parser *p, size_t start, ix_node **out)
{
    unsigned flags = p->flags;
    IX_TRY(parse_choice(p, out));
    if (p->syntax == IX_REGEX_ONIGURUMA) /* fancy-regex lets them leave the group */
        p->flags = flags;
    return close_group(p, start);
}

static inox_status set_flag(ix_regex_parser *p, char c, bool off)
{
    static const struct flag {
        char name[2]; /* by syntax; 0: not there */
        unsigned flag;
    } flags[] = {
        { "ii", IX_REGEX_FOLD },        { "ms", IX_REGEX_DOT_ALL },
        { { 0, 'm' }, IX_REGEX_LINES }, { "xx", IX_REGEX_SPACED },
        { { 0, 'U' }, IX_REGEX_SWAP },  { { 0, 'u' }, 0 },
        { "W", IX_REGEX_ASCII_WORD },   { "D", IX_REGEX_ASCII_DIGIT },
        { "S", IX_REGEX_ASCII_SPACE },  { "P", IX_REGEX_ASCII_POSIX },
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (flags[i].name[p->syntax] != c)
            continue;
        if (c == 'u' && off)
            break;
        p->flags = off ? p->flags & ~flags[i].flag : p->flags | flags[i].flag;
        return INOX_OK;
    }
    return ix_regex_fail(p, INOX_E_UNSUPPORTED, p->at - 1, "this flag of a group is not known");
}

/* (?flags) and (?flags:...); p->at is behind the "(?".  Where flags stand alone, they hold up to
 * the end of the group; in Oniguruma all of that is one group, with its own choice. */
static inox_status flag_group(ix_regex_parser *p, size_t start, ix_node **out)
{
    unsigned before = p->flags;
    bool off = false;
    while (!ix_regex_ended(p) && p->data[p->at] != ')' && p->data[p->at] != ':') {
        char c = p->data[p->at++];
        if (c == '-')
            off = true;
        else if (c == 0)
            return ix_regex_fail(p, INOX_E_FORMAT, p->at - 1, "a flag cannot be a NUL");
        else
            IX_TRY(set_flag(p, c, off));
    }
    if (ix_regex_take(p, ':')) {
        IX_TRY(parse_choice(p, out));
        p->flags = before;
        return close_group(p, start);
    }
    IX_TRY(close_group(p, start));
    if (p->syntax == IX_REGEX_RUST)
        return ix_regex_node(p, IX_NODE_EMPTY, start, out);
    IX_TRY(parse_choice(p, out));
    p->flags = before;
    return INOX_OK;
}

/* <name> or 'name' of a group. */
static inox_status group_name(ix_regex_parser *p, size_t start, char close)
{
    size_t at = p->at;
    while (!ix_regex_ended(p) && p->data[p->at] != close && p->data[p->at] != ')')
        p->at++;
    if (p->at == at || !ix_regex_take(p, close))
        return ix_regex_fail(p, INOX_E_FORMAT, start, "the name of the group is missing");
    return INOX_OK;
}

static inox_status wrapped(ix_regex_parser *p, size_t start, ix_node_kind kind, bool behind,
                           bool negative, ix_node **out)
{
    IX_TRY(ix_regex_node(p, kind, start, out));
    (*out)->behind = behind;
    (*out)->negative = negative;
    return group_body(p, start, &(*out)->first);
}

static inox_status parse_group(ix_regex_parser *p, size_t start, ix_node **out)
{
    static const struct look {
        const char *text;
        ix_node_kind kind;
        bool behind, negative;
    } looks[] = {
        { "?=", IX_NODE_LOOK, false, false },   { "?!", IX_NODE_LOOK, false, true },
        { "?<=", IX_NODE_LOOK, true, false },   { "?<!", IX_NODE_LOOK, true, true },
        { "?>", IX_NODE_ATOMIC, false, false },
    };
    static const struct other {
        const char *text, *what;
    } others[] = {
        { "?(", "conditions" },       { "?~", "absent groups" }, { "?{", "callouts" },
        { "?P=", "back references" }, { "*", "control verbs" },  { "?P>", "calls of groups" },
    };
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        if (ix_regex_peek(p, looks[i].text)) {
            p->at += strlen(looks[i].text);
            return wrapped(p, start, looks[i].kind, looks[i].behind, looks[i].negative, out);
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (ix_regex_peek(p, others[i].text))
            return ix_regex_fail(p, INOX_E_UNSUPPORTED, start, "%s are not supported",
                                 others[i].what);
    if (ix_regex_peek(p, "?<") || ix_regex_peek(p, "?'")) {
        char close = p->data[p->at + 1] == '<' ? '>' : '\'';
        p->at += 2;
        IX_TRY(group_name(p, start, close));
    } else if (p->syntax == IX_REGEX_RUST && ix_regex_peek(p, "?P<")) {
        p->at += 3;
        IX_TRY(group_name(p, start, '>'));
    } else if (ix_regex_take(p, '?')) {
        return flag_group(p, start, out);
    }
    return group_body(p, start, out);
}

/* ---- atoms --------------------------------------------------------------------------------- */

/* \R: a carriage return with its line feed, never apart, or any other end of a line. */
static inox_status any_line_end(ix_regex_parser *p, size_t at, ix_node **out)
{
    static const uint32_t ends[][2] = { { '\n', '\r' }, { 0x85, 0x85 }, { 0x2028, 0x2029 } };
    ix_char_set set = { 0 };
    ix_node *choice, *pair;
    for (size_t i = 0; i < 3; i++)
        IX_TRY(ix_set_add(p->arena, &set, ends[i][0], ends[i][1], p->err));
    IX_TRY(ix_regex_node(p, IX_NODE_ATOMIC, at, out));
    IX_TRY(ix_regex_node(p, IX_NODE_CHOICE, at, &choice));
    IX_TRY(ix_regex_node(p, IX_NODE_SEQUENCE, at, &pair));
    (*out)->first = choice;
    choice->first = pair;
    IX_TRY(char_node(p, at, '\r', &pair->first));
    IX_TRY(char_node(p, at, '\n', &pair->first->next));
    return set_node(p, at, &set, &pair->next);
}

/* Rust's \Z: only line feeds follow. */
static inox_status only_feeds_follow(ix_regex_parser *p, size_t at, ix_node **out)
{
    ix_node *sequence, *repeat;
    IX_TRY(ix_regex_node(p, IX_NODE_LOOK, at, out));
    IX_TRY(ix_regex_node(p, IX_NODE_SEQUENCE, at, &sequence));
    IX_TRY(ix_regex_node(p, IX_NODE_REPEAT, at, &repeat));
    (*out)->first = sequence;
    sequence->first = repeat;
    repeat->max = IX_MANY;
    IX_TRY(char_node(p, at, '\n', &repeat->first));
    return assertion(p, at, IX_AT_END, &repeat->next);
}

/* An escape; p->at is behind the backslash. */
static inox_status parse_escape(ix_regex_parser *p, size_t at, ix_node **out)
{
    bool rust = p->syntax == IX_REGEX_RUST, is_set;
    ix_char_set set;
    uint32_t c;
    if (ix_regex_ended(p))
        return ix_regex_fail(p, INOX_E_FORMAT, at, "the expression ends in a backslash");
    switch (p->data[p->at++]) {
    case 'A': return assertion(p, at, IX_AT_START, out);
    case 'z': return assertion(p, at, IX_AT_END, out);
    case 'Z': return rust ? only_feeds_follow(p, at, out) : assertion(p, at, IX_AT_FINAL_END, out);
    case 'G': return assertion(p, at, IX_AT_SEARCH, out);
    case 'b':
        if (!rust)
            return assertion(p, at, IX_AT_WORD, out);
        return word_edge(p, at, out);
    case 'B': return assertion(p, at, IX_AT_NO_WORD, out);
    case 'R': return any_line_end(p, at, out);
    case 'N': return any_node(p, at, false, out);
    case 'O': return any_node(p, at, true, out);
    case 'k': return ix_regex_fail(p, INOX_E_UNSUPPORTED, at, "back references are not supported");
    case 'g': return ix_regex_fail(p, INOX_E_UNSUPPORTED, at, "calls of groups are not supported");
    case 'K': return ix_regex_fail(p, INOX_E_UNSUPPORTED, at, "\\K is not supported");
    case 'X':
    case 'y':
    case 'Y':
        if (!rust)
            return ix_regex_fail(p, INOX_E_UNSUPPORTED, at, "text segments are not supported");
        break;
    case '<':
        if (rust)
            return assertion(p, at, IX_AT_WORD_START, out);
        break;
    case '>':
        if (rust)
            return assertion(p, at, IX_AT_WORD_END, out);
        break;
    default: break;
    }
    p->at = at + 1;
    IX_TRY(ix_regex_escape(p, &is_set, &set, &c));
    if (!is_set)
        return char_node(p, at, c, out);
    return set_node(p, at, &set, out);
}

static inox_status parse_class(ix_regex_parser *p, size_t at, ix_node **out)
{
    ix_char_set set;
    bool negated = ix_regex_peek(p, "^");
    IX_TRY(ix_regex_class(p, &set));
    IX_TRY(set_node(p, at, &set, out));
    (*out)->expands = !negated && (p->flags & IX_REGEX_FOLD) && p->syntax == IX_REGEX_ONIGURUMA;
    return INOX_OK;
}

static inox_status parse_atom(ix_regex_parser *p, ix_node **out)
{
    bool rust = p->syntax == IX_REGEX_RUST, lines = (p->flags & IX_REGEX_LINES) != 0;
    size_t at = p->at;
    uint32_t c;
    IX_TRY(ix_regex_read(p, &c));
    switch (c) {
    case '.': return any_node(p, at, (p->flags & IX_REGEX_DOT_ALL) != 0, out);
    case '^':
        return assertion(p, at,
                         !rust   ? IX_AT_LINE_BEGUN
                         : lines ? IX_AT_LINE_START
                                 : IX_AT_START,
                         out);
    case '$': return assertion(p, at, !rust || lines ? IX_AT_LINE_END : IX_AT_END, out);
    case '\\': return parse_escape(p, at, out);
    case '[': return parse_class(p, at, out);
    case '(':
        IX_TRY(ix_regex_enter(p));
        IX_TRY(parse_group(p, at, out));
        p->depth--;
        return INOX_OK;
    case '*':
    case '+':
    case '?': return ix_regex_fail(p, INOX_E_FORMAT, at, "there is nothing to repeat");
    default: return char_node(p, at, c, out);
    }
}

/* ---- quantifiers --------------------------------------------------------------------------- */

typedef struct quantifier {
    uint32_t min, max;
    bool exact;      /* {n} */
    bool braces;     /* {...} */
    bool possessive; /* Oniguruma's {n,m} with n > m */
} quantifier;

static bool read_count(ix_regex_parser *p, uint32_t *count)
{
    size_t at = p->at;
    *count = 0;
    while (!ix_regex_ended(p) && p->data[p->at] >= '0' && p->data[p->at] <= '9') {
        if (*count < IX_MANY / 20)
            *count = *count * 10 + (uint32_t)(p->data[p->at] - '0');
        p->at++;
    }
    return p->at > at;
}

/* {n}, {n,}, {n,m}, {,m} at p->at; false, and nothing is read, for anything else: then the brace
 * is a character. */
static bool read_interval(ix_regex_parser *p, quantifier *q)
{
    size_t at = p->at++;
    bool low = read_count(p, &q->min), high = true;
    q->max = q->min;
    q->exact = !ix_regex_take(p, ',');
    if (!q->exact && !read_count(p, &q->max)) {
        q->max = IX_MANY;
        high = false;
    }
    q->braces = true;
    /* {,} is Rust's star. */
    bool enough = low || (!q->exact && (high || p->syntax == IX_REGEX_RUST));
    if (enough && ix_regex_take(p, '}'))
        return true;
    p->at = at;
    return false;
}

/* A quantifier at p->at, if there is one. */
static inox_status read_quantifier(ix_regex_parser *p, quantifier *q, bool *found)
{
    size_t at = p->at;
    *q = (quantifier){ .max = IX_MANY };
    *found = true;
    if (ix_regex_take(p, '*'))
        return INOX_OK;
    if (ix_regex_take(p, '+')) {
        q->min = 1;
        return INOX_OK;
    }
    if (ix_regex_take(p, '?')) {
        q->max = 1;
        return INOX_OK;
    }
    *found = ix_regex_peek(p, "{") && read_interval(p, q);
    if (!*found)
        return INOX_OK;
    if (q->min > q->max) {
        if (p->syntax == IX_REGEX_RUST)
            return ix_regex_fail(p, INOX_E_FORMAT, at, "the bounds are upside down");
        uint32_t swap = q->min;
        q->min = q->max;
        q->max = swap;
        q->possessive = true;
    }
    if (q->min > IX_MAX_REGEX_REPEAT || (q->max != IX_MANY && q->max > IX_MAX_REGEX_REPEAT))
        return ix_regex_fail(p, INOX_E_LIMIT, at, "more than %d repetitions are asked for",
                             IX_MAX_REGEX_REPEAT);
    return INOX_OK;
}

/* Quantifiers behind *node. */
static inox_status quantify(ix_regex_parser *p, ix_node **node)
{
    bool rust = p->syntax == IX_REGEX_RUST;
    for (int count = 0;; count++) {
        quantifier q;
        bool found;
        ix_node *repeat, *atomic;
        IX_TRY(skip_ignored(p));
        size_t at = p->at;
        IX_TRY(read_quantifier(p, &q, &found));
        bool empty = (*node)->kind == IX_NODE_ASSERT || (*node)->kind == IX_NODE_LOOK;
        if (found && !rust && empty)
            return ix_regex_fail(p, INOX_E_FORMAT, at, "what is repeated never takes a character");
        if (!found || (rust && count > 0)) {
            p->at = at;
            return INOX_OK;
        }
        if (count == IX_MAX_REGEX_QUANTIFIERS)
            return ix_regex_fail(p, INOX_E_LIMIT, at, "more than %d quantifiers in a row",
                                 IX_MAX_REGEX_QUANTIFIERS);
        IX_TRY(ix_regex_node(p, IX_NODE_REPEAT, at, &repeat));
        repeat->min = q.min;
        repeat->max = q.max;
        repeat->first = *node;
        *node = repeat;
        /* In Oniguruma {n}? is ({n})?, and braces with + are two quantifiers. */
        if ((rust || !(q.braces && (q.exact || q.possessive))) && ix_regex_take(p, '?'))
            repeat->lazy = true;
        else if ((rust || !q.braces) && ix_regex_take(p, '+'))
            q.possessive = true;
        if (rust && (p->flags & IX_REGEX_SWAP))
            repeat->lazy = !repeat->lazy;
        if (!q.possessive)
            continue;
        IX_TRY(ix_regex_node(p, IX_NODE_ATOMIC, at, &atomic));
        atomic->first = repeat;
        *node = atomic;
    }
}

/* ---- sequences and choices ----------------------------------------------------------------- */

static inox_status parse_sequence(ix_regex_parser *p, ix_node **out)
{
    ix_node **next;
    IX_TRY(ix_regex_node(p, IX_NODE_SEQUENCE, p->at, out));
    next = &(*out)->first;
    for (;;) {
        IX_TRY(skip_ignored(p));
        if (ix_regex_ended(p) || p->data[p->at] == '|' || p->data[p->at] == ')')
            return INOX_OK;
        IX_TRY(parse_atom(p, next));
        IX_TRY(quantify(p, next));
        next = &(*next)->next;
    }
}

static inox_status parse_choice(ix_regex_parser *p, ix_node **out)
{
    ix_node *first, **next;
    size_t at = p->at;
    IX_TRY(parse_sequence(p, &first));
    *out = first;
    if (!ix_regex_peek(p, "|"))
        return INOX_OK;
    IX_TRY(ix_regex_node(p, IX_NODE_CHOICE, at, out));
    (*out)->first = first;
    next = &first->next;
    while (ix_regex_take(p, '|')) {
        IX_TRY(parse_sequence(p, next));
        next = &(*next)->next;
    }
    return INOX_OK;
}

inox_status ix_regex_parse(ix_regex_parser *p, ix_node **out)
{
    if (p->size > IX_MAX_REGEX_BYTES)
        return ix_regex_fail(p, INOX_E_LIMIT, 0, "it is longer than %d bytes", IX_MAX_REGEX_BYTES);
    IX_TRY(parse_choice(p, out));
    if (!ix_regex_ended(p))
        return ix_regex_fail(p, INOX_E_FORMAT, p->at, "there is no group that this ) ends");
    return INOX_OK;
}
