/* The methods of Python's str, and of markupsafe's Markup, which has the same ones: its methods
 * give Markup and escape what they put in.
 *
 * Positions are in characters, as Python counts; strings are searched by bytes, which finds the
 * same places, since no character's bytes begin inside another's. */
#include "text/jinja/strings.h"

#include <string.h>

static ix_jstring *self(const ix_jcall *c)
{
    return c->self.string;
}

static inox_status finish(ix_jcall *c, ix_jbuilder *b, ix_jvalue *out, inox_error *err)
{
    return ix_jb_finish(b, self(c)->safe, out, err);
}

static inox_status part(ix_jcall *c, size_t start, size_t end, ix_jvalue *out, inox_error *err)
{
    return ix_js_part(c->r, self(c), start, end, self(c)->safe, out, err);
}

/* ---- case ------------------------------------------------------------------------------------ */

#define CASE_METHOD(name, which)                                                                   \
    static inox_status str_##name(ix_jcall *c, ix_jvalue *out, inox_error *err)                    \
    {                                                                                              \
        return ix_js_case(c->r, self(c), which, self(c)->safe, out, err);                          \
    }
CASE_METHOD(upper, IX_J_UPPER_CASE)
CASE_METHOD(lower, IX_J_LOWER_CASE)
CASE_METHOD(casefold, IX_J_FOLD_CASE)
CASE_METHOD(swapcase, IX_J_SWAP_CASE)
CASE_METHOD(title, IX_J_TITLE_CASE)
CASE_METHOD(capitalize, IX_J_CAPITALIZE)

/* ---- questions ------------------------------------------------------------------------------- */

/* True if the string has characters and all have one of the flags. */
static inox_status all(ix_jcall *c, unsigned flags, bool empty, ix_jvalue *out, inox_error *err)
{
    ix_jwalk w = { .s = self(c) };
    uint32_t k;
    bool user, yes = self(c)->size > 0 || empty;
    IX_TRY(ix_j_steps(c->r, self(c)->size / 16 + 1, err));
    while (yes && ix_jwalk_next(&w, &k, &user))
        yes = ix_char_is(k, flags);
    *out = ix_j_bool(yes);
    return INOX_OK;
}

#define ALL_METHOD(name, flags, empty)                                                             \
    static inox_status str_##name(ix_jcall *c, ix_jvalue *out, inox_error *err)                    \
    {                                                                                              \
        return all(c, flags, empty, out, err);                                                     \
    }
ALL_METHOD(isalpha, IX_CHAR_ALPHA, false)
ALL_METHOD(isdigit, IX_CHAR_DIGIT, false)
ALL_METHOD(isdecimal, IX_CHAR_DECIMAL, false)
ALL_METHOD(isnumeric, IX_CHAR_NUMERIC, false)
ALL_METHOD(isalnum, IX_CHAR_ALNUM, false)
ALL_METHOD(isspace, IX_CHAR_SPACE, false)
ALL_METHOD(isprintable, IX_CHAR_PRINTABLE, true)

static inox_status str_isascii(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    (void)err;
    *out = ix_j_bool(ix_j_is_ascii(self(c)));
    return INOX_OK;
}

static inox_status str_isidentifier(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    size_t n;
    IX_TRY(all(c, IX_CHAR_ID_CONTINUE, false, out, err));
    if (out->boolean)
        out->boolean = ix_char_is(ix_js_read(self(c), 0, &n), IX_CHAR_ID_START);
    return INOX_OK;
}

/* No character has one of `never`, and one has `wanted`. */
static inox_status one_case(ix_jcall *c, unsigned wanted, unsigned never, ix_jvalue *out,
                            inox_error *err)
{
    ix_jwalk w = { .s = self(c) };
    uint32_t k;
    bool user, found = false;
    IX_TRY(ix_j_steps(c->r, self(c)->size / 16 + 1, err));
    *out = ix_j_bool(false);
    while (ix_jwalk_next(&w, &k, &user)) {
        unsigned flags = ix_char_of(k)->flags;
        if (flags & never)
            return INOX_OK;
        found = found || flags & wanted;
    }
    out->boolean = found;
    return INOX_OK;
}

