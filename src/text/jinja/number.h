/* Numbers of the template language: Python's ints without limit, its floats, and their text.
 *
 * A big int is sign and magnitude, base 2^32, least significant digit first, no leading zero, and
 * never fits int64 (those are IX_J_INT).  Results beyond IX_J_MAX_DIGITS digits are INOX_E_LIMIT.
 * Floats are written and read by decimal.h.
 */
#ifndef IX_TEXT_JINJA_NUMBER_H
#define IX_TEXT_JINJA_NUMBER_H

#include "text/jinja/value.h"

#define IX_J_MAX_DIGITS 16384 /* base 2^32; 157,000 decimal digits */

struct ix_jbig {
    bool negative;
    uint32_t count;
    const uint32_t *digits;
};

/* -1, 0, 1. */
int ix_j_sign(ix_jvalue v);

/* int(text, base): Python's rules (white space around, sign, underscores, prefix where base is 0 or
 * agrees with it).  *ok false where it is none. */
inox_status ix_j_parse_int(ix_jrender *r, const char *text, size_t size, int base, ix_jvalue *out,
                           bool *ok, inox_error *err) IX_MUST_USE;
/* float(text): Python's rules (inf, nan, underscores, white space around). */
bool ix_j_parse_float(const char *text, size_t size, double *out);

/* Digits of an int in base 2, 8, 10 or 16, lower case, with '-'; in the rendering's memory. */
inox_status ix_j_int_text(ix_jrender *r, ix_jvalue v, int base, const char **out, size_t *size,
                          inox_error *err) IX_MUST_USE;

/* repr(f): the shortest text that reads back as f.  Returns its size. */
#define IX_J_FLOAT_TEXT 32
size_t ix_j_float_text(double f, char out[IX_J_FLOAT_TEXT]);

/* int(f): towards zero; an error for inf and nan. */
inox_status ix_j_int_of_float(ix_jrender *r, double f, ix_jvalue *out, inox_error *err) IX_MUST_USE;
/* float(v) of an int of any size; OverflowError where it is beyond. */
inox_status ix_j_float_of_int(ix_jrender *r, ix_jvalue v, double *out, inox_error *err) IX_MUST_USE;
/* abs(v), v an int or float. */
inox_status ix_j_abs(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err) IX_MUST_USE;
/* round(f, digits) of Python: half to even on the exact value. */
inox_status ix_j_round(ix_jrender *r, double f, int64_t digits, double *out,
                       inox_error *err) IX_MUST_USE;
/* The largest whole number not above f, the smallest not below. */
double ix_j_floor(double f);
double ix_j_ceil(double f);

/* a == b and a < b of two numbers of any kinds, exactly (ints are not rounded to floats). */
bool ix_j_number_equal(ix_jvalue a, ix_jvalue b);
bool ix_j_number_less(ix_jvalue a, ix_jvalue b);
uint32_t ix_j_number_hash(ix_jvalue v);

/* Arithmetic on two numbers; see ix_j_arithmetic. */
inox_status ix_j_number_arithmetic(ix_jrender *r, ix_jop op, ix_jvalue a, ix_jvalue b,
                                   ix_jvalue *out, inox_error *err) IX_MUST_USE;
inox_status ix_j_number_negate(ix_jrender *r, ix_jvalue v, ix_jvalue *out,
                               inox_error *err) IX_MUST_USE;

#endif
