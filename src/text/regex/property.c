/* Looking up properties by name.  See property.h. */
#include "text/regex/property.h"

#include <string.h>

enum { NAME_MAX_BYTES = 80 };

/* The name as the table writes it, or false: too long, or with a character that no name has. */
static bool normalize(const char *name, size_t size, char out[NAME_MAX_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        if (c == ' ' || c == '-' || c == '_')
            continue;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        bool known = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '=' || c == ':';
        if (!known || n + 1 == NAME_MAX_BYTES)
            return false;
        out[n++] = c == ':' ? '=' : c;
    }
    out[n] = 0;
    return true;
}

const uint32_t *ix_regex_property_row(const char *name, ix_regex_syntax syntax, size_t *count)
{
    size_t low = 0, high = ix_regex_property_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(ix_regex_properties[middle].name, name);
        if (order == 0) {
            uint16_t set = ix_regex_properties[middle].set[syntax];
            if (set == IX_NO_SET)
                return NULL;
            *count = ix_regex_set_starts[set + 1] - ix_regex_set_starts[set];
            return ix_regex_set_bounds + ix_regex_set_starts[set];
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const uint32_t *ix_regex_property_find(const char *name, size_t size, ix_regex_syntax syntax,
                                       size_t *count)
{
    char wanted[NAME_MAX_BYTES];
    if (!normalize(name, size, wanted))
        return NULL;
    const uint32_t *bounds = ix_regex_property_row(wanted, syntax, count);
    if (!bounds && syntax == IX_REGEX_RUST && wanted[0] == 'i' && wanted[1] == 's')
        bounds = ix_regex_property_row(wanted + 2, syntax, count); /* IsGreek */
    return bounds;
}
