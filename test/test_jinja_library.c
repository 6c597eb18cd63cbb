/* The library of the template language: every filter, test, method and global against jinja2's
 * answers (data/jinja/library.jsonl, made by make_jinja_library_goldens.py), the marks on users'
 * text through each of them, and budgets. */
#include "test.h"

#include "text/jinja/decimal.h"
#include "text/jinja/template.h"

#include <jansson.h>

static inox_status render(const char *expression, const char *variables,
                          const ix_template_options *options, ix_template_result *out,
                          inox_error *err)
{
    size_t size = strlen(expression) + 8;
    char *source = malloc(size);
    ix_template *template = NULL;
    *out = (ix_template_result){ 0 };
    if (!source)
        return ix_fail(err, INOX_E_MEMORY, "no memory");
    int written =
        snprintf(source, size, strncmp(expression, "{%", 2) == 0 ? "%s" : "{{ %s }}", expression);
    inox_status status = ix_template_new(source, (size_t)written, &template, err);
    if (status == INOX_OK)
        status = ix_template_render(template, variables, strlen(variables), options, out, err);
    ix_template_free(template);
    free(source);
    return status;
}

static ix_template_options usual(void)
{
    ix_template_options options = { .has_now = true };
    options.now.year = 2026;
    options.now.month = 7;
    options.now.day = 4;
    options.now.hour = 15;
    options.now.minute = 30;
    options.now.second = 45;
    return options;
}

/* Spans are in order, apart, not empty, and cut no character. */
static bool are_spans_sound(const ix_template_result *r)
{
    size_t before = 0;
    for (size_t i = 0; i < r->span_count; i++) {
        ix_template_span s = r->spans[i];
        if (s.start >= s.end || s.end > r->size || (i > 0 && s.start <= before))
            return false;
        if (((unsigned char)r->text[s.start] & 0xC0) == 0x80 ||
            (s.end < r->size && ((unsigned char)r->text[s.end] & 0xC0) == 0x80))
            return false;
        before = s.end;
    }
    return true;
}

/* One record: [expression, text], or [expression, null, class of the error]. */
static void check_record(ix_test *t, const json_t *record, const char *variables)
{
    const char *expression = json_string_value(json_array_get(record, 0));
    const json_t *wanted = json_array_get(record, 1);
    ix_template_options options = usual();
    ix_template_result got;
    inox_error err = { 0 };
    inox_status status = render(expression, variables, &options, &got, &err);
    if (json_is_null(wanted)) {
        CHECK_MSG(status != INOX_OK, "%s gives %s, but jinja2 fails (%s)", expression, got.text,
                  json_string_value(json_array_get(record, 2)));
        CHECK_MSG(strstr(err.message, "line 1, column "), "%s: no place in: %s", expression,
                  err.message);
    } else {
        bool same = status == INOX_OK && got.size == json_string_length(wanted) &&
                    memcmp(got.text, json_string_value(wanted), got.size) == 0;
        CHECK_MSG(same, "%s\n  wanted %s\n  got    %s", expression, json_string_value(wanted),
                  status == INOX_OK ? got.text : err.message);
        CHECK_MSG(status != INOX_OK || are_spans_sound(&got), "%s: spans", expression);
    }
    ix_template_result_release(&got);
}

TEST(text_jinja_library_goldens)
{
    static char line[1 << 16];
    char *variables = NULL;
    size_t records = 0;
    FILE *f = fopen(ix_test_file("data/jinja/library.jsonl"), "r");
    CHECK_MSG(f != NULL, "data/jinja/library.jsonl does not open");
    while (f && fgets(line, sizeof line, f)) {
        json_t *j = json_loads(line, JSON_ALLOW_NUL, NULL);
        CHECK_MSG(j != NULL, "not JSON: %.60s", line);
        if (json_is_object(j)) {
            const char *context = json_string_value(json_object_get(j, "context"));
            free(variables);
            variables = context ? strdup(context) : NULL;
        } else if (j && variables) {
            check_record(t, j, variables);
            records++;
        }
        json_decref(j);
    }
    CHECK_MSG(records > 3000, "only %zu records", records);
    free(variables);
    if (f)
        (void)fclose(f);
}

/* ---- marks ----------------------------------------------------------------------------------- */

