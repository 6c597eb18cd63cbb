/* Scanners: the end of the next word of ASCII text, for the expressions of GPT-2, cl100k and o200k.
 *
 * They give what pretokenize.c gives, or 0 where a byte beyond ASCII would have to be looked at.
 * Most words need none of that: fast_block.h finds all of 64 bytes at once.
 */
#include "text/fast_parts.h"

#include "text/unicode.h"

#include <string.h>

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

void ix_ascii_classes(uint8_t classes[256])
{
    for (uint32_t c = 0; c < 256; c++) {
        unsigned is = ix_unicode_properties(c);
        classes[c] = c >= 0x80                ? IX_HIGH
                     : c == '\r' || c == '\n' ? IX_ASCII_LINE
                     : (is & IX_LETTER)       ? IX_ASCII_LETTER
                     : (is & IX_NUMBER)       ? IX_ASCII_DIGIT
                     : (is & IX_SPACE)        ? IX_ASCII_SPACE
                                              : IX_ASCII_OTHER;
    }
}

/* Characters with these properties. */
static ix_high_class class_of_kind(const ix_scanner *s, unsigned is)
{
    if (is & (IX_NUMBER | IX_SPACE))
        return IX_HIGH_UNKNOWN;
    if (s->kind != IX_SCAN_O200K)
        return (is & (s->marks ? IX_LETTER | IX_MARK : IX_LETTER)) ? IX_HIGH_LETTER : IX_HIGH_OTHER;
    return (is & IX_UPPER)          ? IX_HIGH_UPPER
           : (is & IX_LOWER)        ? IX_HIGH_LETTER
           : (is & IX_OTHER_LETTER) ? IX_HIGH_EITHER
           : (is & IX_MARK)         ? IX_HIGH_MARK
                                    : IX_HIGH_OTHER;
}

/* U+017F folds to s, and the matchers read overlong ASCII as what it spells. */
static unsigned high_class(const ix_scanner *s, uint32_t c)
{
    if (c < 0x80 || c > 0x10FFFF || c == 0x17F)
        return IX_HIGH_UNKNOWN;
    return s->of_kinds[ix_unicode_kind(c)];
}

static void make_high_classes(ix_scanner *s)
{
    for (int k = 0; k < IX_UNICODE_KINDS; k++)
        s->of_kinds[k] = (uint8_t)class_of_kind(s, ix_unicode_kinds[k]);
    for (uint32_t c = 0x80; c < sizeof s->two_bytes; c++)
        s->two_bytes[c] = (uint8_t)high_class(s, c);
}

/* Where the character that goes on at p[0] began, which is before p; 0: nowhere. */
static size_t begun_before(const char *p, size_t before)
{
    for (size_t back = 1; back <= before && back < 4; back++) {
        const char *lead = p - back;
        if (!ix_utf8_goes_on(*lead))
            return back;
    }
    return 0;
}

void ix_high_read(const ix_scanner *s, const char *p, size_t before, uint64_t high,
                  ix_high_bytes *out)
{
    uint32_t c;
    *out = (ix_high_bytes){ .inside = 0 };
    if ((high & 1) && ix_utf8_goes_on(*p)) {
        size_t back = begun_before(p, before), n = 0;
        if (back > 0)
            n = ix_utf8_read(p - back, 4, &c);
        uint64_t bits = n > back ? ((uint64_t)1 << (n - back)) - 1 : 0;
        if (bits != 0)
            out->of[high_class(s, c)] |= bits;
        out->inside |= bits;
        high &= ~bits;
    }
    uint64_t letters = 0, inside = 0; /* the most usual: in registers */
    while (high != 0) {
        int i = __builtin_ctzll(high);
        const unsigned char *b = (const unsigned char *)p + i;
        unsigned class;
        uint64_t bits;
        if (b[0] - 0xC2u < 0x1E && ix_utf8_goes_on(p[i + 1])) {
            class = s->two_bytes[(b[0] & 0x1F) << 6 | (b[1] & 0x3F)];
            bits = (uint64_t)3 << i;
        } else {
            size_t n = ix_utf8_read(p + i, 4, &c);
            class = high_class(s, c);
            bits = (((uint64_t)1 << n) - 1) << i;
        }
        if (class == IX_HIGH_UNKNOWN) /* what is behind it is not asked for */
            break;
        if (class == IX_HIGH_LETTER)
            letters |= bits;
        else
            out->of[class] |= bits;
        inside |= bits & ~((uint64_t)1 << i);
        high &= ~bits;
    }
    out->of[IX_HIGH_LETTER] |= letters;
    out->inside |= inside;
}

