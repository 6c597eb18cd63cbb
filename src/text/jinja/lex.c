/* The lexer: text, and inside tags the tokens of expressions.
 *
 *     root --{{--> variable --}}--> root       root --{%--> block --%}--> root
 *     root --{#--> comment --#}--> root        root --{% raw %}--> raw --{% endraw %}--> root
 *
 * White space around tags: - strips all of it, + keeps it; else trim_blocks takes one line feed
 * behind a block or comment, and lstrip_blocks the blanks before one that stands first on its line.
 * Inside a tag its end is looked for only where all brackets are closed.
 */
#include "text/jinja/lex.h"

#include "base/alloc.h"
#include "text/jinja/chars.h"
#include "text/jinja/value.h"
#include "text/unicode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BRACKETS_MAX 1000

static const char *const operators[] = { "**", "//", "==", "!=", ">=", "<=", "+", "-", "/",
                                         "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                         ">",  "<",  "=",  ".",  ":",  "|",  ",", ";" };

typedef struct lexer {
    const char *source;
    size_t size, at;
    bool line_starting; /* the last thing read ended a line */
    ix_jtokens *out;
} lexer;

const char *ix_j_token_name(ix_jtoken_kind kind)
{
    switch (kind) {
    case IX_JT_EOF: return "end of template";
    case IX_JT_DATA: return "template data / text";
    case IX_JT_VARIABLE_BEGIN: return "begin of print statement";
    case IX_JT_VARIABLE_END: return "end of print statement";
    case IX_JT_BLOCK_BEGIN: return "begin of statement block";
    case IX_JT_BLOCK_END: return "end of statement block";
    case IX_JT_NAME: return "name";
    case IX_JT_STRING: return "string";
    case IX_JT_INTEGER: return "integer";
    case IX_JT_FLOAT: return "float";
    default: return operators[kind - IX_JT_POW];
    }
}

inox_status ix_j_syntax(inox_error *err, uint32_t at, const char *format, ...)
{
    char message[sizeof err->message];
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    va_end(arguments);
    return ix_fail_at(err, INOX_E_FORMAT, at, "TemplateSyntaxError: %s", message);
}

size_t ix_j_normal_lines(const char *source, size_t size, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        if (source[i] == '\r') {
            out[n++] = '\n';
            if (i + 1 < size && source[i + 1] == '\n')
                i++;
        } else {
            out[n++] = source[i];
        }
    }
    return n > 0 && out[n - 1] == '\n' ? n - 1 : n;
}

static inox_status add(lexer *l, ix_jtoken_kind kind, size_t start, size_t end, inox_error *err)
{
    if (l->out->count == l->out->capacity) {
        size_t capacity = l->out->capacity == 0 ? 256 : l->out->capacity * 2;

        IX_TRY(IX_REALLOC(&l->out->items, capacity, err));
        l->out->capacity = capacity;
    }
    l->out->items[l->out->count++] = (ix_jtoken){ (uint8_t)kind, (uint32_t)start, (uint32_t)end };
    return INOX_OK;
}

/* ---- characters ------------------------------------------------------------------------------ */

static bool has(const lexer *l, size_t at, const char *text)
{
    size_t n = strlen(text);

    return l->size - at >= n && memcmp(l->source + at, text, n) == 0;
}

static size_t skip_space(const lexer *l, size_t at)
{
    uint32_t c;

    while (at < l->size) {
        size_t n = ix_utf8_read(l->source + at, l->size - at, &c);

        if (!ix_j_is_space(c))
            break;
        at += n;
    }
    return at;
}

/* Where the white space before `end` begins, not before `start`. */
static size_t strip_space(const lexer *l, size_t start, size_t end)
{
    uint32_t c;

    while (end > start) {
        size_t at = end - 1;

        while (at > start && ((unsigned char)l->source[at] & 0xC0) == 0x80)
            at--;
        (void)ix_utf8_read(l->source + at, end - at, &c);
        if (!ix_j_is_space(c))
            break;
        end = at;
    }
    return end;
}

