/* The family of tokenizers made from the arrays of a GGUF file (ix_vocab_source).  Private to
 * src/text. */
#ifndef IX_TEXT_GGUF_H
#define IX_TEXT_GGUF_H

#include "text/bpe_merge.h"
#include "text/family.h"
#include "text/fast.h"
#include "text/pretokenize.h"
#include "text/vocab.h"

typedef enum ix_gguf_kind {
    IX_BYTE_BPE,      /* symbols are bytes; pieces are written in GPT-2's alphabet */
    IX_RAW_BPE,       /* symbols are characters, unknown ones become byte tokens */
    IX_SENTENCEPIECE, /* the same, but pairs are ordered by the score of what they make */
} ix_gguf_kind;

/* What a special token does to spaces beside its spelling. */
enum { IX_STRIP_LEFT = 1, IX_STRIP_RIGHT = 2 };

typedef struct ix_gguf_tokenizer {
    ix_tokenizer base;
    ix_gguf_kind kind;
    ix_pretokenizer pre;
    ix_text_view *pieces; /* as the file writes them */
    ix_text_view *bytes;  /* what they match in text; {NULL, 0} for pieces that never do */
    char *store;          /* of `bytes`, where they are not the file's own */
    uint8_t *types;       /* IX_PIECE_... */
    uint8_t *strips;      /* IX_STRIP_..., by id; NULL where nothing strips */
    ix_piece_table table; /* over `bytes` */
    ix_bpe bpe;           /* what merges; symbols from base.count on are no pieces */
    ix_fast *fast;        /* byte-level BPE behind a usual expression, or NULL */
    bool by_text;         /* any two neighbours that together are a piece may merge */
    uint64_t *inside; /* bit set of hashed pairs of characters that some piece holds side by side */
    int32_t byte_ids[256]; /* the token of each byte, or -1 */
    bool byte_fallback;
    bool has_unused; /* a piece of type unused may be merged, and must come apart again */
    bool ignore_merges, escape, drop_gaps, add_space_prefix, remove_extra_whitespaces;
    ix_special_trie specials; /* control, unknown, user-defined: as they are spelled */
    ix_special_trie users;    /* user-defined ones with spaces escaped (SentencePiece) */
} ix_gguf_tokenizer;

enum { IX_INSIDE_BITS = 21 };

/* Where the pair of characters at left and right is found in `inside`. */
static inline uint32_t ix_inside_hash(const char *left, size_t left_size, const char *right,
                                      size_t right_size)
{
    uint64_t h = 0;
    for (size_t i = 0; i < left_size; i++)
        h = h << 8 | (unsigned char)left[i];
    for (size_t i = 0; i < right_size; i++)
        h = h << 8 | (unsigned char)right[i];
    return (uint32_t)(h * 0x9E3779B97F4A7C15u >> (64 - IX_INSIDE_BITS));
}

extern const ix_family ix_gguf_family; /* in gguf.c */

/* What a thread keeps from text to text, for the fast path. */
typedef struct ix_gguf_scratch {
    ix_model_scratch *model;
} ix_gguf_scratch;

/* The family's functions in other files. */
inox_status ix_gguf_scratch_new(const ix_tokenizer *base, void **out, inox_error *err) IX_MUST_USE;
void ix_gguf_scratch_free(void *scratch);
inox_status ix_gguf_encode(const ix_tokenizer *base, void *scratch, const ix_encode_text *in,
                           ix_encoding *out, inox_error *err) IX_MUST_USE;
inox_status ix_gguf_push(ix_decoder *d, int32_t id, ix_buffer *out, inox_error *err) IX_MUST_USE;

/* Byte of "<0x41>", or -1. */
int ix_byte_of_piece(const ix_text_view *piece);

#endif
