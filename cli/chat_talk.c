/* A conversation: rendered by the chat template, encoded so that nothing a person writes can become
 * a special token, answered, and taken apart again.
 *
 * The session keeps the tokens of the last turn: of a new prompt only what differs from them is
 * computed.
 */
#include "chat.h"

#include <stdlib.h>
#include <string.h>

/* ---- opening --------------------------------------------------------------------------------- */

static inox_status open_template(talk *t, const char *name, inox_error *err)
{
    const char *source = name != NULL ? chat_template_source(name) : NULL;
    if (source != NULL)
        return inox_template_new(source, strlen(source), &t->template, err);
    if (name != NULL && path_exists(name))
        return inox_template_open(name, NULL, &t->template, err);
    if (name != NULL) {
        *err = (inox_error){ INOX_E_NOT_FOUND, -1, "" };
        snprintf(err->message, sizeof err->message,
                 "--chat-template: '%s' is no file and none of %s", name, chat_template_names());
        return INOX_E_NOT_FOUND;
    }
    inox_status status = inox_template_from_model(t->model, NULL, &t->template, err);
    if (status == INOX_E_NOT_FOUND)
        snprintf(err->message, sizeof err->message,
                 "the model's file has no chat template. Give one with --chat-template NAME|FILE "
                 "(names: %s), or use 'inox run' for plain text",
                 chat_template_names());
    return status;
}

inox_status open_talk(talk *t, const char *template_name, int32_t context, inox_cache_type cache,
                      inox_error *err)
{
    inox_session_options s = INOX_SESSION_OPTIONS_INIT;
    s.context = context;
    s.cache = cache;
    inox_status status = open_template(t, template_name, err);
    if (status == INOX_OK)
        status = inox_answer_format_new(t->template, &t->format, err);
    if (status == INOX_OK)
        status = inox_tokenizer_from_model(t->model, &t->tokenizer, err);
    if (status == INOX_OK)
        status = inox_session_new(t->model, &s, &t->session, err);
    return status;
}

void close_talk(talk *t)
{
    json_decref(t->messages);
    json_decref(t->tools);
    json_decref(t->variables);
    free(t->held);
    inox_session_free(t->session);
    inox_answer_format_free(t->format);
    inox_template_free(t->template);
    inox_tokenizer_free(t->tokenizer);
}

/* ---- the prompt ------------------------------------------------------------------------------ */

/* The text of a special token, or "". */
static json_t *token_text(const talk *t, int32_t id)
{
    size_t bytes = 0;
    const char *piece = id >= 0 ? inox_tokenizer_piece(t->tokenizer, id, &bytes) : NULL;
    return piece != NULL ? json_text(piece, bytes) : json_string("");
}

/* What the template sees; NULL: no memory. */
static char *variables_of(const talk *t, const inox_tokenizer_info *info)
{
    json_t *all = json_array(), *root = NULL;
    if (t->system != NULL)
        json_array_append_new(all, json_pack("{s:s, s:s}", "role", "system", "content", t->system));
    if (all != NULL && json_array_extend(all, t->messages) == 0)
        root = json_pack("{s:O, s:O?, s:n, s:b, s:o, s:o}", "messages", all, "tools", t->tools,
                         "documents", "add_generation_prompt", 1, "bos_token",
                         token_text(t, info->bos), "eos_token", token_text(t, info->eos));
    if (root != NULL && t->variables != NULL)
        json_object_update(root, t->variables);
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(all);
    json_decref(root);
    return text;
}

/* The rendering begins with the token that the model wants in front, or it is added. */
static bool has_bos(const talk *t, const inox_tokenizer_info *info, inox_text text)
{
    size_t bytes = 0;
    const char *piece =
        info->bos >= 0 ? inox_tokenizer_piece(t->tokenizer, info->bos, &bytes) : NULL;
    return piece != NULL && bytes > 0 && text.bytes >= bytes &&
           memcmp(text.data, piece, bytes) == 0;
}

static inox_status encode(const talk *t, const inox_rendering *r, const inox_tokenizer_info *info,
                          inox_encodings **out, inox_error *err)
{
    inox_input input = { 0 };
    inox_encode_options o = INOX_ENCODE_OPTIONS_INIT;
    input.first.text = inox_rendering_text(r);
    input.first.plain = inox_rendering_spans(r, &input.first.plain_count);
    o.parse_special = INOX_PARSE_SPECIAL_YES;
    o.special = !has_bos(t, info, input.first.text);
    return inox_tokenizer_encode_all(t->tokenizer, &input, 1, &o, out, err);
}

