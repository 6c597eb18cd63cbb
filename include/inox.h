/* Inox: an AI runtime that gives the same bits everywhere, and a receipt for every answer.
 *
 * The header of the whole library; inox_text.h, which it includes, holds tokenizers and chat
 * templates, which also come as a small library of their own.  All handles are opaque.  Every call
 * that can fail returns an inox_status (0, or a negative code of inox_status.h) and takes, last, an
 * optional `inox_error *` of the caller that is filled on failure.  On failure outputs are
 * unchanged or empty.  The library never exits, prints or calls abort.  Strings are UTF-8.  Options
 * structs start with their size: initialise them with the matching INOX_..._INIT, so that fields
 * added later keep their defaults.
 *
 * Threads: one inox_model may be shared by sessions of several threads for reading, but calls that
 * compute (feed, generate, replay) on one model are serialised inside.  A cache may be shared
 * likewise; a session, a result and a tokenizer state belong to one thread at a time.
 */
#ifndef INOX_H
#define INOX_H

#include "inox_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the library ----------------------------------------------------------------------------- */

/* One JSON object: version, contract (name and sha256 identity), build hash, compiler, the
 * instruction sets built in and those that this CPU has.  Static memory. */
INOX_API const char *inox_version_json(void);

/* Name of the index-th kernel of this process that differed from the reference when it was first
 * selected, and has been passed over since; NULL behind the last one.  None is what to expect. */
INOX_API const char *inox_kernel_rejected(int32_t index);

/* ---- models ---------------------------------------------------------------------------------- */

typedef struct inox_model inox_model;

/* How to open a model. */
typedef struct inox_model_options {
    size_t size;
    int32_t threads; /* 0: all processors of this process */
    const char *isa; /* "ref", "avx2", ... of inox_version_json; NULL: $INOX_ISA, else the best */
    bool vocabulary_only; /* open for tokenising and inspecting; weights are not looked at */
    int32_t max_batch;    /* rows computed in one step, 0: 512 */
    /* Called while weights are read for the first time, by the thread whose call computes with
     * them: fraction 0..1 of a step, which has at most max_batch rows.  Its context must live as
     * long as the model; it may not call the library.  May be NULL.  A non-zero return cancels the
     * call: INOX_E_CANCELLED. */
    int (*progress)(void *context, double fraction);
    void *progress_context;
    /* Worker threads keep to a processor each, beginning with the second of this process; more
     * threads than processors are refused then.  Changes no bit. */
    bool pin;
    /* Bytes that packed weights may take, 0: what the system has to give.  A model that needs more
     * is used from its file (inox_model_info.from_file).  Changes no bit. */
    uint64_t memory_max;
    /* Pages of packed weights go to the machine's memory nodes in turn, so that threads of all
     * nodes read them equally fast; nothing where there is one node.  Changes no bit. */
    bool interleave;
} inox_model_options;
#define INOX_MODEL_OPTIONS_INIT                                                                    \
    { sizeof(inox_model_options), 0, NULL, false, 0, NULL, NULL, false, 0, false }

/* Opens a model: a path (a GGUF file; the first file of a split model), or a name that is looked up
 * in $XDG_DATA_HOME/inox/models; NULL is the model that is built into the library. */
INOX_API INOX_CHECK inox_status inox_model_open(const char *path, const inox_model_options *options,
                                                inox_model **out, inox_error *err);
/* Sessions of the model are freed before.  NULL is fine. */
INOX_API void inox_model_close(inox_model *model);

/* What a model is, and what it runs on. */
typedef struct inox_model_info {
    size_t size;
    const char *name, *architecture, *description; /* owned by the model */
    uint64_t parameters, file_bytes, weight_bytes;
    int32_t layers, width, heads, kv_heads, head_dim, vocabulary, context;
    int32_t threads;  /* in use */
    const char *isa;  /* in use */
    bool has_weights; /* false for a vocabulary-only file */
    bool has_vocabulary;
    bool from_file; /* memory has no room for packed weights: kernels read them from the file */
} inox_model_info;
#define INOX_MODEL_INFO_INIT { .size = sizeof(inox_model_info) }
/* Fills *out, whose size field is set. */
INOX_API INOX_CHECK inox_status inox_model_describe(const inox_model *model, inox_model_info *out,
                                                    inox_error *err);

