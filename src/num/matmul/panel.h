/* Weights in panels of 16 output columns, k forward: the layout that every vector kernel reads.
 *
 * A "word" is four consecutive elements of k of one column.  Where the file has a run of bytes, the
 * panel has the same bytes of 16 columns, word by word, so that one 64-byte vector holds one word
 * of each column:
 *
 *   file, column c:   w0 w1 w2 ...                      (4 bytes each)
 *   panel:            w0 of c = 0..15 | w1 of c = 0..15 | ...
 *
 * Fields inside bytes (nibbles, bit planes) stay where the file has them.  Only the packed 6-bit
 * scales of Q3_K, Q4_K, Q5_K and IQ4_XS are spread to bytes, which costs at most 3.7 % (Q3_K) over
 * the file's size; every other type keeps its size.  A panel is its blocks in order (float types:
 * [k][16]), so that a segment of 1024 indices is a run of bytes that can be packed and multiplied
 * on its own.
 *
 * Scales stay as the file has them (f16; MXFP4: E).  Signed bytes of Q8_0 are stored with the top
 * bit flipped.
 */
#ifndef IX_NUM_MATMUL_PANEL_H
#define IX_NUM_MATMUL_PANEL_H

#include "num/matmul/matmul.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t ix_panel_word[4 * IX_PANEL_COLS]; /* one word of each column */

typedef struct ix_panel_q8_0 {
    ix_panel_word q[8]; /* q ^ 0x80 */
    uint16_t d[IX_PANEL_COLS];
} ix_panel_q8_0;

typedef struct ix_panel_q4_0 { /* IQ4_NL too */
    ix_panel_word q[4];        /* words 0..3 in low nibbles, 4..7 in high ones */
    uint16_t d[IX_PANEL_COLS];
} ix_panel_q4_0;

typedef struct ix_panel_q4_1 {
    ix_panel_word q[4];
    uint16_t d[IX_PANEL_COLS], m[IX_PANEL_COLS];
} ix_panel_q4_1;

typedef struct ix_panel_q5_0 {
    ix_panel_word q[4];
    ix_panel_word fifth; /* bit g: of word g */
    uint16_t d[IX_PANEL_COLS];
} ix_panel_q5_0;

typedef struct ix_panel_q5_1 {
    ix_panel_word q[4];
    ix_panel_word fifth;
    uint16_t d[IX_PANEL_COLS], m[IX_PANEL_COLS];
} ix_panel_q5_1;

typedef struct ix_panel_mxfp4 {
    ix_panel_word q[4];
    uint8_t e[IX_PANEL_COLS];
} ix_panel_mxfp4;

/* Super-blocks: sub-block j is elements 32 j .. 32 j + 31, its words are g = 0..7. */

typedef struct ix_panel_q2_k {
    ix_panel_word q[16]; /* word g of j: q[j / 4 * 8 + g], bits 2 (j % 4) and up */
    uint8_t scales[8][IX_PANEL_COLS][2]; /* of 16 elements each, in pairs: scale | min << 4 */
    uint16_t d[IX_PANEL_COLS], dmin[IX_PANEL_COLS];
} ix_panel_q2_k;

typedef struct ix_panel_q3_k {
    ix_panel_word q[16]; /* as Q2_K */
    ix_panel_word third[8]; /* word g of j: bit j */
    int8_t scales[16][IX_PANEL_COLS];
    uint16_t d[IX_PANEL_COLS];
} ix_panel_q3_k;

typedef struct ix_panel_q4_k {
    ix_panel_word q[32]; /* word g of j: q[j / 2 * 8 + g], low nibble for even j */
    uint8_t scales[8][IX_PANEL_COLS];
    uint8_t mins[4][IX_PANEL_COLS][2]; /* in pairs of sub-blocks */
    uint16_t d[IX_PANEL_COLS], dmin[IX_PANEL_COLS];
} ix_panel_q4_k;

typedef struct ix_panel_q5_k {
    ix_panel_word q[32]; /* as Q4_K */
    ix_panel_word fifth[8]; /* word g of j: bit j */
    uint8_t scales[8][IX_PANEL_COLS];
    uint8_t mins[4][IX_PANEL_COLS][2];
    uint16_t d[IX_PANEL_COLS], dmin[IX_PANEL_COLS];
} ix_panel_q5_k;

typedef struct ix_panel_q6_k {
    /* Word g of j: low[(j / 4 * 2 + j % 2) * 8 + g], high nibble where j % 4 >= 2. */
    ix_panel_word low[32];
    ix_panel_word high[16]; /* word g of j: high[j / 4 * 8 + g], bits 2 (j % 4) and up */
    int8_t scales[16][IX_PANEL_COLS];
    uint16_t d[IX_PANEL_COLS];
} ix_panel_q6_k;

typedef struct ix_panel_iq4_xs {
    ix_panel_word q[32]; /* word g of j: q[j * 4 + g % 4], high nibble where g >= 4 */
    int8_t scales[8][IX_PANEL_COLS];
    uint16_t d[IX_PANEL_COLS];
} ix_panel_iq4_xs;

/* Float types: [k][16] in the file's element type. */

/* For each type t: bytes of one panel (a multiple of 64), and columns [0, cols) of w, cols <=
 * 16, to a panel; missing columns are zero.  They are the functions of the same names in
 * ix_matmul_kernel. */
#define IX_PANEL(t)                                                                                \
    size_t ix_panel_bytes_##t(int64_t depth);                                                      \
    void ix_panel_pack_##t(const void *w, size_t row_bytes, int64_t cols, int64_t depth,           \
                           void *panel);
IX_PANEL(f32)
IX_PANEL(f16) /* BF16 too */
IX_PANEL(q4_0) /* IQ4_NL too */
IX_PANEL(q4_1)
IX_PANEL(q5_0)
IX_PANEL(q5_1)
IX_PANEL(q8_0)
IX_PANEL(mxfp4)
IX_PANEL(q2_k)
IX_PANEL(q3_k)
IX_PANEL(q4_k)
IX_PANEL(q5_k)
IX_PANEL(q6_k)
IX_PANEL(iq4_xs)
#undef IX_PANEL

/* Bytes rounded up to whole cache lines. */
static inline size_t ix_panel_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* `count` words of column c, as they lie in the file. */
static inline void ix_panel_words(ix_panel_word *to, int64_t c, const uint8_t *from, int count)
{
    for (int g = 0; g < count; g++)
        memcpy(to[g] + 4 * c, from + 4 * g, 4);
}

/* The frame of every packing function: `one` packs block b of column c. */
#define IX_PANEL_BLOCKS(t, elements, block_bytes, one)                                             \
    size_t ix_panel_bytes_##t(int64_t depth)                                                       \
    {                                                                                              \
        return ix_panel_lines((size_t)(depth / (elements)) * sizeof(ix_panel_##t));                \
    }                                                                                              \
    void ix_panel_pack_##t(const void *w, size_t row_bytes, int64_t cols, int64_t depth,           \
                           void *panel)                                                            \
    {                                                                                              \
        if (cols < IX_PANEL_COLS)                                                                  \
            memset(panel, 0, ix_panel_bytes_##t(depth));                                           \
        ix_panel_##t *p = panel;                                                                   \
        for (int64_t b = 0; b < depth / (elements); b++) {                                         \
            for (int64_t c = 0; c < cols; c++)                                                     \
                one(&p[b], c, (const uint8_t *)w + (size_t)c * row_bytes + b * (block_bytes));     \
        }                                                                                          \
    }

#endif
