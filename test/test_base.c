/* base/: errors, memory, spans, hashes, random numbers.  Files and threads: test_system.c. */
#include "test.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/span.h"

/* ---- errors ---------------------------------------------------------------------------------- */

TEST(base_status_name)
{
    CHECK(strcmp(inox_status_name(INOX_OK), "INOX_OK") == 0);
    CHECK(strcmp(inox_status_name(INOX_E_FORMAT), "INOX_E_FORMAT") == 0);
    CHECK(strcmp(inox_status_name(INOX_E_INTERNAL), "INOX_E_INTERNAL") == 0);
    CHECK(inox_status_name(12345) != NULL);
}

TEST(base_status_fail)
{
    inox_error err;

    CHECK(ix_fail(&err, INOX_E_IO, "disk %d", 7) == INOX_E_IO);
    CHECK(err.code == INOX_E_IO && err.position == -1 && strcmp(err.message, "disk 7") == 0);
    CHECK(ix_fail_at(&err, INOX_E_FORMAT, 99, "here") == INOX_E_FORMAT && err.position == 99);
    CHECK(ix_prefix(&err, INOX_E_FORMAT, "file '%s'", "a") == INOX_E_FORMAT);
    CHECK(err.position == 99 && strcmp(err.message, "file 'a': here") == 0);
    CHECK(ix_fail_at(&err, INOX_E_FORMAT, UINT64_MAX, "far") == INOX_E_FORMAT);
    CHECK(err.position == INT64_MAX);
    CHECK(ix_fail(NULL, INOX_E_IO, "%s", "nobody listens") == INOX_E_IO);
    CHECK(ix_prefix(NULL, INOX_E_IO, "x") == INOX_E_IO);
}

/* Names from files go into messages: nothing in them may steer a terminal or break JSON. */
TEST(base_status_printable)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "\x1b[31mred\x7f\r\b\t", "?[31mred????" },
        { "two\nlines", "two\nlines" },
        { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
          "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "\xc2\x9b\x31m", "??1m" },           /* C1 control */
        { "\xc0\x80 \xe0\x80\x80", "?? ???" }, /* overlong */
        { "\xed\xa0\x80", "???" },             /* surrogate */
        { "\xf4\x90\x80\x80", "????" },        /* beyond U+10FFFF */
        { "\xff\xfe\x80", "???" },
        { "cut \xe2\x82", "cut ??" },
    };
    inox_error err;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)ix_fail(&err, INOX_E_FORMAT, "%s", cases[i].in);
        CHECK_MSG(strcmp(err.message, cases[i].out) == 0, "case %zu: %s", i, err.message);
    }
}

/* A message that does not fit is cut between characters. */
TEST(base_status_long)
{
    inox_error err;
    char text[1400];

    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 5);
        (void)ix_fail(&err, INOX_E_FORMAT, "%s", text);
        size_t n = strlen(err.message);
        CHECK(n == sizeof err.message - 1 - (sizeof err.message - 1 - shift) % 4);
        CHECK(strchr(err.message, '?') == NULL);
        (void)ix_prefix(&err, INOX_E_FORMAT, "p");
        CHECK(memcmp(err.message, "p: ", 3) == 0 && strchr(err.message, '?') == NULL);
        CHECK(strlen(err.message) < sizeof err.message);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

TEST(base_alloc_plain)
{
    inox_error err;
    uint64_t *p = NULL, before = ix_alloc_count();

    CHECK_OK(IX_ALLOC(&p, 100, &err), &err);
    CHECK(ix_alloc_count() == before + 1);
    for (int i = 0; i < 100; i++)
        CHECK(p[i] == 0);
    p[99] = 7;
    CHECK_OK(IX_REALLOC(&p, 1000, &err), &err);
    CHECK(p[99] == 7);
    CHECK(IX_REALLOC(&p, SIZE_MAX / 4, &err) == INOX_E_MEMORY && p[99] == 7);
    CHECK(IX_REALLOC(&p, SIZE_MAX / 8, &err) == INOX_E_MEMORY && p[99] == 7);
    CHECK_OK(IX_REALLOC(&p, 0, &err), &err);
    CHECK(p == NULL);
    p = (uint64_t *)&err;
    CHECK(ix_alloc(SIZE_MAX, 2, (void **)&p, &err) == INOX_E_MEMORY);
    CHECK(p == (uint64_t *)&err);
    CHECK_OK(IX_ALLOC(&p, 0, &err), &err);
    CHECK(p == NULL);
    ix_free(NULL);
    ix_free_aligned(NULL);
}

