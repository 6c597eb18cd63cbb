/* Post-processors, truncation and padding, step by step as Hugging Face's tokenizers 0.23 take them
 * (processors/, utils/truncation.rs, utils/padding.rs, Encoding::merge_with), whose answers define
 * tokenizer.json.
 *
 * A post-processor is a list of steps over a list of parts, at first the one or two sequences:
 *
 *     [A] [B]   template   [<s>] [A] [</s>] [B]   trim   ...   joined, from left to right
 *
 * A part may have windows (what truncation cut off).  Joining combines the windows of the left side
 * with the right side and its windows, so that every window of a pair has both of its sequences.
 */
#include "text/post.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "text/unicode.h"

#include <string.h>

typedef enum step_kind {
    STEP_TRIM,     /* white characters leave the offsets */
    STEP_TEMPLATE, /* parts are ordered and special tokens put between them */
    STEP_BERT,     /* [CLS] and [SEP] */
    STEP_ROBERTA,  /* the same, every type 0 and pairs with two separators; and trimming */
} step_kind;

typedef struct item {
    int sequence; /* 0, 1; or -1: special tokens */
    uint32_t type_id;
    size_t first, count; /* special tokens: in the step's ids */
    bool unknown;        /* the template names a special token that the file does not have */
    bool at_edge;        /* offsets stay at the edge of the text, else they are 0, 0 */
} item;

typedef struct step {
    step_kind kind;
    bool trim, add_prefix_space;
    int32_t cls, sep;
    item *items[2]; /* of one sequence, of a pair */
    size_t counts[2];
    int32_t *ids;
} step;

struct ix_post {
    step *steps;
    size_t count;
};

enum { STEPS_MAX = 64, ITEMS_MAX = 4096, NESTING_MAX = 16 };

void ix_post_free(ix_post *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        ix_free(p->steps[i].items[0]);
        ix_free(p->steps[i].items[1]);
        ix_free(p->steps[i].ids);
    }
    ix_free(p->steps);
    ix_free(p);
}

/* ---- making one ------------------------------------------------------------------------------ */

static inox_status new_post(size_t steps, ix_post **out, inox_error *err)
{
    ix_post *p = NULL;
    IX_TRY(IX_ALLOC(&p, 1, err));
    inox_status status = IX_ALLOC(&p->steps, steps, err);
    if (status != INOX_OK) {
        ix_free(p);
        return status;
    }
    *out = p;
    return INOX_OK;
}

inox_status ix_post_new(int32_t bos, int32_t eos, ix_post **out, inox_error *err)
{
    ix_post *p = NULL;
    *out = NULL;
    IX_TRY(new_post(1, &p, err));
    step *s = &p->steps[p->count++];
    s->kind = STEP_TEMPLATE;
    inox_status status = IX_ALLOC(&s->ids, 2, err);
    for (int pair = 0; pair < 2 && status == INOX_OK; pair++) {
        status = IX_ALLOC(&s->items[pair], 6, err);
        for (int sequence = 0; sequence <= pair && status == INOX_OK; sequence++) {
            item *items = s->items[pair];
            size_t *n = &s->counts[pair];
            uint32_t type = (uint32_t)sequence;
            if (bos >= 0)
                items[(*n)++] = (item){ -1, type, 0, 1, false, true };
            items[(*n)++] = (item){ sequence, type, 0, 0, false, false };
            if (eos >= 0)
                items[(*n)++] = (item){ -1, type, 1, 1, false, true };
        }
    }
    if (status != INOX_OK) {
        ix_post_free(p);
        return status;
    }
    s->ids[0] = bos;
    s->ids[1] = eos;
    *out = p;
    return INOX_OK;
}

