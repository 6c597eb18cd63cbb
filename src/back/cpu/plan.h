/* The CPU back end's plan: stages of steps over one workspace.
 *
 * Steps are of two kinds.  A row step is a list of operators that work row by row (norms, rotation,
 * elementwise, packing of activations): one worker takes a tile of rows through the whole list, so
 * data stays in its cache.  A heavy step (matrix product, attention) is cut into rectangles.
 *
 *     stage 0            stage 1                stage 2                  stage 3
 *     [norm, pack h] --> [linear q, k, v] --> [norm, rope, store] --> [attention] --> ...
 *                    all meet              all meet               all meet
 *
 * Steps of one stage do not depend on each other; all workers meet between stages only.  Workers
 * take tiles from a counter per step; the contract makes the split invisible.
 *
 * Memory: a value lives from the stage that writes it to the last stage that reads it; two values
 * whose lives overlap never share bytes.
 */
#ifndef IX_BACK_CPU_PLAN_H
#define IX_BACK_CPU_PLAN_H

#include "back/back.h"
#include "num/attention/attention.h"
#include "num/matmul/matmul.h"
#include "num/rows/rows.h"

/* Where a value lies when the plan runs. */
typedef enum ix_place {
    IX_PLACE_NONE,
    IX_PLACE_WORKSPACE,
    IX_PLACE_BOUND,
    IX_PLACE_WEIGHT,
    IX_PLACE_OUTPUT
} ix_place;

typedef struct ix_value {
    ix_place place;
    uint64_t offset, bytes; /* in the workspace, for the largest symbols */
    int32_t first, last;    /* stages of its life */
    int32_t alias;          /* tensor id whose memory this one is, or its own id */
    void *bound;            /* IX_PLACE_BOUND, IX_PLACE_WEIGHT: set per run or per plan */
} ix_value;

/* Packed activations of one tensor for one format. */
typedef struct ix_pack {
    const ix_tensor *x;
    const ix_matmul_kernel *kernel;
    int64_t depth;
    ix_value value;
    int32_t stage;
} ix_pack;

/* A group of a weight's columns, as panels.c packs them. */
typedef enum ix_group_state { IX_GROUP_NONE, IX_GROUP_PACKING, IX_GROUP_READY } ix_group_state;

/* The panels of one weight, and how far they are packed.  Plans that share weights share it. */
typedef struct ix_panel_store {
    uint8_t *data;
    _Atomic uint64_t first_run; /* ix_plan.runs of the first use; 0: none yet */
    _Atomic int64_t left;       /* groups that are not ready */
    _Atomic uint32_t state[];   /* ix_group_state of each group */
} ix_panel_store;

/* A weight as its kernel wants it: panels, or the file's own rows. */
typedef struct ix_panels {
    const ix_tensor *w;
    const ix_matmul_kernel *kernel;
    /* Reads the file's rows and the same packed activations, before there are panels.  NULL: there
     * is none; panels are packed at first use, and waited for. */
    const ix_matmul_kernel *rows_kernel;
    int64_t group_cols;    /* columns of a group, and of a tile of the product */
    ix_panel_store *store; /* NULL: file layout */
    bool borrowed;         /* of options.share */
    size_t panel_bytes;
} ix_panels;

typedef enum ix_step_kind { IX_STEP_ROWS, IX_STEP_LINEAR, IX_STEP_ATTENTION } ix_step_kind;

typedef struct ix_step {
    ix_step_kind kind;
    int32_t stage;
    /* rows: operators first_op .. first_op + op_count of plan->row_ops, over tiles of row_tile rows
     * of `rows` */
    ix_dim rows;
    int32_t first_op, op_count;
    int64_t row_tile;
    /* linear, attention */
    const ix_tensor *x;
    int32_t pack;   /* of plan->packs */
    int32_t panels; /* of plan->panels */
} ix_step;

/* Cosines and sines of the rows' positions, shared by all rotations with these frequencies:
 * [rows][cos 0..half-1, sin 0..half-1]. */
typedef struct ix_angles {
    const ix_tensor *rope; /* the first rotation that uses them */
    float *frequencies;    /* [half] */
    int64_t half;
    ix_value value;
} ix_angles;

