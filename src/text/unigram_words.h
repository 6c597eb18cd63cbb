/* SentencePiece's Unigram, word by word.  Private to src/text.
 *
 *     normalized text   U+2581 T h e U+2581 e n d      words: [U+2581 T h e] [U+2581 e n d]
 *
 * Where no piece reaches across the beginning of a word, the best path goes through it, and a word
 * depends on what is before it by one number only: the sum of the scores up to there, to whose
 * magnitude binary32 rounds.  Sums up to a limit do not change the choice of pieces; a word is
 * remembered with its limit (unigram_words.c says why).
 */
#ifndef IX_TEXT_UNIGRAM_WORDS_H
#define IX_TEXT_UNIGRAM_WORDS_H

#include "text/encoding.h"
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
    float sum;   /* of the scores so far */
    size_t base; /* added to all places */
    int32_t word;
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
} ix_unigram_word;

enum { IX_UNIGRAM_UNITS = 64, IX_UNIGRAM_QUEUE = 96 };

/* Words of a text that is normalized; or of a source, where it stands as it is when normalized, but
 * for the spaces. */
typedef struct ix_unigram_queue {
    const char *text;
    const uint32_t *origins; /* as in ix_spm_text; NULL: of a source */
    size_t count;
    ix_unigram_word words[IX_UNIGRAM_QUEUE];
} ix_unigram_queue;

/* Asks for a word, text[at..end), of at most IX_UNIGRAM_UNITS bytes; `space`: its first byte stands
 * for U+2581.  first: where that begins in the source.  readable: 16 bytes behind it may be read.
 * There is room. */
static inline void ix_unigram_ask(const ix_unigram_run *r, ix_unigram_queue *q, size_t first,
                                  size_t at, size_t end, bool space, bool readable)
{
    ix_unigram_word *w = &q->words[q->count++];
    size_t n = end - at - space;
    w->first = (uint32_t)first;
    w->at = (uint32_t)at;
    w->size = (uint32_t)(end - at);
    w->space = space;
    w->line = NULL;
    if (n - 1 >= IX_CACHED_BYTES)
        return;
    w->key = ix_cache_key_of(q->text + at + space, n, !space, readable);
    w->line = ix_cache_line(&r->s->cache, w->key);
    __builtin_prefetch(w->line, 1);
}

/* Appends the tokens of all that wait. */
inox_status ix_unigram_answer(ix_unigram_run *r, ix_unigram_queue *q) IX_MUST_USE;

/* Appends the tokens of normalized text, q->text[0..size), which is well-formed and begins and ends
 * where words do.  No word waits. */
inox_status ix_unigram_add_text(ix_unigram_run *r, ix_unigram_queue *q, size_t size) IX_MUST_USE;

#endif
