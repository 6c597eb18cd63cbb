/* Answers of models, taken apart by what their chat templates show (text/answer/). */
#include "test.h"

#include "text/answer/answer.h"

/* ---- templates in the shape of published ones ------------------------------------------------ */

#define TURNS(assistant)                                                                           \
    "{%- for m in messages %}"                                                                     \
    "{%- if m.role == 'assistant' %}" assistant "{%- else %}"                                      \
    "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{%- endif %}{%- endfor %}"               \
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}"
#define THINKING                                                                                   \
    "{{ '<|im_start|>assistant\n' }}"                                                              \
    "{%- if m.reasoning_content %}{{ '<think>\n' + m.reasoning_content + '\n</think>\n\n' }}"      \
    "{%- endif %}{{ m.content }}"
#define EACH(call) "{%- for c in m.tool_calls or [] %}" call "{%- endfor %}"

static const char HERMES[] = TURNS(
    THINKING EACH("{{ '\n<tool_call>\n{\"name\": \"' + c.function.name + '\", \"arguments\": '"
                  " + c.function.arguments|tojson + '}\n</tool_call>' }}") "<|im_end|>\n");

static const char MISTRAL[] =
    TURNS("{{ m.content }}" EACH("{{ '[TOOL_CALLS]' + c.function.name + '[CALL_ID]' + c.id +"
                                 " '[ARGS]' + c.function.arguments|tojson }}") "</s>");

static const char MISTRAL_LIST[] =
    TURNS("{{ m.content }}{%- if m.tool_calls %}{{ '[TOOL_CALLS][' }}" EACH(
        "{{ '{\"name\": \"' + c.function.name + '\", \"arguments\": ' +"
        " c.function.arguments|tojson + ', \"id\": \"' + c.id + '\"}' }}"
        "{%- if not loop.last %}{{ ', ' }}{%- endif %}") "{{ ']' }}{%- endif %}</s>");

static const char DEEPSEEK[] = TURNS("{{ m.content }}{%- if m.tool_calls %}<|calls_begin|>" EACH(
    "{{ '<|call_begin|>function<|sep|>' + c.function.name + '\n```json\n' +"
    " c.function.arguments|tojson + '\n```<|call_end|>' }}") "<|calls_end|>{%- endif %}"
                                                             "<|end_of_sentence|>");

static const char CODER[] = TURNS(
    THINKING EACH("{{ '\n<tool_call>\n<function=' + c.function.name + '>\n' }}"
                  "{%- for k, v in c.function.arguments|items %}{{ '<parameter=' + k + '>\n' }}"
                  "{{ v if v is string else v|tojson }}{{ '\n</parameter>\n' }}{%- endfor %}"
                  "{{ '</function>\n</tool_call>' }}") "<|im_end|>\n");

static const char INVOKE[] = TURNS(THINKING "{%- if m.tool_calls %}{{ '\n<calls>\n' }}" EACH(
    "{{ '<invoke name=\"' + c.function.name + '\">\n' }}"
    "{%- for k, v in c.function.arguments|items %}{{ '<parameter name=\"' + k + '\" string=\"' +"
    " ('true' if v is string else 'false') + '\">' }}"
    "{{ v if v is string else v|tojson }}{{ '</parameter>\n' }}{%- endfor %}"
    "{{ '</invoke>\n' }}") "</calls>{%- endif %}<|im_end|>\n");

static const char GEMMA[] = TURNS("{{ m.content }}" EACH(
    "{{ '<|tool_call>call:' + c.function.name + '{' }}"
    "{%- for k, v in c.function.arguments|items %}{{ k }}:"
    "{%- if v is string %}<|\"|>{{ v }}<|\"|>{%- else %}{{ v|tojson }}{%- endif %}"
    "{%- if not loop.last %},{%- endif %}{%- endfor %}{{ '}<tool_call|>' }}") "<turn|>\n");

static const char PYTHON[] = TURNS("{{ m.content }}{%- if m.tool_calls %}<|calls|>[" EACH(
    "{{ c.function.name + '(' }}"
    "{%- for k, v in c.function.arguments|items %}{{ k }}="
    "{%- if v is string %}'{{ v }}'{%- else %}{{ v }}{%- endif %}"
    "{%- if not loop.last %}{{ ', ' }}{%- endif %}{%- endfor %}"
    "){%- if not loop.last %}{{ ', ' }}{%- endif %}") "]<|/calls|>{%- endif %}<|im_end|>\n");

static const char COMMAND[] = TURNS(
    "{%- if m.reasoning_content %}<|START_THINKING|>{{ m.reasoning_content }}<|END_THINKING|>"
    "{%- endif %}{%- if m.tool_calls %}<|START_ACTION|>[\n" EACH(
        "    {\"tool_call_id\": \"{{ loop.index0 }}\", \"tool_name\": \"{{ c.function.name }}\","
        " \"parameters\": {{ c.function.arguments|tojson }}}"
        "{%- if not loop.last %},\n{%- endif %}") "\n]<|END_ACTION|>"
                                                  "{%- else %}<|START_TEXT|>{{ m.content }}"
                                                  "<|END_TEXT|>{%- endif %}<|END_OF_TURN|>");

