/* Recognising published expressions.  See pattern.h. */
#include "text/pattern.h"

#include "base/alloc.h"

#include <string.h>

struct ix_pattern {
    const char *known;         /* name of the pre-tokenizer that is this alone, or NULL */
    const ix_pre_stage *stage; /* its stage, or NULL: */
    ix_regex *regex;
};

/* Expressions as files spell them, and the stage of text/pretokenize.c that matches the same. */
static const struct known {
    const char *expression;
    const char *name; /* of the pre-tokenizer */
    int stage;
    enum { EVERYWHERE, RUST_ONLY } where; /* $ is the end of the text in Rust only */
} known[] = {
#define SHORT "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define WORD "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define OTHERS " ?[^\\s\\p{L}\\p{N}]+"
#define SPACES "\\s+(?!\\S)|\\s+"
#define LINES "\\s*[\\r\\n]+|" SPACES
#define UPPER "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define UPPER_NOT_HAN "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]"
#define LOWER_NOT_HAN "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]"
    { "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|" OTHERS "|" SPACES, "gpt-2", 0, EVERYWHERE },
    { "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+|" OTHERS "|" SPACES, "gpt-2", 0, EVERYWHERE },
    { "'s|'t|'re|'ve|'m|'ll|'d| ?[\\p{L}]+| ?[\\p{N}]+|" OTHERS "|" SPACES, "gpt-2", 0,
      EVERYWHERE },
    { "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s",
      "gpt-2", 0, RUST_ONLY },
    { "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++"
      "[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
      "cl100k", 0, RUST_ONLY },
    { SHORT "|" WORD "|\\p{N}{1,3}|" OTHERS "[\\r\\n]*|" LINES, "llama3", 0, EVERYWHERE },
    { SHORT "|" WORD "|\\p{N}|" OTHERS "[\\r\\n]*|" LINES, "qwen2", 0, EVERYWHERE },
    { SHORT
      "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LINES,
      "qwen35", 0, EVERYWHERE },
    { SHORT "|" WORD "|\\p{N}{1}|" OTHERS "|" LINES, "seed-coder", 0, EVERYWHERE },
    { WORD "|\\p{N}|" OTHERS "[\\r\\n]*|" LINES, "ufakzeka", 0, EVERYWHERE },
    { UPPER "*" LOWER "+|" UPPER "+" LOWER "*|\\p{N}|" OTHERS "[\\r\\n/]*|" LINES, "tekken", 0,
      EVERYWHERE },
    { UPPER "*" LOWER "+" SHORT "?|" UPPER "+" LOWER "*" SHORT "?|\\p{N}{1,3}|" OTHERS
            "[\\r\\n/]*|" LINES,
      "gpt-4o", 0, EVERYWHERE },
    { "[\\p{Han}]+|" UPPER_NOT_HAN "*" LOWER_NOT_HAN "+" SHORT "?|" UPPER_NOT_HAN "+" LOWER_NOT_HAN
      "*" SHORT "?|\\p{N}{1,3}|" OTHERS "[\\r\\n]*|" LINES,
      "kimi-k2", 0, EVERYWHERE },
    { SHORT "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}|" OTHERS
            "[\\r\\n/]?|" LINES,
      "exaone-moe", 0, EVERYWHERE },
    { SHORT "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}|" OTHERS
            "[\\r\\n/]?|\\s*[\\r\\n]|" SPACES,
      "exaone-moe", 0, EVERYWHERE },
    { SHORT
      "|" WORD "|\\p{N}{1,3}|" OTHERS "[\\r\\n]*|\\s*[\\r\\n]+|\\s{512}(?!\\S)|\\s{256}(?!\\S)|"
      "\\s{128}(?!\\S)|\\s{64}(?!\\S)|\\s{32}(?!\\S)|\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|"
      "\\s{1,2}(?!\\S)|\\s{1}",
      "jais-2", 0, EVERYWHERE },
    /* stages of pre-tokenizers that have several */
    { "\\d{1,3}(?=(?:\\d{3})*\\b)", "tiny_aya", 0, EVERYWHERE },
    { "[^\\n]+|[\\n]+", "laguna", 0, EVERYWHERE },
    { "\\p{N}{1,3}", "deepseek-v3", 0, EVERYWHERE },
    { "[\xE4\xB8\x80-\xE9\xBE\xA5\xE3\x81\x80-\xE3\x82\x9F\xE3\x82\xA0-\xE3\x83\xBF]+",
      "deepseek-v3", 1, EVERYWHERE },
    { "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?"
      "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" LINES,
      "deepseek-v3", 2, EVERYWHERE },
    { " ?[^(\\s|[.,!?\xE2\x80\xA6\xE3\x80\x82\xEF\xBC\x8C\xE3\x80\x81\xE0\xA5\xA4\xDB\x94"
      "\xD8\x8C])]+",
      "bloom", 0, EVERYWHERE },
    { "\\s?\\p{L}+", "deepseek-coder", 1, EVERYWHERE },
    { "\\s?\\p{P}+", "deepseek-coder", 2, EVERYWHERE },
    { "[0-9][0-9][0-9]", "falcon", 3, EVERYWHERE },
};

