/* Trees to programs.  See program.h.
 *
 * The program is built from its end: to emit a node one has to know what follows it.  That is a
 * pair of instructions (`target`): one for a node that matched nothing, one for a node that
 * consumed something.  They differ inside a loop whose body may match nothing: there an empty
 * iteration leaves the loop, as in the libraries, and one that consumed goes round.  A node whose
 * two targets differ is emitted in both forms where that is needed, which keeps an instruction's
 * future a function of the position alone.
 */
#include "base/limits.h"
#include "text/regex/program.h"
#include "text/regex/property.h"
#include "text/unicode.h"

#include <string.h>

typedef struct target {
    uint32_t empty, more;
} target;

typedef struct compiler {
    ix_regex *r;
    ix_arena *scratch;
    inox_error *err;
    bool backwards;   /* in a look behind */
    ix_region region; /* of what is emitted */
    uint32_t capacity, class_capacity;
    size_t byte_count, byte_capacity;
    size_t work;      /* nodes emitted */
    uint64_t repeats; /* what all SPANs count to, together */
} compiler;

static inox_status emit(compiler *c, const ix_node *n, target k, uint32_t *entry) IX_MUST_USE;

static target both(uint32_t at)
{
    return (target){ at, at };
}

/* ---- preparing the tree -------------------------------------------------------------------- */

/* The only thing in a sequence, or the node itself. */
static const ix_node *alone(const ix_node *n)
{
    while (n && n->kind == IX_NODE_SEQUENCE && n->first && !n->first->next)
        n = n->first;
    return n;
}

/* One character of a class, whatever it is. */
static bool is_class(const compiler *c, const ix_node *n)
{
    return (n->kind == IX_NODE_CHAR || n->kind == IX_NODE_SET) && (!n->expands || c->backwards);
}

/* ((x*)*, (x+)* and their like are one loop. */
static void join_loops(ix_node *n)
{
    for (;;) {
        const ix_node *in = alone(n->first);
        bool both_loops = in->kind == IX_NODE_REPEAT && in->max == IX_MANY && n->max == IX_MANY;
        if (!both_loops || in->min > 1 || n->min > 1 || in->lazy || n->lazy)
            return;
        n->min = n->min && in->min;
        n->first = in->first;
    }
}

static inox_status prepare_class(compiler *c, ix_node *n)
{
    if (n->fold) {
        n->set = (ix_char_set){ 0 };
        IX_TRY(ix_set_add(c->scratch, &n->set, n->c, n->c, c->err));
        IX_TRY(ix_set_fold(c->scratch, &n->set, c->err));
        n->kind = IX_NODE_SET;
    }
    bool may_expand = n->expands || n->letter;
    n->expands = false;
    for (size_t i = 0; may_expand && i < ix_regex_long_fold_count; i++) {
        uint32_t longer = ix_regex_long_folds[i][0];
        n->expands = n->expands || (n->letter ? n->c == longer : ix_set_has(&n->set, longer));
    }
    if (n->kind == IX_NODE_SET && ix_set_is_single(&n->set, &n->c))
        n->kind = IX_NODE_CHAR;
    return INOX_OK;
}

/* Turns folded characters into sets, and learns what may match nothing. */
static inox_status prepare(compiler *c, ix_node *n)
{
    bool any = false, all = true;
    for (ix_node *child = n->first; child; child = child->next) {
        IX_TRY(prepare(c, child));
        any = any || child->nullable;
        all = all && child->nullable;
    }
    switch (n->kind) {
    case IX_NODE_CHAR:
    case IX_NODE_SET: return prepare_class(c, n);
    case IX_NODE_CHOICE: n->nullable = any; break;
    case IX_NODE_SEQUENCE:
    case IX_NODE_ATOMIC: n->nullable = all; break;
    case IX_NODE_REPEAT:
        join_loops(n);
        n->nullable = all || n->min == 0;
        break;
    case IX_NODE_EMPTY:
    case IX_NODE_LOOK:
    case IX_NODE_ASSERT: n->nullable = true; break;
    }
    return INOX_OK;
}

