/* tiktoken's files: a line for each token, its bytes in base64, a space, its rank.
 *
 *     IQ== 0
 *     Ig== 1
 *
 * Such a file says neither how text is cut into words nor which tokens are special.  That comes, in
 * this order, from the caller, from tiktoken.json beside the file, or from the table of published
 * files (known.h).  tiktoken.json:
 *
 *     {"gpt2": {"file": "gpt2.tiktoken", "pattern": "...", "special_tokens": {"<|x|>": 50256}}}
 */
#include "base/limits.h"
#include "text/file/base64.h"
#include "text/file/formats.h"
#include "text/file/known.h"
#include "text/ranks.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

typedef struct reader {
    ix_text_view file;
    ix_text_view *pieces;
    size_t count, lines;
    ix_buffer bytes; /* of the pieces */
    ix_rank_special *specials;
    size_t special_count, special_capacity;
    ix_buffer spellings;
    ix_text_view pattern;
    const ix_known_ranks *known;
    json_t *beside, *given; /* tiktoken.json, and the caller's special tokens */
} reader;

/* ---- lines --------------------------------------------------------------------------------- */

/* One line: "base64 rank".  *rank and the place of the bytes in r->bytes. */
static inox_status read_line(reader *r, const char *line, size_t size, size_t *rank, size_t *at,
                             inox_error *err)
{
    size_t n = 0, value = 0, written;
    while (n < size && line[n] != ' ' && line[n] != '\t')
        n++;
    size_t digits = n;
    while (digits < size && (line[digits] == ' ' || line[digits] == '\t'))
        digits++;
    size_t end = size;
    while (end > digits && (line[end - 1] == ' ' || line[end - 1] == '\t'))
        end--;
    bool good = digits > n && end > digits && end - digits <= 9;
    for (size_t i = digits; i < end && good; i++) {
        good = line[i] >= '0' && line[i] <= '9';
        value = value * 10 + (size_t)(line[i] - '0');
    }
    if (!good)
        return ix_fail(err, INOX_E_FORMAT, "line %zu is not a token in base64 and its rank",
                       r->lines);
    /* Room for the largest number of lines that the file may have was taken before. */
    *at = r->bytes.size;
    if (n == 0 || !ix_base64_decode(line, n, r->bytes.data + r->bytes.size, &written) ||
        written == 0)
        return ix_fail(err, INOX_E_FORMAT, "the token in line %zu is not base64", r->lines);
    r->bytes.size += written;
    *rank = value;
    return INOX_OK;
}

typedef struct line_entry {
    size_t at, size, rank;
} line_entry;

static size_t line_end(const reader *r, size_t at)
{
    while (at < r->file.size && r->file.data[at] != '\n' && r->file.data[at] != '\r')
        at++;
    return at;
}

static inox_status place(reader *r, const line_entry *entries, size_t count, inox_error *err)
{
    size_t greatest = 0;
    for (size_t i = 0; i < count; i++)
        greatest = entries[i].rank > greatest ? entries[i].rank : greatest;
    /* Holes are fine, but not so many that a short file takes much memory. */
    if (greatest >= IX_MAX_VOCAB || greatest > 2 * count + 65536)
        return ix_fail(err, INOX_E_LIMIT, "a token has the rank %zu in a file of %zu tokens",
                       greatest, count);
    r->count = greatest + 1;
    IX_TRY(IX_ALLOC(&r->pieces, r->count, err));
    for (size_t i = 0; i < count; i++) {
        ix_text_view *p = &r->pieces[entries[i].rank];
        if (p->size > 0)
            return ix_fail(err, INOX_E_FORMAT, "two tokens have the rank %zu", entries[i].rank);
        *p = (ix_text_view){ r->bytes.data + entries[i].at, entries[i].size };
    }
    return INOX_OK;
}

