/* What the commands of the program share: options, errors, output.
 *
 * A command is a row in COMMANDS (main.c) and one function in cmd_<name>.c.  Its options are a
 * table, from which parsing and --help come.  Commands see the library through <inox.h> only.
 */
#ifndef INOX_CLI_H
#define INOX_CLI_H

#include <inox.h>
#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes, documented in the man page: below 128, and 130 for Ctrl-C. */
enum {
    EXIT_FINE = 0,
    EXIT_DIFFERENT = 1, /* a replay or a check did not agree */
    EXIT_USAGE = 2,     /* wrong options or arguments */
    EXIT_MEMORY = 3,
    EXIT_IO = 4,
    EXIT_NOT_FOUND = 5,
    EXIT_FORMAT = 6, /* a malformed file */
    EXIT_UNSUPPORTED = 7,
    EXIT_LIMIT = 8,
    EXIT_CONTEXT = 9, /* the context is full */
    EXIT_NAN = 10,
    EXIT_ISA = 11,
    EXIT_INTERNAL = 12,
    EXIT_INTERRUPTED = 130
};

typedef enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_TEXTS,
    OPTION_INT,
    OPTION_FLOAT,
    OPTION_U64,
    OPTION_CACHE
} option_kind;

typedef struct option_texts { /* OPTION_TEXTS: may be given several times */
    const char **items;
    size_t count;
} option_texts;

typedef struct option {
    const char *name; /* without the dashes */
    char letter;      /* or 0 */
    option_kind kind;
    void *out; /* bool, const char *, option_texts, int64_t, double, uint64_t, inox_cache_type */
    const char *value; /* what help calls the value, "N" */
    const char *help;
    bool *given; /* set when the option is there; may be NULL */
} option;

typedef struct command {
    const char *name, *usage, *help; /* usage: behind "inox "; help: one line */
    int (*run)(const struct command *c, int argc, char **argv);
} command;

/* options.c.  Options may stand before and behind positional arguments; "--" ends them;
 * "--name=value" works.  Returns the number of positional arguments, which are moved to argv[0..];
 * -1: usage error, told; -2: help was asked for and given.  `options` ends with a name of NULL. */
int parse_options(const command *c, const option *options, const char *notes, int argc,
                  char **argv);
