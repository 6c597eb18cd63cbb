/* urlize: links around what looks like an address, as jinja2's utils.urlize finds them.  Its
 * regular expressions are written out as code here: what stands before the first of : / ? # is the
 * host. */
#include "text/jinja/filters.h"

#include <string.h>

typedef struct part {
    size_t start, end;
} part;

typedef struct urlize {
    ix_jcall *c;
    ix_jbuilder b;
    ix_jstring *s; /* the text, escaped */
    ix_jstring *attributes;
    bool trims; /* argument 1 says how many characters are shown */
    const ix_jlist *schemes;
} urlize;

static bool is_word(uint32_t c)
{
    return c == '_' || ix_char_is(c, IX_CHAR_ALNUM);
}

/* [a-z] of Python's expressions when case is ignored: four more letters fall under it. */
static bool is_latin(uint32_t c)
{
    return (c < 128 && (c | 32) >= 'a' && (c | 32) <= 'z') || c == 0x130 || c == 0x131 ||
           c == 0x17F || c == 0x212A;
}

static bool same_letter(uint32_t c, char small)
{
    return (c < 128 && (c | 32) == (uint32_t)small && small >= 'a') || c == (uint32_t)small ||
           (small == 's' && c == 0x17F) || (small == 'i' && (c == 0x130 || c == 0x131)) ||
           (small == 'k' && c == 0x212A);
}

/* Where `word` (small letters) ends in s[at, end), in any case; 0 if it is not there. */
static size_t skip_word(const ix_jstring *s, size_t at, size_t end, const char *word)
{
    size_t n;
    for (; *word; word++, at += n)
        if (at >= end || !same_letter(ix_js_read(s, at, &n), *word))
            return 0;
    return at;
}

static bool starts_with(const ix_jstring *s, part p, const char *word)
{
    size_t n = strlen(word);
    return p.end - p.start >= n && memcmp(s->data + p.start, word, n) == 0;
}

/* Characters in s[start, end), and whether all of them are \w, % or -. */
static size_t label_length(const ix_jstring *s, size_t start, size_t end, bool *all)
{
    size_t n, count = 0;
    *all = true;
    for (size_t at = start; at < end; at += n, count++) {
        uint32_t c = ix_js_read(s, at, &n);
        *all = *all && (is_word(c) || c == '%' || c == '-');
    }
    return count;
}

/* Every label of s[start, end), each with its dot, has `least` to `most` characters. */
static bool are_labels(const ix_jstring *s, size_t start, size_t end, size_t least, size_t most)
{
    while (start < end) {
        bool all;
        size_t dot = start;
        while (dot < end && s->data[dot] != '.')
            dot++;
        size_t count = label_length(s, start, dot, &all);
        if (dot == end || !all || count < least || count > most)
            return false;
        start = dot + 1;
    }
    return true;
}

/* [a-z]{2,63} or xn--[\w%]{2,59} */
static bool is_any_domain(const ix_jstring *s, size_t start, size_t end)
{
    size_t n, count = 0, rest = skip_word(s, start, end, "xn--");
    bool letters = true, name = true;
    for (size_t at = start; at < end; at += n, count++)
        letters = letters && is_latin(ix_js_read(s, at, &n));
    if (letters)
        return count >= 2 && count <= 63;
    if (rest == 0)
        return false;
    count = 0;
    for (size_t at = rest; at < end; at += n, count++) {
        uint32_t c = ix_js_read(s, at, &n);
        name = name && (is_word(c) || c == '%');
    }
    return name && count >= 2 && count <= 59;
}

static bool is_known_domain(const ix_jstring *s, size_t start, size_t end)
{
    static const char *const known[] = { "com", "net", "int", "edu", "gov", "org", "info", "mil" };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (skip_word(s, start, end, known[i]) == end)
            return true;
    return false;
}

static bool is_decimal(const ix_jstring *s, size_t at, size_t *n)
{
    return ix_char_is(ix_js_read(s, at, n), IX_CHAR_DECIMAL);
}

static bool is_ipv4(const ix_jstring *s, size_t start, size_t end)
{
    size_t n, digits = 0, groups = 1;
    for (size_t at = start; at < end; at += n) {
        if (is_decimal(s, at, &n)) {
            digits++;
        } else if (s->data[at] == '.' && digits > 0) {
            groups++;
            digits = 0;
        } else {
            return false;
        }
        if (digits > 3)
            return false;
    }
    return groups == 4 && digits > 0;
}

