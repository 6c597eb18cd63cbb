/* inox_text.h as a caller sees it: every vocabulary of test/data/text_records, one way of encoding
 * against the other (short, full, batch over threads, streams cut anywhere), plain ranges, wrong
 * arguments, and what happens when the n-th allocation fails.  What the right ids are:
 * test_text_records.py.
 */
#include "test.h"

#include "base/alloc.h"
#include "base/os.h"
#include "inox_text.h"

static const char *const VOCABULARIES[] = {
    "components/added-both-strips.json",
    "components/added-normalized.json",
    "components/bpe-byte-fallback-llama.json",
    "components/bpe-byte-level.json",
    "components/bpe-llama3.json",
    "components/post-template-pairs.json",
    "components/truncate-and-pad.json",
    "components/unigram-metaspace.json",
    "components/unigram-t5-template.json",
    "components/wordlevel-scripts.json",
    "components/wordpiece-bert.json",
    "sentencepiece/sp-bpe-byte-fallback.model",
    "sentencepiece/sp-unigram-symbols.model",
    "../../../fuzz/corpus/session/llama-q8_0.gguf",
};
#define VOCABULARY_COUNT (sizeof VOCABULARIES / sizeof *VOCABULARIES)

static const char TEXT[] =
    "To be, or not to be:  that is the question.\n\n\tna\xc3\xafve caf\xc3\xa9 <tok> word <s> "
    "12345 "
    "\xe5\x90\xbe\xe8\xbc\xa9\xe3\x81\xaf\xe7\x8c\xab "
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb   it's I'M e\xcc\x81 \xe2\x96\x81x\r\n"
    "bad \xff\xc3 \xe2\x82 bytes [CLS] the end ";

static inox_tokenizer *open_vocabulary(ix_test *t, const char *name)
{
    char path[256];
    inox_error err = { 0 };
    inox_tokenizer *tokenizer = NULL;
    (void)snprintf(path, sizeof path, "data/text_records/%s", name);
    CHECK_OK(inox_tokenizer_open(ix_test_file(path), NULL, &tokenizer, &err), &err);
    return tokenizer;
}

static inox_encodings *encode_one(ix_test *t, const inox_tokenizer *tokenizer, const char *text,
                                  size_t bytes, const inox_encode_options *options,
                                  inox_encoding *out)
{
    inox_error err = { 0 };
    inox_input input = { .first.text = { text, bytes } };
    inox_encodings *e = NULL;
    CHECK_OK(inox_tokenizer_encode_all(tokenizer, &input, 1, options, &e, &err), &err);
    *out = (inox_encoding)INOX_ENCODING_INIT;
    if (e != NULL)
        CHECK_OK(inox_encodings_get(e, 0, 0, out, &err), &err);
    return e;
}

static bool same_ids(const inox_encoding *a, const inox_encoding *b)
{
    return a->count == b->count && memcmp(a->ids, b->ids, a->count * sizeof *a->ids) == 0 &&
           memcmp(a->starts, b->starts, a->count * sizeof *a->starts) == 0 &&
           memcmp(a->ends, b->ends, a->count * sizeof *a->ends) == 0;
}

/* ---- one way against the other */

