/* SentencePiece's normalizer: a character map and the treatment of spaces, in one pass.
 *
 * The order of things is that of Normalizer::Normalize of SentencePiece 0.2.3: at each place the
 * longest user-defined piece is kept as it is, else the longest rule of the map applies, else one
 * character is taken, or one byte that is no UTF-8 and becomes U+FFFD.  Then spaces, those that the
 * map made among them, are squeezed, escaped to U+2581 and put in front.
 */
#include "text/spm.h"

#include "base/limits.h"
#include "text/charsmap.h"
#include "text/fast_parts.h"
#include "text/unicode.h"
#include "text/unigram_words.h"
#include "text/vocab.h"

#include <string.h>

enum { PART = 4096 }; /* bytes of a part that may end anywhere */

struct ix_spm_normalizer {
    ix_charsmap *map; /* or NULL */
    ix_special_trie users;
    bool dummy_prefix, squeeze, suffix;
    const char *space; /* what a space becomes */
    size_t space_size;
    /* A byte of ASCII with another one or nothing behind it becomes one space; stays as it is and
     * comes from where it stands; or [1] stays as it is. */
    bool blank[128], plain[2][128];
    bool many_users;  /* user-defined pieces begin with bytes of plain[1] */
    bool well_formed; /* whatever the text, the normalized one is UTF-8 */
    ix_byte_marks marks[2];
};

void ix_spm_text_release(ix_spm_text *t)
{
    ix_free(t->data);
    ix_free(t->origins);
    *t = (ix_spm_text){ 0 };
}

void ix_spm_normalizer_free(ix_spm_normalizer *z)
{
    if (!z)
        return;
    ix_charsmap_free(z->map);
    ix_special_trie_release(&z->users);
    ix_free(z);
}

static inox_status add_users(ix_spm_normalizer *z, const ix_text_view *users, size_t count,
                             inox_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += users[i].size;
    IX_TRY(ix_special_trie_new(&z->users, total, err));
    for (size_t i = 0; i < count; i++)
        ix_special_add(&z->users, users[i].data, users[i].size, (int32_t)i);
    return INOX_OK;
}

/* Which bytes of ASCII stay as they are: those that no rule begins with, and no user-defined piece.
 * But where such a piece is of these bytes only, it does not change them: all of it then comes from
 * its beginning. */
static void find_plain(ix_spm_normalizer *z, const ix_text_view *users, size_t count)
{
    bool *plain = z->plain[1];
    for (int c = 0; c < 128; c++) {
        plain[c] = c != ' ' && !(z->map && ix_charsmap_begins_ascii(z->map, (unsigned char)c));
        z->plain[0][c] = plain[c] && !z->users.first.is[c];
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < count; i++) {
            unsigned char first = users[i].size > 0 ? (unsigned char)*users[i].data : 128;
            bool same = true;
            for (size_t k = 0; k < users[i].size && same; k++)
                same = (unsigned char)users[i].data[k] < 128 && plain[(int)users[i].data[k]];
            if (!same && first < 128 && plain[first])
                plain[first] = false, changed = true;
        }
    }
    for (int c = 0; c < 128; c++)
        z->many_users = z->many_users || (plain[c] && z->users.first.is[c]);
}

static void make_marks(const ix_spm_normalizer *z, const bool plain[128], ix_byte_marks *m)
{
    for (const char *c = " \n\r\t"; *c; c++)
        if (z->blank[(unsigned char)*c])
            m->space[m->spaces++] = *c;
    ix_make_ranges(m, plain);
}

/* What the bytes of ASCII become. */
static void make_classes(ix_spm_normalizer *z)
{
    ix_text_view to;
    for (int c = 0; c < 128; c++) {
        char byte = (char)c;
        bool mapped = z->map && ix_charsmap_begins_ascii(z->map, (unsigned char)c);
        z->blank[c] = !z->users.first.is[c] &&
                      (mapped ? !ix_charsmap_pairs_ascii(z->map, (unsigned char)c) &&
                                    ix_charsmap_longest(z->map, &byte, 1, &to) == 1 &&
                                    to.size == 1 && *to.data == ' '
                              : c == ' ');
    }
    for (int i = 0; i < 2; i++)
        make_marks(z, z->plain[i], &z->marks[i]);
}

