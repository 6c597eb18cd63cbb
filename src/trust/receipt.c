/* Receipts as canonical JSON.  Numbers are integers; floats are strings of nine significant digits,
 * which bring the same binary32 back. */
#include "trust/receipt.h"

#include "base/fpenv.h"
#include "base/hash.h"
#include "base/limits.h"

#include <inttypes.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 0
#define DUMP_FLAGS (JSON_COMPACT | JSON_SORT_KEYS)

void ix_receipt_release(ix_receipt *r)
{
    for (size_t i = 0; r->stops != NULL && i < r->stop_count; i++)
        ix_free(r->stops[i]);
    ix_free(r->stops);
    ix_free((void *)(uintptr_t)r->sampling.bias_ids);
    ix_free((void *)(uintptr_t)r->sampling.bias_values);
    ix_free(r->model_name);
    ix_free(r->model_path);
    ix_free(r->contract_name);
    ix_free(r->engine_version);
    ix_free(r->isa);
    ix_free(r->cache);
    ix_free(r->prompt);
    ix_free(r->output);
    ix_free(r->finish);
    ix_free(r->rows);
    *r = (ix_receipt){ 0 };
}

/* ---- writing: a NULL anywhere means that memory ran out, which the last step reports */

static void set(json_t *object, const char *key, json_t *value)
{
    /* a value that could not be made, or not be put in, is missed by the check of the finished
     * object */
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        json_object_clear(object);
}

/* Bytes that are not UTF-8 cannot stand in JSON: they are written as U+FFFD. */
static json_t *string_of(const char *s)
{
    json_t *v = json_string(s);
    return v != NULL ? v : json_string("\xEF\xBF\xBD");
}

/* The spelling of a float, with a point whatever the locale of the calling program has there. */
static void spell_float(float x, char out[64])
{
    char text[64];
    const char *point = localeconv()->decimal_point;
    ix_fpenv environment = ix_fpenv_enter(); /* the C library rounds as the caller told it */
    snprintf(text, sizeof text, "%.9g", (double)x);
    ix_fpenv_leave(environment);
    const char *at = strstr(text, point);
    if (at == NULL)
        snprintf(out, 64, "%s", text);
    else
        snprintf(out, 64, "%.*s.%s", (int)(at - text), text, at + strlen(point));
}

/* Only what spell_float gives is a float here. */
static bool parse_float(const char *text, float *out)
{
    char local[64], again[64];
    const char *at = strchr(text, '.');
    char *end;
    if (strlen(text) > 32)
        return false;
    snprintf(local, sizeof local, "%.*s%s%s", at == NULL ? 0 : (int)(at - text), text,
             at == NULL ? "" : localeconv()->decimal_point, at == NULL ? text : at + 1);
    ix_fpenv environment = ix_fpenv_enter(); /* as in spell_float */
    *out = strtof(local, &end);
    ix_fpenv_leave(environment);
    spell_float(*out, again);
    return *end == '\0' && strcmp(text, again) == 0;
}

static json_t *float_of(float x)
{
    char text[64];
    spell_float(x, text);
    return json_string(text);
}

static json_t *u64_of(uint64_t x)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, x);
    return json_string(text); /* JSON integers end at 2^53 for many readers */
}

