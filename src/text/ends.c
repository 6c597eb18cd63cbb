/* Which tokens end a generation.
 *
 * GGUF files name one end token (eos_token_id), sometimes one of a turn and one of a message; chat
 * models stop at more.  Like llama.cpp, the others are known by their spellings.
 */
#include "base/alloc.h"
#include "text/family.h"

#include <string.h>

static bool one_of(const ix_text_view *piece, const char *const *spellings)
{
    for (; *spellings; spellings++)
        if (ix_text_is(*piece, *spellings))
            return true;
    return false;
}

static const char *const end_spellings[] = { "<|eot_id|>",
                                             "<|im_end|>",
                                             "<|end|>",
                                             "<|return|>",
                                             "<|call|>",
                                             "<|flush|>",
                                             "<|calls|>",
                                             "<end_of_turn>",
                                             "<|endoftext|>",
                                             "</s>",
                                             "<|eom_id|>",
                                             "<EOT>",
                                             "_<EOT>",
                                             "[EOT]",
                                             "[EOS]",
                                             "<|end_of_text|>",
                                             "<end_of_utterance>",
                                             "<eos>",
                                             "<turn|>",
                                             "<|tool_response>",
                                             "<\xEF\xBD\x9C"
                                             "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
                                             "[e~[",
                                             NULL };
static const char *const padding_spellings[] = { "<|fim_pad|>", "<fim-pad>", "<fim_pad>",
                                                 "<PAD>",       "[PAD]",     NULL };
static const char *const repository_spellings[] = { "<|fim_repo|>", "<|repo_name|>", "<fim-repo>",
                                                    "<REPO>",       "<reponame>",    NULL };
static const char *const separator_spellings[] = { "<|file_sep|>", NULL };

static void mark(ix_tokenizer *t, int64_t id)
{
    if (id >= 0 && (uint64_t)id < t->count)
        t->ends[id] = 1;
}

static bool is_end(const ix_tokenizer *t, int64_t id)
{
    return id >= 0 && t->ends[id];
}

/* Marks the token of a file's key or, without one, the first that is spelled so. */
static void mark_first(ix_tokenizer *t, int64_t id, const char *const *spellings)
{
    if (id >= 0 && (uint64_t)id < t->count) {
        mark(t, id);
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        ix_text_view p = t->family->piece(t, (int32_t)i);
        if (p.size > 0 && one_of(&p, spellings)) {
            mark(t, (int64_t)i);
            return;
        }
    }
}

inox_status ix_find_ends(ix_tokenizer *t, const ix_vocab_source *source, inox_error *err)
{
    static const ix_vocab_source nothing = IX_VOCAB_SOURCE_INIT;
    int64_t end = -1, s = -1, returns = -1, call = -1, calls = -1, flush = -1, normal_s = -1;
    if (!source)
        source = &nothing;
    IX_TRY(IX_ALLOC(&t->ends, t->count, err));
    for (size_t i = 0; i < t->count; i++) {
        ix_text_view view = t->family->piece(t, (int32_t)i), *p = &view;
        if (p->size < 3 || !strchr("<_[", p->data[0]) || p->data[0] == 0)
            continue;
        if (one_of(p, end_spellings))
            mark(t, (int64_t)i);
        end = ix_text_is(*p, "<|end|>") ? (int64_t)i : end;
        s = ix_text_is(*p, "</s>") ? (int64_t)i : s;
        returns = ix_text_is(*p, "<|return|>") ? (int64_t)i : returns;
        call = ix_text_is(*p, "<|call|>") ? (int64_t)i : call;
        calls = ix_text_is(*p, "<|calls|>") ? (int64_t)i : calls;
        flush = ix_text_is(*p, "<|flush|>") ? (int64_t)i : flush;
        if (ix_text_is(*p, "<|tool_response>") || ix_text_is(*p, "<|plamo:eos|>"))
            normal_s = (int64_t)i;
    }
    mark_first(t, source->fim_padding, padding_spellings);
    mark_first(t, source->fim_repository, repository_spellings);
    mark_first(t, source->fim_separator, separator_spellings);
    mark(t, t->eos);
    mark(t, source->eot);
    mark(t, source->eom);
    /* The harmony format ends a message with <|end|>, not the answer; and Gemma 4 has </s> as
     * text. */
    bool any_call = is_end(t, call) || is_end(t, calls);
    if (end >= 0 && any_call && (is_end(t, returns) || is_end(t, flush)))
        t->ends[end] = 0;
    if (s >= 0 && is_end(t, normal_s))
        t->ends[s] = 0;
    return INOX_OK;
}
