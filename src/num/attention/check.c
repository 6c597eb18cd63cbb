/* The comparison with the reference that attention kernels have to pass before they are used.
 *
 * Two tokens with two query heads each look at two pages, the second nearly empty; the cache is
 * full of NaNs where nothing was stored, and tails of every width of register are in it.
 */
#include "base/alloc.h"
#include "base/fpenv.h"
#include "num/attention/kernels.h"
#include "num/scalar/scalar.h"

#define TOKENS 2
#define HEADS 2
#define HEAD_DIM 5
#define VALUE_DIM 19
#define LENGTH (IX_PAGE + 3)
#define PAGES 2
#define SCRATCH_ALIGN 64

typedef struct bench {
    _Alignas(64) float k[PAGES * HEAD_DIM * IX_PAGE]; /* or half of it as float16 */
    _Alignas(64) float v[PAGES * VALUE_DIM * IX_PAGE];
    float out[TOKENS * HEADS * VALUE_DIM];
} bench;

typedef struct inputs {
    float q[TOKENS * HEADS * HEAD_DIM];
    float k[LENGTH][HEAD_DIM], v[LENGTH][VALUE_DIM];
} inputs;

/* Between 2^-5 and 2^2, either sign. */
static void fill(float *x, int n, uint32_t seed)
{
    for (int i = 0; i < n; i++) {
        uint32_t u = (seed + (uint32_t)i) * 0x9e3779b1u;
        u = (u ^ u >> 15) * 0x2c1b3c6du;
        u ^= u >> 12;
        x[i] = ix_float((u & 0x807fffffu) | (122 + (u >> 23) % 7) << 23);
    }
}

/* `scratch` is NULL: only says in *bytes how much is needed. */
static void run(const ix_attention_kernels *kernels, const inputs *in, ix_type type, bench *b,
                void *scratch, size_t *bytes)
{
    static const int32_t TABLE[PAGES] = { 1, 0 }, SEQUENCE[TOKENS] = { 0, 0 };
    static const int32_t POSITION[TOKENS] = { LENGTH - 2, LENGTH - 1 };
    size_t item = type == IX_TYPE_F16 ? sizeof(uint16_t) : sizeof(float);
    ix_attention_job job = { .cache = { .type = type,
                                        .k = (uint8_t *)b->k,
                                        .v = (uint8_t *)b->v,
                                        .k_page_bytes = HEAD_DIM * IX_PAGE * item,
                                        .v_page_bytes = VALUE_DIM * IX_PAGE * item,
                                        .kv_heads = 1,
                                        .head_dim = HEAD_DIM,
                                        .value_dim = VALUE_DIM,
                                        .page_table = TABLE,
                                        .page_table_stride = PAGES },
                             .tokens = TOKENS,
                             .heads = HEADS,
                             .q = in->q,
                             .out = b->out,
                             .sequence = SEQUENCE,
                             .position = POSITION,
                             .scale = 0.4 };
    *bytes = kernels->scratch_bytes(&job, TOKENS);
    if (scratch == NULL)
        return;
    memset(b, 0xff, sizeof *b);
    for (int32_t i = 0; i < LENGTH; i++)
        kernels->store(&job.cache, in->k[i], in->v[i], 0, i, 1);
    kernels->run(&job, 0, TOKENS, 0, 1, scratch);
}

inox_status ix_attention_compare(const ix_attention_kernels *k,
                                 const ix_attention_kernels *reference, _Bool *same,
                                 inox_error *err)
{
    struct {
        bench got, expected;
        inputs in;
    } * all;
    void *scratch;
    size_t bytes, more;
    IX_TRY(ix_alloc_aligned(sizeof *all, SCRATCH_ALIGN, (void **)&all, err));
    run(k, &all->in, IX_TYPE_F32, &all->got, NULL, &bytes);
    run(reference, &all->in, IX_TYPE_F32, &all->expected, NULL, &more);
    bytes = bytes > more ? bytes : more;
    inox_status status = ix_alloc_aligned(bytes + 1, SCRATCH_ALIGN, &scratch, err);
    if (status == INOX_OK) {
        ix_fpenv environment = ix_fpenv_enter();
        fill(all->in.q, TOKENS * HEADS * HEAD_DIM, 1);
        fill(all->in.k[0], LENGTH * HEAD_DIM, 1000);
        fill(all->in.v[0], LENGTH * VALUE_DIM, 5000);
        *same = 1;
        for (int i = 0; i < 2; i++) {
            ix_type type = i == 0 ? IX_TYPE_F16 : IX_TYPE_F32;
            run(reference, &all->in, type, &all->expected, scratch, &more);
            run(k, &all->in, type, &all->got, scratch, &bytes);
            *same = *same && memcmp(&all->got, &all->expected, sizeof all->got) == 0;
        }
        ix_fpenv_leave(environment);
        ix_free_aligned(scratch);
    }
    ix_free_aligned(all);
    return status;
}
