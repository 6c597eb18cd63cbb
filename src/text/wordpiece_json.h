/* A BERT vocabulary as the tokenizer.json that transformers would write.  Private to src/text. */
#ifndef IX_TEXT_WORDPIECE_JSON_H
#define IX_TEXT_WORDPIECE_JSON_H

#include "text/tokenizer.h"

#include <jansson.h>

typedef struct ix_bert_settings {
    const char *unknown, *cls, *separator, *padding, *mask; /* spellings */
    bool lowercase, han; /* to small letters; Chinese characters are words of their own */
    int strip_accents;   /* 1, 0, or -1: as lowercase */
    bool two_separators; /* between the parts of a pair, as MPNet has them */
} ix_bert_settings;

/* *out, a new reference.  vocab {piece: id} gets another one. */
inox_status ix_bert_json(json_t *vocab, const ix_bert_settings *settings, json_t **out,
                         inox_error *err) IX_MUST_USE;

/* Appends a special token to "added_tokens" unless it is there; one that the vocabulary lacks gets
 * the id *next, which moves on.  False where memory is short. */
bool ix_add_special_json(json_t *list, const json_t *vocab, const char *text, json_int_t *next);

/* Parts of a "TemplateProcessing": {"SpecialToken": ...}, {"Sequence": ...}, and the entry of a
 * token in "special_tokens", whose id is that in `added`. */
json_t *ix_template_token_json(const char *text, int type);
json_t *ix_template_sequence_json(const char *name, int type);
json_t *ix_template_entry_json(const char *text, const json_t *added);

/* A GGUF vocabulary of the kind "bert". */
inox_status ix_tokenizer_from_gguf_wordpiece(const ix_vocab_source *source, ix_tokenizer **out,
                                             inox_error *err) IX_MUST_USE;

#endif
