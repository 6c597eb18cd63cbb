/* The frame of the vector matrix products: which panel, which segment, which tile; sums by T; the
 * store (C2, C11).
 *
 *   for each step of panels (16 columns; float types 32, with AVX-512 64):
 *       for each chunk of rows:
 *           for each segment of 1024 indices:
 *               for each part of the segment (float types: what the first-level cache holds):
 *                   bring its weights into the form that the tile function reads
 *                   for each tile of at most TILE_ROWS rows: go on with the segment's sums;
 *                       behind the last part: join them with those of the segments before;
 *                       behind the last segment: store
 *
 * Included once by each instruction set's file, behind the header that names its vectors (vf, vi,
 * ...).  A file that includes this describes each type by a `plan`.  "Direct" tile functions read
 * panels and unpack in registers: best for few rows, where reading the weights is all that counts.
 * Others read what `prepare` made of one segment, which many tiles share.
 */
#ifndef IX_NUM_MATMUL_VECTOR_PRODUCT_H
#define IX_NUM_MATMUL_VECTOR_PRODUCT_H

#include "num/matmul/acts.h"
#include "num/matmul/panel.h"

#include <stdbool.h>

#define HALVES (IX_PANEL_COLS / VF_LANES) /* vectors across a panel */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNROLL /* gcc cannot keep the annotation there, and says so */
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#ifndef TILE_ROWS /* of a tile of activations, and how many of them are in memory */
#define TILE_ROWS IX_ACTS_TILE
#define TILE_HEIGHT(rows, row) ix_acts_height((rows) - (row))
#define CHUNK_TILES 22 /* at most, so that their sums stay in the L2 cache */
#ifndef STEP_PANELS
#define STEP_PANELS 2  /* at most */
#endif
#define PREPARED_BYTES ((size_t)24 * 1024) /* of one panel of a segment or part */
#define PREPARED_PANELS STEP_PANELS        /* at most, in one step */
#define MANY_TILES 0 /* 1: a tile function gets all tiles of a chunk at once */
#endif
#define CHUNK_ROWS (CHUNK_TILES * TILE_ROWS)
#define AHEAD_TILES 4                  /* that fetch the next weights */
#define AHEAD_DISTANCE 4096            /* bytes that a direct tile looks ahead */
#define DIRECT_ROWS 4                  /* at most, for a direct tile function */

/* Segment sums of one tile of height h: out[panel][h][16]; or of `tiles` tiles, all of one height,
 * which lie a_step and out_step apart. */
typedef struct tile_job {
    const uint8_t *w;     /* weights of `n` blocks (floats: indices) of k */
    int64_t n;
    size_t stride;        /* between panels, */
    int panels;           /* at most STEP_PANELS, as the plan says */
    const uint8_t *a;     /* activations */
    int64_t tiles;        /* 1, or with MANY_TILES all of the chunk */
    size_t a_step, out_step;
    const uint8_t *ahead; /* what is needed next: */
    size_t ahead_bytes;   /* so many come into the cache with each block; with parts: in all, of */
    size_t ahead_stride;  /* each panel, which are so far apart */
    const float *y;       /* MANY_TILES: where the rows go behind the last segment, else NULL */
    int64_t ldy;
    bool carry;           /* go on with the sums in `out` */
    float *out;
} tile_job;
typedef void tile_function(int h, const tile_job *t);

typedef struct plan {
    int32_t block;         /* elements of k in one block */
    int32_t panels;        /* in one step, at most STEP_PANELS; */
    int32_t panels_of_few; /* the same for one tile of rows, if not 0 */
    int32_t part;          /* indices of k that many tiles pass at a time; 0: the segment */
    size_t panel_block;    /* bytes of a block in a panel */
    size_t file_block;     /* bytes of a block in the file, of `file_elements` elements */
    int32_t file_elements;
    size_t acts_block;     /* bytes of a block in a packed row of activations */
    tile_function *direct; /* reads panels */
    void (*prepare)(const void *w, int64_t blocks, void *to); /* NULL: direct serves all rows */
    tile_function *tile;   /* reads what `prepare` made */
    /* One panel of one segment; as in ix_matmul_kernel. */
    void (*pack)(const void *w, size_t row_bytes, int64_t cols, int64_t depth, void *panel);
} plan;