static inox_status str_islower(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return one_case(c, IX_CHAR_LOWER, IX_CHAR_UPPER | IX_CHAR_TITLE, out, err);
}

static inox_status str_isupper(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return one_case(c, IX_CHAR_UPPER, IX_CHAR_LOWER | IX_CHAR_TITLE, out, err);
}

static inox_status str_istitle(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jwalk w = { .s = self(c) };
    uint32_t k;
    bool user, found = false, after_cased = false;
    IX_TRY(ix_j_steps(c->r, self(c)->size / 16 + 1, err));
    *out = ix_j_bool(false);
    while (ix_jwalk_next(&w, &k, &user)) {
        unsigned flags = ix_char_of(k)->flags;
        bool large = flags & (IX_CHAR_UPPER | IX_CHAR_TITLE), small = flags & IX_CHAR_LOWER;
        if ((large && after_cased) || (!large && small && !after_cased))
            return INOX_OK;
        after_cased = large || small;
        found = found || after_cased;
    }
    out->boolean = found;
    return INOX_OK;
}

/* ---- searching ------------------------------------------------------------------------------- */

static inox_status search(ix_jcall *c, bool last, bool must, ix_jvalue *out, inox_error *err)
{
    ix_jstring *needle;
    size_t start, end, at = SIZE_MAX;
    bool valid;
    IX_TRY(ix_js_argument(c, 0, &needle, err));
    IX_TRY(ix_js_bounds(c, 1, self(c), &start, &end, &valid, err));
    if (valid)
        IX_TRY(ix_j_find(c->r, self(c), start, end, needle, last, &at, err));
    if (at == SIZE_MAX && must)
        return ix_j_fail(err, "ValueError", "substring not found");
    *out = ix_j_int(at == SIZE_MAX ? -1 : (int64_t)ix_j_character_at(self(c), at));
    return ix_j_steps(c->r, at == SIZE_MAX ? 0 : at / 32, err);
}

static inox_status find(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return search(c, false, false, out, err);
}
static inox_status rfind(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return search(c, true, false, out, err);
}
static inox_status str_index(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return search(c, false, true, out, err);
}
static inox_status str_rindex(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return search(c, true, true, out, err);
}

static inox_status count(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *needle;
    size_t start, end, at;
    bool valid;
    int64_t n = 0;
    IX_TRY(ix_js_argument(c, 0, &needle, err));
    IX_TRY(ix_js_bounds(c, 1, self(c), &start, &end, &valid, err));
    if (valid && needle->size == 0) {
        n = (int64_t)(ix_j_character_at(self(c), end) - ix_j_character_at(self(c), start)) + 1;
    } else if (valid) {
        for (;;) {
            IX_TRY(ix_j_find(c->r, self(c), start, end, needle, false, &at, err));
            if (at == SIZE_MAX)
                break;
            start = at + needle->size;
            n++;
            IX_TRY(ix_j_steps(c->r, 1, err));
        }
    }
    *out = ix_j_int(n);
    return INOX_OK;
}

static bool has_at_side(const ix_jstring *s, size_t start, size_t end, const ix_jstring *part,
                        bool tail)
{
    return part->size <= end - start &&
           (part->size == 0 ||
            memcmp(s->data + (tail ? end - part->size : start), part->data, part->size) == 0);
}

