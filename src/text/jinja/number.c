/* Arithmetic and comparison of Python's ints and floats.
 *
 * Ints that fit 64 bits take the short way with overflow checks; all else goes through big.c.
 * Floats are binary64 as in Python; pow and fmod are the C library's, as Python's are.
 */
#include "text/jinja/big.h"
#include "text/jinja/render.h"

#include <math.h>
#include <string.h>

static int64_t small_of(ix_jvalue v)
{
    return v.kind == IX_J_BOOL ? v.boolean : v.integer;
}

int ix_j_sign(ix_jvalue v)
{
    if (v.kind == IX_J_FLOAT)
        return v.real > 0 ? 1 : v.real < 0 ? -1 : 0;
    if (v.kind == IX_J_BIG)
        return v.big->negative ? -1 : 1;
    int64_t i = small_of(v);
    return i > 0 ? 1 : i < 0 ? -1 : 0;
}

double ix_j_floor(double f)
{
    return floor(f);
}

double ix_j_ceil(double f)
{
    return ceil(f);
}

/* ---- ints and floats ------------------------------------------------------------------------- */

/* The 64 highest bits of a, the lowest of them 1 too where any bit below is; *shift: how many bits
 * are below.  Rounding that to binary64 rounds a. */
static uint64_t high_bits(const ix_jint *a, int64_t *shift)
{
    int64_t below = (int64_t)ix_j_bit_count(a) - 64;
    uint64_t high = 0;
    bool sticky = false;

    *shift = below > 0 ? below : 0;
    for (uint32_t i = a->count; i-- > 0;) {
        int64_t at = (int64_t)i * 32 - *shift; /* where the digit's lowest bit goes */

        if (at >= 0) {
            high |= (uint64_t)a->digits[i] << at;
        } else if (at > -32) {
            high |= a->digits[i] >> -at;
            sticky |= (a->digits[i] & ((1u << -at) - 1)) != 0;
        } else {
            sticky |= a->digits[i] != 0;
        }
    }
    return high | sticky;
}

static double float_of_digits(const ix_jint *a)
{
    int64_t shift;
    uint64_t high = high_bits(a, &shift);
    double f = shift > 2000 ? HUGE_VAL : ldexp((double)high, (int)shift);

    return a->negative ? -f : f;
}

inox_status ix_j_float_of_int(ix_jrender *r, ix_jvalue v, double *out, inox_error *err)
{
    ix_jint opened;

    (void)r;
    if (v.kind != IX_J_BIG) {
        *out = (double)small_of(v);
        return INOX_OK;
    }
    ix_j_open_int(v, &opened);
    *out = float_of_digits(&opened);
    if (isinf(*out))
        return ix_j_fail(err, "OverflowError", "int too large to convert to float");
    return INOX_OK;
}

inox_status ix_j_int_of_float(ix_jrender *r, double f, ix_jvalue *out, inox_error *err)
{
    int exponent;
    uint64_t bits;
    ix_jint opened;

    if (isnan(f))
        return ix_j_fail(err, "ValueError", "cannot convert float NaN to integer");
    if (isinf(f))
        return ix_j_fail(err, "OverflowError", "cannot convert float infinity to integer");
    f = trunc(f);
    if (f >= -9223372036854775808.0 && f < 9223372036854775808.0) {
        *out = ix_j_int((int64_t)f);
        return INOX_OK;
    }
    bits = (uint64_t)ldexp(frexp(fabs(f), &exponent), 53);
    ix_j_open_int(ix_j_int((int64_t)bits), &opened);
    IX_TRY(ix_j_big_shift(r, &opened, exponent - 53, out, err));
    return f < 0 ? ix_j_number_negate(r, *out, out, err) : INOX_OK;
}

