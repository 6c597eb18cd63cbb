/* What encoding takes and gives: texts, pairs and words in; ids, offsets and masks out.
 *
 *     text (and pair) -> tokens -> truncation (and windows of what it cut) -> special tokens around
 *     -> padding
 *
 * The names are those of Hugging Face's tokenizers, whose tokenizer.json defines these steps; the
 * other families take part with what their formats have.
 */
#ifndef IX_TEXT_ENCODING_H
#define IX_TEXT_ENCODING_H

#include "base/status.h"
#include "text/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes [start, end) of a text. */
typedef struct ix_range {
    size_t start, end;
} ix_range;

/* One sequence: a text, or words that are split already (then offsets count from the beginning of
 * each word, and word ids number the words). */
typedef struct ix_sequence {
    ix_text_view text;
    const ix_text_view *words; /* used instead of `text` where is_split */
    size_t word_count;
    bool is_split;
    /* Ranges of `text`, ascending and apart, that hold somebody else's words: no special token is
     * found that has a byte in one of them.  Tokens that are not special are found as anywhere. */
    const ix_range *plain;
    size_t plain_count;
} ix_sequence;

typedef struct ix_encode_input {
    ix_sequence first, second;
    bool is_pair; /* `second` is given */
} ix_encode_input;

typedef enum ix_truncate_strategy {
    IX_TRUNCATE_LONGEST_FIRST = 0,
    IX_TRUNCATE_ONLY_FIRST = 1,
    IX_TRUNCATE_ONLY_SECOND = 2
} ix_truncate_strategy;

typedef struct ix_truncation {
    size_t max_length; /* tokens, special ones included */
    size_t stride;     /* tokens that neighbouring windows share */
    ix_truncate_strategy strategy;
    bool left; /* cut at the beginning */
} ix_truncation;

typedef struct ix_padding {
    size_t fixed;       /* tokens; 0: as many as the longest of the batch has */
    bool is_fixed;      /* `fixed` counts (it may be 0) */
    size_t multiple_of; /* rounded up to it; 0: not */
    bool left;          /* pad at the beginning */
    int32_t id;
    uint32_t type_id;
} ix_padding;

/* The arrays of an encoding that are wanted besides ids. */
enum {
    IX_WANT_OFFSETS = 1,
    IX_WANT_TYPES = 2,
    IX_WANT_MASKS = 4, /* special_mask and attention_mask */
    IX_WANT_WORDS = 8,
    IX_WANT_SEQUENCES = 16,
    IX_WANT_OVERFLOW = 32, /* windows that truncation cut */
    IX_WANT_ALL = 63,
    IX_WANT_SPACES = 64, /* inside only: what the post-processor needs to trim offsets */
};

typedef struct ix_encode_options {
    bool special;                    /* add what the post-processor adds: BOS, EOS, [CLS], ... */
    bool parse_special;              /* spellings of special tokens in a text become these tokens */
    unsigned want;                   /* IX_WANT_... */
    const ix_truncation *truncation; /* NULL: none */
    const ix_padding *padding;       /* NULL: none */
    uint64_t memory_max; /* bytes that one encoding may take while it is made; 0: no limit */
    int threads;         /* of a batch; 0: all processors */
} ix_encode_options;
#define IX_ENCODE_OPTIONS_INIT                                                                     \
    {                                                                                              \
        .want = IX_WANT_ALL, .threads = 1                                                          \
    }

/* Start from zeros.  Arrays that were not wanted are NULL. */
typedef struct ix_encoding ix_encoding;
struct ix_encoding {
    size_t count;
    int32_t *ids;
    uint32_t *starts, *ends; /* bytes of the token's text or word; special tokens: empty ranges */
    uint32_t *type_ids;
    uint8_t *special_mask;   /* 1: put there by the post-processor or by padding */
    uint8_t *attention_mask; /* 0: padding */
    int32_t *words;          /* number of the word in its sequence, or -1 */
    int32_t *sequences;      /* 0, 1, or -1 for tokens of no sequence */
    /* White characters at the beginning and end of a token of a text; inside only. */
    uint32_t *lead, *trail;
    ix_encoding *overflow; /* further windows, which have none of their own */
    size_t overflow_count;
    size_t capacity; /* of the arrays */
    unsigned want;   /* IX_WANT_... */
};

void ix_encoding_release(ix_encoding *e);
/* Room for `more` tokens behind those that are there. */
inox_status ix_encoding_reserve(ix_encoding *e, size_t more, inox_error *err) IX_MUST_USE;
/* Room for `more` tokens at least, and then for twice as many as there are: for adding again and
 * again. */
inox_status ix_encoding_grow(ix_encoding *e, size_t more, inox_error *err) IX_MUST_USE;
/* Appends tokens [from, to) of another one that has the same arrays. */
inox_status ix_encoding_append(ix_encoding *e, const ix_encoding *other, size_t from, size_t to,
                               inox_error *err) IX_MUST_USE;
/* Appends the same token n times, one of no text: padding (attention 0) or a special token. */
inox_status ix_encoding_fill(ix_encoding *e, size_t n, int32_t id, uint32_t type_id,
                             uint8_t attention, inox_error *err) IX_MUST_USE;
/* Takes n tokens out, from `at` on. */
void ix_encoding_remove(ix_encoding *e, size_t at, size_t n);
/* Sets the arrays that families leave alone, of all tokens. */
void ix_encoding_set_text(ix_encoding *e, int32_t sequence);
/* Frees the arrays that are not wanted. */
void ix_encoding_keep(ix_encoding *e, unsigned want);

static inline IX_MUST_USE inox_status ix_encoding_room(ix_encoding *e, size_t more, inox_error *err)
{
    return e->capacity - e->count < more ? ix_encoding_grow(e, more, err) : INOX_OK;
}

/* Appends a token of a text: what families call.  The post-processor sees to the other arrays. */
static inline IX_MUST_USE inox_status ix_encoding_add(ix_encoding *e, int32_t id, size_t start,
                                                      size_t end, int32_t word, inox_error *err)
{
    if (e->count == e->capacity)
        IX_TRY(ix_encoding_grow(e, 1, err));
    size_t i = e->count++;
    e->ids[i] = id;
    if (e->starts) {
        e->starts[i] = (uint32_t)start;
        e->ends[i] = (uint32_t)end;
    }
    if (e->words)
        e->words[i] = word;
    if (e->lead)
        e->lead[i] = e->trail[i] = 0;
    return INOX_OK;
}

#endif