inox_status ix_post_new_bert(int32_t cls, int32_t sep, ix_post **out, inox_error *err)
{
    *out = NULL;
    IX_TRY(new_post(1, out, err));
    (*out)->steps[0] = (step){ .kind = STEP_BERT, .cls = cls, .sep = sep };
    (*out)->count = 1;
    return INOX_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static inox_status bad(inox_error *err, const char *what)
{
    return ix_fail(err, INOX_E_FORMAT, "post_processor: %s", what);
}

static inox_status read_flag(const json_t *j, const char *name, bool *out, inox_error *err)
{
    const json_t *v = json_object_get(j, name);
    if (!json_is_boolean(v))
        return ix_fail(err, INOX_E_FORMAT, "post_processor: '%s' must be true or false", name);
    *out = json_is_true(v);
    return INOX_OK;
}

static inox_status read_id(const json_t *v, int32_t *out, inox_error *err)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > INT32_MAX)
        return bad(err, "a token's id must be a number from 0 to 2147483647");
    *out = (int32_t)json_integer_value(v);
    return INOX_OK;
}

/* ["[SEP]", 102] */
static inox_status read_token(const json_t *j, const char *name, int32_t *out, inox_error *err)
{
    const json_t *v = json_object_get(j, name);
    if (json_array_size(v) != 2 || !json_is_string(json_array_get(v, 0)))
        return ix_fail(err, INOX_E_FORMAT, "post_processor: '%s' must be [\"text\", id]", name);
    return read_id(json_array_get(v, 1), out, err);
}

/* Appends the ids of a special token to s->ids. */
static inox_status read_special(step *s, const json_t *specials, const char *name, size_t *used,
                                item *out, inox_error *err)
{
    const json_t *token = json_object_get(specials, name), *ids = json_object_get(token, "ids");
    out->sequence = -1;
    out->first = *used;
    out->unknown = token == NULL;
    if (!token)
        return INOX_OK;
    if (!json_is_array(ids))
        return ix_fail(err, INOX_E_FORMAT, "post_processor: special token '%.64s' has no 'ids'",
                       name);
    out->count = json_array_size(ids);
    if (out->count > ITEMS_MAX)
        return ix_fail(err, INOX_E_LIMIT, "post_processor: special token '%.64s' has %zu ids", name,
                       out->count);
    IX_TRY(IX_REALLOC(&s->ids, *used + out->count + 1, err));
    for (size_t i = 0; i < out->count; i++)
        IX_TRY(read_id(json_array_get(ids, i), &s->ids[(*used)++], err));
    return INOX_OK;
}

/* {"Sequence": {"id": "A", "type_id": 0}} or {"SpecialToken": {"id": "[CLS]", "type_id": 0}} */
static inox_status read_item(step *s, const json_t *j, const json_t *specials, size_t *used,
                             item *out, inox_error *err)
{
    const json_t *sequence = json_object_get(j, "Sequence"),
                 *special = json_object_get(j, "SpecialToken");
    const json_t *body = sequence ? sequence : special;
    const json_t *type = json_object_get(body, "type_id");
    const char *id = json_string_value(json_object_get(body, "id"));
    if (!id || json_object_size(j) != 1)
        return bad(err, "a template has something that is neither a Sequence nor a SpecialToken");
    if (!json_is_integer(type) || json_integer_value(type) < 0 ||
        json_integer_value(type) > UINT32_MAX)
        return bad(err, "a 'type_id' must be a number from 0 to 4294967295");
    *out = (item){ .type_id = (uint32_t)json_integer_value(type) };
    if (special)
        return read_special(s, specials, id, used, out, err);
    if (strcmp(id, "A") != 0 && strcmp(id, "B") != 0)
        return bad(err, "the sequences of a template are A and B");
    out->sequence = *id == 'B';
    return INOX_OK;
}

