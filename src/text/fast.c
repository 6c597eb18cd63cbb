/* Which pipelines have a fast path.  See fast.h. */
#include "text/fast_parts.h"

#include "base/alloc.h"
#include "text/pattern.h"

#include <string.h>

bool ix_fast_is_type(const json_t *j, const char *type)
{
    const char *have = json_string_value(json_object_get(j, "type"));
    return have && strcmp(have, type) == 0;
}

static bool is_none(const json_t *j)
{
    return !j || json_is_null(j);
}

/* A "Split" into the matches of an expression that matches everywhere: its expression. */
static const json_t *split_pattern(const json_t *j)
{
    const char *behavior = json_string_value(json_object_get(j, "behavior"));
    const json_t *pattern = json_object_get(json_object_get(j, "pattern"), "Regex");
    bool inverted = json_is_true(json_object_get(j, "invert"));
    bool fits = ix_fast_is_type(j, "Split") && behavior &&
                (strcmp(behavior, "Isolated") == 0 ||
                 (strcmp(behavior, "Removed") == 0 && inverted)); /* what does not match goes */
    return fits && json_is_string(pattern) ? pattern : NULL;
}

/* ByteLevel without a space in front; by_words: whether it cuts words itself. */
static bool byte_level(const json_t *j, bool by_words)
{
    const json_t *regex = json_object_get(j, "use_regex"); /* true where it is missing */
    return ix_fast_is_type(j, "ByteLevel") &&
           json_is_false(json_object_get(j, "add_prefix_space")) &&
           (by_words ? !json_is_false(regex) : json_is_false(regex));
}

/* *name: of the pre-tokenizer that gives byte-level words, or NULL. */
static inox_status byte_words(const json_t *pre, const char **name, inox_error *err)
{
    *name = byte_level(pre, true) ? "gpt-2" : NULL;
    const json_t *list = json_object_get(pre, "pretokenizers");
    if (*name || !ix_fast_is_type(pre, "Sequence") || json_array_size(list) != 2)
        return INOX_OK;
    const json_t *split = split_pattern(json_array_get(list, 0));
    if (!split || !byte_level(json_array_get(list, 1), false))
        return INOX_OK;
    ix_pattern *pattern = NULL;
    IX_TRY(ix_pattern_new(json_string_value(split), json_string_length(split), IX_REGEX_ONIGURUMA,
                          &pattern, err));
    *name = ix_pattern_known(pattern);
    ix_pattern_free(pattern);
    return INOX_OK;
}

static inox_status make_bytes(ix_fast *f, const char *pretokenizer, const ix_model *m,
                              bool *qualifies, inox_error *err)
{
    IX_TRY(ix_fast_bytes_from_model(&f->bytes, pretokenizer, m, qualifies, err));
    return *qualifies ? ix_fast_bytes_finish(&f->bytes, err) : INOX_OK;
}

/* Hands out what was made, or nothing where it failed or the pipeline is none of the known. */
static inox_status hand_out(ix_fast *f, inox_status status, bool qualifies, ix_fast **out)
{
    *out = f;
    if (status != INOX_OK || !qualifies) {
        ix_fast_free(f);
        *out = NULL;
    }
    return status;
}

inox_status ix_fast_from_json(const json_t *normalizer, const json_t *pre_tokenizer,
                              const ix_model *m, ix_fast **out, inox_error *err)
{
    ix_fast *f = NULL;
    bool qualifies = false;
    inox_status status = INOX_OK;
    *out = NULL;
    IX_TRY(IX_ALLOC(&f, 1, err));
    const char *words = NULL;
    status = byte_words(pre_tokenizer, &words, err);
    if (status == INOX_OK && words) {
        status = make_bytes(f, words, m, &qualifies, err);
    } else if (status == INOX_OK && ix_fast_is_type(pre_tokenizer, "BertPreTokenizer") &&
               m->kind == IX_MODEL_WORDPIECE &&
               (is_none(normalizer) || ix_fast_is_type(normalizer, "BertNormalizer"))) {
        ix_fast_bert_init(f, m, normalizer);
        qualifies = true;
    } else if (status == INOX_OK) {
        status = ix_fast_unigram_init(f, m, normalizer, pre_tokenizer, &qualifies, err);
    }
    return hand_out(f, status, qualifies, out);
}

inox_status ix_fast_from_name(const char *pretokenizer, const ix_model *m, ix_fast **out,
                              inox_error *err)
{
    ix_fast *f = NULL;
    bool qualifies;
    *out = NULL;
    IX_TRY(IX_ALLOC(&f, 1, err));
    inox_status status = make_bytes(f, pretokenizer, m, &qualifies, err);
    return hand_out(f, status, qualifies, out);
}

inox_status ix_fast_from_parts(const ix_fast_parts *parts, ix_fast **out, inox_error *err)
{
    ix_fast *f = NULL;
    ix_scanner scanner;
    ix_pretokenizer pre;
    *out = NULL;
    bool qualifies =
        ix_scanner_find(parts->pretokenizer, &scanner, &pre) && !parts->bpe->keeps_stale;
    for (int b = 0; b < 256; b++)
        qualifies = qualifies && parts->byte_ids[b] >= 0;
    IX_TRY(IX_ALLOC(&f, 1, err));
    f->bytes.parts = *parts;
    inox_status status = qualifies ? ix_fast_bytes_finish(&f->bytes, err) : INOX_OK;
    return hand_out(f, status, qualifies, out);
}

void ix_make_ranges(ix_byte_marks *m, const bool class[128])
{
    for (int c = 1; c < 0x7F; c++) {
        if (!class[c])
            continue;
        if (class[c - 1] && m->ranges > 0 && m->high[m->ranges - 1] == c - 1)
            m->high[m->ranges - 1] = (char)c;
        else if (m->ranges < IX_MARK_RANGES)
            m->low[m->ranges] = m->high[m->ranges] = (char)c, m->ranges++;
    }
}

void ix_fast_free(ix_fast *f)
{
    if (!f)
        return;
    ix_fast_bytes_release(&f->bytes);
    ix_free(f);
}

bool ix_fast_takes_source(const ix_fast *f)
{
    return f->kind != IX_FAST_BYTES;
}

bool ix_fast_gives(const ix_fast *f, unsigned want)
{
    if (f->kind != IX_FAST_UNIGRAM)
        return true;
    return !(want & IX_WANT_SPACES) && (f->ranges || !(want & IX_WANT_OFFSETS));
}

inox_status ix_fast_encode(const ix_fast *f, ix_model_scratch *s, const char *text, size_t start,
                           size_t end, ix_fast_general general, void *context, ix_encoding *out,
                           inox_error *err)
{
    if (f->kind == IX_FAST_UNIGRAM)
        return ix_fast_unigram_encode(f, s, text, start, end, general, context, out, err);
    IX_TRY(ix_model_scratch_expect(s, end - start, err));
    if (f->kind == IX_FAST_BYTES)
        return ix_fast_bytes_encode(&f->bytes, s, text, start, end, out, err);
    return ix_fast_bert_encode(f, s, text, start, end, general, context, out, err);
}