static bool is_name_character(uint32_t c, bool first)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               (!first && c >= '0' && c <= '9');
    return ix_char_is(c, first ? IX_CHAR_ID_START : IX_CHAR_ID_CONTINUE);
}

static bool is_digit(const lexer *l, size_t at)
{
    return at < l->size && l->source[at] >= '0' && l->source[at] <= '9';
}

/* Behind (\d+_)*\d+ at `at`; `at` itself where there is none. */
static size_t skip_digits(const lexer *l, size_t at)
{
    while (is_digit(l, at)) {
        while (is_digit(l, at))
            at++;
        if (at < l->size && l->source[at] == '_' && is_digit(l, at + 1))
            at++;
    }
    return at;
}

/* ---- tokens of expressions ------------------------------------------------------------------- */

/* Behind the float at `at`, or `at`. */
static size_t float_end(const lexer *l, size_t at)
{
    size_t digits = skip_digits(l, at), end = digits;

    if (digits == at || (at > 0 && l->source[at - 1] == '.'))
        return at;
    if (end < l->size && l->source[end] == '.' && is_digit(l, end + 1))
        end = skip_digits(l, end + 1);
    if (end < l->size && (l->source[end] | 32) == 'e') {
        size_t power = end + 1;

        if (power < l->size && (l->source[power] == '+' || l->source[power] == '-'))
            power++;
        if (is_digit(l, power))
            return skip_digits(l, power);
    }
    return end > digits ? end : at;
}

static bool in_base(char c, int base)
{
    if (base == 16)
        return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
    return c >= '0' && c < '0' + base;
}

/* Behind (_?digit)+ of that base, or `at`. */
static size_t skip_base(const lexer *l, size_t at, int base)
{
    for (;;) {
        size_t digit = at < l->size && l->source[at] == '_' ? at + 1 : at;

        if (digit >= l->size || !in_base(l->source[digit], base))
            return at;
        at = digit + 1;
    }
}

static size_t integer_end(const lexer *l, size_t at)
{
    if (l->source[at] == '0' && at + 2 < l->size) {
        char c = (char)(l->source[at + 1] | 32);
        int base = c == 'b' ? 2 : c == 'o' ? 8 : c == 'x' ? 16 : 0;
        size_t end = base != 0 ? skip_base(l, at + 2, base) : at + 2;

        if (end > at + 2)
            return end;
    }
    return skip_base(l, at + 1, l->source[at] == '0' ? 1 : 10);
}

static inox_status lex_name(lexer *l, inox_error *err)
{
    size_t start = l->at, at = start;
    bool good = true;
    uint32_t c;

    while (at < l->size) {
        size_t n = ix_utf8_read(l->source + at, l->size - at, &c);

        if (!is_name_character(c, false))
            break;
        good &= at > start || is_name_character(c, true);
        at += n;
    }
    if (!good)
        return ix_j_syntax(err, (uint32_t)start, "Invalid character in identifier");
    l->at = at;
    return add(l, IX_JT_NAME, start, at, err);
}

/* *end = behind the string at `at`, 0 where its quote does not come again. */
static size_t string_end(const lexer *l, size_t at)
{
    char quote = l->source[at];

    for (size_t i = at + 1; i < l->size; i++) {
        if (l->source[i] == '\\')
            i++;
        else if (l->source[i] == quote)
            return i + 1;
    }
    return 0;
}

static inox_status bracket(lexer *l, char c, char *open, size_t *depth, inox_error *err)
{
    char expected = 0;

    if (c == '{' || c == '(' || c == '[') {
        if (*depth == BRACKETS_MAX)
            return ix_fail_at(err, INOX_E_LIMIT, l->at, "brackets nest deeper than %d levels",
                              BRACKETS_MAX);
        open[(*depth)++] = c == '{' ? '}' : c == '(' ? ')' : ']';
        return INOX_OK;
    }
    if (c != '}' && c != ')' && c != ']')
        return INOX_OK;
    if (*depth == 0)
        return ix_j_syntax(err, (uint32_t)l->at, "unexpected '%c'", c);
    expected = open[--*depth];
    if (expected != c)
        return ix_j_syntax(err, (uint32_t)l->at, "unexpected '%c', expected '%c'", c, expected);
    return INOX_OK;
}

