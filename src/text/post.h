/* What happens to the tokens of a text, or of a pair, once they are made: truncation, special
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
/* [bos] A [eos], and for pairs [bos] A [eos] [bos] B [eos]; -1: none.  The range of BOS is the
 * empty one at the beginning of its text, that of EOS the one at the end. */
inox_status ix_post_new(int32_t bos, int32_t eos, ix_post **out, inox_error *err) IX_MUST_USE;
/* [cls] A [sep] and [cls] A [sep] B [sep], B and its [sep] being of type 1. */
inox_status ix_post_new_bert(int32_t cls, int32_t sep, ix_post **out, inox_error *err) IX_MUST_USE;
void ix_post_free(ix_post *p); /* NULL is fine */

/* ---- for tokenizer.c ------------------------------------------------------------------------- */

/* Special tokens that are added. */
size_t ix_post_added(const ix_post *p, bool is_pair);
/* Whether encodings need IX_WANT_SPACES, _OFFSETS, _WORDS and _SEQUENCES. */
bool ix_post_trims(const ix_post *p);
/* The token that goes in front of one sequence, or -1. */
int32_t ix_post_first(const ix_post *p);

/* Cuts the encodings of one or two sequences; `added` special tokens will come.  What is cut off
 * becomes windows, if they are wanted. */
inox_status ix_truncate(ix_encoding *encodings, size_t count, const ix_truncation *truncation,
                        size_t added, inox_error *err) IX_MUST_USE;
/* Joins the encodings of one or two sequences into *out, which is empty; takes their arrays. */
inox_status ix_post_run(const ix_post *p, const ix_encode_input *in, ix_encoding *encodings,
                        size_t count, bool special, ix_encoding *out, inox_error *err) IX_MUST_USE;
/* Pads a batch and its windows. */
inox_status ix_pad(ix_encoding *encodings, size_t count, const ix_padding *padding,
                   inox_error *err) IX_MUST_USE;
/* Streams: whether special tokens stand before and behind a text that stands there once. */
bool ix_post_has_edges(const ix_post *p);
/* The same of the text alone: a template may have it twice, or not at all. */
bool ix_post_has_text_once(const ix_post *p);
/* Appends those before the text, or those behind; at: where its edge is. */
inox_status ix_post_edge(const ix_post *p, bool before, size_t at, ix_encoding *out,
                         inox_error *err) IX_MUST_USE;
/* Trims offsets of the tokens from `first` on, of a stretch of text that may be its beginning. */
void ix_post_trim_text(const ix_post *p, ix_text_view text, bool beginning, ix_encoding *e,
                       size_t first);

#endif