/* ---- classes ------------------------------------------------------------------------------- */

/* Blocks of 256 characters: the first two are those without any and with all. */
static inox_status index_class(compiler *c, ix_class *k)
{
    enum { BLOCKS = 0x110000 / 256 };
    uint16_t *index;
    uint8_t(*blocks)[32];
    size_t count = 2, at = 0, mixed = k->count < BLOCKS ? k->count : BLOCKS;
    IX_TRY(IX_ARENA(&c->r->arena, &index, BLOCKS, c->err));
    IX_TRY(IX_ARENA(&c->r->arena, &blocks, mixed + 2, c->err));
    memset(blocks[1], 0xFF, sizeof *blocks);
    for (uint32_t b = 0; b < BLOCKS; b++) {
        uint32_t first = b * 256, end = first + 256;
        while (at < k->count && k->bounds[at] <= first)
            at++;
        if (at == k->count || k->bounds[at] >= end) {
            index[b] = at & 1;
            continue;
        }
        for (uint32_t i = 0; i < 256; i++) {
            while (at < k->count && k->bounds[at] <= first + i)
                at++;
            if (at & 1)
                blocks[count][i >> 3] |= (uint8_t)(1u << (i & 7));
        }
        index[b] = (uint16_t)count++;
    }
    k->index = index;
    k->blocks = (const uint8_t(*)[32])blocks;
    return INOX_OK;
}

/* The number of the class of these characters. */
static inox_status class_of(compiler *c, const ix_char_set *set, uint32_t *number)
{
    enum { FEW_BOUNDS = 12 };
    ix_regex *r = c->r;
    for (uint32_t i = 0; i < r->class_count; i++) {
        const ix_class *k = &r->classes[i];
        if (k->count == set->count &&
            (k->count == 0 || memcmp(k->bounds, set->bounds, k->count * sizeof *k->bounds) == 0)) {
            *number = i;
            return INOX_OK;
        }
    }
    if (r->class_count == c->class_capacity) {
        ix_class *classes;
        uint32_t capacity = c->class_capacity * 2 + 16;
        IX_TRY(IX_ARENA(&r->arena, &classes, capacity, c->err));
        if (r->class_count > 0)
            memcpy(classes, r->classes, r->class_count * sizeof *classes);
        r->classes = classes;
        c->class_capacity = capacity;
    }
    ix_class *k = &r->classes[r->class_count];
    uint32_t *bounds;
    IX_TRY(IX_ARENA(&r->arena, &bounds, set->count + 1, c->err));
    if (set->count > 0)
        memcpy(bounds, set->bounds, set->count * sizeof *bounds);
    *k = (ix_class){ .bounds = bounds, .count = set->count };
    for (uint32_t i = 0; i < 128; i++)
        k->ascii[i] = ix_set_has(set, i);
    k->bad = ix_set_has(set, IX_SET_BAD);
    if (k->count > FEW_BOUNDS)
        IX_TRY(index_class(c, k));
    *number = r->class_count++;
    return INOX_OK;
}

static inox_status class_of_node(compiler *c, const ix_node *n, uint32_t *number)
{
    if (n->kind == IX_NODE_SET)
        return class_of(c, &n->set, number);
    ix_char_set one = { 0 };
    IX_TRY(ix_set_add(c->scratch, &one, n->c, n->c, c->err));
    return class_of(c, &one, number);
}

/* ---- instructions -------------------------------------------------------------------------- */

