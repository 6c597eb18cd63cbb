/* One tool call out of what a model wrote.  See answer.h for the syntaxes. */
#include "text/answer/format.h"

enum { NAME_TO_ARGUMENTS_MAX = 256 }; /* bytes between them: marks, an id */

const char *ix_answer_find(ix_text_view text, ix_text_view mark)
{
    if (mark.size == 0)
        return NULL;
    for (const char *p = text.data, *end = text.data + text.size; p < end; p++) {
        p = memchr(p, mark.data[0], (size_t)(end - p));
        if (!p || (size_t)(end - p) < mark.size)
            return NULL;
        if (memcmp(p, mark.data, mark.size) == 0)
            return p;
    }
    return NULL;
}

size_t ix_answer_find_from(ix_text_view text, size_t from, ix_text_view mark)
{
    const char *p = from <= text.size ? ix_answer_find(behind(text, from), mark) : NULL;
    return p ? (size_t)(p - text.data) : SIZE_MAX;
}

size_t ix_answer_match(ix_text_view text, ix_text_view mark, bool *cut)
{
    size_t at = 0;
    for (size_t i = 0; i < mark.size; i++) {
        bool space = is_space(mark.data[i]);
        bool tags_meet = i > 0 && mark.data[i - 1] == '>' && mark.data[i] == '<';
        while ((space || tags_meet) && at < text.size && is_space(text.data[at]))
            at++;
        if (space)
            continue;
        if (at == text.size || text.data[at] != mark.data[i]) {
            *cut = *cut || at == text.size;
            return 0;
        }
        at++;
    }
    return at;
}

size_t ix_answer_long_tag(ix_text_view v)
{
    static const ix_text_view OPEN = { "<|open|>", 8 }, CLOSE = { "<|close|>", 9 },
                              SEP = { "<|sep|>", 7 };
    if (!begins(v, OPEN) && !begins(v, CLOSE))
        return 0;
    const char *end = ix_answer_find(v, SEP);
    return end ? (size_t)(end - v.data) + SEP.size : 0;
}

size_t ix_answer_tag(ix_text_view v)
{
    for (size_t i = 0; i < v.size; i++) {
        size_t n = v.data[i] == '<' ? ix_answer_long_tag(behind(v, i)) : 0;
        size_t token = ix_answer_tag_token(behind(v, i));
        if (token > 0) {
            i += token - 1;
            continue;
        }
        if (n > 0 || ix_answer_closes_tag(v.data[i]))
            return i + (n > 0 ? n : 1);
    }
    return v.size;
}

size_t ix_answer_name(ix_text_view text)
{
    size_t n = 0;
    for (; n < text.size; n++) {
        char c = text.data[n];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.'))
            break;
    }
    return n;
}

/* Bytes of the string that text begins with, quotation marks included; 0: it does not end. */
static size_t string_size(ix_text_view text)
{
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == '"')
            return i + 1;
    }
    return 0;
}

