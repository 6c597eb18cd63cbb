/* The list of architectures. */
#include "llm/arch/arch.h"

#include <string.h>

static const ix_architecture *const ARCHITECTURES[] = { &ix_arch_llama, &ix_arch_qwen2,
                                                        &ix_arch_qwen3 };

const ix_architecture *ix_architecture_find(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof ARCHITECTURES / sizeof *ARCHITECTURES; i++) {
        if (strlen(ARCHITECTURES[i]->name) == size &&
            memcmp(ARCHITECTURES[i]->name, name, size) == 0)
            return ARCHITECTURES[i];
    }
    return NULL;
}

const char *ix_architecture_names(void)
{
    return "llama (Mistral too), qwen2, qwen3";
}
