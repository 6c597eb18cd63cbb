/* Tokenizers from files of other libraries, against those libraries: small vocabularies that are
 * committed (make_file_goldens.py), the larger ones of ../shared where they are, and what no
 * library answers: bad files, detection, special tokens inside somebody else's words. */
#include "test.h"

#include "base/alloc.h"
#include "base/os.h"
#include "llm/model.h"
#include "text/file/base64.h"
#include "text/file/formats.h"
#include "text/file/known.h"
#include "text/file/protobuf.h"

#include <jansson.h>

/* ---- goldens ------------------------------------------------------------------------------- */

typedef struct golden_run {
    ix_test *t;
    const ix_tokenizer *tokenizer;
    const char *name;
    size_t records, decoded, offsets, skipped;
    bool decode_special; /* the library writes special tokens out */
} golden_run;

/* The bytes of a record's input, to be freed; NULL: it has none. */
static char *input_of(const json_t *record, size_t *size)
{
    const json_t *parts = json_object_get(record, "parts"), *text = json_object_get(record, "text");
    const char *hex = json_string_value(json_object_get(record, "hex"));
    ix_buffer b = { 0 };
    hex = hex ? hex : json_string_value(json_object_get(record, "bytes_hex"));
    *size = 0;
    if (!parts && !text && !hex)
        return NULL;
    inox_status status = ix_buffer_append(&b, "", 0, NULL);
    if (text && status == INOX_OK)
        status = ix_buffer_append(&b, json_string_value(text), json_string_length(text), NULL);
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i), *unit = json_array_get(part, 0);
        json_int_t n = json_integer_value(json_array_get(part, 1));
        for (; n > 0 && status == INOX_OK; n--)
            status = ix_buffer_append(&b, json_string_value(unit), json_string_length(unit), NULL);
    }
    for (; hex && hex[0] && hex[1] && status == INOX_OK; hex += 2) {
        char digits[3] = { hex[0], hex[1], 0 }, byte = (char)strtol(digits, NULL, 16);
        status = ix_buffer_append(&b, &byte, 1, NULL);
    }
    *size = b.size;
    return b.data;
}

static bool same_offsets(const inox_tokens *got, const json_t *want)
{
    for (size_t i = 0; i < got->count; i++) {
        const json_t *pair = json_array_get(want, i);
        if (got->starts[i] != json_integer_value(json_array_get(pair, 0)) ||
            got->ends[i] != json_integer_value(json_array_get(pair, 1)))
            return false;
    }
    return got->count == json_array_size(want);
}

static bool same_ids(const inox_tokens *got, const json_t *want)
{
    bool same = got->count == json_array_size(want);
    for (size_t i = 0; same && i < got->count; i++)
        same = got->ids[i] == json_integer_value(json_array_get(want, i));
    return same;
}

static void check_encoding(golden_run *run, const json_t *record, const char *text, size_t size)
{
    ix_test *t = run->t;
    inox_tokens tokens;
    inox_error err;
    const json_t *offsets = json_object_get(record, "offsets");
    bool parse = json_is_true(json_object_get(record, "parse_special"));
    bool special = json_is_true(json_object_get(record, "special"));
    unsigned flags =
        (special ? INOX_TOKENIZE_SPECIAL : 0u) | (parse ? INOX_TOKENIZE_PARSE_SPECIAL : 0u);
    inox_status status = ix_tokenizer_encode(run->tokenizer, text, size, flags, &tokens, &err);
    CHECK_OK(status, &err);
    bool same = same_ids(&tokens, json_object_get(record, "ids"));
    bool placed = !offsets || same_offsets(&tokens, offsets);
    run->offsets += offsets != NULL;
    CHECK_MSG(same && placed, "%s: %s of '%.60s' (record %zu) differ", run->name,
              same ? "offsets" : "ids", text, run->records);
    ix_tokens_release(&tokens);
}

