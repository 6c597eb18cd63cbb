/* The arrays of an encoding: growing, joining, dropping.
 *
 * Invariant: an array is there if and only if `want` has its bit (ids always), and holds `capacity`
 * items once there is one.  Windows (overflow) have the same arrays.
 */
#include "text/encoding.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <string.h>

/* Every array: the bit that asks for it, where its pointer is, bytes of an item. */
typedef struct field {
    unsigned bit;
    size_t offset, size;
} field;

#define FIELD(bit, name)                                                                           \
    {                                                                                              \
        bit, offsetof(ix_encoding, name), sizeof *((ix_encoding *)0)->name                         \
    }
static const field fields[] = {
    { 0, offsetof(ix_encoding, ids), sizeof(int32_t) },
    FIELD(IX_WANT_OFFSETS, starts),
    FIELD(IX_WANT_OFFSETS, ends),
    FIELD(IX_WANT_TYPES, type_ids),
    FIELD(IX_WANT_MASKS, special_mask),
    FIELD(IX_WANT_MASKS, attention_mask),
    FIELD(IX_WANT_WORDS, words),
    FIELD(IX_WANT_SEQUENCES, sequences),
    FIELD(IX_WANT_SPACES, lead),
    FIELD(IX_WANT_SPACES, trail),
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* Arrays are moved as bytes, so that no pointer is read as one of another type. */
static char *array_of(const ix_encoding *e, const field *f)
{
    char *p;
    memcpy(&p, (const char *)e + f->offset, sizeof p);
    return p;
}

static void set_array(ix_encoding *e, const field *f, const char *p)
{
    memcpy((char *)e + f->offset, &p, sizeof p);
}

static bool has(const ix_encoding *e, const field *f)
{
    return f->bit == 0 || (e->want & f->bit) != 0;
}

void ix_encoding_release(ix_encoding *e)
{
    for (size_t i = 0; i < e->overflow_count; i++)
        for (int f = 0; f < FIELDS; f++)
            ix_free(array_of(&e->overflow[i], &fields[f]));
    ix_free(e->overflow);
    for (int f = 0; f < FIELDS && e->ids; f++) /* ids are made before all others */
        ix_free(array_of(e, &fields[f]));
    *e = (ix_encoding){ 0 };
}

inox_status ix_encoding_reserve(ix_encoding *e, size_t more, inox_error *err)
{
    if (more > IX_MAX_ENCODING - e->count)
        return ix_fail(err, INOX_E_LIMIT, "an encoding would have more than %llu tokens",
                       (unsigned long long)IX_MAX_ENCODING);
    if (e->count + more <= e->capacity)
        return INOX_OK;
    for (int f = 0; f < FIELDS; f++) {
        if (!has(e, &fields[f]))
            continue;
        void *array = array_of(e, &fields[f]);
        IX_TRY(ix_realloc(&array, e->count + more, fields[f].size, err));
        set_array(e, &fields[f], array);
    }
    e->capacity = e->count + more;
    return INOX_OK;
}

inox_status ix_encoding_grow(ix_encoding *e, size_t more, inox_error *err)
{
    size_t least = more < 16 ? 16 : more, half = IX_MAX_ENCODING - e->count;
    size_t twice = e->count < half ? e->count : half;
    return ix_encoding_reserve(e, least > twice ? least : twice, err);
}

inox_status ix_encoding_append(ix_encoding *e, const ix_encoding *other, size_t from, size_t to,
                               inox_error *err)
{
    if (from == to)
        return INOX_OK;
    IX_TRY(ix_encoding_reserve(e, to - from, err));
    for (int f = 0; f < FIELDS; f++) {
        size_t size = fields[f].size;
        if (has(e, &fields[f]))
            memcpy(array_of(e, &fields[f]) + e->count * size,
                   array_of(other, &fields[f]) + from * size, (to - from) * size);
    }
    e->count += to - from;
    return INOX_OK;
}

inox_status ix_encoding_fill(ix_encoding *e, size_t n, int32_t id, uint32_t type_id,
                             uint8_t attention, inox_error *err)
{
    if (n == 0)
        return INOX_OK;
    IX_TRY(ix_encoding_reserve(e, n, err));
    for (size_t i = e->count; i < e->count + n; i++) {
        e->ids[i] = id;
        if (e->starts)
            e->starts[i] = e->ends[i] = 0;
        if (e->type_ids)
            e->type_ids[i] = type_id;
        if (e->special_mask) {
            e->special_mask[i] = 1;
            e->attention_mask[i] = attention;
        }
        if (e->words)
            e->words[i] = -1;
        if (e->sequences)
            e->sequences[i] = -1;
        if (e->lead)
            e->lead[i] = e->trail[i] = 0;
    }
    e->count += n;
    return INOX_OK;
}

void ix_encoding_remove(ix_encoding *e, size_t at, size_t n)
{
    for (int f = 0; f < FIELDS && n > 0; f++) {
        char *array = array_of(e, &fields[f]);
        size_t size = fields[f].size;
        if (has(e, &fields[f]))
            memmove(array + at * size, array + (at + n) * size, (e->count - at - n) * size);
    }
    e->count -= n;
}

void ix_encoding_set_text(ix_encoding *e, int32_t sequence)
{
    for (size_t i = 0; i < e->count && e->type_ids; i++)
        e->type_ids[i] = (uint32_t)sequence;
    for (size_t i = 0; i < e->count && e->sequences; i++)
        e->sequences[i] = sequence;
    if (e->special_mask && e->count > 0) {
        memset(e->special_mask, 0, e->count);
        memset(e->attention_mask, 1, e->count);
    }
}

void ix_encoding_keep(ix_encoding *e, unsigned want)
{
    for (size_t w = 0; w <= e->overflow_count; w++) {
        ix_encoding *one = w == 0 ? e : &e->overflow[w - 1];
        for (int f = 0; f < FIELDS; f++) {
            if (!has(one, &fields[f]) || fields[f].bit == 0 || (want & fields[f].bit) != 0)
                continue;
            ix_free(array_of(one, &fields[f]));
            set_array(one, &fields[f], NULL);
        }
        one->want &= want;
    }
}