size_t ix_answer_json(ix_text_view text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '"') {
            size_t n = string_size(behind(text, i));
            if (n == 0)
                return 0;
            i += n - 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

static bool is_json(ix_text_view text)
{
    json_t *v = json_loadb(text.data, text.size, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    json_decref(v);
    return v != NULL;
}

inox_status ix_answer_append_string(ix_buffer *out, ix_text_view text, inox_error *err)
{
    IX_TRY(ix_buffer_append(out, "\"", 1, err));
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            IX_TRY(ix_buffer_printf(out, err, "\\%c", c));
        else if (c == '\n')
            IX_TRY(ix_buffer_append(out, "\\n", 2, err));
        else if (c < 0x20)
            IX_TRY(ix_buffer_printf(out, err, "\\u%04x", c));
        else
            IX_TRY(ix_buffer_append(out, text.data + i, 1, err));
    }
    return ix_buffer_append(out, "\"", 1, err);
}

/* ---- {"name": "f", "arguments": {...}} ------------------------------------------------------- */

/* The bytes of a member's value, so that numbers of any size stay as they are written; false: there
 * is no such member, and *value is as it was. */
static bool member(ix_text_view object, ix_text_view key, ix_text_view *value)
{
    for (size_t i = 1; i < object.size; i++) {
        if (object.data[i] != '"')
            continue;
        size_t n = string_size(behind(object, i)), at = i + n;
        while (at < object.size && is_space(object.data[at]))
            at++;
        bool wanted = n == key.size + 2 && memcmp(object.data + i + 1, key.data, key.size) == 0;
        if (at >= object.size || object.data[at] != ':') { /* a value that nobody asked for */
            i += n - 1;
            continue;
        }
        do
            at++;
        while (at < object.size && is_space(object.data[at]));
        ix_text_view rest = behind(object, at);
        char c = rest.size > 0 ? rest.data[0] : 0;
        size_t size = c == '"'               ? string_size(rest)
                      : c == '{' || c == '[' ? ix_answer_json(rest)
                                             : 0;
        while (size == 0 && at < object.size && object.data[at] != ',' && object.data[at] != '}')
            at++;
        rest.size = size > 0 ? size : (size_t)(object.data + at - rest.data);
        if (wanted) {
            *value = rest;
            return true;
        }
        i = (size_t)(rest.data - object.data) + rest.size - 1;
    }
    return false;
}

static bool member_named(ix_text_view object, const char *key, ix_text_view *value)
{
    return member(object, (ix_text_view){ key, strlen(key) }, value);
}

/* The text between the quotation marks of a value without escapes: names and ids have none. */
static bool plain_string(ix_text_view value, ix_text_view *out)
{
    if (value.size < 2 || value.data[0] != '"' || memchr(value.data, '\\', value.size))
        return false;
    *out = (ix_text_view){ value.data + 1, value.size - 2 };
    return true;
}

/* JSON, but in strings models write new lines as they are. */
static inox_status append_json(ix_buffer *out, ix_text_view text, inox_error *err)
{
    bool inside = false;
    size_t told = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        inside = c == '"' ? !inside : inside;
        if (inside && c == '\\') {
            i++;
        } else if (inside && c < 0x20) {
            IX_TRY(ix_buffer_append(out, text.data + told, i - told, err));
            IX_TRY(ix_buffer_printf(out, err, c == '\n' ? "\\n" : "\\u%04x", c));
            told = i + 1;
        }
    }
    return ix_buffer_append(out, text.data + told, text.size - told, err);
}

inox_status ix_answer_object(ix_text_view text, ix_buffer *out, bool *is, inox_error *err)
{
    *is = false;
    if (text.size == 0 || text.data[0] != '{')
        return INOX_OK;
    IX_TRY(append_json(out, text, err));
    *is = is_json((ix_text_view){ out->data, out->size });
    return INOX_OK;
}

static inox_status is_nearly_json(ix_text_view text, bool *is, inox_error *err)
{
    ix_buffer copy = { 0 };
    inox_status status = append_json(&copy, text, err);
    *is = status == INOX_OK && is_json((ix_text_view){ copy.data, copy.size });
    ix_buffer_release(&copy);
    return status;
}

