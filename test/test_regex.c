/* Regular expressions: against the answers of the libraries (make_regex_goldens.py), hand-written
 * matchers against the engine, linear time, errors and limits.  test_regex.py asks the libraries
 * themselves about more. */
#include "test.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/pattern.h"
#include "text/regex/memo.h"
#include "text/regex/regex.h"
#include "text/unicode.h"

#include <jansson.h>

static ix_regex *compile(ix_test *t, const char *expression, ix_regex_syntax syntax)
{
    inox_error err;
    ix_regex *r = NULL;
    CHECK_OK(ix_regex_new(expression, strlen(expression), syntax, &r, &err), &err);
    return r;
}

/* ---- goldens ------------------------------------------------------------------------------- */

static void check_golden(ix_test *t, const json_t *row, ix_regex_search *search)
{
    const json_t *e = json_array_get(row, 1), *text = json_array_get(row, 2),
                 *want = json_array_get(row, 3);
    const char *shown = json_string_value(e);
    bool rust = strcmp(json_string_value(json_array_get(row, 0)), "rust") == 0, found;
    inox_error err;
    ix_regex *r = NULL;
    size_t start, end;
    inox_status status = ix_regex_new(shown, json_string_length(e),
                                      rust ? IX_REGEX_RUST : IX_REGEX_ONIGURUMA, &r, &err);
    if (json_is_null(want)) {
        CHECK_MSG(status != INOX_OK, "%s is accepted", shown);
        ix_regex_free(r);
        return;
    }
    CHECK_MSG(status == INOX_OK, "%s: %s", shown, err.message);
    if (status != INOX_OK)
        return;
    ix_regex_start(search, r, json_string_value(text), json_string_length(text));
    for (size_t i = 0; i <= json_array_size(want); i++) {
        const json_t *m = json_array_get(want, i);
        CHECK_OK(ix_regex_next(search, &start, &end, &found, &err), &err);
        CHECK_MSG(found == (m != NULL), "%s on %s: match %zu", shown, json_string_value(text), i);
        if (!found || !m)
            break;
        bool same = start == (size_t)json_integer_value(json_array_get(m, 0)) &&
                    end == (size_t)json_integer_value(json_array_get(m, 1));
        CHECK_MSG(same, "%s on %s: match %zu is %zu..%zu", shown, json_string_value(text), i, start,
                  end);
    }
    ix_regex_free(r);
}

TEST(regex_goldens)
{
    json_t *rows = json_load_file(ix_test_file("data/regex.json"), JSON_ALLOW_NUL, NULL);
    ix_regex_search search = { 0 };
    CHECK(json_array_size(rows) > 1000);
    for (size_t i = 0; i < json_array_size(rows); i++)
        check_golden(t, json_array_get(rows, i), &search);
    ix_regex_release(&search);
    json_decref(rows);
}

/* ---- hand-written matchers ----------------------------------------------------------------- */

/* Random text of one of several kinds. */
static size_t random_text(uint64_t *state, char *out, size_t most)
{
    static const char *const letters = "aAbBsStTdDmMlLrRvVeE''''    \n\n\r\t019/.,!?-_(|$";
    size_t n = 0, letter_count = strlen(letters);
    unsigned kind = (unsigned)ix_test_random(state) % 4;
    while (n + 64 * 4 < most) {
        uint64_t r = ix_test_random(state);
        uint32_t c = (unsigned char)letters[r % letter_count];
        size_t run = r >> 40 & 31 ? 1 : 1 + (r >> 50 & 63);
        if (kind == 1 && (r >> 32 & 3) == 0)
            c = 0x80 + (uint32_t)(r >> 8) % 0x3000;
        else if (kind == 2 && (r >> 32 & 1))
            c = (uint32_t)(r >> 8) % 0x110000;
        else if (kind == 3 && (r >> 32 & 1))
            c = (uint32_t)(r >> 8) % 0x20000;
        if (c >= 0xD800 && c < 0xE000)
            c = 0x17F;
        for (; run > 0; run--)
            n += ix_utf8_write(c, out + n);
    }
    return n;
}

static void compare_matchers(ix_test *t, const char *expression, ix_regex_syntax syntax,
                             const char *text, size_t size)
{
    inox_error err;
    ix_pattern *p = NULL;
    ix_pattern_cursor hand = { 0 };
    ix_regex_search engine = { 0 };
    ix_regex *r = compile(t, expression, syntax);
    CHECK_OK(ix_pattern_new(expression, strlen(expression), syntax, &p, &err), &err);
    if (r && p) {
        bool found = true, also = true;
        size_t a, b, c, d, count = 0;
        ix_pattern_start(&hand, p, text, size);
        ix_regex_start(&engine, r, text, size);
        bool same = true;
        for (; same && found; count++) {
            same = ix_pattern_next(&hand, &a, &b, &found, &err) == INOX_OK &&
                   ix_regex_next(&engine, &c, &d, &also, &err) == INOX_OK && found == also &&
                   a == c && b == d;
            CHECK_MSG(same, "%s: match %zu is %zu..%zu by hand and %zu..%zu by the engine",
                      expression, count, a, b, c, d);
        }
    }
    ix_pattern_release(&hand);
    ix_regex_release(&engine);
    ix_pattern_free(p);
    ix_regex_free(r);
}

