/* Inside of the fast paths.  Private to src/text. */
#ifndef IX_TEXT_FAST_PARTS_H
#define IX_TEXT_FAST_PARTS_H

#include "text/bpe_search.h"
#include "text/fast.h"
#include "text/fast_pieces.h"
#include "text/model_parts.h"
#include "text/normal.h"
#include "text/pretokenize.h"
#include "text/unicode.h"
#include "text/word_table.h"

/* What an ASCII byte is to the expressions; other bytes are HIGH. */
enum { IX_ASCII_LETTER, IX_ASCII_DIGIT, IX_ASCII_OTHER, IX_ASCII_SPACE, IX_ASCII_LINE, IX_HIGH };

/* Which bytes are what, from the table of characters. */
void ix_ascii_classes(uint8_t classes[256]);

/* The expressions that have a scanner. */
typedef enum ix_scan {
    IX_SCAN_NONE,
    IX_SCAN_GPT2,
    IX_SCAN_CL100K, /* Llama 3, Qwen */
    IX_SCAN_O200K,  /* tekken */
} ix_scan;

typedef struct ix_scanner ix_scanner;

/* What a character beyond ASCII is to an expression; as a number, what a table has of it. */
typedef enum ix_high_class {
    IX_HIGH_UNKNOWN, /* the matchers have to look */
    IX_HIGH_LETTER,
    IX_HIGH_UPPER,  /* o200k: a letter with which a word may begin but not end */
    IX_HIGH_EITHER, /* o200k: one that may stand before and behind such letters */
    IX_HIGH_MARK,   /* o200k: as IX_HIGH_EITHER behind a letter, else unknown */
    IX_HIGH_OTHER,  /* [^\s\p{L}\p{N}] */
    IX_HIGH_CLASSES
} ix_high_class;

/* The bytes of a block that are of characters beyond ASCII: bits for each class, and for bytes
 * that no character begins with. */
typedef struct ix_high_bytes {
    uint64_t of[IX_HIGH_CLASSES], inside;
} ix_high_bytes;

struct ix_scanner {
    ix_scan kind;
    size_t digits;      /* of a number at most */
    bool contractions;  /* o200k: 's and the like end words; tekken has none */
    bool ends_in_space; /* all white space at the end of a text is one word, line ends too */
    bool marks;         /* are as letters (not o200k, which has a rule of its own for them) */
    uint8_t classes[256];
    uint8_t of_kinds[IX_UNICODE_KINDS]; /* ix_high_class of characters */
    uint8_t two_bytes[0x800];           /* of U+0080 to U+07FF */
};

/* high: which of p[0..64) are not ASCII; they are read up to the first that is unknown.  `before`
 * bytes before p, and 4 behind each of them, can be read. */
void ix_high_read(const ix_scanner *s, const char *p, size_t before, uint64_t high,
                  ix_high_bytes *out);

/* Words are cut some ahead of looking them up, so that memory is waited for only once for many. */
enum {
    IX_BLOCK = 64,
    IX_TAIL = IX_BLOCK + 16, /* with fewer bytes left, blocks would go beyond the text */
    IX_WORDS_AHEAD = 256,
    IX_QUEUE = IX_WORDS_AHEAD + IX_BLOCK,
    IX_QUEUE_SLACK = IX_BLOCK /* what is written at once may go beyond the last */
};

/* The words of a piece of text: word i is text[at[i]..at[i + 1]). */
typedef struct ix_word_queue {
    size_t count;
    uint32_t at[IX_QUEUE + IX_QUEUE_SLACK];
    int32_t ids[IX_QUEUE + IX_QUEUE_SLACK];     /* what the table has; of the others, anything */
    uint16_t others[IX_QUEUE + IX_QUEUE_SLACK]; /* the words that the table does not have */
    size_t other_count;
} ix_word_queue;

/* Appends the words from text[at] on, block by block, until there are enough, fewer than
 * IX_TAIL bytes are left before `end`, or a block says nothing of its first word.  Returns
 * where it stopped, which is where the last word ends. */
typedef size_t (*ix_cut_words)(const ix_scanner *s, const char *text, size_t at, size_t end,
                               ix_word_queue *q);
/* Looks up the words of a queue: their ids, and which are not there.  bytes[0..readable): of word 0
 * and those behind it; 16 can be read from the beginning of each. */
typedef void (*ix_find_words)(const ix_word_table *t, const char *bytes, size_t readable,
                              ix_word_queue *q);

/* What p[0..64) is to BERT, bit i for byte i: of a word, as letters, digits and all that is not
 * printed ASCII are, or a word by itself, as punctuation is.  The others are spaces. */
typedef void (*ix_block_words)(const char *p, uint64_t *words, uint64_t *single);

/* Bytes of ASCII that are alike, as ranges within 0x01..0x7E, and single bytes. */
enum { IX_MARK_RANGES = 8, IX_MARK_SPACES = 4 };
typedef struct ix_byte_marks {
    int ranges, spaces; /* how many */
    char low[IX_MARK_RANGES], high[IX_MARK_RANGES], space[IX_MARK_SPACES];
} ix_byte_marks;

/* Sets the ranges to the bytes of a class, as far as there is room for them. */
void ix_make_ranges(ix_byte_marks *m, const bool class[128]);

/* Which of p[0..64) are in a range, and which are one of the spaces: bit i for byte i. */
typedef void (*ix_block_marks)(const ix_byte_marks *m, const char *p, uint64_t *plain,
                               uint64_t *spaces);

