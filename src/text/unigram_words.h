/* Unigram, word by word.  Private to src/text.
 *
 *     normalized text   U+2581 T h e U+2581 e n d      words: [U+2581 T h e] [U+2581 e n d]
 *
 * Where no piece reaches across the beginning of a word, the best path goes through it, and a word
 * depends on what is before it by one number only: the sum of the scores up to there, to whose
 * magnitude binary32 rounds.  Sums up to a limit do not change the choice of pieces; a word is
 * remembered with its limit (unigram_words.c says why).  That is SentencePiece's; tokenizers begins
 * each word at 0.
 */
#ifndef IX_TEXT_UNIGRAM_WORDS_H
#define IX_TEXT_UNIGRAM_WORDS_H

#include "text/encoding.h"
#include "text/fast_parts.h"
#include "text/model_parts.h"

/* Sums beyond it are moved to 0. */
#define IX_UNIGRAM_RESET 100000.0F

/* Makes m->words, when the rest of the model is there. */
inox_status ix_unigram_words_make(ix_unigram_model *m, const ix_vocabulary *v, const uint8_t *types,
                                  inox_error *err) IX_MUST_USE;

/* A text that is being encoded. */
typedef struct ix_unigram_run {
    const ix_model *m; /* of words: m->unigram.words.cut tells */
    ix_model_scratch *s;
    ix_word_cache *cache; /* set by ix_unigram_begin */
    float sum;            /* of the scores so far */
    size_t base;          /* added to all places */
    int32_t word;
    size_t no_space;  /* a space that comes from before this place is not there in the source */
    bool only_ids;    /* are wanted; set by ix_unigram_begin */
    bool was_unknown; /* the last step of a word that is being added */
    ix_encoding *out;
    inox_error *err;
} ix_unigram_run;

/* Before all else, and before so many bytes of text. */
inox_status ix_unigram_begin(ix_unigram_run *r, size_t bytes) IX_MUST_USE;

/* A word whose line of the cache is on its way from memory. */
typedef struct ix_unigram_word {
    ix_cache_key key;
    ix_cache_slot *line; /* NULL: it is too long for the cache, or too short */
    uint32_t first, at, size;
    bool space;
    bool suffix; /* U+2581 follows the bytes, up to `first` */
} ix_unigram_word;

enum { IX_UNIGRAM_UNITS = 72, IX_UNIGRAM_QUEUE = 128 };

/* Words of a text that is normalized; or of a source, where it stands as it is when normalized, but
 * for the spaces. */
typedef struct ix_unigram_queue {
    const char *text;
    const uint32_t *origins; /* as in ix_spm_text; NULL: of a source */
    size_t count;
    ix_unigram_word words[IX_UNIGRAM_QUEUE];
} ix_unigram_queue;

/* Appends the tokens of all that wait. */
inox_status ix_unigram_answer(ix_unigram_run *r, ix_unigram_queue *q) IX_MUST_USE;

/* Where words are among 64 bytes of a source text. */
typedef struct ix_unigram_blocks {
    const ix_byte_marks *marks; /* plain bytes, which words are of, and spaces */
    ix_block_marks block;
    bool squeezes; /* several spaces are as one */
    bool each;     /* a word begins with each space; else several are not for this path */
    bool suffix;   /* words end in spaces; they begin with other bytes */
} ix_unigram_blocks;

/* Appends the tokens of words of text[*at..size), of which the first byte is a space behind a word
 * (suffix: a word's first byte); *at becomes such a place again, from which on no word could be
 * told so.  At least IX_UNIGRAM_LOOKAHEAD bytes are left behind each. */
inox_status ix_unigram_add_source(ix_unigram_run *r, ix_unigram_queue *q,
                                  const ix_unigram_blocks *blocks, const char *text, size_t *at,
                                  size_t size) IX_MUST_USE;
enum { IX_UNIGRAM_LOOKAHEAD = 96 };

/* Appends the tokens of normalized text, q->text[0..size), which is well-formed and begins and ends
 * where words do.  No word waits. */
inox_status ix_unigram_add_text(ix_unigram_run *r, ix_unigram_queue *q, size_t size) IX_MUST_USE;

#endif