/* SHA-256 identity of the model's files as 64 hexadecimal digits (docs/RECEIPTS.md). */
INOX_API INOX_CHECK inox_status inox_model_identity(inox_model *model, char out[65],
                                                    inox_error *err);

/* Text about the model; free with inox_string_free.  what: "summary", "metadata", "tensors",
 * "graph" (text), "graph.svg"; or "json" for one object with summary, metadata and tensors. */
INOX_API INOX_CHECK inox_status inox_model_inspect(inox_model *model, const char *what, char **out,
                                                   inox_error *err);

/* JSON array of the models found by name in $XDG_DATA_HOME/inox/models, and the embedded one. */
INOX_API INOX_CHECK inox_status inox_models_list(char **json, inox_error *err);

/* ---- tokens ---------------------------------------------------------------------------------- */

/* The model's tokenizer for the calls of inox_text.h, which can do more than these two.  It is
 * freed before the model. */
INOX_API INOX_CHECK inox_status inox_tokenizer_from_model(const inox_model *model,
                                                          inox_tokenizer **out, inox_error *err);
/* The chat template that the model's file carries; name: which of several, NULL: the default one.
 * INOX_E_NOT_FOUND where there is none. */
INOX_API INOX_CHECK inox_status inox_template_from_model(const inox_model *model, const char *name,
                                                         inox_template **out, inox_error *err);

/* text may hold any bytes, U+0000 too. */
INOX_API INOX_CHECK inox_status inox_tokenize(const inox_model *model, const char *text,
                                              size_t bytes, unsigned flags, inox_tokens *out,
                                              inox_error *err);
/* *text: `*bytes` bytes and a NUL behind them.  keep_special: special tokens appear
 * by their texts. */
INOX_API INOX_CHECK inox_status inox_detokenize(const inox_model *model, const int32_t *ids,
                                                size_t count, bool keep_special, char **text,
                                                size_t *bytes, inox_error *err);

/* ---- caches: keys and values that sessions may share ----------------------------------------- */

typedef struct inox_cache inox_cache;

/* The element type of cached keys and values.  Auto: float32 beside float weights, so that a float
 * model's logits are as exact as its weights; float16 beside quantised ones. */
typedef enum inox_cache_type {
    INOX_CACHE_AUTO = 0,
    INOX_CACHE_F16 = 1,
    INOX_CACHE_F32 = 2
} inox_cache_type;

/* How large a cache is: one of positions and bytes. */
typedef struct inox_cache_options {
    size_t size;
    int64_t positions; /* of all sessions together, rounded up to pages */
    uint64_t bytes;    /* at most; memory is taken as pages are first used */
    inox_cache_type type;
    bool reuse; /* true: tokens that begin like earlier ones take their pages, see below */
} inox_cache_options;
#define INOX_CACHE_OPTIONS_INIT { sizeof(inox_cache_options), 0, 0, INOX_CACHE_AUTO, true }

/* A cache for several sessions of a model, also of several threads.  It is made of pages of 128
 * positions.  With reuse, a page that is full is found again by its tokens and all tokens before
 * them: a session that is fed the same beginning takes the page instead of computing it, which
 * changes no bit of any result.  Pages that no session holds stay for this until their memory is
 * needed; the one that was given back first goes first. */
INOX_API INOX_CHECK inox_status inox_cache_new(inox_model *model, const inox_cache_options *options,
                                               inox_cache **out, inox_error *err);
/* Its sessions are freed before, its model behind.  NULL is fine. */
INOX_API void inox_cache_free(inox_cache *cache);