/* What each expression gives, with [brackets] around what comes from the user.  The variables:
 * s = "Ab cD", n = 7, l = ["xa", "b"], d = {"k": "v"}, h = "<i>", w = " z ", m = "p\nq", p = [...]
 */
static const char marked_variables[] =
    "{\"s\":\"Ab cD\",\"l\":[\"xa\",\"b\"],\"d\":{\"k\":\"v\"},\"h\":\"<i>&amp;</i>\",\"w\":\" z "
    "\",\"m\":\"p\\nq\",\"p\":[{\"g\":\"B\",\"v\":1},{\"g\":\"a\",\"v\":2}],\"f\":\"%s|{}|%Y\","
    "\"u\":\"\\u00df\\u03a3\",\"long\":\"one two three four\"}";

static const char *const marked[][2] = {
    { "s", "[Ab cD]" },
    { "'x' ~ s ~ 'y'", "x[Ab cD]y" },
    { "s[1:4]", "[b c]" },
    { "s[::-1]", "[Dc bA]" },
    { "s * 2", "[Ab cDAb cD]" },
    { "('x' ~ s) * 2", "x[Ab cD]x[Ab cD]" },
    { "s.upper()", "[AB CD]" },
    { "('x' ~ s ~ 'y') | upper", "X[AB CD]Y" },
    { "(u ~ 'x').upper()", "[SSΣ]X" },
    { "('A' ~ u ~ '.').lower()", "a[ßς]." },
    { "('q ' ~ s).title()", "Q [Ab Cd]" },
    { "('q ' ~ s) | title", "Q [Ab Cd]" },
    { "s | capitalize", "[Ab cd]" },
    { "('x' ~ s).swapcase()", "X[aB Cd]" },
    { "(u ~ 'SS').casefold()", "[ssσ]ss" },
    { "('-' ~ w ~ '-').strip('-')", "[ z ]" },
    { "w | trim", "[z]" },
    { "('  ' ~ w).lstrip()", "[z ]" },
    { "(w ~ '  ').rstrip()", "[ z]" },
    { "('a,' ~ s ~ ',b').split(',') | join('+')", "a+[Ab cD]+b" },
    { "('a,' ~ s ~ ',b').split(',')", "['a', '\1Ab cD\2', 'b']" },
    { "s.split() | last", "[cD]" },
    { "('k: ' ~ s).partition(': ')[2]", "[Ab cD]" },
    { "('k: ' ~ s).rpartition(' ') | join('|')", "k: [Ab]|[ ]|[cD]" },
    { "(m ~ '\\nz').splitlines() | join('+')", "[p]+[q]+z" },
    { "s.replace('A', 'xx')", "xx[b cD]" },
    { "'a-b' | replace('-', s)", "a[Ab cD]b" },
    { "'ab'.replace('', s)", "[Ab cD]a[Ab cD]b[Ab cD]" },
    { "s | replace(' ', '')", "[AbcD]" },
    { "s.center(9, '*')", "**[Ab cD]**" },
    { "s | center(9)", "  [Ab cD]  " },
    { "s.ljust(7)", "[Ab cD]  " },
    { "'x'.rjust(3, s[0])", "[AA]x" },
    { "('-' ~ s).zfill(8)", "-00[Ab cD]" },
    { "(s ~ '\\tx').expandtabs(8)", "[Ab cD]   x" },
    { "'<'.join(l)", "[xa]<[b]" },
    { "s.join(['1', '2'])", "1[Ab cD]2" },
    { "l | join(', ')", "[xa], [b]" },
    { "p | join('-', attribute='g')", "[B]-[a]" },
    { "s.translate({65: 'xx', 98: none, 99: 100})", "xx[ dD]" },
    { "'ab'.translate({97: s})", "[Ab cD]b" },
    { "'ab'.translate({97: 60})", "[<]b" },
    { "'-%c-%c' % (60, 'a')", "-[<]-a" },
    { "'-{:c}-{:>3c}'.format(60, 60)", "-[<]-  [<]" },
    { "s.removeprefix('A')", "[b cD]" },
    { "('x' ~ s).removesuffix('D')", "x[Ab c]" },
    { "'%s|%5s|%r|%.1s' % (s, s[0], s, s)", "[Ab cD]|    [A]|'[Ab cD]'|[A]" },
    { "'%(k)s!' % d", "[v]!" },
    { "f.format(9)", "[%s|]9[|%Y]" },
    { "'{}-{!r}-{:>7}'.format(s, s, s)", "[Ab cD]-'[Ab cD]'-  [Ab cD]" },
    { "'{0[k]}{1.k}'.format(d, d)", "[vv]" },
    { "'{:{}}'.format('x', '*>3')", "**x" },
    { "'{:{}}'.format('x', s[0] ~ '>3')", "[AA]x" },
    { "'%s' | format(s)", "[Ab cD]" },
    { "s | tojson", "\"[Ab cD]\"" },
    { "m | tojson", "\"[p\\nq]\"" },
    { "[s, {'k': s}] | tojson", "[\"\1Ab cD\2\", {\"k\": \"\1Ab cD\2\"}]" },
    { "d | tojson", "{\"[k]\": \"[v]\"}" },
    { "u | tojson(ensure_ascii=true)", "\"[\\u00df\\u03a3]\"" },
    { "m | indent(2)", "[p\n]  [q]" },
    { "m | indent(w, first=true)", "[ z p\n z q]" },
    { "long | wordwrap(7)", "[one two]\n[three]\n[four]" },
    { "long | truncate(10, leeway=0)", "[one]..." },
    { "'some long text here' | truncate(7, true, s[:2], 0)", "some [Ab]" },
    { "h | e", "[&lt;i&gt;&amp;amp;&lt;/i&gt;]" },
    { "('<' ~ h) | forceescape", "&lt;[&lt;i&gt;&amp;amp;&lt;/i&gt;]" },
    { "h | striptags", "[&]" },
    { "('<b>' ~ s ~ '</b> x') | striptags", "[Ab cD] x" },
    { "{'a': s} | xmlattr", " a=\"[Ab cD]\"" },
    { "s | urlencode", "[Ab%20cD]" },
    { "{'q': s} | urlencode", "q=[Ab+cD]" },
    { "('http://a.bc/' ~ l[1]) | urlize",
      "<a href=\"http://a.bc/[b]\" rel=\"noopener\">http://a.bc/[b]</a>" },
    { "s | safe", "[Ab cD]" },
    { "('<' | e) + h", "&lt;[&lt;i&gt;&amp;amp;&lt;/i&gt;]" },
    { "(s | safe).center(7)", " [Ab cD] " },
    { "s | string", "[Ab cD]" },
    { "l", "['\1xa\2', '\1b\2']" },
    { "l | string", "['\1xa\2', '\1b\2']" },
    { "l | pprint", "['\1xa\2', '\1b\2']" },
    { "d", "{'[k]': '[v]'}" },
    { "s | list | join('.')", "[A].[b].[ ].[c].[D]" },
    { "s | reverse", "[Dc bA]" },
    { "l | sort | first", "[b]" },
    { "l | map('upper') | join(' ')", "[XA] [B]" },
    { "l | map('replace', 'a', '_') | join", "[x]_[b]" },
    { "l | select('eq', 'b') | first", "[b]" },
    { "l | unique | join('/')", "[xa]/[b]" },
    { "l | batch(1) | map('first') | join('/')", "[xa]/[b]" },
    { "p | groupby('g') | map('first') | join('/')", "[a]/[B]" },
    { "p | map(attribute='g') | max", "[B]" },
    { "d | dictsort | first | join('=')", "[k]=[v]" },
    { "d.items() | first | join('=')", "[k]=[v]" },
    { "dict(d, x='y') | xmlattr", " [k]=\"[v]\" x=\"y\"" },
    { "nope | default(s)", "[Ab cD]" },
    { "strftime_now('%Y' ~ s)", "2026[Ab cD]" },
    { "strftime_now(s ~ '-%d')", "[Ab cD]-04" },
    { "namespace(a=s).a", "[Ab cD]" },
    { "cycler(s, 'x').next()", "[Ab cD]" },
    { "'' ~ 7 ~ s | length", "75" },
    { "s ~ true ~ none ~ 1.5", "[Ab cD]TrueNone1.5" },
    { "'a' if s else 'b'", "a" },
    { "s is string", "True" },
};

