/* Learning from a template how its model writes answers.  See answer.h.
 *
 * Every probe is a word that no template contains.  Two renderings that differ in one thing show by
 * their common beginning where that thing is written:
 *
 *     user, answer "C"            ... <|im_start|>assistant\n C <|im_end|>
 *     user, answer "C" behind R   ... <|im_start|>assistant\n <think>\n R \n</think>\n C <|im_end|>
 *     user, two calls             ... <|im_start|>assistant\n <tool_call>\n{"name": "F", ...
 */
#include "text/answer/format.h"

#include <jansson.h>

#define CONTENT "inoxcontent"
#define REASON "inoxreason"
#define NAME_A "inoxfa"
#define NAME_B "inoxfb"
#define KEY_A "inoxka"
#define KEY_B "inoxkb"
#define VALUE_A "inoxva"
#define VALUE_B "31337"
#define VALUE_C "inoxvc"
#define ID_A "inoxcall1"
#define ID_B "inoxcall2"

#define TOOL(name)                                                                                 \
    "{\"type\":\"function\",\"function\":{\"name\":\"" name "\",\"description\":\"d\","            \
    "\"parameters\":{\"type\":\"object\",\"properties\":{"                                         \
    "\"" KEY_A "\":{\"type\":\"string\",\"description\":\"d\"},"                                   \
    "\"" KEY_B "\":{\"type\":\"integer\",\"description\":\"d\"}},\"required\":[\"" KEY_A "\"]}}}"
#define CALL(name, id, arguments)                                                                  \
    "{\"type\":\"function\",\"id\":\"" id "\",\"function\":{\"name\":\"" name                      \
    "\",\"arguments\":{" arguments "}}}"
#define CALL_A CALL(NAME_A, ID_A, "\"" KEY_A "\":\"" VALUE_A "\",\"" KEY_B "\":" VALUE_B)
#define CALL_B CALL(NAME_B, ID_B, "\"" KEY_A "\":\"" VALUE_C "\"")
/* Some templates take arguments as a text of JSON only. */
#define TEXT_CALL(name, id, arguments)                                                             \
    "{\"type\":\"function\",\"id\":\"" id "\",\"function\":{\"name\":\"" name                      \
    "\",\"arguments\":\"{" arguments "}\"}}"
#define TEXT_CALL_A                                                                                \
    TEXT_CALL(NAME_A, ID_A, "\\\"" KEY_A "\\\": \\\"" VALUE_A "\\\", \\\"" KEY_B "\\\": " VALUE_B)
#define TEXT_CALL_B TEXT_CALL(NAME_B, ID_B, "\\\"" KEY_A "\\\": \\\"" VALUE_C "\\\"")

#define ANSWER(content, more) ",{\"role\":\"assistant\",\"content\":" content more "}"
#define REASONED                                                                                   \
    ",\"reasoning_content\":\"" REASON "\",\"reasoning\":\"" REASON "\",\"thinking\":\"" REASON "\""

/* Renderings of one template. */
typedef struct lesson {
    const ix_template *template;
    ix_text_view source;
    ix_answer_format *format;
    ix_buffer prompt;  /* without the generation prompt */
    ix_buffer content; /* with the answer CONTENT */
    size_t header;     /* of `content`: where the answer's turn begins */
    size_t at;         /* of `content`: where CONTENT stands */
    inox_error *err;
} lesson;

static ix_text_view view_of(const ix_buffer *b)
{
    return (ix_text_view){ b->data ? b->data : "", b->size };
}

static ix_text_view part(ix_text_view v, size_t start, size_t end)
{
    return (ix_text_view){ v.data + start, end - start };
}

static ix_text_view of(const char *text)
{
    return (ix_text_view){ text, strlen(text) };
}

/* Offset of `word` in v from `from` on; SIZE_MAX: not there. */
static size_t find_from(ix_text_view v, size_t from, const char *word)
{
    return ix_answer_find_from(v, from, of(word));
}

static size_t find(ix_text_view v, const char *word)
{
    return find_from(v, 0, word);
}

/* A copy without white space around it that lives as long as the format. */
static inox_status keep(lesson *l, ix_text_view *to, ix_text_view mark)
{
    char *copy;
    mark = trimmed(mark);
    IX_TRY(ix_arena_strndup(&l->format->arena, mark.data, mark.size, &copy, l->err));
    *to = (ix_text_view){ copy, mark.size };
    return INOX_OK;
}

/* ---- rendering ------------------------------------------------------------------------------- */

