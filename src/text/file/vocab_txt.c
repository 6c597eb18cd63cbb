/* The vocabularies of before tokenizer.json: vocab.txt of BERT, vocab.json and merges.txt of GPT-2.
 *
 * Both are turned into the tokenizer.json that transformers 5.23 builds from them
 * (models/bert/tokenization_bert.py, models/gpt2/tokenization_gpt2.py), with the settings of
 * tokenizer_config.json; the reader of that format does the rest.
 */
#include "base/limits.h"
#include "text/file/formats.h"
#include "text/file/tokenizer_json.h"
#include "text/unicode.h"
#include "text/wordpiece_json.h"

#include <jansson.h>
#include <string.h>

static inox_status no_memory(inox_error *err)
{
    return ix_fail(err, INOX_E_MEMORY, "out of memory for the vocabulary");
}

static inox_status load_config(ix_text_view config, json_t **out, inox_error *err)
{
    json_error_t e;
    *out = NULL;
    if (!config.data)
        return INOX_OK;
    *out = json_loadb(config.data, config.size, JSON_DECODE_INT_AS_REAL, &e);
    if (!json_is_object(*out))
        return ix_fail(err, INOX_E_FORMAT, "tokenizer_config.json, line %d: %s", e.line, e.text);
    return INOX_OK;
}

/* Hands a tokenizer.json over that was made here; takes the reference. */
static inox_status open_json(json_t *root, const json_t *settings, ix_text_view special_map,
                             ix_tokenizer **out, inox_error *err)
{
    json_error_t e;
    json_t *map = special_map.data
                      ? json_loadb(special_map.data, special_map.size, JSON_DECODE_INT_AS_REAL, &e)
                      : NULL;
    inox_status status =
        special_map.data && !map
            ? ix_fail(err, INOX_E_FORMAT, "special_tokens_map.json, line %d: %s", e.line, e.text)
            : ix_tokenizer_from_json_object(root, settings, map, out, err);
    json_decref(root);
    json_decref(map);
    return status;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* The next line without its end, and without blanks at its end (tokenizers trims them). */
static bool next_line(ix_text_view file, size_t *at, ix_text_view *line)
{
    if (*at >= file.size)
        return false;
    const char *start = file.data + *at, *end = memchr(start, '\n', file.size - *at);
    size_t size = end ? (size_t)(end - start) : file.size - *at;
    *at += size + 1;
    for (;;) {
        size_t from = size;
        uint32_t c;
        while (from > 0 && size - from < 4 && ((unsigned char)start[--from] & 0xC0) == 0x80)
            ;
        if (size == 0 || ix_utf8_read(start + from, size - from, &c) != size - from ||
            !(ix_unicode_properties(c) & IX_SPACE))
            break;
        size = from;
    }
    *line = (ix_text_view){ start, size };
    return true;
}

static inox_status bad_line(size_t line, inox_error *err)
{
    return ix_fail(err, INOX_E_FORMAT, "line %zu is not UTF-8", line);
}

/* ---- vocab.txt ----------------------------------------------------------------------------- */

static inox_status read_words(ix_text_view file, json_t *vocab, inox_error *err)
{
    size_t at = 0, id = 0;
    ix_text_view line;
    while (next_line(file, &at, &line)) {
        if (id >= IX_MAX_VOCAB)
            return ix_fail(err, INOX_E_LIMIT, "the vocabulary has more than %d lines",
                           IX_MAX_VOCAB);
        if (memchr(line.data, 0, line.size) != NULL)
            return ix_fail(err, INOX_E_FORMAT, "line %zu holds a NUL", id + 1);
        json_t *number = json_integer((json_int_t)id);
        if (json_object_setn_new(vocab, line.data, line.size, number) != 0)
            return bad_line(id + 1, err);
        id++;
    }
    return INOX_OK;
}

/* A setting of tokenizer_config.json: true, false or not given (-1). */
static int setting(const json_t *config, const char *key, int usual)
{
    const json_t *j = json_object_get(config, key);
    return json_is_boolean(j) ? json_is_true(j) : usual;
}

/* The spelling of a named token: a string, or an object with "content". */
static const char *spelling(const json_t *config, const char *key, const char *usual)
{
    const json_t *j = json_object_get(config, key);
    if (json_is_object(j))
        j = json_object_get(j, "content");
    return json_is_string(j) ? json_string_value(j) : usual;
}

inox_status ix_tokenizer_from_vocab_txt(ix_text_view file, ix_text_view config,
                                        ix_text_view special_map, ix_tokenizer **out,
                                        inox_error *err)
{
    json_t *vocab = json_object(), *root = NULL, *settings = NULL;
    *out = NULL;
    inox_status status = vocab ? load_config(config, &settings, err) : no_memory(err);
    if (status == INOX_OK)
        status = read_words(file, vocab, err);
    if (status == INOX_OK) {
        ix_bert_settings bert = {
            .unknown = spelling(settings, "unk_token", "[UNK]"),
            .cls = spelling(settings, "cls_token", "[CLS]"),
            .separator = spelling(settings, "sep_token", "[SEP]"),
            .padding = spelling(settings, "pad_token", "[PAD]"),
            .mask = spelling(settings, "mask_token", "[MASK]"),
            .lowercase = setting(settings, "do_lower_case", 1) != 0,
            .han = setting(settings, "tokenize_chinese_chars", 1) != 0,
            .strip_accents = setting(settings, "strip_accents", -1),
        };
        status = ix_bert_json(vocab, &bert, &root, err);
    }
    if (status == INOX_OK)
        status = open_json(root, settings, special_map, out, err);
    json_decref(vocab);
    json_decref(settings);
    return status == INOX_OK ? status : ix_prefix(err, status, "vocab.txt");
}

/* ---- vocab.json and merges.txt --------------------------------------------------------------- */

static inox_status read_merges(ix_text_view file, json_t *merges, inox_error *err)
{
    size_t at = 0, number = 0;
    ix_text_view line;
    while (next_line(file, &at, &line)) {
        number++;
        if (line.size >= 8 && memcmp(line.data, "#version", 8) == 0)
            continue;
        const char *space = memchr(line.data, ' ', line.size);
        size_t left = space ? (size_t)(space - line.data) : 0;
        if (!space || memchr(space + 1, ' ', line.size - left - 1))
            return ix_fail(err, INOX_E_FORMAT,
                           "merges.txt: line %zu is not two pieces with a space between them",
                           number);
        json_t *pair = json_pack("[s%, s%]", line.data, left, space + 1, line.size - left - 1);
        if (json_array_append_new(merges, pair) != 0)
            return ix_prefix(err, bad_line(number, err), "merges.txt");
    }
    return INOX_OK;
}

static json_t *byte_level(bool prefix_space)
{
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space",
                     (int)prefix_space, "trim_offsets", 1, "use_regex", 1);
}

