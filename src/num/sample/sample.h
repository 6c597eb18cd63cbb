/* Choosing a token from a row of logits (rule C10).  Integers after the exponential: no sum has an
 * order. */
#ifndef IX_NUM_SAMPLE_H
#define IX_NUM_SAMPLE_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ix_sampler ix_sampler; /* reusable working memory for rows of `columns` */
inox_status ix_sampler_new(size_t columns, ix_sampler **out, inox_error *err) IX_MUST_USE;
void ix_sampler_free(ix_sampler *s);

/* As inox_sample in inox.h; `logits` has the columns that the sampler was made for.  Runs without
 * allocating.  Order: bias, penalties, temperature, top-k, typical, top-p, min-p, draw with
 * R = ix_random_u64(seed, 0, position).  Impossible parameters or ids, and a row of -infinity:
 * INOX_E_ARGUMENT; a NaN in the row: INOX_E_NAN. */
inox_status ix_sampler_choose(ix_sampler *s, const float *logits, const inox_sampling *p,
                              const int32_t *previous, size_t previous_count, uint64_t position,
                              int32_t *id, inox_error *err) IX_MUST_USE;

/* First index of the largest value (-0 equals +0); INOX_E_NAN if any value is NaN. */
inox_status ix_argmax(const float *x, size_t n, int32_t *index, inox_error *err) IX_MUST_USE;

#endif