static json_t *ids_of(const int32_t *ids, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < n; i++) {
        if (json_array_append_new(a, json_integer(ids[i])) != 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static json_t *sampling_of(const inox_sampling *s)
{
    json_t *o = json_object(), *bias = json_array();
    for (size_t i = 0; bias != NULL && i < s->bias_count; i++) {
        json_t *pair = json_pack("[i, o]", (int)s->bias_ids[i], float_of(s->bias_values[i]));
        if (pair == NULL || json_array_append_new(bias, pair) != 0)
            break;
    }
    if (o == NULL || bias == NULL || json_array_size(bias) != s->bias_count) {
        json_decref(o);
        json_decref(bias);
        return NULL;
    }
    set(o, "temperature", float_of(s->temperature));
    set(o, "top_k", json_integer(s->top_k));
    set(o, "top_p", float_of(s->top_p));
    set(o, "min_p", float_of(s->min_p));
    set(o, "typical_p", float_of(s->typical_p));
    set(o, "repetition_penalty", float_of(s->repetition_penalty));
    set(o, "presence_penalty", float_of(s->presence_penalty));
    set(o, "frequency_penalty", float_of(s->frequency_penalty));
    set(o, "penalty_window", json_integer(s->penalty_window));
    set(o, "seed", u64_of(s->seed));
    set(o, "logit_bias", bias);
    if (json_object_size(o) != 11) { /* see set() */
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *stops_of(const ix_receipt *r)
{
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < r->stop_count; i++) {
        if (json_array_append_new(a, string_of(r->stops[i])) != 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static json_t *object_of(const ix_receipt *r)
{
    json_t *o = json_object();
    if (o == NULL)
        return NULL;
    set(o, "inox_receipt", json_integer(VERSION));
    set(o, "model",
        json_pack("{s:o, s:o, s:s}", "name", string_of(r->model_name), "path",
                  string_of(r->model_path), "sha256", r->model_identity));
    set(o, "contract",
        json_pack("{s:s, s:s}", "name", r->contract_name, "sha256", r->contract_identity));
    set(o, "engine",
        json_pack("{s:s, s:s, s:s, s:I}", "version", r->engine_version, "build", r->engine_build,
                  "isa", r->isa, "threads", (json_int_t)r->threads));
    set(o, "time", json_integer(r->time_s));
    set(o, "cache", json_string(r->cache));
    set(o, "context", json_integer(r->context));
    set(o, "prompt", ids_of(r->prompt, r->prompt_count));
    set(o, "sampling", sampling_of(&r->sampling));
    set(o, "max_tokens", json_integer(r->max_tokens));
    set(o, "ignore_end", json_boolean(r->ignore_end));
    set(o, "stops", stops_of(r));
    set(o, "output", ids_of(r->output, r->output_count));
    set(o, "finish", json_string(r->finish));
    set(o, "logits_sha256", json_string(r->logits_sha256));
    set(o, "rows", json_string(r->rows));
    return o;
}

static inox_status hash_object(const json_t *o, char id[65], inox_error *err)
{
    uint8_t digest[IX_SHA256_BYTES];
    char *text = json_dumps(o, DUMP_FLAGS);
    if (text == NULL)
        return ix_fail(err, INOX_E_MEMORY, "no memory to write a receipt");
    inox_status status = ix_sha256_of(text, strlen(text), digest, err);
    free(text); /* jansson's memory */
    if (status == INOX_OK)
        ix_hex(digest, sizeof digest, id);
    return status;
}

/* ---- reading */

typedef struct reader {
    const json_t *object;
    inox_error *err;
} reader;

static inox_status bad(const reader *r, const char *key)
{
    return ix_fail(r->err, INOX_E_FORMAT,
                   "not a receipt: member '%s' is missing or of the wrong kind", key);
}

static inox_status get_text(const reader *r, const char *key, char **out)
{
    const json_t *v = json_object_get(r->object, key);
    if (!json_is_string(v))
        return bad(r, key);
    return ix_strndup(json_string_value(v), json_string_length(v), out, r->err);
}

static inox_status get_digest(const reader *r, const char *key, char out[65])
{
    const json_t *v = json_object_get(r->object, key);
    if (!json_is_string(v) || json_string_length(v) != 64)
        return bad(r, key);
    memcpy(out, json_string_value(v), 65);
    return INOX_OK;
}

static inox_status get_integer(const reader *r, const char *key, int64_t least, int64_t most,
                               int64_t *out)
{
    const json_t *v = json_object_get(r->object, key);
    if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most)
        return bad(r, key);
    *out = json_integer_value(v);
    return INOX_OK;
}

static inox_status get_float(const reader *r, const char *key, float *out)
{
    const json_t *v = json_object_get(r->object, key);
    return json_is_string(v) && parse_float(json_string_value(v), out) ? INOX_OK : bad(r, key);
}

static inox_status get_ids(const reader *r, const char *key, int32_t **out, size_t *count)
{
    const json_t *a = json_object_get(r->object, key);
    if (!json_is_array(a))
        return bad(r, key);
    IX_TRY(IX_ALLOC(out, json_array_size(a) + 1, r->err));
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *v = json_array_get(a, i);
        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > INT32_MAX)
            return bad(r, key);
        (*out)[i] = (int32_t)json_integer_value(v);
    }
    *count = json_array_size(a);
    return INOX_OK;
}

static inox_status get_bias(const reader *r, inox_sampling *s)
{
    const json_t *a = json_object_get(r->object, "logit_bias");
    int32_t *ids;
    float *values;
    if (!json_is_array(a))
        return bad(r, "logit_bias");
    IX_TRY(IX_ALLOC(&ids, json_array_size(a) + 1, r->err));
    s->bias_ids = ids;
    IX_TRY(IX_ALLOC(&values, json_array_size(a) + 1, r->err));
    s->bias_values = values;
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *pair = json_array_get(a, i), *id = json_array_get(pair, 0),
                     *value = json_array_get(pair, 1);
        if (json_array_size(pair) != 2 || !json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) > INT32_MAX || !json_is_string(value) ||
            !parse_float(json_string_value(value), &values[i]))
            return bad(r, "logit_bias");
        ids[i] = (int32_t)json_integer_value(id);
    }
    s->bias_count = json_array_size(a);
    return INOX_OK;
}

static inox_status get_sampling(const reader *outer, inox_sampling *s)
{
    reader r = { json_object_get(outer->object, "sampling"), outer->err };
    int64_t v;
    char *end, again[24];
    *s = (inox_sampling)INOX_SAMPLING_INIT;
    IX_TRY(get_float(&r, "temperature", &s->temperature));
    IX_TRY(get_integer(&r, "top_k", 0, INT32_MAX, &v));
    s->top_k = (int32_t)v;
    IX_TRY(get_float(&r, "top_p", &s->top_p));
    IX_TRY(get_float(&r, "min_p", &s->min_p));
    IX_TRY(get_float(&r, "typical_p", &s->typical_p));
    IX_TRY(get_float(&r, "repetition_penalty", &s->repetition_penalty));
    IX_TRY(get_float(&r, "presence_penalty", &s->presence_penalty));
    IX_TRY(get_float(&r, "frequency_penalty", &s->frequency_penalty));
    IX_TRY(get_integer(&r, "penalty_window", -1, INT32_MAX, &v));
    s->penalty_window = (int32_t)v;
    const json_t *seed = json_object_get(r.object, "seed");
    if (!json_is_string(seed))
        return bad(&r, "seed");
    s->seed = strtoull(json_string_value(seed), &end, 10);
    snprintf(again, sizeof again, "%" PRIu64, s->seed);
    if (*end != '\0' || strcmp(again, json_string_value(seed)) != 0)
        return bad(&r, "seed");
    return get_bias(&r, s);
}

static inox_status get_stops(const reader *r, ix_receipt *out)
{
    const json_t *a = json_object_get(r->object, "stops");
    if (!json_is_array(a) || json_array_size(a) > IX_MAX_STOPS)
        return bad(r, "stops");
    IX_TRY(IX_ALLOC(&out->stops, json_array_size(a) + 1, r->err));
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *v = json_array_get(a, i);
        if (!json_is_string(v))
            return bad(r, "stops");
        IX_TRY(ix_strndup(json_string_value(v), json_string_length(v), &out->stops[i], r->err));
        out->stop_count++;
    }
    return INOX_OK;
}

