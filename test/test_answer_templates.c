/* Answers through the published templates: each template of ../shared renders a conversation that
 * ends with an answer (reasoning, content, calls), and the answer's text, in pieces of many sizes,
 * has to be taken apart into what was rendered. */
#include "test.h"

#include "base/os.h"
#include "text/answer/answer.h"

#include <jansson.h>

#define CITY "Z\u00fcrich (Nord)"

static const char TOOLS[] = "[{\"type\": \"function\", \"function\": {\"name\": \"get_weather\", "
                            "\"description\": \"Weather.\","
                            " \"parameters\": {\"type\": \"object\", \"properties\": {"
                            "\"city\": {\"type\": \"string\", \"description\": \"Where\"},"
                            "\"zip\": {\"type\": \"string\", \"description\": \"Digits\"},"
                            "\"days\": {\"type\": \"integer\", \"description\": \"How many\"},"
                            "\"exact\": {\"type\": \"boolean\", \"description\": \"Or not\"},"
                            "\"tags\": {\"type\": \"array\", \"description\": \"Words\", "
                            "\"items\": {\"type\": \"string\"}}},"
                            " \"required\": [\"city\"]}}}]";

static const char ARGUMENTS[] = "{\"city\": \"" CITY "\", \"zip\": \"0123\", \"days\": 3,"
                                " \"exact\": true, \"tags\": [\"a\", \"b c\"]}";

/* What an answer holds. */
enum { CONTENT = 1, REASONING = 2, CALL = 4, TWO_CALLS = 8 };

static const unsigned ANSWERS[] = { CONTENT,        CONTENT | REASONING, CALL,
                                    CALL | CONTENT, CALL | REASONING,    CALL | TWO_CALLS };

/* ---- rendering ------------------------------------------------------------------------------- */

static json_t *call_of(const char *id, const json_t *arguments)
{
    return json_pack("{s:s, s:s, s:{s:s, s:O}}", "id", id, "type", "function", "function", "name",
                     "get_weather", "arguments", arguments);
}

/* The assistant's turn.  Templates call reasoning by several names. */
static json_t *turn(unsigned holds, bool arguments_are_text)
{
    json_t *m = json_pack("{s:s, s:s}", "role", "assistant", "content",
                          holds & CONTENT ? "It is fine there." : "");
    json_t *arguments =
        arguments_are_text ? json_string(ARGUMENTS) : json_loads(ARGUMENTS, 0, NULL);
    if (holds & REASONING) {
        static const char *const names[] = { "reasoning_content", "reasoning", "thinking" };
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            json_object_set_new(m, names[i], json_string("They ask for weather."));
    }
    if (holds & CALL) {
        json_t *calls = json_pack("[o]", call_of("abc12wxyz", arguments));
        if (holds & TWO_CALLS)
            json_array_append_new(calls, call_of("abc34wxyz", arguments));
        json_object_set_new(m, "tool_calls", calls);
    }
    json_decref(arguments);
    return m;
}

/* The text of a conversation; NULL: the template refuses it.  Steals `answer`. */
static char *render(const ix_template *t, json_t *answer, bool prompt)
{
    json_t *root = json_pack("{s:[{s:s, s:s}], s:o, s:b, s:b, s:s, s:s}", "messages", "role",
                             "user", "content", "How is it in Nord?", "tools",
                             json_loads(TOOLS, 0, NULL), "add_generation_prompt", prompt,
                             "enable_thinking", true, "bos_token", "<s>", "eos_token", "");
    ix_template_result r = { 0 };
    char *text = NULL, *variables;
    if (answer)
        json_array_append_new(json_object_get(root, "messages"), answer);
    variables = json_dumps(root, 0);
    if (variables && ix_template_render(t, variables, strlen(variables), NULL, &r, NULL) == INOX_OK)
        text = strdup(r.text);
    ix_template_result_release(&r);
    free(variables);
    json_decref(root);
    return text;
}

/* ---- taking apart ---------------------------------------------------------------------------- */

typedef struct record {
    ix_buffer content, reasoning;
    json_t *calls;
} record;

static inox_status add(void *context, const ix_answer_event *e, inox_error *err)
{
    record *r = context;
    if (e->part == IX_ANSWER_CALL) {
        json_t *arguments = json_loadb(e->arguments.data, e->arguments.size, 0, NULL);
        json_array_append_new(r->calls, json_pack("[s%, o]", e->name.data, e->name.size,
                                                  arguments ? arguments : json_null()));
        return INOX_OK;
    }
    return ix_buffer_append(e->part == IX_ANSWER_CONTENT ? &r->content : &r->reasoning,
                            e->text.data, e->text.size, err);
}

