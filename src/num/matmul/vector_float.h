/* Tiles of float weights (rule C2): one chain of fma over k for each element of y.
 *
 * As many vectors of columns side by side as give the processor enough chains to work on.  Where
 * many tiles pass a part of the weights, float16 and bfloat16 are widened once for all of them.
 * Types without an integer product are dequantised into F32 panels, one segment at a time, and end
 * here too.
 */
#ifndef IX_NUM_MATMUL_VECTOR_FLOAT_H
#define IX_NUM_MATMUL_VECTOR_FLOAT_H

#include "num/dequant/dequant.h"
#include "num/matmul/vector_product.h"

/* The registers hold the sums of FLOAT_TILE rows over one panel, of FLOAT_TILE_OF_TWO over two side
 * by side, of FLOAT_TILE_OF_FOUR over four: 1, 2, 4, 6 or 12 each, or 0 where four are too many. */
#ifndef FLOAT_TILE_OF_FOUR
#define FLOAT_TILE_OF_FOUR 0
#endif
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define FLOAT_SUMS                                                                                 \
    (LARGER(FLOAT_TILE, LARGER(FLOAT_TILE_OF_TWO * 2, FLOAT_TILE_OF_FOUR * 4)) * HALVES)

/* Of k: the panels of a step as F32 in 32 KB, beside a tile of activations. */
#define FLOAT_PANELS (FLOAT_TILE_OF_FOUR ? 4 : 2)
#define FLOAT_PART (512 / FLOAT_PANELS)
_Static_assert(FLOAT_PANELS <= STEP_PANELS && FLOAT_PART * IX_PANEL_COLS * 4 <= PREPARED_BYTES,
               "a part fits");

#define AHEAD_INDICES 8 /* of k, between two requests for lines of the next part */

typedef vf load_float(const void *p);

typedef struct type_float {
    int bytes; /* of an element */
    load_float *load;
} type_float;

VF_INLINE vf load_f32(const void *p)
{
    return vf_load(p);
}
VF_INLINE vf load_f16(const void *p)
{
    return vf_load_f16(p);
}
VF_INLINE vf load_bf16(const void *p)
{
    return vf_of_bits(vi_shift_left(vi_load_u16(p), 16));
}

VF_INLINE const uint8_t *line_ahead(const tile_job *job, int panel, int64_t line)
{
    return job->ahead + (size_t)panel * job->ahead_stride + line * 64;
}

/* Rows row .. row + mr - 1 of a tile of height h; `panels` panels from `panel` on. */
VF_INLINE void tile_float(const int mr, const int panels, const type_float t, int panel, int row,
                          int64_t h, const tile_job *job)
{
    const int across = panels * HALVES;
    const uint8_t *w = job->w + (size_t)panel * job->stride, *a = job->a + 4 * row;
    float *out = job->out + (panel * h + row) * IX_PANEL_COLS;
    vf acc[FLOAT_SUMS];
    UNROLL for (int i = 0; i < mr * across; i++) acc[i] =
        job->carry ? vf_load(out + (i % across / HALVES * h + i / across) * IX_PANEL_COLS +
                             i % HALVES * VF_LANES)
                   : vf_set(0.0f);
    /* What is asked for ahead is spread over all blocks of k, in all parts of the tile. */
    const int64_t blocks = (job->n + AHEAD_INDICES - 1) / AHEAD_INDICES;
    const int64_t lines = (int64_t)(job->ahead_bytes + 63) / 64 * panels;
    const int64_t each = (lines + blocks * (h / mr) - 1) / (blocks * (h / mr));
    int64_t line = row / mr * blocks * each;
    for (int64_t k = 0; k < job->n; k++, w += t.bytes * IX_PANEL_COLS, a += 4 * h) {
        vf x[FLOAT_PANELS * HALVES];
        if (k % AHEAD_INDICES == 0)
            for (int64_t i = 0; i < each; i++, line++)
                prefetch(line_ahead(job, panel + (int)(line % panels), line / panels), 1);
        UNROLL for (int i = 0; i < across; i++) x[i] =
            t.load(w + (size_t)(i / HALVES) * job->stride + i % HALVES * VF_LANES * t.bytes);
        UNROLL for (int m = 0; m < mr; m++)
        {
            vf y = vf_word(a + 4 * m);
            UNROLL for (int i = 0; i < across; i++) acc[m * across + i] =
                vf_fma(y, x[i], acc[m * across + i]);
        }
    }
    UNROLL for (int m = 0; m < mr; m++)
    {
        UNROLL for (int i = 0; i < across; i++)
            vf_store(out + (i / HALVES * h + m) * IX_PANEL_COLS + i % HALVES * VF_LANES,
                     acc[m * across + i]);
    }
}