static inox_status get_members(const reader *r, ix_receipt *out)
{
    reader model = { json_object_get(r->object, "model"), r->err };
    reader contract = { json_object_get(r->object, "contract"), r->err };
    reader engine = { json_object_get(r->object, "engine"), r->err };
    IX_TRY(get_text(&model, "name", &out->model_name));
    IX_TRY(get_text(&model, "path", &out->model_path));
    IX_TRY(get_digest(&model, "sha256", out->model_identity));
    IX_TRY(get_text(&contract, "name", &out->contract_name));
    IX_TRY(get_digest(&contract, "sha256", out->contract_identity));
    IX_TRY(get_text(&engine, "version", &out->engine_version));
    IX_TRY(get_digest(&engine, "build", out->engine_build));
    IX_TRY(get_text(&engine, "isa", &out->isa));
    IX_TRY(get_integer(&engine, "threads", 1, IX_MAX_THREADS, &out->threads));
    IX_TRY(get_integer(r, "time", INT64_MIN, INT64_MAX, &out->time_s));
    IX_TRY(get_text(r, "cache", &out->cache));
    IX_TRY(get_integer(r, "context", 1, IX_MAX_CONTEXT, &out->context));
    IX_TRY(get_ids(r, "prompt", &out->prompt, &out->prompt_count));
    IX_TRY(get_sampling(r, &out->sampling));
    IX_TRY(get_integer(r, "max_tokens", 0, INT32_MAX, &out->max_tokens));
    const json_t *ignore_end = json_object_get(r->object, "ignore_end");
    if (!json_is_boolean(ignore_end))
        return bad(r, "ignore_end");
    out->ignore_end = json_is_true(ignore_end);
    IX_TRY(get_stops(r, out));
    IX_TRY(get_ids(r, "output", &out->output, &out->output_count));
    IX_TRY(get_text(r, "finish", &out->finish));
    IX_TRY(get_digest(r, "logits_sha256", out->logits_sha256));
    IX_TRY(get_text(r, "rows", &out->rows));
    if (strlen(out->rows) % IX_ROW_DIGITS != 0)
        return bad(r, "rows");
    out->row_count = strlen(out->rows) / IX_ROW_DIGITS;
    if (json_object_size(r->object) != 16 || json_object_size(model.object) != 3 ||
        json_object_size(contract.object) != 2 || json_object_size(engine.object) != 4 ||
        json_object_size(json_object_get(r->object, "sampling")) != 11)
        return ix_fail(r->err, INOX_E_FORMAT,
                       "not a receipt: it has members that version %d does not know", VERSION);
    return INOX_OK;
}

