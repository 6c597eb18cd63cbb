/* The template language: its statements and expressions against jinja2's answers (committed:
 * data/jinja/language.jsonl, made by make_jinja_language_goldens.py; all of ../shared's where it
 * is), marks through every statement, budgets, what the sandbox refuses, errors and their places,
 * the reader of variables. */
#include "test.h"

#include "text/jinja/template.h"

#include <jansson.h>

/* ---- helpers --------------------------------------------------------------------------------- */

static inox_status render(const char *source, size_t size, const char *variables,
                          const ix_template_options *options, ix_template_result *out,
                          inox_error *err)
{
    ix_template *template = NULL;

    *out = (ix_template_result){ 0 };
    inox_status status = ix_template_new(source, size, &template, err);
    if (status == INOX_OK)
        status = ix_template_render(template, variables, strlen(variables), options, out, err);
    ix_template_free(template);
    return status;
}

static ix_template_options golden_time(void)
{
    ix_template_options o = { .has_now = true };

    o.now.year = 2026;
    o.now.month = 7;
    o.now.day = 4;
    o.now.hour = 15;
    o.now.minute = 30;
    o.now.second = 45;
    return o;
}

/* One template with the text that jinja2 gives, or JSON null where it fails. */
static void check_golden(ix_test *t, const json_t *source, const char *variables,
                         const json_t *wanted)
{
    const ix_template_options options = golden_time();
    ix_template_result got;
    inox_error err = { 0 };
    const char *text = json_string_value(source);
    inox_status status = render(text, json_string_length(source), variables, &options, &got, &err);

    if (!json_is_string(wanted))
        CHECK_MSG(status != INOX_OK, "%s\n  gives %s, but jinja2 fails", text, got.text);
    else
        CHECK_MSG(status == INOX_OK && got.size == json_string_length(wanted) &&
                      memcmp(got.text, json_string_value(wanted), got.size) == 0,
                  "%s\n  wanted %s\n  got    %s", text, json_string_value(wanted),
                  status == INOX_OK ? got.text : err.message);
    ix_template_result_release(&got);
}

/* Text with [brackets] around what comes from users. */
static void check_marks(ix_test *t, const char *source, const char *variables, const char *wanted)
{
    char shown[1000];
    size_t n = 0, span = 0;
    ix_template_result got;
    inox_error err = { 0 };
    inox_status status = render(source, strlen(source), variables, NULL, &got, &err);

    CHECK_MSG(status == INOX_OK, "%s: %s", source, err.message);
    for (size_t i = 0; i <= got.size && n + 3 < sizeof shown; i++) {
        if (span < got.span_count && got.spans[span].end == i) {
            shown[n++] = ']';
            span++;
        }
        if (span < got.span_count && got.spans[span].start == i)
            shown[n++] = '[';
        if (i < got.size)
            shown[n++] = got.text[i];
    }
    shown[n] = '\0';
    CHECK_MSG(strcmp(shown, wanted) == 0, "%s\n  wanted %s\n  got    %s", source, wanted, shown);
    ix_template_result_release(&got);
}

static void check_fails(ix_test *t, const char *source, const char *variables, inox_status wanted,
                        const char *message)
{
    ix_template_result got;
    inox_error err = { 0 };
    inox_status status = render(source, strlen(source), variables, NULL, &got, &err);

    CHECK_MSG(status == wanted, "%s gives %s (%s)", source, inox_status_name(status),
              status == INOX_OK ? got.text : err.message);
    CHECK_MSG(strstr(err.message, message), "%s\n  wanted %s\n  got    %s", source, message,
              err.message);
    CHECK(got.text == NULL || status == INOX_OK);
    ix_template_result_release(&got);
}

/* ---- goldens --------------------------------------------------------------------------------- */

TEST(jinja_language_goldens)
{
    static char line[1 << 16];
    char *variables = NULL;
    size_t records = 0;
    FILE *f = fopen(ix_test_file("data/jinja/language.jsonl"), "r");

    CHECK_MSG(f != NULL, "data/jinja/language.jsonl does not open");
    while (f && fgets(line, sizeof line, f)) {
        json_t *j = json_loads(line, JSON_ALLOW_NUL, NULL);

        CHECK_MSG(j != NULL, "not JSON: %.60s", line);
        if (json_is_object(j)) {
            free(variables);
            variables = strdup(json_string_value(json_object_get(j, "context")));
        } else if (j && variables) {
            check_golden(t, json_array_get(j, 0), variables, json_array_get(j, 1));
            records++;
        }
        json_decref(j);
    }
    CHECK_MSG(records > 1500, "only %zu records", records);
    free(variables);
    if (f)
        (void)fclose(f);
}

