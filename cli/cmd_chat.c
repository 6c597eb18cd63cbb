/* inox chat: talk with a model, a line at a time. */
#include "chat.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

typedef struct chat_options {
    common common;
    const char *template, *system, *load, *save, *draft, *tools, *variables;
    inox_cache_type cache;
    inox_template_options rendering;
    int64_t tokens, context, chunk, lookup, draft_tokens;
    sampling_options sampling;
    bool no_receipt, hide_reasoning;
    option_texts stops;
} chat_options;

static const char NOTES[] =
    "A line is a message; one that begins and ends with \"\"\" may have many lines.\n"
    "/help lists the commands. Ctrl-C stops an answer, Ctrl-D ends the conversation.\n"
    "What is typed never becomes a special token.\n"
    "With --json every answer is a line of JSON, for programs that write messages to\n"
    "standard input.";

static const char HELP[] =
    "/help            this text\n"
    "/clear           forget the conversation\n"
    "/system [TEXT]   set the system message, or remove it\n"
    "/retry           answer the last message again, with another seed\n"
    "/undo            forget the last message and its answer\n"
    "/tool RESULT     give the result of the tool that the model called\n"
    "/show            the conversation so far\n"
    "/save FILE       write the conversation as JSON\n"
    "/load FILE       read one\n"
    "/set NAME VALUE  temp, top-p, min-p, top-k, tokens or seed\n"
    "/receipt         the receipt of the last answer\n"
    "/stats           tell tokens per second, or stop telling\n"
    "/exit            end; Ctrl-D does the same\n"
    "\"\"\"              begins a message of many lines, which \"\"\" ends\n";

typedef struct chat {
    chat_options *options;
    talk talk;
    line_reader *lines;
    char *system; /* of /system */
    bool ended;
} chat;

static void say(const chat *c, const char *text)
{
    if (!c->options->common.quiet)
        fprintf(stderr, "%s\n", text);
}

/* ---- messages -------------------------------------------------------------------------------- */

static bool append(char **text, size_t *size, const char *more, size_t n)
{
    char *grown = realloc(*text, *size + n + 2);
    if (grown == NULL)
        return false;
    memcpy(grown + *size, more, n);
    *size += n;
    grown[*size] = '\0';
    *text = grown;
    return true;
}

static const char *role_of(const json_t *messages, size_t from_end)
{
    size_t n = json_array_size(messages);
    const json_t *m = from_end < n ? json_array_get(messages, n - 1 - from_end) : NULL;
    return m != NULL ? json_string_value(json_object_get(m, "role")) : "";
}

static void drop_last(json_t *messages)
{
    if (json_array_size(messages) > 0)
        json_array_remove(messages, json_array_size(messages) - 1);
}

/* A message of many lines, from the one that begins with """ to the one that ends with it. */
static line_result read_block(chat *c, const char *first, char **text)
{
    size_t size = 0, n = strlen(first + 3);
    bool ended = n >= 3 && strcmp(first + n, "\"\"\"") == 0;
    line_result result = LINE_READ;
    const char *line = first + 3;
    n -= ended ? 3 : 0;
    for (;;) {
        if (!append(text, &size, line, n) || (!ended && !append(text, &size, "\n", 1)))
            return LINE_FAILED;
        if (ended)
            return LINE_READ;
        result = read_chat_line(c->lines, "... ", &line);
        if (result != LINE_READ)
            return result;
        n = strlen(line);
        ended = n >= 3 && strcmp(line + n - 3, "\"\"\"") == 0;
        n -= ended ? 3 : 0;
    }
}

static void tell_call(const chat *c, const json_t *call)
{
    if (!c->options->common.json && !c->options->common.quiet) {
        fprintf(stderr, "/tool RESULT tells the model what ");
        print_visible(stderr, call_name(call), strlen(call_name(call)));
        fprintf(stderr, " gave.\n");
    }
}

static int answer(chat *c)
{
    int code = talk_answer(&c->talk);
    const json_t *call = code == 0 ? pending_call(c->talk.messages) : NULL;
    if (call != NULL)
        tell_call(c, call);
    return code;
}

/* Answers the message that was added last, which is taken back where there is no answer. */
static int answer_last(chat *c)
{
    size_t count = json_array_size(c->talk.messages);
    int code = answer(c);
    if (json_array_size(c->talk.messages) == count)
        drop_last(c->talk.messages);
    return code;
}

static int answer_text(chat *c, const char *text)
{
    json_t *message =
        json_pack("{s:s, s:o}", "role", "user", "content", json_text(text, strlen(text)));
    if (json_array_append_new(c->talk.messages, message) != 0)
        return fail_text(&c->options->common, EXIT_MEMORY, "no memory");
    return answer_last(c);
}

