/* Running programs.  See regex.h for what is promised and program.h for why it is linear.
 *
 * One loop, with a stack of choices of its own.  A body (of a look, of an atomic group) is a search
 * inside the search: a frame marks where its choices begin, and `body` is the number of the
 * innermost such frame, plus one.
 */
#include "base/limits.h"
#include "text/regex/memo.h"
#include "text/regex/program.h"

#include <string.h>

typedef enum verdict {
    GO_ON,    /* at pc, pos */
    FAILED,   /* here: take the newest choice */
    ACCEPTED, /* the body reached its end at pos */
    MATCHED,  /* the expression did */
} verdict;

typedef struct matcher {
    const ix_regex *r;
    ix_regex_work *w;
    const char *text;
    size_t size, search_start;
    uint32_t pc;
    size_t pos;
    size_t body; /* number of the frame of the innermost body + 1; 0: none */
    uint64_t steps;
    inox_error *err;
} matcher;

/* ---- characters ---------------------------------------------------------------------------- */

#define BAD 0xFFFFFFFFu

/* The character at p, of which `left` > 0 bytes are there: its bytes, and *c or BAD. */
static inline size_t read(const char *p, size_t left, uint32_t *c)
{
    const unsigned char *u = (const unsigned char *)p;
    if (u[0] < 0x80) {
        *c = u[0];
        return 1;
    }
    if (u[0] >= 0xC2 && u[0] < 0xE0 && left > 1 && (u[1] & 0xC0) == 0x80) {
        *c = (u[0] & 0x1Fu) << 6 | (u[1] & 0x3Fu);
        return 2;
    }
    if ((u[0] & 0xF0) == 0xE0 && left > 2 && (u[1] & 0xC0) == 0x80 && (u[2] & 0xC0) == 0x80) {
        *c = (u[0] & 0xFu) << 12 | (u[1] & 0x3Fu) << 6 | (u[2] & 0x3Fu);
        if (*c >= 0x800 && (*c < 0xD800 || *c > 0xDFFF))
            return 3;
    } else if ((u[0] & 0xF8) == 0xF0 && left > 3 && (u[1] & 0xC0) == 0x80 &&
               (u[2] & 0xC0) == 0x80 && (u[3] & 0xC0) == 0x80) {
        *c = (u[0] & 7u) << 18 | (u[1] & 0x3Fu) << 12 | (u[2] & 0x3Fu) << 6 | (u[3] & 0x3Fu);
        if (*c >= 0x10000 && *c <= 0x10FFFF)
            return 4;
    }
    *c = BAD;
    return 1;
}

/* The character that ends at pos > 0. */
static size_t read_back(const char *text, size_t pos, uint32_t *c)
{
    size_t n = 1;
    while (n < 4 && n < pos && ((unsigned char)text[pos - n] & 0xC0) == 0x80)
        n++;
    if (read(text + pos - n, n, c) == n)
        return n;
    *c = BAD;
    return 1;
}

/* End of the characters of the class from pos on; stops at the first one that does not end before
 * `bound`, which is taken. */
static inline size_t scan(const matcher *m, const ix_class *k, size_t pos, size_t bound)
{
    while (pos < bound) {
        unsigned char b = (unsigned char)m->text[pos];
        if (b < 0x80) {
            if (!k->ascii[b])
                return pos;
            pos++;
            continue;
        }
        uint32_t c;
        size_t n = read(m->text + pos, m->size - pos, &c);
        if (!ix_class_has(k, c))
            return pos;
        pos += n;
    }
    return pos;
}

static bool sees(const matcher *m, const ix_class *k, size_t pos)
{
    uint32_t c;
    if (pos >= m->size)
        return false;
    (void)read(m->text + pos, m->size - pos, &c);
    return ix_class_has(k, c);
}

static bool saw(const matcher *m, const ix_class *k, size_t pos)
{
    uint32_t c;
    if (pos == 0)
        return false;
    (void)read_back(m->text, pos, &c);
    return ix_class_has(k, c);
}