inox_status ix_spm_normalizer_new(const ix_spm_rules *rules, bool space_is_suffix,
                                  const ix_text_view *users, size_t user_count,
                                  ix_spm_normalizer **out, inox_error *err)
{
    ix_spm_normalizer *z;
    *out = NULL;
    IX_TRY(IX_ALLOC(&z, 1, err));
    z->dummy_prefix = rules->add_dummy_prefix;
    z->squeeze = rules->remove_extra_whitespaces;
    z->suffix = space_is_suffix;
    z->space = rules->escape_whitespaces ? "\xE2\x96\x81" : " ";
    z->space_size = strlen(z->space);
    inox_status status = add_users(z, users, user_count, err);
    if (status == INOX_OK && rules->charsmap.size > 0)
        status = ix_charsmap_new(rules->charsmap.data, rules->charsmap.size, &z->map, err);
    if (status != INOX_OK) {
        ix_spm_normalizer_free(z);
        return status;
    }
    z->well_formed = !z->map || ix_charsmap_is_text(z->map);
    for (size_t i = 0; i < user_count; i++)
        z->well_formed =
            z->well_formed && ix_utf8_good(users[i].data, users[i].size) == users[i].size;
    find_plain(z, users, user_count);
    make_classes(z);
    *out = z;
    return INOX_OK;
}

static inox_status grow(ix_spm_text *t, size_t more, inox_error *err)
{
    if (t->size + more > 2 * IX_MAX_TEXT_BYTES - 16)
        return ix_fail(err, INOX_E_LIMIT, "the text is too long when it is normalized");
    size_t capacity = (t->size + more) * 3 / 2 + 64;
    IX_TRY(IX_REALLOC(&t->data, capacity, err));
    IX_TRY(IX_REALLOC(&t->origins, capacity + 1, err));
    t->capacity = capacity;
    return INOX_OK;
}

static inline inox_status reserve(ix_spm_text *t, size_t more, inox_error *err)
{
    return more <= t->capacity - t->size ? INOX_OK : grow(t, more, err);
}

/* Room is there. */
static inline void append(ix_spm_text *t, const char *bytes, size_t n, size_t origin)
{
    memcpy(t->data + t->size, bytes, n);
    for (size_t i = 0; i < n; i++)
        t->origins[t->size + i] = (uint32_t)origin;
    t->size += n;
}

/* 3 where a character of U+1000..U+CFFF or U+E000..U+FFFF is at p, as most letters of three bytes
 * are; else 0. */
static inline size_t common_character(const char *p, size_t left)
{
    unsigned char lead = (unsigned char)*p;
    bool common = lead > 0xE0 && lead < 0xF0 && lead != 0xED && left >= 3;
    return common && ((unsigned char)p[1] & 0xC0) == 0x80 && ((unsigned char)p[2] & 0xC0) == 0x80
               ? 3
               : 0;
}

/* What the beginning of p[0..left) becomes; returns how many bytes that takes.  left > 0. */
static inline size_t prefix(const ix_spm_normalizer *z, const char *p, size_t left,
                            ix_text_view *becomes)
{
    size_t n;
    if (z->users.first.is[(unsigned char)*p] && ix_special_match(&z->users, p, left, &n) >= 0) {
        *becomes = (ix_text_view){ p, n };
        return n;
    }
    if (z->map && (n = ix_charsmap_longest(z->map, p, left, becomes)) > 0)
        return n;
    bool whole = true, bad = false;
    n = common_character(p, left);
    if (n == 0)
        n = ix_utf8_prefix(p, left, &whole, &bad);
    if (whole && !bad) {
        *becomes = (ix_text_view){ p, n };
        return n;
    }
    *becomes = (ix_text_view){ "\xEF\xBF\xBD", 3 };
    return 1;
}

/* Bytes of p[0..left) that stay as they are, told without a look at the map. */
static size_t plain_run(const ix_spm_normalizer *z, bool only_text, const char *p, size_t left)
{
    const bool *plain = z->plain[only_text];
    size_t n = 0;
    while (n < left && (unsigned char)p[n] < 128 && plain[(unsigned char)p[n]])
        n++;
    if (n == left || (unsigned char)p[n] < 128)
        return n;
    for (size_t i = 0; i < n && only_text && z->many_users; i++)
        if (z->users.first.is[(unsigned char)p[i]])
            return i;         /* user-defined pieces decide where a rule may begin */
    return n > 0 ? n - 1 : 0; /* a rule may begin with the last one and go on */
}

static bool ends_in_space(const ix_spm_normalizer *z, const ix_spm_text *out)
{
    return out->size >= z->space_size &&
           memcmp(out->data + out->size - z->space_size, z->space, z->space_size) == 0;
}

/* Whether a part may end here.  Where ASCII follows, words come that need not be normalized; else
 * the part has grown large. */
static bool may_stop(const ix_spm_normalizer *z, const ix_spm_cursor *c, const ix_spm_text *out)
{
    const unsigned char *p = (const unsigned char *)c->text + c->at;
    ix_text_view now;
    if (*p >= 128 || !z->blank[*p] || out->size == 0 || ends_in_space(z, out))
        return false;
    if (c->size - c->at >= IX_UNIGRAM_LOOKAHEAD && p[1] < 128 &&
        (z->plain[c->only_text][p[1]] || (z->squeeze && z->blank[p[1]])))
        return true;
    return out->size >= PART && prefix(z, c->text + c->at, c->size - c->at, &now) == 1 &&
           now.size == 1 && *now.data == ' ';
}

