/* Reads the header of one GGUF file.
 *
 *     "GGUF" | version u32 | tensors u64 | keys u64
 *     keys:    name (u64 length, bytes) | type u32 | value
 *     tensors: name | rank u32 | dims u64 x rank | type u32 | offset u64 (from the data section)
 *     padding to the alignment | data section
 *
 * Invariant: nothing is believed before it is compared with the bytes that are left, so memory is
 * at most a small multiple of the header, and every position that is stored was inside the file.
 * It does not know of split models (gguf.c) and does not convert values (value.c).
 */
#include "front/gguf/internal.h"

#include "base/limits.h"
#include "base/span.h"

#include <inttypes.h>
#include <string.h>

#define KEY_BYTES_MIN (8 + 4 + 1)        /* length of the name, type, value */
#define TENSOR_BYTES_MIN (8 + 4 + 4 + 8) /* length of the name, rank, type, offset */
#define CUT "The file is cut short: fetch it again, or compare its sha256 with the publisher's."
#define CUT_OR_DAMAGED "The file is cut short or damaged: fetch it again."

typedef struct parser {
    ix_span in;
    ix_gguf *g;
    uint32_t file;
    ix_gguf_meta *meta;
    inox_error *err;
} parser;

/* ---- single fields --------------------------------------------------------------------- */

static inox_status need(const parser *p, uint64_t n, const char *what)
{
    if (n <= ix_span_left(&p->in))
        return INOX_OK;
    return ix_fail_at(p->err, INOX_E_FORMAT, p->in.pos,
                      "%s at byte %" PRIu64 " needs %" PRIu64 " bytes, but only %" PRIu64
                      " are left.\n" CUT,
                      what, p->in.pos, n, ix_span_left(&p->in));
}

static inox_status read_u32(parser *p, uint32_t *out, const char *what)
{
    IX_TRY(need(p, 4, what));
    return ix_read_u32(&p->in, out, what, p->err);
}

static inox_status read_u64(parser *p, uint64_t *out, const char *what)
{
    IX_TRY(need(p, 8, what));
    return ix_read_u64(&p->in, out, what, p->err);
}

/* A length and its bytes, of which there may be at most `limit`. */
static inox_status read_text(parser *p, uint64_t limit, const char **text, uint64_t *size,
                             const char *what)
{
    uint64_t position = p->in.pos, n;
    const uint8_t *bytes;

    IX_TRY(read_u64(p, &n, what));
    if (n > ix_span_left(&p->in))
        return ix_fail_at(p->err, INOX_E_FORMAT, position,
                          "%s at byte %" PRIu64 " has %" PRIu64 " bytes, but only %" PRIu64
                          " are left.\n" CUT_OR_DAMAGED,
                          what, position, n, ix_span_left(&p->in));
    if (n > limit)
        return ix_fail_at(p->err, INOX_E_LIMIT, position,
                          "%s at byte %" PRIu64 " has %" PRIu64 " bytes; at most %" PRIu64
                          " are supported",
                          what, position, n, limit);
    IX_TRY(ix_read_bytes(&p->in, n, &bytes, what, p->err));
    *text = (const char *)bytes;
    *size = n;
    return INOX_OK;
}

/* A key or a tensor's name: some bytes, no NUL among them.  *name: a copy with a NUL behind it. */
static inox_status read_name(parser *p, uint64_t limit, ix_arena *arena, char **name, size_t *size,
                             const char *what)
{
    uint64_t position = p->in.pos, n;
    const char *text;

    IX_TRY(read_text(p, limit, &text, &n, what));
    if (n == 0)
        return ix_fail_at(p->err, INOX_E_FORMAT, position, "%s at byte %" PRIu64 " is empty", what,
                          position);
    if (memchr(text, 0, (size_t)n) != NULL)
        return ix_fail_at(p->err, INOX_E_FORMAT, position,
                          "%s at byte %" PRIu64 " has a NUL inside", what, position);
    IX_TRY(ix_arena_strndup(arena, text, (size_t)n, name, p->err));
    *size = (size_t)n;
    return INOX_OK;
}

/* ---- the first 24 bytes ---------------------------------------------------------------- */

typedef struct magic {
    char bytes[5];
    const char *what;
} magic;