static json_t *read_text(const char *path)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    static char text[1 << 16];
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;

    if (f)
        (void)fclose(f);
    return f ? json_stringn(text, n) : NULL;
}

/* All templates of ../shared with all conversations. */
TEST(jinja_shared_templates)
{
    static char line[1 << 20];
    const char *path = ix_test_shared("data/templates/goldens.jsonl");
    size_t records = 0;
    FILE *f = path ? fopen(path, "r") : NULL;

    if (!f)
        SKIP("../shared/data/templates is not beside this source");
    json_t *conversations =
        json_load_file(ix_test_shared("data/templates/conversations.json"), 0, NULL);
    while (fgets(line, sizeof line, f)) {
        json_t *j = json_loads(line, JSON_ALLOW_NUL, NULL);
        char name[200];

        snprintf(name, sizeof name, "data/templates/%s",
                 json_string_value(json_object_get(j, "template")));
        json_t *source = read_text(ix_test_shared(name));
        char *variables = json_dumps(
            json_object_get(conversations, json_string_value(json_object_get(j, "conversation"))),
            0);
        CHECK(source && variables);
        if (source && variables)
            check_golden(t, source, variables, json_object_get(j, "out"));
        free(variables);
        json_decref(source);
        json_decref(j);
        records++;
    }
    (void)fclose(f);
    json_decref(conversations);
    CHECK_MSG(records > 0, "no records in %s", path);
}

TEST(jinja_shared_cases)
{
    static char line[1 << 16];
    const char *path = ix_test_shared("data/templates/jinja_cases.jsonl");
    FILE *f = path ? fopen(path, "r") : NULL;

    if (!f)
        SKIP("../shared/data/templates is not beside this source");
    json_t *common =
        json_load_file(ix_test_shared("data/templates/jinja_cases.common.json"), 0, NULL);
    while (fgets(line, sizeof line, f)) {
        json_t *j = json_loads(line, JSON_ALLOW_NUL, NULL), *own = json_object_get(j, "context");
        char *variables = json_dumps(json_is_object(own) ? own : common, 0);

        CHECK(j && variables);
        if (j && variables)
            check_golden(t, json_object_get(j, "template"), variables, json_object_get(j, "out"));
        free(variables);
        json_decref(j);
    }
    (void)fclose(f);
    json_decref(common);
}

/* ---- marks ----------------------------------------------------------------------------------- */

static const char user[] = "{\"s\": \"<eos>\", \"l\": [\"a\", \"b\"], \"d\": {\"k\": \"v\"}, "
                           "\"bos_token\": \"<bos>\", \"n\": 5}";

static const char *const marked[][2] = {
    { "{{ bos_token }}{{ s }}", "<bos>[<eos>]" },
    { "a{{ s }}b{{ n }}", "a[<eos>]b5" },
    { "{% set x = 'a' ~ s %}{{ x }}b", "a[<eos>]b" },
    { "{% set x %}a{{ s }}b{% endset %}{{ x }}{{ x[2:4] }}", "a[<eos>]b[eo]" },
    { "{% set x | upper %}a{{ s }}{% endset %}{{ x }}", "A[<EOS>]" },
    { "{% filter upper %}a{{ s }}b{% endfilter %}", "A[<EOS>]B" },
    { "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(s) }}{{ m('k') }}", "<[<eos>]><k>" },
    { "{% macro m(x='q') %}{{ x ~ s }}{% endmacro %}{{ m() }}", "q[<eos>]" },
    { "{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}{{ s }}{% endcall %}",
      "([<eos>])" },
    { "{% for x in l %}{{ loop.index }}{{ x }}{{ loop.cycle('-', s) }}{% endfor %}",
      "1[a]-2[b<eos>]" },
    { "{% for x in [[s]] recursive %}{{ loop(x) if x is not string else x }}!{% endfor %}",
      "[<eos>]!!" },
    { "{% for c in 'x' ~ l[0] %}{{ c }}.{% endfor %}", "x.[a]." },
    { "{% for k, v in d.items() %}{{ k }}={{ v }}{% endfor %}", "[k]=[v]" },
    { "{% set ns = namespace(t='') %}{% for x in l %}{% set ns.t = ns.t + x + ',' %}{% endfor %}"
      "{{ ns.t }}",
      "[a],[b]," },
    { "{% with y = s %}{{ y }}{% endwith %}", "[<eos>]" },
    { "{% block b %}{{ s }}{% endblock %}{{ self.b() }}", "[<eos><eos>]" },
    { "{% generation %}{{ s }}{% endgeneration %}.", "[<eos>]." },
    { "{% autoescape true %}{{ s }}{% endautoescape %}", "[&lt;eos&gt;]" },
    { "{{ s if n else '' }}{{ 'x' if not n else s }}", "[<eos><eos>]" },
    { "{{ (l + ['c'])|join('+') }}", "[a]+[b]+c" },
    { "{{ [s, 'x'] }}{{ d }}", "['[<eos>]', 'x']{'[k]': '[v]'}" },
    { "{{ s[0] }}{{ s[::-1] }}{{ ('x' ~ s)[::2] }}", "[<>soe<]x[es]" },
    { "{{ s * 2 }}{{ 2 * ('x' ~ l[0]) }}", "[<eos><eos>]x[a]x[a]" },
    { "{{ dict(a=s).a }}{{ {'q': s}.q }}{{ (s, 1)[0] }}", "[<eos><eos><eos>]" },
    { "{{ 'a%s' % s }}{{ d | tojson }}", "a[<eos>]{\"[k]\": \"[v]\"}" },
};

