/* Attention over a paged cache   (rules C6, C6a, C11, C12)
 *
 * The cache is made of pages of 128 positions, which are the chunks of rule C6.  Positions lie
 * contiguous in K, so that a register holds 16 keys and the product runs along the head as C2 asks;
 * values lie contiguous in V, so that positions run forward:
 *
 *   page of K   [kv_heads][head_dim][128 positions]      of float16 or float32
 *   page of V   [kv_heads][128 positions][value_dim]
 *
 * Page p of sequence s is at base + page_table[s * page_table_stride + p] * page_bytes.
 */
#ifndef IX_NUM_ATTENTION_H
#define IX_NUM_ATTENTION_H

#include "num/isa.h"
#include "num/types.h"

#define IX_PAGE 128

typedef struct ix_cache_view {
    ix_type type;                      /* IX_TYPE_F16 or IX_TYPE_F32 */
    uint8_t *k, *v;                    /* page 0 of this layer */
    size_t k_page_bytes, v_page_bytes; /* from one page to the next */
    int64_t kv_heads, head_dim, value_dim;
    const int32_t *page_table;
    int64_t page_table_stride;
} ix_cache_view;

typedef struct ix_attention_job {
    ix_cache_view cache;
    int64_t tokens;
    int64_t heads; /* a multiple of kv_heads; head h reads kv head h / (heads / kv_heads) */
    const float *q;          /* [tokens][heads][head_dim] */
    float *out;              /* [tokens][heads][value_dim] */
    const int32_t *sequence; /* [tokens] row of the page table */
    const int32_t *position; /* [tokens] keys 0..position are seen */
    int64_t window;          /* > 0: only keys > position - window; 0: all */
    double scale;            /* usually 1 / sqrt(head_dim) */
    float softcap;           /* 0: none */
    const float *sinks;      /* [heads] or NULL */
} ix_attention_job;

typedef struct ix_attention_kernels {
    ix_isa isa;
    const char *name;
    /* Writes k[rows][kv_heads][head_dim], v[rows][kv_heads][value_dim] to the places of positions
     * position, position + 1, ..., converted to the cache's type. */
    void (*store)(const ix_cache_view *c, const float *k, const float *v, int32_t sequence,
                  int32_t position, int64_t rows);
    /* out for tokens [token0, token1) and query heads of kv heads [kv0, kv1).  `scratch`:
     * scratch_bytes(job), 64-byte aligned. */
    void (*run)(const ix_attention_job *job, int64_t token0, int64_t token1, int64_t kv0,
                int64_t kv1, void *scratch);
    /* For at most `tokens` tokens in one call of run. */
    size_t (*scratch_bytes)(const ix_attention_job *job, int64_t tokens);
} ix_attention_kernels;

/* The row for `isa` or the nearest set that it extends; the first use compares it with the
 * reference, and one that differs is passed over. */
const ix_attention_kernels *ix_attention_kernels_for(ix_isa isa);

#endif