/* The same of a part that ends behind a space. */
static bool may_stop_behind(const ix_spm_normalizer *z, const ix_spm_cursor *c,
                            const ix_spm_text *out)
{
    const unsigned char *p = (const unsigned char *)c->text + c->at;
    ix_text_view now;
    bool fast = *p < 128 && z->plain[c->only_text][*p] && c->size - c->at >= IX_UNIGRAM_LOOKAHEAD &&
                p[1] < 128;
    if ((!fast && out->size < PART) || !ends_in_space(z, out))
        return false;
    return fast || (prefix(z, c->text + c->at, c->size - c->at, &now) > 0 && now.size > 0 &&
                    *now.data != ' ' &&
                    !(now.size >= z->space_size && memcmp(now.data, z->space, z->space_size) == 0));
}

static inox_status body(const ix_spm_normalizer *z, ix_spm_cursor *c, bool stops, ix_spm_text *out,
                        inox_error *err)
{
    const char *text = c->text;
    while (c->at < c->size) {
        ix_text_view now;
        if (stops && (c->behind ? may_stop_behind(z, c, out) : may_stop(z, c, out)))
            return INOX_OK;
        size_t at = c->at, n = plain_run(z, c->only_text, text + at, c->size - at);
        if (n > 0) {
            IX_TRY(reserve(out, n, err));
            memcpy(out->data + out->size, text + at, n);
            for (size_t i = 0; i < n; i++)
                out->origins[out->size + i] = (uint32_t)(at + i);
            out->size += n;
            c->at += n;
            c->after_space = false;
            continue;
        }
        n = prefix(z, text + at, c->size - at, &now);
        if (now.data == text + at && (unsigned char)*now.data >= 128) {
            IX_TRY(reserve(out, n, err));
            append(out, now.data, n, at);
            c->at += n;
            c->after_space = false;
            continue;
        }
        while (c->after_space && now.size > 0 && *now.data == ' ') {
            now.data++;
            now.size--;
        }
        IX_TRY(reserve(out, now.size * 3, err));
        for (size_t i = 0; i < now.size; i++) {
            bool space = now.data[i] == ' ';
            append(out, space ? z->space : now.data + i, space ? z->space_size : 1, at);
        }
        if (now.size > 0)
            c->after_space = now.data[now.size - 1] == ' ';
        c->after_space = c->after_space && z->squeeze;
        c->at += n;
    }
    return INOX_OK;
}

inox_status ix_spm_normalize_begin(const ix_spm_normalizer *z, const char *text, size_t size,
                                   ix_spm_cursor *c, ix_spm_text *out, inox_error *err)
{
    ix_text_view now;
    *c = (ix_spm_cursor){ .text = text, .size = size, .after_space = z->squeeze };
    out->size = 0;
    IX_TRY(reserve(out, z->space_size, err));
    while (z->squeeze && c->at < size) {
        size_t n = prefix(z, text + c->at, size - c->at, &now);
        if (now.size != 1 || *now.data != ' ')
            break;
        c->at += n;
    }
    out->origins[0] = (uint32_t)c->at;
    if (c->at < size && z->dummy_prefix && !z->suffix)
        append(out, z->space, z->space_size, c->at);
    return INOX_OK;
}

inox_status ix_spm_normalize_part(const ix_spm_normalizer *z, ix_spm_cursor *c, bool stops,
                                  ix_spm_text *out, inox_error *err)
{
    IX_TRY(body(z, c, stops, out, err));
    size_t end = c->at;
    if (c->at == c->size) {
        while (z->squeeze && ends_in_space(z, out)) {
            out->size -= z->space_size;
            end = out->origins[out->size];
        }
        IX_TRY(reserve(out, z->space_size, err));
        if (z->dummy_prefix && z->suffix)
            append(out, z->space, z->space_size, end);
    }
    out->origins[out->size] = (uint32_t)end;
    return INOX_OK;
}

inox_status ix_spm_normalize(const ix_spm_normalizer *z, const char *text, size_t size,
                             ix_spm_text *out, inox_error *err)
{
    ix_spm_cursor c;
    out->size = 0;
    IX_TRY(reserve(out, size + 4, err));
    IX_TRY(ix_spm_normalize_begin(z, text, size, &c, out, err));
    return c.at == size ? INOX_OK : ix_spm_normalize_part(z, &c, false, out, err);
}

const ix_byte_marks *ix_spm_marks(const ix_spm_normalizer *z, bool only_text)
{
    return z->well_formed && z->space_size == 3 ? &z->marks[only_text] : NULL;
}

bool ix_spm_squeezes(const ix_spm_normalizer *z)
{
    return z->squeeze;
}
