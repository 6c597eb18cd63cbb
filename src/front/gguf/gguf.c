/* Opening and closing of GGUF models of one file or several, and access to files and tensors.
 *
 * A split model is the files BASE-00001-of-0000N.gguf to BASE-0000N-of-0000N.gguf.  The metadata is
 * the first file's; each other file has split.no, split.count and split.tensors.count, which must
 * agree with its name and with the first file.
 *
 * Invariant: an ix_gguf under construction can be closed at any moment.
 */
#include "front/gguf/internal.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX_MAX 64 /* of "-00001-of-00003.gguf" with any numbers */

typedef struct split {
    uint64_t number, count, tensors; /* number from 0; tensors of all files */
    bool has_tensors;
} split;

/* ---- split models ---------------------------------------------------------------------- */

static inox_status split_field(const ix_gguf_meta *meta, const char *key, uint64_t *out,
                               bool *present, inox_error *err)
{
    const ix_gguf_value *v = ix_gguf_meta_find(meta, key);

    *present = v != NULL;
    if (v == NULL)
        return INOX_OK;
    if (v->type == IX_GGUF_ARRAY || v->type == IX_GGUF_BOOL)
        return ix_fail_at(err, INOX_E_FORMAT, v->position,
                          "key '%s' at byte %" PRIu64 " has the type %s; an integer is needed",
                          key, v->position, ix_gguf_type_name(v->type));
    return ix_gguf_item_u64(v, 0, out, err);
}

/* What the metadata says about the split; count 1 where it says nothing. */
static inox_status read_split(const ix_gguf_meta *meta, split *out, inox_error *err)
{
    split s = { 0, 1, 0, false };
    bool has_number, has_count;

    IX_TRY(split_field(meta, "split.no", &s.number, &has_number, err));
    IX_TRY(split_field(meta, "split.count", &s.count, &has_count, err));
    IX_TRY(split_field(meta, "split.tensors.count", &s.tensors, &s.has_tensors, err));
    if (s.count == 0)
        s.count = 1; /* some writers mark a model of one file so */
    if (s.count > IX_MAX_SPLITS)
        return ix_fail_at(err, INOX_E_LIMIT, ix_gguf_meta_find(meta, "split.count")->position,
                          "split.count is %" PRIu64 "; at most %d files are supported", s.count,
                          IX_MAX_SPLITS);
    if (s.number >= s.count)
        return ix_fail_at(err, INOX_E_FORMAT, ix_gguf_meta_find(meta, "split.no")->position,
                          "split.no is %" PRIu64 ", but split.count is %" PRIu64, s.number,
                          s.count);
    *out = s;
    return INOX_OK;
}

static void split_suffix(uint64_t number, uint64_t count, char out[SUFFIX_MAX])
{
    snprintf(out, SUFFIX_MAX, "-%05" PRIu64 "-of-%05" PRIu64 ".gguf", number + 1, count);
}

/* *base = the length of the part of `path` before its suffix, if that is the one of this file. */
static bool split_base(const char *path, const split *s, size_t *base)
{
    char suffix[SUFFIX_MAX];
    size_t n = strlen(path), m;

    split_suffix(s->number, s->count, suffix);
    m = strlen(suffix);
    if (n <= m || strcmp(path + n - m, suffix) != 0)
        return false;
    *base = n - m;
    return true;
}

static inox_status not_the_first(const char *path, const split *s, inox_error *err)
{
    char first[SUFFIX_MAX];
    size_t base;

    split_suffix(0, s->count, first);
    if (!split_base(path, s, &base))
        return ix_fail(err, INOX_E_ARGUMENT,
                       "this is file %" PRIu64 " of %" PRIu64 " of a split model; open the first "
                       "one, whose name ends in '%s'",
                       s->number + 1, s->count, first);
    return ix_fail(err, INOX_E_ARGUMENT,
                   "this is file %" PRIu64 " of %" PRIu64 " of a split model; open '%.*s%s' "
                   "instead",
                   s->number + 1, s->count, (int)(base > 400 ? 400 : base), path, first);
}

