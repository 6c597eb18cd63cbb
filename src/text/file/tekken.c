/* Mistral's tekken.json.
 *
 *     {"config": {"pattern", "default_vocab_size", "default_num_special_tokens", "version", ...},
 *      "vocab": [{"rank": 0, "token_bytes": "AA==", "token_str": ...}, ...],
 *      "special_tokens": [{"rank": 0, "token_str": "<unk>", "is_control": true}, ...]}
 *
 * Ids: the special tokens come first (those that the file leaves out are called <SPECIAL_n>), then
 * as many ranks as the vocabulary's size leaves.  Read as mistral-common 1.13.1 does
 * (tokens/tokenizers/tekken.py).
 */
#include "base/limits.h"
#include "text/file/base64.h"
#include "text/file/formats.h"
#include "text/ranks.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* What files before version 8 may leave out. */
static const char *const usual_specials[] = {
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
};
enum { USUAL_COUNT = sizeof usual_specials / sizeof *usual_specials };
static const char *const versions[] = { "v1", "v2", "v3", "v7", "v11", "v13", "v15", NULL };

typedef struct reader {
    json_t *root;
    size_t count, special_count; /* ranks that are used; special tokens */
    int version;
    ix_text_view *pieces;
    char *bytes;
    ix_rank_special *specials;
    char (*fillers)[32];
} reader;

static inox_status size_of(const json_t *config, const char *key, size_t *out, inox_error *err)
{
    const json_t *j = json_object_get(config, key);
    json_int_t value = json_integer_value(j);
    if (!json_is_integer(j) || value < 0 || value > IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_FORMAT, "config.%s must be a number from 0 to %d", key,
                       IX_MAX_VOCAB);
    *out = (size_t)value;
    return INOX_OK;
}

static inox_status read_config(reader *r, ix_text_view *pattern, inox_error *err)
{
    const json_t *config = json_object_get(r->root, "config");
    const json_t *text = json_object_get(config, "pattern");
    const char *version = json_string_value(json_object_get(config, "version"));
    size_t all, i = 0;
    if (!json_is_string(text))
        return ix_fail(err, INOX_E_FORMAT, "config.pattern is missing");
    *pattern = (ix_text_view){ json_string_value(text), json_string_length(text) };
    while (versions[i] && !(version && strcmp(version, versions[i]) == 0))
        i++;
    if (!versions[i])
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "config.version is '%.32s', which is none of v1, v2, v3, v7, v11, v13, v15",
                       version ? version : "");
    (void)sscanf(versions[i], "v%d", &r->version);
    IX_TRY(size_of(config, "default_vocab_size", &all, err));
    IX_TRY(size_of(config, "default_num_special_tokens", &r->special_count, err));
    if (r->special_count >= all)
        return ix_fail(err, INOX_E_FORMAT, "%zu of %zu tokens are special", r->special_count, all);
    r->count = all - r->special_count;
    return INOX_OK;
}

static inox_status read_piece(reader *r, const json_t *item, size_t i, size_t *used,
                              inox_error *err)
{
    const json_t *rank = json_object_get(item, "rank"),
                 *text = json_object_get(item, "token_bytes");
    size_t n = json_string_length(text), written;
    if (!json_is_integer(rank) || json_integer_value(rank) != (json_int_t)i)
        return ix_fail(err, INOX_E_FORMAT, "vocab[%zu] does not have the rank %zu", i, i);
    if (!json_is_string(text) || n == 0 ||
        !ix_base64_decode(json_string_value(text), n, r->bytes + *used, &written) || written == 0)
        return ix_fail(err, INOX_E_FORMAT, "vocab[%zu].token_bytes is not base64", i);
    if (i < 256 && (written != 1 || (unsigned char)r->bytes[*used] != i))
        return ix_fail(err, INOX_E_FORMAT, "vocab[%zu] is not the byte %zu", i, i);
    r->pieces[i] = (ix_text_view){ r->bytes + *used, written };
    *used += written;
    return INOX_OK;
}

