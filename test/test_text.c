/* Tokenizers against the field's own: small vocabularies that are committed (make_text_goldens.py),
 * the GGUF vocabularies of ../shared where they are, and what no oracle answers: bad vocabularies,
 * streaming, long words. */
#include "test.h"

#include "base/alloc.h"
#include "base/os.h"
#include "llm/model.h"
#include "text/pretokenize.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

#include <jansson.h>

/* ---- helpers ------------------------------------------------------------------------------- */

static ix_text_view view(const char *s)
{
    return (ix_text_view){ s, strlen(s) };
}

static ix_text_view json_view(const json_t *j)
{
    return (ix_text_view){ json_string_value(j), json_string_length(j) };
}

static ix_text_view *json_views(const json_t *array, size_t *count)
{
    *count = json_array_size(array);
    ix_text_view *v = calloc(*count + 1, sizeof *v);
    for (size_t i = 0; v && i < *count; i++)
        v[i] = json_view(json_array_get(array, i));
    return v;
}

/* A vocabulary of make_text_goldens.py.  *json holds the pieces' bytes. */
static ix_tokenizer *load_json(ix_test *t, const char *name, json_t **json)
{
    char path[64];
    inox_error err;
    ix_tokenizer *tokenizer = NULL;
    ix_vocab_source s = IX_VOCAB_SOURCE_INIT;
    (void)snprintf(path, sizeof path, "data/text/%s.json", name);
    json_t *j = *json = json_load_file(ix_test_file(path), JSON_ALLOW_NUL, NULL);
    CHECK_MSG(j != NULL, "%s does not load", path);
    if (!j)
        return NULL;
    s.model = json_string_value(json_object_get(j, "model"));
    s.pre = json_string_value(json_object_get(j, "pre"));
    ix_text_view *pieces = json_views(json_object_get(j, "tokens"), &s.count);
    ix_text_view *merges = json_views(json_object_get(j, "merges"), &s.merge_count);
    float *scores = calloc(s.count + 1, sizeof *scores);
    int32_t *types = calloc(s.count + 1, sizeof *types);
    json_t *given = json_object_get(j, "scores"), *kinds = json_object_get(j, "types"), *flag;
    for (size_t i = 0; i < s.count; i++) {
        scores[i] = (float)json_number_value(json_array_get(given, i));
        types[i] = (int32_t)json_integer_value(json_array_get(kinds, i));
    }
    if ((flag = json_object_get(j, "add_space_prefix")))
        s.add_space_prefix = (int8_t)json_integer_value(flag);
    if ((flag = json_object_get(j, "remove_extra_whitespaces")))
        s.remove_extra_whitespaces = (int8_t)json_integer_value(flag);
    if ((flag = json_object_get(j, "unknown")))
        s.unknown = json_integer_value(flag);
    s.pieces = pieces;
    s.scores = scores;
    s.types = types;
    s.merges = json_object_get(j, "merges") ? merges : NULL;
    CHECK_OK(ix_tokenizer_new(&s, &tokenizer, &err), &err);
    free(pieces);
    free(merges);
    free(scores);
    free(types);
    return tokenizer;
}

static bool same_ids(const inox_tokens *got, const json_t *want)
{
    bool same = got->count == json_array_size(want);
    for (size_t i = 0; same && i < got->count; i++)
        same = got->ids[i] == json_integer_value(json_array_get(want, i));
    return same;
}

/* Offsets are in order, in bounds, and cover every byte that is not dropped. */
static bool good_offsets(const inox_tokens *tokens, size_t bytes)
{
    uint32_t last = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        if (tokens->starts[i] > tokens->ends[i] || tokens->ends[i] > bytes ||
            tokens->starts[i] < last)
            return false;
        last = tokens->starts[i];
    }
    return true;
}

