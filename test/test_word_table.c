/* The table of words gives what it was made of, and every instruction set finds the same in it. */
#include "text/fast_parts.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* Word i, and i of a word: a number with these digits (each word has one way to be written), then
 * bytes that tell nothing but the size.  Room for 24. */
static const char digits[] = "etaoinshrdlcumwfgypb";
enum { DIGITS = sizeof digits - 1, WORD_ROOM = 24 };

static size_t write_word(uint64_t i, char *out)
{
    size_t size = 0;
    for (uint64_t n = i + 1; n > 0; n = (n - 1) / DIGITS)
        out[size++] = digits[(n - 1) % DIGITS];
    for (size_t k = i % 9; k > 0; k--)
        out[size++] = 'x';
    return size;
}

/* -1: none. */
static int64_t read_word(const char *p, size_t size)
{
    char word[WORD_ROOM];
    uint64_t n = 0, scale = 1;
    if (size >= 16)
        return -1;
    for (size_t k = 0; k < size && p[k] != 'x'; k++, scale *= DIGITS) {
        const char *digit = memchr(digits, p[k], DIGITS);
        if (!digit)
            return -1;
        n += scale * ((uint64_t)(digit - digits) + 1);
    }
    return n > 0 && write_word(n - 1, word) == size && memcmp(word, p, size) == 0 ? (int64_t)n - 1
                                                                                  : -1;
}

/* Some words of each ten are not in the table. */
static bool is_in(int64_t i, size_t count)
{
    char word[WORD_ROOM];
    return i >= 0 && (size_t)i < count && i % 10 < 8 &&
           write_word((uint64_t)i, word) <= IX_TABLE_BYTES;
}

/* Each word that is in the table has twice its number as id.  Every fifth is there twice. */
static size_t make_slots(ix_word_slot *slots, size_t count)
{
    char word[WORD_ROOM];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_in((int64_t)i, count))
            continue;
        size_t size = write_word(i, word);
        slots[n++] = ix_word_slot_of(word, size, (int32_t)i * 2);
        if (i % 5 == 0)
            slots[n++] = ix_word_slot_of(word, size, (int32_t)i * 2 + 1);
    }
    return n;
}

/* Words of the table, others, long ones and ones with bytes from anywhere, cut as they were put
 * together; behind the beginning of the last are 16 bytes, and not one more. */
static char *make_text(uint64_t *state, size_t count, ix_word_queue *q, size_t *size)
{
    enum { LONG = 300 };
    size_t words = 1 + ix_test_random(state) % (IX_QUEUE - 1), at = 0;
    bool longs = ix_test_random(state) % 4 == 0;
    char *text = malloc((words + 1) * (LONG + WORD_ROOM));
    if (!text)
        return NULL;
    q->count = words;
    for (size_t i = 0; i < words; i++) {
        uint64_t kind = ix_test_random(state) % 32;
        q->at[i] = (uint32_t)at;
        if (kind == 0 && longs) {
            size_t n = 1 + ix_test_random(state) % LONG;
            memset(text + at, 'e', n);
            at += n;
        } else if (kind == 1) {
            size_t n = 1 + ix_test_random(state) % 13;
            for (size_t k = 0; k < n; k++)
                text[at++] = (char)ix_test_random(state);
        } else {
            at += write_word(ix_test_random(state) % (count + count / 4 + 1), text + at);
        }
    }
    q->at[words] = (uint32_t)at;
    *size = q->at[words - 1] + 16 > at ? q->at[words - 1] + 16 : at;
    memset(text + at, 'e', *size - at);
    char *exact = malloc(*size);
    if (exact)
        memcpy(exact, text, *size);
    free(text);
    return exact;
}

/* The words of a text, by one instruction set; how many of the table's it has not found. */
static size_t check_found(ix_test *t, const char *isa, size_t count, const char *text,
                          const ix_word_queue *q)
{
    size_t missed = 0, other = 0;
    for (size_t i = 0; i < q->count; i++) {
        const char *p = text + q->at[i];
        size_t size = q->at[i + 1] - q->at[i];
        int64_t word = read_word(p, size);
        if (other < q->other_count && q->others[other] == i) {
            missed += is_in(word, count);
            other++;
        } else {
            CHECK_MSG(is_in(word, count) && q->ids[i] == 2 * word, "%s: '%.*s' (%lld) is %d", isa,
                      (int)size, p, (long long)word, q->ids[i]);
        }
    }
    CHECK_MSG(other == q->other_count, "%s: others are not in order", isa);
    return missed;
}

