/* tokenizer.json against Hugging Face's library: every record of ../shared/data/tokenizers (its
 * README says what they hold), and of a directory of the same form that INOX_TOKENIZER_CASES names.
 * And what no oracle answers: bad files, plain ranges, batches over threads, limits. */
#include "test.h"

#include "base/alloc.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

#include <dirent.h>
#include <jansson.h>

/* ---- files ----------------------------------------------------------------------------------- */

static char *read_whole(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *bytes = NULL;
    size_t n = 0, capacity = 0, got;
    *size = 0;
    if (!f)
        return NULL;
    do {
        capacity = capacity * 2 + 65536;
        char *more = realloc(bytes, capacity);
        if (!more)
            break;
        bytes = more;
        got = fread(bytes + n, 1, capacity - n - 1, f);
        n += got;
    } while (n == capacity - 1);
    (void)fclose(f);
    if (bytes)
        bytes[n] = 0;
    *size = n;
    return bytes;
}

static ix_tokenizer *open_json(ix_test *t, const char *path)
{
    size_t size;
    char *bytes = read_whole(path, &size);
    ix_tokenizer *tokenizer = NULL;
    inox_error err = { 0 };
    CHECK_MSG(bytes != NULL, "%s cannot be read", path);
    if (!bytes)
        return NULL;
    ix_json_files files = { .tokenizer = { bytes, size } };
    inox_status status = ix_tokenizer_from_json(&files, &tokenizer, &err);
    CHECK_MSG(status == INOX_OK, "%s: %s", path, err.message);
    free(bytes);
    return tokenizer;
}

/* ---- one record ------------------------------------------------------------------------------ */

typedef struct run {
    ix_test *t;
    const ix_tokenizer *tokenizer;
    const json_t *record;
    const char *where;
    ix_buffer text;
    ix_text_view *words;
    uint64_t records, failures;
} run;

static void report(run *r, const char *what)
{
    char *line = json_dumps(r->record, JSON_COMPACT);
    r->failures++;
    if (r->failures <= 3)
        ix_test_fail(r->t, r->where, (int)r->records, "%s: %.200s", what, line ? line : "");
    else
        r->t->failures++;
    free(line);
}

static ix_text_view view_of(const json_t *j)
{
    return (ix_text_view){ json_string_value(j), json_string_length(j) };
}

/* The input of a record; parts are joined in r->text. */
static void set_input(run *r, const json_t *record, ix_encode_input *in)
{
    inox_error err;
    const json_t *parts = json_object_get(record, "parts"),
                 *words = json_object_get(record, "words");
    *in = (ix_encode_input){ 0 };
    in->first.text = view_of(json_object_get(record, "text"));
    r->text.size = 0;
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i), *unit = json_array_get(part, 0);
        for (json_int_t n = json_integer_value(json_array_get(part, 1)); n > 0; n--)
            if (ix_buffer_append(&r->text, json_string_value(unit), json_string_length(unit),
                                 &err) != INOX_OK)
                report(r, err.message);
    }
    if (parts)
        in->first.text = (ix_text_view){ r->text.data, r->text.size };
    if (words) {
        in->first.word_count = json_array_size(words);
        r->words = realloc(r->words, (in->first.word_count + 1) * sizeof *r->words);
        for (size_t i = 0; i < in->first.word_count; i++)
            r->words[i] = view_of(json_array_get(words, i));
        in->first.words = r->words;
        in->first.is_split = true;
    }
    if (json_object_get(record, "pair")) {
        in->second.text = view_of(json_object_get(record, "pair"));
        in->is_pair = true;
    }
}

/* The position of the n-th character; behind the end: the end. */
static size_t byte_of(const ix_text_view *text, size_t n)
{
    size_t at = 0;
    bool whole, bad;
    for (; n > 0 && at < text->size; n--)
        at += ix_utf8_prefix(text->data + at, text->size - at, &whole, &bad);
    return at;
}

static bool same_number(const json_t *list, size_t i, int64_t value)
{
    return json_integer_value(json_array_get(list, i)) == value;
}

/* Offsets of the library count characters: of the text, the pair or the word that a token is of. */
static bool same_offsets(const ix_encode_input *in, const ix_encoding *e, const json_t *want)
{
    if (json_array_size(want) != e->count)
        return false;
    for (size_t i = 0; i < e->count; i++) {
        const json_t *pair = json_array_get(want, i);
        size_t from = (size_t)json_integer_value(json_array_get(pair, 0)),
               to = (size_t)json_integer_value(json_array_get(pair, 1));
        if (e->sequences[i] >= 0) {
            const ix_sequence *s = e->sequences[i] ? &in->second : &in->first;
            const ix_text_view *text = s->is_split ? &s->words[e->words[i]] : &s->text;
            from = byte_of(text, from);
            to = byte_of(text, to);
        }
        if (e->starts[i] != from || e->ends[i] != to)
            return false;
    }
    return true;
}

static bool same_ids(const ix_encoding *e, const json_t *want)
{
    bool same = json_array_size(want) == e->count;
    for (size_t i = 0; same && i < e->count; i++)
        same = same_number(want, i, e->ids[i]);
    return same;
}

