/* Pre-tokenizers: cutting text into the words that BPE works on.
 *
 * A pre-tokenizer is a list of stages.  Each stage cuts every piece of the stage before it into
 * matches of a pattern and what lies between them, so that lookahead ends at the piece.  The
 * patterns are those of the original tokenizers, written as matchers by hand: no expression is
 * interpreted at run time, and every stage is linear in the text.
 */
#ifndef IX_TEXT_PRETOKENIZE_H
#define IX_TEXT_PRETOKENIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What else a name of tokenizer.ggml.pre tells. */
enum {
    IX_PRE_NFC = 1,           /* the original tokenizer normalizes to form C */
    IX_PRE_IGNORE_MERGES = 2, /* a word that is a piece is that token, whatever the merges say */
    IX_PRE_ADD_BOS = 4,       /* unless the file says otherwise */
    IX_PRE_RAW = 8,           /* pieces are UTF-8, not written in GPT-2's alphabet of bytes */
    IX_PRE_ESCAPE = 16,       /* spaces become U+2581 */
    IX_PRE_FORCE_BOS = 32,    /* whatever the file says (its converters forgot) */
    IX_PRE_RANKS = 64,        /* without merges, ids are ranks, as in tiktoken */
    IX_PRE_STRIP_MASK = 128,  /* <mask> takes the spaces before it */
};

typedef struct ix_pre_stage ix_pre_stage;
typedef struct ix_pretokenizer {
    const ix_pre_stage *stages;
    int stage_count;
    unsigned flags;
} ix_pretokenizer;

/* The pre-tokenizer of a name; false for an unknown one.  NULL is GPT-2's. */
bool ix_pretokenizer_find(const char *name, ix_pretokenizer *out);

/* The n-th known name, or NULL.  For tests and messages. */
const char *ix_pretokenizer_name(size_t n);

enum { IX_PRE_STAGES_MAX = 8 };

/* One stage's piece that is being cut. */
typedef struct ix_pre_piece {
    const char *text;
    size_t at, end;   /* of the piece, what is left */
    size_t match_end; /* of a match that starts at `at` and was found already; 0: none */
    size_t run_end;   /* what a matcher knows about the run that it is in: its end, */
    size_t run_left;  /* and the characters up to there, */
    bool run_plain;   /* and that they are spaces without line ends */
} ix_pre_piece;

typedef struct ix_pre_cursor {
    ix_pretokenizer pre;
    int depth;
    ix_pre_piece pieces[IX_PRE_STAGES_MAX];
} ix_pre_cursor;

/* A stage of a named pre-tokenizer on its own, or NULL; "cl100k" is tiktoken's expression. */
const ix_pre_stage *ix_pre_stage_of(const char *name, int stage);
/* The next match of the stage's pattern from p->at on, behind which p->at then is.  p: text, at and
 * end are set, all else is zero. */
bool ix_pre_find(const ix_pre_stage *s, ix_pre_piece *p, size_t *start, size_t *end);

/* The end of the match at `at` < end in text[0..end), or of the gap before the next one. */
size_t ix_pre_end(const ix_pre_stage *s, const char *text, size_t at, size_t end);

void ix_pre_start(ix_pre_cursor *c, const ix_pretokenizer *pre, const char *text, size_t size);
/* The next word text[*start..*end), never empty; false at the end. */
bool ix_pre_next(ix_pre_cursor *c, size_t *start, size_t *end);

#endif