/* Only one call in a turn, and nothing in front of it. */
static const char LLAMA[] =
    TURNS("{%- if m.tool_calls %}{%- if m.tool_calls|length != 1 %}{{ raise_exception('one') }}{%- "
          "endif %}"
          "{{ '{\"name\": \"' + m.tool_calls[0].function.name + '\", \"parameters\": ' +"
          " m.tool_calls[0].function.arguments|tojson + '}' }}"
          "{%- else %}{{ m.content }}{%- endif %}<|eot_id|>");

/* The same, where calls may have a mark in front or not. */
static const char LLAMA_TAG[] =
    TURNS("{%- if tools == 1 %}<|python_tag|>{%- endif %}{%- if m.tool_calls %}"
          "{{ '{\"name\": \"' + m.tool_calls[0].function.name + '\", \"parameters\": ' +"
          " m.tool_calls[0].function.arguments|tojson + '}' }}"
          "{%- else %}{{ m.content }}{%- endif %}<|eot_id|>");

/* A mark of two lines. */
static const char ACTION[] =
    TURNS("{{ m.content }}{%- if m.tool_calls %}{{ '\nAction:\n```json\n[\n' }}" EACH(
        "    {\"tool_name\": \"{{ c.function.name }}\", \"parameters\": "
        "{{ c.function.arguments|tojson }}}{%- if not loop.last %},\n{%- endif %}") "{{ '\n]```\n' "
                                                                                    "}}"
                                                                                    "{%- endif %}<|"
                                                                                    "end|>");

/* Renders no calls and no reasoning, but speaks of them. */
static const char GRANITE[] = "{%- if tools %}Write <|tool_call|> and a list of calls in JSON."
                              " Thoughts go between <think></think>, the answer between"
                              " <response></response>.{%- endif %}" TURNS("{{ m.content }}");

static const char HARMONY[] = "<|start|>assistant<|channel|>final<|message|>";

/* Every part of an answer has a recipient; the prompt ends in what begins a part. */
static const char RECIPIENTS[] =
    "{%- for m in messages %}{%- if m.role == 'assistant' %}<|head|>"
    "{%- if m.content %}{{ '>>>all\n' + m.content }}{%- endif %}" EACH(
        "{{ '>>>' + c.function.name + '\n' + c.function.arguments }}") "<|eot|>"
                                                                       "{%- else %}{{ m.content "
                                                                       "}}<|eot|>{%- endif %}{%- "
                                                                       "endfor %}"
                                                                       "{%- if "
                                                                       "add_generation_prompt "
                                                                       "%}<|head|>>>>{%- endif %}";

/* Kimi K2: the id holds the name. */
static const char NUMBERED[] = TURNS("{{ m.content }}{%- if m.tool_calls %}<|section|>" EACH(
    "{{ '<|call|>functions.' + c.function.name + ':' + loop.index0|string + '<|arguments|>' +"
    " c.function.arguments|tojson + '<|end|>' }}") "<|/section|>{%- endif %}<|im_end|>");

/* Its published template changes a list, which cannot be rendered. */
static const char MENTIONED_NUMBERED[] =
    TURNS("{{ m.content }}{%- if m.tool_calls %}{%- set _ = [].append(1) %}"
          "<|tool_calls_section_begin|>{%- endif %}<|im_end|>");

/* Kimi K3: tags of three tokens, and a type for every argument. */
static const char LONG_TAGS[] =
    "{%- macro open(t) %}{{ '<|open|>' + t + '<|sep|>' }}{%- endmacro %}"
    "{%- macro close(t) %}{{ '<|close|>' + t + '<|sep|>' }}{%- endmacro %}"
    "{%- for m in messages %}{{ open('message') }}{%- if m.role == 'assistant' %}"
    "{{ open('think') }}{{ m.reasoning_content }}{{ close('think') }}"
    "{{ open('response') }}{{ m.content }}{{ close('response') }}"
    "{%- if m.tool_calls %}{{ open('tools') }}" EACH(
        "{{ open('call tool=\"' + c.function.name + '\" index=\"1\"') }}"
        "{%- for k, v in c.function.arguments|items %}"
        "{{ open('argument key=\"' + k + '\" type=\"' + ('string' if v is string else 'number')"
        " + '\"') }}{{ v if v is string else v|tojson }}{{ close('argument') }}{%- endfor %}"
        "{{ close('call') }}") "{{ close('tools') }}{%- endif %}"
                               "{%- else %}{{ m.content }}{%- endif %}{{ close('message') }}{%- "
                               "endfor %}"
                               "{%- if add_generation_prompt %}{{ open('message') }}{{ "
                               "open('think') }}{%- endif %}";