/* What a worker has to itself. */
typedef struct workspace {
    uint8_t *packed;   /* panels of one segment, where weights come from the file's rows */
    uint8_t *prepared; /* panels of one segment */
    float *sums;       /* of the tiles of a chunk, in a segment that joins others */
    float *waiting;    /* [levels][CHUNK_ROWS][STEP_PANELS][16] */
} workspace;

#define PACKED_BYTES ((size_t)STEP_PANELS * IX_SEGMENT * IX_PANEL_COLS * sizeof(float))
#define TILE_FLOATS ((size_t)TILE_ROWS * STEP_PANELS * IX_PANEL_COLS)
#define SUMS_BYTES (sizeof(float) * TILE_FLOATS * CHUNK_TILES)
#define LEVEL_FLOATS ((size_t)CHUNK_ROWS * STEP_PANELS * IX_PANEL_COLS)

static inline int64_t segments_of(int64_t depth)
{
    return (depth + IX_SEGMENT - 1) / IX_SEGMENT;
}

/* Complete trees of sizes 1, 2, 4, ... may wait, one of each. */
static size_t scratch_panels(int64_t depth)
{
    size_t levels = 1;
    for (int64_t n = segments_of(depth); n > 1; n /= 2)
        levels++;
    return PREPARED_PANELS * PREPARED_BYTES + SUMS_BYTES + levels * LEVEL_FLOATS * sizeof(float);
}

static size_t scratch_rows(int64_t depth)
{
    return scratch_panels(depth) + PACKED_BYTES;
}

static workspace workspace_in(void *scratch, int from_rows)
{
    workspace s;
    uint8_t *p = scratch;
    s.prepared = p;
    s.sums = (float *)(void *)(p + PREPARED_PANELS * PREPARED_BYTES);
    p += PREPARED_PANELS * PREPARED_BYTES + SUMS_BYTES;
    s.packed = from_rows ? p : NULL;
    s.waiting = (float *)(void *)(from_rows ? p + PACKED_BYTES : p);
    return s;
}

/* ---- T of rule C2
 * -------------------------------------------------------------------------------- */

/* Sums arrive in order of segments.  Bit l of the count of those before is set where a tree of
 * 2^l waits on level l, so that a new sum joins them from the lowest on, as a carry runs. */
static void join(float *waiting, const float *sums, int64_t segment, int64_t floats)
{
    int level = __builtin_ctzll(~(unsigned long long)segment);
    for (int64_t i = 0; i < floats; i += VF_LANES) {
        vf v = vf_load(sums + i);
        for (int l = 0; l < level; l++)
            v = vf_add(vf_load(waiting + (size_t)l * LEVEL_FLOATS + i), v);
        vf_store(waiting + (size_t)level * LEVEL_FLOATS + i, v);
    }
}

/* T over all `segments` at offset i: the waiting trees, from the smallest to the largest. */
static inline vf joined(const float *waiting, int64_t segments, int64_t i)
{
    if (segments == 0)
        return vf_set(0.0f);
    unsigned long long bits = (unsigned long long)segments;
    vf v = vf_load(waiting + (size_t)__builtin_ctzll(bits) * LEVEL_FLOATS + i);
    for (bits &= bits - 1; bits != 0; bits &= bits - 1)
        v = vf_add(vf_load(waiting + (size_t)__builtin_ctzll(bits) * LEVEL_FLOATS + i), v);
    return v;
}

/* ---- the store (C11), bias and residual
 * ---------------------------------------------------------- */

static inline vf canonical(vf v)
{
    return vf_select(vf_is_nan(v), vf_of_bits(vi_set((int32_t)IX_F32_NAN_BITS)), v);
}

static inline vf load_some(const float *p, int64_t n)
{
    return n >= VF_LANES ? vf_load(p) : vf_load_n(p, n);
}