TEST(text_api_short_and_full)
{
    for (size_t v = 0; v < VOCABULARY_COUNT; v++) {
        inox_error err = { 0 };
        inox_tokenizer *tokenizer = open_vocabulary(t, VOCABULARIES[v]);
        inox_tokenizer_info info = INOX_TOKENIZER_INFO_INIT;
        if (tokenizer == NULL)
            continue;
        CHECK_OK(inox_tokenizer_describe(tokenizer, &info, &err), &err);
        CHECK(info.count > 0 && info.format != NULL && info.bos < (int32_t)info.count);
        for (unsigned flags = 0; flags < 4; flags++) {
            inox_encode_options o = INOX_ENCODE_OPTIONS_INIT;
            inox_encoding full;
            inox_tokens tokens;
            o.special = (flags & INOX_TOKENIZE_SPECIAL) != 0;
            o.parse_special = flags & INOX_TOKENIZE_PARSE_SPECIAL ? INOX_PARSE_SPECIAL_YES
                                                                  : INOX_PARSE_SPECIAL_NO;
            inox_encodings *e = encode_one(t, tokenizer, TEXT, sizeof TEXT - 1, &o, &full);
            CHECK_OK(inox_tokenizer_encode(tokenizer, TEXT, sizeof TEXT - 1, flags, &tokens, &err),
                     &err);
            inox_encoding plain = { .count = tokens.count,
                                    .ids = tokens.ids,
                                    .starts = tokens.starts,
                                    .ends = tokens.ends };
            CHECK_MSG(same_ids(&plain, &full), "%s, flags %u", VOCABULARIES[v], flags);
            for (size_t i = 0; i < full.count; i++)
                CHECK(full.ids[i] >= 0 && (size_t)full.ids[i] < info.count &&
                      full.starts[i] <= full.ends[i] && full.ends[i] <= sizeof TEXT - 1 &&
                      full.attention_mask[i] == 1);
            inox_tokens_release(&tokens);
            inox_encodings_free(e);
        }
        inox_tokenizer_free(tokenizer);
    }
}

static void check_stream(ix_test *t, const inox_tokenizer *tokenizer, const char *name,
                         const inox_encode_options *o, uint64_t *random)
{
    inox_error err = { 0 };
    inox_encoding whole;
    inox_encoder *encoder = NULL;
    inox_encodings *e = encode_one(t, tokenizer, TEXT, sizeof TEXT - 1, o, &whole);
    size_t at = 0, seen = 0, most = 1 + ix_test_random(random) % 20;
    CHECK_OK(inox_encoder_new(tokenizer, o, &encoder, &err), &err);
    for (bool more = encoder != NULL; more;) {
        inox_stream_tokens tokens;
        size_t n = 1 + ix_test_random(random) % most;
        n = n < sizeof TEXT - 1 - at ? n : sizeof TEXT - 1 - at;
        more = n > 0;
        CHECK_OK(more ? inox_encoder_push(encoder, TEXT + at, n, &tokens, &err)
                      : inox_encoder_finish(encoder, &tokens, &err),
                 &err);
        at += n;
        for (size_t i = 0; i < tokens.count; i++, seen++)
            CHECK_MSG(seen < whole.count && tokens.ids[i] == whole.ids[seen] &&
                          tokens.starts[i] == whole.starts[seen] &&
                          tokens.ends[i] == whole.ends[seen],
                      "%s, chunks up to %zu: token %zu", name, most, seen);
    }
    CHECK_MSG(seen == whole.count, "%s: %zu tokens of %zu", name, seen, whole.count);
    inox_encoder_free(encoder);
    inox_encodings_free(e);
}

TEST(text_api_streams)
{
    uint64_t random = 1;
    for (size_t v = 0; v < VOCABULARY_COUNT; v++) {
        inox_tokenizer *tokenizer = open_vocabulary(t, VOCABULARIES[v]);
        for (int i = 0; tokenizer != NULL && i < 60; i++) {
            inox_encode_options o = INOX_ENCODE_OPTIONS_INIT;
            o.special = i % 2 == 0;
            o.parse_special = i % 3 == 0 ? INOX_PARSE_SPECIAL_NO : INOX_PARSE_SPECIAL_YES;
            check_stream(t, tokenizer, VOCABULARIES[v], &o, &random);
        }
        inox_tokenizer_free(tokenizer);
    }
}

static bool is_utf8(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    for (size_t i = 0; i < n;) {
        size_t k = u[i] < 0x80 ? 1 : u[i] < 0xC2 ? 0 : u[i] < 0xE0 ? 2 : u[i] < 0xF0 ? 3 : 4;
        if (k == 0 || i + k > n)
            return false;
        for (size_t j = 1; j < k; j++)
            if ((u[i + j] & 0xC0) != 0x80)
                return false;
        i += k;
    }
    return true;
}

