/* Decoders: the "decoder" of tokenizer.json.  Strings of tokens to text.
 *
 * All of Hugging Face's: ByteLevel, WordPiece, Metaspace, BPEDecoder, CTC, ByteFallback, Fuse,
 * Strip, Replace, Sequence.  There is one way of decoding, in a stream: tokens go in one by one,
 * what is certain comes out, and all together it is what the library makes of the whole list.
 * What comes out is whole characters as long as the tokens are.
 *
 *     token -> [stage] -> [stage] -> ... -> text
 *
 * A stage holds back what a later token may change: bytes of an unfinished character, the bytes of
 * byte tokens until another kind follows, the last token of BPEDecoder, trailing characters that
 * Strip may take away.
 */
#ifndef IX_TEXT_DECODER_H
#define IX_TEXT_DECODER_H

#include "base/alloc.h"
#include "base/status.h"
#include "text/view.h"

#include <jansson.h>

typedef struct ix_decode_stages ix_decode_stages; /* immutable */

/* "decoder" of tokenizer.json; null or missing (NULL) gives NULL. */
inox_status ix_decode_stages_from_json(const json_t *j, ix_decode_stages **out,
                                       inox_error *err) IX_MUST_USE;
void ix_decode_stages_free(ix_decode_stages *d); /* NULL is fine */

/* One text being decoded.  A NULL d puts a space between tokens, as the library does where a file
 * has no decoder.  d must outlive it. */
typedef struct ix_decode_stream ix_decode_stream;
inox_status ix_decode_stream_new(const ix_decode_stages *d, ix_decode_stream **out,
                                 inox_error *err) IX_MUST_USE;
void ix_decode_stream_free(ix_decode_stream *s); /* NULL is fine */
/* The next token; what became certain is appended to `out`. */
inox_status ix_decode_stream_push(ix_decode_stream *s, ix_text_view token, ix_buffer *out,
                                  inox_error *err) IX_MUST_USE;
/* The end: appends the rest, and the stream is new again. */
inox_status ix_decode_stream_flush(ix_decode_stream *s, ix_buffer *out,
                                   inox_error *err) IX_MUST_USE;

/* Appends the text of a whole list. */
inox_status ix_decode_tokens(const ix_decode_stages *d, const ix_text_view *tokens, size_t count,
                             ix_buffer *out, inox_error *err) IX_MUST_USE;

#endif
