/* The normalizers of tokenizer.json: reading them, and those that need few lines.  See
 * normalizer.h; the forms are in normal.c, BertNormalizer in normal_bert.c, Precompiled in
 * normal_charsmap.c.
 *
 * A Sequence, and a sequence in a sequence, becomes one flat list of stages.
 */
#include "text/normalizer.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/charsmap.h"
#include "text/component.h"
#include "text/normal.h"
#include "text/split.h"

#include <string.h>

enum kind {
    BERT,
    FORM_C,
    FORM_D,
    FORM_KC,
    FORM_KD,
    NMT,
    LOWERCASE,
    STRIP,
    STRIP_ACCENTS,
    REPLACE,
    PREPEND,
    BYTE_LEVEL,
    PRECOMPILED,
    SEQUENCE,
};

static const ix_component_type types[] = {
    [BERT] = { "BertNormalizer", "clean_text handle_chinese_chars lowercase" },
    [FORM_C] = { "NFC", NULL },
    [FORM_D] = { "NFD", NULL },
    [FORM_KC] = { "NFKC", NULL },
    [FORM_KD] = { "NFKD", NULL },
    [NMT] = { "Nmt", NULL },
    [LOWERCASE] = { "Lowercase", NULL },
    [STRIP] = { "Strip", "strip_left strip_right" },
    [STRIP_ACCENTS] = { "StripAccents", NULL },
    [REPLACE] = { "Replace", "pattern content" },
    [PREPEND] = { "Prepend", "prepend" },
    [BYTE_LEVEL] = { "ByteLevel", NULL },
    [PRECOMPILED] = { "Precompiled", "precompiled_charsmap" },
    [SEQUENCE] = { "Sequence", "normalizers" },
    { NULL, NULL },
};

typedef struct stage {
    enum kind kind;
    ix_bert_options bert;
    bool left, right; /* STRIP */
    ix_pattern *pattern;
    char *content; /* of REPLACE and PREPEND */
    size_t content_size;
    ix_charsmap *charsmap;
} stage;

struct ix_normalizer {
    stage *stages;
    size_t count, capacity;
};

/* ---- reading ------------------------------------------------------------------------------- */

static void stage_release(stage *s)
{
    ix_pattern_free(s->pattern);
    ix_free(s->content);
    ix_charsmap_free(s->charsmap);
}

/* Bits of a letter of base64, or -1. */
static int base64_value(char c)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(letters, c) : NULL;
    return at ? (int)(at - letters) : -1;
}

/* Standard base64 with padding; out has room for size / 4 * 3 bytes. */
static inox_status decode_base64(ix_text_view in, char *out, size_t *out_size, inox_error *err)
{
    *out_size = 0;
    size_t padding = 0;
    while (padding < 2 && padding < in.size && in.data[in.size - 1 - padding] == '=')
        padding++;
    if (in.size % 4 != 0)
        return ix_fail(err, INOX_E_FORMAT,
                       "Precompiled: the character map is base64 of %zu letters, which is no "
                       "multiple of 4",
                       in.size);
    uint32_t bits = 0;
    for (size_t i = 0; i < in.size; i++) {
        int value = i < in.size - padding ? base64_value(in.data[i]) : 0;
        if (value < 0)
            return ix_fail(err, INOX_E_FORMAT, "Precompiled: letter %zu is not base64", i);
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 3)
            for (int shift = 16; shift >= 0; shift -= 8)
                out[(*out_size)++] = (char)(bits >> shift & 255);
    }
    *out_size -= padding;
    return INOX_OK;
}

static inox_status read_charsmap(const json_t *j, stage *s, inox_error *err)
{
    ix_text_view text;
    char *bytes;
    size_t size;
    IX_TRY(ix_field_string(j, "Precompiled", "precompiled_charsmap", &text, err));
    IX_TRY(IX_ALLOC(&bytes, text.size / 4 * 3 + 1, err));
    inox_status status = decode_base64(text, bytes, &size, err);
    if (status == INOX_OK)
        status = ix_charsmap_new(bytes, size, &s->charsmap, err);
    ix_free(bytes);
    return status;
}

static inox_status read_content(const json_t *j, const char *type, const char *name, stage *s,
                                inox_error *err)
{
    ix_text_view text;
    IX_TRY(ix_field_string(j, type, name, &text, err));
    s->content_size = text.size;
    return ix_strndup(text.data, text.size, &s->content, err);
}

static inox_status read_bert(const json_t *j, ix_bert_options *o, inox_error *err)
{
    const char *type = "BertNormalizer";
    IX_TRY(ix_field_bool(j, type, "clean_text", &o->clean_text, err));
    IX_TRY(ix_field_bool(j, type, "handle_chinese_chars", &o->handle_chinese_chars, err));
    IX_TRY(ix_field_bool(j, type, "lowercase", &o->lowercase, err));
    o->strip_accents = o->lowercase;
    if (ix_field_given(j, "strip_accents"))
        IX_TRY(ix_field_bool(j, type, "strip_accents", &o->strip_accents, err));
    return INOX_OK;
}

