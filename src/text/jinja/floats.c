/* Text of floats as Python's formatter writes it (pystrtod.c's format_float_short): the digits come
 * from decimal.h, this file places them. */
#include "text/jinja/decimal.h"
#include "text/jinja/strings.h"

#include <string.h>

/* Digit number `place` of d, counted from the point: 0 is the first one behind it, -1 the last one
 * before it. */
static char digit_at(const ix_decimal *d, int64_t place)
{
    int64_t i = place + d->point;
    return i >= 0 && i < d->count ? d->digits[i] : '0';
}

static size_t put_exponent(char *out, int e, bool large)
{
    size_t n = 0;
    out[n++] = large ? 'E' : 'e';
    out[n++] = e < 0 ? '-' : '+';
    e = e < 0 ? -e : e;
    if (e >= 100)
        out[n++] = (char)('0' + e / 100);
    out[n++] = (char)('0' + e / 10 % 10);
    out[n++] = (char)('0' + e % 10);
    return n;
}

/* Rounds x for the style; *fraction = digits wanted behind the point (of the mantissa where
 * *exponent), *exponent = whether an exponent is written. */
static void place(double x, char style, int64_t precision, int flags, ix_decimal *d,
                  int64_t *fraction, bool *exponent)
{
    if (style == 'r')
        ix_decimal_shortest(x, d);
    else
        ix_decimal_exact(x, d);
    int64_t keep = style == 'e' ? precision + 1 : style == 'g' ? precision : d->point + precision;
    if (style != 'r' && keep < d->count)
        ix_decimal_round(d, (int)(keep < -1 ? -1 : keep));
    int point = d->count == 0 ? 1 : d->point; /* zero is written as one digit before the point */
    *exponent = style == 'e';
    if (style == 'g')
        *exponent = point <= -4 || point > precision - ((flags & IX_J_FLOAT_DOT_ZERO) != 0);
    else if (style == 'r')
        *exponent = point <= -4 || point > 16;
    int64_t before = *exponent ? 1 : point; /* digits before the point; negative: zeros behind it */
    if (style == 'e' || style == 'f')
        *fraction = precision;
    else if (style == 'g' && flags & IX_J_FLOAT_ALTERNATE)
        *fraction = precision - before;
    else
        *fraction = (d->count == 0 ? 1 : d->count) - before;
    if (*fraction < 0)
        *fraction = 0;
    if (*fraction == 0 && !*exponent && flags & IX_J_FLOAT_DOT_ZERO)
        *fraction = 1;
}

inox_status ix_js_float(ix_jrender *r, double x, char style, int64_t precision, int flags,
                        const char **text, size_t *size, inox_error *err)
{
    ix_decimal d;
    int64_t fraction;
    bool exponent, large = style >= 'A' && style <= 'Z';
    char *out;
    size_t n = 0;
    style = (char)(large ? style + 'a' - 'A' : style);
    if (!ix_float_is_finite(x)) {
        *text = x != x  ? large ? "NAN" : "nan"
                : x > 0 ? large ? "INF" : "inf"
                        : (large ? "-INF" : "-inf");
        *size = strlen(*text);
        return INOX_OK;
    }
    if (style == 'g' && precision == 0)
        precision = 1;
    IX_TRY(ix_j_steps(r, 50, err)); /* exact digits take a while */
    place(x, style, precision, flags, &d, &fraction, &exponent);
    int64_t before = exponent || d.count == 0 || d.point < 1 ? 1 : d.point;
    if (d.count == 0 && flags & IX_J_FLOAT_NO_NEGATIVE_ZERO)
        d.negative = false;
    int e = d.count == 0 ? 0 : d.point - 1;
    if (exponent) /* the mantissa has one digit before the point */
        d.point = d.count == 0 ? 0 : 1;
    IX_TRY(ix_j_steps(r, (uint64_t)(before + fraction) / 16 + 1, err));
    IX_TRY(ix_j_alloc(r, (size_t)(before + fraction) + 16, 1, (void **)&out, err));
    if (d.negative)
        out[n++] = '-';
    for (int64_t i = -before; i < 0; i++)
        out[n++] = digit_at(&d, i);
    if (fraction > 0 || flags & IX_J_FLOAT_ALTERNATE)
        out[n++] = '.';
    for (int64_t i = 0; i < fraction; i++)
        out[n++] = digit_at(&d, i);
    if (exponent)
        n += put_exponent(out + n, e, large);
    *text = out;
    *size = n;
    return INOX_OK;
}
