/* The vocabularies of before tokenizer.json: vocab.txt of BERT, vocab.json and merges.txt of GPT-2,
 * RoBERTa, Qwen 2 and CLIP.
 *
 * They are turned into the tokenizer.json that transformers 5.23 builds from them
 * (models/bert/tokenization_bert.py, models/gpt2/tokenization_gpt2.py, ...), with the settings of
 * tokenizer_config.json; the reader of that format does the rest.
 */
#include "base/limits.h"
#include "text/file/formats.h"
#include "text/file/tokenizer_json.h"
#include "text/unicode.h"
#include "text/wordpiece_json.h"

#include <jansson.h>
#include <stdlib.h>
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

/* The name of the class without "Fast"; PreTrainedTokenizer says no more than none does. */
static ix_text_view class_of(const json_t *settings)
{
    const json_t *class = json_object_get(settings, "tokenizer_class");
    const char *name = json_is_string(class) ? json_string_value(class) : "PreTrainedTokenizer";
    size_t size = strlen(name);
    size -= size > 4 && strcmp(name + size - 4, "Fast") == 0 ? 4 : 0;
    return (ix_text_view){ name, size };
}

static inox_status unknown_class(ix_text_view class, const char *files, inox_error *err)
{
    return ix_fail(err, INOX_E_UNSUPPORTED,
                   "tokenizer_config.json says %.*s, which is not known for %s: save it as "
                   "tokenizer.json",
                   (int)class.size, class.data, files);
}

/* The families of vocab.txt: their special tokens. */
static inox_status bert_family(const json_t *settings, ix_bert_settings *bert, inox_error *err)
{
    static const char *const alike[] = { "PreTrainedTokenizer",
                                         "ElectraTokenizer",
                                         "LayoutLMTokenizer",
                                         "LxmertTokenizer",
                                         "RealmTokenizer",
                                         "DPRReaderTokenizer",
                                         "DPRContextEncoderTokenizer",
                                         "DPRQuestionEncoderTokenizer" };
    static const char SUFFIX[] = "BertTokenizer"; /* DistilBert, MobileBert, ... */
    enum { SUFFIX_SIZE = sizeof SUFFIX - 1 };
    ix_text_view class = class_of(settings);
    bool known = class.size >= SUFFIX_SIZE &&
                 memcmp(class.data + class.size - SUFFIX_SIZE, SUFFIX, SUFFIX_SIZE) == 0;
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
        known = known || ix_text_is(class, alike[i]);
    bool mpnet = ix_text_is(class, "MPNetTokenizer");
    bert->unknown = spelling(settings, "unk_token", "[UNK]");
    bert->cls = spelling(settings, "cls_token", mpnet ? "<s>" : "[CLS]");
    bert->separator = spelling(settings, "sep_token", mpnet ? "</s>" : "[SEP]");
    bert->padding = spelling(settings, "pad_token", mpnet ? "<pad>" : "[PAD]");
    bert->mask = spelling(settings, "mask_token", mpnet ? "<mask>" : "[MASK]");
    bert->two_separators = mpnet;
    return known || mpnet ? INOX_OK : unknown_class(class, "vocab.txt", err);
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
    ix_bert_settings bert = {
        .lowercase = setting(settings, "do_lower_case", 1) != 0,
        .han = setting(settings, "tokenize_chinese_chars", 1) != 0,
        .strip_accents = setting(settings, "strip_accents", -1),
    };
    if (status == INOX_OK)
        status = bert_family(settings, &bert, err);
    if (status == INOX_OK)
        status = ix_bert_json(vocab, &bert, &root, err);
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

/* What else than GPT-2 is published as vocab.json and merges.txt. */
typedef enum family { GPT2, ROBERTA, QWEN2, CLIP, FAMILIES } family;

/* The tokens of each: their keys in tokenizer_config.json and usual spellings. */
static const struct {
    const char *key, *usual[FAMILIES];
} NAMED[] = {
    { "bos_token", { "<|endoftext|>", "<s>", NULL, "<|startoftext|>" } },
    { "eos_token", { "<|endoftext|>", "</s>", "<|endoftext|>", "<|endoftext|>" } },
    { "unk_token", { "<|endoftext|>", "<unk>", "<|endoftext|>", "<|endoftext|>" } },
    { "sep_token", { NULL, "</s>", NULL, NULL } },
    { "pad_token", { NULL, "<pad>", "<|endoftext|>", "<|endoftext|>" } },
    { "cls_token", { NULL, "<s>", NULL, NULL } },
    { "mask_token", { NULL, "<mask>", NULL, NULL } },
};

static const char *named(const json_t *settings, family kind, const char *key)
{
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++)
        if (strcmp(NAMED[i].key, key) == 0)
            return spelling(settings, key, NAMED[i].usual[kind]);
    return NULL;
}

