/* SentencePiece's precompiled character map: which strings become which.
 *
 *     u32 bytes of the trie | units of a double array (darts-clone), u32 each | strings, NUL behind
 *
 * A value of the trie is the position of a string.  The bytes are untrusted: every step in the
 * array is checked, and a value that points outside is no match.
 */
#ifndef IX_TEXT_CHARSMAP_H
#define IX_TEXT_CHARSMAP_H

#include "base/status.h"
#include "text/view.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ix_charsmap ix_charsmap; /* immutable; copies what it is made from */

inox_status ix_charsmap_new(const char *bytes, size_t size, ix_charsmap **out,
                            inox_error *err) IX_MUST_USE;
void ix_charsmap_free(ix_charsmap *m); /* NULL is fine */

/* Bytes of the longest prefix of text[0..size) that the map has, with what it becomes (perhaps
 * nothing); 0: none.  SentencePiece's rule. */
size_t ix_charsmap_longest(const ix_charsmap *m, const char *text, size_t size, ix_text_view *to);
/* The same of the shortest: the rule of Hugging Face's Precompiled. */
size_t ix_charsmap_shortest(const ix_charsmap *m, const char *text, size_t size, ix_text_view *to);
/* Whether a prefix may begin with this byte. */
bool ix_charsmap_begins(const ix_charsmap *m, unsigned char byte);
/* Whether a prefix may be this byte alone, or this byte and one of ASCII and more. */
bool ix_charsmap_begins_ascii(const ix_charsmap *m, unsigned char byte);
/* Whether a prefix may begin with this byte and one of ASCII behind it. */
bool ix_charsmap_pairs_ascii(const ix_charsmap *m, unsigned char byte);
/* Whether all that prefixes become is well-formed UTF-8. */
bool ix_charsmap_is_text(const ix_charsmap *m);

#endif
