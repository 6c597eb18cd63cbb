/* Compiled expressions, between compile.c and match.c.
 *
 * A program is a graph of instructions.  Each knows the instruction behind it, so alternatives that
 * end alike share what follows; MATCH ends the expression and ACCEPT the body of a look or of an
 * atomic group, which is a program inside the program.
 *
 * What keeps matching linear are the slots.  An instruction with a slot is never run twice at one
 * position unless it was part of a match.  Every instruction that can be reached at one position in
 * more than a bounded number of ways has one:
 *
 *   - an instruction with several predecessors, unless all that follows it is a bounded number of
 *     instructions without a choice (`simple`);
 *   - a STAR, whose walk back through its run marks every place from which nothing was found; a
 *     STAR that begins inside a run stops where an earlier one gave up;
 *   - what follows a SPAN or an atomic group, for which many beginnings end in one place.
 *
 * Instructions of bodies have a second bit per position for "succeeded", and in atomic groups a
 * table of where it ended, because a body that succeeds consumes nothing or ends where it always
 * does, and would be run again and again otherwise.
 */
#ifndef IX_TEXT_REGEX_PROGRAM_H
#define IX_TEXT_REGEX_PROGRAM_H

#include "text/regex/parse.h"

typedef enum ix_op {
    IX_OP_MATCH,
    IX_OP_ACCEPT,
    IX_OP_BYTES,      /* bytes[arg .. arg + count) */
    IX_OP_BYTES_BACK, /* the same, before the position */
    IX_OP_CLASS,      /* a character of class arg */
    IX_OP_CLASS_BACK,
    IX_OP_SPLIT,   /* next, or else other */
    IX_OP_STAR,    /* any number of characters of class arg */
    IX_OP_SPAN,    /* count to most characters of class arg */
    IX_OP_ASSERT,  /* ix_assertion `count`, class arg */
    IX_OP_SEE,     /* the next character is of class arg */
    IX_OP_SEE_NOT, /* it is not, or there is none */
    IX_OP_SAW,     /* the character before */
    IX_OP_SAW_NOT,
    IX_OP_LOOK, /* the body at other accepts */
    IX_OP_LOOK_NOT,
    IX_OP_ATOMIC, /* to where the body at other accepts; arg: behind an empty body */
} ix_op;

typedef enum ix_region { IX_IN_MAIN, IX_IN_LOOK, IX_IN_ATOMIC } ix_region;

#define IX_NO_SLOT 0xFFFFFFFFu

typedef struct ix_inst {
    uint8_t op;     /* ix_op */
    uint8_t region; /* ix_region */
    bool backwards; /* in a look behind */
    bool lazy;
    bool possessive; /* a STAR or SPAN of which only the longest can go on */
    bool sure;       /* whatever comes: from here the end is reached */
    bool simple;     /* no choice from here to where it is sure */
    uint32_t next, other, arg;
    uint32_t count, most;
    uint32_t slot;  /* plane of the "failed" bits; bodies: + 1 is "succeeded" */
    uint32_t split; /* row of `splits`, or IX_NO_SLOT */
} ix_inst;

/* A set of characters for matching. */
typedef struct ix_class {
    uint8_t ascii[128];
    const uint32_t *bounds; /* as in set.h */
    size_t count;
    const uint16_t *index; /* by c >> 8, or NULL: search the bounds */
    const uint8_t (*blocks)[32];
    bool bad; /* holds a byte that begins no character */
} ix_class;

/* Which options of a SPLIT can go on, by the next byte (256: none): 1 next, 2 other. */
typedef uint8_t ix_split_row[257];

struct ix_regex {
    ix_arena arena;
    ix_inst *code;
    uint32_t count, start, planes;
    ix_class *classes;
    uint32_t class_count;
    char *bytes;
    uint32_t split_count;
    ix_split_row *splits;
    bool can_start[257];  /* by the first byte (256: none) */
    uint32_t starts[257]; /* where to start then: splits that the byte decides are behind */
    int only_byte;        /* that can start a match, or -1 */
    bool looks_back;      /* further than one character: what is remembered is never let go */
    bool uses_search;     /* \G */
};

static inline bool ix_class_has(const ix_class *k, uint32_t c)
{
    if (c < 0x80)
        return k->ascii[c];
    if (c > 0x10FFFF)
        return k->bad;
    if (k->index)
        return k->blocks[k->index[c >> 8]][(c & 255) >> 3] >> (c & 7) & 1;
    size_t i = 0;
    while (i < k->count && k->bounds[i] <= c)
        i++;
    return i & 1;
}

/* Compiles the tree into r, whose arena is ready. */
inox_status ix_regex_compile(ix_regex *r, ix_node *tree, ix_arena *scratch,
                             inox_error *err) IX_MUST_USE;
/* compile.c: what analyse.c works out about a finished program: sure, simple, possessive, first
 * bytes, slots. */
inox_status ix_regex_analyse(ix_regex *r, inox_error *err) IX_MUST_USE;

#endif
