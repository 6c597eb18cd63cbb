/* Guesses of the tokens to come (speculative decoding; Leviathan et al., ICML 2023, with a guess
 * taken only where the model itself makes the same choice).
 *
 *     tokens  a b c | d          d is chosen, not yet fed
 *     guess           e f g      by a draft model, or because "c d" was followed by "e f g" before
 *     fed           d e f g      in one pass over the weights: four rows of logits
 *     chosen        e f x        from these rows, one after another; g was wrong and is taken back
 *
 * Rows do not depend on who is computed beside them, and the draw at a place depends on (seed,
 * place) alone, so the text is that of decoding token by token, whatever was guessed.
 */
#ifndef IX_LLM_DRAFT_H
#define IX_LLM_DRAFT_H

#include "llm/session.h"
#include "num/sample/sample.h"

typedef struct ix_draft {
    inox_session *session; /* of the draft model, or NULL */
    ix_sampler *sampler;   /* for its rows */
    int32_t lookup;        /* tokens that must agree at most, 0: no guess by the text itself */
    int32_t most, now;     /* guesses at once: at most, and after what was right lately */
    bool ignore_end;
    int64_t vocabulary;    /* rows of the model that is guessed for */
    int32_t *ids;          /* [1 + most]: room for a chosen token, then the guesses */
    size_t guessed, right; /* so far */
} ix_draft;

/* Checks the draft's part of the options.  Release it even where this failed. */
inox_status ix_draft_init(ix_draft *d, const inox_session *s, const inox_generate_options *o,
                          inox_error *err) IX_MUST_USE;
void ix_draft_release(ix_draft *d);

/* At most `room` guesses behind tokens[0..n), the first of which is choice number `choice`; to
 * d->ids + 1. */
inox_status ix_draft_guess(ix_draft *d, const int32_t *tokens, size_t n, size_t room,
                           const inox_sampling *sampling, uint64_t choice, size_t *count,
                           inox_error *err) IX_MUST_USE;
/* Of `guessed` guesses the first `right` were. */
void ix_draft_learn(ix_draft *d, size_t guessed, size_t right);

#endif
