/* Models of tokenizer.json against answers of Hugging Face's tokenizers (made by
 * make_model_goldens.py), and fast paths against the general way, word by word. */
#include "test.h"

#include "base/alloc.h"
#include "text/fast_parts.h"
#include "text/model.h"
#include "text/pretokenize.h"
#include "text/unicode.h"

#include <jansson.h>

/* ---- goldens --------------------------------------------------------------------------------- */

/* "id:start-end id:start-end ...", or "error" */
static void write_tokens(const ix_model *m, ix_model_scratch *s, const char *text, size_t size,
                         char *out, size_t room)
{
    ix_token_list list = { 0 };
    inox_error err;
    size_t n = 0;
    out[0] = 0;
    if (ix_model_tokenize(m, s, text, 0, size, &list, &err) != INOX_OK)
        (void)snprintf(out, room, "error");
    else
        for (size_t i = 0; i < list.count && n + 40 < room; i++)
            n += (size_t)snprintf(out + n, room - n, "%s%d:%u-%u", i > 0 ? " " : "",
                                  list.items[i].id, list.items[i].start, list.items[i].end);
    ix_token_list_release(&list);
}

static void check_golden(ix_test *t, const json_t *record)
{
    const json_t *cases = json_object_get(record, "cases"), *c;
    const char *name = json_string_value(json_object_get(record, "name"));
    static char got[1 << 16];
    ix_model *m = NULL;
    ix_model_scratch *s = NULL;
    inox_error err;
    size_t i;
    CHECK_OK(ix_model_from_json(json_object_get(record, "model"), &m, &err), &err);
    if (!m)
        return;
    CHECK_OK(ix_model_scratch_new(m, &s, &err), &err);
    json_array_foreach((json_t *)(uintptr_t)cases, i, c)
    {
        const json_t *text = json_array_get(c, 0);
        for (int round = 0; round < 2; round++) { /* the second from the cache of words */
            write_tokens(m, s, json_string_value(text), json_string_length(text), got, sizeof got);
            const char *want = json_string_value(json_array_get(c, 1));
            CHECK_MSG(strcmp(got, want) == 0, "%s: '%.100s': %.200s, not %.200s", name,
                      json_string_value(text), got, want);
        }
    }
    ix_model_scratch_free(s);
    ix_model_free(m);
}

TEST(model_goldens)
{
    json_error_t e;
    json_t *all = json_load_file(ix_test_file("data/text/models.json"), JSON_ALLOW_NUL, &e),
           *record;
    size_t i;
    CHECK(json_array_size(all) > 10);
    json_array_foreach(all, i, record) check_golden(t, record);
    json_decref(all);
}

TEST(model_bad_models_are_errors)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"type\":\"Foo\",\"vocab\":{},\"merges\":[]}",
        "{\"type\":\"BPE\",\"vocab\":{}}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[\"a b\"]}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b c\"]}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[[\"a\"]]}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":16777216},\"merges\":[]}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":\"0\"},\"merges\":[]}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"dropout\":0.5}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"dropout\":2}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"fuse_unk\":1}",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"],"
        "\"continuing_subword_prefix\":\"##\"}",
        "{\"type\":\"WordPiece\",\"vocab\":{\"a\":0},\"unk_token\":\"a\"}",
        "{\"type\":\"WordPiece\",\"vocab\":{\"a\":0},\"unk_token\":\"a\","
        "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":-1}",
        "{\"type\":\"WordLevel\",\"vocab\":{\"a\":0}}",
        "{\"type\":\"Unigram\",\"vocab\":{}}",
        "{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}",
        "{\"type\":\"Unigram\",\"vocab\":[[\"a\",0]],\"unk_id\":1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        inox_error err = { 0 };
        ix_model *m = NULL;
        json_t *j = json_loads(bad[i], 0, NULL);
        CHECK(j != NULL);
        CHECK_MSG(ix_model_from_json(j, &m, &err) != INOX_OK, "%s is taken", bad[i]);
        CHECK(m == NULL);
        CHECK(err.message[0] != 0);
        json_decref(j);
    }
}

