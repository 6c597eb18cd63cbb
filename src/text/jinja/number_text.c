/* Numbers to text and back, by Python's rules.
 *
 * Floats go through decimal.h.  Ints in base 10 have Python's limit of 4,300 digits both ways.
 */
#include "text/jinja/big.h"
#include "text/jinja/decimal.h"
#include "text/jinja/render.h"
#include "text/unicode.h"

#include <string.h>

#define DECIMAL_MAX 4300 /* CPython's sys.int_info.default_max_str_digits */

static inox_status too_many_digits(inox_error *err)
{
    return ix_j_fail(err, "ValueError",
                     "Exceeds the limit (%d digits) for integer string conversion", DECIMAL_MAX);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void strip(const char **text, size_t *size)
{
    uint32_t c;

    while (*size > 0) {
        size_t n = ix_utf8_read(*text, *size, &c);

        if (!ix_j_is_space(c))
            break;
        *text += n;
        *size -= n;
    }
    while (*size > 0) {
        size_t n = 1;

        while (n < *size && n < 4 && ((unsigned char)(*text)[*size - n] & 0xC0) == 0x80)
            n++;
        (void)ix_utf8_read(*text + *size - n, n, &c);
        if (!ix_j_is_space(c))
            break;
        *size -= n;
    }
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

/* The base that a prefix 0x, 0o, 0b names, or 0. */
static int prefix_base(const char *text, size_t size)
{
    if (size < 2 || text[0] != '0')
        return 0;
    switch (text[1]) {
    case 'x':
    case 'X': return 16;
    case 'o':
    case 'O': return 8;
    case 'b':
    case 'B': return 2;
    default: return 0;
    }
}

/* digits = digits * base + digit; grows into the zeros behind. */
static void multiply_add(uint32_t *digits, size_t *count, uint32_t base, uint32_t digit)
{
    uint64_t carry = digit;

    for (size_t i = 0; i < *count; i++) {
        carry += (uint64_t)digits[i] * base;
        digits[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0)
        digits[(*count)++] = (uint32_t)carry;
}

inox_status ix_j_parse_int(ix_jrender *r, const char *text, size_t size, int base, ix_jvalue *out,
                           bool *ok, inox_error *err)
{
    bool negative = false, was_digit = false, only_zeros = false;
    size_t count = 0, digits_read = 0;
    uint32_t *digits;

    *ok = false;
    strip(&text, &size);
    if (size > 0 && (*text == '-' || *text == '+')) {
        negative = *text == '-';
        text++;
        size--;
    }
    int prefix = prefix_base(text, size);
    if (prefix != 0 && (base == 0 || base == prefix)) {
        base = prefix;
        text += 2;
        size -= 2;
        was_digit = true; /* an underscore may follow the prefix */
    } else if (base == 0) {
        base = 10;
        only_zeros = size > 0 && *text == '0'; /* 012 is no number, 00 is */
    }
    if (size == 0)
        return INOX_OK;
    if (size / 4 > (size_t)IX_J_MAX_DIGITS * 8)
        return ix_fail(err, INOX_E_LIMIT, "an int of %zu digits", size);
    IX_TRY(ix_j_steps(r, (uint64_t)size * size / 1024, err));
    IX_TRY(IX_J_ALLOC(r, &digits, size / 4 + 4, err));
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '_') {
            if (!was_digit)
                return INOX_OK;
            was_digit = false;
            continue;
        }
        int digit = digit_of(text[i]);
        if (digit >= base || (only_zeros && digit != 0))
            return INOX_OK;
        was_digit = true;
        digits_read++;
        multiply_add(digits, &count, (uint32_t)base, (uint32_t)digit);
    }
    if (!was_digit)
        return INOX_OK;
    if (digits_read > DECIMAL_MAX && (base & (base - 1)) != 0)
        return too_many_digits(err);
    IX_TRY(ix_j_close_int(r, negative, digits, count, out, err));
    *ok = true;
    return INOX_OK;
}

bool ix_j_parse_float(const char *text, size_t size, double *out)
{
    strip(&text, &size);
    return ix_float_parse(text, size, out);
}

/* ---- ints ------------------------------------------------------------------------------------ */

inox_status ix_j_int_text(ix_jrender *r, ix_jvalue v, int base, const char **out, size_t *size,
                          inox_error *err)
{
    ix_jint opened;
    uint32_t *digits;
    char *text;

    ix_j_open_int(v, &opened);
    /* A digit of base 10 has more than 3 bits; Python's limit keeps the long division short. */
    if (base == 10 && ix_j_bit_count(&opened) > DECIMAL_MAX * 10 / 3)
        return too_many_digits(err);
    size_t room = ix_j_bit_count(&opened) / (base == 16 || base == 10 ? 3 : 1) + 4, at = room;
    size_t count = opened.count;
    uint32_t chunk = base == 10 ? 1000000000u : base == 16 ? 1u << 28 : 1u << 30;
    int chunk_digits = base == 10 ? 9 : base == 16 ? 7 : base == 8 ? 10 : 30;
    IX_TRY(ix_j_steps(r, (uint64_t)count * count / 16, err));
    IX_TRY(IX_J_ALLOC(r, &text, room, err));
    IX_TRY(IX_J_ALLOC(r, &digits, count + 1, err));
    if (count > 0)
        memcpy(digits, opened.digits, count * sizeof *digits);
    while (count > 0) {
        uint64_t rest = 0;

        for (size_t i = count; i-- > 0;) {
            rest = rest << 32 | digits[i];
            digits[i] = (uint32_t)(rest / chunk);
            rest %= chunk;
        }
        while (count > 0 && digits[count - 1] == 0)
            count--;
        for (int i = 0; i < chunk_digits && (count > 0 || rest > 0); i++) {
            text[--at] = "0123456789abcdef"[rest % (unsigned)base];
            rest /= (unsigned)base;
        }
    }
    if (at == room)
        text[--at] = '0';
    if (base == 10 && room - at > DECIMAL_MAX)
        return too_many_digits(err);
    if (opened.negative)
        text[--at] = '-';
    *out = text + at;
    *size = room - at;
    return INOX_OK;
}

/* ---- floats ---------------------------------------------------------------------------------- */

size_t ix_j_float_text(double f, char out[IX_J_FLOAT_TEXT])
{
    return ix_float_repr(f, out);
}

inox_status ix_j_round(ix_jrender *r, double f, int64_t digits, double *out, inox_error *err)
{
    ix_decimal d;

    (void)r;
    *out = f;
    if (!ix_float_is_finite(f) || digits > IX_DECIMAL_DIGITS * 2)
        return INOX_OK;
    if (digits < -IX_DECIMAL_DIGITS)
        digits = -IX_DECIMAL_DIGITS;
    ix_decimal_exact(f, &d);
    ix_decimal_round(&d, d.point + (int)digits);
    *out = ix_decimal_to_float(&d);
    if (!ix_float_is_finite(*out))
        return ix_j_fail(err, "OverflowError", "rounded value too large to represent");
    return INOX_OK;
}
