/* tokenizer.json, version 1.0, and what tokenizer_config.json and special_tokens_map.json beside it
 * add.
 *
 *     {"version": "1.0", "truncation": ..., "padding": ..., "added_tokens": [...],
 *      "normalizer": ..., "pre_tokenizer": ..., "post_processor": ..., "decoder": ...,
 *      "model": {...}}
 *
 * Only "model" is required.  Unknown keys are passed over, unknown kinds of components are errors.
 *
 * The files beside it are those of transformers: they name tokens (bos_token, eos_token, ...), and
 * tokens of theirs that tokenizer.json does not list are added, in the order that transformers adds
 * them.  Everything else in them (templates, cleaning up of spaces) is not the tokenizer's.
 */
#include "text/file/tokenizer_json.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/cuts.h"
#include "text/file/null_keys.h"
#include "text/pipeline.h"

#include <stdlib.h>
#include <string.h>

/* ---- truncation and padding ------------------------------------------------------------------ */

static inox_status read_size(const json_t *j, const char *where, const char *name, size_t *out,
                             inox_error *err)
{
    const json_t *v = json_object_get(j, name);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return ix_fail(err, INOX_E_FORMAT, "%s: '%s' must be a number of at least 0", where, name);
    *out = (size_t)json_integer_value(v);
    return INOX_OK;
}

static inox_status read_direction(const json_t *j, const char *where, bool *left, inox_error *err)
{
    const json_t *v = json_object_get(j, "direction");
    const char *name = v ? json_string_value(v) : "Right";
    *left = name && strcmp(name, "Left") == 0;
    if (!*left && (!name || strcmp(name, "Right") != 0))
        return ix_fail(err, INOX_E_FORMAT, "%s: 'direction' must be Left or Right", where);
    return INOX_OK;
}

static bool given(const json_t *j)
{
    return j && !json_is_null(j);
}

static inox_status read_truncation(const json_t *j, ix_tokenizer *t, inox_error *err)
{
    static const char *const names[] = { "LongestFirst", "OnlyFirst", "OnlySecond" };
    const char *name = json_string_value(json_object_get(j, "strategy"));
    if (!given(j))
        return INOX_OK;
    t->has_truncation = true;
    IX_TRY(read_size(j, "truncation", "max_length", &t->truncation.max_length, err));
    IX_TRY(read_size(j, "truncation", "stride", &t->truncation.stride, err));
    IX_TRY(read_direction(j, "truncation", &t->truncation.left, err));
    for (int i = 0; name && i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            t->truncation.strategy = (ix_truncate_strategy)i;
            return INOX_OK;
        }
    }
    return ix_fail(err, INOX_E_FORMAT,
                   "truncation: 'strategy' must be LongestFirst, OnlyFirst or OnlySecond");
}

static inox_status read_padding(const json_t *j, ix_tokenizer *t, inox_error *err)
{
    ix_padding *p = &t->padding;
    const json_t *strategy = json_object_get(j, "strategy");
    const char *name = json_string_value(strategy);
    size_t id, type;
    if (!given(j))
        return INOX_OK;
    t->has_padding = true;
    if (json_is_object(strategy) && json_object_size(strategy) == 1) {
        p->is_fixed = true;
        IX_TRY(read_size(strategy, "padding", "Fixed", &p->fixed, err));
    } else if (!name || strcmp(name, "BatchLongest") != 0) {
        return ix_fail(err, INOX_E_FORMAT,
                       "padding: 'strategy' must be BatchLongest or {\"Fixed\": length}");
    }
    if (given(json_object_get(j, "pad_to_multiple_of")))
        IX_TRY(read_size(j, "padding", "pad_to_multiple_of", &p->multiple_of, err));
    IX_TRY(read_direction(j, "padding", &p->left, err));
    IX_TRY(read_size(j, "padding", "pad_id", &id, err));
    IX_TRY(read_size(j, "padding", "pad_type_id", &type, err));
    if (id > INT32_MAX || type > UINT32_MAX)
        return ix_fail(err, INOX_E_FORMAT, "padding: 'pad_id' or 'pad_type_id' is too large");
    p->id = t->padding_id = (int32_t)id;
    p->type_id = (uint32_t)type;
    return INOX_OK;
}

/* ---- the files beside ------------------------------------------------------------------------ */

static const char *const named[] = { "bos_token", "eos_token", "unk_token", "sep_token",
                                     "pad_token", "cls_token", "mask_token" };
enum { NAMED = sizeof named / sizeof *named };

/* The text of a token that is a string or {"content": ...}, or NULL. */
static const json_t *content_of(const json_t *token)
{
    const json_t *text = json_is_object(token) ? json_object_get(token, "content") : token;
    return json_is_string(text) && json_string_length(text) > 0 ? text : NULL;
}