/* What is wrong with an encoding, or NULL. */
static const char *differs(const ix_encode_input *in, const ix_encoding *e, const json_t *want)
{
    const json_t *types = json_object_get(want, "type_ids"),
                 *special = json_object_get(want, "special_mask"),
                 *attention = json_object_get(want, "attention_mask"),
                 *overflow = json_object_get(want, "overflow"),
                 *offsets = json_object_get(want, "offsets"),
                 *words = json_object_get(want, "word_ids");
    if (!same_ids(e, json_object_get(want, "ids")))
        return "ids";
    if (offsets && !same_offsets(in, e, offsets))
        return "offsets";
    for (size_t i = 0; i < e->count; i++) {
        if (!same_number(types, i, e->type_ids[i]))
            return "type_ids";
        if (special && !same_number(special, i, e->special_mask[i]))
            return "special_mask";
        if (e->attention_mask[i] != 1 ? !same_number(attention, i, e->attention_mask[i])
                                      : attention && !same_number(attention, i, 1))
            return "attention_mask";
        if (words && (json_is_null(json_array_get(words, i)) ? e->words[i] != -1
                                                             : !same_number(words, i, e->words[i])))
            return "word_ids";
    }
    if (special && json_array_size(overflow) != e->overflow_count)
        return "the number of windows";
    for (size_t i = 0; i < json_array_size(overflow); i++) {
        const json_t *window = json_array_get(overflow, i);
        if (!same_ids(&e->overflow[i], json_object_get(window, "ids")))
            return "ids of a window";
        if (!same_offsets(in, &e->overflow[i], json_object_get(window, "offsets")))
            return "offsets of a window";
    }
    return NULL;
}

static void set_truncation(const json_t *j, ix_truncation *t)
{
    const char *strategy = json_string_value(json_object_get(j, "strategy")),
               *direction = json_string_value(json_object_get(j, "direction"));
    t->max_length = (size_t)json_integer_value(json_object_get(j, "max_length"));
    t->stride = (size_t)json_integer_value(json_object_get(j, "stride"));
    t->strategy = !strategy || strcmp(strategy, "longest_first") == 0 ? IX_TRUNCATE_LONGEST_FIRST
                  : strcmp(strategy, "only_first") == 0               ? IX_TRUNCATE_ONLY_FIRST
                                                                      : IX_TRUNCATE_ONLY_SECOND;
    t->left = direction && strcmp(direction, "left") == 0;
}

static void set_padding(const json_t *j, ix_padding *p)
{
    const char *direction = json_string_value(json_object_get(j, "direction"));
    p->is_fixed = json_is_integer(json_object_get(j, "length"));
    p->fixed = (size_t)json_integer_value(json_object_get(j, "length"));
    p->multiple_of = (size_t)json_integer_value(json_object_get(j, "pad_to_multiple_of"));
    p->id = (int32_t)json_integer_value(json_object_get(j, "pad_id"));
    p->type_id = (uint32_t)json_integer_value(json_object_get(j, "pad_type_id"));
    p->left = direction && strcmp(direction, "left") == 0;
}

/* decoded, decoded_with_special; and the same token by token. */
static void check_decoded(run *r, const ix_encoding *e)
{
    for (int special = 0; special < 2; special++) {
        const json_t *want =
            json_object_get(r->record, special ? "decoded_with_special" : "decoded");
        unsigned flags = special ? IX_DECODE_SPECIAL : 0;
        ix_buffer whole = { 0 }, stream = { 0 };
        inox_error err = { 0 };
        ix_decoder d;
        if (!want)
            continue;
        bool good =
            ix_tokenizer_decode(r->tokenizer, e->ids, e->count, flags, &whole, &err) == INOX_OK;
        good = good && whole.size == json_string_length(want) &&
               (whole.size == 0 || memcmp(whole.data, json_string_value(want), whole.size) == 0);
        if (!good)
            report(r, special ? "decoded_with_special" : "decoded");
        ix_decoder_init(&d, r->tokenizer, flags);
        for (size_t i = 0; i < e->count && good; i++) {
            size_t from = stream.size;
            good = ix_decoder_push(&d, e->ids[i], &stream, &err) == INOX_OK;
            for (size_t at = from; at < stream.size && good;) {
                bool is_whole, bad;
                at += ix_utf8_prefix(stream.data + at, stream.size - at, &is_whole, &bad);
                good = is_whole && !bad;
            }
        }
        good = good && ix_decoder_flush(&d, &stream, &err) == INOX_OK &&
               stream.size == whole.size &&
               (whole.size == 0 || memcmp(stream.data, whole.data, whole.size) == 0);
        if (!good)
            report(r, "decoding token by token");
        ix_decoder_clear(&d);
        ix_buffer_release(&whole);
        ix_buffer_release(&stream);
    }
}

static void set_options(const run *r, bool as_shipped, ix_encode_options *o, ix_truncation *cut,
                        ix_padding *pad)
{
    const json_t *j = r->record, *parse = json_object_get(j, "parse_special"),
                 *truncation = json_object_get(j, "truncation"),
                 *padding = json_object_get(j, "padding");
    *o = (ix_encode_options)IX_ENCODE_OPTIONS_INIT;
    o->special = json_is_true(json_object_get(j, "special"));
    o->parse_special = !json_is_false(parse);
    if (as_shipped || json_is_true(json_object_get(j, "as_shipped"))) {
        o->truncation = ix_tokenizer_truncation(r->tokenizer);
        o->padding = ix_tokenizer_padding(r->tokenizer);
    }
    if (truncation) {
        set_truncation(truncation, cut);
        o->truncation = cut;
    }
    if (padding) {
        set_padding(padding, pad);
        o->padding = pad;
    }
}

/* With fewer arrays asked for, ids and offsets are the same: the fast paths are taken there. */
static void check_fast(run *r, const ix_encode_input *in, ix_encode_options o, const ix_encoding *e)
{
    static const unsigned wants[] = { 0, IX_WANT_OFFSETS, IX_WANT_OFFSETS | IX_WANT_MASKS };
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        inox_error err = { 0 };
        ix_encoding again = { 0 };
        o.want = wants[i];
        bool good = ix_encode(r->tokenizer, in, &o, &again, &err) == INOX_OK;
        good = good && again.count == e->count;
        for (size_t k = 0; k < e->count && good; k++)
            good =
                again.ids[k] == e->ids[k] &&
                (!again.starts || (again.starts[k] == e->starts[k] && again.ends[k] == e->ends[k]));
        if (!good)
            report(r, "with fewer arrays");
        ix_encoding_release(&again);
    }
}

