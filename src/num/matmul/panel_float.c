/* Packing of float weights into panels [k][16] (panel.h): a transpose. */
#include "num/matmul/panel.h"

size_t ix_panel_bytes_f32(int64_t depth)
{
    return (size_t)depth * IX_PANEL_COLS * sizeof(float);
}

size_t ix_panel_bytes_f16(int64_t depth)
{
    return ix_panel_lines((size_t)depth * IX_PANEL_COLS * sizeof(uint16_t));
}

void ix_panel_pack_f32(const void *w, size_t row_bytes, int64_t cols, int64_t depth, void *panel)
{
    uint32_t *p = panel;
    if (cols < IX_PANEL_COLS)
        memset(panel, 0, ix_panel_bytes_f32(depth));
    for (int64_t c = 0; c < cols; c++) {
        const uint8_t *row = (const uint8_t *)w + (size_t)c * row_bytes;
        for (int64_t k = 0; k < depth; k++)
            memcpy(&p[k * IX_PANEL_COLS + c], row + 4 * k, 4);
    }
}

void ix_panel_pack_f16(const void *w, size_t row_bytes, int64_t cols, int64_t depth, void *panel)
{
    uint16_t *p = panel;
    if (cols < IX_PANEL_COLS)
        memset(panel, 0, ix_panel_bytes_f16(depth));
    for (int64_t c = 0; c < cols; c++) {
        const uint8_t *row = (const uint8_t *)w + (size_t)c * row_bytes;
        for (int64_t k = 0; k < depth; k++)
            memcpy(&p[k * IX_PANEL_COLS + c], row + 2 * k, 2);
    }
}