static inox_status sides(ix_jcall *c, bool tail, ix_jvalue *out, inox_error *err)
{
    size_t start, end;
    bool valid;
    ix_jvalue what = c->args[0];
    IX_TRY(ix_js_bounds(c, 1, self(c), &start, &end, &valid, err));
    *out = ix_j_bool(false);
    if (what.kind == IX_J_STRING) {
        out->boolean = valid && has_at_side(self(c), start, end, what.string, tail);
        return ix_j_steps(c->r, what.string->size / 64 + 1, err);
    }
    if (what.kind != IX_J_TUPLE)
        return ix_j_fail(err, "TypeError", "%s first arg must be str or a tuple of str, not %s",
                         c->entry->name, ix_j_type_name(what));
    for (size_t i = 0; i < what.list->count && !out->boolean; i++) {
        ix_jvalue item = what.list->items[i];
        if (item.kind != IX_J_STRING)
            return ix_j_fail(err, "TypeError", "tuple for %s must only contain str, not %s",
                             c->entry->name, ix_j_type_name(item));
        IX_TRY(ix_j_steps(c->r, item.string->size / 64 + 1, err));
        out->boolean = valid && has_at_side(self(c), start, end, item.string, tail);
    }
    return INOX_OK;
}

static inox_status startswith(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return sides(c, false, out, err);
}
static inox_status endswith(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return sides(c, true, out, err);
}

static inox_status removeprefix(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *what;
    IX_TRY(ix_js_argument(c, 0, &what, err));
    IX_TRY(ix_j_steps(c->r, what->size / 64, err));
    bool has = has_at_side(self(c), 0, self(c)->size, what, false);
    return part(c, has ? what->size : 0, self(c)->size, out, err);
}

static inox_status removesuffix(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *what;
    IX_TRY(ix_js_argument(c, 0, &what, err));
    IX_TRY(ix_j_steps(c->r, what->size / 64, err));
    bool has = has_at_side(self(c), 0, self(c)->size, what, true);
    return part(c, 0, self(c)->size - (has ? what->size : 0), out, err);
}

/* ---- cutting --------------------------------------------------------------------------------- */

static inox_status strip_sides(ix_jcall *c, int which, ix_jvalue *out, inox_error *err)
{
    size_t start, end;
    ix_jstring *set = NULL;
    if (ix_j_given(c, 0) && c->args[0].kind != IX_J_NONE) {
        if (c->args[0].kind != IX_J_STRING)
            return ix_j_fail(err, "TypeError", "%s arg must be None or str", c->entry->name);
        set = c->args[0].string;
    }
    IX_TRY(ix_js_strip(c->r, self(c), set, which, &start, &end, err));
    return part(c, start, end, out, err);
}

static inox_status strip(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return strip_sides(c, IX_J_LEFT | IX_J_RIGHT, out, err);
}
static inox_status lstrip(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return strip_sides(c, IX_J_LEFT, out, err);
}
static inox_status rstrip(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return strip_sides(c, IX_J_RIGHT, out, err);
}

static inox_status append_part(ix_jcall *c, ix_jvalue list, size_t start, size_t end,
                               inox_error *err)
{
    ix_jvalue item;
    IX_TRY(ix_j_steps(c->r, 1, err));
    IX_TRY(part(c, start, end, &item, err));
    return ix_j_append(c->r, list, item, err);
}

/* The next run of characters in s[from, to) that are no white space: false if there is none. */
static bool next_word(const ix_jstring *s, size_t from, size_t to, size_t *start, size_t *end)
{
    size_t n;
    while (from < to && ix_char_is(ix_js_read(s, from, &n), IX_CHAR_SPACE))
        from += n;
    *start = from;
    while (from < to && !ix_char_is(ix_js_read(s, from, &n), IX_CHAR_SPACE))
        from += n;
    *end = from;
    return *start < *end;
}

static bool word_before(const ix_jstring *s, size_t to, size_t *start, size_t *end)
{
    size_t n;
    while (to > 0 && ix_char_is(ix_js_read(s, ix_js_before(s, to), &n), IX_CHAR_SPACE))
        to = ix_js_before(s, to);
    *end = to;
    while (to > 0 && !ix_char_is(ix_js_read(s, ix_js_before(s, to), &n), IX_CHAR_SPACE))
        to = ix_js_before(s, to);
    *start = to;
    return *start < *end;
}

/* Splits at white space, at most `most` times; what is left keeps the white space behind it (in
 * front of it, from the right). */
