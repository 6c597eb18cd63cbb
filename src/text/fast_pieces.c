/* Pieces by their bytes, and guessing how new words come apart.  See fast_pieces.h. */
#include "text/fast_pieces.h"

#include "base/alloc.h"
#include "text/tokenizer.h"

/* How merging makes a piece stands where the slot of a word has its second to fourth token. */
enum { LEFT = 1, RIGHT = 2, RANK = 3, LOW_BITS = 0xFFFFFF };

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
    line->ids[RANK] |= made->rank & LOW_BITS;
}

inox_status ix_fast_pieces_new(ix_fast_pieces *p, const ix_fast_parts *parts,
                               const ix_bpe_search *search, inox_error *err)
{
    int log2 = 4;
    while (((size_t)1 << log2) < parts->count)
        log2++;
    *p = (ix_fast_pieces){ .filter_shift = 64 - (log2 - 2) };
    IX_TRY(ix_word_cache_new(&p->words, log2, err));
    if (search && search->pairs.rank_count < LOW_BITS) /* 16 bits of the filter for each piece */
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
    return INOX_OK;
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

/* The longest piece of at most n bytes that the filter knows at the beginning of `rest`: its size,
 * at least 1, since a single byte is always a piece.  *line: where it is, if it is one. */
static inline size_t longest(const ix_fast_pieces *p, ix_cache_key rest, size_t n,
                             ix_cache_key *key, const ix_cache_slot **line)
{
    for (;; n--) {
        *key = (ix_cache_key){ rest.low & ix_cache_masks[n].low,
                               (rest.high & ix_cache_masks[n].high) | ix_cache_size(n, 1) };
        uint64_t hash = ix_cache_hash(&p->words, *key), bits = filter_bits(hash);
        *line = &p->words.slots[(hash >> p->words.shift) * 2];
        if (n == 1 || (p->filter[hash >> p->filter_shift] & bits) == bits)
            return n;
    }
}

void ix_fast_pieces_ask(const ix_fast_pieces *p, ix_cache_key word, size_t size)
{
    ix_cache_key key;
    const ix_cache_slot *line;
    for (size_t at = 0, first; at < size; at += first) {
        first = 0;
        for (size_t n = size - at; n > 0; n--) {
            n = longest(p, behind(word, at), n, &key, &line);
            __builtin_prefetch(line);
            first = first ? first : n;
        }
    }
}

/* A token and how merging makes it. */
typedef struct piece {
    int32_t id;
    ix_bpe_made made;
} piece;

static bool read_piece(const ix_cache_slot *line, ix_cache_key key, const ix_bpe_search *search,
                       piece *out)
{
    const ix_cache_slot *slot = ix_cache_find(line, key);
    if (!slot)
        return false;
    *out = (piece){ .id = (int32_t)(slot->ids[0] & LOW_BITS),
                    .made = { .left = (int32_t)(slot->ids[LEFT] & LOW_BITS),
                              .right = (int32_t)(slot->ids[RIGHT] & LOW_BITS),
                              .rank = slot->ids[RANK] & LOW_BITS } };
    return search->sizes[out->id] > 0; /* merging makes it */
}

size_t ix_fast_pieces_cut(const ix_fast_pieces *p, const ix_bpe_search *search, ix_bpe_memo *memo,
                          ix_cache_key word, size_t size, ix_cached tokens[IX_CACHED_TOKENS])
{
    piece pieces[IX_CACHED_TOKENS];
    size_t count = 0, at = 0, n = size;
    unsigned blocked = 0; /* places from which there is no way on */
    while (at < size) {
        ix_cache_key key;
        const ix_cache_slot *line;
        if (count == IX_CACHED_TOKENS)
            return 0;
        n = longest(p, behind(word, at), n, &key, &line);
        piece *new = &pieces[count], *before = new - 1;
        if (!(blocked >> (at + n) & 1) && read_piece(line, key, search, new) &&
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