static void check_record(run *r, bool as_shipped)
{
    ix_encode_options o;
    ix_truncation cut = { 0 };
    ix_padding pad = { 0 };
    ix_encode_input in;
    ix_encoding e;
    inox_error err = { 0 };
    const json_t *error = json_object_get(r->record, "error");
    set_options(r, as_shipped, &o, &cut, &pad);
    set_input(r, r->record, &in);
    r->t->checks++;
    inox_status status = ix_encode(r->tokenizer, &in, &o, &e, &err);
    const char *wrong = NULL;
    if (error ? status == INOX_OK : status != INOX_OK)
        wrong = error ? "an error was expected" : err.message;
    else if (!error)
        wrong = differs(&in, &e, r->record);
    if (wrong)
        report(r, wrong);
    else if (!error) {
        check_decoded(r, &e);
        check_fast(r, &in, o, &e);
    }
    ix_encoding_release(&e);
}

static void check_batch(run *r, bool as_shipped)
{
    const json_t *batch = json_object_get(r->record, "batch"),
                 *want = json_object_get(r->record, "encodings"),
                 *error = json_object_get(r->record, "error");
    size_t count = json_array_size(batch);
    ix_encode_options o;
    ix_truncation cut = { 0 };
    ix_padding pad = { 0 };
    inox_error err = { 0 };
    ix_encode_input *in = calloc(count + 1, sizeof *in);
    ix_encoding *e = calloc(count + 1, sizeof *e);
    set_options(r, as_shipped, &o, &cut, &pad);
    o.threads = 2;
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(batch, i);
        in[i].is_pair = json_is_array(one);
        in[i].first.text = view_of(in[i].is_pair ? json_array_get(one, 0) : one);
        in[i].second.text = view_of(json_array_get(one, 1));
    }
    r->t->checks++;
    inox_status status = ix_encode_batch(r->tokenizer, in, count, &o, e, &err);
    if (error ? status == INOX_OK : status != INOX_OK)
        report(r, error ? "an error was expected" : err.message);
    for (size_t i = 0; i < count && status == INOX_OK && !error; i++) {
        const char *wrong = differs(&in[i], &e[i], json_array_get(want, i));
        if (wrong)
            report(r, wrong);
    }
    for (size_t i = 0; i < count; i++)
        ix_encoding_release(&e[i]);
    free(in);
    free(e);
}

/* Appends a record's text to the long one that is streamed. */
static void add_to_long(run *r, ix_buffer *text)
{
    static const char *const between[] = { " and then ", "\n", " ", "", "  ", ". The " };
    inox_error err;
    const json_t *own = json_object_get(r->record, "text");
    const char *gap = between[r->records % 6];
    if (!own || text->size > 40000)
        return;
    if (ix_buffer_append(text, json_string_value(own), json_string_length(own), &err) != INOX_OK ||
        ix_buffer_append(text, gap, strlen(gap), &err) != INOX_OK)
        report(r, err.message);
}

/* A text in chunks has the tokens of the whole, at the same places. */
static void check_stream(run *r, const ix_buffer *text, bool special, size_t chunk)
{
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    ix_encode_input in = { .first = { .text = { text->data, text->size } } };
    ix_encoding whole, part = { 0 };
    ix_encode_stream *s = NULL;
    inox_error err = { 0 };
    size_t seen = 0, before_end = 0;
    uint64_t state = chunk;
    o.special = special;
    o.parse_special = true;
    if (ix_encode(r->tokenizer, &in, &o, &whole, &err) != INOX_OK ||
        ix_encode_stream_new(r->tokenizer, &o, &s, &err) != INOX_OK) {
        ix_encoding_release(&whole);
        return; /* no unknown token, or a template that does not stream: checked elsewhere */
    }
    bool good = true, ended = false;
    for (size_t at = 0; good && !ended;) {
        size_t n = 1 + ix_test_random(&state) % chunk;
        n = n < text->size - at ? n : text->size - at;
        ended = at == text->size;
        good = (ended ? ix_encode_stream_end(s, &part, &err)
                      : ix_encode_stream_push(s, text->data + at, n, &part, &err)) == INOX_OK;
        at += n;
        before_end += ended ? 0 : part.count;
        for (size_t i = 0; i < part.count && good; i++, seen++) {
            bool edge = part.starts[i] == part.ends[i];
            uint64_t base = edge && part.starts[i] == 0 ? 0 : ix_encode_stream_base(s);
            good = seen < whole.count && whole.ids[seen] == part.ids[i] &&
                   whole.starts[seen] == part.starts[i] + base &&
                   whole.ends[seen] == part.ends[i] + base;
        }
    }
    r->t->checks++;
    if (!good || seen != whole.count) {
        r->failures++;
        ix_test_fail(r->t, r->where, (int)seen, "chunks of up to %d bytes: token %d of %d differs",
                     (int)chunk, (int)seen, (int)whole.count);
    }
    if (text->size > 20000 && ix_encode_stream_bounded(s) && before_end == 0)
        ix_test_fail(r->t, r->where, (int)chunk, "nothing came before the end");
    ix_encoding_release(&whole);
    ix_encoding_release(&part);
    ix_encode_stream_free(s);
}

/* A record; its text goes to those that are streamed. */
static void check_one(run *r, json_t *record, bool as_shipped, ix_buffer *together)
{
    r->records++;
    r->record = record;
    if (record && json_object_get(record, "batch"))
        check_batch(r, as_shipped);
    else if (record)
        check_record(r, as_shipped);
    add_to_long(r, together);
    r->record = NULL;
}

