/* Where texts of a tokenizer.json may be cut so that the parts have the tokens of the whole.
 * Private to src/text. */
#ifndef IX_TEXT_CUTS_H
#define IX_TEXT_CUTS_H

#include "text/added.h"
#include "text/model.h"
#include "text/normalizer.h"

/* The kinds of places that a tokenizer allows. */
enum {
    IX_CUT_SPACE = 1, /* between a letter and the single space between it and the next, in ASCII */
    IX_CUT_EDGE = 2,  /* between a letter and a line end, or one of the CJK punctuation marks */
    IX_CUT_LOOSE = 4, /* white space that the normalizer puts there does not matter */
    IX_CUT_LAGS = 8, /* what Precompiled takes away at the very beginning moves all ranges behind */
};

/* root: the object of tokenizer.json; n: its normalizer, or NULL.  0 where nothing is known about
 * one of its parts. */
unsigned ix_cuts_of(const json_t *root, const ix_model *m, const ix_normalizer *n,
                    const ix_added *a);
/* The last place in a text, not at one of its ends; 0: none. */
size_t ix_cut_last(unsigned cuts, const ix_normalizer *n, const ix_added *a, const char *text,
                   size_t size);

#endif
