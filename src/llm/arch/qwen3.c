/* Qwen3 (Yang et al. 2025): Llama's block with an RMSNorm over each head of q and k before the
 * rotation (in two halves), and a head size of its own. */
#include "llm/arch/arch.h"

static ix_tensor *block(ix_llm_build *b, int layer, ix_tensor *x)
{
    const ix_llm_shape *m = b->m;
    ix_tensor *h = ix_llm_norm(b, layer, "attn_norm", x);
    ix_tensor *q = ix_llm_heads(b, layer, "attn_q", h, m->heads, m->head_dim);
    ix_tensor *k = ix_llm_heads(b, layer, "attn_k", h, m->kv_heads, m->head_dim);
    ix_tensor *v = ix_llm_heads(b, layer, "attn_v", h, m->kv_heads, m->value_dim);
    q = ix_llm_rope(b, ix_llm_norm(b, layer, "attn_q_norm", q));
    k = ix_llm_rope(b, ix_llm_norm(b, layer, "attn_k_norm", k));
    h = ix_llm_attention(b, layer, q, k, v);
    x = ix_add(b->g, x, ix_llm_linear(b, layer, "attn_output", h, m->width));
    h = ix_llm_norm(b, layer, "ffn_norm", x);
    return ix_add(b->g, x, ix_llm_feed_forward(b, layer, h));
}

const ix_architecture ix_arch_qwen3 = { "qwen3", false, block };