static inox_status split_space(ix_jcall *c, int64_t most, bool right, ix_jvalue list,
                               inox_error *err)
{
    const ix_jstring *s = self(c);
    size_t from = 0, to = s->size, start, end;
    IX_TRY(ix_j_steps(c->r, s->size / 16 + 1, err));
    while (right ? word_before(s, to, &start, &end) : next_word(s, from, s->size, &start, &end)) {
        if (most-- == 0)
            return right ? append_part(c, list, 0, end, err)
                         : append_part(c, list, start, s->size, err);
        IX_TRY(append_part(c, list, start, end, err));
        from = end;
        to = start;
    }
    return INOX_OK;
}

static inox_status split_at(ix_jcall *c, const ix_jstring *sep, int64_t most, bool right,
                            ix_jvalue list, inox_error *err)
{
    const ix_jstring *s = self(c);
    size_t from = 0, to = s->size, at;
    while (most-- != 0) {
        IX_TRY(ix_j_find(c->r, s, from, to, sep, right, &at, err));
        if (at == SIZE_MAX)
            break;
        if (right) {
            IX_TRY(append_part(c, list, at + sep->size, to, err));
            to = at;
        } else {
            IX_TRY(append_part(c, list, from, at, err));
            from = at + sep->size;
        }
    }
    return append_part(c, list, from, to, err);
}

static inox_status split_from(ix_jcall *c, bool right, ix_jvalue *out, inox_error *err)
{
    int64_t most;
    IX_TRY(ix_j_index_argument(c, 1, -1, &most, err));
    IX_TRY(ix_j_list(c->r, 4, out, err));
    if (!ix_j_given(c, 0) || c->args[0].kind == IX_J_NONE) {
        IX_TRY(split_space(c, most, right, *out, err));
    } else if (c->args[0].kind != IX_J_STRING) {
        return ix_j_fail(err, "TypeError", "must be str or None, not %s",
                         ix_j_type_name(c->args[0]));
    } else if (c->args[0].string->size == 0) {
        return ix_j_fail(err, "ValueError", "empty separator");
    } else {
        IX_TRY(split_at(c, c->args[0].string, most, right, *out, err));
    }
    ix_jlist *l = out->list;
    for (size_t i = 0; right && i < l->count / 2; i++) { /* found from the last to the first */
        ix_jvalue swapped = l->items[i];
        l->items[i] = l->items[l->count - 1 - i];
        l->items[l->count - 1 - i] = swapped;
    }
    return INOX_OK;
}

static inox_status split(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return split_from(c, false, out, err);
}
static inox_status rsplit(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return split_from(c, true, out, err);
}

static inox_status splitlines(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    int64_t keep;
    size_t end, next;
    IX_TRY(ix_j_index_argument(c, 0, 0, &keep, err));
    IX_TRY(ix_j_list(c->r, 4, out, err));
    for (size_t at = 0; at < self(c)->size; at = next) {
        ix_js_line(self(c), at, &end, &next);
        IX_TRY(ix_j_steps(c->r, (next - at) / 64 + 1, err));
        IX_TRY(append_part(c, *out, at, keep != 0 ? next : end, err));
    }
    return INOX_OK;
}

static inox_status partition_at(ix_jcall *c, bool last, ix_jvalue *out, inox_error *err)
{
    ix_jvalue sep = c->args[0];
    size_t at, size = self(c)->size;
    if (sep.kind != IX_J_STRING)
        return ix_j_fail(err, "TypeError", "must be str, not %s", ix_j_type_name(sep));
    if (sep.string->size == 0)
        return ix_j_fail(err, "ValueError", "empty separator");
    IX_TRY(ix_j_find(c->r, self(c), 0, size, sep.string, last, &at, err));
    IX_TRY(ix_j_tuple(c->r, 3, out, err));
    size_t first = at != SIZE_MAX ? at : last ? 0 : size; /* where the first of the three ends */
    size_t third = at != SIZE_MAX ? at + sep.string->size : first;
    IX_TRY(append_part(c, *out, 0, first, err));
    IX_TRY(append_part(c, *out, first, third, err));
    return append_part(c, *out, third, size, err);
}