static inox_status instruction(compiler *c, ix_inst inst, uint32_t *at)
{
    ix_regex *r = c->r;
    if (r->count == IX_MAX_REGEX_PROGRAM)
        return ix_fail(c->err, INOX_E_LIMIT,
                       "the regular expression is too large: it needs more than %d instructions",
                       IX_MAX_REGEX_PROGRAM);
    if (r->count == c->capacity) {
        ix_inst *code;
        uint32_t capacity = c->capacity * 2 + 32;
        IX_TRY(IX_ARENA(&r->arena, &code, capacity, c->err));
        if (r->count > 0)
            memcpy(code, r->code, r->count * sizeof *code);
        r->code = code;
        c->capacity = capacity;
    }
    inst.region = (uint8_t)c->region;
    inst.backwards = c->backwards;
    inst.slot = inst.split = IX_NO_SLOT;
    *at = r->count;
    r->code[r->count++] = inst;
    return INOX_OK;
}

static inox_status split(compiler *c, bool lazy, uint32_t first, uint32_t second, uint32_t *at)
{
    return instruction(c,
                       (ix_inst){ .op = IX_OP_SPLIT,
                                  .next = lazy ? second : first,
                                  .other = lazy ? first : second },
                       at);
}

static inox_status one_class(compiler *c, const ix_node *n, uint32_t next, uint32_t *at)
{
    ix_inst inst = { .op = c->backwards ? IX_OP_CLASS_BACK : IX_OP_CLASS, .next = next };
    IX_TRY(class_of_node(c, n, &inst.arg));
    return instruction(c, inst, at);
}

/* The characters from..to (siblings) as bytes. */
static inox_status literal(compiler *c, ix_node *const *nodes, size_t count, uint32_t next,
                           uint32_t *at)
{
    size_t most = c->byte_count + count * 4;
    if (most > c->byte_capacity) {
        char *bytes;
        IX_TRY(IX_ARENA(&c->r->arena, &bytes, most * 2, c->err));
        if (c->byte_count > 0)
            memcpy(bytes, c->r->bytes, c->byte_count);
        c->r->bytes = bytes;
        c->byte_capacity = most * 2;
    }
    ix_inst inst = { .op = c->backwards ? IX_OP_BYTES_BACK : IX_OP_BYTES, .next = next };
    inst.arg = (uint32_t)c->byte_count;
    for (size_t i = 0; i < count; i++)
        c->byte_count += ix_utf8_write(nodes[i]->c, c->r->bytes + c->byte_count);
    inst.count = (uint32_t)c->byte_count - inst.arg;
    return instruction(c, inst, at);
}

/* ---- letters whose case does not matter ----------------------------------------------------- */

/* In Oniguruma U+00DF and ss are equal there, and so are all characters that fold to several
 * letters: a letter of the expression may stand for several of the text, and the other way
 * round. */

static inox_status folded_class(compiler *c, uint32_t letter, uint32_t next, uint32_t *entry)
{
    ix_char_set set = { 0 };
    ix_inst inst = { .op = IX_OP_CLASS, .next = next };
    IX_TRY(ix_set_add(c->scratch, &set, letter, letter, c->err));
    IX_TRY(ix_set_fold(c->scratch, &set, c->err));
    IX_TRY(class_of(c, &set, &inst.arg));
    return instruction(c, inst, entry);
}

static size_t letters_of(const uint32_t row[4])
{
    return row[3] ? 3 : 2;
}

/* *entry becomes: *entry, or else the letters of the row and then `next`. */
static inox_status or_letters(compiler *c, const uint32_t row[4], uint32_t next, uint32_t *entry)
{
    for (size_t i = letters_of(row); i > 0; i--)
        IX_TRY(folded_class(c, row[i], next, &next));
    return split(c, false, *entry, next, entry);
}

static bool same_letter(uint32_t a, uint32_t b)
{
    bool same = a == b;
    for (size_t i = 0; i < ix_regex_fold_count && !same && ix_regex_folds[i][0] <= a; i++)
        same = ix_regex_folds[i][0] == a && ix_regex_folds[i][1] == b;
    return same;
}