/* The bytes of a golden's input, to be freed. */
static char *golden_text(const json_t *record, size_t *size)
{
    ix_buffer b = { 0 };
    inox_error err;
    const json_t *parts = json_object_get(record, "parts"), *text = json_object_get(record, "text");
    const char *hex = json_string_value(json_object_get(record, "bytes_hex"));
    inox_status status = INOX_OK;
    if (text)
        status = ix_buffer_append(&b, json_string_value(text), json_string_length(text), &err);
    for (size_t i = 0; i < json_array_size(parts) && status == INOX_OK; i++) {
        const json_t *part = json_array_get(parts, i), *unit = json_array_get(part, 0);
        for (json_int_t n = json_integer_value(json_array_get(part, 1)); n > 0 && status == INOX_OK;
             n--)
            status = ix_buffer_append(&b, json_string_value(unit), json_string_length(unit), &err);
    }
    for (; hex && hex[0] && hex[1] && status == INOX_OK; hex += 2) {
        char digits[3] = { hex[0], hex[1], 0 }, byte = (char)strtol(digits, NULL, 16);
        status = ix_buffer_append(&b, &byte, 1, &err);
    }
    *size = b.size;
    return status == INOX_OK ? b.data : NULL;
}

/* Calls fn for each line of a file, as JSON; false where it is not there. */
static bool each_line(const char *path, void (*fn)(void *context, const json_t *record),
                      void *context)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (!f)
        return false;
    json_t *record;
    while ((record = json_loadf(f, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL))) {
        fn(context, record);
        json_decref(record);
    }
    fclose(f);
    return true;
}

/* ---- goldens ------------------------------------------------------------------------------- */

typedef struct golden_run {
    ix_test *t;
    const ix_tokenizer *tokenizer;
    const char *name;
    size_t ids, only_llama, skipped;
} golden_run;

static void check_golden(void *context, const json_t *record)
{
    golden_run *run = context;
    ix_test *t = run->t;
    const json_t *want = json_object_get(record, "ids");
    inox_tokens got;
    inox_error err;
    size_t size;
    char *text = golden_text(record, &size);
    unsigned flags =
        (json_is_true(json_object_get(record, "special")) ? INOX_TOKENIZE_SPECIAL : 0) |
        (json_is_true(json_object_get(record, "parse_special")) ? INOX_TOKENIZE_PARSE_SPECIAL : 0);
    bool bare = want == NULL;
    if (bare)
        want = json_object_get(record, "llama_ids");
    CHECK_OK(ix_tokenizer_encode(run->tokenizer, text ? text : "", size, flags, &got, &err), &err);
    /* llama.cpp gives a vocabulary without a pre-tokenizer one of its own: only `ids` count
     * there. */
    if (bare && strcmp(run->name, "gpt-neox") == 0) {
        run->skipped++;
    } else {
        char *shown = json_dumps(record, JSON_ENSURE_ASCII);
        CHECK_MSG(same_ids(&got, want), "%s: %.300s", run->name, shown);
        CHECK_MSG(good_offsets(&got, size), "%s: offsets of %.300s", run->name, shown);
        free(shown);
        *(bare ? &run->only_llama : &run->ids) += 1;
    }
    const json_t *decoded = json_object_get(record, "decoded");
    if (decoded && got.count > 0) {
        ix_buffer b = { 0 };
        CHECK_OK(ix_tokenizer_decode(run->tokenizer, got.ids, got.count, 0, &b, &err), &err);
        CHECK_MSG(b.size == json_string_length(decoded) &&
                      memcmp(b.data, json_string_value(decoded), b.size) == 0,
                  "%s: '%s' is decoded as '%s'", run->name, json_string_value(decoded), b.data);
        ix_buffer_release(&b);
    }
    ix_tokens_release(&got);
    ix_free(text);
}

static void small_golden(ix_test *t, const char *name)
{
    char path[64];
    json_t *json;
    golden_run run = { .t = t, .name = name };
    ix_tokenizer *tokenizer = load_json(t, name, &json);
    run.tokenizer = tokenizer;
    (void)snprintf(path, sizeof path, "data/text/%s.jsonl", name);
    if (tokenizer)
        CHECK(each_line(ix_test_file(path), check_golden, &run));
    CHECK(run.ids > 150);
    ix_tokenizer_free(tokenizer);
    json_decref(json);
}

