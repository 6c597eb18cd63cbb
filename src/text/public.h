/* The handles of inox_text.h, for the two that make them: this folder, and llm/text_files.c, which
 * also opens GGUF files.
 */
#ifndef IX_TEXT_PUBLIC_H
#define IX_TEXT_PUBLIC_H

#include "text/tokenizer.h"

struct inox_tokenizer {
    const ix_tokenizer *tokenizer;
    ix_tokenizer *owned; /* the same, or NULL: it belongs to a model */
    const char *format;  /* "gguf", "tokenizer.json", ...; static */
    void *keep;          /* what the tokenizer looks into while it lives (a mapped file), or NULL */
    void (*drop)(void *keep);
};

/* *out = a handle; takes `owned` and `keep`, also on failure. */
inox_status ix_public_tokenizer(const ix_tokenizer *t, ix_tokenizer *owned, const char *format,
                                void *keep, void (*drop)(void *keep), inox_tokenizer **out,
                                inox_error *err) IX_MUST_USE;

/* public_template.c: the template in the bytes of a file that is no GGUF: Jinja source, or JSON
 * with a member chat_template.  name: which of several, NULL: "default". */
inox_status ix_public_template(const char *data, size_t size, const char *name, inox_template **out,
                               inox_error *err) IX_MUST_USE;
/* The same of a directory. */
inox_status ix_public_template_directory(const char *path, const char *name, inox_template **out,
                                         inox_error *err) IX_MUST_USE;

#endif