static bool asserted(const matcher *m, const ix_inst *i, size_t pos)
{
    bool end = pos == m->size, behind_feed = pos > 0 && m->text[pos - 1] == '\n';
    const ix_class *k = &m->r->classes[i->arg]; /* of the last six */
    switch ((ix_assertion)i->count) {
    case IX_AT_START: return pos == 0;
    case IX_AT_END: return end;
    case IX_AT_FINAL_END: return end || (pos + 1 == m->size && m->text[pos] == '\n');
    case IX_AT_LINE_START: return pos == 0 || behind_feed;
    case IX_AT_LINE_BEGUN: return pos == 0 || (behind_feed && !end);
    case IX_AT_LINE_END: return end || m->text[pos] == '\n';
    case IX_AT_SEARCH: return pos == m->search_start;
    case IX_AT_WORD: return saw(m, k, pos) != sees(m, k, pos);
    case IX_AT_NO_WORD: return saw(m, k, pos) == sees(m, k, pos);
    case IX_AT_WORD_START: return !saw(m, k, pos) && sees(m, k, pos);
    case IX_AT_WORD_END: return saw(m, k, pos) && !sees(m, k, pos);
    case IX_AT_NOT_BEHIND_WORD: return !saw(m, k, pos);
    case IX_AT_NOT_BEFORE_WORD: return !sees(m, k, pos);
    }
    return false;
}

/* ---- slots --------------------------------------------------------------------------------- */

/* What is known about the instruction's slot here, which counts as failed from now on. */
static inline inox_status visit(matcher *m, const ix_inst *i, verdict *v)
{
    ix_regex_work *w = m->w;
    *v = GO_ON;
    if (i->region != IX_IN_MAIN && ix_memo_get(w, i->slot + 1, m->pos)) {
        if (i->region == IX_IN_ATOMIC)
            m->pos = ix_memo_get_end(w, i->slot, m->pos);
        *v = ACCEPTED;
        return INOX_OK;
    }
    if (ix_memo_get(w, i->slot, m->pos)) {
        *v = FAILED;
        return INOX_OK;
    }
    if (i->region != IX_IN_MAIN)
        IX_TRY(ix_memo_visit(w, i->slot, m->pos, m->err));
    return ix_memo_set(w, i->slot, m->pos, m->pos, m->err);
}

/* The body has succeeded through the slot at all of from..to, and ends at m->pos. */
static inox_status succeeded(matcher *m, uint32_t slot, size_t from, size_t to, bool atomic)
{
    ix_regex_work *w = m->w;
    for (size_t at = from; at <= to; at++) {
        ix_memo_unset(w, slot, at);
        if (atomic)
            IX_TRY(ix_memo_put_end(w, slot, at, m->pos, m->err));
    }
    return ix_memo_set(w, slot + 1, from, to, m->err);
}

static uint32_t kind_of(const ix_frame *f)
{
    return f->trail & 7;
}

/* The body ended well at m->pos: its choices go, and the program around it goes on. */
static inox_status accept(matcher *m, verdict *v)
{
    ix_regex_work *w = m->w;
    ix_frame f = w->stack[m->body - 1];
    const ix_inst *i = &m->r->code[f.pc];
    bool atomic = i->op == IX_OP_ATOMIC;
    for (size_t k = m->body; k < w->top; k++) {
        ix_frame *inner = &w->stack[k];
        if (kind_of(inner) == IX_FRAME_STAR || kind_of(inner) == IX_FRAME_LAZY ||
            kind_of(inner) == IX_FRAME_ONLY)
            IX_TRY(succeeded(m, m->r->code[inner->pc].slot, inner->low, inner->pos, atomic));
    }
    for (size_t k = f.trail >> 3; k < w->trail_top; k++)
        IX_TRY(succeeded(m, w->trail[k].slot, w->trail[k].pos, w->trail[k].pos, atomic));
    w->trail_top = f.trail >> 3;
    w->top = m->body - 1;
    m->body = f.low;
    *v = i->op == IX_OP_LOOK_NOT ? FAILED : GO_ON;
    m->pc = atomic && m->pos == f.pos ? i->arg : i->next;
    if (!atomic)
        m->pos = f.pos;
    return INOX_OK;
}

/* ---- runs of a class ----------------------------------------------------------------------- */

/* How far a STAR's run goes from m->pos, up to a place that is known to fail or to succeed: *v is
 * FAILED or ACCEPTED there, and GO_ON where the run ended by itself. */
