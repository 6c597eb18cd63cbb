/* SentencePiece's Unigram from the source text on, word by word.
 *
 *     source   ... of a line.  The next na\u00EFve word is here ...
 *               [  ][ ][     ][   ][    ][ a part    ][   ][  ]
 *
 * Words of ASCII that normalizing leaves alone are looked up as they stand there.  The others are
 * normalized part by part: a part ends where such words come again.
 */
#include "text/spm.h"

#include "text/unigram_words.h"

bool ix_spm_has_words(const ix_spm_normalizer *z, const ix_model *m)
{
    return ix_spm_marks(z, false) && ix_model_kind_of(m) == IX_MODEL_UNIGRAM &&
           m->unigram.words.cut != IX_CUT_NOWHERE;
}

inox_status ix_spm_encode_words(const ix_spm_normalizer *z, const ix_model *m, ix_model_scratch *s,
                                ix_spm_text *text, const ix_encode_text *in, size_t start,
                                size_t end, ix_encoding *out, inox_error *err)
{
    bool suffix = m->unigram.words.cut == IX_CUT_BEHIND_SPACE;
    bool only_text = !(out->want & IX_WANT_OFFSETS);
    ix_unigram_blocks blocks = { .marks = ix_spm_marks(z, only_text),
                                 .block = ix_block_sets(0)->marks,
                                 .squeezes = ix_spm_squeezes(z),
                                 .suffix = suffix };
    ix_unigram_run run = { .m = m, .s = s, .base = start, .out = out, .err = err };
    ix_unigram_queue queue;
    ix_spm_cursor c;
    run.word = in->word < 0 ? 0 : in->word;
    IX_TRY(ix_unigram_begin(&run, end - start));
    IX_TRY(ix_spm_normalize_begin(z, in->text + start, end - start, &c, text, err));
    c.only_text = only_text;
    c.behind = suffix;
    while (c.at < c.size) {
        IX_TRY(ix_spm_normalize_part(z, &c, true, text, err));
        queue.count = 0;
        queue.text = text->data;
        queue.origins = text->origins;
        IX_TRY(ix_unigram_add_text(&run, &queue, text->size));
        text->size = 0;
        IX_TRY(ix_unigram_add_source(&run, &queue, &blocks, c.text, &c.at, c.size));
    }
    return INOX_OK;
}