TEST(text_api_decoding_one_by_one)
{
    for (size_t v = 0; v < VOCABULARY_COUNT; v++) {
        inox_error err = { 0 };
        inox_encode_options o = INOX_ENCODE_OPTIONS_INIT;
        inox_tokenizer *tokenizer = open_vocabulary(t, VOCABULARIES[v]);
        if (tokenizer == NULL)
            continue;
        o.special = true;
        inox_encoding tokens;
        inox_encodings *e = encode_one(t, tokenizer, TEXT, sizeof TEXT - 1, &o, &tokens);
        for (int keep = 0; keep < 2; keep++) {
            char *whole = NULL;
            size_t bytes = 0;
            ix_buffer parts = { 0 };
            inox_decoder *decoder = NULL;
            inox_text text;
            CHECK_OK(inox_tokenizer_decode(tokenizer, tokens.ids, tokens.count, keep, &whole,
                                           &bytes, &err),
                     &err);
            CHECK_OK(inox_decoder_new(tokenizer, keep, &decoder, &err), &err);
            for (size_t i = 0; i <= tokens.count; i++) {
                CHECK_OK(i < tokens.count ? inox_decoder_push(decoder, tokens.ids[i], &text, &err)
                                          : inox_decoder_finish(decoder, &text, &err),
                         &err);
                CHECK(is_utf8(text.data, text.bytes));
                CHECK_OK(ix_buffer_append(&parts, text.data, text.bytes, &err), &err);
            }
            CHECK_MSG(parts.size == bytes && memcmp(parts.data, whole, bytes) == 0,
                      "%s: \"%.200s\" is not \"%.200s\"", VOCABULARIES[v], parts.data, whole);
            inox_string_free(whole);
            ix_buffer_release(&parts);
            inox_decoder_free(decoder);
        }
        inox_encodings_free(e);
        inox_tokenizer_free(tokenizer);
    }
}

TEST(text_api_batches)
{
    enum { COUNT = 200 };
    inox_input inputs[COUNT] = { 0 };
    for (size_t i = 0; i < COUNT; i++) {
        inputs[i].first.text = (inox_text){ TEXT, i % (sizeof TEXT - 1) };
        inputs[i].is_pair = i % 3 == 0;
        inputs[i].second.text = (inox_text){ TEXT + i / 2, 20 };
    }
    for (size_t v = 0; v < VOCABULARY_COUNT; v++) {
        inox_error err = { 0 };
        inox_tokenizer *tokenizer = open_vocabulary(t, VOCABULARIES[v]);
        inox_encodings *many = NULL;
        inox_encode_options o = INOX_ENCODE_OPTIONS_INIT;
        inox_truncation truncation = INOX_TRUNCATION_INIT;
        truncation.max_tokens = 16;
        o.special = true;
        o.threads = 4;
        if (v % 2 == 0)
            o.truncation = &truncation;
        if (tokenizer == NULL)
            continue;
        CHECK_OK(inox_tokenizer_encode_all(tokenizer, inputs, COUNT, &o, &many, &err), &err);
        CHECK(inox_encodings_count(many) == COUNT && inox_encodings_windows(many, COUNT) == 0);
        for (size_t i = 0; many != NULL && i < COUNT; i++) {
            inox_encodings *one = NULL;
            CHECK_OK(inox_tokenizer_encode_all(tokenizer, &inputs[i], 1, &o, &one, &err), &err);
            CHECK(inox_encodings_windows(one, 0) == inox_encodings_windows(many, i));
            for (size_t w = 0; one != NULL && w < inox_encodings_windows(one, 0); w++) {
                inox_encoding a = INOX_ENCODING_INIT, b = INOX_ENCODING_INIT;
                CHECK_OK(inox_encodings_get(one, 0, w, &a, &err), &err);
                CHECK_OK(inox_encodings_get(many, i, w, &b, &err), &err);
                CHECK_MSG(same_ids(&a, &b), "%s: input %zu, window %zu", VOCABULARIES[v], i, w);
            }
            inox_encodings_free(one);
        }
        inox_encodings_free(many);
        inox_tokenizer_free(tokenizer);
    }
}

