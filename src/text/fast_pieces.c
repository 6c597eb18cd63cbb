/* Pieces by their bytes, and guessing how new words come apart.  See fast_pieces.h. */
#include "text/fast_pieces.h"

#include "base/alloc.h"
#include "text/tokenizer.h"

/* How merging makes a piece stands where the slot of a word has its second to fourth token. */
enum { LEFT = 1, RIGHT = 2, RANK = 3, LOW_BITS = 0xFFFFFF, RANK_BITS = 0x7FFFFF, ODD = 0x800000 };

static inline uint64_t filter_bits(uint64_t hash)
{
    return (uint64_t)1 << (hash >> 20 & 63) | (uint64_t)1 << (hash >> 26 & 63);
}

/* Whether a piece is a word of one token: by ignore_merges, or since merging makes it of its bytes.
 */
static bool is_word(const ix_fast_parts *parts, const ix_bpe_search *search, size_t entry,
                    int32_t id)
{
    ix_text_view p = parts->bytes[entry];
    if (!parts->ignore_merges)
        return search->sizes[id] > 0;
    return ix_piece_find(parts->table, p.data, p.size) == (int32_t)entry &&
           !(parts->types && parts->types[entry] == IX_PIECE_CONTROL);
}

static void add_piece(ix_fast_pieces *p, ix_text_view bytes, int32_t id, const ix_bpe_made *made)
{
    ix_cache_key key = ix_cache_key_of(bytes.data, bytes.size, 1, false);
    ix_cached token = { id, 0, (uint8_t)bytes.size };
    uint64_t hash = ix_cache_hash(&p->words, key);
    ix_cache_slot *line = &p->words.slots[(hash >> p->words.shift) * 2];
    ix_cache_put(line, key, &token, 1);
    if (p->filter)
        p->filter[hash >> p->filter_shift] |= filter_bits(hash);
    if (!made)
        return;
    line->ids[LEFT] |= (uint32_t)made->left & LOW_BITS;
    line->ids[RIGHT] |= (uint32_t)made->right & LOW_BITS;
    line->ids[RANK] |= (made->rank & RANK_BITS) | (made->odd ? ODD : 0);
}

/* In the order of ids. */
static inox_status fill_table(ix_word_table *table, const ix_fast_parts *parts,
                              const ix_bpe_search *search, inox_error *err)
{
    ix_word_slot *words;
    size_t count = 0;
    IX_TRY(IX_ALLOC(&words, parts->count, err));
    for (size_t i = 0; i < parts->count; i++) {
        ix_text_view bytes = parts->bytes[i];
        int32_t id = parts->ids ? parts->ids[i] : (int32_t)i;
        if (bytes.data && bytes.size > 0 && bytes.size <= IX_TABLE_BYTES &&
            is_word(parts, search, i, id))
            words[count++] = ix_word_slot_of(bytes.data, bytes.size, id);
    }
    inox_status status = ix_word_table_new(table, words, count, err);
    ix_free(words);
    return status;
}

inox_status ix_fast_pieces_new(ix_fast_pieces *p, const ix_fast_parts *parts,
                               const ix_bpe_search *search, ix_word_table *words, inox_error *err)
{
    int log2 = 4;
    while (((size_t)1 << log2) < parts->count)
        log2++;
    *p = (ix_fast_pieces){ .filter_shift = 64 - (log2 - 2) };
    IX_TRY(ix_word_cache_new(&p->words, log2, err));
    if (search && search->pairs.rank_count < RANK_BITS) /* 16 bits of the filter for each piece */
        IX_TRY(IX_ALLOC(&p->filter, (size_t)1 << (log2 - 2), err));
    /* Small ids are the frequent ones: they come last, and stay. */
    for (size_t i = parts->count; i-- > 0;) {
        ix_text_view bytes = parts->bytes[i];
        int32_t id = parts->ids ? parts->ids[i] : (int32_t)i;
        if (!bytes.data || bytes.size == 0 || bytes.size > IX_CACHED_BYTES)
            continue;
        bool made = p->filter && search->sizes[id] > 0;
        if (is_word(parts, search, i, id))
            add_piece(p, bytes, id, made ? &search->pieces[id] : NULL);
    }
    return fill_table(words, parts, search, err);
}

void ix_fast_pieces_release(ix_fast_pieces *p)
{
    ix_word_cache_release(&p->words);
    ix_free(p->filter);
    *p = (ix_fast_pieces){ 0 };
}

/* The bytes of a key from `at` on. */
static inline ix_cache_key behind(ix_cache_key key, size_t at)
{
    unsigned bits = (unsigned)(at & 7) * 8;
    if (at >= 8)
        return (ix_cache_key){ key.high >> bits, 0 };
    return (ix_cache_key){ bits ? key.low >> bits | key.high << (64 - bits) : key.low,
                           key.high >> bits };
}