static inox_status lex_operator(lexer *l, char *open, size_t *depth, inox_error *err)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (!has(l, l->at, operators[i]))
            continue;
        size_t n = strlen(operators[i]);
        if (n == 1)
            IX_TRY(bracket(l, operators[i][0], open, depth, err));
        IX_TRY(add(l, (ix_jtoken_kind)(IX_JT_POW + i), l->at, l->at + n, err));
        l->at += n;
        return INOX_OK;
    }
    uint32_t c;
    size_t n = ix_utf8_read(l->source + l->at, l->size - l->at, &c);
    return ix_j_syntax(err, (uint32_t)l->at, "unexpected char '%.*s'", (int)n, l->source + l->at);
}

static inox_status lex_token(lexer *l, char *open, size_t *depth, inox_error *err)
{
    char c = l->source[l->at];
    uint32_t character;

    if (is_digit(l, l->at)) {
        size_t end = float_end(l, l->at);
        ix_jtoken_kind kind = end > l->at ? IX_JT_FLOAT : IX_JT_INTEGER;

        if (end == l->at)
            end = integer_end(l, l->at);
        IX_TRY(add(l, kind, l->at, end, err));
        l->at = end;
        return INOX_OK;
    }
    (void)ix_utf8_read(l->source + l->at, l->size - l->at, &character);
    if (is_name_character(character, false))
        return lex_name(l, err);
    if (c == '\'' || c == '"') {
        size_t end = string_end(l, l->at);

        if (end != 0) {
            IX_TRY(add(l, IX_JT_STRING, l->at, end, err));
            l->at = end;
            return INOX_OK;
        }
    }
    return lex_operator(l, open, depth, err);
}

/* Behind the end of the tag at `at`, or 0: [+-]%} and -}}, with what they strip. */
static size_t tag_end(const lexer *l, size_t at, bool block)
{
    const char *close = block ? "%}" : "}}";

    if (l->source[at] == '-' && has(l, at + 1, close))
        return skip_space(l, at + 3);
    if (block && l->source[at] == '+' && has(l, at + 1, close))
        return at + 3;
    if (!has(l, at, close))
        return 0;
    return block && has(l, at + 2, "\n") ? at + 3 : at + 2;
}