/* What people give us instead of a GGUF file. */
static const magic OTHERS[] = {
    { "FUGG", "a GGUF file with the byte order of big-endian machines; convert the model again for "
              "little-endian ones" },
    { "lmgg", "a GGML file, the format before GGUF; get a GGUF file of this model" },
    { "fmgg", "a GGMF file, the format before GGUF; get a GGUF file of this model" },
    { "tjgg", "a GGJT file, the format before GGUF; get a GGUF file of this model" },
    { "algg", "an adapter in the format before GGUF; convert it again" },
    { "vers", "perhaps a pointer of Git LFS instead of the file itself; fetch that with "
              "\"git lfs pull\"" },
    { "<!DO", "a web page; fetch the file itself, not the page about it" },
    { "<htm", "a web page; fetch the file itself, not the page about it" },
    { "PK\3\4", "a ZIP archive, perhaps a PyTorch model; convert it to GGUF" },
};

static inox_status bad_magic(const parser *p, const uint8_t *bytes)
{
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        if (memcmp(bytes, OTHERS[i].bytes, 4) == 0)
            return ix_fail_at(p->err, INOX_E_UNSUPPORTED, 0, "this is %s", OTHERS[i].what);
    return ix_fail_at(p->err, INOX_E_FORMAT, 0,
                      "this is no GGUF file: it starts with the bytes %02x %02x %02x %02x instead "
                      "of \"GGUF\"",
                      bytes[0], bytes[1], bytes[2], bytes[3]);
}

static inox_status read_version(parser *p, uint32_t *version)
{
    uint64_t position = p->in.pos;
    uint32_t v;

    IX_TRY(read_u32(p, &v, "the version"));
    if ((v & 0xffff) == 0 && v != 0)
        return ix_fail_at(p->err, INOX_E_UNSUPPORTED, position,
                          "this is a GGUF file with the byte order of big-endian machines (its "
                          "version at byte 4 reads %" PRIu32 "); convert the model again for "
                          "little-endian ones",
                          v);
    if (v == 0)
        return ix_fail_at(p->err, INOX_E_FORMAT, position, "the version at byte 4 is 0");
    if (v == 1 || v > 3)
        return ix_fail_at(p->err, INOX_E_UNSUPPORTED, position,
                          "version %" PRIu32 " of GGUF (at byte 4) is %s; versions 2 and 3 are "
                          "supported: get a file of this model in version 3",
                          v, v == 1 ? "obsolete" : "newer than this program");
    *version = v;
    return INOX_OK;
}

/* A count of things that take at least `bytes_min` each. */
static inox_status check_count(const parser *p, uint64_t count, uint64_t position, uint64_t limit,
                               uint64_t bytes_min, const char *what)
{
    if (count > ix_span_left(&p->in) / bytes_min)
        return ix_fail_at(p->err, INOX_E_FORMAT, position,
                          "the header counts %" PRIu64 " %s (at byte %" PRIu64
                          "), which do not fit into the %" PRIu64 " bytes that are left.\n"
                          CUT_OR_DAMAGED,
                          count, what, position, ix_span_left(&p->in));
    if (count > limit)
        return ix_fail_at(p->err, INOX_E_LIMIT, position,
                          "the header counts %" PRIu64 " %s (at byte %" PRIu64 "); at most %" PRIu64
                          " are supported",
                          count, what, position, limit);
    return INOX_OK;
}

static inox_status read_header(parser *p, uint64_t *tensors, uint64_t *keys)
{
    const uint8_t *bytes;

    IX_TRY(need(p, 4, "the mark \"GGUF\""));
    IX_TRY(ix_read_bytes(&p->in, 4, &bytes, "the mark", p->err));
    if (memcmp(bytes, "GGUF", 4) != 0)
        return bad_magic(p, bytes);
    IX_TRY(read_version(p, &p->g->files[p->file].version));
    IX_TRY(read_u64(p, tensors, "the number of tensors"));
    IX_TRY(read_u64(p, keys, "the number of keys"));
    IX_TRY(check_count(p, *tensors, 8, IX_MAX_GGUF_TENSORS, TENSOR_BYTES_MIN, "tensors"));
    return check_count(p, *keys, 16, IX_MAX_GGUF_KEYS, KEY_BYTES_MIN, "metadata keys");
}

/* ---- metadata -------------------------------------------------------------------------- */

