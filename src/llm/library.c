/* What belongs to no handle: versions, names, hashes, seeds, sampling of a row, perplexity. */
#include "base/hash.h"
#include "base/os.h"
#include "build_info.h"
#include "llm/session.h"
#include "num/attention/kernels.h"
#include "num/contract.h"
#include "num/matmul/kernels.h"
#include "num/rows/kernels.h"
#include "num/sample/sample.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

const char *inox_kernel_rejected(int32_t index)
{
    static const char *(*const FAMILIES[])(int) = { ix_matmul_rejected, ix_row_rejected,
                                                    ix_attention_rejected };
    for (size_t f = 0; index >= 0 && f < sizeof FAMILIES / sizeof *FAMILIES; f++) {
        int n = 0;
        while (n <= index && FAMILIES[f](n) != NULL)
            n++;
        if (n > index)
            return FAMILIES[f](index);
        index -= n;
    }
    return NULL;
}

static size_t isa_list(char *out, size_t room, bool (*test)(ix_isa isa))
{
    size_t n = 0;
    for (int i = 0; i < IX_ISA_COUNT; i++) {
        if (test((ix_isa)i))
            n += (size_t)snprintf(out + n, room - n, "%s\"%s\"", n == 0 ? "" : ", ",
                                  ix_isa_name((ix_isa)i));
    }
    return n;
}

const char *inox_version_json(void)
{
    static char text[1024];
    static ix_lock lock;
    char built[128], present[128];
    ix_lock_take(&lock);
    if (text[0] == '\0') { /* once: another thread may read it */
        isa_list(built, sizeof built, ix_isa_built);
        isa_list(present, sizeof present, ix_isa_present);
        snprintf(text, sizeof text,
                 "{\"version\": \"%s\", \"contract\": {\"name\": \"%s\", \"sha256\": \"%s\"}, "
                 "\"build\": \"%s\", "
                 "\"compiler\": \"%s\", \"isa_built\": [%s], \"isa_present\": [%s]}",
                 inox_version(), IX_CONTRACT_NAME, ix_contract_identity(), IX_BUILD_HASH,
                 IX_BUILD_COMPILER, built, present);
    }
    ix_lock_give(&lock);
    return text;
}