/* The end of [...] with an IPv6 address at `start`, or 0. */
static size_t skip_ipv6(const ix_jstring *s, size_t start, size_t end)
{
    size_t n, at = start + 1, groups = 0;
    if (start >= end || s->data[start] != '[')
        return 0;
    while (at < end && s->data[at] != ']') {
        size_t digits = 0;
        for (; at < end && digits < 4; at += n, digits++) {
            uint32_t c = ix_js_read(s, at, &n);
            bool letter = c < 128 && (c | 32) >= 'a' && (c | 32) <= 'f';
            if (!letter && !ix_char_is(c, IX_CHAR_DECIMAL))
                break;
        }
        bool colon = at < end && s->data[at] == ':';
        at += colon;
        if ((digits == 0 && !colon) || (groups < 2 && !colon) || ++groups > 8)
            return 0;
    }
    return at < end && groups >= 2 ? at + 1 : 0;
}

/* An optional port, then an optional path: all of s[at, end). */
static bool is_rest(const ix_jstring *s, size_t at, size_t end)
{
    size_t n, digits = 0;
    if (at < end && s->data[at] == ':') {
        for (at++; at < end && digits < 6 && is_decimal(s, at, &n); at += n)
            digits++;
        if (digits < 1 || digits > 5)
            return false;
    }
    return at == end || s->data[at] == '/' || s->data[at] == '?' || s->data[at] == '#';
}

static bool is_link(const ix_jstring *s, part p)
{
    size_t scheme = skip_word(s, p.start, p.end, "https://"), www, host, dot, address;
    if (scheme == 0)
        scheme = skip_word(s, p.start, p.end, "http://");
    www = skip_word(s, p.start, p.end, "www.");
    size_t start = scheme > 0 ? scheme : www > 0 ? www : p.start;
    for (int with_prefix = start > p.start; with_prefix >= 0; with_prefix--) {
        size_t from = with_prefix ? start : p.start;
        for (host = from; host < p.end && !strchr(":/?#", s->data[host]); host++)
            ;
        for (dot = host; dot > from && s->data[dot - 1] != '.'; dot--)
            ;
        if (!is_rest(s, host, p.end))
            continue;
        if (with_prefix
                ? are_labels(s, from, dot, 1, SIZE_MAX) && is_any_domain(s, dot, host)
                : dot > from && are_labels(s, from, dot, 2, 63) && is_known_domain(s, dot, host))
            return true;
        if (with_prefix && scheme > 0 && is_ipv4(s, from, host))
            return true;
    }
    address = scheme > 0 ? skip_ipv6(s, scheme, p.end) : 0;
    return address > 0 && is_rest(s, address, p.end);
}

/* \S+@\w[\w.-]*\.\w+ */
static bool is_mail(const ix_jstring *s, part p)
{
    size_t n, at = p.end, dot = 0, last = 0;
    while (at > p.start && s->data[at - 1] != '@')
        at--;
    if (at < p.start + 2 || at >= p.end || !is_word(ix_js_read(s, at, &n)))
        return false;
    for (size_t i = at; i < p.end; i += n) {
        uint32_t c = ix_js_read(s, i, &n);
        if (c == '.')
            dot = last = i;
        else if (c == '-')
            last = i;
        else if (!is_word(c))
            return false;
    }
    return dot > at && last == dot && dot + 1 < p.end;
}

/* ---- one word -------------------------------------------------------------------------------- */

static size_t count_of(const ix_jstring *s, part p, const char *what)
{
    size_t n = 0, length = strlen(what);
    for (size_t i = p.start; i + length <= p.end; i++)
        if (memcmp(s->data + i, what, length) == 0) {
            n++;
            i += length - 1;
        }
    return n;
}

static bool ends_with(const ix_jstring *s, part p, const char *what)
{
    size_t n = strlen(what);
    return p.end - p.start >= n && memcmp(s->data + p.end - n, what, n) == 0;
}

/* Takes brackets and punctuation off both sides of p. */
static void trim(const ix_jstring *s, part *p, size_t tail_end)
{
    static const char *const pairs[3][2] = { { "(", ")" }, { "<", ">" }, { "&lt;", "&gt;" } };
    for (;;) {
        bool one = p->start < p->end && strchr("(<", s->data[p->start]) && s->data[p->start];
        if (!one && !starts_with(s, *p, "&lt;"))
            break;
        p->start += one ? 1 : 4;
    }
    for (;;) {
        bool one =
            p->start < p->end && s->data[p->end - 1] && strchr(")>.,\n", s->data[p->end - 1]);
        if (!one && !ends_with(s, *p, "&gt;"))
            break;
        p->end -= one ? 1 : 4;
    }
    for (size_t k = 0; k < 3; k++) {
        size_t open = count_of(s, *p, pairs[k][0]), length = strlen(pairs[k][1]);
        if (open <= count_of(s, *p, pairs[k][1]))
            continue;
        for (; open > 0; open--) { /* back into the address up to its closing bracket */
            size_t at = p->end;
            while (at + length <= tail_end && memcmp(s->data + at, pairs[k][1], length) != 0)
                at++;
            if (at + length > tail_end)
                break;
            p->end = at + length;
        }
    }
}