/* What is in a cache now. */
typedef struct inox_cache_info {
    size_t size;
    inox_cache_type type;
    int32_t page_positions; /* positions of a page, 128 */
    uint64_t page_bytes;    /* bytes of a page, all layers together */
    int32_t pages;          /* all; those neither used nor kept are empty */
    int32_t pages_used;     /* held by sessions */
    int32_t pages_kept;     /* held by none, and found again by their tokens */
    uint64_t pages_reused;  /* taken instead of computed, since the cache was made */
    uint64_t pages_evicted; /* kept pages that went for others, since the cache was made */
} inox_cache_info;
#define INOX_CACHE_INFO_INIT { .size = sizeof(inox_cache_info) }
INOX_API INOX_CHECK inox_status inox_cache_describe(inox_cache *cache, inox_cache_info *out,
                                                    inox_error *err);

/* ---- sessions: one sequence of tokens with its cache ----------------------------------------- */

typedef struct inox_session inox_session;

/* How to start a session. */
typedef struct inox_session_options {
    size_t size;
    int32_t context;       /* positions; 0: the model's own, at most 4096 */
    inox_cache_type cache; /* changes results, so it is named in receipts (rule C13) */
    inox_cache *pool;      /* cache to share; NULL: one of its own, for all its positions */
} inox_session_options;
#define INOX_SESSION_OPTIONS_INIT { sizeof(inox_session_options), 0, INOX_CACHE_AUTO, NULL }

/* Starts an empty sequence; options may be NULL. */
INOX_API INOX_CHECK inox_status inox_session_new(inox_model *model,
                                                 const inox_session_options *options,
                                                 inox_session **out, inox_error *err);
/* A second session that goes on from where this one is, with the same logits.  They share pages
 * until they differ, so the session must share a cache (`pool`). */
INOX_API INOX_CHECK inox_status inox_session_fork(const inox_session *session, inox_session **out,
                                                  inox_error *err);
/* NULL is fine. */
INOX_API void inox_session_free(inox_session *session);

/* Which rows of logits a feed computes. */
typedef enum inox_logits_mode {
    INOX_LOGITS_NONE = 0,
    INOX_LOGITS_LAST = 1,
    INOX_LOGITS_ALL = 2
} inox_logits_mode;

/* Appends tokens.  Too many for the context: INOX_E_CONTEXT; too many for a shared cache:
 * INOX_E_LIMIT; nothing is appended then. */
INOX_API INOX_CHECK inox_status inox_session_feed(inox_session *session, const int32_t *ids,
                                                  size_t count, inox_logits_mode mode,
                                                  inox_error *err);

/* What one session is fed. */
typedef struct inox_feed {
    inox_session *session;
    const int32_t *ids;
    size_t count;
    inox_logits_mode mode;
} inox_feed;

/* Feeds several sessions of one shared cache together: the weights are read once for all their
 * tokens (once for each max_batch of them).  Each session gets the bits that it would have got
 * alone.  Any error leaves every session's tokens as they were, and its logits too unless the error
 * came while computing. */
INOX_API INOX_CHECK inox_status inox_sessions_feed(const inox_feed *feeds, size_t count,
                                                   inox_error *err);

/* Rows of the last feed: *rows x *columns float32, valid until the next call on the session. */
INOX_API const float *inox_session_logits(const inox_session *session, size_t *rows,
                                          size_t *columns);
/* Positions in use. */
INOX_API size_t inox_session_length(const inox_session *session);
/* How many tokens of the last feed were found in the shared cache, and not computed. */
INOX_API size_t inox_session_reused(const inox_session *session);
/* Forgets the positions from `length` on. */
INOX_API INOX_CHECK inox_status inox_session_truncate(inox_session *session, size_t length,
                                                      inox_error *err);

/* Times every step of the model's computing from here on, for all sessions of the model with this
 * cache type; what was counted before is forgotten. */