/* Arguments are an object, a string that holds one, or nothing. */
static inox_status take_arguments(ix_text_view value, ix_buffer *out, inox_error *err)
{
    value = trimmed(value);
    if (value.size == 0 || ix_text_is(value, "null"))
        return ix_buffer_append(out, "{}", 2, err);
    if (value.data[0] != '"')
        return append_json(out, value, err);
    json_t *s = json_loadb(value.data, value.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    inox_status status = INOX_OK;
    if (s)
        status = ix_buffer_append(out, json_string_value(s), json_string_length(s), err);
    json_decref(s);
    return status;
}

static inox_status read_json(const ix_answer_format *f, ix_text_view v, call_result *result,
                             size_t *size, answer_call *call, inox_error *err)
{
    ix_text_view object, inner, value = { "", 0 };
    bool is;
    if (v.size == 0 || v.data[0] != '{') {
        *result = v.size == 0 ? CALL_CUT : CALL_NONE;
        return INOX_OK;
    }
    *size = ix_answer_json(v);
    *result = *size == 0 ? CALL_CUT : CALL_NONE;
    if (*size == 0)
        return INOX_OK;
    object = (ix_text_view){ v.data, *size };
    IX_TRY(is_nearly_json(object, &is, err));
    if (!is)
        return INOX_OK;
    if (member_named(object, "id", &value) || member_named(object, "tool_call_id", &value))
        (void)plain_string(value, &call->id);
    if (member_named(object, "function", &inner) && inner.data[0] == '{')
        object = inner; /* as in OpenAI's own calls */
    bool named = member(object, f->name_key, &value) || member_named(object, "name", &value) ||
                 member_named(object, "tool_name", &value);
    if (!named || !plain_string(value, &call->name))
        return INOX_OK;
    value = (ix_text_view){ "", 0 };
    (void)(member(object, f->arguments_key, &value) || member_named(object, "arguments", &value) ||
           member_named(object, "parameters", &value));
    *result = CALL_COMPLETE;
    return take_arguments(value, &call->arguments, err);
}

/* ---- f <marks> {...} ------------------------------------------------------------------------- */

/* Kimi's ids hold the name: functions.f:0.  Bytes of the id that begins with a name of n bytes. */
static size_t numbered(ix_text_view v, size_t n)
{
    size_t end = n + 1;
    while (end < v.size && v.data[n] == ':' && v.data[end] >= '0' && v.data[end] <= '9')
        end++;
    return end > n + 1 ? end : 0;
}

static inox_status read_named(const ix_answer_format *f, ix_text_view v, call_result *result,
                              size_t *size, answer_call *call, inox_error *err)
{
    size_t start = 0;
    if (f->id_first) { /* the id, id_end, the name */
        start = ix_answer_find_from(v, 0, f->id_end);
        *result = start == SIZE_MAX && v.size < NAME_TO_ARGUMENTS_MAX ? CALL_CUT : CALL_NONE;
        if (start >= NAME_TO_ARGUMENTS_MAX)
            return INOX_OK;
        call->id = trimmed((ix_text_view){ v.data, start });
        start += f->id_end.size;
    }
    size_t n = start + ix_answer_name(behind(v, start)), at = n;
    *result = n == v.size ? CALL_CUT : CALL_NONE;
    if (n == v.size || n == start)
        return INOX_OK;
    call->name = (ix_text_view){ v.data + start, n - start };
    if (begins(call->name, f->name_start)) {
        size_t id = numbered(v, n);
        if (id == v.size)
            return *result = CALL_CUT, INOX_OK;
        call->id = (ix_text_view){ v.data + start, id > 0 ? id - start : 0 };
        call->name = behind(call->name, f->name_start.size);
    }
    while (at < v.size && v.data[at] != '{' && at - n < NAME_TO_ARGUMENTS_MAX)
        at++;
    *result = at == v.size ? CALL_CUT : CALL_NONE;
    if (at == v.size || v.data[at] != '{')
        return INOX_OK;
    ix_text_view between = { v.data + n, at - n };
    if (!f->id_first && begins(between, f->id_start)) {
        between = behind(between, f->id_start.size);
        const char *end = ix_answer_find(between, f->id_end);
        if (end)
            call->id = (ix_text_view){ between.data, (size_t)(end - between.data) };
    }
    size_t arguments = ix_answer_json(behind(v, at));
    *result = arguments == 0 ? CALL_CUT : CALL_COMPLETE;
    *size = at + arguments;
    return append_json(&call->arguments, (ix_text_view){ v.data + at, arguments }, err);
}

/* ---- Python's values ------------------------------------------------------------------------- */

const char *ix_answer_python_word(ix_text_view v)
{
    return ix_text_is(v, "True")    ? "true"
           : ix_text_is(v, "False") ? "false"
           : ix_text_is(v, "None")  ? "null"
                                    : NULL;
}

static bool is_hex(ix_text_view v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (i >= v.size || !memchr("0123456789abcdefABCDEF", v.data[i], 22))
            return false;
    return true;
}

/* The escape at the beginning of v as JSON has it; *size: its bytes.  What is no escape of Python
 * stands for itself. */
static inox_status append_python_escape(ix_text_view v, ix_buffer *out, size_t *size,
                                        inox_error *err)
{
    char c = v.data[1];
    *size = 2;
    switch (c) {
    case '\'': return ix_buffer_append(out, "'", 1, err);
    case '\n': return INOX_OK; /* the line goes on */
    case 'a': return ix_buffer_append(out, "\\u0007", 6, err);
    case 'v': return ix_buffer_append(out, "\\u000b", 6, err);
    case 'x':
        if (!is_hex(behind(v, 2), 2))
            break;
        *size = 4;
        return ix_buffer_printf(out, err, "\\u00%.2s", v.data + 2);
    case 'u':
        if (!is_hex(behind(v, 2), 4))
            break;
        *size = 6;
        return ix_buffer_append(out, v.data, 6, err);
    default:
        if (memchr("nrtbf\\\"", c, 7)) /* the same in JSON */
            return ix_buffer_append(out, v.data, 2, err);
    }
    *size = 1;
    return ix_buffer_append(out, "\\\\", 2, err);
}

/* A string of Python as JSON; its size in `v`, or 0 where it does not end. */
static inox_status append_python_string(ix_text_view v, ix_buffer *out, size_t *size,
                                        inox_error *err)
{
    size_t i = 1, n;
    *size = 0;
    IX_TRY(ix_buffer_append(out, "\"", 1, err));
    for (; i < v.size && v.data[i] != v.data[0]; i += n) {
        n = 1;
        if (v.data[i] == '\\' && i + 1 < v.size)
            IX_TRY(append_python_escape(behind(v, i), out, &n, err));
        else if (v.data[i] == '"')
            IX_TRY(ix_buffer_append(out, "\\\"", 2, err));
        else if ((unsigned char)v.data[i] < 0x20)
            IX_TRY(ix_buffer_printf(out, err, "\\u%04x", (unsigned)v.data[i]));
        else
            IX_TRY(ix_buffer_append(out, v.data + i, 1, err));
    }
    if (i < v.size)
        *size = i + 1;
    return ix_buffer_append(out, "\"", 1, err);
}

/* True, False, None, a number; or a keyword, which '=' follows. */
static inox_status append_python_word(ix_text_view word, bool key, ix_buffer *out, inox_error *err)
{
    if (key)
        return ix_answer_append_string(out, word, err);
    const char *json = ix_answer_python_word(word);
    return json ? ix_buffer_append(out, json, strlen(json), err)
                : ix_buffer_append(out, word.data, word.size, err);
}

/* A value of Python as JSON; false: it is none. */
static inox_status append_python(ix_text_view v, ix_buffer *out, bool *is, inox_error *err)
{
    size_t before = out->size, n;
    *is = false;
    for (size_t at = 0; at < v.size; at += n) {
        ix_text_view rest = behind(v, at);
        char c = rest.data[0];
        n = ix_answer_name(rest);
        if (c == '\'' || c == '"') {
            IX_TRY(append_python_string(rest, out, &n, err));
            if (n == 0)
                break;
        } else if (n > 0) {
            IX_TRY(append_python_word((ix_text_view){ rest.data, n }, false, out, err));
        } else {
            n = 1;
            c = c == '(' ? '[' : c == ')' ? ']' : c;
            IX_TRY(ix_buffer_append(out, &c, 1, err));
        }
    }
    *is = is_json((ix_text_view){ out->data + before, out->size - before });
    out->size = *is ? out->size : before;
    return INOX_OK;
}

/* ---- f key_start k key_end v value_end ... --------------------------------------------------- */

/* ix_answer_find_from of a mark that may be laid out otherwise; *size: its bytes. */
static size_t offset_of_loose(ix_text_view v, size_t from, ix_text_view mark, size_t *size)
{
    bool cut = false;
    for (; mark.size > 0 && from < v.size; from++) {
        const char *p = memchr(v.data + from, mark.data[0], v.size - from);
        if (!p)
            break;
        from = (size_t)(p - v.data);
        *size = ix_answer_match(behind(v, from), mark, &cut);
        if (*size > 0)
            return from;
    }
    return SIZE_MAX;
}

/* The first tag of a mark: what is behind it the model may lay out otherwise. */
static ix_text_view first_part(ix_text_view mark)
{
    return (ix_text_view){ mark.data, ix_answer_tag(mark) };
}

static const ix_text_view CDATA = { "<![CDATA[", 9 }, CDATA_END = { "]]>", 3 };

/* XML's way to quote anything: the value is what stands between its marks. */
static bool is_quoted(ix_text_view value)
{
    return begins(value, CDATA) && value.size >= CDATA.size + CDATA_END.size &&
           begins(behind(value, value.size - CDATA_END.size), CDATA_END);
}

inox_status ix_answer_append_value(const ix_answer_format *f, argument_schema s, bool other,
                                   ix_text_view value, ix_buffer *out, inox_error *err)
{
    ix_text_view json = value;
    bool told = f->key_end_other.size != f->key_end.size ||
                memcmp(f->key_end_other.data, f->key_end.data, f->key_end.size) != 0;
    bool is = false;
    if (is_quoted(trimmed(value))) {
        value = behind(trimmed(value), CDATA.size);
        value.size -= CDATA_END.size;
    } else if (f->value_on_lines && value.size > 0 && value.data[0] == '\n') {
        value = behind(value, 1);
    }
    if (f->value_on_lines && value.size > 0 && value.data[value.size - 1] == '\n')
        value.size--;
    switch (told ? ARGUMENT_UNKNOWN : ix_answer_typed(s, value, &json)) {
    case ARGUMENT_JSON: return ix_buffer_append(out, json.data, json.size, err);
    case ARGUMENT_PYTHON: IX_TRY(append_python(json, out, &is, err)); /* fall through */
    case ARGUMENT_STRING: return is ? INOX_OK : ix_answer_append_string(out, value, err);
    case ARGUMENT_UNKNOWN: break;
    }
    if ((told ? other : value.size > 0 && value.data[0] != '"') && is_json(value))
        return ix_buffer_append(out, value.data, value.size, err);
    return ix_answer_append_string(out, value, err);
}

/* Where the value's end stands, from `value` on. */
static size_t end_of_value(const ix_answer_format *f, ix_text_view v, size_t value)
{
    size_t from = value;
    while (from < v.size && is_space(v.data[from]))
        from++;
    if (!begins(behind(v, from), CDATA))
        return ix_answer_find_from(v, value, f->value_end);
    for (;;) { /* "]]>" that value_end follows */
        from = ix_answer_find_from(v, from, CDATA_END);
        if (from == SIZE_MAX)
            return SIZE_MAX;
        from += CDATA_END.size;
        size_t end = from;
        while (end < v.size && is_space(v.data[end]))
            end++;
        if (begins(behind(v, end), f->value_end))
            return end;
    }
}

/* Where the mark behind the key stands that begins at `key`, and the value behind it.  *other: the
 * mark says that the value is no string: it is not the one of strings, but shares its beginning and
 * end with it (type="string", type="array"). */
static size_t end_of_key(const ix_answer_format *f, ix_text_view v, size_t key, size_t *value,
                         bool *other)
{
    ix_text_view a = f->key_end, b = f->key_end_other;
    size_t least = a.size < b.size ? a.size : b.size, same = 0, same_end = 0, size;
    *other = false;
    while (same < least && a.data[same] == b.data[same])
        same++;
    while (same_end < least - same &&
           a.data[a.size - 1 - same_end] == b.data[b.size - 1 - same_end])
        same_end++;
    if (same == a.size || same == 0 || same_end == 0) {
        size_t at = offset_of_loose(v, key, a, &size), size_b;
        size_t at_b = same == a.size ? SIZE_MAX : offset_of_loose(v, key, b, &size_b);
        *other = at_b < at;
        *value = *other ? at_b + size_b : at + size;
        return *other ? at_b : at;
    }
    size_t at = offset_of_loose(v, key, (ix_text_view){ a.data, same }, &size);
    if (at == SIZE_MAX)
        return SIZE_MAX;
    size_t type = at + size, end = ix_answer_find_from(v, type, behind(a, a.size - same_end));
    if (end == SIZE_MAX)
        return SIZE_MAX;
    size_t bytes = a.size - same - same_end;
    *other = end - type != bytes || memcmp(v.data + type, a.data + same, bytes) != 0;
    *value = end + same_end;
    return at;
}

/* One argument from `at` on; *at goes behind it.  false: it is cut. */
static inox_status read_parameter(const ix_answer_format *f, const json_t *tools, ix_text_view v,
                                  size_t *at, bool *whole, answer_call *call, inox_error *err)
{
    ix_buffer *out = &call->arguments;
    size_t key = *at + f->key_start.size, value;
    bool other;
    size_t key_end = end_of_key(f, v, key, &value, &other);
    ix_text_view name = { v.data + key, key_end == SIZE_MAX ? 0 : key_end - key };
    size_t mark = f->value_end.size;
    size_t end = key_end == SIZE_MAX ? SIZE_MAX
                 : f->elements       ? ix_answer_element_end(f, v, value, name, &mark)
                                     : end_of_value(f, v, value);
    *whole = end != SIZE_MAX;
    if (!*whole)
        return INOX_OK;
    IX_TRY(ix_buffer_append(out, ", ", out->size > 1 ? 2 : 0, err));
    IX_TRY(ix_answer_append_string(out, name, err));
    IX_TRY(ix_buffer_append(out, ": ", 2, err));
    *at = end + mark;
    argument_schema s = ix_answer_schema(tools, call->name, name);
    ix_text_view text = { v.data + value, end - value };
    bool elements = false;
    if (f->elements)
        IX_TRY(ix_answer_append_elements(f, s, text, out, &elements, err));
    return elements ? INOX_OK : ix_answer_append_value(f, s, other, text, out, err);
}

/* True if the end that stands at `stop` may be within a key's mark that is not there as a whole. */
static bool may_be_key(const ix_answer_format *f, ix_text_view v, size_t stop)
{
    for (size_t n = 0; n < f->key_start.size && n <= stop; n++)
        if (begins(f->key_start, behind(v, stop - n)))
            return true;
    return false;
}

static inox_status read_parameters(const ix_answer_format *f, const json_t *tools, ix_text_view v,
                                   call_result *result, size_t *size, answer_call *call,
                                   inox_error *err)
{
    ix_text_view end = first_part(f->call_end.size > 0 ? f->call_end : f->section_end);
    size_t at = ix_answer_name(v);
    *result = at == v.size ? CALL_CUT : CALL_NONE;
    if (at == v.size || at == 0)
        return INOX_OK;
    call->name = (ix_text_view){ v.data, at };
    IX_TRY(ix_buffer_append(&call->arguments, "{", 1, err));
    for (size_t stop = ix_answer_find_from(v, at, end);;) {
        bool whole = true;
        size_t key = ix_answer_find_from(v, at, f->key_start);
        stop = stop < at ? ix_answer_find_from(v, at, end) : stop;
        /* elements: the end begins as a key does */
        if (stop <= key && stop != SIZE_MAX && !(key == SIZE_MAX && may_be_key(f, v, stop))) {
            *result = CALL_COMPLETE;
            *size = stop;
            return ix_buffer_append(&call->arguments, "}", 1, err);
        }
        *result = CALL_CUT;
        if (key == SIZE_MAX)
            return INOX_OK;
        at = key;
        IX_TRY(read_parameter(f, tools, v, &at, &whole, call, err));
        if (!whole)
            return INOX_OK;
    }
}

/* ---- f{k:<|"|>v<|"|>,n:17} ------------------------------------------------------------------- */

static bool is_bare(ix_text_view v, const ix_answer_format *f)
{
    return v.size > 0 && !strchr("{}[],:", v.data[0]) && !is_space(v.data[0]) &&
           !begins(v, f->quote);
}

static inox_status read_quoted(const ix_answer_format *f, ix_text_view v, call_result *result,
                               size_t *size, answer_call *call, inox_error *err)
{
    size_t at = ix_answer_name(v), depth = 0, n;
    *result = at == v.size ? CALL_CUT : CALL_NONE;
    if (at == v.size || at == 0 || v.data[at] != '{')
        return INOX_OK;
    call->name = (ix_text_view){ v.data, at };
    *result = CALL_CUT;
    for (; at < v.size; at += n) {
        ix_text_view rest = behind(v, at);
        n = 1;
        if (begins(rest, f->quote)) {
            rest = behind(rest, f->quote.size);
            const char *end = ix_answer_find(rest, f->quote);
            if (!end)
                return INOX_OK;
            rest.size = (size_t)(end - rest.data);
            IX_TRY(ix_answer_append_string(&call->arguments, rest, err));
            n = rest.size + 2 * f->quote.size;
        } else if (rest.data[0] == '"') { /* as in JSON */
            n = string_size(rest);
            if (n == 0)
                return INOX_OK;
            IX_TRY(append_json(&call->arguments, (ix_text_view){ rest.data, n }, err));
        } else if (is_bare(rest, f)) {
            while (n < rest.size && is_bare(behind(rest, n), f))
                n++;
            bool key = n < rest.size && rest.data[n] == ':';
            IX_TRY(
                key ? ix_answer_append_string(&call->arguments, (ix_text_view){ rest.data, n }, err)
                    : ix_buffer_append(&call->arguments, rest.data, n, err));
        } else {
            char c = rest.data[0];
            depth += c == '{' || c == '[';
            depth -= c == '}' || c == ']';
            IX_TRY(ix_buffer_append(&call->arguments, &c, 1, err));
            if (depth == 0) {
                *result = CALL_COMPLETE;
                *size = at + 1;
                return INOX_OK;
            }
        }
    }
    return INOX_OK;
}

/* ---- f(k='v', n=17) -------------------------------------------------------------------------- */

static inox_status read_python(ix_text_view v, call_result *result, size_t *size, answer_call *call,
                               inox_error *err)
{
    size_t at = ix_answer_name(v), depth = 0, n;
    *result = at == v.size ? CALL_CUT : CALL_NONE;
    if (at == v.size || at == 0 || v.data[at] != '(')
        return INOX_OK;
    call->name = (ix_text_view){ v.data, at };
    *result = CALL_CUT;
    for (; at < v.size; at += n) {
        ix_text_view rest = behind(v, at);
        char c = rest.data[0];
        n = 1;
        if (c == '\'' || c == '"') {
            IX_TRY(append_python_string(rest, &call->arguments, &n, err));
            if (n == 0)
                return INOX_OK;
        } else if (ix_answer_name(rest) > 0) {
            n = ix_answer_name(rest);
            bool key = depth == 1 && n < rest.size && rest.data[n] == '=';
            IX_TRY(append_python_word((ix_text_view){ c ? rest.data : "", n }, key,
                                      &call->arguments, err));
        } else {
            bool call_bracket = depth == 0 || (depth == 1 && c == ')');
            depth += c == '(' || c == '[' || c == '{';
            depth -= c == ')' || c == ']' || c == '}';
            c = c == '=' ? ':' : call_bracket ? c == '(' ? '{' : '}' : c == '(' ? '[' : c;
            c = c == ')' ? ']' : c;
            IX_TRY(ix_buffer_append(&call->arguments, &c, 1, err));
            if (depth == 0) {
                *result = CALL_COMPLETE;
                *size = at + 1;
                return INOX_OK;
            }
        }
    }
    return INOX_OK;
}

/* Llama 3's tools of its own: brave_search.call(query="..."). */
static inox_status read_builtin(ix_text_view v, call_result *result, size_t *size,
                                answer_call *call, inox_error *err)
{
    static const ix_text_view CALL = { ".call", 5 };
    size_t n = ix_answer_name(v);
    *result = n == v.size ? CALL_CUT : CALL_NONE;
    if (n == v.size || n <= CALL.size || !begins(behind(v, n - CALL.size), CALL))
        return INOX_OK;
    IX_TRY(read_python(v, result, size, call, err));
    call->name = (ix_text_view){ v.data, n - CALL.size };
    return INOX_OK;
}

inox_status ix_answer_read_call(const ix_answer_format *f, const json_t *tools, ix_text_view text,
                                call_result *result, size_t *size, answer_call *call,
                                inox_error *err)
{
    *result = CALL_NONE;
    *call = (answer_call){ .id = { "", 0 } };
    ix_text_view v = behind_space(text);
    inox_status status = INOX_OK;
    switch (f->syntax) {
    case CALLS_NONE: break;
    case CALLS_JSON:
        status = v.size > 0 && ix_answer_name(v) > 0 && f->bare_start.size > 0
                     ? read_builtin(v, result, size, call, err)
                     : read_json(f, v, result, size, call, err);
        break;
    case CALLS_NAMED: status = read_named(f, v, result, size, call, err); break;
    case CALLS_PARAMETERS: status = read_parameters(f, tools, v, result, size, call, err); break;
    case CALLS_QUOTED: status = read_quoted(f, v, result, size, call, err); break;
    case CALLS_PYTHON: status = read_python(v, result, size, call, err); break;
    }
    if (status == INOX_OK && *result == CALL_COMPLETE) {
        ix_text_view arguments = { call->arguments.data, call->arguments.size };
        *size += text.size - v.size;
        if (arguments.size == 0 || arguments.data[0] != '{' || !is_json(arguments))
            *result = CALL_NONE;
    }
    if (status != INOX_OK || *result != CALL_COMPLETE)
        ix_buffer_release(&call->arguments);
    return status;
}