/* ---- users and special tokens */

static size_t count_special(const inox_tokenizer *tokenizer, const inox_encoding *e)
{
    int32_t id = inox_tokenizer_find(tokenizer, "<tok>", 5);
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++)
        n += e->ids[i] == id;
    return n;
}

TEST(text_api_plain_ranges)
{
    static const char SPELT[] = "<tok> a <tok> b <tok><tok>";
    static const inox_range ALL[] = { { 0, sizeof SPELT - 1 } }, ONE_BYTE[] = { { 9, 10 } };
    static const inox_range BESIDE[] = { { 5, 8 }, { 13, 16 } }, EMPTY[] = { { 10, 10 } };
    inox_error err = { 0 };
    inox_tokenizer *tokenizer = open_vocabulary(t, "components/added-both-strips.json");
    const struct {
        const inox_range *plain;
        size_t count, special;
    } cases[] = {
        { NULL, 0, 4 }, { ALL, 1, 0 }, { ONE_BYTE, 1, 3 }, { BESIDE, 2, 4 }, { EMPTY, 1, 4 }
    };
    if (tokenizer == NULL)
        return;
    int32_t id = inox_tokenizer_find(tokenizer, "<tok>", 5);
    CHECK(id >= 0 && inox_tokenizer_is_special(tokenizer, id));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        inox_encodings *e = NULL;
        inox_encoding one = INOX_ENCODING_INIT;
        inox_input input = { .first = { .text = { SPELT, sizeof SPELT - 1 },
                                        .plain = cases[i].plain,
                                        .plain_count = cases[i].count } };
        CHECK_OK(inox_tokenizer_encode_all(tokenizer, &input, 1, NULL, &e, &err), &err);
        if (e != NULL)
            CHECK_OK(inox_encodings_get(e, 0, 0, &one, &err), &err);
        CHECK_MSG(count_special(tokenizer, &one) == cases[i].special, "case %zu: %zu", i,
                  count_special(tokenizer, &one));
        inox_encodings_free(e);
    }
    inox_tokenizer_free(tokenizer);
}

TEST(text_api_template_to_tokens)
{
    static const char SOURCE[] = "{% for m in messages %}{{ m.content | trim }}{{ '<' + m.role + "
                                 "'>' }}{% endfor %}";
    static const char VARIABLES[] =
        "{\"messages\": [{\"content\": \" a <tok> b \", \"role\": \"tok\"}, {\"content\": "
        "\"<tok>\", \"role\": \"tok\"}, {\"content\": \"<\", \"role\": \"><tok>\"}]}";
    inox_error err = { 0 };
    inox_tokenizer *tokenizer = open_vocabulary(t, "components/added-both-strips.json");
    inox_template *chat = NULL;
    inox_rendering *rendering = NULL;
    inox_encodings *e = NULL;
    inox_encoding one = INOX_ENCODING_INIT;
    inox_input input = { 0 };
    CHECK_OK(inox_template_new(SOURCE, sizeof SOURCE - 1, &chat, &err), &err);
    CHECK_OK(inox_template_render(chat, VARIABLES, sizeof VARIABLES - 1, NULL, &rendering, &err),
             &err);
    input.first.text = inox_rendering_text(rendering);
    input.first.plain = inox_rendering_spans(rendering, &input.first.plain_count);
    CHECK_MSG(strcmp(input.first.text.data, "a <tok> b<tok><tok><tok><<><tok>>") == 0, "%s",
              input.first.text.data);
    CHECK(input.first.plain_count == 4);
    if (tokenizer != NULL)
        CHECK_OK(inox_tokenizer_encode_all(tokenizer, &input, 1, NULL, &e, &err), &err);
    if (e != NULL)
        CHECK_OK(inox_encodings_get(e, 0, 0, &one, &err), &err);
    CHECK(count_special(tokenizer, &one) == 2);
    inox_encodings_free(e);
    inox_rendering_free(rendering);
    inox_template_free(chat);
    inox_tokenizer_free(tokenizer);
}