INOX_API INOX_CHECK inox_status inox_profile_begin(inox_session *session, inox_error *err);
/* What was counted, and the end of counting: one JSON object with the limits of this machine (bytes
 * read, operations on bytes and on float32 per second, measured now; 0: not known) and the steps in
 * the order in which they run: the time that all threads together worked on each and waited behind
 * it, the bytes that it has to move, its operations.  Free with inox_string_free. */
INOX_API INOX_CHECK inox_status inox_profile_end(inox_session *session, char **json,
                                                 inox_error *err);

/* ---- sampling and generation ----------------------------------------------------------------- */

/* Samplers act in this order: logit bias, penalties, temperature, top-k, typical, top-p, min-p,
 * draw (docs/NUMERICS.md, C10): all that look at probabilities see those at this temperature, among
 * the tokens that the samplers before them kept.  Temperature 0 is greedy: the largest logit after
 * bias and penalties. */
typedef struct inox_sampling {
    size_t size;
    float temperature;        /* 0.8 */
    int32_t top_k;            /* 40; 0: off */
    float top_p;              /* 0.95; 1: off */
    float min_p;              /* 0.05; 0: off */
    float typical_p;          /* 1: off */
    float repetition_penalty; /* 1: off */
    float presence_penalty;   /* 0: off */
    float frequency_penalty;  /* 0: off */
    int32_t penalty_window;   /* last tokens that the penalties see: 64; 0: none; -1: all */
    uint64_t seed;
    const int32_t *bias_ids; /* logit bias: value added per token id; -INFINITY bans */
    const float *bias_values;
    size_t bias_count;
} inox_sampling;
#define INOX_SAMPLING_INIT                                                                         \
    { sizeof(inox_sampling), 0.8f, 40, 0.95f, 0.05f, 1.0f, 1.0f, 0.0f, 0.0f, 64, 0, NULL, NULL, 0 }

/* Chooses from a row of logits.  `previous` are the tokens before, `position` the index of the
 * choice (it selects the random number).  A row with NaN is INOX_E_NAN. */
INOX_API INOX_CHECK inox_status inox_sample(const float *logits, size_t columns,
                                            const inox_sampling *sampling, const int32_t *previous,
                                            size_t previous_count, uint64_t position, int32_t *id,
                                            inox_error *err);

/* How to answer a prompt. */
typedef struct inox_generate_options {
    size_t size;
    int32_t max_tokens; /* 128 */
    inox_sampling sampling;
    const char *const *stops; /* texts that end the answer; they are not part of it */
    size_t stop_count;
    bool ignore_end; /* do not stop at end-of-text tokens */
    bool receipt;    /* make one: true */
    /* Whole UTF-8 characters as they become certain.  A non-zero return stops (finish
     * "cancelled"). */
    int (*on_text)(void *context, const char *text, size_t bytes);
    /* Prompt progress: tokens done of all.  A non-zero return stops. */
    int (*on_prompt)(void *context, size_t done, size_t all);
    /* Every token as it is chosen, also one that ends the answer, before its text.  A non-zero
     * return stops behind it. */
    int (*on_token)(void *context, int32_t id);
    void *context;
    /* Guesses of the tokens to come, which are computed together and taken where the model makes
     * the same choice: answer, receipt and session are those without, only sooner.  `draft` is a
     * session of another model with the same vocabulary (or of this model), not used by anyone
     * else meanwhile; what it holds is replaced. */
    inox_session *draft;  /* NULL: none */
    int32_t lookup;       /* guess what followed the last `lookup` tokens before; 0: off */
    int32_t draft_tokens; /* guesses at once, at most: 8 */
} inox_generate_options;
#define INOX_GENERATE_OPTIONS_INIT                                                                 \
    { sizeof(inox_generate_options), 128, INOX_SAMPLING_INIT, NULL, 0, false, true,                \
      NULL, NULL, NULL, NULL, NULL, 0, 8 }

typedef struct inox_result inox_result;