/* The first n bytes of `rest` as a key, and their line if they are a piece. */
static inline ix_cache_key head(ix_cache_key rest, size_t n)
{
    return (ix_cache_key){ rest.low & ix_cache_masks[n].low,
                           (rest.high & ix_cache_masks[n].high) | ix_cache_size(n, 1) };
}

/* Which sizes up to `most` the filter knows at the beginning of `rest`, a bit each; asks for their
 * lines.  A single byte is always a piece. */
static unsigned known_sizes(const ix_fast_pieces *p, ix_cache_key rest, size_t most)
{
    unsigned sizes = 0;
    for (size_t n = most; n > 0; n--) {
        uint64_t hash = ix_cache_hash(&p->words, head(rest, n)), bits = filter_bits(hash);
        if (n > 1 && (p->filter[hash >> p->filter_shift] & bits) != bits)
            continue;
        __builtin_prefetch(&p->words.slots[(hash >> p->words.shift) * 2]);
        sizes |= 1u << n;
    }
    return sizes;
}

/* The greatest size of at most n. */
static inline size_t longest(unsigned sizes, size_t n)
{
    return (size_t)(31 - __builtin_clz(sizes & ((2u << n) - 1)));
}

void ix_fast_pieces_ask(const ix_fast_pieces *p, ix_cache_key word, size_t size, ix_fast_guess *g)
{
    *g = (ix_fast_guess){ 0 };
    for (size_t at = 0; at < size; at += longest(g->sizes[at], size - at))
        g->sizes[at] = (uint16_t)known_sizes(p, behind(word, at), size - at);
}

/* A token and how merging makes it. */
typedef struct piece {
    int32_t id;
    ix_bpe_made made;
} piece;

/* False: no piece, or one that merging never makes. */
static inline bool read_piece(const ix_fast_pieces *p, ix_cache_key rest, size_t n, piece *out)
{
    ix_cache_key key = head(rest, n);
    const ix_cache_slot *slot = ix_cache_find(ix_cache_line(&p->words, key), key);
    if (!slot)
        return false;
    *out = (piece){ .id = (int32_t)(slot->ids[0] & LOW_BITS),
                    .made = { .left = (int32_t)(slot->ids[LEFT] & LOW_BITS),
                              .right = (int32_t)(slot->ids[RIGHT] & LOW_BITS),
                              .rank = slot->ids[RANK] & RANK_BITS,
                              .odd = (slot->ids[RANK] & ODD) != 0 } };
    return n == 1 || out->made.rank > 0;
}

void ix_fast_pieces_ask_pair(const ix_fast_pieces *p, const ix_bpe_search *search,
                             ix_bpe_memo *memo, ix_cache_key word, size_t size,
                             const ix_fast_guess *g)
{
    piece left, right;
    size_t n = longest(g->sizes[0], size);
    if (n < size && read_piece(p, word, n, &left) &&
        read_piece(p, behind(word, n), longest(g->sizes[n], size - n), &right))
        ix_bpe_ask(search, memo, left.id, &left.made, right.id, &right.made);
}

size_t ix_fast_pieces_cut(const ix_fast_pieces *p, const ix_bpe_search *search, ix_bpe_memo *memo,
                          ix_cache_key word, size_t size, ix_fast_guess *g,
                          ix_cached tokens[IX_CACHED_TOKENS])
{
    piece pieces[IX_CACHED_TOKENS];
    size_t count = 0, at = 0, n = size;
    unsigned blocked = 0; /* places from which there is no way on */
    while (at < size) {
        if (count == IX_CACHED_TOKENS)
            return 0;
        ix_cache_key rest = behind(word, at);
        if (g->sizes[at] == 0)
            g->sizes[at] = (uint16_t)known_sizes(p, rest, size - at);
        n = longest(g->sizes[at], n);
        piece *new = &pieces[count], *before = new - 1;
        if (!(blocked >> (at + n) & 1) && read_piece(p, rest, n, new) &&
            (count == 0 ||
             ix_bpe_may_stand(search, memo, before->id, &before->made, new->id, &new->made))) {
            tokens[count++] = (ix_cached){ new->id, (uint8_t)at, (uint8_t)(at + n) };
            at += n;
            n = size - at;
            continue;
        }
        if (n == size) /* a piece that had to make room, perhaps: a word, whatever merging makes */
            return 0;
        while (--n == 0) {
            blocked |= 1u << at;
            if (count == 0)
                return 0;
            count--;
            n = tokens[count].end - tokens[count].start;
            at = tokens[count].start;
        }
    }
    return count;
}
