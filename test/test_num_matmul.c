/* num/matmul: every row of kernels.def against the reference row of its type, by memcmp.
 *
 * Products are generated: shapes with all tails, ordinary and extreme weights, activations with
 * every special value.  The packing and the product are cut into random ranges and rectangles;
 * inputs end at a page that cannot be read, so that a read beyond them crashes.  The reference
 * itself is compared with test/data/matmul, which tools/make_matmul_goldens.py computed from the
 * rule text.  INOX_TEST_LONG=1 generates eight times as many, and larger ones.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "test.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/os.h"
#include "base/thread.h"
#include "num/dequant/dequant.h"
#include "num/matmul/kernels.h"
#include "num/scalar/scalar.h"

#include <sys/mman.h>
#include <unistd.h>

/* ---- memory that ends where reading ends ----------------------------------------------------- */

typedef struct fence {
    void *map;
    size_t map_bytes;
    void *data;
} fence;

/* `bytes` (rounded up to a multiple of `align`) that end at a page without access. */
static fence fence_new(size_t bytes, size_t align)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (bytes + align - 1) / align * align;
    size_t room = size ? (size + page - 1) / page * page : page;
    fence f = { .map_bytes = room + page };
    f.map = mmap(NULL, f.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (f.map == MAP_FAILED || mprotect((char *)f.map + room, page, PROT_NONE) != 0) {
        fprintf(stderr, "test_num_matmul: no memory\n");
        exit(1);
    }
    f.data = (char *)f.map + room - size;
    return f;
}

static void fence_free(fence *f)
{
    if (f->map)
        munmap(f->map, f->map_bytes);
    *f = (fence){ 0 };
}

/* ---- generated products ---------------------------------------------------------------------- */

typedef struct product {
    ix_type type;
    int64_t rows, cols, depth, ldx, ldy;
    size_t row_bytes;
    fence w, x, bias, residual; /* residual as y: [rows][ldy] */
    float *y;                   /* the reference's, without bias and residual; [rows][ldy] */
} product;

enum { WEIGHTS_ORDINARY, WEIGHTS_ANY_BITS, WEIGHTS_EXTREME, WEIGHT_KINDS };

/* Byte positions of the f16 scales in a block, -1: none.  Other types have no f16 scale. */
static const struct {
    ix_type type;
    int d, m;
} SCALES[] = {
    { IX_TYPE_Q4_0, 0, -1 },    { IX_TYPE_Q4_1, 0, 2 },    { IX_TYPE_Q5_0, 0, -1 },
    { IX_TYPE_Q5_1, 0, 2 },     { IX_TYPE_Q8_0, 0, -1 },   { IX_TYPE_Q2_K, 80, 82 },
    { IX_TYPE_Q3_K, 108, -1 },  { IX_TYPE_Q4_K, 0, 2 },    { IX_TYPE_Q5_K, 0, 2 },
    { IX_TYPE_Q6_K, 208, -1 },  { IX_TYPE_IQ4_NL, 0, -1 }, { IX_TYPE_IQ4_XS, 0, -1 },
    { IX_TYPE_IQ2_XXS, 0, -1 }, { IX_TYPE_IQ2_XS, 0, -1 }, { IX_TYPE_IQ2_S, 0, -1 },
    { IX_TYPE_IQ3_XXS, 0, -1 }, { IX_TYPE_IQ3_S, 0, -1 },  { IX_TYPE_IQ1_S, 0, -1 },
    { IX_TYPE_TQ1_0, 52, -1 },  { IX_TYPE_TQ2_0, 64, -1 }, { IX_TYPE_Q1_0, 0, -1 },
    { IX_TYPE_Q2_0, 0, -1 },
};

static uint32_t below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((ix_test_random(state) >> 32) * n >> 32);
}

static void put_f16(uint8_t *p, uint32_t h)
{
    p[0] = (uint8_t)h;
    p[1] = (uint8_t)(h >> 8);
}

