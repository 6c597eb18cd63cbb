/* The pre-tokenizers of the models that GGUF files name.  See pretokenize.h.
 *
 * Patterns are quoted as the original releases have them; \s, \p{L} and so on are properties of
 * text/unicode.h.  (?i:'s) also matches U+017F, which folds to s.
 */
#include "text/pretokenize_stage.h"
#include "text/unicode.h"

#include <string.h>

/* The choices of the expressions that look like GPT-2's or Llama 3's, in the order in which their
 * alternatives are tried: contraction, word, number, other characters, line ends, spaces. */
struct ix_pre_words {
    enum { NO_CONTRACTION, CONTRACTION, CONTRACTION_ANY_CASE } contraction;
    enum {
        SPACE_BEFORE,     /*  ?                      */
        OTHER_BEFORE,     /* [^\r\n\p{L}\p{N}]?       */
        NO_SYMBOL_BEFORE, /* [^\r\n\p{L}\p{P}\p{S}]?  */
    } before;
    enum {
        LETTERS,           /* \p{L}+ */
        LETTERS_MARKS,     /* [\p{L}\p{M}]+ */
        CASED,             /* [Lu Lt Lm Lo M]*[Ll Lm Lo M]+ | [Lu Lt Lm Lo M]+[Ll Lm Lo M]* */
        CASED_CONTRACTION, /* each with (?i:'s|'t|'re|'ve|'m|'ll|'d)? behind */
        CASED_NOT_HAN,     /* the same without characters of Han, which are words of their own */
        PHRASE,            /* (?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+ */
    } word;
    size_t digits;             /* \p{N}{1,digits}; 0: none */
    unsigned other, not_other; /* properties of the characters of " ?[...]+"; other 0: any */
    enum { NOTHING_BEHIND, LINES_BEHIND, LINES_SLASHES_BEHIND, LINE_SLASH_BEHIND } behind;
    enum {
        SPACES,        /* \s+(?!\S)|\s+ */
        LINES_SPACES,  /* \s*[\r\n]+|\s+(?!\S)|\s+ */
        LINE_SPACES,   /* [\r\n]|\s+(?!\S)|\s+ */
        END_SPACES,    /* \s+\z|\s*[\r\n]|\s+(?!\S)|\s */
        LINES_CASCADE, /* \s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|...|\s{1,2}(?!\S)|\s{1} */
    } spaces;
    bool ascii_symbol_first; /* [!-/:-@[-`{-~][A-Za-z]+ before all others */
};
typedef struct ix_pre_words words;

enum { MANY = 0x7FFFFFFF };
#define NONE 0xFFFFFFFEu /* the character behind the end of the piece */

#define INLINE static inline __attribute__((always_inline))

/* Character at `at`, its properties and bytes. */
INLINE unsigned look(const ix_pre_piece *p, size_t at, uint32_t *c, size_t *n)
{
    if (at >= p->end) {
        *c = NONE;
        *n = 0;
        return 0;
    }
    *n = ix_utf8_read(p->text + at, p->end - at, c);
    return ix_unicode_properties(*c);
}

static bool is_line_end(uint32_t c)
{
    return c == '\r' || c == '\n';
}