inox_status inox_random_seed(uint64_t *out, inox_error *err)
{
    if (out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_random_seed: out is NULL");
    return ix_os_random(out, sizeof *out, err);
}

inox_status inox_sha256(const void *bytes, size_t count, char out[65], inox_error *err)
{
    uint8_t digest[IX_SHA256_BYTES];
    if (out == NULL || (bytes == NULL && count > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_sha256: a pointer is NULL");
    IX_TRY(ix_sha256_of(bytes, count, digest, err));
    ix_hex(digest, sizeof digest, out);
    return INOX_OK;
}

#define FILE_PIECE (8u << 20) /* pages are let go behind the hash */

static inox_status hash_map(const ix_map *map, uint8_t digest[IX_SHA256_BYTES], inox_error *err)
{
    ix_sha256 *h;
    IX_TRY(ix_sha256_new(&h, err));
    inox_status status = INOX_OK;
    for (uint64_t at = 0; at < map->size && status == INOX_OK; at += FILE_PIECE) {
        uint64_t n = map->size - at < FILE_PIECE ? map->size - at : FILE_PIECE;
        status = ix_sha256_update(h, map->data + at, (size_t)n, err);
        ix_map_forget(map, at, n);
    }
    if (status == INOX_OK)
        status = ix_sha256_final(h, digest, err);
    ix_sha256_free(h);
    return status;
}

inox_status inox_sha256_file(const char *path, char out[65], inox_error *err)
{
    uint8_t digest[IX_SHA256_BYTES];
    ix_map map;
    if (path == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_sha256_file: a pointer is NULL");
    IX_TRY(ix_map_open(path, &map, err));
    inox_status status = hash_map(&map, digest, err);
    ix_map_close(&map);
    IX_TRY(status);
    ix_hex(digest, sizeof digest, out);
    return INOX_OK;
}

inox_status inox_sample(const float *logits, size_t columns, const inox_sampling *sampling,
                        const int32_t *previous, size_t previous_count, uint64_t position,
                        int32_t *id, inox_error *err)
{
    inox_sampling fallback = INOX_SAMPLING_INIT;
    ix_sampler *s;
    if (logits == NULL || id == NULL || columns == 0 || columns > IX_MAX_VOCAB ||
        (previous == NULL && previous_count > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_sample: a pointer is NULL or the row is empty");
    if (sampling != NULL && sampling->size != sizeof *sampling)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_sampling.size is %zu: use INOX_SAMPLING_INIT",
                       sampling->size);
    IX_TRY(ix_sampler_new(columns, &s, err));
    ix_fpenv environment = ix_fpenv_enter();
    inox_status status = ix_sampler_choose(s, logits, sampling == NULL ? &fallback : sampling,
                                           previous, previous_count, position, id, err);
    ix_fpenv_leave(environment);
    ix_sampler_free(s);
    return status;
}

/* ---- models by name */

static json_t *model_entry(const char *name, const char *path, uint64_t bytes)
{
    return json_pack("{s:s, s:s, s:I}", "name", name, "path", path, "bytes", (json_int_t)bytes);
}

/* NAME-00002-of-00003.gguf and the like belong to the first file, which stands for the model. */
static bool is_later_part(const char *name, size_t n)
{
    static const char PATTERN[] = "-00000-of-00000.gguf";
    const char *tail = name + n - strlen(PATTERN);
    if (n < strlen(PATTERN) || strncmp(tail + 6, "-of-", 4) != 0)
        return false;
    return tail[0] == '-' && strspn(tail + 1, "0123456789") == 5 &&
           strspn(tail + 10, "0123456789") == 5 && strncmp(tail + 1, "00001", 5) != 0;
}

static inox_status list_directory(json_t *all, const char *directory, inox_error *err)
{
    char **names = NULL;
    size_t count = 0;
    inox_status status = INOX_OK;
    if (!ix_path_is_directory(directory))
        return INOX_OK;
    IX_TRY(ix_list_directory(directory, &names, &count, err));
    for (size_t i = 0; i < count; i++) {
        ix_buffer path = { 0 };
        ix_map map;
        size_t n = strlen(names[i]);
        if (status == INOX_OK && n > 5 && strcmp(names[i] + n - 5, ".gguf") == 0 &&
            !is_later_part(names[i], n)) {
            status = ix_buffer_printf(&path, err, "%s/%s", directory, names[i]);
            if (status == INOX_OK && ix_map_open(path.data, &map, NULL) == INOX_OK) {
                names[i][n - 5] = '\0';
                json_array_append_new(all, model_entry(names[i], path.data, map.size));
                ix_map_close(&map);
            }
        }
        ix_buffer_release(&path);
        ix_free(names[i]);
    }
    ix_free(names);
    return status;
}

inox_status inox_models_list(char **json, inox_error *err)
{
    char *directory = NULL, *text = NULL;
    inox_model *embedded;
    if (json == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_models_list: json is NULL");
    *json = NULL;
    json_t *all = json_array();
    if (all == NULL)
        return ix_fail(err, INOX_E_MEMORY, "no memory to list models");
    inox_model_options options = INOX_MODEL_OPTIONS_INIT;
    options.vocabulary_only = true;
    if (inox_model_open(NULL, &options, &embedded, NULL) == INOX_OK) {
        json_array_append_new(
            all, model_entry("default", "", ix_gguf_file_at(embedded->file, 0)->map.size));
        inox_model_close(embedded);
    }
    inox_status status =
        ix_user_directory("XDG_DATA_HOME", ".local/share", "inox/models", &directory, err);
    if (status == INOX_OK)
        status = list_directory(all, directory, err);
    if (status == INOX_OK) {
        text = json_dumps(all, JSON_INDENT(2));
        status = text == NULL ? ix_fail(err, INOX_E_MEMORY, "no memory to list models")
                              : ix_strndup(text, strlen(text), json, err);
    }
    free(text); /* jansson's memory */
    ix_free(directory);
    json_decref(all);
    return status;
}

/* ---- perplexity: a figure for people, in binary64; no bits depend on it */

static double negative_log_likelihood(const float *row, size_t columns, int32_t id)
{
    double max = -INFINITY, sum = 0;
    for (size_t i = 0; i < columns; i++)
        max = (double)row[i] > max ? (double)row[i] : max;
    for (size_t i = 0; i < columns; i++)
        sum += exp((double)row[i] - max);
    return log(sum) + max - (double)row[id];
}

static inox_status perplexity(inox_session *s, const int32_t *ids, size_t count, size_t window,
                              double *nats, size_t *predicted, inox_error *err)
{
    double sum = 0;
    size_t n = 0;
    for (size_t at = 0; at + 1 < count; at += window) {
        size_t rows, columns, take = count - at < window ? count - at : window;
        IX_TRY(inox_session_truncate(s, 0, err));
        IX_TRY(inox_session_feed(s, ids + at, take, INOX_LOGITS_ALL, err));
        const float *logits = inox_session_logits(s, &rows, &columns);
        for (size_t i = 0; i + 1 < take; i++, n++)
            sum += negative_log_likelihood(logits + i * columns, columns, ids[at + i + 1]);
    }
    if (n == 0)
        return ix_fail(err, INOX_E_ARGUMENT, "%zu tokens: at least two are needed", count);
    *nats = sum / (double)n;
    if (predicted != NULL)
        *predicted = n;
    return INOX_OK;
}

inox_status inox_perplexity(inox_session *s, const int32_t *ids, size_t count, size_t window,
                            double *nats, size_t *predicted, inox_error *err)
{
    if (s == NULL || (ids == NULL && count > 0) || nats == NULL || window < 2)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_perplexity: a pointer is NULL, or the window is below 2");
    ix_fpenv environment = ix_fpenv_enter();
    inox_status status = perplexity(s, ids, count, window, nats, predicted, err);
    ix_fpenv_leave(environment);
    return status;
}
