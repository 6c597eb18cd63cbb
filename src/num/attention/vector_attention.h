/* Attention over the paged cache, written over the vectors of num/scalar/<isa>_math.h   (C6)
 *
 * The file of an instruction set includes its vectors, defines CHAINS, the tiles that its registers
 * allow, and includes this body.  For one head of the cache, query rows (tokens x the query heads
 * of that head) are taken in blocks; a block walks over the pages in ascending order:
 *
 *     page of K  [head_dim][128]  --chain with q-->  scores [rows][128]
 *     scores  --softmax_chunk-->  weights [rows][128], M_c, l_c
 *     page of V  [128][value_dim] --chain with w-->  o_c [rows][value_dim]  --join-->  o, l, M
 *
 * Both products are the same loop (`chain`): a coefficient times a row of the page, added to a row
 * of results.  A register holds neighbouring columns of the page, and the loop runs down its rows,
 * which is the order that the rule asks for.  A page comes from memory once for all rows of a
 * block, and is asked for while the one before it is used.
 *
 * Positions outside a row's range get a score that nobody reads, and are never multiplied with V
 * (C6a).
 */
#ifndef IX_NUM_ATTENTION_VECTOR_ATTENTION_H
#define IX_NUM_ATTENTION_VECTOR_ATTENTION_H

#include "num/attention/kernels.h"

#include <string.h>

#define CHAIN_COUNT(rows, wide, narrow) +1
enum { CHAIN_ROWS_MAX = CHAINS(CHAIN_COUNT) };
#define CHAIN_STEP 32 /* rows of a page: 8 KiB of float16 where they are 128 long */
#define BLOCK_ROWS 64 /* query rows: their sums stay in the second cache beside a page */
#define COEF_STRIDE IX_PAGE
#define PAGE_VECTORS (IX_PAGE / VF_LANES)
#define SEGMENT 1024 /* C2: a longer head would be several chains */
#define T_LIMIT 0x1p30f
#define INFINITY_BITS 0x7f800000u
#define LOG2_E 0x1.715476p+0f
#define LOG2_E_F64 0x1.71547652b82fep+0

/* Row `i` of a page, `part` lanes of it (0: a whole vector). */
VF_INLINE vf page_load(bool half, const void *page, int64_t i, int64_t part)
{
    if (half) {
        const uint16_t *p = (const uint16_t *)page + i;
        return part ? vf_load_f16_n(p, part) : vf_load_f16(p);
    }
    const float *p = (const float *)page + i;
    return part ? vf_load_n(p, part) : vf_load(p);
}

/* out[r][.] = fma(coef[r][i], page[i * stride + .], out[r][.]), i ascending in [i0, i1), for `vecs`
 * vectors of columns, held in registers: rows, vecs and half are constants where this is inlined.
 * Rows of coefficients are COEF_STRIDE apart, so that one register finds them all.  The same
 * columns of the rows from `ahead` on, which are needed next, are called for. */
VF_INLINE void chain_tile(int rows, int vecs, bool half, int64_t part, const float *coef,
                          const void *page, int64_t stride, int64_t i0, int64_t i1,
                          float *const *out, int64_t col, const char *ahead)
{
    const int64_t item = half ? 2 : 4;
    vf acc[CHAIN_ROWS_MAX][8];
    VF_UNROLL
    for (int r = 0; r < rows; r++) {
        VF_UNROLL
        for (int v = 0; v < vecs; v++)
            acc[r][v] = vf_load(out[r] + col + v * VF_LANES);
    }
    for (int64_t i = i0; i < i1; i++) {
        int64_t at = i * stride + col;
        VF_UNROLL
        for (int64_t line = 0; line < vecs * VF_LANES * item; line += 64)
            __builtin_prefetch(ahead + ((i - i0) * stride + col) * item + line);
        if (vecs <= rows) {
            vf m[8];
            VF_UNROLL
            for (int v = 0; v < vecs; v++)
                m[v] = page_load(half, page, at + v * VF_LANES, part);
            VF_UNROLL
            for (int r = 0; r < rows; r++) {
                vf a = vf_set(coef[r * COEF_STRIDE + i]);
                VF_UNROLL
                for (int v = 0; v < vecs; v++)
                    acc[r][v] = vf_fma(a, m[v], acc[r][v]);
            }
        } else {
            vf a[CHAIN_ROWS_MAX];
            VF_UNROLL
            for (int r = 0; r < rows; r++)
                a[r] = vf_set(coef[r * COEF_STRIDE + i]);
            VF_UNROLL
            for (int v = 0; v < vecs; v++) {
                vf m = page_load(half, page, at + v * VF_LANES, part);
                VF_UNROLL
                for (int r = 0; r < rows; r++)
                    acc[r][v] = vf_fma(a[r], m, acc[r][v]);
            }
        }
    }
    VF_UNROLL
    for (int r = 0; r < rows; r++) {
        VF_UNROLL
        for (int v = 0; v < vecs; v++)
            vf_store(out[r] + col + v * VF_LANES, acc[r][v]);
    }
}