static void take_apart(ix_test *t, const ix_answer_format *f, const char *prompt,
                       const char *answer, size_t step, record *r)
{
    inox_error err = { 0 };
    ix_answer_parser *p = NULL;
    size_t size = strlen(answer);
    *r = (record){ .calls = json_array() };
    CHECK_OK(ix_buffer_append(&r->content, "", 0, &err), &err);
    CHECK_OK(ix_buffer_append(&r->reasoning, "", 0, &err), &err);
    CHECK_OK(ix_answer_parser_new(f, (ix_text_view){ prompt, strlen(prompt) }, add, r, &p, &err),
             &err);
    if (!p)
        return;
    CHECK_OK(ix_answer_parser_tools(p, (ix_text_view){ TOOLS, strlen(TOOLS) }, &err), &err);
    for (size_t at = 0; at < size; at += step)
        CHECK_OK(ix_answer_push(p, answer + at, size - at < step ? size - at : step, &err), &err);
    CHECK_OK(ix_answer_finish(p, &err), &err);
    ix_answer_parser_free(p);
}

static void release(record *r)
{
    ix_buffer_release(&r->content);
    ix_buffer_release(&r->reasoning);
    json_decref(r->calls);
}

static bool same_text(const char *a, const char *b)
{
    static const char SPACE[] = " \n";
    size_t n;
    a += strspn(a, SPACE);
    for (n = strlen(a); n > 0 && strchr(SPACE, a[n - 1]); n--)
        ;
    return strlen(b) == n && memcmp(a, b, n) == 0;
}

static bool is_right(const record *r, unsigned holds)
{
    size_t calls = holds & TWO_CALLS ? 2 : holds & CALL ? 1 : 0;
    json_t *wanted = json_pack("[s, o]", "get_weather", json_loads(ARGUMENTS, 0, NULL));
    bool right = json_array_size(r->calls) == calls &&
                 same_text(r->content.data, holds & CONTENT ? "It is fine there." : "") &&
                 same_text(r->reasoning.data, holds & REASONING ? "They ask for weather." : "");
    for (size_t i = 0; right && i < calls; i++)
        right = json_equal(json_array_get(r->calls, i), wanted);
    json_decref(wanted);
    return right;
}

/* ---- templates ------------------------------------------------------------------------------- */

/* What a template leaves out of an answer that it renders is not expected back. */
static unsigned rendered(const char *answer, unsigned holds)
{
    if (!strstr(answer, "They ask for weather."))
        holds &= ~(unsigned)REASONING;
    if (!strstr(answer, "It is fine there."))
        holds &= ~(unsigned)CONTENT;
    const char *call = strstr(answer, "0123");
    if (!call)
        holds &= ~(unsigned)CALL;
    if (!call || !strstr(call + 4, "0123"))
        holds &= ~(unsigned)TWO_CALLS;
    return holds;
}

/* Where an answer begins that is part of a conversation: a model goes on from `prompt`, and where
 * the template writes past answers otherwise, from as much of it as is the same.  Marks stay
 * whole. */
static size_t answer_start(const char *whole, const char *prompt)
{
    size_t n = 0, at;
    while (prompt[n] && whole[n] == prompt[n])
        n++;
    for (at = n; at > 0 && !strchr(" \n>]", whole[at - 1]); at--)
        if (strchr("<[", whole[at - 1]))
            return at - 1;
    return n;
}

/* What is known not to come back. */
static const struct {
    const char *template;
    int answer; /* of ANSWERS; -1: all */
    const char *why;
} EXCEPTIONS[] = {
    { "CohereForAI-c4ai-command-r-plus-tool_use.jinja", -1,
      "instructions follow the last message, so that no answer is the end of a conversation" },
    { "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", 3,
      "content beside calls is written as a turn of its own behind them" },
    { "openai-gpt-oss-120b.jinja", 3, "content in front of calls is written as reasoning" },
};

/* Templates that render no calls, and why. */
static const char *const NO_CALLS[][2] = {
    { "HuggingFaceTB-SmolLM3-3B.jinja", "only says how they are written" },
    { "Kimi-K2-Instruct.jinja", "changes a list, which the sandbox refuses" },
    { "Kimi-K2-Thinking.jinja", "changes a list, which the sandbox refuses" },
    { "LFM2-8B-A1B.jinja", "has no form for them" },
    { "LFM2.5-Instruct.jinja", "has no form for them" },
    { "MiroThinker.jinja", "uses a variable that does not exist" },
    { "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja", "leaves them out" },
    { "fireworks-ai-llama-3-firefunction-v2.jinja", "needs variables of its own" },
    { "google-gemma-2-2b-it.jinja", "has no form for them" },
    { "ibm-granite-granite-3.3-2B-Instruct.jinja", "only says how they are written" },
    { "llama-cpp-deepseek-r1.jinja", "writes a generator as JSON, which fails in Python" },
    { "llama-cpp-rwkv-world.jinja", "has no form for them" },
    { "microsoft-Phi-3.5-mini-instruct.jinja", "has no form for them" },
};