TEST(regex_known_patterns)
{
    enum { BYTES = 20000, ROUNDS = 8 };
    char *text = malloc(BYTES);
    uint64_t state = 5;
    for (size_t n = 0; ix_pattern_expression(n); n++) {
        for (int round = 0; text && round < ROUNDS; round++) {
            size_t size = random_text(&state, text, BYTES);
            size = round & 1 ? size : size % 300;
            compare_matchers(t, ix_pattern_expression(n), IX_REGEX_RUST, text, size);
            compare_matchers(t, ix_pattern_expression(n), IX_REGEX_ONIGURUMA, text, size);
        }
    }
    free(text);
}

/* Every character, alone between letters and in runs. */
TEST(regex_known_patterns_all_characters)
{
    char *text = malloc(0x110000 * 8);
    size_t size = 0;
    for (uint32_t c = 1; text && c < 0x110000; c++) {
        if (c >= 0xD800 && c < 0xE000)
            continue;
        size += ix_utf8_write(c, text + size);
        if (c % 3 == 0)
            text[size++] = "a 1'"[c / 3 % 4];
    }
    for (size_t n = 0; text && ix_pattern_expression(n); n++)
        compare_matchers(t, ix_pattern_expression(n), IX_REGEX_RUST, text, size);
    free(text);
}

TEST(regex_known_names)
{
    ix_pattern *p;
    inox_error err;
    const char *gpt2 = ix_pattern_expression(0);
    CHECK_OK(ix_pattern_new(gpt2, strlen(gpt2), IX_REGEX_ONIGURUMA, &p, &err), &err);
    CHECK(ix_pattern_known(p) && strcmp(ix_pattern_known(p), "gpt-2") == 0);
    ix_pattern_free(p);
    CHECK_OK(ix_pattern_new("\\p{L}+", 6, IX_REGEX_ONIGURUMA, &p, &err), &err);
    CHECK(ix_pattern_known(p) == NULL);
    ix_pattern_free(p);
    CHECK_OK(ix_pattern_new("\\p{N}{1,3}", 10, IX_REGEX_ONIGURUMA, &p, &err), &err);
    CHECK(ix_pattern_known(p) == NULL); /* DeepSeek's is more than that */
    ix_pattern_free(p);
}

TEST(regex_literal)
{
    static const char bytes[] = "a.b[c]\\ (^$)|*+?{2} -&~#";
    ix_pattern *p;
    ix_pattern_cursor c = { 0 };
    inox_error err;
    char text[64];
    size_t start, end, n = sizeof bytes - 1;
    bool found;
    (void)snprintf(text, sizeof text, "xx%sy", bytes);
    CHECK_OK(ix_pattern_new_literal(bytes, n, &p, &err), &err);
    ix_pattern_start(&c, p, text, strlen(text));
    CHECK_OK(ix_pattern_next(&c, &start, &end, &found, &err), &err);
    CHECK(found && start == 2 && end == 2 + n);
    CHECK_OK(ix_pattern_next(&c, &start, &end, &found, &err), &err);
    CHECK(!found);
    ix_pattern_release(&c);
    ix_pattern_free(p);
    CHECK_OK(ix_pattern_new_literal(NULL, 0, &p, &err), &err);
    ix_pattern_start(&c, p, "ab", 2);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(ix_pattern_next(&c, &start, &end, &found, &err), &err);
        CHECK(found && start == i && end == i);
    }
    CHECK_OK(ix_pattern_next(&c, &start, &end, &found, &err), &err);
    CHECK(!found);
    ix_pattern_release(&c);
    ix_pattern_free(p);
}

/* ---- linear time --------------------------------------------------------------------------- */