/* Bytes of the contraction at `at`, or 0. */
static size_t contraction(const ix_pre_piece *p, size_t at, bool any_case)
{
    if (p->end - at < 2 || p->text[at] != '\'')
        return 0;
    char a = p->text[at + 1], b = p->end - at > 2 ? p->text[at + 2] : 0;
    if (any_case) {
        if (a == '\xC5' && b == '\xBF') /* U+017F */
            return 3;
        a = a >= 'A' && a <= 'Z' ? (char)(a + 32) : a;
        b = b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
    }
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* End of the run of characters with a property of `any` and none of `none` (any 0: all have it). */
INLINE size_t run_of(const ix_pre_piece *p, size_t at, unsigned any, unsigned none)
{
    uint32_t c;
    size_t n;
    for (;; at += n) {
        unsigned is = look(p, at, &c, &n);
        if (n == 0 || (is & none) || (any && !(is & any)))
            return at;
    }
}

/* [U]*[W]+ (lower) or [U]+[W]*, where U has no lower and W no upper case; other letters and marks
 * are in both.  The first gives back characters of its U run until W can match: to its last
 * common one. */
INLINE size_t cased_word(const ix_pre_piece *p, size_t at, unsigned none, bool lower)
{
    enum { BOTH = IX_OTHER_LETTER | IX_MARK };
    uint32_t c;
    size_t n, end = at, last_common = at;
    for (;; end += n) {
        unsigned is = look(p, end, &c, &n);
        if (n == 0 || !(is & (IX_UPPER | BOTH)) || (is & none))
            break;
        if (is & BOTH)
            last_common = end + n;
    }
    if (!lower && end == at)
        return at;
    size_t lower_end = run_of(p, end, IX_LOWER | BOTH, none);
    return lower && lower_end == end ? last_common : lower_end;
}

static size_t phrase(const ix_pre_piece *p, size_t at)
{
    size_t end = run_of(p, at, IX_LETTER, 0);
    if (end == at)
        return at;
    for (;;) { /* a letter came last: marks, letters and single spaces before letters go on */
        end = run_of(p, end, IX_LETTER | IX_MARK, 0);
        if (end >= p->end || p->text[end] != ' ')
            return end;
        size_t next = run_of(p, end + 1, IX_LETTER, 0);
        if (next == end + 1)
            return end;
        end = next;
    }
}

INLINE size_t word_at(const ix_pre_piece *p, const words *w, size_t at, bool lower)
{
    switch (w->word) {
    case LETTERS: return run_of(p, at, IX_LETTER, 0);
    case LETTERS_MARKS: return run_of(p, at, IX_LETTER | IX_MARK, 0);
    case PHRASE: return phrase(p, at);
    case CASED: return cased_word(p, at, 0, lower);
    case CASED_CONTRACTION:
    case CASED_NOT_HAN: break;
    }
    size_t end = cased_word(p, at, w->word == CASED_NOT_HAN ? IX_HAN : 0, lower);
    return end > at ? end + contraction(p, end, true) : at;
}

/* A word with what may stand before it.  Cased words have two alternatives, each of which tries to
 * take the character before and then to do without. */
INLINE size_t word(const ix_pre_piece *p, const words *w, size_t at)
{
    uint32_t c;
    size_t n;
    unsigned is = look(p, at, &c, &n);
    bool before = c == ' ';
    if (w->before == OTHER_BEFORE)
        before = !is_line_end(c) && !(is & (IX_LETTER | IX_NUMBER));
    else if (w->before == NO_SYMBOL_BEFORE)
        before = !is_line_end(c) && !(is & (IX_LETTER | IX_PUNCTUATION | IX_SYMBOL));
    bool cased = w->word == CASED || w->word == CASED_CONTRACTION || w->word == CASED_NOT_HAN;
    for (int lower = cased; lower >= 0; lower--) {
        size_t end = before ? word_at(p, w, at + n, lower) : 0;
        if (before && end > at + n)
            return end;
        end = word_at(p, w, at, lower);
        if (end > at)
            return end;
    }
    return at;
}

/* " ?[...]+" and what belongs behind it. */
INLINE size_t others(const ix_pre_piece *p, const words *w, size_t at)
{
    size_t from = p->text[at] == ' ' ? at + 1 : at;
    size_t end = run_of(p, from, w->other, w->not_other);
    if (end == from)
        return at;
    if (w->behind == NOTHING_BEHIND)
        return end;
    while (end < p->end && (is_line_end((unsigned char)p->text[end]) ||
                            (p->text[end] == '/' && w->behind != LINES_BEHIND))) {
        end++;
        if (w->behind == LINE_SLASH_BEHIND)
            break;
    }
    return end;
}

/* \s{512}(?!\S)|...|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1} in a run without line ends of which p->run_left
 * characters are left. */
static size_t cascade(ix_pre_piece *p, size_t at)
{
    bool last = p->run_end == p->end;
    size_t left = p->run_left, take = 512, n;
    uint32_t c;
    while (take > 1 && !(left > take || (left == take && last)))
        take /= 2;
    for (size_t i = 0; i < take; i++) {
        (void)look(p, at, &c, &n);
        at += n;
    }
    p->run_left -= take;
    return at;
}

INLINE size_t spaces(ix_pre_piece *p, const words *w, size_t at)
{
    if (w->spaces == LINE_SPACES && is_line_end((unsigned char)p->text[at]))
        return at + 1;
    if (w->spaces == LINES_CASCADE && p->run_plain && at < p->run_end)
        return cascade(p, at);
    uint32_t c;
    size_t n, count = 0, end = at, before_last = at, lines_end = at;
    while (look(p, end, &c, &n) & IX_SPACE) {
        before_last = end;
        end += n;
        count++;
        if (is_line_end(c))
            lines_end = end;
    }
    if (w->spaces == END_SPACES && end == p->end)
        return end;
    if (lines_end > at && w->spaces != SPACES && w->spaces != LINE_SPACES)
        return lines_end;
    if (w->spaces == LINES_CASCADE && count > 0) {
        p->run_plain = true;
        p->run_end = end;
        p->run_left = count;
        return cascade(p, at);
    }
    return end == p->end || count < 2 ? end : before_last;
}

static bool is_ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

INLINE size_t words_end(const words *w, ix_pre_piece *p, size_t at)
{
    uint32_t c;
    size_t n, end;
    unsigned is = look(p, at, &c, &n);
    if (w->ascii_symbol_first && c < 0x80 && (is & IX_OLD_PUNCTUATION)) {
        for (end = at + 1; end < p->end && is_ascii_letter(p->text[end]);)
            end++;
        if (end > at + 1)
            return end;
    }
    if (c == '\'' && w->contraction != NO_CONTRACTION) {
        n = contraction(p, at, w->contraction == CONTRACTION_ANY_CASE);
        if (n > 0)
            return at + n;
    }
    if (w->word == CASED_NOT_HAN && (is & IX_HAN))
        return run_of(p, at, IX_HAN, 0);
    if ((end = word(p, w, at)) > at)
        return end;
    size_t from = w->before == SPACE_BEFORE && c == ' ' ? at + 1 : at;
    end = from;
    for (size_t i = 0; i < w->digits && (look(p, end, &c, &n) & IX_NUMBER); i++)
        end += n;
    if (end > from)
        return end;
    if ((end = others(p, w, at)) > at)
        return end;
    return spaces(p, w, at);
}

static size_t match_words(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    return words_end(s->words, p, at);
}

/* [in]{1,max} */
static size_t match_run(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    uint32_t c;
    size_t n;
    for (size_t i = 0; s->max == 0 || i < s->max; i++) {
        unsigned is = look(p, at, &c, &n);
        if (n == 0 || !s->in(c, is))
            break;
        at += n;
    }
    return at;
}

/* \s?[in]+ (a space only where max is 1) */
static size_t match_spaced_run(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    uint32_t c;
    size_t n;
    ix_pre_stage run = { .in = s->in };
    unsigned is = look(p, at, &c, &n);
    if (s->max == 1 ? c == ' ' : (is & IX_SPACE) != 0) {
        size_t end = match_run(&run, p, at + n);
        if (end > at + n)
            return end;
    }
    return match_run(&run, p, at);
}

/* \s+$, where $ is also the place before a line feed */
static size_t match_end_spaces(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    (void)s;
    if (at < p->run_end) /* in a run that was looked at and does not end so */
        return at;
    uint32_t c;
    size_t n, end = at, before_feed = at;
    while (look(p, end, &c, &n) & IX_SPACE) {
        if (c == '\n')
            before_feed = end;
        end += n;
    }
    if (end == p->end)
        return end;
    p->run_end = before_feed > at ? 0 : end;
    return before_feed;
}

/* [0-9]{3} */
static size_t match_three_digits(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    (void)s;
    if (p->end - at < 3)
        return at;
    for (size_t i = at; i < at + 3; i++)
        if (p->text[i] < '0' || p->text[i] > '9')
            return at;
    return at + 3;
}

/* Runs of bytes whose letters in GPT-2's alphabet are numeric, as a Digits stage behind a ByteLevel
 * stage sees them: 0-9 and the bytes that are written as the Latin-1 characters 2 3 1 (raised) and
 * 1/4 1/2 3/4.  It cuts inside characters. */
static size_t match_byte_digits(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    (void)s;
    for (; at < p->end; at++) {
        unsigned char b = (unsigned char)p->text[at];
        bool numeric = (b >= '0' && b <= '9') || b == 0xB2 || b == 0xB3 || b == 0xB9 ||
                       (b >= 0xBC && b <= 0xBE);
        if (!numeric)
            break;
    }
    return at;
}

/* Learns the run of [in]+ at `at`. */
static void enter_run(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    p->run_left = 0;
    for (p->run_end = at;;) {
        uint32_t c;
        size_t n;
        unsigned is = look(p, p->run_end, &c, &n);
        if (n == 0 || !s->in(c, is))
            return;
        p->run_end += n;
        p->run_left++;
    }
}

/* Groups of three, counted from the end of the run.  With max 1 (\d{1,3}(?=(?:\d{3})*\b)) only
 * where no word character follows the run. */
static size_t match_grouped(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    uint32_t c;
    size_t n;
    if (at >= p->run_end) {
        enter_run(s, p, at);
        if (s->max == 1 && (look(p, p->run_end, &c, &n) & IX_WORD))
            p->run_left = 0;
    }
    if (at >= p->run_end || p->run_left == 0)
        return at;
    size_t take = p->run_left % 3 ? p->run_left % 3 : 3;
    p->run_left -= take;
    for (size_t i = 0; i < take; i++) {
        (void)look(p, at, &c, &n);
        at += n;
    }
    return at;
}

/* (?=(\d{3})+(?!\d)) cuts where it matches, which is nowhere behind the last three digits. */
static size_t match_cuts(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    uint32_t c;
    size_t n, end = at;
    while (end < p->end) {
        unsigned is = look(p, end, &c, &n);
        if (!s->in(c, is)) {
            end += n;
            continue;
        }
        if (end >= p->run_end)
            enter_run(s, p, end);
        if (p->run_left % 3 == 0 && end > at)
            return end;
        end += n;
        p->run_left--;
    }
    return end;
}

/* <sentinel:[0-9]+> */
static size_t match_sentinel(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    (void)s;
    static const char start[] = "<sentinel:";
    size_t end = at + sizeof start - 1;
    if (p->end - at < sizeof start || memcmp(p->text + at, start, sizeof start - 1) != 0)
        return at;
    size_t digits = end;
    while (end < p->end && p->text[end] >= '0' && p->text[end] <= '9')
        end++;
    if (end > digits && end < p->end && p->text[end] == '>')
        return end + 1;
    return at;
}

/* (IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z */
static size_t match_image(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    (void)s;
    if (p->end - at < 8 || memcmp(p->text + at, "IMGIMG", 6) != 0)
        return at;
    size_t end = at + 6;
    while (end < p->end && end < at + 10 && p->text[end] >= 'A' && p->text[end] <= 'I')
        end++;
    return end > at + 6 && end < p->end && p->text[end] == 'Z' ? end + 1 : at;
}

/* [\t\n]|    |  (four spaces, two spaces) */
static size_t match_indent(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    (void)s;
    size_t left = p->end - at;
    if (p->text[at] == '\t' || p->text[at] == '\n')
        return at + 1;
    if (left >= 4 && memcmp(p->text + at, "    ", 4) == 0)
        return at + 4;
    return left >= 2 && memcmp(p->text + at, "  ", 2) == 0 ? at + 2 : at;
}

/* ---- sets of characters -------------------------------------------------------------------- */

static bool in_numbers(uint32_t c, unsigned is)
{
    (void)c;
    return (is & IX_NUMBER) != 0;
}
static bool in_numeric(uint32_t c, unsigned is)
{
    (void)c;
    return (is & IX_NUMERIC) != 0;
}
static bool in_digits(uint32_t c, unsigned is)
{
    (void)c;
    return (is & IX_DIGIT) != 0;
}
static bool in_letters(uint32_t c, unsigned is)
{
    (void)c;
    return (is & IX_LETTER) != 0;
}
static bool in_punctuation(uint32_t c, unsigned is)
{
    (void)c;
    return (is & IX_PUNCTUATION) != 0;
}
static bool in_old_punctuation(uint32_t c, unsigned is)
{
    (void)c;
    return (is & IX_OLD_PUNCTUATION) != 0;
}
static bool in_line_ends(uint32_t c, unsigned is)
{
    (void)is;
    return is_line_end(c);
}
static bool in_no_spaces(uint32_t c, unsigned is)
{
    (void)c;
    return !(is & IX_SPACE);
}

/* [\p{P}\$\+<=>\^~\|] */
static bool in_default_symbols(uint32_t c, unsigned is)
{
    return (is & IX_PUNCTUATION) || (c < 0x80 && c > 0 && strchr("$+<=>^~|", (int)c));
}

/* [\p{P}!-/:-@\[-`{-~] */
static bool in_all_punctuation(uint32_t c, unsigned is)
{
    return (is & IX_PUNCTUATION) || (c < 0x80 && (is & IX_OLD_PUNCTUATION));
}

static bool in_ranges(uint32_t c, const uint32_t (*ranges)[2], size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle][1])
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && c >= ranges[low][0];
}
#define IN_RANGES(c, ranges) in_ranges((c), (ranges), sizeof(ranges) / sizeof *(ranges))