static inox_status lex_tag(lexer *l, bool block, inox_error *err)
{
    char open[BRACKETS_MAX];
    size_t depth = 0;

    while (l->at < l->size) {
        size_t end = depth == 0 ? tag_end(l, l->at, block) : 0;

        if (end != 0) {
            l->line_starting = l->source[end - 1] == '\n';
            IX_TRY(add(l, block ? IX_JT_BLOCK_END : IX_JT_VARIABLE_END, l->at, end, err));
            l->at = end;
            return INOX_OK;
        }
        size_t space = skip_space(l, l->at);
        if (space > l->at)
            l->at = space;
        else
            IX_TRY(lex_token(l, open, &depth, err));
    }
    return INOX_OK;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Emits the text before a tag at `end` whose sign is `sign`. */
static inox_status lex_text(lexer *l, size_t start, size_t end, char sign, bool variable,
                            inox_error *err)
{
    if (sign == '-') {
        end = strip_space(l, start, end);
    } else if (sign != '+' && !variable) {
        size_t line = end;

        while (line > start && l->source[line - 1] != '\n')
            line--;
        if ((line > start || l->line_starting) && strip_space(l, line, end) == line)
            end = line;
    }
    return end > start ? add(l, IX_JT_DATA, start, end, err) : INOX_OK;
}

static char sign_at(const lexer *l, size_t at)
{
    return at < l->size && (l->source[at] == '-' || l->source[at] == '+') ? l->source[at] : 0;
}

/* Behind {% word, or 0. */
static size_t word_tag(const lexer *l, size_t at, const char *word)
{
    size_t p = at + 2;

    if (!has(l, at, "{%"))
        return 0;
    if (sign_at(l, p))
        p++;
    p = skip_space(l, p);
    return has(l, p, word) ? skip_space(l, p + strlen(word)) : 0;
}

/* Behind {% raw %} at `at`, or 0. */
static size_t raw_begin(const lexer *l, size_t at)
{
    size_t p = word_tag(l, at, "raw");

    if (p == 0 || p >= l->size)
        return 0;
    if (has(l, p, "-%}"))
        return skip_space(l, p + 3);
    return has(l, p, "%}") ? p + 2 : 0;
}

static inox_status lex_raw(lexer *l, inox_error *err)
{
    size_t start = l->at;

    for (size_t p = start; p + 1 < l->size; p++) {
        size_t close = l->source[p] == '{' ? word_tag(l, p, "endraw") : 0;
        size_t end = close != 0 && close < l->size ? tag_end(l, close, true) : 0;

        if (end == 0)
            continue;
        IX_TRY(lex_text(l, start, p, sign_at(l, p + 2), false, err));
        l->line_starting = l->source[end - 1] == '\n';
        l->at = end;
        return INOX_OK;
    }
    if (start < l->size)
        return ix_j_syntax(err, (uint32_t)start, "Missing end of raw directive");
    return INOX_OK;
}

static inox_status lex_comment(lexer *l, inox_error *err)
{
    for (size_t p = l->at; p + 1 < l->size; p++) {
        if (!has(l, p, "#}"))
            continue;
        bool signed_end = p > l->at && (l->source[p - 1] == '-' || l->source[p - 1] == '+');
        size_t end = p + 2;

        if (signed_end && l->source[p - 1] == '-')
            end = skip_space(l, end);
        else if (!signed_end && has(l, end, "\n"))
            end++;
        l->line_starting = l->source[end - 1] == '\n';
        l->at = end;
        return INOX_OK;
    }
    if (l->at < l->size)
        return ix_j_syntax(err, (uint32_t)l->at, "Missing end of comment tag");
    return INOX_OK;
}

/* The text up to the next tag, and that tag. */
static inox_status lex_root(lexer *l, inox_error *err)
{
    size_t start = l->at, p = start;

    while (p + 1 < l->size &&
           (l->source[p] != '{' || !strchr("{%#", l->source[p + 1]) || l->source[p + 1] == '\0'))
        p++;
    if (p + 1 >= l->size) {
        l->at = l->size;
        return start < l->size ? add(l, IX_JT_DATA, start, l->size, err) : INOX_OK;
    }
    char kind = l->source[p + 1], sign = sign_at(l, p + 2);
    IX_TRY(lex_text(l, start, p, sign, kind == '{', err));
    size_t raw = raw_begin(l, p);
    l->at = raw != 0 ? raw : p + 2 + (sign != 0);
    l->line_starting = l->source[l->at - 1] == '\n';
    if (raw != 0)
        return lex_raw(l, err);
    if (kind == '#')
        return lex_comment(l, err);
    IX_TRY(add(l, kind == '%' ? IX_JT_BLOCK_BEGIN : IX_JT_VARIABLE_BEGIN, p, l->at, err));
    return lex_tag(l, kind == '%', err);
}

inox_status ix_j_lex(const char *source, size_t size, ix_jtokens *out, inox_error *err)
{
    lexer l = { .source = source, .size = size, .line_starting = true, .out = out };
    inox_status status = INOX_OK;

    *out = (ix_jtokens){ 0 };
    while (status == INOX_OK && l.at < size)
        status = lex_root(&l, err);
    if (status == INOX_OK)
        status = add(&l, IX_JT_EOF, size, size, err);
    if (status != INOX_OK)
        ix_j_tokens_release(out);
    return status;
}

void ix_j_tokens_release(ix_jtokens *t)
{
    ix_free(t->items);
    *t = (ix_jtokens){ 0 };
}