/* An f16 between 2^-12 and 2^2; `extreme`: now and then large, subnormal, zero, infinite or NaN. */
static uint32_t scale_f16(uint64_t *state, bool extreme)
{
    static const uint16_t EXTREME[] = { 0x7bff, 0xfbff, 0x0001, 0x8001, 0x03ff,
                                        0x0000, 0x8000, 0x7c00, 0xfc00, 0x7e01 };
    if (extreme && below(state, 40) == 0)
        return EXTREME[below(state, sizeof EXTREME / sizeof *EXTREME)];
    return below(state, 0x400) | (3 + below(state, 14)) << 10 | below(state, 2) << 15;
}

static void fill_scales(ix_type type, uint8_t *b, uint64_t *state, bool extreme)
{
    for (size_t i = 0; i < sizeof SCALES / sizeof *SCALES; i++) {
        if (SCALES[i].type == type) {
            put_f16(b + SCALES[i].d, scale_f16(state, extreme));
            if (SCALES[i].m >= 0)
                put_f16(b + SCALES[i].m, scale_f16(state, extreme));
        }
    }
    if (type == IX_TYPE_MXFP4)
        b[0] = (uint8_t)(extreme && below(state, 10) == 0 ? below(state, 256)
                                                          : 110 + below(state, 20));
    if (type == IX_TYPE_IQ1_M) /* the four highest bits of d: an exponent below infinity's */
        b[55] = (uint8_t)((b[55] & 0x8f) | below(state, 4) << 4);
}

/* Single floats: ordinary numbers; as bits of the type. */
static void fill_plain(ix_type type, uint8_t *b, uint64_t *state)
{
    uint32_t u =
        ix_bits(ix_test_random_float(state) * ix_power_of_two(4 - (int32_t)below(state, 10)));
    if (type == IX_TYPE_BF16)
        u >>= 16;
    else if (type == IX_TYPE_F16)
        u = ix_f32_to_f16(ix_float(u));
    for (uint32_t i = 0; i < ix_type_of(type)->block_bytes; i++)
        b[i] = (uint8_t)(u >> (8 * i));
}

static void fill_weights(product *p, int kind, uint64_t *state)
{
    static const uint8_t PATTERN[] = { 0x00, 0xff, 0x80, 0x7f, 0x81, 0x77,
                                       0x88, 0x08, 0xf0, 0x0f, 0x01, 0xaa };
    const ix_type_info *info = ix_type_of(p->type);
    size_t bytes = (size_t)p->cols * p->row_bytes;
    for (size_t at = 0; at < bytes; at += info->block_bytes) {
        uint8_t *b = (uint8_t *)p->w.data + at;
        if (info->block_elements == 1 && kind == WEIGHTS_ORDINARY) {
            fill_plain(p->type, b, state);
            continue;
        }
        bool uniform = below(state, 2) == 0;
        uint8_t one = PATTERN[below(state, sizeof PATTERN)];
        for (uint32_t i = 0; i < info->block_bytes; i++) {
            if (kind == WEIGHTS_EXTREME)
                b[i] = uniform ? one : PATTERN[below(state, sizeof PATTERN)];
            else
                b[i] = (uint8_t)(ix_test_random(state) >> 40);
        }
        if (kind != WEIGHTS_ANY_BITS)
            fill_scales(p->type, b, state, kind == WEIGHTS_EXTREME);
    }
}

/* Blocks whose largest magnitude is about the threshold of C3a, 2^-100. */
static void make_threshold(float *x, int64_t n, uint64_t *state)
{
    static const uint32_t TOP[] = { 0x0d7fffffu, 0x0d800000u, 0x0d800001u, 0x0d000000u };
    uint32_t top = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i % 32 == 0)
            top = TOP[below(state, 4)];
        uint32_t u = i % 32 == 5 ? top : below(state, top);
        x[i] = ix_float(u | below(state, 2) << 31);
    }
}

