/* The functions of inox_text.h about answers: events in a list instead of a call for each. */
#include "text/answer/answer.h"

#include <inox_text.h>
#include <string.h>

struct inox_answer_parser {
    ix_answer_parser *parser;
    ix_buffer bytes; /* of the events' texts, behind one another */
    ix_buffer sizes; /* four size_t for each event, and its part */
    inox_answer_event *events;
    size_t count, room;
};

typedef struct sizes {
    ix_answer_part part;
    size_t text, name, id, arguments;
} sizes;

static const ix_answer_format *inside(const inox_answer_format *f)
{
    return (const ix_answer_format *)(const void *)f;
}

inox_status inox_answer_format_new(const inox_template *t, inox_answer_format **out,
                                   inox_error *err)
{
    ix_answer_format *f = NULL;
    if (t == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_answer_format_new: a pointer is NULL");
    *out = NULL;
    IX_TRY(ix_answer_learn((const ix_template *)(const void *)t, &f, err));
    *out = (inox_answer_format *)(void *)f;
    return INOX_OK;
}

void inox_answer_format_free(inox_answer_format *format)
{
    ix_answer_format_free((ix_answer_format *)(void *)format);
}

inox_status inox_answer_format_describe(const inox_answer_format *format, char **out,
                                        inox_error *err)
{
    ix_buffer text = { 0 };
    if (format == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_answer_format_describe: a pointer is NULL");
    *out = NULL;
    inox_status status = ix_answer_describe(inside(format), &text, err);
    if (status == INOX_OK)
        *out = text.data;
    else
        ix_buffer_release(&text);
    return status;
}

/* Events view what is gone when the sink returns: their bytes are copied. */
static inox_status collect(void *context, const ix_answer_event *e, inox_error *err)
{
    inox_answer_parser *p = context;
    const sizes s = { e->part, e->text.size, e->name.size, e->id.size, e->arguments.size };
    IX_TRY(ix_buffer_append(&p->bytes, e->text.data, e->text.size, err));
    IX_TRY(ix_buffer_append(&p->bytes, e->name.data, e->name.size, err));
    IX_TRY(ix_buffer_append(&p->bytes, e->id.data, e->id.size, err));
    IX_TRY(ix_buffer_append(&p->bytes, e->arguments.data, e->arguments.size, err));
    IX_TRY(ix_buffer_append(&p->sizes, &s, sizeof s, err));
    p->count++;
    return INOX_OK;
}

static inox_text next_text(const char **at, size_t size)
{
    inox_text t = { *at, size };
    *at += size;
    return t;
}

static inox_status give(inox_answer_parser *p, const inox_answer_event **events, size_t *count,
                        inox_error *err)
{
    const char *at = p->bytes.data != NULL ? p->bytes.data : "";
    if (p->count > p->room) {
        IX_TRY(IX_REALLOC(&p->events, p->count, err));
        p->room = p->count;
    }
    for (size_t i = 0; i < p->count; i++) {
        sizes s;
        memcpy(&s, p->sizes.data + i * sizeof s, sizeof s);
        inox_answer_event *e = &p->events[i];
        e->part = (inox_answer_part)s.part;
        e->text = next_text(&at, s.text);
        e->name = next_text(&at, s.name);
        e->id = next_text(&at, s.id);
        e->arguments = next_text(&at, s.arguments);
    }
    *events = p->events;
    *count = p->count;
    return INOX_OK;
}

static void forget(inox_answer_parser *p)
{
    p->bytes.size = p->sizes.size = p->count = 0;
}

inox_status inox_answer_parser_new(const inox_answer_format *format, const char *prompt,
                                   size_t bytes, inox_answer_parser **out, inox_error *err)
{
    inox_answer_parser *p;
    if (format == NULL || out == NULL || (prompt == NULL && bytes > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_answer_parser_new: a pointer is NULL");
    *out = NULL;
    IX_TRY(IX_ALLOC(&p, 1, err));
    inox_status status =
        ix_answer_parser_new(inside(format), (ix_text_view){ bytes > 0 ? prompt : "", bytes },
                             collect, p, &p->parser, err);
    if (status != INOX_OK)
        inox_answer_parser_free(p);
    else
        *out = p;
    return status;
}

inox_status inox_answer_parser_tools(inox_answer_parser *parser, const char *tools, size_t bytes,
                                     inox_error *err)
{
    if (parser == NULL || tools == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_answer_parser_tools: a pointer is NULL");
    return ix_answer_parser_tools(parser->parser, (ix_text_view){ tools, bytes }, err);
}

inox_status inox_answer_push(inox_answer_parser *parser, const char *text, size_t bytes,
                             const inox_answer_event **events, size_t *count, inox_error *err)
{
    if (parser == NULL || events == NULL || count == NULL || (text == NULL && bytes > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_answer_push: a pointer is NULL");
    *events = NULL;
    *count = 0;
    forget(parser);
    IX_TRY(ix_answer_push(parser->parser, bytes > 0 ? text : "", bytes, err));
    return give(parser, events, count, err);
}

inox_status inox_answer_finish(inox_answer_parser *parser, const inox_answer_event **events,
                               size_t *count, inox_error *err)
{
    if (parser == NULL || events == NULL || count == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_answer_finish: a pointer is NULL");
    *events = NULL;
    *count = 0;
    forget(parser);
    IX_TRY(ix_answer_finish(parser->parser, err));
    return give(parser, events, count, err);
}

bool inox_answer_ended(const inox_answer_parser *parser)
{
    return parser != NULL && ix_answer_ended(parser->parser);
}

void inox_answer_parser_free(inox_answer_parser *parser)
{
    if (parser == NULL)
        return;
    ix_answer_parser_free(parser->parser);
    ix_buffer_release(&parser->bytes);
    ix_buffer_release(&parser->sizes);
    ix_free(parser->events);
    ix_free(parser);
}