static void finish_run(run *r, ix_buffer *together)
{
    for (size_t chunk = 1; r->tokenizer && chunk < 20000; chunk = chunk * 13 + 1)
        check_stream(r, together, chunk & 4, chunk);
    ix_buffer_release(together);
    free(r->words);
    ix_buffer_release(&r->text);
}

/* Every record of a file. */
static void check_records(ix_test *t, const char *tokenizer_path, const char *records_path,
                          bool as_shipped)
{
    size_t size;
    char *bytes = read_whole(records_path, &size), *next;
    run r = { .t = t, .where = records_path };
    ix_buffer together = { 0 };
    CHECK_MSG(bytes != NULL, "%s cannot be read", records_path);
    ix_tokenizer *tokenizer = bytes ? open_json(t, tokenizer_path) : NULL;
    r.tokenizer = tokenizer;
    for (char *line = bytes; tokenizer && line < bytes + size; line = next + 1) {
        json_error_t error;
        next = memchr(line, '\n', (size_t)(bytes + size - line));
        if (!next)
            next = bytes + size;
        json_t *record = json_loadb(line, (size_t)(next - line), JSON_ALLOW_NUL, &error);
        CHECK_MSG(record != NULL, "%s:%d: %s", records_path, (int)r.records + 1, error.text);
        check_one(&r, record, as_shipped, &together);
        json_decref(record);
    }
    finish_run(&r, &together);
    if (r.failures > 0)
        (void)printf("        %s: %d of %d records differ\n", records_path, (int)r.failures,
                     (int)r.records);
    free(bytes);
    ix_tokenizer_free(tokenizer);
}

/* ---- directories ----------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every NAME.jsonl beside a NAME.json that is a tokenizer. */
static void check_directory(ix_test *t, const char *path)
{
    DIR *d = opendir(path);
    char *names[4096];
    int count = 0;
    CHECK_MSG(d != NULL, "%s cannot be read", path);
    for (struct dirent *entry; d && (entry = readdir(d)) != NULL;) {
        const char *name = entry->d_name;
        if (!ends_with(name, ".jsonl") || count == 4096 || strcmp(name, "normalizers.jsonl") == 0 ||
            strcmp(name, "pre_tokenizers.jsonl") == 0 || strcmp(name, "decoders.jsonl") == 0)
            continue;
        names[count] = malloc(strlen(name) + 1);
        if (names[count])
            memcpy(names[count++], name, strlen(name) + 1);
    }
    if (d)
        (void)closedir(d);
    qsort(names, (size_t)count, sizeof *names, by_name);
    for (int i = 0; i < count; i++) {
        char tokenizer[1024], records[1024];
        (void)snprintf(records, sizeof records, "%s/%s", path, names[i]);
        (void)snprintf(tokenizer, sizeof tokenizer, "%s/%.*s", path, (int)strlen(names[i]) - 1,
                       names[i]);
        check_records(t, tokenizer, records, true);
        free(names[i]);
    }
    CHECK_MSG(count > 0, "%s holds no records", path);
}

TEST(tokenizers_components)
{
    const char *path = ix_test_shared("data/tokenizers/components");
    if (!path)
        SKIP("no ../shared/data/tokenizers");
    check_directory(t, path);
}

TEST(tokenizers_real)
{
    const char *gpt2 = ix_test_shared("data/tokenizers/gpt2.tokenizer.json"),
               *gpt2_records = ix_test_shared("data/tokenizers/goldens/gpt2.tokenizer.json.jsonl"),
               *bert = ix_test_shared("data/tokenizers/real/minilm.tokenizer.json"),
               *bert_records =
                   ix_test_shared("data/tokenizers/goldens/minilm.tokenizer.json.jsonl");
    if (!gpt2 || !gpt2_records || !bert || !bert_records)
        SKIP("no ../shared/data/tokenizers");
    check_records(t, gpt2, gpt2_records, false);
    check_records(t, bert, bert_records, false);
}

/* A line of test/data/tokenizers.jsonl (make_tokenizer_goldens.py). */
static void check_golden_line(ix_test *t, const json_t *models, json_t *line)
{
    inox_error err;
    ix_buffer together = { 0 };
    ix_tokenizer *tokenizer = NULL;
    json_t *form = json_object_get(line, "tokenizer"), *records = json_object_get(line, "records");
    const char *name = json_string_value(json_object_get(form, "model"));
    run r = { .t = t, .where = json_string_value(json_object_get(line, "name")) };
    json_object_set(form, "model", json_object_get(models, name));
    char *text = json_dumps(form, 0);
    ix_json_files files = { .tokenizer = { text, strlen(text) } };
    CHECK_OK(ix_tokenizer_from_json(&files, &tokenizer, &err), &err);
    r.tokenizer = tokenizer;
    for (size_t i = 0; i < json_array_size(records) && tokenizer; i++)
        check_one(&r, json_array_get(records, i), true, &together);
    CHECK_MSG(r.records > 1, "%s has no records", r.where);
    finish_run(&r, &together);
    ix_tokenizer_free(tokenizer);
    free(text);
}

TEST(tokenizers_goldens)
{
    size_t size;
    json_t *models = NULL;
    int count = 0;
    char *bytes = read_whole(IX_TEST_SOURCE_ROOT "/test/data/tokenizers.jsonl", &size), *next;
    CHECK_MSG(bytes != NULL, "test/data/tokenizers.jsonl cannot be read");
    for (char *at = bytes; bytes && at < bytes + size; at = next + 1) {
        json_error_t error;
        next = memchr(at, '\n', (size_t)(bytes + size - at));
        if (!next)
            next = bytes + size;
        json_t *line = json_loadb(at, (size_t)(next - at), JSON_ALLOW_NUL, &error);
        CHECK_MSG(line != NULL, "%s", error.text);
        if (!models)
            models = json_incref(json_object_get(line, "models"));
        else if (line)
            check_golden_line(t, models, line);
        count++;
        json_decref(line);
    }
    CHECK_MSG(count > 20, "%d lines", count);
    json_decref(models);
    free(bytes);
}