static void check_decoding(golden_run *run, const json_t *record, const char *want)
{
    ix_test *t = run->t;
    const json_t *ids = json_object_get(record, "ids");
    size_t count = json_array_size(ids);
    int32_t *list = calloc(count + 1, sizeof *list);
    ix_buffer whole = { 0 }, stream = { 0 };
    ix_decoder d;
    inox_error err;
    unsigned flags = run->decode_special ? IX_DECODE_SPECIAL : 0;
    for (size_t i = 0; i < count; i++)
        list[i] = (int32_t)json_integer_value(json_array_get(ids, i));
    CHECK_OK(ix_tokenizer_decode(run->tokenizer, list, count, flags, &whole, &err), &err);
    ix_decoder_init(&d, run->tokenizer, flags);
    for (size_t i = 0; i < count; i++)
        CHECK_OK(ix_decoder_push(&d, list[i], &stream, &err), &err);
    CHECK_OK(ix_decoder_flush(&d, &stream, &err), &err);
    ix_decoder_clear(&d);
    size_t size = json_string_length(json_object_get(record, "decoded"));
    CHECK_MSG(whole.size == size && (size == 0 || memcmp(whole.data, want, size) == 0),
              "%s: record %zu decodes to '%.80s', not '%.80s'", run->name, run->records,
              whole.data ? whole.data : "", want);
    CHECK_MSG(stream.size == whole.size &&
                  (size == 0 || memcmp(stream.data, whole.data, whole.size) == 0),
              "%s: record %zu decodes to something else token by token", run->name, run->records);
    ix_buffer_release(&whole);
    ix_buffer_release(&stream);
    free(list);
    run->decoded++;
}

/* False where the file is not there. */
static bool run_goldens(golden_run *run, const char *path)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    json_t *record;
    if (!f)
        return false;
    while ((record = json_loadf(f, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL))) {
        size_t size;
        char *text = input_of(record, &size);
        const char *decoded = json_string_value(json_object_get(record, "decoded"));
        if (!json_object_get(record, "ids"))
            run->skipped++;
        else if (text)
            check_encoding(run, record, text, size);
        if (decoded)
            check_decoding(run, record, decoded);
        run->records++;
        ix_buffer_release(&(ix_buffer){ .data = text });
        json_decref(record);
    }
    fclose(f);
    return true;
}

static void check_file(ix_test *t, const char *vocabulary, const char *goldens, const char *name)
{
    ix_tokenizer *tokenizer = NULL;
    inox_error err;
    golden_run run = { .t = t, .name = name };
    run.decode_special = strstr(name, "tiktoken") != NULL;
    CHECK_OK(ix_tokenizer_open(vocabulary, NULL, &tokenizer, &err), &err);
    run.tokenizer = tokenizer;
    if (!tokenizer)
        return;
    CHECK_MSG(run_goldens(&run, goldens) && run.records > 0, "%s: no goldens", name);
    ix_tokenizer_free(tokenizer);
}

TEST(text_files_goldens)
{
    static const char *const names[] = { "bpe-bytes.model",
                                         "bpe-unused.model",
                                         "unigram-rules.model",
                                         "unigram-users.model",
                                         "unigram-bytes.model",
                                         "word-bytes.model",
                                         "char-spaces.model",
                                         "small.tiktoken",
                                         "small-tekken.json",
                                         "bert",
                                         "gpt2",
                                         "roberta",
                                         "qwen2",
                                         "clip",
                                         "mpnet" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[80], goldens[80];
        (void)snprintf(path, sizeof path, "data/files/%s", names[i]);
        (void)snprintf(goldens, sizeof goldens, "data/files/%s.jsonl", names[i]);
        check_file(t, ix_test_file(path), ix_test_file(goldens), names[i]);
    }
}

/* The bytes of a file below test/, to be freed with ix_free. */
static ix_text_view load(ix_test *t, const char *relative)
{
    char *data = NULL;
    size_t size = 0;
    inox_error err;
    CHECK_OK(ix_file_read(ix_test_file(relative), 1 << 24, &data, &size, &err), &err);
    return (ix_text_view){ data, size };
}

static ix_text_view view(const char *s)
{
    return (ix_text_view){ s, strlen(s) };
}

