/* Tiles of float weights (rule C2): one chain of fma over k for each element of y.
 *
 * As many vectors of columns side by side as give the processor enough chains to work on.  Types without an integer
 * product are dequantised into F32 panels, one segment at a time, and end here too.
 */
#ifndef IX_NUM_MATMUL_X86_FLOAT_H
#define IX_NUM_MATMUL_X86_FLOAT_H

#include "num/dequant/dequant.h"
#include "num/matmul/x86_product.h"

typedef vf load_float(const void *p);

typedef struct type_float {
    int bytes; /* of an element */
    load_float *load;
} type_float;

/* mr rows of a tile of height h; `panels` panels, of each `vectors` vectors of columns. */
VF_INLINE void tile_float(const int mr, const int panels, const int vectors, const type_float t, const uint8_t *w,
                          size_t stride, const uint8_t *a, int64_t h, int64_t n, float *out)
{
    vf acc[2 * FLOAT_TILE];
    UNROLL for (int i = 0; i < mr * panels * vectors; i++)
        acc[i] = vf_set(0.0f);
    for (int64_t k = 0; k < n; k++, w += t.bytes * IX_PANEL_COLS, a += 4 * h) {
        vf x[4];
        UNROLL for (int i = 0; i < panels * vectors; i++)
            x[i] = t.load(w + (size_t)(i / vectors) * stride + i % vectors * VF_LANES * t.bytes);
        UNROLL for (int m = 0; m < mr; m++) {
            vf y = vf_word(a + 4 * m);
            UNROLL for (int i = 0; i < panels * vectors; i++)
                acc[m * panels * vectors + i] = vf_fma(y, x[i], acc[m * panels * vectors + i]);
        }
    }
    UNROLL for (int m = 0; m < mr; m++) {
        UNROLL for (int i = 0; i < panels * vectors; i++)
            vf_store(out + (i / vectors * h + m) * IX_PANEL_COLS + i % vectors * VF_LANES,
                     acc[m * panels * vectors + i]);
    }
}

#if HALVES == 1
VF_INLINE void tiles_float(const type_float t, int h, const int panels, const uint8_t *w, size_t stride,
                           const uint8_t *a, int64_t n, float *out)
{
    switch (h) {
    case 1: tile_float(1, panels, 1, t, w, stride, a, 1, n, out); break;
    case 2: tile_float(2, panels, 1, t, w, stride, a, 2, n, out); break;
    case 4: tile_float(4, panels, 1, t, w, stride, a, 4, n, out); break;
    case 8: tile_float(8, panels, 1, t, w, stride, a, 8, n, out); break;
    default: tile_float(12, panels, 1, t, w, stride, a, 12, n, out); break;
    }
}
VF_INLINE void direct_float(const type_float t, int h, const void *w, size_t stride, int panels, const uint8_t *a,
                            int64_t n, float *out)
{
    if (panels == 2)
        tiles_float(t, h, 2, w, stride, a, n, out);
    else
        tiles_float(t, h, 1, w, stride, a, n, out);
}
#else
/* Twelve sums in flight fill the registers: 6 rows of one panel, 2 rows of two. */
VF_INLINE void direct_float(const type_float t, int h, const void *w, size_t stride, int panels, const uint8_t *a,
                            int64_t n, float *out)
{
    if (panels == 2 && h == 1) {
        tile_float(1, 2, 2, t, w, stride, a, 1, n, out);
        return;
    }
    if (panels == 2 && h == 2) {
        tile_float(2, 2, 2, t, w, stride, a, 2, n, out);
        return;
    }
    for (int p = 0; p < panels; p++, w = (const uint8_t *)w + stride, out += h * IX_PANEL_COLS) {
        switch (h) {
        case 1: tile_float(1, 1, 2, t, w, stride, a, 1, n, out); break;
        case 2: tile_float(2, 1, 2, t, w, stride, a, 2, n, out); break;
        case 4: tile_float(4, 1, 2, t, w, stride, a, 4, n, out); break;
        case 8:
            for (int m = 0; m < 8; m += 4)
                tile_float(4, 1, 2, t, w, stride, a + 4 * m, 8, n, out + m * IX_PANEL_COLS);
            break;
        default:
            for (int m = 0; m < IX_ACTS_TILE; m += 6)
                tile_float(6, 1, 2, t, w, stride, a + 4 * m, IX_ACTS_TILE, n, out + m * IX_PANEL_COLS);
            break;
        }
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
    static void direct_##t(int h, const void *w, size_t stride, int panels, const uint8_t *a,      \
                           int64_t n, float *out)                                                  \
    {                                                                                              \
        direct_float((type_float){ bytes, load_##t }, h, w, stride, panels, a, n, out);            \
    }
FLOAT(f32, 4)
FLOAT(f16, 2)
FLOAT(bf16, 2)

/* Rows of any type to an F32 panel. */
static void pack_values(ix_type type, const void *w, size_t row_bytes, int64_t cols, int64_t depth, float *panel)
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
