/* The readers of this folder, one per format.  Private to src/text/file and its tests.
 *
 * Bytes are untrusted and may go after the call.  A missing neighbour is {NULL, 0}. */
#ifndef IX_TEXT_FILE_FORMATS_H
#define IX_TEXT_FILE_FORMATS_H

#include "text/file/open.h"

/* SentencePiece's ModelProto. */
inox_status ix_tokenizer_from_sentencepiece(ix_text_view file, ix_tokenizer **out,
                                            inox_error *err) IX_MUST_USE;

/* tiktoken: `name` is the file's name without folder (the entry of tiktoken.json with that "file"
 * counts; a tiktoken.json of one entry always does), or NULL. */
inox_status ix_tokenizer_from_tiktoken(ix_text_view file, ix_text_view tiktoken_json,
                                       const char *name, const ix_open_options *options,
                                       ix_tokenizer **out, inox_error *err) IX_MUST_USE;

/* Mistral's tekken.json. */
inox_status ix_tokenizer_from_tekken(ix_text_view file, ix_tokenizer **out,
                                     inox_error *err) IX_MUST_USE;

/* vocab.txt, as transformers' BertTokenizer builds it. */
inox_status ix_tokenizer_from_vocab_txt(ix_text_view file, ix_text_view config,
                                        ix_text_view special_map, ix_tokenizer **out,
                                        inox_error *err) IX_MUST_USE;

/* vocab.json and merges.txt, as transformers' GPT2Tokenizer builds them. */
inox_status ix_tokenizer_from_vocab_json(ix_text_view vocab, ix_text_view merges,
                                         ix_text_view config, ix_text_view special_map,
                                         ix_tokenizer **out, inox_error *err) IX_MUST_USE;

#endif