static inox_status read_vocab(reader *r, inox_error *err)
{
    const json_t *vocab = json_object_get(r->root, "vocab");
    size_t bytes = 0, used = 0;
    if (json_array_size(vocab) < r->count)
        return ix_fail(err, INOX_E_FORMAT, "vocab has %zu tokens, but %zu are needed",
                       json_array_size(vocab), r->count);
    for (size_t i = 0; i < r->count; i++)
        bytes += json_string_length(json_object_get(json_array_get(vocab, i), "token_bytes"));
    IX_TRY(IX_ALLOC(&r->bytes, bytes + 1, err));
    IX_TRY(IX_ALLOC(&r->pieces, r->count, err));
    for (size_t i = 0; i < r->count; i++)
        IX_TRY(read_piece(r, json_array_get(vocab, i), i, &used, err));
    return INOX_OK;
}

/* The special tokens of the file, its usual ones, and fillers up to their number. */
static inox_status read_specials(reader *r, inox_error *err)
{
    const json_t *list = json_object_get(r->root, "special_tokens");
    bool given = json_is_array(list);
    size_t n = given ? json_array_size(list) : USUAL_COUNT;
    if (!given && r->version > 7)
        return ix_fail(err, INOX_E_FORMAT, "a file of version %d needs special_tokens", r->version);
    if (n > r->special_count)
        return ix_fail(err, INOX_E_FORMAT, "%zu special tokens are more than the %zu of the config",
                       n, r->special_count);
    IX_TRY(IX_ALLOC(&r->specials, r->special_count, err));
    IX_TRY(IX_ALLOC(&r->fillers, r->special_count, err));
    for (size_t i = 0; i < r->special_count; i++) {
        const char *text = r->fillers[i];
        size_t bytes = 0;
        if (i < n && given) {
            const json_t *item = json_array_get(list, i), *rank = json_object_get(item, "rank");
            text = json_string_value(json_object_get(item, "token_str"));
            bytes = json_string_length(json_object_get(item, "token_str"));
            if (!text || !json_is_integer(rank) || json_integer_value(rank) != (json_int_t)i)
                return ix_fail(err, INOX_E_FORMAT,
                               "special_tokens[%zu] does not have a text and the rank %zu", i, i);
        } else if (i < n) {
            text = usual_specials[i];
            bytes = strlen(text);
        } else {
            bytes = (size_t)snprintf(r->fillers[i], sizeof *r->fillers, "<SPECIAL_%zu>", i);
        }
        r->specials[i] = (ix_rank_special){ { text, bytes }, (int32_t)i };
    }
    return INOX_OK;
}

static int32_t named(const reader *r, const char *spelling)
{
    for (size_t i = 0; i < r->special_count; i++)
        if (ix_text_is(r->specials[i].spelling, spelling))
            return (int32_t)i;
    return -1;
}

static inox_status read_all(reader *r, ix_text_view file, ix_tokenizer **out, inox_error *err)
{
    json_error_t e;
    ix_text_view pattern;
    r->root = json_loadb(file.data, file.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
    if (!json_is_object(r->root))
        return ix_fail_at(err, INOX_E_FORMAT, (uint64_t)(e.position > 0 ? e.position : 0),
                          "line %d: %s", e.line, e.text);
    IX_TRY(read_config(r, &pattern, err));
    IX_TRY(read_vocab(r, err));
    IX_TRY(read_specials(r, err));
    ix_rank_source source = {
        .format = "tekken",
        .pieces = r->pieces,
        .count = r->count,
        .first_id = (int32_t)r->special_count,
        .pattern = pattern,
        .specials = r->specials,
        .special_count = r->special_count,
        .bos = named(r, "<s>"),
        .eos = named(r, "</s>"),
        .unknown = named(r, "<unk>"),
        .padding = named(r, "<pad>"),
        .adds = true,
        .specials_part = true,
    };
    return ix_tokenizer_from_ranks(&source, out, err);
}

inox_status ix_tokenizer_from_tekken(ix_text_view file, ix_tokenizer **out, inox_error *err)
{
    reader r = { 0 };
    *out = NULL;
    inox_status status = read_all(&r, file, out, err);
    json_decref(r.root);
    ix_free(r.pieces);
    ix_free(r.bytes);
    ix_free(r.specials);
    ix_free(r.fillers);
    return status == INOX_OK ? status : ix_prefix(err, status, "tekken.json");
}
