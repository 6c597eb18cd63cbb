/* Inox: tokenizers and chat templates.
 *
 * This header stands on its own: it is part of inox.h and libinox, and the whole of the small
 * library libinox_text (`pkg-config inox_text`).  Handles are opaque.  Every call that can fail
 * returns an inox_status and takes, last, an optional `inox_error *` of the caller that is filled
 * on failure; outputs are empty then.  Options structs start with their size: initialise them with
 * the INOX_..._INIT of their name.  Texts are UTF-8 with a length and may hold U+0000; bytes that
 * are not UTF-8 follow the rule of the tokenizer's format and never fail or crash.
 *
 * Threads: a tokenizer and a template never change once made, so any number of threads may use one
 * at the same time.  Encoders, decoders and results belong to one thread at a time.
 */
#ifndef INOX_TEXT_H
#define INOX_TEXT_H

#include "inox_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes [start, end) of a text. */
typedef struct inox_range {
    size_t start, end;
} inox_range;

/* ---- tokenizers ------------------------------------------------------------------------------ */

typedef struct inox_tokenizer inox_tokenizer;

/* How to read a vocabulary. */
typedef struct inox_tokenizer_options {
    size_t size;
    /* tiktoken files hold ranks only.  The regular expression that cuts text into words, and an
     * object {"<|endoftext|>": 50256, ...} in JSON; NULL: what stands in tiktoken.json beside the
     * file, else what is known by the content's hash, else an error. */
    const char *pattern, *special_tokens;
} inox_tokenizer_options;
#define INOX_TOKENIZER_OPTIONS_INIT { sizeof(inox_tokenizer_options), NULL, NULL }

/* Opens a vocabulary, whose kind is seen from its content: tokenizer.json, tiktoken, SentencePiece
 * (.model), Mistral's tekken.json, vocab.txt, GGUF, or a directory that holds one of them (with
 * tokenizer_config.json, special_tokens_map.json, merges.txt).  options may be NULL. */
INOX_API INOX_CHECK inox_status inox_tokenizer_open(const char *path,
                                                    const inox_tokenizer_options *options,
                                                    inox_tokenizer **out, inox_error *err);
/* The same from bytes, which may go afterwards.  No file beside them is looked at. */
INOX_API INOX_CHECK inox_status inox_tokenizer_read(const void *bytes, size_t count,
                                                    const inox_tokenizer_options *options,
                                                    inox_tokenizer **out, inox_error *err);
/* Results, encoders and decoders are freed before.  NULL is fine. */
INOX_API void inox_tokenizer_free(inox_tokenizer *tokenizer);

/* What a tokenizer is.  Ids are -1 where there is none. */
typedef struct inox_tokenizer_info {
    size_t size;
    const char *format; /* "gguf", "tokenizer.json", "tiktoken", "sentencepiece", ... */
    size_t count;       /* ids are below it; some of them may name no token */
    int32_t bos, eos, unknown, padding;
    bool parse_special;                   /* what INOX_PARSE_SPECIAL_FORMAT means here */
    bool ships_truncation, ships_padding; /* the file has settings of its own */
} inox_tokenizer_info;
#define INOX_TOKENIZER_INFO_INIT { .size = sizeof(inox_tokenizer_info) }
/* Fills *out, whose size field is set. */
INOX_API INOX_CHECK inox_status inox_tokenizer_describe(const inox_tokenizer *tokenizer,
                                                        inox_tokenizer_info *out, inox_error *err);

/* The token as the vocabulary writes it, *bytes long and the tokenizer's; NULL where the id names
 * none.  For display: the text that a token stands for comes from decoding. */
INOX_API const char *inox_tokenizer_piece(const inox_tokenizer *tokenizer, int32_t id,
                                          size_t *bytes);
/* Id of the token that is written exactly so, or -1. */
INOX_API int32_t inox_tokenizer_find(const inox_tokenizer *tokenizer, const char *piece,
                                     size_t bytes);
/* A control token (BOS, a role, padding): never the result of plain text. */
INOX_API bool inox_tokenizer_is_special(const inox_tokenizer *tokenizer, int32_t id);
/* Generation stops at this token: end of text, of a turn, of a message. */
INOX_API bool inox_tokenizer_is_end(const inox_tokenizer *tokenizer, int32_t id);

/* ---- text to tokens, the short way ----------------------------------------------------------- */

/* A text as tokens; release it. */
typedef struct inox_tokens {
    int32_t *ids;
    uint32_t *starts, *ends; /* byte range of the input that each token stands for */
    size_t count;
} inox_tokens;
INOX_API void inox_tokens_release(inox_tokens *t);

/* Flags: add the tokens that the model puts around a text (BOS, EOS); and let the spellings of
 * special tokens inside the text become those tokens. */
