/* SHA-256 (from libcrypto), SHA-256 trees of files, and hexadecimal text. */
#ifndef IX_BASE_HASH_H
#define IX_BASE_HASH_H

#include "base/os.h"
#include "base/status.h"
#include "base/thread.h"

#include <stddef.h>
#include <stdint.h>

#define IX_SHA256_BYTES 32
#define IX_SHA256_HEX 65 /* 64 digits and the NUL */

typedef struct ix_sha256 ix_sha256; /* running hash */
inox_status ix_sha256_new(ix_sha256 **out, inox_error *err) IX_MUST_USE;
inox_status ix_sha256_update(ix_sha256 *h, const void *bytes, size_t n,
                             inox_error *err) IX_MUST_USE;
inox_status ix_sha256_final(ix_sha256 *h, uint8_t out[IX_SHA256_BYTES],
                            inox_error *err) IX_MUST_USE;
void ix_sha256_free(ix_sha256 *h);
inox_status ix_sha256_of(const void *bytes, size_t n, uint8_t out[IX_SHA256_BYTES],
                         inox_error *err) IX_MUST_USE;
void ix_hex(const uint8_t *bytes, size_t n, char *out /* 2n + 1 */);

/* Hash tree over 1 MiB leaves (docs/RECEIPTS.md gives the exact bytes).  pool may be NULL. */
inox_status ix_sha256_tree(const void *bytes, uint64_t n, ix_pool *pool,
                           uint8_t out[IX_SHA256_BYTES], inox_error *err) IX_MUST_USE;

/* The same over a mapped file, on this thread, letting each page go again: the file is never
 * resident as a whole. */
inox_status ix_sha256_tree_map(const ix_map *map, uint8_t out[IX_SHA256_BYTES],
                               inox_error *err) IX_MUST_USE;

#endif