/* Compares an int with a float that is no NaN, exactly: -1, 0, 1. */
static int compare_int_float(ix_jvalue i, double f)
{
    if (isinf(f))
        return f > 0 ? -1 : 1;
    double whole = trunc(f);
    int after = f > whole ? -1 : f < whole ? 1 : 0; /* where the whole parts are equal */
    if (i.kind != IX_J_BIG) {
        if (whole >= 9223372036854775808.0)
            return -1;
        if (whole < -9223372036854775808.0)
            return 1;
        int64_t a = small_of(i), b = (int64_t)whole;
        return a < b ? -1 : a > b ? 1 : after;
    }
    if (fabs(whole) < 9223372036854775808.0)
        return i.big->negative ? -1 : 1;
    if (i.big->negative != (f < 0))
        return i.big->negative ? -1 : 1;
    /* Both are beyond 64 bits: f has 53 bits and then zeros. */
    ix_jint opened;
    int exponent, order;
    int64_t shift;
    ix_j_open_int(i, &opened);
    uint64_t bits = (uint64_t)ldexp(frexp(fabs(f), &exponent), 64),
             high = high_bits(&opened, &shift);
    if (ix_j_bit_count(&opened) != (size_t)exponent)
        order = ix_j_bit_count(&opened) < (size_t)exponent ? -1 : 1;
    else
        order = high < bits ? -1 : high > bits;
    return i.big->negative ? -order : order;
}

/* -1, 0, 1; 2 where they do not compare (NaN). */
static int compare(ix_jvalue a, ix_jvalue b)
{
    if (a.kind == IX_J_FLOAT && b.kind == IX_J_FLOAT) {
        if (isnan(a.real) || isnan(b.real))
            return 2;
        return a.real < b.real ? -1 : a.real > b.real;
    }
    if (a.kind == IX_J_FLOAT)
        return isnan(a.real) ? 2 : -compare_int_float(b, a.real);
    if (b.kind == IX_J_FLOAT)
        return isnan(b.real) ? 2 : compare_int_float(a, b.real);
    if (a.kind != IX_J_BIG && b.kind != IX_J_BIG) {
        int64_t x = small_of(a), y = small_of(b);
        return x < y ? -1 : x > y;
    }
    ix_jint x, y;
    ix_j_open_int(a, &x);
    ix_j_open_int(b, &y);
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    int order = ix_j_compare_digits(&x, &y);
    return x.negative ? -order : order;
}

bool ix_j_number_equal(ix_jvalue a, ix_jvalue b)
{
    return compare(a, b) == 0;
}

bool ix_j_number_less(ix_jvalue a, ix_jvalue b)
{
    return compare(a, b) == -1;
}

static uint32_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= 0x9E3779B97F4A7C15u;
    return (uint32_t)(x >> 32) | 1;
}