static inox_status read_template(step *s, const json_t *j, inox_error *err)
{
    static const char *const names[2] = { "single", "pair" };
    const json_t *specials = json_object_get(j, "special_tokens");
    size_t used = 0;
    s->kind = STEP_TEMPLATE;
    if (!json_is_object(specials))
        return bad(err, "'special_tokens' must be an object");
    for (int pair = 0; pair < 2; pair++) {
        const json_t *list = json_object_get(j, names[pair]);
        size_t n = json_array_size(list);
        if (!json_is_array(list))
            return ix_fail(err, INOX_E_FORMAT, "post_processor: '%s' must be a list", names[pair]);
        if (n > ITEMS_MAX)
            return ix_fail(err, INOX_E_LIMIT, "post_processor: a template of %zu items", n);
        IX_TRY(IX_ALLOC(&s->items[pair], n, err));
        for (; s->counts[pair] < n; s->counts[pair]++)
            IX_TRY(read_item(s, json_array_get(list, s->counts[pair]), specials, &used,
                             &s->items[pair][s->counts[pair]], err));
    }
    return INOX_OK;
}

/* Files without "type" are known by their fields, as in the original. */
static const char *type_of(const json_t *j)
{
    const json_t *type = json_object_get(j, "type");
    if (type)
        return json_is_string(type) ? json_string_value(type) : "";
    bool bert = json_object_get(j, "sep") && json_object_get(j, "cls");
    if (bert && json_object_get(j, "trim_offsets") && json_object_get(j, "add_prefix_space"))
        return "RobertaProcessing";
    if (bert)
        return "BertProcessing";
    return json_object_get(j, "special_tokens") ? "TemplateProcessing" : "";
}

static inox_status read_step(step *s, const char *type, const json_t *j, inox_error *err)
{
    if (strcmp(type, "TemplateProcessing") == 0)
        return read_template(s, j, err);
    if (strcmp(type, "ByteLevel") == 0) {
        s->kind = STEP_TRIM;
        IX_TRY(read_flag(j, "add_prefix_space", &s->add_prefix_space, err));
        return read_flag(j, "trim_offsets", &s->trim, err);
    }
    bool roberta = strcmp(type, "RobertaProcessing") == 0;
    if (!roberta && strcmp(type, "BertProcessing") != 0)
        return ix_fail(err, INOX_E_UNSUPPORTED, "unknown post_processor '%.64s'", type);
    s->kind = roberta ? STEP_ROBERTA : STEP_BERT;
    IX_TRY(read_token(j, "cls", &s->cls, err));
    IX_TRY(read_token(j, "sep", &s->sep, err));
    if (!roberta)
        return INOX_OK;
    IX_TRY(read_flag(j, "add_prefix_space", &s->add_prefix_space, err));
    return read_flag(j, "trim_offsets", &s->trim, err);
}

/* Sequences inside sequences are walked with a stack of lists. */
static inox_status read_steps(ix_post *p, const json_t *j, inox_error *err)
{
    const json_t *lists[NESTING_MAX] = { NULL };
    size_t at[NESTING_MAX] = { 0 }, depth = 0;
    for (;;) {
        const char *type = type_of(j);
        if (!json_is_object(j))
            return bad(err, "an object was expected");
        if (strcmp(type, "Sequence") == 0) {
            if (depth == NESTING_MAX)
                return bad(err, "sequences are nested too deep");
            lists[depth] = json_object_get(j, "processors");
            if (!json_is_array(lists[depth]))
                return bad(err, "a Sequence has no list 'processors'");
            at[depth++] = 0;
        } else {
            if (p->count == STEPS_MAX)
                return bad(err, "too many steps");
            p->count++; /* first: what was read is freed with the rest */
            IX_TRY(read_step(&p->steps[p->count - 1], type, j, err));
        }
        while (depth > 0 && at[depth - 1] == json_array_size(lists[depth - 1]))
            depth--;
        if (depth == 0)
            return INOX_OK;
        j = json_array_get(lists[depth - 1], at[depth - 1]++);
    }
}

inox_status ix_post_from_json(const json_t *j, ix_post **out, inox_error *err)
{
    ix_post *p = NULL;
    *out = NULL;
    if (!j || json_is_null(j))
        return INOX_OK;
    IX_TRY(new_post(STEPS_MAX, &p, err));
    inox_status status = read_steps(p, j, err);
    if (status != INOX_OK) {
        ix_post_free(p);
        return status;
    }
    *out = p;
    return INOX_OK;
}

/* ---- asking ---------------------------------------------------------------------------------- */

