/* Where texts may be cut.  See cuts.h.
 *
 *     ... a w o r d | _ n e x t ...          letter, one space, letter
 *     ... the last word | \n ...             letter, line end
 *
 * Such a place is safe if every part of the tokenizer says so:
 *
 *   normalizer      works on characters, or on matches that do not reach over the place, and what
 *                   was a letter, a space or an edge still is (NFD's last letter may be a mark);
 *   pre-tokenizer   ends a piece there; what its stages do behind that one does not matter;
 *                   or the model works on undivided text, and no piece reaches over the place;
 *   added tokens    no spelling reaches over the place, none takes the space behind a letter.
 *
 * Whatever is not known here counts as unsafe: then a stream holds its text until the end.
 */
#include "text/cuts.h"

#include "text/pattern.h"
#include "text/unicode.h"

#include <stdio.h>
#include <string.h>

/* ---- strings --------------------------------------------------------------------------------- */

static bool is_ascii_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_edge(uint32_t c)
{
    return c == '\n' || c == '\r' || c == 0x3001 || c == 0x3002 || c == 0xFF01 || c == 0xFF0C ||
           c == 0xFF1A || c == 0xFF1F;
}

/* The kinds of places over which a string reaches; a space may be written in the ways of Metaspace
 * and GPT-2 too. */
static unsigned reaches_over(const char *text, size_t size)
{
    unsigned over = 0;
    bool letter = false;
    for (size_t at = 0; at < size;) {
        uint32_t c;
        at += ix_utf8_read(text + at, size - at, &c);
        if (letter && (c == ' ' || c == 0x2581 || c == 0x120))
            over |= IX_CUT_SPACE;
        if (letter && is_edge(c))
            over |= IX_CUT_EDGE;
        letter = (ix_unicode_properties(c) & IX_LETTER) != 0;
    }
    return over;
}

