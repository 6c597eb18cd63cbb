/* A trie of pieces as a double array: one look at memory per byte of text.
 *
 *     child of node s by byte c:  t = base[s] ^ c, if parent[t] is s
 *
 * Built once, from sorted pieces, level by level; no step is deeper than a loop.
 */
#ifndef IX_TEXT_TRIE_H
#define IX_TEXT_TRIE_H

#include "base/status.h"
#include "text/view.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ix_trie_node {
    uint32_t base, parent;
    int32_t value; /* the key's, or -1 */
} ix_trie_node;

typedef struct ix_trie {
    ix_trie_node *nodes; /* node 0 is the root */
    size_t count;        /* a multiple of 256 */
} ix_trie;

/* values[i] >= 0 for each key, or -1: leave the key out.  Of equal keys the last counts; empty ones
 * are left out. */
inox_status ix_trie_new(ix_trie *t, const ix_text_view *keys, const int32_t *values, size_t count,
                        inox_error *err) IX_MUST_USE;
void ix_trie_release(ix_trie *t);

enum { IX_TRIE_NONE = 0 }; /* no node: the root is nobody's child */

static inline uint32_t ix_trie_step(const ix_trie *t, uint32_t node, char c)
{
    uint32_t to = t->nodes[node].base ^ (unsigned char)c;
    return t->nodes[to].parent == node && to != 0 ? to : IX_TRIE_NONE;
}

#endif
