/* A model in memory: the open file, its tokenizer, its graphs and plans.
 *
 * Opening is cheap: headers are checked and the tokenizer is built.  There is one graph
 * and one plan per cache type, made for the first session that asks; the second shares the first
 * one's packed weights.  Computing on a model holds `lock`.
 *
 * What the file does not allow (an architecture or a vocabulary that Inox does not know) is kept as
 * an error and reported by the calls that need it, so that any GGUF file can be inspected.
 */
#ifndef IX_LLM_MODEL_H
#define IX_LLM_MODEL_H

#include "back/back.h"
#include "base/lock.h"
#include "front/gguf/gguf.h"
#include "llm/arch/arch.h"
#include "base/span.h"
#include "llm/vocab.h"
#include "text/tokenizer.h"

typedef struct ix_variant {
    ix_graph *plain; /* holds the vectors that were widened, which `graph` points to */
    ix_graph *graph; /* fused */
    ix_plan *plan;
} ix_variant;

struct inox_model {
    char *whole_path; /* path from the root on, for receipts: replay may run elsewhere */
    char *path; /* as it was given, resolved from a name; "" for the embedded model */
    char *name; /* general.name, else the file's name */
    char *architecture_name;
    char *description; /* "qwen3 0.6B Q8_0" */
    ix_gguf *file;
    const ix_architecture *arch; /* NULL: not a model that runs; see weights_error */
    ix_llm_shape shape;
    inox_error weights_error; /* why it does not run; code 0: it does */
    ix_tokenizer *tokenizer;  /* NULL: see tokenizer_error */
    inox_error tokenizer_error;
    uint64_t parameters, weight_bytes;
    inox_model_options options;
    ix_isa isa;
    bool from_file; /* weights are not packed: see too_large_to_pack */
    ix_pool *pool;
    ix_lock lock;
    ix_variant variants[2]; /* float16, float32 cache */
    char identity[65];      /* "" until it is known */
};

/* The plan for a cache type, made at first use.  The caller holds the lock. */
inox_status ix_model_variant(inox_model *m, inox_cache_type cache, const ix_variant **out,
                             inox_error *err) IX_MUST_USE;
/* The unfused graph as the architecture builds it (caller frees). */
inox_status ix_model_graph(const inox_model *m, inox_cache_type cache, ix_graph **out,
                           inox_error *err) IX_MUST_USE;

/* No weight of the model is quantised. */
bool ix_model_is_float(const inox_model *m);

/* inspect.c: a text as JSON has it, with its quotes; what is not UTF-8 becomes U+FFFD. */
inox_status ix_append_json_string(ix_buffer *out, const char *s, inox_error *err) IX_MUST_USE;

/* INOX_OK, or why the model has no tokenizer. */
inox_status ix_model_needs_tokenizer(const inox_model *m, inox_error *err) IX_MUST_USE;

#endif
