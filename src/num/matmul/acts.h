/* Packed activations: tiles of 12 rows, k forward, what belongs together in one word.
 *
 *   tile 0 | tile 1 | ... | last tile
 *
 * A tile has h rows in memory: 12, and in the last tile the smallest of 1, 2, 4, 8, 12 that holds
 * what is left (the rest is zeros).  All rows before it are in full tiles, so a tile starts at its
 * first row times the bytes of a row.  Inside a tile, blocks follow each other:
 *
 *   floats          [k][h] float
 *   blocks of 32    int8 q[8][h][4] | float e[h] | int32 start[h] | float sum[h]
 *   blocks of 256   int8 q[64][h][4] | float e[h]
 *                   | int32 start256[h] | int32 start32[8][h] | int32 start16[16][h]
 *                   | int16 sum16[8][h][2] | int16 sum32[4][h][2]
 *
 * The formats for AMX have tiles of 16 rows, in which q has the bytes of a row together: int8
 * q[16][32], q[16][256]; nobody reads their starts; all else is the same.  Up to 12 rows in all, or
 * 4 behind the last whole tile, are a tile as above.
 *
 * q and e are those of rule C3a.  sum is the sum of q over a block or part of it; start is -128 *
 * sum, where the sums of products begin that have 128 added to their weights.
 */
#ifndef IX_NUM_MATMUL_ACTS_H
#define IX_NUM_MATMUL_ACTS_H

#include <stddef.h>
#include <stdint.h>

#define IX_ACTS_TILE 12
#define IX_ACTS_TILE_AMX 16
#define IX_ACTS_OFFSET 128

/* Byte offsets inside a block, in units of h; the last is its size. */
enum {
    IX_ACTS_32_E = 32,
    IX_ACTS_32_START = 36,
    IX_ACTS_32_SUM = 40,
    IX_ACTS_32_BYTES = 44,

    IX_ACTS_256_E = 256,
    IX_ACTS_256_START_256 = 260,
    IX_ACTS_256_START_32 = 264,
    IX_ACTS_256_START_16 = 296,
    IX_ACTS_256_SUM_16 = 360,
    IX_ACTS_256_SUM_32 = 392,
    IX_ACTS_256_BYTES = 408,
};

/* Rows in memory of a tile of `rows`. */
static inline int32_t ix_acts_height(int64_t rows)
{
    return rows <= 1 ? 1 : rows <= 2 ? 2 : rows <= 4 ? 4 : rows <= 8 ? 8 : IX_ACTS_TILE;
}

/* The same of the tile at `row` of `rows`, for AMX.  Few rows are the VNNI kernels': all alone they
 * share no weights that were made ready for tiles; behind whole tiles they do. */
static inline int32_t ix_acts_height_amx(int64_t rows, int64_t row)
{
    return rows - row <= (row == 0 ? IX_ACTS_TILE : 4) ? ix_acts_height(rows - row)
                                                       : IX_ACTS_TILE_AMX;
}

/* pack_acts and acts_bytes of ix_matmul_kernel for the formats, and their keys. */
#define IX_ACTS(format)                                                                            \
    extern const char ix_acts_##format[];                                                          \
    size_t ix_acts_bytes_##format(int64_t rows, int64_t depth);                                    \
    void ix_acts_pack_##format(const float *x, int64_t ldx, int64_t rows, int64_t row0,            \
                               int64_t row1, int64_t depth, void *acts);
IX_ACTS(f32)
IX_ACTS(q32)
IX_ACTS(q256)
IX_ACTS(q32_amx)
IX_ACTS(q256_amx)
#undef IX_ACTS

#endif
