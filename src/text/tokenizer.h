/* Tokenizers: text to token ids and back.
 *
 * One opaque handle for every format.  Each format is a family (family.h): the arrays of a GGUF
 * file (ix_vocab_source), tokenizer.json, SentencePiece, tiktoken.  A tokenizer is immutable once
 * made: any number of threads may encode and decode with one tokenizer at once.
 *
 * Everything in a vocabulary is untrusted, and so is every text.  Encoding takes time linear in the
 * text (n log n at worst) and never recurses.
 */
#ifndef IX_TEXT_TOKENIZER_H
#define IX_TEXT_TOKENIZER_H

#include "base/alloc.h"
#include "base/status.h"
#include "text/encoding.h"
#include "text/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The types of pieces, as GGUF and SentencePiece number them. */
enum {
    IX_PIECE_NORMAL = 1,
    IX_PIECE_UNKNOWN = 2,
    IX_PIECE_CONTROL = 3,
    IX_PIECE_USER = 4,
    IX_PIECE_UNUSED = 5,
    IX_PIECE_BYTE = 6,
};

/* What a file says about its vocabulary.  Start from IX_VOCAB_SOURCE_INIT and set what the file
 * has. The arrays may go after ix_tokenizer_new; the bytes behind `pieces` must outlive the
 * tokenizer. */
typedef struct ix_vocab_source {
    const char *model;          /* tokenizer.ggml.model: "gpt2", "llama", "gemma4", ...; required */
    const char *pre;            /* tokenizer.ggml.pre; NULL: the file has none */
    const char *architecture;   /* general.architecture, or NULL */
    const char *name;           /* general.name, or NULL */
    size_t count;               /* of pieces, scores and types */
    const ix_text_view *pieces; /* tokenizer.ggml.tokens */
    const float *scores;        /* or NULL */
    const int32_t *types;       /* IX_PIECE_..., or NULL: all normal */
    size_t merge_count;
    const ix_text_view *merges; /* "left right"; NULL for kinds without merges */
    /* Flags: 1, 0, or -1 where the file does not say. */
    int8_t add_bos, add_eos, add_sep, add_space_prefix, remove_extra_whitespaces, ignore_merges;
    /* Ids: -1 where the file does not say. */
    int64_t bos, eos, eot, eom, unknown, separator, padding, mask;
    int64_t fim_prefix, fim_suffix, fim_middle, fim_padding, fim_repository, fim_separator;
    ix_text_view charsmap; /* tokenizer.ggml.precompiled_charsmap */
    /* Takes longer to make, by tens of milliseconds, and less for megabytes of text; the answers
     * are the same.  For a prompt it does not pay. */
    bool much_text;
} ix_vocab_source;
#define IX_VOCAB_SOURCE_INIT                                                                       \
    {                                                                                              \
        .add_bos = -1, .add_eos = -1, .add_sep = -1, .add_space_prefix = -1,                       \
        .remove_extra_whitespaces = -1, .ignore_merges = -1, .bos = -1, .eos = -1, .eot = -1,      \
        .eom = -1, .unknown = -1, .separator = -1, .padding = -1, .mask = -1, .fim_prefix = -1,    \
        .fim_suffix = -1, .fim_middle = -1, .fim_padding = -1, .fim_repository = -1,               \
        .fim_separator = -1                                                                        \
    }

typedef struct ix_tokenizer ix_tokenizer;

/* ---- making ---------------------------------------------------------------------------------- */

/* From plain arrays.  Kinds: byte-level BPE with the pre-tokenizers that llama.cpp names, BPE on
 * UTF-8 with byte fallback (gemma-4), SentencePiece BPE, and, as their own libraries have them,
 * Unigram ("t5", text/spm.h) and WordPiece ("bert", text/wordpiece_json.h).  Another kind is
 * INOX_E_UNSUPPORTED.  Ids out of range count as not given, of several equal pieces the last one is
 * found (as in llama.cpp), merges whose parts or whole are no pieces never apply.  Bytes that are
 * not UTF-8 are read as llama.cpp reads them: a byte that begins no character is U+FFFD
 * (SentencePiece: its byte token), an overlong form is the character that it spells. */