/* One row, `cols` columns from `col`: sums to y. */
static void store_row(const ix_matmul_job *job, int64_t row, int64_t col, int64_t cols,
                      int64_t segments, const float *waiting)
{
    for (int64_t i = 0; i < cols; i += VF_LANES) {
        int64_t n = cols - i, at = row * job->ldy + col + i;
        vf v = canonical(vf_add(joined(waiting, segments, i), vf_set(0.0f)));
        if (job->bias)
            v = vf_add(v, load_some(job->bias + col + i, n));
        if (job->residual)
            v = vf_add(v, load_some(job->residual + at, n));
        v = canonical(v);
        if (n >= VF_LANES)
            vf_store(job->y + at, v);
        else
            vf_store_n(job->y + at, v, n);
    }
}

/* ---- the loops
 * ----------------------------------------------------------------------------------- */

/* The job, and where it stands. */
typedef struct position {
    const ix_matmul_job *job;
    const plan *plan;
    workspace space;
    int from_rows;         /* weights are the file's rows */
    size_t panel_bytes;
    int64_t col, cols;     /* of this step */
    int64_t row, row1;     /* of this chunk */
    int64_t row_end;       /* of all chunks */
    int64_t tiles;         /* in this chunk */
    int step_panels;       /* at most */
} position;

static inline int panels_of(const position *at)
{
    return (int)((at->cols + IX_PANEL_COLS - 1) / IX_PANEL_COLS);
}

/* The panels of this step from index k on: in place, or packed now.  *stride is the distance of
 * two. */
static const uint8_t *segment_weights(const position *at, int64_t k, int64_t length, size_t *stride)
{
    const plan *p = at->plan;
    const uint8_t *w = at->job->weights;
    if (!at->from_rows) {
        *stride = at->panel_bytes;
        return w + (size_t)(at->col / IX_PANEL_COLS) * at->panel_bytes +
               (size_t)(k / p->block) * p->panel_block;
    }
    *stride = PACKED_BYTES / STEP_PANELS;
    size_t row_bytes = at->job->weight_row_bytes;
    w += (size_t)at->col * row_bytes + (size_t)(k / p->file_elements) * p->file_block;
    for (int64_t c = 0; c < at->cols; c += IX_PANEL_COLS) {
        int64_t cols = at->cols - c < IX_PANEL_COLS ? at->cols - c : IX_PANEL_COLS;
        p->pack(w + (size_t)c * row_bytes, row_bytes, cols, length,
                at->space.packed + (size_t)(c / IX_PANEL_COLS) * *stride);
    }
    return at->space.packed;
}

/* Lines that are needed soon.  Addresses beyond the end are harmless.  A function that does nothing
 * else has to be inlined: gcc finds that it has no effect, and drops its calls. */
VF_INLINE void prefetch(const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)from + i, 0, 2);
}

/* Reading the next weights must not wait for memory.  Panels follow each other, so what comes
 * next lies behind: a direct tile asks for the bytes some distance ahead, the first tiles over
 * prepared weights for the next segment. */
static void look_ahead(const position *at, const uint8_t *panel, int64_t tile, tile_job *t)
{
    const plan *p = at->plan;
    t->ahead = panel;
    t->ahead_bytes = 0;
    if (at->from_rows || at->row1 < at->row_end || tile >= AHEAD_TILES)
        return;
    int64_t parts = !p->prepare ? 1 : at->tiles < AHEAD_TILES ? at->tiles : AHEAD_TILES;
    t->ahead_bytes = p->panel_block / (size_t)parts;
    if (t->w == panel) {
        t->ahead = panel + AHEAD_DISTANCE;
    } else if (MANY_TILES) {
        t->ahead_bytes = (size_t)t->panels * p->panel_block;
        t->ahead = panel + (size_t)(t->panels - 1) * at->panel_bytes;
        t->ahead += (size_t)t->n * p->panel_block;
    } else {
        t->ahead = panel + (size_t)t->n * (p->panel_block + (size_t)tile * t->ahead_bytes);
    }
}

