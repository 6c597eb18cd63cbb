/* What happens to the tokens of a text, or of a pair, when they are made: truncation, special
 * tokens around them, padding.  Private to src/text; families only make an ix_post.
 */
#ifndef IX_TEXT_POST_H
#define IX_TEXT_POST_H

#include "text/encoding.h"

#include <jansson.h>

/* A post-processor: templates of special tokens and sequences, and trimming of offsets.  Immutable;
 * a NULL pointer adds nothing and joins the two of a pair. */
typedef struct ix_post ix_post;

/* "post_processor" of tokenizer.json; null or missing gives NULL. */
inox_status ix_post_from_json(const json_t *j, ix_post **out, inox_error *err) IX_MUST_USE;
/* [bos] A [eos], and for pairs [bos] A [eos] [bos] B [eos]; -1: none. */
inox_status ix_post_new(int32_t bos, int32_t eos, ix_post **out, inox_error *err) IX_MUST_USE;
void ix_post_free(ix_post *p); /* NULL is fine */

#endif