TEST(model_kinds_without_type)
{
    static const struct {
        const char *json;
        ix_model_kind kind;
    } cases[] = {
        { "{\"vocab\":{\"a\":0},\"merges\":[]}", IX_MODEL_BPE },
        { "{\"vocab\":{\"a\":0},\"unk_token\":\"a\",\"continuing_subword_prefix\":\"\","
          "\"max_input_chars_per_word\":3}",
          IX_MODEL_WORDPIECE },
        { "{\"vocab\":{\"a\":0},\"unk_token\":\"a\"}", IX_MODEL_WORDLEVEL },
        { "{\"vocab\":[[\"a\",-1.5]],\"unk_id\":0}", IX_MODEL_UNIGRAM },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        inox_error err;
        ix_model *m = NULL;
        json_t *j = json_loads(cases[i].json, 0, NULL);
        CHECK_OK(ix_model_from_json(j, &m, &err), &err);
        CHECK(m && ix_model_kind_of(m) == cases[i].kind);
        CHECK(m && ix_model_count(m) == 1 && ix_model_find(m, "a", 1) == 0);
        ix_model_free(m);
        json_decref(j);
    }
}

TEST(model_holes_and_shared_ids)
{
    inox_error err;
    ix_model *m = NULL;
    json_t *j = json_loads("{\"type\":\"WordLevel\",\"vocab\":{\"a\":7,\"b\":2,\"c\":7,\"\":3},"
                           "\"unk_token\":\"\"}",
                           0, NULL);
    CHECK_OK(ix_model_from_json(j, &m, &err), &err);
    if (!m)
        return;
    CHECK(ix_model_count(m) == 4 && ix_model_id_end(m) == 8);
    CHECK(ix_model_find(m, "a", 1) == 7 && ix_model_find(m, "c", 1) == 7);
    CHECK(ix_model_find(m, "", 0) == 3 && ix_model_find(m, "d", 1) == -1);
    CHECK(ix_model_piece(m, 5).data == NULL && ix_model_piece(m, 8).data == NULL);
    CHECK(ix_model_piece(m, -1).data == NULL && ix_model_piece(m, 2).size == 1);
    ix_model_free(m);
    json_decref(j);
}

/* ---- fast paths ------------------------------------------------------------------------------ */

/* A byte in GPT-2's alphabet. */
static size_t spell(unsigned byte, char out[4])
{
    static const char *const ranges = "\x21\x7E\xA1\xAC\xAE\xFF";
    unsigned next = 0x100;
    for (unsigned b = 0; b < 256; b++) {
        bool itself = false;
        for (int i = 0; i < 6; i += 2)
            itself = itself || (b >= (unsigned char)ranges[i] && b <= (unsigned char)ranges[i + 1]);
        if (b == byte)
            return ix_utf8_write(itself ? b : next, out);
        next += !itself;
    }
    return 0;
}

/* Byte-level BPE of all bytes and some merges of those, at random. */
static json_t *make_bpe(uint64_t *random, const char *alphabet, bool ignore_merges)
{
    json_t *vocab = json_object(), *merges = json_array();
    char pieces[1024][64];
    int count = 0, letters = 0, start[64];
    for (unsigned b = 0; b < 256; b++) {
        size_t n = spell(b, pieces[count]);
        pieces[count][n] = 0;
        if (strchr(alphabet, (int)b) && b != 0)
            start[letters++] = count;
        (void)json_object_set_new(vocab, pieces[count], json_integer(count));
        count++;
    }
    for (int tries = 0; tries < 3000 && count < 900; tries++) {
        int of = letters + count - 256;
        int l = (int)(ix_test_random(random) % (uint64_t)of);
        int r = (int)(ix_test_random(random) % (uint64_t)of);
        l = l < letters ? start[l] : 256 + l - letters;
        r = r < letters ? start[r] : 256 + r - letters;
        size_t n = strlen(pieces[l]), k = strlen(pieces[r]);
        if (n + k > 14)
            continue;
        memcpy(pieces[count], pieces[l], n);
        memcpy(pieces[count] + n, pieces[r], k + 1);
        if (json_object_get(vocab, pieces[count]))
            continue;
        (void)json_object_set_new(vocab, pieces[count], json_integer(count));
        (void)json_array_append_new(merges, json_pack("[s,s]", pieces[l], pieces[r]));
        count++;
    }
    return json_pack("{s:s,s:o,s:o,s:b}", "type", "BPE", "vocab", vocab, "merges", merges,
                     "ignore_merges", ignore_merges);
}

