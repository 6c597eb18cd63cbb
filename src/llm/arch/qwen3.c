/* Qwen3 (Yang et al. 2025): Llama's block with an RMSNorm over each head of q and k before the rotation (in two
 * halves), and a head size of its own. */
#include "llm/arch/arch.h"

static ix_tensor *head_norm(ix_llm_build *b, int layer, const char *name, ix_tensor *x)
{
    return ix_rms_norm(b->g, x, ix_vector_weight(b, layer, name, b->m->head_dim), b->m->norm_eps);
}

static ix_tensor *block(ix_llm_build *b, int layer, ix_tensor *x)
{
    const ix_llm_shape *m = b->m;
    ix_tensor *h = ix_rms_norm(b->g, x, ix_vector_weight(b, layer, "attn_norm", m->width), m->norm_eps);
    ix_tensor *q = ix_heads(b, ix_llm_linear(b, h, layer, "attn_q", m->heads * m->head_dim), m->heads, m->head_dim);
    ix_tensor *k = ix_heads(b, ix_llm_linear(b, h, layer, "attn_k", m->kv_heads * m->head_dim), m->kv_heads, m->head_dim);
    ix_tensor *v = ix_heads(b, ix_llm_linear(b, h, layer, "attn_v", m->kv_heads * m->value_dim), m->kv_heads, m->value_dim);
    q = ix_llm_rope(b, head_norm(b, layer, "attn_q_norm", q));
    k = ix_llm_rope(b, head_norm(b, layer, "attn_k_norm", k));
    h = ix_llm_attention(b, layer, q, k, v);
    x = ix_add(b->g, x, ix_llm_linear(b, h, layer, "attn_output", m->width));
    h = ix_rms_norm(b->g, x, ix_vector_weight(b, layer, "ffn_norm", m->width), m->norm_eps);
    return ix_add(b->g, x, ix_llm_feed_forward(b, layer, h));
}

const ix_architecture ix_arch_qwen3 = { "qwen3", false, block };
