/* Receipts, version 0: what was asked, of which model, by which rules, and what came out.
 *
 * A receipt is one line of canonical JSON (keys sorted, no white space, ASCII digits, strings as
 * UTF-8) and a newline.  Its member "sha256" is the SHA-256 of the canonical JSON of all other
 * members: it shows damage, not forgery (signatures come with version 1).  docs/RECEIPTS.md lists
 * the members.
 *
 * Reading accepts exactly the bytes that writing gives: any other spelling of the same JSON is
 * INOX_E_MISMATCH.
 */
#ifndef IX_TRUST_RECEIPT_H
#define IX_TRUST_RECEIPT_H

#include "base/alloc.h"

#include <stdbool.h>

#define IX_ROW_DIGITS                                                                              \
    8 /* hexadecimal digits kept of each row's hash: to find the first row that differs */

typedef struct ix_receipt {
    /* the model */
    char *model_name, *model_path; /* path "": the embedded model */
    char model_identity[65];
    /* the rules and the program */
    char *contract_name;
    char contract_identity[65];
    char *engine_version;
    char engine_build[65];
    char *isa;
    int64_t threads;
    int64_t time_s; /* Unix time at which the answer began */
    /* declared inputs (C13) */
    char *cache; /* "f16" or "f32" */
    int64_t context;
    /* the question */
    int32_t *prompt;
    size_t prompt_count;
    inox_sampling sampling; /* bias arrays belong to the receipt */
    int64_t max_tokens;
    bool ignore_end;
    char **stops;
    size_t stop_count;
    /* the answer */
    int32_t *output;
    size_t output_count;
    char *finish;
    char logits_sha256[65]; /* SHA-256 over the SHA-256 of every row, in order */
    char *rows;             /* row_count * IX_ROW_DIGITS digits */
    size_t row_count;
} ix_receipt;

void ix_receipt_release(ix_receipt *r);

/* Appends the canonical line to `out`; `id` becomes its sha256 member. */
inox_status ix_receipt_write(const ix_receipt *r, ix_buffer *out, char id[65],
                             inox_error *err) IX_MUST_USE;

/* Reads one; release it also after a failure.  INOX_E_MISMATCH: damaged.  INOX_E_FORMAT: not a
 * receipt. */
inox_status ix_receipt_read(const char *text, size_t bytes, ix_receipt *out,
                            inox_error *err) IX_MUST_USE;

#endif
