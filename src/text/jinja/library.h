/* How a filter, test, method or global of the template language is declared, gets its arguments,
 * and calls back.
 *
 * Every one is a row of a table: its name, its function, and its parameters as Python names them.
 * The evaluator binds the arguments of a call to the parameters before the function runs (and makes
 * Python's errors for too many, too few, or unknown ones), so that c->args[i] is parameter i, or
 * IX_J_MISSING where it was not given.
 */
#ifndef IX_TEXT_JINJA_LIBRARY_H
#define IX_TEXT_JINJA_LIBRARY_H

#include "text/jinja/value.h"

#define IX_J_MAX_PARAMETERS 6

typedef struct ix_jkeyword {
    ix_jstring *name;
    ix_jvalue value;
} ix_jkeyword;

/* One call. */
typedef struct ix_jcall {
    ix_jrender *r;
    ix_jvalue self; /* methods: the value it is of; filters and tests: args[0] */
    ix_jvalue args[IX_J_MAX_PARAMETERS];
    const ix_jvalue *rest; /* *args: positional arguments behind the parameters */
    size_t rest_count;
    const ix_jkeyword *keywords; /* **kwargs: keyword arguments that are no parameter's */
    size_t keyword_count;
    const struct ix_jentry *entry;
    bool autoescape; /* whether {% autoescape true %} is around the call */
} ix_jcall;

typedef inox_status (*ix_jfunction)(ix_jcall *c, ix_jvalue *out, inox_error *err);
/* Appends what a function gives. */
typedef inox_status (*ix_jwriter)(ix_jcall *c, ix_jbuilder *b, inox_error *err);
/* What a test says that needs nothing but the value and cannot fail. */
typedef bool (*ix_jpredicate)(ix_jvalue v);

/* A row.  Filters and tests: parameter 0 is the value in front of the | or the is. */
typedef struct ix_jentry {
    const char *name;
    ix_jfunction run;    /* NULL with `refused`, where nothing can be done with it */
    ix_jwriter write;    /* filters that give a str of what is no Markup: the same, written */
    ix_jpredicate holds; /* tests: the same, where it is so simple; or NULL */
    const char *parameters[IX_J_MAX_PARAMETERS];
    uint8_t required; /* the first so many parameters must be given */
    bool rest;        /* takes *args */
    bool keywords;    /* takes **kwargs */
    bool positional;  /* takes no argument by name (most methods of str, list, dict) */
    bool refused;  /* a method that the sandbox refuses (append): undefined, an error if called */
    bool property; /* an attribute that is a value: run gives it, without a call */
    const struct ix_jentry *methods; /* globals: what they have besides being called; or NULL */
    const char
        *excluded; /* the reason, where Inox leaves it out: using it is an error that says so */
} ix_jentry;

/* dict.fromkeys, of the class and of every dict: a dict with the keys of an iterable. */
inox_status ix_j_dict_fromkeys(ix_jcall *c, ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* The tables, one per file of the library, each ending with a row whose name is NULL; rows in any
 * order (they are looked up once, when a template is read, or through ix_j_find_entry). */
extern const ix_jentry ix_j_filters[];
extern const ix_jentry ix_j_tests[];
extern const ix_jentry ix_j_globals[]; /* range, dict, lipsum, cycler, joiner, namespace, ... */
extern const ix_jentry ix_j_string_methods[];
extern const ix_jentry ix_j_list_methods[];
extern const ix_jentry ix_j_tuple_methods[];
extern const ix_jentry ix_j_dict_methods[];
extern const ix_jentry ix_j_int_methods[]; /* bool's too */
extern const ix_jentry ix_j_float_methods[];
extern const ix_jentry ix_j_range_methods[];
extern const ix_jentry ix_j_view_methods[];
extern const ix_jentry ix_j_values_methods[]; /* of dict.values() */

/* The row of that name, or NULL. */
const ix_jentry *ix_j_find_entry(const ix_jentry *table, const char *name, size_t size);

/* Refuses a name that no attribute of a namespace may have (globals.c). */
inox_status ix_j_check_attribute(ix_jrender *r, ix_jstring *name, inox_error *err) IX_MUST_USE;

/* The left % right of strings, which the evaluator calls (format.c). */
inox_status ix_j_percent(ix_jrender *r, ix_jstring *format, ix_jvalue values, ix_jvalue *out,
                         inox_error *err) IX_MUST_USE;

/* ---- calling back ---------------------------------------------------------------------------- */

/* Calls a value: a macro, a function, a method, an object. */
inox_status ix_j_call(ix_jrender *r, ix_jvalue callee, const ix_jvalue *args, size_t count,
                      const ix_jkeyword *keywords, size_t keyword_count, ix_jvalue *out,
                      inox_error *err) IX_MUST_USE;

/* Calls a row with arguments as they stand in the template: binds, runs. */
inox_status ix_j_call_entry(ix_jrender *r, const ix_jentry *entry, ix_jvalue self,
                            const ix_jvalue *args, size_t count, const ix_jkeyword *keywords,
                            size_t keyword_count, ix_jvalue *out, inox_error *err) IX_MUST_USE;

/* The filter or test of that name on args[0] with the others, as map('upper') and select('odd') do
 * it; unknown names are jinja2's error. */
inox_status ix_j_call_filter(ix_jrender *r, ix_jvalue name, const ix_jvalue *args, size_t count,
                             const ix_jkeyword *keywords, size_t keyword_count, ix_jvalue *out,
                             inox_error *err) IX_MUST_USE;
inox_status ix_j_call_test(ix_jrender *r, ix_jvalue name, const ix_jvalue *args, size_t count,
                           const ix_jkeyword *keywords, size_t keyword_count, bool *out,
                           inox_error *err) IX_MUST_USE;

/* The time that strftime_now sees: the option, or the clock. */
typedef struct ix_jtime {
    int year, month, day, hour, minute, second, microsecond;
} ix_jtime;
inox_status ix_j_now(ix_jrender *r, ix_jtime *out, inox_error *err) IX_MUST_USE;

/* A number from the rendering's own generator (the filter random, lipsum); the same every time. */
uint64_t ix_j_random(ix_jrender *r);

/* ---- arguments ------------------------------------------------------------------------------- */

/* True if argument i was given. */
static inline bool ix_j_given(const ix_jcall *c, int i)
{
    return c->args[i].kind != IX_J_MISSING;
}
/* Argument i as an index (operator.index: int or bool, big ones clamped), `otherwise` where it is
 * missing; an error for other types: "'str' object cannot be interpreted as an integer". */
inox_status ix_j_index_argument(const ix_jcall *c, int i, int64_t otherwise, int64_t *out,
                                inox_error *err) IX_MUST_USE;
/* Argument i by its truth, `otherwise` where it is missing. */
inox_status ix_j_truth_argument(const ix_jcall *c, int i, bool otherwise, bool *out,
                                inox_error *err) IX_MUST_USE;

#endif