/* [一-龥ࠀ-一가-퟿] */
static bool in_deepseek_asian(uint32_t c, unsigned is)
{
    (void)is;
    static const uint32_t ranges[][2] = { { 0x0800, 0x9FA5 }, { 0xAC00, 0xD7FF } };
    return IN_RANGES(c, ranges);
}

/* [一-龥぀-ゟ゠-ヿ] */
static bool in_han_kana(uint32_t c, unsigned is)
{
    (void)is;
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x4E00 && c <= 0x9FA5);
}

/* [!-/:-~！-／：-～‘-‟　-。] */
static bool in_deepseek_symbols(uint32_t c, unsigned is)
{
    (void)is;
    static const uint32_t ranges[][2] = { { 0x21, 0x2F },     { 0x3A, 0x7E },
                                          { 0x2018, 0x201F }, { 0x3000, 0x3002 },
                                          { 0xFF01, 0xFF0F }, { 0xFF1A, 0xFF5E } };
    return IN_RANGES(c, ranges);
}

/* The cased letters as DeepSeek's expression lists them. */
static bool in_deepseek_letters(uint32_t c, unsigned is)
{
    (void)is;
    static const uint32_t ranges[][2] = {
        { 'A', 'Z' },         { 'a', 'z' },         { 0xB5, 0xB5 },       { 0xC0, 0xD6 },
        { 0xD8, 0xF6 },       { 0xF8, 0x1BA },      { 0x1BC, 0x1BF },     { 0x1C4, 0x293 },
        { 0x295, 0x2AF },     { 0x370, 0x373 },     { 0x376, 0x377 },     { 0x37B, 0x37D },
        { 0x37F, 0x37F },     { 0x386, 0x386 },     { 0x388, 0x38A },     { 0x38C, 0x38C },
        { 0x38E, 0x3A1 },     { 0x3A3, 0x3F5 },     { 0x3F7, 0x481 },     { 0x48A, 0x52F },
        { 0x531, 0x556 },     { 0x10A0, 0x10C5 },   { 0x13A0, 0x13F5 },   { 0x13F8, 0x13FD },
        { 0x1C90, 0x1CBA },   { 0x1CBD, 0x1CBF },   { 0x1D00, 0x1D2B },   { 0x1D6B, 0x1D77 },
        { 0x1D79, 0x1D9A },   { 0x1E00, 0x1F15 },   { 0x1F18, 0x1F1D },   { 0x1F20, 0x1F45 },
        { 0x1F48, 0x1F4D },   { 0x1F50, 0x1F57 },   { 0x1F59, 0x1F59 },   { 0x1F5B, 0x1F5B },
        { 0x1F5D, 0x1F5D },   { 0x1F5F, 0x1F7D },   { 0x1F80, 0x1FB4 },   { 0x1FB6, 0x1FBC },
        { 0x1FBE, 0x1FBE },   { 0x1FC2, 0x1FC4 },   { 0x1FC6, 0x1FCC },   { 0x1FD0, 0x1FD3 },
        { 0x1FD6, 0x1FDB },   { 0x1FE0, 0x1FEC },   { 0x1FF2, 0x1FF4 },   { 0x1FF6, 0x1FFC },
        { 0x2102, 0x2102 },   { 0x2107, 0x2107 },   { 0x210A, 0x2113 },   { 0x2115, 0x2115 },
        { 0x2119, 0x211D },   { 0x2124, 0x2124 },   { 0x2126, 0x2126 },   { 0x2128, 0x2128 },
        { 0x212A, 0x212D },   { 0x212F, 0x2134 },   { 0x2139, 0x2139 },   { 0x213C, 0x213F },
        { 0x2145, 0x2149 },   { 0x214E, 0x214E },   { 0x2183, 0x2184 },   { 0x2C00, 0x2C7B },
        { 0x2C7E, 0x2CE4 },   { 0x2CEB, 0x2CEE },   { 0x2CF2, 0x2CF3 },   { 0xA640, 0xA66D },
        { 0xA680, 0xA69B },   { 0xA722, 0xA76F },   { 0xA771, 0xA787 },   { 0xA78B, 0xA78E },
        { 0xAB70, 0xABBF },   { 0xFB00, 0xFB06 },   { 0xFB13, 0xFB17 },   { 0xFF21, 0xFF3A },
        { 0xFF41, 0xFF5A },   { 0x10400, 0x1044F }, { 0x104B0, 0x104D3 }, { 0x104D8, 0x104FB },
        { 0x10C80, 0x10CB2 }, { 0x10CC0, 0x10CF2 }, { 0x118A0, 0x118DF }, { 0x1E900, 0x1E943 },
    };
    return IN_RANGES(c, ranges);
}

