/* Llama (Touvron et al. 2023; Grattafiori et al. 2024): RMSNorm, rotary positions in interleaved pairs, grouped
 * attention, SwiGLU.  Mistral (Jiang et al. 2023) is the same block with a window on attention.
 *
 *     x ──┬─ norm ─ q k v ─ rope(q, k) ─ attention ─ output ─ + ──┬─ norm ─ gate up ─ silu * ─ down ─ + ──
 *         └───────────────────────────────────────────────────┘   └──────────────────────────────────┘
 *
 * Llama 3's scaling of frequencies is the tensor rope_freqs.weight.
 */
#include "llm/arch/arch.h"

ix_tensor *ix_llama_block(ix_llm_build *b, int layer, ix_tensor *x)
{
    const ix_llm_shape *m = b->m;
    ix_tensor *h = ix_rms_norm(b->g, x, ix_vector_weight(b, layer, "attn_norm", m->width), m->norm_eps);
    ix_tensor *q = ix_heads(b, ix_llm_linear(b, h, layer, "attn_q", m->heads * m->head_dim), m->heads, m->head_dim);
    ix_tensor *k = ix_heads(b, ix_llm_linear(b, h, layer, "attn_k", m->kv_heads * m->head_dim), m->kv_heads, m->head_dim);
    ix_tensor *v = ix_heads(b, ix_llm_linear(b, h, layer, "attn_v", m->kv_heads * m->value_dim), m->kv_heads, m->value_dim);
    q = ix_llm_rope(b, q);
    k = ix_llm_rope(b, k);
    h = ix_llm_attention(b, layer, q, k, v);
    x = ix_add(b->g, x, ix_llm_linear(b, h, layer, "attn_output", m->width));
    h = ix_rms_norm(b->g, x, ix_vector_weight(b, layer, "ffn_norm", m->width), m->norm_eps);
    return ix_add(b->g, x, ix_llm_feed_forward(b, layer, h));
}

const ix_architecture ix_arch_llama = { "llama", true, ix_llama_block };
