/* The parser of answers: a text in pieces of any size becomes events.  See answer.h.
 *
 *     START --think_start--> REASONING --think_end--> CONTENT <--> CALLS --turn_end--> DONE
 *                                  HEADER <--> BODY                  (harmony)
 *
 * What may yet become a mark is held back, and so is white space that a mark may follow: marks
 * stand on lines of their own, which are no part of the text.
 */
#include "text/answer/format.h"

enum {
    BORROWED_MIN = 3,   /* bytes: fewer are no beginning of a mark */
    PIECE = 512,        /* bytes taken at once */
    TRIED_MAX = 100,    /* openings of calls in reasoning that has no end */
    READ_FREELY = 16384 /* bytes of a call that is read again with every piece */
};

typedef enum state { START, REASONING, CONTENT, CALLS, HEADER, BODY, DONE } state;

struct ix_answer_parser {
    const ix_answer_format *format;
    ix_answer_sink *sink;
    void *context;
    json_t *tools; /* whose schemas tell the types of arguments, or NULL */
    ix_buffer held;
    size_t
        borrowed; /* bytes of `held` that are the prompt's: a mark that the answer goes on with */
    int tried;    /* openings in reasoning that nothing else ended */
    size_t seen;  /* of `held`, while `holds`: what was searched for the end of reasoning */
    state state;
    bool said;   /* of this part: something other than white space */
    bool marked; /* white space in front of what comes belongs to a mark */
    bool waits;  /* for the rest of a call */
    bool ends;   /* something came that can end it */
    size_t read; /* bytes of `held` when it was looked at for that the last time */
    bool holds;  /* reasoning that may be a call: what ends it tells */
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
    p->borrowed -= n < p->borrowed ? n : p->borrowed;
    p->seen = 0;
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
    size_t borrowed = n < p->borrowed ? n : p->borrowed;
    ix_text_view text = { held(p).data + borrowed, n - borrowed };
    if (!p->said && (part == IX_ANSWER_REASONING || p->marked))
        text = behind_space(text);
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
        bool longer = found && which >= 0 && (size_t)(found - v.data) == *at &&
                      marks[i].size > marks[which].size;
        if (found && (longer || (size_t)(found - v.data) < *at)) {
            *at = (size_t)(found - v.data);
            which = i;
        }
        size_t n = beginning_of(v, marks[i]);
        keep = n > keep ? n : keep;
    }
    if (p->final || v.size - keep > *at)
        return which;
    /* a longer mark may begin there, or one before it */
    *at = without_space_behind(v, v.size - keep);
    return -1;
}

/* What opens calls: the first line of the section's mark, calls without their section, and calls
 * without the first line of their mark ("<tool_call>", "<function="). */
enum { OPENING, BARE, CALL, CALL_LINE, OPENINGS };

/* The first line of a mark: models write "Action: ```json" where the template has a line end. */
static ix_text_view first_line(ix_text_view mark)
{
    const char *end = mark.size > 0 ? memchr(mark.data, '\n', mark.size) : NULL;
    return end ? (ix_text_view){ mark.data, (size_t)(end - mark.data) } : mark;
}

static ix_text_view opening(const ix_answer_format *f)
{
    return first_line(f->section_start.size > 0 ? f->section_start : f->call_start);
}

/* The mark, or nothing where plain text may have it. */
static ix_text_view if_strong(ix_text_view mark)
{
    return is_strong(mark) ? mark : (ix_text_view){ "", 0 };
}

static void set_openings(const ix_answer_format *f, ix_text_view *marks)
{
    marks[OPENING] = opening(f);
    marks[BARE] = f->bare_start;
    marks[CALL] = if_strong(first_line(f->call_start));
    marks[CALL_LINE] = if_strong(last_line(f->call_start));
}

/* Bytes of what opens one call at the beginning of text. */
static size_t call_opens(const ix_answer_format *f, ix_text_view text, bool *cut)
{
    size_t n = ix_answer_match(text, f->call_start, cut);
    ix_text_view line = if_strong(last_line(f->call_start));
    if (n > 0 || line.size == 0)
        return n;
    *cut = *cut || begins(line, text);
    return begins(text, line) ? line.size : 0;
}

/* Marks of special tokens, which are never part of what is said. */
static bool is_control(ix_text_view mark)
{
    return mark.size > 2 && memcmp(mark.data, "<|", 2) == 0;
}