TEST(jinja_marks)
{
    for (size_t i = 0; i < sizeof marked / sizeof *marked; i++)
        check_marks(t, marked[i][0], user, marked[i][1]);
}

/* A variable that collects text keeps the marks of every step, however long it gets and whoever
 * else looks at it. */
TEST(jinja_marks_of_growing_text)
{
    ix_template_result got;
    inox_error err;
    const char source[] = "{% set ns = namespace(t='0123456789' * 30, u='') %}"
                          "{% for i in range(300) %}{% set ns.u = ns.t ~ s %}"
                          "{% set ns.t = ns.t + s + s + 'x' %}{% endfor %}{{ ns.u }}|{{ ns.t }}";

    CHECK_OK(render(source, sizeof source - 1, "{\"s\": \"ab\"}", NULL, &got, &err), &err);
    CHECK(got.size == 300 + 299 * 5 + 2 + 1 + 300 + 300 * 5);
    CHECK(got.span_count == 300 + 300);
    for (size_t i = 0; i < got.span_count; i++) {
        size_t size = i == 299 ? 2 : 4,
               at = i < 300 ? 300 + i * 5 : 303 + 299 * 5 + 300 + (i - 300) * 5;

        CHECK(got.spans[i].start == at && got.spans[i].end == at + size);
        for (size_t k = 0; k < size; k++)
            CHECK(got.text[at + k] == "ab"[k & 1]);
    }
    ix_template_result_release(&got);
}

/* ---- budgets --------------------------------------------------------------------------------- */

TEST(jinja_budgets)
{
    static const char *const endless[] = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{{ caller() }}{% endmacro %}"
        "{% macro k() %}{% call m() %}{{ k() }}{% endcall %}{% endmacro %}{{ k() }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% block b %}{{ self.b() }}{% endblock %}",
        "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}"
        "{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}"
        "{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
        "{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}"
        "{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[], k=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}"
        "{% set ns.k = [ns.k] %}{% endfor %}{{ ns.l == ns.k }}",
        "{{ 'x' * 10000000000 }}",
        "{{ [0] * 10000000000 }}",
        "{{ 9 ** 99999999 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{% set ns = namespace(i=9) %}{% for i in range(99) %}{% set ns.i = ns.i * ns.i %}"
        "{% endfor %}",
        "{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}",
        "{% set s = 'a' * 9999999 %}{% for i in range(99999) %}{{ s.replace('a', 'bb')|length }}"
        "{% endfor %}",
        "{% set s = 'a' * 999999 %}{% for i in range(99999) %}{{ (s ~ 'b') in s }}{% endfor %}",
        "{% for i in range(99999) %}{{ range(99999)|list|length }}{% endfor %}",
        "{% for i in range(99999) %}{{ range(99999)|sum }}{% endfor %}",
    };

    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        const ix_template_options small = { .steps_max = 2000000,
                                            .memory_max = 64 << 20,
                                            .output_max = 16 << 20 };
        ix_template_result got;
        inox_error err = { 0 };
        inox_status status = render(endless[i], strlen(endless[i]), "{}", &small, &got, &err);

        CHECK_MSG(status == INOX_E_LIMIT, "%s gives %s: %s", endless[i], inox_status_name(status),
                  err.message);
        ix_template_result_release(&got);
    }
}

