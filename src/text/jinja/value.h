/* Values of the template language: what Python would hold, in 16 bytes, with marks on text.
 *
 *     none undefined bool | int (int64, or big) | float | string | list tuple dict | range, dict
 *     views, iterators | functions, macros, namespaces, loops, objects of the library
 *
 * A rendering (ix_jrender) owns all memory that its values take, in one arena with a budget, and
 * frees it at once: nothing here is freed by itself.  Values are copied freely; strings are never
 * changed, lists and dicts only while the function that makes them fills them.
 *
 * Marks: every string knows which of its bytes come from users.  A string is made in one of three
 * ways, all of which keep them: ix_j_string_* (bytes of the template's or of the library's own),
 * ix_j_slice (part of a string), and ix_jbuilder (anything else).  Nothing else writes marks.
 *
 * Naming: ix_j<type>, ix_j_<function>.  Functions that can fail take the rendering first and the
 * error last; they count steps, so a template cannot make them run for ever.
 */
#ifndef IX_TEXT_JINJA_VALUE_H
#define IX_TEXT_JINJA_VALUE_H

#include "base/alloc.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct ix_jrender ix_jrender; /* one rendering; eval.h */
typedef struct ix_jstring ix_jstring;
typedef struct ix_jlist ix_jlist;
typedef struct ix_jdict ix_jdict;
typedef struct ix_jbig ix_jbig; /* number.h */
typedef struct ix_jrange ix_jrange;
typedef struct ix_jview ix_jview;
typedef struct ix_jiter ix_jiter;
typedef struct ix_jundefined ix_jundefined;
typedef struct ix_jmethod ix_jmethod;
typedef struct ix_jobject ix_jobject;

typedef enum ix_jkind {
    IX_J_MISSING, /* no value at all: an argument not given, an attribute not there */
    IX_J_UNDEFINED,
    IX_J_NONE,
    IX_J_BOOL,
    IX_J_INT, /* fits int64; every int that does is one */
    IX_J_BIG, /* an int that does not */
    IX_J_FLOAT,
    IX_J_STRING,
    IX_J_LIST,
    IX_J_TUPLE,
    IX_J_DICT,
    IX_J_RANGE,
    IX_J_VIEW,      /* d.keys(), d.values(), d.items() */
    IX_J_ITERATOR,  /* of Python's generators and iterators: gives each item once */
    IX_J_NAMESPACE, /* namespace(): its attributes are a dict, and may be set */
    IX_J_FUNCTION,  /* a global function, or a method bound to its value */
    IX_J_OBJECT,    /* macro, loop, self, cycler, joiner, ...: what its class says */
} ix_jkind;

typedef struct ix_jvalue {
    ix_jkind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        const ix_jbig *big;
        ix_jstring *string;
        ix_jlist *list; /* IX_J_LIST, IX_J_TUPLE */
        ix_jdict *dict; /* IX_J_DICT, IX_J_NAMESPACE */
        const ix_jrange *range;
        const ix_jview *view;
        ix_jiter *iter;
        const ix_jundefined *undefined;
        const ix_jmethod *method; /* IX_J_FUNCTION */
        ix_jobject *object;
    };
} ix_jvalue;

/* *to = *from, part by part: processors stall when they read 16 bytes at once that were just
 * written in two parts, as values are when they are made. */