/* The result of a call; when all of them have one, the model goes on. */
static int answer_result(chat *c, const char *text)
{
    json_t *messages = c->talk.messages;
    const json_t *call = pending_call(messages);
    if (call == NULL)
        return fail_text(&c->options->common, EXIT_USAGE,
                         "/tool: the model waits for no result of a tool");
    if (json_array_append_new(messages, new_result(call, text)) != 0)
        return fail_text(&c->options->common, EXIT_MEMORY, "no memory");
    call = pending_call(messages);
    if (call == NULL)
        return answer_last(c);
    tell_call(c, call);
    return 0;
}

/* ---- commands -------------------------------------------------------------------------------- */

static int do_system(chat *c, const char *argument)
{
    char *copy = *argument != '\0' ? strdup(argument) : NULL;
    if (*argument != '\0' && copy == NULL)
        return fail_text(&c->options->common, EXIT_MEMORY, "no memory");
    free(c->system);
    c->system = copy;
    c->talk.system = copy;
    say(c, copy != NULL ? "System message set." : "No system message.");
    return 0;
}

static int do_retry(chat *c, const char *argument)
{
    json_t *m = c->talk.messages;
    (void)argument;
    if (strcmp(role_of(m, 0), "assistant") == 0)
        drop_last(m);
    if (json_array_size(m) == 0) {
        say(c, "There is nothing to answer yet.");
        return 0;
    }
    if (pending_call(m) != NULL) {
        tell_call(c, pending_call(m));
        return 0;
    }
    c->talk.generate.sampling.seed++;
    return answer(c);
}

static int do_undo(chat *c, const char *argument)
{
    json_t *m = c->talk.messages;
    (void)argument;
    if (strcmp(role_of(m, 0), "assistant") == 0)
        drop_last(m);
    if (strcmp(role_of(m, 0), "user") == 0 || strcmp(role_of(m, 0), "tool") == 0)
        drop_last(m);
    say(c, "Forgotten.");
    return 0;
}

static int do_clear(chat *c, const char *argument)
{
    (void)argument;
    json_array_clear(c->talk.messages);
    say(c, "A new conversation.");
    return 0;
}

static int do_show(chat *c, const char *argument)
{
    size_t i;
    json_t *m;
    (void)argument;
    if (c->talk.system != NULL)
        printf("system: %s\n", c->talk.system);
    json_array_foreach(c->talk.messages, i, m)
    {
        const char *content = json_string_value(json_object_get(m, "content"));
        size_t k;
        json_t *call;
        printf("%s: %s\n", json_string_value(json_object_get(m, "role")),
               content != NULL ? content : "");
        json_array_foreach(json_object_get(m, "tool_calls"), k, call)
        {
            printf("  calls ");
            print_call(call);
        }
    }
    return 0;
}

static int do_tool(chat *c, const char *argument)
{
    char *block = NULL;
    int code = 0;
    if (strncmp(argument, "\"\"\"", 3) != 0)
        return answer_result(c, argument);
    line_result result = read_block(c, argument, &block);
    if (result == LINE_READ)
        code = answer_result(c, block);
    else if (result == LINE_FAILED)
        code = fail_file(&c->options->common, "standard input");
    free(block);
    return code;
}

static int do_save(chat *c, const char *argument)
{
    int code = *argument == '\0' ? fail_text(&c->options->common, EXIT_USAGE, "/save needs a FILE")
                                 : save_talk(&c->talk, argument);
    if (code == 0)
        say(c, "Saved.");
    return code;
}

static void tell_of_tools(const chat *c)
{
    if (json_array_size(c->talk.tools) > 0 && ignores_tools(&c->talk))
        say(c, "The chat template does not tell the model of tools.");
}

static int do_load(chat *c, const char *argument)
{
    int code = *argument == '\0' ? fail_text(&c->options->common, EXIT_USAGE, "/load needs a FILE")
                                 : load_talk(&c->talk, argument);
    if (code == 0) {
        say(c, "Loaded.");
        tell_of_tools(c);
    }
    return code;
}