uint32_t ix_j_number_hash(ix_jvalue v)
{
    double f = 0;
    uint64_t bits;
    ix_jint opened;

    if (v.kind == IX_J_INT || v.kind == IX_J_BOOL)
        return mix((uint64_t)small_of(v));
    if (v.kind == IX_J_BIG) {
        ix_j_open_int(v, &opened);
        f = float_of_digits(&opened);
    } else {
        f = v.real;
        if (f >= -9223372036854775808.0 && f < 9223372036854775808.0 && f == trunc(f))
            return mix((uint64_t)(int64_t)f);
    }
    memcpy(&bits, &f, sizeof bits);
    return mix(bits);
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

/* floor(a / b) and a - b * that, as CPython's float_divmod computes them. */
static void divide_floats(double a, double b, double *quotient, double *rest)
{
    double mod = fmod(a, b), div = (a - mod) / b;

    if (mod != 0) {
        if ((b < 0) != (mod < 0)) {
            mod += b;
            div -= 1;
        }
    } else {
        mod = copysign(0.0, b);
    }
    if (div != 0) {
        *quotient = floor(div);
        if (div - *quotient > 0.5)
            *quotient += 1;
    } else {
        *quotient = copysign(0.0, a / b);
    }
    *rest = mod;
}

static inox_status power_of_floats(double a, double b, double *out, inox_error *err)
{
    if (a == 0 && b < 0)
        return ix_j_fail(err, "ZeroDivisionError", "0.0 cannot be raised to a negative power");
    if (a < 0 && isfinite(a) && isfinite(b) && b != trunc(b))
        return ix_j_fail(err, "ValueError",
                         "a negative number to a fractional power is complex in Python; Inox "
                         "leaves complex numbers out");
    *out = pow(a, b);
    if (isinf(*out) && isfinite(a) && isfinite(b))
        return ix_j_fail(err, "OverflowError", "(34, 'Numerical result out of range')");
    return INOX_OK;
}

static inox_status float_arithmetic(ix_jop op, double a, double b, ix_jvalue *out, inox_error *err)
{
    double quotient, rest, result = 0;

    if (b == 0 && (op == IX_J_DIV || op == IX_J_FLOORDIV || op == IX_J_MOD))
        return ix_j_fail(err, "ZeroDivisionError", "%s",
                         op == IX_J_DIV        ? "float division by zero"
                         : op == IX_J_FLOORDIV ? "float floor division by zero"
                                               : "float modulo");
    switch (op) {
    case IX_J_ADD: result = a + b; break;
    case IX_J_SUB: result = a - b; break;
    case IX_J_MUL: result = a * b; break;
    case IX_J_DIV: result = a / b; break;
    case IX_J_POW: IX_TRY(power_of_floats(a, b, &result, err)); break;
    case IX_J_FLOORDIV:
    case IX_J_MOD:
        divide_floats(a, b, &quotient, &rest);
        result = op == IX_J_MOD ? rest : quotient;
        break;
    }
    *out = ix_j_float(result);
    return INOX_OK;
}

/* a / b of ints, rounded once: a quotient of at least 66 bits, and whether anything is left. */
static inox_status divide_ints(ix_jrender *r, ix_jvalue a, ix_jvalue b, ix_jvalue *out,
                               inox_error *err)
{
    const int64_t exact = (int64_t)1 << 53;
    ix_jint x, y, q, rest;
    ix_jvalue scaled_value, quotient, remainder, sum;

    if (a.kind != IX_J_BIG && b.kind != IX_J_BIG) {
        int64_t i = small_of(a), j = small_of(b);

        if (i >= -exact && i <= exact && j >= -exact && j <= exact) {
            *out = ix_j_float((double)i / (double)j);
            return INOX_OK;
        }
    }
    ix_j_open_int(a, &x);
    ix_j_open_int(b, &y);
    bool negative = x.negative != y.negative;
    x.negative = y.negative = false;
    int64_t shift = 66 + (int64_t)ix_j_bit_count(&y) - (int64_t)ix_j_bit_count(&x);
    if (shift < 0)
        shift = 0;
    IX_TRY(ix_j_big_shift(r, &x, shift, &scaled_value, err));
    ix_j_open_int(scaled_value, &q);
    IX_TRY(ix_j_big_divide(r, &q, &y, &quotient, &remainder, err));
    /* Two more bits: the sticky one stands below all that count. */
    ix_j_open_int(quotient, &q);
    IX_TRY(ix_j_big_shift(r, &q, 2, &scaled_value, err));
    ix_j_open_int(scaled_value, &q);
    ix_j_open_int(ix_j_int(ix_j_sign(remainder) != 0), &rest);
    IX_TRY(ix_j_big_add(r, &q, &rest, false, &sum, err));
    ix_j_open_int(sum, &q);
    int64_t below;
    uint64_t high = high_bits(&q, &below);
    int64_t scale = below - 2 - shift;
    double f = scale > 2000 ? HUGE_VAL : ldexp((double)high, (int)(scale < -4000 ? -4000 : scale));
    if (isinf(f))
        return ix_j_fail(err, "OverflowError", "integer division result too large for a float");
    *out = ix_j_float(negative ? -f : f);
    return INOX_OK;
}

static inox_status power_of_ints(ix_jrender *r, ix_jvalue a, ix_jvalue b, ix_jvalue *out,
                                 inox_error *err)
{
    ix_jvalue result = ix_j_int(1), base = a;
    ix_jint x, y;

    if (ix_j_sign(b) < 0) {
        double f, g;

        IX_TRY(ix_j_float_of_int(r, a, &f, err));
        IX_TRY(ix_j_float_of_int(r, b, &g, err));
        return float_arithmetic(IX_J_POW, f, g, out, err);
    }
    ix_j_open_int(a, &x);
    ix_j_open_int(b, &y);
    bool odd = y.count > 0 && (y.digits[0] & 1) != 0;
    if (y.count > 0 && (x.count == 0 || (x.count == 1 && x.digits[0] == 1))) { /* 0, 1, -1 */
        *out = ix_j_int(x.count == 0 ? 0 : x.negative && odd ? -1 : 1);
        return INOX_OK;
    }
    if (y.count > 1 ||
        (y.count == 1 && (uint64_t)(ix_j_bit_count(&x) - 1) * y.digits[0] > IX_J_MAX_DIGITS * 32))
        return ix_fail(err, INOX_E_LIMIT, "** gives an int of more than %d bits",
                       IX_J_MAX_DIGITS * 32);
    for (uint32_t e = y.count == 0 ? 0 : y.digits[0]; e > 0; e >>= 1) {
        if (e & 1)
            IX_TRY(ix_j_number_arithmetic(r, IX_J_MUL, result, base, &result, err));
        if (e > 1)
            IX_TRY(ix_j_number_arithmetic(r, IX_J_MUL, base, base, &base, err));
    }
    *out = result;
    return INOX_OK;
}

/* The short way; false where it does not fit. */
static bool small_arithmetic(ix_jop op, int64_t a, int64_t b, int64_t *out)
{
    int64_t rest;

    switch (op) {
    case IX_J_ADD: return !__builtin_add_overflow(a, b, out);
    case IX_J_SUB: return !__builtin_sub_overflow(a, b, out);
    case IX_J_MUL: return !__builtin_mul_overflow(a, b, out);
    case IX_J_FLOORDIV:
        if (a == INT64_MIN && b == -1)
            return false;
        *out = a / b - (a % b != 0 && (a < 0) != (b < 0));
        return true;
    case IX_J_MOD:
        if (b == -1) {
            *out = 0;
            return true;
        }
        rest = a % b;
        *out = rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
        return true;
    case IX_J_DIV:
    case IX_J_POW: break;
    }
    return false;
}

static inox_status int_arithmetic(ix_jrender *r, ix_jop op, ix_jvalue a, ix_jvalue b,
                                  ix_jvalue *out, inox_error *err)
{
    int64_t result;
    ix_jint x, y;

    if (ix_j_sign(b) == 0 && (op == IX_J_DIV || op == IX_J_FLOORDIV || op == IX_J_MOD))
        return ix_j_fail(err, "ZeroDivisionError", "%s",
                         op == IX_J_DIV        ? "division by zero"
                         : op == IX_J_FLOORDIV ? "integer division or modulo by zero"
                                               : "integer modulo by zero");
    if (op == IX_J_DIV)
        return divide_ints(r, a, b, out, err);
    if (op == IX_J_POW)
        return power_of_ints(r, a, b, out, err);
    if (a.kind != IX_J_BIG && b.kind != IX_J_BIG &&
        small_arithmetic(op, small_of(a), small_of(b), &result)) {
        *out = ix_j_int(result);
        return INOX_OK;
    }
    ix_j_open_int(a, &x);
    ix_j_open_int(b, &y);
    switch (op) {
    case IX_J_MUL: return ix_j_big_multiply(r, &x, &y, out, err);
    case IX_J_FLOORDIV: return ix_j_big_divide(r, &x, &y, out, NULL, err);
    case IX_J_MOD: return ix_j_big_divide(r, &x, &y, NULL, out, err);
    default: return ix_j_big_add(r, &x, &y, op == IX_J_SUB, out, err);
    }
}

inox_status ix_j_number_arithmetic(ix_jrender *r, ix_jop op, ix_jvalue a, ix_jvalue b,
                                   ix_jvalue *out, inox_error *err)
{
    double x = a.real, y = b.real;

    if (a.kind != IX_J_FLOAT && b.kind != IX_J_FLOAT)
        return int_arithmetic(r, op, a, b, out, err);
    if (a.kind != IX_J_FLOAT)
        IX_TRY(ix_j_float_of_int(r, a, &x, err));
    if (b.kind != IX_J_FLOAT)
        IX_TRY(ix_j_float_of_int(r, b, &y, err));
    return float_arithmetic(op, x, y, out, err);
}

inox_status ix_j_number_negate(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    ix_jint opened;

    if (v.kind == IX_J_FLOAT) {
        *out = ix_j_float(-v.real);
        return INOX_OK;
    }
    if (v.kind != IX_J_BIG && small_of(v) != INT64_MIN) {
        *out = ix_j_int(-small_of(v));
        return INOX_OK;
    }
    ix_j_open_int(v, &opened);
    return ix_j_close_int(r, !opened.negative, opened.digits, opened.count, out, err);
}

inox_status ix_j_abs(ix_jrender *r, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    if (v.kind == IX_J_FLOAT) {
        *out = ix_j_float(fabs(v.real));
        return INOX_OK;
    }
    if (ix_j_sign(v) < 0)
        return ix_j_number_negate(r, v, out, err);
    *out = v.kind == IX_J_BOOL ? ix_j_int(v.boolean) : v;
    return INOX_OK;
}
