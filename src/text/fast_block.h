/* Where words start among 64 bytes: the same for every instruction set.  Private to the files
 * fast_block_*.c, which say first
 *
 *     block                            what holds 64 bytes
 *     block_read(p), block_fold(x)     reading them; letters in lower case (others become anything
 *                                      but letters)
 *     block_high(x)                    which of them are not ASCII: bit i is byte i
 *     block_is(x, c)                   which are c
 *     block_in(x, low, high)           which are in low..high, ASCII both
 *     NAME(what)                       the names of what this file makes
 *
 * Numbers with a bit for each byte take the place of going from byte to byte.
 */
#ifndef IX_TEXT_FAST_BLOCK_H
#define IX_TEXT_FAST_BLOCK_H

#include "text/fast_parts.h"

/* All bits below the lowest of x (all where x is 0). */
static inline uint64_t below(uint64_t x)
{
    return (x & (0 - x)) - 1;
}

/* The runs of x of which the first bit is in `first`: the bit behind each. */
static inline uint64_t run_ends(uint64_t x, uint64_t first)
{
    return (x + first) & ~x;
}

/* Line ends, for cl100k and o200k: \s*[\r\n]+ takes all white space up to the last line end, and a
 * run of other characters takes those behind it. */
static inline uint64_t line_starts(uint64_t spaces, uint64_t lines, uint64_t others,
                                   uint64_t strange, uint64_t *stop)
{
    uint64_t white = spaces | lines, behind = spaces & lines << 1, known = below(strange);
    if (run_ends(spaces, behind) & lines) /* line end, spaces, line end: one word */
        *stop |= behind;
    /* What follows the last run has a say in it, but for its start, which is behind the last other
     * byte. */
    uint64_t run = white & known & ~(known >> 1), start = (~white & known) << 1 | 1;
    *stop |= (0 - (uint64_t)(run != 0)) & (uint64_t)2 << (63 - __builtin_clzll(start));
    return lines & ~(lines << 1) & ~(spaces << 1) & ~(others << 1);
}

/* 's 't 'm 'd: *two; 're 've 'll: *three. */
static inline void contractions(block x, bool any_case, uint64_t apostrophes, uint64_t *two,
                                uint64_t *three)
{
    block y = any_case ? block_fold(x) : x;
    uint64_t one = block_is(y, 's') | block_is(y, 't') | block_is(y, 'm') | block_is(y, 'd');
    uint64_t e = block_is(y, 'e'), l = block_is(y, 'l');
    uint64_t pair = ((block_is(y, 'r') | block_is(y, 'v')) & e >> 1) | (l & l >> 1);
    *two = apostrophes & one >> 1;
    *three = apostrophes & pair >> 1;
}

/* Characters beyond ASCII join the letters and the others; what nobody knows stays strange. */
typedef struct high_bits {
    uint64_t letters, uppers, others, known;
    uint64_t inside; /* bytes that no character begins with */
    uint64_t stop;
} high_bits;

static inline high_bits read_high(const ix_scanner *s, ix_scan kind, block x, const char *p,
                                  size_t before)
{
    const uint64_t high = block_high(x);
    high_bits h = { 0 };
    if (high == 0)
        return h;
    ix_high_bytes bytes;
    ix_high_read(s, p, before, high, &bytes);
    h.letters = bytes.of[IX_HIGH_LETTER];
    h.others = bytes.of[IX_HIGH_OTHER];
    h.inside = bytes.inside;
    if (kind == IX_SCAN_O200K) {
        uint64_t either = bytes.of[IX_HIGH_EITHER] | bytes.of[IX_HIGH_MARK];
        uint64_t ascii = block_in(block_fold(x), 'a', 'z');
        h.uppers = bytes.of[IX_HIGH_UPPER];
        h.letters |= h.uppers | either;
        /* Behind such a letter, an upper case one is told by what follows; a mark by itself is no
         * letter. */
        h.stop = (block_in(x, 'A', 'Z') | h.uppers) & either << 1;
        h.stop |= bytes.of[IX_HIGH_MARK] & ~((h.letters | ascii) << 1);
    }
    h.known = h.letters | h.others;
    return h;
}

/* Where words start in the block at p if one starts with its first byte, and what is not known:
 * *stop, *soft.  The bits of `strange` bytes are all in *stop.  `before` bytes before p are there.
 */