/* Special activations in place of ordinary ones. */
static void make_special(float *x, int64_t n, int kind, uint64_t *state)
{
    if (kind == 4) {
        make_threshold(x, n, state);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t r = (uint32_t)(ix_test_random(state) >> 32);
        switch (kind) {
        case 0: x[i] = r & 1 ? -0.0f : 0.0f; break;
        case 1: x[i] = 3.0f; break;                                      /* all integers 127 */
        case 2: x[i] = i & 1 ? -3.0f : 3.0f; break;                      /* 127 and -127 */
        case 3: x[i] = ix_float(r & 0x807fffffu); break;                 /* subnormal */
        case 5: x[i] = ix_float((r & 0x80ffffffu) | 0x7e800000u); break; /* huge */
        case 6: x[i] = (float)((int32_t)(r % 509) - 254) * 0.5f; break;  /* ties beside 127 */
        case 7: x[i] = ix_float(i == n / 2 ? 1 : 0); break; /* products that round to -0 */
        default: x[i] = ix_float(r); break;                              /* any bits */
        }
    }
    if (kind == 6 && n > 0)
        x[0] = 127.0f;
    if (kind == 5 && n > 0 && below(state, 2))
        x[below(state, (uint32_t)n)] =
            below(state, 2) ? ix_float(0x7f800000u) : ix_float(0xffc12345u);
}

static void fill_row(float *x, int64_t n, uint64_t *state)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = ix_float((uint32_t)(ix_test_random(state) >> 32 & 0x807fffffu) |
                        (118 + below(state, 12)) << 23);
    if (below(state, 3) == 0) /* half of the rows stay ordinary: a NaN hides what else is wrong */
        make_special(x, n, (int)below(state, 9), state);
    else if (below(state, 4) == 0) /* some blocks */
        for (int64_t i = 0; i < n; i += 256)
            if (below(state, 3) == 0)
                make_special(x + i, n - i < 256 ? n - i : 256, (int)below(state, 5), state);
}

static void run_whole(const product *p, const ix_matmul_kernel *k, float *y);

static product product_new(ix_type type, int64_t rows, int64_t cols, int64_t depth, int weights,
                           uint64_t *state)
{
    const ix_type_info *info = ix_type_of(type);
    product p = { .type = type, .rows = rows, .cols = cols, .depth = depth };
    p.ldx = depth + (int64_t)below(state, 5);
    p.ldy = cols + (int64_t)below(state, 7);
    p.row_bytes = (size_t)(depth / info->block_elements) * info->block_bytes;
    p.w = fence_new((size_t)cols * p.row_bytes, 1);
    p.x = fence_new(sizeof(float) * (size_t)((rows - 1) * p.ldx + depth), sizeof(float));
    p.bias = fence_new(sizeof(float) * (size_t)cols, sizeof(float));
    p.residual = fence_new(sizeof(float) * (size_t)(rows * p.ldy), sizeof(float));
    fill_weights(&p, weights, state);
    for (int64_t r = 0; r < rows; r++)
        fill_row((float *)p.x.data + r * p.ldx, depth, state);
    fill_row(p.bias.data, cols, state);
    for (int64_t r = 0; r < rows; r++)
        fill_row((float *)p.residual.data + r * p.ldy, p.ldy, state);
    p.y = calloc((size_t)(rows * p.ldy), sizeof *p.y);
    run_whole(&p, ix_matmul_find(type, IX_ISA_REF, false), p.y);
    return p;
}

static void product_free(product *p)
{
    fence_free(&p->w);
    fence_free(&p->x);
    fence_free(&p->bias);
    fence_free(&p->residual);
    free(p->y);
}

/* ---- running a kernel ------------------------------------------------------------------------ */

typedef struct packed {
    fence acts, panels, scratch;
    ix_matmul_job job;
} packed;

static void packed_free(packed *a)
{
    fence_free(&a->acts);
    fence_free(&a->panels);
    fence_free(&a->scratch);
}

/* Next cut after `at`: a multiple of `unit` steps on, or the end. */
static int64_t cut(int64_t at, int64_t end, int64_t unit, uint64_t *state)
{
    int64_t next = at + unit * (1 + (int64_t)below(state, 3));
    return state == NULL || next > end ? end : next;
}

