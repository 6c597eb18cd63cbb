/* Reading tokenizer.json.  Private to src/text. */
#ifndef IX_TEXT_FILE_TOKENIZER_JSON_H
#define IX_TEXT_FILE_TOKENIZER_JSON_H

#include "text/tokenizer.h"

#include <jansson.h>

/* From the object that a tokenizer.json holds; config and special_map are those of the files beside
 * it, or NULL.  All stay the caller's. */
inox_status ix_tokenizer_from_json_object(const json_t *root, const json_t *config,
                                          const json_t *special_map, ix_tokenizer **out,
                                          inox_error *err) IX_MUST_USE;

#endif
