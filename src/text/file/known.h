/* Published tiktoken files, known by the SHA-256 of their content: what such a file does not say
 * itself, its expression and its special tokens.
 */
#ifndef IX_TEXT_FILE_KNOWN_H
#define IX_TEXT_FILE_KNOWN_H

#include "base/hash.h"

/* One token, or with count > 0 the tokens head "first" |>, head "first + 1" |>, ... and their
 * ids from `id` on. */
typedef struct ix_known_special {
    const char *head; /* NULL: the end of the list */
    int32_t id, first, count;
} ix_known_special;

typedef struct ix_known_ranks {
    const char *sha256;
    const char *name;
    const char *pattern;
    const ix_known_special *specials;
} ix_known_ranks;

/* NULL: none has this hash. */
const ix_known_ranks *ix_known_ranks_find(const uint8_t sha256[IX_SHA256_BYTES]);
/* The n-th, or NULL; for tests and messages. */
const ix_known_ranks *ix_known_ranks_at(size_t n);

#endif