static inox_status read_lines(reader *r, inox_error *err)
{
    line_entry *entries = NULL;
    size_t count = 0, capacity = 0;
    inox_status status = IX_REALLOC(&r->bytes.data, r->file.size + 1, err);
    r->bytes.capacity = r->file.size + 1;
    for (size_t at = 0; at < r->file.size && status == INOX_OK;) {
        size_t end = line_end(r, at);
        line_entry e = { 0 };
        r->lines++;
        if (end > at) {
            status = read_line(r, r->file.data + at, end - at, &e.rank, &e.at, err);
            e.size = r->bytes.size - e.at;
            if (status == INOX_OK && count == capacity) {
                capacity = capacity * 2 + 4096;
                status = IX_REALLOC(&entries, capacity, err);
            }
            if (status == INOX_OK)
                entries[count++] = e;
        }
        at = end + 1;
        if (end + 1 < r->file.size && r->file.data[end] == '\r' && r->file.data[at] == '\n')
            at++;
    }
    if (status == INOX_OK && count == 0)
        status = ix_fail(err, INOX_E_FORMAT, "the file holds no tokens");
    if (status == INOX_OK)
        status = place(r, entries, count, err);
    ix_free(entries);
    return status;
}

/* ---- what the lines do not say --------------------------------------------------------------- */

/* The spelling's place is its offset in r->spellings until all are there. */
static inox_status add_special(reader *r, const char *spelling, size_t size, int64_t id,
                               inox_error *err)
{
    if (id < 0 || id >= IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the special token '%.64s' has the id %lld", spelling,
                       (long long)id);
    if (r->special_count == r->special_capacity) {
        size_t capacity = r->special_capacity * 2 + 64;
        IX_TRY(IX_REALLOC(&r->specials, capacity, err));
        r->special_capacity = capacity;
    }
    r->specials[r->special_count++] = (ix_rank_special){ { NULL, size }, (int32_t)id };
    return ix_buffer_append(&r->spellings, spelling, size, err);
}

static void place_specials(reader *r)
{
    const char *at = r->spellings.data;
    for (size_t i = 0; i < r->special_count; i++) {
        r->specials[i].spelling.data = at;
        at += r->specials[i].spelling.size;
    }
}

static inox_status specials_of(reader *r, json_t *object, const char *where, inox_error *err)
{
    const char *spelling;
    json_t *id;
    if (!json_is_object(object))
        return ix_fail(err, INOX_E_FORMAT, "%s must be an object of special tokens and their ids",
                       where);
    json_object_foreach(object, spelling, id)
    {
        if (!json_is_integer(id))
            return ix_fail(err, INOX_E_FORMAT, "%s: the id of '%.64s' is not a number", where,
                           spelling);
        IX_TRY(add_special(r, spelling, strlen(spelling), json_integer_value(id), err));
    }
    return INOX_OK;
}

static inox_status specials_known(reader *r, inox_error *err)
{
    const ix_known_special *s = r->known->specials;
    for (; s->head; s++) {
        if (s->count == 0)
            IX_TRY(add_special(r, s->head, strlen(s->head), s->id, err));
        for (int i = 0; i < s->count; i++) {
            char spelling[96];
            int n = snprintf(spelling, sizeof spelling, "%s%d|>", s->head, (int)s->first + i);
            IX_TRY(add_special(r, spelling, (size_t)n, s->id + i, err));
        }
    }
    return INOX_OK;
}

/* The entry of tiktoken.json for a file of this name; NULL: none. */
static json_t *entry_of(json_t *root, const char *name)
{
    const char *key;
    json_t *entry, *only = NULL;
    json_object_foreach(root, key, entry)
    {
        const char *file = json_string_value(json_object_get(entry, "file"));
        if (name && file && strcmp(file, name) == 0)
            return entry;
        only = entry;
    }
    return json_object_size(root) == 1 ? only : NULL;
}