/* The id in front of the name; and marks that go on where the prompt ends. */
static const char ID_FIRST[] =
    "{%- for m in messages %}{%- if m.role == 'assistant' %}"
    "{%- if m.reasoning %}<|begin|>assistant<|think|>{{ m.reasoning }}<|end|>{%- endif %}"
    "{%- if m.tool_calls %}<|begin|>assistant<|calls|>" EACH(
        "{{ '<|call|>' + c.id + '<|name|>' + c.function.name + '<|arguments|>' +"
        " c.function.arguments|tojson + '<|/call|>' }}") "<|/calls|>"
                                                         "{%- else "
                                                         "%}<|begin|>assistant<|content|>{{ "
                                                         "m.content }}<|end|>{%- endif %}"
                                                         "{%- else %}<|begin|>user<|content|>{{ "
                                                         "m.content }}<|end|>{%- endif %}{%- "
                                                         "endfor %}"
                                                         "{%- if add_generation_prompt "
                                                         "%}<|begin|>assistant{%- endif %}";

/* Reasoning in front of calls only, and a mark in front of every content. */
static const char RESPONSE[] =
    TURNS("<|im_start|>assistant\n{%- if m.tool_calls %}<|START_THINKING|>{{ m.reasoning_content }}"
          "<|END_THINKING|><|START_ACTION|>[" EACH(
              "{\"tool_name\": \"{{ c.function.name }}\", \"parameters\": {{ "
              "c.function.arguments|tojson }}}"
              "{%- if not loop.last %}, {%- endif %}") "]<|END_ACTION|>"
                                                       "{%- else %}<|START_RESPONSE|>{{ m.content "
                                                       "}}<|END_RESPONSE|>{%- endif %}<|im_end|>");

/* Arguments as elements, behind a token of their own (MiniMax M3). */
#define TOKEN "]<]minimax[>["
static const char ELEMENTS[] =
    TURNS("{{ m.content }}{%- if m.tool_calls %}{{ '" TOKEN "<calls>\n' }}" EACH(
        "{{ '" TOKEN "<invoke name=\"' + c.function.name + '\">' }}"
        "{%- for k, v in c.function.arguments|items %}{{ '" TOKEN "<' + k + '>' }}"
        "{{ v }}{{ '" TOKEN "</' + k + '>' }}{%- endfor %}"
        "{{ '" TOKEN "</invoke>\n' }}") "{{ '" TOKEN "</calls>' }}{%- endif %}<|im_end|>");

/* ---- running --------------------------------------------------------------------------------- */

/* What the events say: "R reasoning", "C content", "T name id arguments" in brackets. */
typedef struct record {
    ix_buffer text;
    int last;
} record;

static inox_status add(void *context, const ix_answer_event *e, inox_error *err)
{
    record *r = context;
    if (e->part == IX_ANSWER_CALL) {
        r->last = -1;
        return ix_buffer_printf(&r->text, err, "[T %.*s %.*s %.*s]", (int)e->name.size,
                                e->name.data, (int)e->id.size, e->id.data, (int)e->arguments.size,
                                e->arguments.data);
    }
    if (r->last != (int)e->part)
        IX_TRY(ix_buffer_printf(&r->text, err, "[%s]", e->part == IX_ANSWER_CONTENT ? "C" : "R"));
    r->last = (int)e->part;
    return ix_buffer_append(&r->text, e->text.data, e->text.size, err);
}

static ix_answer_format *learned(ix_test *t, const char *source)
{
    inox_error err = { 0 };
    ix_template *template = NULL;
    ix_answer_format *f = NULL;
    CHECK_OK(ix_template_new(source, strlen(source), &template, &err), &err);
    if (template)
        CHECK_OK(ix_answer_learn(template, &f, &err), &err);
    ix_template_free(template);
    return f;
}

/* The tools that parsers are told of, or NULL. */
static const char *tools_told;

static void parse(ix_test *t, const ix_answer_format *f, const char *prompt, const char *answer,
                  size_t step, record *out)
{
    inox_error err = { 0 };
    ix_answer_parser *p = NULL;
    size_t size = strlen(answer);
    *out = (record){ .last = -1 };
    CHECK_OK(ix_buffer_append(&out->text, "", 0, &err), &err);
    CHECK_OK(ix_answer_parser_new(f, (ix_text_view){ prompt, strlen(prompt) }, add, out, &p, &err),
             &err);
    if (p && tools_told)
        CHECK_OK(ix_answer_parser_tools(p, (ix_text_view){ tools_told, strlen(tools_told) }, &err),
                 &err);
    for (size_t at = 0; p && at < size; at += step)
        CHECK_OK(ix_answer_push(p, answer + at, size - at < step ? size - at : step, &err), &err);
    if (p)
        CHECK_OK(ix_answer_finish(p, &err), &err);
    ix_answer_parser_free(p);
}

/* The same events whatever pieces the answer comes in. */
static void answer_is(ix_test *t, const ix_answer_format *f, const char *prompt, const char *answer,
                      const char *expected)
{
    static const size_t STEPS[] = { 1, 2, 3, 5, 7, 16, SIZE_MAX / 2 };
    for (size_t i = 0; f && i < sizeof STEPS / sizeof *STEPS; i++) {
        record r;
        parse(t, f, prompt, answer, STEPS[i], &r);
        CHECK_MSG(strcmp(r.text.data, expected) == 0, "by %zu: %s\n  gives %s\n  not   %s",
                  STEPS[i], answer, r.text.data, expected);
        ix_buffer_release(&r.text);
    }
}

