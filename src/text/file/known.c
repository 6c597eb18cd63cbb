/* Published tiktoken files.
 *
 * Hashes, expressions and tokens of OpenAI's encodings are those of tiktoken 0.14.0
 * (tiktoken_ext/openai_public.py); the files of Llama 3 and 4 are those in the package llama-models
 * 0.3.0 (llama3/tokenizer.py, llama4/tokenizer.py), and Qwen's is the one in dashscope 2.0.2
 * (tokenizers/qwen_tokenizer.py).  o200k_base has two sets of special tokens there; this is that of
 * the encoding of that name, without those of "harmony".
 */
#include "text/file/known.h"

#include <string.h>

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define SPACES "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/* The expression of GPT-2's first release: tiktoken's own form of it matches the same. */
#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
/* Not quite the older form that others took over: blanks at the end of a text stay together. */
#define CL100K                                                                                     \
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| "                         \
    "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s"
#define O200K                                                                                      \
    "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" CONTRACTIONS "?|[^\\r\\n\\p{L}\\p{N}]?" UPPER     \
    "+" LOWER "*" CONTRACTIONS "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" SPACES
#define LLAMA3                                                                                     \
    CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "                                    \
                 "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" SPACES
#define QWEN                                                                                       \
    CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" SPACES

static const ix_known_special gpt2_specials[] = { { "<|endoftext|>", 50256, 0, 0 }, { 0 } };

static const ix_known_special cl100k_specials[] = {
    { "<|endoftext|>", 100257, 0, 0 },   { "<|fim_prefix|>", 100258, 0, 0 },
    { "<|fim_middle|>", 100259, 0, 0 },  { "<|fim_suffix|>", 100260, 0, 0 },
    { "<|endofprompt|>", 100276, 0, 0 }, { 0 },
};

static const ix_known_special o200k_specials[] = {
    { "<|endoftext|>", 199999, 0, 0 },
    { "<|endofprompt|>", 200018, 0, 0 },
    { 0 },
};

static const ix_known_special llama3_specials[] = {
    { "<|begin_of_text|>", 128000, 0, 0 },
    { "<|end_of_text|>", 128001, 0, 0 },
    { "<|reserved_special_token_", 128002, 0, 2 },
    { "<|finetune_right_pad_id|>", 128004, 0, 0 },
    { "<|step_id|>", 128005, 0, 0 },
    { "<|start_header_id|>", 128006, 0, 0 },
    { "<|end_header_id|>", 128007, 0, 0 },
    { "<|eom_id|>", 128008, 0, 0 },
    { "<|eot_id|>", 128009, 0, 0 },
    { "<|python_tag|>", 128010, 0, 0 },
    { "<|image|>", 128011, 0, 0 },
    { "<|reserved_special_token_", 128012, 2, 244 },
    { 0 },
};

static const ix_known_special llama4_specials[] = {
    { "<|begin_of_text|>", 200000, 0, 0 },
    { "<|end_of_text|>", 200001, 0, 0 },
    { "<|fim_prefix|>", 200002, 0, 0 },
    { "<|fim_middle|>", 200003, 0, 0 },
    { "<|fim_suffix|>", 200004, 0, 0 },
    { "<|header_start|>", 200005, 0, 0 },
    { "<|header_end|>", 200006, 0, 0 },
    { "<|eom|>", 200007, 0, 0 },
    { "<|eot|>", 200008, 0, 0 },
    { "<|step|>", 200009, 0, 0 },
    { "<|text_post_train_reserved_special_token_", 200010, 0, 6 },
    { "<|python_start|>", 200016, 0, 0 },
    { "<|python_end|>", 200017, 0, 0 },
    { "<|finetune_right_pad|>", 200018, 0, 0 },
    { "<|text_post_train_reserved_special_token_", 200019, 8, 61 },
    { "<|image_start|>", 200080, 0, 0 },
    { "<|image_end|>", 200081, 0, 0 },
    { "<|vision_reserved_special_token_", 200082, 0, 2 },
    { "<|tile_x_separator|>", 200084, 0, 0 },
    { "<|tile_y_separator|>", 200085, 0, 0 },
    { "<|vision_reserved_special_token_", 200086, 2, 4 },
    { "<|image|>", 200090, 0, 0 },
    { "<|vision_reserved_special_token_", 200091, 6, 1 },
    { "<|patch|>", 200092, 0, 0 },
    { "<|vision_reserved_special_token_", 200093, 7, 1041 },
    { "<|reasoning_reserved_special_token_", 201134, 0, 8 },
    { "<|reasoning_thinking_start|>", 201142, 0, 0 },
    { "<|reasoning_thinking_end|>", 201143, 0, 0 },
    { "<|reserved_special_token_", 201144, 0, 904 },
    { 0 },
};

static const ix_known_special qwen_specials[] = {
    { "<|endoftext|>", 151643, 0, 0 },
    { "<|im_start|>", 151644, 0, 0 },
    { "<|im_end|>", 151645, 0, 0 },
    { "<|extra_", 151646, 0, 205 },
    { 0 },
};

static const ix_known_ranks known[] = {
    { "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930", "r50k_base", GPT2,
      gpt2_specials },
    { "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069", "p50k_base", GPT2,
      gpt2_specials },
    { "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7", "cl100k_base", CL100K,
      cl100k_specials },
    { "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d", "o200k_base", O200K,
      o200k_specials },
    { "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55", "Llama 3", LLAMA3,
      llama3_specials },
    { "d0bdbaf59b0762c8c807617e2d8ea51420eb1b1de266df2495be755c8e0ed6ed", "Llama 4", O200K,
      llama4_specials },
    { "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186", "Qwen", QWEN,
      qwen_specials },
};

const ix_known_ranks *ix_known_ranks_at(size_t n)
{
    return n < sizeof known / sizeof *known ? &known[n] : NULL;
}

const ix_known_ranks *ix_known_ranks_find(const uint8_t sha256[IX_SHA256_BYTES])
{
    char hex[IX_SHA256_HEX];
    ix_hex(sha256, IX_SHA256_BYTES, hex);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(hex, known[i].sha256) == 0)
            return &known[i];
    return NULL;
}