/* state: cuts the rows into ranges, in two passes so that they are not ascending. */
static packed pack(const product *p, const ix_matmul_kernel *k, uint64_t *state)
{
    packed a = { .job = { .rows = p->rows, .cols = p->cols, .depth = p->depth, .weights = p->w.data,
                          .weight_row_bytes = p->row_bytes, .ldy = p->ldy } };
    size_t scratch = k->scratch_bytes ? k->scratch_bytes(p->depth) : 0;
    a.acts = fence_new(k->acts_bytes(p->rows, p->depth), 64);
    a.scratch = fence_new(scratch, 64);
    memset(a.scratch.data, 0xff, scratch);
    a.job.acts = a.acts.data;
    for (int pass = 0; pass < 2; pass++) {
        uint64_t cuts = state ? *state : 0;
        int turn = 0;
        for (int64_t r = 0, next; r < p->rows; r = next, turn++) {
            next = state ? cut(r, p->rows, k->row_tile, &cuts) : p->rows;
            if (turn % 2 != pass)
                k->pack_acts(p->x.data, p->ldx, p->rows, r, next, p->depth, a.acts.data);
        }
    }
    if (k->panel_bytes) {
        size_t panel = k->panel_bytes(p->depth);
        int64_t panels = (p->cols + IX_PANEL_COLS - 1) / IX_PANEL_COLS;
        a.panels = fence_new((size_t)panels * panel, 64);
        memset(a.panels.data, 0xff, (size_t)panels * panel);
        for (int64_t c = panels - 1; c >= 0; c--) {
            int64_t left = p->cols - c * IX_PANEL_COLS;
            k->pack_panel((uint8_t *)p->w.data + (size_t)(c * IX_PANEL_COLS) * p->row_bytes,
                          p->row_bytes, left < IX_PANEL_COLS ? left : IX_PANEL_COLS, p->depth,
                          (uint8_t *)a.panels.data + (size_t)c * panel);
        }
        a.job.weights = a.panels.data;
    }
    return a;
}

static void run_whole(const product *p, const ix_matmul_kernel *k, float *y)
{
    packed a = pack(p, k, NULL);
    a.job.y = y;
    k->run(&a.job, 0, p->rows, 0, p->cols, a.scratch.data);
    packed_free(&a);
}

static void run_cut(const product *p, const ix_matmul_kernel *k, packed *a, uint64_t *state)
{
    for (int64_t r = 0, next_r; r < p->rows; r = next_r) {
        next_r = cut(r, p->rows, k->row_tile, state);
        for (int64_t c = 0, next_c; c < p->cols; c = next_c) {
            next_c = cut(c, p->cols, IX_PANEL_COLS, state);
            k->run(&a->job, r, next_r, c, next_c, a->scratch.data);
        }
    }
}

/* How bias and residual are given. */
enum { PLAIN, WITH_BIAS, WITH_RESIDUAL, WITH_BOTH, IN_PLACE, EPILOGUES };

static float expected(const product *p, int epilogue, int64_t r, int64_t c)
{
    const float *bias = p->bias.data, *residual = p->residual.data;
    float v = p->y[r * p->ldy + c];
    if (epilogue == WITH_BIAS || epilogue == WITH_BOTH)
        v = v + bias[c];
    if (epilogue >= WITH_RESIDUAL)
        v = v + residual[r * p->ldy + c];
    return ix_canonical(v);
}

