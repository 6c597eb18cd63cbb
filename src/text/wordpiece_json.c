/* BERT vocabularies as tokenizer.json, and those of GGUF files made into such. */
#include "text/wordpiece_json.h"

#include <jansson.h>
#include <string.h>

static inox_status no_memory(inox_error *err)
{
    return ix_fail(err, INOX_E_MEMORY, "out of memory for the vocabulary");
}

bool ix_add_special_json(json_t *list, const json_t *vocab, const char *text, json_int_t *next)
{
    const json_t *id = json_object_get(vocab, text);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *content = json_object_get(json_array_get(list, i), "content");
        if (strcmp(json_string_value(content), text) == 0)
            return true;
    }
    json_int_t number = id ? json_integer_value(id) : (*next)++;
    return json_array_append_new(list,
                                 json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:b}", "id", number,
                                           "content", text, "single_word", 0, "lstrip", 0, "rstrip",
                                           0, "normalized", 0, "special", 1)) == 0;
}

static json_int_t id_of(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (strcmp(json_string_value(json_object_get(item, "content")), text) == 0)
            return json_integer_value(json_object_get(item, "id"));
    }
    return -1;
}

json_t *ix_template_token_json(const char *text, int type)
{
    return json_pack("{s:{s:s, s:i}}", "SpecialToken", "id", text, "type_id", type);
}

json_t *ix_template_sequence_json(const char *name, int type)
{
    return json_pack("{s:{s:s, s:i}}", "Sequence", "id", name, "type_id", type);
}

json_t *ix_template_entry_json(const char *text, const json_t *added)
{
    return json_pack("{s:s, s:[I], s:[s]}", "id", text, "ids", id_of(added, text), "tokens", text);
}

/* [CLS] A [SEP], and [CLS] A [SEP] B [SEP] with the second part of type 1. */
static json_t *template_json(const ix_bert_settings *s, const json_t *added)
{
    json_t *tokens = json_object();
    const char *const texts[] = { s->cls, s->separator };
    for (size_t i = 0; i < 2; i++)
        json_object_set_new(tokens, texts[i], ix_template_entry_json(texts[i], added));
    json_t *pair =
        json_pack("[o, o, o]", ix_template_token_json(s->cls, 0), ix_template_sequence_json("A", 0),
                  ix_template_token_json(s->separator, 0));
    json_t *single = json_copy(pair);
    if (s->two_separators)
        json_array_append_new(pair, ix_template_token_json(s->separator, 0));
    json_array_append_new(pair, ix_template_sequence_json("B", 1));
    json_array_append_new(pair, ix_template_token_json(s->separator, 1));
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "TemplateProcessing", "single", single, "pair",
                     pair, "special_tokens", tokens);
}

inox_status ix_bert_json(json_t *vocab, const ix_bert_settings *s, json_t **out, inox_error *err)
{
    const char *const names[] = { s->unknown, s->separator, s->padding, s->cls, s->mask };
    json_t *added = json_array();
    json_int_t next = (json_int_t)json_object_size(vocab);
    bool good = added != NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && good; i++)
        good = ix_add_special_json(added, vocab, names[i], &next);
    json_t *accents = s->strip_accents < 0 ? json_null() : json_boolean(s->strip_accents != 0);
    json_t *around = good ? template_json(s, added) : NULL;
    *out = around ? json_pack("{s:s, s:n, s:n, s:O, s:{s:s, s:b, s:b, s:o, s:b}, s:{s:s}, s:O, "
                              "s:{s:s, s:s, s:b}, s:{s:s, s:s, s:s, s:i, s:O}}",
                              "version", "1.0", "truncation", "padding", "added_tokens", added,
                              "normalizer", "type", "BertNormalizer", "clean_text", 1,
                              "handle_chinese_chars", (int)s->han, "strip_accents", accents,
                              "lowercase", (int)s->lowercase, "pre_tokenizer", "type",
                              "BertPreTokenizer", "post_processor", around, "decoder", "type",
                              "WordPiece", "prefix", "##", "cleanup", 1, "model", "type",
                              "WordPiece", "unk_token", s->unknown, "continuing_subword_prefix",
                              "##", "max_input_chars_per_word", 100, "vocab", vocab)
                  : NULL;
    json_decref(added);
    json_decref(around);
    return *out ? INOX_OK : no_memory(err);
}