VF_INLINE void prefetch_to_write(const void *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)to + i, 1, 2);
}

/* y is written in pieces of at most 64 * STEP_PANELS bytes that lie far from each other. */
VF_INLINE void prefetch_y(const position *at, int64_t row, int64_t first, int64_t rows)
{
    for (int64_t m = first; m < rows; m++)
        prefetch_to_write(at->job->y + (row + m) * at->job->ldy + at->col,
                          (size_t)at->cols * sizeof(float));
}

static void store_tile(const position *at, int64_t row, int64_t rows, int64_t h,
                       const float *waiting)
{
    int64_t segments = segments_of(at->job->depth);
    for (int64_t c = 0; c < at->cols; c += IX_PANEL_COLS) {
        int64_t cols = at->cols - c < IX_PANEL_COLS ? at->cols - c : IX_PANEL_COLS;
        for (int64_t m = 0; m < rows; m++)
            store_row(at->job, row + m, at->col + c, cols, segments,
                      waiting + (c * h + m * IX_PANEL_COLS));
    }
}

/* Tiles that pass a part between them ask for the one behind it: of this step, or of the next.
 * Each does so for a share of the lines while it works: many at once would keep all others out. */
static void fetch_next_part(const position *at, const uint8_t *panel, int64_t k, int64_t tile,
                            tile_job *t)
{
    const plan *p = at->plan;
    size_t step = (size_t)at->step_panels * at->panel_bytes;
    size_t bytes = (size_t)p->part * p->panel_block / (size_t)at->tiles + 1;
    t->ahead_bytes = 0;
    if (at->tiles == 1 || at->from_rows || at->row1 < at->row_end)
        return;
    if (k >= at->job->depth)
        panel += step - (size_t)at->job->depth * p->panel_block;
    t->ahead = panel + (size_t)tile * bytes;
    t->ahead_bytes = bytes;
    t->ahead_stride = at->panel_bytes;
}

/* The segment that one_segment is at, or a part of it. */
typedef struct segment {
    int64_t index, count; /* segments of the product */
    int64_t k, end;       /* indices of the part */
    int64_t part, parts;  /* of the segment: this one, and how many */
    bool first, last;     /* part of its segment */
} segment;

/* All tiles of the chunk over t->n blocks from index s->k on; `panel` is where they come from. */
static void one_part(const position *at, const segment *s, const uint8_t *panel,
                     tile_function *tile, tile_job t)
{
    const plan *p = at->plan;
    size_t row_bytes = (size_t)(at->job->depth / p->block) * p->acts_block;
    t.tiles = MANY_TILES ? at->tiles : 1;
    t.a_step = TILE_ROWS * row_bytes;
    t.ldy = at->job->ldy;
    t.out_step = (size_t)t.panels * TILE_ROWS * IX_PANEL_COLS;
    t.carry = !s->first;
    bool store = s->last && s->index == s->count - 1;
    for (int64_t row = at->row; row < at->row1; row += t.tiles * TILE_ROWS) {
        int h = TILE_HEIGHT(at->job->rows, row);
        int64_t rows = MANY_TILES || at->row1 - row < h ? at->row1 - row : h;
        int64_t offset = (row - at->row) * STEP_PANELS * IX_PANEL_COLS;
        t.a = (const uint8_t *)at->job->acts + (size_t)row * row_bytes +
              (size_t)(s->k / p->block) * p->acts_block * (size_t)h;
        float *waiting = at->space.waiting + offset;
        t.out = s->index % 2 == 0 ? waiting : at->space.sums + offset;
        if (p->part != 0)
            fetch_next_part(at, panel + (size_t)t.n * p->panel_block, s->end,
                            (row - at->row) / TILE_ROWS, &t);
        else
            look_ahead(at, panel, (row - at->row) / TILE_ROWS, &t);
        if (store && MANY_TILES)
            t.y = at->job->y + row * at->job->ldy + at->col;
        else if (s->index == s->count - 1)
            prefetch_y(at, row, rows * s->part / s->parts, rows * (s->part + 1) / s->parts);
        tile(h, &t);
        if (s->last && s->index % 2 != 0)
            join(waiting, t.out, s->index, h * t.tiles * t.panels * IX_PANEL_COLS);
        for (int64_t i = 0; store && i < t.tiles; i++) {
            int64_t left = rows - i * TILE_ROWS;
            store_tile(at, row + i * TILE_ROWS, left < h ? left : h, h,
                       waiting + (size_t)i * t.out_step);
        }
    }
}

