/* The tree of a template, and the frames that its names live in.
 *
 * A node has up to four parts, a to d, and lists of nodes hang together by `next`:
 *
 *     kind          a                 b            c         d        more
 *     CONST                                                           value
 *     NAME                                                            ref
 *     NSREF                                                           ref, value (attribute)
 *     TUPLE LIST    items
 *     DICT          key, value, ...
 *     COND          test              then         else?
 *     FILTER TEST   what it is on?                                    call (no a: of a block)
 *     CALL          callee                                            call
 *     GETATTR       object                                            attribute, count (of fields)
 *     GETITEM       object            key                             the same, if key is constant
 *     GETSLICE      object            start?       stop?     step?
 *     CONCAT        parts
 *     COMPARE       first             OPERANDs (a: operand, op)               op, value
 *     BINARY        left              right                           op, sum
 *     AND OR        left              right
 *     NOT NEG POS   operand
 *     DATA                                                            value
 *     OUTPUT        expressions
 *     FOR           target            iterable     body      else     loop
 *     IF            test              then         else      next elif (an IF)
 *     MACRO CALL_BLOCK GENERATION     call?                           function
 *     FILTER_BLOCK  filter            body                            enter
 *     WITH          targets           values       body               enter
 *     SET           target            expression
 *     SET_BLOCK     target            filter?      body               enter
 *     BLOCK                                                           function
 *     AUTOESCAPE    expression        body                            enter
 *     BREAK CONTINUE
 *     EXCLUDED      expressions                                       value (what it needs)
 *
 * Names are resolved once (scope.c), by jinja2's rules: a frame of slots per function of the
 * template (its top level, a macro, a call block, a block, a recursive loop), reached through the
 * frames around it; names that no frame around defines are numbers of ix_jrender.globals.
 */
#ifndef IX_TEXT_JINJA_AST_H
#define IX_TEXT_JINJA_AST_H

#include "text/jinja/library.h"

typedef enum ix_jnode_kind {
    IX_JN_CONST,
    IX_JN_DATA, /* these two first: ix_j_there asks for them with one comparison */
    IX_JN_NAME,
    IX_JN_NSREF,
    IX_JN_TUPLE,
    IX_JN_LIST,
    IX_JN_DICT,
    IX_JN_COND,
    IX_JN_FILTER,
    IX_JN_TEST,
    IX_JN_CALL,
    IX_JN_GETATTR,
    IX_JN_GETITEM,
    IX_JN_GETSLICE,
    IX_JN_CONCAT,
    IX_JN_BINARY,
    IX_JN_OPERAND,
    IX_JN_COMPARE, /* from here to NOT: what says yes or no */
    IX_JN_AND,
    IX_JN_OR,
    IX_JN_NOT,
    IX_JN_NEG,
    IX_JN_POS,
    IX_JN_OUTPUT,
    IX_JN_FOR,
    IX_JN_IF,
    IX_JN_MACRO,
    IX_JN_CALL_BLOCK,
    IX_JN_GENERATION,
    IX_JN_FILTER_BLOCK,
    IX_JN_WITH,
    IX_JN_SET,
    IX_JN_SET_BLOCK,
    IX_JN_BLOCK,
    IX_JN_AUTOESCAPE,
    IX_JN_BREAK,
    IX_JN_CONTINUE,
    IX_JN_EXCLUDED,
} ix_jnode_kind;

typedef enum ix_jcomparison {
    IX_JC_EQ,
    IX_JC_NE,
    IX_JC_LT,
    IX_JC_LE,
    IX_JC_GT,
    IX_JC_GE,
    IX_JC_IN,
    IX_JC_NOT_IN,
    IX_JC_SEVERAL,
} ix_jcomparison;

/* Whether what is printed or joined is escaped. */
typedef enum ix_jescape { IX_JE_NO, IX_JE_YES, IX_JE_VOLATILE } ix_jescape;

/* Where the value of an expression lies, if it need not be made. */
typedef enum ix_jwhere {
    IX_JW_MADE,          /* it has to be evaluated */
    IX_JW_HERE,          /* a constant: in the node */
    IX_JW_SLOT,          /* a name of the function that runs */
    IX_JW_NAME,          /* another name */
    IX_JW_FIELD_OF_SLOT, /* of a dict in slot `slot`, the item of attribute->name if there is one */
    IX_JW_FIELD,         /* the same of any other object */
    IX_JW_FIELD_IS,      /* a COMPARE of a field of a slot, == or != a short string: `value` */
} ix_jwhere;

/* Where a name's value is: slot `slot` of the frame `up` functions out, or a global. */
typedef struct ix_jref {
    uint32_t slot; /* or the number of the global */
    uint16_t up;
    bool global;
} ix_jref;

/* What happens to a slot when its frame is entered. */
typedef enum ix_jload {
    IX_JL_NONE,      /* set by whoever enters: a parameter */
    IX_JL_UNDEFINED, /* nothing is in it */
    IX_JL_ALIAS,     /* the value of the same name further out */
    IX_JL_RESOLVE,   /* the value among variables and globals */
} ix_jload;

typedef struct ix_jslot {
    uint32_t slot;
    ix_jload load;
    ix_jref from; /* IX_JL_ALIAS, IX_JL_RESOLVE */
} ix_jslot;

