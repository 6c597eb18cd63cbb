/* Inside of a model.  Private to the files of the four kinds. */
#ifndef IX_TEXT_MODEL_PARTS_H
#define IX_TEXT_MODEL_PARTS_H

#include "text/bpe_search.h"
#include "text/long_words.h"
#include "text/model.h"
#include "text/trie.h"
#include "text/word_cache.h"

/* Pieces by id, and ids by piece.  Where several pieces have one id, the last is the id's; the
 * others are entries behind all ids. */
typedef struct ix_vocabulary {
    ix_text_view *pieces; /* [0, id_end) by id, {NULL, 0} for a hole; then the others */
    int32_t *other_ids;   /* of those */
    size_t id_end, entries, count;
    char *store;          /* all bytes */
    ix_piece_table table; /* over `pieces` */
    int32_t empty_id;     /* of the piece "", or -1 */
} ix_vocabulary;

/* One entry of a list from which a vocabulary is made. */
typedef struct ix_entry {
    ix_text_view piece;
    int32_t id;
} ix_entry;

inox_status ix_vocabulary_new(ix_vocabulary *v, const ix_entry *entries, size_t count,
                              inox_error *err) IX_MUST_USE;
void ix_vocabulary_release(ix_vocabulary *v);
/* The id, or -1. */
static inline int32_t ix_vocabulary_find(const ix_vocabulary *v, const char *piece, size_t size)
{
    int32_t at = size == 0 ? v->empty_id : ix_piece_find(&v->table, piece, size);
    return at < (int32_t)v->id_end ? at : v->other_ids[(size_t)at - v->id_end];
}

typedef struct ix_bpe_model {
    ix_bpe bpe;
    bool has_unknown, fuse_unknown, byte_fallback, ignore_merges, no_merges;
    bool ranks;                  /* symbols are bytes, words are not UTF-8 */
    ix_text_view prefix, suffix; /* of continuing pieces, of the last piece of a word */
    int32_t unknown;             /* -1 where the vocabulary lacks it */
    int32_t byte_ids[256];       /* the token of each byte (of ranks, for byte_fallback), or -1 */
    uint64_t *borders; /* bit set of hashed pairs of symbols that some merge joins; NULL: any */
    int32_t *composed; /* ASCII with prefix and suffix: see composed_index; NULL: there are none */
    /* SentencePiece only */
    bool sentencepiece;
    uint8_t *types;
    bool has_unused;
    size_t users; /* number of user-defined pieces */
    ix_trie user_trie;
    bool user_first[256]; /* bytes that begin one */
    bool words;           /* no merge joins a U+2581 to another character before it */
} ix_bpe_model;

typedef struct ix_wordpiece_model {
    ix_trie whole, rest; /* pieces that begin a word, and those behind (without their prefix) */
    int32_t unknown;
    size_t characters_max;
} ix_wordpiece_model;

/* Where words of normalized text begin that no piece reaches across. */
typedef enum ix_unigram_cut {
    IX_CUT_NOWHERE,
    IX_CUT_BEFORE_SPACE, /* before each U+2581 */
    IX_CUT_BEHIND_SPACE,
} ix_unigram_cut;

/* Words with characters that are no pieces: not remembered, or their tokens are the unknown one,
 * never two in a row, or bytes. */
typedef enum ix_unigram_unknown {
    IX_UNKNOWN_NEVER,
    IX_UNKNOWN_TOKEN,
    IX_UNKNOWN_BYTES,
} ix_unigram_unknown;

/* What unigram_words.c needs. */
typedef struct ix_unigram_words {
    bool wide;      /* ids need more than 16 bits */
    int32_t none;   /* an id that is none */
    uint32_t space; /* the node of the trie behind U+2581, or 0 */
    int32_t *units; /* of id i: its score in units of 2^-16 at i + 1; before all, that of -1 */
    float greatest; /* |score| of all pieces, and of what is unknown if it is remembered */
    /* tokenizers */
    bool remembers;  /* words can be remembered */
    uint16_t *sizes; /* by id: bytes of the piece; 0 where it is none, is unknown, or a byte */
    /* SentencePiece */
    ix_unigram_cut cut;
    bool runs;     /* pieces have several U+2581 in a row: no word begins between two of them */
    float *scores; /* by id; one more, 0, for the id that is none */
    ix_unigram_unknown unknown;
    int32_t unknown_units; /* the score */
} ix_unigram_words;

/* A node of the trie of pieces; child and parent as in trie.h, but that the root has no parent. */
typedef struct ix_unigram_node {
    uint32_t base, parent;
    uint32_t step; /* of the piece that ends here (unigram_search.h), or 0 */
    float score;   /* its score, -INFINITY where there is none; SentencePiece's */
} ix_unigram_node;

typedef struct ix_unigram_model {
    ix_unigram_node *nodes;
    size_t longest; /* bytes of the longest piece */
    double *scores; /* by id */
    double unknown_score;
    bool careful;    /* sums of scores may become infinite */
    int32_t unknown; /* -1: none */
    bool byte_fallback, sentencepiece;
    int32_t byte_ids[256];
    ix_unigram_words words;
} ix_unigram_model;