inox_status ix_tokenizer_new(const ix_vocab_source *source, ix_tokenizer **out,
                             inox_error *err) IX_MUST_USE;
void ix_tokenizer_free(ix_tokenizer *t); /* NULL is fine */

/* From the bytes of a tokenizer.json, and of the files that may lie beside it ({NULL, 0}: none):
 * they say which tokens are BOS and EOS, and may add tokens.  Nothing of them is kept.  Bytes of a
 * text that are not UTF-8 are read as U+FFFD, one for each maximal part of a character: the
 * format's own library takes only text. */
typedef struct ix_json_files {
    ix_text_view tokenizer;   /* tokenizer.json */
    ix_text_view config;      /* tokenizer_config.json */
    ix_text_view special_map; /* special_tokens_map.json */
} ix_json_files;
inox_status ix_tokenizer_from_json(const ix_json_files *files, ix_tokenizer **out,
                                   inox_error *err) IX_MUST_USE;

/* ---- text to tokens -------------------------------------------------------------------------- */

/* A text, a pair, or words.  Offsets are bytes of the text (of the word, where it is split).  For
 * tokenizer.json a token that holds a part of a character has the range of the whole character, as
 * in the format's own library.  *out starts from zeros; release it with ix_encoding_release; on
 * failure it is empty. */
inox_status ix_encode(const ix_tokenizer *t, const ix_encode_input *in,
                      const ix_encode_options *options, ix_encoding *out,
                      inox_error *err) IX_MUST_USE;
/* Many at once, over options->threads threads: out[i] is what in[i] alone gives, but that padding
 * to the longest takes the longest of all.  On failure all are empty, and the error is that of the
 * first input that fails. */
inox_status ix_encode_batch(const ix_tokenizer *t, const ix_encode_input *in, size_t count,
                            const ix_encode_options *options, ix_encoding *out,
                            inox_error *err) IX_MUST_USE;

/* A text that comes in chunks, of any size: together its tokens are what the whole gives.  Held
 * back is what following text may still change, which is little for most tokenizers and everything
 * for some (ix_encode_stream_bounded).  No pairs, words, truncation, padding or plain ranges; of
 * the options special, parse_special and memory_max count. */
typedef struct ix_encode_stream ix_encode_stream;
inox_status ix_encode_stream_new(const ix_tokenizer *t, const ix_encode_options *options,
                                 ix_encode_stream **out, inox_error *err) IX_MUST_USE;
/* Replaces *out (zeros at first) by the tokens that became certain.  Their offsets count from
 * ix_encode_stream_base.  On failure *out is empty, and the stream is of no more use. */
inox_status ix_encode_stream_push(ix_encode_stream *s, const char *bytes, size_t n,
                                  ix_encoding *out, inox_error *err) IX_MUST_USE;
/* The end of the text: the rest.  Then the stream is as new. */
inox_status ix_encode_stream_end(ix_encode_stream *s, ix_encoding *out,
                                 inox_error *err) IX_MUST_USE;
uint64_t ix_encode_stream_base(const ix_encode_stream *s);
/* Whether what is held back is bounded for ordinary text. */
bool ix_encode_stream_bounded(const ix_encode_stream *s);
void ix_encode_stream_free(ix_encode_stream *s); /* NULL is fine */

/* The file's own truncation and padding, or NULL. */
const ix_truncation *ix_tokenizer_truncation(const ix_tokenizer *t);
const ix_padding *ix_tokenizer_padding(const ix_tokenizer *t);
/* Whether the format's own library takes the spellings of special tokens in a text for them. */
bool ix_tokenizer_parses_special(const ix_tokenizer *t);

/* Number of pieces: ids are 0 to count - 1, of which some may be holes. */
size_t ix_tokenizer_count(const ix_tokenizer *t);