static size_t run_end(const matcher *m, const ix_inst *i, verdict *v)
{
    const ix_class *k = &m->r->classes[i->arg];
    bool body = i->region != IX_IN_MAIN;
    for (size_t pos = m->pos;;) {
        uint64_t fail = ix_memo_word(m->w, i->slot, pos),
                 good = body ? ix_memo_word(m->w, i->slot + 1, pos) : 0, here = ~0ULL << (pos & 63);
        if (pos == m->pos)
            here &= here - 1; /* this place itself is being tried */
        here &= fail | good;
        size_t bound = (pos | 63) + 1;
        if (here)
            bound = (pos & ~(size_t)63) + (size_t)__builtin_ctzll(here);
        bound = bound < m->size ? bound : m->size;
        size_t end = scan(m, k, pos, bound);
        *v = GO_ON;
        if (end < bound || end == m->size)
            return end;
        if (here && end == bound) {
            *v = good >> (end & 63) & 1 ? ACCEPTED : FAILED;
            return end;
        }
        pos = end;
    }
}

static inox_status push(matcher *m, size_t pos, size_t low, ix_frame_kind kind)
{
    return ix_memo_push(m->w, (ix_frame){ m->pc, (uint32_t)pos, (uint32_t)low, 0 }, kind, m->err);
}

static inox_status star(matcher *m, const ix_inst *i, verdict *v)
{
    enum { SHORT = 32 };
    const ix_class *k = &m->r->classes[i->arg];
    size_t from = m->pos;
    *v = GO_ON;
    if (i->sure && m->body == 0) { /* nothing behind it can fail */
        if (!i->lazy)
            m->pos = scan(m, k, from, m->size);
        m->pc = i->next;
        return INOX_OK;
    }
    if (m->r->code[i->next].simple && !i->lazy) {
        size_t bound = from + SHORT < m->size ? from + SHORT : m->size,
               end = scan(m, k, from, bound);
        if (end < bound || bound == m->size) { /* cheaper to do again than to remember */
            if (end > from && !i->possessive)
                IX_TRY(push(m, end, from, IX_FRAME_STEP_BACK));
            m->pos = end;
            m->pc = i->next;
            return INOX_OK;
        }
    }
    IX_TRY(visit(m, i, v));
    if (*v != GO_ON)
        return INOX_OK;
    if (i->lazy) {
        IX_TRY(push(m, from, from, IX_FRAME_LAZY));
        m->pc = i->next;
        return INOX_OK;
    }
    size_t end = run_end(m, i, v);
    if (*v == ACCEPTED) {
        IX_TRY(push(m, end, from, IX_FRAME_STAR)); /* so that accept knows about the run */
        m->pos = i->region == IX_IN_ATOMIC ? ix_memo_get_end(m->w, i->slot, end) : end;
        return INOX_OK;
    }
    if (*v == FAILED) {
        uint32_t c;
        if (i->possessive) /* its only end is that of the place that failed */
            return ix_memo_set(m->w, i->slot, from, end, m->err);
        *v = GO_ON;
        end -= read_back(m->text, end, &c);
    }
    if (end > from)
        IX_TRY(push(m, end, from, i->possessive ? IX_FRAME_ONLY : IX_FRAME_STAR));
    m->pos = end;
    m->pc = i->next;
    return INOX_OK;
}

static inox_status span(matcher *m, const ix_inst *i, verdict *v)
{
    const ix_class *k = &m->r->classes[i->arg];
    size_t pos = m->pos, low = pos;
    uint32_t count = 0, wanted = i->lazy ? i->count : i->most, c;
    for (; count < wanted && pos < m->size; count++) {
        size_t n = read(m->text + pos, m->size - pos, &c);
        if (!ix_class_has(k, c))
            break;
        pos += n;
        m->steps++;
        if (count < i->count)
            low = pos;
    }
    *v = count < i->count ? FAILED : GO_ON;
    if (*v == FAILED)
        return INOX_OK;
    if (i->lazy)
        IX_TRY(push(m, pos, i->most - i->count, IX_FRAME_COUNTED));
    else if (pos > low && !i->possessive && !(i->sure && m->body == 0))
        IX_TRY(push(m, pos, low, IX_FRAME_STEP_BACK));
    m->pos = pos;
    m->pc = i->next;
    return INOX_OK;
}