static inline void ix_j_put(ix_jvalue *to, const ix_jvalue *from)
{
    to->kind = from->kind;
    to->integer = from->integer;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Bytes [start, end) of a string that come from users. */
typedef struct ix_jspan {
    uint32_t start, end;
} ix_jspan;

#define IX_J_UNCOUNTED UINT32_MAX

/* Who wrote a string. */
typedef enum ix_jorigin {
    IX_J_TEMPLATE, /* none of its bytes is a user's */
    IX_J_USER,     /* all are */
    IX_J_MIXED,    /* those in its spans are: in order, apart, not empty */
} ix_jorigin;

/* UTF-8, where a lone surrogate is three bytes as if it were a character; may hold NULs; not
 * NUL-terminated.  length and hash are filled when they are first asked for. */
struct ix_jstring {
    const char *data;
    uint32_t size;   /* bytes */
    uint32_t length; /* characters, or IX_J_UNCOUNTED: ask ix_j_length */
    uint32_t hash;   /* 0: not known yet */
    uint8_t origin;  /* ix_jorigin */
    bool safe;       /* markupsafe's Markup: joined with other text, it escapes that */
    bool plain;      /* it is known to be printable ASCII without " and \, as most of JSON is */
    uint32_t span_count;
    const ix_jspan *spans;
};

/* Characters (code points) of s. */
size_t ix_j_length(ix_jstring *s);

/* True if every character is one byte, so that positions of characters are positions of bytes. */
static inline bool ix_j_is_ascii(ix_jstring *s)
{
    return ix_j_length(s) == s->size;
}

/* Byte position of character number `at` (at most the length). */
size_t ix_j_byte_of(ix_jstring *s, size_t at);
/* The number of the character that begins at byte `at`. */
size_t ix_j_character_at(const ix_jstring *s, size_t at);

/* *out = a string of the template's side, copied. */
inox_status ix_j_string_copy(ix_jrender *r, const char *data, size_t size, ix_jvalue *out,
                             inox_error *err) IX_MUST_USE;
/* The same without copying, of bytes that outlive the rendering (literals of C). */
inox_status ix_j_string_view(ix_jrender *r, const char *data, size_t size, ix_jvalue *out,
                             inox_error *err) IX_MUST_USE;
/* *out = bytes [start, end) of s with their marks, not copied.  Not safe, whatever s is. */
inox_status ix_j_slice(ix_jrender *r, ix_jstring *s, size_t start, size_t end, ix_jvalue *out,
                       inox_error *err) IX_MUST_USE;
/* *out = the same text and marks, as Markup or not. */
inox_status ix_j_with_safe(ix_jrender *r, ix_jstring *s, bool safe, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;
/* True if the bytes are those of `text` (a C string). */
bool ix_j_is(const ix_jstring *s, const char *text);
bool ix_j_same_bytes(const ix_jstring *a, const ix_jstring *b);
/* str.isspace of a character. */
bool ix_j_is_space(uint32_t c);
/* True if byte `at` comes from a user. */
bool ix_j_is_user(const ix_jstring *s, size_t at);

/* Position in bytes of the first (last) `needle` in s[from, to), or SIZE_MAX.  An empty needle is
 * found at from (at to).  Counts steps. */
inox_status ix_j_find(ix_jrender *r, const ix_jstring *s, size_t from, size_t to,
                      const ix_jstring *needle, bool last, size_t *at, inox_error *err) IX_MUST_USE;

/* A string being made.  {0} with r set begins one; nothing to release. */
typedef struct ix_jbuilder {
    ix_jrender *r;
    char *data;
    size_t size, capacity;
    ix_jspan *spans;
    size_t span_count, span_capacity;
} ix_jbuilder;

static inline ix_jbuilder ix_jb(ix_jrender *r)
{
    return (ix_jbuilder){ .r = r };
}

/* Appends n bytes (whole characters), of a user or not. */
inox_status ix_jb_bytes(ix_jbuilder *b, const char *data, size_t n, bool user,
                        inox_error *err) IX_MUST_USE;

/* Appends a C string that is not a user's. */
static inline IX_MUST_USE inox_status ix_jb_text(ix_jbuilder *b, const char *text, inox_error *err)
{
    size_t n = strlen(text);

    if (n == 0 || n >= 64 || n > b->capacity - b->size)
        return ix_jb_bytes(b, text, n, false, err);
    memcpy(b->data + b->size, text, n); /* of a literal: a few moves */
    b->size += n;
    return INOX_OK;
}

/* Appends one character, of a user or not (take that from the byte that it stands for). */
inox_status ix_jb_character(ix_jbuilder *b, uint32_t c, bool user, inox_error *err) IX_MUST_USE;
/* Appends s, or bytes [start, end) of it, with their marks. */
inox_status ix_jb_string(ix_jbuilder *b, const ix_jstring *s, inox_error *err) IX_MUST_USE;
inox_status ix_jb_part(ix_jbuilder *b, const ix_jstring *s, size_t start, size_t end,
                       inox_error *err) IX_MUST_USE;
/* Appends s between two quotes of the template's. */
inox_status ix_jb_quoted(ix_jbuilder *b, const ix_jstring *s, char quote,
                         inox_error *err) IX_MUST_USE;
/* Makes room for n bytes more at once. */
inox_status ix_jb_reserve(ix_jbuilder *b, size_t n, inox_error *err) IX_MUST_USE;
/* Appends str(v), or repr(v), with the marks of the strings in it. */
inox_status ix_jb_str(ix_jbuilder *b, ix_jvalue v, inox_error *err) IX_MUST_USE;
inox_status ix_jb_repr(ix_jbuilder *b, ix_jvalue v, inox_error *err) IX_MUST_USE;
/* Appends s with & < > ' " escaped as markupsafe does (a user's & gives a user's &amp;). */
inox_status ix_jb_escaped(ix_jbuilder *b, const ix_jstring *s, inox_error *err) IX_MUST_USE;
/* Appends markupsafe's escape(v): Markup as it is, everything else as text, escaped. */
inox_status ix_jb_escape(ix_jbuilder *b, ix_jvalue v, inox_error *err) IX_MUST_USE;
/* *out = the string; the builder is empty again.  Not Markup unless `safe`. */
inox_status ix_jb_finish(ix_jbuilder *b, bool safe, ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* *out = str(v), repr(v) as a string; str of a string is that string, without Markup. */
inox_status ix_j_str(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err) IX_MUST_USE;
inox_status ix_j_repr(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err) IX_MUST_USE;
/* markupsafe's soft_str: str(v), but Markup stays Markup. */
inox_status ix_j_soft_str(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* ---- constructors ---------------------------------------------------------------------------- */

static inline ix_jvalue ix_j_none(void)
{
    return (ix_jvalue){ .kind = IX_J_NONE };
}
static inline ix_jvalue ix_j_missing(void)
{
    return (ix_jvalue){ .kind = IX_J_MISSING };
}
static inline ix_jvalue ix_j_bool(bool b)
{
    return (ix_jvalue){ .kind = IX_J_BOOL, .boolean = b };
}
static inline ix_jvalue ix_j_int(int64_t i)
{
    return (ix_jvalue){ .kind = IX_J_INT, .integer = i };
}
static inline ix_jvalue ix_j_float(double f)
{
    return (ix_jvalue){ .kind = IX_J_FLOAT, .real = f };
}
static inline ix_jvalue ix_j_of_string(ix_jstring *s)
{
    return (ix_jvalue){ .kind = IX_J_STRING, .string = s };
}
static inline ix_jvalue ix_j_of_iter(ix_jiter *it)
{
    return (ix_jvalue){ .kind = IX_J_ITERATOR, .iter = it };
}
static inline ix_jvalue ix_j_of_object(ix_jobject *o)
{
    return (ix_jvalue){ .kind = IX_J_OBJECT, .object = o };
}

/* Zeroed memory of the rendering. */
inox_status ix_j_alloc(ix_jrender *r, size_t count, size_t size, void **out,
                       inox_error *err) IX_MUST_USE;
#define IX_J_ALLOC(r, pp, count, err) ix_j_alloc((r), (count), sizeof **(pp), (void **)(pp), (err))

/* ---- list, tuple ----------------------------------------------------------------------------- */

struct ix_jlist {
    ix_jvalue *items;
    size_t count, capacity;
    const char *const *names; /* of a named tuple's items (groupby's grouper, list), or NULL */
};

/* *out = an empty list (or tuple) with room for `capacity`; append fills it. */
inox_status ix_j_list(ix_jrender *r, size_t capacity, ix_jvalue *out, inox_error *err) IX_MUST_USE;
inox_status ix_j_tuple(ix_jrender *r, size_t capacity, ix_jvalue *out, inox_error *err) IX_MUST_USE;
inox_status ix_j_append(ix_jrender *r, ix_jvalue list, ix_jvalue item, inox_error *err) IX_MUST_USE;

/* ---- dict ------------------------------------------------------------------------------------ */

typedef struct ix_jpair {
    ix_jvalue key, value;
    uint32_t hash;
} ix_jpair;

/* Pairs in the order in which their keys came; an index over them once there are many. */
struct ix_jdict {
    ix_jpair *pairs;
    size_t count, capacity;
    uint32_t *index; /* pair number + 1 at hash & mask, or a slot behind it; 0: free */
    uint32_t mask;
};

inox_status ix_j_dict(ix_jrender *r, size_t capacity, ix_jvalue *out, inox_error *err) IX_MUST_USE;
/* Sets dict[key]; an unhashable key is an error. */
inox_status ix_j_dict_set(ix_jrender *r, ix_jvalue dict, ix_jvalue key, ix_jvalue value,
                          inox_error *err) IX_MUST_USE;
/* *found = where dict[key] is, or NULL; an unhashable key is an error. */
inox_status ix_j_dict_get(ix_jrender *r, const ix_jdict *d, ix_jvalue key, ix_jvalue **found,
                          inox_error *err) IX_MUST_USE;
/* The same for a key that is a string; cannot fail. */
ix_jvalue *ix_j_dict_find(const ix_jdict *d, ix_jstring *key);
ix_jpair *ix_j_dict_find_pair(const ix_jdict *d, ix_jstring *key);
ix_jvalue *ix_j_dict_find_text(const ix_jdict *d, const char *key);

/* ---- range, views ---------------------------------------------------------------------------- */

struct ix_jrange {
    int64_t start, stop, step; /* step is not 0 */
    int64_t count;             /* items */
};
inox_status ix_j_range(ix_jrender *r, int64_t start, int64_t stop, int64_t step, ix_jvalue *out,
                       inox_error *err) IX_MUST_USE;

typedef enum ix_jview_kind { IX_J_KEYS, IX_J_VALUES, IX_J_ITEMS } ix_jview_kind;
struct ix_jview {
    ix_jdict *dict;
    ix_jview_kind what;
};
inox_status ix_j_view(ix_jrender *r, ix_jdict *d, ix_jview_kind what, ix_jvalue *out,
                      inox_error *err) IX_MUST_USE;

/* ---- iterating ------------------------------------------------------------------------------- */

/* A lazy sequence.  Whoever makes one puts this first in a struct of its own, allocated with
 * IX_J_ALLOC, and sets next and type. */
struct ix_jiter {
    /* *more = whether there was one more item, then in *item.  Called no more after a false. */
    inox_status (*next)(ix_jrender *r, ix_jiter *it, ix_jvalue *item, bool *more, inox_error *err);
    const char *type; /* "generator", "list_reverseiterator", ...: for messages */
    bool done;        /* set by ix_j_cursor_next */
};

/* Walks over anything that Python iterates: on the stack, nothing to release. */
typedef struct ix_jcursor {
    ix_jvalue over;
    size_t at, byte;
} ix_jcursor;

/* Fails as Python does ("'int' object is not iterable") where v cannot be iterated. */
inox_status ix_j_cursor_start(ix_jrender *r, ix_jvalue v, ix_jcursor *c,
                              inox_error *err) IX_MUST_USE;
inox_status ix_j_cursor_next(ix_jrender *r, ix_jcursor *c, ix_jvalue *item, bool *more,
                             inox_error *err) IX_MUST_USE;
/* True if v can be iterated. */
bool ix_j_is_iterable(ix_jvalue v);
/* *out = list(v), always a new one; tuple(v) likewise. */
inox_status ix_j_to_list(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err) IX_MUST_USE;
inox_status ix_j_to_tuple(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* ---- undefined ------------------------------------------------------------------------------- */

struct ix_jundefined {
    ix_jvalue name;   /* what was looked up */
    ix_jvalue object; /* in what, or IX_J_MISSING: among the variables */
    const char *hint; /* the message, where it is none of jinja2's usual ones; or NULL */
    bool refused;     /* by the sandbox: using it is a SecurityError */
};

/* *out = undefined: a variable of that name; object[name]; with a message of its own (which must
 * outlive the rendering: ix_j_alloc, or a literal). */
inox_status ix_j_undefined(ix_jrender *r, ix_jvalue object, ix_jvalue name, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;
inox_status ix_j_undefined_hint(ix_jrender *r, const char *hint, ix_jvalue *out,
                                inox_error *err) IX_MUST_USE;
/* Always fails, with jinja2's message for the use of an undefined value ("'x' is undefined"). */
inox_status ix_j_undefined_error(ix_jrender *r, ix_jvalue v, inox_error *err) IX_MUST_USE;

/* ---- functions, objects ---------------------------------------------------------------------- */

struct ix_jentry; /* library.h */

struct ix_jmethod {
    const struct ix_jentry *entry;
    ix_jvalue self; /* or IX_J_MISSING: a global function */
};

struct ix_jcall; /* library.h */

/* What an object does.  Functions that are NULL: Python's message for a type that cannot. */
typedef struct ix_jclass {
    const char *name; /* type(x).__name__ */
    /* *out = the attribute, IX_J_MISSING if there is none */
    inox_status (*attribute)(ix_jrender *r, ix_jobject *o, ix_jstring *name, ix_jvalue *out,
                             inox_error *err);
    inox_status (*call)(struct ix_jcall *c, ix_jvalue *out, inox_error *err); /* c->self is it */
    inox_status (*str)(ix_jbuilder *b, ix_jobject *o, inox_error *err);       /* str and repr */
    inox_status (*length)(ix_jrender *r, ix_jobject *o, size_t *length, inox_error *err);
    inox_status (*item)(ix_jrender *r, ix_jobject *o, ix_jvalue key, ix_jvalue *out,
                        inox_error *err); /* o[key]; IX_J_MISSING if there is none */
} ix_jclass;

/* The first member of every object. */
struct ix_jobject {
    const ix_jclass *class;
};

/* ---- what Python does with any value --------------------------------------------------------- */

const char *ix_j_type_name(ix_jvalue v); /* "str", "NoneType", ... */
static inline bool ix_j_is_string(ix_jvalue v)
{
    return v.kind == IX_J_STRING;
}
static inline bool ix_j_is_undefined(ix_jvalue v)
{
    return v.kind == IX_J_UNDEFINED;
}
/* isinstance(v, int): bool, int of any size. */
static inline bool ix_j_is_int(ix_jvalue v)
{
    return v.kind == IX_J_INT || v.kind == IX_J_BOOL || v.kind == IX_J_BIG;
}
static inline bool ix_j_is_number(ix_jvalue v)
{
    return ix_j_is_int(v) || v.kind == IX_J_FLOAT;
}
bool ix_j_is_callable(ix_jvalue v);
/* v is other: the same object, or values that CPython holds once (none, true, small ints, strings
 * of one character). */
bool ix_j_is_same(ix_jvalue a, ix_jvalue b);

/* bool(v). */
inox_status ix_j_truth(ix_jrender *r, ix_jvalue v, bool *out, inox_error *err) IX_MUST_USE;
/* a == b. */
inox_status ix_j_equal(ix_jrender *r, ix_jvalue a, ix_jvalue b, bool *out,
                       inox_error *err) IX_MUST_USE;
/* a < b and its like, with Python's error for types that do not compare. */
typedef enum ix_jorder { IX_J_LT, IX_J_LE, IX_J_GT, IX_J_GE } ix_jorder;
inox_status ix_j_compare(ix_jrender *r, ix_jorder op, ix_jvalue a, ix_jvalue b, bool *out,
                         inox_error *err) IX_MUST_USE;
/* item in container. */
inox_status ix_j_contains(ix_jrender *r, ix_jvalue container, ix_jvalue item, bool *out,
                          inox_error *err) IX_MUST_USE;
/* len(v). */
inox_status ix_j_len(ix_jrender *r, ix_jvalue v, size_t *out, inox_error *err) IX_MUST_USE;
/* hash(v), the same for equal values; an error for lists and dicts. */
inox_status ix_j_hash(ix_jrender *r, ix_jvalue v, uint32_t *out, inox_error *err) IX_MUST_USE;

/* + - * / // % ** of Python.  % with a string on the left calls the library's formatting. */
typedef enum ix_jop {
    IX_J_ADD,
    IX_J_SUB,
    IX_J_MUL,
    IX_J_DIV,
    IX_J_FLOORDIV,
    IX_J_MOD,
    IX_J_POW
} ix_jop;
inox_status ix_j_arithmetic(ix_jrender *r, ix_jop op, ix_jvalue a, ix_jvalue b, ix_jvalue *out,
                            inox_error *err) IX_MUST_USE;
inox_status ix_j_negate(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* obj[key] and obj.name as the sandboxed environment finds them: item first, or attribute first;
 * undefined where neither is. */
inox_status ix_j_getitem(ix_jrender *r, ix_jvalue object, ix_jvalue key, ix_jvalue *out,
                         inox_error *err) IX_MUST_USE;
inox_status ix_j_getattr(ix_jrender *r, ix_jvalue object, ix_jstring *name, ix_jvalue *out,
                         inox_error *err) IX_MUST_USE;
/* The attribute alone (getattr of Python, then the sandbox's word on it): IX_J_MISSING if there is
 * none.  For the filter attr. */
inox_status ix_j_attribute(ix_jrender *r, ix_jvalue object, ix_jstring *name, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;

/* ---- budget and errors ----------------------------------------------------------------------- */

/* Takes n steps from the budget: INOX_E_LIMIT when it is spent.  A step is about the work of one
 * node of the template, or of 64 bytes copied or compared; builders, cursors, find, equal and their
 * like count for themselves. */
inox_status ix_j_steps(ix_jrender *r, uint64_t n, inox_error *err) IX_MUST_USE;

/* Around what may nest as deep as a value does (printing, comparing): INOX_E_LIMIT too deep. */
inox_status ix_j_enter(ix_jrender *r, inox_error *err) IX_MUST_USE;
void ix_j_leave(ix_jrender *r);

/* Fails with Python's class of error and its words: ix_j_fail(err, "TypeError", "...").  The
 * evaluator puts the line and column of the template before it. */
inox_status ix_j_fail(inox_error *err, const char *class, const char *format, ...) IX_PRINTF(3, 4);

#endif
