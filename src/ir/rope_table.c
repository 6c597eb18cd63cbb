/* Frequencies of a rotation: the expression of ix_rope_frequencies with a divisor in binary64. */
#include "ir/rope_table.h"
#include "num/scalar/scalar.h"

inox_status ix_rope_table(const ix_tensor *rope, float *inv_freq, inox_error *err)
{
    double log2_base = ix_log2_f64(rope->attrs.rope.base);
    int64_t dims = rope->attrs.rope.dims;
    const float *factors = NULL;

    if (rope->arg_count > 2) {
        factors = rope->args[2]->data;
        if (factors == NULL)
            return ix_fail(err, INOX_E_ARGUMENT, "rope: the frequency factors '%s' have no data",
                           rope->args[2]->name);
    }
    for (int64_t i = 0; i < dims / 2; i++) {
        double power = ix_exp2_f64(log2_base * ((double)(-2 * i) / (double)dims));
        double divisor = rope->attrs.rope.factor * (factors != NULL ? (double)factors[i] : 1.0);
        inv_freq[i] = ix_canonical((float)(power / divisor));
    }
    return INOX_OK;
}
