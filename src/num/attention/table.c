/* The table of attention kernels, made from kernels.def. */
#include "num/attention/kernels.h"

static const ix_attention_kernels *const ROWS[IX_ISA_COUNT] = {
#define IX_ATTENTION(isa, symbol) [IX_ISA_##isa] = &symbol,
#include "num/attention/kernels.def"
#undef IX_ATTENTION
};

const ix_attention_kernels *ix_attention_kernels_for(ix_isa isa)
{
    while (!ROWS[isa])
        isa = ix_isa_extends(isa); /* the row of the reference is always there */
    return ROWS[isa];
}
