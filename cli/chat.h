/* inox chat: a conversation with a model.
 *
 *     line (chat_line.c) --> command, or message --> talk (chat_talk.c) --> screen
 *                                                      template, tokens, session, answer
 *                                                    tools (chat_tools.c): calls, results
 */
#ifndef INOX_CHAT_H
#define INOX_CHAT_H

#include "cli.h"

/* ---- chat_line.c: lines from a person (edited, with history) or from a pipe */
typedef struct line_reader line_reader;

/* history: a file, or NULL.  NULL where there is no memory. */
line_reader *line_reader_new(const char *history);
void line_reader_free(line_reader *r);
typedef enum line_result { LINE_READ, LINE_END, LINE_INTERRUPTED, LINE_FAILED } line_result;
/* *line: without its newline; the reader's, until its next call. */
line_result read_chat_line(line_reader *r, const char *prompt, const char **line);
/* What the next Up key brings. */
void remember_line(line_reader *r, const char *text);

/* ---- chat_templates.c: templates for models whose file has none */
/* Source of a name, or NULL. */
const char *chat_template_source(const char *name);
/* "chatml, llama3, ..." */
const char *chat_template_names(void);

/* ---- chat_talk.c: a conversation and its model */
typedef struct talk {
    const common *common;
    inox_model *model;
    inox_session *session, *draft;
    inox_tokenizer *tokenizer;
    inox_template *template;
    inox_answer_format *format;
    json_t *messages;   /* as templates see them: role, content, reasoning_content, tool_calls */
    json_t *tools;      /* the list that the model may call, or NULL */
    bool own_tools;     /* they were given for this run: those of a file do not replace them */
    json_t *variables;  /* more variables of the template, or NULL */
    const char *system; /* the system message, or NULL */
    int32_t *held;      /* the tokens in the session */
    size_t held_count;
    inox_template_options rendering;
    inox_generate_options generate;
    bool no_receipt, hide_reasoning, statistics;
    char receipt_id[65]; /* of the last answer, or "" */
} talk;

/* Opens session, tokenizer, template and format of talk->model.  template_name: a name, a file, or
 * NULL for the model's own. */
inox_status open_talk(talk *t, const char *template_name, int32_t context, inox_cache_type cache,
                      inox_error *err);
void close_talk(talk *t);
/* True where the template renders a first message alike with the tools and without. */
bool ignores_tools(const talk *t);
/* Answers what the conversation ends with, on the screen or as a line of JSON, and adds the answer.
 * Nothing is added when that fails. */
int talk_answer(talk *t);

/* {"messages": [...], "tools": [...]}; a list of messages is read, too. */
int save_talk(const talk *t, const char *path);
int load_talk(talk *t, const char *path);

/* ---- chat_tools.c: what a model may call */
/* The list of a JSON file, [...] or {"tools": [...]}. */
int read_tools(const common *c, const char *path, json_t **tools);
/* True of what read_tools reads. */
bool are_tools(const json_t *tools);
/* An object with variables for the template: JSON itself, or a file of it. */
int read_template_variables(const common *c, const char *text, json_t **variables);
/* A call of the answer in the making, number 0 on; messages: those before. */
json_t *new_call(const json_t *messages, const inox_answer_event *e, size_t number);
/* The first call that the conversation's end leaves without a result, or NULL. */
const json_t *pending_call(const json_t *messages);
/* The message with a call's result. */
json_t *new_result(const json_t *call, const char *text);
const char *call_name(const json_t *call);
/* A line of name and arguments. */
void print_call(const json_t *call);

#endif
