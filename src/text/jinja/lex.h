/* Templates into tokens, as jinja2's lexer cuts them with trim_blocks and lstrip_blocks on. */
#ifndef IX_TEXT_JINJA_LEX_H
#define IX_TEXT_JINJA_LEX_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum ix_jtoken_kind {
    IX_JT_EOF,
    IX_JT_DATA,
    IX_JT_VARIABLE_BEGIN,
    IX_JT_VARIABLE_END,
    IX_JT_BLOCK_BEGIN,
    IX_JT_BLOCK_END,
    IX_JT_NAME,
    IX_JT_STRING, /* with its quotes and escapes */
    IX_JT_INTEGER,
    IX_JT_FLOAT,
    /* operators, in the order of ix_j_operators */
    IX_JT_POW,
    IX_JT_FLOORDIV,
    IX_JT_EQ,
    IX_JT_NE,
    IX_JT_GTEQ,
    IX_JT_LTEQ,
    IX_JT_ADD,
    IX_JT_SUB,
    IX_JT_DIV,
    IX_JT_MUL,
    IX_JT_MOD,
    IX_JT_TILDE,
    IX_JT_LBRACKET,
    IX_JT_RBRACKET,
    IX_JT_LPAREN,
    IX_JT_RPAREN,
    IX_JT_LBRACE,
    IX_JT_RBRACE,
    IX_JT_GT,
    IX_JT_LT,
    IX_JT_ASSIGN,
    IX_JT_DOT,
    IX_JT_COLON,
    IX_JT_PIPE,
    IX_JT_COMMA,
    IX_JT_SEMICOLON,
} ix_jtoken_kind;

/* Bytes [start, end) of the source. */
typedef struct ix_jtoken {
    uint8_t kind;
    uint32_t start, end;
} ix_jtoken;

typedef struct ix_jtokens {
    ix_jtoken *items; /* the last one is IX_JT_EOF */
    size_t count, capacity;
} ix_jtokens;

/* Line feeds for all kinds of line ends, and none at the very end: what jinja2 does to a source
 * first.  `out` has room for size bytes; returns how many it got. */
size_t ix_j_normal_lines(const char *source, size_t size, char *out);

/* Cuts a source with normal lines, valid UTF-8.  Errors have the position in it. */
inox_status ix_j_lex(const char *source, size_t size, ix_jtokens *out, inox_error *err) IX_MUST_USE;
void ix_j_tokens_release(ix_jtokens *t);

/* jinja2's word for a kind of token ("end of print statement", "+"). */
const char *ix_j_token_name(ix_jtoken_kind kind);

/* Fails with jinja2's class of error for syntax, at a byte of the source. */
inox_status ix_j_syntax(inox_error *err, uint32_t at, const char *format, ...) IX_PRINTF(3, 4);

#endif