/* Compares what file `number` says about the split with what the first said. */
static inox_status check_split(const ix_gguf_meta *meta, const split *first, uint64_t number,
                               inox_error *err)
{
    static const char *const KEYS[] = { "split.no", "split.count", "split.tensors.count" };
    const uint64_t wanted[] = { number, first->count, first->tensors };

    for (int i = 0; i < 3; i++) {
        uint64_t found;
        bool present;

        IX_TRY(split_field(meta, KEYS[i], &found, &present, err));
        if (!present)
            return ix_fail(err, INOX_E_FORMAT,
                           "the key '%s' is missing, which every file of a split model has",
                           KEYS[i]);
        if (found == wanted[i])
            continue;
        uint64_t position = ix_gguf_meta_find(meta, KEYS[i])->position;
        return ix_fail_at(err, INOX_E_FORMAT, position,
                          "%s at byte %" PRIu64 " is %" PRIu64 ", but by the %s it should be "
                          "%" PRIu64 ": the files do not belong together",
                          KEYS[i], position, found, i == 0 ? "name" : "first file", wanted[i]);
    }
    return INOX_OK;
}

/* Maps and reads file `number`, whose name is the base and a suffix. */
static inox_status open_sibling(ix_gguf *g, const split *s, size_t base, uint32_t number,
                                inox_error *err)
{
    ix_gguf_file *f = &g->files[number];
    const char *first = g->files[0].path;
    ix_gguf_meta meta = { 0 };
    char suffix[SUFFIX_MAX], *path;
    inox_status status;

    split_suffix(number, s->count, suffix);
    IX_TRY(IX_ARENA(&g->arena, &path, base + strlen(suffix) + 1, err));
    memcpy(path, first, base);
    memcpy(path + base, suffix, strlen(suffix) + 1);
    f->path = path;
    if (!ix_path_exists(path))
        return ix_fail(err, INOX_E_NOT_FOUND,
                       "%s: this file %" PRIu32 " of %" PRIu64 " of the split model is missing; "
                       "fetch it into the same directory",
                       path, number + 1, s->count);
    IX_TRY(ix_map_open(path, &f->map, err));
    g->file_count = number + 1;
    status = ix_gguf_parse(g, number, &meta, err);
    if (status == INOX_OK)
        status = check_split(&meta, s, number, err);
    ix_gguf_meta_release(&meta);
    return status == INOX_OK ? INOX_OK : ix_prefix(err, status, "%s", path);
}

static inox_status open_siblings(ix_gguf *g, const split *s, inox_error *err)
{
    const char *path = g->files[0].path;
    char suffix[SUFFIX_MAX];
    size_t base;

    split_suffix(0, s->count, suffix);
    if (!split_base(path, s, &base))
        return ix_fail(err, INOX_E_ARGUMENT,
                       "%s: this is the first of %" PRIu64 " files of a split model, whose name "
                       "must end in '%s' so that the others can be found; rename it",
                       path, s->count, suffix);
    IX_TRY(IX_REALLOC(&g->files, (size_t)s->count, err));
    memset(g->files + 1, 0, ((size_t)s->count - 1) * sizeof g->files[0]);
    for (uint32_t i = 1; i < s->count; i++)
        IX_TRY(open_sibling(g, s, base, i, err));
    return INOX_OK;
}

static inox_status check_total(const ix_gguf *g, const split *s, inox_error *err)
{
    if (!s->has_tensors || s->tensors == g->tensor_count)
        return INOX_OK;
    return ix_fail_at(err, INOX_E_FORMAT,
                      ix_gguf_meta_find(&g->meta, "split.tensors.count")->position,
                      "%s%ssplit.tensors.count is %" PRIu64 ", but there are %zu tensors",
                      g->files[0].path, g->files[0].path[0] == '\0' ? "" : ": ", s->tensors,
                      g->tensor_count);
}

/* ---- opening and closing --------------------------------------------------------------- */

static inox_status new_gguf(ix_gguf **out, inox_error *err)
{
    ix_gguf *g;

    IX_TRY(IX_ALLOC(&g, 1, err));
    inox_status status = IX_ALLOC(&g->files, 1, err);
    if (status != INOX_OK) {
        ix_free(g);
        return status;
    }
    g->files[0].path = "";
    *out = g;
    return INOX_OK;
}

