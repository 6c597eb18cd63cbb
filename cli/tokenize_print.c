/* Output of inox tokenize: ids, pieces in colours, offsets, counts, JSON.
 *
 * Tokens come in the pieces in which the encoder hands them out, so a printer remembers what spans
 * them: how many there were, and the bytes of the text that tokens to come stand for.
 */
#include "tokenize.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_IDS = 1000 }; /* ids below the pieces on a terminal */

/* ---- numbers */

void put_number(int64_t n)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (n < 0)
        digits[--at] = '-';
    fwrite(digits + at, 1, sizeof digits - at, stdout);
}

void put_numbers(const int32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            putchar(',');
        put_number(numbers[i]);
    }
}

void put_ranges(const uint32_t *starts, const uint32_t *ends, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputs(i == 0 ? "[" : ",[", stdout);
        put_number(starts[i]);
        putchar(',');
        put_number(ends[i]);
        putchar(']');
    }
}

/* ---- pieces for people */

void release_printer(printer *p)
{
    free(p->held);
    free(p->ids);
    free(p->ranges);
}

bool hold(printer *p, const char *text, size_t bytes)
{
    if (p->held_size + bytes > p->held_room) {
        size_t room = 2 * (p->held_size + bytes);
        char *more = realloc(p->held, room);
        if (more == NULL)
            return false;
        p->held = more;
        p->held_room = room;
    }
    memcpy(p->held + p->held_size, text, bytes);
    p->held_size += bytes;
    return true;
}

/* Forgets the bytes in front of the last tokens: one more may stand for a part of the same
 * character. */
static void let_go(printer *p, const inox_stream_tokens *t)
{
    if (t->count == 0)
        return;
    uint64_t from = t->starts[t->count - 1];
    size_t n = from > p->held_base ? (size_t)(from - p->held_base) : 0;
    n = n < p->held_size ? n : p->held_size;
    memmove(p->held, p->held + n, p->held_size - n);
    p->held_size -= n;
    p->held_base += n;
}

static bool keep(printer *p, const inox_stream_tokens *t)
{
    if (p->kept + t->count > p->room) {
        size_t room = 2 * (p->kept + t->count);
        int32_t *ids = realloc(p->ids, room * sizeof *ids);
        if (ids != NULL)
            p->ids = ids;
        uint64_t *ranges = realloc(p->ranges, 2 * room * sizeof *ranges);
        if (ranges != NULL)
            p->ranges = ranges;
        if (ids == NULL || ranges == NULL)
            return false;
        p->room = room;
    }
    for (size_t i = 0; i < t->count; i++, p->kept++) {
        p->ids[p->kept] = t->ids[i];
        p->ranges[2 * p->kept] = t->starts[i];
        p->ranges[2 * p->kept + 1] = t->ends[i];
    }
    return true;
}

/* The bytes [start, end) of the stream; those that are no longer held are left out. */
static void print_held(const printer *p, uint64_t start, uint64_t end)
{
    uint64_t all = p->held_base + p->held_size;
    start = start < p->held_base ? p->held_base : start;
    end = end > all ? all : end;
    if (start < end)
        print_visible(stdout, p->held + (start - p->held_base), (size_t)(end - start));
}

static void print_piece_of(const printer *p, int32_t id)
{
    size_t bytes;
    const char *piece = inox_tokenizer_piece(p->tokenizer, id, &bytes);
    if (piece != NULL)
        print_visible(stdout, piece, bytes);
}

static void print_offsets(const printer *p, const inox_stream_tokens *t)
{
    for (size_t i = 0; i < t->count; i++) {
        printf("%7d  %llu..%llu  ", t->ids[i], (unsigned long long)t->starts[i],
               (unsigned long long)t->ends[i]);
        if (t->starts[i] < t->ends[i])
            print_held(p, t->starts[i], t->ends[i]);
        else
            print_piece_of(p, t->ids[i]);
        printf("\n");
    }
}