/* ---- wrong arguments, files, memory */

TEST(text_api_wrong_arguments)
{
    inox_error err = { 0 };
    inox_tokenizer *tokenizer = open_vocabulary(t, "components/wordpiece-bert.json");
    inox_encodings *e = (inox_encodings *)&err;
    inox_encode_options o = INOX_ENCODE_OPTIONS_INIT;
    inox_truncation truncation = INOX_TRUNCATION_INIT;
    inox_encoder *encoder;
    inox_input input = { .first.text = { "abc", 3 } };
    inox_range ranges[] = { { 2, 3 }, { 0, 1 } };
    if (tokenizer == NULL)
        return;
#define REFUSED(call) CHECK((call) == INOX_E_ARGUMENT && err.message[0] != '\0')
    REFUSED(inox_tokenizer_encode_all(NULL, &input, 1, NULL, &e, &err));
    REFUSED(inox_tokenizer_encode_all(tokenizer, NULL, 1, NULL, &e, &err));
    CHECK(inox_tokenizer_encode_all(tokenizer, NULL, 0, NULL, &e, &err) == INOX_OK);
    CHECK(inox_encodings_count(e) == 0);
    inox_encodings_free(e);
    input.first.plain = ranges;
    input.first.plain_count = 2;
    REFUSED(inox_tokenizer_encode_all(tokenizer, &input, 1, NULL, &e, &err));
    ranges[0] = (inox_range){ 0, 4 };
    input.first.plain_count = 1;
    REFUSED(inox_tokenizer_encode_all(tokenizer, &input, 1, NULL, &e, &err));
    CHECK(e == NULL);
    input = (inox_input){ .first.text = { NULL, 3 } };
    REFUSED(inox_tokenizer_encode_all(tokenizer, &input, 1, NULL, &e, &err));
    input = (inox_input){ .first = { .is_split = true, .word_count = 1 } };
    REFUSED(inox_tokenizer_encode_all(tokenizer, &input, 1, NULL, &e, &err));
    input = (inox_input){ .first.text = { "abc", 3 } };
    o.size = 1;
    REFUSED(inox_tokenizer_encode_all(tokenizer, &input, 1, &o, &e, &err));
    REFUSED(inox_encoder_new(tokenizer, &o, &encoder, &err));
    o.size = sizeof o;
    o.threads = -1;
    REFUSED(inox_tokenizer_encode_all(tokenizer, &input, 1, &o, &e, &err));
    o.threads = 1;
    o.truncation = &truncation;
    REFUSED(inox_encoder_new(tokenizer, &o, &encoder, &err));
    truncation.strategy = (inox_truncate)7;
    REFUSED(inox_tokenizer_encode_all(tokenizer, &input, 1, &o, &e, &err));
    REFUSED(inox_template_new(NULL, 1, (inox_template **)&encoder, &err));
#undef REFUSED
    inox_tokenizer_free(tokenizer);
    inox_tokenizer_free(NULL);
    inox_encodings_free(NULL);
    inox_encoder_free(NULL);
    inox_decoder_free(NULL);
    inox_template_free(NULL);
    inox_rendering_free(NULL);
    CHECK(inox_tokenizer_find(NULL, "a", 1) == -1 && inox_tokenizer_piece(NULL, 0, NULL) == NULL);
}