static int do_set(chat *c, const char *argument)
{
    inox_generate_options *g = &c->talk.generate;
    char name[16] = "", *end = NULL;
    const char *value = strchr(argument, ' ');
    if (value != NULL && (size_t)(value - argument) < sizeof name)
        memcpy(name, argument, (size_t)(value - argument));
    double number = value != NULL ? strtod(value, &end) : 0;
    bool good = value != NULL && end != value && *end == '\0';
    if (good && strcmp(name, "temp") == 0 && number >= 0)
        g->sampling.temperature = (float)number;
    else if (good && strcmp(name, "top-p") == 0 && number >= 0 && number <= 1)
        g->sampling.top_p = (float)number;
    else if (good && strcmp(name, "min-p") == 0 && number >= 0 && number <= 1)
        g->sampling.min_p = (float)number;
    else if (good && strcmp(name, "top-k") == 0 && number >= 0 && number <= INT32_MAX)
        g->sampling.top_k = (int32_t)number;
    else if (good && strcmp(name, "tokens") == 0 && number >= 1 && number <= INT32_MAX)
        g->max_tokens = (int32_t)number;
    else if (good && strcmp(name, "seed") == 0 && number >= 0)
        g->sampling.seed = strtoull(value, NULL, 10);
    else
        return fail_text(&c->options->common, EXIT_USAGE,
                         "/set needs temp, top-p, min-p, top-k, tokens or seed, and a number");
    say(c, "Set.");
    return 0;
}

static int do_receipt(chat *c, const char *argument)
{
    (void)argument;
    if (c->talk.receipt_id[0] == '\0')
        say(c, "There is no receipt.");
    else
        printf("%s\n", c->talk.receipt_id);
    return 0;
}

static int do_stats(chat *c, const char *argument)
{
    (void)argument;
    c->talk.statistics = !c->talk.statistics;
    say(c, c->talk.statistics ? "Speeds are told." : "Speeds are not told.");
    return 0;
}

static int do_help(chat *c, const char *argument)
{
    (void)c;
    (void)argument;
    fputs(HELP, stdout);
    return 0;
}

static int do_exit(chat *c, const char *argument)
{
    (void)argument;
    c->ended = true;
    return 0;
}

static int do_command(chat *c, const char *line)
{
    static const struct {
        const char *name;
        int (*run)(chat *, const char *);
    } ALL[] = {
        { "help", do_help },       { "clear", do_clear }, { "system", do_system },
        { "retry", do_retry },     { "undo", do_undo },   { "show", do_show },
        { "save", do_save },       { "load", do_load },   { "set", do_set },
        { "receipt", do_receipt }, { "stats", do_stats }, { "exit", do_exit },
        { "quit", do_exit },       { "tool", do_tool },
    };
    size_t n = strcspn(line + 1, " ");
    const char *argument = line + 1 + n;
    while (*argument == ' ')
        argument++;
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++)
        if (strlen(ALL[i].name) == n && memcmp(line + 1, ALL[i].name, n) == 0)
            return ALL[i].run(c, argument);
    return fail_text(&c->options->common, EXIT_USAGE, "no command '%.40s': /help lists them", line);
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* One line of the person; *code is that of a failure, which does not end a conversation on a
 * terminal. */
static line_result one_line(chat *c, int *code)
{
    const char *line = NULL;
    char *block = NULL;
    line_result result = read_chat_line(c->lines, "> ", &line);
    *code = 0;
    if (result != LINE_READ || *line == '\0')
        return result;
    remember_line(c->lines, line);
    if (strncmp(line, "\"\"\"", 3) == 0) {
        result = read_block(c, line, &block);
        if (result == LINE_READ)
            *code = answer_text(c, block);
        free(block);
    } else if (line[0] == '/') {
        *code = do_command(c, line);
    } else {
        *code = answer_text(c, line);
    }
    return result;
}

