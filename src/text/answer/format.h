/* What a template tells about the answers of its model.  Private to src/text/answer. */
#ifndef IX_TEXT_ANSWER_FORMAT_H
#define IX_TEXT_ANSWER_FORMAT_H

#include "text/answer/answer.h"

#include <jansson.h>
#include <string.h>

typedef enum call_syntax {
    CALLS_NONE,
    CALLS_JSON,
    CALLS_NAMED,
    CALLS_PARAMETERS,
    CALLS_QUOTED,
    CALLS_PYTHON,
} call_syntax;

/* Marks without the white space around them; {"", 0} where there is none. */
struct ix_answer_format {
    ix_arena arena; /* of the marks */
    bool harmony;   /* messages with headers: channels, or recipients only */
    ix_text_view think_start, think_end, content_start, content_end;
    ix_text_view turn_end;      /* where nothing that follows is the answer's */
    ix_text_view call_turn_end; /* the same of a turn with calls, where it is another */
    call_syntax syntax;
    ix_text_view section_start, call_start, call_end, section_end;
    ix_text_view bare_start; /* what may stand in front of calls that nothing has to open */
    ix_text_view name_key, arguments_key; /* JSON */
    ix_text_view id_start, id_end;        /* NAMED: around the id, behind the name */
    ix_text_view name_start;              /* NAMED: in front of the name, and part of the id */
    bool id_first;                        /* NAMED: the id and id_end stand in front of the name */
    /* PARAMETERS.  Values of strings are as they are, others in JSON; some formats tell by the mark
     * behind the key which it is. */
    ix_text_view key_start, key_end, key_end_other, value_end;
    bool elements; /* <k>v</k>: the key and key_end follow value_end, and values may be elements */
    bool value_on_lines; /* a new line before and behind each value */
    ix_text_view quote;  /* QUOTED */
};

/* Calls may be items of a list, whose brackets and commas are no marks. */
static inline bool in_list(const ix_answer_format *f)
{
    return f->syntax == CALLS_JSON || f->syntax == CALLS_PYTHON;
}

static inline bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool begins(ix_text_view text, ix_text_view mark)
{
    return mark.size > 0 && text.size >= mark.size && memcmp(text.data, mark.data, mark.size) == 0;
}

static inline ix_text_view behind(ix_text_view text, size_t n)
{
    return (ix_text_view){ text.data + n, text.size - n };
}

static inline ix_text_view behind_space(ix_text_view v)
{
    while (v.size > 0 && is_space(v.data[0]))
        v = behind(v, 1);
    return v;
}

/* n, less the white space that v[0, n) ends in. */
static inline size_t without_space_behind(ix_text_view v, size_t n)
{
    while (n > 0 && is_space(v.data[n - 1]))
        n--;
    return n;
}

static inline ix_text_view trimmed(ix_text_view v)
{
    v = behind_space(v);
    v.size = without_space_behind(v, v.size);
    return v;
}

/* Bytes of the token at the beginning of v that MiniMax M3 writes in front of tags, or 0. */
static inline size_t ix_answer_tag_token(ix_text_view v)
{
    static const ix_text_view TOKEN = { "]<]minimax[>[", 13 };
    return begins(v, TOKEN) ? TOKEN.size : 0;
}

/* A mark that plain text hardly has: tags, and what begins as one. */
static inline bool is_strong(ix_text_view mark)
{
    return mark.size >= 4 && (mark.data[0] == '<' || mark.data[0] == '[' ||
                              (unsigned char)mark.data[0] >= 0x80 || ix_answer_tag_token(mark) > 0);
}

/* The last line of a mark. */
static inline ix_text_view last_line(ix_text_view mark)
{
    size_t start = mark.size;
    while (start > 0 && mark.data[start - 1] != '\n')
        start--;
    return start == 0 ? mark : behind(mark, start);
}

/* The first place of `mark` in `text`, or NULL. */
const char *ix_answer_find(ix_text_view text, ix_text_view mark);

/* The same from `from` on, as an offset; SIZE_MAX: it is not there. */
size_t ix_answer_find_from(ix_text_view text, size_t from, ix_text_view mark);

/* Bytes that the mark takes at the beginning of text, 0 if it does not stand there: where it has
 * white space, and between its tags, models write any or none.  *cut: text may be the beginning of
 * one. */