TEST(text_golden_bpe)
{
    small_golden(t, "bpe");
}
TEST(text_golden_spm_bytes)
{
    small_golden(t, "spm-bytes");
}
TEST(text_golden_spm_unknown)
{
    small_golden(t, "spm-unknown");
}
TEST(text_golden_spm_unused)
{
    small_golden(t, "spm-unused");
}

static void shared_golden(ix_test *t, const char *name)
{
    char path[128];
    inox_error err;
    ix_gguf *file = NULL;
    ix_tokenizer *tokenizer = NULL;
    golden_run run = { .t = t, .name = name };
    (void)snprintf(path, sizeof path, "data/vocab/ggml-vocab-%s.gguf", name);
    const char *vocabulary = ix_test_shared(path);
    if (!vocabulary)
        SKIP("no ../shared/data/vocab");
    CHECK_OK(ix_gguf_open(vocabulary, &file, &err), &err);
    if (file)
        CHECK_OK(ix_tokenizer_from_gguf(file, true, &tokenizer, &err), &err);
    run.tokenizer = tokenizer;
    (void)snprintf(path, sizeof path, "data/vocab/goldens/%s.jsonl", name);
    if (tokenizer)
        CHECK(each_line(ix_test_shared(path), check_golden, &run));
    CHECK(run.ids > 400);
    ix_tokenizer_free(tokenizer);
    ix_gguf_close(file);
}

#define SHARED_GOLDEN(test_name, name)                                                             \
    TEST(test_name)                                                                                \
    {                                                                                              \
        shared_golden(t, name);                                                                    \
    }
SHARED_GOLDEN(text_gguf_baichuan, "baichuan")
SHARED_GOLDEN(text_gguf_deepseek_coder, "deepseek-coder")
SHARED_GOLDEN(text_gguf_deepseek_llm, "deepseek-llm")
SHARED_GOLDEN(text_gguf_falcon, "falcon")
SHARED_GOLDEN(text_gguf_gemma_4, "gemma-4")
SHARED_GOLDEN(text_gguf_gpt_2, "gpt-2")
SHARED_GOLDEN(text_gguf_gpt_neox, "gpt-neox")
SHARED_GOLDEN(text_gguf_llama_bpe, "llama-bpe")
SHARED_GOLDEN(text_gguf_llama_spm, "llama-spm")
SHARED_GOLDEN(text_gguf_mpt, "mpt")
SHARED_GOLDEN(text_gguf_phi_3, "phi-3")
SHARED_GOLDEN(text_gguf_qwen2, "qwen2")
SHARED_GOLDEN(text_gguf_refact, "refact")
SHARED_GOLDEN(text_gguf_starcoder, "starcoder")

/* ---- pre-tokenizers ------------------------------------------------------------------------ */

static void check_pre(void *context, const json_t *record)
{
    golden_run *run = context;
    ix_test *t = run->t;
    ix_pretokenizer pre;
    ix_pre_cursor cursor;
    ix_text_view text = json_view(json_object_get(record, "text"));
    const char *name = json_string_value(json_object_get(record, "name"));
    const json_t *ends = json_object_get(record, "ends");
    CHECK_MSG(ix_pretokenizer_find(name, &pre), "%s is unknown", name);
    ix_pre_start(&cursor, &pre, text.data, text.size);
    size_t start, end, count = 0, last = 0;
    bool same = true;
    while (ix_pre_next(&cursor, &start, &end)) {
        same = same && start == last &&
               (json_int_t)end == json_integer_value(json_array_get(ends, count));
        last = end;
        count++;
    }
    CHECK_MSG(same && count == json_array_size(ends), "%s cuts '%s' elsewhere", name, text.data);
    run->ids++;
}

TEST(text_pre_goldens)
{
    golden_run run = { .t = t };
    CHECK(each_line(ix_test_file("data/text/pre.jsonl"), check_pre, &run));
    CHECK(run.ids > 1500);
}