/* The text must be what writing gives: its bytes and its hash. */
static inox_status check_bytes(json_t *o, const char *text, size_t bytes, inox_error *err)
{
    char said[65], is[65];
    reader r = { o, err };
    char *canonical = json_dumps(o, DUMP_FLAGS);
    if (canonical == NULL)
        return ix_fail(err, INOX_E_MEMORY, "no memory to check a receipt");
    size_t n = strlen(canonical);
    bool same = bytes == n + 1 && memcmp(text, canonical, n) == 0 && text[n] == '\n';
    free(canonical);
    IX_TRY(get_digest(&r, "sha256", said));
    if (!same)
        return ix_fail(err, INOX_E_MISMATCH,
                       "the receipt is damaged: it is not spelt as Inox writes it");
    json_object_del(o, "sha256");
    IX_TRY(hash_object(o, is, err));
    if (strcmp(said, is) != 0)
        return ix_fail(err, INOX_E_MISMATCH,
                       "the receipt is damaged: its bytes hash to %.12s..., it says %.12s...", is,
                       said);
    return INOX_OK;
}

inox_status ix_receipt_read(const char *text, size_t bytes, ix_receipt *out, inox_error *err)
{
    json_error_t json_error;
    *out = (ix_receipt){ 0 };
    if (bytes > IX_MAX_RECEIPT_BYTES)
        return ix_fail(err, INOX_E_LIMIT, "a receipt of %zu bytes is beyond %llu", bytes,
                       (unsigned long long)IX_MAX_RECEIPT_BYTES);
    json_t *o = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &json_error);
    if (o == NULL)
        return ix_fail_at(err, INOX_E_FORMAT,
                          (uint64_t)(json_error.position < 0 ? 0 : json_error.position),
                          "not a receipt: %s", json_error.text);
    reader r = { o, err };
    int64_t version;
    inox_status status =
        json_is_object(o) ? INOX_OK : ix_fail(err, INOX_E_FORMAT, "not a receipt: no JSON object");
    if (status == INOX_OK)
        status = check_bytes(o, text, bytes, err);
    if (status == INOX_OK)
        status = get_integer(&r, "inox_receipt", 0, INT32_MAX, &version);
    if (status == INOX_OK && version != VERSION)
        status =
            ix_fail(err, INOX_E_UNSUPPORTED, "receipt version %lld; this program reads version %d",
                    (long long)version, VERSION);
    if (status == INOX_OK)
        status = get_members(&r, out);
    json_decref(o);
    return status;
}

/* ---- writing it down */

/* Where memory runs out inside it, jansson can leave values out and give no error: a receipt that
 * would not be read again was not written. */
static inox_status check_written(const ix_buffer *text, inox_error *err)
{
    ix_receipt again;
    inox_status status = ix_receipt_read(text->data, text->size, &again, NULL);
    ix_receipt_release(&again);
    if (status != INOX_OK)
        return ix_fail(err, INOX_E_MEMORY, "no memory to write a receipt");
    return INOX_OK;
}

inox_status ix_receipt_write(const ix_receipt *r, ix_buffer *out, char id[65], inox_error *err)
{
    json_t *o = object_of(r);
    char *text = NULL;
    inox_status status = INOX_OK;
    if (o == NULL || json_object_size(o) != 16)
        status = ix_fail(err, INOX_E_MEMORY, "no memory to write a receipt");
    if (status == INOX_OK)
        status = hash_object(o, id, err);
    if (status == INOX_OK) {
        set(o, "sha256", json_string(id));
        text = json_object_size(o) == 17 ? json_dumps(o, DUMP_FLAGS) : NULL;
        if (text == NULL)
            status = ix_fail(err, INOX_E_MEMORY, "no memory to write a receipt");
        else
            status = ix_buffer_printf(out, err, "%s\n", text);
    }
    if (status == INOX_OK)
        status = check_written(out, err);
    free(text);
    json_decref(o);
    return status;
}