/* Renders user, `answer` (", {...}" or ""); what the template refuses gives an empty text.  Some
 * templates need tools, some know none. */
static inox_status render(lesson *l, const char *answer, bool prompt, ix_buffer *out)
{
    static const char TOOLS[] = "[" TOOL(NAME_A) "," TOOL(NAME_B) "]";
    const char *tools[] = { TOOLS, "null" };
    out->size = 0;
    for (int i = 0; i < 2; i++) {
        ix_buffer variables = { 0 };
        ix_template_result result;
        inox_status status = ix_buffer_printf(
            &variables, l->err,
            "{\"messages\":[{\"role\":\"user\",\"content\":\"inoxuser\"}%s],\"tools\":%s,"
            "\"documents\":null,\"bos_token\":\"\",\"eos_token\":\"\","
            "\"functions\":\"\",\"datetime\":\"\"," /* firefunction */
            "\"add_generation_prompt\":%s}",
            answer, tools[i], prompt ? "true" : "false");
        if (status == INOX_OK)
            status = ix_template_render(l->template, variables.data, variables.size, NULL, &result,
                                        l->err);
        ix_buffer_release(&variables);
        if (status == INOX_E_MEMORY)
            return status;
        if (status != INOX_OK)
            continue;
        status = ix_buffer_append(out, result.text, result.size, l->err);
        ix_template_result_release(&result);
        return status;
    }
    return INOX_OK;
}

/* ---- marks ----------------------------------------------------------------------------------- */

static bool opens_tag(char c)
{
    return c == '<' || c == '[';
}

/* Where the tag begins that `at` is inside of: "<tool_ca|ll>"; else `at`. */
static size_t before_tag(ix_text_view v, size_t at)
{
    for (size_t i = at; i-- > 0;) {
        size_t n = ix_answer_long_tag(behind(v, i));
        if (n > 0 && at - i < n)
            return i;
        if (n > 0)
            break;
    }
    for (size_t i = at; i > 0; i--) {
        if (ix_answer_closes_tag(v.data[i - 1]) || is_space(v.data[i - 1]))
            return at;
        if (opens_tag(v.data[i - 1]))
            return i - 1;
    }
    return at;
}

static size_t common_beginning(ix_text_view a, ix_text_view b)
{
    size_t n = 0;
    while (n < a.size && n < b.size && a.data[n] == b.data[n])
        n++;
    return n;
}

static size_t common_end(ix_text_view a, ix_text_view b)
{
    size_t n = 0;
    while (n < a.size && n < b.size && a.data[a.size - 1 - n] == b.data[b.size - 1 - n])
        n++;
    return n;
}

/* Bytes at the end of `a` that `b` ends in, too: whole tags. */
static size_t common_marks(ix_text_view a, ix_text_view b)
{
    size_t start = a.size - common_end(a, b), tag = before_tag(a, start);
    if (tag != start && ix_answer_long_tag(behind(a, tag)) > 0) {
        start = tag + ix_answer_long_tag(behind(a, tag));
    } else if (tag != start) {
        while (start < a.size && !ix_answer_closes_tag(a.data[start]))
            start++;
        start += start < a.size;
    }
    return a.size - start;
}

/* The first tag of v, with what stands before it: "</think>" of "</think><|START_TEXT|>". */
static ix_text_view first_tag(ix_text_view v)
{
    v = trimmed(v);
    return part(v, 0, ix_answer_tag(v));
}

/* The last line of v, or the tag at its end. */
static ix_text_view last_mark(ix_text_view v)
{
    v = trimmed(v);
    size_t start = v.size, whole = v.size > 0 ? before_tag(v, v.size - 1) : 0;
    if (whole < v.size && ix_answer_long_tag(behind(v, whole)) == v.size - whole)
        return behind(v, whole);
    bool tag = v.size > 0 && ix_answer_closes_tag(v.data[v.size - 1]);
    while (start > 0 && v.data[start - 1] != '\n' && !(tag && opens_tag(v.data[start])))
        start--;
    return part(v, start, v.size);
}

/* Trimmed v without the mark that it may begin with. */
static ix_text_view behind_mark(ix_text_view v, ix_text_view mark)
{
    return begins(v, mark) ? trimmed(behind(v, mark.size)) : v;
}

/* Trimmed v without the reasoning in front, which may be an empty one. */
static ix_text_view behind_reasoning(const ix_answer_format *f, ix_text_view v)
{
    size_t end = ix_answer_find_from(v, 0, f->think_end);
    return end == SIZE_MAX ? v : trimmed(behind(v, end + f->think_end.size));
}