static inox_status put_shown(urlize *u, part p, inox_error *err)
{
    ix_jvalue text;
    IX_TRY(ix_j_slice(u->c->r, u->s, p.start, p.end, &text, err));
    ix_jvalue size = ix_j_int((int64_t)ix_j_length(text.string));
    int64_t length = size.integer, keep;
    bool longer = false;
    if (u->trims)
        IX_TRY(ix_j_compare(u->c->r, IX_J_GT, size, u->c->args[1], &longer, err));
    if (!longer)
        return ix_jb_string(&u->b, text.string, err);
    IX_TRY(ix_j_index_argument(u->c, 1, 0, &keep, err));
    if (keep < 0)
        keep = keep < -length ? 0 : keep + length;
    IX_TRY(ix_jb_part(&u->b, text.string, 0, ix_j_byte_of(text.string, (size_t)keep), err));
    return ix_jb_text(&u->b, "...", err);
}

/* <a href="BEFORE p"ATTRIBUTES>shown</a> */
static inox_status put_link(urlize *u, const char *before, part p, bool attributes, part shown,
                            bool trims, inox_error *err)
{
    IX_TRY(ix_jb_text(&u->b, "<a href=\"", err));
    IX_TRY(ix_jb_text(&u->b, before, err));
    IX_TRY(ix_jb_part(&u->b, u->s, p.start, p.end, err));
    IX_TRY(ix_jb_text(&u->b, "\"", err));
    if (attributes)
        IX_TRY(ix_jb_string(&u->b, u->attributes, err));
    IX_TRY(ix_jb_text(&u->b, ">", err));
    if (trims)
        IX_TRY(put_shown(u, shown, err));
    else
        IX_TRY(ix_jb_part(&u->b, u->s, shown.start, shown.end, err));
    return ix_jb_text(&u->b, "</a>", err);
}

static bool has_scheme(const urlize *u, part p)
{
    for (size_t i = 0; u->schemes && i < u->schemes->count; i++) {
        const ix_jstring *scheme = u->schemes->items[i].string;
        size_t n = scheme->size;
        if (p.end - p.start > n && memcmp(u->s->data + p.start, scheme->data, n) == 0)
            return true;
    }
    return false;
}