size_t ix_post_added(const ix_post *p, bool is_pair)
{
    size_t n = 0;
    for (size_t i = 0; p && i < p->count; i++) {
        const step *s = &p->steps[i];
        for (size_t k = 0; k < s->counts[is_pair]; k++)
            n += s->items[is_pair][k].count;
        if (s->kind == STEP_BERT)
            n += is_pair ? 3 : 2;
        if (s->kind == STEP_ROBERTA)
            n += is_pair ? 4 : 2;
    }
    return n;
}

bool ix_post_trims(const ix_post *p)
{
    for (size_t i = 0; p && i < p->count; i++)
        if (p->steps[i].trim)
            return true;
    return false;
}

int32_t ix_post_first(const ix_post *p)
{
    for (size_t i = 0; p && i < p->count; i++) {
        const step *s = &p->steps[i];
        const item *first = s->counts[0] > 0 ? s->items[0] : NULL;
        if (first && first->sequence < 0 && first->count > 0)
            return s->ids[first->first];
        if (s->kind == STEP_BERT || s->kind == STEP_ROBERTA)
            return s->cls;
    }
    return -1;
}

/* ---- truncation ------------------------------------------------------------------------------ */

static inox_status add_window(ix_encoding *e, inox_error *err)
{
    if (e->overflow_count == IX_MAX_WINDOWS)
        return ix_fail(err, INOX_E_LIMIT, "truncation would leave more than %d windows",
                       IX_MAX_WINDOWS);
    size_t n = e->overflow_count;
    if ((n & (n - 1)) == 0)
        IX_TRY(IX_REALLOC(&e->overflow, n ? n * 2 : 1, err));
    e->overflow[n] = (ix_encoding){ .want = e->want };
    e->overflow_count++;
    return INOX_OK;
}

/* Leaves `most` tokens of an encoding without windows, and makes windows of the rest. */
static inox_status truncate_one(ix_encoding *e, size_t most, const ix_truncation *t,
                                inox_error *err)
{
    size_t length = e->count;
    if (most >= length)
        return INOX_OK;
    if (most > 0 && t->stride >= most)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "truncation: the stride %zu must be less than the %zu tokens that a window "
                       "has left for its text",
                       t->stride, most);
    ix_encoding all = *e;
    *e = (ix_encoding){ .want = all.want };
    inox_status status = INOX_OK;
    size_t shift = most - t->stride, from = t->left ? length - most : 0, to = from + most;
    if (most > 0)
        status = ix_encoding_append(e, &all, from, to, err);
    else
        from = to = t->left ? length : 0; /* nothing stays: everything is one window */
    while (status == INOX_OK && (t->left ? from > 0 : to < length)) {
        if (most == 0) {
            from = 0;
            to = length;
        } else if (t->left) {
            to -= shift;
            from = to > most ? to - most : 0;
        } else {
            from += shift;
            to = from + most < length ? from + most : length;
        }
        if (!(all.want & IX_WANT_OVERFLOW))
            break;
        status = add_window(e, err);
        if (status == INOX_OK)
            status = ix_encoding_append(&e->overflow[e->overflow_count - 1], &all, from, to, err);
    }
    ix_encoding_release(&all);
    return status;
}