static ix_text_view if_control(ix_text_view mark)
{
    return is_control(mark) ? mark : (ix_text_view){ "", 0 };
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Each takes a step; *more: another one may follow. */

static void to_content(ix_answer_parser *p)
{
    p->state = CONTENT;
    p->said = p->holds = false;
    p->marked = true;
}

static inox_status at_start(ix_answer_parser *p, bool *more)
{
    const ix_answer_format *f = p->format;
    ix_text_view v = held(p), text = behind_space(v),
                 tag = { f->think_start.data, ix_answer_tag(f->think_start) };
    if (is_control(tag) && tag.size < f->think_start.size && begins(text, tag)) {
        ix_text_view rest = behind(text, tag.size); /* Gemma's "<|channel><|channel>thought" */
        bool again = begins(rest, f->think_start);
        *more = again;
        if (again)
            drop(p, v.size - rest.size);
        if (again || (!p->final && begins(f->think_start, rest)))
            return INOX_OK;
    }
    *more = true;
    if (begins(text, f->think_start)) {
        drop(p, v.size - text.size + f->think_start.size);
        p->state = REASONING;
        return INOX_OK;
    }
    if (begins(text, f->think_end)) { /* no reasoning at all */
        drop(p, v.size - text.size + f->think_end.size);
        to_content(p);
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

/* What stands between calls.  *cut: text may yet become a mark. */
static size_t between_calls(const ix_answer_parser *p, ix_text_view v, bool *cut);

/* The call in v behind marks: *at is where it begins, *size its bytes.  CALL_CUT: *marks is true if
 * it is the marks that may go on. */
static inox_status next_call(ix_answer_parser *p, ix_text_view v, size_t *at, size_t *size,
                             call_result *result, bool *marks, answer_call *call)
{
    const ix_answer_format *f = p->format;
    bool cut;
    *at = between_calls(p, v, &cut);
    *result = CALL_CUT;
    *marks = (cut || *at == v.size) && !p->final;
    if (*marks)
        return INOX_OK;
    ix_text_view text = behind(v, *at);
    size_t n = call_opens(f, text, &cut);
    *result = CALL_NONE;
    if (f->call_start.size > 0 && n == 0)
        return INOX_OK;
    IX_TRY(ix_answer_read_call(f, p->tools, behind(text, n), result, size, call, p->err));
    *size += n;
    return INOX_OK;
}

/* Whether a call stands at the beginning of v. */
static inox_status is_call(ix_answer_parser *p, ix_text_view v, call_result *result)
{
    answer_call call;
    size_t at, size;
    bool marks;
    IX_TRY(next_call(p, v, &at, &size, result, &marks, &call));
    if (*result == CALL_COMPLETE)
        ix_buffer_release(&call.arguments);
    return INOX_OK;
}

/* True if a mark ends in what `held` got since the last time. */
static bool came(const ix_answer_parser *p, ix_text_view mark)
{
    size_t from = p->seen > mark.size ? p->seen - mark.size : 0;
    return ix_answer_find(behind(held(p), from), mark) != NULL;
}

/* Reasoning goes to its end, and what looks like calls before is part of it.  But some models call
 * without ending it: then the answer's end tells. */
static inox_status in_reasoning(ix_answer_parser *p, bool *more)
{
    const ix_answer_format *f = p->format;
    enum { THINK_END, TURN_END, CONTENT_START, MARKS };
    ix_text_view marks[MARKS + OPENINGS] = { f->think_end, f->turn_end,
                                             if_control(f->content_start) };
    size_t at, open;

    *more = !p->holds || p->final || came(p, f->think_end) || came(p, f->turn_end) ||
            came(p, marks[CONTENT_START]);
    p->seen = held(p).size;
    if (!*more)
        return INOX_OK;
    int end = first_mark(p, marks, MARKS, &at);
    if (end == THINK_END || end == CONTENT_START) {
        size_t n = without_space_behind(held(p), at);
        IX_TRY(tell_held(p, IX_ANSWER_REASONING, n));
        drop(p, at - n + marks[end].size);
        to_content(p);
        return INOX_OK;
    }
    bool ended = end == TURN_END || p->final;
    if (!ended && p->holds)
        return *more = false, INOX_OK;
    set_openings(f, marks + MARKS);
    marks[MARKS + OPENING] = if_strong(marks[MARKS + OPENING]);
    int which = first_mark(p, marks, MARKS + OPENINGS, &open);
    p->tried += ended && which >= MARKS;
    if (which >= MARKS && (!ended || open < at) && p->tried <= TRIED_MAX) {
        call_result result;
        ix_text_view v = behind(held(p), open);
        v.size = ended ? at - open : v.size;
        IX_TRY(is_call(p, v, &result));
        bool holds = result == CALL_COMPLETE || (result == CALL_CUT && !ended);
        IX_TRY(tell_held(p, IX_ANSWER_REASONING,
                         holds ? without_space_behind(held(p), open) : open + marks[which].size));
        p->holds = holds;
        *more = !holds || ended;
        if (holds && ended)
            to_content(p);
        return INOX_OK;
    }
    IX_TRY(tell_held(p, IX_ANSWER_REASONING, ended ? without_space_behind(held(p), at) : open));
    *more = false;
    if (end == TURN_END)
        p->state = DONE;
    return INOX_OK;
}

/* Where nothing opens calls, an answer that begins as an object may be one. */
static bool may_be_call(const ix_answer_parser *p)
{
    ix_text_view text = behind_space(held(p));
    return !p->said && p->format->syntax == CALLS_JSON && opening(p->format).size == 0 &&
           text.size > 0 && (text.data[0] == '{' || text.data[0] == '[');
}

static inox_status in_content(ix_answer_parser *p, bool *more)
{
    const ix_answer_format *f = p->format;
    enum {
        CONTENT_START = OPENINGS,
        CONTENT_END,
        THINK_START,
        THINK_END,
        TURN_END,
        CALL_TURN_END,
        MARKS
    };
    ix_text_view marks[MARKS] = { [CONTENT_START] = f->content_start,
                                  [CONTENT_END] = f->content_end,
                                  [THINK_START] = if_control(f->think_start),
                                  [THINK_END] = is_control(f->think_start)
                                                    ? f->think_end
                                                    : (ix_text_view){ "", 0 },
                                  [TURN_END] = f->turn_end,
                                  [CALL_TURN_END] = f->call_turn_end };
    size_t at;
    *more = true;
    if (may_be_call(p)) {
        p->state = CALLS;
        return INOX_OK;
    }
    set_openings(f, marks);
    int which = first_mark(p, marks, p->called ? MARKS : CALL_TURN_END, &at);
    *more = which >= 0;
    size_t n = which < 0 || which == CONTENT_START ? at : without_space_behind(held(p), at);
    IX_TRY(tell_held(p, IX_ANSWER_CONTENT, n));
    if (which == TURN_END || which == CALL_TURN_END)
        p->state = DONE;
    else if (which >= 0 && which < OPENINGS)
        p->state = CALLS;
    else if (which >= 0)
        drop(p, at - n + marks[which].size);
    if (which == CONTENT_START)
        p->marked = true;
    if (which == THINK_START) {
        p->state = REASONING;
        p->said = false;
    }
    return INOX_OK;
}

/* Bytes of one of the mark's tags or lines that text begins with.  *cut: text is the beginning of
 * one. */
static size_t skipped(ix_text_view text, ix_text_view mark, bool *cut)
{
    while (mark.size > 0) {
        ix_text_view tag = first_line(mark);
        tag.size = ix_answer_tag(tag);
        if (begins(text, tag))
            return tag.size;
        *cut = *cut || begins(tag, text);
        mark = trimmed(behind(mark, tag.size));
    }
    return 0;
}

/* What lists have around their items; and a bracket too many, which models write behind JSON. */
static bool may_stand_between(const ix_answer_parser *p, char c)
{
    const ix_answer_format *f = p->format;
    bool closed = f->syntax == CALLS_JSON && f->call_end.size + f->section_end.size > 0;
    return in_list(f) &&
           (c == '[' || c == ']' || c == ',' || (c == ';' && f->bare_start.size > 0) ||
            (c == '}' && closed && p->called));
}

static size_t between_calls(const ix_answer_parser *p, ix_text_view v, bool *cut)
{
    const ix_answer_format *f = p->format;
    const ix_text_view marks[] = { f->section_start, f->bare_start, f->call_end, f->section_end };
    size_t at = 0;
    *cut = false;
    while (at < v.size) {
        ix_text_view text = behind(v, at);
        size_t n = is_space(v.data[at]);
        bool opens = false;
        if (n == 0 && call_opens(f, text, &opens) > 0)
            return at;
        if (n == 0 && !p->final && opens) { /* before what it begins with */
            *cut = true;
            return at;
        }
        for (int i = 0; i < 4 && n == 0 && (!*cut || p->final); i++)
            n = skipped(text, marks[i], cut);
        n += n == 0 && !*cut && may_stand_between(p, v.data[at]);
        if (n == 0) {
            *cut = *cut || opens;
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

/* Bytes of what opens calls at the beginning of text. */
static size_t opening_at(const ix_answer_format *f, ix_text_view text)
{
    ix_text_view marks[OPENINGS];
    size_t n = 0;
    set_openings(f, marks);
    for (int i = 0; i < OPENINGS; i++)
        if (begins(text, marks[i]) && marks[i].size > n)
            n = marks[i].size;
    return n;
}

/* What looked like a call is text: its mark at least is told, so that it is not met again; all of
 * it where the answer's end cuts it. */
static inox_status call_is_text(ix_answer_parser *p, bool cut)
{
    size_t mark = opening_at(p->format, held(p)), n = mark > 0 ? mark : held(p).size > 0;
    p->said = true;
    p->state = CONTENT;
    return tell_held(p, IX_ANSWER_CONTENT, cut ? held(p).size : n);
}

/* Text behind calls. */
static inox_status call_ends(ix_answer_parser *p, size_t at, bool said)
{
    drop(p, at);
    p->state = CONTENT;
    p->said = said;
    return INOX_OK;
}

static inox_status in_calls(ix_answer_parser *p, bool *more)
{
    const ix_answer_format *f = p->format;
    call_result result;
    answer_call call;
    size_t at, size = 0;
    bool marks;
    IX_TRY(next_call(p, held(p), &at, &size, &result, &marks, &call));
    ix_text_view text = behind(held(p), at);
    *more = true;
    if (result == CALL_COMPLETE) {
        inox_status status = tell_call(p, &call);
        ix_buffer_release(&call.arguments);
        drop(p, at + size);
        p->marked = p->called = true;
        return status;
    }
    if (result == CALL_CUT && !p->final) {
        p->waits = !marks;
        p->read = held(p).size;
        *more = false;
        return INOX_OK;
    }
    if (text.size == 0) {
        drop(p, at);
        *more = false;
        return INOX_OK;
    }
    bool cut = false, opens = f->call_start.size == 0 || call_opens(f, text, &cut) > 0;
    bool again = at == 0 && opening_at(f, text) > 0; /* content would come back here */
    if (p->marked && !again && (!opens || f->call_start.size == 0))
        return call_ends(p, at, opens);
    return call_is_text(p, result == CALL_CUT);
}

/* ---- harmony --------------------------------------------------------------------------------- */

/* <|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{...}<|call|>
 * https://cookbook.openai.com/articles/openai-harmony */

static inox_status in_header(ix_answer_parser *p, bool *more)
{
    static const ix_text_view MESSAGE = { "<|message|>", 11 }, TO = { "to=", 3 },
                              OPEN = { "<|", 2 }, FUNCTIONS = { "functions.", 10 },
                              ANALYSIS = { "analysis", 8 }, SELF = { "assistant", 9 },
                              CHANNEL = { "<|channel|>", 11 };
    ix_text_view v = held(p), text = behind_space(v);
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
    const char *channel = NULL, *next = header.data;
    while ((next = ix_answer_find(behind(header, (size_t)(next - header.data)), CHANNEL)) != NULL)
        channel = next += CHANNEL.size; /* models correct themselves: the last one counts */
    ix_text_view named = channel ? behind(header, (size_t)(channel - header.data)) : header;
    p->channel = begins(trimmed(named), ANALYSIS) ? IX_ANSWER_REASONING : IX_ANSWER_CONTENT;
    p->recipient.size = p->body.size = 0;
    ix_text_view whom = to ? (ix_text_view){ to + TO.size, (size_t)(end - to) - TO.size } : header;
    if (to && !channel && ix_text_is(trimmed(whom), "self")) {
        p->channel = IX_ANSWER_REASONING;
    } else if (to && !begins(whom, SELF) && (channel || !ix_text_is(trimmed(whom), "user"))) {
        ix_text_view name = begins(whom, FUNCTIONS) ? behind(whom, FUNCTIONS.size) : whom;
        p->channel = IX_ANSWER_CALL;
        IX_TRY(ix_buffer_append(&p->recipient, name.data, ix_answer_name(name), p->err));
    }
    drop(p, header.size + MESSAGE.size);
    p->state = BODY;
    p->said = true;
    return INOX_OK;
}

/* The body of a call: a JSON object, or marked arguments behind the name that the header gives. */
static inox_status read_body(ix_answer_parser *p, ix_text_view body, bool *is, answer_call *call)
{
    const ix_answer_format *f = p->format;
    const char *key = ix_answer_find(body, f->key_start);
    size_t size;
    call_result result = CALL_NONE;
    IX_TRY(ix_answer_object(body, &call->arguments, is, p->err));
    if (*is || f->syntax != CALLS_PARAMETERS || !key)
        return INOX_OK;
    ix_buffer_release(&call->arguments);
    ix_text_view rest = behind(body, (size_t)(key - body.data));
    IX_TRY(ix_buffer_append(&p->recipient, "\n", 1, p->err)); /* ends the name */
    IX_TRY(ix_buffer_append(&p->recipient, rest.data, rest.size, p->err));
    IX_TRY(ix_answer_read_call(f, p->tools, (ix_text_view){ p->recipient.data, p->recipient.size },
                               &result, &size, call, p->err));
    *is = result == CALL_COMPLETE;
    return INOX_OK;
}

static inox_status end_body(ix_answer_parser *p)
{
    if (p->channel != IX_ANSWER_CALL)
        return INOX_OK;
    answer_call call = { .name = { p->recipient.data ? p->recipient.data : "", p->recipient.size },
                         .id = { "", 0 } };
    ix_text_view body = trimmed((ix_text_view){ p->body.data ? p->body.data : "", p->body.size });
    bool is = false;
    inox_status status = call.name.size == 0 ? INOX_OK : read_body(p, body, &is, &call);
    if (status == INOX_OK)
        status = is ? tell_call(p, &call) : tell(p, IX_ANSWER_CONTENT, body);
    ix_buffer_release(&call.arguments);
    return status;
}

static inox_status in_body(ix_answer_parser *p, bool *more)
{
    static const ix_text_view ENDS[] = { { "<|start|>", 9 }, { "<|end|>", 7 }, { "<|return|>", 10 },
                                         { "<|call|>", 8 },  { "<|eom|>", 7 }, { "<|eot|>", 7 } };
    size_t at;
    int which = first_mark(p, ENDS, sizeof ENDS / sizeof *ENDS, &at);
    *more = which >= 0;
    if (p->channel == IX_ANSWER_CALL) {
        IX_TRY(ix_buffer_append(&p->body, held(p).data, at, p->err));
        drop(p, at);
    } else {
        IX_TRY(tell_held(p, p->channel, at));
    }
    if (which < 0)
        return p->final ? end_body(p) : INOX_OK;
    drop(p, which == 0 ? 0 : ENDS[which].size);
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

/* Where the prompt ends in what a mark begins with (">>>" of ">>>all"), the answer goes on with the
 * mark. */
static inox_status borrow(ix_answer_parser *p, ix_text_view prompt, inox_error *err)
{
    const ix_answer_format *f = p->format;
    const ix_text_view marks[] = { f->think_start, f->content_start, f->section_start,
                                   f->call_start };
    size_t most = 0;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        for (size_t n = marks[i].size; n >= BORROWED_MIN && n > most; n--)
            if (prompt.size >= n && memcmp(prompt.data + prompt.size - n, marks[i].data, n) == 0)
                most = n;
    p->borrowed = most;
    return most == 0 ? INOX_OK
                     : ix_buffer_append(&p->held, prompt.data + prompt.size - most, most, err);
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
    inox_status status = f->harmony || thinking ? INOX_OK : borrow(*out, end, err);
    if (status != INOX_OK) {
        ix_answer_parser_free(*out);
        *out = NULL;
    }
    return status;
}

inox_status ix_answer_parser_tools(ix_answer_parser *p, ix_text_view tools, inox_error *err)
{
    json_t *read;
    IX_TRY(ix_answer_tools(tools, &read, err));
    json_decref(p->tools);
    p->tools = read;
    return INOX_OK;
}

static inox_status push_piece(ix_answer_parser *p, const char *text, size_t size)
{
    IX_TRY(ix_buffer_append(&p->held, text, size, p->err));
    /* A call is looked at again when something that can end it has come; a long one when it has
     * grown by a part, so that the time stays linear. */
    for (size_t i = 0; i < size && p->waits && !p->ends; i++)
        p->ends = memchr("}>])", text[i], 4) != NULL;
    bool grown = p->held.size < READ_FREELY || p->held.size - p->read >= p->read / 16;
    if (p->waits && (!p->ends || !grown))
        return INOX_OK;
    p->ends = false;
    p->waits = false;
    return run(p);
}

inox_status ix_answer_push(ix_answer_parser *p, const char *text, size_t size, inox_error *err)
{
    p->err = err;
    for (size_t at = 0; at < size; at += PIECE) /* what is held is moved and searched often */
        IX_TRY(push_piece(p, text + at, size - at < PIECE ? size - at : PIECE));
    return INOX_OK;
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