static void compare(ix_test *t, const ix_word_table *table, size_t count, int texts)
{
    static ix_word_queue first, q;
    uint64_t state = 5 + count;
    size_t words = 0, missed = 0;
    for (int i = 0; i < texts; i++) {
        size_t size;
        char *text = make_text(&state, count, &first, &size);
        CHECK(text != NULL);
        for (size_t k = 0; text && ix_block_sets(k); k++) {
            q.count = first.count;
            memcpy(q.at, first.at, sizeof q.at);
            ix_block_sets(k)->find(table, text, size, &q);
            size_t now = check_found(t, ix_block_sets(k)->isa, count, text, &q);
            missed += k == 0 ? now : 0;
            CHECK_MSG(k == 0 || (q.other_count == first.other_count &&
                                 memcmp(q.others, first.others, q.other_count * 2) == 0),
                      "%s and %s find other words", ix_block_sets(k)->isa, ix_block_sets(0)->isa);
            if (k == 0)
                first = q;
        }
        words += first.count;
        free(text);
    }
    CHECK_MSG(missed * 50 <= words, "%zu of %zu words are missed, %zu in the table", missed, words,
              count);
}

TEST(word_table_has_its_words_for_every_instruction_set)
{
    static const size_t counts[] = { 0, 1, 3, 40, 1000, 30000, 110000 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        ix_word_table table;
        inox_error err;
        ix_word_slot *slots = calloc(counts[i] * 2 + 1, sizeof *slots);
        CHECK(slots != NULL);
        if (!slots)
            return;
        size_t n = make_slots(slots, counts[i]);
        CHECK_OK(ix_word_table_new(&table, slots, n, &err), &err);
        compare(t, &table, counts[i], 60);
        ix_word_table_release(&table);
        compare(t, &table, 0, 5);
        free(slots);
    }
}

/* Who chooses words for one bucket gets a table that misses them, in no more time. */
TEST(word_table_of_one_bucket)
{
    enum { COUNT = 8000, MOST = 4000000 };
    ix_word_table table;
    inox_error err;
    char word[WORD_ROOM];
    size_t n = 0;
    ix_word_slot *slots = calloc(COUNT, sizeof *slots);
    CHECK(slots != NULL);
    if (!slots)
        return;
    for (uint64_t i = 0; n < COUNT; i++) /* of the same size as the one to come */
        slots[n++] = ix_word_slot_of(word, write_word(i, word) % 12, (int32_t)i);
    CHECK_OK(ix_word_table_new(&table, slots, n, &err), &err);
    n = 0;
    for (uint64_t i = 0; i < MOST && n < COUNT; i++) {
        size_t size = write_word(i, word);
        ix_word_slot slot = ix_word_slot_of(word, size <= IX_TABLE_BYTES ? size : 1, (int32_t)i);
        if (size <= IX_TABLE_BYTES && ix_table_hash(slot.low, slot.rest) >> table.shift < 2)
            slots[n++] = slot;
    }
    int shift = table.shift;
    ix_word_table_release(&table);
    CHECK(n > 1000);
    for (; n < COUNT; n++) /* words of their own, so that the size stays */
        slots[n] = (ix_word_slot){ n, (uint32_t)1 << 24, 1 };
    CHECK_OK(ix_word_table_new(&table, slots, n, &err), &err);
    CHECK(table.shift == shift);
    size_t there = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = ix_table_hash(slots[i].low, slots[i].rest);
        const ix_word_slot *slot = &table.slots[ix_table_slot(&table, hash)];
        there += slot->low == slots[i].low && slot->rest == slots[i].rest;
    }
    CHECK_MSG(there > n / 4, "%zu of %zu words are there", there, n);
    ix_word_table_release(&table);
    free(slots);
}