/* The same ranks with an expression that leaves text out, which then has no tokens. */
TEST(text_files_tiktoken_gaps)
{
    ix_text_view ranks = load(t, "data/files/small.tiktoken");
    ix_text_view settings = load(t, "data/files/tiktoken.json");
    ix_tokenizer *tokenizer = NULL;
    inox_error err;
    golden_run run = { .t = t, .name = "gaps.tiktoken", .decode_special = true };
    CHECK_OK(ix_tokenizer_from_tiktoken(ranks, settings, "gaps.tiktoken", NULL, &tokenizer, &err),
             &err);
    run.tokenizer = tokenizer;
    CHECK(run_goldens(&run, ix_test_file("data/files/gaps.tiktoken.jsonl")));
    ix_tokenizer_free(tokenizer);
    ix_free((char *)settings.data);
    ix_free((char *)ranks.data);
}

TEST(text_files_bert_settings)
{
    ix_text_view words = load(t, "data/files/bert/vocab.txt"), none = { NULL, 0 };
    ix_tokenizer *tokenizer = NULL;
    inox_error err;
    golden_run run = { .t = t, .name = "bert-cased" };
    CHECK_OK(ix_tokenizer_from_vocab_txt(
                 words, view("{\"do_lower_case\": false, \"tokenize_chinese_chars\": false}"), none,
                 &tokenizer, &err),
             &err);
    run.tokenizer = tokenizer;
    CHECK(run_goldens(&run, ix_test_file("data/files/bert-cased.jsonl")));
    ix_tokenizer_free(tokenizer);
    ix_free((char *)words.data);
}

/* What tokenizer_config.json says of the class decides; without it the vocabulary shows RoBERTa and
 * CLIP. */
TEST(text_files_classes)
{
    static const char *const folders[] = { "roberta", "clip" };
    ix_text_view none = { NULL, 0 };
    ix_tokenizer *tokenizer = NULL;
    inox_error err;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[80];
        golden_run run = { .t = t, .name = folders[i] };
        (void)snprintf(path, sizeof path, "data/files/%s/vocab.json", folders[i]);
        ix_text_view vocab = load(t, path);
        (void)snprintf(path, sizeof path, "data/files/%s/merges.txt", folders[i]);
        ix_text_view merges = load(t, path);
        CHECK_OK(ix_tokenizer_from_vocab_json(vocab, merges, none, none, &tokenizer, &err), &err);
        run.tokenizer = tokenizer;
        (void)snprintf(path, sizeof path, "data/files/%s.jsonl", folders[i]);
        CHECK(tokenizer && run_goldens(&run, ix_test_file(path)));
        ix_tokenizer_free(tokenizer);
        CHECK(ix_tokenizer_from_vocab_json(vocab, merges,
                                           view("{\"tokenizer_class\": \"WhisperTokenizer\"}"),
                                           none, &tokenizer, &err) == INOX_E_UNSUPPORTED &&
              !tokenizer && strstr(err.message, "WhisperTokenizer"));
        ix_free((char *)vocab.data);
        ix_free((char *)merges.data);
    }
    CHECK(ix_tokenizer_from_vocab_txt(view("[UNK]\n[CLS]\na\n"),
                                      view("{\"tokenizer_class\": \"BertJapaneseTokenizer\"}"),
                                      none, &tokenizer, &err) == INOX_E_UNSUPPORTED &&
          !tokenizer);
}