#ifdef __x86_64__
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}

static bool has_avx512vbmi(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

#define SET(isa, good)                                                                             \
    {                                                                                              \
#isa, ix_cut_words_##isa, ix_find_words_##isa, ix_block_words_##isa, ix_block_marks_##isa, \
            good                                                                                   \
    }

const ix_block_set *ix_block_sets(size_t i)
{
    static const struct {
        ix_block_set set;
        bool (*runs)(void);
    } sets[] = {
#ifdef __x86_64__
        { SET(avx512vbmi, ix_utf8_blocks_avx2), has_avx512vbmi },
        { SET(avx512, ix_utf8_blocks_avx2), has_avx512 },
        { SET(avx2, ix_utf8_blocks_avx2), has_avx2 },
        { SET(sse2, NULL), NULL },
#endif
        { SET(ref, NULL), NULL },
    };
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++)
        if ((!sets[k].runs || sets[k].runs()) && i-- == 0)
            return &sets[k].set;
    return NULL;
}

bool ix_scanner_find(const char *pretokenizer, ix_scanner *out, ix_pretokenizer *pre)
{
    static const struct {
        const char *name;
        ix_scan kind;
        unsigned digits;
        bool contractions, ends_in_space, marks;
    } known[] = {
        { "gpt-2", .kind = IX_SCAN_GPT2 },
        { "llama3", .kind = IX_SCAN_CL100K, .digits = 3 },
        { "cl100k", .kind = IX_SCAN_CL100K, .digits = 3, .ends_in_space = true },
        { "qwen2", .kind = IX_SCAN_CL100K, .digits = 1 },
        { "qwen35", .kind = IX_SCAN_CL100K, .digits = 1, .marks = true },
        { "gpt-4o", .kind = IX_SCAN_O200K, .digits = 3, .contractions = true },
        { "tekken", .kind = IX_SCAN_O200K, .digits = 1 },
    };
    *out = (ix_scanner){ .kind = IX_SCAN_NONE };
    *pre = (ix_pretokenizer){ .stages = ix_pre_stage_of(pretokenizer, 0), .stage_count = 1 };
    if (!pre->stages || ix_pre_stage_of(pretokenizer, 1))
        return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) /* other names may have its stage */
        if (ix_pre_stage_of(known[i].name, 0) == pre->stages)
            *out = (ix_scanner){ .kind = known[i].kind,
                                 .digits = known[i].digits,
                                 .contractions = known[i].contractions,
                                 .ends_in_space = known[i].ends_in_space,
                                 .marks = known[i].marks };
    ix_ascii_classes(out->classes);
    make_high_classes(out);
    return out->kind != IX_SCAN_NONE;
}

/* ---- runs ------------------------------------------------------------------------------------ */

/* The highest bit of each byte that is not in low..high; letters of either case where fold. */
static inline uint64_t outside(uint64_t x, unsigned low, unsigned high, bool fold)
{
    uint64_t y = (fold ? x | ONES * 0x20 : x) & ~HIGHS;
    uint64_t from = y + ONES * (0x80 - low), behind = y + ONES * (0x7F - high);
    return (~from | behind | x) & HIGHS;
}

static inline size_t run_end(const char *p, size_t at, size_t end, char low, char high, bool fold)
{
    for (; at + 8 <= end; at += 8) {
        uint64_t not_in = outside(ix_load8(p + at), (unsigned char)low, (unsigned char)high, fold);
        if (not_in)
            return at + (size_t)__builtin_ctzll(not_in) / 8;
    }
    for (; at < end; at++) {
        char c = (char)(fold ? p[at] | 0x20 : p[at]);
        if (c < low || c > high)
            break;
    }
    return at;
}

static inline unsigned class_at(const ix_scanner *s, const char *p, size_t at)
{
    return s->classes[(unsigned char)p[at]];
}

/* The end of a run as it was found, or 0 where the run may go on beyond ASCII. */
static inline size_t settled(const char *p, size_t at, size_t end)
{
    return at < end && (unsigned char)p[at] >= 0x80 ? 0 : at;
}

static inline size_t class_end(const ix_scanner *s, const char *p, size_t at, size_t end,
                               unsigned class)
{
    while (at < end && class_at(s, p, at) == class)
        at++;
    return at;
}

