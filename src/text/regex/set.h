/* Sets of characters, for compiling expressions.
 *
 * A set is the ascending list of the places where membership changes: [b0, b1), [b2, b3), ... are
 * in it.  Characters are code points, and IX_SET_BAD stands for a byte that begins none.  Memory
 * comes from the arena of the compilation.
 */
#ifndef IX_TEXT_REGEX_SET_H
#define IX_TEXT_REGEX_SET_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IX_SET_BAD 0x110000u
#define IX_SET_END 0x110001u /* behind the last character */

typedef struct ix_char_set {
    uint32_t *bounds;
    size_t count, capacity;
} ix_char_set;

typedef enum ix_set_operation {
    IX_SET_AND,
    IX_SET_OR,
    IX_SET_MINUS,
    IX_SET_XOR,
} ix_set_operation;

bool ix_set_has(const ix_char_set *s, uint32_t c);
/* Adds first..last. */
inox_status ix_set_add(ix_arena *a, ix_char_set *s, uint32_t first, uint32_t last,
                       inox_error *err) IX_MUST_USE;
/* *s = *s op the `count` bounds at `other`. */
inox_status ix_set_combine(ix_arena *a, ix_char_set *s, const uint32_t *other, size_t count,
                           ix_set_operation op, inox_error *err) IX_MUST_USE;
inox_status ix_set_negate(ix_arena *a, ix_char_set *s, inox_error *err) IX_MUST_USE;
/* Adds every character that differs from one of the set in case only. */
inox_status ix_set_fold(ix_arena *a, ix_char_set *s, inox_error *err) IX_MUST_USE;
/* The set is one character, *c. */
bool ix_set_is_single(const ix_char_set *s, uint32_t *c);

#endif
