/* Normalizers, pre-tokenizers and decoders of tokenizer.json against answers of Hugging Face's
 * tokenizers (made by make_component_goldens.py), and the mapped text below them. */
#include "test.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "text/charsmap.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/split.h"
#include "text/unicode.h"

#include <jansson.h>
#include <time.h>

/* ---- running a component -------------------------------------------------------------------- */

typedef struct component {
    ix_normalizer *normalizer;
    ix_splitter *splitter;
    ix_decode_stages *decoder;
} component;

static inox_status component_new(const char *kind, const json_t *j, component *out, inox_error *err)
{
    *out = (component){ 0 };
    if (strcmp(kind, "normalizer") == 0)
        return ix_normalizer_from_json(j, &out->normalizer, err);
    if (strcmp(kind, "pre_tokenizer") == 0)
        return ix_splitter_from_json(j, &out->splitter, err);
    return ix_decode_stages_from_json(j, &out->decoder, err);
}

static void component_free(component *c)
{
    ix_normalizer_free(c->normalizer);
    ix_splitter_free(c->splitter);
    ix_decode_stages_free(c->decoder);
    *c = (component){ 0 };
}

/* A part of an answer, as in the goldens: its ranges are whole characters of the source. */
typedef inox_status (*take_part)(void *context, const char *text, size_t size, uint32_t start,
                                 uint32_t end, inox_error *err);

static inox_status run_normalizer(const ix_normalizer *n, ix_text_view source, take_part take,
                                  void *context, inox_error *err)
{
    ix_mapped_text t = { .data = source.data, .size = source.size };
    ix_map_cursor c = { 0 };
    inox_status status = ix_normalize(n, &t, err);
    for (size_t at = 0, size; status == INOX_OK && at < t.size; at += size) {
        uint32_t code, start, end;
        size = ix_utf8_read(t.data + at, t.size - at, &code);
        ix_mapped_range(&t, &c, at, at + size, &start, &end);
        ix_whole_characters(source.data, source.size, &start, &end);
        status = take(context, t.data + at, size, start, end, err);
    }
    ix_mapped_release(&t);
    return status;
}

static inox_status run_splitter(const ix_splitter *p, ix_text_view source, take_part take,
                                void *context, inox_error *err)
{
    ix_mapped_text t = { .data = source.data, .size = source.size };
    ix_split s = { 0 };
    ix_map_cursor c = { 0 };
    inox_status status = ix_split_begin(&s, &t, err);
    if (status == INOX_OK)
        status = ix_splitter_run(p, &s, false, err);
    for (size_t i = 0; status == INOX_OK && i < s.count; i++) {
        uint32_t start, end;
        ix_piece_range r = s.pieces[i];
        ix_mapped_range(&s.text, &c, r.start, r.end, &start, &end);
        ix_whole_characters(source.data, source.size, &start, &end);
        status = take(context, s.text.data + r.start, r.end - r.start, start, end, err);
    }
    ix_split_release(&s);
    return status;
}

static inox_status run_text(const component *c, ix_text_view source, take_part take, void *context,
                            inox_error *err)
{
    return c->splitter ? run_splitter(c->splitter, source, take, context, err)
                       : run_normalizer(c->normalizer, source, take, context, err);
}

/* Token by token has to give what all at once gives, and never half a character. */
static inox_status run_decoder(ix_test *t, const ix_decode_stages *d, const json_t *tokens,
                               ix_buffer *out, inox_error *err)
{
    ix_text_view views[64];
    ix_buffer streamed = { 0 };
    ix_decode_stream *stream;
    size_t count = json_array_size(tokens);
    CHECK(count <= 64);
    IX_TRY(ix_decode_stream_new(d, &stream, err));
    inox_status status = INOX_OK;
    for (size_t i = 0; i < count && status == INOX_OK; i++) {
        const json_t *token = json_array_get(tokens, i);
        size_t before = streamed.size;
        bool whole = true, bad = false;
        views[i] = (ix_text_view){ json_string_value(token), json_string_length(token) };
        status = ix_decode_stream_push(stream, views[i], &streamed, err);
        for (size_t at = before; at < streamed.size && whole && !bad;)
            at += ix_utf8_prefix(streamed.data + at, streamed.size - at, &whole, &bad);
        CHECK(whole && !bad);
    }
    if (status == INOX_OK)
        status = ix_decode_stream_flush(stream, &streamed, err);
    if (status == INOX_OK) {
        status = ix_decode_tokens(d, views, count, out, err);
        CHECK(status != INOX_OK ||
              (out->size == streamed.size &&
               (out->size == 0 || memcmp(out->data, streamed.data, out->size) == 0)));
    }
    ix_decode_stream_free(stream);
    ix_buffer_release(&streamed);
    return status;
}