#define INOX_TOKENIZE_SPECIAL 1u
#define INOX_TOKENIZE_PARSE_SPECIAL 2u

/* Text to tokens: no truncation, no padding. */
INOX_API INOX_CHECK inox_status inox_tokenizer_encode(const inox_tokenizer *tokenizer,
                                                      const char *text, size_t bytes,
                                                      unsigned flags, inox_tokens *out,
                                                      inox_error *err);
/* *text: `*bytes` bytes and a NUL behind them; inox_string_free.  keep_special: special tokens
 * appear by their texts.  An id that names no token is INOX_E_ARGUMENT. */
INOX_API INOX_CHECK inox_status inox_tokenizer_decode(const inox_tokenizer *tokenizer,
                                                      const int32_t *ids, size_t count,
                                                      bool keep_special, char **text, size_t *bytes,
                                                      inox_error *err);

/* ---- text to tokens with everything ---------------------------------------------------------- */

/* A text of the caller. */
typedef struct inox_text {
    const char *data;
    size_t bytes;
} inox_text;

/* One sequence: a text, or with is_split a list of words that are already cut (offsets count from
 * the beginning of each word then). */
typedef struct inox_sequence {
    inox_text text;
    const inox_text *words;
    size_t word_count;
    bool is_split;
    /* Ranges of `text`, ascending and apart, that come from people who are not trusted: no special
     * token is found that has a byte in one of them, whatever they write.  NULL: none. */
    const inox_range *plain;
    size_t plain_count;
} inox_sequence;

/* What is encoded as one: a sequence, or two. */
typedef struct inox_input {
    inox_sequence first, second;
    bool is_pair; /* there is a second one */
} inox_input;

/* Which sequence of a pair is cut to fit. */
typedef enum inox_truncate {
    INOX_TRUNCATE_LONGEST_FIRST = 0,
    INOX_TRUNCATE_ONLY_FIRST = 1,
    INOX_TRUNCATE_ONLY_SECOND = 2
} inox_truncate;

/* What is too long is cut into windows. */
typedef struct inox_truncation {
    size_t size;
    size_t max_tokens; /* of a window, with its special tokens */
    size_t stride;     /* tokens that a window shares with the one before */
    inox_truncate strategy;
    bool left; /* the end is kept, not the beginning */
} inox_truncation;
#define INOX_TRUNCATION_INIT { sizeof(inox_truncation), 512, 0, INOX_TRUNCATE_LONGEST_FIRST, false }

/* What is too short is filled up. */
typedef struct inox_padding {
    size_t size;
    bool is_fixed; /* all encodings get `length` tokens; else as many as the longest of the call */
    size_t length;
    size_t multiple; /* lengths are rounded up to multiples of it; 0: not */
    bool left;       /* in front */
    int32_t id;
    uint32_t type_id;
} inox_padding;
#define INOX_PADDING_INIT { sizeof(inox_padding), false, 0, 0, false, 0, 0 }

/* Whether the spellings of special tokens inside a text become those tokens. */
typedef enum inox_parse_special {
    INOX_PARSE_SPECIAL_FORMAT = 0, /* as the format's own library: tokenizer.json yes, others no */
    INOX_PARSE_SPECIAL_NO = 1,
    INOX_PARSE_SPECIAL_YES = 2
} inox_parse_special;

/* The arrays of an encoding that are wanted besides ids: each costs time and memory. */
#define INOX_WANT_OFFSETS 1u
#define INOX_WANT_TYPES 2u
#define INOX_WANT_MASKS 4u /* special_mask and attention_mask */
#define INOX_WANT_WORDS 8u
#define INOX_WANT_SEQUENCES 16u
#define INOX_WANT_OVERFLOW 32u /* windows that truncation cut off */
#define INOX_WANT_ALL 63u

/* How to encode. */
typedef struct inox_encode_options {
    size_t size;
    bool special; /* add the tokens that the model puts around a text */
    inox_parse_special parse_special;
    unsigned want; /* INOX_WANT_... */
    const inox_truncation *truncation; /* NULL: none */
    const inox_padding *padding;       /* NULL: none */
    bool as_shipped; /* take truncation and padding of the file itself, instead of none */
    int32_t threads; /* for several inputs; 0: all processors of this process */
    uint64_t memory_max; /* bytes that one encoding may take while it is made; 0: no limit */
} inox_encode_options;
#define INOX_ENCODE_OPTIONS_INIT                                                                   \
    { sizeof(inox_encode_options), false, INOX_PARSE_SPECIAL_FORMAT, INOX_WANT_ALL,                \
      NULL, NULL, false, 1, 0 }

typedef struct inox_encodings inox_encodings;