TEST(base_alloc_aligned)
{
    inox_error err;
    void *p;

    for (size_t align = 8; align <= 65536; align *= 2) {
        for (size_t bytes = 1; bytes < 5000; bytes = bytes * 3 + 1) {
            CHECK_OK(ix_alloc_aligned(bytes, align, &p, &err), &err);
            CHECK((uintptr_t)p % align == 0);
            CHECK(((char *)p)[0] == 0 && ((char *)p)[bytes - 1] == 0);
            memset(p, 1, bytes);
            ix_free_aligned(p);
        }
    }
    CHECK_OK(ix_alloc_aligned((size_t)9 << 20, 64, &p, &err), &err); /* large pages are asked for */
    memset(p, 1, (size_t)9 << 20);
    ix_free_aligned(p);
    CHECK(ix_alloc_aligned(8, 24, &p, &err) == INOX_E_ARGUMENT);
    CHECK(ix_alloc_aligned(8, 4, &p, &err) == INOX_E_ARGUMENT);
    CHECK(ix_alloc_aligned(SIZE_MAX, 8, &p, &err) == INOX_E_MEMORY);
    CHECK(ix_alloc_aligned(SIZE_MAX - 64, 8, &p, &err) == INOX_E_MEMORY);
}

TEST(base_alloc_faults)
{
    inox_error err;
    char *p = NULL;

    ix_alloc_fail_at(2, 0);
    CHECK(ix_strndup("abc", 2, &p, &err) == INOX_OK && strcmp(p, "ab") == 0);
    ix_free(p);
    CHECK(ix_strndup("abc", 2, &p, &err) == INOX_E_MEMORY && err.code == INOX_E_MEMORY);
    CHECK(ix_strndup("abc", 2, &p, &err) == INOX_OK);
    ix_free(p);
    ix_alloc_fail_at(1, 1);
    for (int i = 0; i < 3; i++)
        CHECK(ix_strndup("abc", 2, &p, &err) == INOX_E_MEMORY);
    ix_alloc_fail_at(0, 0);
    CHECK(ix_strndup("", 0, &p, &err) == INOX_OK && p[0] == '\0');
    ix_free(p);
}

TEST(base_arena)
{
    inox_error err;
    ix_arena a = { NULL, 0, 0 };
    uint64_t state = 1;
    uint8_t *items[500];
    size_t sizes[500], total = 0;
    char *s;

    for (size_t i = 0; i < 500; i++) {
        sizes[i] = 1 + (size_t)(ix_test_random(&state) % (i % 50 == 0 ? 100000 : 300));
        items[i] = NULL;
        CHECK_OK(IX_ARENA(&a, &items[i], sizes[i], &err), &err);
        CHECK((uintptr_t)items[i] % _Alignof(max_align_t) == 0);
        for (size_t k = 0; k < sizes[i]; k++)
            total += items[i][k];
        memset(items[i], (int)(i & 255), sizes[i]);
    }
    CHECK(total == 0);
    for (size_t i = 0; i < 500; i++)
        CHECK(items[i][0] == (i & 255) && items[i][sizes[i] - 1] == (i & 255));
    CHECK_OK(ix_arena_strndup(&a, "abcdef", 3, &s, &err), &err);
    CHECK(strcmp(s, "abc") == 0);
    CHECK(ix_arena_alloc(&a, SIZE_MAX, 2, (void **)&s, &err) == INOX_E_MEMORY);
    CHECK(ix_arena_alloc(&a, SIZE_MAX - 8, 1, (void **)&s, &err) == INOX_E_MEMORY);
    ix_arena_release(&a);
    CHECK(a.bytes == 0 && a.chunks == NULL);
    a.limit = 100;
    CHECK_OK(ix_arena_alloc(&a, 1, 100, (void **)&s, &err), &err);
    CHECK(ix_arena_alloc(&a, 1, 1, (void **)&s, &err) == INOX_E_LIMIT);
    ix_arena_release(&a);
}

