/* The comparison with the reference that a table of row kernels has to pass before it is used.
 *
 * Every function runs once on generated rows: sums and norms on more than one block of C4,
 * elementwise functions on all sorts of numbers, with tails of every width of register.
 */
#include "base/alloc.h"
#include "base/fpenv.h"
#include "num/rows/kernels.h"
#include "num/scalar/scalar.h"

#define LONG 1121 /* a block of 1024, whole groups of 32 lanes, one more */
#define SHORT 97
#define HALF 17 /* rope: 2 heads of 2 * 17 + 5 */
#define HEAD (2 * HALF + 5)

static const uint32_t SPECIALS[] = {
    0x00000000, 0x80000000, 0x00000001, 0x807fffff, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
    0xffc12345, 0x3f800000, 0xbf800000, 0x42b17213, 0xc2ae0001, 0x477fefff, 0x33000001, 0x3f801000,
};
#define SPECIAL_COUNT (sizeof SPECIALS / sizeof *SPECIALS)

typedef struct inputs {
    float x[LONG], w[LONG], b[LONG]; /* ordinary numbers of either sign */
    float any[2][SHORT];             /* special ones among them */
    uint16_t halves[SHORT];
} inputs;

typedef struct outputs {
    float rms_norm[LONG], layer_norm[LONG], sum, sum_squares;
    float pair[4][SHORT], scale[SHORT], one[6][SHORT], rope[2][2 * HEAD], widened[2][SHORT];
    uint16_t narrowed[2][SHORT];
} outputs;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    uint32_t z = (*state ^ *state >> 15) * 0x2c1b3c6du;
    return z ^ z >> 13;
}

/* Between 2^-7 and 2^6, either sign. */
static float ordinary(uint32_t *state)
{
    uint32_t u = next_random(state);
    return ix_float((u & 0x807fffffu) | (120 + (u >> 23) % 13) << 23);
}

static void fill(inputs *in)
{
    uint32_t state = 1;
    for (int i = 0; i < LONG; i++) {
        in->x[i] = ordinary(&state);
        in->w[i] = ordinary(&state);
        in->b[i] = ordinary(&state);
    }
    for (int i = 0; i < SHORT; i++) {
        in->any[0][i] =
            i % 3 ? ordinary(&state) : ix_float(SPECIALS[(size_t)i / 3 % SPECIAL_COUNT]);
        in->any[1][i] =
            i % 5 ? ordinary(&state) : ix_float(SPECIALS[(size_t)i / 5 % SPECIAL_COUNT]);
        in->halves[i] = (uint16_t)next_random(&state);
    }
}

static void run(const ix_row_kernels *k, const inputs *in, outputs *out)
{
    const float *a = in->any[0], *b = in->any[1];
    k->rms_norm(in->x, in->w, 1e-6f, LONG, out->rms_norm);
    k->layer_norm(in->x, in->w, in->b, 1e-5f, LONG, out->layer_norm);
    out->sum = k->sum(in->x, LONG);
    out->sum_squares = k->sum_squares(in->x, LONG);
    k->add(a, b, SHORT, out->pair[0]);
    k->sub(a, b, SHORT, out->pair[1]);
    k->mul(a, b, SHORT, out->pair[2]);
    k->swiglu(a, b, SHORT, out->pair[3]);
    k->scale(a, 1.7f, SHORT, out->scale);
    k->exp(a, SHORT, out->one[0]);
    k->tanh(a, SHORT, out->one[1]);
    k->sigmoid(a, SHORT, out->one[2]);
    k->silu(a, SHORT, out->one[3]);
    k->gelu_tanh(a, SHORT, out->one[4]);
    k->gelu_erf(a, SHORT, out->one[5]);
    for (int interleaved = 0; interleaved < 2; interleaved++)
        k->rope(in->x, in->w, in->b, HALF, interleaved, 2, HEAD, out->rope[interleaved]);
    k->to_f16(a, SHORT, out->narrowed[0]);
    k->to_bf16(a, SHORT, out->narrowed[1]);
    k->from_f16(in->halves, SHORT, out->widened[0]);
    k->from_bf16(in->halves, SHORT, out->widened[1]);
}

#define IX_ROW(...) +1
enum {
    FUNCTIONS = 0
#include "num/rows/kernels.def"
};
#undef IX_ROW
_Static_assert(FUNCTIONS == 20, "run() calls every function of kernels.def: call the new one too");

inox_status ix_row_compare(const ix_row_kernels *k, const ix_row_kernels *reference, _Bool *same,
                           inox_error *err)
{
    struct {
        inputs in;
        outputs got, expected; /* zeroed */
    } * all;
    IX_TRY(IX_ALLOC(&all, 1, err));
    ix_fpenv environment = ix_fpenv_enter();
    fill(&all->in);
    run(reference, &all->in, &all->expected);
    run(k, &all->in, &all->got);
    ix_fpenv_leave(environment);
    *same = memcmp(&all->got, &all->expected, sizeof all->got) == 0;
    ix_free(all);
    return INOX_OK;
}