static void compare_rows(ix_test *t, const product *p, const ix_matmul_kernel *k, int epilogue,
                         uint64_t *state)
{
    static const uint32_t UNTOUCHED = 0x7fc0beefu;
    size_t count = (size_t)(p->rows * p->ldy);
    fence y = fence_new(count * sizeof(float), sizeof(float));
    float *out = y.data;
    for (size_t i = 0; i < count; i++)
        out[i] = ix_float(UNTOUCHED);
    packed a = pack(p, k, state);
    a.job.y = out;
    if (epilogue == WITH_BIAS || epilogue == WITH_BOTH)
        a.job.bias = p->bias.data;
    if (epilogue == WITH_RESIDUAL || epilogue == WITH_BOTH)
        a.job.residual = p->residual.data;
    if (epilogue == IN_PLACE) {
        for (int64_t r = 0; r < p->rows; r++)
            memcpy(out + r * p->ldy, (float *)p->residual.data + r * p->ldy,
                   sizeof(float) * (size_t)p->cols);
        a.job.residual = out;
    }
    run_cut(p, k, &a, state);
    int64_t wrong = 0, first = -1;
    for (int64_t i = 0; i < (int64_t)count; i++) {
        int64_t r = i / p->ldy, c = i % p->ldy;
        uint32_t want = c < p->cols ? ix_bits(expected(p, epilogue, r, c)) : UNTOUCHED;
        if (ix_bits(out[i]) != want && wrong++ == 0)
            first = i;
    }
    t->checks += count - 1;
    CHECK_MSG(wrong == 0,
              "%s: rows %lld cols %lld depth %lld epilogue %d: %lld wrong, first [%lld][%lld] = "
              "%08x, not %08x",
              k->name, (long long)p->rows, (long long)p->cols, (long long)p->depth, epilogue,
              (long long)wrong, (long long)(first / p->ldy), (long long)(first % p->ldy),
              first < 0 ? 0 : ix_bits(out[first]),
              first < 0 ? 0 : ix_bits(expected(p, epilogue, first / p->ldy, first % p->ldy)));
    packed_free(&a);
    fence_free(&y);
}

/* ---- the generated test of one type ---------------------------------------------------------- */

static int64_t depth_of_case(ix_type type, int i, uint64_t *state)
{
    static const int16_t FLOATS[] = { 1,    2,    3,    15,   17,   31,   64,
                                      1023, 1024, 1025, 2500, 3073, 7173, 15361 };
    static const int16_t BLOCKS[] = { 0, 1024, 2048, 3072, 4096, 7168, 14336 }; /* and more */
    const ix_type_info *info = ix_type_of(type);
    if (info->block_elements == 1)
        return i % 3 == 2 ? 1 + (int64_t)below(state, 2600)
                          : FLOATS[(size_t)i % (sizeof FLOATS / sizeof *FLOATS)];
    int64_t more = (int64_t)info->block_elements * (int64_t)below(state, 8);
    int64_t depth = BLOCKS[(size_t)i % (sizeof BLOCKS / sizeof *BLOCKS)] + more;
    return depth > 0 ? depth : info->block_elements;
}

static bool tests_are_long(void)
{
    const char *s = getenv("INOX_TEST_LONG");
    return s && *s && strcmp(s, "0") != 0;
}

static void compare_type(ix_test *t, ix_type type)
{
    int count, cases = tests_are_long() ? 300 : 36;
    const ix_matmul_kernel *const *rows = ix_matmul_kernels(&count);
    bool integer = ix_type_of(type)->activation_block != 0;
    int64_t macs_max = (integer ? 2000000 : 250000) * (tests_are_long() ? 2 : 1);
    uint64_t state = 100 + (uint64_t)type;
    if (!ix_matmul_find(type, IX_ISA_REF, false)) {
        CHECK(!ix_matmul_find(type, IX_ISA_AVX512VNNI, false));
        return;
    }
    for (int i = 0; i < cases; i++) {
        int64_t depth = depth_of_case(type, i, &state);
        int64_t r = 1 + i * 7 % 40, c = 1 + (int64_t)below(&state, 70);
        while (r * c * depth > macs_max) { /* the reference is slow */
            int64_t *side = c == 1 || (r > 1 && below(&state, 2)) ? &r : &c;
            *side -= 1;
        }
        product p = product_new(type, r, c, depth, (int)below(&state, 4) % WEIGHT_KINDS, &state);
        for (int k = 0; k < count; k++)
            if (rows[k]->type == type && ix_isa_present(rows[k]->isa))
                for (int e = i % 2; e < EPILOGUES; e += rows[k]->isa == IX_ISA_REF ? 4 : 2)
                    compare_rows(t, &p, rows[k], e, &state);
        product_free(&p);
    }
}

