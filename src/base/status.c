/* Status codes, the caller-owned error, the version.
 *
 * Invariant: a message is NUL-terminated, well-formed UTF-8 without control characters (but line
 * feeds), whatever bytes of a file were formatted into it, so that it can go to a terminal or into
 * JSON as it is.
 */
#include "base/status.h"

#include <stdio.h>
#include <string.h>

const char *inox_version(void)
{
#define TEXT_OF(x) TEXT_OF_(x)
#define TEXT_OF_(x) #x
    return TEXT_OF(INOX_VERSION_MAJOR) "." TEXT_OF(INOX_VERSION_MINOR) "." TEXT_OF(
        INOX_VERSION_PATCH);
#undef TEXT_OF_
#undef TEXT_OF
}

const char *inox_status_name(inox_status code)
{
    switch (code) {
    case INOX_OK: return "INOX_OK";
    case INOX_E_ARGUMENT: return "INOX_E_ARGUMENT";
    case INOX_E_MEMORY: return "INOX_E_MEMORY";
    case INOX_E_IO: return "INOX_E_IO";
    case INOX_E_NOT_FOUND: return "INOX_E_NOT_FOUND";
    case INOX_E_FORMAT: return "INOX_E_FORMAT";
    case INOX_E_UNSUPPORTED: return "INOX_E_UNSUPPORTED";
    case INOX_E_LIMIT: return "INOX_E_LIMIT";
    case INOX_E_CONTEXT: return "INOX_E_CONTEXT";
    case INOX_E_NAN: return "INOX_E_NAN";
    case INOX_E_MISMATCH: return "INOX_E_MISMATCH";
    case INOX_E_CANCELLED: return "INOX_E_CANCELLED";
    case INOX_E_ISA: return "INOX_E_ISA";
    case INOX_E_INTERNAL: return "INOX_E_INTERNAL";
    default: return "INOX_E_UNKNOWN";
    }
}

/* Bytes of the well-formed, printable UTF-8 character at s, 0 if there is none.  s ends with a NUL,
 * which is no continuation byte, so nothing beyond it is read. */
static size_t printable_bytes(const unsigned char *s)
{
    unsigned c = s[0], low = 0x80, high = 0xBF;
    size_t n;

    if (c < 0x80)
        return (c >= 0x20 && c != 0x7F) || c == '\n';
    if (c == 0xC2)
        low = 0xA0; /* U+0080..U+009F are control characters */
    else if (c == 0xE0)
        low = 0xA0;
    else if (c == 0xED)
        high = 0x9F;
    else if (c == 0xF0)
        low = 0x90;
    else if (c == 0xF4)
        high = 0x8F;
    if (c >= 0xC2 && c <= 0xDF)
        n = 2;
    else if (c >= 0xE0 && c <= 0xEF)
        n = 3;
    else if (c >= 0xF0 && c <= 0xF4)
        n = 4;
    else
        return 0;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (s[i] < 0x80 || s[i] > 0xBF)
            return 0;
    return n;
}

/* A character that vsnprintf cut in two disappears; any other bad byte becomes '?'. */
static void make_printable(char *message, size_t capacity)
{
    unsigned char *s = (unsigned char *)message;
    size_t length = strlen(message);

    if (length == capacity - 1) {
        size_t start = length;

        while (start > 0 && length - start < 3 && (s[start - 1] & 0xC0) == 0x80)
            start--;
        if (start > 0 && s[start - 1] >= 0xC0 && printable_bytes(s + start - 1) == 0)
            s[start - 1] = '\0';
    }
    while (*s != '\0') {
        size_t n = printable_bytes(s);

        if (n == 0)
            *s = '?';
        s += n == 0 ? 1 : n;
    }
}

static void fill(inox_error *err, inox_status code, int64_t position, const char *format,
                 va_list arguments)
{
    if (err == NULL)
        return;
    err->code = code;
    err->position = position;
    if (vsnprintf(err->message, sizeof err->message, format, arguments) < 0)
        snprintf(err->message, sizeof err->message, "%s", inox_status_name(code));
    make_printable(err->message, sizeof err->message);
}

inox_status ix_fail(inox_error *err, inox_status code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(err, code, -1, format, arguments);
    va_end(arguments);
    return code;
}

inox_status ix_fail_at(inox_error *err, inox_status code, uint64_t position, const char *format,
                       ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(err, code, position > INT64_MAX ? INT64_MAX : (int64_t)position, format, arguments);
    va_end(arguments);
    return code;
}

inox_status ix_prefix(inox_error *err, inox_status code, const char *format, ...)
{
    va_list arguments;
    char old[sizeof err->message];
    size_t used;

    if (err == NULL)
        return code;
    memcpy(old, err->message, sizeof old);
    old[sizeof old - 1] = '\0';
    va_start(arguments, format);
    fill(err, code, err->position, format, arguments);
    va_end(arguments);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", old);
    make_printable(err->message, sizeof err->message);
    return code;
}