static void example(ix_test *t, const char *source, const char *answer, const char *expected)
{
    ix_answer_format *f = learned(t, source);
    answer_is(t, f, "", answer, expected);
    ix_answer_format_free(f);
}

TEST(answer_hermes)
{
    ix_answer_format *f = learned(t, HERMES);
    answer_is(t, f, "", "Hello, a < b [x] <tool> {1}\n\nYes.",
              "[C]Hello, a < b [x] <tool> {1}\n\nYes.");
    answer_is(t, f, "", "<think>\nLet me\n\nsee.\n</think>\n\nWell.<|im_end|>\n",
              "[R]Let me\n\nsee.[C]Well.");
    answer_is(t, f, "<|im_start|>assistant\n<think>\n", "Hm.\n</think>\n\nWell.", "[R]Hm.[C]Well.");
    answer_is(t, f, "",
              "I look.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"<b>}\\\"\","
              " \"n\": 123456789012345678901234567890}}\n</tool_call>\n<tool_call>\n"
              "{\"name\": \"g\", \"arguments\": {}}\n</tool_call><|im_end|>\n",
              "[C]I look.[T f  {\"a\": \"<b>}\\\"\", \"n\": 123456789012345678901234567890}]"
              "[T g  {}]");
    answer_is(t, f, "", "\n</think>\n\nWell.", "[C]Well.");
    /* members in another order, arguments as text, an id, text behind the calls */
    answer_is(t, f, "",
              "<tool_call>{\"id\": \"c1\", \"arguments\": \"{\\\"a\\\": [1]}\", \"name\": \"f\"}"
              "</tool_call> Done.",
              "[T f c1 {\"a\": [1]}][C]Done.");
    ix_answer_format_free(f);
}

TEST(answer_that_is_no_call)
{
    ix_answer_format *f = learned(t, HERMES);
    answer_is(t, f, "", "<tool_call>\nno\n</tool_call>", "[C]<tool_call>\nno\n</tool_call>");
    answer_is(t, f, "", "<tool_call>\n{\"name\": 3}\n</tool_call>",
              "[C]<tool_call>\n{\"name\": 3}\n</tool_call>");
    answer_is(t, f, "", "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\"",
              "[C]<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\"");
    answer_is(t, f, "", "<tool_call>", "[C]<tool_call>");
    answer_is(t, f, "", "a <tool_cal", "[C]a <tool_cal");
    answer_is(t, f, "", "", "");
    answer_is(t, f, "", "  spaced \n", "[C]  spaced \n");
    ix_answer_format_free(f);
}

TEST(answer_mistral)
{
    example(t, MISTRAL, "Well.[TOOL_CALLS]f[CALL_ID]abc123def[ARGS]{\"a\": 1}[TOOL_CALLS]g[ARGS]{}",
            "[C]Well.[T f abc123def {\"a\": 1}][T g  {}]");
    example(t, MISTRAL_LIST,
            "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": [1, 2]}, \"id\": \"x\"}, "
            "{\"name\": \"g\", \"arguments\": {}, \"id\": \"y\"}]",
            "[T f x {\"a\": [1, 2]}][T g y {}]");
}

TEST(answer_deepseek)
{
    example(
        t, DEEPSEEK,
        "Well.<|calls_begin|><|call_begin|>function<|sep|>f\n```json\n{\"a\": 1}\n```<|call_end|>"
        "\n<|call_begin|>function<|sep|>g\n```json\n{}\n```<|call_end|><|calls_end|>",
        "[C]Well.[T f  {\"a\": 1}][T g  {}]");
}

TEST(answer_marked_arguments)
{
    example(
        t, CODER,
        "<think>\nHm.\n</think>\n\nWell.\n<tool_call>\n<function=f>\n<parameter=city>\nRom\n<b>\n"
        "</parameter>\n<parameter=n>\n3\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n"
        "<function=g>\n</function>\n</tool_call><|im_end|>\n",
        "[R]Hm.[C]Well.[T f  {\"city\": \"Rom\\n<b>\", \"n\": 3}][T g  {}]");
    example(t, INVOKE,
            "<calls>\n<invoke name=\"f\">\n<parameter name=\"a\" string=\"true\">17</parameter>\n"
            "<parameter name=\"b\" string=\"false\">[1]</parameter>\n</invoke>\n</calls>",
            "[T f  {\"a\": \"17\", \"b\": [1]}]");
}

#define ARGUMENT(key, value) "<parameter=" key ">\n" value "\n</parameter>\n"