/* The text with brackets, \1 and \2 in place of those that would be taken for list brackets. */
static char *bracketed(const ix_template_result *r, bool control)
{
    char *out = malloc(r->size + 2 * r->span_count + 1);
    size_t n = 0, span = 0;
    for (size_t i = 0; out && i <= r->size; i++) {
        if (span < r->span_count && i == r->spans[span].end) {
            out[n++] = control ? '\2' : ']';
            span++;
        }
        if (span < r->span_count && i == r->spans[span].start)
            out[n++] = control ? '\1' : '[';
        if (i < r->size)
            out[n++] = r->text[i];
    }
    if (out)
        out[n] = 0;
    return out;
}

TEST(text_jinja_library_marks)
{
    ix_template_options options = usual();
    for (size_t i = 0; i < sizeof marked / sizeof marked[0]; i++) {
        ix_template_result got;
        inox_error err = { 0 };
        inox_status status = render(marked[i][0], marked_variables, &options, &got, &err);
        CHECK_MSG(status == INOX_OK, "%s: %s", marked[i][0], err.message);
        char *shown = status == INOX_OK ? bracketed(&got, strchr(marked[i][1], '\1')) : NULL;
        CHECK_MSG(shown && strcmp(shown, marked[i][1]) == 0, "%s\n  wanted %s\n  got    %s",
                  marked[i][0], marked[i][1], shown ? shown : "nothing");
        free(shown);
        ix_template_result_release(&got);
    }
}