/* Most close as they open; "[e~[" is one, too. */
static bool is_tag(ix_text_view v)
{
    return v.size > 2 && opens_tag(v.data[0]) &&
           (ix_answer_closes_tag(v.data[v.size - 1]) || opens_tag(v.data[v.size - 1]));
}

/* ---- reasoning ------------------------------------------------------------------------------- */

/* What opens reasoning that stands at `reason` in v.  Where it is what opens every answer, the end
 * of the generation prompt knows more. */
static inox_status learn_think_start(lesson *l, ix_text_view v, size_t reason)
{
    ix_text_view content = view_of(&l->content);
    size_t same = common_beginning(part(v, 0, reason), part(content, 0, l->at));
    ix_text_view start = trimmed(part(v, before_tag(v, same), reason));
    if (start.size == 0)
        start = last_mark(part(v, l->header, reason));
    ix_text_view before = last_mark(part(content, l->header, l->at));
    if (start.size != before.size || !begins(start, before))
        return keep(l, &l->format->think_start, start);
    ix_buffer prompt = { 0 };
    inox_status status = render(l, "", true, &prompt);
    if (status == INOX_OK)
        status = keep(l, &l->format->think_start, last_mark(view_of(&prompt)));
    ix_buffer_release(&prompt);
    return status;
}

static inox_status learn_reasoning(lesson *l)
{
    ix_answer_format *f = l->format;
    ix_buffer text = { 0 };
    inox_status status = render(l, ANSWER("\"" CONTENT "\"", REASONED), false, &text);
    ix_text_view v = view_of(&text), content = view_of(&l->content);
    size_t reason = find(v, REASON);
    size_t end = reason == SIZE_MAX ? SIZE_MAX : find_from(v, reason, CONTENT);
    if (status == INOX_OK && end != SIZE_MAX && reason >= l->header) {
        ix_text_view between = trimmed(part(v, reason + strlen(REASON), end));
        ix_text_view mark = first_tag(between);
        status = learn_think_start(l, v, reason);
        if (status == INOX_OK)
            status = keep(l, &f->think_end, mark);
        if (status == INOX_OK)
            status = keep(l, &f->content_start, behind(between, mark.size));
        if (status == INOX_OK && f->content_start.size > 0)
            status = keep(l, &f->content_end, first_tag(behind(content, l->at + strlen(CONTENT))));
    }
    ix_buffer_release(&text);
    return status;
}

/* What stands between the generation prompt and the content of every answer. */
static inox_status learn_content_start(lesson *l)
{
    ix_answer_format *f = l->format;
    ix_text_view content = part(view_of(&l->content), 0, l->at);
    ix_buffer text = { 0 };
    inox_status status = render(l, "", true, &text);
    ix_text_view prompt = view_of(&text);
    size_t same = common_beginning(prompt, content);
    bool whole = trimmed(behind(prompt, same)).size == 0;
    same = before_tag(content, same);
    bool thinks = begins(trimmed(behind(prompt, same)), f->think_start);
    ix_text_view mark = trimmed(behind(content, same > l->header ? same : l->header));
    mark = behind_reasoning(f, mark);
    if (status == INOX_OK && (whole || thinks) && is_tag(mark)) {
        status = keep(l, &f->content_start, mark);
    } else if (status == INOX_OK && same == prompt.size && mark.size > 0) {
        /* a recipient behind what begins every part of an answer: ">>>", "all" */
        ix_text_view start = last_mark(prompt);
        while (start.size > 0 && opens_tag(start.data[0]) && ix_answer_tag(start) < start.size)
            start = behind(start, ix_answer_tag(start));
        mark = part(content, (size_t)(start.data - prompt.data), content.size);
        status = keep(l, &f->content_start, mark);
    }
    ix_buffer_release(&text);
    return status;
}

