/* JSON with U+0000 in keys.  Private to src/text. */
#ifndef IX_TEXT_FILE_NULL_KEYS_H
#define IX_TEXT_FILE_NULL_KEYS_H

#include "base/status.h"
#include "text/view.h"

#include <jansson.h>

/* Reads a tokenizer.json that jansson refused for a U+0000 in a key: its objects hold such keys,
 * but its parser makes none.  In the vocabulary they are what the file says; elsewhere, where no
 * key is a text, U+10FFFF stands for U+0000.  *out = NULL, and *error, where it is no good JSON, or
 * where U+10FFFF is in it already. */
inox_status ix_json_load_null_keys(ix_text_view file, size_t flags, json_t **out,
                                   json_error_t *error, inox_error *err) IX_MUST_USE;

#endif
