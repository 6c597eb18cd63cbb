/* The tokenizer of a GGUF file: keys tokenizer.ggml.* as plain arrays for text/. */
#include "llm/vocab.h"

#include "base/alloc.h"

#include <string.h>

typedef struct vocab {
    const ix_gguf *file;
    ix_arena arena;
    ix_vocab_source source;
} vocab;

static inox_status views_of(vocab *v, const char *key, const ix_text_view **out, size_t *count,
                            inox_error *err)
{
    const ix_gguf_value *value;
    ix_text_view *views;
    *out = NULL;
    *count = 0;
    IX_TRY(ix_gguf_find_strings(v->file, key, &value, err));
    if (value == NULL)
        return INOX_OK;
    IX_TRY(IX_ARENA(&v->arena, &views, (size_t)value->count + 1, err));
    for (uint64_t i = 0; i < value->count; i++) {
        ix_gguf_string s;
        IX_TRY(ix_gguf_item_string(value, i, &s, err));
        views[i] = (ix_text_view){ s.data, s.size };
    }
    *out = views;
    *count = (size_t)value->count;
    return INOX_OK;
}

/* Scores and types: NULL where missing; there must be one per piece. */
static inox_status numbers_of(vocab *v, const char *key, const ix_gguf_value **out, inox_error *err)
{
    IX_TRY(ix_gguf_find_numbers(v->file, key, out, err));
    if (*out != NULL && (*out)->count != v->source.count)
        return ix_fail_at(err, INOX_E_FORMAT, (*out)->position,
                          "%s has %llu items, but there are %zu tokens", key,
                          (unsigned long long)(*out)->count, v->source.count);
    return INOX_OK;
}

static inox_status scores_and_types(vocab *v, inox_error *err)
{
    const ix_gguf_value *value;
    IX_TRY(numbers_of(v, "tokenizer.ggml.scores", &value, err));
    if (value != NULL) {
        float *scores;
        IX_TRY(IX_ARENA(&v->arena, &scores, (size_t)value->count + 1, err));
        for (uint64_t i = 0; i < value->count; i++) {
            double x;
            IX_TRY(ix_gguf_item_f64(value, i, &x, err));
            scores[i] = (float)x;
        }
        v->source.scores = scores;
    }
    IX_TRY(numbers_of(v, "tokenizer.ggml.token_type", &value, err));
    if (value != NULL) {
        int32_t *types;
        IX_TRY(IX_ARENA(&v->arena, &types, (size_t)value->count + 1, err));
        for (uint64_t i = 0; i < value->count; i++) {
            int64_t x;
            IX_TRY(ix_gguf_item_i64(value, i, &x, err));
            types[i] = x >= 0 && x <= 255 ? (int32_t)x : 0;
        }
        v->source.types = types;
    }
    return INOX_OK;
}

static inox_status flags_and_ids(vocab *v, inox_error *err)
{
    ix_vocab_source *s = &v->source;
    const struct {
        const char *key;
        int8_t *out;
    } flags[] = {
        { "add_bos_token", &s->add_bos },
        { "add_eos_token", &s->add_eos },
        { "add_sep_token", &s->add_sep },
        { "add_space_prefix", &s->add_space_prefix },
        { "remove_extra_whitespaces", &s->remove_extra_whitespaces },
        { "ignore_merges", &s->ignore_merges },
    };
    const struct {
        const char *key;
        int64_t *out;
    } ids[] = {
        { "bos_token_id", &s->bos },
        { "eos_token_id", &s->eos },
        { "eot_token_id", &s->eot },
        { "eom_token_id", &s->eom },
        { "unknown_token_id", &s->unknown },
        { "seperator_token_id", &s->separator },
        { "padding_token_id", &s->padding },
        { "mask_token_id", &s->mask },
        { "fim_pre_token_id", &s->fim_prefix },
        { "fim_suf_token_id", &s->fim_suffix },
        { "fim_mid_token_id", &s->fim_middle },
        { "fim_pad_token_id", &s->fim_padding },
        { "fim_rep_token_id", &s->fim_repository },
        { "fim_sep_token_id", &s->fim_separator },
    };
    char key[128] = "tokenizer.ggml.";
    size_t prefix = strlen(key);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        bool value;
        memcpy(key + prefix, flags[i].key, strlen(flags[i].key) + 1);
        if (!ix_gguf_has(v->file, key))
            continue;
        IX_TRY(ix_gguf_get_bool(v->file, key, &value, err));
        *flags[i].out = value;
    }
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        memcpy(key + prefix, ids[i].key, strlen(ids[i].key) + 1);
        IX_TRY(ix_gguf_optional_i64(v->file, key, *ids[i].out, ids[i].out, err));
    }
    return INOX_OK;
}

static inox_status string_of(vocab *v, const char *key, const char **out, inox_error *err)
{
    ix_gguf_string s;
    char *copy;
    *out = NULL;
    if (!ix_gguf_has(v->file, key))
        return INOX_OK;
    IX_TRY(ix_gguf_get_string(v->file, key, &s, err));
    IX_TRY(ix_arena_strndup(&v->arena, s.data, s.size, &copy, err));
    *out = copy;
    return INOX_OK;
}

static inox_status fill(vocab *v, inox_error *err)
{
    ix_vocab_source *s = &v->source;
    const ix_gguf_value *charsmap;
    IX_TRY(string_of(v, "tokenizer.ggml.model", &s->model, err));
    if (s->model == NULL)
        return ix_fail(err, INOX_E_NOT_FOUND,
                       "the file has no vocabulary (no key tokenizer.ggml.model)");
    IX_TRY(string_of(v, "tokenizer.ggml.pre", &s->pre, err));
    IX_TRY(string_of(v, "general.architecture", &s->architecture, err));
    IX_TRY(string_of(v, "general.name", &s->name, err));
    IX_TRY(views_of(v, "tokenizer.ggml.tokens", &s->pieces, &s->count, err));
    if (s->count == 0)
        return ix_fail(err, INOX_E_FORMAT,
                       "the vocabulary has no tokens (key tokenizer.ggml.tokens)");
    IX_TRY(views_of(v, "tokenizer.ggml.merges", &s->merges, &s->merge_count, err));
    IX_TRY(scores_and_types(v, err));
    IX_TRY(flags_and_ids(v, err));
    charsmap = ix_gguf_find(v->file, "tokenizer.ggml.precompiled_charsmap");
    if (charsmap != NULL && charsmap->type == IX_GGUF_ARRAY &&
        (charsmap->item_type == IX_GGUF_U8 || charsmap->item_type == IX_GGUF_I8))
        s->charsmap = (ix_text_view){ (const char *)charsmap->bytes, (size_t)charsmap->count };
    return INOX_OK;
}

inox_status ix_tokenizer_from_gguf(const ix_gguf *file, bool much_text, ix_tokenizer **out,
                                   inox_error *err)
{
    vocab v = { .file = file, .source = IX_VOCAB_SOURCE_INIT };
    v.source.much_text = much_text;
    inox_status status = fill(&v, err);
    if (status == INOX_OK)
        status = ix_tokenizer_new(&v.source, out, err);
    ix_arena_release(&v.arena);
    return status;
}