/* The items of a value of a fixed size; bools are 0 or 1. */
static inox_status read_items(parser *p, ix_gguf_value *v)
{
    uint64_t position = p->in.pos, bytes;
    unsigned size = ix_gguf_type_size(v->item_type);

    if (!ix_mul_u64(v->count, size, &bytes) || bytes > ix_span_left(&p->in))
        return ix_fail_at(p->err, INOX_E_FORMAT, v->position,
                          "the value of key '%.*s' at byte %" PRIu64 " has %" PRIu64
                          " items of %u bytes, but only %" PRIu64 " bytes are left.\n"
                          CUT_OR_DAMAGED,
                          IX_SHOWN(v->key, v->key_size), v->position, v->count, size,
                          ix_span_left(&p->in));
    IX_TRY(ix_read_bytes(&p->in, bytes, &v->bytes, "a value", p->err));
    if (v->item_type != IX_GGUF_BOOL)
        return INOX_OK;
    for (uint64_t i = 0; i < bytes; i++)
        if (v->bytes[i] > 1)
            return ix_fail_at(p->err, INOX_E_FORMAT, position + i,
                              "key '%.*s' has a bool of value %u at byte %" PRIu64
                              "; only 0 and 1 are bools",
                              IX_SHOWN(v->key, v->key_size), v->bytes[i], position + i);
    return INOX_OK;
}

/* One string or an array of them: notes where each starts, so that any is found at once. */
static inox_status read_strings(parser *p, ix_gguf_value *v)
{
    uint64_t *starts = NULL, start = p->in.pos;
    const char *text;
    uint64_t size;

    if (v->count > ix_span_left(&p->in) / 8)
        return ix_fail_at(p->err, INOX_E_FORMAT, v->position,
                          "the value of key '%.*s' at byte %" PRIu64 " has %" PRIu64
                          " strings, which do not fit into the %" PRIu64 " bytes that are left.\n"
                          CUT_OR_DAMAGED,
                          IX_SHOWN(v->key, v->key_size), v->position, v->count,
                          ix_span_left(&p->in));
    IX_TRY(IX_ARENA(&p->meta->arena, &starts, (size_t)v->count, p->err));
    v->bytes = p->in.data + p->in.pos;
    for (uint64_t i = 0; i < v->count; i++) {
        starts[i] = p->in.pos - start;
        IX_TRY(read_text(p, IX_MAX_GGUF_STRING, &text, &size, "a string of the metadata"));
    }
    v->starts = starts;
    return INOX_OK;
}

static inox_status read_type(parser *p, const ix_gguf_value *v, ix_gguf_type *out)
{
    uint64_t position = p->in.pos;
    uint32_t type;

    IX_TRY(read_u32(p, &type, "the type of a value"));
    if (type >= IX_GGUF_TYPE_COUNT)
        return ix_fail_at(p->err, INOX_E_FORMAT, position,
                          "key '%.*s' has a value of the unknown type %" PRIu32 " at byte %" PRIu64,
                          IX_SHOWN(v->key, v->key_size), type, position);
    *out = (ix_gguf_type)type;
    return INOX_OK;
}

static inox_status read_array_head(parser *p, ix_gguf_value *v)
{
    uint64_t position = p->in.pos, count;

    IX_TRY(read_type(p, v, &v->item_type));
    if (v->item_type == IX_GGUF_ARRAY)
        return ix_fail_at(p->err, INOX_E_UNSUPPORTED, position,
                          "key '%.*s' has an array of arrays at byte %" PRIu64
                          ", which is not supported",
                          IX_SHOWN(v->key, v->key_size), position);
    IX_TRY(read_u64(p, &count, "the number of items of an array"));
    if (count > IX_MAX_GGUF_ARRAY && count <= ix_span_left(&p->in))
        return ix_fail_at(p->err, INOX_E_LIMIT, position + 4,
                          "key '%.*s' has an array of %" PRIu64 " items at byte %" PRIu64
                          "; at most %llu are supported",
                          IX_SHOWN(v->key, v->key_size), count, position + 4, IX_MAX_GGUF_ARRAY);
    v->count = count;
    return INOX_OK;
}

static inox_status read_value(parser *p, ix_gguf_value *v)
{
    IX_TRY(read_type(p, v, &v->type));
    v->position = p->in.pos;
    v->item_type = v->type;
    v->count = 1;
    if (v->type == IX_GGUF_ARRAY)
        IX_TRY(read_array_head(p, v));
    return v->item_type == IX_GGUF_STRING ? read_strings(p, v) : read_items(p, v);
}

