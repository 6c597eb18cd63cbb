/* Fuzz target: a small vocabulary from the bytes, then a text encoded and decoded with it.
 *
 *     kind, pre, flags, count | pieces: length, type, score, bytes | merges: two piece numbers |
 * text
 *
 * Whatever the vocabulary says: offsets stay in the text and in order, streaming gives what
 * decoding the whole gives, and what comes out is UTF-8. */
#include "text/pretokenize.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECES = 300, MERGES = 64, MERGE_BYTES = 64 };

typedef struct input {
    const uint8_t *at, *end;
} input;

static uint8_t byte(input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

static size_t piece_number(input *in)
{
    size_t low = byte(in);
    return low | (size_t)byte(in) << 8;
}

typedef struct vocabulary {
    ix_text_view pieces[PIECES], merges[MERGES];
    int32_t types[PIECES];
    float scores[PIECES];
    char alphabet[256][4], joined[MERGES][MERGE_BYTES];
    ix_vocab_source source;
} vocabulary;

/* The first pieces may be all bytes, as byte-level BPE writes them or as byte tokens. */
static void add_bytes(vocabulary *v, bool byte_tokens)
{
    static char names[256][7];
    static const char digits[] = "0123456789ABCDEF";
    uint32_t next = 0x100;
    for (uint32_t b = 0; b < 256; b++) {
        bool itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
        size_t i = v->source.count++, n = ix_utf8_write(itself ? b : next++, v->alphabet[b]);
        v->pieces[i] = (ix_text_view){ v->alphabet[b], n };
        v->types[i] = IX_PIECE_NORMAL;
        if (byte_tokens) {
            memcpy(names[b], "<0x00>", 7);
            names[b][3] = digits[b >> 4];
            names[b][4] = digits[b & 15];
            v->pieces[i] = (ix_text_view){ names[b], 6 };
            v->types[i] = IX_PIECE_BYTE;
        }
    }
}

static void read_vocabulary(input *in, vocabulary *v)
{
    static const char *const models[] = { "gpt2", "llama", "gemma4", "whitespace" };
    uint8_t kind = byte(in), pre = byte(in), flags = byte(in);
    size_t names = 0, count = byte(in) % 44;
    while (ix_pretokenizer_name(names))
        names++;
    v->source = (ix_vocab_source)IX_VOCAB_SOURCE_INIT;
    v->source.model = kind & 32 ? "t5" : models[kind & 3];
    v->source.pre = ix_pretokenizer_name(pre % (names + 1));
    v->source.add_bos = flags & 1;
    v->source.add_eos = flags >> 1 & 1;
    v->source.add_space_prefix = (int8_t)((flags >> 2 & 3) - 1);
    v->source.remove_extra_whitespaces = flags >> 4 & 1;
    v->source.name = flags & 32 ? "Phi-3" : NULL;
    v->source.bos = v->source.unknown = flags >> 6;
    if (kind & 4)
        add_bytes(v, kind & 8);
    for (size_t i = 0; i < count; i++) {
        size_t length = byte(in) % 12, id = v->source.count++;
        v->types[id] = byte(in) % 8;
        v->scores[id] = (float)(int8_t)byte(in) * (kind & 32 ? 0.37F : 1);
        if (length > (size_t)(in->end - in->at))
            length = (size_t)(in->end - in->at);
        v->pieces[id] = (ix_text_view){ (const char *)in->at, length };
        in->at += length;
    }
    if (kind & 16)
        return; /* no merges */
    v->source.merges = v->merges;
    for (size_t i = byte(in) % MERGES; i > 0 && v->source.count > 0; i--) {
        ix_text_view l = v->pieces[piece_number(in) % v->source.count];
        ix_text_view r = v->pieces[piece_number(in) % v->source.count];
        size_t m = v->source.merge_count;
        if (l.size + r.size + 1 > MERGE_BYTES)
            continue;
        memcpy(v->joined[m], l.data, l.size);
        v->joined[m][l.size] = ' ';
        memcpy(v->joined[m] + l.size + 1, r.data, r.size);
        v->merges[m] = (ix_text_view){ v->joined[m], l.size + r.size + 1 };
        v->source.merge_count++;
    }
}

static void check_decoding(const ix_tokenizer *t, const inox_tokens *tokens, unsigned flags)
{
    ix_buffer whole = { 0 }, stream = { 0 };
    ix_decoder d;
    ix_decoder_init(&d, t, flags);
    if (ix_tokenizer_decode(t, tokens->ids, tokens->count, flags, &whole, NULL) != INOX_OK)
        __builtin_trap();
    for (size_t i = 0; i < tokens->count; i++)
        if (ix_decoder_push(&d, tokens->ids[i], &stream, NULL) != INOX_OK)
            __builtin_trap();
    if (ix_decoder_flush(&d, &stream, NULL) != INOX_OK || whole.size != stream.size ||
        (whole.size > 0 && memcmp(whole.data, stream.data, whole.size) != 0))
        __builtin_trap();
    for (size_t at = 0; at < whole.size && !(flags & IX_DECODE_RAW);) {
        bool is_whole, bad;
        at += ix_utf8_prefix(whole.data + at, whole.size - at, &is_whole, &bad);
        if (!is_whole || bad)
            __builtin_trap();
    }
    ix_buffer_release(&whole);
    ix_buffer_release(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vocabulary v;
    input in = { data, data + size };
    ix_tokenizer *t = NULL;
    inox_tokens tokens;
    memset(&v, 0, sizeof v);
    read_vocabulary(&in, &v);
    v.source.pieces = v.pieces;
    v.source.types = v.types;
    v.source.scores = v.scores;
    unsigned flags = byte(&in);
    size_t bytes = (size_t)(in.end - in.at);
    const char *text = bytes > 0 ? (const char *)in.at : "";
    if (ix_tokenizer_new(&v.source, &t, NULL) != INOX_OK)
        return 0;
    if (ix_tokenizer_encode(t, text, bytes, flags & 3, &tokens, NULL) != INOX_OK)
        __builtin_trap();
    for (size_t i = 0; i < tokens.count; i++) {
        bool ordered = i == 0 || tokens.starts[i] >= tokens.starts[i - 1];
        if (!ordered || tokens.starts[i] > tokens.ends[i] || tokens.ends[i] > bytes ||
            tokens.ids[i] < 0 || (size_t)tokens.ids[i] >= v.source.count)
            __builtin_trap();
    }
    check_decoding(t, &tokens, flags >> 2 & 7);
    ix_tokens_release(&tokens);
    ix_tokenizer_free(t);
    return 0;
}