/* The characters that stand for the first `length` of the letters. */
static inox_status characters_for(compiler *c, ix_node *const *letters, size_t length,
                                  ix_char_set *set)
{
    *set = (ix_char_set){ 0 };
    for (size_t i = 0; i < ix_regex_long_fold_count; i++) {
        const uint32_t *row = ix_regex_long_folds[i];
        bool same = letters_of(row) == length;
        for (size_t k = 0; k < length && same; k++)
            same = same_letter(letters[k]->c, row[k + 1]);
        if (same)
            IX_TRY(ix_set_add(c->scratch, set, row[0], row[0], c->err));
    }
    return INOX_OK;
}

/* The one that *entry is, or the characters that stand for `length` letters and then `next`. */
static inox_status or_characters(compiler *c, ix_node *const *letters, size_t length, uint32_t next,
                                 uint32_t *entry)
{
    ix_char_set set;
    ix_inst one = { .op = IX_OP_CLASS, .next = next };
    uint32_t other;
    IX_TRY(characters_for(c, letters, length, &set));
    if (set.count == 0)
        return INOX_OK;
    IX_TRY(class_of(c, &set, &one.arg));
    IX_TRY(instruction(c, one, &other));
    return split(c, false, *entry, other, entry);
}

/* Letters one after another. */
static inox_status emit_letters(compiler *c, ix_node *const *letters, size_t count, uint32_t next,
                                uint32_t *entry)
{
    uint32_t *entries; /* where the rest from a letter on begins */
    IX_TRY(IX_ARENA(c->scratch, &entries, count + 1, c->err));
    entries[count] = next;
    for (size_t i = count; i > 0; i--) {
        ix_node *const *at = letters + i - 1;
        uint32_t *here = &entries[i - 1];
        IX_TRY(folded_class(c, (*at)->c, entries[i], here));
        for (size_t k = 0; (*at)->expands && k < ix_regex_long_fold_count; k++)
            if (ix_regex_long_folds[k][0] == (*at)->c)
                IX_TRY(or_letters(c, ix_regex_long_folds[k], entries[i], here));
        for (size_t length = 2; length <= 3 && i - 1 + length <= count; length++)
            IX_TRY(or_characters(c, at, length, entries[i - 1 + length], here));
    }
    *entry = entries[0];
    return INOX_OK;
}

/* A class of which some characters stand for several letters. */
static inox_status emit_expanding_class(compiler *c, const ix_node *n, uint32_t next,
                                        uint32_t *entry)
{
    IX_TRY(one_class(c, n, next, entry));
    for (size_t i = 0; i < ix_regex_long_fold_count; i++)
        if (ix_set_has(&n->set, ix_regex_long_folds[i][0]))
            IX_TRY(or_letters(c, ix_regex_long_folds[i], next, entry));
    return INOX_OK;
}

/* ---- sequences and choices ----------------------------------------------------------------- */

static inox_status children_of(compiler *c, const ix_node *n, ix_node ***out, size_t *count)
{
    *count = 0;
    for (const ix_node *child = n->first; child; child = child->next)
        ++*count;
    IX_TRY(IX_ARENA(c->scratch, out, *count + 1, c->err));
    *count = 0;
    for (ix_node *child = n->first; child; child = child->next)
        (*out)[(*count)++] = child;
    return INOX_OK;
}

/* Part i of a sequence, for both targets as far as they are needed. */
static inox_status emit_part(compiler *c, const ix_node *n, bool may_be_first, bool is_first,
                             target *k)
{
    target now = *k;
    if (k->empty == k->more) {
        IX_TRY(emit(c, n, *k, &now.more));
        *k = both(now.more);
        return INOX_OK;
    }
    if (!is_first)
        IX_TRY(emit(c, n, both(k->more), &now.more));
    if (may_be_first)
        IX_TRY(emit(c, n, *k, &now.empty));
    else
        now.empty = now.more;
    *k = now;
    return INOX_OK;
}

static bool is_plain(const ix_node *n)
{
    return n->kind == IX_NODE_CHAR && !n->letter;
}

