/* Receipts kept, found and replayed. */
#include "base/os.h"
#include "build_info.h"
#include "llm/generate.h"
#include "num/contract.h"

#include <stdio.h>
#include <string.h>

/* ---- where receipts are */

static inox_status receipt_directory(char **out, inox_error *err)
{
    return ix_user_directory("XDG_STATE_HOME", ".local/state", "inox/receipts", out, err);
}

inox_status inox_receipt_store(const char *receipt, inox_error *err)
{
    char *directory = NULL;
    ix_buffer path = { 0 };
    ix_receipt r;
    const char *id = receipt == NULL ? NULL : strstr(receipt, "\"sha256\":\"");
    if (receipt == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_receipt_store: the receipt is NULL");
    inox_status status = ix_receipt_read(receipt, strlen(receipt), &r, err);
    ix_receipt_release(&r);
    IX_TRY(status);
    for (const char *next = id; next != NULL; next = strstr(next + 1, "\"sha256\":\""))
        id = next; /* keys are sorted: the receipt's own digest is the last one */
    IX_TRY(receipt_directory(&directory, err));
    status = ix_make_directories(directory, err);
    if (status == INOX_OK)
        status =
            ix_buffer_printf(&path, err, "%s/%.64s.json", directory, id + strlen("\"sha256\":\""));
    if (status == INOX_OK)
        status = ix_file_write(path.data, receipt, strlen(receipt), 0600, err);
    ix_buffer_release(&path);
    ix_free(directory);
    return status;
}

/* The one file whose name begins with `id`. */
static inox_status find_by_id(const char *directory, const char *id, ix_buffer *path,
                              inox_error *err)
{
    char **names = NULL;
    size_t count = 0, found = 0, n = strlen(id);
    if (ix_path_is_directory(directory))
        IX_TRY(ix_list_directory(directory, &names, &count, err));
    inox_status status = INOX_OK;
    for (size_t i = 0; i < count; i++) {
        if (status == INOX_OK && strncmp(names[i], id, n) == 0 && ++found == 1)
            status = ix_buffer_printf(path, err, "%s/%s", directory, names[i]);
        ix_free(names[i]);
    }
    ix_free(names);
    if (status == INOX_OK && found == 0)
        status = ix_fail(err, INOX_E_NOT_FOUND,
                         "no receipt '%s': it is neither a file nor the beginning of an id in %s",
                         id, directory);
    if (status == INOX_OK && found > 1)
        status = ix_fail(err, INOX_E_ARGUMENT, "%zu receipts begin with '%s': give more of the id",
                         found, id);
    return status;
}

/* A receipt is a C string from here on: a NUL would hide what is behind it. */
static inox_status read_receipt(const char *path, char **receipt, inox_error *err)
{
    char *text;
    size_t size;
    IX_TRY(ix_file_read(path, IX_MAX_RECEIPT_BYTES, &text, &size, err));
    size_t length = strlen(text);
    if (length != size) {
        ix_free(text);
        return ix_fail_at(err, INOX_E_FORMAT, length, "%s: not a receipt: it holds a zero byte",
                          path);
    }
    *receipt = text;
    return INOX_OK;
}

inox_status inox_receipt_load(const char *path_or_id, char **receipt, inox_error *err)
{
    ix_buffer path = { 0 };
    char *directory = NULL;
    if (path_or_id == NULL || receipt == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_receipt_load: a pointer is NULL");
    *receipt = NULL;
    if (ix_path_exists(path_or_id))
        return read_receipt(path_or_id, receipt, err);
    size_t n = strlen(path_or_id);
    if (n < 4 || strspn(path_or_id, "0123456789abcdef") != n)
        return ix_fail(err, INOX_E_NOT_FOUND,
                       "no receipt '%s': give a file, or at least 4 hexadecimal digits of an id",
                       path_or_id);
    IX_TRY(receipt_directory(&directory, err));
    inox_status status = find_by_id(directory, path_or_id, &path, err);
    if (status == INOX_OK)
        status = read_receipt(path.data, receipt, err);
    ix_buffer_release(&path);
    ix_free(directory);
    return status;
}

inox_status inox_receipt_model(const char *receipt, char **out, inox_error *err)
{
    ix_receipt r;
    if (receipt == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_receipt_model: a pointer is NULL");
    inox_status status = ix_receipt_read(receipt, strlen(receipt), &r, err);
    if (status == INOX_OK)
        status = ix_strndup(r.model_path, strlen(r.model_path), out, err);
    ix_receipt_release(&r);
    return status;
}

/* ---- replaying */

static inox_status check_model(inox_model *m, const ix_receipt *r, inox_error *err)
{
    char identity[65];
    IX_TRY(inox_model_identity(m, identity, err));
    if (strcmp(identity, r->model_identity) != 0)
        return ix_fail(err, INOX_E_MISMATCH,
                       "another model: the receipt names %.12s... (%s), this file is %.12s...",
                       r->model_identity, r->model_name, identity);
    if (strcmp(r->contract_identity, ix_contract_identity()) != 0)
        return ix_fail(
            err, INOX_E_MISMATCH,
            "the receipt was made under other numeric rules (%s, %.12s...); this program has "
            "%s, %.12s...",
            r->contract_name, r->contract_identity, IX_CONTRACT_NAME, ix_contract_identity());
    return INOX_OK;
}

/* Row i must hash to what the receipt has. */
static bool row_agrees(const ix_receipt *r, const ix_row_log *log, size_t i)
{
    return i < r->row_count && memcmp(log->digits.data + i * IX_ROW_DIGITS,
                                      r->rows + i * IX_ROW_DIGITS, IX_ROW_DIGITS) == 0;
}

static inox_status differs(inox_replay_report *report, size_t at, const char *what, inox_error *err)
{
    report->first_difference = (int64_t)at;
    return ix_fail(err, INOX_E_MISMATCH, "not identical: %s differ from token %zu on", what, at);
}

/* How the answer ended must follow from what it is; "stop" and "cancelled" may come anywhere. */
static bool finish_agrees(const inox_model *m, const ix_receipt *r)
{
    int64_t n = (int64_t)r->output_count;
    bool ended = false;
    if (n > r->max_tokens)
        return false;
    for (int64_t i = 0; i < n && !r->ignore_end; i++) {
        ended = ix_tokenizer_is_end(m->tokenizer, r->output[i]);
        if (ended && i + 1 < n)
            return false;
    }
    if (strcmp(r->finish, "end") == 0)
        return ended;
    if (strcmp(r->finish, "length") == 0)
        return !ended && n == r->max_tokens;
    if (strcmp(r->finish, "context") == 0)
        return !ended && n > 0 && n < r->max_tokens &&
               (int64_t)r->prompt_count + n - 1 == r->context;
    return strcmp(r->finish, "stop") == 0 || strcmp(r->finish, "cancelled") == 0;
}

/* Chooses again at every place and follows the receipt's tokens. */
static inox_status compare(inox_session *s, const ix_receipt *r, ix_sampler *sampler,
                           ix_row_log *log, inox_replay_report *report, inox_error *err)
{
    IX_TRY(inox_session_feed(s, r->prompt, r->prompt_count, INOX_LOGITS_LAST, err));
    for (size_t i = 0; i < r->output_count; i++) {
        size_t rows, columns;
        int32_t id;
        const float *row = inox_session_logits(s, &rows, &columns);
        if (row == NULL)
            return ix_fail(err, INOX_E_MISMATCH, "the receipt has no prompt but an answer");
        row += (rows - 1) * columns;
        IX_TRY(ix_row_log_add(log, row, columns, err));
        report->rows = i + 1;
        if (!row_agrees(r, log, i))
            return differs(report, i, "the logits", err);
        IX_TRY(ix_sampler_choose(sampler, row, &r->sampling, s->tokens, s->length, i, &id, err));
        report->tokens = i + 1;
        if (id != r->output[i])
            return differs(report, i, "the tokens", err);
        if (i + 1 < r->output_count)
            IX_TRY(inox_session_feed(s, &id, 1, INOX_LOGITS_LAST, err));
    }
    char digest[65];
    IX_TRY(ix_row_log_digest(log, digest, err));
    if (r->row_count != r->output_count || strcmp(digest, r->logits_sha256) != 0)
        return ix_fail(
            err, INOX_E_MISMATCH,
            "not identical: the hash over all logits is %.12s..., the receipt has %.12s...", digest,
            r->logits_sha256);
    if (!finish_agrees(s->model, r))
        return ix_fail(err, INOX_E_MISMATCH,
                       "not identical: an answer of these %zu tokens does not end by '%s'",
                       r->output_count, r->finish);
    report->identical = true;
    return INOX_OK;
}

static inox_status replay(inox_model *m, const ix_receipt *r, inox_replay_report *report,
                          inox_error *err)
{
    inox_session_options options = INOX_SESSION_OPTIONS_INIT;
    inox_session *s = NULL;
    ix_sampler *sampler = NULL;
    ix_row_log log = { 0 };
    if (strcmp(r->cache, "f32") != 0 && strcmp(r->cache, "f16") != 0)
        return ix_fail(err, INOX_E_FORMAT, "the receipt names a cache of type '%s'", r->cache);
    IX_TRY(ix_model_needs_tokenizer(m, err));
    IX_TRY(check_model(m, r, err));
    options.context = (int32_t)r->context;
    options.cache = r->cache[1] == '3' ? INOX_CACHE_F32 : INOX_CACHE_F16;
    inox_status status = inox_session_new(m, &options, &s, err);
    if (status == INOX_OK)
        status = ix_sampler_new((size_t)m->shape.vocabulary, &sampler, err);
    if (status == INOX_OK)
        status = compare(s, r, sampler, &log, report, err);
    ix_row_log_release(&log);
    ix_sampler_free(sampler);
    inox_session_free(s);
    return status;
}

inox_status inox_replay(inox_model *m, const char *receipt, inox_replay_report *report,
                        inox_error *err)
{
    ix_receipt r;
    if (m == NULL || receipt == NULL || report == NULL || report->size != sizeof *report)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_replay: a pointer is NULL, or the report was not initialised with "
                       "INOX_REPLAY_REPORT_INIT");
    *report = (inox_replay_report)INOX_REPLAY_REPORT_INIT;
    ix_fpenv environment = ix_fpenv_enter();
    inox_status status = ix_receipt_read(receipt, strlen(receipt), &r, err);
    if (status == INOX_OK) {
        snprintf(report->was_isa, sizeof report->was_isa, "%.31s", r.isa);
        snprintf(report->now_isa, sizeof report->now_isa, "%s", ix_isa_name(m->isa));
        memcpy(report->was_build, r.engine_build, sizeof report->was_build);
        report->was_threads = (int32_t)r.threads;
        report->now_threads = m->pool == NULL ? 0 : ix_pool_threads(m->pool);
        report->same_build = strcmp(r.engine_build, IX_BUILD_HASH) == 0;
        status = replay(m, &r, report, err);
    }
    ix_receipt_release(&r);
    ix_fpenv_leave(environment);
    return status;
}
