/* Packing of the types with blocks of 32 into panels (panel.h).  Copies words and scales;
 * nothing is decoded. */
#include "num/dequant/layout.h"
#include "num/matmul/panel.h"

/* Bit 4 g + t of the file's word, which is element 4 g + t, to bit g of byte t. */
static void fifth_bits(uint8_t *to, const uint8_t *from)
{
    uint32_t bits = ix_le32(from);
    for (int t = 0; t < 4; t++) {
        uint32_t x = bits >> t & 0x11111111u; /* every fourth bit moves up to its neighbour */
        x = (x | x >> 3) & 0x03030303u;
        x = (x | x >> 6) & 0x000f000fu;
        to[t] = (uint8_t)(x | x >> 12);
    }
}

static void pack_q4_0(ix_panel_q4_0 *p, int64_t c, const uint8_t *b)
{
    p->d[c] = ix_le16(b);
    ix_panel_words(p->q, c, b + 2, 4);
}

static void pack_q4_1(ix_panel_q4_1 *p, int64_t c, const uint8_t *b)
{
    p->d[c] = ix_le16(b);
    p->m[c] = ix_le16(b + 2);
    ix_panel_words(p->q, c, b + 4, 4);
}

static void pack_q5_0(ix_panel_q5_0 *p, int64_t c, const uint8_t *b)
{
    p->d[c] = ix_le16(b);
    fifth_bits(p->fifth + 4 * c, b + 2);
    ix_panel_words(p->q, c, b + 6, 4);
}

static void pack_q5_1(ix_panel_q5_1 *p, int64_t c, const uint8_t *b)
{
    p->d[c] = ix_le16(b);
    p->m[c] = ix_le16(b + 2);
    fifth_bits(p->fifth + 4 * c, b + 4);
    ix_panel_words(p->q, c, b + 8, 4);
}

static void pack_q8_0(ix_panel_q8_0 *p, int64_t c, const uint8_t *b)
{
    p->d[c] = ix_le16(b);
    for (int g = 0; g < 8; g++) {
        uint32_t word;
        memcpy(&word, b + 2 + 4 * g, 4);
        word ^= 0x80808080u;
        memcpy(p->q[g] + 4 * c, &word, 4);
    }
}

static void pack_mxfp4(ix_panel_mxfp4 *p, int64_t c, const uint8_t *b)
{
    p->e[c] = b[0];
    ix_panel_words(p->q, c, b + 1, 4);
}

IX_PANEL_BLOCKS(q4_0, 32, 18, pack_q4_0)
IX_PANEL_BLOCKS(q4_1, 32, 20, pack_q4_1)
IX_PANEL_BLOCKS(q5_0, 32, 22, pack_q5_0)
IX_PANEL_BLOCKS(q5_1, 32, 24, pack_q5_1)
IX_PANEL_BLOCKS(q8_0, 32, 34, pack_q8_0)
IX_PANEL_BLOCKS(mxfp4, 32, 17, pack_mxfp4)