/* Every name cuts a text without losing or repeating a byte, whatever the bytes. */
TEST(text_pre_names_cover_everything)
{
    uint64_t state = 3;
    char text[200];
    for (size_t n = 0; ix_pretokenizer_name(n); n++) {
        ix_pretokenizer pre;
        CHECK(ix_pretokenizer_find(ix_pretokenizer_name(n), &pre));
        CHECK(pre.stage_count <= IX_PRE_STAGES_MAX);
        for (int round = 0; round < 50; round++) {
            for (size_t i = 0; i < sizeof text; i++)
                text[i] = (char)(ix_test_random(&state) >> (round % 2 ? 57 : 56));
            ix_pre_cursor cursor;
            size_t start, end, last = 0;
            ix_pre_start(&cursor, &pre, text, sizeof text);
            while (ix_pre_next(&cursor, &start, &end)) {
                CHECK(start == last && end > start);
                last = end;
            }
            CHECK(last == sizeof text);
        }
    }
    ix_pretokenizer pre;
    CHECK(!ix_pretokenizer_find("no-such-name", &pre));
    CHECK(ix_pretokenizer_find(NULL, &pre) && pre.flags == 0);
}

/* ---- normalization ------------------------------------------------------------------------- */

static void check_nfc(ix_test *t, const char *text, const char *want)
{
    ix_mapped_text out;
    inox_error err;
    CHECK_OK(ix_clean_text(text, strlen(text), 5, true, &out, &err), &err);
    CHECK_MSG(out.size == strlen(want) && memcmp(out.data, want, out.size) == 0, "'%s' is not '%s'",
              text, want);
    for (size_t i = 0; i < out.size; i++)
        CHECK(ix_mapped_start(&out, i) >= 5 && ix_mapped_end(&out, i) <= 5 + strlen(text));
    ix_mapped_release(&out);
}

TEST(text_nfc)
{
    check_nfc(t, "", "");
    check_nfc(t, "plain", "plain");
    check_nfc(t, "e\u0301", "\u00e9");
    check_nfc(t, "xe\u0301y", "x\u00e9y");
    check_nfc(t, "a\u0323\u0302", "\u1ead");
    check_nfc(t, "a\u0302\u0323", "\u1ead");
    check_nfc(t, "\u1112\u1161\u11ab", "\ud55c");
    check_nfc(t, "\ud558\u11ab", "\ud55c");
    check_nfc(t, "\u212b\u2126", "\u00c5\u03a9");
    check_nfc(t, "\u0301", "\u0301");
    check_nfc(t, "\u0344", "\u0308\u0301");
    check_nfc(t, "\u09c7\u09be", "\u09cb");
    check_nfc(t, "\uac00\u11a7", "\uac00\u11a7");
    check_nfc(t, "a\xff\xc3", "a\ufffd\ufffd");
    check_nfc(t, "\xc0\xaf", "/");
    check_nfc(t, "\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd");
}

/* ---- decoding ------------------------------------------------------------------------------ */

/* Pieces 0 to 255 are the bytes, then what the caller adds. */
static ix_tokenizer *byte_tokenizer(ix_test *t, char (*store)[4], ix_vocab_source *s,
                                    const ix_text_view *merges, size_t merge_count)
{
    static ix_text_view pieces[258];
    static int32_t types[258];
    inox_error err;
    ix_tokenizer *tokenizer = NULL;
    uint32_t next = 0x100;
    for (uint32_t b = 0; b < 256; b++) {
        bool itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
        pieces[b] = (ix_text_view){ store[b], ix_utf8_write(itself ? b : next++, store[b]) };
        types[b] = IX_PIECE_NORMAL;
    }
    pieces[256] = view("<|end|>");
    types[256] = IX_PIECE_CONTROL;
    pieces[257] = view("aa");
    types[257] = IX_PIECE_NORMAL;
    s->model = "gpt2";
    s->count = 258;
    s->pieces = pieces;
    s->types = types;
    s->merges = merges;
    s->merge_count = merge_count;
    CHECK_OK(ix_tokenizer_new(s, &tokenizer, &err), &err);
    return tokenizer;
}

