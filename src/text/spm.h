/* SentencePiece's own tokenizer: the family behind .model files and GGUF vocabularies of the kind
 * "t5".  Private to src/text.
 *
 *     text -> normalizer (character map, spaces) -> segmentation -> tokens
 *
 * The whole text is one sentence: there is no pre-tokenizer.  Answers are those of SentencePiece
 * 0.2.3, to the last odd case; what was learnt from its source is said where it is done.
 */
#ifndef IX_TEXT_SPM_H
#define IX_TEXT_SPM_H

#include "text/family.h"
#include "text/model.h"

/* TrainerSpec.ModelType of sentencepiece_model.proto. */
typedef enum ix_spm_kind {
    IX_SPM_UNIGRAM = 1,
    IX_SPM_BPE = 2,
    IX_SPM_WORD = 3,
    IX_SPM_CHAR = 4,
} ix_spm_kind;

/* NormalizerSpec. */
typedef struct ix_spm_rules {
    ix_text_view charsmap; /* precompiled; empty: none */
    bool add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces;
} ix_spm_rules;
#define IX_SPM_RULES_INIT                                                                          \
    {                                                                                              \
        .add_dummy_prefix = true, .remove_extra_whitespaces = true, .escape_whitespaces = true     \
    }

/* What a model file says.  Everything is copied. */
typedef struct ix_spm_source {
    ix_spm_kind kind;
    size_t count;
    const ix_text_view *pieces;
    const float *scores;
    const uint8_t *types; /* IX_PIECE_... */
    bool byte_fallback, space_is_suffix;
    ix_spm_rules rules, back; /* `back`: of decoding */
    bool has_back;
    /* The spellings of these tokens; empty: "<unk>", "<s>", "</s>", "<pad>". */
    ix_text_view unknown, bos, eos, padding;
    ix_text_view unknown_text; /* what the unknown token decodes to; data NULL: " U+2047 " */
} ix_spm_source;

/* INOX_E_FORMAT where SentencePiece would refuse the model. */
inox_status ix_tokenizer_from_spm(const ix_spm_source *source, ix_tokenizer **out,
                                  inox_error *err) IX_MUST_USE;

/* A GGUF vocabulary of the kind "t5": Unigram. */
inox_status ix_tokenizer_from_gguf_unigram(const ix_vocab_source *source, ix_tokenizer **out,
                                           inox_error *err) IX_MUST_USE;

/* ---- the normalizer -------------------------------------------------------------------------- */

typedef struct ix_spm_normalizer ix_spm_normalizer;
struct ix_byte_marks; /* fast_parts.h */

/* Normalized text; byte i begins to stand for the source at origins[i], and origins[size] is where
 * the source of the last byte ends. */
typedef struct ix_spm_text {
    char *data;
    uint32_t *origins;
    size_t size, capacity;
} ix_spm_text;
void ix_spm_text_release(ix_spm_text *t);

/* users: pieces that no rule may touch.  Everything is copied. */
inox_status ix_spm_normalizer_new(const ix_spm_rules *rules, bool space_is_suffix,
                                  const ix_text_view *users, size_t user_count,
                                  ix_spm_normalizer **out, inox_error *err) IX_MUST_USE;
void ix_spm_normalizer_free(ix_spm_normalizer *z); /* NULL is fine */

/* Replaces what is in *out, whose memory is kept for the next text. */
inox_status ix_spm_normalize(const ix_spm_normalizer *z, const char *text, size_t size,
                             ix_spm_text *out, inox_error *err) IX_MUST_USE;

/* The same part by part. */
typedef struct ix_spm_cursor {
    const char *text;
    size_t size, at; /* text[at..size) is left */
    bool after_space;
    /* May be set once the cursor is: */
    bool only_text; /* `origins` do not matter */
    bool behind;    /* parts end behind spaces */
} ix_spm_cursor;

/* Replaces what is in *out by what stands before all text, and sets the cursor behind spaces that
 * go. */
inox_status ix_spm_normalize_begin(const ix_spm_normalizer *z, const char *text, size_t size,
                                   ix_spm_cursor *c, ix_spm_text *out, inox_error *err) IX_MUST_USE;
/* Appends a part: the text up to its end; or, with `stops`, up to a space that is known to become
 * U+2581, with something else before it, or c->behind such, with something else behind it.  Where a
 * part stops before words of ASCII, at least IX_UNIGRAM_LOOKAHEAD bytes are left. */
inox_status ix_spm_normalize_part(const ix_spm_normalizer *z, ix_spm_cursor *c, bool stops,
                                  ix_spm_text *out, inox_error *err) IX_MUST_USE;

/* Bytes that, with one of ASCII behind them, stay as they are (and where they came from, unless
 * only_text), and those that become one space;
 * NULL: spaces do not become U+2581, or the normalized text is not always UTF-8. */
const struct ix_byte_marks *ix_spm_marks(const ix_spm_normalizer *z, bool only_text);
bool ix_spm_squeezes(const ix_spm_normalizer *z);

/* ---- words ----------------------------------------------------------------------------------- */

/* Whether ix_spm_encode_words takes them. */
bool ix_spm_has_words(const ix_spm_normalizer *z, const ix_model *m);
/* Appends the tokens of in->text[start..end), start < end, normalized and cut into words on the
 * way.  The scratch is the model's; `text` is memory that is used. */
inox_status ix_spm_encode_words(const ix_spm_normalizer *z, const ix_model *m, ix_model_scratch *s,
                                ix_spm_text *text, const ix_encode_text *in, size_t start,
                                size_t end, ix_encoding *out, inox_error *err) IX_MUST_USE;

#endif