/* Rows [begin, until) and columns [left, right) of a page; coef has that of row 0.  Rows of `out`
 * have room for whole vectors.  A few rows of the page are finished before the next are read, so
 * that memory is read in order, and once; `next` is what will be read after this page. */
typedef void chain_function(const float *coef, const void *page, int64_t stride, int64_t begin,
                            int64_t until, float *const *out, int64_t left, int64_t right,
                            const void *next);

#define CHAIN(name, rows, wide, narrow, half)                                                      \
    static void name(const float *coef, const void *page, int64_t stride, int64_t begin,           \
                     int64_t until, float *const *out, int64_t left, int64_t right,                \
                     const void *next)                                                             \
    {                                                                                              \
        for (int64_t i0 = begin; i0 < until; i0 += CHAIN_STEP) {                                   \
            int64_t i1 = until - i0 < CHAIN_STEP ? until : i0 + CHAIN_STEP, col = left;            \
            const char *ahead = i1 < until ? (const char *)page + i1 * stride * ((half) ? 2 : 4)   \
                                           : (const char *)next;                                   \
            for (; col + (wide)*VF_LANES <= right; col += (wide)*VF_LANES)                         \
                chain_tile(rows, wide, half, 0, coef, page, stride, i0, i1, out, col, ahead);      \
            for (; col + (narrow)*VF_LANES <= right; col += (narrow)*VF_LANES)                     \
                chain_tile(rows, narrow, half, 0, coef, page, stride, i0, i1, out, col, ahead);    \
            for (; col + VF_LANES <= right; col += VF_LANES)                                       \
                chain_tile(rows, 1, half, 0, coef, page, stride, i0, i1, out, col, ahead);         \
            if (col < right)                                                                       \
                chain_tile(rows, 1, half, right - col, coef, page, stride, i0, i1, out, col,       \
                           ahead);                                                                 \
        }                                                                                          \
    }