/* What the template writes behind every answer. */
static inox_status learn_turn_end(lesson *l)
{
    ix_answer_format *f = l->format;
    ix_text_view tail = trimmed(behind(view_of(&l->content), l->at + strlen(CONTENT)));
    tail = first_tag(behind_mark(tail, f->content_end));
    return is_tag(tail) ? keep(l, &f->turn_end, tail) : INOX_OK;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* The turn that holds two calls (one, where the template refuses two), and where they lie in it. */
typedef struct calls {
    ix_text_view text;   /* from where the calls begin to the end of the turn */
    size_t name, name_b; /* of the first; of the second or SIZE_MAX */
    size_t start, end;   /* what varies: the object, or from the name on */
    size_t start_b, end_b;
} calls;

static json_t *object_at(ix_text_view v, size_t at)
{
    size_t n = ix_answer_json(behind(v, at));
    return n == 0 ? NULL : json_loadb(v.data + at, n, 0, NULL);
}

static const char *key_of(const json_t *object, const char *wanted)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (json_is_string(value) && strcmp(json_string_value(value), wanted) == 0)
            return key;
    }
    return NULL;
}

/* The object around v.data[at] that has the name as one of its values. */
static json_t *object_around(ix_text_view v, size_t at, const char *name, size_t *start)
{
    for (*start = at; *start > 0;) {
        --*start;
        if (v.data[*start] != '{')
            continue;
        json_t *o = object_at(v, *start);
        if (o && key_of(o, name))
            return o;
        json_decref(o);
    }
    return NULL;
}

static const char *arguments_key(const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (json_object_get(value, KEY_A))
            return key;
    }
    return NULL;
}

static inox_status learn_json(lesson *l, calls *c, bool *found)
{
    ix_answer_format *f = l->format;
    json_t *o = object_around(c->text, c->name, NAME_A, &c->start), *b = NULL;
    const char *arguments = o ? arguments_key(o) : NULL;
    inox_status status = INOX_OK;
    *found = arguments != NULL;
    if (*found) {
        f->syntax = CALLS_JSON;
        c->end = c->start + ix_answer_json(behind(c->text, c->start));
        status = keep(l, &f->name_key, of(key_of(o, NAME_A)));
        if (status == INOX_OK)
            status = keep(l, &f->arguments_key, of(arguments));
        if (c->name_b != SIZE_MAX)
            b = object_around(c->text, c->name_b, NAME_B, &c->start_b);
        if (b && c->start_b >= c->end)
            c->end_b = c->start_b + ix_answer_json(behind(c->text, c->start_b));
        else
            c->name_b = SIZE_MAX;
    }
    json_decref(o);
    json_decref(b);
    return status;
}

/* The id that stands between the name and the arguments. */
static inox_status learn_id(lesson *l, ix_text_view between)
{
    size_t at = find(between, ID_A);
    if (at == SIZE_MAX)
        return INOX_OK;
    IX_TRY(keep(l, &l->format->id_start, part(between, 0, at)));
    return keep(l, &l->format->id_end, first_tag(behind(between, at + strlen(ID_A))));
}

/* A name, then arguments in JSON: *end is behind them. */
static bool named_call(ix_text_view v, size_t name, size_t *arguments, size_t *end)
{
    size_t key = find_from(v, name, "\"" KEY_A "\""), brace = key;
    while (key != SIZE_MAX && brace > name && v.data[brace] != '{')
        brace--;
    size_t n = key == SIZE_MAX || v.data[brace] != '{' ? 0 : ix_answer_json(behind(v, brace));
    *arguments = brace;
    *end = brace + n;
    return n > 0;
}

/* Where a call begins whose id stands in front of its name. */
static size_t id_before(ix_text_view v, size_t from, size_t name, const char *id)
{
    size_t at = find_from(v, from, id);
    return at < name ? at : SIZE_MAX;
}

/* Kimi writes functions.f:0, which is the call's id.  Bytes in front of such a name. */
static size_t named_id(ix_text_view v, size_t name)
{
    size_t end = name + strlen(NAME_A), start = name;
    while (start > 0 && ix_answer_name(part(v, start - 1, start)) == 1)
        start--;
    bool number = end + 1 < v.size && v.data[end] == ':' && v.data[end + 1] == '0';
    return number ? name - start : 0;
}

static inox_status learn_named(lesson *l, calls *c, bool *found)
{
    ix_answer_format *f = l->format;
    ix_text_view v = c->text;
    size_t arguments, arguments_b, id = id_before(v, 0, c->name, ID_A), ahead = 0;
    *found = named_call(v, c->name, &arguments, &c->end);
    if (!*found)
        return INOX_OK;
    f->syntax = CALLS_NAMED;
    if (c->name_b != SIZE_MAX && !named_call(v, c->name_b, &arguments_b, &c->end_b))
        c->name_b = SIZE_MAX;
    f->id_first = id != SIZE_MAX;
    if (f->id_first) {
        c->start = id;
        c->start_b = c->name_b == SIZE_MAX ? SIZE_MAX : id_before(v, c->end, c->name_b, ID_B);
        c->name_b = c->start_b == SIZE_MAX ? SIZE_MAX : c->name_b;
        return keep(l, &f->id_end, part(v, id + strlen(ID_A), c->name));
    }
    ahead = named_id(v, c->name);
    c->start = c->name - ahead;
    c->start_b = c->name_b == SIZE_MAX ? SIZE_MAX : c->name_b - ahead;
    IX_TRY(keep(l, &f->name_start, part(v, c->start, c->name)));
    return learn_id(l, part(v, c->name + strlen(NAME_A), arguments));
}