TEST(text_api_bytes_cut_short)
{
    for (size_t v = 0; v < VOCABULARY_COUNT; v++) {
        char path[256], *data = NULL;
        size_t size;
        inox_error err = { 0 };
        (void)snprintf(path, sizeof path, "data/text_records/%s", VOCABULARIES[v]);
        CHECK_OK(ix_file_read(ix_test_file(path), 1 << 24, &data, &size, &err), &err);
        inox_tokenizer *tokenizer = NULL;
        CHECK_OK(inox_tokenizer_read(data, size, NULL, &tokenizer, &err), &err);
        inox_tokenizer_free(tokenizer);
        for (size_t n = 0; data != NULL && n < size; n += 1 + n / 7 + size / 40) {
            tokenizer = NULL;
            err.message[0] = '\0';
            inox_status status = inox_tokenizer_read(data, n, NULL, &tokenizer, &err);
            CHECK_MSG(status == INOX_OK ? tokenizer != NULL
                                        : tokenizer == NULL && err.message[0] != '\0',
                      "%s cut at %zu", VOCABULARIES[v], n);
            inox_tokenizer_free(tokenizer);
        }
        ix_free(data);
    }
}

/* Opens, encodes in all ways, decodes; the first failure ends it. */
static inox_status whole_life(const char *data, size_t size, inox_error *err)
{
    inox_tokenizer *tokenizer = NULL;
    inox_encodings *e = NULL;
    inox_encoder *encoder = NULL;
    inox_encoding one = INOX_ENCODING_INIT;
    inox_stream_tokens tokens;
    inox_encode_options o = INOX_ENCODE_OPTIONS_INIT;
    inox_input inputs[2] = {
        { .first.text = { TEXT, sizeof TEXT - 1 } },
        { .first.text = { TEXT, 30 }, .second.text = { TEXT, 9 }, .is_pair = true }
    };
    char *text = NULL;
    o.special = true;
    inox_status status = inox_tokenizer_read(data, size, NULL, &tokenizer, err);
    if (status == INOX_OK)
        status = inox_tokenizer_encode_all(tokenizer, inputs, 2, &o, &e, err);
    if (status == INOX_OK)
        status = inox_encodings_get(e, 0, 0, &one, err);
    if (status == INOX_OK)
        status = inox_tokenizer_decode(tokenizer, one.ids, one.count, true, &text, NULL, err);
    if (status == INOX_OK)
        status = inox_encoder_new(tokenizer, &o, &encoder, err);
    if (status == INOX_OK)
        status = inox_encoder_push(encoder, TEXT, sizeof TEXT - 1, &tokens, err);
    if (status == INOX_OK)
        status = inox_encoder_finish(encoder, &tokens, err);
    inox_string_free(text);
    inox_encoder_free(encoder);
    inox_encodings_free(e);
    inox_tokenizer_free(tokenizer);
    return status;
}

TEST(text_api_no_memory)
{
    static const char *const SOME[] = { "components/wordpiece-bert.json",
                                        "components/bpe-byte-level.json",
                                        "components/unigram-t5-template.json",
                                        "sentencepiece/sp-unigram-symbols.model" };
    for (size_t v = 0; v < sizeof SOME / sizeof *SOME; v++) {
        char path[256], *data = NULL;
        size_t size;
        inox_error err = { 0 };
        (void)snprintf(path, sizeof path, "data/text_records/%s", SOME[v]);
        CHECK_OK(ix_file_read(ix_test_file(path), 1 << 24, &data, &size, &err), &err);
        uint64_t before = ix_alloc_count();
        CHECK_OK(whole_life(data, size, &err), &err);
        uint64_t all = ix_alloc_count() - before;
        for (uint64_t n = 1; n <= all; n += 1 + n / 50) {
            err = (inox_error){ 0 };
            before = ix_alloc_count();
            ix_alloc_fail_at(n, 1);
            inox_status status = whole_life(data, size, &err);
            ix_alloc_fail_at(0, 0);
            if (ix_alloc_count() - before < n) /* keyed tables: not every run asks as often */
                continue;
            CHECK_MSG(status == INOX_E_MEMORY && err.message[0] != '\0',
                      "%s, allocation %llu: %s %s", SOME[v], (unsigned long long)n,
                      inox_status_name(status), err.message);
        }
        ix_free(data);
    }
}
