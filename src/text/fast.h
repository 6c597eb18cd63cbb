/* Fast paths: from text to tokens in one go, where pre-tokenizer and model are a known pair.
 *
 *     byte-level BPE behind the expressions of GPT-2, cl100k, Llama 3, Qwen and o200k: normalized
 *     text -> tokens
 *     BERT: source text -> (clean, lower case, words) -> WordPiece -> tokens
 *     Metaspace: source text -> (words) -> Unigram -> tokens
 *
 * The tokens are always those of the general path (a test compares both).  What a fast path does
 * not do itself, it hands back piece by piece to the caller's general one.
 */
#ifndef IX_TEXT_FAST_H
#define IX_TEXT_FAST_H

#include "text/bpe_merge.h"
#include "text/encoding.h"
#include "text/model.h"

typedef struct ix_fast ix_fast;

/* *out = NULL where the pipeline is not a known one.  The arguments are the objects of
 * tokenizer.json (NULL or JSON null where it has none).  The model must outlive *out. */
inox_status ix_fast_from_json(const json_t *normalizer, const json_t *pre_tokenizer,
                              const ix_model *m, ix_fast **out, inox_error *err) IX_MUST_USE;

/* For ix_model_new_ranks: the expression that cuts text into words, by its name in pretokenize.h.
 * *out = NULL for one that has no fast path.  Offsets are those of bytes: a token may begin or end
 * inside a character. */
inox_status ix_fast_from_name(const char *pretokenizer, const ix_model *m, ix_fast **out,
                              inox_error *err) IX_MUST_USE;

/* Byte-level BPE from its parts, which must all outlive *out. */
typedef struct ix_fast_parts {
    const char *pretokenizer;
    const ix_bpe *bpe;
    const ix_piece_table *table; /* pieces as bytes */
    const ix_text_view *bytes;   /* of `count` entries of the table */
    const int32_t *ids;          /* of each entry; NULL: its number */
    size_t count;
    const int32_t *byte_ids; /* 256; all bytes must be tokens */
    bool ignore_merges;      /* a word that is a piece is that token */
    const uint8_t *types;    /* NULL, or: control pieces (IX_PIECE_CONTROL) are no words */
    bool only_merges;        /* new words are merged: nothing is made beforehand for a search */
    bool whole_characters;   /* a token's range is that of the characters it has bytes of */
} ix_fast_parts;
inox_status ix_fast_from_parts(const ix_fast_parts *parts, ix_fast **out,
                               inox_error *err) IX_MUST_USE;
void ix_fast_free(ix_fast *f); /* NULL is fine */

/* True: ix_fast_encode takes the source text and normalizes by itself.  False: it takes the text
 * that the normalizer made; the tokens' ranges are bytes of that. */
bool ix_fast_takes_source(const ix_fast *f);
/* Whether it gives such arrays of an encoding (IX_WANT_...). */
bool ix_fast_gives(const ix_fast *f, unsigned want);

/* Appends the tokens of bytes [start, end) of the text that was given to ix_fast_encode, by way of
 * normalizer, pre-tokenizer and model: ids, and ranges and words where out->want has them, as
 * below. */
typedef inox_status (*ix_fast_general)(void *context, size_t start, size_t end, ix_encoding *out,
                                       inox_error *err);

/* A scratch of any model, or of none (ix_model_scratch_new(NULL)), serves one fast path.
 * Appends the tokens of text[start..end), a whole fragment without added tokens that is well-formed
 * UTF-8: their ids; where out->want has IX_WANT_OFFSETS their ranges, in bytes of `text`; where it
 * has IX_WANT_WORDS, the numbers of their words, from 0 on.  What else is wanted is the caller's to
 * fill in.  `general` is only called where ix_fast_takes_source, and may
 * be NULL elsewhere. */
inox_status ix_fast_encode(const ix_fast *f, ix_model_scratch *s, const char *text, size_t start,
                           size_t end, ix_fast_general general, void *context, ix_encoding *out,
                           inox_error *err) IX_MUST_USE;

#endif
