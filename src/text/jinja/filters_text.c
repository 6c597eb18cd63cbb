/* Filters that make text of text; wordwrap has a file of its own. */
#include "text/jinja/filters.h"
#include "text/jinja/number.h"

#include <string.h>

/* soft_str(args[0]) */
static inox_status text_of(ix_jcall *c, ix_jstring **out, inox_error *err)
{
    ix_jvalue v;
    IX_TRY(ix_j_soft_str(c->r, c->args[0], &v, err));
    *out = v.string;
    return INOX_OK;
}

static inox_status in_case(ix_jcall *c, ix_jcase to, ix_jvalue *out, inox_error *err)
{
    ix_jstring *s;
    IX_TRY(text_of(c, &s, err));
    return ix_js_case(c->r, s, to, s->safe, out, err);
}

inox_status ix_jf_upper(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return in_case(c, IX_J_UPPER_CASE, out, err);
}
inox_status ix_jf_lower(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return in_case(c, IX_J_LOWER_CASE, out, err);
}
inox_status ix_jf_capitalize(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return in_case(c, IX_J_CAPITALIZE, out, err);
}

/* Words end at white space, - ( { [ and <, and at nothing else ("they're" is one). */
inox_status ix_jf_title(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *s;
    ix_jbuilder b = ix_jb(c->r);
    size_t n;
    IX_TRY(text_of(c, &s, err));
    for (size_t at = 0; at < s->size;) {
        size_t start = at, second = 0;
        bool between = false;
        for (; at < s->size; at += n) {
            uint32_t k = ix_js_read(s, at, &n);
            bool separates = k < 128 && k && strchr("-({[<", (int)k);
            separates = separates || ix_char_is(k, IX_CHAR_SPACE);
            if (at == start)
                between = separates;
            else if (separates != between)
                break;
            if (at == start)
                second = at + n;
        }
        IX_TRY(ix_js_case_part(&b, s, start, second, IX_J_UPPER_CASE, err));
        IX_TRY(ix_js_case_part(&b, s, second, at, IX_J_LOWER_CASE, err));
    }
    return ix_jb_finish(&b, false, out, err);
}

inox_status ix_jf_string(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ix_j_soft_str(c->r, c->args[0], out, err);
}

inox_status ix_jf_center(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *s;
    int64_t width;
    IX_TRY(text_of(c, &s, err));
    IX_TRY(ix_j_index_argument(c, 1, 80, &width, err));
    return ix_js_justify(c->r, s, IX_J_CENTER, width, ' ', false, s->safe, out, err);
}

/* What trim leaves: bytes [start, end) of *s. */
static inox_status trimmed(ix_jcall *c, ix_jstring **s, size_t *start, size_t *end, inox_error *err)
{
    ix_jstring *set = NULL;
    IX_TRY(text_of(c, s, err));
    if (ix_j_given(c, 1) && c->args[1].kind != IX_J_NONE) {
        if (c->args[1].kind != IX_J_STRING)
            return ix_j_fail(err, "TypeError", "strip arg must be None or str");
        set = c->args[1].string;
    }
    return ix_js_strip(c->r, *s, set, IX_J_LEFT | IX_J_RIGHT, start, end, err);
}

inox_status ix_jf_trim(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *s;
    size_t start, end;
    IX_TRY(trimmed(c, &s, &start, &end, err));
    return ix_js_part(c->r, s, start, end, s->safe, out, err);
}

inox_status ix_jf_trim_write(ix_jcall *c, ix_jbuilder *b, inox_error *err)
{
    ix_jstring *s;
    size_t start, end;
    IX_TRY(trimmed(c, &s, &start, &end, err));
    return ix_jb_part(b, s, start, end, err);
}

inox_status ix_jf_replace(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue s = c->args[0], old = c->args[1], new = c->args[2];
    ix_jbuilder b = ix_jb(c->r);
    int64_t count = -1;
    if (!ix_j_given(c, 3) || c->args[3].kind != IX_J_NONE)
        IX_TRY(ix_j_index_argument(c, 3, -1, &count, err));
    bool old_safe = old.kind == IX_J_STRING && old.string->safe;
    bool new_safe = new.kind == IX_J_STRING &&new.string->safe;
    bool safe = s.kind == IX_J_STRING && s.string->safe;
    if (!c->autoescape) {
        safe = false;
        IX_TRY(ix_j_str(c->r, s, &s, err));
        IX_TRY(ix_j_str(c->r, new, &new, err));
    } else if (old_safe || (new_safe && !safe)) {
        safe = true;
        IX_TRY(ix_jb_escape(&b, s, err));
        IX_TRY(ix_jb_finish(&b, true, &s, err));
    } else {
        IX_TRY(ix_j_soft_str(c->r, s, &s, err));
    }
    IX_TRY(ix_j_str(c->r, old, &old, err));
    if (c->autoescape)
        IX_TRY(ix_j_soft_str(c->r, new, &new, err));
    if (safe) { /* Markup's replace escapes what it puts in */
        IX_TRY(ix_jb_escape(&b, new, err));
        IX_TRY(ix_jb_finish(&b, true, &new, err));
    }
    return ix_js_replace(c->r, s.string, old.string, new.string, count, safe, out, err);
}