static bool is_listed(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static bool is_named(const json_t *j, const char *const *names)
{
    const char *type = json_string_value(json_object_get(j, "type"));
    return type && is_listed(type, names);
}

/* ---- lists inside lists ---------------------------------------------------------------------- */

enum { DEPTH_MAX = 16 };

/* Walks over the stages of a Sequence, however nested. */
typedef struct walk {
    const char *key; /* of the list of a Sequence */
    const json_t *lists[DEPTH_MAX];
    size_t at[DEPTH_MAX];
    int depth;
    bool too_deep;
} walk;

static bool enter(walk *w, const json_t *j)
{
    static const char *const sequence[] = { "Sequence", NULL };
    if (!is_named(j, sequence))
        return false;
    if (w->depth == DEPTH_MAX) {
        w->too_deep = true;
        return true;
    }
    w->lists[w->depth] = json_object_get(j, w->key);
    w->at[w->depth++] = 0;
    return true;
}

/* The next stage that is no Sequence, or NULL. */
static const json_t *next_stage(walk *w)
{
    while (w->depth > 0) {
        int top = w->depth - 1;
        const json_t *j = json_array_get(w->lists[top], w->at[top]++);
        if (!j)
            w->depth--;
        else if (!enter(w, j))
            return j;
    }
    return NULL;
}

static const json_t *first_stage(walk *w, const json_t *j)
{
    return enter(w, j) ? next_stage(w) : j;
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* A string that is replaced: nothing is known of its letters then, nor of the edges in it. */
static unsigned cuts_of_replace(const char *text, size_t size)
{
    unsigned cuts = (IX_CUT_SPACE | IX_CUT_EDGE) & ~reaches_over(text, size);
    for (size_t at = 0; at < size;) {
        uint32_t c;
        at += ix_utf8_read(text + at, size - at, &c);
        if (ix_unicode_properties(c) & IX_LETTER)
            return 0;
        if (is_edge(c))
            cuts &= ~(unsigned)IX_CUT_EDGE;
    }
    return cuts;
}

/* Without looking at what becomes of single characters. */
static unsigned cuts_of_normalizer(const json_t *normalizer)
{
    static const char *const good[] = { "NFC",       "NFD",          "NFKC",  "NFKD",
                                        "Lowercase", "StripAccents", "Nmt",   "BertNormalizer",
                                        "Prepend",   "Precompiled",  "Strip", NULL };
    static const char *const replace[] = { "Replace", NULL };
    static const char *const runs[] = { " {2,}", "\\s+", " +", "\\s{2,}", NULL };
    walk w = { .key = "normalizers" };
    unsigned cuts = IX_CUT_SPACE | IX_CUT_EDGE;
    if (!normalizer || json_is_null(normalizer))
        return cuts;
    for (const json_t *j = first_stage(&w, normalizer); j && cuts; j = next_stage(&w)) {
        const json_t *pattern = json_object_get(j, "pattern");
        const json_t *string = json_object_get(pattern, "String");
        const char *expression = json_string_value(json_object_get(pattern, "Regex"));
        bool known = expression && is_listed(expression, runs);
        if (is_named(j, good) || (is_named(j, replace) && known))
            continue;
        if (!is_named(j, replace) || !string)
            return 0;
        cuts &= cuts_of_replace(json_string_value(string), json_string_length(string));
    }
    return w.too_deep ? 0 : cuts;
}

/* ---- characters ------------------------------------------------------------------------------ */

static bool is_letter(uint32_t c)
{
    return (ix_unicode_properties(c) & IX_LETTER) != 0;
}

static bool is_white(uint32_t c)
{
    return (ix_unicode_properties(c) & IX_SPACE) != 0;
}

/* The characters to the left and the right of byte `place` of text[0..size), once normalized. */
static bool sides_of(const ix_normalizer *n, const char *text, size_t size, size_t place,
                     uint32_t *left, uint32_t *right)
{
    ix_mapped_text t = { .data = text, .size = size };
    uint32_t c;
    bool before = false, behind = false, good = ix_normalize(n, &t, NULL) == INOX_OK;
    for (size_t i = 0; good && i < t.size && !behind;) {
        behind = ix_mapped_start(&t, i) >= place;
        before = before || !behind;
        i += ix_utf8_read(t.data + i, t.size - i, &c);
        *(behind ? right : left) = c;
    }
    ix_mapped_release(&t);
    return before && behind;
}

/* Whether between any two letters of ASCII a space stays one (or becomes U+2581). */
static bool keeps_spaces(const ix_normalizer *n)
{
    for (int i = 0; i < 52 && n; i++) {
        char letter = (char)(i < 26 ? 'A' + i : 'a' + i - 26), text[] = { letter, ' ', letter };
        uint32_t left, space, again, right;
        if (!sides_of(n, text, 3, 1, &left, &space) || !sides_of(n, text, 3, 2, &again, &right))
            return false;
        if (!is_letter(left) || !is_letter(right) || (space != ' ' && space != 0x2581) ||
            again != space)
            return false;
    }
    return true;
}

/* Whether the letter text[from..at) and the edge behind it are still such ones. */
static bool keeps_edge(unsigned cuts, const ix_normalizer *n, const char *text, size_t from,
                       size_t at, size_t end)
{
    char copy[10];
    uint32_t left, right;
    if (!n)
        return true;
    memcpy(copy, text + from, end - from);
    copy[end - from] = 'a'; /* the end of a text is another place */
    if (!sides_of(n, copy, end - from + 1, at - from, &left, &right))
        return false;
    bool loose = (cuts & IX_CUT_LOOSE) != 0;
    bool edge = is_edge(right) || right == ' ' || right == ',' || right == '!' || right == '?' ||
                right == ':';
    return (is_letter(left) && edge) || (loose && (is_white(left) || is_white(right)));
}

/* ---- pre-tokenizers -------------------------------------------------------------------------- */

/* Known patterns that end every word behind its last letter, and expressions of digits only. */
static const char *const word_patterns[] = { "gpt-2",      "cl100k",   "llama3", "qwen2",  "qwen35",
                                             "seed-coder", "ufakzeka", "tekken", "gpt-4o", NULL };
static const char *const digit_expressions[] = { "\\p{N}{1,3}", "\\p{N}",          "\\d",
                                                 "[0-9]",       "[0-9][0-9][0-9]", NULL };

/* The places at which a Split ends a piece; *local: those that it leaves alone if it does not. */
static unsigned cuts_of_split(const json_t *j, unsigned *local)
{
    const json_t *pattern = json_object_get(j, "pattern");
    const json_t *string = json_object_get(pattern, "String"),
                 *expression = json_object_get(pattern, "Regex");
    const char *behavior = json_string_value(json_object_get(j, "behavior"));
    bool isolated = behavior && strcmp(behavior, "Isolated") == 0;
    bool removed = behavior && strcmp(behavior, "Removed") == 0;
    bool with_next = behavior && strcmp(behavior, "MergedWithNext") == 0;
    bool invert = json_is_true(json_object_get(j, "invert"));
    ix_pattern *p = NULL;
    *local = 0;
    if (string) {
        const char *text = json_string_value(string);
        *local = (IX_CUT_SPACE | IX_CUT_EDGE) & ~reaches_over(text, json_string_length(string));
        bool cuts = strcmp(text, " ") == 0 && !invert && (isolated || removed || with_next);
        return cuts ? IX_CUT_SPACE : 0;
    }
    if (!expression || ix_pattern_new(json_string_value(expression), json_string_length(expression),
                                      IX_REGEX_ONIGURUMA, &p, NULL) != INOX_OK)
        return 0;
    const char *name = ix_pattern_known(p);
    bool words = name && is_listed(name, word_patterns);
    ix_pattern_free(p);
    if (is_listed(json_string_value(expression), digit_expressions))
        *local = IX_CUT_SPACE | IX_CUT_EDGE;
    return words && (isolated || (removed && invert)) ? IX_CUT_SPACE | IX_CUT_EDGE : 0;
}

/* The same of any pre-tokenizer. */
static unsigned cuts_of_stage(const json_t *j, unsigned *local)
{
    static const char *const both[] = { "Whitespace", "BertPreTokenizer", NULL };
    static const char *const space[] = { "WhitespaceSplit", NULL };
    static const char *const neither[] = { "Punctuation", "Digits", "UnicodeScripts",
                                           "CharDelimiterSplit", NULL };
    static const char *const byte_level[] = { "ByteLevel", NULL },
                             *const meta[] = { "Metaspace", NULL },
                             *const split[] = { "Split", NULL };
    *local = IX_CUT_SPACE | IX_CUT_EDGE;
    if (is_named(j, both))
        return IX_CUT_SPACE | IX_CUT_EDGE;
    if (is_named(j, space))
        return IX_CUT_SPACE;
    if (is_named(j, byte_level))
        return json_is_false(json_object_get(j, "use_regex")) ? 0 : IX_CUT_SPACE | IX_CUT_EDGE;
    if (is_named(j, meta)) {
        const char *as = json_string_value(json_object_get(j, "replacement"));
        if (!as || strcmp(as, "\xE2\x96\x81") != 0) /* pieces may have it for a space */
            *local &= ~(unsigned)IX_CUT_SPACE;
        return json_is_false(json_object_get(j, "split")) ? 0 : IX_CUT_SPACE;
    }
    if (is_named(j, split))
        return cuts_of_split(j, local);
    if (!is_named(j, neither))
        *local = 0;
    return 0;
}

/* *whole: the places that no stage touches, so that the model sees them inside its pieces. */
static unsigned cuts_of_splitter(const json_t *splitter, unsigned *whole)
{
    walk w = { .key = "pretokenizers" };
    unsigned cuts = 0;
    *whole = IX_CUT_SPACE | IX_CUT_EDGE;
    if (!splitter || json_is_null(splitter))
        return 0;
    for (const json_t *j = first_stage(&w, splitter); j; j = next_stage(&w)) {
        unsigned local;
        cuts |= cuts_of_stage(j, &local) & *whole;
        *whole &= local;
    }
    if (w.too_deep)
        *whole = 0;
    return w.too_deep ? 0 : cuts;
}

static bool has_all_bytes(const ix_model *m)
{
    for (int i = 0; i < 256; i++) {
        char name[8];
        int size = snprintf(name, sizeof name, "<0x%02X>", (unsigned)i);
        if (ix_model_find(m, name, (size_t)size) < 0)
            return false;
    }
    return true;
}

/* Whether a model that works on undivided text never joins a letter and a space. */
static bool model_cuts(const json_t *model, const ix_model *m, bool only_metaspace)
{
    const json_t *prefix = json_object_get(model, "continuing_subword_prefix"),
                 *suffix = json_object_get(model, "end_of_word_suffix");
    ix_model_kind kind = ix_model_kind_of(m);
    if (kind != IX_MODEL_BPE && kind != IX_MODEL_UNIGRAM)
        return false;
    if (json_string_length(prefix) > 0 || json_string_length(suffix) > 0)
        return false;
    if (ix_model_find(m, " ", 1) < 0 || ix_model_find(m, "\xE2\x96\x81", 3) < 0)
        if (!only_metaspace || ix_model_find(m, "\xE2\x96\x81", 3) < 0)
            return false; /* unknown characters side by side may become one token */
    if (kind == IX_MODEL_BPE && json_string_length(json_object_get(model, "unk_token")) == 0 &&
        !(json_is_true(json_object_get(model, "byte_fallback")) && has_all_bytes(m)))
        return false; /* characters that are left out move the offsets of all behind them */
    for (size_t id = 0; id < ix_model_id_end(m); id++) {
        ix_text_view piece = ix_model_piece(m, (int32_t)id);
        if (piece.data && (reaches_over(piece.data, piece.size) & IX_CUT_SPACE))
            return false;
    }
    return true;
}

static unsigned cuts_of_added(const ix_added *a)
{
    unsigned cuts = IX_CUT_SPACE | IX_CUT_EDGE;
    for (size_t id = 0; id < ix_added_id_end(a); id++) {
        const ix_added_token *t = ix_added_of(a, (int32_t)id);
        if (!t)
            continue;
        const ix_text_view *forms[2] = { &t->content, &t->normalized };
        for (int i = 0; i < 2; i++) {
            bool letter_last = false;
            cuts &= ~reaches_over(forms[i]->data, forms[i]->size);
            for (size_t at = 0; at < forms[i]->size;) {
                uint32_t c;
                at += ix_utf8_read(forms[i]->data + at, forms[i]->size - at, &c);
                letter_last = (ix_unicode_properties(c) & IX_LETTER) != 0;
            }
            if (letter_last && t->rstrip)
                return 0;
            if (letter_last) /* what follows begins anew, which the part behind does not see */
                cuts &= ~(unsigned)IX_CUT_EDGE;
        }
    }
    return cuts;
}

/* Whether every space becomes U+2581 in front of the model. */
static bool is_metaspaced(const json_t *root)
{
    static const char *const replace[] = { "Replace", NULL }, *const meta[] = { "Metaspace", NULL };
    walk w = { .key = "normalizers" }, v = { .key = "pretokenizers" };
    const json_t *j = first_stage(&w, json_object_get(root, "normalizer"));
    for (; j; j = next_stage(&w)) {
        const char *from =
                       json_string_value(json_object_get(json_object_get(j, "pattern"), "String")),
                   *to = json_string_value(json_object_get(j, "content"));
        if (is_named(j, replace) && from && to && strcmp(from, " ") == 0 &&
            strcmp(to, "\xE2\x96\x81") == 0)
            return true;
    }
    for (j = first_stage(&v, json_object_get(root, "pre_tokenizer")); j; j = next_stage(&v)) {
        const char *as = json_string_value(json_object_get(j, "replacement"));
        if (is_named(j, meta) && as && strcmp(as, "\xE2\x96\x81") == 0)
            return true;
    }
    return false;
}

static bool has_charsmap(const json_t *root)
{
    static const char *const precompiled[] = { "Precompiled", NULL };
    walk w = { .key = "normalizers" };
    const json_t *j = first_stage(&w, json_object_get(root, "normalizer"));
    while (j && !is_named(j, precompiled))
        j = next_stage(&w);
    return j != NULL;
}

unsigned ix_cuts_of(const json_t *root, const ix_model *m, const ix_normalizer *n,
                    const ix_added *a)
{
    static const char *const meta[] = { "Metaspace", NULL };
    static const char *const loose[] = { "Whitespace", "WhitespaceSplit", "BertPreTokenizer",
                                         NULL };
    const json_t *splitter = json_object_get(root, "pre_tokenizer");
    walk w = { .key = "pretokenizers" };
    unsigned whole;
    unsigned cuts = cuts_of_splitter(splitter, &whole);
    /* A pre-tokenizer that looks for spaces finds none where the normalizer rewrote them. */
    if (is_metaspaced(root) && !is_named(splitter, meta))
        cuts = 0;
    if (!(cuts & IX_CUT_SPACE) && (whole & IX_CUT_SPACE) &&
        model_cuts(json_object_get(root, "model"), m, is_metaspaced(root)))
        cuts |= IX_CUT_SPACE;
    cuts &= cuts_of_normalizer(json_object_get(root, "normalizer")) & cuts_of_added(a);
    if ((cuts & IX_CUT_SPACE) && !keeps_spaces(n))
        cuts &= ~(unsigned)IX_CUT_SPACE;
    const json_t *first = cuts && splitter ? first_stage(&w, splitter) : NULL;
    if (first && is_named(first, loose))
        cuts |= IX_CUT_LOOSE;
    return cuts && has_charsmap(root) ? cuts | IX_CUT_LAGS : cuts;
}

/* ---- finding --------------------------------------------------------------------------------- */

/* Where the letter begins that ends at `at`, or `at`. */
static size_t letter_before(const char *text, size_t at)
{
    size_t from = at - 1;
    uint32_t c;
    while (from > 0 && at - from < 4 && ((unsigned char)text[from] & 0xC0) == 0x80)
        from--;
    return ix_utf8_read(text + from, at - from, &c) == at - from && is_letter(c) ? from : at;
}

/* Whether the ranges of what lies before `place` end there, as they are counted from where the
 * last added token ends. */
static bool ranges_end(const ix_normalizer *n, const ix_added *a, const char *text, size_t place,
                       bool parse_special)
{
    ix_added_search search = {
        .added = a, .parse_special = parse_special, .text = text, .size = place
    };
    ix_added_match m;
    size_t from = 0;
    while (ix_added_next(&search, &m))
        from = m.token ? m.end : from;
    ix_mapped_text t = { .data = text + from, .size = place - from };
    bool good = ix_normalize(n, &t, NULL) == INOX_OK &&
                (t.size == 0 || ix_mapped_end(&t, t.size - 1) == place - from);
    ix_mapped_release(&t);
    return good;
}

static size_t last_place(unsigned cuts, const ix_normalizer *n, const char *text, size_t size)
{
    for (size_t at = size; cuts && at-- > 1;) {
        if ((cuts & IX_CUT_SPACE) && text[at] == ' ' && at + 1 < size &&
            is_ascii_letter(text[at - 1]) && is_ascii_letter(text[at + 1]))
            return at;
        unsigned char b = (unsigned char)text[at];
        if (!(cuts & IX_CUT_EDGE) || !(b == '\n' || b == '\r' || b == 0xE3 || b == 0xEF))
            continue;
        uint32_t c;
        size_t end = at + ix_utf8_read(text + at, size - at, &c), from = letter_before(text, at);
        if (is_edge(c) && from < at && keeps_edge(cuts, n, text, from, at, end))
            return at;
    }
    return 0;
}

size_t ix_cut_last(unsigned cuts, const ix_normalizer *n, const ix_added *a, const char *text,
                   size_t size)
{
    size_t place = last_place(cuts, n, text, size);
    bool good = !(cuts & IX_CUT_LAGS) || place == 0 ||
                (ranges_end(n, a, text, place, true) && ranges_end(n, a, text, place, false));
    return good ? place : 0;
}
