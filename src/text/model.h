/* Models: a piece of text to tokens.  BPE, WordPiece, Unigram and WordLevel.
 *
 *     text -> normalizer -> pre-tokenizer -> [ word ] -> model -> tokens
 *
 * A model is immutable once made and copies what it is made from: any number of threads may use
 * one at once, each with a scratch of its own.  A scratch belongs to one model; it holds the
 * arrays that words are worked on in and a cache of words of a fixed size.
 *
 * Everything that a model is made from is untrusted.  Tokenizing takes time linear in the text
 * (n log n at worst), memory linear in the longest word, and never recurses.
 */
#ifndef IX_TEXT_MODEL_H
#define IX_TEXT_MODEL_H

#include "base/status.h"
#include "text/view.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ix_token {
    int32_t id;
    uint32_t start, end; /* bytes of the text that was handed in */
} ix_token;

typedef struct ix_token_list {
    ix_token *items;
    size_t count, capacity;
} ix_token_list;

inox_status ix_token_list_add(ix_token_list *list, int32_t id, size_t start, size_t end,
                              inox_error *err) IX_MUST_USE;
/* Room for `more` tokens behind those that are there. */
inox_status ix_token_list_reserve(ix_token_list *list, size_t more, inox_error *err) IX_MUST_USE;
void ix_token_list_release(ix_token_list *list);

typedef struct ix_model ix_model;
typedef struct ix_model_scratch ix_model_scratch;

typedef enum ix_model_kind {
    IX_MODEL_BPE,
    IX_MODEL_WORDPIECE,
    IX_MODEL_UNIGRAM,
    IX_MODEL_WORDLEVEL,
} ix_model_kind;

/* ---- making -------------------------------------------------------------------------------- */

/* The "model" object of a tokenizer.json; a missing "type" is told from the keys that are there. */
inox_status ix_model_from_json(const json_t *model, ix_model **out, inox_error *err) IX_MUST_USE;

/* Byte-level BPE without merges, as tiktoken and tekken have it: piece i is `pieces[i]` (bytes),
 * has rank i and is token first_id + i; any two neighbours that together are a piece merge.  A word
 * that is a piece is that token.  A missing piece is {NULL, 0}. */
inox_status ix_model_new_ranks(const ix_text_view *pieces, size_t count, int32_t first_id,
                               ix_model **out, inox_error *err) IX_MUST_USE;

/* WordPiece from a list of pieces (vocab.txt): the id is the place in the list, of equal pieces the
 * last counts.  `unknown` is a piece; it is looked up when it is needed. */
inox_status ix_model_new_wordpiece(const ix_text_view *pieces, size_t count, ix_text_view unknown,
                                   ix_text_view prefix, size_t word_characters_max, ix_model **out,
                                   inox_error *err) IX_MUST_USE;

/* A SentencePiece model.  Its answers are SentencePiece's own: scores are float32, user-defined
 * pieces are never split, unused ones come apart again, neighbouring unknown characters are one
 * token, and of a character's byte tokens all but the last have an empty range at its start. */
typedef struct ix_piece_source {
    size_t count;
    const ix_text_view *pieces;
    const float *scores;  /* NULL: all 0 */
    const uint8_t *types; /* IX_PIECE_...; NULL: all normal */
    int32_t unknown;      /* the id */
    bool byte_fallback;
} ix_piece_source;

inox_status ix_model_new_sentencepiece_unigram(const ix_piece_source *source, ix_model **out,
                                               inox_error *err) IX_MUST_USE;
/* merge false: characters and user-defined pieces only (the type "char"). */
inox_status ix_model_new_sentencepiece_bpe(const ix_piece_source *source, bool merge,
                                           ix_model **out, inox_error *err) IX_MUST_USE;

void ix_model_free(ix_model *m); /* NULL is fine */

/* ---- asking -------------------------------------------------------------------------------- */

ix_model_kind ix_model_kind_of(const ix_model *m);
/* Number of different pieces (tokenizers' get_vocab_size without added tokens). */
size_t ix_model_count(const ix_model *m);
/* One more than the greatest id: a vocabulary may have holes. */
size_t ix_model_id_end(const ix_model *m);
/* The id of a piece that is written exactly so, or -1. */
int32_t ix_model_find(const ix_model *m, const char *piece, size_t size);
/* The piece as the vocabulary writes it; {NULL, 0} for an id that is no piece. */
ix_text_view ix_model_piece(const ix_model *m, int32_t id);

/* ---- using --------------------------------------------------------------------------------- */

inox_status ix_model_scratch_new(const ix_model *m, ix_model_scratch **out,
                                 inox_error *err) IX_MUST_USE;
void ix_model_scratch_free(ix_model_scratch *s); /* NULL is fine */

/* Appends the tokens of text[start..end), which is one word.  The text is UTF-8 (bytes of any kind
 * for ix_model_new_ranks).  An error where the vocabulary lacks the unknown token and needs it. */
inox_status ix_model_tokenize(const ix_model *m, ix_model_scratch *s, const char *text,
                              size_t start, size_t end, ix_token_list *out,
                              inox_error *err) IX_MUST_USE;

#endif