TEST(text_files_shared)
{
    static const char *const real[] = { "mistral_v1.model", "mistral_v3.model", "gpt2.tiktoken",
                                        "llama3.tiktoken", "tekken_32768.json" };
    static const char *const small[] = { "sp-bpe-byte-fallback",
                                         "sp-bpe-no-dummy-prefix",
                                         "sp-char",
                                         "sp-unigram-byte-fallback",
                                         "sp-unigram-nmt-nfkc",
                                         "sp-unigram-suffix",
                                         "sp-unigram-symbols",
                                         "sp-word" };
    char path[128], goldens[128];
    if (!ix_test_shared("data/tokenizers/goldens"))
        SKIP("no ../shared/data/tokenizers");
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        (void)snprintf(path, sizeof path, "data/tokenizers/real/%s", real[i]);
        (void)snprintf(goldens, sizeof goldens, "data/tokenizers/goldens/%s.jsonl", real[i]);
        check_file(t, ix_test_shared(path), ix_test_shared(goldens), real[i]);
    }
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        (void)snprintf(path, sizeof path, "data/tokenizers/sentencepiece/%s.model", small[i]);
        (void)snprintf(goldens, sizeof goldens, "data/tokenizers/goldens/%s.jsonl", small[i]);
        check_file(t, ix_test_shared(path), ix_test_shared(goldens), small[i]);
    }
}

/* ---- detection and bad files ----------------------------------------------------------------- */

TEST(text_files_detect)
{
    static const struct {
        const char *bytes;
        size_t size;
        ix_tokenizer_format format;
    } cases[] = {
        { "", 0, IX_FORMAT_UNKNOWN },
        { "GGUF\3\0\0\0", 8, IX_FORMAT_GGUF },
        { "IQ== 0\nIg== 1\n", 14, IX_FORMAT_TIKTOKEN },
        { "IQ== 0", 6, IX_FORMAT_TIKTOKEN },
        { "IQ=== 0\n", 8, IX_FORMAT_UNKNOWN },
        { "{\"a\":[{\"model\":{}}],\"model\":{}}", 31, IX_FORMAT_TOKENIZER_JSON },
        { "{\"a\\\"}\":\"]\\\\\" , \"model\" : {", 27, IX_FORMAT_TOKENIZER_JSON },
        { "{\"model\":\"x\"}", 13, IX_FORMAT_UNKNOWN },
        { "{\"config\":{},\"vocab\":[]}", 24, IX_FORMAT_TEKKEN },
        { "{\"a\":0,\"b\":1}", 13, IX_FORMAT_VOCAB_JSON },
        { "{\"a\":0,\"b\":\"x\"}", 15, IX_FORMAT_UNKNOWN },
        { "{}", 2, IX_FORMAT_UNKNOWN },
        { "\n\x06\n\x01"
          "a\x18\x02",
          7, IX_FORMAT_UNKNOWN },
        { "\n\x05\n\x01"
          "a\x18\x02",
          7, IX_FORMAT_SENTENCEPIECE },
        { "[PAD]\r\n[UNK]\r\nthe\r\n", 19, IX_FORMAT_VOCAB_TXT },
        { "just some words\n", 16, IX_FORMAT_UNKNOWN },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ix_tokenizer_format got = ix_tokenizer_detect(cases[i].bytes, cases[i].size);
        CHECK_MSG(got == cases[i].format, "case %zu is %s, not %s", i,
                  ix_tokenizer_format_name(got), ix_tokenizer_format_name(cases[i].format));
    }
}

static void expect_failure(ix_test *t, const char *data, size_t size, const char *words)
{
    ix_tokenizer *tokenizer = NULL;
    inox_error err = { 0 };
    inox_status status = ix_tokenizer_read(data, size, NULL, &tokenizer, &err);
    CHECK_MSG(status != INOX_OK && !tokenizer && strstr(err.message, words), "'%s' has no '%s'",
              err.message, words);
    ix_tokenizer_free(tokenizer);
}

