/* Big ints: schoolbook arithmetic, bounded by IX_J_MAX_DIGITS and paid for in steps.
 *
 * Division is algorithm D of Knuth, The Art of Computer Programming, volume 2, 4.3.1.
 */
#include "text/jinja/big.h"

#include "text/jinja/render.h"

#include <string.h>

void ix_j_open_int(ix_jvalue v, ix_jint *out)
{
    uint64_t magnitude;
    int64_t i;

    if (v.kind == IX_J_BIG) {
        out->negative = v.big->negative;
        out->count = v.big->count;
        out->digits = v.big->digits;
        return;
    }
    i = v.kind == IX_J_BOOL ? v.boolean : v.integer;
    out->negative = i < 0;
    magnitude = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    out->own[0] = (uint32_t)magnitude;
    out->own[1] = (uint32_t)(magnitude >> 32);
    out->count = out->own[1] != 0 ? 2 : out->own[0] != 0;
    out->digits = out->own;
}

inox_status ix_j_close_int(ix_jrender *r, bool negative, const uint32_t *digits, size_t count,
                           ix_jvalue *out, inox_error *err)
{
    uint64_t small = 0;
    ix_jbig *big;
    uint32_t *copy;

    while (count > 0 && digits[count - 1] == 0)
        count--;
    if (count <= 2) {
        small = count > 0 ? digits[0] : 0;
        if (count == 2)
            small |= (uint64_t)digits[1] << 32;
        if (small <= INT64_MAX || (negative && small == (uint64_t)INT64_MAX + 1)) {
            *out = ix_j_int(negative ? (int64_t)(0 - small) : (int64_t)small);
            return INOX_OK;
        }
    }
    if (count > IX_J_MAX_DIGITS)
        return ix_fail(err, INOX_E_LIMIT, "an int of more than %d bits", IX_J_MAX_DIGITS * 32);
    IX_TRY(IX_J_ALLOC(r, &big, 1, err));
    IX_TRY(IX_J_ALLOC(r, &copy, count, err));
    memcpy(copy, digits, count * sizeof *copy);
    big->negative = negative;
    big->count = (uint32_t)count;
    big->digits = copy;
    *out = (ix_jvalue){ .kind = IX_J_BIG, .big = big };
    return INOX_OK;
}

int ix_j_compare_digits(const ix_jint *a, const ix_jint *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint32_t i = a->count; i-- > 0;)
        if (a->digits[i] != b->digits[i])
            return a->digits[i] < b->digits[i] ? -1 : 1;
    return 0;
}

size_t ix_j_bit_count(const ix_jint *a)
{
    if (a->count == 0)
        return 0;
    return (size_t)a->count * 32 - (size_t)__builtin_clz(a->digits[a->count - 1]);
}

inox_status ix_j_big_add(ix_jrender *r, const ix_jint *a, const ix_jint *b, bool subtract,
                         ix_jvalue *out, inox_error *err)
{
    bool b_negative = b->negative != subtract;
    uint32_t n = (a->count > b->count ? a->count : b->count) + 1, *digits;

    IX_TRY(ix_j_steps(r, n / 16, err));
    IX_TRY(IX_J_ALLOC(r, &digits, n, err));
    if (a->negative == b_negative) {
        uint64_t carry = 0;

        for (uint32_t i = 0; i < n; i++) {
            carry += i < a->count ? a->digits[i] : 0;
            carry += i < b->count ? b->digits[i] : 0;
            digits[i] = (uint32_t)carry;
            carry >>= 32;
        }
        return ix_j_close_int(r, b_negative, digits, n, out, err);
    }
    bool swap = ix_j_compare_digits(a, b) < 0;
    const ix_jint *large = swap ? b : a, *small = swap ? a : b;
    int64_t borrow = 0;
    for (uint32_t i = 0; i < large->count; i++) {
        borrow += large->digits[i];
        borrow -= i < small->count ? small->digits[i] : 0;
        digits[i] = (uint32_t)borrow;
        borrow >>= 32; /* -1 where it was negative */
    }
    return ix_j_close_int(r, swap ? b_negative : a->negative, digits, n, out, err);
}

