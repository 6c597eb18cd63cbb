/* Python's datetime.strftime hands all but %z, %Z and %f to the C library; this is what glibc does
 * with the rest in the C locale (flags _ - 0 ^ #, a width, modifiers E and O), after its
 * documentation and its answers.  Directives that glibc does not know stay as they are. */
#include "text/jinja/strftime.h"

#include "text/jinja/strings.h"

#include <string.h>

static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday" };
static const char *const months[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };

typedef struct directive {
    char pad; /* '_', '-', '0', or 0 for the directive's own */
    bool upper, change_case;
    int64_t width; /* -1: none */
    char modifier; /* 'E', 'O' or 0 */
} directive;

/* ---- the calendar ---------------------------------------------------------------------------- */

static bool is_leap(int64_t y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* Days since the first of January. */
static int year_day(const ix_jtime *t)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    return before[t->month - 1] + t->day - 1 + (t->month > 2 && is_leap(t->year));
}

/* Days from 1970-01-01, by the proleptic Gregorian calendar. */
static int64_t day_number(const ix_jtime *t)
{
    int64_t y = (int64_t)t->year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + year_day(t) - 719162;
}

static int week_day(const ix_jtime *t) /* 0: Sunday */
{
    return (int)(((day_number(t) + 4) % 7 + 7) % 7);
}

/* The week of ISO 8601 and the year that it belongs to. */
static int iso_week(const ix_jtime *t, int *year)
{
    int monday_based = (week_day(t) + 6) % 7;
    int week = (year_day(t) - monday_based + 10) / 7; /* of the Thursday in this week */
    *year = t->year;
    if (week < 1) {
        ix_jtime last = { .year = t->year - 1, .month = 12, .day = 31 };
        return iso_week(&last, year);
    }
    if (week == 53) {
        int days_left = 364 + is_leap(t->year) - year_day(t);
        if (days_left < 3 - monday_based) {
            ++*year;
            return 1;
        }
    }
    return week;
}

/* ---- what a directive writes ----------------------------------------------------------------- */

