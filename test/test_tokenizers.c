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

/* Every record of a file. */
static void check_records(ix_test *t, const char *tokenizer_path, const char *records_path,
                          bool as_shipped)
{
    size_t size;
    char *bytes = read_whole(records_path, &size), *next;
    run r = { .t = t, .where = records_path };
    CHECK_MSG(bytes != NULL, "%s cannot be read", records_path);
    ix_tokenizer *tokenizer = bytes ? open_json(t, tokenizer_path) : NULL;
    r.tokenizer = tokenizer;
    for (char *line = bytes; tokenizer && line < bytes + size; line = next + 1) {
        json_error_t error;
        next = memchr(line, '\n', (size_t)(bytes + size - line));
        if (!next)
            next = bytes + size;
        json_t *record = json_loadb(line, (size_t)(next - line), JSON_ALLOW_NUL, &error);
        r.records++;
        r.record = record;
        CHECK_MSG(record != NULL, "%s:%d: %s", records_path, (int)r.records, error.text);
        if (record && json_object_get(record, "batch"))
            check_batch(&r, as_shipped);
        else if (record)
            check_record(&r, as_shipped);
        json_decref(record);
    }
    if (r.failures > 0)
        (void)printf("        %s: %d of %d records differ\n", records_path, (int)r.failures,
                     (int)r.records);
    free(bytes);
    free(r.words);
    ix_buffer_release(&r.text);
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

TEST(tokenizers_given)
{
    const char *path = getenv("INOX_TOKENIZER_CASES");
    if (!path)
        SKIP("INOX_TOKENIZER_CASES names no directory");
    check_directory(t, path);
}
