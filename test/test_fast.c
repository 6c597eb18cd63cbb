/* What is done in strides gives what is done one by one.
 *
 * The fast path of BERT gives what the general path gives: ids and ranges of texts made at random
 * from what is hard about cutting words, for every combination of the normalizer's options.
 *
 * So does that of Unigram, for normalizers and pre-tokenizers that it takes.
 *
 * The general path is taken where an added token is looked for in the normalized text.
 */
#include "text/fast_parts.h"
#include "text/tokenizer.h"
#include "text/unicode.h"
#include "test.h"

#include <jansson.h>

/* Of Unigram: the spelling of the unknown token, which its letters are pieces of. */
#define UNKNOWN "Z0Z"

/* What texts are made of.  Pieces of the vocabulary are letters of them, alone and in pairs. */
static const char *const parts[] = {
    "a",
    "b",
    "e",
    "z",
    "Z",
    "E",
    "0",
    "7",
    "ab",
    "The",
    "zebra",
    UNKNOWN,
    "qqqq",
    "Ab0",
    "it's",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    ".",
    ",",
    "-",
    "_",
    "$",
    "`",
    "~",
    "#",
    "[",
    "]",
    "(",
    "'",
    "\x01",
    "\x0B",
    "\x0C",
    "\x1F",
    "\x7F",
    "\xC2\x85",
    "\xC2\xA0",
    "\xC2\xAD", /* controls */
    "\xC3\xA9",
    "\xC3\x89",
    "\xC3\x9F",
    "\xE1\xBA\x9E",
    "\xC4\xB0",
    "\xC7\x85", /* e-acute and the like */
    "e\xCC\x81",
    "\xCC\x81",
    " \xCC\x81",
    "\xCC\xA3\xCC\x81",
    "\xCD\x84",
    "\xE3\x80\xAE",
    "\xE0\xA4\x83", /* marks */
    "\xD0\xB9",
    "\xD0\x99\xD1\x91",
    "\xCF\x83\xCE\xA3",
    "\xCE\xAC",
    "\xCD\xBE",
    "\xE1\xBF\xAF",
    "\xE4\xB8\xAD",
    "\xE5\x9B\xBD",
    "\xEF\xA4\x80",
    "\xF0\xA0\x80\x80",
    "\xE3\x81\x82",
    "\xE3\x81\x8C",
    "\xE3\x80\x82",
    "\xE3\x80\x81",
    "\xE3\x80\x80",
    "\xE2\x80\x80",
    "\xE2\x80\xA8",
    "\xE2\x80\x9C",
    "\xE2\x80\x9D",
    "\xE2\x80\x94",
    "\xE2\x80\x99",
    "\xEF\xBC\x8C",
    "\xEF\xBC\xA1", /* wide forms */
    "\xED\x95\x9C",
    "\xEA\xB8\x80",
    "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", /* Hangul */
    "\xF0\x9F\x98\x80",
    "\xE2\x80\x8D",
    "\xEF\xB8\x8F",
    "\xF0\x9F\x87\xA9",
    "\xEF\xBB\xBF",
    "\xF0\x9D\x85\x9F",
    "\xF0\x90\x90\x80",
    "\xEF\xBF\xBD",
    "\xEF\xBF\xBE",
    "\xEE\x80\x80",
    "\xFF",
    "\xC3",
    "\xE3\x81",
    "\xF4\x90\x80\x80",
    "\xED\xA0\x80", /* no characters */
};
enum { PARTS = sizeof parts / sizeof *parts };

static void add_piece(json_t *vocab, const char *prefix, const char *text)
{
    char piece[64];
    (void)snprintf(piece, sizeof piece, "%s%s", prefix, text);
    if (!json_object_get(vocab, piece)) /* what is not UTF-8 is refused here */
        (void)json_object_set_new(vocab, piece, json_integer((json_int_t)json_object_size(vocab)));
}

static json_t *make_vocabulary(void)
{
    static const char *const more[] = { "i",
                                        "t",
                                        "s",
                                        "h",
                                        "the",
                                        "ze",
                                        "##bra",
                                        "ss",
                                        "i\xCC\x87",
                                        "k",
                                        "##ki",
                                        "\xD0\xB8",
                                        "\xD0\xB5",
                                        "\xCE\xB1",
                                        "\xE1\x84\x92",
                                        "##\xE1\x85\xA1\xE1\x86\xAB",
                                        ";" };
    json_t *vocab = json_object();
    add_piece(vocab, "", "[UNK]");
    for (size_t i = 0; i < PARTS; i++) {
        if (i % 7 == 5) /* words with it are unknown */
            continue;
        add_piece(vocab, "", parts[i]);
        add_piece(vocab, "##", parts[i]);
    }
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        add_piece(vocab, "", more[i]);
        add_piece(vocab, "##", more[i]);
    }
    return vocab;
}

