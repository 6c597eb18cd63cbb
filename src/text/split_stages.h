/* The stages of pre-tokenizers.  Private to split.c and split_stages.c. */
#ifndef IX_TEXT_SPLIT_STAGES_H
#define IX_TEXT_SPLIT_STAGES_H

#include "text/split.h"

typedef enum ix_split_kind {
    IX_SPLIT_BERT,
    IX_SPLIT_BYTE_LEVEL,
    IX_SPLIT_DELIMITER,
    IX_SPLIT_METASPACE,
    IX_SPLIT_WHITESPACE,
    IX_SPLIT_WHITESPACE_SPLIT,
    IX_SPLIT_PUNCTUATION,
    IX_SPLIT_DIGITS,
    IX_SPLIT_PATTERN,
    IX_SPLIT_SCRIPTS,
    IX_SPLIT_FIXED_LENGTH,
    IX_SPLIT_SEQUENCE,
} ix_split_kind;

/* What becomes of a match (the-final--countdown, cut by -):
 *
 *     Removed             the|final|countdown
 *     Isolated            the|-|final|-|-|countdown
 *     MergedWithPrevious  the-|final-|-|countdown
 *     MergedWithNext      the|-final|-|-countdown
 *     Contiguous          the|-|final|--|countdown
 */
typedef enum ix_split_behavior {
    IX_REMOVED,
    IX_ISOLATED,
    IX_MERGED_WITH_PREVIOUS,
    IX_MERGED_WITH_NEXT,
    IX_CONTIGUOUS,
} ix_split_behavior;

enum { IX_PREPEND_ALWAYS, IX_PREPEND_FIRST, IX_PREPEND_NEVER };

typedef struct ix_split_stage {
    ix_split_kind kind;
    ix_split_behavior behavior; /* PUNCTUATION, DIGITS, PATTERN */
    bool invert;                /* PATTERN: matches and what is between them change places */
    bool prefix;                /* BYTE_LEVEL: a space in front of each piece */
    bool split;                 /* METASPACE */
    int prepend;                /* METASPACE */
    uint32_t character;         /* METASPACE, DELIMITER */
    size_t length;              /* FIXED_LENGTH */
    ix_pattern *pattern;        /* PATTERN; BYTE_LEVEL: or NULL */
} ix_split_stage;

/* raw: BYTE_LEVEL does not write in its alphabet. */
inox_status ix_split_stage_run(const ix_split_stage *stage, ix_split *s, bool raw,
                               inox_error *err) IX_MUST_USE;

#endif