static inox_status put(ix_jbuilder *b, const directive *d, const char *text, size_t n, bool lower,
                       bool user, inox_error *err)
{
    IX_TRY(ix_js_fill(b, d->pad == '0' ? '0' : ' ', user,
                      d->width > (int64_t)n ? d->width - (int64_t)n : 0, err));
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (lower && c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        else if (d->upper && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        IX_TRY(ix_jb_bytes(b, &c, 1, user, err));
    }
    return INOX_OK;
}

/* A number of at least `digits` digits, filled with `pad` where the directive has no flag. */
static inox_status put_number(ix_jbuilder *b, directive d, int64_t value, int digits, char pad,
                              bool user, inox_error *err)
{
    char text[24];
    size_t n = sizeof text;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (d.pad == 0)
        d.pad = pad;
    do
        text[--n] = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (value < 0)
        text[--n] = '-';
    int padding = digits - (int)(sizeof text - n);
    if (d.pad == '_' && padding > 0) {
        IX_TRY(ix_js_fill(b, ' ', user, padding, err));
        d.width = d.width > padding ? d.width - padding : 0;
    } else if (d.pad != '-') {
        while (padding-- > 0)
            text[--n] = '0';
    }
    return put(b, &d, text + n, sizeof text - n, false, user, err);
}

static inox_status put_all(ix_jbuilder *b, const ix_jtime *t, const char *format, bool upper,
                           bool user, inox_error *err);

/* A directive that stands for others, as one text of the given width. */
static inox_status put_composed(ix_jbuilder *b, const directive *d, const ix_jtime *t,
                                const char *format, bool user, inox_error *err)
{
    ix_jbuilder inner = ix_jb(b->r);
    ix_jvalue text;
    IX_TRY(put_all(&inner, t, format, d->upper, user, err));
    IX_TRY(ix_jb_finish(&inner, false, &text, err));
    int64_t size = text.string->size;
    IX_TRY(
        ix_js_fill(b, d->pad == '0' ? '0' : ' ', user, d->width > size ? d->width - size : 0, err));
    return ix_jb_string(b, text.string, err);
}

/* Names and compositions; *known is false where c is none of them. */
static inox_status put_words(ix_jbuilder *b, directive *d, const ix_jtime *t, char c, bool user,
                             bool *known, inox_error *err)
{
    const char *name, *half = t->hour < 12 ? "AM" : "PM", *composed;
    *known = true;
    switch (c) {
    case 'a':
    case 'A':
        d->upper = d->upper || d->change_case;
        name = days[week_day(t)];
        return put(b, d, name, c == 'a' ? 3 : strlen(name), false, user, err);
    case 'b':
    case 'h':
    case 'B':
        d->upper = d->upper || d->change_case;
        name = months[t->month - 1];
        return put(b, d, name, c != 'B' ? 3 : strlen(name), false, user, err);
    case 'p':
        if (d->change_case)
            d->upper = false;
        return put(b, d, half, 2, d->change_case, user, err);
    case 'P': return put(b, d, half, 2, true, user, err);
    case 'n': return put(b, d, "\n", 1, false, user, err);
    case 't': return put(b, d, "\t", 1, false, user, err);
    case '%': return put(b, d, "%", 1, false, user, err);
    case 'c': composed = "%a %b %e %H:%M:%S %Y"; break;
    case 'D':
    case 'x': composed = "%m/%d/%y"; break;
    case 'F': composed = "%Y-%m-%d"; break;
    case 'r': composed = "%I:%M:%S %p"; break;
    case 'R': composed = "%H:%M"; break;
    case 'T':
    case 'X': composed = "%H:%M:%S"; break;
    default: *known = false; return INOX_OK;
    }
    return put_composed(b, d, t, composed, user, err);
}

static inox_status put_directive(ix_jbuilder *b, directive *d, const ix_jtime *t, char c, bool user,
                                 bool *known, inox_error *err)
{
    int iso_year, hour = t->hour % 12 == 0 ? 12 : t->hour % 12, week = iso_week(t, &iso_year);
    int of_week = week_day(t), of_year = year_day(t);
    IX_TRY(put_words(b, d, t, c, user, known, err));
    if (*known)
        return INOX_OK;
    *known = true;
    switch (c) {
    case 'C': return put_number(b, *d, t->year / 100, 2, '0', user, err);
    case 'd': return put_number(b, *d, t->day, 2, '0', user, err);
    case 'e': return put_number(b, *d, t->day, 2, '_', user, err);
    case 'g': return put_number(b, *d, iso_year % 100, 2, '0', user, err);
    case 'G': return put_number(b, *d, iso_year, 1, '0', user, err);
    case 'H': return put_number(b, *d, t->hour, 2, '0', user, err);
    case 'I': return put_number(b, *d, hour, 2, '0', user, err);
    case 'j': return put_number(b, *d, of_year + 1, 3, '0', user, err);
    case 'k': return put_number(b, *d, t->hour, 2, '_', user, err);
    case 'l': return put_number(b, *d, hour, 2, '_', user, err);
    case 'm': return put_number(b, *d, t->month, 2, '0', user, err);
    case 'M': return put_number(b, *d, t->minute, 2, '0', user, err);
    case 's':
        return put_number(b, *d,
                          day_number(t) * 86400 + t->hour * 3600 + t->minute * 60 + t->second, 1,
                          '0', user, err);
    case 'S': return put_number(b, *d, t->second, 2, '0', user, err);
    case 'u': return put_number(b, *d, of_week == 0 ? 7 : of_week, 1, '0', user, err);
    case 'U': return put_number(b, *d, (of_year - of_week + 7) / 7, 2, '0', user, err);
    case 'V': return put_number(b, *d, week, 2, '0', user, err);
    case 'w': return put_number(b, *d, of_week, 1, '0', user, err);
    case 'W': return put_number(b, *d, (of_year - (of_week + 6) % 7 + 7) / 7, 2, '0', user, err);
    case 'y': return put_number(b, *d, t->year % 100, 2, '0', user, err);
    case 'Y': return put_number(b, *d, t->year, 1, '0', user, err);
    default: *known = false; return INOX_OK;
    }
}

/* Reads flags, width and modifier behind a '%'; returns the bytes read. */
static size_t read_flags(const char *text, size_t size, directive *d)
{
    size_t i = 0;
    *d = (directive){ .width = -1 };
    for (; i < size; i++) {
        if (text[i] == '_' || text[i] == '-' || text[i] == '0')
            d->pad = text[i];
        else if (text[i] == '^')
            d->upper = true;
        else if (text[i] == '#')
            d->change_case = true;
        else
            break;
    }
    for (; i < size && text[i] >= '0' && text[i] <= '9'; i++) {
        d->width = d->width < 0 ? 0 : d->width;
        d->width = d->width > INT32_MAX / 10 ? INT32_MAX : d->width * 10 + (text[i] - '0');
    }
    if (i < size && (text[i] == 'E' || text[i] == 'O'))
        d->modifier = text[i++];
    return i;
}

/* True where glibc takes the modifier with that directive; in the C locale it changes nothing. */
static bool takes_modifier(char modifier, char c)
{
    return c != 0 &&
           (modifier == 0 ||
            strchr(modifier == 'E' ? "cnprstuxyCPRTXY%" : "bdeghjklmnprstuwyBCGHIMPRSTUVW%", c));
}

static inox_status put_all(ix_jbuilder *b, const ix_jtime *t, const char *format, bool upper,
                           bool user, inox_error *err)
{
    for (; *format; format++) {
        directive d = { .width = -1, .upper = upper };
        bool known;
        if (*format != '%') {
            IX_TRY(ix_jb_bytes(b, format, 1, user, err));
            continue;
        }
        format++;
        IX_TRY(put_directive(b, &d, t, *format, user, &known, err));
    }
    return INOX_OK;
}

/* %f, which Python knows and the C library does not. */
static inox_status put_microseconds(ix_jbuilder *b, const ix_jtime *t, bool user, inox_error *err)
{
    directive d = { .width = -1 };
    return put_number(b, d, t->microsecond, 6, '0', user, err);
}

/* A directive that is none stays as it is, in its width and case. */
static inox_status put_unknown(ix_jbuilder *b, const directive *d, const ix_jstring *format,
                               size_t from, size_t end, bool user, inox_error *err)
{
    int64_t size = (int64_t)(ix_j_character_at(format, end) - ix_j_character_at(format, from));
    IX_TRY(
        ix_js_fill(b, d->pad == '0' ? '0' : ' ', user, d->width > size ? d->width - size : 0, err));
    if (d->upper)
        return ix_js_case_part(b, format, from, end, IX_J_UPPER_CASE, err);
    return ix_jb_part(b, format, from, end, err);
}

/* The directive at byte *at of the format. */
static inox_status put_next(ix_jbuilder *b, const ix_jtime *now, const ix_jstring *format,
                            size_t *at, size_t most, inox_error *err)
{
    directive d;
    bool known = false, user = ix_j_is_user(format, *at);
    size_t from = *at, flags = read_flags(format->data + from + 1, format->size - from - 1, &d);
    size_t end = from + 1 + flags;
    char c = end < format->size ? format->data[end] : 0;
    if (d.width >= (int64_t)most)
        d.width = (int64_t)most;
    if (c == 'z' || c == 'Z') { /* no zone: nothing, but perhaps in a width */
        known = true;
        if (c == 'Z')
            IX_TRY(put(b, &d, "", 0, false, user, err));
    } else if (flags == 0 && c == 'f') {
        known = true;
    } else if (takes_modifier(d.modifier, c))
        IX_TRY(put_directive(b, &d, now, c, user, &known, err));
    if (flags == 0 && c == 'f')
        IX_TRY(put_microseconds(b, now, user, err));
    *at = end < format->size ? end + 1 : end;
    while (*at < format->size && ((unsigned char)format->data[*at] & 0xC0) == 0x80)
        ++*at;
    return known ? INOX_OK : put_unknown(b, &d, format, from, *at, user, err);
}

inox_status ix_js_strftime(ix_jbuilder *b, const ix_jtime *now, ix_jstring *format, inox_error *err)
{
    /* Python tries buffers of 1024 characters, 2048 and so on up to 256 for each character of the
     * format, and takes a text that still does not fit for an empty one. */
    size_t most = 1024;
    while (most < 256 * ix_j_length(format))
        most *= 2;
    for (size_t at = 0; at < format->size && b->size < 4 * most;) {
        const char *found = memchr(format->data + at, '%', format->size - at);
        size_t next = found ? (size_t)(found - format->data) : format->size;
        IX_TRY(ix_jb_part(b, format, at, next, err));
        IX_TRY(ix_j_steps(b->r, 1, err));
        at = next;
        if (found)
            IX_TRY(put_next(b, now, format, &at, most, err));
    }
    size_t length = 0;
    for (size_t i = 0; i < b->size; i++)
        length += ((unsigned char)b->data[i] & 0xC0) != 0x80;
    if (length >= most)
        *b = ix_jb(b->r);
    return INOX_OK;
}