/* ---- going back ---------------------------------------------------------------------------- */

/* A lazy run whose continuation failed at f->pos takes one more character. */
static inox_status take_more(matcher *m, ix_frame *f, verdict *v)
{
    const ix_inst *i = &m->r->code[f->pc];
    bool counted = kind_of(f) == IX_FRAME_COUNTED;
    uint32_t c;
    size_t n = 0;
    if (f->pos < m->size && !(counted && f->low == 0)) {
        n = read(m->text + f->pos, m->size - f->pos, &c);
        n = ix_class_has(&m->r->classes[i->arg], c) ? n : 0;
    }
    size_t pos = f->pos + n;
    bool known = !counted && n > 0 && ix_memo_get(m->w, i->slot, pos);
    if (n == 0 || known) {
        uint32_t low = f->low, high = f->pos, slot = i->slot;
        m->w->top--;
        *v = FAILED;
        return counted ? INOX_OK : ix_memo_set(m->w, slot, low, high, m->err);
    }
    f->pos = (uint32_t)pos;
    m->pos = pos;
    m->pc = i->next;
    *v = GO_ON;
    if (counted) {
        f->low--;
    } else if (i->region != IX_IN_MAIN && ix_memo_get(m->w, i->slot + 1, pos)) {
        *v = ACCEPTED;
        if (i->region == IX_IN_ATOMIC)
            m->pos = ix_memo_get_end(m->w, i->slot, pos);
    }
    return INOX_OK;
}

/* A greedy run whose continuation failed at f->pos gives one character back. */
static inox_status give_back(matcher *m, ix_frame *f, verdict *v)
{
    const ix_inst *i = &m->r->code[f->pc];
    uint32_t c, failed = f->pos, slot = i->slot;
    bool marks = kind_of(f) == IX_FRAME_STAR;
    f->pos -= (uint32_t)read_back(m->text, f->pos, &c);
    m->pos = f->pos;
    m->pc = i->next;
    *v = GO_ON;
    if (f->pos <= f->low)
        m->w->top--;
    return marks ? ix_memo_set(m->w, slot, failed, failed, m->err) : INOX_OK;
}

/* Takes the newest choice; FAILED where there is none. */
static inox_status go_back(matcher *m, verdict *v)
{
    ix_regex_work *w = m->w;
    *v = FAILED;
    while (*v == FAILED && w->top > 0) {
        ix_frame *f = &w->stack[w->top - 1], was = *f;
        const ix_inst *i = &m->r->code[f->pc];
        m->steps++;
        w->trail_top = f->trail >> 3;
        switch ((ix_frame_kind)kind_of(f)) {
        case IX_FRAME_SPLIT:
            w->top--;
            m->pc = was.pc;
            m->pos = was.pos;
            *v = GO_ON;
            break;
        case IX_FRAME_STAR:
        case IX_FRAME_STEP_BACK: IX_TRY(give_back(m, f, v)); break;
        case IX_FRAME_ONLY:
            w->top--;
            IX_TRY(ix_memo_set(w, i->slot, was.low, was.pos, m->err));
            break;
        case IX_FRAME_LAZY:
        case IX_FRAME_COUNTED: IX_TRY(take_more(m, f, v)); break;
        case IX_FRAME_BODY: /* it failed */
            w->top--;
            m->body = was.low;
            if (i->op != IX_OP_LOOK_NOT)
                break;
            m->pc = i->next;
            m->pos = was.pos;
            *v = GO_ON;
            break;
        }
    }
    return INOX_OK;
}

/* ---- the loop ------------------------------------------------------------------------------ */

/* Both options of a split may go on. */
static inline inox_status branch(matcher *m, const ix_inst *i)
{
    ix_regex_work *w = m->w;
    if (i->sure && m->body == 0)
        w->top = w->trail_top = 0; /* a match is certain: older choices are not needed */
    ix_frame f = { i->other, (uint32_t)m->pos, 0, 0 };
    m->pc = i->next;
    if (m->r->code[i->next].sure && m->body == 0)
        return INOX_OK;
    return ix_memo_push(w, f, IX_FRAME_SPLIT, m->err);
}

