/* Inside of a tokenizer, and the merging of one word.  Private to src/text. */
#ifndef IX_TEXT_BPE_H
#define IX_TEXT_BPE_H

#include "text/pretokenize.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

typedef enum ix_tokenizer_kind {
    IX_BYTE_BPE,      /* symbols are bytes; pieces are written in GPT-2's alphabet */
    IX_RAW_BPE,       /* symbols are characters, unknown ones become byte tokens */
    IX_SENTENCEPIECE, /* the same, but pairs are ordered by the score of what they make */
} ix_tokenizer_kind;

/* What a special token does to spaces beside its spelling. */
enum { IX_STRIP_LEFT = 1, IX_STRIP_RIGHT = 2 };

struct ix_tokenizer {
    ix_tokenizer_kind kind;
    ix_pretokenizer pre;
    size_t count;
    ix_text_view *pieces; /* as the file writes them */
    ix_text_view *bytes;  /* what they match in text; {NULL, 0} for pieces that never do */
    char *store;          /* of `bytes`, where they are not the file's own */
    uint8_t *types;       /* IX_PIECE_... */
    uint8_t *strips;      /* IX_STRIP_..., by id; NULL where nothing strips */
    uint8_t *ends;        /* 1 for tokens that end a generation */
    ix_piece_table table; /* over `bytes` */
    ix_pair_table merges; /* unless by_text */
    bool by_text;         /* any two neighbours that together are a piece may merge */
    uint32_t *order;      /* by_text: rank of each piece; UINT32_MAX never */
    size_t rank_count;    /* ranks of merges are smaller */
    uint64_t *inside; /* bit set of hashed pairs of characters that some piece holds side by side */
    int32_t byte_ids[256]; /* the token of each byte, or -1 */
    bool byte_fallback;
    bool has_unused; /* a piece of type unused may be merged, and must come apart again */
    bool ignore_merges, escape, drop_gaps, add_space_prefix, remove_extra_whitespaces;
    bool add_bos, add_eos;
    int32_t bos, eos, unknown;
    ix_special_trie specials; /* control, unknown, user-defined: as they are spelled */
    ix_special_trie users;    /* user-defined ones with spaces escaped (SentencePiece) */
};

enum { IX_INSIDE_BITS = 21 };

/* Bytes of the character that starts at p, told by its first byte alone, as SentencePiece does. */
static inline size_t ix_chunk(const char *p, size_t left)
{
    unsigned lead = (unsigned char)*p;
    size_t n = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return n < left ? n : left;
}

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

typedef struct ix_symbol {
    uint32_t at, size;   /* in the text */
    int32_t id;          /* -1: no piece */
    uint32_t rank;       /* of merging with the next symbol; UINT32_MAX: never */
    int32_t merged;      /* the piece that this makes */
    uint32_t prev, next; /* links while merging; UINT32_MAX: none */
} ix_symbol;

/* Positions: ascending from items[head], or a heap whose least is items[head] (then head is 0). */
typedef struct ix_bucket {
    uint32_t *items;
    size_t head, end, capacity;
    uint32_t rank;
    bool heap;
} ix_bucket;

/* Reused from word to word. */
typedef struct ix_word {
    ix_symbol *symbols;
    size_t count, capacity;
    uint32_t *splits; /* has_unused: bytes of the left part of each piece when last considered */
    /* Long words: the left symbols of pairs, a bucket for each rank. */
    ix_bucket *buckets;
    size_t bucket_count, bucket_capacity;
    uint32_t *bucket_of; /* 1 + bucket of each rank; 0: none yet */
    ix_bucket ranks;     /* heap of the ranks whose buckets are not empty */
} ix_word;

inox_status ix_word_add(ix_word *w, uint32_t at, uint32_t size, int32_t id,
                        inox_error *err) IX_MUST_USE;
/* Merges until nothing merges: symbols[0..count) are then the pieces, in order. */
inox_status ix_word_merge(const ix_tokenizer *t, const char *text, ix_word *w,
                          inox_error *err) IX_MUST_USE;
void ix_word_release(ix_word *w);

/* Fills t->ends (tokens that end a generation).  In ends.c. */
void ix_find_ends(ix_tokenizer *t, const ix_vocab_source *source);

/* Byte of "<0x41>", or -1. */
int ix_byte_of_piece(const ix_text_view *piece);

#endif
