/* Doubles in decimal and back.  Shortest digits: the free-format algorithm of Steele and White as
 * Burger and Dybvig give it ("Printing Floating-Point Numbers Quickly and Accurately", 1996), on
 * integers of a fixed size.  Reading: one exact long division of integers.  Neither is fast;
 * numbers are rare in templates. */
#include "text/jinja/decimal.h"

#include <string.h>

/* ---- integers of a fixed size -------------------------------------------------------------- */

/* Largest number: 10^1150 (a divisor for 801 digits at the bottom of the range), shifted by 64. */
enum { BIG_WORDS = 128 };

typedef struct big {
    uint32_t word[BIG_WORDS]; /* least first */
    int count;                /* without leading zeros */
} big;

static void big_set(big *b, uint64_t x)
{
    b->count = 0;
    for (; x != 0; x >>= 32)
        b->word[b->count++] = (uint32_t)x;
}

/* b = b * m + a */
static void big_multiply(big *b, uint32_t m, uint32_t a)
{
    uint64_t carry = a;
    for (int i = 0; i < b->count; i++) {
        carry += (uint64_t)b->word[i] * m;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0 && b->count < BIG_WORDS)
        b->word[b->count++] = (uint32_t)carry;
}

/* b = b * base^n for a base of at most 10 */
static void big_power(big *b, uint32_t base, int n)
{
    for (; n >= 9; n -= 9) {
        uint32_t m = 1;
        for (int i = 0; i < 9; i++)
            m *= base;
        big_multiply(b, m, 0);
    }
    for (; n > 0; n--)
        big_multiply(b, base, 0);
}

static void big_shift(big *b, int bits)
{
    int words = bits / 32;
    bits %= 32;
    if (b->count == 0 || b->count + words + 1 > BIG_WORDS)
        return;
    b->word[b->count] = 0;
    for (int i = b->count; i >= 0; i--) {
        uint32_t low = i > 0 && bits > 0 ? b->word[i - 1] >> (32 - bits) : 0;
        b->word[i + words] = b->word[i] << bits | low;
    }
    memset(b->word, 0, (size_t)words * sizeof b->word[0]);
    b->count += words + 1;
    while (b->count > 0 && b->word[b->count - 1] == 0)
        b->count--;
}

static int big_compare(const big *a, const big *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--)
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i] ? -1 : 1;
    return 0;
}

static void big_add(big *a, const big *b)
{
    uint64_t carry = 0;
    int n = a->count > b->count ? a->count : b->count;
    for (int i = 0; i < n; i++) {
        carry += (uint64_t)(i < a->count ? a->word[i] : 0) + (i < b->count ? b->word[i] : 0);
        a->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    a->count = n;
    if (carry != 0 && n < BIG_WORDS)
        a->word[a->count++] = (uint32_t)carry;
}

/* a = a - b, which is not negative */
static void big_subtract(big *a, const big *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < a->count; i++) {
        uint64_t d = (uint64_t)a->word[i] - (i < b->count ? b->word[i] : 0) - borrow;
        a->word[i] = (uint32_t)d;
        borrow = d >> 63;
    }
    while (a->count > 0 && a->word[a->count - 1] == 0)
        a->count--;
}

/* b = b / d; returns the remainder */
static uint32_t big_divide(big *b, uint32_t d)
{
    uint64_t rest = 0;
    for (int i = b->count - 1; i >= 0; i--) {
        rest = rest << 32 | b->word[i];
        b->word[i] = (uint32_t)(rest / d);
        rest %= d;
    }
    while (b->count > 0 && b->word[b->count - 1] == 0)
        b->count--;
    return (uint32_t)rest;
}

static int big_bits(const big *b)
{
    return b->count == 0 ? 0 : 32 * b->count - __builtin_clz(b->word[b->count - 1]);
}

/* ---- doubles to decimals ------------------------------------------------------------------- */

/* |x| = m * 2^e */
static uint64_t take_apart(double x, int *e, bool *negative)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t m = bits & 0xFFFFFFFFFFFFFu;
    int field = (int)(bits >> 52 & 0x7FF);
    *negative = bits >> 63;
    *e = (field > 0 ? field : 1) - 1075;
    return field > 0 ? m | 1ull << 52 : m;
}

