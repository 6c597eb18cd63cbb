/* What a program's shape tells about matching.  See program.h.
 *
 * All of it is worked out by passes over the instructions until nothing changes: what follows an
 * instruction has mostly been emitted before it, so there are few passes.
 */
#include "text/regex/program.h"

#include <string.h>

/* Bytes that can come next, and at 256 the end of the text. */
typedef struct bytes {
    uint64_t words[5];
} bytes;

enum { END = 256 };

static void put(bytes *b, unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++)
        b->words[i >> 6] |= 1ULL << (i & 63);
}

static bool has(const bytes *b, unsigned i)
{
    return b->words[i >> 6] >> (i & 63) & 1;
}

static bytes everything(void)
{
    bytes b = { { 0 } };
    put(&b, 0, END);
    return b;
}

static bytes either(bytes a, bytes b)
{
    for (int i = 0; i < 5; i++)
        a.words[i] |= b.words[i];
    return a;
}

static bytes common(bytes a, bytes b)
{
    for (int i = 0; i < 5; i++)
        a.words[i] &= b.words[i];
    return a;
}

static bool none(bytes a)
{
    return !(a.words[0] | a.words[1] | a.words[2] | a.words[3] | a.words[4]);
}

/* The byte with which a character above ASCII begins. */
static unsigned lead(uint32_t c)
{
    return c < 0x800 ? 0xC0 | c >> 6 : c < 0x10000 ? 0xE0 | c >> 12 : 0xF0 | c >> 18;
}

static bytes lead_bytes(const ix_class *k)
{
    bytes b = { { 0 } };
    for (unsigned i = 0; i < 128; i++)
        if (k->ascii[i])
            put(&b, i, i);
    for (size_t i = 0; i + 1 < k->count; i += 2) {
        uint32_t first = k->bounds[i] < 0x80 ? 0x80 : k->bounds[i], last = k->bounds[i + 1] - 1;
        last = last > 0x10FFFF ? 0x10FFFF : last;
        if (first <= last)
            put(&b, lead(first), lead(last));
    }
    if (k->bad)
        put(&b, 0x80, 0xFF);
    return b;
}

/* ---- from the end -------------------------------------------------------------------------- */

static bool is_sure(const ix_regex *r, const ix_inst *i)
{
    switch (i->op) {
    case IX_OP_MATCH: return true;
    case IX_OP_ACCEPT: return i->region == IX_IN_LOOK;
    case IX_OP_SPLIT: return r->code[i->next].sure || r->code[i->other].sure;
    case IX_OP_STAR: return r->code[i->next].sure;
    case IX_OP_SPAN: return i->count == 0 && r->code[i->next].sure;
    default: return false;
    }
}

static bool is_simple(const ix_regex *r, const ix_inst *i)
{
    switch (i->op) {
    case IX_OP_SPLIT:
    case IX_OP_STAR:
    case IX_OP_SPAN:
    case IX_OP_LOOK:
    case IX_OP_LOOK_NOT:
    case IX_OP_ATOMIC: return i->sure;
    case IX_OP_MATCH:
    case IX_OP_ACCEPT: return true;
    default: return i->sure || r->code[i->next].simple;
    }
}

static void learn_ends(ix_regex *r)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t at = 0; at < r->count; at++) {
            ix_inst *i = &r->code[at];
            bool sure = is_sure(r, i);
            bool more = sure && !i->sure;
            i->sure = sure;
            bool simple = is_simple(r, i);
            changed = changed || more || (simple && !i->simple);
            i->simple = simple;
        }
    }
    /* A look asks no more than whether its end is reached. */
    for (uint32_t at = 0; at < r->count; at++)
        if (r->code[at].sure && r->code[at].region == IX_IN_LOOK)
            r->code[at].op = IX_OP_ACCEPT;
}

/* ---- first bytes --------------------------------------------------------------------------- */

static bytes first_of_assertion(const ix_inst *i, bytes next)
{
    bytes b = { { 0 } };
    switch ((ix_assertion)i->count) {
    case IX_AT_LINE_END:
    case IX_AT_FINAL_END: put(&b, '\n', '\n'); /* fall through */
    case IX_AT_END: put(&b, END, END); return common(b, next);
    default: return next;
    }
}