TEST(tokenizers_given)
{
    const char *path = getenv("INOX_TOKENIZER_CASES");
    if (!path)
        SKIP("INOX_TOKENIZER_CASES names no directory");
    check_directory(t, path);
}

/* ---- what no oracle answers ------------------------------------------------------------------ */

static const char small_file[] =
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":["
    "{\"id\":5,\"content\":\"<s>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
    "\"normalized\":false,\"special\":true},"
    "{\"id\":6,\"content\":\"tok\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
    "\"normalized\":false,\"special\":false},"
    "{\"id\":7,\"content\":\"<S>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
    "\"normalized\":true,\"special\":true}],"
    "\"normalizer\":{\"type\":\"NFKC\"},\"pre_tokenizer\":{\"type\":\"Whitespace\"},"
    "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"b\",2],\"cls\":[\"a\",1]},"
    "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true},"
    "\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"?\",\"vocab\":{\"?\":0,\"a\":1,\"b\":2,\"<"
    "\":3,"
    "\">\":4,\"s\":5,\"S\":6}}}";

static inox_status make(const char *json, const char *config, ix_tokenizer **out, inox_error *err)
{
    ix_json_files files = { .tokenizer = { json, strlen(json) } };
    if (config)
        files.config = (ix_text_view){ config, strlen(config) };
    return ix_tokenizer_from_json(&files, out, err);
}

/* Encodes with one plain range and compares the ids. */
static void check_plain(ix_test *t, const ix_tokenizer *tokenizer, const char *text, size_t from,
                        size_t to, const int32_t *want, size_t count)
{
    ix_range plain = { from, to };
    ix_encode_input in = { .first = { .text = { text, strlen(text) } } };
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    ix_encoding e;
    inox_error err;
    in.first.plain = &plain;
    in.first.plain_count = from < to;
    o.parse_special = true;
    CHECK_OK(ix_encode(tokenizer, &in, &o, &e, &err), &err);
    bool same = e.count == count && memcmp(e.ids, want, count * sizeof *want) == 0;
    CHECK_MSG(same, "'%s' with [%d, %d) plain: %d tokens", text, (int)from, (int)to, (int)e.count);
    ix_encoding_release(&e);
}

TEST(tokenizers_plain_ranges)
{
    ix_tokenizer *tokenizer = NULL;
    inox_error err;
    CHECK_OK(make(small_file, NULL, &tokenizer, &err), &err);
    if (!tokenizer)
        return;
    const char *text = "a <s> tok <s> b";
    check_plain(t, tokenizer, text, 0, 0, (int32_t[]){ 1, 7, 8, 7, 2 }, 5);
    check_plain(t, tokenizer, text, 0, 9, (int32_t[]){ 1, 3, 5, 4, 8, 7, 2 }, 7);
    /* One byte is enough, at either end; and the other occurrence stays what it is. */
    check_plain(t, tokenizer, text, 2, 3, (int32_t[]){ 1, 3, 5, 4, 8, 7, 2 }, 7);
    check_plain(t, tokenizer, text, 4, 5, (int32_t[]){ 1, 3, 5, 4, 8, 7, 2 }, 7);
    check_plain(t, tokenizer, text, 12, 15, (int32_t[]){ 1, 7, 8, 3, 5, 4, 2 }, 7);
    /* A spelling that is only there once the text is normalized: a fullwidth less-than sign. */
    const char *wide = "\xEF\xBC\x9CS> <S>";
    check_plain(t, tokenizer, wide, 0, 0, (int32_t[]){ 9, 9 }, 2);
    check_plain(t, tokenizer, wide, 0, 5, (int32_t[]){ 3, 6, 4, 9 }, 4);
    check_plain(t, tokenizer, wide, 1, 2, (int32_t[]){ 3, 6, 4, 9 }, 4);
    check_plain(t, tokenizer, wide, 6, 7, (int32_t[]){ 9, 3, 6, 4 }, 4);
    ix_range bad[2] = { { 3, 5 }, { 4, 6 } };
    ix_encode_input in = { .first = { .text = { text, 15 }, .plain = bad, .plain_count = 2 } };
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    ix_encoding e;
    CHECK(ix_encode(tokenizer, &in, &o, &e, &err) == INOX_E_ARGUMENT);
    bad[1] = (ix_range){ 9, 99 };
    CHECK(ix_encode(tokenizer, &in, &o, &e, &err) == INOX_E_ARGUMENT && e.count == 0);
    ix_tokenizer_free(tokenizer);
}

#define PLAIN_FILE(added, model)                                                                   \
    "{\"version\":\"1.0\",\"added_tokens\":[" added                                                \
    "],\"normalizer\":null,\"post_processor\":null,"                                               \
    "\"decoder\":null,\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"model\":" model "}"
#define ADDED(content)                                                                             \
    "{\"id\":9,\"content\":\"" content "\",\"single_word\":false,\"lstrip\":false,"                \
    "\"rstrip\":false,\"normalized\":true,\"special\":false}"