static inox_status emit_sequence(compiler *c, const ix_node *n, target k, uint32_t *entry)
{
    ix_node **parts;
    size_t count, nullable = 0;
    IX_TRY(children_of(c, n, &parts, &count));
    if (c->backwards) {
        for (size_t i = 0; i < count / 2; i++) {
            ix_node *swap = parts[i];
            parts[i] = parts[count - 1 - i];
            parts[count - 1 - i] = swap;
        }
    }
    while (nullable < count && parts[nullable]->nullable)
        nullable++; /* parts up to this one may be the first that consumes */
    for (size_t i = count; i > 0;) {
        size_t from = i - 1, length;
        bool letters = parts[from]->letter && !c->backwards;
        while (from > 0 && (letters ? parts[from - 1]->letter
                                    : is_plain(parts[from]) && is_plain(parts[from - 1])))
            from--;
        length = i - from;
        if (letters) {
            IX_TRY(emit_letters(c, parts + from, length, k.more, &k.more));
            k = both(k.more);
        } else if (length == 1) {
            IX_TRY(emit_part(c, parts[from], from <= nullable, from == 0, &k));
        } else {
            if (c->backwards)
                for (size_t a = from, b = i - 1; a < b; a++, b--) {
                    ix_node *swap = parts[a];
                    parts[a] = parts[b];
                    parts[b] = swap;
                }
            IX_TRY(literal(c, parts + from, length, k.more, &k.more));
            k = both(k.more);
        }
        i = from;
    }
    *entry = k.empty;
    return INOX_OK;
}

static inox_status emit_choice(compiler *c, const ix_node *n, target k, uint32_t *entry)
{
    ix_node **options;
    size_t count;
    IX_TRY(children_of(c, n, &options, &count));
    IX_TRY(emit(c, options[count - 1], k, entry));
    for (size_t i = count - 1; i > 0; i--) {
        uint32_t option;
        IX_TRY(emit(c, options[i - 1], k, &option));
        IX_TRY(split(c, false, option, *entry, entry));
    }
    return INOX_OK;
}

/* ---- repetition ---------------------------------------------------------------------------- */

static inox_status span(compiler *c, const ix_node *n, uint32_t min, uint32_t max, bool possessive,
                        uint32_t next, uint32_t *entry)
{
    ix_inst inst = { .op = max == IX_MANY ? IX_OP_STAR : IX_OP_SPAN,
                     .lazy = n->lazy && min != max,
                     .possessive = possessive,
                     .next = next,
                     .count = min,
                     .most = max };
    if (min == 1 && max == 1)
        return one_class(c, alone(n->first), next, entry);
    if (max != IX_MANY)
        c->repeats += max;
    if (c->repeats > IX_MAX_REGEX_REPEATS)
        return ix_fail(c->err, INOX_E_LIMIT,
                       "the regular expression is too large: it counts to more than %d together",
                       IX_MAX_REGEX_REPEATS);
    IX_TRY(class_of_node(c, alone(n->first), &inst.arg));
    return instruction(c, inst, entry);
}

/* Repeats of one class. */
static inox_status emit_span(compiler *c, const ix_node *n, target k, bool possessive,
                             uint32_t *entry)
{
    uint32_t min = n->min, max = n->max;
    bool apart = min == 0 && k.empty != k.more; /* the empty repeat goes elsewhere */
    if (max == IX_MANY) {
        IX_TRY(span(c, n, 0, IX_MANY, possessive, k.more, entry));
        if (min > 0 || apart)
            IX_TRY(span(c, n, apart ? 1 : min, apart ? 1 : min, false, *entry, entry));
    } else if (min == 0 && max == 1 && !possessive) {
        apart = true;
        IX_TRY(span(c, n, 1, 1, false, k.more, entry));
    } else {
        IX_TRY(span(c, n, apart ? 1 : min, max, possessive, k.more, entry));
    }
    return apart ? split(c, n->lazy, *entry, k.empty, entry) : INOX_OK;
}

