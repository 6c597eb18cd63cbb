/* Tools of a conversation: the list that the template offers to the model, the calls that an answer
 * makes, and the results that a person gives.  No tool is run here.
 *
 *     {"role": "assistant", "content": ..., "tool_calls":
 *         [{"type": "function", "id": ..., "function": {"name": ..., "arguments": {...}}}, ...]}
 *     {"role": "tool", "name": ..., "tool_call_id": ..., "content": ...}     one for each call
 */
#include "chat.h"

#include <stdlib.h>
#include <string.h>

/* ---- what --tools and --template-vars bring */

/* The JSON of a file, or of the text itself where that begins as an object does. */
static int read_json(const common *c, const char *flag, const char *text, json_t **out)
{
    json_error_t e;
    char *data = NULL;
    size_t size = strlen(text);
    int code = *text == '{' ? 0 : read_file(c, text, &data, &size);
    *out = NULL;
    if (code != 0)
        return code;
    *out = json_loadb(data != NULL ? data : text, size, 0, &e);
    free(data);
    if (*out != NULL)
        return 0;
    return fail_text(c, EXIT_FORMAT, "%s: %s: not JSON: %s at byte %d", flag,
                     *text == '{' ? "the text" : text, e.text, e.position);
}

static const char *tool_name(const json_t *tool)
{
    const json_t *f = json_object_get(tool, "function");
    return json_string_value(json_object_get(f != NULL ? f : tool, "name"));
}

bool are_tools(const json_t *tools)
{
    size_t i;
    json_t *tool;
    bool good = json_is_array(tools);
    json_array_foreach(tools, i, tool) good = good && tool_name(tool) != NULL;
    return good;
}

int read_tools(const common *c, const char *path, json_t **tools)
{
    json_t *root;
    int code = read_json(c, "--tools", path, &root);
    if (code != 0)
        return code;
    *tools = json_is_object(root) ? json_object_get(root, "tools") : root;
    bool good = are_tools(*tools);
    if (!good)
        code = fail_text(c, EXIT_FORMAT,
                         "--tools: %s: no list of tools: [{\"type\": \"function\", \"function\": "
                         "{\"name\": ..., \"description\": ..., \"parameters\": {...}}}]",
                         path);
    *tools = good ? json_incref(*tools) : NULL;
    json_decref(root);
    return code;
}

int read_template_variables(const common *c, const char *text, json_t **variables)
{
    static const char *const OWN[] = { "messages", "tools", "add_generation_prompt" };
    int code = read_json(c, "--template-vars", text, variables);
    if (code != 0)
        return code;
    if (!json_is_object(*variables))
        code = fail_text(c, EXIT_FORMAT,
                         "--template-vars: no JSON object of names and values, such as "
                         "{\"enable_thinking\": false}");
    for (size_t i = 0; code == 0 && i < sizeof OWN / sizeof *OWN; i++)
        if (json_object_get(*variables, OWN[i]) != NULL)
            code = fail_text(c, EXIT_USAGE, "--template-vars: %s is the conversation's own%s",
                             OWN[i], i == 1 ? ": give --tools" : "");
    if (code != 0) {
        json_decref(*variables);
        *variables = NULL;
    }
    return code;
}

/* ---- calls and results */

/* The calls that the conversation ends with, and how many of them have a result. */
static const json_t *last_calls(const json_t *messages, size_t *answered)
{
    const json_t *m = NULL;
    size_t n = json_array_size(messages);
    *answered = 0;
    for (; n > 0; n--, ++*answered) {
        const char *role;
        m = json_array_get(messages, n - 1);
        role = json_string_value(json_object_get(m, "role"));
        if (role == NULL || strcmp(role, "tool") != 0)
            break;
    }
    return n > 0 ? json_object_get(m, "tool_calls") : NULL;
}

const json_t *pending_call(const json_t *messages)
{
    size_t answered;
    const json_t *calls = last_calls(messages, &answered);
    return json_array_get(calls, answered);
}

const char *call_name(const json_t *call)
{
    const char *name = tool_name(call);
    return name != NULL ? name : "?";
}

json_t *new_call(const json_t *messages, const inox_answer_event *e, size_t number)
{
    char id[32];
    size_t i;
    json_t *m;
    json_t *arguments = json_loadb(e->arguments.data, e->arguments.bytes, 0, NULL);
    if (arguments == NULL) /* with ints that fit none */
        arguments =
            json_loadb(e->arguments.data, e->arguments.bytes, JSON_DECODE_INT_AS_REAL, NULL);
    json_array_foreach(messages, i, m) number += json_array_size(json_object_get(m, "tool_calls"));
    snprintf(id, sizeof id, "call%05zu", number % 100000); /* some templates want nine characters */
    return json_pack("{s:s, s:o, s:{s:o, s:o}}", "type", "function", "id",
                     e->id.bytes > 0 ? json_text(e->id.data, e->id.bytes) : json_string(id),
                     "function", "name", json_text(e->name.data, e->name.bytes), "arguments",
                     arguments != NULL ? arguments : json_object());
}

json_t *new_result(const json_t *call, const char *text)
{
    const char *id = json_string_value(json_object_get(call, "id"));
    return json_pack("{s:s, s:s, s:s, s:o}", "role", "tool", "name", call_name(call),
                     "tool_call_id", id != NULL ? id : "", "content",
                     json_text(text, strlen(text)));
}

void print_call(const json_t *call)
{
    const json_t *arguments = json_object_get(json_object_get(call, "function"), "arguments");
    char *text = json_dumps(arguments, JSON_ENCODE_ANY);
    print_visible(stdout, call_name(call), strlen(call_name(call)));
    printf(" ");
    print_visible(stdout, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
    printf("\n");
    free(text);
}
