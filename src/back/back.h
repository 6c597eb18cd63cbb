/* The whole back-end contract: a graph becomes a plan, a plan runs.
 *
 * A plan knows its memory before it runs: workspace_bytes for the largest symbols it was made for.
 * Running allocates nothing.  A plan keeps pointers into its graph, so the graph outlives it; one
 * thread at a time runs it.  Every back end gives the bits of the reference interpreter.
 */
#ifndef IX_BACK_BACK_H
#define IX_BACK_BACK_H

#include "base/thread.h"
#include "ir/graph.h"
#include "num/isa.h"

typedef struct ix_plan ix_plan;

typedef struct ix_plan_options {
    ix_pool *pool; /* outlives the plan */
    ix_isa isa;
    ix_symbols most; /* upper bounds of every symbol */
    const ix_plan *share; /* NULL, or a plan that outlives this one and lends its packed weights */
    bool file_layout; /* do not pack weights into panels: they are used where the file has them */
    int (*progress)(void *context,
                    double fraction); /* while weights are packed; non-zero cancels; may be NULL */
    void *progress_context;
} ix_plan_options;

typedef struct ix_plan_info {
    uint64_t workspace_bytes, panel_bytes; /* memory that running needs; packed weights */
    int32_t steps, stages;                 /* units of planning; meetings of all threads */
} ix_plan_info;

typedef struct ix_backend {
    const char *name;
    /* Makes a plan for the graph's output.  INOX_E_UNSUPPORTED names the operator it cannot run. */
    inox_status (*plan_new)(const ix_graph *g, const ix_plan_options *options, ix_plan **out,
                            inox_error *err);
    void (*plan_free)(ix_plan *p);
    ix_plan_info (*plan_info)(const ix_plan *p);
    /* One run.  Bindings: every input and state of the graph.  `out` has room for the output's
     * elements. Indices in inputs are checked against the tables they index: INOX_E_ARGUMENT. */
    inox_status (*run)(ix_plan *p, const ix_symbols *symbols, const ix_binding *bindings,
                       int32_t count, float *out, inox_error *err);
    /* One line per step: operator, name, kernel, shape. */
    inox_status (*print)(const ix_plan *p, ix_buffer *out, inox_error *err);
} ix_backend;

extern const ix_backend ix_backend_cpu;

#endif