inox_status ix_j_big_multiply(ix_jrender *r, const ix_jint *a, const ix_jint *b, ix_jvalue *out,
                              inox_error *err)
{
    size_t n = (size_t)a->count + b->count;
    uint32_t *digits;

    if (n > IX_J_MAX_DIGITS + 1)
        return ix_fail(err, INOX_E_LIMIT, "an int of more than %d bits", IX_J_MAX_DIGITS * 32);
    IX_TRY(ix_j_steps(r, (uint64_t)a->count * b->count / 32, err));
    IX_TRY(IX_J_ALLOC(r, &digits, n + 1, err));
    for (uint32_t i = 0; i < a->count; i++) {
        uint64_t carry = 0;

        for (uint32_t j = 0; j < b->count; j++) {
            carry += (uint64_t)a->digits[i] * b->digits[j] + digits[i + j];
            digits[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        digits[i + b->count] = (uint32_t)carry;
    }
    return ix_j_close_int(r, a->negative != b->negative, digits, n, out, err);
}

inox_status ix_j_big_shift(ix_jrender *r, const ix_jint *a, int64_t shift, ix_jvalue *out,
                           inox_error *err)
{
    uint32_t *digits;
    size_t n;

    if (shift > (int64_t)IX_J_MAX_DIGITS * 32 || shift < -(int64_t)IX_J_MAX_DIGITS * 64)
        return ix_fail(err, INOX_E_LIMIT, "an int of more than %d bits", IX_J_MAX_DIGITS * 32);
    if (shift < 0) {
        size_t words = (size_t)(-shift) / 32;
        unsigned bits = (unsigned)((size_t)(-shift) % 32);

        if (words >= a->count) {
            *out = ix_j_int(0);
            return INOX_OK;
        }
        n = a->count - words;
        IX_TRY(IX_J_ALLOC(r, &digits, n, err));
        for (size_t i = 0; i < n; i++) {
            uint64_t two = a->digits[i + words];

            if (i + words + 1 < a->count)
                two |= (uint64_t)a->digits[i + words + 1] << 32;
            digits[i] = (uint32_t)(two >> bits);
        }
        return ix_j_close_int(r, false, digits, n, out, err);
    }
    size_t words = (size_t)shift / 32;
    unsigned bits = (unsigned)((size_t)shift % 32);
    n = a->count + words + 1;
    IX_TRY(IX_J_ALLOC(r, &digits, n, err));
    for (size_t i = 0; i < a->count; i++) {
        uint64_t two = (uint64_t)a->digits[i] << bits;

        digits[i + words] |= (uint32_t)two;
        digits[i + words + 1] = (uint32_t)(two >> 32);
    }
    return ix_j_close_int(r, false, digits, n, out, err);
}

/* ---- division -------------------------------------------------------------------------------- */

/* quotient, in n digits, and remainder by one digit. */
static uint32_t divide_short(const uint32_t *digits, size_t n, uint32_t by, uint32_t *quotient)
{
    uint64_t rest = 0;

    for (size_t i = n; i-- > 0;) {
        rest = rest << 32 | digits[i];
        quotient[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    return (uint32_t)rest;
}

/* u[j..j+n] -= q * v[0..n); true if that went below zero. */
static bool subtract_product(uint32_t *u, const uint32_t *v, size_t n, uint64_t q)
{
    uint64_t carry = 0;
    int64_t borrow = 0;

    for (size_t i = 0; i < n; i++) {
        carry += q * v[i];
        borrow += (int64_t)u[i] - (int64_t)(uint32_t)carry;
        u[i] = (uint32_t)borrow;
        borrow >>= 32;
        carry >>= 32;
    }
    borrow += (int64_t)u[n] - (int64_t)carry;
    u[n] = (uint32_t)borrow;
    return borrow < 0;
}

/* u has m + n + 1 digits and holds the remainder afterwards; v has n >= 2, its top bit set. */
static void divide_long(uint32_t *u, const uint32_t *v, size_t m, size_t n, uint32_t *quotient)
{
    for (size_t j = m + 1; j-- > 0;) {
        uint64_t top = (uint64_t)u[j + n] << 32 | u[j + n - 1];
        uint64_t q = top / v[n - 1], rest = top % v[n - 1];

        while (q > UINT32_MAX || q * v[n - 2] > (rest << 32 | u[j + n - 2])) {
            q--;
            rest += v[n - 1];
            if (rest > UINT32_MAX)
                break;
        }
        if (subtract_product(u + j, v, n, q)) {
            uint64_t carry = 0;

            q--;
            for (size_t i = 0; i < n; i++) {
                carry += (uint64_t)u[i + j] + v[i];
                u[i + j] = (uint32_t)carry;
                carry >>= 32;
            }
            u[j + n] += (uint32_t)carry;
        }
        quotient[j] = (uint32_t)q;
    }
}

static void shift_left(const uint32_t *from, size_t n, unsigned bits, uint32_t *to) /* to: n + 1 */
{
    uint32_t carry = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t two = (uint64_t)from[i] << bits | carry;

        to[i] = (uint32_t)two;
        carry = (uint32_t)(two >> 32);
    }
    to[n] = carry;
}

static void shift_right(uint32_t *digits, size_t n, unsigned bits)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t two = digits[i] | (i + 1 < n ? (uint64_t)digits[i + 1] << 32 : 0);

        digits[i] = (uint32_t)(two >> bits);
    }
}

/* Towards zero: *q and *rest get a->count + 1 digits. */
static inox_status divide_digits(ix_jrender *r, const ix_jint *a, const ix_jint *b, uint32_t **q,
                                 uint32_t **rest, inox_error *err)
{
    size_t n = b->count, all = (size_t)a->count + 2;
    uint32_t *divisor;

    IX_TRY(IX_J_ALLOC(r, q, all, err));
    IX_TRY(IX_J_ALLOC(r, rest, all, err));
    if (ix_j_compare_digits(a, b) < 0) {
        if (a->count > 0)
            memcpy(*rest, a->digits, a->count * sizeof **rest);
        return INOX_OK;
    }
    IX_TRY(ix_j_steps(r, (uint64_t)(a->count - n + 1) * n / 16, err));
    if (n == 1) {
        (*rest)[0] = divide_short(a->digits, a->count, b->digits[0], *q);
        return INOX_OK;
    }
    unsigned bits = (unsigned)__builtin_clz(b->digits[n - 1]);
    IX_TRY(IX_J_ALLOC(r, &divisor, n + 1, err));
    shift_left(b->digits, n, bits, divisor);
    shift_left(a->digits, a->count, bits, *rest);
    divide_long(*rest, divisor, a->count - n, n, *q);
    shift_right(*rest, n, bits);
    return INOX_OK;
}

inox_status ix_j_big_divide(ix_jrender *r, const ix_jint *a, const ix_jint *b, ix_jvalue *quotient,
                            ix_jvalue *remainder, inox_error *err)
{
    bool negative = a->negative != b->negative;
    uint32_t *q, *rest;
    ix_jvalue q_value, rest_value;
    ix_jint opened;

    IX_TRY(divide_digits(r, a, b, &q, &rest, err));
    IX_TRY(ix_j_close_int(r, negative, q, (size_t)a->count + 1, &q_value, err));
    IX_TRY(ix_j_close_int(r, a->negative, rest, (size_t)a->count + 1, &rest_value, err));
    ix_j_open_int(rest_value, &opened);
    if (negative && opened.count > 0) { /* round down: one less, and the rest from below */
        ix_jint one, down;

        ix_j_open_int(ix_j_int(1), &one);
        ix_j_open_int(q_value, &down);
        IX_TRY(ix_j_big_add(r, &down, &one, true, &q_value, err));
        IX_TRY(ix_j_big_add(r, &opened, b, false, &rest_value, err));
    }
    if (quotient)
        *quotient = q_value;
    if (remainder)
        *remainder = rest_value;
    return INOX_OK;
}