/* Frees what OPTION_TEXTS collected. */
void free_texts(option_texts *t);
int usage_error(const command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The exit code that goes with what parse_options returned below 0. */
int parse_exit(int parsed);

/* ---- state shared by all commands: options that every one has that opens a model */
typedef struct common {
    bool json, quiet, verbose, pin, interleave;
    int64_t threads, memory; /* megabytes */
    const char *isa;
} common;
#define JSON_OPTION(c)                                                                             \
    {                                                                                              \
        "json", 0, OPTION_FLAG, &(c).json, NULL, "print JSON", NULL                                \
    }
#define COMMON_OPTIONS(c)                                                                          \
    { "threads", 't', OPTION_INT, &(c).threads, "N", "worker threads (default: all processors)",   \
      NULL },                                                                                      \
        { "pin", 0, OPTION_FLAG, &(c).pin, NULL, "a processor of its own for each thread", NULL }, \
        { "interleave", 0, OPTION_FLAG, &(c).interleave, NULL,                                     \
          "spread weights over the memory nodes", NULL },                                          \
        { "memory", 0, OPTION_INT, &(c).memory, "MB",                                              \
          "for packed weights (default: what is free); above it they are used from the file",      \
          NULL },                                                                                  \
        { "isa",    0,   OPTION_TEXT,                                                              \
          &(c).isa, "X", "instruction set, ref, avx2, ... (default: INOX_ISA, else the best)",     \
          NULL },                                                                                  \
        JSON_OPTION(c),                                                                            \
        { "quiet", 'q', OPTION_FLAG, &(c).quiet, NULL, "no progress and no notes", NULL },         \
    {                                                                                              \
        "verbose", 'v', OPTION_FLAG, &(c).verbose, NULL, "say more", NULL                          \
    }

#define CACHE_OPTION(type)                                                                         \
    {                                                                                              \
        "cache", 0, OPTION_CACHE, &(type), "f16|f32",                                              \
            "type of the key-value cache (f32 beside float weights, else f16)", NULL               \
    }

/* Of a session that writes, for run and chat. */
/* clang-format off: it has no way to set out rows of a table in a macro */
#define SESSION_OPTIONS(o)                                                                         \
    { "ctx", 'c', OPTION_INT, &(o).context, "N",                                                   \
      "positions of context (default: the model's, at most 4096)", NULL },                         \
    CACHE_OPTION((o).cache),                                                                       \
    { "chunk", 0, OPTION_INT, &(o).chunk, "N", "prompt tokens computed together (512)", NULL },    \
    { "draft", 0, OPTION_TEXT, &(o).draft, "MODEL",                                                \
      "a smaller model of the same vocabulary guesses ahead: same text, sooner", NULL },           \
    { "lookup", 0, OPTION_INT, &(o).lookup, "N",                                                   \
      "guess what followed the last N tokens before (0: off): same text, sooner", NULL },          \
    { "draft-tokens", 0, OPTION_INT, &(o).draft_tokens, "N", "guesses at once, at most (8)", NULL }
/* clang-format on */

/* ---- the limits of a template, for template and chat: members of an inox_template_options */
/* clang-format off */
#define TEMPLATE_LIMITS(o)                                                                         \
    { "steps-max", 0, OPTION_U64, &(o).steps_max, "N",                                             \
      "the work of a rendering of the template, at most (20 million steps)", NULL },               \
    { "memory-max", 0, OPTION_U64, &(o).memory_max, "BYTES",                                       \
      "the memory of a rendering, at most (256 MiB)", NULL },                                      \
    { "output-max", 0, OPTION_U64, &(o).output_max, "BYTES",                                       \
      "the text of a rendering, at most (64 MiB)", NULL }
/* clang-format on */

/* ---- sampling.c: how tokens are chosen, for run and chat */
typedef struct sampling_options {
    double temperature, top_p, min_p, typical, repetition, presence, frequency;
    int64_t top_k, penalty_window;
    uint64_t seed;
    bool seed_given;
    option_texts biases;
    int32_t *bias_ids; /* of take_sampling */
    float *bias_values;
} sampling_options;
#define SAMPLING_INIT                                                                              \
    {                                                                                              \
        .temperature = 0.8, .top_k = 40, .top_p = 0.95, .min_p = 0.05, .typical = 1.0,             \
        .repetition = 1.0, .penalty_window = 64                                                    \
    }
#define SAMPLING_OPTIONS(s)                                                                        \
        { "temp", 0, OPTION_FLOAT, &(s).temperature, "T",                                          \
          "temperature (0.8); 0: always the likeliest token", NULL },                              \
        { "top-k", 0, OPTION_INT, &(s).top_k, "N", "choose among the N likeliest (40; 0: all)",    \
          NULL },                                                                                  \
        { "top-p", 0, OPTION_FLOAT, &(s).top_p, "P",                                               \
          "choose among the likeliest that make up P (0.95; 1: all)", NULL },                      \
        { "min-p", 0, OPTION_FLOAT, &(s).min_p, "P",                                               \
          "drop what is below P times the likeliest (0.05; 0: none)", NULL },                      \
        { "typical", 0, OPTION_FLOAT, &(s).typical, "P",                                           \
          "locally typical sampling (1: off)", NULL },                                             \
        { "repeat-penalty", 0, OPTION_FLOAT, &(s).repetition, "X",                                 \
          "divide the logits of recent tokens (1: off)", NULL },                                   \
        { "presence-penalty", 0, OPTION_FLOAT, &(s).presence, "X",                                 \
          "subtract from recent tokens (0: off)", NULL },                                          \
        { "frequency-penalty", 0, OPTION_FLOAT, &(s).frequency, "X",                               \
          "subtract per occurrence (0: off)", NULL },                                              \
        { "penalty-window", 0, OPTION_INT, &(s).penalty_window, "N",                               \
          "recent tokens (64; 0: none; -1: all)", NULL },                                          \
        { "logit-bias", 0, OPTION_TEXTS, &(s).biases, "ID=X",                                      \
          "add X to a token's logit; -inf bans it (repeatable)", NULL },                           \
        { "seed", 's', OPTION_U64, &(s).seed, "S",                                                 \
          "seed of the random numbers (default: drawn, and recorded)", &(s).seed_given }
/* Checks what was given, draws a seed where none was, and fills *out, which views `s`.  0, or an
 * exit code. */
int take_sampling(const command *c, const common *shared, sampling_options *s, inox_sampling *out);
void free_sampling(sampling_options *s);

/* Tells an error ("inox: ..." on standard error; with json also an object on standard output) and
 * returns its exit code. */
int fail(const common *c, const inox_error *err);
int fail_text(const common *c, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Tells that a file could not be used, by errno. */
int fail_file(const common *c, const char *path);

/* Opens a model with a progress bar where a person sees it. */
inox_status open_model(const common *c, const char *path, bool vocabulary_only, int32_t max_batch,
                       inox_model **out, inox_error *err);

/* A draft guesses behind the same tokens as its target, so its context is as long.  Its cache
 * changes no result. */
inox_status open_draft(const common *c, const char *path, int64_t context, int64_t chunk,
                       inox_model **model, inox_session **session, inox_error *err);

/* Tokens per second.  The first token comes with the prompt: the others are what decoding took its
 * time for. */
double decode_speed(const inox_result_info *r);

/* ---- terminal.c */
bool is_terminal(FILE *f);
bool input_is_terminal(void);
/* Ctrl-C: the first sets a flag, the second ends the program. */
void catch_interrupt(void);
bool interrupted(void);
/* From here on the first Ctrl-C ends the program: for commands that cannot look at the flag. */
void interrupt_at_once(void);
/* From here on Ctrl-C only sets the flag, however often: the command asks and clears it. */
void interrupt_never_ends(void);
void clear_interrupt(void);
/* Makes sure that descriptors 0 to 2 are taken; call it first. */
void keep_standard_files(void);
/* Something has this path, readable or not; does not open it (a pipe would wait). */
bool path_exists(const char *path);
/* Draws "what  [=====     ]  50 %" on standard error, at most ten times a second; fraction 1 wipes
 * it away. */
void draw_progress(const char *what, double fraction);
/* The same where nobody knows how much is to come: "what  12 MB". */
void draw_amount(const char *what, uint64_t bytes);

/* ---- files and JSON */
/* Whole file, or standard input for "-".  NUL behind it; free with free(). */
int read_file(const common *c, const char *path, char **data, size_t *size);
/* One line of standard input without its newline, in *line, which grows (free it).  0: there is
 * one; -1: the end of the input; else an exit code, which was told. */
int read_line(const common *c, char **line, size_t *size, size_t *room);
/* JSON array of token ids from a file. */
int read_ids(const common *c, const char *path, int32_t **ids, size_t *count);
/* One line of compact JSON on standard output; takes the object. */
int print_json(const common *c, json_t *object);
/* Text that may not be UTF-8 as a JSON string: each maximal ill-formed part becomes one U+FFFD. */
json_t *json_text(const char *s, size_t n);
/* Text from elsewhere, so that it cannot command a terminal: control characters and bytes that are
 * no UTF-8 are spelt out. */
void print_visible(FILE *f, const char *text, size_t bytes);
/* Nonzero where what was written to standard output did not arrive (a full disk). */
int finish_output(const common *c, int exit_code);

/* ---- profile.c: what inox_profile_end gives (docs/PERFORMANCE.md) */
/* By operator over all layers, with shares of the machine's limits; the caller owns it. */
json_t *profile_by_layers(const char *profile);
/* The same as a table. */
void print_profile(const char *what, const json_t *profile);

int cmd_run(const command *c, int argc, char **argv);
int cmd_chat(const command *c, int argc, char **argv);
int cmd_replay(const command *c, int argc, char **argv);
int cmd_logits(const command *c, int argc, char **argv);
int cmd_inspect(const command *c, int argc, char **argv);
int cmd_tokenize(const command *c, int argc, char **argv);
int cmd_template(const command *c, int argc, char **argv);
int cmd_perplexity(const command *c, int argc, char **argv);
int cmd_bench(const command *c, int argc, char **argv);
int cmd_list(const command *c, int argc, char **argv);

#endif