/* Reads the first file, whose map and path are set, and what it says about the split. */
static inox_status open_first(ix_gguf *g, split *s, inox_error *err)
{
    IX_TRY(ix_gguf_parse(g, 0, &g->meta, err));
    IX_TRY(read_split(&g->meta, s, err));
    return s->number > 0 ? not_the_first(g->files[0].path, s, err) : INOX_OK;
}

static inox_status open_files(ix_gguf *g, const char *path, inox_error *err)
{
    inox_status status;
    char *copy;
    split s;

    IX_TRY(ix_arena_strndup(&g->arena, path, strlen(path), &copy, err));
    g->files[0].path = copy;
    IX_TRY(ix_map_open(path, &g->files[0].map, err));
    g->file_count = 1;
    status = open_first(g, &s, err);
    if (status != INOX_OK)
        return ix_prefix(err, status, "%s", path);
    if (s.count > 1)
        IX_TRY(open_siblings(g, &s, err));
    return check_total(g, &s, err);
}

inox_status ix_gguf_open(const char *path, ix_gguf **out, inox_error *err)
{
    ix_gguf *g;

    IX_TRY(new_gguf(&g, err));
    inox_status status = open_files(g, path, err);
    if (status != INOX_OK) {
        ix_gguf_close(g);
        return status;
    }
    *out = g;
    return INOX_OK;
}

static inox_status open_memory(ix_gguf *g, inox_error *err)
{
    split s;

    IX_TRY(open_first(g, &s, err));
    if (s.count > 1)
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "a split model (%" PRIu64 " files) cannot be opened from memory", s.count);
    return check_total(g, &s, err);
}

inox_status ix_gguf_open_memory(const void *data, uint64_t size, ix_gguf **out, inox_error *err)
{
    ix_gguf *g;

    if (data == NULL && size > 0)
        return ix_fail(err, INOX_E_ARGUMENT, "a model in memory needs its bytes");
    if ((uintptr_t)data % 8 != 0)
        return ix_fail(err, INOX_E_ARGUMENT, "a model in memory must be aligned to 8 bytes");
    IX_TRY(new_gguf(&g, err));
    g->files[0].map = (ix_map){ data, size, -1 };
    inox_status status = open_memory(g, err);
    if (status == INOX_OK) {
        g->file_count = 1;
        *out = g;
        return INOX_OK;
    }
    ix_gguf_close(g);
    return status;
}

void ix_gguf_close(ix_gguf *g)
{
    if (g == NULL)
        return;
    for (uint32_t i = 0; i < g->file_count; i++)
        if (g->files[i].map.handle != -1)
            ix_map_close(&g->files[i].map);
    ix_gguf_meta_release(&g->meta);
    ix_gguf_table_release(&g->names);
    ix_arena_release(&g->arena);
    ix_free(g->tensors);
    ix_free(g->files);
    ix_free(g);
}

void ix_gguf_meta_release(ix_gguf_meta *meta)
{
    ix_gguf_table_release(&meta->keys);
    ix_arena_release(&meta->arena);
    *meta = (ix_gguf_meta){ 0 };
}

/* ---- files and tensors ----------------------------------------------------------------- */

uint32_t ix_gguf_file_count(const ix_gguf *g)
{
    return g->file_count;
}

const ix_gguf_file *ix_gguf_file_at(const ix_gguf *g, uint32_t i)
{
    return &g->files[i];
}

size_t ix_gguf_tensor_count(const ix_gguf *g)
{
    return g->tensor_count;
}

const ix_gguf_tensor *ix_gguf_tensor_at(const ix_gguf *g, size_t i)
{
    return &g->tensors[i];
}

const ix_gguf_tensor *ix_gguf_find_tensor(const ix_gguf *g, const char *name)
{
    uint32_t i;

    return ix_gguf_table_find(&g->names, name, strlen(name), &i) ? &g->tensors[i] : NULL;
}

uint64_t ix_gguf_tensor_elements(const ix_gguf_tensor *t)
{
    return t->dims[0] * t->dims[1] * t->dims[2] * t->dims[3];
}