/* [^(\s|.,!?…。，、।۔،)] */
static bool in_bloom_words(uint32_t c, unsigned is)
{
    switch (c) {
    case '(':
    case ')':
    case '|':
    case '.':
    case ',':
    case '!':
    case '?':
    case 0x2026:
    case 0x3002:
    case 0xFF0C:
    case 0x3001:
    case 0x0964:
    case 0x06D4:
    case 0x060C:
    case NONE: return false;
    default: return !(is & IX_SPACE);
    }
}

/* [一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ] */
static bool in_afmoe_asian(uint32_t c, unsigned is)
{
    (void)is;
    static const uint32_t ranges[][2] = {
        { 0x0E40, 0x0EFF }, { 0x1000, 0x109F }, { 0x1100, 0x11FF },
        { 0x1780, 0x17FF }, { 0x2F00, 0x2FDF }, { 0x3040, 0x30FF },
        { 0x3400, 0x4DBF }, { 0x4E00, 0xFAFF }, { 0xFF65, 0xFF9F },
    };
    return IN_RANGES(c, ranges);
}

/* [가-힣ㄱ-ㆎ]+ | [！…“”‘’—：；，、-〿︰-﹏]+ | [ㄅ-ㄯ]+ | [一-龥぀-ゟ゠-ヿ]+ */
static bool in_hangul(uint32_t c, unsigned is)
{
    (void)is;
    return (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x3131 && c <= 0x318E);
}
static bool in_asian_symbols(uint32_t c, unsigned is)
{
    (void)is;
    switch (c) {
    case 0xFF01:
    case 0x2026:
    case 0x201C:
    case 0x201D:
    case 0x2018:
    case 0x2019:
    case 0x2014:
    case 0xFF1A:
    case 0xFF1B:
    case 0xFF0C: return true;
    default: return (c >= 0x3001 && c <= 0x303F) || (c >= 0xFE30 && c <= 0xFE4F);
    }
}
static bool in_bopomofo(uint32_t c, unsigned is)
{
    (void)is;
    return c >= 0x3105 && c <= 0x312F;
}
static size_t match_youtu(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    (void)s;
    static const ix_pre_stage sets[] = { { .in = in_hangul },
                                         { .in = in_asian_symbols },
                                         { .in = in_bopomofo },
                                         { .in = in_han_kana } };
    size_t end = at;
    for (size_t i = 0; i < 4 && end == at; i++)
        end = match_run(&sets[i], p, at);
    return end;
}