/* ---- budgets --------------------------------------------------------------------------------- */

/* Small templates that ask for much: all end with the limit. */
static const char *const greedy[] = {
    "'x' * 10**9",
    "'x'.center(10**9)",
    "'x'.ljust(10**10)",
    "'x'.zfill(10**9)",
    "'\\t'.expandtabs(2000000000)",
    "'x' | center(10**9)",
    "'%999999999d' % 1",
    "'%.999999999f' % 1",
    "'%-999999999s' % 'x'",
    "'%0*d' % (999999999, 1)",
    "'{:>99999999999}'.format(1)",
    "'{:099999999999,}'.format(1)",
    "'{:.999999999f}'.format(1.5)",
    "'{:<9999999999}'.format('x')",
    "'a' | indent(10**9, true)",
    "[1] | tojson(indent=10**9)",
    "[1] | batch(10**10, 0) | list",
    "[1] | slice(10**10, 0) | list | length",
    "('x' * 100000).replace('', 'y' * 100000)",
    "('x' * 100000) | replace('x', 'y' * 100000)",
    "('a' * 100000).translate({97: 'b' * 100000})",
    "('b' * 100000).join(['a'] * 100000)",
    "(['a'] * 100000) | join('b' * 100000)",
    "range(100000) | map('string') | map('center', 100000) | join",
    "('x' * 1000000).strip('y' * 1000000 ~ 'x') | length",
    "range(100000) | sum(start=[1] * 10**9)",
    "10**(10**8)",
    "1 | round(-10**9)",
    "('%s' * 100000) % (('x' * 100000,) * 100000)",
    "('{0}' * 100000).format('x' * 100000)",
    "('a b ' * 10000) | urlize(target='t' * 100000) ~ ('a@b.c ' * 1000000)",
    "strftime_now('%c' * 100000) * 10000",
};

TEST(text_jinja_library_budgets)
{
    ix_template_options options = usual();
    options.memory_max = 1 << 24;
    options.output_max = 1 << 24;
    options.steps_max = 1000000;
    for (size_t i = 0; i < sizeof greedy / sizeof greedy[0]; i++) {
        ix_template_result got;
        inox_error err = { 0 };
        inox_status status = render(greedy[i], "{}", &options, &got, &err);
        CHECK_MSG(status == INOX_E_LIMIT, "%s: %d %s", greedy[i], status, err.message);
        CHECK(got.text == NULL && got.size == 0);
        ix_template_result_release(&got);
    }
}

/* ---- doubles --------------------------------------------------------------------------------- */

TEST(text_jinja_decimal_round_trip)
{
    uint64_t state = 20260704;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = ix_test_random(&state), back;
        double x, y = 0;
        char text[IX_FLOAT_REPR_BYTES];
        memcpy(&x, &bits, sizeof x);
        if (!ix_float_is_finite(x))
            continue;
        size_t n = ix_float_repr(x, text);
        CHECK_MSG(ix_float_parse(text, n, &y), "%s is not read", text);
        memcpy(&back, &y, sizeof back);
        CHECK_MSG(back == bits, "%s reads as another number", text);
    }
}