static void add_token(json_t *added, const char *content, bool normalized)
{
    size_t id = 9998 + json_array_size(added);
    (void)json_array_append_new(added,
                                json_pack("{s:i, s:s, s:b, s:b, s:b, s:b, s:b}", "id", (int)id,
                                          "content", content, "single_word", 0, "lstrip", 0,
                                          "rstrip", 0, "normalized", normalized, "special", 0));
}

/* Takes the root of a tokenizer.json.  general: one that takes the general path.  cuts: an added
 * token, or NULL. */
static ix_tokenizer *make_from(ix_test *t, bool general, const char *cuts, json_t *root)
{
    json_t *added = json_array();
    if (general)
        add_token(added, "nowhere in a text", true);
    if (cuts)
        add_token(added, cuts, false);
    (void)json_object_set_new(root, "added_tokens", added);
    char *text = json_dumps(root, 0);
    ix_tokenizer *out = NULL;
    inox_error err = { 0 };
    ix_json_files files = { .tokenizer = { text, text ? strlen(text) : 0 } };
    CHECK_OK(ix_tokenizer_from_json(&files, &out, &err), &err);
    free(text);
    json_decref(root);
    return out;
}

/* options: 24 combinations, and no normalizer.  general: one that takes the general path. */
static ix_tokenizer *make_tokenizer(ix_test *t, int options, bool general)
{
    json_t *accents = options / 8 % 3 == 0 ? json_null() : json_boolean(options / 8 % 3 == 1);
    json_t *normalizer = json_pack("{s:s, s:b, s:b, s:o, s:b}", "type", "BertNormalizer",
                                   "clean_text", options & 1, "handle_chinese_chars", options & 2,
                                   "strip_accents", accents, "lowercase", options & 4);
    if (options == 24) {
        json_decref(normalizer);
        normalizer = json_null();
    }
    return make_from(t, general, NULL,
                     json_pack("{s:s, s:o, s:{s:s}, s:{s:s, s:s, s:s, s:i, s:o}}", "version", "1.0",
                               "normalizer", normalizer, "pre_tokenizer", "type",
                               "BertPreTokenizer", "model", "type", "WordPiece", "unk_token",
                               "[UNK]", "continuing_subword_prefix", "##",
                               "max_input_chars_per_word", 100, "vocab", make_vocabulary()));
}

static size_t repeat(char *text, size_t room, const char *part, size_t times)
{
    size_t n = strlen(part), size = 0;
    for (; times > 0 && n <= room - size; times--, size += n)
        memcpy(text + size, part, n);
    return size;
}

/* At most `room` bytes: parts at random, some again and again, some many times; and spaces, one of
 * `spaces` unless that is 0. */
static size_t make_text(char *text, size_t room, uint64_t spaces, uint64_t *state)
{
    static const size_t often[] = { 14, 15, 16, 62, 64, 99, 100, 101, 2047, 2048, 2049, 5000 };
    const char *few[8];
    size_t size = 0, wanted = ix_test_random(state) % room;
    bool ascii = ix_test_random(state) % 4 == 0, runs = ix_test_random(state) % 4 == 0;
    for (size_t i = 0; i < 8; i++)
        few[i] = parts[ix_test_random(state) % (ascii ? 32 : PARTS)];
    while (size < wanted) {
        uint64_t r = ix_test_random(state);
        const char *part = r % 3 ? few[r / 3 % 8] : parts[r / 3 % (ascii ? 32 : PARTS)];
        part = spaces > 0 && (r >> 32) % spaces == 0 ? " " : part;
        size_t times = runs && r / 1024 % 64 == 0 ? often[r / 65536 % 12] : 1;
        size += repeat(text + size, room - size, part, times);
        if (room - size < 8)
            break;
    }
    return size;
}

typedef struct both {
    ix_tokenizer *fast, *general;
} both;

