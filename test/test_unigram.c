/* SentencePiece's Unigram word by word, from a cache, against one search over the whole text.
 *
 * Vocabularies and texts are made at random: scores that nearly tie, so that what a sum rounds to
 * decides; sums that cross all powers of two and are moved back to 0; pieces that end in U+2581, or
 * have several, or one inside; byte fallback, user-defined pieces, ids of more than 16 bits.  And a
 * word that is made to be on the edge of what rounding can change. */
#include "test.h"

#include "text/model.h"
#include "text/spm.h"

#define SPACE "\xE2\x96\x81"

enum { PIECES = 420, ROOM = 12, FILL = 66000, TEXT = 60000 };

/* How scores are made. */
enum { PLAIN, NEAR_TIES, SOME_TIES, TIES, BOTH_SIGNS, LARGE, TINY, TOO_LARGE, SCORES };

/* What else a vocabulary has. */
typedef struct shape {
    const char *name;
    bool suffix, runs, inside, bytes, users, keeps_spaces, no_prefix, wide, no_space;
} shape;

static const shape shapes[] = {
    { .name = "plain" },
    { .name = "suffix", .suffix = true },
    { .name = "runs", .runs = true, .keeps_spaces = true },
    { .name = "runs, suffix", .runs = true, .keeps_spaces = true, .suffix = true },
    { .name = "inside", .inside = true },
    { .name = "suffix, none at the end", .suffix = true, .no_prefix = true },
    { .name = "bytes", .bytes = true },
    { .name = "bytes, spaces", .bytes = true, .keeps_spaces = true, .no_prefix = true },
    { .name = "users", .users = true },
    { .name = "wide", .wide = true, .bytes = true },
    { .name = "no space", .no_space = true },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct vocabulary {
    char bytes[PIECES + 256][ROOM];
    ix_text_view pieces[PIECES + 256 + FILL];
    float scores[PIECES + 256 + FILL];
    uint8_t types[PIECES + 256 + FILL];
    char (*filled)[ROOM]; /* pieces in front of all, so that ids are large */
    size_t fill, count;
    uint64_t state;
} vocabulary;

static size_t below(vocabulary *v, size_t n)
{
    return (size_t)(ix_test_random(&v->state) % n);
}

static void add(vocabulary *v, const char *piece, float score, uint8_t type)
{
    size_t n = strlen(piece);
    char *own = v->bytes[v->count - v->fill];
    for (size_t i = v->fill; i < v->count; i++)
        if (v->pieces[i].size == n && memcmp(v->pieces[i].data, piece, n) == 0)
            return;
    (void)snprintf(own, ROOM, "%s", piece);
    v->pieces[v->count] = (ix_text_view){ own, n };
    v->scores[v->count] = score;
    v->types[v->count++] = type;
}

static float score_of(vocabulary *v, int kind, size_t letters)
{
    float x = (float)below(v, 1 << 16) * 0x1p-16F;
    switch (kind) {
    case NEAR_TIES: return -4 * (float)letters - (float)below(v, 9) * 0x1p-10F;
    case SOME_TIES: return x < 0.6F ? -4 * (float)letters - 0.007F * x : -6 * (float)letters - x;
    case TIES: return -7.25F;
    case BOTH_SIGNS: return 6 * x - 3;
    case LARGE: return -100 - 300 * x;
    case TINY: return -x * 0x1p-30F;
    case TOO_LARGE: return -100 - 3000 * x;
    default: return -1 - 11 * x;
    }
}

static void make_vocabulary(vocabulary *v, const shape *s, int kind)
{
    static const char *const letters[] = { "a", "b", "c", "d", "e", "\xC3\xA9", "-" };
    v->count = v->fill = 0;
    for (; v->count < FILL && s->wide; v->count++) {
        (void)snprintf(v->filled[v->count], ROOM, "#%zu", v->count);
        v->pieces[v->count] = (ix_text_view){ v->filled[v->count], strlen(v->filled[v->count]) };
        v->types[v->count] = IX_PIECE_UNUSED;
        v->scores[v->count] = 0;
    }
    v->fill = v->count;
    add(v, "<unk>", 0, IX_PIECE_UNKNOWN);
    if (!s->no_space)
        add(v, SPACE, score_of(v, kind, 1), IX_PIECE_NORMAL);
    for (size_t i = 0; i < 7; i++)
        add(v, letters[i], score_of(v, kind, 1), IX_PIECE_NORMAL);
    if (s->users) {
        add(v, "de", 0, IX_PIECE_USER);
        add(v, "b  c", 0, IX_PIECE_USER); /* both spaces stay */
    }
    add(v, "zb", score_of(v, kind, 2), IX_PIECE_NORMAL); /* though z is none */
    add(v, "az", score_of(v, kind, 2), IX_PIECE_NORMAL);
    for (int b = 0; b < 256 && s->bytes; b++) {
        char piece[ROOM];
        (void)snprintf(piece, sizeof piece, "<0x%02X>", (unsigned)b);
        add(v, piece, 0, IX_PIECE_BYTE);
    }
    while (v->count - v->fill < PIECES + (s->bytes ? 256u : 0u) - 10) {
        char piece[ROOM + 24] = "";
        size_t n = 1 + below(v, 4), count = n;
        if (below(v, 3) == 0 && !s->suffix && !s->no_space)
            strcat(piece, s->runs && below(v, 3) == 0 ? SPACE SPACE : SPACE), count++;
        for (size_t i = 0; i < n && strlen(piece) + 6 < ROOM; i++)
            strcat(piece, letters[below(v, 7)]);
        if (below(v, 3) == 0 && s->suffix && strlen(piece) + 6 < ROOM)
            strcat(piece, s->runs && below(v, 3) == 0 && strlen(piece) < 5 ? SPACE SPACE : SPACE);
        if (below(v, 20) == 0 && s->inside && strlen(piece) + 4 < ROOM)
            strcat(piece, SPACE "a"), count += 2;
        add(v, piece, score_of(v, kind, count), IX_PIECE_NORMAL);
    }
}

/* Words, some of them again and again; spaces, and characters that are no pieces. */
static size_t make_text(vocabulary *v, char *text, size_t size)
{
    static const char *const parts[] = { "a",  "b",  "c", "d",        "e",   "de",
                                         "ab", "ca", "-", "\xC3\xA9", "bad", "ace" };
    static const char *const odd[] = { "\n",   "  ",  "   ",       "\xE3\x81\x82",
                                       "z",    SPACE, "\xFF",      "\t",
                                       "b  c", "zz",  " \xC3\xA9", "\xF0\x9F\x98\x80" };
    char known[300][24];
    size_t n = 0;
    for (size_t i = 0; i < 300; i++) {
        known[i][0] = 0;
        for (size_t k = 0, count = 1 + below(v, 6); k < count; k++)
            strcat(known[i], parts[below(v, 12)]);
    }
    while (n + 400 < size) {
        size_t repeats = below(v, 400) == 0 ? 60 : 1;
        const char *part = below(v, 12) == 0  ? odd[below(v, 12)]
                           : below(v, 9) == 0 ? parts[below(v, 12)]
                                              : known[below(v, 1 + below(v, 300))];
        for (; repeats > 0 && n + 100 < size; repeats--)
            n += (size_t)snprintf(text + n, size - n, "%s", part);
        if (below(v, 8) != 0)
            text[n++] = ' ';
    }
    return n;
}

/* The same without ASCII but for spaces, several of them here and there. */
static size_t make_accents(vocabulary *v, char *text, size_t size)
{
    size_t n = 0;
    while (n + 2 <= size) {
        memcpy(text + n, below(v, 3) == 0 ? "  " : "\xC3\xA9", 2);
        n += 2;
        if (n < size && below(v, 6) == 0)
            text[n++] = ' ';
    }
    return n;
}

typedef struct sides {
    ix_tokenizer *words;
    ix_spm_normalizer *normalizer;
    ix_model *model;
    ix_model_scratch *scratch;
} sides;

static inox_status make_sides(const vocabulary *v, const shape *s, sides *b, inox_error *err)
{
    ix_spm_source source = { .kind = IX_SPM_UNIGRAM,
                             .count = v->count,
                             .pieces = v->pieces,
                             .scores = v->scores,
                             .types = v->types,
                             .byte_fallback = s->bytes,
                             .space_is_suffix = s->suffix,
                             .rules = IX_SPM_RULES_INIT };
    ix_piece_source pieces = { .count = v->count,
                               .pieces = v->pieces,
                               .scores = v->scores,
                               .types = v->types,
                               .unknown = (int32_t)v->fill,
                               .byte_fallback = s->bytes };
    ix_text_view users[4];
    size_t user_count = 0;
    for (size_t i = 0; i < v->count; i++)
        if (v->types[i] == IX_PIECE_USER)
            users[user_count++] = v->pieces[i];
    source.rules.remove_extra_whitespaces = !s->keeps_spaces;
    source.rules.add_dummy_prefix = !s->no_prefix;
    IX_TRY(ix_tokenizer_from_spm(&source, &b->words, err));
    IX_TRY(ix_spm_normalizer_new(&source.rules, s->suffix, users, user_count, &b->normalizer, err));
    IX_TRY(ix_model_new_sentencepiece_unigram(&pieces, &b->model, err));
    return ix_model_scratch_new(b->model, &b->scratch, err);
}

static void free_sides(sides *b)
{
    ix_tokenizer_free(b->words);
    ix_spm_normalizer_free(b->normalizer);
    ix_model_scratch_free(b->scratch);
    ix_model_free(b->model);
}

/* One search over all of the text, and word by word: fresh, from the cache, and ids only. */
static void compare(ix_test *t, const sides *b, const char *text, size_t size, const char *name,
                    int kind)
{
    static const unsigned wants[] = { IX_WANT_ALL, IX_WANT_ALL, 0, 0 };
    ix_spm_text normal = { 0 };
    ix_token_list want = { 0 };
    inox_error err;
    CHECK_OK(ix_spm_normalize(b->normalizer, text, size, &normal, &err), &err);
    if (normal.size > 0)
        CHECK_OK(ix_model_tokenize(b->model, b->scratch, normal.data, 0, normal.size, &want, &err),
                 &err);
    for (size_t round = 0; round < sizeof wants / sizeof *wants; round++) {
        ix_encoding got = { 0 };
        ix_encode_input in = { .first = { .text = { text, size } } };
        ix_encode_options options = IX_ENCODE_OPTIONS_INIT;
        options.want = wants[round];
        CHECK_OK(ix_encode(b->words, &in, &options, &got, &err), &err);
        size_t at = 0;
        for (; at < want.count && at < got.count; at++) {
            const ix_token *token = &want.items[at];
            if (got.ids[at] != token->id ||
                (got.starts && (got.starts[at] != normal.origins[token->start] ||
                                got.ends[at] != normal.origins[token->end])))
                break;
        }
        CHECK_MSG(at == want.count && at == got.count,
                  "%s, scores %d, round %zu: token %zu of %zu (%zu) differs", name, kind, round, at,
                  want.count, got.count);
        ix_encoding_release(&got);
    }
    ix_token_list_release(&want);
    ix_spm_text_release(&normal);
}

TEST(unigram_words_are_as_the_whole_text)
{
    vocabulary *v = calloc(1, sizeof *v);
    char *text = calloc(1, TEXT);
    v->filled = calloc(FILL, sizeof *v->filled);
    v->state = 31;
    for (size_t i = 0; i < SHAPES; i++)
        for (int kind = 0; kind < SCORES && t->failures == 0; kind++) {
            sides b = { 0 };
            inox_error err;
            if (shapes[i].wide && kind > SOME_TIES)
                continue;
            make_vocabulary(v, &shapes[i], kind);
            CHECK_OK(make_sides(v, &shapes[i], &b, &err), &err);
            for (int k = 0; k < 12 && b.scratch && t->failures == 0; k++) {
                size_t room = k == 0 ? TEXT : 400 + below(v, 2000);
                compare(t, &b, text, make_text(v, text, room), shapes[i].name, kind);
            }
            if (b.scratch && t->failures == 0)
                compare(t, &b, text, make_accents(v, text, 12000), shapes[i].name, kind);
            free_sides(&b);
        }
    free(v->filled);
    free(v);
    free(text);
}

/* All of a user-defined piece comes from where it begins, though no rule changes its bytes: a token
 * may end inside of it. */
TEST(unigram_user_pieces_have_one_origin)
{
    static const ix_text_view users[] = { { "de", 2 } };
    static const uint32_t origins[] = { 0, 0, 0, 0, 1, 1, 3, 4 }; /* U+2581 x d e y */
    ix_spm_rules rules = IX_SPM_RULES_INIT;
    ix_spm_normalizer *z = NULL;
    ix_spm_text text = { 0 };
    inox_error err;
    CHECK_OK(ix_spm_normalizer_new(&rules, false, users, 1, &z, &err), &err);
    CHECK_OK(ix_spm_normalize(z, "xdey", 4, &text, &err), &err);
    CHECK(text.size == 7 && memcmp(text.origins, origins, sizeof origins) == 0);
    ix_spm_text_release(&text);
    ix_spm_normalizer_free(z);
}

/* A precompiled map with one rule: "e" and U+0301 become U+00E9. */
static size_t make_map(char *bytes)
{
    enum { UNITS = 512, HAS_VALUE = 1 << 8, OFFSET_AT = 10 };
    static const char becomes[] = "\xC3\xA9";
    uint32_t units[UNITS] = { 0 }; /* the root's children are at their bytes */
    units['e'] = 'e' | ('e' ^ 0x100) << OFFSET_AT;
    units[0x100 ^ 0xCC] = 0xCC | (0x1CC ^ 0x80) << OFFSET_AT;
    units[0x80 ^ 0x81] = 0x81 | HAS_VALUE | (0x01 ^ 0x02) << OFFSET_AT;
    uint32_t size = sizeof units;
    memcpy(bytes, &size, sizeof size);
    memcpy(bytes + sizeof size, units, sizeof units);
    memcpy(bytes + sizeof size + sizeof units, becomes, sizeof becomes);
    return sizeof size + sizeof units + sizeof becomes;
}

/* A rule begins with the last byte of a user-defined piece and goes on: the piece comes first, also
 * where origins do not matter and its bytes are not looked at one by one. */
TEST(unigram_user_pieces_hide_rules)
{
    static const char *const texts[][2] = {
        { "xde\xCC\x81y", SPACE "xde\xCC\x81y" },
        { "xxe\xCC\x81y", SPACE "xx\xC3\xA9y" },
    };
    static const ix_text_view users[] = { { "de", 2 } };
    char map[4096];
    ix_spm_rules rules = IX_SPM_RULES_INIT;
    rules.charsmap = (ix_text_view){ map, make_map(map) };
    ix_spm_normalizer *z = NULL;
    ix_spm_text text = { 0 };
    inox_error err;
    CHECK_OK(ix_spm_normalizer_new(&rules, false, users, 1, &z, &err), &err);
    for (size_t i = 0; i < 4 && z; i++) {
        const char *source = texts[i / 2][0], *want = texts[i / 2][1];
        ix_spm_cursor c;
        CHECK_OK(ix_spm_normalize_begin(z, source, strlen(source), &c, &text, &err), &err);
        c.only_text = i % 2 == 1;
        CHECK_OK(ix_spm_normalize_part(z, &c, false, &text, &err), &err);
        CHECK_MSG(text.size == strlen(want) && memcmp(text.data, want, text.size) == 0,
                  "text %zu, only its bytes: %d: '%.*s'", i / 2, c.only_text, (int)text.size,
                  text.data);
    }
    ix_spm_text_release(&text);
    ix_spm_normalizer_free(z);
}

/* A word whose best path changes because of nothing but rounding, as late as it can: where sums are
 * of magnitudes in [2^(q-1), 2^q), they are multiples of u = 2^(q-24).
 *
 *     a path, of m + 2 tokens:     [_][ab] ... [ab][a]     each rounded down by 31/64 u
 *     the other, of m + 1 tokens:  [_a][ba] ... [ba]       each rounded up by 31/64 u
 *
 * They never meet before the end.  There the first is better by (2 m + 3) * 31/64 u, which is the
 * sum of all roundings: the rounded sums are equal, and the other, which is found before, stays. */
enum { BA = 1, AB, SPACE_A, A, B, SPACE_F, ALONE, ROUNDING_PIECES };

static inox_status make_rounding(int q, int m, ix_tokenizer **out, inox_error *err)
{
    static const char *const texts[] = {
        "<unk>", "ba", "ab", SPACE "a", "a", "b", SPACE "f", SPACE
    };
    const double parts[] = { 0, 1024, 1012, 1536 - 12 * m, 1280, 2020, 0, 256 };
    static const double up[] = { 0, 31, -31, 31, -31, 0, 0, -31 };
    ix_text_view pieces[ROUNDING_PIECES];
    float scores[ROUNDING_PIECES];
    uint8_t types[ROUNDING_PIECES];
    double u = 1;
    for (int i = q; i < 24; i++)
        u /= 2;
    for (size_t i = 0; i < ROUNDING_PIECES; i++) {
        pieces[i] = (ix_text_view){ texts[i], strlen(texts[i]) };
        scores[i] = i == SPACE_F ? -64 : (float)(-(parts[i] + up[i] / 64) * u);
        types[i] = i > 0 ? IX_PIECE_NORMAL : IX_PIECE_UNKNOWN;
    }
    ix_spm_source source = { .kind = IX_SPM_UNIGRAM,
                             .count = ROUNDING_PIECES,
                             .pieces = pieces,
                             .scores = scores,
                             .types = types,
                             .rules = IX_SPM_RULES_INIT };
    return ix_tokenizer_from_spm(&source, out, err);
}

/* The ids of the word are those of the first path, or of the other. */
static bool is_path(const ix_encoding *e, size_t at, int m, bool other)
{
    size_t n = 0, size = (size_t)m + (other ? 1 : 2);
    if (e->count < at + size)
        return false;
    bool same = e->ids[at + n++] == (other ? SPACE_A : ALONE);
    for (int i = 0; i < m; i++)
        same = same && e->ids[at + n++] == (other ? BA : AB);
    return same && (other || e->ids[at + n] == A);
}

/* The word, then words that take the sum beyond 2^(q-1), and the word once more. */
TEST(unigram_rounding_decides)
{
    static const int edges[][2] = {
        { 11, 0 }, { 12, 0 }, { 13, 1 }, { 14, 7 }, { 15, 7 }, { 16, 7 }
    };
    enum { BEHIND = 60 }; /* so many that the last word is looked up as it stands */
    for (size_t k = 0; k < sizeof edges / sizeof *edges; k++) {
        int q = edges[k][0], m = edges[k][1];
        size_t size = 0, between = ((size_t)1 << (q - 7)) + 4, words = between + BEHIND + 2;
        char *text = malloc(words * 2 + 4 * (size_t)m + 4);
        ix_tokenizer *model = NULL;
        inox_error err;
        CHECK_OK(make_rounding(q, m, &model, &err), &err);
        for (size_t i = 0; i < words; i++) {
            bool edge = i == 0 || i == between + 1;
            size += (size_t)sprintf(text + size, "%s", edge ? " a" : " f");
            for (int n = 0; n < m && edge; n++)
                size += (size_t)sprintf(text + size, "ba");
        }
        for (int round = 0; round < 4 && model; round++) {
            ix_encoding got = { 0 };
            ix_encode_input in = { .first = { .text = { text, size } } };
            ix_encode_options options = IX_ENCODE_OPTIONS_INIT;
            options.want = round % 2 ? 0 : IX_WANT_ALL;
            CHECK_OK(ix_encode(model, &in, &options, &got, &err), &err);
            CHECK(got.count == words - 2 + 2 * (size_t)m + 3);
            CHECK_MSG(is_path(&got, 0, m, false), "2^%d: the exact path is another one", q);
            CHECK_MSG(is_path(&got, (size_t)m + 2 + between, m, true),
                      "2^%d: the rounded path is another one", q);
            ix_encoding_release(&got);
        }
        ix_tokenizer_free(model);
        free(text);
    }
}