TEST(text_files_refused)
{
    expect_failure(t, "IQ== 0\nIg== 1\n", 14, "--pattern");
    expect_failure(t, "IQ== 0\nIg==\n", 12, "line 2");
    expect_failure(t, "IQ== 0\nI*== 1\n", 14, "not base64");
    expect_failure(t, "IQ== 0\nIg== 0\n", 14, "rank 0");
    expect_failure(t, "IQ== 0\nIg== 99999999\n", 21, "rank 99999999");
    expect_failure(t, "words\n", 6, "no tokenizer");
    expect_failure(t, "GGUF\3\0\0\0", 8, "GGUF");
    expect_failure(t, "\n\x05\n\x01?\x18\x01", 7, "unknown");
    expect_failure(t, "\n\x02\n\0\n\x05\n\x01?\x18\x02", 11, "empty");
    expect_failure(t, "\n\x05\n\x01?\x18\x02\n\x05\n\x01!\x18\x02", 14, "both");
    expect_failure(t, "\n\x05\n\x01?\x18\x02\n\x03\n\x01!\n\x03\n\x01!", 17, "equal");
    expect_failure(t, "\n\x05\n\x01?\x18\x02\n\x0A\n\x06<0x41>\x18\x06", 19, "byte fallback");
    expect_failure(t, "{\"config\":{\"pattern\":\"a\",\"version\":\"v9\"},\"vocab\":[]}", 52, "v9");
    expect_failure(t, "{\"a\":0,\"b\":1}", 13, "merges");
}

TEST(text_files_base64)
{
    char out[16];
    size_t n;
    CHECK(ix_base64_decode("aGVsbG8=", 8, out, &n) && n == 5 && memcmp(out, "hello", 5) == 0);
    CHECK(ix_base64_decode("/+8=", 4, out, &n) && n == 2 && memcmp(out, "\xFF\xEF", 2) == 0);
    CHECK(ix_base64_decode("", 0, out, &n) && n == 0);
    CHECK(!ix_base64_decode("aGVsbG8", 7, out, &n));
    CHECK(!ix_base64_decode("aGVsbG9=", 8, out, &n)); /* a bit of no byte */
    CHECK(!ix_base64_decode("aG==bG8=", 8, out, &n));
    CHECK(!ix_base64_decode("====", 4, out, &n));
}

/* The table of published files: every number in its place. */
TEST(text_files_known)
{
    for (size_t i = 0; ix_known_ranks_at(i); i++) {
        const ix_known_ranks *k = ix_known_ranks_at(i);
        uint8_t hash[IX_SHA256_BYTES];
        CHECK(strlen(k->sha256) == 64);
        for (int b = 0; b < IX_SHA256_BYTES; b++) {
            char digits[3] = { k->sha256[b * 2], k->sha256[b * 2 + 1], 0 };
            hash[b] = (uint8_t)strtol(digits, NULL, 16);
        }
        CHECK(ix_known_ranks_find(hash) == k);
        int32_t last = -1;
        for (const ix_known_special *s = k->specials; s->head; s++) {
            CHECK_MSG(s->id > last, "%s: %s", k->name, s->head);
            last = s->id + (s->count > 0 ? s->count - 1 : 0);
        }
    }
}

/* ---- special tokens ------------------------------------------------------------------------ */

/* No token of a text that somebody else wrote is special, in every family. */
static void check_plain(ix_test *t, const char *file, const char *spelling)
{
    ix_tokenizer *tokenizer = NULL;
    ix_encoding e = { 0 };
    inox_error err;
    char text[64];
    CHECK_OK(ix_tokenizer_open(ix_test_file(file), NULL, &tokenizer, &err), &err);
    if (!tokenizer)
        return;
    int n = snprintf(text, sizeof text, "%s a%s", spelling, spelling);
    size_t size = (size_t)n, first = strlen(spelling);
    int32_t id = ix_tokenizer_find(tokenizer, spelling, first);
    ix_range plain = { first + 3, first + 4 };
    ix_encode_input in = { .first = { .text = { text, size } } };
    ix_encode_options options = IX_ENCODE_OPTIONS_INIT;
    options.parse_special = true;
    for (int with = 0; with < 2; with++) {
        size_t special = 0;
        in.first.plain = &plain;
        in.first.plain_count = with ? 1 : 0;
        CHECK_OK(ix_encode(tokenizer, &in, &options, &e, &err), &err);
        for (size_t i = 0; i < e.count; i++)
            special += e.ids[i] == id;
        CHECK_MSG(id >= 0 && special == (with ? 1u : 2u), "%s: %zu special tokens", file, special);
        ix_encoding_release(&e);
    }
    ix_tokenizer_free(tokenizer);
}

