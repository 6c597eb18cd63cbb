/* Keys with U+0000 are read as keys with a character that is not in the file, and then renamed.
 * See null_keys.h. */
#include "text/file/null_keys.h"

#include "base/alloc.h"

#include <string.h>

#define STAND_IN "\xF4\x8F\xBF\xBF" /* U+10FFFF, of which texts have none */
enum { STAND_IN_BYTES = 4, ESCAPE_BYTES = 6 /* of \u0000 */ };

static bool is_null_escape(const char *p, const char *end)
{
    return end - p >= ESCAPE_BYTES && memcmp(p, "\\u0000", ESCAPE_BYTES) == 0;
}

static bool is_stand_in(const char *p, const char *end)
{
    static const char escape[] = "\\udbff\\udfff";
    if (end - p >= STAND_IN_BYTES && memcmp(p, STAND_IN, STAND_IN_BYTES) == 0)
        return true;
    for (size_t i = 0; i < sizeof escape - 1; i++) /* digits in either case: F is f without 0x20 */
        if (end - p <= (ptrdiff_t)i || (p[i] | (escape[i] >= 'a' ? 0x20 : 0)) != escape[i])
            return false;
    return true;
}

/* Behind the closing quotation mark of the string that begins at p, or `end`. */
static const char *behind_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\' && p + 1 < end;
    return p < end ? p + 1 : end;
}

static bool is_key(const char *behind, const char *end)
{
    while (behind < end && strchr(" \t\r\n", *behind) && *behind)
        behind++;
    return behind < end && *behind == ':';
}

/* Copies the file to `to`, its keys with the stand-in; how many bytes, 0: it is there already. */
static size_t copy(ix_text_view file, char *to)
{
    const char *p = file.data, *end = p + file.size;
    char *out = to;
    while (p < end) {
        const char *stop = *p == '"' ? behind_string(p, end) : p + 1;
        bool key = stop > p + 1 && is_key(stop, end);
        while (p < stop) {
            if (is_stand_in(p, end))
                return 0;
            bool null = key && is_null_escape(p, stop);
            size_t n = null ? ESCAPE_BYTES : *p == '\\' && stop - p > 1 ? 2 : 1;
            memcpy(out, null ? STAND_IN : p, null ? STAND_IN_BYTES : n);
            out += null ? STAND_IN_BYTES : n;
            p += n;
        }
    }
    return (size_t)(out - to);
}

/* Appends the key as the file has it. */
static inox_status original(const char *key, size_t size, ix_buffer *out, inox_error *err)
{
    const char *end = key + size;
    out->size = 0;
    while (key < end) {
        bool null = is_stand_in(key, end);
        IX_TRY(ix_buffer_append(out, null ? "" : key, 1, err));
        key += null ? STAND_IN_BYTES : 1;
    }
    return INOX_OK;
}

static inox_status rename_keys(json_t *object, inox_error *err)
{
    const char *key;
    size_t size;
    void *next;
    json_t *value;
    ix_buffer name = { 0 };
    inox_status status = INOX_OK;
    json_object_keylen_foreach_safe(object, next, key, size, value)
    {
        if (status != INOX_OK || size < STAND_IN_BYTES)
            continue;
        status = original(key, size, &name, err);
        if (status != INOX_OK || name.size == size)
            continue;
        if (json_object_setn_nocheck(object, name.data, name.size, value) != 0 ||
            json_object_deln(object, key, size) != 0)
            status = ix_fail(err, INOX_E_MEMORY, "no memory for a key with U+0000");
    }
    ix_buffer_release(&name);
    return status;
}

inox_status ix_json_load_null_keys(ix_text_view file, size_t flags, json_t **out,
                                   json_error_t *error, inox_error *err)
{
    char *text;
    *out = NULL;
    IX_TRY(IX_ALLOC(&text, file.size, err));
    size_t size = copy(file, text);
    if (size > 0)
        *out = json_loadb(text, size, flags, error);
    ix_free(text);
    inox_status status =
        *out ? rename_keys(json_object_get(json_object_get(*out, "model"), "vocab"), err) : INOX_OK;
    if (status != INOX_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}
