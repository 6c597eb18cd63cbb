/* What a stage of a pre-tokenizer is, between pretokenize.c and pretokenize_cut.c. */
#ifndef IX_TEXT_PRETOKENIZE_STAGE_H
#define IX_TEXT_PRETOKENIZE_STAGE_H

#include "text/pretokenize.h"

struct ix_pre_stage {
    /* End of the match that starts at `at`, or `at`. */
    size_t (*match)(const ix_pre_stage *s, ix_pre_piece *p, size_t at);
    bool (*in)(uint32_t c, unsigned properties); /* for runs */
    size_t max;                                  /* characters of a run; 0: any number */
    const struct ix_pre_words *words;
    bool bytes; /* matches may begin inside a character */
};

#endif