static size_t behind_bracket(ix_text_view v, size_t from, char bracket)
{
    const char *close = from < v.size ? memchr(v.data + from, bracket, v.size - from) : NULL;
    return close ? (size_t)(close - v.data) + 1 : from;
}

/* Where the element ends whose value stands at `value`. */
static size_t behind_element(const ix_answer_format *f, ix_text_view v, size_t value,
                             ix_text_view key)
{
    size_t mark = 0,
           end = value == SIZE_MAX ? SIZE_MAX : ix_answer_element_end(f, v, value, key, &mark);
    return end == SIZE_MAX ? v.size : end + mark;
}

/* Every argument in marks of its own: text between its parts, from the name to the second value. */
static inox_status learn_parameters(lesson *l, calls *c, bool *found)
{
    ix_answer_format *f = l->format;
    ix_text_view v = c->text;
    size_t key = find_from(v, c->name, KEY_A), value = find_from(v, c->name, VALUE_A);
    size_t key_b = find_from(v, c->name, KEY_B), value_b = find_from(v, c->name, VALUE_B);
    *found = key < value && value < key_b && key_b < value_b && value_b != SIZE_MAX;
    if (!*found)
        return INOX_OK;
    ix_text_view named = part(v, c->name + strlen(NAME_A), key);
    ix_text_view keyed = part(v, key + strlen(KEY_A), value);
    ix_text_view valued = part(v, value + strlen(VALUE_A), key_b);
    ix_text_view keyed_b = part(v, key_b + strlen(KEY_B), value_b);
    c->start = c->name;
    c->start_b = c->name_b;
    c->end = value_b + strlen(VALUE_B);
    if (c->name_b != SIZE_MAX) {
        c->end_b = find_from(v, c->name_b, VALUE_C);
        c->end_b = c->end_b == SIZE_MAX ? v.size : c->end_b + strlen(VALUE_C);
    }
    if (named.size > 0 && (named.data[0] == '{' || named.data[0] == '(')) {
        bool quoted = named.data[0] == '{'; /* f{k:<|"|>v<|"|>}, else f(k='v', n=17) */
        ix_text_view quote = trimmed(keyed);
        f->syntax = quoted ? CALLS_QUOTED : CALLS_PYTHON;
        c->end = behind_bracket(v, c->end, quoted ? '}' : ')');
        c->end_b = behind_bracket(v, c->end_b, quoted ? '}' : ')');
        return quoted ? keep(l, &f->quote, begins(quote, of(":")) ? behind(quote, 1) : quote)
                      : INOX_OK;
    }
    f->syntax = CALLS_PARAMETERS;
    size_t repeated = find(valued, KEY_A);
    if (repeated != SIZE_MAX && keyed.size > 0 &&
        begins(behind(valued, repeated + strlen(KEY_A)), keyed)) {
        f->elements = true; /* <k>v</k> */
        IX_TRY(keep(l, &f->key_start, behind(valued, repeated + strlen(KEY_A) + keyed.size)));
        IX_TRY(keep(l, &f->value_end, part(valued, 0, repeated)));
        IX_TRY(keep(l, &f->key_end, keyed));
        IX_TRY(keep(l, &f->key_end_other, keyed));
        c->end = behind_element(f, v, value_b, of(KEY_B));
        if (c->name_b != SIZE_MAX)
            c->end_b = behind_element(f, v, find_from(v, c->name_b, VALUE_C), of(KEY_A));
        return INOX_OK;
    }
    size_t start = common_marks(valued, named);
    ix_text_view value_end = part(valued, 0, valued.size - start);
    IX_TRY(keep(l, &f->key_start, part(valued, valued.size - start, valued.size)));
    IX_TRY(keep(l, &f->value_end, value_end));
    IX_TRY(keep(l, &f->key_end, keyed));
    IX_TRY(keep(l, &f->key_end_other, keyed_b));
    f->value_on_lines = keyed.size > 0 && keyed.data[keyed.size - 1] == '\n' &&
                        value_end.size > 0 && value_end.data[0] == '\n';
    size_t closed = begins(trimmed(behind(v, c->end)), f->value_end) ? f->value_end.size : 0;
    if (closed > 0)
        c->end = ix_answer_find_from(v, c->end, f->value_end) + closed;
    if (closed > 0 && c->name_b != SIZE_MAX && c->end_b < v.size) {
        size_t end = ix_answer_find_from(v, c->end_b, f->value_end);
        c->end_b = end != SIZE_MAX ? end + closed : c->end_b;
    }
    return INOX_OK;
}

