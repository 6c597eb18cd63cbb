/* Regular expressions as the files of tokenizers carry them, in time linear in the text.
 *
 * The language is that of the library which a file's expressions are written for (ix_regex_syntax).
 * What makes matching non-regular (back references, calls of groups, conditionals) and what this
 * engine leaves out (\K, \X, absent groups, callouts) is INOX_E_UNSUPPORTED, and what is malformed
 * INOX_E_FORMAT, both with the byte position in the expression.  Groups capture nothing: an answer
 * is where a match begins and ends.
 *
 * Matches are those of a backtracking engine: leftmost, earlier alternatives first, quantifiers as
 * greedy or lazy as they are written.  Unlike one, a search remembers which (instruction, position)
 * pairs fail, and keeps that over all matches of a text, so the steps of finding all matches are
 * bounded by the product of the program's size and the text's length, whatever the expression.
 * What is remembered covers the text from the running match's beginning to the farthest place
 * looked at; should that need more than IX_MAX_REGEX_MEMORY, the search ends with INOX_E_LIMIT.
 * Nothing recurses on the text.
 *
 * One difference from Oniguruma is known: there a counted group of which one round matches nothing
 * may be given up before its count is reached, depending on the size of its body ((?:\A.{0,2}){2}
 * matches nothing of abc); here all rounds are gone through, as in the other libraries.
 *
 * A byte that begins no character (strictly: no surrogates, no overlong forms) is a character of
 * its own that only negated classes and a dot hold.
 */
#ifndef IX_TEXT_REGEX_REGEX_H
#define IX_TEXT_REGEX_REGEX_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose expressions and whose Unicode. */
typedef enum ix_regex_syntax {
    IX_REGEX_ONIGURUMA, /* tokenizer.json: Oniguruma with its own syntax */
    IX_REGEX_RUST,      /* tiktoken and tekken: fancy-regex */
} ix_regex_syntax;

typedef struct ix_regex ix_regex;

/* The expression need not outlive the call.  A compiled one is immutable: any number of threads
 * may search with it. */
inox_status ix_regex_new(const char *expression, size_t size, ix_regex_syntax syntax,
                         ix_regex **out, inox_error *err) IX_MUST_USE;
void ix_regex_free(ix_regex *r); /* NULL is fine */

/* All matches of one text, in order.  Starts as zeros; belongs to one thread. */
typedef struct ix_regex_search {
    const ix_regex *regex;
    const char *text;
    size_t size, at; /* at: where the next match may begin */
    size_t last_end; /* of the match before; SIZE_MAX: none */
    uint64_t steps;  /* instructions so far, over all texts */
    struct ix_regex_work *work;
} ix_regex_search;

/* Begins with a text, which stays the caller's.  Memory of an earlier text is kept for this one. */
void ix_regex_start(ix_regex_search *s, const ix_regex *r, const char *text, size_t size);
/* The next match text[*start..*end), or *found = false behind the last.  An empty match directly
 * behind the match before is passed over, as the libraries' find_iter does. */
inox_status ix_regex_next(ix_regex_search *s, size_t *start, size_t *end, bool *found,
                          inox_error *err) IX_MUST_USE;
void ix_regex_release(ix_regex_search *s);

#endif
