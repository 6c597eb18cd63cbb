/* The pre-tokenizers of tokenizer.json: reading them and going through their stages.  See split.h;
 * the stages are in split_stages.c.
 *
 * A Sequence, and a sequence in a sequence, becomes one flat list.
 */
#include "text/split.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/component.h"
#include "text/split_stages.h"

#include <string.h>

struct ix_splitter {
    ix_split_stage *stages;
    size_t count, capacity;
};

static const ix_component_type types[] = {
    [IX_SPLIT_BERT] = { "BertPreTokenizer", NULL },
    [IX_SPLIT_BYTE_LEVEL] = { "ByteLevel", NULL },
    [IX_SPLIT_DELIMITER] = { "CharDelimiterSplit", NULL },
    [IX_SPLIT_METASPACE] = { "Metaspace", NULL },
    [IX_SPLIT_WHITESPACE] = { "Whitespace", NULL },
    [IX_SPLIT_WHITESPACE_SPLIT] = { "WhitespaceSplit", NULL },
    [IX_SPLIT_PUNCTUATION] = { "Punctuation", NULL },
    [IX_SPLIT_DIGITS] = { "Digits", NULL },
    [IX_SPLIT_PATTERN] = { "Split", NULL },
    [IX_SPLIT_SCRIPTS] = { "UnicodeScripts", NULL },
    [IX_SPLIT_FIXED_LENGTH] = { "FixedLength", NULL },
    [IX_SPLIT_SEQUENCE] = { "Sequence", NULL },
    { NULL, NULL },
};