static bool same_arrays(const ix_encoding *a, const ix_encoding *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = a->ids[i] == b->ids[i];
        if (same && a->starts)
            same = a->starts[i] == b->starts[i] && a->ends[i] == b->ends[i];
        if (same && a->words)
            same = a->words[i] == b->words[i];
    }
    return same;
}

/* The same text several times: at first its words are new, then known. */
static bool is_same(ix_test *t, const both *b, const char *text, size_t size)
{
    static const unsigned wants[] = { IX_WANT_OFFSETS, 0,
                                      IX_WANT_OFFSETS, IX_WANT_OFFSETS | IX_WANT_WORDS,
                                      IX_WANT_WORDS,   IX_WANT_ALL };
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    ix_encode_input in = { .first = { .text = { text, size } } };
    ix_encoding all = { 0 };
    inox_error err = { 0 };
    bool same = true;
    CHECK_OK(ix_encode(b->general, &in, &o, &all, &err), &err);
    for (size_t w = 0; w < sizeof wants / sizeof *wants; w++) {
        ix_encoding e = { 0 };
        o.want = wants[w];
        CHECK_OK(ix_encode(b->fast, &in, &o, &e, &err), &err);
        same = same && same_arrays(&e, &all);
        ix_encoding_release(&e);
    }
    ix_encoding_release(&all);
    return same;
}

/* Says how the shortest text begins that shows a difference: halves and bytes are left out. */
static void report(ix_test *t, const both *b, int options, char *text, size_t size)
{
    char hex[3 * 40 + 1] = "";
    for (size_t cut = size / 2; cut > 0; cut /= 2)
        for (size_t at = 0; at + cut <= size;) {
            char *less = malloc(size);
            if (!less)
                return;
            memcpy(less, text, at);
            memcpy(less + at, text + at + cut, size - at - cut);
            if (!is_same(t, b, less, size - cut))
                memcpy(text, less, size -= cut);
            else
                at += cut;
            free(less);
        }
    for (size_t i = 0; i < size && i < 40; i++)
        (void)snprintf(hex + 3 * i, 4, "%02x ", (unsigned char)text[i]);
    CHECK_MSG(false, "options %d: %zu bytes differ: %s", options, size, hex);
}

/* So many texts, every other one long, by both, which go.  spaces: of make_text, for two of three.
 * text: room for one. */
static void compare_both(ix_test *t, both *b, int options, int texts, uint64_t spaces, char *text,
                         size_t room, uint64_t *state)
{
    for (int i = 0; b->fast && b->general && i < texts && t->failures == 0; i++) {
        size_t size = make_text(text, i % 2 ? room : 200, i % 3 ? spaces : 0, state);
        bool same = is_same(t, b, text, size);
        t->checks++;
        if (!same)
            report(t, b, options, text, size);
    }
    ix_tokenizer_free(b->fast);
    ix_tokenizer_free(b->general);
}

TEST(fast_bert_is_as_the_general_path)
{
    enum { ROOM = 12000, TEXTS = 40 };
    char *text = malloc(ROOM);
    uint64_t state = 5;
    for (int options = 0; options <= 24 && text && t->failures == 0; options++) {
        both b = { make_tokenizer(t, options, false), make_tokenizer(t, options, true) };
        compare_both(t, &b, options, TEXTS, 0, text, ROOM, &state);
    }
    free(text);
}

/* What normalizers and pre-tokenizers Unigram's path takes. */
#define METASPACE(scheme)                                                                          \
    "{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\",\"prepend_scheme\":\"" scheme        \
    "\",\"split\":true}"
#define SQUEEZE(content)                                                                           \
    "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\"" content "\"}"
#define SEQUENCE(list) "{\"type\":\"Sequence\",\"normalizers\":[" list "]}"
/* By charsmap() of make_component_goldens.py: the rules {"\n": " ", "\t": " ", "\r": " ",
 * " \u0301": "-", "e\u0301": "\u00e9", "\u4e2d": "ab"}. */
#define PRECOMPILED "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"" MAP "\"}"
#define MAP                                                                                        \
    "AAQAAAAEAAAAAACAAgAAgAQAAIAGAACACAAAgAsAAIAAAAAACSkAAAAAAAAAAAAACikAAA09AAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAACCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAABlmAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgRECAAAAAAAAAAAA"     \
    "gRkCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACtqQIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAuOACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADMMAMAzDADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADkkAMA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgACAAIAAtAMOpAGFiAA=="
