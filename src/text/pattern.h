/* The expressions of tokenizer files, each matched in the fastest way there is: the published ones
 * (GPT-2's, Llama 3's, ...) by the matchers of text/pretokenize.h, which are written by hand, all
 * others by text/regex.  Both give the same matches (test/test_regex.c), in linear time.
 */
#ifndef IX_TEXT_PATTERN_H
#define IX_TEXT_PATTERN_H

#include "text/pretokenize.h"
#include "text/regex/regex.h"

typedef struct ix_pattern ix_pattern; /* immutable: any number of threads may search with one */

/* Errors name the byte position in the expression. */
inox_status ix_pattern_new(const char *expression, size_t size, ix_regex_syntax syntax,
                           ix_pattern **out, inox_error *err) IX_MUST_USE;
/* A pattern that matches these bytes themselves ({"String": ...} of tokenizer.json). */
inox_status ix_pattern_new_literal(const char *bytes, size_t size, ix_pattern **out,
                                   inox_error *err) IX_MUST_USE;
void ix_pattern_free(ix_pattern *p); /* NULL is fine */

/* The name in text/pretokenize.h of the pre-tokenizer that is this expression and nothing else, or
 * NULL.  For those who match the usual ones in a way of their own. */
const char *ix_pattern_known(const ix_pattern *p);
/* The n-th expression that is recognised, or NULL.  For tests. */
const char *ix_pattern_expression(size_t n);

/* All matches of one text, in order, as the libraries' find_iter gives them: an empty match
 * directly behind the match before is passed over.  Starts as zeros; belongs to one thread. */
typedef struct ix_pattern_cursor {
    const ix_pre_stage *stage; /* written by hand, or NULL: */
    ix_pre_piece piece;
    ix_regex_search search;
} ix_pattern_cursor;

/* Begins with a text, which stays the caller's; the cursor may have been through other texts. */
void ix_pattern_start(ix_pattern_cursor *c, const ix_pattern *p, const char *text, size_t size);
/* The next match text[*start..*end), or *found = false behind the last. */
inox_status ix_pattern_next(ix_pattern_cursor *c, size_t *start, size_t *end, bool *found,
                            inox_error *err) IX_MUST_USE;
void ix_pattern_release(ix_pattern_cursor *c);

#endif
