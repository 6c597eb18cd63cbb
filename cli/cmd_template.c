/* inox template: a conversation to the text that a model reads, by the model's chat template. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

typedef struct template_options {
    common common;
    const char *name, *tokenizer;
    inox_template_options rendering;
    bool jsonl, spans;
} template_options;

/* ---- for programs */

static int answer_error(const template_options *o, const char *why)
{
    return print_json(&o->common, json_pack("{s:o}", "error", json_text(why, strlen(why))));
}

static int answer(const template_options *o, const inox_template *t, const char *line, size_t n)
{
    inox_error err;
    inox_rendering *rendering;
    if (inox_template_render(t, line, n, &o->rendering, &rendering, &err) != INOX_OK)
        return answer_error(o, err.message);
    inox_text text = inox_rendering_text(rendering);
    json_t *object = json_pack("{s:o}", "text", json_text(text.data, text.bytes));
    inox_rendering_free(rendering);
    return print_json(&o->common, object);
}

/* wrong: why there is no template, or NULL; every line has an answer nevertheless. */
static int answer_lines(const template_options *o, const inox_template *t, const char *wrong)
{
    char *line = NULL;
    size_t size, room = 0;
    int code = 0;
    while (code == 0 && !interrupted()) {
        code = read_line(&o->common, &line, &size, &room);
        if (code == 0 && wrong != NULL)
            code = answer_error(o, wrong);
        else if (code == 0)
            code = answer(o, t, line == NULL ? "" : line, size);
        fflush(stdout); /* the other side may wait for it */
    }
    free(line);
    return interrupted() ? EXIT_INTERRUPTED : code == -1 ? EXIT_FINE : code;
}

/* ---- for people */

static json_t *ranges_object(const inox_range *ranges, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("[I, I]", (json_int_t)ranges[i].start, (json_int_t)ranges[i].end));
    return list;
}

static void print_spans(inox_text text, const inox_range *spans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *part = json_text(text.data + spans[i].start, spans[i].end - spans[i].start);
        char *quoted = part == NULL ? NULL : json_dumps(part, JSON_ENCODE_ANY);
        printf("%zu..%zu  %s\n", spans[i].start, spans[i].end, quoted == NULL ? "" : quoted);
        free(quoted);
        json_decref(part);
    }
}

/* The tokens of a prompt: special tokens are found in the template's own words only. */
static int print_ids(const template_options *o, const inox_tokenizer *tokenizer,
                     const inox_rendering *rendering)
{
    inox_error err;
    inox_encode_options options = INOX_ENCODE_OPTIONS_INIT;
    inox_input input = { 0 };
    inox_encodings *e;
    inox_encoding one = INOX_ENCODING_INIT;
    options.parse_special = INOX_PARSE_SPECIAL_YES;
    options.want = 0;
    input.first.text = inox_rendering_text(rendering);
    input.first.plain = inox_rendering_spans(rendering, &input.first.plain_count);
    if (inox_tokenizer_encode_all(tokenizer, &input, 1, &options, &e, &err) != INOX_OK)
        return fail(&o->common, &err);
    int code = 0;
    if (inox_encodings_get(e, 0, 0, &one, &err) != INOX_OK) {
        code = fail(&o->common, &err);
    } else if (o->common.json) {
        json_t *ids = json_array();
        for (size_t i = 0; i < one.count; i++)
            json_array_append_new(ids, json_integer(one.ids[i]));
        code = print_json(&o->common, json_pack("{s:o}", "ids", ids));
    } else {
        for (size_t i = 0; i < one.count; i++)
            printf("%s%d", i == 0 ? "" : " ", one.ids[i]);
        printf("\n");
    }
    inox_encodings_free(e);
    return code;
}

static int print_rendering(const template_options *o, const inox_tokenizer *tokenizer,
                           const inox_rendering *rendering)
{
    size_t count;
    inox_text text = inox_rendering_text(rendering);
    const inox_range *spans = inox_rendering_spans(rendering, &count);
    if (tokenizer != NULL)
        return print_ids(o, tokenizer, rendering);
    if (o->common.json)
        return print_json(&o->common,
                          json_pack("{s:o, s:o}", "text", json_text(text.data, text.bytes), "spans",
                                    ranges_object(spans, count)));
    if (o->spans)
        print_spans(text, spans, count);
    else
        fwrite(text.data, 1, text.bytes, stdout);
    return 0;
}

