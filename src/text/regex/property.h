/* Properties of characters by the names that expressions use: \p{L}, \p{Script=Greek}, [:alpha:].
 *
 * Both libraries are of Unicode 16.0 and agree about every name that both know, but for the names
 * of POSIX (in Rust [:alpha:] and its like are of ASCII, and \p{Graph} and \p{Print} leave format
 * characters out) and \w: Oniguruma counts U+00B2, B3, B9, BC, BD, BE (outside of classes in
 * brackets only), and Rust U+200C and U+200D.
 * They agree about simple case folding; only Oniguruma knows foldings to several letters.
 *
 * The table is generated (tools/make_regex_tables.py) by asking the two libraries about every name
 * and every code point, so a name means what the library of the expression's syntax means by it.
 */
#ifndef IX_TEXT_REGEX_PROPERTY_H
#define IX_TEXT_REGEX_PROPERTY_H

#include "text/regex/regex.h"

/* One row per name, ascending by name: small letters and digits (and '=' or '/') only. */
typedef struct ix_regex_property {
    const char *name;
    uint16_t set[2]; /* by ix_regex_syntax: number of the set, or IX_NO_SET */
} ix_regex_property;
#define IX_NO_SET 0xFFFFu

extern const ix_regex_property ix_regex_properties[];
extern const size_t ix_regex_property_count;
/* Set n: the bounds ix_regex_set_bounds[ix_regex_set_starts[n] .. ix_regex_set_starts[n + 1]), as
 * set.h has them. */
extern const uint32_t ix_regex_set_starts[];
extern const uint32_t ix_regex_set_bounds[];
/* {c, d}: c and d differ in case only; ascending. */
extern const uint32_t ix_regex_folds[][2];
extern const size_t ix_regex_fold_count;
/* Characters that stand for several letters where case is ignored, in Oniguruma: {c, letters}. */
extern const uint32_t ix_regex_long_folds[][4];
extern const size_t ix_regex_long_fold_count;

/* The bounds of the row of this very name, or NULL. */
const uint32_t *ix_regex_property_row(const char *name, ix_regex_syntax syntax, size_t *count);
/* The bounds of the property that is written name[0..size), or NULL.  Case, spaces, '-' and '_' do
 * not matter. */
const uint32_t *ix_regex_property_find(const char *name, size_t size, ix_regex_syntax syntax,
                                       size_t *count);

#endif
