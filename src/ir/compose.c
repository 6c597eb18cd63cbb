/* Richer operators as compositions of primitives.  Each is one written expression of the contract,
 * in the order of its rule, so that a pass may put a fused kernel of the same bits in its place. */
#include "ir/graph.h"

/* C7: ss / n, + eps, square root, reciprocal, mul(x, r), mul(., w). */
ix_tensor *ix_rms_norm(ix_graph *g, ix_tensor *x, ix_tensor *w, float eps)
{
    /* A symbolic row has no n.  1 keeps the call total: the norm's own weight, which is fixed, is
     * refused. */
    float n = x != NULL && !ix_dim_is_symbol(x->dims[x->rank - 1])
                  ? (float)x->dims[x->rank - 1].value
                  : 1.0f;
    ix_tensor *r = ix_unary(g, IX_OP_SUM_SQUARES, x);

    r = ix_scalar(g, IX_OP_DIV_SCALAR, r, n);
    r = ix_scalar(g, IX_OP_ADD_SCALAR, r, eps);
    r = ix_unary(g, IX_OP_SQRT, r);
    r = ix_unary(g, IX_OP_RECIP, r);
    return ix_mul(g, ix_mul(g, x, r), w);
}

/* C5: x / (1 + exp(-x)).  A sum does not depend on the order of its two terms. */
ix_tensor *ix_build_silu(ix_graph *g, ix_tensor *x)
{
    ix_tensor *e = ix_unary(g, IX_OP_EXP, ix_unary(g, IX_OP_NEG, x));

    return ix_binary(g, IX_OP_DIV, x, ix_scalar(g, IX_OP_ADD_SCALAR, e, 1.0f));
}

ix_tensor *ix_swiglu(ix_graph *g, ix_tensor *gate, ix_tensor *up)
{
    return ix_mul(g, ix_build_silu(g, gate), up);
}