/* Files that nobody should write; what is expected is the library's. */
TEST(tokenizers_odd_files)
{
    /* A suffix spelt with bytes: tokens reach beyond their word. */
    static const char bytes[] = PLAIN_FILE(
        "", "{\"type\":\"BPE\",\"end_of_word_suffix\":\"\xC3\xA9\",\"byte_fallback\":true,"
            "\"merges\":[],\"vocab\":{\"a\":0,\"b\":1,\"<0x62>\":2,\"<0xC3>\":3,\"<0xA9>\":4}}");
    /* A template that has the text twice, which a stream could not give. */
    static const char twice[] =
        "{\"version\":\"1.0\",\"normalizer\":null,\"decoder\":null,\"pre_tokenizer\":null,"
        "\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"?\",\"vocab\":{\"?\":0}},"
        "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":["
        "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],"
        "\"pair\":[],\"special_tokens\":{}}}";
    /* An added token gets an id by the size of the vocabulary, which another one has. */
    static const char ids[] =
        PLAIN_FILE(ADDED("x") "," ADDED("y"),
                   "{\"type\":\"WordLevel\",\"unk_token\":\"?\",\"vocab\":{\"?\":0,\"x\":2}}");
    static const int32_t want[] = { 2, 3, 4, 0, 2, 3, 4 };
    static const uint32_t starts[] = { 0, 1, 2, 2, 3, 2, 3 }, ends[] = { 1, 2, 3, 3, 4, 3, 4 };
    ix_encode_input in = { .first = { .text = { "b ab", 4 } } };
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    ix_tokenizer *tokenizer = NULL;
    ix_encode_stream *stream = NULL;
    ix_encoding e;
    ix_buffer text = { 0 };
    inox_error err;
    CHECK_OK(make(bytes, NULL, &tokenizer, &err), &err);
    o.want = IX_WANT_OFFSETS;
    CHECK_OK(ix_encode(tokenizer, &in, &o, &e, &err), &err);
    CHECK(e.count == 7 && memcmp(e.ids, want, sizeof want) == 0);
    CHECK(e.count == 7 && memcmp(e.starts, starts, sizeof starts) == 0 &&
          memcmp(e.ends, ends, sizeof ends) == 0);
    ix_encoding_release(&e);
    ix_tokenizer_free(tokenizer);
    CHECK_OK(make(ids, NULL, &tokenizer, &err), &err);
    CHECK_OK(ix_tokenizer_decode(tokenizer, (int32_t[]){ 2 }, 1, 0, &text, &err), &err);
    CHECK(text.size == 1 && text.data[0] == 'y');
    ix_buffer_release(&text);
    ix_tokenizer_free(tokenizer);
    CHECK_OK(make(twice, NULL, &tokenizer, &err), &err);
    CHECK_OK(ix_encode(tokenizer, &in, &o, &e, &err), &err);
    CHECK(e.count == 2 && e.ends[0] == 4 && e.ends[1] == 4);
    ix_encoding_release(&e);
    CHECK(ix_encode_stream_new(tokenizer, &o, &stream, &err) == INOX_E_UNSUPPORTED);
    ix_tokenizer_free(tokenizer);
}

TEST(tokenizers_bytes_that_are_not_utf8)
{
    ix_tokenizer *tokenizer = NULL;
    inox_error err;
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    ix_encode_input in = { .first = { .text = { "a \xF4\x90\x80\x80 \xE2\x82 b", 11 } } };
    ix_encoding e;
    CHECK_OK(make(small_file, NULL, &tokenizer, &err), &err);
    CHECK_OK(ix_encode(tokenizer, &in, &o, &e, &err), &err);
    /* Whitespace joins neighbours that are neither letters nor spaces. */
    CHECK(e.count == 4 && e.ids[1] == 0 && e.ids[2] == 0 && e.ids[3] == 2);
    CHECK(e.count == 4 && e.starts[1] == 2 && e.ends[1] == 6 && e.starts[2] == 7 &&
          e.ends[2] == 9 && e.starts[3] == 10 && e.ends[3] == 11);
    ix_encoding_release(&e);
    ix_tokenizer_free(tokenizer);
}

/* Its one option is the normalizer. */
static const char stream_file[] =
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[],"
    "\"normalizer\":%s,\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\""
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| ?"
    "[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},"
    "\"behavior\":\"Isolated\",\"invert\":false},\"post_processor\":null,\"decoder\":null,"
    "\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"?\",\"vocab\":{\"?\":0,\"\\n\":1,\"a\":2}}}";

/* What the normalizer makes of a letter, a space or a line end may join what they separate. */
TEST(tokenizers_streams_see_what_the_normalizer_does)
{
    static const char *const normalizers[] = {
        "null",
        "{\"type\":\"Lowercase\"}", /* U+0130 becomes i and a mark, which takes line ends along */
        "{\"type\":\"NFD\"}",
        "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
        "\"strip_accents\":null,\"lowercase\":true}",
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"!\"}",
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\\n\"},\"content\":\"x\"}",
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"x\"}",
        "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" +\"},\"content\":\"x\"}",
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\xE2\x96\x81\"}",
        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Strip\",\"strip_left\":true,"
        "\"strip_right\":true},{\"type\":\"NFKC\"},{\"type\":\"StripAccents\"}]}",
    };
    static const char *const texts[] = { "a\xC4\xB0\n\n", "\xC3\xA9\n\xC3\xA9 \n", "ba\nc b a\n",
                                         "\xE5\xAD\x97\xE3\x80\x82\xE5\xAD\x97\n",
                                         "one two\xEF\xBC\x81three  four\r\n" };
    for (size_t i = 0; i < sizeof normalizers / sizeof *normalizers; i++)
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            char json[2048];
            run r = { .t = t, .where = normalizers[i] };
            ix_buffer text = { 0 };
            ix_tokenizer *tokenizer = NULL;
            inox_error err;
            (void)snprintf(json, sizeof json, stream_file, normalizers[i]);
            CHECK_OK(make(json, NULL, &tokenizer, &err), &err);
            for (int n = 0; n < 200 && tokenizer; n++)
                CHECK_OK(ix_buffer_append(&text, texts[k], strlen(texts[k]), &err), &err);
            r.tokenizer = tokenizer;
            for (size_t chunk = 1; chunk < 3000 && tokenizer; chunk = chunk * 5 + 1)
                check_stream(&r, &text, false, chunk);
            ix_buffer_release(&text);
            ix_tokenizer_free(tokenizer);
        }
}