static const char *const normalizers[] = {
    "null",
    PRECOMPILED,
    SEQUENCE(PRECOMPILED ",{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}," SQUEEZE(
        "\xE2\x96\x81")),
    "{\"type\":\"NFKC\"}",
    SEQUENCE("{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"}"),
    SEQUENCE("{\"type\":\"Nmt\"},{\"type\":\"NFC\"}," SQUEEZE(" ")),
    SEQUENCE(SQUEEZE(" ") ",{\"type\":\"Nmt\"}"),
    SEQUENCE("{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}"),
    SEQUENCE("{\"type\":\"Nmt\"},{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}"
             "," SQUEEZE("\xE2\x96\x81")),
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"ze\"},\"content\":\" \"}",
};
static const char *const splits[] = {
    METASPACE("always"),
    METASPACE("first"),
    METASPACE("never"),
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"}," METASPACE(
        "always") "]}",
};
enum { NORMALIZERS = sizeof normalizers / sizeof *normalizers, SPLITS = 4 };

/* Pieces with and without U+2581, of scores that are close to one another. */
static json_t *make_scores(bool bytes)
{
    uint64_t state = 77;
    json_t *vocab = json_array();
    (void)json_array_append_new(vocab, json_pack("[s, f]", UNKNOWN, 0.0));
    (void)json_array_append_new(vocab, json_pack("[s, f]", "\xE2\x96\x81", -3.5));
    for (size_t i = 0; i < PARTS; i++)
        for (size_t k = 0; k < 40; k++) {
            char piece[80];
            const char *space = k > 0 && ix_test_random(&state) % 3 == 0 ? "\xE2\x96\x81" : "";
            const char *more = k < 2 ? "" : parts[ix_test_random(&state) % PARTS];
            if (i % 7 == 5 || strcmp(parts[i], UNKNOWN) == 0 || strpbrk(parts[i], " \t\n") ||
                strpbrk(more, " \t\n"))
                continue;
            (void)snprintf(piece, sizeof piece, "%s%s%s", space, parts[i], more);
            double score =
                -2.0 * (double)strlen(piece) - 0.25 * (double)(ix_test_random(&state) % 9);
            (void)json_array_append_new(vocab, json_pack("[s, f]", piece, score));
        }
    for (int b = 0; b < 256 && bytes; b++) {
        char piece[8];
        (void)snprintf(piece, sizeof piece, "<0x%02X>", (unsigned)b);
        (void)json_array_append_new(vocab, json_pack("[s, f]", piece, 0.0));
    }
    return vocab;
}

static ix_tokenizer *make_unigram(ix_test *t, int options, bool general)
{
    const char *normalizer = normalizers[options / 2 % NORMALIZERS];
    const char *split = splits[options / 2 / NORMALIZERS];
    return make_from(t, general, "zebra",
                     json_pack("{s:s, s:o, s:o, s:{s:s, s:i, s:b, s:o}}", "version", "1.0",
                               "normalizer", json_loads(normalizer, JSON_DECODE_ANY, NULL),
                               "pre_tokenizer", json_loads(split, 0, NULL), "model", "type",
                               "Unigram", "unk_id", 0, "byte_fallback", options & 1, "vocab",
                               make_scores(options & 1)));
}

TEST(fast_unigram_is_as_the_general_path)
{
    enum { ROOM = 6000, TEXTS = 60, OPTIONS = 2 * NORMALIZERS * SPLITS };
    char *text = malloc(ROOM);
    uint64_t state = 6;
    for (int options = 0; options < OPTIONS && text && t->failures == 0; options++) {
        both b = { make_unigram(t, options, false), make_unigram(t, options, true) };
        compare_both(t, &b, options, TEXTS, 4, text, ROOM, &state);
    }
    free(text);
}

static size_t good_one_by_one(const char *text, size_t size)
{
    bool whole = true, bad = false;
    for (size_t at = 0, n; at < size; at += n) {
        n = ix_utf8_prefix(text + at, size - at, &whole, &bad);
        if (bad || !whole)
            return at;
    }
    return size;
}