/* One instruction; its slot has been seen to. */
static inline inox_status step(matcher *m, const ix_inst *i, verdict *v)
{
    const ix_regex *r = m->r;
    uint32_t c;
    size_t n, left = m->size - m->pos;
    bool good = true;
    switch ((ix_op)i->op) {
    case IX_OP_MATCH: *v = MATCHED; return INOX_OK;
    case IX_OP_ACCEPT: *v = ACCEPTED; return INOX_OK;
    case IX_OP_BYTES:
        good = i->count <= left && memcmp(m->text + m->pos, r->bytes + i->arg, i->count) == 0;
        m->pos += i->count;
        break;
    case IX_OP_BYTES_BACK:
        good = i->count <= m->pos &&
               memcmp(m->text + m->pos - i->count, r->bytes + i->arg, i->count) == 0;
        m->pos -= i->count;
        break;
    case IX_OP_CLASS:
        if (left == 0) {
            *v = FAILED;
            return INOX_OK;
        }
        n = read(m->text + m->pos, left, &c);
        good = ix_class_has(&r->classes[i->arg], c);
        m->pos += n;
        break;
    case IX_OP_CLASS_BACK:
        good = saw(m, &r->classes[i->arg], m->pos);
        m->pos -= good ? read_back(m->text, m->pos, &c) : 0;
        break;
    case IX_OP_SPLIT:
        switch (i->split == IX_NO_SLOT
                    ? 3
                    : r->splits[i->split][left > 0 ? (unsigned char)m->text[m->pos] : 256]) {
        case 1: break;
        case 2: m->pc = i->other; return INOX_OK;
        case 3: return branch(m, i);
        default: good = false;
        }
        break;
    case IX_OP_STAR: return star(m, i, v);
    case IX_OP_SPAN: return span(m, i, v);
    case IX_OP_ASSERT: good = asserted(m, i, m->pos); break;
    case IX_OP_SEE: good = sees(m, &r->classes[i->arg], m->pos); break;
    case IX_OP_SEE_NOT: good = !sees(m, &r->classes[i->arg], m->pos); break;
    case IX_OP_SAW: good = saw(m, &r->classes[i->arg], m->pos); break;
    case IX_OP_SAW_NOT: good = !saw(m, &r->classes[i->arg], m->pos); break;
    case IX_OP_LOOK:
    case IX_OP_LOOK_NOT:
    case IX_OP_ATOMIC:
        IX_TRY(push(m, m->pos, m->body, IX_FRAME_BODY));
        m->body = m->w->top;
        m->pc = i->other;
        return INOX_OK;
    }
    m->pc = i->next;
    if (!good)
        *v = FAILED;
    return INOX_OK;
}

/* Tries to match at `start`. */
static inox_status run(matcher *m, size_t start, bool *found)
{
    m->pc = m->r->starts[start < m->size ? (unsigned char)m->text[start] : 256];
    m->pos = start;
    m->body = m->w->top = m->w->trail_top = 0;
    for (;;) {
        const ix_inst *i = &m->r->code[m->pc];
        verdict v = GO_ON;
        m->steps++;
        if (i->slot != IX_NO_SLOT && i->op != IX_OP_STAR)
            IX_TRY(visit(m, i, &v));
        if (v == GO_ON)
            IX_TRY(step(m, i, &v));
        if (v == ACCEPTED)
            IX_TRY(accept(m, &v));
        if (v == FAILED)
            IX_TRY(go_back(m, &v));
        while (v == ACCEPTED) { /* a run went into a place that is known to succeed */
            IX_TRY(accept(m, &v));
            if (v == FAILED)
                IX_TRY(go_back(m, &v));
        }
        if (v == FAILED || v == MATCHED) {
            *found = v == MATCHED;
            return INOX_OK;
        }
    }
}

/* ---- all matches --------------------------------------------------------------------------- */