/* What a place between a letter and a space is no good for: characters that a model leaves out move
 * the offsets of all behind them, and a piece may join what Metaspace writes for a space. */
TEST(tokenizers_streams_of_odd_models)
{
    static const char *const files[] = {
        "{\"version\":\"1.0\",\"pre_tokenizer\":null,\"model\":{\"type\":\"BPE\",\"byte_fallback\":"
        "true,\"merges\":[],\"vocab\":{\" \":0,\"a\":1,\"\xE2\x96\x81\":2,\"<0x62>\":3}}}",
        "{\"version\":\"1.0\",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"x\","
        "\"prepend_scheme\":\"never\",\"split\":false},\"model\":{\"type\":\"Unigram\",\"unk_id\":"
        "0,"
        "\"vocab\":[[\"?\",-9],[\"a\",-2],[\"b\",-2],[\"x\",-2],[\" \",-2],[\"\xE2\x96\x81\",-2],"
        "[\"axb\",-3]]}}",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        run r = { .t = t, .where = files[i] };
        ix_buffer text = { 0 };
        ix_tokenizer *tokenizer = NULL;
        inox_error err;
        CHECK_OK(make(files[i], NULL, &tokenizer, &err), &err);
        for (int n = 0; n < 300; n++)
            CHECK_OK(ix_buffer_append(&text, "c a b", 5, &err), &err);
        r.tokenizer = tokenizer;
        for (size_t chunk = 1; chunk < 3000 && tokenizer; chunk = chunk * 5 + 1)
            check_stream(&r, &text, false, chunk);
        ix_buffer_release(&text);
        ix_tokenizer_free(tokenizer);
    }
}

TEST(tokenizers_batches_are_as_single_texts)
{
    enum { COUNT = 3000 };
    static ix_encode_input in[COUNT];
    static ix_encoding one[COUNT], many[COUNT];
    static char texts[COUNT][64];
    static const char *const words[] = { "a", "b", "<s>", "tok", " ", "s S", "x", "\xC3\xA9" };
    ix_tokenizer *tokenizer = NULL;
    inox_error err;
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    uint64_t state = 7;
    CHECK_OK(make(small_file, NULL, &tokenizer, &err), &err);
    for (int i = 0; i < COUNT; i++) {
        for (uint64_t n = ix_test_random(&state) % 12; n > 0; n--)
            (void)strcat(texts[i], words[ix_test_random(&state) % 8]);
        in[i] = (ix_encode_input){ .first = { .text = { texts[i], strlen(texts[i]) } } };
    }
    o.special = o.parse_special = true;
    ix_padding pad = { .id = 3, .multiple_of = 4 };
    o.padding = &pad;
    CHECK_OK(ix_encode_batch(tokenizer, in, COUNT, &o, one, &err), &err);
    o.threads = 4;
    CHECK_OK(ix_encode_batch(tokenizer, in, COUNT, &o, many, &err), &err);
    int differing = 0;
    size_t longest = one[0].count;
    for (int i = 0; i < COUNT; i++) {
        size_t bytes = one[i].count * sizeof *one[i].ids;
        differing += one[i].count != many[i].count || one[i].count != longest ||
                     memcmp(one[i].ids, many[i].ids, bytes) != 0;
        ix_encoding_release(&one[i]);
        ix_encoding_release(&many[i]);
    }
    CHECK(differing == 0);
    /* The first input that fails is named, whatever the threads. */
    ix_range bad = { 5, 4 };
    for (int i = 1234; i < COUNT; i += 100) {
        in[i].first.plain = &bad;
        in[i].first.plain_count = 1;
    }
    CHECK(ix_encode_batch(tokenizer, in, COUNT, &o, many, &err) == INOX_E_ARGUMENT);
    CHECK_MSG(strncmp(err.message, "input 1234: ", 12) == 0, "%s", err.message);
    CHECK(many[0].count == 0 && many[0].ids == NULL);
    ix_tokenizer_free(tokenizer);
}

TEST(tokenizers_memory_is_limited)
{
    enum { BYTES = 1 << 20 };
    ix_tokenizer *tokenizer = NULL;
    inox_error err;
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    char *text = malloc(BYTES);
    ix_encoding e;
    CHECK_OK(make(small_file, NULL, &tokenizer, &err), &err);
    for (int i = 0; i < BYTES; i++)
        text[i] = "a "[i & 1];
    ix_encode_input in = { .first = { .text = { text, BYTES } } };
    o.memory_max = 1 << 20;
    CHECK(ix_encode(tokenizer, &in, &o, &e, &err) == INOX_E_LIMIT);
    CHECK_MSG(strstr(err.message, "limit of memory") != NULL, "%s", err.message);
    o.memory_max = 256 << 20;
    CHECK_OK(ix_encode(tokenizer, &in, &o, &e, &err), &err);
    CHECK(e.count == BYTES / 2);
    ix_encoding_release(&e);
    ix_tokenizer_free(tokenizer);
    free(text);
}

