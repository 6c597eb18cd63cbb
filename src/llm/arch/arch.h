/* Architectures: weights in, graph out.
 *
 * One file per architecture reads like the figure of its paper.  What all decoders share
 * (embedding, the last norm, logits, looking up weights) is in decoder.c; hyperparameters are read
 * by shape.c.
 *
 * A new architecture: its file, and a row in ix_architectures (arch.c).
 */
#ifndef IX_LLM_ARCH_ARCH_H
#define IX_LLM_ARCH_ARCH_H

#include "front/gguf/gguf.h"
#include "ir/graph.h"

/* Hyperparameters of a decoder.  Sizes are in elements. */
typedef struct ix_llm_shape {
    int64_t layers, width, heads, kv_heads, head_dim, value_dim, feed_forward, vocabulary, context;
    float norm_eps;
    struct {
        double base, factor;
        int32_t dims;
        bool interleaved;
    } rope;
    int64_t window; /* keys that attention sees; 0: all */
} ix_llm_shape;

typedef struct ix_architecture ix_architecture;

/* A graph under construction.  The first error is in graph->error, as the builder has it. */
typedef struct ix_llm_build {
    ix_graph *g;
    const ix_gguf *file;
    const ix_llm_shape *m;
    ix_step_inputs step;
    ix_tensor **caches;      /* [layers] */
    ix_tensor *rope_factors; /* rope_freqs.weight, or NULL */
    bool *used;              /* by index of the file's tensors */
} ix_llm_build;

struct ix_architecture {
    const char *name;      /* general.architecture */
    bool rope_interleaved; /* pairs (2i, 2i + 1): how the converter left the rows of q and k */
    /* One decoder block.  x: [tokens, width] -> [tokens, width] */
    ix_tensor *(*block)(ix_llm_build *b, int layer, ix_tensor *x);
};

/* NULL if there is none of this name. */
const ix_architecture *ix_architecture_find(const char *name, size_t size);
/* "llama, qwen2, ..." for error messages. */
const char *ix_architecture_names(void);

extern const ix_architecture ix_arch_llama, ix_arch_qwen2, ix_arch_qwen3;

/* shape.c: reads and checks the hyperparameters. */
inox_status ix_llm_shape_read(const ix_gguf *file, const ix_architecture *arch, ix_llm_shape *out,
                              inox_error *err) IX_MUST_USE;

/* decoder.c: the whole model.  Logits [IX_ROWS, vocabulary] from tokens.  caches: room for `layers`
 * state tensors, which are in the graph that comes out.  A tensor of the file that the architecture
 * does not know is an error: it would change what the model means. */
inox_status ix_llm_graph(const ix_gguf *file, const ix_architecture *arch, const ix_llm_shape *m,
                         ix_type cache_type, ix_graph **out, inox_error *err) IX_MUST_USE;

/* ---- what blocks are written with (decoder.c) */

/* In all of them `name` stands for the tensor blk.<layer>.<name>.weight; layer < 0:
 * <name>.weight. */

/* RMSNorm of the last dimension of x, with its weight. */
ix_tensor *ix_llm_norm(ix_llm_build *b, int layer, const char *name, ix_tensor *x);
/* x times the weight [out, width of x], plus its ".bias" where the file has one. */
ix_tensor *ix_llm_linear(ix_llm_build *b, int layer, const char *name, ix_tensor *x, int64_t out);
/* The same, seen as heads: [tokens, heads, dim]. */
ix_tensor *ix_llm_heads(ix_llm_build *b, int layer, const char *name, ix_tensor *x, int64_t heads,
                        int64_t dim);
/* A float32 vector with another ending than ".weight"; NULL without an error where there is
 * none. */
ix_tensor *ix_optional_vector(ix_llm_build *b, int layer, const char *name, const char *ending,
                              int64_t n);
/* Rotation by the model's frequencies. */
ix_tensor *ix_llm_rope(ix_llm_build *b, ix_tensor *x);
/* Writes k and v to the layer's cache, and attends with q: [tokens, heads * value_dim]. */
ix_tensor *ix_llm_attention(ix_llm_build *b, int layer, ix_tensor *q, ix_tensor *k, ix_tensor *v);
/* The file must have blk.<layer>.<name>.bias. */
void ix_require_bias(ix_llm_build *b, int layer, const char *name);
/* Llama's block, on which others stand. */
ix_tensor *ix_llama_block(ix_llm_build *b, int layer, ix_tensor *x);
/* SwiGLU feed-forward: down(silu(gate(x)) * up(x)). */
ix_tensor *ix_llm_feed_forward(ix_llm_build *b, int layer, ix_tensor *x);

#endif