static bytes first_of(const ix_regex *r, const ix_inst *i, const bytes *first)
{
    bytes b = { { 0 } };
    if (i->backwards)
        return everything();
    switch ((ix_op)i->op) {
    case IX_OP_BYTES:
        put(&b, (unsigned char)r->bytes[i->arg], (unsigned char)r->bytes[i->arg]);
        return b;
    case IX_OP_CLASS: return lead_bytes(&r->classes[i->arg]);
    case IX_OP_SPLIT: return either(first[i->next], first[i->other]);
    case IX_OP_STAR: return either(lead_bytes(&r->classes[i->arg]), first[i->next]);
    case IX_OP_SPAN:
        b = lead_bytes(&r->classes[i->arg]);
        return i->count > 0 ? b : either(b, first[i->next]);
    case IX_OP_ASSERT: return first_of_assertion(i, first[i->next]);
    case IX_OP_SEE: return common(lead_bytes(&r->classes[i->arg]), first[i->next]);
    case IX_OP_SEE_NOT:
        b = first[i->next];
        for (unsigned c = 0; c < 128; c++)
            if (r->classes[i->arg].ascii[c])
                b.words[c >> 6] &= ~(1ULL << (c & 63));
        return b;
    case IX_OP_SAW:
    case IX_OP_SAW_NOT:
    case IX_OP_LOOK_NOT: return first[i->next];
    case IX_OP_LOOK: return common(first[i->next], first[i->other]);
    case IX_OP_ATOMIC: return first[i->other];
    case IX_OP_MATCH:
    case IX_OP_ACCEPT:
    case IX_OP_BYTES_BACK:
    case IX_OP_CLASS_BACK: break;
    }
    return everything();
}

static void learn_firsts(const ix_regex *r, bytes *first)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t at = 0; at < r->count; at++) {
            bytes b = first_of(r, &r->code[at], first);
            if (memcmp(&b, &first[at], sizeof b) != 0) {
                first[at] = b;
                changed = true;
            }
        }
    }
}

static inox_status use_firsts(ix_regex *r, const bytes *first, inox_error *err)
{
    uint32_t splits = 0;
    for (uint32_t at = 0; at < r->count; at++)
        splits += r->code[at].op == IX_OP_SPLIT && !r->code[at].backwards;
    IX_TRY(IX_ARENA(&r->arena, &r->splits, splits + 1, err));
    for (uint32_t at = 0; at < r->count; at++) {
        ix_inst *i = &r->code[at];
        if (i->op == IX_OP_SPLIT && !i->backwards) {
            i->split = r->split_count++;
            for (unsigned b = 0; b <= END; b++)
                r->splits[i->split][b] =
                    (uint8_t)(has(&first[i->next], b) | has(&first[i->other], b) << 1);
        }
        if ((i->op == IX_OP_STAR || i->op == IX_OP_SPAN) &&
            none(common(lead_bytes(&r->classes[i->arg]), first[i->next]))) {
            i->possessive = true;
            i->lazy = false;
        }
    }
    int count = 0, only = -1;
    for (unsigned b = 0; b <= END; b++) {
        r->can_start[b] = has(&first[r->start], b);
        if (r->can_start[b]) {
            only = (int)b;
            count++;
        }
    }
    r->only_byte = count == 1 && only < END ? only : -1;
    return INOX_OK;
}

static void learn_starts(ix_regex *r)
{
    for (unsigned b = 0; b <= END; b++) {
        uint32_t at = r->start;
        for (;;) {
            const ix_inst *i = &r->code[at];
            uint8_t row = i->op == IX_OP_SPLIT && i->slot == IX_NO_SLOT && i->split != IX_NO_SLOT
                              ? r->splits[i->split][b]
                              : 0;
            if (row != 1 && row != 2)
                break;
            at = row == 1 ? i->next : i->other;
        }
        r->starts[b] = at;
    }
}

/* ---- slots --------------------------------------------------------------------------------- */

static void count_ways(const ix_regex *r, uint32_t *ways)
{
    ways[r->start]++;
    for (uint32_t at = 0; at < r->count; at++) {
        const ix_inst *i = &r->code[at];
        switch (i->op) {
        case IX_OP_MATCH:
        case IX_OP_ACCEPT: break;
        case IX_OP_ATOMIC: ways[i->arg] += 2; /* fall through */
        case IX_OP_SPAN: ways[i->next] += 2; break;
        default: ways[i->next]++; break;
        }
        if (i->op == IX_OP_SPLIT || i->op == IX_OP_LOOK || i->op == IX_OP_LOOK_NOT ||
            i->op == IX_OP_ATOMIC)
            ways[i->other]++;
    }
}

static void give_slots(ix_regex *r, const uint32_t *ways)
{
    for (uint32_t at = 0; at < r->count; at++) {
        ix_inst *i = &r->code[at];
        bool walks = i->op == IX_OP_STAR && !i->sure;
        if (!walks && (ways[at] < 2 || i->simple))
            continue;
        i->slot = r->planes;
        r->planes += i->region == IX_IN_MAIN ? 1 : 2;
    }
}

inox_status ix_regex_analyse(ix_regex *r, inox_error *err)
{
    bytes *first = NULL;
    uint32_t *ways = NULL;
    inox_status status;
    learn_ends(r);
    IX_TRY_GOTO(status, IX_ALLOC(&first, r->count, err), done);
    IX_TRY_GOTO(status, IX_ALLOC(&ways, r->count, err), done);
    learn_firsts(r, first);
    IX_TRY_GOTO(status, use_firsts(r, first, err), done);
    count_ways(r, ways);
    give_slots(r, ways);
    learn_starts(r);
done:
    ix_free(first);
    ix_free(ways);
    return status;
}
