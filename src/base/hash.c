/* SHA-256 by libcrypto, the hash tree of large files, hexadecimal text.
 *
 * The tree is that of RFC 6962 over leaves of 1 MiB:
 *
 *     leaf = SHA-256(0x00 || bytes)        node = SHA-256(0x01 || left || right)
 *     the left child holds the largest power of two of leaves that is smaller than all of them
 *
 * An empty file is one empty leaf.
 */
#include "base/hash.h"

#include "base/alloc.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define LEAF_BYTES ((uint64_t)1 << 20)

struct ix_sha256 {
    EVP_MD_CTX *context;
};

static inox_status library_failed(inox_error *err)
{
    return ix_fail(err, INOX_E_MEMORY, "libcrypto could not compute a SHA-256");
}

inox_status ix_sha256_new(ix_sha256 **out, inox_error *err)
{
    ix_sha256 *h = NULL;

    IX_TRY(IX_ALLOC(&h, 1, err));
    h->context = EVP_MD_CTX_new();
    if (h->context == NULL || EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) != 1) {
        ix_sha256_free(h);
        return library_failed(err);
    }
    *out = h;
    return INOX_OK;
}

inox_status ix_sha256_update(ix_sha256 *h, const void *bytes, size_t n, inox_error *err)
{
    if (n > 0 && EVP_DigestUpdate(h->context, bytes, n) != 1)
        return library_failed(err);
    return INOX_OK;
}

inox_status ix_sha256_final(ix_sha256 *h, uint8_t out[IX_SHA256_BYTES], inox_error *err)
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (EVP_DigestFinal_ex(h->context, digest, NULL) != 1)
        return library_failed(err);
    memcpy(out, digest, IX_SHA256_BYTES);
    return INOX_OK;
}

void ix_sha256_free(ix_sha256 *h)
{
    if (h == NULL)
        return;
    EVP_MD_CTX_free(h->context);
    ix_free(h);
}

/* SHA-256(prefix || bytes); out may lie inside bytes. */
static bool digest(EVP_MD_CTX *context, const uint8_t *prefix, const void *bytes, size_t n,
                   uint8_t out[IX_SHA256_BYTES])
{
    uint8_t result[EVP_MAX_MD_SIZE];

    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        return false;
    if (prefix != NULL && EVP_DigestUpdate(context, prefix, 1) != 1)
        return false;
    if (n > 0 && EVP_DigestUpdate(context, bytes, n) != 1)
        return false;
    if (EVP_DigestFinal_ex(context, result, NULL) != 1)
        return false;
    memcpy(out, result, IX_SHA256_BYTES);
    return true;
}

inox_status ix_sha256_of(const void *bytes, size_t n, uint8_t out[IX_SHA256_BYTES], inox_error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = digest(context, NULL, bytes, n, out);

    EVP_MD_CTX_free(context);
    return ok ? INOX_OK : library_failed(err);
}

void ix_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

/* ---- tree ------------------------------------------------------------------------------------ */

typedef struct tree_job {
    ix_counter next; /* leaf */
    const uint8_t *bytes;
    uint64_t size, leaves;
    uint8_t (*hashes)[IX_SHA256_BYTES]; /* [leaves] */
    const ix_map *map; /* its pages are let go behind the hash; NULL: keep them */
    _Atomic bool failed;
} tree_job;

static void hash_leaves(void *context, int worker)
{
    static const uint8_t leaf_prefix = 0x00;
    tree_job *job = context;
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    (void)worker;
    for (;;) {
        uint64_t leaf = (uint64_t)ix_counter_take(&job->next);

        if (leaf >= job->leaves)
            break;
        uint64_t start = leaf * LEAF_BYTES, left = job->size - start;
        size_t n = (size_t)(left < LEAF_BYTES ? left : LEAF_BYTES);
        if (!digest(md, &leaf_prefix, n > 0 ? job->bytes + start : NULL, n, job->hashes[leaf]))
            atomic_store(&job->failed, true);
        if (job->map != NULL)
            ix_map_forget(job->map, start, n);
    }
    EVP_MD_CTX_free(md);
}

/* Joins neighbours level by level; a last one without neighbour rises as it is, which is the same
 * tree as splitting from the top. */
static bool join(uint8_t (*hashes)[IX_SHA256_BYTES], uint64_t count)
{
    static const uint8_t node_prefix = 0x01;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = true;

    while (ok && count > 1) {
        uint64_t pairs = count / 2;

        for (uint64_t i = 0; ok && i < pairs; i++)
            ok = digest(md, &node_prefix, hashes[2 * i], (size_t)2 * IX_SHA256_BYTES, hashes[i]);
        if (count % 2 != 0)
            memmove(hashes[pairs], hashes[count - 1], IX_SHA256_BYTES);
        count = pairs + count % 2;
    }
    EVP_MD_CTX_free(md);
    return ok;
}

static inox_status hash_tree(const void *bytes, uint64_t n, const ix_map *map, ix_pool *pool,
                             uint8_t out[IX_SHA256_BYTES], inox_error *err)
{
    tree_job job = { .bytes = bytes, .size = n, .map = map };
    void *hashes;

    job.leaves = n == 0 ? 1 : n / LEAF_BYTES + (n % LEAF_BYTES != 0);
    IX_TRY(ix_alloc((size_t)job.leaves, IX_SHA256_BYTES, &hashes, err));
    job.hashes = hashes;
    if (pool != NULL)
        ix_pool_run(pool, hash_leaves, &job);
    else
        hash_leaves(&job, 0);
    bool ok = !atomic_load(&job.failed) && join(job.hashes, job.leaves);
    if (ok)
        memcpy(out, job.hashes[0], IX_SHA256_BYTES);
    ix_free(hashes);
    return ok ? INOX_OK : library_failed(err);
}

inox_status ix_sha256_tree(const void *bytes, uint64_t n, ix_pool *pool,
                           uint8_t out[IX_SHA256_BYTES], inox_error *err)
{
    return hash_tree(bytes, n, NULL, pool, out, err);
}

inox_status ix_sha256_tree_map(const ix_map *map, uint8_t out[IX_SHA256_BYTES], inox_error *err)
{
    return hash_tree(map->data, map->size, map, NULL, out, err);
}
