/* The table of attention kernels, made from kernels.def, and the choice of one. */
#include "num/attention/kernels.h"

#include <stdatomic.h>

static const ix_attention_kernels *const ROWS[IX_ISA_COUNT] = {
#define IX_ATTENTION(isa, symbol) [IX_ISA_##isa] = &symbol,
#include "num/attention/kernels.def"
#undef IX_ATTENTION
};

static ix_kernel_state states[IX_ISA_COUNT];

const ix_attention_kernels *ix_attention_row(ix_isa isa)
{
    return ROWS[isa];
}

/* Two threads may compare one row at the same time: both come to the same result. */
static _Bool usable(const ix_attention_kernels *k, const ix_attention_kernels *reference,
                    ix_kernel_state *state)
{
    int known = atomic_load_explicit(state, memory_order_relaxed);
    _Bool same;
    if (k == reference || known != IX_KERNEL_UNCHECKED)
        return known != IX_KERNEL_BAD;
    if (!ix_isa_present(k->isa) || ix_attention_compare(k, reference, &same, NULL) != INOX_OK)
        return 0; /* no memory for it: not known, and asked again at the next use */
    atomic_store_explicit(state, same ? IX_KERNEL_GOOD : IX_KERNEL_BAD, memory_order_relaxed);
    return same;
}

const ix_attention_kernels *ix_attention_select(const ix_attention_kernels *const *rows,
                                                ix_kernel_state *row_states, ix_isa isa)
{
    while (!rows[isa] || !usable(rows[isa], rows[IX_ISA_REF], &row_states[isa]))
        isa = ix_isa_extends(isa); /* the row of the reference is always there */
    return rows[isa];
}

const ix_attention_kernels *ix_attention_kernels_for(ix_isa isa)
{
    return ix_attention_select(ROWS, states, isa);
}

const char *ix_attention_rejected(int index)
{
    for (int i = 0; i < IX_ISA_COUNT; i++)
        if (atomic_load_explicit(&states[i], memory_order_relaxed) == IX_KERNEL_BAD && index-- == 0)
            return ROWS[i]->name;
    return NULL;
}