struct ix_model {
    ix_model_kind kind;
    ix_vocabulary vocabulary;
    char *strings; /* options that are strings */
    ix_bpe_model bpe;
    ix_wordpiece_model wordpiece;
    ix_unigram_model unigram;
    int32_t unknown; /* WordLevel */
};

/* The best way to a place: its sum, and the step that ends there (unigram_search.h). */
typedef struct ix_unigram_way {
    union {
        float f32;
        double f64;
    } sum;
    uint32_t step; /* 0: no way leads here */
} ix_unigram_way;

struct ix_model_scratch {
    const ix_model *model;
    ix_word word;
    ix_word_cache cache;
    ix_word_cache words; /* of the fast path for Unigram: lines as in unigram_cache.h */
    int words_log2;
    size_t words_seen;   /* as `seen`, of this path */
    ix_long_words longs; /* of the fast path for bytes */
    size_t seen;         /* bytes of text, up to a certain number */
    bool held; /* a fast path has places of the cache at hand: it stays, and the text was seen */
    char *composed; /* a symbol with its prefix and suffix */
    size_t composed_capacity;
    ix_unigram_way *ring; /* unigram_search.c */
    size_t ring_count;
    uint32_t *back, *steps;
    size_t back_capacity;
    ix_token_list tokens; /* of one word, for fast paths */
    ix_bpe_memo *memo;    /* of the fast path's search */
    uint64_t *blocked;    /* likewise, for a long word */
    size_t blocked_capacity;
    uint32_t *waiting; /* an unused piece that comes apart */
    size_t waiting_capacity;
};

/* The kinds: reading their options from JSON, and one word to tokens. */
inox_status ix_bpe_model_read(ix_model *m, const json_t *j, inox_error *err) IX_MUST_USE;
inox_status ix_bpe_model_tokenize(const ix_model *m, ix_model_scratch *s, const char *text,
                                  size_t start, size_t end, ix_token_list *out,
                                  inox_error *err) IX_MUST_USE;
void ix_bpe_model_release(ix_bpe_model *m);

inox_status ix_wordpiece_read(ix_model *m, const json_t *j, inox_error *err) IX_MUST_USE;
inox_status ix_wordpiece_tokenize(const ix_model *m, const char *text, size_t start, size_t end,
                                  ix_token_list *out, inox_error *err) IX_MUST_USE;
/* The pieces of the word p[0..n), of no more characters than a word may have: ids, and where each
 * ends, of which there are at most n.  Returns their number; 0: the word is unknown, or empty. */
size_t ix_wordpiece_pieces(const ix_wordpiece_model *w, const char *p, size_t n, int32_t *ids,
                           uint32_t *ends);
void ix_wordpiece_release(ix_wordpiece_model *m);

inox_status ix_unigram_read(ix_model *m, const json_t *j, inox_error *err) IX_MUST_USE;
inox_status ix_unigram_tokenize(const ix_model *m, ix_model_scratch *s, const char *text,
                                size_t start, size_t end, ix_token_list *out,
                                inox_error *err) IX_MUST_USE;
void ix_unigram_release(ix_unigram_model *m);
/* SentencePiece's: whether piece i is one that text is cut into. */
bool ix_unigram_has_piece(const uint8_t *types, size_t i);
inox_status ix_wordlevel_read(ix_model *m, const json_t *j, inox_error *err) IX_MUST_USE;
inox_status ix_wordlevel_tokenize(const ix_model *m, const char *text, size_t start, size_t end,
                                  ix_token_list *out, inox_error *err) IX_MUST_USE;

/* The "vocab" object of BPE, WordPiece and WordLevel into m->vocabulary. */
inox_status ix_model_read_vocabulary(ix_model *m, const json_t *j, inox_error *err) IX_MUST_USE;
/* A member that is a string (*out = {NULL, 0} where it is missing or null, an error unless
 * `optional`), or true or false. */
inox_status ix_model_read_string(const json_t *j, const char *name, bool optional,
                                 ix_text_view *out, inox_error *err) IX_MUST_USE;
inox_status ix_model_read_flag(const json_t *j, const char *name, bool *out,
                               inox_error *err) IX_MUST_USE;
/* Byte tokens "<0x00>" to "<0xFF>" of the vocabulary; true where all are there. */
bool ix_model_find_bytes(const ix_vocabulary *v, int32_t ids[256]);

/* Before so many bytes of text: the cache of words may become another. */
inox_status ix_model_scratch_expect(ix_model_scratch *s, size_t bytes, inox_error *err) IX_MUST_USE;

/* Lines of a cache of words, as a logarithm, when so many bytes of text have gone by it. */
int ix_model_cache_lines(size_t bytes);

/* Appends the tokens of a word that the cache knows, text[start..end). */
inox_status ix_token_list_add_cached(ix_token_list *list, const ix_cache_slot *known, size_t start,
                                     size_t end, inox_error *err) IX_MUST_USE;

/* A new, empty model. */
inox_status ix_model_alloc(ix_model_kind kind, ix_model **out, inox_error *err) IX_MUST_USE;

#endif