static bool is_exception(const char *name, size_t answer)
{
    for (size_t i = 0; i < sizeof EXCEPTIONS / sizeof *EXCEPTIONS; i++)
        if (strcmp(EXCEPTIONS[i].template, name) == 0 &&
            (EXCEPTIONS[i].answer < 0 || EXCEPTIONS[i].answer == (int)answer))
            return true;
    return false;
}

static bool has_no_calls(const char *name)
{
    for (size_t i = 0; i < sizeof NO_CALLS / sizeof *NO_CALLS; i++)
        if (strcmp(NO_CALLS[i][0], name) == 0)
            return true;
    return false;
}

/* An answer in pieces of many sizes. */
static void check_answer(ix_test *t, const char *name, const ix_answer_format *f,
                         const char *prompt, const char *answer, unsigned holds)
{
    static const size_t STEPS[] = { 1, 2, 3, 4, 5, 7, 11, 16, 33, SIZE_MAX / 2 };
    for (size_t s = 0; s < sizeof STEPS / sizeof *STEPS; s++) {
        record r;
        take_apart(t, f, prompt, answer, STEPS[s], &r);
        char *got = json_dumps(r.calls, 0);
        CHECK_MSG(is_right(&r, holds), "%s, by %zu: %s\n  content %s\n  reasoning %s\n  calls %s",
                  name, STEPS[s], answer, r.content.data, r.reasoning.data, got);
        free(got);
        release(&r);
    }
}

/* *calls: the template renders calls. */
static void round_trips(ix_test *t, const char *name, const ix_template *template, bool *calls)
{
    ix_answer_format *f = NULL;
    inox_error err = { 0 };
    char *prompt = render(template, NULL, true);
    CHECK_OK(ix_answer_learn(template, &f, &err), &err);
    for (size_t i = 0; f && prompt && i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        char *whole = render(template, turn(ANSWERS[i], false), false);
        if (!whole || (ANSWERS[i] & CALL && !strstr(whole + answer_start(whole, prompt), "0123"))) {
            free(whole); /* some take arguments as text only */
            whole = render(template, turn(ANSWERS[i], true), false);
        }
        if (!whole)
            continue;
        char *answer = whole + answer_start(whole, prompt);
        char *front = strndup(prompt, (size_t)(answer - whole));
        unsigned holds = rendered(answer, ANSWERS[i]);
        /* where past reasoning begins without the mark that ends the prompt, a model sees it */
        bool begun = strncmp(answer, "They ask", 8) == 0;
        *calls = *calls || holds & CALL;
        if (!is_exception(name, i))
            check_answer(t, name, f, begun ? prompt : front, answer, holds);
        free(front);
        free(whole);
    }
    free(prompt);
    ix_answer_format_free(f);
}

TEST(answer_shared_templates)
{
    const char *folder = ix_test_shared("data/templates");
    char **names = NULL;
    size_t count = 0, templates = 0;
    if (!folder)
        SKIP("../shared/data/templates is not beside this source");
    CHECK(ix_list_directory(folder, &names, &count, NULL) == INOX_OK);
    for (size_t i = 0; i < count; i++) {
        char path[300], *source = NULL;
        size_t size = strlen(names[i]), bytes = 0;
        bool calls = false;
        ix_template *template = NULL;
        if (size > 6 && strcmp(names[i] + size - 6, ".jinja") == 0) {
            snprintf(path, sizeof path, "data/templates/%s", names[i]);
            CHECK(ix_file_read(ix_test_shared(path), 1 << 20, &source, &bytes, NULL) == INOX_OK);
            CHECK(ix_template_new(source, bytes, &template, NULL) == INOX_OK);
        }
        if (template) {
            templates++;
            round_trips(t, names[i], template, &calls);
            CHECK_MSG(calls != has_no_calls(names[i]), "%s %s calls", names[i],
                      calls ? "renders" : "does not render");
        }
        ix_template_free(template);
        ix_free(source);
        ix_free(names[i]);
    }
    ix_free(names);
    CHECK_MSG(templates > 0, "no templates in %s", folder);
}