/* [^\n]+|[\n]+ */
static size_t match_lines(const ix_pre_stage *s, ix_pre_piece *p, size_t at)
{
    (void)s;
    bool feeds = p->text[at] == '\n';
    while (at < p->end && (p->text[at] == '\n') == feeds)
        at++;
    return at;
}

/* ---- the names ----------------------------------------------------------------------------- */

#define NOT_OTHER (IX_SPACE | IX_LETTER | IX_NUMBER)

static const words gpt2_words = { .contraction = CONTRACTION,
                                  .digits = MANY,
                                  .not_other = NOT_OTHER };
static const words llama3_words = { .contraction = CONTRACTION_ANY_CASE,
                                    .before = OTHER_BEFORE,
                                    .digits = 3,
                                    .not_other = NOT_OTHER,
                                    .behind = LINES_BEHIND,
                                    .spaces = LINES_SPACES };
static const words cl100k_words = { .contraction = CONTRACTION_ANY_CASE,
                                    .before = OTHER_BEFORE,
                                    .digits = 3,
                                    .not_other = NOT_OTHER,
                                    .behind = LINES_BEHIND,
                                    .spaces = END_SPACES };
static const words jais2_words = { .contraction = CONTRACTION_ANY_CASE,
                                   .before = OTHER_BEFORE,
                                   .digits = 3,
                                   .not_other = NOT_OTHER,
                                   .behind = LINES_BEHIND,
                                   .spaces = LINES_CASCADE };