/* What stands around the calls.  JSON objects may be items of a list, whose brackets and commas the
 * parser skips by itself. */
static inox_status learn_around(lesson *l, calls *c)
{
    ix_answer_format *f = l->format;
    if (c->name_b != SIZE_MAX && (c->start_b < c->end || c->end_b > c->text.size))
        c->name_b = SIZE_MAX; /* not laid out as thought */
    ix_text_view before = part(c->text, 0, c->start), tail = behind(c->text, c->end);
    size_t same = 0;
    if (c->name_b != SIZE_MAX) {
        ix_text_view between = part(c->text, c->end, c->start_b);
        same = common_marks(between, before);
        tail = behind(c->text, c->end_b);
        IX_TRY(keep(l, &f->call_end, part(between, 0, between.size - same)));
    } else {
        ix_text_view start = last_mark(before);
        same = start.size > 0 ? (size_t)(before.data + before.size - start.data) : 0;
    }
    ix_text_view section = trimmed(part(before, 0, before.size - same));
    section = behind_reasoning(f, section);
    section = behind_mark(section, f->content_start); /* an empty content */
    section = behind_mark(section, f->content_end);
    if (in_list(f)) {
        if (ix_text_is(f->call_end, ","))
            f->call_end.size = 0;
        while (section.size > 0 && section.data[section.size - 1] == '[')
            section = trimmed(part(section, 0, section.size - 1));
    }
    IX_TRY(keep(l, &f->section_start, section));
    IX_TRY(keep(l, &f->call_start, part(before, before.size - same, before.size)));
    if (c->name_b == SIZE_MAX && f->call_start.size > 0)
        IX_TRY(keep(l, &f->call_end, first_tag(tail)));
    tail = behind_mark(trimmed(tail), f->call_end);
    while (in_list(f) && begins(tail, of("]")))
        tail = trimmed(behind(tail, 1));
    if (f->section_start.size > 0 && !begins(tail, f->turn_end)) {
        IX_TRY(keep(l, &f->section_end, first_tag(tail)));
        tail = trimmed(behind(tail, f->section_end.size));
    }
    tail = first_tag(tail);
    bool other = tail.size != f->turn_end.size || !begins(tail, f->turn_end);
    return other && is_tag(tail) ? keep(l, &f->call_turn_end, tail) : INOX_OK;
}

/* Where the answer with content goes its own way: its mark may begin as that of calls does. */
static size_t content_at(const lesson *l)
{
    ix_text_view mark = l->format->content_start, before = part(view_of(&l->content), 0, l->at);
    before.size = without_space_behind(before, before.size);
    if (before.size < mark.size || !begins(behind(before, before.size - mark.size), mark))
        return l->at;
    return before.size - mark.size;
}

/* Cuts the turn's text where it stops being that of an answer with content. */
static bool find_calls(lesson *l, ix_text_view v, calls *c)
{
    ix_text_view content = view_of(&l->content);
    size_t same = common_beginning(part(content, 0, content_at(l)), v);
    if (same < l->header)
        same = l->header < v.size ? l->header : v.size;
    same = before_tag(v, same);
    *c = (calls){ .text = behind(v, same), .name_b = SIZE_MAX };
    c->name = find(c->text, NAME_A);
    if (c->name != SIZE_MAX)
        c->name_b = find(c->text, NAME_B);
    if (c->name_b < c->name)
        c->name_b = SIZE_MAX;
    return c->name != SIZE_MAX;
}

