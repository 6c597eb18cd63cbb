/* What the parts of `inox tokenize` share: the tokenizer that was asked for, and output.
 *
 * cmd_tokenize.c is for people (files, decoding), tokenize_print.c shows them what comes of it, and
 * tokenize_lines.c answers programs (--jsonl).
 */
#ifndef INOX_CLI_TOKENIZE_H
#define INOX_CLI_TOKENIZE_H

#include "cli.h"

typedef struct tokenize_options {
    common common;
    const char *text, *file, *decode, *pattern;
    bool jsonl, special, parse_special, no_parse_special, offsets, count, as_shipped;
} tokenize_options;

/* A tokenizer, and the model that it came out of where that was named and not a file. */
typedef struct vocabulary {
    inox_tokenizer *tokenizer;
    inox_model *model;
    bool has_masks; /* tokenizer.json: answers tell which tokens are special */
} vocabulary;

/* What the options say about encoding. */
inox_encode_options encode_options(const tokenize_options *o);

/* Answers each line of standard input by one line of JSON; an exit code. */
int answer_lines(const vocabulary *v, const tokenize_options *o);

/* ---- tokenize_print.c */

typedef enum print_mode {
    PRINT_IDS,
    PRINT_PIECES,
    PRINT_OFFSETS,
    PRINT_COUNT,
    PRINT_JSON
} print_mode;

/* What is known of one text while it is printed.  `held` are the bytes of the stream from
 * `held_base` on: those that tokens to come stand for. */
typedef struct printer {
    const inox_tokenizer *tokenizer;
    print_mode mode;
    uint64_t tokens, bytes;
    char *held;
    size_t held_size, held_room;
    uint64_t held_base, shown; /* shown: end of the bytes that pieces have shown */
    int32_t *ids;              /* JSON: all; pieces: the first */
    uint64_t *ranges;          /* JSON: start and end of each */
    size_t kept, room;
} printer;

printer new_printer(const tokenize_options *o, const vocabulary *v);
void release_printer(printer *p);
/* Text that the next tokens stand for, where the mode shows it.  False: no memory. */
bool hold(printer *p, const char *text, size_t bytes);
/* Tokens that became certain.  False: no memory. */
bool print_tokens(printer *p, const inox_stream_tokens *t);
/* The end of a text; name: of its file, where there are several. */
void print_end(const tokenize_options *o, const printer *p, const char *name);

/* ---- numbers on standard output, faster than printf: there may be a hundred million of them */
void put_number(int64_t n);
void put_numbers(const int32_t *numbers, size_t count); /* with commas between them */
/* "[[0,3],[3,5]]" without the outer brackets; `base` is added to each. */
void put_ranges(const uint32_t *starts, const uint32_t *ends, size_t count);

#endif