static inox_status partition(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return partition_at(c, false, out, err);
}
static inox_status rpartition(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return partition_at(c, true, out, err);
}

/* ---- making ---------------------------------------------------------------------------------- */

static inox_status join(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    ix_jcursor at;
    ix_jvalue item;
    bool more;
    if (c->args[0].kind != IX_J_UNDEFINED && !ix_j_is_iterable(c->args[0]))
        return self(c)->safe ? ix_j_fail(err, "TypeError", "'%s' object is not iterable",
                                         ix_j_type_name(c->args[0]))
                             : ix_j_fail(err, "TypeError", "can only join an iterable");
    IX_TRY(ix_j_cursor_start(c->r, c->args[0], &at, err));
    for (size_t i = 0;; i++) {
        IX_TRY(ix_j_cursor_next(c->r, &at, &item, &more, err));
        if (!more)
            return finish(c, &b, out, err);
        if (i > 0)
            IX_TRY(ix_jb_string(&b, self(c), err));
        if (self(c)->safe) {
            IX_TRY(ix_jb_escape(&b, item, err));
            continue;
        }
        if (item.kind != IX_J_STRING)
            return ix_j_fail(err, "TypeError", "sequence item %zu: expected str instance, %s found",
                             i, ix_j_type_name(item));
        IX_TRY(ix_jb_string(&b, item.string, err));
    }
}

/* The argument of a Markup's method, escaped; of a str's, as it is. */
static inox_status escaped(ix_jcall *c, ix_jvalue v, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    *out = v;
    if (!self(c)->safe)
        return INOX_OK;
    IX_TRY(ix_jb_escape(&b, v, err));
    return ix_jb_finish(&b, true, out, err);
}

static inox_status replace(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *old;
    ix_jvalue new;
    int64_t most;
    IX_TRY(ix_js_argument(c, 0, &old, err));
    IX_TRY(escaped(c, c->args[1], &new, err));
    if (new.kind != IX_J_STRING)
        return ix_js_not_str(c, 1, err);
    IX_TRY(ix_j_index_argument(c, 2, -1, &most, err));
    return ix_js_replace(c->r, self(c), old, new.string, most, self(c)->safe, out, err);
}

static inox_status justify(ix_jcall *c, ix_jalign align, ix_jvalue *out, inox_error *err)
{
    int64_t width;
    uint32_t fill = ' ';
    bool user = false;
    IX_TRY(ix_j_index_argument(c, 0, 0, &width, err));
    if (ix_j_given(c, 1)) {
        ix_jvalue v;
        IX_TRY(escaped(c, c->args[1], &v, err));
        if (v.kind != IX_J_STRING)
            return ix_j_fail(err, "TypeError",
                             "The fill character must be a unicode character, not %s",
                             ix_j_type_name(v));
        if (ix_j_length(v.string) != 1)
            return ix_j_fail(err, "TypeError",
                             "The fill character must be exactly one character long");
        ix_jwalk w = { .s = v.string };
        (void)ix_jwalk_next(&w, &fill, &user);
    }
    return ix_js_justify(c->r, self(c), align, width, fill, user, self(c)->safe, out, err);
}

static inox_status center(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return justify(c, IX_J_CENTER, out, err);
}
static inox_status ljust(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return justify(c, IX_J_LJUST, out, err);
}
static inox_status rjust(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return justify(c, IX_J_RJUST, out, err);
}

static inox_status zfill(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    const ix_jstring *s = self(c);
    ix_jbuilder b = ix_jb(c->r);
    int64_t width, length = (int64_t)ix_j_length(self(c));
    IX_TRY(ix_j_index_argument(c, 0, 0, &width, err));
    size_t sign = s->size > 0 && (s->data[0] == '-' || s->data[0] == '+');
    IX_TRY(ix_jb_part(&b, s, 0, sign, err));
    if (width > length)
        IX_TRY(ix_js_fill(&b, '0', false, width - length, err));
    IX_TRY(ix_jb_part(&b, s, sign, s->size, err));
    return finish(c, &b, out, err);
}