TEST(base_buffer)
{
    inox_error err;
    ix_buffer b = { NULL, 0, 0 };

    CHECK_OK(ix_buffer_append(&b, NULL, 0, &err), &err);
    CHECK(b.size == 0 && b.data[0] == '\0');
    for (int i = 0; i < 1000; i++) {
        CHECK_OK(ix_buffer_printf(&b, &err, "%04d|", i), &err);
        CHECK(b.data[b.size] == '\0');
    }
    CHECK(b.size == 5000 && strncmp(b.data + 4995, "0999|", 6) == 0);
    CHECK_OK(ix_buffer_append(&b, "a\0b", 3, &err), &err);
    CHECK(b.size == 5003 && memcmp(b.data + 5000, "a\0b", 4) == 0);
    ix_alloc_fail_at(1, 0);
    while (b.size < b.capacity - 1)
        CHECK_OK(ix_buffer_append(&b, "x", 1, &err), &err);
    CHECK(ix_buffer_append(&b, "y", 1, &err) == INOX_E_MEMORY);
    CHECK(b.data[b.size] == '\0' && b.data[b.size - 1] == 'x');
    ix_alloc_fail_at(0, 0);
    ix_buffer_release(&b);
    CHECK(b.data == NULL && b.size == 0);
}

/* ---- spans ----------------------------------------------------------------------------------- */

TEST(base_span)
{
    static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xFF, 0xFE };
    ix_span s = ix_span_of(bytes, sizeof bytes);
    inox_error err;
    uint8_t a;
    uint16_t b;
    uint32_t c;
    uint64_t d = 0;
    const uint8_t *view;

    CHECK_OK(ix_read_u8(&s, &a, "a", &err), &err);
    CHECK_OK(ix_read_u16(&s, &b, "b", &err), &err);
    CHECK_OK(ix_read_u32(&s, &c, "c", &err), &err);
    CHECK(a == 1 && b == 0x0302 && c == 0x07060504);
    CHECK_OK(ix_read_u64(&s, &d, "d", &err), &err);
    CHECK(d == 0xFF0E0D0C0B0A0908u && ix_span_left(&s) == 1);
    CHECK(ix_read_u16(&s, &b, "b", &err) == INOX_E_FORMAT);
    CHECK(err.position == 15 && s.pos == 15 && b == 0x0302);
    CHECK(ix_read_bytes(&s, UINT64_MAX, &view, "view", &err) == INOX_E_FORMAT && s.pos == 15);
    CHECK_OK(ix_read_bytes(&s, 1, &view, "view", &err), &err);
    CHECK(view == bytes + 15);
    CHECK_OK(ix_read_bytes(&s, 0, &view, "view", &err), &err);
    CHECK(ix_read_u8(&s, &a, "a", &err) == INOX_E_FORMAT && err.position == 16);
    CHECK(ix_add_u64(1, 2, &d) && d == 3);
    CHECK(!ix_add_u64(UINT64_MAX, 1, &d) && d == 3);
    CHECK(ix_mul_u64(1u << 31, 1u << 31, &d) && d == (uint64_t)1 << 62);
    CHECK(!ix_mul_u64((uint64_t)1 << 32, (uint64_t)1 << 32, &d) && d == (uint64_t)1 << 62);
}

/* ---- hashes ---------------------------------------------------------------------------------- */