/* Steps of finding all matches in `size` bytes of the unit over and over. */
static uint64_t steps_of(ix_test *t, const char *expression, const char *unit, size_t size)
{
    ix_regex_search s = { 0 };
    ix_regex *r = compile(t, expression, IX_REGEX_ONIGURUMA);
    char *text = malloc(size);
    size_t start, end, length = strlen(unit);
    bool found = r && text;
    inox_error err;
    for (size_t i = 0; text && i < size; i++)
        text[i] = unit[i % length];
    if (found)
        ix_regex_start(&s, r, text, size);
    while (found)
        if (ix_regex_next(&s, &start, &end, &found, &err) != INOX_OK) {
            CHECK_MSG(false, "%s: %s", expression, err.message);
            found = false;
        }
    uint64_t steps = s.steps;
    ix_regex_release(&s);
    ix_regex_free(r);
    free(text);
    return steps;
}

TEST(regex_linear)
{
    static const char *const expressions[] = {
        "(a+)+b",
        "(a|a)*b",
        "(a|aa)+b",
        "(a*)*b",
        "(?:a?){20}a{20}b",
        "a*a*a*a*b",
        "(?=(a+))b|a",
        "(?=a*b)a",
        "(?=(?:a|aa)*b)a",
        "(?!a*c)a",
        "(?>a*)b|a",
        "(?>(?:aa)*)b|a",
        "a*+b|a",
        "a*?b",
        "(?:a*?)*?b",
        "(a+?)+?b|a",
        "(?<=a*)b|a",
        "(?<=(?:aa)*)b|a",
        "(?<!b.*)a",
        "\\s+(?!\\S)|\\s+|a+b",
        "(?:(?:a|b)*c)*d",
        "(.*)(.*)(.*)(.*)x",
        "(?i)(A|a|[a-c])*x",
        "(?:a{0,9}){9}b",
        "(?=(?>a*)b)a|a",
        "(?>(?=a*b)a|a)*c|a",
        "(?:(?=(?>a*))a)*b",
        "(?:(?:a|)*)*b",
        "\\Ga*?b|a",
        "(?:a|b|ab)*(?=c)",
        "(?<=(?=a*b)a)a",
        "[ab]*?(?:a[ab]*)*c",
        "((a*)*)*b",
        "(?:(?:(?:a?)*)?)*b",
        "a{1,50}b",
        "(a{1,5}){1,5}b",
        "(?>a|aa|aaa)*b|a",
        "(?:a*,?)*b",
        "(?=[ab]*?c)[ab]",
    };
    static const char *const units[] = {
        "a", "ab", "aab", " ", "aaaaaaaaaaaaaaaaaaa,", "\xC3\xA9"
    };
    enum { SIZE = 6000 };
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            uint64_t once = steps_of(t, expressions[i], units[u], SIZE);
            uint64_t twice = steps_of(t, expressions[i], units[u], 2 * SIZE);
            CHECK_MSG(twice < 2 * once + once / 4 + 500, "%s on %s: %llu steps, then %llu",
                      expressions[i], units[u], (unsigned long long)once,
                      (unsigned long long)twice);
            CHECK_MSG(once < 3000 * SIZE, "%s on %s: %llu steps", expressions[i], units[u],
                      (unsigned long long)once);
        }
    }
}

/* A search that would need more memory than it may have ends with an error, and stays ended. */
TEST(regex_memory_limit)
{
    enum { SIZE = 4000 };
    static char text[SIZE];
    ix_regex_search s = { 0 };
    inox_error err;
    size_t start, end;
    bool found;
    ix_regex *r = compile(t, "x|(?:a|b|ab)*c", IX_REGEX_ONIGURUMA);
    memset(text, 'a', SIZE);
    text[0] = 'x';
    if (!r)
        return;
    ix_regex_start(&s, r, text, SIZE);
    CHECK_OK(ix_regex_next(&s, &start, &end, &found, &err), &err);
    CHECK(found && end == 1);
    s.work->memory = IX_MAX_REGEX_MEMORY - 20000;
    CHECK(ix_regex_next(&s, &start, &end, &found, &err) == INOX_E_LIMIT);
    CHECK(!found && start == 0 && end == 0 && strstr(err.message, "1024 MB"));
    CHECK(ix_regex_next(&s, &start, &end, &found, &err) == INOX_OK && !found);
    ix_regex_release(&s);
    ix_regex_free(r);
}

/* ---- errors -------------------------------------------------------------------------------- */

