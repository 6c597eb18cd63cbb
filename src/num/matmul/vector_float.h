/* Tiles of float weights (rule C2): one chain of fma over k for each element of y.
 *
 * As many vectors of columns side by side as give the processor enough chains to work on.  Types
 * without an integer product are dequantised into F32 panels, one segment at a time, and end here
 * too.
 */
#ifndef IX_NUM_MATMUL_VECTOR_FLOAT_H
#define IX_NUM_MATMUL_VECTOR_FLOAT_H

#include "num/dequant/dequant.h"
#include "num/matmul/vector_product.h"

typedef vf load_float(const void *p);

typedef struct type_float {
    int bytes; /* of an element */
    load_float *load;
} type_float;

/* Rows row .. row + mr - 1 of a tile of height h; `panels` panels from `panel` on, of each
 * `vectors` vectors of columns. */
VF_INLINE void tile_float(const int mr, const int panels, const int vectors, const type_float t,
                          int panel, int row, int64_t h, const tile_job *job)
{
    const int across = panels * vectors;
    const uint8_t *w = job->w + (size_t)panel * job->stride, *a = job->a + 4 * row;
    float *out = job->out + (panel * h + row) * IX_PANEL_COLS;
    vf acc[2 * FLOAT_TILE];
    UNROLL for (int i = 0; i < mr * across; i++)
        acc[i] = vf_set(0.0f);
    for (int64_t k = 0; k < job->n; k++, w += t.bytes * IX_PANEL_COLS, a += 4 * h) {
        vf x[4];
        UNROLL for (int i = 0; i < across; i++)
            x[i] = t.load(w + (size_t)(i / vectors) * job->stride +
                          i % vectors * VF_LANES * t.bytes);
        UNROLL for (int m = 0; m < mr; m++) {
            vf y = vf_word(a + 4 * m);
            UNROLL for (int i = 0; i < across; i++)
                acc[m * across + i] = vf_fma(y, x[i], acc[m * across + i]);
        }
    }
    UNROLL for (int m = 0; m < mr; m++) {
        UNROLL for (int i = 0; i < across; i++)
            vf_store(out + (i / vectors * h + m) * IX_PANEL_COLS + i % vectors * VF_LANES,
                     acc[m * across + i]);
    }
}

#if HALVES == 1
VF_INLINE void tiles_float(const type_float t, int h, const int panels, const tile_job *job)
{
    switch (h) {
    case 1: tile_float(1, panels, 1, t, 0, 0, 1, job); break;
    case 2: tile_float(2, panels, 1, t, 0, 0, 2, job); break;
    case 4: tile_float(4, panels, 1, t, 0, 0, 4, job); break;
    case 8: tile_float(8, panels, 1, t, 0, 0, 8, job); break;
    default: tile_float(12, panels, 1, t, 0, 0, 12, job); break;
    }
}
VF_INLINE void direct_float(const type_float t, int h, const tile_job *job)
{
    if (job->panels == 2)
        tiles_float(t, h, 2, job);
    else
        tiles_float(t, h, 1, job);
}
#else
/* Twelve sums in flight fill the registers: 6 rows of one panel.  One or two rows take two
 * panels. */
VF_INLINE void panel_float(const type_float t, int h, int panel, const tile_job *job)
{
    switch (h) {
    case 1: tile_float(1, 1, 2, t, panel, 0, 1, job); break;
    case 2: tile_float(2, 1, 2, t, panel, 0, 2, job); break;
    case 4: tile_float(4, 1, 2, t, panel, 0, 4, job); break;
    case 8:
        for (int row = 0; row < 8; row += 4)
            tile_float(4, 1, 2, t, panel, row, 8, job);
        break;
    default:
        for (int row = 0; row < IX_ACTS_TILE; row += 6)
            tile_float(6, 1, 2, t, panel, row, IX_ACTS_TILE, job);
        break;
    }
}
VF_INLINE void direct_float(const type_float t, int h, const tile_job *job)
{
    if (job->panels == 2 && h == 1) {
        tile_float(1, 2, 2, t, 0, 0, 1, job);
    } else if (job->panels == 2 && h == 2) {
        tile_float(2, 2, 2, t, 0, 0, 2, job);
    } else {
        for (int p = 0; p < job->panels; p++)
            panel_float(t, h, p, job);
    }
}
#endif

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

#define FLOAT(t, bytes)                                                                            \
    static void direct_##t(int h, const tile_job *job)                                             \
    {                                                                                              \
        direct_float((type_float){ bytes, load_##t }, h, job);                                     \
    }
FLOAT(f32, 4)
FLOAT(f16, 2)
FLOAT(bf16, 2)

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