inox_status ix_jf_format(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *s;
    ix_jvalue values;
    if (c->rest_count > 0 && c->keyword_count > 0)
        return ix_j_fail(err, "FilterArgumentError",
                         "can't handle positional and keyword arguments at the same time");
    IX_TRY(text_of(c, &s, err));
    if (c->keyword_count > 0) {
        IX_TRY(ix_j_dict(c->r, c->keyword_count, &values, err));
        for (size_t i = 0; i < c->keyword_count; i++)
            IX_TRY(ix_j_dict_set(c->r, values, ix_j_of_string(c->keywords[i].name),
                                 c->keywords[i].value, err));
    } else {
        IX_TRY(ix_j_tuple(c->r, c->rest_count, &values, err));
        for (size_t i = 0; i < c->rest_count; i++)
            IX_TRY(ix_j_append(c->r, values, c->rest[i], err));
    }
    return ix_j_percent(c->r, s, values, out, err);
}

inox_status ix_jf_wordcount(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *s;
    int64_t n = 0;
    uint32_t k;
    bool user, in_word = false;
    IX_TRY(text_of(c, &s, err));
    IX_TRY(ix_j_steps(c->r, s->size / 16 + 1, err));
    for (ix_jwalk w = { .s = s }; ix_jwalk_next(&w, &k, &user);) {
        bool word = k == '_' || ix_char_is(k, IX_CHAR_ALNUM);
        n += word && !in_word;
        in_word = word;
    }
    *out = ix_j_int(n);
    return INOX_OK;
}

/* ---- indent ---------------------------------------------------------------------------------- */

/* The text that goes before each line. */
static inox_status indention(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    int64_t width;
    if (c->args[1].kind == IX_J_STRING) {
        *out = c->args[1];
        return INOX_OK;
    }
    if (ix_j_given(c, 1) && !ix_j_is_int(c->args[1])) {
        if (c->args[1].kind == IX_J_UNDEFINED)
            return ix_j_undefined_error(c->r, c->args[1], err);
        return ix_j_fail(err, "TypeError", "can't multiply sequence by non-int of type '%s'",
                         ix_j_type_name(c->args[1]));
    }
    IX_TRY(ix_j_index_argument(c, 1, 4, &width, err));
    IX_TRY(ix_js_fill(&b, ' ', false, width, err));
    return ix_jb_finish(&b, false, out, err);
}