static int render_file(const template_options *o, const inox_template *t,
                       const inox_tokenizer *tokenizer, const char *path)
{
    inox_error err;
    inox_rendering *rendering;
    char *variables;
    size_t bytes;
    int code = read_file(&o->common, path, &variables, &bytes);
    if (code != 0)
        return code;
    inox_status status = inox_template_render(t, variables, bytes, &o->rendering, &rendering, &err);
    free(variables);
    if (status != INOX_OK)
        return fail(&o->common, &err);
    code = print_rendering(o, tokenizer, rendering);
    inox_rendering_free(rendering);
    return code;
}

/* ---- the command */

static inox_status open_template(const template_options *o, const char *name, inox_template **out,
                                 inox_error *err)
{
    inox_model *model = NULL;
    if (path_exists(name))
        return inox_template_open(name, o->name, out, err);
    inox_status status = open_model(&o->common, name, true, 0, &model, err);
    if (status == INOX_OK)
        status = inox_template_from_model(model, o->name, out, err);
    inox_model_close(model);
    return status;
}

/* A mistake in the template is the answer to every line, too. */
static int wrong_template(const template_options *o, const inox_error *err)
{
    int code = fail(&o->common, err);
    if (o->jsonl && err->code == INOX_E_FORMAT)
        (void)answer_lines(o, NULL, err->message);
    return code;
}

static const char NOTES[] = "FILE is Jinja source, tokenizer_config.json, a GGUF file, or a "
                            "directory that holds one of them.\n"
                            "VARIABLES is a file with one JSON object: {\"messages\": [{\"role\": "
                            "\"user\", \"content\": \"...\"}],\n"
                            "\"add_generation_prompt\": true, ...}; standard input where it is "
                            "missing or '-'. The template sees\n"
                            "exactly the variables that are there. With --jsonl each line of "
                            "standard input is such an object,\n"
                            "answered by {\"text\": \"...\"} or {\"error\": \"...\"}.";

int cmd_template(const command *c, int argc, char **argv)
{
    template_options o = { .rendering = INOX_TEMPLATE_OPTIONS_INIT };
    const option options[] = {
        { "jsonl", 0, OPTION_FLAG, &o.jsonl, NULL,
          "answer lines of JSON on standard input, one for one", NULL },
        { "now", 0, OPTION_TEXT, &o.rendering.now, "TIME",
          "what the clock shows: \"2026-07-04 15:30:45\" (default: the local time)", NULL },
        { "name", 0, OPTION_TEXT, &o.name, "NAME", "which of several templates (\"default\")",
          NULL },
        { "spans", 0, OPTION_FLAG, &o.spans, NULL,
          "only the parts that come out of the variables, with their bytes", NULL },
        { "tokenizer", 0, OPTION_TEXT, &o.tokenizer, "FILE",
          "the ids of its tokens; special tokens are found in the template's words only", NULL },
        TEMPLATE_LIMITS(o.rendering),
        JSON_OPTION(o.common),
        { "quiet", 'q', OPTION_FLAG, &o.common.quiet, NULL, "no progress and no notes", NULL },
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    inox_error err = { 0 };
    inox_template *t = NULL;
    inox_tokenizer *tokenizer = NULL;
    int n = parse_options(c, options, NOTES, argc, argv);
    if (n < 0)
        return parse_exit(n);
    if (n < 1 || n > 2 || (o.jsonl && n > 1))
        return usage_error(c, "a FILE or MODEL is needed, and VARIABLES or --jsonl"), EXIT_USAGE;
    if (o.jsonl && (o.spans || o.tokenizer != NULL))
        return usage_error(c, "--spans and --tokenizer do not go with --jsonl"), EXIT_USAGE;
    if (open_template(&o, argv[0], &t, &err) != INOX_OK)
        return wrong_template(&o, &err);
    int code = 0;
    if (o.tokenizer != NULL && inox_tokenizer_open(o.tokenizer, NULL, &tokenizer, &err) != INOX_OK)
        code = fail(&o.common, &err);
    if (code == 0)
        code = o.jsonl ? answer_lines(&o, t, NULL)
                       : render_file(&o, t, tokenizer, n > 1 ? argv[1] : "-");
    inox_tokenizer_free(tokenizer);
    inox_template_free(t);
    return code;
}
