/* The family of tokenizer.json: added tokens, normalizer, pre-tokenizer, model, decoder.  Private
 * to src/text.
 *
 *     text -> [added] fragment [added] ... -> normalizer -> [added] ... -> pre-tokenizer -> model
 *
 * The readers of files (file/tokenizer_json.c) fill the parts and call ix_pipeline_finish.
 */
#ifndef IX_TEXT_PIPELINE_H
#define IX_TEXT_PIPELINE_H

#include "text/added.h"
#include "text/decoder.h"
#include "text/family.h"
#include "text/fast.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/split.h"

typedef struct ix_pipeline {
    ix_tokenizer base;
    ix_model *model; /* required, as is `added`; the others may be NULL */
    ix_added *added;
    ix_normalizer *normalizer;
    ix_splitter *splitter;
    ix_fast *fast;
    ix_decode_stages *decoder;
    unsigned cuts;          /* IX_CUT_...: where streams may be cut */
    uint8_t *special;       /* by id: left out when text is decoded */
    uint16_t *lead, *trail; /* by id: white characters at the ends of a piece; NULL: not needed */
} ix_pipeline;

/* A pipeline without parts.  Free it with ix_tokenizer_free(&p->base). */
inox_status ix_pipeline_new(ix_pipeline **out, inox_error *err) IX_MUST_USE;
/* Counts ids and makes the tables. */
inox_status ix_pipeline_finish(ix_pipeline *p, inox_error *err) IX_MUST_USE;

#endif
