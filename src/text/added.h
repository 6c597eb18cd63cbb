/* Added tokens of tokenizer.json: spellings that are taken out of a text before the model sees it.
 * Private to src/text.
 *
 * There are two sets: tokens that are looked for in the text as it is, and tokens (normalized:
 * true) that are looked for in what the normalizer makes of it.  In both the leftmost spelling
 * counts, and of several that begin there the longest.
 */
#ifndef IX_TEXT_ADDED_H
#define IX_TEXT_ADDED_H

#include "text/encoding.h"
#include "text/first_bytes.h"
#include "text/model.h"
#include "text/normalizer.h"

typedef struct ix_added_token {
    ix_text_view content;    /* as the file writes it */
    ix_text_view normalized; /* what it is looked for as, and what decoders get */
    int32_t id;
    bool single_word, lstrip, rstrip, is_normalized, special;
} ix_added_token;

typedef struct ix_added ix_added; /* immutable once made */

/* From "added_tokens".  Ids are those of the model's vocabulary where it has the spelling, and the
 * next free ones where not; the file's ids count for nothing, as in the original. */
inox_status ix_added_from_json(const json_t *list, const ix_model *m, const ix_normalizer *n,
                               ix_added **out, inox_error *err) IX_MUST_USE;
void ix_added_free(ix_added *a); /* NULL is fine */

/* One more than the greatest id, 0 without tokens. */
size_t ix_added_id_end(const ix_added *a);
/* The token of an id, or NULL. */
const ix_added_token *ix_added_of(const ix_added *a, int32_t id);
/* The id of a spelling, or -1. */
int32_t ix_added_find(const ix_added *a, const char *content, size_t size);
/* Whether a token of this text counts as special when text is decoded. */
bool ix_added_is_special(const ix_added *a, const char *text, size_t size);
/* Bytes of the longest spelling. */
size_t ix_added_longest(const ix_added *a);
/* Whether a set has tokens. */
bool ix_added_any(const ix_added *a, bool normalized);

/* A stretch of a text: a token, or (NULL) what lies between.  Stretches of tokens may lie inside
 * each other where they take white space (rstrip), as in the original. */
typedef struct ix_added_match {
    const ix_added_token *token;
    size_t start, end;
} ix_added_match;

/* Finds the tokens of one set in a text.  Where special tokens are not to be parsed, and in plain
 * ranges, the spelling of one is text, and hides what is spelled inside it. */
typedef struct ix_added_search {
    const ix_added *added;
    bool normalized;
    bool parse_special;
    const char *text;
    size_t size;
    /* Which byte lies in a plain range; NULL: none.  *border: the next byte with another answer. */
    bool (*plain)(void *context, size_t at, size_t *border);
    void *context;
    ix_first_search first;
    size_t at;        /* where the search goes on */
    size_t from;      /* end of the last stretch */
    size_t space_end; /* white space reaches from space_start to here, */
    size_t space_start;
    ix_added_match held; /* a token whose text in front went out first */
    bool ended;
} ix_added_search;

/* The next stretch, perhaps empty; false at the end. */
bool ix_added_next(ix_added_search *s, ix_added_match *out);

#endif