/* Bytes of the contraction at `at`, 0 for none, SIZE_MAX where U+017F may be meant. */
static inline size_t contraction(const char *p, size_t at, size_t end, bool any_case)
{
    if (end - at < 2)
        return 0;
    char a = p[at + 1], b = end - at > 2 ? p[at + 2] : 0;
    if (any_case) {
        if ((unsigned char)a >= 0x80)
            return SIZE_MAX;
        a = a >= 'A' && a <= 'Z' ? (char)(a + 32) : a;
        b = b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
    }
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* White space from `at` on.  lines: \s*[\r\n]+ comes first. */
static size_t space_end(const ix_scanner *s, const char *p, size_t at, size_t end, bool lines)
{
    size_t i = at, behind_line = at;
    for (; i < end; i++) {
        unsigned is = class_at(s, p, i);
        if (is != IX_ASCII_SPACE && is != IX_ASCII_LINE)
            break;
        behind_line = is == IX_ASCII_LINE ? i + 1 : behind_line;
    }
    if (i < end && (unsigned char)p[i] >= 0x80)
        return 0;
    if (i == end && s->ends_in_space)
        return end;
    if (lines && behind_line > at)
        return behind_line;
    return i == end || i - at < 2 ? i : i - 1;
}

/* ---- the expressions ------------------------------------------------------------------------- */

size_t ix_scan_gpt2(const ix_scanner *s, const char *p, size_t at, size_t end)
{
    size_t from = at + (p[at] == ' '), n;
    if (from == end)
        return end;
    unsigned is = class_at(s, p, from);
    switch (is) {
    case IX_ASCII_LETTER: return settled(p, run_end(p, from, end, 'a', 'z', true), end);
    case IX_ASCII_DIGIT: return settled(p, class_end(s, p, from, end, IX_ASCII_DIGIT), end);
    case IX_ASCII_OTHER:
        n = p[at] == '\'' ? contraction(p, at, end, false) : 0;
        return n > 0 ? at + n : settled(p, class_end(s, p, from, end, IX_ASCII_OTHER), end);
    case IX_HIGH: return 0;
    default: return space_end(s, p, at, end, false);
    }
}

/* Numbers, other characters, spaces: what cl100k and o200k have in common.  p[at] is no letter, and
 * no word starts there. */
static inline size_t no_word(const ix_scanner *s, const char *p, size_t at, size_t end,
                             bool slashes)
{
    size_t i = at;
    if (class_at(s, p, at) == IX_ASCII_DIGIT) {
        while (i < end && i - at < s->digits && class_at(s, p, i) == IX_ASCII_DIGIT)
            i++;
        return i - at == s->digits ? i : settled(p, i, end);
    }
    i += p[at] == ' ';
    if (i == end || class_at(s, p, i) != IX_ASCII_OTHER)
        return space_end(s, p, at, end, true);
    i = settled(p, class_end(s, p, i, end, IX_ASCII_OTHER), end);
    if (i == 0)
        return 0;
    while (i < end && (p[i] == '\r' || p[i] == '\n' || (slashes && p[i] == '/')))
        i++;
    return i;
}

size_t ix_scan_cl100k(const ix_scanner *s, const char *p, size_t at, size_t end)
{
    unsigned is = class_at(s, p, at);
    size_t from = at;
    if (is == IX_HIGH)
        return 0;
    if (p[at] == '\'') {
        size_t n = contraction(p, at, end, true);
        if (n > 0)
            return n == SIZE_MAX ? 0 : at + n;
    }
    from += is == IX_ASCII_SPACE || is == IX_ASCII_OTHER; /* what may stand before a word */
    if (from == end)
        return end;
    unsigned then = class_at(s, p, from);
    if (then == IX_ASCII_LETTER)
        return settled(p, run_end(p, from, end, 'a', 'z', true), end);
    return then == IX_HIGH ? 0 : no_word(s, p, at, end, false);
}

size_t ix_scan_o200k(const ix_scanner *s, const char *p, size_t at, size_t end)
{
    unsigned is = class_at(s, p, at);
    if (is == IX_HIGH)
        return 0;
    size_t from = at + (is == IX_ASCII_SPACE || is == IX_ASCII_OTHER);
    if (from == end)
        return end;
    unsigned then = class_at(s, p, from);
    if (then == IX_HIGH)
        return 0;
    if (then != IX_ASCII_LETTER)
        return no_word(s, p, at, end, true);
    size_t i = run_end(p, from, end, 'A', 'Z', false);
    i = settled(p, run_end(p, i, end, 'a', 'z', false), end);
    if (i == 0 || !s->contractions || i == end || p[i] != '\'')
        return i;
    size_t n = contraction(p, i, end, true);
    return n == SIZE_MAX ? 0 : i + n;
}