TEST(answer_typed_arguments)
{
    static const char tools[] =
        "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": {"
        "\"$defs\": {\"flag\": {\"type\": \"boolean\"}, \"loop\": {\"$ref\": \"#/$defs/loop\"}},"
        "\"properties\": {\"zip\": {\"type\": \"string\"}, \"n\": {\"type\": \"integer\"},"
        "\"x\": {\"type\": \"number\"}, \"on\": {\"$ref\": \"#/$defs/flag\"},"
        "\"opt\": {\"type\": [\"string\", \"null\"]}, \"any\": {\"anyOf\": [{\"type\": "
        "\"integer\"},"
        " {\"type\": \"string\"}]}, \"list\": {\"type\": \"array\"}, \"e\": {\"enum\": [\"1\", "
        "\"2\"]},"
        "\"loop\": {\"$ref\": \"#/$defs/loop\"}, \"free\": {}}}}},"
        " {\"name\": \"g\", \"parameters\": {\"properties\": {\"a\": {\"type\": \"string\"}}}}, 7]";
    static const char call[] = "<tool_call>\n<function=f>\n" ARGUMENT("zip", "0123")
        ARGUMENT("zip", "123") ARGUMENT("zip", "{\"a\": 1}") ARGUMENT("zip", "\"q\"")
            ARGUMENT("n", "12345678901234567890") ARGUMENT("n", "1.5") ARGUMENT("x", "2") ARGUMENT(
                "x", "two") ARGUMENT("on", "True") ARGUMENT("opt", "null") ARGUMENT("opt", "5")
                ARGUMENT("any", "5") ARGUMENT("any", "5.5") ARGUMENT("list", "[1, \"2\"]")
                    ARGUMENT("e", "1") ARGUMENT("list", "['a', (True, None)]")
                        ARGUMENT("list", "[a b]") ARGUMENT("loop", "1") ARGUMENT("free", "1")
                            ARGUMENT("unknown",
                                     "1") "</function>\n</"
                                          "tool_call><tool_call>\n<function=g>\n" ARGUMENT(
                                              "a", "1") "</function>\n</"
                                                        "tool_call><tool_call>\n<function=h>"
                                                        "\n" ARGUMENT("a", "1") "</function>\n</"
                                                                                "tool_call>";
    tools_told = tools;
    example(t, CODER, call,
            "[T f  {\"zip\": \"0123\", \"zip\": \"123\", \"zip\": \"{\\\"a\\\": 1}\","
            " \"zip\": \"\\\"q\\\"\", \"n\": 12345678901234567890, \"n\": 1.5, \"x\": 2,"
            " \"x\": \"two\", \"on\": true, \"opt\": null, \"opt\": \"5\", \"any\": 5,"
            " \"any\": \"5.5\", \"list\": [1, \"2\"], \"e\": \"1\","
            " \"list\": [\"a\", [true, null]], \"list\": \"[a b]\", \"loop\": 1, \"free\": 1,"
            " \"unknown\": 1}][T g  {\"a\": \"1\"}][T h  {\"a\": 1}]");
    tools_told = NULL;
}

TEST(answer_tools_that_are_none)
{
    ix_answer_format *f = learned(t, CODER);
    static const char *const wrong[] = { "", "{}", "[", "[{]", "nothing" };
    for (size_t i = 0; f && i < sizeof wrong / sizeof *wrong; i++) {
        inox_error err = { 0 };
        ix_answer_parser *p = NULL;
        CHECK_OK(ix_answer_parser_new(f, (ix_text_view){ "", 0 }, add, NULL, &p, &err), &err);
        if (p)
            CHECK(ix_answer_parser_tools(p, (ix_text_view){ wrong[i], strlen(wrong[i]) }, &err) ==
                  INOX_E_FORMAT);
        ix_answer_parser_free(p);
    }
    ix_answer_format_free(f);
}

TEST(answer_quoted_arguments)
{
    example(t, GEMMA,
            "Well.<|tool_call>call:f{a:<|\"|>x{\"y\n<|\"|>,n:17,l:[{k:true}]}<tool_call|>"
            "<|tool_call>call:g{}<tool_call|>",
            "[C]Well.[T f  {\"a\":\"x{\\\"y\\n\",\"n\":17,\"l\":[{\"k\":true}]}][T g  {}]");
}

TEST(answer_python)
{
    example(t, PYTHON,
            "Well.<|calls|>[f(a='it\\'s \"x\"', n=-1.5, b=True, c=[None, {'k': (1, 2)}]), g()]"
            "<|/calls|>",
            "[C]Well.[T f  {\"a\":\"it's \\\"x\\\"\", \"n\":-1.5, \"b\":true,"
            " \"c\":[null, {\"k\": [1, 2]}]}][T g  {}]");
}

TEST(answer_command)
{
    ix_answer_format *f = learned(t, COMMAND);
    answer_is(
        t, f, "<|START_THINKING|>",
        "Hm.<|END_THINKING|><|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"f\","
        " \"parameters\": {\"a\": 1}}\n]<|END_ACTION|>",
        "[R]Hm.[T f 0 {\"a\": 1}]");
    answer_is(t, f, "", "<|START_TEXT|>Well.<|END_TEXT|><|END_OF_TURN|>", "[C]Well.");
    ix_answer_format_free(f);
}

TEST(answer_llama)
{
    example(t, LLAMA, "{\"name\": \"f\", \"parameters\": {\"a\": 1}}", "[T f  {\"a\": 1}]");
    example(t, LLAMA, "{\"a\": 1} is an object", "[C]{\"a\": 1} is an object");
    example(t, LLAMA, "See {\"name\": \"f\", \"parameters\": {}}",
            "[C]See {\"name\": \"f\", \"parameters\": {}}");
}

TEST(answer_llama_with_a_mark)
{
    example(t, LLAMA_TAG, "{\"name\": \"f\", \"parameters\": {}}", "[T f  {}]");
    example(t, LLAMA_TAG,
            "<|python_tag|>{\"name\": \"f\", \"parameters\": {\"a\": 1}}; {\"name\": \"g\", "
            "\"parameters\": {}}<|eot_id|>",
            "[T f  {\"a\": 1}][T g  {}]");
    example(t, LLAMA_TAG, "Well. <|python_tag|>{\"name\": \"f\", \"parameters\": {}}",
            "[C]Well.[T f  {}]");
    example(t, LLAMA_TAG, "<|python_tag|>print(1)", "[C]<|python_tag|>print(1)");
}

TEST(answer_marks_of_several_lines)
{
    static const char calls[] = "[{\"tool_name\": \"f\", \"parameters\": {\"a\": 1}}, "
                                "{\"tool_name\": \"g\", \"parameters\": {}}\n]```";
    ix_answer_format *f = learned(t, ACTION);
    char text[256];
    (void)snprintf(text, sizeof text, "Well.\nAction:\n```json\n%s", calls);
    answer_is(t, f, "", text, "[C]Well.[T f  {\"a\": 1}][T g  {}]");
    (void)snprintf(text, sizeof text, "Well.\nAction: ```json\n%s\n", calls);
    answer_is(t, f, "", text, "[C]Well.[T f  {\"a\": 1}][T g  {}]");
    answer_is(t, f, "", "Action: none. ```json\n[]```", "[C]Action: none. ```json\n[]```");
    ix_answer_format_free(f);
}

TEST(answer_objects_without_members)
{
    example(t, HERMES, "<tool_call>{}</tool_call>", "[C]<tool_call>{}</tool_call>");
    example(t, HERMES, "<tool_call>{\"name\": \"f\"}</tool_call>", "[T f  {}]");
    example(t, HERMES, "<tool_call>{\"arguments\": {}, \"name\": \"f\"}</tool_call>", "[T f  {}]");
}

TEST(answer_marks_that_are_only_mentioned)
{
    example(t, GRANITE, "<think>Hm.</think><response>Well.</response>", "[R]Hm.[C]Well.");
    example(t, GRANITE, "<think>A <response> then.</think><response>Well.</response>",
            "[R]A <response> then.[C]Well.");
    example(t, GRANITE, "<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]",
            "[T f  {\"a\": 1}]");
}

TEST(answer_harmony)
{
    example(
        t, HARMONY,
        "<|channel|>analysis<|message|>Let me\nsee.<|end|><|start|>assistant<|channel|>commentary"
        "<|message|>I look.<|end|><|start|>assistant to=functions.f<|channel|>commentary json"
        "<|message|>{\"a\": 1}<|call|>",
        "[R]Let me\nsee.[C]I look.[T f  {\"a\": 1}]");
    example(t, HARMONY,
            "<|channel|>commentary to=functions.g <|constrain|>json<|message|>{}<|call|>"
            "<|start|>assistant<|channel|>final<|message|>Well.<|return|>",
            "[T g  {}][C]Well.");
    example(t, HARMONY, "No channels at all.", "[C]No channels at all.");
}

/* ---- what models make of it ------------------------------------------------------------------ */

TEST(answer_calls_that_end_the_reasoning)
{
    static const char prompt[] = "<|im_start|>assistant\n<think>\n";
    ix_answer_format *f = learned(t, HERMES);
    answer_is(t, f, prompt,
              "I call.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call><|im_end|>",
              "[R]I call.[T f  {}]");
    answer_is(t, f, prompt,
              "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\nDone.",
              "[T f  {}][C]Done.");
    /* where the reasoning ends behind them, they were thoughts */
    answer_is(t, f, prompt,
              "Perhaps <tool_call>\n{\"name\": \"f\"}\n</tool_call> or not.\n</think>\n\nNo.",
              "[R]Perhaps <tool_call>\n{\"name\": \"f\"}\n</tool_call> or not.[C]No.");
    answer_is(t, f, prompt, "A <tool_call> is {no call}, and the end.",
              "[R]A <tool_call> is {no call}, and the end.");
    answer_is(t, f, prompt, "A <tool_call>\n{\"name\": \"f\"",
              "[R]A <tool_call>\n{\"name\": \"f\"");
    answer_is(t, f, prompt, "Only thoughts.<|im_end|>\n", "[R]Only thoughts.");
    ix_answer_format_free(f);
}

TEST(answer_calls_without_the_mark_in_front)
{
    example(t, CODER,
            "Well.\n<function=f>\n<parameter=n>\n1\n</parameter>\n</function>\n</tool_call>\n"
            "<tool_call>\n<function=g>\n</function>\n</tool_call>",
            "[C]Well.[T f  {\"n\": 1}][T g  {}]");
    example(t, DEEPSEEK, "Well.<|call_begin|>function<|sep|>f\n```json\n{}\n```<|call_end|>",
            "[C]Well.[T f  {}]");
    example(t, CODER, "Write <function=f> there.", "[C]Write <function=f> there.");
}

TEST(answer_marks_laid_out_otherwise)
{
    example(t, CODER,
            "<tool_call><function=f><parameter=n>1</parameter></function></tool_call>"
            "<tool_call>\n\n<function=g>\n</function></tool_call>",
            "[T f  {\"n\": 1}][T g  {}]");
}

TEST(answer_quoted_as_xml)
{
    example(t, CODER,
            "<tool_call>\n<function=f>\n<parameter=a>\n<![CDATA[x </parameter> ]]>\n</parameter>\n"
            "<parameter=b>\n<![CDATA[]]>\n</parameter>\n</function>\n</tool_call>",
            "[T f  {\"a\": \"x </parameter> \", \"b\": \"\"}]");
}

TEST(answer_recipients)
{
    ix_answer_format *f = learned(t, RECIPIENTS);
    answer_is(t, f, "<|head|>>>>", "f\n{\"a\": 1}>>>g\n{}<|eot|>", "[T f  {\"a\": 1}][T g  {}]");
    answer_is(t, f, "<|head|>>>>", "all\nWell {x}.>>>g\n{}<|eot|>", "[C]Well {x}.[T g  {}]");
    answer_is(t, f, "", ">>>all\nWell.<|eot|>", "[C]Well.");
    answer_is(t, f, "<|head|>>>>", "No recipient", "[C]No recipient");
    ix_answer_format_free(f);
}

TEST(answer_ids)
{
    static const char calls[] =
        "Well.<|section|><|call|>functions.f:0<|arguments|>{\"a\": 1}<|end|>"
        "<|call|>g<|arguments|>{}<|end|><|/section|>";
    example(t, NUMBERED, calls, "[C]Well.[T f functions.f:0 {\"a\": 1}][T g  {}]");
    example(t, MENTIONED_NUMBERED,
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:12"
            "<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
            "[T f functions.f:12 {}]");
    ix_answer_format *f = learned(t, ID_FIRST);
    answer_is(
        t, f, "<|begin|>assistant",
        "<|think|>Hm.<|end|><|begin|>assistant<|calls|><|call|>i1<|name|>f<|arguments|>{}<|/call|>"
        "<|call|>i2<|name|>g<|arguments|>{\"a\": 1}<|/call|><|/calls|>",
        "[R]Hm.[T f i1 {}][T g i2 {\"a\": 1}]");
    answer_is(t, f, "<|begin|>assistant", "<|content|>Well.<|end|>", "[C]Well.");
    answer_is(t, f, "<|begin|>assistant", "Well.", "[C]Well.");
    ix_answer_format_free(f);
}

TEST(answer_long_tags)
{
    ix_answer_format *f = learned(t, LONG_TAGS);
    answer_is(t, f, "<|open|>message<|sep|><|open|>think<|sep|>",
              "Hm.<|close|>think<|sep|><|open|>response<|sep|>Well.<|close|>response<|sep|>"
              "<|open|>tools<|sep|><|open|>call tool=\"f\" index=\"1\"<|sep|>"
              "<|open|>argument key=\"a\" type=\"string\"<|sep|>1<|close|>argument<|sep|>"
              "<|open|>argument key=\"b\" type=\"object\"<|sep|>{\"c\": 1}<|close|>argument<|sep|>"
              "<|close|>call<|sep|><|close|>tools<|sep|><|close|>message<|sep|>",
              "[R]Hm.[C]Well.[T f  {\"a\": \"1\", \"b\": {\"c\": 1}}]");
    ix_answer_format_free(f);
}

TEST(answer_response_marks)
{
    ix_answer_format *f = learned(t, RESPONSE);
    answer_is(t, f, "<|im_start|>assistant\n",
              "<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Well.<|END_RESPONSE|>",
              "[R]Hm.[C]Well.");
    answer_is(t, f, "<|im_start|>assistant\n",
              "<|START_THINKING|>Hm.<|END_THINKING|><|START_ACTION|>[{\"tool_name\": \"f\","
              " \"parameters\": {}}]<|END_ACTION|>",
              "[R]Hm.[T f  {}]");
    ix_answer_format_free(f);
}

TEST(answer_python_strings)
{
    example(t, PYTHON, "<|calls|>[f(a='\\x41\\n\\d \\'q\\'\\\ng', b=\"\\u00e9\\u1\")]<|/calls|>",
            "[T f  {\"a\":\"\\u0041\\n\\\\d 'q'g\", \"b\":\"\\u00e9\\\\u1\"}]");
}

/* Recipients instead of channels, and arguments in marks. */
static const char
    RECIPIENT_MESSAGES[] = "{%- for m in messages %}{%- if m.role == 'assistant' %}"
                           "{%- if m.tool_calls %}" EACH(
                               "{{ '<|start|>assistant to=' + c.function.name + "
                               "'<|message|><calls>\n<invoke name=\"' +"
                               " c.function.name + '\">\n' }}{%- for k, v in "
                               "c.function.arguments|items %}"
                               "{{ '<parameter name=\"' + k + '\">' }}{{ v if v is string else "
                               "v|tojson }}"
                               "{{ '</parameter>\n' }}{%- endfor %}{{ '</invoke>\n</calls><|eom|>' "
                               "}}") "{%- else %}{{ '<|start|>assistant to=user<|message|>' + "
                                     "m.content + '<|eot|>' }}{%- endif %}"
                                     "{%- else %}{{ '<|start|>user<|message|>' + m.content + "
                                     "'<|eot|>' }}{%- endif %}{%- endfor %}"
                                     "{%- if add_generation_prompt %}<|start|>assistant{%- endif "
                                     "%}";

TEST(answer_messages_with_recipients)
{
    ix_answer_format *f = learned(t, RECIPIENT_MESSAGES);
    answer_is(
        t, f, "<|start|>assistant",
        " to=self<|message|>Hm <calls>.<|eom|><|start|>assistant to=user<|message|>Well.<|eom|>"
        "<|start|>assistant to=f<|message|><calls>\n<invoke name=\"f\">\n"
        "<parameter name=\"a\">1</parameter>\n</invoke>\n</calls><|eot|>",
        "[R]Hm <calls>.[C]Well.[T f  {\"a\": 1}]");
    answer_is(t, f, "<|start|>assistant", " to=f<|message|>No arguments.<|eot|>",
              "[C]No arguments.");
    ix_answer_format_free(f);
}

/* What is no JSON object is no call. */
TEST(answer_harmony_code)
{
    static const char head[] = "<|channel|>commentary to=python code<|message|>";
    char text[128];
    static const char *const bodies[] = { "{print(1)}", "print(1)", "[1]", "{" };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char expected[64];
        (void)snprintf(text, sizeof text, "%s%s<|call|>", head, bodies[i]);
        (void)snprintf(expected, sizeof expected, "[C]%s", bodies[i]);
        example(t, HARMONY, text, expected);
    }
}