static inox_status render(const talk *t, const inox_tokenizer_info *info, inox_rendering **out,
                          inox_error *err)
{
    char *variables = variables_of(t, info);
    if (variables == NULL) {
        *err = (inox_error){ INOX_E_MEMORY, -1, "no memory for the conversation" };
        return INOX_E_MEMORY;
    }
    inox_status status =
        inox_template_render(t->template, variables, strlen(variables), &t->rendering, out, err);
    free(variables);
    return status;
}

/* *rendering, *tokens: the conversation with the beginning of an answer behind it. */
static inox_status make_prompt(const talk *t, inox_rendering **rendering, inox_encodings **tokens,
                               inox_error *err)
{
    inox_tokenizer_info info = INOX_TOKENIZER_INFO_INIT;
    inox_status status = inox_tokenizer_describe(t->tokenizer, &info, err);
    if (status == INOX_OK)
        status = render(t, &info, rendering, err);
    if (status == INOX_OK)
        status = encode(t, *rendering, &info, tokens, err);
    return status;
}

bool ignores_tools(const talk *t)
{
    inox_tokenizer_info info = INOX_TOKENIZER_INFO_INIT;
    inox_rendering *with = NULL, *without = NULL;
    inox_error ignored;
    talk probe = *t;
    probe.messages = json_pack("[{s:s, s:s}]", "role", "user", "content", "?");
    bool rendered = inox_tokenizer_describe(t->tokenizer, &info, &ignored) == INOX_OK &&
                    render(&probe, &info, &with, &ignored) == INOX_OK;
    probe.tools = NULL;
    rendered = rendered && render(&probe, &info, &without, &ignored) == INOX_OK;
    inox_text a = inox_rendering_text(with), b = inox_rendering_text(without);
    bool same = rendered && a.bytes == b.bytes && memcmp(a.data, b.data, a.bytes) == 0;
    inox_rendering_free(with);
    inox_rendering_free(without);
    json_decref(probe.messages);
    return same;
}

/* ---- the answer ------------------------------------------------------------------------------ */

typedef struct answer {
    talk *talk;
    inox_decoder *decoder;
    inox_answer_parser *parser;
    char *text[2]; /* reasoning and content so far */
    size_t size[2];
    json_t *calls;
    bool colour, dim;
    inox_status status; /* of the callback */
    inox_error err;
} answer;

static bool keep_text(answer *a, int part, inox_text text)
{
    char *more = realloc(a->text[part], a->size[part] + text.bytes + 1);
    if (more == NULL)
        return false;
    memcpy(more + a->size[part], text.data, text.bytes);
    a->size[part] += text.bytes;
    more[a->size[part]] = '\0';
    a->text[part] = more;
    return true;
}

static void set_dim(answer *a, bool dim)
{
    if (a->colour && a->dim != dim)
        printf(dim ? "\033[2m" : "\033[0m");
    a->dim = dim;
}

static void show(answer *a, const inox_answer_event *e)
{
    bool reasoning = e->part == INOX_ANSWER_REASONING;
    if (a->talk->common->json || (reasoning && (!a->colour || a->talk->hide_reasoning)))
        return;
    if (!reasoning && a->dim)
        printf("\n\n");
    set_dim(a, reasoning);
    if (e->part == INOX_ANSWER_CALL) {
        printf("%scalls ", a->size[1] > 0 || json_array_size(a->calls) > 0 ? "\n" : "");
        print_visible(stdout, e->name.data, e->name.bytes);
        printf(" ");
        print_visible(stdout, e->arguments.data, e->arguments.bytes);
    } else {
        fwrite(e->text.data, 1, e->text.bytes, stdout);
    }
    fflush(stdout);
}

static void take_events(answer *a, const inox_answer_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        show(a, &events[i]);
        if (events[i].part == INOX_ANSWER_CALL)
            json_array_append_new(
                a->calls, new_call(a->talk->messages, &events[i], json_array_size(a->calls)));
        else if (!keep_text(a, events[i].part == INOX_ANSWER_CONTENT, events[i].text)) {
            a->err = (inox_error){ INOX_E_MEMORY, -1, "no memory for the answer" };
            a->status = INOX_E_MEMORY;
        }
    }
}

static int on_token(void *context, int32_t id)
{
    answer *a = context;
    inox_text text = { 0 };
    const inox_answer_event *events = NULL;
    size_t count = 0;
    if (inox_tokenizer_is_end(a->talk->tokenizer, id))
        return 0; /* the generation ends by itself */
    a->status = inox_decoder_push(a->decoder, id, &text, &a->err);
    if (a->status == INOX_OK)
        a->status = inox_answer_push(a->parser, text.data, text.bytes, &events, &count, &a->err);
    if (a->status == INOX_OK)
        take_events(a, events, count);
    return a->status != INOX_OK || interrupted() || inox_answer_ended(a->parser) ||
           ferror(stdout) != 0;
}