static bool lists(const json_t *list, const json_t *content)
{
    size_t i;
    json_t *token;
    json_array_foreach(
        list, i, token) if (json_equal(json_object_get(token, "content"), content)) return true;
    return false;
}

/* Adds a token unless the list has its text.  special_by_name: the file says that it is one by
 * where it stands. */
static inox_status add_missing(json_t *list, const json_t *token, bool special_by_name,
                               inox_error *err)
{
    const json_t *content = content_of(token);
    if (!content || lists(list, content))
        return INOX_OK;
    json_t *copy = json_is_object(token) ? json_copy((json_t *)(uintptr_t)token) : json_object();
    bool good = copy != NULL;
    good = good && json_object_set(copy, "content", (json_t *)(uintptr_t)content) == 0;
    if (good && (special_by_name || json_is_string(token)))
        good = json_object_set_new(copy, "special", json_true()) == 0;
    if (good && json_array_append(list, copy) != 0)
        good = false;
    json_decref(copy);
    return good ? INOX_OK : ix_fail(err, INOX_E_MEMORY, "out of memory while reading JSON");
}

static int by_number(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    size_t m = strlen(x), n = strlen(y);
    return m != n ? (m < n ? -1 : 1) : strcmp(x, y);
}

/* "added_tokens_decoder": {"0": {"content": ...}, ...}, in the order of the ids. */
static inox_status add_decoder(json_t *list, const json_t *decoder, inox_error *err)
{
    size_t n = 0, count = json_object_size(decoder);
    const char **keys = NULL, *key;
    json_t *value;
    if (count == 0)
        return INOX_OK;
    IX_TRY(IX_ALLOC(&keys, count, err));
    json_object_foreach((json_t *)(uintptr_t)decoder, key, value) keys[n++] = key;
    qsort(keys, n, sizeof *keys, by_number);
    inox_status status = INOX_OK;
    for (size_t i = 0; i < n && status == INOX_OK; i++)
        status = add_missing(list, json_object_get(decoder, keys[i]), false, err);
    ix_free(keys);
    return status;
}

static inox_status add_named(json_t *list, const json_t *from, inox_error *err)
{
    const json_t *more = json_object_get(from, "additional_special_tokens");
    for (int i = 0; i < NAMED; i++)
        IX_TRY(add_missing(list, json_object_get(from, named[i]), true, err));
    for (size_t i = 0; i < json_array_size(more); i++)
        IX_TRY(add_missing(list, json_array_get(more, i), true, err));
    return INOX_OK;
}

/* *out = "added_tokens" and what the other files add: a list of the caller's. */
static inox_status gather_added(const json_t *root, const json_t *config, const json_t *special_map,
                                json_t **out, inox_error *err)
{
    const json_t *list = json_object_get(root, "added_tokens");
    if (given(list) && !json_is_array(list))
        return ix_fail(err, INOX_E_FORMAT, "'added_tokens' must be a list");
    *out = given(list) ? json_copy((json_t *)(uintptr_t)list) : json_array();
    if (!*out)
        return ix_fail(err, INOX_E_MEMORY, "out of memory while reading JSON");
    inox_status status = add_decoder(*out, json_object_get(config, "added_tokens_decoder"), err);
    if (status == INOX_OK)
        status = add_named(*out, config, err);
    if (status == INOX_OK)
        status = add_named(*out, special_map, err);
    if (status != INOX_OK)
        json_decref(*out);
    return status;
}

