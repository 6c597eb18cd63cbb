/* AVX-512 with permutations of bytes (VBMI and VBMI2: since Ice Lake and Zen 4). */
#define NAME(what) what##_avx512vbmi
#define FINDS_WORDS

#include "text/fast_block_x86_avx512.h"

/* The places of the bits as bytes, then sixteen at a time as what they are. */
static inline void block_places(uint64_t bits, uint32_t at, uint32_t *out)
{
    static const uint8_t steps[64] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                       13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                       26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
                                       39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
                                       52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63 };
    const __m512i base = _mm512_set1_epi32((int)at);
    __m512i all = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(steps));
    __m256i low = _mm512_castsi512_si256(all);
    __m512i a = _mm512_cvtepu8_epi32(_mm256_castsi256_si128(low));
    __m512i b = _mm512_cvtepu8_epi32(_mm256_extracti128_si256(low, 1));
    _mm512_storeu_si512(out, _mm512_add_epi32(a, base));
    _mm512_storeu_si512(out + 16, _mm512_add_epi32(b, base));
    if (__builtin_popcountll(bits) <= 32)
        return;
    a = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(all, 2));
    b = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(all, 3));
    _mm512_storeu_si512(out + 32, _mm512_add_epi32(a, base));
    _mm512_storeu_si512(out + 48, _mm512_add_epi32(b, base));
}

#include "text/fast_words.h"

/* Eight words: bytes 0 to 7, bytes 8 to 10 with the size (ix_table_rest()), and twice the slot. */
typedef struct eight_words {
    __m512i low, rest, slot;
} eight_words;

/* 64 bytes, or zeros behind those that are left. */
static inline __m512i read_some(const char *p, size_t left)
{
    if (left >= 64)
        return _mm512_loadu_si512(p);
    return _mm512_maskz_loadu_epi8(((uint64_t)1 << left) - 1, p);
}

/* Their bytes come from the 128 where the first begins, by their places there.  Of a word, what
 * stays is where 1 << 8 * size, less one, has ones.  (A shift by 64 or more gives 0, and 0 less one
 * has ones everywhere.) */
enum { IX_READ = 128, IX_START_MAX = IX_READ - 16 };
static inline void read_eight(eight_words *w, const uint32_t *at, const char *bytes, size_t left)
{
    const __m512i first_byte = _mm512_set4_epi64(0x0808080808080808, 0, 0x0808080808080808, 0);
    const __m512i steps = _mm512_set1_epi64(0x0706050403020100);
    const __m512i one = _mm512_set1_epi64(1), minus_one = _mm512_set1_epi64(-1);
    __m512i start = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(const void *)at));
    __m512i end =
        _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(const void *)(at + 1)));
    __m512i size = _mm512_sub_epi64(end, start), bits = _mm512_slli_epi64(size, 3);
    __m512i from = _mm512_sub_epi64(start, _mm512_set1_epi64((int64_t)*at));
    __m512i places = _mm512_add_epi8(_mm512_shuffle_epi8(from, first_byte), steps);
    __m512i near = read_some(bytes, left),
            far = left > 64 ? read_some(bytes + 64, left - 64) : near;
    __m512i low = _mm512_permutex2var_epi8(near, places, far);
    places = _mm512_add_epi8(places, _mm512_set1_epi8(8));
    __m512i high = _mm512_permutex2var_epi8(near, places, far);
    __m512i more = _mm512_subs_epu16(bits, _mm512_set1_epi64(64));
    __m512i low_ones = _mm512_add_epi64(_mm512_sllv_epi64(one, bits), minus_one);
    __m512i high_ones = _mm512_add_epi64(_mm512_sllv_epi64(one, more), minus_one);
    w->low = _mm512_and_si512(low, low_ones);
    high = _mm512_ternarylogic_epi64(high, high_ones, _mm512_set1_epi64(0xFFFFFF), 0x80);
    size = _mm512_min_epu64(size, _mm512_set1_epi64(15));
    w->rest = _mm512_or_si512(high, _mm512_slli_epi64(size, 24));
}

/* What ix_table_slot() gives. */
static inline void find_slots(eight_words *w, const ix_word_table *t)
{
    __m512i rest = _mm512_mul_epu32(w->rest, _mm512_set1_epi64((int64_t)IX_TABLE_FACTOR_REST));
    __m512i hash = _mm512_mullo_epi64(_mm512_xor_si512(w->low, rest),
                                      _mm512_set1_epi64((int64_t)IX_TABLE_FACTOR_LOW));
    __m512i spot = _mm512_and_si512(_mm512_srli_epi64(hash, 32), _mm512_set1_epi64(t->spots));
    __m512i bucket = _mm512_srl_epi64(hash, _mm_cvtsi32_si128(t->shift));
    __m512i pilot = _mm512_cvtepu32_epi64(_mm256_i32gather_epi32(
        (const int *)(const void *)t->pilots, _mm512_cvtepi64_epi32(bucket), sizeof *t->pilots));
    pilot = _mm512_and_si512(pilot, _mm512_set1_epi64(0xFFFF));
    w->slot = _mm512_slli_epi64(_mm512_xor_si512(spot, _mm512_slli_epi64(pilot, 1)), 1);
}