/* Where well-formed text ends, found in strides, is where it ends character by character. */
TEST(fast_utf8_good_is_as_one_by_one)
{
    enum { ROOM = 300, TEXTS = 20000 };
    char text[ROOM];
    uint64_t state = 3;
    for (int i = 0; i < TEXTS; i++) {
        size_t size = 0;
        uint64_t bad_ones = ix_test_random(&state) % 3;
        while (size + 16 < ROOM) {
            size_t k = ix_test_random(&state) % (size_t)(bad_ones ? PARTS : PARTS - 5);
            size_t times = ix_test_random(&state) % 40 == 0 ? 70 : 1;
            size += repeat(text + size, ROOM - size, parts[k], times);
            if (ix_test_random(&state) % 100 == 0)
                break;
        }
        CHECK(ix_utf8_good(text, size) == good_one_by_one(text, size));
    }
}

/* All two bytes, with 0 to 3 bytes behind them that go on, at the places where a stride ends. */
TEST(fast_utf8_good_of_all_beginnings)
{
    enum { SIZE = 100, PAIRS = 1 << 16 };
    char text[SIZE];
    for (int pair = 0; pair < PAIRS; pair++) {
        size_t at = 28 + (size_t)pair % 5, behind = (size_t)pair / 5 % 4;
        memset(text, 'a', SIZE);
        memcpy(text, "\xC3\xA9", 2); /* strides begin with the first byte beyond ASCII */
        text[at] = (char)(pair >> 8);
        text[at + 1] = (char)pair;
        memset(text + at + 2, 0xBF, behind);
        size_t good = ix_utf8_good(text, SIZE);
        CHECK_MSG(good == good_one_by_one(text, SIZE), "%04X at %zu, %zu behind: good to %zu", pair,
                  at, behind, good);
    }
}

/* Every instruction set says of 64 bytes what the definition says. */
TEST(fast_blocks_of_words_are_as_defined)
{
    enum { BLOCK = 64, BLOCKS = 2000 };
    char p[BLOCK];
    uint64_t state = 8;
    const ix_byte_marks marks = { .ranges = 3,
                                  .spaces = 2,
                                  .low = { '\1', '!', 'b' },
                                  .high = { '\1', '@', '~' },
                                  .space = { ' ', '\n' } };
    for (int i = 0; i < BLOCKS; i++) {
        uint64_t single = 0, spaces = 0, plain = 0, lines = 0;
        for (int k = 0; k < BLOCK; k++) {
            unsigned c = i < 4 ? (unsigned)(i * BLOCK + k)
                               : (unsigned)ix_test_random(&state) % (i % 2 ? 256 : 128);
            bool in_word = (c | 0x20) - 'a' < 26 || c - '0' < 10 || c < ' ' || c > '~';
            p[k] = (char)c;
            spaces |= (uint64_t)(c == ' ') << k;
            single |= (uint64_t)(c != ' ' && !in_word) << k;
            lines |= (uint64_t)(c == '\n') << k;
            plain |= (uint64_t)(c == 1 || (c >= '!' && c <= '@') || (c >= 'b' && c <= '~')) << k;
        }
        for (size_t s = 0; ix_block_sets(s); s++) {
            uint64_t words = 0, alone = 0, in_range = 0, blank = 0;
            ix_block_sets(s)->words(p, &words, &alone);
            CHECK_MSG(words == ~(single | spaces) && alone == single, "%s", ix_block_sets(s)->isa);
            ix_block_sets(s)->marks(&marks, p, &in_range, &blank);
            CHECK_MSG(in_range == plain && blank == (spaces | lines), "%s", ix_block_sets(s)->isa);
        }
    }
}

