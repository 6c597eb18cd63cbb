/* Byte-level BPE by ranks: the family behind tiktoken's files and Mistral's tekken.  Private to
 * src/text.
 *
 *     text -> special tokens (where asked for) -> expression -> words -> BPE on bytes
 *
 * A vocabulary is a list of byte strings.  The place of a string in it is its rank: of all
 * neighbours that together are a string of the list, those of the lowest rank are joined first.
 */
#ifndef IX_TEXT_RANKS_H
#define IX_TEXT_RANKS_H

#include "text/tokenizer.h"

typedef struct ix_rank_special {
    ix_text_view spelling;
    int32_t id;
} ix_rank_special;

/* What the files say.  Everything is copied. */
typedef struct ix_rank_source {
    const char *format;         /* its name, a literal */
    const ix_text_view *pieces; /* by rank; {NULL, 0} where a rank is not given */
    size_t count;
    int32_t first_id; /* the id of rank 0 */
    ix_text_view pattern;
    const ix_rank_special *specials;
    size_t special_count;
    int32_t bos, eos, unknown, padding; /* or -1 */
    bool adds; /* BOS and EOS go around a text where special tokens are asked for */
    /* Special tokens end a character that is not whole (tekken); else bytes go on behind them. */
    bool specials_part;
} ix_rank_source;

inox_status ix_tokenizer_from_ranks(const ix_rank_source *source, ix_tokenizer **out,
                                    inox_error *err) IX_MUST_USE;

#endif
