/* Qwen2 (Yang et al. 2024): Llama's block with biases on q, k and v, and rotary positions in two
 * halves. */
#include "llm/arch/arch.h"

static ix_tensor *block(ix_llm_build *b, int layer, ix_tensor *x)
{
    ix_require_bias(b, layer, "attn_q");
    ix_require_bias(b, layer, "attn_k");
    ix_require_bias(b, layer, "attn_v");
    return ix_llama_block(b, layer, x);
}

const ix_architecture ix_arch_qwen2 = { "qwen2", false, block };