/* How many bytes from p on are well-formed characters, as far as blocks can tell: 0 or more. */
typedef size_t (*ix_utf8_blocks)(const char *p, size_t size);
size_t ix_utf8_blocks_avx2(const char *p, size_t size);

/* The functions on 64 bytes at once, for an instruction set.  In fast_block_<isa>.c. */
typedef struct ix_block_set {
    const char *isa;
    ix_cut_words cut;
    ix_find_words find;
    ix_block_words words;
    ix_block_marks marks;
    ix_utf8_blocks good; /* NULL: none */
} ix_block_set;

/* Set i of those that this machine runs, the best first; NULL behind the last. */
const ix_block_set *ix_block_sets(size_t i);

#define IX_BLOCK_SET(isa)                                                                          \
    size_t ix_cut_words_##isa(const ix_scanner *s, const char *text, size_t at, size_t end,        \
                              ix_word_queue *q);                                                   \
    void ix_find_words_##isa(const ix_word_table *t, const char *bytes, size_t readable,           \
                             ix_word_queue *q);                                                    \
    void ix_block_words_##isa(const char *p, uint64_t *words, uint64_t *single);                   \
    void ix_block_marks_##isa(const ix_byte_marks *m, const char *p, uint64_t *plain,              \
                              uint64_t *spaces);
IX_BLOCK_SET(ref)
IX_BLOCK_SET(sse2)
IX_BLOCK_SET(avx2)
IX_BLOCK_SET(avx512)
IX_BLOCK_SET(avx512vbmi)
#undef IX_BLOCK_SET

/* The scanner for a pre-tokenizer of that name, and the matchers for what it leaves; false where
 * there is none. */
bool ix_scanner_find(const char *pretokenizer, ix_scanner *out, ix_pretokenizer *pre);

/* End of the word that starts at p[at], at < end; 0 where bytes beyond ASCII may have a say. */
size_t ix_scan_gpt2(const ix_scanner *s, const char *p, size_t at, size_t end);
size_t ix_scan_cl100k(const ix_scanner *s, const char *p, size_t at, size_t end);
size_t ix_scan_o200k(const ix_scanner *s, const char *p, size_t at, size_t end);

typedef struct ix_fast_bytes {
    ix_fast_parts parts;
    ix_scanner scanner;
    const ix_block_set *set;
    ix_pretokenizer pre;
    ix_word_table words;
    ix_bpe_search search;
    bool searches; /* `search` gives the pieces of a word, else merging does */
    ix_fast_pieces pieces;
    int32_t byte_ids[256];
    size_t longest[256]; /* bytes of the longest piece that begins with a byte */
    /* what from_json had to make */
    ix_text_view *bytes;
    int32_t *ids;
    char *store;
    ix_piece_table table;
} ix_fast_bytes;

typedef enum ix_fast_kind { IX_FAST_BYTES, IX_FAST_BERT, IX_FAST_UNIGRAM } ix_fast_kind;

struct ix_fast {
    ix_fast_kind kind;
    ix_fast_bytes bytes;
    const ix_model *model; /* BERT, Unigram */
    /* Unigram: bytes of ASCII that stay as they are, and those that are spaces, by themselves */
    bool plain[128], blank[128];
    ix_byte_marks marks;       /* the same */
    bool white;                /* all white space cuts, and U+2581 comes in front of each word */
    bool squeezes, each;       /* as in ix_unigram_blocks */
    bool ranges;               /* are told, too */
    bool prepends, only_first; /* a text that begins with no space gets one; or only the first */
    /* BERT */
    ix_block_words block;
    ix_bert_options bert;
    unsigned changes; /* IX_NORMAL_...: kinds of characters that the normalizer changes */
};

inox_status ix_fast_bytes_encode(const ix_fast_bytes *f, ix_model_scratch *s, const char *text,
                                 size_t start, size_t end, ix_encoding *out,
                                 inox_error *err) IX_MUST_USE;
/* Makes f->parts from a model; *qualifies false where it is none for this path. */
inox_status ix_fast_bytes_from_model(ix_fast_bytes *f, const char *pretokenizer, const ix_model *m,
                                     bool *qualifies, inox_error *err) IX_MUST_USE;
/* After f->parts is there. */
inox_status ix_fast_bytes_finish(ix_fast_bytes *f, inox_error *err) IX_MUST_USE;
void ix_fast_bytes_release(ix_fast_bytes *f);

/* Whether a part of a tokenizer.json has this "type". */
bool ix_fast_is_type(const json_t *j, const char *type);

/* *qualifies: whether the pipeline is one for Unigram's path. */
inox_status ix_fast_unigram_init(ix_fast *f, const ix_model *m, const json_t *normalizer,
                                 const json_t *pre_tokenizer, bool *qualifies,
                                 inox_error *err) IX_MUST_USE;
inox_status ix_fast_unigram_encode(const ix_fast *f, ix_model_scratch *s, const char *text,
                                   size_t start, size_t end, ix_fast_general general, void *context,
                                   ix_encoding *out, inox_error *err) IX_MUST_USE;

void ix_fast_bert_init(ix_fast *f, const ix_model *m, const json_t *normalizer);
inox_status ix_fast_bert_encode(const ix_fast *f, ix_model_scratch *s, const char *text,
                                size_t start, size_t end, ix_fast_general general, void *context,
                                ix_encoding *out, inox_error *err) IX_MUST_USE;

#endif