static void one_segment(const position *at, int64_t index, int64_t count)
{
    const plan *p = at->plan;
    int64_t depth = at->job->depth, k = index * IX_SEGMENT;
    int64_t end = depth - k < IX_SEGMENT ? depth : k + IX_SEGMENT;
    int64_t part = p->part != 0 && at->tiles > 1 ? p->part : IX_SEGMENT;
    segment s = { .index = index, .count = count, .first = true };
    s.parts = (end - k + part - 1) / part;
    bool many = p->part != 0 ? at->tiles > 1 : p->prepare && at->row1 - at->row > DIRECT_ROWS;
    size_t stride;
    const uint8_t *panel = segment_weights(at, k, end - k, &stride);
    for (s.k = k; s.k < end; s.k = s.end, s.first = false, s.part++) {
        s.end = end - s.k < part ? end : s.k + part;
        s.last = s.end == end;
        tile_job t = { .w = panel, .n = (s.end - s.k) / p->block, .stride = stride };
        tile_function *tile = p->direct;
        t.panels = panels_of(at);
        if (many)
            tile = p->tile;
        if (many && p->prepare) {
            for (int i = 0; i < t.panels; i++)
                p->prepare(panel + (size_t)i * stride, t.n,
                           at->space.prepared + (size_t)i * PREPARED_BYTES);
            t.w = at->space.prepared;
            t.stride = PREPARED_BYTES;
        }
        one_part(at, &s, panel, tile, t);
        panel += (size_t)t.n * p->panel_block;
    }
}

/* A product over no indices is zero. */
static void product_of_nothing(const ix_matmul_job *job, int64_t row0, int64_t row1, int64_t col0,
                               int64_t col1)
{
    for (int64_t row = row0; row < row1; row++)
        store_row(job, row, col0, col1 - col0, 0, NULL);
}

/* Rows of a chunk when `rows` are cut into as few as possible, of equal size but for the last. */
static int64_t even_chunk(int64_t rows)
{
    int64_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    int64_t chunks = (rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
    return chunks == 0 ? CHUNK_ROWS : (tiles + chunks - 1) / chunks * TILE_ROWS;
}

/* panel_bytes 0: the weights are the file's rows. */
static void product(const plan *p, size_t panel_bytes, const ix_matmul_job *job, int64_t row0,
                    int64_t row1, int64_t col0, int64_t col1, void *scratch)
{
    bool few = p->panels_of_few != 0 && row1 - row0 <= TILE_ROWS;
    position at = { .job = job, .plan = p, .row_end = row1 };
    at.from_rows = panel_bytes == 0;
    at.panel_bytes = panel_bytes;
    at.step_panels = few ? p->panels_of_few : p->panels;
    int64_t step = (int64_t)at.step_panels * IX_PANEL_COLS;
    at.space = workspace_in(scratch, at.from_rows);
    int64_t segments = segments_of(job->depth);
    if (segments == 0) {
        product_of_nothing(job, row0, row1, col0, col1);
        return;
    }
    int64_t chunk = even_chunk(row1 - row0);
    for (at.col = col0; at.col < col1; at.col += step) {
        at.cols = col1 - at.col < step ? col1 - at.col : step;
        for (at.row = row0; at.row < row1; at.row = at.row1) {
            at.row1 = row1 - at.row < chunk ? row1 : at.row + chunk;
            at.tiles = (at.row1 - at.row + TILE_ROWS - 1) / TILE_ROWS;
            for (int64_t s = 0; s < segments; s++)
                one_segment(&at, s, segments);
        }
    }
}

#endif