static inox_status read_stage(const json_t *j, stage *s, inox_error *err)
{
    switch (s->kind) {
    case BERT: return read_bert(j, &s->bert, err);
    case STRIP:
        IX_TRY(ix_field_bool(j, "Strip", "strip_left", &s->left, err));
        return ix_field_bool(j, "Strip", "strip_right", &s->right, err);
    case REPLACE:
        IX_TRY(ix_field_pattern(j, "Replace", "pattern", &s->pattern, err));
        return read_content(j, "Replace", "content", s, err);
    case PREPEND: return read_content(j, "Prepend", "prepend", s, err);
    case PRECOMPILED: return read_charsmap(j, s, err);
    case FORM_C:
    case FORM_D:
    case FORM_KC:
    case FORM_KD:
    case NMT:
    case LOWERCASE:
    case STRIP_ACCENTS:
    case BYTE_LEVEL:
    case SEQUENCE: break;
    }
    return INOX_OK;
}

static inox_status read_all(const json_t *j, ix_normalizer *n, int depth, inox_error *err)
{
    size_t index;
    stage s = { .kind = BERT };
    IX_TRY(ix_component_find(j, types, "normalizer", &index, err));
    s.kind = (enum kind)index;
    if (s.kind == SEQUENCE) {
        const json_t *list;
        if (depth >= IX_MAX_COMPONENT_DEPTH)
            return ix_fail(err, INOX_E_LIMIT, "normalizers are sequences in sequences, %d deep",
                           depth);
        IX_TRY(ix_field_array(j, "Sequence", "normalizers", &list, err));
        for (size_t i = 0; i < json_array_size(list); i++)
            IX_TRY(read_all(json_array_get(list, i), n, depth + 1, err));
        return INOX_OK;
    }
    inox_status status = read_stage(j, &s, err);
    if (status == INOX_OK && n->count == n->capacity) {
        size_t capacity = n->capacity * 2 + 4;
        status = IX_REALLOC(&n->stages, capacity, err);
        if (status == INOX_OK)
            n->capacity = capacity;
    }
    if (status == INOX_OK)
        n->stages[n->count++] = s;
    else
        stage_release(&s);
    return status;
}

inox_status ix_normalizer_from_json(const json_t *j, ix_normalizer **out, inox_error *err)
{
    *out = NULL;
    if (!j || json_is_null(j))
        return INOX_OK;
    ix_normalizer *n;
    IX_TRY(IX_ALLOC(&n, 1, err));
    inox_status status = read_all(j, n, 0, err);
    if (status == INOX_OK)
        *out = n;
    else
        ix_normalizer_free(n);
    return status;
}

void ix_normalizer_free(ix_normalizer *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++)
        stage_release(&n->stages[i]);
    ix_free(n->stages);
    ix_free(n);
}

/* ---- stages of a character at a time --------------------------------------------------------- */

/* What becomes of a character: IX_KEEP, IX_DROP, or another character. */
enum { KEEP = 0x110000, DROP = 0x110001 };