/* Encodes `count` inputs, in their order whatever the number of threads; options may be NULL.
 * The first input that fails makes the call fail: the error names it. */
INOX_API INOX_CHECK inox_status inox_tokenizer_encode_all(const inox_tokenizer *tokenizer,
                                                          const inox_input *inputs, size_t count,
                                                          const inox_encode_options *options,
                                                          inox_encodings **out, inox_error *err);
/* NULL is fine. */
INOX_API void inox_encodings_free(inox_encodings *encodings);
INOX_API size_t inox_encodings_count(const inox_encodings *encodings);
/* Windows of one input: 1, and those that truncation cut off; 0 for an index out of range. */
INOX_API size_t inox_encodings_windows(const inox_encodings *encodings, size_t index);

/* One window.  Arrays have `count` items and belong to the inox_encodings; those that were not
 * wanted are NULL. */
typedef struct inox_encoding {
    size_t size;
    size_t count;
    const int32_t *ids;
    const uint32_t *starts, *ends; /* bytes of the token's text or word; empty: of none */
    const uint32_t *type_ids;      /* 0 and 1 for the parts of a pair, as the template says */
    const uint8_t *special_mask;   /* 1: added, not from the text */
    const uint8_t *attention_mask; /* 0: padding */
    const int32_t *word_ids;       /* word of its sequence, or -1 */
    const int32_t *sequence_ids;   /* 0: first, 1: second, -1: neither */
} inox_encoding;
#define INOX_ENCODING_INIT { .size = sizeof(inox_encoding) }
INOX_API INOX_CHECK inox_status inox_encodings_get(const inox_encodings *encodings, size_t index,
                                                   size_t window, inox_encoding *out,
                                                   inox_error *err);

/* ---- streams --------------------------------------------------------------------------------- */

/* Text of any length in chunks of any size, in bounded memory: the tokens are those that the whole
 * text gives in one call, wherever it is cut. */
typedef struct inox_encoder inox_encoder;

/* Tokens that became certain: the encoder's, until its next call. */
typedef struct inox_stream_tokens {
    size_t count;
    const int32_t *ids;
    const uint64_t *starts, *ends; /* bytes since the beginning of the stream */
} inox_stream_tokens;

/* Of the options, special and parse_special count; padding and truncation are refused. */
INOX_API INOX_CHECK inox_status inox_encoder_new(const inox_tokenizer *tokenizer,
                                                 const inox_encode_options *options,
                                                 inox_encoder **out, inox_error *err);
INOX_API INOX_CHECK inox_status inox_encoder_push(inox_encoder *encoder, const char *text,
                                                  size_t bytes, inox_stream_tokens *out,
                                                  inox_error *err);
/* The end of the text: the rest.  The encoder is as new then. */
INOX_API INOX_CHECK inox_status inox_encoder_finish(inox_encoder *encoder, inox_stream_tokens *out,
                                                    inox_error *err);
/* NULL is fine. */
INOX_API void inox_encoder_free(inox_encoder *encoder);

/* Tokens one at a time into whole characters. */
typedef struct inox_decoder inox_decoder;

/* keep_special: special tokens appear by their texts. */
INOX_API INOX_CHECK inox_status inox_decoder_new(const inox_tokenizer *tokenizer, bool keep_special,
                                                 inox_decoder **out, inox_error *err);
/* *text: the characters that became certain, perhaps none; the decoder's, until its next call. */
INOX_API INOX_CHECK inox_status inox_decoder_push(inox_decoder *decoder, int32_t id,
                                                  inox_text *text, inox_error *err);
/* The end: what never became a character is U+FFFD.  The decoder is as new then. */
INOX_API INOX_CHECK inox_status inox_decoder_finish(inox_decoder *decoder, inox_text *text,
                                                    inox_error *err);
/* NULL is fine. */
INOX_API void inox_decoder_free(inox_decoder *decoder);

/* ---- chat templates -------------------------------------------------------------------------- */

/* A template in the Jinja2 language as published models carry it, set up as transformers does.
 * Template and variables are not trusted: steps, depth, memory and output are bounded. */
typedef struct inox_template inox_template;

/* Compiles a template; the source may go afterwards.  A mistake is INOX_E_FORMAT with line and
 * column. */
INOX_API INOX_CHECK inox_status inox_template_new(const char *source, size_t bytes,
                                                  inox_template **out, inox_error *err);
/* Opens the template in a file: Jinja source, tokenizer_config.json, a GGUF file, or a directory
 * that holds chat_template.jinja, chat_template.json or tokenizer_config.json.  name: which of
 * several ("tool_use"), NULL: "default". */
INOX_API INOX_CHECK inox_status inox_template_open(const char *path, const char *name,
                                                   inox_template **out, inox_error *err);