inox_status ix_truncate(ix_encoding *encodings, size_t count, const ix_truncation *t, size_t added,
                        inox_error *err)
{
    size_t most = t->max_length - added;
    size_t n1 = encodings[0].count, n2 = count > 1 ? encodings[1].count : 0;
    if (added > t->max_length ||
        n1 + n2 <= most) /* too short even for them: nothing is cut, as there */
        return INOX_OK;
    if (most == 0) {
        for (size_t i = 0; i < count; i++)
            IX_TRY(truncate_one(&encodings[i], 0, t, err));
        return INOX_OK;
    }
    if (t->strategy == IX_TRUNCATE_LONGEST_FIRST) {
        if (count == 1)
            return truncate_one(encodings, most, t, err);
        size_t less = n1 < n2 ? n1 : n2, more;
        bool first_is_less = n1 <= n2;
        more = less > most ? less : (less > most - less ? less : most - less);
        if (less + more > most) {
            less = most / 2;
            more = less + most % 2;
        }
        IX_TRY(truncate_one(&encodings[0], first_is_less ? less : more, t, err));
        return truncate_one(&encodings[1], first_is_less ? more : less, t, err);
    }
    size_t which = t->strategy == IX_TRUNCATE_ONLY_SECOND, remove = n1 + n2 - most;
    if (which >= count)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "truncation of the second sequence only, but there is no second one");
    if (encodings[which].count <= remove)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "truncation: the %s sequence is too short to make up for %zu tokens",
                       which ? "second" : "first", remove);
    return truncate_one(&encodings[which], encodings[which].count - remove, t, err);
}

/* ---- trimming of offsets --------------------------------------------------------------------- */

/* Steps over up to n characters, not beyond `end`. */
static size_t forward(const ix_text_view *text, size_t at, size_t n, size_t end)
{
    bool whole, is_bad;
    for (; n > 0 && at < end; n--)
        at += ix_utf8_prefix(text->data + at, end - at, &whole, &is_bad);
    return at;
}

/* Steps back over n characters; false where there are not so many. */
static bool backward(const ix_text_view *text, size_t *at, size_t n)
{
    size_t to = *at;
    for (; n > 0; n--) {
        if (to == 0)
            return false;
        to--;
        for (int i = 0; i < 3 && to > 0 && ((unsigned char)text->data[to] & 0xC0) == 0x80; i++)
            to--;
    }
    *at = to;
    return true;
}

/* Of one token.  A space in front that was added, and not more than that, stays: it has no place in
 * the text. */
static void trim_token(ix_encoding *e, size_t i, const ix_text_view *text, bool first,
                       bool add_prefix_space)
{
    size_t lead = e->lead[i], trail = e->trail[i], start = e->starts[i], end = e->ends[i];
    if (first && add_prefix_space && lead == 1)
        lead = 0;
    start = forward(text, start, lead, end);
    size_t back = end;
    if (trail > 0 && backward(text, &back, trail))
        end = back > start ? back : start;
    e->starts[i] = (uint32_t)start;
    e->ends[i] = (uint32_t)end;
}

static void trim(ix_encoding *e, const ix_encode_input *in, bool add_prefix_space)
{
    for (size_t i = 0; e->lead && i < e->count; i++) {
        if ((e->lead[i] == 0 && e->trail[i] == 0) || e->sequences[i] < 0)
            continue;
        const ix_sequence *s = e->sequences[i] ? &in->second : &in->first;
        const ix_text_view *text = s->is_split ? &s->words[e->words[i]] : &s->text;
        trim_token(e, i, text, i == 0 || e->starts[i] == 0, add_prefix_space);
    }
}