/* Sources that nest: an error, not a stack that runs over. */
TEST(jinja_nesting)
{
    static const char *const parts[][3] = {
        { "{{ ", "(", " }}" },
        { "{{ ", "[", " }}" },
        { "{{ ", "{1:", " }}" },
        { "{{ ", "-", "1 }}" },
        { "{{ ", "not ", "1 }}" },
        { "{{ x", ".a", " }}" },
        { "{{ x", "|abs", " }}" },
        { "{{ x", "[0]", " }}" },
        { "{{ 1", "+1", " }}" },
        { "{{ x", " is odd", " }}" },
        { "{{ 1", " if 1 else 1", " }}" },
        { "{{ x", "(", " }}" },
        { "", "{% if 1 %}", "" },
        { "", "{% for x in y %}", "" },
        { "", "{% macro m() %}", "" },
        { "", "{% set x %}", "" },
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t size = strlen(parts[i][0]) + 20000 * strlen(parts[i][1]) + strlen(parts[i][2]);
        char *source = malloc(size + 1), *p = source;
        ix_template_result got;
        inox_error err = { 0 };

        if (!source)
            continue;
        p += snprintf(p, size + 1, "%s", parts[i][0]);
        for (int k = 0; k < 20000; k++, p += strlen(p))
            snprintf(p, strlen(parts[i][1]) + 1, "%s", parts[i][1]);
        snprintf(p, strlen(parts[i][2]) + 1, "%s", parts[i][2]);
        inox_status status = render(source, size, "{}", NULL, &got, &err);
        CHECK_MSG(status == INOX_E_LIMIT || status == INOX_E_FORMAT, "%zu: %s", i, err.message);
        ix_template_result_release(&got);
        free(source);
    }
}

/* ---- the sandbox ----------------------------------------------------------------------------- */

/* CVE-2024-34359 (a template of a model file that runs code) and relatives of it. */
TEST(jinja_sandbox)
{
    static const char *const attacks[] = {
        "{% for x in ().__class__.__base__.__subclasses__() %}{% if 'warning' in x.__name__ %}"
        "{{ x()._module.__builtins__['__import__']('os').popen('id').read() }}{% endif %}"
        "{% endfor %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''['__class__']['__mro__'] }}",
        "{{ [].__class__.__base__ }}",
        "{{ {}.__class__.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self.__init__.__globals__.__builtins__ }}",
        "{{ self._TemplateReference__context.environment }}",
        "{{ (''|attr('__class__')).__mro__ }}",
        "{{ (''|attr('\\x5f\\x5fclass\\x5f\\x5f')).__mro__ }}",
        "{{ ''['__cl' ~ 'ass__'].__mro__ }}",
        "{{ '{0.__class__.__mro__}'.format('') }}",
        "{{ '{a.__class__.__base__.x}'.format_map({'a': 1}) }}",
        "{{ ['']|map(attribute='__class__.__mro__')|list }}",
        "{{ range.__self__.open('/etc/passwd') }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ joiner.__init__.__globals__ }}",
        "{{ dict.mro() }}",
        "{{ raise_exception.__globals__['os'] }}",
        "{{ [1].append(2) }}",
        "{{ {}.update({}) }}",
        "{{ {'a': 1}.pop('a') }}",
        "{{ {}.setdefault('a', 1) }}",
        "{{ [2, 1].sort() }}",
        "{{ range(100001)|list }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% from 'os' import system %}",
        "{% extends '/etc/passwd' %}",
    };

    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        ix_template_result got;
        inox_error err = { 0 };

        CHECK_MSG(render(attacks[i], strlen(attacks[i]), "{}", NULL, &got, &err) != INOX_OK,
                  "%s gives %s", attacks[i], got.text);
        ix_template_result_release(&got);
    }
}

/* ---- errors ---------------------------------------------------------------------------------- */