static inline uint64_t word_starts(const ix_scanner *s, ix_scan kind, const char *p, size_t before,
                                   uint64_t *stop, uint64_t *soft)
{
    const block x = block_read(p);
    const high_bits high = read_high(s, kind, x, p, before);
    uint64_t letters = block_in(block_fold(x), 'a', 'z'), digits = block_in(x, '0', '9');
    uint64_t spaces = block_is(x, ' '), lines = block_is(x, '\n') | block_is(x, '\r');
    uint64_t tabs = block_is(x, '\t'), apostrophes = block_is(x, '\'');
    uint64_t printed = block_in(x, ' ', '~'), known = printed | lines | high.known;
    uint64_t strange = ~(kind == IX_SCAN_GPT2 ? known | tabs : known);
    uint64_t others = (printed & ~(letters | digits | spaces)) | high.others;
    uint64_t behind_space = spaces << 1;
    uint64_t others_start = others & ~(others << 1) & ~behind_space;
    letters |= high.letters;
    uint64_t letters_start = letters & ~(letters << 1) & ~behind_space;
    *stop = strange | high.stop | (uint64_t)1 << 63; /* nothing is known behind bit 63 */
    *soft = 0;
    uint64_t starts = 1 | others_start, two = 0, three = 0;
    if (kind == IX_SCAN_GPT2) {
        /* Of a run of white space, the last character belongs to what follows if it is a space. */
        uint64_t white = spaces | lines | tabs;
        starts |= (white & ~(white << 1)) | (white & ~((white | strange) >> 1));
        starts |= digits & ~(digits << 1) & ~behind_space;
        apostrophes &= others_start;
    } else {
        starts |= (spaces & ~behind_space) | (spaces & ~((spaces | lines | strange) >> 1));
        starts |= line_starts(spaces, lines, others, strange, stop);
        starts |= s->digits == 1 ? digits : digits & ~(digits << 1);
        if (s->digits > 1)
            *stop |= digits & digits >> 1 & digits >> 2 & digits >> 3;
        /* One other character, with no space before it, goes with the letters behind it. */
        uint64_t second = others & others << 1 & ~high.inside; /* characters of a run */
        letters_start &= ~run_ends(others, others_start) | run_ends(others, second);
        apostrophes &= kind == IX_SCAN_CL100K ? others_start : letters << 1;
    }
    if (kind == IX_SCAN_O200K) {
        uint64_t uppers = block_in(x, 'A', 'Z') | high.uppers;
        letters_start |= uppers & (letters & ~uppers) << 1;
        *stop |= block_is(x, '/') & lines << 1; /* [\r\n/]* */
        apostrophes = s->contractions ? apostrophes : 0;
    }
    if (apostrophes) {
        contractions(x, kind != IX_SCAN_GPT2, apostrophes, &two, &three);
        uint64_t end = two << 2 | three << 3;
        uint64_t unknown = apostrophes & ((uint64_t)3 << 62 | strange >> 1); /* U+017F is an s */
        starts |= end;
        letters_start &= ~((two | three) << 1 | three << 2);
        if (kind == IX_SCAN_O200K) { /* the end of the word before */
            starts &= ~(two | three);
            *stop |= unknown | (apostrophes & end);
        } else {
            *soft = unknown; /* the word before has ended */
        }
    }
    return starts | letters_start;
}

static inline uint64_t scan_block(const ix_scanner *s, ix_scan kind, const char *p)
{
    uint64_t stop, soft, starts = word_starts(s, kind, p, 0, &stop, &soft);
    return starts & below(stop) & (below(soft) | (soft & (0 - soft)));
}

/* Whether a byte starts a word is told by five bytes before it (a character of four, and what is
 * before that) and three behind it, except for the first of a text and where *stop says otherwise.
 * So the starts of p[0..56) need not wait for those before; false: something is not known.
 * AROUND bytes before p are there, of which the first may be within a character. */
enum { BEFORE = 5, BEHIND = 3, WINDOW = IX_BLOCK - BEFORE - BEHIND, AROUND = BEFORE + 3 };
static inline bool scan_window(const ix_scanner *s, ix_scan kind, const char *p, uint64_t *starts)
{
    const uint64_t inner = (((uint64_t)1 << WINDOW) - 1) << BEFORE;
    uint64_t stop, soft, all = word_starts(s, kind, p - BEFORE, AROUND - BEFORE, &stop, &soft);
    *starts = (all & inner) >> BEFORE;
    return ((stop | soft) & (inner | (inner - 1))) == 0;
}

void NAME(ix_block_words)(const char *p, uint64_t *words, uint64_t *single)
{
    block x = block_read(p);
    uint64_t letters = block_in(block_fold(x), 'a', 'z'), digits = block_in(x, '0', '9');
    uint64_t spaces = block_is(x, ' ');
    *single = block_in(x, ' ', '~') & ~(letters | digits | spaces);
    *words = ~(*single | spaces);
}

void NAME(ix_block_marks)(const ix_byte_marks *m, const char *p, uint64_t *plain, uint64_t *spaces)
{
    block x = block_read(p);
    *plain = *spaces = 0;
    for (int i = 0; i < m->ranges; i++)
        *plain |= block_in(x, m->low[i], m->high[i]);
    for (int i = 0; i < m->spaces; i++)
        *spaces |= block_is(x, m->space[i]);
}

#endif