TEST(text_decoder_never_splits_characters)
{
    char store[256][4];
    inox_error err;
    ix_text_view merge = view("a a");
    ix_vocab_source s = IX_VOCAB_SOURCE_INIT;
    ix_tokenizer *tokenizer = byte_tokenizer(t, store, &s, &merge, 1);
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        { "h\xC3\xA9", "h\u00e9" },
        { "\xF0\x9F\x98\x80!", "\U0001F600!" },
        { "\xF0\x9F\x98", "\ufffd" },
        { "\xF0\x9F\x98x", "\ufffdx" },
        { "\xE0\x80\xAF", "\ufffd\ufffd\ufffd" },
        { "\xED\xA0\x80", "\ufffd\ufffd\ufffd" },
        { "\xC3\xC3\xA9", "\ufffd\u00e9" },
        { "\xFF\xFE", "\ufffd\ufffd" },
        { "\xF4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ix_buffer stream = { 0 }, whole = { 0 };
        ix_decoder d;
        int32_t ids[16];
        size_t n = strlen(cases[i].bytes);
        ix_decoder_init(&d, tokenizer, 0);
        for (size_t k = 0; k < n; k++) {
            ids[k] = (unsigned char)cases[i].bytes[k];
            CHECK_OK(ix_decoder_push(&d, ids[k], &stream, &err), &err);
            for (size_t at = 0; at < stream.size;) { /* whole characters only */
                bool is_whole, bad;
                at += ix_utf8_prefix(stream.data + at, stream.size - at, &is_whole, &bad);
                CHECK(is_whole && !bad);
            }
        }
        CHECK_OK(ix_decoder_flush(&d, &stream, &err), &err);
        CHECK_OK(ix_tokenizer_decode(tokenizer, ids, n, 0, &whole, &err), &err);
        CHECK_MSG(strcmp(stream.data, cases[i].text) == 0, "case %zu: '%s'", i, stream.data);
        CHECK(whole.size == stream.size && memcmp(whole.data, stream.data, whole.size) == 0);
        whole.size = 0;
        CHECK_OK(ix_tokenizer_decode(tokenizer, ids, n, IX_DECODE_RAW, &whole, &err), &err);
        CHECK(whole.size == n && memcmp(whole.data, cases[i].bytes, n) == 0);
        ix_buffer_release(&stream);
        ix_buffer_release(&whole);
    }
    int32_t ids[] = { 'x', 256, 257 }, bad = 258;
    ix_buffer out = { 0 };
    CHECK_OK(ix_tokenizer_decode(tokenizer, ids, 3, 0, &out, &err), &err);
    CHECK(strcmp(out.data, "xaa") == 0);
    CHECK_OK(ix_tokenizer_decode(tokenizer, ids, 3, IX_DECODE_SPECIAL, &out, &err), &err);
    CHECK(strcmp(out.data, "xaax<|end|>aa") == 0);
    CHECK(ix_tokenizer_decode(tokenizer, &bad, 1, 0, &out, &err) == INOX_E_ARGUMENT);
    CHECK(out.size == 13);
    ix_buffer_release(&out);
    ix_tokenizer_free(tokenizer);
}

TEST(text_special_tokens_stay_text)
{
    char store[256][4];
    inox_error err;
    inox_tokens got;
    ix_text_view merge = view("a a");
    ix_vocab_source s = IX_VOCAB_SOURCE_INIT;
    s.bos = s.eos = 256;
    s.add_bos = s.add_eos = 1;
    ix_tokenizer *tokenizer = byte_tokenizer(t, store, &s, &merge, 1);
    CHECK(ix_tokenizer_is_end(tokenizer, 256) && !ix_tokenizer_is_end(tokenizer, 'a'));
    CHECK(ix_tokenizer_find(tokenizer, "<|end|>", 7) == 256 &&
          ix_tokenizer_find(tokenizer, "zz", 2) == -1);
    CHECK_OK(ix_tokenizer_encode(tokenizer, "a<|end|>", 8, 0, &got, &err), &err);
    CHECK(got.count == 8);
    ix_tokens_release(&got);
    CHECK_OK(ix_tokenizer_encode(tokenizer, "aa<|end|>\0", 10,
                                 INOX_TOKENIZE_PARSE_SPECIAL | INOX_TOKENIZE_SPECIAL, &got, &err),
             &err);
    CHECK(got.count == 5 && got.ids[0] == 256 && got.ids[1] == 257 && got.ids[2] == 256 &&
          got.ids[3] == 0);
    CHECK(got.count == 5 && got.starts[2] == 2 && got.ends[2] == 9 && got.starts[3] == 9 &&
          got.ends[3] == 10);
    CHECK(got.count == 5 && got.starts[4] == 10 && got.ends[4] == 10);
    ix_tokens_release(&got);
    ix_tokenizer_free(tokenizer);
}