/* The next place from `at` on where a match can start; size + 1: none. */
static size_t candidate(const matcher *m, size_t at)
{
    const ix_regex *r = m->r;
    if (at < m->size && r->only_byte >= 0) {
        const char *p = memchr(m->text + at, r->only_byte, m->size - at);
        return p ? (size_t)(p - m->text) : m->size + 1;
    }
    while (at < m->size && !r->can_start[(unsigned char)m->text[at]]) {
        uint32_t c;
        at += read(m->text + at, m->size - at, &c);
    }
    return at == m->size && !r->can_start[256] ? m->size + 1 : at;
}

static size_t behind_character(const matcher *m, size_t at)
{
    uint32_t c;
    return at < m->size ? at + read(m->text + at, m->size - at, &c) : at + 1;
}

void ix_regex_start(ix_regex_search *s, const ix_regex *r, const char *text, size_t size)
{
    s->regex = r;
    s->text = text;
    s->size = size;
    s->at = 0;
    s->last_end = SIZE_MAX;
    if (s->work)
        ix_memo_reset(s->work, r->planes);
}

static inox_status prepare(ix_regex_search *s, inox_error *err)
{
    if (s->size > IX_MAX_TEXT_BYTES)
        return ix_fail(err, INOX_E_LIMIT, "the text is longer than %llu bytes",
                       (unsigned long long)IX_MAX_TEXT_BYTES);
    if (s->work)
        return INOX_OK;
    IX_TRY(IX_ALLOC(&s->work, 1, err));
    ix_memo_reset(s->work, s->regex->planes);
    return INOX_OK;
}

inox_status ix_regex_next(ix_regex_search *s, size_t *start, size_t *end, bool *found,
                          inox_error *err)
{
    const ix_regex *r = s->regex;
    *found = false;
    *start = *end = 0;
    IX_TRY(prepare(s, err));
    matcher m = { .r = r, .w = s->work, .text = s->text, .size = s->size, .err = err };
    inox_status status = INOX_OK;
    m.search_start = s->at;
    if (r->uses_search && s->at <= s->size)
        ix_memo_clear_column(s->work, s->at);
    while (s->at <= s->size) {
        size_t at = candidate(&m, s->at);
        s->at = at;
        if (at > s->size)
            break;
        if (!r->looks_back)
            ix_memo_pass(s->work, at);
        IX_TRY_GOTO(status, run(&m, at, found), done);
        if (*found && m.pos == at && at == s->last_end) { /* empty, behind the match before */
            *found = false;
            s->at = m.search_start = behind_character(&m, at);
            ix_memo_clear_column(s->work, s->at);
            ix_memo_clear_column(s->work, at);
        } else if (*found) {
            *start = at;
            *end = s->at = s->last_end = m.pos;
            /* What was on the way to this match has not failed. */
            ix_memo_clear_column(s->work, m.pos);
            break;
        } else {
            s->at = behind_character(&m, at);
        }
    }
done:
    s->steps += m.steps;
    if (status != INOX_OK) {
        *found = false;
        ix_memo_reset(s->work, r->planes);
        s->at = s->size + 1;
    }
    return status;
}

void ix_regex_release(ix_regex_search *s)
{
    if (s->work)
        ix_memo_release(s->work);
    ix_free(s->work);
    *s = (ix_regex_search){ 0 };
}

/* ---- making -------------------------------------------------------------------------------- */

inox_status ix_regex_new(const char *expression, size_t size, ix_regex_syntax syntax,
                         ix_regex **out, inox_error *err)
{
    ix_arena scratch = { .limit = IX_MAX_REGEX_TABLES };
    ix_regex_parser p = {
        .data = expression, .size = size, .syntax = syntax, .arena = &scratch, .err = err
    };
    ix_node *tree;
    ix_regex *r;
    *out = NULL;
    IX_TRY(IX_ALLOC(&r, 1, err));
    r->arena.limit = IX_MAX_REGEX_TABLES;
    inox_status status = ix_regex_parse(&p, &tree);
    if (status == INOX_OK)
        status = ix_regex_compile(r, tree, &scratch, err);
    ix_arena_release(&scratch);
    if (status == INOX_OK)
        *out = r;
    else
        ix_regex_free(r);
    return status;
}

void ix_regex_free(ix_regex *r)
{
    if (!r)
        return;
    ix_arena_release(&r->arena);
    ix_free(r);
}
