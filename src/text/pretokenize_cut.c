/* Cutting text by the stages of pre-tokenizers.  See pretokenize.h. */
#include "text/pretokenize_stage.h"
#include "text/unicode.h"

void ix_pre_start(ix_pre_cursor *c, const ix_pretokenizer *pre, const char *text, size_t size)
{
    c->pre = *pre;
    c->depth = 0;
    c->pieces[0] = (ix_pre_piece){ .text = text, .end = size };
}

/* End of the next match or of the gap before it. */
static size_t cut(const ix_pre_stage *s, ix_pre_piece *p)
{
    size_t at = p->at, end = p->match_end;
    p->match_end = 0;
    if (end > at)
        return end;
    end = s->match(s, p, at);
    if (end > at)
        return end;
    do {
        uint32_t c;
        at += s->bytes ? 1 : ix_utf8_read(p->text + at, p->end - at, &c);
        end = at < p->end ? s->match(s, p, at) : at;
    } while (at < p->end && end == at);
    p->match_end = end > at ? end : 0;
    return at;
}

size_t ix_pre_end(const ix_pre_stage *s, const char *text, size_t at, size_t end)
{
    ix_pre_piece p = { .text = text, .at = at, .end = end };
    return cut(s, &p);
}

bool ix_pre_next(ix_pre_cursor *c, size_t *start, size_t *end)
{
    while (c->depth >= 0) {
        ix_pre_piece *p = &c->pieces[c->depth];
        if (p->at >= p->end) {
            c->depth--;
            continue;
        }
        size_t from = p->at;
        p->at = c->depth < c->pre.stage_count ? cut(&c->pre.stages[c->depth], p) : p->end;
        if (c->depth + 1 >= c->pre.stage_count) {
            *start = from;
            *end = p->at;
            return true;
        }
        c->depth++;
        c->pieces[c->depth] = (ix_pre_piece){ .text = p->text, .at = from, .end = p->at };
    }
    return false;
}

bool ix_pre_find(const ix_pre_stage *s, ix_pre_piece *p, size_t *start, size_t *end)
{
    uint32_t c;
    while (p->at < p->end) {
        *start = p->at;
        *end = s->match(s, p, p->at);
        if (*end > *start) {
            p->at = *end;
            return true;
        }
        p->at += ix_utf8_read(p->text + p->at, p->end - p->at, &c);
    }
    return false;
}
