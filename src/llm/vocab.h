/* What the metadata of a GGUF file say about text: its tokenizer and its chat templates. */
#ifndef IX_LLM_VOCAB_H
#define IX_LLM_VOCAB_H

#include "front/gguf/gguf.h"
#include "text/tokenizer.h"

/* vocab.c: the tokenizer of a GGUF file, which must outlive it.  much_text: as in
 * ix_vocab_source. */
inox_status ix_tokenizer_from_gguf(const ix_gguf *file, bool much_text, ix_tokenizer **out,
                                   inox_error *err) IX_MUST_USE;
/* text_files.c: a chat template of a GGUF file; name: NULL for the default one.  INOX_E_NOT_FOUND
 * where there is none. */
inox_status ix_template_from_gguf(const ix_gguf *file, const char *name, inox_template **out,
                                  inox_error *err) IX_MUST_USE;

#endif