/* Text of the alphabet, spaces, and characters that the scanners hand on. */
static size_t make_text(uint64_t *random, const char *alphabet, char *out, size_t room)
{
    static const char *const others[] = { " ",
                                          " ",
                                          "  ",
                                          "\n",
                                          "\r\n",
                                          "\t ",
                                          "'",
                                          "'s",
                                          "'LL",
                                          "'Re",
                                          "\xC5\xBF",
                                          "'\xC5\xBF",
                                          "12",
                                          "3456",
                                          "/",
                                          "\xC3\xA9",
                                          "\xCC\x81",
                                          "\xE4\xB8\xAD",
                                          "\xC2\xA0",
                                          "\xE2\x80\x99",
                                          "\xF0\x9F\x98\x80",
                                          "\x01",
                                          "\x1C",
                                          "...",
                                          "A",
                                          "ZZ",
                                          "_",
                                          "\n\n",
                                          "\r\n",
                                          " \n",
                                          "\n  ",
                                          "\n \n",
                                          ".\n",
                                          "!\n/",
                                          "\t",
                                          "'s",
                                          "'ll",
                                          "'LL",
                                          "'d've",
                                          "''",
                                          "'\xC5\xBF" };
    size_t n = 0, letters = strlen(alphabet);
    while (n + 8 < room) {
        uint64_t r = ix_test_random(random);
        if (r % (5 + room % 6) > 0) {
            out[n++] = alphabet[r / 5 % letters];
            continue;
        }
        const char *o = others[r / 5 % (sizeof others / sizeof *others)];
        memcpy(out + n, o, strlen(o));
        n += strlen(o);
    }
    return n;
}

/* The general way: words by the matchers, each spelled in the alphabet, tokens by the model. */
static void encode_slowly(ix_test *t, const ix_model *m, ix_model_scratch *s, const char *name,
                          const char *text, size_t size, ix_token_list *out, int32_t *words)
{
    int32_t number = 0;
    ix_pretokenizer pre;
    ix_pre_cursor c;
    size_t start, end;
    inox_error err;
    pre = (ix_pretokenizer){ .stages = ix_pre_stage_of(name, 0), .stage_count = 1 };
    CHECK(pre.stages != NULL);
    ix_pre_start(&c, &pre, text, size);
    while (ix_pre_next(&c, &start, &end)) {
        static char word[1 << 16];
        static uint32_t from[1 << 16], to[1 << 16]; /* source of each byte: a character */
        size_t n = 0, first = out->count;
        for (size_t i = start; i < end; i++) {
            size_t a = i, b = i + 1, k = spell((unsigned char)text[i], word + n);
            while (a > start && ((unsigned char)text[a] & 0xC0) == 0x80)
                a--;
            while (b < end && ((unsigned char)text[b] & 0xC0) == 0x80)
                b++;
            for (; k > 0; k--, n++) {
                from[n] = (uint32_t)a;
                to[n] = (uint32_t)b;
            }
        }
        CHECK_OK(ix_model_tokenize(m, s, word, 0, n, out, &err), &err);
        for (size_t i = first; i < out->count; i++) {
            words[i] = number;
            out->items[i].end = to[out->items[i].end - 1];
            out->items[i].start = from[out->items[i].start];
        }
        number++;
    }
}

