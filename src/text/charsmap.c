/* SentencePiece's precompiled character map.  See charsmap.h.
 *
 * A unit of the double array (darts-clone) is
 *
 *     bit 31: it is a value (bits 0-30)      bits 0-7: label     bit 8: its children have a value
 *     bits 10-30: offset to the children, times 256 where bit 9 is set
 *
 * A step for byte b goes from node n to n ^ offset ^ b, if the unit there has the label b.
 */
#include "text/charsmap.h"

#include "base/alloc.h"
#include "text/unicode.h"

#include <string.h>

struct ix_charsmap {
    uint32_t *units;
    size_t unit_count;
    char *strings; /* a NUL behind the last */
    size_t strings_size;
    bool begins[256];
};

static uint32_t offset_of(uint32_t unit)
{
    return unit >> 10 << ((unit & 1u << 9) >> 6);
}

/* From the node *at by a byte; false: none.  *value: what ends there, or -1. */
static inline bool step(const ix_charsmap *m, uint32_t *at, unsigned char byte, int64_t *value)
{
    uint32_t node = *at ^ byte;
    if (byte == 0 || node >= m->unit_count || (m->units[node] & (1u << 31 | 0xFF)) != byte)
        return false;
    *at = node ^ offset_of(m->units[node]);
    *value = -1;
    if ((m->units[node] >> 8 & 1) && *at < m->unit_count)
        *value = m->units[*at] & 0x7FFFFFFF;
    return true;
}

static inline size_t search(const ix_charsmap *m, const char *text, size_t size, bool longest,
                            ix_text_view *to)
{
    size_t found = 0;
    int64_t value;
    const char *string = NULL;
    uint32_t at = m->unit_count > 0 ? offset_of(m->units[0]) : 0;
    for (size_t i = 0; i < size && step(m, &at, (unsigned char)text[i], &value); i++) {
        if (value < 0 || (uint64_t)value > m->strings_size)
            continue;
        string = m->strings + value;
        found = i + 1;
        if (!longest)
            break;
    }
    if (string)
        *to = (ix_text_view){ string, strlen(string) };
    return found;
}

size_t ix_charsmap_longest(const ix_charsmap *m, const char *text, size_t size, ix_text_view *to)
{
    return search(m, text, size, true, to);
}

size_t ix_charsmap_shortest(const ix_charsmap *m, const char *text, size_t size, ix_text_view *to)
{
    return search(m, text, size, false, to);
}

bool ix_charsmap_begins(const ix_charsmap *m, unsigned char byte)
{
    return m->begins[byte];
}

bool ix_charsmap_pairs_ascii(const ix_charsmap *m, unsigned char byte)
{
    uint32_t at = m->unit_count > 0 ? offset_of(m->units[0]) : 0;
    int64_t value;
    bool found = false;
    if (!step(m, &at, byte, &value))
        return false;
    for (unsigned char c = 1; c < 128 && !found; c++) {
        uint32_t behind = at;
        found = step(m, &behind, c, &value);
    }
    return found;
}

bool ix_charsmap_begins_ascii(const ix_charsmap *m, unsigned char byte)
{
    uint32_t at = m->unit_count > 0 ? offset_of(m->units[0]) : 0;
    int64_t value;
    return step(m, &at, byte, &value) && (value >= 0 || ix_charsmap_pairs_ascii(m, byte));
}

bool ix_charsmap_is_text(const ix_charsmap *m)
{
    if (ix_utf8_good(m->strings, m->strings_size) != m->strings_size)
        return false;
    for (size_t node = 0; node < m->unit_count; node++) {
        size_t at = node ^ offset_of(m->units[node]);
        if (!(m->units[node] >> 8 & 1) || at >= m->unit_count)
            continue;
        size_t value = m->units[at] & 0x7FFFFFFF;
        if (value < m->strings_size && ((unsigned char)m->strings[value] & 0xC0) == 0x80)
            return false;
    }
    return true;
}

static uint32_t read_u32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inox_status fill(ix_charsmap *m, const char *bytes, size_t size, inox_error *err)
{
    if (size < 4)
        return ix_fail(err, INOX_E_FORMAT, "the character map has %zu bytes, too few for its size",
                       size);
    size_t trie = read_u32(bytes) / 4 * 4;
    if (trie > size - 4)
        return ix_fail(err, INOX_E_FORMAT,
                       "the character map's trie has %zu bytes, but only %zu are there", trie,
                       size - 4);
    m->unit_count = trie / 4;
    m->strings_size = size - 4 - trie;
    IX_TRY(IX_ALLOC(&m->units, m->unit_count, err));
    for (size_t i = 0; i < m->unit_count; i++)
        m->units[i] = read_u32(bytes + 4 + i * 4);
    IX_TRY(ix_strndup(bytes + 4 + trie, m->strings_size, &m->strings, err));
    for (unsigned b = 1; b < 256 && m->unit_count > 0; b++) {
        uint32_t at = offset_of(m->units[0]);
        int64_t value;
        m->begins[b] = step(m, &at, (unsigned char)b, &value);
    }
    return INOX_OK;
}

inox_status ix_charsmap_new(const char *bytes, size_t size, ix_charsmap **out, inox_error *err)
{
    *out = NULL;
    ix_charsmap *m;
    IX_TRY(IX_ALLOC(&m, 1, err));
    inox_status status = fill(m, bytes, size, err);
    if (status == INOX_OK)
        *out = m;
    else
        ix_charsmap_free(m);
    return status;
}

void ix_charsmap_free(ix_charsmap *m)
{
    if (!m)
        return;
    ix_free(m->units);
    ix_free(m->strings);
    ix_free(m);
}
