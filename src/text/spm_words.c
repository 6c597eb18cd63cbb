/* SentencePiece's Unigram from the source text on, word by word.
 *
 *     source   ... of a line.  The next na\u00EFve word is here ...
 *               [  ][ ][     ][   ][    ][ a part    ][   ][  ]
 *
 * Words of ASCII that normalizing leaves alone are looked up as they stand there.  The others are
 * normalized part by part: a part ends where such words come again.
 */
#include "text/spm.h"

#include "text/fast_parts.h"
#include "text/unigram_words.h"

bool ix_spm_has_words(const ix_spm_normalizer *z, const ix_model *m)
{
    return ix_spm_marks(z, false) && ix_model_kind_of(m) == IX_MODEL_UNIGRAM &&
           m->unigram.words.cut != IX_CUT_NOWHERE;
}

enum { BLOCK = 64, AHEAD = IX_UNIGRAM_QUEUE - BLOCK / 2 };

typedef struct scan {
    ix_unigram_run run;
    ix_unigram_queue queue;
    const ix_byte_marks *marks;
    ix_block_marks block;
    bool squeezes;
} scan;

/* All bits below the lowest of x (all where x is 0). */
static inline uint64_t below(uint64_t x)
{
    return (x & (0 - x)) - 1;
}

/* text[at] is the first space behind a word.  Asks for the words of the 64 bytes there that end in
 * them, and returns where the last of these ends: a space again. */
static inline size_t ask_block(scan *s, const char *text, size_t at)
{
    uint64_t plain, spaces;
    s->block(s->marks, text + at, &plain, &spaces);
    uint64_t known = below(~(plain | spaces));
    uint64_t ends = spaces & plain << 1 & known >> 1; /* of what is behind, ASCII is known */
    if (!s->squeezes)
        ends &= below(spaces & spaces << 1);
    uint64_t starts = spaces & plain >> 1;
    size_t first = at;
    for (; ends != 0; ends &= ends - 1, starts &= starts - 1) {
        size_t end = at + (size_t)__builtin_ctzll(ends);
        ix_unigram_ask(&s->run, &s->queue, first, at + (size_t)__builtin_ctzll(starts), end, true,
                       true);
        first = end;
    }
    return first;
}

static inox_status fast_words(scan *s, ix_spm_cursor *c)
{
    size_t before = c->size;
    s->queue.text = c->text;
    s->queue.origins = NULL;
    while (c->size - c->at >= IX_SPM_LOOKAHEAD && c->at != before) {
        before = c->at;
        c->at = ask_block(s, c->text, c->at);
        if (s->queue.count > AHEAD)
            IX_TRY(ix_unigram_answer(&s->run, &s->queue));
    }
    return ix_unigram_answer(&s->run, &s->queue);
}

inox_status ix_spm_encode_words(const ix_spm_normalizer *z, const ix_model *m, ix_model_scratch *s,
                                ix_spm_text *text, const ix_encode_text *in, size_t start,
                                size_t end, ix_encoding *out, inox_error *err)
{
    bool fast = m->unigram.words.cut == IX_CUT_BEFORE_SPACE;
    ix_spm_cursor c;
    bool only_text = !(out->want & IX_WANT_OFFSETS);
    scan x = { .marks = ix_spm_marks(z, only_text), .squeezes = ix_spm_squeezes(z) };
    x.block = ix_block_sets(0)->marks;
    x.run = (ix_unigram_run){ .m = m, .s = s, .base = start, .out = out, .err = err };
    x.run.word = in->word < 0 ? 0 : in->word;
    IX_TRY(ix_unigram_begin(&x.run, end - start));
    IX_TRY(ix_spm_normalize_begin(z, in->text + start, end - start, &c, text, err));
    c.only_text = only_text;
    while (c.at < c.size) {
        IX_TRY(ix_spm_normalize_part(z, &c, fast, text, err));
        x.queue.text = text->data;
        x.queue.origins = text->origins;
        IX_TRY(ix_unigram_add_text(&x.run, &x.queue, text->size));
        text->size = 0;
        if (fast)
            IX_TRY(fast_words(&x, &c));
    }
    return INOX_OK;
}
