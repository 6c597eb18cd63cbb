/* Hashing a model's files, and remembering what they hashed to.
 *
 * The memory of identities is one small file per model file in $XDG_CACHE_HOME/inox/identities,
 * named by device, inode, size, modification and change time: a file whose bytes changed has
 * another change time, which no program can set back.  Nothing is lost if it cannot be written.
 */
#include "llm/identity.h"

#include "base/hash.h"
#include "base/os.h"

#include <inttypes.h>
#include <string.h>

static inox_status cache_path(const ix_file_id *id, char **directory, ix_buffer *path,
                              inox_error *err)
{
    IX_TRY(ix_user_directory("XDG_CACHE_HOME", ".cache", "inox/identities", directory, err));
    return ix_buffer_printf(
        path, err, "%s/%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64, *directory,
        id->device, id->inode, id->size, (uint64_t)id->mtime_ns, (uint64_t)id->ctime_ns);
}

static bool is_digest(const char *s, size_t n)
{
    return n == 64 && strspn(s, "0123456789abcdef") == 64;
}

static bool from_hex(const char *s, uint8_t out[IX_SHA256_BYTES])
{
    static const char DIGITS[] = "0123456789abcdef";
    for (int i = 0; i < IX_SHA256_BYTES; i++)
        out[i] = (uint8_t)((strchr(DIGITS, s[2 * i]) - DIGITS) << 4 |
                           (strchr(DIGITS, s[2 * i + 1]) - DIGITS));
    return true;
}

/* The digest of an unchanged file from the memory; false if it is not there. */
static bool recall(const ix_file_id *id, uint8_t out[IX_SHA256_BYTES])
{
    char *directory = NULL, *text = NULL;
    ix_buffer path = { 0 };
    size_t size = 0;
    bool found = cache_path(id, &directory, &path, NULL) == INOX_OK && ix_path_exists(path.data) &&
                 ix_file_read(path.data, 64, &text, &size, NULL) == INOX_OK &&
                 is_digest(text, size) && from_hex(text, out);
    ix_free(text);
    ix_free(directory);
    ix_buffer_release(&path);
    return found;
}

static void remember(const ix_file_id *id, const uint8_t digest[IX_SHA256_BYTES])
{
    char *directory = NULL, hex[IX_SHA256_HEX];
    ix_buffer path = { 0 };
    ix_hex(digest, IX_SHA256_BYTES, hex);
    inox_status status = cache_path(id, &directory, &path, NULL);
    if (status == INOX_OK)
        status = ix_make_directories(directory, NULL);
    if (status == INOX_OK)
        status = ix_file_write(path.data, hex, 64, 0600, NULL);
    (void)status; /* the memory only saves time */
    ix_free(directory);
    ix_buffer_release(&path);
}

static inox_status hash_file(const ix_map *map, uint8_t out[IX_SHA256_BYTES], inox_error *err)
{
    ix_file_id id;
    if (map->handle < 0)
        return ix_sha256_tree(map->data, map->size, NULL, out, err);
    IX_TRY(ix_map_identity(map, &id, err));
    if (recall(&id, out))
        return INOX_OK;
    IX_TRY(ix_sha256_tree_map(map, out, err));
    remember(&id, out);
    return INOX_OK;
}

/* One file: its tree hash.  More: SHA-256 of the byte 2 and the tree hashes in the order of the
 * names. */
static inox_status hash_model(const inox_model *m, char identity[65], inox_error *err)
{
    uint8_t digest[IX_SHA256_BYTES];
    ix_buffer all = { 0 };
    uint32_t count = ix_gguf_file_count(m->file);
    inox_status status = ix_buffer_append(&all, "\x02", 1, err);
    for (uint32_t i = 0; i < count && status == INOX_OK; i++) {
        status = hash_file(&ix_gguf_file_at(m->file, i)->map, digest, err);
        if (status == INOX_OK)
            status = ix_buffer_append(&all, digest, sizeof digest, err);
    }
    if (status == INOX_OK && count > 1)
        status = ix_sha256_of(all.data, all.size, digest, err);
    if (status == INOX_OK)
        ix_hex(digest, sizeof digest, identity);
    ix_buffer_release(&all);
    return status;
}

static void identity_main(void *context)
{
    ix_identity_task *t = context;
    t->status = hash_model(t->model, t->identity, &t->error);
}

inox_status ix_identity_begin(ix_identity_task *t, inox_model *m, inox_error *err)
{
    *t = (ix_identity_task){ .model = m };
    ix_lock_take(&m->lock);
    memcpy(t->identity, m->identity, sizeof t->identity);
    ix_lock_give(&m->lock);
    if (t->identity[0] != '\0')
        return INOX_OK;
    return ix_task_start(identity_main, t, &t->task, err);
}

inox_status ix_identity_end(ix_identity_task *t, inox_error *err)
{
    ix_task_join(t->task);
    t->task = NULL;
    if (t->status != INOX_OK)
        return ix_fail(err, t->status, "%s", t->error.message);
    ix_lock_take(&t->model->lock);
    memcpy(t->model->identity, t->identity, sizeof t->identity);
    ix_lock_give(&t->model->lock);
    return INOX_OK;
}

inox_status inox_model_identity(inox_model *m, char out[65], inox_error *err)
{
    ix_identity_task t;
    if (m == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_model_identity: a pointer is NULL");
    IX_TRY(ix_identity_begin(&t, m, err));
    IX_TRY(ix_identity_end(&t, err));
    memcpy(out, t.identity, sizeof t.identity);
    return INOX_OK;
}
