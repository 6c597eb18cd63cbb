/* The parser of answers: a text in pieces of any size becomes events.  See answer.h.
 *
 *     START --think_start--> REASONING --think_end--> CONTENT <--> CALLS --turn_end--> DONE
 *                                  HEADER <--> BODY                  (harmony)
 *
 * What may yet become a mark is held back, and so is white space that a mark may follow: marks
 * stand on lines of their own, which are no part of the text.
 */
#include "text/answer/format.h"

typedef enum state { START, REASONING, CONTENT, CALLS, HEADER, BODY, DONE } state;

struct ix_answer_parser {
    const ix_answer_format *format;
    ix_answer_sink *sink;
    void *context;
    json_t *tools; /* whose schemas tell the types of arguments, or NULL */
    ix_buffer held;
    state state;
    bool said;   /* of this part: something other than white space */
    bool marked; /* white space in front of what comes belongs to a mark */
    bool waits;  /* for the rest of a call */
    bool final;  /* there comes no more */
    bool called; /* a call was told */
    /* harmony: the message under way */
    ix_answer_part channel;
    ix_buffer recipient, body;
    inox_error *err;
};

static ix_text_view held(const ix_answer_parser *p)
{
    return (ix_text_view){ p->held.data ? p->held.data : "", p->held.size };
}

static void drop(ix_answer_parser *p, size_t n)
{
    if (n == 0)
        return;
    memmove(p->held.data, p->held.data + n, p->held.size - n);
    p->held.size -= n;
}

static inox_status tell(ix_answer_parser *p, ix_answer_part part, ix_text_view text)
{
    static const ix_text_view none = { "", 0 };
    ix_answer_event e = { part, text, none, none, none };
    return text.size == 0 ? INOX_OK : p->sink(p->context, &e, p->err);
}

/* Tells the first n bytes; at the beginning of a part without the white space in front. */
static inox_status tell_held(ix_answer_parser *p, ix_answer_part part, size_t n)
{
    ix_text_view text = { held(p).data, n };
    if (!p->said && (part == IX_ANSWER_REASONING || p->marked)) {
        while (text.size > 0 && is_space(text.data[0]))
            text = behind(text, 1);
    }
    p->said = p->said || trimmed(text).size > 0;
    inox_status status = tell(p, part, text);
    drop(p, n);
    return status;
}

/* Bytes at the end of v that a mark may begin with. */
static size_t beginning_of(ix_text_view v, ix_text_view mark)
{
    size_t n = mark.size == 0 ? 0 : mark.size - 1 < v.size ? mark.size - 1 : v.size;
    while (n > 0 && memcmp(v.data + v.size - n, mark.data, n) != 0)
        n--;
    return n;
}

/* Where the first of the marks stands, and which one; else what can be told already, and -1. */
static int first_mark(const ix_answer_parser *p, const ix_text_view *marks, int count, size_t *at)
{
    ix_text_view v = held(p);
    int which = -1;
    size_t keep = 0;
    *at = v.size;
    for (int i = 0; i < count; i++) {
        const char *found = ix_answer_find(v, marks[i]);
        if (found && (size_t)(found - v.data) < *at) {
            *at = (size_t)(found - v.data);
            which = i;
        }
        size_t n = beginning_of(v, marks[i]);
        keep = n > keep ? n : keep;
    }
    if (p->final || v.size - keep > *at)
        return which;
    /* a longer mark may begin there, or one before it */
    *at = v.size - keep;
    while (*at > 0 && is_space(v.data[*at - 1]))
        (*at)--;
    return -1;
}

