/* Values of the metadata as JSON text. */
#include "front/gguf/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- strings --------------------------------------------------------------------------- */

/* Bytes of the well-formed UTF-8 sequence at s, and in *valid whether it is one; otherwise bytes of
 * the longest start of one (at least 1), which become one U+FFFD as Unicode recommends. */
static size_t utf8_length(const uint8_t *s, size_t left, bool *valid)
{
    uint8_t low = 0x80, high = 0xBF;
    size_t n, i;

    *valid = false;
    if (s[0] < 0x80) {
        *valid = true;
        return 1;
    }
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 1;
    n = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (s[0] == 0xE0)
        low = 0xA0;
    else if (s[0] == 0xED)
        high = 0x9F;
    else if (s[0] == 0xF0)
        low = 0x90;
    else if (s[0] == 0xF4)
        high = 0x8F;
    for (i = 1; i < n && i < left && s[i] >= low && s[i] <= high; i++) {
        low = 0x80;
        high = 0xBF;
    }
    *valid = i == n;
    return i;
}

/* One character that does not stand for itself. */
static inox_status escaped(const uint8_t *s, bool valid, ix_buffer *out, inox_error *err)
{
    static const char SHORT[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    if (!valid)
        return ix_buffer_append(out, "\xEF\xBF\xBD", 3, err);
    for (const char *p = SHORT; *p != '\0'; p += 2)
        if ((char)s[0] == *p)
            return ix_buffer_printf(out, err, "\\%c", p[1]);
    return ix_buffer_printf(out, err, "\\u%04x", s[0] == 0xC2 ? s[1] : s[0]);
}

/* Runs of plain characters are copied at once.  Control characters (also U+0080 to U+009F, which
 * move the cursor of some terminals) are escaped. */
static inox_status format_string(ix_gguf_string text, ix_buffer *out, inox_error *err)
{
    const uint8_t *s = (const uint8_t *)text.data;
    size_t plain = 0, at = 0;

    IX_TRY(ix_buffer_append(out, "\"", 1, err));
    while (at < text.size) {
        bool valid;
        size_t n = utf8_length(s + at, text.size - at, &valid);

        if (!valid || s[at] < 0x20 || s[at] == '"' || s[at] == '\\' || s[at] == 0x7F ||
            (s[at] == 0xC2 && s[at + 1] < 0xA0)) {
            IX_TRY(ix_buffer_append(out, s + plain, at - plain, err));
            IX_TRY(escaped(s + at, valid, out, err));
            plain = at + n;
        }
        at += n;
    }
    IX_TRY(ix_buffer_append(out, s + plain, at - plain, err));
    return ix_buffer_append(out, "\"", 1, err);
}

/* ---- numbers --------------------------------------------------------------------------- */

/* The fewest digits that give the same number back. */
static inox_status format_float(double d, bool single, ix_buffer *out, inox_error *err)
{
    char text[64];

    if (d != d)
        return ix_buffer_append(out, "\"NaN\"", 5, err);
    if (d - d != 0) /* infinite */
        return ix_buffer_printf(out, err, "\"%sInfinity\"", d < 0 ? "-" : "");
    for (int digits = single ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, d);
        double back = strtod(text, NULL);
        if (single ? (float)back == (float)d : back == d)
            break;
    }
    for (char *p = text; *p != '\0'; p++)
        if (strchr("+-0123456789e", *p) == NULL)
            *p = '.'; /* whatever the locale's decimal point is */
    return ix_buffer_append(out, text, strlen(text), err);
}

static inox_status format_item(const ix_gguf_value *v, uint64_t i, ix_buffer *out, inox_error *err)
{
    ix_gguf_string text;
    uint64_t u;
    int64_t n;
    double d;

    switch (v->item_type) {
    case IX_GGUF_STRING:
        IX_TRY(ix_gguf_item_string(v, i, &text, err));
        return format_string(text, out, err);
    case IX_GGUF_F32: case IX_GGUF_F64:
        IX_TRY(ix_gguf_item_f64(v, i, &d, err));
        return format_float(d, v->item_type == IX_GGUF_F32, out, err);
    case IX_GGUF_U64:
        IX_TRY(ix_gguf_item_u64(v, i, &u, err));
        return ix_buffer_printf(out, err, "%" PRIu64, u);
    default:
        IX_TRY(ix_gguf_item_i64(v, i, &n, err));
        if (v->item_type == IX_GGUF_BOOL)
            return ix_buffer_printf(out, err, "%s", n != 0 ? "true" : "false");
        return ix_buffer_printf(out, err, "%" PRId64, n);
    }
}

inox_status ix_gguf_value_format(const ix_gguf *g, size_t index, ix_buffer *out, uint64_t max_items,
                                 inox_error *err)
{
    const ix_gguf_value *v = &g->meta.values[index];
    bool all = v->count <= max_items;

    if (v->type != IX_GGUF_ARRAY)
        return format_item(v, 0, out, err);
    if (!all)
        IX_TRY(ix_buffer_printf(out, err, "{\"type\": \"%s\", \"count\": %" PRIu64 ", \"first\": ",
                                ix_gguf_type_name(v->item_type), v->count));
    IX_TRY(ix_buffer_append(out, "[", 1, err));
    for (uint64_t i = 0; i < (all ? v->count : max_items); i++) {
        if (i > 0)
            IX_TRY(ix_buffer_append(out, ", ", 2, err));
        IX_TRY(format_item(v, i, out, err));
    }
    return ix_buffer_append(out, all ? "]" : "]}", all ? 1 : 2, err);
}