TEST(text_files_plain)
{
    check_plain(t, "data/files/bpe-bytes.model", "</s>");
    check_plain(t, "data/files/unigram-users.model", "<cls>");
    check_plain(t, "data/files/word-bytes.model", "<s>");
    check_plain(t, "data/files/small.tiktoken", "<|end|>");
    check_plain(t, "data/files/small-tekken.json", "[INST]");
    check_plain(t, "data/files/bert", "[SEP]");
}

/* ---- streams ------------------------------------------------------------------------------- */

/* A text in chunks has the tokens of the whole. */
static void check_stream(ix_test *t, const char *file, const char *text, size_t size, bool bounded)
{
    ix_tokenizer *tokenizer = NULL;
    ix_encode_stream *stream = NULL;
    inox_tokens whole;
    inox_error err;
    ix_encoding part = { 0 };
    ix_encode_options options = IX_ENCODE_OPTIONS_INIT;
    uint64_t random = 5;
    size_t done = 0, most = 0;
    bool same = true;
    CHECK_OK(ix_tokenizer_open(ix_test_file(file), NULL, &tokenizer, &err), &err);
    if (!tokenizer)
        return;
    CHECK_OK(ix_tokenizer_encode(tokenizer, text, size, 0, &whole, &err), &err);
    CHECK_OK(ix_encode_stream_new(tokenizer, &options, &stream, &err), &err);
    CHECK(stream && ix_encode_stream_bounded(stream) == bounded);
    for (size_t at = 0; stream && at <= size;) {
        size_t n = (size_t)(ix_test_random(&random) % 3000);
        bool end = at + n >= size;
        n = end ? size - at : n;
        inox_status status = ix_encode_stream_push(stream, text + at, n, &part, &err);
        for (int k = 0; k < (end ? 2 : 1) && status == INOX_OK; k++) {
            if (k == 1)
                status = ix_encode_stream_end(stream, &part, &err);
            uint64_t base = ix_encode_stream_base(stream);
            most = part.count > most ? part.count : most;
            for (size_t i = 0; i < part.count && status == INOX_OK; i++, done++)
                same = same && done < whole.count && part.ids[i] == whole.ids[done] &&
                       base + part.starts[i] == whole.starts[done] &&
                       base + part.ends[i] == whole.ends[done];
        }
        CHECK_OK(status, &err);
        at = end ? size + 1 : at + n;
    }
    CHECK_MSG(same && done == whole.count, "%s: %zu of %zu tokens, %s", file, done, whole.count,
              same ? "the same" : "others");
    CHECK_MSG(!bounded || most < whole.count / 2, "%s: %zu of %zu tokens at once", file, most,
              whole.count);
    ix_encoding_release(&part);
    ix_tokens_release(&whole);
    ix_encode_stream_free(stream);
    ix_tokenizer_free(tokenizer);
}

TEST(text_files_streams)
{
    static const char sentence[] = "The quick brown fox, don't  jumps 12 caf\xC3\xA9 \xE5\x90\xBE "
                                   "<sep> of \n the lazy dog's \xF0\x9F\x99\x82 ... ab abc ";
    enum { COPIES = 800 };
    size_t size = (sizeof sentence - 1) * COPIES;
    char *text = calloc(size + 1, 1);
    for (size_t i = 0; i < COPIES; i++)
        memcpy(text + i * (sizeof sentence - 1), sentence, sizeof sentence - 1);
    check_stream(t, "data/files/small.tiktoken", text, size, true);
    check_stream(t, "data/files/small-tekken.json", text, size, true);
    check_stream(t, "data/files/bpe-bytes.model", text, size, true);
    check_stream(t, "data/files/bpe-unused.model", text, size, false);
    check_stream(t, "data/files/unigram-rules.model", text, size, false);
    check_stream(t, "data/files/word-bytes.model", text, size, false);
    text[size - 30] = (char)0xFF; /* what is held back after that is not certain before the end */
    check_stream(t, "data/files/small.tiktoken", text, size, true);
    check_stream(t, "data/files/bpe-bytes.model", text, size, true);
    free(text);
}