static inox_status expandtabs(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    ix_jwalk w = { .s = self(c) };
    int64_t size, column = 0;
    size_t from = 0;
    uint32_t k;
    bool user;
    IX_TRY(ix_j_index_argument(c, 0, 8, &size, err));
    if (size > INT32_MAX || size < INT32_MIN)
        return ix_j_fail(err, "OverflowError", "Python int too large to convert to C int");
    IX_TRY(ix_j_steps(c->r, self(c)->size / 16 + 1, err));
    for (size_t at = 0; ix_jwalk_next(&w, &k, &user); at = w.at) {
        if (k == '\t') {
            int64_t spaces = size > 0 ? size - column % size : 0;
            IX_TRY(ix_jb_part(&b, self(c), from, at, err));
            IX_TRY(ix_js_fill(&b, ' ', user, spaces, err));
            from = w.at;
            column += spaces;
        } else {
            column = k == '\n' || k == '\r' ? 0 : column + 1;
        }
    }
    IX_TRY(ix_jb_part(&b, self(c), from, self(c)->size, err));
    return finish(c, &b, out, err);
}

/* table[k] as str.translate asks for it; IX_J_MISSING where that is a LookupError. */
static inox_status translation(ix_jcall *c, uint32_t k, ix_jvalue *out, inox_error *err)
{
    ix_jvalue table = c->args[0], *found = NULL;
    *out = ix_j_missing();
    switch (table.kind) {
    case IX_J_DICT:
        IX_TRY(ix_j_dict_get(c->r, table.dict, ix_j_int(k), &found, err));
        if (found)
            *out = *found;
        return INOX_OK;
    case IX_J_LIST:
    case IX_J_TUPLE:
        if (k < table.list->count)
            *out = table.list->items[k];
        return INOX_OK;
    case IX_J_STRING:
        if (k < ix_j_length(table.string)) {
            size_t at = ix_j_byte_of(table.string, k), n;
            IX_TRY(ix_j_steps(c->r, k / 32, err));
            (void)ix_js_read(table.string, at, &n);
            return ix_j_slice(c->r, table.string, at, at + n, out, err);
        }
        return INOX_OK;
    case IX_J_RANGE:
        if ((int64_t)k < table.range->count)
            *out = ix_j_int(table.range->start + (int64_t)k * table.range->step);
        return INOX_OK;
    case IX_J_UNDEFINED: return ix_j_undefined_error(c->r, table, err);
    default:
        return ix_j_fail(err, "TypeError", "'%s' object is not subscriptable",
                         ix_j_type_name(table));
    }
}

static inox_status translate(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    ix_jwalk w = { .s = self(c) };
    ix_jvalue to;
    uint32_t k;
    bool user;
    while (ix_jwalk_next(&w, &k, &user)) {
        IX_TRY(ix_j_steps(c->r, 1, err));
        IX_TRY(translation(c, k, &to, err));
        if (to.kind == IX_J_BOOL)
            to = ix_j_int(to.boolean);
        if (to.kind == IX_J_MISSING) {
            IX_TRY(ix_jb_character(&b, k, user, err));
        } else if (to.kind == IX_J_STRING) {
            IX_TRY(ix_jb_string(&b, to.string, err));
        } else if (ix_j_is_int(to)) {
            if (to.kind == IX_J_BIG || to.integer < 0 || to.integer > 0x10FFFF)
                return ix_j_fail(err, "ValueError", "character mapping must be in range(0x110000)");
            IX_TRY(ix_jb_character(&b, (uint32_t)to.integer, true, err)); /* as by %c */
        } else if (to.kind != IX_J_NONE) {
            return ix_j_fail(err, "TypeError",
                             "character mapping must return integer, None or str");
        }
    }
    return finish(c, &b, out, err);
}