TEST(regex_errors)
{
    static const struct {
        const char *expression;
        inox_status status;
        int syntax; /* -1: both */
    } cases[] = {
        { "(a)\\1", INOX_E_UNSUPPORTED, -1 },
        { "(?<n>a)\\k<n>", INOX_E_UNSUPPORTED, -1 },
        { "\\g<0>", INOX_E_UNSUPPORTED, -1 },
        { "(a)(?(1)b|c)", INOX_E_UNSUPPORTED, -1 },
        { "(?~abc)", INOX_E_UNSUPPORTED, -1 },
        { "a\\Kb", INOX_E_UNSUPPORTED, -1 },
        { "(*FAIL)", INOX_E_UNSUPPORTED, -1 },
        { "\\p{Nothing}", INOX_E_UNSUPPORTED, -1 },
        { "(?<=a*+)b", INOX_E_UNSUPPORTED, -1 },
        { "(a", INOX_E_FORMAT, -1 },
        { "a)", INOX_E_FORMAT, -1 },
        { "[a", INOX_E_FORMAT, -1 },
        { "*a", INOX_E_FORMAT, -1 },
        { "a|*", INOX_E_FORMAT, -1 },
        { "a\\", INOX_E_FORMAT, -1 },
        { "[z-a]", INOX_E_FORMAT, -1 },
        { "\\p{L", INOX_E_FORMAT, -1 },
        { "(?", INOX_E_FORMAT, -1 },
        { "[a-\\d]", INOX_E_FORMAT, -1 },
        { "\\x{110000}", INOX_E_FORMAT, -1 },
        { "(?#", INOX_E_FORMAT, -1 },
        { "(?<>a)", INOX_E_FORMAT, -1 },
        { "a{1000}{1000}{9}", INOX_E_LIMIT, 0 },
        { "(?:a{1000}){1000}", INOX_E_LIMIT, -1 },
        { "(?:ab{5}c){9999}", INOX_E_LIMIT, -1 },
        { "a{99999}", INOX_E_LIMIT, -1 },
        { "(?:(?:(?:){9999}){9999}){9999}", INOX_E_LIMIT, -1 },
        { "a**", INOX_E_FORMAT, 1 },
        { "a{3,2}", INOX_E_FORMAT, 1 },
        { "\\y", INOX_E_UNSUPPORTED, 0 },
        { "(?s)a", INOX_E_UNSUPPORTED, 0 },
        { "\xFF", INOX_E_FORMAT, -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int syntax = 0; syntax < 2; syntax++) {
            ix_regex *r = NULL;
            inox_error err = { 0 };
            const char *e = cases[i].expression;
            if (cases[i].syntax >= 0 && cases[i].syntax != syntax)
                continue;
            inox_status status = ix_regex_new(e, strlen(e), (ix_regex_syntax)syntax, &r, &err);
            bool limit = cases[i].status == INOX_E_LIMIT && status == INOX_OK;
            CHECK_MSG(status == cases[i].status, "%s gives %d: %s", e, (int)status, err.message);
            CHECK_MSG(limit || !r, "%s leaves an expression behind", e);
            ix_regex_free(r);
        }
    }
    inox_error err;
    ix_regex *r;
    CHECK(ix_regex_new("ab(?<n>x)\\k<n>", 14, IX_REGEX_ONIGURUMA, &r, &err) == INOX_E_UNSUPPORTED);
    CHECK(err.position == 9 && strstr(err.message, "byte 9"));
}

/* Groups to the limit of depth, and one more. */
TEST(regex_depth)
{
    char text[2 * IX_MAX_REGEX_DEPTH + 8];
    for (int depth = IX_MAX_REGEX_DEPTH; depth <= IX_MAX_REGEX_DEPTH + 1; depth++) {
        ix_regex *r;
        inox_error err;
        memset(text, '(', (size_t)depth);
        text[depth] = 'a';
        memset(text + depth + 1, ')', (size_t)depth);
        inox_status status =
            ix_regex_new(text, 2 * (size_t)depth + 1, IX_REGEX_ONIGURUMA, &r, &err);
        CHECK(status == (depth > IX_MAX_REGEX_DEPTH ? INOX_E_LIMIT : INOX_OK));
        ix_regex_free(r);
    }
}

/* Whatever allocation fails, the error is reported and nothing is lost. */
TEST(regex_no_memory)
{
    static const char expression[] = "(?>(?:\\p{L}|ab)*)c|(?=[^\\s]*?x)a+|(?i)straße";
    for (uint64_t n = 1; n < 200; n++) {
        ix_regex *r = NULL;
        ix_regex_search s = { 0 };
        inox_error err;
        size_t start, end;
        bool found = true;
        ix_alloc_fail_at(n, 1);
        inox_status status =
            ix_regex_new(expression, sizeof expression - 1, IX_REGEX_ONIGURUMA, &r, &err);
        if (status == INOX_OK)
            ix_regex_start(&s, r, "aaabab ab aaaa x", 16);
        while (status == INOX_OK && found)
            status = ix_regex_next(&s, &start, &end, &found, &err);
        ix_alloc_fail_at(0, 0);
        CHECK(status == INOX_OK || status == INOX_E_MEMORY);
        ix_regex_release(&s);
        ix_regex_free(r);
        if (status == INOX_OK)
            break;
        CHECK(n < 199);
    }
}