static inox_status put_word(urlize *u, part word, inox_error *err)
{
    const ix_jstring *s = u->s;
    part p = word;
    trim(s, &p, word.end);
    part address = { p.start + 7, p.end };
    bool mailto = starts_with(s, p, "mailto:");
    IX_TRY(ix_j_steps(u->c->r, (word.end - word.start) / 2 + 1, err));
    IX_TRY(ix_jb_part(&u->b, s, word.start, p.start, err));
    if (is_link(s, p)) {
        bool whole = starts_with(s, p, "https://") || starts_with(s, p, "http://");
        IX_TRY(put_link(u, whole ? "" : "https://", p, true, p, true, err));
    } else if (mailto && is_mail(s, address)) {
        IX_TRY(put_link(u, "", p, false, address, false, err));
    } else if (!starts_with(s, p, "www.") && !starts_with(s, p, "@") && count_of(s, p, ":") == 0 &&
               is_mail(s, p)) {
        IX_TRY(put_link(u, "mailto:", p, false, p, false, err));
    } else if (has_scheme(u, p)) {
        IX_TRY(put_link(u, "", p, true, p, false, err));
    } else {
        IX_TRY(ix_jb_part(&u->b, s, p.start, p.end, err));
    }
    return ix_jb_part(&u->b, s, p.end, word.end, err);
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* [\w.+-]{2,}: and up to two slashes. */
static bool is_scheme(const ix_jstring *s)
{
    size_t n, at = 0, count = 0, end = s->size;
    for (int i = 0; i < 2 && end > 0 && s->data[end - 1] == '/'; i++)
        end--;
    if (end == 0 || s->data[end - 1] != ':')
        return false;
    for (; at < end - 1; at += n, count++) {
        uint32_t c = ix_js_read(s, at, &n);
        if (!is_word(c) && c != '.' && c != '+' && c != '-')
            return false;
    }
    return count >= 2;
}

/* Appends name="value", escaped. */
static inox_status put_attribute(ix_jbuilder *b, const char *name, ix_jvalue value, inox_error *err)
{
    IX_TRY(ix_jb_text(b, name, err));
    IX_TRY(ix_jb_escape(b, value, err));
    return ix_jb_text(b, "\"", err);
}

/* The words of rel, nofollow and noopener: sorted, each once. */
static inox_status relations(urlize *u, ix_jvalue *out, inox_error *err)
{
    ix_jcall *c = u->c;
    ix_jvalue words = ix_j_none(), seen, word, list;
    ix_jbuilder b = ix_jb(c->r);
    bool nofollow, truth = false;
    IX_TRY(ix_j_truth_argument(c, 2, false, &nofollow, err));
    IX_TRY(ix_j_dict(c->r, 4, &seen, err));
    if (ix_j_given(c, 4))
        IX_TRY(ix_j_truth(c->r, c->args[4], &truth, err));
    if (truth && c->args[4].kind != IX_J_STRING)
        return ix_j_fail(err, "AttributeError", "'%s' object has no attribute 'split'",
                         ix_j_type_name(c->args[4]));
    if (truth) {
        const ix_jentry *split = ix_j_find_entry(ix_j_string_methods, "split", 5);
        IX_TRY(ix_j_call_entry(c->r, split, c->args[4], NULL, 0, NULL, 0, &words, err));
        for (size_t i = 0; i < words.list->count; i++)
            IX_TRY(ix_j_dict_set(c->r, seen, words.list->items[i], ix_j_none(), err));
    }
    IX_TRY(ix_j_string_view(c->r, "noopener", 8, &word, err));
    IX_TRY(ix_j_dict_set(c->r, seen, word, ix_j_none(), err));
    IX_TRY(ix_j_string_view(c->r, "nofollow", 8, &word, err));
    if (nofollow)
        IX_TRY(ix_j_dict_set(c->r, seen, word, ix_j_none(), err));
    IX_TRY(ix_j_to_list(c->r, seen, &list, err));
    IX_TRY(ix_j_to_list(c->r, seen, &words, err));
    IX_TRY(
        ix_j_sort(c->r, words.list->items, list.list->items, list.list->count, false, NULL, err));
    for (size_t i = 0; i < list.list->count; i++) {
        if (i > 0)
            IX_TRY(ix_jb_text(&b, " ", err));
        IX_TRY(ix_jb_string(&b, list.list->items[i].string, err));
    }
    return ix_jb_finish(&b, false, out, err);
}

static inox_status read_arguments(urlize *u, inox_error *err)
{
    ix_jcall *c = u->c;
    ix_jvalue value, list;
    bool target = false;
    IX_TRY(relations(u, &value, err));
    IX_TRY(put_attribute(&u->b, " rel=\"", value, err));
    if (ix_j_given(c, 3))
        IX_TRY(ix_j_truth(c->r, c->args[3], &target, err));
    if (target)
        IX_TRY(put_attribute(&u->b, " target=\"", c->args[3], err));
    IX_TRY(ix_jb_finish(&u->b, false, &value, err));
    u->attributes = value.string;
    u->trims = ix_j_given(c, 1) && c->args[1].kind != IX_J_NONE;
    if (!ix_j_given(c, 5) || c->args[5].kind == IX_J_NONE)
        return INOX_OK;
    IX_TRY(ix_j_to_list(c->r, c->args[5], &list, err));
    u->schemes = list.list;
    for (size_t i = 0; i < list.list->count; i++) {
        ix_jvalue scheme = list.list->items[i];
        if (scheme.kind != IX_J_STRING)
            return ix_j_fail(err, "TypeError", "expected string or bytes-like object, got '%s'",
                             ix_j_type_name(scheme));
        if (!is_scheme(scheme.string))
            return ix_j_fail(err, "FilterArgumentError", "'%.*s' is not a valid URI scheme prefix.",
                             scheme.string->size < 60 ? (int)scheme.string->size : 60,
                             scheme.string->data);
    }
    return INOX_OK;
}

inox_status ix_jf_urlize(ix_jcall *c, ix_jvalue *out, inox_error *err)
{
    urlize u = { .c = c, .b = ix_jb(c->r) };
    ix_jvalue text;
    size_t n;
    IX_TRY(read_arguments(&u, err));
    IX_TRY(ix_jb_escape(&u.b, c->args[0], err));
    IX_TRY(ix_jb_finish(&u.b, false, &text, err));
    const ix_jstring *s = u.s = text.string;
    for (size_t at = 0; at < s->size;) {
        part word = { at, at };
        while (at < s->size && !ix_char_is(ix_js_read(s, at, &n), IX_CHAR_SPACE))
            at += n;
        word.end = at;
        IX_TRY(put_word(&u, word, err));
        word.start = at;
        while (at < s->size && ix_char_is(ix_js_read(s, at, &n), IX_CHAR_SPACE))
            at += n;
        IX_TRY(ix_jb_part(&u.b, s, word.start, at, err));
    }
    return ix_jb_finish(&u.b, c->autoescape, out, err);
}