static const words qwen2_words = { .contraction = CONTRACTION_ANY_CASE,
                                   .before = OTHER_BEFORE,
                                   .digits = 1,
                                   .not_other = NOT_OTHER,
                                   .behind = LINES_BEHIND,
                                   .spaces = LINES_SPACES };
static const words qwen35_words = { .contraction = CONTRACTION_ANY_CASE,
                                    .before = OTHER_BEFORE,
                                    .word = LETTERS_MARKS,
                                    .digits = 1,
                                    .not_other = NOT_OTHER | IX_MARK,
                                    .behind = LINES_BEHIND,
                                    .spaces = LINES_SPACES };
static const words minicpm_words = { .contraction = CONTRACTION_ANY_CASE,
                                     .before = OTHER_BEFORE,
                                     .digits = MANY,
                                     .not_other = NOT_OTHER,
                                     .behind = LINES_BEHIND,
                                     .spaces = LINES_SPACES };
static const words turkish_words = { .before = OTHER_BEFORE,
                                     .digits = 1,
                                     .not_other = NOT_OTHER,
                                     .behind = LINES_BEHIND,
                                     .spaces = LINES_SPACES };
static const words seed_words = { .contraction = CONTRACTION_ANY_CASE,
                                  .before = OTHER_BEFORE,
                                  .digits = 1,
                                  .not_other = NOT_OTHER,
                                  .spaces = LINES_SPACES };
static const words exaone_words = { .contraction = CONTRACTION_ANY_CASE,
                                    .before = OTHER_BEFORE,
                                    .word = PHRASE,
                                    .digits = 1,
                                    .not_other = NOT_OTHER,
                                    .behind = LINE_SLASH_BEHIND,
                                    .spaces = LINES_SPACES };
static const words tekken_words = { .before = OTHER_BEFORE,
                                    .word = CASED,
                                    .digits = 1,
                                    .not_other = NOT_OTHER,
                                    .behind = LINES_SLASHES_BEHIND,
                                    .spaces = LINES_SPACES };
static const words gpt4o_words = { .before = OTHER_BEFORE,
                                   .word = CASED_CONTRACTION,
                                   .digits = 3,
                                   .not_other = NOT_OTHER,
                                   .behind = LINES_SLASHES_BEHIND,
                                   .spaces = LINES_SPACES };
static const words youtu_words = { .before = OTHER_BEFORE,
                                   .word = CASED_CONTRACTION,
                                   .digits = 1,
                                   .not_other = NOT_OTHER,
                                   .behind = LINES_SLASHES_BEHIND,
                                   .spaces = LINES_SPACES };
static const words kimi_words = { .before = OTHER_BEFORE,
                                  .word = CASED_NOT_HAN,
                                  .digits = 3,
                                  .not_other = NOT_OTHER,
                                  .behind = LINES_BEHIND,
                                  .spaces = LINES_SPACES };
static const words deepseek3_words = { .before = NO_SYMBOL_BEFORE,
                                       .word = LETTERS_MARKS,
                                       .other = IX_PUNCTUATION | IX_SYMBOL,
                                       .behind = LINES_BEHIND,
                                       .spaces = LINES_SPACES,
                                       .ascii_symbol_first = true };
static const words spark_words = { .before = NO_SYMBOL_BEFORE,
                                   .word = LETTERS_MARKS,
                                   .other = IX_PUNCTUATION | IX_SYMBOL,
                                   .spaces = LINE_SPACES,
                                   .ascii_symbol_first = true };

/* The most usual ones, compiled for themselves. */
#define MATCH(w)                                                                                   \
    static size_t match_##w(const ix_pre_stage *s, ix_pre_piece *p, size_t at)                     \
    {                                                                                              \
        (void)s;                                                                                   \
        return words_end(&(w), p, at);                                                             \
    }
MATCH(gpt2_words)
MATCH(llama3_words)
MATCH(cl100k_words)
MATCH(qwen2_words)
MATCH(qwen35_words)
MATCH(tekken_words)
MATCH(gpt4o_words)
#undef MATCH

#define OWN(w)                                                                                     \
    {                                                                                              \
        .match = match_##w                                                                         \
    }
#define WORDS(w)                                                                                   \
    {                                                                                              \
        .match = match_words, .words = &(w)                                                        \
    }
#define RUN(set, most)                                                                             \
    {                                                                                              \
        .match = match_run, .in = (set), .max = (most)                                             \
    }
#define SPACED(set, only_space)                                                                    \
    {                                                                                              \
        .match = match_spaced_run, .in = (set), .max = (only_space)                                \
    }

