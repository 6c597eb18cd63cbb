/* Rows of the kernel table, from plans: for each type one that reads panels and one that reads
 * the file's rows. */
#ifndef IX_NUM_MATMUL_VECTOR_KERNELS_H
#define IX_NUM_MATMUL_VECTOR_KERNELS_H

#include "num/matmul/kernels.h"
#include "num/matmul/vector_product.h"

/* SYMBOL(t) and SYMBOL_ROWS(t) are the names of this instruction set's kernels. */
#define KERNEL_RUN(t, name, bytes)                                                                 \
    static void name(const ix_matmul_job *job, int64_t row0, int64_t row1, int64_t col0,           \
                     int64_t col1, void *scratch)                                                  \
    {                                                                                              \
        product(&plan_##t, bytes, job, row0, row1, col0, col1, scratch);                           \
    }
#define STRING_OF(name) #name
#define STRING(name) STRING_OF(name)

/* Reads panels of format `panel`, activations of format `acts`. */
#define KERNEL_OF_PANELS(TYPE, t, panel, acts)                                                     \
    KERNEL_RUN(t, run_panels_##t, ix_panel_bytes_##panel(job->depth))                              \
    const ix_matmul_kernel SYMBOL(t) = {                                                           \
        .type = IX_TYPE_##TYPE,                                                                    \
        .isa = THIS_ISA,                                                                           \
        .name = STRING(SYMBOL(t)),                                                                 \
        .panel_bytes = ix_panel_bytes_##panel,                                                     \
        .pack_panel = ix_panel_pack_##panel,                                                       \
        .row_tile = IX_ACTS_TILE,                                                                  \
        .acts_bytes = ix_acts_bytes_##acts,                                                        \
        .pack_acts = ix_acts_pack_##acts,                                                          \
        .acts_format = ix_acts_##acts,                                                             \
        .run = run_panels_##t,                                                                     \
        .scratch_bytes = scratch_panels,                                                           \
    };

/* Reads the file's rows. */
#define KERNEL_OF_ROWS(TYPE, t, symbol, acts)                                                      \
    KERNEL_RUN(t, run_rows_##t, 0)                                                                 \
    const ix_matmul_kernel symbol = {                                                              \
        .type = IX_TYPE_##TYPE,                                                                    \
        .isa = THIS_ISA,                                                                           \
        .name = STRING(symbol),                                                                    \
        .row_tile = IX_ACTS_TILE,                                                                  \
        .acts_bytes = ix_acts_bytes_##acts,                                                        \
        .pack_acts = ix_acts_pack_##acts,                                                          \
        .acts_format = ix_acts_##acts,                                                             \
        .run = run_rows_##t,                                                                       \
        .scratch_bytes = scratch_rows,                                                             \
    };

#define KERNELS(TYPE, t, panel, acts)                                                              \
    KERNEL_OF_PANELS(TYPE, t, panel, acts)                                                         \
    KERNEL_OF_ROWS(TYPE, t, SYMBOL_ROWS(t), acts)

#define PLAN_32(TYPE, t, panel, file_bytes, tile_)                                                 \
    static const plan plan_##t = {                                                                 \
        .block = 32,                                                                               \
        .panels = 1,                                                                               \
        .panel_block = sizeof(ix_panel_##panel),                                                   \
        .file_block = file_bytes,                                                                  \
        .file_elements = 32,                                                                       \
        .acts_block = IX_ACTS_32_BYTES,                                                            \
        .direct = direct_##t,                                                                      \
        .prepare = prepare_##t,                                                                    \
        .tile = tile_,                                                                             \
        .pack = ix_panel_pack_##panel,                                                             \
    };                                                                                             \
    KERNELS(TYPE, t, panel, q32)

#define PLAN_256(TYPE, t, file_bytes, tile_)                                                       \
    static const plan plan_##t = {                                                                 \
        .block = 256,                                                                              \
        .panels = 1,                                                                               \
        .panel_block = sizeof(ix_panel_##t),                                                       \
        .file_block = file_bytes,                                                                  \
        .file_elements = 256,                                                                      \
        .acts_block = IX_ACTS_256_BYTES,                                                           \
        .direct = direct_##t,                                                                      \
        .prepare = prepare_##t,                                                                    \
        .tile = tile_,                                                                             \
        .pack = ix_panel_pack_##t,                                                                 \
    };                                                                                             \
    KERNELS(TYPE, t, t, q256)

#define PLAN_FLOAT(TYPE, t, panel, bytes_, prepare_)                                               \
    static const plan plan_##t = {                                                                 \
        .block = 1,                                                                                \
        .panels = FLOAT_PANELS,                                                                    \
        .panels_of_few = 2,                                                                        \
        .part = FLOAT_PART,                                                                        \
        .panel_block = (bytes_)*IX_PANEL_COLS,                                                     \
        .file_block = bytes_,                                                                      \
        .file_elements = 1,                                                                        \
        .acts_block = sizeof(float),                                                               \
        .direct = direct_##t,                                                                      \
        .prepare = prepare_,                                                                       \
        .tile = many_f32,                                                                          \
        .pack = ix_panel_pack_##panel,                                                             \
    };                                                                                             \
    KERNELS(TYPE, t, panel, f32)

/* A type that is multiplied as dequantised floats: rows only. */
#define PLAN_VALUES(TYPE, t, elements, file_bytes)                                                 \
    static void pack_values_##t(const void *w, size_t row_bytes, int64_t cols, int64_t depth,      \
                                void *panel)                                                       \
    {                                                                                              \
        pack_values(IX_TYPE_##TYPE, w, row_bytes, cols, depth, panel);                             \
    }                                                                                              \
    static const plan plan_##t = {                                                                 \
        .block = 1,                                                                                \
        .panels = FLOAT_PANELS,                                                                    \
        .panels_of_few = 2,                                                                        \
        .part = FLOAT_PART,                                                                        \
        .panel_block = sizeof(float) * IX_PANEL_COLS,                                              \
        .file_block = file_bytes,                                                                  \
        .file_elements = elements,                                                                 \
        .acts_block = sizeof(float),                                                               \
        .direct = direct_f32,                                                                      \
        .tile = many_f32,                                                                          \
        .pack = pack_values_##t,                                                                   \
    };                                                                                             \
    KERNEL_OF_ROWS(TYPE, t, SYMBOL(t), f32)

/* The lists, for the files that want all of a kind. */
#define INTEGER_PLANS                                                                              \
    PLAN_32(Q8_0, q8_0, q8_0, 34, flat_32_tile)                                                    \
    PLAN_32(Q4_0, q4_0, q4_0, 18, flat_32_tile)                                                    \
    PLAN_32(Q4_1, q4_1, q4_1, 20, flat_32_min_tile)                                                \
    PLAN_32(Q5_0, q5_0, q5_0, 22, flat_32_tile)                                                    \
    PLAN_32(Q5_1, q5_1, q5_1, 24, flat_32_min_tile)                                                \
    PLAN_32(IQ4_NL, iq4_nl, q4_0, 18, flat_32_tile)                                                \
    PLAN_32(MXFP4, mxfp4, mxfp4, 17, flat_32_tile)                                                 \
    PLAN_256(Q2_K, q2_k, 84, flat_256_min_16_tile)                                                 \
    PLAN_256(Q3_K, q3_k, 110, flat_256_tile)                                                       \
    PLAN_256(Q4_K, q4_k, 144, flat_32_of_256_min_tile)                                             \
    PLAN_256(Q5_K, q5_k, 176, flat_32_of_256_min_tile)                                             \
    PLAN_256(Q6_K, q6_k, 210, flat_16_of_256_tile)                                                 \
    PLAN_256(IQ4_XS, iq4_xs, 136, flat_32_of_256_tile)

#define FLOAT_PLANS                                                                                \
    PLAN_FLOAT(F32, f32, f32, 4, NULL)                                                             \
    PLAN_FLOAT(F16, f16, f16, 2, prepare_f16)                                                      \
    PLAN_FLOAT(BF16, bf16, f16, 2, prepare_bf16)                                                   \
    PLAN_VALUES(IQ2_XXS, iq2_xxs, 256, 66)                                                         \
    PLAN_VALUES(IQ2_XS, iq2_xs, 256, 74)                                                           \
    PLAN_VALUES(IQ2_S, iq2_s, 256, 82)                                                             \
    PLAN_VALUES(IQ3_XXS, iq3_xxs, 256, 98)                                                         \
    PLAN_VALUES(IQ3_S, iq3_s, 256, 110)                                                            \
    PLAN_VALUES(IQ1_S, iq1_s, 256, 50)                                                             \
    PLAN_VALUES(IQ1_M, iq1_m, 256, 56)                                                             \
    PLAN_VALUES(TQ1_0, tq1_0, 256, 54)                                                             \
    PLAN_VALUES(TQ2_0, tq2_0, 256, 66)                                                             \
    PLAN_VALUES(NVFP4, nvfp4, 64, 36)                                                              \
    PLAN_VALUES(Q1_0, q1_0, 128, 18)                                                               \
    PLAN_VALUES(Q2_0, q2_0, 64, 18)

#endif