/* A file with `from` replaced, and the beginning of what is said about it. */
TEST(tokenizers_bad_files_are_told)
{
    static const struct {
        const char *from, *to, *says;
        inox_status status;
    } cases[] = {
        { "\"1.0\"", "\"2.0\"", "unknown version '2.0'", INOX_E_UNSUPPORTED },
        { "\"1.0\"", "1", "unknown version", INOX_E_UNSUPPORTED },
        { "BertProcessing", "Bort", "unknown post_processor 'Bort'", INOX_E_UNSUPPORTED },
        { "[\"b\",2]", "[\"b\",-2]", "post_processor: a token's id", INOX_E_FORMAT },
        { "[\"b\",2]", "2", "post_processor: 'sep' must be", INOX_E_FORMAT },
        { "\"NFKC\"", "\"NFXX\"", "", INOX_E_UNSUPPORTED },
        { "\"Whitespace\"", "\"Whitespice\"", "", INOX_E_UNSUPPORTED },
        { "\"WordPiece\",\"prefix\":\"##\"", "\"Nope\",\"x\":1", "", INOX_E_UNSUPPORTED },
        { "\"WordLevel\"", "\"WordLeval\"", "model type 'WordLeval'", INOX_E_FORMAT },
        { "\"content\":\"tok\"", "\"content\":7", "added_tokens: a token has no", INOX_E_FORMAT },
        { "\"special\":false", "\"special\":0", "added_tokens: 'special' must", INOX_E_FORMAT },
        { "\"truncation\":null", "\"truncation\":{\"max_length\":-1}",
          "truncation:", INOX_E_FORMAT },
        { "\"padding\":null", "\"padding\":{\"strategy\":\"Longest\"}", "padding:", INOX_E_FORMAT },
        { "\"model\":{", "\"modell\":{", "the file has no \"model\"", INOX_E_FORMAT },
        { "\"added_tokens\":[", "\"added_tokens\":[[", "tokenizer.json is not good JSON",
          INOX_E_FORMAT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[2048];
        const char *at = strstr(small_file, cases[i].from);
        ix_tokenizer *tokenizer = NULL;
        inox_error err = { 0 };
        CHECK(at != NULL);
        if (!at)
            continue;
        (void)snprintf(json, sizeof json, "%.*s%s%s", (int)(at - small_file), small_file,
                       cases[i].to, at + strlen(cases[i].from));
        inox_status status = make(json, NULL, &tokenizer, &err);
        CHECK_MSG(status == cases[i].status && !tokenizer, "%s: status %d, %s", cases[i].to,
                  (int)status, err.message);
        CHECK_MSG(strncmp(err.message, cases[i].says, strlen(cases[i].says)) == 0, "%s: %s",
                  cases[i].to, err.message);
        ix_tokenizer_free(tokenizer);
    }
}

TEST(tokenizers_neighbours_name_tokens)
{
    static const char config[] =
        "{\"bos_token\":\"a\",\"eos_token\":{\"content\":\"<e>\",\"lstrip\":true},"
        "\"added_tokens_decoder\":{\"12\":{\"content\":\"late\",\"special\":true},"
        "\"2\":{\"content\":\"early\",\"special\":false},\"5\":{\"content\":\"<s>\"}},"
        "\"pad_token\":null,\"chat_template\":\"{{ x }}\"}";
    ix_tokenizer *tokenizer = NULL;
    inox_error err;
    CHECK_OK(make(small_file, config, &tokenizer, &err), &err);
    if (!tokenizer)
        return;
    /* Behind the model's seven pieces: <s>, tok, <S>, and then in the order of transformers. */
    CHECK(ix_tokenizer_find(tokenizer, "early", 5) == 10);
    CHECK(ix_tokenizer_find(tokenizer, "late", 4) == 11);
    CHECK(ix_tokenizer_find(tokenizer, "<e>", 3) == 12);
    CHECK(ix_tokenizer_bos(tokenizer) == 1 && ix_tokenizer_eos(tokenizer) == 12);
    CHECK(ix_tokenizer_type(tokenizer, 11) == IX_PIECE_CONTROL);
    CHECK(ix_tokenizer_type(tokenizer, 10) == IX_PIECE_USER);
    CHECK(ix_tokenizer_is_end(tokenizer, 12) && !ix_tokenizer_is_end(tokenizer, 10));
    ix_tokenizer_free(tokenizer);
}

static inox_status use_all(const char *json, inox_error *err)
{
    ix_tokenizer *tokenizer = NULL;
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    ix_truncation cut = { .max_length = 9, .stride = 1 };
    ix_padding pad = { .is_fixed = true, .fixed = 9 };
    ix_encode_input in = { .first = { .text = { "a <s> \xEF\xBC\x9C tok b", 15 } },
                           .second = { .text = { "b a a b \xFF", 9 } },
                           .is_pair = true };
    ix_encoding e = { 0 };
    ix_buffer b = { 0 };
    o.special = o.parse_special = true;
    o.truncation = &cut;
    o.padding = &pad;
    inox_status status = make(json, NULL, &tokenizer, err);
    if (status == INOX_OK)
        status = ix_encode(tokenizer, &in, &o, &e, err);
    if (status == INOX_OK)
        status = ix_tokenizer_decode(tokenizer, e.ids, e.count, 0, &b, err);
    ix_encoding_release(&e);
    ix_buffer_release(&b);
    ix_tokenizer_free(tokenizer);
    return status;
}

TEST(tokenizers_survive_failing_allocations)
{
    inox_error err;
    uint64_t before = ix_alloc_count();
    CHECK_OK(use_all(small_file, &err), &err);
    uint64_t count = ix_alloc_count() - before;
    for (uint64_t n = 1; n <= count; n++) {
        ix_alloc_fail_at(n, (int)(n & 1));
        inox_status status = use_all(small_file, &err);
        ix_alloc_fail_at(0, 0);
        CHECK_MSG(status == INOX_E_MEMORY, "allocation %d of %d: status %d", (int)n, (int)count,
                  (int)status);
    }
}
