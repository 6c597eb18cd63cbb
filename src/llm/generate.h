/* Generation and its result, inside the library. */
#ifndef IX_LLM_GENERATE_H
#define IX_LLM_GENERATE_H

#include "base/hash.h"
#include "llm/draft.h"
#include "llm/identity.h"
#include "llm/session.h"
#include "num/sample/sample.h"
#include "trust/receipt.h"

/* Hashes of the rows of logits that choices were made from. */
typedef struct ix_row_log {
    ix_buffer digests; /* 32 bytes of each row */
    ix_buffer digits;  /* the first IX_ROW_DIGITS hexadecimal digits of each */
} ix_row_log;

inox_status ix_row_log_add(ix_row_log *log, const float *row, size_t columns,
                           inox_error *err) IX_MUST_USE;
inox_status ix_row_log_digest(const ix_row_log *log, char out[65], inox_error *err) IX_MUST_USE;
void ix_row_log_release(ix_row_log *log);

struct inox_result {
    ix_buffer text;
    int32_t *ids;
    size_t id_count, prompt_count, prompt_reused, guessed, guessed_right;
    const char *finish;
    double prompt_s, decode_s;
    ix_row_log rows;
    ix_buffer receipt;
    char receipt_id[65];
};

/* inox_generate on checked pointers, in the contract's floating-point environment. */
inox_status ix_generate(inox_session *s, const int32_t *prompt, size_t count,
                        const inox_generate_options *o, inox_result **out,
                        inox_error *err) IX_MUST_USE;

#endif
