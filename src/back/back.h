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
    /* NULL, or a plan that outlives this one and lends its packed weights: on the same pool, and
     * never running at the same time */
    const ix_plan *share;
    bool file_layout; /* do not pack weights into panels: they are used where the file has them */
    bool interleave;  /* packed weights are spread over the memory nodes */
    /* Called by `run`, on its caller's thread, where weights are used for the first time: what is
     * done of the run, 1 at its end.  Non-zero cancels the run: INOX_E_CANCELLED.  May be NULL. */
    int (*progress)(void *context, double fraction);
    void *progress_context;
} ix_plan_options;

typedef struct ix_plan_info {
    uint64_t workspace_bytes, panel_bytes; /* memory that running needs; of weights, once packed */
    int32_t steps, stages;                 /* units of planning; meetings of all threads */
} ix_plan_info;

/* What one step of a plan did while the plan was profiled. */
typedef struct ix_step_profile {
    const char *kind;      /* "rows", "linear", "attention" */
    const char *name;      /* the weight; the operators of a row step */
    const char *kernel;    /* "" where several work together */
    int32_t stage;         /* all workers meet behind each */
    bool integer;          /* the operations are on bytes, not on float32 */
    double busy_s, idle_s; /* of all workers together; idle: waiting for the others behind it */
    uint64_t bytes;        /* that have to be read and written: weights as the file has them */
    uint64_t operations;   /* multiplications and additions of products; 0 for row steps */
} ix_step_profile;

typedef struct ix_profile {
    ix_arena arena; /* owns everything below: ix_arena_release */
    ix_step_profile *steps;
    int32_t step_count, threads;
    int64_t runs;
    double wall_s; /* of all runs */
} ix_profile;

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
    /* From here on runs are timed step by step; what was counted before is forgotten. */
    inox_status (*profile_begin)(ix_plan *p, inox_error *err);
    /* What was counted, and the end of counting.  Without a begin: no runs. */
    inox_status (*profile_end)(ix_plan *p, ix_profile *out, inox_error *err);
} ix_backend;

extern const ix_backend ix_backend_cpu;

#endif