static int converse(chat *c)
{
    bool person = input_is_terminal();
    int code = 0;
    if (person)
        say(c, "/help lists the commands, Ctrl-D ends.");
    while (!c->ended) {
        line_result result = one_line(c, &code);
        if (interrupted()) {
            clear_interrupt();
            if (!person)
                return EXIT_INTERRUPTED;
            fprintf(stderr, "\n");
            continue;
        }
        if (result == LINE_FAILED)
            return fail_file(&c->options->common, "standard input");
        if (result == LINE_END)
            break;
        if (code != 0 && (!person || ferror(stdout)))
            return code;
    }
    if (person)
        printf("\n");
    return 0;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* $XDG_STATE_HOME/inox/chat_history; NULL where there is no home. */
static char *history_file(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    size_t room = 4096;
    char *path = malloc(room);
    if (path == NULL)
        return NULL;
    int n = state != NULL && *state == '/' ? snprintf(path, room, "%s/inox/chat_history", state)
            : home != NULL ? snprintf(path, room, "%s/.local/state/inox/chat_history", home)
                           : -1;
    if (n > 0 && (size_t)n < room)
        return path;
    free(path);
    return NULL;
}

static int run(const command *c, chat_options *o, const char *path)
{
    inox_error err = { 0 };
    chat all = { .options = o };
    talk *t = &all.talk;
    inox_model *draft = NULL;
    char *history = history_file();
    t->common = &o->common;
    t->messages = json_array();
    t->system = o->system;
    t->rendering = o->rendering;
    t->no_receipt = o->no_receipt;
    t->hide_reasoning = o->hide_reasoning;
    t->statistics = true;
    t->generate = (inox_generate_options)INOX_GENERATE_OPTIONS_INIT;
    t->generate.max_tokens = (int32_t)o->tokens;
    t->generate.stops = o->stops.items;
    t->generate.stop_count = o->stops.count;
    t->generate.receipt = !o->no_receipt;
    t->generate.lookup = (int32_t)o->lookup;
    t->generate.draft_tokens = (int32_t)o->draft_tokens;
    int code = take_sampling(c, &o->common, &o->sampling, &t->generate.sampling);
    if (code == 0 && o->tools != NULL)
        code = read_tools(&o->common, o->tools, &t->tools);
    t->own_tools = t->tools != NULL;
    if (code == 0 && o->variables != NULL)
        code = read_template_variables(&o->common, o->variables, &t->variables);
    if (code == 0 &&
        (open_model(&o->common, path, false, (int32_t)o->chunk, &t->model, &err) != INOX_OK ||
         open_talk(t, o->template, (int32_t)o->context, o->cache, &err) != INOX_OK ||
         (o->draft != NULL && open_draft(&o->common, o->draft, o->context, o->chunk, &draft,
                                         &t->generate.draft, &err) != INOX_OK)))
        code = fail(&o->common, &err);
    if (code == 0 && o->load != NULL)
        code = load_talk(t, o->load);
    if (code == 0) {
        tell_of_tools(&all);
        all.lines = line_reader_new(history);
        interrupt_never_ends();
        code = all.lines == NULL ? fail_text(&o->common, EXIT_MEMORY, "no memory") : converse(&all);
        if (o->save != NULL) {
            int saved = save_talk(t, o->save);
            code = code != 0 ? code : saved;
        }
        line_reader_free(all.lines);
    }
    inox_session_free(t->generate.draft);
    inox_model_close(draft);
    close_talk(t);
    inox_model_close(t->model);
    free(all.system);
    free(history);
    return code;
}

int cmd_chat(const command *c, int argc, char **argv)
{
    chat_options o = { .rendering = INOX_TEMPLATE_OPTIONS_INIT,
                       .tokens = 1024,
                       .draft_tokens = 8,
                       .sampling = SAMPLING_INIT };
    const option options[] = {
        { "chat-template", 0, OPTION_TEXT, &o.template, "NAME|FILE",
          "chatml, llama3, gemma, mistral, zephyr, plain, or a file (default: the model's own)",
          NULL },
        { "system", 0, OPTION_TEXT, &o.system, "TEXT", "the system message", NULL },
        { "tools", 0, OPTION_TEXT, &o.tools, "FILE",
          "a JSON list of tools that the model may call; /tool gives their results", NULL },
        { "template-vars", 0, OPTION_TEXT, &o.variables, "JSON|FILE",
          "more variables of the template: '{\"enable_thinking\": false}'", NULL },
        TEMPLATE_LIMITS(o.rendering),
        { "load", 0, OPTION_TEXT, &o.load, "FILE", "go on with a saved conversation", NULL },
        { "save", 0, OPTION_TEXT, &o.save, "FILE", "write the conversation there at the end",
          NULL },
        { "hide-reasoning", 0, OPTION_FLAG, &o.hide_reasoning, NULL,
          "do not show what the model thinks before it answers", NULL },
        { "tokens", 'n', OPTION_INT, &o.tokens, "N", "tokens of an answer at most (1024)", NULL },
        SAMPLING_OPTIONS(o.sampling),
        { "stop", 0, OPTION_TEXTS, &o.stops, "TEXT", "end an answer before this text (repeatable)",
          NULL },
        SESSION_OPTIONS(o),
        { "no-receipt", 0, OPTION_FLAG, &o.no_receipt, NULL, "keep no receipts", NULL },
        COMMON_OPTIONS(o.common),
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    setlocale(LC_CTYPE, ""); /* what is typed may be UTF-8 */
    int n = parse_options(c, options, NOTES, argc, argv), code;
    if (n < 0)
        return parse_exit(n);
    if (n > 1 || o.tokens < 1 || o.tokens > INT32_MAX || o.context < 0 || o.context > INT32_MAX ||
        o.chunk < 0 || o.chunk > 65536 || o.lookup < 0 || o.lookup > 1024 || o.draft_tokens < 1 ||
        o.draft_tokens > 256) {
        usage_error(c, n > 1 ? "too many arguments"
                             : "a number is out of range: -n, --ctx, "
                               "--chunk, --lookup or --draft-tokens");
        code = EXIT_USAGE;
    } else {
        code = run(c, &o, n == 1 ? argv[0] : NULL);
    }
    free_texts(&o.stops);
    free_sampling(&o.sampling);
    return code;
}