static inox_status learn_calls(lesson *l)
{
    static const char *const ANSWERS[] = {
        ANSWER("\"\"", ",\"tool_calls\":[" CALL_A "," CALL_B "]"),
        ANSWER("\"\"", ",\"tool_calls\":[" CALL_A "]"),
        ANSWER("null", ",\"tool_calls\":[" CALL_A "," CALL_B "]"),
        ANSWER("null", ",\"tool_calls\":[" CALL_A "]"),
        ANSWER("\"\"", ",\"tool_calls\":[" TEXT_CALL_A "," TEXT_CALL_B "]"),
        ANSWER("\"\"", ",\"tool_calls\":[" TEXT_CALL_A "]"),
    };
    ix_buffer text = { 0 };
    inox_status status = INOX_OK;
    bool found = false;
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS && !found && status == INOX_OK; i++) {
        calls c;
        status = render(l, ANSWERS[i], false, &text);
        if (status != INOX_OK || !find_calls(l, view_of(&text), &c))
            continue;
        status = learn_json(l, &c, &found);
        if (status == INOX_OK && !found)
            status = learn_named(l, &c, &found);
        if (status == INOX_OK && !found)
            status = learn_parameters(l, &c, &found);
        if (status == INOX_OK && found)
            status = learn_around(l, &c);
    }
    ix_buffer_release(&text);
    return status;
}

/* ---- what templates only mention ------------------------------------------------------------- */

#define PYTHON_TAG "<|python_tag|>"
#define END_OF_MESSAGE "<|eom_id|>"

static inox_status take_known_thinking(lesson *l)
{
    static const char *const THINKING[][2] = {
        { "<think>", "</think>" },
        { "<seed:think>", "</seed:think>" },
        { "[THINK]", "[/THINK]" },
        { "<|START_THINKING|>", "<|END_THINKING|>" },
        { "<|channel>thought", "<channel|>" },
    };
    ix_answer_format *f = l->format;
    for (size_t i = 0; i < sizeof THINKING / sizeof *THINKING && f->think_end.size == 0; i++) {
        if (find(l->source, THINKING[i][1]) == SIZE_MAX)
            continue;
        IX_TRY(keep(l, &f->think_start, of(THINKING[i][0])));
        IX_TRY(keep(l, &f->think_end, of(THINKING[i][1])));
    }
    return INOX_OK;
}

static inox_status take_known_marks(lesson *l)
{
    static const struct {
        const char *mention, *start, *end;
        call_syntax syntax;
        const char *call_start, *name_start, *call_end;
    } CALLS[] = {
        { "<|tool_call|>", "<|tool_call|>", "", CALLS_JSON, "", "", "" },
        { "<tool_call>", "<tool_call>", "</tool_call>", CALLS_JSON, "", "", "" },
        { "[TOOL_CALLS]", "[TOOL_CALLS]", "", CALLS_JSON, "", "", "" },
        { "<|START_ACTION|>", "<|START_ACTION|>", "<|END_ACTION|>", CALLS_JSON, "", "", "" },
        { PYTHON_TAG, PYTHON_TAG, "", CALLS_JSON, "", "", "" },
        /* Kimi K2: templates that change a list, which the sandbox refuses */
        { "<|tool_calls_section_begin|>", "<|tool_calls_section_begin|>",
          "<|tool_calls_section_end|>", CALLS_NAMED, "<|tool_call_begin|>", "functions.",
          "<|tool_call_end|>" },
        /* LFM 2: templates that list tools and leave the calls to the content */
        { "<|tool_list_start|>", "<|tool_call_start|>", "<|tool_call_end|>", CALLS_PYTHON, "", "",
          "" },
        { "List of tools: [", "<|tool_call_start|>", "<|tool_call_end|>", CALLS_PYTHON, "", "",
          "" },
    };
    ix_answer_format *f = l->format;
    if (f->content_start.size == 0 && find(l->source, "<response></response>") != SIZE_MAX) {
        IX_TRY(keep(l, &f->content_start, of("<response>")));
        IX_TRY(keep(l, &f->content_end, of("</response>")));
    }
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS && f->syntax == CALLS_NONE; i++) {
        if (find(l->source, CALLS[i].mention) == SIZE_MAX)
            continue;
        f->syntax = CALLS[i].syntax;
        IX_TRY(keep(l, &f->name_key, of("name")));
        IX_TRY(keep(l, &f->arguments_key, of("arguments")));
        IX_TRY(keep(l, &f->section_start, of(CALLS[i].start)));
        IX_TRY(keep(l, &f->section_end, of(CALLS[i].end)));
        IX_TRY(keep(l, &f->call_start, of(CALLS[i].call_start)));
        IX_TRY(keep(l, &f->name_start, of(CALLS[i].name_start)));
        IX_TRY(keep(l, &f->call_end, of(CALLS[i].call_end)));
    }
    bool bare = f->syntax == CALLS_JSON && f->section_start.size == 0 && f->call_start.size == 0;
    if (bare && find(l->source, PYTHON_TAG) != SIZE_MAX) /* Llama 3.1 writes it, or does not */
        IX_TRY(keep(l, &f->bare_start, of(PYTHON_TAG)));
    if (bare && f->call_turn_end.size == 0 && find(l->source, END_OF_MESSAGE) != SIZE_MAX)
        IX_TRY(keep(l, &f->call_turn_end, of(END_OF_MESSAGE)));
    return INOX_OK;
}