static inox_status maketrans_of_dict(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jvalue from = c->args[0];
    size_t n;
    if (from.kind != IX_J_DICT)
        return ix_j_fail(err, "TypeError",
                         "if you give only one argument to maketrans it must be a dict");
    for (size_t i = 0; i < from.dict->count; i++) {
        ix_jvalue key = from.dict->pairs[i].key;
        if (key.kind == IX_J_STRING && ix_j_length(key.string) != 1)
            return ix_j_fail(err, "ValueError",
                             "string keys in translate table must be of length 1");
        if (key.kind == IX_J_STRING)
            key = ix_j_int(ix_js_read(key.string, 0, &n));
        else if (!ix_j_is_int(key))
            return ix_j_fail(err, "TypeError",
                             "keys in translate table must be strings or integers");
        IX_TRY(ix_j_dict_set(c->r, *out, key, from.dict->pairs[i].value, err));
    }
    return INOX_OK;
}

static inox_status maketrans(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jstring *from, *to, *gone;
    uint32_t a, z;
    bool user;
    IX_TRY(ix_j_dict(c->r, 8, out, err));
    if (!ix_j_given(c, 1))
        return maketrans_of_dict(c, out, err);
    if (c->args[0].kind != IX_J_STRING)
        return ix_j_fail(err, "TypeError",
                         "first maketrans argument must be a string if there is "
                         "a second argument");
    IX_TRY(ix_js_argument(c, 0, &from, err));
    IX_TRY(ix_js_argument(c, 1, &to, err));
    if (ix_j_length(from) != ix_j_length(to))
        return ix_j_fail(err, "ValueError",
                         "the first two maketrans arguments must have equal length");
    ix_jwalk w = { .s = from }, v = { .s = to };
    while (ix_jwalk_next(&w, &a, &user) && ix_jwalk_next(&v, &z, &user))
        IX_TRY(ix_j_dict_set(c->r, *out, ix_j_int(a), ix_j_int(z), err));
    if (!ix_j_given(c, 2))
        return INOX_OK;
    IX_TRY(ix_js_argument(c, 2, &gone, err));
    for (w = (ix_jwalk){ .s = gone }; ix_jwalk_next(&w, &a, &user);)
        IX_TRY(ix_j_dict_set(c->r, *out, ix_j_int(a), ix_j_none(), err));
    return INOX_OK;
}

/* ---- format ---------------------------------------------------------------------------------- */

static inox_status format(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ix_js_format(c->r, self(c), c->rest, c->rest_count, c->keywords, c->keyword_count,
                        ix_j_missing(), out, err);
}

static inox_status format_map(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    if (c->keyword_count > 0)
        return ix_j_fail(err, "TypeError", "format_map() takes no keyword arguments");
    if (c->rest_count != 1)
        return ix_j_fail(err, "TypeError", "format_map() takes exactly one argument (%zu given)",
                         c->rest_count);
    return ix_js_format(c->r, self(c), NULL, 0, NULL, 0, c->rest[0], out, err);
}

/* ---- Markup's own ---------------------------------------------------------------------------- */

static inox_status markup_striptags(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ix_js_strip_tags(c->r, self(c), out, err);
}

static inox_status markup_unescape(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    return ix_js_unescape(c->r, self(c), out, err);
}

static inox_status markup_escape(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jbuilder b = ix_jb(c->r);
    IX_TRY(ix_jb_escape(&b, c->args[0], err));
    return ix_jb_finish(&b, true, out, err);
}

static const ix_jentry markup_methods[] = {
    { .name = "striptags", .run = markup_striptags, .positional = true },
    { .name = "unescape", .run = markup_unescape, .positional = true },
    { .name = "escape",
      .run = markup_escape,
      .parameters = { "s" },
      .required = 1,
      .positional = true },
    { .name = NULL },
};