static void finish_answer(answer *a)
{
    inox_text text = { 0 };
    const inox_answer_event *events = NULL;
    size_t count = 0;
    a->status = inox_decoder_finish(a->decoder, &text, &a->err);
    if (a->status == INOX_OK)
        a->status = inox_answer_push(a->parser, text.data, text.bytes, &events, &count, &a->err);
    if (a->status == INOX_OK)
        take_events(a, events, count);
    if (a->status == INOX_OK)
        a->status = inox_answer_finish(a->parser, &events, &count, &a->err);
    if (a->status == INOX_OK)
        take_events(a, events, count);
    set_dim(a, false);
}

/* Where the session already holds the beginning of the prompt, only the rest is fed. */
static inox_status generate(talk *t, answer *a, const inox_encoding *prompt, inox_result **result,
                            inox_error *err)
{
    size_t same = 0;
    while (same < t->held_count && same + 1 < prompt->count && t->held[same] == prompt->ids[same])
        same++;
    inox_status status = INOX_OK;
    if (same < inox_session_length(t->session))
        status = inox_session_truncate(t->session, same, err);
    t->held_count = same;
    t->generate.on_token = on_token;
    t->generate.context = a;
    if (status == INOX_OK)
        status = inox_generate(t->session, prompt->ids + same, prompt->count - same, &t->generate,
                               result, err);
    return status;
}

/* The tokens that the session holds from here on. */
static void remember_tokens(talk *t, const inox_encoding *prompt, const inox_result_info *r)
{
    size_t length = inox_session_length(t->session), count = prompt->count + r->id_count;
    int32_t *ids = realloc(t->held, (count + 1) * sizeof *ids);
    if (ids == NULL)
        return; /* held_count says how much of it is known */
    memcpy(ids, prompt->ids, prompt->count * sizeof *ids);
    memcpy(ids + prompt->count, r->ids, r->id_count * sizeof *ids);
    t->held = ids;
    t->held_count = length < count ? length : count;
}

/* The tools' schemas tell the types of arguments. */
static inox_status new_parser(const talk *t, inox_text prompt, inox_answer_parser **out,
                              inox_error *err)
{
    inox_status status = inox_answer_parser_new(t->format, prompt.data, prompt.bytes, out, err);
    char *tools = t->tools != NULL ? json_dumps(t->tools, JSON_COMPACT) : NULL;
    if (status == INOX_OK && tools != NULL)
        status = inox_answer_parser_tools(*out, tools, strlen(tools), err);
    free(tools);
    return status;
}

static json_t *message_of(const answer *a)
{
    json_t *m = json_pack("{s:s, s:o}", "role", "assistant", "content",
                          json_text(a->text[1] != NULL ? a->text[1] : "", a->size[1]));
    if (a->size[0] > 0)
        json_object_set_new(m, "reasoning_content", json_text(a->text[0], a->size[0]));
    if (json_array_size(a->calls) > 0)
        json_object_set(m, "tool_calls", a->calls);
    return m;
}

static int report(talk *t, const answer *a, const inox_result_info *r, json_t *message)
{
    inox_error err;
    const char *finish = inox_answer_ended(a->parser) ? "end" : r->finish;
    snprintf(t->receipt_id, sizeof t->receipt_id, "%s", r->receipt_id != NULL ? r->receipt_id : "");
    int code = 0;
    if (r->receipt != NULL && !t->no_receipt && inox_receipt_store(r->receipt, &err) != INOX_OK)
        code = fail(t->common, &err);
    if (t->common->json) {
        json_t *line = json_copy(message);
        json_object_del(line, "role");
        json_object_set_new(line, "finish_reason", json_string(finish));
        json_object_set_new(line, "tokens", json_integer((json_int_t)r->id_count));
        json_object_set_new(line, "prompt_tokens", json_integer((json_int_t)r->prompt_count));
        json_object_set_new(line, "tokens_per_s", json_real(decode_speed(r)));
        json_object_set_new(line, "receipt",
                            r->receipt_id != NULL ? json_string(r->receipt_id) : json_null());
        int written = print_json(t->common, line);
        return code != 0 ? code : written;
    }
    printf("\n");
    fflush(stdout);
    if (t->statistics && !t->common->quiet) {
        fprintf(stderr, "%zu token%s, %.0f tokens/s (prompt: %zu, %.0f ms).", r->id_count,
                r->id_count == 1 ? "" : "s", decode_speed(r), r->prompt_count, r->prompt_s * 1e3);
        if (r->receipt_id != NULL)
            fprintf(stderr, " Receipt %.6s.", r->receipt_id);
        fprintf(stderr, "\n");
    }
    if (strcmp(r->finish, "context") == 0)
        fprintf(stderr, "inox: the context is full: /clear begins anew, --ctx makes it larger\n");
    return code;
}