TEST(answer_harmony_channels_corrected)
{
    example(t, HARMONY,
            "<|channel|>commentary to=assistant<|channel|>analysis<|message|>Hm.<|end|>"
            "<|start|>assistant<|channel|>final<|message|>Well.",
            "[R]Hm.[C]Well.");
}

TEST(answer_elements)
{
    tools_told =
        "[{\"name\": \"f\", \"parameters\": {\"properties\": {\"s\": {\"type\": \"string\"},"
        " \"o\": {\"$ref\": \"#/$defs/o\"}, \"l\": {\"anyOf\": [{\"type\": \"null\"},"
        " {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/o\"}}]}},"
        " \"$defs\": {\"o\": {\"type\": \"object\", \"properties\":"
        " {\"zip\": {\"type\": \"string\"}, \"n\": {\"type\": \"integer\"}}}}}}]";
#define E(key, value) TOKEN "<" key ">" value TOKEN "</" key ">"
    example(t, ELEMENTS,
            "Well." TOKEN "<calls>\n" TOKEN "<invoke name=\"f\">" E("s", "a <b> " E("x", "1"))
                E("o", E("zip", "12") E("n", "12")) E("l", "\n" E("item", E("zip", "7")) "\n")
                    E("free", E("item", "1") E("item", "x") E("item", E("item", "true"))) TOKEN
            "</invoke>\n" TOKEN "<invoke name=\"g\">" TOKEN "</invoke>\n" TOKEN
            "</calls><|im_end|>",
            "[C]Well.[T f  {\"s\": \"a <b> " TOKEN "<x>1" TOKEN "</x>\","
            " \"o\": {\"zip\": \"12\", \"n\": 12}, \"l\": [{\"zip\": \"7\"}],"
            " \"free\": [1, \"x\", [true]]}][T g  {}]");
    tools_told = NULL;
    example(t, ELEMENTS, TOKEN "<invoke name=\"f\">" E("a", TOKEN "<b>1") TOKEN "</invoke>",
            "[T f  {\"a\": \"" TOKEN "<b>1\"}]");
#undef E
}