/* tokenizer_config.json names the class; where it does not, the vocabulary shows it. */
static inox_status find_family(const json_t *settings, const json_t *vocab, family *kind,
                               inox_error *err)
{
    static const struct {
        const char *name;
        family kind;
    } classes[] = {
        { "GPT2Tokenizer", GPT2 },       { "CodeGenTokenizer", GPT2 },
        { "RobertaTokenizer", ROBERTA }, { "BartTokenizer", ROBERTA },
        { "LEDTokenizer", ROBERTA },     { "LongformerTokenizer", ROBERTA },
        { "MvpTokenizer", ROBERTA },     { "Qwen2Tokenizer", QWEN2 },
        { "CLIPTokenizer", CLIP },
    };
    static const char *const roberta[] = { "<s>", "</s>", "<pad>", "<unk>", "<mask>" };
    ix_text_view class = class_of(settings);
    size_t found = 0;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (ix_text_is(class, classes[i].name))
            return *kind = classes[i].kind, INOX_OK;
    if (!ix_text_is(class, "PreTrainedTokenizer"))
        return unknown_class(class, "vocab.json with merges.txt", err);
    for (size_t i = 0; i < sizeof roberta / sizeof *roberta; i++)
        found += json_object_get(vocab, roberta[i]) != NULL;
    *kind = found == sizeof roberta / sizeof *roberta           ? ROBERTA
            : json_object_get(vocab, "<|startoftext|>") != NULL ? CLIP
                                                                : GPT2;
    return INOX_OK;
}

static json_t *byte_level(bool prefix_space, bool cuts)
{
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space",
                     (int)prefix_space, "trim_offsets", 1, "use_regex", (int)cuts);
}

static json_t *split_json(const char *expression, const char *behavior, bool invert)
{
    return json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex", expression,
                     "behavior", behavior, "invert", (int)invert);
}

static json_t *pre_tokenizer_json(const json_t *settings, family kind)
{
    static const char qwen2[] =
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+"
        "[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    static const char clip[] = "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|"
                               "[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
    bool prefix = kind != CLIP && setting(settings, "add_prefix_space", 0) != 0;
    json_t *bytes = byte_level(prefix, kind != QWEN2);
    if (kind != QWEN2 && kind != CLIP)
        return bytes;
    return json_pack("{s:s, s:[o, o]}", "type", "Sequence", "pretokenizers",
                     kind == QWEN2 ? split_json(qwen2, "Isolated", false)
                                   : split_json(clip, "Removed", true),
                     bytes);
}

static json_t *normalizer_json(family kind)
{
    if (kind == CLIP)
        return json_pack("{s:s, s:[{s:s}, {s:s, s:{s:s}, s:s}, {s:s}]}", "type", "Sequence",
                         "normalizers", "type", "NFC", "type", "Replace", "pattern", "Regex",
                         "\\s+", "content", " ", "type", "Lowercase");
    return kind == QWEN2 ? json_pack("{s:s}", "type", "NFC") : json_null();
}

/* CLIP's words end in "</w>". */
static json_t *decoder_json(family kind)
{
    json_t *bytes = byte_level(true, true);
    if (kind != CLIP)
        return bytes;
    return json_pack("{s:s, s:[o, {s:s, s:{s:s}, s:s}, {s:s, s:s, s:i, s:i}]}", "type", "Sequence",
                     "decoders", bytes, "type", "Replace", "pattern", "String", "</w>", "content",
                     " ", "type", "Strip", "content", " ", "start", 0, "stop", 1);
}

/* {spelling: id} of "added_tokens_decoder"; *next moves behind its ids. */
static json_t *decoder_ids(const json_t *settings, json_int_t *next)
{
    json_t *ids = json_object(), *token;
    const char *number;
    json_object_foreach(json_object_get(settings, "added_tokens_decoder"), number, token)
    {
        const json_t *content = json_object_get(token, "content");
        char *end;
        long id = strtol(number, &end, 10);
        if (!json_is_string(content) || end == number || *end || id < 0 || id >= IX_MAX_VOCAB)
            continue; /* the reader says what is wrong */
        json_object_set_new(ids, json_string_value(content), json_integer(id));
        *next = id >= *next ? id + 1 : *next;
    }
    return ids;
}