void ix_post_trim_text(const ix_post *p, ix_text_view text, bool beginning, ix_encoding *e,
                       size_t first)
{
    for (size_t s = 0; p && e->lead && s < p->count; s++) {
        if (!p->steps[s].trim)
            continue;
        for (size_t i = first; i < e->count; i++)
            if (e->lead[i] > 0 || e->trail[i] > 0)
                trim_token(e, i, &text, beginning && (i == first || e->starts[i] == 0),
                           p->steps[s].add_prefix_space);
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

typedef struct parts {
    ix_encoding *items;
    size_t count, capacity;
} parts;

static void release_parts(parts *p)
{
    for (size_t i = 0; i < p->count; i++)
        ix_encoding_release(&p->items[i]);
    ix_free(p->items);
    *p = (parts){ 0 };
}

static inox_status add_part(parts *p, unsigned want, ix_encoding **out, inox_error *err)
{
    if (p->count == p->capacity) {
        size_t capacity = p->capacity ? p->capacity * 2 : 4;
        IX_TRY(IX_REALLOC(&p->items, capacity, err));
        p->capacity = capacity;
    }
    *out = &p->items[p->count++];
    **out = (ix_encoding){ .want = want };
    return INOX_OK;
}

/* *to, empty, = a copy of `from` with its windows. */
static inox_status copy(ix_encoding *to, const ix_encoding *from, inox_error *err)
{
    IX_TRY(ix_encoding_append(to, from, 0, from->count, err));
    for (size_t i = 0; i < from->overflow_count; i++) {
        IX_TRY(add_window(to, err));
        IX_TRY(ix_encoding_append(&to->overflow[i], &from->overflow[i], 0, from->overflow[i].count,
                                  err));
    }
    return INOX_OK;
}

static void set_types(ix_encoding *e, uint32_t type_id)
{
    for (size_t i = 0; e->type_ids && i < e->count; i++)
        e->type_ids[i] = type_id;
}

/* Bytes of a sequence's text; of split words none. */
static uint32_t text_size(const ix_encode_input *in, int sequence)
{
    const ix_sequence *s = sequence ? &in->second : &in->first;
    return s->is_split ? 0 : (uint32_t)s->text.size;
}

static inox_status apply_template(const step *s, const ix_encode_input *in, parts *from,
                                  bool special, unsigned want, inox_error *err)
{
    bool pair = from->count == 2;
    parts to = { 0 };
    inox_status status = INOX_OK;
    int last = -1; /* the last sequence that was placed */
    if (from->count > 2)
        return bad(err, "a template cannot follow another one");
    for (size_t i = 0; i < s->counts[pair] && status == INOX_OK; i++) {
        const item *it = &s->items[pair][i];
        ix_encoding *part;
        if (it->sequence < 0 && !special)
            continue;
        if (it->unknown)
            status = bad(err, "a template names a special token that is not in 'special_tokens'");
        if (it->sequence >= 0 && (size_t)it->sequence >= from->count)
            status = bad(err, "the template of one sequence has B");
        if (status == INOX_OK)
            status = add_part(&to, want, &part, err);
        if (status != INOX_OK)
            break;
        if (it->sequence >= 0) {
            bool again = false;
            for (size_t k = i + 1; k < s->counts[pair]; k++)
                again = again || s->items[pair][k].sequence == it->sequence;
            if (again) {
                status = copy(part, &from->items[it->sequence], err);
            } else {
                *part = from->items[it->sequence];
                from->items[it->sequence] = (ix_encoding){ .want = want };
            }
            set_types(part, it->type_id);
            last = it->sequence;
            continue;
        }
        for (size_t k = 0; k < it->count && status == INOX_OK; k++)
            status = ix_encoding_fill(part, 1, s->ids[it->first + k], it->type_id, 1, err);
        if (status == INOX_OK && it->at_edge && last >= 0 && part->starts && i > 0 &&
            s->items[pair][i - 1].sequence >= 0)
            part->starts[0] = part->ends[0] = text_size(in, last);
    }
    release_parts(from);
    *from = to;
    return status;
}

/* *e = before, *e, after; -1: none. */
static inox_status wrap(ix_encoding *e, int32_t before, int32_t after, uint32_t type_id,
                        inox_error *err)
{
    ix_encoding joined = { .want = e->want,
                           .overflow = e->overflow,
                           .overflow_count = e->overflow_count };
    e->overflow = NULL;
    e->overflow_count = 0;
    if (e->special_mask && e->count > 0)
        memset(e->special_mask, 0, e->count);
    inox_status status = INOX_OK;
    if (before >= 0)
        status = ix_encoding_fill(&joined, 1, before, type_id, 1, err);
    if (status == INOX_OK)
        status = ix_encoding_append(&joined, e, 0, e->count, err);
    if (status == INOX_OK && after >= 0)
        status = ix_encoding_fill(&joined, 1, after, type_id, 1, err);
    ix_encoding_release(e);
    *e = joined;
    return status;
}

static inox_status apply_bert(const step *s, parts *p, bool special, inox_error *err)
{
    bool roberta = s->kind == STEP_ROBERTA;
    for (size_t i = 0; i < p->count; i++) {
        ix_encoding *e = &p->items[i];
        if (roberta)
            set_types(e, 0);
        if (!special)
            continue;
        for (size_t w = 0; w <= e->overflow_count; w++) {
            ix_encoding *one = w == 0 ? e : &e->overflow[w - 1];
            if (roberta)
                set_types(one, 0);
            IX_TRY(wrap(one,
                        i == 0    ? s->cls
                        : roberta ? s->sep
                                  : -1,
                        s->sep, i > 0 && !roberta ? 1 : 0, err));
        }
    }
    return INOX_OK;
}

static void apply_trim(const step *s, const ix_encode_input *in, parts *p)
{
    for (size_t i = 0; i < p->count && s->trim; i++) {
        trim(&p->items[i], in, s->add_prefix_space);
        for (size_t w = 0; w < p->items[i].overflow_count; w++)
            trim(&p->items[i].overflow[w], in, s->add_prefix_space);
    }
}

/* ---- joining --------------------------------------------------------------------------------- */

/* A new window of `to`: left, then right. */
static inox_status join_window(ix_encoding *to, const ix_encoding *left, const ix_encoding *right,
                               inox_error *err)
{
    IX_TRY(add_window(to, err));
    ix_encoding *window = &to->overflow[to->overflow_count - 1];
    IX_TRY(ix_encoding_append(window, left, 0, left->count, err));
    return ix_encoding_append(window, right, 0, right->count, err);
}

static inox_status join_windows(ix_encoding *joined, const ix_encoding *left,
                                const ix_encoding *right, inox_error *err)
{
    for (size_t i = 0; i <= left->overflow_count; i++) {
        const ix_encoding *l = i < left->overflow_count ? &left->overflow[i] : left;
        if (i < left->overflow_count)
            IX_TRY(join_window(joined, l, right, err));
        for (size_t k = 0; k < right->overflow_count; k++)
            IX_TRY(join_window(joined, l, &right->overflow[k], err));
    }
    return INOX_OK;
}

/* left = left and right; the windows of both are combined. */
static inox_status join(ix_encoding *left, const ix_encoding *right, inox_error *err)
{
    if (left->overflow_count > 0 || right->overflow_count > 0) {
        ix_encoding joined = { .want = left->want };
        inox_status status = join_windows(&joined, left, right, err);
        ix_encoding old = { .overflow = left->overflow, .overflow_count = left->overflow_count };
        ix_encoding_release(&old);
        left->overflow = joined.overflow;
        left->overflow_count = joined.overflow_count;
        IX_TRY(status);
    }
    return ix_encoding_append(left, right, 0, right->count, err);
}

inox_status ix_post_run(const ix_post *p, const ix_encode_input *in, ix_encoding *encodings,
                        size_t count, bool special, ix_encoding *out, inox_error *err)
{
    parts list = { 0 };
    ix_encoding *part;
    unsigned want = encodings[0].want;
    inox_status status = INOX_OK;
    for (size_t i = 0; i < count && status == INOX_OK; i++) {
        status = add_part(&list, want, &part, err);
        if (status == INOX_OK) {
            *part = encodings[i];
            encodings[i] = (ix_encoding){ .want = want };
        }
    }
    for (size_t i = 0; p && i < p->count && status == INOX_OK; i++) {
        const step *s = &p->steps[i];
        apply_trim(s, in, &list);
        if (s->kind == STEP_TEMPLATE)
            status = apply_template(s, in, &list, special, want, err);
        else if (s->kind != STEP_TRIM)
            status = apply_bert(s, &list, special, err);
    }
    *out = (ix_encoding){ .want = want };
    if (status == INOX_OK && list.count > 0) {
        *out = list.items[0];
        list.items[0] = (ix_encoding){ 0 };
    }
    for (size_t i = 1; i < list.count && status == INOX_OK; i++)
        status = join(out, &list.items[i], err);
    release_parts(&list);
    if (status != INOX_OK)
        ix_encoding_release(out);
    return status;
}

/* ---- streams --------------------------------------------------------------------------------- */

bool ix_post_has_text_once(const ix_post *p)
{
    for (size_t i = 0; p && i < p->count; i++) {
        const step *s = &p->steps[i];
        size_t texts = 0;
        for (size_t k = 0; k < s->counts[0]; k++)
            texts += s->items[0][k].sequence >= 0;
        if (s->kind == STEP_TEMPLATE && texts != 1)
            return false;
    }
    return true;
}

bool ix_post_has_edges(const ix_post *p)
{
    int adding = 0;
    for (size_t i = 0; p && i < p->count; i++) {
        const step *s = &p->steps[i];
        for (size_t k = 0; k < s->counts[0]; k++)
            if (s->items[0][k].sequence == 1 || s->items[0][k].unknown)
                return false;
        adding += s->kind != STEP_TRIM;
    }
    return adding <= 1 && ix_post_has_text_once(p);
}

static inox_status template_edge(const step *s, bool before, size_t at, ix_encoding *out,
                                 inox_error *err)
{
    bool behind = false;
    for (size_t i = 0; i < s->counts[0]; i++) {
        const item *it = &s->items[0][i];
        behind = behind || it->sequence >= 0;
        for (size_t k = 0; k < it->count && behind != before; k++) {
            IX_TRY(ix_encoding_fill(out, 1, s->ids[it->first + k], it->type_id, 1, err));
            if (it->at_edge && out->starts)
                out->starts[out->count - 1] = out->ends[out->count - 1] = (uint32_t)at;
        }
    }
    return INOX_OK;
}

inox_status ix_post_edge(const ix_post *p, bool before, size_t at, ix_encoding *out,
                         inox_error *err)
{
    for (size_t i = 0; p && i < p->count; i++) {
        const step *s = &p->steps[i];
        if (s->kind == STEP_TEMPLATE)
            IX_TRY(template_edge(s, before, at, out, err));
        else if (s->kind != STEP_TRIM)
            IX_TRY(ix_encoding_fill(out, 1, before ? s->cls : s->sep, 0, 1, err));
    }
    return INOX_OK;
}

/* ---- padding --------------------------------------------------------------------------------- */

static inox_status pad_one(ix_encoding *e, size_t length, const ix_padding *p, inox_error *err)
{
    if (e->count >= length)
        return INOX_OK;
    size_t n = length - e->count;
    if (!p->left)
        return ix_encoding_fill(e, n, p->id, p->type_id, 0, err);
    ix_encoding padded = { .want = e->want };
    inox_status status = ix_encoding_fill(&padded, n, p->id, p->type_id, 0, err);
    if (status == INOX_OK)
        status = ix_encoding_append(&padded, e, 0, e->count, err);
    if (status == INOX_OK) {
        padded.overflow = e->overflow;
        padded.overflow_count = e->overflow_count;
        e->overflow = NULL;
        e->overflow_count = 0;
        ix_encoding_release(e);
        *e = padded;
    } else {
        ix_encoding_release(&padded);
    }
    return status;
}

inox_status ix_pad(ix_encoding *encodings, size_t count, const ix_padding *p, inox_error *err)
{
    size_t length = p->is_fixed ? p->fixed : 0;
    for (size_t i = 0; i < count && !p->is_fixed; i++)
        length = encodings[i].count > length ? encodings[i].count : length;
    if (length > IX_MAX_ENCODING || p->multiple_of > IX_MAX_ENCODING)
        return ix_fail(err, INOX_E_LIMIT, "padding to more than %llu tokens",
                       (unsigned long long)IX_MAX_ENCODING);
    if (p->multiple_of > 0 && length % p->multiple_of > 0)
        length += p->multiple_of - length % p->multiple_of;
    for (size_t i = 0; i < count; i++) {
        for (size_t w = 0; w < encodings[i].overflow_count; w++)
            IX_TRY(pad_one(&encodings[i].overflow[w], length, p, err));
        IX_TRY(pad_one(&encodings[i], length, p, err));
    }
    return INOX_OK;
}
