/* Doubles in decimal and back, exactly and without the C library's locale: Python's repr(),
 * float(), round() and everything that formats a float stand on this.
 *
 * A decimal is 0.d1d2d3... * 10^point with neither a leading nor a trailing zero; zero has no
 * digits.
 */
#ifndef IX_TEXT_JINJA_DECIMAL_H
#define IX_TEXT_JINJA_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IX_DECIMAL_DIGITS = 800,  /* more than any double's 767 */
    IX_FLOAT_REPR_BYTES = 32, /* more than "-2.2250738585072014e-308" */
};

typedef struct ix_decimal {
    char digits[IX_DECIMAL_DIGITS]; /* '0' to '9' */
    int count;                      /* of digits; 0: the value is zero */
    int point;                      /* 0 where count is 0 */
    bool negative;                  /* the sign bit, also of zero */
} ix_decimal;

static inline bool ix_float_is_finite(double x)
{
    return x - x == 0.0;
}

/* The fewest digits that read back as x, and of those the nearest to x (Python's repr).  x is
 * finite. */
void ix_decimal_shortest(double x, ix_decimal *out);

/* All digits of x, which is finite. */
void ix_decimal_exact(double x, ix_decimal *out);

/* Keeps the first `count` digits (which may be 0 or less), rounding half to even.  The value must
 * be exact for ties to be seen. */
void ix_decimal_round(ix_decimal *d, int count);

/* The nearest double; infinity where it is too large. */
double ix_decimal_to_float(const ix_decimal *d);

/* Python's repr(x): "1.0", "1e+16", "-0.0", "nan", "inf".  Returns the bytes written. */
size_t ix_float_repr(double x, char out[IX_FLOAT_REPR_BYTES]);

/* Python's float(text) for ASCII text without white space around it: signs, underscores between
 * digits, exponents, "inf", "infinity", "nan" in any case.  False where it is no number. */
bool ix_float_parse(const char *text, size_t size, double *out);

#endif