/* ---- bad vocabularies ---------------------------------------------------------------------- */

TEST(text_bad_vocabularies)
{
    inox_error err;
    ix_tokenizer *tokenizer = NULL;
    ix_vocab_source s = IX_VOCAB_SOURCE_INIT;
    CHECK(ix_tokenizer_new(&s, &tokenizer, &err) == INOX_E_UNSUPPORTED && !tokenizer);
    s.model = "gpt2";
    CHECK(ix_tokenizer_new(&s, &tokenizer, &err) == INOX_E_FORMAT); /* no merges */
    ix_text_view pieces[] = { view("a"),        view("a"),      { NULL, 0 },
                              view("\xff\xfe"), view("b"),      view("ab"),
                              { "x\0y", 3 },    view("<0xZZ>"), view("") };
    ix_text_view merges[] = { view(""),    view(" "),  view("a"),  view("a b"),      view("a b"),
                              view("q r"), view("b "), view("  "), view("\xff \xfe") };
    int32_t types[] = { 1, 1, 4, 4, 99, 1, 3, 6, -5 };
    float scores[] = { 0, 0.0f / 1, -0.0f, 1, 2, 3, 4, 5, 6 };
    scores[1] = (float)strtod("nan", NULL);
    s.merges = merges;
    s.merge_count = sizeof merges / sizeof *merges;
    CHECK(ix_tokenizer_new(&s, &tokenizer, &err) == INOX_E_FORMAT); /* no tokens */
    s.pieces = pieces;
    s.types = types;
    s.scores = scores;
    s.count = sizeof pieces / sizeof *pieces;
    s.bos = 1000;
    s.eos = INT64_MAX;
    s.eot = 1 << 30;
    s.pre = "nonsense";
    CHECK(ix_tokenizer_new(&s, &tokenizer, &err) == INOX_E_UNSUPPORTED &&
          strstr(err.message, "nonsense"));
    static const struct {
        const char *model, *pre;
    } kinds[] = {
        { "gpt2", NULL },       { "gpt2", "kimi-k2" }, { "gpt2", "whitespace" },
        { "llama", "default" }, { "gemma4", NULL },    { "whitespace", "whitespace" },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        inox_tokens got;
        s.model = kinds[i].model;
        s.pre = kinds[i].pre;
        CHECK_OK(ix_tokenizer_new(&s, &tokenizer, &err), &err);
        CHECK_OK(ix_tokenizer_encode(tokenizer, "ab\0\xff x", 6, 3, &got, &err), &err);
        CHECK(got.count >= 1 && got.ids[0] == (i == 3 ? 1 : 5) && good_offsets(&got, 6));
        ix_tokens_release(&got);
        ix_tokenizer_free(tokenizer);
    }
    s.model = "plamo2";
    CHECK(ix_tokenizer_new(&s, &tokenizer, &err) == INOX_E_UNSUPPORTED);
}

/* ---- failing allocations: an error, no crash, no leak, nothing handed out */

static inox_status use_all(const ix_vocab_source *s, const char *text, inox_error *err)
{
    ix_tokenizer *tokenizer = NULL;
    inox_tokens tokens = { 0 };
    ix_buffer b = { 0 };
    inox_status status = ix_tokenizer_new(s, &tokenizer, err);
    if (status == INOX_OK)
        status = ix_tokenizer_encode(tokenizer, text, strlen(text), 3, &tokens, err);
    if (status == INOX_OK)
        status = ix_tokenizer_decode(tokenizer, tokens.ids, tokens.count, 0, &b, err);
    ix_buffer_release(&b);
    ix_tokens_release(&tokens);
    ix_tokenizer_free(tokenizer);
    return status;
}