/* The special tokens of a GPT-2: those that the settings name, <|endoftext|> where they do not. */
static inox_status gpt2_specials(const json_t *settings, const json_t *vocab, json_t *list,
                                 inox_error *err)
{
    static const char *const keys[] = { "bos_token", "eos_token", "unk_token", "pad_token" };
    json_int_t next = (json_int_t)json_object_size(vocab);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = spelling(settings, keys[i], i < 3 ? "<|endoftext|>" : NULL);
        if (text && !ix_add_special_json(list, vocab, text, &next))
            return no_memory(err);
    }
    return INOX_OK;
}

/* What goes around texts and pairs where the settings say so; null where they do not. */
static json_t *edges_json(const json_t *settings, const json_t *added)
{
    const char *bos = spelling(settings, "bos_token", "<|endoftext|>");
    const char *eos = spelling(settings, "eos_token", "<|endoftext|>");
    bool add_bos = setting(settings, "add_bos_token", 0) != 0;
    bool add_eos = setting(settings, "add_eos_token", 0) != 0;
    json_t *single = json_array(), *pair = json_array(), *tokens = json_object();
    if (!add_bos && !add_eos) {
        json_decref(single);
        json_decref(pair);
        json_decref(tokens);
        return json_null();
    }
    for (int k = 0; k < 3; k++) { /* the text; both of a pair */
        json_t *list = k == 0 ? single : pair;
        int type = k == 2;
        if (add_bos)
            json_array_append_new(list, ix_template_token_json(bos, type));
        json_array_append_new(list, ix_template_sequence_json(k == 2 ? "B" : "A", type));
        if (add_eos)
            json_array_append_new(list, ix_template_token_json(eos, type));
    }
    if (add_bos)
        json_object_set_new(tokens, bos, ix_template_entry_json(bos, added));
    if (add_eos)
        json_object_set_new(tokens, eos, ix_template_entry_json(eos, added));
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "TemplateProcessing", "single", single, "pair",
                     pair, "special_tokens", tokens);
}

static inox_status gpt2_json(json_t *vocab, json_t *merges, const json_t *settings, json_t **out,
                             inox_error *err)
{
    json_t *added = json_array();
    bool prefix = setting(settings, "add_prefix_space", 0) != 0;
    inox_status status = added ? gpt2_specials(settings, vocab, added, err) : no_memory(err);
    if (status != INOX_OK) {
        json_decref(added);
        return status;
    }
    json_t *around = edges_json(settings, added);
    *out = json_pack("{s:s, s:n, s:n, s:o, s:n, s:o, s:o, s:o, s:{s:s, s:n, s:n, s:s, s:s, s:b, "
                     "s:b, s:b, s:O, s:O}}",
                     "version", "1.0", "truncation", "padding", "added_tokens", added, "normalizer",
                     "pre_tokenizer", byte_level(prefix), "post_processor", around, "decoder",
                     byte_level(true), "model", "type", "BPE", "dropout", "unk_token",
                     "continuing_subword_prefix", "", "end_of_word_suffix", "", "fuse_unk", 0,
                     "byte_fallback", 0, "ignore_merges", 0, "vocab", vocab, "merges", merges);
    return *out ? INOX_OK : no_memory(err);
}

inox_status ix_tokenizer_from_vocab_json(ix_text_view file, ix_text_view merges_file,
                                         ix_text_view config, ix_text_view special_map,
                                         ix_tokenizer **out, inox_error *err)
{
    json_error_t e;
    json_t *root = NULL, *settings = NULL, *merges = json_array();
    json_t *vocab = json_loadb(file.data, file.size, JSON_REJECT_DUPLICATES, &e);
    inox_status status = INOX_OK;
    *out = NULL;
    if (!json_is_object(vocab))
        status = ix_fail(err, INOX_E_FORMAT, "line %d: %s", e.line, e.text);
    else if (!merges_file.data)
        status = ix_fail(err, INOX_E_NOT_FOUND, "the merges are missing: put merges.txt beside it");
    if (status == INOX_OK)
        status = load_config(config, &settings, err);
    if (status == INOX_OK)
        status = merges ? read_merges(merges_file, merges, err) : no_memory(err);
    if (status == INOX_OK)
        status = gpt2_json(vocab, merges, settings, &root, err);
    if (status == INOX_OK)
        status = open_json(root, settings, special_map, out, err);
    json_decref(vocab);
    json_decref(merges);
    json_decref(settings);
    return status == INOX_OK ? status : ix_prefix(err, status, "vocab.json");
}