/* ---- failing allocations: an error, no crash, no leak, nothing handed out -------------------- */

static inox_status use_file(ix_text_view file, ix_text_view settings, inox_error *err)
{
    static const char text[] = "The <s>quick caf\xC3\xA9  \xFF brown </s>fox ... abc";
    ix_tokenizer *tokenizer = NULL;
    inox_tokens tokens = { 0 };
    ix_buffer b = { 0 };
    bool tiktoken = ix_tokenizer_detect(file.data, file.size) == IX_FORMAT_TIKTOKEN;
    inox_status status = tiktoken ? ix_tokenizer_from_tiktoken(file, settings, "small.tiktoken",
                                                               NULL, &tokenizer, err)
                                  : ix_tokenizer_read(file.data, file.size, NULL, &tokenizer, err);
    if (status == INOX_OK)
        status = ix_tokenizer_encode(tokenizer, text, sizeof text - 1, 3, &tokens, err);
    if (status == INOX_OK)
        status = ix_tokenizer_decode(tokenizer, tokens.ids, tokens.count, 0, &b, err);
    ix_buffer_release(&b);
    ix_tokens_release(&tokens);
    ix_tokenizer_free(tokenizer);
    return status;
}

/* Every allocation fails once, until the file is used without one. */
static void survives_failing_allocations(ix_test *t, const char *name, ix_text_view file,
                                         ix_text_view settings)
{
    inox_error err = { 0 };
    inox_status status = INOX_E_MEMORY;
    uint64_t n = 1;
    for (; n < 20000 && status != INOX_OK; n++) {
        ix_alloc_fail_at(n, 1);
        status = use_file(file, settings, &err);
        ix_alloc_fail_at(0, 0);
    }
    CHECK_MSG(status == INOX_OK && n > 20, "%s: %s after %llu", name, err.message,
              (unsigned long long)n);
}

TEST(text_files_survive_failing_allocations)
{
    static const char *const names[] = { "bpe-unused.model",  "unigram-rules.model",
                                         "word-bytes.model",  "small.tiktoken",
                                         "small-tekken.json", "bert/vocab.txt" };
    ix_text_view settings = load(t, "data/files/tiktoken.json");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[80];
        (void)snprintf(path, sizeof path, "data/files/%s", names[i]);
        ix_text_view file = load(t, path);
        survives_failing_allocations(t, names[i], file, settings);
        ix_free((char *)file.data);
    }
    ix_free((char *)settings.data);
}

/* U+0000 in keys, which the JSON parser refuses: read another way. */
TEST(text_files_null_in_keys)
{
#define NULL_KEYS(piece)                                                                           \
    "{\"version\":\"1.0\",\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"type\":\"BPE\",\"merges\":" \
    "[[\"a\",\"\\u0000\"]],\"vocab\":{\"a\":0,\"\\u0000\":1,\"a\\u0000\" "                         \
    ":2,\"\\\\u0000\":3,\"" piece "\":4}}}"
    static const char good[] = NULL_KEYS("b"), bad[] = NULL_KEYS("\xF4\x8F\xBF\xBF"),
                      escaped[] = NULL_KEYS("\\uDBFF\\udfff");
    static const int32_t want[] = { 2, 4, 1 };
    ix_tokenizer *tokenizer = NULL;
    inox_tokens tokens = { 0 };
    ix_buffer text = { 0 };
    inox_error err = { 0 };
    CHECK_OK(ix_tokenizer_read(good, sizeof good - 1, NULL, &tokenizer, &err), &err);
    CHECK_OK(ix_tokenizer_encode(tokenizer, "a\0b\0", 4, 0, &tokens, &err), &err);
    CHECK(tokens.count == 3 && memcmp(tokens.ids, want, sizeof want) == 0);
    CHECK_OK(ix_tokenizer_decode(tokenizer, (int32_t[]){ 3, 2 }, 2, 0, &text, &err), &err);
    CHECK(text.size == 8 && memcmp(text.data, "\\u0000a\0", 8) == 0);
    ix_buffer_release(&text);
    ix_tokens_release(&tokens);
    ix_tokenizer_free(tokenizer);
    expect_failure(t, bad, sizeof bad - 1, "NUL");
    expect_failure(t, escaped, sizeof escaped - 1, "NUL");
    expect_failure(t, good, sizeof good - 3, "JSON");
    survives_failing_allocations(t, "U+0000 in keys", (ix_text_view){ good, sizeof good - 1 },
                                 (ix_text_view){ "", 0 });
}