/* A piece that begins inside a character that was shown goes on behind it. */
static void print_pieces(printer *p, const inox_stream_tokens *t)
{
    static const char *const COLOURS[] = { "\033[30;46m", "\033[30;43m", "\033[30;42m",
                                           "\033[30;45m" };
    for (size_t i = 0; i < t->count; i++) {
        uint64_t start = t->starts[i] > p->shown ? t->starts[i] : p->shown, end = t->ends[i];
        bool line_ends = end > start && end <= p->held_base + p->held_size && end > p->held_base &&
                         p->held[end - 1 - p->held_base] == '\n';
        fputs(COLOURS[(p->tokens + i) % 4], stdout);
        if (t->starts[i] < end)
            print_held(p, start, end);
        else
            print_piece_of(p, t->ids[i]);
        fputs(line_ends ? "\033[0m\n" : "\033[0m", stdout);
        p->shown = end > p->shown ? end : p->shown;
    }
}

bool print_tokens(printer *p, const inox_stream_tokens *t)
{
    bool good = true;
    if (p->mode == PRINT_OFFSETS)
        print_offsets(p, t);
    else if (p->mode == PRINT_PIECES)
        print_pieces(p, t);
    for (size_t i = 0; p->mode == PRINT_IDS && i < t->count; i++) {
        if (p->tokens + i > 0)
            putchar(' ');
        put_number(t->ids[i]);
    }
    if (p->mode == PRINT_JSON || (p->mode == PRINT_PIECES && p->tokens < SHOWN_IDS))
        good = keep(p, t);
    p->tokens += t->count;
    if (p->mode == PRINT_OFFSETS || p->mode == PRINT_PIECES)
        let_go(p, t);
    return good;
}

static void print_name(const char *name)
{
    json_t *text = json_text(name, strlen(name));
    char *quoted = text == NULL ? NULL : json_dumps(text, JSON_ENCODE_ANY);
    fputs(quoted == NULL ? "null" : quoted, stdout);
    free(quoted);
    json_decref(text);
}

void print_end(const tokenize_options *o, const printer *p, const char *name)
{
    if (o->common.json) {
        fputs("{", stdout);
        if (name != NULL) {
            fputs("\"file\":", stdout);
            print_name(name);
            fputs(",", stdout);
        }
    }
    if (p->mode == PRINT_JSON) {
        fputs("\"ids\":[", stdout);
        put_numbers(p->ids, p->kept);
        fputs("],\"offsets\":[", stdout);
        for (size_t i = 0; i < p->kept; i++) {
            fputs(i == 0 ? "[" : ",[", stdout);
            put_number((int64_t)p->ranges[2 * i]);
            putchar(',');
            put_number((int64_t)p->ranges[2 * i + 1]);
            putchar(']');
        }
        fputs("]}\n", stdout);
    } else if (p->mode == PRINT_COUNT && o->common.json) {
        printf("\"tokens\":%llu,\"bytes\":%llu}\n", (unsigned long long)p->tokens,
               (unsigned long long)p->bytes);
    } else if (p->mode == PRINT_COUNT) {
        printf("%llu%s%s\n", (unsigned long long)p->tokens, name == NULL ? "" : " ",
               name == NULL ? "" : name);
    } else if (p->mode == PRINT_PIECES) {
        fputs(p->tokens > 0 ? "\n" : "", stdout);
        for (size_t i = 0; i < p->kept && i < SHOWN_IDS; i++)
            printf("%s%d", i == 0 ? "" : " ", p->ids[i]);
        printf(p->tokens > SHOWN_IDS ? " ... (%llu tokens)\n" : "\n",
               (unsigned long long)p->tokens);
    } else if (p->mode == PRINT_IDS) {
        printf("\n");
    }
}

printer new_printer(const tokenize_options *o, const vocabulary *v)
{
    printer p = { .tokenizer = v->tokenizer };
    p.mode = o->count              ? PRINT_COUNT
             : o->common.json      ? PRINT_JSON
             : o->offsets          ? PRINT_OFFSETS
             : is_terminal(stdout) ? PRINT_PIECES
                                   : PRINT_IDS;
    return p;
}