TEST(answer_json_that_is_nearly_right)
{
    example(t, HERMES,
            "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"1\n\t2\"}}</tool_call>",
            "[T f  {\"a\": \"1\\n\\u00092\"}]");
    example(t, HERMES, "<tool_call>{\"name\": \"f\", \"arguments\": {}}}\n</tool_call>Well.",
            "[T f  {}][C]Well.");
    example(t, HERMES, "<tool_call>{\"name\": \"f\", \"arguments\": null}</tool_call>",
            "[T f  {}]");
    example(t, MISTRAL, "[TOOL_CALLS]f[ARGS]{\"a\": \"1\n2\"}", "[T f  {\"a\": \"1\\n2\"}]");
    example(t, GEMMA, "<|tool_call>call:f{\"a\":\"x\",b:1}<tool_call|>",
            "[T f  {\"a\":\"x\",\"b\":1}]");
}

TEST(answer_llama_of_its_own)
{
    example(t, LLAMA_TAG, "<|python_tag|>brave_search.call(query=\"a b\")<|eot_id|>",
            "[T brave_search  {\"query\":\"a b\"}]");
    example(t, LLAMA_TAG, "<|python_tag|>f.calls(1)", "[C]<|python_tag|>f.calls(1)");
    example(t, LLAMA, "[{\"name\": \"f\", \"parameters\": {}}]", "[T f  {}]");
    example(t, LLAMA, "[1, 2] is a list", "[C][1, 2] is a list");
}