/* One operator of a row step: computes a tensor, packs one for products, or fills angles. */
typedef enum ix_row_kind { IX_ROW_TENSOR, IX_ROW_PACK, IX_ROW_ANGLES } ix_row_kind;
typedef struct ix_row_op {
    ix_row_kind kind;
    int32_t stage;
    int32_t index; /* of the pack or the angles; of the angles too where x is a rotation */
    ix_dim rows;
    const ix_tensor *x; /* the tensor */
} ix_row_op;

typedef struct ix_profiler ix_profiler; /* profile.h */

struct ix_plan {
    ix_arena arena;
    const ix_graph *graph;
    ix_plan_options options;
    const ix_row_kernels *row;
    const ix_attention_kernels *attention;
    ix_value *values; /* by tensor id */
    ix_pack *packs;
    int32_t pack_count;
    ix_panels *panels;
    int32_t panels_count;
    ix_angles *angles;
    int32_t angles_count;
    ix_row_op *row_ops;
    int32_t row_op_count;
    ix_step *steps;
    int32_t step_count, stage_count;
    ix_counter *counters; /* one per step */
    uint8_t *workspace;
    uint64_t workspace_bytes, panel_bytes;
    uint8_t *scratch;      /* one per worker */
    size_t scratch_bytes;  /* of each */
    uint64_t runs;         /* so far, the one under way too */
    _Atomic int64_t rows_gathered; /* so far */
    ix_profiler *profiler; /* NULL: runs are not timed */
    /* of the run under way */
    const ix_symbols *symbols;
    float *out;
    _Atomic bool loading;      /* it is the first that uses some weight */
    _Atomic int32_t end_stage; /* before which the run ends: it was cancelled */
};

/* plan.c */
static inline uint64_t ix_round_up(uint64_t x, uint64_t unit)
{
    return (x + unit - 1) / unit * unit;
}
/* Rows and elements per row of a tensor in this run. */
int64_t ix_rows_of(const ix_plan *p, const ix_tensor *x);
int64_t ix_row_elements(const ix_tensor *x);
/* The bytes of a value in this run. */
void *ix_value_at(const ix_plan *p, const ix_value *v);
static inline void *ix_tensor_at(const ix_plan *p, const ix_tensor *x)
{
    return ix_value_at(p, &p->values[p->values[x->id].alias]);
}

/* "rms_norm, pack": the operators of a row step, for the reader. */
inox_status ix_step_operators(const ix_plan *p, const ix_step *s, ix_buffer *out,
                              inox_error *err) IX_MUST_USE;

/* stages.c: decides stages, packs and steps. */
inox_status ix_plan_stages(ix_plan *p, inox_error *err) IX_MUST_USE;
/* memory.c: gives every value its place in the workspace. */
inox_status ix_plan_memory(ix_plan *p, inox_error *err) IX_MUST_USE;
/* panels.c: makes room for panels. */
inox_status ix_plan_panels(ix_plan *p, inox_error *err) IX_MUST_USE;
void ix_plan_free_panels(ix_plan *p);
/* Columns [col, col_end), which are one group, in rows [row, row_end) of a product: from panels,
 * which are packed now where it is time, or from the file's rows.  job->weights is set here. */
void ix_run_panels(ix_plan *p, const ix_panels *s, ix_matmul_job *job, int64_t row, int64_t row_end,
                   int64_t col, int64_t col_end, void *scratch);
/* A gather has read `rows` rows of a table: lets their pages go from time to time. */
void ix_table_was_read(ix_plan *p, const ix_tensor *table, int64_t rows);
/* rows.c: takes rows [row0, row1) through the operators of a row step. */
void ix_run_rows(ix_plan *p, const ix_step *s, int64_t row0, int64_t row1);
/* heavy.c: worker takes tiles of a heavy step until none is left. */
void ix_run_linear(ix_plan *p, const ix_step *s, ix_counter *counter, void *scratch);
void ix_run_attention(ix_plan *p, const ix_step *s, ix_counter *counter, void *scratch);
size_t ix_attention_scratch(const ix_plan *p, const ix_tensor *x);
/* The job of an attention step under these symbols. */
ix_attention_job ix_attention_job_of(const ix_plan *p, const ix_tensor *x);

#endif