/* All rows of a tile over `panels` panels, in parts whose sums the registers hold. */
VF_INLINE void tiles_float(const type_float t, int h, const int panels, int panel,
                           const tile_job *job)
{
    const int most = panels == 4   ? FLOAT_TILE_OF_FOUR
                     : panels == 2 ? FLOAT_TILE_OF_TWO
                                   : FLOAT_TILE;
    const int of_2 = most < 2 ? most : 2, of_4 = most < 4 ? of_2 : 4, of_8 = most < 8 ? of_4 : 8;
    int row = 0;
    switch (h) {
    case 1: tile_float(1, panels, t, panel, 0, 1, job); break;
    case 2:
        for (; row < 2; row += of_2)
            tile_float(of_2, panels, t, panel, row, 2, job);
        break;
    case 4:
        for (; row < 4; row += of_4)
            tile_float(of_4, panels, t, panel, row, 4, job);
        break;
    case 8:
        for (; row < 8; row += of_8)
            tile_float(of_8, panels, t, panel, row, 8, job);
        break;
    default:
        for (; row < IX_ACTS_TILE; row += most)
            tile_float(most, panels, t, panel, row, IX_ACTS_TILE, job);
        break;
    }
}

VF_INLINE void direct_float(const type_float t, int h, const tile_job *job)
{
    int p = 0;
    for (; p + 2 <= job->panels && h <= FLOAT_TILE_OF_TWO; p += 2)
        tiles_float(t, h, 2, p, job);
    for (; p < job->panels; p++)
        tiles_float(t, h, 1, p, job);
}

/* Four panels side by side ask the fewest loads, but for few rows they are too many streams. */
static void many_f32(int h, const tile_job *job)
{
    const type_float f32 = { 4, load_f32 };
    if (FLOAT_TILE_OF_FOUR && job->panels == 4)
        tiles_float(f32, h, 4, 0, job);
    else
        direct_float(f32, h, job);
}

#define FLOAT(t, bytes)                                                                            \
    static void direct_##t(int h, const tile_job *job)                                             \
    {                                                                                              \
        direct_float((type_float){ bytes, load_##t }, h, job);                                     \
    }                                                                                              \
    /* A part of a panel to float32, once for all rows of a prompt. */                             \
    static void prepare_##t(const void *w, int64_t n, void *to)                                    \
    {                                                                                              \
        for (int64_t i = 0; i < n * IX_PANEL_COLS; i += VF_LANES)                                  \
            vf_store((float *)to + i, load_##t((const uint8_t *)w + i * bytes));                   \
    }
FLOAT(f16, 2)
FLOAT(bf16, 2)

static void direct_f32(int h, const tile_job *job)
{
    direct_float((type_float){ 4, load_f32 }, h, job);
}

/* Rows of any type to an F32 panel. */
static void pack_values(ix_type type, const void *w, size_t row_bytes, int64_t cols, int64_t depth,
                        float *panel)
{
    float row[IX_SEGMENT];
    if (cols < IX_PANEL_COLS)
        memset(panel, 0, ix_panel_bytes_f32(depth));
    for (int64_t c = 0; c < cols; c++) {
        ix_dequantize_row(type, (const uint8_t *)w + (size_t)c * row_bytes, depth, row);
        for (int64_t k = 0; k < depth; k++)
            panel[k * IX_PANEL_COLS + c] = row[k];
    }
}

#endif