/* ---- goldens -------------------------------------------------------------------------------- */

/* The answer in JSON. */
static inox_status add_part(void *context, const char *text, size_t size, uint32_t start,
                            uint32_t end, inox_error *err)
{
    json_t *part = json_pack("[s%,i,i]", text, size, (int)start, (int)end);
    if (json_array_append_new(context, part) != 0)
        return ix_fail(err, INOX_E_INTERNAL, "the piece is not UTF-8");
    return INOX_OK;
}

static void check_case(ix_test *t, const char *name, const component *c, const json_t *given,
                       const json_t *want)
{
    inox_error err;
    inox_status status;
    json_t *got = NULL;
    if (json_is_array(given)) {
        ix_buffer out = { 0 };
        status = run_decoder(t, c->decoder, given, &out, &err);
        got = json_stringn(out.data ? out.data : "", out.size);
        ix_buffer_release(&out);
    } else {
        ix_text_view text = { json_string_value(given), json_string_length(given) };
        got = json_array();
        status = run_text(c, text, add_part, got, &err);
    }
    if (json_is_null(want)) {
        CHECK_MSG(status != INOX_OK, "%s: no error", name);
    } else {
        char *text = json_dumps(got, JSON_ENCODE_ANY);
        CHECK_OK(status, &err);
        CHECK_MSG(json_equal(got, want), "%s: %.300s", name, text);
        free(text);
    }
    json_decref(got);
}

static json_t *load(ix_test *t, const char *file)
{
    json_error_t error;
    json_t *j = json_load_file(ix_test_file(file), JSON_ALLOW_NUL, &error);
    CHECK_MSG(j != NULL, "%s: %s", file, error.text);
    return j;
}

TEST(components_goldens)
{
    json_t *goldens = load(t, "data/text/components.json"), *golden, *one;
    size_t i, k;
    json_array_foreach(goldens, i, golden)
    {
        component c;
        inox_error err;
        const char *name = json_string_value(json_object_get(golden, "name"));
        CHECK_OK(component_new(json_string_value(json_object_get(golden, "kind")),
                               json_object_get(golden, "component"), &c, &err),
                 &err);
        json_array_foreach(json_object_get(golden, "cases"), k, one)
            check_case(t, name, &c, json_array_get(one, 0), json_array_get(one, 1));
        component_free(&c);
    }
    json_decref(goldens);
}

/* ---- every character ------------------------------------------------------------------------ */

static inox_status hash_part(void *context, const char *text, size_t size, uint32_t start,
                             uint32_t end, inox_error *err)
{
    uint32_t numbers[] = { start, end, (uint32_t)size };
    unsigned char bytes[12];
    for (size_t i = 0; i < 12; i++)
        bytes[i] = (unsigned char)(numbers[i / 4] >> i % 4 * 8);
    IX_TRY(ix_buffer_append(context, bytes, 12, err));
    return ix_buffer_append(context, text, size, err);
}

/* 1,024 characters at a time, each behind an a. */
static inox_status hash_all(const component *c, ix_sha256 *h, inox_error *err)
{
    static char text[1024 * 5];
    ix_buffer out = { 0 };
    inox_status status = INOX_OK;
    for (uint32_t next = 0; next < 0x110000 && status == INOX_OK;) {
        size_t size = 0;
        for (int n = 0; n < 1024 && next < 0x110000; next++) {
            if (next >= 0xD800 && next < 0xE000)
                continue;
            text[size++] = 'a';
            size += ix_utf8_write(next, text + size);
            n++;
        }
        out.size = 0;
        status = run_text(c, (ix_text_view){ text, size }, hash_part, &out, err);
        if (status == INOX_OK)
            status = ix_sha256_update(h, out.data, out.size, err);
    }
    ix_buffer_release(&out);
    return status;
}

