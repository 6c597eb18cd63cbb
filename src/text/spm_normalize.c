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
#include "text/unicode.h"
#include "text/vocab.h"

#include <string.h>

struct ix_spm_normalizer {
    ix_charsmap *map; /* or NULL */
    ix_special_trie users;
    bool dummy_prefix, squeeze, suffix;
    const char *space; /* what a space becomes */
    size_t space_size;
    bool plain[128]; /* this byte, with another of ASCII or nothing behind it, stays as it is */
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
    for (int c = 0; c < 128; c++)
        z->plain[c] = c != ' ' && !z->users.first.is[c] &&
                      !(z->map && ix_charsmap_begins_ascii(z->map, (unsigned char)c));
    *out = z;
    return INOX_OK;
}

static inox_status reserve(ix_spm_text *t, size_t more, inox_error *err)
{
    if (more <= t->capacity - t->size)
        return INOX_OK;
    if (t->size + more > 2 * IX_MAX_TEXT_BYTES - 16)
        return ix_fail(err, INOX_E_LIMIT, "the text is too long when it is normalized");
    size_t capacity = (t->size + more) * 3 / 2 + 64;
    IX_TRY(IX_REALLOC(&t->data, capacity, err));
    IX_TRY(IX_REALLOC(&t->origins, capacity + 1, err));
    t->capacity = capacity;
    return INOX_OK;
}

/* Room is there. */
static void append(ix_spm_text *t, const char *bytes, size_t n, size_t origin)
{
    memcpy(t->data + t->size, bytes, n);
    for (size_t i = 0; i < n; i++)
        t->origins[t->size + i] = (uint32_t)origin;
    t->size += n;
}

/* What the beginning of p[0..left) becomes; returns how many bytes that takes.  left > 0. */
static size_t prefix(const ix_spm_normalizer *z, const char *p, size_t left, ix_text_view *becomes)
{
    size_t n;
    if (z->users.first.is[(unsigned char)*p] && ix_special_match(&z->users, p, left, &n) >= 0) {
        *becomes = (ix_text_view){ p, n };
        return n;
    }
    if (z->map && (n = ix_charsmap_longest(z->map, p, left, becomes)) > 0)
        return n;
    bool whole, bad;
    n = ix_utf8_prefix(p, left, &whole, &bad);
    if (whole && !bad) {
        *becomes = (ix_text_view){ p, n };
        return n;
    }
    *becomes = (ix_text_view){ "\xEF\xBF\xBD", 3 };
    return 1;
}

/* Bytes of p[0..left) that stay as they are, told without a look at the map. */
static size_t plain_run(const ix_spm_normalizer *z, const char *p, size_t left)
{
    size_t n = 0;
    while (n < left && (unsigned char)p[n] < 128 && z->plain[(unsigned char)p[n]])
        n++;
    if (n > 0 && n < left && (unsigned char)p[n] >= 128)
        n--; /* a rule may begin with the last one and go on */
    return n;
}

static inox_status body(const ix_spm_normalizer *z, const char *text, size_t at, size_t size,
                        ix_spm_text *out, inox_error *err)
{
    bool after_space = z->squeeze;
    while (at < size) {
        ix_text_view now;
        size_t n = plain_run(z, text + at, size - at);
        if (n > 0) {
            IX_TRY(reserve(out, n, err));
            memcpy(out->data + out->size, text + at, n);
            for (size_t i = 0; i < n; i++)
                out->origins[out->size + i] = (uint32_t)(at + i);
            out->size += n;
            at += n;
            after_space = false;
            continue;
        }
        n = prefix(z, text + at, size - at, &now);
        while (after_space && now.size > 0 && *now.data == ' ') {
            now.data++;
            now.size--;
        }
        IX_TRY(reserve(out, now.size * 3, err));
        for (size_t i = 0; i < now.size; i++) {
            bool space = now.data[i] == ' ';
            append(out, space ? z->space : now.data + i, space ? z->space_size : 1, at);
        }
        if (now.size > 0)
            after_space = now.data[now.size - 1] == ' ';
        after_space = after_space && z->squeeze;
        at += n;
    }
    return INOX_OK;
}

inox_status ix_spm_normalize(const ix_spm_normalizer *z, const char *text, size_t size,
                             ix_spm_text *out, inox_error *err)
{
    size_t at = 0, end = size;
    ix_text_view now;
    out->size = 0;
    IX_TRY(reserve(out, size + 4, err));
    while (z->squeeze && at < size) {
        size_t n = prefix(z, text + at, size - at, &now);
        if (now.size != 1 || *now.data != ' ')
            break;
        at += n;
    }
    out->origins[0] = (uint32_t)at;
    if (at == size)
        return INOX_OK;
    if (z->dummy_prefix && !z->suffix)
        append(out, z->space, z->space_size, at);
    IX_TRY(body(z, text, at, size, out, err));
    while (z->squeeze && out->size >= z->space_size &&
           memcmp(out->data + out->size - z->space_size, z->space, z->space_size) == 0) {
        out->size -= z->space_size;
        end = out->origins[out->size];
    }
    IX_TRY(reserve(out, z->space_size, err));
    if (z->dummy_prefix && z->suffix)
        append(out, z->space, z->space_size, end);
    out->origins[out->size] = (uint32_t)end;
    return INOX_OK;
}