/* FIPS 180-4's examples. */
TEST(base_sha256_nist)
{
    static const struct {
        const char *text, *hash;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    inox_error err;
    uint8_t out[IX_SHA256_BYTES];
    char hex[IX_SHA256_HEX];
    ix_sha256 *h = NULL;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_OK(ix_sha256_of(cases[i].text, strlen(cases[i].text), out, &err), &err);
        ix_hex(out, sizeof out, hex);
        CHECK(strcmp(hex, cases[i].hash) == 0);
    }
    CHECK_OK(ix_sha256_new(&h, &err), &err);
    for (int i = 0; i < 1000; i++) {
        char part[1000];

        memset(part, 'a', sizeof part);
        CHECK_OK(ix_sha256_update(h, part, sizeof part, &err), &err);
    }
    CHECK_OK(ix_sha256_final(h, out, &err), &err);
    ix_sha256_free(h);
    ix_sha256_free(NULL);
    ix_hex(out, sizeof out, hex);
    CHECK(strcmp(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0") == 0);
}

/* Made by make_base_vectors.py. */
TEST(base_sha256_tree)
{
    static const struct {
        uint64_t bytes;
        const char *hash;
    } cases[] = {
        { 0u, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
        { 1u, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7" },
        { 1048575u, "29a69bbeeea3ae95c56691d1bed00df76a83492e23314f510381e07fc3e98508" },
        { 1048576u, "593a11a160eee57412add6ae77fa285347cd5b11953d4ee01fa9ec00514c5aad" },
        { 1048577u, "31e5a972b2df5580bea507e387ab0aa7fac6b966043e5b57fed275dbb6c7ca5d" },
        { 2097152u, "e11213550cd6ec0d7a83d23db39c49cc802cac79908885187a1512bbf5881d58" },
        { 3145728u, "318415be00a100c8d6fcda5b225aa66281fd56a7016309c88eec74f38ca8c826" },
        { 5255225u, "adc842beb9a4ec0cf37e892123ee4418ccf57f9850a198e3d183dbb821b860b7" },
        { 7340032u, "d12089101f9e210f0950e3a860c8fab728fa2cb398b0540b9d136725f0a9aefd" },
        { 11534337u, "f5783718964aa7f796bd7ec703abc8b2cdaab3aada9b5ad9cc2025516e286b90" },
    };
    enum { LONGEST = 11 * (1 << 20) + 1 };
    inox_error err;
    uint8_t *data = NULL, out[IX_SHA256_BYTES];
    char hex[IX_SHA256_HEX];
    ix_pool *pool = NULL;

    CHECK_OK(IX_ALLOC(&data, LONGEST, &err), &err);
    for (uint64_t i = 0; i < LONGEST; i++)
        data[i] = (uint8_t)(i * i * 31 + i * 7 + (i >> 8) * 13);
    CHECK_OK(ix_pool_new(3, &pool, &err), &err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_OK(ix_sha256_tree(data, cases[i].bytes, NULL, out, &err), &err);
        ix_hex(out, sizeof out, hex);
        CHECK(strcmp(hex, cases[i].hash) == 0);
        memset(out, 0, sizeof out);
        CHECK_OK(ix_sha256_tree(data, cases[i].bytes, pool, out, &err), &err);
        ix_hex(out, sizeof out, hex);
        CHECK(strcmp(hex, cases[i].hash) == 0);
    }
    ix_pool_free(pool);
    ix_free(data);
}

/* ---- random numbers -------------------------------------------------------------------------- */

/* Random123's kat_vectors for philox4x32 with 10 rounds, words 1:0 of each block. */
TEST(base_random_philox)
{
    CHECK(ix_random_u64(0, 0, 0) == 0xe169c58d6627e8d5u);
    CHECK(ix_random_u64(UINT64_MAX, UINT64_MAX, UINT64_MAX) == 0x41c83b0e408f276du);
    CHECK(ix_random_u64(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3243f6a88u) ==
          0x94fdccebd16cfe09u);
}