TEST(components_every_character)
{
    json_t *goldens = load(t, "data/text/characters.json"), *golden;
    size_t i;
    json_array_foreach(goldens, i, golden)
    {
        component c;
        inox_error err;
        ix_sha256 *h = NULL;
        uint8_t digest[IX_SHA256_BYTES];
        char hex[IX_SHA256_HEX];
        CHECK_OK(component_new(json_string_value(json_object_get(golden, "kind")),
                               json_object_get(golden, "component"), &c, &err),
                 &err);
        CHECK_OK(ix_sha256_new(&h, &err), &err);
        CHECK_OK(hash_all(&c, h, &err), &err);
        CHECK_OK(ix_sha256_final(h, digest, &err), &err);
        ix_hex(digest, sizeof digest, hex);
        CHECK_MSG(strcmp(hex, json_string_value(json_object_get(golden, "sha256"))) == 0,
                  "%s differs from the library in some character",
                  json_string_value(json_object_get(golden, "name")));
        ix_sha256_free(h);
        component_free(&c);
    }
    json_decref(goldens);
}

/* ---- the map -------------------------------------------------------------------------------- */

static void check_range(ix_test *t, const ix_mapped_text *m, size_t start, size_t end,
                        uint32_t from, uint32_t to)
{
    for (size_t hint = 0; hint < 4; hint++) {
        ix_map_cursor c = { hint };
        uint32_t a, b;
        ix_mapped_range(m, &c, start, end, &a, &b);
        CHECK_MSG(a == from && b == to, "[%zu,%zu) is [%u,%u), not [%u,%u)", start, end, a, b, from,
                  to);
    }
    CHECK(ix_mapped_start(m, start) == from && ix_mapped_end(m, end - 1) == to);
}

TEST(components_map_of_a_map)
{
    inox_error err;
    ix_mapped_text m = { .data = "abcdef", .size = 6, .base = 10 };
    ix_rewrite w;
    check_range(t, &m, 1, 3, 11, 13);
    CHECK_OK(ix_rewrite_begin(&w, &m, 0, &err), &err); /* abXYZf */
    CHECK_OK(ix_rewrite_copy(&w, 0, 2, &err), &err);
    CHECK_OK(ix_rewrite_put(&w, "XYZ", 3, 2, 5, &err), &err);
    CHECK_OK(ix_rewrite_copy(&w, 5, 6, &err), &err);
    ix_rewrite_finish(&w, &m);
    CHECK(m.size == 6 && memcmp(m.data, "abXYZf", 6) == 0 && m.base == 10);
    check_range(t, &m, 0, 2, 10, 12);
    check_range(t, &m, 2, 3, 12, 15);
    check_range(t, &m, 1, 6, 11, 16);
    CHECK_OK(ix_rewrite_begin(&w, &m, 0, &err), &err); /* bXqYZf! */
    CHECK_OK(ix_rewrite_copy(&w, 1, 3, &err), &err);
    CHECK_OK(ix_rewrite_put(&w, "q", 1, 3, 4, &err), &err);
    CHECK_OK(ix_rewrite_copy(&w, 3, 6, &err), &err);
    CHECK_OK(ix_rewrite_put(&w, "!", 1, 6, 6, &err), &err);
    ix_rewrite_finish(&w, &m);
    CHECK(m.size == 7 && memcmp(m.data, "bXqYZf!", 7) == 0);
    check_range(t, &m, 0, 1, 11, 12);
    check_range(t, &m, 1, 5, 12, 15);
    check_range(t, &m, 5, 6, 15, 16);
    check_range(t, &m, 6, 7, 16, 16);
    ix_mapped_release(&m);
}

/* What changes nothing leaves the caller's bytes where they are. */
TEST(components_identity_costs_nothing)
{
    static const char *const types[] = { "NFC", "NFD",       "NFKC",        "NFKD",
                                         "Nmt", "Lowercase", "StripAccents" };
    static const char text[] = "plain text; 中文 и кириллица, कि शुद्ध";
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        json_t *j = json_pack("{s:s}", "type", types[i]);
        ix_normalizer *n;
        inox_error err;
        ix_mapped_text m = { .data = text, .size = i < 6 ? sizeof text - 1 : 20 };
        CHECK_OK(ix_normalizer_from_json(j, &n, &err), &err);
        uint64_t before = ix_alloc_count();
        CHECK_OK(ix_normalize(n, &m, &err), &err);
        CHECK_MSG(m.data == text && m.run_count == 0, "%s wrote", types[i]);
        CHECK_MSG(ix_alloc_count() == before, "%s took memory", types[i]);
        ix_mapped_release(&m);
        ix_normalizer_free(n);
        json_decref(j);
    }
}

/* ---- pre-tokenizers ------------------------------------------------------------------------- */