#define IX_TYPE(name, ggml, elements, bytes, activations)                                          \
    TEST(num_matmul_##name)                                                                        \
    {                                                                                              \
        ix_fpenv env = ix_fpenv_enter();                                                           \
        compare_type(t, IX_TYPE_##name);                                                           \
        ix_fpenv_leave(env);                                                                       \
    }
#include "num/types.def"
#undef IX_TYPE

/* ---- the reference against numbers made from the rule text ----------------------------------- */

static uint32_t u32_at(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v |= (uint32_t)(uint8_t)p[i] << (8 * i);
    return v;
}

static void compare_golden(ix_test *t, ix_type type, const float *x, int64_t rows, int64_t ldx)
{
    char path[64] = "data/matmul/";
    size_t at = strlen(path);
    for (const char *s = ix_type_of(type)->name; *s; s++)
        path[at++] = (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s);
    memcpy(path + at, ".bin", 5);
    char *data;
    size_t size;
    inox_error err;
    inox_status status = ix_file_read(ix_test_file(path), 1 << 20, &data, &size, &err);
    CHECK_OK(status, &err);
    if (status != INOX_OK)
        return;
    int64_t cols = u32_at(data), depth = u32_at(data + 4);
    size_t row_bytes = u32_at(data + 8), weights = (size_t)cols * row_bytes;
    CHECK(size == 12 + weights + 4 * (size_t)(rows * cols));
    product p = { .type = type,
                  .rows = rows,
                  .cols = cols,
                  .depth = depth,
                  .ldx = ldx,
                  .ldy = cols,
                  .row_bytes = row_bytes,
                  .w = { .data = data + 12 },
                  .x = { .data = (void *)(uintptr_t)x } };
    float *y = calloc((size_t)(rows * cols), sizeof *y);
    int count;
    const ix_matmul_kernel *const *kernels = ix_matmul_kernels(&count);
    for (int k = 0; k < count; k++) {
        if (kernels[k]->type != type || !ix_isa_present(kernels[k]->isa))
            continue;
        run_whole(&p, kernels[k], y);
        for (int64_t i = 0; i < rows * cols; i++)
            CHECK_MSG(ix_bits(y[i]) == u32_at(data + 12 + weights + 4 * i),
                      "%s: y[%lld][%lld] = %08x, not %08x", kernels[k]->name, (long long)(i / cols),
                      (long long)(i % cols), ix_bits(y[i]), u32_at(data + 12 + weights + 4 * i));
    }
    free(y);
    ix_free(data);
}

TEST(num_matmul_goldens)
{
    char *acts;
    size_t size;
    inox_error err;
    inox_status status =
        ix_file_read(ix_test_file("data/matmul/acts.bin"), 1 << 20, &acts, &size, &err);
    CHECK_OK(status, &err);
    if (status != INOX_OK)
        return;
    ix_fpenv env = ix_fpenv_enter();
    int64_t rows = u32_at(acts), depth = u32_at(acts + 4);
    float *x = malloc((size_t)(rows * depth) * sizeof *x);
    ix_dequantize_row(IX_TYPE_F32, acts + 8, rows * depth, x);
    for (int i = 0; i < IX_TYPE_COUNT; i++)
        if (ix_matmul_find((ix_type)i, IX_ISA_REF, false))
            compare_golden(t, (ix_type)i, x, rows, depth);
    free(x);
    ix_free(acts);
    ix_fpenv_leave(env);
}

/* ---- definitions ----------------------------------------------------------------------------- */

/* ix_dot_ref joins as it goes; T as it is written has to give the same. */
TEST(num_matmul_tree)
{
    static float a[40 * IX_SEGMENT], b[40 * IX_SEGMENT], sums[40];
    uint64_t state = 7;
    for (int i = 0; i < 40 * IX_SEGMENT; i++) {
        a[i] = ix_test_random_float(&state);
        b[i] = ix_test_random_float(&state);
    }
    for (int segments = 1; segments <= 40; segments++) {
        int64_t n = segments * IX_SEGMENT - 5;
        for (int s = 0; s < segments; s++) {
            int64_t end = s + 1 == segments ? n : (int64_t)(s + 1) * IX_SEGMENT;
            sums[s] = 0;
            for (int64_t i = (int64_t)s * IX_SEGMENT; i < end; i++)
                sums[s] = ix_fma(a[i], b[i], sums[s]);
        }
        CHECK(ix_bits(ix_dot_ref(a, b, n)) == ix_bits(ix_stored(ix_tree_sum(sums, segments))));
    }
    CHECK(ix_bits(ix_dot_ref(a, b, 0)) == 0);
}

TEST(num_matmul_stores_no_negative_zero)
{
    float a = -1.0f, tiny = ix_float(1), zero = 0.0f;
    CHECK(ix_bits(ix_dot_ref(&a, &zero, 1)) == 0);
    CHECK(ix_bits(ix_dot_ref(&tiny, &(float){ -tiny }, 1)) == 0); /* rounds to -0 */
    CHECK(ix_bits(ix_dot_ref(&zero, &(float){ ix_float(0xff800000u) }, 1)) == IX_F32_NAN_BITS);
}

TEST(num_matmul_quantize)
{
    float x[256], e;
    int8_t q[256];
    memset(x, 0, sizeof x);
    for (int i = 0; i < 255; i++) /* exact halves: r is 1 */
        x[i] = (float)(i - 127) * 0.5f;
    x[255] = -127.0f;
    ix_quantize_row_ref(x, 256, 256, &e, q);
    CHECK(e == 1.0f && q[255] == -127);
    for (int i = 0; i < 255; i++) {
        int twice = i - 127, floor = twice >= 0 ? twice / 2 : -((1 - twice) / 2);
        int nearest = twice % 2 == 0 ? twice / 2 : (floor % 2 == 0 ? floor : floor + 1);
        CHECK_MSG(q[i] == nearest, "%g gives %d, not %d", (double)x[i], q[i], nearest);
    }
    static const struct {
        uint32_t x, e;
        int8_t q;
    } EDGE[] = {
        { 0x00000000, 0, 0 },
        { 0x80000000, 0, 0 },
        { 0x00000001, 0, 0 },
        { 0x0d7fffff, 0, 0 },
        { 0x8d7fffff, 0, 0 },
        { 0x0d800000, 0x0a010204, 127 },
        { 0x8d800000, 0x0a010204, -127 },
        { 0x7f7fffff, 0x7c010204, 127 },
        { 0x7f800000, 0x7fc00000, 0 },
        { 0xff800000, 0x7fc00000, 0 },
        { 0x7f800001, 0x7fc00000, 0 },
        { 0xffffffff, 0x7fc00000, 0 },
    };
    for (size_t i = 0; i < sizeof EDGE / sizeof *EDGE; i++) {
        for (int at = 0; at < 32; at += 31) {
            memset(x, 0, sizeof x);
            x[at] = ix_float(EDGE[i].x);
            ix_quantize_row_ref(x, 32, 32, &e, q);
            CHECK_MSG(ix_bits(e) == EDGE[i].e && q[at] == EDGE[i].q && q[15] == 0,
                      "%08x: e %08x q %d", EDGE[i].x, ix_bits(e), q[at]);
        }
    }
}

/* ---- the table ------------------------------------------------------------------------------- */

TEST(num_matmul_table)
{
    static const struct {
        ix_type type;
        ix_isa isa;
        const char *name;
    } ROWS[] = {
#define IX_MATMUL(type, isa, symbol) { IX_TYPE_##type, IX_ISA_##isa, #symbol },
#include "num/matmul/kernels.def"
#undef IX_MATMUL
    };
    int count, references[IX_TYPE_COUNT] = { 0 };
    const ix_matmul_kernel *const *rows = ix_matmul_kernels(&count);
    CHECK(count == (int)(sizeof ROWS / sizeof *ROWS));
    for (int i = 0; i < count; i++) {
        const ix_matmul_kernel *k = rows[i];
        CHECK_MSG(k->type == ROWS[i].type && k->isa == ROWS[i].isa, "%s is not what its row says",
                  ROWS[i].name);
        CHECK_MSG(strcmp(k->name, ROWS[i].name) == 0, "%s calls itself %s", ROWS[i].name, k->name);
        CHECK(ix_isa_built(k->isa) && k->row_tile >= 1 && k->acts_format && k->acts_bytes &&
              k->pack_acts && k->run);
        CHECK(!k->panel_bytes == !k->pack_panel);
        CHECK(!k->panel_bytes || k->panel_bytes(2048) % 64 == 0);
        references[k->type] += k->isa == IX_ISA_REF;
    }
    for (int i = 0; i < IX_TYPE_COUNT; i++) {
        bool integers = i == IX_TYPE_I8 || i == IX_TYPE_I16 || i == IX_TYPE_I32 ||
                        i == IX_TYPE_I64 || i == IX_TYPE_F64;
        CHECK_MSG(references[i] == !integers, "%s has %d references", ix_type_of((ix_type)i)->name,
                  references[i]);
        for (int isa = 0; isa < IX_ISA_COUNT; isa++) {
            for (int no_panels = 0; no_panels < 2; no_panels++) {
                const ix_matmul_kernel *k = ix_matmul_find((ix_type)i, (ix_isa)isa, no_panels);
                CHECK(!k == integers);
                CHECK(!k || ((int)k->type == i && ix_isa_includes((ix_isa)isa, k->isa) &&
                             ix_isa_present(k->isa)));
                CHECK(!k || !no_panels || !k->panel_bytes);
            }
        }
    }
    CHECK_MSG(!ix_matmul_rejected(0), "%s differs from the reference", ix_matmul_rejected(0));
}

static void run_with_one_wrong_bit(const ix_matmul_job *job, int64_t row0, int64_t row1,
                                   int64_t col0, int64_t col1, void *scratch)
{
    ix_matmul_find(IX_TYPE_Q4_K, IX_ISA_REF, false)->run(job, row0, row1, col0, col1, scratch);
    float *last = &job->y[(row1 - 1) * job->ldy + col1 - 1];
    *last = ix_float(ix_bits(*last) ^ 1);
}

/* A row that gives other bits is passed over, and asked only once; one that cannot be compared for
 * want of memory is passed over this time. */
TEST(num_matmul_rejects)
{
    const ix_matmul_kernel *reference = ix_matmul_find(IX_TYPE_Q4_K, IX_ISA_REF, false);
    ix_matmul_kernel wrong = *reference, right = *reference;
    wrong.run = run_with_one_wrong_bit;
    const ix_matmul_kernel *rows[] = { &wrong, &right, reference };
    ix_kernel_state states[3] = { 0 };
    inox_error err;
    _Bool same = true;
    CHECK_OK(ix_matmul_compare(&wrong, reference, &same, &err), &err);
    CHECK(!same);
    CHECK_OK(ix_matmul_compare(&right, reference, &same, &err), &err);
    CHECK(same);
    for (uint64_t n = 1; n <= 8; n++) {
        ix_alloc_fail_at(n, 1);
        CHECK(ix_matmul_compare(&right, reference, &same, &err) == INOX_E_MEMORY);
        CHECK(ix_matmul_select(rows, states, 3, IX_TYPE_Q4_K, IX_ISA_AVX2, false) == reference);
        ix_alloc_fail_at(0, 0);
    }
    CHECK(states[0] == IX_KERNEL_UNCHECKED && states[1] == IX_KERNEL_UNCHECKED);
    for (int i = 0; i < 2; i++)
        CHECK(ix_matmul_select(rows, states, 3, IX_TYPE_Q4_K, IX_ISA_AVX2, false) == &right);
    CHECK(states[0] == IX_KERNEL_BAD && states[1] == IX_KERNEL_GOOD);
    CHECK(!ix_matmul_select(rows, states, 3, IX_TYPE_Q8_0, IX_ISA_AVX2, false));
}
