/* Attention, the definition (rules C6, C6a, C11, C12).
 *
 * For one query row and one head, keys are taken in chunks of 128 positions, ascending; a chunk is
 * a page of the cache.  A state (M, l, o) stands for the sum so far:
 *
 *     chunk:   M_c = max n     l_c = sum of w     o_c = sum of w * v      w = P(t - n) * 2^(n -
 * M_c) join:    M = max(M, M_c), both sides scaled by a power of two, which is exact
 *
 * A masked key is never read into a sum; a chunk without keys changes nothing.  This file reads
 * every value through the page table and keeps nothing from one query to the next.
 */
#include "num/attention/kernels.h"
#include "num/scalar/scalar.h"

#include <stdbool.h>

#define LANES 32
#define SEGMENT 1024
#define T_LIMIT 0x1p30f
static const float LOG2_E = 0x1.715476p+0f;
static const double LOG2_E_F64 = 0x1.71547652b82fep+0;

/* ---- the cache ------------------------------------------------------------------------------- */

/* Index of k[kv][i][slot] in a page of K, and of v[kv][slot][i] in a page of V. */
static int64_t k_index(const ix_cache_view *c, int64_t kv, int64_t i, int64_t slot)
{
    return (kv * c->head_dim + i) * IX_PAGE + slot;
}
static int64_t v_index(const ix_cache_view *c, int64_t kv, int64_t i, int64_t slot)
{
    return (kv * IX_PAGE + slot) * c->value_dim + i;
}

static uint8_t *page_of(const ix_cache_view *c, uint8_t *base, size_t page_bytes, int32_t sequence,
                        int64_t position)
{
    int32_t page = c->page_table[sequence * c->page_table_stride + position / IX_PAGE];
    return base + (size_t)page * page_bytes;
}

static float load(const ix_cache_view *c, const uint8_t *page, int64_t i)
{
    return c->type == IX_TYPE_F16 ? ix_f16_to_f32(((const uint16_t *)(const void *)page)[i])
                                  : ix_canonical(((const float *)(const void *)page)[i]);
}

static void put(const ix_cache_view *c, uint8_t *page, int64_t i, float x)
{
    if (c->type == IX_TYPE_F16)
        ((uint16_t *)(void *)page)[i] = ix_f32_to_f16(x);
    else
        ((float *)(void *)page)[i] = ix_canonical(x);
}

static void store_row(const ix_cache_view *c, const float *k, const float *v, int32_t sequence,
                      int32_t position)
{
    uint8_t *k_page = page_of(c, c->k, c->k_page_bytes, sequence, position);
    uint8_t *v_page = page_of(c, c->v, c->v_page_bytes, sequence, position);
    int64_t slot = position % IX_PAGE;
    for (int64_t kv = 0; kv < c->kv_heads; kv++) {
        for (int64_t i = 0; i < c->head_dim; i++)
            put(c, k_page, k_index(c, kv, i, slot), k[kv * c->head_dim + i]);
        for (int64_t i = 0; i < c->value_dim; i++)
            put(c, v_page, v_index(c, kv, i, slot), v[kv * c->value_dim + i]);
    }
}

static void store(const ix_cache_view *c, const float *k, const float *v, int32_t sequence,
                  int32_t position, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++)
        store_row(c, k + r * c->kv_heads * c->head_dim, v + r * c->kv_heads * c->value_dim,
                  sequence, position + (int32_t)r);
}

/* ---- one query row --------------------------------------------------------------------------- */

typedef struct {
    bool empty, nan;
    int32_t m; /* M: the largest n so far */
    float l;
    float *o, *o_c; /* [value_dim] each */
} state;

/* A score in units of log2: clamped, and split into a whole n and a power P(t - n). */
typedef struct {
    int32_t n;
    float power;
} score;

static score split(float t)
{
    if (t > T_LIMIT)
        t = T_LIMIT;
    if (t < -T_LIMIT)
        t = -T_LIMIT;
    float n = ix_rhe(t);
    return (score){ (int32_t)n, ix_exp2_fraction(t - n) };
}

/* T of C2 over the segments of q.k, without an array: depth 1024 * 2^j on the left. */
static float dot(const ix_cache_view *c, const uint8_t *page, const float *q, int64_t kv,
                 int64_t slot, int64_t begin, int64_t end)
{
    if (end - begin <= SEGMENT) {
        float acc = 0.0f;
        for (int64_t i = begin; i < end; i++)
            acc = ix_fma(q[i], load(c, page, k_index(c, kv, i, slot)), acc);
        return acc;
    }
    int64_t left = SEGMENT;
    while (left * 2 < end - begin)
        left *= 2;
    return dot(c, page, q, kv, slot, begin, begin + left) +
           dot(c, page, q, kv, slot, begin + left, end);
}

static float score_of(const ix_attention_job *job, float qk)
{
    if (job->softcap == 0.0f) {
        float c = (float)(job->scale * LOG2_E_F64);
        return c * qk;
    }
    float s = (float)job->scale * qk;
    s = job->softcap * ix_tanh(s / job->softcap);
    return s * LOG2_E;
}

