/* The stages of decoders.  Private to decoder.c and decode_stages.c.
 *
 * What goes from stage to stage is a list of tokens, each in parts:
 *
 *     begin text text end   begin end   begin text end   ...   finish
 *
 * Parts end where characters end.  A stage that fuses (ByteLevel, Fuse) gives its successor one
 * token, which goes on to the end.
 */
#ifndef IX_TEXT_DECODE_STAGES_H
#define IX_TEXT_DECODE_STAGES_H

#include "text/decoder.h"
#include "text/pattern.h"

#include <stdbool.h>

typedef enum ix_decode_kind {
    IX_DECODE_BPE,
    IX_DECODE_BYTE_LEVEL,
    IX_DECODE_WORDPIECE,
    IX_DECODE_METASPACE,
    IX_DECODE_CTC,
    IX_DECODE_SEQUENCE,
    IX_DECODE_REPLACE,
    IX_DECODE_FUSE,
    IX_DECODE_STRIP,
    IX_DECODE_BYTE_FALLBACK,
    IX_DECODE_JOIN, /* a space between tokens: no decoder at all */
} ix_decode_kind;

typedef struct ix_decode_stage {
    ix_decode_kind kind;
    ix_buffer first;     /* BPE: suffix; WORDPIECE: prefix; CTC: padding; REPLACE: the string */
    ix_buffer second;    /* CTC: word delimiter; REPLACE: content */
    ix_pattern *pattern; /* REPLACE */
    uint32_t character;  /* METASPACE, STRIP */
    size_t start, stop;  /* STRIP */
    bool prefix;         /* METASPACE: the first token loses its replacements */
    bool cleanup;        /* WORDPIECE, CTC */
} ix_decode_stage;

struct ix_decode_stages {
    ix_decode_stage *stages;
    size_t count, capacity;
};

typedef struct ix_decode_state {
    ix_buffer hold;  /* of the token so far, or what waits of the one before */
    ix_buffer other; /* CTC: the token before; BYTE_FALLBACK: bytes; else room for work */
    ix_pattern_cursor cursor;
    size_t index;         /* tokens before this one */
    size_t taken, held;   /* STRIP: characters taken at the start, and held at the end */
    bool open;            /* the successor's token has begun */
    bool waits;           /* BPE, CTC: there is a token before */
    bool plain;           /* BYTE_FALLBACK: not a byte; STRIP: another character was there */
    size_t pending_count; /* BYTE_LEVEL: the beginning of a character */
    char pending[4];
} ix_decode_state;

struct ix_decode_stream {
    const ix_decode_stages *stages;
    ix_decode_state *states;
    ix_buffer *out; /* of this call */
    inox_error *err;
};

/* Events for stage i; behind the last stage text is appended to s->out. */
inox_status ix_decode_begin(ix_decode_stream *s, size_t i) IX_MUST_USE;
inox_status ix_decode_text(ix_decode_stream *s, size_t i, const char *text, size_t n) IX_MUST_USE;
inox_status ix_decode_end(ix_decode_stream *s, size_t i) IX_MUST_USE;
inox_status ix_decode_finish(ix_decode_stream *s, size_t i) IX_MUST_USE;

#endif