static void drop_zeros(ix_decimal *d)
{
    while (d->count > 0 && d->digits[d->count - 1] == '0')
        d->count--;
    if (d->count == 0)
        d->point = 0;
}

/* The digits of n, which stands for n * 10^-places. */
static void set_digits(ix_decimal *d, big *n, int places)
{
    char reversed[IX_DECIMAL_DIGITS];
    int count = 0;
    while (n->count > 0) {
        uint32_t nine = big_divide(n, 1000000000);
        for (int i = 0; i < 9 && (n->count > 0 || nine > 0) && count < IX_DECIMAL_DIGITS; i++) {
            reversed[count++] = (char)('0' + nine % 10);
            nine /= 10;
        }
    }
    for (int i = 0; i < count; i++)
        d->digits[i] = reversed[count - 1 - i];
    d->count = count;
    d->point = count - places;
    drop_zeros(d);
}

void ix_decimal_exact(double x, ix_decimal *out)
{
    int e;
    big n;
    uint64_t m = take_apart(x, &e, &out->negative);
    while (m != 0 && e < 0 && (m & 1) == 0) {
        m >>= 1;
        e++;
    }
    big_set(&n, m);
    if (e < 0) /* m / 2^k = m * 5^k / 10^k */
        big_power(&n, 5, -e);
    else
        big_shift(&n, e);
    set_digits(out, &n, e < 0 ? -e : 0);
}

/* r / s = x, low / s and high / s = the distances to the borders of what reads back as x, all
 * scaled by a power of ten so that the digits of r / s begin right after the point. */
typedef struct shortest {
    big r, s, low, high;
    bool closed; /* the borders read back as x too */
} shortest;

static int scale(shortest *w, uint64_t m, int e, int *point)
{
    bool narrow = m == 1ull << 52 && e > -1074; /* the next double below is half as far away */
    int up = e > 0 ? e : 0, k;
    big_set(&w->r, m);
    big_set(&w->s, 1);
    big_set(&w->low, 1);
    big_shift(&w->r, up + 1 + narrow);
    big_shift(&w->s, (e < 0 ? -e : 0) + 1 + narrow);
    big_shift(&w->low, up);
    w->high = w->low;
    if (narrow)
        big_shift(&w->high, 1);
    w->closed = (m & 1) == 0;
    /* An estimate of the place of the first digit, never too large and at most one too small:
     * log10(2) is a little more than 1233 / 4096, and divisions round towards zero. */
    int bits = big_bits(&w->r) - big_bits(&w->s);
    k = (bits - 1) * 1233 / 4096 - ((bits - 1) < 0) - 1;
    if (k >= 0) {
        big_power(&w->s, 10, k);
    } else {
        big_power(&w->r, 10, -k);
        big_power(&w->low, 10, -k);
        big_power(&w->high, 10, -k);
    }
    for (;;) { /* until (r + high) / s < 1, or <= 1 where the border does not belong to x */
        big sum = w->r;
        big_add(&sum, &w->high);
        int c = big_compare(&sum, &w->s);
        if (c < 0 || (c == 0 && !w->closed))
            break;
        big_multiply(&w->s, 10, 0);
        k++;
    }
    *point = k;
    return k;
}

void ix_decimal_shortest(double x, ix_decimal *out)
{
    int e;
    shortest w;
    uint64_t m = take_apart(x, &e, &out->negative);
    out->count = out->point = 0;
    if (m == 0)
        return;
    (void)scale(&w, m, e, &out->point);
    for (;;) {
        int digit = 0;
        big_multiply(&w.r, 10, 0);
        big_multiply(&w.low, 10, 0);
        big_multiply(&w.high, 10, 0);
        while (big_compare(&w.r, &w.s) >= 0) {
            big_subtract(&w.r, &w.s);
            digit++;
        }
        big sum = w.r;
        big_add(&sum, &w.high);
        int below = big_compare(&w.r, &w.low), above = big_compare(&sum, &w.s);
        bool down = below < 0 || (below == 0 && w.closed);
        bool up = above > 0 || (above == 0 && w.closed);
        if (down && up) { /* both would do: the nearer one, the even one of a tie */
            big_multiply(&w.r, 2, 0);
            int c = big_compare(&w.r, &w.s);
            up = c > 0 || (c == 0 && (digit & 1));
        }
        out->digits[out->count++] = (char)('0' + digit + ((down || up) && up));
        if (down || up || out->count == 17)
            break;
    }
    /* A digit that was rounded up to ten carries. */
    while (out->count > 1 && out->digits[out->count - 1] > '9') {
        out->count--;
        out->digits[out->count - 1]++;
    }
    if (out->digits[0] > '9') {
        out->digits[0] = '1';
        out->point++;
    }
    drop_zeros(out);
}

