/* Normalizers: the "normalizer" of tokenizer.json.
 *
 * All of Hugging Face's: BertNormalizer, NFC, NFD, NFKC, NFKD, Nmt, Lowercase, Strip, StripAccents,
 * Replace, Prepend, ByteLevel, Precompiled, Sequence; text and ranges come out as the library's do
 * (docs/UNICODE.md says of which Unicode each stage is).  Every stage is linear in the text, and
 * one that changes nothing leaves the text where it is.
 */
#ifndef IX_TEXT_NORMALIZER_H
#define IX_TEXT_NORMALIZER_H

#include "text/mapped.h"

#include <jansson.h>

typedef struct ix_normalizer ix_normalizer; /* immutable; a NULL pointer changes nothing */

/* "normalizer" of tokenizer.json; null or missing (NULL) gives NULL. */
inox_status ix_normalizer_from_json(const json_t *j, ix_normalizer **out,
                                    inox_error *err) IX_MUST_USE;
void ix_normalizer_free(ix_normalizer *n); /* NULL is fine */

/* Replaces *text by what becomes of it.  The text should be well-formed UTF-8 (ix_clean_text): what
 * is not comes out in some way, but never reads or writes beyond its memory.  On failure *text may
 * have been through some of the stages and is still to be released. */
inox_status ix_normalize(const ix_normalizer *n, ix_mapped_text *text, inox_error *err) IX_MUST_USE;

/* The forms by themselves, with the normalization that tokenizers have (Unicode 9). */
typedef enum ix_normal_form { IX_NFC, IX_NFD, IX_NFKC, IX_NFKD } ix_normal_form;
inox_status ix_normalize_form(ix_normal_form form, ix_mapped_text *text,
                              inox_error *err) IX_MUST_USE;

#endif