TEST(text_survives_failing_allocations)
{
    static const char *const models[] = { "gpt2", "llama", "gemma4" };
    ix_text_view pieces[] = { view("a"), view("b"), view("ab"), view("aa"), view("<s>") };
    ix_text_view merges[] = { view("a b"), view("a a") };
    int32_t types[] = { 1, 1, 5, 5, 4 };
    ix_vocab_source s = IX_VOCAB_SOURCE_INIT;
    s.pieces = pieces;
    s.count = 5;
    s.types = types;
    s.merges = merges;
    s.merge_count = 2;
    s.pre = "qwen2";
    for (size_t m = 0; m < 3; m++) {
        inox_error err;
        inox_status status = INOX_E_MEMORY;
        s.model = models[m];
        for (uint64_t n = 1; n < 200 && status == INOX_E_MEMORY; n++) {
            ix_alloc_fail_at(n, 1);
            status =
                use_all(&s,
                        "aab<s>e\u0301 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbb"
                        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbabaaaa \u00e9\u0323\u0301",
                        &err);
            ix_alloc_fail_at(0, 0);
        }
        CHECK_MSG(status == INOX_OK, "%s: %s", models[m], err.message);
    }
}

/* ---- long words ---------------------------------------------------------------------------- */

static double seconds_for(const ix_tokenizer *tokenizer, const char *unit, size_t bytes)
{
    ix_buffer b = { 0 };
    inox_error err;
    inox_tokens got;
    while (b.size < bytes)
        if (ix_buffer_append(&b, unit, strlen(unit), &err) != INOX_OK)
            return -1;
    double start = ix_clock_seconds();
    inox_status status = ix_tokenizer_encode(tokenizer, b.data, b.size, 0, &got, &err);
    double end = ix_clock_seconds();
    ix_tokens_release(&got);
    ix_buffer_release(&b);
    return status == INOX_OK ? end - start : -1;
}

/* Twice the text may take little more than twice the time: quadratic would be a hundred times
 * here. */
TEST(text_long_words_are_linear)
{
    static const char *const names[] = { "bpe", "spm-bytes", "spm-unused" };
    static const char *const units[] = { "a",   " ",      "\n",     "1",          "!",
                                         "the", "\u0301", "\u00e9", "\U0001F600", "a\n" };
    for (size_t n = 0; n < 3; n++) {
        json_t *json;
        ix_tokenizer *tokenizer = load_json(t, names[n], &json);
        for (size_t u = 0; tokenizer && u < sizeof units / sizeof *units; u++) {
            double small = seconds_for(tokenizer, units[u], 3000),
                   large = seconds_for(tokenizer, units[u], 300000);
            CHECK_MSG(small >= 0 && large >= 0 && large < 1000 * small + 1,
                      "%s: 3 kB of '%s' %g s, 300 kB %g s", names[n], units[u], small, large);
        }
        ix_tokenizer_free(tokenizer);
        json_decref(json);
    }
}

/* Every name stays linear on the runs that its pattern could be slow on. */
TEST(text_pre_names_are_linear)
{
    static const char *const units[] = { "a",      "A",      " ",           "\n", "1",      "!",
                                         "\u0301", "\u4e2d", "<sentinel:1", " 1", "A\u02b0" };
    enum { BYTES = 1 << 15 };
    char *text = malloc(BYTES);
    for (size_t n = 0; ix_pretokenizer_name(n); n++) {
        ix_pretokenizer pre;
        CHECK(ix_pretokenizer_find(ix_pretokenizer_name(n), &pre));
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            size_t size = strlen(units[u]), start, end;
            for (size_t i = 0; i < BYTES; i++)
                text[i] = units[u][i % size];
            ix_pre_cursor cursor;
            double before = ix_clock_seconds();
            ix_pre_start(&cursor, &pre, text, BYTES);
            while (ix_pre_next(&cursor, &start, &end))
                continue;
            CHECK_MSG(ix_clock_seconds() - before < 2, "%s: slow on '%s'", ix_pretokenizer_name(n),
                      units[u]);
        }
    }
    free(text);
}
