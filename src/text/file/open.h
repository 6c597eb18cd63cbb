/* Opening a tokenizer from a file or a directory, whatever its format.
 *
 * The format is seen from the content, never from the name.  Where one file is not the whole, its
 * neighbours in the directory are asked: tokenizer_config.json and special_tokens_map.json beside
 * tokenizer.json and vocab.txt, merges.txt beside vocab.json, tiktoken.json beside a tiktoken file.
 * A GGUF file is recognised but not opened here: its vocabulary comes through ix_vocab_source.
 */
#ifndef IX_TEXT_FILE_OPEN_H
#define IX_TEXT_FILE_OPEN_H

#include "text/tokenizer.h"

typedef enum ix_tokenizer_format {
    IX_FORMAT_UNKNOWN = 0,
    IX_FORMAT_GGUF,
    IX_FORMAT_TOKENIZER_JSON,
    IX_FORMAT_TEKKEN,        /* Mistral's JSON */
    IX_FORMAT_SENTENCEPIECE, /* a .model file, protobuf */
    IX_FORMAT_TIKTOKEN,      /* lines of base64 and rank */
    IX_FORMAT_VOCAB_TXT,     /* WordPiece, a piece per line */
    IX_FORMAT_VOCAB_JSON,    /* {"piece": id, ...}: byte-level BPE with merges.txt */
} ix_tokenizer_format;

/* "tokenizer.json", "tiktoken", ...; "unknown". */
const char *ix_tokenizer_format_name(ix_tokenizer_format format);

/* What the bytes of a file are; fast, reads no more of a large file than it must. */
ix_tokenizer_format ix_tokenizer_detect(const char *data, size_t size);
/* The same of a file, or of the file of a directory that ix_tokenizer_open would take; *file (may
 * be NULL) is the path of that file, to be freed with ix_free. */
inox_status ix_tokenizer_detect_path(const char *path, ix_tokenizer_format *out, char **file,
                                     inox_error *err) IX_MUST_USE;

/* For tiktoken files, which hold no more than ranks; other formats refuse a pattern and special
 * tokens.  Start from zeros. */
typedef struct ix_open_options {
    ix_text_view pattern; /* the expression that cuts text into words; {NULL, 0}: none given */
    ix_text_view special_tokens; /* {"<|endoftext|>": 50256, ...} in JSON; {NULL, 0}: none given */
} ix_open_options;

/* options may be NULL.  A GGUF file is INOX_E_UNSUPPORTED. */
inox_status ix_tokenizer_open(const char *path, const ix_open_options *options, ix_tokenizer **out,
                              inox_error *err) IX_MUST_USE;
/* From the bytes of one file, which may go afterwards; nothing beside it is looked at. */
inox_status ix_tokenizer_read(const char *data, size_t size, const ix_open_options *options,
                              ix_tokenizer **out, inox_error *err) IX_MUST_USE;

#endif