/* The plain form.  flags: INOX_TOKENIZE_...  Offsets are bytes of `text`; tokens that come from no
 * byte of it (BOS, the space that SentencePiece puts in front) have an empty range.  A token inside
 * a character that was rewritten (normalized, or not UTF-8) has the range of what was rewritten.
 * Release with ix_tokens_release; on failure *out is empty. */
inox_status ix_tokenizer_encode(const ix_tokenizer *t, const char *text, size_t bytes,
                                unsigned flags, inox_tokens *out, inox_error *err) IX_MUST_USE;
void ix_tokens_release(inox_tokens *tokens);

/* ---- tokens to text -------------------------------------------------------------------------- */

#define IX_DECODE_SPECIAL 1u  /* control tokens appear by their texts; else they give nothing */
#define IX_DECODE_RAW 2u      /* the bytes as they are; else what is not UTF-8 becomes U+FFFD */
#define IX_DECODE_CONTINUE 4u /* the text goes on behind other text: keep a leading space */

/* Appends the text of the ids.  An id out of range is INOX_E_ARGUMENT, and `out` is unchanged.
 * tokenizer.json: a hole gives nothing, and RAW and CONTINUE change nothing where the file's
 * decoder is not made of stages that know bytes. */
inox_status ix_tokenizer_decode(const ix_tokenizer *t, const int32_t *ids, size_t count,
                                unsigned flags, ix_buffer *out, inox_error *err) IX_MUST_USE;

/* Decoding one token at a time: what comes out is always whole characters, and together what
 * ix_tokenizer_decode gives. */
typedef struct ix_decoder {
    const ix_tokenizer *tokenizer;
    void *state;     /* the family's, or NULL */
    unsigned flags;  /* IX_DECODE_... */
    bool started;    /* a text byte has come out or is held back */
    uint8_t held;    /* bytes in `pending` */
    char pending[4]; /* the valid beginning of a character */
} ix_decoder;

void ix_decoder_init(ix_decoder *d, const ix_tokenizer *t, unsigned flags);
/* Appends the characters that became certain (perhaps none). */
inox_status ix_decoder_push(ix_decoder *d, int32_t id, ix_buffer *out, inox_error *err) IX_MUST_USE;
/* The end: a character that was never finished becomes U+FFFD.  Then the decoder is as new. */
inox_status ix_decoder_flush(ix_decoder *d, ix_buffer *out, inox_error *err) IX_MUST_USE;
void ix_decoder_clear(ix_decoder *d);

/* ---- asking ---------------------------------------------------------------------------------- */

/* The piece as the vocabulary writes it ({NULL, 0} for an id out of range).  For display; the
 * text that a token stands for comes from decoding. */
ix_text_view ix_tokenizer_piece(const ix_tokenizer *t, int32_t id);
/* IX_PIECE_...; 0 for an id out of range. */
int32_t ix_tokenizer_type(const ix_tokenizer *t, int32_t id);
/* Generation stops at this token (end of text, of turn, of message). */
bool ix_tokenizer_is_end(const ix_tokenizer *t, int32_t id);
/* The id, or -1 where the vocabulary has none. */
int32_t ix_tokenizer_bos(const ix_tokenizer *t);
int32_t ix_tokenizer_eos(const ix_tokenizer *t);
int32_t ix_tokenizer_unknown(const ix_tokenizer *t);
int32_t ix_tokenizer_padding_id(const ix_tokenizer *t);
/* "tokenizer.json", "gguf", "tiktoken", ...; "BPE", "Unigram", ... */
const char *ix_tokenizer_format_of(const ix_tokenizer *t);
const char *ix_tokenizer_model_of(const ix_tokenizer *t);
/* Id of the piece that is written exactly so, or -1. */
int32_t ix_tokenizer_find(const ix_tokenizer *t, const char *piece, size_t bytes);
/* Whether INOX_TOKENIZE_SPECIAL puts BOS in front. */
bool ix_tokenizer_adds_bos(const ix_tokenizer *t);

#endif
