/* A small decoder with random weights, for tests of the graph, of passes and of back ends. */
#ifndef IX_TEST_DECODER_H
#define IX_TEST_DECODER_H

#include "ir/graph.h"

typedef struct ix_decoder_shape {
    int layers;
    int64_t width, heads, kv_heads, head_dim, hidden, vocabulary;
    ix_type type; /* of the matrices: F32, F16, Q8_0 or Q4_K */
    ix_type cache;
    bool bias;       /* of q, k and v */
    bool head_norms; /* of q and k, as Qwen3 has them */
    bool factors;    /* of the rotation */
    bool interleaved;
    bool sinks;
    int64_t window;
    float softcap;
} ix_decoder_shape;

typedef struct ix_decoder {
    ix_graph *graph;
    ix_arena bytes; /* of the weights */
    uint64_t random;
    int64_t pages; /* that the caches have */
    ix_tensor *caches[8];
} ix_decoder;

/* The graph of primitives.  At most 8 layers. */
inox_status ix_decoder_make(const ix_decoder_shape *shape, uint64_t seed, ix_decoder *out,
                            inox_error *err);
void ix_decoder_release(ix_decoder *d);

#endif