/* Feeds the prompt behind what the session already holds, then writes until a stop.  The session
 * then holds the prompt and all written tokens but the last, which was chosen and not fed.  After a
 * failure it may hold a part of them. */
INOX_API INOX_CHECK inox_status inox_generate(inox_session *session, const int32_t *prompt,
                                              size_t prompt_count,
                                              const inox_generate_options *options,
                                              inox_result **out, inox_error *err);
INOX_API void inox_result_free(inox_result *result);

/* The answer; everything is owned by the result. */
typedef struct inox_result_info {
    size_t size;
    const char *text; /* NUL-terminated, but may hold NULs: use text_bytes */
    size_t text_bytes;
    const int32_t *ids; /* generated, an end-of-text token too */
    size_t id_count, prompt_count;
    size_t prompt_reused; /* tokens of the prompt that were found in a shared cache */
    size_t guessed, guessed_right; /* tokens, by a draft or lookup */
    const char *finish; /* "end", "length", "stop", "context", "cancelled" */
    double prompt_s, decode_s;
    const char *receipt;    /* canonical JSON, NULL when switched off */
    const char *receipt_id; /* 64 hexadecimal digits, NULL likewise */
} inox_result_info;
#define INOX_RESULT_INFO_INIT { .size = sizeof(inox_result_info) }
INOX_API INOX_CHECK inox_status inox_result_describe(const inox_result *result,
                                                     inox_result_info *out, inox_error *err);

/* ---- receipts -------------------------------------------------------------------------------- */

/* Keeps a receipt in $XDG_STATE_HOME/inox/receipts, mode 0600. */
INOX_API INOX_CHECK inox_status inox_receipt_store(const char *receipt, inox_error *err);
/* A path, or an id or at least its first 4 digits. *receipt: free with inox_string_free. */
INOX_API INOX_CHECK inox_status inox_receipt_load(const char *path_or_id, char **receipt,
                                                  inox_error *err);

/* What a replay found. */
typedef struct inox_replay_report {
    size_t size;
    bool identical;
    int64_t first_difference; /* index of the generated token from which on it differs, or -1 */
    size_t tokens, rows;      /* compared */
    char was_isa[32], now_isa[32];
    int32_t was_threads, now_threads;
    bool same_build;
    char was_build[65];
} inox_replay_report;
#define INOX_REPLAY_REPORT_INIT { .size = sizeof(inox_replay_report), .first_difference = -1 }

/* Checks the receipt's own hash, the model's identity and the contract, then runs it again.
 * Anything that does not agree is INOX_E_MISMATCH (the report says where the tokens differ, if it
 * came to that). */
INOX_API INOX_CHECK inox_status inox_replay(inox_model *model, const char *receipt,
                                            inox_replay_report *report, inox_error *err);
/* Path or name of the model in a receipt, "" for the embedded one.  Free with inox_string_free. */
INOX_API INOX_CHECK inox_status inox_receipt_model(const char *receipt, char **out,
                                                   inox_error *err);

/* ---- helpers for programs -------------------------------------------------------------------- */

/* A seed from the system's generator. */
INOX_API INOX_CHECK inox_status inox_random_seed(uint64_t *out, inox_error *err);
/* SHA-256 as 64 hexadecimal digits. */
INOX_API INOX_CHECK inox_status inox_sha256(const void *bytes, size_t count, char out[65],
                                            inox_error *err);
/* The same of a file's bytes. */
INOX_API INOX_CHECK inox_status inox_sha256_file(const char *path, char out[65], inox_error *err);
/* Mean negative log-likelihood in nats per token of windows of `window` ids without overlap, the
 * first token of a window not predicted.  *predicted: tokens counted. */
INOX_API INOX_CHECK inox_status inox_perplexity(inox_session *session, const int32_t *ids,
                                                size_t count, size_t window, double *nats,
                                                size_t *predicted, inox_error *err);

#ifdef __cplusplus
}
#endif
#endif