TEST(jinja_error_places)
{
    check_fails(t, "a\n  {{ zzz.b }}", "{}", INOX_E_FORMAT,
                "line 2, column 9: UndefinedError: 'zzz' is undefined");
    check_fails(t, "a\r\nb\r\n{{ 1 + 'x' }}", "{}", INOX_E_FORMAT,
                "line 3, column 6: TypeError: unsupported operand type(s) for +: 'int' and 'str'");
    check_fails(t, "\xC3\xA4{{ 1 / 0 }}", "{}", INOX_E_FORMAT,
                "line 1, column 7: ZeroDivisionError: division by zero");
    check_fails(t, "{{ raise_exception('roles must alternate') }}", "{}", INOX_E_FORMAT,
                "TemplateError: roles must alternate");
    check_fails(t, "x\n{% if t %}\ny", "{}", INOX_E_FORMAT,
                "line 3, column 2: TemplateSyntaxError: Unexpected end of template. Jinja was "
                "looking for the following tags: 'elif' or 'else' or 'endif'.");
    check_fails(t, "{% unknown %}", "{}", INOX_E_FORMAT,
                "line 1, column 4: TemplateSyntaxError: Encountered unknown tag 'unknown'.");
    check_fails(t, "{{ x | nosuch }}", "{}", INOX_E_FORMAT,
                "TemplateAssertionError: No filter named 'nosuch'.");
    check_fails(t, "{{ [].append(1) }}", "{}", INOX_E_FORMAT,
                "SecurityError: access to attribute 'append' of 'list' object is unsafe.");
    check_fails(t, "{% include 'x' %}", "{}", INOX_E_UNSUPPORTED, "include is left out");
    check_fails(t, "\xFF", "{}", INOX_E_FORMAT, "the template is no UTF-8 at byte 0");
    check_fails(t, "{{ '\\ud800' }}", "{}", INOX_E_FORMAT, "half a surrogate pair");
}

/* ---- variables ------------------------------------------------------------------------------- */

TEST(jinja_variables)
{
    static const char *const good[][2] = {
        { "{\"a\": 123456789012345678901234567890}", "123456789012345678901234567890" },
        { "{\"a\": -9223372036854775808}", "-9223372036854775808" },
        { "{\"a\": [NaN, Infinity, -Infinity, 1e400, -0, -0.0, 1E2]}",
          "[nan, inf, -inf, inf, 0, -0.0, 100.0]" },
        { "{\"a\": 1, \"a\": 2}", "2" },
        { "{\"a\": \"\\u00e9\\ud83d\\ude00\\/\\b\\u0000\"}", "\xC3\xA9\xF0\x9F\x98\x80/\b" },
        { " {\"a\" : [ ] , \"b\":{ } } ", "[]" },
        { "{\"a\": {\"b\": null, \"c\": [true, false]}}", "{'b': None, 'c': [True, False]}" },
    };
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"a\"}",
        "{\"a\": }",
        "{\"a\": 01}",
        "{\"a\": 1.}",
        "{\"a\": .5}",
        "{\"a\": \"\n\"}",
        "{\"a\": \"\\x\"}",
        "{\"a\": tru}",
        "{\"a\": 1,}",
        "{\"a\": [1,]}",
        "{a: 1}",
        "{\"a\": 1} x",
        "{\"a\": \"\xFF\"}",
        "{\"a\": \"\\u12\"}",
        "{\"a\": +1}",
        "{\"a\": \"",
        "{\"a\": -}",
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ix_template_result got;
        inox_error err;

        CHECK_OK(render("{{ a }}", 7, good[i][0], NULL, &got, &err), &err);
        CHECK_MSG(got.text && strcmp(got.text, good[i][1]) == 0, "%s gives %s", good[i][0],
                  got.text);
        ix_template_result_release(&got);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check_fails(t, "{{ a }}", bad[i], INOX_E_FORMAT, "the variables are no JSON");
        check_fails(t, "{{ b }}", bad[i], INOX_E_FORMAT,
                    "the variables are no JSON"); /* not named */
    }
}

/* JSON that ends too soon is none, wherever it does: in keys that are guessed, short and long, in
 * escapes, in characters, in variables that the template names and in others. */
TEST(jinja_variables_cut_off)
{
#define LONG "a_key_of_more_than_sixteen_bytes_and_more_than_sixty_four_and_then_some_more"
    static const char json[] =
        "{\"a\": [{\"k\": \"v\\n\\ud83d\\ude00\", \"" LONG "\": null},"
        " {\"k\": \"\xE6\xBC\xA2\", \"" LONG "\": -1.5e3}, {\"k\": [], "
        "\"" LONG "\": true}], \"b\": {\"k\": {\"" LONG "\": \"" LONG "\"}}}";
    static const char *const templates[] = { "{{ a }}", "{{ b }}", "" };

    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        ix_template_result got;
        inox_error err;
        char cut[sizeof json];

        CHECK_OK(render(templates[i], strlen(templates[i]), json, NULL, &got, &err), &err);
        ix_template_result_release(&got);
        for (size_t size = 1; size + 1 < sizeof json; size++) {
            memcpy(cut, json, size);
            cut[size] = '\0';
            check_fails(t, templates[i], cut, INOX_E_FORMAT, "the variables are no JSON");
        }
    }
}