static const ix_pre_stage gpt2[] = { OWN(gpt2_words) };
static const ix_pre_stage llama3[] = { OWN(llama3_words) };
static const ix_pre_stage cl100k[] = { OWN(cl100k_words) };
static const ix_pre_stage jais2[] = { WORDS(jais2_words) };
static const ix_pre_stage qwen2[] = { OWN(qwen2_words) };
static const ix_pre_stage qwen35[] = { OWN(qwen35_words) };
static const ix_pre_stage minicpm5[] = { RUN(in_numbers, 3), WORDS(minicpm_words) };
static const ix_pre_stage ufakzeka[] = { WORDS(turkish_words) };
static const ix_pre_stage seed_coder[] = { WORDS(seed_words) };
static const ix_pre_stage exaone_moe[] = { WORDS(exaone_words) };
static const ix_pre_stage tekken[] = { OWN(tekken_words) };
static const ix_pre_stage gpt4o[] = { OWN(gpt4o_words) };
static const ix_pre_stage kimi_k2[] = { WORDS(kimi_words) };
static const ix_pre_stage laguna[] = { { .match = match_lines }, OWN(qwen2_words) };
static const ix_pre_stage tiny_aya[] = { { .match = match_grouped, .in = in_digits, .max = 1 },
                                         OWN(gpt4o_words) };
static const ix_pre_stage youtu[] = { { .match = match_youtu }, WORDS(youtu_words) };
static const ix_pre_stage afmoe[] = { { .match = match_grouped, .in = in_numbers },
                                      RUN(in_afmoe_asian, 0),
                                      WORDS(deepseek3_words) };
static const ix_pre_stage superbpe[] = { RUN(in_numbers, 0),
                                         { .match = match_cuts, .in = in_digits } };
static const ix_pre_stage digits_gpt2[] = { RUN(in_numeric, 1), OWN(gpt2_words) };
static const ix_pre_stage bloom[] = { SPACED(in_bloom_words, 1) };
static const ix_pre_stage viking[] = { SPACED(in_bloom_words, 1), RUN(in_numeric, 1) };
static const ix_pre_stage falcon[] = { RUN(in_old_punctuation, 0),
                                       OWN(gpt2_words),
                                       { .match = match_byte_digits, .bytes = true },
                                       { .match = match_three_digits } };
static const ix_pre_stage default_stages[] = {
    RUN(in_default_symbols, 0), OWN(gpt2_words), RUN(in_numbers, 0), { .match = match_three_digits }
};
static const ix_pre_stage deepseek_coder[] = { RUN(in_line_ends, 1), SPACED(in_letters, 0),
                                               SPACED(in_punctuation, 0), RUN(in_deepseek_asian, 0),
                                               RUN(in_numeric, 1) };
static const ix_pre_stage deepseek_llm[] = {
    RUN(in_line_ends, 1),          SPACED(in_deepseek_letters, 0), SPACED(in_deepseek_symbols, 0),
    { .match = match_end_spaces }, RUN(in_deepseek_asian, 0),      RUN(in_numeric, 1)
};
static const ix_pre_stage deepseek3[] = { RUN(in_numbers, 3), RUN(in_han_kana, 0),
                                          WORDS(deepseek3_words) };
static const ix_pre_stage spark[] = { RUN(in_numbers, 3), RUN(in_han_kana, 0), WORDS(spark_words),
                                      RUN(in_numbers, 1) };
static const ix_pre_stage chameleon[] = { { .match = match_sentinel }, { .match = match_image },
                                          { .match = match_indent },   RUN(in_numeric, 1),
                                          RUN(in_all_punctuation, 1),  OWN(gpt2_words) };
static const ix_pre_stage not_spaces[] = { RUN(in_no_spaces, 0) };