inox_status ix_jf_indent(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue v = c->args[0], before;
    ix_jbuilder b = ix_jb(c->r);
    bool head, blank;
    size_t end, next;
    IX_TRY(ix_j_truth_argument(c, 2, false, &head, err));
    IX_TRY(ix_j_truth_argument(c, 3, false, &blank, err));
    IX_TRY(indention(c, &before, err));
    if (v.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(c->r, v, err);
    if (v.kind == IX_J_LIST)
        return ix_j_fail(err, "AttributeError", "'list' object has no attribute 'splitlines'");
    if (v.kind != IX_J_STRING)
        return ix_j_fail(err, "TypeError", "unsupported operand type(s) for +=: '%s' and 'str'",
                         ix_j_type_name(v));
    /* As if the text ended with one more new line: "a\n" has two lines, "" one. */
    ix_jstring *s = v.string;
    bool user = false; /* who wrote the end of the line before */
    for (size_t at = 0, line = 0; at <= s->size; at = next, line++) {
        end = next = s->size;
        if (at < s->size)
            ix_js_line(s, at, &end, &next);
        bool last = end == s->size || (next == s->size && s->data[next - 1] == '\r');
        IX_TRY(ix_j_steps(c->r, (next - at) / 64 + 1, err));
        if (line > 0)
            IX_TRY(ix_jb_bytes(&b, "\n", 1, user, err));
        user = end < s->size && ix_j_is_user(s, end);
        if (line > 0 ? blank || end > at : head)
            IX_TRY(ix_jb_string(&b, before.string, err));
        IX_TRY(ix_jb_part(&b, s, at, end, err));
        if (last)
            break;
    }
    return ix_jb_finish(&b, s->safe, out, err);
}

/* ---- truncate -------------------------------------------------------------------------------- */

/* An argument that Python compares with lengths: an int, or a float. */
static inox_status measure(ix_jcall *c, int i, double usual, double *out, inox_error *err)
{
    ix_jvalue v = c->args[i];
    *out = usual;
    if (!ix_j_given(c, i))
        return INOX_OK;
    if (v.kind == IX_J_UNDEFINED)
        return ix_j_undefined_error(c->r, v, err);
    if (!ix_j_is_number(v))
        return ix_j_fail(err, "TypeError", "'>=' not supported between instances of '%s' and 'int'",
                         ix_j_type_name(v));
    return ix_js_float_of(c->r, v, out, err);
}

inox_status ix_jf_truncate(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    double most, leeway = 5;
    ix_jvalue end = c->args[3], kept, s = c->args[0];
    size_t tail, size;
    bool kill, is_string = s.kind == IX_J_STRING;
    if (!ix_j_given(c, 3))
        IX_TRY(ix_j_string_view(c->r, "...", 3, &end, err));
    if (!ix_j_given(c, 4) || c->args[4].kind != IX_J_NONE)
        IX_TRY(measure(c, 4, 5, &leeway, err));
    IX_TRY(ix_j_len(c->r, end, &tail, err));
    IX_TRY(measure(c, 1, 255, &most, err));
    if (most < (double)tail)
        return ix_j_fail(err, "AssertionError", "expected length >= %zu", tail);
    if (leeway < 0)
        return ix_j_fail(err, "AssertionError", "expected leeway >= 0");
    IX_TRY(ix_j_len(c->r, s, &size, err));
    *out = s;
    if ((double)size <= most + leeway)
        return INOX_OK;
    IX_TRY(ix_j_truth_argument(c, 2, false, &kill, err));
    if (c->args[1].kind == IX_J_FLOAT)
        return ix_j_fail(err, "TypeError",
                         "slice indices must be integers or None or have an __index__ method");
    if (!is_string)
        return ix_j_fail(err, "TypeError", "'%s' object cannot be truncated", ix_j_type_name(s));
    size_t to = ix_j_byte_of(s.string, (size_t)most - tail);
    if (!kill)
        for (size_t at = to; at > 0; at--)
            if (s.string->data[at - 1] == ' ') {
                to = at - 1;
                break;
            }
    IX_TRY(ix_js_part(c->r, s.string, 0, to, s.string->safe, &kept, err));
    return ix_j_arithmetic(c->r, IX_J_ADD, kept, end, out, err);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

inox_status ix_jf_filesizeformat(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    static const char *const units[2][8] = {
        { "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" },
        { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB" },
    };
    static const double decimal[] = { 1e6, 1e9, 1e12, 1e15, 1e18, 1e21, 1e24, 1e27 };
    ix_jbuilder b = ix_jb(c->r);
    double x, base, unit = 0;
    bool binary;
    const char *text;
    size_t size, i;
    IX_TRY(ix_js_float_of(c->r, c->args[0], &x, err));
    IX_TRY(ix_j_truth_argument(c, 1, false, &binary, err));
    base = binary ? 1024 : 1000;
    if (x == 1) {
        IX_TRY(ix_jb_text(&b, "1 Byte", err));
    } else if (x < base) {
        ix_jvalue whole;
        IX_TRY(ix_j_int_of_float(c->r, x, &whole, err));
        IX_TRY(ix_jb_str(&b, whole, err));
        IX_TRY(ix_jb_text(&b, " Bytes", err));
    } else {
        double power = base;
        for (i = 0; i < 8; i++) {
            power *= base; /* exact where it is used: powers of 1024 */
            unit = binary ? power : decimal[i];
            /* 10^24 is a little more than the double nearest to it: Python compares exactly. */
            if (x < unit || (!binary && i == 6 && x == unit))
                break;
        }
        i = i < 8 ? i : 7;
        IX_TRY(ix_js_float(c->r, base * x / unit, 'f', 1, 0, &text, &size, err));
        IX_TRY(ix_jb_bytes(&b, text, size, false, err));
        IX_TRY(ix_jb_text(&b, " ", err));
        IX_TRY(ix_jb_text(&b, units[binary][i], err));
    }
    return ix_jb_finish(&b, false, out, err);
}