static void free_answer(answer *a)
{
    inox_decoder_free(a->decoder);
    inox_answer_parser_free(a->parser);
    free(a->text[0]);
    free(a->text[1]);
    json_decref(a->calls);
}

int talk_answer(talk *t)
{
    inox_error err = { 0 };
    inox_rendering *rendering = NULL;
    inox_encodings *tokens = NULL;
    inox_encoding prompt = INOX_ENCODING_INIT;
    inox_result *result = NULL;
    inox_result_info info = INOX_RESULT_INFO_INIT;
    answer a = { .talk = t, .calls = json_array(), .colour = is_terminal(stdout) };
    inox_status status = make_prompt(t, &rendering, &tokens, &err);
    if (status == INOX_OK)
        status = inox_encodings_get(tokens, 0, 0, &prompt, &err);
    if (status == INOX_OK)
        status = inox_decoder_new(t->tokenizer, true, &a.decoder, &err);
    if (status == INOX_OK)
        status = new_parser(t, inox_rendering_text(rendering), &a.parser, &err);
    if (status == INOX_OK)
        status = generate(t, &a, &prompt, &result, &err);
    if (status == INOX_OK)
        status = inox_result_describe(result, &info, &err);
    if (status == INOX_OK && a.status == INOX_OK)
        finish_answer(&a);
    if (status == INOX_OK && a.status != INOX_OK) {
        status = a.status;
        err = a.err;
    }
    int code = 0;
    if (status == INOX_OK) {
        json_t *message = message_of(&a);
        remember_tokens(t, &prompt, &info);
        json_array_append(t->messages, message);
        code = report(t, &a, &info, message);
        json_decref(message);
    } else {
        t->held_count = 0; /* what the session holds now is not known */
        inox_error ignored;
        (void)!inox_session_truncate(t->session, 0, &ignored);
        code = fail(t->common, &err);
    }
    free_answer(&a);
    inox_result_free(result);
    inox_encodings_free(tokens);
    inox_rendering_free(rendering);
    return code;
}

/* ---- files ----------------------------------------------------------------------------------- */

int save_talk(const talk *t, const char *path)
{
    json_t *all = json_array();
    if (t->system != NULL)
        json_array_append_new(all, json_pack("{s:s, s:s}", "role", "system", "content", t->system));
    json_array_extend(all, t->messages);
    json_t *root = json_pack("{s:o, s:O*}", "messages", all, "tools", t->tools);
    FILE *f = root != NULL ? fopen(path, "wb") : NULL;
    bool good = f != NULL && json_dumpf(root, f, JSON_INDENT(1)) == 0 && fputc('\n', f) != EOF;
    int code = f == NULL || fclose(f) != 0 || !good ? fail_file(t->common, path) : 0;
    json_decref(root);
    return code;
}

static bool is_message(const json_t *m)
{
    const json_t *content = json_object_get(m, "content");
    return json_is_string(json_object_get(m, "role")) &&
           (json_is_string(content) || json_is_null(content) || json_is_array(content) ||
            (content == NULL && json_is_array(json_object_get(m, "tool_calls"))));
}

int load_talk(talk *t, const char *path)
{
    char *text;
    size_t size;
    json_error_t e;
    int code = read_file(t->common, path, &text, &size);
    if (code != 0)
        return code;
    json_t *root = json_loadb(text, size, 0, &e);
    free(text);
    if (root == NULL)
        return fail_text(t->common, EXIT_FORMAT, "%s: not JSON: %s at byte %d", path, e.text,
                         e.position);
    json_t *all = json_is_array(root) ? root : json_object_get(root, "messages");
    bool good = json_is_array(all);
    for (size_t i = 0; good && i < json_array_size(all); i++)
        good = is_message(json_array_get(all, i));
    json_t *tools = json_object_get(root, "tools");
    if (!good)
        code = fail_text(t->common, EXIT_FORMAT,
                         "%s: no conversation: {\"messages\": [{\"role\": ..., \"content\": ...}]}",
                         path);
    else if (tools != NULL && !json_is_null(tools) && !are_tools(tools))
        code = fail_text(t->common, EXIT_FORMAT, "%s: its tools are no list of tools", path);
    if (code == 0) {
        json_decref(t->messages);
        t->messages = json_incref(all);
    }
    if (code == 0 && !t->own_tools && json_is_array(tools)) {
        json_decref(t->tools);
        t->tools = json_incref(tools);
    }
    json_decref(root);
    return code;
}