#define CHAIN_DEFINE(rows, wide, narrow)                                                           \
    CHAIN(chain_f32_##rows, rows, wide, narrow, false)                                             \
    CHAIN(chain_f16_##rows, rows, wide, narrow, true)
#define CHAIN_F32(rows, wide, narrow) chain_f32_##rows,
#define CHAIN_F16(rows, wide, narrow) chain_f16_##rows,

CHAINS(CHAIN_DEFINE)

/* chain[half][rows] */
static chain_function *const chain[2][CHAIN_ROWS_MAX + 1] = {
    { NULL, CHAINS(CHAIN_F32) },
    { NULL, CHAINS(CHAIN_F16) },
};

/* One query row: what it may see, and its sums over the chunks so far. */
typedef struct query_row {
    float *out;
    int64_t head;
    int64_t lo, hi; /* positions lo <= p < hi */
    float *o;       /* [value_dim] */
    float l, m;     /* m: the exponent that o and l are relative to */
    bool any;       /* a chunk was joined */
    bool nan;       /* a score was NaN or +inf */
} query_row;

/* One row in one chunk. */
typedef struct chunk_row {
    query_row *row;
    float *s;       /* [128] scores, then weights; the next row's follow */
    float *o;       /* [value_dim] */
    int64_t lo, hi; /* within the chunk */
    float l, m;
    bool holes; /* some positions in [lo, hi) are masked: live says which are not */
    uint32_t live[4];
} chunk_row;

/* What is constant during a call. */
typedef struct attention_call {
    const ix_attention_job *job;
    bool half;
    int64_t group;           /* query heads per head of the cache */
    int64_t stride;          /* of rows of o in the scratch */
    int64_t rows_max;        /* of a block */
    float scale, scale_log2; /* C6: s = mul(scale, q.k), t = mul(scale_log2, q.k) */
} attention_call;

/* Scores q.k of one chunk to t of C6 (in place), for one row. */
VF_INLINE vf finish_score(const attention_call *call, vf score)
{
    float cap = call->job->softcap;
    if (cap == 0.0f)
        return vf_mul(score, vf_set(call->scale_log2));
    vf s = vf_mul(score, vf_set(call->scale));
    s = vf_mul(vf_set(cap), vf_tanh(vf_div(s, vf_set(cap))));
    return vf_mul(s, vf_set(LOG2_E));
}

/* Where some score is infinite, NaN or beyond the clamp: what softmax_chunk() left open. */
static bool mask_scores(chunk_row *c, int64_t first, int64_t end, vm *live, vf *largest)
{
    const vf limit = vf_set(T_LIMIT), infinity = vf_of_bits(vi_set(INFINITY_BITS));
    int64_t live_count = 0;
    *largest = vf_negative(infinity);
    memset(c->live, 0, sizeof c->live);
    for (int64_t i = first; i < end; i++) {
        vm range = live[i];
        vf t = vf_load(c->s + i * VF_LANES);
        vm fine = vf_less(t, infinity); /* neither NaN nor +inf */
        if ((vm_bits(fine) & vm_bits(range)) != vm_bits(range)) {
            c->row->nan = true;
            return false;
        }
        live[i] = vm_and(range, vf_less(vf_negative(infinity), t));
        uint32_t bits = vm_bits(live[i]);
        c->live[i * VF_LANES / 32] |= bits << (i * VF_LANES % 32);
        live_count += __builtin_popcount(bits);
        t = vf_select(vf_less(limit, t), limit, t);
        t = vf_select(vf_less(t, vf_negative(limit)), vf_negative(limit), t);
        vf_store(c->s + i * VF_LANES, t);
        *largest = vf_max(*largest, vf_select(live[i], vf_rhe(t), vf_negative(infinity)));
    }
    c->holes = live_count != c->hi - c->lo;
    return live_count != 0;
}

/* Scores to weights: sets s, l, m and which positions are live.  False where the chunk has no live
 * position or the row becomes NaN: then nothing is to be joined. */
static bool softmax_chunk(const attention_call *call, chunk_row *c)
{
    const vf limit = vf_set(T_LIMIT), none = vf_set(0.0f);
    const vm all = vm_of_range(0, VF_LANES);
    int64_t first = c->lo / VF_LANES, end = (c->hi + VF_LANES - 1) / VF_LANES;
    vm live[PAGE_VECTORS], ordinary = all;
    vf largest = vf_negative(limit);
    c->holes = false;
    for (int64_t i = first; i < end; i++) {
        bool inner = i > first && i + 1 < end;
        live[i] = inner ? all : vm_of_range(c->lo - i * VF_LANES, c->hi - i * VF_LANES);
        vf t = finish_score(call, vf_load(c->s + i * VF_LANES));
        vf_store(c->s + i * VF_LANES, t);
        t = vf_select(live[i], t, none);
        ordinary = vm_and(ordinary, vm_and(vf_less(vf_negative(limit), t), vf_less(t, limit)));
        largest = vf_max(largest, vf_select(live[i], vf_rhe(t), vf_negative(limit)));
    }
    if (vm_bits(ordinary) != vm_bits(all) && !mask_scores(c, first, end, live, &largest))
        return false;
    c->m = vf_largest(largest);

    vf lanes[32 / VF_LANES], m = vf_set(c->m), lowest = vf_set(-64.0f);
    for (int j = 0; j < 32 / VF_LANES; j++)
        lanes[j] = vf_set(0.0f);
    for (int64_t i = first; i < end; i++) {
        vf t = vf_load(c->s + i * VF_LANES), n = vf_rhe(t), d = vf_sub(n, m);
        vm counts = vm_and(live[i], vf_less_equal(lowest, d));
        vf power = vf_power_of_two(vf_select(counts, d, lowest));
        vf w = vf_select(counts, vf_mul(vf_exp2_fraction(vf_sub(t, n)), power), vf_set(0.0f));
        vf_store(c->s + i * VF_LANES, w);
        int64_t j = i % (32 / VF_LANES);
        lanes[j] = vf_add(lanes[j], w);
    }
    c->l = vf_fold_32(lanes);
    return true;
}

/* o_c of one row over its live positions in [lo, hi). */
static void sum_values_row(const attention_call *call, chunk_row *c, const void *page, int64_t lo,
                           int64_t hi)
{
    int64_t dim = call->job->cache.value_dim;
    chain_function *add = chain[call->half][1];
    if (!c->holes) {
        add(c->s, page, dim, lo, hi, &c->o, 0, dim, page);
        return;
    }
    for (int64_t i = lo; i < hi; i++)
        if (c->live[i / 32] >> (i % 32) & 1)
            add(c->s, page, dim, i, i + 1, &c->o, 0, dim, page);
}

/* o_c of a tile of rows.  What all rows see goes through one loop; each row's own positions before
 * and after it are added before and after. */
static void sum_values(const attention_call *call, chunk_row *tile, int rows, const void *page,
                       const void *next)
{
    int64_t dim = call->job->cache.value_dim, lo = 0, hi = IX_PAGE;
    bool holes = false;
    float *o[CHAIN_ROWS_MAX];
    for (int r = 0; r < rows; r++) {
        chunk_row *c = &tile[r];
        memset(c->o, 0, (size_t)call->stride * sizeof *c->o);
        holes = holes || c->holes;
        lo = c->lo > lo ? c->lo : lo;
        hi = c->hi < hi ? c->hi : hi;
        o[r] = c->o;
    }
    if (holes || lo >= hi) {
        for (int r = 0; r < rows; r++)
            sum_values_row(call, &tile[r], page, tile[r].lo, tile[r].hi);
        return;
    }
    for (int r = 0; r < rows; r++)
        if (tile[r].lo < lo)
            sum_values_row(call, &tile[r], page, tile[r].lo, lo);
    chain[call->half][rows](tile->s, page, dim, lo, hi, o, 0, dim, next);
    for (int r = 0; r < rows; r++)
        if (hi < tile[r].hi)
            sum_values_row(call, &tile[r], page, hi, tile[r].hi);
}

/* 2^d for an integer d <= 0, +0 below 2^-126. */
VF_INLINE float power_of_two(float d)
{
    return d < -126.0f ? 0.0f : ix_float((uint32_t)((int32_t)d + 127) << 23);
}

/* The first chunk becomes the state. */
static void join(const attention_call *call, const chunk_row *c)
{
    query_row *row = c->row;
    if (!row->any) {
        memcpy(row->o, c->o, (size_t)call->stride * sizeof *row->o);
        row->l = c->l;
        row->m = c->m;
        row->any = true;
        return;
    }
    float m = row->m > c->m ? row->m : c->m;
    float alpha = power_of_two(row->m - m), beta = power_of_two(c->m - m);
    vf a = vf_set(alpha), b = vf_set(beta);
    for (int64_t i = 0; i < call->stride; i += VF_LANES)
        vf_store(row->o + i, vf_fma(vf_load(row->o + i), a, vf_mul(vf_load(c->o + i), b)));
    row->l = float_fma(row->l, alpha, c->l * beta);
    row->m = m;
}

/* Scores of a tile: q.k of C6, for all positions that some row sees. */
static void score_tile(const attention_call *call, chunk_row *tile, int rows, const float *q,
                       const uint8_t *k_page, const void *next)
{
    int64_t lo = IX_PAGE, hi = 0, dim = call->job->cache.head_dim;
    float *s[CHAIN_ROWS_MAX];
    for (int r = 0; r < rows; r++) {
        s[r] = tile[r].s;
        lo = tile[r].lo < lo ? tile[r].lo : lo;
        hi = tile[r].hi > hi ? tile[r].hi : hi;
    }
    lo = lo / VF_LANES * VF_LANES; /* the page has whole vectors */
    hi = (hi + VF_LANES - 1) / VF_LANES * VF_LANES;
    for (int r = 0; r < rows; r++)
        memset(s[r] + lo, 0, (size_t)(hi - lo) * sizeof(float));
    for (int64_t i = 0; i < dim; i += COEF_STRIDE) {
        int64_t n = dim - i < COEF_STRIDE ? dim - i : COEF_STRIDE;
        const uint8_t *part = k_page + (size_t)(i * IX_PAGE) * (call->half ? 2 : 4);
        chain[call->half][rows](q + i * call->rows_max, part, IX_PAGE, 0, n, s, lo, hi,
                                i + n < dim ? part + (size_t)(n * IX_PAGE) * (call->half ? 2 : 4)
                                            : next);
    }
}

/* One chunk for up to CHAIN_ROWS_MAX rows, whose q follow each other. */
static void attend_tile(const attention_call *call, chunk_row *tile, int rows, const float *q,
                        const void *k_page, const void *v_page, const void *next_k)
{
    score_tile(call, tile, rows, q, k_page, v_page);
    int kept = 0;
    float *weights = tile->s;
    for (int r = 0; r < rows; r++) {
        if (!softmax_chunk(call, &tile[r]))
            continue;
        if (kept < r) { /* weights of rows follow each other, too */
            tile[kept] = tile[r];
            tile[kept].s = weights + kept * COEF_STRIDE;
            memcpy(tile[kept].s, weights + r * COEF_STRIDE, COEF_STRIDE * sizeof(float));
        }
        kept++;
    }
    if (kept == 0)
        return;
    sum_values(call, tile, kept, v_page, next_k);
    for (int r = 0; r < kept; r++)
        join(call, &tile[r]);
}

/* All chunks for a block of rows that share a sequence and a head of the cache.  `q` is what
 * keep_query wrote, `scratch`: see scratch_bytes. */
static void attend_block(const attention_call *call, query_row *rows, int count, int32_t sequence,
                         int64_t kv_head, const float *q, float *scratch)
{
    const ix_cache_view *cache = &call->job->cache;
    size_t item = call->half ? 2 : 4;
    size_t k_offset = (size_t)(kv_head * cache->head_dim * IX_PAGE) * item;
    size_t v_offset = (size_t)(kv_head * cache->value_dim * IX_PAGE) * item;
    const int32_t *pages = cache->page_table + sequence * cache->page_table_stride;
    float *scores = scratch, *chunk_o = scratch + CHAIN_ROWS_MAX * IX_PAGE;
    int64_t lo = INT64_MAX, hi = 0;
    for (int r = 0; r < count; r++) {
        if (rows[r].lo < rows[r].hi) {
            lo = rows[r].lo < lo ? rows[r].lo : lo;
            hi = rows[r].hi > hi ? rows[r].hi : hi;
        }
    }
    for (int64_t start = lo < hi ? lo / IX_PAGE * IX_PAGE : hi; start < hi; start += IX_PAGE) {
        int seen[BLOCK_ROWS], active = 0;
        for (int r = 0; r < count; r++)
            if (!rows[r].nan && rows[r].lo < start + IX_PAGE && rows[r].hi > start &&
                rows[r].lo < rows[r].hi)
                seen[active++] = r;
        size_t page = (size_t)pages[start / IX_PAGE];
        const uint8_t *k_page = cache->k + page * cache->k_page_bytes + k_offset;
        const uint8_t *v_page = cache->v + page * cache->v_page_bytes + v_offset;
        const uint8_t *next_k = k_page;
        if (start + IX_PAGE < hi)
            next_k = cache->k + (size_t)pages[start / IX_PAGE + 1] * cache->k_page_bytes + k_offset;
        for (int done = 0; done < active;) {
            int left = active - done, tiles = (left + CHAIN_ROWS_MAX - 1) / CHAIN_ROWS_MAX;
            int most = (left + tiles - 1) / tiles; /* tiles of about equal size */
            int first = seen[done], size = 0;
            chunk_row tile[CHAIN_ROWS_MAX];
            for (int r = 0; r < most && seen[done + r] == first + r; r++, size++) {
                query_row *row = &rows[first + r];
                tile[r] = (chunk_row){
                    .row = row,
                    .s = scores + r * IX_PAGE,
                    .o = chunk_o + r * call->stride,
                    .lo = row->lo > start ? row->lo - start : 0,
                    .hi = row->hi - start < IX_PAGE ? row->hi - start : IX_PAGE,
                };
            }
            attend_tile(call, tile, size, q + first * COEF_STRIDE, k_page, v_page,
                        done + size == active ? next_k : k_page);
            done += size;
        }
    }
}

/* The state before the first chunk: nothing, or the sink, which has weight and no value. */
static void begin_row(const attention_call *call, query_row *row)
{
    memset(row->o, 0, (size_t)call->stride * sizeof *row->o);
    row->l = 0.0f;
    row->m = 0.0f;
    row->any = row->nan = false;
    if (!call->job->sinks)
        return;
    float t = call->job->sinks[row->head] * LOG2_E;
    row->nan = ix_is_nan(t) || t == ix_float(INFINITY_BITS);
    if (row->nan || t == -ix_float(INFINITY_BITS))
        return;
    t = t > T_LIMIT ? T_LIMIT : t < -T_LIMIT ? -T_LIMIT : t;
    row->m = ix_rhe(t);
    row->l = ix_exp2_fraction(t - row->m);
    row->any = true;
}

static void finish_row(const attention_call *call, const query_row *row)
{
    int64_t dim = call->job->cache.value_dim;
    vf factor = vf_set(row->nan ? ix_float(IX_F32_NAN_BITS) : row->any ? 1.0f / row->l : 0.0f);
    for (int64_t i = 0; i < dim; i += VF_LANES) {
        vf y = vf_canonical(vf_add(vf_mul(vf_load(row->o + i), factor), vf_set(0.0f)));
        vf_store_part(row->out + i, y, dim - i);
    }
}

/* Row `row` of q to its place in [parts of 128 dimensions][rows_max][128]. */
static void keep_query(const attention_call *call, const float *from, int row, float *q)
{
    int64_t dim = call->job->cache.head_dim;
    for (int64_t i = 0; i < dim; i += COEF_STRIDE) {
        int64_t n = dim - i < COEF_STRIDE ? dim - i : COEF_STRIDE;
        memcpy(q + i * call->rows_max + row * COEF_STRIDE, from + i, (size_t)n * sizeof *q);
    }
}

static int64_t block_rows(const ix_attention_job *job, int64_t tokens)
{
    int64_t rows = tokens * (job->heads / job->cache.kv_heads);
    return rows < BLOCK_ROWS ? rows : BLOCK_ROWS;
}

static int64_t scratch_stride(const ix_attention_job *job)
{
    return (job->cache.value_dim + 15) / 16 * 16;
}

/* Scores and o of a tile; o and q of a block. */
static size_t scratch_bytes(const ix_attention_job *job, int64_t tokens)
{
    int64_t rows = block_rows(job, tokens);
    int64_t parts = (job->cache.head_dim + COEF_STRIDE - 1) / COEF_STRIDE;
    int64_t floats = CHAIN_ROWS_MAX * IX_PAGE + (CHAIN_ROWS_MAX + rows) * scratch_stride(job) +
                     parts * rows * COEF_STRIDE;
    return (size_t)floats * sizeof(float);
}

static void run(const ix_attention_job *job, int64_t token0, int64_t token1, int64_t kv0,
                int64_t kv1, void *scratch)
{
    const ix_cache_view *cache = &job->cache;
    if (cache->head_dim > SEGMENT) {
        ix_attention_ref.run(job, token0, token1, kv0, kv1, scratch);
        return;
    }
    attention_call call = {
        .job = job,
        .half = cache->type == IX_TYPE_F16,
        .group = job->heads / cache->kv_heads,
        .stride = scratch_stride(job),
        .rows_max = block_rows(job, token1 - token0),
        .scale = (float)job->scale,
        .scale_log2 = (float)(job->scale * LOG2_E_F64),
    };
    float *sums = (float *)scratch + CHAIN_ROWS_MAX * (IX_PAGE + call.stride);
    float *q = sums + call.rows_max * call.stride;
    query_row rows[BLOCK_ROWS];
    for (int64_t kv = kv0; kv < kv1; kv++) {
        int64_t end = token1 * call.group;
        for (int64_t next = token0 * call.group; next < end;) {
            int32_t sequence = job->sequence[next / call.group];
            int count = 0;
            for (; next < end && count < BLOCK_ROWS; next++, count++) {
                int64_t token = next / call.group, position = job->position[token];
                if (job->sequence[token] != sequence)
                    break;
                query_row *row = &rows[count];
                row->head = kv * call.group + next % call.group;
                keep_query(&call, job->q + (token * job->heads + row->head) * cache->head_dim,
                           count, q);
                row->out = job->out + (token * job->heads + row->head) * cache->value_dim;
                row->o = sums + count * call.stride;
                row->hi = position + 1;
                row->lo = job->window > 0 && row->hi > job->window ? row->hi - job->window : 0;
                begin_row(&call, row);
            }
            attend_block(&call, rows, count, sequence, kv, q, scratch);
            for (int r = 0; r < count; r++)
                finish_row(&call, &rows[r]);
        }
    }
}

/* Writing to the cache (C12): columns of K, rows of V.  K has an element of neighbouring positions
 * side by side, so that a line of the cache is written once for up to STORE_ROWS of them. */
#define STORE_ROWS 16
#define AHEAD 64 /* elements of K whose lines are asked for while others are written */

/* `rows` positions from `at` on, in one page. */
static void store_keys(const ix_cache_view *c, const float *k, uint8_t *page, int64_t at,
                       int64_t rows)
{
    const int64_t keys = c->kv_heads * c->head_dim;
    const int64_t line = IX_PAGE * (c->type == IX_TYPE_F16 ? 2 : 4);
    for (int64_t i = 0; i < keys; i += VF_LANES) {
        int64_t n = keys - i < VF_LANES ? keys - i : VF_LANES;
        for (int64_t j = AHEAD; j < AHEAD + VF_LANES; j++) /* every element has a line of its own */
            __builtin_prefetch(page + (i + j) * line + at * line / IX_PAGE, 1, 3);
        if (c->type == IX_TYPE_F16) {
            uint16_t part[STORE_ROWS][VF_LANES], *to = (uint16_t *)(void *)page + i * IX_PAGE + at;
            for (int64_t r = 0; r < rows; r++)
                vf_store_f16(part[r], vf_canonical(vf_load_part(k + r * keys + i, n)));
            for (int64_t j = 0; j < n; j++, to += IX_PAGE) {
                for (int64_t r = 0; r < rows; r++)
                    to[r] = part[r][j];
            }
        } else {
            float part[STORE_ROWS][VF_LANES], *to = (float *)(void *)page + i * IX_PAGE + at;
            for (int64_t r = 0; r < rows; r++)
                vf_store(part[r], vf_canonical(vf_load_part(k + r * keys + i, n)));
            for (int64_t j = 0; j < n; j++, to += IX_PAGE) {
                for (int64_t r = 0; r < rows; r++)
                    to[r] = part[r][j];
            }
        }
    }
}

static void store_values(const ix_cache_view *c, const float *v, uint8_t *page, int64_t at)
{
    for (int64_t h = 0; h < c->kv_heads; h++) {
        int64_t row = (h * IX_PAGE + at) * c->value_dim;
        for (int64_t i = 0; i < c->value_dim; i += VF_LANES) {
            int64_t n = c->value_dim - i;
            vf x = vf_canonical(vf_load_part(v + h * c->value_dim + i, n));
            if (c->type == IX_TYPE_F16)
                vf_store_f16_part((uint16_t *)(void *)page + row + i, x, n);
            else
                vf_store_part((float *)(void *)page + row + i, x, n);
        }
    }
}

static void store(const ix_cache_view *c, const float *k, const float *v, int32_t sequence,
                  int32_t position, int64_t rows)
{
    for (int64_t n; rows > 0; rows -= n, position += (int32_t)n) {
        size_t page = (size_t)c->page_table[sequence * c->page_table_stride + position / IX_PAGE];
        int64_t at = position % IX_PAGE;
        n = rows < STORE_ROWS ? rows : STORE_ROWS;
        n = n < IX_PAGE - at ? n : IX_PAGE - at;
        store_keys(c, k, c->k + page * c->k_page_bytes, at, n);
        for (int64_t r = 0; r < n; r++, v += c->kv_heads * c->value_dim)
            store_values(c, v, c->v + page * c->v_page_bytes, at + r);
        k += n * c->kv_heads * c->head_dim;
    }
}

#endif