static inox_status learn(lesson *l)
{
    if (find(l->source, "<|channel|>") != SIZE_MAX && find(l->source, "<|message|>") != SIZE_MAX) {
        l->format->harmony = true;
        return INOX_OK;
    }
    /* the same with recipients only: " to=user<|message|>...<|eot|>" */
    l->format->harmony = find(l->source, "<|message|>") != SIZE_MAX &&
                         find(l->source, "<|eom|>") != SIZE_MAX &&
                         find(l->source, " to=") != SIZE_MAX;
    IX_TRY(render(l, "", false, &l->prompt));
    IX_TRY(render(l, ANSWER("\"" CONTENT "\"", ""), false, &l->content));
    l->at = find(view_of(&l->content), CONTENT);
    if (l->at != SIZE_MAX) {
        l->header = common_beginning(view_of(&l->prompt), part(view_of(&l->content), 0, l->at));
        l->header = before_tag(view_of(&l->content), l->header);
        IX_TRY(learn_reasoning(l));
        IX_TRY(take_known_thinking(l));
        if (l->format->content_start.size == 0)
            IX_TRY(learn_content_start(l));
        IX_TRY(learn_turn_end(l));
        IX_TRY(learn_calls(l));
    }
    IX_TRY(take_known_thinking(l));
    return take_known_marks(l);
}

inox_status ix_answer_learn(const ix_template *t, ix_answer_format **out, inox_error *err)
{
    ix_answer_format *f = NULL;
    lesson l = { .template = t, .source = ix_template_source(t), .err = err };
    *out = NULL;
    IX_TRY(IX_ALLOC(&f, 1, err));
    l.format = f;
    inox_status status = learn(&l);
    ix_buffer_release(&l.prompt);
    ix_buffer_release(&l.content);
    if (status != INOX_OK)
        ix_answer_format_free(f);
    else
        *out = f;
    return status;
}

void ix_answer_format_free(ix_answer_format *f)
{
    if (!f)
        return;
    ix_arena_release(&f->arena);
    ix_free(f);
}

inox_status ix_answer_describe(const ix_answer_format *f, ix_buffer *out, inox_error *err)
{
    static const char *const SYNTAX[] = { "none",
                                          "JSON objects",
                                          "name and JSON arguments",
                                          "name and marked arguments",
                                          "name and quoted arguments",
                                          "Python" };
    const struct {
        const char *name;
        const ix_text_view *mark;
    } MARKS[] = {
        { "reasoning from", &f->think_start },
        { "reasoning to", &f->think_end },
        { "content from", &f->content_start },
        { "content to", &f->content_end },
        { "answer to", &f->turn_end },
        { "answer with calls to", &f->call_turn_end },
        { "calls from", &f->section_start },
        { "calls to", &f->section_end },
        { "calls perhaps from", &f->bare_start },
        { "call from", &f->call_start },
        { "call to", &f->call_end },
        { "name", &f->name_key },
        { "arguments", &f->arguments_key },
        { "name perhaps from", &f->name_start },
        { "id from", &f->id_start },
        { "id to", &f->id_end },
        { "key from", &f->key_start },
        { "key to", &f->key_end },
        { "key to, if not a string", &f->key_end_other },
        { f->elements ? "value to, with the key" : "value to", &f->value_end },
        { "quotation", &f->quote },
    };
    IX_TRY(ix_buffer_printf(out, err, "calls: %s\n",
                            f->harmony ? "harmony channels" : SYNTAX[f->syntax]));
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++)
        if (MARKS[i].mark->size > 0)
            IX_TRY(ix_buffer_printf(out, err, "%s: %.*s\n", MARKS[i].name, (int)MARKS[i].mark->size,
                                    MARKS[i].mark->data));
    return INOX_OK;
}
