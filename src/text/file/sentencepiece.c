/* SentencePiece's .model files: a ModelProto of sentencepiece_model.proto.
 *
 *     ModelProto        1 pieces...  2 trainer_spec  3 normalizer_spec  5 denormalizer_spec
 *     SentencePiece     1 piece  2 score  3 type
 *     TrainerSpec       3 model_type  24 treat_whitespace_as_suffix  35 byte_fallback
 *                       44 unk_surface  45 unk_piece  46 bos_piece  47 eos_piece
 *                       48 pad_piece
 *     NormalizerSpec    2 precompiled_charsmap  3 add_dummy_prefix  4 remove_extra_whitespaces
 *                       5 escape_whitespaces
 *
 * Other fields say how the model was trained.  A field that comes again counts instead of the one
 * before, and an unknown value of an enumeration counts as not given, as protocol buffers have it.
 */
#include "base/limits.h"
#include "text/file/formats.h"
#include "text/file/protobuf.h"
#include "text/spm.h"

typedef struct reader {
    ix_spm_source source;
    ix_text_view *pieces;
    float *scores;
    uint8_t *types;
    size_t capacity;
} reader;

static inox_status read_piece(reader *r, ix_text_view message, inox_error *err)
{
    ix_span s = ix_span_of(message.data, message.size);
    ix_proto_field f;
    bool more;
    size_t i = r->source.count;
    if (i == IX_MAX_VOCAB)
        return ix_fail(err, INOX_E_LIMIT, "the model has more than %d pieces", IX_MAX_VOCAB);
    if (i == r->capacity) {
        size_t capacity = r->capacity * 2 + 1024;
        IX_TRY(IX_REALLOC(&r->pieces, capacity, err));
        IX_TRY(IX_REALLOC(&r->scores, capacity, err));
        IX_TRY(IX_REALLOC(&r->types, capacity, err));
        r->capacity = capacity;
    }
    r->pieces[i] = (ix_text_view){ "", 0 };
    r->scores[i] = 0;
    r->types[i] = IX_PIECE_NORMAL;
    r->source.count++;
    for (;;) {
        int64_t type;
        IX_TRY(ix_proto_next(&s, &f, &more, err));
        if (!more)
            return INOX_OK;
        if (f.number == 1)
            IX_TRY(ix_proto_bytes(&f, &r->pieces[i], err));
        if (f.number == 2)
            IX_TRY(ix_proto_float(&f, &r->scores[i], err));
        if (f.number == 3) {
            IX_TRY(ix_proto_int(&f, &type, err));
            if (type >= IX_PIECE_NORMAL && type <= IX_PIECE_BYTE)
                r->types[i] = (uint8_t)type;
        }
    }
}

static inox_status read_trainer(reader *r, ix_text_view message, inox_error *err)
{
    ix_span s = ix_span_of(message.data, message.size);
    ix_spm_source *source = &r->source;
    ix_proto_field f;
    bool more;
    for (;;) {
        int64_t kind;
        IX_TRY(ix_proto_next(&s, &f, &more, err));
        if (!more)
            return INOX_OK;
        switch (f.number) {
        case 3:
            IX_TRY(ix_proto_int(&f, &kind, err));
            if (kind >= IX_SPM_UNIGRAM && kind <= IX_SPM_CHAR)
                source->kind = (ix_spm_kind)kind;
            break;
        case 24: IX_TRY(ix_proto_bool(&f, &source->space_is_suffix, err)); break;
        case 35: IX_TRY(ix_proto_bool(&f, &source->byte_fallback, err)); break;
        case 44: IX_TRY(ix_proto_bytes(&f, &source->unknown_text, err)); break;
        case 45: IX_TRY(ix_proto_bytes(&f, &source->unknown, err)); break;
        case 46: IX_TRY(ix_proto_bytes(&f, &source->bos, err)); break;
        case 47: IX_TRY(ix_proto_bytes(&f, &source->eos, err)); break;
        case 48: IX_TRY(ix_proto_bytes(&f, &source->padding, err)); break;
        default: break;
        }
    }
}

static inox_status read_rules(ix_spm_rules *rules, ix_text_view message, inox_error *err)
{
    ix_span s = ix_span_of(message.data, message.size);
    ix_proto_field f;
    bool more;
    for (;;) {
        IX_TRY(ix_proto_next(&s, &f, &more, err));
        if (!more)
            return INOX_OK;
        switch (f.number) {
        case 2: IX_TRY(ix_proto_bytes(&f, &rules->charsmap, err)); break;
        case 3: IX_TRY(ix_proto_bool(&f, &rules->add_dummy_prefix, err)); break;
        case 4: IX_TRY(ix_proto_bool(&f, &rules->remove_extra_whitespaces, err)); break;
        case 5: IX_TRY(ix_proto_bool(&f, &rules->escape_whitespaces, err)); break;
        default: break;
        }
    }
}

static inox_status read_model(reader *r, ix_text_view file, inox_error *err)
{
    ix_span s = ix_span_of(file.data, file.size);
    ix_proto_field f;
    bool more;
    for (;;) {
        ix_text_view message;
        uint64_t start = s.pos;
        IX_TRY(ix_proto_next(&s, &f, &more, err));
        if (!more)
            return INOX_OK;
        if (f.number != 1 && f.number != 2 && f.number != 3 && f.number != 5)
            continue;
        inox_status status = ix_proto_bytes(&f, &message, err);
        if (status == INOX_OK && f.number == 1)
            status = read_piece(r, message, err);
        else if (status == INOX_OK && f.number == 2)
            status = read_trainer(r, message, err);
        else if (status == INOX_OK)
            status = read_rules(f.number == 3 ? &r->source.rules : &r->source.back, message, err);
        if (status != INOX_OK)
            return ix_prefix(err, status, "the message at byte %llu", (unsigned long long)start);
        r->source.has_back = r->source.has_back || f.number == 5;
    }
}

inox_status ix_tokenizer_from_sentencepiece(ix_text_view file, ix_tokenizer **out, inox_error *err)
{
    reader r = {
        .source = { .kind = IX_SPM_UNIGRAM, .rules = IX_SPM_RULES_INIT, .back = IX_SPM_RULES_INIT }
    };
    *out = NULL;
    inox_status status = read_model(&r, file, err);
    r.source.pieces = r.pieces;
    r.source.scores = r.scores;
    r.source.types = r.types;
    if (status == INOX_OK)
        status = ix_tokenizer_from_spm(&r.source, out, err);
    ix_free(r.pieces);
    ix_free(r.scores);
    ix_free(r.types);
    return status == INOX_OK ? status : ix_prefix(err, status, "SentencePiece model");
}
