/* What a model wrote, taken apart again: reasoning, content, tool calls.
 *
 * How a model writes them is what its chat template shows: templates render past answers, so a
 * probe answer with known reasoning, content and calls is rendered, and the text around each probe
 * is how the model spells it (learn.c).  One parser works from what was learned (parse.c, calls.c):
 *
 *     answer    [think_start] reasoning think_end [content_start] content [content_end] calls
 *     calls     section_start call_start CALL call_end call_start CALL call_end ... section_end
 *     CALL      one of
 *         JSON          {"name": "f", "arguments": {"k": "v"}}, perhaps in a list
 *         NAMED         f <anything> {"k": "v"}
 *         PARAMETERS    f key_start k key_end v value_end key_start ...
 *                       or elements, f <k>v</k> ..., which may hold others
 *         QUOTED        f{k:<|"|>v<|"|>}, with marks of the model's own for quotation
 *         PYTHON        f(k='v'), perhaps in a list
 *
 * and the channels of OpenAI's harmony format, which are a kind of their own.  Where a template
 * does not render reasoning or calls, the marks that stand in its source are taken if they are
 * known.
 *
 * What a model writes is not trusted: an answer that fits nothing is content, and nothing is lost.
 */
#ifndef IX_TEXT_ANSWER_ANSWER_H
#define IX_TEXT_ANSWER_ANSWER_H

#include "base/alloc.h"
#include "text/jinja/template.h"
#include "text/view.h"

typedef struct ix_answer_format ix_answer_format;

/* A template that renders no answer at all is no error: such a format has content only. */
inox_status ix_answer_learn(const ix_template *t, ix_answer_format **out,
                            inox_error *err) IX_MUST_USE;
void ix_answer_format_free(ix_answer_format *f); /* NULL is fine */

/* What was learned, one "mark: text" in a line, for people. */
inox_status ix_answer_describe(const ix_answer_format *f, ix_buffer *out,
                               inox_error *err) IX_MUST_USE;

typedef enum ix_answer_part {
    IX_ANSWER_REASONING,
    IX_ANSWER_CONTENT,
    IX_ANSWER_CALL,
} ix_answer_part;

/* A piece of an answer.  Text of reasoning or content: the next bytes of it, whole characters if
 * what was pushed was.  A call is complete: its name, its arguments as a JSON object, and the
 * model's id for it or an empty view. */
typedef struct ix_answer_event {
    ix_answer_part part;
    ix_text_view text; /* reasoning, content */
    ix_text_view name, id, arguments;
} ix_answer_event;

/* Takes an event; what it views is gone afterwards.  A failure ends the push. */
typedef inox_status ix_answer_sink(void *context, const ix_answer_event *event, inox_error *err);

typedef struct ix_answer_parser ix_answer_parser;

/* The text of an answer arrives in pieces of any size.  `prompt` is the rendered prompt in front of
 * it (its end tells whether the model begins inside its reasoning), or empty.  The format must
 * outlive the parser. */
inox_status ix_answer_parser_new(const ix_answer_format *f, ix_text_view prompt,
                                 ix_answer_sink *sink, void *context, ix_answer_parser **out,
                                 inox_error *err) IX_MUST_USE;
/* The tools that the prompt offers, a JSON list as templates take it: the schemas of their
 * parameters tell the types of arguments where the syntax (PARAMETERS) does not. */
inox_status ix_answer_parser_tools(ix_answer_parser *p, ix_text_view tools,
                                   inox_error *err) IX_MUST_USE;
inox_status ix_answer_push(ix_answer_parser *p, const char *text, size_t size,
                           inox_error *err) IX_MUST_USE;
/* The end of the answer: what was held back.  A call that is not complete is content. */
inox_status ix_answer_finish(ix_answer_parser *p, inox_error *err) IX_MUST_USE;
/* What ends a turn has come: the rest is dropped. */
bool ix_answer_ended(const ix_answer_parser *p);
void ix_answer_parser_free(ix_answer_parser *p); /* NULL is fine */

#endif
