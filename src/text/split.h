/* Pre-tokenizers: the "pre_tokenizer" of tokenizer.json.
 *
 * All of Hugging Face's: BertPreTokenizer, ByteLevel, CharDelimiterSplit, Metaspace, Whitespace,
 * WhitespaceSplit, Punctuation, Digits, Split, UnicodeScripts, FixedLength, Sequence.  A stage cuts
 * each piece of the stage before it by itself (an expression sees nothing outside of its piece),
 * and may rewrite it.
 */
#ifndef IX_TEXT_SPLIT_H
#define IX_TEXT_SPLIT_H

#include "text/mapped.h"
#include "text/pattern.h"

#include <jansson.h>

typedef struct ix_piece_range {
    uint32_t start, end; /* bytes of text.data; never empty */
} ix_piece_range;

/* A text in pieces, which are in order and do not overlap; between them may be what was removed.
 * Starts from ix_split_begin. */
typedef struct ix_split {
    ix_mapped_text text;
    ix_piece_range *pieces;
    size_t count, capacity;
    ix_piece_range *spare; /* what the next stage cuts into */
    size_t spare_capacity;
    bool cut; /* a stage has cut (perhaps into one piece): a piece begins in the source where its
                 first byte does.  Else there is one piece at most, and it begins at text.base. */
} ix_split;

/* One piece, the whole text (none if it is empty).  Takes the text: *text is empty afterwards.  The
 * arrays of an earlier use of *s are used again. */
inox_status ix_split_begin(ix_split *s, ix_mapped_text *text, inox_error *err) IX_MUST_USE;
void ix_split_release(ix_split *s);

typedef struct ix_splitter ix_splitter; /* immutable; a NULL pointer leaves the text in one piece */

/* "pre_tokenizer" of tokenizer.json; null or missing (NULL) gives NULL. */
inox_status ix_splitter_from_json(const json_t *j, ix_splitter **out, inox_error *err) IX_MUST_USE;
void ix_splitter_free(ix_splitter *p); /* NULL is fine */

/* Cuts and rewrites.  raw: the last stage's writing in GPT-2's alphabet of bytes is left out, so
 * that pieces are the bytes themselves; only where ix_splitter_writes_bytes. */
inox_status ix_splitter_run(const ix_splitter *p, ix_split *s, bool raw,
                            inox_error *err) IX_MUST_USE;

/* The last stage, and no stage before it, writes the pieces in GPT-2's alphabet of bytes. */
bool ix_splitter_writes_bytes(const ix_splitter *p);

/* The expression, where cutting by it (each match and what lies between matches is a piece) and
 * then perhaps writing in GPT-2's alphabet is all that is done; else NULL.  For those who need no
 * list of pieces. */
const ix_pattern *ix_splitter_pattern(const ix_splitter *p);

/* GPT-2's alphabet: byte b is written as the code point ix_byte_alphabet[b] (all below U+0144). */
extern const uint16_t ix_byte_alphabet[256];
/* The byte that a character of the alphabet stands for, or -1. */
int ix_byte_of_alphabet(uint32_t c);
/* Writes every byte of a text in it: the normalizer ByteLevel. */
inox_status ix_write_bytes(ix_mapped_text *text, inox_error *err) IX_MUST_USE;

#endif