/* Asks for the slots.  Their places go by registers: memory would be a way around. */
static inline void ask_eight(const eight_words *w, const uint64_t *slots)
{
    __m256i all = _mm512_cvtepi64_epi32(w->slot);
    __m128i low = _mm256_castsi256_si128(all), high = _mm256_extracti128_si256(all, 1);
    uint64_t pairs[] = {
        (uint64_t)_mm_cvtsi128_si64(low),
        (uint64_t)_mm_extract_epi64(low, 1),
        (uint64_t)_mm_cvtsi128_si64(high),
        (uint64_t)_mm_extract_epi64(high, 1),
    };
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        __builtin_prefetch(slots + (uint32_t)pairs[i]);
        __builtin_prefetch(slots + (pairs[i] >> 32));
    }
}

static inline __m128i read_slot(const uint64_t *slots, uint64_t place)
{
    return _mm_load_si128((const __m128i *)(const void *)(slots + place));
}

/* Slots 0, 2, 4 and 6 of those at `places`. */
static inline __m512i four_slots(const uint64_t *slots, const uint64_t *places)
{
    __m512i x = _mm512_castsi128_si512(read_slot(slots, places[0]));
    x = _mm512_mask_broadcast_i64x2(x, 0x0C, read_slot(slots, places[2]));
    x = _mm512_mask_broadcast_i64x2(x, 0x30, read_slot(slots, places[4]));
    return _mm512_mask_broadcast_i64x2(x, 0xC0, read_slot(slots, places[6]));
}

/* The ids of eight words, and which of them the table does not have. */
static inline __mmask8 look_up_eight(const eight_words *w, const uint64_t *slots,
                                     const uint64_t *places, int32_t *ids)
{
    __m512i even = four_slots(slots, places), odd = four_slots(slots, places + 1);
    __m512i low = _mm512_unpacklo_epi64(even, odd), rest = _mm512_unpackhi_epi64(even, odd);
    __m256i id = _mm512_cvtepi64_epi32(_mm512_srli_epi64(rest, 32));
    _mm256_storeu_si256((__m256i *)(void *)ids, id);
    low = _mm512_xor_si512(low, w->low);
    rest = _mm512_and_si512(_mm512_xor_si512(rest, w->rest), _mm512_set1_epi64(0xFFFFFFFF));
    low = _mm512_or_si512(low, rest);
    return _mm512_test_epi64_mask(low, low);
}

/* The keys of the words as they lie in memory. */
enum { ROOM = IX_QUEUE + 8 };
typedef struct word_keys {
    uint64_t low[ROOM], rest[ROOM], places[ROOM];
} word_keys;

/* The words from j on, eight at most, one by one: those that lie too far apart. */
static __attribute__((noinline)) void ask_some(const ix_word_table *t, const char *bytes,
                                               const ix_word_queue *q, size_t j, word_keys *keys)
{
    for (size_t end = q->count - j < 8 ? q->count : j + 8; j < end; j++) {
        asked_word w = ask_word(t, bytes, q, j);
        keys->low[j] = w.low;
        keys->rest[j] = w.rest;
        keys->places[j] = (uint64_t)w.slot * 2;
    }
}

void ix_find_words_avx512vbmi(const ix_word_table *t, const char *bytes, size_t readable,
                              ix_word_queue *q)
{
    const size_t n = q->count;
    const uint64_t *slots = (const uint64_t *)(const void *)t->slots;
    word_keys keys;
    size_t others = 0;
    memset(keys.places + n, 0, 8 * sizeof *keys.places);
    _mm256_storeu_si256((__m256i *)(void *)(q->at + n + 1), _mm256_set1_epi32((int)q->at[n]));
    for (size_t j = 0; j < n; j += 8) {
        eight_words w;
        size_t from = q->at[j] - q->at[0];
        if (q->at[j + 7] - q->at[j] > IX_START_MAX) {
            ask_some(t, bytes, q, j, &keys);
            continue;
        }
        read_eight(&w, q->at + j, bytes + from, readable - from);
        find_slots(&w, t);
        _mm512_storeu_si512(keys.low + j, w.low);
        _mm512_storeu_si512(keys.rest + j, w.rest);
        _mm512_storeu_si512(keys.places + j, w.slot);
        ask_eight(&w, slots);
    }
    __m256i index = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    for (size_t j = 0; j < n; j += 8, index = _mm256_add_epi32(index, _mm256_set1_epi32(8))) {
        eight_words w = { .low = _mm512_loadu_si512(keys.low + j),
                          .rest = _mm512_loadu_si512(keys.rest + j) };
        __mmask8 other = look_up_eight(&w, slots, keys.places + j, q->ids + j);
        if (n - j < 8)
            other &= (__mmask8)((1u << (n - j)) - 1);
        _mm_storeu_si128((__m128i *)(void *)(q->others + others),
                         _mm256_cvtepi32_epi16(_mm256_maskz_compress_epi32(other, index)));
        others += (size_t)__builtin_popcount(other);
    }
    q->other_count = others;
}
