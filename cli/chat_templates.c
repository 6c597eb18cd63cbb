/* Chat templates of common families, for models whose file carries none. */
#include "chat.h"

#include <string.h>

#define EACH(turn) "{%- for m in messages %}" turn "{%- endfor %}"
#define WHEN_ASKED(start) "{%- if add_generation_prompt %}{{ '" start "' }}{%- endif %}"

static const struct {
    const char *name, *source;
} TEMPLATES[] = {
    { "chatml", EACH("{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}")
                    WHEN_ASKED("<|im_start|>assistant\n") },
    { "llama3",
      "{{ bos_token }}" EACH("{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' +"
                             " m.content|trim + '<|eot_id|>' }}")
          WHEN_ASKED("<|start_header_id|>assistant<|end_header_id|>\n\n") },
    { "gemma", "{{ bos_token }}" EACH(
                   "{%- if m.role == 'system' %}"
                   "{{ '<start_of_turn>user\n' + m.content|trim + '<end_of_turn>\n' }}"
                   "{%- else %}{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else"
                   " m.role) + '\n' + m.content|trim + '<end_of_turn>\n' }}{%- endif %}")
                   WHEN_ASKED("<start_of_turn>model\n") },
    { "mistral",
      "{{ bos_token }}" EACH("{%- if m.role == 'assistant' %}{{ m.content + eos_token }}"
                             "{%- else %}{{ '[INST]' + m.content + '[/INST]' }}{%- endif %}") },
    { "zephyr", EACH("{{ '<|' + m.role + '|>\n' + m.content + eos_token + '\n' }}")
                    WHEN_ASKED("<|assistant|>\n") },
    { "plain", EACH("{{ m.role|capitalize + ': ' + m.content + '\n' }}") WHEN_ASKED("Assistant:") },
};
#define TEMPLATE_COUNT (sizeof TEMPLATES / sizeof *TEMPLATES)

const char *chat_template_source(const char *name)
{
    for (size_t i = 0; i < TEMPLATE_COUNT; i++)
        if (strcmp(TEMPLATES[i].name, name) == 0)
            return TEMPLATES[i].source;
    return NULL;
}

const char *chat_template_names(void)
{
    return "chatml, llama3, gemma, mistral, zephyr, plain";
}
