/* The identity of a model: a SHA-256 tree over the bytes of its files (docs/RECEIPTS.md). */
#ifndef IX_LLM_IDENTITY_H
#define IX_LLM_IDENTITY_H

#include "base/task.h"
#include "llm/model.h"

/* Hashing beside the first prompt: begin, compute something else, end.  A model whose identity is
 * known, or whose files are in the cache of identities unchanged, is not read. */
typedef struct ix_identity_task {
    inox_model *model;
    ix_task *task;
    char identity[65];
    inox_status status;
    inox_error error;
} ix_identity_task;

inox_status ix_identity_begin(ix_identity_task *t, inox_model *m, inox_error *err) IX_MUST_USE;
/* Waits; the model then knows its identity.  Call it once after every begin that succeeded. */
inox_status ix_identity_end(ix_identity_task *t, inox_error *err) IX_MUST_USE;

#endif