static inox_status read_metadata(parser *p, uint64_t count)
{
    ix_gguf_meta *meta = p->meta;

    IX_TRY(IX_ARENA(&meta->arena, &meta->values, (size_t)count, p->err));
    IX_TRY(ix_gguf_table_reserve(&meta->keys, (size_t)count, p->err));
    for (uint64_t i = 0; i < count; i++) {
        ix_gguf_value *v = &meta->values[i];
        uint64_t position = p->in.pos;
        uint32_t twin;
        char *key;

        IX_TRY(read_name(p, IX_MAX_GGUF_NAME, &meta->arena, &key, &v->key_size,
                         "a metadata key"));
        v->key = key;
        if (!ix_gguf_table_insert(&meta->keys, key, v->key_size, (uint32_t)i, &twin))
            return ix_fail_at(p->err, INOX_E_FORMAT, position,
                              "key '%.*s' at byte %" PRIu64 " is there a second time; the first "
                              "has its value at byte %" PRIu64,
                              IX_SHOWN(key, v->key_size), position, meta->values[twin].position);
        IX_TRY(read_value(p, v));
        meta->count++;
    }
    return INOX_OK;
}

/* general.alignment: a power of two (ggml) and a multiple of 8 (specification).  0: not there. */
static inox_status find_alignment(const parser *p, uint32_t *out)
{
    const ix_gguf_value *v = ix_gguf_meta_find(p->meta, "general.alignment");

    *out = 0;
    if (v == NULL)
        return INOX_OK;
    if (v->type != IX_GGUF_U32)
        return ix_fail_at(p->err, INOX_E_FORMAT, v->position,
                          "general.alignment at byte %" PRIu64 " has the type %s; uint32 is needed",
                          v->position, ix_gguf_type_name(v->type));
    uint64_t a = ix_gguf_load(v->bytes, 4);
    if (a < 8 || (a & (a - 1)) != 0)
        return ix_fail_at(p->err, INOX_E_FORMAT, v->position,
                          "general.alignment at byte %" PRIu64 " is %" PRIu64
                          "; it must be a power of two and at least 8",
                          v->position, a);
    *out = (uint32_t)a;
    return INOX_OK;
}

/* ---- tensors --------------------------------------------------------------------------- */

typedef struct lost_type {
    uint32_t id;
    const char *name, *why;
} lost_type;

#define REMOVED "was removed from GGUF; get a newer file of this model"
#define INTERNAL "exists only while computing and never stands in a file; the file is damaged"

/* Numbers that mean, or meant, a type, but not one of a model that can be run. */
static const lost_type LOST_TYPES[] = {
    { 4, "Q4_2", REMOVED },        { 5, "Q4_3", REMOVED },
    { 9, "Q8_1", INTERNAL },       { 15, "Q8_K", INTERNAL },
    { 31, "Q4_0_4_4", REMOVED },   { 32, "Q4_0_4_8", REMOVED },   { 33, "Q4_0_8_8", REMOVED },
    { 36, "IQ4_NL_4_4", REMOVED }, { 37, "IQ4_NL_4_8", REMOVED }, { 38, "IQ4_NL_8_8", REMOVED },
};

static inox_status read_tensor_type(parser *p, ix_gguf_tensor *t)
{
    uint64_t position = p->in.pos;
    uint32_t id;

    IX_TRY(read_u32(p, &id, "the type of a tensor"));
    if (ix_type_from_ggml(id, &t->type))
        return INOX_OK;
    for (size_t i = 0; i < sizeof LOST_TYPES / sizeof LOST_TYPES[0]; i++)
        if (LOST_TYPES[i].id == id)
            return ix_fail_at(p->err, INOX_E_UNSUPPORTED, position,
                              "tensor '%s' has the type %" PRIu32 " (%s) at byte %" PRIu64
                              ", which %s",
                              t->name, id, LOST_TYPES[i].name, position, LOST_TYPES[i].why);
    return ix_fail_at(p->err, INOX_E_UNSUPPORTED, position,
                      "tensor '%s' has the unknown type %" PRIu32 " at byte %" PRIu64
                      ": the file is damaged, or newer than this program",
                      t->name, id, position);
}

