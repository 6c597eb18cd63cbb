/* Expressions to trees.
 *
 * Trees come from an arena; their depth is at most IX_MAX_REGEX_DEPTH groups, so functions over
 * them may recurse.  Flags ((?i), ...), case folding and the syntax are resolved here: what follows
 * sees only characters, sets, repetition, choice, atomic groups, looks and assertions.
 */
#ifndef IX_TEXT_REGEX_PARSE_H
#define IX_TEXT_REGEX_PARSE_H

#include "text/regex/regex.h"
#include "text/regex/set.h"

typedef enum ix_node_kind {
    IX_NODE_EMPTY,
    IX_NODE_CHAR,
    IX_NODE_SET,
    IX_NODE_SEQUENCE, /* children in order */
    IX_NODE_CHOICE,   /* children in the order in which they are tried */
    IX_NODE_REPEAT,   /* of the one child */
    IX_NODE_ATOMIC,   /* the child's first match or none */
    IX_NODE_LOOK,     /* the child matches here (before here), or does not */
    IX_NODE_ASSERT,
} ix_node_kind;

typedef enum ix_assertion {
    IX_AT_START,      /* of the text */
    IX_AT_END,        /* of the text */
    IX_AT_FINAL_END,  /* of the text or before the line feed that ends it */
    IX_AT_LINE_START, /* of the text or behind a line feed */
    IX_AT_LINE_BEGUN, /* the same, but not behind a line feed that ends the text */
    IX_AT_LINE_END,   /* of the text or before a line feed */
    IX_AT_SEARCH,     /* where the search began: behind the match before */
    IX_AT_WORD,       /* a character of the node's set on one side only */
    IX_AT_NO_WORD,
    IX_AT_WORD_START, /* one of the set follows, none is before */
    IX_AT_WORD_END,
    IX_AT_NOT_BEHIND_WORD, /* none of the set is before */
    IX_AT_NOT_BEFORE_WORD,
} ix_assertion;

#define IX_MANY 0xFFFFFFFFu

typedef struct ix_node ix_node;
struct ix_node {
    ix_node_kind kind;
    ix_assertion assertion;
    bool lazy;             /* of a repeat */
    bool behind, negative; /* of a look */
    bool fold;             /* a character whose case does not matter */
    bool letter;           /* one of these whose neighbours may belong to it: ss and U+00DF */
    bool expands;          /* it, or a character of the set, also stands for several letters */
    bool nullable;         /* may match nothing; for compile.c */
    uint32_t at;           /* its place in the expression */
    uint32_t c;
    uint32_t min, max; /* of a repeat; max may be IX_MANY */
    ix_char_set set;
    ix_node *first, *next; /* first child, next sibling */
};

enum {
    IX_REGEX_FOLD = 1,
    IX_REGEX_DOT_ALL = 2,
    IX_REGEX_LINES = 4, /* Rust's (?m) */
    IX_REGEX_SPACED = 8,
    IX_REGEX_SWAP = 16, /* Rust's (?U) */
    IX_REGEX_ASCII_WORD = 32,
    IX_REGEX_ASCII_DIGIT = 64,
    IX_REGEX_ASCII_SPACE = 128,
    IX_REGEX_ASCII_POSIX = 256,
};

typedef struct ix_regex_parser {
    const char *data;
    size_t size, at;
    ix_regex_syntax syntax;
    unsigned flags; /* that hold here */
    int depth;      /* of groups and classes */
    int class_depth;
    size_t nodes;
    ix_arena *arena;
    inox_error *err;
} ix_regex_parser;

/* p: data, size, syntax, arena and err are set, all else is zero.  *out lives in the arena. */
inox_status ix_regex_parse(ix_regex_parser *p, ix_node **out) IX_MUST_USE;

/* ---- between parse.c and parse_class.c ----------------------------------------------------- */

inox_status ix_regex_node(ix_regex_parser *p, ix_node_kind kind, size_t at,
                          ix_node **out) IX_MUST_USE;
inox_status ix_regex_fail(ix_regex_parser *p, inox_status status, size_t at, const char *format,
                          ...) IX_PRINTF(4, 5);
inox_status ix_regex_enter(ix_regex_parser *p) IX_MUST_USE; /* one level deeper */
static inline bool ix_regex_ended(const ix_regex_parser *p)
{
    return p->at >= p->size;
}
static inline bool ix_regex_peek(const ix_regex_parser *p, const char *text)
{
    size_t i = 0;
    while (text[i] && p->at + i < p->size && p->data[p->at + i] == text[i])
        i++;
    return !text[i];
}
/* Takes the text if it comes next. */
static inline bool ix_regex_take(ix_regex_parser *p, char c)
{
    if (ix_regex_ended(p) || p->data[p->at] != c)
        return false;
    p->at++;
    return true;
}
/* The next character of the expression, which is not at its end. */
inox_status ix_regex_read(ix_regex_parser *p, uint32_t *c) IX_MUST_USE;

/* What an escape stands for that means the same inside and outside of classes: *is_set says
 * whether that is *set or the one character *c.  p->at is behind the backslash, and on return
 * behind the escape. */
inox_status ix_regex_escape(ix_regex_parser *p, bool *is_set, ix_char_set *set,
                            uint32_t *c) IX_MUST_USE;
/* The set of \d, \s or \w ('D', 'S', 'W') under the flags that hold. */
inox_status ix_regex_perl_set(ix_regex_parser *p, char name, ix_char_set *set) IX_MUST_USE;
/* A class; p->at is behind its '['. */
inox_status ix_regex_class(ix_regex_parser *p, ix_char_set *set) IX_MUST_USE;

#endif