/* The id of a token that one of the files names. */
static int32_t named_id(const ix_tokenizer *t, const json_t *config, const json_t *special_map,
                        const char *name)
{
    const json_t *content = content_of(json_object_get(config, name));
    if (!content)
        content = content_of(json_object_get(special_map, name));
    if (!content)
        return -1;
    return ix_tokenizer_find(t, json_string_value(content), json_string_length(content));
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int32_t unknown_id(const ix_pipeline *p, const json_t *model)
{
    const json_t *text = json_object_get(model, "unk_token"),
                 *id = json_object_get(model, "unk_id");
    if (json_is_string(text))
        return ix_model_find(p->model, json_string_value(text), json_string_length(text));
    bool good = json_is_integer(id) && json_integer_value(id) >= 0 &&
                (uint64_t)json_integer_value(id) < p->base.count;
    return good ? (int32_t)json_integer_value(id) : -1;
}

static void read_named(ix_pipeline *p, const json_t *model, const json_t *config,
                       const json_t *special_map)
{
    ix_tokenizer *t = &p->base;
    t->bos = named_id(t, config, special_map, "bos_token");
    t->eos = named_id(t, config, special_map, "eos_token");
    int32_t padding = named_id(t, config, special_map, "pad_token");
    if (padding >= 0)
        t->padding_id = padding;
    t->unknown = unknown_id(p, model);
    if (t->bos < 0)
        t->bos = ix_post_first(t->post);
}

static inox_status read_parts(ix_pipeline *p, const json_t *root, const json_t *config,
                              const json_t *special_map, inox_error *err)
{
    const json_t *model = json_object_get(root, "model");
    const json_t *normalizer = json_object_get(root, "normalizer");
    const json_t *splitter = json_object_get(root, "pre_tokenizer");
    json_t *added;
    if (!json_is_object(model))
        return ix_fail(err, INOX_E_FORMAT, "the file has no \"model\"");
    IX_TRY(ix_model_from_json(model, &p->model, err));
    IX_TRY(ix_normalizer_from_json(normalizer, &p->normalizer, err));
    IX_TRY(ix_splitter_from_json(splitter, &p->splitter, err));
    IX_TRY(ix_post_from_json(json_object_get(root, "post_processor"), &p->base.post, err));
    IX_TRY(ix_decode_stages_from_json(json_object_get(root, "decoder"), &p->decoder, err));
    IX_TRY(read_truncation(json_object_get(root, "truncation"), &p->base, err));
    IX_TRY(read_padding(json_object_get(root, "padding"), &p->base, err));
    IX_TRY(gather_added(root, config, special_map, &added, err));
    inox_status status = ix_added_from_json(added, p->model, p->normalizer, &p->added, err);
    json_decref(added);
    IX_TRY(status);
    IX_TRY(ix_fast_from_json(normalizer, splitter, p->model, &p->fast, err));
    IX_TRY(ix_pipeline_finish(p, err));
    p->cuts = ix_cuts_of(root, p->model, p->normalizer, p->added);
    read_named(p, model, config, special_map);
    return ix_find_ends(&p->base, NULL, err);
}

static inox_status check_version(const json_t *root, inox_error *err)
{
    const json_t *version = json_object_get(root, "version");
    if (!json_is_object(root))
        return ix_fail(err, INOX_E_FORMAT, "a tokenizer.json is one JSON object");
    if (!version || (json_is_string(version) && strcmp(json_string_value(version), "1.0") == 0))
        return INOX_OK;
    return ix_fail(err, INOX_E_UNSUPPORTED, "unknown version '%.32s' of tokenizer.json (1.0 is)",
                   json_is_string(version) ? json_string_value(version) : "(no string)");
}

inox_status ix_tokenizer_from_json_object(const json_t *root, const json_t *config,
                                          const json_t *special_map, ix_tokenizer **out,
                                          inox_error *err)
{
    ix_pipeline *p = NULL;
    *out = NULL;
    IX_TRY(check_version(root, err));
    IX_TRY(ix_pipeline_new(&p, err));
    inox_status status = read_parts(p, root, config, special_map, err);
    if (status != INOX_OK) {
        ix_tokenizer_free(&p->base);
        return status;
    }
    *out = &p->base;
    return INOX_OK;
}

/* Published configurations say "model_max_length": 10^30, which is no integer of jansson's; no
 * number in them is looked at. */
#define CONFIG_FLAGS (JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

/* *out = NULL for a file that is not there. */
static inox_status parse(ix_text_view file, const char *name, size_t flags, json_t **out,
                         inox_error *err)
{
    json_error_t error;
    *out = NULL;
    if (!file.data)
        return INOX_OK;
    if (file.size > IX_MAX_JSON_BYTES)
        return ix_fail(err, INOX_E_LIMIT, "%s has %zu bytes, more than %llu", name, file.size,
                       (unsigned long long)IX_MAX_JSON_BYTES);
    *out = json_loadb(file.data, file.size, flags, &error);
    if (!*out && json_error_code(&error) == json_error_null_byte_in_key)
        IX_TRY(ix_json_load_null_keys(file, flags, out, &error, err));
    if (!*out)
        return ix_fail_at(err, INOX_E_FORMAT, (uint64_t)(error.position > 0 ? error.position : 0),
                          "%s is not good JSON: line %d, column %d: %s", name, error.line,
                          error.column, error.text);
    return INOX_OK;
}

inox_status ix_tokenizer_from_json(const ix_json_files *files, ix_tokenizer **out, inox_error *err)
{
    json_t *root = NULL, *config = NULL, *special_map = NULL;
    *out = NULL;
    inox_status status = parse(files->tokenizer, "tokenizer.json", JSON_ALLOW_NUL, &root, err);
    if (status == INOX_OK)
        status = parse(files->config, "tokenizer_config.json", CONFIG_FLAGS, &config, err);
    if (status == INOX_OK)
        status =
            parse(files->special_map, "special_tokens_map.json", CONFIG_FLAGS, &special_map, err);
    if (status == INOX_OK)
        status = ix_tokenizer_from_json_object(root, config, special_map, out, err);
    json_decref(root);
    json_decref(config);
    json_decref(special_map);
    ix_give_back_memory();
    return status;
}