static inox_status read_shape(parser *p, ix_gguf_tensor *t)
{
    uint64_t position = p->in.pos, elements = 1;

    IX_TRY(read_u32(p, &t->rank, "the rank of a tensor"));
    if (t->rank == 0 || t->rank > IX_MAX_RANK)
        return ix_fail_at(p->err, INOX_E_FORMAT, position,
                          "tensor '%s' has %" PRIu32 " dimensions (at byte %" PRIu64
                          "); 1 to %d are possible",
                          t->name, t->rank, position, IX_MAX_RANK);
    for (uint32_t i = 0; i < IX_MAX_RANK; i++) {
        t->dims[i] = 1;
        position = p->in.pos;
        if (i < t->rank)
            IX_TRY(read_u64(p, &t->dims[i], "a dimension of a tensor"));
        if (t->dims[i] == 0 || t->dims[i] > INT64_MAX)
            return ix_fail_at(p->err, INOX_E_FORMAT, position,
                              "tensor '%s' has a dimension of %" PRId64 " at byte %" PRIu64,
                              t->name, (int64_t)t->dims[i], position);
        if (t->dims[i] > IX_MAX_DIM)
            return ix_fail_at(p->err, INOX_E_LIMIT, position,
                              "tensor '%s' has a dimension of %" PRIu64 " at byte %" PRIu64
                              "; at most %lld are supported",
                              t->name, t->dims[i], position, IX_MAX_DIM);
        if (!ix_mul_u64(elements, t->dims[i], &elements) || elements > INT64_MAX)
            return ix_fail_at(p->err, INOX_E_LIMIT, position,
                              "the dimensions of tensor '%s' at byte %" PRIu64
                              " have a product beyond 2^63",
                              t->name, position);
    }
    return INOX_OK;
}

/* The description of one tensor; its offset still counts from the data section. */
static inox_status read_tensor(parser *p, ix_gguf_tensor *t)
{
    size_t name_size;
    uint32_t twin;
    char *name;

    t->position = p->in.pos;
    t->file = p->file;
    IX_TRY(read_name(p, IX_MAX_TENSOR_NAME, &p->g->arena, &name, &name_size, "a tensor's name"));
    t->name = name;
    if (!ix_gguf_table_insert(&p->g->names, name, name_size, (uint32_t)p->g->tensor_count, &twin)) {
        const ix_gguf_tensor *first = &p->g->tensors[twin];

        return ix_fail_at(p->err, INOX_E_FORMAT, t->position,
                          "tensor '%s' at byte %" PRIu64 " is there a second time; the first is at "
                          "byte %" PRIu64 "%s%s",
                          t->name, t->position, first->position,
                          first->file == t->file ? "" : " of ",
                          first->file == t->file ? "" : p->g->files[first->file].path);
    }
    IX_TRY(read_shape(p, t));
    IX_TRY(read_tensor_type(p, t));
    inox_status status = ix_tensor_bytes(t->type, t->dims[0], t->dims[1] * t->dims[2] * t->dims[3],
                                         &t->bytes, p->err);
    if (status != INOX_OK) {
        if (p->err != NULL)
            p->err->position = (int64_t)t->position;
        return ix_prefix(p->err, status, "tensor '%s' at byte %" PRIu64, t->name, t->position);
    }
    return read_u64(p, &t->offset, "the offset of a tensor");
}

static inox_status read_tensors(parser *p, uint64_t count)
{
    ix_gguf *g = p->g;
    size_t all = g->tensor_count + (size_t)count;

    if (all > IX_MAX_GGUF_TENSORS)
        return ix_fail_at(p->err, INOX_E_LIMIT, 8,
                          "the files have more than %d tensors, the most that are supported",
                          IX_MAX_GGUF_TENSORS);
    if (all > 0)
        IX_TRY(IX_REALLOC(&g->tensors, all, p->err));
    IX_TRY(ix_gguf_table_reserve(&g->names, all, p->err));
    while (g->tensor_count < all) {
        g->tensors[g->tensor_count] = (ix_gguf_tensor){ 0 };
        IX_TRY(read_tensor(p, &g->tensors[g->tensor_count]));
        g->tensor_count++;
    }
    return INOX_OK;
}

inox_status ix_gguf_parse(ix_gguf *g, uint32_t file, ix_gguf_meta *meta, inox_error *err)
{
    ix_gguf_file *f = &g->files[file];
    parser p = { ix_span_of(f->map.data, f->map.size), g, file, meta, err };
    size_t first = g->tensor_count;
    uint64_t tensors, keys;

    if (f->map.size > IX_MAX_FILE_BYTES)
        return ix_fail_at(err, INOX_E_LIMIT, 0,
                          "the file has %" PRIu64 " bytes; at most %llu are supported", f->map.size,
                          IX_MAX_FILE_BYTES);
    IX_TRY(read_header(&p, &tensors, &keys));
    IX_TRY(read_metadata(&p, keys));
    IX_TRY(find_alignment(&p, &f->alignment));
    IX_TRY(read_tensors(&p, tensors));
    f->tensor_count = (uint32_t)tensors;
    return ix_gguf_lay_out(g, file, first, p.in.pos, err);
}
