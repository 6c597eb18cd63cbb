/* Llama (Touvron et al. 2023; Grattafiori et al. 2024): RMSNorm, rotary positions in interleaved
 * pairs, grouped attention, SwiGLU.  Mistral (Jiang et al. 2023) is the same block with a window on
 * attention.
 *
 *     x -+- norm -- q, k, v -- rope(q, k) -- attention -- output -- + -+- norm -- SwiGLU -- + -
 *        |                                                          |  |                    |
 *        +----------------------------------------------------------+  +--------------------+
 *
 * Llama 3's scaling of frequencies is the tensor rope_freqs.weight.
 */
#include "llm/arch/arch.h"

ix_tensor *ix_llama_block(ix_llm_build *b, int layer, ix_tensor *x)
{
    const ix_llm_shape *m = b->m;
    ix_tensor *h = ix_llm_norm(b, layer, "attn_norm", x);
    ix_tensor *q = ix_llm_rope(b, ix_llm_heads(b, layer, "attn_q", h, m->heads, m->head_dim));
    ix_tensor *k = ix_llm_rope(b, ix_llm_heads(b, layer, "attn_k", h, m->kv_heads, m->head_dim));
    ix_tensor *v = ix_llm_heads(b, layer, "attn_v", h, m->kv_heads, m->value_dim);
    h = ix_llm_attention(b, layer, q, k, v);
    x = ix_add(b->g, x, ix_llm_linear(b, layer, "attn_output", h, m->width));
    h = ix_llm_norm(b, layer, "ffn_norm", x);
    return ix_add(b->g, x, ix_llm_feed_forward(b, layer, h));
}

const ix_architecture ix_arch_llama = { "llama", true, ix_llama_block };
