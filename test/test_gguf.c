/* front/gguf: well-formed files of every kind, and every way in which a file can be wrong. */
#include "gguf_writer.h"

#include "base/limits.h"
#include "front/gguf/table.h"

#include <math.h>

/* ---- good files ------------------------------------------------------------------------ */

/* Positions in the sample, for the tests that damage it. */
typedef struct sample {
    ix_buffer bytes;
    size_t name_value, tokens_value, tensor_a, tensor_b, header_end, data, end;
} sample;

/* Some metadata and two tensors: a, F32 [4, 2], 32 bytes at data; b, Q8_0 [32], 34 bytes behind. */
static sample make_sample(uint32_t version)
{
    static const uint64_t A[] = { 4, 2 }, B[] = { 32 };
    sample s = { 0 };
    ix_buffer *b = &s.bytes;

    put_header(b, version, 2, 4);
    put_key(b, "general.name", IX_GGUF_STRING);
    s.name_value = b->size;
    put_string(b, "sample");
    put_key_u32(b, "x.block_count", 7);
    put_array(b, "tokens", IX_GGUF_STRING, 3);
    s.tokens_value = b->size - 12;
    put_string(b, "a");
    put_string(b, "");
    put_bytes(b, "b\0c", 3);
    put_key(b, "x.flag", IX_GGUF_BOOL);
    put_number(b, 1, 1);
    s.tensor_a = b->size;
    put_tensor(b, "a", 2, A, 0, 0);
    s.tensor_b = b->size;
    put_tensor(b, "b", 1, B, 8, 32);
    s.header_end = b->size;
    pad(b, 32);
    s.data = b->size;
    put_data(b, 32 + 34);
    s.end = b->size; /* no padding behind the last tensor */
    return s;
}

static bool text_is(ix_gguf_string s, const char *bytes, size_t n)
{
    return s.size == n && memcmp(s.data, bytes, n) == 0;
}

TEST(gguf_sample)
{
    for (uint32_t version = 2; version <= 3; version++) {
        sample s = make_sample(version);
        ix_gguf_string text;
        inox_error err;
        uint32_t u;
        ix_gguf *g;
        bool flag;

        CHECK_OK(ix_gguf_open_memory(s.bytes.data, s.bytes.size, &g, &err), &err);
        CHECK(ix_gguf_file_count(g) == 1 && ix_gguf_file_at(g, 0)->version == version);
        CHECK(ix_gguf_file_at(g, 0)->alignment == 32);
        CHECK(ix_gguf_file_at(g, 0)->data_offset == s.data);
        CHECK(ix_gguf_value_count(g) == 4 && ix_gguf_tensor_count(g) == 2);
        CHECK_OK(ix_gguf_get_string(g, "general.name", &text, &err), &err);
        CHECK(text_is(text, "sample", 6));
        CHECK_OK(ix_gguf_get_u32(g, "x.block_count", &u, &err), &err);
        CHECK(u == 7);
        CHECK_OK(ix_gguf_get_bool(g, "x.flag", &flag, &err), &err);
        CHECK(flag);
        const ix_gguf_value *v = ix_gguf_find(g, "tokens");
        CHECK(v != NULL && v->count == 3 && v->position == s.tokens_value);
        CHECK_OK(ix_gguf_item_string(v, 2, &text, &err), &err);
        CHECK(text_is(text, "b\0c", 3));
        CHECK(ix_gguf_item_string(v, 3, &text, &err) == INOX_E_ARGUMENT);
        const ix_gguf_tensor *a = ix_gguf_find_tensor(g, "a"), *b = ix_gguf_find_tensor(g, "b");
        CHECK(a == ix_gguf_tensor_at(g, 0) && b == ix_gguf_tensor_at(g, 1));
        CHECK(a->rank == 2 && a->dims[0] == 4 && a->dims[1] == 2 && a->dims[2] == 1);
        CHECK(a->type == IX_TYPE_F32 && a->bytes == 32 && ix_gguf_tensor_elements(a) == 8);
        CHECK(b->type == IX_TYPE_Q8_0 && b->bytes == 34 && b->offset == s.data + 32);
        CHECK(a->data[0] == 1 && b->data[0] == 33 && b->data[33] == 66 && b->file == 0);
        CHECK(ix_gguf_find_tensor(g, "c") == NULL && ix_gguf_find(g, "c") == NULL);
        ix_gguf_close(g);
        ix_buffer_release(&s.bytes);
    }
    ix_gguf_close(NULL);
}