void ix_decimal_round(ix_decimal *d, int count)
{
    if (count >= d->count)
        return;
    bool up = false;
    if (count >= 0) {
        bool tie = d->digits[count] == '5' && count + 1 == d->count;
        up = tie ? count > 0 && (d->digits[count - 1] & 1) : d->digits[count] >= '5';
    }
    d->count = count > 0 ? count : 0;
    if (up) {
        while (d->count > 0 && d->digits[d->count - 1] == '9')
            d->count--;
        if (d->count > 0) {
            d->digits[d->count - 1]++;
        } else { /* 0.99 or 0.7 becomes 1 */
            d->digits[d->count++] = '1';
            d->point++;
        }
    }
    drop_zeros(d);
}

/* ---- decimals to doubles ------------------------------------------------------------------- */

/* m * 2^e with the 64 bits of m and a flag for what is below them, rounded to a double. */
static double put_together(uint64_t m, int e, bool rest, bool negative)
{
    uint64_t bits;
    double x;
    int drop = 11; /* m has its top bit set */
    if (e + drop < -1074)
        drop = -1074 - e;
    if (drop > 64) {
        bits = 0;
    } else {
        uint64_t kept = drop == 64 ? 0 : m >> drop;
        uint64_t half = 1ull << (drop - 1), low = drop == 64 ? m : m & ((1ull << drop) - 1);
        if (low > half || (low == half && (rest || (kept & 1))))
            kept++; /* may become 2^53: the sum below carries into the exponent */
        int field = e + drop + 1074;
        bits = field >= 2046 ? 0x7FF0000000000000u : ((uint64_t)field << 52) + kept;
        if (bits > 0x7FF0000000000000u)
            bits = 0x7FF0000000000000u;
    }
    bits |= (uint64_t)negative << 63;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double ix_decimal_to_float(const ix_decimal *d)
{
    big n, q;
    uint64_t m = 0;
    if (d->count == 0 || d->point < -330)
        return d->negative ? -0.0 : 0.0;
    if (d->point > 310)
        return put_together(1ull << 63, 2000, false, d->negative);
    big_set(&n, 0);
    for (int i = 0; i < d->count; i++)
        big_multiply(&n, 10, (uint32_t)(d->digits[i] - '0'));
    big_set(&q, 1);
    int power = d->point - d->count; /* value = n * 10^power */
    big_power(power < 0 ? &q : &n, 10, power < 0 ? -power : power);
    /* Shift so that 1 <= n / q < 2, then take 64 bits of the quotient. */
    int e = big_bits(&n) - big_bits(&q);
    big_shift(e < 0 ? &n : &q, e < 0 ? -e : e);
    if (big_compare(&n, &q) < 0) {
        big_shift(&n, 1);
        e--;
    }
    for (int i = 0; i < 64; i++) {
        m <<= 1;
        if (big_compare(&n, &q) >= 0) {
            big_subtract(&n, &q);
            m |= 1;
        }
        big_shift(&n, 1);
    }
    return put_together(m, e - 63, n.count > 0, d->negative);
}

/* ---- text ---------------------------------------------------------------------------------- */

size_t ix_float_repr(double x, char out[IX_FLOAT_REPR_BYTES])
{
    ix_decimal d;
    size_t n = 0;
    if (!ix_float_is_finite(x)) {
        const char *word = x != x ? "nan" : x > 0 ? "inf" : "-inf";
        memcpy(out, word, strlen(word) + 1);
        return strlen(word);
    }
    ix_decimal_shortest(x, &d);
    if (d.negative)
        out[n++] = '-';
    int e = d.count == 0 ? 0 : d.point - 1;
    if (e >= -4 && e < 16) {
        for (int i = 0; i <= e || i == 0; i++)
            out[n++] = e < 0 || i >= d.count ? '0' : d.digits[i];
        out[n++] = '.';
        for (int i = e + 1; i < 0; i++)
            out[n++] = '0';
        for (int i = e >= 0 ? e + 1 : 0; i < d.count; i++)
            out[n++] = d.digits[i];
        if (out[n - 1] == '.')
            out[n++] = '0';
    } else {
        out[n++] = d.digits[0];
        if (d.count > 1)
            out[n++] = '.';
        for (int i = 1; i < d.count; i++)
            out[n++] = d.digits[i];
        out[n++] = 'e';
        out[n++] = e < 0 ? '-' : '+';
        e = e < 0 ? -e : e;
        if (e >= 100)
            out[n++] = (char)('0' + e / 100);
        out[n++] = (char)('0' + e / 10 % 10);
        out[n++] = (char)('0' + e % 10);
    }
    out[n] = 0;
    return n;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* True where text[0..size) is `word` in any case. */
static bool is_word(const char *text, size_t size, const char *word)
{
    if (size != strlen(word))
        return false;
    for (size_t i = 0; i < size; i++)
        if ((text[i] | 32) != word[i])
            return false;
    return true;
}

/* Digits with single underscores between them; returns where they end.  d may be NULL (an exponent,
 * whose value goes to *number). */
static size_t read_digits(const char *text, size_t size, size_t i, ix_decimal *d, bool fraction,
                          int *number)
{
    for (; i < size; i++) {
        if (text[i] == '_' && i > 0 && is_digit(text[i - 1]) && i + 1 < size &&
            is_digit(text[i + 1]))
            continue;
        if (!is_digit(text[i]))
            break;
        if (!d) {
            *number = *number < 100000000 ? *number * 10 + (text[i] - '0') : *number;
            continue;
        }
        if (d->count == 0 && text[i] == '0') {
            d->point -= fraction && d->point > -1000000000;
            continue;
        }
        d->point += !fraction && d->point < 1000000000;
        if (d->count < IX_DECIMAL_DIGITS - 1)
            d->digits[d->count++] = text[i];
        else if (text[i] != '0') /* too far down to be told from any other digit but zero */
            d->digits[IX_DECIMAL_DIGITS - 1] = '1';
    }
    return i;
}

bool ix_float_parse(const char *text, size_t size, double *out)
{
    ix_decimal d = { .count = 0 };
    size_t i = 0, from;
    int exponent = 0;
    bool any, negative;
    d.digits[IX_DECIMAL_DIGITS - 1] = '0';
    if (size > 0 && (text[0] == '-' || text[0] == '+'))
        d.negative = text[i++] == '-';
    if (is_word(text + i, size - i, "inf") || is_word(text + i, size - i, "infinity")) {
        *out = put_together(1ull << 63, 2000, false, d.negative);
        return true;
    }
    if (is_word(text + i, size - i, "nan")) {
        uint64_t bits = 0x7FF8000000000000u | (uint64_t)d.negative << 63;
        memcpy(out, &bits, sizeof bits);
        return true;
    }
    from = i;
    i = read_digits(text, size, i, &d, false, NULL);
    any = i > from;
    if (i < size && text[i] == '.') {
        from = ++i;
        i = read_digits(text, size, i, &d, true, NULL);
        any = any || i > from;
    }
    if (!any)
        return false;
    if (i < size && (text[i] | 32) == 'e') {
        i++;
        negative = i < size && text[i] == '-';
        i += i < size && (text[i] == '-' || text[i] == '+');
        from = i;
        i = read_digits(text, size, i, NULL, false, &exponent);
        if (i == from)
            return false;
        exponent = negative ? -exponent : exponent;
    }
    if (i != size)
        return false;
    if (d.count == IX_DECIMAL_DIGITS - 1 && d.digits[IX_DECIMAL_DIGITS - 1] == '1')
        d.count++;
    /* A zero has no digits, and its point says nothing. */
    d.point = d.count == 0 ? 0 : d.point + exponent;
    *out = ix_decimal_to_float(&d);
    return true;
}