/* The method of that name where the string is Markup; a str has no such attribute. */
static inox_status markup_only(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    ix_jmethod *method;
    *out = ix_j_missing();
    if (!self(c)->safe)
        return INOX_OK;
    IX_TRY(IX_J_ALLOC(c->r, &method, 1, err));
    method->entry = ix_j_find_entry(markup_methods, c->entry->name, strlen(c->entry->name));
    method->self = c->self;
    *out = (ix_jvalue){ .kind = IX_J_FUNCTION, .method = method };
    return INOX_OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define NO_ARGUMENTS(n)                                                                            \
    {                                                                                              \
        .name = #n, .run = str_##n, .positional = true                                             \
    }
#define POSITIONAL(n, least, ...)                                                                  \
    {                                                                                              \
        .name = #n, .run = n, .parameters = { __VA_ARGS__ }, .required = least, .positional = true \
    }

const ix_jentry ix_j_string_methods[] = {
    NO_ARGUMENTS(upper),
    NO_ARGUMENTS(lower),
    NO_ARGUMENTS(casefold),
    NO_ARGUMENTS(swapcase),
    NO_ARGUMENTS(title),
    NO_ARGUMENTS(capitalize),
    NO_ARGUMENTS(isalpha),
    NO_ARGUMENTS(isdigit),
    NO_ARGUMENTS(isdecimal),
    NO_ARGUMENTS(isnumeric),
    NO_ARGUMENTS(isalnum),
    NO_ARGUMENTS(isspace),
    NO_ARGUMENTS(isprintable),
    NO_ARGUMENTS(isascii),
    NO_ARGUMENTS(isidentifier),
    NO_ARGUMENTS(islower),
    NO_ARGUMENTS(isupper),
    NO_ARGUMENTS(istitle),
    POSITIONAL(find, 1, "sub", "start", "end"),
    POSITIONAL(rfind, 1, "sub", "start", "end"),
    { .name = "index",
      .run = str_index,
      .parameters = { "sub", "start", "end" },
      .required = 1,
      .positional = true },
    { .name = "rindex",
      .run = str_rindex,
      .parameters = { "sub", "start", "end" },
      .required = 1,
      .positional = true },
    POSITIONAL(count, 1, "sub", "start", "end"),
    POSITIONAL(startswith, 1, "prefix", "start", "end"),
    POSITIONAL(endswith, 1, "suffix", "start", "end"),
    POSITIONAL(removeprefix, 1, "prefix"),
    POSITIONAL(removesuffix, 1, "suffix"),
    POSITIONAL(strip, 0, "chars"),
    POSITIONAL(lstrip, 0, "chars"),
    POSITIONAL(rstrip, 0, "chars"),
    { .name = "split", .run = split, .parameters = { "sep", "maxsplit" } },
    { .name = "rsplit", .run = rsplit, .parameters = { "sep", "maxsplit" } },
    { .name = "splitlines", .run = splitlines, .parameters = { "keepends" } },
    POSITIONAL(partition, 1, "sep"),
    POSITIONAL(rpartition, 1, "sep"),
    POSITIONAL(join, 1, "iterable"),
    POSITIONAL(replace, 2, "old", "new", "count"),
    POSITIONAL(center, 1, "width", "fillchar"),
    POSITIONAL(ljust, 1, "width", "fillchar"),
    POSITIONAL(rjust, 1, "width", "fillchar"),
    POSITIONAL(zfill, 1, "width"),
    { .name = "expandtabs", .run = expandtabs, .parameters = { "tabsize" } },
    POSITIONAL(translate, 1, "table"),
    POSITIONAL(maketrans, 1, "x", "y", "z"),
    { .name = "format", .run = format, .rest = true, .keywords = true },
    { .name = "format_map", .run = format_map, .rest = true, .keywords = true },
    { .name = "striptags", .run = markup_only, .property = true },
    { .name = "unescape", .run = markup_only, .property = true },
    { .name = "escape", .run = markup_only, .property = true },
    { .name = "encode", .excluded = "templates make text, and there is no type for bytes" },
    { .name = NULL },
};