static inox_status read_beside(reader *r, ix_text_view text, const char *name, inox_error *err)
{
    json_error_t e;
    if (!text.data)
        return INOX_OK;
    r->beside = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &e);
    if (!json_is_object(r->beside))
        return ix_fail(err, INOX_E_FORMAT, "tiktoken.json, line %d: %s", e.line, e.text);
    json_t *entry = entry_of(r->beside, name), *pattern = json_object_get(entry, "pattern");
    json_t *specials = json_object_get(entry, "special_tokens");
    if (!entry)
        return INOX_OK;
    if (!json_is_string(pattern))
        return ix_fail(err, INOX_E_FORMAT, "tiktoken.json gives no \"pattern\" for this file");
    r->pattern = (ix_text_view){ json_string_value(pattern), json_string_length(pattern) };
    return specials ? specials_of(r, specials, "tiktoken.json, special_tokens", err) : INOX_OK;
}

static inox_status read_given(reader *r, const ix_open_options *o, inox_error *err)
{
    json_error_t e;
    if (o->pattern.data)
        r->pattern = o->pattern;
    if (!o->special_tokens.data)
        return INOX_OK;
    r->given = json_loadb(o->special_tokens.data, o->special_tokens.size, 0, &e);
    if (!r->given)
        return ix_fail(err, INOX_E_ARGUMENT, "the special tokens given are not JSON: %s", e.text);
    r->special_count = r->spellings.size = 0;
    /* They count instead of those that are known. */
    return specials_of(r, r->given, "the special tokens given", err);
}

static inox_status find_rest(reader *r, ix_text_view beside, const char *name,
                             const ix_open_options *options, inox_error *err)
{
    uint8_t hash[IX_SHA256_BYTES];
    IX_TRY(ix_sha256_of(r->file.data, r->file.size, hash, err));
    r->known = ix_known_ranks_find(hash);
    IX_TRY(read_beside(r, beside, name, err));
    if (!r->pattern.data && r->known) {
        r->pattern = (ix_text_view){ r->known->pattern, strlen(r->known->pattern) };
        IX_TRY(specials_known(r, err));
    }
    if (options)
        IX_TRY(read_given(r, options, err));
    if (!r->pattern.data)
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "a tiktoken file does not say how text is cut into words, and this one is "
                       "not known: give its expression with --pattern, or put a tiktoken.json "
                       "beside it");
    place_specials(r);
    return INOX_OK;
}

/* The token that is spelled like one of these, or -1. */
static int32_t named(const reader *r, const char *const *spellings)
{
    for (; *spellings; spellings++) {
        size_t n = strlen(*spellings);
        for (size_t i = 0; i < r->special_count; i++)
            if (r->specials[i].spelling.size == n &&
                memcmp(r->specials[i].spelling.data, *spellings, n) == 0)
                return r->specials[i].id;
    }
    return -1;
}

inox_status ix_tokenizer_from_tiktoken(ix_text_view file, ix_text_view tiktoken_json,
                                       const char *name, const ix_open_options *options,
                                       ix_tokenizer **out, inox_error *err)
{
    static const char *const bos[] = { "<|begin_of_text|>", "<|startoftext|>", NULL };
    static const char *const eos[] = { "<|end_of_text|>", "<|endoftext|>", NULL };
    reader r = { .file = file };
    *out = NULL;
    inox_status status = read_lines(&r, err);
    if (status == INOX_OK)
        status = find_rest(&r, tiktoken_json, name, options, err);
    if (status == INOX_OK) {
        ix_rank_source source = {
            .format = "tiktoken",
            .pieces = r.pieces,
            .count = r.count,
            .pattern = r.pattern,
            .specials = r.specials,
            .special_count = r.special_count,
            .bos = named(&r, bos),
            .eos = named(&r, eos),
            .unknown = -1,
            .padding = -1,
        };
        status = ix_tokenizer_from_ranks(&source, out, err);
    }
    json_decref(r.beside);
    json_decref(r.given);
    ix_free(r.pieces);
    ix_free(r.specials);
    ix_buffer_release(&r.bytes);
    ix_buffer_release(&r.spellings);
    return status == INOX_OK ? status : ix_prefix(err, status, "tiktoken file");
}