/* x* of anything; *k becomes its entries. */
static inox_status emit_loop(compiler *c, const ix_node *n, target *k, bool at_least_one,
                             uint32_t *entry)
{
    uint32_t head, body;
    const ix_node *x = n->first;
    IX_TRY(split(c, n->lazy, k->more, k->more, &head));
    IX_TRY(emit(c, x, (target){ k->more, head }, &body));
    if (n->lazy)
        c->r->code[head].other = body;
    else
        c->r->code[head].next = body;
    if (at_least_one) { /* x consumes */
        *entry = body;
        return INOX_OK;
    }
    *entry = head;
    if (k->empty == k->more)
        return INOX_OK;
    if (x->nullable)
        IX_TRY(emit(c, x, (target){ k->empty, head }, &body));
    return split(c, n->lazy, body, k->empty, entry);
}

static inox_status emit_copies(compiler *c, const ix_node *x, uint32_t copies, target k,
                               uint32_t *entry)
{
    for (; copies > 0; copies--)
        IX_TRY(emit_part(c, x, copies == 1 || x->nullable, copies == 1, &k));
    *entry = k.empty;
    return INOX_OK;
}

static inox_status emit_repeat(compiler *c, const ix_node *n, target k, uint32_t *entry)
{
    const ix_node *x = n->first;
    uint32_t copies = n->min;
    if (n->max == 0) {
        *entry = k.empty;
        return INOX_OK;
    }
    if (is_class(c, alone(x)) && !c->backwards)
        return emit_span(c, n, k, false, entry);
    if (n->max == IX_MANY) {
        bool shared = copies > 0 && !x->nullable;
        target inside = k;
        IX_TRY(emit_loop(c, n, &k, shared, &inside.empty));
        if (shared) {
            copies--;
            inside.more = inside.empty;
        } else if (copies > 0 && k.empty != k.more) {
            target after = both(k.more);
            IX_TRY(emit_loop(c, n, &after, false, &inside.more));
        } else {
            inside.more = inside.empty;
        }
        return emit_copies(c, x, copies, inside, entry);
    }
    target t = k;
    for (uint32_t i = n->min; i < n->max; i++) {
        target now;
        IX_TRY(emit(c, x, t, &now.empty));
        IX_TRY(split(c, n->lazy, now.empty, k.empty, &now.empty));
        now.more = now.empty;
        if (k.empty != k.more) {
            IX_TRY(emit(c, x, both(t.more), &now.more));
            IX_TRY(split(c, n->lazy, now.more, k.more, &now.more));
        }
        t = now;
    }
    return emit_copies(c, x, copies, t, entry);
}

/* ---- bodies -------------------------------------------------------------------------------- */

/* Emits what is inside a look or an atomic group. */
static inox_status emit_body(compiler *c, const ix_node *inside, ix_region region, bool backwards,
                             uint32_t *entry)
{
    ix_region region_before = c->region;
    bool backwards_before = c->backwards;
    uint32_t accept;
    c->region = region;
    c->backwards = backwards;
    IX_TRY(instruction(c, (ix_inst){ .op = IX_OP_ACCEPT }, &accept));
    IX_TRY(emit(c, inside, both(accept), entry));
    c->region = region_before;
    c->backwards = backwards_before;
    return INOX_OK;
}

static inox_status emit_look(compiler *c, const ix_node *n, uint32_t next, uint32_t *entry)
{
    const ix_node *inside = alone(n->first);
    ix_inst inst = { .next = next };
    if (is_class(c, inside)) {
        inst.op = n->behind ? (n->negative ? IX_OP_SAW_NOT : IX_OP_SAW)
                            : (n->negative ? IX_OP_SEE_NOT : IX_OP_SEE);
        IX_TRY(class_of_node(c, inside, &inst.arg));
        return instruction(c, inst, entry);
    }
    inst.op = n->negative ? IX_OP_LOOK_NOT : IX_OP_LOOK;
    c->r->looks_back = c->r->looks_back || n->behind;
    IX_TRY(emit_body(c, inside, IX_IN_LOOK, n->behind, &inst.other));
    return instruction(c, inst, entry);
}

