/* What a kind of tokenizer has to do.  Private to src/text.
 *
 * A family (tokenizer.json, the arrays of GGUF, SentencePiece, tiktoken) makes a struct of its own
 * that begins with ix_tokenizer, fills that part, and sets `family`.  tokenizer.c does what is the
 * same for all: pairs, words, special tokens around a text (post.h), truncation, padding, batches,
 * streams, limits.
 *
 *     struct my_tokenizer { ix_tokenizer base; ... };      (base first)
 *     IX_ALLOC(&t, 1, err);  t->base.family = &my_family;  ...  *out = &t->base;
 */
#ifndef IX_TEXT_FAMILY_H
#define IX_TEXT_FAMILY_H

#include "text/post.h"
#include "text/tokenizer.h"

/* A text to encode, as a family gets it. */
typedef struct ix_encode_text {
    const char *text; /* any bytes, up to IX_MAX_TEXT_BYTES - 1 */
    size_t size;
    bool parse_special;
    const ix_range *plain; /* no special token is found that has a byte in one of these */
    size_t plain_count;
    int32_t word; /* >= 0: the word id of every token; -1: the family numbers its words from 0 */
} ix_encode_text;

typedef struct ix_family {
    /* Frees what the family took, but not the handle. */
    void (*release)(ix_tokenizer *t);

    /* Memory of one thread that encodes (symbol arrays, word caches), kept from text to text.  NULL
     * for families without. */
    inox_status (*scratch_new)(const ix_tokenizer *t, void **out, inox_error *err);
    void (*scratch_free)(void *scratch);

    /* Appends the tokens of a text with ix_encoding_add, without BOS and EOS. */
    inox_status (*encode)(const ix_tokenizer *t, void *scratch, const ix_encode_text *in,
                          ix_encoding *out, inox_error *err);

    /* Streaming: the last place in a text before which no tokens change whatever follows, and where
     * encoding may begin anew, given up to IX_STREAM_CONTEXT bytes of the text before it, whose
     * tokens are then left out; 0: none.  NULL: a stream is held until its end. */
    size_t (*settled)(const ix_tokenizer *t, const char *text, size_t size);
    /* Whether `settled` finds places in ordinary text.  NULL: it does. */
    bool (*settles)(const ix_tokenizer *t);

    /* Decoding, one token at a time: appends what became certain (ix_decoder_append sees to whole
     * characters).  The id is in range.  d->state is the family's; state_free may be NULL. */
    inox_status (*push)(ix_decoder *d, int32_t id, ix_buffer *out, inox_error *err);
    inox_status (*flush)(ix_decoder *d, ix_buffer *out, inox_error *err); /* NULL: nothing held */
    void (*state_free)(void *state);

    /* The piece as the vocabulary writes it ({NULL, 0}: the id is a hole); the id is in range. */
    ix_text_view (*piece)(const ix_tokenizer *t, int32_t id);
    int32_t (*type)(const ix_tokenizer *t, int32_t id); /* IX_PIECE_... */
    /* The id of the piece that is written exactly so, or -1. */
    int32_t (*find)(const ix_tokenizer *t, const char *piece, size_t bytes);
} ix_family;

enum { IX_STREAM_CONTEXT = 16 };

typedef struct ix_scratch_pool ix_scratch_pool; /* scratches that no thread uses now */

struct ix_tokenizer {
    const ix_family *family;
    const char *format, *model; /* "tokenizer.json", "tiktoken", ...; "BPE", "Unigram", ... */
    size_t count;               /* ids are 0 to count - 1; there may be holes */
    int32_t bos, eos, unknown, padding_id; /* -1: none */
    bool parse_special;                    /* usual for the format, where the caller does not say */
    uint8_t *ends; /* 1 for ids that end a generation, or NULL; freed by tokenizer.c */
    ix_post *post; /* what goes around a text; NULL: nothing; freed by tokenizer.c */
    /* The file's own, used only where a caller asks for them. */
    bool has_truncation, has_padding;
    ix_truncation truncation;
    ix_padding padding;
    ix_scratch_pool *pool; /* tokenizer.c's */
};

/* Makes t->ends, the tokens that end a generation, from eos and the spellings that are known;
 * source may be NULL. */
inox_status ix_find_ends(ix_tokenizer *t, const ix_vocab_source *source,
                         inox_error *err) IX_MUST_USE;

/* Takes a scratch from the pool (NULL for families without), and gives it back. */
inox_status ix_tokenizer_take_scratch(const ix_tokenizer *t, void **out,
                                      inox_error *err) IX_MUST_USE;
void ix_tokenizer_give_scratch(const ix_tokenizer *t, void *scratch);

/* Lets a tokenizer with scratches keep them from text to text. */
inox_status ix_tokenizer_pool_scratches(ix_tokenizer *t, inox_error *err) IX_MUST_USE;

/* Appends bytes so that what is not UTF-8 becomes U+FFFD, one for each maximal part of a character;
 * the beginning of a character at the end is held back (unless IX_DECODE_RAW). */
inox_status ix_decoder_append(ix_decoder *d, const char *bytes, size_t n, ix_buffer *out,
                              inox_error *err) IX_MUST_USE;

#endif