static const struct name {
    const char *name;
    const ix_pre_stage *stages;
    int count;
    unsigned flags;
} names[] = {
#define NAME(text, list, flags)                                                                    \
    {                                                                                              \
        (text), (list), (int)(sizeof(list) / sizeof *(list)), (flags)                              \
    }
#define WHOLE(text, flags)                                                                         \
    {                                                                                              \
        (text), NULL, 0, (flags)                                                                   \
    }
    NAME("gpt-2", gpt2, 0),
    NAME("default", default_stages, 0),
    NAME("llama3", llama3, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("llama-v3", llama3, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("llama-bpe", llama3, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("falcon3", llama3, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("falcon-h1", llama3, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("pixtral", llama3, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("midm-2.0", llama3, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("lfm2", llama3, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("jina-v5-nano", llama3, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("dbrx", llama3, 0),
    NAME("smaug-bpe", llama3, 0),
    NAME("chatglm-bpe", llama3, 0),
    NAME("glm4", llama3, IX_PRE_IGNORE_MERGES),
    NAME("glm5", llama3, IX_PRE_IGNORE_MERGES),
    NAME("minicpm5", minicpm5, IX_PRE_IGNORE_MERGES),
    NAME("jais-2", jais2, 0),
    NAME("deepseek-llm", deepseek_llm, 0),
    NAME("deepseek-coder", deepseek_coder, 0),
    NAME("deepseek-v3", deepseek3, 0),
    NAME("hunyuan-dense", deepseek3, 0),
    NAME("hy_v4", deepseek3, 0),
    NAME("joyai-llm", deepseek3, 0),
    NAME("spark2_5", spark, 0),
    NAME("youtu", youtu, IX_PRE_IGNORE_MERGES),
    NAME("falcon", falcon, 0),
    NAME("mpt", gpt2, IX_PRE_NFC),
    NAME("starcoder", digits_gpt2, 0),
    NAME("refact", digits_gpt2, 0),
    NAME("command-r", digits_gpt2, IX_PRE_NFC),
    NAME("smollm", digits_gpt2, 0),
    NAME("codeshell", digits_gpt2, 0),
    NAME("exaone", digits_gpt2, 0),
    NAME("minerva-7b", digits_gpt2, 0),
    NAME("mellum2", digits_gpt2, 0),
    NAME("phi-2", gpt2, 0),
    NAME("jina-es", gpt2, 0),
    NAME("jina-de", gpt2, 0),
    NAME("gigachat", gpt2, 0),
    NAME("jina-v2-es", gpt2, IX_PRE_STRIP_MASK),
    NAME("jina-v2-de", gpt2, IX_PRE_STRIP_MASK),
    NAME("a.x-4.0", gpt2, 0),
    NAME("mellum", gpt2, 0),
    NAME("modern-bert", gpt2, 0),
    NAME("jina-v1-en", gpt2, 0),
    NAME("jina-v2-code", gpt2, IX_PRE_STRIP_MASK),
    NAME("roberta-bpe", gpt2, 0),
    NAME("exaone4", gpt2, 0),
    NAME("olmo", gpt2, 0),
    NAME("jais", gpt2, 0),
    NAME("trillion", gpt2, 0),
    NAME("granite-docling", gpt2, 0),
    WHOLE("gemma4", IX_PRE_RAW | IX_PRE_ESCAPE | IX_PRE_FORCE_BOS),
    WHOLE("granite-embed-multi-311m", IX_PRE_RAW | IX_PRE_ESCAPE | IX_PRE_FORCE_BOS),
    WHOLE("sarvam-moe", IX_PRE_RAW | IX_PRE_ESCAPE),
    NAME("whitespace", not_spaces, IX_PRE_RAW),
    NAME("qwen2", qwen2, IX_PRE_NFC),
    NAME("deepseek-r1-qwen", qwen2, IX_PRE_NFC),
    NAME("kormo", qwen2, 0),
    NAME("f2llmv2", qwen2, IX_PRE_NFC),
    NAME("megrez", qwen2, IX_PRE_NFC),
    NAME("qwen35", qwen35, IX_PRE_NFC),
    NAME("stablelm2", qwen2, 0),
    NAME("hunyuan", qwen2, 0),
    NAME("solar-open", qwen2, 0),
    NAME("grok-2", qwen2, 0),
    NAME("ufakzeka", ufakzeka, 0),
    NAME("bailingmoe", qwen2, 0),
    NAME("bailingmoe2", qwen2, 0),
    NAME("llada-moe", qwen2, 0),
    NAME("seed-coder", seed_coder, 0),
    NAME("laguna", laguna, 0),
    NAME("exaone-moe", exaone_moe, 0),
    NAME("poro-chat", bloom, 0),
    NAME("bloom", bloom, 0),
    NAME("gpt3-finnish", bloom, 0),
    NAME("viking", viking, 0),
    NAME("tekken", tekken, IX_PRE_IGNORE_MERGES | IX_PRE_ADD_BOS),
    NAME("chameleon", chameleon, IX_PRE_ADD_BOS),
    NAME("gpt-4o", gpt4o, 0),
    NAME("llama4", gpt4o, 0),
    NAME("kanana2", gpt4o, 0),
    NAME("talkie", gpt4o, 0),
    NAME("minimax-m2", gpt4o, 0),
    NAME("granite-embed-multi-97m", gpt4o, IX_PRE_IGNORE_MERGES),
    NAME("tiny_aya", tiny_aya, 0),
    NAME("cohere2moe", tiny_aya, 0),
    NAME("superbpe", superbpe, 0),
    NAME("kimi-k2", kimi_k2, IX_PRE_RANKS),
    NAME("afmoe", afmoe, 0),
};
enum { NAME_COUNT = (int)(sizeof names / sizeof *names) };

bool ix_pretokenizer_find(const char *name, ix_pretokenizer *out)
{
    for (int i = 0; i < NAME_COUNT; i++) {
        if (strcmp(names[i].name, name ? name : "gpt-2") == 0) {
            *out = (ix_pretokenizer){ names[i].stages, names[i].count, names[i].flags };
            return true;
        }
    }
    return false;
}

const char *ix_pretokenizer_name(size_t n)
{
    return n < (size_t)NAME_COUNT ? names[n].name : NULL;
}

const ix_pre_stage *ix_pre_stage_of(const char *name, int stage)
{
    ix_pretokenizer pre;
    if (strcmp(name, "cl100k") == 0) /* tiktoken's, which no GGUF file has */
        return stage == 0 ? cl100k : NULL;
    return ix_pretokenizer_find(name, &pre) && stage < pre.stage_count ? pre.stages + stage : NULL;
}