/* One key for each type and one array of each, named by the type's number. */
static void put_all_types(ix_buffer *b)
{
    char key[32];

    put_header(b, 3, 0, 24);
    for (uint32_t type = 0; type < IX_GGUF_TYPE_COUNT; type++) {
        static const unsigned SIZE[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
        uint64_t value = type == IX_GGUF_BOOL ? 1 : UINT64_MAX; /* -1, or the largest, or NaN */

        if (type == IX_GGUF_ARRAY)
            continue;
        snprintf(key, sizeof key, "one.%u", type);
        put_key(b, key, type);
        if (type == IX_GGUF_STRING)
            put_string(b, "text");
        else
            put_number(b, value, SIZE[type]);
        snprintf(key, sizeof key, "array.%u", type);
        put_array(b, key, type, 2);
        for (int i = 0; i < 2; i++) {
            if (type == IX_GGUF_STRING)
                put_string(b, i == 0 ? "x" : "");
            else
                put_number(b, i == 0 ? 0 : value, SIZE[type]);
        }
    }
}

TEST(gguf_every_value_type)
{
    static const char *const ONE[] = { "255", "-1", "65535", "-1", "4294967295", "-1", "\"NaN\"",
                                       "true", "\"text\"", NULL, "18446744073709551615", "-1",
                                       "\"NaN\"" };
    ix_buffer b = { 0 }, text = { 0 };
    char key[32], array[64];
    inox_error err;
    ix_gguf *g;

    put_all_types(&b);
    CHECK_OK(ix_gguf_open_memory(b.data, b.size, &g, &err), &err);
    for (uint32_t type = 0, i = 0; type < IX_GGUF_TYPE_COUNT; type++) {
        if (type == IX_GGUF_ARRAY)
            continue;
        const ix_gguf_value *v = ix_gguf_value_at(g, i);
        snprintf(key, sizeof key, "one.%u", type);
        CHECK(strcmp(v->key, key) == 0 && v->key_size == strlen(key) && v->count == 1);
        CHECK(v->type == (ix_gguf_type)type && v->item_type == (ix_gguf_type)type);
        text.size = 0;
        CHECK_OK(ix_gguf_value_format(g, i++, &text, 9, &err), &err);
        CHECK_MSG(strcmp(text.data, ONE[type]) == 0, "%s: %s", key, text.data);
        v = ix_gguf_value_at(g, i);
        CHECK(v->type == IX_GGUF_ARRAY && v->item_type == (ix_gguf_type)type && v->count == 2);
        snprintf(array, sizeof array, "[%s, %s]",
                 type == IX_GGUF_STRING ? "\"x\"" : type == IX_GGUF_BOOL ? "false" : "0",
                 type == IX_GGUF_STRING ? "\"\"" : ONE[type]);
        text.size = 0;
        CHECK_OK(ix_gguf_value_format(g, i++, &text, 2, &err), &err);
        CHECK_MSG(strcmp(text.data, array) == 0, "%s: %s", v->key, text.data);
    }
    ix_gguf_close(g);
    ix_buffer_release(&text);
    ix_buffer_release(&b);
}

/* A file with one tensor of two rows of 256 elements of each type. */
TEST(gguf_every_tensor_type)
{
    static const uint64_t DIMS[] = { 256, 1, 2 };
    uint64_t offsets[IX_TYPE_COUNT], end = 0;
    ix_buffer b = { 0 };
    inox_error err;
    ix_gguf *g;

    put_header(&b, 3, IX_TYPE_COUNT, 0);
    for (int i = 0; i < IX_TYPE_COUNT; i++) {
        const ix_type_info *info = ix_type_of((ix_type)i);

        offsets[i] = end;
        put_tensor(&b, info->name, 3, DIMS, info->ggml_id, end);
        end += (512 / info->block_elements * info->block_bytes + 31) / 32 * 32;
    }
    pad(&b, 32);
    size_t data = b.size;
    put_data(&b, end);
    CHECK_OK(ix_gguf_open_memory(b.data, b.size, &g, &err), &err);
    for (int i = 0; i < IX_TYPE_COUNT; i++) {
        const ix_type_info *info = ix_type_of((ix_type)i);
        const ix_gguf_tensor *tensor = ix_gguf_find_tensor(g, info->name);

        CHECK(tensor != NULL && tensor->type == (ix_type)i && tensor->offset == data + offsets[i]);
        CHECK(tensor->bytes == (uint64_t)(512 / info->block_elements * info->block_bytes));
        CHECK(tensor->rank == 3 && tensor->data == (const uint8_t *)b.data + tensor->offset);
    }
    ix_gguf_close(g);
    ix_buffer_release(&b);
}

TEST(gguf_json_text)
{
    static const struct {
        const char *in;
        size_t size;
        const char *out;
    } CASES[] = {
        { "plain", 5, "\"plain\"" },
        { "q\"b\\n\nt\tz\0", 10, "\"q\\\"b\\\\n\\nt\\tz\\u0000\"" },
        { "\x7f\xc2\x85\xc3\xa9", 5, "\"\\u007f\\u0085\xc3\xa9\"" },
        { "\xf0\x9f\x98\x80!", 5, "\"\xf0\x9f\x98\x80!\"" },
        { "a\xff" "b", 3, "\"a\xef\xbf\xbd" "b\"" },
        { "\xe2\x82", 2, "\"\xef\xbf\xbd\"" },                         /* cut short: one */
        { "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* a surrogate: three */
        { "\xc0\x80\xf5", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xf0\x9f\x98" "x", 4, "\"\xef\xbf\xbdx\"" },
        { "\xe0\xa4\x85\xe0\x80\x80", 6, /* an overlong form behind a letter: three */
          "\"\xe0\xa4\x85\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xf4\x8f\xbf\xbf\xf4\x90", 6, "\"\xf4\x8f\xbf\xbf\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "", 0, "\"\"" },
    };
    static const struct {
        double value;
        bool single;
        const char *out;
    } NUMBERS[] = {
        { 0.1, true, "0.1" },         { 1e-5, true, "1e-05" },      { 10000.0, true, "10000" },
        { 1.0 / 3.0, true, "0.33333334" }, { -0.0, true, "-0" },    { 0.1, false, "0.1" },
        { 1.0 / 3.0, false, "0.3333333333333333" },                 { 1e300, false, "1e+300" },
        { HUGE_VAL, true, "\"Infinity\"" },  { -HUGE_VAL, false, "\"-Infinity\"" },
    };
    const size_t cases = sizeof CASES / sizeof CASES[0];
    const size_t numbers = sizeof NUMBERS / sizeof NUMBERS[0];
    ix_buffer b = { 0 }, text = { 0 };
    inox_error err;
    char key[32];
    ix_gguf *g;

    put_header(&b, 3, 0, cases + numbers + 1);
    for (size_t i = 0; i < cases; i++) {
        snprintf(key, sizeof key, "case.%zu", i);
        put_key(&b, key, IX_GGUF_STRING);
        put_bytes(&b, CASES[i].in, CASES[i].size);
    }
    for (size_t i = 0; i < numbers; i++) {
        float single = (float)NUMBERS[i].value;

        snprintf(key, sizeof key, "number.%zu", i);
        put_key(&b, key, NUMBERS[i].single ? IX_GGUF_F32 : IX_GGUF_F64);
        put(&b, NUMBERS[i].single ? (const void *)&single : (const void *)&NUMBERS[i].value,
            NUMBERS[i].single ? 4 : 8);
    }
    put_array(&b, "long", IX_GGUF_I16, 3);
    put_number(&b, 1 | 2u << 16 | (uint64_t)3 << 32, 6);
    CHECK_OK(ix_gguf_open_memory(b.data, b.size, &g, &err), &err);
    for (size_t i = 0; i < cases + numbers; i++) {
        const char *wanted = i < cases ? CASES[i].out : NUMBERS[i - cases].out;

        text.size = 0;
        CHECK_OK(ix_gguf_value_format(g, i, &text, 0, &err), &err);
        CHECK_MSG(strcmp(text.data, wanted) == 0, "%s instead of %s", text.data, wanted);
    }
    text.size = 0;
    CHECK_OK(ix_gguf_value_format(g, cases + numbers, &text, 2, &err), &err);
    CHECK(strcmp(text.data, "{\"type\": \"int16\", \"count\": 3, \"first\": [1, 2]}") == 0);
    text.size = 0;
    CHECK_OK(ix_gguf_value_format(g, cases + numbers, &text, 0, &err), &err);
    CHECK(strcmp(text.data, "{\"type\": \"int16\", \"count\": 3, \"first\": []}") == 0);
    ix_gguf_close(g);
    ix_buffer_release(&text);
    ix_buffer_release(&b);
}

/* Vocabulary-only files: no tensors, with and without padding, whatever follows. */
TEST(gguf_without_tensors)
{
    for (size_t extra = 0; extra < 70; extra += 23) {
        ix_buffer b = { 0 };
        inox_error err;
        ix_gguf *g;

        put_header(&b, 3, 0, 1);
        put_key_u32(&b, "general.alignment", 4096);
        size_t end = b.size;
        put_data(&b, extra);
        CHECK_OK(ix_gguf_open_memory(b.data, b.size, &g, &err), &err);
        CHECK(ix_gguf_tensor_count(g) == 0 && ix_gguf_file_at(g, 0)->data_offset == end);
        CHECK(ix_gguf_find_tensor(g, "x") == NULL);
        ix_gguf_close(g);
        ix_buffer_release(&b);
    }
}

/* ---- getters --------------------------------------------------------------------------- */

TEST(gguf_getters)
{
    ix_buffer b = { 0 };
    ix_gguf_string text;
    inox_error err;
    uint64_t u64;
    uint32_t u32;
    int64_t i64;
    ix_gguf *g;
    float f32;
    bool flag;

    put_all_types(&b);
    CHECK_OK(ix_gguf_open_memory(b.data, b.size, &g, &err), &err);
    CHECK(ix_gguf_get_u32(g, "one.0", &u32, &err) == INOX_OK && u32 == 255);
    CHECK(ix_gguf_get_u64(g, "one.10", &u64, &err) == INOX_OK && u64 == UINT64_MAX);
    CHECK(ix_gguf_get_i64(g, "one.11", &i64, &err) == INOX_OK && i64 == -1);
    CHECK(ix_gguf_get_i64(g, "one.1", &i64, &err) == INOX_OK && i64 == -1);
    CHECK(ix_gguf_get_f32(g, "one.3", &f32, &err) == INOX_OK && f32 == -1.0f);
    CHECK(ix_gguf_get_f32(g, "one.10", &f32, &err) == INOX_OK && f32 == 18446744073709551616.0f);
    CHECK(ix_gguf_get_f32(g, "one.12", &f32, &err) == INOX_OK && f32 != f32);
    CHECK(ix_gguf_get_bool(g, "one.7", &flag, &err) == INOX_OK && flag);
    CHECK(ix_gguf_get_string(g, "one.8", &text, &err) == INOX_OK && text_is(text, "text", 4));

    /* Values that do not fit and types that do not match, at their position. */
    u32 = 5;
    CHECK(ix_gguf_get_u32(g, "one.5", &u32, &err) == INOX_E_FORMAT && u32 == 5);
    CHECK(err.position == (int64_t)ix_gguf_find(g, "one.5")->position);
    CHECK(strstr(err.message, "-1") != NULL && strstr(err.message, "one.5") != NULL);
    CHECK(ix_gguf_get_u32(g, "one.10", &u32, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_get_i64(g, "one.10", &i64, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_get_u64(g, "one.8", &u64, &err) == INOX_E_FORMAT);
    CHECK(err.position == (int64_t)ix_gguf_find(g, "one.8")->position);
    CHECK(ix_gguf_get_u64(g, "one.6", &u64, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_get_u64(g, "one.7", &u64, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_get_f32(g, "one.7", &f32, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_get_f32(g, "one.8", &f32, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_get_bool(g, "one.0", &flag, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_get_string(g, "one.0", &text, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_get_u32(g, "array.4", &u32, &err) == INOX_E_FORMAT);
    CHECK(err.position == (int64_t)ix_gguf_find(g, "array.4")->position);
    CHECK(ix_gguf_get_u32(g, "none", &u32, &err) == INOX_E_FORMAT && err.position == -1);
    CHECK(strstr(err.message, "none") != NULL);
    ix_gguf_close(g);
    ix_buffer_release(&b);
}

TEST(gguf_getters_optional)
{
    ix_buffer b = { 0 };
    ix_gguf_string text;
    inox_error err;
    uint64_t u64;
    uint32_t u32;
    int64_t i64;
    ix_gguf *g;
    float f32;
    bool flag;

    put_all_types(&b);
    CHECK_OK(ix_gguf_open_memory(b.data, b.size, &g, &err), &err);
    CHECK(ix_gguf_optional_u32(g, "none", 9, &u32, &err) == INOX_OK && u32 == 9);
    CHECK(ix_gguf_optional_u32(g, "one.0", 9, &u32, &err) == INOX_OK && u32 == 255);
    CHECK(ix_gguf_optional_u32(g, "one.8", 9, &u32, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_optional_u64(g, "none", 9, &u64, &err) == INOX_OK && u64 == 9);
    CHECK(ix_gguf_optional_i64(g, "none", -9, &i64, &err) == INOX_OK && i64 == -9);
    CHECK(ix_gguf_optional_f32(g, "none", 0.5f, &f32, &err) == INOX_OK && f32 == 0.5f);
    CHECK(ix_gguf_optional_bool(g, "none", true, &flag, &err) == INOX_OK && flag);
    CHECK(ix_gguf_optional_string(g, "none", "yes", &text, &err) == INOX_OK &&
          text_is(text, "yes", 3));
    CHECK(ix_gguf_optional_string(g, "none", NULL, &text, &err) == INOX_OK && text.data == NULL);
    CHECK(ix_gguf_optional_string(g, "one.8", NULL, &text, &err) == INOX_OK &&
          text_is(text, "text", 4));
    CHECK(ix_gguf_optional_string(g, "one.0", NULL, &text, &err) == INOX_E_FORMAT);
    ix_gguf_close(g);
    ix_buffer_release(&b);
}

TEST(gguf_getters_of_arrays)
{
    ix_buffer b = { 0 };
    ix_gguf_string text;
    const ix_gguf_value *v;
    inox_error err;
    uint64_t u64;
    int64_t i64;
    double f64;
    ix_gguf *g;

    put_all_types(&b);
    CHECK_OK(ix_gguf_open_memory(b.data, b.size, &g, &err), &err);
    CHECK(ix_gguf_find_strings(g, "array.8", &v, &err) == INOX_OK && v->count == 2);
    CHECK(ix_gguf_find_strings(g, "none", &v, &err) == INOX_OK && v == NULL);
    CHECK(ix_gguf_find_strings(g, "array.6", &v, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_find_numbers(g, "array.8", &v, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_find_numbers(g, "one.4", &v, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_find_numbers(g, "array.3", &v, &err) == INOX_OK);
    CHECK(ix_gguf_item_i64(v, 1, &i64, &err) == INOX_OK && i64 == -1);
    CHECK(ix_gguf_item_f64(v, 1, &f64, &err) == INOX_OK && f64 == -1.0);
    CHECK(ix_gguf_item_u64(v, 1, &u64, &err) == INOX_E_FORMAT);
    CHECK(err.position == (int64_t)v->position + 12 + 2);
    CHECK(ix_gguf_item_u64(v, 2, &u64, &err) == INOX_E_ARGUMENT);
    CHECK(ix_gguf_item_string(v, 0, &text, &err) == INOX_E_FORMAT);
    CHECK(ix_gguf_item_u64(v, UINT64_MAX, &u64, NULL) == INOX_E_ARGUMENT);
    ix_gguf_close(g);
    ix_buffer_release(&b);
}

/* ---- damage ---------------------------------------------------------------------------- */

TEST(gguf_cut_at_every_byte)
{
    sample s = make_sample(3);

    for (size_t n = 0; n < s.end; n++) {
        inox_error err = { 0 };
        void *block;
        ix_gguf *g;

        inox_status status = open_bytes(s.bytes.data, n, &g, &block, &err);
        CHECK_MSG(status == INOX_E_FORMAT && g == NULL, "%zu bytes: status %d", n, status);
        CHECK_MSG(err.position >= 0 && err.position <= (int64_t)n, "%zu bytes: position %lld", n,
                  (long long)err.position);
        CHECK_MSG(strstr(err.message, "cut short") != NULL, "%zu bytes: %s", n, err.message);
        ix_gguf_close(g);
        ix_free(block);
    }
    ix_buffer_release(&s.bytes);
}

/* Any byte of the header changed in several ways: an error or a file that can be read, no crash. */
TEST(gguf_change_every_byte)
{
    static const uint8_t NEW[] = { 0x00, 0x01, 0x09, 0x7f, 0x80, 0xff };
    sample s = make_sample(3);
    uint64_t opened = 0, refused = 0, sum = 0;

    for (size_t i = 0; i < s.data; i++)
        for (size_t k = 0; k < sizeof NEW; k++) {
            char old = s.bytes.data[i];
            inox_error err = { 0 };
            void *block;
            ix_gguf *g;

            s.bytes.data[i] = (char)NEW[k];
            if (open_bytes(s.bytes.data, s.end, &g, &block, &err) == INOX_OK) {
                opened++;
                sum += walk(g);
            } else {
                refused++;
                CHECK_MSG(err.position >= 0 && err.position <= (int64_t)s.end,
                          "byte %zu = %02x: position %lld, %s", i, NEW[k],
                          (long long)err.position, err.message);
            }
            ix_gguf_close(g);
            ix_free(block);
            s.bytes.data[i] = old;
        }
    CHECK(opened > 0 && refused > opened && sum > 0);
    ix_buffer_release(&s.bytes);
}

/* The sample with `n` bytes at `at` replaced must be refused with this code at this position. */
static void check_patched(ix_test *t, size_t at, uint64_t value, unsigned n, inox_status code,
                          size_t position, const char *word)
{
    sample s = make_sample(3);
    inox_error err = { 0 };
    void *block;
    ix_gguf *g;

    for (unsigned i = 0; i < n; i++)
        s.bytes.data[at + i] = (char)(uint8_t)(value >> (8 * i));
    inox_status status = open_bytes(s.bytes.data, s.end, &g, &block, &err);
    CHECK_MSG(status == code && err.code == code, "byte %zu: status %d instead of %d (%s)", at,
              status, code, err.message);
    CHECK_MSG(err.position == (int64_t)position, "byte %zu: position %lld instead of %zu (%s)", at,
              (long long)err.position, position, err.message);
    CHECK_MSG(strstr(err.message, word) != NULL, "byte %zu: '%s' not in: %s", at, word,
              err.message);
    ix_gguf_close(g);
    ix_free(block);
    ix_buffer_release(&s.bytes);
}

TEST(gguf_wrong_header)
{
    check_patched(t, 0, 'X', 1, INOX_E_FORMAT, 0, "no GGUF file");
    check_patched(t, 0, 0x46554747u >> 8 | 0x47000000u, 4, INOX_E_FORMAT, 0, "no GGUF file");
    check_patched(t, 0, 0x67676a74u, 4, INOX_E_UNSUPPORTED, 0, "GGJT");
    check_patched(t, 0, 0x73726576u, 4, INOX_E_UNSUPPORTED, 0, "Git LFS");
    check_patched(t, 4, 0, 4, INOX_E_FORMAT, 4, "version");
    check_patched(t, 4, 1, 4, INOX_E_UNSUPPORTED, 4, "obsolete");
    check_patched(t, 4, 4, 4, INOX_E_UNSUPPORTED, 4, "newer");
    check_patched(t, 4, 0x03000000, 4, INOX_E_UNSUPPORTED, 4, "big-endian");
    check_patched(t, 8, UINT64_MAX, 8, INOX_E_FORMAT, 8, "tensors");
    check_patched(t, 8, 1000, 8, INOX_E_FORMAT, 8, "tensors");
    check_patched(t, 16, UINT64_MAX, 8, INOX_E_FORMAT, 16, "keys");
    check_patched(t, 16, (uint64_t)1 << 60, 8, INOX_E_FORMAT, 16, "keys");
}

TEST(gguf_wrong_metadata)
{
    sample s = make_sample(3);
    size_t key = 24, type = s.name_value - 4, bool_value = s.tensor_a - 1;

    check_patched(t, key, 0, 8, INOX_E_FORMAT, key, "empty");
    check_patched(t, key, UINT64_MAX, 8, INOX_E_FORMAT, key, "are left");
    check_patched(t, key + 8, 0, 1, INOX_E_FORMAT, key, "NUL");
    check_patched(t, type, 13, 4, INOX_E_FORMAT, type, "unknown type 13");
    check_patched(t, type, UINT32_MAX, 4, INOX_E_FORMAT, type, "general.name");
    check_patched(t, s.name_value, UINT64_MAX, 8, INOX_E_FORMAT, s.name_value, "are left");
    check_patched(t, s.name_value, (uint64_t)1 << 63, 8, INOX_E_FORMAT, s.name_value, "damaged");
    check_patched(t, s.tokens_value, IX_GGUF_ARRAY, 4, INOX_E_UNSUPPORTED, s.tokens_value,
                  "array of arrays");
    check_patched(t, s.tokens_value, 77, 4, INOX_E_FORMAT, s.tokens_value, "unknown type 77");
    check_patched(t, s.tokens_value + 4, UINT64_MAX, 8, INOX_E_FORMAT, s.tokens_value, "tokens");
    check_patched(t, s.tokens_value + 4, UINT64_MAX / 8 + 2, 8, INOX_E_FORMAT, s.tokens_value,
                  "tokens");
    check_patched(t, s.tokens_value, IX_GGUF_F64 | (uint64_t)0x20000001 << 32, 8, INOX_E_FORMAT,
                  s.tokens_value, "items of 8 bytes");
    check_patched(t, bool_value, 2, 1, INOX_E_FORMAT, bool_value, "bool");
    ix_buffer_release(&s.bytes);
}

TEST(gguf_wrong_tensors)
{
    sample s = make_sample(3);
    size_t a = s.tensor_a, b = s.tensor_b; /* name 9, rank 4, dims 8 each, type 4, offset 8 */

    check_patched(t, b, 0, 8, INOX_E_FORMAT, b, "empty");
    check_patched(t, b + 8, 0, 1, INOX_E_FORMAT, b, "NUL");
    check_patched(t, b + 8, 'a', 1, INOX_E_FORMAT, b, "second time");
    check_patched(t, a + 9, 0, 4, INOX_E_FORMAT, a + 9, "0 dimensions");
    check_patched(t, a + 9, 5, 4, INOX_E_FORMAT, a + 9, "5 dimensions");
    check_patched(t, a + 9, UINT32_MAX, 4, INOX_E_FORMAT, a + 9, "dimensions");
    check_patched(t, a + 13, 0, 8, INOX_E_FORMAT, a + 13, "dimension of 0");
    check_patched(t, a + 21, UINT64_MAX, 8, INOX_E_FORMAT, a + 21, "dimension of -1");
    check_patched(t, a + 13, (uint64_t)1 << 41, 8, INOX_E_LIMIT, a + 13, "1099511627776");
    check_patched(t, a + 21, (uint64_t)1 << 40, 8, INOX_E_FORMAT, a + 33, "ends at byte");
    check_patched(t, a + 29, 4, 4, INOX_E_UNSUPPORTED, a + 29, "Q4_2");
    check_patched(t, a + 29, 9, 4, INOX_E_UNSUPPORTED, a + 29, "Q8_1");
    check_patched(t, a + 29, 15, 4, INOX_E_UNSUPPORTED, a + 29, "Q8_K");
    check_patched(t, a + 29, 31, 4, INOX_E_UNSUPPORTED, a + 29, "removed");
    check_patched(t, a + 29, 38, 4, INOX_E_UNSUPPORTED, a + 29, "IQ4_NL_8_8");
    check_patched(t, a + 29, 43, 4, INOX_E_UNSUPPORTED, a + 29, "unknown type 43");
    check_patched(t, a + 29, UINT32_MAX, 4, INOX_E_UNSUPPORTED, a + 29, "unknown type");
    check_patched(t, a + 29, 8, 4, INOX_E_FORMAT, a, "whole blocks");
    check_patched(t, a + 33, 1, 8, INOX_E_FORMAT, a + 33, "alignment 32");
    check_patched(t, b + 25, 0, 8, INOX_E_FORMAT, b + 25, "inside tensor 'a'");
    check_patched(t, a + 33, 32, 8, INOX_E_FORMAT, b + 25, "inside tensor 'a'");
    check_patched(t, a + 33, 64, 8, INOX_E_FORMAT, a + 33, "the file has 322 bytes");
    check_patched(t, b + 25, 64, 8, INOX_E_FORMAT, b + 25, "the file has");
    check_patched(t, b + 25, (uint64_t)1 << 63, 8, INOX_E_FORMAT, b + 25, "tensor 'b'");
    check_patched(t, b + 25, UINT64_MAX - 31, 8, INOX_E_FORMAT, b + 25, "beyond 2^64");
    ix_buffer_release(&s.bytes);
}

/* ---- whole files that are wrong -------------------------------------------------------- */

static void check_refused(ix_test *t, ix_buffer *b, inox_status code, const char *word)
{
    inox_error err = { 0 };
    void *block;
    ix_gguf *g;

    inox_status status = open_bytes(b->data, b->size, &g, &block, &err);
    CHECK_MSG(status == code, "status %d instead of %d (%s, %s)", status, code, word, err.message);
    CHECK_MSG(status == INOX_OK || strstr(err.message, word) != NULL, "'%s' not in: %s", word,
              err.message);
    ix_gguf_close(g);
    ix_free(block);
    ix_buffer_release(b);
}

TEST(gguf_alignment)
{
    static const struct {
        uint64_t value;
        inox_status code;
    } CASES[] = {
        { 8, INOX_OK },        { 16, INOX_OK },       { 32, INOX_OK },     { 64, INOX_OK },
        { 4096, INOX_OK },     { 0, INOX_E_FORMAT },  { 1, INOX_E_FORMAT }, { 4, INOX_E_FORMAT },
        { 13, INOX_E_FORMAT }, { 24, INOX_E_FORMAT }, { UINT32_MAX, INOX_E_FORMAT },
        { (uint64_t)1 << 31, INOX_E_FORMAT }, /* the data would start far behind the file */
    };
    const uint64_t dims[] = { 3 };
    ix_buffer b = { 0 };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint64_t step = CASES[i].code == INOX_OK ? CASES[i].value : 32;

        put_header(&b, 3, 2, 1);
        put_key_u32(&b, "general.alignment", (uint32_t)CASES[i].value);
        put_tensor(&b, "a", 1, dims, 0, 0);
        put_tensor(&b, "b", 1, dims, 0, step < 16 ? 16 : step);
        pad(&b, step);
        put_data(&b, (step < 16 ? 16 : step) + 12);
        check_refused(t, &b, CASES[i].code, i == 11 ? "should start at" : "alignment");
    }
    put_header(&b, 3, 0, 1);
    put_key(&b, "general.alignment", IX_GGUF_U64);
    put_u64(&b, 32);
    check_refused(t, &b, INOX_E_FORMAT, "uint32");
    put_header(&b, 3, 0, 1);
    put_array(&b, "general.alignment", IX_GGUF_U32, 0);
    check_refused(t, &b, INOX_E_FORMAT, "array");
}

TEST(gguf_duplicates)
{
    ix_buffer b = { 0 };

    put_header(&b, 3, 0, 3);
    put_key_u32(&b, "same", 1);
    put_key_u32(&b, "other", 1);
    put_key_u32(&b, "same", 1);
    check_refused(t, &b, INOX_E_FORMAT, "second time");
}

TEST(gguf_limits)
{
    static const uint64_t HUGE_DIMS[] = { 1LL << 40, 1LL << 23, 1, 1 };
    static const uint64_t WIDE_DIMS[] = { 1LL << 40, (1LL << 22) + 1, 1, 1 };
    static const uint64_t ONE[] = { 1 };
    ix_buffer b = { 0 };
    char name[IX_MAX_TENSOR_NAME + 2];
    void *zeros;

    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    put_header(&b, 3, 1, 0);
    put_tensor(&b, name, 1, ONE, 0, 0);
    check_refused(t, &b, INOX_E_LIMIT, "at most 255");
    put_header(&b, 3, 1, 0);
    put_tensor(&b, "x", 2, HUGE_DIMS, 24, 0);
    check_refused(t, &b, INOX_E_LIMIT, "2^63");
    put_header(&b, 3, 1, 0);
    put_tensor(&b, "x", 2, WIDE_DIMS, 27, 0);
    check_refused(t, &b, INOX_E_LIMIT, "2^64");

    /* Limits that only large files reach. */
    if (ix_alloc(IX_MAX_GGUF_STRING + 64, 1, &zeros, NULL) != INOX_OK)
        SKIP("not enough memory");
    put_header(&b, 3, 0, IX_MAX_GGUF_KEYS + 1);
    put(&b, zeros, (size_t)(IX_MAX_GGUF_KEYS + 1) * 14);
    check_refused(t, &b, INOX_E_LIMIT, "metadata keys");
    put_header(&b, 3, IX_MAX_GGUF_TENSORS + 1, 0);
    put(&b, zeros, (size_t)(IX_MAX_GGUF_TENSORS + 1) * 37);
    check_refused(t, &b, INOX_E_LIMIT, "tensors");
    put_header(&b, 3, 0, 1);
    put_bytes(&b, zeros, IX_MAX_GGUF_NAME + 1);
    check_refused(t, &b, INOX_E_LIMIT, "metadata key");
    put_header(&b, 3, 0, 1);
    put_key(&b, "x", IX_GGUF_STRING);
    put_bytes(&b, zeros, IX_MAX_GGUF_STRING + 1);
    check_refused(t, &b, INOX_E_LIMIT, "string");
    ix_free(zeros);
}

/* The keys of a split model, read from memory. */
TEST(gguf_split_keys)
{
    ix_buffer b = { 0 };

    put_header(&b, 3, 0, 2);
    put_key_u32(&b, "split.no", 0);
    put_key_u32(&b, "split.count", 2);
    check_refused(t, &b, INOX_E_UNSUPPORTED, "from memory");
    put_header(&b, 3, 0, 2);
    put_key_u32(&b, "split.no", 0);
    put_key_u32(&b, "split.count", 0);
    check_refused(t, &b, INOX_OK, "");
    put_header(&b, 3, 0, 1);
    put_array(&b, "split.count", IX_GGUF_U32, 1);
    put_u32(&b, 1);
    check_refused(t, &b, INOX_E_FORMAT, "an integer is needed");
    put_header(&b, 3, 0, 1);
    put_key(&b, "split.count", IX_GGUF_I16);
    put_number(&b, UINT64_MAX, 2);
    check_refused(t, &b, INOX_E_FORMAT, "-1");
}

/* A table that grows keeps its names. */
TEST(gguf_table)
{
    static char names[500][8];
    ix_gguf_table table = { 0 };
    uint32_t index = 0;
    inox_error err;

    CHECK(!ix_gguf_table_find(&table, "x", 1, &index));
    for (uint32_t i = 0; i < 500; i++) {
        snprintf(names[i], sizeof names[i], "%u", i);
        CHECK_OK(ix_gguf_table_reserve(&table, i + 1, &err), &err);
        CHECK(ix_gguf_table_insert(&table, names[i], strlen(names[i]), i, &index));
        CHECK(!ix_gguf_table_insert(&table, names[i / 2], strlen(names[i / 2]), 0, &index));
        CHECK(index == i / 2);
    }
    for (uint32_t i = 0; i < 500; i++)
        CHECK(ix_gguf_table_find(&table, names[i], strlen(names[i]), &index) && index == i);
    CHECK(table.used == 500 && !ix_gguf_table_find(&table, "500", 3, &index));
    CHECK(ix_gguf_table_reserve(&table, SIZE_MAX, &err) == INOX_E_LIMIT);
    ix_gguf_table_release(&table);
}

/* Tensors out of order and with gaps are fine; many of them, and many keys, take no time. */
TEST(gguf_many)
{
    const uint64_t dims[] = { 1 };
    const size_t count = 20000;
    ix_buffer b = { 0 };
    inox_error err;
    char name[32];
    size_t end;
    ix_gguf *g;

    put_header(&b, 3, count, count);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "key.%zu", i);
        put_key_u32(&b, name, (uint32_t)i);
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "tensor.%zu", i);
        put_tensor(&b, name, 1, dims, 0, i * 7919 % count * 64);
    }
    end = b.size;
    pad(&b, 32);
    put_data(&b, count * 64);
    CHECK_OK(ix_gguf_open_memory(b.data, b.size, &g, &err), &err);
    for (size_t i = 0; i < count; i += 97) {
        uint32_t value;

        snprintf(name, sizeof name, "key.%zu", i);
        CHECK(ix_gguf_get_u32(g, name, &value, &err) == INOX_OK && value == i);
        snprintf(name, sizeof name, "tensor.%zu", i);
        CHECK(ix_gguf_find_tensor(g, name) == ix_gguf_tensor_at(g, i));
    }
    ix_gguf_close(g);

    /* The last tensor over an early one, found in spite of the order. */
    uint64_t offset = 3 * 64;
    memcpy(b.data + end - 8, &offset, 8);
    CHECK(ix_gguf_open_memory(b.data, b.size, &g, &err) == INOX_E_FORMAT);
    CHECK(strstr(err.message, "inside tensor") != NULL);
    ix_buffer_release(&b);
}

/* ---- faults ---------------------------------------------------------------------------- */

TEST(gguf_allocation_faults)
{
    sample s = make_sample(3);
    inox_status status = INOX_E_MEMORY;
    uint64_t n;

    for (n = 1; status != INOX_OK && n < 1000; n++) {
        ix_buffer text = { 0 };
        ix_gguf *g = NULL;
        inox_error err;

        ix_alloc_fail_at(n, n % 2 == 0);
        status = ix_gguf_open_memory(s.bytes.data, s.bytes.size, &g, &err);
        if (status == INOX_OK)
            status = ix_gguf_value_format(g, 0, &text, 9, &err);
        ix_alloc_fail_at(0, 0);
        CHECK_MSG(status == INOX_OK || status == INOX_E_MEMORY, "%s", err.message);
        ix_buffer_release(&text);
        ix_gguf_close(g);
    }
    CHECK(status == INOX_OK && n > 5);
    ix_buffer_release(&s.bytes);
}

TEST(gguf_memory_arguments)
{
    _Alignas(16) uint8_t bytes[64] = { 0 };
    inox_error err;
    ix_gguf *g;

    CHECK(ix_gguf_open_memory(bytes + 1, 24, &g, &err) == INOX_E_ARGUMENT);
    CHECK(ix_gguf_open_memory(NULL, 24, &g, &err) == INOX_E_ARGUMENT);
    CHECK(ix_gguf_open_memory(NULL, 0, &g, &err) == INOX_E_FORMAT && err.position == 0);
    CHECK(ix_gguf_open_memory(bytes, 64, &g, NULL) == INOX_E_FORMAT);
    CHECK(ix_gguf_open("/nonexistent/model.gguf", &g, &err) != INOX_OK);
    CHECK(strstr(err.message, "/nonexistent/model.gguf") != NULL);
}
