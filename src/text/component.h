/* Reading the parts of a tokenizer.json (normalizers, pre-tokenizers, decoders): objects with a
 * "type" and fields of a few kinds.  Private to their files.
 *
 * As in the library, fields that a type does not have are passed over, and an object without a
 * type, or with one that is not known, is told by its fields where that is possible (files older
 * than the types are written so).
 */
#ifndef IX_TEXT_COMPONENT_H
#define IX_TEXT_COMPONENT_H

#include "base/status.h"
#include "text/pattern.h"
#include "text/view.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A type, and the fields that make an object one of it where its type says nothing ("a b c", all of
 * them; NULL: only the type does). */
typedef struct ix_component_type {
    const char *name;
    const char *fields;
} ix_component_type;

/* Index of the type of j in types, which end with a NULL name.  what: "normalizer". */
inox_status ix_component_find(const json_t *j, const ix_component_type *types, const char *what,
                              size_t *index, inox_error *err) IX_MUST_USE;

/* Fields of j, whose type is `type` (for messages).  A missing one is an error. */
inox_status ix_field_bool(const json_t *j, const char *type, const char *name, bool *out,
                          inox_error *err) IX_MUST_USE;
inox_status ix_field_string(const json_t *j, const char *type, const char *name, ix_text_view *out,
                            inox_error *err) IX_MUST_USE; /* a view of j */
inox_status ix_field_count(const json_t *j, const char *type, const char *name, size_t *out,
                           inox_error *err) IX_MUST_USE;
/* A string of one character; also its bytes. */
inox_status ix_field_character(const json_t *j, const char *type, const char *name, uint32_t *out,
                               inox_error *err) IX_MUST_USE;
/* {"String": ...} or {"Regex": ...}. */
inox_status ix_field_pattern(const json_t *j, const char *type, const char *name, ix_pattern **out,
                             inox_error *err) IX_MUST_USE;
inox_status ix_field_array(const json_t *j, const char *type, const char *name, const json_t **out,
                           inox_error *err) IX_MUST_USE;
/* One of the names, which end with NULL. */
inox_status ix_field_choice(const json_t *j, const char *type, const char *name,
                            const char *const *names, int *out, inox_error *err) IX_MUST_USE;
/* The field is there and not null. */
bool ix_field_given(const json_t *j, const char *name);

#endif