static json_t *added_json(const json_t *settings, const json_t *vocab, family kind)
{
    json_int_t next = (json_int_t)json_object_size(vocab);
    json_t *list = json_array(), *ids = decoder_ids(settings, &next);
    bool good = list != NULL && ids != NULL;
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED && good; i++) {
        const char *text = spelling(settings, NAMED[i].key, NAMED[i].usual[kind]);
        const json_t *from = text && json_object_get(ids, text) ? ids : vocab;
        good = !text || ix_add_special_json(list, from, text, &next);
    }
    json_decref(ids);
    if (!good)
        json_decref(list);
    return good ? list : NULL;
}

/* Those that "added_tokens_decoder" leaves: the reader takes its own, with what it says of them,
 * and what only the settings name behind it. */
static json_t *left_by_decoder(const json_t *added, const json_t *settings, const json_t *vocab)
{
    json_int_t next = 0;
    json_t *list = json_array(), *ids = decoder_ids(settings, &next), *token;
    size_t i;
    json_array_foreach(added, i, token)
    {
        const char *text = json_string_value(json_object_get(token, "content"));
        if (json_object_size(ids) == 0 ||
            (!json_object_get(ids, text) && json_object_get(vocab, text)))
            json_array_append(list, token);
    }
    json_decref(ids);
    return list;
}

/* What goes around texts and pairs where the settings of GPT-2 say so; null where they do not. */
static json_t *edges_json(const json_t *settings, const json_t *added)
{
    const char *bos = named(settings, GPT2, "bos_token"), *eos = named(settings, GPT2, "eos_token");
    bool add_bos = setting(settings, "add_bos_token", 0) != 0;
    bool add_eos = setting(settings, "add_eos_token", 0) != 0;
    if (!add_bos && !add_eos)
        return json_null();
    json_t *single = json_array(), *pair = json_array(), *tokens = json_object();
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

/* A token and its id, as RobertaProcessing has them. */
static json_t *edge_json(const char *text, const json_t *added)
{
    json_t *entry = ix_template_entry_json(text, added), *ids = json_object_get(entry, "ids");
    json_t *edge = json_pack("[s, O]", text, json_array_get(ids, 0));
    json_decref(entry);
    return edge;
}

static json_t *post_processor_json(const json_t *settings, const json_t *added, family kind)
{
    if (kind == GPT2)
        return edges_json(settings, added);
    if (kind == QWEN2)
        return json_null();
    bool roberta = kind == ROBERTA;
    const char *sep = named(settings, kind, roberta ? "sep_token" : "eos_token");
    const char *cls = named(settings, kind, roberta ? "cls_token" : "bos_token");
    return json_pack("{s:s, s:o, s:o, s:b, s:b}", "type", "RobertaProcessing", "sep",
                     edge_json(sep, added), "cls", edge_json(cls, added), "trim_offsets",
                     roberta && setting(settings, "trim_offsets", 1) != 0, "add_prefix_space",
                     roberta && setting(settings, "add_prefix_space", 0) != 0);
}

static inox_status bpe_json(json_t *vocab, json_t *merges, const json_t *settings, json_t **out,
                            inox_error *err)
{
    family kind = GPT2;
    IX_TRY(find_family(settings, vocab, &kind, err));
    json_t *added = added_json(settings, vocab, kind);
    json_t *unknown = kind == CLIP ? json_string(named(settings, CLIP, "unk_token")) : json_null();
    if (!added) {
        json_decref(unknown);
        return no_memory(err);
    }
    json_t *around = post_processor_json(settings, added, kind);
    json_t *own = left_by_decoder(added, settings, vocab);
    json_decref(added);
    *out = json_pack("{s:s, s:n, s:n, s:o, s:o, s:o, s:o, s:o, s:{s:s, s:n, s:o, s:s, s:s, s:b, "
                     "s:b, s:b, s:O, s:O}}",
                     "version", "1.0", "truncation", "padding", "added_tokens", own, "normalizer",
                     normalizer_json(kind), "pre_tokenizer", pre_tokenizer_json(settings, kind),
                     "post_processor", around, "decoder", decoder_json(kind), "model", "type",
                     "BPE", "dropout", "unk_token", unknown, "continuing_subword_prefix", "",
                     "end_of_word_suffix", kind == CLIP ? "</w>" : "", "fuse_unk", 0,
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
        status = bpe_json(vocab, merges, settings, &root, err);
    if (status == INOX_OK)
        status = open_json(root, settings, special_map, out, err);
    json_decref(vocab);
    json_decref(merges);
    json_decref(settings);
    return status == INOX_OK ? status : ix_prefix(err, status, "vocab.json");
}