size_t ix_answer_match(ix_text_view text, ix_text_view mark, bool *cut);

static inline bool ix_answer_closes_tag(char c)
{
    return c == '>' || c == ']';
}

/* Bytes of the tag of three tokens that v begins with, <|open|>name<|sep|> or <|close|>name<|sep|>
 * as Kimi K3 writes them; 0: there is none. */
size_t ix_answer_long_tag(ix_text_view v);

/* Bytes of v to the end of its first tag; all where there is none. */
size_t ix_answer_tag(ix_text_view v);

/* Bytes of the name that text begins with: letters, digits, '_', '-', '.'. */
size_t ix_answer_name(ix_text_view text);

/* Bytes of the JSON object or list that text begins with; 0: it does not end in `text`. */
size_t ix_answer_json(ix_text_view text);

/* ---- calls.c -------------------------------------------------------------------------------- */

/* How far a call was read. */
typedef enum call_result {
    CALL_COMPLETE,
    CALL_CUT, /* more text is needed */
    CALL_NONE /* what stands there is no call */
} call_result;

typedef struct answer_call {
    ix_text_view name, id;
    ix_buffer arguments; /* a JSON object */
} answer_call;

/* Reads the call that text begins with (behind call_start) and its size.  tools: their schemas, or
 * NULL. */
inox_status ix_answer_read_call(const ix_answer_format *f, const json_t *tools, ix_text_view text,
                                call_result *result, size_t *size, answer_call *call,
                                inox_error *err) IX_MUST_USE;

/* How JSON writes v where it is True, False or None; else NULL. */
const char *ix_answer_python_word(ix_text_view v);

/* Arguments that stand alone: appended to the empty *out as JSON; *is: they are an object. */
inox_status ix_answer_object(ix_text_view text, ix_buffer *out, bool *is,
                             inox_error *err) IX_MUST_USE;

/* ---- schema.c ------------------------------------------------------------------------------- */

/* *out = the tools of a JSON list; json_decref. */
inox_status ix_answer_tools(ix_text_view text, json_t **out, inox_error *err) IX_MUST_USE;

/* What an argument is by its schema. */
typedef enum argument_type {
    ARGUMENT_UNKNOWN, /* there is none, or it does not say */
    ARGUMENT_STRING,
    ARGUMENT_JSON,
    ARGUMENT_PYTHON, /* a list or object that is no JSON: perhaps Python's */
} argument_type;

/* A schema, or none. */
typedef struct argument_schema {
    const json_t *root; /* what "#" in references stands for */
    const json_t *schema;
} argument_schema;

/* The schema of argument `key` of tool `name`. */
argument_schema ix_answer_schema(const json_t *tools, ix_text_view name, ix_text_view key);

/* The schema of member `key` of an object of schema s, or of the items of a list. */
argument_schema ix_answer_schema_within(argument_schema s, ix_text_view key);

/* The type of a value by its schema.  ARGUMENT_JSON: *json is the value in JSON. */
argument_type ix_answer_typed(argument_schema s, ix_text_view value, ix_text_view *json);

/* True if a schema allows strings only. */
bool ix_answer_is_text(argument_schema s);

/* ---- elements.c ----------------------------------------------------------------------------- */

/* Where the element of `key` ends whose content begins at `from` in v: the place of its closing
 * mark, and its bytes.  SIZE_MAX: it does not end. */
size_t ix_answer_element_end(const ix_answer_format *f, ix_text_view v, size_t from,
                             ix_text_view key, size_t *mark);

/* If elements stand in a value, that value in JSON; else *is is false. */
inox_status ix_answer_append_elements(const ix_answer_format *f, argument_schema s,
                                      ix_text_view value, ix_buffer *out, bool *is,
                                      inox_error *err) IX_MUST_USE;

/* A value of `s` that has no quotation marks, in JSON.  other: it is known to be no string. */
inox_status ix_answer_append_value(const ix_answer_format *f, argument_schema s, bool other,
                                   ix_text_view value, ix_buffer *out, inox_error *err) IX_MUST_USE;

/* A string in JSON. */
inox_status ix_answer_append_string(ix_buffer *out, ix_text_view text, inox_error *err) IX_MUST_USE;

#endif