static bool recognize(ix_pattern *p, const char *expression, size_t size, ix_regex_syntax syntax)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct known *k = &known[i];
        if (strlen(k->expression) != size || memcmp(k->expression, expression, size) != 0 ||
            (k->where == RUST_ONLY && syntax != IX_REGEX_RUST))
            continue;
        p->stage = ix_pre_stage_of(k->name, k->stage);
        p->known = ix_pre_stage_of(k->name, 1) ? NULL : k->name;
        return p->stage != NULL;
    }
    return false;
}

const char *ix_pattern_expression(size_t n)
{
    return n < sizeof known / sizeof *known ? known[n].expression : NULL;
}

inox_status ix_pattern_new(const char *expression, size_t size, ix_regex_syntax syntax,
                           ix_pattern **out, inox_error *err)
{
    ix_pattern *p;
    *out = NULL;
    IX_TRY(IX_ALLOC(&p, 1, err));
    if (!recognize(p, expression, size, syntax)) {
        inox_status status = ix_regex_new(expression, size, syntax, &p->regex, err);
        if (status != INOX_OK) {
            ix_free(p);
            return status;
        }
    }
    *out = p;
    return INOX_OK;
}

inox_status ix_pattern_new_literal(const char *bytes, size_t size, ix_pattern **out,
                                   inox_error *err)
{
    static const char special[] = "\\.+*?()|[]{}^$#&-~";
    ix_buffer escaped = { 0 };
    inox_status status = INOX_OK;
    *out = NULL;
    for (size_t i = 0; i < size && status == INOX_OK; i++) {
        if (bytes[i] && strchr(special, bytes[i]))
            status = ix_buffer_append(&escaped, "\\", 1, err);
        if (status == INOX_OK)
            status = ix_buffer_append(&escaped, bytes + i, 1, err);
    }
    if (status == INOX_OK)
        status =
            ix_pattern_new(escaped.data ? escaped.data : "", escaped.size, IX_REGEX_RUST, out, err);
    ix_buffer_release(&escaped);
    return status;
}

void ix_pattern_free(ix_pattern *p)
{
    if (!p)
        return;
    ix_regex_free(p->regex);
    ix_free(p);
}

const char *ix_pattern_known(const ix_pattern *p)
{
    return p->known;
}

void ix_pattern_start(ix_pattern_cursor *c, const ix_pattern *p, const char *text, size_t size)
{
    c->stage = p->stage;
    c->piece = (ix_pre_piece){ .text = text, .end = size };
    if (!p->stage)
        ix_regex_start(&c->search, p->regex, text, size);
}

inox_status ix_pattern_next(ix_pattern_cursor *c, size_t *start, size_t *end, bool *found,
                            inox_error *err)
{
    if (!c->stage)
        return ix_regex_next(&c->search, start, end, found, err);
    *found = ix_pre_find(c->stage, &c->piece, start, end);
    if (!*found)
        *start = *end = 0;
    return INOX_OK;
}

void ix_pattern_release(ix_pattern_cursor *c)
{
    ix_regex_release(&c->search);
    *c = (ix_pattern_cursor){ 0 };
}