/* pattern: NULL for GPT-2's in ByteLevel, "" for one that is known by its name alone. */
static void compare_fast(ix_test *t, const char *name, const char *pattern, bool ignore_merges,
                         uint64_t seed)
{
    static const char alphabet[] = "abcdeilnorstABE .,-'\"!? 09";
    static char text[4000];
    uint64_t random = seed;
    inox_error err;
    ix_model *m = NULL;
    ix_model_scratch *s = NULL, *slow = NULL;
    ix_fast *f = NULL;
    json_t *j = make_bpe(&random, alphabet, ignore_merges), *pre = NULL;
    if (pattern && *pattern)
        pre = json_pack("{s:s,s:[{s:s,s:{s:s},s:s,s:b},{s:s,s:b,s:b}]}", "type", "Sequence",
                        "pretokenizers", "type", "Split", "pattern", "Regex", pattern, "behavior",
                        "Isolated", "invert", 0, "type", "ByteLevel", "add_prefix_space", 0,
                        "use_regex", 0);
    else if (!pattern)
        pre =
            json_pack("{s:s,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", 0, "use_regex", 1);
    CHECK_OK(ix_model_from_json(j, &m, &err), &err);
    if (pre)
        CHECK_OK(ix_fast_from_json(NULL, pre, m, &f, &err), &err);
    else
        CHECK_OK(ix_fast_from_name(name, m, &f, &err), &err);
    CHECK_MSG(f != NULL, "%s has no fast path", name);
    CHECK_OK(ix_model_scratch_new(m, &s, &err), &err);
    CHECK_OK(ix_model_scratch_new(m, &slow, &err), &err);
    for (size_t round = 0; round < 40 && f; round++) {
        const ix_block_set *set = ix_block_sets(round % 4); /* all that this machine runs */
        f->bytes.set = set ? set : ix_block_sets(0);
        ix_encoding got = { .want = IX_WANT_OFFSETS | IX_WANT_WORDS }, again = got, bare = { 0 };
        static int32_t words[sizeof text];
        ix_token_list want = { 0 };
        size_t size = make_text(&random, alphabet, text, 20 + round * 99);
        CHECK_OK(ix_fast_encode(f, s, text, 0, size, NULL, NULL, &got, &err), &err);
        CHECK_OK(ix_fast_encode(f, s, text, 0, size, NULL, NULL, &bare, &err), &err);
        CHECK_OK(ix_fast_encode(f, s, text, 0, size, NULL, NULL, &again, &err), &err);
        encode_slowly(t, m, slow, name, text, size, &want, words);
        CHECK_MSG(got.count == want.count, "%s: %zu tokens, not %zu", name, got.count, want.count);
        for (size_t i = 0; i < got.count && i < want.count; i++) {
            ix_token a = { got.ids[i], got.starts[i], got.ends[i] }, b = want.items[i];
            bool same = a.id == b.id && a.start == b.start && a.end == b.end;
            same = same && got.words[i] == words[i];
            CHECK_MSG(same, "%s: token %zu is %d %u-%u of %d, not %d %u-%u of %d ('%.40s')", name,
                      i, a.id, a.start, a.end, got.words[i], b.id, b.start, b.end, words[i],
                      text + b.start);
            if (!same)
                break;
        }
        CHECK(bare.count == got.count && memcmp(bare.ids, got.ids, 4 * got.count) == 0);
        bool known = again.count == got.count;
        for (size_t i = 0; i < got.count && known; i++) /* from the caches this time */
            known = again.ids[i] == got.ids[i] && again.starts[i] == got.starts[i] &&
                    again.ends[i] == got.ends[i] && again.words[i] == got.words[i];
        CHECK_MSG(known, "%s: known words differ", name);
        ix_encoding_release(&got);
        ix_encoding_release(&again);
        ix_encoding_release(&bare);
        ix_token_list_release(&want);
    }
    ix_model_scratch_free(s);
    ix_model_scratch_free(slow);
    ix_fast_free(f);
    ix_model_free(m);
    json_decref(j);
    json_decref(pre);
}

TEST(model_fast_bytes_are_the_general_way)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        compare_fast(t, "gpt-2", NULL, seed % 2 == 0, seed);
        compare_fast(t, "cl100k", "", seed % 2 == 0, seed + 40);
        compare_fast(t, "tekken", "", seed % 2 == 0, seed + 50);
        compare_fast(t, "llama3",
                     "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                     seed % 2 == 0, seed + 10);
        compare_fast(t, "qwen2",
                     "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                     seed % 2 == 0, seed + 20);
        compare_fast(t, "gpt-4o",
                     "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"
                     "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
                     "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
                     "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|"
                     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                     seed % 2 == 0, seed + 30);
    }
}