/* ---- GGUF's WordPiece and Unigram ---------------------------------------------------------- */

/* Bytes above U+10FFFF, which end llama.cpp, and others that are no UTF-8. */
TEST(text_files_gguf_kinds)
{
    static const char *const bert[] = { "[PAD]",
                                        "[UNK]",
                                        "[CLS]",
                                        "[SEP]",
                                        "[MASK]",
                                        "\xE2\x96\x81the",
                                        "s",
                                        ("\xE2\x96\x81"
                                         "a"),
                                        "\xE2\x96\x81/" };
    static const char *const unigram[] = { "<pad>",        "</s>", "<unk>", "\xE2\x96\x81the",
                                           "\xE2\x96\x81", "s",    "the" };
    static const float scores[] = { 0, 0, 0, -1, -2, -3, -4 };
    static const int32_t types[] = { 3, 3, 2, 1, 1, 1, 1 };
    static const struct {
        const char *text;
        int32_t bert[6], unigram[6];
    } cases[] = {
        { "thes THE", { 2, 5, 6, 5, 3, -1 }, { 3, 5, 4, 2, 1, -1 } },
        { "\xF4\x90\x80\x80", { 2, 3, -1 }, { 4, 2, 1, -1 } },
        { "a\xC0\xAF", { 2, 7, 8, 3, -1 }, { 4, 2, 1, -1 } }, /* an overlong '/' */
        { "[MASK]the", { 2, 4, 5, 3, -1 }, { 4, 2, 6, 1, -1 } },
    };
    ix_text_view pieces[2][9];
    for (int i = 0; i < 9; i++) {
        pieces[0][i] = view(bert[i]);
        pieces[1][i] = view(unigram[i < 7 ? i : 0]);
    }
    for (int kind = 0; kind < 2; kind++) {
        ix_vocab_source s = IX_VOCAB_SOURCE_INIT;
        ix_tokenizer *tokenizer = NULL;
        inox_error err;
        s.model = kind == 0 ? "bert" : "t5";
        s.count = kind == 0 ? 9 : 7;
        s.pieces = pieces[kind];
        s.scores = kind == 0 ? NULL : scores;
        s.types = kind == 0 ? NULL : types;
        CHECK_OK(ix_tokenizer_new(&s, &tokenizer, &err), &err);
        for (size_t c = 0; tokenizer && c < sizeof cases / sizeof *cases; c++) {
            const int32_t *want = kind == 0 ? cases[c].bert : cases[c].unigram;
            const char *text = cases[c].text;
            inox_tokens got;
            CHECK_OK(ix_tokenizer_encode(tokenizer, text, strlen(text), 3, &got, &err), &err);
            size_t n = 0;
            while (n < got.count && want[n] == got.ids[n])
                n++;
            CHECK_MSG(n == got.count && want[n] < 0, "%s: case %zu differs at token %zu", s.model,
                      c, n);
            for (size_t i = 0; i < got.count; i++)
                CHECK(got.starts[i] <= got.ends[i] && got.ends[i] <= strlen(text));
            ix_tokens_release(&got);
        }
        ix_text_view last = tokenizer ? ix_tokenizer_piece(tokenizer, 5) : view("");
        CHECK(last.size == pieces[kind][5].size);
        ix_tokenizer_free(tokenizer);
        s.count = 0;
        CHECK(ix_tokenizer_new(&s, &tokenizer, &err) == INOX_E_FORMAT && !tokenizer);
    }
}
