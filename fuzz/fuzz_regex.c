/* Fuzz target: syntax | expression | NUL | text.
 *
 * Whatever the expression says: matches are in order and inside the text, the number of steps is
 * bounded by the sizes of program and text, and a second search of the same text finds the same. */
#include "text/regex/program.h"
#include "text/regex/regex.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What running each instruction once costs at most. */
static uint64_t weight(const ix_regex *r, size_t size)
{
    uint64_t sum = 1;
    for (uint32_t i = 0; i < r->count; i++) {
        sum += 1 + r->code[i].count;
        if (r->code[i].op == IX_OP_SPAN)
            sum += r->code[i].most < size ? r->code[i].most : size;
    }
    return sum;
}

static uint64_t search(const ix_regex *r, ix_regex_search *s, const char *text, size_t size)
{
    uint64_t sum = 0, before = s->steps;
    size_t last = 0, start, end;
    bool found = true;
    ix_regex_start(s, r, text, size);
    for (;;) {
        if (ix_regex_next(s, &start, &end, &found, NULL) != INOX_OK)
            __builtin_trap();
        if (!found)
            break;
        if (start < last || end < start || end > size)
            __builtin_trap();
        sum = (sum ^ start) * 0x9E3779B97F4A7C15ULL + end;
        last = end;
    }
    if (s->steps - before > 64 * weight(r, size) * (size + 2))
        __builtin_trap();
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ix_regex *r;
    ix_regex_search s = { 0 };
    const uint8_t *zero = size > 1 ? memchr(data + 1, 0, size - 1) : NULL;
    if (!zero)
        return 0;
    const char *text = (const char *)zero + 1;
    size_t bytes = size - (size_t)(zero - data) - 1;
    if (ix_regex_new((const char *)data + 1, (size_t)(zero - data) - 1,
                     data[0] & 1 ? IX_REGEX_RUST : IX_REGEX_ONIGURUMA, &r, NULL) != INOX_OK)
        return 0;
    uint64_t once = search(r, &s, text, bytes);
    if (search(r, &s, text, bytes) != once)
        __builtin_trap();
    ix_regex_release(&s);
    ix_regex_free(r);
    return 0;
}
