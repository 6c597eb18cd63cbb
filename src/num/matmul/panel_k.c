/* Packing of the super-blocks of 256 into panels (panel.h).  Words are copied, packed scales
 * become bytes. */
#include "num/dequant/layout.h"
#include "num/matmul/panel.h"

static void pack_q2_k(ix_panel_q2_k *p, int64_t c, const uint8_t *b)
{
    for (int s = 0; s < 16; s++)
        p->scales[s / 2][c][s % 2] = b[s];
    ix_panel_words(p->q, c, b + 16, 16);
    p->d[c] = ix_le16(b + 80);
    p->dmin[c] = ix_le16(b + 82);
}

static void pack_q3_k(ix_panel_q3_k *p, int64_t c, const uint8_t *b)
{
    const uint8_t *scales = b + 96;
    ix_panel_words(p->third, c, b, 8);
    ix_panel_words(p->q, c, b + 32, 16);
    for (int s = 0; s < 16; s++) {
        int low = scales[s % 8] >> (s / 8 * 4) & 15;
        int high = scales[8 + s % 4] >> (s / 4 * 2) & 3;
        p->scales[s][c] = (int8_t)((low | high << 4) - 32);
    }
    p->d[c] = ix_le16(b + 108);
}

/* The 12 bytes of Q4_K and Q5_K: 8 scales and 8 minimums of 6 bits. */
static void scales_of_6_bits(const uint8_t *s, int64_t c, uint8_t scales[8][IX_PANEL_COLS],
                             uint8_t mins[4][IX_PANEL_COLS][2])
{
    for (int i = 0; i < 4; i++) {
        scales[i][c] = s[i] & 63;
        scales[4 + i][c] = (uint8_t)((s[8 + i] & 15) | s[i] >> 6 << 4);
        mins[i / 2][c][i % 2] = s[4 + i] & 63;
        mins[2 + i / 2][c][i % 2] = (uint8_t)(s[8 + i] >> 4 | s[4 + i] >> 6 << 4);
    }
}

static void pack_q4_k(ix_panel_q4_k *p, int64_t c, const uint8_t *b)
{
    p->d[c] = ix_le16(b);
    p->dmin[c] = ix_le16(b + 2);
    scales_of_6_bits(b + 4, c, p->scales, p->mins);
    ix_panel_words(p->q, c, b + 16, 32);
}

static void pack_q5_k(ix_panel_q5_k *p, int64_t c, const uint8_t *b)
{
    p->d[c] = ix_le16(b);
    p->dmin[c] = ix_le16(b + 2);
    scales_of_6_bits(b + 4, c, p->scales, p->mins);
    ix_panel_words(p->fifth, c, b + 16, 8);
    ix_panel_words(p->q, c, b + 48, 32);
}

static void pack_q6_k(ix_panel_q6_k *p, int64_t c, const uint8_t *b)
{
    ix_panel_words(p->low, c, b, 32);
    ix_panel_words(p->high, c, b + 128, 16);
    for (int s = 0; s < 16; s++)
        p->scales[s][c] = (int8_t)b[192 + s];
    p->d[c] = ix_le16(b + 208);
}

static void pack_iq4_xs(ix_panel_iq4_xs *p, int64_t c, const uint8_t *b)
{
    uint32_t high = ix_le16(b + 2);
    p->d[c] = ix_le16(b);
    for (int s = 0; s < 8; s++) {
        uint32_t low = (uint32_t)b[4 + s / 2] >> (s % 2 * 4) & 15;
        p->scales[s][c] = (int8_t)((int)(low | (high >> (2 * s) & 3) << 4) - 32);
    }
    ix_panel_words(p->q, c, b + 8, 32);
}

IX_PANEL_BLOCKS(q2_k, 256, 84, pack_q2_k)
IX_PANEL_BLOCKS(q3_k, 256, 110, pack_q3_k)
IX_PANEL_BLOCKS(q4_k, 256, 144, pack_q4_k)
IX_PANEL_BLOCKS(q5_k, 256, 176, pack_q5_k)
IX_PANEL_BLOCKS(q6_k, 256, 210, pack_q6_k)
IX_PANEL_BLOCKS(iq4_xs, 256, 136, pack_iq4_xs)