/* Of ByteLevel. */
static const char gpt2[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/* ---- reading ------------------------------------------------------------------------------- */

static inox_status read_byte_level(const json_t *j, ix_split_stage *s, inox_error *err)
{
    bool trim, regex = true;
    IX_TRY(ix_field_bool(j, "ByteLevel", "add_prefix_space", &s->prefix, err));
    IX_TRY(ix_field_bool(j, "ByteLevel", "trim_offsets", &trim, err)); /* of the post-processor */
    if (json_object_get(j, "use_regex"))
        IX_TRY(ix_field_bool(j, "ByteLevel", "use_regex", &regex, err));
    if (!regex)
        return INOX_OK;
    return ix_pattern_new(gpt2, sizeof gpt2 - 1, IX_REGEX_ONIGURUMA, &s->pattern, err);
}

static inox_status read_metaspace(const json_t *j, ix_split_stage *s, inox_error *err)
{
    static const char *const schemes[] = { [IX_PREPEND_ALWAYS] = "always",
                                           [IX_PREPEND_FIRST] = "first",
                                           [IX_PREPEND_NEVER] = "never",
                                           NULL };
    bool prefix = true;
    s->split = true;
    s->prepend = IX_PREPEND_ALWAYS;
    IX_TRY(ix_field_character(j, "Metaspace", "replacement", &s->character, err));
    if (json_object_get(j, "prepend_scheme"))
        IX_TRY(ix_field_choice(j, "Metaspace", "prepend_scheme", schemes, &s->prepend, err));
    if (ix_field_given(j, "split"))
        IX_TRY(ix_field_bool(j, "Metaspace", "split", &s->split, err));
    if (ix_field_given(j, "add_prefix_space"))
        IX_TRY(ix_field_bool(j, "Metaspace", "add_prefix_space", &prefix, err));
    if (!prefix && s->prepend != IX_PREPEND_NEVER)
        return ix_fail(err, INOX_E_FORMAT,
                       "Metaspace: add_prefix_space is false, but prepend_scheme is '%s'; it has "
                       "to be 'never'",
                       schemes[s->prepend]);
    return INOX_OK;
}

static inox_status read_behavior(const json_t *j, const char *type, ix_split_stage *s,
                                 inox_error *err)
{
    static const char *const names[] = { [IX_REMOVED] = "Removed",
                                         [IX_ISOLATED] = "Isolated",
                                         [IX_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
                                         [IX_MERGED_WITH_NEXT] = "MergedWithNext",
                                         [IX_CONTIGUOUS] = "Contiguous",
                                         NULL };
    int behavior;
    IX_TRY(ix_field_choice(j, type, "behavior", names, &behavior, err));
    s->behavior = (ix_split_behavior)behavior;
    return INOX_OK;
}

static inox_status read_fixed_length(const json_t *j, ix_split_stage *s, inox_error *err)
{
    s->length = 5;
    if (json_object_get(j, "length"))
        IX_TRY(ix_field_count(j, "FixedLength", "length", &s->length, err));
    if (s->length == 0)
        return ix_fail(err, INOX_E_FORMAT, "FixedLength: the length is 0; it has to be 1 at least");
    return INOX_OK;
}

static inox_status read_stage(const json_t *j, ix_split_stage *s, inox_error *err)
{
    switch (s->kind) {
    case IX_SPLIT_BYTE_LEVEL: return read_byte_level(j, s, err);
    case IX_SPLIT_DELIMITER:
        return ix_field_character(j, "CharDelimiterSplit", "delimiter", &s->character, err);
    case IX_SPLIT_METASPACE: return read_metaspace(j, s, err);
    case IX_SPLIT_PUNCTUATION:
        s->behavior = IX_ISOLATED;
        return json_object_get(j, "behavior") ? read_behavior(j, "Punctuation", s, err) : INOX_OK;
    case IX_SPLIT_DIGITS: {
        bool individual;
        IX_TRY(ix_field_bool(j, "Digits", "individual_digits", &individual, err));
        s->behavior = individual ? IX_ISOLATED : IX_CONTIGUOUS;
        return INOX_OK;
    }
    case IX_SPLIT_PATTERN:
        IX_TRY(read_behavior(j, "Split", s, err));
        IX_TRY(ix_field_bool(j, "Split", "invert", &s->invert, err));
        return ix_field_pattern(j, "Split", "pattern", &s->pattern, err);
    case IX_SPLIT_FIXED_LENGTH: return read_fixed_length(j, s, err);
    case IX_SPLIT_BERT:
    case IX_SPLIT_WHITESPACE:
    case IX_SPLIT_WHITESPACE_SPLIT:
    case IX_SPLIT_SCRIPTS:
    case IX_SPLIT_SEQUENCE: break;
    }
    return INOX_OK;
}

static inox_status read_all(const json_t *j, ix_splitter *p, int depth, inox_error *err)
{
    size_t index;
    ix_split_stage s = { .kind = IX_SPLIT_SEQUENCE };
    IX_TRY(ix_component_find(j, types, "pre-tokenizer", &index, err));
    s.kind = (ix_split_kind)index;
    if (s.kind == IX_SPLIT_SEQUENCE) {
        const json_t *list;
        if (depth >= IX_MAX_COMPONENT_DEPTH)
            return ix_fail(err, INOX_E_LIMIT, "pre-tokenizers are sequences in sequences, %d deep",
                           depth);
        IX_TRY(ix_field_array(j, "Sequence", "pretokenizers", &list, err));
        for (size_t i = 0; i < json_array_size(list); i++)
            IX_TRY(read_all(json_array_get(list, i), p, depth + 1, err));
        return INOX_OK;
    }
    inox_status status = read_stage(j, &s, err);
    if (status == INOX_OK && p->count == p->capacity) {
        size_t capacity = p->capacity * 2 + 4;
        status = IX_REALLOC(&p->stages, capacity, err);
        if (status == INOX_OK)
            p->capacity = capacity;
    }
    if (status == INOX_OK)
        p->stages[p->count++] = s;
    else
        ix_pattern_free(s.pattern);
    return status;
}

inox_status ix_splitter_from_json(const json_t *j, ix_splitter **out, inox_error *err)
{
    *out = NULL;
    if (!j || json_is_null(j))
        return INOX_OK;
    ix_splitter *p;
    IX_TRY(IX_ALLOC(&p, 1, err));
    inox_status status = read_all(j, p, 0, err);
    if (status == INOX_OK)
        *out = p;
    else
        ix_splitter_free(p);
    return status;
}

void ix_splitter_free(ix_splitter *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        ix_pattern_free(p->stages[i].pattern);
    ix_free(p->stages);
    ix_free(p);
}

/* ---- asking -------------------------------------------------------------------------------- */

bool ix_splitter_writes_bytes(const ix_splitter *p)
{
    size_t found = 0;
    for (size_t i = 0; p && i < p->count; i++)
        found += p->stages[i].kind == IX_SPLIT_BYTE_LEVEL;
    return found == 1 && p->stages[p->count - 1].kind == IX_SPLIT_BYTE_LEVEL;
}

const ix_pattern *ix_splitter_pattern(const ix_splitter *p)
{
    if (!p || p->count == 0 || p->count > 2)
        return NULL;
    const ix_split_stage *first = &p->stages[0], *last = &p->stages[p->count - 1];
    if (last->kind == IX_SPLIT_BYTE_LEVEL && last->prefix)
        return NULL;
    if (p->count == 1 && first->kind == IX_SPLIT_BYTE_LEVEL)
        return first->pattern;
    if (first->kind != IX_SPLIT_PATTERN || first->behavior != IX_ISOLATED)
        return NULL;
    if (p->count == 2 && (last->kind != IX_SPLIT_BYTE_LEVEL || last->pattern))
        return NULL;
    return first->pattern;
}

/* ---- running ------------------------------------------------------------------------------- */

inox_status ix_split_begin(ix_split *s, ix_mapped_text *text, inox_error *err)
{
    ix_mapped_release(&s->text);
    s->text = *text;
    *text = (ix_mapped_text){ 0 };
    s->count = 0;
    s->cut = false;
    if (s->text.size == 0)
        return INOX_OK;
    if (s->text.size >= UINT32_MAX)
        return ix_fail(err, INOX_E_LIMIT, "the text is too long");
    if (s->capacity == 0) {
        IX_TRY(IX_REALLOC(&s->pieces, 16, err));
        s->capacity = 16;
    }
    s->pieces[s->count++] = (ix_piece_range){ 0, (uint32_t)s->text.size };
    return INOX_OK;
}

void ix_split_release(ix_split *s)
{
    ix_mapped_release(&s->text);
    ix_free(s->pieces);
    ix_free(s->spare);
    *s = (ix_split){ 0 };
}

inox_status ix_splitter_run(const ix_splitter *p, ix_split *s, bool raw, inox_error *err)
{
    for (size_t i = 0; p && i < p->count && s->count > 0; i++)
        IX_TRY(ix_split_stage_run(&p->stages[i], s, raw && i + 1 == p->count, err));
    return INOX_OK;
}