TEST(components_raw_bytes)
{
    json_error_t error;
    inox_error err;
    json_t *j = json_loads("{\"type\": \"ByteLevel\", \"add_prefix_space\": true, "
                           "\"trim_offsets\": true}",
                           0, &error);
    ix_splitter *p;
    CHECK_OK(ix_splitter_from_json(j, &p, &err), &err);
    CHECK(ix_splitter_writes_bytes(p) && ix_splitter_pattern(p) == NULL);
    ix_split s = { 0 };
    ix_mapped_text m = { .data = "h\xC3\xA9 you", .size = 7, .base = 3 };
    CHECK_OK(ix_split_begin(&s, &m, &err), &err);
    CHECK_OK(ix_splitter_run(p, &s, true, &err), &err);
    CHECK(s.count == 2 && s.text.size == 8 && memcmp(s.text.data, " h\xC3\xA9 you", 8) == 0);
    CHECK(s.count == 2 && s.pieces[0].end == 4 && s.pieces[1].end == 8);
    check_range(t, &s.text, 0, 2, 3, 4);
    check_range(t, &s.text, 4, 8, 6, 10);
    ix_split_release(&s);
    ix_splitter_free(p);
    json_decref(j);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void check_refused(ix_test *t, const char *kind, const char *text, const char *words)
{
    json_error_t error;
    json_t *j = json_loads(text, JSON_DECODE_ANY, &error);
    component c;
    inox_error err = { 0 };
    CHECK_MSG(j != NULL, "%s", error.text);
    inox_status status = component_new(kind, j, &c, &err);
    CHECK_MSG(status != INOX_OK && !c.normalizer && !c.splitter && !c.decoder, "%s is taken", text);
    CHECK_MSG(strstr(err.message, words), "%s: '%s'", text, err.message);
    json_decref(j);
}

TEST(components_refused)
{
    check_refused(t, "normalizer", "{\"type\": \"Foo\"}", "'Foo'; supported are BertNormalizer, ");
    check_refused(t, "normalizer", "{}", "no type");
    check_refused(t, "normalizer", "3", "not a JSON object");
    check_refused(t, "normalizer", "{\"type\": \"Strip\", \"strip_left\": true}", "'strip_right'");
    check_refused(t, "normalizer", "{\"type\": \"Replace\", \"pattern\": \"a\", \"content\": \"\"}",
                  "{\"String\"");
    check_refused(t, "normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"\"}",
                  "character map");
    check_refused(t, "normalizer",
                  "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AA*A\"}", "base64");
    check_refused(t, "normalizer",
                  "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"////fw==\"}", "trie");
    check_refused(t, "pre_tokenizer", "{\"type\": \"Foo\"}", "'Foo'");
    check_refused(t, "pre_tokenizer",
                  "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"add_prefix_space\": false}",
                  "add_prefix_space");
    check_refused(t, "pre_tokenizer", "{\"type\": \"Metaspace\", \"replacement\": \"__\"}",
                  "one character");
    check_refused(t, "pre_tokenizer", "{\"type\": \"Punctuation\", \"behavior\": \"isolated\"}",
                  "one of Removed, Isolated");
    check_refused(t, "pre_tokenizer", "{\"type\": \"FixedLength\", \"length\": 0}", "length");
    check_refused(t, "decoder", "{\"type\": \"Foo\"}", "'Foo'");
    check_refused(t, "decoder", "{\"type\": \"WordPiece\", \"prefix\": \"##\"}", "'cleanup'");
}

/* Sequences in sequences end at a limit and not in the stack. */
TEST(components_deep_sequences)
{
    static const char *const keys[][2] = { { "normalizer", "normalizers" },
                                           { "pre_tokenizer", "pretokenizers" },
                                           { "decoder", "decoders" } };
    for (size_t k = 0; k < 3; k++) {
        json_t *j = json_pack("{s:s, s:[]}", "type", "Sequence", keys[k][1]);
        for (int i = 0; i < 500; i++)
            j = json_pack("{s:s, s:[o]}", "type", "Sequence", keys[k][1], j);
        component c;
        inox_error err;
        CHECK(component_new(keys[k][0], j, &c, &err) == INOX_E_LIMIT);
        json_decref(j);
    }
}

/* ---- faults and worst cases ----------------------------------------------------------------- */

static inox_status nothing(void *context, const char *text, size_t size, uint32_t start,
                           uint32_t end, inox_error *err)
{
    (void)context;
    (void)text;
    (void)size;
    (void)start;
    (void)end;
    (void)err;
    return INOX_OK;
}

static inox_status use(ix_test *t, const json_t *golden, inox_error *err)
{
    component c;
    ix_buffer out = { 0 };
    const json_t *given = json_array_get(json_array_get(json_object_get(golden, "cases"), 0), 0);
    inox_status status = component_new(json_string_value(json_object_get(golden, "kind")),
                                       json_object_get(golden, "component"), &c, err);
    if (status == INOX_OK && c.decoder)
        status = run_decoder(t, c.decoder, given, &out, err);
    else if (status == INOX_OK)
        status = run_text(&c, (ix_text_view){ json_string_value(given), json_string_length(given) },
                          nothing, NULL, err);
    ix_buffer_release(&out);
    component_free(&c);
    return status;
}

TEST(components_survive_failing_allocations)
{
    json_t *goldens = load(t, "data/text/components.json"), *golden;
    size_t i;
    json_array_foreach(goldens, i, golden)
    {
        inox_error err;
        inox_status status = INOX_E_MEMORY, alone = use(t, golden, &err);
        for (uint64_t n = 1; n < 400 && status == INOX_E_MEMORY; n++) {
            ix_alloc_fail_at(n, 1);
            status = use(t, golden, &err);
            ix_alloc_fail_at(0, 0);
        }
        CHECK_MSG(status == alone, "%s: %s", json_string_value(json_object_get(golden, "name")),
                  err.message);
    }
    json_decref(goldens);
}

static double seconds_of(const component *c, const char *unit, size_t bytes)
{
    ix_buffer b = { 0 };
    inox_error err;
    while (b.size < bytes)
        if (ix_buffer_append(&b, unit, strlen(unit), &err) != INOX_OK)
            return 1e9;
    clock_t start = clock(); /* of the processor: other programs do not count */
    inox_status status = run_text(c, (ix_text_view){ b.data, b.size }, nothing, NULL, &err);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    ix_buffer_release(&b);
    return status == INOX_OK ? seconds : 1e9;
}

/* Four times the text may not take sixteen times as long, in the best of a few tries. */
TEST(components_linear)
{
    static const char *const units[] = { "\u0301\u0323", "\u0e33", "z\u0301",
                                         "\uac00",       "\u1100", "\U0001F1E6",
                                         "\u200d",       " ",      "a",
                                         "\ufb01",       "\u4e00", "\U0001F469\u200D" };
    json_t *goldens = load(t, "data/text/components.json"), *golden;
    size_t i;
    json_array_foreach(goldens, i, golden)
    {
        component c;
        inox_error err;
        const char *kind = json_string_value(json_object_get(golden, "kind"));
        if (strcmp(kind, "decoder") == 0)
            continue;
        CHECK_OK(component_new(kind, json_object_get(golden, "component"), &c, &err), &err);
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            double small = 0, large = 1e9;
            for (int round = 0; round < 5 && large > small * 12 + 0.01; round++) {
                small = seconds_of(&c, units[u], 20000);
                large = seconds_of(&c, units[u], 80000);
            }
            CHECK_MSG(large <= small * 12 + 0.01, "%s on '%s': %g s and %g s",
                      json_string_value(json_object_get(golden, "name")), units[u], small, large);
        }
        component_free(&c);
    }
    json_decref(goldens);
}

/* Bytes that are not UTF-8 are the caller's to repair; nothing goes wrong with them even so. */
TEST(components_any_bytes)
{
    json_t *goldens = load(t, "data/text/components.json"), *golden;
    uint64_t state = 7;
    char bytes[64];
    size_t i;
    json_array_foreach(goldens, i, golden)
    {
        component c;
        inox_error err;
        const char *kind = json_string_value(json_object_get(golden, "kind"));
        if (strcmp(kind, "decoder") == 0)
            continue;
        CHECK_OK(component_new(kind, json_object_get(golden, "component"), &c, &err), &err);
        for (int round = 0; round < 100; round++) {
            for (size_t k = 0; k < sizeof bytes; k++)
                bytes[k] = (char)(ix_test_random(&state) >> (round % 2 ? 56 : 57));
            CHECK_OK(run_text(&c, (ix_text_view){ bytes, sizeof bytes }, nothing, NULL, &err),
                     &err);
        }
        component_free(&c);
    }
    json_decref(goldens);
}