/* NULL is fine. */
INOX_API void inox_template_free(inox_template *t);

/* How to render. */
typedef struct inox_template_options {
    size_t size;
    const char *now;     /* "2026-07-04 15:30:45" for strftime_now; NULL: the local time */
    uint64_t steps_max;  /* 0: 20 million */
    uint64_t memory_max; /* bytes, 0: 256 MiB */
    uint64_t output_max; /* bytes, 0: 64 MiB */
} inox_template_options;
#define INOX_TEMPLATE_OPTIONS_INIT { sizeof(inox_template_options), NULL, 0, 0, 0 }

typedef struct inox_rendering inox_rendering;

/* variables: one JSON object, {"messages": [...], "add_generation_prompt": true, ...}; the template
 * sees exactly those.  Integers of any size keep their value.  options may be NULL.  What the
 * template refuses (raise_exception) is INOX_E_ARGUMENT with its words. */
INOX_API INOX_CHECK inox_status inox_template_render(const inox_template *t, const char *variables,
                                                     size_t bytes,
                                                     const inox_template_options *options,
                                                     inox_rendering **out, inox_error *err);
/* NULL is fine. */
INOX_API void inox_rendering_free(inox_rendering *rendering);
/* The text, with a NUL behind it. */
INOX_API inox_text inox_rendering_text(const inox_rendering *rendering);
/* Which bytes of the text came out of the variables: `plain` of inox_sequence, so that what a user
 * writes cannot become a special token. */
INOX_API const inox_range *inox_rendering_spans(const inox_rendering *rendering, size_t *count);

/* ---- answers --------------------------------------------------------------------------------- */

/* How the model of a chat template writes what it answers: its reasoning, its calls of tools, what
 * ends it.  Learned by rendering answers with the template. */
typedef struct inox_answer_format inox_answer_format;

/* The format of a template.  Where it renders no answers, what its source mentions is taken. */
INOX_API INOX_CHECK inox_status inox_answer_format_new(const inox_template *t,
                                                       inox_answer_format **out, inox_error *err);
/* Parsers are freed before.  NULL is fine. */
INOX_API void inox_answer_format_free(inox_answer_format *format);
/* What was learned, a line for each mark, for people; inox_string_free. */
INOX_API INOX_CHECK inox_status inox_answer_format_describe(const inox_answer_format *format,
                                                            char **out, inox_error *err);

/* An answer in the making.  What a model writes is not trusted: what fits nothing is content. */
typedef struct inox_answer_parser inox_answer_parser;

/* What a piece of an answer is. */
typedef enum inox_answer_part {
    INOX_ANSWER_REASONING = 0,
    INOX_ANSWER_CONTENT = 1,
    INOX_ANSWER_CALL = 2
} inox_answer_part;

/* The next bytes of reasoning or content, or a whole call of a tool. */
typedef struct inox_answer_event {
    inox_answer_part part;
    inox_text text;                /* reasoning, content */
    inox_text name, id, arguments; /* call; the id may be empty, arguments are a JSON object */
} inox_answer_event;

/* prompt: the rendered prompt, whose end tells whether the model begins inside its reasoning. */
INOX_API INOX_CHECK inox_status inox_answer_parser_new(const inox_answer_format *format,
                                                       const char *prompt, size_t bytes,
                                                       inox_answer_parser **out, inox_error *err);
/* Before the first push, where the prompt offers tools: the same JSON list that the template got.
 * Some models write arguments without quotation marks (<parameter=zip>0123</parameter>); the
 * schemas of the tools tell then which are strings.  Without them a value is what it reads as. */
INOX_API INOX_CHECK inox_status inox_answer_parser_tools(inox_answer_parser *parser,
                                                         const char *tools, size_t bytes,
                                                         inox_error *err);
/* The next piece of the answer, of any size, with the texts of special tokens in it (decode with
 * keep_special).  *events: what became certain; the parser's, until its next call. */
INOX_API INOX_CHECK inox_status inox_answer_push(inox_answer_parser *parser, const char *text,
                                                 size_t bytes, const inox_answer_event **events,
                                                 size_t *count, inox_error *err);
/* The end of the answer: what was held back. */
INOX_API INOX_CHECK inox_status inox_answer_finish(inox_answer_parser *parser,
                                                   const inox_answer_event **events, size_t *count,
                                                   inox_error *err);
/* The mark that ends a turn has come: nothing that follows belongs to the answer. */
INOX_API bool inox_answer_ended(const inox_answer_parser *parser);
/* NULL is fine. */
INOX_API void inox_answer_parser_free(inox_answer_parser *parser);

#ifdef __cplusplus
}
#endif
#endif