static size_t without_space_behind(ix_text_view v, size_t n)
{
    while (n > 0 && is_space(v.data[n - 1]))
        n--;
    return n;
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Each takes a step; *more: another one may follow. */

static inox_status at_start(ix_answer_parser *p, bool *more)
{
    const ix_answer_format *f = p->format;
    ix_text_view v = held(p), text = v;
    while (text.size > 0 && is_space(text.data[0]))
        text = behind(text, 1);
    *more = true;
    if (begins(text, f->think_start)) {
        drop(p, v.size - text.size + f->think_start.size);
        p->state = REASONING;
        return INOX_OK;
    }
    if (begins(text, f->think_end)) { /* no reasoning at all */
        drop(p, v.size - text.size + f->think_end.size);
        p->state = CONTENT;
        p->marked = true;
        return INOX_OK;
    }
    if (!p->final &&
        (text.size == 0 || begins(f->think_start, text) || begins(f->think_end, text))) {
        *more = false;
        return INOX_OK;
    }
    p->state = CONTENT;
    return INOX_OK;
}

static inox_status in_reasoning(ix_answer_parser *p, bool *more)
{
    size_t at;
    int which = first_mark(p, &p->format->think_end, 1, &at);
    *more = which == 0;
    size_t n = which == 0 ? without_space_behind(held(p), at) : at;
    IX_TRY(tell_held(p, IX_ANSWER_REASONING, n));
    if (which == 0) {
        drop(p, at - n + p->format->think_end.size);
        p->state = CONTENT;
        p->said = false;
        p->marked = true;
    }
    return INOX_OK;
}

/* The first line of a mark: models write "Action: ```json" where the template has a line end. */
static ix_text_view first_line(ix_text_view mark)
{
    const char *end = mark.size > 0 ? memchr(mark.data, '\n', mark.size) : NULL;
    return end ? (ix_text_view){ mark.data, (size_t)(end - mark.data) } : mark;
}

/* What tells that calls begin. */
static ix_text_view opening(const ix_answer_format *f)
{
    return f->section_start.size > 0 ? first_line(f->section_start) : f->call_start;
}

/* Where nothing opens calls, an answer that begins as an object may be one. */
static bool may_be_call(const ix_answer_parser *p)
{
    ix_text_view v = held(p);
    size_t start = 0;
    while (start < v.size && is_space(v.data[start]))
        start++;
    return !p->said && p->format->syntax == CALLS_JSON && opening(p->format).size == 0 &&
           start < v.size && v.data[start] == '{';
}

static inox_status in_content(ix_answer_parser *p, bool *more)
{
    const ix_answer_format *f = p->format;
    enum { OPENING, BARE, CONTENT_START, CONTENT_END, TURN_END, CALL_TURN_END, MARKS };
    const ix_text_view marks[MARKS] = { opening(f),     f->bare_start, f->content_start,
                                        f->content_end, f->turn_end,   f->call_turn_end };
    size_t at;
    *more = true;
    if (may_be_call(p)) {
        p->state = CALLS;
        return INOX_OK;
    }
    int which = first_mark(p, marks, p->called ? MARKS : CALL_TURN_END, &at);
    *more = which >= 0;
    size_t n = which < 0 || which == CONTENT_START ? at : without_space_behind(held(p), at);
    IX_TRY(tell_held(p, IX_ANSWER_CONTENT, n));
    if (which == TURN_END || which == CALL_TURN_END)
        p->state = DONE;
    else if (which == OPENING || which == BARE)
        p->state = CALLS;
    else if (which >= 0)
        drop(p, at - n + marks[which].size);
    return INOX_OK;
}

/* Bytes of one of the mark's tags or lines that text begins with.  *cut: text is the beginning of
 * one. */
static size_t skipped(ix_text_view text, ix_text_view mark, bool *cut)
{
    while (mark.size > 0) {
        ix_text_view tag = first_line(mark);
        const char *end = memchr(tag.data, '>', tag.size);
        if (end)
            tag.size = (size_t)(end - tag.data) + 1;
        if (begins(text, tag))
            return tag.size;
        *cut = *cut || begins(tag, text);
        mark = trimmed(behind(mark, tag.size));
    }
    return 0;
}

/* What stands between calls.  *cut: text may yet become a mark. */
static size_t between_calls(const ix_answer_parser *p, ix_text_view v, bool *cut)
{
    const ix_answer_format *f = p->format;
    const ix_text_view marks[] = { f->section_start, f->bare_start, f->call_end, f->section_end };
    size_t at = 0;
    *cut = false;
    while (at < v.size) {
        ix_text_view text = behind(v, at);
        size_t n = is_space(v.data[at]);
        if (n == 0 && begins(text, f->call_start))
            return at;
        if (n == 0 && !p->final && begins(f->call_start, text)) { /* before what it begins with */
            *cut = true;
            return at;
        }
        for (int i = 0; i < 4 && n == 0 && (!*cut || p->final); i++)
            n = skipped(text, marks[i], cut);
        if (n == 0 && !*cut && in_list(f) &&
            strchr(f->bare_start.size > 0 ? "[],;" : "[],", v.data[at]))
            n = 1;
        if (n == 0) {
            *cut = *cut || begins(f->call_start, text);
            return at;
        }
        *cut = false;
        at += n;
    }
    return at;
}

static inox_status tell_call(ix_answer_parser *p, const answer_call *call)
{
    ix_answer_event e = { IX_ANSWER_CALL,
                          { "", 0 },
                          call->name,
                          call->id,
                          { call->arguments.data, call->arguments.size } };
    return p->sink(p->context, &e, p->err);
}

/* What looked like a call is text: its mark at least is told, so that it is not met again. */
static inox_status call_is_text(ix_answer_parser *p)
{
    ix_text_view mark = opening(p->format);
    size_t n = begins(held(p), mark) ? mark.size : held(p).size > 0;
    p->said = true;
    p->state = CONTENT;
    return tell_held(p, IX_ANSWER_CONTENT, p->final ? held(p).size : n);
}

static inox_status in_calls(ix_answer_parser *p, bool *more)
{
    const ix_answer_format *f = p->format;
    ix_text_view v = held(p);
    bool cut;
    size_t at = between_calls(p, v, &cut), size = 0;
    *more = false;
    if ((cut || at == v.size) && !p->final)
        return INOX_OK;
    *more = true;
    if (at == v.size) {
        drop(p, at);
        *more = false;
        return INOX_OK;
    }
    ix_text_view text = behind(v, at);
    if (f->call_start.size > 0 && !begins(text, f->call_start)) {
        if (p->marked)
            drop(p, at);
        p->state = CONTENT;
        p->said = p->marked ? false : p->said;
        return p->marked ? INOX_OK : call_is_text(p);
    }
    call_result result;
    answer_call call;
    IX_TRY(ix_answer_read_call(f, p->tools, behind(text, f->call_start.size), &result, &size, &call,
                               p->err));
    if (result == CALL_COMPLETE) {
        inox_status status = tell_call(p, &call);
        ix_buffer_release(&call.arguments);
        drop(p, at + f->call_start.size + size);
        p->marked = p->called = true;
        return status;
    }
    if (result == CALL_CUT && !p->final) {
        p->waits = true;
        *more = false;
        return INOX_OK;
    }
    if (p->marked && f->call_start.size == 0) { /* text behind the calls */
        drop(p, at);
        p->state = CONTENT;
        p->said = true;
        return INOX_OK;
    }
    return call_is_text(p);
}

/* ---- harmony --------------------------------------------------------------------------------- */

/* <|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{...}<|call|>
 * https://cookbook.openai.com/articles/openai-harmony */

static inox_status in_header(ix_answer_parser *p, bool *more)
{
    static const ix_text_view MESSAGE = { "<|message|>", 11 }, TO = { "to=", 3 },
                              OPEN = { "<|", 2 }, FUNCTIONS = { "functions.", 10 },
                              ANALYSIS = { "analysis", 8 };
    ix_text_view v = held(p), text = v;
    while (text.size > 0 && is_space(text.data[0]))
        text = behind(text, 1);
    bool header_begins =
        begins(text, OPEN) || begins(text, TO) || begins(OPEN, text) || begins(TO, text);
    if (text.size > 0 && !header_begins) {
        p->state = CONTENT; /* no header at all */
        *more = true;
        return INOX_OK;
    }
    const char *end = ix_answer_find(v, MESSAGE);
    *more = end != NULL || p->final;
    if (!end) {
        p->state = p->final ? CONTENT : HEADER;
        return INOX_OK;
    }
    ix_text_view header = { v.data, (size_t)(end - v.data) };
    const char *to = ix_answer_find(header, TO);
    p->channel = ix_answer_find(header, ANALYSIS) ? IX_ANSWER_REASONING : IX_ANSWER_CONTENT;
    p->recipient.size = p->body.size = 0;
    if (to) {
        ix_text_view name = { to + 3, (size_t)(end - to) - 3 };
        name = begins(name, FUNCTIONS) ? behind(name, FUNCTIONS.size) : name;
        p->channel = IX_ANSWER_CALL;
        IX_TRY(ix_buffer_append(&p->recipient, name.data, ix_answer_name(name), p->err));
    }
    drop(p, header.size + MESSAGE.size);
    p->state = BODY;
    p->said = true;
    return INOX_OK;
}

static inox_status end_body(ix_answer_parser *p)
{
    if (p->channel != IX_ANSWER_CALL)
        return INOX_OK;
    answer_call call = { { p->recipient.data ? p->recipient.data : "", p->recipient.size },
                         { "", 0 },
                         p->body };
    ix_text_view body = trimmed((ix_text_view){ p->body.data ? p->body.data : "", p->body.size });
    if (call.name.size == 0 || body.size == 0 || ix_answer_json(body) != body.size)
        return tell(p, IX_ANSWER_CONTENT, body);
    return tell_call(p, &call);
}

static inox_status in_body(ix_answer_parser *p, bool *more)
{
    static const ix_text_view ENDS[] = {
        { "<|end|>", 7 }, { "<|return|>", 10 }, { "<|call|>", 8 }, { "<|start|>", 9 }
    };
    size_t at;
    int which = first_mark(p, ENDS, 4, &at);
    *more = which >= 0;
    if (p->channel == IX_ANSWER_CALL) {
        IX_TRY(ix_buffer_append(&p->body, held(p).data, at, p->err));
        drop(p, at);
    } else {
        IX_TRY(tell_held(p, p->channel, at));
    }
    if (which < 0)
        return p->final ? end_body(p) : INOX_OK;
    drop(p, which == 3 ? 0 : ENDS[which].size);
    p->state = HEADER;
    return end_body(p);
}

/* ---- the parser ------------------------------------------------------------------------------ */

static inox_status run(ix_answer_parser *p)
{
    for (bool more = true; more && (p->held.size > 0 || p->final);) {
        size_t before = p->held.size;
        state was = p->state;
        switch (p->state) {
        case START: IX_TRY(at_start(p, &more)); break;
        case REASONING: IX_TRY(in_reasoning(p, &more)); break;
        case CONTENT: IX_TRY(in_content(p, &more)); break;
        case CALLS: IX_TRY(in_calls(p, &more)); break;
        case HEADER: IX_TRY(in_header(p, &more)); break;
        case BODY: IX_TRY(in_body(p, &more)); break;
        case DONE: drop(p, p->held.size); break;
        }
        if (p->held.size == before && p->state == was)
            more = false;
    }
    return INOX_OK;
}

inox_status ix_answer_parser_new(const ix_answer_format *f, ix_text_view prompt,
                                 ix_answer_sink *sink, void *context, ix_answer_parser **out,
                                 inox_error *err)
{
    *out = NULL;
    IX_TRY(IX_ALLOC(out, 1, err));
    ix_text_view end = trimmed(prompt);
    bool thinking = f->think_start.size > 0 && end.size >= f->think_start.size &&
                    begins(behind(end, end.size - f->think_start.size), f->think_start);
    **out = (ix_answer_parser){ .format = f,
                                .sink = sink,
                                .context = context,
                                .state = f->harmony ? HEADER
                                         : thinking ? REASONING
                                                    : START };
    return INOX_OK;
}

inox_status ix_answer_parser_tools(ix_answer_parser *p, ix_text_view tools, inox_error *err)
{
    json_t *read;
    IX_TRY(ix_answer_tools(tools, &read, err));
    json_decref(p->tools);
    p->tools = read;
    return INOX_OK;
}

inox_status ix_answer_push(ix_answer_parser *p, const char *text, size_t size, inox_error *err)
{
    p->err = err;
    IX_TRY(ix_buffer_append(&p->held, text, size, err));
    /* A call is looked at again when something that can end it has come. */
    bool ends = false;
    for (size_t i = 0; i < size && p->waits; i++)
        ends = ends || strchr("}>])", text[i]);
    if (p->waits && !ends)
        return INOX_OK;
    p->waits = false;
    return run(p);
}

inox_status ix_answer_finish(ix_answer_parser *p, inox_error *err)
{
    p->err = err;
    p->final = true;
    return run(p);
}

bool ix_answer_ended(const ix_answer_parser *p)
{
    return p->state == DONE;
}

void ix_answer_parser_free(ix_answer_parser *p)
{
    if (!p)
        return;
    json_decref(p->tools);
    ix_buffer_release(&p->held);
    ix_buffer_release(&p->recipient);
    ix_buffer_release(&p->body);
    ix_free(p);
}
