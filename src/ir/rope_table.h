/* Frequencies of a rotation (rule C8), for the interpreter and every back end. */
#ifndef IX_IR_ROPE_TABLE_H
#define IX_IR_ROPE_TABLE_H

#include "ir/graph.h"

/* inv_freq[i] = float32(base^(-2i/dims) / (factor * factors[i])) for i < dims / 2, binary64 inside;
 * without the third argument of the rotation the factors are 1.  INOX_E_ARGUMENT where the factors
 * have no data. */
inox_status ix_rope_table(const ix_tensor *rope, float *inv_freq, inox_error *err) IX_MUST_USE;

#endif