/* Joins a chunk (m_c, l_c, st->o_c) to the state.  The first one becomes the state. */
static void join(state *st, int64_t dim, int32_t m_c, float l_c)
{
    if (st->empty) {
        st->empty = false;
        st->m = m_c;
        st->l = l_c;
        for (int64_t i = 0; i < dim; i++)
            st->o[i] = st->o_c[i];
        return;
    }
    int32_t m = st->m > m_c ? st->m : m_c;
    float alpha = ix_power_of_two(st->m - m), beta = ix_power_of_two(m_c - m);
    st->l = ix_fma(st->l, alpha, l_c * beta);
    for (int64_t i = 0; i < dim; i++)
        st->o[i] = ix_fma(st->o[i], alpha, st->o_c[i] * beta);
    st->m = m;
}

/* Positions [first, last] of one chunk, none of them masked by position. */
static void chunk(const ix_attention_job *job, state *st, const float *q, int32_t sequence,
                  int64_t kv, int64_t first, int64_t last)
{
    const ix_cache_view *c = &job->cache;
    const uint8_t *k_page = page_of(c, c->k, c->k_page_bytes, sequence, first);
    const uint8_t *v_page = page_of(c, c->v, c->v_page_bytes, sequence, first);
    score scores[IX_PAGE];
    bool seen[IX_PAGE] = { false }, any = false;
    int32_t m = 0;
    for (int64_t p = first; p <= last; p++) {
        int64_t slot = p % IX_PAGE;
        float t = score_of(job, dot(c, k_page, q, kv, slot, 0, c->head_dim));
        if (ix_is_nan(t) || ix_bits(t) == 0x7f800000u)
            st->nan = true;
        if (ix_is_nan(t) || ix_bits(t) == 0xff800000u)
            continue; /* -inf masks */
        scores[slot] = split(t);
        seen[slot] = true;
        m = !any || scores[slot].n > m ? scores[slot].n : m;
        any = true;
    }
    if (!any || st->nan)
        return;
    float lane[LANES] = { 0.0f };
    for (int64_t i = 0; i < c->value_dim; i++)
        st->o_c[i] = 0.0f;
    for (int64_t slot = 0; slot < IX_PAGE; slot++) {
        if (!seen[slot])
            continue;
        int64_t down = (int64_t)scores[slot].n - m;
        float w = down < -64 ? 0.0f : scores[slot].power * ix_power_of_two((int32_t)down);
        lane[slot % LANES] = lane[slot % LANES] + w;
        for (int64_t i = 0; i < c->value_dim; i++)
            st->o_c[i] = ix_fma(w, load(c, v_page, v_index(c, kv, i, slot)), st->o_c[i]);
    }
    for (int half = LANES / 2; half >= 1; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] = lane[i] + lane[i + half];
    join(st, c->value_dim, m, lane[0]);
}

/* A sink is a first chunk of one key without a value: o = 0. */
static void begin_with_sink(const ix_attention_job *job, state *st, float sink)
{
    float t = sink * LOG2_E;
    if (ix_is_nan(t) || ix_bits(t) == 0x7f800000u) {
        st->nan = true;
        return;
    }
    if (ix_bits(t) == 0xff800000u)
        return;
    score s = split(t);
    for (int64_t i = 0; i < job->cache.value_dim; i++)
        st->o_c[i] = 0.0f;
    join(st, job->cache.value_dim, s.n, s.power);
}

static void query_row(const ix_attention_job *job, int64_t token, int64_t head, float *scratch)
{
    const ix_cache_view *c = &job->cache;
    int64_t kv = head / (job->heads / c->kv_heads), dim = c->value_dim;
    const float *q = job->q + (token * job->heads + head) * c->head_dim;
    float *out = job->out + (token * job->heads + head) * dim;
    state st = { .empty = true, .o = scratch, .o_c = scratch + dim };
    if (job->sinks)
        begin_with_sink(job, &st, job->sinks[head]);
    int64_t last = job->position[token], first = 0;
    if (job->window > 0 && last - job->window + 1 > 0)
        first = last - job->window + 1;
    for (int64_t p = first; p <= last && !st.nan;) {
        int64_t end = (p / IX_PAGE + 1) * IX_PAGE - 1;
        end = end < last ? end : last;
        chunk(job, &st, q, job->sequence[token], kv, p, end);
        p = end + 1;
    }
    float r = st.empty ? 0.0f : 1.0f / st.l;
    for (int64_t i = 0; i < dim; i++)
        out[i] = st.nan ? ix_float(IX_F32_NAN_BITS) : st.empty ? 0.0f : ix_stored(st.o[i] * r);
}

static void run(const ix_attention_job *job, int64_t token0, int64_t token1, int64_t kv0,
                int64_t kv1, void *scratch)
{
    int64_t group = job->heads / job->cache.kv_heads;
    for (int64_t token = token0; token < token1; token++)
        for (int64_t head = kv0 * group; head < kv1 * group; head++)
            query_row(job, token, head, scratch);
}

static size_t scratch_bytes(const ix_attention_job *job, int64_t tokens)
{
    (void)tokens;
    return 2 * sizeof(float) * (size_t)job->cache.value_dim;
}

const ix_attention_kernels ix_attention_ref = {
    .isa = IX_ISA_REF,
    .name = "ix_attention_ref",
    .store = store,
    .run = run,
    .scratch_bytes = scratch_bytes,
};