static inox_status emit_atomic(compiler *c, const ix_node *n, target k, uint32_t *entry)
{
    const ix_node *inside = alone(n->first);
    if (c->backwards)
        return ix_fail_at(c->err, INOX_E_UNSUPPORTED, n->at,
                          "regular expression, byte %u: an atomic group or possessive quantifier "
                          "in a look behind is not supported",
                          n->at);
    if (inside->kind == IX_NODE_REPEAT && inside->max > 0 && !inside->lazy &&
        is_class(c, alone(inside->first)) && (inside->min > 0 || k.empty == k.more))
        return emit_span(c, inside, k, true, entry);
    ix_inst inst = { .op = IX_OP_ATOMIC, .next = k.more, .arg = k.empty };
    IX_TRY(emit_body(c, inside, IX_IN_ATOMIC, false, &inst.other));
    return instruction(c, inst, entry);
}

static inox_status emit_assertion(compiler *c, const ix_node *n, uint32_t next, uint32_t *entry)
{
    ix_inst inst = { .op = IX_OP_ASSERT, .next = next, .count = (uint32_t)n->assertion };
    if (n->assertion >= IX_AT_WORD)
        IX_TRY(class_of(c, &n->set, &inst.arg));
    if (n->assertion == IX_AT_SEARCH) {
        if (c->region == IX_IN_LOOK)
            return ix_fail_at(c->err, INOX_E_UNSUPPORTED, n->at,
                              "regular expression, byte %u: \\G inside a look is not supported",
                              n->at);
        c->r->uses_search = true;
    }
    return instruction(c, inst, entry);
}

static inox_status emit_class(compiler *c, const ix_node *n, uint32_t next, uint32_t *entry)
{
    ix_node *one[] = { (ix_node *)(uintptr_t)n };
    if (n->expands && !c->backwards)
        return n->letter ? emit_letters(c, one, 1, next, entry)
                         : emit_expanding_class(c, n, next, entry);
    return n->kind == IX_NODE_CHAR ? literal(c, one, 1, next, entry) : one_class(c, n, next, entry);
}

static inox_status emit(compiler *c, const ix_node *n, target k, uint32_t *entry)
{
    if (++c->work > IX_MAX_REGEX_PROGRAM * 16)
        return ix_fail(c->err, INOX_E_LIMIT, "the regular expression is too large");
    switch (n->kind) {
    case IX_NODE_EMPTY: *entry = k.empty; return INOX_OK;
    case IX_NODE_CHAR:
    case IX_NODE_SET: return emit_class(c, n, k.more, entry);
    case IX_NODE_SEQUENCE: return emit_sequence(c, n, k, entry);
    case IX_NODE_CHOICE: return emit_choice(c, n, k, entry);
    case IX_NODE_REPEAT: return emit_repeat(c, n, k, entry);
    case IX_NODE_ATOMIC: return emit_atomic(c, n, k, entry);
    case IX_NODE_LOOK: return emit_look(c, n, k.empty, entry);
    case IX_NODE_ASSERT: return emit_assertion(c, n, k.empty, entry);
    }
    return ix_fail(c->err, INOX_E_INTERNAL, "a node of no kind");
}

inox_status ix_regex_compile(ix_regex *r, ix_node *tree, ix_arena *scratch, inox_error *err)
{
    compiler c = { .r = r, .scratch = scratch, .err = err };
    uint32_t match;
    IX_TRY(prepare(&c, tree));
    IX_TRY(instruction(&c, (ix_inst){ .op = IX_OP_MATCH }, &match));
    IX_TRY(emit(&c, tree, both(match), &r->start));
    return ix_regex_analyse(r, err);
}
