/* Magnitudes of big ints: arrays of 32-bit digits, least significant first.  Used by number.c. */
#ifndef IX_TEXT_JINJA_BIG_H
#define IX_TEXT_JINJA_BIG_H

#include "text/jinja/number.h"

/* An int of any kind, opened: the digits of a small one are in `own`.  No leading zeros; 0 has no
 * digits. */
typedef struct ix_jint {
    bool negative;
    uint32_t count;
    const uint32_t *digits;
    uint32_t own[2];
} ix_jint;

/* Opens v (a bool or an int).  `out` must not be copied: digits may point into it. */
void ix_j_open_int(ix_jvalue v, ix_jint *out);
/* *out = the int of these digits (leading zeros allowed), small if it fits. */
inox_status ix_j_close_int(ix_jrender *r, bool negative, const uint32_t *digits, size_t count,
                           ix_jvalue *out, inox_error *err) IX_MUST_USE;

int ix_j_compare_digits(const ix_jint *a, const ix_jint *b); /* magnitudes: -1, 0, 1 */
size_t ix_j_bit_count(const ix_jint *a);

inox_status ix_j_big_add(ix_jrender *r, const ix_jint *a, const ix_jint *b, bool subtract,
                         ix_jvalue *out, inox_error *err) IX_MUST_USE;
inox_status ix_j_big_multiply(ix_jrender *r, const ix_jint *a, const ix_jint *b, ix_jvalue *out,
                              inox_error *err) IX_MUST_USE;
/* Rounded to minus infinity, as Python does; b is not 0.  Either output may be NULL. */
inox_status ix_j_big_divide(ix_jrender *r, const ix_jint *a, const ix_jint *b, ix_jvalue *quotient,
                            ix_jvalue *remainder, inox_error *err) IX_MUST_USE;
/* |a| * 2^shift, shift of either sign (then rounded towards 0). */
inox_status ix_j_big_shift(ix_jrender *r, const ix_jint *a, int64_t shift, ix_jvalue *out,
                           inox_error *err) IX_MUST_USE;

#endif
