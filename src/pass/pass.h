/* Passes: graph to graph, same bits, less work.  Each builds a new graph and leaves the old one
 * alone. */
#ifndef IX_PASS_PASS_H
#define IX_PASS_PASS_H

#include "ir/graph.h"

/* Puts fused operators in place of their compositions (rms_norm, silu, swiglu, linear), then drops
 * what no output needs; all inputs, states and stores into states stay.  *out is a new, verified
 * graph; leaves keep their names, inputs and states their order. */
inox_status ix_pass_fuse(const ix_graph *g, ix_graph **out, inox_error *err) IX_MUST_USE;

#endif