/* Makes a text of ASCII's kinds of characters, a few others between them; returns its size. */
static size_t make_words(uint64_t *state, char *text, size_t room)
{
    static const char *const kinds[] = { "a",   "bcd", "Z",  "QRS",  " ",  " ",        " ",
                                         "  ",  "1",   "23", "4567", ".",  "--",       "'",
                                         "'s",  "'re", "/",  "\n",   "\t", "\r\n",     "\n \n",
                                         "'LL", "s",   "ll", "\v",   " (", "\xC3\xA9", "\xC5\xBF" };
    static const char *const high[] = {
        "\xC3\xA9",
        "\xC3\x89",
        "\xD0\xB9",
        "\xD0\x99",
        "\xD1\x88",
        "\xCC\x81",
        "\xC2\xA0",
        "\xC2\xB2",
        "\xC2\xAB",
        "\xC7\x85",
        "\xCA\xB0",
        "\xD9\xA3",
        "\xD7\x90",
        "\xE3\x81\x82",
        "\xE4\xB8\xAD",
        "\xE3\x80\x82",
        "\xE3\x80\x80",
        "\xE2\x80\x9D",
        "\xE2\x80\x94",
        "\xE0\xA4\x95",
        "\xE0\xA4\xBF",
        "\xE0\xA5\x8D",
        "\xE1\xBA\xBD",
        "\xE2\x80\xA8",
        "\xF0\x9F\x98\x80",
        "\xF0\x90\x90\x80",
        "\xF0\x90\x90\xA8",
        "\xE2\x84\xAA",
        "\xEA\x99\xA0",
        "\xE2\x80\x8D",
        /* not well-formed: overlong s and letter, a surrogate, what is cut off or stray */
        "\xC1\xB3",
        "\xE0\x81\x81",
        "\xED\xA0\x80",
        "\xF5\x80\x80\x80",
        "\xE4\xB8",
        "\xF0\x9F\x98",
        "\x80",
        "\xFF",
    };
    const size_t count = sizeof kinds / sizeof *kinds, highs = sizeof high / sizeof *high;
    uint64_t with = ix_test_random(state);
    size_t size = 0, most = with % 2 ? count : count - 6; /* half have no HIGH */
    size_t few =
        with / 2 % 3 == 0 ? 0 : with / 6 % 5 + 1; /* and some much of it, of one kind or all */
    size_t first = with / 64 % 2 ? 0 : with / 128 % highs;
    while (size + 16 < room) {
        const char *kind = kinds[ix_test_random(state) % most];
        if (few > 0 && ix_test_random(state) % few == 0)
            kind = high[(first + ix_test_random(state) % (first > 0 ? 3 : highs)) % highs];
        size_t times = ix_test_random(state) % 60 == 0 ? 30 : 1;
        size += repeat(text + size, room - size, kind, times);
    }
    return size;
}

static void compare_cuts(ix_test *t, const char *name, const char *text, size_t size)
{
    ix_scanner scanner;
    ix_pretokenizer pre;
    CHECK(ix_scanner_find(name, &scanner, &pre));
    for (size_t k = 0; ix_block_sets(k); k++) {
        ix_pre_cursor c;
        ix_word_queue q;
        size_t start = 0, end = 0, at = 0, words = 0;
        ix_pre_start(&c, &pre, text, size);
        while (at < size) {
            q.count = 0;
            size_t next = ix_block_sets(k)->cut(&scanner, text, at, size, &q);
            for (size_t i = 0; i < q.count; i++, words++) {
                bool more = ix_pre_next(&c, &start, &end);
                CHECK_MSG(more && start == q.at[i] && end == q.at[i + 1],
                          "%s, %s: word %zu is %u-%u, not %zu-%zu of '%.40s'", name,
                          ix_block_sets(k)->isa, words, q.at[i], q.at[i + 1], start, end,
                          text + (start < 12 ? 0 : start - 12));
                if (start != q.at[i] || end != q.at[i + 1])
                    return;
            }
            if (next == at) { /* the matcher's turn */
                CHECK(ix_pre_next(&c, &start, &end) && start == at);
                next = end;
            }
            at = next;
        }
        CHECK(!ix_pre_next(&c, &start, &end));
    }
}

/* Every instruction set cuts text into the words that the matchers for all characters find. */
TEST(fast_words_are_those_of_the_matchers)
{
    enum { ROOM = 700, TEXTS = 400 };
    static const char *const names[] = { "gpt-2",  "llama3", "cl100k", "qwen2",
                                         "gpt-4o", "tekken", "qwen35" };
    static char text[ROOM];
    /* what is told by bytes far before a word, at every place of a block */
    static const char *const far[] = { " \xF0\x9F\x98\x80y", ".\xF0\x9F\x98\x80y",
                                       "\xF0\x90\x90\x80y", " \xE2\x80\x9C\xD0\xB9", "x'll" };
    uint64_t state = 12;
    for (int i = 0; i < TEXTS; i++) {
        size_t size = make_words(&state, text, ROOM);
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            compare_cuts(t, names[n], text, size);
    }
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        size_t size = repeat(text, ROOM, far[i], ROOM / strlen(far[i]));
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            for (size_t from = 0; from < strlen(far[i]); from += strlen(far[i]) - 1)
                compare_cuts(t, names[n], text + from, size - from);
    }
}