/* The slots of one scope (a loop's body, a with, ...) in its function's frame; first those that are
 * to be filled. */
typedef struct ix_jenter {
    ix_jslot *slots;
    uint32_t filled, count;
} ix_jenter;

typedef struct ix_jnode ix_jnode;

typedef struct ix_jparameter {
    uint32_t name; /* number of the name */
    ix_jstring *text;
    ix_jnode *default_value; /* or NULL */
    uint32_t at, slot;
} ix_jparameter;

/* A function of the template. */
typedef struct ix_jfunction_node {
    uint32_t number; /* of ix_jprogram.functions */
    uint32_t slots;  /* of its frame */
    bool captured;   /* functions inside keep its frame: it cannot be used again */
    bool is_block, scoped;
    ix_jstring *name; /* NULL: a call block */
    ix_jparameter *parameters;
    uint32_t parameter_count;
    bool uses_caller, uses_kwargs, uses_varargs, explicit_caller;
    uint32_t caller_slot, kwargs_slot, varargs_slot;
    bool uses_self, uses_super;
    uint32_t self_slot, super_slot;
    ix_jenter enter;
    ix_jnode *body;
    ix_jvalue argument_names; /* a tuple, for {{ macro.arguments }} */
    /* scoped blocks: what the names of the scopes around mean inside */
    ix_jslot *overrides; /* slot: the global's number */
    uint32_t override_count;
} ix_jfunction_node;

typedef struct ix_jfor {
    ix_jnode *test;        /* for x in y if test, or NULL */
    ix_jnode *test_target; /* the target again, in the test's own slots */
    ix_jenter enter, else_enter, test_enter;
    bool extended; /* the body uses loop */
    uint32_t loop_slot;
    ix_jfunction_node *function; /* a recursive loop's, or NULL */
} ix_jfor;

/* The arguments of a call. */
typedef struct ix_jarguments {
    ix_jnode *positional;
    uint32_t count;
    struct ix_jkeyword_node {
        ix_jstring *name;
        ix_jnode *value;
    } * keywords;
    uint32_t keyword_count;
    ix_jnode *rest, *rest_keywords; /* *args, **kwargs, or NULL */
    const ix_jentry *entry;         /* of a filter or test; NULL: unknown, an error when it runs */
    bool plain; /* of a filter or test: positional arguments only, and the entry takes that many */
    ix_jstring *name; /* of a filter or test */
} ix_jarguments;

/* The name of an attribute, looked up beforehand where it can be. */
typedef struct ix_jattribute {
    ix_jstring *name;
    const ix_jentry *of_dict, *of_string;
    bool plain; /* of a dict it is the item of that name, or nothing */
} ix_jattribute;

struct ix_jnode {
    uint8_t kind;    /* ix_jnode_kind */
    uint8_t op;      /* ix_jop, ix_jcomparison; COMPARE: the only one, IX_JC_SEVERAL */
    uint8_t escape;  /* ix_jescape: OUTPUT, CONCAT, SET_BLOCK, FILTER_BLOCK */
    bool exported;   /* SET, SET_BLOCK, MACRO, at top level: blocks see it */
    bool constant;   /* an expression that jinja2 evaluates when it compiles */
    uint8_t where;   /* ix_jwhere */
    uint16_t height; /* of an expression */
    uint32_t at;     /* byte of the source */
    uint32_t count;  /* TUPLE, LIST, DICT, CONCAT: items; WITH: targets; NAME, NSREF: the name;
                        a field, and what compares one: its number */
    ix_jnode *next;
    ix_jnode *a, *b, *c, *d;
    union {
        ix_jvalue value;
        ix_jref ref;
        ix_jarguments *call;
        ix_jattribute *attribute;
        ix_jfor *loop;
        ix_jfunction_node *function;
        ix_jenter *enter;
        struct {             /* BINARY: of the additions a + b + c, which hang together by a */
            ix_jnode *first; /* a + b */
            ix_jnode *outer; /* the one that this is the left part of, or NULL */
        } sum;
    };
    union {
        ix_jvalue attribute_name; /* NSREF */
        ix_jref target;           /* MACRO: the name it gets */
        uint32_t slot;            /* IX_JW_FIELD_OF_SLOT, IX_JW_FIELD_IS */
        ix_jarguments *caller;    /* CALL_BLOCK: the call */
    };
};

/* A template, read. */
typedef struct ix_jprogram {
    ix_arena arena;
    const char *source; /* with normal lines */
    uint32_t source_size;
    ix_jfunction_node **functions;
    uint32_t function_count;
    ix_jfunction_node *root;
    ix_jfunction_node **blocks; /* by where they stand */
    uint32_t block_count;
    ix_jstring **names; /* by number */
    uint32_t name_count;
    uint32_t *globals; /* numbers of the names that are looked up among variables and globals */
    uint32_t global_count;
    uint32_t field_count;  /* nodes that are fields */
    ix_jrender *constants; /* owns the values of CONST nodes */
} ix_jprogram;

/* Reads a template (with normal lines) into *p, which is empty but for its source. */
inox_status ix_j_parse(ix_jprogram *p, inox_error *err) IX_MUST_USE;

/* Resolves all names; the last step of ix_j_parse. */
inox_status ix_j_resolve_names(ix_jprogram *p, inox_error *err) IX_MUST_USE;

#endif
