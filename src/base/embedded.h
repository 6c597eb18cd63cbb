/* The model that is built into the library: the bytes of models/default.gguf.
 *
 * Without that file at build time the two addresses are equal.  embedded.S is written by
 * tools/embed.py.
 */
#ifndef IX_BASE_EMBEDDED_H
#define IX_BASE_EMBEDDED_H

#include <stdint.h>

/* First byte (aligned to 4096) and end of the model. */
extern const uint8_t ix_embedded_model[];
extern const uint8_t ix_embedded_model_end[];

#endif