static uint32_t nmt(uint32_t c)
{
    if ((c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
        c == 0x8F || c == 0x9F)
        return DROP;
    if (c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
        (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
        c == 0xFFFD)
        return ' ';
    return KEEP;
}

static uint32_t strip_accent(uint32_t c)
{
    return ix_normal_kind(c) & IX_NORMAL_MARK ? DROP : KEEP;
}

static inox_status change_each(uint32_t (*change)(uint32_t c), ix_mapped_text *text,
                               inox_error *err)
{
    ix_edit edit;
    inox_status status = INOX_OK;
    ix_edit_begin(&edit, text);
    size_t n;
    for (size_t at = 0; at < text->size && status == INOX_OK; at += n) {
        uint32_t c;
        char bytes[4];
        n = ix_utf8_read(text->data + at, text->size - at, &c);
        uint32_t to = change(c);
        if (to == DROP)
            status = ix_edit_replace(&edit, at, at + n, "", 0, err);
        else if (to != KEEP)
            status = ix_edit_replace(&edit, at, at + n, bytes, ix_utf8_write(to, bytes), err);
    }
    return ix_edit_end(&edit, status, err);
}

/* ---- the others ---------------------------------------------------------------------------- */

static inox_status strip(ix_mapped_text *text, bool left, bool right, inox_error *err)
{
    size_t from = 0, to = text->size;
    uint32_t c;
    while (left && from < to) {
        size_t n = ix_utf8_read(text->data + from, to - from, &c);
        if (!(ix_normal_kind(c) & IX_NORMAL_SPACE))
            break;
        from += n;
    }
    while (right && to > from) {
        size_t last = to - 1;
        while (last > from && ((unsigned char)text->data[last] & 0xC0) == 0x80)
            last--;
        (void)ix_utf8_read(text->data + last, to - last, &c);
        if (!(ix_normal_kind(c) & IX_NORMAL_SPACE))
            break;
        to = last;
    }
    if (from == 0) {
        text->size = to;
        while (text->run_count > 0 && text->runs[text->run_count - 1].at >= to)
            text->run_count--;
        return INOX_OK;
    }
    ix_rewrite w;
    IX_TRY(ix_rewrite_begin(&w, text, to - from, err));
    inox_status status = ix_rewrite_copy(&w, from, to, err);
    if (status == INOX_OK)
        ix_rewrite_finish(&w, text);
    else
        ix_rewrite_cancel(&w);
    return status;
}

/* Begin of the last character of old[from..to). */
static size_t last_character(const char *text, size_t from, size_t to)
{
    size_t at = to - 1;
    while (at > from && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* What replaces a match has the range of the last character of the match, or, for an empty match,
 * of the one before it. */
static inox_status replace_all(const stage *s, ix_edit *e, ix_pattern_cursor *cursor,
                               inox_error *err)
{
    const ix_mapped_text *text = e->text;
    ix_pattern_start(cursor, s->pattern, text->data, text->size);
    for (;;) {
        size_t start, end;
        bool found;
        IX_TRY(ix_pattern_next(cursor, &start, &end, &found, err));
        if (!found)
            return INOX_OK;
        IX_TRY(ix_edit_open(e, start, err));
        if (end > 0)
            IX_TRY(ix_rewrite_put(&e->rewrite, s->content, s->content_size,
                                  last_character(text->data, 0, end), end, err));
        else
            IX_TRY(ix_mapped_append(&e->rewrite.out, s->content, s->content_size, text->base,
                                    text->base, err));
        ix_edit_close(e, end);
    }
}

static inox_status replace(const stage *s, ix_mapped_text *text, inox_error *err)
{
    ix_edit edit;
    ix_pattern_cursor cursor = { 0 };
    if (text->size == 0) /* nothing is looked for, not even an empty match */
        return INOX_OK;
    ix_edit_begin(&edit, text);
    inox_status status = replace_all(s, &edit, &cursor, err);
    ix_pattern_release(&cursor);
    return ix_edit_end(&edit, status, err);
}

static inox_status prepend(const stage *s, ix_mapped_text *text, inox_error *err)
{
    ix_edit edit;
    uint32_t c;
    if (text->size == 0)
        return INOX_OK;
    size_t n = ix_utf8_read(text->data, text->size, &c);
    ix_edit_begin(&edit, text);
    inox_status status = ix_edit_open(&edit, 0, err);
    if (status == INOX_OK && s->content_size > 0)
        status = ix_rewrite_put(&edit.rewrite, s->content, s->content_size, 0, n, err);
    else if (status == INOX_OK) { /* the library's way: the first character stands for nothing */
        status = ix_mapped_append(&edit.rewrite.out, text->data, n, text->base, text->base, err);
        ix_edit_close(&edit, n);
    }
    return ix_edit_end(&edit, status, err);
}

static inox_status run_stage(const stage *s, ix_mapped_text *text, inox_error *err)
{
    switch (s->kind) {
    case BERT: return ix_normalize_bert(&s->bert, text, err);
    case FORM_C: return ix_normalize_form(IX_NFC, text, err);
    case FORM_D: return ix_normalize_form(IX_NFD, text, err);
    case FORM_KC: return ix_normalize_form(IX_NFKC, text, err);
    case FORM_KD: return ix_normalize_form(IX_NFKD, text, err);
    case NMT: return change_each(nmt, text, err);
    case LOWERCASE: return ix_normalize_lower(text, err);
    case STRIP: return strip(text, s->left, s->right, err);
    case STRIP_ACCENTS: return change_each(strip_accent, text, err);
    case REPLACE: return replace(s, text, err);
    case PREPEND: return prepend(s, text, err);
    case BYTE_LEVEL: return ix_write_bytes(text, err);
    case PRECOMPILED: return ix_normalize_charsmap(s->charsmap, text, err);
    case SEQUENCE: break;
    }
    return ix_fail(err, INOX_E_INTERNAL, "no normalizer is of kind %d", (int)s->kind);
}

inox_status ix_normalize(const ix_normalizer *n, ix_mapped_text *text, inox_error *err)
{
    for (size_t i = 0; n && i < n->count; i++)
        IX_TRY(run_stage(&n->stages[i], text, err));
    return INOX_OK;
}
